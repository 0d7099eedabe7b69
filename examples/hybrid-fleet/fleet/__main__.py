"""Codes in four regions of two clouds, a registry, and what a machine runs at its first boot."""

import pulumi

from pulumi_hybrid import AlicloudEnrollment, Enrollment, TencentcloudEnrollment
from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.tencentcloud import tat, tcr

machines = pulumi.Config().get_int("machines") or 10

fleet = Enrollment(
    "fleet",
    tencentcloud=TencentcloudEnrollment(
        regions=["ap-guangzhou", "ap-singapore"],
        register_limit=machines,
        effective_time=24,
    ),
    alicloud=AlicloudEnrollment(
        regions=["cn-hangzhou", "cn-beijing"],
        instance_count=machines,
        time_to_live_in_hours=24,
        tags={"fleet": "halls"},
    ),
    # `pulumi up` in a code's last two hours makes the next one.
    rotate_before_hours=2,
    # Machines outlive their codes, and this stack.
    on_destroy="keep",
)

registry = tcr.Instance("images", registry_type="basic", tags={"fleet": "halls"})

# Secrets, by cloud and region.
pulumi.export("cloud_init", fleet.cloud_init)
pulumi.export("powershell", fleet.powershell)
pulumi.export("registry", registry.public_domain)

# Which machines are there, as of this run; a preview tells it too.
joined = {
    **{
        region: tat.get_register_instances_output(region=region).register_instances
        for region in fleet.register_codes
    },
    **{
        region: ecs.get_managed_instances_output(region=region).instances
        for region in fleet.activations
    },
}
pulumi.export("joined", {region: found.apply(len) for region, found in joined.items()})

"""A program that uses what is public, for the type checkers: mypy reads it with all tests.

It is never run.
"""

from __future__ import annotations

import pulumi

import pulumi_hybrid
from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.tencentcloud import billing, tat, tcr
from pulumi_hybrid.testing import Mocks

provider = pulumi_hybrid.Provider(
    "another",
    tencentcloud=pulumi_hybrid.TencentcloudConfig(
        secret_id="id",
        secret_key=pulumi.Output.secret("key"),
        assume_role=pulumi_hybrid.TencentcloudAssumeRole(role_arn="arn", session_duration=900),
    ),
    alicloud=pulumi_hybrid.AlicloudConfig(
        assume_role_with_oidc=pulumi_hybrid.AlicloudAssumeRoleWithOidc(
            "provider", "arn", oidc_token_file="token"
        ),
    ),
)
code = tat.RegisterCode("code", pulumi.ResourceOptions(provider=provider), register_limit=3)
command: pulumi.Output[str | None] = code.linux_register_command
count: pulumi.Output[int] = code.registered_count
activation = ecs.Activation("activation", tags={"team": "halls"})
registry = tcr.Instance(
    "registry",
    registry_type="basic",
    public_access={
        "enabled": True,
        "security_policies": [{"cidr_block": "10.0.0.0/8", "description": "office"}],
    },
)
order = billing.Instance(
    "order",
    product_code="product",
    sub_product_code="part",
    region_code="ap-guangzhou",
    zone_code="ap-guangzhou-6",
    parameter={"version": 1},
)
fleet = pulumi_hybrid.Enrollment(
    "fleet", tencentcloud=pulumi_hybrid.TencentcloudEnrollment(regions=["ap-guangzhou"])
)
joined = tat.get_register_instances(
    register_code_id="code", opts=pulumi.InvokeOptions(provider=provider)
)
names: list[str] = [machine.instance_name for machine in joined.register_instances]
later = ecs.get_managed_instances_output(activation_id=activation.activation_id)
online: pulumi.Output[list[bool]] = later.apply(
    lambda found: [machine.connected for machine in found.instances]
)
pulumi.runtime.set_mocks(
    Mocks(lookups={tat.GetRegisterInstancesResult: tat.GetRegisterInstancesResult([])})
)

"""A registry for the images of machines that are not in Tencent Cloud. It costs money."""

import pulumi

from pulumi_hybrid.tencentcloud import tcr

config = pulumi.Config()

registry = tcr.Instance(
    "images",
    registry_type="basic",
    tags={"team": "platform"},
    # Without an entrance from the Internet only machines in one's own VPCs reach it.
    public_access={
        "enabled": True,
        "security_policies": [
            {
                "cidr_block": config.get("office") or "203.0.113.0/24",
                "description": "our own hall",
            },
        ],
    },
    # A destroy keeps the images, in a bucket that goes on costing.
    delete_bucket=False,
)

pulumi.export("registry_id", registry.registry_id)
pulumi.export("host", registry.public_domain)
pulumi.export("status", registry.status)

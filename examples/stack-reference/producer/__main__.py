"""The platform team's stack: it makes the code, and hands it on as a secret output."""

import pulumi

from pulumi_hybrid.tencentcloud import tat

code = tat.RegisterCode(
    "halls",
    description="machines in our own halls",
    effective_time=24 * 7,
    # `pulumi up` on the last day makes the next code.
    rotate_before_hours=24,
)

# A secret: encrypted in this stack's state, and a secret still where another stack reads it.
pulumi.export("join_on_linux", code.linux_register_command)
pulumi.export("expires", code.expired_time)

"""Machines anywhere join Tencent Cloud Automation Tools with this code."""

import pulumi

from pulumi_hybrid.tencentcloud import tat

config = pulumi.Config()

code = tat.RegisterCode(
    "web-servers",
    description="web servers in our own hall",
    instance_name_prefix="web",
    register_limit=config.get_int("machines") or 10,
    effective_time=24 * 7,
    # `pulumi up` on the last day makes the next code.
    rotate_before_hours=24,
)

pulumi.export("register_code_id", code.register_code_id)
pulumi.export("expires", code.expired_time)
# Both are secrets: encrypted in state, masked in the terminal. What root, or an administrator,
# runs on each machine:
pulumi.export("on_linux", code.linux_register_command)
pulumi.export("on_windows", code.windows_register_command)

"""Machines anywhere become managed instances of Alibaba Cloud with this code."""

import pulumi

from pulumi_hybrid.alicloud import ecs

config = pulumi.Config()

activation = ecs.Activation(
    "web-servers",
    instance_name="web",
    description="web servers in our own hall",
    instance_count=config.get_int("machines") or 10,
    time_to_live_in_hours=4,
    tags={"team": "web"},
    # A code that machines have used cannot be deleted: a destroy closes it and says so.
    when_in_use="disable",
)

pulumi.export("activation_id", activation.activation_id)
pulumi.export("expires", activation.expired_time)
# Both are secrets: encrypted in state, masked in the terminal. What root, or an administrator,
# runs on each machine:
pulumi.export("on_linux", activation.linux_register_command)
pulumi.export("on_windows", activation.windows_register_command)

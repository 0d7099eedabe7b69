"""Which machine joins where, and with what user data."""

import pulumi

config = pulumi.Config()
fleet = pulumi.StackReference(config.require("fleet"))
scripts = fleet.require_output("cloud_init")

# By name, the cloud and the region that a machine joins.
machines: dict[str, str] = config.get_object("machines") or {"web-1": "alicloud/cn-hangzhou"}


def user_data(name: str, place: str) -> pulumi.Output[str]:
    """One region's script out of the secret, and so a secret."""
    cloud, _, region = place.partition("/")

    def script(clouds: dict[str, dict[str, str]]) -> str:
        try:
            return clouds[cloud][region]
        except KeyError:
            # A RunError is told in one line, without a traceback.
            raise pulumi.RunError(
                f"machines.{name}: {place} is no place of the fleet. "
                "Choose a cloud and a region of its output cloud_init"
            ) from None

    return scripts.apply(script)


# A real program would hand these to the virtual machines of whatever cloud or hall they are in.
pulumi.export("user_data", {name: user_data(name, place) for name, place in machines.items()})

"""From codes to machines that joined: a code a region, and what a machine runs at first boot."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any

import pulumi

from pulumi_hybrid.alicloud.ecs import Activation
from pulumi_hybrid.errors import Misused, ensure
from pulumi_hybrid.tencentcloud.tat import RegisterCode

_ON_DESTROY = {"keep": "disable", "deregister": "deregister", "fail": "fail"}
"""The component's words, and an activation's for the same."""

# cloud-init runs what lies there at every boot: a first boot that was cut off is taken up again.
_PER_BOOT = "/var/lib/cloud/scripts/per-boot/pulumi-hybrid"


@dataclass(frozen=True)
class TencentcloudEnrollment:
    """Tencent Cloud's side of an enrollment: the regions, and inputs of each ``tat.RegisterCode``.

    Attributes:
        regions: where machines join; a code each.
        description: as of ``RegisterCode``; so are the next four.
        instance_name_prefix: what the machines' names begin with.
        register_limit: how many machines may join in each region.
        effective_time: hours that a code is valid.
        ip_address_range: from where machines join.
        install_linux: shell commands that install the agent, in place of the vendor's download.
        install_windows: the same in PowerShell.
    """

    regions: Sequence[str]
    description: pulumi.Input[str] | None = None
    instance_name_prefix: pulumi.Input[str] | None = None
    register_limit: pulumi.Input[int] | None = None
    effective_time: pulumi.Input[int] | None = None
    ip_address_range: pulumi.Input[str] | None = None
    install_linux: pulumi.Input[str] | None = None
    install_windows: pulumi.Input[str] | None = None


@dataclass(frozen=True)
class AlicloudEnrollment:
    """Alibaba Cloud's side of an enrollment: the regions, and inputs of each ``ecs.Activation``.

    Attributes:
        regions: where machines join; an activation each.
        instance_name: as of ``Activation``; so are the next six.
        description: of each activation.
        instance_count: how many machines may join in each region.
        time_to_live_in_hours: how long an activation is valid.
        ip_address_range: from where machines join.
        resource_group_id: of the activations.
        tags: of the activations.
        install_linux: shell commands that install the agent, in place of the vendor's download.
        install_windows: the same in PowerShell.
    """

    regions: Sequence[str]
    instance_name: pulumi.Input[str] | None = None
    description: pulumi.Input[str] | None = None
    instance_count: pulumi.Input[int] | None = None
    time_to_live_in_hours: pulumi.Input[int] | None = None
    ip_address_range: pulumi.Input[str] | None = None
    resource_group_id: pulumi.Input[str] | None = None
    tags: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None
    install_linux: pulumi.Input[str] | None = None
    install_windows: pulumi.Input[str] | None = None


class Enrollment(pulumi.ComponentResource):
    """Codes for machines in regions of either cloud, and the scripts with which machines join.

    Args:
        resource_name: its name in the program; each code's is it, a hyphen and the region.
        opts: the engine's options; ``providers`` reach the codes.
        tencentcloud: the regions of Tencent Cloud, and the inputs of their codes.
        alicloud: the same for Alibaba Cloud.
        rotate_before_hours: as of the codes. A rotation renews codes and scripts; machines that
            have joined stay as they are.
        on_destroy: what becomes of machines when their code is destroyed, with its region or the
            whole enrollment: ``keep`` (default) leaves them registered, ``deregister`` deregisters
            them, ``fail`` fails as long as there are some. Machines of a code that a rotation has
            replaced stay in any case.

    Attributes:
        register_codes: Tencent Cloud's codes by region.
        activations: Alibaba Cloud's by region.

    Outputs:
        cloud_init (dict[str, dict[str, str]]): secret; by cloud (``tencentcloud``, ``alicloud``)
            and region the user data with which a Linux machine joins at its first boot.
        powershell (dict[str, dict[str, str]]): secret; the same for Windows.

    Raises:
        Misused: no region, a region twice, no such word, or another object than is wanted.
    """

    cloud_init: pulumi.Output[Mapping[str, Mapping[str, str]]]
    powershell: pulumi.Output[Mapping[str, Mapping[str, str]]]

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        tencentcloud: TencentcloudEnrollment | None = None,
        alicloud: AlicloudEnrollment | None = None,
        rotate_before_hours: pulumi.Input[float] | None = None,
        on_destroy: str = "keep",
    ) -> None:
        ensure(tencentcloud, TencentcloudEnrollment)
        ensure(alicloud, AlicloudEnrollment)
        if on_destroy not in _ON_DESTROY:
            raise Misused(f"on_destroy: must be one of {', '.join(_ON_DESTROY)}")
        tencentcloud_regions = _regions("tencentcloud", tencentcloud)
        alicloud_regions = _regions("alicloud", alicloud)
        if not tencentcloud_regions and not alicloud_regions:
            raise Misused("an Enrollment needs regions: give tencentcloud, alicloud or both")
        super().__init__("pulumi_hybrid:index:Enrollment", resource_name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.register_codes = {
            region: RegisterCode(
                f"{resource_name}-{region}",
                child,
                region=region,
                rotate_before_hours=rotate_before_hours,
                when_in_use=on_destroy,
                **_inputs(tencentcloud),
            )
            for region in tencentcloud_regions
        }
        self.activations = {
            region: Activation(
                f"{resource_name}-{region}",
                child,
                region=region,
                rotate_before_hours=rotate_before_hours,
                when_in_use=_ON_DESTROY[on_destroy],
                **_inputs(alicloud),
            )
            for region in alicloud_regions
        }
        codes = {
            "tencentcloud": {
                region: (code.register_code_id, code.register_code_value)
                for region, code in self.register_codes.items()
            },
            "alicloud": {
                region: (activation.activation_id, activation.activation_code)
                for region, activation in self.activations.items()
            },
        }
        sides = {"tencentcloud": tencentcloud, "alicloud": alicloud}
        self.cloud_init = _rendered(cloud_init, codes, sides, "install_linux")
        self.powershell = _rendered(powershell, codes, sides, "install_windows")
        # The scripts are derived, as the register commands are: in state they would be two more
        # copies of the codes.
        self.register_outputs({})


def cloud_init(cloud: str, region: str, id: str, code: str, install: str | None = None) -> str:
    """The user data with which a Linux machine joins.

    Args:
        cloud: ``tencentcloud`` or ``alicloud``.
        region: where it joins.
        id: the code's id.
        code: its value.
        install: shell commands that install the agent; default the vendor's package.
    """
    script = "".join(
        [
            "#!/bin/sh\n",
            f"# Joins this machine to {cloud}, once. Holds a secret. Made by pulumi_hybrid.\n",
            f"region={shlex.quote(region)}\n",
            f"id={shlex.quote(id)}\n",
            f"code={shlex.quote(code)}\n\n",
            _template(f"{cloud}.sh"),
            f"install_agent() {{\n{install}\n}}\n\n" if install else "",
            _template("enroll.sh"),
        ]
    )
    # The text stands as it is: in base64 a copy of the code would not be found, and so not removed.
    return (
        "#cloud-config\n"
        "write_files:\n"
        f"- path: {_PER_BOOT}-{cloud}\n"
        "  owner: root:root\n"
        "  permissions: '0700'\n"
        "  content: |\n"
    ) + textwrap.indent(script, "    ")


def powershell(cloud: str, region: str, id: str, code: str, install: str | None = None) -> str:
    """The script with which a Windows machine joins, as an administrator.

    Args:
        cloud: ``tencentcloud`` or ``alicloud``.
        region: where it joins.
        id: the code's id.
        code: its value.
        install: PowerShell commands that install the agent; default the vendor's package.
    """
    return "".join(
        [
            # By this line cloudbase-init knows what it is.
            "#ps1_sysnative\n",
            f"# Joins this machine to {cloud}, once. Holds a secret. Made by pulumi_hybrid.\n",
            f"$Region = {_quoted(region)}\n",
            f"$Id = {_quoted(id)}\n",
            f"$Code = {_quoted(code)}\n\n",
            _template(f"{cloud}.ps1"),
            f"function Install-Agent {{\n{install}\n}}\n\n" if install else "",
            _template("enroll.ps1"),
        ]
    )


def _rendered(
    write: Callable[..., str],
    codes: Mapping[str, Mapping[str, Sequence[pulumi.Output[Any]]]],
    sides: Mapping[str, TencentcloudEnrollment | AlicloudEnrollment | None],
    install: str,
) -> pulumi.Output[Mapping[str, Mapping[str, str]]]:
    """Every region's script: a secret as a whole, so that no part of it is shown by itself."""

    def written(cloud: str, region: str) -> pulumi.Output[str]:
        parts = (*codes[cloud][region], getattr(sides[cloud], install))
        return pulumi.Output.all(*parts).apply(lambda known: write(cloud, region, *known))

    scripts: dict[str, Any] = {
        cloud: {region: written(cloud, region) for region in regions}
        for cloud, regions in codes.items()
        if regions
    }
    return pulumi.Output.secret(pulumi.Output.from_input(scripts))


def _regions(cloud: str, side: TencentcloudEnrollment | AlicloudEnrollment | None) -> list[str]:
    given: Any = side.regions if side else []
    # A text is a sequence, too, and an output will be one: neither has names to make codes by.
    unfit = isinstance(given, (str, Mapping, pulumi.Output)) or not isinstance(given, Iterable)
    regions = [] if unfit else list(given)
    if unfit or not all(isinstance(region, str) for region in regions):
        raise Misused(f'{cloud}: regions must be a list of names, such as ["ap-guangzhou"]')
    if len(set(regions)) < len(regions):
        raise Misused(f"{cloud}: a region stands there twice")
    return regions


def _inputs(side: TencentcloudEnrollment | AlicloudEnrollment | None) -> dict[str, Any]:
    """The inputs of each code: all but what is the enrollment's own."""
    own = ("regions", "install_linux", "install_windows")
    return {
        each.name: getattr(side, each.name)
        for each in (fields(side) if side else ())
        if each.name not in own
    }


def _template(name: str) -> str:
    return resources.files("pulumi_hybrid").joinpath(f"boot/{name}").read_text("utf-8")


def _quoted(text: str) -> str:
    """A PowerShell text in which nothing is expanded."""
    return "'" + text.replace("'", "''") + "'"

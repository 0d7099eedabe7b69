"""What happens to each resource in its life, so that every action of the vendors' is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from pulumi_hybrid.alicloud.ecs import ActivationProvider
from pulumi_hybrid.lifecycle import Lifecycle
from pulumi_hybrid.tencentcloud import billing, tcr
from pulumi_hybrid.tencentcloud.tat import RegisterCodeProvider

from .world import World

Json = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One command of the user's.

    Attributes:
        name: what happens to the resource.
        command: "up", "refresh" or "destroy".
        program: the resource's inputs, from this step on.
        before: what happens outside before it.
        fails: whether it fails the first time, whatever else happens.
        otherwise: what the user is told to write where the same again does not help.
    """

    name: str
    command: str
    program: Mapping[str, Any]
    before: Callable[[World], None] = lambda world: None
    fails: bool = False
    otherwise: Mapping[str, Any] | None = None

    def run(self, world: World) -> bool:
        """The command; whether all went well."""
        if self.command == "up":
            return world.up(self.program)
        return world.refresh() if self.command == "refresh" else world.destroy()


@dataclass(frozen=True)
class Story:
    """A resource's life.

    Attributes:
        name: as the table shows it.
        provider: whose hooks are called.
        steps: one after the other.
        settings: of the emulator.
        config: of the stack, beside the keys.
    """

    name: str
    provider: type[Lifecycle]
    steps: tuple[Step, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def first_day(self, new_world: Callable[[type[Lifecycle]], World]) -> World:
        """The world as it is before the first step."""
        world = new_world(self.provider)
        world.config = self.config
        world.cloud.settings(**self.settings)
        return world

    def begin(self, new_world: Callable[[type[Lifecycle]], World], before: Step) -> World:
        """The world as it is before a step."""
        world = self.first_day(new_world)
        for step in self.steps:
            step.before(world)
            if step is before:
                return world
            assert step.run(world) != step.fails, world.said[-1].lines
        raise AssertionError(before)


def _life(*ups: tuple[str, Mapping[str, Any]], end: Callable[[World], None]) -> tuple[Step, ...]:
    """Made, read, changed as often as told, and deleted."""
    (_, first), *changes = ups
    last = ups[-1][1]
    return (
        Step("create", "up", first),
        Step("read", "refresh", first),
        *(Step(name, "up", program) for name, program in changes),
        Step("delete", "destroy", last, end),
    )


def _nothing(world: World) -> None:
    """Nothing happens outside."""


def _machines_register(world: World) -> None:
    assert world.held
    id, outputs = world.held.id, world.held.outputs
    if "activation_code" in outputs:
        world.cloud.register(activation_id=id, activation_code=outputs["activation_code"], count=2)
    else:
        world.cloud.register(id, outputs["register_code_value"], count=2)


def _never_deployed(world: World) -> None:
    world.cloud.fault("CreateInstance", "ends_in", status="FailedCreated", message="no bucket")


_NOW = datetime.now(timezone.utc)


def _in(**time: float) -> str:
    return (_NOW + timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


_REGISTRY: Json = {
    "registry_name": "matrix",
    "registry_type": "basic",
    "tags": {"a": "1", "b": "2"},
    "public_access": {
        "enabled": True,
        "security_policies": [{"cidr_block": "10.0.0.0/8", "description": "office"}],
    },
}
_CHANGED_REGISTRY: Json = {
    **_REGISTRY,
    "registry_type": "standard",
    "tags": {"a": "2", "c": "3"},
    "public_access": {
        "enabled": True,
        "security_policies": [{"cidr_block": "192.0.2.0/24", "description": "home"}],
    },
}
_PREPAID: Json = {
    "registry_name": "prepaid",
    "registry_type": "basic",
    "registry_charge_type": 1,
    "registry_charge_prepaid": {"period": 1},
}
_ORDER: Json = {
    "product_code": "p_cloudfirewall",
    "sub_product_code": "sp_cloudfirewall_svv1",
    "region_code": "ap-guangzhou",
    "zone_code": "ap-guangzhou-6",
    "parameter": {"pid": 1, "sv_x": 5},
}
_AUTO: Json = {**_ORDER, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}

_NO_KEY: Json = dict.fromkeys(
    ("tencentcloud:secretId", "tencentcloud:secretKey", "alicloud:accessKey", "alicloud:secretKey")
)

STORIES = (
    Story(
        "RegisterCode",
        RegisterCodeProvider,
        _life(
            ("create", {"description": "first"}),
            ("replace", {"description": "second"}),
            end=_nothing,
        ),
    ),
    Story(
        "used RegisterCode",
        RegisterCodeProvider,
        _life(("create", {"when_in_use": "deregister"}), end=_machines_register),
    ),
    Story(
        "Activation",
        ActivationProvider,
        _life(
            ("create", {"instance_name": "web", "tags": {"a": "1", "b": "2"}}),
            (
                "update",
                {"instance_name": "web", "tags": {"a": "2"}, "resource_group_id": "rg-ready"},
            ),
            end=_nothing,
        ),
    ),
    Story(
        "used Activation",
        ActivationProvider,
        _life(("create", {"when_in_use": "deregister"}), end=_machines_register),
        {"used_code_is_undeletable": True},
    ),
    Story(
        "registry",
        tcr.InstanceProvider,
        _life(("create", _REGISTRY), ("update", _CHANGED_REGISTRY), end=_nothing),
    ),
    Story(
        "registry that fails",
        tcr.InstanceProvider,
        (
            Step("create", "up", _REGISTRY, _never_deployed, fails=True),
            Step("replace", "up", _REGISTRY),
        ),
    ),
    Story(
        "prepaid registry",
        tcr.InstanceProvider,
        (
            Step("create", "up", _PREPAID),
            Step("read", "refresh", _PREPAID),
            Step(
                "renew",
                "up",
                {**_PREPAID, "paid_until": _in(weeks=7)},
                otherwise={**_PREPAID, "paid_until": _in(weeks=7, seconds=1)},
            ),
            Step("delete", "destroy", _PREPAID),
        ),
    ),
    Story(
        "order",
        billing.InstanceProvider,
        _life(
            ("create", _ORDER),
            ("update", _AUTO),
            ("renew", {**_AUTO, "paid_until": _in(weeks=7)}),
            end=_nothing,
        ),
    ),
    Story(
        "RegisterCode by a role",
        RegisterCodeProvider,
        (Step("create", "up", {}),),
        config={"tencentcloud:assumeRole": {"roleArn": "qcs::cam::uin/1:roleName/matrix"}},
    ),
    Story(
        "RegisterCode by a web identity",
        RegisterCodeProvider,
        (Step("create", "up", {}),),
        config=_NO_KEY
        | {
            "tencentcloud:assumeRoleWithWebIdentity": {
                "providerId": "idp",
                "webIdentityToken": "header.claims.signature",
                "roleArn": "qcs::cam::uin/1:roleName/matrix",
            }
        },
    ),
    Story(
        "Activation by a role",
        ActivationProvider,
        (Step("create", "up", {}),),
        config={"alicloud:assumeRole": {"roleArn": "acs:ram::1:role/matrix"}},
    ),
    Story(
        "Activation by OIDC",
        ActivationProvider,
        (Step("create", "up", {}),),
        config=_NO_KEY
        | {
            "alicloud:assumeRoleWithOidc": {
                "oidcProviderArn": "acs:ram::1:oidc-provider/idp",
                "oidcToken": "header.claims.signature",
                "roleArn": "acs:ram::1:role/matrix",
            }
        },
    ),
)

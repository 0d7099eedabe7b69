"""What an enrollment makes of its inputs, and what it renders."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from pulumi_hybrid import (
    AlicloudEnrollment,
    Enrollment,
    Error,
    Provider,
    TencentcloudConfig,
    TencentcloudEnrollment,
)

from .conftest import assert_one_line

SECRET = {"RegisterCode": "register_code_value", "Activation": "activation_code"}
ID = {"RegisterCode": "register_code_id", "Activation": "activation_id"}


class Engine(mocks.Mocks):
    """Makes what is asked for; every code's value is made of its name."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], dict[str, Any]] = {}
        self.providers: list[str | None] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        kind = args.typ.rpartition(":")[2]
        inputs = {k: v for k, v in args.inputs.items() if v is not None and k != "__provider"}
        self.made[kind, args.name] = inputs
        if kind not in SECRET:
            return "id", inputs
        self.providers.append(args.provider)
        return f"{args.name}-id", {
            **inputs,
            ID[kind]: f"{kind}-{args.name}-id",
            SECRET[kind]: f"{kind}-{args.name}-value",
        }

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], None]:
        raise AssertionError(args)


def enroll(**arguments: Any) -> tuple[Engine, dict[str, Any]]:
    """A program's enrollment: what was made, and the scripts, which must be secrets."""
    engine = Engine()
    pulumi.runtime.set_mocks(engine)
    seen: dict[str, Any] = {}

    async def look(fleet: Enrollment) -> None:
        seen["codes"] = [*fleet.register_codes, *fleet.activations]
        for name in ("cloud_init", "powershell"):
            output = getattr(fleet, name)
            seen[name] = await output.future()
            assert await output.is_secret()
            for cloud, regions in seen[name].items():
                for region in regions:
                    assert await output[cloud][region].is_secret()

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        return pulumi.Output.from_input(look(Enrollment("fleet", **arguments)))

    run()
    return engine, seen


def test_makes_one_code_a_region_named_by_it() -> None:
    engine, seen = enroll(
        tencentcloud=TencentcloudEnrollment(
            regions=["ap-guangzhou", "ap-singapore"], register_limit=20, effective_time=24
        ),
        alicloud=AlicloudEnrollment(regions=["cn-hangzhou"], instance_count=5, tags={"a": "b"}),
        rotate_before_hours=2,
        on_destroy="deregister",
    )
    assert seen["codes"] == ["ap-guangzhou", "ap-singapore", "cn-hangzhou"]
    shared = {"rotate_before_hours": 2, "when_in_use": "deregister"}
    tencentcloud = {**shared, "register_limit": 20, "effective_time": 24}
    assert engine.made == {
        ("Enrollment", "fleet"): {},
        ("RegisterCode", "fleet-ap-guangzhou"): {**tencentcloud, "region": "ap-guangzhou"},
        ("RegisterCode", "fleet-ap-singapore"): {**tencentcloud, "region": "ap-singapore"},
        ("Activation", "fleet-cn-hangzhou"): {
            **shared,
            "instance_count": 5,
            "tags": {"a": "b"},
            "region": "cn-hangzhou",
        },
    }


@pytest.mark.parametrize(
    ("on_destroy", "of_activation"),
    [("keep", "disable"), ("deregister", "deregister"), ("fail", "fail")],
)
def test_on_destroy_is_each_clouds_own_word(on_destroy: str, of_activation: str) -> None:
    engine, _ = enroll(
        tencentcloud=TencentcloudEnrollment(regions=["r"]),
        alicloud=AlicloudEnrollment(regions=["r"]),
        on_destroy=on_destroy,
    )
    assert engine.made["RegisterCode", "fleet-r"]["when_in_use"] == on_destroy
    assert engine.made["Activation", "fleet-r"]["when_in_use"] == of_activation


def test_scripts_hold_the_regions_own_code_and_are_secret_as_a_whole() -> None:
    _, seen = enroll(
        tencentcloud=TencentcloudEnrollment(regions=["ap-guangzhou", "ap-singapore"]),
        alicloud=AlicloudEnrollment(regions=["cn-hangzhou"]),
    )
    for scripts in (seen["cloud_init"], seen["powershell"]):
        assert {cloud: list(regions) for cloud, regions in scripts.items()} == {
            "tencentcloud": ["ap-guangzhou", "ap-singapore"],
            "alicloud": ["cn-hangzhou"],
        }
        for region in ("ap-guangzhou", "ap-singapore"):
            script = scripts["tencentcloud"][region]
            assert f"RegisterCode-fleet-{region}-id" in script
            assert script.count(f"RegisterCode-fleet-{region}-value") == 1
            assert script.count("-value") == 1
        assert "Activation-fleet-cn-hangzhou-value" in scripts["alicloud"]["cn-hangzhou"]


def test_codes_are_made_by_the_enrollments_provider() -> None:
    engine = Engine()
    pulumi.runtime.set_mocks(engine)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        provider = Provider("other", tencentcloud=TencentcloudConfig(region="eu-frankfurt"))
        fleet = Enrollment(
            "fleet",
            pulumi.ResourceOptions(providers=[provider]),
            tencentcloud=TencentcloudEnrollment(regions=["a", "b"]),
            alicloud=AlicloudEnrollment(regions=["a"]),
        )
        return fleet.cloud_init

    run()
    assert len(engine.providers) == 3
    assert all("::other::" in str(provider) for provider in engine.providers)


def test_a_users_installation_takes_the_place_of_the_vendors() -> None:
    _, seen = enroll(
        alicloud=AlicloudEnrollment(
            regions=["cn-hangzhou"],
            install_linux=pulumi.Output.from_input("apt-get install -y agent"),
            install_windows="choco install agent",
        ),
    )
    assert (
        "    install_agent() {\n    apt-get install -y agent\n    }\n"
        in (seen["cloud_init"]["alicloud"]["cn-hangzhou"])
    )
    assert (
        "function Install-Agent {\nchoco install agent\n}\n"
        in (seen["powershell"]["alicloud"]["cn-hangzhou"])
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "an Enrollment needs regions"),
        ({"alicloud": AlicloudEnrollment(regions=[])}, "an Enrollment needs regions"),
        (
            {"tencentcloud": TencentcloudEnrollment(regions=["a", "b", "a"])},
            "tencentcloud: a region stands there twice",
        ),
        (
            {"alicloud": AlicloudEnrollment(regions=["a"]), "on_destroy": "forget"},
            "on_destroy: must be one of keep, deregister, fail",
        ),
        (
            {"tencentcloud": TencentcloudEnrollment(regions="ap-guangzhou")},
            'tencentcloud: regions must be a list of names, such as ["ap-guangzhou"]',
        ),
        (
            {"alicloud": AlicloudEnrollment(regions=pulumi.Output.from_input(["a"]))},  # type: ignore[arg-type]
            "alicloud: regions must be a list of names",
        ),
        (
            {"alicloud": AlicloudEnrollment(regions=[pulumi.Output.from_input("a")])},  # type: ignore[list-item]
            "alicloud: regions must be a list of names",
        ),
        (
            {"alicloud": AlicloudEnrollment(regions=None)},  # type: ignore[arg-type]
            "alicloud: regions must be a list of names",
        ),
        ({"tencentcloud": {"regions": ["a"]}}, "TencentcloudEnrollment wanted, not dict"),
        (
            {"tencentcloud": AlicloudEnrollment(regions=["a"])},
            "TencentcloudEnrollment wanted, not AlicloudEnrollment",
        ),
        (
            {"alicloud": TencentcloudEnrollment(regions=["a"])},
            "AlicloudEnrollment wanted, not TencentcloudEnrollment",
        ),
        ({"alicloud": {}}, "AlicloudEnrollment wanted, not dict"),
    ],
)
def test_what_cannot_be_is_said_at_once(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(Error, match=re.escape(reason)) as caught:
        Enrollment("fleet", **arguments)
    assert_one_line(str(caught.value))
    # Of these alone the engine shows no traceback.
    assert isinstance(caught.value, pulumi.RunError)

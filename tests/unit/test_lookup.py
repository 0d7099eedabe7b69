"""What a program is told that asks for itself; the vendors are the emulator."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest

from pulumi_hybrid import AlicloudConfig, Provider, TencentcloudConfig
from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.emulator import Emulator
from pulumi_hybrid.errors import LookUpFailed
from pulumi_hybrid.tencentcloud import tat, tcr

TAT = ("tat", "2020-10-28")
TCR = ("tcr", "2019-09-24")
ECS = ("ecs", "2014-05-26")


class _Mocks(pulumi.runtime.Mocks):
    """An engine that takes all as it is given."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        return "id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], None]:
        raise AssertionError(args)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(rate_limit=None) as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        pulumi.runtime.set_mocks(_Mocks())
        yield cloud


def run(program: Callable[[], Any]) -> Any:
    """A program's outcome: an output's value and whether it is a secret."""
    seen = []

    async def look(output: pulumi.Output[Any]) -> None:
        seen.append((await output.future(), await output.is_secret()))

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def test() -> Any:
        return pulumi.Output.from_input(look(program()))

    test()
    return seen[0]


def register_code(cloud: Emulator, **where: Any) -> dict[str, str]:
    answer = cloud.call(*TAT, "CreateRegisterCode", {"RegisterLimit": 1000}, **where)
    return {
        "register_code_id": answer["RegisterCodeId"],
        "register_code_value": answer["RegisterCodeValue"],
    }


def activation(cloud: Emulator, **where: Any) -> dict[str, str]:
    answer = cloud.call(*ECS, "CreateActivation", {"InstanceCount": 1000}, **where)
    return {
        "activation_id": answer["ActivationId"],
        "activation_code": answer["ActivationCode"],
    }


def test_finds_the_machines_of_a_register_code(cloud: Emulator) -> None:
    code, other = register_code(cloud), register_code(cloud)
    (online,) = cloud.register(**code, host_name="one", tags={"a": "b"})
    (offline,) = cloud.register(**code, status="Offline", system="Windows")
    (another,) = cloud.register(**other)
    machines = tat.get_register_instances(register_code_id=code["register_code_id"])
    first, second = machines.register_instances
    assert first.instance_id == online
    assert first.register_code_id == code["register_code_id"]
    assert (first.status, first.host_name, first.tags) == ("Online", "one", {"a": "b"})
    assert (second.instance_id, second.status) == (offline, "Offline")
    assert second.system_name == "Windows"
    found = tat.get_register_instances(register_status="Online").register_instances
    assert [machine.instance_id for machine in found] == [online, another]


def test_finds_the_machines_of_an_activation(cloud: Emulator) -> None:
    code, other = activation(cloud), activation(cloud)
    (online,) = cloud.register(**code, host_name="one", tags={"a": "b"})
    (offline,) = cloud.register(**code, connected=False, os_type="windows")
    (another,) = cloud.register(**other)
    found = ecs.get_managed_instances(activation_id=code["activation_id"]).instances
    by_id = {machine.instance_id: machine for machine in found}
    assert set(by_id) == {online, offline}
    assert by_id[online].activation_id == code["activation_id"]
    assert (by_id[online].hostname, by_id[online].tags) == ("one", {"a": "b"})
    assert (by_id[online].connected, by_id[offline].connected) == (True, False)
    assert by_id[offline].os_type == "windows"
    for connected, expected in ((True, {online, another}), (False, {offline})):
        listed = ecs.get_managed_instances(connected=connected).instances
        assert {machine.instance_id for machine in listed} == expected


def test_lists_are_complete(cloud: Emulator) -> None:
    code, managed = register_code(cloud), activation(cloud)
    registered = cloud.register(**code, count=201)
    joined = cloud.register(**managed, count=101)
    found = tat.get_register_instances().register_instances
    assert [machine.instance_id for machine in found] == registered
    instances = ecs.get_managed_instances().instances
    assert sorted(machine.instance_id for machine in instances) == sorted(joined)
    ids = {register_code(cloud)["register_code_id"] for _ in range(100)}
    codes = tat.get_register_codes().register_codes
    assert {one.register_code_id for one in codes} == ids | {code["register_code_id"]}
    ids = {activation(cloud)["activation_id"] for _ in range(60)}
    activations = ecs.get_activations().activations
    assert {one.activation_id for one in activations} == ids | {managed["activation_id"]}


def test_codes_are_shown_as_they_are_without_their_values(cloud: Emulator) -> None:
    code, managed = register_code(cloud), activation(cloud)
    cloud.register(**code)
    (found,) = tat.get_register_codes().register_codes
    assert (found.register_limit, found.registered_count, found.enabled) == (1000, 1, True)
    assert found.expired_time
    assert code["register_code_value"] not in repr(found)
    (shown,) = ecs.get_activations().activations
    assert (shown.instance_count, shown.registered_count, shown.disabled) == (1000, 0, False)
    assert managed["activation_code"] not in repr(shown)


def test_finds_a_registry_by_id_and_by_name(cloud: Emulator) -> None:
    parameters = {"RegistryName": "images", "RegistryType": "basic"}
    id = cloud.call(*TCR, "CreateInstance", parameters)["RegistryId"]
    found = tcr.get_instance(registry_name="images")
    assert found == tcr.get_instance(registry_id=id)
    assert (found.registry_id, found.registry_type, found.tags) == (id, "basic", {})
    for wrong in ({}, {"registry_id": id, "registry_name": "images"}):
        with pytest.raises(LookUpFailed, match="give registry_id or registry_name, one of them"):
            tcr.get_instance(**wrong)
    with pytest.raises(LookUpFailed, match="cannot look up the registry: there is no registry no"):
        tcr.get_instance(registry_name="none")


def test_a_region_is_the_one_that_is_given_else_the_default(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = register_code(cloud), register_code(cloud, region="ap-singapore")
    (code,) = tat.get_register_codes().register_codes
    assert code.register_code_id == here["register_code_id"]
    (code,) = tat.get_register_codes(region="ap-singapore").register_codes
    assert code.register_code_id == there["register_code_id"]
    monkeypatch.delenv("TENCENTCLOUD_REGION")
    with pytest.raises(LookUpFailed, match=r"register codes: region: is not set\. Run `pulumi"):
        tat.get_register_codes()


def test_a_refusal_is_one_line(cloud: Emulator) -> None:
    cloud.fault("DescribeRegisterCodes", "error", code="UnauthorizedOperation", message="no")
    with pytest.raises(LookUpFailed) as refusal:
        tat.get_register_codes()
    line = str(refusal.value)
    assert line.startswith("cannot look up register codes: the key may not do this.")
    assert "\n" not in line
    assert isinstance(refusal.value, pulumi.RunError)


@pytest.mark.parametrize(
    ("look_up", "line"),
    [
        (
            lambda output: tat.get_register_instances(register_code_id=output),
            "registered machines: register_code_id is an Output. Use get_register_instances_output",
        ),
        (
            lambda output: tat.get_register_codes(region=output),
            "register codes: region is an Output. Use get_register_codes_output",
        ),
        (
            lambda output: tcr.get_instance(registry_name=output),
            "the registry: registry_name is an Output. Use get_instance_output",
        ),
        (
            lambda output: ecs.get_managed_instances(connected=output),
            "managed instances: connected is an Output. Use get_managed_instances_output",
        ),
        (
            lambda output: ecs.get_activations(region=output),
            "activations: region is an Output. Use get_activations_output",
        ),
    ],
)
def test_an_output_is_for_the_output_form(
    cloud: Emulator, look_up: Callable[[Any], Any], line: str
) -> None:
    with pytest.raises(LookUpFailed) as refusal:
        look_up(pulumi.Output.from_input("5e1f"))
    assert str(refusal.value) == f"cannot look up {line}"
    assert cloud.requests() == []


@pytest.mark.parametrize(
    ("look_up", "inputs", "line"),
    [
        (
            tat.get_register_instances,
            {"register_status": "5e1f"},
            "registered machines: register_status: must be one of Online, Offline",
        ),
        (
            tat.get_register_instances,
            {"register_code_id": 5, "region": "5e1f!"},
            "registered machines: register_code_id: must be text; region: must be a region's name, "
            "such as ap-guangzhou",
        ),
        (
            ecs.get_managed_instances,
            {"connected": "5e1f"},
            "managed instances: connected: must be true or false",
        ),
        (
            ecs.get_managed_instances,
            {"activation_id": []},
            "managed instances: activation_id: must be text",
        ),
        (tcr.get_instance, {"registry_id": 5}, "the registry: registry_id: must be text"),
        *(
            (
                look_up,
                {name: "x" * 257},
                f"{what}: {name}: must have at most 256 characters, has 257",
            )
            for look_up, what, name in (
                (tat.get_register_instances, "registered machines", "register_code_id"),
                (ecs.get_managed_instances, "managed instances", "activation_id"),
                (tcr.get_instance, "the registry", "registry_id"),
                (tcr.get_instance, "the registry", "registry_name"),
            )
        ),
        (tcr.get_instance, {}, "the registry: give registry_id or registry_name, one of them"),
    ],
)
def test_an_input_that_is_none_is_told_before_anything_is_sent(
    cloud: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    look_up: Callable[..., Any],
    inputs: dict[str, Any],
    line: str,
) -> None:
    # Before a key is looked for, too.
    monkeypatch.delenv("TENCENTCLOUD_SECRET_ID")
    with pytest.raises(LookUpFailed) as refusal:
        look_up(**inputs)
    assert str(refusal.value) == f"cannot look up {line}"
    assert cloud.requests() == []


def test_an_input_of_the_output_form_is_checked_when_it_is_known(cloud: Emulator) -> None:
    status = pulumi.Output.from_input("5e1f")
    with pytest.raises(LookUpFailed, match="register_status: must be one of Online, Offline"):
        run(lambda: tat.get_register_instances_output(register_status=status))
    assert cloud.requests() == []


def test_the_output_form_waits_for_its_inputs_and_is_no_secret(cloud: Emulator) -> None:
    code, managed = register_code(cloud), activation(cloud)
    cloud.register(**code)
    cloud.register(**managed)

    async def later(text: str) -> str:
        await asyncio.sleep(0)
        return text

    def program() -> pulumi.Output[Any]:
        id: pulumi.Output[str] = pulumi.Output.from_input(later(code["register_code_id"]))
        machines = tat.get_register_instances_output(register_code_id=id)
        others = ecs.get_managed_instances_output(activation_id=managed["activation_id"])
        return pulumi.Output.all(
            machines.register_instances,
            others.instances,
            tat.get_register_codes_output().register_codes,
            ecs.get_activations_output().activations,
        )

    found, secret = run(program)
    assert [len(one) for one in found] == [1, 1, 1, 1]
    assert not secret


def test_a_secret_input_makes_a_secret(cloud: Emulator) -> None:
    secret_region = pulumi.Output.secret("ap-guangzhou")
    assert run(lambda: tat.get_register_codes_output(region=secret_region))[1] is True


def test_an_explicit_provider_and_a_parents_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = {"AKIDone": "one-key", "AKIDtwo": "two-key"}
    with Emulator(accounts=accounts) as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        pulumi.runtime.set_mocks(_Mocks())
        register_code(cloud, account="AKIDtwo", region="eu-frankfurt")
        activation(cloud, account="AKIDtwo", region="cn-beijing")

        def program() -> pulumi.Output[Any]:
            provider = Provider(
                "other",
                tencentcloud=TencentcloudConfig(
                    secret_id="AKIDtwo", secret_key="two-key", region="eu-frankfurt"
                ),
                alicloud=AlicloudConfig(
                    access_key="AKIDtwo", secret_key="two-key", region="cn-beijing"
                ),
            )
            parent = pulumi.ComponentResource(
                "test:index:Parent", "parent", None, pulumi.ResourceOptions(providers=[provider])
            )
            explicit = pulumi.InvokeOptions(provider=provider)
            inherited = pulumi.InvokeOptions(parent=parent)
            assert len(tat.get_register_codes().register_codes) == 0
            assert len(tat.get_register_codes(opts=explicit).register_codes) == 1
            assert len(ecs.get_activations(opts=inherited).activations) == 1
            return pulumi.Output.all(
                tat.get_register_codes_output(opts=inherited).register_codes,
                ecs.get_activations_output(opts=explicit).activations,
            )

        found, secret = run(program)
    assert [len(one) for one in found] == [1, 1]
    assert not secret


def test_the_sdk_is_imported_at_the_first_lookup_alone(cloud: Emulator) -> None:
    program = """
import sys
from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.tencentcloud import tat
print(sorted({name.partition('.')[0] for name in sys.modules} & {'tencentcloud', 'Tea'}))
tat.get_register_codes()
print(sorted({name.partition('.')[0] for name in sys.modules} & {'tencentcloud', 'Tea'}))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True
    )
    assert run.stdout == "[]\n['tencentcloud']\n"

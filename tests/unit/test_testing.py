"""A user's own tests: programs on our mocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
import responses

from pulumi_hybrid import AlicloudConfig, Error, Provider, TencentcloudConfig
from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.fields import OnChange
from pulumi_hybrid.lifecycle import LifecycleResource
from pulumi_hybrid.tencentcloud import billing, tat, tcr
from pulumi_hybrid.testing import Mocks
from tests.annotations import annotations_of

from .conftest import assert_one_line


def _order() -> billing.Instance:
    return billing.Instance(
        "r",
        product_code="p_cloudfirewall",
        sub_product_code="sp_cloudfirewall_svv1",
        region_code="ap-guangzhou",
        zone_code="ap-guangzhou-6",
        parameter={"edition": "standard"},
        quantity=2,
    )


PROGRAMS: dict[type[LifecycleResource], Callable[[], LifecycleResource]] = {
    tat.RegisterCode: lambda: tat.RegisterCode("r", effective_time=24),
    ecs.Activation: lambda: ecs.Activation("r", tags={"team": "halls"}),
    tcr.Instance: lambda: tcr.Instance("r", registry_type="basic"),
    billing.Instance: _order,
}
SECRETS = {
    tat.RegisterCode: {
        "register_code_value",
        "linux_register_command",
        "windows_register_command",
    },
    ecs.Activation: {"activation_code", "linux_register_command", "windows_register_command"},
}


def _seen(
    program: Callable[[], LifecycleResource], mocks: Mocks | None = None
) -> dict[str, tuple[Any, bool]]:
    """Each of the resource's outputs: its value, and whether it is a secret."""
    pulumi.runtime.set_mocks(mocks or Mocks())
    seen: dict[str, tuple[Any, bool]] = {}

    async def look(resource: LifecycleResource) -> None:
        for name in dir(resource):
            output = getattr(resource, name, None)
            if isinstance(output, pulumi.Output) and name not in ("id", "urn"):
                seen[name] = (await output.future(), await output.is_secret())

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        return pulumi.Output.from_input(look(program()))

    run()
    return seen


@pytest.mark.parametrize("kind", PROGRAMS, ids=lambda kind: kind.pulumi_type.rpartition("/")[2])
def test_every_output_of_every_resource_is_there_and_codes_are_secret(
    kind: type[LifecycleResource],
) -> None:
    seen = _seen(PROGRAMS[kind])
    # What may be absent says None, or Any.
    expected = {
        name
        for name, hint in annotations_of(kind).items()
        if "None" not in hint and "Any" not in hint
    } | SECRETS.get(kind, set())
    assert {name for name in expected if seen[name][0] is None} == set()
    assert {name for name, (_, secret) in seen.items() if secret} == SECRETS.get(kind, set())
    # The engine makes every number one.
    assert {name for name, (value, _) in seen.items() if isinstance(value, float)} == set()


@pytest.mark.parametrize("kind", PROGRAMS, ids=lambda kind: kind.pulumi_type.rpartition("/")[2])
def test_type_checkers_know_every_output(kind: type[LifecycleResource]) -> None:
    provider = kind._lifecycle
    inputs = {one.name for one in provider.inputs if one.on_change is not OnChange.NOTHING}
    outputs = {provider.id_output, *provider.outputs, *provider.secrets}
    assert (inputs | outputs) - set(annotations_of(kind)) == set()


def test_outputs_follow_the_inputs() -> None:
    code = _seen(PROGRAMS[tat.RegisterCode])
    assert code["expired_time"][0] == "2026-01-02T00:00:00Z"
    assert code["register_limit"][0] == 10
    for_ever = _seen(lambda: tat.RegisterCode("r", effective_time=10**9))
    assert for_ever["expired_time"][0] is None
    assert len(_seen(_order)["instance_id_list"][0]) == 2
    registry = _seen(PROGRAMS[tcr.Instance])
    assert registry["public_domain"][0] == f"{registry['registry_name'][0]}.tencentcloudcr.com"


@pytest.mark.parametrize(
    ("program", "defaults"),
    [
        (
            lambda: tat.RegisterCode("r"),
            {
                "description": "",
                "instance_name_prefix": "",
                "register_limit": 10,
                "effective_time": 4,
                "ip_address_range": "",
            },
        ),
        (
            lambda: ecs.Activation("r"),
            {"instance_name": None, "instance_count": 10, "time_to_live_in_hours": 4},
        ),
    ],
    ids=["RegisterCode", "Activation"],
)
def test_outputs_are_the_vendors_defaults_where_nothing_is_given(
    program: Callable[[], LifecycleResource], defaults: dict[str, Any]
) -> None:
    seen = _seen(program)
    assert {name: seen[name][0] for name in defaults} == defaults


def test_type_tokens_are_those_of_every_state() -> None:
    assert [kind.pulumi_type for kind in PROGRAMS] == [
        "pulumi-python:dynamic/tencentcloud/tat:RegisterCode",
        "pulumi-python:dynamic/alicloud/ecs:Activation",
        "pulumi-python:dynamic/tencentcloud/tcr:Instance",
        "pulumi-python:dynamic/tencentcloud/billing:Instance",
    ]


@pytest.mark.parametrize("kind", PROGRAMS, ids=lambda kind: kind.pulumi_type.rpartition("/")[2])
def test_the_name_of_a_provider_is_no_secret(kind: type[LifecycleResource]) -> None:
    """Else each resource's state would hold it encrypted: slower, and larger."""
    serialized: list[Any] = []

    class Watching(Mocks):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> Any:
            serialized.append(args.inputs["__provider"])
            return super().new_resource(args)

    _seen(PROGRAMS[kind], Watching())
    assert [type(one) for one in serialized] == [str]


def test_outputs_can_be_chosen_by_type() -> None:
    mocks = Mocks({tat.RegisterCode.pulumi_type: {"registered_count": 3}})
    assert _seen(PROGRAMS[tat.RegisterCode], mocks)["registered_count"][0] == 3


def test_a_made_up_name_is_the_resources_own_and_always_the_same() -> None:
    for _ in range(2):
        registry = _seen(lambda: tcr.Instance("images", registry_type="basic"))
        assert registry["registry_name"][0] == "images-0000000"
        assert registry["public_domain"][0] == "images-0000000.tencentcloudcr.com"


def _looked_at(
    program: Callable[[], list[LifecycleResource]], *names: str
) -> list[tuple[Any, ...]]:
    """These outputs of each of the resources."""
    pulumi.runtime.set_mocks(Mocks())
    seen: list[tuple[Any, ...]] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        outputs = [[getattr(one, name) for name in names] for one in program()]
        return pulumi.Output.from_input(outputs).apply(lambda found: seen.extend(map(tuple, found)))

    run()
    return seen


@pytest.mark.parametrize(
    ("kind", "id", "inputs"),
    [
        (tat.RegisterCode, "register_code_id", {}),
        (ecs.Activation, "activation_id", {}),
        (tcr.Instance, "registry_id", {"registry_type": "basic"}),
    ],
)
def test_resources_of_a_type_have_ids_of_their_own(
    kind: type[LifecycleResource], id: str, inputs: dict[str, Any]
) -> None:
    def program() -> list[LifecycleResource]:
        parent = pulumi.ComponentResource("a:b:C", "parent")
        below = pulumi.ResourceOptions(parent=parent)
        made = [kind(name, **inputs) for name in "abc"]
        return [*made, kind("a", below, **inputs)]  # type: ignore[arg-type]

    ids = [found[0] for found in _looked_at(program, id)]
    assert len(set(ids)) == 4
    ids.sort()
    assert ids == sorted(found[0] for found in _looked_at(program, id))


def test_a_resource_is_in_its_providers_region() -> None:
    def program() -> list[LifecycleResource]:
        other = Provider(
            "other",
            tencentcloud=TencentcloudConfig(region="ap-shanghai"),
            alicloud=AlicloudConfig(region="cn-beijing"),
        )
        secret = Provider(
            "secret", tencentcloud=TencentcloudConfig(region=pulumi.Output.secret("eu-frankfurt"))
        )
        there = pulumi.ResourceOptions(provider=other)
        component = pulumi.ComponentResource(
            "a:b:C", "c", None, pulumi.ResourceOptions(providers=[other])
        )
        return [
            tat.RegisterCode("a", there),
            ecs.Activation("b", there),
            tat.RegisterCode("c", there, region="ap-singapore"),
            tat.RegisterCode("d", pulumi.ResourceOptions(parent=component)),
            tat.RegisterCode("e", pulumi.ResourceOptions(provider=secret)),
            ecs.Activation("f", pulumi.ResourceOptions(provider=secret)),
            tat.RegisterCode("g"),
        ]

    assert [region for (region,) in _looked_at(program, "region")] == [
        "ap-shanghai",
        "cn-beijing",
        "ap-singapore",
        "ap-shanghai",
        "eu-frankfurt",
        "cn-hangzhou",
        "ap-guangzhou",
    ]


def test_what_is_declared_can_be_looked_at() -> None:
    mocks = Mocks()
    _seen(PROGRAMS[tat.RegisterCode], mocks)
    [declared] = mocks.resources
    assert (declared.typ, declared.name) == (tat.RegisterCode.pulumi_type, "r")
    assert declared.inputs["effective_time"] == 24


def test_a_secret_input_is_taken_and_stays_a_secret() -> None:
    secret = pulumi.Output.secret("5e1f")
    seen = _seen(lambda: tat.RegisterCode("r", description=secret))
    assert seen["description"] == ("5e1f", True)
    tags = _seen(lambda: ecs.Activation("r", tags={"team": secret}))["tags"]
    assert tags == ({"team": "5e1f"}, True)


def test_a_wrong_input_fails_with_the_line_of_a_preview() -> None:
    with pytest.raises(Error, match="register_limit: ") as caught:
        _seen(lambda: tat.RegisterCode("r", register_limit=0))
    assert_one_line(str(caught.value))


def _found(program: Callable[[], Any], mocks: Mocks | None = None) -> Any:
    """What a program's lookup finds; an output is waited for. Every request would fail."""
    pulumi.runtime.set_mocks(mocks or Mocks())
    found: list[Any] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        return pulumi.Output.from_input(program()).apply(found.append)

    with responses.RequestsMock():
        run()
    return found[0]


LOOKUPS: list[tuple[Callable[..., Any], Callable[..., Any], Any]] = [
    (
        tat.get_register_instances,
        tat.get_register_instances_output,
        tat.GetRegisterInstancesResult([]),
    ),
    (tat.get_register_codes, tat.get_register_codes_output, tat.GetRegisterCodesResult([])),
    (
        ecs.get_managed_instances,
        ecs.get_managed_instances_output,
        ecs.GetManagedInstancesResult([]),
    ),
    (ecs.get_activations, ecs.get_activations_output, ecs.GetActivationsResult([])),
]


@pytest.mark.parametrize(
    ("look_up", "output", "nothing"), LOOKUPS, ids=lambda value: getattr(value, "__name__", "")
)
def test_lookups_find_nothing_and_ask_nobody(
    look_up: Callable[..., Any], output: Callable[..., Any], nothing: Any
) -> None:
    """Without a key or a region."""
    assert _found(look_up) == nothing
    assert _found(output) == nothing


def test_a_registry_that_is_looked_up_runs() -> None:
    found = _found(lambda: tcr.get_instance(registry_name="images"))
    assert (found.registry_name, found.status) == ("images", "Running")
    assert found.public_domain == "images.tencentcloudcr.com"
    assert found.registry_id
    later = _found(lambda: tcr.get_instance_output(registry_id=pulumi.Output.from_input("tcr-1")))
    assert later.registry_id == "tcr-1"


def test_what_a_lookup_finds_can_be_chosen_by_its_type() -> None:
    code = tat.RegisterCodeInfo("rc-1", "", "", 10, 0, "", True, None, None)
    chosen = tat.GetRegisterCodesResult([code])
    mocks = Mocks(lookups={tat.GetRegisterCodesResult: chosen})
    assert _found(tat.get_register_codes, mocks) is chosen
    assert _found(tat.get_register_codes_output, mocks) is chosen
    assert _found(ecs.get_activations, mocks) == ecs.GetActivationsResult([])


def test_what_a_lookup_finds_may_follow_its_inputs() -> None:
    asked: list[Any] = []

    def find(inputs: dict[str, Any]) -> ecs.GetManagedInstancesResult:
        asked.append(inputs)
        return ecs.GetManagedInstancesResult([])

    mocks = Mocks(lookups={ecs.GetManagedInstancesResult: find})
    _found(lambda: ecs.get_managed_instances(connected=False, region="cn-hangzhou"), mocks)
    activation = pulumi.Output.from_input("a-1")
    _found(lambda: ecs.get_managed_instances_output(activation_id=activation), mocks)
    assert asked == [{"connected": False, "region": "cn-hangzhou"}, {"activation_id": "a-1"}]


def test_what_is_chosen_for_no_lookup_or_is_no_result_is_told() -> None:
    with pytest.raises(Error, match="lookups: RegisterCodeInfo is the result of no lookup"):
        Mocks(lookups={tat.RegisterCodeInfo: None})
    wrong = Mocks(lookups={tat.GetRegisterCodesResult: []})
    with pytest.raises(TypeError, match="GetRegisterCodesResult wanted, not list"):
        _found(tat.get_register_codes, wrong)


def test_a_lookups_wrong_input_fails_with_the_line_of_a_preview() -> None:
    with pytest.raises(Error, match="register_status: must be one of Online, Offline") as caught:
        _found(lambda: tat.get_register_instances(register_status="online"))
    assert_one_line(str(caught.value))


def test_what_is_read_by_get_has_no_code() -> None:
    seen = _seen(lambda: tat.RegisterCode.get("r", "rc-1"))
    assert seen["register_code_id"][0] == "rc-1"
    assert seen["register_code_value"][0] is None
    assert seen["linux_register_command"][0] is None


def test_what_is_read_by_get_needs_no_inputs() -> None:
    registry = _seen(lambda: tcr.Instance.get("r", "tcr-1"))
    assert registry["registry_id"][0] == "tcr-1"
    assert registry["status"][0] == "Running"
    assert _seen(lambda: billing.Instance.get("r", "1"))["order_id"][0] == "1"


def test_explicit_providers_and_other_resources_are_answered_too() -> None:
    def program() -> LifecycleResource:
        other = Provider("other", tencentcloud=TencentcloudConfig(region="ap-shanghai"))
        return tat.RegisterCode("r", pulumi.ResourceOptions(provider=other))

    mocks = Mocks()
    assert _seen(program, mocks)["register_code_id"][0]
    assert "pulumi:providers:pulumi-python" in [declared.typ for declared in mocks.resources]

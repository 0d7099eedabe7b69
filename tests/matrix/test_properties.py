"""What holds for whatever the program, the vendor and the state say."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_hybrid.alicloud.ecs import ActivationProvider
from pulumi_hybrid.emulator.api import VendorError
from pulumi_hybrid.lifecycle import Lifecycle
from pulumi_hybrid.tencentcloud import billing, tcr
from pulumi_hybrid.tencentcloud.tat import RegisterCodeProvider

from .invariants import Invariants
from .table import CELL, CHECKED
from .world import World

Json = dict[str, Any]
NewWorld = Callable[[type[Lifecycle]], World]

_BLOCKS = st.sampled_from(
    (
        *("10.0.0.1", "10.0.0.0/8", "10.1.2.3/8", "0.0.0.0/0", "255.255.255.255/32", "fd00::/8"),
        *("::1", "10.0.0.0/33", "10.0.0", "10.0.0.1/", "a", " 10.0.0.1", "010.0.0.1", "1.2.3.4/0"),
    )
)
_TAGS = st.dictionaries(
    st.sampled_from(("a", "b", "ä", "k" * 64, "k" * 65, "k" * 127, "k" * 128, "acs:x", "aliyun")),
    st.sampled_from(("", "v", "v" * 128, "v" * 129, "v" * 255, "v" * 256, "http://x")),
    max_size=4,
)


def _text(*lengths: int, alphabet: str = "aß€") -> st.SearchStrategy[str]:
    """Text whose length is at the edges of what is allowed."""
    return st.sampled_from(lengths).flatmap(
        lambda length: st.text(alphabet, min_size=length, max_size=length)
    )


@dataclass(frozen=True)
class Kind:
    """A resource as its properties are searched.

    Attributes:
        provider: whose it is.
        action: what makes one at the vendor: service, version, name.
        always: inputs that every program gives.
        edges: inputs by themselves, right and wrong.
        fixed: inputs whose change does nothing, or goes one way only, and says so.
        vendors: the codes of what the vendor alone can know: no form of ours stands for it.
        documents: the emulator's kind of document.
        volatile: what two of the same are not alike in.
    """

    provider: type[Lifecycle]
    action: tuple[str, str, str]
    always: Json
    edges: dict[str, st.SearchStrategy[Any]]
    fixed: tuple[str, ...]
    vendors: tuple[str, ...]
    documents: str
    volatile: tuple[str, ...]

    @property
    def programs(self) -> st.SearchStrategy[Json]:
        """Programs, right and wrong: two inputs at most are at an edge."""
        names = st.sets(st.sampled_from(sorted(self.edges)), max_size=2)
        some = names.flatmap(lambda some: st.fixed_dictionaries({n: self.edges[n] for n in some}))
        return some.map(lambda some: self.always | some)


KINDS = {
    "RegisterCode": Kind(
        RegisterCodeProvider,
        ("tat", "2020-10-28", "CreateRegisterCode"),
        {},
        {
            "description": _text(0, 1, 127, 128, 129),
            "instance_name_prefix": _text(0, 1, 31, 32, 33, alphabet="ab-"),
            "register_limit": st.sampled_from((-1, 0, 1, 2, 9999, 10000, 10001)),
            "effective_time": st.sampled_from((-1, 0, 1, 4, 99999, 100000, 10**7)),
            "ip_address_range": _BLOCKS,
        },
        (),
        (),
        "register_codes",
        ("RegisterCodeId", "RegisterCodeValue", "CreatedTime", "ExpiredTime", "UpdatedTime"),
    ),
    "Activation": Kind(
        ActivationProvider,
        ("ecs", "2014-05-26", "CreateActivation"),
        {},
        {
            "instance_name": _text(0, 1, 2, 3, 49, 50, 51, alphabet="aZ9._-:/")
            | st.just("test-InstanceName"),
            "description": _text(0, 1, 2, 99, 100, 101),
            "instance_count": st.sampled_from((-1, 0, 1, 2, 1000, 1001)),
            "time_to_live_in_hours": st.sampled_from((-1, 0, 1, 4, 876576, 876577)),
            "ip_address_range": _BLOCKS,
            "tags": _TAGS,
        },
        (),
        (),
        "activations",
        ("ActivationId", "ActivationCode", "CreationTime"),
    ),
    "registry": Kind(
        tcr.InstanceProvider,
        ("tcr", "2019-09-24", "CreateInstance"),
        {"registry_name": "properties", "registry_type": "basic"},
        {
            "registry_name": _text(4, 5, 6, 49, 50, 51, alphabet="a9-") | st.just("Upper"),
            "registry_type": st.sampled_from(("basic", "standard", "premium", "Basic", "", "free")),
            "tags": _TAGS,
            "deletion_protection": st.just(False),
            "enable_cos_maz": st.booleans(),
        },
        ("registry_type",),
        ("InvalidParameter.ErrorName",),
        "registries",
        # What is versioned where the program does not say depends on the type it was made with.
        ("RegistryId", "CreatedAt", "ExpiredAt", "EnableCosVersioning"),
    ),
    "order": Kind(
        billing.InstanceProvider,
        ("billing", "2018-07-09", "CreateInstance"),
        {
            "product_code": "p_cloudfirewall",
            "sub_product_code": "sp_cloudfirewall_svv1",
            "region_code": "ap-guangzhou",
            "zone_code": "ap-guangzhou-6",
            "parameter": '{"pid":1}',
        },
        {
            "quantity": st.sampled_from((-1, 0, 1, 2)),
            "project_id": st.sampled_from((-1, 0, 1)),
            "period": st.sampled_from((-1, 0, 1, 2, 36, 37)),
            "period_unit": st.sampled_from(("m", "y", "d", "")),
            "renew_flag": st.sampled_from((*billing._RENEW_FLAGS, "yes")),
            "client_token": _text(1, 63, 64, 65, alphabet="a-9"),
            "parameter": st.sampled_from(('{"pid":1}', '{"pid":2}', "[]", "", "{")),
            "pay_mode": st.sampled_from(("PrePay", "prePay", "")),
        },
        ("period", "period_unit"),
        (),
        "deals",
        # The order shows the flag that it was made with.
        ("OrderId", "BigDealId", "CreateTime", "ResourceId", "SeenFrom", "RenewFlag"),
    ),
}
_WIRE = {
    "enable_cos_maz": "EnableCosMAZ",
}


def _wire(kind: Kind, program: Mapping[str, Any]) -> Json:
    """The create action's parameters for a program, written from the vendors' pages."""
    body = {
        _WIRE.get(name) or "".join(part.capitalize() for part in name.split("_")): value
        for name, value in program.items()
    }
    tags = [{"Key": key, "Value": value} for key, value in (body.pop("Tags", None) or {}).items()]
    if tags and kind.documents == "registries":
        body["TagSpecification"] = {"ResourceType": "instance", "Tags": tags}
    elif tags:
        body["Tag"] = tags
    if kind.documents == "deals":
        body = {"ClientToken": "properties", "PayMode": "PrePay", **body}
    return body


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def thoroughly(pytestconfig: pytest.Config) -> settings:
    return settings(
        deadline=None,
        database=None,
        max_examples=400 if pytestconfig.getoption("--whole") else 25,
        suppress_health_check=list(HealthCheck),
    )


def test_provider_and_vendor_accept_the_same(
    kind: Kind,
    new_world: NewWorld,
    thoroughly: settings,
    record_property: Callable[[str, object], None],
) -> None:
    """They were written apart, each from the vendor's pages."""
    seen: Counter[bool] = Counter()

    @thoroughly
    @given(kind.programs)
    def agree(program: Json) -> None:
        world = new_world(kind.provider)
        problems = world.problems(program)
        refusal = _refusal(world, kind, program)
        if not refusal.startswith(kind.vendors or ("nothing",)):
            assert bool(problems) == bool(refusal), (problems, refusal)
        seen.update([bool(problems)])

    agree()
    assert len(seen) == 2, "both kinds of programs were tried"
    record_property(CELL, "properties")
    record_property(CHECKED, {"provider and vendor accept the same": seen.total()})


def _refusal(world: World, kind: Kind, program: Json) -> str:
    """Why the vendor does not make it; empty where it does."""
    try:
        world.cloud.call(*kind.action, _wire(kind, program))
    except VendorError as error:
        return f"{error.code}: {error.message}"
    return ""


def _meant(value: Any) -> Any:
    """A block by what it holds: written in another way it is the same."""
    with suppress(ValueError):
        return ipaddress.ip_network(value, strict=False) if isinstance(value, str) else value
    return value


def test_a_change_leads_where_a_new_one_begins(
    kind: Kind,
    new_world: NewWorld,
    thoroughly: settings,
    record_property: Callable[[str, object], None],
) -> None:
    """No diff is silent about a change, none sees one where there is none."""
    checked: Counter[str] = Counter()

    def made(*programs: Json) -> tuple[World, Json]:
        world = new_world(kind.provider)
        for program in programs:
            assert world.up(program), world.said[-1].lines
        # Held is what was asked for; of an order that was replaced the record stays.
        [document] = [
            {name: _meant(document[name]) for name in document if name not in kind.volatile}
            for document in world.documents(kind.documents)
            if world.held and world.held.id in document.values()
        ]
        return world, document

    def accepted(program: Json) -> bool:
        world = new_world(kind.provider)
        return not world.problems(program) and not _refusal(world, kind, program)

    def changeable(program: Json) -> Json:
        fixed = {name: kind.always[name] for name in kind.fixed if name in kind.always}
        return {name: program[name] for name in program if name not in kind.fixed} | fixed

    right = kind.programs.map(changeable).filter(accepted)

    @thoroughly
    @given(right, right)
    def converge(first: Json, second: Json) -> None:
        _, wanted = made(second)
        world, got = made(first, second)
        assert got == wanted
        assert world.sees_no_change(second)
        assert world.refresh()
        assert world.sees_no_change(second)
        Invariants(world).hold()
        checked["no diff is silent or for nothing"] += 1

    converge()
    record_property(CELL, "properties")
    record_property(CHECKED, dict(checked))


_ODD: tuple[Any, ...] = (None, "", "odd", 5, -1.5, True, [], ["odd"], {}, {"odd": 1}, [{"odd": []}])


@pytest.mark.parametrize("hook", ["check", "diff", "read", "update", "delete"])
def test_a_state_of_whatever_form_is_one_line_at_most(
    kind: Kind,
    hook: str,
    new_world: NewWorld,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    """Missing keys, wrong types, keys of other versions: in inputs and in outputs."""
    program = kind.always | {"tags": {"a": "1"}} if "tags" in kind.edges else kind.always
    world = new_world(kind.provider)
    assert world.up(program)
    held = world.held
    assert held
    good = (dict(held.inputs), dict(held.outputs))
    spoilt = 0
    every = pytestconfig.getoption("--whole")
    for place, properties in enumerate(good):
        for number, name in enumerate([*sorted(properties), "of_another_version"]):
            for odd in _ODD if every else (_ODD[number % len(_ODD)], _ODD[-number % len(_ODD)]):
                if world.held is None:
                    world = new_world(kind.provider)
                    assert world.up(program), world.said[-1].lines
                    held = world.held
                    assert held
                    good = (dict(held.inputs), dict(held.outputs))
                spoiled = [dict(properties) for properties in good]
                spoiled[place][name] = odd
                if odd is None:
                    spoiled[place].pop(name)
                held.inputs, held.outputs = spoiled
                world.said.clear()
                _call(world, hook, program)
                Invariants(world).errors_are_one_line()
                spoilt += 1
    record_property(CELL, "properties")
    record_property(CHECKED, {"a hostile state is one line at most": spoilt})


def _call(world: World, hook: str, program: Json) -> None:
    """The hook as the engine calls it, whatever it answers."""
    if hook == "read":
        world.refresh()
    elif hook == "delete":
        world.destroy()
    elif hook == "update":
        assert world.held
        world.held.unfinished = True
        world.up(program)
    else:
        world.sees_no_change(program)

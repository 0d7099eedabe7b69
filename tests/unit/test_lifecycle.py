"""The hooks over a made-up resource, so that what fails here is no vendor's API."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config
from pulumi.runtime import rpc

from pulumi_hybrid import lifecycle
from pulumi_hybrid.api import Api
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Error, Gone, InitFailed, Misconfigured, NotReady
from pulumi_hybrid.fields import (
    ADOPT_ID,
    REGION,
    AddressRange,
    AutoName,
    Field,
    OnChange,
    Structure,
    Text,
    Whole,
)
from pulumi_hybrid.lifecycle import (
    Lifecycle,
    LifecycleResource,
    Made,
    Properties,
    register_command,
)
from pulumi_hybrid.settings import TENCENTCLOUD

from .conftest import Clock, Context, Engine, Log, assert_one_line, everything_said

SECRET = "5e1f-once-only"
REGION_NAME = "ap-guangzhou"


class Cloud:
    """What a vendor would keep."""

    def __init__(self) -> None:
        self.boxes: dict[str, Properties] = {}
        self.connected: list[tuple[str, float]] = []
        self.hidden = 0
        """How many look-ups show nothing."""
        self.fault: Exception | None = None
        """What every look-up fails with."""
        self.stuck: Exception | None = None
        """What every change fails with."""
        self.sent: list[Properties] = []
        self.taken_over: list[Mapping[str, Any]] = []
        """For each that was made: the outputs of the one whose place it took."""
        self.looked_with: list[Properties] = []
        self.looked_over: list[str] = []
        self.removed: list[str] = []
        self.removed_with: list[Properties] = []
        self.in_a_replacement: list[bool] = []
        self.changed: list[list[str]] = []


class BoxApi(Api):
    """What a hook has of it: pauses, and nothing to send."""

    def _send(self, title: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


class BoxProvider(Lifecycle):
    """A box with a label, a size and a note that can be rewritten; its key is shown once."""

    kind = "Box"
    cloud = TENCENTCLOUD
    inputs: ClassVar[Sequence[Field]] = (
        Text(name="label", most=8, default=""),
        Whole(name="size", least=1, most=9, default=3),
        Whole(name="hours", least=1, default=4, shown=False),
        Text(name="note", most=8, default="", on_change=OnChange.UPDATE),
        AddressRange(name="reach", versions=(4,)),
        Text(name="hint", most=8, on_change=OnChange.NOTHING, sent=False),
        REGION,
        ADOPT_ID,
    )
    id_output = "box_id"
    outputs: ClassVar[Sequence[str]] = ("opened", "worn")
    secrets: ClassVar[Sequence[str]] = ("key",)

    def __init__(self, cloud: Cloud | None = None) -> None:
        super().__init__()
        self.there = cloud or Cloud()

    def connect(self, region: str, call: Call, deadline: Deadline) -> Api:
        self.there.connected.append((region, deadline.seconds))
        return BoxApi("Box", keys=None, meanings={}, call=call, deadline=deadline)

    def make(self, api: Api, inputs: Properties) -> Made:
        id = self.id_for(inputs)
        self.there.sent.append(self._sent(inputs))
        self.there.taken_over.append(api.replaced)
        self.there.boxes[id] = {
            "label": inputs.get("label", ""),
            "size": inputs.get("size", 3),
            "hours": inputs.get("hours", 4),
            "note": inputs.get("note", ""),
            "opened": 0,
            "worn": False,
        }
        return Made(id, {"key": SECRET})

    def id_for(self, inputs: Properties) -> str:
        return f"box-{len(self.there.boxes) + 1}"

    def look_up(self, api: Api, id: str, inputs: Properties) -> Properties | None:
        self.there.looked_with.append(inputs)
        if self.there.fault is not None:
            raise self.there.fault
        if self.there.hidden:
            self.there.hidden -= 1
            return None
        found = self.there.boxes.get(id)
        return None if found is None else dict(found)

    def look_up_for_refresh(self, api: Api, id: str, inputs: Properties) -> Properties | None:
        self.there.looked_over.append(id)
        return super().look_up_for_refresh(api, id, inputs)

    def change(
        self, api: Api, id: str, now: Properties, inputs: Properties, names: list[str]
    ) -> None:
        if self.there.stuck is not None:
            raise self.there.stuck
        self.there.changed.append(names)
        self.there.boxes[id] |= {name: inputs.get(name, "") for name in names}

    def remove(self, api: Api, id: str, inputs: Properties) -> None:
        self.there.removed.append(id)
        self.there.removed_with.append(inputs)
        self.there.in_a_replacement.append(api.replaces)
        self.there.boxes.pop(id, None)

    def worn_out(self, inputs: Properties, outputs: Properties) -> list[str]:
        return ["worn"] if outputs.get("worn") else super().worn_out(inputs, outputs)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def provider(cloud: Cloud) -> BoxProvider:
    return _configured(BoxProvider(cloud))


def _configured(provider: BoxProvider) -> BoxProvider:
    provider.configure(ConfigureRequest(Config({"tencentcloud:region": REGION_NAME}, "unit")))
    return provider


def _stored(outputs: Mapping[str, Any] | None) -> Properties:
    """Outputs as they come back from the state: secrets in plain text."""
    assert outputs is not None
    return {name: rpc.unwrap_rpc_secret(value) for name, value in outputs.items()}


def _reasons(provider: BoxProvider, news: Properties) -> list[str]:
    failures = provider.check({}, news).failures
    # A property's name would make the engine print its value.
    assert [failure.property for failure in failures] == [""] * len(failures)
    return [failure.reason for failure in failures]


INPUTS = st.fixed_dictionaries(
    {},
    optional={
        "label": st.none() | st.text(max_size=8),
        "size": st.none() | st.integers(1, 9) | st.integers(1, 9).map(float),
        "hours": st.none() | st.integers(1, 10**6),
        "note": st.none() | st.text(max_size=8),
        "hint": st.none() | st.text(max_size=8),
        "region": st.none() | st.sampled_from(["ap-guangzhou", "eu-frankfurt"]),
    },
)
COMPARED: list[Field] = [
    field for field in BoxProvider.inputs if field.on_change is OnChange.REPLACE
]


# check


def test_check_takes_no_inputs_at_all_and_fills_in_the_region(
    provider: BoxProvider, cloud: Cloud
) -> None:
    result = provider.check({}, {})
    assert result.failures == []
    assert {name: value for name, value in result.inputs.items() if value is not None} == {
        "region": REGION_NAME
    }
    assert cloud.connected == []


def test_check_names_every_wrong_input_at_once(provider: BoxProvider) -> None:
    news = {"label": "much too long", "size": 10, "hours": 1.5, "colour": "red", "region": "Ä"}
    assert sorted(_reasons(provider, news)) == [
        "colour: is not an input of Box",
        "hours: must be a whole number",
        "label: must have at most 8 characters, has 13",
        "region: must be a region's name, such as ap-guangzhou",
        "size: must be from 1 to 9",
    ]


@given(
    st.dictionaries(
        st.sampled_from(["label", "size", "hours", "hint", "region", "adopt_id", "colour"]),
        st.one_of(
            st.none(),
            st.just(SECRET),
            st.just(SECRET.upper() + " "),
            st.lists(st.just(SECRET), max_size=2),
            st.floats(),
            st.booleans(),
            st.integers(-(10**30), 10**30),
        ),
    )
)
def test_check_has_an_answer_to_everything_and_never_shows_a_value(news: Properties) -> None:
    for reason in _reasons(_configured(BoxProvider(Cloud())), news):
        assert_one_line(reason)
        assert SECRET.lower() not in reason.lower()
        assert reason.partition(":")[0] in news


def test_check_leaves_unknown_values_alone(engine: Engine, provider: BoxProvider) -> None:
    news = {"label": rpc.UNKNOWN, "size": rpc.UNKNOWN, "region": rpc.UNKNOWN, "hours": 0}
    result = engine.check(provider, news, None)
    assert [failure.reason for failure in result.failures] == ["hours: must be at least 1"]
    assert rpc.contains_unknowns(result.inputs["label"])
    assert rpc.contains_unknowns(result.inputs["region"])


def test_check_keeps_whole_numbers_whole(engine: Engine, provider: BoxProvider) -> None:
    size = engine.check(provider, {"size": 4}, None).inputs["size"]
    assert (size, type(size)) == (4, int)


def test_check_keeps_the_region_of_an_existing_resource_whatever_the_default_has_become(
    engine: Engine, provider: BoxProvider
) -> None:
    olds = {"region": "eu-frankfurt"}
    assert engine.check(provider, {}, olds).inputs["region"] == "eu-frankfurt"
    given = engine.check(provider, {"region": "ap-seoul"}, olds)
    assert given.inputs["region"] == "ap-seoul"


def test_check_keeps_the_region_where_the_engine_replaces(
    engine: Engine, provider: BoxProvider
) -> None:
    """For the new one the engine checks without the inputs of the old."""
    elsewhere = {"region": "eu-frankfurt"}
    engine.check(provider, {}, elsewhere)
    assert engine.check(provider, {}, None).inputs["region"] == "eu-frankfurt"
    other = Engine("urn:pulumi:dev::unit::box::other")
    assert other.check(provider, {}, None).inputs["region"] == REGION_NAME
    # As what depends on another one that is replaced, it is deleted before it is checked.
    other.delete(provider, "box-1", elsewhere, elsewhere)
    assert other.check(provider, {}, None).inputs["region"] == "eu-frankfurt"


def test_check_keeps_the_present_region_where_an_older_resource_is_still_to_be_deleted(
    engine: Engine, provider: BoxProvider
) -> None:
    engine.check(provider, {}, {"region": "eu-frankfurt"})
    older = {"region": "ap-seoul"}
    engine.delete(provider, "box-1", older, older)
    assert engine.check(provider, {}, None).inputs["region"] == "eu-frankfurt"


def test_check_takes_none_for_what_is_not_given(provider: BoxProvider) -> None:
    result = provider.check({}, {"region": None, "colour": None, "label": "a"})
    assert result.failures == []
    assert (result.inputs["region"], result.inputs["label"]) == (REGION_NAME, "a")


def test_check_takes_the_default_region_where_the_state_has_none(provider: BoxProvider) -> None:
    assert provider.check({"region": ""}, {}).inputs["region"] == REGION_NAME


def test_check_without_any_region_says_how_to_set_one(cloud: Cloud) -> None:
    [reason] = _reasons(BoxProvider(cloud), {})
    assert reason.startswith("region: is not set.")
    assert "tencentcloud:region" in reason
    assert "TENCENTCLOUD_REGION" in reason


def test_check_refuses_a_default_region_that_is_none(cloud: Cloud) -> None:
    provider = BoxProvider(cloud)
    provider.configure(ConfigureRequest(Config({"tencentcloud:region": "Guang zhou"}, "unit")))
    [reason] = _reasons(provider, {})
    assert reason.startswith("region: must be a region's name")


# diff


@given(INPUTS)
def test_diff_of_equal_inputs_is_empty(news: Properties) -> None:
    provider = _configured(BoxProvider(Cloud()))
    inputs = provider.check({}, news).inputs
    created = _stored(provider.create(inputs).outs)
    # With the last run's inputs, as the engine says them; and with the state alone.
    against_inputs = Engine("urn").diff(provider, "box-1", created, inputs, inputs)
    against_state = provider.diff("box-1", created, inputs)
    for result in (against_inputs, against_state):
        assert result.changes is False
        assert result.replaces == []


@given(INPUTS, INPUTS)
def test_diff_replaces_for_just_the_inputs_that_changed(
    before: Properties, after: Properties
) -> None:
    provider = _configured(BoxProvider(Cloud()))
    old, new = provider.check({}, before).inputs, provider.check({}, after).inputs
    created = _stored(provider.create(old).outs)
    defaults = {field.name: field.default for field in COMPARED}

    def meant(inputs: Properties, name: str) -> Any:
        return defaults[name] if inputs.get(name) is None else inputs[name]

    changed = {name for name in defaults if meant(old, name) != meant(new, name)}
    result = Engine("urn").diff(provider, "box-1", created, old, new)
    assert set(result.replaces or ()) == changed
    # No change is silent: what is not replaced for is an update.
    noted = (old.get("note") or "") != (new.get("note") or "")
    # Of an update the engine finds out for itself, so that it heeds replace_on_changes.
    assert result.changes is (True if changed else None if noted else False)


def test_diff_takes_the_last_runs_inputs_not_what_the_cloud_made_of_them(
    engine: Engine, provider: BoxProvider
) -> None:
    outputs, inputs = {"label": "normalised"}, {"label": "Label", "region": REGION_NAME}
    assert engine.diff(provider, "box-1", outputs, inputs, inputs).replaces == []


def test_diff_replaces_for_an_unknown_input(engine: Engine, provider: BoxProvider) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    news = {**inputs, "label": rpc.UNKNOWN}
    assert engine.diff(provider, "box-1", inputs, inputs, news).replaces == ["label"]


def test_diff_does_nothing_for_an_input_of_our_own(engine: Engine, provider: BoxProvider) -> None:
    inputs = {"region": REGION_NAME}
    news = {**inputs, "hint": "b", "adopt_id": "box-9"}
    result = engine.diff(provider, "box-1", inputs, inputs, news)
    assert (result.changes, result.replaces) == (False, [])


def test_diff_replaces_what_has_worn_out(engine: Engine, provider: BoxProvider) -> None:
    inputs = {"region": REGION_NAME}
    result = engine.diff(provider, "box-1", {**inputs, "worn": True}, inputs, inputs)
    assert (result.changes, result.replaces) == (True, ["worn"])


def test_diff_asks_for_no_new_one_while_an_input_is_unknown(
    engine: Engine, provider: BoxProvider
) -> None:
    inputs = {"region": REGION_NAME}
    news = {**inputs, "hint": rpc.UNKNOWN}
    result = engine.diff(provider, "box-1", {**inputs, "worn": True}, inputs, news)
    assert result.replaces == []


def test_diff_does_not_replace_for_a_value_that_the_cloud_has_already(
    engine: Engine, provider: BoxProvider
) -> None:
    inputs = {"region": REGION_NAME}
    outputs = {**inputs, "label": "a", "size": 5}
    news = {**inputs, "label": "a", "size": 5}
    assert engine.diff(provider, "box-1", outputs, inputs, news).replaces == []
    other = {**news, "label": "b"}
    assert engine.diff(provider, "box-1", outputs, inputs, other).replaces == ["label"]


@pytest.mark.parametrize(("hours", "replaces"), [(3, []), (4, ["hours"])])
def test_diff_compares_what_was_not_given_before_with_what_is_derived_of_the_cloud(
    engine: Engine, provider: BoxProvider, hours: int, replaces: list[str]
) -> None:
    inputs = {"region": REGION_NAME}
    outputs = {**inputs, "hours": 3}
    result = engine.diff(provider, "box-1", outputs, inputs, {**inputs, "hours": hours})
    assert result.replaces == replaces


def test_diff_makes_the_new_one_first_and_warns_of_no_cost_where_there_is_none(
    engine: Engine, provider: BoxProvider, log: Log
) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    result = engine.diff(provider, "box-1", inputs, inputs, {**inputs, "label": "b"})
    assert (result.replaces, result.delete_before_replace) == (["label"], False)
    assert log.warned == []


# create


def test_create_returns_id_inputs_outputs_and_the_secret_as_one(
    engine: Engine, provider: BoxProvider
) -> None:
    result = engine.create(provider, {"label": "a", "size": 4, "region": REGION_NAME})
    assert result.id == "box-1"
    assert result.outs is not None
    assert rpc.is_rpc_secret(result.outs["key"])
    assert _stored(result.outs) == {
        "box_id": "box-1",
        "label": "a",
        "size": 4,
        "hours": 4,
        "note": "",
        "region": REGION_NAME,
        "opened": 0,
        "worn": False,
        "key": SECRET,
    }


def test_create_sends_what_is_given_by_the_apis_names(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"label": "a", "size": 4, "reach": "10.0.0.0/8", "hint": "h", "region": REGION_NAME}
    engine.create(provider, inputs)
    assert cloud.sent == [{"Label": "a", "Size": 4, "Reach": "10.0.0.0/8"}]


def test_create_does_not_store_inputs_of_our_own(engine: Engine, provider: BoxProvider) -> None:
    result = engine.create(provider, {"hint": "h", "region": REGION_NAME})
    assert result.outs is not None
    assert "hint" not in result.outs


def test_create_has_the_users_time_or_five_minutes(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    engine.create(provider, {"region": "eu-frankfurt"}, timeout=90)
    engine.create(provider, {})
    assert cloud.connected == [("eu-frankfurt", 90), (REGION_NAME, 300)]


def test_create_without_region_says_how_to_set_one(engine: Engine, cloud: Cloud) -> None:
    with pytest.raises(Misconfigured, match=r"^cannot create Box: region: is not set\. ") as caught:
        engine.create(BoxProvider(cloud), {})
    assert "tencentcloud:region" in str(caught.value)
    assert cloud.boxes == {}


@pytest.mark.parametrize(
    "fault",
    [
        Error("the network is down."),
        Gone("it is not there."),
        ValueError(f"Invalid isoformat string: {SECRET}"),
        KeyError("Response"),
    ],
    ids=["network", "gone", "ValueError", "KeyError"],
)
def test_create_whose_look_up_fails_keeps_id_and_secret(
    engine: Engine, provider: BoxProvider, cloud: Cloud, fault: Exception
) -> None:
    """Whatever goes wrong, the secret is shown only once: from here on it must not be lost."""
    cloud.fault = fault
    with pytest.raises(InitFailed) as caught:
        engine.create(provider, {"label": "a", "note": "n", "region": REGION_NAME})
    assert_one_line(str(caught.value))
    assert str(caught.value).startswith("cannot create Box: box-1 is made and kept")
    assert "pulumi up" in str(caught.value)
    assert SECRET not in everything_said(caught.value)
    kept = engine.context.init_failed
    assert kept.id == "box-1"
    properties = rpc.deserialize_properties(kept.properties)
    assert rpc.is_rpc_secret(properties["key"])
    assert rpc.unwrap_rpc_secret(properties["key"]) == SECRET
    kept_inputs = [properties[name] for name in ("box_id", "label", "note")]
    assert kept_inputs == ["box-1", "a", "n"]


def test_create_that_never_shows_keeps_id_and_secret(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    cloud.hidden = 100
    with pytest.raises(InitFailed, match="does not show it") as caught:
        engine.create(provider, {"region": REGION_NAME})
    assert engine.context.init_failed.id == "box-1"
    # It was not deleted: no run before this one has seen it.
    assert "up --refresh" not in str(caught.value)


def test_create_for_an_engine_that_has_gone_is_undone(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    engine.context.active = False
    with pytest.raises(Gone, match=r"^cannot create Box: the engine has gone\.$"):
        engine.create(provider, {"region": REGION_NAME})
    assert cloud.removed == ["box-1"]
    assert cloud.boxes == {}
    # The process may end soon: nothing else comes before.
    assert cloud.looked_with == []


@pytest.mark.parametrize("hidden", [0, 100])
def test_create_for_an_engine_that_goes_while_it_is_finished_is_undone(
    engine: Engine, cloud: Cloud, hidden: int
) -> None:
    class Left(BoxProvider):
        def look_up(self, api: Api, id: str, inputs: Properties) -> Properties | None:
            engine.context.active = False
            return super().look_up(api, id, inputs)

    cloud.hidden = hidden
    with suppress(InitFailed):
        engine.create(_configured(Left(cloud)), {"region": REGION_NAME})
    assert cloud.removed == ["box-1"]


def test_create_for_an_engine_that_waits_is_not_undone(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    engine.create(provider, {"region": REGION_NAME})
    assert cloud.removed == []


def test_create_knows_whose_place_it_takes(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    news = {**inputs, "label": "b"}
    engine.check(provider, news, inputs)
    engine.diff(provider, "box-1", outputs, inputs, news)
    engine.create(provider, news)
    of_nobody, of_the_old_one = cloud.taken_over
    assert of_nobody == {}
    assert {name: of_the_old_one[name] for name in outputs} == outputs


def test_what_takes_anothers_place_may_be_deleted(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    engine.check(provider, inputs, inputs)
    outputs = _made(engine, provider, inputs)
    engine.delete(provider, "box-1", outputs, inputs)
    assert cloud.removed == ["box-1"]


def test_create_without_an_engine_takes_nobodys_place(
    provider: BoxProvider, cloud: Cloud, existing: str
) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    news = {**inputs, "label": "b"}
    provider.check(inputs, news)
    assert provider.diff("box-1", inputs, news).replaces == ["label"]
    provider.delete("box-1", inputs)
    provider.create(news)
    assert cloud.taken_over == [{}]
    assert provider.create({**inputs, "adopt_id": existing}).id == existing


def test_create_looks_eight_times_a_second_apart(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    cloud.hidden = 7
    assert engine.create(provider, {}).id == "box-1"
    assert len(cloud.looked_with) == 8
    cloud.hidden = 1
    engine.context = Context(hurried=False)
    start = time.monotonic()
    engine.create(provider, {})
    assert time.monotonic() - start >= 1


@pytest.mark.parametrize(("seconds", "looks"), [(0.5, 8), (-1, 1)])
def test_create_looks_again_while_there_is_time(
    engine: Engine,
    provider: BoxProvider,
    cloud: Cloud,
    clock: Clock,
    seconds: float,
    looks: int,
) -> None:
    cloud.hidden = 100
    with pytest.raises(InitFailed, match="does not show it"):
        engine.create(provider, {}, timeout=seconds)
    assert len(cloud.looked_with) == looks


def test_create_keeps_what_the_vendor_has_nothing_to_say_of(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    cloud.boxes["box-7"] = {"label": None, "size": 3, "note": None, "opened": None}
    inputs = {"adopt_id": "box-7", "size": 3, "region": REGION_NAME}
    outs = _stored(engine.create(provider, inputs).outs)
    assert outs == {"box_id": "box-7", "size": 3, "region": REGION_NAME}
    given = {"label": "a", "note": "n", **inputs, "reach": ""}
    outs = _stored(engine.update(provider, "box-7", outs, given, given).outs)
    # The note can be changed in place, and is gone; the label is what it was made with.
    assert outs == {"box_id": "box-7", "label": "a", "size": 3, "region": REGION_NAME}


# update


def test_update_finishes_what_an_earlier_create_left(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    cloud.hidden = 100
    with pytest.raises(InitFailed) as caught:
        engine.create(provider, inputs)
    cloud.hidden = 0
    kept = _stored(caught.value.outputs)
    outs = engine.update(provider, "box-1", kept, inputs).outs
    assert outs is not None
    assert rpc.is_rpc_secret(outs["key"])
    assert _stored(outs) == _stored(
        {**kept, "size": 3, "hours": 4, "note": "", "opened": 0, "worn": False, "key": SECRET}
    )
    assert list(cloud.boxes) == ["box-1"]


def test_update_that_cannot_finish_keeps_id_and_secret(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    cloud.hidden = 100
    olds = {"region": REGION_NAME, "key": SECRET, "box_id": "box-1"}
    with pytest.raises(InitFailed, match=r"^cannot update Box box-1: .*`pulumi up --refresh`"):
        engine.update(provider, "box-1", olds, {"region": REGION_NAME})
    properties = rpc.deserialize_properties(engine.context.init_failed.properties)
    assert rpc.is_rpc_secret(properties["key"])
    assert rpc.unwrap_rpc_secret(properties["key"]) == SECRET


def test_diff_of_a_half_made_resource_leaves_it_to_update(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    cloud.hidden = 100
    inputs = {"label": "a", "region": REGION_NAME}
    with pytest.raises(InitFailed) as caught:
        engine.create(provider, inputs)
    kept = _stored(caught.value.outputs)
    assert engine.diff(provider, "box-1", kept, inputs, inputs).replaces == []


# a change in place


def test_diff_updates_for_an_input_that_can_be_changed_in_place(
    engine: Engine, provider: BoxProvider
) -> None:
    inputs = {"note": "a", "region": REGION_NAME}
    for note in ("b", rpc.UNKNOWN, None):
        result = engine.diff(provider, "box-1", inputs, inputs, {**inputs, "note": note})
        assert (result.changes, result.replaces) == (None, [])


def test_update_changes_just_what_has_changed_and_returns_everything(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"note": "a", "hint": "h", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    outs = engine.update(provider, "box-1", outputs, {**inputs, "note": "b"}, inputs).outs
    assert cloud.changed == [["note"]]
    assert outs is not None
    assert rpc.is_rpc_secret(outs["key"])
    assert _stored(outs) == {**outputs, "note": "b"}


def test_update_that_the_vendor_refuses_leaves_the_state_as_it_was(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"note": "a", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    cloud.stuck = Error("not now.")
    with pytest.raises(Error, match=r"^cannot update Box box-1: not now\.$"):
        engine.update(provider, "box-1", outputs, {**inputs, "note": "b"}, inputs)
    assert not engine.context.status.details


def test_update_changes_nothing_of_what_does_not_show(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"note": "a", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    cloud.hidden = 100
    with pytest.raises(Gone, match=r"does not show it\. If it was deleted, run `pulumi refresh`"):
        engine.update(provider, "box-1", outputs, {**inputs, "note": "b"}, inputs)
    assert cloud.changed == []


def test_update_without_a_change_changes_nothing(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"note": "a", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    engine.update(provider, "box-1", outputs, inputs, inputs)
    assert cloud.changed == []


def test_update_that_cannot_finish_blames_no_deletion_for_another_failure(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    cloud.fault = Error("it is broken")
    olds = {"region": REGION_NAME, "key": SECRET, "box_id": "box-1"}
    with pytest.raises(InitFailed, match="it is broken") as caught:
        engine.update(provider, "box-1", olds, {"region": REGION_NAME})
    assert "up --refresh" not in str(caught.value)


def test_update_that_cannot_finish_keeps_what_was_seen_before(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"region": REGION_NAME}
    outputs = {**_made(engine, provider, inputs), "note": "theirs", "label": "old", "hours": 5}
    cloud.fault = Error("the network is down.")
    with pytest.raises(InitFailed) as caught:
        engine.update(provider, "box-1", outputs, inputs, inputs)
    kept = _stored(caught.value.outputs)
    assert kept == outputs
    # What the program gives as it is, asks for nothing then either.
    news = {**inputs, "label": "old"}
    assert engine.diff(provider, "box-1", kept, inputs, news).replaces == []


# read


@pytest.mark.parametrize("fault", [AttributeError, KeyError, TypeError, ValueError])
def test_read_does_not_take_an_answer_that_it_does_not_understand_for_gone(
    engine: Engine, provider: BoxProvider, cloud: Cloud, fault: type[Exception]
) -> None:
    inputs = {"region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    cloud.fault = fault(SECRET)
    with pytest.raises(Error) as caught:
        engine.read(provider, "box-1", outputs, inputs)
    assert str(caught.value) == (
        "cannot read Box box-1: what the vendor shows of box-1 is not as its pages say "
        f"({fault.__name__}). Look at it in the console"
    )
    assert SECRET not in everything_said(caught.value)


def test_read_of_what_is_gone_before_it_was_finished_says_so(
    engine: Engine, provider: BoxProvider, log: Log
) -> None:
    inputs = {"region": REGION_NAME}
    assert engine.read(provider, "box-1", {**inputs, "box_id": "box-1"}, inputs).id == ""
    [warned] = log.warned
    assert warned.startswith("Box box-1, which a run made and did not finish, is gone")


def test_read_waits_for_what_was_made_and_not_finished_alone(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    cloud.hidden = 7
    unfinished = {**inputs, "box_id": "box-1"}
    assert engine.read(provider, "box-1", unfinished, inputs).id == "box-1"
    cloud.hidden = 7
    with pytest.raises(Gone):
        engine.read(provider, "box-1", None, inputs)
    assert cloud.hidden == 6
    assert cloud.looked_over == []
    assert engine.read(provider, "box-1", outputs, inputs).id == ""
    assert cloud.hidden == 5
    # What a listing showed moments ago does for a refresh alone.
    assert cloud.looked_over == ["box-1"]


def test_read_without_an_engine_brings_drift_into_the_inputs_of_the_state(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    outputs = _made(engine, provider, {"label": "a", "region": REGION_NAME})
    cloud.boxes["box-1"]["size"] = 9
    result = provider.read("box-1", outputs)
    assert result.inputs is not None
    inputs = {name: result.inputs[name] for name in ("label", "size", "region")}
    assert inputs == {"label": "a", "size": 9, "region": REGION_NAME}


@pytest.mark.parametrize(
    ("name", "was", "is_now", "drift"),
    [
        ("label", "a", None, {}),
        ("label", None, "b", {}),
        ("note", "a", None, {"note": None}),
        ("note", None, "b", {"note": "b"}),
    ],
)
def test_read_takes_what_is_not_shown_for_gone_only_where_it_can_be_changed_in_place(
    engine: Engine,
    provider: BoxProvider,
    cloud: Cloud,
    name: str,
    was: str | None,
    is_now: str | None,
    drift: Properties,
) -> None:
    inputs = {"region": REGION_NAME}
    outputs = {**_made(engine, provider, inputs), name: was}
    cloud.boxes["box-1"][name] = is_now
    result = engine.read(provider, "box-1", outputs, inputs)
    assert result.inputs == {**inputs, **drift}


KEY_IS_LOST = "is absent: the vendor showed it once, when it was made."


def test_first_look_by_get_says_that_the_secret_is_lost_and_a_refresh_does_not(
    engine: Engine, provider: BoxProvider, log: Log
) -> None:
    inputs = {"region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    engine.read(provider, "box-1", outputs, inputs)
    assert log.warned == []
    engine.read(provider, "box-1", None, inputs)
    assert log.warned == [f"key of Box box-1 {KEY_IS_LOST}"]


def test_read_of_what_is_gone_is_an_empty_id_and_names_it(
    engine: Engine, provider: BoxProvider, log: Log
) -> None:
    inputs = {"region": REGION_NAME}
    result = engine.read(provider, "box-1", {**inputs, "box_id": "box-1", "opened": 0}, inputs)
    assert result.id == ""
    assert not result.outs
    [warned] = log.warned
    assert warned.startswith("Box box-1 is gone")
    assert_one_line(warned)


def _made(engine: Engine, provider: BoxProvider, inputs: Properties) -> Properties:
    return _stored(engine.create(provider, inputs).outs)


def test_read_of_what_has_not_changed_changes_nothing(
    engine: Engine, provider: BoxProvider
) -> None:
    inputs = {"label": "a", "hint": "h", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    result = engine.read(provider, "box-1", outputs, inputs)
    assert result.id == "box-1"
    assert _stored(result.outs) == outputs
    assert result.inputs == inputs


def test_read_keeps_the_secret_a_secret(engine: Engine, provider: BoxProvider) -> None:
    outputs = _made(engine, provider, {"region": REGION_NAME})
    outs = engine.read(provider, "box-1", outputs, {"region": REGION_NAME}).outs
    assert outs is not None
    assert rpc.is_rpc_secret(outs["key"])


def test_read_brings_drift_into_outputs_and_inputs_and_the_next_diff_replaces(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    cloud.boxes["box-1"] |= {"label": "b", "size": 9}
    result = engine.read(provider, "box-1", outputs, inputs)
    assert result.outs is not None
    assert (result.outs["label"], result.outs["size"]) == ("b", 9)
    assert result.inputs == {"label": "b", "size": 9, "region": REGION_NAME}
    replaced = engine.diff(provider, "box-1", _stored(result.outs), result.inputs, inputs).replaces
    assert set(replaced or ()) == {"label", "size"}


def test_second_read_after_drift_still_says_so(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    cloud.boxes["box-1"]["label"] = "b"
    first = engine.read(provider, "box-1", outputs, inputs)
    assert first.inputs is not None
    second = engine.read(provider, "box-1", _stored(first.outs), first.inputs)
    assert second.inputs == first.inputs


def test_read_brings_volatile_outputs_without_a_diff(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"label": "a", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    cloud.boxes["box-1"]["opened"] = 7
    result = engine.read(provider, "box-1", outputs, inputs)
    assert result.outs is not None
    assert result.outs["opened"] == 7
    assert result.inputs == inputs
    diff = engine.diff(provider, "box-1", _stored(result.outs), inputs, inputs)
    assert diff.changes is False


def test_read_keeps_what_the_vendor_does_not_show(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"hours": 48, "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    cloud.boxes["box-1"]["hours"] = 47
    result = engine.read(provider, "box-1", outputs, inputs)
    assert result.outs is not None
    assert result.outs["hours"] == 48
    assert result.inputs == inputs


def test_first_look_by_get_has_all_outputs_but_the_secret(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    cloud.boxes["box-7"] = {"label": "a", "size": 5, "hours": 6, "opened": 2, "worn": False}
    result = engine.read(provider, "box-7", None, {"region": REGION_NAME})
    assert result.id == "box-7"
    assert result.outs == {
        "box_id": "box-7",
        "label": "a",
        "size": 5,
        "hours": 6,
        "opened": 2,
        "worn": False,
        "region": REGION_NAME,
    }


def test_first_look_by_get_without_region_takes_the_default_one(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    cloud.boxes["box-7"] = {"label": "a"}
    result = engine.read(provider, "box-7", None, {})
    assert (result.id, result.inputs) == ("box-7", {"region": REGION_NAME})
    assert cloud.connected == [(REGION_NAME, 300)]


def test_first_look_by_get_without_any_region_says_how_to_give_one(
    engine: Engine, cloud: Cloud
) -> None:
    with pytest.raises(Misconfigured) as caught:
        engine.read(BoxProvider(cloud), "box-7", None, {})
    assert str(caught.value) == (
        "cannot read Box box-7: region: is not set. "
        "Run `pulumi config set tencentcloud:region …` or set TENCENTCLOUD_REGION, or give region"
    )


def test_read_without_any_region_says_where_to_set_one(engine: Engine, cloud: Cloud) -> None:
    with pytest.raises(Misconfigured, match="TENCENTCLOUD_REGION, or set it on the resource"):
        engine.read(BoxProvider(cloud), "box-7", None, {"box_id": "box-7"})


def test_first_look_by_get_at_what_is_not_there_is_refused(
    engine: Engine, provider: BoxProvider
) -> None:
    with pytest.raises(Gone, match=f"^cannot read Box box-7: .*{REGION_NAME}") as caught:
        engine.read(provider, "box-7", None, {"region": REGION_NAME})
    assert "Check the id and the region" in str(caught.value)


def test_read_goes_where_the_resource_is(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    engine.read(provider, "box-1", {"region": "eu-frankfurt", "box_id": "box-1"}, {})
    assert cloud.connected[-1][0] == "eu-frankfurt"


# delete


def test_delete_goes_where_the_resource_is(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    engine.delete(provider, "box-1", {"region": "eu-frankfurt", "box_id": "box-1"})
    assert cloud.removed == ["box-1"]
    assert cloud.connected == [("eu-frankfurt", 300)]


def test_delete_knows_the_inputs_that_no_output_repeats(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"hint": "h", "label": "a", "region": REGION_NAME}
    outputs = _made(engine, provider, inputs)
    engine.delete(provider, "box-1", outputs, inputs)
    [known] = cloud.removed_with
    assert (known["hint"], known["label"], known["region"]) == ("h", "a", REGION_NAME)


def test_delete_knows_whether_it_is_half_of_a_replacement(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    inputs = {"region": REGION_NAME}
    engine.delete(provider, "box-1", inputs, inputs)
    engine.check(provider, inputs, inputs)
    engine.delete(provider, "box-1", inputs, inputs)
    assert cloud.in_a_replacement == [False, True]


def test_delete_of_what_depends_on_another_is_half_of_a_replacement(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    """It is deleted before that one, without a check, where its diff says that it is replaced."""
    inputs = {"region": REGION_NAME, "label": "a"}
    assert engine.diff(provider, "box-1", inputs, inputs, {**inputs, "label": rpc.UNKNOWN}).replaces
    engine.delete(provider, "box-1", inputs, inputs)
    assert cloud.in_a_replacement == [True]


def test_create_after_a_delete_takes_its_place(
    engine: Engine, provider: BoxProvider, cloud: Cloud, existing: str
) -> None:
    inputs = {"adopt_id": existing, "region": REGION_NAME}
    engine.delete(provider, existing, inputs, inputs)
    cloud.boxes[existing] = {"label": ""}
    engine.check(provider, inputs, None)
    assert engine.create(provider, inputs).id != existing


# adopt


@pytest.fixture
def existing(cloud: Cloud) -> str:
    cloud.boxes["box-7"] = {"label": "a", "size": 5, "hours": 6, "opened": 2, "worn": False}
    return "box-7"


def test_adopt_takes_over_what_is_there_without_making_or_knowing_the_secret(
    engine: Engine, provider: BoxProvider, cloud: Cloud, existing: str
) -> None:
    inputs = {"adopt_id": existing, "label": "a", "size": 5, "region": REGION_NAME}
    result = engine.create(provider, inputs)
    assert result.id == existing
    assert list(cloud.boxes) == [existing]
    assert result.outs is not None
    assert "key" not in result.outs
    assert "adopt_id" not in result.outs
    assert (result.outs["label"], result.outs["opened"]) == ("a", 2)


def test_adopt_says_that_the_secret_is_lost(
    engine: Engine, provider: BoxProvider, existing: str, log: Log
) -> None:
    engine.create(provider, {"adopt_id": existing, "region": REGION_NAME})
    assert log.warned == [f"key of Box box-7 {KEY_IS_LOST}"]


def test_what_was_adopted_is_not_deleted_as_the_one_that_it_replaces(
    engine: Engine, provider: BoxProvider, cloud: Cloud, existing: str, log: Log
) -> None:
    inputs = {"adopt_id": existing, "region": REGION_NAME}
    outputs = _stored(engine.create(provider, inputs).outs)
    log.requests.clear()
    engine.delete(provider, existing, outputs, inputs)
    assert cloud.removed == []
    assert log.warned == [
        "Box box-7 was replaced by itself, since adopt_id names it, and is not deleted. For a new "
        "one take adopt_id out, then replace it."
    ]
    # Another one that it replaces is.
    engine.delete(provider, "box-8", outputs, inputs)
    assert cloud.removed == ["box-8"]


def test_what_another_resource_fails_to_adopt_is_neither_deleted_nor_let_go_of(
    engine: Engine, provider: BoxProvider, cloud: Cloud, existing: str
) -> None:
    inputs = {"region": REGION_NAME}
    with pytest.raises(Error, match="another label"):
        engine.create(provider, {**inputs, "adopt_id": existing, "label": "other"})
    with pytest.raises(Error, match=r"has not taken it over\. It is neither deleted nor let go of"):
        Engine("urn:pulumi:dev::unit::box::old").delete(provider, existing, {**inputs}, inputs)
    assert cloud.removed == []


def test_adopt_changes_what_the_vendor_does_not_show(
    engine: Engine, provider: BoxProvider, cloud: Cloud, existing: str
) -> None:
    cloud.boxes[existing].pop("note", None)
    inputs = {"adopt_id": existing, "region": REGION_NAME, "note": "ours"}
    assert _made(engine, provider, inputs)["note"] == "ours"
    assert cloud.changed == [["note"]]


def test_what_another_resource_has_adopted_is_not_deleted_with_the_one_that_held_it(
    engine: Engine, provider: BoxProvider, cloud: Cloud, existing: str, log: Log
) -> None:
    """As where a resource is renamed in the program, and the new name adopts it."""
    inputs = {"region": REGION_NAME}
    engine.create(provider, {**inputs, "adopt_id": existing})
    log.requests.clear()
    Engine("urn:pulumi:dev::unit::box::old").delete(provider, existing, {**inputs}, inputs)
    assert cloud.removed == []
    assert log.warned == [
        f"Box box-7 is not deleted: {engine.urn.rpartition('::')[2]} has taken it over, whose "
        "adopt_id names it."
    ]


def test_adopt_changes_in_place_what_the_program_gives_and_nothing_else(
    engine: Engine, provider: BoxProvider, cloud: Cloud, existing: str
) -> None:
    cloud.boxes[existing]["note"] = "theirs"
    inputs = {"adopt_id": existing, "region": REGION_NAME}
    assert _made(engine, provider, inputs)["note"] == "theirs"
    assert cloud.changed == []
    assert _made(engine, provider, {**inputs, "note": "ours"})["note"] == "ours"
    assert cloud.changed == [["note"]]


def test_adopt_refuses_what_is_otherwise_by_its_names_without_the_values(
    engine: Engine, provider: BoxProvider, existing: str
) -> None:
    inputs = {"adopt_id": existing, "label": SECRET[:8], "size": 9, "region": REGION_NAME}
    with pytest.raises(Error) as caught:
        engine.create(provider, inputs)
    text = str(caught.value)
    assert_one_line(text)
    assert "label and size" in text
    assert SECRET[:8] not in text
    assert "9" not in text


def test_adopt_refuses_what_is_not_there(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    with pytest.raises(Gone, match="there is no Box box-8 in ap-guangzhou") as caught:
        engine.create(provider, {"adopt_id": "box-8", "region": REGION_NAME})
    assert "Check adopt_id and the region, or take" in str(caught.value)
    assert cloud.boxes == {}


def test_adopt_id_is_ignored_when_a_resource_that_was_there_is_replaced(
    engine: Engine, provider: BoxProvider, cloud: Cloud, existing: str
) -> None:
    inputs = {"adopt_id": existing, "label": "b", "region": REGION_NAME}
    engine.check(provider, inputs, {"adopt_id": existing, "label": "a", "region": REGION_NAME})
    assert engine.create(provider, inputs).id == "box-2"
    assert cloud.boxes["box-2"]["label"] == "b"


def test_adopt_id_counts_when_the_resource_was_checked_for_the_first_time(
    engine: Engine, provider: BoxProvider, existing: str
) -> None:
    inputs = {"adopt_id": existing, "region": REGION_NAME}
    engine.check(provider, inputs, None)
    assert engine.create(provider, inputs).id == existing


def test_diff_after_adoption_is_empty(engine: Engine, provider: BoxProvider, existing: str) -> None:
    inputs = {"adopt_id": existing, "region": REGION_NAME}
    outputs = _stored(engine.create(provider, inputs).outs)
    assert engine.diff(provider, existing, outputs, inputs, inputs).replaces == []


# A resource whose name is one in the world

CRATE_NAME = AutoName(name="title", least=1, most=40)


class CrateProvider(BoxProvider):
    """A box with a name that no two may share, which can be locked; it has notes."""

    kind = "Crate"
    walls = Structure(name="walls", parts=(Whole(name="height", least=1),))
    inputs = (CRATE_NAME, *BoxProvider.inputs, walls)
    outputs = ("opened", "worn", "locked")
    secrets = ()
    notes = ("ordered",)
    unique = CRATE_NAME

    others: tuple[str, ...] = ()
    not_ready: Properties | None = None

    def make(self, api: Api, inputs: Properties) -> Made:
        made = super().make(api, inputs)
        self.there.boxes[made.id] |= {"title": inputs["title"], "locked": False}
        return Made(made.id)

    def finish(self, api: Api, id: str, inputs: Properties, before: Properties) -> Properties:
        now = super().finish(api, id, inputs, before)
        if self.not_ready is not None:
            raise NotReady("it is not ready.", {**now, **self.not_ready})
        return now

    def orphans(self, api: Api, name: str) -> list[str]:
        if not self.others:
            return super().orphans(api, name)
        return [f"{id} of {name[:-7]}" for id in self.others]

    def irreplaceable(self, inputs: Properties, outputs: Properties) -> str:
        return "it is locked. Unlock it first" if outputs.get("locked") else ""


@pytest.fixture
def crates(cloud: Cloud) -> CrateProvider:
    provider = CrateProvider(cloud)
    provider.configure(ConfigureRequest(Config({"tencentcloud:region": REGION_NAME}, "unit")))
    return provider


def _checked(engine: Engine, provider: CrateProvider, **news: Any) -> Properties:
    result = engine.check(provider, news, None)
    assert result.failures == []
    return dict(result.inputs)


@pytest.mark.parametrize("change", [{"label": "b"}, {"title": "other"}, {"region": "eu-frankfurt"}])
def test_diff_refuses_to_replace_what_may_not_be(
    engine: Engine, crates: CrateProvider, change: Properties
) -> None:
    inputs = {"title": "crate", "label": "a", "region": REGION_NAME}
    locked = {**inputs, "locked": True}
    with pytest.raises(Error) as caught:
        engine.diff(crates, "box-1", locked, inputs, {**inputs, **change})
    assert str(caught.value) == (
        f"cannot compare Crate box-1: the change of {next(iter(change))} replaces it, but it is "
        "locked. Unlock it first"
    )
    assert engine.diff(crates, "box-1", locked, inputs, inputs).replaces == []
    unlocked = {**inputs, "locked": False}
    news = {**inputs, **change}
    assert engine.diff(crates, "box-1", unlocked, inputs, news).replaces == list(change)


def test_diff_does_not_refuse_for_a_change_that_may_be_none(
    engine: Engine, crates: CrateProvider
) -> None:
    inputs = {"title": "crate", "label": "a", "region": REGION_NAME}
    news = {**inputs, "label": rpc.UNKNOWN}
    result = engine.diff(crates, "box-1", {**inputs, "locked": True}, inputs, news)
    assert result.replaces == ["label"]


def test_diff_refuses_to_replace_what_is_worn_out_and_may_not_be(
    engine: Engine, crates: CrateProvider
) -> None:
    inputs = {"title": "crate", "region": REGION_NAME}
    with pytest.raises(Error, match="the change of worn replaces it, but it is locked"):
        engine.diff(crates, "box-1", {**inputs, "worn": True, "locked": True}, inputs, inputs)


def test_diff_changes_in_place_what_may_not_be_replaced(
    engine: Engine, crates: CrateProvider
) -> None:
    inputs = {"title": "crate", "region": REGION_NAME}
    result = engine.diff(
        crates, "box-1", {**inputs, "locked": True}, inputs, {**inputs, "note": "b"}
    )
    assert (result.changes, result.replaces) == (None, [])


def test_diff_deletes_first_what_has_a_name_of_the_programs(
    engine: Engine, crates: CrateProvider
) -> None:
    inputs = _checked(engine, crates, title="crate", label="a")
    result = engine.diff(crates, "box-1", inputs, inputs, {**inputs, "label": "b"})
    assert result.delete_before_replace is True
    other = {**inputs, "label": "b", "title": "other"}
    assert engine.diff(crates, "box-1", inputs, inputs, other).delete_before_replace is False


def test_diff_deletes_last_what_has_a_made_up_name(engine: Engine, crates: CrateProvider) -> None:
    inputs = _checked(engine, crates, label="a")
    result = engine.diff(crates, "box-1", inputs, inputs, {**inputs, "label": "b"})
    assert (result.replaces, result.delete_before_replace) == (["label"], False)


def test_a_name_that_is_not_given_stands_in_nobodys_way_however_it_looks(
    engine: Engine, crates: CrateProvider
) -> None:
    """As where the resource had another name in the program, or the program gave its own."""
    olds = {"title": "another-1234567", "label": "a", "region": REGION_NAME}
    news = dict(engine.check(crates, {"label": "b"}, olds).inputs)
    assert news["title"] == "another-1234567"
    result = engine.diff(crates, "box-1", olds, olds, news)
    assert (result.replaces, result.delete_before_replace) == (["label"], False)


@pytest.mark.parametrize("walls", [rpc.UNKNOWN, {"height": rpc.UNKNOWN}])
def test_diff_replaces_for_a_structure_that_is_not_known_yet(
    engine: Engine, crates: CrateProvider, walls: Any
) -> None:
    inputs = {"title": "crate", "walls": {"height": 3}, "region": REGION_NAME}
    result = engine.diff(crates, "box-1", inputs, inputs, {**inputs, "walls": walls})
    assert result.replaces == ["walls"]


def test_a_name_that_is_given_counts_as_given_however_it_looks(
    engine: Engine, crates: CrateProvider
) -> None:
    made_up = _checked(engine, crates)["title"]
    inputs = _checked(engine, crates, title=made_up, label="a")
    result = engine.diff(crates, "box-1", inputs, inputs, {**inputs, "label": "b"})
    assert result.delete_before_replace is True


def test_create_with_a_made_up_name_warns_of_every_orphan(
    engine: Engine, crates: CrateProvider, log: Log
) -> None:
    crates.others = ("box-8", "box-9")
    inputs = _checked(engine, crates)
    assert engine.create(crates, inputs).id == "box-1"
    assert len(log.warned) == 2
    for id, warning in zip(crates.others, log.warned, strict=True):
        assert_one_line(warning)
        assert warning.startswith(f"Crate {id} of {inputs['title'][:-7]} ")
        assert "adopt_id" in warning
    assert [request.urn for request in log.requests] == [engine.urn] * 2


def test_create_looks_for_no_orphans_of_a_name_that_is_given(
    engine: Engine, crates: CrateProvider, log: Log
) -> None:
    crates.others = ("box-8",)
    made_up = _checked(engine, crates)["title"]
    engine.create(crates, _checked(engine, crates, title=made_up))
    engine.create(crates, _checked(engine, crates, title="crate"))
    assert log.warned == []


def test_create_in_place_of_another_looks_for_no_orphans(
    engine: Engine, crates: CrateProvider, log: Log
) -> None:
    crates.others = ("box-8",)
    old = _checked(engine, crates)
    new = engine.check(crates, {}, old).inputs
    engine.create(crates, new)
    assert log.warned == []


def test_a_name_that_is_given_without_an_engine_says_nothing_of_other_names(
    engine: Engine, crates: CrateProvider
) -> None:
    assert crates.check({}, {"title": "crate"}).failures == []
    made_up = {**crates.check({}, {}).inputs, "label": "a"}
    result = crates.diff("box-1", made_up, {**made_up, "label": "b"})
    assert result.delete_before_replace is False


def test_notes_reach_the_looks_of_a_read_and_an_update_and_the_delete(
    engine: Engine, crates: CrateProvider, cloud: Cloud
) -> None:
    inputs = _checked(engine, crates)
    outputs = {**_stored(engine.create(crates, inputs).outs), "ordered": "o-1"}
    cloud.looked_with.clear()
    engine.read(crates, "box-1", outputs, inputs)
    engine.update(crates, "box-1", outputs, {**inputs, "note": "b"}, inputs)
    engine.delete(crates, "box-1", outputs, inputs)
    [removed_with] = cloud.removed_with
    for known in (*cloud.looked_with[:2], removed_with):
        assert (known["ordered"], known["title"]) == ("o-1", inputs["title"])


def test_first_look_by_get_at_what_has_no_secret_warns_of_none(
    engine: Engine, crates: CrateProvider, log: Log
) -> None:
    engine.create(crates, _checked(engine, crates))
    engine.read(crates, "box-1", None, {"region": REGION_NAME})
    engine.create(crates, _checked(engine, crates, adopt_id="box-1"))
    assert log.warned == []


def test_notes_outlast_a_read(engine: Engine, crates: CrateProvider) -> None:
    inputs = _checked(engine, crates)
    outputs = {**_stored(engine.create(crates, inputs).outs), "ordered": "o-1"}
    result = engine.read(crates, "box-1", outputs, inputs)
    assert _stored(result.outs) == outputs
    again = engine.read(crates, "box-1", _stored(result.outs), inputs)
    assert _stored(again.outs)["ordered"] == "o-1"
    assert "ordered" not in (again.inputs or {})


@pytest.mark.parametrize("fault", [Error("no network."), ValueError("a bug")])
def test_notes_outlast_an_update_that_fails(
    engine: Engine, crates: CrateProvider, cloud: Cloud, fault: Exception
) -> None:
    inputs = _checked(engine, crates)
    outputs = {**_stored(engine.create(crates, inputs).outs), "ordered": "o-1"}
    cloud.fault = fault
    with pytest.raises(InitFailed) as caught:
        engine.update(crates, "box-1", outputs, inputs, inputs)
    kept = caught.value.outputs
    assert (kept["ordered"], kept["opened"]) == ("o-1", 0)


def test_notes_of_an_update_that_fails_are_kept_for_the_next(
    engine: Engine, crates: CrateProvider, cloud: Cloud
) -> None:
    inputs = _checked(engine, crates)
    outputs = {**_stored(engine.create(crates, inputs).outs), "ordered": "o-1"}
    cloud.boxes["box-1"]["opened"] = 7
    crates.not_ready = {"ordered": "o-2"}
    with pytest.raises(InitFailed) as caught:
        engine.update(crates, "box-1", outputs, inputs, inputs)
    kept = rpc.deserialize_properties(engine.context.init_failed.properties)
    assert (kept["ordered"], kept["opened"]) == ("o-2", 7)
    assert caught.value.outputs["ordered"] == "o-2"


def test_adopt_does_not_ask_for_a_made_up_name(
    engine: Engine, crates: CrateProvider, cloud: Cloud
) -> None:
    cloud.boxes["box-7"] = {"title": "theirs", "label": "", "size": 3, "note": ""}
    inputs = _checked(engine, crates, adopt_id="box-7")
    result = engine.create(crates, inputs)
    outs = _stored(result.outs)
    assert (result.id, outs["title"]) == ("box-7", "theirs")
    assert list(cloud.boxes) == ["box-7"]
    assert engine.diff(crates, "box-7", outs, inputs, inputs).changes is False
    again = engine.read(crates, "box-7", outs, inputs)
    assert again.inputs is not None
    diff = engine.diff(crates, "box-7", _stored(again.outs), again.inputs, again.inputs)
    assert diff.changes is False


@pytest.mark.parametrize("made_up", [True, False])
def test_adopt_asks_for_a_name_that_is_given_however_it_looks(
    engine: Engine, crates: CrateProvider, cloud: Cloud, made_up: bool
) -> None:
    cloud.boxes["box-7"] = {"title": "theirs", "label": "", "size": 3, "note": ""}
    title = _checked(engine, crates)["title"] if made_up else "ours"
    inputs = _checked(engine, crates, title=title, adopt_id="box-7")
    with pytest.raises(Error, match="another title than the program gives"):
        engine.create(crates, inputs)
    theirs = _checked(engine, crates, title="theirs", adopt_id="box-7")
    assert engine.create(crates, theirs).id == "box-7"


# A resource that is found again where it is made again


class CoinProvider(BoxProvider):
    """A box whose label is its id, and that is to be paid for."""

    kind = "Coin"
    inputs = (Text(name="label", most=8, required=True), *BoxProvider.inputs[1:])
    found_again = True
    replacing = "the new one is paid for as well"

    def id_for(self, inputs: Properties) -> str:
        return f"coin-{inputs['label']}"

    def finish(self, api: Api, id: str, inputs: Properties, before: Properties) -> Properties:
        self.there.boxes[id]["opened"] = 1
        return super().finish(api, id, inputs, before)

    def overdue(self, inputs: Properties, outputs: Properties) -> bool:
        return not outputs["opened"]

    def contradictions(self, inputs: Properties) -> list[str]:
        if inputs.get("hours") and inputs.get("note"):
            return ["note: must not be given where hours is"]
        return super().contradictions(inputs)

    def remarks(self, before: Properties, inputs: Properties, outputs: Properties) -> list[str]:
        if before.get("note") != inputs.get("note"):
            return [f"The note was seen {outputs['opened']:g} times.", "It is written anew."]
        return super().remarks(before, inputs, outputs)


@pytest.fixture
def coins(cloud: Cloud) -> CoinProvider:
    provider = CoinProvider(cloud)
    provider.configure(ConfigureRequest(Config({"tencentcloud:region": REGION_NAME}, "unit")))
    return provider


COIN = {"label": "a", "region": REGION_NAME}
KEPT = (
    "Coin coin-a was replaced by itself, since the same inputs are the same to the vendor, and is "
    "not deleted."
)


def test_check_names_what_is_not_given_and_what_does_not_go_together(coins: CoinProvider) -> None:
    assert _reasons(coins, {"hours": 2, "note": "n"}) == [
        "label: is not given",
        "note: must not be given where hours is",
    ]
    assert _reasons(coins, COIN) == []


def test_check_shows_what_is_wrong_by_itself_as_not_known_to_what_is_taken_together(
    coins: CoinProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Properties = {}
    said = ["hours: goes with nothing", "note: does not go with hours"]
    monkeypatch.setattr(coins, "contradictions", lambda inputs: seen.update(inputs) or said)
    checked = coins.check({}, {**COIN, "hours": 0})
    # One failure a property.
    assert [one.reason.partition(":")[0] for one in checked.failures] == ["hours", "note"]
    assert "goes with nothing" not in checked.failures[0].reason
    assert rpc.contains_unknowns(seen["hours"])
    assert "hours" not in checked.inputs


def test_diff_remarks_on_an_update_and_not_on_a_replacement(
    engine: Engine, coins: CoinProvider, log: Log
) -> None:
    outputs = _made(engine, coins, COIN)
    news = {**COIN, "note": "n"}
    assert engine.diff(coins, "coin-a", outputs, COIN, news).changes is None
    assert log.warned == ["The note was seen 1 times.", "It is written anew."]
    log.requests.clear()
    engine.diff(coins, "coin-a", outputs, COIN, COIN)
    assert log.warned == []
    engine.diff(coins, "coin-a", outputs, COIN, {**news, "label": "b"})
    assert log.warned == ["label changed: the new one is paid for as well."]


def test_diff_updates_for_what_is_overdue_though_no_input_changed(
    engine: Engine, coins: CoinProvider
) -> None:
    outputs = {**_made(engine, coins, COIN), "opened": 0}
    result = engine.diff(coins, "coin-a", outputs, COIN, COIN)
    assert (result.changes, result.replaces) == (True, [])


def test_what_is_found_again_is_not_deleted_as_the_one_that_it_replaces(
    engine: Engine, coins: CoinProvider, cloud: Cloud, log: Log
) -> None:
    outputs = {**_made(engine, coins, COIN), "worn": True}
    engine.check(coins, COIN, COIN)
    assert engine.diff(coins, "coin-a", outputs, COIN, COIN).replaces == ["worn"]
    assert log.warned == ["worn changed: the new one is paid for as well."]
    log.requests.clear()
    assert engine.create(coins, COIN).id == "coin-a"
    engine.delete(coins, "coin-a", outputs, COIN)
    assert cloud.removed == []
    assert log.warned == [KEPT]
    # What another resource holds is deleted.
    Engine("urn:another").delete(coins, "coin-a", outputs, COIN)
    assert cloud.removed == ["coin-a"]


def test_what_is_found_again_is_not_deleted_where_the_engine_tells_of_no_replacement(
    engine: Engine, coins: CoinProvider, cloud: Cloud, log: Log
) -> None:
    # As `--target-replace` and `pulumi state taint` have it: no old inputs, and no diff.
    outputs = _made(engine, coins, COIN)
    lifecycle._run = lifecycle._Run()
    engine.check(coins, COIN, None)
    assert engine.create(coins, COIN).id == "coin-a"
    engine.delete(coins, "coin-a", outputs, COIN)
    assert cloud.removed == []
    assert log.warned == [KEPT]


def test_what_is_replaced_by_another_is_deleted(
    engine: Engine, coins: CoinProvider, cloud: Cloud
) -> None:
    outputs = _made(engine, coins, COIN)
    news = {**COIN, "label": "b"}
    engine.check(coins, news, COIN)
    assert engine.diff(coins, "coin-a", outputs, COIN, news).replaces == ["label"]
    assert engine.create(coins, news).id == "coin-b"
    engine.delete(coins, "coin-a", outputs, COIN)
    assert cloud.removed == ["coin-a"]


@pytest.mark.parametrize("unsent", [{}, {"hint": "b"}])
def test_what_stays_is_not_deleted_where_an_earlier_run_replaced_it_by_itself(
    engine: Engine, coins: CoinProvider, cloud: Cloud, log: Log, unsent: Properties
) -> None:
    outputs = _made(engine, coins, COIN)
    lifecycle._run = lifecycle._Run()
    news = {**COIN, **unsent}
    assert engine.diff(coins, "coin-a", outputs, COIN, news).changes is False
    engine.delete(coins, "coin-a", outputs, COIN)
    assert cloud.removed == []
    assert log.warned == [KEPT]


def test_what_is_found_again_is_deleted_where_the_engine_replaces_for_a_change_in_place(
    engine: Engine, coins: CoinProvider, cloud: Cloud
) -> None:
    # As replace_on_changes has it; with delete_before_replace the delete comes first.
    outputs = _made(engine, coins, COIN)
    lifecycle._run = lifecycle._Run()
    assert engine.diff(coins, "coin-a", outputs, COIN, {**COIN, "note": "n"}).changes is None
    engine.delete(coins, "coin-a", outputs, COIN)
    assert cloud.removed == ["coin-a"]


def test_what_is_changed_in_place_is_not_deleted_where_an_earlier_run_replaced_it_by_itself(
    engine: Engine, coins: CoinProvider, cloud: Cloud, log: Log
) -> None:
    outputs = _made(engine, coins, COIN)
    lifecycle._run = lifecycle._Run()
    engine.update(coins, "coin-a", outputs, {**COIN, "note": "n"}, COIN)
    engine.delete(coins, "coin-a", outputs, COIN)
    assert cloud.removed == []
    assert log.warned == [KEPT]


def test_what_was_to_stay_is_deleted_once_another_has_taken_its_place(
    engine: Engine, coins: CoinProvider, cloud: Cloud
) -> None:
    outputs = _made(engine, coins, COIN)
    assert engine.diff(coins, "coin-a", outputs, COIN, COIN).changes is False
    assert engine.create(coins, {**COIN, "label": "b"}).id == "coin-b"
    engine.delete(coins, "coin-a", outputs, COIN)
    assert cloud.removed == ["coin-a"]


def test_what_stays_is_deleted_where_it_is_no_one_else(
    engine: Engine, provider: BoxProvider, cloud: Cloud
) -> None:
    outputs = _made(engine, provider, COIN)
    engine.diff(provider, "box-1", outputs, COIN, COIN)
    engine.delete(provider, "box-1", outputs, COIN)
    assert cloud.removed == ["box-1"]


def test_what_stays_is_deleted_where_no_engine_says_which_resource_it_is(
    engine: Engine, coins: CoinProvider, cloud: Cloud
) -> None:
    outputs = _made(engine, coins, COIN)
    coins.diff("coin-a", outputs, outputs)
    coins.delete("coin-a", outputs)
    assert cloud.removed == ["coin-a"]


def test_what_is_found_again_is_not_undone_where_the_engine_has_gone(
    engine: Engine, coins: CoinProvider, cloud: Cloud
) -> None:
    engine.context.active = False
    engine.create(coins, COIN)
    assert cloud.removed == []


def test_adopt_finishes_what_is_overdue_though_nothing_changes(
    engine: Engine, coins: CoinProvider, cloud: Cloud
) -> None:
    cloud.boxes["coin-a"] = {"label": "a", "opened": 0}
    outs = engine.create(coins, {**COIN, "adopt_id": "coin-a"}).outs
    assert _stored(outs)["opened"] == 1


# A resource that is in no region


class StampProvider(BoxProvider):
    """A box that is everywhere."""

    kind = "Stamp"
    inputs = tuple(field for field in BoxProvider.inputs if field is not REGION)


def test_what_is_in_no_region_asks_for_none(engine: Engine, cloud: Cloud) -> None:
    stamps = StampProvider(cloud)
    result = engine.check(stamps, {"label": "a"}, None)
    assert result.failures == []
    assert "region" not in result.inputs
    outputs = _made(engine, stamps, result.inputs)
    assert "region" not in outputs
    again = engine.read(stamps, "box-1", outputs, {"label": "a"})
    assert again.inputs == {"label": "a"}
    assert cloud.connected == [("", 300)] * 2
    with pytest.raises(Gone, match=r"there is no Stamp box-2\. Check the id$"):
        engine.read(stamps, "box-2", None, {})
    with pytest.raises(Gone, match=r"there is no Stamp box-2\. Check adopt_id, or take"):
        engine.create(stamps, {"label": "a", "adopt_id": "box-2"})


# A resource in a program


class _Mocks(pulumi.runtime.Mocks):
    """An engine that creates nothing."""

    def __init__(self, key: str | None) -> None:
        self.key = key

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        return "box-1", {**args.inputs, "box_id": "box-1", "key": self.key}

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@pytest.mark.parametrize(
    ("key", "command"), [(SECRET, f"open {REGION_NAME} box-1 {SECRET}"), (None, None)]
)
def test_resource_in_a_program_has_its_type_its_secrets_and_its_command(
    key: str | None, command: str | None
) -> None:
    class Box(LifecycleResource, module="unit/boxes", name="Box", lifecycle=BoxProvider):
        box_id: pulumi.Output[str]
        key: pulumi.Output[str]
        region: pulumi.Output[str]
        opened: pulumi.Output[int | None]
        size: pulumi.Output[int]
        command = register_command(
            lambda *parts: f"open {' '.join(parts)}", id="box_id", code="key"
        )

    assert Box.pulumi_type == "pulumi-python:dynamic/unit/boxes:Box"
    # As types, not as the text that they are in this file, and of whole numbers alone.
    whole = {"opened": pulumi.Output[int | None], "size": pulumi.Output[int]}
    assert Box.__annotations__ == whole
    assert Box.key is Box.__dict__["key"]
    assert Box.command is Box.__dict__["command"]
    options: list[pulumi.ResourceOptions] = []

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        options.append(args.opts)

    seen: dict[str, Any] = {}

    async def find_out(box: Box) -> None:
        for name in ("key", "command"):
            output = getattr(box, name)
            seen[name] = (await output.future(), await output.is_secret())

    pulumi.runtime.set_mocks(_Mocks(key))

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        opts = pulumi.ResourceOptions(transformations=[look], additional_secret_outputs=["label"])
        inputs = {"region": REGION_NAME, "label": None, "hint": None, "adopt_id": "box-1"}
        box = Box("box", inputs, opts)
        seen["named"] = [name for name in (*inputs, *BoxProvider.outputs) if name in vars(box)]
        return pulumi.Output.from_input(find_out(box))

    run()
    assert seen == {
        "key": (key, True),
        "command": (command, True),
        # All that may come out, and nothing else that was not given.
        "named": ["region", "label", "adopt_id", "opened", "worn"],
    }
    assert sorted(options[0].additional_secret_outputs or []) == ["key", "label"]

from __future__ import annotations

import json
import re
import shlex
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pulumi
import pytest
import requests
import responses
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import rpc

from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.alicloud.ecs import Activation, ActivationProvider
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.errors import (
    Ambiguous,
    Error,
    Gone,
    InitFailed,
    LookUpFailed,
    NotFound,
    NotSent,
    Refused,
    Throttled,
    Transient,
)

from ..conftest import Engine, Hurried, assert_one_line, everything_said
from ..tencentcloud.conftest import from_now
from .conftest import (
    ACTIVATION_ID,
    CODE,
    CREATE,
    CREATED,
    DELETE,
    DEREGISTER,
    DESCRIBE,
    DISABLE,
    HOST,
    JOIN,
    LOST,
    MACHINES,
    REGION,
    REQUEST_ID,
    SECRET_KEY,
    TAG,
    TRUNCATED,
    UNSENT,
    UNTAG,
    Raw,
    Reply,
    Vendor,
    activation,
    listing,
    new_provider,
    query,
    refusal,
    served,
)

OTHER_ID = "5FDFFF23-56F1-4FBC-9AB1-890F1234****"
# As the engine keeps it after a create without parameters.
INPUTS = {"region": REGION}
OUTPUTS = {
    "activation_id": ACTIVATION_ID,
    "activation_code": CODE,
    "instance_count": 10,
    "time_to_live_in_hours": 4,
    "region": REGION,
    "creation_time": "2021-01-20T06:00:00Z",
    "expired_time": "2021-01-20T10:00:00Z",
    "disabled": False,
    "registered_count": 0,
    "deregistered_count": 0,
}

# Per action what its page, and the newer pages, say that it answers.
_EVERYWHERE = {
    "RegionId.ApiNotSupported": 400,
    "Operation.Forbidden": 403,
    "InvalidRegionId.NotFound": 404,
}
_OF_TAGS = {
    "InvalidTagKey.Malformed": 400,
    "InvalidTagValue.Malformed": 400,
    "NumberExceed.Tags": 400,
    "MissingParameter.TagKey": 400,
    "Duplicate.TagKey": 400,
}
CREATE_CODES = {
    **_EVERYWHERE,
    **_OF_TAGS,
    "InstanceName.ExceedLimit": 400,
    "InstanceName.InvalidPattern": 400,
    "ActivationDesc.ExceedLimit": 400,
    "ActivationLimitation.Invalid": 400,
    "AddressRange.InvalidPattern": 400,
    "ActivationCount.ExceedLimit": 400,
    "ActivationTTL.ExceedLimit": 400,
    "RealNameAuthenticationError": 403,
    "ManagedInstanceCountExceedLimit": 403,
    "InvalidResourceGroup.NotFound": 404,
    "IdempotentParameterMismatch": 400,
}
PASSING_CODES = {
    "InvalidStatus.ResourceGroup": 403,
    "InternalError.Dispatch": 500,
    "ServiceUnavailable": 503,
}
DESCRIBE_CODES = {
    **_EVERYWHERE,
    **_OF_TAGS,
    "InvalidParam.PageNumber": 400,
    "InvalidParam.PageSize": 400,
    "InvalidParameter.NextToken": 400,
    "InvalidParameter.MaxResults": 400,
}
DELETE_CODES = _EVERYWHERE
CHANGE_CODES = {
    **_EVERYWHERE,
    **_OF_TAGS,
    "InvalidResourceGroup.NotFound": 404,
}

NOT_FOUND = refusal("ActivationId.NotFound", 404)
IN_USE = refusal("ActivationId.InUse", 403)


def _stored(outputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Outputs as they come back from the state: secrets in plain text."""
    assert outputs is not None
    return {name: rpc.unwrap_rpc_secret(value) for name, value in outputs.items()}


def _assert_says_what_to_do(error: Refused, operation: str, action: str, code: str) -> None:
    said = str(error)
    assert_one_line(said)
    assert said == (
        f"{operation}: {error.reason} "
        f"[ECS {action}: {code}, “The vendor's words”, RequestId {REQUEST_ID}]"
    )
    assert len(error.reason.rstrip(".").split(". ")) > 1, error.reason
    assert "unexpected" not in said


def _tokens(vendor: Vendor) -> list[str]:
    """The ClientTokens of all creates, which the service takes by its rule."""
    tokens = [parameters["ClientToken"] for parameters in vendor.queries(CREATE)]
    for token in tokens:
        assert 0 < len(token) <= 64
        assert token.isascii()
    return tokens


def _pop_tags(parameters: dict[str, str]) -> dict[str, str]:
    """Take the tags out of a request's parameters; the engine keeps no order among them."""
    tags: dict[str, str] = {}
    while f"Tag.{len(tags) + 1}.Key" in parameters:
        number = len(tags) + 1
        tags[parameters.pop(f"Tag.{number}.Key")] = parameters.pop(f"Tag.{number}.Value")
    return tags


# The vendor's example


def test_create_arrives_as_the_vendors_example(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(activation(InstanceName="test-InstanceName")))
    checked = engine.check(provider, {"instance_name": "test-InstanceName"}, None)
    assert checked.failures == []
    engine.create(provider, checked.inputs)
    [request] = vendor.requests(CREATE)
    assert request.method == "POST"
    assert str(request.url).startswith(f"https://{HOST}/?")
    assert request.headers["x-acs-action"] == "CreateActivation"
    assert request.headers["x-acs-version"] == "2014-05-26"
    parameters = query(request)
    assert uuid.UUID(parameters.pop("ClientToken"))
    assert parameters == {"InstanceName": "test-InstanceName", "RegionId": "cn-hangzhou"}
    assert not request.body


def test_create_with_all_parameters_arrives_with_all_of_them(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    url = "https://ecs.ap-southeast-1.aliyuncs.com/"
    vendor.answers(CREATE, CREATED, url=url)
    vendor.answers(DESCRIBE, listing(activation()), url=url)
    news = {
        "instance_name": "test-InstanceName",
        "description": "This is description.",
        "instance_count": 10,
        "time_to_live_in_hours": 4,
        "ip_address_range": "0.0.0.0/0",
        "resource_group_id": "rg-123******",
        "tags": {"TestKey": "TestValue", "empty": ""},
        "region": "ap-southeast-1",
        "rotate_before_hours": 1.5,
        "when_in_use": "deregister",
    }
    checked = engine.check(provider, news, None)
    assert checked.failures == []
    engine.create(provider, checked.inputs)
    [parameters] = vendor.queries(CREATE)
    assert parameters.pop("ClientToken")
    assert _pop_tags(parameters) == {"TestKey": "TestValue", "empty": ""}
    assert parameters == {
        "InstanceName": "test-InstanceName",
        "Description": "This is description.",
        # The engine makes every number a float; the vendor takes integers alone.
        "InstanceCount": "10",
        "TimeToLiveInHours": "4",
        "IpAddressRange": "0.0.0.0/0",
        "ResourceGroupId": "rg-123******",
    }
    assert query(vendor.requests(CREATE)[0])["RegionId"] == "ap-southeast-1"


def test_create_returns_the_id_the_code_as_a_secret_and_what_the_vendor_shows(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(activation()))
    result = engine.create(provider, INPUTS)
    assert result.id == ACTIVATION_ID
    assert result.outs is not None
    assert rpc.is_rpc_secret(result.outs["activation_code"])
    assert _stored(result.outs) == OUTPUTS
    assert vendor.queries(DESCRIBE) == [{"ActivationId": ACTIVATION_ID}]
    assert vendor.actions == [CREATE, DESCRIBE]


def test_create_shows_all_that_the_vendor_shows(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    shown = activation(
        InstanceName="web",
        Description="d",
        InstanceCount=3,
        TimeToLiveInHours=24,
        IpAddressRange="192.0.2.0/24",
        ResourceGroupId="rg-1",
        RegisteredCount=2,
        DeregisteredCount=1,
        Disabled=True,
        Tags=[{"TagKey": "k", "TagValue": "v"}],
    )
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(shown))
    assert _stored(engine.create(provider, INPUTS).outs) == {
        "activation_id": ACTIVATION_ID,
        "activation_code": CODE,
        "instance_name": "web",
        "description": "d",
        "instance_count": 3,
        "time_to_live_in_hours": 24,
        "ip_address_range": "192.0.2.0/24",
        "resource_group_id": "rg-1",
        "tags": {"k": "v"},
        "region": REGION,
        "creation_time": "2021-01-20T06:00:00Z",
        "expired_time": "2021-01-21T06:00:00Z",
        "disabled": True,
        "registered_count": 2,
        "deregistered_count": 1,
    }


# What the vendor shows


def _read(engine: Engine, vendor: Vendor, *answers: Reply) -> dict[str, Any]:
    """The outputs after a refresh of what the vendor shows."""
    vendor.answers(DESCRIBE, *answers)
    return _stored(engine.read(new_provider(), ACTIVATION_ID, OUTPUTS, INPUTS).outs)


def test_numbers_and_booleans_that_are_text_are_read_as_what_they_are(
    engine: Engine, vendor: Vendor
) -> None:
    text = activation(
        InstanceCount="10",
        TimeToLiveInHours="4",
        RegisteredCount="3",
        DeregisteredCount="1",
        Disabled="true",
    )
    outs = _read(engine, vendor, listing(text))
    changed = {"disabled": True, "registered_count": 3, "deregistered_count": 1}
    assert outs == {**OUTPUTS, **changed}
    assert [type(outs[name]) for name in changed] == [bool, int, int]


@pytest.mark.parametrize(
    ("shown", "disabled"),
    [(True, True), ("true", True), ("True", True), (False, False), ("false", False), (None, False)],
)
def test_disabled_is_read_in_every_spelling(
    engine: Engine, vendor: Vendor, shown: Any, disabled: bool
) -> None:
    assert _read(engine, vendor, listing(activation(Disabled=shown)))["disabled"] is disabled


@pytest.mark.parametrize(
    "tags",
    [
        [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "c", "TagValue": ""}],
        {"Tag": [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "c", "TagValue": ""}]},
        [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "c"}],
        [
            {"TagKey": "acs:rm:rgId", "TagValue": "rg-1"},
            {"TagKey": "a", "TagValue": "b"},
            {"TagKey": "aliyun-oos", "TagValue": "x"},
            {"TagKey": "c", "TagValue": ""},
        ],
    ],
    ids=["list", "wrapped", "no value", "vendor's own"],
)
def test_tags_are_read_in_both_forms_without_the_vendors_own(
    engine: Engine, vendor: Vendor, tags: Any
) -> None:
    outs = _read(engine, vendor, listing(activation(Tags=tags)))
    assert outs["tags"] == {"a": "b", "c": ""}


@pytest.mark.parametrize(
    "tags",
    [[], {}, {"Tag": []}, None, [{"TagKey": "acs:rm:rgId", "TagValue": "rg-1"}]],
    ids=["list", "object", "wrapped", "null", "vendor's own"],
)
def test_no_tags_are_no_output(engine: Engine, vendor: Vendor, tags: Any) -> None:
    assert _read(engine, vendor, listing(activation(Tags=tags))) == OUTPUTS


@pytest.mark.parametrize("shown", ["", None])
def test_range_that_is_any_is_no_output(engine: Engine, vendor: Vendor, shown: str | None) -> None:
    assert _read(engine, vendor, listing(activation(IpAddressRange=shown))) == OUTPUTS


@pytest.mark.parametrize(
    "items", [[activation()], {"Activation": [activation()]}], ids=["list", "wrapped"]
)
def test_listing_is_read_in_both_forms(engine: Engine, vendor: Vendor, items: Any) -> None:
    assert _read(engine, vendor, served(ActivationList=items)) == OUTPUTS


@pytest.mark.parametrize(
    ("created", "hours", "end"),
    [
        ("2021-01-20T06:00:00Z", 4, "2021-01-20T10:00:00Z"),
        ("2021-01-20T06:00:00Z", "20", "2021-01-21T02:00:00Z"),
        ("2021-01-20T06:00Z", 1, "2021-01-20T07:00:00Z"),
        ("2021-01-20T06:00:00+08:00", 4, "2021-01-20T02:00:00Z"),
        ("2021-01-20T06:00:00Z", 876576, "2121-01-20T06:00:00Z"),
    ],
)
def test_end_is_reckoned_from_the_creation_time_and_the_term(
    engine: Engine, vendor: Vendor, created: str, hours: Any, end: str
) -> None:
    shown = activation(CreationTime=created, TimeToLiveInHours=hours)
    assert _read(engine, vendor, listing(shown))["expired_time"] == end


@pytest.mark.parametrize("hidden", ["CreationTime", "TimeToLiveInHours"])
def test_end_is_not_known_where_start_or_term_does_not_show(
    engine: Engine, vendor: Vendor, hidden: str
) -> None:
    outs = _read(engine, vendor, listing(activation(**{hidden: None})))
    assert "expired_time" not in outs


@given(st.integers(1, 876576), st.datetimes(datetime(2015, 1, 1), datetime(2060, 1, 1)))
def test_end_is_a_term_after_the_start_for_every_term(hours: int, start: datetime) -> None:
    start = start.replace(microsecond=0, tzinfo=timezone.utc)
    shown = activation(CreationTime=f"{start:%Y-%m-%dT%H:%M:%SZ}", TimeToLiveInHours=hours)
    with responses.RequestsMock() as mock:
        vendor = Vendor(mock)
        vendor.answers(DESCRIBE, listing(shown))
        outs = new_provider().read(ACTIVATION_ID, dict(OUTPUTS)).outs
    assert outs is not None
    end = datetime.strptime(outs["expired_time"], "%Y-%m-%dT%H:%M:%S%z")
    assert end - start == timedelta(hours=hours)


# check


def _problems(news: Mapping[str, Any]) -> list[str]:
    return [failure.reason for failure in new_provider().check({}, dict(news)).failures]


_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9._:-]{1,49}", fullmatch=True)
_TAG_TEXT = st.characters(exclude_categories=["Cs"], exclude_characters=":/")
_TAG_KEYS = st.text(_TAG_TEXT, min_size=1, max_size=64).filter(
    lambda key: not key.startswith("aliyun")
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "instance_name": _NAMES,
            "description": st.text(min_size=1, max_size=100),
            "instance_count": st.integers(1, 1000),
            "time_to_live_in_hours": st.integers(1, 876576),
            "ip_address_range": st.one_of(
                st.ip_addresses().map(str),
                st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda p: f"{p[0]}/{p[1]}"),
                st.tuples(st.ip_addresses(v=6), st.integers(0, 128)).map(
                    lambda p: f"{p[0]}/{p[1]}"
                ),
            ),
            "resource_group_id": st.just("rg-123******"),
            "tags": st.dictionaries(_TAG_KEYS, st.text(_TAG_TEXT, max_size=128), max_size=20),
            "rotate_before_hours": st.floats(0, 10**6),
            "when_in_use": st.sampled_from(["disable", "fail", "deregister"]),
        },
    )
)
def test_check_takes_everything_within_the_vendors_limits(news: dict[str, Any]) -> None:
    assert _problems(news) == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("instance_name", ["ab", "a" * 50]),
        ("description", ["d", "🚀" * 100]),
        ("instance_count", [1, 1000]),
        ("time_to_live_in_hours", [1, 876576]),
        ("ip_address_range", ["192.0.2.1", "2001:db8::/32"]),
        ("resource_group_id", ["r", "r" * 64]),
        ("tags", [{f"k{number}": "" for number in range(20)}, {"k" * 64: "v" * 128}]),
        ("when_in_use", ["disable", "fail", "deregister"]),
    ],
)
def test_check_takes_what_is_just_within_the_vendors_limits(name: str, values: list[Any]) -> None:
    assert [_problems({name: value}) for value in values] == [[] for _ in values]


@given(st.text(max_size=60))
def test_check_takes_no_instance_name_that_the_vendor_refuses(name: str) -> None:
    taken = _problems({"instance_name": name}) == []
    assert taken is bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9._:-]{1,49}", name))


@given(st.integers(-10, 2000), st.integers(876_000, 877_000))
def test_check_takes_just_the_numbers_within_the_limits(count: int, hours: int) -> None:
    assert (_problems({"instance_count": count}) == []) is (1 <= count <= 1000)
    assert (_problems({"time_to_live_in_hours": hours}) == []) is (hours <= 876576)


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("instance_name", "a", "at least 2 characters, has 1"),
        ("instance_name", "a" * 51, "at most 50 characters, has 51"),
        ("instance_name", "1web", "a letter, then letters"),
        ("instance_name", "http://web", "a letter, then letters"),
        ("instance_name", "wéb", "a letter, then letters"),
        ("instance_name", "web\n", "a letter, then letters"),
        ("description", "", "at least 1 character"),
        ("description", "🚀" * 101, "at most 100 characters, has 101"),
        ("instance_count", 0, "from 1 to 1000"),
        ("instance_count", 1001, "from 1 to 1000"),
        ("instance_count", 1.5, "a whole number"),
        ("instance_count", "10", "a whole number"),
        ("time_to_live_in_hours", 0, "from 1 to 876576 (hours)"),
        ("time_to_live_in_hours", 876577, "from 1 to 876576 (hours)"),
        ("ip_address_range", "192.168.0.0/33", "IPv4 or IPv6"),
        ("ip_address_range", "2001:db8::/129", "IPv4 or IPv6"),
        ("ip_address_range", "localhost", "IPv4 or IPv6"),
        ("resource_group_id", "", "at least 1 character"),
        ("resource_group_id", "r" * 65, "at most 64 characters, has 65"),
        ("tags", {f"k{number}": "" for number in range(21)}, "at most 20 tags, has 21"),
        ("tags", {"k" * 65: ""}, "keys of 1 to 64 characters"),
        ("tags", {"": ""}, "keys of 1 to 64 characters"),
        ("tags", {"k": "v" * 129}, "values of at most 128 characters"),
        ("tags", {"acs:k": ""}, "begins with acs: or aliyun"),
        ("tags", {"aliyun": ""}, "begins with acs: or aliyun"),
        ("tags", {"k": "see https://a"}, "no http:// or https://"),
        ("tags", {"k": 1}, "text for values"),
        ("tags", [{"Key": "k", "Value": "v"}], "a mapping of keys to values"),
        ("rotate_before_hours", -1, "at least 0 (hours)"),
        ("when_in_use", "delete", "one of disable, fail, deregister"),
        ("adopt_id", "", "the id of an existing resource"),
        ("region", "cn_hangzhou", "a region's name"),
        ("activation_code", CODE, "is not an input of Activation"),
        ("instanceName", "web", "is not an input of Activation"),
    ],
)
def test_check_says_the_limit_of_the_input_that_breaks_it(
    name: str, value: Any, limit: str
) -> None:
    [problem] = _problems({name: value})
    assert problem.startswith(f"{name}: ")
    assert limit in problem


def test_check_names_every_wrong_input_at_once_and_asks_nothing(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    news = {"instance_name": "1", "instance_count": 0, "tags": {"acs:k": ""}, "when_in_use": ""}
    failures = engine.check(provider, news, None).failures
    assert sorted(failure.reason.partition(":")[0] for failure in failures) == sorted(news)
    assert {failure.property for failure in failures} == {""}
    assert vendor.actions == []


# diff


def _diff(
    engine: Engine, outputs: Mapping[str, Any], olds: Mapping[str, Any], news: Mapping[str, Any]
) -> tuple[bool, list[str]]:
    """Whether anything changes, and what replaces."""
    result = engine.diff(new_provider(), ACTIVATION_ID, outputs, olds, news)
    return result.changes is not False, list(result.replaces or [])


NOTHING: tuple[bool, list[str]] = (False, [])
IN_PLACE: tuple[bool, list[str]] = (True, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instance_name", "other"),
        ("description", "other"),
        ("instance_count", 11),
        ("time_to_live_in_hours", 5),
        ("ip_address_range", "192.168.1.1"),
        ("region", "cn-beijing"),
    ],
)
def test_diff_replaces_for_what_the_vendor_cannot_change(
    engine: Engine, name: str, value: Any
) -> None:
    assert _diff(engine, OUTPUTS, INPUTS, {**INPUTS, name: value}) == (True, [name])


@pytest.mark.parametrize(
    ("olds", "news"),
    [
        ({}, {"tags": {"a": "b"}}),
        ({"tags": {"a": "b"}}, {"tags": {"a": "c"}}),
        ({"tags": {"a": "b"}}, {}),
        ({}, {"resource_group_id": "rg-1"}),
        ({"resource_group_id": "rg-1"}, {"resource_group_id": "rg-2"}),
    ],
)
def test_diff_updates_for_tags_and_resource_group(
    engine: Engine, olds: dict[str, Any], news: dict[str, Any]
) -> None:
    assert _diff(engine, OUTPUTS, {**INPUTS, **olds}, {**INPUTS, **news}) == IN_PLACE


@pytest.mark.parametrize(
    ("olds", "news"),
    [
        ({"resource_group_id": "rg-1"}, {}),
        ({}, {"tags": {}}),
        ({"tags": {}}, {}),
        ({"tags": {"a": "1", "b": "2"}}, {"tags": {"b": "2", "a": "1"}}),
        ({}, {"instance_count": 10}),
        ({"instance_count": 10}, {}),
        ({}, {"time_to_live_in_hours": 4}),
        ({"time_to_live_in_hours": 4}, {}),
        ({}, {"when_in_use": "fail"}),
        ({}, {"rotate_before_hours": 0}),
        ({}, {"adopt_id": OTHER_ID}),
    ],
)
def test_diff_is_empty_for_what_changes_nothing_at_the_vendors(
    engine: Engine, olds: dict[str, Any], news: dict[str, Any]
) -> None:
    outputs = {**OUTPUTS, "expired_time": from_now(hours=4)}
    assert _diff(engine, outputs, {**INPUTS, **olds}, {**INPUTS, **news}) == NOTHING


def test_empty_address_range_is_refused_or_as_good_as_none_given(engine: Engine) -> None:
    """What check takes must not replace a code for nothing."""
    news = {**INPUTS, "ip_address_range": ""}
    if _problems(news) == []:
        assert _diff(engine, OUTPUTS, INPUTS, news) == NOTHING
        assert _diff(engine, OUTPUTS, news, INPUTS) == NOTHING


# Rotation


@pytest.mark.parametrize(
    ("hours_left", "window", "reasons"),
    [
        (4, 1, []),
        (4, 3.9, []),
        (4, 4.1, ["expired_time"]),
        (-1, 0, ["expired_time"]),
        (1, 0, []),
    ],
)
def test_diff_replaces_when_code_is_inside_rotation_window(
    engine: Engine, hours_left: float, window: float, reasons: list[str]
) -> None:
    outputs = {**OUTPUTS, "expired_time": from_now(hours=hours_left)}
    inputs = {**INPUTS, "rotate_before_hours": window}
    assert _diff(engine, outputs, inputs, inputs) == (bool(reasons), reasons)


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({"disabled": True}, ["disabled"]),
        ({"registered_count": 10}, ["registered_count"]),
        ({"registered_count": 9}, []),
        ({"registered_count": 10, "instance_count": 11}, []),
        # A machine that is gone again has used the code up all the same.
        ({"registered_count": 10, "deregistered_count": 10}, ["registered_count"]),
    ],
)
def test_diff_replaces_a_code_that_is_disabled_or_used_up_where_rotation_is_asked_for(
    engine: Engine, changed: dict[str, Any], reasons: list[str]
) -> None:
    outputs = {**OUTPUTS, "expired_time": from_now(hours=4), **changed}
    inputs = {**INPUTS, "rotate_before_hours": 0}
    assert _diff(engine, outputs, inputs, inputs) == (bool(reasons), reasons)
    assert _diff(engine, outputs, INPUTS, INPUTS) == NOTHING


def test_diff_does_not_rotate_what_a_failed_create_left(engine: Engine) -> None:
    """Nothing of it is known yet but its id and code: the update that follows finishes it."""
    outputs = {"activation_id": ACTIVATION_ID, "activation_code": CODE, "region": REGION}
    inputs = {**INPUTS, "rotate_before_hours": 1}
    assert _diff(engine, outputs, inputs, inputs) == NOTHING


# create: the vendor says no


@pytest.mark.parametrize(("code", "status"), CREATE_CODES.items())
def test_create_refused_says_what_to_do_and_is_sent_once(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, code: str, status: int
) -> None:
    vendor.answers(CREATE, refusal(code, status), CREATED)
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    _assert_says_what_to_do(caught.value, "cannot create Activation", CREATE, code)
    assert type(caught.value) is Refused
    assert engine.context.status.message == str(caught.value)
    assert not engine.context.status.details
    assert vendor.actions == [CREATE]


def test_create_refused_with_the_status_200_is_refused_too(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, refusal("ActivationTTL.ExceedLimit", 200), CREATED)
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    code = "ActivationTTL.ExceedLimit"
    _assert_says_what_to_do(caught.value, "cannot create Activation", CREATE, code)
    assert vendor.actions == [CREATE]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("RegionId.ApiNotSupported", "managed instances"),
        ("InstanceName.ExceedLimit", "instance_name"),
        ("InstanceName.InvalidPattern", "instance_name"),
        ("ActivationDesc.ExceedLimit", "description"),
        ("ActivationLimitation.Invalid", "instance_count"),
        ("AddressRange.InvalidPattern", "ip_address_range"),
        ("ActivationCount.ExceedLimit", "Delete unused ones"),
        ("ActivationTTL.ExceedLimit", "time_to_live_in_hours"),
        ("InvalidTagKey.Malformed", "a tag's key"),
        ("InvalidTagValue.Malformed", "a tag's value"),
        ("NumberExceed.Tags", "20"),
        ("MissingParameter.TagKey", "a tag has no key"),
        ("Duplicate.TagKey", "two tags have one key"),
        ("Operation.Forbidden", "open it for the account"),
        ("RealNameAuthenticationError", "by real name"),
        ("ManagedInstanceCountExceedLimit", "Deregister some"),
        ("InvalidResourceGroup.NotFound", "resource_group_id"),
    ],
)
def test_create_refused_speaks_of_the_users_own_inputs(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, code: str, hint: str
) -> None:
    vendor.answers(CREATE, refusal(code))
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    assert hint in caught.value.reason


def test_create_refused_repeats_the_limit_that_the_vendor_names(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    words = "The TTL exceeds the limit of 4."
    vendor.answers(CREATE, refusal("ActivationTTL.ExceedLimit", message=words))
    with pytest.raises(Refused, match="“The TTL exceeds the limit of 4”"):
        engine.create(provider, {**INPUTS, "time_to_live_in_hours": 24})


# create: one token for all tries


@pytest.mark.parametrize(
    "faults",
    [
        [LOST["read_timeout"]],
        [LOST["reset"]],
        [LOST["html_503"]],
        [LOST["empty_body"]],
        [LOST["truncated"]],
        [LOST["error_without_request_id"]],
        [lambda: refusal("InternalError.Dispatch", 500)] * 3,
        [lambda: refusal("InvalidStatus.ResourceGroup", 403)] * 2,
        [lambda: refusal("Throttling.User")] * 3,
        [UNSENT["refused"], LOST["read_timeout"]],
        [lambda: served()],
        [lambda: served(ActivationId=ACTIVATION_ID)],
        [lambda: served(ActivationCode=CODE)],
        [lambda: served(ActivationId=ACTIVATION_ID, ActivationCode=None)],
    ],
    ids=[
        "read timeout",
        "reset",
        "503",
        "empty",
        "truncated",
        "no request id",
        "internal",
        "group",
        "throttled",
        "unsent then lost",
        "neither",
        "no code",
        "no id",
        "null code",
    ],
)
def test_create_is_repeated_with_one_token_until_its_answer_is_whole(
    engine: Engine,
    vendor: Vendor,
    provider: ActivationProvider,
    faults: list[Callable[[], Reply]],
) -> None:
    vendor.answers(CREATE, *[fault() for fault in faults], CREATED)
    vendor.answers(DESCRIBE, listing(activation()))
    assert _stored(engine.create(provider, INPUTS).outs) == OUTPUTS
    tokens = _tokens(vendor)
    assert len(tokens) == len(faults) + 1
    assert len(set(tokens)) == 1
    assert len({request.url for request in vendor.requests(CREATE)}) == 1


def test_next_create_has_another_token_although_its_inputs_are_the_same(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    """Or a rotation would be answered with the old code."""
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(activation()))
    for _ in range(3):
        engine.create(provider, INPUTS)
    assert len(set(_tokens(vendor))) == 3


def test_create_after_a_failed_one_has_another_token(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, refusal("InvalidResourceGroup.NotFound", 404), CREATED)
    vendor.answers(DESCRIBE, listing(activation()))
    with pytest.raises(Refused):
        engine.create(provider, INPUTS)
    engine.create(provider, INPUTS)
    assert len(set(_tokens(vendor))) == 2


@pytest.mark.parametrize("name", LOST)
def test_create_whose_answer_stays_lost_says_where_to_look_and_shows_no_code(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, name: str
) -> None:
    # The time is up after the first try: what the others would say, other tests know.
    engine.context.active = False
    vendor.answers(CREATE, LOST[name]())
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    said = str(caught.value)
    assert_one_line(said)
    assert said.startswith("cannot create Activation: the answer of ECS CreateActivation was lost")
    assert "Look through the region's activations" in said
    assert engine.context.status.message == said
    # Not in a text, and not in what Python keeps of the SDK's exceptions either.
    assert CODE not in everything_said(caught.value)
    assert SECRET_KEY not in everything_said(caught.value)
    assert CODE not in str(engine.context.metadata)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("first", [*LOST.values(), lambda: refusal("InternalError", 500)])
def test_create_that_is_refused_after_a_lost_answer_says_where_to_look(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, first: Callable[[], Reply]
) -> None:
    vendor.answers(CREATE, first(), refusal("Forbidden.RAM", 403))
    with pytest.raises(Refused, match="the key may not do this") as caught:
        engine.create(provider, INPUTS)
    assert "Look through the region's activations for one made just now." in str(caught.value)
    assert CODE not in everything_said(caught.value)


def test_create_that_is_refused_at_last_undoes_what_an_earlier_answer_named(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    unusable = served(ActivationId=ACTIVATION_ID)
    vendor.answers(CREATE, unusable, refusal("InternalError", 500), refusal("Forbidden.RAM", 403))
    vendor.answers(DELETE, served())
    with pytest.raises(Refused, match="It is deleted again"):
        engine.create(provider, INPUTS)
    assert vendor.actions[-1] == DELETE


def test_create_that_is_refused_where_nothing_was_done_says_no_more(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, refusal("Throttling", 400), refusal("Forbidden.RAM", 403))
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    assert vendor.actions == [CREATE] * 2
    assert "Look through" not in str(caught.value)


def test_create_whose_answer_is_cut_short_five_times_is_given_up_and_shows_no_code(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, Raw(TRUNCATED))
    with pytest.raises(Ambiguous, match="Gave up after 5 tries") as caught:
        engine.create(provider, INPUTS)
    assert vendor.actions == [CREATE] * 5
    assert len(set(_tokens(vendor))) == 1
    assert CODE not in everything_said(caught.value)


@pytest.mark.parametrize(("code", "status"), PASSING_CODES.items())
def test_create_with_a_fault_that_stays_is_given_up_after_five_tries(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, code: str, status: int
) -> None:
    vendor.answers(CREATE, refusal(code, status))
    with pytest.raises(Transient) as caught:
        engine.create(provider, INPUTS)
    _assert_says_what_to_do(caught.value, "cannot create Activation", CREATE, code)
    assert "Gave up after 5 tries" in caught.value.reason
    assert "Look through the region's activations" in caught.value.reason
    assert vendor.count(CREATE) == 5


def test_create_whose_answer_lacks_the_code_is_undone(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, served(ActivationId=ACTIVATION_ID))
    vendor.answers(DELETE, served())
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    assert f"{ACTIVATION_ID} was made, but cannot be used." in str(caught.value)
    assert str(caught.value).endswith("It is deleted again. Run `pulumi up` again.")
    assert vendor.actions == [*[CREATE] * 5, DELETE]


def test_create_whose_first_answer_lacks_the_code_and_whose_last_is_lost_is_undone(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, served(ActivationId=ACTIVATION_ID), *[Raw(TRUNCATED)] * 4)
    vendor.answers(DELETE, served())
    with pytest.raises(Ambiguous, match=r"was lost .* It is deleted again"):
        engine.create(provider, INPUTS)
    assert vendor.actions == [*[CREATE] * 5, DELETE]


def test_create_that_was_not_sent_needs_no_looking_for(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, UNSENT["refused"]())
    with pytest.raises(NotSent, match=r"^cannot create Activation: ") as caught:
        engine.create(provider, INPUTS)
    assert_one_line(str(caught.value))
    assert "Look through" not in str(caught.value)
    assert vendor.actions == [CREATE] * 5


def test_create_throttled_ends_with_the_users_timeout(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, refusal("Throttling", x_acs_retry_after="3000"), CREATED)
    with pytest.raises(Throttled, match="Throttling"):
        engine.create(provider, INPUTS, timeout=2)
    assert vendor.count(CREATE) == 1


# create: made, but not finished


def test_create_waits_until_the_activation_shows(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(
        DESCRIBE, listing(), refusal("InternalError", 500), NOT_FOUND, listing(activation())
    )
    assert _stored(engine.create(provider, INPUTS).outs) == OUTPUTS
    assert vendor.actions == [CREATE] + [DESCRIBE] * 4


def _kept(engine: Engine) -> dict[str, Any]:
    kept = engine.context.init_failed
    assert kept.id == ACTIVATION_ID
    properties: dict[str, Any] = rpc.deserialize_properties(kept.properties)
    assert rpc.is_rpc_secret(properties["activation_code"])
    return _stored(properties)


@pytest.mark.parametrize(
    "fault",
    [
        listing(),
        refusal("Forbidden.RAM", 403),
        Raw("<html>", 503, "text/html"),
        listing(activation(CreationTime="yesterday")),
        served(ActivationList=["junk"]),
        served(ActivationList=7),
    ],
    ids=["never shows", "refused", "503", "time", "item", "list"],
)
def test_create_whose_look_up_fails_keeps_id_and_code_and_shows_no_code(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, fault: Reply
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, fault)
    inputs = {**INPUTS, "description": "d", "tags": {"a": "b"}, "when_in_use": "fail"}
    with pytest.raises(InitFailed) as caught:
        engine.create(provider, inputs)
    said = str(caught.value)
    assert_one_line(said)
    assert said.startswith(f"cannot create Activation: {ACTIVATION_ID} is made and kept")
    assert CODE not in everything_said(caught.value)
    assert list(engine.context.init_failed.reasons) == [engine.context.status.message] == [said]
    kept = _kept(engine)
    assert kept.pop("__provider")
    assert kept == {
        "activation_id": ACTIVATION_ID,
        "activation_code": CODE,
        "description": "d",
        "tags": {"a": "b"},
        "region": REGION,
    }
    assert vendor.count(CREATE) == 1


def test_update_finishes_what_the_create_left(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, refusal("Forbidden.RAM", 403), listing(activation()))
    with pytest.raises(InitFailed):
        engine.create(provider, INPUTS)
    kept = _kept(engine)
    assert _diff(engine, kept, INPUTS, INPUTS) == NOTHING
    outs = engine.update(provider, ACTIVATION_ID, kept, INPUTS).outs
    assert outs is not None
    assert rpc.is_rpc_secret(outs["activation_code"])
    assert _stored(outs) == OUTPUTS
    assert vendor.count(CREATE) == 1


def test_create_for_an_engine_that_has_gone_deletes_the_activation(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    engine.context.active = False
    vendor.answers(CREATE, CREATED)
    vendor.answers(DELETE, served())
    with pytest.raises(Gone):
        engine.create(provider, INPUTS)
    assert vendor.actions == [CREATE, DELETE]
    assert vendor.queries(DELETE) == [{"ActivationId": ACTIVATION_ID}]


# read


@pytest.mark.parametrize("wrapped", [False, True], ids=["list", "wrapped"])
def test_refresh_of_several_asks_for_pages(engine: Engine, vendor: Vendor, wrapped: bool) -> None:
    ids = [f"{number:08}-56F1-4FBC-9AB1-890F1234****" for number in range(52)]
    items = [activation(ActivationId=id) for id in ids]
    # By its id, and then by pages.
    vendor.answers(DESCRIBE, listing(items[0]))
    for page in (items[:50], items[50:]):
        shown: Any = {"Activation": page} if wrapped else page
        vendor.answers(DESCRIBE, served(ActivationList=shown, TotalCount=52))
    provider = new_provider()
    for id in ids:
        result = engine.read(provider, id, {**OUTPUTS, "activation_id": id}, INPUTS)
        assert result.id == id
    assert vendor.queries(DESCRIBE) == [
        {"ActivationId": ids[0]},
        {"PageNumber": "1", "PageSize": "50"},
        {"PageNumber": "2", "PageSize": "50"},
    ]


def test_read_of_an_activation_as_it_was_changes_nothing(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DESCRIBE, listing(activation()))
    result = engine.read(provider, ACTIVATION_ID, OUTPUTS, INPUTS)
    assert result.id == ACTIVATION_ID
    assert result.outs is not None
    assert rpc.is_rpc_secret(result.outs["activation_code"])
    assert _stored(result.outs) == OUTPUTS
    assert result.inputs == INPUTS
    assert vendor.actions == [DESCRIBE]


@pytest.mark.parametrize(
    "answer",
    [
        listing(),
        served(ActivationList=None),
        served(),
        served(ActivationList={"Activation": []}),
        listing(activation(ActivationId=OTHER_ID)),
        NOT_FOUND,
    ],
    ids=["empty", "null", "absent", "wrapped", "another", "not found"],
)
def test_read_of_an_activation_that_is_gone_is_an_empty_id(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, answer: Reply
) -> None:
    vendor.answers(DESCRIBE, answer)
    assert engine.read(provider, ACTIVATION_ID, OUTPUTS, INPUTS).id == ""


@pytest.mark.parametrize(("code", "status"), DESCRIBE_CODES.items())
def test_read_refused_says_what_to_do_and_does_not_take_the_activation_for_gone(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, code: str, status: int
) -> None:
    vendor.answers(DESCRIBE, refusal(code, status))
    with pytest.raises(Refused) as caught:
        engine.read(provider, ACTIVATION_ID, OUTPUTS, INPUTS)
    operation = f"cannot read Activation {ACTIVATION_ID}"
    _assert_says_what_to_do(caught.value, operation, DESCRIBE, code)
    assert vendor.count(DESCRIBE) == 1


@pytest.mark.parametrize("name", ["read_timeout", "html_503", "truncated"])
def test_read_whose_answer_is_lost_is_asked_for_again(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, name: str
) -> None:
    vendor.answers(DESCRIBE, LOST[name](), listing(activation()))
    assert engine.read(provider, ACTIVATION_ID, OUTPUTS, INPUTS).id == ACTIVATION_ID


def test_read_of_an_activation_that_machines_have_used_makes_no_diff(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    used = activation(RegisteredCount=7, DeregisteredCount=2, Disabled=True)
    vendor.answers(DESCRIBE, listing(used))
    result = engine.read(provider, ACTIVATION_ID, OUTPUTS, INPUTS)
    outs = _stored(result.outs)
    assert (outs["registered_count"], outs["deregistered_count"], outs["disabled"]) == (7, 2, True)
    assert result.inputs == INPUTS
    assert _diff(engine, outs, INPUTS, INPUTS) == NOTHING


def test_read_of_the_vendors_own_tags_makes_no_drift(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    tags = [{"TagKey": "k", "TagValue": "v"}, {"TagKey": "acs:rm:rgId", "TagValue": "rg-1"}]
    vendor.answers(DESCRIBE, listing(activation(Tags=tags)))
    inputs = {**INPUTS, "tags": {"k": "v"}}
    result = engine.read(provider, ACTIVATION_ID, {**OUTPUTS, "tags": {"k": "v"}}, inputs)
    assert result.inputs == inputs


def _drift(
    engine: Engine, vendor: Vendor, inputs: Mapping[str, Any], changed: Mapping[str, Any]
) -> tuple[bool, list[str]]:
    """What the next diff says when the cloud's activation was changed after the create."""
    provider = new_provider()
    vendor.answers(DESCRIBE, listing(activation(**changed)))
    result = engine.read(provider, ACTIVATION_ID, {**OUTPUTS, **inputs}, inputs)
    return _diff(engine, _stored(result.outs), result.inputs or {}, inputs)


@pytest.mark.parametrize(
    ("inputs", "changed", "expected"),
    [
        ({"description": "d"}, {"Description": "other"}, (True, ["description"])),
        ({"tags": {"a": "b"}}, {"Tags": []}, IN_PLACE),
        ({"tags": {"a": "b"}}, {"Tags": [{"TagKey": "a", "TagValue": "c"}]}, IN_PLACE),
        ({}, {"Tags": [{"TagKey": "a", "TagValue": "c"}]}, IN_PLACE),
        ({"resource_group_id": "rg-1"}, {"ResourceGroupId": "rg-2"}, IN_PLACE),
        ({}, {"ResourceGroupId": "rg-2"}, NOTHING),
    ],
)
def test_read_of_a_changed_activation_brings_drift_that_the_next_diff_mends(
    engine: Engine,
    vendor: Vendor,
    inputs: dict[str, Any],
    changed: dict[str, Any],
    expected: tuple[bool, list[str]],
) -> None:
    assert _drift(engine, vendor, {**INPUTS, **inputs}, changed) == expected


def test_read_of_an_activation_moved_to_the_default_group_brings_drift(
    engine: Engine, vendor: Vendor
) -> None:
    """The default group has no id in the vendor's answer."""
    inputs = {**INPUTS, "resource_group_id": "rg-1"}
    assert _drift(engine, vendor, inputs, {"ResourceGroupId": ""}) == IN_PLACE


# get and adopt


def _without_code(**changes: Any) -> dict[str, Any]:
    outputs = {**OUTPUTS, **changes}
    del outputs["activation_code"]
    return outputs


def test_get_has_all_outputs_but_the_code(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    url = "https://ecs.cn-beijing.aliyuncs.com/"
    shown = activation(TimeToLiveInHours=24, InstanceName="web")
    vendor.answers(DESCRIBE, listing(shown), url=url)
    result = engine.read(provider, ACTIVATION_ID, None, {"region": "cn-beijing"})
    assert result.id == ACTIVATION_ID
    assert result.outs == _without_code(
        time_to_live_in_hours=24,
        expired_time="2021-01-21T06:00:00Z",
        instance_name="web",
        region="cn-beijing",
    )


def test_get_of_an_activation_that_is_not_there_says_so(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DESCRIBE, listing())
    said = f"there is no Activation {re.escape(ACTIVATION_ID)} in {REGION}"
    with pytest.raises(Gone, match=said):
        engine.read(provider, ACTIVATION_ID, None, {})


ADOPT = {**INPUTS, "adopt_id": ACTIVATION_ID}


def test_adopt_takes_over_an_activation_without_its_code(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    tags = [{"TagKey": "k", "TagValue": "v"}, {"TagKey": "acs:rm:rgId", "TagValue": "rg-1"}]
    vendor.answers(DESCRIBE, listing(activation(Tags=tags)))
    news = {**ADOPT, "instance_count": 10, "time_to_live_in_hours": 4, "tags": {"k": "v"}}
    result = engine.create(provider, news)
    assert result.id == ACTIVATION_ID
    assert result.outs == _without_code(tags={"k": "v"})
    assert set(vendor.actions) == {DESCRIBE}


@pytest.mark.parametrize("given", ["0.0.0.0/0", None])
def test_adopt_takes_over_an_activation_for_any_address(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, given: str | None
) -> None:
    vendor.answers(DESCRIBE, listing(activation(IpAddressRange="0.0.0.0/0")))
    result = engine.create(provider, {**ADOPT, "ip_address_range": given})
    assert result.id == ACTIVATION_ID
    assert result.outs == _without_code(ip_address_range="0.0.0.0/0")


@pytest.mark.parametrize(
    ("before", "after", "replaces"),
    [
        (None, "0.0.0.0/0", False),
        ("0.0.0.0/0", None, False),
        ("192.0.2.1", "192.0.2.1/32", False),
        ("192.0.2.77/24", "192.0.2.0/24", False),
        ("2001:DB8::", "2001:db8::/128", False),
        (None, "::/0", True),
        ("192.0.2.1", "192.0.2.1/31", True),
    ],
)
def test_addresses_are_compared_by_what_they_mean(
    engine: Engine, provider: ActivationProvider, before: Any, after: Any, replaces: bool
) -> None:
    olds, news = ({**INPUTS, "ip_address_range": value} for value in (before, after))
    outputs = {**OUTPUTS, "ip_address_range": before or "0.0.0.0/0"}
    diff = engine.diff(provider, ACTIVATION_ID, outputs, olds, news)
    assert bool(diff.replaces) is replaces


@pytest.mark.parametrize(
    ("name", "shown"),
    [("instance_count", "InstanceCount"), ("time_to_live_in_hours", "TimeToLiveInHours")],
)
def test_adopt_takes_what_is_not_shown_for_what_the_program_says(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, name: str, shown: str
) -> None:
    vendor.answers(DESCRIBE, listing(activation(**{shown: None})))
    outs = engine.create(provider, {**ADOPT, name: 571}).outs
    assert outs is not None
    assert outs[name] == 571


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instance_name", "5e1f-text"),
        ("description", "5e1f-text"),
        ("instance_count", 571),
        ("time_to_live_in_hours", 571),
        ("ip_address_range", "5.7.1.5"),
    ],
)
def test_adopt_of_an_activation_that_is_otherwise_is_refused_by_the_inputs_name_not_its_value(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, name: str, value: Any
) -> None:
    vendor.answers(DESCRIBE, listing(activation()))
    with pytest.raises(Error, match=name) as caught:
        engine.create(provider, {**ADOPT, name: value})
    said = str(caught.value)
    assert_one_line(said)
    assert ACTIVATION_ID in said
    assert "5e1f" not in said
    assert "571" not in said
    assert vendor.actions == [DESCRIBE]


def test_adopt_brings_tags_and_resource_group_to_what_the_program_gives(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    after = activation(ResourceGroupId="rg-2", **_tags(a="2"))
    vendor.answers(DESCRIBE, listing(activation(**_tags(a="1", b="1"))), listing(after))
    for action in (TAG, UNTAG, JOIN):
        vendor.answers(action, served())
    news = {**ADOPT, "tags": {"a": "2"}, "resource_group_id": "rg-2"}
    result = engine.create(provider, news)
    assert result.id == ACTIVATION_ID
    assert result.outs == _without_code(tags={"a": "2"}, resource_group_id="rg-2")
    assert vendor.queries(UNTAG) == [{**_WHICH, "TagKey.1": "b"}]
    assert vendor.queries(TAG) == [{**_WHICH, "Tag.1.Key": "a", "Tag.1.Value": "2"}]
    assert vendor.queries(JOIN)[0]["ResourceGroupId"] == "rg-2"
    assert CREATE not in vendor.actions


def test_adopt_leaves_tags_and_resource_group_that_the_program_does_not_give(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DESCRIBE, listing(activation(ResourceGroupId="rg-2", **_tags(a="1"))))
    result = engine.create(provider, ADOPT)
    assert result.outs == _without_code(tags={"a": "1"}, resource_group_id="rg-2")
    assert set(vendor.actions) == {DESCRIBE}


def test_adopt_of_an_activation_that_is_not_there_is_refused(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DESCRIBE, listing())
    with pytest.raises(Gone, match="adopt_id"):
        engine.create(provider, ADOPT)
    assert vendor.actions == [DESCRIBE]


def test_adopt_id_is_ignored_when_an_existing_activation_is_replaced(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    news = {**INPUTS, "adopt_id": OTHER_ID, "instance_count": 20}
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(activation(InstanceCount=20)))
    engine.check(provider, news, {**INPUTS, "adopt_id": OTHER_ID})
    assert engine.create(provider, news).id == ACTIVATION_ID
    assert vendor.count(CREATE) == 1


# update


def _update(
    engine: Engine,
    vendor: Vendor,
    now: Mapping[str, Any],
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
) -> dict[str, Any]:
    """The outputs of an update of what the vendor shows."""
    vendor.answers(DESCRIBE, listing(activation(**now)))
    for action in (TAG, UNTAG, JOIN):
        vendor.answers(action, served())
    provider = new_provider()
    old_inputs, new_inputs = {**INPUTS, **olds}, {**INPUTS, **news}
    result = engine.update(provider, ACTIVATION_ID, OUTPUTS, new_inputs, old_inputs)
    return _stored(result.outs)


def _tags(**tags: str) -> dict[str, Any]:
    """What the vendor shows of tags."""
    return {"Tags": [{"TagKey": key, "TagValue": text} for key, text in tags.items()]}


_WHICH = {"ResourceType": "activation", "ResourceId.1": ACTIVATION_ID}


def test_update_untags_and_tags_just_what_has_changed(engine: Engine, vendor: Vendor) -> None:
    now = _tags(kept="1", changed="1", removed="1")
    news = {"kept": "1", "changed": "2", "added": ""}
    _update(engine, vendor, now, {"tags": {"kept": "1"}}, {"tags": news})
    assert vendor.actions == [DESCRIBE, UNTAG, TAG, DESCRIBE]
    assert vendor.queries(UNTAG) == [{**_WHICH, "TagKey.1": "removed"}]
    [tagged] = vendor.queries(TAG)
    assert _pop_tags(tagged) == {"changed": "2", "added": ""}
    assert tagged == _WHICH


def test_update_takes_all_tags_away_but_the_vendors_own(engine: Engine, vendor: Vendor) -> None:
    now = _tags(a="1", b="2", **{"acs:rm:rgId": "rg-1", "aliyun": "x"})
    _update(engine, vendor, now, {"tags": {"a": "1", "b": "2"}}, {})
    [untagged] = vendor.queries(UNTAG)
    assert {untagged.pop("TagKey.1"), untagged.pop("TagKey.2")} == {"a", "b"}
    assert untagged == _WHICH
    assert vendor.count(TAG) == 0


def test_update_of_tags_that_are_there_already_changes_nothing(
    engine: Engine, vendor: Vendor
) -> None:
    """As after an update that was cut short: what is in the cloud counts."""
    _update(engine, vendor, _tags(a="1"), {}, {"tags": {"a": "1"}})
    assert vendor.actions == [DESCRIBE, DESCRIBE]


_FEW_TAGS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("xyz"), max_size=5)


@settings(max_examples=20)
@given(_FEW_TAGS, _FEW_TAGS)
def test_update_brings_any_tags_to_any_others(
    before: dict[str, str], after: dict[str, str]
) -> None:
    there = dict(before)

    def serve(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        parameters = query(request)
        match request.headers["x-acs-action"]:
            case "UntagResources":
                for name, key in parameters.items():
                    if name.startswith("TagKey."):
                        del there[key]
            case "TagResources":
                for number in range(1, 6):
                    if f"Tag.{number}.Key" in parameters:
                        key = parameters[f"Tag.{number}.Key"]
                        assert there.get(key) != parameters[f"Tag.{number}.Value"]
                        there[key] = parameters[f"Tag.{number}.Value"]
        return 200, {}, json.dumps(listing(activation(**_tags(**there))))

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.POST, f"https://{HOST}/", callback=serve)
        provider = new_provider()
        olds, news = {**INPUTS, "tags": before}, {**INPUTS, "tags": after}
        outs = Engine("urn").update(provider, ACTIVATION_ID, OUTPUTS, news, olds).outs
    assert there == after
    assert _stored(outs).get("tags", {}) == after


def test_update_joins_another_resource_group(engine: Engine, vendor: Vendor) -> None:
    outs = _update(engine, vendor, {"ResourceGroupId": "rg-2"}, {}, {"resource_group_id": "rg-2"})
    assert vendor.queries(JOIN) == [
        {
            "ResourceType": "activation",
            "ResourceId": ACTIVATION_ID,
            "ResourceGroupId": "rg-2",
        }
    ]
    assert vendor.actions == [DESCRIBE, JOIN, DESCRIBE]
    assert outs == {**OUTPUTS, "resource_group_id": "rg-2"}


def test_update_that_takes_the_resource_group_out_leaves_the_activation_in_it(
    engine: Engine, vendor: Vendor
) -> None:
    olds = {"resource_group_id": "rg-1", "tags": {"a": "1"}}
    outs = _update(engine, vendor, {"ResourceGroupId": "rg-1"}, olds, {"tags": {"a": "2"}})
    assert vendor.actions == [DESCRIBE, TAG, DESCRIBE]
    assert outs["resource_group_id"] == "rg-1"


def test_update_keeps_the_code(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DESCRIBE, listing(activation(**_tags(a="1"))))
    vendor.answers(TAG, served())
    news = {**INPUTS, "tags": {"a": "2"}}
    outs = engine.update(provider, ACTIVATION_ID, OUTPUTS, news, INPUTS).outs
    assert outs is not None
    assert rpc.is_rpc_secret(outs["activation_code"])
    assert _stored(outs)["activation_code"] == CODE


@pytest.mark.parametrize("action", [TAG, UNTAG, JOIN])
@pytest.mark.parametrize(("code", "status"), CHANGE_CODES.items())
def test_update_refused_says_what_to_do(
    engine: Engine,
    vendor: Vendor,
    provider: ActivationProvider,
    action: str,
    code: str,
    status: int,
) -> None:
    changes: dict[str, dict[str, Any]] = {
        TAG: {"tags": {"a": "1", "b": "1"}},
        UNTAG: {"tags": {}},
        JOIN: {"tags": {"a": "1"}, "resource_group_id": "rg-2"},
    }
    changed = changes[action]
    vendor.answers(DESCRIBE, listing(activation(**_tags(a="1"))))
    vendor.answers(action, refusal(code, status), served())
    olds = {**INPUTS, "tags": {"a": "1"}}
    with pytest.raises(Refused) as caught:
        engine.update(provider, ACTIVATION_ID, OUTPUTS, {**INPUTS, **changed}, olds)
    operation = f"cannot update Activation {ACTIVATION_ID}"
    _assert_says_what_to_do(caught.value, operation, action, code)
    assert vendor.count(action) == 1


def test_update_of_an_activation_that_is_gone_meanwhile_says_what_to_do(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DESCRIBE, listing(activation()))
    vendor.answers(TAG, NOT_FOUND)
    with pytest.raises(Refused) as caught:
        engine.update(provider, ACTIVATION_ID, OUTPUTS, {**INPUTS, "tags": {"a": "1"}}, INPUTS)
    operation = f"cannot update Activation {ACTIVATION_ID}"
    _assert_says_what_to_do(caught.value, operation, TAG, "ActivationId.NotFound")


def test_update_of_an_activation_that_never_shows_says_what_to_do(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DESCRIBE, listing())
    with pytest.raises(Gone, match="pulumi refresh"):
        engine.update(provider, ACTIVATION_ID, OUTPUTS, {**INPUTS, "tags": {"a": "1"}}, INPUTS)
    assert set(vendor.actions) == {DESCRIBE}


def test_update_whose_answer_is_lost_is_sent_again(engine: Engine, vendor: Vendor) -> None:
    vendor.answers(TAG, LOST["read_timeout"](), refusal("Throttling.User"))
    _update(engine, vendor, {}, {}, {"tags": {"a": "1"}})
    assert vendor.count(TAG) == 3


# delete


def _remove(*, replaces: bool = False, **inputs: Any) -> Hurried:
    """Delete it; the call knows what the engine was told."""
    call = Hurried(replaces=replaces)
    provider = new_provider()
    api = provider.connect(REGION, call, Deadline(300))
    provider.remove(api, ACTIVATION_ID, {**INPUTS, **inputs})
    return call


def _machine(number: int, **fields: Any) -> dict[str, Any]:
    return {"InstanceId": f"mi-hz{number:03}", "InstanceName": f"web-{number:03}", **fields}


def _machines(*machines: Mapping[str, Any], next_token: str = "") -> dict[str, Any]:
    return served(Instances=list(machines), NextToken=next_token, PageSize=50)


@pytest.mark.parametrize(
    "answers",
    [
        [served(Activation={})],
        [NOT_FOUND],
        [refusal("Throttling"), served()],
        [refusal("InternalError.Dispatch", 500), served()],
        [LOST["html_503"](), NOT_FOUND],
        [LOST["read_timeout"](), NOT_FOUND],
    ],
    ids=["served", "gone", "throttled", "fault", "503", "timeout"],
)
def test_delete_is_done_when_the_activation_is_gone(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, answers: list[Reply]
) -> None:
    url = "https://ecs.cn-beijing.aliyuncs.com/"
    vendor.answers(DELETE, *answers, url=url)
    outputs = {**OUTPUTS, "region": "cn-beijing"}
    engine.delete(provider, ACTIVATION_ID, outputs)
    assert vendor.actions == [DELETE] * len(answers)
    assert vendor.queries(DELETE) == [{"ActivationId": ACTIVATION_ID}] * len(answers)
    assert query(vendor.requests(DELETE)[0])["RegionId"] == "cn-beijing"


@pytest.mark.parametrize(("code", "status"), DELETE_CODES.items())
def test_delete_refused_says_what_to_do_and_is_no_success(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, code: str, status: int
) -> None:
    vendor.answers(DELETE, refusal(code, status))
    with pytest.raises(Refused) as caught:
        engine.delete(provider, ACTIVATION_ID, OUTPUTS)
    operation = f"cannot delete Activation {ACTIVATION_ID}"
    _assert_says_what_to_do(caught.value, operation, DELETE, code)
    assert not isinstance(caught.value, NotFound)
    assert vendor.actions == [DELETE]


@pytest.mark.parametrize(
    ("replaces", "inputs"),
    [
        (False, {}),
        (False, {"when_in_use": "disable"}),
        # Its machines go on; only the code is another one.
        (True, {"when_in_use": "deregister"}),
        (True, {"when_in_use": "fail"}),
    ],
)
def test_delete_of_a_used_activation_disables_it_and_warns_that_its_record_stays(
    vendor: Vendor, replaces: bool, inputs: dict[str, Any]
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(DISABLE, refusal("Throttling"), served(Activation={}))
    call = _remove(replaces=replaces, **inputs)
    assert vendor.actions == [DELETE, DISABLE, DISABLE]
    assert vendor.queries(DISABLE)[0] == {"ActivationId": ACTIVATION_ID}
    [warned] = call.warned
    assert_one_line(warned)
    assert ACTIVATION_ID in warned
    assert "It is disabled" in warned
    assert "its record stays" in warned
    assert "The machines stay registered." in warned


def test_delete_takes_what_to_do_in_use_from_the_last_runs_inputs(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(MACHINES, _machines(_machine(1)))
    inputs = {**INPUTS, "when_in_use": "fail"}
    with pytest.raises(Refused, match="mi-hz001"):
        engine.delete(provider, ACTIVATION_ID, OUTPUTS, inputs)
    assert vendor.actions == [DELETE, MACHINES]


@pytest.mark.parametrize(("code", "status"), DELETE_CODES.items())
def test_delete_of_a_used_activation_that_cannot_be_disabled_fails(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, code: str, status: int
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(DISABLE, refusal(code, status))
    with pytest.raises(Refused) as caught:
        engine.delete(provider, ACTIVATION_ID, OUTPUTS)
    operation = f"cannot delete Activation {ACTIVATION_ID}"
    _assert_says_what_to_do(caught.value, operation, DISABLE, code)


def test_delete_of_a_used_activation_that_is_gone_before_it_is_disabled_is_done(
    vendor: Vendor,
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(DISABLE, NOT_FOUND)
    call = _remove()
    assert vendor.actions == [DELETE, DISABLE]
    # It would be untrue of what is no more.
    assert [text for text in call.warned if "record stays" in text] == []


def test_delete_that_is_to_fail_in_use_names_the_machines_of_all_pages(
    engine: Engine, vendor: Vendor, provider: ActivationProvider
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(
        MACHINES,
        _machines(_machine(1), {"InstanceName": "has no id"}, _machine(2), next_token="page2"),
        _machines(next_token="page3"),
        _machines(_machine(3, InstanceName="", Hostname="db.local")),
    )
    inputs = {**INPUTS, "when_in_use": "fail"}
    with pytest.raises(Refused) as caught:
        engine.delete(provider, ACTIVATION_ID, OUTPUTS, inputs)
    said = str(caught.value)
    operation = f"cannot delete Activation {ACTIVATION_ID}"
    _assert_says_what_to_do(caught.value, operation, DELETE, "ActivationId.InUse")
    for name in ("mi-hz001 (web-001)", "mi-hz002 (web-002)", "mi-hz003 (db.local)"):
        assert name in said
    assert "when_in_use" in said
    page = {"ActivationId": ACTIVATION_ID, "MaxResults": "50"}
    assert vendor.queries(MACHINES) == [
        page,
        {**page, "NextToken": "page2"},
        {**page, "NextToken": "page3"},
    ]
    assert vendor.actions == [DELETE, MACHINES, MACHINES, MACHINES]


@pytest.mark.parametrize(
    "answer", [_machines(), served(Instances=None), served(Instances={"Instance": []})]
)
def test_delete_that_is_to_fail_in_use_says_so_although_no_machine_shows(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, answer: Reply
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(MACHINES, answer)
    with pytest.raises(Refused) as caught:
        engine.delete(provider, ACTIVATION_ID, {**OUTPUTS, "when_in_use": "fail"})
    operation = f"cannot delete Activation {ACTIVATION_ID}"
    _assert_says_what_to_do(caught.value, operation, DELETE, "ActivationId.InUse")


def test_delete_that_is_to_fail_in_use_names_a_machine_without_names_by_its_id_alone(
    vendor: Vendor,
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(MACHINES, _machines({"InstanceId": "mi-hz001"}))
    with pytest.raises(Refused, match="mi-hz001") as caught:
        _remove(when_in_use="fail")
    assert "None" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [refusal("Forbidden.RAM", 403), Raw("", 500)],
    ids=["refused", "lost"],
)
def test_delete_that_is_to_fail_in_use_fails_although_the_machines_cannot_be_listed(
    vendor: Vendor, fault: Reply
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(MACHINES, fault)
    with pytest.raises(Error):
        _remove(when_in_use="fail")
    assert DISABLE not in vendor.actions


def test_delete_deregisters_the_machines_of_all_pages_and_then_deletes(vendor: Vendor) -> None:
    vendor.answers(DELETE, IN_USE, served())
    vendor.answers(
        MACHINES,
        _machines(_machine(1), _machine(2), next_token="page2"),
        _machines(_machine(3)),
    )
    # One is gone by now; of another the answer is lost.
    gone = refusal("InvalidInstance.NotFound", 404)
    vendor.answers(DEREGISTER, served(), gone, LOST["reset"](), served())
    vendor.answers(DISABLE, served())
    call = _remove(when_in_use="deregister")
    assert [parameters["InstanceId"] for parameters in vendor.queries(DEREGISTER)] == [
        "mi-hz001",
        "mi-hz002",
        "mi-hz003",
        "mi-hz003",
    ]
    assert vendor.actions[-1] == DELETE
    assert vendor.count(DELETE) == 2
    # Before the machines are listed, so that none joins meanwhile.
    assert vendor.actions[:3] == [DELETE, DISABLE, MACHINES]
    assert call.warned == []
    assert "deregistering mi-hz001" in call.said


def test_delete_deregisters_the_machines_of_a_listing_in_the_older_form(vendor: Vendor) -> None:
    vendor.answers(DELETE, IN_USE, served())
    vendor.answers(DISABLE, served())
    vendor.answers(MACHINES, served(Instances={"Instance": [_machine(1)]}))
    vendor.answers(DEREGISTER, served())
    assert _remove(when_in_use="deregister").warned == []
    assert vendor.queries(DEREGISTER) == [{"InstanceId": "mi-hz001"}]


def test_delete_that_is_still_in_use_after_deregistering_disables_and_warns(
    vendor: Vendor,
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(MACHINES, _machines(_machine(1)))
    vendor.answers(DEREGISTER, served())
    vendor.answers(DISABLE, served())
    call = _remove(when_in_use="deregister")
    assert vendor.actions == [DELETE, DISABLE, MACHINES, DEREGISTER, DELETE]
    [warned] = call.warned
    assert_one_line(warned)
    assert "It is disabled" in warned
    assert "The machines are deregistered." in warned


def test_delete_of_one_whose_machines_do_not_show_does_not_say_that_they_are_deregistered(
    vendor: Vendor,
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(MACHINES, _machines())
    vendor.answers(DISABLE, served())
    [warned] = _remove(when_in_use="deregister").warned
    assert "It is disabled" in warned
    assert "No machine shows as registered with it." in warned


@pytest.mark.parametrize(("code", "status"), DELETE_CODES.items())
def test_delete_whose_machine_cannot_be_deregistered_fails_and_leaves_the_activation(
    engine: Engine, vendor: Vendor, provider: ActivationProvider, code: str, status: int
) -> None:
    vendor.answers(DELETE, IN_USE)
    vendor.answers(MACHINES, _machines(_machine(1)))
    vendor.answers(DEREGISTER, refusal(code, status))
    vendor.answers(DISABLE, served())
    inputs = {**INPUTS, "when_in_use": "deregister"}
    with pytest.raises(Refused) as caught:
        engine.delete(provider, ACTIVATION_ID, OUTPUTS, inputs)
    operation = f"cannot delete Activation {ACTIVATION_ID}"
    _assert_says_what_to_do(caught.value, operation, DEREGISTER, code)
    assert vendor.actions == [DELETE, DISABLE, MACHINES, DEREGISTER]


def test_delete_deregisters_every_machine_although_the_pages_shrink_meanwhile(
    vendor: Vendor,
) -> None:
    """A page's token may be a place in the list as it is when the page is asked for."""
    registered = [_machine(number) for number in range(7)]

    def serve(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        parameters = query(request)
        match request.headers["x-acs-action"]:
            case "DescribeManagedInstances":
                start = int(parameters.get("NextToken", 0))
                page = registered[start : start + 5]
                more = str(start + 5) if start + 5 < len(registered) else ""
                answer: Mapping[str, Any] = _machines(*page, next_token=more)
            case "DeregisterManagedInstance":
                registered[:] = [
                    machine
                    for machine in registered
                    if machine["InstanceId"] != parameters["InstanceId"]
                ]
                answer = served()
            case "DeleteActivation" if registered:
                return IN_USE.status, {}, str(IN_USE.body)
            case _:
                answer = served()
        return 200, {}, json.dumps(answer)

    vendor.mock.add_callback(responses.POST, f"https://{HOST}/", callback=serve)
    call = _remove(when_in_use="deregister")
    assert [machine["InstanceId"] for machine in registered] == []
    assert call.warned == []


# The commands that a machine runs, derived in the program


class _Mocks(pulumi.runtime.Mocks):
    """An engine that creates nothing: a resource has the outputs that the test gives it."""

    def __init__(self, outputs: Mapping[str, Any]) -> None:
        self.outputs = outputs
        self.registered: list[pulumi.runtime.MockResourceArgs] = []

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        self.registered.append(args)
        return ACTIVATION_ID, {**args.inputs, **self.outputs}

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


COMMANDS = ("linux_register_command", "windows_register_command")


def _program(
    outputs: Mapping[str, Any], make: Callable[..., Activation] = Activation, **arguments: Any
) -> tuple[dict[str, Any], _Mocks]:
    """A program's activation: each output's value, and whether it is a secret."""
    mocks = _Mocks(outputs)
    pulumi.runtime.set_mocks(mocks)
    seen: dict[str, Any] = {}

    async def look(made: Activation) -> None:
        for name in (*OUTPUTS, *COMMANDS):
            output = getattr(made, name)
            seen[name] = (await output.future(), await output.is_secret())

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        return pulumi.Output.from_input(look(make("web", **arguments)))

    run()
    return seen, mocks


def test_linux_command_registers_with_the_agents_own_flags() -> None:
    seen, _ = _program(OUTPUTS)
    command, secret = seen["linux_register_command"]
    # The code's + and * must reach the agent as they are.
    assert command == (
        f"aliyun-service --register --RegionId {REGION} "
        f"--ActivationCode '{CODE}' --ActivationId '{ACTIVATION_ID}'"
    )
    assert secret


@pytest.mark.parametrize(
    "code",
    [CODE, "a/b+c=", "a b", "it's", 'say "x"', "$(reboot)", "`reboot`;", "*\\", "a\nb", "-x", ""],
)
def test_linux_command_brings_any_code_to_the_agent_as_one_word(code: str) -> None:
    seen, _ = _program({**OUTPUTS, "activation_code": code})
    assert shlex.split(seen["linux_register_command"][0]) == [
        "aliyun-service",
        "--register",
        "--RegionId",
        REGION,
        "--ActivationCode",
        code,
        "--ActivationId",
        ACTIVATION_ID,
    ]


def test_windows_command_installs_and_registers_with_each_value_in_quotes() -> None:
    seen, _ = _program(OUTPUTS)
    assert seen["windows_register_command"] == (
        f'aliyun_agent_latest_setup.exe /S --register --RegionId="{REGION}" '
        f'--ActivationCode="{CODE}" --ActivationId="{ACTIVATION_ID}"',
        True,
    )


def test_commands_are_none_where_there_is_no_code() -> None:
    seen, _ = _program({**OUTPUTS, "activation_code": None})
    assert [seen[name][0] for name in ("activation_code", *COMMANDS)] == [None, None, None]


def test_code_is_a_secret_in_the_program_and_nothing_else_is() -> None:
    seen, _ = _program(OUTPUTS)
    assert {name: seen[name] for name in OUTPUTS} == {
        name: (value, name == "activation_code") for name, value in OUTPUTS.items()
    }


def _given(registered: pulumi.runtime.MockResourceArgs) -> dict[str, Any]:
    """What the program gives the engine of its own."""
    return {
        name: value
        for name, value in registered.inputs.items()
        if value is not None and not name.startswith("__")
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"instance_count": 3, "tags": {"a": "b"}, "when_in_use": "fail"},
        {
            "instance_name": "web",
            "description": "d",
            "instance_count": 3,
            "time_to_live_in_hours": 24,
            "ip_address_range": "192.0.2.0/24",
            "resource_group_id": "rg-1",
            "tags": {"a": "b"},
            "region": "cn-beijing",
            "rotate_before_hours": 1,
            "when_in_use": "fail",
            "adopt_id": ACTIVATION_ID,
        },
    ],
    ids=["some", "all"],
)
def test_program_registers_under_the_fixed_type_with_its_own_inputs_alone(
    arguments: dict[str, Any],
) -> None:
    _, mocks = _program(OUTPUTS, **arguments)
    [registered] = mocks.registered
    assert registered.typ == "pulumi-python:dynamic/alicloud/ecs:Activation"
    assert _given(registered) == arguments
    assert not registered.resource_id


def test_get_reads_the_activation_of_that_id_in_that_region() -> None:
    _, mocks = _program(OUTPUTS, Activation.get, id=OTHER_ID, region="cn-beijing")
    [read] = mocks.registered
    assert read.resource_id == OTHER_ID
    assert _given(read) == {"region": "cn-beijing"}


def test_provider_in_the_program_holds_neither_key_nor_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALICLOUD_SECRET_KEY", SECRET_KEY)
    _, mocks = _program(OUTPUTS)
    serialized = mocks.registered[0].inputs["__provider"]
    assert isinstance(serialized, str)
    assert len(serialized) < 120
    assert SECRET_KEY not in json.dumps(mocks.registered[0].inputs)


# What a program asks for itself


def _ask(monkeypatch: pytest.MonkeyPatch, lookup: Callable[..., Any], **arguments: Any) -> Any:
    """What a program's lookup finds, in either form."""
    monkeypatch.setenv("ALICLOUD_ACCESS_KEY", "LTAIprogram")
    monkeypatch.setenv("ALICLOUD_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("ALICLOUD_REGION", REGION)
    pulumi.runtime.set_mocks(_Mocks({}))
    found: list[Any] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        return pulumi.Output.from_input(lookup(**arguments)).apply(found.append)

    run()
    [answer] = found
    return answer


BEIJING = "https://ecs.cn-beijing.aliyuncs.com/"


@pytest.mark.parametrize("lookup", [ecs.get_managed_instances, ecs.get_managed_instances_output])
@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, {}),
        ({"activation_id": ACTIVATION_ID}, {"ActivationId": ACTIVATION_ID}),
        ({"connected": True}, {"Connected": "true"}),
        (
            {"activation_id": ACTIVATION_ID, "connected": False},
            {"ActivationId": ACTIVATION_ID, "Connected": "false"},
        ),
    ],
)
def test_machines_are_asked_for_by_what_is_given(
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
    lookup: Callable[..., Any],
    arguments: dict[str, Any],
    asked: dict[str, str],
) -> None:
    pages = _machines(_machine(1), _machine(2), next_token="page2"), _machines(_machine(3))
    vendor.answers(MACHINES, *pages, url=BEIJING)
    found = _ask(monkeypatch, lookup, **arguments, region="cn-beijing")
    ids = [machine.instance_id for machine in found.instances]
    assert ids == ["mi-hz001", "mi-hz002", "mi-hz003"]
    page = {**asked, "MaxResults": "50"}
    assert vendor.queries(MACHINES) == [page, {**page, "NextToken": "page2"}]


@pytest.mark.parametrize("connected", [True, "true"])
@pytest.mark.parametrize("wrapped", [False, True], ids=["list", "wrapped"])
def test_machines_are_shown_as_the_vendor_shows_them(
    monkeypatch: pytest.MonkeyPatch, vendor: Vendor, connected: Any, wrapped: bool
) -> None:
    shown = {
        "InstanceId": "mi-hz001",
        "InstanceName": "web-001",
        "ActivationId": ACTIVATION_ID,
        "Connected": connected,
        "MachineId": "e02b****",
        "OsType": "linux",
        "OsVersion": "Linux_#38~18.04.1",
        "AgentVersion": "2.2.3.857",
        "Hostname": "web.local",
        "InternetIp": "192.0.2.1",
        "IntranetIp": "10.0.0.1",
        "RegistrationTime": "2021-01-20T06:00:00Z",
        "ResourceGroupId": "rg-1",
        "InvocationCount": 0,
        "Tags": [{"TagKey": "a", "TagValue": "b"}, {"Key": "c", "Value": "d"}],
    }
    bare = {"InstanceId": "mi-hz002", "InstanceName": None, "Connected": None, "Tags": None}
    machines: Any = {"Instance": [shown, bare]} if wrapped else [shown, bare]
    vendor.answers(MACHINES, served(Instances=machines))
    first, second = _ask(monkeypatch, ecs.get_managed_instances).instances
    assert first == ecs.ManagedInstance(
        instance_id="mi-hz001",
        instance_name="web-001",
        activation_id=ACTIVATION_ID,
        connected=True,
        machine_id="e02b****",
        os_type="linux",
        os_version="Linux_#38~18.04.1",
        agent_version="2.2.3.857",
        hostname="web.local",
        internet_ip="192.0.2.1",
        intranet_ip="10.0.0.1",
        registration_time="2021-01-20T06:00:00Z",
        resource_group_id="rg-1",
        tags={"a": "b", "c": "d"},
    )
    nothing = dict.fromkeys(vars(first), "")
    assert vars(second) == {**nothing, "instance_id": "mi-hz002", "connected": False, "tags": {}}


@pytest.mark.parametrize(
    ("lookup", "action", "title"),
    [
        (ecs.get_managed_instances, MACHINES, "managed instances"),
        (ecs.get_activations, DESCRIBE, "activations"),
    ],
)
def test_lookup_that_is_refused_says_what_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
    lookup: Callable[..., Any],
    action: str,
    title: str,
) -> None:
    vendor.answers(action, refusal("RegionId.ApiNotSupported"))
    with pytest.raises(LookUpFailed, match=f"^cannot look up {title}: the region has no managed"):
        _ask(monkeypatch, lookup)


@pytest.mark.parametrize("lookup", [ecs.get_activations, ecs.get_activations_output])
@pytest.mark.parametrize("wrapped", [False, True], ids=["list", "wrapped"])
def test_activations_are_shown_as_the_vendor_shows_them(
    monkeypatch: pytest.MonkeyPatch, vendor: Vendor, lookup: Callable[..., Any], wrapped: bool
) -> None:
    shown = activation(
        InstanceName="web",
        Description="d",
        IpAddressRange="192.0.2.0/24",
        ResourceGroupId="rg-1",
        RegisteredCount=2,
        DeregisteredCount=1,
        Disabled=True,
        Tags=[{"TagKey": "k", "TagValue": "v"}, {"TagKey": "acs:rm:rgId", "TagValue": "rg-1"}],
    )
    items: Any = [shown, {"ActivationId": OTHER_ID}]
    listed = {"Activation": items} if wrapped else items
    vendor.answers(DESCRIBE, served(ActivationList=listed), url=BEIJING)
    found = _ask(monkeypatch, lookup, region="cn-beijing")
    assert found.activations == [
        ecs.ActivationInfo(
            activation_id=ACTIVATION_ID,
            instance_name="web",
            description="d",
            instance_count=10,
            time_to_live_in_hours=4,
            ip_address_range="192.0.2.0/24",
            resource_group_id="rg-1",
            tags={"k": "v"},
            creation_time="2021-01-20T06:00:00Z",
            expired_time="2021-01-20T10:00:00Z",
            disabled=True,
            registered_count=2,
            deregistered_count=1,
        ),
        ecs.ActivationInfo(
            activation_id=OTHER_ID,
            instance_name=None,
            description=None,
            instance_count=None,
            time_to_live_in_hours=None,
            ip_address_range=None,
            tags=None,
            creation_time=None,
            expired_time=None,
            disabled=False,
            registered_count=None,
            deregistered_count=None,
        ),
    ]
    assert vendor.queries(DESCRIBE) == [{"MaxResults": "50"}]

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

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
)
from pulumi_hybrid.tencentcloud import tat
from pulumi_hybrid.tencentcloud.tat import RegisterCode, RegisterCodeProvider

from ..conftest import Engine, Hurried, assert_one_line, everything_said
from .conftest import (
    CODE_ID,
    CODE_VALUE,
    CREATE,
    CREATED,
    DELETE,
    DESCRIBE,
    HOST,
    LOST,
    REGION,
    REQUEST_ID,
    SECRET_KEY,
    UNSENT,
    Raw,
    Reply,
    Vendor,
    code_info,
    from_now,
    listing,
    new_provider,
    refusal,
    served,
)

DISABLE = "DisableRegisterCodes"
MACHINES = "DescribeRegisterInstances"
DEREGISTER = "DeleteRegisterInstance"

OTHER_ID = "1c2rd3e4-0000-4a81-b32e-f8bc80eef678"
ORPHAN_ID = "0rphan00-418f-4a81-b32e-f8bc80eef678"
"""A code that no test of this process is handed."""
# As the engine keeps it after a create without parameters.
INPUTS = {"region": REGION}
OUTPUTS = {
    "register_code_id": CODE_ID,
    "register_code_value": CODE_VALUE,
    "description": "",
    "instance_name_prefix": "",
    "register_limit": 10,
    "effective_time": 4,
    "ip_address_range": "",
    "region": REGION,
    "created_time": "2024-10-26T08:50:45Z",
    "expired_time": "2024-10-26T12:50:45Z",
    "enabled": True,
    "registered_count": 0,
}
ROLE_CODES = ["ResourceNotFound.RoleNotFound", "UnauthorizedOperation.AssumeRoleUnauthorized"]
CREATE_CODES = [
    "InvalidParameter",
    "InvalidParameterValue.TooLarge",
    "InvalidParameterValue.TooLong",
    "InvalidParameterValue.TooSmall",
    "LimitExceeded",
    "ResourceUnavailable.UserHasNoQuotaCode",
    *ROLE_CODES,
]
DESCRIBE_CODES = [
    "InvalidParameterValue.InvalidRegisterCodeId",
    "InvalidParameterValue.InvalidFilter",
    "InvalidParameterValue.TooLong",
    *ROLE_CODES,
]
DELETE_CODES = [
    "InvalidParameterValue.InvalidRegisterCodeId",
    "InvalidParameterValue.ParameterKeyDuplicated",
    "MissingParameter",
    *ROLE_CODES,
]


def _stored(outputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Outputs as they come back from the state: secrets in plain text."""
    assert outputs is not None
    return {name: rpc.unwrap_rpc_secret(value) for name, value in outputs.items()}


def _made_just_now(**changes: Any) -> dict[str, Any]:
    times = {"CreatedTime": from_now(), "ExpiredTime": from_now(hours=4)}
    return code_info(**{"RegisterCodeId": ORPHAN_ID, **times, **changes})


def _assert_says_what_to_do(error: Refused, operation: str, action: str, code: str) -> None:
    said = str(error)
    assert_one_line(said)
    assert said.startswith(f"{operation}: ")
    assert said.endswith(f"[TAT {action}: {code}, “The vendor's words”, RequestId {REQUEST_ID}]")
    assert len(error.reason.rstrip(".").split(". ")) > 1, error.reason


# The vendor's two examples


def test_create_without_parameters_arrives_as_the_vendors_example(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(code_info()))
    engine.create(provider, INPUTS)
    [request] = vendor.requests(CREATE)
    assert request.body == "{}"
    assert request.url == f"https://{HOST}/"
    assert request.headers["X-TC-Action"] == "CreateRegisterCode"
    assert request.headers["X-TC-Version"] == "2020-10-28"
    assert request.headers["X-TC-Region"] == REGION
    assert request.headers["X-TC-Language"] == "en-US"
    assert request.headers["Content-Type"] == "application/json"
    assert "X-TC-Token" not in request.headers


def test_create_with_all_parameters_arrives_as_the_vendors_example(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(code_info()))
    news = {
        "description": "webserver",
        "instance_name_prefix": "webserver",
        "register_limit": 10,
        "effective_time": 4,
        "ip_address_range": "192.168.10.1/10",
        "region": "ap-seoul",
        "rotate_before_hours": 1.5,
        "when_in_use": "fail",
    }
    checked = engine.check(provider, news, None)
    assert checked.failures == []
    engine.create(provider, checked.inputs)
    [request] = vendor.requests(CREATE)
    assert request.headers["X-TC-Region"] == "ap-seoul"
    assert vendor.bodies(CREATE) == [
        {
            "Description": "webserver",
            "InstanceNamePrefix": "webserver",
            "RegisterLimit": 10,
            "EffectiveTime": 4,
            "IpAddressRange": "192.168.10.1/10",
        }
    ]
    # The engine makes every number a float; the vendor takes integers alone.
    assert '"RegisterLimit": 10,' in str(request.body)
    assert '"EffectiveTime": 4,' in str(request.body)


def test_create_on_the_international_site_goes_there(engine: Engine, vendor: Vendor) -> None:
    intl = "https://tat.intl.tencentcloudapi.com/"
    vendor.answers(CREATE, CREATED, url=intl)
    vendor.answers(DESCRIBE, listing(code_info()), url=intl)
    provider = new_provider(domain="intl.tencentcloudapi.com", securityToken="temporary")
    assert engine.create(provider, INPUTS).id == CODE_ID
    [request] = vendor.requests(CREATE)
    assert request.headers["Host"] == "tat.intl.tencentcloudapi.com"
    assert request.headers["X-TC-Token"] == "temporary"


def test_create_returns_the_code_its_secret_and_what_the_vendor_shows(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(code_info()))
    result = engine.create(provider, INPUTS)
    assert result.id == CODE_ID
    assert result.outs is not None
    assert rpc.is_rpc_secret(result.outs["register_code_value"])
    assert _stored(result.outs) == OUTPUTS
    assert vendor.bodies(DESCRIBE) == [{"RegisterCodeIds": [CODE_ID]}]


def test_create_for_ever_has_no_end(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(code_info(ExpiredTime=None)))
    outs = engine.create(provider, {**INPUTS, "effective_time": 100000}).outs
    assert outs is not None
    assert vendor.bodies(CREATE) == [{"EffectiveTime": 100000}]
    assert "expired_time" not in outs
    assert outs["effective_time"] == 100000


def test_create_logs_nothing_secret_with_everything_at_debug(
    engine: Engine,
    vendor: Vendor,
    provider: RegisterCodeProvider,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # As in a process that has just begun: another test's client may have quieted the SDK.
    caplog.set_level(logging.NOTSET, logger="tencentcloud_sdk_common")
    caplog.set_level(logging.DEBUG)
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(code_info()))
    engine.create(provider, INPUTS)
    for secret in ("Authorization", "Signature=", SECRET_KEY, CODE_VALUE):
        assert secret not in caplog.text


# check


def _problems(news: Mapping[str, Any]) -> list[str]:
    provider = new_provider()
    return [failure.reason for failure in provider.check({}, dict(news)).failures]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "description": st.text(max_size=128),
            "instance_name_prefix": st.text(max_size=32),
            "register_limit": st.integers(1, 10000),
            "effective_time": st.integers(1, 10**9),
            "ip_address_range": st.ip_addresses(v=4).map(str),
            "rotate_before_hours": st.floats(0, 10**6),
            "when_in_use": st.sampled_from(["keep", "deregister", "fail"]),
        },
    )
)
def test_check_takes_everything_within_the_vendors_limits(news: dict[str, Any]) -> None:
    assert _problems(news) == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("description", ["", "🚀" * 128]),
        ("instance_name_prefix", ["", "汉" * 32]),
        ("register_limit", [1, 10000]),
        ("effective_time", [1, 99999, 10**9, 1e300]),
        ("when_in_use", ["keep", "deregister", "fail"]),
    ],
)
def test_check_takes_what_is_just_within_the_vendors_limits(name: str, values: list[Any]) -> None:
    assert [_problems({name: value}) for value in values] == [[] for _ in values]


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("description", "🚀" * 129, "at most 128 characters, has 129"),
        ("instance_name_prefix", "汉" * 33, "at most 32 characters, has 33"),
        ("register_limit", 0, "from 1 to 10000"),
        ("register_limit", 10001, "from 1 to 10000"),
        ("register_limit", "10", "a whole number"),
        ("effective_time", 0, "at least 1 (hours)"),
        ("effective_time", float("nan"), "a whole number (hours)"),
        ("ip_address_range", "192.168.0.0/33", "192.168.0.0/16"),
        ("ip_address_range", "2001:db8::1", "192.168.1.1"),
        ("rotate_before_hours", -1, "at least 0 (hours)"),
        ("when_in_use", "delete", "one of keep, deregister, fail"),
        ("adopt_id", "rc 1", "the id of an existing resource"),
        ("region", "Guangzhou", "ap-guangzhou"),
        ("register_code_id", CODE_ID, "is not an input of RegisterCode"),
        ("registerLimit", 10, "is not an input of RegisterCode"),
    ],
)
def test_check_says_the_limit_of_the_input_that_breaks_it(
    name: str, value: Any, limit: str
) -> None:
    [problem] = _problems({name: value})
    assert problem.startswith(f"{name}: ")
    assert limit in problem


# diff


def _diff(
    engine: Engine, outputs: Mapping[str, Any], olds: Mapping[str, Any], news: Mapping[str, Any]
) -> list[str]:
    result = engine.diff(new_provider(), CODE_ID, outputs, olds, news)
    assert result.changes is bool(result.replaces)
    assert result.replaces is not None
    return list(result.replaces)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("description", "other"),
        ("instance_name_prefix", "other"),
        ("register_limit", 11),
        ("effective_time", 5),
        ("ip_address_range", "192.168.1.1"),
        ("region", "ap-seoul"),
    ],
)
def test_diff_replaces_for_every_input_of_the_vendors(
    engine: Engine, name: str, value: Any
) -> None:
    assert _diff(engine, OUTPUTS, INPUTS, {**INPUTS, name: value}) == [name]


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("description", ""),
        ("instance_name_prefix", ""),
        ("register_limit", 10),
        ("effective_time", 4),
        ("ip_address_range", ""),
    ],
)
def test_diff_is_empty_when_the_vendors_default_is_spelled_out(
    engine: Engine, name: str, default: Any
) -> None:
    assert _diff(engine, OUTPUTS, INPUTS, {**INPUTS, name: default}) == []
    assert _diff(engine, OUTPUTS, {**INPUTS, name: default}, INPUTS) == []


def test_diff_takes_one_term_for_ever_for_another(engine: Engine) -> None:
    olds, news = {**INPUTS, "effective_time": 100000}, {**INPUTS, "effective_time": 999999}
    assert _diff(engine, OUTPUTS, olds, news) == []
    assert _diff(engine, OUTPUTS, {**INPUTS, "effective_time": 99999}, news) == ["effective_time"]


@pytest.mark.parametrize(
    "news", [{"rotate_before_hours": 1}, {"when_in_use": "fail"}, {"adopt_id": OTHER_ID}]
)
def test_diff_does_nothing_for_what_means_nothing_to_the_vendor(
    engine: Engine, news: dict[str, Any]
) -> None:
    outputs = {**OUTPUTS, "expired_time": from_now(hours=4)}
    assert _diff(engine, outputs, INPUTS, {**INPUTS, **news}) == []


@pytest.mark.parametrize(
    ("hours_left", "window", "reasons"),
    [
        (4, 1, []),
        (4, 3.9, []),
        (4, 4.1, ["expired_time"]),
        (1, 2, ["expired_time"]),
        (-1, 0, ["expired_time"]),
        (1, 0, []),
    ],
)
def test_diff_replaces_when_code_is_inside_rotation_window(
    engine: Engine, hours_left: float, window: float, reasons: list[str]
) -> None:
    outputs = {**OUTPUTS, "expired_time": from_now(hours=hours_left)}
    inputs = {**INPUTS, "rotate_before_hours": window}
    assert _diff(engine, outputs, inputs, inputs) == reasons


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({"enabled": False}, ["enabled"]),
        ({"registered_count": 10}, ["registered_count"]),
        ({"registered_count": 11}, ["registered_count"]),
        ({"registered_count": 9}, []),
        ({"registered_count": 10, "register_limit": 11}, []),
        ({"expired_time": None}, []),
    ],
)
def test_diff_replaces_a_code_that_is_disabled_or_used_up_where_rotation_is_asked_for(
    engine: Engine, changed: dict[str, Any], reasons: list[str]
) -> None:
    outputs = {**OUTPUTS, "expired_time": from_now(hours=4), **changed}
    inputs = {**INPUTS, "rotate_before_hours": 0}
    assert _diff(engine, outputs, inputs, inputs) == reasons
    assert _diff(engine, outputs, INPUTS, INPUTS) == []


@pytest.mark.parametrize("window", [0, 1e6, 1e12, 1e300])
def test_diff_takes_every_rotation_window_that_check_takes(engine: Engine, window: float) -> None:
    assert _problems({"rotate_before_hours": window}) == []
    inputs = {**INPUTS, "rotate_before_hours": window}
    outputs = {**OUTPUTS, "expired_time": from_now(hours=-1)}
    assert _diff(engine, outputs, inputs, inputs) == ["expired_time"]


# create: the vendor says no


@pytest.mark.parametrize("code", CREATE_CODES)
def test_create_refused_says_what_to_do_and_is_sent_once(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, code: str
) -> None:
    vendor.answers(CREATE, refusal(code), CREATED)
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    _assert_says_what_to_do(caught.value, "cannot create RegisterCode", CREATE, code)
    assert caught.value.answer.code == code
    assert not isinstance(caught.value, NotFound)
    assert engine.context.status.message == str(caught.value)
    assert not engine.context.status.details
    assert vendor.actions == [CREATE]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("InvalidParameterValue.TooLarge", "10000"),
        ("InvalidParameterValue.TooLong", "128 characters and instance_name_prefix to 32"),
        ("InvalidParameterValue.TooSmall", "register_limit and effective_time at 1"),
        ("InvalidParameter", "ip_address_range"),
        ("ResourceNotFound.RoleNotFound", "Open the TAT console once"),
        ("UnauthorizedOperation.AssumeRoleUnauthorized", "Authorise the role"),
        ("LimitExceeded", "quota of register codes"),
        ("ResourceUnavailable.UserHasNoQuotaCode", "quota of register codes"),
    ],
)
def test_create_refused_speaks_of_the_users_own_inputs(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, code: str, hint: str
) -> None:
    vendor.answers(CREATE, refusal(code))
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    assert hint in str(caught.value)


def test_create_throttled_three_times_then_served_is_a_success(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, *[refusal("RequestLimitExceeded")] * 3, CREATED)
    vendor.answers(DESCRIBE, listing(code_info()))
    assert engine.create(provider, INPUTS).id == CODE_ID
    assert vendor.count(CREATE) == 4


@pytest.mark.parametrize("fault", [UNSENT["refused"]])
def test_create_that_was_not_sent_is_tried_again_and_looks_for_no_orphans(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, fault: Callable[[], Reply]
) -> None:
    vendor.answers(CREATE, fault())
    with pytest.raises(NotSent, match=r"^cannot create RegisterCode: ") as caught:
        engine.create(provider, INPUTS)
    assert_one_line(str(caught.value))
    assert vendor.actions == [CREATE] * 5


# create: the answer is lost


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_create_whose_answer_is_lost_is_sent_once_and_names_what_may_have_come_of_it(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, fault: Callable[[], Reply]
) -> None:
    vendor.answers(CREATE, fault(), CREATED)
    vendor.answers(DESCRIBE, listing(_made_just_now()))
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    assert vendor.actions == [CREATE, DESCRIBE]
    said = str(caught.value)
    assert_one_line(said)
    assert said.startswith("cannot create RegisterCode: ")
    assert ORPHAN_ID in said
    assert "pulumi up" in said
    assert engine.context.status.message == said
    # Not in a text, and not in what Python keeps of the SDK's exceptions either.
    assert CODE_VALUE not in everything_said(caught.value)
    assert CODE_VALUE not in str(engine.context.metadata)


def test_create_with_an_internal_fault_is_sent_once_and_names_what_may_have_come_of_it(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, refusal("InternalError"), CREATED)
    vendor.answers(DESCRIBE, listing(_made_just_now()))
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    assert vendor.count(CREATE) == 1
    _assert_says_what_to_do(caught.value, "cannot create RegisterCode", CREATE, "InternalError")
    assert ORPHAN_ID in str(caught.value)


BODY = {"description": "web", "register_limit": 20, "ip_address_range": "192.168.1.1"}
ALIKE = {"Description": "web", "RegisterLimit": 20, "IpAddressRange": "192.168.1.1"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, True),
        ({"CreatedTime": timedelta(minutes=-4.5)}, True),
        ({"CreatedTime": None}, True),
        ({"CreatedTime": timedelta(minutes=-5.5)}, False),
        ({"CreatedTime": "2024-10-26T08:50:45Z"}, False),
        ({"Description": "other"}, False),
        ({"RegisterLimit": 10}, False),
        ({"IpAddressRange": ""}, False),
    ],
)
def test_orphans_are_codes_made_since_then_and_alike(
    engine: Engine,
    vendor: Vendor,
    provider: RegisterCodeProvider,
    changes: dict[str, Any],
    named: bool,
) -> None:
    vendor.answers(CREATE, Raw(""))
    vendor.answers(DESCRIBE, listing(_made_just_now_like(ALIKE, changes)))
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, {**INPUTS, **BODY})
    assert (ORPHAN_ID in str(caught.value)) is named
    if not named:
        assert "No code that could have come of it shows" in str(caught.value)


def _made_just_now_like(*changes: Mapping[str, Any]) -> dict[str, Any]:
    code = _made_just_now()
    for change in changes:
        code |= change
    for name, value in code.items():
        if isinstance(value, timedelta):
            # From now, not from when the tests were collected.
            code[name] = from_now(seconds=value.total_seconds())
    return code


def test_orphans_are_not_codes_that_are_other_than_the_vendors_defaults(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    """What the program did not give is the default; other products make codes of their own."""
    vendor.answers(CREATE, Raw(""))
    vendor.answers(
        DESCRIBE,
        listing(
            _made_just_now(),
            _made_just_now(RegisterCodeId="hai-code", Description="HAI", RegisterLimit=1),
        ),
    )
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    assert ORPHAN_ID in str(caught.value)
    assert "hai-code" not in str(caught.value)


def test_orphans_are_not_codes_that_this_process_has_delivered(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    """Two resources alike in one run: the user must not be told to delete the good one."""
    delivered = served(RegisterCodeId=OTHER_ID, RegisterCodeValue=CODE_VALUE)
    vendor.answers(CREATE, delivered, Raw(""))
    vendor.answers(
        DESCRIBE,
        listing(_made_just_now(RegisterCodeId=OTHER_ID)),
        listing(_made_just_now(RegisterCodeId=OTHER_ID), _made_just_now()),
    )
    engine.create(provider, INPUTS)
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    assert ORPHAN_ID in str(caught.value)
    assert OTHER_ID not in str(caught.value)


def test_orphans_are_looked_for_on_every_page(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    old = [code_info(RegisterCodeId=f"old-{number}") for number in range(100)]
    vendor.answers(CREATE, Raw(""))
    vendor.answers(DESCRIBE, listing(*old), listing(*old), listing(_made_just_now()))
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    assert ORPHAN_ID in str(caught.value)
    assert "old-" not in str(caught.value)
    assert vendor.bodies(DESCRIBE) == [{"Offset": offset, "Limit": 100} for offset in (0, 100, 200)]


def test_orphans_are_looked_for_on_twenty_pages_at_most(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    old = [code_info(RegisterCodeId=f"old-{number}") for number in range(100)]
    vendor.answers(CREATE, Raw(""))
    vendor.answers(DESCRIBE, listing(*old))
    with pytest.raises(Ambiguous, match="No code that could have come of it shows"):
        engine.create(provider, INPUTS)
    # Four looks, since a code may show late.
    assert vendor.count(DESCRIBE) == 4 * 20


@pytest.mark.parametrize(
    "fault",
    [
        refusal("UnauthorizedOperation"),
        Raw("<html>", 503, "text/html"),
        listing(_made_just_now_like({"CreatedTime": "yesterday"})),
    ],
    ids=["refused", "503", "time"],
)
def test_create_whose_answer_is_lost_says_so_although_the_listing_fails_too(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, fault: Reply
) -> None:
    vendor.answers(CREATE, LOST["truncated"]())
    vendor.answers(DESCRIBE, fault)
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    said = str(caught.value)
    assert_one_line(said)
    assert "the answer of TAT CreateRegisterCode was lost" in said
    assert "TAT console" in said
    assert CODE_VALUE not in everything_said(caught.value)
    assert vendor.count(CREATE) == 1


def test_create_whose_answer_is_lost_finds_no_code(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, Raw(""))
    vendor.answers(DESCRIBE, served(TotalCount=0, RegisterCodeSet=None))
    with pytest.raises(Ambiguous, match="No code that could have come of it shows"):
        engine.create(provider, INPUTS)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"RegisterCodeId": CODE_ID},
        {"RegisterCodeValue": CODE_VALUE},
        {"RegisterCodeId": CODE_ID, "RegisterCodeValue": None},
        {"RegisterCodeId": "", "RegisterCodeValue": CODE_VALUE},
    ],
)
def test_create_whose_answer_lacks_id_or_value_has_failed_and_names_the_code(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, fields: dict[str, Any]
) -> None:
    vendor.answers(CREATE, served(**fields), CREATED)
    vendor.answers(DESCRIBE, listing(_made_just_now()))
    with pytest.raises(Ambiguous, match="was lost") as caught:
        engine.create(provider, INPUTS)
    assert_one_line(str(caught.value))
    assert (fields.get("RegisterCodeId") or ORPHAN_ID) in str(caught.value)
    assert CODE_VALUE not in everything_said(caught.value)
    assert vendor.count(CREATE) == 1


def test_create_whose_answer_is_lost_names_a_code_that_shows_late(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, Raw(""))
    vendor.answers(DESCRIBE, listing(), listing(), listing(_made_just_now_like({})))
    with pytest.raises(Ambiguous, match=ORPHAN_ID):
        engine.create(provider, INPUTS)
    assert vendor.count(DESCRIBE) == 3


def test_create_whose_answer_is_lost_looks_no_longer_than_it_may(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, Raw(""))
    vendor.answers(DESCRIBE, listing())
    with pytest.raises(Ambiguous, match="No code that could have come of it shows yet"):
        engine.create(provider, INPUTS, timeout=1)
    assert vendor.count(DESCRIBE) == 1


@pytest.mark.parametrize(
    "shown", [{"RegisterLimit": None}, {"ExpiredTime": None}, {"ExpiredTime": timedelta(hours=571)}]
)
def test_orphans_may_differ_in_what_is_not_shown_or_only_derived(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, shown: dict[str, Any]
) -> None:
    vendor.answers(CREATE, Raw(""))
    vendor.answers(DESCRIBE, listing(_made_just_now_like(shown)))
    with pytest.raises(Ambiguous, match=ORPHAN_ID):
        engine.create(provider, INPUTS)


@pytest.mark.parametrize("hours", [100_000, 10**9, 1e300])
def test_for_ever_is_sent_as_a_number_that_the_vendor_reads(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, hours: float
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(code_info(ExpiredTime=None)))
    engine.create(provider, {**INPUTS, "effective_time": hours})
    assert vendor.bodies(CREATE)[0]["EffectiveTime"] == 100_000


@pytest.mark.parametrize(
    ("shown", "lacking"),
    [
        ({"RegisterLimit": None}, "register_limit"),
        ({"CreatedTime": None}, "effective_time"),
    ],
)
def test_adopt_takes_what_is_not_shown_for_what_the_program_says(
    engine: Engine,
    vendor: Vendor,
    provider: RegisterCodeProvider,
    shown: dict[str, Any],
    lacking: str,
) -> None:
    vendor.answers(DESCRIBE, listing(code_info(**shown)))
    outs = engine.create(provider, {**ADOPT, lacking: 571}).outs
    assert outs is not None
    assert outs[lacking] == 571


def _page(total: int | None, *ids: str) -> Reply:
    return served(RegisterInstanceSet=[{"InstanceId": id} for id in ids], TotalCount=total)


@pytest.mark.parametrize(
    ("pages", "offsets", "machines"),
    [
        ([_page(3, "rins-1", "rins-2"), _page(3, "rins-3")], [0, 2], 3),
        ([_page(None, "rins-1")], [0], 1),
        # One is gone since they were counted.
        ([_page(3, "rins-1", "rins-2"), _page(3)], [0, 2], 2),
    ],
)
def test_delete_deregisters_the_machines_of_pages_of_any_size(
    engine: Engine,
    vendor: Vendor,
    provider: RegisterCodeProvider,
    pages: list[Reply],
    offsets: list[int],
    machines: int,
) -> None:
    vendor.answers("DisableRegisterCodes", served())
    vendor.answers("DescribeRegisterInstances", *pages)
    vendor.answers("DeleteRegisterInstance", served())
    vendor.answers(DELETE, served())
    engine.delete(provider, CODE_ID, OUTPUTS, {**INPUTS, "when_in_use": "deregister"})
    asked = vendor.bodies("DescribeRegisterInstances")
    assert [body["Offset"] for body in asked] == offsets
    assert vendor.count("DeleteRegisterInstance") == machines


@pytest.mark.parametrize(
    ("deleted", "said"),
    [
        (served(), "It is deleted again. Run `pulumi up` again."),
        (refusal("UnauthorizedOperation"), "Delete it in the console. Run `pulumi up` again."),
    ],
)
def test_create_whose_answer_lacks_the_value_is_undone(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, deleted: Reply, said: str
) -> None:
    """The vendor has said which code it is: no listing is needed to know it."""
    vendor.answers(CREATE, served(RegisterCodeId=CODE_ID))
    vendor.answers(DELETE, deleted)
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    assert_one_line(str(caught.value))
    assert f"{CODE_ID} was made, but cannot be used." in str(caught.value)
    assert str(caught.value).endswith(said)
    assert vendor.actions == [CREATE, DELETE]


def test_create_in_vain_shows_no_key(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, LOST["read_timeout"]())
    vendor.answers(DESCRIBE, listing())
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    assert SECRET_KEY not in everything_said(caught.value)
    assert "TC3-HMAC" not in everything_said(caught.value)


# create: made, but not finished


def test_create_waits_until_the_code_shows(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(), refusal("InternalError"), listing(), listing(code_info()))
    assert _stored(engine.create(provider, INPUTS).outs) == OUTPUTS
    assert vendor.actions == [CREATE] + [DESCRIBE] * 4


def test_create_takes_a_not_found_right_after_for_not_yet(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    missing = refusal("ResourceNotFound.RegisterCodesNotFoundCode")
    vendor.answers(DESCRIBE, missing, listing(code_info()))
    assert engine.create(provider, INPUTS).id == CODE_ID


def _kept(engine: Engine) -> dict[str, Any]:
    kept = engine.context.init_failed
    assert kept.id == CODE_ID
    properties: dict[str, Any] = rpc.deserialize_properties(kept.properties)
    assert rpc.is_rpc_secret(properties["register_code_value"])
    return _stored(properties)


@pytest.mark.parametrize(
    "fault",
    [
        listing(),
        refusal("UnauthorizedOperation"),
        refusal("ResourceNotFound.RoleNotFound"),
        Raw("<html>", 503, "text/html"),
        listing(code_info(CreatedTime="yesterday")),
        served(TotalCount=1, RegisterCodeSet=["junk"]),
        served(TotalCount=1, RegisterCodeSet=7),
    ],
    ids=["never shows", "refused", "role", "503", "time", "code", "set"],
)
def test_create_whose_look_up_fails_keeps_id_and_value_and_shows_no_value(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, fault: Reply
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, fault)
    with pytest.raises(InitFailed) as caught:
        engine.create(provider, {**INPUTS, "description": "d"})
    said = str(caught.value)
    assert_one_line(said)
    assert said.startswith(f"cannot create RegisterCode: {CODE_ID} is made and kept")
    assert CODE_VALUE not in everything_said(caught.value)
    assert list(engine.context.init_failed.reasons) == [engine.context.status.message] == [said]
    kept = _kept(engine)
    assert kept["register_code_value"] == CODE_VALUE
    assert kept["description"] == "d"
    assert kept["region"] == REGION
    assert vendor.count(CREATE) == 1


def test_update_finishes_what_the_create_left(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, refusal("UnauthorizedOperation"), listing(code_info()))
    with pytest.raises(InitFailed):
        engine.create(provider, INPUTS)
    kept = _kept(engine)
    assert _diff(engine, kept, INPUTS, INPUTS) == []
    outs = engine.update(provider, CODE_ID, kept, INPUTS).outs
    assert outs is not None
    assert rpc.is_rpc_secret(outs["register_code_value"])
    assert _stored(outs) == OUTPUTS
    assert vendor.count(CREATE) == 1


def test_refresh_of_what_the_create_left_keeps_the_value(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, refusal("UnauthorizedOperation"), listing(code_info()))
    with pytest.raises(InitFailed):
        engine.create(provider, INPUTS)
    result = engine.read(provider, CODE_ID, _kept(engine), INPUTS)
    assert _stored(result.outs) == OUTPUTS
    assert result.inputs == INPUTS


def test_create_for_an_engine_that_has_gone_deletes_the_code(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    engine.context.active = False
    vendor.answers(CREATE, CREATED)
    vendor.answers(DELETE, served())
    with pytest.raises(Gone):
        engine.create(provider, INPUTS)
    assert vendor.actions == [CREATE, DELETE]
    assert vendor.bodies(DELETE) == [{"RegisterCodeIds": [CODE_ID]}]


# read


def test_read_of_a_code_as_it_was_changes_nothing(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info()))
    result = engine.read(provider, CODE_ID, OUTPUTS, INPUTS)
    assert result.id == CODE_ID
    assert _stored(result.outs) == OUTPUTS
    assert result.inputs == INPUTS


@pytest.mark.parametrize(
    "answer",
    [
        listing(),
        served(TotalCount=0, RegisterCodeSet=None),
        served(TotalCount=0),
        listing(code_info(RegisterCodeId=OTHER_ID)),
        refusal("ResourceNotFound.RegisterCodesNotFoundCode"),
    ],
    ids=["empty", "null", "absent", "another", "not found"],
)
def test_read_of_a_code_that_is_gone_is_an_empty_id(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, answer: Reply
) -> None:
    vendor.answers(DESCRIBE, answer)
    assert engine.read(provider, CODE_ID, OUTPUTS, INPUTS).id == ""


@pytest.mark.parametrize("code", DESCRIBE_CODES)
def test_read_refused_says_what_to_do_and_does_not_take_the_code_for_gone(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, code: str
) -> None:
    vendor.answers(DESCRIBE, refusal(code))
    with pytest.raises(Refused) as caught:
        engine.read(provider, CODE_ID, OUTPUTS, INPUTS)
    _assert_says_what_to_do(caught.value, f"cannot read RegisterCode {CODE_ID}", DESCRIBE, code)
    assert vendor.count(DESCRIBE) == 1


def _has_ids(body: dict[str, Any]) -> bool:
    return "RegisterCodeIds" in body


def _has_page(body: dict[str, Any]) -> bool:
    return not _has_ids(body)


def test_refresh_of_several_asks_for_pages_and_for_what_they_do_not_show_by_its_id(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    ids = [f"{number:08}-418f-4a81-b32e-f8bc80eef678" for number in range(104)]
    codes = [code_info(RegisterCodeId=id, RegisteredCount=7) for id in ids]
    pages = [codes[:100], codes[100:103]]
    for page in pages:
        vendor.answers(DESCRIBE, served(TotalCount=103, RegisterCodeSet=page), where=_has_page)
    vendor.answers(DESCRIBE, listing(codes[0]), listing(), where=_has_ids)
    for id in ids[:103]:
        result = engine.read(provider, id, {**OUTPUTS, "register_code_id": id}, INPUTS)
        assert result.id == id
    assert (
        engine.read(provider, ids[103], {**OUTPUTS, "register_code_id": ids[103]}, INPUTS).id == ""
    )
    assert vendor.bodies(DESCRIBE) == [
        {"RegisterCodeIds": [ids[0]]},
        {"Offset": 0, "Limit": 100},
        {"Offset": 100, "Limit": 100},
        {"RegisterCodeIds": [ids[103]]},
    ]


def test_refresh_after_a_change_of_ours_trusts_no_page_from_before(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info()), where=_has_page)
    vendor.answers(DESCRIBE, listing(code_info()), where=_has_ids)
    vendor.answers(DELETE, served())
    for _ in range(3):
        engine.read(provider, CODE_ID, OUTPUTS, INPUTS)
    assert [_has_page(body) for body in vendor.bodies(DESCRIBE)] == [False, True]
    engine.delete(provider, OTHER_ID, {**OUTPUTS, "register_code_id": OTHER_ID})
    engine.read(provider, CODE_ID, OUTPUTS, INPUTS)
    assert [_has_page(body) for body in vendor.bodies(DESCRIBE)] == [False, True, True]


def test_get_and_what_was_just_made_are_asked_for_by_id_whatever_a_page_shows(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info()), where=_has_page)
    vendor.answers(DESCRIBE, listing(code_info()), where=_has_ids)
    vendor.answers(CREATE, CREATED)
    for _ in range(3):
        engine.read(provider, CODE_ID, OUTPUTS, INPUTS)
    pages = sum(map(_has_page, vendor.bodies(DESCRIBE)))
    engine.read(provider, CODE_ID, None, INPUTS)
    engine.create(provider, INPUTS)
    assert sum(map(_has_page, vendor.bodies(DESCRIBE))) == pages


def test_read_of_a_changed_code_brings_drift_and_the_next_diff_replaces(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info(Description="other", RegisterLimit=5)))
    result = engine.read(provider, CODE_ID, OUTPUTS, INPUTS)
    assert result.inputs == {**INPUTS, "description": "other", "register_limit": 5}
    replaces = _diff(engine, _stored(result.outs), result.inputs, INPUTS)
    assert sorted(replaces) == ["description", "register_limit"]


def test_read_of_a_code_that_machines_have_used_makes_no_diff(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info(RegisteredCount=7, Enabled=False)))
    result = engine.read(provider, CODE_ID, OUTPUTS, INPUTS)
    assert result.outs is not None
    assert (result.outs["registered_count"], result.outs["enabled"]) == (7, False)
    assert result.inputs == INPUTS
    assert _diff(engine, _stored(result.outs), INPUTS, INPUTS) == []


def test_read_does_not_take_rounded_hours_for_a_change_of_the_term(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info(ExpiredTime="2024-10-26T20:10:45Z")))
    inputs = {**INPUTS, "effective_time": 12}
    result = engine.read(provider, CODE_ID, {**OUTPUTS, "effective_time": 12}, inputs)
    assert result.inputs == inputs
    assert result.outs is not None
    assert result.outs["effective_time"] == 12


@pytest.mark.parametrize("secret", [CODE_VALUE, None])
def test_get_has_all_outputs_but_the_value(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, secret: str | None
) -> None:
    vendor.answers(DESCRIBE, listing(code_info(ExpiredTime="2024-10-27T08:50:45Z")))
    result = engine.read(provider, CODE_ID, None, {"region": "ap-seoul"})
    expected = {
        **OUTPUTS,
        "effective_time": 24,
        "expired_time": "2024-10-27T08:50:45Z",
        "region": "ap-seoul",
    }
    del expected["register_code_value"]
    assert result.id == CODE_ID
    assert result.outs == expected
    assert vendor.requests(DESCRIBE)[0].headers["X-TC-Region"] == "ap-seoul"


def test_get_of_a_code_without_end_has_a_term_for_ever(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info(ExpiredTime=None)))
    outs = engine.read(provider, CODE_ID, None, {}).outs
    assert outs is not None
    assert outs["effective_time"] == 100000
    assert "expired_time" not in outs


def test_get_of_a_code_whose_start_does_not_show_keeps_its_end(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info(CreatedTime=None)))
    outs = engine.read(provider, CODE_ID, None, {}).outs
    assert outs is not None
    assert outs["expired_time"] == "2024-10-26T12:50:45Z"


def test_get_of_a_code_that_is_not_there_says_so(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing())
    with pytest.raises(Gone, match=f"there is no RegisterCode {CODE_ID} in {REGION}"):
        engine.read(provider, CODE_ID, None, {})


# delete


@pytest.mark.parametrize(
    "answers",
    [
        [served()],
        [refusal("ResourceNotFound.RegisterCodesNotFoundCode")],
        [refusal("RequestLimitExceeded"), served()],
        [refusal("InternalError"), served()],
        [LOST["html_503"](), refusal("ResourceNotFound.RegisterCodesNotFoundCode")],
    ],
    ids=["served", "gone", "throttled", "fault", "lost"],
)
def test_delete_is_done_when_the_code_is_gone(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, answers: list[Reply]
) -> None:
    vendor.answers(DELETE, *answers)
    engine.delete(provider, CODE_ID, {**OUTPUTS, "region": "ap-seoul"})
    assert vendor.bodies(DELETE) == [{"RegisterCodeIds": [CODE_ID]}] * len(answers)
    assert vendor.requests(DELETE)[0].headers["X-TC-Region"] == "ap-seoul"


def _remove(*, replaces: bool = False, **inputs: Any) -> Hurried:
    """Delete it; the call knows what the engine was told."""
    call = Hurried(replaces=replaces)
    provider = new_provider()
    api = provider.connect(REGION, call, Deadline(300))
    provider.remove(api, CODE_ID, {**INPUTS, **inputs})
    return call


def _machines(*numbers: int) -> dict[str, Any]:
    return served(
        RegisterInstanceSet=[
            {"InstanceId": f"rins-{number:03}", "InstanceName": f"web-{number:03}"}
            for number in numbers
        ]
    )


@pytest.mark.parametrize(
    ("replaces", "inputs"),
    [
        (False, {}),
        (False, {"when_in_use": "keep"}),
        (True, {"when_in_use": "deregister"}),
        (True, {"when_in_use": "fail"}),
    ],
)
def test_delete_leaves_machines_by_default_and_in_a_replacement(
    vendor: Vendor, replaces: bool, inputs: dict[str, Any]
) -> None:
    vendor.answers(DELETE, served())
    _remove(replaces=replaces, **inputs)
    assert vendor.actions == [DELETE]


def test_delete_deregisters_the_machines_of_all_pages_and_then_deletes(vendor: Vendor) -> None:
    vendor.answers(DISABLE, served())
    vendor.answers(MACHINES, _machines(*range(100)), _machines(100))
    gone = refusal("ResourceNotFound.RegisterInstanceNotFoundCode")
    vendor.answers(DEREGISTER, gone, *[served()] * 100)
    vendor.answers(DELETE, served())
    call = _remove(when_in_use="deregister")
    assert [body["InstanceId"] for body in vendor.bodies(DEREGISTER)] == [
        f"rins-{number:03}" for number in range(101)
    ]
    filters = [{"Name": "register-code-id", "Values": [CODE_ID]}]
    assert vendor.bodies(MACHINES) == [
        {"Filters": filters, "Offset": offset, "Limit": 100} for offset in (0, 100)
    ]
    assert (vendor.actions[0], vendor.actions[-1]) == (DISABLE, DELETE)
    for action in (DISABLE, DELETE):
        assert vendor.bodies(action) == [{"RegisterCodeIds": [CODE_ID]}]
    assert "deregistering rins-000" in call.said


def test_delete_deregisters_the_machines_of_a_code_that_is_gone(vendor: Vendor) -> None:
    gone = refusal("ResourceNotFound.RegisterCodesNotFoundCode")
    vendor.answers(DISABLE, gone)
    vendor.answers(MACHINES, _machines(1))
    vendor.answers(DEREGISTER, served())
    vendor.answers(DELETE, gone)
    _remove(when_in_use="deregister")
    assert vendor.count(DEREGISTER) == 1


def test_delete_that_is_to_fail_in_use_names_the_machines_and_does_nothing(
    vendor: Vendor,
) -> None:
    vendor.answers(MACHINES, _machines(1, 2))
    with pytest.raises(Error, match=r"rins-001 \(web-001\), rins-002 \(web-002\)\. Deregister"):
        _remove(when_in_use="fail")
    assert vendor.actions == [MACHINES]


@pytest.mark.parametrize(
    ("names", "called"),
    [
        ({"InstanceName": "web", "HostName": "web.local"}, r"rins-001 \(web\)\."),
        ({"InstanceName": "", "HostName": "web.local"}, r"rins-001 \(web\.local\)\."),
        ({"InstanceName": None}, r"rins-001\."),
    ],
)
def test_delete_that_is_to_fail_in_use_calls_a_machine_by_what_names_it_has(
    vendor: Vendor, names: dict[str, Any], called: str
) -> None:
    without_id = {"InstanceName": "nobody"}
    vendor.answers(
        MACHINES, served(RegisterInstanceSet=[without_id, {"InstanceId": "rins-001", **names}])
    )
    with pytest.raises(Error, match=f"registered with it: {called} Deregister"):
        _remove(when_in_use="fail")


def test_delete_that_is_to_fail_in_use_deletes_a_code_that_nobody_uses(vendor: Vendor) -> None:
    vendor.answers(MACHINES, _machines())
    vendor.answers(DELETE, served())
    _remove(when_in_use="fail")
    assert vendor.actions == [MACHINES, DELETE]


@pytest.mark.parametrize("code", DELETE_CODES)
def test_delete_refused_says_what_to_do_and_is_no_success(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, code: str
) -> None:
    vendor.answers(DELETE, refusal(code))
    with pytest.raises(Refused) as caught:
        engine.delete(provider, CODE_ID, OUTPUTS)
    _assert_says_what_to_do(caught.value, f"cannot delete RegisterCode {CODE_ID}", DELETE, code)
    assert vendor.count(DELETE) == 1


# adopt


ADOPT = {**INPUTS, "adopt_id": CODE_ID}


def test_adopt_takes_over_a_code_without_its_value(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing(code_info()))
    result = engine.create(provider, {**ADOPT, "register_limit": 10, "effective_time": 4})
    assert result.id == CODE_ID
    expected = dict(OUTPUTS)
    del expected["register_code_value"]
    assert result.outs == expected
    assert vendor.actions == [DESCRIBE]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("description", "5e1f-text"),
        ("instance_name_prefix", "5e1f-text"),
        ("register_limit", 5715),
        ("effective_time", 5715),
        ("ip_address_range", "5.7.1.5"),
    ],
)
def test_adopt_of_a_code_that_is_otherwise_is_refused_by_the_inputs_name_not_its_value(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider, name: str, value: Any
) -> None:
    vendor.answers(DESCRIBE, listing(code_info()))
    with pytest.raises(Error) as caught:
        engine.create(provider, {**ADOPT, name: value})
    said = str(caught.value)
    assert_one_line(said)
    assert name in said
    assert CODE_ID in said
    assert str(value) not in said
    assert vendor.actions == [DESCRIBE]


def test_adopt_of_a_code_that_is_not_there_is_refused(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, listing())
    with pytest.raises(Gone, match=f"there is no RegisterCode {CODE_ID} in {REGION}") as caught:
        engine.create(provider, ADOPT)
    assert "adopt_id" in str(caught.value)
    assert vendor.actions == [DESCRIBE]


def test_adopt_of_a_malformed_id_is_refused_by_the_vendor(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    vendor.answers(DESCRIBE, refusal("InvalidParameterValue.InvalidRegisterCodeId"))
    with pytest.raises(Refused, match="Check adopt_id"):
        engine.create(provider, ADOPT)


def test_adopt_id_is_ignored_when_an_existing_code_is_replaced(
    engine: Engine, vendor: Vendor, provider: RegisterCodeProvider
) -> None:
    news = {**ADOPT, "adopt_id": OTHER_ID, "register_limit": 20}
    vendor.answers(CREATE, CREATED)
    vendor.answers(DESCRIBE, listing(code_info(RegisterLimit=20)))
    engine.check(provider, news, ADOPT)
    result = engine.create(provider, news)
    assert result.id == CODE_ID
    assert vendor.bodies(CREATE) == [{"RegisterLimit": 20}]


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
        return CODE_ID, {**args.inputs, **self.outputs}

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


COMMANDS = ("linux_register_command", "windows_register_command")


def _program(
    outputs: Mapping[str, Any], make: Callable[..., RegisterCode] = RegisterCode, **arguments: Any
) -> tuple[dict[str, Any], _Mocks]:
    """A program's register code: each output's value, and whether it is a secret."""
    mocks = _Mocks(outputs)
    pulumi.runtime.set_mocks(mocks)
    seen: dict[str, Any] = {}

    async def look(code: RegisterCode) -> None:
        for name in (*OUTPUTS, *COMMANDS):
            output = getattr(code, name)
            seen[name] = (await output.future(), await output.is_secret())

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        return pulumi.Output.from_input(look(make("code", **arguments)))

    run()
    return seen, mocks


@pytest.mark.parametrize("value", [CODE_VALUE, "a b", "it's", "$(reboot)", "`reboot`;", "*\\"])
def test_linux_command_registers_with_region_id_and_value_in_a_shells_own_quoting(
    value: str,
) -> None:
    seen, _ = _program({**OUTPUTS, "register_code_value": value})
    command, secret = seen["linux_register_command"]
    assert shlex.split(command) == [
        "/usr/local/qcloud/tat_agent/tat_agent",
        "register",
        REGION,
        CODE_ID,
        value,
    ]
    assert secret


def test_windows_command_registers_with_region_id_and_value() -> None:
    seen, _ = _program(OUTPUTS)
    assert seen["windows_register_command"] == (
        r'"C:\Program Files\QCloud\tat_agent\tat_agent.exe" register '
        f"{REGION} {CODE_ID} {CODE_VALUE}",
        True,
    )


def test_commands_are_none_where_there_is_no_value() -> None:
    seen, _ = _program({**OUTPUTS, "register_code_value": None})
    assert [seen[name][0] for name in ("register_code_value", *COMMANDS)] == [None, None, None]


def test_value_is_a_secret_in_the_program_before_the_engine_says_so_and_nothing_else_is() -> None:
    seen, _ = _program(OUTPUTS)
    assert {name: seen[name] for name in OUTPUTS} == {
        name: (value, name == "register_code_value") for name, value in OUTPUTS.items()
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
        {"register_limit": 3, "description": "web"},
        {
            "description": "web",
            "instance_name_prefix": "web",
            "register_limit": 3,
            "effective_time": 24,
            "ip_address_range": "192.0.2.0/24",
            "region": "ap-seoul",
            "rotate_before_hours": 1,
            "when_in_use": "fail",
            "adopt_id": CODE_ID,
        },
    ],
    ids=["some", "all"],
)
def test_program_registers_under_the_fixed_type_with_its_own_inputs_alone(
    arguments: dict[str, Any],
) -> None:
    _, mocks = _program(OUTPUTS, **arguments)
    [registered] = mocks.registered
    assert registered.typ == "pulumi-python:dynamic/tencentcloud/tat:RegisterCode"
    assert _given(registered) == arguments
    assert not registered.resource_id


def test_get_reads_the_code_of_that_id_in_that_region() -> None:
    _, mocks = _program(OUTPUTS, RegisterCode.get, id=OTHER_ID, region="ap-seoul")
    [read] = mocks.registered
    assert read.resource_id == OTHER_ID
    assert _given(read) == {"region": "ap-seoul"}


def test_provider_in_the_program_holds_neither_key_nor_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", SECRET_KEY)
    _, mocks = _program(OUTPUTS)
    serialized = mocks.registered[0].inputs["__provider"]
    assert isinstance(serialized, str)
    assert len(serialized) < 120
    assert SECRET_KEY not in json.dumps(mocks.registered[0].inputs)


# What a program asks for itself


def _ask(monkeypatch: pytest.MonkeyPatch, lookup: Callable[..., Any], **arguments: Any) -> Any:
    """What a program's lookup finds, in either form."""
    for setting, value in {"ID": "AKIDprogram", "KEY": SECRET_KEY}.items():
        monkeypatch.setenv(f"TENCENTCLOUD_SECRET_{setting}", value)
    monkeypatch.setenv("TENCENTCLOUD_REGION", REGION)
    pulumi.runtime.set_mocks(_Mocks({}))
    found: list[Any] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        return pulumi.Output.from_input(lookup(**arguments)).apply(found.append)

    run()
    [answer] = found
    return answer


@pytest.mark.parametrize("lookup", [tat.get_register_instances, tat.get_register_instances_output])
@pytest.mark.parametrize(
    ("arguments", "filters"),
    [
        ({}, {}),
        ({"register_code_id": CODE_ID}, {"register-code-id": CODE_ID}),
        ({"register_status": "Offline"}, {"register-status": "Offline"}),
        (
            {"register_code_id": CODE_ID, "register_status": "Online"},
            {"register-code-id": CODE_ID, "register-status": "Online"},
        ),
    ],
)
def test_machines_are_asked_for_by_what_is_given(
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
    lookup: Callable[..., Any],
    arguments: dict[str, str],
    filters: dict[str, str],
) -> None:
    vendor.answers(MACHINES, _machines(*range(100)), _machines(100))
    found = _ask(monkeypatch, lookup, **arguments, region="ap-seoul")
    assert len(found.register_instances) == 101
    asked = [{"Name": name, "Values": [value]} for name, value in filters.items()]
    given_filters = {"Filters": asked} if asked else {}
    assert vendor.bodies(MACHINES) == [
        {**given_filters, "Offset": offset, "Limit": 100} for offset in (0, 100)
    ]
    assert vendor.requests(MACHINES)[0].headers["X-TC-Region"] == "ap-seoul"


def test_machines_are_shown_as_the_vendor_shows_them(
    monkeypatch: pytest.MonkeyPatch, vendor: Vendor
) -> None:
    shown = {
        "InstanceId": "rins-001",
        "InstanceName": "web-001",
        "RegisterCodeId": CODE_ID,
        "Status": "Online",
        "MachineId": "21e9b871",
        "SystemName": "Linux",
        "HostName": "web.local",
        "LocalIp": "10.0.0.1",
        "PublicKey": "-----BEGIN RSA PUBLIC KEY-----",
        "CreatedTime": "2024-10-26T08:50:45Z",
        "UpdatedTime": "2024-10-27T08:50:45Z",
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    bare = {"InstanceId": "rins-002", "InstanceName": None, "Tags": None}
    vendor.answers(MACHINES, served(RegisterInstanceSet=[shown, bare]))
    first, second = _ask(monkeypatch, tat.get_register_instances).register_instances
    assert first == tat.RegisterInstance(
        instance_id="rins-001",
        instance_name="web-001",
        register_code_id=CODE_ID,
        status="Online",
        machine_id="21e9b871",
        system_name="Linux",
        host_name="web.local",
        local_ip="10.0.0.1",
        created_time="2024-10-26T08:50:45Z",
        updated_time="2024-10-27T08:50:45Z",
        tags={"a": "b"},
    )
    nothing = dict.fromkeys(vars(first), "")
    assert vars(second) == {**nothing, "instance_id": "rins-002", "tags": {}}


@pytest.mark.parametrize(
    ("lookup", "action", "title"),
    [
        (tat.get_register_instances, MACHINES, "registered machines"),
        (tat.get_register_codes, DESCRIBE, "register codes"),
    ],
)
def test_lookup_that_is_refused_says_what_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
    lookup: Callable[..., Any],
    action: str,
    title: str,
) -> None:
    vendor.answers(action, refusal("ResourceNotFound.RoleNotFound"))
    with pytest.raises(LookUpFailed, match=f"^cannot look up {title}: TAT's service role does"):
        _ask(monkeypatch, lookup)


@pytest.mark.parametrize("lookup", [tat.get_register_codes, tat.get_register_codes_output])
def test_codes_are_shown_as_the_vendor_shows_them(
    monkeypatch: pytest.MonkeyPatch, vendor: Vendor, lookup: Callable[..., Any]
) -> None:
    code = code_info(Description="d", InstanceNamePrefix="web", IpAddressRange="192.0.2.1")
    for_ever = {"RegisterCodeId": OTHER_ID, "Description": None, "ExpiredTime": None}
    vendor.answers(DESCRIBE, listing(code, for_ever))
    found = _ask(monkeypatch, lookup, region="ap-seoul")
    assert found.register_codes == [
        tat.RegisterCodeInfo(
            register_code_id=CODE_ID,
            description="d",
            instance_name_prefix="web",
            register_limit=10,
            registered_count=0,
            ip_address_range="192.0.2.1",
            enabled=True,
            created_time="2024-10-26T08:50:45Z",
            expired_time="2024-10-26T12:50:45Z",
        ),
        tat.RegisterCodeInfo(OTHER_ID, "", "", None, None, "", None, None, None),
    ]
    assert vendor.requests(DESCRIBE)[0].headers["X-TC-Region"] == "ap-seoul"

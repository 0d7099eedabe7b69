"""Every kind of fault: what the client sees, and whether the work was done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from pulumi_hybrid.emulator import ControlError, Emulator
from pulumi_hybrid.emulator.faults import KINDS

from .vendor_client import Answer, Sdk, refused, sdk_of

CREATE, DESCRIBE = "CreateRegisterCode", "DescribeRegisterCodes"


def made(emulator: Emulator) -> int:
    """How many codes there are."""
    answer = emulator.call("tat", "2020-10-28", DESCRIBE)
    return int(answer["TotalCount"])


def fails(sdk: Sdk, action: str = CREATE, **parameters: Any) -> str:
    """The SDK's own word for how a call failed."""
    with pytest.raises((TencentCloudSDKException, ValueError)) as caught:
        sdk(action, **parameters)
    error = caught.value
    return str(error.code) if isinstance(error, TencentCloudSDKException) else type(error).__name__


def test_every_kind_is_tested() -> None:
    tests = Path(__file__).parent.glob("test_*.py")
    source = "".join(file.read_text(encoding="utf-8") for file in tests)
    assert not [kind for kind in KINDS if f'"{kind}"' not in source]


@pytest.mark.parametrize(
    ("kind", "more", "seen", "codes", "logged"),
    [
        ("throttle", {}, "RequestLimitExceeded", 0, (200, "RequestLimitExceeded")),
        ("internal_error", {}, "InternalError", 0, (200, "InternalError")),
        ("internal_error_after", {}, "InternalError", 1, (200, "InternalError")),
        ("error", {"code": "A.B", "message": "m"}, "A.B", 0, (200, "A.B")),
        ("http_503", {}, "ServerNetworkError", 0, (503, None)),
        ("http_502_html", {}, "ServerNetworkError", 0, (502, None)),
        ("reset_before", {}, "ClientNetworkError", 0, (None, None)),
        ("drop_after", {}, "ClientNetworkError", 1, (None, None)),
        ("truncate", {}, "JSONDecodeError", 1, (200, None)),
        ("empty", {}, "JSONDecodeError", 1, (200, None)),
    ],
)
def test_a_fault_is_seen_once(
    emulator: Emulator,
    sdk: Sdk,
    kind: str,
    more: dict[str, Any],
    seen: str,
    codes: int,
    logged: tuple[int | None, str | None],
) -> None:
    emulator.fault(CREATE, kind, **more)
    sdk(DESCRIBE)  # another action does not meet it
    assert fails(sdk) == seen
    assert made(emulator) == codes
    (entry,) = emulator.requests(CREATE)
    assert (entry["status"], entry["error_code"]) == logged
    assert entry["fault"] == kind
    assert emulator.faults() == []
    sdk(CREATE)
    assert made(emulator) == codes + 1


def test_reset_is_a_reset_and_drop_a_close(emulator: Emulator, sdk: Sdk) -> None:
    for kind, words in (("reset_before", "reset by peer"), ("drop_after", "RemoteDisconnected")):
        emulator.fault(CREATE, kind)
        with pytest.raises(TencentCloudSDKException) as caught:
            sdk(CREATE)
        assert words in caught.value.message
    endings = [entry["ending"] for entry in emulator.requests(CREATE)]
    assert endings == ["reset", "dropped"]


def test_gateway_pages(emulator: Emulator, raw: Callable[..., Answer]) -> None:
    emulator.fault(CREATE, "http_502_html")
    answer = raw(CREATE)
    assert answer.headers["content-type"] == "text/html"
    assert b"<html>" in answer.body


def test_truncate_has_an_honest_length(emulator: Emulator, raw: Callable[..., Answer]) -> None:
    emulator.fault(DESCRIBE, "truncate")
    answer = raw(DESCRIBE)
    assert int(answer.headers["content-length"]) == len(answer.body) > 0
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)
    emulator.fault(DESCRIBE, "empty")
    assert raw(DESCRIBE).body == b""


def test_delay_does_the_work_first(emulator: Emulator) -> None:
    emulator.fault(CREATE, "delay", seconds=2)
    impatient = sdk_of(emulator, timeout=0.3)
    assert fails(impatient) == "ClientNetworkError"
    assert made(emulator) == 1
    (entry,) = emulator.requests(CREATE)
    assert (entry["ending"], entry["status"]) == (None, None)  # still at work
    emulator.fault(CREATE, "delay", seconds=0.05)
    begun = time.monotonic()
    impatient(CREATE)
    assert time.monotonic() - begun >= 0.05


def test_charset_hides_an_error_from_the_sdk(
    emulator: Emulator, sdk: Sdk, raw: Callable[..., Answer]
) -> None:
    emulator.fault(CREATE, "charset", code="LimitExceeded", message="no more")
    answer = sdk(CREATE)  # no exception: this is what the fault is for
    assert answer["Error"] == {"Code": "LimitExceeded", "Message": "no more"}
    assert made(emulator) == 0
    emulator.fault(CREATE, "charset")
    plain = raw(CREATE)
    assert plain.headers["content-type"] == "application/json; charset=utf-8"
    assert plain.response["RegisterCodeId"]
    assert made(emulator) == 1
    emulator.fault(CREATE, "charset")
    assert sdk(CREATE, RegisterLimit=0)["Error"]["Code"] == "InvalidParameterValue.TooSmall"


def test_missing_ids_and_secrets(emulator: Emulator, sdk: Sdk) -> None:
    emulator.fault(CREATE, "no_id")
    emulator.fault(CREATE, "no_secret")
    assert set(sdk(CREATE)) == {"RegisterCodeValue", "RequestId"}
    assert set(sdk(CREATE)) == {"RegisterCodeId", "RequestId"}
    assert made(emulator) == 2


def test_null_lists(emulator: Emulator, sdk: Sdk) -> None:
    sdk(CREATE)
    emulator.fault(DESCRIBE, "null_lists")
    answer = sdk(DESCRIBE)
    assert (answer["TotalCount"], answer["RegisterCodeSet"]) == (1, None)


def test_extra_fields(emulator: Emulator, sdk: Sdk) -> None:
    sdk(CREATE)
    usual = sdk(DESCRIBE)
    emulator.fault(DESCRIBE, "extra_fields")
    answer = sdk(DESCRIBE)
    assert set(answer) - set(usual) == {"EmulatorExtra"}
    more, less = answer["RegisterCodeSet"][0], usual["RegisterCodeSet"][0]
    assert set(more) - set(less) == {"EmulatorExtra"}
    assert all(more[name] == value for name, value in less.items())


def test_gone_for_some_reads_after_create(emulator: Emulator, sdk: Sdk) -> None:
    other = sdk(CREATE)["RegisterCodeId"]
    emulator.fault(CREATE, "gone_for", calls=2)
    late = sdk(CREATE)["RegisterCodeId"]
    for _ in range(2):
        sdk(DESCRIBE, RegisterCodeIds=[other])  # a read of something else does not count
        assert sdk(DESCRIBE, RegisterCodeIds=[late])["TotalCount"] == 0
    assert sdk(DESCRIBE, RegisterCodeIds=[late])["TotalCount"] == 1
    emulator.fault(CREATE, "gone_for", calls=1)
    sdk(CREATE)
    assert sdk(DESCRIBE)["TotalCount"] == 2
    assert sdk(DESCRIBE)["TotalCount"] == 3


def test_gone_for_on_a_describe_action(emulator: Emulator, sdk: Sdk) -> None:
    sdk(CREATE)
    emulator.fault(DESCRIBE, "gone_for", count=2)
    for expected in (0, 0, 1):
        answer = sdk(DESCRIBE)
        assert answer["TotalCount"] == len(answer["RegisterCodeSet"]) == expected


def test_stuck_is_told_to_the_action(emulator: Emulator, sdk: Sdk) -> None:
    emulator.fault(CREATE, "stuck")
    assert sdk(CREATE)["RegisterCodeId"]  # TAT has no states that could move
    assert emulator.requests(CREATE)[0]["fault"] == "stuck"


# --- which requests, and how often ------------------------------------------------------------


def outcomes(sdk: Sdk, number: int, **parameters: Any) -> str:
    """`x` for each call that failed, `.` for each that did not."""
    seen = ""
    for _ in range(number):
        try:
            sdk(CREATE, **parameters)
            seen += "."
        except TencentCloudSDKException:
            seen += "x"
    return seen


def test_count_and_after(emulator: Emulator, sdk: Sdk) -> None:
    emulator.fault(CREATE, "throttle", count=2, after=1)
    assert outcomes(sdk, 5) == ".xx.."
    emulator.fault(CREATE, "throttle", count=-1)
    assert outcomes(sdk, 5) == "xxxxx"
    assert emulator.faults() == [
        {"action": CREATE, "kind": "throttle", "count": -1, "after": 0},
    ]
    emulator.clear_faults()
    assert outcomes(sdk, 1) == "."


def test_only_those_requests(emulator: Emulator, sdk: Sdk) -> None:
    for more in (
        {"parameters": {"Description": "this"}},
        {"region": "ap-beijing"},
        {"version": "2019-09-24"},
        {"service": "tcr"},
    ):
        emulator.fault(CREATE, "throttle", count=-1, **more)
    assert outcomes(sdk, 2, Description="that") == ".."
    assert outcomes(sdk, 2, Description="this") == "xx"
    assert outcomes(sdk_of(emulator, region="ap-beijing"), 1) == "x"
    emulator.clear_faults()
    emulator.fault("*", "throttle", count=2)
    with refused("RequestLimitExceeded"):
        sdk(DESCRIBE)
    assert outcomes(sdk, 2) == "x."


def test_orders_are_met_in_turn(emulator: Emulator, sdk: Sdk) -> None:
    emulator.fault(CREATE, "throttle")
    emulator.fault(CREATE, "internal_error")
    assert [fails(sdk), fails(sdk)] == ["RequestLimitExceeded", "InternalError"]


def test_over_http(control: Callable[..., Answer], sdk: Sdk) -> None:
    assert control("POST", "faults", {"action": CREATE, "kind": "throttle"}).status == 200
    assert control("GET", "faults").json == [
        {"action": CREATE, "kind": "throttle", "count": 1, "after": 0}
    ]
    assert fails(sdk) == "RequestLimitExceeded"
    control("POST", "faults", {"action": CREATE, "kind": "throttle"})
    assert control("DELETE", "faults").status == 200
    assert control("GET", "faults").json == []
    assert outcomes(sdk, 1) == "."


@pytest.mark.parametrize(
    "order",
    [
        {"action": CREATE, "kind": "thorttle"},
        {"action": "CreateRegisterCodes", "kind": "throttle"},
        {"action": CREATE, "kind": "throttle", "cuont": 2},
        {"action": CREATE, "kind": "throttle", "count": 0},
        {"action": CREATE, "kind": "throttle", "count": -2},
        {"action": CREATE, "kind": "throttle", "count": "1"},
        {"action": CREATE, "kind": "throttle", "after": -1},
        {"action": CREATE, "kind": "throttle", "service": 1},
        {"action": CREATE, "kind": "error"},
        {"action": CREATE, "kind": "delay"},
        {"action": CREATE, "kind": "delay", "seconds": "1"},
        {"action": CREATE, "kind": "gone_for"},
        {"action": CREATE},
        {"kind": "throttle"},
    ],
)
def test_a_slip_in_the_order_is_refused(
    control: Callable[..., Answer], order: dict[str, Any]
) -> None:
    answer = control("POST", "faults", order)
    assert answer.status == 400
    assert answer.json["error"]
    assert control("GET", "faults").json == []


def test_ends_in_another_state(emulator: Emulator) -> None:
    emulator.settings(tcr_pending_seconds=0, tcr_deploying_seconds=0)
    emulator.fault("CreateInstance", "ends_in", status="FailedCreated", message="no bucket")
    tcr = sdk_of(emulator, service="tcr", version="2019-09-24")
    tcr("CreateInstance", RegistryName="tcr-test", RegistryType="basic")
    (found,) = tcr("DescribeInstanceStatus")["RegistryStatusSet"]
    (condition,) = found["Conditions"]
    assert (found["Status"], condition["Reason"]) == ("FailedCreated", "no bucket")
    with pytest.raises(ControlError, match="FailedCreated"):  # says what it could have been
        emulator.fault("CreateInstance", "ends_in", status="Failed")
    with pytest.raises(ControlError, match="ends in nothing"):
        emulator.fault(CREATE, "ends_in", status="FailedCreated")


def test_a_slip_in_python_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ControlError, match="thorttle"):
        emulator.fault(CREATE, "thorttle")

"""The orders to the emulator itself, over HTTP and from Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from pulumi_hybrid.emulator import ControlError, Emulator, VendorError

from .vendor_client import ONE, TWO, Answer, Sdk, http_request, refused, sdk_of

TAT = ("tat", "2020-10-28")


def test_health(control: Callable[..., Answer]) -> None:
    answer = control("GET", "health")
    assert answer.status == 200
    assert answer.json["status"] == "ok"
    assert answer.json["services"]["tencentcloud"]["tat"] == "2020-10-28"
    assert answer.json["services"]["alibabacloud"]["sts"] == "2015-04-01"


def test_requests(emulator: Emulator, control: Callable[..., Answer], sdk: Sdk) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    created = sdk("CreateRegisterCode", Description="d")
    sdk("DescribeRegisterCodes")
    with refused("InvalidParameterValue.TooSmall"):
        sdk("CreateRegisterCode", RegisterLimit=0)
    entries = control("GET", "requests").json
    assert entries == emulator.requests()
    assert [entry["number"] for entry in entries] == [1, 2, 3]
    assert sorted(entries, key=lambda entry: float(entry["monotonic"])) == entries
    first = entries[0]
    assert before < datetime.fromisoformat(first["time"].replace("Z", "+00:00"))
    expected = {
        "vendor": "tencentcloud",
        "service": "tat",
        "version": "2020-10-28",
        "action": "CreateRegisterCode",
        "region": "ap-guangzhou",
        "account": ONE,
        "language": "en-US",
        "parameters": {"Description": "d"},
        "body": '{"Description": "d"}',
        "query": "",
        "status": 200,
        "ending": "answered",
        "error_code": None,
        "request_id": created["RequestId"],
        "fault": None,
    }
    assert {name: first[name] for name in expected} == expected
    assert first["headers"]["content-type"] == "application/json"
    assert first["headers"]["user-agent"].startswith("python-requests/")
    assert first["headers"]["host"] == emulator.url.removeprefix("http://")
    assert first["headers"]["x-tc-requestclient"].startswith("SDK_PYTHON_")
    assert "authorization" not in first["headers"]
    assert entries[2]["error_code"] == "InvalidParameterValue.TooSmall"
    creates = control("GET", "requests?action=CreateRegisterCode").json
    assert [entry["number"] for entry in creates] == [1, 3]


def test_refused_signatures_are_logged(emulator: Emulator, raw: Callable[..., Answer]) -> None:
    raw("CreateRegisterCode", secret_key="key-wrong")
    raw("CreateRegisterCode", headers={"Authorization": "nonsense"})
    raw("CreateRegisterCode", b"{")
    log = [(entry["account"], entry["error_code"]) for entry in emulator.requests()]
    assert log == [
        (ONE, "AuthFailure.SignatureFailure"),
        ("", "AuthFailure.InvalidAuthorization"),
        (ONE, "InvalidParameter"),
    ]
    last = emulator.requests()[-1]
    assert (last["parameters"], last["body"]) == (None, "{")


def test_resources(emulator: Emulator, control: Callable[..., Answer]) -> None:
    created = sdk_of(emulator, TWO, region="ap-beijing")("CreateRegisterCode")
    held = control("GET", "resources").json
    assert list(held) == [TWO]
    (code,) = held[TWO]["ap-beijing"]["tat"]["register_codes"]
    assert code["RegisterCodeId"] == created["RegisterCodeId"]
    assert code["RegisterCodeValue"] == created["RegisterCodeValue"]


def test_reset(emulator: Emulator, control: Callable[..., Answer], sdk: Sdk) -> None:
    sdk("CreateRegisterCode")
    emulator.fault("CreateRegisterCode", "throttle", count=-1)
    emulator.clock(offset_hours=1, skew_seconds=1000)
    emulator.settings(rate_limit=1, register_code_quota=1, tat_role="missing")
    assert control("POST", "reset").status == 200
    assert (emulator.resources(), emulator.requests(), emulator.faults()) == ({}, [], [])
    clock = emulator.clock()
    assert (clock["offset_seconds"], clock["skew_seconds"]) == (0, 0)
    assert emulator.settings() == {
        "rate_limit": None,  # as this emulator was started
        "register_code_quota": 10_000,
        "tat_role": "granted",
    } | {name: value for name, value in emulator.settings().items() if "_tat" not in name}
    for _ in range(2):
        sdk("CreateRegisterCode")
    assert emulator.requests()[0]["number"] == 1


def test_clock(control: Callable[..., Answer]) -> None:
    assert control("POST", "clock", {"offset_hours": 2}).json["offset_seconds"] == 7200
    assert control("POST", "clock", {"advance_seconds": 30}).json["offset_seconds"] == 7230
    assert control("POST", "clock", {"skew_seconds": -5}).json["skew_seconds"] == -5
    answer = control("POST", "clock", {"offset_seconds": 86400, "advance_seconds": 1}).json
    assert answer["offset_seconds"] == 86401
    assert control("GET", "clock").json["skew_seconds"] == -5
    control("POST", "clock", {"skew_seconds": 7200})
    told = parsedate_to_datetime(control("GET", "clock").headers["date"])
    assert timedelta(hours=1) < told - datetime.now(timezone.utc) < timedelta(hours=3)
    now = datetime.fromisoformat(answer["now"].replace("Z", "+00:00"))
    assert timedelta(hours=23) < now - datetime.now(timezone.utc) < timedelta(hours=25)


def test_a_clock_is_moved_by_up_to_a_thousand_years(
    control: Callable[..., Answer], emulator: Emulator, sdk: Sdk
) -> None:
    for hours in (-8760000, 8760000):
        answer = control("POST", "clock", {"offset_hours": hours, "skew_seconds": 0})
        assert answer.status == 200
        sdk("CreateRegisterCode", EffectiveTime=99999)
        assert emulator.resources()
        answer = control("POST", "clock", {"advance_seconds": 1 if hours > 0 else -1})
        assert answer.status == 400
        assert answer.json["error"] == "the clocks go no further than 1000 years either way"
    for years in (-1000, 1000):
        assert control("POST", "clock", {"skew_seconds": years * 365 * 86400}).status == 200
        assert control("GET", "health").status == 200


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("clock", {"offset_days": 1}),
        ("clock", {"offset_hours": "1"}),
        ("clock", {"offset_hours": 1, "offset_seconds": 1}),
        ("clock", {"offset_hours": 1e9}),
        ("clock", {"offset_hours": 3e10}),
        ("clock", {"offset_hours": -1e300}),
        ("clock", {"offset_seconds": 10**400}),
        ("clock", {"offset_seconds": 3e10, "advance_seconds": 3e10}),
        ("clock", {"advance_seconds": float("nan")}),
        ("clock", {"advance_seconds": float("inf")}),
        ("clock", {"offset_hours": 1, "skew_seconds": float("-inf")}),
        ("clock", {"offset_hours": 1, "skew_seconds": 1e12}),
        ("settings", {"rate_limits": 1}),
        ("settings", {"rate_limit": "20"}),
        ("settings", {"rate_limit": -1}),
        ("settings", {"register_code_quota": None}),
        ("settings", {"tat_role": "maybe"}),
        ("call", {"service": "tat", "version": "2020-10-28"}),
        ("call", {"service": "tat", "version": "2020-10-28", "action": "x", "parameters": {}}),
        ("call", {"service": "tat", "version": "2020-10-28", "action": "x", "params": 1}),
        ("call", {"service": "tat", "version": "2020-10-28", "action": "x", "region": 1}),
    ],
)
def test_a_slip_changes_nothing(
    control: Callable[..., Answer], name: str, body: dict[str, Any]
) -> None:
    def standing() -> tuple[Any, ...]:
        clock = control("GET", "clock").json
        settings = control("GET", "settings").json
        return settings, clock["offset_seconds"], clock["skew_seconds"]

    before = standing()
    answer = control("POST", name, body)
    assert answer.status == 400
    assert answer.json["error"]
    assert standing() == before


def test_settings_all_or_none(control: Callable[..., Answer]) -> None:
    control("POST", "settings", {"register_code_quota": 1, "tat_role": "maybe"})
    assert control("GET", "settings").json["register_code_quota"] == 10_000
    changed = control("POST", "settings", {"register_code_quota": 5, "rate_limit": 7}).json
    assert (changed["register_code_quota"], changed["rate_limit"]) == (5, 7)


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "nothing", None, 404),
        ("DELETE", "requests", None, 404),
        ("GET", "reset", None, 404),
    ],
)
def test_no_such_order(
    control: Callable[..., Answer], method: str, name: str, body: Any, status: int
) -> None:
    assert control(method, name, body).status == status


def test_orders_are_json_objects(emulator: Emulator) -> None:
    for body in ("[", "[]"):
        assert http_request(emulator, "POST", "/_emulator/settings", body).status == 400


def test_call_changes_the_cloud_from_outside(emulator: Emulator, sdk: Sdk) -> None:
    created = sdk("CreateRegisterCode")["RegisterCodeId"]
    emulator.fault("*", "throttle", count=-1)
    emulator.settings(rate_limit=0)
    emulator.call(*TAT, "DisableRegisterCodes", {"RegisterCodeIds": [created]})
    emulator.clear_faults()
    emulator.settings(rate_limit=None)
    assert sdk("DescribeRegisterCodes")["RegisterCodeSet"][0]["Enabled"] is False
    actions = [entry["action"] for entry in emulator.requests()]
    assert actions == ["CreateRegisterCode", "DescribeRegisterCodes"]
    with pytest.raises(VendorError) as caught:
        emulator.call(*TAT, "DeleteRegisterCodes", {"RegisterCodeIds": [created]}, account=TWO)
    assert caught.value.code == "ResourceNotFound.RegisterCodesNotFoundCode"
    with pytest.raises(VendorError):
        emulator.call(
            *TAT, "DeleteRegisterCodes", {"RegisterCodeIds": [created]}, region="ap-beijing"
        )
    for wrong in (("tat", "2020-10-28", "X"), ("tat", "x", "DescribeRegions")):
        with pytest.raises(VendorError):
            emulator.call(*wrong)
    with pytest.raises(ControlError):
        emulator.call("nothing", "x", "X")
    with pytest.raises(ControlError):
        emulator.call(*TAT, "DescribeRegions", account="AKIDnobody")


def test_call_over_http(control: Callable[..., Answer], sdk: Sdk) -> None:
    order = {"service": "tat", "version": "2020-10-28", "action": "CreateRegisterCode"}
    made = control("POST", "call", {**order, "params": {"Description": "d"}})
    assert made.status == 200
    assert set(made.json) == {"RegisterCodeId", "RegisterCodeValue"}
    assert sdk("DescribeRegisterCodes")["RegisterCodeSet"][0]["Description"] == "d"
    refusal = control("POST", "call", {**order, "params": {"RegisterLimit": 0}})
    assert refusal.status == 400
    assert refusal.json["error"]["code"] == "InvalidParameterValue.TooSmall"


def test_a_mistake_in_an_action_is_an_internal_error(
    emulator: Emulator,
    sdk: Sdk,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    import dataclasses

    from pulumi_hybrid.emulator import tat

    def broken(call: Any) -> dict[str, Any]:
        call.documents("register_codes").add("half", {"done": True})
        raise ZeroDivisionError

    action = tat.api.actions["CreateRegisterCode"]
    monkeypatch.setitem(
        tat.api.actions, "CreateRegisterCode", dataclasses.replace(action, run=broken)
    )
    with pytest.raises(TencentCloudSDKException) as caught:
        sdk("CreateRegisterCode")
    assert caught.value.code == "InternalError"
    assert emulator.resources() == {}
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_mistake_in_an_order_is_a_500(
    emulator: Emulator,
    control: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(emulator, "resources", lambda: 1 / 0)
    answer = control("GET", "resources")
    assert answer.status == 500
    assert "ZeroDivisionError" in answer.json["error"]
    assert "Traceback" in capfd.readouterr().err


def test_environment(emulator: Emulator) -> None:
    assert emulator.secret_id == ONE
    assert emulator.secret_key == "key-one"
    ours = {
        name: value for name, value in emulator.environment.items() if name.startswith("TENCENT")
    }
    assert ours == {
        "TENCENTCLOUD_ENDPOINT": emulator.url,
        "TENCENTCLOUD_SECRET_ID": ONE,
        "TENCENTCLOUD_SECRET_KEY": "key-one",
        "TENCENTCLOUD_REGION": "ap-guangzhou",
    }
    other = emulator.environment_of("AKIDtemporary")
    assert other["TENCENTCLOUD_SECURITY_TOKEN"] == "token-temporary"
    assert json.dumps(other)  # all of it text

"""TAT against its page: the examples, every limit at it and one past it, every error code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from pulumi_hybrid.emulator import ControlError, Emulator

from .vendor_client import TWO, Answer, Sdk, refused, sdk_of

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VALUE = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NO_CODE = "9b5rb72b-418f-4a81-b32e-f8bc80eef678"

EXAMPLE = b"""{
"Description": "webserver",
"InstanceNamePrefix": "webserver",
"RegisterLimit": 10,
"EffectiveTime": 4,
"IpAddressRange": "192.168.10.1/10"
}"""


def described(sdk: Sdk, register_code_id: str) -> dict[str, Any]:
    found = sdk("DescribeRegisterCodes", RegisterCodeIds=[register_code_id])
    assert found["TotalCount"] == 1
    code: dict[str, Any] = found["RegisterCodeSet"][0]
    return code


def moment(text: str) -> datetime:
    assert TIME.fullmatch(text)
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


# --- the page's two examples ------------------------------------------------------------------


@pytest.mark.parametrize("body", [EXAMPLE, b"{}"])
def test_example_request_of_the_page(raw: Callable[..., Answer], body: bytes) -> None:
    answer = raw("CreateRegisterCode", body)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json) == ["Response"]
    assert set(answer.response) == {"RegisterCodeId", "RegisterCodeValue", "RequestId"}
    assert UUID.fullmatch(answer.response["RegisterCodeId"])
    assert VALUE.fullmatch(answer.response["RegisterCodeValue"])
    assert UUID.fullmatch(answer.response["RequestId"])


def test_described_as_created(raw: Callable[..., Answer], sdk: Sdk) -> None:
    created = raw("CreateRegisterCode", EXAMPLE).response
    code = described(sdk, created["RegisterCodeId"])
    begun, ends = moment(code.pop("CreatedTime")), moment(code.pop("ExpiredTime"))
    assert ends - begun == timedelta(hours=4)
    assert abs(begun - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert moment(code.pop("UpdatedTime")) == begun
    assert code == {
        "RegisterCodeId": created["RegisterCodeId"],
        "Description": "webserver",
        "InstanceNamePrefix": "webserver",
        "RegisterLimit": 10,
        "IpAddressRange": "192.168.10.1/10",
        "Enabled": True,
        "RegisteredCount": 0,
    }


def test_defaults(sdk: Sdk) -> None:
    code = described(sdk, sdk("CreateRegisterCode")["RegisterCodeId"])
    assert (code["Description"], code["InstanceNamePrefix"], code["IpAddressRange"]) == ("",) * 3
    assert code["RegisterLimit"] == 10
    assert moment(code["ExpiredTime"]) - moment(code["CreatedTime"]) == timedelta(hours=4)


def test_the_value_is_shown_once_and_differs(sdk: Sdk, emulator: Emulator) -> None:
    values = [sdk("CreateRegisterCode")["RegisterCodeValue"] for _ in range(2)]
    assert values[0] != values[1]
    listing = json.dumps(sdk("DescribeRegisterCodes"))
    assert "RegisterCodeValue" not in listing
    assert not any(value in listing for value in values)
    assert all(value in json.dumps(emulator.resources()) for value in values)
    assert not any(value in json.dumps(emulator.requests()) for value in values)


# --- limits of CreateRegisterCode -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Description", "d" * 128),
        ("Description", "描" * 128),
        ("Description", ""),
        ("InstanceNamePrefix", "p" * 32),
        ("RegisterLimit", 1),
        ("RegisterLimit", 10_000),
        ("IpAddressRange", ""),
        ("IpAddressRange", "192.168.1.1"),
        ("IpAddressRange", "192.168.0.0/16"),
        ("IpAddressRange", "192.168.10.1/10"),
        ("IpAddressRange", "0.0.0.0/0"),
        ("IpAddressRange", "1.2.3.4/32"),
    ],
)
def test_accepted_at_the_limit(sdk: Sdk, name: str, value: Any) -> None:
    created = sdk("CreateRegisterCode", **{name: value})
    assert described(sdk, created["RegisterCodeId"])[name] == value


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("Description", "d" * 129, "InvalidParameterValue.TooLong"),
        ("Description", "描" * 129, "InvalidParameterValue.TooLong"),
        ("Description", 1, "InvalidParameter"),
        ("Description", None, "InvalidParameter"),
        ("InstanceNamePrefix", "p" * 33, "InvalidParameterValue.TooLong"),
        ("InstanceNamePrefix", ["p"], "InvalidParameter"),
        ("RegisterLimit", 0, "InvalidParameterValue.TooSmall"),
        ("RegisterLimit", -1, "InvalidParameterValue.TooSmall"),
        ("RegisterLimit", 10_001, "InvalidParameterValue.TooLarge"),
        ("RegisterLimit", "10", "InvalidParameter"),
        ("RegisterLimit", 10.0, "InvalidParameter"),
        ("RegisterLimit", True, "InvalidParameter"),
        ("EffectiveTime", 0, "InvalidParameterValue.TooSmall"),
        ("EffectiveTime", -1, "InvalidParameterValue.TooSmall"),
        ("EffectiveTime", 1.5, "InvalidParameter"),
        ("EffectiveTime", 2**63, "InvalidParameter"),
        ("IpAddressRange", "192.168.1", "InvalidParameter"),
        ("IpAddressRange", "192.168.1.256", "InvalidParameter"),
        ("IpAddressRange", "192.168.1.1/33", "InvalidParameter"),
        ("IpAddressRange", "192.168.1.0/255.255.255.0", "InvalidParameter"),
        ("IpAddressRange", "192.168.1.1,192.168.1.2", "InvalidParameter"),
        ("IpAddressRange", "::1", "InvalidParameter"),
        ("IpAddressRange", " 192.168.1.1", "InvalidParameter"),
        ("IpAddressRange", 3232235777, "InvalidParameter"),
        ("ClientToken", "t", "UnknownParameter"),
        ("description", "d", "UnknownParameter"),
    ],
)
def test_refused_past_the_limit(
    sdk: Sdk, emulator: Emulator, name: str, value: Any, code: str
) -> None:
    with refused(code):
        sdk("CreateRegisterCode", **{name: value})
    assert emulator.resources() == {}


@pytest.mark.parametrize("hours", [1, 99_999])
def test_valid_for_so_many_hours(sdk: Sdk, hours: int) -> None:
    code = described(sdk, sdk("CreateRegisterCode", EffectiveTime=hours)["RegisterCodeId"])
    assert moment(code["ExpiredTime"]) - moment(code["CreatedTime"]) == timedelta(hours=hours)


@pytest.mark.parametrize("hours", [100_000, 2**63 - 1])
def test_valid_for_ever(sdk: Sdk, emulator: Emulator, hours: int) -> None:
    created = sdk("CreateRegisterCode", EffectiveTime=hours)
    emulator.clock(offset_hours=24 * 365 * 100)
    code = described(sdk, created["RegisterCodeId"])
    assert code["ExpiredTime"] is None
    assert code["Enabled"] is True


def test_quota(sdk: Sdk, emulator: Emulator) -> None:
    emulator.settings(register_code_quota=2)
    first = sdk("CreateRegisterCode")
    sdk("CreateRegisterCode")
    with refused("LimitExceeded"):
        sdk("CreateRegisterCode")
    sdk("DeleteRegisterCodes", RegisterCodeIds=[first["RegisterCodeId"]])
    sdk("CreateRegisterCode")
    used = sdk("DescribeQuotas", ResourceNames=["REGISTER_CODE", "COMMAND"])
    assert used["GeneralResourceQuotaSet"] == [
        {"ResourceName": "REGISTER_CODE", "ResourceQuotaUsed": 2, "ResourceQuotaTotal": 2},
        {"ResourceName": "COMMAND", "ResourceQuotaUsed": 0, "ResourceQuotaTotal": 100},
    ]


# --- what all actions refuse ------------------------------------------------------------------

EVERY_ACTION: dict[str, dict[str, Any]] = {
    "CreateRegisterCode": {},
    "DescribeRegisterCodes": {},
    "DisableRegisterCodes": {"RegisterCodeIds": [NO_CODE]},
    "DeleteRegisterCodes": {"RegisterCodeIds": [NO_CODE]},
    "DescribeQuotas": {"ResourceNames": ["COMMAND"]},
    "DescribeRegions": {},
    "DescribeRegisterInstances": {},
    "ModifyRegisterInstance": {"InstanceId": "rins-1", "InstanceName": "n"},
    "DeleteRegisterInstance": {"InstanceId": "rins-1"},
    "DescribeAutomationAgentStatus": {},
}


def test_every_action_is_tested_here(control: Callable[..., Answer]) -> None:
    wrong = control("POST", "faults", {"action": "NoAction", "kind": "throttle"})
    assert all(action in wrong.json["error"] for action in EVERY_ACTION)
    listed = wrong.json["error"].split("one of ")[1].split(", ")
    assert set(EVERY_ACTION) <= set(listed)


@pytest.mark.parametrize("action", EVERY_ACTION)
def test_every_action_wants_role_and_region(emulator: Emulator, action: str) -> None:
    parameters = EVERY_ACTION[action]
    emulator.settings(tat_role="missing")
    with refused("ResourceNotFound.RoleNotFound"):
        sdk_of(emulator)(action, **parameters)
    emulator.settings(tat_role="unauthorized")
    with refused("UnauthorizedOperation.AssumeRoleUnauthorized"):
        sdk_of(emulator)(action, **parameters)
    emulator.settings(tat_role="granted")
    with refused("MissingParameter"):
        sdk_of(emulator, region="")(action, **parameters)
    with refused("UnsupportedRegion"):
        sdk_of(emulator, region="ap-nowhere")(action, **parameters)
    with refused("UnknownParameter"):
        sdk_of(emulator)(action, **parameters, Surprise=1)


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("DisableRegisterCodes", "RegisterCodeIds"),
        ("DeleteRegisterCodes", "RegisterCodeIds"),
        ("DescribeQuotas", "ResourceNames"),
        ("ModifyRegisterInstance", "InstanceId"),
        ("ModifyRegisterInstance", "InstanceName"),
        ("DeleteRegisterInstance", "InstanceId"),
    ],
)
def test_required_parameters(sdk: Sdk, action: str, name: str) -> None:
    rest = {key: value for key, value in EVERY_ACTION[action].items() if key != name}
    with refused("MissingParameter"):
        sdk(action, **rest)


# --- DescribeRegisterCodes --------------------------------------------------------------------


def test_paging(sdk: Sdk) -> None:
    ids = [sdk("CreateRegisterCode")["RegisterCodeId"] for _ in range(101)]

    def page(**parameters: Any) -> list[str]:
        answer = sdk("DescribeRegisterCodes", **parameters)
        assert answer["TotalCount"] == 101
        return [code["RegisterCodeId"] for code in answer["RegisterCodeSet"]]

    assert page() == ids[:20]
    assert page(Limit=100) == ids[:100]
    assert page(Limit=100, Offset=100) == ids[100:]
    assert page(Limit=1, Offset=50) == [ids[50]]
    assert page(Offset=101) == []
    some = sdk("DescribeRegisterCodes", RegisterCodeIds=[ids[7], ids[3], NO_CODE, ids[3]])
    assert some["TotalCount"] == 2
    assert [code["RegisterCodeId"] for code in some["RegisterCodeSet"]] == [ids[3], ids[7]]
    hundred = sdk("DescribeRegisterCodes", RegisterCodeIds=ids[1:])
    assert (hundred["TotalCount"], len(hundred["RegisterCodeSet"])) == (100, 20)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Limit": 101}, "InvalidParameterValue.TooLarge"),
        ({"Limit": 0}, "InvalidParameterValue.TooSmall"),
        ({"Offset": -1}, "InvalidParameterValue.TooSmall"),
        ({"RegisterCodeIds": [NO_CODE] * 101}, "InvalidParameterValue.TooLong"),
        ({"RegisterCodeIds": ["short"]}, "InvalidParameterValue.InvalidRegisterCodeId"),
        ({"RegisterCodeIds": NO_CODE}, "InvalidParameter"),
        ({"RegisterCodeIds": [1]}, "InvalidParameter"),
        ({"Filters": []}, "UnknownParameter"),
    ],
)
def test_describe_refuses(sdk: Sdk, parameters: dict[str, Any], code: str) -> None:
    with refused(code):
        sdk("DescribeRegisterCodes", **parameters)


def test_a_code_that_is_not_there_is_no_error(sdk: Sdk) -> None:
    answer = sdk("DescribeRegisterCodes", RegisterCodeIds=[NO_CODE])
    assert (answer["TotalCount"], answer["RegisterCodeSet"]) == (0, [])


def test_region_and_account_are_apart(emulator: Emulator, sdk: Sdk) -> None:
    created = sdk("CreateRegisterCode")["RegisterCodeId"]
    assert sdk("DescribeRegisterCodes")["TotalCount"] == 1
    for other in (sdk_of(emulator, TWO), sdk_of(emulator, region="ap-singapore")):
        assert other("DescribeRegisterCodes")["TotalCount"] == 0
        with refused("ResourceNotFound.RegisterCodesNotFoundCode"):
            other("DeleteRegisterCodes", RegisterCodeIds=[created])
    assert sdk("DescribeRegisterCodes")["TotalCount"] == 1


# --- DisableRegisterCodes, DeleteRegisterCodes ------------------------------------------------


def test_disable(sdk: Sdk, emulator: Emulator) -> None:
    one, two = (sdk("CreateRegisterCode")["RegisterCodeId"] for _ in range(2))
    emulator.clock(offset_seconds=60)
    assert set(sdk("DisableRegisterCodes", RegisterCodeIds=[one])) == {"RequestId"}
    code = described(sdk, one)
    assert code["Enabled"] is False
    assert moment(code["UpdatedTime"]) > moment(code["CreatedTime"])
    assert described(sdk, two)["Enabled"] is True
    sdk("DisableRegisterCodes", RegisterCodeIds=[one])


def test_expiry_turns_enabled_off_at_the_second(sdk: Sdk, emulator: Emulator) -> None:
    created = sdk("CreateRegisterCode", EffectiveTime=1)["RegisterCodeId"]
    emulator.clock(offset_seconds=3590)
    assert described(sdk, created)["Enabled"] is True
    emulator.clock(offset_seconds=3601)
    assert described(sdk, created)["Enabled"] is False
    sdk("DisableRegisterCodes", RegisterCodeIds=[created])


def test_delete(sdk: Sdk) -> None:
    one, two = (sdk("CreateRegisterCode")["RegisterCodeId"] for _ in range(2))
    assert set(sdk("DeleteRegisterCodes", RegisterCodeIds=[one])) == {"RequestId"}
    assert [code["RegisterCodeId"] for code in sdk("DescribeRegisterCodes")["RegisterCodeSet"]] == [
        two
    ]
    with refused("ResourceNotFound.RegisterCodesNotFoundCode"):
        sdk("DeleteRegisterCodes", RegisterCodeIds=[one])


def test_delete_takes_99_and_not_100(sdk: Sdk) -> None:
    ids = [sdk("CreateRegisterCode")["RegisterCodeId"] for _ in range(100)]
    with refused("InvalidParameterValue.TooLong"):
        sdk("DeleteRegisterCodes", RegisterCodeIds=ids)
    sdk("DeleteRegisterCodes", RegisterCodeIds=ids[:99])
    assert sdk("DescribeRegisterCodes")["TotalCount"] == 1


@pytest.mark.parametrize("action", ["DisableRegisterCodes", "DeleteRegisterCodes"])
def test_disable_and_delete_refuse(sdk: Sdk, action: str) -> None:
    one = sdk("CreateRegisterCode")["RegisterCodeId"]
    for ids, code in (
        ([], "MissingParameter"),
        (["short"], "InvalidParameterValue.InvalidRegisterCodeId"),
        ([one, one], "InvalidParameterValue.ParameterKeyDuplicated"),
        ([NO_CODE], "ResourceNotFound.RegisterCodesNotFoundCode"),
        ([one, NO_CODE], "ResourceNotFound.RegisterCodesNotFoundCode"),
    ):
        with refused(code):
            sdk(action, RegisterCodeIds=ids)
    assert described(sdk, one)["Enabled"] is True


# --- machines ---------------------------------------------------------------------------------


def codes_of(created: dict[str, Any]) -> tuple[str, str]:
    return created["RegisterCodeId"], created["RegisterCodeValue"]


def test_a_machine_registers(sdk: Sdk, control: Callable[..., Answer]) -> None:
    created = sdk("CreateRegisterCode", InstanceNamePrefix="web")
    order = {
        "register_code_id": created["RegisterCodeId"],
        "register_code_value": created["RegisterCodeValue"],
        "region": "ap-guangzhou",
        "host_name": "host-1",
        "system": "Windows",
        "local_ip": "10.1.2.3",
        "tags": {"role": "web"},
    }
    answer = control("POST", "register", order)
    assert answer.status == 200
    (instance_id,) = answer.json["instance_ids"]
    assert re.fullmatch(r"rins-[0-9a-z]{8}", instance_id)
    found = sdk("DescribeRegisterInstances", InstanceIds=[instance_id])
    (instance,) = found["RegisterInstanceSet"]
    assert instance["RegisterCodeId"] == created["RegisterCodeId"]
    assert instance["InstanceName"] == "web-1"
    assert (instance["HostName"], instance["SystemName"]) == ("host-1", "Windows")
    assert (instance["LocalIp"], instance["Status"]) == ("10.1.2.3", "Online")
    assert instance["Tags"] == [{"Key": "role", "Value": "web"}]
    code = described(sdk, created["RegisterCodeId"])
    assert code["RegisteredCount"] == 1
    assert code["Enabled"] is True
    # the code goes, the machine stays
    sdk("DeleteRegisterCodes", RegisterCodeIds=[created["RegisterCodeId"]])
    assert sdk("DescribeRegisterInstances")["TotalCount"] == 1


@pytest.mark.parametrize(
    ("parameters", "order", "reason", "status"),
    [
        ({}, {"register_code_value": "0" * 64}, "wrong_value", 403),
        ({}, {"register_code_id": NO_CODE}, "not_found", 404),
        ({}, {"region": "ap-beijing"}, "not_found", 404),
        ({"IpAddressRange": "192.168.10.1/10"}, {"ip": "192.192.0.0"}, "address", 403),
        ({"IpAddressRange": "192.168.10.1"}, {"ip": "192.168.10.2"}, "address", 403),
    ],
)
def test_a_machine_is_refused(
    sdk: Sdk,
    control: Callable[..., Answer],
    parameters: dict[str, Any],
    order: dict[str, Any],
    reason: str,
    status: int,
) -> None:
    created = sdk("CreateRegisterCode", **parameters)
    code, value = codes_of(created)
    answer = control(
        "POST", "register", {"register_code_id": code, "register_code_value": value, **order}
    )
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert described(sdk, code)["RegisteredCount"] == 0


@pytest.mark.parametrize("ip", ["192.128.0.0", "192.191.255.255"])
def test_a_machine_within_the_range_is_let_in(sdk: Sdk, emulator: Emulator, ip: str) -> None:
    created = sdk("CreateRegisterCode", IpAddressRange="192.168.10.1/10")
    assert len(emulator.register(*codes_of(created), ip=ip)) == 1


def test_registrations_are_counted_and_run_out(sdk: Sdk, emulator: Emulator) -> None:
    created = sdk("CreateRegisterCode", RegisterLimit=3)
    first = emulator.register(*codes_of(created))
    with pytest.raises(ControlError) as caught:
        emulator.register(*codes_of(created), count=3)
    assert caught.value.details["reason"] == "used_up"
    assert len(caught.value.details["instance_ids"]) == 2
    assert described(sdk, created["RegisterCodeId"])["RegisteredCount"] == 3
    # deleting a machine does not give its registration back
    sdk("DeleteRegisterInstance", InstanceId=first[0])
    assert described(sdk, created["RegisterCodeId"])["RegisteredCount"] == 3


def test_disabled_and_expired_codes_register_none(sdk: Sdk, emulator: Emulator) -> None:
    disabled, expired = sdk("CreateRegisterCode"), sdk("CreateRegisterCode")
    sdk("DisableRegisterCodes", RegisterCodeIds=[disabled["RegisterCodeId"]])
    with pytest.raises(ControlError) as caught:
        emulator.register(*codes_of(disabled))
    assert caught.value.details["reason"] == "disabled"
    emulator.clock(offset_hours=4)
    with pytest.raises(ControlError) as caught:
        emulator.register(*codes_of(expired))
    assert caught.value.details["reason"] == "expired"


@pytest.mark.parametrize(
    "order",
    [{"cuont": 1}, {"count": 0}, {"system": "BeOS"}, {"ip": "nowhere"}, {"status": "Busy"}],
)
def test_a_slip_in_the_order_is_refused(
    sdk: Sdk, control: Callable[..., Answer], order: dict[str, Any]
) -> None:
    code, value = codes_of(sdk("CreateRegisterCode"))
    answer = control(
        "POST", "register", {"register_code_id": code, "register_code_value": value, **order}
    )
    assert answer.status == 400
    assert next(iter(order)) in answer.json["error"]


@pytest.fixture
def machines(sdk: Sdk, emulator: Emulator) -> dict[str, str]:
    """Two machines of one code and one of another: `{name: id}`, and the codes' ids."""
    one, two = sdk("CreateRegisterCode"), sdk("CreateRegisterCode")
    found = {"code-1": one["RegisterCodeId"], "code-2": two["RegisterCodeId"]}
    for name, code, more in (
        ("a", one, {"local_ip": "10.9.9.1", "tags": {"k": "v1"}}),
        ("b", one, {"system": "Windows", "tags": {"k": "v2", "l": "v1"}}),
        ("c", two, {"status": "Offline"}),
    ):
        (found[name],) = emulator.register(*codes_of(code), host_name=name, **more)
    return found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([("register-code-id", ["{code-1}"])], "ab"),
        ([("register-code-id", ["{code-1}", "{code-2}"])], "abc"),
        ([("register-code-id", [NO_CODE])], ""),
        ([("instance-id", ["{c}"])], "c"),
        ([("instance-name", ["a", "c"])], "ac"),
        ([("register-status", ["Offline"])], "c"),
        ([("local-ip", ["10.9.9.1"])], "a"),
        ([("sys-name", ["Linux"])], "ac"),
        ([("tag-key", ["l"])], "b"),
        ([("tag-value", ["v1"])], "ab"),
        ([("tag:k", ["v1", "v2"])], "ab"),
        ([("tag:k", ["v1"])], "a"),
        ([("register-code-id", ["{code-1}"]), ("sys-name", ["Windows"])], "b"),
        ([], "abc"),
    ],
)
def test_filters(
    sdk: Sdk, machines: dict[str, str], filters: list[tuple[str, list[str]]], expected: str
) -> None:
    sent = [
        {"Name": name, "Values": [machines.get(value.strip("{}"), value) for value in values]}
        if any("{" in value for value in values)
        else {"Name": name, "Values": values}
        for name, values in filters
    ]
    found = sdk("DescribeRegisterInstances", Filters=sent)
    names = "".join(instance["HostName"] for instance in found["RegisterInstanceSet"])
    assert (names, found["TotalCount"]) == (expected, len(expected))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([("agent-status", ["Online"])], "ab"),
        ([("environment", ["Windows"])], "b"),
        ([("instance-id", ["{c}"])], "c"),
    ],
)
def test_agent_status(
    sdk: Sdk, machines: dict[str, str], filters: list[tuple[str, list[str]]], expected: str
) -> None:
    sent = [
        {"Name": name, "Values": [machines.get(value.strip("{}"), value) for value in values]}
        for name, values in filters
    ]
    found = sdk("DescribeAutomationAgentStatus", Filters=sent)
    ids = [agent["InstanceId"] for agent in found["AutomationAgentSet"]]
    assert ids == [machines[name] for name in expected]
    for agent in found["AutomationAgentSet"]:
        assert moment(agent.pop("LastHeartbeatTime"))
        assert set(agent) == {
            "InstanceId",
            "Version",
            "AgentStatus",
            "Environment",
            "SupportFeatures",
        }


@pytest.mark.parametrize("action", ["DescribeRegisterInstances", "DescribeAutomationAgentStatus"])
def test_machines_in_pages(sdk: Sdk, machines: dict[str, str], action: str) -> None:
    field = "RegisterInstanceSet" if action.endswith("Instances") else "AutomationAgentSet"
    page = sdk(action, Limit=1, Offset=1)
    assert page["TotalCount"] == 3
    assert [item["InstanceId"] for item in page[field]] == [machines["b"]]
    page = sdk(action, InstanceIds=[machines["c"], machines["a"]])
    assert [item["InstanceId"] for item in page[field]] == [machines["a"], machines["c"]]


@pytest.mark.parametrize("action", ["DescribeRegisterInstances", "DescribeAutomationAgentStatus"])
@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"InstanceIds": ["rins-1"] * 101}, "InvalidParameterValue.TooLong"),
        ({"InstanceIds": ["nonsense"]}, "InvalidParameterValue.InvalidRegisterInstanceId"),
        ({"Filters": [{"Name": "x", "Values": ["y"]}]}, "InvalidParameterValue.InvalidFilter"),
        (
            {"Filters": [{"Name": "instance-id", "Values": ["y"]}] * 11},
            "InvalidParameterValue.InvalidFilter",
        ),
        (
            {"Filters": [{"Name": "instance-id", "Values": ["y"] * 6}]},
            "LimitExceeded.FilterValueExceeded",
        ),
        ({"Filters": [{"Name": "instance-id"}]}, "MissingParameter"),
        ({"Filters": ["instance-id"]}, "InvalidParameter"),
        ({"Filters": [{"Name": "instance-id", "Value": "y"}]}, "UnknownParameter"),
        (
            {"InstanceIds": ["rins-1"], "Filters": [{"Name": "instance-id", "Values": ["y"]}]},
            "InvalidParameter.ConflictParameter",
        ),
        ({"Limit": 101}, "InvalidParameterValue.TooLarge"),
    ],
)
def test_machine_listings_refuse(
    sdk: Sdk, action: str, parameters: dict[str, Any], code: str
) -> None:
    with refused(code):
        sdk(action, **parameters)


def test_listings_take_ten_filters_of_five_values(sdk: Sdk) -> None:
    filters = [{"Name": "instance-id", "Values": list("vwxyz")}] * 10
    assert sdk("DescribeRegisterInstances", Filters=filters)["TotalCount"] == 0


def test_modify_and_delete_a_machine(sdk: Sdk, machines: dict[str, str]) -> None:
    for name in ("n", "n" * 60):
        sdk("ModifyRegisterInstance", InstanceId=machines["a"], InstanceName=name)
        found = sdk("DescribeRegisterInstances", InstanceIds=[machines["a"]])
        assert found["RegisterInstanceSet"][0]["InstanceName"] == name
    for name, code in (
        ("n" * 61, "InvalidParameterValue.TooLong"),
        ("", "InvalidParameterValue.TooSmall"),
    ):
        with refused(code):
            sdk("ModifyRegisterInstance", InstanceId=machines["a"], InstanceName=name)
    sdk("DeleteRegisterInstance", InstanceId=machines["a"])
    assert sdk("DescribeRegisterInstances")["TotalCount"] == 2
    for gone, code in (
        (machines["a"], "ResourceNotFound.RegisterInstanceNotFoundCode"),
        ("nonsense", "InvalidParameterValue.InvalidRegisterInstanceId"),
    ):
        with refused(code):
            sdk("DeleteRegisterInstance", InstanceId=gone)
        with refused(code):
            sdk("ModifyRegisterInstance", InstanceId=gone, InstanceName="n")


# --- quotas and regions -----------------------------------------------------------------------


def test_a_quota_of_nothing(sdk: Sdk) -> None:
    with refused("ResourceUnavailable.InvalidResourceQuotaResourceCode"):
        sdk("DescribeQuotas", ResourceNames=["REGISTER_CODE", "NOTHING"])


def test_regions(sdk: Sdk) -> None:
    answer = sdk("DescribeRegions")
    assert answer["TotalCount"] == len(answer["RegionSet"])
    names = [region["Region"] for region in answer["RegionSet"]]
    assert names[:6] == [
        "ap-guangzhou",
        "ap-nanjing",
        "ap-shanghai",
        "ap-hongkong",
        "ap-beijing",
        "ap-singapore",
    ]
    assert all(
        set(region) == {"Region", "RegionName", "RegionState"} for region in answer["RegionSet"]
    )

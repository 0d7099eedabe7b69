"""The envelope of Alibaba Cloud: signatures, the query, request rate, faults, the shell."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_hybrid.emulator import ControlError, Emulator, VendorError
from pulumi_hybrid.emulator.alibabacloud import Alibabacloud, read_query

from .test_emulator_process import Shell
from .vendor_client import (
    ONE,
    TEMPORARY,
    TWO,
    Answer,
    EcsSdk,
    Sdk,
    TeaException,
    acs_headers,
    acs_request,
    ecs_of,
    ecs_refused,
    http_request,
    sdk_of,
)

CREATE, DESCRIBE = "CreateActivation", "DescribeActivations"
ECS = ("ecs", "2014-05-26")
Raw = Callable[..., Answer]


def code_of(answer: Answer) -> tuple[int, str]:
    """The HTTP status and the vendor's code of a refusal in a proper envelope."""
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert set(answer.json) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    return answer.status, answer.json["Code"]


def made(emulator: Emulator) -> int:
    """How many activations there are."""
    return int(emulator.call(*ECS, DESCRIBE)["TotalCount"])


def stamp(off: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + off))


# --- signatures -------------------------------------------------------------------------------


def test_right_keys(acs: Raw) -> None:
    answer = acs(CREATE)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert set(answer.json) == {"RequestId", "ActivationId", "ActivationCode"}
    assert answer.json["RequestId"] == str(uuid.UUID(answer.json["RequestId"])).upper()
    assert acs(CREATE, how={"secret_id": TWO, "secret_key": "key-two"}).status == 200
    assert acs(CREATE, how={"method": "GET"}).status == 200


def test_wrong_keys(emulator: Emulator) -> None:
    with ecs_refused("SignatureDoesNotMatch"):
        ecs_of(emulator, secret_key="key-wrong")(CREATE)
    with ecs_refused("SignatureDoesNotMatch"):
        ecs_of(emulator, ONE, secret_key="key-two")(CREATE)
    with ecs_refused("InvalidAccessKeyId.NotFound", 404):
        ecs_of(emulator, "LTAInobody", secret_key="key-one")(CREATE)
    assert emulator.resources() == {}
    assert [entry["account"] for entry in emulator.requests()] == [ONE, ONE, "LTAInobody"]
    assert "key-" not in json.dumps(emulator.requests())


def test_whatever_is_signed_cannot_be_changed(emulator: Emulator) -> None:
    headers = acs_headers(emulator, DESCRIBE, {"RegionId": "cn-hangzhou"})
    right = "/?RegionId=cn-hangzhou"
    for changed, path, body in (
        ({**headers, "x-acs-action": CREATE}, right, b""),
        ({**headers, "x-acs-version": "2014-05-27"}, right, b""),
        ({**headers, "x-acs-date": stamp(1)}, right, b""),
        ({**headers, "x-acs-signature-nonce": "other"}, right, b""),
        ({**headers, "x-acs-content-sha256": "0" * 64}, right, b""),
        ({**headers, "host": "ecs.aliyuncs.com"}, right, b""),
        (headers, "/?RegionId=cn-beijing", b""),
        (headers, right + "&PageSize=1", b""),
        (headers, "/x?RegionId=cn-hangzhou", b""),
        (headers, right, b"x"),
    ):
        answer = http_request(emulator, "POST", path, body, changed)
        assert code_of(answer) == (400, "SignatureDoesNotMatch")
    assert http_request(emulator, "POST", right, b"", headers).status == 200


def test_a_body_is_signed_by_its_digest(acs: Raw) -> None:
    assert acs(CREATE, how={"body": b"a=b"}).status == 200
    wrong = {"body": b"a=b", "extra": {"x-acs-content-sha256": "0" * 64}}
    assert code_of(acs(CREATE, how=wrong)) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize(("off", "fine"), [(-880, True), (880, True), (-920, False), (920, False)])
def test_fifteen_minutes(acs: Raw, off: int, fine: bool) -> None:
    answer = acs(CREATE, how={"date": stamp(off)})
    if fine:
        assert answer.status == 200
    else:
        assert code_of(answer) == (400, "InvalidTimeStamp.Expired")


def test_skew_moves_the_signatures_time_only(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.clock(skew_seconds=-1000)
    with ecs_refused("InvalidTimeStamp.Expired"):
        ecs(CREATE)
    emulator.clock(skew_seconds=0, offset_hours=1000)
    ecs(CREATE)


def test_a_nonce_is_good_for_one_request(emulator: Emulator, acs: Raw) -> None:
    nonce = uuid.uuid4().hex
    # A request that is refused before uses up nothing.
    assert code_of(acs(CREATE, how={"nonce": nonce, "secret_key": "wrong"}))[0] == 400
    assert acs(CREATE, how={"nonce": nonce}).status == 200
    assert code_of(acs(CREATE, how={"nonce": nonce})) == (400, "SignatureNonceUsed")
    assert acs(CREATE, how={"nonce": uuid.uuid4().hex}).status == 200
    # another account's are its own
    other = {"nonce": nonce, "secret_id": TWO, "secret_key": "key-two"}
    assert acs(CREATE, how=other).status == 200
    assert made(emulator) == 2


def test_nonces_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi_hybrid.emulator.alibabacloud.NONCES_KEPT", 2)
    vendor = Alibabacloud()
    for nonce in ("1", "2", "3", "1"):
        vendor._use_nonce(ONE, nonce)
    with pytest.raises(VendorError, match="SignatureNonceUsed"):
        vendor._use_nonce(ONE, "3")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Authorization": None}, "IncompleteSignature"),
        ({"Authorization": "acs x:y"}, "IncompleteSignature"),
        (
            {"Authorization": "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=00"},
            "IncompleteSignature",
        ),
        # what the protocol knows must be signed, where it is there
        ({"x-acs-security-token": "slipped in"}, "IncompleteSignature"),
        ({"content-type": "application/json"}, "IncompleteSignature"),
    ],
)
def test_incomplete(acs: Raw, headers: dict[str, str | None], code: str) -> None:
    assert code_of(acs(CREATE, how={"headers": headers})) == (400, code)


def test_a_date_that_is_none(acs: Raw) -> None:
    answer = acs(CREATE, how={"date": "Tue, 01 Jan 2030 00:00:00 GMT"})
    assert code_of(answer) == (400, "InvalidTimeStamp.Format")


def test_token(emulator: Emulator) -> None:
    ecs_of(emulator, TEMPORARY, token="token-temporary")(CREATE)
    # a temporary key pair of the same account
    assert ecs_of(emulator, ONE)(DESCRIBE)["TotalCount"] == 1
    for secret_id, token, code in (
        (TEMPORARY, None, "MissingSecurityToken"),
        (TEMPORARY, "stale", "InvalidSecurityToken.MismatchWithAccessKey"),
        (ONE, "token-temporary", "InvalidSecurityToken.MismatchWithAccessKey"),
    ):
        with ecs_refused(code):
            ecs_of(emulator, secret_id, token=token)(DESCRIBE)
    assert "token-temporary" not in json.dumps(emulator.requests())
    assert emulator.requests()[0]["headers"]["x-acs-security-token"] == "(hidden)"


# --- routing and the query --------------------------------------------------------------------


def test_unknown_action_and_version(acs: Raw) -> None:
    assert code_of(acs("CreateNothing")) == (404, "InvalidAction.NotFound")
    assert code_of(acs(CREATE, how={"version": "2014-05-27"})) == (400, "InvalidVersion")
    assert code_of(acs(CREATE, how={"version": ""})) == (400, "MissingParameter")


def test_both_vendors_on_one_port(emulator: Emulator, sdk: Sdk, ecs: EcsSdk) -> None:
    sdk("CreateRegisterCode")
    ecs(CREATE)
    assert set(emulator.resources()[ONE]) == {"ap-guangzhou", "cn-hangzhou"}
    assert "RegionSet" in sdk("DescribeRegions")
    assert "Regions" in ecs("DescribeRegions")
    vendors = [entry["vendor"] for entry in emulator.requests()]
    assert vendors == ["tencentcloud", "alibabacloud", "tencentcloud", "alibabacloud"]
    # each has its own default region
    assert emulator.call("tat", "2020-10-28", "DescribeRegisterCodes")["TotalCount"] == 1
    assert made(emulator) == 1


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("", {}),
        ("A=1&B=&C", {"A": "1", "B": "", "C": ""}),
        ("A=a+b%2Bc%2F%C3%A9~", {"A": "a b+c/é~"}),
        ("R.1=a&R.2=b&R.10=c", {"R": ["a", "b", "c"]}),
        (
            "Tag.2.Key=c&Tag.1.Key=a&Tag.1.Value=b",
            {"Tag": [{"Key": "a", "Value": "b"}, {"Key": "c"}]},
        ),
        ("F.1.TagValues.1=x&F.1.TagKey=k", {"F": [{"TagValues": ["x"], "TagKey": "k"}]}),
        ("A=x&A.1=y", {"A": ["y"]}),
        ("1=a", {"1": "a"}),
        ("A.B=c", {"A": {"B": "c"}}),
    ],
)
def test_lists_are_rebuilt_from_the_query(query: str, read: dict[str, Any]) -> None:
    assert read_query(query) == read


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"InstanceNames": "x"}, "UnsupportedParameter"),
        ({"instanceName": "xx"}, "UnsupportedParameter"),
        ({"Tag__1__Keys": "x"}, "UnsupportedParameter"),
        ({"InstanceName__1": "xx"}, "InvalidParameter"),
        ({"Tag": "x"}, "InvalidParameter"),
        ({"Tag__Key": "x"}, "InvalidParameter"),
        ({"Tag__1": "x"}, "InvalidParameter"),
    ],
)
def test_parameters_that_are_none(acs: Raw, parameters: dict[str, str], code: str) -> None:
    assert code_of(acs(CREATE, **parameters)) == (400, code)


def test_region(emulator: Emulator, acs: Raw) -> None:
    assert code_of(acs(CREATE, region=None)) == (400, "MissingParameter")
    assert acs("DescribeRegions", region=None).status == 200
    assert acs(CREATE, OwnerId="1", ResourceOwnerAccount="a").status == 200
    assert made(emulator) == 1


def test_log(emulator: Emulator, ecs: EcsSdk) -> None:
    answer = ecs(CREATE, Description="a b", InstanceCount=2, Tag=[{"Key": "k", "Value": "v"}])
    with ecs_refused("ActivationLimitation.Invalid"):
        ecs(CREATE, InstanceCount=0)
    first, second = emulator.requests(CREATE)
    expected = {
        "vendor": "alibabacloud",
        "service": "ecs",
        "version": "2014-05-26",
        "action": CREATE,
        "region": "cn-hangzhou",
        "account": ONE,
        "parameters": {
            "RegionId": "cn-hangzhou",
            "Description": "a b",
            "InstanceCount": "2",
            "Tag": [{"Key": "k", "Value": "v"}],
        },
        "query": "Description=a+b&InstanceCount=2&RegionId=cn-hangzhou&Tag.1.Key=k&Tag.1.Value=v",
        "body": "",
        "status": 200,
        "error_code": None,
        "request_id": answer["RequestId"],
    }
    assert {name: first[name] for name in expected} == expected
    assert first["headers"]["x-acs-credentials-provider"] == "static_ak"
    assert first["headers"]["user-agent"].startswith("AlibabaCloud")
    assert "authorization" not in first["headers"]
    assert (second["status"], second["error_code"]) == (400, "ActivationLimitation.Invalid")
    assert "Signature=" not in json.dumps([first, second])


# --- the request rate -------------------------------------------------------------------------


def test_so_many_a_second_for_each_action_and_account(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.settings(rate_limit=2)
    ecs(DESCRIBE), ecs(DESCRIBE)
    with ecs_refused("Throttling.User"):
        ecs(DESCRIBE)
    ecs("DescribeRegions")
    ecs_of(emulator, TWO)(DESCRIBE)
    emulator.settings(rate_limit=None)
    ecs(DESCRIBE)


# --- faults -----------------------------------------------------------------------------------


def fails(ecs: EcsSdk, action: str = CREATE, **parameters: Any) -> tuple[str, int | None]:
    """The SDK's word for how a call failed, and the HTTP status."""
    with pytest.raises(TeaException) as caught:
        ecs(action, **parameters)
    error = caught.value
    return str(error.code or type(error).__name__), getattr(error, "status_code", None)


@pytest.mark.parametrize(
    ("kind", "more", "seen", "activations"),
    [
        ("throttle", {}, ("Throttling.User", 400), 0),
        ("throttle_retry_after", {}, ("Throttling.User", 429), 0),
        ("internal_error", {}, ("InternalError.Dispatch", 500), 0),
        ("internal_error_after", {}, ("InternalError.Dispatch", 500), 1),
        ("error", {"code": "A.B"}, ("A.B", 400), 0),
        ("error", {"code": "A.B", "status": 403, "message": "m"}, ("A.B", 403), 0),
        ("error", {"code": "A.B", "status": 503}, ("A.B", 503), 0),
        ("charset", {"code": "A.B"}, ("A.B", 400), 0),
        ("http_503", {}, ("UnretryableException", None), 0),
        ("http_502_html", {}, ("UnretryableException", None), 0),
        ("reset_before", {}, ("UnretryableException", None), 0),
        ("drop_after", {}, ("UnretryableException", None), 1),
        ("truncate", {}, ("UnretryableException", None), 1),
        ("empty", {}, ("UnretryableException", None), 1),
    ],
)
def test_a_fault_is_seen_once(
    emulator: Emulator,
    ecs: EcsSdk,
    kind: str,
    more: dict[str, Any],
    seen: tuple[str, int | None],
    activations: int,
) -> None:
    emulator.fault(CREATE, kind, **more)
    ecs(DESCRIBE)  # another action does not meet it
    assert fails(ecs) == seen
    assert made(emulator) == activations
    (entry,) = emulator.requests(CREATE)
    assert entry["fault"] == kind
    assert emulator.faults() == []
    ecs(CREATE)
    assert made(emulator) == activations + 1


def test_throttle_with_and_without_the_header(emulator: Emulator, acs: Raw) -> None:
    emulator.fault(CREATE, "throttle")
    assert "x-acs-retry-after" not in acs(CREATE).headers
    emulator.fault(CREATE, "throttle_retry_after")
    assert acs(CREATE).headers["x-acs-retry-after"] == "1500"
    emulator.fault(CREATE, "throttle_retry_after", seconds=0.02)
    answer = acs(CREATE)
    assert code_of(answer) == (429, "Throttling.User")
    assert answer.headers["x-acs-retry-after"] == "20"


def test_code_in_200(emulator: Emulator, ecs: EcsSdk, acs: Raw) -> None:
    emulator.fault(CREATE, "code_in_200", code="A.B", message="m", count=2)
    answer = ecs(CREATE)  # no exception: this is what the fault is for
    assert set(answer) == {"RequestId"}
    raw = acs(CREATE)
    assert (raw.status, raw.json["Code"], raw.json["Message"]) == (200, "A.B", "m")
    emulator.fault(CREATE, "code_in_200")
    assert acs(CREATE).json["Code"] == "InternalError.Dispatch"
    assert made(emulator) == 0


def test_missing_ids_and_secrets(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.fault(CREATE, "no_id")
    emulator.fault(CREATE, "no_secret")
    assert set(ecs(CREATE)) == {"ActivationCode", "RequestId"}
    assert set(ecs(CREATE)) == {"ActivationId", "RequestId"}
    assert made(emulator) == 2


def test_strings(emulator: Emulator, ecs: EcsSdk) -> None:
    ecs(CREATE, Tag=[{"Key": "k", "Value": "v"}])
    usual = ecs(DESCRIBE)
    emulator.fault(DESCRIBE, "strings")
    answer = ecs(DESCRIBE)
    assert (answer["TotalCount"], answer["PageSize"]) == ("1", "10")
    item, before = answer["ActivationList"][0], usual["ActivationList"][0]
    assert (item["InstanceCount"], item["Disabled"], item["RegisteredCount"]) == (
        "10",
        "false",
        "0",
    )
    assert item["Tags"] == before["Tags"]
    assert item["CreationTime"] == before["CreationTime"]


def test_null_lists_and_extra_fields(emulator: Emulator, acs: Raw) -> None:
    acs(CREATE)
    emulator.fault(DESCRIBE, "null_lists")
    assert acs(DESCRIBE).json["ActivationList"] is None
    emulator.fault(DESCRIBE, "extra_fields")
    answer = acs(DESCRIBE).json
    assert "EmulatorExtra" in answer
    assert "EmulatorExtra" in answer["ActivationList"][0]


def test_delay_does_the_work_first(emulator: Emulator) -> None:
    emulator.fault(CREATE, "delay", seconds=1)
    assert fails(ecs_of(emulator, timeout=0.2)) == ("UnretryableException", None)
    assert made(emulator) == 1


def test_gone_for(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.fault(CREATE, "gone_for", calls=2)
    late = ecs(CREATE)["ActivationId"]
    seen = [len(ecs(DESCRIBE, ActivationId=late)["ActivationList"]) for _ in range(3)]
    assert seen == [0, 0, 1]
    ecs(CREATE)
    emulator.fault(DESCRIBE, "gone_for")
    answer = ecs(DESCRIBE, MaxResults=1)
    assert (answer["ActivationList"], answer["NextToken"]) == ([], "")
    assert ecs(DESCRIBE, MaxResults=1)["NextToken"]
    ecs("TagResources", ResourceType="activation", ResourceId=[late], Tag=[{"Key": "k"}])
    emulator.fault("ListTagResources", "gone_for")
    listing = {"ResourceType": "activation", "ResourceId": [late]}
    assert ecs("ListTagResources", **listing)["TagResources"]["TagResource"] == []
    assert len(ecs("ListTagResources", **listing)["TagResources"]["TagResource"]) == 1


def test_faults_choose_by_service_region_and_parameters(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.fault("DescribeRegions", "throttle", service="tat", count=-1)
    ecs("DescribeRegions")
    emulator.fault(CREATE, "throttle", region="cn-beijing", count=-1)
    emulator.fault(CREATE, "throttle", parameters={"InstanceCount": "3"}, count=-1)
    ecs(CREATE)
    assert fails(ecs, InstanceCount=3) == ("Throttling.User", 400)
    assert fails(ecs_of(emulator, region="cn-beijing")) == ("Throttling.User", 400)


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "error", "code": "A", "status": 200},
        {"kind": "error", "code": "A", "status": 600},
        {"kind": "error", "code": "A", "status": "403"},
        {"kind": "error", "code": "A", "status": True},
        {"kind": "throttle", "status": 403},
    ],
)
def test_a_slip_in_the_status_is_refused(emulator: Emulator, more: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="status"):
        emulator.fault(CREATE, **more)
    assert emulator.faults() == []


def test_new_kinds_for_the_other_vendor(emulator: Emulator, sdk: Sdk) -> None:
    emulator.fault("DescribeRegisterCodes", "strings")
    assert sdk("DescribeRegisterCodes")["TotalCount"] == "0"
    for kind in ("throttle_retry_after", "code_in_200"):
        emulator.fault("DescribeRegisterCodes", kind)
        with pytest.raises(Exception, match=r"RequestLimitExceeded|InternalError"):
            sdk("DescribeRegisterCodes")


# --- environment and shell --------------------------------------------------------------------


def test_environment(emulator: Emulator) -> None:
    ours = {
        name: value for name, value in emulator.environment.items() if name.startswith("ALICLOUD")
    }
    assert ours == {
        "ALICLOUD_ENDPOINT": emulator.url,
        "ALICLOUD_ACCESS_KEY": ONE,
        "ALICLOUD_SECRET_KEY": "key-one",
        "ALICLOUD_REGION": "cn-hangzhou",
    }
    other = emulator.environment_of(TEMPORARY)
    assert other["ALICLOUD_SECURITY_TOKEN"] == "token-temporary"
    assert not any("TENCENT" in name for name in emulator.environment_of(ONE, "alibabacloud"))
    with Emulator(regions={"alibabacloud": "us-west-1"}) as elsewhere:
        assert elsewhere.environment["ALICLOUD_REGION"] == "us-west-1"
        assert elsewhere.environment["TENCENTCLOUD_REGION"] == "ap-guangzhou"


def shell_works(exports: dict[str, str]) -> None:
    EcsSdk(exports)(CREATE)
    Sdk(exports)("CreateRegisterCode")


def test_shell_without_keys() -> None:
    shell = Shell()
    try:
        exports = shell.exports
        assert exports["ALICLOUD_ENDPOINT"] == exports["TENCENTCLOUD_ENDPOINT"]
        assert exports["ALICLOUD_REGION"] == "cn-hangzhou"
        shell_works(exports)
    finally:
        assert shell.end() == 0


@pytest.mark.parametrize(
    "keys",
    [
        {
            "ALICLOUD_ACCESS_KEY": "LTAIshell",
            "ALICLOUD_SECRET_KEY": "a key of the shell",
            "ALICLOUD_SECURITY_TOKEN": "a token of the shell",
            "ALICLOUD_REGION": "cn-beijing",
        },
        {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIshell",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "a key of the shell",
            "ALIBABA_CLOUD_SECURITY_TOKEN": "a token of the shell",
            "ALIBABA_CLOUD_REGION_ID": "cn-beijing",
        },
        {
            "ALICLOUD_ACCESS_KEY": "LTAIshell",
            "ALICLOUD_SECRET_KEY": "a key of the shell",
            "ALICLOUD_SECURITY_TOKEN": "a token of the shell",
            "ALICLOUD_REGION": "cn-beijing",
            "TENCENTCLOUD_SECRET_ID": "AKIDshell",
            "TENCENTCLOUD_SECRET_KEY": "another key of the shell",
        },
    ],
)
def test_keys_of_the_shell_are_used_and_not_printed(keys: dict[str, str]) -> None:
    shell = Shell(**keys)
    try:
        assert "shell" not in shell.printed
        assert shell.exports["ALICLOUD_REGION"] == "cn-beijing"
        assert "ALICLOUD_ACCESS_KEY" not in shell.exports
        # the other vendor's are made up where the shell has none, and printed
        given = "TENCENTCLOUD_SECRET_ID" in keys
        assert ("TENCENTCLOUD_SECRET_KEY" in shell.exports) is not given
        for ours, theirs in (
            ("ACCESS_KEY", "ACCESS_KEY_ID"),
            ("SECRET_KEY", "ACCESS_KEY_SECRET"),
            ("SECURITY_TOKEN", "SECURITY_TOKEN"),
        ):
            value = keys.get(f"ALICLOUD_{ours}") or keys[f"ALIBABA_CLOUD_{theirs}"]
            shell.exports[f"ALICLOUD_{ours}"] = value
        shell_works({**keys, **shell.exports})
    finally:
        assert shell.end() == 0


def test_call_takes_numbers_and_booleans(emulator: Emulator) -> None:
    created = emulator.call(*ECS, CREATE, {"InstanceCount": 3, "Tag": [{"Key": "k"}]})
    (found,) = emulator.call(*ECS, DESCRIBE, {"PageSize": 50})["ActivationList"]
    assert found["InstanceCount"] == 3
    ids = {"ResourceType": "activation", "ResourceId": [created["ActivationId"]]}
    emulator.call(*ECS, "UntagResources", {**ids, "All": True})
    (found,) = emulator.call(*ECS, DESCRIBE)["ActivationList"]
    assert found["Tags"] == []


def test_two_ways_to_sign_agree(emulator: Emulator) -> None:
    odd = {"Description": "a b+c/é~*", "RegionId": "cn-hangzhou"}
    assert acs_request(emulator, CREATE, odd).status == 200
    ecs_of(emulator)(CREATE, **odd)
    descriptions = [code["Description"] for code in ecs_of(emulator)(DESCRIBE)["ActivationList"]]
    assert descriptions == [odd["Description"]] * 2
    assert sdk_of(emulator)("DescribeRegisterCodes")["TotalCount"] == 0

"""TCR against its pages: every limit at it and one past it, every code, states over time."""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from pulumi_hybrid.emulator import ControlError, Emulator

from .vendor_client import ONE, TWO, Answer, Sdk, refused, sdk_of

TCR = {"service": "tcr", "version": "2019-09-24"}
NAME = "tcr-test"
PREPAID: dict[str, Any] = {
    "RegistryChargeType": 1,
    "RegistryChargePrepaid": {"Period": 1, "RenewFlag": 0},
}
NO_ID = "tcr-00000000"
AT_ONCE = {
    f"tcr_{step}_seconds": 0
    for step in ("pending", "deploying", "upgrade", "delete", "endpoint", "replication")
}
# The real clock goes on beside the settable one: steps this long are not passed by accident.
SLOW = dict.fromkeys(AT_ONCE, 1000)


@pytest.fixture
def tcr(emulator: Emulator) -> Sdk:
    """The SDK of TCR; everything is done at once."""
    emulator.settings(**AT_ONCE)
    return sdk_of(emulator, **TCR)


def made(tcr: Sdk, name: str = NAME, kind: str = "basic", **more: Any) -> str:
    answer = tcr("CreateInstance", RegistryName=name, RegistryType=kind, **more)
    return str(answer["RegistryId"])


def described(tcr: Sdk, registry_id: str) -> dict[str, Any]:
    found = tcr("DescribeInstances", Registryids=[registry_id])
    assert found["TotalCount"] == 1
    registry: dict[str, Any] = found["Registries"][0]
    return registry


def status(tcr: Sdk, registry_id: str) -> str:
    """The same from both actions; `absent` where neither has it."""
    listed = tcr("DescribeInstances", Registryids=[registry_id])["Registries"]
    told = tcr("DescribeInstanceStatus", RegistryIds=[registry_id])["RegistryStatusSet"]
    assert [one["Status"] for one in listed] == [one["Status"] for one in told]
    return str(listed[0]["Status"]) if listed else "absent"


def conditions(tcr: Sdk, registry_id: str) -> list[dict[str, str]]:
    (one,) = tcr("DescribeInstanceStatus", RegistryIds=[registry_id])["RegistryStatusSet"]
    assert one["RegistryId"] == registry_id
    found: list[dict[str, str]] = one["Conditions"]
    return found


def names(answer: dict[str, Any]) -> list[str]:
    return [registry["RegistryName"] for registry in answer["Registries"]]


# --- the page's example -----------------------------------------------------------------------


def test_example_request_of_the_page(tcr: Sdk) -> None:
    answer = tcr("CreateInstance", RegistryName=NAME, RegistryType="standard", SyncTag=True)
    assert set(answer) == {"RegistryId", "RequestId"}
    assert re.fullmatch(r"tcr-[0-9a-z]{8}", answer["RegistryId"])


def test_described_as_created(tcr: Sdk) -> None:
    tags = [{"Key": "k", "Value": "v"}, {"Key": "e", "Value": ""}]
    created = made(
        tcr,
        TagSpecification={"ResourceType": "instance", "Tags": tags},
        SyncTag=True,
        EnableCosMAZ=True,
        DeletionProtection=True,
    )
    registry = described(tcr, created)
    text = registry.pop("CreatedAt")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", text)
    assert abs(datetime.fromisoformat(text) - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert re.fullmatch(r"\d+\.\d+\.\d+\.\d+", registry.pop("InternalEndpoint"))
    assert registry == {
        "RegistryId": created,
        "RegistryName": NAME,
        "RegistryType": "basic",
        "Status": "Running",
        "PublicDomain": f"{NAME}.tencentcloudcr.com",
        "RegionName": "ap-guangzhou",
        "RegionId": 1,
        "EnableAnonymous": False,
        "TokenValidTime": 87600,
        "TagSpecification": {"ResourceType": "instance", "Tags": tags},
        "ExpiredAt": "",
        "PayMod": 0,
        "RenewFlag": 0,
        "DeletionProtection": True,
        "EnableCosMAZ": True,
        "EnableCosVersioning": False,
        "AIFeature": None,
    }
    assert conditions(tcr, created) == [{"Type": "", "Status": "Running", "Reason": ""}]


def test_defaults(tcr: Sdk) -> None:
    registry = described(tcr, made(tcr))
    assert registry["TagSpecification"] is None
    assert (registry["DeletionProtection"], registry["EnableCosMAZ"]) == (False, False)


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("premium", None, True),
        ("standard", None, False),
        ("basic", None, False),
        ("premium", False, False),
        ("basic", True, True),
    ],
)
def test_versioning(tcr: Sdk, kind: str, sent: bool | None, expected: bool) -> None:
    more: dict[str, Any] = {} if sent is None else {"EnableCosVersioning": sent}
    assert described(tcr, made(tcr, kind=kind, **more))["EnableCosVersioning"] is expected


def test_international_site(emulator: Emulator, tcr: Sdk) -> None:
    emulator.settings(site="intl")
    with refused("UnknownParameter"):
        made(tcr, EnableCosVersioning=False)
    created = made(tcr)
    with refused("UnknownParameter"):
        tcr("ModifyInstance", RegistryId=created, EnableCosVersioning=True)
    assert not {"EnableCosVersioning", "AIFeature"} & set(described(tcr, created))
    assert set(tcr("CheckInstanceName", RegistryName="free-name")) == {"IsValidated", "RequestId"}


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a" * 5, "a" * 50, "a-b-c", "a--b-c", "12345", "0-0-0"])
def test_names_accepted(tcr: Sdk, name: str) -> None:
    assert tcr("CheckInstanceName", RegistryName=name)["DetailCode"] == 0
    assert described(tcr, made(tcr, name))["PublicDomain"] == f"{name}.tencentcloudcr.com"


@pytest.mark.parametrize(
    ("name", "detail", "code"),
    [
        ("a" * 4, 1, "ErrorNameIllegal"),
        ("a" * 51, 1, "ErrorNameIllegal"),
        ("", 1, "ErrorNameIllegal"),
        ("-abcd", 1, "ErrorNameIllegal"),
        ("abcd-", 1, "ErrorNameIllegal"),
        ("Abcde", 1, "ErrorNameIllegal"),
        ("ab_de", 1, "ErrorNameIllegal"),
        ("ab.de", 1, "ErrorNameIllegal"),
        ("abcdé", 1, "ErrorNameIllegal"),
        ("abcde\n", 1, "ErrorNameIllegal"),
        ("admin", 2, "ErrorNameReserved"),
        ("tencentcloud", 2, "ErrorNameReserved"),
        ("theirs", 3, "ErrorNameExists"),
        ("ours-already", 3, "ErrorNameExists"),
        ("hers-already", 3, "ErrorNameExists"),
    ],
)
def test_names_refused(emulator: Emulator, tcr: Sdk, name: str, detail: int, code: str) -> None:
    emulator.settings(taken_registry_names=["theirs"])
    made(tcr, "ours-already")
    made(sdk_of(emulator, TWO, region="ap-tokyo", **TCR), "hers-already")
    before = emulator.ledger()["count"]
    answer = tcr("CheckInstanceName", RegistryName=name)
    assert (answer["IsValidated"], answer["DetailCode"]) == (False, detail)
    with refused(f"InvalidParameter.{code}"):
        made(tcr, name)
    assert emulator.ledger()["count"] == before
    assert tcr("DescribeInstances")["TotalCount"] == 1


def test_a_name_is_free(emulator: Emulator, tcr: Sdk) -> None:
    answer = tcr("CheckInstanceName", RegistryName=NAME)
    assert (answer["IsValidated"], answer["DetailCode"]) == (True, 0)


def test_a_name_is_free_again_after_a_while(emulator: Emulator, tcr: Sdk) -> None:
    emulator.settings(tcr_delete_seconds=1000, tcr_name_seconds=500)
    created = made(tcr)
    tcr("DeleteInstance", RegistryId=created)
    for passed, expected in (
        (0, "Deleting"),
        (990, "Deleting"),
        (1001, "absent"),
        (1490, "absent"),
    ):
        emulator.clock(offset_seconds=passed)
        assert status(tcr, created) == expected
        with refused("InvalidParameter.ErrorNameExists"):
            made(tcr)
    emulator.clock(offset_seconds=1501)
    assert made(tcr) != created


def test_a_name_is_free_as_soon_as_the_registry_is_gone(tcr: Sdk) -> None:
    tcr("DeleteInstance", RegistryId=made(tcr))
    made(tcr)


# --- limits of CreateInstance -----------------------------------------------------------------


def tagged(count: int) -> dict[str, Any]:
    return {"Tags": [{"Key": f"k{number}", "Value": "v"} for number in range(count)]}


@pytest.mark.parametrize(
    "parameters",
    [
        {"RegistryType": "standard"},
        {"RegistryType": "premium"},
        {"TagSpecification": {}},
        {"TagSpecification": tagged(10)},
        {"RegistryChargeType": 0},
        {"RegistryChargeType": 0, "RegistryChargePrepaid": {"Period": 1, "RenewFlag": 0}},
        PREPAID,
        {**PREPAID, "RegistryChargePrepaid": {"Period": 36, "RenewFlag": 2}},
    ],
)
def test_accepted_at_the_limit(tcr: Sdk, parameters: dict[str, Any]) -> None:
    created = tcr("CreateInstance", **{"RegistryName": NAME, "RegistryType": "basic", **parameters})
    registry = described(tcr, created["RegistryId"])
    assert registry["RegistryType"] == parameters.get("RegistryType", "basic")
    sent = parameters.get("TagSpecification") or {}
    tags = (registry["TagSpecification"] or {}).get("Tags", [])
    assert len(tags) == len(sent.get("Tags", []))
    assert registry["PayMod"] == parameters.get("RegistryChargeType", 0)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"RegistryType": "Basic"}, "InvalidParameter"),
        ({"RegistryType": "enterprise"}, "InvalidParameter"),
        ({"RegistryType": 1}, "InvalidParameter"),
        ({"RegistryName": 12345}, "InvalidParameter"),
        ({"TagSpecification": tagged(11)}, "InvalidParameter.ErrorTagOverLimit"),
        ({"TagSpecification": [tagged(1)]}, "InvalidParameter"),
        ({"TagSpecification": {"Tags": [{"Key": "k" * 128, "Value": "v"}]}}, "InvalidParameter"),
        ({"TagSpecification": {"Tags": [{"Key": "k", "Value": "v" * 256}]}}, "InvalidParameter"),
        ({"TagSpecification": {**tagged(1), "ResourceType": "namespace"}}, "InvalidParameter"),
        ({"TagSpecification": {"Tags": [{"Key": "k"}]}}, "MissingParameter"),
        ({"TagSpecification": {"Tags": [{"Key": "", "Value": ""}]}}, "InvalidParameter"),
        ({"TagSpecification": {"Tags": [{"Key": "k", "Value": "v"}] * 2}}, "InvalidParameter"),
        ({"TagSpecification": {"Tags": [{"TagKey": "k"}]}}, "UnknownParameter"),
        ({"RegistryChargeType": -1}, "InvalidParameter"),
        ({"RegistryChargeType": 2}, "InvalidParameter"),
        ({"RegistryChargeType": "1"}, "InvalidParameter"),
        ({"RegistryChargeType": 1}, "MissingParameter"),
        ({"RegistryChargePrepaid": {"RenewFlag": 0}}, "MissingParameter"),
        ({"RegistryChargePrepaid": {"Period": 1}}, "MissingParameter"),
        ({"RegistryChargePrepaid": {"Period": 0, "RenewFlag": 0}}, "InvalidParameter"),
        ({"RegistryChargePrepaid": {"Period": 1201, "RenewFlag": 0}}, "InvalidParameter"),
        ({"RegistryChargePrepaid": {"Period": 1, "RenewFlag": -1}}, "InvalidParameter"),
        ({"RegistryChargePrepaid": {"Period": 1, "RenewFlag": 3}}, "InvalidParameter"),
        ({"SyncTag": "True"}, "InvalidParameter"),
        ({"EnableCosMAZ": 1}, "InvalidParameter"),
        ({"DeletionProtection": None}, "InvalidParameter"),
        ({"ClientToken": "t"}, "UnknownParameter"),
    ],
)
def test_refused_past_the_limit(
    emulator: Emulator, tcr: Sdk, parameters: dict[str, Any], code: str
) -> None:
    with refused(code):
        tcr("CreateInstance", **{"RegistryName": NAME, "RegistryType": "basic", **parameters})
    assert emulator.resources() == {}
    assert emulator.ledger()["count"] == 0


def test_the_vendors_words_about_a_type(raw: Callable[..., Answer]) -> None:
    body = json.dumps({"RegistryName": NAME, "RegistryType": "BASIC"}).encode()
    answer = raw("CreateInstance", body, service="tcr", headers={"X-TC-Version": "2019-09-24"})
    assert answer.response["Error"]["Message"] == "not support registry type"


def test_quota_of_a_region(emulator: Emulator, tcr: Sdk) -> None:
    ids = [made(tcr, f"name-{number}") for number in range(10)]
    with refused("OperationDenied.QuotaOverLimit"):
        made(tcr)
    made(sdk_of(emulator, region="ap-tokyo", **TCR), "elsewhere")
    made(sdk_of(emulator, TWO, **TCR), "someone-else")
    tcr("DeleteInstance", RegistryId=ids[0])
    made(tcr)
    emulator.settings(registry_quota=11)
    made(tcr, "eleventh")
    with refused("OperationDenied.QuotaOverLimit"):
        made(tcr, "twelfth")


# --- what all actions refuse ------------------------------------------------------------------

POLICY = {"CidrBlock": "1.2.3.4/32", "Description": "d"}
ONE_ID = {"RegistryId": NO_ID}
EVERY_ACTION: dict[str, dict[str, Any]] = {
    "CreateInstance": {"RegistryName": NAME, "RegistryType": "basic"},
    "DescribeInstances": {},
    "DescribeInstanceStatus": {},
    "CheckInstanceName": {"RegistryName": NAME},
    "CheckInstance": ONE_ID,
    "DescribeRegions": {},
    "ModifyInstance": {**ONE_ID, "DeletionProtection": False},
    "RenewInstance": {**ONE_ID, "RegistryChargePrepaid": {"Period": 1, "RenewFlag": 0}, "Flag": 0},
    "DeleteInstance": ONE_ID,
    "ManageExternalEndpoint": {**ONE_ID, "Operation": "Create"},
    "DescribeExternalEndpointStatus": ONE_ID,
    "CreateSecurityPolicy": {**ONE_ID, **POLICY},
    "CreateMultipleSecurityPolicy": {**ONE_ID, "SecurityGroupPolicySet": [POLICY]},
    "DescribeSecurityPolicies": ONE_ID,
    "ModifySecurityPolicy": {**ONE_ID, **POLICY, "PolicyIndex": 0},
    "DeleteSecurityPolicy": {**ONE_ID, "PolicyIndex": 0, "PolicyVersion": "1"},
    "DeleteMultipleSecurityPolicy": {**ONE_ID, "SecurityGroupPolicySet": [POLICY]},
    "CreateNamespace": {**ONE_ID, "NamespaceName": "team", "IsPublic": False},
    "DescribeNamespaces": ONE_ID,
    "DeleteNamespace": {**ONE_ID, "NamespaceName": "team"},
    "CreateReplicationInstance": {**ONE_ID, "ReplicationRegionId": 9},
    "DescribeReplicationInstances": ONE_ID,
    "DeleteReplicationInstance": {
        **ONE_ID,
        "ReplicationRegistryId": f"{NO_ID}-9-00000000",
        "ReplicationRegionId": 9,
    },
    "CreateInstanceToken": ONE_ID,
    "DescribeInstanceToken": ONE_ID,
    "ModifyInstanceToken": {**ONE_ID, "TokenId": "t", "Enable": False},
    "DeleteInstanceToken": {**ONE_ID, "TokenId": "t"},
}
OPTIONAL = {"DeletionProtection", "ReplicationRegionId", "Enable"}


def test_every_action_is_tested_here() -> None:
    from pulumi_hybrid.emulator import tcr as module

    assert set(module.api.actions) == set(EVERY_ACTION)


@pytest.mark.parametrize("action", EVERY_ACTION)
def test_every_action_wants_a_region(emulator: Emulator, action: str) -> None:
    parameters = EVERY_ACTION[action]
    with refused("MissingParameter"):
        sdk_of(emulator, region="", **TCR)(action, **parameters)
    create = action == "CreateInstance"
    with refused("InvalidParameter.UnsupportedRegion" if create else "UnsupportedRegion"):
        sdk_of(emulator, region="ap-nowhere", **TCR)(action, **parameters)
    with refused("UnknownParameter"):
        sdk_of(emulator, **TCR)(action, **parameters, Surprise=1)


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (action, name)
        for action, parameters in EVERY_ACTION.items()
        for name in parameters
        if name not in OPTIONAL
        or (action, name) == ("DeleteReplicationInstance", "ReplicationRegionId")
    ],
)
def test_required_parameters(tcr: Sdk, action: str, name: str) -> None:
    rest = {key: value for key, value in EVERY_ACTION[action].items() if key != name}
    with refused("MissingParameter"):
        tcr(action, **rest)


@pytest.mark.parametrize(
    "action",
    [
        action
        for action, parameters in EVERY_ACTION.items()
        if "RegistryId" in parameters and action != "CheckInstance"
    ],
)
def test_a_registry_that_is_not_there(emulator: Emulator, tcr: Sdk, action: str) -> None:
    token = action == "CreateInstanceToken"
    code = "ResourceNotFound.TcrResourceNotFound" if token else "ResourceNotFound"
    with refused(code):
        tcr(action, **EVERY_ACTION[action])
    hers = made(sdk_of(emulator, TWO, **TCR))
    elsewhere = made(sdk_of(emulator, region="ap-tokyo", **TCR), "elsewhere")
    for registry_id in (hers, elsewhere):
        with refused(code):
            tcr(action, **{**EVERY_ACTION[action], "RegistryId": registry_id})


# --- states over time -------------------------------------------------------------------------


def test_a_registry_comes_to_life(emulator: Emulator, tcr: Sdk) -> None:
    emulator.settings(tcr_pending_seconds=100, tcr_deploying_seconds=200)
    created = made(tcr)
    for passed, expected, address in (
        (0, "Pending", False),
        (90, "Pending", False),
        (101, "Deploying", False),
        (290, "Deploying", False),
        (301, "Running", True),
    ):
        emulator.clock(offset_seconds=passed)
        assert status(tcr, created) == expected
        assert conditions(tcr, created) == [{"Type": "", "Status": expected, "Reason": ""}]
        assert bool(described(tcr, created)["InternalEndpoint"]) is address


def test_the_defaults_are_quick(emulator: Emulator) -> None:
    tcr = sdk_of(emulator, **TCR)
    created = made(tcr)
    assert status(tcr, created) == "Pending"
    emulator.clock(advance_seconds=3)
    assert status(tcr, created) == "Running"
    tcr("DeleteInstance", RegistryId=created)
    assert status(tcr, created) == "Deleting"
    emulator.clock(advance_seconds=1)
    assert status(tcr, created) == "absent"


def test_many_steps_at_once(emulator: Emulator, tcr: Sdk) -> None:
    emulator.settings(**SLOW)
    created = made(tcr)
    emulator.clock(offset_hours=24 * 365)
    assert status(tcr, created) == "Running"


@pytest.mark.parametrize("ending", ["FailedCreated", "Unhealthy", "Bucket-Error", "Isolate"])
def test_a_registry_fails_on_order(emulator: Emulator, tcr: Sdk, ending: str) -> None:
    emulator.fault("CreateInstance", "ends_in", status=ending, message="create bucket failed")
    emulator.settings(tcr_deploying_seconds=100)
    failed, fine = made(tcr), made(tcr, "other-name")
    assert (status(tcr, failed), status(tcr, fine)) == ("Deploying", "Deploying")
    emulator.clock(offset_seconds=101)
    assert (status(tcr, failed), status(tcr, fine)) == (ending, "Running")
    assert conditions(tcr, failed) == [
        {"Type": "", "Status": ending, "Reason": "create bucket failed"}
    ]
    with refused("FailedOperation"):
        tcr("ManageExternalEndpoint", RegistryId=failed, Operation="Create")
    with refused("OperationDenied"):
        tcr("ModifyInstance", RegistryId=failed, RegistryType="premium")
    with refused("InvalidParameter.ErrorNameExists"):
        made(tcr)
    tcr("DeleteInstance", RegistryId=failed)
    assert status(tcr, failed) == "absent"


def test_a_stuck_registry_stays_where_it_is(emulator: Emulator, tcr: Sdk) -> None:
    emulator.fault("CreateInstance", "stuck")
    created = made(tcr)
    emulator.clock(offset_hours=1)
    assert status(tcr, created) == "Pending"
    emulator.registry(created, "Running")
    emulator.fault("ModifyInstance", "stuck")
    tcr("ModifyInstance", RegistryId=created, RegistryType="premium")
    emulator.clock(offset_hours=2)
    assert described(tcr, created)["RegistryType"] == "basic"
    emulator.registry(created, "Running")
    emulator.fault("DeleteInstance", "stuck")
    tcr("DeleteInstance", RegistryId=created)
    emulator.clock(offset_hours=3)
    assert status(tcr, created) == "Deleting"


@pytest.mark.parametrize("moving", ["Pending", "Deploying", "Deleting"])
def test_a_moving_registry_is_busy(emulator: Emulator, tcr: Sdk, moving: str) -> None:
    created = made(tcr)
    emulator.registry(created, moving)
    with refused("InternalError.ErrorConflict"):
        tcr("DeleteInstance", RegistryId=created)
    with refused("InternalError.ErrorConflict"):
        tcr("RenewInstance", **{**EVERY_ACTION["RenewInstance"], "RegistryId": created})
    with refused("OperationDenied" if moving == "Deleting" else "InternalError.ErrorConflict"):
        tcr("ModifyInstance", RegistryId=created, RegistryType="premium")
    for action in (
        "ManageExternalEndpoint",
        "CreateNamespace",
        "DeleteNamespace",
        "CreateReplicationInstance",
    ):
        with refused("FailedOperation"):
            tcr(action, **{**EVERY_ACTION[action], "RegistryId": created})


def test_gone_for_some_reads(emulator: Emulator, tcr: Sdk) -> None:
    emulator.fault("CreateInstance", "gone_for", calls=2)
    created = made(tcr)
    seen = [tcr("DescribeInstances", Registryids=[created])["TotalCount"] for _ in range(3)]
    assert seen == [0, 0, 1]


def test_the_file_keeps_what_is_still_to_come(tmp_path: Any, emulator: Emulator) -> None:
    accounts = {ONE: "key-one"}
    with Emulator(accounts=accounts, data=tmp_path / "e.sqlite") as first:
        first.settings(**SLOW)
        created = made(sdk_of(first, **TCR))
    with Emulator(accounts=accounts, data=tmp_path / "e.sqlite") as second:
        tcr = sdk_of(second, **TCR)
        assert status(tcr, created) == "Pending"
        second.clock(offset_seconds=2001)
        assert status(tcr, created) == "Running"
        assert second.ledger()["count"] == 1


# --- DescribeInstances, DescribeInstanceStatus, CheckInstance, DescribeRegions ----------------


def test_paging(emulator: Emulator, tcr: Sdk) -> None:
    emulator.settings(registry_quota=101)
    made_names = [f"name-{number}" for number in range(101)]
    ids = [made(tcr, name) for name in made_names]

    def page(**parameters: Any) -> list[str]:
        answer = tcr("DescribeInstances", **parameters)
        assert answer["TotalCount"] == 101
        return names(answer)

    assert page() == made_names[:20]
    assert page(Limit=100) == made_names[:100]
    assert page(Limit=100, Offset=100) == made_names[100:]
    assert page(Limit=1, Offset=50) == [made_names[50]]
    assert page(Offset=101) == []
    some = tcr("DescribeInstances", Registryids=[ids[7], NO_ID, ids[3]])
    assert (some["TotalCount"], names(some)) == (2, [made_names[3], made_names[7]])
    assert len(tcr("DescribeInstanceStatus")["RegistryStatusSet"]) == 101


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Limit": 0}, "InvalidParameter"),
        ({"Limit": 101}, "InvalidParameter"),
        ({"Offset": -1}, "InvalidParameter"),
        ({"Registryids": "tcr-1"}, "InvalidParameter"),
        ({"RegistryIds": ["tcr-1"]}, "UnknownParameter"),
        ({"Filters": [{"Name": "Status", "Values": ["Running"]}]}, "InvalidParameter"),
        ({"Filters": [{"Name": "RegistryName"}]}, "MissingParameter"),
        ({"Filters": [{"Name": "RegistryName", "Values": []}]}, "MissingParameter"),
        ({"AllRegion": "true"}, "InvalidParameter"),
    ],
)
def test_describe_refuses(tcr: Sdk, parameters: dict[str, Any], code: str) -> None:
    with refused(code):
        tcr("DescribeInstances", **parameters)


def test_status_has_another_spelling_of_ids(tcr: Sdk) -> None:
    with refused("UnknownParameter"):
        tcr("DescribeInstanceStatus", Registryids=[NO_ID])


def named(*values: str) -> dict[str, Any]:
    return {"Name": "RegistryName", "Values": list(values)}


@pytest.mark.parametrize(
    ("filters", "exact", "fuzzy"),
    [
        ([named("stage")], ["stage"], ["stage", "stage-2", "my-stage"]),
        ([named("stage", "my-stage")], ["stage", "my-stage"], ["stage", "stage-2", "my-stage"]),
        ([named("stage"), named("my-stage")], [], ["my-stage"]),
        ([named("nothing")], [], []),
    ],
)
def test_filters(
    emulator: Emulator,
    tcr: Sdk,
    filters: list[dict[str, Any]],
    exact: list[str],
    fuzzy: list[str],
) -> None:
    for name in ("stage", "stage-2", "my-stage", "other"):
        made(tcr, name)
    answer = tcr("DescribeInstances", Filters=filters)
    assert (names(answer), answer["TotalCount"]) == (exact, len(exact))
    emulator.settings(tcr_name_filter="fuzzy")
    assert names(tcr("DescribeInstances", Filters=filters)) == fuzzy


def test_ids_and_filters_together(tcr: Sdk) -> None:
    one, two = made(tcr, "stage-1"), made(tcr, "stage-2")
    answer = tcr("DescribeInstances", Registryids=[one], Filters=[named("stage-2")])
    assert answer["TotalCount"] == 0
    answer = tcr("DescribeInstances", Registryids=[one, two], Filters=[named("stage-2")])
    assert names(answer) == ["stage-2"]


def test_all_regions(emulator: Emulator, tcr: Sdk) -> None:
    tokyo = sdk_of(emulator, region="ap-tokyo", **TCR)
    here, there = made(tcr, "here-we-are"), made(tokyo, "there-we-are")
    made(sdk_of(emulator, TWO, **TCR), "someone-else")
    assert names(tcr("DescribeInstances")) == ["here-we-are"]
    assert names(tokyo("DescribeInstances")) == ["there-we-are"]
    assert names(tcr("DescribeInstances", AllRegion=True)) == ["here-we-are", "there-we-are"]
    found = tcr("DescribeInstances", AllRegion=True, Registryids=[there], Filters=[named(NAME)])
    assert found["TotalCount"] == 0
    assert names(tcr("DescribeInstances", AllRegion=True, Registryids=[there])) == ["there-we-are"]
    assert tcr("DescribeInstances", Registryids=[there])["TotalCount"] == 0
    assert described(tokyo, there)["RegionId"] == 25
    assert tcr("DescribeInstanceStatus", RegistryIds=[there])["RegistryStatusSet"] == []
    for registry_id, expected in ((here, 1), (there, 25)):
        answer = tcr("CheckInstance", RegistryId=registry_id)
        assert (answer["IsValidated"], answer["RegionId"]) == (True, expected)


def test_a_missing_registry_both_ways(emulator: Emulator, tcr: Sdk) -> None:
    assert tcr("DescribeInstances", Registryids=[NO_ID])["Registries"] == []
    emulator.settings(tcr_missing_registry="error")
    with refused("ResourceNotFound"):
        tcr("DescribeInstances", Registryids=[NO_ID])
    assert tcr("DescribeInstances")["TotalCount"] == 0
    created = made(tcr)
    assert tcr("DescribeInstances", Registryids=[NO_ID, created])["TotalCount"] == 1


def test_check_instance_knows_only_its_own(emulator: Emulator, tcr: Sdk) -> None:
    hers = made(sdk_of(emulator, TWO, **TCR))
    for registry_id in (hers, NO_ID):
        assert tcr("CheckInstance", RegistryId=registry_id)["IsValidated"] is False


def test_regions(tcr: Sdk) -> None:
    answer = tcr("DescribeRegions")
    assert answer["TotalCount"] == len(answer["Regions"]) == 19
    first = answer["Regions"][0]
    assert (first["RegionName"], first["RegionId"], first["Alias"]) == ("ap-guangzhou", 1, "gz")
    assert set(first) == {
        "Alias",
        "RegionId",
        "RegionName",
        "Status",
        "Remark",
        "CreatedAt",
        "UpdatedAt",
        "Id",
    }
    assert len({region["RegionId"] for region in answer["Regions"]}) == 19


# --- ModifyInstance ---------------------------------------------------------------------------


@pytest.mark.parametrize("during", ["Running", "Deploying"])
def test_an_upgrade_takes_its_time(emulator: Emulator, tcr: Sdk, during: str) -> None:
    created = made(tcr)
    emulator.settings(tcr_upgrade_seconds=100, tcr_upgrade_status=during)
    assert set(tcr("ModifyInstance", RegistryId=created, RegistryType="premium")) == {"RequestId"}
    emulator.clock(offset_seconds=90)
    assert described(tcr, created)["RegistryType"] == "basic"
    assert status(tcr, created) == during
    with refused("InternalError.ErrorConflict"):
        tcr("ModifyInstance", RegistryId=created, RegistryType="standard")
    with refused("InternalError.ErrorConflict"):
        tcr("DeleteInstance", RegistryId=created)
    emulator.clock(offset_seconds=101)
    assert described(tcr, created)["RegistryType"] == "premium"
    assert status(tcr, created) == "Running"
    assert emulator.ledger()["counts"]["upgrade"] == 0  # what is paid by the hour is not bought


def test_properties_change_at_once(emulator: Emulator, tcr: Sdk) -> None:
    emulator.settings(tcr_upgrade_seconds=1000)
    created = made(tcr)
    tcr("ModifyInstance", RegistryId=created, DeletionProtection=True)
    assert described(tcr, created)["DeletionProtection"] is True
    tcr("ModifyInstance", RegistryId=created, EnableCosVersioning=True)
    registry = described(tcr, created)
    assert (registry["DeletionProtection"], registry["EnableCosVersioning"]) == (True, True)
    tcr("ModifyInstance", RegistryId=created, DeletionProtection=False, RegistryType="standard")
    assert described(tcr, created)["DeletionProtection"] is False
    emulator.clock(offset_seconds=1001)
    assert described(tcr, created)["RegistryType"] == "standard"


def test_modify_is_all_or_none(tcr: Sdk) -> None:
    created = made(tcr, kind="premium")
    with refused("UnsupportedOperation"):
        tcr("ModifyInstance", RegistryId=created, RegistryType="basic", DeletionProtection=True)
    assert described(tcr, created)["DeletionProtection"] is False


def test_the_same_type_is_no_change(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr)
    emulator.settings(**SLOW, tcr_upgrade_status="Deploying")
    tcr("ModifyInstance", RegistryId=created, RegistryType="basic")
    assert status(tcr, created) == "Running"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "InvalidParameter"),
        ({"RegistryType": "Premium"}, "InvalidParameter"),
        ({"DeletionProtection": "true"}, "InvalidParameter"),
        ({"RegistryName": "other"}, "UnknownParameter"),
    ],
)
def test_modify_refuses(tcr: Sdk, parameters: dict[str, Any], code: str) -> None:
    created = made(tcr)
    with refused(code):
        tcr("ModifyInstance", RegistryId=created, **parameters)


def test_an_upgrade_fails_on_order(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr)
    emulator.fault("ModifyInstance", "ends_in", status="FailedUpdated", message="no resources")
    tcr("ModifyInstance", RegistryId=created, RegistryType="premium")
    assert status(tcr, created) == "FailedUpdated"
    assert described(tcr, created)["RegistryType"] == "basic"
    assert conditions(tcr, created)[0]["Reason"] == "no resources"
    tcr("ModifyInstance", RegistryId=created, RegistryType="premium")
    assert status(tcr, created) == "Running"
    assert described(tcr, created)["RegistryType"] == "premium"
    assert conditions(tcr, created)[0]["Reason"] == ""


# --- money ------------------------------------------------------------------------------------


def months_later(moment: datetime, months: int) -> datetime:
    """Beside the emulator's own: first of the month first, then the day."""
    month, day = moment.month + months, moment.day
    year, month = moment.year + (month - 1) // 12, (month - 1) % 12 + 1
    return moment.replace(year=year, month=month, day=min(day, calendar.monthrange(year, month)[1]))


def expiry(tcr: Sdk, registry_id: str) -> datetime:
    text = described(tcr, registry_id)["ExpiredAt"]
    assert text.endswith("+08:00")
    return datetime.fromisoformat(text)


def created_at(tcr: Sdk, registry_id: str) -> datetime:
    return datetime.fromisoformat(described(tcr, registry_id)["CreatedAt"])


def renew(
    tcr: Sdk, registry_id: str, *, flag: int = 0, period: int = 1, renew_flag: int = 0
) -> None:
    prepaid = {"Period": period, "RenewFlag": renew_flag}
    answer = tcr("RenewInstance", RegistryId=registry_id, RegistryChargePrepaid=prepaid, Flag=flag)
    assert set(answer) == {"RequestId"}


@pytest.mark.parametrize("period", [1, 12, 13])
def test_a_prepaid_term(tcr: Sdk, period: int) -> None:
    prepaid = {"Period": period, "RenewFlag": 2}
    created = made(tcr, RegistryChargeType=1, RegistryChargePrepaid=prepaid)
    registry = described(tcr, created)
    assert (registry["PayMod"], registry["RenewFlag"]) == (1, 2)
    assert expiry(tcr, created) == months_later(created_at(tcr, created), period)


@pytest.mark.parametrize(("day", "ends"), [(31, (2, 28)), (15, (2, 15))])
def test_a_term_from_the_end_of_a_month(
    emulator: Emulator, tcr: Sdk, day: int, ends: tuple[int, int]
) -> None:
    begins = datetime(2101, 1, day, 12, tzinfo=timezone(timedelta(hours=8)))
    emulator.clock(offset_seconds=(begins - datetime.now(timezone.utc)).total_seconds())
    ended = expiry(tcr, made(tcr, **PREPAID))
    assert (ended.month, ended.day) == ends


def test_a_term_ends_in_the_recycle_bin(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, **PREPAID)
    days = (expiry(tcr, created) - created_at(tcr, created)).days
    for passed, expected in (
        (24 * days - 1, "Running"),
        (24 * days + 1, "Isolate"),
        (24 * (days + 7) - 1, "Isolate"),
        (24 * (days + 7) + 1, "absent"),
    ):
        emulator.clock(offset_hours=passed)
        assert status(tcr, created) == expected
    made(tcr)  # the name is free


def test_automatic_renewal_has_no_end(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, RegistryChargeType=1, RegistryChargePrepaid={"Period": 1, "RenewFlag": 1})
    emulator.clock(offset_hours=24 * 60)
    assert status(tcr, created) == "Running"


def test_every_renewal_is_paid_and_adds(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, **PREPAID)
    first = expiry(tcr, created)
    renew(tcr, created, period=2)
    assert expiry(tcr, created) == months_later(first, 2)
    renew(tcr, created, period=2, renew_flag=1)
    assert expiry(tcr, created) == months_later(months_later(first, 2), 2)
    assert described(tcr, created)["RenewFlag"] == 1
    assert emulator.ledger()["counts"] == {
        "purchase": 1,
        "renewal": 2,
        "conversion": 0,
        "upgrade": 0,
        "refund": 0,
    }
    emulator.clock(offset_hours=24 * 365)  # the end that was to come is forgotten
    assert status(tcr, created) == "Running"


def test_renewal_brings_back_from_the_recycle_bin(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, **PREPAID)
    emulator.clock(offset_hours=24 * 33)
    assert status(tcr, created) == "Isolate"
    renew(tcr, created)
    assert status(tcr, created) == "Running"
    assert expiry(tcr, created) > datetime.now(timezone.utc) + timedelta(days=33 + 27)
    emulator.clock(offset_hours=24 * 50)
    assert status(tcr, created) == "Running"


def test_from_the_hour_to_the_month(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr)
    with refused("OperationDenied"):
        renew(tcr, created, flag=0)
    renew(tcr, created, flag=1, period=3, renew_flag=2)
    registry = described(tcr, created)
    assert (registry["PayMod"], registry["RenewFlag"]) == (1, 2)
    assert expiry(tcr, created) > created_at(tcr, created) + timedelta(days=88)
    with refused("OperationDenied"):
        renew(tcr, created, flag=1)
    assert emulator.ledger()["counts"]["conversion"] == 1
    assert emulator.ledger()["count"] == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Flag": 2}, "InvalidParameter"),
        ({"Flag": -1}, "InvalidParameter"),
        ({"RegistryChargePrepaid": {"Period": 0, "RenewFlag": 0}}, "InvalidParameter"),
        ({"RegistryChargePrepaid": {"Period": 1, "RenewFlag": 3}}, "InvalidParameter"),
        ({"RegistryChargePrepaid": {"Period": 1}}, "MissingParameter"),
        ({"RegistryChargePrepaid": {}}, "MissingParameter"),
    ],
)
def test_renew_refuses(emulator: Emulator, tcr: Sdk, change: dict[str, Any], code: str) -> None:
    created = made(tcr, **PREPAID)
    sent = {**EVERY_ACTION["RenewInstance"], "RegistryId": created, **change}
    with refused(code):
        tcr("RenewInstance", **sent)
    assert emulator.ledger()["count"] == 1


def test_a_registry_that_does_not_run_is_not_renewed(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, **PREPAID)
    emulator.registry(created, "FailedCreated")
    with refused("OperationDenied"):
        renew(tcr, created)


def test_ledger(emulator: Emulator, tcr: Sdk, control: Callable[..., Answer]) -> None:
    prepaid: dict[str, Any] = {
        "RegistryChargeType": 1,
        "RegistryChargePrepaid": {"Period": 3, "RenewFlag": 0},
    }
    hourly, monthly = made(tcr, "by-the-hour"), made(tcr, "by-the-month", **prepaid)
    tcr("ModifyInstance", RegistryId=monthly, RegistryType="premium")
    tcr("DeleteInstance", RegistryId=monthly)
    tcr("DeleteInstance", RegistryId=hourly)
    ledger = control("GET", "ledger").json
    assert ledger == emulator.ledger()
    assert ledger["count"] == 4
    times = [entry.pop("time") for entry in ledger["entries"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in times)
    here = {"account": ONE, "region": "ap-guangzhou", "service": "tcr"}
    assert ledger["entries"] == [
        {
            "number": 1,
            **here,
            "action": "purchase",
            "resource_id": hourly,
            "details": {"RegistryType": "basic", "pay_mode": "postpaid"},
        },
        {
            "number": 2,
            **here,
            "action": "purchase",
            "resource_id": monthly,
            "details": {
                "RegistryType": "basic",
                "pay_mode": "prepaid",
                "period": 3,
                "period_unit": "m",
            },
        },
        {
            "number": 3,
            **here,
            "action": "upgrade",
            "resource_id": monthly,
            "details": {"RegistryType": "premium"},
        },
        {"number": 4, **here, "action": "refund", "resource_id": monthly, "details": {}},
    ]
    held = emulator.resources()[ONE]["ap-guangzhou"]["tcr"]
    assert [entry["number"] for entry in held["ledger"]] == [1, 2, 3, 4]
    assert set(held) == {"ledger"}  # nothing is left but the bill
    emulator.reset()
    assert emulator.ledger()["entries"] == []


def test_a_lost_answer_is_paid_all_the_same(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, **PREPAID)
    emulator.fault("RenewInstance", "internal_error_after")
    with refused("InternalError"):
        renew(tcr, created)
    assert emulator.ledger()["counts"]["renewal"] == 1
    emulator.fault("RenewInstance", "internal_error")
    with refused("InternalError"):
        renew(tcr, created)
    assert emulator.ledger()["counts"]["renewal"] == 1


# --- arrears ----------------------------------------------------------------------------------


def test_arrears_isolate_and_erase(emulator: Emulator, tcr: Sdk) -> None:
    hourly, monthly = made(tcr, "by-the-hour"), made(tcr, "by-the-month", **PREPAID)
    hers = made(sdk_of(emulator, TWO, **TCR), "someone-else")
    emulator.arrears()
    for passed, expected in (
        (23, "Running"),
        (25, "Isolate"),
        (24 * 8 - 1, "Isolate"),
        (24 * 8 + 1, "absent"),
    ):
        emulator.clock(offset_hours=passed)
        assert status(tcr, hourly) == expected
        if expected == "Isolate":
            assert "arrears" in conditions(tcr, hourly)[0]["Reason"]
        assert status(tcr, monthly) == "Running"
        assert status(sdk_of(emulator, TWO, **TCR), hers) == "Running"


def test_who_owes_buys_nothing(emulator: Emulator, tcr: Sdk) -> None:
    monthly = made(tcr, "by-the-month", **PREPAID)
    emulator.arrears()
    with refused("FailedOperation.TradeFailed"):
        made(tcr)
    with refused("FailedOperation.TradeFailed"):
        renew(tcr, monthly)
    made(sdk_of(emulator, TWO, **TCR), "someone-else")
    emulator.arrears(False)
    made(tcr)
    renew(tcr, monthly)
    emulator.arrears(account=TWO)
    made(tcr, "still-fine")
    with refused("FailedOperation.TradeFailed"):
        made(sdk_of(emulator, TWO, **TCR), "hers-not")


@pytest.mark.parametrize("hours", [1, 25])
def test_paying_brings_back(emulator: Emulator, tcr: Sdk, hours: int) -> None:
    created = made(tcr)
    emulator.arrears()
    emulator.clock(offset_hours=hours)
    status(tcr, created)
    emulator.arrears(False)
    assert status(tcr, created) == "Running"
    emulator.clock(offset_hours=24 * 30)
    assert status(tcr, created) == "Running"


def test_the_bucket_of_who_owes_stays(emulator: Emulator, tcr: Sdk) -> None:
    one, two = made(tcr, "with-bucket"), made(tcr, "without-bucket")
    emulator.arrears()
    tcr("DeleteInstance", RegistryId=one, DeleteBucket=True)
    tcr("DeleteInstance", RegistryId=two, DeleteBucket=False)
    assert status(tcr, one) == "DeleteBucketFailed"
    assert "arrears" in conditions(tcr, one)[0]["Reason"]
    assert status(tcr, two) == "absent"
    emulator.arrears(False)
    tcr("DeleteInstance", RegistryId=one, DeleteBucket=True)
    assert status(tcr, one) == "absent"


# --- DeleteInstance ---------------------------------------------------------------------------


def test_delete(emulator: Emulator, tcr: Sdk) -> None:
    emulator.settings(tcr_delete_seconds=100)
    one, two = made(tcr, "name-1"), made(tcr, "name-2")
    assert set(tcr("DeleteInstance", RegistryId=one)) == {"RequestId"}
    assert (status(tcr, one), status(tcr, two)) == ("Deleting", "Running")
    emulator.clock(offset_seconds=101)
    assert (status(tcr, one), status(tcr, two)) == ("absent", "Running")
    with refused("ResourceNotFound"):
        tcr("DeleteInstance", RegistryId=one)


def test_a_dry_run_deletes_nothing(tcr: Sdk) -> None:
    created = made(tcr)
    tcr("DeleteInstance", RegistryId=created, DryRun=True)
    assert status(tcr, created) == "Running"
    tcr("ModifyInstance", RegistryId=created, DeletionProtection=True)
    with refused("OperationDenied"):
        tcr("DeleteInstance", RegistryId=created, DryRun=True)


def test_protection(tcr: Sdk) -> None:
    created = made(tcr, DeletionProtection=True)
    with refused("OperationDenied"):
        tcr("DeleteInstance", RegistryId=created)
    assert status(tcr, created) == "Running"
    tcr("ModifyInstance", RegistryId=created, DeletionProtection=False)
    tcr("DeleteInstance", RegistryId=created)
    assert status(tcr, created) == "absent"


@pytest.mark.parametrize("ending", ["DeleteFailed", "DeleteBucketFailed"])
def test_a_deletion_fails_on_order(emulator: Emulator, tcr: Sdk, ending: str) -> None:
    created = made(tcr, **PREPAID)
    emulator.fault("DeleteInstance", "ends_in", status=ending, message="bucket in use")
    emulator.settings(tcr_delete_seconds=100)
    tcr("DeleteInstance", RegistryId=created)
    assert status(tcr, created) == "Deleting"
    emulator.clock(offset_seconds=101)
    assert status(tcr, created) == ending
    assert conditions(tcr, created)[0]["Reason"] == "bucket in use"
    assert emulator.ledger()["counts"]["refund"] == 0
    emulator.settings(tcr_delete_seconds=0)
    tcr("DeleteInstance", RegistryId=created)
    assert status(tcr, created) == "absent"
    assert emulator.ledger()["counts"]["refund"] == 1


def test_a_deletion_into_the_recycle_bin(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, **PREPAID)
    emulator.fault("DeleteInstance", "ends_in", status="Isolate")
    tcr("DeleteInstance", RegistryId=created)
    assert status(tcr, created) == "Isolate"
    emulator.clock(offset_hours=24 * 7 - 1)
    assert status(tcr, created) == "Isolate"
    emulator.clock(offset_hours=24 * 7 + 1)
    assert status(tcr, created) == "absent"


def test_everything_ends_with_the_registry(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr)
    tcr("ManageExternalEndpoint", RegistryId=created, Operation="Create")
    tcr("CreateSecurityPolicy", RegistryId=created, **POLICY)
    tcr("CreateInstanceToken", RegistryId=created, TokenType="longterm")
    tcr("DeleteInstance", RegistryId=created)
    assert set(emulator.resources()[ONE]["ap-guangzhou"]["tcr"]) == {"ledger"}


# --- the public entrance ----------------------------------------------------------------------


@pytest.fixture
def opened(tcr: Sdk) -> str:
    """A registry whose external endpoint is open."""
    created = made(tcr)
    tcr("ManageExternalEndpoint", RegistryId=created, Operation="Create")
    return created


def endpoint(tcr: Sdk, registry_id: str) -> str:
    return str(tcr("DescribeExternalEndpointStatus", RegistryId=registry_id)["Status"])


@pytest.mark.parametrize("closing", ["Deleting", "Closing"])
def test_the_endpoint_opens_and_closes(emulator: Emulator, tcr: Sdk, closing: str) -> None:
    created = made(tcr)
    emulator.settings(tcr_endpoint_seconds=100, tcr_endpoint_closing=closing)

    def manage(operation: str) -> None:
        answer = tcr("ManageExternalEndpoint", RegistryId=created, Operation=operation)
        assert answer["RegistryId"] == created

    def only(state: str) -> None:
        """Nothing but waiting is possible."""
        assert endpoint(tcr, created) == state
        for operation in ("Create", "Delete"):
            with refused("UnsupportedOperation"):
                manage(operation)

    assert endpoint(tcr, created) == "Closed"
    with refused("UnsupportedOperation"):
        manage("Delete")
    manage("Create")
    only("Opening")
    emulator.clock(offset_seconds=90)
    only("Opening")
    emulator.clock(offset_seconds=101)
    assert endpoint(tcr, created) == "Opened"
    with refused("UnsupportedOperation"):
        manage("Create")
    tcr("CreateSecurityPolicy", RegistryId=created, **POLICY)
    manage("Delete")
    only(closing)
    emulator.clock(offset_seconds=202)
    assert endpoint(tcr, created) == "Closed"
    manage("Create")
    emulator.clock(offset_seconds=303)
    assert policies(tcr, created) == []  # they went with the entrance


@pytest.mark.parametrize(("operation", "ending"), [("Create", "Closed"), ("Delete", "Opened")])
def test_the_endpoint_fails_on_order(
    emulator: Emulator, tcr: Sdk, operation: str, ending: str
) -> None:
    created = made(tcr)
    if operation == "Delete":
        tcr("ManageExternalEndpoint", RegistryId=created, Operation="Create")
    emulator.fault("ManageExternalEndpoint", "ends_in", status=ending, message="no address left")
    tcr("ManageExternalEndpoint", RegistryId=created, Operation=operation)
    answer = tcr("DescribeExternalEndpointStatus", RegistryId=created)
    assert (answer["Status"], answer["Reason"]) == (ending, "no address left")


def test_a_stuck_endpoint(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr)
    emulator.fault("ManageExternalEndpoint", "stuck")
    tcr("ManageExternalEndpoint", RegistryId=created, Operation="Create")
    emulator.clock(offset_hours=1)
    assert endpoint(tcr, created) == "Opening"


@pytest.mark.parametrize("operation", ["create", "Open", ""])
def test_no_such_operation(tcr: Sdk, operation: str) -> None:
    created = made(tcr)
    with refused("InvalidParameter"):
        tcr("ManageExternalEndpoint", RegistryId=created, Operation=operation)


def policies(tcr: Sdk, registry_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tcr("DescribeSecurityPolicies", RegistryId=registry_id)[
        "SecurityPolicySet"
    ]
    return found


def blocks(tcr: Sdk, registry_id: str) -> list[str]:
    listed = policies(tcr, registry_id)
    assert [policy["PolicyIndex"] for policy in listed] == list(range(len(listed)))
    return [policy["CidrBlock"] for policy in listed]


@pytest.mark.parametrize("operation", [None, "Create", "Delete"])
def test_policies_only_while_open(
    emulator: Emulator, tcr: Sdk, raw: Callable[..., Answer], operation: str | None
) -> None:
    created = made(tcr)
    if operation == "Delete":
        tcr("ManageExternalEndpoint", RegistryId=created, Operation="Create")
    emulator.settings(**SLOW)
    if operation:
        tcr("ManageExternalEndpoint", RegistryId=created, Operation=operation)
    for action in (
        "CreateSecurityPolicy",
        "CreateMultipleSecurityPolicy",
        "ModifySecurityPolicy",
        "DeleteSecurityPolicy",
        "DeleteMultipleSecurityPolicy",
    ):
        with refused("OperationDenied"):
            tcr(action, **{**EVERY_ACTION[action], "RegistryId": created})
    body = json.dumps({"RegistryId": created}).encode()
    answer = raw(
        "DescribeSecurityPolicies", body, service="tcr", headers={"X-TC-Version": "2019-09-24"}
    )
    assert answer.response["Error"] == {
        "Code": "ResourceNotFound",
        "Message": "Failed to get security group id from registry",
    }


def test_policies(tcr: Sdk, opened: str) -> None:
    assert policies(tcr, opened) == []
    answer = tcr("CreateSecurityPolicy", RegistryId=opened, CidrBlock="10.0.0.0/8", Description="a")
    assert answer["RegistryId"] == opened
    assert policies(tcr, opened) == [
        {"PolicyIndex": 0, "Description": "a", "CidrBlock": "10.0.0.0/8", "PolicyVersion": "1"}
    ]
    more = [{"CidrBlock": block, "Description": "b"} for block in ("1.1.1.1", "2.2.2.2/32")]
    tcr("CreateMultipleSecurityPolicy", RegistryId=opened, SecurityGroupPolicySet=more)
    assert blocks(tcr, opened) == ["1.1.1.1", "2.2.2.2/32", "10.0.0.0/8"]
    assert {policy["PolicyVersion"] for policy in policies(tcr, opened)} == {"2"}
    tcr(
        "ModifySecurityPolicy",
        RegistryId=opened,
        PolicyIndex=1,
        CidrBlock="3.3.3.3",
        Description="changed",
    )
    assert blocks(tcr, opened) == ["1.1.1.1", "3.3.3.3", "10.0.0.0/8"]
    assert policies(tcr, opened)[1]["Description"] == "changed"
    with refused("ResourceNotFound"):
        tcr("ModifySecurityPolicy", RegistryId=opened, PolicyIndex=3, **POLICY)


def test_one_block_twice(tcr: Sdk, opened: str) -> None:
    for _ in range(2):
        tcr("CreateSecurityPolicy", RegistryId=opened, **POLICY)
    assert blocks(tcr, opened) == ["1.2.3.4/32"] * 2
    twice = [{"CidrBlock": "1.2.3.4/32"}] * 2
    tcr("DeleteMultipleSecurityPolicy", RegistryId=opened, SecurityGroupPolicySet=twice)
    assert blocks(tcr, opened) == []


@pytest.fixture
def listed(tcr: Sdk, opened: str) -> str:
    """A registry with the policies a, b, c at 0, 1, 2, of version 1."""
    sent = [{"CidrBlock": f"10.0.0.{number}", "Description": "d"} for number in range(3)]
    tcr("CreateMultipleSecurityPolicy", RegistryId=opened, SecurityGroupPolicySet=sent)
    return opened


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ({"PolicyIndex": 0}, "12"),
        ({"PolicyIndex": 2}, "01"),
        ({"PolicyIndex": 0, "CidrBlock": "10.0.0.2"}, "01"),
        ({"PolicyIndex": 9, "CidrBlock": "10.0.0.1"}, "02"),
    ],
)
def test_delete_a_policy(tcr: Sdk, listed: str, sent: dict[str, Any], left: str) -> None:
    answer = tcr("DeleteSecurityPolicy", RegistryId=listed, PolicyVersion="1", **sent)
    assert answer["RegistryId"] == listed
    assert blocks(tcr, listed) == [f"10.0.0.{number}" for number in left]
    with refused("ResourceNotFound"):  # the version is another one now
        tcr("DeleteSecurityPolicy", RegistryId=listed, PolicyIndex=0, PolicyVersion="1")
    tcr("DeleteSecurityPolicy", RegistryId=listed, PolicyIndex=0, PolicyVersion="2")


@pytest.mark.parametrize(
    "sent",
    [
        {"PolicyIndex": 3, "PolicyVersion": "1"},
        {"PolicyIndex": 0, "PolicyVersion": "0"},
        {"PolicyIndex": 0, "PolicyVersion": "1", "CidrBlock": "10.0.0.3"},
    ],
)
def test_no_such_policy(tcr: Sdk, listed: str, sent: dict[str, Any]) -> None:
    with refused("ResourceNotFound"):
        tcr("DeleteSecurityPolicy", RegistryId=listed, **sent)
    assert len(blocks(tcr, listed)) == 3


def test_delete_several_policies(tcr: Sdk, listed: str) -> None:
    def delete(*chosen: dict[str, Any]) -> None:
        tcr("DeleteMultipleSecurityPolicy", RegistryId=listed, SecurityGroupPolicySet=list(chosen))

    for wrong in ({"PolicyIndex": 3}, {"PolicyIndex": 1, "PolicyVersion": "7"}, {}):
        with refused("ResourceNotFound"):
            delete({"PolicyIndex": 0}, wrong)
    assert len(blocks(tcr, listed)) == 3
    delete({"PolicyIndex": 0, "PolicyVersion": "1"}, {"CidrBlock": "10.0.0.2"})
    assert blocks(tcr, listed) == ["10.0.0.1"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"CidrBlock": "1.2.3"}, "InvalidParameter"),
        ({"CidrBlock": "1.2.3.256"}, "InvalidParameter"),
        ({"CidrBlock": "1.2.3.4/33"}, "InvalidParameter"),
        ({"CidrBlock": "::1"}, "InvalidParameter"),
        ({"CidrBlock": ""}, "InvalidParameter"),
        ({"CidrBlock": " 1.2.3.4"}, "InvalidParameter"),
        ({"Description": ""}, "InvalidParameter"),
        ({"Description": 1}, "InvalidParameter"),
    ],
)
def test_policies_refused(tcr: Sdk, opened: str, change: dict[str, Any], code: str) -> None:
    sent = {**POLICY, **change}
    with refused(code):
        tcr("CreateSecurityPolicy", RegistryId=opened, **sent)
    with refused(code):
        tcr(
            "CreateMultipleSecurityPolicy",
            RegistryId=opened,
            SecurityGroupPolicySet=[POLICY, sent],
        )
    assert policies(tcr, opened) == []


@pytest.mark.parametrize("block", ["1.2.3.4", "1.2.3.4/32", "0.0.0.0/0", "192.168.10.1/10"])
def test_blocks_accepted(tcr: Sdk, opened: str, block: str) -> None:
    tcr("CreateSecurityPolicy", RegistryId=opened, CidrBlock=block, Description="d")
    assert blocks(tcr, opened) == [block]


# --- namespaces -------------------------------------------------------------------------------


def test_namespaces_keep_a_registry(tcr: Sdk) -> None:
    created = made(tcr)
    for name in ("team-a", "team-b", "other"):
        tcr("CreateNamespace", RegistryId=created, NamespaceName=name, IsPublic=name == "other")
    with refused("InternalError.ErrorConflict"):
        tcr("CreateNamespace", RegistryId=created, NamespaceName="other", IsPublic=True)
    found = tcr("DescribeNamespaces", RegistryId=created)
    assert found["TotalCount"] == 3
    assert [one["Public"] for one in found["NamespaceList"]] == [False, False, True]
    found = tcr("DescribeNamespaces", RegistryId=created, NamespaceName="team")
    assert [one["Name"] for one in found["NamespaceList"]] == ["team-a", "team-b"]
    for offset, expected in ((0, ["team-a"]), (1, ["team-a"]), (2, ["team-b"]), (4, [])):
        found = tcr("DescribeNamespaces", RegistryId=created, Limit=1, Offset=offset)
        assert [one["Name"] for one in found["NamespaceList"]] == expected
    found = tcr("DescribeNamespaces", RegistryId=created, Limit=1, All=True)
    assert len(found["NamespaceList"]) == 3
    for name in ("team-a", "team-b", "other"):
        with refused("OperationDenied"):
            tcr("DeleteInstance", RegistryId=created)
        tcr("DeleteNamespace", RegistryId=created, NamespaceName=name)
    with refused("ResourceNotFound"):
        tcr("DeleteNamespace", RegistryId=created, NamespaceName="other")
    tcr("DeleteInstance", RegistryId=created)


@pytest.mark.parametrize("name", ["ab", "a" * 30, "a.b_c-d"])
def test_namespace_names_accepted(tcr: Sdk, name: str) -> None:
    tcr("CreateNamespace", RegistryId=made(tcr), NamespaceName=name, IsPublic=False)


@pytest.mark.parametrize("name", ["a", "a" * 31, "-ab", "ab-", "a..b", "Ab", ""])
def test_namespace_names_refused(tcr: Sdk, name: str) -> None:
    created = made(tcr)
    with refused("InvalidParameter"):
        tcr("CreateNamespace", RegistryId=created, NamespaceName=name, IsPublic=False)


# --- replicas in other regions ----------------------------------------------------------------


def replicas(tcr: Sdk, registry_id: str) -> list[dict[str, Any]] | None:
    answer = tcr("DescribeReplicationInstances", RegistryId=registry_id)
    found: list[dict[str, Any]] | None = answer["ReplicationRegistries"]
    assert answer["TotalCount"] == len(found or [])
    return found


def test_a_replica(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, kind="premium")
    assert replicas(tcr, created) is None
    emulator.settings(tcr_replication_seconds=100)
    answer = tcr("CreateReplicationInstance", RegistryId=created, ReplicationRegionId=9)
    replica = answer["ReplicationRegistryId"]
    assert re.fullmatch(rf"{created}-9-[0-9a-z]{{8}}", replica)
    (found,) = replicas(tcr, created) or []
    assert found.pop("CreatedAt").endswith("+08:00")
    assert found == {
        "RegistryId": created,
        "ReplicationRegistryId": replica,
        "ReplicationRegionId": 9,
        "ReplicationRegionName": "ap-singapore",
        "Status": "Deploying",
    }
    chosen = {
        "RegistryId": created,
        "ReplicationRegistryId": replica,
        "ReplicationRegionId": 9,
    }
    with refused("InternalError.ErrorConflict"):
        tcr("DeleteReplicationInstance", **chosen)
    with refused("InternalError.ErrorConflict"):
        tcr("CreateReplicationInstance", RegistryId=created, ReplicationRegionName="ap-tokyo")
    emulator.clock(offset_seconds=101)
    with refused("InvalidParameter.ReplicationExists"):
        tcr("CreateReplicationInstance", RegistryId=created, ReplicationRegionName="ap-singapore")
    with refused("OperationDenied"):
        tcr("DeleteInstance", RegistryId=created)
    for wrong in ({"ReplicationRegionId": 25}, {"ReplicationRegistryId": f"{created}-9-x"}):
        with refused("ResourceNotFound"):
            tcr("DeleteReplicationInstance", **{**chosen, **wrong})
    tcr("DeleteReplicationInstance", **chosen)
    (found,) = replicas(tcr, created) or []
    assert found["Status"] == "Deleting"
    with refused("OperationDenied"):
        tcr("DeleteInstance", RegistryId=created)
    emulator.clock(offset_seconds=202)
    assert replicas(tcr, created) is None
    tcr("DeleteInstance", RegistryId=created)


@pytest.mark.parametrize(
    ("kind", "parameters", "code"),
    [
        ("basic", {"ReplicationRegionId": 9}, "UnsupportedOperation"),
        ("standard", {"ReplicationRegionId": 9}, "UnsupportedOperation"),
        ("premium", {"ReplicationRegionId": 1}, "InvalidParameter"),
        ("premium", {"ReplicationRegionId": 2}, "InvalidParameter"),
        ("premium", {"ReplicationRegionName": "ap-nowhere"}, "InvalidParameter"),
        (
            "premium",
            {"ReplicationRegionId": 9, "ReplicationRegionName": "ap-tokyo"},
            "InvalidParameter",
        ),
        ("premium", {}, "MissingParameter"),
    ],
)
def test_replicas_refused(tcr: Sdk, kind: str, parameters: dict[str, Any], code: str) -> None:
    created = made(tcr, kind=kind)
    with refused(code):
        tcr("CreateReplicationInstance", RegistryId=created, **parameters)
    assert replicas(tcr, created) is None


def test_replicas_in_pages(tcr: Sdk) -> None:
    created, other = made(tcr, kind="premium"), made(tcr, "other-one", "premium")
    for registry_id, regions in ((created, (9, 25, 4)), (other, (9,))):
        for region in regions:
            tcr("CreateReplicationInstance", RegistryId=registry_id, ReplicationRegionId=region)
    page = tcr("DescribeReplicationInstances", RegistryId=created, Offset=1, Limit=1)
    assert page["TotalCount"] == 3
    assert [one["ReplicationRegionId"] for one in page["ReplicationRegistries"]] == [25]


def test_replicas_end_with_an_erased_registry(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, kind="premium")
    tcr("CreateReplicationInstance", RegistryId=created, ReplicationRegionId=9)
    emulator.registry(created, "absent")
    assert set(emulator.resources()[ONE]["ap-guangzhou"]["tcr"]) == {"ledger"}


def test_a_stuck_replica(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr, kind="premium")
    emulator.fault("CreateReplicationInstance", "stuck")
    tcr("CreateReplicationInstance", RegistryId=created, ReplicationRegionId=9)
    emulator.clock(offset_hours=1)
    assert [one["Status"] for one in replicas(tcr, created) or []] == ["Deploying"]


# --- access tokens ----------------------------------------------------------------------------


def test_a_temporary_token(tcr: Sdk) -> None:
    created = made(tcr)
    answer = tcr("CreateInstanceToken", RegistryId=created)
    assert set(answer) == {"Username", "Token", "ExpTime", "TokenId", "RequestId"}
    assert answer["TokenId"] == ""
    assert answer["Username"].isdigit()
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", answer["Token"])
    lasts = answer["ExpTime"] / 1000 - datetime.now(timezone.utc).timestamp()
    assert 3590 < lasts < 3610
    assert tcr("DescribeInstanceToken", RegistryId=created)["TotalCount"] == 0


def test_a_lasting_token(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr)
    made_tokens = [
        tcr("CreateInstanceToken", RegistryId=created, TokenType="longterm", Desc=text)
        for text in ("first", "second")
    ]
    first, second = made_tokens
    assert first["Token"] != second["Token"]
    assert first["TokenId"] != second["TokenId"]
    assert first["Username"] == second["Username"]
    answer = tcr("DescribeInstanceToken", RegistryId=created)
    listing = json.dumps([answer, tcr("DescribeInstances")])
    assert answer["TotalCount"] == 2
    (token, _) = answer["Tokens"]
    assert token.pop("CreatedAt").endswith("+08:00")
    assert token == {
        "Id": first["TokenId"],
        "Desc": "first",
        "RegistryId": created,
        "Enabled": True,
        "ExpiredAt": first["ExpTime"],
    }
    for secret in (first["Token"], second["Token"]):
        assert secret not in listing
        assert secret in json.dumps(emulator.resources())
    page = tcr("DescribeInstanceToken", RegistryId=created, Limit=1, Offset=1)
    assert [one["Desc"] for one in page["Tokens"]] == ["second"]

    chosen = {"RegistryId": created, "TokenId": first["TokenId"]}
    tcr("ModifyInstanceToken", **chosen, Enable=False)
    tcr("ModifyInstanceToken", **chosen, Desc="changed", ModifyFlag=1)
    (token, other) = tcr("DescribeInstanceToken", RegistryId=created)["Tokens"]
    assert (token["Enabled"], token["Desc"]) == (False, "changed")
    assert (other["Enabled"], other["Desc"]) == (True, "second")
    tcr("ModifyInstanceToken", **chosen, Enable=True, Desc="ignored", ModifyFlag=2)
    (token, _) = tcr("DescribeInstanceToken", RegistryId=created)["Tokens"]
    assert (token["Enabled"], token["Desc"]) == (True, "changed")

    tcr("DeleteInstanceToken", **chosen)
    (left,) = tcr("DescribeInstanceToken", RegistryId=created)["Tokens"]
    assert left["Desc"] == "second"
    for action in ("DeleteInstanceToken", "ModifyInstanceToken"):
        for token_id in (first["TokenId"], ""):
            with refused("ResourceNotFound"):
                tcr(
                    action,
                    **{**EVERY_ACTION[action], "RegistryId": created, "TokenId": token_id},
                )


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "MissingParameter"),
        ({"Desc": "d"}, "MissingParameter"),
        ({"Enable": True, "ModifyFlag": 1}, "MissingParameter"),
        ({"Desc": "d", "ModifyFlag": 0}, "InvalidParameter"),
        ({"Desc": "d", "ModifyFlag": 3}, "InvalidParameter"),
    ],
)
def test_token_changes_refused(tcr: Sdk, parameters: dict[str, Any], code: str) -> None:
    created = made(tcr)
    token = tcr("CreateInstanceToken", RegistryId=created, TokenType="longterm")["TokenId"]
    with refused(code):
        tcr("ModifyInstanceToken", RegistryId=created, TokenId=token, **parameters)


def test_no_such_kind_of_token(tcr: Sdk) -> None:
    created = made(tcr)
    with refused("InvalidParameter"):
        tcr("CreateInstanceToken", RegistryId=created, TokenType="forever")


def test_a_token_lost_on_its_way(emulator: Emulator, tcr: Sdk) -> None:
    created = made(tcr)
    emulator.fault("CreateInstanceToken", "no_secret")
    answer = tcr("CreateInstanceToken", RegistryId=created, TokenType="longterm")
    assert "Token" not in answer
    assert answer["TokenId"]


# --- orders to the emulator -------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        "Pending",
        "Deploying",
        "Running",
        "Unhealthy",
        "FailedCreated",
        "FailedUpdated",
        "Bucket-Error",
        "Isolate",
        "Deleting",
        "DeleteBucketFailed",
        "DeleteFailed",
        "absent",
    ],
)
def test_any_status_from_outside(
    emulator: Emulator, tcr: Sdk, control: Callable[..., Answer], wanted: str
) -> None:
    emulator.settings(**SLOW)
    created = made(tcr)
    why = [{"Type": "Bucket", "Status": "False", "Reason": "deleted by hand"}]
    order = {"registry_id": created, "status": wanted, "conditions": why}
    answer = control("POST", "registries", order)
    assert (answer.status, answer.json) == (200, {})
    emulator.clock(offset_hours=1)  # what was to come is forgotten
    assert status(tcr, created) == wanted
    if wanted == "absent":
        made(tcr)
    else:
        assert conditions(tcr, created) == why


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "running"}, 400),
        ({"status": None}, 400),
        ({"state": "Running"}, 400),
        ({"conditions": [{"Type": "t"}]}, 400),
        ({"conditions": {}}, 400),
        ({"registry_id": NO_ID}, 404),
        ({"registry_id": None}, 404),
    ],
)
def test_a_slip_in_the_order_is_refused(
    tcr: Sdk, control: Callable[..., Answer], change: dict[str, Any], code: int
) -> None:
    created = made(tcr)
    answer = control("POST", "registries", {"registry_id": created, "status": "Isolate", **change})
    assert answer.status == code
    assert next(iter(change)) in answer.json["error"] or "conditions" in change
    assert status(tcr, created) == "Running"


@pytest.mark.parametrize(
    "order", [{"in_arrears": 1}, {"account": 1}, {"account": "AKIDnobody"}, {"since": "now"}]
)
def test_a_slip_about_arrears_is_refused(
    tcr: Sdk, control: Callable[..., Answer], order: dict[str, Any]
) -> None:
    assert control("POST", "arrears", order).status == 400
    made(tcr)


@pytest.mark.parametrize(
    "order",
    [
        {"action": "CreateInstance", "status": "FailedUpdated"},
        {"action": "CreateInstance", "status": "failed"},
        {"action": "CreateInstance", "status": 5},
        {"action": "CreateInstance"},
        {"action": "DescribeInstances", "status": "Running"},
        {"action": "*", "status": "FailedCreated"},
    ],
)
def test_an_ending_must_be_one_of_the_action(emulator: Emulator, order: dict[str, Any]) -> None:
    with pytest.raises(ControlError) as caught:
        emulator.fault(kind="ends_in", **order)
    assert "status" in caught.value.message
    assert emulator.faults() == []


@pytest.mark.parametrize("names", ["taken", [1], None, {"a": 1}])
def test_taken_names_are_a_list_of_text(emulator: Emulator, names: Any) -> None:
    with pytest.raises(ControlError):
        emulator.settings(taken_registry_names=names)


def test_settings_are_not_changed_by_who_reads_them(emulator: Emulator) -> None:
    emulator.settings()["taken_registry_names"].append(NAME)
    assert emulator.settings()["taken_registry_names"] == []

"""ECS against its page: the examples, every limit at it and one past it, every error code."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pulumi_hybrid.emulator import ControlError, Emulator, VendorError
from pulumi_hybrid.emulator.ecs import ACTIVATION_REGIONS, OTHER_REGIONS

from .vendor_client import ONE, TWO, Answer, EcsSdk, TeaException, ecs_of, ecs_refused

UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
CODE = re.compile(r"a-hz0[A-Za-z0-9+/]{28}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NOTHING = "4ECEEE12-56F1-4FBC-9AB1-890F12345678"
ECS = ("ecs", "2014-05-26")
ACTIVATION = {"ResourceType": "activation"}

Control = Callable[..., Answer]
Raw = Callable[..., Answer]


def described(ecs: EcsSdk, activation_id: str) -> dict[str, Any]:
    found = ecs("DescribeActivations", ActivationId=activation_id)
    assert found["TotalCount"] == 1
    activation: dict[str, Any] = found["ActivationList"][0]
    return activation


def create(ecs: EcsSdk, **parameters: Any) -> str:
    return str(ecs("CreateActivation", **parameters)["ActivationId"])


def used(emulator: Emulator, ecs: EcsSdk, count: int = 1, **parameters: Any) -> tuple[str, str]:
    """An activation that machines have registered with, and the first machine."""
    made = ecs("CreateActivation", **parameters)
    code = {name: made[title] for name, title in CODE_FIELDS.items()}
    return made["ActivationId"], emulator.register(**code, count=count)[0]


CODE_FIELDS = {"activation_id": "ActivationId", "activation_code": "ActivationCode"}


def pairs(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_of(ecs: EcsSdk, activation_id: str) -> dict[str, str]:
    found = described(ecs, activation_id)["Tags"]
    return {tag["TagKey"]: tag["TagValue"] for tag in found}


# --- the page's example -----------------------------------------------------------------------


def test_example_of_the_page(acs: Raw) -> None:
    answer = acs("CreateActivation", InstanceName="test-InstanceName")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert set(answer.json) == {"RequestId", "ActivationId", "ActivationCode"}
    assert UUID.fullmatch(answer.json["RequestId"])
    assert UUID.fullmatch(answer.json["ActivationId"])
    assert CODE.fullmatch(answer.json["ActivationCode"])


def test_described_as_created(ecs: EcsSdk) -> None:
    made = ecs(
        "CreateActivation",
        InstanceName="test-InstanceName",
        Description="This is description.",
        InstanceCount=7,
        TimeToLiveInHours=9,
        IpAddressRange="10.0.0.1/8",
        ResourceGroupId="rg-ready",
        Tag=pairs(TestKey="TestValue", empty=""),
    )
    activation = described(ecs, made["ActivationId"])
    created = activation.pop("CreationTime")
    assert TIME.fullmatch(created)
    begun = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert abs(begun - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert activation == {
        "ActivationId": made["ActivationId"],
        "InstanceName": "test-InstanceName",
        "Description": "This is description.",
        "InstanceCount": 7,
        "TimeToLiveInHours": 9,
        "IpAddressRange": "10.0.0.1/8",
        "ResourceGroupId": "rg-ready",
        "RegisteredCount": 0,
        "DeregisteredCount": 0,
        "Disabled": False,
        "Tags": [
            {"TagKey": "TestKey", "TagValue": "TestValue"},
            {"TagKey": "empty", "TagValue": ""},
        ],
    }


def test_defaults(ecs: EcsSdk) -> None:
    activation = described(ecs, create(ecs))
    assert (activation["InstanceCount"], activation["TimeToLiveInHours"]) == (10, 4)
    texts = ("InstanceName", "Description", "ResourceGroupId")
    assert [activation[name] for name in texts] == [""] * 3
    assert activation["IpAddressRange"] == "0.0.0.0/0"
    assert activation["Tags"] == []


def test_the_code_is_shown_once_differs_and_needs_quotes(emulator: Emulator, acs: Raw) -> None:
    made = [acs("CreateActivation").json for _ in range(20)]
    codes = {one["ActivationCode"] for one in made}
    assert len(codes) == 20
    assert all("+" in code and "/" in code for code in codes)
    answers = [
        acs("DescribeActivations", MaxResults="50").body,
        acs("DisableActivation", ActivationId=made[0]["ActivationId"]).body,
        acs("DeleteActivation", ActivationId=made[0]["ActivationId"]).body,
    ]
    for body in answers:
        assert made[0]["ActivationId"] in body.decode()
        assert "ActivationCode" not in body.decode()
        assert not any(code in body.decode() for code in codes)
    assert not any(code in json.dumps(emulator.requests()) for code in codes)
    held = emulator.resources()[ONE]["cn-hangzhou"]["ecs"]["activations"]
    assert {code["ActivationCode"] for code in held} < codes


# --- limits of CreateActivation ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("InstanceName", "ab"),
        ("InstanceName", "a" * 50),
        ("InstanceName", "Web.1_2-3:4"),
        ("Description", "d"),
        ("Description", "d" * 100),
        ("Description", "描" * 100),
        ("InstanceCount", 1),
        ("InstanceCount", 1000),
        ("TimeToLiveInHours", 1),
        ("TimeToLiveInHours", 876_576),
        ("IpAddressRange", "0.0.0.0/0"),
        ("IpAddressRange", "192.168.1.1"),
        ("IpAddressRange", "192.168.1.1/10"),
        ("IpAddressRange", "::1"),
        ("IpAddressRange", "2001:db8::/32"),
        ("IpAddressRange", "2001:db8::1/32"),
        ("IpAddressRange", "::ffff:1.2.3.4"),
        ("ResourceGroupId", ""),
        ("ResourceGroupId", "rg-ready"),
    ],
)
def test_accepted_at_the_limit(ecs: EcsSdk, name: str, value: Any) -> None:
    assert described(ecs, create(ecs, **{name: value}))[name] == value


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("InstanceName", "a" * 51, "InstanceName.ExceedLimit"),
        ("InstanceName", "1" * 51, "InstanceName.ExceedLimit"),
        ("InstanceName", "", "InstanceName.InvalidPattern"),
        ("InstanceName", "a", "InstanceName.InvalidPattern"),
        ("InstanceName", "1a", "InstanceName.InvalidPattern"),
        ("InstanceName", "-a", "InstanceName.InvalidPattern"),
        ("InstanceName", "a b", "InstanceName.InvalidPattern"),
        ("InstanceName", "ab\n", "InstanceName.InvalidPattern"),
        ("InstanceName", "http://a", "InstanceName.InvalidPattern"),
        ("InstanceName", "https://a", "InstanceName.InvalidPattern"),
        ("Description", "", "ActivationDesc.ExceedLimit"),
        ("Description", "d" * 101, "ActivationDesc.ExceedLimit"),
        ("InstanceCount", 0, "ActivationLimitation.Invalid"),
        ("InstanceCount", -1, "ActivationLimitation.Invalid"),
        ("InstanceCount", 1001, "ActivationLimitation.Invalid"),
        ("InstanceCount", "ten", "InvalidParameter"),
        ("InstanceCount", "10.0", "InvalidParameter"),
        ("InstanceCount", "", "InvalidParameter"),
        ("TimeToLiveInHours", 0, "ActivationTTL.ExceedLimit"),
        ("TimeToLiveInHours", 876_577, "ActivationTTL.ExceedLimit"),
        ("TimeToLiveInHours", "1.5", "InvalidParameter"),
        ("IpAddressRange", "", "AddressRange.InvalidPattern"),
        ("IpAddressRange", "192.168.1", "AddressRange.InvalidPattern"),
        ("IpAddressRange", "192.168.1.256", "AddressRange.InvalidPattern"),
        ("IpAddressRange", "192.168.1.0/33", "AddressRange.InvalidPattern"),
        ("IpAddressRange", "192.168.1.0/255.255.255.0", "AddressRange.InvalidPattern"),
        ("IpAddressRange", "1.1.1.1,2.2.2.2", "AddressRange.InvalidPattern"),
        ("IpAddressRange", " 1.1.1.1", "AddressRange.InvalidPattern"),
        ("IpAddressRange", "::/129", "AddressRange.InvalidPattern"),
        ("IpAddressRange", "fe80::1%eth0", "AddressRange.InvalidPattern"),
        ("IpAddressRange", "example.com", "AddressRange.InvalidPattern"),
    ],
)
def test_refused_past_the_limit(
    ecs: EcsSdk, emulator: Emulator, name: str, value: Any, code: str
) -> None:
    with ecs_refused(code):
        ecs("CreateActivation", **{name: value})
    assert emulator.resources() == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("k" * 64, "v" * 128),
        ("k", ""),
        ("Aliyun", "aliyun"),
        ("the acs:", "acs:"),
        ("键", "值 + /"),
        ("http:/", "http:/"),
    ],
)
def test_tags_accepted(ecs: EcsSdk, key: str, value: str) -> None:
    assert tags_of(ecs, create(ecs, Tag=pairs(**{key: value}))) == {key: value}


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        (pairs(**{"": "v"}), "InvalidTagKey.Malformed"),
        (pairs(**{"k" * 65: "v"}), "InvalidTagKey.Malformed"),
        (pairs(**{"acs:k": "v"}), "InvalidTagKey.Malformed"),
        (pairs(aliyunk="v"), "InvalidTagKey.Malformed"),
        (pairs(**{"a http://b": "v"}), "InvalidTagKey.Malformed"),
        (pairs(**{"a https://b": "v"}), "InvalidTagKey.Malformed"),
        (pairs(k="v" * 129), "InvalidTagValue.Malformed"),
        (pairs(k="a http://b"), "InvalidTagValue.Malformed"),
        (pairs(k="https://b"), "InvalidTagValue.Malformed"),
        ([{"Value": "v"}], "MissingParameter.TagKey"),
        (pairs(k="1") + pairs(k="2"), "Duplicate.TagKey"),
        (pairs(**{f"k{number}": "v" for number in range(21)}), "NumberExceed.Tags"),
    ],
)
def test_tags_refused(
    ecs: EcsSdk, emulator: Emulator, tags: list[dict[str, str]], code: str
) -> None:
    with ecs_refused(code):
        ecs("CreateActivation", Tag=tags)
    assert emulator.resources() == {}


def test_twenty_tags_and_one_without_a_value(ecs: EcsSdk, acs: Raw) -> None:
    twenty = {f"k{number}": str(number) for number in range(20)}
    assert tags_of(ecs, create(ecs, Tag=pairs(**twenty))) == twenty
    made = acs("CreateActivation", Tag__1__Key="k").json
    assert tags_of(ecs, made["ActivationId"]) == {"k": ""}


@pytest.mark.parametrize(
    ("setting", "parameter", "code"),
    [
        ("instance_count_limit", "InstanceCount", "ActivationLimitation.Invalid"),
        ("ttl_limit", "TimeToLiveInHours", "ActivationTTL.ExceedLimit"),
    ],
)
def test_an_account_may_have_less(
    emulator: Emulator, ecs: EcsSdk, setting: str, parameter: str, code: str
) -> None:
    emulator.settings(**{setting: 5})
    create(ecs, **{"InstanceCount": 1, "TimeToLiveInHours": 1, parameter: 5})
    order = {"InstanceCount": 1, "TimeToLiveInHours": 1, parameter: 6}
    with ecs_refused(code):
        ecs("CreateActivation", **order)
    with pytest.raises(Exception, match="exceeds the limit of 5"):
        ecs("CreateActivation", **order)


def test_number_of_activations(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.settings(activation_limit=2)
    first = create(ecs)
    create(ecs)
    with ecs_refused("ActivationCount.ExceedLimit"):
        ecs("CreateActivation")
    with pytest.raises(Exception, match="exceeds the limit of 2"):
        ecs("CreateActivation")
    create(ecs_of(emulator, region="cn-beijing"))
    create(ecs_of(emulator, TWO))
    ecs("DeleteActivation", ActivationId=first)
    create(ecs)


def test_above_some_number_more_than_half_must_be_used(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.settings(unused_activation_limit=2)
    made = [ecs("CreateActivation", InstanceCount=2) for _ in range(3)]
    with ecs_refused("ActivationCount.ExceedLimit"):
        ecs("CreateActivation")
    codes = [{name: one[title] for name, title in CODE_FIELDS.items()} for one in made]
    emulator.register(**codes[0], count=2)
    emulator.register(**codes[1])
    with ecs_refused("ActivationCount.ExceedLimit"):
        ecs("CreateActivation")  # just half
    emulator.register(**codes[2])
    create(ecs)


def test_a_thousand_as_published(emulator: Emulator) -> None:
    for _ in range(1001):
        emulator.call(*ECS, "CreateActivation", {"Tag": pairs(k="v")})
    with pytest.raises(VendorError, match=r"ActivationCount\.ExceedLimit"):
        emulator.call(*ECS, "CreateActivation")
    assert emulator.call(*ECS, "DescribeActivations")["TotalCount"] == 1001
    by_tag = emulator.call(*ECS, "DescribeActivations", {"Tag": pairs(k="v")})
    assert by_tag["TotalCount"] == 1000  # so many are found by their tags at most


# --- regions and groups -----------------------------------------------------------------------

EVERY_ACTION: dict[str, dict[str, Any]] = {
    "CreateActivation": {},
    "DescribeActivations": {},
    "DisableActivation": {"ActivationId": NOTHING},
    "DeleteActivation": {"ActivationId": NOTHING},
    "DescribeManagedInstances": {},
    "DeregisterManagedInstance": {"InstanceId": "mi-1"},
    "ModifyManagedInstance": {"InstanceId": "mi-1", "InstanceName": "nn"},
    "DescribeCloudAssistantStatus": {},
    "TagResources": {**ACTIVATION, "ResourceId": [NOTHING], "Tag": pairs(k="v")},
    "UntagResources": {**ACTIVATION, "ResourceId": [NOTHING], "TagKey": ["k"]},
    "ListTagResources": {**ACTIVATION, "ResourceId": [NOTHING]},
    "JoinResourceGroup": {**ACTIVATION, "ResourceId": NOTHING, "ResourceGroupId": ""},
}


def test_every_action_is_tested_here(emulator: Emulator) -> None:
    (ecs,) = (api for api in emulator.apis() if api.service == "ecs")
    source = Path(__file__).read_text(encoding="utf-8")
    assert {*EVERY_ACTION, "DescribeRegions"} == set(ecs.actions)
    assert not [name for name in ecs.actions if f'"{name}"' not in source]


@pytest.mark.parametrize("action", EVERY_ACTION)
def test_unknown_region(emulator: Emulator, action: str) -> None:
    with ecs_refused("InvalidRegionId.NotFound", 404):
        ecs_of(emulator, region="cn-atlantis")(action, **EVERY_ACTION[action])
    with pytest.raises(VendorError, match="MissingParameter"):
        emulator.call(*ECS, action, EVERY_ACTION[action], region="")


@pytest.mark.parametrize("action", list(EVERY_ACTION)[:8])
def test_region_or_account_without_activations(emulator: Emulator, action: str) -> None:
    with ecs_refused("RegionId.ApiNotSupported"):
        ecs_of(emulator, region="eu-central-1")(action, **EVERY_ACTION[action])
    emulator.settings(activation_access="forbidden")
    with ecs_refused("Operation.Forbidden", 403):
        ecs_of(emulator)(action, **EVERY_ACTION[action])


def test_regions(emulator: Emulator, ecs: EcsSdk) -> None:
    listed = [region["RegionId"] for region in ecs("DescribeRegions")["Regions"]["Region"]]
    assert set(listed) == {*ACTIVATION_REGIONS, *OTHER_REGIONS}
    for region in ACTIVATION_REGIONS:
        made = emulator.call(*ECS, "CreateActivation", region=region)
        assert made["ActivationCode"].startswith(f"a-{ACTIVATION_REGIONS[region]}0")
    emulator.settings(activation_regions=["eu-central-1"])
    create(ecs_of(emulator, region="eu-central-1"))
    with ecs_refused("RegionId.ApiNotSupported"):
        create(ecs)


def test_an_account_without_a_real_name(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.settings(activation_access="no_real_name")
    with ecs_refused("RealNameAuthenticationError", 403):
        ecs("CreateActivation")
    assert ecs("DescribeActivations")["TotalCount"] == 0


@pytest.mark.parametrize(
    ("group", "code", "status"),
    [
        ("rg-nothing", "InvalidResourceGroup.NotFound", 404),
        ("rg-creating", "InvalidStatus.ResourceGroup", 403),
        ("rg-deleting", "InvalidStatus.ResourceGroup", 403),
    ],
)
def test_resource_groups(ecs: EcsSdk, group: str, code: str, status: int) -> None:
    with ecs_refused(code, status):
        ecs("CreateActivation", ResourceGroupId=group)
    there = create(ecs, ResourceGroupId="rg-ready")
    with ecs_refused(code, status):
        ecs("JoinResourceGroup", **ACTIVATION, ResourceId=there, ResourceGroupId=group)
    assert described(ecs, there)["ResourceGroupId"] == "rg-ready"


def test_resource_groups_are_settable(emulator: Emulator, ecs: EcsSdk) -> None:
    emulator.settings(resource_groups={"rg-1": "creating"})
    with ecs_refused("InvalidStatus.ResourceGroup", 403):
        ecs("CreateActivation", ResourceGroupId="rg-1")
    emulator.settings(resource_groups={"rg-1": "ready"})
    create(ecs, ResourceGroupId="rg-1")
    for wrong in ({"rg-1": "craeting"}, ["rg-1"], None):
        with pytest.raises(ControlError, match="resource_groups"):
            emulator.settings(resource_groups=wrong)


def test_join_resource_group(emulator: Emulator, ecs: EcsSdk, acs: Raw) -> None:
    activation_id, instance_id = used(emulator, ecs)
    for group in ("rg-other", ""):
        ecs("JoinResourceGroup", **ACTIVATION, ResourceId=activation_id, ResourceGroupId=group)
        assert described(ecs, activation_id)["ResourceGroupId"] == group
    ecs(
        "JoinResourceGroup",
        ResourceType="managedinstance",
        ResourceId=instance_id,
        ResourceGroupId="rg-other",
    )
    (found,) = ecs("DescribeManagedInstances", ResourceGroupId="rg-other")["Instances"]
    assert found["InstanceId"] == instance_id
    join = {"ResourceId": activation_id, "ResourceGroupId": "rg-other"}
    for wrong in ("Activation", "ACTIVATION", "instance"):
        with ecs_refused("InvalidResourceType.NotFound", 404):
            ecs("JoinResourceGroup", ResourceType=wrong, **join)
    with ecs_refused("InvalidResourceId.NotFound", 404):
        ecs("JoinResourceGroup", **ACTIVATION, **{**join, "ResourceId": NOTHING})
    left_out = acs("JoinResourceGroup", **ACTIVATION, ResourceId=activation_id)
    assert left_out.json["Code"] == "MissingParameter"


# --- disable and delete -----------------------------------------------------------------------


def test_disable(emulator: Emulator, ecs: EcsSdk) -> None:
    made = ecs("CreateActivation", InstanceName="web")
    for _ in range(2):
        answer = ecs("DisableActivation", ActivationId=made["ActivationId"])["Activation"]
        assert (answer["Disabled"], answer["InstanceName"]) == (True, "web")
        assert set(answer) == set(described(ecs, made["ActivationId"])) - {
            "Tags",
            "ResourceGroupId",
        }
    assert described(ecs, made["ActivationId"])["Disabled"] is True
    with pytest.raises(ControlError) as caught:
        emulator.register(**{name: made[title] for name, title in CODE_FIELDS.items()})
    assert caught.value.details["reason"] == "disabled"


def test_delete(ecs: EcsSdk) -> None:
    gone, stays = create(ecs), create(ecs)
    answer = ecs("DeleteActivation", ActivationId=gone)["Activation"]
    assert answer["ActivationId"] == gone
    assert "Disabled" not in answer
    listing = ecs("DescribeActivations")
    assert [one["ActivationId"] for one in listing["ActivationList"]] == [stays]
    found = ecs("DescribeActivations", ActivationId=gone)
    assert (found["TotalCount"], found["ActivationList"]) == (0, [])


@pytest.mark.parametrize("action", ["DisableActivation", "DeleteActivation"])
def test_not_there(emulator: Emulator, ecs: EcsSdk, action: str) -> None:
    there = create(ecs)
    for client, activation_id in (
        (ecs, NOTHING),
        (ecs, there.lower()),
        (ecs_of(emulator, TWO), there),
        (ecs_of(emulator, region="cn-beijing"), there),
    ):
        with ecs_refused("ActivationId.NotFound", 404):
            client(action, ActivationId=activation_id)
    for missing in ({}, {"ActivationId": ""}):
        with ecs_refused("MissingParameter"):
            ecs(action, **missing)
    assert described(ecs, there)["Disabled"] is False


def test_in_use(emulator: Emulator, ecs: EcsSdk) -> None:
    activation_id, instance_id = used(emulator, ecs)
    with ecs_refused("ActivationId.InUse", 403):
        ecs("DeleteActivation", ActivationId=activation_id)
    ecs("DeregisterManagedInstance", InstanceId=instance_id)
    emulator.settings(used_code_is_undeletable=True)
    with ecs_refused("ActivationId.InUse", 403):
        ecs("DeleteActivation", ActivationId=activation_id)
    emulator.settings(used_code_is_undeletable=False)
    ecs("DeleteActivation", ActivationId=activation_id)


# --- client tokens ----------------------------------------------------------------------------


def test_a_token_is_answered_with_the_first_pair(emulator: Emulator, ecs: EcsSdk) -> None:
    order = {"ClientToken": "t" * 64, "InstanceName": "web", "Tag": pairs(k="v")}
    emulator.settings(activation_limit=1)
    first = ecs("CreateActivation", **order)
    again = ecs("CreateActivation", **order)
    assert again["RequestId"] != first["RequestId"]
    pair = {name: first[name] for name in CODE_FIELDS.values()}
    assert {name: again[name] for name in pair} == pair
    assert ecs("DescribeActivations")["TotalCount"] == 1
    # as the rules have it, for ever: so a token must not be used for a new one
    ecs("DeleteActivation", ActivationId=first["ActivationId"])
    late = ecs("CreateActivation", **order)
    assert {name: late[name] for name in pair} == pair
    assert ecs("DescribeActivations")["TotalCount"] == 0
    assert ecs("CreateActivation", **{**order, "ClientToken": "T" * 64})["ActivationId"] != late


def test_a_token_goes_with_its_parameters(emulator: Emulator, ecs: EcsSdk) -> None:
    ecs("CreateActivation", ClientToken="t", InstanceCount=3)
    for other in ({"InstanceCount": 4}, {}, {"InstanceCount": 3, "Tag": pairs(k="v")}):
        with ecs_refused("IdempotentParameterMismatch"):
            ecs("CreateActivation", ClientToken="t", **other)
    assert ecs("DescribeActivations")["TotalCount"] == 1
    # another account's and another region's are their own
    assert create(ecs_of(emulator, TWO), ClientToken="t")
    assert create(ecs_of(emulator, region="cn-beijing"), ClientToken="t")


def test_a_refused_request_uses_up_no_token(ecs: EcsSdk) -> None:
    with ecs_refused("ActivationLimitation.Invalid"):
        ecs("CreateActivation", ClientToken="t", InstanceCount=0)
    create(ecs, ClientToken="t", InstanceCount=1)


@pytest.mark.parametrize("kind", ["internal_error_after", "drop_after", "truncate", "no_secret"])
def test_a_lost_answer_is_answered_again(emulator: Emulator, ecs: EcsSdk, kind: str) -> None:
    emulator.fault("CreateActivation", kind)
    with contextlib.nullcontext() if kind == "no_secret" else pytest.raises(TeaException):
        ecs("CreateActivation", ClientToken="t")
    again = ecs("CreateActivation", ClientToken="t")
    (held,) = emulator.resources()[ONE]["cn-hangzhou"]["ecs"]["activations"]
    assert {name: again[name] for name in CODE_FIELDS.values()} == {
        name: held[name] for name in CODE_FIELDS.values()
    }


@pytest.mark.parametrize("token", ["t" * 65, "é"])
def test_tokens_refused(ecs: EcsSdk, token: str) -> None:
    with ecs_refused("InvalidClientToken.ValueNotSupported"):
        ecs("CreateActivation", ClientToken=token)


def test_tokens_are_kept_in_the_file(tmp_path: Path) -> None:
    data = tmp_path / "emulator.sqlite"
    with Emulator(data=data) as emulator:
        first = ecs_of(emulator, emulator.secret_id)("CreateActivation", ClientToken="t")
    with Emulator(data=data) as emulator:
        again = ecs_of(emulator, emulator.secret_id)("CreateActivation", ClientToken="t")
    assert first["ActivationCode"] == again["ActivationCode"]


def test_an_empty_token_is_none(ecs: EcsSdk) -> None:
    assert create(ecs, ClientToken="") != create(ecs, ClientToken="")


# --- lists ------------------------------------------------------------------------------------


def test_pages_by_number(ecs: EcsSdk) -> None:
    ids = [create(ecs) for _ in range(12)]
    first = ecs("DescribeActivations")
    assert [one["ActivationId"] for one in first["ActivationList"]] == ids[:10]
    assert (first["TotalCount"], first["PageNumber"], first["PageSize"]) == (12, 1, 10)
    assert first["NextToken"] == ""
    second = ecs("DescribeActivations", PageNumber=3, PageSize=5)
    assert [one["ActivationId"] for one in second["ActivationList"]] == ids[10:]
    assert (second["TotalCount"], second["PageNumber"], second["PageSize"]) == (12, 3, 5)
    assert ecs("DescribeActivations", PageNumber=4, PageSize=5)["ActivationList"] == []
    assert len(ecs("DescribeActivations", PageSize=50)["ActivationList"]) == 12


def test_pages_by_token(ecs: EcsSdk) -> None:
    ids = [create(ecs) for _ in range(12)]
    seen: list[str] = []
    token = ""
    for expected in (5, 5, 2):
        answer = ecs("DescribeActivations", MaxResults=5, NextToken=token)
        assert "PageNumber" not in answer
        assert answer["TotalCount"] == 0  # meaningless, says the page
        assert len(answer["ActivationList"]) == expected
        seen += [one["ActivationId"] for one in answer["ActivationList"]]
        token = answer["NextToken"]
    assert (seen, token) == (ids, "")
    # at a page's end there is no empty one more
    assert ecs("DescribeActivations", MaxResults=12)["NextToken"] == ""
    # the default size goes with a token, too
    token = ecs("DescribeActivations", MaxResults=1)["NextToken"]
    answer = ecs("DescribeActivations", NextToken=token)
    assert [one["ActivationId"] for one in answer["ActivationList"]] == ids[1:11]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"PageNumber": 0}, "InvalidParam.PageNumber"),
        ({"PageSize": 0}, "InvalidParam.PageSize"),
        ({"PageSize": 51}, "InvalidParam.PageSize"),
        ({"MaxResults": 0}, "InvalidParameter.MaxResults"),
        ({"MaxResults": 51}, "InvalidParameter.MaxResults"),
        ({"NextToken": "nonsense"}, "InvalidParameter.NextToken"),
        ({"NextToken": "é"}, "InvalidParameter.NextToken"),
        ({"NextToken": "MTAgYWJj"}, "InvalidParameter.NextToken"),
    ],
)
@pytest.mark.parametrize("action", ["DescribeActivations", "DescribeManagedInstances"])
def test_pages_refused(ecs: EcsSdk, action: str, parameters: dict[str, Any], code: str) -> None:
    with ecs_refused(code):
        ecs(action, **parameters)


def test_a_token_goes_with_its_question(ecs: EcsSdk) -> None:
    for _ in range(3):
        create(ecs, InstanceName="web")
    token = ecs("DescribeActivations", MaxResults=1)["NextToken"]
    with ecs_refused("InvalidParameter.NextToken"):
        ecs("DescribeActivations", NextToken=token, InstanceName="web")
    assert len(ecs("DescribeActivations", NextToken=token, MaxResults=50)["ActivationList"]) == 2


def test_filters(emulator: Emulator, ecs: EcsSdk) -> None:
    one = create(ecs, InstanceName="one", Tag=pairs(a="1", b="2"))
    two = create(ecs, InstanceName="two", ResourceGroupId="rg-ready", Tag=pairs(a="1"))
    three = create(ecs, InstanceName="two")

    def found(**parameters: Any) -> list[str]:
        answer = ecs("DescribeActivations", **parameters)
        assert answer["TotalCount"] == len(answer["ActivationList"])
        return [item["ActivationId"] for item in answer["ActivationList"]]

    assert found(ActivationId=two) == [two]
    assert found(ActivationId=two, InstanceName="one") == []
    assert found(ActivationId="") == [one, two, three]  # as good as not there
    assert found(InstanceName="two") == [two, three]
    assert found(InstanceName="tw") == []
    assert found(ResourceGroupId="rg-ready") == [two]
    assert found(Tag=pairs(a="1")) == [one, two]
    assert found(Tag=pairs(a="1", b="2")) == [one]
    assert found(Tag=pairs(a="2")) == []
    assert found(Tag=[{"Key": "b"}]) == [one]
    assert found(InstanceName="two", Tag=pairs(a="1"), PageSize=1) == [two]
    with ecs_refused("NumberExceed.Tags"):
        found(Tag=pairs(**{f"k{number}": "v" for number in range(21)}))
    with ecs_refused("Duplicate.TagKey"):
        found(Tag=pairs(a="1") + pairs(a="2"))
    assert ecs_of(emulator, TWO)("DescribeActivations")["TotalCount"] == 0
    assert ecs_of(emulator, region="cn-beijing")("DescribeActivations")["TotalCount"] == 0


# --- tags -------------------------------------------------------------------------------------


def test_tag_and_untag(ecs: EcsSdk) -> None:
    one, two = create(ecs, Tag=pairs(a="1", b="2")), create(ecs)
    both = {**ACTIVATION, "ResourceId": [one, two]}
    ecs("TagResources", **both, Tag=pairs(b="3", c="4"))
    assert tags_of(ecs, one) == {"a": "1", "b": "3", "c": "4"}
    assert tags_of(ecs, two) == {"b": "3", "c": "4"}
    ecs("UntagResources", **both, TagKey=["b", "not there"])
    assert tags_of(ecs, one) == {"a": "1", "c": "4"}
    ecs("UntagResources", **both, TagKey=["c"], All=True)  # All counts without keys alone
    assert (tags_of(ecs, one), tags_of(ecs, two)) == ({"a": "1"}, {})
    ecs("UntagResources", **both, All=True)
    assert tags_of(ecs, one) == {}


def test_tags_listed(ecs: EcsSdk) -> None:
    one, two = create(ecs, Tag=pairs(a="1", b="2")), create(ecs, Tag=pairs(a="3"))

    def listed(**parameters: Any) -> list[tuple[str, str, str]]:
        answer = ecs("ListTagResources", **ACTIVATION, **parameters)
        found = answer["TagResources"]["TagResource"]
        assert all(tag["ResourceType"] == "activation" for tag in found)
        return [(tag["ResourceId"], tag["TagKey"], tag["TagValue"]) for tag in found]

    assert listed(ResourceId=[one, NOTHING]) == [(one, "a", "1"), (one, "b", "2")]
    assert listed(Tag=[{"Key": "a"}]) == [(one, "a", "1"), (one, "b", "2"), (two, "a", "3")]
    assert listed(Tag=pairs(a="3")) == [(two, "a", "3")]
    assert listed(ResourceId=[one], Tag=pairs(a="3")) == []
    with ecs_refused("MissingParameter"):
        listed()


def test_tags_listed_in_pages(ecs: EcsSdk) -> None:
    for _ in range(6):
        create(ecs, Tag=pairs(**{f"k{number}": "v" for number in range(20)}))
    seen: list[int] = []
    token = ""
    while not seen or token:
        answer = ecs("ListTagResources", **ACTIVATION, Tag=[{"Key": "k0"}], NextToken=token)
        seen.append(len(answer["TagResources"]["TagResource"]))
        token = answer["NextToken"]
    assert seen == [50, 50, 20]


def test_tags_of_machines(emulator: Emulator, ecs: EcsSdk) -> None:
    _, instance_id = used(emulator, ecs)
    machine = {"ResourceType": "managedinstance", "ResourceId": [instance_id]}
    ecs("TagResources", **machine, Tag=pairs(k="v"))
    (found,) = ecs("DescribeManagedInstances", Tag=pairs(k="v"))["Instances"]
    assert found["Tags"] == [{"TagKey": "k", "TagValue": "v"}]
    ecs("UntagResources", **machine, TagKey=["k"])
    assert ecs("DescribeManagedInstances", Tag=pairs(k="v"))["Instances"] == []


@pytest.mark.parametrize(
    ("changed", "code", "status"),
    [
        ({"ResourceType": "instance"}, "InvalidResourceType.NotFound", 404),
        ({"ResourceType": "Activation"}, "InvalidResourceType.NotFound", 404),
        ({"ResourceType": ""}, "MissingParameter", 400),
        ({"ResourceId": []}, "MissingParameter", 400),
        ({"ResourceId": [NOTHING]}, "InvalidResourceId.NotFound", 404),
        ({"ResourceId": [NOTHING] * 50}, "InvalidResourceId.NotFound", 404),
        ({"ResourceId": [NOTHING] * 51}, "NumberExceed.ResourceIds", 400),
        ({"Tag": []}, "MissingParameter", 400),
        ({"Tag": pairs(**{f"k{number}": "v" for number in range(21)})}, "NumberExceed.Tags", 400),
        ({"Tag": pairs(**{"k" * 129: "v"})}, "InvalidTagKey.Malformed", 400),
        ({"Tag": pairs(k="v" * 129)}, "InvalidTagValue.Malformed", 400),
        ({"Tag": [{"Value": "v"}]}, "MissingParameter.TagKey", 400),
        ({"Tag": pairs(k="1") + pairs(k="2")}, "Duplicate.TagKey", 400),
    ],
)
def test_tagging_refused(ecs: EcsSdk, changed: dict[str, Any], code: str, status: int) -> None:
    there = create(ecs)
    request = {**ACTIVATION, "ResourceId": [there], "Tag": pairs(k="v")}
    with ecs_refused(code, status):
        ecs("TagResources", **{**request, **changed})
    if "Tag" not in changed:
        del request["Tag"]
        with ecs_refused(code, status):
            ecs("UntagResources", **{**request, **changed}, TagKey=["k"])
    assert tags_of(ecs, there) == {}


def test_tagging_all_or_none_and_twenty_in_all(ecs: EcsSdk) -> None:
    there = create(ecs, Tag=pairs(**{f"k{number}": "v" for number in range(19)}))
    with ecs_refused("InvalidResourceId.NotFound", 404):
        ecs("TagResources", **ACTIVATION, ResourceId=[there, NOTHING], Tag=pairs(x="1"))
    ecs("TagResources", **ACTIVATION, ResourceId=[there], Tag=pairs(**{"k" * 128: "1"}))
    with ecs_refused("QuotaExceed.TagsPerResource", 403):
        ecs("TagResources", **ACTIVATION, ResourceId=[there], Tag=pairs(x="1"))
    assert len(tags_of(ecs, there)) == 20


def test_untagging_refused(ecs: EcsSdk) -> None:
    request = {**ACTIVATION, "ResourceId": [create(ecs, Tag=pairs(k="v"))]}
    with ecs_refused("MissingParameter"):
        ecs("UntagResources", **request)
    with ecs_refused("MissingParameter"):
        ecs("UntagResources", **request, All=False)
    with ecs_refused("NumberExceed.Tags"):
        ecs("UntagResources", **request, TagKey=[f"k{number}" for number in range(21)])
    with ecs_refused("InvalidParameter"):
        ecs("UntagResources", **request, All="yes")
    assert tags_of(ecs, request["ResourceId"][0]) == {"k": "v"}


# --- managed instances ------------------------------------------------------------------------


def test_a_machine_registers(emulator: Emulator, ecs: EcsSdk, control: Control) -> None:
    made = ecs("CreateActivation", InstanceName="web", ResourceGroupId="rg-ready")
    code = {name: made[title] for name, title in CODE_FIELDS.items()}
    order = {
        **code,
        "region": "cn-hangzhou",
        "host_name": "srv",
        "ip": "198.51.100.7",
        "local_ip": "10.1.1.1",
        "machine_id": "m-1",
        "os_type": "windows",
        "connected": False,
        "tags": {"k": "v"},
    }
    answer = control("POST", "register", order)
    assert answer.status == 200
    (instance_id,) = answer.json["instance_ids"]
    assert instance_id.startswith("mi-")
    (found,) = ecs("DescribeManagedInstances", ActivationId=made["ActivationId"])["Instances"]
    assert TIME.fullmatch(found.pop("RegistrationTime"))
    assert found.pop("AgentVersion")
    assert found == {
        "InstanceId": instance_id,
        "InstanceName": "web-01",
        "ActivationId": made["ActivationId"],
        "Hostname": "srv",
        "InternetIp": "198.51.100.7",
        "IntranetIp": "10.1.1.1",
        "MachineId": "m-1",
        "OsType": "windows",
        "OsVersion": "",
        "ResourceGroupId": "rg-ready",
        "LastInvokedTime": "",
        "InvocationCount": 0,
        "Connected": False,
        "Tags": [{"TagKey": "k", "TagValue": "v"}],
    }
    assert described(ecs, made["ActivationId"])["RegisteredCount"] == 1
    second = emulator.register(**code, instance_name="mine")
    (found,) = ecs("DescribeManagedInstances", InstanceId=second)["Instances"]
    assert (found["InstanceName"], found["Connected"]) == ("mine", True)


@pytest.mark.parametrize(("count", "name"), [(9, "web-1"), (10, "web-01"), (1000, "web-0001")])
def test_names_have_as_many_digits(emulator: Emulator, ecs: EcsSdk, count: int, name: str) -> None:
    _, instance_id = used(emulator, ecs, InstanceName="web", InstanceCount=count)
    (found,) = ecs("DescribeManagedInstances", InstanceId=[instance_id])["Instances"]
    assert found["InstanceName"] == name


def test_without_a_name_the_host_name(emulator: Emulator, ecs: EcsSdk) -> None:
    made = ecs("CreateActivation")
    emulator.register(**{n: made[title] for n, title in CODE_FIELDS.items()}, host_name="srv")
    (found,) = ecs("DescribeManagedInstances")["Instances"]
    assert found["InstanceName"] == "srv"


def test_registrations_refused(emulator: Emulator, ecs: EcsSdk, control: Control) -> None:
    def refused(reason: str, code: dict[str, str], **more: Any) -> list[str]:
        with pytest.raises(ControlError) as caught:
            emulator.register(**code, **more)
        assert caught.value.details["reason"] == reason
        return list(caught.value.details["instance_ids"])

    made = ecs("CreateActivation", InstanceCount=2, TimeToLiveInHours=2)
    code = {name: made[title] for name, title in CODE_FIELDS.items()}
    refused("not_found", {**code, "activation_id": NOTHING})
    refused("not_found", code, region="cn-beijing")
    refused("wrong_value", {**code, "activation_code": code["activation_code"].replace("+", " ")})
    assert described(ecs, made["ActivationId"])["RegisteredCount"] == 0
    assert len(refused("used_up", code, count=3)) == 2
    refused("used_up", code)
    emulator.clock(offset_seconds=2 * 3600 - 60)
    refused("used_up", code)
    emulator.clock(offset_hours=2)
    refused("expired", code)
    assert described(ecs, made["ActivationId"])["RegisteredCount"] == 2
    answer = control("POST", "register", {**code, "activation_code": "a-x"})
    assert (answer.status, answer.json["reason"]) == (403, "wrong_value")


def test_deregistering_frees_no_registration(emulator: Emulator, ecs: EcsSdk) -> None:
    made = ecs("CreateActivation", InstanceCount=1)
    code = {name: made[title] for name, title in CODE_FIELDS.items()}
    (instance_id,) = emulator.register(**code)
    ecs("DeregisterManagedInstance", InstanceId=instance_id)
    activation = described(ecs, made["ActivationId"])
    assert (activation["RegisteredCount"], activation["DeregisteredCount"]) == (1, 1)
    with pytest.raises(ControlError, match="used up"):
        emulator.register(**code)


@pytest.mark.parametrize(
    ("allowed", "ip", "fine"),
    [
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.1/8", "11.0.0.1", False),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::/32", "2001:db8::5", True),
        ("2001:db8::/32", "2001:db9::5", False),
        ("0.0.0.0/0", "2001:db8::5", True),
        ("::/0", "192.0.2.1", False),
    ],
)
def test_address_range(emulator: Emulator, ecs: EcsSdk, allowed: str, ip: str, fine: bool) -> None:
    made = ecs("CreateActivation", IpAddressRange=allowed)
    code = {name: made[title] for name, title in CODE_FIELDS.items()}
    if fine:
        assert emulator.register(**code, ip=ip)
    else:
        with pytest.raises(ControlError, match=re.escape(str(ipaddress.ip_address(ip)))):
            emulator.register(**code, ip=ip)


@pytest.mark.parametrize(
    "more",
    [
        {"activation_code": None},
        {"hostname": "x"},
        {"host_name": 1},
        {"ip": "nowhere"},
        {"os_type": "Linux"},
        {"connected": "true"},
        {"tags": []},
        {"count": 0},
        {"count": "1"},
    ],
)
def test_a_slip_in_a_registration(ecs: EcsSdk, control: Control, more: dict[str, Any]) -> None:
    made = ecs("CreateActivation")
    code = {name: made[title] for name, title in CODE_FIELDS.items()}
    assert control("POST", "register", {**code, **more}).status == 400
    assert ecs("DescribeManagedInstances")["TotalCount"] == 0


def test_machines_found(emulator: Emulator, ecs: EcsSdk) -> None:
    made = ecs("CreateActivation", InstanceName="web")
    code = {name: made[title] for name, title in CODE_FIELDS.items()}
    (one,) = emulator.register(**code, ip="198.51.100.1", machine_id="m" * 36)
    (two,) = emulator.register(**code, local_ip="10.9.9.9", os_type="windows", connected=False)
    _, other = used(emulator, ecs)

    def found(**parameters: Any) -> list[str]:
        answer = ecs("DescribeManagedInstances", **parameters)
        assert answer["TotalCount"] == len(answer["Instances"])
        return [instance["InstanceId"] for instance in answer["Instances"]]

    assert found() == [one, two, other]
    assert found(ActivationId=made["ActivationId"]) == [one, two]
    assert found(InstanceId=[two, other, "mi-nothing"]) == [two, other]
    assert found(InstanceName="web-02") == [two]
    assert found(InstanceIp="198.51.100.1") == [one]
    assert found(InstanceIp="10.9.9.9") == [two]
    assert found(MachineId="m" * 36) == [one]
    assert found(OsType="windows") == [two]
    assert found(Connected="true") == [one, other]
    assert found(Connected="false", ActivationId=made["ActivationId"]) == [two]
    for wrong in (
        {"InstanceId": ["mi-1"] * 51},
        {"MachineId": "m" * 37},
        {"OsType": "Windows"},
        {"Connected": "yes"},
    ):
        with ecs_refused("InvalidParameter"):
            found(**wrong)


def test_machines_in_pages(emulator: Emulator, ecs: EcsSdk) -> None:
    activation_id, _ = used(emulator, ecs, count=12, InstanceCount=12)
    seen: list[int] = []
    token = ""
    while not seen or token:
        answer = ecs(
            "DescribeManagedInstances", ActivationId=activation_id, MaxResults=5, NextToken=token
        )
        seen.append(len(answer["Instances"]))
        token = answer["NextToken"]
    assert seen == [5, 5, 2]


def test_deregister(emulator: Emulator, ecs: EcsSdk) -> None:
    activation_id, instance_id = used(emulator, ecs, count=2)
    order = {"InstanceId": instance_id, "ClientToken": "t"}
    answer = ecs("DeregisterManagedInstance", **order)["Instance"]
    assert (answer["InstanceId"], answer["ActivationId"]) == (instance_id, activation_id)
    assert ecs("DeregisterManagedInstance", **order)["Instance"] == answer
    with ecs_refused("InvalidInstance.NotFound", 404):
        ecs("DeregisterManagedInstance", InstanceId=instance_id)
    activation = described(ecs, activation_id)
    assert (activation["RegisteredCount"], activation["DeregisteredCount"]) == (2, 1)
    assert ecs("DescribeManagedInstances")["TotalCount"] == 1


def test_rename_a_machine(emulator: Emulator, ecs: EcsSdk) -> None:
    _, instance_id = used(emulator, ecs)
    for name in ("nn", "n" * 128):
        answer = ecs("ModifyManagedInstance", InstanceId=instance_id, InstanceName=name)
        assert answer["Instance"] == {"InstanceId": instance_id, "InstanceName": name}
        assert ecs("DescribeManagedInstances")["Instances"][0]["InstanceName"] == name
    for name, code in (
        ("n", "InstanceName.InvalidPattern"),
        ("1n", "InstanceName.InvalidPattern"),
        ("n" * 129, "InstanceName.ExceedLimit"),
        ("", "MissingParameter"),
    ):
        with ecs_refused(code):
            ecs("ModifyManagedInstance", InstanceId=instance_id, InstanceName=name)
    with ecs_refused("InvalidInstance.NotFound", 404):
        ecs("ModifyManagedInstance", InstanceId="mi-nothing", InstanceName="nn")


def test_cloud_assistant_status(emulator: Emulator, ecs: EcsSdk) -> None:
    made = ecs("CreateActivation")
    code = {name: made[title] for name, title in CODE_FIELDS.items()}
    (one,) = emulator.register(**code)
    (two,) = emulator.register(**code, connected=False, os_type="FreeBSD")

    def found(**parameters: Any) -> list[tuple[str, str, str]]:
        answer = ecs("DescribeCloudAssistantStatus", **parameters)
        statuses = answer["InstanceCloudAssistantStatusSet"]["InstanceCloudAssistantStatus"]
        return [(one["InstanceId"], one["CloudAssistantStatus"], one["OSType"]) for one in statuses]

    assert found() == [(one, "true", "Linux"), (two, "false", "FreeBSD")]
    assert found(InstanceId=[two, "i-1"]) == [(two, "false", "FreeBSD")]
    assert found(OSType="Linux") == [(one, "true", "Linux")]
    assert found(PageNumber=2, PageSize=1) == [(two, "false", "FreeBSD")]

"""Registries at the HTTP boundary, from the vendor's pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pulumi
import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from pulumi.dynamic import ConfigureRequest, DiffResult
from pulumi.dynamic.config import Config
from pulumi.runtime import rpc
from responses.matchers import header_matcher

from pulumi_hybrid.engine import PROVIDER_KEY
from pulumi_hybrid.errors import (
    Ambiguous,
    Error,
    Gone,
    InitFailed,
    LookUpFailed,
    NotSent,
    Refused,
)
from pulumi_hybrid.tencentcloud import tcr
from pulumi_hybrid.tencentcloud.tcr import GetInstanceResult, Instance, InstanceProvider
from pulumi_hybrid.testing import Mocks
from pulumi_hybrid.watch import Item, Watch

from ..conftest import Clock, Engine, Log, assert_one_line
from .conftest import (
    LOST,
    REGION,
    REQUEST_ID,
    SECRET_KEY,
    UNSENT,
    Raw,
    Reply,
    Vendor,
    _body_matcher,
    from_now,
    new_config,
    read_timeout,
    refusal,
    refused,
    reset,
    served,
)

TCR_URL = "https://tcr.tencentcloudapi.com/"
TAG_URL = "https://tag.tencentcloudapi.com/"

CREATE = "CreateInstance"
DESCRIBE = "DescribeInstances"
STATUS = "DescribeInstanceStatus"
MODIFY = "ModifyInstance"
RENEW = "RenewInstance"
DELETE = "DeleteInstance"
TAG = "ModifyResourceTags"
ENTRANCE = "DescribeExternalEndpointStatus"
MANAGE = "ManageExternalEndpoint"
POLICIES = "DescribeSecurityPolicies"
ADD_POLICY = "CreateSecurityPolicy"
DROP_POLICY = "DeleteSecurityPolicy"

ID = "tcr-9q9h2rnv"
NAME = "unit-registry"
CREATED_AT = "2025-01-01T00:00:00+08:00"
EXPIRED_AT = "2025-03-31T00:00:00+08:00"

CREATED = served(RegistryId=ID)
DONE = served(RegistryId=ID)
INPUTS = {"registry_name": NAME, "registry_type": "basic", "region": REGION}
PREPAID = {
    **INPUTS,
    "registry_charge_type": 1,
    "registry_charge_prepaid": {"period": 3},
}
OUTPUTS = {
    "registry_id": ID,
    "registry_name": NAME,
    "registry_type": "basic",
    "registry_charge_type": 0,
    "enable_cos_maz": False,
    "deletion_protection": False,
    "region": REGION,
    "status": "Running",
    "public_domain": f"{NAME}.tencentcloudcr.com",
    "internal_endpoint": "10.1.67.13",
    "created_at": CREATED_AT,
}
PREPAID_OUTPUTS = {**OUTPUTS, "registry_charge_type": 1, "expired_at": EXPIRED_AT}

# Refused for good, as the create action's page has them.
CREATE_CODES = {
    "FailedOperation": "the vendor could not do it",
    "FailedOperation.TradeFailed": "balance, arrears and real-name verification",
    "InternalError.ErrNotExist": "Open the TCR console once and authorise the service",
    "InternalError.ErrorOverLimit": "Delete registries, or ask for more",
    "InvalidParameter": "does not accept an input",
    "InvalidParameter.ErrorNameIllegal": "5 to 50 lower-case letters",
    "InvalidParameter.ErrorNameReserved": "the registry name is reserved. Choose another",
    "InvalidParameter.ErrorRegistryName": "the registry name is not allowed, or reserved",
    "InvalidParameter.ErrorTagOverLimit": "Give 10 at most",
    "InvalidParameter.UnsupportedRegion": "the region has no TCR",
    "MissingParameter": "the vendor says that an input is missing",
    "OperationDenied.QuotaOverLimit": "holds as many registries as the account may have",
    "UnauthorizedOperation": "TCR may not use COS and VPC for the account",
    "UnknownParameter": "does not know an input",
    "UnsupportedOperation": "does not support this",
}
PASSING_CODES = {
    "FailedOperation.DependenceError": "something that TCR stands on failed",
    "FailedOperation.GetDBDataError": "could not read its data",
    "FailedOperation.GetSecurityPolicyFail": "could not read the security policies",
    "FailedOperation.GetTcrClient": "could not reach the registry",
    "FailedOperation.ValidateRegistryNameFail": "could not check the name",
    "FailedOperation.ValidateSupportedRegionFail": "could not check the region",
    "InternalError": "internal fault",
    "InternalError.DbError": "internal fault",
}
TAKEN_CODES = ["InvalidParameter.ErrorNameExists", "InternalError.ErrorConflict"]
CHANGE_CODES = [
    "InvalidParameter",
    "MissingParameter",
    "OperationDenied",
    "UnauthorizedOperation",
    "UnknownParameter",
    "UnsupportedOperation",
    "InternalError.ErrNotExist",
]
BUSY_CODES = ["InternalError.ErrorConflict", "InternalError.ErrConflict"]
MOVING = ["Pending", "Deploying", "Unhealthy", "Polishing", None]
"""What may become Running by itself; the vendor may have words that no page has."""
FAILED = ["Bucket-Error", "Isolate", "Deleting", "DeleteFailed", "DeleteBucketFailed"]


def registry(**changes: Any) -> dict[str, Any]:
    """A Registry as DescribeInstances shows it, of one made without options."""
    return {
        "RegistryId": ID,
        "RegistryName": NAME,
        "RegistryType": "basic",
        "Status": "Running",
        "PublicDomain": f"{NAME}.tencentcloudcr.com",
        "InternalEndpoint": "10.1.67.13",
        "RegionId": 1,
        "RegionName": REGION,
        "CreatedAt": CREATED_AT,
        "ExpiredAt": "",
        "EnableAnonymous": False,
        "TokenValidTime": 87600,
        "PayMod": 0,
        "RenewFlag": 0,
        "DeletionProtection": False,
        "EnableCosMAZ": False,
        "TagSpecification": None,
        "AIFeature": None,
        **changes,
    }


def prepaid(**changes: Any) -> dict[str, Any]:
    return registry(PayMod=1, ExpiredAt=EXPIRED_AT, **changes)


def listing(*registries: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of DescribeInstances."""
    return served(TotalCount=len(registries), Registries=list(registries))


NONE = listing()
FREE = NONE
"""What the look before the create says."""
NULL = served(TotalCount=0, Registries=None)


def _by_name(body: dict[str, Any]) -> bool:
    return "Filters" in body


def _by_id(body: dict[str, Any]) -> bool:
    return "Registryids" in body


class Tcr:
    """The vendor's TCR, and its Tag service."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.count = vendor.count
        self.bodies = vendor.bodies

    def answers(self, action: str, *replies: Reply) -> None:
        url = TAG_URL if action == TAG else TCR_URL
        self.vendor.answers(action, *replies, url=url)

    def of_name(self, *replies: Reply) -> None:
        """What the look by name says."""
        self.vendor.answers(DESCRIBE, *replies, url=TCR_URL, where=_by_name)

    def of_id(self, *replies: Reply) -> None:
        """What the look at the registry itself says."""
        self.vendor.answers(DESCRIBE, *replies, url=TCR_URL, where=_by_id)

    def until(self, action: str, *before: Reply) -> None:
        """What that look says until an action arrives; what is said next is for afterwards."""
        self.vendor.answers(
            DESCRIBE,
            *before,
            url=TCR_URL,
            where=lambda body: _by_id(body) and not self.count(action),
        )

    def after(self, action: str, *after: Reply) -> None:
        """What that look says once an action has arrived."""
        self.vendor.answers(
            DESCRIBE,
            *after,
            url=TCR_URL,
            where=lambda body: _by_id(body) and bool(self.count(action)),
        )

    def slowly(self, clock: Clock, seconds: float, *replies: Mapping[str, Any]) -> None:
        """What that look says where so much time goes by with each; the last one stays."""
        left = list(replies)

        def look(_request: Any) -> tuple[int, dict[str, str], str]:
            clock.passes(seconds)
            answer = left.pop(0) if len(left) > 1 else left[0]
            return 200, {"Content-Type": "application/json"}, json.dumps(answer)

        match = [header_matcher({"X-TC-Action": DESCRIBE}), _body_matcher(_by_id)]
        self.vendor._mock.add_callback("POST", TCR_URL, look, match=match)

    def statuses(self, *statuses: str | None) -> None:
        """The same, of a registry that is otherwise as made."""
        self.of_id(*(listing(registry(Status=status)) for status in statuses))

    @property
    def changes(self) -> list[str]:
        """All that arrived, looks left out, in order."""
        return [action for action in self.vendor.actions if not action.startswith("Describe")]

    @property
    def looks_by_name(self) -> int:
        return sum("Filters" in body for body in self.bodies(DESCRIBE))


@pytest.fixture
def cloud(vendor: Vendor) -> Tcr:
    return Tcr(vendor)


def new_provider(**changes: str) -> InstanceProvider:
    provider = InstanceProvider()
    provider.configure(ConfigureRequest(Config(new_config(**changes), "unit")))
    return provider


@pytest.fixture
def provider() -> InstanceProvider:
    return new_provider()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses take no time here, so what is waited for by the clock is waited for briefly."""
    monkeypatch.setattr(tcr, "_PAUSE", 0.02)
    for seconds in (
        "TO_FREE_A_NAME",
        "TO_FREE_ANY_NAME",
        "TO_SHOW_AN_ORDER",
        "TO_SHOW_AN_ANSWERED_ORDER",
        "TO_SHOW_A_CHANGE",
        "OF_AN_OLD_STATUS",
        "OF_AN_UPGRADE",
    ):
        monkeypatch.setattr(tcr, f"_SECONDS_{seconds}", 0.8)


@pytest.fixture
def never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is ordered does not come to show, however long it is waited for."""
    for what in ("AN_ORDER", "AN_ANSWERED_ORDER"):
        monkeypatch.setattr(tcr, f"_SECONDS_TO_SHOW_{what}", 0.1)


def _line(error: Error, operation: str) -> str:
    said = str(error)
    assert_one_line(said)
    assert said.startswith(f"cannot {operation}")
    assert "bug" not in said
    return said


def _kept(error: InitFailed) -> dict[str, Any]:
    assert error.id == ID
    return {name: rpc.unwrap_rpc_secret(value) for name, value in error.outputs.items()}


def _outs(outputs: Mapping[str, Any] | None) -> dict[str, Any]:
    assert outputs is not None
    return dict(outputs)


# What is sent


def test_create_arrives_as_the_vendors_example(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry(RegistryName="tcr-test", RegistryType="standard")))
    news = {"registry_name": "tcr-test", "registry_type": "standard", "sync_tag": True}
    checked = engine.check(provider, news, None)
    assert checked.failures == []
    assert engine.create(provider, checked.inputs).id == ID
    [request] = cloud.vendor.requests(CREATE)
    assert request.headers["X-TC-Version"] == "2019-09-24"
    assert request.headers["X-TC-Region"] == REGION
    assert cloud.bodies(CREATE) == [
        {"RegistryName": "tcr-test", "RegistryType": "standard", "SyncTag": True}
    ]


def test_create_with_everything_arrives_under_the_vendors_names_and_types(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(prepaid()))
    news = {
        **PREPAID,
        "tags": {"k": "v"},
        "registry_charge_prepaid": {"period": 1, "renew_flag": 1},
        "sync_tag": True,
        "enable_cos_maz": False,
        "enable_cos_versioning": True,
        "deletion_protection": True,
        "delete_bucket": True,
        "paid_until": "2025-01-31T00:00:00Z",
        "region": "ap-seoul",
    }
    checked = engine.check(provider, news, None)
    assert checked.failures == []
    engine.create(provider, checked.inputs)
    [request] = cloud.vendor.requests(CREATE)
    assert request.headers["X-TC-Region"] == "ap-seoul"
    assert cloud.bodies(CREATE) == [
        {
            "RegistryName": NAME,
            "RegistryType": "basic",
            "TagSpecification": {
                "ResourceType": "instance",
                "Tags": [{"Key": "k", "Value": "v"}],
            },
            "RegistryChargeType": 1,
            "RegistryChargePrepaid": {"Period": 1, "RenewFlag": 1},
            "SyncTag": True,
            "EnableCosMAZ": False,
            "EnableCosVersioning": True,
            "DeletionProtection": True,
        }
    ]
    # The engine makes every number a float; the vendor takes integers alone.
    for number in ('"RegistryChargeType": 1,', '"Period": 1,', '"RenewFlag": 1}'):
        assert number in str(request.body)


def test_create_prepaid_always_says_what_happens_at_the_end_of_the_term(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(prepaid()))
    engine.create(provider, engine.check(provider, PREPAID, None).inputs)
    [body] = cloud.bodies(CREATE)
    assert body["RegistryChargePrepaid"] == {"Period": 3, "RenewFlag": 0}
    assert cloud.count(RENEW) == 0


@pytest.mark.parametrize(
    "tags",
    [
        {"tags": {"k": "v", "empty": ""}},
        {"tag_specification": {"tags": [{"key": "k", "value": "v"}, {"key": "empty"}]}},
        {
            "tag_specification": {
                "resource_type": "instance",
                "tags": [{"key": "k", "value": "v"}, {"key": "empty", "value": ""}],
            }
        },
    ],
)
def test_create_takes_tags_in_either_form(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, tags: dict[str, Any]
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry()))
    checked = engine.check(provider, {**INPUTS, **tags}, None)
    assert checked.failures == []
    engine.create(provider, checked.inputs)
    [body] = cloud.bodies(CREATE)
    specification = body["TagSpecification"]
    assert specification["ResourceType"] == "instance"
    # The engine keeps no order in a mapping.
    assert sorted(specification["Tags"], key=str) == [
        {"Key": "empty", "Value": ""},
        {"Key": "k", "Value": "v"},
    ]


@pytest.mark.parametrize(
    "tags", [{}, {"tags": {}}, {"tag_specification": {"tags": []}}, {"tag_specification": {}}]
)
def test_create_without_tags_sends_none(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, tags: dict[str, Any]
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry()))
    engine.create(provider, engine.check(provider, {**INPUTS, **tags}, None).inputs)
    assert cloud.bodies(CREATE) == [{"RegistryName": NAME, "RegistryType": "basic"}]


def test_create_on_the_international_site_goes_there(engine: Engine, vendor: Vendor) -> None:
    intl = "https://tcr.intl.tencentcloudapi.com/"
    vendor.answers(DESCRIBE, FREE, url=intl, where=_by_name)
    vendor.answers(CREATE, CREATED, url=intl)
    vendor.answers(DESCRIBE, listing(registry()), url=intl, where=_by_id)
    provider = new_provider(domain="intl.tencentcloudapi.com")
    assert engine.create(provider, INPUTS).id == ID


def test_create_returns_what_the_vendor_shows(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry()))
    result = engine.create(provider, INPUTS)
    assert result.id == ID
    assert result.outs == OUTPUTS
    assert all(
        body["Registryids"] == [ID] for body in cloud.bodies(DESCRIBE) if "Filters" not in body
    )


# check


def _problems(**news: Any) -> list[str]:
    failures = new_provider().check({}, {**INPUTS, **news}).failures
    return [failure.reason for failure in failures]


POLICY = {"cidr_block": "192.0.2.1", "description": "office"}


@pytest.mark.parametrize(
    "news",
    [
        {},
        {"registry_type": "standard"},
        {"registry_type": "premium"},
        {"registry_name": "n"},
        {"registry_name": "n" * 50},
        {"registry_charge_type": 0},
        {"registry_charge_type": 1, "registry_charge_prepaid": {"period": 1, "renew_flag": 2}},
        {"tags": {f"k{number}": "v" for number in range(10)}},
        {"tags": {"k" * 127: "v" * 255, "url": "https://example.com"}},
        {"tag_specification": {"tags": [{"key": f"k{number}"} for number in range(10)]}},
        {"tag_specification": {"tags": [{"key": "k" * 127, "value": "v" * 255}]}},
        {"tags": {}, "tag_specification": {"tags": [{"key": "k"}]}},
        {"public_access": {"enabled": False}},
        {"public_access": {"enabled": True}},
        {"public_access": {"enabled": True, "security_policies": [POLICY]}},
        {
            "public_access": {
                "enabled": True,
                "security_policies": [{**POLICY, "description": "d" * 255}],
            }
        },
    ],
)
def test_check_takes_what_the_vendor_takes(news: dict[str, Any]) -> None:
    assert _problems(**news) == []


@pytest.mark.parametrize(
    ("news", "name", "limit"),
    [
        ({"registry_type": None}, "registry_type", "is not given"),
        ({"registry_type": "Basic"}, "registry_type", "basic, standard, premium"),
        ({"registry_name": "n" * 51}, "registry_name", "at most 50"),
        ({"registry_name": ""}, "registry_name", "at least 1"),
        ({"registry_charge_type": 2}, "registry_charge_type", "from 0 to 1"),
        ({"registry_charge_type": -1}, "registry_charge_type", "from 0 to 1"),
        (
            {"registry_charge_prepaid": {"period": 0}},
            "registry_charge_prepaid.period",
            "at least 1",
        ),
        (
            {"registry_charge_prepaid": {"period": 1.5}},
            "registry_charge_prepaid.period",
            "whole number (months)",
        ),
        (
            {"registry_charge_prepaid": {"renew_flag": 1}},
            "registry_charge_prepaid.period",
            "is not given",
        ),
        (
            {"registry_charge_prepaid": {"period": 1, "renew_flag": 3}},
            "registry_charge_prepaid.renew_flag",
            "from 0 to 2",
        ),
        (
            {"registry_charge_prepaid": {"period": 1, "renew_flag": -1}},
            "registry_charge_prepaid.renew_flag",
            "from 0 to 2",
        ),
        ({"tags": {f"k{number}": "" for number in range(11)}}, "tags", "at most 10 tags, has 11"),
        ({"tags": {"k" * 128: ""}}, "tags", "keys of 1 to 127"),
        ({"tags": {"k": "v" * 256}}, "tags", "values of at most 255"),
        (
            {"tag_specification": {"tags": [{"key": ""}]}},
            "tag_specification.tags[0].key",
            "at least 1",
        ),
        (
            {"tag_specification": {"tags": [{"key": "k" * 128}]}},
            "tag_specification.tags[0].key",
            "at most 127",
        ),
        (
            {"tag_specification": {"tags": [{"key": "k", "value": "v" * 256}]}},
            "tag_specification.tags[0].value",
            "at most 255",
        ),
        (
            {"tag_specification": {"tags": [{"key": f"k{number}"} for number in range(11)]}},
            "tag_specification.tags",
            "at most 10 entries, has 11",
        ),
        (
            {"tag_specification": {"tags": [{"key": "k"}, {"value": "v"}]}},
            "tag_specification.tags[1].key",
            "is not given",
        ),
        (
            {"tag_specification": {"resource_type": "cvm"}},
            "tag_specification.resource_type",
            "one of instance",
        ),
        ({"deletion_protection": "yes"}, "deletion_protection", "true or false"),
        ({"public_access": {}}, "public_access.enabled", "is not given"),
        (
            {
                "public_access": {
                    "enabled": True,
                    "security_policies": [POLICY, {**POLICY, "cidr_block": ""}],
                }
            },
            "public_access.security_policies[1].cidr_block",
            "is not given",
        ),
        (
            {
                "public_access": {
                    "enabled": True,
                    "security_policies": [{**POLICY, "cidr_block": "2001:db8::1"}],
                }
            },
            "public_access.security_policies[0].cidr_block",
            "IPv4",
        ),
        (
            {
                "public_access": {
                    "enabled": True,
                    "security_policies": [{**POLICY, "description": ""}],
                }
            },
            "public_access.security_policies[0].description",
            "at least 1",
        ),
        (
            {
                "public_access": {
                    "enabled": True,
                    "security_policies": [{**POLICY, "description": "d" * 256}],
                }
            },
            "public_access.security_policies[0].description",
            "at most 255",
        ),
        (
            {"public_access": {"enabled": True, "security_policies": [{"cidr_block": "10.0.0.1"}]}},
            "public_access.security_policies[0].description",
            "is not given",
        ),
        ({"delete_bucket": 1}, "delete_bucket", "true or false"),
        ({"adopt_id": "tcr 1"}, "adopt_id", "id of an existing resource"),
        ({"registryName": "n"}, "registryName", "is not an input of Instance"),
        (
            {"registry_charge_type": 1, "registry_charge_prepaid": {"period": 0}},
            "registry_charge_prepaid.period",
            "at least 1",
        ),
        (
            {"registry_charge_type": 2, "paid_until": "2027-01-31T00:00:00Z"},
            "registry_charge_type",
            "from 0 to 1",
        ),
        # Taken together.
        ({"registry_charge_type": 1}, "registry_charge_prepaid", "registry_charge_type is 1"),
        ({"paid_until": "2027-01-31T00:00:00Z"}, "paid_until", "needs registry_charge_type 1"),
        (
            {"paid_until": "2027-01-31T00:00:00Z", "registry_charge_type": 0},
            "paid_until",
            "needs registry_charge_type 1",
        ),
        (
            {"registry_charge_prepaid": {"period": 1}},
            "registry_charge_prepaid",
            "needs registry_charge_type 1",
        ),
        (
            {"registry_charge_prepaid": {"period": 1}, "registry_charge_type": 0},
            "registry_charge_prepaid",
            "needs registry_charge_type 1",
        ),
        (
            {"tag_specification": {"tags": [{"key": "k", "value": v} for v in "ab"]}},
            "tag_specification",
            "gives the same key twice",
        ),
        (
            {"public_access": {"enabled": False, "security_policies": [POLICY]}},
            "public_access",
            "is not enabled",
        ),
        (
            {
                "public_access": {
                    "enabled": True,
                    "security_policies": [POLICY, {**POLICY, "cidr_block": "192.0.2.1/32"}],
                }
            },
            "public_access",
            "the same block twice",
        ),
        (
            {"tags": {"k": "v"}, "tag_specification": {"tags": []}},
            "tag_specification",
            "Give one of them",
        ),
    ],
)
def test_check_says_in_one_line_which_input_is_wrong_and_why(
    news: dict[str, Any], name: str, limit: str
) -> None:
    [problem] = _problems(**news)
    assert_one_line(problem)
    assert problem.startswith(f"{name}: ")
    assert limit in problem


@pytest.mark.parametrize(
    "until", ["tomorrow", "2027-13-01T00:00:00Z", 5, "", "9999-12-31T23:59:59Z"]
)
def test_check_takes_only_a_point_in_time_for_paid_until(until: Any) -> None:
    [problem] = _problems(**{**PREPAID, "paid_until": until})
    assert problem.startswith("paid_until: must be a point in time")


@pytest.mark.parametrize(
    "news",
    [
        {"registry_charge_type": rpc.UNKNOWN, "paid_until": "2027-01-31T00:00:00Z"},
        {"registry_charge_type": 1, "registry_charge_prepaid": rpc.UNKNOWN},
        {"registry_charge_type": 1, "registry_charge_prepaid": {"period": rpc.UNKNOWN}},
        {**PREPAID, "paid_until": rpc.UNKNOWN},
        {"public_access": rpc.UNKNOWN},
        {"public_access": {"enabled": rpc.UNKNOWN}},
        {
            "public_access": {
                "enabled": True,
                "security_policies": [{**POLICY, "cidr_block": rpc.UNKNOWN}] * 2,
            }
        },
        {"registry_name": rpc.UNKNOWN, "registry_type": rpc.UNKNOWN},
    ],
)
def test_check_leaves_alone_what_is_not_known_yet(
    engine: Engine, provider: InstanceProvider, news: dict[str, Any]
) -> None:
    assert engine.check(provider, {**INPUTS, **news}, None).failures == []


def test_check_makes_up_a_name_once(engine: Engine, provider: InstanceProvider) -> None:
    engine.urn = "urn:pulumi:dev::unit::type::My_App"
    first = engine.check(provider, {"registry_type": "basic"}, None).inputs
    stem, _, digits = first["registry_name"].rpartition("-")
    assert stem == "my-app"
    assert len(digits) == 7
    assert set(digits) <= set("0123456789abcdef")
    assert engine.check(provider, {"registry_type": "basic"}, first).inputs == first
    other = engine.check(provider, {"registry_type": "basic"}, None).inputs
    assert other["registry_name"] != first["registry_name"]


# create: the vendor says no


@pytest.mark.parametrize(("code", "what_to_do"), CREATE_CODES.items())
def test_create_refused_says_what_to_do_and_is_sent_once(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str, what_to_do: str
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, refusal(code), CREATED)
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    said = _line(caught.value, "create Instance: ")
    assert what_to_do in said
    assert said.endswith(f"[TCR {CREATE}: {code}, “The vendor's words”, RequestId {REQUEST_ID}]")
    assert "adopt_id" not in said
    assert engine.context.status.message == said
    assert not engine.context.status.details
    assert cloud.changes == [CREATE]


def test_create_refused_shows_the_whole_reason_of_a_payment_that_failed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    why = "role TCR_QCSRole is not authorised"
    cloud.answers(CREATE, refusal("FailedOperation.TradeFailed", why))
    with pytest.raises(Refused, match="TCR_QCSRole is not authorised"):
        engine.create(provider, INPUTS)


def test_create_throttled_is_sent_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, *[refusal("RequestLimitExceeded")] * 3, CREATED)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.count(CREATE) == 4
    assert cloud.looks_by_name == 1


@pytest.mark.parametrize("fault", UNSENT.values(), ids=UNSENT)
def test_create_that_was_not_sent_says_nothing_of_a_registry(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Callable[[], Reply]
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, fault())
    with pytest.raises(NotSent) as caught:
        engine.create(provider, INPUTS)
    assert "adopt_id" not in _line(caught.value, "create Instance: ")
    assert cloud.count(CREATE) == 5
    assert cloud.looks_by_name == 1


@pytest.mark.parametrize("code", TAKEN_CODES)
def test_create_with_a_name_that_somebody_else_has_says_so_after_a_moment(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, refusal(code))
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    said = _line(caught.value, "create Instance: ")
    assert f"{NAME} is taken by somebody else" in said
    assert "or not freed yet after a deletion" in said
    assert "cost" not in said
    assert cloud.count(CREATE) > 2


@pytest.mark.parametrize("code", TAKEN_CODES)
def test_create_waits_a_moment_for_a_name_that_a_destroy_has_just_given_up(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    log: Log,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcr, "_SECONDS_TO_FREE_A_NAME", 0)
    cloud.of_name(FREE)
    cloud.answers(CREATE, refusal(code), refusal(code), CREATED)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    what = f"waiting for the vendor to free the name {NAME}"
    assert what in [one.message for one in log.requests]


def test_create_waits_for_the_end_of_what_is_under_way(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No name is waited for.
    monkeypatch.setattr(tcr, "_SECONDS_TO_FREE_ANY_NAME", 0)
    cloud.of_name(FREE)
    cloud.answers(CREATE, *[refusal("InternalError.ErrConflict")] * 2, CREATED)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.count(CREATE) == 3
    assert "waiting for the end of another change" in [one.message for one in log.requests]


# create: the name in the own account


def test_create_does_not_take_over_a_registry_that_was_there(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(listing(registry()))
    with pytest.raises(Error) as caught:
        engine.create(provider, INPUTS)
    assert f'adopt_id="{ID}"' in _line(caught.value, "create Instance: ")
    assert cloud.changes == []


def test_create_waits_for_the_end_of_the_one_that_is_being_deleted(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    old = listing(registry(RegistryId="tcr-old", Status="Deleting"))
    cloud.of_name(old, old, FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.looks_by_name == 3


def test_create_does_not_wait_for_ever_for_that_end(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(listing(registry(RegistryId="tcr-old", Status="Deleting")))
    with pytest.raises(Error, match="tcr-old, is still being deleted") as caught:
        engine.create(provider, INPUTS, timeout=0.4)
    _line(caught.value, "create Instance: ")
    assert cloud.changes == []


def test_create_says_of_an_isolated_one_that_it_holds_the_name(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(listing(registry(Status="Isolate")))
    with pytest.raises(Error, match="is isolated, and holds the name"):
        engine.create(provider, INPUTS)
    assert cloud.changes == []


@pytest.mark.parametrize(
    "others",
    [
        NULL,
        listing(registry(RegistryName=f"{NAME}-2"), registry(RegistryName=f"my-{NAME}")),
        served(TotalCount=1, Registries=[None, registry(RegistryName=NAME.upper())]),
        listing(registry(RegistryId=None)),
    ],
)
def test_create_compares_names_again_since_the_vendor_may_show_others(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, others: dict[str, Any]
) -> None:
    cloud.of_name(others)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert [body for body in cloud.bodies(DESCRIBE) if "Filters" in body] == [
        {"Filters": [{"Name": "RegistryName", "Values": [NAME]}], "Limit": 100}
    ]


# create: the answer is lost


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_create_whose_answer_is_lost_is_found_by_its_name(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Callable[[], Reply]
) -> None:
    cloud.of_name(FREE, listing(registry(Status="Pending")))
    cloud.answers(CREATE, fault())
    cloud.of_id(listing(registry()))
    result = engine.create(provider, INPUTS)
    assert result.id == ID
    assert result.outs == OUTPUTS
    assert cloud.count(CREATE) == 1


@pytest.mark.parametrize(
    "answer",
    [
        served(),
        served(RegistryId=None),
        served(RegistryId=""),
        # With this content type the SDK makes an error an answer.
        Raw('{"Response": {}}', content_type="application/json; charset=utf-8"),
    ],
)
def test_create_whose_answer_has_no_id_is_found_by_its_name(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, answer: Reply
) -> None:
    cloud.of_name(FREE, listing(registry()))
    cloud.answers(CREATE, answer)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.count(CREATE) == 1


@pytest.mark.parametrize("code", PASSING_CODES)
def test_create_that_failed_in_passing_is_looked_for_then_sent_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, refusal(code), CREATED)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.count(CREATE) == 2
    assert cloud.looks_by_name > 1


def test_create_that_failed_in_passing_but_was_done_is_not_sent_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE, listing(registry()))
    cloud.answers(CREATE, refusal("InternalError.DbError"))
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.count(CREATE) == 1


@pytest.mark.parametrize("late", [1, 2, 4])
def test_create_whose_answer_is_lost_is_found_although_it_shows_late(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, late: int
) -> None:
    cloud.of_name(FREE, *[NONE] * late, listing(registry()))
    cloud.answers(CREATE, read_timeout())
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.count(CREATE) == 1


@pytest.mark.parametrize("code", TAKEN_CODES)
def test_create_that_finds_its_name_taken_by_its_own_first_try_is_a_success(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_name(FREE, *[NONE] * 7, listing(registry()))
    cloud.answers(CREATE, read_timeout(), refusal(code))
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.count(CREATE) == 2


@pytest.mark.parametrize("code", TAKEN_CODES)
def test_create_that_finds_its_name_taken_by_its_own_first_try_waits_until_that_shows(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    """The name is held, so it is there, however late it shows."""
    cloud.of_name(FREE, *[NONE] * 18, listing(registry()))
    cloud.answers(CREATE, read_timeout(), refusal(code))
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID
    assert cloud.count(CREATE) == 2


@pytest.mark.parametrize("code", TAKEN_CODES)
def test_create_that_finds_its_name_taken_after_a_lost_answer_says_that_it_may_exist(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_name(FREE, NONE)
    cloud.answers(CREATE, reset(), refusal(code))
    with pytest.raises(Refused) as caught:
        engine.create(provider, INPUTS)
    said = _line(caught.value, "create Instance: ")
    assert f"It may exist and cost: look for {NAME}" in said
    assert "adopt_id" in said
    assert "somebody else" not in said
    assert cloud.count(CREATE) == 2


def test_create_that_never_shows_is_tried_three_times_and_says_that_it_may_exist(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE, NULL)
    cloud.answers(CREATE, read_timeout())
    with pytest.raises(Ambiguous) as caught:
        engine.create(provider, INPUTS)
    said = _line(caught.value, "create Instance: the answer of TCR CreateInstance was lost")
    assert f"It may exist and cost: look for {NAME}" in said
    assert said.count("It may exist") == 1
    assert cloud.count(CREATE) == 3
    # Before all, and five times after each.
    assert cloud.looks_by_name == 1 + 3 * 5


@pytest.mark.parametrize(
    "fault", [refusal("UnauthorizedOperation"), reset()], ids=["refused", "lost"]
)
def test_create_whose_look_up_fails_is_tried_again_and_says_why_it_was_lost(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Reply
) -> None:
    cloud.of_name(FREE, fault)
    cloud.answers(CREATE, read_timeout())
    with pytest.raises(Ambiguous, match="TCR CreateInstance was lost"):
        engine.create(provider, INPUTS)
    assert cloud.count(CREATE) == 3


def test_create_whose_look_up_fails_ends_well_where_the_next_try_does(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE, refusal("UnauthorizedOperation"))
    cloud.answers(CREATE, read_timeout(), CREATED)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, INPUTS).id == ID


@pytest.mark.parametrize(
    ("then", "kind"),
    [
        (refused(), NotSent),
        (refusal("OperationDenied.QuotaOverLimit"), Refused),
        (refusal("FailedOperation.TradeFailed"), Refused),
    ],
    ids=["not sent", "quota", "trade"],
)
def test_create_refused_after_a_lost_answer_still_says_that_it_may_exist(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, then: Reply, kind: type[Error]
) -> None:
    cloud.of_name(FREE, NONE)
    cloud.answers(CREATE, reset(), then)
    with pytest.raises(kind) as caught:
        engine.create(provider, INPUTS)
    said = _line(caught.value, "create Instance: ")
    assert f"It may exist and cost: look for {NAME}" in said


def test_create_whose_first_look_fails_sends_nothing(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(refusal("UnauthorizedOperation"))
    with pytest.raises(Refused, match="Grant the action"):
        engine.create(provider, INPUTS)
    assert cloud.changes == []


# create: in place of another


@pytest.fixture
def replaced(engine: Engine, provider: InstanceProvider) -> dict[str, Any]:
    """The inputs of a resource that was there before the run."""
    return engine.check(provider, INPUTS, INPUTS).inputs


@pytest.mark.parametrize("code", TAKEN_CODES)
def test_create_in_place_of_another_waits_until_the_name_is_free(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    log: Log,
    replaced: dict[str, Any],
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcr, "_SECONDS_TO_FREE_ANY_NAME", 0)
    cloud.of_name(FREE)
    cloud.answers(CREATE, refusal(code), refusal(code), CREATED)
    cloud.of_id(listing(registry()))
    assert engine.create(provider, replaced).id == ID
    assert cloud.count(CREATE) == 3
    what = f"waiting for the vendor to free the name {NAME}"
    assert what in [one.message for one in log.requests]


def test_create_in_place_of_another_does_not_wait_for_ever(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, replaced: dict[str, Any]
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, refusal("InvalidParameter.ErrorNameExists"))
    with pytest.raises(Refused, match="is not free yet") as caught:
        engine.create(provider, replaced)
    assert "pulumi up" in _line(caught.value, "create Instance: ")
    assert cloud.count(CREATE) > 2


# create: orphans of an interrupted run


def _alike(**changes: Any) -> dict[str, Any]:
    return registry(**{"RegistryId": "tcr-orphan", "CreatedAt": from_now(hours=-1), **changes})


@pytest.fixture
def auto(engine: Engine, provider: InstanceProvider) -> dict[str, Any]:
    """The inputs of a registry without a name of the program's."""
    engine.urn = f"{engine.urn.rpartition('::')[0]}::app-{id(engine)}"
    news = {"registry_type": "basic"}
    return engine.check(provider, news, None).inputs


def _made_up(auto: Mapping[str, Any], digits: str = "0123abc") -> str:
    return f"{auto['registry_name'].rpartition('-')[0]}-{digits}"


def _create_beside(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, inputs: dict[str, Any], others: Reply
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry(RegistryName=inputs["registry_name"])))
    cloud.vendor.answers(
        DESCRIBE,
        others,
        url=TCR_URL,
        where=lambda body: not _by_name(body) and not _by_id(body),
    )
    assert engine.create(provider, inputs).id == ID


@pytest.mark.parametrize("created_at", [timedelta(hours=-23), "", None, "a while ago"], ids=str)
def test_create_warns_of_what_an_interrupted_run_may_have_made(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    log: Log,
    auto: dict[str, Any],
    created_at: Any,
) -> None:
    if isinstance(created_at, timedelta):
        created_at = from_now(seconds=created_at.total_seconds())
    others = listing(_alike(RegistryName=_made_up(auto), CreatedAt=created_at))
    _create_beside(engine, cloud, provider, auto, others)
    [warning] = log.warned
    assert 'adopt_id="tcr-orphan"' in warning
    assert {"Limit": 100} in cloud.bodies(DESCRIBE)


@pytest.mark.parametrize(
    "changes",
    [
        {"digits": "0123abg"},
        {"digits": "0123ab"},
        {"digits": "0123abcd"},
        {"Status": "Deleting"},
        {"CreatedAt": "2025-01-01T00:00:00+08:00"},
        {"CreatedAt": from_now(hours=-25)},
        {"RegistryName": "something-0123abc"},
        {"RegistryName": None},
    ],
)
def test_create_warns_of_nothing_else(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    log: Log,
    auto: dict[str, Any],
    changes: dict[str, Any],
) -> None:
    changes = dict(changes)
    name = _made_up(auto, changes.pop("digits", "0123abc"))
    other = _alike(**{"RegistryName": name, **changes})
    _create_beside(engine, cloud, provider, auto, served(Registries=[None, other]))
    assert log.warned == []


def test_create_looks_for_no_orphans_where_the_program_gives_the_name(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log, auto: dict[str, Any]
) -> None:
    given = engine.check(provider, {**INPUTS, "registry_name": _made_up(auto)}, None).inputs
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry()))
    engine.create(provider, given)
    assert log.warned == []
    assert all("Filters" in body or "Registryids" in body for body in cloud.bodies(DESCRIBE))


# create: what becomes of it


@pytest.mark.parametrize("status", MOVING)
def test_create_waits_while_it_may_become_running(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str | None
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.statuses(status, status, status, "Running")
    assert engine.create(provider, INPUTS).outs == OUTPUTS


def test_create_passes_through_every_status_of_a_healthy_one(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(NONE, NULL, *(listing(registry(Status=status)) for status in [*MOVING, "Running"]))
    assert engine.create(provider, INPUTS).outs == OUTPUTS
    assert cloud.count(STATUS) == 0


@pytest.mark.parametrize("status", MOVING)
def test_create_that_takes_too_long_keeps_the_id_and_is_finished_by_the_next_run(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str | None
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.answers(STATUS, served(RegistryStatusSet=None))
    cloud.statuses(status)
    with pytest.raises(InitFailed) as caught:
        engine.create(provider, INPUTS, timeout=0.4)
    said = _line(caught.value, f"create Instance: {ID} is made and kept")
    assert f"it is still {status} after" in said
    # Of the others the vendor has no word to say why.
    assert cloud.count(STATUS) == (status == "Unhealthy")
    kept = _kept(caught.value)
    assert kept.get("status") == status
    assert kept["registry_name"] == NAME
    assert engine.context.init_failed.id == ID
    diff = engine.diff(provider, ID, kept, INPUTS, INPUTS)
    assert diff.replaces == []


def test_create_takes_a_quarter_of_an_hour_where_the_program_says_nothing(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, clock: Clock
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.slowly(clock, 100, listing(registry(Status="Deploying")))
    with pytest.raises(InitFailed, match="still Deploying after 900 s"):
        engine.create(provider, INPUTS)


def test_create_that_takes_too_long_while_another_asks_says_what_was_seen_last(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor answers the other one's request late, or not at all."""

    class Busy(Watch):
        def look(self, api: Any, id: str, ask: Any, pause: float) -> Item | None:
            self._is_asking = self._looks > 0
            return super().look(api, id, ask, pause)

    busy = Busy()
    monkeypatch.setattr(tcr, "watch_of", lambda _place: busy)
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.statuses("Deploying")
    with pytest.raises(InitFailed, match="it is still Deploying after") as caught:
        engine.create(provider, INPUTS, timeout=0.4)
    assert _kept(caught.value)["status"] == "Deploying"


def _finished_by_the_next_run(engine: Engine, cloud: Tcr, kept: dict[str, Any]) -> dict[str, Any]:
    provider = new_provider()
    return _outs(engine.update(provider, ID, kept, INPUTS, INPUTS).outs)


@pytest.mark.parametrize("status", ["Pending", "Deploying", None])
def test_diff_goes_on_with_one_that_was_not_made_yet(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str | None
) -> None:
    kept = {**OUTPUTS, "status": status}
    diff = engine.diff(provider, ID, kept, INPUTS, INPUTS)
    assert (diff.changes, diff.replaces) == (True, [])
    cloud.statuses(status, status, "Running")
    assert _finished_by_the_next_run(engine, cloud, kept) == OUTPUTS
    assert cloud.changes == []


@pytest.mark.parametrize("status", FAILED)
def test_create_that_fails_says_so_at_once_and_keeps_the_id(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    conditions = [{"Type": "", "Status": status, "Reason": "cos is closed"}, {"Reason": ""}]
    shown = {"RegistryId": ID, "Status": status, "Conditions": conditions}
    cloud.answers(STATUS, served(RegistryStatusSet=[shown]))
    cloud.statuses("Deploying", status)
    with pytest.raises(InitFailed) as caught:
        engine.create(provider, INPUTS)
    said = _line(caught.value, f"create Instance: {ID} is made and kept")
    assert f"it is {status} (cos is closed)." in said
    assert cloud.bodies(STATUS) == [{"RegistryIds": [ID]}]
    assert cloud.count(DESCRIBE) == cloud.looks_by_name + 2
    kept = _kept(caught.value)
    assert kept["status"] == status
    assert engine.diff(provider, ID, kept, INPUTS, INPUTS).replaces == []


@pytest.mark.parametrize("protected", [False, True])
def test_create_that_fails_for_good_is_replaced_by_the_next_run(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, protected: bool
) -> None:
    inputs = {**INPUTS, "deletion_protection": protected}
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.answers(STATUS, served(RegistryStatusSet=None))
    cloud.of_id(listing(registry(Status="FailedCreated", DeletionProtection=protected)))
    with pytest.raises(InitFailed, match="it is FailedCreated") as caught:
        engine.create(provider, inputs)
    said = _line(caught.value, "create Instance: ")
    assert "The next `pulumi up` replaces it." in said
    assert "to finish it" not in said
    diff = engine.diff(provider, ID, _kept(caught.value), inputs, inputs)
    assert (diff.changes, diff.replaces) == (True, ["status"])
    # The name is given, and unique in the world.
    assert diff.delete_before_replace is True


@pytest.mark.parametrize(
    "answer",
    [
        served(RegistryStatusSet=None),
        served(RegistryStatusSet=[]),
        served(RegistryStatusSet=[{"RegistryId": ID, "Conditions": None}]),
        served(RegistryStatusSet=[{"RegistryId": ID, "Conditions": [{"Reason": None}]}]),
        served(),
        refusal("InternalError"),
        refusal("UnauthorizedOperation"),
    ],
)
def test_create_that_fails_without_a_reason_of_the_vendors_says_so(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, answer: Reply
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.answers(STATUS, answer)
    cloud.statuses("Bucket-Error")
    with pytest.raises(InitFailed, match=r"it is Bucket-Error\. Check its bucket"):
        engine.create(provider, INPUTS)


def test_create_that_stays_unhealthy_says_why(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    shown = {"RegistryId": ID, "Conditions": [{"Reason": "no quota"}, {"Reason": "no disk"}]}
    cloud.answers(STATUS, served(RegistryStatusSet=[shown]))
    cloud.statuses("Unhealthy")
    with pytest.raises(InitFailed, match=r"still Unhealthy after \d+ s \(no quota; no disk\)"):
        engine.create(provider, INPUTS, timeout=0.4)


def test_create_that_vanishes_keeps_the_id_for_a_refresh_to_drop(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry(Status="Deploying")), NONE)
    with pytest.raises(InitFailed, match="pulumi refresh") as caught:
        engine.create(provider, INPUTS)
    assert caught.value.id == ID


@pytest.mark.parametrize("answer", [NONE, NULL, refusal("ResourceNotFound")])
def test_create_that_never_shows_keeps_the_id(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, answer: Reply
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(answer)
    with pytest.raises(InitFailed, match="does not show it") as caught:
        engine.create(provider, INPUTS)
    assert _kept(caught.value)["registry_id"] == ID


def test_create_takes_a_type_that_is_not_shown_for_the_right_one(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry(RegistryType=None)))
    assert engine.create(provider, INPUTS, timeout=5).id == ID


@pytest.mark.parametrize("protected", [False, True])
def test_create_for_an_engine_that_has_gone_is_undone_protected_or_not(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, protected: bool
) -> None:
    engine.context.active = False
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.answers(MODIFY, DONE)
    cloud.answers(DELETE, served())
    cloud.of_id(listing(registry(Status="Deploying", DeletionProtection=protected)))
    with pytest.raises(Gone):
        engine.create(provider, INPUTS)
    assert cloud.changes == [CREATE, *[MODIFY] * protected, DELETE]
    assert cloud.bodies(DELETE)[0]["RegistryId"] == ID


@pytest.mark.parametrize("protected", [False, True])
@pytest.mark.parametrize("status", ["Pending", "Deploying", None])
def test_create_for_an_engine_that_has_gone_is_undone_when_the_vendor_takes_it(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    status: str | None,
    protected: bool,
) -> None:
    """While a registry is being made the vendor may refuse to change or delete it."""
    engine.context.active = False
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry(Status=status, DeletionProtection=protected)))
    denied = [refusal("OperationDenied")] * 3
    cloud.answers(MODIFY, *denied, DONE)
    cloud.answers(DELETE, *([] if protected else denied), served())
    with pytest.raises(Gone):
        engine.create(provider, INPUTS)
    assert cloud.count(MODIFY) == (4 if protected else 0)
    assert cloud.count(DELETE) == (1 if protected else 4)


@pytest.mark.parametrize("protected", [False, True])
def test_create_for_an_engine_that_has_gone_is_undone_before_it_shows(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, protected: bool
) -> None:
    """What does not show yet is as it was made."""
    engine.context.active = False
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(NONE)
    cloud.answers(MODIFY, *[refusal("ResourceNotFound")] * (2 * protected), DONE)
    cloud.answers(DELETE, *[refusal("ResourceNotFound")] * (2 * (not protected)), served())
    with pytest.raises(Gone):
        engine.create(provider, PROTECTED if protected else INPUTS)
    tried = [MODIFY] * 3 + [DELETE] if protected else [DELETE] * 3
    assert cloud.changes == [CREATE, *tried]


def test_create_for_an_engine_that_has_gone_and_that_never_shows_is_not_undone_for_ever(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, clock: Clock
) -> None:
    engine.context.active = False
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.slowly(clock, 0.3, NONE)
    cloud.answers(DELETE, refusal("ResourceNotFound"))
    with pytest.raises(Gone):
        engine.create(provider, INPUTS)
    # The first look asks for no deletion.
    assert cloud.count(DELETE) == 3


@pytest.mark.parametrize(
    ("status", "timeout"), [("Deploying", 0.3), ("Running", 0)], ids=["in time", "at rest"]
)
def test_create_for_an_engine_that_has_gone_is_not_undone_for_ever(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str, timeout: float
) -> None:
    engine.context.active = False
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry(Status="Deploying")), listing(registry(Status=status)))
    cloud.answers(DELETE, refusal("OperationDenied"))
    with pytest.raises(Gone):
        engine.create(provider, INPUTS, timeout=timeout)
    assert cloud.count(DELETE) < 20


# update: statuses


def _update(
    engine: Engine,
    provider: InstanceProvider,
    news: Mapping[str, Any],
    olds: Mapping[str, Any] = INPUTS,
    outputs: Mapping[str, Any] = OUTPUTS,
    timeout: float = 0,
) -> dict[str, Any]:
    return _outs(engine.update(provider, ID, outputs, news, olds, timeout).outs)


PROTECTED = {**INPUTS, "deletion_protection": True}
STANDARD = {**INPUTS, "registry_type": "standard"}


@pytest.mark.parametrize("status", MOVING)
def test_update_waits_until_it_runs_before_it_changes_the_type(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str | None
) -> None:
    cloud.until(MODIFY, *[listing(registry(Status=status))] * 3, listing(registry()))
    cloud.after(MODIFY, listing(registry(RegistryType="standard")))
    cloud.answers(MODIFY, DONE)
    assert _update(engine, provider, STANDARD)["registry_type"] == "standard"
    assert cloud.vendor.actions[:4] == [DESCRIBE] * 4
    assert cloud.bodies(MODIFY) == [{"RegistryId": ID, "RegistryType": "standard"}]


@pytest.mark.parametrize("status", ["Pending", "Deploying", None])
def test_update_waits_until_it_is_made_before_it_changes_the_protection(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str | None
) -> None:
    cloud.until(MODIFY, *[listing(registry(Status=status))] * 3, listing(registry()))
    cloud.after(MODIFY, listing(registry(DeletionProtection=True)))
    cloud.answers(MODIFY, DONE)
    assert _update(engine, provider, PROTECTED)["deletion_protection"] is True
    assert cloud.vendor.actions[:4] == [DESCRIBE] * 4
    assert cloud.bodies(MODIFY) == [{"RegistryId": ID, "DeletionProtection": True}]


@pytest.mark.parametrize("status", [*FAILED, "FailedCreated"])
def test_update_of_one_that_failed_changes_no_type(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    cloud.statuses(status)
    cloud.answers(STATUS, served(RegistryStatusSet=None))
    with pytest.raises(Error, match=f"it is {status}") as caught:
        _update(engine, provider, STANDARD)
    _line(caught.value, f"update Instance {ID}: ")
    assert not isinstance(caught.value, InitFailed)
    assert cloud.changes == []


@pytest.mark.parametrize("status", ["Unhealthy", "Bucket-Error", "Isolate", "DeleteFailed"])
def test_update_turns_the_protection_off_whatever_became_of_it(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    """A destroy may be waiting for it."""
    cloud.of_id(listing(registry(Status=status, DeletionProtection=True)))
    cloud.answers(STATUS, served(RegistryStatusSet=None))
    cloud.answers(MODIFY, DONE)
    outputs = {**OUTPUTS, "deletion_protection": True}
    with pytest.raises(Error, match=status):
        _update(engine, provider, INPUTS, PROTECTED, outputs, timeout=0.6)
    assert cloud.bodies(MODIFY) == [{"RegistryId": ID, "DeletionProtection": False}]


def test_update_changes_one_whose_last_change_failed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.until(MODIFY, listing(registry(Status="FailedUpdated")))
    cloud.after(MODIFY, listing(registry(RegistryType="standard")))
    cloud.answers(MODIFY, DONE)
    assert _update(engine, provider, STANDARD)["registry_type"] == "standard"


def test_update_overlooks_the_failure_of_an_earlier_change_for_a_moment(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    running = listing(registry(RegistryType="standard"))
    cloud.of_id(
        listing(registry()),
        *[listing(registry(Status="FailedUpdated", RegistryType="basic"))] * 3,
        running,
    )
    cloud.answers(MODIFY, DONE)
    news = {**INPUTS, "registry_type": "standard"}
    assert _update(engine, provider, news)["registry_type"] == "standard"


def test_update_that_failed_says_so_when_the_moment_has_passed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()), listing(registry(Status="FailedUpdated")))
    cloud.answers(MODIFY, DONE)
    cloud.answers(STATUS, served(RegistryStatusSet=None))
    news = {**INPUTS, "registry_type": "standard"}
    with pytest.raises(InitFailed, match="it is FailedUpdated") as caught:
        _update(engine, provider, news)
    kept = _kept(caught.value)
    assert (kept["status"], kept["registry_type"]) == ("FailedUpdated", "basic")
    assert cloud.count(MODIFY) == 1


def test_update_of_what_does_not_show_says_how_to_go_on(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(NONE)
    with pytest.raises(Gone, match="pulumi refresh"):
        _update(engine, provider, PROTECTED)
    assert cloud.changes == []


def test_update_that_cannot_look_keeps_what_was_seen_last(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(refusal("UnauthorizedOperation"))
    shown = {
        **PREPAID_OUTPUTS,
        "deletion_protection": True,
        "enable_cos_maz": True,
        "tags": {"k": "v"},
        "public_access": {"enabled": False, "security_policies": []},
    }
    inputs = {**PREPAID, "enable_cos_maz": True}
    with pytest.raises(InitFailed, match="Grant the action") as caught:
        _update(engine, provider, inputs, inputs, shown)
    assert _kept(caught.value) == shown


def test_update_without_a_change_changes_nothing(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    assert _update(engine, provider, INPUTS) == OUTPUTS
    assert cloud.changes == []


# update: type, protection, versioning


@pytest.mark.parametrize(
    ("change", "sent", "shown"),
    [
        ({"registry_type": "premium"}, {"RegistryType": "premium"}, {"RegistryType": "premium"}),
        (
            {"deletion_protection": True},
            {"DeletionProtection": True},
            {"DeletionProtection": True},
        ),
        (
            {"enable_cos_versioning": True},
            {"EnableCosVersioning": True},
            {"EnableCosVersioning": True},
        ),
        (
            {"enable_cos_versioning": False},
            {"EnableCosVersioning": False},
            {"EnableCosVersioning": False},
        ),
    ],
)
def test_update_sends_what_changed_and_returns_what_shows(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    change: dict[str, Any],
    sent: dict[str, Any],
    shown: dict[str, Any],
) -> None:
    cloud.of_id(listing(registry()), listing(registry(**shown)))
    cloud.answers(MODIFY, DONE)
    assert _update(engine, provider, {**INPUTS, **change}) == {**OUTPUTS, **change}
    assert cloud.bodies(MODIFY) == [{"RegistryId": ID, **sent}]


@pytest.mark.parametrize("statuses", [["Running"], ["Deploying", "Running"]])
def test_update_turns_protection_off_where_it_is_taken_out(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, statuses: list[str]
) -> None:
    protected = [registry(Status=status, DeletionProtection=True) for status in statuses]
    cloud.until(MODIFY, *map(listing, protected))
    cloud.after(MODIFY, listing(registry()))
    cloud.answers(MODIFY, DONE)
    outputs = {**OUTPUTS, "deletion_protection": True}
    assert _update(engine, provider, INPUTS, PROTECTED, outputs) == OUTPUTS
    assert cloud.bodies(MODIFY) == [{"RegistryId": ID, "DeletionProtection": False}]


def test_update_of_tags_turns_off_no_protection_that_does_not_show(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    shown = {**_tagged({"k": "v"}), "DeletionProtection": None}
    cloud.of_id(listing({**shown, "TagSpecification": None}), listing(shown))
    cloud.answers(TAG, served())
    _update(engine, provider, {**INPUTS, "tags": {"k": "v"}})
    assert cloud.changes == [TAG]


def test_update_of_the_type_says_what_is_waited_for(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    cloud.until(MODIFY, listing(registry()))
    cloud.after(MODIFY, *[listing(registry())] * 3, listing(registry(RegistryType="standard")))
    cloud.answers(MODIFY, DONE)
    _update(engine, provider, STANDARD)
    shown = [one.message for one in log.requests]
    assert [text for text in shown if "waiting for standard" in text]
    assert not [text for text in shown if "waiting for Running" in text]


def test_read_takes_the_vendors_word_for_how_it_is_charged(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    """An end may be left of a term that is over."""
    cloud.of_id(listing(registry(ExpiredAt=EXPIRED_AT)))
    assert _outs(engine.read(provider, ID, OUTPUTS, INPUTS).outs)["registry_charge_type"] == 0


def test_update_keeps_how_it_is_charged_where_the_vendor_does_not_say(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    shown = _without("PayMod", registry(), null=True)
    cloud.until(MODIFY, listing(shown))
    cloud.after(MODIFY, listing({**shown, "DeletionProtection": True}))
    cloud.answers(MODIFY, DONE)
    assert _update(engine, provider, PROTECTED) == {**OUTPUTS, "deletion_protection": True}


def test_diff_leaves_the_versioning_as_it_is_where_it_is_taken_out(
    engine: Engine, provider: InstanceProvider
) -> None:
    """No value stands for none: the vendor has it on or off as the bucket is."""
    outputs, olds = ({**one, "enable_cos_versioning": True} for one in (OUTPUTS, INPUTS))
    assert engine.diff(provider, ID, outputs, olds, INPUTS).changes is False


def test_check_takes_a_paid_until_of_five_years_from_now_at_most(
    engine: Engine, provider: InstanceProvider
) -> None:
    near, far = (f"{datetime.now(timezone.utc).year + years}-01-01T00:00:00Z" for years in (2, 7))
    assert engine.check(provider, _until(near), None).failures == []
    [failure] = engine.check(provider, _until(far), None).failures
    assert failure.reason == "paid_until: must be at most 5 years from now"


def test_update_sends_one_property_a_request(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    changed = registry(RegistryType="premium", DeletionProtection=True, EnableCosVersioning=True)
    cloud.of_id(listing(registry()), listing(changed))
    cloud.answers(MODIFY, DONE)
    news = {**PROTECTED, "registry_type": "premium", "enable_cos_versioning": True}
    _update(engine, provider, news)
    assert cloud.count(MODIFY) == 3
    assert all(len(body) == 2 for body in cloud.bodies(MODIFY))


def test_update_changes_the_type_last_since_the_vendor_takes_nothing_while_it_is_deployed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    changed = {"DeletionProtection": True, "EnableCosVersioning": True}
    cloud.until(TAG, listing(registry()))
    cloud.after(TAG, listing(_tagged({"k": "v"}, RegistryType="standard", **changed)))
    cloud.answers(MODIFY, DONE)
    cloud.answers(TAG, served())
    news = {
        **STANDARD,
        "deletion_protection": True,
        "enable_cos_versioning": True,
        "tags": {"k": "v"},
    }
    _update(engine, provider, news)
    assert cloud.changes == [MODIFY, MODIFY, TAG, MODIFY]
    assert cloud.bodies(MODIFY)[-1] == {"RegistryId": ID, "RegistryType": "standard"}


def test_update_does_not_send_again_what_a_run_that_was_cut_off_has_changed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    deploying = listing(registry(Status="Deploying"))
    cloud.until(MODIFY, deploying, deploying, listing(registry(RegistryType="standard")))
    cloud.after(MODIFY, listing(registry(RegistryType="standard", DeletionProtection=True)))
    cloud.answers(MODIFY, DONE)
    outs = _update(engine, provider, {**STANDARD, "deletion_protection": True})
    assert (outs["registry_type"], outs["deletion_protection"]) == ("standard", True)
    assert cloud.bodies(MODIFY) == [{"RegistryId": ID, "DeletionProtection": True}]


@pytest.mark.parametrize("status", ["Pending", "Deploying"])
def test_update_turns_the_protection_off_when_the_vendor_takes_it(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    protected = {"DeletionProtection": True}
    cloud.until(
        MODIFY, *[listing(registry(Status=status, **protected))] * 3, listing(registry(**protected))
    )
    cloud.after(MODIFY, listing(registry()))
    cloud.answers(MODIFY, DONE)
    outputs = {**OUTPUTS, "deletion_protection": True}
    assert _update(engine, provider, INPUTS, PROTECTED, outputs) == OUTPUTS
    assert cloud.vendor.actions[:4] == [DESCRIBE] * 4


def test_update_of_the_type_waits_until_it_shows(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(
        *[listing(registry())] * 4,
        listing(registry(RegistryType="standard", Status="Deploying")),
        listing(registry(RegistryType="standard")),
    )
    cloud.answers(MODIFY, DONE)
    outs = _update(engine, provider, {**INPUTS, "registry_type": "standard"})
    assert (outs["registry_type"], outs["status"]) == ("standard", "Running")


def test_update_of_the_type_that_does_not_show_in_time_is_not_finished(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(MODIFY, DONE)
    news = {**INPUTS, "registry_type": "standard"}
    with pytest.raises(InitFailed) as caught:
        _update(engine, provider, news, timeout=0.4)
    assert _kept(caught.value)["registry_type"] == "basic"


def test_update_of_the_type_that_shows_as_running_for_long_says_what_to_do(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, clock: Clock
) -> None:
    cloud.slowly(clock, 0.3, listing(registry()))
    cloud.answers(MODIFY, DONE)
    with pytest.raises(InitFailed, match="Running as basic, not as standard") as caught:
        _update(engine, provider, STANDARD)
    assert "pulumi refresh" in _line(caught.value, f"update Instance {ID}: ")
    assert _kept(caught.value) == OUTPUTS


def test_update_of_the_type_goes_on_for_as_long_as_it_is_under_way(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, clock: Clock
) -> None:
    under_way = listing(registry(Status="Deploying"))
    done = listing(registry(RegistryType="standard"))
    cloud.slowly(clock, 0.3, listing(registry()), *[under_way] * 6, done)
    cloud.answers(MODIFY, DONE)
    assert _update(engine, provider, STANDARD)["registry_type"] == "standard"


def test_update_that_is_not_finished_keeps_the_entrance_as_it_was_seen(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    """Else the next run would take it for done."""
    cloud.statuses("Unhealthy")
    cloud.answers(ENTRANCE, entrance("Closed"))
    cloud.answers(STATUS, served())
    outputs = {**OUTPUTS, "public_access": OPEN}
    with pytest.raises(InitFailed, match="still Unhealthy") as caught:
        _update(engine, provider, ACCESSIBLE, ACCESSIBLE, outputs, timeout=0.4)
    kept = _kept(caught.value)
    assert kept["public_access"] == {"enabled": False, "security_policies": []}
    assert engine.diff(provider, ID, kept, ACCESSIBLE, ACCESSIBLE).changes is True


@pytest.mark.parametrize("code", CHANGE_CODES)
def test_update_refused_says_so_and_leaves_the_state_as_it_was(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(MODIFY, refusal(code))
    with pytest.raises(Refused) as caught:
        _update(engine, provider, PROTECTED)
    assert code in _line(caught.value, f"update Instance {ID}: ")
    assert not engine.context.status.details
    assert cloud.count(MODIFY) == 1


@pytest.mark.parametrize("code", BUSY_CODES)
def test_update_waits_for_the_end_of_another_change(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(MODIFY, refusal(code), refusal(code), DONE)
    _update(engine, provider, PROTECTED)
    assert cloud.count(MODIFY) == 3


@pytest.mark.parametrize("code", BUSY_CODES)
def test_update_does_not_wait_for_ever_for_that_end(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(MODIFY, refusal(code))
    with pytest.raises(Refused, match="another change of it is under way"):
        _update(engine, provider, PROTECTED, timeout=0.4)


@pytest.mark.parametrize("fault", [reset(), refusal("InternalError.DbError")])
def test_update_whose_answer_is_lost_is_sent_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Reply
) -> None:
    cloud.of_id(listing(registry()), listing(registry(DeletionProtection=True)))
    cloud.answers(MODIFY, fault, DONE)
    assert _update(engine, provider, PROTECTED)["deletion_protection"] is True
    assert cloud.count(MODIFY) == 2


# update: tags


def _tagged(tags: Mapping[str, str] | None, **changes: Any) -> dict[str, Any]:
    pairs = [{"Key": key, "Value": text} for key, text in (tags or {}).items()]
    return registry(TagSpecification={"ResourceType": "instance", "Tags": pairs or None}, **changes)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {"k": "v"}, {"ReplaceTags": [{"TagKey": "k", "TagValue": "v"}]}),
        ({"k": "v"}, {}, {"DeleteTags": [{"TagKey": "k"}]}),
        ({"k": "v"}, {"k": "w"}, {"ReplaceTags": [{"TagKey": "k", "TagValue": "w"}]}),
        (
            {"k": "v", "same": "s"},
            {"l": "", "same": "s"},
            {"ReplaceTags": [{"TagKey": "l", "TagValue": ""}], "DeleteTags": [{"TagKey": "k"}]},
        ),
    ],
)
def test_update_of_tags_tells_the_tag_service_just_what_changed(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    before: dict[str, str],
    after: dict[str, str],
    told: dict[str, Any],
) -> None:
    cloud.of_id(listing(_tagged(before)), listing(_tagged(after)))
    cloud.answers(TAG, served())
    outs = _update(engine, provider, {**INPUTS, "tags": after}, {**INPUTS, "tags": before})
    assert outs.get("tags", {}) == after
    [request] = cloud.vendor.requests(TAG)
    assert request.headers["X-TC-Version"] == "2018-08-13"
    assert request.headers["X-TC-Region"] == REGION
    assert "/tag/tc3_request" in request.headers["Authorization"]
    assert cloud.bodies(TAG) == [{"Resource": f"qcs::tcr:{REGION}:uin/:instance/{ID}", **told}]
    assert cloud.changes == [TAG]


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "v", "w"])),
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "v", "w"])),
)
def test_update_of_tags_leaves_the_vendor_with_the_wanted_ones(
    before: dict[str, str], after: dict[str, str]
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        cloud = Tcr(Vendor(mock))
        cloud.of_id(listing(_tagged(before)), listing(_tagged(after)))
        cloud.answers(TAG, served())
        inputs = {**INPUTS, "tags": before}
        _update(Engine("urn"), new_provider(), {**INPUTS, "tags": after}, inputs)
        there = dict(before)
        for body in cloud.bodies(TAG):
            changes = {name: tags for name, tags in body.items() if name.endswith("Tags")}
            assert changes
            assert all(changes.values()), "the vendor takes no empty list"
            there |= {tag["TagKey"]: tag["TagValue"] for tag in body.get("ReplaceTags", [])}
            for tag in body.get("DeleteTags", []):
                del there[tag["TagKey"]]
        assert there == after
        assert bool(cloud.count(TAG)) is (before != after)


def test_update_from_one_form_of_tags_to_the_other_changes_no_tag(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(_tagged({"k": "v"})))
    pairs = [{"key": "k", "value": "v"}]
    news = {**INPUTS, "tag_specification": {"resource_type": "instance", "tags": pairs}}
    outs = _update(engine, provider, news, {**INPUTS, "tags": {"k": "v"}})
    assert outs["tag_specification"]["tags"] == pairs
    assert "tags" not in outs
    assert cloud.changes == []


def test_update_of_tags_in_the_apis_own_form_tells_the_tag_service(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(_tagged({"k": "v"})), listing(_tagged({"l": ""})))
    cloud.answers(TAG, served())
    olds, news = ({**INPUTS, "tag_specification": {"tags": [{"key": key}]}} for key in "kl")
    outs = _update(engine, provider, news, olds)
    assert cloud.bodies(TAG)[0]["ReplaceTags"] == [{"TagKey": "l", "TagValue": ""}]
    assert cloud.bodies(TAG)[0]["DeleteTags"] == [{"TagKey": "k"}]
    assert outs["tag_specification"] == {
        "resource_type": "instance",
        "tags": [{"key": "l", "value": ""}],
    }
    assert engine.diff(provider, ID, outs, news, news).changes is False


@pytest.mark.parametrize("late", [1, 3])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"k": "v", "old": ""}, {"k": "w"}),
        ({"k": "v"}, {"k": "v", "new": ""}),
        ({"k": "v", "old": ""}, {"k": "v"}),
    ],
    ids=["both", "added", "taken out"],
)
def test_update_of_tags_keeps_the_new_ones_although_they_show_late(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    late: int,
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    cloud.until(TAG, listing(_tagged(before)))
    cloud.after(TAG, *[listing(_tagged(before))] * late, listing(_tagged(after)))
    cloud.answers(TAG, served())
    outs = _update(engine, provider, {**INPUTS, "tags": after}, {**INPUTS, "tags": before})
    assert outs["tags"] == after
    assert cloud.count(TAG) == 1


@pytest.mark.parametrize(
    "shown",
    [listing(registry()), NONE, refusal("UnauthorizedOperation")],
    ids=["old", "gone", "no"],
)
def test_update_of_tags_does_not_wait_for_ever_for_them(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, shown: Reply
) -> None:
    cloud.until(TAG, listing(registry()))
    cloud.after(TAG, shown)
    cloud.answers(TAG, served())
    said = ""
    try:
        _update(engine, provider, {**INPUTS, "tags": {"k": "v"}})
    except InitFailed as error:
        said = str(error)
    assert "bug" not in said
    assert cloud.count(TAG) == 1


def test_update_of_tags_refused_by_the_tag_service_says_so(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(TAG, refusal("ResourceNotFound"))
    with pytest.raises(Refused, match="Tag ModifyResourceTags: ResourceNotFound") as caught:
        _update(engine, provider, {**INPUTS, "tags": {"k": "v"}})
    _line(caught.value, f"update Instance {ID}: ")


def test_update_of_tags_goes_to_the_registrys_own_region(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(TAG, served())
    inputs = {**INPUTS, "region": "ap-seoul"}
    _update(engine, provider, {**inputs, "tags": {"k": "v"}}, inputs)
    assert cloud.bodies(TAG)[0]["Resource"] == f"qcs::tcr:ap-seoul:uin/:instance/{ID}"


# update: from pay-as-you-go to prepaid


LOST_ORDER = {**LOST, "passing": lambda: refusal("InternalError.DbError")}


def test_conversion_buys_the_term_once_and_last(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    shown = {"PayMod": 1, "ExpiredAt": EXPIRED_AT, "DeletionProtection": True}
    cloud.until(RENEW, listing(registry()))
    cloud.after(RENEW, listing(_tagged({"k": "v"}, **shown)))
    for action in (MODIFY, TAG, RENEW):
        cloud.answers(action, DONE)
    news = {**PREPAID, "deletion_protection": True, "tags": {"k": "v"}}
    outs = _update(engine, provider, news)
    assert (outs["registry_charge_type"], outs["expired_at"]) == (1, EXPIRED_AT)
    assert cloud.changes == [MODIFY, TAG, RENEW]
    assert cloud.bodies(RENEW) == [
        {"RegistryId": ID, "RegistryChargePrepaid": {"Period": 3, "RenewFlag": 0}, "Flag": 1}
    ]
    assert '"Period": 3,' in str(cloud.vendor.requests(RENEW)[0].body)


def test_conversion_is_done_when_it_shows_although_its_end_does_not_yet(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.until(RENEW, listing(registry()))
    cloud.after(RENEW, listing(registry(PayMod=1, ExpiredAt="0001-01-01T00:00:00Z")))
    cloud.answers(RENEW, DONE)
    outs = _update(engine, provider, PREPAID)
    assert outs == {**OUTPUTS, "registry_charge_type": 1}


@pytest.mark.parametrize("action", [MODIFY, TAG])
def test_conversion_buys_nothing_where_another_change_fails(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, action: str
) -> None:
    cloud.of_id(listing(registry()))
    for each in (MODIFY, TAG):
        cloud.answers(each, refusal("OperationDenied") if each == action else DONE)
    cloud.answers(RENEW, DONE)
    with pytest.raises(Refused):
        _update(engine, provider, {**PREPAID, "deletion_protection": True, "tags": {"k": "v"}})
    assert cloud.count(RENEW) == 0


@pytest.mark.parametrize("fault", LOST_ORDER.values(), ids=LOST_ORDER)
def test_conversion_whose_answer_is_lost_but_shows_is_done(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Callable[[], Reply]
) -> None:
    cloud.until(RENEW, listing(registry()))
    cloud.after(RENEW, listing(registry()), listing(registry()), listing(prepaid()))
    cloud.answers(RENEW, fault())
    assert _update(engine, provider, PREPAID) == PREPAID_OUTPUTS
    assert cloud.count(RENEW) == 1


@pytest.mark.usefixtures("never_shows")
@pytest.mark.parametrize(
    "answer", [read_timeout(), refusal("InternalError")], ids=["lost", "passing"]
)
def test_conversion_that_does_not_show_is_noted_and_never_ordered_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, answer: Reply
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(RENEW, answer)
    kept: Mapping[str, Any] = OUTPUTS
    olds: Mapping[str, Any] = INPUTS
    for _ in range(3):
        with pytest.raises(InitFailed) as caught:
            _update(engine, provider, PREPAID, olds, kept)
        said = _line(caught.value, f"update Instance {ID}: ")
        assert "3 months does not show yet" in said
        assert "to order it anew change registry_charge_prepaid.period." in said
        assert cloud.count(RENEW) == 1
        if olds is INPUTS:
            assert "whether it was bought is not known" in said
        kept = _kept(caught.value)
        assert kept["registry_charge_type"] == 0
        assert kept["renewal_ordered"]
        # What the engine keeps of a failed update as the inputs are those that it was to bring.
        olds = PREPAID
        diff = engine.diff(provider, ID, kept, PREPAID, PREPAID)
        assert (diff.changes, diff.replaces) == (True, [])


@pytest.mark.usefixtures("never_shows")
def test_conversion_that_does_not_show_keeps_what_else_was_changed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.until(MODIFY, listing(registry()))
    cloud.after(MODIFY, listing(registry(RegistryType="standard")))
    cloud.answers(MODIFY, DONE)
    cloud.answers(RENEW, read_timeout())
    with pytest.raises(InitFailed, match="does not show yet") as caught:
        _update(engine, provider, {**PREPAID, "registry_type": "standard"})
    kept = _kept(caught.value)
    assert kept.pop("renewal_ordered")
    assert kept == {**OUTPUTS, "registry_type": "standard"}


@pytest.mark.usefixtures("never_shows")
def test_conversion_that_was_answered_and_does_not_show_is_noted_by_a_run_that_ends_well(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    """A run that is killed leaves no note, so it had better be over soon."""
    cloud.of_id(listing(registry()))
    cloud.answers(RENEW, DONE)
    outs = _update(engine, provider, PREPAID)
    [warning] = log.warned
    assert_one_line(warning)
    assert "a term of 3 months was ordered, but does not show yet" in warning
    note = outs.pop("renewal_ordered")
    assert outs == OUTPUTS
    outs["renewal_ordered"] = note
    assert engine.read(provider, ID, outs, PREPAID).outs == outs
    diff = engine.diff(provider, ID, outs, PREPAID, PREPAID)
    assert (diff.changes, diff.replaces) == (True, [])
    with pytest.raises(InitFailed, match="does not show yet"):
        _update(engine, provider, PREPAID, PREPAID, outs)
    assert cloud.count(RENEW) == 1


@pytest.mark.usefixtures("never_shows")
def test_conversion_that_shows_at_last_is_no_longer_noted(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(RENEW, read_timeout())
    with pytest.raises(InitFailed) as caught:
        _update(engine, provider, PREPAID)
    kept = _kept(caught.value)
    cloud.vendor._mock.reset()
    cloud.of_id(listing(registry()), listing(prepaid()))
    assert _update(engine, provider, PREPAID, PREPAID, kept) == PREPAID_OUTPUTS
    assert cloud.changes == []


def test_conversion_that_shows_in_the_next_run_is_not_bought_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(prepaid()))
    assert _update(engine, provider, PREPAID) == PREPAID_OUTPUTS
    assert cloud.changes == []


def test_conversion_looks_again_where_a_look_fails(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    denied = refusal("UnauthorizedOperation")
    cloud.until(RENEW, listing(registry()))
    cloud.after(RENEW, denied, denied, listing(prepaid()))
    cloud.answers(RENEW, DONE)
    assert _update(engine, provider, PREPAID) == PREPAID_OUTPUTS
    assert "waiting for the order to show" in [one.message for one in log.requests]


def test_conversion_renews_nothing_in_the_same_run_but_says_what_the_next_one_buys(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    cloud.until(RENEW, listing(registry()))
    cloud.after(RENEW, listing(prepaid()))
    cloud.answers(RENEW, DONE)
    news = {**PREPAID, "paid_until": "2025-05-15T00:00:00+08:00"}
    outs = _update(engine, provider, news)
    assert cloud.count(RENEW) == 1
    [warning] = log.warned
    assert "buys 2 more months" in warning
    assert engine.diff(provider, ID, outs, news, news).changes is True


def test_conversion_of_what_does_not_show_whether_it_is_prepaid_keeps_what_else_was_changed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.until(MODIFY, listing(_without("PayMod", registry(), null=True)))
    cloud.after(MODIFY, listing(_without("PayMod", registry(RegistryType="standard"), null=True)))
    cloud.answers(MODIFY, DONE)
    with pytest.raises(InitFailed, match="does not show whether it is prepaid") as caught:
        _update(engine, provider, {**PREPAID, "registry_type": "standard"})
    assert _kept(caught.value) == {**OUTPUTS, "registry_type": "standard"}


@pytest.mark.parametrize("null", [False, True], ids=["left out", "null"])
def test_conversion_buys_nothing_where_the_vendor_does_not_say_that_it_is_by_the_hour(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, null: bool
) -> None:
    cloud.of_id(listing(_without("PayMod", registry(), null=null)))
    cloud.answers(RENEW, DONE)
    kept: Mapping[str, Any] = OUTPUTS
    for _ in range(2):
        with pytest.raises(InitFailed) as caught:
            _update(engine, provider, PREPAID, INPUTS, kept)
        said = _line(caught.value, f"update Instance {ID}: ")
        assert "does not show whether it is prepaid" in said
        kept = _kept(caught.value)
        assert kept == OUTPUTS
    without = _without("registry_charge_type", OUTPUTS, null=False)
    with pytest.raises(InitFailed) as caught:
        _update(engine, provider, PREPAID, INPUTS, without)
    # What the program asks for is not what is there.
    assert _kept(caught.value) == without
    assert cloud.changes == []


@pytest.mark.parametrize("null", [False, True], ids=["left out", "null"])
@pytest.mark.parametrize("before", [OUTPUTS, PREPAID_OUTPUTS], ids=["by the hour", "prepaid"])
def test_an_end_of_the_term_says_as_well_that_it_is_prepaid(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    before: Mapping[str, Any],
    null: bool,
) -> None:
    cloud.of_id(listing(_without("PayMod", prepaid(), null=null)))
    assert _outs(engine.read(provider, ID, before, PREPAID).outs) == PREPAID_OUTPUTS
    assert _update(engine, provider, PREPAID, PREPAID, before) == PREPAID_OUTPUTS
    assert cloud.changes == []


@pytest.mark.parametrize("hourly", [{"registry_charge_type": 0}, {}], ids=["0", "taken out"])
def test_prepaid_is_not_made_pay_as_you_go_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, hourly: dict[str, Any]
) -> None:
    cloud.of_id(listing(prepaid()))
    news = {**PROTECTED, **hourly}
    with pytest.raises(Error, match="cannot be made pay-as-you-go") as caught:
        _update(engine, provider, news, PREPAID, PREPAID_OUTPUTS)
    _line(caught.value, f"update Instance {ID}: ")
    assert cloud.changes == []


def test_update_of_one_that_somebody_else_has_made_prepaid_changes_what_is_asked(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(prepaid()), listing(prepaid(DeletionProtection=True)))
    cloud.answers(MODIFY, DONE)
    outs = _update(engine, provider, PROTECTED)
    assert (outs["deletion_protection"], outs["registry_charge_type"]) == (True, 1)
    assert cloud.changes == [MODIFY]


# update: renewals


def _until(until: str) -> dict[str, Any]:
    return {**PREPAID, "paid_until": until}


LATER = "2025-05-31T00:00:00+08:00"
RENEWED = listing(registry(PayMod=1, ExpiredAt=LATER))
UNTIL = _until("2025-05-30T16:00:00Z")
"""The same moment as LATER, in another zone."""
ORDERED = {**PREPAID_OUTPUTS, "renewal_ordered": f"{EXPIRED_AT} {UNTIL['paid_until']}"}


@pytest.mark.parametrize(
    ("until", "months"),
    [
        ("2025-03-31T00:00:01+08:00", 1),
        ("2025-04-30T00:00:00+08:00", 1),
        ("2025-04-30T00:00:01+08:00", 2),
        ("2025-05-30T16:00:00Z", 2),
        ("2025-05-30T16:00:01Z", 3),
        ("2026-02-28T00:00:00+08:00", 11),
        ("2026-03-31T00:00:00+08:00", 12),
        ("2027-04-01T00:00:00+08:00", 25),
    ],
)
def test_renewal_buys_the_fewest_months_that_reach_paid_until(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, until: str, months: int
) -> None:
    enough = listing(registry(PayMod=1, ExpiredAt="2030-01-01T00:00:00+08:00"))
    news = _until(until)
    assert engine.diff(provider, ID, PREPAID_OUTPUTS, PREPAID, news).changes is True
    cloud.of_id(listing(prepaid()), enough)
    cloud.answers(RENEW, DONE)
    outs = _update(engine, provider, news, PREPAID, PREPAID_OUTPUTS)
    assert cloud.bodies(RENEW) == [
        {"RegistryId": ID, "RegistryChargePrepaid": {"Period": months, "RenewFlag": 0}, "Flag": 0}
    ]
    assert f'"Period": {months},' in str(cloud.vendor.requests(RENEW)[0].body)
    assert outs["expired_at"] == "2030-01-01T00:00:00+08:00"
    assert "renewal_ordered" not in outs
    assert engine.diff(provider, ID, outs, news, news).changes is False


@pytest.mark.parametrize("until", [EXPIRED_AT, "2025-03-30T16:00:00Z", "2024-01-01T00:00:00Z"])
def test_renewal_buys_nothing_for_a_moment_within_the_term(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log, until: str
) -> None:
    news = _until(until)
    assert engine.diff(provider, ID, PREPAID_OUTPUTS, PREPAID, news).changes is False
    cloud.of_id(listing(prepaid()))
    assert _update(engine, provider, news, PREPAID, PREPAID_OUTPUTS) == PREPAID_OUTPUTS
    assert cloud.changes == []
    assert log.warned == []


def test_renewal_sends_the_renew_flag_that_the_program_gives(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(prepaid()), RENEWED)
    cloud.answers(RENEW, DONE)
    news = {**UNTIL, "registry_charge_prepaid": {"period": 3, "renew_flag": 2}}
    _update(engine, provider, news, PREPAID, PREPAID_OUTPUTS)
    assert cloud.bodies(RENEW)[0]["RegistryChargePrepaid"] == {"Period": 2, "RenewFlag": 2}


def test_renewal_is_not_part_of_the_create_which_says_what_the_next_run_buys(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(prepaid()))
    assert engine.create(provider, UNTIL).outs == PREPAID_OUTPUTS
    assert cloud.changes == [CREATE]
    [warning] = log.warned
    assert warning.startswith("paid_until is past ")
    assert "the next `pulumi up` buys 2 more months" in warning


def test_renewal_is_one_although_the_vendor_does_not_say_that_it_is_prepaid(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    """Never a first term, for one that has an end."""
    unsaid = listing(_without("PayMod", prepaid(), null=True))
    cloud.of_id(unsaid, unsaid, unsaid, RENEWED)
    cloud.answers(RENEW, DONE)
    outs = _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    assert outs["expired_at"] == LATER
    assert [body["Flag"] for body in cloud.bodies(RENEW)] == [0]


def test_renewal_that_is_ordered_outlasts_an_answer_without_an_end(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(_without("ExpiredAt", prepaid(), null=True)))
    outs = _update(engine, provider, UNTIL, UNTIL, ORDERED)
    assert outs["renewal_ordered"] == ORDERED["renewal_ordered"]
    assert cloud.changes == []


def test_renewal_buys_nothing_where_somebody_else_has_renewed_since(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(RENEWED)
    outs = _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    assert outs["expired_at"] == LATER
    assert cloud.changes == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [(EXPIRED_AT, "2025-04-30T00:00:00+08:00"), ("2025-04-30T00:00:00+08:00", EXPIRED_AT)],
    ids=["less is missing", "less was said"],
)
def test_renewal_buys_no_more_than_the_preview_said_and_no_more_than_is_missing(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, said: str, shown: str
) -> None:
    before = listing(registry(PayMod=1, ExpiredAt=shown))
    cloud.of_id(before, before, RENEWED)
    cloud.answers(RENEW, DONE)
    outputs = {**PREPAID_OUTPUTS, "expired_at": said}
    _update(engine, provider, _until("2025-05-29T00:00:00+08:00"), UNTIL, outputs)
    assert cloud.bodies(RENEW)[0]["RegistryChargePrepaid"]["Period"] == 1


@pytest.mark.parametrize("fault", LOST_ORDER.values(), ids=LOST_ORDER)
def test_renewal_whose_answer_is_lost_but_shows_is_done(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Callable[[], Reply]
) -> None:
    cloud.of_id(*[listing(prepaid())] * 3, RENEWED)
    cloud.answers(RENEW, fault())
    outs = _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    assert outs["expired_at"] == LATER
    assert "renewal_ordered" not in outs
    assert cloud.count(RENEW) == 1


@pytest.mark.usefixtures("never_shows")
@pytest.mark.parametrize(
    "answer", [read_timeout(), refusal("InternalError")], ids=["lost", "passing"]
)
def test_renewal_that_does_not_show_is_noted_and_never_ordered_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, answer: Reply
) -> None:
    cloud.of_id(listing(prepaid()))
    cloud.answers(RENEW, answer)
    with pytest.raises(InitFailed) as caught:
        _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    said = _line(caught.value, f"update Instance {ID}: ")
    assert "2 months does not show yet" in said
    assert "whether it was bought is not known" in said
    kept = _kept(caught.value)
    assert kept == ORDERED
    for _ in range(2):
        with pytest.raises(InitFailed) as caught:
            _update(engine, provider, UNTIL, UNTIL, kept)
        assert "it may have been ordered by an earlier run" in str(caught.value)
        kept = _kept(caught.value)
        assert kept == ORDERED
    assert cloud.count(RENEW) == 1


@pytest.mark.usefixtures("never_shows")
def test_renewal_that_was_answered_and_does_not_show_is_noted_by_a_run_that_ends_well(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    cloud.of_id(listing(prepaid()))
    cloud.answers(RENEW, DONE)
    assert _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS) == ORDERED
    [warning] = log.warned
    assert_one_line(warning)
    assert "a term of 2 months was ordered, but does not show yet" in warning
    diff = engine.diff(provider, ID, ORDERED, UNTIL, UNTIL)
    assert (diff.changes, diff.replaces) == (True, [])
    assert cloud.count(RENEW) == 1


@pytest.mark.parametrize("lost", [False, True])
def test_renewal_without_an_answer_is_looked_for_longer_than_one_that_was_answered(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    lost: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = "AN_ANSWERED_ORDER" if lost else "AN_ORDER"
    monkeypatch.setattr(tcr, f"_SECONDS_TO_SHOW_{other}", 0)
    cloud.of_id(*[listing(prepaid())] * 4, RENEWED)
    cloud.answers(RENEW, read_timeout() if lost else DONE)
    outs = _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    assert outs == {**PREPAID_OUTPUTS, "expired_at": LATER}


def test_renewal_of_what_is_gone_meanwhile_is_not_known_to_be_bought(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.until(RENEW, listing(prepaid()))
    cloud.after(RENEW, NONE)
    cloud.answers(RENEW, read_timeout())
    with pytest.raises(InitFailed, match="whether it was bought is not known") as caught:
        _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    _line(caught.value, f"update Instance {ID}: ")


def test_renewal_that_shows_keeps_the_entrance_as_it_was_set(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.until(RENEW, listing(prepaid()))
    cloud.after(RENEW, RENEWED)
    cloud.answers(RENEW, DONE)
    cloud.answers(ENTRANCE, entrance("Opened"))
    Wall(cloud, ("192.0.2.1", "office"), lost={})
    news = {**UNTIL, "public_access": OPEN}
    outs = _update(engine, provider, news, UNTIL, PREPAID_OUTPUTS)
    assert outs == {**PREPAID_OUTPUTS, "expired_at": LATER, "public_access": OPEN}


def test_renewal_that_was_answered_is_looked_for_no_longer_than_some_seconds(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, clock: Clock
) -> None:
    cloud.until(RENEW, listing(prepaid()))
    cloud.slowly(clock, 1.5, listing(prepaid()))
    cloud.answers(RENEW, DONE)
    start = clock.now
    assert "renewal_ordered" in _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    assert clock.now - start < 10


@pytest.mark.usefixtures("never_shows")
def test_renewal_that_does_not_show_keeps_the_entrance_as_it_was_set(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(prepaid()))
    cloud.answers(RENEW, DONE)
    cloud.answers(MANAGE, DONE)
    cloud.vendor.answers(
        ENTRANCE, entrance("Closed"), url=TCR_URL, where=lambda _: not cloud.count(MANAGE)
    )
    cloud.vendor.answers(
        ENTRANCE, entrance("Opened"), url=TCR_URL, where=lambda _: bool(cloud.count(MANAGE))
    )
    Wall(cloud, lost={})
    news = {**UNTIL, "public_access": OPEN}
    assert _update(engine, provider, news, UNTIL, PREPAID_OUTPUTS) == {
        **ORDERED,
        "public_access": OPEN,
    }


def test_renewal_that_shows_in_a_later_run_is_done_and_no_longer_noted(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(prepaid()), listing(prepaid()), RENEWED)
    outs = _update(engine, provider, UNTIL, UNTIL, ORDERED)
    assert outs == {**PREPAID_OUTPUTS, "expired_at": LATER}
    assert cloud.changes == []


def test_renewal_that_is_ordered_outlasts_a_refresh_and_another_failure(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(prepaid()))
    shown = engine.read(provider, ID, ORDERED, UNTIL)
    assert shown.outs == ORDERED
    cloud.answers(ENTRANCE, refusal("UnauthorizedOperation"))
    news = {**UNTIL, "public_access": {"enabled": True}}
    with pytest.raises(InitFailed) as caught:
        _update(engine, provider, news, UNTIL | {"public_access": {"enabled": True}}, ORDERED)
    assert _kept(caught.value)["renewal_ordered"] == ORDERED["renewal_ordered"]
    assert cloud.count(RENEW) == 0


def test_renewal_that_is_ordered_outlasts_a_run_that_does_not_ask_for_it(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(prepaid()))
    cloud.answers(TAG, served())
    outs = _update(engine, provider, {**PREPAID, "tags": {"k": "v"}}, UNTIL, ORDERED)
    with pytest.raises(InitFailed, match="does not show yet"):
        _update(engine, provider, UNTIL, PREPAID, outs)
    assert cloud.count(RENEW) == 0


def test_renewal_is_ordered_anew_for_another_paid_until(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(prepaid()), listing(prepaid()), RENEWED)
    cloud.answers(RENEW, DONE)
    _update(engine, provider, _until("2025-05-30T15:59:59Z"), UNTIL, ORDERED)
    assert cloud.count(RENEW) == 1


def test_renewal_is_ordered_anew_where_the_next_term_is_missing(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    """The order that is noted followed an earlier term."""
    half = listing(registry(PayMod=1, ExpiredAt="2025-04-30T00:00:00+08:00"))
    cloud.of_id(half, half, RENEWED)
    cloud.answers(RENEW, DONE)
    outputs = {**ORDERED, "expired_at": "2025-04-30T00:00:00+08:00"}
    _update(engine, provider, UNTIL, UNTIL, outputs)
    assert cloud.count(RENEW) == 1


@pytest.mark.parametrize("code", ["FailedOperation.TradeFailed", "UnauthorizedOperation"])
def test_renewal_refused_is_not_noted_as_ordered(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_id(listing(prepaid()))
    cloud.answers(RENEW, refusal(code))
    with pytest.raises(InitFailed) as caught:
        _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    assert code in _line(caught.value, f"update Instance {ID}: ")
    kept = _kept(caught.value)
    assert "renewal_ordered" not in kept
    assert kept["expired_at"] == EXPIRED_AT
    assert cloud.count(RENEW) == 1


@pytest.mark.parametrize("fault", [refusal("RequestLimitExceeded"), refused()])
def test_renewal_that_did_no_work_is_sent_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Reply
) -> None:
    cloud.of_id(listing(prepaid()), listing(prepaid()), RENEWED)
    cloud.answers(RENEW, fault, DONE)
    _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    assert cloud.count(RENEW) == 2


@pytest.mark.parametrize("code", BUSY_CODES)
def test_renewal_waits_for_the_end_of_another_change(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_id(listing(prepaid()), listing(prepaid()), RENEWED)
    cloud.answers(RENEW, refusal(code), DONE)
    _update(engine, provider, UNTIL, UNTIL, PREPAID_OUTPUTS)
    assert cloud.count(RENEW) == 2


@pytest.mark.parametrize("end", ["soon", "0", "2025-13-01", "31/03/2025"])
def test_renewal_for_an_end_that_is_no_point_in_time_is_refused_in_one_line(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, end: str
) -> None:
    outputs = {**PREPAID_OUTPUTS, "expired_at": end}
    with pytest.raises(Error, match="is no point in time") as caught:
        engine.diff(provider, ID, outputs, UNTIL, UNTIL)
    assert end in _line(caught.value, f"compare Instance {ID}: ")
    cloud.of_id(listing(registry(PayMod=1, ExpiredAt=end)))
    with pytest.raises(Error, match="is no point in time"):
        _update(engine, provider, UNTIL, UNTIL, outputs)
    assert cloud.changes == []
    # Who does not ask for it is not bothered.
    assert engine.diff(provider, ID, outputs, PREPAID, PREPAID).changes is False


# Public access


OPEN = {"enabled": True, "security_policies": [POLICY]}
ACCESSIBLE = {**INPUTS, "public_access": OPEN}


def entrance(status: str | None) -> dict[str, Any]:
    return served(Status=status, Reason="")


def policy(block: str, description: str = "office", index: int = 0, version: str = "1") -> Any:
    return {
        "PolicyIndex": index,
        "Description": description,
        "CidrBlock": block,
        "PolicyVersion": version,
    }


def allowed(*policies: Any) -> dict[str, Any]:
    return served(SecurityPolicySet=list(policies), RegistryId=ID)


class Wall:
    """The policies that the vendor keeps, in order; every change moves the others' versions."""

    def __init__(
        self, cloud: Tcr, *blocks: tuple[str, str], lost: Mapping[int, bool], late: int = 0
    ) -> None:
        """Begin with these.

        Args:
            cloud: where it stands.
            blocks: networks and descriptions.
            lost: which changes are not answered, by their number, and whether they are done.
            late: how many looks after a change show what was before it.
        """
        self.policies = list(blocks)
        self.before: list[dict[str, Any]] = []
        self.late = late
        self.lost = dict(lost)
        self.version = 1
        self.changes = 0
        for action, answer in (
            (POLICIES, self._show),
            (ADD_POLICY, self._add),
            (DROP_POLICY, self._drop),
        ):
            cloud.vendor._mock.add(
                responses.CallbackResponse(
                    "POST",
                    TCR_URL,
                    callback=self._answering(answer),
                    match=[header_matcher({"X-TC-Action": action})],
                )
            )

    def _answering(self, answer: Callable[[dict[str, Any]], Any]) -> Callable[[Any], Any]:
        def respond(request: Any) -> Any:
            return (
                200,
                {"Content-Type": "application/json"},
                json.dumps(answer(json.loads(request.body))),
            )

        return respond

    def _change(self, change: Callable[[], None]) -> dict[str, Any]:
        self.changes += 1
        self.before = [self._shown()] * self.late
        done = self.lost.get(self.changes)
        if done is not False:
            self.version += 1
            change()
        # An error without RequestId is no word of the vendor's.
        nothing = {"Response": {"Error": {"Code": "InternalError", "Message": ""}}}
        return DONE if done is None else nothing

    def _show(self, _body: dict[str, Any]) -> dict[str, Any]:
        return self.before.pop() if self.before else self._shown()

    def _shown(self) -> dict[str, Any]:
        return allowed(
            *(
                policy(block, text, index, str(self.version))
                for index, (block, text) in enumerate(self.policies)
            )
        )

    def _add(self, body: dict[str, Any]) -> dict[str, Any]:
        new = (body["CidrBlock"], body["Description"])
        return self._change(lambda: self.policies.append(new))

    def _drop(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["PolicyVersion"] != str(self.version):
            return refusal("ResourceNotFound")
        index = body["PolicyIndex"]
        assert self.policies[index][0] == body["CidrBlock"]
        return self._change(lambda: self.policies.pop(index) and None)


def test_create_opens_the_entrance_then_lets_in_who_is_named(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_name(FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry()))
    cloud.answers(
        ENTRANCE,
        *[entrance("Closed")] * 2,
        *[entrance("Opening")] * 3,
        entrance("Opened"),
    )
    cloud.answers(MANAGE, DONE)
    wall = Wall(cloud, lost={})
    outs = _outs(engine.create(provider, ACCESSIBLE).outs)
    assert outs["public_access"] == OPEN
    assert cloud.changes == [CREATE, MANAGE, ADD_POLICY]
    assert cloud.bodies(CREATE) == [{"RegistryName": NAME, "RegistryType": "basic"}]
    assert cloud.bodies(MANAGE) == [{"RegistryId": ID, "Operation": "Create"}]
    assert cloud.bodies(ADD_POLICY) == [
        {"RegistryId": ID, "CidrBlock": "192.0.2.1", "Description": "office"}
    ]
    assert wall.policies == [("192.0.2.1", "office")]
    assert engine.diff(provider, ID, outs, ACCESSIBLE, ACCESSIBLE).changes is False


def test_entrance_is_not_asked_about_where_the_program_says_nothing_of_it(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    _update(engine, provider, INPUTS)
    outs = _update(engine, provider, INPUTS, ACCESSIBLE, {**OUTPUTS, "public_access": OPEN})
    assert cloud.count(ENTRANCE) == cloud.count(MANAGE) == 0
    assert outs.get("registry_id") == ID


def test_diff_leaves_the_entrance_as_it_is_where_it_is_taken_out(
    engine: Engine, provider: InstanceProvider
) -> None:
    outputs = {**OUTPUTS, "public_access": OPEN}
    assert engine.diff(provider, ID, outputs, ACCESSIBLE, INPUTS).changes is False


@pytest.mark.parametrize("status", ["Opened", "Opening"])
def test_entrance_that_is_open_or_opens_is_not_opened_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance(status), entrance(status), entrance("Opened"))
    Wall(cloud, ("192.0.2.1", "office"), lost={})
    _update(engine, provider, ACCESSIBLE, outputs={**OUTPUTS, "public_access": OPEN})
    assert cloud.changes == []


@pytest.mark.parametrize("between", ["Deleting", "Closing"])
def test_entrance_that_closes_is_closed_once(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, between: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(
        ENTRANCE,
        *[entrance("Opened")] * 3,
        *[entrance(between)] * 3,
        entrance("Closed"),
    )
    cloud.answers(POLICIES, allowed(policy("192.0.2.1")))
    cloud.answers(MANAGE, DONE)
    news = {**INPUTS, "public_access": {"enabled": False}}
    outs = _update(engine, provider, news, ACCESSIBLE, {**OUTPUTS, "public_access": OPEN})
    assert cloud.bodies(MANAGE) == [{"RegistryId": ID, "Operation": "Delete"}]
    assert outs["public_access"] == {"enabled": False, "security_policies": []}
    assert engine.diff(provider, ID, outs, news, news).changes is False


def test_entrance_that_shows_as_before_for_a_moment_is_opened_once(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, *[entrance("Closed")] * 6, entrance("Opened"))
    cloud.answers(MANAGE, DONE)
    Wall(cloud, lost={})
    _update(engine, provider, ACCESSIBLE)
    assert cloud.count(MANAGE) == 1


def test_entrance_that_opens_is_closed_when_it_is_open(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    """While it opens, closing it is refused."""
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, *[entrance("Opening")] * 3, entrance("Opened"), entrance("Closed"))
    cloud.answers(POLICIES, refusal("ResourceNotFound"))
    cloud.answers(MANAGE, DONE)
    news = {**INPUTS, "public_access": {"enabled": False}}
    _update(engine, provider, news)
    assert cloud.count(MANAGE) == 1
    actions = cloud.vendor.actions
    assert actions[: actions.index(MANAGE)].count(ENTRANCE) == 4


def test_entrance_of_which_nothing_is_found_is_closed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, refusal("ResourceNotFound"))
    news = {**INPUTS, "public_access": {"enabled": False}}
    outs = _update(engine, provider, news, outputs={**OUTPUTS, "public_access": OPEN})
    assert outs["public_access"]["enabled"] is False
    assert cloud.changes == []


def test_entrance_that_stays_closed_is_asked_for_once_and_says_why(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, served(Status="Closed", Reason="no quota"))
    cloud.answers(MANAGE, DONE)
    with pytest.raises(InitFailed, match=r"public entrance stays Closed \(no quota\)") as caught:
        _update(engine, provider, ACCESSIBLE)
    _line(caught.value, f"update Instance {ID}: ")
    assert cloud.count(MANAGE) == 1


LOST_OR_PASSING = pytest.mark.parametrize(
    "fault", [read_timeout(), refusal("InternalError.DbError")], ids=["lost", "passing"]
)


@LOST_OR_PASSING
def test_entrance_is_asked_for_again_where_the_answer_is_lost_and_nothing_shows(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Reply
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, *[entrance("Closed")] * 4, entrance("Opened"))
    cloud.answers(MANAGE, fault, DONE)
    Wall(cloud, lost={})
    _update(engine, provider, ACCESSIBLE)
    assert cloud.count(MANAGE) == 2


@LOST_OR_PASSING
def test_entrance_is_not_asked_for_again_where_the_answer_is_lost_but_it_shows(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Reply
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, *[entrance("Closed")] * 3, entrance("Opening"), entrance("Opened"))
    cloud.answers(MANAGE, fault, DONE)
    Wall(cloud, lost={})
    _update(engine, provider, ACCESSIBLE)
    assert cloud.count(MANAGE) == 1


@LOST_OR_PASSING
@pytest.mark.parametrize("code", ["OperationDenied", "UnsupportedOperation"])
def test_entrance_that_is_refused_a_second_time_after_a_lost_answer_is_on_its_way(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, fault: Reply, code: str
) -> None:
    """While an entrance opens, opening it is refused; and its status may lag."""
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, *[entrance("Closed")] * 6, entrance("Opened"))
    cloud.answers(MANAGE, fault, refusal(code))
    Wall(cloud, lost={})
    _update(engine, provider, ACCESSIBLE)
    assert cloud.count(MANAGE) == 2


@pytest.mark.parametrize("lost", [False, True])
def test_entrance_that_is_refused_and_stays_as_it_is_says_what_the_vendor_says(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, lost: bool
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Closed"))
    cloud.answers(MANAGE, *[read_timeout()] * lost, refusal("OperationDenied"))
    with pytest.raises(InitFailed, match="OperationDenied"):
        _update(engine, provider, ACCESSIBLE)
    assert cloud.count(MANAGE) == 1 + lost
    # Where no answer was lost, it is told at once.
    looks = cloud.bodies(ENTRANCE)
    assert (len(looks) > 3) is lost
    assert looks[0] == {"RegistryId": ID}


@pytest.mark.parametrize("status", ["Opening", "Deleting", "Walled up", None])
def test_entrance_that_stays_on_its_way_is_waited_for_until_time_is_up(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str | None
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, served(Status=status, Reason="no address"))
    cloud.answers(POLICIES, refusal("ResourceNotFound"))
    with pytest.raises(InitFailed, match=rf"public entrance is still {status} \(no address\)\."):
        _update(engine, provider, ACCESSIBLE, timeout=0.4)
    assert cloud.changes == []


@pytest.mark.parametrize("code", BUSY_CODES)
def test_entrance_waits_for_the_end_of_another_change(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, *[entrance("Closed")] * 3, entrance("Opened"))
    cloud.answers(MANAGE, refusal(code), DONE)
    cloud.answers(POLICIES, served(SecurityPolicySet=None))
    _update(engine, provider, {**INPUTS, "public_access": {"enabled": True}})
    assert cloud.count(MANAGE) == 2


def test_policies_that_the_vendor_lists_as_null_are_none(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    cloud.answers(POLICIES, served(SecurityPolicySet=None))
    news = {**INPUTS, "public_access": {"enabled": True}}
    outs = _update(engine, provider, news)
    assert outs["public_access"] == {"enabled": True, "security_policies": []}
    assert cloud.changes == []
    assert {body["RegistryId"] for body in cloud.bodies(POLICIES)} == {ID}
    assert engine.diff(provider, ID, outs, news, news).changes is False


BLOCKS = [
    ("192.0.2.0/24", "office"),
    ("198.51.100.7", "home"),
    ("203.0.113.0/24", "site"),
]


def _wanted(*blocks: tuple[str, str]) -> dict[str, Any]:
    policies = [{"cidr_block": block, "description": text} for block, text in blocks]
    return {**INPUTS, "public_access": {"enabled": True, "security_policies": policies}}


@pytest.mark.parametrize(
    ("there", "wanted", "changes"),
    [
        (BLOCKS, BLOCKS, 0),
        (BLOCKS[::-1], BLOCKS, 0),
        ([], BLOCKS, 3),
        (BLOCKS, [], 3),
        (BLOCKS[:1], BLOCKS[1:2], 2),
        # Twice the same, which the vendor takes.
        ([BLOCKS[0], *BLOCKS], BLOCKS, 1),
        ([*BLOCKS, *BLOCKS], BLOCKS, 3),
        ([*BLOCKS, *BLOCKS], [], 6),
        # The same network in another spelling.
        ([("192.0.2.17/24", "office")], BLOCKS[:1], 0),
        ([("198.51.100.7/32", "home")], BLOCKS[1:2], 0),
        ([("198.51.100.7", "home")], [("198.51.100.7/32", "home")], 0),
        ([("192.0.2.0/24", "office"), ("192.0.2.17/24", "office")], BLOCKS[:1], 1),
        # Another description.
        ([("192.0.2.0/24", "old")], BLOCKS[:1], 2),
        # What is no network stays nobody's.
        ([("anywhere", "?"), BLOCKS[0]], BLOCKS[:1], 1),
    ],
)
def test_policies_become_the_wanted_ones_each_once(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    there: list[tuple[str, str]],
    wanted: list[tuple[str, str]],
    changes: int,
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    wall = Wall(cloud, *there, lost={})
    news = _wanted(*wanted)
    outs = _update(engine, provider, news)
    assert wall.changes == changes
    assert len(wall.policies) == len(wanted)
    # Written and ordered as the program has them, so that the next preview is empty.
    assert outs["public_access"] == news["public_access"]
    assert engine.diff(provider, ID, outs, news, news).changes is False


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_policies_are_right_and_none_twice_although_an_answer_is_lost(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, number: int, done: bool
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    wall = Wall(cloud, ("10.0.0.0/8", "old"), lost={number: done})
    _update(engine, provider, _wanted(*BLOCKS[:2]))
    assert sorted(wall.policies) == sorted(BLOCKS[:2])
    assert wall.changes == (3 if done else 4)


def test_policies_of_which_every_answer_is_lost_are_right_all_the_same(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    wall = Wall(cloud, ("10.0.0.0/8", "old"), lost=dict.fromkeys(range(1, 50), True))
    _update(engine, provider, _wanted(*BLOCKS))
    assert sorted(wall.policies) == sorted(BLOCKS)
    assert wall.changes == 4


@pytest.mark.parametrize("lost", [{}, {2: True}], ids=["answered", "lost"])
def test_policies_that_show_late_are_set_once(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, lost: dict[int, bool]
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    wall = Wall(cloud, ("10.0.0.0/8", "old"), lost=lost, late=4)
    _update(engine, provider, _wanted(*BLOCKS))
    assert sorted(wall.policies) == sorted(BLOCKS)
    assert wall.changes == 4


def test_policies_that_never_become_right_end_with_a_line(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    wall = Wall(cloud, lost=dict.fromkeys(range(1, 100), False))
    with pytest.raises(InitFailed, match="does not show its security policies") as caught:
        _update(engine, provider, _wanted(*BLOCKS))
    _line(caught.value, f"update Instance {ID}: ")
    assert wall.changes == len(BLOCKS) + 3


def test_policy_whose_version_is_stale_is_looked_at_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    old = [allowed(policy("10.0.0.0/8", "old", version=version)) for version in ("1", "2")]
    cloud.answers(POLICIES, *[old[0]] * 3, old[0], old[1], allowed())
    cloud.answers(DROP_POLICY, *[refusal("ResourceNotFound")] * 2, DONE)
    news = {**INPUTS, "public_access": {"enabled": True}}
    _update(engine, provider, news, outputs={**OUTPUTS, "public_access": OPEN})
    seen = {"RegistryId": ID, "PolicyIndex": 0, "CidrBlock": "10.0.0.0/8"}
    # Nothing was changed, so that nothing is waited for.
    assert cloud.bodies(DROP_POLICY) == [{**seen, "PolicyVersion": one} for one in ("1", "1", "2")]


def test_policy_that_is_refused_in_passing_is_looked_for_and_sent_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    again = allowed(policy("192.0.2.1"))
    cloud.vendor.answers(
        POLICIES, allowed(), url=TCR_URL, where=lambda _: cloud.count(ADD_POLICY) < 2
    )
    cloud.vendor.answers(POLICIES, again, url=TCR_URL, where=lambda _: cloud.count(ADD_POLICY) == 2)
    cloud.answers(ADD_POLICY, refusal("InternalError.DbError"), DONE)
    outs = _update(engine, provider, ACCESSIBLE)
    assert outs["public_access"] == OPEN
    assert cloud.count(ADD_POLICY) == 2


@pytest.mark.parametrize("code", ["OperationDenied", "InvalidParameter"])
def test_policy_that_is_refused_says_so_and_is_sent_once(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    cloud.answers(POLICIES, allowed())
    cloud.answers(ADD_POLICY, refusal(code))
    with pytest.raises(InitFailed) as caught:
        _update(engine, provider, ACCESSIBLE)
    assert code in _line(caught.value, f"update Instance {ID}: ")
    assert cloud.count(ADD_POLICY) == 1


@pytest.mark.parametrize(
    "shown",
    [
        {"enabled": False, "security_policies": []},
        {"enabled": True, "security_policies": []},
        {"enabled": True, "security_policies": [POLICY, {**POLICY, "cidr_block": "10.0.0.1"}]},
        None,
    ],
)
def test_diff_goes_on_with_an_entrance_that_is_not_as_wanted(
    engine: Engine, provider: InstanceProvider, shown: Any
) -> None:
    outputs = {**OUTPUTS, "public_access": shown}
    diff = engine.diff(provider, ID, outputs, ACCESSIBLE, ACCESSIBLE)
    assert (diff.changes, diff.replaces) == (True, [])


# delete


def _delete(
    engine: Engine,
    provider: InstanceProvider,
    inputs: Mapping[str, Any] = INPUTS,
    timeout: float = 0,
) -> None:
    engine.delete(provider, ID, OUTPUTS, inputs, timeout)


@pytest.mark.parametrize("gone", [NONE, NULL, refusal("ResourceNotFound")])
@pytest.mark.parametrize("bucket", [False, True])
def test_delete_waits_for_the_end_and_says_what_becomes_of_the_bucket(
    engine: Engine,
    cloud: Tcr,
    provider: InstanceProvider,
    log: Log,
    bucket: bool,
    gone: Reply,
) -> None:
    cloud.of_id(
        listing(registry()),
        listing(registry()),
        listing(registry(Status="Deleting")),
        listing(registry(Status="Deleting")),
        gone,
    )
    cloud.answers(DELETE, served())
    _delete(engine, provider, {**INPUTS, "delete_bucket": bucket})
    assert cloud.bodies(DELETE) == [{"RegistryId": ID, "DeleteBucket": bucket, "DryRun": False}]
    assert cloud.vendor.actions[-1] == DESCRIBE
    assert cloud.count(DESCRIBE) == 5
    stays = f"The COS bucket of {NAME} ({ID}) stays"
    assert [stays in warning for warning in log.warned] == [True] * (not bucket)


@pytest.mark.parametrize("gone", [NONE, NULL, refusal("ResourceNotFound")])
def test_delete_of_what_is_gone_is_a_success(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log, gone: Reply
) -> None:
    cloud.of_id(gone)
    cloud.answers(DELETE, refusal("ResourceNotFound"))
    _delete(engine, provider)
    assert cloud.changes == [DELETE]
    assert log.warned == []


def test_delete_of_what_only_does_not_show_deletes_it(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    cloud.of_id(NONE, listing(registry(Status="Deleting")), NONE)
    cloud.answers(DELETE, served())
    _delete(engine, provider)
    assert cloud.changes == [DELETE]
    assert cloud.count(DESCRIBE) == 3
    [warned] = log.warned
    assert f"The COS bucket of the registry ({ID}) stays" in warned


def test_delete_of_what_is_gone_a_moment_later_is_a_success(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()), NONE)
    cloud.answers(DELETE, refusal("ResourceNotFound"))
    _delete(engine, provider)
    assert cloud.changes == [DELETE]


def test_delete_goes_where_the_registry_is(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()), NONE)
    cloud.answers(DELETE, served())
    engine.delete(provider, ID, {**OUTPUTS, "region": "ap-seoul"}, {**INPUTS, "region": "ap-seoul"})
    regions = {call.headers["X-TC-Region"] for call in cloud.vendor.requests(DESCRIBE)}
    assert regions == {"ap-seoul"}


@pytest.mark.parametrize("status", ["Running", "Deploying", "FailedUpdated", "DeleteFailed"])
def test_delete_of_a_protected_one_is_refused_in_one_line(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    cloud.of_id(listing(registry(DeletionProtection=True, Status=status)))
    with pytest.raises(Error) as caught:
        _delete(engine, provider)
    said = _line(caught.value, f"delete Instance {ID}: ")
    assert "deletion_protection" in said
    assert "pulumi up" in said
    assert cloud.changes == []


def test_delete_of_a_protected_one_that_never_was_a_registry_turns_the_protection_off(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry(DeletionProtection=True, Status="FailedCreated")), NONE)
    cloud.answers(MODIFY, DONE)
    cloud.answers(DELETE, served())
    _delete(engine, provider)
    assert cloud.changes == [MODIFY, DELETE]
    assert cloud.bodies(MODIFY) == [{"RegistryId": ID, "DeletionProtection": False}]


def test_delete_lifts_no_protection_that_does_not_show(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    """Whether there is one the vendor knows, and refuses."""
    cloud.of_id(listing(registry(DeletionProtection=None)))
    cloud.answers(MODIFY, DONE)
    cloud.answers(DELETE, refusal("OperationDenied", "it is protected"))
    with pytest.raises(Refused, match="it is protected"):
        _delete(engine, provider, PROTECTED)
    assert cloud.count(MODIFY) == 0


@pytest.mark.parametrize("status", ["Running", "FailedCreated", "FailedUpdated", "Bucket-Error"])
def test_delete_takes_a_registry_in_any_lasting_status(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log, status: str
) -> None:
    shown = listing(registry(Status=status))
    cloud.of_id(shown, shown, listing(registry(Status="Deleting")), NONE)
    cloud.answers(DELETE, served())
    _delete(engine, provider)
    assert cloud.count(DELETE) == 1
    # What never was a registry holds no images.
    [warning] = log.warned
    assert ("with all images in it" in warning) is (status != "FailedCreated")
    assert "COS console" in warning


def test_delete_of_one_that_is_being_deleted_only_waits(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    deleting = listing(registry(Status="Deleting"))
    cloud.of_id(deleting, deleting, deleting, NONE)
    _delete(engine, provider)
    assert cloud.changes == []
    assert cloud.count(DESCRIBE) == 4


@pytest.mark.parametrize(
    "status", ["Running", "Unhealthy", "Bucket-Error", "Deleting", "FailedCreated", "New", None]
)
def test_delete_keeps_waiting_until_time_is_up(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log, status: str | None
) -> None:
    cloud.statuses("Running", status)
    cloud.answers(DELETE, served())
    with pytest.raises(Error, match=f"it is still {status} after") as caught:
        _delete(engine, provider, timeout=0.4)
    _line(caught.value, f"delete Instance {ID}: ")
    assert cloud.count(DELETE) == 1
    assert log.warned == []


@pytest.mark.parametrize(
    ("status", "hint"),
    [("DeleteFailed", "the deletion failed"), ("DeleteBucketFailed", "Empty it in the COS")],
)
def test_delete_that_fails_says_so_at_once(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str, hint: str
) -> None:
    cloud.statuses("Running", "Deleting", status)
    cloud.answers(DELETE, served())
    cloud.answers(STATUS, served(RegistryStatusSet=None))
    with pytest.raises(Error, match=hint) as caught:
        _delete(engine, provider)
    _line(caught.value, f"delete Instance {ID}: ")
    assert cloud.count(DESCRIBE) == 3


def test_delete_that_fails_says_why(engine: Engine, cloud: Tcr, provider: InstanceProvider) -> None:
    cloud.statuses("Running", "DeleteFailed")
    cloud.answers(DELETE, served())
    conditions = [{"Reason": "the namespace is not empty"}]
    cloud.answers(STATUS, served(RegistryStatusSet=[{"Conditions": conditions}]))
    with pytest.raises(Error, match="the namespace is not empty"):
        _delete(engine, provider)


@pytest.mark.parametrize("status", ["DeleteFailed", "DeleteBucketFailed"])
def test_delete_overlooks_the_failure_of_an_earlier_deletion_for_a_moment(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    failed = listing(registry(Status=status))
    cloud.of_id(failed, failed, failed, listing(registry(Status="Deleting")), NONE)
    cloud.answers(DELETE, served())
    _delete(engine, provider)
    assert cloud.count(DELETE) == 1


@pytest.mark.parametrize("status", ["DeleteFailed", "DeleteBucketFailed"])
def test_delete_that_fails_again_says_so_when_the_moment_has_passed(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    cloud.statuses(status)
    cloud.answers(DELETE, served())
    cloud.answers(STATUS, served(RegistryStatusSet=None))
    with pytest.raises(Error, match=r"deletion failed|is deleted, but its bucket"):
        _delete(engine, provider, timeout=30)


def test_delete_of_two_at_once_is_not_over_for_one_when_the_other_is_gone(
    cloud: Tcr, provider: InstanceProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are asked for in one request, and the vendor does not say which it does not find."""
    monkeypatch.setattr(tcr, "_PAUSE", 0.1)
    ids = [ID, "tcr-other"]
    both = threading.Barrier(2, timeout=20)
    left = {ID: 2, "tcr-other": 6}

    def look(request: Any) -> Any:
        asked = json.loads(request.body)["Registryids"]
        for id in asked:
            left[id] -= 1
        there = [registry(RegistryId=id, Status="Deleting") for id in asked if left[id] >= 0]
        found = len(there) == len(asked)
        answer = listing(*there) if found else refusal("ResourceNotFound")
        return 200, {"Content-Type": "application/json"}, json.dumps(answer)

    def delete(_request: Any) -> Any:
        both.wait()
        return 200, {"Content-Type": "application/json"}, json.dumps(served())

    for action, answer in ((DESCRIBE, look), (DELETE, delete)):
        match = [header_matcher({"X-TC-Action": action})]
        cloud.vendor._mock.add_callback("POST", TCR_URL, answer, match=match)
    with ThreadPoolExecutor(2) as threads:
        for done in [
            threads.submit(Engine(f"urn-{id}").delete, provider, id, OUTPUTS, INPUTS, 20)
            for id in ids
        ]:
            done.result()
    assert ids in [body["Registryids"] for body in cloud.bodies(DESCRIBE)]
    assert max(left.values()) < 0


def test_delete_of_a_prepaid_one_ends_when_it_is_returned(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    cloud.of_id(listing(prepaid()), listing(prepaid(Status="Isolate")))
    cloud.answers(DELETE, served())
    _delete(engine, provider, PREPAID)
    assert any(f"{ID} was returned and is isolated" in warning for warning in log.warned)


def test_delete_of_a_prepaid_one_is_waited_for_until_it_is_gone(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    cloud.of_id(listing(prepaid()), listing(prepaid(Status="Deleting")), NONE)
    cloud.answers(DELETE, served())
    _delete(engine, provider, PREPAID)
    assert cloud.count(DESCRIBE) == 3
    assert not [warning for warning in log.warned if "isolated" in warning]


def test_delete_of_one_in_arrears_does_not_end_with_its_isolation(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.statuses("Running", "Isolate")
    cloud.answers(DELETE, served())
    with pytest.raises(Error, match="still Isolate"):
        _delete(engine, provider, timeout=0.4)


@pytest.mark.parametrize("code", [*BUSY_CODES, "InternalError.DbError", "RequestLimitExceeded"])
def test_delete_waits_for_what_passes(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str
) -> None:
    cloud.of_id(listing(registry()), NONE)
    cloud.answers(DELETE, refusal(code), served())
    _delete(engine, provider)
    assert cloud.count(DELETE) == 2


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("OperationDenied", "settle the bill first"),
        ("FailedOperation.TradeFailed", "settle the bill first"),
        ("InvalidParameter", ""),
    ],
)
def test_delete_refused_says_what_the_vendor_says(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str, message: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(DELETE, refusal(code, message))
    with pytest.raises(Refused, match=f"{code}.*{message}") as caught:
        _delete(engine, provider)
    assert "replicas" not in _line(caught.value, f"delete Instance {ID}: ")
    assert cloud.count(DELETE) == 1


@pytest.mark.parametrize(
    "message",
    ["", "delete its Namespace first", "delete the repositories first", "it has a replica"],
)
@pytest.mark.parametrize("code", ["OperationDenied", "FailedOperation", "UnsupportedOperation"])
def test_delete_refused_without_a_word_or_for_what_it_holds_says_what_may_stand_in_the_way(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str, message: str
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(DELETE, refusal(code, message))
    with pytest.raises(Refused) as caught:
        _delete(engine, provider)
    said = _line(caught.value, f"delete Instance {ID}: ")
    assert "as it does for deletion protection, namespaces, repositories and replicas" in said
    assert message in said
    assert "See what" not in said
    assert "see what" not in said


@pytest.mark.parametrize("status", ["Pending", "Deploying", "Unhealthy"])
def test_delete_refused_before_it_is_at_rest_is_asked_for_again(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    cloud.of_id(*[listing(registry(Status=status))] * 3, NONE)
    cloud.answers(DELETE, *[refusal("OperationDenied")] * 2, served())
    _delete(engine, provider)
    assert cloud.count(DELETE) == 3


@pytest.mark.parametrize("then", [refusal("OperationDenied"), reset()], ids=["refused", "lost"])
def test_delete_whose_answer_is_lost_goes_on_where_it_is_being_deleted(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, then: Reply
) -> None:
    """The vendor refuses to delete it again."""
    cloud.until(DELETE, listing(registry()))
    cloud.after(DELETE, *[listing(registry(Status="Deleting"))] * 3, NONE)
    cloud.answers(DELETE, reset(), then)
    _delete(engine, provider)
    assert cloud.vendor.actions[-1] == DESCRIBE


def test_delete_that_cannot_look_after_a_refusal_says_what_was_refused(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.until(DELETE, listing(registry()))
    cloud.after(DELETE, refusal("UnauthorizedOperation"))
    cloud.answers(DELETE, refusal("OperationDenied"))
    with pytest.raises(Refused, match="OperationDenied"):
        _delete(engine, provider)


def test_delete_refused_of_one_that_no_longer_shows_says_what_the_vendor_says(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry(Status="Deploying")), NONE)
    cloud.answers(DELETE, refusal("OperationDenied"))
    with pytest.raises(Refused, match="OperationDenied"):
        _delete(engine, provider)
    assert cloud.count(DELETE) == 1


def test_delete_refused_before_it_is_at_rest_is_not_asked_for_for_ever(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry(Status="Deploying")))
    cloud.answers(DELETE, refusal("OperationDenied"))
    with pytest.raises(Refused, match="OperationDenied"):
        _delete(engine, provider, timeout=0.4)


# diff


def _diff(
    engine: Engine,
    news: Mapping[str, Any],
    olds: Mapping[str, Any] = INPUTS,
    outputs: Mapping[str, Any] = OUTPUTS,
) -> DiffResult:
    return engine.diff(new_provider(), ID, outputs, olds, news)


@pytest.mark.parametrize(
    "change",
    [{"registry_name": "another-name"}, {"enable_cos_maz": True}, {"region": "ap-seoul"}],
)
def test_diff_replaces_for_what_cannot_be_changed(engine: Engine, change: dict[str, Any]) -> None:
    diff = _diff(engine, {**INPUTS, **change})
    assert (diff.changes, diff.replaces) == (True, list(change))
    # A name is one in the world: while it stays the same, the old one goes first.
    assert diff.delete_before_replace is ("registry_name" not in change)


@pytest.mark.parametrize(
    "change",
    [
        {"registry_type": "standard"},
        {"deletion_protection": True},
        {"enable_cos_versioning": False},
        {"tags": {"k": "v"}},
        {"tag_specification": {"tags": [{"key": "k"}]}},
    ],
)
def test_diff_updates_for_what_can_be_changed_in_place(
    engine: Engine, change: dict[str, Any]
) -> None:
    diff = _diff(engine, {**INPUTS, **change})
    assert (diff.changes, diff.replaces) == (None, [])


def test_diff_buys_a_term_where_it_becomes_prepaid(engine: Engine) -> None:
    diff = _diff(engine, PREPAID)
    assert (diff.changes is not False, diff.replaces) == (True, [])


@pytest.mark.parametrize(
    "same",
    [
        {"registry_charge_type": 0},
        {"enable_cos_maz": False},
        {"deletion_protection": False},
        {"sync_tag": True},
        {"delete_bucket": True},
        {"tags": {}},
        {"adopt_id": "tcr-1"},
    ],
)
def test_diff_is_empty_for_a_default_and_for_what_changes_nothing(
    engine: Engine, same: dict[str, Any]
) -> None:
    assert _diff(engine, {**INPUTS, **same}).changes is False
    assert _diff(engine, INPUTS, {**INPUTS, **same}).changes is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"tags": [{"key": "k"}]}, {"tags": [{"key": "k", "value": ""}]}),
        ({"tags": []}, {"resource_type": "instance"}),
        (
            {"tags": [{"key": "k", "value": "v"}, {"key": "l", "value": "w"}]},
            {"tags": [{"key": "l", "value": "w"}, {"key": "k", "value": "v"}]},
        ),
    ],
    ids=["empty value", "no tags", "order"],
)
def test_diff_is_empty_for_another_way_to_write_a_tag_specification(
    engine: Engine, one: dict[str, Any], other: dict[str, Any]
) -> None:
    news, olds = ({**INPUTS, "tag_specification": each} for each in (one, other))
    outputs = {**OUTPUTS, "tag_specification": other}
    assert _diff(engine, news, olds, outputs).changes is False
    assert _diff(engine, olds, news, {**OUTPUTS, "tag_specification": one}).changes is False


@pytest.mark.parametrize("status", ["Unhealthy", "FailedUpdated", "Isolate", "Bucket-Error"])
def test_diff_of_one_that_is_not_well_asks_for_no_new_one(engine: Engine, status: str) -> None:
    diff = _diff(engine, INPUTS, outputs={**OUTPUTS, "status": status})
    assert (diff.changes, diff.replaces) == (False, [])


@pytest.mark.parametrize(
    "change", [{"registry_name": "another-name"}, {"enable_cos_maz": True}, {"region": "ap-seoul"}]
)
def test_diff_does_not_replace_a_protected_one(engine: Engine, change: dict[str, Any]) -> None:
    outputs = {**OUTPUTS, "deletion_protection": True}
    with pytest.raises(Error, match="deletion_protection is on") as caught:
        _diff(engine, {**PROTECTED, **change}, PROTECTED, outputs)
    assert next(iter(change)) in _line(caught.value, f"compare Instance {ID}: ")
    # Nor in the run that turns it off.
    with pytest.raises(Error, match="a `pulumi up` of its own"):
        _diff(engine, {**INPUTS, **change}, PROTECTED, outputs)
    assert _diff(engine, PROTECTED, PROTECTED, outputs).changes is False


@pytest.mark.parametrize(
    ("news", "olds", "outputs", "remark"),
    [
        (UNTIL, PREPAID, PREPAID_OUTPUTS, f"paid_until is past {EXPIRED_AT}: this buys 2 more"),
        (UNTIL, UNTIL, PREPAID_OUTPUTS, f"paid_until is past {EXPIRED_AT}: this buys 2 more"),
        (
            UNTIL,
            UNTIL,
            ORDERED,
            "a renewal may have been ordered, but does not show yet: this buys",
        ),
        (PREPAID, INPUTS, OUTPUTS, "registry_charge_type 1 buys the term"),
        (
            PREPAID,
            PREPAID,
            {**OUTPUTS, "renewal_ordered": "None prepaid for 3 months"},
            "a first term may have been ordered, but does not show yet: this buys none.",
        ),
        (
            {**PREPAID, "registry_charge_prepaid": {"period": 4}},
            PREPAID,
            {**OUTPUTS, "renewal_ordered": "None prepaid for 3 months"},
            "registry_charge_type 1 buys the term",
        ),
        (
            {**PREPAID, "registry_charge_prepaid": rpc.UNKNOWN},
            INPUTS,
            OUTPUTS,
            "registry_charge_type 1 buys the term",
        ),
        (
            {**PREPAID, "registry_charge_prepaid": {"period": 6}},
            PREPAID,
            PREPAID_OUTPUTS,
            "changed, it buys and changes nothing",
        ),
        (
            {**PREPAID, "paid_until": rpc.UNKNOWN},
            PREPAID,
            PREPAID_OUTPUTS,
            "paid_until is not known yet: this may buy a term.",
        ),
        (
            {**PREPAID, "registry_charge_type": rpc.UNKNOWN},
            INPUTS,
            OUTPUTS,
            "registry_charge_type is not known yet: this may buy a term.",
        ),
    ],
)
def test_diff_says_what_costs_and_what_does_nothing(
    engine: Engine,
    log: Log,
    news: dict[str, Any],
    olds: dict[str, Any],
    outputs: dict[str, Any],
    remark: str,
) -> None:
    diff = _diff(engine, news, olds, outputs)
    [warning] = log.warned
    assert_one_line(warning)
    assert remark in warning
    assert (diff.changes is not False) is ("buys and changes nothing" not in remark)


@pytest.mark.parametrize(
    ("news", "olds", "outputs"),
    [
        (INPUTS, INPUTS, OUTPUTS),
        (PREPAID, PREPAID, PREPAID_OUTPUTS),
        (_until(EXPIRED_AT), PREPAID, PREPAID_OUTPUTS),
        (
            {**PREPAID, "registry_charge_prepaid": {"period": 3, "renew_flag": 0}},
            PREPAID,
            PREPAID_OUTPUTS,
        ),
        # While it is by the hour, nothing was bought with it yet.
        (
            {**INPUTS, "registry_charge_prepaid": {"period": 3}},
            {**INPUTS, "registry_charge_prepaid": {"period": 6}},
            OUTPUTS,
        ),
        (PREPAID, INPUTS, PREPAID_OUTPUTS),
        (INPUTS, PREPAID, PREPAID_OUTPUTS),
        ({**PREPAID, "registry_charge_prepaid": rpc.UNKNOWN}, PREPAID, PREPAID_OUTPUTS),
    ],
    ids=[
        "hourly",
        "prepaid",
        "within the term",
        "the default",
        "hourly with a term",
        "prepaid in the console",
        "not prepaid any more",
        "not known yet",
    ],
)
def test_diff_says_nothing_where_nothing_is_bought(
    engine: Engine, log: Log, news: dict[str, Any], olds: dict[str, Any], outputs: dict[str, Any]
) -> None:
    _diff(engine, news, olds, outputs)
    assert log.warned == []


def test_diff_of_one_that_is_replaced_does_not_speak_of_a_renewal(engine: Engine, log: Log) -> None:
    _diff(engine, {**UNTIL, "registry_name": "another-name"}, UNTIL, PREPAID_OUTPUTS)
    assert not any("buys" in warning for warning in log.warned)


def test_diff_leaves_it_open_whether_an_entrance_that_is_not_known_yet_is_another(
    engine: Engine,
) -> None:
    outputs = {**OUTPUTS, "public_access": OPEN}
    for unknown in (rpc.UNKNOWN, {"enabled": rpc.UNKNOWN}):
        diff = _diff(engine, {**INPUTS, "public_access": unknown}, ACCESSIBLE, outputs)
        assert (diff.changes, diff.replaces) == (None, [])


@pytest.mark.parametrize(
    "change",
    [
        {"paid_until": rpc.UNKNOWN},
        {"registry_charge_prepaid": rpc.UNKNOWN},
        {"public_access": rpc.UNKNOWN},
        {"public_access": {"enabled": rpc.UNKNOWN}},
        {"tags": {"k": rpc.UNKNOWN}},
        {"registry_type": rpc.UNKNOWN},
    ],
)
def test_diff_of_what_is_not_known_yet_replaces_nothing(
    engine: Engine, change: dict[str, Any]
) -> None:
    assert _diff(engine, {**PREPAID, **change}, PREPAID, PREPAID_OUTPUTS).replaces == []


# read


def test_read_of_what_has_not_changed_changes_nothing(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    inputs = {**INPUTS, "delete_bucket": True, "sync_tag": True}
    result = engine.read(provider, ID, OUTPUTS, inputs)
    assert (result.id, result.outs, result.inputs) == (ID, OUTPUTS, inputs)
    assert cloud.changes == []


@pytest.mark.parametrize(("code", "why"), PASSING_CODES.items())
def test_read_that_fails_in_passing_is_tried_again_and_says_why_it_does_not_pass(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, code: str, why: str
) -> None:
    cloud.of_id(refusal(code), listing(registry()))
    assert engine.read(provider, ID, OUTPUTS, INPUTS).outs == OUTPUTS
    cloud.vendor._mock.reset()
    cloud.of_id(refusal(code))
    with pytest.raises(Refused, match=why) as caught:
        engine.read(provider, ID, OUTPUTS, INPUTS)
    _line(caught.value, f"read Instance {ID}: ")


@pytest.mark.parametrize("gone", [NONE, NULL, refusal("ResourceNotFound")])
def test_read_of_what_is_gone_is_an_empty_id(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, gone: Reply
) -> None:
    cloud.of_id(gone)
    assert engine.read(provider, ID, OUTPUTS, INPUTS).id == ""


@pytest.mark.parametrize("end", ["", None, "0001-01-01T00:00:00Z"], ids=str)
@pytest.mark.parametrize("endpoint", ["", None], ids=str)
def test_read_takes_the_vendors_words_for_none_for_none(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, end: str | None, endpoint: str | None
) -> None:
    cloud.of_id(
        listing(
            registry(
                ExpiredAt=end,
                InternalEndpoint=endpoint,
                PayMod=None,
                EnableCosMAZ=None,
                DeletionProtection=None,
            )
        )
    )
    outs = _outs(engine.read(provider, ID, OUTPUTS, INPUTS).outs)
    expected = {name: value for name, value in OUTPUTS.items() if name != "internal_endpoint"}
    assert outs == expected


def test_read_brings_drift_that_the_next_run_takes_back(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(_tagged({"k": "v"}, RegistryType="premium", DeletionProtection=True)))
    result = engine.read(provider, ID, OUTPUTS, INPUTS)
    outs, inputs = _outs(result.outs), _outs(result.inputs)
    drift = {"registry_type": "premium", "deletion_protection": True, "tags": {"k": "v"}}
    assert inputs == {**INPUTS, **drift}
    assert outs == {**OUTPUTS, **drift}
    diff = engine.diff(provider, ID, outs, inputs, INPUTS)
    assert (diff.changes, diff.replaces) == (None, [])


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        {},
        {"ResourceType": "instance"},
        {"ResourceType": "instance", "Tags": None},
        {"ResourceType": "instance", "Tags": []},
    ],
)
def test_read_of_tags_that_were_taken_away_shows_none(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, nothing: Any
) -> None:
    cloud.of_id(listing(registry(TagSpecification=nothing)))
    inputs = {**INPUTS, "tags": {"k": "v"}}
    result = engine.read(provider, ID, {**OUTPUTS, "tags": {"k": "v"}}, inputs)
    assert _outs(result.outs) == OUTPUTS
    assert engine.diff(provider, ID, OUTPUTS, _outs(result.inputs), inputs).changes is None


@pytest.mark.parametrize("value", [{}, {"Value": None}, {"Value": ""}], ids=str)
def test_read_takes_a_tag_without_a_value_for_one_with_an_empty_one(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, value: dict[str, Any]
) -> None:
    tags = {"ResourceType": "instance", "Tags": [{"Key": "k", **value}]}
    cloud.of_id(listing(registry(TagSpecification=tags)))
    outputs = {**OUTPUTS, "tags": {"k": ""}}
    assert engine.read(provider, ID, outputs, {**INPUTS, "tags": {"k": ""}}).outs == outputs


LEFT_OUT = {"EnableCosMAZ": "enable_cos_maz", "DeletionProtection": "deletion_protection"}


def _without(name: str, shown: Mapping[str, Any], *, null: bool) -> dict[str, Any]:
    """What the vendor shows, a field of it left out or null."""
    return {**shown, name: None} if null else {key: shown[key] for key in shown if key != name}


@pytest.mark.parametrize("null", [False, True], ids=["left out", "null"])
@pytest.mark.parametrize(("wire", "name"), LEFT_OUT.items())
def test_what_the_vendor_leaves_out_is_not_false(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, wire: str, name: str, null: bool
) -> None:
    cloud.of_id(listing(_without(wire, registry(), null=null)))
    inputs, outputs = {**INPUTS, name: True}, {**OUTPUTS, name: True}
    result = engine.read(provider, ID, outputs, inputs)
    assert result.outs == outputs
    assert result.inputs == inputs
    outs = _update(engine, provider, inputs, inputs, outputs)
    assert outs == outputs
    diff = engine.diff(provider, ID, outs, inputs, inputs)
    assert (diff.changes, diff.replaces) == (False, [])


def test_what_the_vendor_leaves_out_and_the_program_does_not_give_is_as_it_was_seen(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    """So it is with one that was taken over; given later, it is no change."""
    cloud.of_id(listing(_without("EnableCosMAZ", registry(), null=True)))
    outputs = {**OUTPUTS, "enable_cos_maz": True}
    outs = _update(engine, provider, INPUTS, INPUTS, outputs)
    assert outs == outputs
    given = {**INPUTS, "enable_cos_maz": True}
    assert engine.diff(provider, ID, outs, INPUTS, given).replaces == []


def test_adopt_takes_what_is_not_shown_for_what_the_program_gives(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(_without("EnableCosMAZ", registry(), null=False)))
    outs = _outs(engine.create(provider, {**INPUTS, "enable_cos_maz": True, "adopt_id": ID}).outs)
    assert outs["enable_cos_maz"] is True


def test_read_of_the_status_and_the_end_of_the_term_makes_no_diff(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry(PayMod=1, ExpiredAt=LATER, Status="Unhealthy")))
    result = engine.read(provider, ID, PREPAID_OUTPUTS, PREPAID)
    outs = _outs(result.outs)
    assert (outs["status"], outs["expired_at"]) == ("Unhealthy", LATER)
    assert result.inputs == PREPAID
    assert engine.diff(provider, ID, outs, PREPAID, PREPAID).changes is False


def test_read_shows_the_entrance_only_where_the_program_speaks_of_it(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    engine.read(provider, ID, OUTPUTS, INPUTS)
    assert cloud.count(ENTRANCE) == 0
    cloud.answers(ENTRANCE, entrance("Closed"))
    result = engine.read(provider, ID, {**OUTPUTS, "public_access": OPEN}, ACCESSIBLE)
    closed = {"enabled": False, "security_policies": []}
    assert _outs(result.outs)["public_access"] == closed
    assert _outs(result.inputs)["public_access"] == closed


def test_read_shows_the_policies_that_somebody_else_has_made_after_the_programs_own(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opened"))
    there = ["10.0.0.0/8", "203.0.113.0/24", "192.0.2.17/24"]
    nameless = {**policy("10.0.0.0/8"), "Description": None}
    cloud.answers(POLICIES, allowed(nameless, *(policy(block) for block in there[1:])))
    inputs = _wanted(("192.0.2.0/24", "office"), ("203.0.113.0/24", "office"))
    result = engine.read(provider, ID, {**OUTPUTS, **inputs}, inputs)
    expected = [
        {"cidr_block": "192.0.2.0/24", "description": "office"},
        {"cidr_block": "203.0.113.0/24", "description": "office"},
        {"cidr_block": "10.0.0.0/8", "description": ""},
    ]
    assert _outs(result.outs)["public_access"]["security_policies"] == expected
    assert _outs(result.inputs)["public_access"]["security_policies"] == expected


def test_read_does_not_take_a_policy_list_that_is_not_found_for_a_missing_registry(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opening"))
    why = "Failed to get security group id from registry"
    cloud.answers(POLICIES, refusal("ResourceNotFound", why))
    result = engine.read(provider, ID, {**OUTPUTS, "public_access": OPEN}, ACCESSIBLE)
    assert result.id == ID
    assert _outs(result.outs)["public_access"] == {"enabled": True, "security_policies": []}


def test_read_of_an_answer_that_is_not_as_the_pages_say_is_one_line(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry(TagSpecification=[{"Key": "k"}])))
    with pytest.raises(Error, match="is not as its pages say") as caught:
        engine.read(provider, ID, OUTPUTS, INPUTS)
    _line(caught.value, f"read Instance {ID}: ")


@pytest.mark.parametrize("tags", [{"Tags": [{"TagKey": "k"}]}, [{"Key": "k"}]], ids=str)
def test_an_answer_that_is_not_as_the_pages_say_in_the_middle_of_a_wait_is_no_bug(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, tags: Any
) -> None:
    odd = registry(TagSpecification=tags)
    cloud.of_id(listing(registry(Status="Deploying")), listing(odd))
    with pytest.raises(InitFailed, match="is not as its pages say"):
        _update(engine, provider, INPUTS)


def test_get_reads_a_registry_that_nobody_made_here(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(_tagged({"k": "v"}, EnableCosVersioning=True)))
    result = engine.read(provider, ID, None, {"region": REGION})
    assert result.id == ID
    assert result.outs == {**OUTPUTS, "tags": {"k": "v"}, "enable_cos_versioning": True}
    assert cloud.changes == []


@pytest.mark.parametrize("gone", [NONE, NULL, refusal("ResourceNotFound")])
def test_get_of_what_is_not_there_is_refused(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, gone: Reply
) -> None:
    cloud.of_id(gone)
    with pytest.raises(Gone, match=f"no Instance {ID} in {REGION}"):
        engine.read(provider, ID, None, {"region": REGION})


def test_get_does_not_take_another_registry_for_the_one_asked_for(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    cloud.of_id(listing(registry(RegistryId="tcr-other")))
    with pytest.raises(Gone):
        engine.read(provider, ID, None, {"region": REGION})


# adopt


def test_adopt_takes_over_a_registry_with_a_name_that_the_program_does_not_give(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    news = {"registry_type": "basic", "adopt_id": ID}
    inputs = engine.check(provider, news, None).inputs
    cloud.of_id(listing(registry()))
    result = engine.create(provider, inputs)
    assert (result.id, result.outs) == (ID, OUTPUTS)
    assert cloud.changes == []
    assert log.warned == []
    assert engine.diff(provider, ID, OUTPUTS, inputs, inputs).changes is False


def test_adopt_refuses_another_name_than_the_program_gives(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    news = {**INPUTS, "registry_name": "another-name", "adopt_id": ID}
    inputs = engine.check(provider, news, None).inputs
    cloud.of_id(listing(registry()))
    with pytest.raises(Error, match="another registry_name than the program gives"):
        engine.create(provider, inputs)
    assert cloud.changes == []


def test_adopt_changes_in_place_what_can_be(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    news = {**PROTECTED, "adopt_id": ID}
    cloud.of_id(listing(registry()), listing(registry(DeletionProtection=True)))
    cloud.answers(MODIFY, DONE)
    outs = _outs(engine.create(provider, news).outs)
    assert outs["deletion_protection"] is True
    assert cloud.changes == [MODIFY]


@pytest.mark.parametrize(
    ("status", "todo"),
    [
        ("FailedCreated", "Delete it in the console, and take adopt_id out"),
        ("Deleting", "Take adopt_id out to make a new one"),
        ("Isolate", "Settle the account's arrears"),
        ("Bucket-Error", "Check its bucket"),
    ],
)
def test_adopt_refuses_one_that_will_not_run_by_itself(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str, todo: str
) -> None:
    cloud.statuses(status)
    with pytest.raises(Error) as caught:
        engine.create(provider, {**PROTECTED, "adopt_id": ID})
    said = _line(caught.value, "create Instance: ")
    assert f"{ID}, which adopt_id names, is {status}. {todo}" in said
    assert not engine.context.status.details
    assert cloud.changes == []


@pytest.mark.parametrize("status", ["Running", "Unhealthy", "FailedUpdated", "Deploying"])
def test_adopt_takes_one_that_may_run_by_itself(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, status: str
) -> None:
    cloud.of_id(listing(registry(Status=status)), listing(registry()))
    assert engine.create(provider, {**INPUTS, "adopt_id": ID}).id == ID


def test_adopt_buys_no_renewal(engine: Engine, cloud: Tcr, provider: InstanceProvider) -> None:
    cloud.of_id(listing(prepaid()), listing(prepaid(DeletionProtection=True)))
    cloud.answers(MODIFY, DONE)
    news = {**UNTIL, "deletion_protection": True, "adopt_id": ID}
    outs = _outs(engine.create(provider, news).outs)
    assert cloud.count(RENEW) == 0
    assert engine.diff(provider, ID, outs, news, news).changes is True


def test_adopt_buys_no_term_which_the_next_preview_says(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    cloud.of_id(listing(registry()))
    news = {**PREPAID, "adopt_id": ID}
    outs = _outs(engine.create(provider, news).outs)
    assert cloud.changes == []
    assert engine.diff(provider, ID, outs, news, news).changes is True
    assert any("registry_charge_type 1 buys the term" in warning for warning in log.warned)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=2000)),
    st.integers(-12, 14),
)
def test_preview_buys_exactly_where_paid_until_is_past_the_end(
    end: datetime, beyond: timedelta, zone: int
) -> None:
    end = end.replace(microsecond=0, tzinfo=timezone(timedelta(hours=8)))
    beyond = timedelta(seconds=int(beyond.total_seconds()))
    until = (end + beyond).astimezone(timezone(timedelta(hours=zone)))
    outputs = {**PREPAID_OUTPUTS, "expired_at": end.isoformat()}
    inputs = _until(until.isoformat())
    assert _diff(Engine("urn"), inputs, inputs, outputs).changes is bool(beyond)


# What is waited for


def test_what_is_waited_for_is_shown(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, log: Log
) -> None:
    busy = refusal("InternalError.ErrConflict")
    cloud.of_name(listing(registry(RegistryId="tcr-old", Status="Deleting")), FREE)
    cloud.answers(CREATE, CREATED)
    cloud.of_id(listing(registry(Status="Deploying")), *[listing(registry())] * 5)
    cloud.answers(ENTRANCE, *[entrance("Opening")] * 2, entrance("Opened"))
    cloud.answers(POLICIES, allowed(policy("192.0.2.1")))
    engine.create(provider, {**ACCESSIBLE, "registry_charge_type": 0})
    cloud.answers(MODIFY, busy, DONE)
    _update(engine, provider, PROTECTED)
    cloud.vendor._mock.reset()
    cloud.of_id(*[listing(registry(Status="Deploying"))] * 2, listing(registry(Status="Deleting")))
    cloud.of_id(NONE)
    cloud.answers(DELETE, refusal("OperationDenied"), DONE)
    _delete(engine, provider)
    shown = [one.message for one in log.requests]
    for text in (
        "waiting for the end of tcr-old",
        "Deploying for 0 s, waiting for Running",
        "public entrance Opening, waiting for Opened",
        "another change is under way",
        "Deploying, waiting until it can be deleted",
        "Deleting for 0 s, waiting for its end",
    ):
        assert [line for line in shown if text in line], text


# Nobody waits for it any more


def test_create_of_which_the_answer_is_lost_looks_once_when_the_engine_has_gone(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    engine.context.active = False
    cloud.of_name(FREE, NONE)
    cloud.answers(CREATE, read_timeout())
    with pytest.raises(Ambiguous):
        engine.create(provider, INPUTS, timeout=2)
    assert cloud.looks_by_name == 1 + cloud.count(CREATE)


def test_create_waits_for_no_name_when_the_engine_has_gone(
    engine: Engine, cloud: Tcr, provider: InstanceProvider, replaced: dict[str, Any]
) -> None:
    engine.context.active = False
    cloud.of_name(listing(registry(RegistryId="tcr-old", Status="Deleting")), FREE)
    with pytest.raises(Error, match="is still being deleted"):
        engine.create(provider, replaced, timeout=2)
    cloud.answers(CREATE, refusal("InvalidParameter.ErrorNameExists"))
    with pytest.raises(Refused, match="is not free yet"):
        engine.create(provider, replaced, timeout=2)
    assert (cloud.looks_by_name, cloud.count(CREATE)) == (2, 1)


def test_update_waits_for_nothing_when_the_engine_has_gone(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    engine.context.active = False
    cloud.of_id(listing(registry(Status="Deploying")))
    with pytest.raises(InitFailed, match="still Deploying"):
        _update(engine, provider, INPUTS, timeout=2)
    cloud.vendor._mock.reset()
    cloud.of_id(listing(registry()))
    cloud.answers(MODIFY, refusal("InternalError.ErrConflict"))
    with pytest.raises(Refused, match="another change"):
        _update(engine, provider, PROTECTED, timeout=2)
    assert cloud.count(MODIFY) == 1
    # Nobody would hold the note of it.
    with pytest.raises(InitFailed, match=r"so nothing is ordered\. Run `pulumi up`"):
        _update(engine, provider, PREPAID, timeout=2)
    assert cloud.count(RENEW) == 0
    # That of an order that was made before is in state.
    cloud.vendor._mock.reset()
    cloud.of_id(listing(prepaid()), RENEWED)
    outs = _update(engine, provider, UNTIL, UNTIL, ORDERED)
    assert outs == {**PREPAID_OUTPUTS, "expired_at": LATER}
    cloud.vendor._mock.reset()
    cloud.of_id(listing(registry()))
    cloud.answers(ENTRANCE, entrance("Opening"))
    cloud.answers(POLICIES, allowed())
    with pytest.raises(InitFailed, match=r"entrance is still Opening\."):
        _update(engine, provider, ACCESSIBLE, timeout=2)
    assert len(cloud.vendor.actions) < 20


def test_delete_waits_for_no_end_when_the_engine_has_gone(
    engine: Engine, cloud: Tcr, provider: InstanceProvider
) -> None:
    engine.context.active = False
    cloud.of_id(listing(registry(Status="Deploying")))
    cloud.answers(DELETE, refusal("OperationDenied"), served())
    with pytest.raises(Refused, match="OperationDenied"):
        _delete(engine, provider, timeout=2)
    with pytest.raises(Error, match="it is still Deploying"):
        _delete(engine, provider, timeout=2)
    assert cloud.count(DELETE) == 2
    assert cloud.count(DESCRIBE) == 4


# The program


def _declared(program: Callable[[], Instance]) -> pulumi.runtime.MockResourceArgs:
    """What the engine is told of a program's registry."""
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        return program().urn

    run()
    [declared] = mocks.resources
    return declared


def test_program_tells_the_engine_every_input_under_its_name() -> None:
    given: dict[str, Any] = {
        "registry_type": "premium",
        "registry_name": NAME,
        "registry_charge_type": 1,
        "registry_charge_prepaid": {"period": 1},
        "paid_until": "2027-01-31T00:00:00Z",
        "sync_tag": True,
        "enable_cos_maz": True,
        "enable_cos_versioning": True,
        "deletion_protection": True,
        "public_access": OPEN,
        "delete_bucket": True,
        "region": "ap-seoul",
        "adopt_id": ID,
    }
    for tags in ({"tags": {"k": "v"}}, {"tag_specification": {"tags": [{"key": "k"}]}}):
        declared = _declared(lambda tags=tags: Instance("web", **given, **tags))  # type: ignore[misc]
        assert declared.typ == "pulumi-python:dynamic/tencentcloud/tcr:Instance"
        told = {name: value for name, value in declared.inputs.items() if name != PROVIDER_KEY}
        assert told == {**given, **tags}


def test_program_gets_a_registry_where_it_says() -> None:
    options = pulumi.ResourceOptions(protect=True)
    declared = _declared(lambda: Instance.get("web", ID, options, region="ap-seoul"))
    assert declared.resource_id == ID
    assert declared.inputs["region"] == "ap-seoul"


# Lookups


class _Engine(pulumi.runtime.Mocks):
    """Unlike the package's own mocks it leaves lookups to the vendor."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(args)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], None]:
        raise AssertionError(args)


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment, where a lookup finds it."""
    pulumi.runtime.set_mocks(_Engine())
    settings = {"SECRET_ID": "AKIDunit", "SECRET_KEY": SECRET_KEY, "REGION": REGION}
    for name, value in settings.items():
        monkeypatch.setenv(f"TENCENTCLOUD_{name}", value)


@pytest.mark.usefixtures("_key")
def test_lookup_shows_a_registry_as_it_is(cloud: Tcr) -> None:
    shown = prepaid(EnableCosMAZ=True, DeletionProtection=True, RegistryType="premium")
    tags = {"ResourceType": "instance", "Tags": [{"Key": "k", "Value": "v"}]}
    cloud.of_id(listing({**shown, "TagSpecification": tags}))
    assert tcr.get_instance(registry_id=ID, region="ap-seoul") == GetInstanceResult(
        registry_id=ID,
        registry_name=NAME,
        registry_type="premium",
        status="Running",
        public_domain=f"{NAME}.tencentcloudcr.com",
        internal_endpoint="10.1.67.13",
        registry_charge_type=1,
        deletion_protection=True,
        enable_cos_maz=True,
        created_at=CREATED_AT,
        expired_at=EXPIRED_AT,
        tags={"k": "v"},
    )
    [request] = cloud.vendor.requests(DESCRIBE)
    assert request.headers["X-TC-Region"] == "ap-seoul"


@pytest.mark.usefixtures("_key")
def test_lookup_shows_a_registry_of_which_the_vendor_says_next_to_nothing(cloud: Tcr) -> None:
    cloud.of_id(listing({"RegistryId": ID}))
    assert tcr.get_instance(registry_id=ID) == GetInstanceResult(
        registry_id=ID,
        registry_name="",
        registry_type="",
        status="",
        public_domain="",
        internal_endpoint=None,
        registry_charge_type=None,
        deletion_protection=None,
        enable_cos_maz=None,
        created_at="",
        expired_at=None,
        tags={},
    )


@pytest.mark.usefixtures("_key")
def test_lookup_that_finds_none_says_what_to_check(cloud: Tcr) -> None:
    cloud.of_id(NONE)
    cloud.of_name(listing(registry(RegistryName=f"{NAME}-2")))
    with pytest.raises(LookUpFailed, match=f"no registry {ID}. Check registry_id and the region"):
        tcr.get_instance(registry_id=ID)
    with pytest.raises(LookUpFailed, match=f"registry {NAME}. Check registry_name and the region"):
        tcr.get_instance(registry_name=NAME)


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize("by", [{"registry_id": ID}, {"registry_name": NAME}], ids=str)
def test_lookup_waits_for_its_inputs(cloud: Tcr, by: dict[str, str]) -> None:
    cloud.of_id(listing(registry()))
    cloud.of_name(listing(registry()))
    found: list[GetInstanceResult] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        waiting: dict[str, Any] = {name: pulumi.Output.from_input(by[name]) for name in by}
        return tcr.get_instance_output(**waiting, region="ap-seoul").apply(found.append)

    run()
    assert [one.registry_id for one in found] == [ID]
    [request] = cloud.vendor.requests(DESCRIBE)
    assert request.headers["X-TC-Region"] == "ap-seoul"

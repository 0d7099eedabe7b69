"""Tencent Container Registry (TCR), version 2019-09-24: enterprise registries and what they hold.

Source: the page of CreateInstance, and those of the other actions and data types of the same API.
Where the pages are silent, a comment says what is done here; where they leave two ways open, a
setting chooses.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import secrets
import string
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from . import ledger
from .api import Api, Call, Control, ControlError, Json, Setting, VendorError
from .clock import CHINA, months_later
from .parameters import Flag, Many, Parameter, Structure, Text, Whole, missing
from .store import Documents, Store
from .tencentcloud import account_number

# name: (RegionId, Alias, Remark)
REGIONS = {
    "ap-guangzhou": (1, "gz", "广州"),
    "ap-shanghai": (4, "sh", "上海"),
    "ap-hongkong": (5, "hk", "中国香港"),
    "ap-shanghai-fsi": (7, "shjr", "上海金融"),
    "ap-beijing": (8, "bj", "北京"),
    "ap-singapore": (9, "sg", "新加坡"),
    "ap-shenzhen-fsi": (11, "szjr", "深圳金融"),
    "na-siliconvalley": (15, "usw", "硅谷"),
    "ap-chengdu": (16, "cd", "成都"),
    "eu-frankfurt": (17, "de", "法兰克福"),
    "ap-seoul": (18, "kr", "首尔"),
    "ap-chongqing": (19, "cq", "重庆"),
    "ap-mumbai": (21, "in", "孟买"),
    "na-ashburn": (22, "use", "弗吉尼亚"),
    "ap-bangkok": (23, "th", "曼谷"),
    "ap-tokyo": (25, "jp", "东京"),
    "ap-nanjing": (33, "nj", "南京"),
    "ap-jakarta": (72, "jkt", "雅加达"),
    "sa-saopaulo": (74, "sao", "圣保罗"),
}

PENDING, DEPLOYING, RUNNING, DELETING = "Pending", "Deploying", "Running", "Deleting"
UNHEALTHY, BUCKET_ERROR, ISOLATE = "Unhealthy", "Bucket-Error", "Isolate"
FAILED_CREATED, FAILED_UPDATED = "FailedCreated", "FailedUpdated"
DELETE_FAILED, DELETE_BUCKET_FAILED = "DeleteFailed", "DeleteBucketFailed"
MOVING = (PENDING, DEPLOYING, DELETING)
STATUSES = (
    *MOVING,
    RUNNING,
    UNHEALTHY,
    BUCKET_ERROR,
    ISOLATE,
    FAILED_CREATED,
    FAILED_UPDATED,
    DELETE_FAILED,
    DELETE_BUCKET_FAILED,
)
ABSENT = "absent"  # no status of the vendor's: for orders to the emulator

OPENING, OPENED, CLOSED = "Opening", "Opened", "Closed"

TYPES = ("basic", "standard", "premium")  # from the smallest to the largest

# The console's rule; the page only says that there is one.
NAME = re.compile(r"[a-z0-9][a-z0-9-]{3,48}[a-z0-9]")
NAMESPACE_NAME = re.compile(r"(?=.{2,30}$)[a-z0-9]+([._-][a-z0-9]+)*")
# The page does not say which ones.
RESERVED_NAMES = frozenset(
    ("admin", "harbor", "library", "public", "qcloud", "registry", "tencent", "tencentcloud")
)
IPV4_RANGE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?")

FIELDS = (
    "RegistryId",
    "RegistryName",
    "RegistryType",
    "Status",
    "PublicDomain",
    "CreatedAt",
    "RegionName",
    "RegionId",
    "EnableAnonymous",
    "TokenValidTime",
    "InternalEndpoint",
    "TagSpecification",
    "ExpiredAt",
    "PayMod",
    "RenewFlag",
    "DeletionProtection",
    "EnableCosMAZ",
)
MAINLAND_FIELDS = ("EnableCosVersioning", "AIFeature")

TAGS = 10
TOKEN_HOURS = 87600  # as in the page's example
GRACE = timedelta(hours=24)  # from the first debt to Isolate
RECYCLED = timedelta(days=7)  # from Isolate to the end

REGISTRIES = "registries"
NAMES = "registry_names"  # apart, because a name may be taken for longer than its registry lives
REPLICATIONS = "replications"

INVALID = "InvalidParameter"

api = Api(
    "tcr",
    "2019-09-24",
    settings={
        "site": Setting("mainland", choices=("mainland", "intl")),
        "registry_quota": Setting(10),  # in one region
        "taken_registry_names": Setting([]),  # by customers who are not here
        # How long each takes; 0: at once.
        "tcr_pending_seconds": Setting(1),
        "tcr_deploying_seconds": Setting(2),
        "tcr_upgrade_seconds": Setting(1),
        "tcr_delete_seconds": Setting(1),
        "tcr_name_seconds": Setting(0),  # from the end of a registry until its name is free
        "tcr_endpoint_seconds": Setting(1),
        "tcr_replication_seconds": Setting(1),
        # What the pages leave open.
        "tcr_upgrade_status": Setting(RUNNING, choices=(RUNNING, DEPLOYING)),
        "tcr_endpoint_closing": Setting(DELETING, choices=(DELETING, "Closing")),
        "tcr_name_filter": Setting("exact", choices=("exact", "fuzzy")),
        "tcr_missing_registry": Setting("empty", choices=("empty", "error")),
    },
)


def _whole(smallest: int, largest: int | None = None, **more: Any) -> Whole:
    return Whole(smallest, largest, too_small=INVALID, too_large=INVALID, **more)


ID = Text(required=True)
IDS = Many(Text())
OFFSET = _whole(0, default=0)
LIMIT = _whole(1, 100, default=20)
FILTERS = Many(Structure({"Name": Text(required=True), "Values": Many(Text(), required=True)}))
# The Tag API's limits: this page has none.
TAG_KEY_LENGTH, TAG_VALUE_LENGTH = 127, 255
TAG_SPECIFICATION = Structure(
    {
        "ResourceType": Text(default="instance", choices=("instance",), not_a_choice=INVALID),
        "Tags": Many(
            Structure(
                {
                    "Key": Text(TAG_KEY_LENGTH, required=True, too_long=INVALID),
                    "Value": Text(TAG_VALUE_LENGTH, required=True, too_long=INVALID),
                }
            ),
            most=TAGS,
            too_many="InvalidParameter.ErrorTagOverLimit",
        ),
    }
)
PREPAID = {
    # The page has no upper limit; a century keeps the calendar in order.
    "Period": _whole(1, 1200, required=True),
    "RenewFlag": _whole(0, 2, required=True),
}


# --- registries -------------------------------------------------------------------------------


@api.action(
    "CreateInstance",
    {
        "RegistryName": Text(required=True),
        "RegistryType": Text(required=True),
        "TagSpecification": TAG_SPECIFICATION,
        "RegistryChargeType": _whole(0, 1, default=0),
        "RegistryChargePrepaid": Structure(PREPAID),
        "SyncTag": Flag(default=False),
        "EnableCosMAZ": Flag(default=False),
        "DeletionProtection": Flag(default=False),
        "EnableCosVersioning": Flag(),
    },
    ids=("RegistryId",),
    endings=(FAILED_CREATED, UNHEALTHY, BUCKET_ERROR, ISOLATE),
)
def create_instance(call: Call) -> Json:
    """The id comes at once, the registry later; the name is taken from now on."""
    _check_region(call, "InvalidParameter.UnsupportedRegion")
    _check_site(call)
    name, kind = call["RegistryName"], call["RegistryType"]
    _check_name(call, name)
    _check_type(kind)
    prepaid = call.get("RegistryChargePrepaid") if call["RegistryChargeType"] else None
    if call["RegistryChargeType"] and prepaid is None:
        raise missing("RegistryChargePrepaid")
    tags = (call.get("TagSpecification") or {}).get("Tags") or []
    if len({tag["Key"] for tag in tags}) < len(tags) or not all(tag["Key"] for tag in tags):
        raise VendorError(INVALID, "The tag keys must be there and differ.")
    registries = call.documents(REGISTRIES)
    if registries.count() >= call.settings["registry_quota"]:
        raise VendorError("OperationDenied.QuotaOverLimit", "Reached the upper limit of quota.")
    _check_balance(call)
    versioning = call.get("EnableCosVersioning")
    registry = {
        "RegistryId": f"tcr-{_letters(8)}",
        "RegistryName": name,
        "RegistryType": kind,
        "Status": PENDING,
        "PublicDomain": f"{name}.tencentcloudcr.com",
        "InternalEndpoint": "",
        "RegionName": call.region,
        "RegionId": REGIONS[call.region][0],
        "EnableAnonymous": False,
        "TokenValidTime": TOKEN_HOURS,
        "CreatedAt": _beijing_time(call.now),
        "ExpiredAt": "",
        "PayMod": 0,
        "RenewFlag": 0,
        "TagSpecification": _tag_specification(tags),
        "DeletionProtection": call["DeletionProtection"],
        "EnableCosMAZ": call["EnableCosMAZ"],
        "EnableCosVersioning": kind == "premium" if versioning is None else versioning,
        "AIFeature": None,
        # what no answer has
        "Account": call.account,
        "SyncTag": call["SyncTag"],
        "Tags": tags,
        "Conditions": [],
        "Upgrading": False,
        "EndpointStatus": CLOSED,
        "EndpointReason": "",
        "Policies": [],
        "PolicyVersion": 0,
        "Namespaces": [],
        "Tokens": [],
    }
    registry_id = str(registry["RegistryId"])
    if prepaid is not None:
        registry |= _prepaid(call.now, prepaid)
    registries.add(registry_id, registry, hidden=call.hidden_reads)
    call.documents(NAMES).add(name, {"RegistryName": name, "RegistryId": registry_id})
    ledger.charge(call, ledger.PURCHASE, registry_id, RegistryType=kind, **_charged(prepaid))
    if prepaid is not None:
        _expire_later(call.store, registry)
    if not call.stuck:
        deployed = call.now + timedelta(seconds=call.settings["tcr_pending_seconds"])
        ready = deployed + timedelta(seconds=call.settings["tcr_deploying_seconds"])
        registries.later(registry_id, deployed, "status", {"Status": DEPLOYING})
        registries.later(registry_id, ready, "status", _reached(call, RUNNING))
    return {"RegistryId": registry_id}


@api.action(
    "DescribeInstances",
    {
        "Registryids": IDS,
        "Offset": OFFSET,
        "Limit": LIMIT,
        "Filters": FILTERS,
        "AllRegion": Flag(default=False),
    },
)
def describe_instances(call: Call) -> Json:
    """In order of creation in each region; all filters must match, any value of each does."""
    _check_region(call)
    ids, fuzzy = call.get("Registryids") or [], call.settings["tcr_name_filter"] == "fuzzy"
    found: list[Json] = []
    for region in REGIONS if call["AllRegion"] else (call.region,):
        place = call.store.documents(call.account, api.service, region, REGISTRIES)
        found += place.read(ids)
    if ids and not found and call.settings["tcr_missing_registry"] == "error":
        raise _not_found(ids[0])
    for one in call.get("Filters") or []:
        if one["Name"] != "RegistryName":
            raise VendorError(INVALID, f"The filter `{one['Name']}` is not known.")
        found = [
            registry
            for registry in found
            if any(
                value in registry["RegistryName"] if fuzzy else value == registry["RegistryName"]
                for value in one["Values"]
            )
        ]
    page = found[call["Offset"] : call["Offset"] + call["Limit"]]
    return {
        "TotalCount": len(found),
        "Registries": [_registry(call, registry) for registry in page],
    }


@api.action("DescribeInstanceStatus", {"RegistryIds": IDS})
def describe_instance_status(call: Call) -> Json:
    """Ids that are not there are left out."""
    _check_region(call)
    return {
        "RegistryStatusSet": [
            {
                "RegistryId": registry["RegistryId"],
                "Status": registry["Status"],
                "Conditions": registry["Conditions"]
                or [{"Type": "", "Status": registry["Status"], "Reason": ""}],
            }
            for registry in call.documents(REGISTRIES).read(call.get("RegistryIds") or [])
        ]
    }


@api.action("CheckInstanceName", {"RegistryName": Text(required=True)})
def check_instance_name(call: Call) -> Json:
    """DetailCode: 0 free, 1 illegal, 2 reserved, 3 taken (by the asker too: the page is silent)."""
    _check_region(call)
    code = _name_problem(call, call["RegistryName"])
    # The international page has no DetailCode.
    detail = {} if call.settings["site"] == "intl" else {"DetailCode": code}
    return {"IsValidated": code == 0, **detail}


@api.action("CheckInstance", {"RegistryId": ID})
def check_instance(call: Call) -> Json:
    """Whether the account has it, in whatever region."""
    _check_region(call)
    found = call.store.find(api.service, REGISTRIES, call["RegistryId"])
    if found is None or found[0].account != call.account:
        return {"IsValidated": False, "RegionId": 0}
    return {"IsValidated": True, "RegionId": found[1]["RegionId"]}


@api.action("DescribeRegions")
def describe_regions(call: Call) -> Json:
    """Every region is open to all here."""
    _check_region(call)
    regions = [
        {
            "Alias": alias,
            "RegionId": region_id,
            "RegionName": name,
            "Status": "alluser",
            "Remark": remark,
            "CreatedAt": "2019-09-24T00:00:00+08:00",
            "UpdatedAt": "2019-09-24T00:00:00+08:00",
            "Id": number,
        }
        for number, (name, (region_id, alias, remark)) in enumerate(REGIONS.items(), 1)
    ]
    return {"TotalCount": len(regions), "Regions": regions}


@api.action(
    "ModifyInstance",
    {
        "RegistryId": ID,
        "RegistryType": Text(),
        "DeletionProtection": Flag(),
        "EnableCosVersioning": Flag(),
    },
    endings=(FAILED_UPDATED, UNHEALTHY),
)
def modify_instance(call: Call) -> Json:
    """One property or several, all or none; only another type takes its time."""
    _check_region(call)
    _check_site(call)
    kind = call.get("RegistryType")
    changes = {
        name: call[name]
        for name in ("DeletionProtection", "EnableCosVersioning")
        if call.get(name) is not None
    }
    if kind is None and not changes:
        raise VendorError(INVALID, "There is nothing to modify.")
    if kind is not None:
        _check_type(kind)
    registry = _existing(call)
    if registry["Status"] == DELETING:
        raise VendorError("OperationDenied", "The registry is being deleted.")
    upgraded = kind is not None and kind != registry["RegistryType"]
    if upgraded:
        _check_idle(registry)
        if registry["Status"] not in (RUNNING, FAILED_UPDATED):
            raise VendorError("OperationDenied", f"The registry is {registry['Status']}.")
        if TYPES.index(kind) < TYPES.index(registry["RegistryType"]):
            raise VendorError("UnsupportedOperation", "A registry cannot be downgraded.")
    if upgraded or call.ending:
        registry |= {"Upgrading": True, "Status": call.settings["tcr_upgrade_status"]}
        registry["Conditions"] = []
    _replace(call, {**registry, **changes})
    if upgraded and registry["PayMod"]:
        ledger.charge(call, ledger.UPGRADE, registry["RegistryId"], RegistryType=kind)
    if (upgraded or call.ending) and not call.stuck:
        outcome = _reached(call, RUNNING)
        if outcome["Status"] == RUNNING:
            outcome["RegistryType"] = kind
        ready = call.now + timedelta(seconds=call.settings["tcr_upgrade_seconds"])
        call.documents(REGISTRIES).later(registry["RegistryId"], ready, "status", outcome)
    return {}


@api.action(
    "RenewInstance",
    {
        "RegistryId": ID,
        "RegistryChargePrepaid": Structure(PREPAID, required=True),
        "Flag": _whole(0, 1, required=True),
    },
)
def renew_instance(call: Call) -> Json:
    """Flag 0: some months more, at every call; 1: from pay-as-you-go to prepaid, once."""
    _check_region(call)
    registry = _existing(call)
    _check_idle(registry)
    if call["Flag"] == registry["PayMod"]:
        raise VendorError(
            "OperationDenied",
            "The registry is prepaid already." if call["Flag"] else "The registry is not prepaid.",
        )
    # One in the recycle bin comes back by being paid for.
    if registry["Status"] not in (RUNNING, ISOLATE):
        raise VendorError("OperationDenied", f"The registry is {registry['Status']}.")
    _check_balance(call)
    prepaid = call["RegistryChargePrepaid"]
    begins = call.now
    if registry["ExpiredAt"]:
        begins = max(begins, datetime.fromisoformat(registry["ExpiredAt"]))
    registry |= {**_prepaid(begins, prepaid), **_condition(RUNNING)}
    _replace(call, registry)
    _cancel(call.store, registry, "expiry", "arrears")
    _expire_later(call.store, registry)
    what = ledger.CONVERSION if call["Flag"] else ledger.RENEWAL
    ledger.charge(call, what, registry["RegistryId"], **_charged(prepaid))
    return {}


@api.action(
    "DeleteInstance",
    {"RegistryId": ID, "DeleteBucket": Flag(default=False), "DryRun": Flag(default=False)},
    endings=(DELETE_FAILED, DELETE_BUCKET_FAILED, ISOLATE),
)
def delete_instance(call: Call) -> Json:
    """A dry run checks as the real one does (the page is silent on what it checks)."""
    _check_region(call)
    registry = _existing(call)
    registry_id = registry["RegistryId"]
    # The page names no code for these three; OperationDenied is the one that fits.
    if registry["DeletionProtection"]:
        raise VendorError("OperationDenied", "The deletion protection of the registry is on.")
    if registry["Namespaces"]:
        raise VendorError("OperationDenied", "please delete namespace or repository first")
    if count := len(_replications(call, registry_id)):
        raise VendorError("OperationDenied", f"registry has {count} replication registry")
    _check_idle(registry)
    if call["DryRun"]:
        return {}
    outcome = _reached(call, ABSENT)
    if call["DeleteBucket"] and ledger.in_arrears(call) and not call.ending:
        outcome = _condition(DELETE_BUCKET_FAILED, "the account is in arrears")
    _cancel(call.store, registry, "status", "expiry", "arrears")
    registry |= {"Status": DELETING, "Conditions": []}
    _replace(call, registry)
    if call.stuck:
        return {}
    done = call.now + timedelta(seconds=call.settings["tcr_delete_seconds"])
    if registry["PayMod"] and outcome["Status"] in (ABSENT, ISOLATE):
        ledger.charge(call, ledger.REFUND, registry_id)
    if outcome["Status"] == ABSENT:
        free = done + timedelta(seconds=call.settings["tcr_name_seconds"])
        _erase_later(call.store, registry, done, "status", name_free=free)
        return {}
    call.documents(REGISTRIES).later(registry_id, done, "status", outcome)
    if outcome["Status"] == ISOLATE:
        _erase_later(call.store, registry, done + RECYCLED, "status")
    return {}


# --- the public entrance ----------------------------------------------------------------------


@api.action(
    "ManageExternalEndpoint",
    {
        "RegistryId": ID,
        "Operation": Text(required=True, choices=("Create", "Delete"), not_a_choice=INVALID),
    },
    ids=("RegistryId",),
    endings=(OPENED, CLOSED),
)
def manage_external_endpoint(call: Call) -> Json:
    """Only what is closed opens, only what is open closes; closing takes the policies along."""
    _check_region(call)
    registry = _running(call)
    opens = call["Operation"] == "Create"
    if registry["EndpointStatus"] != (CLOSED if opens else OPENED):
        raise VendorError(
            "UnsupportedOperation", f"The external endpoint is {registry['EndpointStatus']}."
        )
    moving = OPENING if opens else call.settings["tcr_endpoint_closing"]
    _replace(call, {**registry, "EndpointStatus": moving, "EndpointReason": ""})
    if not call.stuck:
        outcome: Json = {"EndpointStatus": call.ending or (OPENED if opens else CLOSED)}
        if call.ending:
            outcome["EndpointReason"] = _reason(call)
        if outcome["EndpointStatus"] == CLOSED:
            outcome["Policies"] = []
        done = call.now + timedelta(seconds=call.settings["tcr_endpoint_seconds"])
        call.documents(REGISTRIES).later(registry["RegistryId"], done, "endpoint", outcome)
    return {"RegistryId": registry["RegistryId"]}


@api.action("DescribeExternalEndpointStatus", {"RegistryId": ID})
def describe_external_endpoint_status(call: Call) -> Json:
    """A registry that is not there is an error here, unlike in DescribeInstances."""
    _check_region(call)
    registry = _existing(call)
    return {"Status": registry["EndpointStatus"], "Reason": registry["EndpointReason"]}


POLICY: dict[str, Parameter] = {
    "PolicyIndex": _whole(0),
    "Description": Text(required=True, shortest=1, too_short=INVALID),
    "CidrBlock": Text(required=True),
    "PolicyVersion": Text(),
}
NEW_POLICY = {name: POLICY[name] for name in ("Description", "CidrBlock")}


@api.action("CreateSecurityPolicy", {"RegistryId": ID, **NEW_POLICY}, ids=("RegistryId",))
def create_security_policy(call: Call) -> Json:
    """One CIDR may be in the list twice."""
    return _add_policies(call, [call.parameters])


@api.action(
    "CreateMultipleSecurityPolicy",
    {"RegistryId": ID, "SecurityGroupPolicySet": Many(Structure(POLICY), required=True)},
    ids=("RegistryId",),
)
def create_multiple_security_policy(call: Call) -> Json:
    """All or none; index and version are the service's own to give."""
    return _add_policies(call, call["SecurityGroupPolicySet"])


@api.action("DescribeSecurityPolicies", {"RegistryId": ID})
def describe_security_policies(call: Call) -> Json:
    """While the endpoint is not open, the same code as for a registry that is not there."""
    _check_region(call)
    registry = _existing(call)
    if registry["EndpointStatus"] != OPENED:
        raise VendorError("ResourceNotFound", "Failed to get security group id from registry")
    return {
        "SecurityPolicySet": [
            {"PolicyIndex": index, **policy, "PolicyVersion": str(registry["PolicyVersion"])}
            for index, policy in enumerate(registry["Policies"])
        ]
    }


@api.action(
    "ModifySecurityPolicy",
    {"RegistryId": ID, "PolicyIndex": _whole(0, required=True), **NEW_POLICY},
    ids=("RegistryId",),
)
def modify_security_policy(call: Call) -> Json:
    """It keeps its index."""
    registry = _opened(call)
    policies = list(registry["Policies"])
    if call["PolicyIndex"] >= len(policies):
        raise _no_policy()
    policies[call["PolicyIndex"]] = _policy(call.parameters)
    return _replace_policies(call, registry, policies)


@api.action(
    "DeleteSecurityPolicy",
    {
        "RegistryId": ID,
        "PolicyIndex": _whole(0, required=True),
        "PolicyVersion": Text(required=True),
        "CidrBlock": Text(),
    },
    ids=("RegistryId",),
)
def delete_security_policy(call: Call) -> Json:
    """The CIDR wins over the index, and the version must be that of the list as it is."""
    return _remove_policies(call, [call.parameters])


@api.action(
    "DeleteMultipleSecurityPolicy",
    {
        "RegistryId": ID,
        "SecurityGroupPolicySet": Many(
            Structure({**POLICY, "Description": Text(), "CidrBlock": Text()}), required=True
        ),
    },
    ids=("RegistryId",),
)
def delete_multiple_security_policy(call: Call) -> Json:
    """All or none; the indexes are those before the call."""
    return _remove_policies(call, call["SecurityGroupPolicySet"])


def _add_policies(call: Call, policies: list[Json]) -> Json:
    registry = _opened(call)
    added = [_policy(policy) for policy in policies]
    # The newest come first, as in the security groups behind this (the page is silent).
    return _replace_policies(call, registry, [*added, *registry["Policies"]])


def _remove_policies(call: Call, chosen: list[Json]) -> Json:
    registry = _opened(call)
    policies = registry["Policies"]
    gone: set[int] = set()
    for one in chosen:
        if one.get("PolicyVersion") not in (None, str(registry["PolicyVersion"])):
            raise _no_policy()
        if "CidrBlock" in one:
            found = [
                index
                for index, policy in enumerate(policies)
                if policy["CidrBlock"] == one["CidrBlock"] and index not in gone
            ][:1]
        else:
            found = [index for index in range(len(policies)) if index == one.get("PolicyIndex")]
        if not found:
            raise _no_policy()
        gone.update(found)
    kept = [policy for index, policy in enumerate(policies) if index not in gone]
    return _replace_policies(call, registry, kept)


def _replace_policies(call: Call, registry: Json, policies: list[Json]) -> Json:
    # One version for the whole list, as in the security groups behind this (the page is silent).
    version = registry["PolicyVersion"] + 1
    _replace(call, {**registry, "Policies": policies, "PolicyVersion": version})
    return {"RegistryId": registry["RegistryId"]}


def _policy(sent: Json) -> Json:
    block = sent["CidrBlock"]
    try:
        if not IPV4_RANGE.fullmatch(block):
            raise ValueError(block)  # noqa: TRY301 - the same refusal for both
        ipaddress.IPv4Network(block, strict=False)
    except ValueError:
        raise VendorError(
            INVALID, "The parameter `CidrBlock` is no IPv4 address or CIDR."
        ) from None
    return {"Description": sent["Description"], "CidrBlock": block}


def _no_policy() -> VendorError:
    return VendorError("ResourceNotFound", "The security policy is not found.")


# --- namespaces -------------------------------------------------------------------------------


@api.action(
    "CreateNamespace",
    {
        "RegistryId": ID,
        "NamespaceName": Text(required=True),
        "IsPublic": Flag(required=True),
        "TagSpecification": TAG_SPECIFICATION,
    },
)
def create_namespace(call: Call) -> Json:
    """As much of it as it takes to keep a registry from being deleted."""
    _check_region(call)
    registry = _running(call)
    name = call["NamespaceName"]
    if not NAMESPACE_NAME.fullmatch(name):
        raise VendorError(INVALID, "The parameter `NamespaceName` is not valid.")
    if any(namespace["Name"] == name for namespace in registry["Namespaces"]):
        raise VendorError("InternalError.ErrorConflict", f"The namespace `{name}` exists.")
    tags = (call.get("TagSpecification") or {}).get("Tags") or []
    namespace = {
        "Name": name,
        "CreationTime": _beijing_time(call.now),
        "Public": call["IsPublic"],
        "NamespaceId": secrets.randbelow(2**31),
        "TagSpecification": _tag_specification(tags),
        "Metadata": [],
        "CVEWhitelistItems": [],
        "AutoScan": False,
        "PreventVUL": False,
        "Severity": "",
    }
    _replace(call, {**registry, "Namespaces": [*registry["Namespaces"], namespace]})
    return {}


@api.action(
    "DescribeNamespaces",
    {
        "RegistryId": ID,
        "NamespaceName": Text(),
        "Limit": LIMIT,
        # A page's number, not an item's; that 0 is the first page too is not on the page.
        "Offset": OFFSET,
        "All": Flag(default=False),
    },
)
def describe_namespaces(call: Call) -> Json:
    """Names match in part (the page is silent)."""
    _check_region(call)
    found = [
        namespace
        for namespace in _existing(call)["Namespaces"]
        if (call.get("NamespaceName") or "") in namespace["Name"]
    ]
    begin = max(call["Offset"] - 1, 0) * call["Limit"]
    page = found if call["All"] else found[begin : begin + call["Limit"]]
    return {"NamespaceList": page, "TotalCount": len(found)}


@api.action("DeleteNamespace", {"RegistryId": ID, "NamespaceName": Text(required=True)})
def delete_namespace(call: Call) -> Json:
    """There are no repositories here that could keep it."""
    _check_region(call)
    registry = _running(call)
    name = call["NamespaceName"]
    kept = [namespace for namespace in registry["Namespaces"] if namespace["Name"] != name]
    if len(kept) == len(registry["Namespaces"]):
        raise VendorError("ResourceNotFound", f"The namespace `{name}` is not found.")
    _replace(call, {**registry, "Namespaces": kept})
    return {}


# --- replicas in other regions ----------------------------------------------------------------


@api.action(
    "CreateReplicationInstance",
    {
        "RegistryId": ID,
        "ReplicationRegionId": Whole(),
        "ReplicationRegionName": Text(),
        "SyncTag": Flag(default=False),
    },
    ids=("ReplicationRegistryId",),
)
def create_replication_instance(call: Call) -> Json:
    """One for each region, one at a time."""
    _check_region(call)
    registry = _running(call)
    region_id, name = call.get("ReplicationRegionId"), call.get("ReplicationRegionName")
    if region_id is None and name is None:
        raise missing("ReplicationRegionId")
    regions = {
        region: number
        for region, (number, _, _) in REGIONS.items()
        if name in (None, region) and region_id in (None, number)
    }
    if not regions:
        raise VendorError(INVALID, "There is no such region.")
    ((name, region_id),) = regions.items()
    if registry["RegistryType"] != "premium":
        raise VendorError("UnsupportedOperation", "Only premium registries can be replicated.")
    if name == call.region:
        raise VendorError(INVALID, "The registry itself is in this region.")
    others = _replications(call, registry["RegistryId"])
    if any(other["ReplicationRegionId"] == region_id for other in others):
        raise VendorError(
            "InvalidParameter.ReplicationExists", "There is a replication in this region."
        )
    _check_replications_idle(others)
    replication = {
        "RegistryId": registry["RegistryId"],
        "ReplicationRegistryId": f"{registry['RegistryId']}-{region_id}-{_letters(8)}",
        "ReplicationRegionId": region_id,
        "ReplicationRegionName": name,
        "Status": DEPLOYING,
        "CreatedAt": _beijing_time(call.now),
    }
    replication_id = str(replication["ReplicationRegistryId"])
    replications = call.documents(REPLICATIONS)
    replications.add(replication_id, replication, hidden=call.hidden_reads)
    if not call.stuck:
        ready = call.now + timedelta(seconds=call.settings["tcr_replication_seconds"])
        replications.later(replication_id, ready, "status", {"Status": RUNNING})
    return {"ReplicationRegistryId": replication_id}


@api.action("DescribeReplicationInstances", {"RegistryId": ID, "Offset": OFFSET, "Limit": LIMIT})
def describe_replication_instances(call: Call) -> Json:
    """None is null."""
    _check_region(call)
    registry = _existing(call)
    found = [
        replication
        for replication in call.documents(REPLICATIONS).read()
        if replication["RegistryId"] == registry["RegistryId"]
    ]
    page = found[call["Offset"] : call["Offset"] + call["Limit"]]
    return {"TotalCount": len(found), "ReplicationRegistries": page or None}


@api.action(
    "DeleteReplicationInstance",
    {
        "RegistryId": ID,
        "ReplicationRegistryId": Text(required=True),
        "ReplicationRegionId": Whole(required=True),
    },
)
def delete_replication_instance(call: Call) -> Json:
    """The registry must wait until it is gone."""
    _check_region(call)
    registry = _existing(call)
    others = _replications(call, registry["RegistryId"])
    for replication in others:
        replication_id = replication["ReplicationRegistryId"]
        if (replication_id, replication["ReplicationRegionId"]) == (
            call["ReplicationRegistryId"],
            call["ReplicationRegionId"],
        ):
            break
    else:
        raise VendorError("ResourceNotFound", "The replication is not found.")
    _check_replications_idle(others)
    replications = call.documents(REPLICATIONS)
    replications.replace(replication_id, {**replication, "Status": DELETING})
    if not call.stuck:
        done = call.now + timedelta(seconds=call.settings["tcr_replication_seconds"])
        replications.later(replication_id, done, "status", None)
    return {}


def _replications(call: Call, registry_id: str) -> list[Json]:
    """Those of one registry, without counting as a read."""
    return [
        replication
        for replication in call.store.of_kind(REPLICATIONS)
        if replication["RegistryId"] == registry_id
    ]


def _check_replications_idle(replications: list[Json]) -> None:
    if any(replication["Status"] != RUNNING for replication in replications):
        raise VendorError("InternalError.ErrorConflict", "Another replication task is running.")


# --- access tokens ----------------------------------------------------------------------------

TOKEN_NOT_FOUND = "ResourceNotFound.TcrResourceNotFound"  # noqa: S105 - an error code


@api.action(
    "CreateInstanceToken",
    {
        "RegistryId": ID,
        "TokenType": Text(default="temp", choices=("temp", "longterm"), not_a_choice=INVALID),
        "Desc": Text(default=""),
    },
    ids=("TokenId",),
    secrets=("Token",),
)
def create_instance_token(call: Call) -> Json:
    """The only answer that ever has the token."""
    _check_region(call)
    registry = _existing(call, TOKEN_NOT_FOUND)
    lasting = call["TokenType"] == "longterm"
    hours = registry["TokenValidTime"] if lasting else 1
    token = {
        "Id": _letters(20) if lasting else "",
        "Desc": call["Desc"],
        "RegistryId": registry["RegistryId"],
        "Enabled": True,
        "CreatedAt": _beijing_time(call.now),
        "ExpiredAt": int((call.now + timedelta(hours=hours)).timestamp() * 1000),
        "Token": _jwt(registry["RegistryId"]),
    }
    _replace(call, {**registry, "Tokens": [*registry["Tokens"], token]})
    return {
        "Username": account_number(call.account),
        "Token": token["Token"],
        "ExpTime": token["ExpiredAt"],
        "TokenId": token["Id"],
    }


@api.action("DescribeInstanceToken", {"RegistryId": ID, "Limit": LIMIT, "Offset": OFFSET})
def describe_instance_token(call: Call) -> Json:
    """The long-term ones, without their values."""
    _check_region(call)
    tokens = [
        {name: value for name, value in token.items() if name != "Token"}
        for token in _existing(call)["Tokens"]
        if token["Id"]
    ]
    page = tokens[call["Offset"] : call["Offset"] + call["Limit"]]
    return {"TotalCount": len(tokens), "Tokens": page}


@api.action(
    "ModifyInstanceToken",
    {
        "TokenId": Text(required=True),
        "RegistryId": ID,
        "Enable": Flag(),
        "Desc": Text(),
        "ModifyFlag": _whole(1, 2, default=2),
    },
)
def modify_instance_token(call: Call) -> Json:
    """ModifyFlag 1 changes the description, 2 switches on or off."""
    name, field = ("Desc", "Desc") if call["ModifyFlag"] == 1 else ("Enable", "Enabled")
    _change_token(call, lambda token: {**token, field: _given(call, name)})
    return {}


@api.action("DeleteInstanceToken", {"RegistryId": ID, "TokenId": Text(required=True)})
def delete_instance_token(call: Call) -> Json:
    """It ends at once."""
    _change_token(call, lambda token: None)
    return {}


def _change_token(call: Call, change: Callable[[Json], Json | None]) -> None:
    _check_region(call)
    registry = _existing(call)
    tokens = registry["Tokens"]
    if not call["TokenId"] or all(token["Id"] != call["TokenId"] for token in tokens):
        raise VendorError("ResourceNotFound", "The token is not found.")
    changed = [change(token) if token["Id"] == call["TokenId"] else token for token in tokens]
    _replace(call, {**registry, "Tokens": [token for token in changed if token is not None]})


def _given(call: Call, name: str) -> Any:
    if call.get(name) is None:
        raise missing(name)
    return call[name]


def _jwt(subject: str) -> str:
    """Something in the form of a signed JSON Web Token."""
    parts = [{"alg": "RS256", "typ": "JWT"}, {"sub": subject, "jti": secrets.token_hex(16)}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    signature = base64.urlsafe_b64encode(secrets.token_bytes(96))
    return b".".join([*encoded, signature]).replace(b"=", b"").decode()


# --- tags, as the Tag service changes them ----------------------------------------------------


def tags_of(call: Call, region: str, registry_id: str) -> list[Json] | None:
    """A registry's tags as they are, `[{Key, Value}]`; `None` where there is no such registry."""
    registries = call.store.documents(call.account, api.service, region, REGISTRIES)
    registry = registries.get(registry_id)
    return None if registry is None else list(registry["Tags"])


def set_tags(
    call: Call, region: str, registry_id: str, tags: list[Json], seen_from: datetime
) -> None:
    """Give a registry other tags, which DescribeInstances shows from a moment on."""
    registries = call.store.documents(call.account, api.service, region, REGISTRIES)
    registry = registries.get(registry_id)
    if registry is not None:
        registries.replace(registry_id, {**registry, "Tags": tags})
        shown = {"TagSpecification": _tag_specification(tags)}
        registries.later(registry_id, seen_from, "tags", shown)


# --- orders to the emulator -------------------------------------------------------------------


@api.endpoint("registries")
def change_registry(control: Control) -> Json:
    """`POST /_emulator/registries`: a registry changes its status by itself.

    What it was about to become is forgotten.

    Args (JSON): `registry_id`; `status` (one of the vendor's, or `absent`: gone, name and all);
        `conditions` (list of {Type, Status, Reason}, for DescribeInstanceStatus).

    Returns:
        `{}`; HTTP 404 where there is no such registry.
    """
    body = {"conditions": [], **control.body}
    unknown = set(body) - {"registry_id", "status", "conditions"}
    if unknown:
        raise ControlError(f"unknown fields: {', '.join(sorted(unknown))}")
    if body.get("status") not in (*STATUSES, ABSENT):
        raise ControlError(f"status: one of {', '.join((*STATUSES, ABSENT))}")
    fields = {"Type", "Status", "Reason"}
    conditions = body["conditions"]
    if not isinstance(conditions, list) or not all(
        isinstance(condition, dict) and set(condition) == fields for condition in conditions
    ):
        raise ControlError("conditions: a list of {Type, Status, Reason} wanted")
    with control.store.transaction():
        found = control.store.find(api.service, REGISTRIES, str(body.get("registry_id")))
        if found is None:
            raise ControlError("registry_id: there is none such", 404)
        place, registry = found
        _cancel(control.store, registry, "status", "expiry", "arrears")
        if body["status"] == ABSENT:
            _erase_later(control.store, registry, control.clock.now(), "status")
        else:
            changes = {**_condition(body["status"]), "Conditions": conditions}
            place.replace(registry["RegistryId"], {**registry, **changes})
    return {}


@api.endpoint("arrears")
def change_arrears(control: Control) -> Json:
    """`POST /_emulator/arrears`: an account begins to owe money, or pays.

    While it owes, it can buy nothing. Its pay-as-you-go registries are isolated after a day and
    erased seven days later; paying before that brings them back.

    Args (JSON): `in_arrears` (true); `account` (a key id; the first one).
    """
    body = {"in_arrears": True, "account": None, **control.body}
    unknown = set(body) - {"in_arrears", "account"}
    if unknown:
        raise ControlError(f"unknown fields: {', '.join(sorted(unknown))}")
    if not isinstance(body["in_arrears"], bool):
        raise ControlError("in_arrears: bool wanted")
    if not isinstance(body["account"], (str, type(None))):
        raise ControlError("account: str wanted")
    account, now = control.owner(body["account"]), control.clock.now()
    with control.store.transaction():
        ledger.set_arrears(control, account, now if body["in_arrears"] else None)
        for registry in control.store.of_kind(REGISTRIES):
            if registry["Account"] != account or registry["PayMod"]:
                continue
            place = _place(control.store, registry, REGISTRIES)
            _cancel(control.store, registry, "arrears")
            if body["in_arrears"]:
                isolated = _condition(ISOLATE, "the account is in arrears")
                place.later(registry["RegistryId"], now + GRACE, "arrears", isolated)
                _erase_later(control.store, registry, now + GRACE + RECYCLED, "arrears")
            elif registry["Status"] == ISOLATE:
                place.replace(registry["RegistryId"], {**registry, **_condition(RUNNING)})
    return {}


# --- what several of them share ---------------------------------------------------------------


def _check_region(call: Call, code: str = "UnsupportedRegion") -> None:
    if call.region not in REGIONS:
        raise VendorError(code, f"The region `{call.region}` is not supported.")


def _check_site(call: Call) -> None:
    """The international page does not know this parameter."""
    if call.settings["site"] == "intl" and call.get("EnableCosVersioning") is not None:
        raise VendorError("UnknownParameter", "The parameter `EnableCosVersioning` is not known.")


def _check_type(kind: str) -> None:
    if kind not in TYPES:
        raise VendorError(INVALID, "not support registry type")


def _check_balance(call: Call) -> None:
    if ledger.in_arrears(call):
        raise VendorError("FailedOperation.TradeFailed", "The account is in arrears.")


def _name_problem(call: Call, name: str) -> int:
    """The DetailCode of CheckInstanceName."""
    if not NAME.fullmatch(name):
        return 1
    if name in RESERVED_NAMES:
        return 2
    taken = call.store.find(api.service, NAMES, name) is not None
    return 3 if taken or name in call.settings["taken_registry_names"] else 0


def _check_name(call: Call, name: str) -> None:
    problem = _name_problem(call, name)
    if problem:
        raise (
            VendorError("InvalidParameter.ErrorNameIllegal", "Invalid instance name."),
            VendorError("InvalidParameter.ErrorNameReserved", "The instance name is reserved."),
            VendorError("InvalidParameter.ErrorNameExists", "The instance name already exists."),
        )[problem - 1]


def _existing(call: Call, code: str = "ResourceNotFound") -> Json:
    registry = call.documents(REGISTRIES).get(call["RegistryId"])
    if registry is None:
        raise _not_found(call["RegistryId"], code)
    return registry


def _not_found(registry_id: str, code: str = "ResourceNotFound") -> VendorError:
    return VendorError(code, f"The registry `{registry_id}` is not found.")


def _running(call: Call) -> Json:
    registry = _existing(call)
    if registry["Status"] != RUNNING:
        raise VendorError("FailedOperation", f"The registry is {registry['Status']}.")
    return registry


def _opened(call: Call) -> Json:
    _check_region(call)
    registry = _existing(call)
    if registry["EndpointStatus"] != OPENED:
        raise VendorError(
            "OperationDenied", f"The external endpoint is {registry['EndpointStatus']}."
        )
    return registry


def _check_idle(registry: Json) -> None:
    """One thing at a time; the code is the one of replications (the page of TCR is silent)."""
    if registry["Status"] in MOVING or registry["Upgrading"]:
        raise VendorError("InternalError.ErrorConflict", "Another task of the registry is running.")


def _replace(call: Call, registry: Json) -> None:
    call.documents(REGISTRIES).replace(registry["RegistryId"], registry)


def _registry(call: Call, registry: Json) -> Json:
    """As described."""
    shown = FIELDS if call.settings["site"] == "intl" else (*FIELDS, *MAINLAND_FIELDS)
    return {name: registry[name] for name in shown}


def _reached(call: Call, status: str) -> Json:
    """What becomes of a registry: the status, or the one that a test wants instead."""
    return _condition(call.ending, _reason(call)) if call.ending else _condition(status)


def _reason(call: Call) -> str:
    return (call.fault.message if call.fault else None) or "Ordered by the test."


def _condition(status: str, reason: str = "") -> Json:
    changes: Json = {"Status": status, "Upgrading": False, "Conditions": []}
    if reason:
        changes["Conditions"] = [{"Type": "", "Status": status, "Reason": reason}]
    if status == RUNNING:
        changes["InternalEndpoint"] = "10.1.67.13"
    return changes


def _place(store: Store, registry: Json, kind: str) -> Documents:
    return store.documents(registry["Account"], api.service, registry["RegionName"], kind)


def _parts(store: Store, registry: Json) -> list[tuple[Documents, str]]:
    """Where a registry is, and what ends with it (its name is not here: that may end later)."""
    replications = _place(store, registry, REPLICATIONS)
    return [
        (_place(store, registry, REGISTRIES), registry["RegistryId"]),
        *(
            (replications, replication["ReplicationRegistryId"])
            for replication in store.of_kind(REPLICATIONS)
            if replication["RegistryId"] == registry["RegistryId"]
        ),
    ]


def _erase_later(
    store: Store,
    registry: Json,
    moment: datetime,
    name: str,
    *,
    name_free: datetime | None = None,
) -> None:
    for place, document_id in _parts(store, registry):
        place.later(document_id, moment, name, None)
    names = _place(store, registry, NAMES)
    names.later(registry["RegistryName"], name_free or moment, name, None)


def _cancel(store: Store, registry: Json, *names: str) -> None:
    taken = (_place(store, registry, NAMES), registry["RegistryName"])
    for place, document_id in (*_parts(store, registry), taken):
        for name in names:
            place.cancel(document_id, name)


def _prepaid(begins: datetime, prepaid: Json) -> Json:
    """A term from a moment on."""
    return {
        "PayMod": 1,
        "RenewFlag": prepaid["RenewFlag"],
        "ExpiredAt": _beijing_time(months_later(begins, prepaid["Period"])),
    }


def _expire_later(store: Store, registry: Json) -> None:
    """The end of a term; with automatic renewal there is none (and it is not charged here)."""
    if registry["RenewFlag"] == 1:
        return
    ends = datetime.fromisoformat(registry["ExpiredAt"])
    isolated = _condition(ISOLATE, "the term has ended")
    _place(store, registry, REGISTRIES).later(registry["RegistryId"], ends, "expiry", isolated)
    _erase_later(store, registry, ends + RECYCLED, "expiry")


def _charged(prepaid: Json | None) -> dict[str, str | int]:
    if prepaid is None:
        return {"pay_mode": "postpaid"}
    return {"pay_mode": "prepaid", "period": prepaid["Period"], "period_unit": "m"}


def _tag_specification(tags: list[Json]) -> Json | None:
    return {"ResourceType": "instance", "Tags": tags} if tags else None


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(count))


def _beijing_time(moment: datetime) -> str:
    """Like `2025-01-01T00:00:00+08:00`."""
    return moment.astimezone(CHINA).isoformat(timespec="seconds")

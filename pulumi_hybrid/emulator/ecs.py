"""Elastic Compute Service (ECS), version 2014-05-26: activation codes and managed instances.

Source: the pages of CreateActivation, DescribeActivations, DisableActivation, DeleteActivation,
TagResources, UntagResources, ListTagResources, JoinResourceGroup, DescribeManagedInstances,
DeregisterManagedInstance, ModifyManagedInstance, DescribeCloudAssistantStatus and DescribeRegions.
Where a page is silent, a comment says what is done here.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .alibabacloud import Flag, Many, Structure, Text, Whole, invalid, missing
from .api import Api, Call, Control, ControlError, Json, Setting, VendorError
from .clock import Clock, parse_rfc3339, rfc3339

# Those of the page of CreateActivation, in its order, and how codes made there begin.
ACTIVATION_REGIONS = {
    "cn-qingdao": "qd",
    "cn-beijing": "bj",
    "cn-zhangjiakou": "zj",
    "cn-huhehaote": "hh",
    "cn-wulanchabu": "wl",
    "cn-hangzhou": "hz",
    "cn-shanghai": "sh",
    "cn-shenzhen": "sz",
    "cn-heyuan": "hy",
    "cn-guangzhou": "gz",
    "cn-chengdu": "cd",
    "cn-hongkong": "hk",
    "ap-southeast-1": "sg",
    "ap-northeast-1": "jp",
    "us-west-1": "uw",
    "us-east-1": "ue",
}

# A guide has some of these too; the page, which has not, goes before. See `activation_regions`.
OTHER_REGIONS = (
    "cn-nanjing",
    "cn-fuzhou",
    "cn-wuhan-lr",
    "ap-northeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "eu-central-1",
    "eu-west-1",
    "me-east-1",
    "me-central-1",
)

# What newer pages publish is lower still; the settings of the same names go down to it.
ACTIVATION_LIMIT = 5000
UNUSED_ACTIVATION_LIMIT = 1000
INSTANCE_COUNT_LIMIT = 1000
TTL_LIMIT = 876_576  # hours

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._:-]*")
ADDRESS_RANGE = re.compile(r"[0-9a-fA-F.:]+(/[0-9]{1,3})?")
ANY_ADDRESS = "0.0.0.0/0"  # shown where none is given; IPv6 too
MANY_BY_TAG = 1000  # so many resources at most are found by their tags

ACTIVATIONS = "activations"
INSTANCES = "managed_instances"
TOKENS = "client_tokens"

# The resource types that can be tagged and grouped here, and the field that their id is in.
RESOURCE_TYPES = {
    "activation": (ACTIVATIONS, "ActivationId"),
    "managedinstance": (INSTANCES, "InstanceId"),
}


@dataclass(frozen=True)
class Groups(Setting):
    """Resource groups and their states."""

    def check(self, name: str, value: Any) -> Any:
        """The mapping, or a `ControlError`."""
        states = ("ready", "creating", "deleting")
        if any(state not in states for state in super().check(name, value).values()):
            raise ControlError(f"setting {name}: the states are {', '.join(states)}")
        return value


api = Api(
    "ecs",
    "2014-05-26",
    settings={
        # What an account may have in a region. Set lower, the message names the number.
        "activation_limit": Setting(ACTIVATION_LIMIT),
        # With more than this many, more than half of their registrations must be used.
        "unused_activation_limit": Setting(UNUSED_ACTIVATION_LIMIT),
        "instance_count_limit": Setting(INSTANCE_COUNT_LIMIT),
        "ttl_limit": Setting(TTL_LIMIT),
        "activation_regions": Setting(list(ACTIVATION_REGIONS)),
        # Whether an account may do this at all.
        "activation_access": Setting("granted", choices=("granted", "forbidden", "no_real_name")),
        # An older page says that a code that was ever used stays for ever.
        "used_code_is_undeletable": Setting(False),
        # The default group's id is "".
        "resource_groups": Groups(
            {
                "rg-ready": "ready",
                "rg-other": "ready",
                "rg-creating": "creating",
                "rg-deleting": "deleting",
            }
        ),
    },
)

TAG = Structure({"Key": Text(), "Value": Text()})
TAGS = Many(TAG, most=20, too_many="NumberExceed.Tags")
RESOURCE_IDS = Many(Text(required=True), most=50, too_many="NumberExceed.ResourceIds")
PAGING = {
    "PageNumber": Whole(smallest=1, default=1, refusal="InvalidParam.PageNumber"),
    "PageSize": Whole(smallest=1, largest=50, default=10, refusal="InvalidParam.PageSize"),
    "MaxResults": Whole(smallest=1, largest=50, refusal="InvalidParameter.MaxResults"),
    "NextToken": Text(),
}


# --- activation codes -------------------------------------------------------------------------


@api.action(
    "CreateActivation",
    {
        "InstanceName": Text(),
        "Description": Text(),
        "InstanceCount": Whole(default=10),
        "TimeToLiveInHours": Whole(default=4),
        "IpAddressRange": Text(),
        "ResourceGroupId": Text(default=""),
        "Tag": TAGS,
        "ClientToken": Text(),
    },
    ids=("ActivationId",),
    secrets=("ActivationCode",),
)
def create_activation(call: Call) -> Json:
    """The only answer that ever has the code, beside those to the same client token."""
    _check_place(call)
    return _once(call, "CreateActivation", _create_activation)


def _create_activation(call: Call) -> Json:
    if call.settings["activation_access"] == "no_real_name":
        raise VendorError(
            "RealNameAuthenticationError", "Your account has not passed the real-name check.", 403
        )
    if call.get("InstanceName") is not None:
        _check_name(call["InstanceName"], 50)
    # One that is empty has no code of its own.
    if call.get("Description") is not None and not 1 <= len(call["Description"]) <= 100:
        raise VendorError("ActivationDesc.ExceedLimit", "Activation description length exceeds.")
    if call["InstanceCount"] < 1:
        raise VendorError(
            "ActivationLimitation.Invalid", "Registration limitation must be positive."
        )
    if call["TimeToLiveInHours"] < 1:
        raise VendorError("ActivationTTL.ExceedLimit", "Activation TTL exceeds limit.")
    for parameter, limit, code in (
        ("InstanceCount", "instance_count_limit", "ActivationLimitation.Invalid"),
        ("TimeToLiveInHours", "ttl_limit", "ActivationTTL.ExceedLimit"),
    ):
        if call[parameter] > call.settings[limit]:
            raise VendorError(code, f"The {parameter} exceeds the limit of {call.settings[limit]}.")
    if call.get("IpAddressRange") is not None and _network(call["IpAddressRange"]) is None:
        raise VendorError(
            "AddressRange.InvalidPattern", "Address range should be ipv4 address or cidr."
        )
    tags = _tags(call.get("Tag") or [], longest_key=64)
    _check_group(call)
    activations = call.documents(ACTIVATIONS)
    _check_number(call)
    activation = {
        "ActivationId": str(uuid.uuid4()).upper(),
        "ActivationCode": _new_code(call.region),
        "InstanceName": call.get("InstanceName") or "",
        "Description": call.get("Description") or "",
        "InstanceCount": call["InstanceCount"],
        "TimeToLiveInHours": call["TimeToLiveInHours"],
        "IpAddressRange": call.get("IpAddressRange") or ANY_ADDRESS,
        "ResourceGroupId": call["ResourceGroupId"],
        "Tags": tags,
        "CreationTime": rfc3339(call.now),
        "RegisteredCount": 0,
        "DeregisteredCount": 0,
        "Disabled": False,
    }
    activations.add(activation["ActivationId"], activation, hidden=call.hidden_reads)
    return {name: activation[name] for name in ("ActivationId", "ActivationCode")}


def _check_number(call: Call) -> None:
    activations = call.documents(ACTIVATIONS)
    number, limit = activations.count(), call.settings["activation_limit"]
    if number >= limit:
        message = "Too many activations have been created."
        if limit < ACTIVATION_LIMIT:
            message = f"The number of activations exceeds the limit of {limit}."
        raise VendorError("ActivationCount.ExceedLimit", message)
    if number > call.settings["unused_activation_limit"]:
        used, allowed = activations.total("RegisteredCount"), activations.total("InstanceCount")
        if 2 * used <= allowed:
            raise VendorError(
                "ActivationCount.ExceedLimit", "Too many activations have been created."
            )


def _new_code(region: str) -> str:
    """In the form of the page's example; always with `+` and `/`, so that bad quoting shows."""
    body = list(base64.b64encode(secrets.token_bytes(21)).decode())
    places = secrets.SystemRandom().sample(range(len(body)), 2)
    for place, sign in zip(places, "+/", strict=True):
        body[place] = sign
    return f"a-{ACTIVATION_REGIONS.get(region, 'xx')}0{''.join(body)}"


@api.action(
    "DescribeActivations",
    {
        "ActivationId": Text(),
        "InstanceName": Text(),
        "ResourceGroupId": Text(),
        "Tag": TAGS,
        **PAGING,
    },
)
def describe_activations(call: Call) -> Json:
    """In order of creation (the page is silent); what is empty in the request chooses nothing."""
    _check_place(call)
    ids = [call["ActivationId"]] if call.get("ActivationId") else []
    paging, page = _page(call, ACTIVATIONS, ids, ("InstanceName", "ResourceGroupId"))
    return {
        **paging,
        "ActivationList": [_without(activation, "ActivationCode") for activation in page],
    }


@api.action("DisableActivation", {"ActivationId": Text(required=True)})
def disable_activation(call: Call) -> Json:
    """There is no way back; again is as good as once (the page is silent)."""
    _check_place(call)
    activation = {**_existing_activation(call), "Disabled": True}
    call.documents(ACTIVATIONS).replace(activation["ActivationId"], activation)
    return {"Activation": _without(activation, "ActivationCode", "ResourceGroupId", "Tags")}


@api.action("DeleteActivation", {"ActivationId": Text(required=True)})
def delete_activation(call: Call) -> Json:
    """Not while a managed instance is registered with it."""
    _check_place(call)
    activation = _existing_activation(call)
    registered = activation["RegisteredCount"]
    if not call.settings["used_code_is_undeletable"]:
        registered -= activation["DeregisteredCount"]
    if registered:
        raise VendorError("ActivationId.InUse", "The specified activation is in use.", 403)
    call.documents(ACTIVATIONS).remove(activation["ActivationId"])
    hidden = ("ActivationCode", "ResourceGroupId", "Tags", "Disabled")
    return {"Activation": _without(activation, *hidden)}


@api.action(
    "DescribeRegions",
    {"AcceptLanguage": Text(), "InstanceChargeType": Text(), "ResourceType": Text()},
    region_required=False,
)
def describe_regions(call: Call) -> Json:
    """Every region, whether it has activations or not."""
    regions = [
        {
            "RegionId": region,
            "LocalName": region,
            "RegionEndpoint": f"ecs.{region}.aliyuncs.com",
            "Status": "available",
        }
        for region in (*ACTIVATION_REGIONS, *OTHER_REGIONS)
    ]
    return {"Regions": {"Region": regions}}


# --- tags and resource groups -----------------------------------------------------------------


@api.action(
    "TagResources",
    {
        "ResourceType": Text(required=True),
        "ResourceId": Many(
            Text(required=True), most=50, required=True, too_many="NumberExceed.ResourceIds"
        ),
        "Tag": Many(TAG, most=20, required=True, too_many="NumberExceed.Tags"),
    },
)
def tag_resources(call: Call) -> Json:
    """Adds, and changes the value of a key that is there; all of the resources or none."""
    _check_region(call)
    new = {tag["TagKey"]: tag["TagValue"] for tag in _tags(call["Tag"], longest_key=128)}
    kind, _ = _resource_type(call)
    for resource_id, resource in _existing_resources(call):
        merged = {tag["TagKey"]: tag["TagValue"] for tag in resource["Tags"]} | new
        if len(merged) > 20:
            raise VendorError(
                "QuotaExceed.TagsPerResource", "The maximum number of tags is exceeded.", 403
            )
        tags = [{"TagKey": key, "TagValue": value} for key, value in merged.items()]
        call.documents(kind).replace(resource_id, {**resource, "Tags": tags})
    return {}


@api.action(
    "UntagResources",
    {
        "ResourceType": Text(required=True),
        "ResourceId": Many(
            Text(required=True), most=50, required=True, too_many="NumberExceed.ResourceIds"
        ),
        "TagKey": Many(Text(), most=20, too_many="NumberExceed.Tags"),
        "All": Flag(default=False),
    },
)
def untag_resources(call: Call) -> Json:
    """Keys that are not there are passed over; `All` counts where no key is given."""
    _check_region(call)
    kind, _ = _resource_type(call)
    keys = call.get("TagKey") or []
    if not keys and not call["All"]:
        raise missing("TagKey")
    for resource_id, resource in _existing_resources(call):
        kept = [tag for tag in resource["Tags"] if keys and tag["TagKey"] not in keys]
        call.documents(kind).replace(resource_id, {**resource, "Tags": kept})
    return {}


@api.action(
    "ListTagResources",
    {
        "ResourceType": Text(required=True),
        "ResourceId": RESOURCE_IDS,
        "Tag": TAGS,
        "NextToken": Text(),
    },
)
def list_tag_resources(call: Call) -> Json:
    """Tag by tag, 50 on a page (the page is silent); ids that are not there are left out."""
    _check_region(call)
    kind, id_field = _resource_type(call)
    ids, wanted = call.get("ResourceId") or [], call.get("Tag") or []
    if not ids and not wanted:
        raise missing("ResourceId.N or Tag.N.Key")
    found = [
        {"ResourceId": resource[id_field], "ResourceType": call["ResourceType"], **tag}
        for resource in _tagged(call.documents(kind).read(ids), wanted)
        for tag in resource["Tags"]
    ]
    offset = _offset(call)
    return {
        "TagResources": {"TagResource": found[offset : offset + 50]},
        "NextToken": _next_token(call, offset + 50, len(found)),
    }


@api.action(
    "JoinResourceGroup",
    {
        "ResourceType": Text(required=True),
        "ResourceId": Text(required=True),
        "ResourceGroupId": Text(),
    },
)
def join_resource_group(call: Call) -> Json:
    """An empty group is the default one (the page is silent), none at all is a mistake."""
    _check_region(call)
    kind, _ = _resource_type(call)
    resource = call.documents(kind).get(call["ResourceId"])
    if resource is None:
        raise _no_resource()
    if call.get("ResourceGroupId") is None:
        raise missing("ResourceGroupId")
    _check_group(call)
    moved = {**resource, "ResourceGroupId": call["ResourceGroupId"]}
    call.documents(kind).replace(call["ResourceId"], moved)
    return {}


# --- managed instances ------------------------------------------------------------------------


@api.action(
    "DescribeManagedInstances",
    {
        "ActivationId": Text(),
        "InstanceId": Many(Text(required=True), most=50),
        "InstanceName": Text(),
        "InstanceIp": Text(),
        "MachineId": Text(longest=36),
        "OsType": Text(choices=("windows", "linux", "FreeBSD")),
        "Connected": Flag(),
        "ResourceGroupId": Text(),
        "Tag": TAGS,
        **PAGING,
    },
)
def describe_managed_instances(call: Call) -> Json:
    """In order of registration (the page is silent)."""
    _check_place(call)
    fields = ("ActivationId", "InstanceName", "MachineId", "OsType", "ResourceGroupId")
    paging, page = _page(
        call,
        INSTANCES,
        call.get("InstanceId") or [],
        fields,
        lambda instance: (
            call.get("InstanceIp") in (None, "", instance["InternetIp"], instance["IntranetIp"])
            and call.get("Connected") in (None, instance["Connected"])
        ),
    )
    return {**paging, "Instances": page}


@api.action("DeregisterManagedInstance", {"InstanceId": Text(required=True), "ClientToken": Text()})
def deregister_managed_instance(call: Call) -> Json:
    """Its activation counts it, and can be deleted once all are deregistered."""
    _check_place(call)
    return _once(call, "DeregisterManagedInstance", _deregister)


def _deregister(call: Call) -> Json:
    instance = _existing_instance(call)
    call.documents(INSTANCES).remove(instance["InstanceId"])
    activations = call.documents(ACTIVATIONS)
    activation = activations.get(instance["ActivationId"])
    if activation is not None:
        activation["DeregisteredCount"] += 1
        activations.replace(activation["ActivationId"], activation)
    return {"Instance": _without(instance, "Connected", "Tags")}


@api.action(
    "ModifyManagedInstance",
    {"InstanceId": Text(required=True), "InstanceName": Text(required=True)},
)
def modify_managed_instance(call: Call) -> Json:
    """The name is all that can be changed."""
    _check_place(call)
    _check_name(call["InstanceName"], 128)
    instance = {**_existing_instance(call), "InstanceName": call["InstanceName"]}
    call.documents(INSTANCES).replace(instance["InstanceId"], instance)
    return {"Instance": {name: instance[name] for name in ("InstanceId", "InstanceName")}}


@api.action(
    "DescribeCloudAssistantStatus",
    {
        "InstanceId": Many(Text(required=True), most=50),
        "OSType": Text(choices=("Windows", "Linux", "FreeBSD")),
        **PAGING,
    },
)
def describe_cloud_assistant_status(call: Call) -> Json:
    """Of managed instances alone: there are no cloud servers here."""
    _check_place(call)
    wanted = call.get("OSType")
    paging, page = _page(
        call,
        INSTANCES,
        call.get("InstanceId") or [],
        (),
        None
        if wanted is None
        else lambda instance: str(instance["OsType"]).lower() == str(wanted).lower(),
    )
    statuses = [
        {
            "InstanceId": instance["InstanceId"],
            "CloudAssistantStatus": str(instance["Connected"]).lower(),
            "CloudAssistantVersion": instance["AgentVersion"],
            "ActiveTaskCount": 0,
            "InvocationCount": 0,
            "LastHeartbeatTime": rfc3339(call.now) if instance["Connected"] else "",
            "LastInvokedTime": "",
            "OSType": instance["OsType"].capitalize().replace("Freebsd", "FreeBSD"),
            "SupportSessionManager": True,
        }
        for instance in page
    ]
    return {**paging, "InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": statuses}}


# What the agent may send beside the code, and what it sends where the test does not say.
REGISTRATION: Json = {
    "region": None,
    "host_name": None,
    "ip": "203.0.113.1",
    "local_ip": None,
    "instance_name": None,
    "machine_id": None,
    "os_type": "linux",
    "connected": True,
    "tags": {},
    "count": 1,
}


@api.endpoint("register", told_by="activation_id")
def register(control: Control) -> Json:
    """`POST /_emulator/register`: machines register, as by `aliyun-service --register`.

    Args (JSON): `activation_id`, `activation_code`; `region` (must be the activation's);
        `host_name`; `ip` (the public address it comes from, 203.0.113.1); `local_ip`;
        `instance_name` (instead of the activation's); `machine_id`; `os_type` (`linux`, `windows`,
        `FreeBSD`); `connected` (true); `tags` (a mapping); `count` (1): so many machines, one
        after the other.

    Returns:
        `{"instance_ids": ["mi-…", …]}`. A refusal is an HTTP 4xx `{"error", "reason",
        "instance_ids"}`, the reason one of `not_found`, `wrong_value`, `disabled`, `expired`,
        `used_up`, `address`; the ids are those registered before it.
    """
    body = {**REGISTRATION, **control.body}
    unknown = set(body) - {*REGISTRATION, "activation_id", "activation_code"}
    if unknown:
        raise ControlError(f"unknown fields: {', '.join(sorted(unknown))}")
    for name in ("activation_id", "activation_code"):
        if not isinstance(body.get(name), str):
            raise ControlError(f"{name}: str wanted")
    for name in ("region", "host_name", "local_ip", "instance_name", "machine_id"):
        if not isinstance(body[name], (str, type(None))):
            raise ControlError(f"{name}: str wanted")
    if body["os_type"] not in ("linux", "windows", "FreeBSD"):
        raise ControlError("os_type: one of linux, windows, FreeBSD")
    if not isinstance(body["connected"], bool):
        raise ControlError("connected: bool wanted")
    if type(body["count"]) is not int or body["count"] < 1:
        raise ControlError("count: 1 or more")
    try:
        ipaddress.ip_address(body["ip"])
    except ValueError as error:
        raise ControlError(f"ip: {error}") from None
    if not isinstance(body["tags"], dict):
        raise ControlError("tags: a mapping wanted")
    registered: list[str] = []
    for _ in range(body["count"]):
        registered.append(_register_one(control, body, registered))
    return {"instance_ids": registered}


def _register_one(control: Control, body: Json, registered: Sequence[str]) -> str:
    """The checks of one registration, in the order in which a code is used up."""

    def refused(reason: str, message: str, status: int = 403) -> ControlError:
        return ControlError(message, status, reason=reason, instance_ids=list(registered))

    with control.store.transaction():
        found = control.store.find(control.api.service, ACTIVATIONS, body["activation_id"])
        if found is None or body["region"] not in (None, found[0].region):
            raise refused("not_found", "there is no such activation in that region", 404)
        activations, activation = found
        if not secrets.compare_digest(
            activation["ActivationCode"].encode(), body["activation_code"].encode()
        ):
            raise refused("wrong_value", "the activation code is wrong")
        if _expired(activation, control.clock):
            raise refused("expired", "the activation has expired")
        if activation["Disabled"]:
            raise refused("disabled", "the activation is disabled")
        most = activation["InstanceCount"]
        if activation["RegisteredCount"] >= most:
            raise refused("used_up", f"all {most} registrations are used up")
        addresses = activation["IpAddressRange"]
        allowed = None if addresses == ANY_ADDRESS else _network(addresses)
        if allowed is not None and ipaddress.ip_address(body["ip"]) not in allowed:
            raise refused("address", f"{body['ip']} is not in {addresses}")
        number = activation["RegisteredCount"] + 1
        host = body["host_name"] or f"machine-{number}"
        name = host
        if activation["InstanceName"]:
            # As many digits as the most that there can be.
            name = f"{activation['InstanceName']}-{number:0{len(str(most))}}"
        instance = {
            "InstanceId": f"mi-{activation['ActivationCode'][2:5]}{secrets.token_hex(8)}",
            "InstanceName": body["instance_name"] or name,
            "ActivationId": activation["ActivationId"],
            "AgentVersion": "2.2.3.857",
            "Hostname": host,
            "InternetIp": body["ip"],
            "IntranetIp": body["local_ip"] or f"10.0.{number // 256 % 256}.{number % 256}",
            "MachineId": body["machine_id"] or str(uuid.uuid4()),
            "OsType": body["os_type"],
            "OsVersion": "",
            "RegistrationTime": rfc3339(control.clock.now()),
            "ResourceGroupId": activation["ResourceGroupId"],
            "LastInvokedTime": "",
            "InvocationCount": 0,
            "Connected": body["connected"],
            "Tags": [{"TagKey": key, "TagValue": value} for key, value in body["tags"].items()],
        }
        place = (activations.account, control.api.service, activations.region, INSTANCES)
        control.store.documents(*place).add(instance["InstanceId"], instance)
        activations.replace(activation["ActivationId"], {**activation, "RegisteredCount": number})
    return str(instance["InstanceId"])


# --- what several of them share ---------------------------------------------------------------


def _check_region(call: Call) -> None:
    if call.region not in ACTIVATION_REGIONS and call.region not in OTHER_REGIONS:
        raise VendorError("InvalidRegionId.NotFound", "The specified RegionId does not exist.", 404)


def _check_place(call: Call) -> None:
    _check_region(call)
    if call.region not in call.settings["activation_regions"]:
        raise VendorError("RegionId.ApiNotSupported", "The api is not supported in this region.")
    if call.settings["activation_access"] == "forbidden":
        raise VendorError("Operation.Forbidden", "The operation is not permitted.", 403)


def _once(call: Call, action: str, work: Callable[[Call], Json]) -> Json:
    """Do the work, or, where the client token was there before, give the same answer again.

    The pages promise the same answer and no second object; that it holds the once-only value
    again, and for ever, even after the object is gone, is how it is read here.
    """
    token = call.get("ClientToken")
    if not token:
        return work(call)
    if len(token) > 64 or not token.isascii():
        raise VendorError(
            "InvalidClientToken.ValueNotSupported", "The ClientToken provided is invalid."
        )
    tokens = call.documents(TOKENS)
    used = {"Action": action, "ClientToken": token}
    parameters = _without(call.parameters, "ClientToken")
    earlier = tokens.get(f"{action} {token}")
    if earlier is None:
        answer = work(call)
        tokens.add(f"{action} {token}", {**used, "Parameters": parameters, "Answer": answer})
        return answer
    if earlier["Parameters"] != parameters:
        raise VendorError(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request.",
        )
    return dict(earlier["Answer"])


def _check_name(name: str, longest: int) -> None:
    if len(name) > longest:
        raise VendorError(
            "InstanceName.ExceedLimit", "Default instance name prefix length exceeds."
        )
    # One that is too short has no code of its own.
    if len(name) < 2 or not NAME.fullmatch(name):
        raise VendorError(
            "InstanceName.InvalidPattern", "Default instance name prefix pattern invalid."
        )


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An address or CIDR; host bits may be set (the page is silent)."""
    if not ADDRESS_RANGE.fullmatch(text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _tags(sent: Iterable[Json], longest_key: int) -> list[Json]:
    """Request's Key and Value as the answers' TagKey and TagValue."""
    tags = []
    for tag in sent:
        key, value = tag.get("Key"), tag.get("Value", "")
        if key is None:
            raise VendorError("MissingParameter.TagKey", "You must specify Tag.N.Key.")
        if (
            not 1 <= len(key) <= longest_key
            or key.startswith(("acs:", "aliyun"))
            or "http://" in key
            or "https://" in key
        ):
            raise VendorError("InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid.")
        if len(value) > 128 or "http://" in value or "https://" in value:
            raise VendorError(
                "InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid."
            )
        tags.append({"TagKey": key, "TagValue": value})
    if len({tag["TagKey"] for tag in tags}) < len(tags):
        raise VendorError("Duplicate.TagKey", "The Tag.N.Key contain duplicate key.")
    return tags


def _tagged(resources: list[Json], wanted: Sequence[Json]) -> list[Json]:
    """Those that have all of the tags; a tag without a value is any with the key."""
    if not wanted:
        return resources
    keys = {tag["TagKey"]: tag["TagValue"] for tag in _tags(wanted, longest_key=128)}
    any_value = {tag["Key"] for tag in wanted if "Value" not in tag}

    def has_all(resource: Json) -> bool:
        there = {tag["TagKey"]: tag["TagValue"] for tag in resource["Tags"]}
        return all(
            key in there and (key in any_value or there[key] == value)
            for key, value in keys.items()
        )

    return [resource for resource in resources if has_all(resource)][:MANY_BY_TAG]


def _check_group(call: Call) -> None:
    group = call["ResourceGroupId"]
    state = call.settings["resource_groups"].get(group)
    if group == "" or state == "ready":
        return
    if state is None:
        raise VendorError(
            "InvalidResourceGroup.NotFound",
            "The ResourceGroup provided does not exist in our records.",
            404,
        )
    raise VendorError(
        "InvalidStatus.ResourceGroup",
        "You cannot perform an operation on a resource group that is being created or deleted.",
        403,
    )


def _page(
    call: Call,
    kind: str,
    ids: Sequence[str],
    fields: Sequence[str],
    chosen: Callable[[Json], bool] | None = None,
) -> tuple[Json, list[Json]]:
    """One page of a listing, and the answer's fields about it.

    Paged by token where the request has MaxResults or NextToken, else by number. `fields` are the
    parameters that must equal the field of the same name, where they are given.
    """
    if call.get("MaxResults") is not None or call.get("NextToken"):
        offset, size = _offset(call), call.get("MaxResults") or 10
    else:
        size = call["PageSize"]
        offset = size * (call["PageNumber"] - 1)
    documents = call.documents(kind)
    equal = {name: call[name] for name in fields if call.get(name)}
    if not equal and not chosen and not call.get("Tag"):
        total, page = documents.page(ids, offset, size)
    else:
        found = [
            document
            for document in _tagged(documents.read(ids), call.get("Tag") or [])
            if all(document[name] == value for name, value in equal.items())
            and (chosen is None or chosen(document))
        ]
        total, page = len(found), found[offset : offset + size]
    if call.get("MaxResults") is not None or call.get("NextToken"):
        # "Meaningless" with this way of paging, says the page; this is.
        return {"TotalCount": 0, "NextToken": _next_token(call, offset + size, total)}, page
    numbers = {"PageNumber": call["PageNumber"], "PageSize": size}
    return {"TotalCount": total, **numbers, "NextToken": ""}, page


def _query_digest(call: Call) -> str:
    """What a page's token belongs to: the same question about the same place."""
    parameters = _without(call.parameters, "NextToken", *PAGING)
    place = json.dumps([call.account, call.region, parameters], sort_keys=True)
    return hashlib.sha256(place.encode()).hexdigest()[:32]


def _next_token(call: Call, offset: int, total: int) -> str:
    if offset >= total:
        return ""
    return base64.b64encode(f"{offset} {_query_digest(call)}".encode()).decode()


def _offset(call: Call) -> int:
    token = call.get("NextToken")
    if not token:
        return 0
    try:
        offset, digest = base64.b64decode(token, validate=True).decode("ascii").split(" ")
    except ValueError:
        raise invalid("NextToken", "InvalidParameter.NextToken") from None
    if digest != _query_digest(call) or not offset.isdecimal():
        raise invalid("NextToken", "InvalidParameter.NextToken")
    return int(offset)


def _resource_type(call: Call) -> tuple[str, str]:
    if call["ResourceType"] not in RESOURCE_TYPES:
        raise VendorError(
            "InvalidResourceType.NotFound",
            "The ResourceType provided does not exist in our records.",
            404,
        )
    return RESOURCE_TYPES[call["ResourceType"]]


def _existing_resources(call: Call) -> list[tuple[str, Json]]:
    kind, _ = _resource_type(call)
    found = [(each, call.documents(kind).get(each)) for each in call["ResourceId"]]
    existing = [(each, resource) for each, resource in found if resource is not None]
    if len(existing) < len(found):
        raise _no_resource()
    return existing


def _no_resource() -> VendorError:
    return VendorError(
        "InvalidResourceId.NotFound", "The specified ResourceId is not found in our records.", 404
    )


def _existing_activation(call: Call) -> Json:
    activation = call.documents(ACTIVATIONS).get(call["ActivationId"])
    if activation is None:
        raise VendorError(
            "ActivationId.NotFound", "The specified ActivationId does not exist.", 404
        )
    return activation


def _existing_instance(call: Call) -> Json:
    instance = call.documents(INSTANCES).get(call["InstanceId"])
    if instance is None:
        raise VendorError("InvalidInstance.NotFound", "The specified instance does not exist.", 404)
    return instance


def _expired(activation: Json, clock: Clock) -> bool:
    life = timedelta(hours=activation["TimeToLiveInHours"])
    return parse_rfc3339(activation["CreationTime"]) + life <= clock.now()


def _without(document: Json, *names: str) -> Json:
    return {name: value for name, value in document.items() if name not in names}

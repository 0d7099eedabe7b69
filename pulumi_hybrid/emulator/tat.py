"""TencentCloud Automation Tools (TAT), version 2020-10-28: register codes and registered machines.

Source: the pages of CreateRegisterCode, DescribeRegisterCodes, DisableRegisterCodes,
DeleteRegisterCodes, DescribeRegisterInstances, ModifyRegisterInstance, DeleteRegisterInstance,
DescribeAutomationAgentStatus, DescribeQuotas and DescribeRegions. Where a page is silent, a
comment says what is done here.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from .api import Api, Call, Control, ControlError, Json, Setting, VendorError
from .clock import Clock, parse_rfc3339, rfc3339
from .parameters import Many, Structure, Text, Whole

REGIONS = {
    # those of the page's example, in its order
    "ap-guangzhou": "华南地区(广州)",
    "ap-nanjing": "华东地区(南京)",
    "ap-shanghai": "华东地区(上海)",
    "ap-hongkong": "港澳台地区(中国香港)",
    "ap-beijing": "华北地区(北京)",
    "ap-singapore": "亚太东南(新加坡)",
    "na-siliconvalley": "美国西部(硅谷)",
    "ap-chengdu": "西南地区(成都)",
    "eu-frankfurt": "欧洲地区(法兰克福)",
    "ap-seoul": "亚太东北(首尔)",
    "ap-chongqing": "西南地区(重庆)",
    "ap-mumbai": "亚太南部(孟买)",
    # those that the list of common regions has besides
    "ap-bangkok": "亚太东南(曼谷)",
    "ap-jakarta": "亚太东南(雅加达)",
    "ap-tokyo": "亚太东北(东京)",
    "ap-shanghai-fsi": "华东地区(上海金融)",
    "ap-shenzhen-fsi": "华南地区(深圳金融)",
    "na-ashburn": "美国东部(弗吉尼亚)",
    "sa-saopaulo": "南美地区(圣保罗)",
}

FOR_EVER = 99999  # hours; more than this never expires

# The page's example has a letter beyond f, so the form is all that can be checked.
REGISTER_CODE_ID = re.compile(r"[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}")
INSTANCE_ID = re.compile(r"r?ins-[0-9a-z]{1,32}|lhins-[0-9a-z]{1,32}")
IPV4_RANGE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?")

CODES = "register_codes"
INSTANCES = "register_instances"

api = Api(
    "tat",
    "2020-10-28",
    settings={
        # The vendor names no number; ask DescribeQuotas.
        "register_code_quota": Setting(10_000),
        # The service role that an account must have authorised once.
        "tat_role": Setting("granted", choices=("granted", "missing", "unauthorized")),
    },
)

FILTERS = Many(
    Structure(
        {
            "Name": Text(required=True),
            "Values": Many(
                Text(), most=5, required=True, too_many="LimitExceeded.FilterValueExceeded"
            ),
        }
    ),
    most=10,
    too_many="InvalidParameterValue.InvalidFilter",
)
OFFSET = Whole(smallest=0, default=0)
LIMIT = Whole(smallest=1, largest=100, default=20)


# --- register codes ---------------------------------------------------------------------------


@api.action(
    "CreateRegisterCode",
    {
        "Description": Text(longest=128, default=""),
        "InstanceNamePrefix": Text(longest=32, default=""),
        "RegisterLimit": Whole(smallest=1, largest=10_000, default=10),
        # That 0 is refused is not on the page, which has no use for it either.
        "EffectiveTime": Whole(smallest=1, default=4),
        "IpAddressRange": Text(default=""),
    },
    ids=("RegisterCodeId",),
    secrets=("RegisterCodeValue",),
)
def create_register_code(call: Call) -> Json:
    """The only answer that ever has the value."""
    _check_place_and_role(call)
    if call["IpAddressRange"] and _network(call["IpAddressRange"]) is None:
        raise VendorError(
            "InvalidParameter", "The parameter `IpAddressRange` is not an IPv4 address or CIDR."
        )
    codes = call.documents(CODES)
    if codes.count() >= call.settings["register_code_quota"]:
        raise VendorError("LimitExceeded", "The quota of register codes is used up.")
    now = call.now
    hours = call["EffectiveTime"]
    expires = None if hours > FOR_EVER else rfc3339(now + timedelta(hours=hours))
    code = {
        "RegisterCodeId": str(uuid.uuid4()),
        "RegisterCodeValue": secrets.token_hex(32),
        "Description": call["Description"],
        "InstanceNamePrefix": call["InstanceNamePrefix"],
        "RegisterLimit": call["RegisterLimit"],
        "ExpiredTime": expires,
        "IpAddressRange": call["IpAddressRange"],
        "Enabled": True,
        "RegisteredCount": 0,
        "CreatedTime": rfc3339(now),
        "UpdatedTime": rfc3339(now),
    }
    codes.add(code["RegisterCodeId"], code, hidden=call.hidden_reads)
    return {name: code[name] for name in ("RegisterCodeId", "RegisterCodeValue")}


@api.action(
    "DescribeRegisterCodes",
    {"RegisterCodeIds": Many(Text(), most=100), "Offset": OFFSET, "Limit": LIMIT},
)
def describe_register_codes(call: Call) -> Json:
    """In order of creation (the page is silent); ids that are not there are left out."""
    _check_place_and_role(call)
    ids = call.get("RegisterCodeIds") or []
    _check_ids(ids)
    total, page = call.documents(CODES).page(ids, call["Offset"], call["Limit"])
    return {
        "TotalCount": total,
        "RegisterCodeSet": [_register_code_info(code, call.clock) for code in page],
    }


@api.action("DisableRegisterCodes", {"RegisterCodeIds": Many(Text(), required=True)})
def disable_register_codes(call: Call) -> Json:
    """There is no way back; all of them or, where one is not there, none (the page is silent)."""
    _check_place_and_role(call)
    codes = call.documents(CODES)
    for code in _existing_codes(call):
        changed = {**code, "Enabled": False, "UpdatedTime": rfc3339(call.now)}
        codes.replace(code["RegisterCodeId"], changed)
    return {}


@api.action("DeleteRegisterCodes", {"RegisterCodeIds": Many(Text(), required=True, most=99)})
def delete_register_codes(call: Call) -> Json:
    """All of them or none; machines that registered stay."""
    _check_place_and_role(call)
    codes = call.documents(CODES)
    for code in _existing_codes(call):
        codes.remove(code["RegisterCodeId"])
    return {}


@api.action("DescribeQuotas", {"ResourceNames": Many(Text(), required=True)})
def describe_quotas(call: Call) -> Json:
    """`COMMAND` (none here) and `REGISTER_CODE`."""
    _check_place_and_role(call)
    quotas = {
        "COMMAND": (0, 100),
        "REGISTER_CODE": (call.documents(CODES).count(), call.settings["register_code_quota"]),
    }
    for name in call["ResourceNames"]:
        if name not in quotas:
            raise VendorError(
                "ResourceUnavailable.InvalidResourceQuotaResourceCode",
                f"There is no resource `{name}` with a quota.",
            )
    return {
        "GeneralResourceQuotaSet": [
            {
                "ResourceName": name,
                "ResourceQuotaUsed": quotas[name][0],
                "ResourceQuotaTotal": quotas[name][1],
            }
            for name in call["ResourceNames"]
        ]
    }


@api.action("DescribeRegions")
def describe_regions(call: Call) -> Json:
    """Every region is available here."""
    _check_place_and_role(call)
    regions = [
        {"Region": region, "RegionName": name, "RegionState": "AVAILABLE"}
        for region, name in REGIONS.items()
    ]
    return {"TotalCount": len(regions), "RegionSet": regions}


# --- registered machines ----------------------------------------------------------------------


@api.action(
    "DescribeRegisterInstances",
    {
        "InstanceIds": Many(Text(), most=100),
        "Filters": FILTERS,
        "Offset": OFFSET,
        "Limit": LIMIT,
    },
)
def describe_register_instances(call: Call) -> Json:
    """In order of registration (the page is silent)."""
    total, page = _instances(
        call,
        {
            "instance-name": lambda instance: [instance["InstanceName"]],
            "instance-id": lambda instance: [instance["InstanceId"]],
            "register-status": lambda instance: [instance["Status"]],
            "local-ip": lambda instance: [instance["LocalIp"]],
            "register-code-id": lambda instance: [instance["RegisterCodeId"]],
            "sys-name": lambda instance: [instance["SystemName"]],
            "tag-key": lambda instance: [tag["Key"] for tag in instance["Tags"]],
            "tag-value": lambda instance: [tag["Value"] for tag in instance["Tags"]],
        },
    )
    return {"TotalCount": total, "RegisterInstanceSet": page}


@api.action(
    "ModifyRegisterInstance",
    {
        "InstanceId": Text(required=True),
        "InstanceName": Text(required=True, shortest=1, longest=60),
    },
)
def modify_register_instance(call: Call) -> Json:
    """The name is all that can be changed."""
    instance = _existing_instance(call)
    changed = {
        **instance,
        "InstanceName": call["InstanceName"],
        "UpdatedTime": rfc3339(call.now),
    }
    call.documents(INSTANCES).replace(instance["InstanceId"], changed)
    return {}


@api.action("DeleteRegisterInstance", {"InstanceId": Text(required=True)})
def delete_register_instance(call: Call) -> Json:
    """The code's count stays: it counts registrations, not machines that are there."""
    instance = _existing_instance(call)
    call.documents(INSTANCES).remove(instance["InstanceId"])
    return {}


@api.action(
    "DescribeAutomationAgentStatus",
    {
        "InstanceIds": Many(Text(), most=100),
        "Filters": FILTERS,
        "Limit": LIMIT,
        "Offset": OFFSET,
    },
)
def describe_automation_agent_status(call: Call) -> Json:
    """Of registered machines alone: there are no cloud servers here."""
    total, page = _instances(
        call,
        {
            "agent-status": lambda instance: [instance["Status"]],
            "environment": lambda instance: [instance["SystemName"]],
            "instance-id": lambda instance: [instance["InstanceId"]],
        },
    )
    agents = [
        {
            "InstanceId": instance["InstanceId"],
            "Version": "1.1.9",
            "LastHeartbeatTime": rfc3339(call.now),
            "AgentStatus": instance["Status"],
            "Environment": instance["SystemName"],
            "SupportFeatures": [],
        }
        for instance in page
    ]
    return {"TotalCount": total, "AutomationAgentSet": agents}


@api.endpoint("register")
def register(control: Control) -> Json:
    """`POST /_emulator/register`: machines register, as by the vendor's `tat_agent register`.

    Args (JSON): `register_code_id`, `register_code_value`; `region` (must be the code's);
        `host_name`; `ip` (the public address it comes from, 203.0.113.1); `local_ip`; `system`
        (`Linux`, `Windows`); `status` (`Online`, `Offline`); `tags` (a mapping); `count` (1): so
        many machines, one after the other.

    Returns:
        `{"instance_ids": ["rins-…", …]}`. A refusal is an HTTP 4xx `{"error", "reason",
        "instance_ids"}`, the reason one of `not_found`, `wrong_value`, `disabled`, `expired`,
        `used_up`, `address`; the ids are those registered before it.
    """
    body = {
        "region": None,
        "host_name": None,
        "ip": "203.0.113.1",
        "local_ip": None,
        "system": "Linux",
        "status": "Online",
        "tags": {},
        "count": 1,
        **control.body,
    }
    known = ("register_code_id", "register_code_value", "region", "host_name", "ip", "local_ip")
    unknown = set(body) - {*known, "system", "status", "tags", "count"}
    if unknown:
        raise ControlError(f"unknown fields: {', '.join(sorted(unknown))}")
    for name in ("register_code_id", "register_code_value"):
        if not isinstance(body.get(name), str):
            raise ControlError(f"{name}: str wanted")
    for name, choices in (("system", ("Linux", "Windows")), ("status", ("Online", "Offline"))):
        if body[name] not in choices:
            raise ControlError(f"{name}: one of {', '.join(choices)}")
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
        found = control.store.find(control.api.service, CODES, body["register_code_id"])
        if found is None or body["region"] not in (None, found[0].region):
            raise refused("not_found", "there is no such register code in that region", 404)
        codes, code = found
        if not secrets.compare_digest(
            code["RegisterCodeValue"].encode(), body["register_code_value"].encode()
        ):
            raise refused("wrong_value", "the register code's value is wrong")
        if _expired(code, control.clock):
            raise refused("expired", f"the register code expired at {code['ExpiredTime']}")
        if not code["Enabled"]:
            raise refused("disabled", "the register code is disabled")
        if code["RegisteredCount"] >= code["RegisterLimit"]:
            raise refused("used_up", f"all {code['RegisterLimit']} registrations are used up")
        allowed = _network(code["IpAddressRange"])
        if allowed is not None and ipaddress.ip_address(body["ip"]) not in allowed:
            raise refused("address", f"{body['ip']} is not in {code['IpAddressRange']}")
        number = code["RegisteredCount"] + 1
        now = rfc3339(control.clock.now())
        host = body["host_name"] or f"machine-{number}"
        instance = {
            "RegisterCodeId": code["RegisterCodeId"],
            "InstanceId": f"rins-{secrets.token_hex(4)}",
            "InstanceName": f"{code['InstanceNamePrefix']}-{number}"
            if code["InstanceNamePrefix"]
            else host,
            "MachineId": secrets.token_hex(16),
            "SystemName": body["system"],
            "HostName": host,
            "LocalIp": body["local_ip"] or f"10.0.{number // 256 % 256}.{number % 256}",
            "PublicKey": "-----BEGIN RSA PUBLIC KEY-----\n-----END RSA PUBLIC KEY-----\n",
            "Status": body["status"],
            "CreatedTime": now,
            "UpdatedTime": now,
            "Tags": [{"Key": key, "Value": value} for key, value in body["tags"].items()],
        }
        place = control.store.documents(codes.account, control.api.service, codes.region, INSTANCES)
        place.add(instance["InstanceId"], instance)
        # UpdatedTime stays, as in the page's example of a code that was used once.
        codes.replace(code["RegisterCodeId"], {**code, "RegisteredCount": number})
    return str(instance["InstanceId"])


# --- what several of them share ---------------------------------------------------------------


def _check_place_and_role(call: Call) -> None:
    if call.region not in REGIONS:
        raise VendorError("UnsupportedRegion", f"The region `{call.region}` is not supported.")
    if call.settings["tat_role"] == "missing":
        raise VendorError("ResourceNotFound.RoleNotFound", "The role does not exist.")
    if call.settings["tat_role"] == "unauthorized":
        raise VendorError("UnauthorizedOperation.AssumeRoleUnauthorized", "Role play unauthorized.")


def _network(text: str) -> ipaddress.IPv4Network | None:
    """An IPv4 address or CIDR; host bits may be set, as in the page's own `192.168.10.1/10`."""
    if not IPV4_RANGE.fullmatch(text):
        return None
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None


def _expired(code: Json, clock: Clock) -> bool:
    return code["ExpiredTime"] is not None and parse_rfc3339(code["ExpiredTime"]) <= clock.now()


def _register_code_info(code: Json, clock: Clock) -> Json:
    """As described: never with its value, and not enabled once it has expired."""
    info = {name: value for name, value in code.items() if name != "RegisterCodeValue"}
    return {**info, "Enabled": code["Enabled"] and not _expired(code, clock)}


def _check_ids(ids: Sequence[str]) -> None:
    for register_code_id in ids:
        if not REGISTER_CODE_ID.fullmatch(register_code_id):
            raise VendorError(
                "InvalidParameterValue.InvalidRegisterCodeId",
                f"The register code ID `{register_code_id}` is not valid.",
            )


def _existing_codes(call: Call) -> list[Json]:
    ids = call["RegisterCodeIds"]
    _check_ids(ids)
    if len(set(ids)) < len(ids):
        raise VendorError(
            "InvalidParameterValue.ParameterKeyDuplicated",
            "The parameter `RegisterCodeIds` has the same ID twice.",
        )
    codes = [call.documents(CODES).get(register_code_id) for register_code_id in ids]
    existing = [code for code in codes if code is not None]
    if len(existing) < len(codes):
        raise VendorError(
            "ResourceNotFound.RegisterCodesNotFoundCode", "The register code is not found."
        )
    return existing


def _existing_instance(call: Call) -> Json:
    _check_place_and_role(call)
    _check_instance_ids([call["InstanceId"]])
    instance = call.documents(INSTANCES).get(call["InstanceId"])
    if instance is None:
        raise VendorError(
            "ResourceNotFound.RegisterInstanceNotFoundCode",
            "The registered instance is not found.",
        )
    return instance


def _check_instance_ids(ids: Sequence[str]) -> None:
    for instance_id in ids:
        if not INSTANCE_ID.fullmatch(instance_id):
            raise VendorError(
                "InvalidParameterValue.InvalidRegisterInstanceId",
                f"The instance ID `{instance_id}` is not valid.",
            )


def _instances(
    call: Call, filters: dict[str, Callable[[Json], list[Any]]]
) -> tuple[int, list[Json]]:
    """Those of the ids or of the filters (all filters, any value of each), and one page of them."""
    _check_place_and_role(call)
    ids, wanted = call.get("InstanceIds") or [], call.get("Filters") or []
    if ids and wanted:
        raise VendorError(
            "InvalidParameter.ConflictParameter",
            "The parameters `InstanceIds` and `Filters` exclude each other.",
        )
    _check_instance_ids(ids)
    found = call.documents(INSTANCES).read(ids)
    for one in wanted:
        name, values = one["Name"], one["Values"]
        if name.startswith("tag:") and "tag-key" in filters:
            pair = [{"Key": name[4:], "Value": value} for value in values]
            found = [item for item in found if any(tag in pair for tag in item["Tags"])]
        elif name in filters:
            found = [item for item in found if set(filters[name](item)) & set(values)]
        else:
            raise VendorError(
                "InvalidParameterValue.InvalidFilter", f"The filter `{name}` is not valid."
            )
    return len(found), found[call["Offset"] : call["Offset"] + call["Limit"]]

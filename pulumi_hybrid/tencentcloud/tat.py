"""TencentCloud Automation Tools (TAT), API version 2020-10-28."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pulumi

from pulumi_hybrid import clock
from pulumi_hybrid.answers import flag, objects, text, whole
from pulumi_hybrid.api import Api, Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Ambiguous, Error, NotFound, Transient
from pulumi_hybrid.fields import (
    ADOPT_ID,
    REGION,
    AddressRange,
    Choice,
    OnChange,
    Text,
    Whole,
)
from pulumi_hybrid.lifecycle import (
    Lifecycle,
    LifecycleResource,
    Made,
    Properties,
    register_command,
)
from pulumi_hybrid.listing import Page, listing_of, pages_of
from pulumi_hybrid.lookup import Lookup
from pulumi_hybrid.rotation import ROTATE_BEFORE_HOURS, rotation_reasons
from pulumi_hybrid.settings import TENCENTCLOUD
from pulumi_hybrid.tencentcloud.client import Product, TencentcloudApi

TAT = Product(title="TAT", service="tat", version="2020-10-28")

LONGEST_TERM = 99999
"""Hours; a longer EffectiveTime means that the code never expires."""

_MEANINGS = {
    "InvalidParameter": Meaning("TAT does not accept an input. Check ip_address_range first."),
    "InvalidParameterValue.TooLarge": Meaning(
        "an input is too large. Keep register_limit at 10000 or less."
    ),
    "InvalidParameterValue.TooLong": Meaning(
        "an input is too long. Keep description to 128 characters and instance_name_prefix to 32."
    ),
    "InvalidParameterValue.TooSmall": Meaning(
        "an input is too small. Keep register_limit and effective_time at 1 or more."
    ),
    "InvalidParameterValue.InvalidRegisterCodeId": Meaning(
        "the id is not one of a register code. Check adopt_id, or the id given to get."
    ),
    "ResourceNotFound.RegisterCodesNotFoundCode": Meaning(
        "there is no such register code. If it was deleted, run `pulumi refresh`.", NotFound
    ),
    "ResourceNotFound.RoleNotFound": Meaning(
        "TAT's service role does not exist in this account. Open the TAT console once to create it."
    ),
    "UnauthorizedOperation.AssumeRoleUnauthorized": Meaning(
        "TAT may not assume its service role. Authorise the role in the TAT console."
    ),
    "ResourceNotFound.RegisterInstanceNotFoundCode": Meaning(
        "there is no such registered machine. Look for it in the TAT console.", NotFound
    ),
    "LimitExceeded": Meaning(
        "the account's quota of register codes is used up. Delete codes, or ask for more."
    ),
    "ResourceUnavailable.UserHasNoQuotaCode": Meaning(
        "the account's quota of register codes is used up. Delete codes, or ask for more."
    ),
}

_PAGE = 100
"""The most that DescribeRegisterCodes takes or gives at once."""
_MOST_PAGES_FOR_ORPHANS = 20
"""So that a create that failed is told soon, whatever the account holds."""
_LOOKS_FOR_ORPHANS = 4
"""A second apart, while none shows: a code may show a moment after it is made."""


class RegisterCodeProvider(Lifecycle):
    """Looks after register codes. Its path is part of every user's state: it must never move."""

    kind = "RegisterCode"
    cloud = TENCENTCLOUD
    inputs = (
        Text(name="description", most=128, default=""),
        Text(name="instance_name_prefix", most=32, default=""),
        Whole(name="register_limit", least=1, most=10000, default=10),
        Whole(
            name="effective_time",
            least=1,
            all_alike_above=LONGEST_TERM,
            unit="hours",
            default=4,
            shown=False,
        ),
        AddressRange(name="ip_address_range", default="", versions=(4,)),
        REGION,
        ROTATE_BEFORE_HOURS,
        Choice(
            name="when_in_use",
            words=("keep", "deregister", "fail"),
            default="keep",
            on_change=OnChange.NOTHING,
            sent=False,
        ),
        ADOPT_ID,
    )
    id_output = "register_code_id"
    outputs = ("created_time", "expired_time", "enabled", "registered_count")
    secrets = ("register_code_value",)

    def connect(self, region: str, call: Call, deadline: Deadline) -> Api:  # noqa: D102
        return TencentcloudApi(
            TAT, region, self.settings, meanings=_MEANINGS, call=call, deadline=deadline
        )

    def make(self, api: Api, inputs: Properties) -> Made:
        """CreateRegisterCode, never twice: it has no token that would tell a repeat from a new one.

        Raises:
            Ambiguous: the answer was lost, or held no code; names the codes that may have come of
                it. Their values were seen by nobody and cannot be had.
        """
        started = clock.now()
        try:
            answer = api.call(
                "CreateRegisterCode",
                self._sent(inputs),
                repeatable=False,
                holding=("RegisterCodeId", "RegisterCodeValue"),
            )
        except (Ambiguous, Transient) as error:
            raise self._with_orphans(api, inputs, started, error) from None
        id, value = str(answer["RegisterCodeId"]), str(answer["RegisterCodeValue"])
        _delivered.add(id)
        return Made(id, {"register_code_value": value})

    def look_up(self, api: Api, id: str, inputs: Properties) -> Properties | None:  # noqa: D102
        try:
            answer = api.call("DescribeRegisterCodes", {"RegisterCodeIds": [id]})
        except NotFound:
            return None
        for code in objects(answer.get("RegisterCodeSet")):
            if code.get("RegisterCodeId") == id:
                return _properties(code)
        return None

    def look_up_for_refresh(self, api: Api, id: str, inputs: Properties) -> Properties | None:  # noqa: D102
        code = listing_of(api.place).find(id, lambda number: _page(api, number))
        return self.look_up(api, id, inputs) if code is None else _properties(code)

    def remove(self, api: Api, id: str, inputs: Properties) -> None:
        """DeleteRegisterCodes, one id a call: whether a batch is all or nothing is not said.

        What becomes of the machines that have registered with it, which stay by themselves,
        ``when_in_use`` says. In a replacement they stay: only the code is another one.
        """
        when_in_use = "keep" if api.replaces else inputs.get("when_in_use")
        if when_in_use == "fail" and (machines := [_called(one) for one in _machines(api, id)]):
            raise Error(
                f"machines are registered with it: {', '.join(machines)}. Deregister them, or set "
                "when_in_use to keep or deregister and run `pulumi up` before the destroy"
            )
        if when_in_use == "deregister":
            # Disabled first, so that none joins meanwhile.
            with suppress(NotFound):
                api.call("DisableRegisterCodes", {"RegisterCodeIds": [id]})
            _deregister_all(api, id)
        with suppress(NotFound):
            api.call("DeleteRegisterCodes", {"RegisterCodeIds": [id]})

    def worn_out(self, inputs: Properties, outputs: Properties) -> list[str]:
        """Near its end, past it, disabled or used up."""
        return rotation_reasons(
            inputs,
            outputs,
            closed={"enabled": False},
            used="registered_count",
            limit="register_limit",
        )

    def _with_orphans(self, api: Api, inputs: Properties, started: datetime, error: Error) -> Error:
        """The error, with the codes that may have come of a create whose answer was lost."""
        if isinstance(error, Ambiguous) and error.id:
            error.add(f"{self._undone(api, error.id, inputs)} Run `pulumi up` again.")
            return error
        try:
            orphans = self._alike(api, inputs, started)
            for _ in range(_LOOKS_FOR_ORPHANS - 1):
                if not orphans and api.deadline.left > 1:
                    api.sleep(1)
                    orphans = self._alike(api, inputs, started)
        except Exception:  # noqa: BLE001 - whatever the listing is like, the first error is told
            found = (
                "Look through the register codes in the TAT console for one that was made just now"
            )
        else:
            found = "No code that could have come of it shows yet; one may later"
            if orphans:
                found = (
                    "Codes that were made just now and look like it, but may belong to somebody "
                    f"else: {', '.join(orphans)}"
                )
        error.add(
            f"{found}. Nothing was made twice. Delete what nobody holds, then `pulumi up` again."
        )
        return error

    def _alike(self, api: Api, inputs: Properties, started: datetime) -> list[str]:
        """The ids of codes that were made since then, are as the inputs ask, and nobody holds."""
        # The vendor's clock and ours may differ by what signatures allow.
        earliest = started - timedelta(minutes=5)
        ids: list[str] = []
        for page in range(_MOST_PAGES_FOR_ORPHANS):
            codes, _ = _page(api, page)
            for id, code in codes.items():
                now = _properties(code)
                alike = not any(
                    an_input.differs(now[an_input.name], inputs.get(an_input.name))
                    for an_input in self.inputs
                    if an_input.shown and an_input.name in now
                )
                recent = not now["created_time"] or clock.parse(now["created_time"]) >= earliest
                if alike and recent and id not in _delivered:
                    ids.append(str(id))
            if len(codes) < _PAGE:
                break
        return ids


def _called(machine: dict[str, Any]) -> str:
    name = machine.get("InstanceName") or machine.get("HostName")
    return f"{machine['InstanceId']} ({name})" if name else str(machine["InstanceId"])


def _machines(api: Api, id: str) -> Iterator[dict[str, Any]]:
    """The machines that are registered with the code."""
    filters = [{"Name": "register-code-id", "Values": [id]}]
    machines = _listed(api, "DescribeRegisterInstances", "RegisterInstanceSet", Filters=filters)
    return (machine for machine in machines if machine.get("InstanceId"))


def _listed(api: Api, action: str, field: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """All that a Describe action lists, page by page."""
    offset = 0
    while True:
        answer = api.call(action, {**parameters, "Offset": offset, "Limit": _PAGE})
        page = objects(answer.get(field))
        yield from page
        offset += len(page)
        total = whole(answer.get("TotalCount"))
        if not page or (len(page) < _PAGE if total is None else offset >= total):
            return


def _deregister_all(api: Api, id: str) -> None:
    # All first: the pages move while their entries go.
    for machine in list(_machines(api, id)):
        api.progress(f"deregistering {machine['InstanceId']}", machine["InstanceId"])
        with suppress(NotFound):
            api.call("DeleteRegisterInstance", {"InstanceId": machine["InstanceId"]})


_delivered: set[str] = set()
"""The codes that this process has made and handed over: no orphans, however alike."""


def _page(api: Api, number: int) -> Page:
    """A page of all codes in the region, by id, and how many pages there are."""
    answer = api.call("DescribeRegisterCodes", {"Offset": number * _PAGE, "Limit": _PAGE})
    codes = {code.get("RegisterCodeId"): code for code in objects(answer.get("RegisterCodeSet"))}
    return codes, pages_of(whole(answer.get("TotalCount")), _PAGE)


def _properties(code: dict[str, Any]) -> Properties:
    """A RegisterCodeInfo as inputs and outputs."""
    created, expired = text(code.get("CreatedTime")), text(code.get("ExpiredTime"))
    now: Properties = {
        "description": code.get("Description") or "",
        "instance_name_prefix": code.get("InstanceNamePrefix") or "",
        "ip_address_range": code.get("IpAddressRange") or "",
        "created_time": created,
        "expired_time": expired,
        "enabled": flag(code.get("Enabled")),
        "registered_count": whole(code.get("RegisteredCount")),
    }
    # What is never empty is left out where it is not shown: that says nothing.
    if (limit := whole(code.get("RegisterLimit"))) is not None:
        now["register_limit"] = limit
    # The hours that were asked for are not shown, but what came of them is.
    if expired is None:
        now["effective_time"] = LONGEST_TERM + 1
    elif created is not None:
        now["effective_time"] = clock.hours_between(created, expired)
    return now


def _linux_command(region: str, id: str, value: str) -> str:
    import shlex  # few programs ask for it

    return shlex.join(["/usr/local/qcloud/tat_agent/tat_agent", "register", region, id, value])


def _windows_command(region: str, id: str, value: str) -> str:
    agent = r"C:\Program Files\QCloud\tat_agent\tat_agent.exe"
    return subprocess.list2cmdline([agent, "register", region, id, value])


class RegisterCode(
    LifecycleResource,
    module="tencentcloud/tat",
    name="RegisterCode",
    lifecycle=RegisterCodeProvider,
):
    """A code with which machines outside Tencent Cloud register for Automation Tools.

    Args:
        resource_name: the resource's name in the program.
        opts: the engine's options. ``custom_timeouts``: 5 minutes each where nothing is set.
        description: at most 128 characters. Replaces.
        instance_name_prefix: what the registered machines' names begin with, at most 32 characters.
            Replaces.
        register_limit: how many machines may register, 1 to 10000; default 10. Replaces.
        effective_time: hours that the code is valid, at least 1; more than 99999 is for ever;
            default 4. Replaces.
        ip_address_range: the public IPv4 address or CIDR block from which machines register;
            default any. Replaces.
        region: such as ``ap-guangzhou``; default the provider's, as it was when the code was made.
            Replaces.
        rotate_before_hours: a ``pulumi up`` so many hours before the code's end, or when the code
            is expired, disabled or used up, replaces it, the new one before the old. A window as
            long as ``effective_time`` or longer replaces it at every ``up``. Default: never.
        when_in_use: what becomes of the machines that have registered with the code when it is
            destroyed: ``keep`` (default) leaves them registered; ``deregister`` deregisters them;
            ``fail`` fails as long as there are some, and names them. In a replacement they stay.
        adopt_id: the id of an existing code to take over at the first create; ignored ever after.
            Its value is absent then.

    Outputs:
        register_code_id (str): also the resource's id.
        register_code_value (str): secret; None where it was adopted or read by ``get``.
        linux_register_command (str): secret; what root runs on a machine that has the agent; then
            ``systemctl restart tat_agent``. None where there is no value.
        windows_register_command (str): secret; the same for an administrator's cmd.exe; then the
            service ``tatsvc`` is to be restarted.
        created_time (str): RFC 3339, UTC.
        expired_time (str): RFC 3339, UTC; None where it is valid for ever.
        enabled (bool): False once it was disabled.
        registered_count (int): machines that have registered; changes without a diff.

    Every input is an output too, as it is in the cloud, but for ``rotate_before_hours``,
    ``when_in_use`` and ``adopt_id``.

    Source:
        TAT CreateRegisterCode, DescribeRegisterCodes, DisableRegisterCodes, DeleteRegisterCodes,
        DescribeRegisterInstances, DeleteRegisterInstance, 2020-10-28.
    """

    description: pulumi.Output[str]
    instance_name_prefix: pulumi.Output[str]
    register_limit: pulumi.Output[int]
    effective_time: pulumi.Output[int]
    ip_address_range: pulumi.Output[str]
    region: pulumi.Output[str]
    register_code_id: pulumi.Output[str]
    register_code_value: pulumi.Output[str | None]
    created_time: pulumi.Output[str]
    expired_time: pulumi.Output[str | None]
    enabled: pulumi.Output[bool]
    registered_count: pulumi.Output[int]
    linux_register_command: pulumi.Output[str | None] = register_command(
        _linux_command, id="register_code_id", code="register_code_value"
    )
    windows_register_command: pulumi.Output[str | None] = register_command(
        _windows_command, id="register_code_id", code="register_code_value"
    )

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        description: pulumi.Input[str] | None = None,
        instance_name_prefix: pulumi.Input[str] | None = None,
        register_limit: pulumi.Input[int] | None = None,
        effective_time: pulumi.Input[int] | None = None,
        ip_address_range: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        rotate_before_hours: pulumi.Input[float] | None = None,
        when_in_use: pulumi.Input[str] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
    ) -> None:
        super().__init__(
            resource_name,
            {
                "description": description,
                "instance_name_prefix": instance_name_prefix,
                "register_limit": register_limit,
                "effective_time": effective_time,
                "ip_address_range": ip_address_range,
                "region": region,
                "rotate_before_hours": rotate_before_hours,
                "when_in_use": when_in_use,
                "adopt_id": adopt_id,
            },
            opts,
        )

    @staticmethod
    def get(
        resource_name: str,
        id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
        *,
        region: pulumi.Input[str] | None = None,
    ) -> RegisterCode:
        """Read an existing register code without managing it.

        Args:
            resource_name: its name in the program.
            id: the register code's id.
            opts: the engine's options.
            region: where it is; default the provider's.

        Returns:
            The code with all outputs but its value and the commands, which are None.
        """
        existing = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        return RegisterCode(resource_name, existing, region=region)


@dataclass(frozen=True)
class RegisterInstance:
    """A machine that registered.

    Attributes:
        instance_id: ``rins-…``.
        instance_name: its name; it can be changed in the console.
        register_code_id: the code that it registered with.
        status: ``Online`` or ``Offline``.
        machine_id: by which the agent knows the machine.
        system_name: ``Linux`` or ``Windows``.
        host_name: as it was when it registered.
        local_ip: its own address.
        created_time: RFC 3339, UTC.
        updated_time: RFC 3339, UTC.
        tags: as a mapping.
    """

    instance_id: str
    instance_name: str
    register_code_id: str
    status: str
    machine_id: str
    system_name: str
    host_name: str
    local_ip: str
    created_time: str
    updated_time: str
    tags: dict[str, str]


@dataclass(frozen=True)
class GetRegisterInstancesResult:
    """What ``get_register_instances`` found.

    Attributes:
        register_instances: the machines.
    """

    register_instances: list[RegisterInstance]


@dataclass(frozen=True)
class RegisterCodeInfo:
    """A register code of the account, whoever made it; its value is shown to nobody.

    What the vendor does not say is None.

    Attributes:
        register_code_id: its id.
        description: empty where there is none.
        instance_name_prefix: empty where there is none.
        register_limit: how many machines may register.
        registered_count: how many have.
        ip_address_range: empty for any.
        enabled: False once it was disabled.
        created_time: RFC 3339, UTC.
        expired_time: RFC 3339, UTC; None where it is valid for ever.
    """

    register_code_id: str
    description: str
    instance_name_prefix: str
    register_limit: int | None
    registered_count: int | None
    ip_address_range: str
    enabled: bool | None
    created_time: str | None
    expired_time: str | None


@dataclass(frozen=True)
class GetRegisterCodesResult:
    """What ``get_register_codes`` found.

    Attributes:
        register_codes: the codes.
    """

    register_codes: list[RegisterCodeInfo]


def get_register_instances(
    *,
    register_code_id: str | None = None,
    register_status: str | None = None,
    region: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetRegisterInstancesResult:
    """Which machines registered, with which code, and whether they are online; in a preview too.

    Args:
        register_code_id: those that registered with this code; default any.
        register_status: ``Online`` or ``Offline``; default both.
        region: where; default the provider's.
        opts: an explicit ``provider``, or the ``parent`` whose provider it is.

    Raises:
        LookUpFailed: the vendor refused, or could not be asked.

    Source: TAT DescribeRegisterInstances, 2020-10-28.
    """
    return _instances_lookup.now(
        opts, register_code_id=register_code_id, register_status=register_status, region=region
    )


def get_register_instances_output(
    *,
    register_code_id: pulumi.Input[str] | None = None,
    register_status: pulumi.Input[str] | None = None,
    region: pulumi.Input[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[GetRegisterInstancesResult]:
    """As ``get_register_instances``, of inputs that may not be known yet."""
    return _instances_lookup.output(
        opts, register_code_id=register_code_id, register_status=register_status, region=region
    )


def get_register_codes(
    *, region: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> GetRegisterCodesResult:
    """All register codes of the account in a region.

    Args:
        region: where; default the provider's.
        opts: an explicit ``provider``, or the ``parent`` whose provider it is.

    Raises:
        LookUpFailed: the vendor refused, or could not be asked.

    Source: TAT DescribeRegisterCodes, 2020-10-28.
    """
    return _codes_lookup.now(opts, region=region)


def get_register_codes_output(
    *, region: pulumi.Input[str] | None = None, opts: pulumi.InvokeOptions | None = None
) -> pulumi.Output[GetRegisterCodesResult]:
    """As ``get_register_codes``, of a region that may not be known yet."""
    return _codes_lookup.output(opts, region=region)


def _find_instances(api: Api, inputs: Properties) -> GetRegisterInstancesResult:
    filters = [
        {"Name": name.replace("_", "-"), "Values": [value]} for name, value in inputs.items()
    ]
    machines = _listed(
        api,
        "DescribeRegisterInstances",
        "RegisterInstanceSet",
        **({"Filters": filters} if filters else {}),
    )
    return GetRegisterInstancesResult([_register_instance(machine) for machine in machines])


def _register_instance(machine: dict[str, Any]) -> RegisterInstance:
    def shown(name: str) -> str:
        return str(machine.get(name) or "")

    return RegisterInstance(
        instance_id=shown("InstanceId"),
        instance_name=shown("InstanceName"),
        register_code_id=shown("RegisterCodeId"),
        status=shown("Status"),
        machine_id=shown("MachineId"),
        system_name=shown("SystemName"),
        host_name=shown("HostName"),
        local_ip=shown("LocalIp"),
        created_time=shown("CreatedTime"),
        updated_time=shown("UpdatedTime"),
        tags={str(tag.get("Key")): str(tag.get("Value")) for tag in objects(machine.get("Tags"))},
    )


def _find_codes(api: Api, _inputs: Properties) -> GetRegisterCodesResult:
    return GetRegisterCodesResult(
        [
            RegisterCodeInfo(
                register_code_id=str(code.get("RegisterCodeId")),
                **{
                    name: now
                    for name, now in {"register_limit": None, **_properties(code)}.items()
                    if name != "effective_time"
                },
            )
            for code in _listed(api, "DescribeRegisterCodes", "RegisterCodeSet")
        ]
    )


_instances_lookup = Lookup(
    "get_register_instances",
    "registered machines",
    GetRegisterInstancesResult,
    RegisterCodeProvider,
    _find_instances,
    inputs=(
        Text(name="register_code_id", most=256),
        Choice(name="register_status", words=("Online", "Offline")),
    ),
)
_codes_lookup = Lookup(
    "get_register_codes",
    "register codes",
    GetRegisterCodesResult,
    RegisterCodeProvider,
    _find_codes,
)

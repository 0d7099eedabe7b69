"""Elastic Compute Service (ECS), API version 2014-05-26."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pulumi

from pulumi_hybrid import clock
from pulumi_hybrid.alicloud.client import AlicloudApi
from pulumi_hybrid.answers import flag, objects, text, whole
from pulumi_hybrid.api import Api, Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Ambiguous, Error, NotFound, Refused, Transient
from pulumi_hybrid.fields import (
    ADOPT_ID,
    REGION,
    AddressRange,
    Choice,
    Flag,
    OnChange,
    Tags,
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
from pulumi_hybrid.settings import ALICLOUD


class InUse(Refused):
    """Machines are registered with the activation, so it cannot be deleted."""


_TAG_RULES = "Keep keys to 64 and values to 128 characters, without http:// or https://."

_MEANINGS = {
    "RegionId.ApiNotSupported": Meaning(
        "the region has no managed instances. Choose another region."
    ),
    "InstanceName.ExceedLimit": Meaning(
        "instance_name is too long. Keep it to 2 to 50 characters."
    ),
    "InstanceName.InvalidPattern": Meaning(
        "instance_name has a form that is not allowed. Begin with a letter; use letters, digits "
        "and . _ - : only."
    ),
    "ActivationDesc.ExceedLimit": Meaning(
        "description is too long. Keep it to 1 to 100 characters."
    ),
    "ActivationLimitation.Invalid": Meaning(
        "instance_count is more than the account may have for one code. Lower it to the limit that "
        "the vendor names."
    ),
    "AddressRange.InvalidPattern": Meaning(
        "ip_address_range is no IPv4 or IPv6 address and no CIDR block. Write it as one."
    ),
    "ActivationCount.ExceedLimit": Meaning(
        "the region holds as many activations as the account may have. Delete unused ones; a used "
        "one can be deleted only after its machines are deregistered."
    ),
    "ActivationTTL.ExceedLimit": Meaning(
        "time_to_live_in_hours is longer than the account may have. Lower it to the limit that the "
        "vendor names."
    ),
    "InvalidTagKey.Malformed": Meaning(f"a tag's key is not allowed. {_TAG_RULES}"),
    "InvalidTagValue.Malformed": Meaning(f"a tag's value is not allowed. {_TAG_RULES}"),
    "NumberExceed.Tags": Meaning("there are too many tags. Give 20 at most."),
    "MissingParameter.TagKey": Meaning("a tag has no key. Give it one."),
    "Duplicate.TagKey": Meaning("two tags have one key. Give each a key of its own."),
    "Operation.Forbidden": Meaning(
        "the account may not do this. Ask the vendor's support to open it for the account."
    ),
    "InvalidStatus.ResourceGroup": Meaning(
        "the resource group is being created or deleted. Wait, or choose another.", Transient
    ),
    "RealNameAuthenticationError": Meaning(
        "the account is not verified by real name. Complete the verification in the console."
    ),
    "ManagedInstanceCountExceedLimit": Meaning(
        "the region holds as many managed instances as the account may have. Deregister some."
    ),
    "InvalidResourceGroup.NotFound": Meaning(
        "there is no such resource group. Check resource_group_id."
    ),
    "ActivationId.NotFound": Meaning(
        "there is no such activation. If it was deleted, run `pulumi refresh`.", NotFound
    ),
    "ActivationId.InUse": Meaning(
        "machines are registered with the activation. Deregister them, or set when_in_use.", InUse
    ),
    "InvalidInstance.NotFound": Meaning(
        "there is no such managed instance. Look for it in the console.", NotFound
    ),
}

_RESOURCE_TYPE = "activation"
_PAGE = 50
"""The most that a Describe action gives at once."""
_VENDORS_OWN = ("acs:", "aliyun")


class ActivationProvider(Lifecycle):
    """Looks after activations. Its path is part of every user's state: it must never move."""

    kind = "Activation"
    cloud = ALICLOUD
    inputs = (
        Text(
            name="instance_name",
            least=2,
            most=50,
            pattern=r"[A-Za-z][A-Za-z0-9._:-]*",
            form="a letter, then letters, digits and . _ - : only",
        ),
        Text(name="description", least=1, most=100),
        Whole(name="instance_count", least=1, most=1000, default=10),
        Whole(name="time_to_live_in_hours", least=1, most=876576, unit="hours", default=4),
        AddressRange(name="ip_address_range", default="0.0.0.0/0", versions=(4, 6)),
        Text(
            name="resource_group_id",
            least=1,
            most=64,
            on_change=OnChange.UPDATE,
            # The default group has no id to go back to.
            kept_when_absent=True,
        ),
        Tags(
            name="tags",
            most=20,
            most_in_key=64,
            most_in_value=128,
            forbidden_starts=_VENDORS_OWN,
            on_change=OnChange.UPDATE,
            sent=False,
        ),
        REGION,
        ROTATE_BEFORE_HOURS,
        Choice(
            name="when_in_use",
            words=("disable", "fail", "deregister"),
            default="disable",
            on_change=OnChange.NOTHING,
            sent=False,
        ),
        ADOPT_ID,
    )
    id_output = "activation_id"
    outputs = (
        "creation_time",
        "expired_time",
        "disabled",
        "registered_count",
        "deregistered_count",
    )
    secrets = ("activation_code",)

    def connect(self, region: str, call: Call, deadline: Deadline) -> Api:  # noqa: D102
        return AlicloudApi(region, self.settings, meanings=_MEANINGS, call=call, deadline=deadline)

    def make(self, api: Api, inputs: Properties) -> Made:
        """CreateActivation with one ClientToken for all tries: a lost answer is answered again.

        The token is a new one for each create, or a rotation with equal inputs would be answered
        with the old code.
        """
        parameters = self._sent(inputs) | {"ClientToken": str(uuid.uuid4())}
        if inputs.get("tags"):
            parameters["Tag"] = _tag_list(inputs["tags"])
        try:
            answer = api.call(
                "CreateActivation", parameters, holding=("ActivationId", "ActivationCode")
            )
        except Error as error:
            told = (error, error.unsure)
            unusable = next((one.id for one in told if isinstance(one, Ambiguous) and one.id), "")
            if unusable:
                error.add(f"{self._undone(api, unusable, inputs)} Run `pulumi up` again.")
            elif any(isinstance(one, (Ambiguous, Transient)) for one in told):
                error.add("Look through the region's activations for one made just now.")
            raise
        return Made(str(answer["ActivationId"]), {"activation_code": answer["ActivationCode"]})

    def look_up(self, api: Api, id: str, inputs: Properties) -> Properties | None:  # noqa: D102
        try:
            answer = api.call("DescribeActivations", {"ActivationId": id})
        except NotFound:
            return None
        for activation in objects(answer.get("ActivationList"), "Activation"):
            if activation.get("ActivationId") == id:
                return _properties(activation)
        return None

    def look_up_for_refresh(self, api: Api, id: str, inputs: Properties) -> Properties | None:  # noqa: D102
        activation = listing_of(api.place).find(id, lambda number: _page(api, number))
        return self.look_up(api, id, inputs) if activation is None else _properties(activation)

    def change(  # noqa: D102
        self, api: Api, id: str, now: Properties, inputs: Properties, names: list[str]
    ) -> None:
        target = {"ResourceType": _RESOURCE_TYPE}
        if "tags" in names:
            before, after = now.get("tags") or {}, inputs.get("tags") or {}
            removed = [key for key in before if key not in after]
            added = {key: value for key, value in after.items() if before.get(key) != value}
            if removed:
                api.call("UntagResources", {**target, "ResourceId": [id], "TagKey": removed})
            if added:
                api.call("TagResources", {**target, "ResourceId": [id], "Tag": _tag_list(added)})
        if "resource_group_id" in names:
            group = inputs["resource_group_id"]
            api.call("JoinResourceGroup", {**target, "ResourceId": id, "ResourceGroupId": group})

    def remove(self, api: Api, id: str, inputs: Properties) -> None:
        """DeleteActivation; what becomes of one that machines have used, ``when_in_use`` says."""
        try:
            self._delete(api, id)
        except InUse as refusal:
            # In a replacement its machines go on: only the code is another one.
            when_in_use = "disable" if api.replaces else inputs.get("when_in_use")
            if when_in_use == "fail":
                raise self._with_machines(api, id, refusal) from None
            try:
                # First, so that none joins while the others are deregistered.
                api.call("DisableActivation", {"ActivationId": id})
            except NotFound:
                return
            machines = "The machines stay registered."
            if when_in_use == "deregister":
                # All first: the pages move while their entries go.
                registered = [machine["InstanceId"] for machine in _machines(api, id)]
                for machine in registered:
                    api.progress(f"deregistering {machine}", machine)
                    _deregister(api, machine)
                machines = (
                    "The machines are deregistered."
                    if registered
                    else "No machine shows as registered with it."
                )
                # By some of the vendor's pages one that was ever used stays for good.
                with suppress(InUse):
                    self._delete(api, id)
                    return
            api.warn(
                f"Activation {id} was used by machines, so it cannot be deleted. It is disabled, "
                "its record stays in the account, and it counts against the quota of the region. "
                f"{machines}"
            )

    def worn_out(self, inputs: Properties, outputs: Properties) -> list[str]:
        """Near its end, past it, disabled or used up."""
        return rotation_reasons(
            inputs,
            outputs,
            closed={"disabled": True},
            used="registered_count",
            limit="instance_count",
        )

    def _delete(self, api: Api, id: str) -> None:
        with suppress(NotFound):
            api.call("DeleteActivation", {"ActivationId": id})

    def _with_machines(self, api: Api, id: str, refusal: InUse) -> Error:
        machines = [_called(machine) for machine in _machines(api, id)]
        return Refused(
            f"machines are registered with it: {', '.join(machines) or 'none that shows'}. "
            "Deregister them, or set when_in_use to disable or deregister and run `pulumi up` "
            "before the destroy.",
            refusal.answer,
        )


def _called(machine: Mapping[str, Any]) -> str:
    name = machine.get("InstanceName") or machine.get("Hostname")
    return f"{machine['InstanceId']} ({name})" if name else str(machine["InstanceId"])


def _machines(api: Api, id: str) -> Iterator[dict[str, Any]]:
    """The managed instances that are registered with the activation."""
    machines = _listed(api, "DescribeManagedInstances", "Instances", "Instance", ActivationId=id)
    return (machine for machine in machines if machine.get("InstanceId"))


def _listed(
    api: Api, action: str, field: str, name: str, **parameters: Any
) -> Iterator[dict[str, Any]]:
    """All that a Describe action lists, page by page; ``name`` is as of ``answers.objects``."""
    parameters["MaxResults"] = _PAGE
    while True:
        answer = api.call(action, parameters)
        yield from objects(answer.get(field), name)
        if not answer.get("NextToken"):
            return
        parameters["NextToken"] = answer["NextToken"]


def _deregister(api: Api, instance_id: str) -> None:
    with suppress(NotFound):
        api.call("DeregisterManagedInstance", {"InstanceId": instance_id})


def _page(api: Api, number: int) -> Page:
    """A page of all activations in the region, by id, and how many pages there are."""
    answer = api.call("DescribeActivations", {"PageNumber": number + 1, "PageSize": _PAGE})
    activations = {
        activation.get("ActivationId"): activation
        for activation in objects(answer.get("ActivationList"), "Activation")
    }
    return activations, pages_of(whole(answer.get("TotalCount")), _PAGE)


def _properties(activation: Mapping[str, Any]) -> Properties:
    """An item of ActivationList as inputs and outputs."""
    created = text(activation.get("CreationTime"))
    hours = whole(activation.get("TimeToLiveInHours"))
    tags = _tags(activation)
    now = {
        "instance_name": text(activation.get("InstanceName")),
        "description": text(activation.get("Description")),
        "ip_address_range": text(activation.get("IpAddressRange")),
        "tags": {key: tags[key] for key in tags if not key.startswith(_VENDORS_OWN)} or None,
        "creation_time": created,
        # The vendor shows when it was made and for how long, but not its end.
        "expired_time": clock.later(created, timedelta(hours=hours)) if created and hours else None,
        "disabled": flag(activation.get("Disabled")) or False,
        "registered_count": whole(activation.get("RegisteredCount")),
        "deregistered_count": whole(activation.get("DeregisteredCount")),
    }
    # What is never empty is left out where it is not shown: that says nothing.
    numbers = {
        "instance_count": whole(activation.get("InstanceCount")),
        "time_to_live_in_hours": hours,
    }
    now |= {name: number for name, number in numbers.items() if number is not None}
    if "ResourceGroupId" in activation:
        now["resource_group_id"] = text(activation["ResourceGroupId"])
    return now


def _tags(shown: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(tag.get("TagKey") or tag.get("Key")): str(tag.get("TagValue") or tag.get("Value") or "")
        for tag in objects(shown.get("Tags"), "Tag")
    }


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _linux_command(region: str, id: str, code: str) -> str:
    import shlex  # few programs ask for it

    named = {"--RegionId": region, "--ActivationCode": code, "--ActivationId": id}
    arguments = [word for argument in named.items() for word in argument]
    return shlex.join(["aliyun-service", "--register", *arguments])


def _windows_command(region: str, id: str, code: str) -> str:
    return (
        "aliyun_agent_latest_setup.exe /S --register "
        f'--RegionId="{region}" --ActivationCode="{code}" --ActivationId="{id}"'
    )


class Activation(
    LifecycleResource, module="alicloud/ecs", name="Activation", lifecycle=ActivationProvider
):
    """A code with which machines outside Alibaba Cloud register as managed instances.

    Args:
        resource_name: the resource's name in the program.
        opts: the engine's options. ``custom_timeouts``: 5 minutes each where nothing is set.
        instance_name: what the registered machines' names begin with, 2 to 50 characters: a letter,
            then letters, digits and ``. _ - :``; default their host names. Replaces.
        description: 1 to 100 characters. Replaces.
        instance_count: how many machines may register, 1 to 1000, or less where the account may
            have less; default 10. Replaces.
        time_to_live_in_hours: 1 to 876576 (100 years), or less where the account may have less;
            default 4. Replaces.
        ip_address_range: the IPv4 or IPv6 address or CIDR block from which machines register;
            default any. Replaces.
        resource_group_id: default the account's default group. Changed in place; taken out of the
            program, the activation stays in its group.
        tags: at most 20; keys of 1 to 64 characters that do not begin with ``acs:`` or ``aliyun``,
            values of at most 128, none with ``http://`` or ``https://``. Changed in place.
        region: such as ``cn-hangzhou``; default the provider's, as it was when the activation was
            made. Replaces.
        rotate_before_hours: a ``pulumi up`` so many hours before the activation's end, or when it
            is expired, disabled or used up, replaces it, the new one before the old. A window as
            long as ``time_to_live_in_hours`` or longer replaces it at every ``up``. Default: never.
        when_in_use: what a destroy does with an activation that machines have used, which cannot
            be deleted: ``disable`` (default) closes it, leaves the record and warns; ``fail`` fails
            and names the machines; ``deregister`` deregisters them first.
        adopt_id: the id of an existing activation to take over at the first create; ignored ever
            after. Its code is absent then.

    Outputs:
        activation_id (str): also the resource's id.
        activation_code (str): secret; None where it was adopted or read by ``get``.
        linux_register_command (str): secret; what root runs on a machine that has the Cloud
            Assistant agent. It ends with status 0 even where it fails: look for ``register ok``.
            None where there is no code.
        windows_register_command (str): secret; the agent's installer, which also registers, run by
            an administrator where it was downloaded to.
        creation_time (str): RFC 3339, UTC.
        expired_time (str): RFC 3339, UTC.
        disabled (bool): True once it was disabled.
        registered_count (int): machines that have ever registered; changes without a diff.
        deregistered_count (int): machines of those that are gone; changes without a diff.

    Every input is an output too, as it is in the cloud, but for ``rotate_before_hours``,
    ``when_in_use`` and ``adopt_id``.

    Source:
        ECS CreateActivation, DescribeActivations, DisableActivation, DeleteActivation,
        TagResources, UntagResources, JoinResourceGroup, DescribeManagedInstances,
        DeregisterManagedInstance, 2014-05-26.
    """

    instance_name: pulumi.Output[str | None]
    description: pulumi.Output[str | None]
    instance_count: pulumi.Output[int]
    time_to_live_in_hours: pulumi.Output[int]
    ip_address_range: pulumi.Output[str | None]
    resource_group_id: pulumi.Output[str | None]
    tags: pulumi.Output[dict[str, str] | None]
    region: pulumi.Output[str]
    activation_id: pulumi.Output[str]
    activation_code: pulumi.Output[str | None]
    creation_time: pulumi.Output[str]
    expired_time: pulumi.Output[str]
    disabled: pulumi.Output[bool]
    registered_count: pulumi.Output[int]
    deregistered_count: pulumi.Output[int]
    linux_register_command: pulumi.Output[str | None] = register_command(
        _linux_command, id="activation_id", code="activation_code"
    )
    windows_register_command: pulumi.Output[str | None] = register_command(
        _windows_command, id="activation_id", code="activation_code"
    )

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        instance_name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        instance_count: pulumi.Input[int] | None = None,
        time_to_live_in_hours: pulumi.Input[int] | None = None,
        ip_address_range: pulumi.Input[str] | None = None,
        resource_group_id: pulumi.Input[str] | None = None,
        tags: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        region: pulumi.Input[str] | None = None,
        rotate_before_hours: pulumi.Input[float] | None = None,
        when_in_use: pulumi.Input[str] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
    ) -> None:
        super().__init__(
            resource_name,
            {
                "instance_name": instance_name,
                "description": description,
                "instance_count": instance_count,
                "time_to_live_in_hours": time_to_live_in_hours,
                "ip_address_range": ip_address_range,
                "resource_group_id": resource_group_id,
                "tags": tags,
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
    ) -> Activation:
        """Read an existing activation without managing it.

        Args:
            resource_name: its name in the program.
            id: the activation's id.
            opts: the engine's options.
            region: where it is; default the provider's.

        Returns:
            The activation with all outputs but its code and the commands, which are None.
        """
        existing = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        return Activation(resource_name, existing, region=region)


@dataclass(frozen=True)
class ManagedInstance:
    """A machine that registered.

    Attributes:
        instance_id: ``mi-…``.
        instance_name: its name; it can be changed in the console.
        activation_id: the activation that it registered with.
        connected: whether it is online.
        machine_id: by which the agent knows the machine.
        os_type: ``linux``, ``windows`` or ``FreeBSD``.
        os_version: as the agent says.
        agent_version: the agent's.
        hostname: the machine's own name.
        internet_ip: the address that it comes from.
        intranet_ip: its own address.
        registration_time: RFC 3339, UTC.
        resource_group_id: empty for the default group.
        tags: as a mapping.
    """

    instance_id: str
    instance_name: str
    activation_id: str
    connected: bool
    machine_id: str
    os_type: str
    os_version: str
    agent_version: str
    hostname: str
    internet_ip: str
    intranet_ip: str
    registration_time: str
    resource_group_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class GetManagedInstancesResult:
    """What ``get_managed_instances`` found.

    Attributes:
        instances: the machines.
    """

    instances: list[ManagedInstance]


@dataclass(frozen=True)
class ActivationInfo:
    """An activation of the account, whoever made it; its code is shown to nobody.

    Attributes:
        activation_id: its id.
        instance_name: None where there is none.
        description: None where there is none.
        instance_count: how many machines may register.
        time_to_live_in_hours: how long it is valid.
        ip_address_range: ``0.0.0.0/0``, or None, for any.
        resource_group_id: None for the default group.
        tags: those that the vendor has not set; None where there are none.
        creation_time: RFC 3339, UTC.
        expired_time: RFC 3339, UTC.
        disabled: True once it was disabled.
        registered_count: machines that have ever registered.
        deregistered_count: machines of those that are gone.
    """

    activation_id: str
    instance_name: str | None
    description: str | None
    ip_address_range: str | None
    tags: dict[str, str] | None
    creation_time: str | None
    expired_time: str | None
    disabled: bool
    registered_count: int | None
    deregistered_count: int | None
    resource_group_id: str | None = None
    instance_count: int | None = None
    time_to_live_in_hours: int | None = None


@dataclass(frozen=True)
class GetActivationsResult:
    """What ``get_activations`` found.

    Attributes:
        activations: the activations.
    """

    activations: list[ActivationInfo]


def get_managed_instances(
    *,
    activation_id: str | None = None,
    connected: bool | None = None,
    region: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetManagedInstancesResult:
    """Which machines registered, with which activation, and whether they are online.

    In a preview too.

    Args:
        activation_id: those that registered with this one; default any.
        connected: whether they are online; default either.
        region: where; default the provider's.
        opts: an explicit ``provider``, or the ``parent`` whose provider it is.

    Raises:
        LookUpFailed: the vendor refused, or could not be asked.

    Source: ECS DescribeManagedInstances, 2014-05-26.
    """
    return _instances_lookup.now(
        opts, activation_id=activation_id, connected=connected, region=region
    )


def get_managed_instances_output(
    *,
    activation_id: pulumi.Input[str] | None = None,
    connected: pulumi.Input[bool] | None = None,
    region: pulumi.Input[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[GetManagedInstancesResult]:
    """As ``get_managed_instances``, of inputs that may not be known yet."""
    return _instances_lookup.output(
        opts, activation_id=activation_id, connected=connected, region=region
    )


def get_activations(
    *, region: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> GetActivationsResult:
    """All activations of the account in a region.

    Args:
        region: where; default the provider's.
        opts: an explicit ``provider``, or the ``parent`` whose provider it is.

    Raises:
        LookUpFailed: the vendor refused, or could not be asked.

    Source: ECS DescribeActivations, 2014-05-26.
    """
    return _activations_lookup.now(opts, region=region)


def get_activations_output(
    *, region: pulumi.Input[str] | None = None, opts: pulumi.InvokeOptions | None = None
) -> pulumi.Output[GetActivationsResult]:
    """As ``get_activations``, of a region that may not be known yet."""
    return _activations_lookup.output(opts, region=region)


def _find_instances(api: Api, inputs: Properties) -> GetManagedInstancesResult:
    parameters = {}
    if "activation_id" in inputs:
        parameters["ActivationId"] = inputs["activation_id"]
    if "connected" in inputs:
        parameters["Connected"] = "true" if inputs["connected"] else "false"
    machines = _listed(api, "DescribeManagedInstances", "Instances", "Instance", **parameters)
    return GetManagedInstancesResult([_managed_instance(machine) for machine in machines])


def _managed_instance(machine: dict[str, Any]) -> ManagedInstance:
    def shown(name: str) -> str:
        return str(machine.get(name) or "")

    return ManagedInstance(
        instance_id=shown("InstanceId"),
        instance_name=shown("InstanceName"),
        activation_id=shown("ActivationId"),
        connected=flag(machine.get("Connected")) or False,
        machine_id=shown("MachineId"),
        os_type=shown("OsType"),
        os_version=shown("OsVersion"),
        agent_version=shown("AgentVersion"),
        hostname=shown("Hostname"),
        internet_ip=shown("InternetIp"),
        intranet_ip=shown("IntranetIp"),
        registration_time=shown("RegistrationTime"),
        resource_group_id=shown("ResourceGroupId"),
        tags=_tags(machine),
    )


def _find_activations(api: Api, _inputs: Properties) -> GetActivationsResult:
    return GetActivationsResult(
        [
            ActivationInfo(
                activation_id=str(activation.get("ActivationId")), **_properties(activation)
            )
            for activation in _listed(api, "DescribeActivations", "ActivationList", "Activation")
        ]
    )


_instances_lookup = Lookup(
    "get_managed_instances",
    "managed instances",
    GetManagedInstancesResult,
    ActivationProvider,
    _find_instances,
    inputs=(Text(name="activation_id", most=256), Flag(name="connected")),
)
_activations_lookup = Lookup(
    "get_activations", "activations", GetActivationsResult, ActivationProvider, _find_activations
)

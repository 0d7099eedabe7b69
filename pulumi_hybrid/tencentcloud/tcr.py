"""Tencent Container Registry (TCR), API version 2019-09-24."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict

import pulumi

from pulumi_hybrid import clock
from pulumi_hybrid.answers import flag, objects, text, whole
from pulumi_hybrid.api import Api, Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call, is_unknown
from pulumi_hybrid.errors import (
    Ambiguous,
    Error,
    Gone,
    NotFound,
    NotReady,
    Refused,
    Transient,
)
from pulumi_hybrid.fields import (
    ADOPT_ID,
    MADE_UP_DIGITS,
    REGION,
    AddressRange,
    AutoName,
    Choice,
    Flag,
    Many,
    Moment,
    OnChange,
    Structure,
    Tags,
    Text,
    Whole,
    network,
)
from pulumi_hybrid.lifecycle import Lifecycle, LifecycleResource, Made, Properties
from pulumi_hybrid.lookup import Lookup
from pulumi_hybrid.settings import TENCENTCLOUD
from pulumi_hybrid.tencentcloud.client import Product, TencentcloudApi
from pulumi_hybrid.tencentcloud.terms import (
    MOST_YEARS,
    follows,
    is_later,
    is_same,
    months_to_pay,
    renewal,
)
from pulumi_hybrid.watch import NotAnswered, watch_of

TCR = Product(title="TCR", service="tcr", version="2019-09-24")
TAG = Product(title="Tag", service="tag", version="2018-08-13")


class NameTaken(Refused):
    """A registry of that name exists, somewhere in the world."""


class Busy(Refused):
    """Another change of the registry is under way; refused before any work."""


class Conflict(Busy):
    """The same; to a create action it says that there is such a registry."""


_TAKEN = (NameTaken, Conflict)

_NAME_RULE = "Use 5 to 50 lower-case letters, digits and hyphens, no hyphen first or last."
_CONSOLE = "Open the TCR console once and authorise the service."

_MEANINGS = {
    "FailedOperation.GetDBDataError": Meaning("TCR could not read its data. Try later.", Transient),
    "FailedOperation.DependenceError": Meaning(
        "something that TCR stands on failed. Try later.", Transient
    ),
    "FailedOperation.GetSecurityPolicyFail": Meaning(
        "TCR could not read the security policies. Try later.", Transient
    ),
    "FailedOperation.GetTcrClient": Meaning(
        "TCR could not reach the registry. Try later.", Transient
    ),
    "FailedOperation.TradeFailed": Meaning(
        "the order was refused, and nothing was paid. Check the account's balance, arrears and "
        f"real-name verification; if the vendor names a service role: {_CONSOLE}"
    ),
    "FailedOperation.ValidateRegistryNameFail": Meaning(
        "TCR could not check the name. Try later.", Transient
    ),
    "FailedOperation.ValidateSupportedRegionFail": Meaning(
        "TCR could not check the region. Try later.", Transient
    ),
    "InternalError.ErrConflict": Meaning("another change of it is under way. Try later.", Busy),
    "InternalError.ErrorConflict": Meaning(
        "another change of it is under way. Try later.", Conflict
    ),
    "InternalError.ErrNotExist": Meaning(
        f"something that the registry needs does not exist. {_CONSOLE}"
    ),
    "InternalError.ErrorOverLimit": Meaning(
        "a quota of the account is used up. Delete registries, or ask for more."
    ),
    "InvalidParameter.ErrorNameExists": Meaning("the registry name is taken.", NameTaken),
    "InvalidParameter.ErrorNameIllegal": Meaning(
        f"the registry name has a form that is not allowed. {_NAME_RULE}"
    ),
    "InvalidParameter.ErrorRegistryName": Meaning(
        f"the registry name is not allowed, or reserved. {_NAME_RULE}"
    ),
    "InvalidParameter.ErrorNameReserved": Meaning("the registry name is reserved. Choose another."),
    "InvalidParameter.ErrorTagOverLimit": Meaning("there are too many tags. Give 10 at most."),
    "InvalidParameter.UnsupportedRegion": Meaning("the region has no TCR. Choose another region."),
    "OperationDenied.QuotaOverLimit": Meaning(
        "the region holds as many registries as the account may have. Delete one, or ask for more."
    ),
    "ResourceNotFound": Meaning(
        "there is no such registry. If it was deleted, run `pulumi refresh`.", NotFound
    ),
    "UnauthorizedOperation": Meaning(
        "the key may not do this, or TCR may not use COS and VPC for the account. Grant the action "
        f"in CAM; {_CONSOLE}"
    ),
}

_PAUSE = 2.1
"""Seconds between two looks at the registries of a region that are being waited for."""
_CREATE_TRIES = 3
"""Each looks first for what the one before may have made."""
_LOOKS_FOR_A_LOST_ONE = 5
"""A second apart, after a create without an answer."""
_SECONDS_TO_FREE_A_NAME = 60
"""Of a registry that is replaced, or until one shows whose name is surely held."""
_SECONDS_TO_FREE_ANY_NAME = 20
"""It may be another's for ever, or that of a registry that a destroy has just deleted."""
_SECONDS_TO_SHOW_AN_ORDER = 60
"""Of an order without an answer, or of an earlier run."""
_SECONDS_TO_SHOW_AN_ANSWERED_ORDER = 5
"""As little as may be: the note that keeps it from being bought twice is in state only when the run
has ended."""
_SECONDS_TO_SHOW_A_CHANGE = 8
_SECONDS_OF_AN_UPGRADE = 180
"""Of another type, for which the vendor takes 30 to 60."""
_SECONDS_OF_AN_OLD_STATUS = 15
"""How long a status may still be that of an earlier change or deletion that failed."""

_LASTING = ("enable_cos_maz", "registry_charge_type")
"""What stays as it was seen where an answer leaves it out: a loss would replace, or buy."""

_NOT_MADE_YET = (None, "Pending", "Deploying")
_NOT_AT_REST = ("Pending", "Deploying", "Unhealthy")
_FAILED_FOR_GOOD = "FailedCreated"
"""Such a registry never becomes one: the next run replaces it."""
_OF_AN_EARLIER_CHANGE = "FailedUpdated"
_FAILED = {
    _FAILED_FOR_GOOD: "The next `pulumi up` replaces it.",
    _OF_AN_EARLIER_CHANGE: "Look at it in the TCR console.",
    "Isolate": "Settle the account's arrears, or renew it, in the console.",
    "Bucket-Error": "Check its bucket in the COS console.",
    "Deleting": "Run `pulumi refresh` when it is gone.",
    "DeleteFailed": "Look at it in the TCR console.",
    "DeleteBucketFailed": "Empty its bucket in the COS console, and run `pulumi destroy`.",
}
"""What to do about a registry that will not be Running by itself. Any other status may pass."""


class ChargePrepaidArgs(TypedDict, total=False):
    """How a prepaid registry is bought.

    Attributes:
        period: months of the first term, at least 1. Changed later, it buys nothing.
        renew_flag: 0 (default): by hand; 1: automatically; 2: not, and without notice. Changed
            later, it is sent with the next renewal that ``paid_until`` asks for, and not before.
    """

    period: pulumi.Input[int]
    renew_flag: pulumi.Input[int]


class SecurityPolicyArgs(TypedDict):
    """Who may reach a registry from the Internet.

    Attributes:
        cidr_block: an IPv4 address or CIDR block.
        description: what for.
    """

    cidr_block: pulumi.Input[str]
    description: pulumi.Input[str]


class PublicAccessArgs(TypedDict, total=False):
    """A registry's entrance from the Internet.

    Attributes:
        enabled: whether there is one.
        security_policies: who may use it; nobody where the list is empty.
    """

    enabled: pulumi.Input[bool]
    security_policies: pulumi.Input[list[pulumi.Input[SecurityPolicyArgs]]]


class TagArgs(TypedDict):
    """One tag."""

    key: pulumi.Input[str]
    value: pulumi.Input[str]


class TagSpecificationArgs(TypedDict):
    """Tags in the API's own form; ``tags`` says the same more plainly."""

    resource_type: pulumi.Input[str]
    tags: pulumi.Input[list[pulumi.Input[TagArgs]]]


_REGISTRY_NAME = AutoName(name="registry_name", least=1, most=50)
_CHARGE_PREPAID = Structure(
    name="registry_charge_prepaid",
    parts=(
        Whole(name="period", required=True, least=1, unit="months"),
        Whole(name="renew_flag", least=0, most=2, default=0),
    ),
    on_change=OnChange.NOTHING,
)
_PUBLIC_ACCESS = Structure(
    name="public_access",
    parts=(
        Flag(name="enabled", required=True),
        Many(
            name="security_policies",
            each=Structure(
                name="policy",
                parts=(
                    AddressRange(name="cidr_block", required=True, versions=(4,)),
                    Text(name="description", required=True, least=1, most=255),
                ),
            ),
        ),
    ),
    on_change=OnChange.UPDATE,
    kept_when_absent=True,
    sent=False,
)


class InstanceProvider(Lifecycle):
    """Looks after registries. Its path is part of every user's state: it must never move."""

    kind = "Instance"
    cloud = TENCENTCLOUD
    inputs = (
        _REGISTRY_NAME,
        Choice(
            name="registry_type",
            required=True,
            words=("basic", "standard", "premium"),
            on_change=OnChange.UPDATE,
        ),
        Tags(
            name="tags",
            most=10,
            most_in_key=127,
            most_in_value=255,
            may_hold_urls=True,
            on_change=OnChange.UPDATE,
            sent=False,
        ),
        Structure(
            name="tag_specification",
            parts=(
                Choice(name="resource_type", words=("instance",), default="instance"),
                Many(
                    name="tags",
                    most=10,
                    each=Structure(
                        name="tag",
                        parts=(
                            Text(name="key", required=True, least=1, most=127),
                            Text(name="value", most=255, default=""),
                        ),
                    ),
                ),
            ),
            on_change=OnChange.UPDATE,
            sent=False,
        ),
        Whole(
            name="registry_charge_type",
            least=0,
            most=1,
            default=0,
            on_change=OnChange.UPDATE,
        ),
        _CHARGE_PREPAID,
        # Only the create action knows it, and no other shows it.
        Flag(name="sync_tag", default=False, on_change=OnChange.NOTHING),
        Flag(name="enable_cos_maz", wire="EnableCosMAZ", default=False),
        Flag(name="deletion_protection", default=False, on_change=OnChange.UPDATE),
        # What the vendor takes where nothing is given depends on the type.
        Flag(name="enable_cos_versioning", on_change=OnChange.UPDATE, kept_when_absent=True),
        _PUBLIC_ACCESS,
        Moment(name="paid_until", most_years=MOST_YEARS, on_change=OnChange.NOTHING, sent=False),
        Flag(name="delete_bucket", default=False, on_change=OnChange.NOTHING, sent=False),
        REGION,
        ADOPT_ID,
    )
    id_output = "registry_id"
    outputs = ("status", "public_domain", "internal_endpoint", "created_at", "expired_at")
    notes = ("renewal_ordered",)
    unique = _REGISTRY_NAME
    seconds = 15 * 60
    replacing = "this makes a new registry, without the old one's images"

    def connect(self, region: str, call: Call, deadline: Deadline) -> Api:  # noqa: D102
        return TencentcloudApi(
            TCR, region, self.settings, meanings=_MEANINGS, call=call, deadline=deadline
        )

    def contradictions(self, inputs: Properties) -> list[str]:  # noqa: D102
        problems = []
        charge_type = inputs.get("registry_charge_type")
        if charge_type == 1 and inputs.get("registry_charge_prepaid") is None:
            problems.append("registry_charge_prepaid: is not given, but registry_charge_type is 1")
        if charge_type in (None, 0):
            problems += [
                f"{name}: needs registry_charge_type 1"
                for name in ("registry_charge_prepaid", "paid_until")
                if inputs.get(name) is not None
            ]
        if inputs.get("tags") is not None and inputs.get("tag_specification") is not None:
            problems.append("tag_specification: says the same as tags. Give one of them")
        specification = inputs.get("tag_specification")
        if specification is not None and not is_unknown(specification):
            keys = [tag["key"] for tag in specification.get("tags") or ()]
            if len(set(keys)) < len(keys):
                problems.append("tag_specification: gives the same key twice")
        access = inputs.get("public_access")
        if access is not None and not is_unknown(access):
            policies = access.get("security_policies") or ()
            blocks = [network(policy["cidr_block"]) for policy in policies]
            if blocks and not access["enabled"]:
                problems.append("public_access: has security_policies, but is not enabled")
            if len(set(blocks)) < len(blocks):
                problems.append("public_access: gives the same block twice")
        return problems

    def make(self, api: Api, inputs: Properties) -> Made:
        """CreateInstance. The name is unique in the world, so a lost answer is looked for by name.

        Raises:
            Refused: the name is taken, and by whom.
            Ambiguous: no answer came, and no registry of that name shows.
        """
        body = self._sent(inputs)
        if _tags(inputs):
            tags = [{"Key": key, "Value": value} for key, value in _tags(inputs).items()]
            body["TagSpecification"] = {"ResourceType": "instance", "Tags": tags}
        name = inputs["registry_name"]
        # Looked for before anything is sent: whatever shows afterwards is what this made.
        _free_of_own(api, name)
        freed = Deadline(_SECONDS_TO_FREE_A_NAME if api.replaces else _SECONDS_TO_FREE_ANY_NAME)
        lost = ""
        for tries_left in reversed(range(_CREATE_TRIES)):
            try:
                # After a lost answer a taken name is most likely held by what was made.
                answer = _when_freed(api, Deadline(0) if lost else freed, name, body)
            except (Ambiguous, Transient, *_TAKEN) as error:
                if isinstance(error, _TAKEN) and not lost:
                    raise Refused(
                        f"the registry name {name} is not free yet. Run `pulumi up` again."
                        if api.replaces
                        else f"the registry name {name} is taken by somebody else, or in another "
                        "region, or not freed yet after a deletion. Choose another; after a "
                        "deletion run `pulumi up` again in some minutes.",
                        error.answer,
                    ) from None
                lost = (
                    f"It may exist and cost: look for {name} in the console, and take it over "
                    "with adopt_id."
                )
                made = _find_lost(api, name, is_held=isinstance(error, _TAKEN))
                if made:
                    return Made(made)
                if isinstance(error, _TAKEN) or not tries_left:
                    error.add(lost)
                    raise
                api.sleep(_PAUSE)
            except Error as error:
                if lost:
                    error.add(lost)
                raise
            else:
                return Made(str(answer["RegistryId"]))
        raise AssertionError

    def orphans(self, api: Api, name: str) -> list[str]:
        """Registries of the last day whose names differ from this one in the made-up part alone."""
        alike = re.compile(re.escape(name[:-MADE_UP_DIGITS]) + f"[0-9a-f]{{{MADE_UP_DIGITS}}}")
        answer = api.call("DescribeInstances", {"Limit": 100})
        return [
            str(registry.get("RegistryId"))
            for registry in objects(answer.get("Registries"))
            if alike.fullmatch(str(registry.get("RegistryName")))
            and registry.get("Status") != "Deleting"
            and _is_fresh(registry.get("CreatedAt"))
        ]

    def look_up(self, api: Api, id: str, inputs: Properties) -> Properties | None:  # noqa: D102
        return _shown(api, id, _describe(api, id), inputs)

    def look_up_while_waiting(self, api: Api, id: str, inputs: Properties) -> Properties | None:  # noqa: D102
        return _shown(api, id, _watch(api, id), inputs)

    def change(  # noqa: D102
        self, api: Api, id: str, now: Properties, inputs: Properties, names: list[str]
    ) -> None:
        if "registry_charge_type" in names and inputs.get("registry_charge_type") != 1:
            raise Error(
                "a prepaid registry cannot be made pay-as-you-go again. Set registry_charge_type "
                "back to 1, or let the term end"
            )
        unprotects = "deletion_protection" in names and not inputs.get("deletion_protection")
        if unprotects and now["status"] not in _NOT_MADE_YET:
            # Before anything that may fail: a destroy may be waiting for it.
            _modify(api, id, now, "deletion_protection", False)
            names = [name for name in names if name != "deletion_protection"]
        # One that a run left unfinished takes no change before it runs; one whose last change
        # failed takes the next.
        now = _wait_until_running(api, id, inputs, now, or_else=_OF_AN_EARLIER_CHANGE)
        for name in ("enable_cos_versioning", "deletion_protection"):
            if name in names:
                _modify(api, id, now, name, inputs.get(name, False))
        if "tags" in names or "tag_specification" in names:
            _change_tags(api, id, _tags(now), _tags(inputs))
        if "registry_type" in names:
            # Last, since the vendor takes no other change while it deploys it.
            _modify(api, id, now, "registry_type", inputs["registry_type"])

    def finish(self, api: Api, id: str, inputs: Properties, before: Properties) -> Properties:
        """Wait until it runs; then its public access, and what a preview said is to be paid."""
        now = super().finish(api, id, inputs, before)
        now = _wait_until_running(api, id, inputs, now, inputs["registry_type"])
        wanted = inputs.get("public_access")
        if wanted is not None:
            _open_or_close(api, id, wanted["enabled"])
            if wanted["enabled"]:
                _set_policies(api, id, wanted.get("security_policies") or [])
            now = super().finish(api, id, inputs, before)
        # Money last, since what fails before it has cost nothing; and only what a preview said.
        if _is_to_become_prepaid(inputs, before):
            now = _make_prepaid(api, id, inputs, before, now)
        elif months_to_pay(inputs.get("paid_until"), before.get("expired_at")):
            now = _renew(api, id, inputs, before, now)
        seen = {name: before[name] for name in _LASTING if before.get(name) is not None}
        now = seen | now
        # One whose end is left out for once says nothing of the order.
        end = now.get("expired_at")
        if before.get("renewal_ordered") and (not end or follows(before["renewal_ordered"], end)):
            now.setdefault("renewal_ordered", before["renewal_ordered"])
        months = months_to_pay(inputs.get("paid_until"), end)
        if months and not is_same(
            now.get("renewal_ordered"), renewal(end, inputs.get("paid_until"))
        ):
            api.warn(
                f"paid_until is past {now['expired_at']}: the next `pulumi up` buys {months} more "
                "months."
            )
        return now

    def overdue(self, inputs: Properties, outputs: Properties) -> bool:
        """Whether it was not finished, or a renewal is to be bought."""
        wanted = inputs.get("public_access")
        unfinished = (
            wanted is not None
            and not is_unknown(wanted)
            and _PUBLIC_ACCESS.differs(wanted, outputs.get("public_access"))
        )
        return (
            unfinished
            or outputs.get("status") in _NOT_MADE_YET
            or _is_to_become_prepaid(inputs, outputs)
            or any(is_unknown(inputs.get(name)) for name in _SPENDING)
            or months_to_pay(inputs.get("paid_until"), outputs.get("expired_at")) > 0
        )

    def remarks(  # noqa: D102
        self, before: Properties, inputs: Properties, outputs: Properties
    ) -> list[str]:
        remarks = []
        months = months_to_pay(inputs.get("paid_until"), outputs.get("expired_at"))
        order = renewal(outputs.get("expired_at"), inputs.get("paid_until"))
        if is_same(outputs.get("renewal_ordered"), order):
            remarks.append(
                "a renewal may have been ordered, but does not show yet: this buys none."
            )
        elif months:
            remarks.append(
                f"paid_until is past {outputs['expired_at']}: this buys {months} more months."
            )
        if _is_to_become_prepaid(inputs, outputs):
            ordered = is_same(outputs.get("renewal_ordered"), _first_term(inputs, outputs))
            remarks.append(
                "a first term may have been ordered, but does not show yet: this buys none."
                if ordered
                else "registry_charge_type 1 buys the term that registry_charge_prepaid says."
            )
        remarks += [
            f"{name} is not known yet: this may buy a term."
            for name in _SPENDING
            if is_unknown(inputs.get(name))
        ]
        bought, asked = (p.get("registry_charge_prepaid") for p in (before, inputs))
        known = bought and asked and not is_unknown(asked)
        prepaid = outputs.get("registry_charge_type") == 1
        if known and prepaid and _CHARGE_PREPAID.differs(bought, asked):
            remarks.append(
                "registry_charge_prepaid is what the first term was bought with: changed, it buys "
                "and changes nothing. For a longer term give paid_until."
            )
        return remarks

    def irreplaceable(self, inputs: Properties, outputs: Properties) -> str:
        """One that is protected; not one that never became a registry."""
        if not outputs.get("deletion_protection") or outputs.get("status") == _FAILED_FOR_GOOD:
            return ""
        return (
            "deletion_protection is on. Set it to False in a `pulumi up` of its own, which changes "
            "nothing else"
        )

    def unfit(self, now: Properties, inputs: Properties) -> str:
        """One that will not be Running by itself; a change that failed is mended by the next."""
        status = now["status"]
        if status not in _FAILED or status == _OF_AN_EARLIER_CHANGE:
            return ""
        instead = {
            _FAILED_FOR_GOOD: "Delete it in the console, and take adopt_id out to make a new one.",
            "Deleting": "Take adopt_id out to make a new one.",
        }
        return f"is {status}. {instead.get(status, _FAILED[status])}"

    def worn_out(self, inputs: Properties, outputs: Properties) -> list[str]:
        """One whose making has failed for good."""
        return ["status"] if outputs.get("status") == _FAILED_FOR_GOOD else []

    def remove(self, api: Api, id: str, inputs: Properties) -> None:
        """DeleteInstance, and wait until it is gone."""
        # What does not show may be there all the same: whether it is gone, DeleteInstance says.
        registry = _describe(api, id) or {}
        status = registry.get("Status")
        protected = flag(registry.get("DeletionProtection"))
        # A registry that never was one, or that nobody will ever hold, protects nothing.
        if protected and status != _FAILED_FOR_GOOD and not api.undoes:
            raise Error(
                f"deletion_protection of {registry.get('RegistryName')} is on. Set it to False "
                "and run `pulumi up` before the destroy; in the TCR console, where the stack "
                "has replaced it already"
            )
        delete_bucket = bool(inputs.get("delete_bucket"))
        parameters = {"RegistryId": id, "DeleteBucket": delete_bucket, "DryRun": False}

        # What does not show yet is as it was made.
        if api.undoes and protected is None:
            protected = inputs.get("deletion_protection")

        def delete() -> None:
            if protected:
                _modify(api, id, {}, "deletion_protection", False)
            _when_free(api, lambda: api.call("DeleteInstance", parameters))

        if status != "Deleting":
            try:
                _delete(api, id, delete)
            except NotFound:
                if not registry:
                    return
                # It is deleted, and the answer that said so was lost.
        _wait_until_gone(api, id, status)
        if status == _FAILED_FOR_GOOD:
            api.warn(f"{id} was never made in full. Look in the COS console for a bucket of it.")
        elif not delete_bucket:
            name = registry.get("RegistryName") or "the registry"
            api.warn(
                f"The COS bucket of {name} ({id}) stays, with all images in it, and goes on "
                "costing: delete_bucket is False. Delete it in the COS console."
            )


def _wait_until_running(
    api: Api,
    id: str,
    inputs: Properties,
    now: Properties,
    registry_type: str | None = None,
    or_else: str = "Running",
) -> Properties:
    """Wait for a status that is good, and for the type where one is given.

    Args:
        api: the vendor's API.
        id: the registry's id.
        inputs: all that the program gives.
        now: what was seen of it last.
        registry_type: the type that it is to have.
        or_else: another status that is good enough.

    Returns:
        What shows of it then.

    Raises:
        NotReady: it failed, or time is up.
    """
    earlier = Deadline(_SECONDS_OF_AN_OLD_STATUS)
    upgrade = Deadline(_SECONDS_OF_AN_UPGRADE)
    while True:
        status = now["status"]
        upgraded = registry_type is None or now.get("registry_type", registry_type) == registry_type
        if status in ("Running", or_else) and upgraded:
            return now
        if status == "Running" and upgrade.left < 0:
            raise NotReady(
                f"it is Running as {now['registry_type']}, not as {registry_type}. Run `pulumi "
                "refresh`, or set registry_type to what it is.",
                now,
            )
        old = status == _OF_AN_EARLIER_CHANGE and earlier.left > 0
        if status in _FAILED and not old:
            raise NotReady(f"it is {status}{_conditions(api, id)}. {_FAILED[status]}", now)
        passed = f"{api.deadline.passed:.0f} s"
        if not api.may_wait(_PAUSE):
            why = _conditions(api, id) if status == "Unhealthy" else ""
            raise NotReady(f"it is still {status} after {passed}{why}.", now)
        waiting_for = "Running" if upgraded else registry_type
        api.progress(f"{status} for {passed}, waiting for {waiting_for}", str(status))
        try:
            registry = _watch(api, id)
        except NotAnswered:
            # Time is up: what it is like is as it was seen last.
            continue
        if registry is None:
            raise Gone("the vendor no longer shows it. Run `pulumi refresh`.")
        now = now | _properties(registry, inputs)


def _describe(api: Api, id: str) -> dict[str, Any] | None:
    try:
        answer = api.call("DescribeInstances", {"Registryids": [id]})
    except NotFound:
        return None
    return _by_id(answer).get(id)


def _watch(api: Api, id: str) -> dict[str, Any] | None:
    """The same for one that is waited for: all those of the region are asked for at once."""

    def ask(ids: Sequence[str]) -> dict[Any, dict[str, Any]]:
        try:
            return _by_id(api.call("DescribeInstances", {"Registryids": ids}))
        except NotFound:
            if len(ids) == 1:
                return {}
        # Which of them is gone is not said.
        shown = {one: _describe(api, one) for one in ids}
        return {one: registry for one, registry in shown.items() if registry is not None}

    return watch_of(api.place).look(api, id, ask, _PAUSE)


def _by_id(answer: Mapping[str, Any]) -> dict[Any, dict[str, Any]]:
    return {registry.get("RegistryId"): registry for registry in objects(answer.get("Registries"))}


def _shown(
    api: Api, id: str, registry: Mapping[str, Any] | None, inputs: Properties
) -> Properties | None:
    """A Registry, and its public access where that is asked for, as inputs and outputs."""
    if registry is None:
        return None
    now = _properties(registry, inputs)
    if inputs.get("public_access") is not None:
        now["public_access"] = _public_access(api, id, inputs["public_access"])
    return now


def _find(api: Api, name: str) -> dict[str, Any] | None:
    """The registry of that name in the own account and region."""
    filters = [{"Name": "RegistryName", "Values": [name]}]
    answer = api.call("DescribeInstances", {"Filters": filters, "Limit": 100})
    for registry in objects(answer.get("Registries")):
        if registry.get("RegistryName") == name and registry.get("RegistryId"):
            return registry
    return None


def _free_of_own(api: Api, name: str) -> None:
    """Return when the account has no registry of that name; one that is being deleted passes.

    Raises:
        Error: it has one, and what to do.
    """
    while own := _find(api, name):
        status, id = own.get("Status"), own["RegistryId"]
        if status == "Isolate":
            raise Error(
                f"the account's registry {name}, {id}, is isolated, and holds the name until the "
                "vendor erases it. Choose another name, or renew it in the console"
            )
        if status != "Deleting":
            raise Error(
                f"the account has a registry {name} already, {id}. If this stack replaces it, set "
                "delete_before_replace; if it does not hold it, take it over with "
                f'adopt_id="{id}", or choose another name'
            )
        if not api.may_wait(_PAUSE):
            raise Error(f"the account's registry {name}, {id}, is still being deleted. Try later")
        api.wait(f"waiting for the end of {id}, which holds the name {name}", "name", _PAUSE)


def _when_freed(api: Api, freed: Deadline, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """CreateInstance, once nothing else is under way, and the replaced registry's name is free."""
    while True:
        try:
            return api.call("CreateInstance", body, repeatable=False, holding=("RegistryId",))
        except (NameTaken, Busy) as error:
            taken = isinstance(error, _TAKEN)
            if not api.may_wait(_PAUSE, freed if taken else None):
                raise
            what = f"the vendor to free the name {name}" if taken else "the end of another change"
            api.wait(f"waiting for {what}", "name", _PAUSE)


def _find_lost(api: Api, name: str, *, is_held: bool) -> str | None:
    """The id of the registry whose creation was not answered; None where none shows in time.

    Args:
        api: the vendor's API.
        name: its name.
        is_held: whether the vendor says that the name is taken, so that it is worth a longer look.
    """
    patience = Deadline(_SECONDS_TO_FREE_A_NAME if is_held else 0)
    looks = 0
    while looks < _LOOKS_FOR_A_LOST_ONE or patience.left > 0:
        looks += 1
        try:
            own = _find(api, name)
        except Error:
            # What is told is why it was lost; that it cannot be looked for changes nothing.
            return None
        if own:
            return str(own["RegistryId"])
        if not api.may_wait(0):
            break
        api.sleep(1)
    return None


def _is_fresh(created_at: Any) -> bool:
    try:
        return clock.now() - clock.parse(str(created_at)) < timedelta(days=1)
    except ValueError:
        return True


def _conditions(api: Api, id: str) -> str:
    """Why it is as it is, in the vendor's words."""
    try:
        answer = api.call("DescribeInstanceStatus", {"RegistryIds": [id]})
    except Error:
        return ""
    reasons = [
        str(condition["Reason"])
        for status in objects(answer.get("RegistryStatusSet"))
        for condition in objects(status.get("Conditions"))
        if condition.get("Reason")
    ]
    return f" ({'; '.join(reasons)})" if reasons else ""


def _end(expired_at: Any) -> str | None:
    """The end of a term; the first year of all is the vendor's word for none."""
    end = text(expired_at)
    return None if end is None or end.startswith("0001-") else end


def _charge_type(registry: Mapping[str, Any]) -> int | None:
    """0 by the hour, 1 prepaid; None where it does not show. Only a prepaid one has an end."""
    said = whole(registry.get("PayMod"))
    return 1 if said is None and _end(registry.get("ExpiredAt")) else said


def _properties(registry: Mapping[str, Any], inputs: Properties) -> Properties:
    """A Registry as inputs and outputs."""
    try:
        specification = registry.get("TagSpecification") or {}
        tags = {tag["Key"]: tag.get("Value") or "" for tag in objects(specification.get("Tags"))}
    except (AttributeError, KeyError):
        raise Error(
            "what the vendor shows of its tags is not as its pages say. Look at it in the console"
        ) from None
    now: Properties = {
        "registry_name": registry.get("RegistryName"),
        "status": registry.get("Status"),
        "public_domain": registry.get("PublicDomain"),
        "internal_endpoint": registry.get("InternalEndpoint") or None,
        "created_at": registry.get("CreatedAt"),
        "expired_at": _end(registry.get("ExpiredAt")),
    }
    # What the vendor leaves out is no value: a False would replace the registry.
    shown = {
        "registry_type": text(registry.get("RegistryType")),
        "registry_charge_type": _charge_type(registry),
        "enable_cos_maz": flag(registry.get("EnableCosMAZ")),
        "enable_cos_versioning": flag(registry.get("EnableCosVersioning")),
        "deletion_protection": flag(registry.get("DeletionProtection")),
    }
    now |= {name: value for name, value in shown.items() if value is not None}
    if inputs.get("tag_specification") is None:
        now["tags"] = tags or None
    else:
        pairs = [{"key": key, "value": value} for key, value in tags.items()]
        now["tag_specification"] = {"resource_type": "instance", "tags": pairs}
    return now


def _tags(properties: Properties) -> dict[str, str]:
    """The tags, whichever way they are given."""
    specification = properties.get("tag_specification") or {}
    pairs = {tag["key"]: tag.get("value") or "" for tag in specification.get("tags") or ()}
    return pairs or properties.get("tags") or {}


def _change_tags(api: Api, id: str, before: dict[str, str], after: dict[str, str]) -> None:
    assert isinstance(api, TencentcloudApi)
    added = {key: value for key, value in after.items() if before.get(key) != value}
    changes = {
        "ReplaceTags": [{"TagKey": key, "TagValue": value} for key, value in added.items()],
        "DeleteTags": [{"TagKey": key} for key in before if key not in after],
    }
    # The vendor takes no empty list.
    told = {name: tags for name, tags in changes.items() if tags}
    if not told:
        return
    resource = f"qcs::tcr:{api.region}:uin/:instance/{id}"
    api.of(TAG).call("ModifyResourceTags", {"Resource": resource, **told})
    # Another service's change may show a little later, and state holds what shows.
    patience = Deadline(_SECONDS_TO_SHOW_A_CHANGE)
    with suppress(Error):
        while api.may_wait(0, patience):
            shown = _tags(_properties(_describe(api, id) or {}, {}))
            if all(shown.get(key) == after.get(key) for key in {*added, *before}):
                return
            api.sleep(1)


_WIRE_NAMES = {
    "registry_type": "RegistryType",
    "enable_cos_versioning": "EnableCosVersioning",
    "deletion_protection": "DeletionProtection",
}
"""What ModifyInstance takes."""


def _modify(api: Api, id: str, now: Properties, name: str, value: Any) -> None:
    """ModifyInstance; what shows as wanted already, an earlier run has seen to."""
    if now.get(name) != value:
        parameters = {"RegistryId": id, _WIRE_NAMES[name]: value}
        _when_free(api, lambda: api.call("ModifyInstance", parameters))


def _when_free(api: Api, change: Callable[[], Any]) -> None:
    """Make a change as soon as no other one is under way."""
    while True:
        try:
            change()
        except Busy:
            if not api.may_wait(_PAUSE):
                raise
            api.wait("another change is under way, waiting for its end", "busy", _PAUSE)
        else:
            return


def _may_be_for_what_it_holds(error: Error) -> bool:
    """Whether a deletion is refused without a reason, or for what the registry holds."""
    codes = ("FailedOperation", "OperationDenied", "UnsupportedOperation")
    if not isinstance(error, Refused) or error.answer.code not in codes:
        return False
    said = error.answer.message
    return not said or bool(re.search("namespace|repositor|replica", said, re.IGNORECASE))


def _delete(api: Api, id: str, delete: Callable[[], None]) -> None:
    """DeleteInstance; the vendor may refuse it while a registry moves, or a second time."""
    unseen = Deadline(_SECONDS_TO_FREE_A_NAME)
    while True:
        try:
            delete()
        except Error as error:
            if isinstance(error, NotFound) and not api.undoes:
                raise
            if _may_be_for_what_it_holds(error):
                error.reason = (
                    "the vendor refuses it, as it does for deletion protection, namespaces, "
                    "repositories and replicas. Look for them in the TCR console."
                )
            status = None
            # Why it cannot be looked at is no answer to why it was not deleted.
            with suppress(Error):
                status = (_describe(api, id) or {}).get("Status")
            if status == "Deleting":
                # The answer that said so was lost.
                return
            moves = status in _NOT_AT_REST
            if api.undoes:
                # Nobody will ever hold it, and it costs. It may be too new to show.
                moves = moves or (status is None and unseen.left > 0)
            elif api.abandoned:
                raise
            if not moves or api.deadline.left < _PAUSE:
                raise
            api.wait(f"{status}, waiting until it can be deleted", str(status), _PAUSE)
        else:
            return


def _wait_until_gone(api: Api, id: str, before: Any) -> None:
    """Wait for the end of a deletion.

    Args:
        api: the vendor's API.
        id: the registry's id.
        before: its status before the deletion was asked for, which may show a little longer.
    """
    earlier = Deadline(_SECONDS_OF_AN_OLD_STATUS)
    while (registry := _watch(api, id)) is not None:
        status = registry.get("Status")
        old = status == before and earlier.left > 0
        if status == "DeleteBucketFailed" and not old:
            raise Error(
                "the registry is deleted, but its bucket could not be. Empty it in the COS "
                "console, settle arrears, and run `pulumi destroy` again"
            )
        if status == "DeleteFailed" and not old:
            raise Error(f"the deletion failed{_conditions(api, id)}. Ask the vendor's support")
        if status == "Isolate" and _charge_type(registry) == 1:
            api.warn(f"{id} was returned and is isolated; the vendor erases it in some days.")
            return
        if not api.may_wait(_PAUSE):
            raise Error(
                f"it is still {status} after {api.deadline.passed:.0f} s. Run it again to go on "
                "waiting"
            )
        passed = f"{api.deadline.passed:.0f} s"
        api.progress(f"{status} for {passed}, waiting for its end", str(status))


# Public access


def _endpoint(api: Api, id: str) -> tuple[str, str]:
    """The entrance's status, and the vendor's reason for it."""
    try:
        answer = api.call("DescribeExternalEndpointStatus", {"RegistryId": id})
    except NotFound:
        return "Closed", ""
    return str(answer.get("Status")), text(answer.get("Reason")) or ""


def _policies(api: Api, id: str) -> list[dict[str, Any]]:
    try:
        answer = api.call("DescribeSecurityPolicies", {"RegistryId": id})
    except NotFound:
        # So it answers while the entrance is not open, too.
        return []
    return objects(answer.get("SecurityPolicySet"))


def _public_access(api: Api, id: str, wanted: Properties) -> Properties:
    """The entrance as it is, its policies as the wanted ones are written, and in their order."""
    enabled = _endpoint(api, id)[0] in ("Opened", "Opening")
    written = {
        network(policy["cidr_block"]): policy["cidr_block"]
        for policy in wanted.get("security_policies") or ()
    }
    policies = []
    for policy in _policies(api, id) if enabled else ():
        block = policy.get("CidrBlock")
        policies.append(
            {
                "cidr_block": written.get(network(block), block),
                "description": policy.get("Description") or "",
            }
        )
    order = list(written.values())
    policies.sort(key=lambda policy: [*order, policy["cidr_block"]].index(policy["cidr_block"]))
    return {"enabled": enabled, "security_policies": policies}


def _open_or_close(api: Api, id: str, enabled: bool) -> None:
    wanted, operation = ("Opened", "Create") if enabled else ("Closed", "Delete")
    parameters = {"RegistryId": id, "Operation": operation}
    asked: Deadline | None = None
    lost, refused = False, None
    while True:
        status, reason = _endpoint(api, id)
        if status == wanted:
            return
        why = f" ({reason})" if reason else ""
        if status in ("Opened", "Closed"):
            if asked is None:
                # Once: while it is on its way, asking again is refused.
                # Where its answer is lost, the next look shows whether to ask again.
                try:
                    _when_free(
                        api,
                        lambda: api.call("ManageExternalEndpoint", parameters, repeatable=False),
                    )
                    asked = Deadline(_SECONDS_OF_AN_OLD_STATUS)
                except (Ambiguous, Transient):
                    lost = True
                except Refused as error:
                    if not lost:
                        raise
                    # Maybe because it is on its way, and shows late.
                    refused, asked = error, Deadline(_SECONDS_OF_AN_OLD_STATUS)
            elif asked.left < 0:
                raise refused or Error(f"its public entrance stays {status}{why}.")
        if not api.may_wait(_PAUSE):
            raise Error(f"its public entrance is still {status}{why}.")
        api.wait(f"public entrance {status}, waiting for {wanted}", status, _PAUSE)


def _set_policies(api: Api, id: str, wanted: list[Properties]) -> None:
    """Leave exactly the wanted policies, each once."""
    descriptions = {network(policy["cidr_block"]): policy["description"] for policy in wanted}
    written = {network(policy["cidr_block"]): policy["cidr_block"] for policy in wanted}
    # Each change may move the others' index and version, and the vendor takes the same block
    # twice, so each begins with a look, and what is lost on the way is not sent again unseen.
    changes_left = None
    seen, to_show = None, Deadline(0)
    while True:
        policies = _policies(api, id)
        if policies == seen and api.may_wait(0, to_show):
            # What was changed may show a little later.
            api.sleep(1)
            continue
        seen = policies
        right: set[str] = set()
        surplus = []
        for policy in policies:
            block = network(policy.get("CidrBlock"))
            if descriptions.get(block) != policy.get("Description") or block in right:
                surplus.append(policy)
            else:
                right.add(block)
        missing = [block for block in written if block not in right]
        if not surplus and not missing:
            return
        if changes_left is None:
            changes_left = len(surplus) + len(missing) + _POLICY_CHANGES_TO_SPARE
        changes_left -= 1
        if changes_left < 0:
            raise Error("the vendor does not show its security policies as they were set.")
        if surplus:
            policy = {name: surplus[0].get(name) for name in _POLICY}
            action = "DeleteSecurityPolicy"
        else:
            block = missing[0]
            policy = {"CidrBlock": written[block], "Description": descriptions[block]}
            action = "CreateSecurityPolicy"
        changed = _change_policies(api, action, {"RegistryId": id, **policy})
        to_show = Deadline(_SECONDS_TO_SHOW_A_CHANGE if changed else 0)


_POLICY = ("PolicyIndex", "PolicyVersion", "CidrBlock")
_POLICY_CHANGES_TO_SPARE = 3
"""For those that somebody else makes meanwhile, and those whose answers are lost."""


def _change_policies(api: Api, action: str, parameters: Mapping[str, Any]) -> bool:
    """Whether one policy was changed, or may be; that the next looks show where it is lost."""
    try:
        with suppress(Ambiguous, Transient):
            _when_free(api, lambda: api.call(action, parameters, repeatable=False))
    except NotFound:
        # It is gone already, or has another version by now.
        return False
    return True


# Money


_SPENDING = ("paid_until", "registry_charge_type")
"""The inputs whose change may buy a term."""


def _is_to_become_prepaid(inputs: Properties, outputs: Properties) -> bool:
    """Whether an existing registry is to be; one that is made in this run has no outputs yet."""
    asked, is_now = inputs.get("registry_charge_type"), outputs.get("registry_charge_type")
    return bool(outputs and asked == 1 and is_now != 1)


def _first_term(inputs: Properties, now: Properties) -> str:
    """What names the order that makes it prepaid."""
    term = inputs["registry_charge_prepaid"]
    months = "?" if is_unknown(term) else whole(term["period"])
    return renewal(now.get("expired_at"), f"prepaid for {months} months")


def _make_prepaid(
    api: Api, id: str, inputs: Properties, before: Properties, now: Properties
) -> Properties:
    """RenewInstance for the first term, and wait until the vendor shows that it is prepaid."""
    shown = now.get("registry_charge_type")
    if shown == 1:
        return now
    if shown != 0:
        raise NotReady(
            "the vendor does not show whether it is prepaid, so that nothing is bought. Run "
            "`pulumi up` again.",
            {"registry_charge_type": before.get("registry_charge_type"), **now},
        )
    months = inputs["registry_charge_prepaid"]["period"]
    order = _first_term(inputs, now)
    change = "registry_charge_prepaid.period"
    return _order(api, id, inputs, before, now, months, order, wire_flag=1, change=change)


def _renew(
    api: Api, id: str, inputs: Properties, before: Properties, now: Properties
) -> Properties:
    """RenewInstance for the missing months, and wait until the vendor shows them.

    Whether they are missing is read from the vendor each time.
    """
    ends = before.get("expired_at"), now.get("expired_at")
    months = min(months_to_pay(inputs["paid_until"], end) for end in ends)
    if not months:
        return now
    order = renewal(now["expired_at"], inputs["paid_until"])
    change = "paid_until (by a second)"
    return _order(api, id, inputs, before, now, months, order, wire_flag=0, change=change)


def _order(
    api: Api,
    id: str,
    inputs: Properties,
    before: Properties,
    now: Properties,
    months: int,
    order: str,
    *,
    wire_flag: int,
    change: str,
) -> Properties:
    """RenewInstance, once: the action has no token, so an order is noted until it shows.

    Args:
        api: the vendor's API.
        id: the registry's id.
        inputs: all that the program gives.
        before: the outputs of the last run, and with them its note.
        now: what the vendor shows.
        months: how many to buy.
        order: what names the order in the note.
        wire_flag: the action's Flag: 1 for the term that makes it prepaid, 0 for a renewal.
        change: the input whose change asks for another order.

    Returns:
        What shows then; with the note, where the order was answered and does not show yet.

    Raises:
        NotReady: whether it was bought is not known, and it does not show; with the note.
    """
    noted = is_same(before.get("renewal_ordered"), order)
    if api.abandoned and not noted:
        raise Error("the engine has gone, so nothing is ordered")
    lost = None if noted else _buy(api, id, months, inputs, wire_flag=wire_flag)
    answered = not noted and not lost

    def shows(seen: Properties) -> bool:
        became_prepaid = wire_flag == 1 and seen.get("registry_charge_type") == 1
        return became_prepaid or is_later(seen["expired_at"], now["expired_at"])

    seconds = _SECONDS_TO_SHOW_AN_ANSWERED_ORDER if answered else _SECONDS_TO_SHOW_AN_ORDER
    seen = _comes_to_show(api, id, inputs, shows, Deadline(seconds))
    if seen:
        return now | seen
    if answered:
        api.warn(
            f"a term of {months} months was ordered, but does not show yet: the next `pulumi up` "
            "looks for it, and orders none."
        )
        return {**now, "renewal_ordered": order}
    why = "it may have been ordered by an earlier run."
    if lost:
        why = f"whether it was bought is not known: {lost.reason}"
    raise NotReady(
        f"a term of {months} months does not show yet; {why} Look at the orders in the billing "
        f"console. It is not ordered again; to order it anew change {change}.",
        {**now, "renewal_ordered": order},
    )


def _comes_to_show(
    api: Api,
    id: str,
    inputs: Properties,
    change: Callable[[Properties], bool],
    patience: Deadline,
) -> Properties | None:
    """What the vendor shows once an order has changed it; None where it does not in time."""
    while True:
        # Why it cannot be looked at is no answer to whether it was bought.
        with suppress(Error):
            registry = _watch(api, id)
            seen = {} if registry is None else _properties(registry, inputs)
            if seen and change(seen):
                return seen
        if not api.may_wait(_PAUSE, patience):
            return None
        api.progress("waiting for the order to show", "order")


def _buy(api: Api, id: str, months: int, inputs: Properties, *, wire_flag: int) -> Error | None:
    """RenewInstance, once.

    Returns:
        Why the answer was lost; None where it came.
    """
    renew_flag = inputs["registry_charge_prepaid"].get("renew_flag", 0)
    term = {"Period": months, "RenewFlag": renew_flag}
    parameters = {"RegistryId": id, "RegistryChargePrepaid": term, "Flag": wire_flag}
    try:
        _when_free(api, lambda: api.call("RenewInstance", parameters, repeatable=False))
    except (Ambiguous, Transient) as lost:
        return lost
    return None


class Instance(
    LifecycleResource, module="tencentcloud/tcr", name="Instance", lifecycle=InstanceProvider
):
    """A container registry of Tencent Cloud's Enterprise Edition. It costs money while it exists.

    Args:
        resource_name: the resource's name in the program.
        opts: the engine's options. ``custom_timeouts``: 15 minutes each where nothing is set.
        registry_type: ``basic``, ``standard`` or ``premium``. Changed in place; whether a smaller
            one may follow a larger, the vendor decides.
        registry_name: unique among all customers, the host is ``<name>.tencentcloudcr.com``; 5 to
            50 lower-case letters, digits and hyphens. Default: the resource's name, a hyphen and
            seven hex digits. Replaces, and while it stays the same the old registry, with all
            images, is deleted first.
        tags: at most 10. Changed in place.
        tag_specification: the same in the API's own form; give one of both.
        registry_charge_type: 0 (default): by the hour; 1: prepaid. From 0 to 1 in place, which
            buys the term; not back.
        registry_charge_prepaid: ``period`` in months and ``renew_flag``; needed where prepaid.
        paid_until: RFC 3339; a prepaid term that ends before it is renewed by as many months as
            are missing, in the next ``pulumi up``, whose preview says so; never in the one that
            buys the registry or makes it prepaid.
        sync_tag: whether tags are copied to the bucket at creation. Default False.
        enable_cos_maz: a bucket in several zones. Default False. Replaces.
        enable_cos_versioning: versions in the bucket; sent only where set. Changed in place.
        deletion_protection: whether a destroy is refused. Default False. Changed in place.
        public_access: ``enabled``, and ``security_policies``, a list of ``cidr_block`` and
            ``description``. A registry without it is reached from the own VPCs alone. Not given:
            left as it is. Changed in place.
        delete_bucket: whether a destroy deletes the bucket with all images. Default False: it
            stays, and costs.
        region: such as ``ap-guangzhou``; default the provider's, as it was when the registry was
            made. Replaces.
        adopt_id: the id of an existing registry to take over at the first create; ignored ever
            after.

    Outputs:
        registry_id (str): also the resource's id.
        status (str): ``Running`` where all is well.
        public_domain (str): the docker host.
        internal_endpoint (str): its IP address inside the vendor's network.
        created_at (str): RFC 3339.
        expired_at (str): RFC 3339; None where it is not prepaid.

    Every input is an output too, as it is in the cloud, but for ``registry_charge_prepaid``,
    ``sync_tag``, ``paid_until``, ``delete_bucket`` and ``adopt_id``.

    Source:
        TCR CreateInstance, DescribeInstances, DescribeInstanceStatus, ModifyInstance,
        RenewInstance, DeleteInstance, ManageExternalEndpoint, DescribeExternalEndpointStatus,
        CreateSecurityPolicy, DescribeSecurityPolicies, DeleteSecurityPolicy, 2019-09-24; Tag
        ModifyResourceTags, 2018-08-13.
    """

    registry_name: pulumi.Output[str]
    registry_type: pulumi.Output[str]
    tag_specification: pulumi.Output[dict[str, Any] | None]
    tags: pulumi.Output[dict[str, str] | None]
    registry_charge_type: pulumi.Output[int]
    enable_cos_maz: pulumi.Output[bool]
    enable_cos_versioning: pulumi.Output[bool | None]
    deletion_protection: pulumi.Output[bool]
    public_access: pulumi.Output[dict[str, Any] | None]
    region: pulumi.Output[str]
    registry_id: pulumi.Output[str]
    status: pulumi.Output[str]
    public_domain: pulumi.Output[str]
    internal_endpoint: pulumi.Output[str | None]
    created_at: pulumi.Output[str]
    expired_at: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        registry_type: pulumi.Input[str] | None = None,
        registry_name: pulumi.Input[str] | None = None,
        tags: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        tag_specification: pulumi.Input[TagSpecificationArgs] | None = None,
        registry_charge_type: pulumi.Input[int] | None = None,
        registry_charge_prepaid: pulumi.Input[ChargePrepaidArgs] | None = None,
        paid_until: pulumi.Input[str] | None = None,
        sync_tag: pulumi.Input[bool] | None = None,
        enable_cos_maz: pulumi.Input[bool] | None = None,
        enable_cos_versioning: pulumi.Input[bool] | None = None,
        deletion_protection: pulumi.Input[bool] | None = None,
        public_access: pulumi.Input[PublicAccessArgs] | None = None,
        delete_bucket: pulumi.Input[bool] | None = None,
        region: pulumi.Input[str] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
    ) -> None:
        super().__init__(
            resource_name,
            {
                "registry_type": registry_type,
                "registry_name": registry_name,
                "tags": tags,
                "tag_specification": tag_specification,
                "registry_charge_type": registry_charge_type,
                "registry_charge_prepaid": registry_charge_prepaid,
                "paid_until": paid_until,
                "sync_tag": sync_tag,
                "enable_cos_maz": enable_cos_maz,
                "enable_cos_versioning": enable_cos_versioning,
                "deletion_protection": deletion_protection,
                "public_access": public_access,
                "delete_bucket": delete_bucket,
                "region": region,
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
    ) -> Instance:
        """Read an existing registry without managing it.

        Args:
            resource_name: its name in the program.
            id: the registry's id.
            opts: the engine's options.
            region: where it is; default the provider's.
        """
        existing = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        return Instance(resource_name, existing, region=region)


@dataclass(frozen=True)
class GetInstanceResult:
    """What ``get_instance`` found: a registry as it is in the cloud.

    Attributes:
        registry_id: ``tcr-…``.
        registry_name: its name.
        registry_type: ``basic``, ``standard`` or ``premium``.
        status: ``Running`` where all is well.
        public_domain: the docker host.
        internal_endpoint: its IP address inside the vendor's network; None where there is none.
        registry_charge_type: 0 by the hour, 1 prepaid; None where the vendor does not say.
        deletion_protection: whether a destroy is refused; None where the vendor does not say.
        enable_cos_maz: whether the bucket is in several zones; None where the vendor does not say.
        created_at: RFC 3339.
        expired_at: RFC 3339; None where it is not prepaid.
        tags: as a mapping.
    """

    registry_id: str
    registry_name: str
    registry_type: str
    status: str
    public_domain: str
    internal_endpoint: str | None
    registry_charge_type: int | None
    deletion_protection: bool | None
    enable_cos_maz: bool | None
    created_at: str
    expired_at: str | None
    tags: dict[str, str]


def get_instance(
    *,
    registry_id: str | None = None,
    registry_name: str | None = None,
    region: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetInstanceResult:
    """A registry of the account, by its id or by its name; in a preview too.

    Args:
        registry_id: its id.
        registry_name: its name, in place of the id.
        region: where; default the provider's.
        opts: an explicit ``provider``, or the ``parent`` whose provider it is.

    Raises:
        LookUpFailed: there is none, or the vendor could not be asked.

    Source: TCR DescribeInstances, 2019-09-24.
    """
    return _instance_lookup.now(
        opts, registry_id=registry_id, registry_name=registry_name, region=region
    )


def get_instance_output(
    *,
    registry_id: pulumi.Input[str] | None = None,
    registry_name: pulumi.Input[str] | None = None,
    region: pulumi.Input[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[GetInstanceResult]:
    """As ``get_instance``, of inputs that may not be known yet."""
    return _instance_lookup.output(
        opts, registry_id=registry_id, registry_name=registry_name, region=region
    )


def _find_instance(api: Api, inputs: Properties) -> GetInstanceResult:
    id, name = inputs.get("registry_id"), inputs.get("registry_name")
    registry = _describe(api, str(id)) if id else _find(api, str(name))
    if registry is None:
        raise Gone(
            f"there is no registry {id or name}. Check {' and '.join(inputs)} and the region"
        )
    now = _properties(registry, {})
    return GetInstanceResult(
        registry_id=str(registry.get("RegistryId")),
        registry_name=str(now["registry_name"] or ""),
        registry_type=str(now.get("registry_type") or ""),
        status=str(now["status"] or ""),
        public_domain=str(now["public_domain"] or ""),
        internal_endpoint=now["internal_endpoint"],
        registry_charge_type=now.get("registry_charge_type"),
        deletion_protection=now.get("deletion_protection"),
        enable_cos_maz=now.get("enable_cos_maz"),
        created_at=str(now["created_at"] or ""),
        expired_at=now["expired_at"],
        tags=now["tags"] or {},
    )


def _not_one_of_them(inputs: Properties) -> list[str]:
    if bool(inputs.get("registry_id")) == bool(inputs.get("registry_name")):
        return ["give registry_id or registry_name, one of them"]
    return []


_instance_lookup = Lookup(
    "get_instance",
    "the registry",
    GetInstanceResult,
    InstanceProvider,
    _find_instance,
    inputs=(Text(name="registry_id", most=256), Text(name="registry_name", most=256)),
    contradictions=_not_one_of_them,
)

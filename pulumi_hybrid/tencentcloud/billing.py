"""Tencent Cloud Billing, API version 2018-07-09: prepaid orders. Each of them costs money."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pulumi

from pulumi_hybrid import clock
from pulumi_hybrid.answers import objects, text, whole
from pulumi_hybrid.api import Api, Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call, is_unknown
from pulumi_hybrid.errors import Ambiguous, Error, Gone, NotReady, Refused, Transient
from pulumi_hybrid.fields import (
    ADOPT_ID,
    Choice,
    Json,
    Moment,
    OnChange,
    Text,
    Whole,
)
from pulumi_hybrid.lifecycle import Lifecycle, LifecycleResource, Made, Properties
from pulumi_hybrid.settings import TENCENTCLOUD
from pulumi_hybrid.tencentcloud.client import Product, TencentcloudApi
from pulumi_hybrid.tencentcloud.terms import MOST_YEARS, months_to_pay

BILLING = Product(title="Billing", service="billing", version="2018-07-09")


class DeadOrder(Refused):
    """The order of this ClientToken is there, and cannot be paid: refunded, closed or paid."""


class NoSuchStatus(Refused):
    """The site does not know an order status, or no list of them."""


class Locked(Refused):
    """Another change of the instance is under way; refused before any work."""


class PaidInVain(Refused):
    """The money was taken, and nothing was delivered."""


class CheckFailed(Refused):
    """The product does not want it; an instance that is refunded already is told so, too."""


_ENGINE_GONE = "the engine has gone, so nothing more is ordered or refunded"
_NO_MONEY = "No money has moved."
_MAYBE_MONEY = (
    "Whether money has moved is not known. Run it again with the same inputs: then no money moves "
    "twice."
)
_OTHER_INPUTS = (
    "There may be an order of the same ClientToken with other inputs, of a run that was "
    "interrupted or of another stack; what was paid for it, the billing console shows. Run it "
    "again with the inputs that it was made with, or take it over with adopt_id."
)
_REAL_NAME = "Complete the account's real-name data in the console."

_MEANINGS = {
    "AuthFailure.UnauthorizedOperation": Meaning(
        "the key may not pay. Grant finace:trade (the vendor's spelling; also finance:trade, and "
        "finace:RefundInstance for a destroy) in CAM."
    ),
    "UnauthorizedOperation.CamNoAuth": Meaning("the key may not pay. Grant finace:trade in CAM."),
    "FailedOperation.BalanceInsufficient": Meaning(
        "the account's balance is too low. Top it up, and run it again: an unpaid order that "
        "may have been left is then paid."
    ),
    "FailedOperation.BusinessCheckErrCode": Meaning(
        "the product refuses it: its parameter, or the state of the account or instance.",
        CheckFailed,
    ),
    "FailedOperation.DistributeError": Meaning(
        "an account of a reseller may not order this way. Ask the reseller."
    ),
    "FailedOperation.GetPriceParamError": Meaning(
        "there is no price for this: check product_code, sub_product_code, parameter, period and "
        "quantity."
    ),
    "FailedOperation.InvalidDeal": Meaning(
        "the order cannot be paid: it was paid, refunded or closed.", DeadOrder
    ),
    "FailedOperation.InvalidGoodsCategoryId": Meaning(
        "the kind of order is not valid. Check parameter, and order again."
    ),
    "FailedOperation.NotAllowToRefund": Meaning(
        "the product gives no refund for it. Set on_delete to disable_renewal or retain."
    ),
    "FailedOperation.NumLimitError": Meaning("quantity is too high. Lower it."),
    "FailedOperation.PaySuccDeliverFailed": Meaning(
        "the money was taken, and nothing was delivered. Ask the vendor's support, and do not "
        "order it under another name.",
        PaidInVain,
    ),
    "FailedOperation.PayPriceError": Meaning("the price has changed. Try again."),
    "FailedOperation.ReturnCommonError": Meaning(
        "the refund was refused. Ask the vendor's support."
    ),
    "FailedOperation.dealCreateWhitelistError": Meaning(
        "the account is not on the list of those that may order this. Ask the vendor."
    ),
    "InvalidParameter.ResourceLocked": Meaning(
        "another change of the instance is under way. Try later.", Locked
    ),
    "InvalidParameterValue": Meaning(
        "the vendor does not accept an input's value. Check the one that it names.",
        NoSuchStatus,
    ),
    "UnknownParameter": Meaning("this site does not know an input. Remove it.", NoSuchStatus),
    "UnauthorizedOperation.CertificationNeedUpgrade": Meaning(
        f"the account's real-name data is not complete. {_REAL_NAME}"
    ),
    "UnauthorizedOperation.NotCertification": Meaning(
        f"the account has no real-name data. {_REAL_NAME}"
    ),
    "UnsupportedOperation.NOT_SUPPORT_THIS_ACTION": Meaning(
        "this site does not sell the product this way. The international site knows only Cloud "
        "Firewall. Check product_code and tencentcloud:domain."
    ),
}


@dataclass(eq=False, repr=False)
class _OrderStatus:
    """One number of the vendor's.

    Attributes:
        name: as the output ``status`` shows it.
        fate: what became of the money, and what to do; empty while it may still be delivered.
        money: where it is meanwhile.
        dead: whether it never will be, and the money is not gone: a new order may be made.
    """

    name: str
    fate: str = ""
    money: str = "It is paid, or being paid, and not delivered in full"
    dead: bool = False


_NOT_BOUGHT = "No money was taken. The next `pulumi up` orders anew."
_DELIVERED = 4
_UNPAID = 1
_REFUNDED = 6
_REFUNDING = 13
_STATUSES = {
    _UNPAID: _OrderStatus("UNPAID"),
    2: _OrderStatus("PAID"),
    3: _OrderStatus("DELIVERING"),
    _DELIVERED: _OrderStatus("DELIVERED", money="It is paid, and not all of its instances show"),
    5: _OrderStatus(
        "DELIVERY_FAILED",
        "The money was taken; the vendor returns it, or delivers late. Look at the order in the "
        "billing console; the next `pulumi up` looks again, and buys nothing.",
    ),
    _REFUNDED: _OrderStatus(
        "REFUNDED", "The money went back. The next `pulumi up` orders anew.", dead=True
    ),
    7: _OrderStatus("CLOSED", _NOT_BOUGHT, dead=True),
    8: _OrderStatus("EXPIRED", _NOT_BOUGHT, dead=True),
    9: _OrderStatus("INVALID", _NOT_BOUGHT, dead=True),
    10: _OrderStatus("PRODUCT_INVALID", _NOT_BOUGHT, dead=True),
    11: _OrderStatus("PAYMENT_REFUSED", _NOT_BOUGHT, dead=True),
    12: _OrderStatus("PAYING"),
    _REFUNDING: _OrderStatus("REFUNDING", money="The money is on its way back"),
    30: _OrderStatus("AWAITING_CONFIRMATION"),
}
_DEAD = {number for number, status in _STATUSES.items() if status.dead}
_DEAD_NAMES = [_STATUSES[number].name for number in _DEAD]
_LATER_STATUSES = (_REFUNDING, 30)
"""Those that not every site knows."""

_MOST_ORDERS = 100
"""How often one purchase of a program can be refunded and made again."""
_MOST_ORDERS_SHOWN = 200
"""Above it DescribeDealsByCond leaves out the instances."""
_MOST_MONTHS = 36
"""The longest term that CreateInstance and RenewInstance sell at once."""
_MOST_IDS = 100
"""The most instances that DescribeRenewInstances takes or gives at once."""
_SECONDS_TO_PAY = 60
"""How long an order may show as unpaid before it counts as one that the balance did not reach."""
_SECONDS_TO_SHOW = 60
"""How long an order, a refund or a record may take to show; the vendor states no time."""
_SKEW = timedelta(minutes=10)
"""What is younger may have been made just now: the vendor's clock and ours may differ by five."""
_CHINA = timezone(timedelta(hours=8))
"""The zone of the vendor's times, which its pages do not state."""
_MARGIN = timedelta(days=2)
"""Looked further, since no page states the zone."""
_QUARTER = timedelta(days=88)
"""A look at the orders: for DescribeDealsByCond the vendor advises a span of three months."""
_QUARTERS = 20
"""How far back an order is looked for of which nothing but its id is known."""

_PRE_PAY = "PrePay"
_NORMAL = "NORMAL"
_NO_RENEWAL = "DISABLE_NOTIFY_AND_MANUAL_RENEW"
_RENEW_FLAGS = ("NOTIFY_AND_MANUAL_RENEW", "NOTIFY_AND_AUTO_RENEW", _NO_RENEWAL)
_SAID_TWICE = {
    "productCode": "product_code",
    "subProductCode": "sub_product_code",
    "timeSpan": "period",
    "timeUnit": "period_unit",
    "goodsNum": "quantity",
}
"""What ``parameter`` repeats of the other inputs."""


@dataclass(kw_only=True, eq=False, repr=False)
class _Parameter(Json):
    """The product's details, and with them the term of the first purchase, as ``period`` has it."""

    def differs(self, old: Any, new: Any) -> bool:
        return bool(self.lasting(old) != self.lasting(new))

    def lasting(self, value: Any) -> Any:
        """What it says of all but the term: changed later, that buys nothing."""
        said = self.read(value)
        if said is None:
            return self.effective(value)
        return self.canonical({key: said[key] for key in said if key not in _TERM})


_TERM = ("timeSpan", "timeUnit")
_PARAMETER = _Parameter(name="parameter", required=True)


class InstanceProvider(Lifecycle):
    """Looks after prepaid orders. Its path is part of every user's state: it must never move."""

    kind = "Instance"
    cloud = TENCENTCLOUD
    inputs = (
        *(
            Text(name=name, required=True, least=1, most=128)
            for name in ("product_code", "sub_product_code", "region_code", "zone_code")
        ),
        Choice(name="pay_mode", words=(_PRE_PAY,), default=_PRE_PAY),
        _PARAMETER,
        Whole(name="quantity", least=1, default=1),
        Whole(name="project_id", least=0, default=0),
        Whole(
            name="period",
            least=1,
            most=_MOST_MONTHS,
            default=1,
            on_change=OnChange.NOTHING,
        ),
        Choice(
            name="period_unit",
            words=("m", "y"),
            default="m",
            on_change=OnChange.NOTHING,
        ),
        Choice(
            name="renew_flag",
            words=_RENEW_FLAGS,
            default=_RENEW_FLAGS[0],
            on_change=OnChange.UPDATE,
        ),
        Text(name="client_token", least=1, most=64, ascii_only=True),
        Moment(
            name="paid_until",
            on_change=OnChange.NOTHING,
            sent=False,
            most_years=MOST_YEARS,
        ),
        Choice(
            name="on_delete",
            words=("refund", "disable_renewal", "retain"),
            default="refund",
            on_change=OnChange.NOTHING,
            sent=False,
        ),
        ADOPT_ID,
    )
    id_output = "order_id"
    outputs = ("instance_id_list", "status", "expired_time")
    notes = (
        "instance_id_list",
        "client_token",
        "ordered_time",
        "expired_time",
        "renewals",
        "ended",
    )
    seconds = 15 * 60
    found_again = True
    replacing = "this buys a new one, and then does with the old one what on_delete says"

    def connect(self, region: str, call: Call, deadline: Deadline) -> Api:  # noqa: D102
        return TencentcloudApi(
            BILLING, "", self.settings, meanings=_MEANINGS, call=call, deadline=deadline
        )

    def contradictions(self, inputs: Properties) -> list[str]:
        """What ``parameter`` says otherwise than the other inputs do."""
        said = _PARAMETER.read(inputs.get("parameter"))
        problems = []
        for key, name in _SAID_TWICE.items():
            given = next(field for field in self.inputs if field.name == name)
            value = inputs.get(name)
            value = given.default if value is None else value
            if said is None or value is None or key not in said:
                continue
            if is_unknown(value) or is_unknown(said[key]):
                continue
            # The vendor's own example writes numbers both ways.
            if str(said[key]) != str(value):
                by_default = f" ({value} by default)" if inputs.get(name) is None else ""
                problems.append(
                    f"parameter: its {key} differs from {name}{by_default}. Make them agree"
                )
        return problems

    def make(self, api: Api, inputs: Properties) -> Made:
        """CreateInstance with a token that makes the same purchase the same order.

        The tokens of a purchase stand in a line: the first that no order of before has used up is
        taken, where an order is used up when it was refunded or closed. Of a token that is refused
        for its order it is not known which order that is.

        Raises:
            Refused: and that no money has moved.
            Ambiguous: no answer came; the next run asks for the same order.
        """
        body = {"PayMode": _PRE_PAY, **self._sent(inputs)}
        started = clock.now()
        used_up: int | None = None
        for place, token in _tokens(api, inputs, self._purchase(inputs)):
            if api.abandoned:
                raise Error(_ENGINE_GONE)
            try:
                answer = _ask(api, "CreateInstance", {**body, "ClientToken": token}, ("OrderId",))
            except DeadOrder as dead:
                if used_up is None:
                    used_up = _used_up_orders(api, inputs, dead, started)
                if used_up <= place:
                    raise _told_of_adoption(dead, []) from None
                continue
            except Refused as refusal:
                if _was_used_otherwise(refusal):
                    _close(refusal, _OTHER_INPUTS)
                raise
            id = str(answer["OrderId"])
            known: Properties = {"client_token": token, "ordered_time": _vendor_time(started)}
            ids = _ids(answer.get("InstanceIdList"))
            if len(ids) >= inputs.get("quantity", 1):
                known["instance_id_list"] = ids
            # From here on the id must not be lost: what cannot be seen now, `finish` will see.
            order = None
            is_used_up = False
            with suppress(Error):
                order = _find_order(api, id, None)
                if order is not None:
                    known["ordered_time"] = order.get("CreateTime") or known["ordered_time"]
                    is_used_up = _is_used_up(api, order, started)
            if not is_used_up:
                if order is not None and _is_found_again(order, started) and not api.replaces:
                    api.warn(
                        f"order {id} was made before this run: by one that was interrupted, by "
                        "this resource before it was let go of or replaced by itself, or by a "
                        "stack of the same name elsewhere. Only if that stack holds it, give "
                        "another client_token: else either may refund it."
                    )
                return Made(id, known=known)
            if "client_token" in inputs:
                raise Error(
                    f"client_token names order {id}, which was refunded or closed. Give another to "
                    f"order anew. {_NO_MONEY}"
                )
        raise Error(
            f"this purchase was made and refunded {_MOST_ORDERS} times. Give a client_token of "
            f"your own to order anew. {_NO_MONEY}"
        )

    def _purchase(self, inputs: Properties) -> Properties:
        """What is bought, the same however the program writes it, and what changes in place."""
        purchase = {
            an_input.name: an_input.effective(inputs.get(an_input.name))
            for an_input in self.inputs
            if an_input.sent and an_input.name not in ("client_token", "renew_flag")
        }
        return {**purchase, "parameter": _PARAMETER.lasting(inputs.get("parameter"))}

    def look_up(self, api: Api, id: str, inputs: Properties) -> Properties | None:
        """The order's instances by DescribeRenewInstances; the order itself where none shows."""
        ids = _ids(inputs.get("instance_id_list"))
        order = None
        if not ids:
            order = _find_order(api, id, inputs.get("ordered_time"))
            if order is None:
                _refuse_if_new(id, inputs)
                return None
            if order.get("Action") not in (None, "", "purchase"):
                raise Error(f"order {id} is no purchase. Give the id of the order that bought it")
            ids = _ids(order.get("ResourceId"))
            if whole(order.get("Status")) != _DELIVERED and not _is_dead(order):
                return _undelivered(order)
        records = _records(api, ids)
        if any(_status(record) == _NORMAL for record in records):
            ended = _ended(api, ids, records, inputs)
            return _properties(ids, records, inputs.get("renew_flag")) | {"ended": ended or None}
        order = order or _find_order(api, id, inputs.get("ordered_time"))
        if order is not None and _is_dead(order):
            return None if ids else _undelivered(order)
        if records:
            api.warn(
                f"{id}: {' and '.join(ids)} are isolated: expired, or refunded elsewhere. The "
                "vendor erases them in some days; renew them in the console to keep them."
            )
            return _properties(ids, records, inputs.get("renew_flag"))
        if order is None:
            _refuse_if_new(id, inputs)
            return None
        if whole(order.get("Status")) != _DELIVERED:
            return _undelivered(order)
        refunded = bool(ids) and all(_refund_of(api, one, order.get("CreateTime")) for one in ids)
        if refunded or _is_past(inputs.get("expired_time")):
            return None
        # Not every product's instances show there. What was paid for is not bought anew for that.
        return {"status": _STATUSES[_DELIVERED].name, "instance_id_list": ids}

    def look_up_for_refresh(self, api: Api, id: str, inputs: Properties) -> Properties | None:
        """The same, and a warning of those instances that have ended while others live."""
        now = self.look_up(api, id, inputs)
        if now and now.get("ended"):
            api.warn(
                f"{id}: {' and '.join(now['ended'])} of {len(now['instance_id_list'])} instances "
                "have ended: expired, or refunded elsewhere. The others go on as they are."
            )
        return now

    def change(  # noqa: D102
        self, api: Api, id: str, now: Properties, inputs: Properties, names: list[str]
    ) -> None:
        flag = inputs.get("renew_flag", _RENEW_FLAGS[0])
        for record in _live(api, id, now.get("instance_id_list") or [], inputs):
            if record.get("RenewFlag") != flag:
                _set_renewal(api, record, flag)

    def finish(self, api: Api, id: str, inputs: Properties, before: Properties) -> Properties:
        """Wait for the delivery; then buy the terms that a preview has shown."""
        known = {name: before[name] for name in self.notes if before.get(name)}
        missing = len(known.get("instance_id_list", ())) < inputs.get("quantity", 1)
        # What the create action answered is not yet what was delivered.
        if missing or before.get("expired_time") is None:
            known["instance_id_list"] = _wait_for_delivery(api, id, inputs, known)
        flag = inputs.get("renew_flag")
        if "client_token" in before and "status" not in before:
            # Made in this run, or found again, and then as a program of before had it.
            flag = flag or _RENEW_FLAGS[0]
        noted = {**known, "renew_flag": flag or before.get("renew_flag")}
        now = self._shown(api, id, noted)
        if flag and now.get("renew_flag", flag) != flag:
            self.change(api, id, now, inputs, ["renew_flag"])
            now = self._shown(api, id, noted)
        if inputs.get("paid_until") and not now.get("expired_time"):
            api.warn("the vendor shows no end of the term: paid_until cannot be seen to.")
        months = months_to_pay(inputs.get("paid_until"), now.get("expired_time"))
        if months and now["status"] != _NORMAL:
            raise NotReady(
                "its instances are isolated, and paid_until renews none of them. Renew them in the "
                "console, or take paid_until out.",
                {**known, **now},
            )
        if months_to_pay(inputs.get("paid_until"), before.get("expired_time")):
            known["renewals"] = _renew(api, inputs, {**known, **now}) or None
            now = self._shown(api, id, noted)
        months = months_to_pay(inputs.get("paid_until"), now.get("expired_time"))
        if months:
            api.warn(
                f"paid_until is past {now['expired_time']}: the next `pulumi up` buys {months} "
                f"more months for {_count(_lasting(now))}."
            )
        return {**known, **now}

    def _shown(self, api: Api, id: str, known: Properties) -> Properties:
        """The instances' records, which may show a little after the delivery.

        Raises:
            Gone: there are none any more.
        """
        patience = Deadline(_SECONDS_TO_SHOW)
        while True:
            now = self._await(api, id, known)
            if now is None:
                raise Gone("its instances are gone: refunded elsewhere, or expired.")
            if now.get("expired_time") or not api.may_wait(0, patience):
                return now
            api.wait("delivered, waiting for its term to show", "term", _pause(api))

    def overdue(self, inputs: Properties, outputs: Properties) -> bool:
        """Whether it was not delivered, or a renewal is to be bought."""
        return (
            outputs.get("status") in _UNDELIVERED_NAMES
            or _is_partial(inputs, outputs)
            or is_unknown(inputs.get("paid_until"))
            or months_to_pay(inputs.get("paid_until"), outputs.get("expired_time")) > 0
        )

    def remarks(  # noqa: D102
        self, before: Properties, inputs: Properties, outputs: Properties
    ) -> list[str]:
        remarks = []
        months = months_to_pay(inputs.get("paid_until"), outputs.get("expired_time"))
        if months and outputs.get("status") == _NORMAL:
            remarks.append(
                f"paid_until is past {outputs['expired_time']}: this buys {months} more months for "
                f"{_count(_lasting(outputs))}."
            )
        if is_unknown(inputs.get("paid_until")):
            remarks.append("paid_until is not known yet: this may buy a term.")
        for name, default in (("period", 1), ("period_unit", "m")):
            was, asked = before.get(name) or default, inputs.get(name) or default
            if not is_unknown(asked) and was != asked:
                remarks.append(
                    f"{name} says what the first purchase bought: changed, it buys nothing. For a "
                    "longer term give paid_until."
                )
        return remarks

    def irreplaceable(self, inputs: Properties, outputs: Properties) -> str:
        """One whose token the program gives to the new one, too."""
        token = inputs.get("client_token")
        if token is None or token != outputs.get("client_token"):
            return ""
        return f"client_token names the same order. Give another to order anew. {_NO_MONEY}"

    def unfit(self, now: Properties, inputs: Properties) -> str:
        """One that is over, or was delivered with another number of instances than is wanted."""
        if now["status"] in _DEAD_NAMES:
            return f"is {now['status']}. Take adopt_id out to order anew"
        ids, quantity = _ids(now.get("instance_id_list")), inputs.get("quantity", 1)
        if not ids or len(ids) == quantity:
            return ""
        return f"bought {_count(ids)}, and quantity is {quantity}. Give quantity as it was bought"

    def worn_out(self, inputs: Properties, outputs: Properties) -> list[str]:
        """One that was never delivered, and never will be."""
        return ["status"] if outputs.get("status") in _DEAD_NAMES else []

    def remove(self, api: Api, id: str, inputs: Properties) -> None:
        """What ``on_delete`` says, and a line that says what becomes of the money."""
        ids = _ids(inputs.get("instance_id_list"))
        on_delete = inputs.get("on_delete")
        if on_delete == "retain":
            api.warn(
                f"order {id} is no longer looked after, and stays as it is: {_count(ids)}, paid, "
                "renewed by the vendor as renew_flag says. No money has moved."
            )
            return
        if len(ids) < (whole(inputs.get("quantity")) or 1) or not _records(api, ids):
            ids = _ids_to_end(api, id, inputs)
        live = _live(api, id, ids, inputs)
        if on_delete == "disable_renewal":
            for record in live:
                _set_renewal(api, record, _NO_RENEWAL)
            if ids:
                api.warn(
                    f"order {id}: {_count(ids)} run until the paid term ends and are not renewed. "
                    "No money comes back."
                )
            return
        ordered: list[str] = []
        for record in live:
            with _telling("Refunds ordered before", ordered):
                ordered += _refund(api, id, {**inputs, **_codes(record)}, str(record["InstanceId"]))
        asked = [record["InstanceId"] for record in live]
        made: dict[str, str | None] = dict.fromkeys(ordered)
        refunded = []
        for one in ids:
            # Those that an earlier run has ordered, too; and failed, unless it was ordered anew.
            refunds = _orders_for(api, one, "refund", inputs.get("ordered_time"))
            last = None if one in asked else next(iter(refunds), None)
            if refund := _in_force(refunds) or last:
                made[str(refund.get("OrderId"))] = refund.get("CreateTime")
            if refund or one in asked:
                refunded.append(one)
        for number, when in made.items():
            _wait_for_refund(api, number, when)
        if refunded:
            api.warn(
                f"order {id}: {_count(refunded)} refunded. What was really paid for the rest of "
                "the term goes back to the account's balance."
            )
        elif ids:
            api.warn(f"order {id}: {_count(ids)} were refunded or have expired. No money moves.")


def _is_partial(inputs: Properties, outputs: Properties) -> bool:
    """Whether a refresh has seen an order while its instances were being delivered."""
    return len(_ids(outputs.get("instance_id_list"))) < (whole(inputs.get("quantity")) or 1)


_UNDELIVERED_NAMES = [status.name for number, status in _STATUSES.items() if number != _DELIVERED]


def _lasting(outputs: Properties) -> list[str]:
    """The instances that had not ended when they were looked at last."""
    ended = _ids(outputs.get("ended"))
    return [one for one in _ids(outputs.get("instance_id_list")) if one not in ended]


def _count(ids: Sequence[str]) -> str:
    return f"{len(ids)} instance{'' if len(ids) == 1 else 's'} ({', '.join(ids)})"


def _pause(api: Api) -> float:
    """Seconds between two looks: most orders are delivered soon."""
    return 1.0 if api.deadline.passed < 30 else 3.0


# Tokens


def _tokens(api: Api, inputs: Properties, purchase: Properties) -> Iterator[tuple[int, str]]:
    """The tokens that a purchase may have, each with how many of its line come before it.

    They are made of the resource's URN and the purchase: a run after a crash makes the same ones.
    Where a purchase takes the place of another of the same line, the line goes on behind it.
    """
    if "client_token" in inputs:
        yield 0, inputs["client_token"]
        return
    # Without a URN two resources with the same inputs could not be told apart.
    owner = api.urn or str(uuid.uuid4())
    line = [_digest(owner, purchase, number) for number in range(_MOST_ORDERS)]
    held = api.replaced.get("client_token")
    yield from list(enumerate(line))[line.index(held) + 1 if held in line else 0 :]


def _digest(*parts: Any) -> str:
    """64 characters, the longest that the vendor takes."""
    written = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def _ask(
    api: Api, action: str, parameters: Mapping[str, Any], holding: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Call an action of money: asked again with the same token, it answers with the same order."""
    try:
        return api.call(action, parameters, repeatable=False, holding=holding)
    except PaidInVain:
        raise
    except (Ambiguous, Transient):
        # Whether it was done is known from here on by what the same token is answered with.
        pass
    except Refused as refusal:
        refusal.closing = _NO_MONEY
        raise
    try:
        return api.call(action, parameters, holding=holding)
    except PaidInVain:
        raise
    except Error as error:
        # Of a token whose first answer was lost it is not known that its order is one of before.
        unsure = Refused(error.reason, error.answer) if isinstance(error, DeadOrder) else error
        unsure.closing = _MAYBE_MONEY
        raise unsure from None


def _close(error: Error, sentence: str) -> None:
    """End an error with a sentence beside which it is not true that no money has moved."""
    known = "" if error.closing == _NO_MONEY else error.closing
    error.closing = f"{known} {sentence}".lstrip()


def _was_used_otherwise(refusal: Refused) -> bool:
    """Whether a token is refused that, it seems, was used with other inputs before."""
    about_the_token = "clienttoken" in refusal.answer.message.lower()
    return about_the_token and refusal.answer.code.startswith("InvalidParameter")


def _is_found_again(order: Mapping[str, Any], started: datetime) -> bool:
    """Whether an order was surely not made in this run."""
    ages = _ages(order, started)
    return bool(ages) and all(abs(age) > _SKEW for age in ages)


def _is_used_up(api: Api, order: Mapping[str, Any], started: datetime) -> bool:
    """Whether an order was delivered and given back, or failed before this run."""
    ids = _ids(order.get("ResourceId"))
    number = whole(order.get("Status"))
    if _is_dead(order):
        return bool(ids) or _is_older(order, started)
    if number == _REFUNDING:
        return bool(ids)
    if number != _DELIVERED or not ids:
        return False
    records = {record["InstanceId"]: record for record in _records(api, ids)}
    if not records and _has_ended(order):
        return True
    # A record may stay NORMAL for a while after the refund.
    return all(
        (one in records and _status(records[one]) != _NORMAL)
        or _refund_of(api, one, order.get("CreateTime"))
        for one in ids
    )


def _has_ended(order: Mapping[str, Any]) -> bool:
    """Whether the term that an order bought is long over, renewals not counted."""
    unit = {"m": 1, "y": 12}.get(str(order.get("TimeUnit")), 0)
    months = (whole(order.get("TimeSpan")) or 0) * unit
    try:
        end = clock.months_later(_parse(str(order.get("CreateTime"))), months)
    except ValueError:
        return False
    return bool(months) and clock.now() - end > _QUARTER


def _is_past(end: Any) -> bool:
    return isinstance(end, str) and clock.ends_within(end, 0)


def _is_older(order: Mapping[str, Any], started: datetime) -> bool:
    """Whether an order was there before; in whichever zone its time may be."""
    ages = _ages(order, started)
    return bool(ages) and all(age > _SKEW for age in ages)


def _ages(order: Mapping[str, Any], now: datetime) -> list[timedelta]:
    """How old an order is, by either zone that its time may be in; nothing where it has none."""
    try:
        created = _parse(str(order.get("CreateTime")))
    except ValueError:
        return []
    return [now - created, now - created.replace(tzinfo=timezone.utc)]


def _used_up_orders(api: Api, inputs: Properties, dead: DeadOrder, started: datetime) -> int:
    """How many orders of a product are used up, where surely none is alive.

    A token is passed over only where there are at least as many of them as tokens up to it.

    Args:
        api: the vendor's API.
        inputs: all that the program gives.
        dead: the refusal of a token.
        started: when the create began.

    Raises:
        DeadOrder: an order may be alive, or may not show.
    """
    if "client_token" in inputs:
        dead.add("client_token names it: give another to order anew.")
        raise dead
    what = {
        "ProductCode": inputs["product_code"],
        "SubProductCode": inputs["sub_product_code"],
        "Action": "purchase",
    }
    patience = Deadline(_SECONDS_TO_SHOW)
    used_up: dict[str, bool] = {}
    orders = 0
    ends = _quarters()
    while True:
        for end in ends:
            shown = _orders(api, end, _QUARTER)
            if len(shown) >= _MOST_ORDERS_SHOWN:
                raise _told_of_adoption(dead, [])
            for order in shown:
                id = str(order.get("OrderId"))
                # What it does not show may be as it is in the program.
                if id in used_up or not all(
                    order.get(name) in (None, "", mine) for name, mine in what.items()
                ):
                    continue
                used_up[id] = _is_dead(order) or _is_used_up(api, order, started)
                orders += all(order.get(name) == mine for name, mine in what.items())
        live = [id for id, is_so in used_up.items() if not is_so]
        if live:
            raise _told_of_adoption(dead, live)
        if patience.left < 0:
            return orders
        if not api.may_wait(_pause(api)):
            raise _told_of_adoption(dead, [])
        # One that was made by a run before this may show late.
        api.wait("its order may be alive, waiting for it to show", "token", _pause(api))
        ends = ends[:1]


def _told_of_adoption(dead: DeadOrder, live: Sequence[str]) -> DeadOrder:
    """The refusal of a token whose order may be alive, with what to do."""
    which = f"It may be {' or '.join(live)}: take it" if live else "Take it"
    dead.add(f"{which} over with adopt_id, or give a client_token of your own to order anew.")
    return dead


# Orders


def _vendor_time(moment: datetime) -> str:
    return moment.astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _parse(vendor_time: str) -> datetime:
    return datetime.strptime(vendor_time, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA)


def _ids(value: Any) -> list[str]:
    return [id for id in value if isinstance(id, str) and id] if isinstance(value, list) else []


def _order_status(order: Mapping[str, Any] | None) -> _OrderStatus | None:
    """What its number means; None where it does not show, or the number is not on the page."""
    number = whole(order.get("Status")) if order else None
    return None if number is None else _STATUSES.get(number)


def _is_dead(order: Mapping[str, Any]) -> bool:
    return whole(order.get("Status")) in _DEAD


def _find_order(api: Api, id: str, ordered_time: str | None) -> dict[str, Any] | None:
    """An order by its id; None where it does not show.

    Args:
        api: the vendor's API.
        id: the order's.
        ordered_time: about when it was made, as the vendor writes it; None: in the last years.
    """
    ends = _quarters()
    with suppress(ValueError):
        ends = [_parse(str(ordered_time))]
    return _order_among(api, id, ends)


def _quarters() -> list[datetime]:
    """The ends of those in which an order is looked for of which no time is known, newest first."""
    return [clock.now() - back * _QUARTER for back in range(_QUARTERS)]


def _order_among(api: Api, id: str, ends: Sequence[datetime]) -> dict[str, Any] | None:
    for end in ends:
        for order in _orders(api, end, _QUARTER, OrderId=id):
            if str(order.get("OrderId")) == id:
                return order
    return None


def _refuse_if_new(id: str, inputs: Properties) -> None:
    """An order that does not show is gone; but not one of a moment ago.

    Raises:
        Error: it was made a moment ago.
    """
    with suppress(ValueError):
        if clock.now() - _parse(str(inputs.get("ordered_time"))) < _SKEW:
            raise Error(f"order {id} does not show yet. Run it again in a few minutes")


def _orders(api: Api, end: datetime, span: timedelta, **filters: str) -> list[dict[str, Any]]:
    """DescribeDealsByCond, orders of every status."""
    parameters = {
        "StartTime": _vendor_time(end - span),
        "EndTime": _vendor_time(end + _MARGIN),
        "Limit": _MOST_ORDERS_SHOWN,
        "Offset": 0,
        **filters,
    }
    every = sorted(_STATUSES)
    for statuses in (every, [status for status in every if status not in _LATER_STATUSES]):
        try:
            answer = api.call("DescribeDealsByCond", {**parameters, "StatusSet": statuses})
        except NoSuchStatus:
            continue
        return objects(answer.get("Deals"))
    # A site that knows no list of statuses.
    return [
        order
        for status in every
        if status not in _LATER_STATUSES
        for order in objects(
            api.call("DescribeDealsByCond", {**parameters, "Status": status}).get("Deals")
        )
    ]


def _refund_of(api: Api, instance_id: str, since: Any) -> dict[str, Any] | None:
    """The order by which an instance was refunded, or is being; None where there is none."""
    return _in_force(_orders_for(api, instance_id, "refund", since))


def _in_force(refunds: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The last of some refunds that has not failed."""
    return next((order for order in refunds if not _is_failed(order)), None)


def _orders_for(api: Api, instance_id: str, action: str, since: Any) -> list[dict[str, Any]]:
    """The orders of one kind that changed an instance, the newest first.

    Args:
        api: the vendor's API.
        instance_id: the instance's.
        action: "refund" or "renew".
        since: when the instance was ordered, as the vendor writes it; otherwise in the last years.
    """
    ends = _quarters()
    with suppress(ValueError):
        start = _parse(str(since)) - _MARGIN
        ends = [end for end in ends if end > start]
    found = {
        str(order.get("OrderId")): order
        for end in ends
        for order in _orders(api, end, _QUARTER, ResourceId=instance_id)
        if order.get("Action") == action
    }
    return sorted(found.values(), key=lambda order: str(order.get("CreateTime")), reverse=True)


def _is_failed(order: Mapping[str, Any]) -> bool:
    status = _order_status(order)
    return bool(status and status.fate) and whole(order.get("Status")) != _REFUNDED


def _undelivered(order: Mapping[str, Any]) -> Properties:
    status = _order_status(order)
    now: Properties = {"status": status.name if status else str(order.get("Status"))}
    if text(order.get("CreateTime")):
        now["ordered_time"] = order["CreateTime"]
    return now


def _wait_for_delivery(api: Api, id: str, inputs: Properties, known: Properties) -> list[str]:
    """The ids of all instances.

    Raises:
        NotReady: it was not delivered, and what became of the money.
    """
    quantity = inputs.get("quantity", 1)
    to_pay = Deadline(_SECONDS_TO_PAY)
    while True:
        order = _find_order(api, id, known.get("ordered_time"))
        now = {**known, **(_undelivered(order) if order else {"status": "PAYING"})}
        number = whole(order.get("Status")) if order else None
        ids = _ids(order.get("ResourceId")) if order else []
        if len(ids) < quantity:
            # As the create action answered.
            ids = known.get("instance_id_list") or ids
        if number == _DELIVERED and len(ids) >= quantity:
            return ids
        status = _order_status(order)
        if status and status.fate:
            raise NotReady(f"the order is {status.name}. {status.fate}", now)
        time_is_up = not api.may_wait(_pause(api))
        if number == _UNPAID and (time_is_up or to_pay.left < 0):
            raise NotReady(
                "the order is UNPAID. No money was taken: pay or cancel it in the billing console. "
                "Once it is paid, the next `pulumi up` goes on; once cancelled, it orders anew.",
                now,
            )
        name = status.name if status else "not visible yet"
        passed = f"{api.deadline.passed:.0f} s"
        if time_is_up:
            money = status.money if status else "Whether it is paid is not known"
            raise NotReady(
                f"the order is {name} after {passed}. {money}; the next `pulumi up` goes on "
                "waiting, and buys nothing.",
                now,
            )
        api.wait(f"order {name} for {passed}, waiting for its delivery", name, _pause(api))


# Instances


def _records(api: Api, ids: Sequence[str]) -> list[dict[str, Any]]:
    """DescribeRenewInstances: what shows of these instances."""
    records = []
    for start in range(0, len(ids), _MOST_IDS):
        some = list(ids[start : start + _MOST_IDS])
        answer = api.call(
            "DescribeRenewInstances",
            {"MaxResults": _MOST_IDS, "Reverse": False, "InstanceIdList": some},
        )
        records += [r for r in objects(answer.get("InstanceList")) if r.get("InstanceId") in some]
    return records


def _status(record: Mapping[str, Any]) -> str:
    # A status that is left out is that of an instance that is there.
    return text(record.get("Status")) or _NORMAL


def _ended(
    api: Api, ids: Sequence[str], records: Sequence[Mapping[str, Any]], inputs: Properties
) -> list[str]:
    """Those instances that were refunded or have expired, while others live."""
    statuses = {record["InstanceId"]: _status(record) for record in records}
    return [
        one
        for one in ids
        if statuses.get(one, _NORMAL) != _NORMAL
        or (one not in statuses and one in _ids(inputs.get("ended")))
        or (one not in statuses and _refund_of(api, one, inputs.get("ordered_time")))
    ]


def _properties(ids: list[str], records: list[dict[str, Any]], renew_flag: Any) -> Properties:
    """An order's instances as inputs and outputs: the first end of those that live is the end.

    Where the instances' renew_flags differ, one is shown that is not as it was given, so that the
    diff sees it.
    """
    live = [record for record in records if _status(record) == _NORMAL] or records
    now: Properties = {"instance_id_list": ids, "status": _status(live[0]), **_codes(live[0])}
    ends = [end for record in live if (end := _rfc_3339(record.get("ExpireTime")))]
    if ends:
        now["expired_time"] = min(ends)
    flags = [flag for record in live if (flag := text(record.get("RenewFlag")))]
    if flags:
        given = renew_flag or _RENEW_FLAGS[0]
        now["renew_flag"] = next((flag for flag in flags if flag != given), given)
    return now


def _rfc_3339(vendor_time: Any) -> str | None:
    try:
        return _parse(str(vendor_time)).isoformat()
    except ValueError:
        return None


def _live(api: Api, id: str, ids: Sequence[str], inputs: Properties) -> list[dict[str, Any]]:
    """The records of those instances that were not refunded and have not expired.

    Not every product's instances show: one that does not, of an order that was delivered, has a
    record of what the program knows of it.
    """
    shown = {record["InstanceId"]: record for record in _records(api, ids)}
    live = [record for record in shown.values() if _status(record) == _NORMAL]
    hidden = [one for one in _lasting({**inputs, "instance_id_list": ids}) if one not in shown]
    if hidden and not _is_past(inputs.get("expired_time")):
        order = _find_order(api, id, inputs.get("ordered_time"))
        if order is None:
            raise Error(
                f"order {id} does not show, so that what became of {' and '.join(hidden)} is not "
                "known. Run it again"
            )
        if whole(order.get("Status")) != _DELIVERED:
            return live
        live += [
            {
                "InstanceId": one,
                "ProductCode": inputs.get("product_code") or order.get("ProductCode"),
                "SubProductCode": order.get("SubProductCode"),
                "RegionCode": inputs.get("region_code"),
            }
            for one in hidden
            if _refund_of(api, one, inputs.get("ordered_time")) is None
        ]
    return live


def _codes(record: Mapping[str, Any]) -> Properties:
    """What names an instance's product, as the vendor shows it."""
    shown = {
        "product_code": record.get("ProductCode"),
        "sub_product_code": record.get("SubProductCode"),
        "region_code": record.get("RegionCode"),
    }
    return {name: value for name, value in shown.items() if text(value)}


def _set_renewal(api: Api, record: Mapping[str, Any], flag: str) -> None:
    parameters = {
        "ProductCode": record.get("ProductCode"),
        "RegionCode": record.get("RegionCode") or "",
        "InstanceId": record.get("InstanceId"),
        "RenewFlag": flag,
        "RenewPeriod": str(whole(record.get("RenewPeriod")) or 1),
        "RenewPeriodUnit": text(record.get("RenewPeriodUnit")) or "m",
    }
    answer = _unlocked(api, partial(api.call, "SetRenewal", parameters))
    failed = objects(answer.get("InstanceList"))
    if failed:
        raise Error(
            f"renew_flag of {record.get('InstanceId')} was not set: the vendor says "
            f"“{failed[0].get('Message')}” (code {failed[0].get('Code')})"
        )


def _renew(api: Api, inputs: Properties, now: Properties) -> Properties:
    """RenewInstance for each instance whose term ends before ``paid_until``.

    A renewal that is under way is waited for. The token of another is made of the end that the
    term follows and of how many renewals have failed: the same term is never bought twice,
    whatever was lost, and however ``paid_until`` is written.

    Returns:
        By instance, its renewals that were seen to move an end, each with the end that it followed:
        those of the last minutes, since an older one is not waited for anyhow.
    """
    bought: list[str] = []
    seen: Properties = dict(now.get("renewals") or {})
    for record in _records(api, now["instance_id_list"]):
        instance_id, end = str(record["InstanceId"]), text(record.get("ExpireTime"))
        if _status(record) != _NORMAL:
            continue
        while end and (months := months_to_pay(inputs["paid_until"], _rfc_3339(end))):
            renewals = [
                order
                for order in _orders_for(api, instance_id, "renew", now.get("ordered_time"))
                if str(order.get("OrderId")) not in bought
            ]
            under_way = {str(one.get("OrderId")): one for one in renewals if _is_under_way(one)}
            moved = seen.get(instance_id) or {}
            orders = [
                id
                for id, order in under_way.items()
                # Where the end is the one that it followed, what shows lags behind.
                if whole(order.get("Status")) != _DELIVERED or moved.get(id, end) == end
            ]
            waited_for = bool(orders)
            if not orders:
                line = [_digest("renewal", instance_id, end, n) for n in range(_MOST_ORDERS)]
                parameters = {
                    **_sent_codes(inputs, record),
                    "InstanceId": instance_id,
                    "Period": min(months, _MOST_MONTHS),
                    "PeriodUnit": "m",
                }
                tokens = line[sum(map(_is_dead, renewals)) :]
                try:
                    with _telling("Renewals bought before", bought):
                        orders = _order_renewal(api, parameters, tokens)
                except Error as error:
                    # With the note of what was bought before.
                    raise NotReady(str(error), now) from None
            made = {id: under_way.get(id, {}).get("CreateTime") for id in orders}
            followed, end = end, _wait_for_term(api, instance_id, end, made, now)
            bought += orders
            if not waited_for:
                # Of what was bought elsewhere it is not known which order has moved the end.
                recent = {id: moved[id] for id in moved if id in under_way or id in bought}
                seen[instance_id] = {**recent, **dict.fromkeys(orders, followed)}
                now["renewals"] = seen
    return seen


def _order_renewal(api: Api, parameters: Mapping[str, Any], tokens: Sequence[str]) -> list[str]:
    """RenewInstance with the first token whose order is not one that has failed long before.

    Not every renewal that failed shows as one of its instance.
    """
    started = clock.now()
    for token in tokens:
        asked = {"ClientToken": token, **parameters}
        answer = _unlocked(api, partial(_ask, api, "RenewInstance", asked))
        orders = _ids(answer.get("OrderIdList"))
        with suppress(Error):
            found = [_find_order(api, id, None) for id in orders]
            if orders and all(o and _is_dead(o) and _is_older(o, started) for o in found):
                continue
        return orders
    raise Error(f"the renewal has failed {_MOST_ORDERS} times. Renew in the console")


def _is_under_way(order: Mapping[str, Any]) -> bool:
    """Whether an order may still change its instance, or has just done so."""
    if whole(order.get("Status")) == _DELIVERED:
        ages = _ages(order, clock.now())
        return any(abs(age) <= _SKEW for age in ages)
    # One that is not paid is asked for again: the same token pays it.
    return not _is_dead(order) and whole(order.get("Status")) != _UNPAID


@contextmanager
def _telling(what: str, orders: Sequence[str]) -> Iterator[None]:
    """Make an error say what the orders before it have done."""
    try:
        yield
    except Error as error:
        if orders:
            _close(error, f"{what}: {' and '.join(orders)}.")
        raise


def _sent_codes(inputs: Properties, record: Mapping[str, Any]) -> dict[str, Any]:
    known = {**inputs, **_codes(record)}
    missing = [
        name for name in ("product_code", "sub_product_code", "region_code") if not known.get(name)
    ]
    if missing:
        raise Error(f"{' and '.join(missing)} of the order is not known. Give it in the program")
    return {
        "ProductCode": known["product_code"],
        "SubProductCode": known["sub_product_code"],
        "RegionCode": known["region_code"],
    }


def _wait_for_term(
    api: Api, instance_id: str, end: str, orders: Mapping[str, Any], now: Properties
) -> str:
    """The new end of an instance's term.

    Args:
        api: the vendor's API.
        instance_id: the instance's.
        end: the one that shows.
        orders: its renewals, each with the time that the vendor shows of it; None: a moment ago.
        now: what is known of the purchase.

    Raises:
        NotReady: it does not show, and what became of the money.
    """
    patience = Deadline(_SECONDS_TO_SHOW)
    named = " and ".join(orders)
    while True:
        for record in _records(api, [instance_id]):
            if text(record.get("ExpireTime")) not in (end, None):
                return str(record["ExpireTime"])
        for order, made in orders.items():
            shown = _find_order(api, order, made or _vendor_time(clock.now()))
            status = _order_status(shown)
            if status and status.fate:
                fate = _NO_MONEY if status.dead else "The money was taken."
                raise NotReady(
                    f"the renewal, order {named}, is {status.name}. {fate}",
                    now,
                )
        if not api.may_wait(_pause(api), patience):
            raise NotReady(
                f"the renewal, order {named}, is ordered, but does not show yet. The next "
                "`pulumi up` asks for the same order, and buys nothing twice.",
                now,
            )
        api.wait("waiting for the renewal to show", "renewal", _pause(api))


def _unlocked(api: Api, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Send a request as soon as no other change of the instance is under way."""
    while True:
        if api.abandoned:
            raise Error(_ENGINE_GONE)
        try:
            return send()
        except Locked:
            if not api.may_wait(_pause(api)):
                raise
            api.wait("the instance is locked by another change, waiting", "locked", _pause(api))


# The end


def _ids_to_end(api: Api, id: str, inputs: Properties) -> list[str]:
    """The instances of an order of which no record shows; none where there is nothing to end.

    Raises:
        Error: something was paid for, or may have been, that cannot be ended yet.
    """
    patience = Deadline(_SECONDS_TO_SHOW)
    while (order := _find_order(api, id, inputs.get("ordered_time"))) is None:
        if not api.may_wait(_pause(api), patience):
            raise Error(
                "the order does not show, and may have been paid. Look for it in the billing "
                "console; with on_delete retain a destroy lets go of it"
            )
        api.wait("waiting for the order to show", "order", _pause(api))
    number = whole(order.get("Status"))
    status = _order_status(order)
    if number == _UNPAID:
        api.warn(f"order {id} is unpaid. No money was taken; cancel it in the billing console.")
        return []
    if status and status.dead:
        fate = status.fate.partition(". ")[0]
        api.warn(f"order {id} is {status.name}: there is nothing to refund. {fate}.")
        return []
    ids = _ids(order.get("ResourceId")) or inputs.get("instance_id_list") or []
    if number == _REFUNDING or (number == _DELIVERED and ids):
        return ids
    return _wait_for_delivery(api, id, inputs, {})


def _refund(api: Api, id: str, inputs: Properties, instance_id: str) -> list[str]:
    """RefundInstance; the ids of its orders, none where it has ended and none shows.

    The token is made of how many refunds have failed: no refund is ordered twice.
    """
    since = inputs.get("ordered_time")
    failed = [
        str(order.get("OrderId"))
        for order in _orders_for(api, instance_id, "refund", since)
        if _is_failed(order)
    ]
    parameters = {
        "ClientToken": _digest("refund", id, instance_id, len(failed)),
        **_sent_codes(inputs, {}),
        "InstanceId": instance_id,
    }
    try:
        answer = _unlocked(api, partial(_ask, api, "RefundInstance", parameters))
    except CheckFailed:
        # It may have been refunded meanwhile.
        shown = _shown_refunds(api, instance_id, since, failed)
        if shown is None:
            raise
        return shown
    ordered = _ids(answer.get("OrderIdList"))
    if ordered:
        return ordered
    patience = Deadline(_SECONDS_TO_SHOW)
    while (shown := _shown_refunds(api, instance_id, since, failed)) is None:
        if not api.may_wait(_pause(api), patience):
            raise Error(
                f"the refund of {instance_id} was accepted, and does not show. Whether it is "
                "refunded is not known. Run it again: it looks first"
            )
        api.wait(f"waiting for the refund of {instance_id} to show", "refund", _pause(api))
    return shown


def _shown_refunds(
    api: Api, instance_id: str, since: Any, failed: Sequence[str]
) -> list[str] | None:
    """The refunds of an instance beside those that failed; None where it has not even ended."""
    orders = _orders_for(api, instance_id, "refund", since)
    shown = [id for order in orders if (id := str(order.get("OrderId"))) not in failed]
    if shown:
        return shown
    ended = any(_status(record) != _NORMAL for record in _records(api, [instance_id]))
    return [] if ended else None


def _wait_for_refund(api: Api, id: str, ordered_time: str | None) -> None:
    while True:
        order = _find_order(api, id, ordered_time or _vendor_time(clock.now()))
        number = whole(order.get("Status")) if order else None
        if number == _REFUNDED:
            return
        status = _order_status(order)
        if status and status.fate:
            raise Error(
                f"the refund, order {id}, is {status.name}: no money came back. Run it again, or "
                "ask the vendor's support; with on_delete retain a destroy lets go of it"
            )
        if not api.may_wait(_pause(api)):
            raise Error(
                f"the refund, order {id}, is ordered and not done after "
                f"{api.deadline.passed:.0f} s. Run it again to go on waiting"
            )
        api.wait(f"waiting for the refund, order {id}", "refund", _pause(api))


class Instance(
    LifecycleResource, module="tencentcloud/billing", name="Instance", lifecycle=InstanceProvider
):
    """A prepaid order of Tencent Cloud. Creating one spends money at once.

    Args:
        resource_name: the resource's name in the program.
        opts: the engine's options. ``custom_timeouts``: 15 minutes each where nothing is set.
        product_code: such as ``p_cloudfirewall``. Replaces.
        sub_product_code: such as ``sp_cloudfirewall_svv1``. Replaces.
        region_code: such as ``ap-guangzhou``. Replaces.
        zone_code: such as ``ap-guangzhou-6``. Replaces.
        parameter: the product's details, a mapping or JSON text, compared as JSON. It repeats
            ``productCode``, ``subProductCode``, ``timeSpan``, ``timeUnit`` and ``goodsNum``, which
            must agree with the other inputs. Secret where the program makes it so. Replaces, but
            for ``timeSpan`` and ``timeUnit``, which buy as little as ``period`` once changed.
        pay_mode: ``PrePay``, also the default.
        quantity: how many instances, at least 1, also the default. Replaces.
        project_id: default 0. Replaces.
        period: what the first purchase buys, 1 (default) to 36. Changed later, it buys nothing.
        period_unit: ``m`` (default) months, ``y`` years.
        renew_flag: ``NOTIFY_AND_MANUAL_RENEW`` (default), ``NOTIFY_AND_AUTO_RENEW`` or
            ``DISABLE_NOTIFY_AND_MANUAL_RENEW``. Changed in place.
        client_token: at most 64 ASCII characters; a purchase with the same one is the same order.
            Default: made of the resource's URN and inputs. Replaces.
        paid_until: RFC 3339, at most 5 years from now; a term that ends before it is renewed by as
            many months as are missing, in the next ``pulumi up`` after the purchase, whose preview
            says so.
        on_delete: what a destroy does: ``refund`` (default), ``disable_renewal`` or ``retain``.
        adopt_id: the id of an existing order to take over at the first create; ignored ever after.

    Outputs:
        order_id (str): also the resource's id.
        instance_id_list (list of str): all instances.
        status (str): ``NORMAL``, ``ISOLATED``; ``DELIVERED`` where no term shows; before the
            delivery the order's.
        expired_time (str): RFC 3339, of the instance that ends first; None where none shows.

    Every input is an output too, ``renew_flag`` as it is in the cloud, but for ``period``,
    ``period_unit``, ``paid_until``, ``on_delete`` and ``adopt_id``.

    Source:
        Billing CreateInstance, DescribeDealsByCond, DescribeRenewInstances, SetRenewal,
        RenewInstance, RefundInstance, 2018-07-09.
    """

    product_code: pulumi.Output[str]
    sub_product_code: pulumi.Output[str]
    region_code: pulumi.Output[str]
    zone_code: pulumi.Output[str]
    parameter: pulumi.Output[Any]
    pay_mode: pulumi.Output[str | None]
    quantity: pulumi.Output[int | None]
    project_id: pulumi.Output[int | None]
    client_token: pulumi.Output[str | None]
    renew_flag: pulumi.Output[str | None]
    order_id: pulumi.Output[str]
    instance_id_list: pulumi.Output[list[str]]
    status: pulumi.Output[str]
    expired_time: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        product_code: pulumi.Input[str] | None = None,
        sub_product_code: pulumi.Input[str] | None = None,
        region_code: pulumi.Input[str] | None = None,
        zone_code: pulumi.Input[str] | None = None,
        parameter: pulumi.Input[Mapping[str, Any] | str] | None = None,
        pay_mode: pulumi.Input[str] | None = None,
        quantity: pulumi.Input[int] | None = None,
        project_id: pulumi.Input[int] | None = None,
        period: pulumi.Input[int] | None = None,
        period_unit: pulumi.Input[str] | None = None,
        renew_flag: pulumi.Input[str] | None = None,
        client_token: pulumi.Input[str] | None = None,
        paid_until: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[str] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
    ) -> None:
        super().__init__(
            resource_name,
            {
                "product_code": product_code,
                "sub_product_code": sub_product_code,
                "region_code": region_code,
                "zone_code": zone_code,
                "parameter": parameter,
                "pay_mode": pay_mode,
                "quantity": quantity,
                "project_id": project_id,
                "period": period,
                "period_unit": period_unit,
                "renew_flag": renew_flag,
                "client_token": client_token,
                "paid_until": paid_until,
                "on_delete": on_delete,
                "adopt_id": adopt_id,
            },
            opts,
        )

    @staticmethod
    def get(
        resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> Instance:
        """Read an existing order without managing it.

        Args:
            resource_name: its name in the program.
            id: the order's id.
            opts: the engine's options.
        """
        existing = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        return Instance(resource_name, existing)

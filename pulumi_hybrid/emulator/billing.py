"""Billing, version 2018-07-09: prepaid orders, and the instances that they deliver.

Source: the page of CreateInstance, and those of DescribeDealsByCond, DescribeRenewInstances,
SetRenewal, RenewInstance and RefundInstance. Where the pages are silent, a comment says what is
done here; where they leave two ways open, a setting chooses.

A fault of kind `ends_in` takes an order to any status (`status="5"`); name `service="billing"` with
it, since TCR has a CreateInstance and a RenewInstance too. What else may go wrong with an order or
a refund (NotAllowToRefund, ResourceLocked for a while) is a fault of kind `error`.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from . import ledger
from .api import Api, Call, Control, ControlError, Json, Setting, VendorError
from .clock import CHINA, months_later
from .parameters import Flag, Many, Text, Whole
from .tencentcloud import account_number

# An order's statuses, by their numbers.
UNPAID, PAID, DELIVERING, DELIVERED, DELIVERY_FAILED, REFUNDED, CLOSED = range(1, 8)
PAYING, REFUNDING, TO_BE_CONFIRMED = 12, 13, 30
STATUSES = (*range(1, 14), TO_BE_CONFIRMED)
NEVER_PAID = (UNPAID, *range(CLOSED, REFUNDING))
DEAD = (REFUNDED, *range(CLOSED, PAYING))
# Of a refund, while its instance is not to be refunded once more.
UNDER_WAY = (UNPAID, PAID, DELIVERING, PAYING, REFUNDING)
# Not on every site, perhaps.
LATER_STATUSES = (REFUNDING, TO_BE_CONFIRMED)

PURCHASE, RENEW, REFUND = "purchase", "renew", "refund"  # an order's Action

NORMAL, ISOLATED = "NORMAL", "ISOLATED"

AUTO_RENEW = "NOTIFY_AND_AUTO_RENEW"
RENEW_FLAGS = ("NOTIFY_AND_MANUAL_RENEW", AUTO_RENEW, "DISABLE_NOTIFY_AND_MANUAL_RENEW")

MONTHS = {"m": 1, "y": 12}
RENEW_PERIODS = {"m": 11, "y": 5}  # the longest cycle of automatic renewal

# What the text `Parameter` says once more, and the field that says it.
SAID_TWICE = {
    "productCode": "ProductCode",
    "subProductCode": "SubProductCode",
    "goodsNum": "Quantity",
    "timeSpan": "Period",
    "timeUnit": "PeriodUnit",
}

WITH_RESOURCES = 200  # the largest Limit with which DescribeDealsByCond tells the instances

DEAL_FIELDS = (
    "OrderId",
    "Status",
    "Payer",
    "CreateTime",
    "Creator",
    "RealTotalCost",
    "VoucherDecline",
    "ProjectId",
    "GoodsCategoryId",
    "ProductInfo",
    "TimeSpan",
    "TimeUnit",
    "Currency",
    "Policy",
    "Price",
    "TotalCost",
    "ProductCode",
    "SubProductCode",
    "BigDealId",
    "Formula",
    "RefReturnDeals",
    "PayMode",
    "Action",
    "ProductName",
    "SubProductName",
    "ResourceId",
    "ZoneCode",
)
INSTANCE_FIELDS = (
    "InstanceId",
    "ProductCode",
    "SubProductCode",
    "RegionCode",
    "Status",
    "RenewFlag",
    "ExpireTime",
    "InstanceName",
    "ProductName",
    "ProjectName",
    "RenewPeriod",
    "RenewPeriodUnit",
)

DEALS = "deals"
INSTANCES = "renew_instances"
TOKENS = "client_tokens"

INVALID = "InvalidParameter"
INVALID_VALUE = "InvalidParameterValue"
REFUSED = "FailedOperation.BusinessCheckErrCode"

ANY_STATUS = tuple(map(str, STATUSES))
SET_RENEWAL_FAILED = "Failed"  # no status of the vendor's: for orders to the emulator

api = Api(
    "billing",
    "2018-07-09",
    settings={
        # In cents.
        "billing_month_price": Setting(10_000),  # of one of whatever product
        "billing_balance": Setting(1_000_000_000),  # each account's, before anything was bought
        "billing_refund_percent": Setting(100),  # of what was paid for an instance
        "billing_quantity_cap": Setting(100),  # of one order
        "billing_unsupported_products": Setting([]),  # product codes
        # How long each takes; 0: at once.
        "billing_paid_seconds": Setting(1),
        "billing_delivering_seconds": Setting(1),
        "billing_refunding_seconds": Setting(1),
        "billing_deal_lag_seconds": Setting(0),  # until DescribeDealsByCond has an order
        "billing_instance_lag_seconds": Setting(0),  # until DescribeRenewInstances has an instance
        "billing_isolated_seconds": Setting(7 * 24 * 3600),  # from ISOLATED to the end
        # Delivered after so many looks at it by DescribeDealsByCond; 0: by time.
        "billing_delivery_polls": Setting(0),
        "billing_failed_refund_seconds": Setting(0),  # from status 5 to 6; 0: never
        "billing_token_seconds": Setting(0),  # the life of a ClientToken; 0: for ever
        # What the pages leave open.
        "billing_unpaid_order": Setting("none", choices=("none", "left")),
        "billing_dead_order": Setting("answered", choices=("answered", "refused")),
        "billing_contradiction": Setting("refused", choices=("refused", "ignored")),
        "billing_statuses": Setting("all", choices=("all", "1 to 12")),
        "billing_offset": Setting("pages", choices=("pages", "rows")),
        "billing_isolated": Setting("listed", choices=("listed", "hidden")),
    },
)


def _text(longest: int | None = None, **more: Any) -> Text:
    """That an empty one is refused is not on the pages, which have no use for it either."""
    return Text(longest, 1, too_long=INVALID, too_short=INVALID, not_a_choice=INVALID, **more)


TOKEN = _text(64, required=True)
NAME = _text(required=True)
PERIOD = {
    "Period": Whole(1, 36, default=1, too_small=INVALID, too_large=INVALID),
    "PeriodUnit": _text(default="m", choices=tuple(MONTHS)),
}


# --- orders -----------------------------------------------------------------------------------


@api.action(
    "CreateInstance",
    {
        "ClientToken": TOKEN,
        "ProductCode": NAME,
        "SubProductCode": NAME,
        "RegionCode": NAME,
        "ZoneCode": NAME,
        "PayMode": _text(required=True, choices=("PrePay",)),
        "Parameter": NAME,
        "Quantity": Whole(1, default=1, too_small=INVALID),
        "ProjectId": Whole(0, default=0, too_small=INVALID),
        **PERIOD,
        "RenewFlag": _text(default=RENEW_FLAGS[0], choices=RENEW_FLAGS),
    },
    ids=("OrderId", "InstanceIdList"),
    endings=ANY_STATUS,
    region_required=False,
)
def create_instance(call: Call) -> Json:
    """An order, paid from the balance; one left unpaid is paid by asking again."""
    order = _answered_before(call, PURCHASE)
    if order is None:
        _check_product(call)
        goods = _read_goods(call)
        order = _order(call, PURCHASE, call.parameters, _price(call, call.parameters))
        order["ProductInfo"] = [
            {"Name": name, "Value": str(value)}
            for name, value in goods.items()
            if name.startswith("sv_")
        ]
        _add(call, order)
    elif order["Status"] in DEAD and call.settings["billing_dead_order"] == "refused":
        raise VendorError(
            "FailedOperation.InvalidDeal", "Order status error. Only unpaid orders support payment."
        )
    if order["Status"] == UNPAID:
        _pay(call, order)
    return {"OrderId": order["OrderId"], "InstanceIdList": order["ResourceId"] or []}


@api.action(
    "RenewInstance",
    {
        "ClientToken": TOKEN,
        "ProductCode": NAME,
        "SubProductCode": NAME,
        "RegionCode": NAME,
        "InstanceId": NAME,
        **PERIOD,
    },
    ids=("OrderIdList",),
    endings=ANY_STATUS,
    region_required=False,
)
def renew_instance(call: Call) -> Json:
    """Another term at every new token; the instance has it once the order is delivered."""
    order = _answered_before(call, RENEW)
    if order is None:
        order = _renewal(call, _live(call), call.parameters)
    if order["Status"] == UNPAID:
        _pay(call, order)
    return {"OrderIdList": [order["OrderId"]]}


@api.action(
    "RefundInstance",
    {
        "ClientToken": TOKEN,
        "ProductCode": NAME,
        "SubProductCode": NAME,
        "InstanceId": NAME,
        "RegionCode": NAME,
    },
    ids=("OrderIdList",),
    endings=ANY_STATUS,
    region_required=False,
)
def refund_instance(call: Call) -> Json:
    """The instance goes, and the money comes back, when the refund order is done."""
    order = _answered_before(call, REFUND)
    if order is None:
        instance = _live(call)
        amount = instance["Paid"] * call.settings["billing_refund_percent"] // 100
        # That a refund's cost is less than nothing is not on the page.
        order = _order(call, REFUND, {**instance, "Period": 0, "PeriodUnit": "m"}, -amount)
        known = call.settings["billing_statuses"] == "all"
        order |= {
            "Status": REFUNDING if known else DELIVERING,
            "Formula": f"{amount / 100:.2f}",
            "RefReturnDeals": instance["OrderId"],
            "ResourceId": [instance["InstanceId"]],
            "Ending": int(call.ending or REFUNDED),
        }
        _add(call, order)
        _keep_instance(call, {**instance, "RefundOrderId": order["OrderId"]})
        _reach_later(call, order, call.settings["billing_refunding_seconds"])
    return {"OrderIdList": [order["OrderId"]]}


@api.action(
    "DescribeDealsByCond",
    {
        "StartTime": Text(required=True),
        "EndTime": Text(required=True),
        "Limit": Whole(1, 1000, required=True, too_small=INVALID_VALUE, too_large=INVALID_VALUE),
        "Offset": Whole(0, default=0, too_small=INVALID_VALUE),
        "Status": Whole(default=DELIVERED),
        "StatusSet": Many(Whole()),
        "OrderId": Text(),
        "BigDealId": Text(),
        "ResourceId": Text(),
    },
    region_required=False,
)
def describe_deals_by_cond(call: Call) -> Json:
    """In order of creation; without Status and StatusSet only the delivered ones."""
    start, end = _time(call, "StartTime", INVALID_VALUE), _time(call, "EndTime", INVALID_VALUE)
    statuses = call.get("StatusSet") or [call["Status"]]
    known = set(STATUSES)
    if call.settings["billing_statuses"] == "1 to 12":
        known.difference_update(LATER_STATUSES)
    if unknown := set(statuses) - known:
        raise VendorError(INVALID_VALUE, f"There is no order status {min(unknown)}.")
    chosen = [] if call.get("OrderId") is None else [call["OrderId"]]
    looked_at = [
        order
        for order in call.documents(DEALS).read(chosen)
        if _seen(call, order)
        and start <= order["CreateTime"] <= end
        and call.get("BigDealId") in (None, order["BigDealId"])
        and (call.get("ResourceId") is None or call["ResourceId"] in (order["ResourceId"] or []))
    ]
    found = [order for order in looked_at if order["Status"] in statuses]
    first, limit = call["Offset"], call["Limit"]
    if call.settings["billing_offset"] == "pages":
        first *= limit
    page = found[first : first + limit]
    deals = [{name: order[name] for name in DEAL_FIELDS} for order in page]
    if limit > WITH_RESOURCES:
        for deal in deals:
            deal["ResourceId"] = None
    for order in looked_at:
        _count_poll(call, order)
    return {"Deals": deals, "TotalCount": len(found)}


def _check_product(call: Call) -> None:
    if call["ProductCode"] in call.settings["billing_unsupported_products"]:
        raise VendorError(
            "UnsupportedOperation.NOT_SUPPORT_THIS_ACTION",
            f"The product `{call['ProductCode']}` is not supported.",
        )
    if call["Quantity"] > call.settings["billing_quantity_cap"]:
        raise VendorError(
            "FailedOperation.NumLimitError", "The quantity exceeds the maximum limit."
        )


def _read_goods(call: Call) -> Json:
    """The product's details. The page names no code for what is no JSON; this one fits."""
    try:
        goods = json.loads(call["Parameter"])
    except ValueError:
        goods = None
    if not isinstance(goods, dict):
        raise VendorError("InvalidParameter.ApiParamError", "`Parameter` is not a JSON object.")
    if call.settings["billing_contradiction"] == "refused":
        for name, field in SAID_TWICE.items():
            # As text: the vendor's example has numbers there both ways.
            if name in goods and str(goods[name]) != str(call[field]):
                raise VendorError(
                    "FailedOperation.GetPriceParamError",
                    f"`{name}` in `Parameter` is {goods[name]}, `{field}` is {call[field]}.",
                )
    return goods


def _answered_before(call: Call, action: str) -> Json | None:
    """The order that this ClientToken has made; a token belongs to its action."""
    token = call["ClientToken"]
    if not token.isascii():
        raise VendorError(INVALID, "The parameter `ClientToken` has more than ASCII characters.")
    used = call.documents(TOKENS).get(f"{action} {token}")
    if used is None:
        return None
    life = call.settings["billing_token_seconds"]
    if life and call.now.timestamp() >= used["UsedAt"] + life:
        call.documents(TOKENS).remove(f"{action} {token}")
        return None
    if used["Parameters"] != call.parameters:
        raise VendorError(
            "InvalidParameter.InvalidParameter",
            "The ClientToken has been used with other parameters.",
        )
    return call.documents(DEALS).get(used["OrderId"])


def _price(call: Call, wanted: Json) -> int:
    months = wanted["Period"] * MONTHS[wanted["PeriodUnit"]]
    return int(call.settings["billing_month_price"] * months * wanted.get("Quantity", 1))


def _order(call: Call, action: str, about: Json, cost: int) -> Json:
    """A new order, unpaid, about what a request or an instance describes."""
    return {
        "OrderId": _order_id(call),
        "Status": UNPAID,
        "Payer": account_number(call.account),
        "CreateTime": _china_time(call.now),
        "Creator": account_number(call.account),
        "RealTotalCost": cost,
        "VoucherDecline": 0,
        "ProjectId": about["ProjectId"],
        "GoodsCategoryId": 100019,
        "ProductInfo": [],
        "TimeSpan": float(about["Period"]),
        "TimeUnit": about["PeriodUnit"],
        "Currency": "USD" if call.settings["site"] == "intl" else "CNY",
        "Policy": 100.0,
        "Price": float(call.settings["billing_month_price"]),
        "TotalCost": float(cost),
        "ProductCode": about["ProductCode"],
        "SubProductCode": about["SubProductCode"],
        "BigDealId": _order_id(call),
        "Formula": "",
        "RefReturnDeals": "",
        "PayMode": "prePay",
        "Action": action,
        "ProductName": about["ProductCode"].removeprefix("p_"),
        "SubProductName": about["SubProductCode"].removeprefix("sp_"),
        "ResourceId": None,
        "ZoneCode": about["ZoneCode"],
        # what no answer has
        "RegionCode": about["RegionCode"],
        "Quantity": about.get("Quantity", 1),
        "RenewFlag": about["RenewFlag"],
        "SeenFrom": call.now.timestamp() + call.settings["billing_deal_lag_seconds"],
        "PollsLeft": 0,
        "Ending": DELIVERED,
        "Charged": False,  # and not given back
        "Done": False,  # delivered; for a refund: given back
        "Returned": 0,  # how many of the instances, by their own refunds
    }


def _renewal(call: Call, instance: Json, term: Json) -> Json:
    about = {**instance, "Period": term["Period"], "PeriodUnit": term["PeriodUnit"]}
    order = _order(call, RENEW, about, _price(call, term))
    order["ResourceId"] = [instance["InstanceId"]]
    _add(call, order)
    return order


def _add(call: Call, order: Json) -> None:
    """Keep a new order, and the token that asked for it."""
    call.documents(DEALS).add(order["OrderId"], order, hidden=call.hidden_reads)
    token = call.get("ClientToken")
    if token is not None:  # automatic renewals have none
        used = {
            "OrderId": order["OrderId"],
            "Parameters": call.parameters,
            "UsedAt": call.now.timestamp(),
        }
        call.documents(TOKENS).add(f"{order['Action']} {token}", used)


def _pay(call: Call, order: Json) -> None:
    """Take the money, and deliver now, or later, or never."""
    order["Ending"] = int(call.ending or DELIVERED)
    if order["Ending"] in NEVER_PAID:
        _reach(call, order, order["Ending"])
        return
    if not _affordable(call, order["RealTotalCost"]):
        raise VendorError(
            "FailedOperation.BalanceInsufficient",
            "The account balance is insufficient.",
            work_stays=call.settings["billing_unpaid_order"] == "left",
        )
    _charge(call, order)
    order["Status"] = PAID
    if not call.stuck:
        order["PollsLeft"] = call.settings["billing_delivery_polls"]
        paid = call.settings["billing_paid_seconds"]
        delivering = call.now + timedelta(seconds=paid)
        call.documents(DEALS).later(order["OrderId"], delivering, "status", {"Status": DELIVERING})
        if not order["PollsLeft"]:
            _reach_later(call, order, paid + call.settings["billing_delivering_seconds"])
    _keep(call, order)


def _affordable(call: Call, cost: int) -> bool:
    left = call.settings["billing_balance"] - ledger.spent(call)
    return not ledger.in_arrears(call) and left >= cost


def _charge(call: Call, order: Json, **more: str | int) -> None:
    order["Charged"] = True
    _write_down(
        call,
        ledger.PURCHASE if order["Action"] == PURCHASE else ledger.RENEWAL,
        order,
        order["RealTotalCost"],
        period=round(order["TimeSpan"]),
        period_unit=order["TimeUnit"],
        **more,
    )


def _write_down(call: Call, what: str, order: Json, amount: int, **details: str | int) -> None:
    """An entry about the instance that the order is about, or, where there is none, the order."""
    about = order["OrderId"] if order["Action"] == PURCHASE else order["ResourceId"][0]
    ledger.charge(call, what, about, amount=amount, order_id=order["OrderId"], **details)


# --- what becomes of an order -----------------------------------------------------------------


def _reach_later(call: Call, order: Json, seconds: int) -> None:
    """The order's ending, after some time; at once where there is none to wait."""
    if call.stuck:
        return
    if seconds == 0:
        _reach(call, order, order["Ending"])
        return
    moment = call.now + timedelta(seconds=seconds)
    call.documents(DEALS).later(order["OrderId"], moment, "status", "order ends")


def _count_poll(call: Call, order: Json) -> None:
    if order["PollsLeft"] == 1:
        _reach(call, order, order["Ending"])
    elif order["PollsLeft"]:
        _keep(call, {**order, "PollsLeft": order["PollsLeft"] - 1})


@api.event("order ends")
def order_ends(call: Call, order: Json) -> None:
    """The time has passed that an order takes."""
    _reach(call, order, order["Ending"])


def _reach(call: Call, order: Json, status: int) -> None:
    """An order that is not done gets another status; what was to follow is forgotten."""
    call.documents(DEALS).cancel(order["OrderId"], "status")
    order |= {"Status": status, "PollsLeft": 0}
    if order["Action"] == REFUND:
        _reach_in_refund(call, order)
    elif status == DELIVERED:
        _deliver(call, order)
    elif status == REFUNDED and order["Charged"]:
        order["Charged"] = False
        _write_down(call, ledger.REFUND, order, -order["RealTotalCost"])
    wait = call.settings["billing_failed_refund_seconds"]
    if order["Action"] != REFUND and order["Status"] == DELIVERY_FAILED and wait:
        order["Ending"] = REFUNDED
        _reach_later(call, order, wait)
    _keep(call, order)


def _deliver(call: Call, order: Json) -> None:
    if order["Action"] == PURCHASE:
        numbers = range(order["Quantity"])
        order["ResourceId"] = [_new_instance(call, order, number) for number in numbers]
        order["Done"] = True
        return
    instance = call.documents(INSTANCES).get(order["ResourceId"][0])
    if instance is None or instance["Status"] != NORMAL:
        order["Status"] = DELIVERY_FAILED  # too late: the instance has gone in the meantime
        return
    _extend(call, instance, order)
    order["Done"] = True


def _reach_in_refund(call: Call, order: Json) -> None:
    """A refund that fails leaves the instance as it was, to be refunded once more."""
    instance_id = order["ResourceId"][0]
    instance = call.documents(INSTANCES).get(instance_id)
    if order["Status"] == REFUNDED:
        order["Done"] = True
        _write_down(call, ledger.REFUND, order, order["RealTotalCost"])
        _isolate(call, instance_id)
        _count_returned(call, order["RefReturnDeals"])
    elif order["Status"] not in UNDER_WAY and instance is not None:
        _keep_instance(call, {**instance, "RefundOrderId": ""})


def _count_returned(call: Call, order_id: str) -> None:
    """A purchase counts as refunded once everything is that it has delivered."""
    order = call.documents(DEALS).get(order_id)
    if order is not None:
        order["Returned"] += 1
        if order["Returned"] == order["Quantity"]:
            order["Status"] = REFUNDED
        _keep(call, order)


@api.endpoint("deals")
def change_deal(control: Control) -> Json:
    """`POST /_emulator/deals`: an order that is not done changes its status by itself.

    4 delivers it (and charges for it where that has not been done), 6 gives its money back; for a
    refund order 6 is its end. What it was about to become is forgotten.

    Args (JSON): `order_id`; `status` (one of the vendor's numbers).

    Returns:
        `{}`; HTTP 404 where there is no such order, 409 where it has been delivered (or, a refund,
        has given the money back): call RefundInstance for what it has delivered.
    """
    unknown = set(control.body) - {"order_id", "status"}
    if unknown:
        raise ControlError(f"unknown fields: {', '.join(sorted(unknown))}")
    status = control.body.get("status")
    if type(status) is not int or status not in STATUSES:
        raise ControlError(f"status: one of {', '.join(ANY_STATUS)}")
    with control.store.transaction():
        found = control.store.find(api.service, DEALS, str(control.body.get("order_id")))
        if found is None:
            raise ControlError("order_id: there is none such", 404)
        place, order = found
        if order["Done"]:
            raise ControlError("order_id: the order is done", 409)
        call = Call(
            api=api,
            store=control.store,
            clock=control.clock,
            settings=control.settings,
            access=control.access,
            account=place.account,
            region=place.region,
            parameters={},
        )
        if status == DELIVERED and order["Action"] != REFUND and not order["Charged"]:
            _charge(call, order)
        _reach(call, order, status)
    return {}


# --- instances --------------------------------------------------------------------------------


@api.action(
    "DescribeRenewInstances",
    {
        "MaxResults": Whole(1, 100, required=True, too_small=INVALID, too_large=INVALID),
        "NextToken": Text(),
        "Reverse": Flag(default=False),
        "RenewFlagList": Many(_text(choices=RENEW_FLAGS)),
        "InstanceIdList": Many(Text(), most=100, too_many=INVALID),
        "ExpireTimeStart": Text(),
        "ExpireTimeEnd": Text(),
    },
    region_required=False,
)
def describe_renew_instances(call: Call) -> Json:
    """By the ends of their terms (the page does not say by what), the last one first if Reverse."""
    start, end = _time(call, "ExpireTimeStart", INVALID), _time(call, "ExpireTimeEnd", INVALID)
    flags = call.get("RenewFlagList") or RENEW_FLAGS
    isolated = call.settings["billing_isolated"] == "listed"
    found = [
        instance
        for instance in call.documents(INSTANCES).read(call.get("InstanceIdList") or [])
        if _seen(call, instance)
        and instance["RenewFlag"] in flags
        and start <= instance["ExpireTime"] <= (end or "9999")
        and (isolated or instance["Status"] != ISOLATED)
    ]
    found.sort(key=lambda instance: str(instance["ExpireTime"]), reverse=call["Reverse"])
    first = _first_of_page(call)
    following = first + call["MaxResults"]
    return {
        "InstanceList": [
            {name: instance[name] for name in INSTANCE_FIELDS}
            for instance in found[first:following]
        ],
        "NextToken": _page_token(following) if following < len(found) else None,
    }


@api.action(
    "SetRenewal",
    {
        "ProductCode": NAME,
        "RegionCode": NAME,
        "InstanceId": NAME,
        "RenewFlag": _text(required=True, choices=RENEW_FLAGS),
        "RenewPeriod": _text(),
        "RenewPeriodUnit": _text(choices=tuple(MONTHS)),
    },
    endings=(SET_RENEWAL_FAILED,),
    region_required=False,
)
def set_renewal(call: Call) -> Json:
    """The instance is in the answer where it could not be done; what is left out stays."""
    instance = call.documents(INSTANCES).get(call["InstanceId"]) or {}
    unit = call.get("RenewPeriodUnit") or instance.get("RenewPeriodUnit", "m")
    period = call.get("RenewPeriod") or str(instance.get("RenewPeriod", 1))
    if period not in map(str, range(1, RENEW_PERIODS[unit] + 1)):
        raise VendorError(
            INVALID, f"The parameter `RenewPeriod` must be from 1 to {RENEW_PERIODS[unit]}."
        )
    if call.ending or not _is_live(call, instance):
        ordered = call.fault.message if call.fault else None
        failed = {
            "Code": 1,
            "Message": ordered or "The instance cannot be set to be renewed.",
            "InstanceId": call["InstanceId"],
        }
        return {"InstanceList": [failed]}
    cycle = {"RenewPeriod": int(period), "RenewPeriodUnit": unit}
    _keep_instance(call, {**instance, "RenewFlag": call["RenewFlag"], **cycle})
    return {"InstanceList": []}


@api.event("term ends")
def term_ends(call: Call, instance: Json) -> None:
    """Another term where it is wanted and the balance reaches, else isolation."""
    term = {"Period": instance["RenewPeriod"], "PeriodUnit": instance["RenewPeriodUnit"]}
    wanted = instance["RenewFlag"] == AUTO_RENEW and not instance["RefundOrderId"]
    if not wanted or not _affordable(call, _price(call, term)):
        _isolate(call, instance["InstanceId"])
        return
    order = _renewal(call, instance, term)
    _charge(call, order, automatic=True)
    _reach(call, order, DELIVERED)


def _new_instance(call: Call, order: Json, number: int) -> str:
    """Deliver one; its id."""
    product = order["ProductName"]
    instance_id = f"{product}-{order['OrderId']}-{number}"
    instance = {
        "InstanceId": instance_id,
        "ProductCode": order["ProductCode"],
        "SubProductCode": order["SubProductCode"],
        "RegionCode": order["RegionCode"],
        "Status": NORMAL,
        "RenewFlag": order["RenewFlag"],
        "ExpireTime": _china_time(call.now),
        "InstanceName": "",
        "ProductName": product,
        # Projects are another product's; only the first has the same name everywhere.
        "ProjectName": f"project-{order['ProjectId']}" if order["ProjectId"] else "默认项目",
        "RenewPeriod": 1,
        "RenewPeriodUnit": "m",
        # what no answer has
        "OrderId": order["OrderId"],
        "ProjectId": order["ProjectId"],
        "ZoneCode": order["ZoneCode"],
        "Paid": 0,
        "RefundOrderId": "",
        "SeenFrom": call.now.timestamp() + call.settings["billing_instance_lag_seconds"],
    }
    call.documents(INSTANCES).add(instance_id, instance)
    _extend(call, instance, order)
    return instance_id


def _extend(call: Call, instance: Json, order: Json) -> None:
    """Move the end of an instance's term by what an order has paid for."""
    months = round(order["TimeSpan"]) * MONTHS[order["TimeUnit"]]
    ends = months_later(_moment(instance["ExpireTime"]), months)
    instance_id = instance["InstanceId"]
    paid = instance["Paid"] + order["RealTotalCost"] // order["Quantity"]
    _keep_instance(call, {**instance, "ExpireTime": _china_time(ends), "Paid": paid})
    call.documents(INSTANCES).cancel(instance_id, "term")
    call.documents(INSTANCES).later(instance_id, ends, "term", "term ends")


def _isolate(call: Call, instance_id: str) -> None:
    instances = call.documents(INSTANCES)
    instance = instances.get(instance_id)
    if instance is not None:
        instances.replace(instance_id, {**instance, "Status": ISOLATED})
        erased = call.now + timedelta(seconds=call.settings["billing_isolated_seconds"])
        instances.cancel(instance_id, "term")
        instances.later(instance_id, erased, "term", None)


def _live(call: Call) -> Json:
    """The instance that the request is about, which no refund is about."""
    instance = call.documents(INSTANCES).get(call["InstanceId"]) or {}
    if not _is_live(call, instance):
        raise VendorError(REFUSED, f"The instance `{call['InstanceId']}` is not in use.")
    if instance["RefundOrderId"]:
        raise VendorError(REFUSED, f"The instance `{call['InstanceId']}` is being refunded.")
    return instance


def _is_live(call: Call, instance: Json) -> bool:
    """Whether it is there, not isolated, and the one that the request's codes describe."""
    codes = ("ProductCode", "SubProductCode", "RegionCode")
    return instance.get("Status") == NORMAL and all(
        call.get(name) in (None, instance[name]) for name in codes
    )


# --- what several of them share ---------------------------------------------------------------


def _keep(call: Call, order: Json) -> None:
    call.documents(DEALS).replace(order["OrderId"], order)


def _keep_instance(call: Call, instance: Json) -> None:
    call.documents(INSTANCES).replace(instance["InstanceId"], instance)


def _seen(call: Call, document: Json) -> bool:
    return call.now.timestamp() >= float(document["SeenFrom"])


def _first_of_page(call: Call) -> int:
    token = call.get("NextToken")
    if not token:
        return 0
    try:
        first = base64.b64decode(token, validate=True).decode("ascii")
    except ValueError:
        first = ""
    if not first.isdecimal():
        raise VendorError(INVALID, "The parameter `NextToken` is not valid.")
    return int(first)


def _page_token(first: int) -> str:
    return base64.b64encode(str(first).encode()).decode()


def _order_id(call: Call) -> str:
    """The day and 15 digits."""
    return f"{call.now.astimezone(CHINA):%Y%m%d}{secrets.randbelow(10**15):015}"


def _time(call: Call, name: str, code: str) -> str:
    """The parameter, which reads like `2025-01-01 00:00:00`; empty where there is none."""
    text = call.get(name)
    if text is None:
        return ""
    try:
        right = _china_time(_moment(text)) == text
    except ValueError:
        right = False
    if not right:
        raise VendorError(code, f"The parameter `{name}` is not in the form YYYY-MM-DD HH:MM:SS.")
    return str(text)


def _china_time(moment: datetime) -> str:
    """Like `2025-01-01 00:00:00`. That the pages mean the time in China is unconfirmed."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)

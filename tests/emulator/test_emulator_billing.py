"""Billing against its pages: limits, codes, orders and instances over time, and every cent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from pulumi_hybrid.emulator import ControlError, Emulator, VendorError

from .vendor_client import ONE, TWO, Answer, Sdk, refused, sdk_of

Json = dict[str, Any]

BILLING: Json = {"service": "billing", "version": "2018-07-09", "region": ""}
CALL = ("billing", "2018-07-09")
MONTH = 10_000  # cents, the price of one
CHINA = timezone(timedelta(hours=8))
DAY = 24 * 3600

AT_ONCE = {f"billing_{step}_seconds": 0 for step in ("paid", "delivering", "refunding")}
# The real clock goes on beside the settable one: steps this long are not passed by accident.
SLOW = dict.fromkeys(AT_ONCE, 1000)

INVALID = "InvalidParameter"
INVALID_VALUE = "InvalidParameterValue"
BALANCE = "FailedOperation.BalanceInsufficient"
REFUSED = "FailedOperation.BusinessCheckErrCode"
PRICE = "FailedOperation.GetPriceParamError"

GOODS = {
    "pid": 1005305,
    "productCode": "p_yunjing",
    "subProductCode": "sp_yunjing_vas",
    "sv_yunjing_vas_la": "50",
    "timeSpan": 1,
    "timeUnit": "m",
}
EXAMPLE: Json = {  # the page's own
    "ClientToken": "46E6BF87-AF23-4710-8C82-21032D5F985F",
    "ProductCode": "p_yunjing",
    "SubProductCode": "sp_yunjing_vas",
    "RegionCode": "ap-guangzhou",
    "ZoneCode": "ap-guangzhou-1",
    "PayMode": "PrePay",
    "Parameter": json.dumps(GOODS),
    "Quantity": 1,
    "Period": 1,
    "PeriodUnit": "m",
    "ProjectId": 0,
    "RenewFlag": "NOTIFY_AND_AUTO_RENEW",
}
CODES = {name: EXAMPLE[name] for name in ("ProductCode", "SubProductCode", "RegionCode")}
PLAIN: Json = {**CODES, "ZoneCode": "ap-guangzhou-1", "PayMode": "PrePay", "Parameter": "{}"}
ALL = [*range(1, 14), 30]


@pytest.fixture
def billing(emulator: Emulator) -> Sdk:
    """The SDK of Billing, without a region; everything is done at once."""
    emulator.settings(**AT_ONCE)
    return sdk_of(emulator, **BILLING)


def create(billing: Sdk, token: str = "token", **more: Any) -> Json:
    return billing("CreateInstance", ClientToken=token, **{**PLAIN, **more})


def made(billing: Sdk, token: str = "token", **more: Any) -> str:
    """A delivered instance."""
    (instance_id,) = create(billing, token, **more)["InstanceIdList"]
    return str(instance_id)


def deals(billing: Sdk, order_id: str | None = None, **more: Any) -> list[Json]:
    """The orders of any status, made at any time."""
    about = {} if order_id is None else {"OrderId": order_id}
    asked = {"StartTime": "2000-01-01 00:00:00", "EndTime": "2100-01-01 00:00:00", "Limit": 20}
    answer = billing("DescribeDealsByCond", **{**asked, "StatusSet": ALL, **about, **more})
    found: list[Json] = answer["Deals"]
    return found


def status(billing: Sdk, order_id: str) -> int:
    (deal,) = deals(billing, order_id)
    return int(deal["Status"])


def listed(billing: Sdk, **more: Any) -> list[Json]:
    found: list[Json] = billing("DescribeRenewInstances", MaxResults=100, **more)["InstanceList"]
    return found


def state(billing: Sdk, instance_id: str) -> str:
    """NORMAL, ISOLATED or absent."""
    found = listed(billing, InstanceIdList=[instance_id])
    return str(found[0]["Status"]) if found else "absent"


def expiry(billing: Sdk, instance_id: str) -> str:
    (instance,) = listed(billing, InstanceIdList=[instance_id])
    return str(instance["ExpireTime"])


def renew(billing: Sdk, instance_id: str, token: str = "renewal", **more: Any) -> str:
    sent = {"ClientToken": token, "InstanceId": instance_id, **CODES, **more}
    (order_id,) = billing("RenewInstance", **sent)["OrderIdList"]
    return str(order_id)


def refund(billing: Sdk, instance_id: str, token: str = "refund", **more: Any) -> str:
    sent = {"ClientToken": token, "InstanceId": instance_id, **CODES, **more}
    (order_id,) = billing("RefundInstance", **sent)["OrderIdList"]
    return str(order_id)


def set_renewal(billing: Sdk, instance_id: str, flag: str, **more: Any) -> list[Json]:
    where = {name: CODES[name] for name in ("ProductCode", "RegionCode")}
    sent = {**where, "InstanceId": instance_id, "RenewFlag": flag, **more}
    failed: list[Json] = billing("SetRenewal", **sent)["InstanceList"]
    return failed


def money(emulator: Emulator) -> list[tuple[str, int]]:
    """What every entry of the ledger is, and its cents; they add up to the ledger's amount."""
    ledger = emulator.ledger()
    entries = [(entry["action"], entry["details"]["amount"]) for entry in ledger["entries"]]
    assert sum(amount for _, amount in entries) == ledger["amount"]
    return entries


def travel(emulator: Emulator, text: str) -> None:
    """To a moment in China."""
    moment = datetime.fromisoformat(text).replace(tzinfo=CHINA)
    away = moment - datetime.now(timezone.utc)
    emulator.clock(offset_seconds=away.total_seconds())


def now(emulator: Emulator) -> datetime:
    return datetime.fromisoformat(emulator.clock()["now"].replace("Z", "+00:00"))


# --- CreateInstance ---------------------------------------------------------------------------


def test_example_request_of_the_page(billing: Sdk) -> None:
    answer = billing("CreateInstance", **EXAMPLE)
    assert set(answer) == {"OrderId", "InstanceIdList", "RequestId"}
    assert re.fullmatch(r"\d{23}", answer["OrderId"])
    assert answer["OrderId"][:8] == f"{datetime.now(CHINA):%Y%m%d}"
    assert answer["InstanceIdList"] == [f"yunjing-{answer['OrderId']}-0"]


def test_the_order_as_described(billing: Sdk) -> None:
    answer = billing("CreateInstance", **{**EXAMPLE, "ProjectId": 7})
    (deal,) = deals(billing, answer["OrderId"])
    created = datetime.fromisoformat(deal.pop("CreateTime")).replace(tzinfo=CHINA)
    assert abs(created - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert re.fullmatch(r"\d{23}", deal.pop("BigDealId"))
    assert re.fullmatch(r"\d{12}", deal["Payer"])
    assert deal.pop("Payer") == deal.pop("Creator")
    assert deal == {
        "OrderId": answer["OrderId"],
        "Status": 4,
        "RealTotalCost": MONTH,
        "VoucherDecline": 0,
        "ProjectId": 7,
        "GoodsCategoryId": 100019,
        "ProductInfo": [{"Name": "sv_yunjing_vas_la", "Value": "50"}],
        "TimeSpan": 1.0,
        "TimeUnit": "m",
        "Currency": "CNY",
        "Policy": 100.0,
        "Price": float(MONTH),
        "TotalCost": float(MONTH),
        "ProductCode": "p_yunjing",
        "SubProductCode": "sp_yunjing_vas",
        "Formula": "",
        "RefReturnDeals": "",
        "PayMode": "prePay",
        "Action": "purchase",
        "ProductName": "yunjing",
        "SubProductName": "yunjing_vas",
        "ResourceId": answer["InstanceIdList"],
        "ZoneCode": "ap-guangzhou-1",
    }


def test_currency_of_the_international_site(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(site="intl")
    create(billing)
    assert deals(billing)[0]["Currency"] == "USD"


def test_the_instance_as_described(emulator: Emulator, billing: Sdk) -> None:
    travel(emulator, "2027-01-31 10:20:30")
    created = made(billing, RenewFlag="NOTIFY_AND_AUTO_RENEW", ProjectId=0)
    (instance,) = listed(billing)
    expires = instance.pop("ExpireTime")
    assert expires.startswith("2027-02-28 10:20:3")
    assert instance == {
        "InstanceId": created,
        "ProductCode": "p_yunjing",
        "SubProductCode": "sp_yunjing_vas",
        "RegionCode": "ap-guangzhou",
        "Status": "NORMAL",
        "RenewFlag": "NOTIFY_AND_AUTO_RENEW",
        "InstanceName": "",
        "ProductName": "yunjing",
        "ProjectName": "默认项目",
        "RenewPeriod": 1,
        "RenewPeriodUnit": "m",
    }


def test_defaults(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    (instance,) = listed(billing)
    assert instance["RenewFlag"] == "NOTIFY_AND_MANUAL_RENEW"
    ends = datetime.fromisoformat(expiry(billing, created)).replace(tzinfo=CHINA)
    assert timedelta(days=27) < ends - now(emulator) < timedelta(days=32)
    assert money(emulator) == [("purchase", MONTH)]


def test_limits_are_within(billing: Sdk) -> None:
    answer = create(billing, "t" * 64, Period=36, PeriodUnit="y", Quantity=100)
    assert len(set(answer["InstanceIdList"])) == 100
    for flag in ("NOTIFY_AND_AUTO_RENEW", "DISABLE_NOTIFY_AND_MANUAL_RENEW"):
        create(billing, flag, Period=1, PeriodUnit="m", RenewFlag=flag, ProjectId=2**40)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ClientToken": "t" * 65}, INVALID),
        ({"ClientToken": ""}, INVALID),
        ({"ClientToken": "tök"}, INVALID),
        ({"ClientToken": 1}, INVALID),
        ({"ProductCode": ""}, INVALID),
        ({"SubProductCode": ""}, INVALID),
        ({"RegionCode": ""}, INVALID),
        ({"ZoneCode": ""}, INVALID),
        ({"PayMode": "PostPay"}, INVALID),
        ({"PayMode": "prepay"}, INVALID),
        ({"Parameter": {"pid": 1}}, INVALID),
        ({"Parameter": "pid=1"}, "InvalidParameter.ApiParamError"),
        ({"Parameter": "[1]"}, "InvalidParameter.ApiParamError"),
        ({"Quantity": 0}, INVALID),
        ({"Quantity": "1"}, INVALID),
        ({"Quantity": 101}, "FailedOperation.NumLimitError"),
        ({"ProjectId": -1}, INVALID),
        ({"Period": 0}, INVALID),
        ({"Period": 37}, INVALID),
        ({"PeriodUnit": "d"}, INVALID),
        ({"RenewFlag": "NOTIFY"}, INVALID),
        ({"Region": "ap-guangzhou"}, "UnknownParameter"),
    ],
)
def test_create_refuses(emulator: Emulator, billing: Sdk, change: Json, code: str) -> None:
    with refused(code):
        billing("CreateInstance", **{**EXAMPLE, **change})
    assert deals(billing) == []
    assert money(emulator) == []


@pytest.mark.parametrize(
    "name",
    [
        "ClientToken",
        "ProductCode",
        "SubProductCode",
        "RegionCode",
        "ZoneCode",
        "PayMode",
        "Parameter",
    ],
)
def test_create_needs(billing: Sdk, name: str) -> None:
    with refused("MissingParameter"):
        billing("CreateInstance", **{key: EXAMPLE[key] for key in EXAMPLE if key != name})


def test_products_and_caps(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_quantity_cap=2, billing_unsupported_products=["p_waf"])
    create(billing, Quantity=2)
    with refused("FailedOperation.NumLimitError"):
        create(billing, "more", Quantity=3)
    with refused("UnsupportedOperation.NOT_SUPPORT_THIS_ACTION"):
        create(billing, "other", ProductCode="p_waf")


@pytest.mark.parametrize(
    ("goods", "field"),
    [
        ({"timeSpan": 2}, "Period"),
        ({"timeUnit": "y"}, "PeriodUnit"),
        ({"goodsNum": 2}, "Quantity"),
        ({"productCode": "p_waf"}, "ProductCode"),
        ({"subProductCode": "sp_waf"}, "SubProductCode"),
    ],
)
def test_what_is_said_twice_must_agree(
    emulator: Emulator, billing: Sdk, goods: Json, field: str
) -> None:
    said = json.dumps(goods)
    with pytest.raises(TencentCloudSDKException) as caught:
        create(billing, Parameter=said)
    assert caught.value.code == PRICE
    assert f"`{next(iter(goods))}`" in caught.value.message
    assert f"`{field}`" in caught.value.message
    emulator.settings(billing_contradiction="ignored")
    create(billing, Parameter=said)
    assert money(emulator) == [("purchase", MONTH)]  # the field's


def test_numbers_in_the_text_may_be_strings(billing: Sdk) -> None:
    create(billing, Parameter='{"timeSpan": "3", "goodsNum": "2"}', Period=3, Quantity=2)


def test_no_region_is_needed_and_none_matters(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    assert emulator.requests()[-1]["region"] == ""
    elsewhere = sdk_of(emulator, **{**BILLING, "region": "ap-singapore"})
    assert made(elsewhere) == created
    assert state(elsewhere, created) == "NORMAL"
    assert money(emulator) == [("purchase", MONTH)]


def test_accounts_are_apart(emulator: Emulator, billing: Sdk) -> None:
    created = create(billing)
    other = sdk_of(emulator, TWO, **BILLING)
    assert deals(other) == listed(other) == []
    assert deals(other, created["OrderId"]) == []
    with refused(REFUSED):
        refund(other, created["InstanceIdList"][0])
    assert create(other)["OrderId"] != created["OrderId"]  # a token is the account's
    emulator.settings(billing_balance=MONTH)
    with refused(BALANCE):
        create(other, "second")


# --- prices and balance -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "months"),
    [
        ({}, 1),
        ({"Period": 3}, 3),
        ({"Period": 2, "PeriodUnit": "y"}, 24),
        ({"Period": 2, "Quantity": 5}, 10),
    ],
)
def test_price(emulator: Emulator, billing: Sdk, term: Json, months: int) -> None:
    emulator.settings(billing_month_price=7)
    create(billing, **term)
    assert money(emulator) == [("purchase", 7 * months)]
    assert deals(billing)[0]["RealTotalCost"] == 7 * months


def test_balance(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_balance=2 * MONTH - 1)
    created = made(billing, "one")
    with refused(BALANCE):
        create(billing, "two")
    assert len(deals(billing)) == 1
    emulator.settings(billing_balance=2 * MONTH)
    create(billing, "two")  # the refused one has not used up the token
    with refused(BALANCE):
        renew(billing, created)
    refund(billing, created)
    create(billing, "three")  # from what has come back
    assert emulator.ledger()["amount"] == 2 * MONTH


def test_a_debtor_buys_nothing(emulator: Emulator, billing: Sdk) -> None:
    emulator.arrears()
    with refused(BALANCE):
        create(billing)
    emulator.arrears(False)
    create(billing)


def test_an_unpaid_order_is_left_and_paid_later(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_balance=MONTH - 1, billing_unpaid_order="left")
    for _ in range(2):
        with refused(BALANCE):
            create(billing)
    (deal,) = deals(billing, StatusSet=[1])
    assert (deal["Status"], deal["ResourceId"]) == (1, None)
    assert (money(emulator), listed(billing)) == ([], [])
    emulator.settings(billing_balance=MONTH)
    answer = create(billing)
    assert answer["OrderId"] == deal["OrderId"]
    assert len(answer["InstanceIdList"]) == 1
    assert status(billing, deal["OrderId"]) == 4
    assert money(emulator) == [("purchase", MONTH)]


# --- ClientToken ------------------------------------------------------------------------------


def test_the_same_token_is_the_same_order(emulator: Emulator, billing: Sdk) -> None:
    first = create(billing, Quantity=1)
    again = create(billing)  # a default given is as good as one left out
    assert (again["OrderId"], again["InstanceIdList"]) == (
        first["OrderId"],
        first["InstanceIdList"],
    )
    assert create(billing, "TOKEN")["OrderId"] != first["OrderId"]
    assert money(emulator) == [("purchase", MONTH)] * 2


@pytest.mark.parametrize(
    "change", [{"Period": 2}, {"Parameter": '{"a": 1}'}, {"ZoneCode": "ap-guangzhou-2"}]
)
def test_the_same_token_for_something_else(emulator: Emulator, billing: Sdk, change: Json) -> None:
    create(billing)
    with refused("InvalidParameter.InvalidParameter"):
        create(billing, **change)
    assert money(emulator) == [("purchase", MONTH)]


def test_a_token_belongs_to_its_action(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing, "token")
    renew(billing, created, "token")
    refund(billing, created, "token")
    assert money(emulator) == [
        ("purchase", MONTH),
        ("renewal", MONTH),
        ("refund", -2 * MONTH),
    ]


def test_the_life_of_a_token(emulator: Emulator, billing: Sdk) -> None:
    first = create(billing)["OrderId"]
    emulator.clock(offset_hours=24 * 20)
    assert create(billing)["OrderId"] == first
    emulator.settings(billing_token_seconds=21 * DAY)
    assert create(billing)["OrderId"] == first
    emulator.clock(advance_seconds=DAY)
    second = create(billing)["OrderId"]
    assert second != first  # and paid once more
    assert create(billing)["OrderId"] == second
    assert money(emulator) == [("purchase", MONTH)] * 2


def test_a_lost_answer_is_answered_again(emulator: Emulator, billing: Sdk) -> None:
    emulator.fault("CreateInstance", "internal_error_after", service="billing")
    with refused("InternalError"):
        create(billing)
    (deal,) = deals(billing)
    assert create(billing)["OrderId"] == deal["OrderId"]
    emulator.fault("CreateInstance", "internal_error", service="billing")
    with refused("InternalError"):
        create(billing, "second")
    assert money(emulator) == [("purchase", MONTH)]


def test_many_at_once_with_one_token(emulator: Emulator, billing: Sdk) -> None:
    clients = [sdk_of(emulator, **BILLING) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        orders = {answer["OrderId"] for answer in pool.map(create, clients)}
    assert len(orders) == 1
    assert money(emulator) == [("purchase", MONTH)]


@pytest.mark.parametrize("died", ["refunded", "closed"])
def test_the_token_of_a_dead_order(emulator: Emulator, billing: Sdk, died: str) -> None:
    if died == "closed":
        emulator.fault("CreateInstance", "stuck", service="billing")
    answer = create(billing)
    if died == "closed":
        emulator.deal(answer["OrderId"], 7)
    else:
        refund(billing, answer["InstanceIdList"][0])
    assert status(billing, answer["OrderId"]) == {"closed": 7, "refunded": 6}[died]
    assert create(billing)["OrderId"] == answer["OrderId"]
    emulator.settings(billing_dead_order="refused")
    with refused("FailedOperation.InvalidDeal"):
        create(billing)
    assert len([deal for deal in deals(billing) if deal["Action"] == "purchase"]) == 1


# --- orders over time -------------------------------------------------------------------------


def test_late_delivery(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(**SLOW)
    answer = create(billing, Quantity=2)
    assert answer["InstanceIdList"] == []
    order_id = answer["OrderId"]
    (deal,) = deals(billing, order_id)
    assert (deal["Status"], deal["ResourceId"]) == (2, None)
    emulator.clock(advance_seconds=1000)
    assert status(billing, order_id) == 3
    assert listed(billing) == []
    emulator.clock(advance_seconds=1000)
    (deal,) = deals(billing, order_id)
    assert deal["Status"] == 4
    assert len(deal["ResourceId"]) == 2
    assert [instance["InstanceId"] for instance in listed(billing)] == deal["ResourceId"]
    assert create(billing, Quantity=2)["InstanceIdList"] == deal["ResourceId"]
    assert money(emulator) == [("purchase", 2 * MONTH)]


def test_a_term_begins_with_the_delivery(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_delivering_seconds=10 * DAY)
    travel(emulator, "2027-03-01 12:00:00")
    create(billing)
    travel(emulator, "2027-03-20 12:00:00")
    (instance,) = listed(billing)
    assert instance["ExpireTime"].startswith("2027-04-11 12:00:0")


def test_delivered_after_some_looks(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_delivery_polls=3)
    order_id = create(billing)["OrderId"]
    other = create(billing, "other")["OrderId"]
    emulator.clock(offset_hours=1)  # no time is enough
    assert [status(billing, order_id) for _ in range(5)] == [3, 3, 3, 4, 4]
    assert status(billing, other) == 3
    # That a look is for the delivered ones only does not matter.
    for expected in (0, 0, 1):
        assert len(deals(billing, other, StatusSet=[4])) == expected


@pytest.mark.parametrize(
    "ending", [status for status in ALL if status not in (2, 3, 4)] + [2, 3], ids=str
)
def test_ending_of_a_purchase(emulator: Emulator, billing: Sdk, ending: int) -> None:
    emulator.fault("CreateInstance", "ends_in", service="billing", status=str(ending))
    answer = create(billing)
    assert answer["InstanceIdList"] == []
    assert status(billing, answer["OrderId"]) == ending
    assert listed(billing) == []
    paid = [("purchase", MONTH)] if ending in (2, 3, 5, 6, 13, 30) else []
    back = [("refund", -MONTH)] if ending == 6 else []
    assert money(emulator) == paid + back


def test_endings_are_the_products_own(emulator: Emulator) -> None:
    for product, ending in (("billing", "FailedCreated"), ("tcr", "5"), ("billing", "14")):
        with pytest.raises(ControlError):
            emulator.fault("CreateInstance", "ends_in", service=product, status=ending)


def test_a_failed_delivery_may_bring_the_money_back(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(**SLOW, billing_failed_refund_seconds=1000)
    emulator.fault("CreateInstance", "ends_in", service="billing", status="5")
    order_id = create(billing)["OrderId"]
    for expected in (2, 3, 5, 6):
        assert status(billing, order_id) == expected
        back = [("refund", -MONTH)] if expected == 6 else []
        assert money(emulator) == [("purchase", MONTH), *back]
        emulator.clock(advance_seconds=1000)
    assert listed(billing) == []
    assert len(money(emulator)) == 2


def test_a_failed_delivery_keeps_the_money(emulator: Emulator, billing: Sdk) -> None:
    emulator.fault("CreateInstance", "ends_in", service="billing", status="5")
    order_id = create(billing)["OrderId"]
    emulator.clock(offset_hours=24 * 300)
    assert status(billing, order_id) == 5
    assert money(emulator) == [("purchase", MONTH)]


def test_stuck_until_the_test_moves_it(
    emulator: Emulator, billing: Sdk, control: Callable[..., Answer]
) -> None:
    emulator.fault("CreateInstance", "stuck", service="billing")
    order_id = create(billing)["OrderId"]
    emulator.clock(offset_hours=24 * 300)
    assert status(billing, order_id) == 2
    order = {"order_id": order_id, "status": 3}
    assert control("POST", "deals", order).json == {}
    assert status(billing, order_id) == 3
    control("POST", "deals", {**order, "status": 4})
    assert status(billing, order_id) == 4
    assert len(create(billing)["InstanceIdList"]) == 1
    answer = control("POST", "deals", {**order, "status": 6})
    assert answer.status == 409  # it is done
    assert status(billing, order_id) == 4
    assert money(emulator) == [("purchase", MONTH)]


def test_an_order_changed_from_outside(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(**SLOW)
    back = create(billing, "a")["OrderId"]
    for _ in range(2):
        emulator.deal(back, 6)
    emulator.fault("CreateInstance", "ends_in", service="billing", status="1")
    unpaid = create(billing, "b")["OrderId"]
    assert money(emulator) == [("purchase", MONTH), ("refund", -MONTH)]
    emulator.deal(unpaid, 4)  # someone has paid it
    emulator.clock(advance_seconds=5000)  # what was to become of the first is forgotten
    assert [deal["Status"] for deal in deals(billing)] == [6, 4]
    assert len(listed(billing)) == 1
    assert emulator.ledger()["amount"] == MONTH


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({}, 400),
        ({"order_id": "20250101", "status": 4}, 404),
        ({"order_id": "20250101", "status": "4"}, 400),
        ({"order_id": "20250101", "status": 14}, 400),
        ({"order_id": "20250101", "status": True}, 400),
        ({"order_id": "20250101", "status": 4, "money": 1}, 400),
    ],
)
def test_a_slip_about_deals_is_refused(
    control: Callable[..., Answer], order: Json, code: int
) -> None:
    assert control("POST", "deals", order).status == code


def test_not_visible_yet(emulator: Emulator, billing: Sdk) -> None:
    emulator.fault("CreateInstance", "gone_for", calls=2)
    order_id = create(billing)["OrderId"]
    assert [len(deals(billing, order_id)) for _ in range(3)] == [0, 0, 1]
    emulator.settings(billing_deal_lag_seconds=1000)
    order_id = create(billing, "second")["OrderId"]
    assert deals(billing, order_id) == []
    emulator.clock(advance_seconds=1000)
    assert len(deals(billing, order_id)) == 1


# --- DescribeDealsByCond ----------------------------------------------------------------------


def test_only_the_delivered_are_told_by_default(emulator: Emulator, billing: Sdk) -> None:
    create(billing, "delivered")
    emulator.fault("CreateInstance", "stuck", service="billing")
    paid = create(billing, "paid")["OrderId"]
    window = {"StartTime": "2000-01-01 00:00:00", "EndTime": "2100-01-01 00:00:00", "Limit": 20}
    for asked, expected in (
        ({}, [4]),
        ({"Status": 2}, [2]),
        ({"StatusSet": [2, 4]}, [4, 2]),
        ({"StatusSet": [2], "Status": 4}, [2]),
        ({"StatusSet": []}, [4]),
        ({"OrderId": paid}, []),
        ({"StatusSet": [6]}, []),
    ):
        answer = billing("DescribeDealsByCond", **window, **asked)
        assert [deal["Status"] for deal in answer["Deals"]] == expected
        assert answer["TotalCount"] == len(expected)


def test_filters(emulator: Emulator, billing: Sdk) -> None:
    first, second = create(billing, "1"), create(billing, "2")
    renewed = renew(billing, first["InstanceIdList"][0])
    back = refund(billing, first["InstanceIdList"][0])
    about = deals(billing, ResourceId=first["InstanceIdList"][0])
    assert [deal["OrderId"] for deal in about] == [first["OrderId"], renewed, back]
    assert [deal["Action"] for deal in about] == ["purchase", "renew", "refund"]
    assert about[2]["RefReturnDeals"] == first["OrderId"]
    (deal,) = deals(billing, BigDealId=deals(billing, second["OrderId"])[0]["BigDealId"])
    assert deal["OrderId"] == second["OrderId"]
    assert deals(billing, "20250101") == []
    assert deals(billing, second["OrderId"], ResourceId=first["InstanceIdList"][0]) == []


def test_the_window_is_in_the_time_of_china(emulator: Emulator, billing: Sdk) -> None:
    travel(emulator, "2027-05-01 00:30:00")  # still the day before in UTC
    create(billing)
    for start, end, count in (
        ("2027-05-01 00:30:00", "2027-05-01 01:00:00", 1),
        ("2027-05-01 00:00:00", "2027-05-01 00:29:59", 0),
        ("2027-05-01 00:31:00", "2027-05-02 00:00:00", 0),
        ("2027-04-30 16:00:00", "2027-04-30 17:00:00", 0),
    ):
        assert len(deals(billing, StartTime=start, EndTime=end)) == count


def test_pages_of_deals(emulator: Emulator, billing: Sdk) -> None:
    orders = [create(billing, str(number))["OrderId"] for number in range(5)]

    def page(offset: int, limit: int) -> list[str]:
        return [deal["OrderId"] for deal in deals(billing, Offset=offset, Limit=limit)]

    assert page(0, 2) == orders[:2]
    assert page(1, 2) == orders[2:4]
    assert page(2, 2) == orders[4:]
    assert page(3, 2) == []
    emulator.settings(billing_offset="rows")
    assert page(1, 2) == orders[1:3]


def test_large_pages_tell_no_instances(billing: Sdk) -> None:
    created = made(billing)
    assert deals(billing, Limit=200)[0]["ResourceId"] == [created]
    assert deals(billing, Limit=201)[0]["ResourceId"] is None
    assert len(deals(billing, Limit=1000)) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"StartTime": "2025-01-01"}, INVALID_VALUE),
        ({"StartTime": "2025-01-01T00:00:00"}, INVALID_VALUE),
        ({"StartTime": "2025-01-01 00:00:00+08:00"}, INVALID_VALUE),
        ({"EndTime": "2025-02-30 00:00:00"}, INVALID_VALUE),
        ({"EndTime": ""}, INVALID_VALUE),
        ({"Limit": 0}, INVALID_VALUE),
        ({"Limit": 1001}, INVALID_VALUE),
        ({"Offset": -1}, INVALID_VALUE),
        ({"StatusSet": [4, 14]}, INVALID_VALUE),
        ({"StatusSet": [0]}, INVALID_VALUE),
        ({"StatusSet": None, "Status": 0}, INVALID_VALUE),
        ({"StartTime": None}, "MissingParameter"),
        ({"EndTime": None}, "MissingParameter"),
        ({"Limit": None}, "MissingParameter"),
    ],
)
def test_deals_refuses(billing: Sdk, change: Json, code: str) -> None:
    asked = {
        "StartTime": "2025-01-01 00:00:00",
        "EndTime": "2025-01-02 00:00:00",
        "Limit": 20,
        "StatusSet": ALL,
        **change,
    }
    with refused(code):
        billing(
            "DescribeDealsByCond",
            **{name: value for name, value in asked.items() if value is not None},
        )


def test_a_site_without_the_later_statuses(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_statuses="1 to 12", billing_refunding_seconds=1000)
    for unknown in (13, 30):
        with refused(INVALID_VALUE):
            deals(billing, StatusSet=[4, unknown])
    back = refund(billing, made(billing))
    (deal,) = deals(billing, back, StatusSet=list(range(1, 13)))
    assert deal["Status"] == 3


# --- DescribeRenewInstances -------------------------------------------------------------------


def test_pages_of_instances(emulator: Emulator, billing: Sdk) -> None:
    created = [made(billing, str(months), Period=months) for months in (3, 1, 2, 5, 4)]
    by_end = [created[index] for index in (1, 2, 0, 4, 3)]

    def pages(**more: Any) -> list[list[str]]:
        found: list[list[str]] = []
        token = None
        while True:
            following: Json = {} if token is None else {"NextToken": token}
            answer = billing("DescribeRenewInstances", MaxResults=2, **more, **following)
            found.append([instance["InstanceId"] for instance in answer["InstanceList"]])
            token = answer["NextToken"]
            if token is None:
                return found

    assert pages() == [by_end[:2], by_end[2:4], by_end[4:]]
    backwards = by_end[::-1]
    assert pages(Reverse=True) == [backwards[:2], backwards[2:4], backwards[4:]]
    assert pages(InstanceIdList=by_end[:2]) == [by_end[:2]]


def test_filters_of_instances(emulator: Emulator, billing: Sdk) -> None:
    travel(emulator, "2027-01-10 00:00:00")
    manual = made(billing, "1", Period=1)
    automatic = made(billing, "2", Period=2, RenewFlag="NOTIFY_AND_AUTO_RENEW")
    ids = [manual, automatic]
    for asked, expected in (
        ({"InstanceIdList": [automatic, "yunjing-0"]}, [automatic]),
        ({"InstanceIdList": ["yunjing-0"]}, []),
        ({"InstanceIdList": []}, ids),
        ({"RenewFlagList": ["NOTIFY_AND_AUTO_RENEW"]}, [automatic]),
        ({"RenewFlagList": ["NOTIFY_AND_MANUAL_RENEW", "NOTIFY_AND_AUTO_RENEW"]}, ids),
        ({"RenewFlagList": ["DISABLE_NOTIFY_AND_MANUAL_RENEW"]}, []),
        ({"ExpireTimeStart": "2027-02-10 00:00:00"}, ids),
        ({"ExpireTimeStart": "2027-02-11 00:00:00"}, [automatic]),
        ({"ExpireTimeEnd": "2027-02-11 00:00:00"}, [manual]),
        (
            {
                "ExpireTimeStart": "2027-02-11 00:00:00",
                "ExpireTimeEnd": "2027-02-12 00:00:00",
            },
            [],
        ),
    ):
        assert [instance["InstanceId"] for instance in listed(billing, **asked)] == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"MaxResults": 0}, INVALID),
        ({"MaxResults": 101}, INVALID),
        ({"MaxResults": None}, "MissingParameter"),
        ({"InstanceIdList": ["yunjing-0"] * 101}, INVALID),
        ({"RenewFlagList": ["AUTO"]}, INVALID),
        ({"ExpireTimeStart": "2027-02-11"}, INVALID),
        ({"ExpireTimeEnd": "tomorrow"}, INVALID),
        ({"NextToken": "abc"}, INVALID),
        ({"NextToken": "LTE="}, INVALID),  # -1
        ({"Reverse": "true"}, INVALID),
    ],
)
def test_instances_refuses(billing: Sdk, change: Json, code: str) -> None:
    asked = {"MaxResults": 100, "InstanceIdList": ["yunjing-0"] * 100, **change}
    with refused(code):
        billing(
            "DescribeRenewInstances",
            **{name: value for name, value in asked.items() if value is not None},
        )


def test_an_instance_is_listed_late(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_instance_lag_seconds=1000)
    created = made(billing)
    assert state(billing, created) == "absent"
    emulator.clock(advance_seconds=1000)
    assert state(billing, created) == "NORMAL"


# --- SetRenewal -------------------------------------------------------------------------------


def test_set_renewal(billing: Sdk) -> None:
    created = made(billing)
    for flag, period, unit in (
        ("NOTIFY_AND_AUTO_RENEW", "11", "m"),
        ("NOTIFY_AND_AUTO_RENEW", "5", "y"),
        ("DISABLE_NOTIFY_AND_MANUAL_RENEW", "1", "m"),
    ):
        assert set_renewal(billing, created, flag, RenewPeriod=period, RenewPeriodUnit=unit) == []
        (instance,) = listed(billing)
        assert instance["RenewFlag"] == flag
        assert (instance["RenewPeriod"], instance["RenewPeriodUnit"]) == (int(period), unit)
    assert set_renewal(billing, created, "NOTIFY_AND_MANUAL_RENEW") == []
    assert listed(billing)[0]["RenewPeriod"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"RenewPeriod": 1},
        {"RenewPeriod": "0"},
        {"RenewPeriod": "12"},
        {"RenewPeriod": "one"},
        {"RenewPeriod": "6", "RenewPeriodUnit": "y"},
        {"RenewPeriodUnit": "d"},
        {"RenewFlag": "AUTO"},
    ],
)
def test_set_renewal_refuses(billing: Sdk, change: Json) -> None:
    created = made(billing)
    with refused(INVALID):
        set_renewal(billing, created, **{"flag": "NOTIFY_AND_AUTO_RENEW", **change})
    assert listed(billing)[0]["RenewFlag"] == "NOTIFY_AND_MANUAL_RENEW"


def test_set_renewal_fails_within_a_success(emulator: Emulator, billing: Sdk) -> None:
    flag = "NOTIFY_AND_AUTO_RENEW"
    created, other = made(billing, "1"), made(billing, "2", RegionCode="ap-beijing")
    for instance_id in ("yunjing-0", other):
        (failed,) = set_renewal(billing, instance_id, flag)
        assert failed["InstanceId"] == instance_id
        assert (type(failed["Code"]), type(failed["Message"])) == (int, str)
    emulator.fault("SetRenewal", "ends_in", status="Failed", message="not this product")
    (failed,) = set_renewal(billing, created, flag)
    assert failed["Message"] == "not this product"
    assert {instance["RenewFlag"] for instance in listed(billing)} == {"NOTIFY_AND_MANUAL_RENEW"}
    assert set_renewal(billing, created, flag) == []
    refund(billing, created)
    (failed,) = set_renewal(billing, created, "NOTIFY_AND_MANUAL_RENEW")
    assert failed["InstanceId"] == created


# --- RenewInstance ----------------------------------------------------------------------------


def test_renewals_add_months_of_the_calendar(emulator: Emulator, billing: Sdk) -> None:
    travel(emulator, "2026-11-30 08:00:00")
    created = made(billing)
    for token, term, expected in (
        ("1", {"Period": 1}, "2027-01-30"),
        ("2", {}, "2027-02-28"),
        ("3", {"Period": 1}, "2027-03-28"),
        ("4", {"Period": 1, "PeriodUnit": "y"}, "2028-03-28"),
        ("5", {"Period": 36, "PeriodUnit": "m"}, "2031-03-28"),
    ):
        order_id = renew(billing, created, token, **term)
        assert expiry(billing, created).startswith(f"{expected} 08:00:0")
        (deal,) = deals(billing, order_id)
        assert (deal["Action"], deal["Status"], deal["ResourceId"]) == ("renew", 4, [created])
    paid = [("renewal", months * MONTH) for months in (1, 1, 1, 12, 36)]
    assert money(emulator) == [("purchase", MONTH), *paid]


def test_a_renewal_is_idempotent(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    first, expected = renew(billing, created), expiry(billing, created)
    assert renew(billing, created) == first
    with refused("InvalidParameter.InvalidParameter"):
        renew(billing, created, Period=2)
    assert expiry(billing, created) == expected
    assert len(money(emulator)) == 2


def test_a_renewal_takes_its_time(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    before = expiry(billing, created)
    emulator.settings(**SLOW)
    order_id = renew(billing, created)
    assert (status(billing, order_id), expiry(billing, created)) == (2, before)
    emulator.clock(advance_seconds=2000)
    assert status(billing, order_id) == 4
    assert expiry(billing, created) > before


def test_a_renewal_that_fails(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    before = expiry(billing, created)
    emulator.fault("RenewInstance", "ends_in", service="billing", status="6")
    assert status(billing, renew(billing, created)) == 6
    assert expiry(billing, created) == before
    entries = emulator.ledger()["entries"]
    assert [entry["resource_id"] for entry in entries[1:]] == [created, created]
    assert money(emulator)[1:] == [("renewal", MONTH), ("refund", -MONTH)]


def test_a_renewal_that_comes_too_late(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    emulator.settings(billing_delivering_seconds=1000)
    order_id = renew(billing, created)
    refund(billing, created)
    emulator.clock(advance_seconds=1000)
    assert status(billing, order_id) == 5
    assert state(billing, created) == "ISOLATED"


@pytest.mark.parametrize("action", [renew, refund])
def test_what_is_not_in_use_is_neither_renewed_nor_refunded(
    emulator: Emulator, billing: Sdk, action: Callable[..., str]
) -> None:
    created = made(billing)
    with refused(REFUSED):
        action(billing, "yunjing-0")
    for name in CODES:
        with refused(REFUSED):
            action(billing, created, **{name: "another"})
    emulator.clock(offset_hours=24 * 32)
    assert state(billing, created) == "ISOLATED"
    with refused(REFUSED):
        action(billing, created)
    assert money(emulator) == [("purchase", MONTH)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "t" * 65}, INVALID),
        ({"token": "é"}, INVALID),
        ({"Period": 0}, INVALID),
        ({"Period": 37}, INVALID),
        ({"PeriodUnit": "d"}, INVALID),
    ],
)
def test_renew_refuses(billing: Sdk, change: Json, code: str) -> None:
    with refused(code):
        renew(billing, made(billing), **change)


# --- RefundInstance ---------------------------------------------------------------------------


def test_refund_over_time(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_refunding_seconds=1000, billing_isolated_seconds=DAY)
    answer = create(billing)
    (created,) = answer["InstanceIdList"]
    back = refund(billing, created)
    (deal,) = deals(billing, back)
    assert (deal["Status"], deal["Action"], deal["ResourceId"]) == (13, "refund", [created])
    assert state(billing, created) == "NORMAL"
    assert money(emulator) == [("purchase", MONTH)]
    with refused(REFUSED):
        refund(billing, created, "another token")
    with refused(REFUSED):
        renew(billing, created)
    emulator.clock(advance_seconds=1000)
    assert status(billing, back) == 6
    assert status(billing, answer["OrderId"]) == 6
    assert state(billing, created) == "ISOLATED"
    assert money(emulator) == [("purchase", MONTH), ("refund", -MONTH)]
    with refused(REFUSED):
        refund(billing, created, "another token")
    assert refund(billing, created) == back
    emulator.clock(advance_seconds=DAY)
    assert state(billing, created) == "absent"
    assert refund(billing, created) == back  # as answered before
    with refused(REFUSED):
        refund(billing, created, "another token")
    assert emulator.ledger()["amount"] == 0


def test_each_of_several_is_refunded_alone(emulator: Emulator, billing: Sdk) -> None:
    answer = create(billing, Quantity=2, Period=3)
    first, second = answer["InstanceIdList"]
    refund(billing, first, "1")
    assert status(billing, answer["OrderId"]) == 4
    assert (state(billing, first), state(billing, second)) == ("ISOLATED", "NORMAL")
    refund(billing, second, "2")
    assert status(billing, answer["OrderId"]) == 6
    assert money(emulator)[1:] == [("refund", -3 * MONTH)] * 2


def test_part_of_the_money_comes_back(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_refund_percent=40)
    created = made(billing)
    renew(billing, created)
    order_id = refund(billing, created)
    assert money(emulator)[-1] == ("refund", -8000)
    assert deals(billing, order_id)[0]["Formula"] == "80.00"


def test_isolated_instances_may_be_hidden(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    refund(billing, created)
    assert state(billing, created) == "ISOLATED"
    emulator.settings(billing_isolated="hidden")
    assert state(billing, created) == "absent"


@pytest.mark.parametrize("ending", [5, 7])
def test_a_refund_that_fails(emulator: Emulator, billing: Sdk, ending: int) -> None:
    emulator.settings(billing_failed_refund_seconds=1000)  # of deliveries
    created = made(billing)
    emulator.fault("RefundInstance", "ends_in", status=str(ending))
    failed = refund(billing, created)
    emulator.clock(advance_seconds=1000)
    assert status(billing, failed) == ending
    assert state(billing, created) == "NORMAL"
    assert money(emulator) == [("purchase", MONTH)]
    assert status(billing, refund(billing, created, "again")) == 6
    assert emulator.ledger()["amount"] == 0


def test_a_refund_that_is_stuck(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing, Period=12)
    emulator.fault("RefundInstance", "stuck")
    back = refund(billing, created)
    emulator.clock(offset_hours=24 * 30)
    assert status(billing, back) == 13
    emulator.deal(back, 6)
    assert state(billing, created) == "ISOLATED"
    with pytest.raises(ControlError):
        emulator.deal(back, 6)
    assert emulator.ledger()["amount"] == 0


def test_a_refund_that_is_not_allowed(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    locked, never = "InvalidParameter.ResourceLocked", "FailedOperation.NotAllowToRefund"
    emulator.fault("RefundInstance", "error", count=2, code=locked)
    emulator.fault("RefundInstance", "error", code=never)
    for code in (locked, locked, never):
        with refused(code):
            refund(billing, created)
    assert status(billing, refund(billing, created)) == 6


# --- the end of a term ------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["NOTIFY_AND_MANUAL_RENEW", "DISABLE_NOTIFY_AND_MANUAL_RENEW"])
def test_a_term_ends(emulator: Emulator, billing: Sdk, flag: str) -> None:
    travel(emulator, "2027-01-10 00:00:00")
    answer = create(billing, RenewFlag=flag)
    (created,) = answer["InstanceIdList"]
    for day, expected in (
        ("2027-02-09", "NORMAL"),
        ("2027-02-11", "ISOLATED"),
        ("2027-02-16", "ISOLATED"),
        ("2027-02-18", "absent"),
    ):
        travel(emulator, f"{day} 00:00:00")
        assert state(billing, created) == expected
    assert status(billing, answer["OrderId"]) == 4
    assert money(emulator) == [("purchase", MONTH)]


def test_a_renewed_term_ends_later(emulator: Emulator, billing: Sdk) -> None:
    travel(emulator, "2027-01-10 00:00:00")
    created = made(billing)
    renew(billing, created)
    travel(emulator, "2027-03-09 00:00:00")
    assert state(billing, created) == "NORMAL"
    travel(emulator, "2027-03-11 00:00:00")
    assert state(billing, created) == "ISOLATED"


def test_automatic_renewal(
    emulator: Emulator, billing: Sdk, control: Callable[..., Answer]
) -> None:
    travel(emulator, "2027-01-31 10:00:00")
    created = made(billing, RenewFlag="NOTIFY_AND_AUTO_RENEW")
    travel(emulator, "2027-05-01 00:00:00")  # three terms at one step; nobody has asked since
    ledger = control("GET", "ledger").json
    assert ledger == emulator.ledger()
    assert ledger["amount"] == 4 * MONTH
    renewals = ledger["entries"][1:]
    # The day of the month is forgotten in February.
    days = [entry["time"][:10] for entry in renewals]
    assert days == ["2027-02-28", "2027-03-28", "2027-04-28"]
    orders = [deal for deal in deals(billing) if deal["Action"] == "renew"]
    assert [entry["details"] for entry in renewals] == [
        {
            "amount": MONTH,
            "order_id": order["OrderId"],
            "period": 1,
            "period_unit": "m",
            "automatic": True,
        }
        for order in orders
    ]
    assert [order["CreateTime"][:10] for order in orders] == days
    assert expiry(billing, created).startswith("2027-05-28 10:00:0")
    assert set_renewal(billing, created, "NOTIFY_AND_MANUAL_RENEW") == []
    travel(emulator, "2027-05-29 00:00:00")
    assert state(billing, created) == "ISOLATED"
    assert emulator.ledger()["amount"] == 4 * MONTH


def test_the_cycle_of_automatic_renewal(emulator: Emulator, billing: Sdk) -> None:
    travel(emulator, "2027-01-10 00:00:00")
    created = made(billing)
    cycle = {"RenewPeriod": "2", "RenewPeriodUnit": "y"}
    set_renewal(billing, created, "NOTIFY_AND_AUTO_RENEW", **cycle)
    travel(emulator, "2027-02-11 00:00:00")
    assert expiry(billing, created).startswith("2029-02-10")
    assert money(emulator)[1:] == [("renewal", 24 * MONTH)]


def test_automatic_renewal_needs_money(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_balance=3 * MONTH)
    travel(emulator, "2027-01-10 00:00:00")
    created = made(billing, RenewFlag="NOTIFY_AND_AUTO_RENEW")
    travel(emulator, "2027-04-11 00:00:00")
    assert state(billing, created) == "ISOLATED"
    assert expiry(billing, created).startswith("2027-04-10")
    assert emulator.ledger()["amount"] == 3 * MONTH


def test_what_is_being_refunded_is_not_renewed(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing, RenewFlag="NOTIFY_AND_AUTO_RENEW")
    emulator.fault("RefundInstance", "stuck")
    refund(billing, created)
    emulator.clock(offset_hours=24 * 32)
    assert state(billing, created) == "ISOLATED"
    assert money(emulator) == [("purchase", MONTH)]


def test_what_has_been_refunded_is_not_renewed(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_isolated_seconds=60 * DAY)
    created = made(billing, RenewFlag="NOTIFY_AND_AUTO_RENEW")
    refund(billing, created)
    emulator.settings(billing_isolated_seconds=DAY)  # for those to come
    emulator.clock(offset_hours=24 * 40)
    assert state(billing, created) == "ISOLATED"
    emulator.clock(offset_hours=24 * 61)
    assert state(billing, created) == "absent"
    assert money(emulator) == [("purchase", MONTH), ("refund", -MONTH)]


def test_it_happens_in_its_order(emulator: Emulator, billing: Sdk) -> None:
    """One step of the clock is as good as many."""
    created = made(billing)
    emulator.settings(**SLOW)
    late = create(billing, "late")["OrderId"]  # delivered, isolated and erased within the step
    emulator.settings(billing_delivering_seconds=20 * DAY)
    order_id = renew(billing, created)  # begun after, done before the term's end
    emulator.clock(offset_hours=24 * 45)
    assert status(billing, order_id) == 4
    assert state(billing, created) == "NORMAL"
    (deal,) = deals(billing, late)
    assert (deal["Status"], len(deal["ResourceId"])) == (4, 1)
    assert state(billing, deal["ResourceId"][0]) == "absent"


# --- as every part ----------------------------------------------------------------------------


def test_ledger(emulator: Emulator, billing: Sdk, control: Callable[..., Answer]) -> None:
    answer = create(billing, Period=2)
    (created,) = answer["InstanceIdList"]
    renewed = renew(billing, created)
    back = refund(billing, created)
    ledger = control("GET", "ledger").json
    assert ledger == emulator.ledger()
    assert (ledger["count"], ledger["amount"]) == (3, 0)
    assert ledger["counts"]["purchase"] == ledger["counts"]["renewal"] == 1
    assert ledger["counts"]["refund"] == 1
    times = [entry.pop("time") for entry in ledger["entries"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in times)
    here = {"account": ONE, "region": "", "service": "billing"}
    term = {"period": 2, "period_unit": "m"}
    assert ledger["entries"] == [
        {
            "number": 1,
            **here,
            "action": "purchase",
            "resource_id": answer["OrderId"],
            "details": {"amount": 2 * MONTH, "order_id": answer["OrderId"], **term},
        },
        {
            "number": 2,
            **here,
            "action": "renewal",
            "resource_id": created,
            "details": {"amount": MONTH, "order_id": renewed, **term, "period": 1},
        },
        {
            "number": 3,
            **here,
            "action": "refund",
            "resource_id": created,
            "details": {"amount": -3 * MONTH, "order_id": back},
        },
    ]


def test_other_products_cost_nothing_here(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_balance=MONTH)
    tcr = sdk_of(emulator, service="tcr", version="2019-09-24")
    tcr("CreateInstance", RegistryName="tcr-test", RegistryType="basic")
    create(billing)
    assert (emulator.ledger()["count"], emulator.ledger()["amount"]) == (2, MONTH)


def test_reset(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(billing_month_price=1)
    made(billing, RenewFlag="NOTIFY_AND_AUTO_RENEW")
    emulator.reset()
    emulator.clock(offset_hours=24 * 40)
    assert (emulator.ledger()["count"], emulator.ledger()["amount"]) == (0, 0)
    assert emulator.resources() == {}
    create(billing)  # the token is new
    assert money(emulator) == [("purchase", MONTH)]


def test_kept_in_a_file(tmp_path: Path) -> None:
    where: Json = {"accounts": {ONE: "key-one"}, "data": tmp_path / "emulator.sqlite"}
    with Emulator(**where) as first:
        first.settings(**SLOW)
        billing = sdk_of(first, **BILLING)
        order_id = create(billing, RenewFlag="NOTIFY_AND_AUTO_RENEW")["OrderId"]
    with Emulator(**where) as second:
        billing = sdk_of(second, **BILLING)
        second.clock(offset_hours=24 * 40)
        answer = create(billing, RenewFlag="NOTIFY_AND_AUTO_RENEW")
        assert answer["OrderId"] == order_id
        assert state(billing, answer["InstanceIdList"][0]) == "NORMAL"
        assert money(second) == [("purchase", MONTH), ("renewal", MONTH)]


@pytest.mark.parametrize(
    ("kind", "missing"), [("no_id", {"OrderId", "InstanceIdList"}), ("null_lists", set())]
)
def test_answers_that_are_spoiled(
    emulator: Emulator, billing: Sdk, kind: str, missing: set[str]
) -> None:
    emulator.fault("CreateInstance", kind, service="billing")
    answer = create(billing)
    assert {"OrderId", "InstanceIdList"} - set(answer) == missing
    assert answer.get("InstanceIdList") is None
    assert len(create(billing)["InstanceIdList"]) == 1
    assert len(money(emulator)) == 1


def test_a_describe_that_finds_nothing(emulator: Emulator, billing: Sdk) -> None:
    created = create(billing)
    for action in ("DescribeDealsByCond", "DescribeRenewInstances"):
        emulator.fault(action, "gone_for")
    assert deals(billing, created["OrderId"]) == listed(billing) == []
    assert len(deals(billing, created["OrderId"])) == len(listed(billing)) == 1


def test_pace(emulator: Emulator, billing: Sdk) -> None:
    emulator.settings(rate_limit=2)
    for _ in range(2):
        listed(billing)
    with refused("RequestLimitExceeded"):
        listed(billing)
    create(billing)  # an action's own


def test_the_two_create_instances(emulator: Emulator, billing: Sdk) -> None:
    emulator.fault("CreateInstance", "throttle", service="tcr")
    create(billing)
    with refused("NoSuchVersion"):
        sdk_of(emulator, **{**BILLING, "version": "2019-09-24"})("CreateInstance", **EXAMPLE)


def test_call_from_outside(emulator: Emulator, billing: Sdk) -> None:
    created = made(billing)
    emulator.call(
        *CALL, "RefundInstance", {"ClientToken": "console", "InstanceId": created, **CODES}
    )
    assert state(billing, created) == "ISOLATED"
    emulator.settings(billing_balance=0, billing_unpaid_order="left")
    with pytest.raises(VendorError) as caught:
        emulator.call(*CALL, "CreateInstance", {"ClientToken": "unpaid", **PLAIN})
    assert caught.value.code == BALANCE
    assert [deal["Status"] for deal in deals(billing)] == [6, 6, 1]

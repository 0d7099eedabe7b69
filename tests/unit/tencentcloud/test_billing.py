"""Prepaid orders at the HTTP boundary, from the vendor's pages. Each of them would cost money."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pulumi
import pytest
import requests
from pulumi.dynamic import ConfigureRequest, CreateResult
from pulumi.dynamic.config import Config
from pulumi.runtime import rpc

from pulumi_hybrid import clock, lifecycle
from pulumi_hybrid.api import Api
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.errors import Error, Gone, InitFailed, NotReady, Refused
from pulumi_hybrid.tencentcloud import billing
from pulumi_hybrid.tencentcloud.billing import Instance, InstanceProvider
from pulumi_hybrid.testing import Mocks

from ..conftest import Clock, Engine, Hurried, Log, assert_one_line, everything_said
from .conftest import Raw, Reply, Vendor, new_config, read_timeout, refusal, reset, served

URL = "https://billing.tencentcloudapi.com/"

CREATE = "CreateInstance"
DEALS = "DescribeDealsByCond"
RECORDS = "DescribeRenewInstances"
SET = "SetRenewal"
RENEW = "RenewInstance"
REFUND = "RefundInstance"

ID = "20260101000001"
ONE = "cfw-1"
TWO = "cfw-2"
END = "2099-01-01 00:00:00"
ENDS = "2099-01-01T00:00:00+08:00"
NO_MONEY = "No money has moved"

PARAMETER = {
    "productCode": "p_cloudfirewall",
    "subProductCode": "sp_cloudfirewall_svv1",
    "timeSpan": 1,
    "timeUnit": "m",
    "goodsNum": 1,
    "pid": 1003,
    "sv_width": 20,
}
INPUTS: dict[str, Any] = {
    "product_code": "p_cloudfirewall",
    "sub_product_code": "sp_cloudfirewall_svv1",
    "region_code": "ap-guangzhou",
    "zone_code": "ap-guangzhou-6",
    "parameter": PARAMETER,
}
DEFAULTS = {
    "pay_mode": "PrePay",
    "quantity": 1,
    "project_id": 0,
    "period": 1,
    "period_unit": "m",
    "renew_flag": "NOTIFY_AND_MANUAL_RENEW",
}
PAIR = {**INPUTS, "quantity": 2, "parameter": {"sv_width": 20}}
NAMES = {
    1: "UNPAID",
    2: "PAID",
    3: "DELIVERING",
    4: "DELIVERED",
    5: "DELIVERY_FAILED",
    6: "REFUNDED",
    7: "CLOSED",
    8: "EXPIRED",
    9: "INVALID",
    10: "PRODUCT_INVALID",
    11: "PAYMENT_REFUSED",
    12: "PAYING",
    13: "REFUNDING",
    30: "AWAITING_CONFIRMATION",
}
DEAD = [6, 7, 8, 9, 10, 11]
WAITS = {name: getattr(billing, name) for name in ("_pause", "_SECONDS_TO_PAY", "_SECONDS_TO_SHOW")}
LOST: list[Callable[[], Reply]] = [read_timeout, reset, lambda: refusal("InternalError")]


def china(**ago: float) -> str:
    """So long ago, as the vendor writes it."""
    then = clock.now() - timedelta(**ago)
    return then.astimezone(timezone(timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S")


def later(**time: float) -> str:
    """So long from now on, as a program writes it."""
    return clock.later(clock.now().isoformat(), timedelta(**time))


def deal(id: Any = ID, **changes: Any) -> dict[str, Any]:
    """A Deal as DescribeDealsByCond shows it, of a purchase that was delivered."""
    return {
        "OrderId": id,
        "Status": 4,
        "CreateTime": china(),
        "TimeSpan": 1.0,
        "TimeUnit": "m",
        "ProductCode": "p_cloudfirewall",
        "SubProductCode": "sp_cloudfirewall_svv1",
        "PayMode": "prePay",
        "Action": "purchase",
        "ResourceId": [ONE],
        **changes,
    }


def record(id: str = ONE, **changes: Any) -> dict[str, Any]:
    """A RenewInstance as DescribeRenewInstances shows it."""
    return {
        "InstanceId": id,
        "ProductCode": "p_cloudfirewall",
        "SubProductCode": "sp_cloudfirewall_svv1",
        "RegionCode": "ap-guangzhou",
        "Status": "NORMAL",
        "RenewFlag": "NOTIFY_AND_MANUAL_RENEW",
        "ExpireTime": END,
        "RenewPeriod": None,
        "RenewPeriodUnit": None,
        **changes,
    }


class Billing:
    """The vendor's Billing: what it sold, and what it says instead of doing what it is asked.

    Attributes:
        deals: its orders.
        records: the instances that it shows.
        sold: the order of each ClientToken.
        shows: whether new instances show among the records.
        unknown: order statuses that the site refuses.
        knows_sets: whether the site knows lists of statuses.
    """

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.bodies = vendor.bodies
        self.count = vendor.count
        self.deals: list[dict[str, Any]] = []
        self.records: list[dict[str, Any]] = []
        self.sold: dict[str, dict[str, Any]] = {}
        self.new: dict[str, Any] = {}
        self.shows = True
        self.refund_status = 6
        self.renewal: dict[str, Any] = {}
        self.unknown: set[int] = set()
        self.knows_sets = True
        self._instead: dict[str, list[tuple[Reply, bool]]] = {}
        self._later: list[tuple[str, int, Callable[[], object]]] = []
        vendor._mock.add_callback("POST", URL, self._answer)

    def says(self, action: str, *replies: Reply, done: bool = False) -> None:
        """Answer the next requests with these, and then as usual.

        Args:
            action: the API's name for it.
            replies: the answers.
            done: whether the work is done all the same.
        """
        self._instead.setdefault(action, []).extend((reply, done) for reply in replies)

    def after(self, count: int, action: str, change: Callable[[], object]) -> None:
        """Change something once so many requests more of an action were answered."""
        self._later.append((action, self.count(action) + count, change))

    @property
    def tokens(self) -> list[str]:
        """Of all purchases that were asked for, in order."""
        return [body["ClientToken"] for body in self.bodies(CREATE)]

    @property
    def changes(self) -> list[str]:
        """All that arrived, looks left out, in order."""
        return [action for action in self.vendor.actions if not action.startswith("Describe")]

    def _answer(self, request: requests.PreparedRequest) -> Any:
        action = str(request.headers["X-TC-Action"])
        body = json.loads(str(request.body))
        instead = self._instead.get(action)
        reply: Reply | None = None
        done = True
        if instead:
            reply, done = instead.pop(0)
        usual: Mapping[str, Any] = getattr(self, f"_{action}")(body) if done else {}
        reply = usual if reply is None else reply
        for waiting in list(self._later):
            # The request that is being answered is not counted yet.
            if waiting[0] == action and self.count(action) + 1 >= waiting[1]:
                self._later.remove(waiting)
                waiting[2]()
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Raw):
            return reply.status, {"Content-Type": reply.content_type}, reply.body
        return 200, {"Content-Type": "application/json"}, json.dumps(reply)

    def _CreateInstance(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        token = body["ClientToken"]
        if token not in self.sold:
            number = len(self.deals) + 1
            ids = [f"cfw-{number + more}" for more in range(body.get("Quantity", 1))]
            bought = deal(f"2026010100000{number}", ResourceId=ids)
            bought.update(self.new)
            self.sold[token] = bought
            self.deals.append(bought)
            if self.shows:
                self.records += [
                    record(id, RenewFlag=body.get("RenewFlag", "NOTIFY_AND_MANUAL_RENEW"))
                    for id in bought["ResourceId"] or []
                ]
        order = self.sold[token]
        return served(OrderId=order["OrderId"], InstanceIdList=order["ResourceId"])

    def _DescribeDealsByCond(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if "StatusSet" in body and not self.knows_sets:
            return refusal("UnknownParameter")
        asked = body.get("StatusSet") or [body.get("Status", 4)]
        if self.unknown & set(asked):
            return refusal("InvalidParameterValue")
        found = [
            one
            for one in self.deals
            if (one["Status"] in asked or one["Status"] is None)
            and body["StartTime"] <= one["CreateTime"] <= body["EndTime"]
            and body.get("OrderId") in (None, str(one["OrderId"]))
            and (body.get("ResourceId") is None or body["ResourceId"] in (one["ResourceId"] or []))
        ]
        return served(Deals=found or None, TotalCount=len(found))

    def _DescribeRenewInstances(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        some = [one for one in self.records if one["InstanceId"] in body["InstanceIdList"]]
        return served(InstanceList=some, NextToken=None)

    def _SetRenewal(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        for one in self.records:
            if one["InstanceId"] == body["InstanceId"]:
                one["RenewFlag"] = body["RenewFlag"]
        return served(InstanceList=[])

    def _RenewInstance(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        token = body["ClientToken"]
        if token not in self.sold:
            number = f"renewal-{len(self.sold)}"
            bought = deal(number, Action="renew", ResourceId=[body["InstanceId"]])
            bought.update(self.renewal)
            self.sold[token] = bought
            self.deals.append(bought)
            if bought["Status"] == 4:
                self.extend(body["InstanceId"], body["Period"])
        return served(OrderIdList=[self.sold[token]["OrderId"]])

    def extend(self, instance_id: str, months: int) -> None:
        """Make a term end so many months later."""
        for one in self.records:
            if one["InstanceId"] == instance_id:
                end = datetime.strptime(one["ExpireTime"], "%Y-%m-%d %H:%M:%S").replace(
                    tzinfo=timezone.utc
                )
                one["ExpireTime"] = clock.months_later(end, months).strftime("%Y-%m-%d %H:%M:%S")

    def _RefundInstance(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        number = f"refund-of-{body['InstanceId']}"
        if any(one["OrderId"] == number for one in self.deals):
            return refusal("FailedOperation.BusinessCheckErrCode")
        self.deals.append(
            deal(
                number,
                Action="refund",
                Status=self.refund_status,
                ResourceId=[body["InstanceId"]],
            )
        )
        for one in self.records:
            if one["InstanceId"] == body["InstanceId"]:
                one["Status"] = "ISOLATED"
        return served(OrderIdList=[number])


@pytest.fixture
def cloud(vendor: Vendor) -> Billing:
    return Billing(vendor)


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
    monkeypatch.setattr(billing, "_pause", lambda api: 0.02)
    monkeypatch.setattr(billing, "_SECONDS_TO_PAY", 0.5)
    monkeypatch.setattr(billing, "_SECONDS_TO_SHOW", 0.5)
    monkeypatch.setattr(lifecycle, "_run", lifecycle._Run())


@pytest.fixture
def next_run(monkeypatch: pytest.MonkeyPatch) -> Callable[[], InstanceProvider]:
    """Begins another run: another process, which has seen nothing."""

    def begin() -> InstanceProvider:
        monkeypatch.setattr(lifecycle, "_run", lifecycle._Run())
        return new_provider()

    return begin


def up(
    engine: Engine, provider: InstanceProvider, news: Mapping[str, Any], timeout: float = 0
) -> CreateResult:
    """A create as the engine asks for it."""
    checked = engine.check(provider, news, None)
    assert checked.failures == []
    return engine.create(provider, checked.inputs, timeout)


def outs(result: Any) -> dict[str, Any]:
    assert result.outs is not None
    return {name: rpc.unwrap_rpc_secret(value) for name, value in result.outs.items()}


def line(error: BaseException) -> str:
    said = str(error)
    assert_one_line(said)
    assert "bug" not in said
    return said


def bought(
    engine: Engine, cloud: Billing, provider: InstanceProvider, news: Mapping[str, Any] = INPUTS
) -> dict[str, Any]:
    """The state after a purchase, which a run of before has made."""
    state = outs(up(engine, provider, news))
    lifecycle._run = lifecycle._Run()
    return state


# The purchase


def test_create_buys_once_and_says_what_it_bought(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    [body] = cloud.bodies(CREATE)
    assert json.loads(body.pop("Parameter")) == PARAMETER
    token = body.pop("ClientToken")
    assert len(token) <= 64
    assert token.isascii()
    assert body == {
        "ProductCode": "p_cloudfirewall",
        "SubProductCode": "sp_cloudfirewall_svv1",
        "RegionCode": "ap-guangzhou",
        "ZoneCode": "ap-guangzhou-6",
        "PayMode": "PrePay",
    }
    [request] = cloud.vendor.requests(CREATE)
    assert request.headers["X-TC-Version"] == "2018-07-09"
    assert "X-TC-Region" not in request.headers or not request.headers["X-TC-Region"]
    assert state["order_id"] == ID
    assert state["instance_id_list"] == [ONE]
    assert (state["status"], state["expired_time"]) == ("NORMAL", ENDS)
    assert state["client_token"] == token
    # Nothing is kept of which there is nothing to say.
    assert [name for name in state if state[name] in (None, [], {})] == []
    assert cloud.changes == [CREATE]


def test_whole_numbers_arrive_as_whole_numbers(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    news = {**INPUTS, **DEFAULTS, "quantity": 1, "project_id": 7, "period": 1}
    up(engine, provider, news)
    [body] = cloud.bodies(CREATE)
    assert "." not in body["Parameter"]
    assert '"Quantity": 1,' in str(cloud.vendor.requests(CREATE)[0].body)
    assert (body["ProjectId"], body["Period"], body["PeriodUnit"]) == (7, 1, "m")
    assert body["RenewFlag"] == "NOTIFY_AND_MANUAL_RENEW"


def test_when_it_was_ordered_is_kept_as_the_order_shows_it(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"CreateTime": china(hours=3)}
    assert bought(engine, cloud, provider)["ordered_time"] == cloud.deals[0]["CreateTime"]


def test_an_order_that_shows_late_is_looked_for_where_it_was_made(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    # After a purchase it is looked for in the last years, since it may be one of long before.
    cloud.says(DEALS, *[served(Deals=None)] * 22)
    state = bought(engine, cloud, provider)
    assert state["instance_id_list"] == [ONE]
    assert china(minutes=1) < state["ordered_time"] <= china()
    assert cloud.count(DEALS) == 23


def test_an_order_that_shows_no_time_is_noted_with_that_of_the_purchase(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.says(DEALS, served(Deals=[deal(CreateTime=None)]))
    state = bought(engine, cloud, provider)
    assert china(minutes=1) < state["ordered_time"] <= china()


def test_a_purchase_stands_where_the_look_after_it_is_refused(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.says(DEALS, refusal("OperationDenied"))
    assert bought(engine, cloud, provider)["order_id"] == ID
    assert cloud.count(CREATE) == 1


@pytest.mark.parametrize(("news", "ids"), [(INPUTS, [ONE]), (PAIR, [ONE, TWO])])
def test_ids_that_only_the_purchase_names_are_kept(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    news: dict[str, Any],
    ids: list[str],
) -> None:
    cloud.new = {"ResourceId": None}
    cloud.says(CREATE, served(OrderId=ID, InstanceIdList=ids), done=True)
    cloud.records = [record(id) for id in ids]
    state = outs(up(engine, provider, news, timeout=2))
    assert state["instance_id_list"] == ids


@pytest.mark.parametrize("ids", [[ONE], [ONE, ""], [ONE, None]])
def test_ids_that_the_purchase_names_in_part_are_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider, ids: list[str | None]
) -> None:
    cloud.new = {"ResourceId": None}
    cloud.says(CREATE, served(OrderId=ID, InstanceIdList=ids), done=True)
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, PAIR, timeout=0.5)
    assert "instance_id_list" not in caught.value.outputs


def test_all_that_is_bought_arrives_and_nothing_else(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    news = {
        **INPUTS,
        "parameter": {"sv_width": 20},
        "pay_mode": "PrePay",
        "quantity": 2,
        "project_id": 3,
        "period": 4,
        "period_unit": "y",
        "renew_flag": "NOTIFY_AND_AUTO_RENEW",
        "client_token": "mine",
        "paid_until": "2020-01-01T00:00:00+08:00",
        "on_delete": "retain",
    }
    up(engine, provider, news)
    [body] = cloud.bodies(CREATE)
    assert body == {
        "ProductCode": "p_cloudfirewall",
        "SubProductCode": "sp_cloudfirewall_svv1",
        "RegionCode": "ap-guangzhou",
        "ZoneCode": "ap-guangzhou-6",
        "Parameter": '{"sv_width":20}',
        "PayMode": "PrePay",
        "Quantity": 2,
        "ProjectId": 3,
        "Period": 4,
        "PeriodUnit": "y",
        "RenewFlag": "NOTIFY_AND_AUTO_RENEW",
        "ClientToken": "mine",
    }


# The line of tokens


@pytest.mark.parametrize(
    "again",
    [
        INPUTS,
        {**INPUTS, **DEFAULTS},
        {**INPUTS, "parameter": json.dumps(PARAMETER, indent=1)},
        {**INPUTS, "parameter": dict(reversed(list(PARAMETER.items())))},
        {**INPUTS, "on_delete": "retain"},
        {**INPUTS, "paid_until": "2020-01-01T00:00:00Z"},
        {**INPUTS, "parameter": {**PARAMETER, "timeSpan": "1"}},
    ],
    ids=["same", "defaults", "text", "order", "on_delete", "paid_until", "term"],
)
def test_the_same_purchase_is_the_same_order(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    again: dict[str, Any],
) -> None:
    first = bought(engine, cloud, provider)
    second = outs(up(engine, next_run(), again))
    assert len(set(cloud.tokens)) == 1
    assert len(cloud.deals) == 1
    assert second["order_id"] == first["order_id"]


@pytest.mark.parametrize(
    "change",
    [
        {"parameter": {**PARAMETER, "sv_width": 21}},
        {"zone_code": "ap-guangzhou-7"},
        {"project_id": 1},
        {"period": 2, "parameter": {}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_purchase_is_another_order(
    engine: Engine, cloud: Billing, provider: InstanceProvider, change: dict[str, Any]
) -> None:
    up(engine, provider, INPUTS)
    up(engine, provider, {**INPUTS, **change})
    assert len(set(cloud.tokens)) == 2
    assert len(cloud.deals) == 2


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({}, {"renew_flag": "NOTIFY_AND_AUTO_RENEW"}),
        ({"renew_flag": "NOTIFY_AND_AUTO_RENEW"}, {}),
    ],
)
def test_a_renew_flag_that_changes_before_an_order_is_found_again_makes_no_other_order(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    first: dict[str, Any],
    again: dict[str, Any],
) -> None:
    up(engine, provider, {**INPUTS, **first})
    state = outs(up(engine, next_run(), {**INPUTS, **again}))
    assert len(set(cloud.tokens)) == len(cloud.deals) == 1
    assert cloud.changes == [CREATE, CREATE, SET]
    asked = again.get("renew_flag", "NOTIFY_AND_MANUAL_RENEW")
    assert state["renew_flag"] == cloud.records[0]["RenewFlag"] == asked


def test_another_resource_with_the_same_inputs_is_another_order(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    up(engine, provider, INPUTS)
    up(Engine(f"{engine.urn}-2"), provider, INPUTS)
    assert len(set(cloud.tokens)) == 2


def test_tokens_are_the_same_whatever_version_made_them(
    cloud: Billing, provider: InstanceProvider
) -> None:
    kind = "pulumi-python:dynamic/tencentcloud/billing:Instance"
    engine = Engine(f"urn:pulumi:dev::shop::{kind}::firewall")
    cloud.deals = [deal("old", Status=6)]
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    state = bought(engine, cloud, provider)
    assert cloud.tokens == [
        "4799c373ce8ce6b0d3a7401b9f9f37f464ccdb84dc8d7d8ac19d5dc25bc5ac6b",
        "5a7998702939ce847a2d20b6d67d2ff07344d8e8dcb9bb990bfe3c068064091e",
    ]
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    [body] = cloud.bodies(RENEW)
    assert body["ClientToken"] == "f73957c394a8921f9ff85fc0f94e9b2fdfb144d2fd1b4fd2be6a5e7e7a44de9d"
    delete(engine, provider, state)
    [body] = cloud.bodies(REFUND)
    assert body["ClientToken"] == "0b826555cbd41032f1c452673429df39d2aaa7fa05a7f9d389fad12caf9ef3bc"


def test_the_line_goes_on_behind_the_token_of_what_is_replaced(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    cloud.deals = [deal(f"old-{number}", Status=6) for number in range(5)]
    cloud.says(CREATE, *[refusal("FailedOperation.InvalidDeal")] * 3)
    bought(engine, cloud, provider)
    line_of_tokens = cloud.tokens
    for held, following in itertools.pairwise(line_of_tokens):
        again = next_run()
        engine.check(again, INPUTS, INPUTS)
        state = {**unfinished(7), "client_token": held}
        assert engine.diff(again, "old", state, INPUTS, INPUTS).replaces == ["status"]
        engine.create(again, INPUTS)
        assert cloud.tokens[-1] == following


def test_without_a_urn_no_purchase_is_the_same(cloud: Billing, provider: InstanceProvider) -> None:
    for _ in range(2):
        provider.create(INPUTS)
    assert len(set(cloud.tokens)) == 2


def test_a_client_token_of_the_programs_is_sent_as_it_is(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, {**INPUTS, "client_token": "mine"})
    assert cloud.tokens == ["mine"]
    assert state["client_token"] == "mine"


@pytest.mark.parametrize("status", DEAD)
def test_a_delivered_order_that_is_dead_has_used_its_token_up(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    status: int,
) -> None:
    up(engine, provider, INPUTS)
    cloud.deals[0]["Status"] = status
    cloud.records.clear()
    state = outs(up(engine, next_run(), INPUTS))
    first, again, other = cloud.tokens
    assert first == again != other
    assert state["order_id"] == cloud.deals[1]["OrderId"] != ID
    assert state["client_token"] == other


@pytest.mark.parametrize("status", DEAD)
def test_a_dead_order_that_was_not_delivered_is_kept_as_it_is(
    engine: Engine, cloud: Billing, provider: InstanceProvider, status: int
) -> None:
    cloud.new = {"Status": status, "ResourceId": None}
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS)
    assert caught.value.id == ID
    assert cloud.count(CREATE) == 1
    name = caught.value.outputs["status"]
    assert name in line(caught.value)
    assert "money" in line(caught.value)
    diff = engine.diff(provider, ID, caught.value.outputs, INPUTS, INPUTS)
    assert diff.replaces == ["status"]


def test_a_dead_order_is_replaced_by_one_with_the_next_token(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    cloud.new = {"Status": 7, "ResourceId": None}
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS)
    cloud.new = {}
    again = next_run()
    engine.check(again, INPUTS, INPUTS)
    assert engine.diff(again, ID, caught.value.outputs, INPUTS, INPUTS).replaces
    state = outs(engine.create(again, INPUTS))
    assert state["order_id"] == cloud.deals[1]["OrderId"]
    assert len(cloud.tokens) == len(set(cloud.tokens)) == 2


@pytest.mark.parametrize(("hours", "orders"), [(9, 2), (8.25, 2), (8.1, 1), (0.05, 1)])
def test_a_dead_order_of_before_makes_way_once_it_is_old_in_every_zone(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    hours: float,
    orders: int,
) -> None:
    cloud.new = {"Status": 8, "ResourceId": None, "CreateTime": china(hours=hours)}
    cloud._CreateInstance({"ClientToken": _first_token(engine, cloud, provider)})
    cloud.new = {}
    if orders == 1:
        with pytest.raises(InitFailed):
            up(engine, next_run(), INPUTS)
    else:
        up(engine, next_run(), INPUTS)
    assert len(cloud.deals) == orders


def test_a_dead_order_that_shows_no_time_is_not_taken_for_old(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    cloud.new = {"Status": 8, "ResourceId": None}
    cloud._CreateInstance({"ClientToken": _first_token(engine, cloud, provider)})
    cloud.new = {}
    cloud.says(DEALS, served(Deals=[{**cloud.deals[0], "CreateTime": None}]))
    with pytest.raises(InitFailed, match="is EXPIRED"):
        up(engine, next_run(), INPUTS)
    assert len(cloud.deals) == 1


def _first_token(engine: Engine, cloud: Billing, provider: InstanceProvider) -> str:
    """The token that a purchase begins with; nothing is bought."""
    cloud.says(CREATE, refusal("FailedOperation.NumLimitError"))
    with pytest.raises(Refused):
        up(engine, provider, INPUTS)
    assert cloud.deals == []
    return cloud.tokens[-1]


@pytest.mark.parametrize("status", [2, 3, 12, 13, 30])
def test_an_order_that_may_still_be_delivered_is_not_used_up(
    engine: Engine, cloud: Billing, provider: InstanceProvider, status: int
) -> None:
    cloud.new = {"Status": status, "ResourceId": None, "CreateTime": china(days=2)}
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS, timeout=0.5)
    assert cloud.count(CREATE) == 1
    assert "buys nothing" in line(caught.value)


def test_status_30_of_an_order_with_ids_is_not_used_up_and_status_13_is(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    up(engine, provider, INPUTS)
    cloud.deals[0]["Status"] = 30
    with pytest.raises(InitFailed):
        up(engine, next_run(), INPUTS, timeout=0.5)
    assert len(cloud.deals) == 1
    cloud.deals[0]["Status"] = 13
    up(engine, next_run(), INPUTS)
    assert len(cloud.deals) == 2


@pytest.mark.parametrize("lost", LOST)
def test_an_order_refused_after_a_lost_answer_of_the_same_run_is_not_bought_anew(
    engine: Engine, cloud: Billing, provider: InstanceProvider, lost: Callable[[], Reply]
) -> None:
    cloud.deals = [deal("old", Status=6)]
    cloud.says(CREATE, lost(), refusal("FailedOperation.InvalidDeal"))
    with pytest.raises(Refused) as caught:
        up(engine, provider, INPUTS)
    assert len(cloud.tokens) == 2
    assert len(set(cloud.tokens)) == 1
    assert NO_MONEY not in line(caught.value)
    assert "Whether money has moved is not known" in line(caught.value)


def test_a_refused_token_makes_way_where_all_orders_are_dead(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [
        deal("old-1", Status=6),
        deal("old-2", Status=7),
        deal("other", ProductCode="p_other"),
        deal("other", SubProductCode="sp_other"),
        deal("renewal", Action="renew"),
    ]
    cloud.says(CREATE, *[refusal("FailedOperation.InvalidDeal")] * 2)
    state = bought(engine, cloud, provider)
    assert len(cloud.tokens) == len(set(cloud.tokens)) == 3
    assert state["client_token"] == cloud.tokens[2]


@pytest.mark.parametrize("orders", [0, 1])
def test_a_refused_token_stands_where_fewer_dead_orders_show_than_were_passed(
    engine: Engine, cloud: Billing, provider: InstanceProvider, orders: int
) -> None:
    other = deal("other", Status=6, SubProductCode="sp_other")
    third = deal("other", Status=6, ProductCode="p_other")
    renewal = deal("renewal", Status=6, Action="renew")
    cloud.deals = [other, third, renewal, *[deal("old", Status=6)] * orders]
    cloud.says(CREATE, *[refusal("FailedOperation.InvalidDeal")] * 3)
    with pytest.raises(Refused) as caught:
        up(engine, provider, INPUTS)
    assert len(cloud.tokens) == orders + 1
    assert "adopt_id" in line(caught.value)


@pytest.mark.parametrize(("orders", "tokens"), [(199, 2), (200, 1)])
def test_a_refused_token_stands_where_more_orders_may_be_than_show(
    engine: Engine, cloud: Billing, provider: InstanceProvider, orders: int, tokens: int
) -> None:
    cloud.deals = [deal(f"old-{number}", Status=6) for number in range(orders)]
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    if tokens == 1:
        with pytest.raises(Refused, match="Take it over with adopt_id"):
            up(engine, provider, INPUTS)
    else:
        up(engine, provider, INPUTS)
    assert len(cloud.tokens) == len(set(cloud.tokens)) == tokens


def test_a_line_of_tokens_has_an_end(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(f"old-{number}", Status=6) for number in range(150)]
    cloud.says(CREATE, *[refusal("FailedOperation.InvalidDeal")] * 200)
    with pytest.raises(Error, match="100 times") as caught:
        up(engine, provider, INPUTS)
    assert len(cloud.tokens) == len(set(cloud.tokens)) == 100
    assert "client_token" in line(caught.value)
    assert NO_MONEY in line(caught.value)


def test_a_refused_token_names_the_order_that_is_alive(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal("dead-1", Status=6), deal("alive-1"), deal("dead-2", Status=6)]
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    with pytest.raises(Refused) as caught:
        up(engine, provider, INPUTS)
    assert cloud.count(CREATE) == 1
    assert "alive-1" in line(caught.value)
    assert "dead-" not in line(caught.value)
    assert "adopt_id" in line(caught.value)


def test_a_refused_token_waits_for_an_order_that_shows_late(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    # A dead order of another resource proves nothing of this one's.
    cloud.deals = [deal("another", Status=6)]
    cloud.after(25, DEALS, lambda: cloud.deals.append(deal("late", ResourceId=None)))
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    with pytest.raises(Refused, match="It may be late: take it over with adopt_id"):
        up(engine, provider, INPUTS)
    assert cloud.count(CREATE) == 1
    # The last years at first, and then the last quarter.
    assert cloud.count(DEALS) == 26


def test_a_refused_token_is_waited_for_a_minute(
    cloud: Billing, provider: InstanceProvider, call: Passing
) -> None:
    cloud.deals = [deal("old", Status=6)]
    call.urn = "urn:one"
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    provider.make(connected(provider, call, 900), INPUTS)
    assert cloud.count(CREATE) == 2
    assert 60 <= sum(call.pauses) <= 65


@pytest.mark.parametrize("gone", [True, False])
def test_a_refused_token_stands_where_there_is_no_time_to_wait(
    engine: Engine, cloud: Billing, provider: InstanceProvider, gone: bool
) -> None:
    cloud.deals = [deal("old", Status=6)]
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    if gone:
        cloud.after(21, DEALS, engine.context.end)
    with pytest.raises(Refused, match="Take it over with adopt_id"):
        up(engine, provider, INPUTS, timeout=0 if gone else 0.1)
    assert cloud.count(CREATE) == 1


@pytest.mark.parametrize(
    "order",
    [
        {"CreateTime": china(days=1700)},
        {"Action": None},
        {"ProductCode": None},
        {"SubProductCode": ""},
        {"Status": 77},
    ],
    ids=["old", "action", "product", "sub-product", "status"],
)
def test_a_refused_token_stands_where_an_order_may_be_its_own(
    engine: Engine, cloud: Billing, provider: InstanceProvider, order: dict[str, Any]
) -> None:
    mine = deal("mine", **order)
    cloud.deals = [deal("old", Status=6), mine]
    cloud.records = [record()]
    if order.get("Status"):
        cloud.says(DEALS, *[served(Deals=cloud.deals)] * 2)
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    with pytest.raises(Refused, match="It may be mine: take it over with adopt_id"):
        up(engine, provider, INPUTS)
    assert cloud.count(CREATE) == 1


@pytest.mark.parametrize("name", ["Action", "ProductCode", "SubProductCode"])
def test_a_dead_order_that_may_be_another_ones_proves_nothing(
    engine: Engine, cloud: Billing, provider: InstanceProvider, name: str
) -> None:
    cloud.deals = [deal("dead", Status=6, **{name: None})]
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    with pytest.raises(Refused, match="Take it over with adopt_id"):
        up(engine, provider, INPUTS)
    assert cloud.count(CREATE) == 1


def test_a_refused_token_behind_that_of_what_is_replaced_asks_for_a_dead_order_more(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    cloud.new = {"Status": 7, "ResourceId": None}
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS)
    again = next_run()
    engine.check(again, INPUTS, INPUTS)
    assert engine.diff(again, ID, caught.value.outputs, INPUTS, INPUTS).replaces == ["status"]
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    with pytest.raises(Refused, match="Take it over with adopt_id"):
        engine.create(again, INPUTS)
    assert len(cloud.tokens) == 2


@pytest.mark.parametrize("lost", [[], [reset()]])
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("InvalidParameter", True),
        ("InvalidParameterValue", True),
        ("FailedOperation.InvalidDeal", False),
        ("InternalError", False),
    ],
)
def test_a_token_that_was_used_with_other_inputs_says_where_to_look(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    lost: list[Reply],
    code: str,
    told: bool,
) -> None:
    message = "The ClientToken has been used with other parameters."
    cloud.says(CREATE, *lost, *[refusal(code, message)] * 6)
    with pytest.raises(Refused) as caught:
        up(engine, provider, {**INPUTS, "client_token": "mine"})
    said = line(caught.value)
    assert ("There may be an order of the same ClientToken with other inputs" in said) is told
    assert NO_MONEY not in said or not (told or lost)
    assert "money has moved" in said or (told and not lost)


def test_a_refusal_for_another_input_speaks_of_no_other_order(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.says(CREATE, refusal("InvalidParameter", "ZoneCode is not valid."))
    with pytest.raises(Refused, match=NO_MONEY) as caught:
        up(engine, provider, INPUTS)
    assert "same ClientToken" not in line(caught.value)


@pytest.mark.parametrize(("token", "refused"), [("mine", True), ("yours", False)])
def test_what_replaces_needs_another_client_token(
    engine: Engine, provider: InstanceProvider, token: str, refused: bool
) -> None:
    olds = {**INPUTS, "client_token": "mine"}
    state = {**unfinished(4), "client_token": "mine"}
    news = {**INPUTS, "client_token": token, "zone_code": "ap-guangzhou-3"}
    if refused:
        with pytest.raises(Error, match=r"names the same order\. Give another") as caught:
            engine.diff(provider, ID, state, olds, news)
        assert NO_MONEY in line(caught.value)
    else:
        assert "zone_code" in (engine.diff(provider, ID, state, olds, news).replaces or [])


def test_what_replaces_an_order_without_a_known_token_needs_none(
    engine: Engine, provider: InstanceProvider
) -> None:
    state = {name: value for name, value in unfinished(4).items() if name != "client_token"}
    news = {**INPUTS, "zone_code": "ap-guangzhou-3"}
    assert "zone_code" in (engine.diff(provider, ID, state, INPUTS, news).replaces or [])


def test_an_order_of_an_earlier_run_may_be_held_by_another_stack(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    log: Log,
) -> None:
    """As where two stacks of the same name in two backends have the same URNs."""
    state = bought(engine, cloud, provider)
    assert log.warned == []
    cloud.deals[0]["CreateTime"] = china(hours=20)
    assert up(engine, next_run(), INPUTS).id == state["order_id"]
    [said] = log.warned
    assert_one_line(said)
    assert f"order {ID} was made before this run" in said


def test_an_order_whose_age_does_not_show_is_not_called_another_stacks(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    log: Log,
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals[0]["CreateTime"] = f"{china(hours=20)}?"
    assert up(engine, next_run(), INPUTS).id == state["order_id"]
    assert log.warned == []


def test_an_order_that_is_replaced_by_itself_is_not_called_another_stacks(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    log: Log,
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals[0]["CreateTime"] = china(hours=20)
    again = next_run()
    inputs = engine.check(again, INPUTS, INPUTS).inputs
    assert engine.create(again, inputs).id == state["order_id"]
    assert log.warned == []


def test_a_client_token_whose_order_is_dead_is_an_error(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    news = {**INPUTS, "client_token": "mine"}
    up(engine, provider, news)
    cloud.deals[0]["Status"] = 6
    cloud.records.clear()
    with pytest.raises(Error) as caught:
        up(engine, next_run(), news)
    assert not isinstance(caught.value, InitFailed)
    assert set(cloud.tokens) == {"mine"}
    assert ID in line(caught.value)
    assert "client_token" in line(caught.value)
    assert NO_MONEY in line(caught.value)


def test_a_client_token_that_is_refused_is_an_error_that_names_it(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal("old", Status=6)]
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    with pytest.raises(Refused, match="client_token"):
        up(engine, provider, {**INPUTS, "client_token": "mine"})
    assert cloud.tokens == ["mine"]


def test_a_dead_order_is_one_whatever_the_vendor_says_of_its_token(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal", "The deal of this ClientToken."))
    with pytest.raises(Refused, match="give another to order anew") as caught:
        up(engine, provider, {**INPUTS, "client_token": "mine"})
    assert "it was paid, refunded or closed" in line(caught.value)


@pytest.mark.parametrize(
    ("days", "term", "orders"),
    [
        (1, {}, 1),
        (100, {}, 1),
        (130, {}, 2),
        (200, {"TimeSpan": 4.0}, 1),
        (200, {"TimeUnit": "y"}, 1),
        (470, {"TimeUnit": "y"}, 2),
        (500, {"TimeUnit": "d"}, 1),
        (500, {"TimeSpan": None}, 1),
    ],
)
def test_an_order_whose_instances_do_not_show_is_used_up_long_after_its_term(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    days: int,
    term: dict[str, Any],
    orders: int,
) -> None:
    cloud.shows = False
    cloud.new = {"CreateTime": china(days=days), **term}
    cloud._CreateInstance({"ClientToken": _first_token(engine, cloud, provider)})
    # What is that old must be looked for before the last quarter, too.
    cloud.new = {}
    up(engine, next_run(), INPUTS)
    assert len(cloud.deals) == orders


def refund(id: str = ONE, **changes: Any) -> dict[str, Any]:
    """An order that has refunded an instance."""
    return deal("refund", **{"Action": "refund", "Status": 6, "ResourceId": [id], **changes})


@pytest.mark.parametrize(("status", "orders"), [(6, 2), (13, 2), (2, 2), (5, 1), (7, 1)])
def test_an_order_is_used_up_once_it_is_refunded_whatever_its_record_says(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    status: int,
    orders: int,
) -> None:
    up(engine, provider, INPUTS)
    cloud.deals.append(refund(Status=status))
    up(engine, next_run(), INPUTS)
    assert cloud.records[0]["Status"] == "NORMAL"
    assert len(set(cloud.tokens)) == orders


def test_an_order_is_used_up_once_all_its_instances_have_ended(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    up(engine, provider, PAIR)
    cloud.records[0]["Status"] = "ISOLATED"
    up(engine, next_run(), PAIR)
    assert len(set(cloud.tokens)) == 1
    cloud.records[1]["Status"] = "ISOLATED"
    up(engine, next_run(), PAIR)
    assert len(set(cloud.tokens)) == 2


def test_an_order_is_not_used_up_while_one_instance_does_not_show(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    up(engine, provider, PAIR)
    cloud.records = [record(Status="ISOLATED")]
    up(engine, next_run(), PAIR)
    assert len(set(cloud.tokens)) == 1


@pytest.mark.parametrize(("days", "looks"), [(300, 4), (0, 1), (None, 20)])
def test_a_refund_is_looked_for_since_the_order_was_made(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    days: int | None,
    looks: int,
) -> None:
    cloud.shows = False
    token = _first_token(engine, cloud, provider)
    cloud.new = {"CreateTime": china(days=days or 0), "TimeUnit": "y"}
    cloud._CreateInstance({"ClientToken": token})
    if days is None:
        cloud.says(DEALS, served(Deals=[{**cloud.deals[0], "CreateTime": None}]))
    cloud.new = {}
    if days:
        cloud.deals.append(refund(CreateTime=china(days=280)))
    up(engine, next_run(), INPUTS)
    asked = [body for body in cloud.bodies(DEALS) if body.get("ResourceId") == ONE]
    assert len(asked) >= looks
    assert len(set(cloud.tokens)) == (2 if days else 1)


def test_a_refused_token_makes_way_where_its_order_shows_as_delivered_and_is_refunded(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    state = bought(engine, cloud, provider)
    delete(engine, provider, state)
    assert cloud.deals[0]["Status"] == 4
    cloud.says(CREATE, refusal("FailedOperation.InvalidDeal"))
    up(engine, next_run(), INPUTS)
    assert len(set(cloud.tokens)) == 2


def test_an_order_whose_instances_do_not_show_is_used_up_once_each_is_refunded(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    cloud.shows = False
    up(engine, provider, PAIR)
    cloud._RefundInstance({"InstanceId": ONE})
    up(engine, next_run(), PAIR)
    assert len(set(cloud.tokens)) == 1
    cloud._RefundInstance({"InstanceId": TWO})
    up(engine, next_run(), PAIR)
    assert len(set(cloud.tokens)) == 2


# Lost answers


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_answer_is_asked_for_again_with_the_same_token(
    engine: Engine, cloud: Billing, provider: InstanceProvider, lost: Callable[[], Reply]
) -> None:
    cloud.says(CREATE, lost(), lost(), lost(), done=True)
    state = bought(engine, cloud, provider)
    assert len(cloud.tokens) == 4
    assert len(set(cloud.tokens)) == 1
    assert len(cloud.deals) == 1
    assert state["order_id"] == ID


def test_an_answer_without_an_order_is_as_good_as_lost(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.says(CREATE, served(), served(), done=True)
    assert bought(engine, cloud, provider)["order_id"] == ID
    assert len(cloud.tokens) == 3
    assert len(set(cloud.tokens)) == 1


def test_answers_that_stay_lost_are_found_by_the_next_run(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    cloud.says(CREATE, *(read_timeout() for _ in range(6)), done=True)
    with pytest.raises(Error) as caught:
        up(engine, provider, INPUTS)
    assert "Whether money has moved is not known" in line(caught.value)
    assert NO_MONEY not in line(caught.value)
    state = outs(up(engine, next_run(), INPUTS))
    assert len(set(cloud.tokens)) == 1
    assert len(cloud.deals) == 1
    assert state["order_id"] == ID


def test_a_refusal_after_a_lost_answer_does_not_say_that_no_money_has_moved(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.says(CREATE, read_timeout(), refusal("FailedOperation.BalanceInsufficient"), done=True)
    with pytest.raises(Refused) as caught:
        up(engine, provider, INPUTS)
    assert NO_MONEY not in line(caught.value)
    assert "Whether money has moved is not known" in line(caught.value)
    assert len(set(cloud.tokens)) == 1


def test_a_plain_refusal_says_that_no_money_has_moved(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.says(CREATE, refusal("FailedOperation.BalanceInsufficient"))
    with pytest.raises(Refused, match=NO_MONEY):
        up(engine, provider, INPUTS)
    assert cloud.changes == [CREATE]


@pytest.mark.parametrize(("code", "times"), [("OperationDenied", 2), ("InternalError", 10)])
def test_a_look_that_is_refused_after_a_purchase_says_nothing_of_money(
    engine: Engine, cloud: Billing, provider: InstanceProvider, code: str, times: int
) -> None:
    cloud.says(RECORDS, *[refusal(code)] * times)
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS)
    assert code in line(caught.value)
    assert "money" not in line(caught.value)
    assert caught.value.id in line(caught.value)


# The delivery


def test_ids_that_come_late_are_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"Status": 3, "ResourceId": None}
    cloud.after(3, DEALS, lambda: cloud.deals[0].update(Status=4, ResourceId=[ONE]))
    cloud.records = [record()]
    state = bought(engine, cloud, provider)
    assert cloud.count(CREATE) == 1
    assert state["instance_id_list"] == [ONE]
    assert state["status"] == "NORMAL"


def test_ids_that_come_in_part_are_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"ResourceId": [ONE]}
    cloud.after(3, DEALS, lambda: cloud.deals[0].update(ResourceId=[ONE, TWO]))
    cloud.records = [record(TWO)]
    state = bought(engine, cloud, provider, PAIR)
    assert state["instance_id_list"] == [ONE, TWO]
    assert cloud.count(CREATE) == 1


def test_ids_that_stay_in_part_are_kept_and_finished_by_the_next_run(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    cloud.new = {"ResourceId": [ONE], "Status": 3}
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, PAIR, timeout=0.5)
    kept = caught.value.outputs
    assert engine.diff(next_run(), ID, kept, PAIR, PAIR).changes is True
    cloud.deals[0].update(Status=4, ResourceId=[ONE, TWO])
    cloud.records = [record(), record(TWO)]
    state = outs(engine.update(next_run(), ID, kept, PAIR, PAIR))
    assert state["instance_id_list"] == [ONE, TWO]
    assert cloud.changes == [CREATE]


def test_a_delivered_order_is_waited_for_until_all_of_its_instances_show(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"ResourceId": [ONE]}
    cloud.shows = False
    cloud.records = [record(), record(TWO)]
    cloud.after(4, DEALS, lambda: cloud.deals[0].update(ResourceId=[ONE, TWO]))
    assert outs(up(engine, provider, PAIR))["instance_id_list"] == [ONE, TWO]
    assert cloud.changes == [CREATE]


def test_an_order_that_stays_unpaid_says_that_no_money_was_taken(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"Status": 1, "ResourceId": None}
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS)
    assert "UNPAID" in line(caught.value)
    assert "No money was taken" in line(caught.value)
    # Nothing but the console pays it from here on.
    assert "pay or cancel it in the billing console" in line(caught.value)
    assert cloud.count(CREATE) == 1


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ({"Status": 1}, "the order is UNPAID. No money was taken"),
        (
            {"Status": 2},
            "PAID after some seconds. It is paid, or being paid, and not delivered in full;",
        ),
        (
            {"Status": 4},
            "DELIVERED after some seconds. It is paid, and not all of its instances show;",
        ),
        ({"Status": 13}, "REFUNDING after some seconds. The money is on its way back;"),
        # A status that no page knows is not asked for.
        ({"Status": 14}, "not visible yet after some seconds. Whether it is paid is not known;"),
    ],
)
def test_an_order_that_is_not_waited_for_any_longer_says_where_the_money_is(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    monkeypatch: pytest.MonkeyPatch,
    new: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.setattr(billing, "_SECONDS_TO_PAY", 60)
    cloud.new = {"ResourceId": None, **new}
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS, timeout=0.2)
    assert said in re.sub(r"after \d+ s\.", "after some seconds.", line(caught.value))
    assert line(caught.value).count("`pulumi up`") == 1
    assert caught.value.outputs["status"] == NAMES.get(new["Status"], "PAYING")


def test_a_delivery_that_failed_is_not_bought_anew(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"Status": 5, "ResourceId": None}
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS)
    assert "The money was taken" in line(caught.value)
    assert engine.diff(provider, ID, caught.value.outputs, INPUTS, INPUTS).replaces == []


class Passing(Hurried):
    """A call whose pauses are as long as they are, by a clock that nobody waits for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._clock.passes(seconds)


@pytest.fixture
def call(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Passing:
    for name, value in WAITS.items():
        monkeypatch.setattr(billing, name, value)
    return Passing(clock)


def connected(provider: InstanceProvider, call: Passing, seconds: float) -> Api:
    return provider.connect("", call, Deadline(seconds))


def test_a_delivery_is_looked_for_each_second_and_later_every_three(
    cloud: Billing, provider: InstanceProvider, call: Passing
) -> None:
    cloud.deals = [deal(Status=3, ResourceId=None)]
    api = connected(provider, call, 60)
    with pytest.raises(NotReady, match="DELIVERING after 60 s"):
        provider.finish(api, ID, INPUTS, {"ordered_time": china()})
    assert call.pauses == [1] * 30 + [3] * 10


def test_an_unpaid_order_is_waited_for_a_minute(
    cloud: Billing, provider: InstanceProvider, call: Passing
) -> None:
    cloud.deals = [deal(Status=1, ResourceId=None)]
    with pytest.raises(NotReady, match="UNPAID"):
        provider.finish(connected(provider, call, 900), ID, INPUTS, {"ordered_time": china()})
    assert 60 <= sum(call.pauses) <= 65


AT_MOST_A_MINUTE = pytest.mark.parametrize(("seconds", "waited"), [(20, 20), (900, 60)])


@AT_MOST_A_MINUTE
def test_a_term_is_waited_for_a_minute(
    cloud: Billing, provider: InstanceProvider, call: Passing, seconds: float, waited: float
) -> None:
    cloud.deals = [deal()]
    api = connected(provider, call, seconds)
    state = provider.finish(api, ID, INPUTS, {"ordered_time": china()})
    assert state["status"] == "DELIVERED"
    assert waited <= sum(call.pauses) <= waited + 5


@AT_MOST_A_MINUTE
def test_a_renewal_is_waited_for_a_minute(
    cloud: Billing, provider: InstanceProvider, call: Passing, seconds: float, waited: float
) -> None:
    cloud.deals = [deal()]
    cloud.records = [record()]
    cloud.renewal = {"Status": 2}
    inputs = {**INPUTS, "paid_until": "2099-02-01T00:00:00+08:00"}
    before = {"instance_id_list": [ONE], "expired_time": ENDS}
    with pytest.raises(NotReady, match="buys nothing twice"):
        provider.finish(connected(provider, call, seconds), ID, inputs, before)
    assert sum(call.pauses) == waited


@AT_MOST_A_MINUTE
def test_an_order_that_is_to_be_deleted_is_waited_for_a_minute(
    cloud: Billing, provider: InstanceProvider, call: Passing, seconds: float, waited: float
) -> None:
    with pytest.raises(Error, match="may have been paid"):
        provider.remove(connected(provider, call, seconds), ID, unfinished(2))
    assert sum(call.pauses) == waited


def test_a_lock_is_waited_for_as_long_as_there_is_time(
    cloud: Billing, provider: InstanceProvider, call: Passing
) -> None:
    cloud.deals = [deal()]
    cloud.records = [record()]
    cloud.says(REFUND, *[refusal("InvalidParameter.ResourceLocked")] * 100)
    with pytest.raises(Refused, match="another change"):
        provider.remove(connected(provider, call, 20), ID, unfinished(4))
    assert call.pauses == [1] * 20


def test_a_refund_is_waited_for_as_long_as_there_is_time(
    cloud: Billing, provider: InstanceProvider, call: Passing
) -> None:
    cloud.deals = [deal()]
    cloud.records = [record()]
    cloud.refund_status = 3
    with pytest.raises(Error, match="not done after 20 s"):
        provider.remove(connected(provider, call, 20), ID, unfinished(4))
    assert call.pauses == [1] * 20


def test_a_purchase_may_take_a_quarter_of_an_hour(
    engine: Engine, cloud: Billing, provider: InstanceProvider, clock: Clock
) -> None:
    cloud.new = {"Status": 3, "ResourceId": None}
    for count in range(1, 12):
        cloud.after(count, DEALS, lambda: clock.passes(100))
    with pytest.raises(InitFailed, match="after 900 s"):
        up(engine, provider, INPUTS)


def test_a_delivery_is_not_waited_for_once_the_engine_has_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"Status": 3, "ResourceId": None}
    cloud.after(2, DEALS, engine.context.end)
    with pytest.raises(InitFailed):
        up(engine, provider, INPUTS, timeout=0.5)
    assert cloud.count(DEALS) == 2


def test_a_term_is_not_waited_for_once_the_engine_has_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.shows = False
    cloud.after(1, CREATE, engine.context.end)
    state = bought(engine, cloud, provider)
    assert state["instance_id_list"] == [ONE]
    # In the purchase, and once for its term.
    assert cloud.count(RECORDS) == 2
    # The next run finds it again.
    assert cloud.changes == [CREATE]


def test_an_order_of_a_status_that_nobody_knows_is_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"Status": 77, "ResourceId": None}
    cloud.says(DEALS, *[served(Deals=[deal(Status=77, ResourceId=None)])] * 4)
    cloud.after(4, DEALS, lambda: cloud.deals[0].update(Status=4, ResourceId=[ONE]))
    cloud.records = [record()]
    assert bought(engine, cloud, provider)["status"] == "NORMAL"


def test_another_order_in_an_answer_is_none_of_ours(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    other = deal("other", Status=6, ResourceId=["cfw-other"])
    cloud.says(DEALS, *[served(Deals=[other, deal()])] * 2)
    state = bought(engine, cloud, provider)
    assert (state["order_id"], state["instance_id_list"]) == (ID, [ONE])


def test_another_instance_in_an_answer_is_none_of_ours(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    other = record("cfw-other", ExpireTime="2030-01-01 00:00:00")
    cloud.says(RECORDS, *[served(InstanceList=[other, record()])] * 3)
    assert bought(engine, cloud, provider)["expired_time"] == ENDS


def test_many_instances_are_asked_for_a_hundred_at_a_time(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"ResourceId": [f"cfw-{number}" for number in range(201)]}
    news = {**INPUTS, "parameter": {}, "quantity": 201}
    state = bought(engine, cloud, provider, news)
    assert state["instance_id_list"] == cloud.new["ResourceId"]
    bodies = cloud.bodies(RECORDS)[:3]
    asked = [body.pop("InstanceIdList") for body in bodies]
    assert [len(ids) for ids in asked] == [100, 100, 1]
    assert [id for ids in asked for id in ids] == cloud.new["ResourceId"]
    assert bodies == [{"MaxResults": 100, "Reverse": False}] * 3


def test_orders_with_numbers_as_ids_are_found(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"OrderId": 20260101000077}
    result = up(engine, provider, INPUTS)
    assert result.id == "20260101000077"
    assert outs(result)["instance_id_list"] == [ONE]
    asked = [body["OrderId"] for body in cloud.bodies(DEALS) if "ResourceId" not in body]
    assert set(asked) == {"20260101000077"}


def test_a_site_that_refuses_later_statuses_is_asked_again_without_them(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.unknown = {13, 30}
    assert bought(engine, cloud, provider)["status"] == "NORMAL"
    first, second, *_ = [body["StatusSet"] for body in cloud.bodies(DEALS)]
    assert first == [*range(1, 14), 30]
    assert second == list(range(1, 13))


def test_a_site_that_knows_no_list_of_statuses_is_asked_for_each(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.knows_sets = False
    assert bought(engine, cloud, provider)["status"] == "NORMAL"
    asked = [body["Status"] for body in cloud.bodies(DEALS) if "Status" in body]
    assert asked == [*range(1, 13)] * (len(asked) // 12)


def test_a_site_that_knows_no_list_of_statuses_shows_what_was_not_delivered(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.knows_sets = False
    cloud.new = {"Status": 5, "ResourceId": None}
    with pytest.raises(InitFailed, match="the order is DELIVERY_FAILED"):
        up(engine, provider, INPUTS, timeout=1)


def test_what_is_no_id_among_an_orders_instances_is_left_out(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.new = {"ResourceId": [7, "", ONE, None, TWO]}
    cloud.shows = False
    cloud.records = [record(), record(TWO)]
    assert bought(engine, cloud, provider, PAIR)["instance_id_list"] == [ONE, TWO]


def test_no_look_asks_for_more_orders_than_still_show_their_instances(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    bought(engine, cloud, provider)
    for body in cloud.bodies(DEALS):
        assert (body["Limit"], body["Offset"]) == (200, 0)
        start, end = (
            datetime.strptime(body[name], "%Y-%m-%d %H:%M:%S") for name in ("StartTime", "EndTime")
        )
        assert end - start <= timedelta(days=92)


def test_renew_flag_of_an_order_that_was_found_again_is_set(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    news = {**INPUTS, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    cloud.shows = False
    cloud.records = [record()]
    state = bought(engine, cloud, provider, news)
    assert state["renew_flag"] == "NOTIFY_AND_AUTO_RENEW"
    assert cloud.changes == [CREATE, SET]
    [body] = cloud.bodies(SET)
    assert body == {
        "ProductCode": "p_cloudfirewall",
        "RegionCode": "ap-guangzhou",
        "InstanceId": ONE,
        "RenewFlag": "NOTIFY_AND_AUTO_RENEW",
        "RenewPeriod": "1",
        "RenewPeriodUnit": "m",
    }


# Reading


def unfinished(status: int) -> dict[str, Any]:
    """The state of an order that was not delivered when its run ended."""
    return {
        **{name: INPUTS[name] for name in INPUTS},
        "order_id": ID,
        "status": NAMES[status],
        "client_token": "t",
        "ordered_time": china(),
    }


def read(
    engine: Engine, provider: InstanceProvider, state: Mapping[str, Any], **notes: Any
) -> tuple[str, dict[str, Any]]:
    result = engine.read(provider, ID, {**state, **notes}, INPUTS)
    return str(result.id or ""), outs(result)


def test_read_shows_what_lives(engine: Engine, cloud: Billing, provider: InstanceProvider) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0]["RenewFlag"] = "NOTIFY_AND_AUTO_RENEW"
    id, now = read(engine, provider, state)
    assert id == ID
    assert now == {**state, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    assert cloud.changes == [CREATE]


def test_read_warns_of_an_isolated_one_and_keeps_it(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0]["Status"] = "ISOLATED"
    id, now = read(engine, provider, state)
    assert (id, now["status"]) == (ID, "ISOLATED")
    [said] = log.warned
    assert_one_line(said)
    assert ONE in said


@pytest.mark.parametrize(
    ("status", "ids", "shown"),
    [
        *((number, None, name) for number, name in NAMES.items()),
        (77, None, "77"),
        (3, [ONE], "DELIVERING"),
        (4, [ONE], "NORMAL"),
        (6, [ONE], None),
    ],
)
def test_read_shows_what_became_of_an_order_that_was_not_delivered(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    status: int,
    ids: list[str] | None,
    shown: str | None,
) -> None:
    made = china(days=1000)
    cloud.deals = [deal(Status=status, ResourceId=ids, CreateTime=made)]
    cloud.says(DEALS, served(Deals=cloud.deals))
    cloud.records = [record()] if ids and status == 4 else []
    id, now = read(engine, provider, unfinished(2), ordered_time=made)
    assert now.get("status") == shown
    assert id == (ID if shown else "")
    [body] = cloud.bodies(DEALS)
    assert body["EndTime"] < china(days=900)
    if id:
        # What shows no instances is looked at again, or bought anew.
        changes = engine.diff(provider, ID, now, INPUTS, INPUTS).changes
        assert changes is (shown != "NORMAL")


def test_read_asks_for_the_instances_that_are_known_and_not_for_the_order(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    before = cloud.count(DEALS)
    cloud.deals.clear()
    assert read(engine, provider, state) == (ID, state)
    assert cloud.count(DEALS) == before


def test_an_order_is_looked_for_about_when_it_was_made(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    made = clock.now() - timedelta(days=1000)
    notes = {"ordered_time": china(days=1000)}
    cloud.deals = [deal(CreateTime=notes["ordered_time"])]
    state = {**unfinished(4), "instance_id_list": [ONE]}
    assert read(engine, provider, state, **notes)[1]["status"] == "DELIVERED"
    first, *_ = cloud.bodies(DEALS)
    assert first["OrderId"] == ID
    zone = timezone(timedelta(hours=8))
    start, end = (
        datetime.strptime(first[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
        for name in ("StartTime", "EndTime")
    )
    assert abs(made - timedelta(days=88) - start) < timedelta(minutes=1)
    assert abs(made + timedelta(days=2) - end) < timedelta(minutes=1)


@pytest.mark.parametrize("noted", ["soon", "", None])
def test_an_order_of_which_no_time_is_known_is_looked_for_in_the_last_years(
    engine: Engine, cloud: Billing, provider: InstanceProvider, noted: str | None
) -> None:
    cloud.deals = [deal(CreateTime=china(days=1700))]
    cloud.records = [record()]
    id, now = read(engine, provider, unfinished(2), ordered_time=noted)
    assert (id, now["status"]) == (ID, "NORMAL")


def test_an_order_under_way_whose_instances_do_not_show_is_kept(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records.clear()
    cloud.deals[0]["Status"] = 3
    id, now = read(engine, provider, state)
    assert (id, now["status"], now["instance_id_list"]) == (ID, "DELIVERING", [ONE])


def test_an_order_is_not_gone_while_one_instance_is_not_refunded(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider, PAIR)
    cloud._RefundInstance({"InstanceId": ONE})
    assert read(engine, provider, state)[0] == ID
    cloud._RefundInstance({"InstanceId": TWO})
    assert read(engine, provider, state)[0] == ""


def test_a_refund_that_failed_is_none(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider)
    failed = deal("failed", Action="refund", Status=7)
    cloud.deals.append(failed)
    assert read(engine, provider, state)[0] == ID
    delete(engine, provider, state)
    assert cloud.changes == [CREATE, REFUND]


@pytest.mark.parametrize("first_is_as_given", [True, False])
def test_an_order_whose_renew_flag_is_not_given_shows_one_that_is_not_the_default(
    engine: Engine, cloud: Billing, provider: InstanceProvider, first_is_as_given: bool
) -> None:
    flags = ["NOTIFY_AND_MANUAL_RENEW", "NOTIFY_AND_AUTO_RENEW"]
    cloud.deals = [deal(ResourceId=[ONE, TWO])]
    cloud.records = [record(RenewFlag=flags[0]), record(TWO, RenewFlag=flags[1])]
    if not first_is_as_given:
        cloud.records.reverse()
    assert outs(engine.read(provider, ID, None, {}))["renew_flag"] == flags[1]


def test_the_term_ends_when_that_of_the_first_live_instance_does(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    one, two = cloud.records
    one.update(ExpireTime="2099-03-01 00:00:00")
    two.update(ExpireTime="2099-02-01 00:00:00", ProductCode="p_two")
    assert read(engine, provider, state)[1]["expired_time"] == "2099-02-01T00:00:00+08:00"
    one.update(Status="ISOLATED", ExpireTime="2020-01-01 00:00:00")
    now = read(engine, provider, state)[1]
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"
    assert (now["status"], now["product_code"]) == ("NORMAL", "p_two")
    two.update(ExpireTime="never")
    assert read(engine, provider, state)[1]["expired_time"] == ENDS


@pytest.mark.parametrize("given", [None, *billing._RENEW_FLAGS[:2]])
def test_of_renew_flags_that_differ_one_shows_that_is_not_the_programs(
    engine: Engine, cloud: Billing, provider: InstanceProvider, given: str | None
) -> None:
    news = {**PAIR, "renew_flag": given}
    state = bought(engine, cloud, provider, news)
    cloud.records[0]["RenewFlag"] = "DISABLE_NOTIFY_AND_MANUAL_RENEW"
    again = engine.read(provider, ID, state, news)
    assert outs(again)["renew_flag"] == "DISABLE_NOTIFY_AND_MANUAL_RENEW"
    assert engine.diff(provider, ID, outs(again), again.inputs or {}, news).changes is not False
    now = outs(engine.update(provider, ID, outs(again), news, again.inputs))
    asked = given or "NOTIFY_AND_MANUAL_RENEW"
    assert now["renew_flag"] == asked
    assert [one["RenewFlag"] for one in cloud.records] == [asked] * 2
    assert cloud.count(SET) == 1


def test_a_renew_flag_that_one_of_two_new_instances_has_not_is_set(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.shows = False
    flag = "NOTIFY_AND_AUTO_RENEW"
    cloud.records = [record(RenewFlag=flag), record(TWO)]
    state = bought(engine, cloud, provider, {**PAIR, "renew_flag": flag})
    assert state["renew_flag"] == flag
    assert [body["InstanceId"] for body in cloud.bodies(SET)] == [TWO]


def test_of_renew_flags_of_isolated_instances_one_shows_that_is_not_the_programs(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    news = {**PAIR, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    state = bought(engine, cloud, provider, news)
    cloud.records[0]["Status"] = "ISOLATED"
    cloud.records[1].update(Status="ISOLATED", RenewFlag="NOTIFY_AND_MANUAL_RENEW")
    assert read(engine, provider, state)[1]["renew_flag"] == "NOTIFY_AND_MANUAL_RENEW"


def test_a_renew_flag_of_an_adopted_order_stays_as_it_is(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal()]
    cloud.records = [record(RenewFlag="NOTIFY_AND_AUTO_RENEW")]
    news = {**INPUTS, "adopt_id": ID, "paid_until": "2099-02-01T00:00:00+08:00"}
    state = outs(engine.create(provider, news))
    assert state["renew_flag"] == "NOTIFY_AND_AUTO_RENEW"
    assert cloud.count(SET) == 0


def test_a_renew_flag_that_the_program_does_not_give_is_compared_as_it_was(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    flag = "NOTIFY_AND_AUTO_RENEW"
    state = bought(engine, cloud, provider, {**PAIR, "renew_flag": flag})
    cloud.records[1]["RenewFlag"] = "NOTIFY_AND_MANUAL_RENEW"
    news = {**PAIR, "period": 2}
    now = outs(engine.update(provider, ID, state, news, PAIR))
    assert now["renew_flag"] == "NOTIFY_AND_MANUAL_RENEW"
    assert cloud.count(SET) == 0


@pytest.mark.parametrize("isolated", [True, False])
def test_a_refresh_warns_of_instances_that_have_ended_while_others_live(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, isolated: bool
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    if isolated:
        cloud.records[0]["Status"] = "ISOLATED"
    else:
        del cloud.records[0]
        # One that does not show may do so later.
        assert read(engine, provider, state)[1] == state
        assert log.warned == []
        cloud.deals.append(refund())
    id, now = read(engine, provider, state)
    assert (id, now) == (ID, {**state, "ended": [ONE]})
    [said] = log.warned
    assert_one_line(said)
    assert f"{ONE} of 2 instances have ended" in said
    news = {**PAIR, "paid_until": "2099-02-01T00:00:00+08:00"}
    engine.diff(provider, ID, now, PAIR, news)
    assert "1 more months for 1 instance (cfw-2)" in log.warned[-1]
    # What shows again has not ended.
    cloud.records = [record(), record(TWO)]
    assert read(engine, provider, now)[1] == state


def test_what_a_record_leaves_out_is_as_it_was(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    names = ("Status", "RenewFlag", "ProductCode", "SubProductCode", "RegionCode")
    cloud.records[0].update(dict.fromkeys(names))
    assert read(engine, provider, state) == (ID, state)


def test_a_product_whose_instances_do_not_show_is_kept(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider)
    assert log.warned == []
    assert state["status"] == "DELIVERED"
    assert "expired_time" not in state
    assert read(engine, provider, state) == (ID, state)
    diff = engine.diff(provider, ID, state, INPUTS, INPUTS)
    assert (diff.changes, diff.replaces) == (False, [])


@pytest.mark.parametrize("isolated", [True, False])
def test_a_refunded_order_is_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider, isolated: bool
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals[0]["Status"] = 6
    cloud.records = [record(Status="ISOLATED")] if isolated else []
    assert read(engine, provider, state) == ("", {})


def test_a_product_that_does_not_show_is_gone_once_a_refund_of_it_shows(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider)
    cloud._RefundInstance({"InstanceId": ONE})
    assert read(engine, provider, state) == ("", {})


def test_one_that_expired_and_does_not_show_is_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records.clear()
    assert read(engine, provider, state)[0] == ID
    assert read(engine, provider, state, expired_time=later(minutes=30))[0] == ID
    assert read(engine, provider, state, expired_time="2020-01-01T00:00:00+08:00") == ("", {})


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(("minutes", "gone"), [(1, False), (9.5, False), (10.5, True)])
def test_an_order_that_does_not_show_is_gone_but_not_within_ten_minutes(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    minutes: float,
    gone: bool,
    finished: bool,
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals.clear()
    cloud.records.clear()
    notes = {"ordered_time": china(minutes=minutes)}
    if not finished:
        state = unfinished(2)
    if gone:
        assert read(engine, provider, state, **notes) == ("", {})
    else:
        with pytest.raises(Error, match="does not show yet") as caught:
            read(engine, provider, state, **notes)
        assert not isinstance(caught.value, Gone)


@pytest.mark.parametrize(
    ("records", "status", "product_code"),
    [([record()], "NORMAL", "p_cloudfirewall"), ([], "DELIVERED", None)],
)
def test_get_finds_an_order_by_its_id_alone(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    records: list[dict[str, Any]],
    status: str,
    product_code: str | None,
) -> None:
    cloud.deals = [deal(CreateTime=china(days=300))]
    cloud.records = records
    result = engine.read(provider, ID, None, {})
    state = outs(result)
    assert result.id == ID
    assert state["instance_id_list"] == [ONE]
    assert (state["status"], state.get("product_code")) == (status, product_code)


def test_get_of_an_order_that_is_being_delivered_notes_when_it_was_made(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(Status=3, ResourceId=None, CreateTime=china(days=300))]
    state = outs(engine.read(provider, ID, None, {}))
    assert state["ordered_time"] == cloud.deals[0]["CreateTime"]


def test_get_of_what_is_not_there_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    with pytest.raises(Gone, match=ID):
        engine.read(provider, ID, None, {})
    assert cloud.count(DEALS) == 20


@pytest.mark.parametrize(("records", "status"), [([record()], "NORMAL"), ([], "DELIVERED")])
def test_adopt_id_takes_over_and_buys_nothing(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    records: list[dict[str, Any]],
    status: str,
) -> None:
    cloud.deals = [deal()]
    cloud.records = records
    result = up(engine, provider, {**INPUTS, "adopt_id": ID})
    assert result.id == ID
    assert (outs(result)["status"], outs(result)["instance_id_list"]) == (status, [ONE])
    assert cloud.changes == []


@pytest.mark.parametrize(("has", "quantity"), [(1, 2), (2, None), (2, 3)])
@pytest.mark.parametrize("shown", [True, False])
def test_an_order_of_another_quantity_cannot_be_adopted(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    has: int,
    quantity: int | None,
    shown: bool,
) -> None:
    ids = [ONE, TWO][:has]
    cloud.deals = [deal(ResourceId=ids)]
    cloud.records = [record(id) for id in ids] if shown else []
    with pytest.raises(Error, match=f"{ID}, which adopt_id names, bought {has} inst") as caught:
        up(engine, provider, {**PAIR, "adopt_id": ID, "quantity": quantity}, timeout=1)
    assert not isinstance(caught.value, InitFailed)
    assert f"quantity is {quantity or 1}. Give quantity as it was" in line(caught.value)


@pytest.mark.parametrize("status", DEAD)
def test_an_order_that_is_over_cannot_be_adopted(
    engine: Engine, cloud: Billing, provider: InstanceProvider, status: int
) -> None:
    cloud.deals = [deal(Status=status, ResourceId=None)]
    said = f"which adopt_id names, is {NAMES[status]}. Take adopt_id out to order anew"
    with pytest.raises(Error, match=said) as caught:
        up(engine, provider, {**INPUTS, "adopt_id": ID}, timeout=1)
    assert not isinstance(caught.value, InitFailed)


def test_an_order_that_is_not_delivered_yet_can_be_adopted(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(Status=3, ResourceId=None)]
    cloud.records = [record()]
    cloud.after(3, DEALS, lambda: cloud.deals[0].update(Status=4, ResourceId=[ONE]))
    assert outs(up(engine, provider, {**INPUTS, "adopt_id": ID}))["instance_id_list"] == [ONE]
    assert cloud.changes == []


@pytest.mark.parametrize("action", ["renew", "refund", "upgrade"])
def test_an_order_that_is_no_purchase_cannot_be_adopted(
    engine: Engine, cloud: Billing, provider: InstanceProvider, action: str
) -> None:
    cloud.deals = [deal(Action=action)]
    cloud.records = [record()]
    with pytest.raises(Error, match=f"order {ID} is no purchase") as caught:
        up(engine, provider, {**INPUTS, "adopt_id": ID})
    assert not isinstance(caught.value, InitFailed)
    line(caught.value)


@pytest.mark.parametrize("action", [None, "", "purchase"])
def test_an_order_that_may_be_a_purchase_can_be_adopted(
    engine: Engine, cloud: Billing, provider: InstanceProvider, action: str | None
) -> None:
    cloud.deals = [deal(Action=action)]
    cloud.records = [record()]
    assert up(engine, provider, {**INPUTS, "adopt_id": ID}).id == ID


# Changes


def test_renew_flag_is_changed_in_place(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    news = {**PAIR, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    assert engine.diff(provider, ID, state, PAIR, news).replaces == []
    now = outs(engine.update(provider, ID, state, news, PAIR))
    assert now["renew_flag"] == "NOTIFY_AND_AUTO_RENEW"
    assert [body["InstanceId"] for body in cloud.bodies(SET)] == [ONE, TWO]
    assert cloud.changes == [CREATE, SET, SET]


def test_a_renew_flag_is_set_where_it_is_another_and_by_the_term_that_shows(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    flag = "NOTIFY_AND_AUTO_RENEW"
    state = bought(engine, cloud, provider, PAIR)
    cloud.records[0]["RenewFlag"] = flag
    cloud.records[1].update(RenewPeriod=3, RenewPeriodUnit="y", RegionCode=None)
    outs(engine.update(provider, ID, state, {**PAIR, "renew_flag": flag}, PAIR))
    [body] = cloud.bodies(SET)
    assert body == {
        "ProductCode": "p_cloudfirewall",
        "RegionCode": "",
        "InstanceId": TWO,
        "RenewFlag": flag,
        "RenewPeriod": "3",
        "RenewPeriodUnit": "y",
    }


def test_a_renew_flag_of_what_is_being_delivered_is_set_after_it(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(Status=3, ResourceId=None)]
    cloud.records = [record()]
    cloud.after(3, DEALS, lambda: cloud.deals[0].update(Status=4, ResourceId=[ONE]))
    news = {**INPUTS, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    now = outs(engine.update(provider, ID, unfinished(3), news, INPUTS))
    assert now["renew_flag"] == "NOTIFY_AND_AUTO_RENEW"
    assert cloud.changes == [SET]


@pytest.mark.parametrize("shows", [True, False])
def test_a_renew_flag_of_a_new_order_is_not_set_again(
    engine: Engine, cloud: Billing, provider: InstanceProvider, shows: bool
) -> None:
    cloud.shows = shows
    bought(engine, cloud, provider, {**INPUTS, "renew_flag": "NOTIFY_AND_AUTO_RENEW"})
    assert cloud.changes == [CREATE]
    if shows:
        # In the purchase, and once for the state.
        assert cloud.count(RECORDS) == 2


def test_a_renew_flag_that_was_changed_is_kept_where_the_renewal_after_it_fails(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    news = {**INPUTS, "renew_flag": "NOTIFY_AND_AUTO_RENEW", "paid_until": "2099-02-01T00:00:00Z"}
    cloud.renewal = {"Status": 5}
    with pytest.raises(InitFailed) as caught:
        engine.update(provider, ID, state, news, INPUTS)
    assert caught.value.outputs == {**state, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("given", [True, False])
def test_the_default_renew_flag_is_no_change(
    engine: Engine, cloud: Billing, provider: InstanceProvider, shown: bool, given: bool
) -> None:
    state = bought(engine, cloud, provider)
    if not shown:
        del state["renew_flag"]
    news = {**INPUTS, "renew_flag": "NOTIFY_AND_MANUAL_RENEW"} if given else INPUTS
    assert engine.diff(provider, ID, state, INPUTS, news).changes is False


def test_a_renew_flag_that_is_taken_out_is_set_to_the_default(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    before = {**INPUTS, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    state = bought(engine, cloud, provider, before)
    now = outs(engine.update(provider, ID, state, INPUTS, before))
    assert now["renew_flag"] == "NOTIFY_AND_MANUAL_RENEW"
    assert cloud.changes == [CREATE, SET]


def test_a_renew_flag_of_a_locked_instance_waits(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(SET, *[refusal("InvalidParameter.ResourceLocked")] * 2)
    news = {**INPUTS, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    now = outs(engine.update(provider, ID, state, news, INPUTS))
    assert now["renew_flag"] == "NOTIFY_AND_AUTO_RENEW"
    assert cloud.count(SET) == 3


def test_a_renew_flag_that_was_not_set_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    failed = [{"Code": 71, "Message": "Not for this one", "InstanceId": ONE}]
    cloud.says(SET, served(InstanceList=failed))
    news = {**INPUTS, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    with pytest.raises(Error, match=r"Not for this one.*71"):
        engine.update(provider, ID, state, news, INPUTS)


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [
        ({}, {"period": 2}, ["period says"]),
        ({"period": 2}, {}, ["period says"]),
        ({"period": 1, "period_unit": "m"}, {}, []),
        ({}, {"period": 1, "period_unit": "m"}, []),
        ({}, {"period_unit": "y"}, ["period_unit says"]),
        ({}, {"period": 2, "period_unit": "y"}, ["period says", "period_unit says"]),
        ({}, {"period": rpc.UNKNOWN, "period_unit": "y"}, ["period_unit says"]),
    ],
)
def test_period_changed_later_buys_nothing_and_says_so(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    log: Log,
    before: dict[str, Any],
    after: dict[str, Any],
    warned: list[str],
) -> None:
    inputs = {**INPUTS, "parameter": {}}
    state = bought(engine, cloud, provider, {**inputs, **before})
    diff = engine.diff(provider, ID, state, {**inputs, **before}, {**inputs, **after})
    assert (diff.changes, diff.replaces) == (False, [])
    assert [said[: len(start)] for said, start in zip(log.warned, warned, strict=True)] == warned
    assert all("buys nothing" in said for said in log.warned)


def test_an_update_of_what_is_complete_does_not_look_for_the_order(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals.clear()
    before = cloud.count(DEALS)
    news = {**INPUTS, "renew_flag": "NOTIFY_AND_AUTO_RENEW"}
    now = outs(engine.update(provider, ID, state, news, INPUTS, 1))
    assert now["instance_id_list"] == [ONE]
    assert cloud.count(DEALS) == before


@pytest.mark.parametrize("renew_flag", [None, "NOTIFY_AND_AUTO_RENEW"])
def test_an_update_of_what_is_gone_buys_nothing_and_says_so(
    engine: Engine, cloud: Billing, provider: InstanceProvider, renew_flag: str | None
) -> None:
    state = {**bought(engine, cloud, provider), "ordered_time": china(hours=1)}
    cloud.records.clear()
    cloud.deals = [refund(), deal(CreateTime=china(hours=1))]
    news = {**INPUTS, "renew_flag": renew_flag, "paid_until": "2099-02-01T00:00:00+08:00"}
    with pytest.raises(Error) as caught:
        engine.update(provider, ID, state, news, INPUTS)
    if not renew_flag:
        assert "its instances are gone: refunded elsewhere, or expired" in line(caught.value)
        assert "`pulumi up --refresh` to make another" in line(caught.value)
    assert "money" not in line(caught.value)
    assert cloud.changes == [CREATE]


def test_what_does_not_show_for_a_moment_is_not_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = {**bought(engine, cloud, provider), "ordered_time": china(hours=1)}
    cloud.deals[0]["CreateTime"] = china(hours=1)
    cloud.says(RECORDS, *[served(InstanceList=None)] * 2)
    cloud.says(DEALS, *[served(Deals=None)] * 2)
    assert outs(engine.update(provider, ID, state, INPUTS, INPUTS)) == state


def test_what_a_refresh_saw_in_part_is_finished(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    assert engine.diff(provider, ID, state, PAIR, PAIR).changes is False
    partial = {**state, "instance_id_list": [ONE]}
    assert engine.diff(provider, ID, partial, PAIR, PAIR).changes is True
    unknown = {**PAIR, "quantity": rpc.UNKNOWN}
    assert engine.diff(provider, ID, partial, PAIR, unknown).replaces == ["quantity"]
    assert outs(engine.update(provider, ID, partial, PAIR, PAIR)) == state
    assert cloud.changes == [CREATE]


def test_ids_of_the_purchase_are_not_yet_what_was_delivered(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    cloud.new = {"Status": 3}
    cloud.shows = False
    with pytest.raises(InitFailed) as caught:
        up(engine, provider, INPUTS, timeout=0.5)
    kept = caught.value.outputs
    assert (kept["status"], kept["instance_id_list"]) == ("DELIVERING", [ONE])
    assert engine.diff(next_run(), ID, kept, INPUTS, INPUTS).changes is True
    with pytest.raises(InitFailed, match="DELIVERING"):
        engine.update(next_run(), ID, kept, INPUTS, INPUTS, 0.5)
    cloud.deals[0]["Status"] = 4
    cloud.records = [record()]
    assert outs(engine.update(next_run(), ID, kept, INPUTS, INPUTS))["status"] == "NORMAL"
    assert cloud.changes == [CREATE]


@pytest.mark.parametrize("status", [1, 2, 3, 5, 12, 13, 30])
def test_an_order_that_was_not_delivered_is_finished_by_the_next_run(
    engine: Engine, cloud: Billing, provider: InstanceProvider, status: int
) -> None:
    assert engine.diff(provider, ID, unfinished(status), INPUTS, INPUTS).changes is True


@pytest.mark.parametrize("odd", [5, "x", {"a": 1}, [{"a": 1}], None])
def test_a_state_of_another_form_is_compared_and_deleted_all_the_same(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    odd: Any,
) -> None:
    state = bought(engine, cloud, provider)
    outputs = {**state, "status": [odd], "instance_id_list": odd, "quantity": odd}
    assert engine.diff(provider, ID, outputs, INPUTS, INPUTS).replaces == []
    engine.delete(next_run(), ID, outputs, INPUTS)
    assert cloud.changes[-1] == "RefundInstance"


@pytest.mark.parametrize(
    ("name", "value"),
    [("on_delete", "retain"), ("adopt_id", "other"), ("paid_until", "2020-01-01T00:00:00Z")],
)
def test_what_only_tells_this_package_what_to_do_changes_nothing(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, name: str, value: str
) -> None:
    state = bought(engine, cloud, provider)
    diff = engine.diff(provider, ID, state, INPUTS, {**INPUTS, name: value})
    assert (diff.changes, diff.replaces) == (False, [])
    assert log.warned == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("product_code", "p_x"),
        ("sub_product_code", "sp_x"),
        ("region_code", "ap-x"),
        ("zone_code", "ap-x-1"),
        ("parameter", {"sv_width": 30}),
        ("quantity", 2),
        ("project_id", 2),
        ("client_token", "mine"),
    ],
)
def test_what_replaces_says_what_it_costs(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, name: str, value: Any
) -> None:
    state = bought(engine, cloud, provider)
    diff = engine.diff(provider, ID, state, INPUTS, {**INPUTS, name: value})
    assert diff.replaces == [name]
    assert not diff.delete_before_replace
    [said] = log.warned
    assert "buys a new one" in said


# Renewals


def renewed(
    engine: Engine,
    provider: InstanceProvider,
    state: Mapping[str, Any],
    paid_until: str,
    inputs: Mapping[str, Any] = INPUTS,
    timeout: float = 0,
) -> dict[str, Any]:
    news = {**inputs, "paid_until": paid_until}
    assert engine.diff(provider, ID, state, inputs, news).changes is True
    return outs(engine.update(provider, ID, state, news, inputs, timeout))


def test_a_term_is_not_renewed_in_the_run_that_buys_it(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    # Of that long a term the check would not take one more.
    news = {**INPUTS, "paid_until": "2099-03-01T00:00:00+08:00"}
    state = outs(engine.create(provider, news))
    assert cloud.changes == [CREATE]
    assert "buys 2 more months" in log.warned[-1]
    diff = engine.diff(provider, ID, state, news, news)
    assert diff.changes is True
    assert "this buys 2 more months" in log.warned[-1]
    now = outs(engine.update(provider, ID, state, news, news))
    assert cloud.changes == [CREATE, RENEW]
    assert now["expired_time"] == "2099-03-01T00:00:00+08:00"
    assert engine.diff(provider, ID, now, news, news).changes is False


def test_paid_until_that_is_not_known_yet_may_buy_a_term(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    state = bought(engine, cloud, provider)
    news = {**INPUTS, "paid_until": rpc.UNKNOWN}
    assert engine.diff(provider, ID, state, INPUTS, news).changes is True
    [said] = log.warned
    assert "may buy a term" in said


@pytest.mark.parametrize("shows", [True, False])
def test_paid_until_without_an_end_of_the_term_cannot_be_seen_to(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, shows: bool
) -> None:
    cloud.shows = shows
    bought(engine, cloud, provider, {**INPUTS, "paid_until": "2020-01-01T00:00:00Z"})
    assert ["cannot be seen to" in said for said in log.warned] == [True] * (not shows)


def test_a_renewal_names_the_instance_as_the_vendor_does(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0].update(RegionCode="ap-other", SubProductCode=None)
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    [body] = cloud.bodies(RENEW)
    assert len(body.pop("ClientToken")) == 64
    assert body == {
        "ProductCode": "p_cloudfirewall",
        "SubProductCode": "sp_cloudfirewall_svv1",
        "RegionCode": "ap-other",
        "InstanceId": ONE,
        "Period": 1,
        "PeriodUnit": "m",
    }


def test_a_renewal_has_the_same_token_however_paid_until_is_written(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    for paid_until in ("2099-02-01T00:00:00+08:00", "2099-01-31T16:00:00Z", "2099-03-01T00:00:00Z"):
        cloud.says(RENEW, refusal("FailedOperation.BalanceInsufficient"))
        with pytest.raises(InitFailed, match=NO_MONEY):
            renewed(engine, provider, state, paid_until)
    tokens = [body["ClientToken"] for body in cloud.bodies(RENEW)]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1


@pytest.mark.parametrize(("hours", "orders"), [(0, 0), (8, 0), (-8, 1), (1, 1), (24, 1)])
def test_a_renewal_that_was_just_delivered_is_waited_for_and_not_bought(
    engine: Engine, cloud: Billing, provider: InstanceProvider, hours: float, orders: int
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals.append(deal("earlier", Action="renew", CreateTime=china(hours=hours)))
    if not orders:
        cloud.after(3, RECORDS, lambda: cloud.extend(ONE, 1))
    now = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert cloud.count(RENEW) == orders
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"


def test_a_delivered_renewal_that_shows_no_time_is_not_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    earlier = deal("earlier", Action="renew", CreateTime=None)
    cloud.says(DEALS, served(Deals=[earlier]))
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert cloud.count(RENEW) == 1


def test_renewals_that_were_seen_to_be_delivered_do_not_delay_the_next(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    # The first in two parts.
    for count, year in ((4, 2102), (6, 2103), (8, 2104)):
        state = renewed(engine, next_run(), state, f"{year}-03-01T00:00:00+08:00", PAIR)
        assert state["expired_time"] == f"{year}-03-01T00:00:00+08:00"
        assert cloud.count(RENEW) == count
    assert sorted(state["renewals"]) == [ONE, TWO]
    # Those that are no longer waited for are no longer noted.
    for one in cloud.deals:
        one["CreateTime"] = china(hours=1)
    state = renewed(engine, next_run(), state, "2105-03-01T00:00:00+08:00", PAIR)
    assert state["renewals"] == {
        id: {cloud.deals[place]["OrderId"]: "2104-03-01 00:00:00"}
        for place, id in ((-2, ONE), (-1, TWO))
    }


def test_a_renewal_that_was_seen_to_be_delivered_is_waited_for_where_its_end_shows_again(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    state = bought(engine, cloud, provider)
    state = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    cloud.records[0]["ExpireTime"] = END
    cloud.after(4, RECORDS, lambda: cloud.extend(ONE, 1))
    state = renewed(engine, next_run(), state, "2099-03-01T00:00:00+08:00")
    assert state["expired_time"] == "2099-03-01T00:00:00+08:00"
    assert [body["Period"] for body in cloud.bodies(RENEW)] == [1, 1]


@pytest.mark.parametrize("status", [3, 4])
def test_a_renewal_that_was_bought_elsewhere_or_is_not_delivered_is_waited_for(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
    status: int,
) -> None:
    state = bought(engine, cloud, provider)
    state = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    if status == 3:
        cloud.deals[-1]["Status"] = 3
    else:
        cloud.deals.append(deal("elsewhere", Action="renew"))
    with pytest.raises(InitFailed, match="does not show yet") as caught:
        renewed(engine, next_run(), state, "2099-03-01T00:00:00+08:00")
    assert cloud.count(RENEW) == 1
    assert caught.value.outputs["renewals"] == state["renewals"]


def test_a_renewal_that_was_not_delivered_says_that_the_money_was_taken(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": 5}
    for run in (provider, next_run()):
        with pytest.raises(InitFailed, match="DELIVERY_FAILED") as caught:
            renewed(engine, run, state, "2099-02-01T00:00:00+08:00")
        assert "The money was taken" in line(caught.value)
        assert NO_MONEY not in line(caught.value)
    assert cloud.count(RENEW) == 1


def test_a_term_that_does_not_show_for_a_moment_is_no_new_end(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    hidden = served(InstanceList=[record(ExpireTime=None)])
    cloud.after(1, RENEW, lambda: cloud.says(RECORDS, hidden))
    renewed(engine, provider, state, "2102-04-01T00:00:00+08:00")
    assert [body["Period"] for body in cloud.bodies(RENEW)] == [36, 3]


def test_an_instance_without_an_end_of_its_term_is_not_renewed(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    cloud.records[0]["ExpireTime"] = None
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00", PAIR)
    assert [body["InstanceId"] for body in cloud.bodies(RENEW)] == [TWO]


def test_a_renewal_is_not_waited_for_once_the_engine_has_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": 2}
    cloud.after(1, RENEW, engine.context.end)
    before = cloud.count(RECORDS)
    with pytest.raises(InitFailed, match="buys nothing twice"):
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00", timeout=0.5)
    # For the state, for the renewal and for what it has bought.
    assert cloud.count(RECORDS) == before + 3


@pytest.mark.parametrize("gone", [True, False])
def test_a_lock_is_waited_for_until_the_time_is_over_or_the_engine_has_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider, gone: bool
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(RENEW, *[refusal("InvalidParameter.ResourceLocked")] * 10_000)
    if gone:
        cloud.after(1, RENEW, engine.context.end)
    with pytest.raises(InitFailed, match="another change of the instance") as caught:
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00", timeout=0.3)
    assert NO_MONEY in line(caught.value)
    assert (cloud.count(RENEW) == 1) is gone


def test_a_long_renewal_is_bought_in_parts_for_each_instance(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    # The first renewal of each shows as just delivered.
    now = renewed(engine, provider, state, "2102-06-01T00:00:00+08:00", PAIR)
    asked = [(body["InstanceId"], body["Period"]) for body in cloud.bodies(RENEW)]
    assert asked == [(ONE, 36), (ONE, 5), (TWO, 36), (TWO, 5)]
    tokens = [body["ClientToken"] for body in cloud.bodies(RENEW)]
    assert len(set(tokens)) == 4
    assert all(len(token) <= 64 for token in tokens)
    assert {body["PeriodUnit"] for body in cloud.bodies(RENEW)} == {"m"}
    assert now["expired_time"] == "2102-06-01T00:00:00+08:00"


def test_an_isolated_instance_is_not_renewed(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    cloud.records[0]["Status"] = "ISOLATED"
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00", PAIR)
    assert [body["InstanceId"] for body in cloud.bodies(RENEW)] == [TWO]


def test_a_renewal_that_was_left_unpaid_is_asked_for_again_with_the_same_token(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": 1}
    cloud.says(RENEW, refusal("FailedOperation.BalanceInsufficient"), done=True)
    with pytest.raises(InitFailed, match="Top it up"):
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    cloud.after(1, RENEW, lambda: cloud.deals[-1].update(Status=4))
    cloud.after(1, RENEW, lambda: cloud.extend(ONE, 1))
    now = renewed(engine, next_run(), state, "2099-02-01T00:00:00+08:00")
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"
    tokens = [body["ClientToken"] for body in cloud.bodies(RENEW)]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


@pytest.mark.parametrize("refreshed", [True, False])
def test_an_isolated_order_is_not_renewed_and_says_so(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, refreshed: bool
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0]["Status"] = "ISOLATED"
    if refreshed:
        state = read(engine, provider, state)[1]
    log.requests.clear()
    news = {**INPUTS, "paid_until": "2099-02-01T00:00:00+08:00"}
    assert engine.diff(provider, ID, state, INPUTS, news).changes is True
    assert ["buys 1 more months" in said for said in log.warned] == [True] * (not refreshed)
    with pytest.raises(InitFailed, match="are isolated, and paid_until renews none") as caught:
        engine.update(provider, ID, state, news, INPUTS)
    assert "in the console" in line(caught.value)
    assert caught.value.outputs["status"] == "ISOLATED"
    assert cloud.changes == [CREATE]


@pytest.mark.parametrize("status", [2, 3, 12])
def test_a_renewal_under_way_is_waited_for_and_not_bought(
    engine: Engine, cloud: Billing, provider: InstanceProvider, status: int
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals.append(deal("under-way", Action="renew", Status=status))
    cloud.after(3, RECORDS, lambda: cloud.extend(ONE, 1))
    now = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert cloud.changes == [CREATE]
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"
    # Of one that is waited for there is nothing to note.
    assert not {"renewals"} & now.keys()


def test_a_renewal_of_another_instance_is_not_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    cloud.deals.append(deal("of-two", Action="renew", Status=2, ResourceId=[TWO]))
    cloud.after(1, RENEW, lambda: cloud.extend(TWO, 1))
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00", PAIR)
    assert [body["InstanceId"] for body in cloud.bodies(RENEW)] == [ONE]


def test_a_renewal_whose_order_shows_late_is_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": 2}
    cloud.after(1, RENEW, lambda: cloud.says(DEALS, served(Deals=None)))
    cloud.after(5, RECORDS, lambda: cloud.extend(ONE, 1))
    now = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"
    assert cloud.count(RENEW) == 1


def test_a_renewal_under_way_is_not_waited_for_a_second_time(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    under_way = deal("under-way", Action="renew", Status=3)
    cloud.deals.append(under_way)

    def delivered() -> None:
        under_way.update(Status=4)
        cloud.extend(ONE, 1)

    cloud.after(4, RECORDS, delivered)
    now = renewed(engine, provider, state, "2099-03-01T00:00:00+08:00")
    assert now["expired_time"] == "2099-03-01T00:00:00+08:00"
    [body] = cloud.bodies(RENEW)
    assert body["Period"] == 1


@pytest.mark.parametrize("status", [None, 14])
def test_a_renewal_whose_status_does_not_show_is_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider, status: int | None
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": status}
    cloud.after(6, RECORDS, lambda: cloud.extend(ONE, 1))
    now = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"
    assert cloud.count(RENEW) == 1


def test_a_renewal_that_is_accepted_without_an_order_is_not_asked_for_with_another_token(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(RENEW, served(OrderIdList=[]), done=True)
    now = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"
    assert cloud.count(RENEW) == 1


def test_a_renewal_that_is_an_older_one_and_alive_is_not_asked_for_with_another_token(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    # Not every renewal shows as one of its instance.
    old = deal("old", Action="renew", Status=3, CreateTime=china(hours=20), ResourceId=None)
    cloud.deals.append(old)
    cloud.says(RENEW, served(OrderIdList=["old"]))
    cloud.after(6, RECORDS, lambda: cloud.extend(ONE, 1))
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert cloud.count(RENEW) == 1


@pytest.mark.parametrize("is_refused", [True, False])
def test_renewals_that_were_bought_before_one_that_failed_are_noted(
    engine: Engine, cloud: Billing, provider: InstanceProvider, is_refused: bool
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    if is_refused:
        refused = refusal("FailedOperation.BalanceInsufficient")
        cloud.after(1, RENEW, lambda: cloud.says(RENEW, refused))
    else:
        cloud.after(1, RENEW, lambda: cloud.renewal.update(Status=7))
    said = r"too low.*Renewals bought before: .*\[Billing RenewInst" if is_refused else "is CLOSED"
    with pytest.raises(InitFailed, match=said) as caught:
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00", PAIR)
    assert set(caught.value.outputs["renewals"]) == {ONE}


def test_a_renewal_under_way_that_does_not_show_is_named(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals.append(deal("under-way", Action="renew", Status=2))
    with pytest.raises(InitFailed, match="order under-way, is ordered"):
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert cloud.changes == [CREATE]


def test_a_renewal_that_does_not_show_is_not_bought_twice(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": 2}
    with pytest.raises(InitFailed) as caught:
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert "buys nothing twice" in line(caught.value)
    kept = caught.value.outputs
    cloud.deals[-1]["Status"] = 4
    cloud.extend(ONE, 1)
    news = {**INPUTS, "paid_until": "2099-02-01T00:00:00+08:00"}
    now = outs(engine.update(next_run(), ID, kept, news, news))
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"
    assert cloud.count(RENEW) == 1


def test_a_renewal_that_failed_is_bought_by_the_next_run_with_another_token(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": 7}
    with pytest.raises(InitFailed) as caught:
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert "CLOSED" in line(caught.value)
    assert NO_MONEY in line(caught.value)
    cloud.renewal = {}
    now = renewed(engine, next_run(), caught.value.outputs, "2099-02-01T00:00:00+08:00")
    first, second = [body["ClientToken"] for body in cloud.bodies(RENEW)]
    assert first != second
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"


def test_a_renewal_whose_answer_was_lost_keeps_its_token(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(RENEW, read_timeout(), reset(), done=True)
    now = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    tokens = [body["ClientToken"] for body in cloud.bodies(RENEW)]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"


@pytest.mark.parametrize("lost", LOST)
def test_a_renewal_whose_answers_stay_lost_says_that_no_money_moves_twice(
    engine: Engine, cloud: Billing, provider: InstanceProvider, lost: Callable[[], Reply]
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(RENEW, *(lost() for _ in range(6)))
    with pytest.raises(InitFailed, match="Whether money has moved is not known") as caught:
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert "no money moves twice" in line(caught.value)


def test_a_refusal_after_a_lost_answer_does_not_say_what_became_of_the_money(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    for action in (RENEW, REFUND):
        cloud.says(action, read_timeout(), refusal("FailedOperation.BalanceInsufficient"))
    with pytest.raises(Error, match="Whether money has moved is not known") as renewal:
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert NO_MONEY not in line(renewal.value)
    lifecycle._run = lifecycle._Run()
    with pytest.raises(Error, match="Whether money has moved is not known") as refunded:
        delete(engine, provider, state)
    assert NO_MONEY not in line(refunded.value)


def test_a_renewal_that_failed_more_than_a_quarter_ago_makes_way(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = {**bought(engine, cloud, provider), "ordered_time": china(days=200)}
    cloud.renewal = {"Status": 7, "CreateTime": china(days=100)}
    cloud.after(1, RENEW, cloud.renewal.clear)
    cloud.deals.append(deal("other", Action="renew", Status=7, CreateTime=china(days=150)))
    now = renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert now["expired_time"] == "2099-02-01T00:00:00+08:00"
    first, second = [body["ClientToken"] for body in cloud.bodies(RENEW)]
    assert first != second


def test_a_renewal_that_failed_and_does_not_show_as_one_of_its_instance_makes_way(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": 7, "CreateTime": china(days=100), "ResourceId": None}
    cloud.after(1, RENEW, cloud.renewal.clear)
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert len({body["ClientToken"] for body in cloud.bodies(RENEW)}) == 2


def test_a_renewal_that_always_failed_comes_to_an_end(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.renewal = {"Status": 7, "CreateTime": china(days=100), "ResourceId": None}
    with pytest.raises(InitFailed, match="has failed 100 times"):
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert cloud.count(RENEW) == 100


def test_nothing_more_is_bought_or_refunded_once_the_engine_has_gone(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    next_run: Callable[[], InstanceProvider],
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    cloud.after(1, RENEW, engine.context.end)
    with pytest.raises(InitFailed, match="the engine has gone"):
        renewed(engine, next_run(), state, "2099-02-01T00:00:00+08:00", PAIR)
    assert cloud.count(RENEW) == 1
    with pytest.raises(Error, match="the engine has gone"):
        delete(engine, next_run(), state, PAIR)
    with pytest.raises(Error, match="the engine has gone"):
        engine.create(next_run(), {**PAIR, "project_id": 7})
    assert cloud.changes == [CREATE, RENEW]


def test_a_renewal_of_a_locked_instance_waits(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(RENEW, *[refusal("InvalidParameter.ResourceLocked")] * 2)
    renewed(engine, provider, state, "2099-02-01T00:00:00+08:00")
    assert cloud.count(RENEW) == 3
    assert len({body["ClientToken"] for body in cloud.bodies(RENEW)}) == 1


def test_the_second_renewal_refused_tells_of_the_first(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    cloud.after(1, RENEW, lambda: cloud.says(RENEW, refusal("FailedOperation.BalanceInsufficient")))
    with pytest.raises(InitFailed) as caught:
        renewed(engine, provider, state, "2099-02-01T00:00:00+08:00", PAIR)
    assert cloud.deals[-1]["OrderId"] in line(caught.value)
    assert NO_MONEY not in line(caught.value)


# The end


def delete(
    engine: Engine,
    provider: InstanceProvider,
    state: Mapping[str, Any],
    inputs: Mapping[str, Any] = INPUTS,
    timeout: float = 0,
) -> None:
    engine.delete(provider, str(state["order_id"]), state, inputs, timeout)


def test_delete_refunds_each_instance(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    delete(engine, provider, state, PAIR)
    assert cloud.changes == [CREATE, REFUND, REFUND]
    bodies = cloud.bodies(REFUND)
    assert len({body.pop("ClientToken") for body in bodies}) == 2
    assert bodies == [
        {
            "ProductCode": "p_cloudfirewall",
            "SubProductCode": "sp_cloudfirewall_svv1",
            "RegionCode": "ap-guangzhou",
            "InstanceId": id,
        }
        for id in (ONE, TWO)
    ]
    [said] = log.warned
    assert_one_line(said)
    assert "2 instances (cfw-1, cfw-2) refunded" in said


def test_delete_says_of_none_that_has_expired_that_it_is_refunded(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    cloud.records[0].update(Status="ISOLATED")
    delete(engine, provider, state, PAIR)
    [said] = log.warned
    assert "1 instance (cfw-2) refunded" in said


def test_delete_refunds_a_product_whose_instances_do_not_show(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider)
    delete(engine, provider, state)
    assert [body["InstanceId"] for body in cloud.bodies(REFUND)] == [ONE]
    assert "goes back" in log.warned[-1]


def test_delete_refunds_what_is_not_refunded_of_a_product_that_does_not_show(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider, PAIR)
    cloud._RefundInstance({"InstanceId": ONE})
    delete(engine, provider, state, PAIR)
    assert [body["InstanceId"] for body in cloud.bodies(REFUND)] == [TWO]


@pytest.mark.parametrize("shows", [True, False])
def test_delete_that_disables_renewal_refunds_nothing(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, shows: bool
) -> None:
    cloud.shows = shows
    inputs = {**INPUTS, "on_delete": "disable_renewal"}
    state = bought(engine, cloud, provider, inputs)
    delete(engine, provider, state, inputs)
    assert cloud.changes == [CREATE, SET]
    [body] = cloud.bodies(SET)
    assert (body["InstanceId"], body["RenewFlag"]) == (ONE, "DISABLE_NOTIFY_AND_MANUAL_RENEW")
    assert (body["ProductCode"], body["RegionCode"]) == ("p_cloudfirewall", "ap-guangzhou")
    assert "No money comes back" in log.warned[-1]


def test_delete_that_disables_the_renewal_of_what_does_not_show_takes_the_programs_word_for_it(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    inputs = {**INPUTS, "on_delete": "disable_renewal"}
    cloud.shows = False
    cloud.new = {"ProductCode": None, "SubProductCode": None}
    delete(engine, provider, bought(engine, cloud, provider, inputs), inputs)
    [body] = cloud.bodies(SET)
    assert (body["ProductCode"], body["RegionCode"]) == ("p_cloudfirewall", "ap-guangzhou")


@pytest.mark.parametrize("on_delete", ["refund", "disable_renewal"])
def test_delete_of_what_neither_shows_nor_is_in_state_ends_it(
    engine: Engine, cloud: Billing, provider: InstanceProvider, on_delete: str
) -> None:
    inputs = {**INPUTS, "on_delete": on_delete}
    cloud.deals = [deal()]
    delete(engine, provider, {"order_id": ID}, inputs)
    assert cloud.changes == [REFUND if on_delete == "refund" else SET]


def test_delete_of_what_is_being_refunded_and_names_no_instance_has_nothing_to_end(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(Status=13, ResourceId=None)]
    delete(engine, provider, {"order_id": ID})
    assert cloud.changes == []


@pytest.mark.parametrize("status", [None, 3])
def test_delete_waits_for_the_delivery_although_the_instance_has_an_id(
    engine: Engine, cloud: Billing, provider: InstanceProvider, status: int | None
) -> None:
    cloud.deals = [deal(Status=status)]
    cloud.after(4, DEALS, lambda: cloud.deals[0].update(Status=4))
    delete(engine, provider, {"order_id": ID, "instance_id_list": [ONE]})
    assert cloud.changes == [REFUND]


def test_delete_asks_for_a_refund_under_way_with_the_token_that_it_had(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.refund_status = 13
    for _ in range(2):
        # What shows lags behind.
        cloud.records[0]["Status"] = "NORMAL"
        with pytest.raises(Error, match="is ordered and not done"):
            delete(engine, provider, state, timeout=0.3)
    assert len({body["ClientToken"] for body in cloud.bodies(REFUND)}) == 1
    assert cloud.count(REFUND) == 2


@pytest.mark.parametrize("status", [None, 99])
def test_a_refund_whose_status_does_not_show_is_one(
    engine: Engine, cloud: Billing, provider: InstanceProvider, status: int | None
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records.clear()
    cloud.deals.append(refund(Status=status))
    assert read(engine, provider, state)[0] in ("", ID)


def test_delete_that_retains_asks_nothing(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    inputs = {**INPUTS, "on_delete": "retain"}
    state = bought(engine, cloud, provider, inputs)
    before = len(cloud.vendor.actions)
    delete(engine, provider, state, inputs)
    assert len(cloud.vendor.actions) == before
    assert NO_MONEY in log.warned[-1]
    assert ID in log.warned[-1]


def test_delete_of_an_order_that_is_being_delivered_waits_and_refunds(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(Status=3, ResourceId=None)]
    cloud.records = [record()]
    cloud.after(3, DEALS, lambda: cloud.deals[0].update(Status=4, ResourceId=[ONE]))
    delete(engine, provider, unfinished(3))
    assert cloud.changes == [REFUND]
    assert cloud.bodies(REFUND)[0]["InstanceId"] == ONE


def test_delete_of_an_order_that_is_not_delivered_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(Status=3, ResourceId=None)]
    with pytest.raises(Error) as caught:
        delete(engine, provider, unfinished(3), timeout=0.5)
    assert "DELIVERING" in line(caught.value)
    assert cloud.changes == []


def test_delete_of_an_unpaid_order_warns(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    cloud.deals = [deal(Status=1, ResourceId=None)]
    delete(engine, provider, unfinished(1))
    assert cloud.changes == []
    [said] = log.warned
    assert_one_line(said)
    assert "unpaid" in said
    assert ID in said


@pytest.mark.parametrize("status", DEAD)
def test_delete_of_a_dead_order_says_what_became_of_the_money(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, status: int
) -> None:
    cloud.deals = [deal(Status=status, ResourceId=None)]
    delete(engine, provider, unfinished(2))
    assert cloud.changes == []
    [said] = log.warned
    assert_one_line(said)
    assert "money" in said
    assert "pulumi up" not in said


def test_delete_of_an_order_that_does_not_show_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    with pytest.raises(Error) as caught:
        delete(engine, provider, unfinished(2))
    assert "retain" in line(caught.value)
    assert "may have been paid" in line(caught.value)
    assert cloud.changes == []


def test_delete_waits_for_an_order_that_shows_late(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal()]
    cloud.records = [record()]
    cloud.says(DEALS, *[served(Deals=None)] * 3)
    delete(engine, provider, unfinished(2))
    assert cloud.changes == [REFUND]


def test_delete_does_not_wait_for_an_order_once_the_engine_has_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.after(1, DEALS, engine.context.end)
    with pytest.raises(Error, match="may have been paid"):
        delete(engine, provider, unfinished(2))
    assert cloud.count(DEALS) == 1


@pytest.mark.parametrize("timeout", [0.05, 0])
def test_delete_waits_for_an_order_as_long_as_it_may(
    engine: Engine, cloud: Billing, provider: InstanceProvider, clock: Clock, timeout: float
) -> None:
    cloud.after(3, DEALS, lambda: clock.passes(0.2))
    cloud.after(6, DEALS, lambda: clock.passes(0.4))
    with pytest.raises(Error, match="may have been paid"):
        delete(engine, provider, unfinished(2), timeout=timeout)
    assert cloud.count(DEALS) == (3 if timeout else 6)


def test_delete_of_what_does_not_show_at_all_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records.clear()
    cloud.deals.clear()
    with pytest.raises(Error, match="may have been paid"):
        delete(engine, provider, state)


def test_delete_of_what_was_delivered_in_part_refunds_all(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    delete(engine, provider, {**state, "instance_id_list": [ONE]}, PAIR)
    assert [body["InstanceId"] for body in cloud.bodies(REFUND)] == [ONE, TWO]


def test_delete_of_what_is_complete_does_not_look_at_the_order(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    before = cloud.count(DEALS)
    delete(engine, provider, state)
    asked = cloud.bodies(DEALS)[before:]
    assert all(body.get("OrderId") != ID for body in asked)


def test_delete_refunds_what_only_the_state_knows(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider)
    cloud.deals[0]["ResourceId"] = None
    delete(engine, provider, state)
    assert [body["InstanceId"] for body in cloud.bodies(REFUND)] == [ONE]


def test_delete_of_an_order_that_is_being_refunded_waits_for_the_refund(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider)
    cloud.deals[0]["Status"] = 13
    refund = deal("refund", Action="refund", Status=2)
    cloud.deals.append(refund)
    cloud.after(5, DEALS, lambda: refund.update(Status=6))
    delete(engine, provider, state)
    assert refund["Status"] == 6
    assert cloud.changes == [CREATE]
    assert "goes back" in log.warned[-1]


def test_delete_of_a_hidden_instance_whose_term_is_over_moves_no_money(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    cloud.shows = False
    state = bought(engine, cloud, provider)
    delete(engine, provider, {**state, "expired_time": "2020-01-01T00:00:00+08:00"})
    assert cloud.changes == [CREATE]
    assert "No money moves" in log.warned[-1]


def test_delete_of_a_delivered_order_waits_for_its_instances(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(ResourceId=None)]
    with pytest.raises(Error, match="DELIVERED") as caught:
        delete(engine, provider, unfinished(3), timeout=0.5)
    assert "It is paid" in line(caught.value)
    cloud.records = [record()]
    cloud.after(3, DEALS, lambda: cloud.deals[0].update(ResourceId=[ONE]))
    delete(engine, provider, unfinished(3))
    assert cloud.changes == [REFUND]


@pytest.mark.parametrize("order", [{}, {"Status": 3}])
def test_delete_refunds_what_shows_and_of_what_does_not_what_was_delivered(
    engine: Engine, cloud: Billing, provider: InstanceProvider, order: dict[str, Any]
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    del cloud.records[0]
    cloud.deals[0].update(order)
    delete(engine, provider, state, PAIR)
    refunded = [body["InstanceId"] for body in cloud.bodies(REFUND)]
    assert refunded == ([TWO] if order else [TWO, ONE])


def test_delete_lets_go_of_no_instance_whose_order_does_not_show(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    del cloud.records[0]
    cloud.deals[0].update({"OrderId": "other"})
    with pytest.raises(Error, match=f"what became of {ONE} is not known. Run it again"):
        delete(engine, provider, state, PAIR)
    assert cloud.bodies(REFUND) == []


def test_an_instance_that_has_ended_stays_so_when_the_vendor_erases_it(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    cloud.records[0]["Status"] = "ISOLATED"
    for _ in range(2):
        state = dict(engine.read(provider, ID, state, PAIR).outs or {})
        assert state["ended"] == [ONE]
        cloud.records = [one for one in cloud.records if one["InstanceId"] == TWO]
    delete(engine, provider, state, PAIR)
    assert [body["InstanceId"] for body in cloud.bodies(REFUND)] == [TWO]


def test_a_refund_names_the_instance_as_the_vendor_does(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0].update(RegionCode="ap-other", SubProductCode=None)
    delete(engine, provider, state)
    [body] = cloud.bodies(REFUND)
    assert (body["RegionCode"], body["SubProductCode"]) == ("ap-other", "sp_cloudfirewall_svv1")


NAMELESS = {"order_id": ID, "instance_id_list": [ONE], "on_delete": "refund"}


@pytest.mark.parametrize(
    ("codes", "missing"),
    [
        ({}, "region_code of the order"),
        ({"ProductCode": None}, "product_code and region_code of the order"),
        (
            {"ProductCode": "", "SubProductCode": None},
            "product_code and sub_product_code and region_code of the order",
        ),
    ],
)
def test_what_cannot_be_named_cannot_be_refunded(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    codes: dict[str, Any],
    missing: str,
) -> None:
    cloud.deals = [deal(**codes)]
    with pytest.raises(Error) as caught:
        delete(engine, provider, NAMELESS, {"quantity": 1})
    assert f" {missing} is not known" in line(caught.value)
    assert cloud.changes == []


def test_renewal_is_disabled_of_what_only_the_order_names(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    cloud.deals = [deal(ProductCode="p_of_the_order")]
    delete(engine, provider, NAMELESS, {"on_delete": "disable_renewal"})
    [body] = cloud.bodies(SET)
    assert body == {
        "ProductCode": "p_of_the_order",
        "RegionCode": "",
        "InstanceId": ONE,
        "RenewFlag": "DISABLE_NOTIFY_AND_MANUAL_RENEW",
        "RenewPeriod": "1",
        "RenewPeriodUnit": "m",
    }


def test_renewal_of_an_unpaid_order_is_not_disabled(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    cloud.deals = [deal(Status=1, ResourceId=None)]
    delete(engine, provider, unfinished(1), {**INPUTS, "on_delete": "disable_renewal"})
    assert cloud.changes == []
    [said] = log.warned
    assert "unpaid" in said


def test_a_refund_that_shows_late_is_waited_for(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    state = bought(engine, cloud, provider)
    cloud.after(1, REFUND, lambda: cloud.says(DEALS, *[served(Deals=None)] * 3))
    delete(engine, provider, state)
    assert cloud.changes == [CREATE, REFUND]
    assert "goes back" in log.warned[-1]


def test_a_refund_is_not_waited_for_once_the_engine_has_gone(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    before = cloud.count(DEALS)
    cloud.refund_status = 3
    cloud.after(1, REFUND, engine.context.end)
    with pytest.raises(Error, match="is ordered and not done"):
        delete(engine, provider, state, timeout=0.5)
    # For what has failed before, for what was ordered before, and for what became of it.
    assert cloud.count(DEALS) == before + 3


def test_a_refund_that_fails_later_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.refund_status = 3
    cloud.after(4, DEALS, lambda: cloud.deals[-1].update(Status=5))
    with pytest.raises(Error, match=r"DELIVERY_FAILED: no money came back"):
        delete(engine, provider, state)


def test_delete_of_what_is_refunded_heeds_no_later_refund_that_failed(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0]["Status"] = "ISOLATED"
    failed = deal("failed", Action="refund", Status=5, CreateTime=china(minutes=1))
    cloud.deals += [refund(CreateTime=china(minutes=2)), failed]
    delete(engine, provider, state)
    assert cloud.changes == [CREATE]
    assert "1 instance (cfw-1) refunded" in log.warned[-1]


@pytest.mark.parametrize("newest_first", [True, False])
def test_delete_tells_of_the_newest_of_the_refunds_that_have_failed(
    engine: Engine, cloud: Billing, provider: InstanceProvider, newest_first: bool
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0]["Status"] = "ISOLATED"
    refunds = [
        deal(name, Action="refund", Status=5, CreateTime=china(minutes=minutes))
        for name, minutes in (("newer", 1), ("older", 2))
    ]
    cloud.deals += refunds if newest_first else reversed(refunds)
    with pytest.raises(Error, match="the refund, order newer, is DELIVERY_FAILED"):
        delete(engine, provider, state)


def test_delete_of_isolated_instances_moves_no_money(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0]["Status"] = "ISOLATED"
    delete(engine, provider, state)
    assert cloud.changes == [CREATE]
    assert "No money moves" in log.warned[-1]


@pytest.mark.parametrize("shows", [True, False])
def test_a_refund_that_the_product_refuses_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider, shows: bool
) -> None:
    cloud.shows = shows
    state = bought(engine, cloud, provider)
    cloud.says(REFUND, refusal("FailedOperation.BusinessCheckErrCode"))
    with pytest.raises(Refused) as caught:
        delete(engine, provider, state)
    assert NO_MONEY in line(caught.value)
    assert cloud.count(REFUND) == 1


def test_a_refund_that_is_refused_since_it_was_done_meanwhile_is_done(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    # Done at the request, and its answer lost: the repeat is refused.
    cloud.says(REFUND, read_timeout(), done=True)
    delete(engine, provider, state)
    tokens = [body["ClientToken"] for body in cloud.bodies(REFUND)]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def test_a_refund_whose_answers_stay_lost_says_that_it_is_not_known(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(REFUND, *(refusal("InternalError") for _ in range(6)))
    with pytest.raises(Error, match=r"Whether money has moved is not known\. Run it") as caught:
        delete(engine, provider, state)
    assert "buys" not in line(caught.value)
    assert NO_MONEY not in line(caught.value)


@pytest.mark.parametrize(
    "refused", ["FailedOperation.NotAllowToRefund", "FailedOperation.BusinessCheckErrCode"]
)
def test_the_second_refund_refused_tells_of_the_first(
    engine: Engine, cloud: Billing, provider: InstanceProvider, refused: str
) -> None:
    state = bought(engine, cloud, provider, PAIR)
    cloud.after(1, REFUND, lambda: cloud.says(REFUND, refusal(refused)))
    with pytest.raises(Refused) as caught:
        delete(engine, provider, state, PAIR)
    assert cloud.count(REFUND) == 2
    assert f"refund-of-{ONE}" in line(caught.value)
    assert NO_MONEY not in line(caught.value)


@pytest.mark.parametrize("shows", [True, False])
def test_a_refund_under_way_is_waited_for_and_not_ordered_again(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, shows: bool
) -> None:
    cloud.shows = shows
    state = bought(engine, cloud, provider)
    cloud.refund_status = 3
    with pytest.raises(Error, match=r"refund-of-cfw-1.*not done"):
        delete(engine, provider, state, timeout=0.5)
    cloud.after(6, DEALS, lambda: cloud.deals[-1].update(Status=6))
    delete(engine, provider, state)
    assert cloud.deals[-1]["Status"] == 6
    assert cloud.count(REFUND) == 1
    assert "goes back" in log.warned[-1]


def test_a_refund_that_fails_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.refund_status = 7
    with pytest.raises(Error, match=r"refund-of-cfw-1, is CLOSED: no money came back"):
        delete(engine, provider, state)


def test_a_refund_that_is_accepted_without_an_order_is_waited_for_until_one_shows(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(REFUND, served(OrderIdList=[]))
    failing = refund(Status=13)
    cloud.after(3, RECORDS, lambda: cloud.deals.append(failing))
    cloud.after(8, DEALS, lambda: failing.update(Status=5))
    with pytest.raises(Error, match="the refund, order refund, is DELIVERY_FAILED: no money came"):
        delete(engine, provider, state)
    assert cloud.count(REFUND) == 1


@pytest.mark.parametrize("ends", [True, False])
def test_a_refund_that_is_accepted_and_never_shows_is_done_where_the_instance_has_ended(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log, ends: bool
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(REFUND, served(OrderIdList=None))
    if ends:
        cloud.after(3, RECORDS, lambda: cloud.records[0].update(Status="ISOLATED"))
        delete(engine, provider, state)
        assert "goes back" in log.warned[-1]
        return
    with pytest.raises(Error, match=f"the refund of {ONE} was accepted, and does not") as caught:
        delete(engine, provider, state)
    assert "Whether it is refunded is not known" in line(caught.value)
    assert cloud.count(REFUND) == 1


def test_a_refund_that_never_shows_is_waited_for_a_minute(
    cloud: Billing, provider: InstanceProvider, call: Passing
) -> None:
    cloud.deals = [deal()]
    cloud.records = [record()]
    cloud.says(REFUND, served(OrderIdList=[]))
    with pytest.raises(Error, match="was accepted"):
        provider.remove(connected(provider, call, 900), ID, unfinished(4))
    assert 55 <= sum(call.pauses) <= 60


def test_a_refund_that_has_failed_is_told_where_the_instance_has_ended(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.refund_status = 5
    for _ in range(2):
        with pytest.raises(Error, match="is DELIVERY_FAILED: no money came back") as caught:
            delete(engine, provider, state)
        assert "retain" in line(caught.value)
    assert cloud.records[0]["Status"] == "ISOLATED"
    assert cloud.count(REFUND) == 1


def test_a_refund_has_the_same_token_until_it_has_failed(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.says(REFUND, *[refusal("InternalError")] * 6)
    with pytest.raises(Error, match="no money moves twice"):
        delete(engine, provider, state)
    cloud.says(REFUND, refusal("FailedOperation.ReturnCommonError"))
    with pytest.raises(Refused):
        delete(engine, provider, state)
    cloud.deals.append(deal("failed", Action="refund", Status=7, CreateTime=china(days=1)))
    # The new one shows late; that of before has failed all the same.
    cloud.after(1, REFUND, lambda: cloud.says(DEALS, served(Deals=[cloud.deals[-2]])))
    delete(engine, provider, state)
    tokens = [body["ClientToken"] for body in cloud.bodies(REFUND)]
    assert len(tokens) == 8
    assert len(set(tokens[:7])) == 1
    assert tokens[7] != tokens[0]
    assert all(len(token) == 64 for token in tokens)


def test_a_refund_that_the_product_refuses_after_one_that_failed_is_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    cloud.deals.append(deal("failed", Action="refund", Status=7))
    cloud.says(REFUND, refusal("FailedOperation.BusinessCheckErrCode"))
    with pytest.raises(Refused, match="the product refuses it"):
        delete(engine, provider, state)


def test_a_refund_of_more_than_a_quarter_ago_is_found(
    engine: Engine, cloud: Billing, provider: InstanceProvider, log: Log
) -> None:
    state = bought(engine, cloud, provider)
    cloud.records[0]["Status"] = "ISOLATED"
    cloud.deals.append(refund(CreateTime=china(days=200)))
    delete(engine, provider, {**state, "ordered_time": china(days=300)})
    assert "goes back" in log.warned[-1]
    assert cloud.changes == [CREATE]


def test_delete_takes_on_delete_of_the_last_run_not_of_the_first(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    state = bought(engine, cloud, provider)
    delete(engine, provider, state, {**INPUTS, "on_delete": "retain"})
    assert cloud.changes == [CREATE]


# Inputs


def failures(engine: Engine, provider: InstanceProvider, **changes: Any) -> list[str]:
    checked = engine.check(provider, {**INPUTS, **changes}, None)
    assert all(one.property == "" for one in checked.failures)
    return [str(one.reason) for one in checked.failures]


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("productCode", "p_other", "product_code"),
        ("subProductCode", "sp_other", "sub_product_code"),
        ("timeSpan", 2, "period"),
        ("timeUnit", "y", "period_unit"),
        ("goodsNum", 2, "quantity"),
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_parameter_that_says_otherwise_is_a_contradiction(
    engine: Engine, provider: InstanceProvider, key: str, value: Any, name: str, as_text: bool
) -> None:
    parameter: Any = {**PARAMETER, key: value}
    said = failures(engine, provider, parameter=json.dumps(parameter) if as_text else parameter)
    [only] = said
    assert only.startswith("parameter: ")
    assert key in only
    assert name in only
    assert failures(engine, provider, parameter=parameter, **{name: value}) == []


def test_a_contradiction_names_the_default_where_nothing_is_given(
    engine: Engine, provider: InstanceProvider
) -> None:
    assert failures(engine, provider, parameter={"timeSpan": 2, "goodsNum": 3}, quantity=4) == [
        "parameter: its timeSpan differs from period (1 by default). Make them agree",
        "parameter: its goodsNum differs from quantity. Make them agree",
    ]


def test_what_is_not_known_yet_contradicts_nothing(
    engine: Engine, provider: InstanceProvider
) -> None:
    unknown = {**PARAMETER, "productCode": rpc.UNKNOWN}
    assert failures(engine, provider, period=rpc.UNKNOWN) == []
    assert failures(engine, provider, parameter=unknown) == []
    [said] = failures(engine, provider, parameter=unknown, period=2)
    assert "timeSpan" in said


@pytest.mark.parametrize("number", [1, 1.0, "1"])
def test_numbers_in_parameter_may_be_text(
    engine: Engine, provider: InstanceProvider, number: Any
) -> None:
    parameter = {**PARAMETER, "timeSpan": number, "goodsNum": number}
    assert failures(engine, provider, parameter=parameter) == []
    assert failures(engine, provider, parameter=json.dumps(parameter)) == []
    assert len(failures(engine, provider, parameter=parameter, period=2, quantity=2)) == 2


def test_a_fraction_in_parameter_is_no_whole_number(
    engine: Engine, provider: InstanceProvider
) -> None:
    [said] = failures(engine, provider, parameter={**PARAMETER, "timeSpan": 1.5})
    assert "timeSpan" in said


HIDDEN = "hunter2-in-the-parameter"


@pytest.mark.parametrize(
    "parameter",
    [HIDDEN, f'["{HIDDEN}"]', f'{{"a": "{HIDDEN}"', f'{{"timeSpan": "{HIDDEN}"}}', [HIDDEN], 7],
)
def test_no_content_of_parameter_shows_in_a_failure(
    engine: Engine, provider: InstanceProvider, parameter: Any
) -> None:
    [said] = failures(engine, provider, parameter=parameter)
    assert said.startswith("parameter: ")
    assert HIDDEN not in said


@pytest.mark.parametrize(
    "code", ["FailedOperation.GetPriceParamError", "InternalError", "InvalidParameter"]
)
def test_no_content_of_parameter_shows_in_an_error(
    engine: Engine, cloud: Billing, provider: InstanceProvider, code: str
) -> None:
    cloud.says(CREATE, *[refusal(code)] * 6)
    with pytest.raises(Error) as caught:
        up(engine, provider, {**INPUTS, "parameter": {"password": HIDDEN}})
    assert HIDDEN in str(cloud.bodies(CREATE))
    assert HIDDEN not in everything_said(caught.value)


@pytest.mark.parametrize(
    ("other", "replaces"),
    [
        (json.dumps(PARAMETER), []),
        (json.dumps(PARAMETER, indent=2, sort_keys=True), []),
        (dict(reversed(list(PARAMETER.items()))), []),
        ({**PARAMETER, "sv_width": 20.0}, []),
        (json.dumps({**PARAMETER, "sv_width": 20.0}), []),
        ({**PARAMETER, "sv_width": "20"}, ["parameter"]),
        ({**PARAMETER, "sv_width": 20.5}, ["parameter"]),
        (json.dumps({**PARAMETER, "more": None}), ["parameter"]),
    ],
)
def test_parameter_is_compared_as_json(
    engine: Engine, cloud: Billing, provider: InstanceProvider, other: Any, replaces: list[str]
) -> None:
    state = bought(engine, cloud, provider)
    news = {**INPUTS, "parameter": other}
    assert engine.diff(provider, ID, state, INPUTS, news).replaces == replaces
    as_text = {**INPUTS, "parameter": json.dumps(PARAMETER)}
    assert engine.diff(provider, ID, state, as_text, news).replaces == replaces


TERMLESS = {key: PARAMETER[key] for key in PARAMETER if not key.startswith("time")}


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"period": 3, "parameter": {**PARAMETER, "timeSpan": 3}}, []),
        (
            {"period_unit": "y", "parameter": json.dumps({**PARAMETER, "timeUnit": "y"})},
            [],
        ),
        ({"parameter": TERMLESS}, []),
        ({"period": 3, "parameter": {**TERMLESS, "timeSpan": 3, "sv_width": 21}}, ["parameter"]),
    ],
)
def test_a_term_that_parameter_repeats_replaces_nothing(
    engine: Engine,
    cloud: Billing,
    provider: InstanceProvider,
    change: dict[str, Any],
    replaces: list[str],
) -> None:
    state = bought(engine, cloud, provider)
    news = {**INPUTS, **change}
    assert failures(engine, provider, **change) == []
    assert engine.diff(provider, ID, state, INPUTS, news).replaces == replaces
    assert engine.diff(provider, ID, state, news, INPUTS).replaces == replaces


def test_parameter_as_text_is_sent_as_it_is(
    engine: Engine, cloud: Billing, provider: InstanceProvider
) -> None:
    written = json.dumps(PARAMETER, indent=3)
    up(engine, provider, {**INPUTS, "parameter": written})
    assert cloud.bodies(CREATE)[0]["Parameter"] == written


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("product_code", ""),
        ("quantity", 0),
        ("period", 37),
        ("period_unit", "d"),
        ("pay_mode", "PostPay"),
        ("renew_flag", "AUTO"),
        ("on_delete", "delete"),
        ("client_token", ""),
        ("client_token", "ü"),
        ("client_token", "x" * 65),
        ("zone_code", ""),
        ("zone_code", "x" * 129),
        ("region_code", "x" * 129),
        ("project_id", -1),
        ("period", 0),
        ("paid_until", "soon"),
        ("paid_until", "2027-01-31"),
        ("paid_until", "2227-01-01T00:00:00Z"),
    ],
)
def test_wrong_inputs_are_told_before_any_request(
    engine: Engine, cloud: Billing, provider: InstanceProvider, name: str, value: Any
) -> None:
    [said] = failures(engine, provider, parameter={}, **{name: value})
    assert said.startswith(f"{name}: ")
    assert cloud.vendor.actions == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("product_code", ["x", "x" * 128]),
        ("zone_code", ["x", "x" * 128]),
        ("client_token", ["x", "x" * 64]),
        ("quantity", [1, 1000]),
        ("project_id", [0, 1]),
        ("period", [1, 36]),
        ("period_unit", ["m", "y"]),
        ("pay_mode", ["PrePay"]),
        (
            "renew_flag",
            [
                "NOTIFY_AND_MANUAL_RENEW",
                "NOTIFY_AND_AUTO_RENEW",
                "DISABLE_NOTIFY_AND_MANUAL_RENEW",
            ],
        ),
        ("on_delete", ["refund", "disable_renewal", "retain"]),
        ("paid_until", ["2020-01-01T00:00:00Z"]),
        ("adopt_id", [ID]),
    ],
)
def test_inputs_within_their_limits_are_taken(
    engine: Engine, provider: InstanceProvider, name: str, values: list[Any]
) -> None:
    for value in values:
        assert failures(engine, provider, parameter={}, **{name: value}) == []


def test_paid_until_is_at_most_five_years_from_now(
    engine: Engine, provider: InstanceProvider
) -> None:
    assert failures(engine, provider, paid_until=later(days=1820)) == []
    assert failures(engine, provider, paid_until=later(days=1830)) == [
        "paid_until: must be at most 5 years from now"
    ]


@pytest.mark.parametrize(
    "name", ["product_code", "sub_product_code", "region_code", "zone_code", "parameter"]
)
def test_what_must_be_given(engine: Engine, provider: InstanceProvider, name: str) -> None:
    inputs: dict[str, Any] = {name: None}
    assert failures(engine, provider, **inputs) == [f"{name}: is not given"]


# What the vendor's codes mean


MEANINGS = {
    "AuthFailure.UnauthorizedOperation": "finace:RefundInstance for a destroy",
    "UnauthorizedOperation.CamNoAuth": "the key may not pay",
    "FailedOperation.BalanceInsufficient": "Top it up",
    "FailedOperation.BusinessCheckErrCode": "the product refuses it",
    "FailedOperation.DistributeError": "reseller",
    "FailedOperation.GetPriceParamError": "there is no price",
    "FailedOperation.InvalidDeal": "it was paid, refunded or closed",
    "FailedOperation.InvalidGoodsCategoryId": "the kind of order",
    "FailedOperation.NotAllowToRefund": "Set on_delete",
    "FailedOperation.NumLimitError": "quantity is too high",
    "FailedOperation.PaySuccDeliverFailed": "nothing was delivered",
    "FailedOperation.PayPriceError": "the price has changed",
    "FailedOperation.ReturnCommonError": "the refund was refused",
    "FailedOperation.dealCreateWhitelistError": "the list of those that may order",
    "FailedOperation.Other": "the vendor could not do it",
    "InternalError": "Tencent Cloud had an internal fault",
    "InvalidParameter.Other": "does not accept an input. Check the one it names",
    "InvalidParameter.ResourceLocked": "another change of the instance",
    "InvalidParameterValue": "does not accept an input's value. Check the one that it names",
    "UnknownParameter": "this site does not know an input. Remove it",
    "MissingParameter": "the vendor says that an input is missing",
    "OperationDenied": "the account's, does not allow it. See",
    "UnauthorizedOperation.CertificationNeedUpgrade": "real-name data is not complete",
    "UnauthorizedOperation.NotCertification": "has no real-name data",
    "UnauthorizedOperation": "the key may not do this. Grant the action in CAM",
    "UnsupportedOperation": "the vendor does not support this",
    "UnsupportedOperation.NOT_SUPPORT_THIS_ACTION": "this site does not sell the product this way",
}


@pytest.mark.parametrize(("code", "meaning"), MEANINGS.items(), ids=MEANINGS)
def test_every_code_says_what_became_of_the_money(
    engine: Engine, cloud: Billing, provider: InstanceProvider, code: str, meaning: str
) -> None:
    cloud.says(CREATE, *[refusal(code)] * 6)
    with pytest.raises(Refused) as caught:
        up(engine, provider, INPUTS)
    said = line(caught.value)
    assert meaning in said
    assert "money" in said
    assert code in said
    assert len(set(cloud.tokens)) == 1


@pytest.mark.parametrize("lost", [[], [reset()]])
def test_money_that_was_taken_in_vain_is_said_to_be_taken(
    engine: Engine, cloud: Billing, provider: InstanceProvider, lost: list[Reply]
) -> None:
    cloud.says(CREATE, *lost, refusal("FailedOperation.PaySuccDeliverFailed"))
    with pytest.raises(Refused) as caught:
        up(engine, provider, INPUTS)
    said = line(caught.value)
    assert said.startswith("cannot create Instance: the money was taken, and nothing was delivered")
    assert NO_MONEY not in said
    assert "is not known" not in said


# The program


def test_everything_that_a_program_gives_arrives() -> None:
    given: dict[str, Any] = {
        **INPUTS,
        "pay_mode": "PrePay",
        "quantity": 3,
        "project_id": 4,
        "period": 5,
        "period_unit": "y",
        "renew_flag": "NOTIFY_AND_AUTO_RENEW",
        "client_token": "mine",
        "paid_until": "2027-01-01T00:00:00Z",
        "on_delete": "retain",
        "adopt_id": ID,
        "parameter": {"sv_width": 20},
    }
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        one = Instance("r", **given)
        shown = [one.order_id, one.instance_id_list, one.status, one.expired_time]
        return pulumi.Output.all(*shown, one.zone_code, one.renew_flag)

    run()
    [declared] = mocks.resources
    assert declared.typ == "pulumi-python:dynamic/tencentcloud/billing:Instance"
    assert {name: declared.inputs[name] for name in given} == given

"""A prepaid order's whole life on a real engine: what was paid, and for what."""

from __future__ import annotations

import json

import pytest

from tests.stack.conftest import Stack, wait_for

VENDORS_EXAMPLE = {
    "ClientToken": "46E6BF87-AF23-4710-8C82-21032D5F985F",
    "ProductCode": "p_yunjing",
    "SubProductCode": "sp_yunjing_vas",
    "RegionCode": "ap-guangzhou",
    "ZoneCode": "ap-guangzhou-1",
    "PayMode": "PrePay",
    "Parameter": '{"pid":1005305,"productCode":"p_yunjing","subProductCode":"sp_yunjing_vas",'
    '"sv_yunjing_vas_la":"50","timeSpan":1,"timeUnit":"m"}',
    "Quantity": 1,
    "Period": 1,
    "PeriodUnit": "m",
    "ProjectId": 0,
    "RenewFlag": "NOTIFY_AND_AUTO_RENEW",
}
GOODS = (
    'product_code="p_cloudfirewall", sub_product_code="sp_cloudfirewall_svv1", '
    'region_code="ap-guangzhou", zone_code="ap-guangzhou-6"'
)


def order(more: str = "", parameter: str = "{'pid': 1, 'sv_x': 5}") -> str:
    return f"billing.Instance('order', {GOODS}, parameter={parameter}, {more})"


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """With a vendor that delivers at once."""
    for name in ("paid", "delivering", "refunding"):
        stack.cloud.settings(**{f"billing_{name}_seconds": 0})
    return stack


def test_the_request_of_the_vendors_example_arrives_and_a_second_run_spends_nothing(
    stack: Stack,
) -> None:
    inputs = {
        "client_token": "ClientToken",
        "product_code": "ProductCode",
        "sub_product_code": "SubProductCode",
        "region_code": "RegionCode",
        "zone_code": "ZoneCode",
        "pay_mode": "PayMode",
        "parameter": "Parameter",
        "quantity": "Quantity",
        "period": "Period",
        "period_unit": "PeriodUnit",
        "project_id": "ProjectId",
        "renew_flag": "RenewFlag",
    }
    given = {name: VENDORS_EXAMPLE[field] for name, field in inputs.items()}
    stack.program(
        f"""
        example = billing.Instance("example", **{given})
        pulumi.export("order", example.order_id)
        pulumi.export("ids", example.instance_id_list)
        pulumi.export("end", example.expired_time)
        """
    )
    stack.preview()
    assert stack.cloud.requests() == []
    stack.up()
    assert stack.calls("CreateInstance") == [VENDORS_EXAMPLE]
    outputs = stack.outputs()
    assert outputs["ids"] == [f"yunjing-{outputs['order']}-0"]
    assert outputs["end"].endswith("+08:00")
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")
    assert stack.bought() == {"purchase": 1}
    told = " ".join(stack.destroy().diagnostics)
    assert "1 instance (yunjing-" in told
    assert "goes back to the account's balance" in told
    assert stack.bought() == {"purchase": 1, "refund": 1}


def test_destroy_then_up_buys_anew(stack: Stack) -> None:
    stack.program(order())
    stack.up()
    first = stack.export()["order"]["id"]
    stack.destroy()
    stack.up()
    assert stack.export()["order"]["id"] != first
    assert stack.bought() == {"purchase": 2, "refund": 1}
    stack.destroy()
    stack.up()
    assert stack.bought() == {"purchase": 3, "refund": 2}


@pytest.mark.whole
def test_a_dead_token_that_the_vendor_refuses_is_followed_by_the_next(stack: Stack) -> None:
    stack.cloud.settings(billing_dead_order="refused")
    stack.program(order())
    stack.up()
    stack.destroy()
    stack.up()
    assert stack.bought() == {"purchase": 2, "refund": 1}


LOST = ("drop_after", "throttle", "http_503", "internal_error", "internal_error_after")


def test_a_lost_answer_is_the_same_order(stack: Stack) -> None:
    stack.program(
        f"for kind in {LOST}:\n    billing.Instance(kind, {GOODS}, parameter={{'kind': kind}})"
    )
    for kind in LOST:
        goods = {"Parameter": json.dumps({"kind": kind}, separators=(",", ":"))}
        stack.cloud.fault("CreateInstance", kind, count=2, parameters=goods)
    stack.up()
    assert stack.bought() == {"purchase": len(LOST)}
    sent = {(body["Parameter"], body["ClientToken"]) for body in stack.calls("CreateInstance")}
    assert len(sent) == len(LOST)
    assert len(stack.calls("CreateInstance")) == 3 * len(LOST)


@pytest.mark.whole
@pytest.mark.parametrize("polls", [3, 30])
def test_a_late_delivery_is_waited_for_with_progress(stack: Stack, polls: int) -> None:
    stack.cloud.settings(billing_delivery_polls=polls)
    stack.program(order("quantity=3"))
    told = stack.up()
    assert "waiting for its delivery" in told.text
    outputs = stack.export()["order"]["outputs"]
    assert len(outputs["instance_id_list"]) == 3
    assert outputs["status"] == "NORMAL"
    assert stack.bought() == {"purchase": 1}
    assert "3 instances" in " ".join(stack.destroy().diagnostics)
    assert stack.bought() == {"purchase": 1, "refund": 3}


def test_a_delivery_that_never_comes_keeps_the_order_and_goes_on(stack: Stack) -> None:
    stack.program(
        "patience = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create='3s'))\n"
        + order("opts=patience")
    )
    stack.cloud.fault("CreateInstance", "stuck", service="billing")
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "not delivered in full; the next `pulumi up` goes on waiting, and buys nothing" in told
    kept = stack.export()["order"]
    stack.cloud.deal(kept["id"], 4)
    stack.up()
    assert stack.export()["order"]["id"] == kept["id"]
    assert stack.export()["order"]["outputs"]["status"] == "NORMAL"
    assert stack.bought() == {"purchase": 1}
    stack.up("--expect-no-changes")


@pytest.mark.whole
def test_a_failed_delivery_says_what_became_of_the_money(stack: Stack) -> None:
    stack.program(order())
    stack.cloud.fault("CreateInstance", "ends_in", service="billing", status="5")
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "the order is DELIVERY_FAILED. The money was taken" in told
    first = stack.export()["order"]["id"]
    assert "DELIVERY_FAILED" in stack.up(fails=True).text
    assert stack.bought()["purchase"] == 1
    # The vendor gives the money back: now the next run orders anew.
    stack.cloud.deal(first, 6)
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "the order is REFUNDED. The money went back" in told
    stack.up()
    assert stack.export()["order"]["id"] != first
    assert stack.bought()["purchase"] == 2


@pytest.mark.whole
def test_a_refund_at_once_is_one_purchase_until_the_next_run(stack: Stack) -> None:
    stack.program(order())
    stack.cloud.fault("CreateInstance", "ends_in", service="billing", status="6")
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "the order is REFUNDED. The money went back" in told
    assert len(stack.calls("CreateInstance")) == 1
    assert "buys a new one" in stack.preview().text
    stack.up()
    assert stack.export()["order"]["outputs"]["status"] == "NORMAL"
    assert stack.bought()["purchase"] == 2


def test_every_change_is_what_the_preview_says(stack: Stack) -> None:
    stack.program(order())
    stack.up()
    first = stack.export()["order"]
    # Written in another way, it is the same.
    stack.program(order(parameter="""' {"sv_x": 5, "pid": 1.0}'"""))
    stack.up("--expect-no-changes")
    stack.program(order("renew_flag='NOTIFY_AND_AUTO_RENEW'"))
    assert "~ 1 to update" in stack.preview().text
    stack.up()
    assert stack.export()["order"]["outputs"]["renew_flag"] == "NOTIFY_AND_AUTO_RENEW"
    stack.program(order("renew_flag='NOTIFY_AND_AUTO_RENEW', period=12"))
    told = stack.preview().text
    assert "period says what the first purchase bought: changed, it buys nothing" in told
    stack.up()
    assert stack.bought() == {"purchase": 1}
    end = first["outputs"]["expired_time"]
    until = f"{int(end[:4]) + 1}-06-30T00:00:00Z"
    stack.program(order(f"renew_flag='NOTIFY_AND_AUTO_RENEW', paid_until='{until}'"))
    assert f"paid_until is past {end}: this buys" in stack.preview().text
    stack.up()
    assert stack.bought() == {"purchase": 1, "renewal": 1}
    assert stack.export()["order"]["outputs"]["expired_time"] > until
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")
    stack.program(order(parameter="{'pid': 1, 'sv_x': 6}"))
    shown = stack.preview().text
    assert "+-1 to replace" in shown
    assert "this buys a new one, and then does with the old one what on_delete says" in shown
    stack.up()
    assert stack.bought() == {"purchase": 2, "renewal": 1, "refund": 1}
    numbers = [entry["action"] for entry in stack.cloud.ledger()["entries"]]
    assert numbers == ["purchase", "renewal", "purchase", "refund"]


REPLACING = {
    "product_code": "p_waf",
    "sub_product_code": "sp_other",
    "region_code": "ap-shanghai",
    "zone_code": "ap-guangzhou-7",
    "parameter": {"pid": 2},
    "quantity": 2,
    "project_id": 7,
    "client_token": "another",
}
HARMLESS = {
    "period": 2,
    "period_unit": "y",
    "pay_mode": "PrePay",
    "on_delete": "retain",
    "renew_flag": "NOTIFY_AND_AUTO_RENEW",
}


@pytest.mark.whole
def test_each_changed_input_buys_what_the_preview_says(stack: Stack) -> None:
    def program(changes: dict[str, object]) -> None:
        stack.program(
            f"""
            plain = dict({GOODS}, parameter={{"pid": 1}})
            for name in {[*REPLACING, *HARMLESS]}:
                billing.Instance(name, **plain | {changes}.get(name, {{}}))
            """
        )

    stack.cloud.settings(rate_limit=None)
    program({})
    stack.up()
    every = {**REPLACING, **HARMLESS}
    assert stack.bought() == {"purchase": len(every)}
    program({name: {name: value} for name, value in every.items()})
    assert f"+-{len(REPLACING)} to replace" in stack.preview().text
    assert stack.bought() == {"purchase": len(every)}
    stack.up()
    assert stack.bought() == {
        "purchase": len(every) + len(REPLACING),
        "refund": len(REPLACING),
    }
    stack.up("--expect-no-changes")


@pytest.mark.whole
@pytest.mark.parametrize("kind", ["drop_after", "internal_error_after"])
def test_a_renewal_whose_answer_is_lost_is_bought_once(stack: Stack, kind: str) -> None:
    stack.program(order())
    stack.up()
    end = stack.export()["order"]["outputs"]["expired_time"]
    stack.program(order(f"paid_until='{int(end[:4]) + 1}-12-31T00:00:00Z'"))
    stack.cloud.fault("RenewInstance", kind, service="billing")
    stack.up()
    assert stack.bought() == {"purchase": 1, "renewal": 1}


@pytest.mark.whole
@pytest.mark.parametrize(
    ("on_delete", "said"),
    [
        ("disable_renewal", "run until the paid term ends and are not renewed. No money"),
        ("retain", "is no longer looked after, and stays as it is"),
    ],
)
def test_a_destroy_without_a_refund_says_so(stack: Stack, on_delete: str, said: str) -> None:
    stack.program(order(f"on_delete='{on_delete}', renew_flag='NOTIFY_AND_AUTO_RENEW'"))
    stack.up()
    (id,) = stack.export()["order"]["outputs"]["instance_id_list"]
    assert said in " ".join(stack.destroy().diagnostics)
    assert stack.bought() == {"purchase": 1}
    record = stack.cloud.call(
        "billing", "2018-07-09", "DescribeRenewInstances", {"MaxResults": 9, "InstanceIdList": [id]}
    )["InstanceList"][0]
    disabled = record["RenewFlag"] == "DISABLE_NOTIFY_AND_MANUAL_RENEW"
    assert disabled == (on_delete == "disable_renewal")


@pytest.mark.whole
def test_what_happens_elsewhere_is_seen(stack: Stack) -> None:
    stack.program(order())
    stack.up()
    (id,) = stack.export()["order"]["outputs"]["instance_id_list"]
    body = json.loads(json.dumps(stack.calls("CreateInstance")[0]))
    refund = {name: body[name] for name in ("ProductCode", "SubProductCode", "RegionCode")}
    stack.cloud.call(
        "billing",
        "2018-07-09",
        "RefundInstance",
        {**refund, "ClientToken": "by hand", "InstanceId": id},
    )
    stack.refresh()
    assert "order" not in stack.export()
    stack.up()
    assert stack.bought() == {"purchase": 2, "refund": 1}


@pytest.mark.whole
def test_a_purchase_is_adopted_and_read(stack: Stack) -> None:
    body = {
        **VENDORS_EXAMPLE,
        "ProductCode": "p_cloudfirewall",
        "SubProductCode": "sp_cloudfirewall_svv1",
    }
    body |= {"ZoneCode": "ap-guangzhou-6", "Parameter": '{"pid":1}'}
    made = stack.cloud.call("billing", "2018-07-09", "CreateInstance", body)["OrderId"]
    stack.program(
        order(f"adopt_id='{made}', renew_flag='NOTIFY_AND_AUTO_RENEW'", "{'pid': 1}")
        + f"\nread = billing.Instance.get('read', '{made}')\npulumi.export('s', read.status)"
    )
    stack.up()
    assert stack.export()["order"]["id"] == made
    assert stack.outputs()["s"] == "NORMAL"
    assert stack.bought() == {"purchase": 1}
    stack.up("--expect-no-changes")


def test_a_password_in_the_parameter_is_a_secret_everywhere(stack: Stack) -> None:
    stack.environment |= {"ONE": "hunter2-hunter2", "TWO": "swordfish-9"}
    stack.secrets |= {"hunter2-hunter2", "swordfish-9"}
    stack.program(
        f"""
        one, two = (pulumi.Output.secret(os.environ[name]) for name in ("ONE", "TWO"))
        text = pulumi.Output.json_dumps({{"pid": 2, "password": two}})
        billing.Instance("part", {GOODS}, parameter={{"pid": 1, "password": one}})
        billing.Instance("whole", {GOODS}, parameter=text)
        """
    )
    stack.preview()
    stack.up()
    stack.refresh()
    stack.up("--expect-no-changes")
    sent = [json.loads(body["Parameter"]) for body in stack.calls("CreateInstance")]
    assert {goods["password"] for goods in sent} == {"hunter2-hunter2", "swordfish-9"}
    assert len({type(goods["pid"]) for goods in sent} - {int}) == 0
    stack.destroy()


@pytest.mark.whole
def test_contradictions_and_limits_are_said_in_the_preview(stack: Stack) -> None:
    parameter = "{'timeSpan': 2, 'timeUnit': 'y', 'goodsNum': 3, 'productCode': 'p_other'}"
    stack.program(order("period=1", parameter=parameter))
    assert stack.preview(fails=True).problems == [
        "parameter: its productCode differs from product_code. Make them agree",
        "parameter: its timeSpan differs from period. Make them agree",
        "parameter: its timeUnit differs from period_unit (m by default). Make them agree",
        "parameter: its goodsNum differs from quantity (1 by default). Make them agree",
    ]
    stack.program(
        """
        billing.Instance("wrong", product_code="", parameter="[]", period=37, period_unit="d",
                         quantity=0, project_id=-1, pay_mode="PostPay", renew_flag="yes",
                         client_token="x" * 65, on_delete="keep", paid_until="soon")
        """
    )
    assert stack.preview(fails=True).problems == [
        "product_code: must have at least 1 characters, has 0",
        "sub_product_code: is not given",
        "region_code: is not given",
        "zone_code: is not given",
        "pay_mode: must be one of PrePay",
        "parameter: must be a mapping, or a JSON object as text",
        "quantity: must be at least 1",
        "project_id: must be at least 0",
        "period: must be from 1 to 36",
        "period_unit: must be one of m, y",
        "renew_flag: must be one of NOTIFY_AND_MANUAL_RENEW, NOTIFY_AND_AUTO_RENEW, "
        "DISABLE_NOTIFY_AND_MANUAL_RENEW",
        "client_token: must have at most 64 characters, has 65",
        "paid_until: must be a point in time, such as 2027-01-31T00:00:00Z",
        "on_delete: must be one of refund, disable_renewal, retain",
    ]
    assert stack.cloud.requests() == []


REFUSALS = (
    "AuthFailure.UnauthorizedOperation",
    "FailedOperation.BalanceInsufficient",
    "FailedOperation.BusinessCheckErrCode",
    "FailedOperation.DistributeError",
    "FailedOperation.GetPriceParamError",
    "FailedOperation.InvalidDeal",
    "FailedOperation.InvalidGoodsCategoryId",
    "FailedOperation.NumLimitError",
    "FailedOperation.PaySuccDeliverFailed",
    "FailedOperation.dealCreateWhitelistError",
    "InternalError",
    "InternalError.InternalError",
    "InvalidParameter",
    "InvalidParameter.ApiParamError",
    "InvalidParameter.InvalidParameter",
    "UnauthorizedOperation.CertificationNeedUpgrade",
    "UnauthorizedOperation.NotCertification",
    "UnsupportedOperation",
    "UnsupportedOperation.NOT_SUPPORT_THIS_ACTION",
)


@pytest.mark.whole
def test_every_refusal_is_one_line_that_says_whether_money_moved(stack: Stack) -> None:
    stack.program(
        f"for code in {REFUSALS}:\n    billing.Instance(code, {GOODS}, parameter={{'code': code}})"
    )
    stack.cloud.settings(rate_limit=None)
    for code in REFUSALS:
        stack.cloud.fault(
            "CreateInstance",
            "error",
            code=code,
            message="So it\nis.",
            count=-1,
            parameters={"Parameter": json.dumps({"code": code}, separators=(",", ":"))},
        )
    told = stack.up("--continue-on-error", fails=True).diagnostics
    for code in REFUSALS:
        lines = [
            line for line in told if f"[Billing CreateInstance: {code}, “So it is”, Req" in line
        ]
        assert len(lines) == 1, code
        assert lines[0].startswith("error: cannot create Instance: ")
        assert "money" in lines[0], lines[0]
    assert len(told) == len(REFUSALS) + 1
    assert stack.bought() == {}


@pytest.mark.parametrize("boundary", ["before the request", "before the answer", "waiting", "late"])
def test_a_killed_purchase_is_one_purchase(stack: Stack, boundary: str) -> None:
    stack.program(order())
    if boundary == "before the request":
        # The engine dies while the provider's request is refused again and again.
        stack.cloud.fault("CreateInstance", "throttle", count=-1)
    if boundary == "before the answer":
        stack.cloud.fault("CreateInstance", "delay", seconds=4)
    if boundary == "waiting":
        stack.cloud.settings(billing_delivering_seconds=3600)
    if boundary == "late":
        stack.cloud.settings(billing_deal_lag_seconds=3600)
    process = stack.start("up", "--yes", "--skip-preview")
    asked = "DescribeDealsByCond" if boundary in ("waiting", "late") else "CreateInstance"
    wait_for(lambda: len(stack.cloud.requests(asked)) > (asked != "CreateInstance"))
    stack.kill(process)
    stack.finish(process)
    stack.pulumi("cancel", "--yes")
    stack.cloud.settings(billing_delivering_seconds=0, billing_deal_lag_seconds=0)
    stack.cloud.clock(advance_seconds=7200)
    stack.cloud.clear_faults()
    stack.up()
    assert stack.bought() == {"purchase": 1}
    assert stack.export()["order"]["outputs"]["status"] == "NORMAL"

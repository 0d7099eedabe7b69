"""The envelope of Tencent Cloud: signatures, routing, the request rate."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.tat.v20201028 import models, tat_client

from pulumi_hybrid.emulator import Emulator

from .vendor_client import (
    ONE,
    TEMPORARY,
    TWO,
    Answer,
    Sdk,
    http_request,
    refused,
    sdk_of,
    signed_headers,
)


def code_of(answer: Answer) -> str:
    """The vendor's code of a refusal in a proper envelope."""
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.response) == {"Error", "RequestId"}
    assert set(answer.response["Error"]) == {"Code", "Message"}
    return str(answer.response["Error"]["Code"])


# --- signatures -------------------------------------------------------------------------------


def test_right_keys(raw: Callable[..., Answer]) -> None:
    assert "RegisterCodeId" in raw("CreateRegisterCode").response
    again = raw("CreateRegisterCode", secret_id=TWO, secret_key="key-two")
    assert "RegisterCodeId" in again.response


def test_wrong_key(emulator: Emulator) -> None:
    with refused("AuthFailure.SignatureFailure"):
        sdk_of(emulator, secret_key="key-wrong")("CreateRegisterCode")
    with refused("AuthFailure.SignatureFailure"):
        sdk_of(emulator, ONE, secret_key="key-two")("CreateRegisterCode")
    with refused("AuthFailure.SecretIdNotFound"):
        sdk_of(emulator, "AKIDnobody", secret_key="key-one")("CreateRegisterCode")
    assert emulator.resources() == {}


def test_whatever_is_signed_cannot_be_changed(emulator: Emulator) -> None:
    headers = signed_headers(emulator, "DescribeRegisterCodes", b"{}")
    for changed, body in (
        (headers, b'{"Limit": 1}'),
        ({**headers, "X-TC-Action": "CreateRegisterCode"}, b"{}"),
        ({**headers, "X-TC-Timestamp": str(int(headers["X-TC-Timestamp"]) + 1)}, b"{}"),
        ({**headers, "Content-Type": "application/json; charset=utf-8"}, b"{}"),
        ({**headers, "Host": "tat.tencentcloudapi.com"}, b"{}"),
    ):
        answer = http_request(emulator, "POST", "/", body, changed)
        assert code_of(answer) == "AuthFailure.SignatureFailure"
    assert "RegisterCodeSet" in http_request(emulator, "POST", "/", b"{}", headers).response


@pytest.mark.parametrize(("off", "fine"), [(-290, True), (290, True), (-310, False), (310, False)])
def test_five_minutes(raw: Callable[..., Answer], off: int, fine: bool) -> None:
    answer = raw("DescribeRegisterCodes", timestamp=int(time.time()) + off)
    if fine:
        assert "RegisterCodeSet" in answer.response
    else:
        assert code_of(answer) == "AuthFailure.SignatureExpire"


def test_skew_moves_the_signatures_time_only(emulator: Emulator, sdk: Sdk) -> None:
    emulator.clock(skew_seconds=600)
    with refused("AuthFailure.SignatureExpire"):
        sdk("CreateRegisterCode")
    emulator.clock(skew_seconds=0, offset_hours=1000)
    sdk("CreateRegisterCode")


def test_date_of_another_day(emulator: Emulator, raw: Callable[..., Answer]) -> None:
    answer = raw("DescribeRegisterCodes", date="2020-10-28")
    assert code_of(answer) == "AuthFailure.SignatureFailure"
    # the same where the date is changed after signing
    headers = signed_headers(emulator, "DescribeRegisterCodes", b"{}", timestamp=int(time.time()))
    right = headers["Authorization"]
    headers["Authorization"] = re.sub(r"/[0-9-]{10}/", "/2020-10-28/", right)
    assert headers["Authorization"] != right
    answer = http_request(emulator, "POST", "/", b"{}", headers)
    assert code_of(answer) == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Authorization": None}, "AuthFailure.InvalidAuthorization"),
        ({"Authorization": "SKIP"}, "AuthFailure.InvalidAuthorization"),
        (
            {
                "Authorization": "TC3-HMAC-SHA256 Credential=a/2020-10-28/tat/tc3_request, "
                "SignedHeaders=content-type, Signature=00"
            },
            "AuthFailure.InvalidAuthorization",
        ),
        ({"X-TC-Timestamp": None}, "MissingParameter"),
        ({"X-TC-Timestamp": "soon"}, "MissingParameter"),
        ({"X-TC-Version": None}, "MissingParameter"),
        ({"X-TC-Region": None}, "MissingParameter"),
        ({"X-TC-Version": "2019-09-24"}, "NoSuchVersion"),
        ({"Content-Type": "text/plain"}, "UnsupportedProtocol"),
    ],
)
def test_headers(raw: Callable[..., Answer], headers: dict[str, str | None], code: str) -> None:
    assert code_of(raw("DescribeRegisterCodes", headers=headers)) == code


def test_token(emulator: Emulator) -> None:
    ours = sdk_of(emulator, TEMPORARY, token="token-temporary")
    ours("CreateRegisterCode")
    # a temporary key pair of the same account
    assert sdk_of(emulator, ONE)("DescribeRegisterCodes")["TotalCount"] == 1
    for secret_id, token in ((TEMPORARY, None), (TEMPORARY, "stale"), (ONE, "token-temporary")):
        with refused("AuthFailure.TokenFailure"):
            sdk_of(emulator, secret_id, token=token)("DescribeRegisterCodes")
    assert "token-temporary" not in json.dumps(emulator.requests())


def test_unsigned_payload(emulator: Emulator) -> None:
    sdk = sdk_of(emulator)
    sdk.client.profile.unsignedPayload = True
    assert sdk("CreateRegisterCode")["RegisterCodeId"]


# --- routing ----------------------------------------------------------------------------------


def test_unknown_action_version_product(emulator: Emulator, sdk: Sdk) -> None:
    with refused("InvalidAction"):
        sdk("CreateNothing")
    with refused("NoSuchVersion"):
        sdk_of(emulator, version="2019-09-24")("CreateRegisterCode")
    with refused("NoSuchProduct"):
        sdk_of(emulator, service="nothing")("CreateRegisterCode")


def test_body_that_is_no_json_object(raw: Callable[..., Answer]) -> None:
    for body in (b"{", b"[]", b"\xff", b"null"):
        assert code_of(raw("CreateRegisterCode", body)) == "InvalidParameter"
    assert "RegisterCodeId" in raw("CreateRegisterCode", b"").response


def test_other_methods(emulator: Emulator) -> None:
    headers = signed_headers(emulator, "DescribeRegions", b"")
    assert code_of(http_request(emulator, "GET", "/", None, headers)) == "UnsupportedProtocol"
    assert http_request(emulator, "GET", "/").status == 404
    too_large = {**headers, "Content-Length": str(10 * 1024 * 1024 + 1)}
    answer = http_request(emulator, "POST", "/", b" " * (10 * 1024 * 1024 + 1), too_large)
    assert code_of(answer) == "RequestSizeLimitExceeded"


def test_typed_client(emulator: Emulator) -> None:
    from_sdk = sdk_of(emulator).client
    client = tat_client.TatClient(from_sdk.credential, "ap-guangzhou", from_sdk.profile)
    request = models.CreateRegisterCodeRequest()
    request.Description = "typed"
    created = client.CreateRegisterCode(request)
    listing = client.DescribeRegisterCodes(models.DescribeRegisterCodesRequest())
    assert [code.RegisterCodeId for code in listing.RegisterCodeSet] == [created.RegisterCodeId]
    assert listing.RegisterCodeSet[0].Description == "typed"


# --- the request rate -------------------------------------------------------------------------


def test_twenty_a_second_for_each_action_and_account(emulator: Emulator) -> None:
    one, two = sdk_of(emulator, ONE), sdk_of(emulator, TWO)
    # Every connection is open and warm, so that 21 requests take well under a second.
    one("DescribeRegisterCodes"), two("DescribeRegions")
    emulator.settings(rate_limit=20)
    begun = time.monotonic()
    for _ in range(20):
        one("DescribeRegions")
    with refused("RequestLimitExceeded"):
        one("DescribeRegions")
    one("DescribeRegisterCodes")
    two("DescribeRegions")
    refusals = set()
    while True:
        try:
            one("DescribeRegions")
            break
        except TencentCloudSDKException as error:
            refusals.add(error.code)
            time.sleep(0.02)
    assert refusals == {"RequestLimitExceeded"}
    assert 0.95 < time.monotonic() - begun < 2
    emulator.settings(rate_limit=None)
    for _ in range(25):
        one("DescribeRegions")


def test_a_request_that_was_refused_uses_up_nothing(emulator: Emulator, sdk: Sdk) -> None:
    emulator.settings(rate_limit=1)
    emulator.fault("DescribeRegions", "error", code="FailedOperation")
    with refused("FailedOperation"):
        sdk("DescribeRegions")
    emulator.fault("DescribeRegions", "error", code="FailedOperation")
    with refused("RequestLimitExceeded"):
        sdk("DescribeRegions")
    assert len(emulator.faults()) == 1

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid import __version__
from pulumi_hybrid.alicloud.client import COMMON_MEANINGS
from pulumi_hybrid.api import Meaning
from pulumi_hybrid.errors import (
    Ambiguous,
    Expired,
    Misconfigured,
    NotFound,
    NotSent,
    Refused,
    Throttled,
    Transient,
)
from pulumi_hybrid.settings import Settings

from ..conftest import DEAD_PROXY, Context, Hurried, assert_one_line, everything_said
from .conftest import (
    ACTIVATION_ID,
    CODE,
    CREATE,
    CREATED,
    DESCRIBE,
    HOST,
    LOST,
    REGION,
    REQUEST_ID,
    SECRET_KEY,
    TOKEN,
    UNSENT,
    Raw,
    Reply,
    Vendor,
    listing,
    new_api,
    new_config,
    query,
    refusal,
    served,
)

THROTTLING = {
    "Throttling": 400,
    "Throttling.User": 400,
    "Throttling.Api": 429,
    "Rejected.Throttling": 503,
}
PASSING = {
    "ServiceUnavailable": 503,
    "InternalError": 500,
    "InternalError.Dispatch": 500,
    "SignatureNonceUsed": 400,
}
ENDED = {
    "InvalidSecurityToken.Expired": 400,
    "InvalidSecurityToken.Malformed": 403,
}
PERMANENT = {
    "InvalidAccessKeyId.NotFound": 404,
    "SignatureDoesNotMatch": 400,
    "IncompleteSignature": 400,
    "InvalidTimeStamp.Expired": 400,
    "Forbidden": 403,
    "Forbidden.RAM": 403,
    "NoPermission": 403,
    "IdempotentParameterMismatch": 400,
    "InvalidRegionId.NotFound": 404,
    "RegionId.ApiNotSupported": 400,
    "InvalidParameter": 400,
    "InvalidParameter.NextToken": 400,
    "InvalidParam.PageSize": 400,
    "MissingParameter": 400,
    "MissingParameter.ActivationId": 400,
    "MissingSecurityToken": 400,
    "Nobody.EverSawThis": 404,
}
EVERY_CODE = {**THROTTLING, **PASSING, **ENDED, **PERMANENT}


# What is sent


def test_request_arrives_with_action_and_version_as_headers_and_the_rest_in_the_query(
    vendor: Vendor,
) -> None:
    vendor.answers(CREATE, CREATED)
    answer = new_api().call(CREATE, {"InstanceName": "test-InstanceName"})
    assert answer == CREATED
    [request] = vendor.requests(CREATE)
    assert request.method == "POST"
    assert str(request.url).partition("?")[0] == f"https://{HOST}/"
    assert request.headers["host"] == HOST
    assert request.headers["x-acs-action"] == "CreateActivation"
    assert request.headers["x-acs-version"] == "2014-05-26"
    assert request.headers["accept"] == "application/json"
    assert request.headers["Content-Length"] == "0"
    assert f"pulumi_hybrid/{__version__}" in request.headers["user-agent"]
    assert query(request) == {"RegionId": REGION, "InstanceName": "test-InstanceName"}
    assert not request.body


def test_request_is_signed_with_the_configured_key_and_carries_no_token(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    new_api(accessKey="LTAIsigned").call(DESCRIBE, {})
    [request] = vendor.requests(DESCRIBE)
    assert re.fullmatch(
        r"ACS3-HMAC-SHA256 Credential=LTAIsigned,SignedHeaders=[a-z0-9;-]+,Signature=[0-9a-f]{64}",
        str(request.headers["Authorization"]),
    )
    assert request.headers["x-acs-credentials-provider"] == "static_ak"
    assert "x-acs-security-token" not in request.headers


def test_request_carries_the_token_of_a_temporary_key(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    new_api(accessKey="STS.temporary", securityToken=TOKEN).call(DESCRIBE, {})
    [request] = vendor.requests(DESCRIBE)
    assert request.headers["x-acs-security-token"] == TOKEN
    assert request.headers["x-acs-accesskey-id"] == "STS.temporary"
    assert "x-acs-security-token" in str(request.headers["Authorization"])


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-hangzhou", "ecs-cn-hangzhou.aliyuncs.com"),
        ("cn-qingdao", "ecs.cn-qingdao.aliyuncs.com"),
        ("cn-shanghai", "ecs.cn-shanghai.aliyuncs.com"),
        ("cn-hongkong", "ecs.cn-hongkong.aliyuncs.com"),
        ("ap-southeast-1", "ecs.ap-southeast-1.aliyuncs.com"),
        ("us-west-1", "ecs.us-west-1.aliyuncs.com"),
        ("mars-north-1", "ecs.mars-north-1.aliyuncs.com"),
    ],
)
def test_request_goes_to_the_regions_own_host(vendor: Vendor, region: str, host: str) -> None:
    vendor.answers(DESCRIBE, listing(), url=f"https://{host}/")
    new_api(region=region).call(DESCRIBE, {})
    [request] = vendor.requests(DESCRIBE)
    assert request.headers["host"] == host
    assert query(request) == {"RegionId": region}


def test_each_region_is_asked_for_itself_with_one_key(vendor: Vendor) -> None:
    settings = Settings(new_config(), {})
    regions = ["cn-beijing", "eu-central-1", "cn-beijing"]
    for region in regions:
        vendor.answers(DESCRIBE, listing(), url=f"https://ecs.{region}.aliyuncs.com/")
        new_api(region=region, settings=settings).call(DESCRIBE, {})
    asked = [
        (request.headers["host"], query(request)["RegionId"])
        for request in vendor.requests(DESCRIBE)
    ]
    assert asked == [(f"ecs.{region}.aliyuncs.com", region) for region in regions]


def test_lists_and_objects_are_numbered_from_one_and_what_is_none_is_absent(
    vendor: Vendor,
) -> None:
    vendor.answers(CREATE, CREATED)
    parameters = {
        "InstanceCount": 10,
        "Tag": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}],
        "ResourceId": ["x", "y"],
        "Description": None,
        "TagKey": [],
    }
    new_api().call(CREATE, parameters)
    assert vendor.queries(CREATE) == [
        {
            "InstanceCount": "10",
            "Tag.1.Key": "a",
            "Tag.1.Value": "b",
            "Tag.2.Key": "c",
            "Tag.2.Value": "",
            "ResourceId.1": "x",
            "ResourceId.2": "y",
        }
    ]
    assert "RegionId" not in parameters


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_any_text_arrives_as_it_was_given(text: str) -> None:
    with responses.RequestsMock() as mock:
        vendor = Vendor(mock)
        vendor.answers(CREATE, CREATED)
        new_api().call(CREATE, {"Description": text})
        assert vendor.queries(CREATE) == [{"Description": text}]


# Where it may go


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://127.0.0.1", "127.0.0.1"),
        ("https://127.0.0.1:8443", "127.0.0.1:8443"),
        ("https://ecs-vpc.example.com", "ecs-vpc.example.com"),
    ],
)
def test_endpoint_is_where_requests_go_whatever_the_region(
    vendor: Vendor, endpoint: str, host: str
) -> None:
    vendor.answers(DESCRIBE, listing(), url=f"{endpoint.rstrip('/')}/")
    for region in (REGION, "eu-central-1"):
        new_api(region=region, endpoint=endpoint).call(DESCRIBE, {})
    assert [
        (request.headers["host"], query(request)["RegionId"])
        for request in vendor.requests(DESCRIBE)
    ] == [(host, REGION), (host, "eu-central-1")]


def test_endpoint_in_the_clear_to_another_machine_is_refused(vendor: Vendor) -> None:
    with pytest.raises(Misconfigured, match="alicloud:endpoint is plain http"):
        new_api(endpoint="http://ecs.example.com")
    assert vendor.actions == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_loopback_endpoint_is_asked_past_the_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, DEAD_PROXY)
    with responses.RequestsMock() as mock:
        asked = mock.post("http://127.0.0.1:8080/", json=listing())
        new_api(endpoint="http://127.0.0.1:8080").call(DESCRIBE, {})
        assert "http" not in asked.calls[0].request.req_kwargs["proxies"]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_vendors_hosts_are_reached_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, DEAD_PROXY)
    with responses.RequestsMock() as mock:
        asked = mock.post(f"https://{HOST}/", json=listing())
        new_api().call(DESCRIBE, {})
        assert asked.calls[0].request.req_kwargs["proxies"]["https"] == DEAD_PROXY


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_companys_own_certificates_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    company = tmp_path / "company.pem"
    company.touch()
    monkeypatch.setenv(variable, str(company))
    with responses.RequestsMock() as mock:
        asked = mock.post(f"https://{HOST}/", json=listing())
        new_api().call(DESCRIBE, {})
        assert asked.calls[0].request.req_kwargs["verify"] == str(company)


def test_certificates_are_verified_where_nothing_is_set() -> None:
    with responses.RequestsMock() as mock:
        asked = mock.post(f"https://{HOST}/", json=listing())
        new_api().call(DESCRIBE, {})
        assert asked.calls[0].request.req_kwargs["verify"] is True


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_that_are_not_there_are_said_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vendor: Vendor, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))
    with pytest.raises(Misconfigured, match=f"{variable} names a file that does not exist"):
        new_api().call(DESCRIBE, {})
    assert vendor.actions == []


@pytest.mark.parametrize(
    ("timeout", "connect", "answer"), [(None, 10, 60), (600, 10, 60), (30, 10, 30), (3, 3, 3)]
)
def test_request_waits_no_longer_than_the_user_allows(
    timeout: float | None, connect: float, answer: float
) -> None:
    with responses.RequestsMock() as mock:
        asked = mock.post(f"https://{HOST}/", json=listing())
        new_api(Hurried(timeout=timeout)).call(DESCRIBE, {})
        assert asked.calls[0].request.req_kwargs["timeout"] == (connect, answer)


# What an answer means


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json;charset=utf-8", "text/plain", "a/b"]
)
def test_answer_is_read_whatever_its_content_type(vendor: Vendor, content_type: str) -> None:
    vendor.answers(DESCRIBE, Raw(json.dumps(listing()), content_type=content_type))
    assert new_api().call(DESCRIBE, {}) == listing()


def _refused(vendor: Vendor, *reply: Reply) -> Refused:
    vendor.answers(CREATE, *reply)
    with pytest.raises(Refused) as caught:
        # The time is up: one try is all there is.
        new_api(deadline=-1).call(CREATE, {}, repeatable=False)
    assert vendor.count(CREATE) == 1
    return caught.value


@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500, 503, 599])
@pytest.mark.parametrize("content_type", ["application/json;charset=utf-8", "text/html"])
def test_error_is_one_whatever_its_status_and_content_type(
    vendor: Vendor, status: int, content_type: str
) -> None:
    body = refusal("InvalidParameter").body
    error = _refused(vendor, Raw(body, status, content_type), CREATED)
    assert type(error) is Refused
    assert error.answer.code == "InvalidParameter"
    assert error.answer.request_id == REQUEST_ID


@pytest.mark.parametrize("in_a_200", [False, True])
@pytest.mark.parametrize(("code", "status"), EVERY_CODE.items())
def test_every_common_code_is_one_line_with_words_of_ours_and_the_vendors_own_once(
    vendor: Vendor, code: str, status: int, in_a_200: bool
) -> None:
    error = _refused(vendor, refusal(code, 200 if in_a_200 else status))
    said = str(error)
    assert_one_line(said)
    # Not the SDK's text, which repeats status and RequestId.
    assert said == (
        f"{error.reason} [ECS {CREATE}: {code}, “The vendor's words”, RequestId {REQUEST_ID}]"
    )
    assert said.count(REQUEST_ID) == 1
    assert f"code: {status}" not in said
    assert len(error.reason.rstrip(".").split(". ")) > 1, error.reason


@pytest.mark.parametrize(("code", "meaning"), COMMON_MEANINGS.items())
def test_every_known_code_keeps_its_own_sentence(
    vendor: Vendor, code: str, meaning: Meaning
) -> None:
    error = _refused(vendor, refusal(code or "Nobody.EverSawThis"))
    assert type(error) is meaning.kind
    assert error.reason == meaning.reason


@pytest.mark.parametrize(
    ("codes", "kind"),
    [(THROTTLING, Throttled), (PASSING, Transient), (ENDED, Expired), (PERMANENT, Refused)],
)
def test_every_common_code_is_of_its_kind(
    vendor: Vendor, codes: dict[str, int], kind: type[Refused]
) -> None:
    last = refusal("InvalidParameter")
    vendor.answers(CREATE, *[refusal(code, status) for code, status in codes.items()], last)
    for code in codes:
        with pytest.raises(Refused) as caught:
            new_api(deadline=-1).call(CREATE, {}, repeatable=False)
        assert caught.value.answer.code == code
        assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("InvalidAccessKeyId.NotFound", "alicloud:accessKey or ALICLOUD_ACCESS_KEY"),
        ("SignatureDoesNotMatch", "alicloud:secretKey or ALICLOUD_SECRET_KEY"),
        ("InvalidSecurityToken.Expired", "alicloud:securityToken"),
        ("MissingSecurityToken", "token is missing. Set alicloud:securityToken"),
        ("InvalidTimeStamp.Expired", "clock"),
        ("Forbidden.RAM", "RAM"),
        ("InvalidRegionId.NotFound", "region"),
    ],
)
def test_common_code_names_what_the_user_has_to_change(
    vendor: Vendor, code: str, hint: str
) -> None:
    assert hint in _refused(vendor, refusal(code, 403)).reason


def test_products_own_meaning_comes_before_the_common_one(vendor: Vendor) -> None:
    vendor.answers(CREATE, refusal("ServiceUnavailable", 503))
    meanings = {"ServiceUnavailable": Meaning("there is none. Make one.", NotFound)}
    with pytest.raises(NotFound, match=r"^there is none"):
        new_api(meanings=meanings).call(CREATE, {})


def test_vendors_words_over_several_lines_become_one(vendor: Vendor) -> None:
    error = _refused(vendor, refusal("InvalidParameter", message="One.\r\nTwo.\n\tThree."))
    assert "“One. Two. Three”" in str(error)
    assert_one_line(str(error))


@pytest.mark.parametrize("words", [{}, {"Message": None}, {"Message": ""}])
@pytest.mark.parametrize("status", [200, 403, 500])
def test_error_without_words_has_none(vendor: Vendor, words: dict[str, Any], status: int) -> None:
    """The SDK's own text would say "None"."""
    body = json.dumps(served(Code="Forbidden", **words))
    error = _refused(vendor, Raw(body, status))
    assert str(error).endswith(f"[ECS {CREATE}: Forbidden, RequestId {REQUEST_ID}]")


def test_error_without_request_id_is_no_refusal_and_does_not_say_none(vendor: Vendor) -> None:
    vendor.answers(CREATE, Raw('{"Code": "InvalidParameter", "Message": "Words."}', 400))
    with pytest.raises(Ambiguous, match="an error InvalidParameter without a RequestId") as caught:
        new_api().call(CREATE, {}, repeatable=False)
    assert "None" not in str(caught.value)


# What is sent again, and how often


@pytest.mark.parametrize(
    ("name", "repeatable"), [("refused", True), *((name, False) for name in UNSENT)]
)
def test_what_was_not_sent_is_sent_five_times_in_any_case(
    vendor: Vendor, name: str, repeatable: bool
) -> None:
    call = Hurried()
    vendor.answers(CREATE, UNSENT[name]())
    with pytest.raises(NotSent, match="Nothing was sent") as caught:
        new_api(call).call(CREATE, {}, repeatable=repeatable)
    assert vendor.count(CREATE) == 5
    assert len(call.pauses) == len(call.said) == 4
    said = str(caught.value)
    assert_one_line(said)
    assert said.startswith("Alibaba Cloud could not be reached (ECS CreateActivation, ")
    assert "Check the network and the proxy." in said
    assert "Gave up after 5 tries" in said


@pytest.mark.parametrize("fault", UNSENT.values(), ids=UNSENT)
def test_what_was_not_sent_succeeds_when_the_way_is_clear_again(
    vendor: Vendor, fault: Callable[[], Reply]
) -> None:
    vendor.answers(CREATE, fault(), CREATED)
    assert new_api().call(CREATE, {}, repeatable=False) == CREATED
    assert vendor.count(CREATE) == 2


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_lost_answer_of_what_cannot_be_repeated_is_not_asked_for_again(
    vendor: Vendor, fault: Callable[[], Reply]
) -> None:
    vendor.answers(CREATE, fault(), CREATED)
    with pytest.raises(Ambiguous, match=f"the answer of ECS {CREATE} was lost") as caught:
        new_api().call(CREATE, {}, repeatable=False)
    assert vendor.count(CREATE) == 1
    assert_one_line(str(caught.value))
    assert CODE not in str(caught.value)
    assert CODE not in repr(caught.value)


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_lost_answer_of_what_can_be_repeated_is_asked_for_again(
    vendor: Vendor, fault: Callable[[], Reply]
) -> None:
    call = Hurried()
    vendor.answers(DESCRIBE, fault(), listing())
    assert new_api(call).call(DESCRIBE, {}) == listing()
    assert vendor.count(DESCRIBE) == 2
    [said] = call.said
    assert_one_line(said)
    assert CODE not in said


def test_answers_that_stay_lost_are_given_up_after_five_tries(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, LOST["html_503"]())
    with pytest.raises(Ambiguous, match="Gave up after 5 tries"):
        new_api().call(DESCRIBE, {})
    assert vendor.count(DESCRIBE) == 5


def test_lost_answer_after_an_unsent_request_is_no_unsent_request(vendor: Vendor) -> None:
    """What the last try raised counts, not what an earlier one left in Python's chain of causes."""
    vendor.answers(CREATE, UNSENT["refused"](), LOST["read_timeout"](), CREATED)
    with pytest.raises(Ambiguous):
        new_api().call(CREATE, {}, repeatable=False)
    assert vendor.count(CREATE) == 2


@pytest.mark.parametrize(("code", "status"), PASSING.items())
def test_passing_fault_is_repeated_where_that_is_the_same_and_only_there(
    vendor: Vendor, code: str, status: int
) -> None:
    fault = refusal(code, status)
    vendor.answers(DESCRIBE, fault, fault, listing())
    assert new_api().call(DESCRIBE, {}) == listing()
    assert vendor.count(DESCRIBE) == 3
    vendor.answers(CREATE, fault, CREATED)
    with pytest.raises(Transient):
        new_api().call(CREATE, {}, repeatable=False)
    assert vendor.count(CREATE) == 1


@pytest.mark.parametrize(("code", "status"), [("Throttling.User", 200), *THROTTLING.items()])
def test_throttled_six_times_then_served_is_a_success(
    vendor: Vendor, code: str, status: int
) -> None:
    """Throttling is waited out for longer than five tries."""
    call = Hurried()
    vendor.answers(CREATE, *[refusal(code, status)] * 6, CREATED)
    assert new_api(call).call(CREATE, {}, repeatable=False) == CREATED
    assert vendor.count(CREATE) == 7
    assert len(call.pauses) == len(call.said) == 6


@pytest.mark.parametrize(("code", "status"), PERMANENT.items())
def test_the_users_to_change_is_said_at_once(vendor: Vendor, code: str, status: int) -> None:
    vendor.answers(DESCRIBE, refusal(code, status), listing())
    with pytest.raises(Refused):
        new_api().call(DESCRIBE, {})
    assert vendor.count(DESCRIBE) == 1


@pytest.mark.parametrize(("code", "status"), THROTTLING.items())
def test_throttled_with_a_time_to_wait_is_sent_again_after_no_less(
    vendor: Vendor, code: str, status: int
) -> None:
    call = Hurried()
    first = refusal(code, status, x_acs_retry_after="7500")
    second = refusal(code, status, x_acs_retry_after="12000")
    vendor.answers(CREATE, first, second, refusal(code, status), CREATED)
    assert new_api(call).call(CREATE, {}, repeatable=False) == CREATED
    # The vendor counts in milliseconds; the third answer asks for nothing.
    assert call.pauses[0] == pytest.approx(7.5)
    assert call.pauses[1] == pytest.approx(12)
    assert call.pauses[2] <= 10
    assert "Trying again in 12 s" in call.said[1]


@pytest.mark.parametrize("header", ["0", "-5", "soon", "", "7.5"])
def test_throttled_with_a_time_to_wait_that_is_none_is_sent_again_all_the_same(
    vendor: Vendor, header: str
) -> None:
    call = Hurried()
    vendor.answers(CREATE, refusal("Throttling", x_acs_retry_after=header), CREATED)
    assert new_api(call).call(CREATE, {}, repeatable=False) == CREATED
    [pause] = call.pauses
    assert 0 <= pause <= 0.5


def test_fault_with_a_time_to_wait_is_still_what_its_code_says(vendor: Vendor) -> None:
    """The SDK calls everything with that header throttling: a create must not be done twice."""
    fault = refusal("InternalError", 500, x_acs_retry_after="100")
    error = _refused(vendor, fault, CREATED)
    assert type(error) is Transient


def test_throttled_for_longer_than_there_is_time_is_said_at_once(vendor: Vendor) -> None:
    call = Hurried()
    vendor.answers(CREATE, refusal("Throttling", x_acs_retry_after="60000"), CREATED)
    with pytest.raises(Throttled) as caught:
        new_api(call, deadline=30).call(CREATE, {})
    assert (vendor.count(CREATE), call.pauses) == (1, [])
    assert_one_line(str(caught.value))


def test_throttled_for_ever_ends_with_the_deadline(vendor: Vendor) -> None:
    vendor.answers(CREATE, refusal("Throttling.User"))
    with pytest.raises(Throttled, match=r"Try again when less is going on in it\. ") as caught:
        new_api(deadline=1).call(CREATE, {})
    tries = vendor.count(CREATE)
    if tries > 1:
        assert f"Gave up after {tries} tries in " in caught.value.reason
    assert tries < 60


def test_every_try_has_its_own_nonce_and_signature_and_the_same_parameters(
    vendor: Vendor,
) -> None:
    vendor.answers(CREATE, refusal("InternalError", 500), CREATED)
    new_api().call(CREATE, {"ClientToken": "token"})
    first, second = vendor.requests(CREATE)
    assert first.url == second.url
    for header in ("x-acs-signature-nonce", "Authorization"):
        assert first.headers[header] != second.headers[header]


def test_nothing_is_sent_again_for_an_engine_that_has_gone(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, refusal("InternalError", 500), listing())
    with pytest.raises(Transient):
        new_api(Hurried(_context=Context(active=False))).call(DESCRIBE, {})
    assert vendor.count(DESCRIBE) == 1


@pytest.mark.parametrize(
    "lacking", [{}, {"ActivationId": ACTIVATION_ID}, {"ActivationId": "", "ActivationCode": CODE}]
)
def test_answer_that_lacks_what_it_must_hold_is_asked_for_again(
    vendor: Vendor, lacking: dict[str, Any]
) -> None:
    vendor.answers(CREATE, served(**lacking), CREATED)
    assert new_api().call(CREATE, {}, holding=("ActivationId", "ActivationCode")) == CREATED
    assert vendor.count(CREATE) == 2


# Keys


def _signed_by(vendor: Vendor, settings: Settings) -> tuple[str, str | None]:
    vendor.answers(DESCRIBE, listing())
    new_api(settings=settings).call(DESCRIBE, {})
    headers = vendor.requests(DESCRIBE)[-1].headers
    signed = re.search(r"Credential=([^,]+),", str(headers["Authorization"]))
    assert signed
    token = headers.get("x-acs-security-token")
    return signed[1], None if token is None else str(token)


@pytest.mark.parametrize(
    ("id", "secret", "token"),
    [
        ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN"),
        (
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALIBABA_CLOUD_SECURITY_TOKEN",
        ),
    ],
)
def test_key_in_the_environment_is_used_in_either_spelling(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, id: str, secret: str, token: str
) -> None:
    monkeypatch.setenv(id, "LTAIenvironment")
    monkeypatch.setenv(secret, SECRET_KEY)
    assert _signed_by(vendor, Settings({})) == ("LTAIenvironment", None)
    monkeypatch.setenv(token, TOKEN)
    assert _signed_by(vendor, Settings({})) == ("LTAIenvironment", TOKEN)


def test_configured_key_comes_before_the_environments(vendor: Vendor) -> None:
    environment = {
        "ALICLOUD_ACCESS_KEY": "LTAIenvironment",
        "ALICLOUD_SECRET_KEY": "other",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIenvironment",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "other",
    }
    config = new_config()
    settings = Settings(config, environment)
    assert _signed_by(vendor, settings) == (config["alicloud:accessKey"], None)


@pytest.mark.parametrize(
    ("given_half", "missing"),
    [("accessKey", "alicloud:secretKey"), ("secretKey", "alicloud:accessKey")],
)
def test_half_a_key_names_the_half_that_is_missing_and_shows_nothing(
    vendor: Vendor, given_half: str, missing: str
) -> None:
    settings = Settings({f"alicloud:{given_half}": SECRET_KEY}, {})
    with pytest.raises(Misconfigured, match=f"{missing} is not set") as caught:
        new_api(settings=settings)
    assert_one_line(str(caught.value))
    assert SECRET_KEY not in everything_said(caught.value)
    assert vendor.actions == []


@pytest.mark.parametrize("part", ["accessKey", "secretKey", "securityToken"])
@pytest.mark.parametrize("wrong", [f" {SECRET_KEY}", f"{SECRET_KEY}\n", f"{SECRET_KEY}钥"])
def test_key_that_can_be_none_is_refused_by_its_name_without_showing_it(
    vendor: Vendor, part: str, wrong: str
) -> None:
    with pytest.raises(Misconfigured, match=f"alicloud:{part} holds") as caught:
        new_api(settings=Settings(new_config(**{part: wrong}), {}))
    assert SECRET_KEY not in everything_said(caught.value)
    assert vendor.actions == []


# The vendor's default chain: its SDK reads the environment when it is imported

_WHO = """
import sys

def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        print("network:", *args[1:])

sys.addaudithook(watch)

from pulumi_hybrid.alicloud.client import AlicloudApi
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Error
from pulumi_hybrid.settings import Settings

try:
    api = AlicloudApi("cn-hangzhou", Settings({}), meanings={}, call=Call(), deadline=Deadline(9))
except Error as error:
    print(type(error).__name__, error)
else:
    print("account:", api.account)
"""


def _run(program: str, home: Path, *arguments: str, **environment: str) -> str:
    """All that a process of its own says, without a key of this machine's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ALICLOUD_", "ALIBABA_CLOUD_"))
    }
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={
            **kept,
            "HOME": str(home),
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


def test_no_key_anywhere_is_one_line_that_names_what_was_tried_and_asks_no_network(
    tmp_path: Path,
) -> None:
    said = _run(_WHO, tmp_path).removesuffix("\n")
    assert_one_line(said)
    assert said.startswith("Misconfigured no Alibaba Cloud key found.")
    for place in (
        "alicloud:accessKey",
        "alicloud:secretKey",
        "--secret",
        "ALICLOUD_ACCESS_KEY",
        "ALICLOUD_SECRET_KEY",
        "OIDC",
        "aliyun CLI",
        "ECS instance",
        "ALIBABA_CLOUD_CREDENTIALS_URI",
    ):
        assert place in said


def test_profile_of_the_vendors_cli_is_used_when_nothing_is_set(tmp_path: Path) -> None:
    profile = {
        "name": "default",
        "mode": "AK",
        "access_key_id": "LTAIprofile",
        "access_key_secret": SECRET_KEY,
    }
    folder = tmp_path / ".aliyun"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"current": "default", "profiles": [profile]}))
    assert _run(_WHO, tmp_path) == "account: LTAIprofile\n"


_REFRESHED = """
import http.server, json, os, threading
from datetime import datetime, timedelta, timezone

answered = 0

class Keys(http.server.BaseHTTPRequestHandler):
    # Keys that are to be refreshed at each use, and fail to be after so many.
    def do_GET(self):
        global answered
        answered += 1
        end = datetime.now(timezone.utc) + timedelta(seconds=60)
        keys = {
            "Code": "Success",
            "AccessKeyId": "LTAIuri",
            "AccessKeySecret": "secret",
            "SecurityToken": "token",
            "Expiration": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        }
        good = answered <= uses
        body = json.dumps(keys).encode() if good else b"{}"
        self.send_response(200 if good else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["ALIBABA_CLOUD_CREDENTIALS_URI"] = f"http://127.0.0.1:{server.server_port}/"

from pulumi_hybrid.alicloud.client import AlicloudApi
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.settings import Settings

config = {"alicloud:endpoint": "http://127.0.0.1:1"}
for uses in (1, 2, 9):
    answered = 0
    try:
        api = AlicloudApi(
            "cn-hangzhou", Settings(config), meanings={}, call=Call(), deadline=Deadline(0)
        )
        api.call("CreateActivation", {}, repeatable=False)
    except Exception as error:
        print(uses, type(error).__name__)
"""


def test_key_that_cannot_be_had_any_more_is_no_lost_answer_and_no_bug(tmp_path: Path) -> None:
    """A role's keys end while a provider process lives; without any, nothing is sent."""
    said = _run(_REFRESHED, tmp_path, PYTHONWARNINGS="ignore")
    failures = dict(line.split() for line in said.splitlines() if line[:2] in ("1 ", "2 ", "9 "))
    # With a key all the way, the request fails because nobody listens.
    assert failures.pop("9") == "NotSent"
    assert set(failures) == {"1", "2"}
    assert set(failures.values()) <= {"Misconfigured", "NotSent"}, failures


# What is logged


_NOISY = """
import logging, sys
from pulumi_hybrid.alicloud.ecs import ActivationProvider
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config

logging.basicConfig(level=logging.DEBUG)
config = {
    "alicloud:accessKey": "LTAIlogged",
    "alicloud:secretKey": sys.argv[2],
    "alicloud:securityToken": sys.argv[3],
    "alicloud:region": "cn-hangzhou",
    "alicloud:endpoint": sys.argv[1],
}
for name in ("Tea", "alibabacloud_tea_openapi.client", "alibabacloud_credentials.client"):
    __import__(name)
logging.root.setLevel(logging.DEBUG)
provider = ActivationProvider()
provider.configure(ConfigureRequest(Config(config, "unit")))
result = provider.create({})
print("made", result.id)
"""


class Line:
    """A loopback port where each request gets the next of some answers; the last one stays."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                received = b""
                # Requests have no body.
                while b"\r\n\r\n" not in received:
                    more = connection.recv(65536)
                    if not more:
                        break
                    received += more
                self.requests.append(received)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer:
                    connection.sendall(answer)

    def close(self) -> None:
        # Wakes the accept, too.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


@contextmanager
def _line(*answers: bytes) -> Iterator[Line]:
    line = Line(*answers)
    try:
        yield line
    finally:
        line.close()


def _http(answer: object, cut: int = 0) -> bytes:
    """An answer as it travels, perhaps cut short."""
    body = json.dumps(answer).encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body[: len(body) - cut]


def test_nothing_secret_is_logged_with_everything_at_debug(tmp_path: Path) -> None:
    shown = listing({"ActivationId": ACTIVATION_ID, "InstanceCount": 10})
    with _line(_http(CREATED), _http(shown)) as line:
        said = _run(
            _NOISY, tmp_path, line.endpoint, SECRET_KEY, TOKEN, DEBUG="sdk", PYTHONWARNINGS="ignore"
        )
    assert f"made {ACTIVATION_ID}" in said
    # The logging does work; the SDK's own is what is quiet.
    assert "POST /?" in said
    assert any(TOKEN.encode() in request for request in line.requests)
    for secret in (SECRET_KEY, TOKEN, CODE, "Authorization", "Signature="):
        assert secret not in said


def test_nothing_secret_is_logged_in_vain_with_everything_at_debug(
    vendor: Vendor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUG", "sdk")
    for logger in ("alibabacloud-tea", "darabonba-core"):
        # As in a process that has just begun: another test's client may have quieted the SDK.
        caplog.set_level(logging.DEBUG, logger=logger)
    caplog.set_level(logging.DEBUG)
    vendor.answers(CREATE, refusal("Throttling"), LOST["truncated"](), CREATED)
    new_api(securityToken=TOKEN).call(CREATE, {"Description": "d"})
    assert vendor.count(CREATE) == 3
    for secret in ("Authorization", "Signature=", SECRET_KEY, TOKEN, CODE):
        assert secret not in caplog.text


# The same over a real connection, so that the exceptions above are the true ones


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_real_answer_arrives() -> None:
    with _line(_http(CREATED)) as line:
        answer = new_api(endpoint=line.endpoint).call(CREATE, {"Description": "d e"})
    assert answer == CREATED
    [request] = line.requests
    assert request.startswith(b"POST /?RegionId=cn-hangzhou&Description=d+e HTTP/1.1\r\n")


def test_real_refused_connection_is_not_sent() -> None:
    api = new_api(endpoint=f"http://127.0.0.1:{_free_port()}")
    with pytest.raises(NotSent, match=r"no connection\).*Gave up after 5 tries"):
        api.call(CREATE, {}, repeatable=False)


def test_real_dead_proxy_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{_free_port()}")
    with pytest.raises(NotSent, match="Nothing was sent"):
        new_api().call(CREATE, {}, repeatable=False)


def test_real_unknown_host_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSent, match="its host name is unknown"):
        new_api(region="nowhere-1").call(CREATE, {}, repeatable=False)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_real_loopback_endpoint_is_reached_although_there_is_a_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{_free_port()}")
    with _line(_http(listing())) as line:
        answer = new_api(endpoint=line.endpoint).call(DESCRIBE, {})
    assert answer == listing()


def test_real_connection_closed_without_an_answer_is_ambiguous() -> None:
    with _line(b"") as line:
        with pytest.raises(Ambiguous):
            new_api(endpoint=line.endpoint).call(CREATE, {}, repeatable=False)
        assert len(line.requests) == 1


def test_real_body_cut_short_is_ambiguous_and_shows_nothing_of_it() -> None:
    with _line(_http(CREATED, cut=2)) as line:
        with pytest.raises(Ambiguous) as caught:
            new_api(endpoint=line.endpoint).call(CREATE, {}, repeatable=False)
        assert len(line.requests) == 1
    assert CODE not in str(caught.value)


def test_real_read_timeout_is_ambiguous() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(Ambiguous):
            new_api(Hurried(timeout=0.2), endpoint=endpoint).call(CREATE, {}, repeatable=False)


def test_clock_and_nonce_are_those_of_now(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    new_api().call(DESCRIBE, {})
    [request] = vendor.requests(DESCRIBE)
    date = datetime.strptime(str(request.headers["x-acs-date"]), "%Y-%m-%dT%H:%M:%S%z")
    assert abs(datetime.now(timezone.utc) - date) < timedelta(minutes=1)
    assert re.fullmatch(r"[0-9a-f]{32}", str(request.headers["x-acs-signature-nonce"]))


def test_threads_of_one_key_do_not_mix_answers(vendor: Vendor) -> None:
    def echo(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps(served(Asked=query(request)["InstanceName"]))

    settings = Settings(new_config(), {})
    wrong: list[Any] = []

    def ask(name: str) -> None:
        answer = new_api(settings=settings).call(DESCRIBE, {"InstanceName": name})
        if answer["Asked"] != name:
            wrong.append((name, answer))

    vendor.mock.add_callback(
        responses.POST, f"https://{HOST}/", callback=echo, content_type="application/json"
    )
    threads = [threading.Thread(target=ask, args=(f"name-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert vendor.count(DESCRIBE) == 8


def test_first_request_passes_before_the_others_even_after_one_that_failed(vendor: Vendor) -> None:
    """Else the SDK makes a pool of connections for each, and loses all but one."""
    settings = Settings(new_config(), {})
    here = threading.Barrier(4)
    at_once: list[int] = []
    under_way: list[object] = []

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        under_way.append(request)
        at_once.append(len(under_way))
        # Those that are let through meanwhile arrive while this one is served.
        threading.Event().wait(0.3)
        under_way.pop()
        if len(at_once) == 1:
            raise requests.ConnectionError("reset")
        return 200, {}, json.dumps(listing())

    def ask() -> None:
        api = new_api(settings=settings)
        here.wait(30)
        api.call(DESCRIBE, {"ActivationId": "a"})

    vendor.mock.add_callback(
        responses.POST, f"https://{HOST}/", callback=answer, content_type="application/json"
    )
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at_once[:2] == [1, 1]
    assert len(at_once) == 5


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9"])
def test_first_request_to_one_host_does_not_wait_for_that_to_another(
    vendor: Vendor, endpoint: str | None
) -> None:
    settings = Settings(new_config(**({"endpoint": endpoint} if endpoint else {})), {})
    regions = ["cn-beijing", "eu-central-1"]
    first_is_here, second_is_served = threading.Event(), threading.Event()
    was_served: list[bool] = []

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        if query(request)["RegionId"] == regions[0]:
            first_is_here.set()
            was_served.append(second_is_served.wait(0.5 if endpoint else 30))
        else:
            second_is_served.set()
        return 200, {}, json.dumps(listing())

    for host in [f"ecs.{region}.aliyuncs.com" for region in regions]:
        vendor.mock.add_callback(responses.POST, endpoint or f"https://{host}/", callback=answer)
    first, second = (
        threading.Thread(target=new_api(region=region, settings=settings).call, args=(DESCRIBE, {}))
        for region in regions
    )
    first.start()
    assert first_is_here.wait(30)
    second.start()
    first.join()
    second.join()
    # One endpoint is one host, whatever the region.
    assert was_served == [endpoint is None]

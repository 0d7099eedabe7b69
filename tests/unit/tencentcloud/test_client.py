from __future__ import annotations

import json
import logging
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from pulumi_hybrid import __version__
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
from pulumi_hybrid.tencentcloud.client import COMMON_MEANINGS

from ..conftest import DEAD_PROXY, Context, Hurried, assert_one_line
from .conftest import (
    CODE_VALUE,
    CREATE,
    CREATED,
    DESCRIBE,
    HOST,
    LOST,
    REGION,
    REQUEST_ID,
    SECRET_KEY,
    UNSENT,
    Raw,
    Reply,
    Vendor,
    listing,
    new_api,
    new_config,
    refusal,
    served,
)

THROTTLING = [
    "RequestLimitExceeded",
    "RequestLimitExceeded.UinLimitExceeded",
    "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
    "RequestLimitExceeded.IPLimitExceeded",
]
PASSING = [
    "InternalError",
    "InternalError.DbError",
    "ResourceUnavailable",
    "ResourceInUse",
    "ResourceBusy",
]
ENDED = ["AuthFailure.TokenFailure"]
PERMANENT = [
    "AuthFailure.SignatureExpire",
    "AuthFailure.SignatureFailure",
    "AuthFailure.SecretIdNotFound",
    "AuthFailure.InvalidSecretId",
    "AuthFailure.MFAFailure",
    "AuthFailure.UnauthorizedOperation",
    "UnauthorizedOperation",
    "UnauthorizedOperation.CamNoAuth",
    "UnsupportedRegion",
    "InvalidParameter.UnsupportedRegion",
    "NoSuchVersion",
    "InvalidAction",
    "UnknownParameter",
    "ActionOffline",
    "LimitExceeded",
    "LimitExceeded.Quota",
    "OperationDenied",
    "OperationDenied.State",
    "MissingParameter",
    "InvalidParameter",
    "InvalidParameter.Format",
    "InvalidParameterValue",
    "InvalidParameterValue.InvalidFilter",
    "Nobody.EverSawThis",
]


def _says_what_to_do(error: Refused) -> bool:
    """Whether the reason has a second sentence."""
    return len(error.reason.rstrip(".").split(". ")) > 1


# What is sent


def test_request_arrives_with_action_version_region_and_language(vendor: Vendor) -> None:
    vendor.answers(CREATE, CREATED)
    answer = new_api().call(CREATE, {"RegisterLimit": 3}, repeatable=False)
    assert answer == CREATED["Response"]
    [request] = vendor.requests(CREATE)
    assert (request.method, request.url) == ("POST", f"https://{HOST}/")
    assert request.headers["Host"] == HOST
    assert request.headers["X-TC-Version"] == "2020-10-28"
    assert request.headers["X-TC-Region"] == REGION
    assert request.headers["X-TC-Language"] == "en-US"
    assert request.headers["Content-Type"] == "application/json"
    assert f"pulumi_hybrid-{__version__}" in request.headers["X-TC-RequestClient"]
    assert vendor.bodies(CREATE) == [{"RegisterLimit": 3}]


def test_request_is_signed_with_the_configured_key(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    new_api(secretId="AKIDsigned").call(DESCRIBE, {})
    [request] = vendor.requests(DESCRIBE)
    assert re.fullmatch(
        r"TC3-HMAC-SHA256 Credential=AKIDsigned/\d{4}-\d\d-\d\d/tat/tc3_request, "
        r"SignedHeaders=content-type;host, Signature=[0-9a-f]{64}",
        str(request.headers["Authorization"]),
    )


def test_request_carries_no_token_where_there_is_none(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    new_api().call(DESCRIBE, {})
    assert "X-TC-Token" not in vendor.requests(DESCRIBE)[0].headers


def test_request_carries_the_token_of_a_temporary_key(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    new_api(securityToken="temporary").call(DESCRIBE, {})
    assert vendor.requests(DESCRIBE)[0].headers["X-TC-Token"] == "temporary"


def test_request_of_a_product_without_regions_names_none(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    new_api(region="").call(DESCRIBE, {})
    assert "X-TC-Region" not in vendor.requests(DESCRIBE)[0].headers


def test_each_region_is_asked_for_itself(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    settings = Settings(new_config(), {})
    for region in ("ap-guangzhou", "eu-frankfurt", "ap-guangzhou"):
        new_api(region=region, settings=settings).call(DESCRIBE, {})
    asked = [request.headers["X-TC-Region"] for request in vendor.requests(DESCRIBE)]
    assert asked == ["ap-guangzhou", "eu-frankfurt", "ap-guangzhou"]


def test_parameters_are_left_as_they_were(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing())
    parameters = {"RegisterCodeIds": ["a"]}
    new_api().call(DESCRIBE, parameters)
    assert parameters == {"RegisterCodeIds": ["a"]}


def test_domain_chooses_the_international_site(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing(), url="https://tat.intl.tencentcloudapi.com/")
    new_api(domain="intl.tencentcloudapi.com").call(DESCRIBE, {})
    [request] = vendor.requests(DESCRIBE)
    assert request.headers["Host"] == "tat.intl.tencentcloudapi.com"


@pytest.mark.parametrize("domain", ["https://intl.tencentcloudapi.com", "a b", "a.b/c", "a.b:443"])
def test_domain_that_is_no_host_name_is_refused_before_anything_is_sent(
    vendor: Vendor, domain: str
) -> None:
    vendor.answers(DESCRIBE, listing())
    with pytest.raises(Misconfigured, match="tencentcloud:domain must be a host name"):
        new_api(domain=domain).call(DESCRIBE, {})
    assert vendor.count(DESCRIBE) == 0


def test_unknown_host_of_a_site_says_to_check_the_domain(vendor: Vendor) -> None:
    url = "https://tat.intl.tencentcloudapi.co/"
    vendor.answers(DESCRIBE, UNSENT["unknown_host"](), url=url)
    with pytest.raises(NotSent, match="its host name is unknown") as caught:
        new_api(domain="intl.tencentcloudapi.co").call(DESCRIBE, {})
    assert "Check the network, the proxy and tencentcloud:domain." in str(caught.value)


def test_endpoint_comes_before_domain(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, listing(), url="https://proxy.example.com:8443/")
    api = new_api(domain="intl.tencentcloudapi.com", endpoint="https://proxy.example.com:8443")
    api.call(DESCRIBE, {})
    assert vendor.requests(DESCRIBE)[0].headers["Host"] == "proxy.example.com:8443"


# Where it may go


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8080/",
        "http://127.1.2.3:8080",
        "http://localhost:8080",
        "http://LOCALHOST:8080",
        "http://[::1]:8080",
        "http://127.0.0.1",
        "https://127.0.0.1:8080",
        "https://tat.example.com",
        "https://192.0.2.1:8443",
    ],
)
def test_endpoint_is_where_requests_go(vendor: Vendor, endpoint: str) -> None:
    url = endpoint.lower().rstrip("/") + "/"
    vendor.answers(DESCRIBE, listing(), url=url)
    new_api(endpoint=endpoint).call(DESCRIBE, {})
    [request] = vendor.requests(DESCRIBE)
    assert request.headers["Host"].lower() == url.partition("//")[2].rstrip("/")


@pytest.mark.parametrize("netloc", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
@pytest.mark.parametrize("no_proxy", ["", "tat.example.com"])
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_loopback_endpoint_is_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch, netloc: str, no_proxy: str, variable: str
) -> None:
    monkeypatch.setenv(variable, DEAD_PROXY)
    if no_proxy:
        monkeypatch.setenv("NO_PROXY", no_proxy)
    with responses.RequestsMock() as mock:
        served_here = mock.post(f"http://{netloc}/", json=listing())
        new_api(endpoint=f"http://{netloc}").call(DESCRIBE, {})
        [call] = served_here.calls
        assert "http" not in call.request.req_kwargs["proxies"]
    assert no_proxy in os.environ["NO_PROXY"]


def test_vendors_hosts_are_reached_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", DEAD_PROXY)
    with responses.RequestsMock() as mock:
        served_there = mock.post(f"https://{HOST}/", json=listing())
        new_api().call(DESCRIBE, {})
        proxies = served_there.calls[0].request.req_kwargs["proxies"]
        assert proxies["https"] == DEAD_PROXY


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


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html", "a/b"])
def test_answer_is_read_whatever_its_content_type(vendor: Vendor, content_type: str) -> None:
    vendor.answers(DESCRIBE, Raw(json.dumps(listing()), content_type=content_type))
    assert new_api().call(DESCRIBE, {}) == listing()["Response"]


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "text/html"]
)
def test_error_is_one_whatever_its_status_and_content_type(
    vendor: Vendor, status: int, content_type: str
) -> None:
    vendor.answers(
        CREATE, Raw(json.dumps(refusal("InvalidParameter")), status, content_type), CREATED
    )
    with pytest.raises(Refused) as caught:
        new_api().call(CREATE, {}, repeatable=False)
    assert caught.value.answer.code == "InvalidParameter"
    assert caught.value.answer.request_id == REQUEST_ID
    assert vendor.count(CREATE) == 1


def _refused(vendor: Vendor, code: str) -> Refused:
    vendor.answers(CREATE, refusal(code))
    with pytest.raises(Refused) as caught:
        # The time is up: one try is all there is.
        new_api(deadline=-1).call(CREATE, {}, repeatable=False)
    return caught.value


@pytest.mark.parametrize("code", [*THROTTLING, *PASSING, *ENDED, *PERMANENT])
def test_every_common_code_is_one_line_with_code_words_and_request_id(
    vendor: Vendor, code: str
) -> None:
    error = _refused(vendor, code)
    assert_one_line(str(error))
    assert str(error).endswith(
        f" [TAT {CREATE}: {code}, “The vendor's words”, RequestId {REQUEST_ID}]"
    )


@pytest.mark.parametrize("code", [*THROTTLING, *PASSING, *ENDED, *PERMANENT])
def test_every_common_code_says_what_to_do(vendor: Vendor, code: str) -> None:
    error = _refused(vendor, code)
    assert _says_what_to_do(error), error.reason


@pytest.mark.parametrize(("code", "meaning"), COMMON_MEANINGS.items())
def test_every_known_code_keeps_its_own_sentence(
    vendor: Vendor, code: str, meaning: Meaning
) -> None:
    error = _refused(vendor, code)
    assert type(error) is meaning.kind
    assert error.reason.startswith(meaning.reason)


@pytest.mark.parametrize(
    ("codes", "kind"),
    [(THROTTLING, Throttled), (PASSING, Transient), (ENDED, Expired), (PERMANENT, Refused)],
)
def test_every_common_code_is_of_its_kind(
    vendor: Vendor, codes: list[str], kind: type[Refused]
) -> None:
    vendor.answers(CREATE, *map(refusal, codes), refusal("InvalidParameter"))
    for code in codes:
        with pytest.raises(Refused) as caught:
            new_api(deadline=-1).call(CREATE, {}, repeatable=False)
        assert caught.value.answer.code == code
        assert type(caught.value) is kind


def test_code_with_a_subcode_means_what_the_code_means(vendor: Vendor) -> None:
    vendor.answers(CREATE, refusal("LimitExceeded.Some.New.One"))
    meanings = {"LimitExceeded": Meaning("too many boxes. Throw some away.")}
    with pytest.raises(Refused, match=r"^too many boxes") as caught:
        new_api(meanings=meanings).call(CREATE, {}, repeatable=False)
    assert caught.value.answer.code == "LimitExceeded.Some.New.One"


def test_products_own_meaning_comes_before_the_common_one(vendor: Vendor) -> None:
    vendor.answers(CREATE, refusal("ResourceUnavailable"))
    meanings = {"ResourceUnavailable": Meaning("there is none. Make one.", NotFound)}
    with pytest.raises(NotFound, match=r"^there is none"):
        new_api(meanings=meanings).call(CREATE, {}, repeatable=False)


def test_vendors_words_over_several_lines_become_one(vendor: Vendor) -> None:
    vendor.answers(CREATE, refusal("InvalidParameter", "One.\r\nTwo.\n\tThree."))
    with pytest.raises(Refused, match=r"“One\. Two\. Three”") as caught:
        new_api().call(CREATE, {}, repeatable=False)
    assert_one_line(str(caught.value))


def test_error_without_words_or_code_is_still_a_refusal(vendor: Vendor) -> None:
    body = json.dumps(served(Error={"Code": None, "Message": None}))
    vendor.answers(CREATE, Raw(body, content_type="application/json; charset=utf-8"))
    with pytest.raises(Refused, match=f"no code, RequestId {REQUEST_ID}"):
        new_api().call(CREATE, {}, repeatable=False)


# What is sent again, and how often


@pytest.mark.parametrize(
    ("name", "repeatable"), [("refused", True), *((name, False) for name in UNSENT)]
)
def test_what_was_not_sent_is_sent_five_times_in_any_case(
    vendor: Vendor, name: str, repeatable: bool
) -> None:
    vendor.answers(CREATE, UNSENT[name]())
    with pytest.raises(NotSent, match="Nothing was sent") as caught:
        new_api().call(CREATE, {}, repeatable=repeatable)
    assert vendor.count(CREATE) == 5
    assert_one_line(str(caught.value))
    assert f"TAT {CREATE}" in str(caught.value)
    assert "Check the network and the proxy." in str(caught.value)


@pytest.mark.parametrize("fault", UNSENT.values(), ids=UNSENT)
def test_what_was_not_sent_succeeds_when_the_way_is_clear_again(
    vendor: Vendor, fault: Callable[[], Reply]
) -> None:
    vendor.answers(CREATE, fault(), CREATED)
    assert new_api().call(CREATE, {}, repeatable=False) == CREATED["Response"]
    assert vendor.count(CREATE) == 2


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_lost_answer_of_what_cannot_be_repeated_is_not_asked_for_again(
    vendor: Vendor, fault: Callable[[], Reply]
) -> None:
    vendor.answers(CREATE, fault(), CREATED)
    with pytest.raises(Ambiguous, match=f"the answer of TAT {CREATE} was lost") as caught:
        new_api().call(CREATE, {}, repeatable=False)
    assert vendor.count(CREATE) == 1
    assert_one_line(str(caught.value))
    assert CODE_VALUE not in str(caught.value)
    assert CODE_VALUE not in repr(caught.value)


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_lost_answer_of_what_can_be_repeated_is_asked_for_again(
    vendor: Vendor, fault: Callable[[], Reply]
) -> None:
    vendor.answers(DESCRIBE, fault(), listing())
    assert new_api().call(DESCRIBE, {}) == listing()["Response"]
    assert vendor.count(DESCRIBE) == 2


@pytest.mark.parametrize("name", ["read_timeout", "html_503", "truncated"])
def test_answers_that_stay_lost_are_given_up_after_five_tries(vendor: Vendor, name: str) -> None:
    vendor.answers(DESCRIBE, LOST[name]())
    with pytest.raises(Ambiguous, match="Gave up after 5 tries"):
        new_api().call(DESCRIBE, {})
    assert vendor.count(DESCRIBE) == 5


@pytest.mark.parametrize("code", PASSING)
def test_passing_fault_is_repeated_where_that_is_the_same_and_only_there(
    vendor: Vendor, code: str
) -> None:
    vendor.answers(DESCRIBE, refusal(code), refusal(code), listing())
    assert new_api().call(DESCRIBE, {}) == listing()["Response"]
    assert vendor.count(DESCRIBE) == 3
    vendor.answers(CREATE, refusal(code), CREATED)
    with pytest.raises(Transient):
        new_api().call(CREATE, {}, repeatable=False)
    assert vendor.count(CREATE) == 1


@pytest.mark.parametrize(
    ("code", "repeatable"), [(THROTTLING[0], True), *((code, False) for code in THROTTLING)]
)
def test_throttled_three_times_then_served_is_a_success(
    vendor: Vendor, code: str, repeatable: bool
) -> None:
    call = Hurried()
    vendor.answers(CREATE, refusal(code), refusal(code), refusal(code), CREATED)
    assert new_api(call).call(CREATE, {}, repeatable=repeatable) == CREATED["Response"]
    assert vendor.count(CREATE) == 4
    assert len(call.pauses) == len(call.said) == 3


def test_throttled_over_http_429_is_throttled_too(vendor: Vendor) -> None:
    vendor.answers(CREATE, Raw(json.dumps(refusal("RequestLimitExceeded")), 429), CREATED)
    assert new_api().call(CREATE, {}, repeatable=False) == CREATED["Response"]


@pytest.mark.parametrize("code", PERMANENT)
def test_the_users_to_change_is_said_at_once(vendor: Vendor, code: str) -> None:
    vendor.answers(DESCRIBE, refusal(code), listing())
    with pytest.raises(Refused):
        new_api().call(DESCRIBE, {})
    assert vendor.count(DESCRIBE) == 1


def test_every_try_is_a_request_of_its_own_with_its_own_signature(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, refusal("InternalError"), listing())
    new_api().call(DESCRIBE, {"Offset": 0})
    first, second = vendor.requests(DESCRIBE)
    assert first.body == second.body
    assert first.headers["X-TC-TraceId"] != second.headers["X-TC-TraceId"]


def test_nothing_is_sent_again_for_an_engine_that_has_gone(vendor: Vendor) -> None:
    vendor.answers(DESCRIBE, refusal("InternalError"), listing())
    with pytest.raises(Transient):
        new_api(Hurried(_context=Context(active=False))).call(DESCRIBE, {})
    assert vendor.count(DESCRIBE) == 1


@pytest.mark.parametrize("token", ["temporary\n", " temporary", "tempo\nrary"])
def test_token_that_cannot_stand_in_a_header_was_certainly_not_sent(
    vendor: Vendor, token: str
) -> None:
    """A token pasted with its line end: nothing has left the machine."""
    vendor.answers(CREATE, CREATED)
    with pytest.raises((Misconfigured, NotSent)) as caught:
        new_api(securityToken=token).call(CREATE, {}, repeatable=False)
    assert vendor.count(CREATE) == 0
    assert token.strip() not in str(caught.value)


# What is logged


def test_nothing_secret_is_logged_with_everything_at_debug(
    vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    # As in a process that has just begun: another test's client may have quieted the SDK.
    caplog.set_level(logging.NOTSET, logger="tencentcloud_sdk_common")
    caplog.set_level(logging.DEBUG)
    vendor.answers(CREATE, refusal("RequestLimitExceeded"), CREATED)
    new_api(securityToken="5e1f-token").call(CREATE, {"Description": "d"}, repeatable=False)
    assert vendor.count(CREATE) == 2
    for secret in ("Authorization", "Signature=", SECRET_KEY, "5e1f-token", CODE_VALUE):
        assert secret not in caplog.text


# The same over a real connection, so that the exceptions above are the true ones


class Line:
    """A loopback port where each connection gets the same bytes and is closed."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._socket.getsockname()[1]}"
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
                while b"\r\n\r\n" not in received or not received.endswith(b"}"):
                    more = connection.recv(65536)
                    if not more:
                        break
                    received += more
                self.requests += received.startswith(b"POST")
                if self.answer:
                    connection.sendall(self.answer)

    def close(self) -> None:
        # Wakes the accept, too.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


@contextmanager
def _line(answer: bytes) -> Iterator[Line]:
    line = Line(answer)
    try:
        yield line
    finally:
        line.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _http(body: bytes, length: int) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + body


def test_real_answer_arrives() -> None:
    body = json.dumps(CREATED).encode()
    with _line(_http(body, len(body))) as line:
        answer = new_api(endpoint=f"http://{line.netloc}").call(CREATE, {}, repeatable=False)
    assert answer == CREATED["Response"]


def test_real_refused_connection_is_not_sent() -> None:
    api = new_api(endpoint=f"http://127.0.0.1:{_free_port()}")
    with pytest.raises(NotSent, match="Gave up after 5 tries"):
        api.call(CREATE, {}, repeatable=False)


def test_real_dead_proxy_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{_free_port()}")
    with pytest.raises(NotSent, match="Nothing was sent"):
        new_api().call(CREATE, {}, repeatable=False)


def test_real_loopback_endpoint_is_reached_although_there_is_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{_free_port()}")
    monkeypatch.setenv("http_proxy", os.environ["HTTP_PROXY"])
    body = json.dumps(listing()).encode()
    with _line(_http(body, len(body))) as line:
        answer = new_api(endpoint=f"http://{line.netloc}").call(DESCRIBE, {})
    assert answer == listing()["Response"]


def test_real_connection_closed_without_an_answer_is_ambiguous() -> None:
    with _line(b"") as line:
        with pytest.raises(Ambiguous):
            new_api(endpoint=f"http://{line.netloc}").call(CREATE, {}, repeatable=False)
        assert line.requests == 1


def test_real_body_cut_short_is_ambiguous_and_shows_nothing_of_it() -> None:
    body = json.dumps(CREATED).encode()
    with _line(_http(body[:-20], len(body))) as line:
        with pytest.raises(Ambiguous) as caught:
            new_api(endpoint=f"http://{line.netloc}").call(CREATE, {}, repeatable=False)
        assert line.requests == 1
    assert CODE_VALUE not in str(caught.value)


def test_real_read_timeout_is_ambiguous() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(Ambiguous):
            new_api(Hurried(timeout=0.2), endpoint=endpoint).call(CREATE, {}, repeatable=False)


def test_real_certificate_file_that_is_missing_is_not_ambiguous(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Requests looks for the file before it dials."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises((NotSent, Misconfigured)):
        new_api().call(CREATE, {}, repeatable=False)


def test_connection_is_kept_between_calls_and_threads_do_not_mix_answers(vendor: Vendor) -> None:
    def echo(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        offset = json.loads(str(request.body))["Offset"]
        return 200, {}, json.dumps(served(TotalCount=offset))

    settings = Settings(new_config(), {})
    wrong: list[Any] = []

    def ask(offset: int) -> None:
        answer = new_api(settings=settings).call(DESCRIBE, {"Offset": offset})
        if answer["TotalCount"] != offset:
            wrong.append((offset, answer))

    vendor._mock.add_callback(
        responses.POST, f"https://{HOST}/", callback=echo, content_type="application/json"
    )
    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert vendor.count(DESCRIBE) == 8

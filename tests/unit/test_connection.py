from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import SplitResult

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid import connection
from pulumi_hybrid.alicloud.client import AlicloudApi
from pulumi_hybrid.api import Api
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.errors import Ambiguous, Misconfigured, NotSent
from pulumi_hybrid.settings import ALICLOUD, TENCENTCLOUD, Cloud, Settings
from pulumi_hybrid.tencentcloud.client import TencentcloudApi
from pulumi_hybrid.tencentcloud.tat import TAT

from .conftest import DEAD_PROXY, Hurried, assert_one_line, everything_said

SECRET = "5e1f-secret"
NOTHING_SET = Settings({}, {})


def _endpoint(text: str) -> SplitResult | None:
    return connection.endpoint(TENCENTCLOUD, Settings({"tencentcloud:endpoint": text}, {}))


# Where a request may go


def test_no_endpoint_is_the_vendors_own_hosts() -> None:
    assert connection.endpoint(TENCENTCLOUD, Settings({}, {})) is None


@pytest.mark.parametrize(
    ("text", "scheme", "netloc"),
    [
        ("http://127.0.0.1:8080", "http", "127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http", "127.0.0.1:8080"),
        ("http://127.1.2.3", "http", "127.1.2.3"),
        ("http://localhost:8080", "http", "localhost:8080"),
        # It is signed, and an SDK sends it in small letters.
        ("http://LOCALHOST:8080", "http", "localhost:8080"),
        ("HTTPS://TAT.Example.com", "https", "tat.example.com"),
        ("http://[::1]:8080", "http", "[::1]:8080"),
        ("https://tat.example.com", "https", "tat.example.com"),
        ("https://192.0.2.1:8443/", "https", "192.0.2.1:8443"),
        ("https://a_b.example-1.com", "https", "a_b.example-1.com"),
    ],
)
def test_endpoint_may_be_https_anywhere_or_loopback(text: str, scheme: str, netloc: str) -> None:
    url = _endpoint(text)
    assert url is not None
    assert (url.scheme, url.netloc) == (scheme, netloc)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://tat.example.com",
        "http://192.168.1.1:8080",
        "http://10.0.0.1",
        "http://0.0.0.0:8080",
        "http://[2001:db8::1]:8080",
        "http://localhost.example.com:8080",
        "http://127.0.0.1.example.com",
        "http://xlocalhost",
        "http://2130706433",
        "HTTP://tat.example.com",
    ],
)
def test_endpoint_in_the_clear_is_refused_but_for_loopback(endpoint: str) -> None:
    with pytest.raises(Misconfigured, match="in the clear") as caught:
        _endpoint(endpoint)
    assert_one_line(str(caught.value))
    assert "tencentcloud:endpoint" in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://tat.example.com/path",
        "https://tat.example.com//",
        "https://tat.example.com?query",
        "https://tat.example.com/?query",
        "https://tat.example.com#fragment",
        "http://127.0.0.1:8080/path",
    ],
)
def test_endpoint_with_a_path_is_refused(endpoint: str) -> None:
    with pytest.raises(Misconfigured, match="tencentcloud:endpoint must be a URL without a path"):
        _endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "tat.example.com",
        "127.0.0.1:8080",
        "localhost:8080",
        "//tat.example.com",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://",
        "https://:8080",
        "https:tat.example.com",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://[::1",
        "https://tat example.com",
        "junk",
        "/",
    ],
)
def test_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(Misconfigured, match="tencentcloud:endpoint must be a URL") as caught:
        _endpoint(endpoint)
    assert_one_line(str(caught.value))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://user@tat.example.com",
        "https://user:5e1f-secret@tat.example.com",
        "https://:5e1f-secret@tat.example.com",
        "https://@tat.example.com",
        "http://tat.example.com@127.0.0.1:8080",
        "http://127.0.0.1:8080@tat.example.com",
    ],
)
def test_endpoint_with_a_user_or_password_is_refused_without_showing_it(endpoint: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        _endpoint(endpoint)
    assert "5e1f-secret" not in everything_said(caught.value)


@given(st.text(max_size=40))
def test_endpoint_of_any_text_is_used_or_refused_in_one_line(text: str) -> None:
    try:
        url = _endpoint(text)
    except Misconfigured as refused:
        said = str(refused)
    else:
        assert url is None if text == "" else url is not None and url.hostname
        return
    assert_one_line(said)


@pytest.mark.parametrize("listed", ["", "tat.example.com", "x127.0.0.1:8080,y127.0.0.1"])
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_loopback_is_added_to_what_goes_past_the_proxy_just_once(
    monkeypatch: pytest.MonkeyPatch, listed: str, variable: str
) -> None:
    monkeypatch.setenv(variable, listed)
    for _ in range(3):
        _endpoint("http://127.0.0.1:8080")
    hosts = os.environ[variable].split(",")
    before = list(filter(None, listed.split(",")))
    assert sorted(hosts) == sorted([*before, "127.0.0.1:8080", "127.0.0.1"])


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_plain_http_to_loopback_goes_past_a_proxy_that_an_sdk_would_use_all_the_same(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Alibaba Cloud's SDK looks at no NO_PROXY."""
    monkeypatch.setenv(variable, DEAD_PROXY)
    monkeypatch.setenv("HTTPS_PROXY", DEAD_PROXY)
    connection.endpoint(ALICLOUD, Settings({"alicloud:endpoint": "http://127.0.0.1:8080"}, {}))
    assert variable not in os.environ
    assert os.environ["HTTPS_PROXY"] == DEAD_PROXY


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_the_proxy_of_the_program_stays_where_the_sdk_can_be_told_to_pass_it(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A lookup runs in the user's own process."""
    monkeypatch.setenv(variable, DEAD_PROXY)
    _endpoint("http://127.0.0.1:8080")
    assert os.environ[variable] == DEAD_PROXY


def test_endpoint_elsewhere_leaves_the_proxy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "a")
    monkeypatch.setenv("HTTP_PROXY", DEAD_PROXY)
    _endpoint("https://tat.example.com")
    assert os.environ["NO_PROXY"] == "a"
    assert "no_proxy" not in os.environ
    assert os.environ["HTTP_PROXY"] == DEAD_PROXY


def test_endpoint_is_named_by_the_cloud_whose_it_is() -> None:
    settings = Settings({"alicloud:endpoint": "junk"}, {})
    with pytest.raises(Misconfigured, match="alicloud:endpoint must be a URL"):
        connection.endpoint(ALICLOUD, settings)
    assert connection.endpoint(TENCENTCLOUD, settings) is None


def test_loopback_by_https_leaves_the_proxy_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unlike plain http, https goes to other machines, too."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, DEAD_PROXY)
    _endpoint("https://127.0.0.1:8443")
    assert (os.environ["HTTP_PROXY"], os.environ["HTTPS_PROXY"]) == (DEAD_PROXY, DEAD_PROXY)
    assert "127.0.0.1" in os.environ["NO_PROXY"].split(",")


# The site


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("intl.tencentcloudapi.com", "intl.tencentcloudapi.com"),
        ("Internal.TencentcloudAPI.com", "internal.tencentcloudapi.com"),
        ("test-1.example", "test-1.example"),
        ("", None),
    ],
)
def test_domain_is_a_host_name_in_small_letters(text: str, domain: str | None) -> None:
    assert connection.domain(Settings({"tencentcloud:domain": text}, {})) == domain


@pytest.mark.parametrize(
    "text",
    [
        "https://intl.tencentcloudapi.com",
        "intl.tencentcloudapi.com/path",
        "intl.tencentcloudapi.com:443",
        "intl tencentcloudapi.com",
        " intl.tencentcloudapi.com",
        "intl.tencentcloudapi.com\n",
        "intl..com",
        ".com",
        "5e1f-secret@example.com",
        "\u00e9.com",
        "x" * 64,
        ".".join(["x" * 60] * 5),
    ],
)
def test_domain_that_is_no_host_name_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        connection.domain(Settings({"tencentcloud:domain": text}, {}))
    assert str(caught.value) == (
        "tencentcloud:domain must be a host name, such as intl.tencentcloudapi.com. "
        "Run `pulumi config set tencentcloud:domain …` or set TENCENTCLOUD_DOMAIN"
    )


# Whether it got there


class NewConnectionError(Exception):
    """Named like urllib3's."""


class ReadTimeout(Exception):
    """Named like requests'."""


def _wrapped(cause: Exception) -> Exception:
    return RuntimeError("outer", ValueError(cause))


def _chained(cause: Exception) -> Exception:
    outer = RuntimeError("outer")
    outer.__context__ = KeyError("middle")
    outer.__context__.__cause__ = cause
    return outer


def _with_attribute(name: str, cause: Exception) -> Exception:
    outer = RuntimeError("outer")
    setattr(outer, name, cause)
    return outer


@pytest.mark.parametrize(
    "error",
    [
        NewConnectionError(SECRET),
        _wrapped(NewConnectionError(SECRET)),
        _chained(NewConnectionError(SECRET)),
        _with_attribute("reason", NewConnectionError(SECRET)),
        _with_attribute("inner_exception", _wrapped(NewConnectionError(SECRET))),
    ],
    ids=["plain", "argument", "chain", "reason", "inner"],
)
def test_failure_that_proves_that_nothing_was_sent_is_found_however_deep(error: Exception) -> None:
    found = connection.failure(TENCENTCLOUD, NOTHING_SET, "TAT X", error, "broke")
    assert isinstance(found, NotSent)
    assert str(found) == (
        "Tencent Cloud could not be reached (TAT X, no connection). Nothing was sent. Check the "
        "network and the proxy."
    )


@pytest.mark.parametrize("error", [ReadTimeout(SECRET), _wrapped(ReadTimeout(SECRET))])
def test_failure_that_proves_nothing_is_ambiguous_and_repeats_no_words(error: Exception) -> None:
    found = connection.failure(TENCENTCLOUD, NOTHING_SET, "TAT X", error, "broke")
    assert isinstance(found, Ambiguous)
    assert str(found) == ("the answer of TAT X was lost (broke): it may have been done, or not.")


def test_failure_whose_causes_go_in_a_circle_is_ambiguous() -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.args, other.args = (other,), (one,)
    assert isinstance(
        connection.failure(TENCENTCLOUD, NOTHING_SET, "TAT X", one, "broke"), Ambiguous
    )


_PROOFS = {
    "NewConnectionError": "no connection",
    "NameResolutionError": "its host name is unknown",
    "ConnectTimeoutError": "no connection in time",
    "ConnectTimeout": "no connection in time",
    "ProxyError": "the proxy does not answer",
    "SSLCertVerificationError": "its certificate is not trusted",
    "InvalidURL": "the endpoint is no URL",
    "Misconfigured": "no key could be had",
}


@pytest.mark.parametrize("cloud", [TENCENTCLOUD, ALICLOUD])
@pytest.mark.parametrize(("name", "proof"), _PROOFS.items())
def test_failure_says_what_proves_that_nothing_was_sent(
    cloud: Cloud, name: str, proof: str
) -> None:
    error = _wrapped(type(name, (Exception,), {})(SECRET))
    found = connection.failure(cloud, NOTHING_SET, "TAT X", error, "broke")
    assert isinstance(found, NotSent)
    assert str(found).startswith(f"{cloud.title} could not be reached (TAT X, {proof}).")
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("cloud", "config", "to_check"),
    [
        (ALICLOUD, {}, "the network and the proxy"),
        (ALICLOUD, {"alicloud:endpoint": "https://a.b"}, "{} and alicloud:endpoint"),
        (ALICLOUD, {"tencentcloud:domain": "a.b"}, "the network and the proxy"),
        (TENCENTCLOUD, {}, "the network and the proxy"),
        (TENCENTCLOUD, {"tencentcloud:domain": "a.b"}, "{} and tencentcloud:domain"),
        (
            TENCENTCLOUD,
            {"tencentcloud:domain": "a.b", "tencentcloud:endpoint": "https://a.b"},
            "{} and tencentcloud:endpoint",
        ),
    ],
)
def test_failure_says_to_check_what_is_set_and_decides_where_requests_go(
    cloud: Cloud, config: dict[str, str], to_check: str
) -> None:
    error = _wrapped(type("NameResolutionError", (Exception,), {})(SECRET))
    found = connection.failure(cloud, Settings(config, {}), "TAT X", error, "broke")
    to_check = to_check.format("the network, the proxy")
    assert str(found).endswith(f"Nothing was sent. Check {to_check}.")


@pytest.mark.parametrize(
    "name", ["SSLError", "ProtocolError", "ChunkedEncodingError", "IncompleteRead", "RetryError"]
)
def test_failure_that_may_have_come_after_the_request_is_ambiguous(name: str) -> None:
    error = _wrapped(type(name, (Exception,), {})(SECRET))
    assert isinstance(connection.failure(ALICLOUD, NOTHING_SET, "ECS X", error, "broke"), Ambiguous)


def _raised(error: Exception) -> Exception:
    """As it is raised where an answer is read."""
    try:
        raise error
    except Exception as raised:  # noqa: BLE001
        return raised


@contextmanager
def _listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where every connection is answered so."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connected, _ = server.accept()
                    with connected, suppress(OSError):
                        answer(connected)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _says_bad_request(connected: socket.socket) -> None:
    connected.recv(4096)
    connected.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def _knows_no_such_tls(connected: socket.socket) -> None:
    connected.recv(4096)
    connected.sendall(bytes([21, 3, 3, 0, 2, 2, 70]))


def _hangs_up(connected: socket.socket) -> None:
    connected.recv(4096)


def _resets(connected: socket.socket) -> None:
    connected.recv(4096)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _new_api(cloud: Cloud, port: int) -> Api:
    config = {
        cloud.key_id.key: "id",
        cloud.key_secret.key: SECRET,
        cloud.endpoint.key: f"https://127.0.0.1:{port}",
    }
    settings, call, deadline = Settings(config, {}), Hurried(), Deadline(300)
    if cloud is TENCENTCLOUD:
        return TencentcloudApi(TAT, "r", settings, meanings={}, call=call, deadline=deadline)
    return AlicloudApi("r", settings, meanings={}, call=call, deadline=deadline)


@pytest.mark.parametrize("answer", [_says_bad_request, _knows_no_such_tls, _hangs_up, _resets])
@pytest.mark.parametrize("cloud", [TENCENTCLOUD, ALICLOUD], ids=lambda cloud: cloud.title)
def test_handshake_that_fails_proves_that_nothing_was_sent(
    cloud: Cloud, answer: Callable[[socket.socket], None]
) -> None:
    with _listening(answer) as port, pytest.raises(NotSent) as caught:
        _new_api(cloud, port).call("CreateX", {}, repeatable=False)
    assert "CreateX, no TLS connection). Nothing was sent." in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
)
def test_same_failure_after_the_handshake_is_ambiguous(error: Exception) -> None:
    found = connection.failure(ALICLOUD, NOTHING_SET, "ECS X", _wrapped(_raised(error)), "broke")
    assert isinstance(found, Ambiguous)


@pytest.mark.parametrize("action", ["DescribeX", "GetX", "ListX"])
def test_lost_answer_of_what_only_reads_has_changed_nothing(action: str) -> None:
    said = str(connection.lost(f"TAT {action}", "broke"))
    assert said == (
        f"the answer of TAT {action} was lost (broke). It only reads: nothing was changed."
    )


# A company's own certificates


def test_certificates_are_the_sdks_own_where_nothing_is_set() -> None:
    assert connection.certificates() is None


def test_certificates_are_read_from_either_variable_requests_own_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.pem", tmp_path / "second.pem"
    first.touch()
    second.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(second))
    assert connection.certificates() == str(second)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(first))
    assert connection.certificates() == str(first)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    assert connection.certificates() == str(second)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_that_are_not_there_are_named_by_their_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))
    with pytest.raises(Misconfigured, match=f"{variable} names a file that does not exist"):
        connection.certificates()

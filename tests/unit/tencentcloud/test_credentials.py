from __future__ import annotations

import http.server
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.settings import Settings
from pulumi_hybrid.tencentcloud.credentials import keys

from ..conftest import assert_one_line, everything_said

ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
BOTH = {"tencentcloud:secretId": ID, "tencentcloud:secretKey": KEY}


def _profile(home: Path, text: str) -> None:
    folder = home / ".tencentcloud"
    folder.mkdir()
    (folder / "credentials").write_text(text)


def _found(settings: Settings) -> tuple[str, str, str | None]:
    """The key in force, where no role is to be taken on."""

    def no_sts(*asked: object) -> dict[str, Any]:
        raise AssertionError(asked)

    key = keys(settings, no_sts).key()
    return key.id, key.secret, key.token


# Keys that are set


def test_configured_key_is_used_without_a_token() -> None:
    assert _found(Settings(BOTH, {})) == (ID, KEY, None)


def test_temporary_key_has_its_token() -> None:
    settings = Settings({**BOTH, "tencentcloud:securityToken": "token"}, {})
    assert _found(settings) == (ID, KEY, "token")


def test_key_in_the_environment_is_used_with_its_token() -> None:
    environment = {
        "TENCENTCLOUD_SECRET_ID": ID,
        "TENCENTCLOUD_SECRET_KEY": KEY,
        "TENCENTCLOUD_SECURITY_TOKEN": "token",
    }
    assert _found(Settings({}, environment)) == (ID, KEY, "token")


def test_configured_key_comes_before_the_environment_and_the_profile(tmp_path: Path) -> None:
    _profile(tmp_path, "[default]\nsecret_id = profile\nsecret_key = profile\n")
    environment = {"TENCENTCLOUD_SECRET_ID": "other", "TENCENTCLOUD_SECRET_KEY": "other"}
    assert _found(Settings(BOTH, environment))[:2] == (ID, KEY)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"tencentcloud:secretId": ID}, "tencentcloud:secretKey"),
        ({"tencentcloud:secretKey": KEY}, "tencentcloud:secretId"),
        ({"tencentcloud:secretId": ID, "tencentcloud:secretKey": ""}, "tencentcloud:secretKey"),
    ],
)
def test_half_a_key_names_the_missing_half(given: dict[str, str], missing: str) -> None:
    with pytest.raises(Misconfigured, match=f"{missing} is not set") as caught:
        _found(Settings(given, {}))
    assert_one_line(str(caught.value))
    assert ID not in str(caught.value)
    assert KEY not in str(caught.value)


def test_half_a_key_is_not_filled_up_from_the_profile(tmp_path: Path) -> None:
    _profile(tmp_path, f"[default]\nsecret_id = {ID}\nsecret_key = {KEY}\n")
    with pytest.raises(Misconfigured, match="tencentcloud:secretKey is not set"):
        _found(Settings({"tencentcloud:secretId": "AKIDother"}, {}))


@pytest.mark.parametrize(
    ("id", "key", "culprit"),
    [
        (f" {ID}", KEY, "tencentcloud:secretId"),
        (f"{ID}\n", KEY, "tencentcloud:secretId"),
        ("  ", KEY, "tencentcloud:secretId"),
        (ID, f"{KEY} ", "tencentcloud:secretKey"),
        (ID, f"{KEY}\n", "tencentcloud:secretKey"),
        (ID, "\t", "tencentcloud:secretKey"),
    ],
)
def test_key_with_spaces_around_it_is_refused_without_showing_it(
    id: str, key: str, culprit: str
) -> None:
    with pytest.raises(Misconfigured, match=culprit) as caught:
        _found(Settings({"tencentcloud:secretId": id, "tencentcloud:secretKey": key}, {}))
    assert_one_line(str(caught.value))
    assert ID not in everything_said(caught.value)
    assert KEY not in everything_said(caught.value)


# The vendor's default chain


@pytest.mark.usefixtures("no_network")
def test_profile_file_is_used_when_nothing_is_set(tmp_path: Path) -> None:
    _profile(tmp_path, f"[default]\nsecret_id = {ID}\nsecret_key = {KEY}\n")
    assert _found(Settings({}, {}))[:2] == (ID, KEY)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[other]\nsecret_id = a\nsecret_key = b\n",
        "[default]\nsecret_id = a\n",
        "[default]\nsecret_id =\nsecret_key =\n",
        "no ini file at all",
    ],
    ids=["no file", "empty", "no default", "half", "empty keys", "no ini"],
)
def test_no_key_anywhere_is_one_line_that_names_what_was_tried(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        _profile(tmp_path, text)
    start = time.monotonic()
    with pytest.raises(Misconfigured, match="no Tencent Cloud key found") as caught:
        _found(Settings({}, {}))
    assert time.monotonic() - start < 4
    said = str(caught.value)
    assert_one_line(said)
    for place in (
        "tencentcloud:secretId",
        "tencentcloud:secretKey",
        "--secret",
        "TENCENTCLOUD_SECRET_ID",
        "TENCENTCLOUD_SECRET_KEY",
        "~/.tencentcloud/credentials",
        "CVM",
        "TKE",
    ):
        assert place in said


class _Metadata(http.server.BaseHTTPRequestHandler):
    """A CVM instance's metadata service, as a proxy, so that its name needs no resolving."""

    def do_GET(self) -> None:
        role = self.path.endswith("/cam/security-credentials/")
        answer: Any = {
            "Code": "Success",
            "TmpSecretId": ID,
            "TmpSecretKey": KEY,
            "Token": "token",
            "ExpiredTime": int(time.time()) + 3600,
        }
        body = b"role" if role else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Metadata) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(urllib.request, "_opener", None)
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("metadata")
def test_role_of_the_machine_is_used_when_nothing_is_set() -> None:
    assert _found(Settings({}, {})) == (ID, KEY, "token")


@pytest.mark.usefixtures("metadata")
def test_profile_file_comes_before_the_role_of_the_machine(tmp_path: Path) -> None:
    _profile(tmp_path, "[default]\nsecret_id = profile\nsecret_key = profile\n")
    assert _found(Settings({}, {}))[:2] == ("profile", "profile")


def test_metadata_that_never_answers_is_waited_for_a_few_seconds_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slow on purpose: five seconds are what a user waits, and there is no seam to shorten them."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(urllib.request, "_opener", None)
        start = time.monotonic()
        with pytest.raises(Misconfigured, match="no Tencent Cloud key found"):
            _found(Settings({}, {}))
        assert time.monotonic() - start < 7

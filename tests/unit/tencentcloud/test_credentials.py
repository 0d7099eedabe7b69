from __future__ import annotations

import http.server
import json
import re
import socket
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.keys import GivenKey, Keys
from pulumi_hybrid.settings import Key, Settings
from pulumi_hybrid.tencentcloud import client
from pulumi_hybrid.tencentcloud.client import TencentcloudApi
from pulumi_hybrid.tencentcloud.credentials import keys
from pulumi_hybrid.tencentcloud.tat import TAT

from ..conftest import Clock, Hurried, assert_one_line, everything_said
from .conftest import (
    CREATE,
    CREATED,
    REGION,
    SECRET_KEY,
    Vendor,
    new_api,
    new_config,
    refusal,
    served,
)

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


@pytest.mark.usefixtures("metadata")
def test_role_of_the_machine_is_used_where_it_is_named() -> None:
    """Before a key in the environment, where the configuration says so."""
    settings = Settings(
        {"tencentcloud:camRoleName": "deploy"},
        {"TENCENTCLOUD_SECRET_ID": "other", "TENCENTCLOUD_SECRET_KEY": "other"},
    )
    assert _found(settings) == (ID, KEY, "token")


@pytest.mark.usefixtures("no_network")
def test_role_of_a_machine_that_is_none_is_one_line_and_the_profile_is_not_looked_at(
    tmp_path: Path,
) -> None:
    _profile(tmp_path, f"[default]\nsecret_id = {ID}\nsecret_key = {KEY}\n")
    with pytest.raises(Misconfigured, match="tencentcloud:camRoleName") as caught:
        _found(Settings({"tencentcloud:camRoleName": "deploy"}, {}))
    assert_one_line(str(caught.value))
    assert "CVM" in str(caught.value)


# Roles

STS = "https://sts.tencentcloudapi.com/"
INTL = "https://sts.intl.tencentcloudapi.com/"
LOCAL = "http://127.0.0.1:7/"
ARN = "qcs::cam::uin/100000000001:roleName/deploy"
POLICY = '{"version": "2.0", "statement": [{"action": "tat:*", "effect": "allow"}]}'
ASSUME = "AssumeRole"
WEB_IDENTITY = "AssumeRoleWithWebIdentity"


def lent(number: int = 1) -> dict[str, Any]:
    """STS's answer."""
    part = {"TmpSecretId": f"id-{number}", "TmpSecretKey": "5e1f-key", "Token": "5e1f-token"}
    return served(Credentials=part, ExpiredTime=1, Expiration="1970-01-01T00:00:01Z")


def in_force(**config: Any) -> Keys:
    """The keys of a session with these settings."""
    given = {f"tencentcloud:{name}": value for name, value in config.items()}
    keys = client.sessions.of(Settings(given, {})).keys
    assert keys
    return keys


def signed_by(request: requests.PreparedRequest) -> str | None:
    """The id of the key that signed a request; None where none did."""
    found = re.search(r"Credential=([^/]+)/", str(request.headers["Authorization"]))
    return found[1] if found else None


def test_role_is_assumed_with_the_key_and_the_defaults(vendor: Vendor) -> None:
    vendor.answers(ASSUME, lent(), url=STS)
    keys = in_force(secretId=ID, secretKey=KEY, assumeRole={"roleArn": ARN})
    assert vendor.count(ASSUME) == 0
    assert keys.key() == Key("id-1", "5e1f-key", "5e1f-token")
    assert vendor.bodies(ASSUME) == [
        {"RoleArn": ARN, "RoleSessionName": "pulumi_hybrid", "DurationSeconds": 7200}
    ]
    [request] = vendor.requests(ASSUME)
    assert signed_by(request) == ID
    assert "X-TC-Token" not in request.headers
    assert request.headers["X-TC-Version"] == "2018-08-13"
    assert request.headers["X-TC-Region"]


def test_role_is_assumed_with_all_that_is_said_of_it(vendor: Vendor) -> None:
    """The vendor decodes the policy once more than anything else."""
    vendor.answers(ASSUME, lent(), url=STS)
    role = {
        "roleArn": ARN,
        "sessionName": "ci",
        "sessionDuration": 900.0,
        "externalId": "external",
        "policy": POLICY,
    }
    in_force(secretId=ID, secretKey=KEY, securityToken="5e1f-base", assumeRole=role).key()
    [body] = vendor.bodies(ASSUME)
    policy = body.pop("Policy")
    assert body == {
        "RoleArn": ARN,
        "RoleSessionName": "ci",
        "DurationSeconds": 900,
        "ExternalId": "external",
    }
    assert re.fullmatch(r"[\w.%~-]+", policy)
    assert unquote(policy) == POLICY
    assert vendor.requests(ASSUME)[0].headers["X-TC-Token"] == "5e1f-base"


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({"domain": "intl.tencentcloudapi.com"}, INTL),
        ({"endpoint": LOCAL}, LOCAL),
        ({"endpoint": LOCAL, "domain": "intl.tencentcloudapi.com"}, LOCAL),
    ],
)
def test_role_is_assumed_where_the_requests_go(
    vendor: Vendor, config: dict[str, str], url: str
) -> None:
    vendor.answers(ASSUME, lent(), url=url)
    in_force(secretId=ID, secretKey=KEY, assumeRole={"roleArn": ARN}, **config).key()
    assert vendor.count(ASSUME) == 1


def test_requests_are_signed_by_the_roles_key_and_one_that_ended_is_renewed(vendor: Vendor) -> None:
    vendor.answers(ASSUME, lent(1), lent(2), url=STS)
    vendor.answers(CREATE, refusal("AuthFailure.TokenFailure"), CREATED)
    api = new_api(secretId=ID, assumeRole=json.dumps({"roleArn": ARN}))
    assert api.call(CREATE, {}, repeatable=False)["RegisterCodeId"]
    assert [signed_by(request) for request in vendor.requests(ASSUME)] == [ID, ID]
    assert [signed_by(request) for request in vendor.requests(CREATE)] == ["id-1", "id-2"]
    assert api.account == ARN


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refusal("UnauthorizedOperation.X"), "may not take on the role"),
        (refusal("ResourceNotFound.RoleNotFound"), "tencentcloud:assumeRole.roleArn"),
        (refusal("InvalidParameter.OverTimeError"), "tencentcloud:assumeRole.sessionDuration"),
        (refusal("AuthFailure.TokenFailure"), "tencentcloud:securityToken"),
        (served(Credentials={"TmpSecretId": "id", "TmpSecretKey": "5e1f-key"}), "no whole key"),
    ],
)
def test_role_that_is_not_lent_is_one_line_and_the_request_is_not_sent(
    vendor: Vendor, reply: Any, said: str
) -> None:
    vendor.answers(ASSUME, reply, url=STS)
    api = new_api(assumeRole=json.dumps({"roleArn": ARN}))
    with pytest.raises(Misconfigured, match=said) as caught:
        api.call(CREATE, {}, repeatable=False)
    assert_one_line(str(caught.value))
    assert f"no key of the role {ARN} could be had" in str(caught.value)
    for secret in ("5e1f", SECRET_KEY):
        assert secret not in everything_said(caught.value)
    assert vendor.count(CREATE) == 0


def test_key_that_fails_while_the_sdk_makes_the_request_proves_that_nothing_was_sent(
    vendor: Vendor,
) -> None:
    """Another thread's renewal may come between our look at the key and the SDK's."""
    vendor.answers(CREATE, CREATED)

    class Ending(GivenKey):
        asked = 0

        def key(self) -> Key:
            self.asked += 1
            if self.asked % 2 == 0 and self.asked < 4:
                raise Misconfigured("no key could be had.")
            return super().key()

    settings = Settings(new_config(), {})
    api = TencentcloudApi(
        TAT,
        REGION,
        settings,
        meanings={},
        call=Hurried(),
        deadline=Deadline(300),
        session=client.Session(settings, Ending(Key(uuid.uuid4().hex, KEY, None))),
    )
    assert api.call(CREATE, {}, repeatable=False)["RegisterCodeId"]
    assert vendor.count(CREATE) == 1


def test_web_identity_is_unsigned_and_its_token_is_read_anew_at_each_renewal(
    vendor: Vendor, tmp_path: Path, clock: Clock
) -> None:
    vendor.answers(WEB_IDENTITY, lent(1), lent(2), url=STS)
    file = tmp_path / "token"
    file.write_text("5e1f-first\n")
    identity = {"providerId": "oidc", "roleArn": ARN, "webIdentityTokenFile": str(file)}
    keys = in_force(assumeRoleWithWebIdentity=identity)
    assert keys.key().id == "id-1"
    file.write_text("5e1f-second\n")
    assert keys.key().id == "id-1"
    clock.passes(7200)
    assert keys.key().id == "id-2"
    usual = {
        "ProviderId": "oidc",
        "RoleArn": ARN,
        "RoleSessionName": "pulumi_hybrid",
        "DurationSeconds": 7200,
    }
    assert vendor.bodies(WEB_IDENTITY) == [
        {**usual, "WebIdentityToken": "5e1f-first"},
        {**usual, "WebIdentityToken": "5e1f-second"},
    ]
    assert [signed_by(request) for request in vendor.requests(WEB_IDENTITY)] == [None, None]


def test_web_identity_of_tke_is_used_without_a_configuration(
    vendor: Vendor, tmp_path: Path
) -> None:
    vendor.answers(WEB_IDENTITY, lent(), url=STS)
    file = tmp_path / "token"
    file.write_text("5e1f-first")
    environment = {
        "TKE_PROVIDER_ID": "oidc",
        "TKE_ROLE_ARN": ARN,
        "TKE_WEB_IDENTITY_TOKEN_FILE": str(file),
    }
    keys = client.sessions.of(Settings({}, environment)).keys
    assert keys
    assert keys.key().id == "id-1"


def test_role_is_assumed_with_the_keys_of_a_web_identity(vendor: Vendor) -> None:
    vendor.answers(WEB_IDENTITY, lent(1), url=STS)
    vendor.answers(ASSUME, lent(2), url=STS)
    identity = {
        "providerId": "oidc",
        "roleArn": "first",
        "webIdentityToken": "5e1f-oidc",
        "sessionName": "ci",
        "sessionDuration": "900",
    }
    keys = in_force(assumeRoleWithWebIdentity=identity, assumeRole={"roleArn": ARN})
    assert keys.key().id == "id-2"
    [request] = vendor.requests(ASSUME)
    assert signed_by(request) == "id-1"
    assert request.headers["X-TC-Token"] == "5e1f-token"
    [body] = vendor.bodies(WEB_IDENTITY)
    assert (body["RoleSessionName"], body["DurationSeconds"]) == ("ci", 900)


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ({"providerId": "oidc"}, "assumeRoleWithWebIdentity.roleArn"),
        ({"providerId": "oidc", "roleArn": ARN}, "webIdentityTokenFile"),
        (
            {"providerId": "oidc", "roleArn": ARN, "webIdentityTokenFile": "/none"},
            "webIdentityTokenFile",
        ),
    ],
)
def test_web_identity_that_lacks_a_part_is_said_before_anything_is_asked(
    identity: dict[str, str], said: str
) -> None:
    with pytest.raises(Misconfigured, match=said) as caught:
        in_force(assumeRoleWithWebIdentity=identity)
    assert_one_line(str(caught.value))

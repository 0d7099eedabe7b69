from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_hybrid.alicloud import client
from pulumi_hybrid.alicloud.client import AlicloudApi
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.keys import GivenKey, Keys
from pulumi_hybrid.settings import Key, Settings

from ..conftest import Clock, Hurried, assert_one_line, everything_said
from ..tencentcloud.conftest import refused
from .conftest import (
    CREATE,
    CREATED,
    REGION,
    SECRET_KEY,
    Vendor,
    new_api,
    new_config,
    query,
    refusal,
    served,
)

ID = "LTAI5tEXAMPLE"
BOTH: dict[str, Any] = {"accessKey": ID, "secretKey": "5e1f-key"}
STS = "https://sts.aliyuncs.com/"
LOCAL = "http://127.0.0.1:7/"
METADATA = "http://100.100.100.200/latest"
ARN = "acs:ram::1234567890123456:role/deploy"
PROVIDER = "acs:ram::1234567890123456:oidc-provider/ci"
POLICY = '{"Version": "1", "Statement": [{"Action": "ecs:*", "Effect": "Allow"}]}'
ASSUME = "AssumeRole"
OIDC = "AssumeRoleWithOIDC"


def lent(number: int = 1) -> dict[str, Any]:
    """STS's answer."""
    part = {
        "AccessKeyId": f"id-{number}",
        "AccessKeySecret": "5e1f-lent",
        "SecurityToken": "5e1f-token",
        "Expiration": "1970-01-01T00:00:01Z",
    }
    return served(Credentials=part)


def in_force(environment: dict[str, str] | None = None, **config: Any) -> Keys:
    """The keys of a session with these settings."""
    given = {f"alicloud:{name}": value for name, value in config.items()}
    keys = client.sessions.of(Settings(given, environment or {})).keys
    assert keys
    return keys


def signed_by(request: requests.PreparedRequest) -> str | None:
    """The id of the key that signed a request; None where none did."""
    found = re.search(r"Credential=([^,]+),", str(request.headers.get("Authorization")))
    return found[1] if found else query(request).get("AccessKeyId")


# The SDK's loggers have a handler each, so that what reaches caplog is on stderr, too.


def asked(vendor: Vendor, action: str) -> list[dict[str, str]]:
    """What the requests for an action carried, but for what belongs to the signature."""
    signature = re.compile(r"Signature|AccessKeyId|SecurityToken|Timestamp|Format|Action|Version")
    return [
        {name: value for name, value in query(one).items() if not signature.match(name)}
        for one in vendor.requests(action)
    ]


# Keys that are set


def test_key_that_is_set_is_used_with_its_token(caplog: pytest.LogCaptureFixture) -> None:
    assert in_force(**BOTH).key() == Key(ID, "5e1f-key", None)
    assert in_force(**BOTH, securityToken="5e1f-t").key() == Key(ID, "5e1f-key", "5e1f-t")
    environment = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "5e1f-key",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "5e1f-t",
    }
    assert in_force(environment).key() == Key(ID, "5e1f-key", "5e1f-t")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("half", "missing"), [("accessKey", "secretKey"), ("secretKey", "accessK")]
)
def test_half_a_key_names_the_missing_half(half: str, missing: str) -> None:
    config: dict[str, Any] = {half: "5e1f-half", "profile": "other"}
    with pytest.raises(Misconfigured, match=f"alicloud:{missing}") as caught:
        in_force(**config)
    assert_one_line(str(caught.value))
    assert "5e1f" not in everything_said(caught.value)


# Roles


def test_role_is_assumed_with_the_key_and_the_defaults(vendor: Vendor) -> None:
    vendor.answers(ASSUME, lent(), url=STS)
    keys = in_force(**BOTH, assumeRole={"roleArn": ARN})
    assert vendor.actions == []
    assert keys.key() == Key("id-1", "5e1f-lent", "5e1f-token")
    assert asked(vendor, ASSUME) == [
        {"RoleArn": ARN, "RoleSessionName": "pulumi_hybrid", "DurationSeconds": "3600"}
    ]
    [request] = vendor.requests(ASSUME)
    assert signed_by(request) == ID
    assert request.headers["x-acs-version"] == "2015-04-01"
    assert "5e1f" not in str(request.url)


def test_role_is_assumed_with_all_that_is_said_of_it(vendor: Vendor) -> None:
    vendor.answers(ASSUME, lent(), url=STS)
    role = {
        "roleArn": ARN,
        "sessionName": "ci",
        "sessionExpiration": 900.0,
        "externalId": "external",
        "policy": POLICY,
    }
    in_force(**BOTH, securityToken="5e1f-base", assumeRole=role).key()
    assert asked(vendor, ASSUME) == [
        {
            "RoleArn": ARN,
            "RoleSessionName": "ci",
            "DurationSeconds": "900",
            "ExternalId": "external",
            "Policy": POLICY,
        }
    ]
    assert "5e1f-base" in str(vendor.requests(ASSUME)[0].headers)


def test_role_is_assumed_at_the_endpoint(vendor: Vendor) -> None:
    vendor.answers(ASSUME, lent(), url=LOCAL)
    in_force(**BOTH, assumeRole={"roleArn": ARN}, endpoint=LOCAL).key()
    assert vendor.count(ASSUME) == 1


def test_requests_are_signed_by_the_roles_key_and_one_that_ended_is_renewed(vendor: Vendor) -> None:
    vendor.answers(ASSUME, lent(1), lent(2), url=STS)
    vendor.answers(CREATE, refusal("InvalidSecurityToken.Expired"), CREATED)
    api = new_api(accessKey=ID, assumeRole=json.dumps({"roleArn": ARN}))
    assert api.call(CREATE, {}, repeatable=False)["ActivationId"]
    assert [signed_by(request) for request in vendor.requests(ASSUME)] == [ID, ID]
    assert [signed_by(request) for request in vendor.requests(CREATE)] == ["id-1", "id-2"]
    assert api.account == ARN


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refusal("NoPermission", 403), "may not take on the role"),
        (refusal("EntityNotExist.Role", 404), "alicloud:assumeRole.roleArn"),
        (refusal("InvalidParameter.DurationSeconds"), "alicloud:assumeRole.sessionExpiration"),
        (refusal("InvalidSecurityToken.Expired"), "alicloud:securityToken"),
        (served(Credentials={"AccessKeyId": "id", "AccessKeySecret": "5e1f"}), "no whole key"),
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
    api = AlicloudApi(
        REGION,
        settings,
        meanings={},
        call=Hurried(),
        deadline=Deadline(300),
        session=client.Session(settings, Ending(Key(uuid.uuid4().hex, "key", None))),
    )
    assert api.call(CREATE, {}, repeatable=False)["ActivationId"]
    assert vendor.count(CREATE) == 1


# OIDC


def test_oidc_is_unsigned_and_its_token_is_read_anew_at_each_renewal(
    vendor: Vendor, tmp_path: Path, clock: Clock
) -> None:
    vendor.answers(OIDC, lent(1), lent(2), url=STS)
    file = tmp_path / "token"
    file.write_text("5e1f-first\n")
    identity = {"oidcProviderArn": PROVIDER, "roleArn": ARN, "oidcTokenFile": str(file)}
    keys = in_force(assumeRoleWithOidc=identity)
    assert keys.key().id == "id-1"
    file.write_text("5e1f-second\n")
    assert keys.key().id == "id-1"
    clock.passes(3600)
    assert keys.key().id == "id-2"
    usual = {
        "OIDCProviderArn": PROVIDER,
        "RoleArn": ARN,
        "RoleSessionName": "pulumi_hybrid",
        "DurationSeconds": "3600",
    }
    assert asked(vendor, OIDC) == [
        {**usual, "OIDCToken": "5e1f-first"},
        {**usual, "OIDCToken": "5e1f-second"},
    ]
    assert [signed_by(request) for request in vendor.requests(OIDC)] == [None, None]


def test_oidc_of_the_environment_is_used_without_a_configuration(
    vendor: Vendor, tmp_path: Path
) -> None:
    vendor.answers(OIDC, lent(), url=STS)
    file = tmp_path / "token"
    file.write_text("5e1f-first")
    environment = {
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
        "ALIBABA_CLOUD_ROLE_ARN": ARN,
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(file),
        "ALIBABA_CLOUD_ROLE_SESSION_NAME": "pod",
    }
    assert in_force(environment).key().id == "id-1"
    assert asked(vendor, OIDC)[0]["RoleSessionName"] == "pod"


def test_oidc_that_is_refused_is_one_line_without_the_token(vendor: Vendor) -> None:
    vendor.answers(OIDC, refusal("AuthenticationFail.OIDCToken.Invalid"), url=STS)
    identity = {"oidcProviderArn": PROVIDER, "roleArn": ARN, "oidcToken": "5e1f-oidc"}
    with pytest.raises(Misconfigured, match="AuthenticationFail") as caught:
        in_force(assumeRoleWithOidc=identity).key()
    assert_one_line(str(caught.value))
    assert "5e1f" not in everything_said(caught.value)


# Profiles


def profiles(file: Path, *more: dict[str, Any]) -> str:
    """A configuration of the aliyun command line."""
    ak = {"mode": "AK", "access_key_id": "current-id", "access_key_secret": "5e1f-current"}
    sts = {
        "mode": "StsToken",
        "access_key_id": "work-id",
        "access_key_secret": "5e1f-work",
        "sts_token": "5e1f-token",
    }
    known = [{"name": "current", **ak}, {"name": "work", **sts}, *more]
    file.write_text(json.dumps({"current": "current", "profiles": known}))
    return str(file)


def test_profile_is_used_by_its_name_else_the_one_in_use(tmp_path: Path) -> None:
    file = profiles(tmp_path / "config.json")
    work = in_force(profile="work", sharedCredentialsFile=file)
    assert work.key() == Key("work-id", "5e1f-work", "5e1f-token")
    assert in_force(sharedCredentialsFile=file).key() == Key("current-id", "5e1f-current", None)
    assert work.origin == f"the profile work in {file}"


def test_profiles_file_may_be_in_the_users_folder(tmp_path: Path) -> None:
    """As the vendor's own Pulumi provider has it."""
    profiles(tmp_path / "config.json")
    keys = in_force(profile="work", sharedCredentialsFile="~/config.json")
    assert keys.key().id == "work-id"


def test_role_is_assumed_with_a_profiles_key(vendor: Vendor, tmp_path: Path) -> None:
    vendor.answers(ASSUME, lent(), url=STS)
    file = profiles(tmp_path / "config.json")
    keys = in_force(profile="work", sharedCredentialsFile=file, assumeRole={"roleArn": ARN})
    assert keys.key().id == "id-1"
    [request] = vendor.requests(ASSUME)
    assert signed_by(request) == "work-id"


@pytest.mark.parametrize("content", [None, "", "{5e1f", "[]", "null", '{"profiles": []}', "known"])
def test_profile_that_cannot_be_used_is_one_line_with_its_name_and_file_and_nothing_is_logged(
    content: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "config.json"
    if content == "known":
        profiles(file, {"name": "broken", "mode": "AK", "access_key_id": "5e1f"})
    elif content is not None:
        file.write_text(content)
    with pytest.raises(Misconfigured, match="the profile broken in") as caught:
        in_force(profile="broken", sharedCredentialsFile=str(file))
    assert_one_line(str(caught.value))
    assert str(file) in str(caught.value)
    assert "5e1f" not in str(caught.value)
    assert caplog.records == []


# The role of an ECS instance


def machine(vendor: Vendor, **changes: Any) -> None:
    """An ECS instance's metadata service."""
    key = {
        "Code": "Success",
        "AccessKeyId": "machine-id",
        "AccessKeySecret": "5e1f-machine",
        "SecurityToken": "5e1f-token",
        "Expiration": "2999-01-01T00:00:00Z",
        **changes,
    }
    vendor.mock.put(f"{METADATA}/api/token", body="5e1f-metadata")
    vendor.mock.get(f"{METADATA}/meta-data/ram/security-credentials/deploy", json=key)


def test_role_of_the_machine_is_used_where_it_is_named(
    vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    machine(vendor)
    keys = in_force({"ALICLOUD_ACCESS_KEY": "a", "ALICLOUD_SECRET_KEY": "b"}, ecsRoleName="deploy")
    assert keys.key() == Key("machine-id", "5e1f-machine", "5e1f-token")
    assert keys.origin == "the ECS instance's role deploy"
    assert caplog.records == []


@pytest.mark.parametrize("answer", ["none", "failed", "refused"])
def test_role_of_a_machine_that_is_none_is_one_line_soon_and_nothing_is_logged(
    vendor: Vendor, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    if answer == "failed":
        machine(vendor, Code="5e1f-Failed")
    elif answer == "refused":
        vendor.mock.put(f"{METADATA}/api/token", body=refused())
        vendor.mock.get(f"{METADATA}/meta-data/ram/security-credentials/deploy", body=refused())
    with pytest.raises(Misconfigured, match="the ECS instance's role deploy") as caught:
        in_force(ecsRoleName="deploy")
    assert_one_line(str(caught.value))
    assert "5e1f" not in str(caught.value)
    assert caplog.records == []
    assert 0 < len(vendor.mock.calls) < 5
    for call in vendor.mock.calls:
        assert max(vars(call.request)["req_kwargs"]["timeout"]) <= 1


def test_role_of_a_machine_whose_metadata_is_switched_off_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK reads the variable when it is imported."""
    from alibabacloud_credentials.utils import auth_util

    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")
    with pytest.raises(Misconfigured, match="ALIBABA_CLOUD_ECS_METADATA_DISABLED") as caught:
        in_force(ecsRoleName="deploy")
    assert_one_line(str(caught.value))


# The vendor's default chain


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's folder, which the SDK looks up when it is imported."""
    from alibabacloud_credentials.utils import auth_constant

    monkeypatch.setattr(auth_constant, "HOME", str(tmp_path))
    return tmp_path


def test_profile_in_use_is_found_when_nothing_is_set(home: Path) -> None:
    (home / ".aliyun").mkdir()
    profiles(home / ".aliyun" / "config.json")
    keys = in_force()
    assert keys.key() == Key("current-id", "5e1f-current", None)
    assert keys.origin == "the vendor's default chain"


@pytest.mark.usefixtures("home")
def test_no_key_anywhere_is_one_line_that_names_what_was_tried_and_nothing_is_logged(
    vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        with pytest.raises(Misconfigured, match="no Alibaba Cloud key found") as caught:
            in_force()
    said = str(caught.value)
    assert_one_line(said)
    for place in (
        "alicloud:accessKey",
        "alicloud:secretKey",
        "--secret",
        "ALICLOUD_ACCESS_KEY",
        "ALICLOUD_SECRET_KEY",
        "OIDC",
        "aliyun",
        "ECS",
        "ALIBABA_CLOUD_CREDENTIALS_URI",
    ):
        assert place in said
    assert caplog.records == []
    assert 0 < len(vendor.mock.calls) < 5
    for call in vendor.mock.calls:
        assert max(vars(call.request)["req_kwargs"]["timeout"]) <= 1

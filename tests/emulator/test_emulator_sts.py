"""Roles and temporary keys of both vendors, and what else keeps a key pair from its work."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from alibabacloud_credentials.utils import parameter_helper
from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from pulumi_hybrid.emulator import Emulator

from .vendor_client import (
    ONE,
    TEMPORARY,
    TWO,
    Answer,
    EcsSdk,
    Json,
    Sdk,
    TeaException,
    acs_request,
    ecs_of,
    ecs_refused,
    http_request,
    refused,
    sdk_of,
)

STS = {"service": "sts", "version": "2018-08-13"}
ROLE = {
    "tencentcloud": "qcs::cam::uin/100000000001:roleName/deployer",
    "alibabacloud": "acs:ram::1000000000000001:role/deployer",
}
VENDORS = tuple(ROLE)


# --- one way to ask either vendor -------------------------------------------------------------


def alibabacloud_sts(
    emulator: Emulator,
    action: str,
    keys: tuple[str, str, str | None] = (ONE, "key-one", None),
    *,
    signed: bool = True,
    **parameters: Any,
) -> Json:
    """By the vendor's generic client, which signs with ACS3-HMAC-SHA256."""
    client = OpenApiClient(
        Config(
            access_key_id=keys[0],
            access_key_secret=keys[1],
            security_token=keys[2],
            endpoint=emulator.url.removeprefix("http://"),
            protocol="http",
        )
    )
    params = Params(
        action=action,
        version="2015-04-01",
        protocol="HTTP",
        pathname="/",
        method="POST",
        auth_type="AK" if signed else "Anonymous",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
    query = {name: str(value) for name, value in parameters.items()}
    answer = client.call_api(params, OpenApiRequest(query=query), RuntimeOptions())
    return dict(answer["body"])


def rpc_request(
    emulator: Emulator,
    action: str,
    keys: tuple[str, str, str | None] = (ONE, "key-one", None),
    version: str = "2015-04-01",
    protocol: Json | None = None,
    **parameters: str,
) -> Answer:
    """In the older style, as the vendor's credentials package signs it."""
    query = {
        "Action": action,
        "Format": "JSON",
        "Version": version,
        **parameters,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "SignatureNonce": parameter_helper.get_uuid(),
        "AccessKeyId": keys[0],
        **({} if keys[2] is None else {"SecurityToken": keys[2]}),
        **(protocol or {}),
    }
    to_sign = parameter_helper.compose_string_to_sign("GET", query)
    query["Signature"] = parameter_helper.sign_string(to_sign, keys[1] + "&")
    return http_request(emulator, "GET", f"/?{urlencode(query)}")


def assume(
    emulator: Emulator,
    vendor: str,
    keys: tuple[str, str, str | None] = (ONE, "key-one", None),
    arn: str | None = None,
    **more: Any,
) -> tuple[str, str, str]:
    """Take the role; its key id, key and token."""
    parameters = {"RoleArn": arn or ROLE[vendor], "RoleSessionName": "session", **more}
    if vendor == "tencentcloud":
        sdk = sdk_of(emulator, keys[0], secret_key=keys[1], token=keys[2], **STS)
        given = sdk("AssumeRole", **parameters)["Credentials"]
        return given["TmpSecretId"], given["TmpSecretKey"], given["Token"]
    given = alibabacloud_sts(emulator, "AssumeRole", keys, **parameters)["Credentials"]
    return given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]


def client(
    emulator: Emulator, vendor: str, keys: tuple[str, str, str | None]
) -> tuple[Sdk | EcsSdk, str, str]:
    """The SDK of a product with these keys, and its actions that create and describe."""
    if vendor == "tencentcloud":
        sdk = sdk_of(emulator, keys[0], secret_key=keys[1], token=keys[2])
        return sdk, "CreateRegisterCode", "DescribeRegisterCodes"
    ecs = ecs_of(emulator, keys[0], secret_key=keys[1], token=keys[2])
    return ecs, "CreateActivation", "DescribeActivations"


def refused_by(vendor: str, tencentcloud: str, alibabacloud: str, status: int) -> Any:
    return refused(tencentcloud) if vendor == VENDORS[0] else ecs_refused(alibabacloud, status)


def expired(vendor: str) -> Any:
    return refused_by(vendor, "AuthFailure.TokenFailure", "InvalidSecurityToken.Expired", 403)


def forbidden(vendor: str) -> Any:
    return refused_by(vendor, "AuthFailure.UnauthorizedOperation", "Forbidden.RAM", 403)


# --- Tencent Cloud ----------------------------------------------------------------------------


def test_tencentcloud_identity(emulator: Emulator) -> None:
    own = sdk_of(emulator, **STS)("GetCallerIdentity")
    assert own["Type"] == "CAMUser"
    assert own["AccountId"] == own["UserId"] == own["PrincipalId"]
    assert own["Arn"] == f"qcs::cam:{own['AccountId']}:uin/{own['UserId']}"
    assert sdk_of(emulator, TWO, **STS)("GetCallerIdentity")["AccountId"] != own["AccountId"]

    secret_id, secret_key, token = assume(emulator, "tencentcloud")
    role = sdk_of(emulator, secret_id, secret_key=secret_key, token=token, **STS)(
        "GetCallerIdentity"
    )
    assert role["Type"] == "CAMRole"
    assert (role["AccountId"], role["PrincipalId"]) == (own["AccountId"], own["AccountId"])
    role_id, _, name = role["UserId"].partition(":")
    assert name == "session"
    assert role["Arn"] == f"qcs::sts:{own['AccountId']}:assumed-role/{role_id}"


def test_tencentcloud_answer(emulator: Emulator) -> None:
    emulator.clock(offset_hours=5)
    answer = sdk_of(emulator, **STS)(
        "AssumeRole", RoleArn=ROLE["tencentcloud"], RoleSessionName="a+b=c,d.e@f_g-h"
    )
    assert set(answer) == {"Credentials", "ExpiredTime", "Expiration", "RequestId"}
    assert set(answer["Credentials"]) == {"Token", "TmpSecretId", "TmpSecretKey"}
    expires = datetime.fromtimestamp(answer["ExpiredTime"], timezone.utc)
    assert answer["Expiration"] == expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    left = expires - datetime.now(timezone.utc) - timedelta(hours=5)
    assert timedelta(minutes=119) < left <= timedelta(hours=2)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"RoleArn": "acs:ram::1:role/deployer"}, "InvalidParameter.ParamError"),
        ({"RoleArn": "qcs::cam::uin/1:roleName/"}, "InvalidParameter.ParamError"),
        ({"RoleSessionName": "a"}, "InvalidParameter.ParamError"),
        ({"RoleSessionName": "a" * 129}, "InvalidParameter.ParamError"),
        ({"RoleSessionName": "two words"}, "InvalidParameter.ParamError"),
        ({"DurationSeconds": -1}, "InvalidParameter.ParamError"),
        ({"DurationSeconds": 43201}, "InvalidParameter.OverTimeError"),
        ({"DurationSeconds": "900"}, "InvalidParameter"),
        ({"Policy": "{"}, "InvalidParameter.StrategyFormatError"),
        ({"Tags": [{"Key": "a"}]}, "MissingParameter"),
        ({"RoleArn": None}, "MissingParameter"),
        ({"RoleSessionName": None}, "MissingParameter"),
    ],
)
def test_tencentcloud_refuses(emulator: Emulator, parameters: Json, code: str) -> None:
    sent = {"RoleArn": ROLE["tencentcloud"], "RoleSessionName": "session", **parameters}
    with refused(code):
        sdk_of(emulator, **STS)(
            "AssumeRole", **{name: value for name, value in sent.items() if value is not None}
        )


def test_tencentcloud_wants_a_region(emulator: Emulator) -> None:
    with refused("MissingParameter"):
        sdk_of(emulator, region="", **STS)("GetCallerIdentity")


WEB_IDENTITY = {
    "ProviderId": "oidc-provider",
    "WebIdentityToken": "header.payload.signature-of-a-web-identity",
    "RoleArn": ROLE["tencentcloud"],
    "RoleSessionName": "session",
}


def web_identity(emulator: Emulator, action: str = "AssumeRoleWithWebIdentity") -> Json:
    """As the vendor's `OIDCRoleArnCredential` asks, which is to https alone."""
    profile = sdk_of(emulator).client.profile
    unsigned = CommonClient("sts", "2018-08-13", None, "ap-guangzhou", profile)
    answer = unsigned.call_json(action, WEB_IDENTITY, options={"SkipSign": True})
    return dict(answer["Response"])


def test_tencentcloud_web_identity(emulator: Emulator) -> None:
    given = web_identity(emulator)["Credentials"]
    keys = given["TmpSecretId"], given["TmpSecretKey"], given["Token"]
    client(emulator, "tencentcloud", keys)[0]("CreateRegisterCode")
    assert list(emulator.resources()) == [ONE]
    (entry,) = emulator.requests("AssumeRoleWithWebIdentity")
    assert (entry["service"], entry["account"]) == ("sts", "")


def test_tencentcloud_only_web_identities_are_unsigned(
    emulator: Emulator, raw: Callable[..., Answer]
) -> None:
    for action in ("AssumeRole", "GetCallerIdentity"):
        with refused("AuthFailure.InvalidAuthorization"):
            web_identity(emulator, action)
    answer = raw("CreateRegisterCode", headers={"Authorization": "SKIP"})
    assert answer.response["Error"]["Code"] == "AuthFailure.InvalidAuthorization"
    assert emulator.resources() == {}


# --- Alibaba Cloud ----------------------------------------------------------------------------


def test_alibabacloud_identity(emulator: Emulator) -> None:
    own = alibabacloud_sts(emulator, "GetCallerIdentity")
    assert (own["IdentityType"], own["PrincipalId"]) == ("RAMUser", own["UserId"])
    assert own["Arn"] == f"acs:ram::{own['AccountId']}:user/{ONE}"
    other = alibabacloud_sts(emulator, "GetCallerIdentity", (TWO, "key-two", None))
    assert other["AccountId"] != own["AccountId"]

    role = alibabacloud_sts(emulator, "GetCallerIdentity", assume(emulator, "alibabacloud"))
    assert (role["IdentityType"], role["AccountId"]) == ("AssumedRoleUser", own["AccountId"])
    assert role["PrincipalId"] == f"{role['RoleId']}:session"
    assert role["Arn"] == f"acs:ram::{own['AccountId']}:assumed-role/deployer/session"
    assert "UserId" not in role


def test_alibabacloud_answer(emulator: Emulator) -> None:
    answer = alibabacloud_sts(
        emulator,
        "AssumeRole",
        RoleArn=ROLE["alibabacloud"],
        RoleSessionName="session",
        SourceIdentity="alice",
    )
    assert set(answer) == {"Credentials", "AssumedRoleUser", "SourceIdentity", "RequestId"}
    assert answer["AssumedRoleUser"]["Arn"] == f"{ROLE['alibabacloud']}/session"
    assert answer["Credentials"]["AccessKeyId"].startswith("STS.")
    assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":session")
    expires = datetime.strptime(answer["Credentials"]["Expiration"], "%Y-%m-%dT%H:%M:%SZ")
    left = expires.replace(tzinfo=timezone.utc) - datetime.now(timezone.utc)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"RoleArn": "qcs::cam::uin/1:roleName/deployer"}, "InvalidParameter.RoleArn"),
        ({"RoleArn": "acs:ram::1:user/deployer"}, "InvalidParameter.RoleArn"),
        ({"RoleSessionName": "a"}, "InvalidParameter.RoleSessionName"),
        ({"RoleSessionName": "a+b"}, "InvalidParameter.RoleSessionName"),
        ({"RoleSessionName": "a" * 65}, "InvalidParameter.RoleSessionName"),
        ({"DurationSeconds": 899}, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": 43201}, "InvalidParameter.DurationSeconds"),
        ({"Policy": "{"}, "InvalidParameter.PolicyGrammar"),
        ({"Policy": f'"{2047 * "x"}"'}, "InvalidParameter.PolicySize"),
        ({"ExternalId": "a"}, "InvalidParameter.ExternalId"),
        ({"ExternalId": "two words"}, "InvalidParameter.ExternalId"),
        ({"RoleArn": ""}, "MissingParameter"),
    ],
)
def test_alibabacloud_refuses(emulator: Emulator, parameters: Json, code: str) -> None:
    sent = {"RoleArn": ROLE["alibabacloud"], "RoleSessionName": "session", **parameters}
    with ecs_refused(code):
        alibabacloud_sts(emulator, "AssumeRole", **sent)


OIDC: Json = {
    "OIDCProviderArn": "acs:ram::1000000000000001:oidc-provider/ci",
    "OIDCToken": "header.payload.signature-of-a-web-identity",
    "RoleArn": ROLE["alibabacloud"],
    "RoleSessionName": "session",
}


def test_alibabacloud_oidc(emulator: Emulator) -> None:
    by_the_sdk = alibabacloud_sts(emulator, "AssumeRoleWithOIDC", signed=False, **OIDC)
    # As the credentials package asks, which is to https alone.
    protocol = {"Action": "AssumeRoleWithOIDC", "Format": "JSON", "Version": "2015-04-01"}
    query = urlencode({**protocol, **OIDC, "Timestamp": "2026-01-01T00:00:00Z"})
    by_hand = http_request(emulator, "GET", f"/?{query}")
    assert by_hand.status == 200
    for answer in (by_the_sdk, by_hand.json):
        given = answer["Credentials"]
        keys = given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]
        client(emulator, "alibabacloud", keys)[0]("CreateActivation")
    assert list(emulator.resources()) == [ONE]


def test_alibabacloud_only_oidc_is_unsigned(emulator: Emulator) -> None:
    for action in ("AssumeRole", "GetCallerIdentity"):
        with ecs_refused("IncompleteSignature"):
            alibabacloud_sts(emulator, action, signed=False)
    query = urlencode({"Action": "CreateActivation", "Version": "2014-05-26"})
    answer = http_request(emulator, "GET", f"/?{query}&RegionId=cn-hangzhou")
    assert (answer.status, answer.json["Code"]) == (400, "IncompleteSignature")
    assert emulator.resources() == {}


def test_the_older_signature(emulator: Emulator) -> None:
    odd = "+/&=~*é"
    answer = rpc_request(
        emulator,
        "AssumeRole",
        RoleArn=ROLE["alibabacloud"],
        RoleSessionName="session",
        DurationSeconds="900",
        ExternalId="a+b=c/d",
    )
    assert answer.status == 200
    given = answer.json["Credentials"]
    keys = given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]
    identity = rpc_request(emulator, "GetCallerIdentity", keys)
    assert identity.json["IdentityType"] == "AssumedRoleUser"
    created = rpc_request(
        emulator, "CreateActivation", keys, "2014-05-26", RegionId="cn-hangzhou", Description=odd
    )
    assert created.status == 200
    (found,) = ecs_of(emulator)("DescribeActivations")["ActivationList"]
    assert found["Description"] == odd


@pytest.mark.parametrize(
    ("keys", "protocol", "code", "status"),
    [
        ((ONE, "key-wrong", None), {}, "SignatureDoesNotMatch", 400),
        (("LTAInobody", "key", None), {}, "InvalidAccessKeyId.NotFound", 404),
        ((TEMPORARY, "key-temporary", None), {}, "MissingSecurityToken", 400),
        (
            (TEMPORARY, "key-temporary", "token-wrong"),
            {},
            "InvalidSecurityToken.MismatchWithAccessKey",
            400,
        ),
        (None, {"SignatureMethod": "HMAC-MD5"}, "IncompleteSignature", 400),
        (None, {"SignatureVersion": "2.0"}, "IncompleteSignature", 400),
        (None, {"SignatureNonce": ""}, "IncompleteSignature", 400),
        (None, {"AccessKeyId": ""}, "IncompleteSignature", 400),
        (None, {"Timestamp": "yesterday"}, "InvalidTimeStamp.Format", 400),
        (None, {"Timestamp": "2020-01-01T00:00:00Z"}, "InvalidTimeStamp.Expired", 400),
        (None, {"Version": "2015-04-02"}, "InvalidVersion", 400),
        (None, {"Action": "AssumeRoll"}, "InvalidAction.NotFound", 404),
    ],
)
def test_the_older_signature_is_checked(
    emulator: Emulator, keys: Any, protocol: Json, code: str, status: int
) -> None:
    answer = rpc_request(
        emulator, "GetCallerIdentity", keys or (ONE, "key-one", None), protocol=protocol
    )
    assert (answer.json["Code"], answer.status) == (code, status)


def test_the_older_signature_is_good_once(emulator: Emulator) -> None:
    protocol = {"SignatureNonce": parameter_helper.get_uuid()}
    codes = [
        rpc_request(emulator, "GetCallerIdentity", protocol=protocol).json.get("Code")
        for _ in range(2)
    ]
    assert codes == [None, "SignatureNonceUsed"]


def test_versions_tell_products_apart(emulator: Emulator) -> None:
    for version, action in (
        ("2014-05-26", "GetCallerIdentity"),
        ("2015-04-01", "CreateActivation"),
    ):
        answer = acs_request(emulator, action, {"RegionId": "cn-hangzhou"}, version=version)
        assert answer.json["Code"] == "InvalidAction.NotFound"


# --- roles ------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_roles_keys_work(emulator: Emulator, vendor: str) -> None:
    keys = assume(emulator, vendor)
    sdk, create, _ = client(emulator, vendor, keys)
    sdk(create)
    assert list(emulator.resources()) == [ONE]
    assert emulator.requests(create)[0]["account"] == keys[0]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_roles_keys_need_their_token(emulator: Emulator, vendor: str) -> None:
    secret_id, key, _ = assume(emulator, vendor)
    for token, code in (
        (None, "MissingSecurityToken"),
        ("another", "InvalidSecurityToken.MismatchWithAccessKey"),
    ):
        sdk, create, _ = client(emulator, vendor, (secret_id, key, token))
        with refused_by(vendor, "AuthFailure.TokenFailure", code, 400):
            sdk(create)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_roles_resources_are_where_it_says(emulator: Emulator, vendor: str) -> None:
    emulator.role(ROLE[vendor], account=TWO)
    sdk, create, _ = client(emulator, vendor, assume(emulator, vendor))
    sdk(create)
    assert list(emulator.resources()) == [TWO]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_role_that_is_not_there(emulator: Emulator, vendor: str) -> None:
    emulator.role(f"{ROLE[vendor]}-other")
    with refused_by(vendor, "ResourceNotFound.RoleNotFound", "EntityNotExist.Role", 404):
        assume(emulator, vendor)
    # the other vendor's roles are not spoken of
    assume(emulator, next(other for other in VENDORS if other != vendor))


def test_a_role_that_is_not_there_as_users_report_it(emulator: Emulator) -> None:
    emulator.role(f"{ROLE['tencentcloud']}-other")
    emulator.settings(sts_unknown_role="InternalError.GetRoleError")
    with refused("InternalError.GetRoleError"):
        assume(emulator, "tencentcloud")


@pytest.mark.parametrize("vendor", VENDORS)
def test_who_may_take_a_role(emulator: Emulator, vendor: str) -> None:
    emulator.role(ROLE[vendor], trusts=[TWO], external_id="secret-handshake")
    not_trusted = ("AuthFailure.UnauthorizedOperation", "NoPermission", 403)
    two = (TWO, "key-two", None)
    with refused_by(vendor, *not_trusted):
        assume(emulator, vendor, ExternalId="secret-handshake")
    for wrong in ({}, {"ExternalId": "another"}):
        with refused_by(vendor, *not_trusted):
            assume(emulator, vendor, two, **wrong)
    assume(emulator, vendor, two, ExternalId="secret-handshake")


@pytest.mark.parametrize("vendor", VENDORS)
def test_roles_take_roles(emulator: Emulator, vendor: str) -> None:
    second = f"{ROLE[vendor]}-second"
    emulator.role(ROLE[vendor], account=TWO)
    emulator.role(second, trusts=[ROLE[vendor]])
    keys = assume(emulator, vendor, assume(emulator, vendor), arn=second)
    sdk, create, _ = client(emulator, vendor, keys)
    sdk(create)
    assert list(emulator.resources()) == [TWO]


def test_which_provider_a_role_trusts(emulator: Emulator) -> None:
    for arn in ROLE.values():
        emulator.role(arn, trusts=["another"])
    with refused("AuthFailure.UnauthorizedOperation"):
        web_identity(emulator)
    with ecs_refused("NoPermission", 403):
        alibabacloud_sts(emulator, "AssumeRoleWithOIDC", signed=False, **OIDC)
    emulator.role(ROLE["tencentcloud"], trusts=[WEB_IDENTITY["ProviderId"]])
    emulator.role(ROLE["alibabacloud"], trusts=[OIDC["OIDCProviderArn"]], account=TWO)
    assert web_identity(emulator)["Credentials"]
    given = alibabacloud_sts(emulator, "AssumeRoleWithOIDC", signed=False, **OIDC)["Credentials"]
    keys = given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]
    client(emulator, "alibabacloud", keys)[0]("CreateActivation")
    assert list(emulator.resources()) == [TWO]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_role_shares_its_accounts_rate(emulator: Emulator, vendor: str) -> None:
    first, second = assume(emulator, vendor), assume(emulator, vendor)
    emulator.settings(rate_limit=1)
    sdk, _, describe = client(emulator, vendor, first)
    sdk(describe)
    sdk, _, describe = client(emulator, vendor, second)
    with refused_by(vendor, "RequestLimitExceeded", "Throttling.User", 400):
        sdk(describe)


# --- expiry -----------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", VENDORS)
def test_keys_expire_by_the_emulators_clock(emulator: Emulator, vendor: str) -> None:
    sdk, _, describe = client(emulator, vendor, assume(emulator, vendor, DurationSeconds=900))
    emulator.clock(advance_seconds=890)
    sdk(describe)
    emulator.clock(advance_seconds=20)
    with expired(vendor):
        sdk(describe)
    sdk, _, describe = client(emulator, vendor, assume(emulator, vendor, DurationSeconds=900))
    sdk(describe)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_configured_token_expires_on_order(emulator: Emulator, vendor: str) -> None:
    temporary = (TEMPORARY, "key-temporary", "token-temporary")
    sdk, create, describe = client(emulator, vendor, temporary)
    sdk(create)
    emulator.expire(TEMPORARY)
    with expired(vendor):
        sdk(describe)
    # another key pair of the same account, as after a new login
    sdk, _, describe = client(emulator, vendor, (ONE, "key-one", None))
    assert sdk(describe)["TotalCount"] == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_all_keys_of_a_role_expire_on_order(emulator: Emulator, vendor: str) -> None:
    before = [assume(emulator, vendor) for _ in range(2)]
    emulator.expire(ROLE[vendor])
    for keys in before:
        sdk, _, describe = client(emulator, vendor, keys)
        with expired(vendor):
            sdk(describe)
    sdk, _, describe = client(emulator, vendor, assume(emulator, vendor))
    sdk(describe)


# --- permissions ------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", VENDORS)
def test_denied_actions(emulator: Emulator, vendor: str) -> None:
    sdk, create, describe = client(emulator, vendor, (ONE, "key-one", None))
    emulator.deny(ONE, create)
    with forbidden(vendor):
        sdk(create)
    sdk(describe)
    other, create, _ = client(emulator, vendor, (TWO, "key-two", None))
    other(create)
    emulator.deny(ONE, "*", service="sts")
    sdk(describe)
    with forbidden(vendor):
        assume(emulator, vendor)
    assert list(emulator.resources()) == [TWO]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_role_is_denied(emulator: Emulator, vendor: str) -> None:
    service = {"tencentcloud": "tat", "alibabacloud": "ecs"}[vendor]
    sdk, create, describe = client(emulator, vendor, assume(emulator, vendor))
    emulator.deny(ROLE[vendor], create, service)
    with forbidden(vendor):
        sdk(create)
    sdk(describe)
    client(emulator, vendor, (ONE, "key-one", None))[0](create)


# --- what the emulator tells ------------------------------------------------------------------


def test_nothing_secret_is_logged(emulator: Emulator) -> None:
    secrets: list[str] = [WEB_IDENTITY["WebIdentityToken"]]
    for vendor in VENDORS:
        keys = assume(emulator, vendor)
        secrets += keys[1:]
        sdk, create, _ = client(emulator, vendor, keys)
        sdk(create)
    rpc_request(emulator, "GetCallerIdentity", keys)
    web_identity(emulator)
    alibabacloud_sts(emulator, "AssumeRoleWithOIDC", signed=False, **OIDC)
    half = json.dumps(WEB_IDENTITY)[:-40]
    headers = {"X-TC-Action": "AssumeRoleWithWebIdentity", "X-TC-Version": "2018-08-13"}
    http_request(emulator, "POST", "/", half, headers)

    written = json.dumps(emulator.requests())
    assert len(emulator.requests()) == 8
    for secret in secrets:
        assert secret not in written
    rpc = emulator.requests("GetCallerIdentity")[0]
    assert rpc["account"] == keys[0]
    assert "SecurityToken=(hidden)&" in rpc["query"]
    (oidc,) = emulator.requests("AssumeRoleWithOIDC")
    assert oidc["parameters"] == {**OIDC, "OIDCToken": "(hidden)"}
    whole = emulator.requests("AssumeRoleWithWebIdentity")[0]
    assert json.loads(whole["body"]) == {**WEB_IDENTITY, "WebIdentityToken": "(hidden)"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_reset_forgets_who_may_do_what(emulator: Emulator, vendor: str) -> None:
    keys = assume(emulator, vendor)
    emulator.role(f"{ROLE[vendor]}-other")
    emulator.deny(ONE, "*")
    emulator.expire(TWO)
    emulator.reset()
    for good in ((TWO, "key-two", None), assume(emulator, vendor)):
        sdk, create, describe = client(emulator, vendor, good)
        sdk(create)
    sdk, _, describe = client(emulator, vendor, keys)
    not_found = ("AuthFailure.SecretIdNotFound", "InvalidAccessKeyId.NotFound", 404)
    with refused_by(vendor, *not_found):
        sdk(describe)


def test_orders_over_http(emulator: Emulator, control: Callable[..., Answer]) -> None:
    arn = ROLE["tencentcloud"]
    role = {"arn": arn, "account": TWO, "external_id": "x", "trusts": [ONE]}
    assert control("POST", "roles", role).status == 200
    keys = assume(emulator, "tencentcloud", ExternalId="x")
    sdk, create, describe = client(emulator, "tencentcloud", keys)
    sdk(create)
    assert list(emulator.resources()) == [TWO]
    denied = {"account": arn, "action": create, "service": "tat"}
    assert control("POST", "deny", denied).status == 200
    with forbidden("tencentcloud"):
        sdk(create)
    assert control("POST", "expire", {"account": keys[0]}).status == 200
    with expired("tencentcloud"):
        sdk(describe)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("roles", {}),
        ("roles", {"arn": "arn:aws:iam::1:role/deployer"}),
        ("roles", {"arn": ROLE["alibabacloud"], "account": "AKIDnobody"}),
        ("roles", {"arn": ROLE["alibabacloud"], "trusts": ONE}),
        ("roles", {"arn": ROLE["alibabacloud"], "trusts": [1]}),
        ("roles", {"arn": ROLE["alibabacloud"], "trust": [ONE]}),
        ("expire", {}),
        ("expire", {"account": "AKIDnobody"}),
        ("expire", {"account": ROLE["alibabacloud"]}),
        ("deny", {"account": ONE}),
        ("deny", {"account": "AKIDnobody", "action": "CreateActivation"}),
        ("deny", {"account": ONE, "action": "CreateActivity"}),
        ("deny", {"account": ONE, "action": "CreateActivation", "service": "tat"}),
    ],
)
def test_a_slip_changes_nothing(
    emulator: Emulator, control: Callable[..., Answer], name: str, body: Json
) -> None:
    answer = control("POST", name, body)
    assert (answer.status, bool(answer.json["error"])) == (400, True)
    for vendor in VENDORS:
        sdk, create, _ = client(emulator, vendor, assume(emulator, vendor))
        sdk(create)


def test_calls_without_http(emulator: Emulator) -> None:
    for version, kind in (("2018-08-13", "Type"), ("2015-04-01", "IdentityType")):
        assert kind in emulator.call("sts", version, "GetCallerIdentity")
    keys = assume(emulator, "alibabacloud")
    environment = emulator.environment_of(keys[0], "alibabacloud")
    assert environment["ALICLOUD_SECURITY_TOKEN"] == keys[2]
    role = emulator.call("sts", "2015-04-01", "GetCallerIdentity", account=keys[0])
    assert role["IdentityType"] == "AssumedRoleUser"


# --- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("kind", ["throttle", "internal_error", "drop_after", "truncate"])
def test_faults(emulator: Emulator, vendor: str, kind: str) -> None:
    emulator.fault("AssumeRole", kind, service="sts")
    with pytest.raises((TencentCloudSDKException, TeaException, ValueError)):
        assume(emulator, vendor)
    (entry,) = emulator.requests("AssumeRole")
    assert entry["fault"] == kind
    assume(emulator, vendor)


def test_incomplete_answers(emulator: Emulator) -> None:
    def credentials(kind: str) -> list[set[str]]:
        emulator.fault("*", kind, count=3)
        signed = sdk_of(emulator, **STS)(
            "AssumeRole", RoleArn=ROLE["tencentcloud"], RoleSessionName="session"
        )
        oidc = alibabacloud_sts(emulator, "AssumeRoleWithOIDC", signed=False, **OIDC)
        return [set(answer["Credentials"]) for answer in (signed, web_identity(emulator), oidc)]

    assert credentials("no_id") == [
        {"Token", "TmpSecretKey"},
        {"Token", "TmpSecretKey"},
        {"AccessKeySecret", "SecurityToken", "Expiration"},
    ]
    assert credentials("no_secret") == [
        {"TmpSecretId"},
        {"TmpSecretId"},
        {"AccessKeyId", "Expiration"},
    ]
    emulator.fault("AssumeRoleWithWebIdentity", "error", code="InvalidParameter.Expired")
    with refused("InvalidParameter.Expired"):
        web_identity(emulator)

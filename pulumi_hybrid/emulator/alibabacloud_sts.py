"""Alibaba Cloud's Security Token Service (STS), version 2015-04-01: identities and roles.

Source: the pages of GetCallerIdentity, AssumeRole and AssumeRoleWithOIDC, and the list of error
codes. What policies would forbid is allowed here, and an OIDC token is not looked into, so that
there is no `OIDCTokenInfo` in the answer.
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import timedelta

from .alibabacloud import Text, Whole, account_number, invalid
from .api import Api, Call, Json, Session, VendorError
from .clock import rfc3339

ROLE_ARN = re.compile(r"acs:ram::[0-9]+:role/[a-zA-Z0-9.-]{1,64}")
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
POLICY_SIZE = 2048  # bytes
SESSION_NAME = re.compile(r"[a-zA-Z0-9.@_-]{2,64}")

api = Api("sts", "2015-04-01")

DURATION = Whole(
    smallest=900, largest=43200, default=3600, refusal="InvalidParameter.DurationSeconds"
)


@api.action("GetCallerIdentity", region_required=False)
def get_caller_identity(call: Call) -> Json:
    """Every key pair is a user of its own account here, or a role's; root accounts have none."""
    session = call.access.accounts[call.secret_id].session
    number = account_number(call.account)
    if session is None:
        user_id = account_number(f"user {call.secret_id}")
        return {
            "IdentityType": "RAMUser",
            "AccountId": number,
            "PrincipalId": user_id,
            "UserId": user_id,
            "Arn": f"acs:ram::{number}:user/{call.secret_id}",
        }
    role_id, role_name = account_number(session.role_arn), session.role_arn.rpartition("/")[2]
    return {
        "IdentityType": "AssumedRoleUser",
        "AccountId": number,
        "PrincipalId": f"{role_id}:{session.name}",
        "RoleId": role_id,
        "Arn": f"acs:ram::{number}:assumed-role/{role_name}/{session.name}",
    }


@api.action(
    "AssumeRole",
    {
        "RoleArn": Text(required=True),
        "RoleSessionName": Text(required=True),
        "DurationSeconds": DURATION,
        "Policy": Text(),
        "ExternalId": Text(),
        "SourceIdentity": Text(),
    },
    ids=("AccessKeyId",),
    secrets=("AccessKeySecret", "SecurityToken"),
    region_required=False,
)
def assume_role(call: Call) -> Json:
    """Users and roles may."""
    external_id, source = call.get("ExternalId"), call.get("SourceIdentity")
    if external_id is not None and not EXTERNAL_ID.fullmatch(external_id):
        raise invalid("ExternalId", "InvalidParameter.ExternalId")
    answer = _assume(call, external_id)
    return answer if source is None else {**answer, "SourceIdentity": source}


@api.action(
    "AssumeRoleWithOIDC",
    {
        "OIDCProviderArn": Text(required=True),
        "RoleArn": Text(required=True),
        "OIDCToken": Text(required=True, longest=20_000),
        "RoleSessionName": Text(required=True),
        "DurationSeconds": DURATION,
        "Policy": Text(),
    },
    ids=("AccessKeyId",),
    secrets=("AccessKeySecret", "SecurityToken"),
    region_required=False,
    signed=False,
)
def assume_role_with_oidc(call: Call) -> Json:
    """The provider is not looked up: roles say which ones they trust."""
    return _assume(call, None, call["OIDCProviderArn"])


def _assume(call: Call, external_id: str | None, provider: str = "") -> Json:
    arn, name = call["RoleArn"], call["RoleSessionName"]
    if not ROLE_ARN.fullmatch(arn):
        raise invalid("RoleArn", "InvalidParameter.RoleArn")
    if not SESSION_NAME.fullmatch(name):
        raise invalid("RoleSessionName", "InvalidParameter.RoleSessionName")
    if call.get("Policy") is not None:
        if len(call["Policy"].encode()) > POLICY_SIZE:
            raise invalid("Policy", "InvalidParameter.PolicySize")
        try:
            json.loads(call["Policy"])
        except ValueError:
            raise invalid("Policy", "InvalidParameter.PolicyGrammar") from None
    role = call.access.find_role(arn)
    if role is None:
        raise VendorError("EntityNotExist.Role", "The specified Role not exists.", 404)
    if not call.access.trusts(role, call.secret_id, provider, external_id):
        raise VendorError(
            "NoPermission",
            "You are not authorized to do this action. You should be authorized by RAM.",
            403,
        )
    expires = call.now + timedelta(seconds=call["DurationSeconds"])
    secret_id = f"STS.{secrets.token_hex(12)}"
    key, token = secrets.token_urlsafe(33), secrets.token_urlsafe(256)
    session = Session(arn, name, call.account, expires)
    call.access.give(role, call.secret_id, secret_id, (key, token), session)
    return {
        "Credentials": {
            "AccessKeyId": secret_id,
            "AccessKeySecret": key,
            "SecurityToken": token,
            "Expiration": rfc3339(expires),
        },
        "AssumedRoleUser": {
            "Arn": f"{arn}/{name}",
            "AssumedRoleId": f"{account_number(arn)}:{name}",
        },
    }

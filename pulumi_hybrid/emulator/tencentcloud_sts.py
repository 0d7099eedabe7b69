"""Tencent Cloud's Security Token Service (STS), version 2018-08-13: identities and roles.

Source: the pages of GetCallerIdentity, AssumeRole and AssumeRoleWithWebIdentity. What policies and
session tags would forbid is allowed here, and a web identity's token is not looked into.
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import timedelta
from urllib.parse import unquote

from .api import Api, Call, Json, Session, Setting, VendorError
from .clock import rfc3339
from .parameters import Many, Structure, Text, Whole
from .tencentcloud import account_number, role_number

ROLE_ARN = re.compile(r"qcs::cam::uin/[0-9]+:(role|roleName)/[\w+=,.@/-]+", re.ASCII)
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,128}", re.ASCII)
WRONG = "InvalidParameter.ParamError"

api = Api(
    "sts",
    "2018-08-13",
    settings={
        # The page has the first code; users report the second, which looks like a passing trouble.
        "sts_unknown_role": Setting(
            "ResourceNotFound.RoleNotFound",
            choices=("ResourceNotFound.RoleNotFound", "InternalError.GetRoleError"),
        )
    },
)

DURATION = Whole(
    smallest=0,
    largest=43200,
    default=7200,
    too_large="InvalidParameter.OverTimeError",
    too_small=WRONG,
)


@api.action("GetCallerIdentity")
def get_caller_identity(call: Call) -> Json:
    """Every key pair is a user of its own account here, or a role's."""
    session = call.access.accounts[call.secret_id].session
    number = account_number(call.account)
    if session is None:
        return {
            "Type": "CAMUser",
            "AccountId": number,
            "UserId": number,
            "PrincipalId": number,
            "Arn": f"qcs::cam:{number}:uin/{number}",
        }
    role_id = role_number(session.role_arn)
    return {
        "Type": "CAMRole",
        "AccountId": number,
        "UserId": f"{role_id}:{session.name}",
        "PrincipalId": account_number(session.caller),
        "Arn": f"qcs::sts:{number}:assumed-role/{role_id}",
    }


@api.action(
    "AssumeRole",
    {
        "RoleArn": Text(required=True),
        "RoleSessionName": Text(required=True),
        "DurationSeconds": DURATION,
        "Policy": Text(),
        "ExternalId": Text(),
        "Tags": Many(Structure({"Key": Text(required=True), "Value": Text(required=True)})),
        "SourceIdentity": Text(),
        "SerialNumber": Text(),
        "TokenCode": Text(),
    },
    ids=("TmpSecretId",),
    secrets=("TmpSecretKey", "Token"),
)
def assume_role(call: Call) -> Json:
    """Roles may take roles; the page names no limit to that."""
    if call.get("Policy") is not None:
        try:
            json.loads(unquote(call["Policy"]))
        except ValueError:
            raise VendorError(
                "InvalidParameter.StrategyFormatError", "The policy's syntax is not correct."
            ) from None
    return _assume(call, call.get("ExternalId"))


@api.action(
    "AssumeRoleWithWebIdentity",
    {
        "ProviderId": Text(required=True),
        "WebIdentityToken": Text(required=True, shortest=1, too_short=WRONG),
        "RoleArn": Text(required=True),
        "RoleSessionName": Text(required=True),
        "DurationSeconds": DURATION,
    },
    ids=("TmpSecretId",),
    secrets=("TmpSecretKey", "Token"),
    signed=False,
)
def assume_role_with_web_identity(call: Call) -> Json:
    """The provider is not looked up: roles say which ones they trust."""
    return _assume(call, None, call["ProviderId"])


def _assume(call: Call, external_id: str | None, provider: str = "") -> Json:
    arn, name = call["RoleArn"], call["RoleSessionName"]
    if not ROLE_ARN.fullmatch(arn):
        raise VendorError(WRONG, "The parameter `RoleArn` is not a role's resource description.")
    if not SESSION_NAME.fullmatch(name):
        raise VendorError(WRONG, "The parameter `RoleSessionName` is not in its form.")
    role = call.access.find_role(arn)
    if role is None:
        raise VendorError(call.settings["sts_unknown_role"], "role not exist")
    if not call.access.trusts(role, call.secret_id, provider, external_id):
        raise VendorError(
            "AuthFailure.UnauthorizedOperation",
            f"you are not authorized to perform operation (sts:AssumeRole), resource ({arn}) has "
            "no permission",
        )
    expires = call.now + timedelta(seconds=call["DurationSeconds"])
    secret_id = f"AKID{secrets.token_urlsafe(48)}"
    key, token = secrets.token_urlsafe(32), secrets.token_urlsafe(128)
    session = Session(arn, name, call.account, expires)
    call.access.give(role, call.secret_id, secret_id, (key, token), session)
    return {
        "Credentials": {"Token": token, "TmpSecretId": secret_id, "TmpSecretKey": key},
        "ExpiredTime": int(expires.timestamp()),
        "Expiration": rfc3339(expires),
    }

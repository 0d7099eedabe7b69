"""Tencent Cloud's API 3.0: headers, TC3-HMAC-SHA256, envelope, common error codes.

Source: "Common Request Parameters", "Signature v3", "Responses" and "Common Error Codes" of the
API documentation.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .api import Account, Action, Api, Arrival, HttpAnswer, HttpRequest, Json, VendorError
from .parameters import missing, read_all

ALGORITHM = "TC3-HMAC-SHA256"
SIGNATURE_LIFE = 300  # seconds, either way
REQUEST_SIZE = 10 * 1024 * 1024  # bytes, for requests signed with TC3

AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=(?P<secret_id>[^/, ]+)/(?P<date>[^/, ]+)/(?P<service>[^/, ]+)"
    r"/tc3_request, *SignedHeaders=(?P<signed>[^, ]+), *Signature=(?P<signature>[0-9a-f]+) *"
)

UNSIGNED = "SKIP"  # as the vendor's SDK writes it; the pages say that there need be no header

LOGGED_HEADERS = ("content-type", "host", "user-agent")


class Tencentcloud:
    """The envelope that all of Tencent Cloud's products share."""

    name = "tencentcloud"
    region = "ap-guangzhou"
    secret_parameters: tuple[str, ...] = ("WebIdentityToken", "TokenCode")

    def __init__(self, *apis: Api) -> None:
        self.apis = apis

    def recognises(self, request: HttpRequest) -> bool:
        """Whether there is any header of API 3.0."""
        return "x-tc-action" in request.headers or request.headers.get(
            "authorization", ""
        ).startswith("TC3")

    def read(self, request: HttpRequest) -> Arrival:
        """Action, version and region are headers, the parameters the body, the rest the scope."""
        headers = request.headers
        credential = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        parameters: Json | None = None
        try:
            sent = json.loads(request.body or b"{}")
            parameters = sent if isinstance(sent, dict) else None
        except ValueError:
            pass  # refused by `check`, after the signature
        version, action = headers.get("x-tc-version", ""), headers.get("x-tc-action", "")
        unsigned = next((api for api in self.apis if _unsigned(api, version, action)), None)
        service = unsigned.service if unsigned else ""  # else the host's name alone has it
        return Arrival(
            service=credential["service"] if credential else service,
            version=version,
            action=action,
            region=headers.get("x-tc-region", ""),
            secret_id=credential["secret_id"] if credential else "",
            language=headers.get("x-tc-language", ""),
            parameters=parameters,
        )

    def authenticate(
        self,
        request: HttpRequest,
        arrival: Arrival,
        accounts: Mapping[str, Account],
        seconds: float,
    ) -> None:
        """Compute the signature again from what arrived."""
        if request.method != "POST":
            raise VendorError("UnsupportedProtocol", "Only POST is served here.")
        if len(request.body) > REQUEST_SIZE:
            raise VendorError("RequestSizeLimitExceeded", "The request is larger than 10 MB.")
        headers = request.headers
        authorization = headers.get("authorization", UNSIGNED)
        if authorization == UNSIGNED and arrival.service:
            return  # `read` knows the service of none but the actions that need no signature
        credential = AUTHORIZATION.fullmatch(authorization)
        signed = credential["signed"].split(";") if credential else []
        if credential is None or not {"content-type", "host"} <= set(signed):
            raise VendorError(
                "AuthFailure.InvalidAuthorization",
                "The header `Authorization` is not in the form of TC3-HMAC-SHA256.",
            )
        if not headers.get("content-type", "").startswith("application/json"):
            raise VendorError("UnsupportedProtocol", "The content type must be application/json.")
        account = accounts.get(credential["secret_id"])
        if account is None:
            raise VendorError(
                "AuthFailure.SecretIdNotFound",
                "The SecretId is not found, please ensure that your SecretId is correct.",
            )
        timestamp = headers.get("x-tc-timestamp", "")
        if not re.fullmatch(r"[0-9]{1,11}", timestamp):
            raise missing("X-TC-Timestamp")
        if abs(seconds - int(timestamp)) > SIGNATURE_LIFE:
            raise VendorError(
                "AuthFailure.SignatureExpire",
                "The signature has expired: its timestamp and the server's time are more than "
                "five minutes apart.",
            )
        date = datetime.fromtimestamp(int(timestamp), timezone.utc).strftime("%Y-%m-%d")
        expected = signature(request, account.secret_key, timestamp, arrival.service, signed)
        if credential["date"] != date or not hmac.compare_digest(expected, credential["signature"]):
            raise VendorError(
                "AuthFailure.SignatureFailure",
                "The provided credentials could not be validated. Please check your signature is "
                "correct.",
            )
        if headers.get("x-tc-token") != account.token:
            raise VendorError("AuthFailure.TokenFailure", "The token is not valid.")

    def find(self, arrival: Arrival) -> tuple[Api, Action]:
        """By service, version and action: two products have an action CreateInstance."""
        if not arrival.action:
            raise missing("Action")
        if not arrival.version:
            raise missing("Version")
        products = [api for api in self.apis if api.service == arrival.service]
        if not products:
            raise VendorError("NoSuchProduct", f"There is no product `{arrival.service}`.")
        for api in products:
            if api.version != arrival.version:
                continue
            action = api.actions.get(arrival.action)
            if action is None:
                raise VendorError("InvalidAction", f"There is no action `{arrival.action}`.")
            return api, action
        raise VendorError(
            "NoSuchVersion", f"`{arrival.service}` has no version `{arrival.version}`."
        )

    def check(self, action: Action, arrival: Arrival) -> Json:
        """The region must be there where the page says so, and every parameter as in its table."""
        if action.region_required and not arrival.region:
            raise missing("Region")
        if arrival.parameters is None:
            raise VendorError("InvalidParameter", "The request body is not a JSON object.")
        return read_all(action.parameters, arrival.parameters)

    def request_id(self) -> str:
        """A UUID."""
        return str(uuid.uuid4())

    def success(self, result: Json, request_id: str) -> HttpAnswer:
        """`{"Response": {…, "RequestId": …}}`."""
        return _answer({**result, "RequestId": request_id})

    def failure(self, error: VendorError, request_id: str) -> HttpAnswer:
        """`{"Response": {"Error": {"Code", "Message"}, "RequestId"}}`, with HTTP 200 as well."""
        body = {"Error": {"Code": error.code, "Message": error.message}, "RequestId": request_id}
        return _answer(body, error.code)

    def throttled(self, action: str, retry_after: float | None = None) -> VendorError:
        """One request too many; when to come again, this vendor does not say."""
        return VendorError(
            "RequestLimitExceeded",
            f"Your current request times for `{action}` exceed the limit of 20 times a second.",
        )

    def internal_error(self) -> VendorError:
        """The vendor's own mistake."""
        return VendorError("InternalError", "An internal error has occurred.")

    def expired(self) -> VendorError:
        """The same code as for a wrong token: this vendor makes no difference."""
        return VendorError("AuthFailure.TokenFailure", "The token has expired.")

    def unauthorized(self, api: Api, action: str) -> VendorError:
        """What CAM answers."""
        return VendorError(
            "AuthFailure.UnauthorizedOperation",
            f"you are not authorized to perform operation ({api.service}:{action}), resource (*) "
            "has no permission",
        )

    def environment(
        self, url: str, secret_id: str, account: Account, region: str
    ) -> dict[str, str]:
        """The variables that the provider reads."""
        variables = {
            "TENCENTCLOUD_ENDPOINT": url,
            "TENCENTCLOUD_SECRET_ID": secret_id,
            "TENCENTCLOUD_SECRET_KEY": account.secret_key,
            "TENCENTCLOUD_REGION": region,
        }
        if account.token is not None:
            variables["TENCENTCLOUD_SECURITY_TOKEN"] = account.token
        return variables

    def account_of(self, environment: Mapping[str, str]) -> tuple[str, Account] | None:
        """The key pair that the environment holds, as the provider reads it."""
        secret_id = environment.get("TENCENTCLOUD_SECRET_ID")
        secret_key = environment.get("TENCENTCLOUD_SECRET_KEY")
        if not secret_id or not secret_key:
            return None
        return secret_id, Account(
            secret_key, environment.get("TENCENTCLOUD_SECURITY_TOKEN") or None
        )

    def region_of(self, environment: Mapping[str, str]) -> str:
        """The region that the environment names, else the default one."""
        return environment.get("TENCENTCLOUD_REGION") or self.region

    def loggable_headers(self, request: HttpRequest) -> dict[str, str]:
        """Those of API 3.0 and a few more; that a token was sent shows, the token does not."""
        return {
            name: "(hidden)" if name == "x-tc-token" else value
            for name, value in request.headers.items()
            if name in LOGGED_HEADERS or name.startswith("x-tc-")
        }


def signature(
    request: HttpRequest, secret_key: str, timestamp: str, service: str, signed: list[str]
) -> str:
    """The TC3-HMAC-SHA256 signature that the request should carry, in hex."""
    payload = request.body
    if request.headers.get("x-tc-content-sha256") == "UNSIGNED-PAYLOAD":
        payload = b"UNSIGNED-PAYLOAD"
    canonical_headers = "".join(
        f"{name}:{request.headers.get(name, '').strip().lower()}\n" for name in signed
    )
    canonical = "\n".join(
        (
            request.method,
            request.path,
            request.query,
            canonical_headers,
            ";".join(signed),
            hashlib.sha256(payload).hexdigest(),
        )
    )
    date = datetime.fromtimestamp(int(timestamp), timezone.utc).strftime("%Y-%m-%d")
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{timestamp}\n{date}/{service}/tc3_request\n{digest}"
    key = f"TC3{secret_key}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def account_number(account: str) -> str:
    """The number that the vendor knows an account by."""
    return f"1000{int(hashlib.sha256(account.encode()).hexdigest(), 16) % 10**8:08}"


def role_number(arn: str) -> str:
    """The number that the vendor knows a role by; where the name has one, that."""
    last = arn.rpartition("/")[2]
    if last.isdecimal():
        return last
    return f"46116860184{int(hashlib.sha256(arn.encode()).hexdigest(), 16) % 10**8:08}"


def _unsigned(api: Api, version: str, action: str) -> bool:
    return api.version == version and action in api.actions and not api.actions[action].signed


def _answer(response: dict[str, Any], error_code: str | None = None) -> HttpAnswer:
    body = json.dumps({"Response": response}, ensure_ascii=False).encode()
    # Exactly this content type: the vendor's SDK looks for errors under no other.
    return HttpAnswer(200, "application/json", body, error_code=error_code)

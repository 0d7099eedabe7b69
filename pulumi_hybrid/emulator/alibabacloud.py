"""Alibaba Cloud's RPC style: two signatures, parameters in the query, common codes.

Source: "V3 version request body and signature mechanism", "RPC mechanism" and "Common error codes"
of the API documentation, and the parameter tables of the pages of ECS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote

from .api import Account, Action, Api, Arrival, HttpAnswer, HttpRequest, Json, VendorError

ALGORITHM = "ACS3-HMAC-SHA256"
SIGNATURE_LIFE = 900  # seconds, either way
NONCES_KEPT = 100_000

AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=(?P<secret_id>[^/, ]+), *SignedHeaders=(?P<signed>[^, ]+), *"
    r"Signature=(?P<signature>[0-9a-f]+) *"
)
SIGNED_ALWAYS = {
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
}

# Every action takes these; the owner is always the caller here.
COMMON_PARAMETERS = {
    "RegionId",
    "OwnerAccount",
    "OwnerId",
    "ResourceOwnerAccount",
    "ResourceOwnerId",
}

# What is in the headers in the newer style is in the query in the older one.
PROTOCOL_PARAMETERS = {
    "AccessKeyId",
    "Action",
    "Format",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureType",
    "SignatureVersion",
    "Timestamp",
    "Version",
}

LOGGED_HEADERS = ("accept", "content-type", "host", "user-agent")


@dataclass(frozen=True)
class Claim:
    """What a request says of its signer, in whichever style; `sign` is of a key and a text."""

    secret_id: str
    token: str | None
    date: str
    nonce: str
    to_sign: str
    signature: str
    sign: Callable[[str, str], str]


class Alibabacloud:
    """The envelope that Alibaba Cloud's products of the RPC style share."""

    name = "alibabacloud"
    region = "cn-hangzhou"
    secret_parameters: tuple[str, ...] = ("OIDCToken", "SecurityToken")

    def __init__(self, *apis: Api) -> None:
        self.apis = apis
        # In order of arrival. Two emulators of one process share them, as two endpoints would.
        self._nonces: dict[tuple[str, str], None] = {}
        self._lock = threading.Lock()

    def recognises(self, request: HttpRequest) -> bool:
        """Whether there is the action's header or parameter, or a signature of this kind."""
        return (
            "x-acs-action" in request.headers
            or request.headers.get("authorization", "").startswith("ACS3")
            or "Action" in _query(request)
        )

    def read(self, request: HttpRequest) -> Arrival:
        """Action and version are headers or in the query, where everything else is."""
        headers, query = request.headers, _query(request)
        claim = claim_of(request)
        version = headers.get("x-acs-version") or query.get("Version", "")
        parameters = {
            name: value
            for name, value in read_query(request.query).items()
            if name not in PROTOCOL_PARAMETERS
        }
        region = parameters.get("RegionId")
        return Arrival(
            # The product is in the host's name alone, which is 127.0.0.1 here.
            service=next((api.service for api in self.apis if api.version == version), ""),
            version=version,
            action=headers.get("x-acs-action") or query.get("Action", ""),
            region=region if isinstance(region, str) else "",
            secret_id=claim.secret_id if claim else "",
            language=headers.get("accept-language", ""),
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
        claim = claim_of(request)
        if claim is None:
            if self._unsigned(request, arrival):
                return
            raise VendorError(
                "IncompleteSignature", "The request signature does not conform to Aliyun standards."
            )
        account = accounts.get(claim.secret_id)
        if account is None:
            raise VendorError(
                "InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404
            )
        try:
            date = datetime.strptime(claim.date, "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            raise VendorError(
                "InvalidTimeStamp.Format",
                "Specified time stamp or date value is not well formatted.",
            ) from None
        if abs(seconds - date.replace(tzinfo=timezone.utc).timestamp()) > SIGNATURE_LIFE:
            raise VendorError(
                "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."
            )
        expected = claim.sign(account.secret_key, claim.to_sign)
        if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
            raise VendorError(
                "SignatureDoesNotMatch",
                "Specified signature is not matched with our calculation. server string to sign "
                f"is:{claim.to_sign}",
            )
        if claim.token is None and account.token is not None:
            raise VendorError("MissingSecurityToken", "SecurityToken is mandatory for this action.")
        if claim.token != account.token:
            raise VendorError(
                "InvalidSecurityToken.MismatchWithAccessKey",
                "Specified SecurityToken mismatch with the AccessKey.",
            )
        self._use_nonce(claim.secret_id, claim.nonce)

    def _unsigned(self, request: HttpRequest, arrival: Arrival) -> bool:
        if "authorization" in request.headers or "Signature" in _query(request):
            return False
        return any(
            api.version == arrival.version and not api.actions[arrival.action].signed
            for api in self.apis
            if arrival.action in api.actions
        )

    def _use_nonce(self, secret_id: str, nonce: str) -> None:
        with self._lock:
            if (secret_id, nonce) in self._nonces:
                raise VendorError(
                    "SignatureNonceUsed", "Specified signature nonce was used already."
                )
            self._nonces[secret_id, nonce] = None
            if len(self._nonces) > NONCES_KEPT:
                del self._nonces[next(iter(self._nonces))]

    def find(self, arrival: Arrival) -> tuple[Api, Action]:
        """By version and action."""
        if not arrival.action:
            raise missing("Action")
        if not arrival.version:
            raise missing("Version")
        apis = [api for api in self.apis if api.version == arrival.version]
        if not apis:
            raise VendorError("InvalidVersion", "Specified parameter Version is not valid.")
        for api in apis:
            if arrival.action in api.actions:
                return api, api.actions[arrival.action]
        raise VendorError(
            "InvalidAction.NotFound",
            "Specified api is not found, please check your url and method.",
            404,
        )

    def check(self, action: Action, arrival: Arrival) -> Json:
        """The region must be there where the page says so, and every parameter as in its table."""
        if action.region_required and not arrival.region:
            raise missing("RegionId")
        sent = arrival.parameters or {}
        return read_all(
            action.parameters,
            {name: value for name, value in sent.items() if name not in COMMON_PARAMETERS},
        )

    def request_id(self) -> str:
        """A UUID in upper case."""
        return str(uuid.uuid4()).upper()

    def success(self, result: Json, request_id: str) -> HttpAnswer:
        """The result and `RequestId` side by side."""
        return _answer(200, {"RequestId": request_id, **result})

    def failure(self, error: VendorError, request_id: str) -> HttpAnswer:
        """`{"RequestId", "HostId", "Code", "Message", "Recommend"}` with the error's status."""
        body = {
            "RequestId": request_id,
            "HostId": "ecs.aliyuncs.com",
            "Code": error.code,
            "Message": error.message,
            "Recommend": f"https://api.aliyun.com/troubleshoot?q={quote(error.code)}&product=Ecs"
            f"&requestId={request_id}",
        }
        return _answer(error.status, body, error)

    def throttled(self, action: str, retry_after: float | None = None) -> VendorError:
        """One request too many; the newer gateways say when to come again, in milliseconds."""
        if retry_after is None:
            return VendorError(
                "Throttling.User", "Request was denied due to user flow control.", 400
            )
        return VendorError(
            "Throttling.User",
            "Request was denied due to user flow control.",
            429,
            {"x-acs-retry-after": str(round(retry_after * 1000))},
        )

    def internal_error(self) -> VendorError:
        """The vendor's own mistake."""
        return VendorError(
            "InternalError.Dispatch", "An error occurred when dispatch the request.", 500
        )

    def expired(self) -> VendorError:
        """Some products answer this with HTTP 400."""
        return VendorError(
            "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.", 403
        )

    def unauthorized(self, api: Api, action: str) -> VendorError:
        """What RAM answers."""
        return VendorError(
            "Forbidden.RAM",
            "User not authorized to operate on the specified resource, or this API doesn't "
            "support RAM.",
            403,
        )

    def environment(
        self, url: str, secret_id: str, account: Account, region: str
    ) -> dict[str, str]:
        """The variables that the provider reads."""
        variables = {
            "ALICLOUD_ENDPOINT": url,
            "ALICLOUD_ACCESS_KEY": secret_id,
            "ALICLOUD_SECRET_KEY": account.secret_key,
            "ALICLOUD_REGION": region,
        }
        if account.token is not None:
            variables["ALICLOUD_SECURITY_TOKEN"] = account.token
        return variables

    def account_of(self, environment: Mapping[str, str]) -> tuple[str, Account] | None:
        """The key pair that the environment holds, as the provider reads it."""
        secret_id, secret_key, token = (
            environment.get(f"ALICLOUD_{ours}") or environment.get(f"ALIBABA_CLOUD_{theirs}")
            for ours, theirs in (
                ("ACCESS_KEY", "ACCESS_KEY_ID"),
                ("SECRET_KEY", "ACCESS_KEY_SECRET"),
                ("SECURITY_TOKEN", "SECURITY_TOKEN"),
            )
        )
        if not secret_id or not secret_key:
            return None
        return secret_id, Account(secret_key, token or None)

    def region_of(self, environment: Mapping[str, str]) -> str:
        """The region that the environment names, else the default one."""
        ours, theirs = (
            environment.get("ALICLOUD_REGION"),
            environment.get("ALIBABA_CLOUD_REGION_ID"),
        )
        return ours or theirs or self.region

    def loggable_headers(self, request: HttpRequest) -> dict[str, str]:
        """Those of the protocol and a few more; that a token was sent shows, the token does not."""
        return {
            name: "(hidden)" if name == "x-acs-security-token" else value
            for name, value in request.headers.items()
            if name in LOGGED_HEADERS or name.startswith("x-acs-")
        }


def claim_of(request: HttpRequest) -> Claim | None:
    """The signer's claim; `None` where there is no signature, or it is not in its form."""
    query = _query(request)
    if "authorization" not in request.headers and "Signature" in query:
        return _rpc_claim(request, query)
    return _acs3_claim(request)


def _acs3_claim(request: HttpRequest) -> Claim | None:
    headers = request.headers
    credential = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    signed = credential["signed"].split(";") if credential else []
    to_be_signed = SIGNED_ALWAYS | {
        name for name in headers if name.startswith("x-acs-") or name == "content-type"
    }
    if credential is None or not to_be_signed <= set(signed):
        return None
    digest = hashlib.sha256(request.body).hexdigest()
    return Claim(
        credential["secret_id"],
        headers.get("x-acs-security-token"),
        headers.get("x-acs-date", ""),
        headers.get("x-acs-signature-nonce", ""),
        string_to_sign(request, signed),
        credential["signature"] if headers.get("x-acs-content-sha256") == digest else "",
        lambda key, text: hmac.digest(key.encode(), text.encode(), "sha256").hex(),
    )


def _rpc_claim(request: HttpRequest, query: Mapping[str, str]) -> Claim | None:
    if (query.get("SignatureMethod"), query.get("SignatureVersion")) != ("HMAC-SHA1", "1.0"):
        return None
    if not query.get("AccessKeyId") or not query.get("SignatureNonce"):
        return None
    canonical = _canonical_query(
        (name, value) for name, value in query.items() if name != "Signature"
    )
    return Claim(
        query["AccessKeyId"],
        query.get("SecurityToken"),
        query.get("Timestamp", ""),
        query["SignatureNonce"],
        f"{request.method}&%2F&{quote(canonical, safe='~')}",
        query["Signature"],
        lambda key, text: base64.b64encode(
            hmac.digest(f"{key}&".encode(), text.encode(), "sha1")
        ).decode(),
    )


def string_to_sign(request: HttpRequest, signed: list[str]) -> str:
    """What the key signs: the algorithm and the digest of the request in its canonical form."""
    query = _canonical_query(parse_qsl(request.query, keep_blank_values=True))
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed)
    payload = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join((request.method, request.path, query, headers, ";".join(signed), payload))
    return f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def _canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(pairs)
    )


def _query(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(request.query, keep_blank_values=True))


def account_number(account: str) -> str:
    """The number that the vendor knows an account, a user or a role by."""
    return f"1{int(hashlib.sha256(account.encode()).hexdigest(), 16) % 10**15:015}"


def read_query(query: str) -> Json:
    """`Tag.1.Key=a&Tag.1.Value=b` as `{"Tag": [{"Key": "a", "Value": "b"}]}`; values stay text."""
    tree: Json = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        *path, last = name.split(".")
        place = tree
        for part in path:
            below = place.get(part)
            if not isinstance(below, dict):
                below = place[part] = {}
            place = below
        place[last] = value
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(re.fullmatch("[0-9]{1,9}", name) for name in value):
        return [_with_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _with_lists(item) for name, item in value.items()}


def _answer(status: int, body: Json, error: VendorError | None = None) -> HttpAnswer:
    return HttpAnswer(
        status,
        "application/json;charset=utf-8",
        json.dumps(body, ensure_ascii=False).encode(),
        error_code=error.code if error else None,
        headers=error.headers if error else {},
    )


# --- the types of parameters ------------------------------------------------------------------


class Parameter(Protocol):
    """One parameter of an action: whether it must be there, and what it may be."""

    @property
    def required(self) -> bool:
        """Whether a request without it is refused."""

    @property
    def default(self) -> Any:
        """What a request without it means; `None` for nothing."""

    def read(self, name: str, value: Any) -> Any:
        """The value, or a `VendorError`."""


@dataclass(frozen=True)
class Text:
    """String; where `required`, an empty one is as good as none."""

    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    longest: int | None = None

    def read(self, name: str, value: Any) -> str:
        """The string, or a `VendorError`."""
        if not isinstance(value, str):
            raise invalid(name)
        if self.required and not value:
            raise missing(name)
        if self.choices and value not in self.choices:
            raise invalid(name)
        if self.longest is not None and len(value) > self.longest:
            raise invalid(name)
        return value


@dataclass(frozen=True)
class Whole:
    """Integer or Long, in decimal digits; `refusal` is the code of one out of its range."""

    smallest: int | None = None
    largest: int | None = None
    default: int | None = None
    required: bool = False
    refusal: str = "InvalidParameter"

    def read(self, name: str, value: Any) -> int:
        """The integer, or a `VendorError`."""
        # A number as such comes from `Emulator.call`, which has no query.
        if type(value) not in (str, int) or not re.fullmatch("-?[0-9]{1,18}", str(value)):
            raise invalid(name)
        number = int(value)
        if (self.smallest is not None and number < self.smallest) or (
            self.largest is not None and number > self.largest
        ):
            raise invalid(name, self.refusal)
        return number


@dataclass(frozen=True)
class Flag:
    """Boolean; the Python SDK sends `True`, others `true`."""

    default: bool | None = None
    required: bool = False

    def read(self, name: str, value: Any) -> bool:
        """The boolean, or a `VendorError`."""
        if str(value).lower() not in ("true", "false"):
            raise invalid(name)
        return str(value).lower() == "true"


@dataclass(frozen=True)
class Many:
    """Array of something."""

    of: Parameter
    most: int | None = None
    required: bool = False
    too_many: str = "InvalidParameter"
    default: None = None

    def read(self, name: str, value: Any) -> list[Any]:
        """The list, or a `VendorError`."""
        if not isinstance(value, list):
            raise invalid(name)
        if self.required and not value:
            raise missing(name)
        if self.most is not None and len(value) > self.most:
            raise VendorError(
                self.too_many, f"The {name} parameter's number is exceed , Valid : {self.most}"
            )
        return [self.of.read(f"{name}.{index}", item) for index, item in enumerate(value, 1)]


@dataclass(frozen=True)
class Structure:
    """An object with fields of its own, such as Tag."""

    fields: Mapping[str, Parameter]
    required: bool = False
    default: None = None

    def read(self, name: str, value: Any) -> Json:
        """The object with its defaults, or a `VendorError`."""
        if not isinstance(value, dict):
            raise invalid(name)
        return read_all(self.fields, value, f"{name}.")


def read_all(known: Mapping[str, Parameter], sent: Json, prefix: str = "") -> Json:
    """Check everything that was sent; the values with the defaults of those left out."""
    for name in sent:
        if name not in known:
            # The vendor says nothing about these; to pass over one would hide a slip of the pen.
            raise VendorError(
                "UnsupportedParameter", f'The parameter "{prefix}{name}" is unsupported.'
            )
    read: Json = {}
    for name, parameter in known.items():
        if name in sent:
            read[name] = parameter.read(f"{prefix}{name}", sent[name])
        elif parameter.required:
            raise missing(f"{prefix}{name}")
        elif parameter.default is not None:
            read[name] = parameter.default
    return read


def missing(name: str) -> VendorError:
    """A parameter that must be there is not."""
    return VendorError(
        "MissingParameter",
        f'The input parameter "{name}" that is mandatory for processing this request is not '
        "supplied.",
    )


def invalid(name: str, code: str = "InvalidParameter") -> VendorError:
    """A parameter is not what the page says."""
    return VendorError(code, f'The specified parameter "{name}" is not valid.')

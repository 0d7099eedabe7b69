"""How a request reaches Tencent Cloud, and what its answers mean.

Over the SDK's ``CommonClient.call_json``: the vendor signs and sends, and no model classes are
needed. Retries are ours, since the SDK's retryer repeats creates that have succeeded.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pulumi_hybrid
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import (
    Ambiguous,
    Answer,
    Error,
    Misconfigured,
    NotSent,
    Refused,
    Throttled,
    Transient,
)
from pulumi_hybrid.pace import wait_for_turn
from pulumi_hybrid.retry import repeat
from pulumi_hybrid.settings import TENCENTCLOUD, TENCENTCLOUD_DOMAIN, Settings
from pulumi_hybrid.tencentcloud.credentials import credential


@dataclass(frozen=True)
class Product:
    """One of the vendor's APIs.

    Attributes:
        title: its name ("TAT").
        service: its name in hosts and signatures ("tat").
        version: of the API ("2020-10-28").
    """

    title: str
    service: str
    version: str


@dataclass(frozen=True)
class Meaning:
    """What an error code means for the user.

    Attributes:
        reason: why, in the user's words, and after a full stop what to do.
        kind: how the code is acted upon.
    """

    reason: str
    kind: type[Refused] = Refused


_SUPPORT = "If it stays, give the RequestId to the vendor's support."

COMMON_MEANINGS: Mapping[str, Meaning] = {
    "RequestLimitExceeded": Meaning(
        "Tencent Cloud takes no more requests for now, the account is over its rate.", Throttled
    ),
    "InternalError": Meaning(f"Tencent Cloud had an internal fault. {_SUPPORT}", Transient),
    "ResourceUnavailable": Meaning("the resource is unavailable for now. Try later.", Transient),
    "ResourceInUse": Meaning("the resource is in use for now. Try later.", Transient),
    "ResourceBusy": Meaning("the resource is busy for now. Try later.", Transient),
    "AuthFailure": Meaning("Tencent Cloud did not accept the key. Check that it is enabled."),
    "AuthFailure.SignatureExpire": Meaning(
        "this machine's clock is more than five minutes off. Set the clock."
    ),
    "AuthFailure.SignatureFailure": Meaning(
        f"the secret key does not fit the secret id. Check {TENCENTCLOUD.key_secret.key} "
        f"or {TENCENTCLOUD.key_secret.environment[0]}."
    ),
    "AuthFailure.SecretIdNotFound": Meaning(
        f"there is no such secret id on this site. Check {TENCENTCLOUD.key_id.key} or "
        f"{TENCENTCLOUD.key_id.environment[0]}, and {TENCENTCLOUD_DOMAIN.key} where the account "
        "belongs to the international site."
    ),
    "AuthFailure.InvalidSecretId": Meaning(
        f"the secret id is not one of a cloud API key. Check {TENCENTCLOUD.key_id.key}."
    ),
    "AuthFailure.TokenFailure": Meaning(
        "the session token is wrong or has expired. Get new temporary keys and set all three: "
        f"{TENCENTCLOUD.key_id.key}, {TENCENTCLOUD.key_secret.key}, {TENCENTCLOUD.token.key}."
    ),
    "AuthFailure.MFAFailure": Meaning(
        "the account asks for multi-factor authentication. Use keys of a role or sub-user."
    ),
    "AuthFailure.UnauthorizedOperation": Meaning(
        "the key may not do this. Grant the action in CAM; a new grant takes a minute or two."
    ),
    "UnauthorizedOperation": Meaning(
        "the key may not do this. Grant the action in CAM; a new grant takes a minute or two."
    ),
    "UnsupportedRegion": Meaning("the region is not served. Choose another region."),
    "InvalidParameter.UnsupportedRegion": Meaning(
        "the region is not served. Choose another region."
    ),
    "NoSuchVersion": Meaning("this site does not know the API's version. Check the endpoint."),
    "InvalidAction": Meaning("this site does not know the action. Check the endpoint."),
    "ActionOffline": Meaning("the vendor has taken the action off. Update pulumi_hybrid."),
    "UnknownParameter": Meaning(
        "this site does not know an input, maybe because only the other site has it. Remove it."
    ),
    "LimitExceeded": Meaning("a quota of the account is used up. Free some or ask for more."),
    "OperationDenied": Meaning("the resource's state does not allow it."),
    "ResourceNotFound": Meaning("something that the request names does not exist."),
    "ResourceInsufficient": Meaning("the vendor has no more of it. Try later or elsewhere."),
    "MissingParameter": Meaning("the vendor misses an input."),
    "InvalidParameter": Meaning("the vendor does not accept an input."),
    "InvalidParameterValue": Meaning("the vendor does not accept an input's value."),
    "UnsupportedOperation": Meaning("the vendor does not support this."),
    "FailedOperation": Meaning("the vendor could not do it."),
}
"""By code; a code with subcodes also means those of its subcodes that have no line of their own."""

_UNKNOWN_CODE = Meaning("Tencent Cloud refused.")

_SDK_CHECKS = {"ClientError", "ClientParamsError", "ClientSideError", "InvalidCredential"}
"""Codes that the SDK makes up before it sends anything."""


class Api:
    """One product in one region, for the length of one call of the engine.

    Args:
        product: which API.
        region: the region's name; empty for products that take none.
        settings: keys, site and endpoint.
        meanings: the product's own error codes, before the common ones.
        call: the engine's call: shows progress, knows when the engine has gone.
        deadline: how long the whole call may take.

    Raises:
        Misconfigured: the keys or the endpoint cannot be used.
    """

    def __init__(
        self,
        product: Product,
        region: str,
        settings: Settings,
        *,
        meanings: Mapping[str, Meaning],
        call: Call,
        deadline: Deadline,
    ) -> None:
        self._product = product
        self._meanings = {**COMMON_MEANINGS, **meanings}
        self._call = call
        self._deadline = deadline
        self._session = _session(settings)
        self._client = self._session.client(product, region, call.timeout)
        self.region = region

    def call(
        self, action: str, parameters: Mapping[str, Any], *, repeatable: bool = True
    ) -> dict[str, Any]:
        """Call an action, at the vendor's pace, as often as it takes.

        Args:
            action: the API's name for it ("CreateRegisterCode").
            parameters: the request's body, in the API's own names.
            repeatable: whether doing it twice is the same as doing it once. Where it is not, a lost
                answer is not asked for again.

        Returns:
            What is in the answer's ``Response``.

        Raises:
            Refused: the vendor said no.
            NotSent: the vendor could not be reached.
            Ambiguous: the answer was lost.
        """

        def send() -> dict[str, Any]:
            wait_for_turn(self._session.account, f"{self._product.service}:{action}")
            return self._send(action, parameters)

        return repeat(send, call=self._call, deadline=self._deadline, repeatable=repeatable)

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the engine does."""
        self._call.sleep(seconds)

    def _send(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from tencentcloud.common.exception import TencentCloudSDKException

        title = f"{self._product.title} {action}"
        try:
            envelope = self._client.call_json(action, dict(parameters))
        except TencentCloudSDKException as error:
            raise self._failure(title, error) from None
        except Exception as error:  # noqa: BLE001 - whatever the answer's body made of the SDK
            raise _lost(title, type(error).__name__) from None
        return self._response(title, envelope)

    def _response(self, title: str, envelope: object) -> dict[str, Any]:
        """The answer's content; an error in it is one whatever the content type made of it."""
        response = envelope.get("Response") if isinstance(envelope, dict) else None
        if not isinstance(response, dict):
            raise _lost(title, "no Response in the answer")
        error = response.get("Error")
        if error is None:
            return response
        if not isinstance(error, dict) or not response.get("RequestId"):
            raise _lost(title, "an error without a RequestId")
        raise self._refused(
            Answer(
                action=title,
                code=str(error.get("Code") or "no code"),
                message=str(error.get("Message") or ""),
                request_id=str(response["RequestId"]),
            )
        )

    def _failure(self, title: str, error: Any) -> Error:
        """Our error for the SDK's."""
        code, message, request_id = error.get_code(), error.get_message(), error.get_request_id()
        if request_id:
            return self._refused(Answer(title, str(code), str(message or ""), str(request_id)))
        if code in _SDK_CHECKS:
            return Misconfigured(f"the request could not be made: {message}")
        if code == "ServerNetworkError":
            return self._http_failure(title, message)
        for cause in _causes(error):
            proof = _PROOFS_OF_NOTHING_SENT.get(type(cause).__name__)
            if proof:
                return NotSent(
                    f"{TENCENTCLOUD.title} could not be reached ({title}, {proof}). Nothing was "
                    f"sent. Check the network, the proxy and {TENCENTCLOUD.endpoint.key}."
                )
        return _lost(title, "the connection broke" if code == "ClientNetworkError" else str(code))

    def _http_failure(self, title: str, body: object) -> Error:
        """An HTTP status that is not 200: the SDK hands over the body alone."""
        try:
            envelope = json.loads(body) if isinstance(body, (bytes, str)) else None
            self._response(title, envelope)
        except ValueError:
            pass
        except Error as error:
            return error
        return _lost(title, "an HTTP error")

    def _refused(self, answer: Answer) -> Refused:
        code = answer.code
        while code and code not in self._meanings:
            code = code.rpartition(".")[0]
        meaning = self._meanings.get(code, _UNKNOWN_CODE)
        return meaning.kind(meaning.reason, answer)


def _lost(title: str, how: str) -> Ambiguous:
    return Ambiguous(f"the answer of {title} was lost ({how}): it may have been done, or not.")


_PROOFS_OF_NOTHING_SENT = {
    "NewConnectionError": "no connection",
    "NameResolutionError": "its host name is unknown",
    "ConnectTimeoutError": "no connection in time",
    "ConnectTimeout": "no connection in time",
    "ProxyError": "the proxy does not answer",
    "SSLCertVerificationError": "its certificate is not trusted",
    "InvalidURL": "the endpoint is no URL",
}
"""Exceptions of urllib3, requests and ssl, by class name: the SDK is imported late."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """All that an exception wraps: requests puts urllib3's into its arguments, too."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0


class _Session:
    """The keys of one provider process and its connections, one client a product and region.

    A client keeps its connections alive: one a thread, where a new client for each request would
    spend more time on TLS than on the request.
    """

    def __init__(self, settings: Settings) -> None:
        self._endpoint = _endpoint(settings)
        self._domain = settings.get(TENCENTCLOUD_DOMAIN)
        self._credential = credential(settings)
        self._clients: dict[tuple[Product, str, float], Any] = {}
        self._lock = threading.Lock()
        # At DEBUG the SDK logs the Authorization header and the answer's body.
        logging.getLogger("tencentcloud_sdk_common").setLevel(logging.WARNING)

    @property
    def account(self) -> str:
        """The key's id, by which requests are counted."""
        return str(self._credential.secretId)

    def client(self, product: Product, region: str, timeout: float | None) -> Any:
        seconds = min(_ANSWER_SECONDS, timeout or _ANSWER_SECONDS)
        with self._lock:
            key = (product, region, seconds)
            if key not in self._clients:
                self._clients[key] = self._new_client(product, region, seconds)
            return self._clients[key]

    def _new_client(self, product: Product, region: str, seconds: float) -> Any:
        from tencentcloud.common.common_client import CommonClient
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile

        http = HttpProfile(
            protocol=self._endpoint.scheme if self._endpoint else "https",
            endpoint=self._endpoint.netloc if self._endpoint else None,
            rootDomain=self._domain,
            # The SDK passes it on to requests, which takes a pair.
            reqTimeout=(min(_CONNECT_SECONDS, seconds), seconds),
            # The SDK ignores both variables, and with them a company's own certificates.
            certification=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"),
        )
        profile = ClientProfile(
            httpProfile=http,
            language="en-US",
            request_client=f"pulumi_hybrid-{pulumi_hybrid.__version__}",
        )
        return CommonClient(product.service, product.version, self._credential, region, profile)


_new_session = cache(_Session)
_making_session = threading.Lock()


def _session(settings: Settings) -> _Session:
    # Four hooks may ask at once, and the default chain is not to be walked four times.
    with _making_session:
        return _new_session(settings)


def _endpoint(settings: Settings) -> SplitResult | None:
    """The URL in place of the vendor's hosts.

    Raises:
        Misconfigured: it is none, has a path, or would send requests in the clear.
    """
    text = settings.get(TENCENTCLOUD.endpoint)
    if text is None:
        return None
    key = TENCENTCLOUD.endpoint.key
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        url = SplitResult("", "", "", "", "")
        port = None
    if url.scheme not in ("http", "https") or not url.hostname or port == 0 or url.username:
        raise Misconfigured(
            f"{key} must be a URL such as http://127.0.0.1:8080. {TENCENTCLOUD.endpoint.how_to_set}"
        )
    if url.path not in ("", "/") or url.query or url.fragment:
        raise Misconfigured(f"{key} must be a URL without a path: the vendor signs the path /")
    if _is_loopback(url.hostname):
        _bypass_proxies(url.netloc)
    elif url.scheme == "http":
        raise Misconfigured(
            f"{key} is plain http to another machine: codes would travel in the clear. Use https"
        )
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bypass_proxies(netloc: str) -> None:
    """A proxy cannot reach this machine's own loopback. The SDK looks for the host in NO_PROXY."""
    for variable in ("NO_PROXY", "no_proxy"):
        hosts = os.environ.get(variable, "")
        if netloc not in hosts:
            os.environ[variable] = f"{hosts},{netloc}".lstrip(",")

"""How a request reaches Tencent Cloud, and what its answers mean.

Over the SDK's ``CommonClient.call_json``: the vendor signs and sends, and no model classes are
needed. Retries are ours, since the SDK's retryer repeats creates that have succeeded.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi_hybrid
from pulumi_hybrid import connection
from pulumi_hybrid.api import Api, Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Answer, Error, Expired, Misconfigured, Throttled, Transient
from pulumi_hybrid.keys import STS_SECONDS, Keys, Sessions
from pulumi_hybrid.settings import TENCENTCLOUD, TENCENTCLOUD_DOMAIN, Settings
from pulumi_hybrid.tencentcloud import credentials


@dataclass(eq=False, repr=False)
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


_SUPPORT = "If it stays, give the RequestId to the vendor's support."

COMMON_MEANINGS: Mapping[str, Meaning] = {
    "RequestLimitExceeded": Meaning(
        "the account is over its rate of requests. Try again when less is going on in it.",
        Throttled,
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
        f"{TENCENTCLOUD.key_id.key}, {TENCENTCLOUD.key_secret.key}, {TENCENTCLOUD.token.key}.",
        Expired,
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
    "OperationDenied": Meaning(
        "the resource's state, or the account's, does not allow it. See what the vendor says."
    ),
    "ResourceNotFound": Meaning(
        "something that the request names does not exist. Check the inputs that name something."
    ),
    "ResourceInsufficient": Meaning("the vendor has no more of it. Try later or elsewhere."),
    "MissingParameter": Meaning(
        "the vendor says that an input is missing. Give the one that it names."
    ),
    "InvalidParameter": Meaning("the vendor does not accept an input. Check the one it names."),
    "InvalidParameterValue": Meaning(
        "the vendor does not accept an input's value. Check the one it names."
    ),
    "UnsupportedOperation": Meaning("the vendor does not support this. See what it says."),
    "FailedOperation": Meaning("the vendor could not do it. See what it says."),
    "": Meaning("Tencent Cloud refused. See what it says."),
}
"""What every product of the vendor may answer."""

_NO_ANSWER = "what came is no answer of the API's"

_SDK_CHECKS = {"ClientError", "ClientParamsError", "ClientSideError", "InvalidCredential"}
"""Codes that the SDK makes up before it sends anything."""


class TencentcloudApi(Api):
    """One product in one region.

    Args:
        product: which API.
        region: the region's name; empty for products that take none.
        settings: keys, site and endpoint.
        meanings: the product's own error codes, before the common ones.
        call: the engine's call.
        deadline: how long the whole call may take.
        session: what signs and sends; default the one for the settings.

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
        session: Session | None = None,
    ) -> None:
        known = {**COMMON_MEANINGS, **meanings}
        session = session or sessions.of(settings)
        super().__init__(
            product.title, keys=session.keys, meanings=known, call=call, deadline=deadline
        )
        self.region = region
        self._settings = settings
        self._client = session.client(product, region, call.timeout)

    def of(self, product: Product) -> TencentcloudApi:
        """Another product's API in the same region, for the same call."""
        return TencentcloudApi(
            product,
            self.region,
            self._settings,
            meanings={},
            call=self._call,
            deadline=self.deadline,
        )

    def _send(self, title: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from tencentcloud.common.exception import TencentCloudSDKException

        try:
            envelope = self._client.call_json(
                action, dict(parameters), options={"SkipSign": self.keys is None}
            )
        except TencentCloudSDKException as error:
            raise self._failure(title, error) from None
        except Exception as error:  # noqa: BLE001 - whatever the answer's body made of the SDK
            raise connection.failure(
                TENCENTCLOUD, self._settings, title, error, _NO_ANSWER
            ) from None
        return self._response(title, envelope)

    def _response(self, title: str, envelope: object) -> dict[str, Any]:
        """The answer's content; an error in it is one whatever the content type made of it."""
        response = envelope.get("Response") if isinstance(envelope, dict) else None
        if not isinstance(response, dict):
            raise connection.lost(title, "no Response in the answer")
        error = response.get("Error")
        if error is None:
            return response
        if not isinstance(error, dict) or not response.get("RequestId"):
            raise connection.nameless(title, error.get("Code") if isinstance(error, dict) else None)
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
        how = "the connection broke" if code == "ClientNetworkError" else _NO_ANSWER
        return connection.failure(TENCENTCLOUD, self._settings, title, error, how)

    def _http_failure(self, title: str, body: object) -> Error:
        """An HTTP status that is not 200: the SDK hands over the body alone."""
        try:
            envelope = json.loads(body) if isinstance(body, (bytes, str)) else None
            self._response(title, envelope)
        except ValueError:
            pass
        except Error as error:
            return error
        return connection.lost(title, "an HTTP error")


class Session:
    """Keys and connections, one client a product and region.

    A client keeps its connections alive: one a thread, where a new client for each request would
    spend more time on TLS than on the request.

    Args:
        settings: site and endpoint.
        keys: what signs; None for the few actions that are not signed.
    """

    def __init__(self, settings: Settings, keys: Keys | None) -> None:
        self.keys = keys
        self._endpoint = connection.endpoint(TENCENTCLOUD, settings)
        self._domain = connection.domain(settings)
        self._clients: dict[tuple[Product, str, float], Any] = {}
        self._lock = threading.Lock()
        # At DEBUG the SDK logs the Authorization header and the answer's body.
        logging.getLogger("tencentcloud_sdk_common").setLevel(logging.WARNING)

    def client(self, product: Product, region: str, timeout: float | None) -> Any:
        """The SDK's client.

        Args:
            product: which API.
            region: the region's name; empty for products that take none.
            timeout: seconds that an answer may take; None is as long as usual.
        """
        seconds = min(connection.ANSWER_SECONDS, timeout or connection.ANSWER_SECONDS)
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
            reqTimeout=(min(connection.CONNECT_SECONDS, seconds), seconds),
            certification=connection.certificates(),
        )
        profile = ClientProfile(
            httpProfile=http,
            language="en-US",
            request_client=f"pulumi_hybrid-{pulumi_hybrid.__version__}",
        )
        signer = _Credential(self.keys) if self.keys else None
        return CommonClient(product.service, product.version, signer, region, profile)


class _Credential:
    """Our keys as the SDK asks for them, with each request."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def get_credential_info(self) -> tuple[str, str, str | None]:
        key = self._keys.key()
        return key.id, key.secret, key.token


STS = Product(title="STS", service="sts", version="2018-08-13")

_STS_MEANINGS = {
    "ResourceNotFound.RoleNotFound": Meaning(
        f"there is no such role. Check {TENCENTCLOUD.role.arn.key}."
    ),
    "InternalError.GetRoleError": Meaning(
        f"the role cannot be had. Check {TENCENTCLOUD.role.arn.key}."
    ),
    "InternalError.IllegalRole": Meaning(
        f"the role cannot be taken on. Check {TENCENTCLOUD.role.arn.key}, and whom it trusts."
    ),
    "InvalidParameter.OverTimeError": Meaning(
        f"the role does not last so long. Lower {TENCENTCLOUD.role.seconds.key}."
    ),
    "UnauthorizedOperation": Meaning(
        "the key may not take on the role. Grant it sts:AssumeRole in CAM, and let the role trust "
        f"its account; check {TENCENTCLOUD.role.external_id.key} too."
    ),
    "AuthFailure.UnauthorizedOperation": Meaning(
        "the key may not take on the role. Grant it sts:AssumeRole in CAM, and let the role trust "
        f"its account; check {TENCENTCLOUD.role.external_id.key} too."
    ),
}
_STS_REGION = "ap-guangzhou"
"""One service for all regions, but a region must be there."""


def ask_sts(
    settings: Settings,
    keys: Keys | None,
    action: str,
    parameters: Mapping[str, Any],
    holding: str = "Credentials",
) -> Mapping[str, Any]:
    """What the vendor's Security Token Service answers.

    Args:
        settings: site and endpoint.
        keys: what signs the request; None for an action that is not signed.
        action: the API's name for it.
        parameters: what it takes.
        holding: what the answer must hold.
    """
    api = TencentcloudApi(
        STS,
        _STS_REGION,
        settings,
        meanings=_STS_MEANINGS,
        call=Call(),
        deadline=Deadline(STS_SECONDS),
        session=Session(settings, keys),
    )
    return api.call(action, parameters, holding=(holding,))


def _new_session(settings: Settings) -> Session:
    return Session(settings, credentials.keys(settings, partial(ask_sts, settings)))


sessions = Sessions(TENCENTCLOUD, _new_session)

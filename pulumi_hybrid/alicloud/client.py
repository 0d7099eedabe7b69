"""How a request reaches Alibaba Cloud, and what its answers mean.

Over the SDK's ``call_api``: the vendor signs, finds the host of a region and sends. Retries are
ours: the SDK's options for them do nothing.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi_hybrid
from pulumi_hybrid import connection
from pulumi_hybrid.alicloud import credentials
from pulumi_hybrid.api import Api, Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Answer, Error, Expired, Throttled, Transient
from pulumi_hybrid.keys import STS_SECONDS, Keys, Sessions
from pulumi_hybrid.settings import ALICLOUD, Settings

_KEY = f"{ALICLOUD.key_id.key} or {ALICLOUD.key_id.environment[0]}"
_SUPPORT = "If it stays, give the RequestId to the vendor's support."
_GRANT = "the key may not do this. Grant the action in RAM."
_REGION = "Choose another region."

COMMON_MEANINGS: Mapping[str, Meaning] = {
    "Throttling": Meaning(
        "the account is over its rate of requests. Try again when less is going on in it.",
        Throttled,
    ),
    "Rejected.Throttling": Meaning(
        "the account is over its rate of requests. Try again when less is going on in it.",
        Throttled,
    ),
    "ServiceUnavailable": Meaning("the service is unavailable for now. Try later.", Transient),
    "InternalError": Meaning(f"Alibaba Cloud had an internal fault. {_SUPPORT}", Transient),
    "SignatureNonceUsed": Meaning(f"a request arrived twice. {_SUPPORT}", Transient),
    "InvalidAccessKeyId": Meaning(f"there is no such access key. Check {_KEY}."),
    "SignatureDoesNotMatch": Meaning(
        f"the secret key does not fit the access key. Check {ALICLOUD.key_secret.key} or "
        f"{ALICLOUD.key_secret.environment[0]}."
    ),
    "IncompleteSignature": Meaning(
        f"the signature does not fit. Check {ALICLOUD.key_secret.key}, and what is between here "
        "and the vendor."
    ),
    "InvalidSecurityToken": Meaning(
        "the security token is wrong or has expired. Get new temporary keys and set all three: "
        f"{ALICLOUD.key_id.key}, {ALICLOUD.key_secret.key}, {ALICLOUD.token.key}.",
        Expired,
    ),
    "MissingSecurityToken": Meaning(
        f"the key is a temporary one and its token is missing. Set {ALICLOUD.token.key} or "
        f"{ALICLOUD.token.environment[0]}."
    ),
    "InvalidTimeStamp": Meaning("this machine's clock is off. Set the clock."),
    "Forbidden": Meaning(_GRANT),
    "NoPermission": Meaning(_GRANT),
    "IdempotentParameterMismatch": Meaning(f"a request was repeated with other inputs. {_SUPPORT}"),
    "InvalidRegionId": Meaning(f"there is no such region. {_REGION}"),
    "RegionId.ApiNotSupported": Meaning(f"the region has no such service. {_REGION}"),
    "InvalidParameter": Meaning("the vendor does not accept an input. Check the one it names."),
    "MissingParameter": Meaning(
        "the vendor says that an input is missing. Give the one that it names."
    ),
    "": Meaning("Alibaba Cloud refused. See what it says."),
}
"""What every product of the vendor may answer."""


@dataclass(eq=False, repr=False)
class Product:
    """One of the vendor's APIs.

    Attributes:
        title: its name ("ECS").
        version: of the API ("2014-05-26").
        host: the one for all regions; None where the SDK knows each region's, and the region is
            also a parameter of every request.
    """

    title: str
    version: str
    host: str | None = None


ECS = Product(title="ECS", version="2014-05-26")


class AlicloudApi(Api):
    """One product in one region.

    Args:
        region: the region's id; also a parameter of every request.
        settings: keys and endpoint.
        meanings: the product's own error codes, before the common ones.
        call: the engine's call.
        deadline: how long the whole call may take.
        product: which API.
        session: what signs and sends; default the one for the settings.

    Raises:
        Misconfigured: the keys or the endpoint cannot be used.
    """

    def __init__(
        self,
        region: str,
        settings: Settings,
        *,
        meanings: Mapping[str, Meaning],
        call: Call,
        deadline: Deadline,
        product: Product = ECS,
        session: Session | None = None,
    ) -> None:
        known = {**COMMON_MEANINGS, **meanings}
        session = session or sessions.of(settings)
        super().__init__(
            product.title, keys=session.keys, meanings=known, call=call, deadline=deadline
        )
        self.region = region
        self._version = product.version
        self._host = session.host(product, region)
        self._everywhere = {} if product.host else {"RegionId": region}
        self._settings = settings
        self._session = session
        self._client = session.client(product, region)
        self._answer_seconds = min(
            connection.ANSWER_SECONDS, call.timeout or connection.ANSWER_SECONDS
        )

    def _send(self, title: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
        from alibabacloud_tea_openapi.utils import Utils
        from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
        from darabonba.runtime import RuntimeOptions

        params = Params(
            action=action,
            version=self._version,
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK" if self.keys else "Anonymous",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        request = OpenApiRequest(query=Utils.query({**self._everywhere, **parameters}))
        milliseconds = round(self._answer_seconds * 1000)
        runtime = RuntimeOptions(
            connect_timeout=min(round(connection.CONNECT_SECONDS * 1000), milliseconds),
            read_timeout=milliseconds,
        )
        try:
            with self._session.alone_at_first(self._host):
                answer = self._client.call_api(params, request, runtime)
        except AlibabaCloudException as error:
            raise self._failure(title, error) from None
        except Exception as error:  # noqa: BLE001 - whatever the connection or the body made of it
            how = "the connection broke, or the answer was none of the API's"
            raise connection.failure(ALICLOUD, self._settings, title, error, how) from None
        body = answer.get("body")
        if not isinstance(body, dict):
            raise connection.lost(title, "no object in the answer")
        if body.get("Code"):
            raise self._answered(title, body)
        return body

    def _failure(self, title: str, error: Any) -> Error:
        """Our error for the SDK's of an HTTP status from 400 on."""
        refused = self._answered(title, error.data if isinstance(error.data, dict) else {})
        if isinstance(refused, Throttled):
            refused.pause = (getattr(error, "retry_after", None) or 0) / 1000
        return refused

    def _answered(self, title: str, body: dict[str, Any]) -> Error:
        """The error that an answer holds."""
        if not body.get("Code") or not body.get("RequestId"):
            return connection.nameless(title, body.get("Code"))
        return self._refused(
            Answer(
                action=title,
                code=str(body["Code"]),
                message=str(body.get("Message") or ""),
                request_id=str(body["RequestId"]),
            )
        )


class Session:
    """Keys and one client a product and region; the SDK keeps the connections.

    Args:
        settings: the endpoint.
        keys: what signs; None for the few actions that are not signed.
    """

    def __init__(self, settings: Settings, keys: Keys | None) -> None:
        self.keys = keys
        self._endpoint = connection.endpoint(ALICLOUD, settings)
        self._clients: dict[tuple[Product, str], Any] = {}
        self._lock = threading.Lock()
        self._connected: set[object] = set()
        self._connecting: defaultdict[object, threading.Lock] = defaultdict(threading.Lock)

    def client(self, product: Product, region: str) -> Any:
        """The SDK's client."""
        with self._lock:
            key = (product, region)
            if key not in self._clients:
                self._clients[key] = self._new_client(product, region)
            return self._clients[key]

    def host(self, product: Product, region: str) -> object:
        """What stands for the host that is asked: one endpoint serves all."""
        return self._endpoint or (product, region)

    @contextmanager
    def alone_at_first(self, host: object) -> Iterator[None]:
        """Let the first request to a host pass before the others to it.

        The SDK keeps a host's connections in a pool that it makes with the first request, and makes
        several, of which all but one are lost, where several are the first.
        """
        if host not in self._connected:
            with self._lock:
                connecting = self._connecting[host]
            with connecting:
                if host not in self._connected:
                    yield
                    self._connected.add(host)
                    return
        yield

    def _new_client(self, product: Product, region: str) -> Any:
        from alibabacloud_ecs20140526.client import Client
        from alibabacloud_tea_openapi.utils_models import Config

        credentials.silence()
        return Client(
            Config(
                credential=_Credential(self.keys) if self.keys else None,
                region_id=region,
                protocol=self._endpoint.scheme if self._endpoint else "https",
                endpoint=self._endpoint.netloc if self._endpoint else product.host,
                user_agent=f"pulumi_hybrid/{pulumi_hybrid.__version__}",
                ca=connection.certificates(),
            )
        )


class _Credential:
    """Our keys as the SDK asks for them, with each request."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def get_credential(self) -> Any:
        from alibabacloud_credentials.models import CredentialModel

        key = self._keys.key()
        return CredentialModel(
            access_key_id=key.id,
            access_key_secret=key.secret,
            security_token=key.token,
            type="sts" if key.token else "access_key",
            provider_name="static_sts" if key.token else "static_ak",
        )


STS = Product(title="STS", version="2015-04-01", host="sts.aliyuncs.com")

_ROLE = (
    "the key may not take on the role. Grant it sts:AssumeRole in RAM, and let the role trust its "
    f"account; check {ALICLOUD.role.external_id.key} too."
)
_STS_MEANINGS = {
    "EntityNotExist.Role": Meaning(f"there is no such role. Check {ALICLOUD.role.arn.key}."),
    "InvalidParameter.RoleArn": Meaning(f"that is no role's ARN. Check {ALICLOUD.role.arn.key}."),
    "InvalidParameter.DurationSeconds": Meaning(
        f"the role does not last so long. Lower {ALICLOUD.role.seconds.key}."
    ),
    "NoPermission": Meaning(_ROLE),
    "Forbidden": Meaning(_ROLE),
}


def ask_sts(
    settings: Settings,
    keys: Keys | None,
    action: str,
    parameters: Mapping[str, Any],
    holding: str = "Credentials",
) -> Mapping[str, Any]:
    """What the vendor's Security Token Service answers.

    Args:
        settings: the endpoint.
        keys: what signs the request; None for an action that is not signed.
        action: the API's name for it.
        parameters: what it takes.
        holding: what the answer must hold.
    """
    api = AlicloudApi(
        "",
        settings,
        meanings=_STS_MEANINGS,
        call=Call(),
        deadline=Deadline(STS_SECONDS),
        product=STS,
        session=Session(settings, keys),
    )
    return api.call(action, parameters, holding=(holding,))


def _new_session(settings: Settings) -> Session:
    return Session(settings, credentials.keys(settings, partial(ask_sts, settings)))


sessions = Sessions(ALICLOUD, _new_session)

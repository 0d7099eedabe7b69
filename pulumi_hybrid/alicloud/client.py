"""How a request reaches Alibaba Cloud, and what its answers mean.

Over the SDK's ``call_api``: the vendor signs, finds the host of a region and sends. Retries are
ours: the SDK's options for them do nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

import pulumi_hybrid
from pulumi_hybrid import connection
from pulumi_hybrid.api import Api, Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Answer, Error, Misconfigured, Throttled, Transient
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
        f"{ALICLOUD.key_id.key}, {ALICLOUD.key_secret.key}, {ALICLOUD.token.key}."
    ),
    "InvalidTimeStamp": Meaning("this machine's clock is off. Set the clock."),
    "Forbidden": Meaning(_GRANT),
    "NoPermission": Meaning(_GRANT),
    "IdempotentParameterMismatch": Meaning(f"a request was repeated with other inputs. {_SUPPORT}"),
    "InvalidRegionId": Meaning(f"there is no such region. {_REGION}"),
    "RegionId.ApiNotSupported": Meaning(f"the region has no such service. {_REGION}"),
    "InvalidParameter": Meaning("the vendor does not accept an input. Check the one it names."),
    "MissingParameter": Meaning("the vendor misses an input. Give the one that it names."),
    "": Meaning("Alibaba Cloud refused. See what it says."),
}
"""What every product of the vendor may answer."""

ECS_VERSION = "2014-05-26"


class AlicloudApi(Api):
    """ECS in one region.

    Args:
        region: the region's id; also a parameter of every request.
        settings: keys and endpoint.
        meanings: the product's own error codes, before the common ones.
        call: the engine's call.
        deadline: how long the whole call may take.

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
    ) -> None:
        known = {**COMMON_MEANINGS, **meanings}
        super().__init__("ECS", meanings=known, call=call, deadline=deadline)
        session = _session(settings)
        self.account = session.account
        self.region = region
        self._client = session.client(region)
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
            version=ECS_VERSION,
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        request = OpenApiRequest(query=Utils.query({"RegionId": self.region, **parameters}))
        milliseconds = round(self._answer_seconds * 1000)
        runtime = RuntimeOptions(
            connect_timeout=min(round(connection.CONNECT_SECONDS * 1000), milliseconds),
            read_timeout=milliseconds,
        )
        try:
            answer = self._client.call_api(params, request, runtime)
        except AlibabaCloudException as error:
            raise self._failure(title, error) from None
        except Exception as error:  # noqa: BLE001 - whatever the connection or the body made of it
            how = "the connection broke, or the answer was none of the API's"
            raise connection.failure(ALICLOUD, title, error, how) from None
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


class _Session:
    """The keys of one provider process and one client a region; the SDK keeps the connections."""

    def __init__(self, settings: Settings) -> None:
        self._endpoint = connection.endpoint(ALICLOUD, settings)
        self._credential = _credential(settings)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def account(self) -> str:
        """The key's id, by which requests are counted."""
        try:
            return str(self._credential.get_credential().access_key_id)
        except Exception:  # noqa: BLE001 - each link of the chain fails in a way of its own
            raise Misconfigured(
                "the Alibaba Cloud key can be had no more. Look after where it comes from"
            ) from None

    def client(self, region: str) -> Any:
        with self._lock:
            if region not in self._clients:
                self._clients[region] = self._new_client(region)
            return self._clients[region]

    def _new_client(self, region: str) -> Any:
        from alibabacloud_ecs20140526.client import Client
        from alibabacloud_tea_openapi.utils_models import Config

        # With DEBUG=sdk in the environment two of them print the keys and the answers; the third
        # prints what it was answered in place of a key.
        for logger in ("alibabacloud-tea", "darabonba-core", "credentials"):
            logging.getLogger(logger).setLevel(logging.CRITICAL)
        return Client(
            Config(
                credential=self._credential,
                region_id=region,
                protocol=self._endpoint.scheme if self._endpoint else "https",
                endpoint=self._endpoint.netloc if self._endpoint else None,
                user_agent=f"pulumi_hybrid/{pulumi_hybrid.__version__}",
                ca=connection.certificates(),
            )
        )


def _credential(settings: Settings) -> Any:
    """The SDK's credential object: static keys, or what its default chain finds.

    Raises:
        Misconfigured: half a key, or none anywhere.
    """
    from alibabacloud_credentials.client import Client
    from alibabacloud_credentials.models import Config

    key = settings.key(ALICLOUD)
    if key:
        return Client(
            Config(
                type="sts" if key.token else "access_key",
                access_key_id=key.id,
                access_key_secret=key.secret,
                security_token=key.token,
            )
        )
    try:
        credential = Client()
        credential.get_credential()
    except Exception:  # noqa: BLE001 - each link of the chain fails in a way of its own
        raise Misconfigured(
            "no Alibaba Cloud key found. Set alicloud:accessKey and alicloud:secretKey "
            "(`pulumi config set --secret`), or ALICLOUD_ACCESS_KEY and ALICLOUD_SECRET_KEY; "
            "looked there, for OIDC variables, in the profiles of the aliyun CLI and of the SDKs, "
            "for an ECS instance's role and at ALIBABA_CLOUD_CREDENTIALS_URI"
        ) from None
    return credential


_new_session = cache(_Session)
_making_session = threading.Lock()


def _session(settings: Settings) -> _Session:
    # Four hooks may ask at once, and the default chain is not to be walked four times.
    with _making_session:
        return _new_session(settings)

"""What the tests send requests with: the vendors' own SDKs, and plain signers beside them."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from alibabacloud_ecs20140526 import client as ecs_client
from alibabacloud_ecs20140526 import models as ecs_models
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions
from Tea.exceptions import TeaException as TeaException  # type: ignore[import-untyped]
from tencentcloud.common import credential
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from pulumi_hybrid.emulator import Emulator

ONE, TWO, TEMPORARY = "AKIDone", "AKIDtwo", "AKIDtemporary"

Json = dict[str, Any]


class Sdk:
    """The vendor's SDK; `sdk("DescribeRegisterCodes", Limit=1)` gives the content of Response."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        service: str = "tat",
        version: str = "2020-10-28",
        timeout: float = 10,
    ) -> None:
        profile = ClientProfile(
            httpProfile=HttpProfile(
                protocol="http",
                endpoint=environment["TENCENTCLOUD_ENDPOINT"].removeprefix("http://"),
                reqTimeout=timeout,
            ),
            language="en-US",
        )
        keys = credential.Credential(
            environment["TENCENTCLOUD_SECRET_ID"],
            environment["TENCENTCLOUD_SECRET_KEY"],
            environment.get("TENCENTCLOUD_SECURITY_TOKEN"),
        )
        region = environment["TENCENTCLOUD_REGION"]
        self.client = CommonClient(service, version, keys, region, profile)

    def __call__(self, action: str, **parameters: Any) -> Json:
        answer: Json = self.client.call_json(action, parameters)
        return dict(answer["Response"])


def sdk_of(
    emulator: Emulator,
    secret_id: str = ONE,
    *,
    secret_key: str | None = None,
    token: str | None = None,
    region: str = "ap-guangzhou",
    **more: Any,
) -> Sdk:
    """The SDK with one of the emulator's accounts, or with wrong keys."""
    environment = {
        "TENCENTCLOUD_ENDPOINT": emulator.url,
        "TENCENTCLOUD_SECRET_ID": secret_id,
        "TENCENTCLOUD_SECRET_KEY": secret_key or emulator.accounts[secret_id].secret_key,
        "TENCENTCLOUD_REGION": region,
    }
    if token is not None:
        environment["TENCENTCLOUD_SECURITY_TOKEN"] = token
    return Sdk(environment, **more)


@contextlib.contextmanager
def refused(code: str) -> Iterator[None]:
    """The block is refused with just this vendor code, in a proper envelope."""
    with pytest.raises(TencentCloudSDKException) as caught:
        yield
    assert caught.value.code == code
    assert caught.value.requestId


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def response(self) -> Json:
        found: Json = self.json["Response"]
        return found


def http_request(
    emulator: Emulator,
    method: str,
    path: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, answer.read())
    finally:
        connection.close()


def signed_headers(
    emulator: Emulator,
    action: str,
    body: bytes,
    *,
    secret_id: str = ONE,
    secret_key: str = "key-one",
    timestamp: int | None = None,
    service: str = "tat",
    date: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """
    Headers of a request, signed from the vendor's description of TC3-HMAC-SHA256.

    With `x-tc-action` among the signed headers, which the SDK does not sign.
    """
    timestamp = int(time.time()) if timestamp is None else timestamp
    date = date or time.strftime("%Y-%m-%d", time.gmtime(timestamp))
    host = emulator.url.removeprefix("http://")
    canonical = (
        "POST\n/\n\n"
        f"content-type:application/json\nhost:{host}\nx-tc-action:{action.lower()}\n\n"
        f"content-type;host;x-tc-action\n{hashlib.sha256(body).hexdigest()}"
    )
    scope = f"{date}/{service}/tc3_request"
    to_sign = (
        f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    )
    key = ("TC3" + secret_key).encode()
    for part in (*scope.split("/"),):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return {
        "Host": host,
        "Content-Type": "application/json",
        "X-TC-Action": action,
        "X-TC-Version": "2020-10-28",
        "X-TC-Region": "ap-guangzhou",
        "X-TC-Timestamp": str(timestamp),
        "Authorization": (
            f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, "
            f"SignedHeaders=content-type;host;x-tc-action, Signature={signature}"
        ),
        **(extra or {}),
    }


# --- Alibaba Cloud ----------------------------------------------------------------------------


class EcsSdk:
    """The vendor's SDK; `ecs("DescribeActivations", PageSize=1)` gives the body of the answer."""

    def __init__(self, environment: Mapping[str, str], *, timeout: float = 10) -> None:
        self.region = environment["ALICLOUD_REGION"]
        self.client = ecs_client.Client(
            Config(
                access_key_id=environment["ALICLOUD_ACCESS_KEY"],
                access_key_secret=environment["ALICLOUD_SECRET_KEY"],
                security_token=environment.get("ALICLOUD_SECURITY_TOKEN"),
                endpoint=environment["ALICLOUD_ENDPOINT"].removeprefix("http://"),
                protocol="http",
                region_id=self.region,
            )
        )
        self.runtime = RuntimeOptions(read_timeout=round(timeout * 1000))

    def __call__(self, action: str, **parameters: Any) -> Json:
        request = getattr(ecs_models, f"{action}Request")()
        request.from_map({"RegionId": self.region, **parameters})
        method = re.sub("(?<!^)(?=[A-Z])", "_", action).lower()
        answer = getattr(self.client, f"{method}_with_options")(request, self.runtime)
        return dict(answer.body.to_map())


def ecs_of(
    emulator: Emulator,
    secret_id: str = ONE,
    *,
    secret_key: str | None = None,
    token: str | None = None,
    region: str = "cn-hangzhou",
    **more: Any,
) -> EcsSdk:
    """The SDK with one of the emulator's accounts, or with wrong keys."""
    environment = {
        "ALICLOUD_ENDPOINT": emulator.url,
        "ALICLOUD_ACCESS_KEY": secret_id,
        "ALICLOUD_SECRET_KEY": secret_key or emulator.accounts[secret_id].secret_key,
        "ALICLOUD_REGION": region,
    }
    if token is not None:
        environment["ALICLOUD_SECURITY_TOKEN"] = token
    return EcsSdk(environment, **more)


@contextlib.contextmanager
def ecs_refused(code: str, status: int = 400) -> Iterator[None]:
    """The block is refused with just this vendor code and HTTP status, in a proper envelope."""
    with pytest.raises(TeaException) as caught:
        yield
    error: Any = caught.value
    assert (error.code, getattr(error, "status_code", None)) == (code, status)
    assert set(error.data) >= {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert error.data["RequestId"]


def acs_headers(
    emulator: Emulator,
    action: str,
    parameters: Mapping[str, str],
    *,
    method: str = "POST",
    body: bytes = b"",
    secret_id: str = ONE,
    secret_key: str = "key-one",
    date: str | None = None,
    nonce: str | None = None,
    version: str = "2014-05-26",
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Headers of a request, signed from the vendor's description of ACS3-HMAC-SHA256."""
    digest = hashlib.sha256(body).hexdigest()
    headers = {
        "host": emulator.url.removeprefix("http://"),
        "x-acs-action": action,
        "x-acs-content-sha256": digest,
        "x-acs-date": date or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "x-acs-signature-nonce": nonce or uuid.uuid4().hex,
        "x-acs-version": version,
        **(extra or {}),
    }
    signed = ";".join(sorted(headers))
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parameters.items())
    )
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{method}\n/\n{query}\n{lines}\n{signed}\n{digest}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = (
        f"ACS3-HMAC-SHA256 Credential={secret_id},SignedHeaders={signed},Signature={signature}"
    )
    return {**headers, "Authorization": authorization}


def acs_request(
    emulator: Emulator,
    action: str,
    parameters: Mapping[str, str],
    *,
    method: str = "POST",
    body: bytes = b"",
    headers: Mapping[str, str | None] | None = None,
    **signing: Any,
) -> Answer:
    """A signed request without the SDK; `headers` are changed after signing, `None` left out."""
    names = acs_headers(emulator, action, parameters, method=method, body=body, **signing)
    for name, value in (headers or {}).items():
        names.pop(name, None)
        if value is not None:
            names[name] = value
    return http_request(emulator, method, f"/?{urlencode(parameters)}", body, names)

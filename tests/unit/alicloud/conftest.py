"""Alibaba Cloud at the HTTP boundary: what it answers, and what arrived there."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config
from responses.matchers import header_matcher

from pulumi_hybrid.alicloud.client import AlicloudApi
from pulumi_hybrid.alicloud.ecs import ActivationProvider
from pulumi_hybrid.api import Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.settings import Settings

from ..conftest import Hurried
from ..tencentcloud.conftest import (
    connect_timeout,
    proxy_forbids,
    proxy_refused,
    read_timeout,
    refused,
    reset,
    unknown_host,
    untrusted,
)

REGION = "cn-hangzhou"
HOST = "ecs-cn-hangzhou.aliyuncs.com"
SECRET_KEY = "yourAccessKeySecret0EXAMPLE"
TOKEN = "CAES5e1fTokenEXAMPLE"

# The vendor's own example.
ACTIVATION_ID = "4ECEEE12-56F1-4FBC-9AB1-890F1234****"
CODE = "a-hz0ch3SwhOlE1234+Xo32lAZC****"
REQUEST_ID = "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"

CREATE = "CreateActivation"
DESCRIBE = "DescribeActivations"
DISABLE = "DisableActivation"
DELETE = "DeleteActivation"
TAG = "TagResources"
UNTAG = "UntagResources"
JOIN = "JoinResourceGroup"
MACHINES = "DescribeManagedInstances"
DEREGISTER = "DeregisterManagedInstance"


@pytest.fixture(autouse=True)
def _no_key_of_the_vendors_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's SDK has variables beside ours."""
    for name in [name for name in os.environ if name.startswith("ALIBABA_CLOUD_")]:
        monkeypatch.delenv(name)
    for name in ("DEBUG", "debug"):
        monkeypatch.delenv(name, raising=False)


@dataclass(frozen=True)
class Raw:
    """An answer that is not the vendor's usual one."""

    body: str | bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Reply = Mapping[str, Any] | Raw | Exception


def served(**fields: Any) -> dict[str, Any]:
    """An answer to a request that was served."""
    return {"RequestId": REQUEST_ID, **fields}


def refusal(
    code: str, status: int = 400, message: str = "The vendor's words.", **headers: str
) -> Raw:
    """An answer that is an error; a header's name has `_` for `-`."""
    body = {
        "RequestId": REQUEST_ID,
        "HostId": HOST,
        "Code": code,
        "Message": message,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={code}",
    }
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Raw(json.dumps(body), status, headers=named)


CREATED = served(ActivationId=ACTIVATION_ID, ActivationCode=CODE)


def activation(**changes: Any) -> dict[str, Any]:
    """An item of ActivationList, of an activation made without parameters."""
    return {
        "ActivationId": ACTIVATION_ID,
        "InstanceName": "",
        "Description": "",
        "InstanceCount": 10,
        "TimeToLiveInHours": 4,
        "IpAddressRange": "",
        "ResourceGroupId": "",
        "CreationTime": "2021-01-20T06:00:00Z",
        "RegisteredCount": 0,
        "DeregisteredCount": 0,
        "Disabled": False,
        "Tags": [],
        **changes,
    }


def listing(*activations: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of DescribeActivations."""
    return served(
        ActivationList=list(activations), TotalCount=len(activations), PageNumber=1, PageSize=10
    )


def query(request: requests.PreparedRequest) -> dict[str, str]:
    """A request's parameters."""
    pairs = parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


class Vendor:
    """What stands where Alibaba Cloud's hosts are."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock

    def answers(self, action: str, *replies: Reply, url: str = f"https://{HOST}/") -> None:
        """Answer an action with these, one a request; the last one stays."""
        for reply in replies:
            match = [header_matcher({"x-acs-action": action})]
            if isinstance(reply, Exception):
                self.mock.post(url, body=reply, match=match)
            elif isinstance(reply, Raw):
                self.mock.post(
                    url,
                    body=reply.body,
                    status=reply.status,
                    content_type=reply.content_type,
                    headers=dict(reply.headers),
                    match=match,
                )
            else:
                self.mock.post(url, json=reply, match=match)

    def requests(self, action: str) -> list[requests.PreparedRequest]:
        """The requests that arrived for an action."""
        return [
            call.request
            for call in self.mock.calls
            if call.request.headers["x-acs-action"] == action
        ]

    def queries(self, action: str) -> list[dict[str, str]]:
        """Their parameters, but for the region, which all have."""
        queries = [query(request) for request in self.requests(action)]
        for parameters in queries:
            assert parameters.pop("RegionId")
        return queries

    def count(self, action: str) -> int:
        """How many there were."""
        return len(self.requests(action))

    @property
    def actions(self) -> list[str]:
        """All that arrived, in order."""
        return [str(call.request.headers["x-acs-action"]) for call in self.mock.calls]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Vendor(mock)


def new_config(**changes: str) -> dict[str, str]:
    """A stack's configuration, with a key of its own: requests are counted by key."""
    config = {
        "alicloud:accessKey": f"LTAI{uuid.uuid4().hex}",
        "alicloud:secretKey": SECRET_KEY,
        "alicloud:region": REGION,
    }
    return {**config, **{f"alicloud:{name}": value for name, value in changes.items()}}


def new_provider(**changes: str) -> ActivationProvider:
    """A provider as the engine configures it."""
    provider = ActivationProvider()
    provider.configure(ConfigureRequest(Config(new_config(**changes), "unit")))
    return provider


@pytest.fixture
def provider() -> ActivationProvider:
    return new_provider()


def new_api(
    call: Hurried | None = None,
    *,
    region: str = REGION,
    deadline: float = 300,
    meanings: Mapping[str, Meaning] | None = None,
    settings: Settings | None = None,
    **changes: str,
) -> AlicloudApi:
    """ECS as a resource's hook has it, with pauses that take no time."""
    return AlicloudApi(
        region,
        settings or Settings(new_config(**changes), {}),
        meanings=meanings or {},
        call=call or Hurried(),
        deadline=Deadline(deadline),
    )


# Nothing was sent.
UNSENT: dict[str, Callable[[], Reply]] = {
    "refused": refused,
    "unknown_host": unknown_host,
    "connect_timeout": connect_timeout,
    "proxy_refused": proxy_refused,
    "proxy_forbids": proxy_forbids,
    "untrusted": untrusted,
}

TRUNCATED = json.dumps(CREATED)[:-2]
assert CODE in TRUNCATED


def _error(**fields: Any) -> str:
    """An error that is not whole."""
    return json.dumps({"Message": CODE, **fields})


# The vendor may have done the work; most of these hold the code that nobody is to see.
LOST: dict[str, Callable[[], Reply]] = {
    "read_timeout": read_timeout,
    "reset": reset,
    "html_503": lambda: Raw(f"<html>\n<b>Busy</b>\n{CODE}</html>", 503, "text/html"),
    "html_200": lambda: Raw(f"<html>{CODE}</html>", 200, "text/html"),
    "json_502_of_no_error": lambda: Raw(json.dumps(CREATED), 502),
    "xml_500": lambda: Raw(f"<a>{CODE}</a>", 500, "text/xml;charset=utf-8"),
    "broken_xml_500": lambda: Raw(f"<Error><Code>{CODE}", 500, "text/xml;charset=utf-8"),
    "empty_body": lambda: Raw(""),
    "empty_body_500": lambda: Raw("", 500),
    "truncated": lambda: Raw(TRUNCATED),
    "truncated_400": lambda: Raw(TRUNCATED, 400),
    "truncated_throttled": lambda: Raw(TRUNCATED, 429, headers={"x-acs-retry-after": "9000"}),
    "no_utf_8": lambda: Raw(b'{"ActivationCode": "\xff\xfe' + CODE.encode() + b'"}'),
    "list": lambda: Raw(json.dumps([CREATED])),
    "list_500": lambda: Raw(json.dumps([CREATED]), 500),
    "text": lambda: Raw(json.dumps(CODE)),
    "null": lambda: Raw("null"),
    "empty_object_500": lambda: Raw("{}", 500),
    "error_without_request_id": lambda: Raw(_error(Code="InternalError"), 500),
    "error_without_request_id_400": lambda: Raw(_error(Code="InvalidParameter"), 400),
    "error_without_request_id_200": lambda: Raw(_error(Code="InternalError")),
    "error_without_code": lambda: Raw(_error(RequestId=REQUEST_ID), 500),
    "throttling_without_request_id": lambda: Raw(
        _error(Code="Throttling"), 429, headers={"x-acs-retry-after": "9000"}
    ),
}

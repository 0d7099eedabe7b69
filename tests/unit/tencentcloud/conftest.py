"""Tencent Cloud at the HTTP boundary: what it answers, and what arrived there."""

from __future__ import annotations

import json
import socket
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
import responses
import urllib3
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config
from responses.matchers import header_matcher

from pulumi_hybrid.api import Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.settings import Settings
from pulumi_hybrid.tencentcloud import tat
from pulumi_hybrid.tencentcloud.client import TencentcloudApi
from pulumi_hybrid.tencentcloud.tat import TAT, RegisterCodeProvider

from ..conftest import Hurried

HOST = "tat.tencentcloudapi.com"
REGION = "ap-guangzhou"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"

# The vendor's own example.
CODE_ID = "9b5rb72b-418f-4a81-b32e-f8bc80eef678"
CODE_VALUE = "21e9b871e123427dbee18b0cf3e0d766f91d81a9902843b7b046d7b9ffb9d45a"
REQUEST_ID = "3f5bf8de-a51a-4ac0-8d95-ad56702cab1f"

CREATE = "CreateRegisterCode"
DESCRIBE = "DescribeRegisterCodes"
DELETE = "DeleteRegisterCodes"


@dataclass(frozen=True)
class Raw:
    """An answer that is not the vendor's usual one."""

    body: str | bytes
    status: int = 200
    content_type: str = "application/json"


Reply = Mapping[str, Any] | Raw | Exception


def served(**fields: Any) -> dict[str, Any]:
    """An answer to a request that was served."""
    return {"Response": {**fields, "RequestId": REQUEST_ID}}


def refusal(code: str, message: str = "The vendor's words.") -> dict[str, Any]:
    """An answer that is an error; it has the HTTP status 200, too."""
    return served(Error={"Code": code, "Message": message})


CREATED = served(RegisterCodeId=CODE_ID, RegisterCodeValue=CODE_VALUE)


def code_info(**changes: Any) -> dict[str, Any]:
    """A RegisterCodeInfo as DescribeRegisterCodes shows it, of a code made without parameters."""
    return {
        "RegisterCodeId": CODE_ID,
        "Description": "",
        "InstanceNamePrefix": "",
        "RegisterLimit": 10,
        "IpAddressRange": "",
        "Enabled": True,
        "RegisteredCount": 0,
        "CreatedTime": "2024-10-26T08:50:45Z",
        "ExpiredTime": "2024-10-26T12:50:45Z",
        "UpdatedTime": "2024-10-26T08:50:45Z",
        **changes,
    }


def listing(*codes: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of DescribeRegisterCodes."""
    return served(TotalCount=len(codes), RegisterCodeSet=list(codes))


def from_now(**time: float) -> str:
    """A point in time as the vendor writes it."""
    return (datetime.now(timezone.utc) + timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body_matcher(
    where: Callable[[dict[str, Any]], bool],
) -> Callable[[requests.PreparedRequest], tuple[bool, str]]:
    def match(request: requests.PreparedRequest) -> tuple[bool, str]:
        return where(json.loads(str(request.body))), "carries something else"

    return match


class Vendor:
    """What stands where Tencent Cloud's hosts are."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self._mock = mock

    def answers(
        self,
        action: str,
        *replies: Reply,
        url: str = f"https://{HOST}/",
        where: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        """Answer an action with these, one a request; the last one stays.

        Args:
            action: the API's name for it.
            replies: the answers.
            url: the host that is asked.
            where: which of its requests are meant, by what they carry; None for all.
        """
        for reply in replies:
            match = [header_matcher({"X-TC-Action": action})]
            if where:
                match.append(_body_matcher(where))
            if isinstance(reply, Exception):
                self._mock.post(url, body=reply, match=match)
            elif isinstance(reply, Raw):
                self._mock.post(
                    url,
                    body=reply.body,
                    status=reply.status,
                    content_type=reply.content_type,
                    match=match,
                )
            else:
                self._mock.post(url, json=reply, match=match)

    def requests(self, action: str) -> list[requests.PreparedRequest]:
        """The requests that arrived for an action."""
        return [
            call.request
            for call in self._mock.calls
            if call.request.headers["X-TC-Action"] == action
        ]

    def bodies(self, action: str) -> list[dict[str, Any]]:
        """What they carried."""
        return [json.loads(str(request.body)) for request in self.requests(action)]

    def count(self, action: str) -> int:
        """How many there were."""
        return len(self.requests(action))

    @property
    def actions(self) -> list[str]:
        """All that arrived, in order."""
        return [str(call.request.headers["X-TC-Action"]) for call in self._mock.calls]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Vendor(mock)


def new_config(**changes: str) -> dict[str, str]:
    """A stack's configuration, with a key of its own: requests are counted by key."""
    config = {
        "tencentcloud:secretId": f"AKID{uuid.uuid4().hex}",
        "tencentcloud:secretKey": SECRET_KEY,
        "tencentcloud:region": REGION,
    }
    return {**config, **{f"tencentcloud:{name}": value for name, value in changes.items()}}


def new_provider(**changes: str) -> RegisterCodeProvider:
    """A provider as the engine configures it."""
    provider = RegisterCodeProvider()
    provider.configure(ConfigureRequest(Config(new_config(**changes), "unit")))
    return provider


@pytest.fixture
def provider() -> RegisterCodeProvider:
    return new_provider()


def new_api(
    call: Hurried | None = None,
    *,
    region: str = REGION,
    deadline: float = 300,
    meanings: Mapping[str, Meaning] | None = None,
    settings: Settings | None = None,
    **changes: str,
) -> TencentcloudApi:
    """TAT as a resource's hook has it, with pauses that take no time."""
    return TencentcloudApi(
        TAT,
        region,
        settings or Settings(new_config(**changes), {}),
        meanings=meanings or {},
        call=call or Hurried(),
        deadline=Deadline(deadline),
    )


# What goes wrong on the way. Each is built as requests and urllib3 build it.


def _given_up(reason: Exception) -> urllib3.exceptions.MaxRetryError:
    return urllib3.exceptions.MaxRetryError(None, "/", reason)  # type: ignore[arg-type]


def _connection() -> Any:
    return urllib3.connection.HTTPSConnection(HOST)


def _cannot_connect() -> urllib3.exceptions.NewConnectionError:
    return urllib3.exceptions.NewConnectionError(_connection(), "[Errno 111] Connection refused")


def refused() -> Exception:
    return requests.ConnectionError(_given_up(_cannot_connect()))


def unknown_host() -> Exception:
    gone = socket.gaierror(-2, "Name or service not known")
    reason = urllib3.exceptions.NameResolutionError(HOST, _connection(), gone)
    return requests.ConnectionError(_given_up(reason))


def connect_timeout() -> Exception:
    reason = urllib3.exceptions.ConnectTimeoutError(_connection(), "timed out")
    return requests.ConnectTimeout(_given_up(reason))


def proxy_refused() -> Exception:
    reason = urllib3.exceptions.ProxyError("Unable to connect to proxy", _cannot_connect())
    return requests.exceptions.ProxyError(_given_up(reason))


def proxy_forbids() -> Exception:
    reason = urllib3.exceptions.ProxyError(
        "Unable to connect to proxy", OSError("Tunnel connection failed: 403 Forbidden")
    )
    return requests.exceptions.ProxyError(_given_up(reason))


def untrusted() -> Exception:
    failed = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    return requests.exceptions.SSLError(_given_up(urllib3.exceptions.SSLError(failed)))


def read_timeout() -> Exception:
    reason = urllib3.exceptions.ReadTimeoutError(None, "/", "Read timed out.")  # type: ignore[arg-type]
    return requests.ReadTimeout(reason)


def reset() -> Exception:
    broken = ConnectionResetError(104, "Connection reset by peer")
    return requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", broken))


# Nothing was sent.
UNSENT: dict[str, Callable[[], Reply]] = {
    "refused": refused,
    "unknown_host": unknown_host,
    "connect_timeout": connect_timeout,
    "proxy_refused": proxy_refused,
    "proxy_forbids": proxy_forbids,
    "untrusted": untrusted,
}

_TRUNCATED = json.dumps(CREATED)[:-40]
assert CODE_VALUE in json.dumps(CREATED)[:-40]
_WITHOUT_REQUEST_ID = {"Response": {"Error": {"Code": "InternalError", "Message": CODE_VALUE}}}

# The vendor may have done the work; most of these hold the value that nobody is to see.
LOST: dict[str, Callable[[], Reply]] = {
    "read_timeout": read_timeout,
    "reset": reset,
    "html_503": lambda: Raw(f"<html>\n<b>Busy</b>\n{CODE_VALUE}</html>", 503, "text/html"),
    "json_502_of_no_error": lambda: Raw(json.dumps(CREATED), 502),
    "empty_body": lambda: Raw(""),
    "empty_body_500": lambda: Raw("", 500),
    "truncated": lambda: Raw(_TRUNCATED),
    "truncated_charset": lambda: Raw(_TRUNCATED, content_type="application/json; charset=utf-8"),
    "truncated_500": lambda: Raw(_TRUNCATED, 500),
    "no_utf_8": lambda: Raw(b'{"Response": "\xff\xfe' + CODE_VALUE.encode() + b'"}', 500),
    "empty_object": lambda: Raw("{}"),
    "list": lambda: Raw(json.dumps([CREATED])),
    "text": lambda: Raw(json.dumps(CODE_VALUE)),
    "null": lambda: Raw("null", content_type="text/html"),
    "response_of_text": lambda: Raw(json.dumps({"Response": CODE_VALUE}), content_type="a/b"),
    "error_of_text": lambda: Raw(json.dumps(served(Error=CODE_VALUE)), content_type="a/b"),
    "error_without_request_id": lambda: _WITHOUT_REQUEST_ID,
    "error_without_request_id_400": lambda: Raw(json.dumps(_WITHOUT_REQUEST_ID), 400),
    "error_without_request_id_charset": lambda: Raw(
        json.dumps(_WITHOUT_REQUEST_ID), content_type="application/json; charset=utf-8"
    ),
}


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """A provider process that has made nothing yet."""
    tat._delivered.clear()
    yield
    tat._delivered.clear()

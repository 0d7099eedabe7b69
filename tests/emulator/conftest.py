"""One emulator for all tests, reset before each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from pulumi_hybrid.emulator import Account, Emulator

from .vendor_client import (
    ONE,
    TEMPORARY,
    TWO,
    Answer,
    EcsSdk,
    Json,
    Sdk,
    acs_request,
    ecs_of,
    http_request,
    sdk_of,
    signed_headers,
)


@pytest.fixture(scope="session")
def _running() -> Iterator[Emulator]:
    accounts: dict[str, str | Account] = {
        ONE: "key-one",
        TWO: "key-two",
        TEMPORARY: Account("key-temporary", token="token-temporary", name=ONE),
    }
    with Emulator(accounts=accounts, rate_limit=None) as emulator:
        yield emulator


@pytest.fixture
def emulator(_running: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    _running.reset()
    return _running


@pytest.fixture
def sdk(emulator: Emulator) -> Sdk:
    return sdk_of(emulator)


@pytest.fixture
def ecs(emulator: Emulator) -> EcsSdk:
    return ecs_of(emulator)


@pytest.fixture
def acs(emulator: Emulator) -> Callable[..., Answer]:
    """`acs("CreateActivation", InstanceCount="1")`: a signed request without the SDK."""

    def send(
        action: str, *, region: str | None = "cn-hangzhou", how: Json | None = None, **more: str
    ) -> Answer:
        place = {} if region is None else {"RegionId": region}
        parameters = {name.replace("__", "."): value for name, value in more.items()}
        return acs_request(emulator, action, {**place, **parameters}, **(how or {}))

    return send


@pytest.fixture
def control(emulator: Emulator) -> Callable[..., Answer]:
    """`control("POST", "faults", {...})`."""

    def send(method: str, name: str, body: Json | None = None) -> Answer:
        sent = None if body is None else json.dumps(body)
        return http_request(emulator, method, f"/_emulator/{name}", sent)

    return send


@pytest.fixture
def raw(emulator: Emulator) -> Callable[..., Answer]:
    """`raw("CreateRegisterCode", b"{}")`: a signed request without the SDK."""

    def send(
        action: str,
        body: bytes = b"{}",
        *,
        headers: Mapping[str, str | None] | None = None,
        **signing: Any,
    ) -> Answer:
        names = signed_headers(emulator, action, body, **signing)
        for name, value in (headers or {}).items():
            names.pop(name, None)
            if value is not None:
                names[name] = value
        return http_request(emulator, "POST", "/", body, names)

    return send

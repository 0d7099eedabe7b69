"""What every unit test stands on: a clean environment, and the engine's side of a call."""

from __future__ import annotations

import os
import sys
import traceback
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import grpc
import hypothesis
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, status_pb2

from pulumi_hybrid import lifecycle, pace
from pulumi_hybrid.alicloud import client as alicloud_client
from pulumi_hybrid.engine import PROVIDER_KEY, Call, _engine
from pulumi_hybrid.keys import Sessions
from pulumi_hybrid.lifecycle import Lifecycle
from pulumi_hybrid.tencentcloud import client as tencentcloud_client

# No time limit for an example: a busy machine is not a bug. Nothing is kept between runs.
hypothesis.settings.register_profile("unit", deadline=None, database=None, max_examples=60)
hypothesis.settings.register_profile("quick", deadline=None, database=None, max_examples=10)
hypothesis.settings.load_profile("unit")

T = TypeVar("T")

SERIALIZED = "gASVAAAAAAAAAIwY"
"""Stands for the serialized provider, which the engine keeps among a resource's properties."""

DEAD_PROXY = "http://127.0.0.1:1"
"""Nothing listens there: a request that ought not to be made fails at once."""

_NEVER_SET = (
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "TKE_PROVIDER_ID",
    "TKE_REGION",
    "TKE_ROLE_ARN",
    "TKE_WEB_IDENTITY_TOKEN_FILE",
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, endpoint, proxy or profile of the developer's; what a test leaves is taken back."""
    proxies = [spelled for name in _PROXIES for spelled in (name, name.lower())]
    vendors = [name for name in os.environ if name.startswith(("TENCENTCLOUD_", "ALICLOUD_"))]
    for name in (*proxies, *vendors, *_NEVER_SET):
        # Set first, so that what the package sets itself is taken back, too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks the machine's metadata service finds a proxy that refuses."""
    monkeypatch.setenv("http_proxy", DEAD_PROXY)
    monkeypatch.setenv("https_proxy", DEAD_PROXY)
    # The standard library looks at the environment once a process.
    monkeypatch.setattr(urllib.request, "_opener", None)


@pytest.fixture(autouse=True)
def _fresh_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider process that knows no keys yet: what one lacks is remembered, too."""
    for client in (alicloud_client, tencentcloud_client):
        fresh = Sessions[Any](client.sessions._cloud, client._new_session)
        monkeypatch.setattr(client, "sessions", fresh)


@pytest.fixture(autouse=True)
def _fresh_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider process that has seen nothing of its run yet."""
    monkeypatch.setattr(lifecycle, "_run", lifecycle._Run())


@pytest.fixture(autouse=True)
def _no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vendors that take any number of requests a second; tests/unit/test_pace.py has real ones."""
    monkeypatch.setattr(pace, "_paces", {})
    monkeypatch.setattr(pace, "_BETWEEN", 0)
    monkeypatch.setattr(pace, "_SECONDS", 0)


class Clock:
    """The time that goes by for whatever asks how much has passed; it stands still by itself."""

    def __init__(self) -> None:
        self.now = 1000.0

    def passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pulumi_hybrid.clock.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


class Hurried(Call):
    """A call whose pauses take no time; keeps how long they were, and what was said."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.pauses: list[float] = []
        self.said: list[str] = []
        self.warned: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def progress(self, text: str, state: str = "") -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warned.append(text)


class Context(grpc.ServicerContext):
    """The gRPC context of one call of the engine.

    Args:
        active: whether the engine still waits for the answer.
        hurried: whether pauses end at once, as they do when a call has ended.
    """

    def __init__(self, *, active: bool = True, hurried: bool = True) -> None:
        self.active = active
        self.hurried = hurried
        self.callbacks: list[Callable[[], None]] = []
        self.metadata: dict[str, Any] = {}

    def is_active(self) -> bool:
        return self.active

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """As gRPC has it: False, and never called, where the call has ended already."""
        if not self.active:
            return False
        self.callbacks.append(callback)
        if self.hurried:
            callback()
        return True

    def end(self) -> None:
        """The engine goes away."""
        self.active = False
        for callback in self.callbacks:
            callback()

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self.metadata = dict(trailing_metadata)

    @property
    def status(self) -> status_pb2.Status:
        """What the user sees."""
        return status_pb2.Status.FromString(self.metadata["grpc-status-details-bin"])

    @property
    def init_failed(self) -> provider_pb2.ErrorResourceInitFailed:
        """What the engine keeps of a half-made resource."""
        [detail] = self.status.details
        kept = provider_pb2.ErrorResourceInitFailed()
        assert detail.Unpack(kept)
        return kept

    def time_remaining(self) -> float:
        return 0.0

    def cancel(self) -> bool:
        return False

    def invocation_metadata(self) -> Any:
        return ()

    def peer(self) -> str:
        return ""

    def peer_identities(self) -> Any:
        return None

    def peer_identity_key(self) -> Any:
        return None

    def auth_context(self) -> Mapping[str, Any]:
        return {}

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        raise NotImplementedError

    def abort(self, code: Any, details: str) -> Any:
        raise NotImplementedError

    def abort_with_status(self, status: Any) -> Any:
        raise NotImplementedError

    def set_code(self, code: Any) -> None:
        raise NotImplementedError

    def set_details(self, details: str) -> None:
        raise NotImplementedError


def in_frame(request: Any, context: grpc.ServicerContext, hook: Callable[[], T]) -> T:
    """Call a hook as pulumi.dynamic's servicer does: its request and context in the frame above."""
    return hook()


def struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as the engine sends them; None is not sent."""
    sent = struct_pb2.Struct()
    given = {name: value for name, value in properties.items() if value is not None}
    sent.update({**given, PROVIDER_KEY: SERIALIZED})
    return sent


class Engine:
    """Calls a provider's hooks with what the real servicer hands them: every number is a float."""

    def __init__(self, urn: str) -> None:
        self.urn = urn
        self.context = Context()

    def check(
        self, provider: Lifecycle, news: Mapping[str, Any], olds: Mapping[str, Any] | None
    ) -> CheckResult:
        request = provider_pb2.CheckRequest(urn=self.urn, news=struct(news))
        if olds is not None:
            request.olds.CopyFrom(struct(olds))
        before = rpc.deserialize_properties(request.olds, True)
        after = rpc.deserialize_properties(request.news, True)
        return in_frame(request, self.context, lambda: provider.check(before, after))

    def diff(
        self,
        provider: Lifecycle,
        id: str,
        outputs: Mapping[str, Any],
        old_inputs: Mapping[str, Any],
        news: Mapping[str, Any],
    ) -> DiffResult:
        request = provider_pb2.DiffRequest(
            id=id,
            urn=self.urn,
            olds=struct(outputs),
            old_inputs=struct(old_inputs),
            news=struct(news),
        )
        before = rpc.deserialize_properties(request.olds, True)
        after = rpc.deserialize_properties(request.news, True)
        return in_frame(request, self.context, lambda: provider.diff(id, before, after))

    def create(
        self, provider: Lifecycle, inputs: Mapping[str, Any], timeout: float = 0
    ) -> CreateResult:
        request = provider_pb2.CreateRequest(
            urn=self.urn, properties=struct(inputs), timeout=timeout
        )
        props = rpc.deserialize_properties(request.properties)
        return in_frame(request, self.context, lambda: provider.create(props))

    def read(
        self,
        provider: Lifecycle,
        id: str,
        outputs: Mapping[str, Any] | None,
        inputs: Mapping[str, Any],
    ) -> ReadResult:
        """A refresh; or ``get``, where there are no outputs yet."""
        request = provider_pb2.ReadRequest(id=id, urn=self.urn, inputs=struct(inputs))
        if outputs is not None:
            request.properties.CopyFrom(struct(outputs))
        props = rpc.deserialize_properties(
            request.inputs if outputs is None else request.properties
        )
        return in_frame(request, self.context, lambda: provider.read(id, props))

    def update(
        self,
        provider: Lifecycle,
        id: str,
        outputs: Mapping[str, Any],
        news: Mapping[str, Any],
        old_inputs: Mapping[str, Any] | None = None,
        timeout: float = 0,
    ) -> UpdateResult:
        request = provider_pb2.UpdateRequest(
            id=id, urn=self.urn, olds=struct(outputs), news=struct(news), timeout=timeout
        )
        if old_inputs is not None:
            request.old_inputs.CopyFrom(struct(old_inputs))
        before = rpc.deserialize_properties(request.olds)
        after = rpc.deserialize_properties(request.news)
        return in_frame(request, self.context, lambda: provider.update(id, before, after))

    def delete(
        self,
        provider: Lifecycle,
        id: str,
        outputs: Mapping[str, Any],
        old_inputs: Mapping[str, Any] | None = None,
        timeout: float = 0,
    ) -> None:
        request = provider_pb2.DeleteRequest(
            id=id, urn=self.urn, properties=struct(outputs), timeout=timeout
        )
        if old_inputs is not None:
            request.old_inputs.CopyFrom(struct(old_inputs))
        props = rpc.deserialize_properties(request.properties)
        in_frame(request, self.context, lambda: provider.delete(id, props))


_urns = iter(range(1_000_000))


@pytest.fixture
def engine() -> Engine:
    """The engine, at a resource that no other test has."""
    type = "pulumi-python:dynamic/tencentcloud/tat:RegisterCode"
    return Engine(f"urn:pulumi:dev::unit::{type}::code-{next(_urns)}")


class Log(engine_pb2_grpc.EngineServicer):
    """The engine's own service; keeps what is shown on the resources' rows."""

    def __init__(self) -> None:
        self.requests: list[engine_pb2.LogRequest] = []

    def Log(self, request: engine_pb2.LogRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        self.requests.append(request)
        return empty_pb2.Empty()

    @property
    def warned(self) -> list[str]:
        """The warnings, in order."""
        return [one.message for one in self.requests if one.severity == engine_pb2.WARNING]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """What the hooks say, as in a provider process of the engine's."""
    log = Log()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(log, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # So such a process is known: by its __main__ and its first argument.
    monkeypatch.setattr(sys.modules["__main__"], "DynamicResourceProviderServicer", 1, False)
    monkeypatch.setattr(sys, "argv", ["provider", f"127.0.0.1:{port}"])
    _engine.cache_clear()
    yield log
    _engine.cache_clear()
    server.stop(None).wait()


def everything_said(error: BaseException) -> str:
    """All that a log, a debugger's one-liner or a traceback could show of an error and its causes.

    An ``InitFailed``'s own attributes are left out: they go to the engine, which encrypts them.
    """
    said = ["".join(traceback.format_exception(error))]
    waiting: list[BaseException | None] = [error]
    seen: list[BaseException] = []
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        said += [str(one), repr(one), repr(one.args)]
        if one is not error:
            said.append(repr(vars(one)))
        waiting += [one.__cause__, one.__context__]
    return "\n".join(said)


def assert_one_line(text: str) -> None:
    """It stands alone in a terminal, and is no traceback."""
    assert text.splitlines() == [text]
    assert text == text.strip()
    assert "Traceback" not in text
    assert 'File "' not in text

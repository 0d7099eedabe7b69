"""What the engine can do for a dynamic provider beyond pulumi.dynamic's six methods.

This is the only place that knows how the engine reaches a hook (check, diff, create, read, update,
delete). ``pulumi.dynamic`` hands a hook its properties and turns every exception into a traceback.
The gRPC request and its context are in the frames above the hook, though, and with public gRPC
calls on them a hook can do what a compiled provider can: fail with one clean line, keep a half-made
resource in state, know its URN and time limit, and write to the resource's own row.

Where the frames are not there (another pulumi version, a test that calls the hook itself), each of
these falls back to the plain behaviour of ``pulumi.dynamic``.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import grpc
from google.protobuf import any_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, status_pb2

from pulumi_hybrid.errors import Error, InitFailed

PROVIDER_KEY = "__provider"
"""The property in which pulumi.dynamic keeps the serialized provider."""

_P = ParamSpec("_P")
_R = TypeVar("_R")

_SECONDS_BETWEEN_TEXTS = 10

# The servicer's frame is a handful of calls above a hook; a search without an end could be slow.
_FRAMES_TO_SEARCH = 30


def secret(value: Any) -> dict[str, Any]:
    """The value as the engine marks a secret: encrypted in state, masked in the terminal."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def is_unknown(value: Any) -> bool:
    """Whether the value, or a part of it, is not known before the update (another's output)."""
    return rpc.contains_unknowns(value)


@dataclass(eq=False, repr=False)
class Call:
    """One call of the engine into a hook.

    Attributes:
        urn: the resource's URN; empty where the engine cannot be asked.
        timeout: seconds that the user's ``custom_timeouts`` allow; None where the user set none.
        old_inputs: the inputs of the last successful run, as the program gave them; None where the
            engine does not say or there was none.
        replaces: in a create, whether it takes the place of a resource that was there before this
            run; in a delete, whether another one takes its place in this run.
        replaced: in such a create, the other one's outputs, as far as they are known.
        undoes: whether it removes what it made itself, since nobody can hold it.
    """

    urn: str = ""
    timeout: float | None = None
    old_inputs: dict[str, Any] | None = None
    replaces: bool = False
    replaced: dict[str, Any] = field(default_factory=dict)
    undoes: bool = False
    _request: Any = None
    _context: grpc.ServicerContext | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _shown: tuple[str, float] = ("", 0.0)

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return name_of(self.urn)

    @property
    def abandoned(self) -> bool:
        """Whether the engine has gone, so that nothing returned will reach it."""
        return self._context is not None and not self._context.is_active()

    def sleep(self, seconds: float) -> None:
        """Wait; but no longer than the engine does, unless what is done is not for it."""
        if self.undoes:
            time.sleep(seconds)
        else:
            self._ended.wait(seconds)

    def progress(self, text: str, state: str = "") -> None:
        """Show the text on the resource's row until the next one replaces it.

        Args:
            text: what goes on.
            state: what is waited in; while it stays the same, a text is shown every ten seconds,
                so that a log does not fill with them. Empty: shown in any case.
        """
        shown, when = self._shown
        if state and state == shown and time.monotonic() - when < _SECONDS_BETWEEN_TEXTS:
            return
        self._shown = (state, time.monotonic())
        self._log(engine_pb2.INFO, text, ephemeral=True)

    def warn(self, text: str) -> None:
        """Show the text as a warning that stays in the run's diagnostics."""
        self._log(engine_pb2.WARNING, text, ephemeral=False)

    def _log(self, severity: Any, text: str, *, ephemeral: bool) -> None:
        engine = _engine()
        if engine is None or not self.urn:
            return
        try:
            engine.Log(
                engine_pb2.LogRequest(
                    severity=severity, message=text, urn=self.urn, ephemeral=ephemeral
                )
            )
        except grpc.RpcError:
            # The engine has gone; what is being done for it goes on.
            return

    def _fail(self, error: Error) -> None:
        """Make the error's line the whole of what the user sees."""
        if self._context is None:
            return
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
        if isinstance(error, InitFailed):
            detail = any_pb2.Any()
            detail.Pack(self._init_failed(error))
            status.details.append(detail)
        self._context.set_trailing_metadata(
            (("grpc-status-details-bin", status.SerializeToString()),)
        )

    def _init_failed(self, error: InitFailed) -> provider_pb2.ErrorResourceInitFailed:
        sent = self._request.news if hasattr(self._request, "news") else self._request.properties
        # Without its provider the engine could not reach the resource again.
        outputs = error.outputs | {PROVIDER_KEY: sent.fields[PROVIDER_KEY].string_value}
        return provider_pb2.ErrorResourceInitFailed(
            id=error.id, properties=_struct(outputs), inputs=sent, reasons=[str(error)]
        )


def name_of(urn: str) -> str:
    """A resource's name in the program, the last part of its URN."""
    return urn.rpartition("::")[2]


def hook(doing: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Make every failure of a provider's method one line.

    Args:
        doing: what the method does ("create"), for the line's beginning ("cannot create
            RegisterCode"); the kind is the provider's, and an id that comes first is named too.

    Raises:
        Error: whatever went wrong, without the chain of causes: an SDK's exception may hold the
            answer's body, and with it a code that is shown only once.
    """

    def wrap(method: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(method)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            try:
                return method(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the last wall before the user's terminal
                failure = as_error(error)
            # Out of the except block, so that the error has no context.
            provider, first = args[:2]
            id = f" {first}" if isinstance(first, str) else ""
            failure.operation = f"cannot {doing} {getattr(provider, 'kind', 'resource')}{id}"
            failure.__cause__ = failure.__context__ = None
            call()._fail(failure)
            raise failure

        return run

    return wrap


def as_error(error: Exception) -> Error:
    """The exception where it is one of ours, else the line that reports a bug."""
    if isinstance(error, Error):
        return error
    return Error(
        f"unexpected {type(error).__name__} {_place(error)}. This is a bug of pulumi_hybrid: "
        "please report it with this line."
    )


def _place(bug: BaseException) -> str:
    """Where it happened. Not what it says: that may hold what nobody is to see."""
    trace = bug.__traceback__
    place = "somewhere"
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.startswith("pulumi_hybrid"):
            place = f"at {module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def call() -> Call:
    """The engine's call that the current hook answers."""
    frame = sys._getframe()
    for _ in range(_FRAMES_TO_SEARCH):
        if frame.f_back is None:
            break
        frame = frame.f_back
        context = frame.f_locals.get("context")
        request = frame.f_locals.get("request")
        if isinstance(context, grpc.ServicerContext) and request is not None:
            return _call_of(request, context)
    return Call()


def _call_of(request: Any, context: grpc.ServicerContext) -> Call:
    found = Call(
        urn=request.urn,
        timeout=getattr(request, "timeout", 0) or None,
        old_inputs=_properties(getattr(request, "old_inputs", None))
        or _properties(getattr(request, "inputs", None)),
        _request=request,
        _context=context,
    )
    if not context.add_callback(found._ended.set):
        found._ended.set()
    return found


def _properties(struct: struct_pb2.Struct | None) -> dict[str, Any] | None:
    if struct is None or not struct.fields:
        return None
    properties: dict[str, Any] = rpc.deserialize_properties(struct, True)
    return properties


def _struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(rpc.serialize_properties(dict(properties), {}))
    finally:
        loop.close()


@cache
def _engine() -> engine_pb2_grpc.EngineStub | None:
    """The engine's own service, at the address that it gave this process; None elsewhere."""
    provider_process = sys.modules.get("__main__")
    if getattr(provider_process, "DynamicResourceProviderServicer", None) is None:
        return None
    if len(sys.argv) < 2:
        return None
    # A proxy in the environment is for the vendors, not for the engine on this machine.
    channel = grpc.insecure_channel(sys.argv[1], options=[("grpc.enable_http_proxy", 0)])
    return engine_pb2_grpc.EngineStub(channel)

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2

from pulumi_hybrid import engine
from pulumi_hybrid.engine import PROVIDER_KEY, Call
from pulumi_hybrid.errors import Error, InitFailed, Refused

from .conftest import SERIALIZED, Context, assert_one_line, everything_said, in_frame, struct

URN = "urn:pulumi:dev::unit::pulumi-python:dynamic/tencentcloud/tat:RegisterCode::code"
SECRET = "5e1f-secret"


def _create_request(**fields: Any) -> provider_pb2.CreateRequest:
    return provider_pb2.CreateRequest(urn=URN, properties=struct({"description": "d"}), **fields)


class _Probe:
    """A provider whose create does what a test says."""

    kind = "RegisterCode"

    @engine.hook("create")
    def create(self, body: Callable[[], Any]) -> Any:
        return body()


def _hooked() -> Call:
    call: Call = _Probe().create(engine.call)
    return call


def _failing(error: Exception) -> None:
    def fail() -> None:
        raise error

    _Probe().create(fail)


# What a hook knows


def test_call_knows_urn_name_and_time_limit() -> None:
    call = in_frame(_create_request(timeout=90), Context(), _hooked)
    assert call.urn == URN
    assert call.name == "code"
    assert call.timeout == 90


def test_call_without_time_limit_has_none() -> None:
    assert in_frame(_create_request(), Context(), _hooked).timeout is None


def test_call_is_found_through_other_frames() -> None:
    def deeper(depth: int) -> Call:
        return deeper(depth - 1) if depth else _hooked()

    assert in_frame(_create_request(), Context(), lambda: deeper(10)).urn == URN


def test_call_is_not_taken_from_a_frame_that_merely_uses_the_words() -> None:
    def handler(request: str, context: str) -> Call:
        return _hooked()

    assert handler("request", "context").urn == ""


def test_call_of_no_engine_falls_back_to_nothing() -> None:
    call = _hooked()
    assert (call.urn, call.name, call.timeout, call.old_inputs) == ("", "", None, None)
    assert not call.abandoned
    call.progress("nobody listens")
    call.warn("nobody listens")


def test_old_inputs_of_a_diff_are_the_last_runs() -> None:
    request = provider_pb2.DiffRequest(
        urn=URN,
        olds=struct({"register_limit": 20}),
        old_inputs=struct({"register_limit": 10}),
        news=struct({}),
    )
    call = in_frame(request, Context(), _hooked)
    assert call.old_inputs is not None
    assert call.old_inputs["register_limit"] == 10


def test_old_inputs_of_a_read_are_its_inputs() -> None:
    request = provider_pb2.ReadRequest(urn=URN, inputs=struct({"register_limit": 10}))
    call = in_frame(request, Context(), _hooked)
    assert call.old_inputs is not None
    assert call.old_inputs["register_limit"] == 10


def test_old_inputs_keep_what_is_unknown() -> None:
    request = provider_pb2.DiffRequest(urn=URN, old_inputs=struct({"description": rpc.UNKNOWN}))
    call = in_frame(request, Context(), _hooked)
    assert call.old_inputs is not None
    assert engine.is_unknown(call.old_inputs["description"])


def test_old_inputs_that_the_engine_does_not_say_are_none() -> None:
    request = provider_pb2.DiffRequest(urn=URN, news=struct({}))
    assert in_frame(request, Context(), _hooked).old_inputs is None


def test_is_unknown_finds_what_lies_within() -> None:
    unknown = Unknown()  # type: ignore[no-untyped-call]
    assert engine.is_unknown(unknown)
    assert engine.is_unknown({"a": ["b", unknown]})
    assert not engine.is_unknown({"a": ["b", None, 1.0, ""]})


# How a hook fails


def test_failure_is_the_one_line_and_the_whole_of_what_the_user_sees() -> None:
    context = Context()
    with pytest.raises(Error) as caught:
        in_frame(_create_request(), context, lambda: _failing(Error("the disk is full. Free it")))
    assert str(caught.value) == "cannot create RegisterCode: the disk is full. Free it"
    assert context.status.message == str(caught.value)
    assert context.status.code == grpc.StatusCode.UNKNOWN.value[0]
    assert list(context.status.details) == []


def test_failure_without_engine_is_the_plain_exception() -> None:
    with pytest.raises(Error) as caught:
        _failing(Error("the disk is full"))
    assert str(caught.value) == "cannot create RegisterCode: the disk is full"


def test_success_leaves_no_status() -> None:
    context = Context()
    in_frame(_create_request(), context, _hooked)
    assert context.metadata == {}


def test_failure_drops_the_chain_of_causes_which_may_hold_the_answer() -> None:
    def lose() -> None:
        def body() -> None:
            try:
                raise ValueError(SECRET)
            except ValueError as cause:
                raise Error("the answer was lost") from cause

        _Probe().create(body)

    with pytest.raises(Error) as caught:
        in_frame(_create_request(), Context(), lose)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert SECRET not in everything_said(caught.value)


def test_bug_is_one_line_that_asks_for_a_report_and_says_where() -> None:
    context = Context()

    def crash() -> None:
        def body() -> None:
            engine.secret(1, 2)  # type: ignore[call-arg]

        _Probe().create(body)

    with pytest.raises(Error) as caught:
        in_frame(_create_request(), context, crash)
    assert_one_line(str(caught.value))
    assert "unexpected TypeError" in str(caught.value)
    assert "please report" in str(caught.value)
    assert context.status.message == str(caught.value)


def test_bug_inside_the_package_says_the_line() -> None:
    def crash() -> None:
        def body() -> None:
            engine._struct({"a": object()})

        _Probe().create(body)

    with pytest.raises(Error, match=r"at pulumi_hybrid\.engine:\d+"):
        in_frame(_create_request(), Context(), crash)


def test_bug_does_not_show_what_it_says_nor_keep_what_it_was() -> None:
    with pytest.raises(Error) as caught:
        in_frame(_create_request(), Context(), lambda: _failing(ValueError(SECRET)))
    assert SECRET not in str(caught.value)
    assert SECRET not in everything_said(caught.value)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_what_stops_the_process_is_not_held_up(stop: type[BaseException]) -> None:
    def interrupted() -> None:
        def body() -> None:
            raise stop

        _Probe().create(body)

    with pytest.raises(stop):
        in_frame(_create_request(), Context(), interrupted)


# What the engine keeps of a half-made resource


def _half_made() -> None:
    raise_from = {"description": "d", "register_code_value": engine.secret(SECRET)}
    _failing(InitFailed("not finished. Run it again.", "id-1", raise_from))


def test_half_made_resource_is_kept_with_its_provider_and_its_secret_as_one() -> None:
    context = Context()
    with pytest.raises(InitFailed) as caught:
        in_frame(_create_request(), context, _half_made)
    kept = context.init_failed
    assert kept.id == "id-1"
    assert list(kept.reasons) == [str(caught.value)] == [context.status.message]
    assert kept.inputs == struct({"description": "d"})
    properties = rpc.deserialize_properties(kept.properties)
    assert properties["description"] == "d"
    assert properties[PROVIDER_KEY] == SERIALIZED
    assert rpc.is_rpc_secret(properties["register_code_value"])
    assert rpc.unwrap_rpc_secret(properties["register_code_value"]) == SECRET
    assert SECRET not in context.status.message


def test_resource_that_an_update_cannot_finish_is_kept_with_its_new_inputs() -> None:
    context = Context()
    request = provider_pb2.UpdateRequest(urn=URN, olds=struct({}), news=struct({"a": "new"}))
    with pytest.raises(InitFailed):
        in_frame(request, context, _half_made)
    assert context.init_failed.inputs == struct({"a": "new"})
    kept = rpc.deserialize_properties(context.init_failed.properties)
    assert kept[PROVIDER_KEY] == SERIALIZED


def test_refused_says_code_and_request_id_to_the_engine() -> None:
    from pulumi_hybrid.errors import Answer

    context = Context()
    refused = Refused("why. What to do.", Answer("TAT X", "Code", "Words.", "req-1"))
    with pytest.raises(Refused):
        in_frame(_create_request(), context, lambda: _failing(refused))
    assert context.status.message == (
        "cannot create RegisterCode: why. What to do. [TAT X: Code, “Words”, RequestId req-1]"
    )


# How long a hook waits


def test_sleep_ends_when_the_engine_goes() -> None:
    context = Context(hurried=False)
    call = in_frame(_create_request(), context, _hooked)
    assert not call.abandoned
    timer = threading.Timer(0.05, context.end)
    timer.start()
    start = time.monotonic()
    call.sleep(30)
    assert time.monotonic() - start < 10
    assert call.abandoned
    timer.join()


def test_sleep_lasts_while_the_engine_waits() -> None:
    call = in_frame(_create_request(), Context(hurried=False), _hooked)
    start = time.monotonic()
    call.sleep(0.05)
    assert time.monotonic() - start >= 0.045


def test_sleep_is_none_for_an_engine_that_had_gone_before_the_hook_began() -> None:
    """GRPC says False to a callback that it will not call any more."""
    call = in_frame(_create_request(), Context(active=False), _hooked)
    assert call.abandoned
    start = time.monotonic()
    call.sleep(1)
    assert time.monotonic() - start < 0.5


# What shows on the resource's row


class _Log(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.requests: list[engine_pb2.LogRequest] = []

    def Log(self, request: engine_pb2.LogRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        self.requests.append(request)
        return empty_pb2.Empty()


# The provider process is a process of its own, known by its __main__ and its first argument.
_PROVIDER_PROCESS = """
class DynamicResourceProviderServicer: ...

from pulumi_hybrid.engine import Call

call = Call(urn="urn:pulumi:dev::unit::type::code")
call.progress("one moment")
call.warn("the value is absent")
Call().warn("of no resource")
print("went on")
"""


def _provider_process(address: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", _PROVIDER_PROCESS, address],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_progress_and_warnings_reach_the_engine_on_the_resources_row() -> None:
    log = _Log()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(log, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        assert _provider_process(f"127.0.0.1:{port}") == "went on\n"
    finally:
        server.stop(None).wait()
    progress, warning = log.requests
    assert (progress.message, progress.severity, progress.ephemeral) == (
        "one moment",
        engine_pb2.INFO,
        True,
    )
    assert (warning.message, warning.severity, warning.ephemeral) == (
        "the value is absent",
        engine_pb2.WARNING,
        False,
    )
    assert progress.urn == warning.urn == "urn:pulumi:dev::unit::type::code"


def test_an_engine_that_has_gone_does_not_stop_the_work() -> None:
    assert _provider_process("127.0.0.1:1") == "went on\n"

"""The failures that tests order: what kinds there are and what each does to a request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from .api import Action, Arrival, ControlError, Ending, HttpAnswer, Json, Vendor, VendorError

KINDS = {
    # instead of the work
    "error": "any vendor error: `code`, `message`, and for Alibaba Cloud the HTTP `status` (400)",
    "throttle": "the vendor's rate limit error",
    "throttle_retry_after": "the same, and for Alibaba Cloud as HTTP 429 that says when to come "
    "again: after `seconds` (1.5)",
    "code_in_200": "the error `code`, `message` (InternalError where left out), as HTTP 200",
    "internal_error": "InternalError, nothing done",
    "http_503": "HTTP 503 from a gateway, nothing done",
    "http_502_html": "HTTP 502 with an HTML page, nothing done",
    "reset_before": "the connection is reset, nothing done",
    # the work is done, the answer is not what it should be
    "internal_error_after": "InternalError, but the work is done",
    "drop_after": "the work is done, the connection closed without an answer",
    "delay": "the work is done at once, the answer comes after `seconds`",
    "truncate": "the work is done, the second half of the answer is missing",
    "empty": "the work is done, HTTP 200 with an empty body",
    "charset": "content type `application/json; charset=utf-8`; with `code`: on that error, "
    "nothing done",
    "no_id": "the work is done, the answer lacks the ids",
    "no_secret": "the work is done, the answer lacks the once-only values",
    "null_lists": "every list in the answer is null",
    "extra_fields": "the answer has fields that no documentation knows",
    "strings": "every number and every boolean in the answer is text",
    # the work itself goes on in another way
    "stuck": "what is made never reaches its next state",
    "ends_in": "what is begun ends in the state `status` (of those that the action can end in), "
    "with `message` as the reason where the API gives one",
    "gone_for": "on a create action: what is made is not described for `calls` calls; "
    "on a describe action: it answers with empty lists",
}


DESCRIBES = ("Describe", "List")  # how the names of actions begin that only read


@dataclass(frozen=True)
class Fault:
    """One order to fail.

    `action`: an action's name, or `*` for every one; `count`: how often, -1 for ever; `after`: how
    many matching requests pass first; `service`, `version`, `region`, `parameters` narrow it down
    (every parameter named must have the value given).
    """

    action: str
    kind: str
    count: int = 1
    after: int = 0
    service: str | None = None
    version: str | None = None
    region: str | None = None
    parameters: Json = field(default_factory=dict)
    code: str | None = None
    message: str | None = None
    status: str | int | None = None
    seconds: float | None = None
    calls: int | None = None

    def matches(self, arrival: Arrival) -> bool:
        """Whether the order is about this request."""
        sent = arrival.parameters or {}
        return (
            self.action in ("*", arrival.action)
            and self.service in (None, arrival.service)
            and self.version in (None, arrival.version)
            and self.region in (None, arrival.region)
            and all(sent.get(name) == value for name, value in self.parameters.items())
        )


def read_fault(body: Json, actions: Mapping[str, Collection[str]]) -> Fault:
    """The order in a control request's body; `actions` are all there are, with their endings.

    A slip of the pen must not become a test that never fails, so everything is checked.
    """
    unknown = set(body) - {known.name for known in fields(Fault)}
    if unknown:
        raise ControlError(f"unknown fault fields: {', '.join(sorted(unknown))}")
    kind, action = body.get("kind"), body.get("action")
    if kind not in KINDS:
        raise ControlError(f"kind {kind!r} is none of {', '.join(KINDS)}")
    if action != "*" and action not in actions:
        raise ControlError(
            f"action {action!r} is neither * nor one of {', '.join(sorted(actions))}"
        )
    for name, wanted in (("count", int), ("after", int), ("calls", int), ("parameters", dict)):
        if name in body and type(body[name]) is not wanted:
            raise ControlError(f"{name}: {wanted.__name__} wanted")
    for name in ("service", "version", "region", "code", "message"):
        if not isinstance(body.get(name), (str, type(None))):
            raise ControlError(f"{name}: str wanted")
    if type(body.get("seconds")) not in (int, float, type(None)):
        raise ControlError("seconds: a number wanted")
    count = body.get("count", 1)
    if count == 0 or count < -1:
        raise ControlError("count: 1 or more, or -1 for ever")
    if body.get("after", 0) < 0:
        raise ControlError("after: 0 or more")
    if kind == "error" and not body.get("code"):
        raise ControlError("a fault of kind error needs a code")
    if kind == "delay" and not (body.get("seconds") or 0) > 0:
        raise ControlError("a fault of kind delay needs seconds")
    if kind == "ends_in" and body.get("status") not in actions.get(str(action), ()):
        endings = ", ".join(sorted(actions.get(str(action), ()))) or "nothing"
        raise ControlError(f"a fault of kind ends_in needs a status: {action} ends in {endings}")
    if kind != "ends_in" and body.get("status") is not None:
        status = body["status"]
        if kind not in ("error", "charset") or type(status) is not int or not 400 <= status <= 599:
            raise ControlError("status: from 400 to 599, with a fault of kind error")
    describes = str(action).startswith(DESCRIBES)
    if kind == "gone_for" and not describes and not (body.get("calls") or 0) > 0:
        raise ControlError("a fault of kind gone_for needs calls, unless on a describe action")
    return Fault(**body)


class Faults:
    """The orders that are still open, oldest first; a request uses up one at most."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put an order at the end."""
        with self._lock:
            self._orders.append(fault)

    def clear(self) -> None:
        """Forget every order."""
        with self._lock:
            self._orders.clear()

    def left(self) -> list[Json]:
        """The open orders, without the fields that were not given."""
        with self._lock:
            return [
                {name: value for name, value in asdict(fault).items() if value not in (None, {})}
                for fault in self._orders
            ]

    def take(self, arrival: Arrival) -> Fault | None:
        """The order that this request meets, counted."""
        with self._lock:
            for index, fault in enumerate(self._orders):
                if not fault.matches(arrival):
                    continue
                if fault.after > 0:
                    self._orders[index] = replace(fault, after=fault.after - 1)
                    continue
                if fault.count == 1:
                    del self._orders[index]
                elif fault.count > 1:
                    self._orders[index] = replace(fault, count=fault.count - 1)
                return fault
        return None


def instead_of_work(
    fault: Fault, vendor: Vendor, action: str, request_id: str
) -> HttpAnswer | None:
    """The answer of a fault that keeps the work from being done; `None` for all others."""
    if fault.kind == "throttle":
        return vendor.failure(vendor.throttled(action), request_id)
    if fault.kind == "throttle_retry_after":
        return vendor.failure(vendor.throttled(action, fault.seconds or 1.5), request_id)
    if fault.kind == "internal_error":
        return vendor.failure(vendor.internal_error(), request_id)
    if fault.kind in ("error", "charset") and fault.code:
        message = fault.message or "Ordered by the test."
        error = VendorError(fault.code, message, int(fault.status or 400))
        answer = vendor.failure(error, request_id)
        return _with_charset(answer) if fault.kind == "charset" else answer
    if fault.kind == "code_in_200":
        error = vendor.internal_error()
        if fault.code:
            error = VendorError(fault.code, fault.message or "Ordered by the test.")
        return replace(vendor.failure(error, request_id), status=200)
    if fault.kind == "http_503":
        return HttpAnswer(503, "text/plain", b"upstream connect error or disconnect/reset\n")
    if fault.kind == "http_502_html":
        page = b"<html><head><title>502 Bad Gateway</title></head><body>502</body></html>\n"
        return HttpAnswer(502, "text/html", page)
    if fault.kind == "reset_before":
        return HttpAnswer(0, "", b"", Ending.RESET)
    return None


def altered(fault: Fault, action: Action, result: Json) -> Json:
    """The result that a fault makes of an action's own."""
    if fault.kind == "no_id":
        return dict(_without(result, action.ids))
    if fault.kind == "no_secret":
        return dict(_without(result, action.secrets))
    if fault.kind == "null_lists":
        return dict(_without_lists(result))
    if fault.kind == "extra_fields":
        return dict(_with_more_fields(result))
    if fault.kind == "strings":
        return dict(_as_text(result))
    if fault.kind == "gone_for" and action.name.startswith(DESCRIBES):
        return dict(_emptied(result))
    return result


def spoiled(fault: Fault, vendor: Vendor, answer: HttpAnswer, request_id: str) -> HttpAnswer:
    """The answer that a fault makes of the right one, the work being done."""
    if fault.kind == "internal_error_after":
        return vendor.failure(vendor.internal_error(), request_id)
    if fault.kind == "drop_after":
        return replace(answer, ending=Ending.DROPPED)
    if fault.kind == "truncate":
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    if fault.kind == "empty":
        return replace(answer, body=b"")
    if fault.kind == "charset":
        return _with_charset(answer)
    if fault.kind == "delay":
        time.sleep(fault.seconds or 0)
    return answer


def _with_charset(answer: HttpAnswer) -> HttpAnswer:
    return replace(answer, content_type="application/json; charset=utf-8")


def _without(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    if isinstance(value, dict):
        return {name: _without(item, names) for name, item in value.items() if name not in names}
    return value


def _without_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_lists(item) for name, item in value.items()}
    return None if isinstance(value, list) else value


def _with_more_fields(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_more_fields(item) for item in value]
    if isinstance(value, dict):
        more = {name: _with_more_fields(item) for name, item in value.items()}
        return {**more, "EmulatorExtra": {"Flag": True, "List": [1, json.dumps({"a": 1})]}}
    return value


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, dict):
        return {name: _as_text(item) for name, item in value.items()}
    return json.dumps(value) if isinstance(value, (int, float)) else value


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        # No next page either: else a client would ask for it for ever.
        return {name: "" if name == "NextToken" else _emptied(item) for name, item in value.items()}
    if isinstance(value, list):
        return []
    return 0 if isinstance(value, int) else value

"""The orders to the emulator itself: JSON under `/_emulator/`.

| request | does |
|---|---|
| `GET health` | `{"status": "ok", "services": {vendor: {service: version}}}` |
| `POST faults` | orders a failure: `{"action", "kind", "count": 1, …}`, see `faults` |
| `GET faults`, `DELETE faults` | the open orders; forgets them |
| `GET requests[?action=…]` | what arrived |
| `GET resources` | everything it holds, **with the once-only values** |
| `GET ledger` | what the accounts have been charged for |
| `POST reset` | everything as at the start |
| `GET clock`, `POST clock` | `offset_hours`, `offset_seconds`, `advance_seconds`, `skew_seconds` |
| `GET settings`, `POST settings` | `{"rate_limit": 20 or null, …}` and each API's own |
| `POST call` | `{"service", "version", "action", "params", "region", "account"}`, unsigned |
| `POST roles` | `{"arn", "account", "external_id", "trusts": [key id, …]}`, see `Emulator.role` |
| `POST expire` | `{"account"}`: its token (a key id's, or a role's) has expired |
| `POST deny` | `{"account", "action", "service"}`: it has no permission |
| `POST <name>` | `register` (TAT, ECS), `registries`, `arrears` (TCR), `deals` (Billing) |

Refusals are HTTP 4xx `{"error": …}`. `Emulator` has a method for each.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .api import ControlError, HttpAnswer, HttpRequest, Json, VendorError
from .clock import Clock, rfc3339

if TYPE_CHECKING:
    from .emulator import Emulator

PREFIX = "/_emulator/"
_FURTHEST = timedelta(days=1000 * 365)
"""So that what is made then can still end: no calendar here goes beyond the year 9999."""
_TOO_FAR = "the clocks go no further than 1000 years either way"


def answer(emulator: Emulator, request: HttpRequest) -> HttpAnswer:
    """Carry out an order."""
    name = request.path.removeprefix(PREFIX).strip("/")
    try:
        return json_answer(200, _carry_out(emulator, request, name))
    except ControlError as error:
        return json_answer(error.status, {"error": error.message, **error.details})
    except VendorError as error:
        return json_answer(400, {"error": {"code": error.code, "message": error.message}})
    except Exception as error:  # noqa: BLE001 - a mistake here must not look like a dropped answer
        traceback.print_exc(file=sys.stderr)
        return json_answer(500, {"error": repr(error)})


def _carry_out(emulator: Emulator, request: HttpRequest, name: str) -> Any:
    order = (request.method, name)
    if order == ("GET", "health"):
        return {"status": "ok", "services": emulator.services()}
    if order == ("GET", "requests"):
        return emulator.requests(parse_qs(request.query).get("action", [None])[0])
    if order == ("GET", "resources"):
        return emulator.resources()
    if order == ("GET", "ledger"):
        return emulator.ledger()
    if order == ("GET", "faults"):
        return emulator.faults()
    if order == ("DELETE", "faults"):
        emulator.clear_faults()
        return {}
    if order == ("GET", "clock"):
        return emulator.clock()
    if order == ("GET", "settings"):
        return emulator.settings()
    if request.method != "POST":
        raise ControlError(f"there is no {request.method} {PREFIX}{name}", 404)
    body = _body(request)
    if name == "faults":
        emulator.fault(**_with(body, "action", "kind"))
        return {}
    if name == "reset":
        emulator.reset()
        return {}
    if name == "clock":
        return emulator.clock(**body)
    if name == "settings":
        return emulator.settings(**body)
    if name == "call":
        optional = {"params": dict, "region": str, "account": str}
        return emulator.call(**_checked(body, ("service", "version", "action"), optional))
    if name == "roles":
        optional = {"account": str, "external_id": str, "trusts": list}
        emulator.role(**_checked(body, ("arn",), optional))
        return {}
    if name == "expire":
        emulator.expire(**_checked(body, ("account",), {}))
        return {}
    if name == "deny":
        emulator.deny(**_checked(body, ("account", "action"), {"service": str}))
        return {}
    return emulator.endpoint(name, body)


def _body(request: HttpRequest) -> Json:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as error:
        raise ControlError(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise ControlError("the body is not a JSON object")
    return body


def _with(body: Json, *names: str) -> Json:
    for name in names:
        if not isinstance(body.get(name), str):
            raise ControlError(f"{name}: str wanted")
    return body


def _checked(body: Json, required: Sequence[str], optional: Mapping[str, type]) -> Json:
    unknown = set(_with(body, *required)) - {*required, *optional}
    if unknown:
        raise ControlError(f"unknown fields: {', '.join(sorted(unknown))}")
    for field, wanted in optional.items():
        if not isinstance(body.get(field), (wanted, type(None))):
            raise ControlError(f"{field}: {wanted.__name__} wanted")
    return body


def json_answer(status: int, value: Any) -> HttpAnswer:
    """An answer in JSON."""
    return HttpAnswer(status, "application/json", json.dumps(value, ensure_ascii=False).encode())


def move_clock(clock: Clock, changes: Json) -> Json:
    """Change the clocks, all or nothing, and say how they stand."""
    known = {"offset_hours", "offset_seconds", "advance_seconds", "skew_seconds"}
    for name, value in changes.items():
        if name not in known:
            raise ControlError(f"{name!r} is none of {', '.join(sorted(known))}")
        if type(value) not in (int, float):
            raise ControlError(f"{name}: a number wanted")
        seconds = value * 3600 if name == "offset_hours" else value
        # Said so that it catches NaN, which is neither more nor less than anything.
        if not abs(seconds) <= _FURTHEST.total_seconds():
            raise ControlError(_TOO_FAR)
    if {"offset_hours", "offset_seconds"} <= set(changes):
        raise ControlError("offset_hours and offset_seconds exclude each other")
    offset, skew = clock.offset, clock.skew
    if "offset_hours" in changes:
        offset = timedelta(hours=changes["offset_hours"])
    if "offset_seconds" in changes:
        offset = timedelta(seconds=changes["offset_seconds"])
    offset += timedelta(seconds=changes.get("advance_seconds", 0))
    if "skew_seconds" in changes:
        skew = timedelta(seconds=changes["skew_seconds"])
    if abs(offset) > _FURTHEST:
        raise ControlError(_TOO_FAR)
    clock.offset, clock.skew = offset, skew
    return {
        "now": rfc3339(clock.now()),
        "offset_seconds": clock.offset.total_seconds(),
        "skew_seconds": clock.skew.total_seconds(),
    }

"""What arrived, in order."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from datetime import datetime, timezone
from typing import Any

from .api import Arrival, Ending, HttpAnswer, HttpRequest, Json, Vendor

HIDDEN = "(hidden)"
KEPT = 100_000  # the oldest go first, so that a long-lived emulator does not grow for ever


class RequestLog:
    """The requests to the APIs (not those to the emulator itself), without any answer's body."""

    def __init__(self) -> None:
        self._entries: deque[Json] = deque(maxlen=KEPT)
        self._number = 0
        self._lock = threading.Lock()

    def begin(
        self, vendor: Vendor, request: HttpRequest, arrival: Arrival, request_id: str
    ) -> Json:
        """Note an arrival; the entry is completed by `finish`."""
        entry: dict[str, Any] = {
            "time": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
            "monotonic": time.monotonic(),
            "vendor": vendor.name,
            "service": arrival.service,
            "action": arrival.action,
            "version": arrival.version,
            "region": arrival.region,
            "account": arrival.secret_id,
            "language": arrival.language,
            "parameters": _hidden(arrival.parameters, vendor.secret_parameters),
            "query": _hidden_in_text(request.query, vendor.secret_parameters),
            "body": _hidden_in_text(
                request.body.decode("utf-8", "replace"), vendor.secret_parameters
            ),
            "headers": vendor.loggable_headers(request),
            "status": None,
            "ending": None,
            "error_code": None,
            "request_id": request_id,
            "fault": None,
        }
        with self._lock:
            self._number += 1
            entry = {"number": self._number, **entry}
            self._entries.append(entry)
        return entry

    def finish(self, entry: Json, answer: HttpAnswer, fault: str | None) -> None:
        """Note how it ended; before the answer is sent, so that its reader can look here."""
        answered = answer.ending is Ending.ANSWERED
        with self._lock:
            entry["status"] = answer.status if answered else None
            entry["ending"] = answer.ending.value
            entry["error_code"] = answer.error_code
            entry["fault"] = fault

    def entries(self, action: str | None = None) -> list[Json]:
        """Every entry, or those of one action; `ending` is null while it is worked on."""
        with self._lock:
            return [dict(entry) for entry in self._entries if action in (None, entry["action"])]

    def clear(self) -> None:
        """Forget everything and count from 1 again."""
        with self._lock:
            self._entries.clear()
            self._number = 0


def _hidden(parameters: Json | None, names: tuple[str, ...]) -> Json | None:
    if parameters is None:
        return None
    return {name: HIDDEN if name in names else value for name, value in parameters.items()}


def _hidden_in_text(text: str, names: tuple[str, ...]) -> str:
    """The same in a query, a form or JSON, which need not be whole."""
    name = "|".join(names)
    text = re.sub(rf"\b({name})=[^&]*", rf"\1={HIDDEN}", text)
    return re.sub(rf'"({name})"(\s*:\s*)"(?:\\.|[^"\\])*', rf'"\1"\2"{HIDDEN}', text)

"""So many requests a second, for each key on its own."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Hashable


class RateLimit:
    """A sliding second: in no span of one second are more than the limit let through.

    The vendors do not say how they count; this is the strictest reading, so a client that never
    sees a refusal here sees none from a milder count. Refused requests do not count. Real time.
    """

    def __init__(self) -> None:
        self._admitted: dict[Hashable, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def admit(self, key: Hashable, per_second: int | None) -> bool:
        """Count a request and say whether it may pass; `None` is no limit."""
        if per_second is None:
            return True
        with self._lock:
            now = time.monotonic()
            admitted = self._admitted[key]
            while admitted and admitted[0] <= now - 1:
                admitted.popleft()
            if len(admitted) >= per_second:
                return False
            admitted.append(now)
            return True

    def reset(self) -> None:
        """Forget every request."""
        with self._lock:
            self._admitted.clear()

"""One look at all that is waited for in a place, however many threads wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from pulumi_hybrid.api import Api

Item = dict[str, Any]
"""A resource as the vendor shows it."""


class Watch:
    """Shows each of those who wait what a request said that was sent after they came.

    The first one whose turn comes asks for all, and no sooner than the pause after the last time:
    who comes just after a look waits for the next one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self._looks = 0
        self._last_look = 0.0
        self._asked: Sequence[str] = ()
        self._shown: Mapping[str, Item] = {}

    def look(
        self, api: Api, id: str, ask: Callable[[Sequence[str]], Mapping[str, Item]], pause: float
    ) -> Item | None:
        """A resource as the next look shows it; None where it does not.

        Args:
            api: for the call that waits; only its own failures are raised in it.
            id: the resource's id.
            ask: asks for resources by their ids, in one request.
            pause: seconds from one request to the next.
        """
        with self._lock:
            self._waiting.append(id)
            seen = self._looks
        try:
            while True:
                # Who comes while a request is under way waits here, and for the next one.
                with self._lock:
                    if self._looks > seen and id in self._asked:
                        return self._shown.get(id)
                    left = self._last_look + pause - time.monotonic()
                    if left <= 0 or api.abandoned:
                        self._last_look = time.monotonic()
                        asked = sorted(set(self._waiting))
                        self._shown = ask(asked)
                        self._asked, self._looks = asked, self._looks + 1
                        return self._shown.get(id)
                api.sleep(left)
        finally:
            with self._lock:
                self._waiting.remove(id)


_watches: dict[Hashable, Watch] = {}


def watch_of(place: Hashable) -> Watch:
    """The watch over a product, account and region in this process."""
    return _watches.setdefault(place, Watch())

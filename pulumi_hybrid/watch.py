"""One look at all that is waited for in a place, however many threads wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from pulumi_hybrid.api import Api
from pulumi_hybrid.errors import Error

Item = dict[str, Any]
"""A resource as the vendor shows it."""

_MOMENT = 0.5
"""Seconds between two looks, while another's answer is waited for, whether the engine is there."""


class NotAnswered(Error):
    """Time was up before the vendor answered the one who asked for all."""


class Watch:
    """Shows each of those who wait what a request said that was sent after they came.

    The first one whose turn comes asks for all, and no sooner than the pause after the last time:
    who comes just after a look waits for the next one. Whoever asks does so in its own time, and
    the others wait for the answer in theirs.
    """

    def __init__(self) -> None:
        self._answered = threading.Condition()
        self._waiting: list[str] = []
        self._is_asking = False
        # Requests are counted when they are sent.
        self._looks = 0
        self._last_look = 0.0
        self._shown_by = 0
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

        Raises:
            NotAnswered: another call asks, and this one's time is up.
        """
        with self._answered:
            self._waiting.append(id)
            # What a request under way says was not asked after this one came.
            seen = self._looks
        try:
            while True:
                with self._answered:
                    if self._shown_by > seen:
                        return self._shown.get(id)
                    if self._is_asking:
                        self._wait_for_the_answer(api)
                        continue
                    left = self._last_look + pause - time.monotonic()
                    if left <= 0 or api.abandoned:
                        self._is_asking = True
                        self._looks += 1
                        self._last_look = time.monotonic()
                        asked = sorted(set(self._waiting))
                        break
                api.sleep(left)
            return self._ask(ask, asked).get(id)
        finally:
            with self._answered:
                self._waiting.remove(id)

    def _wait_for_the_answer(self, api: Api) -> None:
        if not api.may_wait(0):
            raise NotAnswered(
                "time was up before the vendor said what it is like. Run it again to go on waiting."
            )
        self._answered.wait(min(_MOMENT, api.deadline.left))

    def _ask(
        self, ask: Callable[[Sequence[str]], Mapping[str, Item]], ids: Sequence[str]
    ) -> Mapping[str, Item]:
        """Ask, which may take long, while the others are free to give up."""
        try:
            shown = ask(ids)
            with self._answered:
                self._shown, self._shown_by = shown, self._looks
            return shown
        finally:
            with self._answered:
                self._is_asking = False
                self._answered.notify_all()


_watches: dict[Hashable, Watch] = {}


def watch_of(place: Hashable) -> Watch:
    """The watch over a product, account and region in this process."""
    return _watches.setdefault(place, Watch())

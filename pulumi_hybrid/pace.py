"""No more requests than the vendor takes: twenty a second of an account and action, in a process.

The engine runs four hooks at once in one provider process, and four threads are faster than that.

The vendor counts requests when they arrive, not when they leave: one that opens a connection first
arrives much later than its turn was, and twenty others that left a second after it would find it in
their own second. A token bucket does not know that. So a turn keeps how late its request may have
arrived, which its answer tells, and the twentieth after it waits for as long.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_TURNS = 20
_SECONDS = 1.01
"""Seconds that hold so many turns at most: a little over one, for delays that no answer shows."""
_BETWEEN = 0.025
"""Seconds between two turns: half of what would spread them evenly, so that a late one is made up
for, and a few are not held up; and no part of a second holds many more than its share."""

_MOST_LATE = 0.25
"""Seconds beyond which an answer says more of the vendor's work than of the request's way."""


@contextmanager
def turn(account: str, action: str) -> Iterator[None]:
    """Wait until the account may call the action again; the request is made in the block.

    Args:
        account: the access key's id: the vendors count by account.
        action: the API action with its product.
    """
    with _making:
        pace = _paces.setdefault((account, action), _Pace())
    own = pace.next()
    try:
        yield
    except BaseException:
        # It may never have been sent: that took no time, and would make all others late.
        pace.ended(own, served=False)
        raise
    pace.ended(own, served=True)


class _Turn:
    """A request's turn.

    Attributes:
        start: when it leaves.
        took: seconds until its end; None until then.
    """

    def __init__(self, start: float) -> None:
        self.start = start
        self.took: float | None = None


class _Pace:
    """The turns of one account and action."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._turns: deque[_Turn] = deque(maxlen=_TURNS)
        self._shortest = float("inf")

    def next(self) -> _Turn:
        with self._lock:
            start = time.monotonic()
            if self._turns:
                start = max(start, self._turns[-1].start + _BETWEEN)
            if len(self._turns) == _TURNS:
                start = max(start, self._latest(self._turns[0]) + _SECONDS)
            own = _Turn(start)
            self._turns.append(own)
        while (left := own.start - time.monotonic()) > 0:
            time.sleep(left)
        own.start = time.monotonic()
        return own

    def ended(self, own: _Turn, *, served: bool) -> None:
        own.took = time.monotonic() - own.start
        if served:
            self._shortest = min(self._shortest, own.took)

    def _latest(self, turn: _Turn) -> float:
        """When its request arrived at the latest, beside one that came through at once."""
        late = 0 if turn.took is None else max(0, turn.took - self._shortest)
        return turn.start + min(late, _MOST_LATE)


_making = Lock()
_paces: dict[tuple[str, str], _Pace] = {}

"""No more requests than the vendor takes: one limiter an account and action, for the whole process.

The engine runs four hooks at once in one provider process, and four threads are faster than the
vendors' twenty requests a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrate_limiter import Limiter

_TWENTY_MS = 1025
"""No more than twenty in so long, so that no second holds more whatever second one looks at: what
is over a second absorbs what the network does to the spacing."""
_ONE_MS = 50
"""Evenly spaced, and yet a little faster: a turn that comes late is made up for."""

_making = Lock()


@contextmanager
def turn(account: str, action: str) -> Iterator[None]:
    """Wait until the account may call the action again; the request is made in the block.

    The first one of all leaves late, since it opens a connection. So its turn counts once more from
    its end on: else twenty others could follow it within a second.

    Args:
        account: the access key's id: the vendors count by account.
        action: the API action with its product.
    """
    with _making:
        first = (account, action) not in _limiters
        if first:
            _limiters[account, action] = _new_limiter()
        limiter = _limiters[account, action]
    limiter.try_acquire(action)
    try:
        yield
    finally:
        if first:
            limiter.try_acquire(action)


_limiters: dict[tuple[str, str], Limiter] = {}


def _new_limiter() -> Limiter:
    from pyrate_limiter import Limiter, Rate

    # Without buffer_ms=0 the library waits 50 ms longer than it has to, each time.
    return Limiter([Rate(1, _ONE_MS), Rate(20, _TWENTY_MS)], buffer_ms=0)

"""No more requests than the vendor takes: one limiter an account and action, for the whole process.

The engine runs four hooks at once in one provider process, and four threads are faster than the
vendors' twenty requests a second.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrate_limiter import Limiter

_TWENTY_MS = 1020
"""No more than twenty in so long, so that no second holds more whatever second one looks at: what
is over a second absorbs what the network does to the spacing."""
_ONE_MS = 50
"""Evenly spaced, and yet a little faster: a turn that comes late is made up for."""

_making = Lock()


def wait_for_turn(account: str, action: str) -> None:
    """Return when the account may call the action again.

    Args:
        account: the access key's id: the vendors count by account.
        action: the API action with its product.
    """
    with _making:
        limiter = _limiter(account, action)
    limiter.try_acquire(action)


@cache
def _limiter(account: str, action: str) -> Limiter:
    from pyrate_limiter import Limiter, Rate

    # Without buffer_ms=0 the library waits 50 ms longer than it has to, each time.
    return Limiter([Rate(1, _ONE_MS), Rate(20, _TWENTY_MS)], buffer_ms=0)

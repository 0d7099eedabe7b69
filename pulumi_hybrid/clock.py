"""Points in time and the time that is left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(timezone.utc)


def parse(text: str) -> datetime:
    """A vendor's point in time, RFC 3339 such as ``2024-10-26T08:50:45Z``.

    Raises:
        ValueError: the text is not one.
    """
    # Python 3.10 does not read the Z.
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def later(start: str, delay: timedelta) -> str:
    """A point in time some time after another, RFC 3339, UTC."""
    return (parse(start) + delay).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def hours_between(start: str, end: str) -> int:
    """Whole hours from one point in time to another, to the nearest."""
    return round((parse(end) - parse(start)) / timedelta(hours=1))


def ends_within(end: str, hours: float) -> bool:
    """Whether a point in time has passed, or will have passed in so many hours."""
    return (parse(end) - now()) / timedelta(hours=1) <= hours


@dataclass(frozen=True)
class Deadline:
    """So many seconds from its making.

    Attributes:
        seconds: how long.
    """

    seconds: float
    _start: float = field(default_factory=time.monotonic)

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds until the end; negative after it."""
        return self.seconds - self.passed

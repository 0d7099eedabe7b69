"""Points in time and the time that is left."""

from __future__ import annotations

import calendar
import re
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(timezone.utc)


def parse(text: str) -> datetime:
    """A vendor's point in time, RFC 3339 such as ``2024-10-26T08:50:45Z``; UTC without a zone.

    Raises:
        ValueError: the text is not one.
    """
    # Python 3.10 reads no Z, and of fractions those of three or six digits alone.
    text = re.sub(r"\.([0-9]+)", lambda fraction: f".{fraction[1]:0<6.6}", text, count=1)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def later(start: str, delay: timedelta) -> str:
    """A point in time some time after another, RFC 3339, UTC."""
    return (parse(start) + delay).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def months_later(start: datetime, months: int) -> datetime:
    """A point in time some calendar months after another; in a shorter month, its last day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def months_until(start: datetime, end: datetime) -> int:
    """The fewest whole months after a start that reach an end; 0 where it is reached already."""
    months = max(0, (end.year - start.year) * 12 + end.month - start.month - 1)
    while months_later(start, months) < end:
        months += 1
    return months


def hours_between(start: str, end: str) -> int:
    """Whole hours from one point in time to another, to the nearest."""
    return round((parse(end) - parse(start)) / timedelta(hours=1))


def ends_within(end: str, hours: float) -> bool:
    """Whether a point in time has passed, or will have passed in so many hours."""
    return (parse(end) - now()) / timedelta(hours=1) <= hours


@dataclass(eq=False, repr=False)
class Deadline:
    """So many seconds from its making.

    Attributes:
        seconds: how long.
    """

    seconds: float
    _start: float = field(default_factory=lambda: time.monotonic())

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds until the end; negative after it."""
        return self.seconds - self.passed

"""The emulator's two clocks: one for the resources' lives, one for signatures."""

from __future__ import annotations

import calendar
import time
from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))


class Clock:
    """The resources' time, which tests move, and the time signatures are checked against.

    They are apart, so that a code can be made to expire without every signature expiring too.
    """

    def __init__(self) -> None:
        self.offset = timedelta()
        self.skew = timedelta()

    def reset(self) -> None:
        """Both clocks right again."""
        self.offset = timedelta()
        self.skew = timedelta()

    def now(self) -> datetime:
        """The resources' time, UTC."""
        return datetime.now(timezone.utc) + self.offset

    def signing_time(self) -> float:
        """The time for signature checks, Unix seconds."""
        return time.time() + self.skew.total_seconds()


class StoppedClock(Clock):
    """The moment of something that happens by itself, however late it is looked at."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self._moment = moment

    def now(self) -> datetime:
        """That moment."""
        return self._moment


def months_later(moment: datetime, months: int) -> datetime:
    """The same day of the month in China, or that month's last."""
    local = moment.astimezone(CHINA)
    years, month = divmod(local.month - 1 + months, 12)
    year, month = local.year + years, month + 1
    last = calendar.monthrange(year, month)[1]
    return local.replace(year=year, month=month, day=min(local.day, last))


def rfc3339(moment: datetime) -> str:
    """`YYYY-MM-DDThh:mm:ssZ`, as both vendors write times."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text: str) -> datetime:
    """The moment that `rfc3339` wrote."""
    # Not strptime: that is thirty times slower, and a listing reads a hundred of these.
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=timezone.utc)

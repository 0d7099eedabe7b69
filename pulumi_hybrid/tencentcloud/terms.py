"""How long a prepaid term lasts, and what is missing of it."""

from __future__ import annotations

from datetime import timezone
from typing import Any

from pulumi_hybrid import clock
from pulumi_hybrid.errors import Error

MOST_YEARS = 5
"""How far from now on terms are paid: a year that is mistyped would buy every one before it."""


def months_to_pay(paid_until: Any, end: Any) -> int:
    """Months that are missing between a term's end and ``paid_until``; 0 where none are.

    Args:
        paid_until: RFC 3339; None, or not known yet, asks for nothing.
        end: RFC 3339, the end that the vendor shows; None where it shows none.

    Raises:
        Error: the vendor's end is no point in time.
    """
    if not isinstance(paid_until, str) or not end:
        return 0
    try:
        since = clock.parse(str(end))
    except ValueError:
        raise Error(
            f"the end of the term, {end!r}, is no point in time, so that paid_until cannot be seen "
            "to. Take paid_until out, and renew in the console"
        ) from None
    return clock.months_until(since, clock.parse(paid_until).astimezone(since.tzinfo))


def renewal(end: Any, paid_until: Any) -> str:
    """What names one renewal: the end of the term that it follows, and what asks for it."""
    return f"{end} {paid_until}"


def is_same(note: Any, order: str) -> bool:
    """Whether two names of renewals mean the same one, however their times are written."""
    return bool(note) and _parts(str(note)) == _parts(order)


def follows(note: Any, end: Any) -> bool:
    """Whether a noted renewal follows the term that ends so."""
    return bool(note) and _parts(str(note))[0] == _moment(end)


def _parts(order: str) -> tuple[str, str]:
    end, _, what = order.partition(" ")
    return _moment(end), _moment(what)


def is_later(end: Any, than: Any) -> bool:
    """Whether an end that the vendor shows is a later point in time; any is later than none."""
    try:
        return clock.parse(str(end)) > clock.parse(str(than)) if than else bool(end)
    except ValueError:
        return False


def _moment(text: Any) -> str:
    """A point in time in one spelling; anything else as it stands."""
    try:
        return clock.parse(str(text)).astimezone(timezone.utc).isoformat()
    except ValueError:
        return str(text)

"""How long a prepaid term lasts, and what is missing of it."""

from __future__ import annotations

from typing import Any

from pulumi_hybrid import clock
from pulumi_hybrid.errors import Error


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

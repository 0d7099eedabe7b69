"""When a code is to be replaced although nothing in the program changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_hybrid import clock
from pulumi_hybrid.answers import whole
from pulumi_hybrid.errors import Error
from pulumi_hybrid.fields import Number, OnChange

ROTATE_BEFORE_HOURS = Number(
    name="rotate_before_hours", least=0, unit="hours", on_change=OnChange.NOTHING, sent=False
)
"""The input with which the user asks for it: how long before its end a code is replaced."""


def rotation_reasons(
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    *,
    closed: Mapping[str, bool],
    used: str,
    limit: str,
) -> list[str]:
    """The outputs that ask for a new code; none where the user did not ask for rotation.

    Args:
        inputs: the program's.
        outputs: as of the last run or refresh; ``expired_time`` where the code has an end.
        closed: the output that says that the code was disabled, and its value then.
        used: the output that counts the machines that have registered.
        limit: the output that says how many may.

    Raises:
        Error: ``expired_time`` is no point in time.
    """
    hours = inputs.get(ROTATE_BEFORE_HOURS.name)
    if hours is None:
        return []
    reasons = [name for name, value in closed.items() if outputs.get(name) is value]
    end = outputs.get("expired_time")
    try:
        if end and clock.ends_within(str(end), hours):
            reasons.append("expired_time")
    except ValueError:
        raise Error(
            "expired_time in state is no point in time, so that its end is not known. Run `pulumi "
            "refresh`, or take rotate_before_hours out"
        ) from None
    count, most = whole(outputs.get(used)), whole(outputs.get(limit))
    if count is not None and most is not None and count >= most:
        reasons.append(used)
    return reasons

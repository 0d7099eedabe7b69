"""When a code is to be replaced although nothing in the program changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_hybrid import clock
from pulumi_hybrid.fields import Number, OnChange

ROTATE_BEFORE_HOURS = Number(
    name="rotate_before_hours", least=0, unit="hours", on_change=OnChange.NOTHING, sent=False
)
"""The input with which the user asks for it: how long before its end a code is replaced."""


def rotation_reasons(
    inputs: Mapping[str, Any], outputs: Mapping[str, Any], **unusable: bool
) -> list[str]:
    """The outputs that ask for a new code; none where the user did not ask for rotation.

    Args:
        inputs: the program's.
        outputs: as of the last run or refresh; ``expired_time`` where the code has an end.
        unusable: by output name, whether that output says that the code serves no more.
    """
    hours = inputs.get(ROTATE_BEFORE_HOURS.name)
    if hours is None:
        return []
    end = outputs.get("expired_time")
    ending = ["expired_time"] if end and clock.ends_within(end, hours) else []
    return ending + [name for name, is_so in unusable.items() if is_so]

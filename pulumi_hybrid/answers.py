"""Reading the vendors' answers, which are not always of the types that their pages say."""

from __future__ import annotations

from typing import Any


def whole(value: Any) -> int | None:
    """A whole number, which may come as text; None where it is none."""
    try:
        return None if isinstance(value, bool) else int(value)
    except (OverflowError, TypeError, ValueError):
        return None


def flag(value: Any) -> bool | None:
    """True or false, which may come as text; None where it is neither."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).lower())


def text(value: Any) -> str | None:
    """Text that is not empty; None where there is none."""
    return value if isinstance(value, str) and value else None


def objects(items: Any, name: str = "") -> list[dict[str, Any]]:
    """The objects of a list; a list that is null is empty.

    Args:
        items: the list; older answers wrap it in an object.
        name: what that object calls it.
    """
    if isinstance(items, dict):
        items = items.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

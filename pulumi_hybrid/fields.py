"""How a resource describes what goes in: one ``Field`` an input.

Everything about an input is said at its field: the form and limits that the vendor's page gives,
what the vendor takes where the program says nothing, and what a change does. ``lifecycle`` does the
rest, for all resources alike.

A problem's text never holds the value: any input may be a secret.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any


class OnChange(Enum):
    """What a change of an input does to the resource."""

    REPLACE = "replace"
    """A new resource is made, then the old one is deleted."""
    NOTHING = "nothing"
    """Nothing at the vendor's: the input tells this package what to do."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input.

    Attributes:
        name: the input's name in the program: the API's own in snake_case.
        default: what the vendor takes where the program gives nothing; None where that is nothing.
        on_change: what a change does.
        sent: whether it travels in the create action's body, under its API name.
        shown: whether the vendor shows it. Where not, what the program gave stays, and what
            ``look_up`` derives of it serves only where the program never gave it.
    """

    name: str
    default: Any = None
    on_change: OnChange = OnChange.REPLACE
    sent: bool = True
    shown: bool = True

    @property
    def wire_name(self) -> str:
        """The API's own name: ``register_limit`` is ``RegisterLimit``."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    def problem(self, value: Any) -> str | None:
        """What is wrong with a known value, and what is allowed; None where nothing is."""
        raise NotImplementedError

    def normal(self, value: Any) -> Any:
        """The value as it is stored, compared and sent; None where it is as good as not given."""
        return value

    def differs(self, old: Any, new: Any) -> bool:
        """Whether two values mean different things to the vendor; None is the default."""
        return bool(self._effective(old) != self._effective(new))

    def _effective(self, value: Any) -> Any:
        return self.default if value is None else self.normal(value)


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Text of at most ``most`` characters.

    Attributes:
        most: how many characters, not bytes.
        pattern: what it must match as a whole; None where anything goes.
        form: the pattern in words, for the reader of the problem.
    """

    most: int
    pattern: re.Pattern[str] | None = None
    form: str = ""

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not isinstance(value, str):
            return "must be text"
        if len(value) > self.most:
            return f"must have at most {self.most} characters, has {len(value)}"
        if self.pattern and not self.pattern.fullmatch(value):
            return f"must be {self.form}"
        return None


@dataclass(frozen=True, kw_only=True)
class Whole(Field):
    """A whole number.

    Attributes:
        least: the smallest allowed.
        most: the largest allowed; None where there is no limit.
        all_alike_above: values above it mean one and the same; None where each is different.
        unit: what is counted ("hours"); empty where it is things.
    """

    least: int
    most: int | None = None
    all_alike_above: int | None = None
    unit: str = ""

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not _is_number(value) or value != int(value):
            return f"must be a whole number{self._of_unit}"
        if value < self.least or (self.most is not None and value > self.most):
            return f"must be {self._range}{self._of_unit}"
        return None

    def normal(self, value: Any) -> Any:  # noqa: D102 - the engine makes every number a float
        return int(value) if _is_number(value) else value

    def _effective(self, value: Any) -> Any:
        value = super()._effective(value)
        if self.all_alike_above is not None and _is_number(value):
            return min(value, self.all_alike_above + 1)
        return value

    @property
    def _range(self) -> str:
        if self.most is None:
            return f"at least {self.least}"
        return f"from {self.least} to {self.most}"

    @property
    def _of_unit(self) -> str:
        return f" ({self.unit})" if self.unit else ""


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number, fractions allowed, of at least ``least``."""

    least: float
    unit: str = ""

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not _is_number(value) or value < self.least:
            return f"must be a number of at least {self.least:g} ({self.unit})"
        return None


@dataclass(frozen=True, kw_only=True)
class IPv4Range(Field):
    """An IPv4 address or block in CIDR form; host bits may be set, as in the vendor's sample."""

    _BLOCK = re.compile(r"[0-9.]+(/[0-9]{1,2})?")

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if value == "":
            return None
        wanted = "must be an IPv4 address or CIDR block, such as 192.168.1.1 or 192.168.0.0/16"
        if not isinstance(value, str) or not self._BLOCK.fullmatch(value):
            return wanted
        try:
            ipaddress.IPv4Interface(value)
        except ValueError:
            return wanted
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


REGION = Text(
    name="region",
    most=64,
    pattern=re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"),
    form="a region's name, such as ap-guangzhou",
    sent=False,
)
"""Where the resource is. Which regions there are, the vendor knows."""

ADOPT_ID = Text(
    name="adopt_id",
    most=256,
    pattern=re.compile(r"\S+"),
    form="the id of an existing resource",
    on_change=OnChange.NOTHING,
    sent=False,
)
"""The existing resource to take over at the first create."""

ROTATE_BEFORE_HOURS = Number(
    name="rotate_before_hours",
    least=0,
    unit="hours",
    on_change=OnChange.NOTHING,
    sent=False,
)
"""How long before its end a code is replaced by the next ``pulumi up``."""

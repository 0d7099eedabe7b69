"""How a resource describes what goes in: one ``Field`` an input.

Everything about an input is said at its field: the form and limits that the vendor's page gives,
what the vendor takes where the program says nothing, and what a change does. ``lifecycle`` does the
rest, for all resources alike.

A problem's text never holds the value: any input may be a secret.
"""

from __future__ import annotations

import ipaddress
import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from pulumi_hybrid import clock, engine
from pulumi_hybrid.engine import Call


class OnChange(Enum):
    """What a change of an input does to the resource."""

    REPLACE = "replace"
    """A new resource is made, then the old one is deleted."""
    UPDATE = "update"
    """The resource is changed where it is."""
    NOTHING = "nothing"
    """Nothing at the vendor's: the input tells this package what to do."""


@dataclass(kw_only=True, eq=False, repr=False)
class Field:
    """One input.

    Attributes:
        name: the input's name in the program: the API's own in snake_case.
        required: whether the program must give it.
        wire: its name in the API where that is not the name in PascalCase.
        default: what the vendor takes where the program gives nothing; None where that is nothing.
        on_change: what a change does.
        sent: whether it travels in the create action's body, under its API name.
        kept_when_absent: whether taking it out of the program leaves it as it is, since there is
            no value that stands for none.
        shown: whether what ``look_up`` says of it is the vendor's word. Where it is derived, it
            serves only where the program never gave it.
    """

    name: str
    required: bool = False
    wire: str | None = None
    default: Any = None
    on_change: OnChange = OnChange.REPLACE
    sent: bool = True
    kept_when_absent: bool = False
    shown: bool = True

    @property
    def wire_name(self) -> str:
        """The API's own name: ``register_limit`` is ``RegisterLimit``."""
        return self.wire or "".join(part.capitalize() for part in self.name.split("_"))

    def problems(self, value: Any) -> Iterator[str]:
        """What is wrong with a known value, each beginning with the property's name."""
        problem = self.problem(value)
        if problem:
            yield f"{self.name}: {problem}"

    def problem(self, value: Any) -> str | None:
        """What is wrong with a known value, and what is allowed; None where nothing is."""
        raise NotImplementedError

    def filled(self, before: Any, call: Call) -> Any:
        """What stands for a value that the program does not give; None where nothing does.

        Args:
            before: what stood for it in the last run.
            call: the engine's call, for the resource's name.
        """
        return None

    def on_wire(self, value: Any) -> Any:
        """The value as it travels."""
        return value

    def normal(self, value: Any) -> Any:
        """The value as it is stored, compared and sent; None where it is as good as not given."""
        return value

    def differs(self, old: Any, new: Any) -> bool:
        """Whether two values mean different things to the vendor; None is the default."""
        return bool(self.effective(old) != self.effective(new))

    def changed(self, before: Any, after: Any) -> bool:
        """Whether a change of the program, from one value to another, asks for anything."""
        if after is None and self.kept_when_absent:
            return False
        return self.differs(before, after)

    def effective(self, value: Any) -> Any:
        """What a value means to the vendor; None is the default."""
        kept = None if value is None else self.normal(value)
        return self.default if kept is None else kept


@dataclass(kw_only=True, eq=False, repr=False)
class Text(Field):
    """Text of ``least`` to ``most`` characters.

    Attributes:
        least: how many characters there must be.
        most: how many characters, not bytes.
        pattern: what it must match as a whole; empty where anything goes.
        form: the pattern in words, for the reader of the problem.
        ascii_only: whether nothing but printable ASCII goes.
    """

    least: int = 0
    most: int
    # Compiled where it is used: an import of the package would take a twentieth longer.
    pattern: str = ""
    form: str = ""
    ascii_only: bool = False

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not isinstance(value, str):
            return "must be text"
        if self.ascii_only and not (value.isascii() and value.isprintable()):
            return "must be printable ASCII"
        if len(value) > self.most:
            return f"must have at most {self.most} characters, has {len(value)}"
        if len(value) < self.least:
            return f"must have at least {self.least} characters, has {len(value)}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"must be {self.form}"
        return None


@dataclass(kw_only=True, eq=False, repr=False)
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

    def effective(self, value: Any) -> Any:  # noqa: D102
        value = super().effective(value)
        if self.all_alike_above is not None and _is_number(value):
            return min(value, self.all_alike_above + 1)
        return value

    def on_wire(self, value: Any) -> Any:  # noqa: D102 - no more digits than the vendor reads
        return self.effective(value)

    @property
    def _range(self) -> str:
        if self.most is None:
            return f"at least {self.least}"
        return f"from {self.least} to {self.most}"

    @property
    def _of_unit(self) -> str:
        return f" ({self.unit})" if self.unit else ""


@dataclass(kw_only=True, eq=False, repr=False)
class Number(Field):
    """A number, fractions allowed, of at least ``least``."""

    least: float
    unit: str = ""

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not _is_number(value) or value < self.least:
            return f"must be a number of at least {self.least:g} ({self.unit})"
        return None


@dataclass(kw_only=True, eq=False, repr=False)
class AddressRange(Field):
    """An IP address or a block in CIDR form; host bits may be set, as in the vendor's sample.

    Attributes:
        versions: of the Internet Protocol that the vendor takes.
    """

    versions: tuple[int, ...]

    # Python takes a netmask or a zone behind an address, too.
    _FORM = r"[0-9a-fA-F.:]+(/(0|[1-9][0-9]{0,2}))?"

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if value == "":
            return None
        if isinstance(value, str) and re.fullmatch(self._FORM, value):
            with suppress(ValueError):
                if ipaddress.ip_interface(value).version in self.versions:
                    return None
        kinds = " or ".join(f"IPv{version}" for version in self.versions)
        return f"must be an {kinds} address or CIDR block, such as 192.168.1.1 or 192.168.0.0/16"

    def normal(self, value: Any) -> Any:  # noqa: D102 - an empty text is as good as none given
        return value or None

    def effective(self, value: Any) -> Any:  # noqa: D102
        kept = super().effective(value)
        return network(kept) if kept else kept


def network(block: Any) -> str:
    """One spelling of all that mean the same addresses, as 192.0.2.1 and 192.0.2.1/32 do."""
    try:
        return str(ipaddress.ip_interface(block).network)
    except ValueError:
        return str(block)


@dataclass(kw_only=True, eq=False, repr=False)
class Choice(Field):
    """One of a few words."""

    words: tuple[str, ...]

    def problem(self, value: Any) -> str | None:  # noqa: D102
        return None if value in self.words else f"must be one of {', '.join(self.words)}"


class Flag(Field):
    """True or false."""

    def problem(self, value: Any) -> str | None:  # noqa: D102
        return None if isinstance(value, bool) else "must be true or false"


@dataclass(kw_only=True, eq=False, repr=False)
class Moment(Field):
    """A point in time, RFC 3339.

    Attributes:
        most_years: how many from now on it may be; None where there is no limit.
    """

    most_years: int | None = None

    # Python takes dates without a time or zone, too, and more of them with each version.
    _FORM = r"[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"

    def problem(self, value: Any) -> str | None:  # noqa: D102
        moment = None
        if isinstance(value, str) and re.fullmatch(self._FORM, value):
            with suppress(ValueError):
                moment = clock.parse(value)
        if moment is None or not 2000 <= moment.year < 3000:
            return "must be a point in time, such as 2027-01-31T00:00:00Z"
        if self.most_years and moment > clock.months_later(clock.now(), self.most_years * 12):
            return f"must be at most {self.most_years} years from now"
        return None


@dataclass(kw_only=True, eq=False, repr=False)
class Structure(Field):
    """A mapping with fields of its own."""

    parts: tuple[Field, ...]

    def problems(self, value: Any) -> Iterator[str]:  # noqa: D102
        if not isinstance(value, dict):
            yield f"{self.name}: must be a mapping"
            return
        names = [part.name for part in self.parts]
        for name in value:
            if name not in names:
                yield f"{self.name}: has no part {name}; its parts are {' and '.join(names)}"
        for part in self.parts:
            given = value.get(part.name)
            problems = [] if given is None else list(part.problems(given))
            yield from (f"{self.name}.{problem}" for problem in problems)
            if part.required and not problems and (given is None or part.normal(given) is None):
                yield f"{self.name}.{part.name}: is not given"

    def normal(self, value: Any) -> Any:  # noqa: D102
        return {
            part.name: part.normal(value[part.name])
            for part in self.parts
            if value.get(part.name) is not None
        }

    def effective(self, value: Any) -> Any:  # noqa: D102
        # Parts that are left out are as good as their defaults.
        if not isinstance(value, dict):
            return super().effective(value)
        return {part.name: part.effective(value.get(part.name)) for part in self.parts}

    def on_wire(self, value: Any) -> Any:  # noqa: D102
        # The vendors want the parts of what is given, also those that the program leaves out.
        whole = {part.name: value.get(part.name, part.default) for part in self.parts}
        return {
            part.wire_name: part.on_wire(whole[part.name])
            for part in self.parts
            if whole[part.name] is not None
        }


class Json(Field):
    """A JSON object, as a mapping or as text: kept as the program gives it, compared as JSON.

    A mapping stays one, since the engine marks what is secret in it by its place.
    """

    def problem(self, value: Any) -> str | None:  # noqa: D102
        return "must be a mapping, or a JSON object as text" if self.read(value) is None else None

    def read(self, value: Any) -> dict[str, Any] | None:
        """The object; None where it is none."""
        try:
            read: Any = json.loads(value) if isinstance(value, str) else value
            if not isinstance(read, dict):
                return None
            if not engine.is_unknown(read):
                # What has no end, or is deeper than anybody means, is no JSON.
                json.dumps(read, allow_nan=False)
            written: dict[str, Any] = _without_floats(read)
        except (RecursionError, TypeError, ValueError):
            return None
        return written

    def canonical(self, value: Any) -> str:
        """The same text for every way to write the same object.

        The engine hands a mapping over in another order each time.
        """
        written = self.read(value)
        return json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def on_wire(self, value: Any) -> Any:  # noqa: D102 - text goes as the program writes it
        return value if isinstance(value, str) else self.canonical(value)

    def effective(self, value: Any) -> Any:  # noqa: D102
        return None if value is None else self.canonical(value)


def _without_floats(value: Any) -> Any:
    """The engine makes every number a float; the vendor wants those that are whole as they were."""
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@dataclass(kw_only=True, eq=False, repr=False)
class Many(Field):
    """A list of one kind of thing; its order means nothing.

    Attributes:
        each: what the things are like; its name is not used.
        most: how many there may be; None where there is no limit.
    """

    each: Structure
    most: int | None = None

    def problems(self, value: Any) -> Iterator[str]:  # noqa: D102
        if not isinstance(value, list):
            yield f"{self.name}: must be a list"
            return
        if self.most is not None and len(value) > self.most:
            yield f"{self.name}: must have at most {self.most} entries, has {len(value)}"
        for index, item in enumerate(value):
            yield from replace(self.each, name=f"{self.name}[{index}]").problems(item)

    def normal(self, value: Any) -> Any:  # noqa: D102
        return [self.each.normal(item) for item in value]

    def effective(self, value: Any) -> Any:  # noqa: D102
        items = map(self.each.effective, value or [])
        return sorted(items, key=lambda item: sorted(map(str, item.items())))


MADE_UP_DIGITS = 7
"""Hex digits at the end of a made-up name."""


class AutoName(Text):
    """A name that is made up where the program gives none: the resource's, and hex digits."""

    def filled(self, before: Any, call: Call) -> Any:  # noqa: D102
        if before is not None:
            return before
        return self.made_up(call, os.urandom(MADE_UP_DIGITS).hex()[:MADE_UP_DIGITS])

    def made_up(self, call: Call, digits: str) -> str:
        """The name with these digits."""
        return f"{self._stem(call)}-{digits}"

    def is_made_up(self, name: str, call: Call) -> bool:
        """Whether a name is one that was made up, and the next one will be another."""
        return bool(re.fullmatch(f"{self._stem(call)}-[0-9a-f]{{{MADE_UP_DIGITS}}}", name))

    def _stem(self, call: Call) -> str:
        stem = re.sub("[^a-z0-9]+", "-", call.name.lower()).strip("-")
        return stem[: self.most - MADE_UP_DIGITS - 1].strip("-") or "resource"


@dataclass(kw_only=True, eq=False, repr=False)
class Tags(Field):
    """A mapping of tag keys to values.

    Attributes:
        most: how many tags.
        most_in_key: characters of a key.
        most_in_value: characters of a value.
        forbidden_starts: what no key may begin with; the vendor's own tags do.
        may_hold_urls: whether a key or value may hold http:// or https://.
    """

    most: int
    most_in_key: int
    most_in_value: int
    forbidden_starts: tuple[str, ...] = ()
    may_hold_urls: bool = False

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not isinstance(value, dict):
            return "must be a mapping of keys to values"
        if len(value) > self.most:
            return f"must have at most {self.most} tags, has {len(value)}"
        if any(not isinstance(part, str) for tag in value.items() for part in tag):
            return "must have text for values"
        if any(not 1 <= len(key) <= self.most_in_key for key in value):
            return f"must have keys of 1 to {self.most_in_key} characters"
        if any(key.startswith(self.forbidden_starts) for key in value):
            return f"must have no key that begins with {' or '.join(self.forbidden_starts)}"
        if any(len(text) > self.most_in_value for text in value.values()):
            return f"must have values of at most {self.most_in_value} characters"
        if not self.may_hold_urls and any(
            re.search(_URL, part, re.IGNORECASE) for tag in value.items() for part in tag
        ):
            return "must have no http:// or https:// in a key or value"
        return None

    def normal(self, value: Any) -> Any:  # noqa: D102 - no tags are as good as none given
        return value or None


_URL = "https?://"


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


REGION = Text(
    name="region",
    most=64,
    pattern=r"[a-z0-9]+(-[a-z0-9]+)*",
    form="a region's name, such as ap-guangzhou",
    sent=False,
)
"""Where the resource is. Which regions there are, the vendor knows."""

ADOPT_ID = Text(
    name="adopt_id",
    most=256,
    pattern=r"\S+",
    form="the id of an existing resource",
    on_change=OnChange.NOTHING,
    sent=False,
)
"""The existing resource to take over at the first create."""

"""The types of parameters that Tencent Cloud's API 3.0 pages use, and the refusals of a wrong one.

Source: the parameter tables' column "Type", and the pages' lists of error codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .api import Json, VendorError

TOO_LONG = "InvalidParameterValue.TooLong"
TOO_LARGE = "InvalidParameterValue.TooLarge"
TOO_SMALL = "InvalidParameterValue.TooSmall"


class Parameter(Protocol):
    """One parameter of an action: whether it must be there, and what it may be."""

    @property
    def required(self) -> bool:
        """Whether a request without it is refused."""

    @property
    def default(self) -> Any:
        """What a request without it means; `None` for nothing."""

    def read(self, name: str, value: Any) -> Any:
        """The value, or a `VendorError`."""


@dataclass(frozen=True)
class Text:
    """String; lengths in characters; the codes differ between products."""

    longest: int | None = None
    shortest: int = 0
    default: str | None = None
    required: bool = False
    choices: tuple[str, ...] = ()
    too_long: str = TOO_LONG
    too_short: str = TOO_SMALL
    not_a_choice: str = "InvalidParameterValue"

    def read(self, name: str, value: Any) -> str:
        """The string, or a `VendorError`."""
        if not isinstance(value, str):
            raise wrong_type(name, "string")
        if self.longest is not None and len(value) > self.longest:
            raise VendorError(
                self.too_long, f"The parameter `{name}` exceeds {self.longest} characters."
            )
        if len(value) < self.shortest:
            raise VendorError(
                self.too_short, f"The parameter `{name}` has fewer than {self.shortest} characters."
            )
        if self.choices and value not in self.choices:
            raise VendorError(
                self.not_a_choice,
                f"The parameter `{name}` must be one of {', '.join(self.choices)}.",
            )
        return value


@dataclass(frozen=True)
class Whole:
    """Integer (64 bits); `10.0`, `"10"` and `true` are none."""

    smallest: int | None = None
    largest: int | None = None
    default: int | None = None
    required: bool = False
    too_large: str = TOO_LARGE
    too_small: str = TOO_SMALL

    def read(self, name: str, value: Any) -> int:
        """The integer, or a `VendorError`."""
        if type(value) is not int or not -(2**63) <= value < 2**63:
            raise wrong_type(name, "integer")
        if self.smallest is not None and value < self.smallest:
            raise VendorError(
                self.too_small, f"The parameter `{name}` must be at least {self.smallest}."
            )
        if self.largest is not None and value > self.largest:
            raise VendorError(
                self.too_large, f"The parameter `{name}` must be at most {self.largest}."
            )
        return value


@dataclass(frozen=True)
class Flag:
    """Boolean."""

    default: bool | None = None
    required: bool = False

    def read(self, name: str, value: Any) -> bool:
        """The boolean, or a `VendorError`."""
        if not isinstance(value, bool):
            raise wrong_type(name, "boolean")
        return value


@dataclass(frozen=True)
class Many:
    """Array of something; where `required`, an empty one is as good as none."""

    of: Parameter
    most: int | None = None
    required: bool = False
    too_many: str = TOO_LONG
    default: None = None

    def read(self, name: str, value: Any) -> list[Any]:
        """The list, or a `VendorError`."""
        if not isinstance(value, list):
            raise wrong_type(name, "array")
        if self.required and not value:
            raise missing(name)
        if self.most is not None and len(value) > self.most:
            raise VendorError(
                self.too_many, f"The parameter `{name}` has more than {self.most} members."
            )
        return [self.of.read(f"{name}.{index}", item) for index, item in enumerate(value)]


@dataclass(frozen=True)
class Structure:
    """An object with fields of its own, such as Filter."""

    fields: Mapping[str, Parameter]
    required: bool = False
    default: None = None

    def read(self, name: str, value: Any) -> Json:
        """The object with its defaults, or a `VendorError`."""
        if not isinstance(value, dict):
            raise wrong_type(name, "object")
        return read_all(self.fields, value, f"{name}.")


def read_all(known: Mapping[str, Parameter], sent: Json, prefix: str = "") -> Json:
    """Check everything that was sent; the values with the defaults of those left out."""
    for name in sent:
        if name not in known:
            raise VendorError("UnknownParameter", f"The parameter `{prefix}{name}` is not known.")
    read: Json = {}
    for name, parameter in known.items():
        if name in sent:
            # A JSON null is refused like any wrong type: the vendor's own SDK leaves out what is
            # not set, and no page says that null means the same.
            read[name] = parameter.read(f"{prefix}{name}", sent[name])
        elif parameter.required:
            raise missing(f"{prefix}{name}")
        elif parameter.default is not None:
            read[name] = parameter.default
    return read


def missing(name: str) -> VendorError:
    """A parameter that must be there is not."""
    return VendorError("MissingParameter", f"The request is missing the parameter `{name}`.")


def wrong_type(name: str, wanted: str) -> VendorError:
    """A parameter has another JSON type than the page says."""
    return VendorError("InvalidParameter", f"The parameter `{name}` is not a valid {wanted}.")

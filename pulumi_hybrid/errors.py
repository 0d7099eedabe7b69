"""Every way in which the package says no, and the line that it says it with.

    Error
    ├── Misconfigured      a key, region or endpoint that is missing or cannot be used
    ├── Refused            the vendor answered, and the answer was an error code
    │   ├── Throttled      too many requests: refused before any work was done
    │   ├── Transient      a fault of the vendor's that normally clears; work may have been done
    │   ├── Expired        the temporary key has ended: refused before any work was done
    │   └── NotFound       the resource that was asked for does not exist
    ├── NotSent            the connection failed in a way that proves that nothing was sent
    ├── Ambiguous          the answer was lost: the vendor may have done the work, or not
    ├── Gone               a resource that ought to be there is not
    ├── NotReady           it is there, but not in the state that was waited for
    ├── InitFailed         the resource was made, but is not finished: it stays in state
    ├── Misused            the program gives a class of ours what it cannot use
    │   └── WrongKind      an object of another class than is wanted
    └── LookUpFailed       a program's own question to a vendor found no answer

A text is one line that stands alone: what could not be done, why, what to do next, and in brackets
the vendor's own words with code and RequestId. It never holds a code, a key or a token. What only
one product refuses derives from Refused in that product's module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

# Longer than any sentence of the vendors' pages; an HTML page in place of one is cut off.
_LONGEST_VENDOR_TEXT = 300


class Error(Exception):
    """The root of the tree, and what nobody foresaw.

    Args:
        reason: why, in the words of the user's program; and after a full stop what to do.

    Attributes:
        operation: what could not be done ("cannot create RegisterCode"), put before the reason.
        closing: the last sentence, such as what became of the money. Who catches the error may know
            better, and give another.
        unsure: the error of an earlier try that may have done the work; None where none may have.
    """

    unsure: Error | None = None

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.operation = ""
        self.closing = ""

    def add(self, sentence: str) -> None:
        """Say more after the reason."""
        self.reason = f"{ended(self.reason)} {sentence}"

    def __str__(self) -> str:
        """One line."""
        said = f"{ended(self.reason)} {self.closing}" if self.closing else self.reason
        return one_line(f"{self.operation}: {said}" if self.operation else said)


class Misconfigured(Error):
    """A key, region or endpoint that is missing or cannot be used."""


@dataclass(frozen=True)
class Answer:
    """What the vendor said, and to what.

    Attributes:
        action: the API action, with its product ("TAT CreateRegisterCode").
        code: the vendor's error code.
        message: the vendor's words.
        request_id: what the vendor's support asks for; empty where there was none.
    """

    action: str
    code: str
    message: str
    request_id: str

    def __str__(self) -> str:
        """The part in brackets at the end of a line."""
        message = one_line(self.message)
        if len(message) > _LONGEST_VENDOR_TEXT:
            message = message[:_LONGEST_VENDOR_TEXT] + "…"
        parts = [f"{self.action}: {self.code}"]
        if message:
            parts.append(f"“{message.rstrip('.')}”")
        if self.request_id:
            parts.append(f"RequestId {self.request_id}")
        return f"[{', '.join(parts)}]"


class Refused(Error):
    """The vendor answered with an error code.

    Args:
        reason: what the code means for the user, and what to do.
        answer: what the vendor said.
    """

    def __init__(self, reason: str, answer: Answer) -> None:
        super().__init__(reason)
        self.answer = answer

    def __str__(self) -> str:
        """One line, the vendor's words last."""
        return one_line(f"{super().__str__()} {self.answer}")


class Throttled(Refused):
    """Too many requests: refused before any work was done, safe to repeat.

    Attributes:
        pause: seconds that the vendor asks to wait; 0 where it does not say.
    """

    pause = 0.0


class Transient(Refused):
    """A fault of the vendor's that normally clears; the work may have been done all the same."""


class Expired(Refused):
    """The temporary key has ended: refused before any work was done."""


class NotFound(Refused):
    """The resource that was asked for does not exist."""


class NotSent(Error):
    """The connection failed in a way that proves that nothing was sent: safe to repeat."""


class Ambiguous(Error):
    """The answer was lost: the vendor may have done the work, or not.

    Args:
        reason: how it was lost.
        id: of what was made, where the answer got so far; else empty.
    """

    def __init__(self, reason: str, id: str = "") -> None:
        super().__init__(reason)
        self.id = id


class Gone(Error):
    """A resource that ought to be there is not."""


class NotReady(Error):
    """A resource is there, but not in the state that was waited for.

    Args:
        reason: what it is like, and what to do.
        now: what was seen of it last.
    """

    def __init__(self, reason: str, now: dict[str, Any]) -> None:
        super().__init__(reason)
        self.now = now


class InitFailed(Error):
    """The resource was made, but is not finished: the engine keeps it in state and fails the run.

    The next ``pulumi up`` calls ``update`` to finish it, or replaces it where ``diff`` says so.

    Args:
        reason: what went wrong and what happens next.
        id: the resource's id.
        outputs: what is known of it; a once-only secret in the engine's wire form of one.
    """

    def __init__(self, reason: str, id: str, outputs: dict[str, Any]) -> None:
        super().__init__(reason)
        self.id = id
        self.outputs = outputs


class LookUpFailed(Error, pulumi.RunError):
    """A program's own question to a vendor found no answer.

    Of a ``RunError`` that a program lets pass, the engine shows the line alone.
    """


class Misused(Error, pulumi.RunError):
    """The program gives a class of ours what it cannot use."""


class WrongKind(Misused, TypeError):
    """An object of another class than is wanted."""


def ensure(value: object, kind: type) -> None:
    """Refuse another object: its words would go unseen, and the requests be somebody else's.

    Args:
        value: what the program gives; None is nothing.
        kind: the class that is wanted.

    Raises:
        WrongKind: it is another object.
    """
    if value is not None and not isinstance(value, kind):
        raise WrongKind(f"{kind.__name__} wanted, not {type(value).__name__}")


def ended(text: str) -> str:
    """The text with a full stop, unless it ends already, so that another sentence can follow."""
    return text if text.endswith((".", "]")) else f"{text}."


def one_line(text: str) -> str:
    """The text with every run of white space, line ends included, made one space."""
    return " ".join(text.split())

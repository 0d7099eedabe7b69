"""A vendor's API as a resource uses it: one call of an action, at the vendor's pace."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pulumi_hybrid import connection
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Answer, Error, Expired, Refused
from pulumi_hybrid.keys import Keys
from pulumi_hybrid.listing import listing_of
from pulumi_hybrid.pace import turn
from pulumi_hybrid.retry import repeat


@dataclass(eq=False, repr=False)
class Meaning:
    """What an error code means for the user.

    Attributes:
        reason: why, in the user's words, and after a full stop what to do.
        kind: how the code is acted upon.
    """

    reason: str
    kind: type[Refused] = Refused


_SHORTEST_SECRET = 6
"""Characters; shorter texts are words of the vendor's own, too."""


def _texts(value: Any, name: str = "", *, in_json: bool = False) -> Iterator[tuple[str, str]]:
    """All texts in parameters with their names, but for ids, which are the vendor's own words."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, str(key), in_json=in_json)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, name, in_json=in_json)
    elif isinstance(value, str):
        with suppress(ValueError):
            # Of JSON the vendor may quote a part.
            for _, text in _texts(json.loads(value), in_json=True):
                yield name, text
                yield name, json.dumps(text, ensure_ascii=False)[1:-1]
        # What a key in JSON is called, the user has chosen.
        is_id = not in_json and name.lower().endswith(("id", "ids"))
        if len(value) >= _SHORTEST_SECRET and not is_id:
            yield name, value


class Api(ABC):
    """One product in one region, for the length of one call of the engine.

    Args:
        product: the product's name ("TAT").
        keys: what signs the requests; None for the few actions that are not signed.
        meanings: by error code; a code with subcodes also means those of its subcodes that have no
            line of their own, and the empty code any other.
        call: the engine's call: shows progress, knows when the engine has gone.
        deadline: how long the whole call may take.

    Attributes:
        keys: what signs the requests.
        region: the region's name; empty for products that take none.
        deadline: how long the whole call may take.
    """

    region: str = ""

    def __init__(
        self,
        product: str,
        *,
        keys: Keys | None,
        meanings: Mapping[str, Meaning],
        call: Call,
        deadline: Deadline,
    ) -> None:
        self.keys = keys
        self.deadline = deadline
        self._product = product
        self._meanings = meanings
        self._call = call

    def call(
        self,
        action: str,
        parameters: Mapping[str, Any],
        *,
        repeatable: bool = True,
        holding: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """Call an action as often as it takes.

        Args:
            action: the API's name for it ("CreateRegisterCode").
            parameters: what it takes, in the API's own names.
            repeatable: whether doing it twice is the same as doing it once. Where it is not, a lost
                answer is not asked for again.
            holding: what the answer must hold, the id first. One that lacks a part is as good as
                lost; the error names the id where it came.

        Returns:
            The answer's content.

        Raises:
            Refused: the vendor said no.
            NotSent: the vendor could not be reached.
            Ambiguous: the answer was lost.
        """
        title = f"{self._product} {action}"

        def send() -> dict[str, Any]:
            with turn(self.account, title):
                try:
                    answer = self._signed(title, action, parameters)
                except Refused as refusal:
                    refusal.answer = self._without_secrets(refusal.answer, parameters)
                    raise
            missing = [name for name in holding if not answer.get(name)]
            if missing:
                id = str(answer.get(holding[0]) or "")
                raise connection.lost(title, f"it came without {' and '.join(missing)}", id)
            return answer

        try:
            return repeat(send, call=self._call, deadline=self.deadline, repeatable=repeatable)
        finally:
            if not action.startswith("Describe"):
                listing_of(self.place).forget()

    def _without_secrets(self, answer: Answer, parameters: Mapping[str, Any]) -> Answer:
        """The vendor's words without what was sent: an input may be a secret, and so is the key."""
        message = answer.message
        named = {text: f"<{name}>" for name, text in _texts(parameters)}
        # Another key than the one that signed may be in force by now, or none to be had.
        with suppress(Error):
            key = self.keys.key() if self.keys else None
            named |= {text: "<key>" for text in (key.secret, key.token) if text} if key else {}
        for text in sorted(named, key=len, reverse=True):
            message = message.replace(text, named[text])
        return replace(answer, message=message)

    @property
    def place(self) -> tuple[str, str, str]:
        """Product, account and region: what may be shared within the process."""
        return self._product, self.account, self.region

    def _signed(self, title: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request once, and once more with another key where its own has ended.

        Here, and not in the SDK, a key that is renewed on the way fails with a line of its own.
        """
        if self.keys is None:
            return self._send(title, action, parameters)
        key = self.keys.key()
        try:
            return self._send(title, action, parameters)
        except Expired:
            if not self.keys.renew(key):
                raise
        return self._send(title, action, parameters)

    @property
    def account(self) -> str:
        """By which requests are counted; empty for those that are not signed."""
        return self.keys.account if self.keys else ""

    def may_wait(self, seconds: float, patience: Deadline | None = None) -> bool:
        """Whether there is time to wait so long, and somebody to wait for.

        Args:
            seconds: how long.
            patience: until when at most; None: as long as the whole call may take.
        """
        left = min(one.left for one in (self.deadline, patience) if one is not None)
        return left >= seconds and not self.abandoned

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the engine does."""
        self._call.sleep(seconds)

    def wait(self, text: str, state: str, seconds: float) -> None:
        """Show on the resource's row what is waited for, and wait.

        Args:
            text: what goes on.
            state: what is waited in; while it stays the same, a text is shown every ten seconds.
            seconds: how long; no longer than the engine does.
        """
        self.progress(text, state)
        self.sleep(seconds)

    def progress(self, text: str, state: str) -> None:
        """Show on the resource's row what goes on; one state's texts come ten seconds apart."""
        self._call.progress(text, state)

    def warn(self, text: str) -> None:
        """Show the text as a warning that stays in the run's diagnostics."""
        self._call.warn(text)

    @property
    def urn(self) -> str:
        """The resource's URN; empty where the engine cannot be asked."""
        return self._call.urn

    @property
    def replaced(self) -> Mapping[str, Any]:
        """In a create, the outputs of the resource whose place it takes, as far as known."""
        return self._call.replaced

    @property
    def replaces(self) -> bool:
        """Whether the call is one half of a replacement."""
        return self._call.replaces

    @property
    def abandoned(self) -> bool:
        """Whether the engine has gone, so that there is nobody to wait for."""
        return self._call.abandoned

    @property
    def undoes(self) -> bool:
        """Whether the call removes what it made itself, since nobody can hold it."""
        return self._call.undoes

    @abstractmethod
    def _send(self, title: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request once, and make every failure one of ours."""

    def _refused(self, answer: Answer) -> Refused:
        """The error that the vendor's code stands for."""
        code = answer.code
        while code and code not in self._meanings:
            code = code.rpartition(".")[0]
        meaning = self._meanings[code]
        return meaning.kind(meaning.reason, answer)

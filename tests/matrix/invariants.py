"""What holds whatever happens."""

from __future__ import annotations

import re
from collections import Counter

from pulumi_hybrid.errors import Error

from .world import World

_IDS = {
    "register_codes": "RegisterCodeId",
    "activations": "ActivationId",
    "registries": "RegistryId",
    "deals": "OrderId",
}
_MAYBE_MADE = (
    "it may have been done, or not",
    "It may exist and cost",
    "Whether money has moved is not known",
    "Look through the",
)
"""How a line says that something may be there whose id nobody knows."""


class Invariants:
    """Checks them, and counts what was looked at.

    Attributes:
        checked: by the invariant, how many things were held against it.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.checked: Counter[str] = Counter()
        self._lines_seen = 0

    def hold(self) -> None:
        """All that can be seen at any moment."""
        self.errors_are_one_line()
        self.nothing_leaks()
        self.nothing_is_lost()

    def errors_are_one_line(self) -> None:
        for said in self.world.said:
            for problem in said.problems:
                assert re.fullmatch(r"[a-z_]+[^\n]*: [^\n]+", problem), problem
        errors = [error for said in self.world.said for error in said.errors]
        for error in errors[self._lines_seen :]:
            text = str(error)
            assert isinstance(error, Error), repr(error)
            assert text.splitlines() == [text] == [text.strip()]
            assert text.startswith("cannot ")
            assert "This is a bug" not in text, text
            assert error.__cause__ is None
            assert error.__context__ is None
            self.checked["a failure is one line of ours"] += 1
        self._lines_seen = len(errors)

    def nothing_leaks(self) -> None:
        told = "\n".join(said.everything for said in self.world.said[-1:])
        secrets = self.world.secrets()
        for secret in secrets:
            assert secret not in told
        self.checked["no secret in what is told"] += len(secrets)
        held = [self.world.held, *self.world.to_delete]
        for resource in filter(None, held):
            once_only = self.world.provider.secrets
            open = {k: v for k, v in resource.outputs.items() if k not in once_only}
            for secret in secrets:
                assert secret not in repr((resource.inputs, open))
            self.checked["no secret in state but in its place"] += 1

    def nothing_is_lost(self) -> None:
        """Each thing at the vendor is in state, or a line has said that it may be there."""
        for id in sorted(self.there() - self.held()):
            named = any(id in line for line in self._lines)
            assert named or self._maybe_made(), f"{id} is lost: {self._lines}"
            self.checked["an orphan is named" if named else "an orphan is told of"] += 1
        self.checked["nothing is lost"] += 1

    def bought(self, expected: dict[str, int]) -> None:
        """The account has paid what it would have paid without the fault."""
        counts = self.world.cloud.ledger()["counts"]
        assert counts == expected
        self.checked["nothing is bought twice"] += 1

    def there(self) -> set[str]:
        """What lives at the vendor: its ids."""
        found = set()
        for kind, name in _IDS.items():
            for document in self.world.documents(kind):
                if kind == "deals" and not (
                    document["Action"] == "purchase"
                    and document["Status"] in (1, 2, 3, 4, 12)
                    and self._has_instances(document)
                ):
                    continue
                if document.get("Status") in ("Deleting", "Isolate") or document.get("Disabled"):
                    continue
                found.add(document[name])
        return found

    def held(self) -> set[str]:
        """What state holds: its ids."""
        held = [self.world.held, *self.world.to_delete]
        return {resource.id for resource in held if resource}

    @property
    def _lines(self) -> list[str]:
        return [line for said in self.world.said for line in said.lines]

    def _maybe_made(self) -> bool:
        return any(said in line for line in self._lines for said in _MAYBE_MADE)

    def _has_instances(self, deal: dict[str, object]) -> bool:
        live = [
            instance["InstanceId"]
            for instance in self.world.documents("renew_instances")
            if instance["Status"] == "NORMAL"
        ]
        ids = deal["ResourceId"] or []
        assert isinstance(ids, list)
        return not ids or any(id in live for id in ids)


def without_names(line: str) -> str:
    """A line with what differs from run to run left out."""
    for pattern, name in (
        (r"RequestId [0-9A-Fa-f]{8}-[\w-]+", "RequestId …"),
        (r"\b[\w-]*\d{14,}[\w-]*\b", "<id>"),
        (r"\b[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b", "<id>"),
        (r"\btcr-[0-9a-z]{8}\b", "<id>"),
        (r"\bmi-[\w-]+", "<id>"),
        (r"\d{4}-\d\d-\d\d[T ][\d:]+(Z|[+]\d\d:\d\d)?", "<time>"),
        (r"\b\d+ s\b", "… s"),
        (r"after \d+ tries", "after … tries"),
    ):
        line = re.sub(pattern, name, line)
    return line

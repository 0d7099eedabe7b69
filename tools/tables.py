#!/usr/bin/env python3
"""Writes the tables of the pages that are made of the code.

In a page, what stands between `<!-- table of MODULE.NAME -->` and `<!-- end -->` is such a table.
They are kept in the pages, so that who reads them where the code is hosted sees them too; a test
says where they have fallen behind.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pulumi_hybrid.api import Meaning
from pulumi_hybrid.errors import Expired, NotFound, Throttled, Transient
from pulumi_hybrid.tencentcloud.billing import Locked
from pulumi_hybrid.tencentcloud.tcr import Busy, NameTaken

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TABLE = re.compile(r"(<!-- table of (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)

_BY_ITSELF = {
    Throttled: "waits",
    Busy: "waits",
    Locked: "waits",
    NameTaken: "waits a moment",
    Transient: "tries again",
    Expired: "renews the key",
    NotFound: "takes it as gone",
}


def written(page: str) -> str:
    """The page with its tables as they ought to be."""
    return TABLE.sub(lambda table: f"{table[1]}{_table(table[2])}{table[3]}", page)


def _table(name: str) -> str:
    module, _, value = name.rpartition(".")
    return _rendered(getattr(importlib.import_module(module), value))


def _rendered(entries: Mapping[Any, Any]) -> str:
    first = next(iter(entries.values()))
    if isinstance(first, Meaning):
        return _lines(("code", "what it means, and what to do", "by itself"), _codes(entries))
    if isinstance(first, str):
        return _lines(("", ""), ((f"`{name}`", text) for name, text in entries.items()))
    statuses = ((f"`{status.name}`", status.fate) for status in entries.values() if status.fate)
    return _lines(("", ""), statuses)


def _codes(meanings: Mapping[str, Meaning]) -> Iterable[tuple[str, ...]]:
    for code, meaning in meanings.items():
        by_itself = (text for kind, text in _BY_ITSELF.items() if issubclass(meaning.kind, kind))
        yield f"`{code}`" if code else "any other", meaning.reason, next(by_itself, "")


def _lines(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    every = [heads, ["---"] * len(heads), *rows]
    return "".join(
        "|" + "".join(f" {cell} |" if cell else " |" for cell in row) + "\n" for row in every
    )


def main() -> None:
    """Bring every page up to date, and name those that were not."""
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        if (new := written(page)) != page:
            path.write_text(new, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()

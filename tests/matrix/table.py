"""What the matrices add up to: one table at the end of a run, and a file of outcomes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

CELLS = Path(__file__).parent / "cells.md"

# What a test tells with record_property.
CELL = "cell of"
CHECKED = "checked"
OUTCOME = "outcome"

_TITLE = """# What a fault does

By the place where it happens, once: what the user sees of that `pulumi` command, and what the
vendor holds after it. Whatever is seen, what the user does next converges, and nothing is bought
twice. Written by `pytest tests/matrix --whole --update`, and checked by every run.
"""


def print_table(terminalreporter: pytest.TerminalReporter) -> None:
    """One table: cells and those that passed; invariants and how often they were looked at."""
    cells: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    outcomes: dict[str, dict[str, list[str]]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == CELL:
                    cells[value] += 1
                    passed[value] += outcome == "passed"
                elif name == CHECKED:
                    checked.update(value)
                elif name == OUTCOME:
                    place, kind, what = value
                    outcomes.setdefault(place, {}).setdefault(what, []).append(kind)
    if not cells:
        return
    if terminalreporter.config.getoption("--update"):
        CELLS.write_text(_written(outcomes))
    terminalreporter.section("the matrix")
    width = max(map(len, [*cells, *checked]))
    for name in sorted(cells):
        terminalreporter.line(f"{name:<{width}} {cells[name]:>6} cells {passed[name]:>6} passed")
    for name in sorted(checked):
        terminalreporter.line(f"{name:<{width}} {checked[name]:>6} times")


def _written(outcomes: dict[str, dict[str, list[str]]]) -> str:
    """The kinds of each place, those together that end alike."""
    text = _TITLE
    for place, by_outcome in sorted(outcomes.items()):
        text += f"\n## {place}\n\n"
        lines = sorted((sorted(kinds), what) for what, kinds in by_outcome.items())
        text += "".join(f"- {'; '.join(kinds)} — {what}\n" for kinds, what in lines)
    return text

"""What `make bench` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measure.

    Attributes:
        measure: what was measured, with its size.
        goal: in words.
        figure: what came out, beside the goal.
        met: whether it is as good as the goal.
        others: what the others take, for those that have it too.
    """

    measure: str
    goal: str
    figure: str
    met: bool
    others: str = ""


@dataclass(frozen=True)
class Growth:
    """What one resource takes in a stack of so many.

    Attributes:
        operation: create, no-op, refresh or destroy.
        size: how many resources.
        ours: seconds for each of ours.
        null: seconds for each of a provider that does nothing.
        calls: vendor calls for each of ours.
    """

    operation: str
    size: int
    ours: float
    null: float
    calls: float


def print_tables(rows: Sequence[Row], growth: Sequence[Growth]) -> None:
    """Both tables, as docs/performance.md shows them."""
    _print(
        ("measure", "goal", "figure", "others", "verdict"),
        [
            (row.measure, row.goal, row.figure, row.others, "met" if row.met else "MISSED")
            for row in rows
        ],
    )
    print()
    _print(
        ("resources", "operation", "ours, ms each", "null, ms each", "ratio", "vendor calls each"),
        [
            (
                str(one.size),
                one.operation,
                f"{1000 * one.ours:.0f}",
                f"{1000 * one.null:.0f}",
                f"{one.ours / one.null:.2f}",
                f"{one.calls:.3g}",
            )
            for one in growth
        ],
    )


def _print(head: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    for line in (head, ["-" * width for width in widths], *lines):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(f"| {' | '.join(cells)} |")

"""Options of the tests, and what the matrices add up to."""

from __future__ import annotations

# Else its plugin imports it at the end of a run that has no properties, and Python 3.11 breaks the
# parse of it off where the tests' garbage is told of meanwhile.
import hypothesis  # noqa: F401
import pytest

from tests.matrix.table import print_table


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--whole", action="store_true", help="every cell of the matrices, and what is marked whole"
    )
    parser.addoption("--update", action="store_true", help="write anew what the matrix records")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--whole"):
        return
    left_out = [item for item in items if item.get_closest_marker("whole")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    print_table(terminalreporter)

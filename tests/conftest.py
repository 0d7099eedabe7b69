"""Options of the tests, and what the matrices add up to."""

from __future__ import annotations

import pytest

from tests.matrix.table import print_table


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="every cell of the matrices, not a few")
    parser.addoption("--update", action="store_true", help="write anew what the matrix records")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    print_table(terminalreporter)

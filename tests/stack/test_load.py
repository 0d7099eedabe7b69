"""A thousand codes at the vendor's pace, and a provider process that lives for long."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from pulumi_hybrid.emulator import Emulator
from tests.matrix.table import CELL, CHECKED
from tests.stack import conftest
from tests.stack.conftest import ROOT, Stack

CODES = 1000
ROUNDS = 10

LIVES = f"""
import gc
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config
from pulumi_hybrid import pace
from pulumi_hybrid.tencentcloud.tat import RegisterCodeProvider

pace._BETWEEN = pace._SECONDS = 0
provider = RegisterCodeProvider()
provider.configure(ConfigureRequest(Config({{}}, "load")))
for _ in range({ROUNDS}):
    for number in range(50):
        inputs = provider.check({{}}, {{"description": str(number)}}).inputs
        made = provider.create(inputs)
        outputs = dict(made.outs, register_code_value="seen")
        assert provider.read(made.id, outputs).id == made.id
        assert not provider.diff(made.id, outputs, inputs).replaces
        provider.delete(made.id, outputs)
    gc.collect()
    with open("/proc/self/statm") as pages:
        print(pages.read().split()[1], flush=True)
"""


pytestmark = pytest.mark.whole


def test_a_thousand_codes_are_made_read_and_deleted_without_an_error(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setattr(conftest, "_MOST_SECONDS", 1200)
    stack.program(f"for n in range({CODES}): tat.RegisterCode(f'code-{{n}}')")
    assert stack.up().diagnostics == []
    stack.refresh("--expect-no-changes")
    assert stack.destroy().diagnostics == []
    assert len(stack.calls("CreateRegisterCode")) == CODES
    refused = [request["error_code"] for request in stack.cloud.requests()]
    # A busy machine may bunch requests that were spaced; they are sent again.
    assert set(refused) <= {None, "RequestLimitExceeded"}
    assert len(refused) - refused.count(None) <= CODES // 100
    record_property(CELL, "load")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_memory_of_a_provider_process_stays_flat(
    record_property: Callable[[str, object], None],
) -> None:
    with Emulator(rate_limit=None) as cloud:
        lived = subprocess.run(
            [sys.executable, "-c", LIVES],
            env={"PATH": "", "HOME": "/nonexistent", "PYTHONPATH": str(ROOT), **cloud.environment},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    pages = [int(line) for line in lived.stdout.split()]
    assert len(pages) == ROUNDS
    # The first rounds load what is loaded late.
    assert pages[-1] <= pages[2] * 1.02, pages
    record_property(CELL, "load")
    record_property(CHECKED, {"memory stays flat": ROUNDS})

"""State that an earlier version left is understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stack.conftest import ROOT, Stack

STATES = sorted(ROOT.glob("tests/states/*.json"))


@pytest.mark.parametrize("recorded", STATES, ids=lambda recorded: recorded.stem)
def test_a_recorded_state_loads_compares_refreshes_and_is_destroyed(
    stack: Stack, recorded: Path
) -> None:
    """Recorded by `pulumi stack export` under the passphrase of the tests."""
    stack.program(
        """
        tat.RegisterCode("code", description="recorded", effective_time=100000)
        ecs.Activation("activation", instance_name="recorded", time_to_live_in_hours=876576,
                       tags={"recorded": "yes"})
        """
    )
    stack.pulumi("stack", "import", "--file", str(recorded))
    stack.up("--expect-no-changes")
    assert stack.cloud.requests() == []
    resources = json.loads(recorded.read_text())["deployment"]["resources"]
    codes = [resource["id"] for resource in resources if "dynamic/" in resource["type"]]
    assert len(codes) == 2
    # The emulator never had them, which is as good as deleted.
    stack.refresh("--target", "**code")
    assert "code" not in stack.export()
    stack.destroy()
    assert [body["ActivationId"] for body in stack.calls("DeleteActivation")] == codes[1:]

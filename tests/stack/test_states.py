"""State that an earlier version left is understood."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import pulumi_hybrid
from tests.stack.conftest import ROOT, Stack

STATES = sorted(ROOT.glob("tests/states/*.json"))

PROGRAM = """
tat.RegisterCode("code", description="recorded", effective_time=100000)
ecs.Activation("activation", instance_name="recorded", time_to_live_in_hours=876576,
               tags={"recorded": "yes"})
tcr.Instance("registry", registry_name="recorded", registry_type="basic", tags={"a": "b"},
             public_access={"enabled": True, "security_policies": [
                 {"cidr_block": "10.0.0.0/8", "description": "recorded"}]})
billing.Instance("order", product_code="p_cloudfirewall", sub_product_code="sp_x",
                 region_code="ap-guangzhou", zone_code="ap-guangzhou-6",
                 on_delete="retain",
                 parameter={"pid": 1, "password": pulumi.Output.secret("recorded")})
"""


def test_the_state_of_this_release_and_python_is_recorded(
    stack: Stack, pytestconfig: pytest.Config
) -> None:
    if not pytestconfig.getoption("--update"):
        pytest.skip("records anew: --update")
    stack.program(PROGRAM)
    stack.up()
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    recorded = ROOT / f"tests/states/{pulumi_hybrid.__version__}-{python}.json"
    stack.pulumi("stack", "export", "--file", str(recorded))


@pytest.mark.parametrize("recorded", STATES, ids=lambda recorded: recorded.stem)
def test_a_recorded_state_loads_compares_refreshes_and_is_destroyed(
    stack: Stack, recorded: Path
) -> None:
    """Recorded under the passphrase of the tests, each by the Python of its name."""
    stack.program(PROGRAM)
    stack.pulumi("stack", "import", "--file", str(recorded))
    stack.up("--expect-no-changes")
    assert stack.cloud.requests() == []
    resources = json.loads(recorded.read_text())["deployment"]["resources"]
    ids = {
        resource["urn"].rpartition("::")[2]: resource["id"]
        for resource in resources
        if "dynamic/" in resource["type"]
    }
    assert len(ids) == 4
    # The emulator never had them, which is as good as deleted.
    stack.refresh("--target", "**code")
    assert "code" not in stack.export()
    stack.destroy()
    assert stack.calls("DeleteActivation")[0]["ActivationId"] == ids["activation"]
    assert stack.calls("DescribeInstances")[0]["Registryids"] == [ids["registry"]]
    assert stack.cloud.ledger()["count"] == 0

"""Two clouds, four regions, a registry, and a stack that uses them: examples/hybrid-fleet."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

from tests.stack.conftest import ROOT, Stack

EXAMPLE = ROOT / "examples/hybrid-fleet"
NOWHERE = (
    "machines.{}: {} is no place of the fleet. Choose a cloud and a region of its output cloud_init"
)


def test_a_machine_joins_with_what_another_stack_made_for_it(stack: Stack) -> None:
    """The fixture searches both stacks' states and all that was printed for the codes."""
    for name in ("fleet", "machines"):
        shutil.copytree(EXAMPLE / name, stack.folder / name)
    fleet = replace(stack, project="fleet")
    machines = replace(stack, project="machines")

    fleet.pulumi("stack", "init", "dev")
    fleet.up()
    assert fleet.pulumi("stack", "output").text.count("[secret]") == 2
    nobody = {"ap-guangzhou": 0, "ap-singapore": 0, "cn-hangzhou": 0, "cn-beijing": 0}
    assert fleet.outputs()["joined"] == nobody

    machines.pulumi("stack", "init", "dev")
    machines.pulumi("config", "set", "fleet", "organization/hybrid-fleet/dev")
    machines.up()
    assert "[secret]" in machines.pulumi("stack", "output", "user_data").text
    script = machines.outputs()["user_data"]["web-1"]
    id, code = re.findall(r"^ *(?:id|code)=(.*)$", script, re.MULTILINE)
    stack.cloud.register(activation_id=id, activation_code=code.strip("'"))

    fleet.up()
    assert fleet.outputs()["joined"] == {**nobody, "cn-hangzhou": 1}

    # A place that the fleet lacks, or that is none, is told in a line.
    for name, place in (("web-2", "tencentcloud/ap-nowhere"), ("web-3", "nowhere")):
        machines.pulumi("config", "set", "--path", f"machines.{name}", place)
        told = machines.up(fails=True)
        assert told.diagnostics.count(f"error: {NOWHERE.format(name, place)}") == 1
        machines.pulumi("config", "rm", "--path", f"machines.{name}")
    machines.destroy()
    fleet.destroy()

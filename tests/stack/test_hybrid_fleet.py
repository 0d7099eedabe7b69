"""Two clouds, four regions, a registry, and a stack that uses them: examples/hybrid-fleet."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

from tests.stack.conftest import ROOT, Stack

EXAMPLE = ROOT / "examples/hybrid-fleet"


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
    machines.destroy()
    fleet.destroy()

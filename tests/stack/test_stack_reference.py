"""A code that one stack makes and another uses: examples/stack-reference."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

from tests.stack.conftest import ROOT, Stack

EXAMPLE = ROOT / "examples/stack-reference"


def test_a_code_stays_a_secret_in_the_stack_that_uses_it(stack: Stack) -> None:
    """The fixture searches both stacks' states and all that was printed for the code."""
    for name in ("producer", "consumer"):
        shutil.copytree(EXAMPLE / name, stack.folder / name)
    consumer = replace(stack, project="consumer")
    producer = replace(stack, project="producer")

    producer.pulumi("stack", "init", "dev")
    producer.up()
    assert "[secret]" in producer.pulumi("stack", "output", "join_on_linux").text

    consumer.pulumi("stack", "init", "dev")
    consumer.pulumi("config", "set", "codes", "organization/codes/dev")
    consumer.up()
    assert "[secret]" in consumer.pulumi("stack", "output", "first_boot").text
    script = consumer.outputs()["first_boot"]
    [code] = stack.secrets
    assert f" {code} " in script

    # A rotation reaches the consumer at its next `up`.
    producer.up("--replace", _urn(producer, "halls"))
    consumer.up()
    assert consumer.outputs()["first_boot"] != script
    consumer.destroy()
    producer.destroy()


def _urn(stack: Stack, name: str) -> str:
    state = json.loads(stack.pulumi("stack", "export").text)
    [urn] = [
        resource["urn"]
        for resource in state["deployment"]["resources"]
        if resource["urn"].endswith(f"::{name}")
    ]
    return str(urn)

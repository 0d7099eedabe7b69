"""Every example runs as it stands, and as a template."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.stack.conftest import ROOT, Stack

EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/Pulumi.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_runs_as_it_stands_and_as_a_template(stack: Stack, example: Path) -> None:
    assert {path.name for path in example.iterdir()} >= {"README.md", "requirements.txt"}
    # With the real pip, the language host finds all that is installed.
    del stack.environment["PYTHONPATH"]
    project = stack.folder / "project"
    shutil.rmtree(project)
    project.mkdir()
    stack.pulumi(
        *("new", str(example), "--name=fleet", "--stack=dev", "--yes", "--force"),
        "--generate-only",
    )
    stack.up()
    outputs = stack.outputs()
    assert outputs
    # What holds a code is masked.
    masked = stack.pulumi("stack", "output").text
    assert masked.count("[secret]") == len(
        [name for name in outputs if any(code in str(outputs[name]) for code in stack.secrets)]
    )
    stack.up("--expect-no-changes")
    stack.destroy()

    shutil.copytree(example, project, dirs_exist_ok=True)
    stack.pulumi("stack", "init", "dev")
    stack.preview()

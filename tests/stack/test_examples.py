"""Every example runs as it stands, and as a template."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.stack.conftest import ROOT, Stack

EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/Pulumi.yaml"))
PARTS = sorted(path.parent for path in ROOT.glob("examples/*/*/Pulumi.yaml"))
"""Programs of examples with several, which have tests of their own."""


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


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.parent.name}-{part.name}")
def test_each_part_of_an_example_is_a_template(stack: Stack, part: Path) -> None:
    assert {path.name for path in part.iterdir()} >= {"README.md", "requirements.txt"}
    project = stack.folder / "project"
    shutil.rmtree(project)
    project.mkdir()
    stack.pulumi(
        *("new", str(part), "--name=mine", "--stack=dev", "--yes", "--force"), "--generate-only"
    )
    assert (project / "Pulumi.yaml").read_text().startswith("name: mine\n")
    assert (project / "__main__.py").read_text() == (part / "__main__.py").read_text()


def test_every_example_has_a_project_name_of_its_own() -> None:
    """Two of one name would be one project in a backend, and their stacks `dev` one stack."""
    names = [
        line
        for folder in (*EXAMPLES, *PARTS)
        for line in (folder / "Pulumi.yaml").read_text().splitlines()
        if line.startswith("name:")
    ]
    assert len(names) == len(EXAMPLES) + len(PARTS)
    assert sorted(set(names)) == sorted(names)

"""Every example runs as a template, and as its README says."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stack.conftest import ROOT, Stack

EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/Pulumi.yaml"))
PARTS = sorted(path.parent for path in ROOT.glob("examples/*/*/Pulumi.yaml"))
"""Programs of examples with several, which have tests of their own."""
READMES = sorted(ROOT.glob("examples/*/README.md"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_runs_as_a_template(stack: Stack, example: Path) -> None:
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


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.parent.name)
def test_the_commands_of_a_readme_run_in_the_folder_as_it_stands(
    stack: Stack, readme: Path
) -> None:
    """Nothing but what they set says where the resources are to be, and who makes them."""
    text = readme.read_text()
    unset = (*(("_ID", "_KEY") if "secretKey" in text else ()), "_REGION")
    for name in [name for name in stack.environment if name.endswith(unset)]:
        del stack.environment[name]
    shutil.copytree(readme.parent, stack.folder / "example")
    place, ran = stack.folder / "example", []
    for line in re.findall("^ {4}(pulumi .*|cd .*)", text, re.MULTILINE):
        command, *words = shlex.split(line, comments=True)
        if command == "cd":
            place = (place / words[0]).resolve()
            continue
        there = replace(stack, project=str(place.relative_to(stack.folder)))
        keys = {"AKID…": stack.cloud.secret_id, "LTAI…": stack.cloud.secret_id}
        words = [keys.get(word, word).replace("…", stack.cloud.secret_key) for word in words]
        if words == ["up"]:
            there.up()
        else:
            outcome = there.finish(there.start(*words), secret="--show-secrets" in words)
            assert outcome.code == 0, line
        ran.append(words[0])
    assert ran[:2] == ["stack", "config"]
    assert "up" in ran


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

"""The rendered scripts, read by those who know their languages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_powershell
import yaml
from tree_sitter import Language, Node, Parser

from pulumi_hybrid.enrollment import cloud_init, powershell

CLOUDS = ("alicloud", "tencentcloud")
# EC2's, the smallest among the usual ones, before base64.
MOST_BYTES = 16 * 1024
# What the shell language and the script itself have for commands, beside Verb-Noun.
PROGRAMS = {"eventcreate.exe"}
APPROVED_VERBS = {
    *("Clear", "Complete", "Expand", "Get", "Hide", "Install", "Invoke", "Join", "New", "Out"),
    *("Remove", "Restart", "Select", "Sort", "Start", "Test", "Write", "ConvertFrom"),
}


def _script(cloud: str, install: str | None) -> str:
    config = yaml.safe_load(cloud_init(cloud, "cn-hangzhou", "id", "code", install))
    return str(config["write_files"][0]["content"])


@pytest.mark.parametrize("install", [None, "apt-get install -y agent"])
@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_shellcheck_finds_nothing(
    tmp_path: Path, shell: str, cloud: str, install: str | None
) -> None:
    path = tmp_path / "enroll"
    path.write_text(_script(cloud, install))
    # A user's own installation takes the place of one that is there all the same.
    options = [f"--shell={shell}", *(["--exclude=SC2329"] if install else [])]
    run = subprocess.run(
        [Path(sys.executable).parent / "shellcheck", *options, path],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert run.stdout == ""
    assert run.returncode == 0


@pytest.mark.parametrize("cloud", CLOUDS)
def test_scripts_are_as_small_as_user_data_must_be(cloud: str) -> None:
    """With room for a user's installation."""
    for write in (cloud_init, powershell):
        text = write(cloud, "ap-guangzhou", "9" * 36, "c" * 100)
        assert len(text) < MOST_BYTES / 2
        # In what form anything else would reach a machine, nobody knows.
        assert text.isascii()


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _words(nodes: list[Node], kind: str) -> set[str]:
    return {node.text.decode() for node in nodes if node.type == kind and node.text is not None}


@pytest.mark.parametrize("install", [None, "choco install agent -y\nif ($true) { 'yes' }"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_powershell_is_well_formed(cloud: str, install: str | None) -> None:
    """By a grammar: PSScriptAnalyzer is not to be had without PowerShell."""
    text = powershell(cloud, "cn-hangzhou", "id", "it's $a `code`", install)
    tree = Parser(Language(tree_sitter_powershell.language())).parse(text.encode())
    wrong = [node for node in _nodes(tree.root_node) if node.is_error or node.is_missing]
    assert [(node.start_point.row + 1, node.text) for node in wrong] == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_powershell_calls_by_full_names_with_approved_verbs(cloud: str) -> None:
    """As PSScriptAnalyzer asks: no alias, which another machine may not have."""
    text = powershell(cloud, "cn-hangzhou", "id", "code")
    tree = Parser(Language(tree_sitter_powershell.language())).parse(text.encode())
    nodes = list(_nodes(tree.root_node))
    names = _words(nodes, "command_name") | _words(nodes, "function_name")
    assert "Join-Cloud" in names
    unusual = {name for name in names - PROGRAMS if name.partition("-")[0] not in APPROVED_VERBS}
    assert unusual == set()


def test_a_powershell_text_expands_nothing() -> None:
    assert "$Code = 'it''s $a `code`'" in powershell("alicloud", "r", "id", "it's $a `code`")

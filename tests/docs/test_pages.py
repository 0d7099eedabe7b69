"""The pages cannot fall behind the code, and what they show runs."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, fields
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
import pytest

import pulumi_hybrid
from pulumi_hybrid import (
    AlicloudEnrollment,
    Enrollment,
    TencentcloudEnrollment,
    doctor,
    emulator,
)
from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.api import Meaning
from pulumi_hybrid.emulator.__main__ import main as emulator_main
from pulumi_hybrid.fields import ADOPT_ID, REGION, Choice, Field, Many, OnChange, Structure
from pulumi_hybrid.lifecycle import Lifecycle, LifecycleResource
from pulumi_hybrid.settings import CLOUDS, settings_of
from pulumi_hybrid.tencentcloud import billing, tat, tcr
from pulumi_hybrid.testing import Mocks
from tests.annotations import annotations_of
from tools.tables import DOCS, ROOT, TABLE, written

pytest_plugins = ["pytester"]

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/**/README.md")]
}
RESOURCES: dict[type[LifecycleResource], tuple[type[Lifecycle], str]] = {
    tat.RegisterCode: (tat.RegisterCodeProvider, "register-code"),
    ecs.Activation: (ecs.ActivationProvider, "activation"),
    tcr.Instance: (tcr.InstanceProvider, "registry"),
    billing.Instance: (billing.InstanceProvider, "prepaid-order"),
}
SETTINGS = [setting for cloud in CLOUDS for setting in settings_of(cloud)]

each_resource = pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: RESOURCES[kind][1])
each_page = pytest.mark.parametrize("name", PAGES)


def _page_of(kind: type[LifecycleResource]) -> str:
    return PAGES[f"docs/resources/{RESOURCES[kind][1]}.md"]


def _rows(text: str) -> dict[str, list[str]]:
    """The rows of a text's tables by the code in their first cell."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" |")]
        if line.startswith("| `") and (name := re.fullmatch(r"`([\w:.]+)`", cells[0])):
            assert name[1] not in rows, f"{name[1]} stands there twice"
            rows[name[1]] = cells[1:]
    return rows


def _section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


# What is in the code stands in the pages.


def test_every_resource_has_its_page() -> None:
    ours = {kind for kind in LifecycleResource.__subclasses__() if "hybrid" in kind.__module__}
    assert ours == set(RESOURCES)
    for kind in RESOURCES:
        module = kind.__module__.removeprefix("pulumi_hybrid.")
        assert _page_of(kind).startswith(f"# {module}.{kind.__name__}\n")
        assert kind.pulumi_type in PAGES["docs/resources/index.md"]


@each_resource
def test_every_input_stands_in_the_page_as_it_is(kind: type[LifecycleResource]) -> None:
    provider, _ = RESOURCES[kind]
    rows = _rows(_section(_page_of(kind), "Inputs"))
    assert set(rows) == {an_input.name for an_input in provider.inputs}
    for an_input in provider.inputs:
        what, default, change = rows[an_input.name]
        _assert_described(an_input, what)
        if an_input.required:
            assert default == "needed", an_input.name
        elif an_input.default not in (None, ""):
            assert f"{an_input.default}" in default.strip("`"), an_input.name
        replaces, in_place = change.startswith("replaces"), change.startswith("in place")
        assert replaces is (an_input.on_change is OnChange.REPLACE), an_input.name
        assert in_place is (an_input.on_change is OnChange.UPDATE), an_input.name


def _assert_described(an_input: Field, what: str) -> None:
    """Every limit, unit and word of an input, and the names of its parts, are said."""
    if an_input in (REGION, ADOPT_ID):
        return  # names that only the vendor makes up
    for limit in ("least", "most", "all_alike_above", "most_in_key", "most_in_value"):
        number = getattr(an_input, limit, None)
        if number is not None and number > 1:
            assert re.search(rf"\b{number}\b", what), f"{an_input.name}: {limit} {number}"
    assert getattr(an_input, "unit", "") in what, an_input.name
    if isinstance(an_input, Choice):
        assert [word for word in an_input.words if f"`{word}`" not in what] == []
    for part in an_input.parts if isinstance(an_input, Structure) else ():
        assert f"`{part.name}`" in what
        _assert_described(part, what)
    if isinstance(an_input, Many):
        _assert_described(an_input.each, what)


@each_resource
def test_every_output_stands_in_the_page_and_says_whether_it_is_secret(
    kind: type[LifecycleResource],
) -> None:
    provider, _ = RESOURCES[kind]
    commands = {name for name in annotations_of(kind) if name.endswith("_register_command")}
    rows = _rows(_section(_page_of(kind), "Outputs"))
    assert set(rows) == {provider.id_output, *provider.outputs, *provider.secrets, *commands}
    secret = {name for name, (what,) in rows.items() if "**secret**" in what}
    assert secret == {*provider.secrets, *commands}


@each_resource
def test_every_action_that_needs_a_permission_stands_in_the_page(
    kind: type[LifecycleResource],
) -> None:
    source = (inspect.getdoc(kind) or "").partition("Source:")[2]
    actions = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][A-Za-z]+)\b", source))
    assert any(action.startswith("Create") for action in actions)
    permissions = set(re.findall(r"`(\w+)`", _section(_page_of(kind), "Permissions")))
    assert actions == permissions & actions
    assert {name for name in permissions if name[0].isupper()} == actions


def test_every_setting_stands_in_the_page_with_its_variables() -> None:
    page = PAGES["docs/installation-configuration.md"]
    rows = re.findall(r"^\| `([\w:.]+)`(?:<br>)?([^|]*) \| (.+) \|$", page, re.MULTILINE)
    assert sorted(key for key, _, _ in rows) == sorted(setting.key for setting in SETTINGS)
    told = {key: (variables, what) for key, variables, what in rows}
    for setting in SETTINGS:
        variables, what = told[setting.key]
        assert tuple(re.findall(r"\w+_\w+", variables)) == setting.environment
        assert ("`--secret`" in what) is setting.secret
        assert ("`--plaintext`" in what) is ("--plaintext" in setting.how_to_set)


@each_page
def test_only_settings_that_exist_are_named(name: str) -> None:
    known = {name for setting in SETTINGS for name in (setting.key, setting.top)}
    known |= {variable for setting in SETTINGS for variable in setting.environment}
    # The vendor's SDK reads it.
    known.add("ALIBABA_CLOUD_CREDENTIALS_URI")
    keys = re.findall(r"\b(?:tencentcloud|alicloud):[a-z][\w.]*\w", PAGES[name])
    variables = re.findall(r"\b(?:TENCENTCLOUD|ALICLOUD|ALIBABA_CLOUD|TKE)_[A-Z_]+", PAGES[name])
    assert {*keys, *variables} <= known


def _modules() -> Iterator[Any]:
    for _, name, _ in pkgutil.walk_packages(pulumi_hybrid.__path__, "pulumi_hybrid."):
        if not name.startswith("pulumi_hybrid.emulator"):
            yield importlib.import_module(name)


def test_every_error_code_has_a_table() -> None:
    every = {
        f"{module.__name__}.{name}"
        for module in _modules()
        for name, value in vars(module).items()
        if isinstance(value, Mapping)
        and value
        and all(isinstance(meaning, Meaning) for meaning in value.values())
    }
    tables = {table[2] for page in PAGES.values() for table in TABLE.finditer(page)}
    assert "pulumi_hybrid.tencentcloud.client.COMMON_MEANINGS" in every
    assert every - tables == set()


def test_every_status_of_an_order_stands_in_the_page() -> None:
    page = _page_of(billing.Instance)
    assert [
        status.name for status in billing._STATUSES.values() if f"`{status.name}`" not in page
    ] == []


@each_page
def test_tables_of_the_code_are_as_the_code_is(name: str) -> None:
    assert written(PAGES[name]) == PAGES[name], "run tools/tables.py"


def test_every_public_name_stands_in_the_reference_and_in_a_page() -> None:
    reference = PAGES["docs/api.md"]
    pages = "".join(text for name, text in PAGES.items() if name != "docs/api.md")
    public = [getattr(pulumi_hybrid, name) for name in pulumi_hybrid.__all__]
    public += [getattr(emulator, name) for name in emulator.__all__]
    public += [Mocks, *RESOURCES]
    named = 0
    for what in filter(inspect.isclass, public):
        full = rf":: pulumi_hybrid[.\w]*\.{what.__name__}\n"
        whole = f".. automodule:: {what.__module__}\n" in reference
        assert whole or re.search(full, reference), what
        named += 1
    assert named > 10
    for name in pulumi_hybrid.__all__:
        assert name == "__version__" or re.search(rf"\b{name}\b", pages), name
    for module in (tat, tcr, billing, ecs):
        for name, what in vars(module).items():
            if getattr(what, "__module__", "") != module.__name__:
                continue
            # What a program may give in place of a plain mapping; lookups, and their answers.
            if name.endswith(("Args", "Result")) or name.startswith("get_"):
                assert f":: {module.__name__}.{name}\n" in reference, name


def test_every_input_and_output_of_an_enrollment_stands_in_its_page() -> None:
    page = PAGES["docs/resources/enrollment.md"]
    parameters = set(inspect.signature(Enrollment).parameters) - {"resource_name", "opts"}
    assert set(_rows(_section(page, "Inputs"))) == parameters
    named = set(re.findall(r"`(\w+)`", _section(page, "Inputs")))
    for side in (TencentcloudEnrollment, AlicloudEnrollment):
        assert {each.name for each in fields(side)} <= named
    outputs = set(_rows(_section(page, "Outputs")))
    assert outputs == {*Enrollment.__annotations__, "register_codes", "activations"}


def test_every_lookup_stands_in_its_page_with_its_inputs() -> None:
    rows = _rows(PAGES["docs/resources/lookups.md"])
    lookups = {
        f"{module.__name__.removeprefix('pulumi_hybrid.')}.{name}": what
        for module in (tat, tcr, billing, ecs)
        for name, what in vars(module).items()
        if name.startswith("get_") and not name.endswith("_output")
    }
    assert set(rows) == set(lookups)
    for name, what in lookups.items():
        inputs = set(inspect.signature(what).parameters) - {"region", "opts"}
        assert inputs <= set(re.findall(r"`(\w+)`", rows[name][0])), name


# What the pages show runs.


@dataclass(frozen=True)
class Block:
    """A block of Python in a page; `file` is the name under which the page's others import it."""

    page: str
    line: int
    file: str
    code: str

    @property
    def is_test(self) -> bool:
        return "def test_" in self.code


_PYTHON = re.compile(r"(?:<!-- file: (\S+) -->\n)?```python\n(.*?)```", re.DOTALL)
BLOCKS = [
    Block(name, text.count("\n", 0, found.start()) + 1, found[1] or "", found[2])
    for name, text in PAGES.items()
    for found in _PYTHON.finditer(text)
]
CONFIG = {"gamesSecretId": "AKIDEXAMPLE", "gamesSecretKey": "made-up"}
PULUMI = """
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.settings import Settings
from pulumi_hybrid.tencentcloud.client import TencentcloudApi
from pulumi_hybrid.tencentcloud.tat import TAT

settings = Settings()
api = TencentcloudApi(
    TAT, "ap-guangzhou", settings, meanings={}, call=Call(), deadline=Deadline(60)
)
api.call("CreateRegisterCode", {})
"""
"""Stands where the engine is: one request where the environment leads."""


def test_no_block_of_python_is_overlooked() -> None:
    assert len(BLOCKS) == sum(text.count("```python") for text in PAGES.values()) > 10


@pytest.fixture(scope="module")
def cloud() -> Iterator[emulator.Emulator]:
    """What lookups ask."""
    with emulator.Emulator() as running:
        yield running


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}:{block.line}")
def test_a_block_of_python_runs(
    block: Block,
    cloud: emulator.Emulator,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    stand_in = pytester.mkdir("bin") / "pulumi"
    stand_in.write_text(f"#!{sys.executable}\n{PULUMI}")
    stand_in.chmod(0o700)
    monkeypatch.setenv("PATH", str(stand_in.parent), prepend=os.pathsep)
    if block.is_test:
        for other in BLOCKS:
            if other.page == block.page and other.file:
                Path(other.file).write_text(other.code)
        Path("test_block.py").write_text(block.code)
        assert pytester.runpytest_inprocess("-W", "ignore").ret == pytest.ExitCode.OK
        return
    pulumi.runtime.set_mocks(Mocks(), project="project", stack="dev")
    for name, value in CONFIG.items():
        pulumi.runtime.set_config(f"project:{name}", value)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> None:
        exec(compile(block.code, f"{block.page}:{block.line}", "exec"), {"__name__": "__main__"})

    program()


def test_the_emulator_starts_in_the_background_of_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGES["docs/how-to/testing.md"]
    start, load = re.findall(r"^ {4}(.*emulator\.env.*)$", page, re.MULTILINE)
    # What an earlier run has left is not read.
    (tmp_path / "emulator.env").write_text("export TENCENTCLOUD_ENDPOINT=http://127.0.0.1:1\n")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    ask = (
        "import os, urllib.request as u;"
        "print(u.urlopen(os.environ['TENCENTCLOUD_ENDPOINT'] + '/_emulator/health').status,"
        "'ALICLOUD_SECRET_KEY' in os.environ)"
    )
    told = subprocess.run(
        ["sh", "-eu", "-c", "\n".join([start, "trap 'kill $!' EXIT", load, f'python -c "{ask}"'])],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout == "200 True\n"


def _words(text: str) -> str:
    """The text with every line's end made a space."""
    return " ".join(text.split())


@cache
def _options() -> set[str]:
    """The options of all that a page may tell to run."""
    known = {
        "--debug",
        "--json",
        "--path",
        "--plaintext",
        "--refresh",
        "--run-program",
        "--secret",
        "--show-secrets",
        "--target-replace",
        "--yes",
    }
    known |= {"--deregister"}  # aliyun-service's
    known |= {"--hypothesis-profile"}  # pytest's
    for source in ("tests/conftest.py", "tools/mutation.py"):
        known |= set(re.findall(r'"(--[a-z-]+)"', (ROOT / source).read_text()))
    for program in (doctor.main, emulator_main):
        with (
            redirect_stdout(StringIO()) as told,
            patch.object(sys, "argv", ["", "--help"]),
            suppress(SystemExit),
        ):
            program()
        known |= set(re.findall(r"--[a-z-]+", told.getvalue()))
    return known


@each_page
def test_commands_and_options_exist(name: str) -> None:
    text = _words(PAGES[name])
    for module in re.findall(r"python -m (pulumi_hybrid[.\w]*)", text):
        assert module in ("pulumi_hybrid.doctor", "pulumi_hybrid.emulator")
    assert set(re.findall(r"(?<![\w!-])--[a-z][a-z-]+", text)) <= _options()
    targets = set(re.findall(r"^([a-z ]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    targets = {target for line in targets for target in line.split()}
    told = re.findall(r"(?:^ {4}|`)make ([a-z]+)", PAGES[name], re.MULTILINE)
    assert set(told) <= targets


# Links lead somewhere.


def _anchors(text: str) -> set[str]:
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_to_files_and_headings_that_exist(name: str) -> None:
    prose = re.sub(r"```.*?```", "", PAGES[name], flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target.read_text(encoding="utf-8")), link

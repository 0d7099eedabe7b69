"""Every action that the package calls, answered in every wrong way, in every step of a life.

The cells are generated: from what the steps of the stories call (``calls.json``, recorded), and the
kinds of faults. What the user sees in each, and what the vendor then holds, is in ``cells.md``.
"""

from __future__ import annotations

import ast
import gc
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import pulumi_hybrid
from pulumi_hybrid import connection
from pulumi_hybrid.emulator import Emulator
from pulumi_hybrid.emulator.api import Api
from pulumi_hybrid.emulator.apis import VENDORS
from pulumi_hybrid.lifecycle import Lifecycle

from .invariants import Invariants, without_names
from .stories import STORIES, Step, Story
from .table import CELL, CELLS, CHECKED, OUTCOME
from .world import World

HERE = Path(__file__).parent
CALLS = HERE / "calls.json"

Json = dict[str, Any]

_SECONDS_FOR_AN_ANSWER = 1.0

KINDS: dict[str, Json] = {
    "refused": {"kind": "error", "code": "OperationDenied", "message": "The\nvendor's words."},
    "reset before": {"kind": "reset_before"},
    "dropped after": {"kind": "drop_after"},
    "read timeout": {"kind": "delay", "seconds": 2 * _SECONDS_FOR_AN_ANSWER},
    "slow": {"kind": "delay", "seconds": 0.05},
    "throttled": {"kind": "throttle"},
    "throttled, Retry-After": {"kind": "throttle_retry_after"},
    "InternalError": {"kind": "internal_error"},
    "InternalError, but done": {"kind": "internal_error_after"},
    "InternalError in a 200": {"kind": "code_in_200"},
    "503": {"kind": "http_503"},
    "502 with HTML": {"kind": "http_502_html"},
    "truncated": {"kind": "truncate"},
    "empty body": {"kind": "empty"},
    "charset": {"kind": "charset"},
    "error with a charset": {"kind": "charset", "code": "OperationDenied"},
    "without id": {"kind": "no_id"},
    "without secret": {"kind": "no_secret"},
    "unknown extra fields": {"kind": "extra_fields"},
    "null lists": {"kind": "null_lists"},
    "numbers as text": {"kind": "strings"},
    "nothing listed": {"kind": "gone_for"},
}
_ONCE, _FOR_EVER = 1, -1
_ONCE_ONLY = {"slow", "charset", "unknown extra fields", "numbers as text", "read timeout"}
"""Kinds that are not ordered for ever: they change nothing, or take a second each."""


def _product_of(provider: type[Lifecycle], action: str) -> str:
    """The service that an action of a story's belongs to: two products have a CreateInstance."""
    module = provider.__module__.rpartition(".")[2]
    known = {api.service: api.actions for api in _apis(provider)}
    beside = (name for name in ("tag", "sts") if action in known.get(name, ()))
    return module if action in known[module] else next(beside)


def _apis(provider: type[Lifecycle]) -> tuple[Api, ...]:
    """Those of its vendor: both have one that is called sts."""
    title = provider.cloud.title.replace(" ", "").lower()
    [apis] = [vendor.apis for vendor in VENDORS if vendor.name == title]
    return apis


def _fits(kind: str, provider: type[Lifecycle], service: str, action: str) -> bool:
    """Whether the fault can befall the action's answer."""
    [served] = [api.actions[action] for api in _apis(provider) if api.service == service]
    fits = {
        "without id": bool(served.ids),
        "without secret": bool(served.secrets),
        "null lists": action.startswith("Describe"),
        "nothing listed": action.startswith("Describe"),
        "throttled, Retry-After": service == "ecs",
        "InternalError in a 200": service == "ecs",
    }
    return fits.get(kind, True)


@dataclass(frozen=True)
class Cell:
    """A fault at one place of a story."""

    story: Story
    step: Step
    action: str
    nth: int
    kind: str
    count: int

    def __str__(self) -> str:
        when = "for ever" if self.count == _FOR_EVER else f"{self.nth + 1}"
        return f"{self.place} {when} {self.kind}"

    @property
    def place(self) -> str:
        return f"{self.story.name}, {self.step.name}: {self.action}"

    @property
    def is_recorded(self) -> bool:
        return self.nth == 0 and self.count == _ONCE

    def order(self, cloud: Emulator) -> None:
        """Have the emulator do it."""
        service = _product_of(self.story.provider, self.action)
        place = {"count": self.count, "after": self.nth, "service": service}
        order: Json = {**KINDS[self.kind], **place}
        cloud.fault(self.action, **order)


def _cells(whole: bool) -> Iterator[Cell]:
    """All of them; or the first of each action and kind."""
    recorded = json.loads(CALLS.read_text())
    seen: set[tuple[str, ...]] = set()
    elsewhere: set[tuple[str, str]] = set()
    for story in STORIES:
        for step in story.steps:
            for action, times in recorded.get(story.name, {}).get(step.name, {}).items():
                service = _product_of(story.provider, action)
                place = (story.provider.cloud.title, action)
                # What another story is about is not what this one is about.
                if (step.fails or story.config) and place in elsewhere:
                    continue
                elsewhere.add(place)
                for kind in KINDS:
                    if not _fits(kind, story.provider, service, action):
                        continue
                    cell = (story.provider.cloud.title, service, action, kind)
                    first = cell not in seen
                    seen.add(cell)
                    if whole or first:
                        yield Cell(story, step, action, 0, kind, _ONCE)
                    if whole and times > 1:
                        yield Cell(story, step, action, times - 1, kind, _ONCE)
                    if whole and kind not in _ONCE_ONLY:
                        yield Cell(story, step, action, 0, kind, _FOR_EVER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cell" in metafunc.fixturenames:
        cells = list(_cells(metafunc.config.getoption("--whole")))
        metafunc.parametrize("cell", cells, ids=str)


NewWorld = Callable[[type[Lifecycle]], World]


def test_a_fault_is_survived(
    cell: Cell,
    new_world: NewWorld,
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    step = cell.step
    record_property(CELL, f"faults of {cell.story.provider.__module__.rpartition('.')[2]}")
    world = cell.story.begin(new_world, step)
    invariants = Invariants(world)
    patience = connection.ANSWER_SECONDS
    if cell.kind == "read timeout":
        monkeypatch.setattr(connection, "ANSWER_SECONDS", _SECONDS_FOR_AN_ANSWER)
    cell.order(world.cloud)
    orders = world.cloud.faults()
    went_well = step.run(world)
    assert went_well or world.said[-1].errors
    met = any(request["fault"] for request in world.cloud.requests())
    assert met or world.cloud.faults() != orders, "the fault was not met"
    world.cloud.clear_faults()
    monkeypatch.setattr(connection, "ANSWER_SECONDS", patience)
    invariants.hold()
    outcome = f"{_seen(world)} {_there(world)}"
    if cell.is_recorded:
        record_property(OUTCOME, (cell.place, cell.kind, outcome))
    if cell.is_recorded and not pytestconfig.getoption("--update"):
        assert outcome == _outcomes()[cell.place, cell.kind]

    for otherwise in [*[None] * _MOST_RUNS, step.otherwise]:
        if went_well:
            break
        step = replace(step, program=otherwise or _as_told(world, step.program))
        went_well = step.run(world)
        invariants.hold()
    assert went_well, world.said[-1].lines
    if step.command != "destroy":
        # A refresh may find out; and then the program has the last word.
        assert world.refresh(), world.said[-1].lines
        program = step.program
        if not world.sees_no_change(program) and not world.up(program):
            program = _as_told(world, program)
            assert world.up(program), world.said[-1].lines
        assert world.sees_no_change(program), world.said[-1].lines
        invariants.checked["the next run converges"] += 1
        invariants.hold()
        assert world.destroy(), world.said[-1].lines
        invariants.hold()
    assert world.held is None
    invariants.bought(_bill(cell.story, cell.step, new_world))
    record_property(CHECKED, dict(invariants.checked))


def _as_told(world: World, program: Mapping[str, Any]) -> Mapping[str, Any]:
    """The program, with the id taken over that the last failure names."""
    named = re.search('adopt_id="(.+?)"', " ".join(world.said[-1].lines))
    return {**program, "adopt_id": named[1]} if named else program


def _seen(world: World) -> str:
    """What the user sees of a command."""
    said = world.said[-1]
    lines = [f"“{without_names(line)}”" for line in said.lines]
    ended = "fails" if said.errors else "succeeds"
    return f"{ended}: {' '.join(lines)}" if lines else f"{ended}."


def _there(world: World) -> str:
    """What the vendor holds."""
    counted = Counter(what for kind, what in _THINGS.items() for _ in world.documents(kind))
    counted.update({what: count for what, count in world.cloud.ledger()["counts"].items() if count})
    things = [what if count == 1 else f"{what} ({count})" for what, count in counted.items()]
    return f"There: {', '.join(things) or 'nothing'}."


_THINGS = {
    "register_codes": "register code",
    "activations": "activation",
    "managed_instances": "machine",
    "registries": "registry",
    "deals": "order",
}
_MOST_RUNS = 3
"""After so many the same again must have helped."""


@cache
def _outcomes() -> dict[tuple[str, str], str]:
    """By place and kind, as ``cells.md`` has them."""
    outcomes = {}
    place = ""
    for line in CELLS.read_text().splitlines():
        if line.startswith("## "):
            place = line.removeprefix("## ")
        elif line.startswith("- "):
            kinds, _, outcome = line.removeprefix("- ").partition(" — ")
            outcomes.update({(place, kind): outcome for kind in kinds.split("; ")})
    return outcomes


_bills: dict[tuple[str, str], dict[str, int]] = {}


def _bill(story: Story, until: Step, new_world: NewWorld) -> dict[str, int]:
    """What a story costs that ends after a step."""
    key = (story.name, until.name)
    if key not in _bills:
        world = story.begin(new_world, until)
        until.run(world)
        if until.fails:
            until.run(world)
        world.destroy()
        _bills[key] = world.cloud.ledger()["counts"]
    return _bills[key]


def test_the_recorded_calls_are_those_that_are_made(
    new_world: NewWorld, pytestconfig: pytest.Config
) -> None:
    made: dict[str, dict[str, Counter[str]]] = {}
    for story in STORIES:
        world = story.first_day(new_world)
        for step in story.steps:
            step.before(world)
            before = len(world.cloud.requests())
            assert step.run(world) != step.fails, world.said[-1].lines
            actions = [request["action"] for request in world.cloud.requests()[before:]]
            made.setdefault(story.name, {})[step.name] = Counter(actions)
    if pytestconfig.getoption("--update"):
        CALLS.write_text(json.dumps(made, indent=1) + "\n")
    assert json.loads(CALLS.read_text()) == made


@cache
def _actions_in_the_sources() -> set[str]:
    """Every text in the providers' sources that is an action's name."""
    # What others left is logged when it is collected, and its traceback is parsed: Python 3.11 does
    # not survive that within a parse.
    gc.collect()
    package = Path(pulumi_hybrid.__file__).parent
    known = {name for vendor in VENDORS for api in vendor.apis for name in api.actions}
    texts = {
        node.value
        for source in [package / "keys.py", *package.glob("*cloud/*.py")]
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return texts & known


def test_every_action_that_the_package_calls_has_cells() -> None:
    assert {cell.action for cell in _cells(whole=False)} == _actions_in_the_sources()
    for action in _actions_in_the_sources():
        kinds = {cell.kind for cell in _cells(whole=False) if cell.action == action}
        assert len(kinds) >= 15, action

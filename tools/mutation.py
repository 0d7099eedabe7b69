#!/usr/bin/env python3
"""`make mutation`: breaks the package at one place after another, to see the unit tests fail.

A break that no test notices has survived. Each survivor stands in `tools/survivors.toml` with the
reason why it may; the run fails where one stands there not, where a reason is left of a break that
is no more, or where too few are noticed.

    python -m tools.mutation [MODULE ...]    modules by their path, such as pulumi_hybrid/retry.py
    python -m tools.mutation --resume        what an earlier run saw noticed is not tried again, nor
                                             what may survive

What is broken: conditions, comparisons, numbers, names and codes in quotes, what is merged and
listed, keyword arguments, results, and statements that are left out. What is not: texts that people
read, types, and what is there for type checkers alone.

mutmut leaves decorated functions alone, as the hooks are, and cosmic-ray starts Python anew for
each break: so this is our own. A process is forked for each, in which the tests that run through
the broken line are run until one fails.
"""

from __future__ import annotations

import argparse
import ast
import gc
import hashlib
import importlib.abc
import importlib.util
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from multiprocessing import Pipe, SimpleQueue
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import nox
import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).resolve().parents[1]
SURVIVORS = ROOT / "tools/survivors.toml"
NOTICED = ROOT / ".mutation"
UNIT = "tests/unit"
MODULES = (
    "pulumi_hybrid/errors.py",
    "pulumi_hybrid/lifecycle.py",
    "pulumi_hybrid/pace.py",
    "pulumi_hybrid/retry.py",
    "pulumi_hybrid/settings.py",
    "pulumi_hybrid/alicloud/ecs.py",
    "pulumi_hybrid/tencentcloud/billing.py",
    "pulumi_hybrid/tencentcloud/tat.py",
    "pulumi_hybrid/tencentcloud/tcr.py",
)
GOAL = 0.85
PYTEST = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=quick")
MOST_SECONDS = 20
"""Of the tests that run through a line of a function, the fastest, for so long: then all."""
HANGS_SECONDS = 40
"""Longer than twice what its tests took when they were measured, which itself slows them."""
ONE_HANGS_SECONDS = 8
"""The same of a single test."""


# What is broken


@dataclass
class Mutant:
    """A break.

    Attributes:
        module: the module's path.
        lines: those of the statement that it is in, of a compound one those of its head.
        in_function: whether it is not done before a function is called.
        name: what and where, whatever else is in the file.
        around: a digest of the function, or of the statement outside functions, that it is in.
        put: puts it into the module's tree.
    """

    module: str
    lines: range
    in_function: bool
    name: str
    around: str
    put: Callable[[], None] = field(repr=False)


_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Break: ast.Continue,
    ast.Continue: ast.Break,
}
_UNBROKEN = "nothing is broken"
_IMPORT_ANEW = 99
_NO_TEXT = re.compile(r"[^\s]+")
_WRITTEN_FOR_CHECKERS = ("cast", "TypeVar", "field", "dataclass")


def _broken(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    new: Any
    if isinstance(node, ast.BoolOp):
        for left_out in node.values:
            rest = [value for value in node.values if value is not left_out]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield ast.Compare(node.left, [_SWAPPED[type(node.ops[0])]()], node.comparators)  # type: ignore[list-item]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, (ast.If, ast.While)) and isinstance(
        node.test, (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr)
    ):
        new = type(node)(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        yield new
    elif isinstance(node, ast.comprehension):
        for left_out in node.ifs:
            rest = [one for one in node.ifs if one is not left_out]
            yield ast.comprehension(node.target, node.iter, rest, node.is_async)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.Add)):
        if not any(isinstance(side, ast.JoinedStr) for side in (node.left, node.right)):
            yield node.left
            yield node.right
    elif isinstance(node, ast.BinOp) and type(node.op) in _SWAPPED:
        new = _SWAPPED[type(node.op)]()
        yield ast.BinOp(node.left, new, node.right)
    elif isinstance(node, ast.Constant):
        yield from map(ast.Constant, _other_values(node.value))
    elif isinstance(node, ast.Call):
        for keyword in node.keywords:
            others = [one for one in node.keywords if one is not keyword]
            yield ast.Call(node.func, node.args, others)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and len(node.args) == 2:
            yield ast.Call(node.func, node.args[:1], node.keywords)
    elif isinstance(node, ast.Dict):
        for place, key in enumerate(node.keys):
            if key is None or len(node.keys) > 1:
                keys = [*node.keys[:place], *node.keys[place + 1 :]]
                yield ast.Dict(keys, [*node.values[:place], *node.values[place + 1 :]])
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)) and len(node.elts) > 1:
        if not isinstance(getattr(node, "ctx", None), ast.Store):
            for left_out in node.elts:
                new = type(node)(elts=[one for one in node.elts if one is not left_out])
                new.ctx = ast.Load()
                yield new
    elif isinstance(node, ast.Return) and not isinstance(node.value, (ast.Constant, type(None))):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, (ast.Break, ast.Continue)):
        yield _SWAPPED[type(node)]()
    elif (
        isinstance(node, (ast.AugAssign, ast.Raise))
        or (isinstance(node, ast.Expr) and not isinstance(node.value, (ast.Constant, ast.Yield)))
        or (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], (ast.Attribute, ast.Subscript))
        )
    ):
        yield ast.Pass()


def _other_values(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield value + 1
    elif isinstance(value, str) and _NO_TEXT.fullmatch(value):
        yield f"XX{value}"


def _is_left_alone(parent: ast.AST, name: str, node: ast.AST) -> bool:
    """Whether neither a node nor what is below it is broken."""
    if name in ("annotation", "returns", "decorator_list", "type_params", "format_spec", "bases"):
        return True
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Assert)):
        # What is in braces in a text is text to who reads it.
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(parent, ast.Subscript) and name == "slice" and isinstance(node, ast.Tuple):
        return True
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Name) and called.id in _WRITTEN_FOR_CHECKERS


def mutants(module: str) -> tuple[ast.Module, list[Mutant]]:
    """A module's tree, and all breaks of it."""
    tree = ast.parse((ROOT / module).read_text(), module)
    found: list[Mutant] = []
    seen: Counter[str] = Counter()

    def add(
        parent: ast.AST,
        name: str,
        place: int | None,
        node: ast.AST,
        scope: str,
        in_function: bool,
        lines: range,
        around: str,
    ) -> None:
        for new in _broken(node):
            ast.copy_location(new, node)
            ast.fix_missing_locations(new)
            title = f"{module} {scope}: {_short(node)} -> {_short(new)}"
            seen[title] += 1
            if seen[title] > 1:
                title += f" #{seen[title]}"

            def put(new: ast.AST = new) -> None:
                if place is None:
                    setattr(parent, name, new)
                else:
                    getattr(parent, name)[place] = new

            found.append(Mutant(module, lines, in_function, title, around, put))

    def walk(parent: ast.AST, scope: str, in_function: bool, lines: range, around: str) -> None:
        for name, value in ast.iter_fields(parent):
            several = isinstance(value, list)
            for place, node in enumerate(value if several else [value]):
                if not isinstance(node, ast.AST) or _is_left_alone(parent, name, node):
                    continue
                inner = scope
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    inner = f"{scope}.{node.name}".lstrip(".")
                within = in_function or (name == "body" and isinstance(parent, ast.FunctionDef))
                its_lines = _lines(node) if isinstance(node, ast.stmt) else lines
                its_around = around
                if isinstance(parent, (ast.Module, ast.ClassDef)) and not in_function:
                    its_around = hashlib.sha256(ast.unparse(node).encode()).hexdigest()[:16]
                at = place if several else None
                add(parent, name, at, node, inner, within, its_lines, its_around)
                walk(node, inner, within, its_lines, its_around)

    walk(tree, "", False, range(0), "")
    return tree, found


def _lines(statement: ast.stmt) -> range:
    """All lines of it, since Python runs through those of an expression by parts."""
    body = getattr(statement, "body", None)
    end = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
    return range(statement.lineno, max(end, statement.lineno) + 1)


def _short(node: ast.AST) -> str:
    """A node's first line, as it would be written."""
    if isinstance(node, ast.Pass):
        return "nothing"
    if isinstance(node, ast.comprehension):
        return ast.unparse(node).strip()
    return ast.unparse(node).splitlines()[0][:160]


# Which tests run through which line


class Tests:
    """The unit tests that run through a line, the fastest first.

    Args:
        files: run these for each line instead.
    """

    def __init__(self, files: Sequence[str] = ()) -> None:
        self._files = list(files)
        self._through: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._seconds: dict[str, float] = defaultdict(float)
        self.keen = Counter[str]()
        """How many breaks of tables each test has noticed: who noticed many is asked first."""

    def measure(self, folder: Path) -> None:
        """Run all unit tests once, and keep what each runs through."""
        from coverage import CoverageData

        settings, data, times = folder / "coveragerc", folder / "data", folder / "times.xml"
        settings.write_text(
            f"[run]\ndata_file = {data}\nsource = pulumi_hybrid\ndynamic_context = test_function\n"
        )
        subprocess.run(
            [
                *(sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest"),
                *(*PYTEST, f"--junitxml={times}", UNIT),
            ],
            cwd=ROOT,
            check=True,
        )
        for case in ElementTree.parse(times).getroot().iter("testcase"):
            test = f"{case.attrib['classname']}.{case.attrib['name'].split('[')[0]}"
            self._seconds[test] += float(case.attrib["time"])
        measured = CoverageData(str(data))
        measured.read()
        for path in measured.measured_files():
            module = str(Path(path).relative_to(ROOT))
            for line, contexts in measured.contexts_by_lineno(path).items():
                self._through[module, line] |= {name for name in contexts if name in self._seconds}

    def patience(self, nodeid: str) -> float:
        """Seconds after which a test surely hangs."""
        return ONE_HANGS_SECONDS + 2 * self._seconds.get(_test(nodeid), 0.0)

    def fastest_of(self, mutant: Mutant) -> tuple[list[str], float]:
        """Those that most likely notice a break soon, and how many seconds they may take."""
        return self.of(mutant, MOST_SECONDS)

    def own_of(self, mutant: Mutant) -> tuple[list[str], float]:
        """Those of the module's own file."""
        return self._chosen(mutant, self._own(mutant))

    def others_of(self, mutant: Mutant) -> tuple[list[str], float]:
        """Those of other files that run through the module at all."""
        through = set[str]().union(
            *(tests for (module, _), tests in self._through.items() if module == mutant.module)
        )
        return self._chosen(mutant, through - self._own(mutant))

    def _own(self, mutant: Mutant) -> set[str]:
        own = {test for test in self._seconds if f".test_{Path(mutant.module).stem}." in test}
        package = Path(mutant.module).parent.name
        return {test for test in own if f".{package}." in test} or own

    def of(self, mutant: Mutant, most_seconds: float = math.inf) -> tuple[list[str], float]:
        """As pytest's command line has them, and how many seconds they may take.

        Those of the module's own file come first.
        """
        through = set[str]().union(*(self._through[mutant.module, line] for line in mutant.lines))
        return self._chosen(mutant, through or self._own(mutant), most_seconds)

    def _chosen(
        self, mutant: Mutant, through: set[str], most_seconds: float = math.inf
    ) -> tuple[list[str], float]:
        if self._files:
            return self._files, 5.0 * HANGS_SECONDS
        stem = f".test_{Path(mutant.module).stem}."
        chosen: list[str] = []
        seconds = 0.0

        def rank(test: str) -> tuple[bool, int, float, str]:
            return stem not in test, -self.keen[test], self._seconds[test], test

        for test in sorted(through, key=rank):
            seconds += self._seconds[test]
            if seconds > most_seconds and chosen:
                break
            file, _, function = test.rpartition(".")
            chosen.append(f"{file.replace('.', '/')}.py::{function}")
        return chosen, HANGS_SECONDS + 2 * seconds


def _test(nodeid: str) -> str:
    """A test's name, parameters left out, as JUnit's files have it."""
    path, _, name = nodeid.partition("[")[0].partition(".py::")
    return f"{path.replace('/', '.')}.{name}"


# What was seen before


def _line(mutant: Mutant) -> str:
    """Of the file of what was noticed: it counts no more once what is around it is another."""
    return f"{mutant.around} {mutant.name}"


def _noticed_before() -> set[str]:
    return set(NOTICED.read_text().splitlines()) if NOTICED.exists() else set()


# Running them


_Choose = Callable[[Mutant], tuple[list[str], float]]
"""The tests that a break is tried with, and how many seconds they may take."""


def _forked(
    waiting: Sequence[Mutant],
    workers: int,
    choose: _Choose,
    notice: Callable[[Mutant, list[str]], int],
) -> Iterator[tuple[Mutant, int]]:
    """Each break with the exit code of a process of its own, in which it is to be noticed."""
    left = list(reversed(waiting))
    running: dict[int, tuple[Mutant, float]] = {}
    sys.stdout.flush()
    while left or running:
        while left and len(running) < workers:
            mutant = left.pop()
            chosen, seconds = choose(mutant)
            pid = os.fork()
            if not pid:
                code = 1
                try:
                    os.setpgid(0, 0)
                    nothing = os.open(os.devnull, os.O_RDWR)
                    for stream in (0, 1, 2):
                        os.dup2(nothing, stream)
                    code = notice(mutant, chosen)
                finally:
                    os._exit(code)
            running[pid] = mutant, time.monotonic() + seconds
        for pid, (mutant, end) in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del running[pid]
                done = len(waiting) - len(left) - len(running)
                if done % 100 == 0 or done == len(waiting):
                    print(f"{done} of {len(waiting)} breaks", flush=True)
                yield mutant, os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.002)


def _tried(
    waiting: Sequence[Mutant],
    workers: int,
    passes: tuple[_Choose, _Choose],
    notice: Callable[[Mutant, list[str]], int],
    explained: Container[str],
) -> Iterator[tuple[Mutant, int]]:
    """The same in two passes: what is not noticed in the first, and may not be, is tried again."""
    doubtful: list[Mutant] = []
    for mutant, code in _forked(waiting, workers, passes[0], notice):
        if code or mutant.name in explained or mutant.name == _UNBROKEN:
            _tell(mutant, code)
            yield mutant, code
        else:
            doubtful.append(mutant)
            print(f"doubtful: {mutant.name}", flush=True)
    for mutant, code in _forked(doubtful, workers, passes[1], notice):
        _tell(mutant, code)
        yield mutant, code


class Patched:
    """Breaks functions of modules that are imported, in a run of pytest that has found all tests.

    A plugin of pytest's. The fast way: nothing is imported again.

    Args:
        trees: each module's tree.
        waiting: what to break.
        tests: what may be run.
        explained: the names of those that may survive: no more than the fastest tests are tried.
        workers: how many processes at once.
    """

    def __init__(
        self,
        trees: Mapping[str, ast.Module],
        waiting: list[Mutant],
        tests: Tests,
        explained: Container[str],
        workers: int,
    ) -> None:
        self._explained = explained
        self._trees, self._waiting, self._tests, self._workers = trees, waiting, tests, workers
        self._items: dict[str, list[pytest.Item]] = defaultdict(list)
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
        self.noticed: list[tuple[Mutant, int]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests once."""
        for item in session.items:
            test = item.nodeid.partition("[")[0]
            for name in (test, test.partition("::")[0]):
                self._items[name].append(item)
        for one in gc.get_objects():
            if isinstance(one, FunctionType):
                self._functions[_place(one.__code__)].append(one)
        # Else a collection in each process would copy all that it has in common with this one.
        gc.freeze()
        passes = (self._tests.fastest_of, self._tests.of)
        self.noticed += _tried(self._waiting, self._workers, passes, self._notice, self._explained)
        return True

    def _notice(self, mutant: Mutant, tests: list[str]) -> int:
        mutant.put()
        waiting = [compile(self._trees[mutant.module], str(ROOT / mutant.module), "exec")]
        for code in waiting:
            waiting += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
        for code in waiting:
            for function in self._functions[_place(code)]:
                try:
                    function.__code__ = code
                except ValueError:
                    # It does no longer call super().
                    return _IMPORT_ANEW
        items = [item for test in tests for item in self._items[test]]
        for item, following in zip(items, [*items[1:], None], strict=True):
            # A process that an alarm ends has noticed.
            signal.setitimer(signal.ITIMER_REAL, self._tests.patience(item.nodeid))
            for report in runtestprotocol(item, log=False, nextitem=following):
                if report.failed:
                    return 1
        return 0


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_name, code.co_firstlineno


class Imported(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a tree: the slow way, for what is done when a module is imported."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._name = module.removesuffix(".py").replace("/", ".")
        self._path, self._tree = str(ROOT / module), tree

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        """Of the one module; None for others."""
        if name != self._name:
            return None
        spec = ModuleSpec(name, self, origin=self._path)
        spec.has_location = True
        return spec

    def get_code(self, fullname: str) -> CodeType:
        """Of the tree."""
        return compile(self._tree, self._path, "exec")

    def get_source(self, fullname: str) -> str:
        """As it is on disk, for who shows a line."""
        return Path(self._path).read_text()


class Teller:
    """Tells which test has noticed, from the process in which it ran. A plugin of pytest's.

    Args:
        patience: seconds that a test may take.
    """

    def __init__(self, patience: Callable[[str], float]) -> None:
        self._patience = patience
        self._noticed: SimpleQueue[str] = SimpleQueue()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A process that an alarm ends has noticed."""
        signal.setitimer(signal.ITIMER_REAL, self._patience(nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of each part of each test."""
        if report.failed:
            self._noticed.put(_test(report.nodeid))

    def told(self) -> Iterator[str]:
        """What was told since the last time."""
        while not self._noticed.empty():
            yield self._noticed.get()


def _nothing() -> None:
    pass


def _tell(mutant: Mutant, code: int) -> None:
    if mutant.name == _UNBROKEN:
        return
    if code == 0:
        print(f"survived: {mutant.name} (line {mutant.lines.start})", flush=True)
    elif code != _IMPORT_ANEW:
        with NOTICED.open("a") as file:
            file.write(f"{_line(mutant)}\n")


def notice(
    modules: Sequence[str],
    tests: Tests,
    explained: Container[str],
    workers: int,
    only: str,
    every: int,
    before: Container[str],
    untried: Container[str],
) -> Iterator[tuple[Mutant, bool]]:
    """Each break of some modules, or a sample of them, and whether it was noticed."""
    trees: dict[str, ast.Module] = {}
    inside: list[Mutant] = []
    outside: list[Mutant] = []
    for module in modules:
        trees[module], found = mutants(module)
        last = max((mutant.lines for mutant in found), key=lambda lines: lines.start)
        chosen = [mutant for mutant in found[::every] if only in mutant.name]
        chosen += [Mutant(module, last, where, _UNBROKEN, "", _nothing) for where in (True, False)]
        for mutant in chosen:
            if _line(mutant) in before or mutant.name in untried:
                yield mutant, mutant.name not in untried
            else:
                (inside if mutant.in_function else outside).append(mutant)

    # The process that has imported everything is another than that which imports anew.
    reader, writer = Pipe(duplex=False)
    if not (pid := os.fork()):
        patched = Patched(trees, inside, tests, explained, workers)
        pytest.main([*PYTEST, "--assert=plain", UNIT], plugins=[patched])
        writer.send([(inside.index(mutant), code) for mutant, code in patched.noticed])
        os._exit(0)
    writer.close()
    for number, code in reader.recv():
        if code == _IMPORT_ANEW:
            outside.append(inside[number])
        else:
            yield inside[number], code != 0
    os.waitpid(pid, 0)

    teller = Teller(tests.patience)

    def notice(mutant: Mutant, tests: list[str]) -> int:
        if not tests:
            # Else pytest would run all.
            return 0
        mutant.put()
        sys.meta_path.insert(0, Imported(mutant.module, trees[mutant.module]))
        return int(pytest.main([*PYTEST, "--assert=plain", "-x", *tests], plugins=[teller]))

    def own_of(mutant: Mutant) -> tuple[list[str], float]:
        tests.keen.update(teller.told())
        return tests.own_of(mutant)

    passes = (own_of, tests.others_of)
    for mutant, code in _tried(outside, workers, passes, notice, explained):
        yield mutant, code != 0


def main() -> int:
    """Break, run, print, and say by the exit code whether the tests are good enough."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("module", nargs="*", default=MODULES)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", type=int, default=1, help="a sample: one break of so many")
    parser.add_argument("--only", default="", help="breaks whose name holds this text")
    parser.add_argument("--tests", nargs="*", default=(), help="run all of these files for each")
    parser.add_argument("--resume", action="store_true", help="go on with what was noticed before")
    arguments = parser.parse_args()
    if not arguments.resume:
        NOTICED.unlink(missing_ok=True)
    reasons = nox.project.load_toml(SURVIVORS) if SURVIVORS.exists() else {}
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    tests = Tests(arguments.tests)
    if not arguments.tests:
        with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
            tests.measure(Path(folder))
    # What every process would import.
    for name in ("tencentcloud.common.common_client", "alibabacloud_ecs20140526.client"):
        importlib.import_module(name)
    total, noticed, unexplained = Counter[str](), Counter[str](), []
    for mutant, is_noticed in notice(
        arguments.module,
        tests,
        reasons,
        arguments.workers,
        arguments.only,
        arguments.every,
        _noticed_before(),
        reasons if arguments.resume else (),
    ):
        if mutant.name == _UNBROKEN:
            if is_noticed:
                sys.exit(f"{mutant.module}: its tests fail where nothing is broken")
            continue
        total[mutant.module] += 1
        noticed[mutant.module] += is_noticed
        if not is_noticed and mutant.name not in reasons:
            unexplained.append(mutant)
    print("\n| module | breaks | noticed | score |\n|---|---|---|---|")
    for module in arguments.module:
        score = noticed[module] / max(1, total[module])
        print(f"| {module} | {total[module]} | {noticed[module]} | {score:.1%} |")
    breaks = {mutant.name for module in MODULES for mutant in mutants(module)[1]}
    left_over = [name for name in reasons if name not in breaks]
    for name in left_over:
        print(f"left over: {name}")
    print(f"\n{len(unexplained)} survivors without a reason in {SURVIVORS.relative_to(ROOT)}")
    too_low = [module for module in total if noticed[module] / total[module] < GOAL]
    return 1 if too_low or unexplained or left_over else 0


if __name__ == "__main__":
    sys.exit(main())

"""A real engine on a local file backend, against the emulator: what a user's machine does."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pulumi_hybrid.emulator import Emulator

ROOT = Path(__file__).parents[2]
_MOST_SECONDS = 180
_ONCE_ONLY = ("RegisterCodeValue", "ActivationCode")
_PROVIDERS = re.compile(rb'"__provider":\s*"([^"]+)"')


@dataclass
class Outcome:
    """One command's end: what it printed on both streams, in order, and its exit code."""

    text: str
    code: int

    @property
    def diagnostics(self) -> list[str]:
        """What the user is told at the end: one entry a line, without the resources' names."""
        assert "Traceback" not in self.text
        told = self.text.partition("\nDiagnostics:\n")[2].partition("\nOutputs:\n")[0]
        told = told.partition("\nResources:\n")[0]
        return [line.strip() for line in told.splitlines() if line.startswith("    ")]

    @property
    def problems(self) -> list[str]:
        """What a preview says of wrong inputs, in order."""
        assert "Traceback" not in self.text
        lines = self.text.splitlines()
        return [line.partition(" a problem: ")[2] for line in lines if " a problem: " in line]


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    parents = [tuple(map(int, line.split())) for line in listing.splitlines()]
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        children = [child for child, its_parent in parents if its_parent == parent]
        found += children
        waiting += children
    return found


@dataclass
class Stack:
    """One project with one stack, in a folder of its own.

    Attributes:
        project: the project's folder in it.
    """

    folder: Path
    engine: Path
    cloud: Emulator
    environment: dict[str, str]
    project: str = "project"
    transcript: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    left_behind: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for folder in (self.project, "state", "home", "tmp"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.pathsep.join(
                [str(Path(sys.executable).parent), str(self.engine), "/usr/bin", "/bin"]
            ),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(Path(__file__).parent / "stand_ins"),
            "PULUMI_HOME": str(self.folder / "home/.pulumi"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "correct horse battery staple",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_STACK": "dev",
            # It lives for a second or two: to collect its garbage would be a tenth of its work.
            "GOGC": "400",
            **self.environment,
        }

    def init(self) -> None:
        """Make an empty project with an empty stack."""
        (self.folder / self.project / "Pulumi.yaml").write_text("name: fleet\nruntime: python\n")
        self.pulumi("stack", "init", "dev")

    def program(self, source: str) -> None:
        """Make this the project's program."""
        head = (
            "import os\nimport pulumi\n"
            "from pulumi_hybrid.alicloud import ecs\n"
            "from pulumi_hybrid.tencentcloud import billing, tat, tcr\n"
        )
        (self.folder / self.project / "__main__.py").write_text(head + textwrap.dedent(source))

    def configure(self, values: dict[str, str], *, stack: str = "dev") -> None:
        """Set these in the stack's configuration, encrypted where a name says that it is secret."""
        pairs = [word for key, value in values.items() for word in (_option(key), f"{key}={value}")]
        self.pulumi("config", "set-all", "--stack", stack, *pairs)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; its process group is its own."""
        return subprocess.Popen(
            [self.engine / "pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder / self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill the engine alone: the provider's process goes on, until the test ends."""
        self.left_behind += descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)

    def finish(self, process: subprocess.Popen[str], *, secret: bool = False) -> Outcome:
        """Wait for a command; ``secret`` where it was asked to show secrets."""
        try:
            text, _ = process.communicate(timeout=_MOST_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        if not secret:
            self.transcript.append(text)
        self.secrets |= _values(self.cloud.resources())
        return Outcome(text, process.returncode)

    def pulumi(self, *arguments: str, fails: bool = False) -> Outcome:
        """Run a command, and see it succeed or fail as expected."""
        outcome = self.finish(self.start(*arguments))
        assert (outcome.code != 0) == fails, outcome.text
        return outcome

    def up(self, *arguments: str, fails: bool = False) -> Outcome:
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, fails=fails)

    def preview(self, *arguments: str, fails: bool = False) -> Outcome:
        return self.pulumi("preview", "--diff", *arguments, fails=fails)

    def refresh(self, *arguments: str, fails: bool = False) -> Outcome:
        return self.pulumi("refresh", "--yes", "--skip-preview", *arguments, fails=fails)

    def destroy(self, *arguments: str, fails: bool = False) -> Outcome:
        return self.pulumi("destroy", "--yes", "--skip-preview", *arguments, fails=fails)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in the clear."""
        process = self.start("stack", "output", "--json", "--show-secrets")
        outputs: dict[str, Any] = json.loads(self.finish(process, secret=True).text)
        return outputs

    def export(self) -> dict[str, dict[str, Any]]:
        """The resources by name, as they stand in the backend's file: what an export shows."""
        state = json.loads((self.folder / "state/.pulumi/stacks/fleet/dev.json").read_text())
        return {
            resource["urn"].rpartition("::")[2]: resource
            for resource in state["checkpoint"]["latest"].get("resources") or []
        }

    def calls(self, action: str) -> list[Any]:
        """The bodies of the requests that arrived for an action, in order."""
        return [request["parameters"] for request in self.cloud.requests(action)]

    def bought(self) -> dict[str, int]:
        """What the vendor's ledger counts, by kind; what was not bought is left out."""
        counts: dict[str, int] = self.cloud.ledger()["counts"]
        return {what: count for what, count in counts.items() if count}

    def assert_nothing_leaked(self) -> None:
        """No code, key or token in anything that was printed or is left on disk."""
        haystacks = {"the terminal": "\n".join(self.transcript).encode()}
        haystacks |= {
            str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }
        haystacks |= {
            f"a provider in {place}": b"\n".join(map(base64.b64decode, serialized))
            for place, content in haystacks.items()
            if (serialized := _PROVIDERS.findall(content))
        }
        secrets = set(self.secrets)
        for pair in self.cloud.key_pairs.values():
            secrets.update(filter(None, (pair.secret_key, pair.token)))
        for secret in secrets:
            for place, content in haystacks.items():
                assert secret.encode() not in content, f"a secret in the clear in {place}"


def _option(key: str) -> str:
    secret = key.endswith(("secretKey", "securityToken"))
    return "--secret" if secret else "--plaintext"


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when the condition is met."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _values(resources: Any) -> set[str]:
    """Every once-only value that the emulator holds."""
    if isinstance(resources, dict):
        own = {resources[name] for name in _ONCE_ONLY if name in resources}
        return own.union(*map(_values, resources.values()))
    if isinstance(resources, list):
        return set().union(*map(_values, resources))
    return set()


@pytest.fixture(scope="session")
def engine() -> Path:
    """The folder of the engine's programs, as `make engine` says."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools/engine/install.py"], stdout=subprocess.PIPE, check=True
    )
    return Path(found.stdout.decode().strip())


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, engine: Path) -> Path:
    """The folder of an empty stack, to copy: making one takes a second."""
    with Emulator() as cloud:
        stack = Stack(tmp_path_factory.mktemp("empty"), engine, cloud, cloud.environment)
        stack.init()
    return stack.folder


@pytest.fixture
def stack(tmp_path: Path, engine: Path, empty: Path, cloud: Emulator) -> Iterator[Stack]:
    """A stack that is set up for the emulator; afterwards no secret may have leaked."""
    shutil.copytree(empty, tmp_path, dirs_exist_ok=True)
    stack = Stack(tmp_path, engine, cloud, cloud.environment)
    yield stack
    for pid in stack.left_behind:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    stack.secrets |= _values(cloud.resources())
    stack.assert_nothing_leaked()

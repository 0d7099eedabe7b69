"""A stack of a real engine, whose runs are timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_hybrid.emulator import Emulator

HERE = Path(__file__).parent


class Stack:
    """One of the programs, with so many resources.

    Args:
        folder: where its files go.
        engine: the folder of the engine's programs.
        cloud: what it is run against.
        program: the name of a file in `programs`.
        size: how many resources it declares.
        environment: what its processes find set besides.
    """

    def __init__(
        self,
        folder: Path,
        engine: Path,
        cloud: Emulator,
        program: str,
        size: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._engine, self._project = engine, folder / "project"
        self._state = folder / "state/.pulumi/stacks/bench/dev.json"
        for name in ("project", "state", "home"):
            (folder / name).mkdir(parents=True)
        (self._project / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        for source, name in ((program, "__main__"), ("null_provider", "null_provider")):
            text = (HERE / f"programs/{source}.py").read_text()
            (self._project / f"{name}.py").write_text(text)
        self._environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(engine), os.defpath]),
            "HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # The engine has pip list what is installed before each program, and pip then looks for
            # a newer pip: for seconds where there is no network.
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PULUMI_STACK": "dev",
            "BENCH_SIZE": str(size),
            **cloud.environment,
            **(environment or {}),
        }
        self.run("stack", "init", "dev")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [self._engine / "pulumi", *words, "--non-interactive", "--color=never"],
            cwd=self._project,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> float:
        """Run a command that must succeed; the seconds that it takes."""
        start = time.monotonic()
        process = self.start(*words)
        text, _ = process.communicate()
        seconds = time.monotonic() - start
        if process.returncode:
            raise RuntimeError(f"pulumi {' '.join(words)} failed:\n{text[-3000:]}")
        return seconds

    def up(self) -> float:
        """Make what the program declares."""
        return self.run("up", "--yes", "--skip-preview")

    def no_op(self) -> float:
        """A preview that finds nothing to do."""
        return self.run("preview", "--expect-no-changes")

    def refresh(self) -> float:
        """Ask the vendor for everything."""
        return self.run("refresh", "--yes", "--skip-preview")

    def destroy(self) -> float:
        """Take everything away."""
        return self.run("destroy", "--yes", "--skip-preview")

    def megabytes(self) -> float:
        """The most memory that its provider process held during an `up`."""
        process = self.start("up", "--yes", "--skip-preview")
        most = 0
        while process.poll() is None:
            most = max(most, _provider_kilobytes(process.pid))
            time.sleep(0.05)
        if process.returncode:
            raise RuntimeError(process.communicate()[0][-3000:])
        return most / 1024

    def bytes_per_resource(self) -> float:
        """What each resource takes up in the backend's file."""
        resources = json.loads(self._state.read_text())["checkpoint"]["latest"]["resources"]
        own = [resource for resource in resources if "parent" in resource]
        return sum(len(json.dumps(one, separators=(",", ":"))) for one in own) / len(own)

    def grow(self, size: int, made: Sequence[Mapping[str, Any]]) -> None:
        """Have so many resources in state as an `up` of the whole program would leave there.

        Args:
            size: how many.
            made: each one's id and the outputs that differ from the first one's, which the stack
                holds already.
        """
        self._environment["BENCH_SIZE"] = str(size)
        state = json.loads(self._state.read_text())
        deployment = state["checkpoint"]["latest"]
        first = deployment["resources"].pop()
        for number, own in enumerate(made):
            resource = json.loads(json.dumps(first))
            resource["urn"] = f"{first['urn'].rpartition('-')[0]}-{number}"
            resource["id"] = own["id"]
            resource["outputs"].update(own["outputs"])
            deployment["resources"].append(resource)
        filled = self._project.parent / "filled.json"
        filled.write_text(json.dumps({"version": 3, "deployment": deployment}))
        self.run("stack", "import", "--file", str(filled))


def kilobytes(pid: int) -> int:
    """What a process holds in memory."""
    return next((int(rss) for own, _, rss, _ in _processes() if int(own) == pid), 0)


def _processes() -> list[list[str]]:
    """Of each process: its id, its parent's, kilobytes in memory, and how it was called."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss=,args="], stdout=subprocess.PIPE, text=True, check=True
    )
    return [line.split(None, 3) for line in listing.stdout.splitlines()]


def _provider_kilobytes(pid: int) -> int:
    """What the provider's process below an engine holds; 0 where it has none yet."""
    processes = _processes()
    below, waiting = [], [str(pid)]
    while waiting:
        parent = waiting.pop()
        children = [process for process in processes if process[1] == parent]
        below += children
        waiting += [child[0] for child in children]
    return max((int(one[2]) for one in below if "-m pulumi.dynamic" in one[3]), default=0)

"""A machine at its first boot: the rendered script as it is, at its own paths, stand-in agents.

A mount namespace lays folders of the test over those that the script and the agents write to, and
makes the rest of the machine read-only.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

_STAND_INS = Path(__file__).parent / "stand_ins"
_AGENTS = {
    "tencentcloud": ("tat_agent", "usr/local/qcloud/tat_agent"),
    "alicloud": ("aliyun-service", "usr/local/bin"),
}
# In the vendors' forms, with more characters that mean something to a shell or an expression.
_CODES = {"tencentcloud": "21e9b871e123427dbee18b0cf3", "alicloud": "a-hz0/Vq2+w8kZ*[5].^$|&="}
_WRITABLE = ("var", "run", "usr/local", "root", "tmp")
_UNSHARE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


@dataclass
class Boot:
    """What came of one boot: each script's status, and all that was printed."""

    statuses: list[int]
    text: str


@dataclass
class Machine:
    """A machine outside the clouds.

    Attributes:
        folder: holds all that is written on it.
        shell: what its ``/bin/sh`` is.
        cloud: whose agent it has, or is to have.
        code: with which it joins; no other machine's, since all see the same processes.
    """

    folder: Path
    shell: str
    cloud: str
    code: str
    transcript: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in (*_WRITABLE, "var/stand_in", "var/log", "usr/local/bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        shutil.copytree(_STAND_INS, self.folder / "usr/local/bin", dirs_exist_ok=True)
        packages = self.folder / "var/stand_in/packages"
        packages.mkdir()
        for agent, _ in _AGENTS.values():
            (self.folder / "usr/local/bin" / agent).rename(packages / agent)

    def install_agent(self) -> None:
        """Have the agent there before the first boot."""
        agent, place = _AGENTS[self.cloud]
        (self.folder / place).mkdir(parents=True, exist_ok=True)
        shutil.copy(self.folder / "var/stand_in/packages" / agent, self.folder / place)

    def set(self, name: str, number: int) -> None:
        """How often something goes wrong.

        Args:
            name: ``outages``, ``failures``, ``failing_restarts`` or ``power_cuts``.
            number: how often.
        """
        (self.folder / "var/stand_in" / name).write_text(str(number))

    def observed(self, name: str) -> list[str]:
        """What the stand-ins saw: ``joined``, ``urls``, ``services`` or ``processes``."""
        path = self.folder / "var/stand_in" / name
        return path.read_text().splitlines() if path.exists() else []

    def launch(self, user_data: str) -> Boot:
        """Give it user data as cloud-init would a new instance, with the copies it keeps; boot."""
        config = yaml.safe_load(user_data)
        assert user_data.startswith("#cloud-config\n")
        instance = self.folder / "var/lib/cloud/instances/i-1"
        memory = self.folder / "run/cloud-init"
        for folder in (instance, memory):
            folder.mkdir(parents=True, exist_ok=True)
        (instance / "user-data.txt").write_text(user_data)
        (instance / "obj.pkl").write_bytes(pickle.dumps({"userdata_raw": user_data}))
        (instance / "cloud-config.txt").write_text("#cloud-config\n" + yaml.dump(config))
        (memory / "combined-cloud-config.json").write_text(json.dumps(config))
        for file in config["write_files"]:
            path = self.folder / file["path"].lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file["content"])
            path.chmod(int(file["permissions"], 8))
        return self.boot()

    def boot(self) -> Boot:
        """Run what is run at every boot."""
        scripts = sorted(self.folder.glob("var/lib/cloud/scripts/per-boot/*"))
        runs = [self._run("/" + str(script.relative_to(self.folder))) for script in scripts]
        text = "".join(run.stdout for run in runs)
        with (self.folder / "var/log/cloud-init-output.log").open("a") as log:
            log.write(text)
        self.transcript.append(text)
        return Boot([run.returncode for run in runs], text)

    def _run(self, script: str) -> subprocess.CompletedProcess[str]:
        mounts = [f"mount --bind {self.folder / name} /{name}" for name in _WRITABLE]
        mounts.append(f"mount --bind {shutil.which(self.shell)} /bin/sh")
        mounts.append("mount -o remount,ro,bind /")
        return subprocess.run(
            [*_UNSHARE, "sh", "-c", f"{' && '.join(mounts)} && exec {script}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )

    def copies(self) -> list[str]:
        """Where the code is: files, the text printed at boots, other processes' command lines."""
        forms = [self.code.encode()]
        for before in range(3):
            # What of it is the same in base64 wherever it begins.
            encoded = base64.b64encode(b"-" * before + self.code.encode())
            forms.append(encoded[4:-4])
        found = [
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and any(form in path.read_bytes() for form in forms)
        ]
        return found + ["the output" for text in self.transcript if self.code in text]


@pytest.fixture(scope="session")
def _namespaces() -> None:
    probe = [*_UNSHARE, "mount", "-o", "remount,ro,bind", "/"]
    if not shutil.which("unshare") or subprocess.run(probe, check=False).returncode:
        pytest.skip("needs Linux's mount namespaces")


@pytest.fixture(params=["dash", "bash"])
def machine_of(
    request: pytest.FixtureRequest, tmp_path: Path, _namespaces: None
) -> Callable[[str], Machine]:
    """Make a machine for a cloud; with each shell that may be a distribution's."""
    if not shutil.which(request.param):
        pytest.skip(f"needs {request.param}")

    def make(cloud: str) -> Machine:
        return Machine(tmp_path, request.param, cloud, _CODES[cloud] + secrets.token_hex(8))

    return make

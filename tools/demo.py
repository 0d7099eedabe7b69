#!/usr/bin/env python3
"""`make demo`: the README's first command, a real `pulumi up` without an account.

Everything that it writes is in `.demo`: a copy of examples/register-code and its state.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pulumi_hybrid.emulator import Emulator

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / ".demo"
PROJECT = DEMO / "register-code"


def main() -> None:
    """Run the example from its first `up` to its `destroy`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--play", action="store_true", help="open a shell before the end")
    play = arguments.parse_args().play

    say("1. The Pulumi engine")
    engine = subprocess.run(
        [sys.executable, ROOT / "tools/engine/install.py"], stdout=subprocess.PIPE, check=True
    )
    with Emulator() as cloud:
        say(f"2. Tencent Cloud, emulated at {cloud.url}: no account, no network, no cost")
        environment = prepare(engine.stdout.decode().strip(), cloud)

        def pulumi(*words: str) -> None:
            print(f"$ pulumi {' '.join(words)}", flush=True)
            subprocess.run(["pulumi", *words], cwd=PROJECT, env=environment, check=True)

        say("3. The program is examples/register-code; this makes what it declares")
        subprocess.run(
            ["pulumi", "stack", "init", "demo"],
            cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        pulumi("up", "--yes", "--skip-preview")

        say("4. What came out. The commands hold the code, which the vendor shows only once,")
        say("   so they are secrets: encrypted in state, masked here, shown by --show-secrets", "")
        pulumi("stack", "output")

        say("5. A second run finds nothing to do")
        pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")

        if play:
            say("6. A shell in the project. Try `pulumi stack output --show-secrets`, change")
            say("   __main__.py and `pulumi up`; `exit` ends and cleans up", "")
            subprocess.run(
                [os.environ.get("SHELL", "sh")], cwd=PROJECT, env=environment, check=False
            )
        say(f"{7 if play else 6}. The end")
        pulumi("destroy", "--yes", "--skip-preview")

    say("That was a whole life of a register code. To go on:")
    print("  make play                              the same, then a shell to try things in")
    print("  python -m pulumi_hybrid.emulator       an emulator for programs of your own")
    print("  examples/register-code/README.md       the same with a real account")


def prepare(engine: str, cloud: Emulator) -> dict[str, str]:
    """A fresh copy of the example, and the environment to run it in."""
    shutil.rmtree(DEMO, ignore_errors=True)
    shutil.copytree(
        ROOT / "examples/register-code",
        PROJECT,
        ignore=shutil.ignore_patterns("__pycache__", "Pulumi.*.yaml"),
    )
    (DEMO / "state").mkdir()
    return {
        **os.environ,
        **cloud.environment,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), engine, os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{DEMO / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "demo",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def say(text: str, before: str = "\n") -> None:
    """A heading of the story."""
    print(f"{before}\033[1m{text}\033[0m" if sys.stdout.isatty() else f"{before}{text}", flush=True)


if __name__ == "__main__":
    main()

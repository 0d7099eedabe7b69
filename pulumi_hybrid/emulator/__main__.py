"""`python -m pulumi_hybrid.emulator`: serve until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
from collections.abc import Mapping

from .api import Account
from .emulator import REGION, Emulator

DESCRIPTION = """\
Serves the vendors' APIs on 127.0.0.1 and prints, as lines of `export NAME=value`, what a shell
needs to send its programs there. The key pair is that of TENCENTCLOUD_SECRET_ID and
TENCENTCLOUD_SECRET_KEY (and TENCENTCLOUD_SECURITY_TOKEN) where they are set, which are then not
printed again; else one is made up."""


def accounts_of(environment: Mapping[str, str]) -> dict[str, Account] | None:
    """The key pair that the environment holds, as the provider reads it; `None` without one."""
    secret_id = environment.get("TENCENTCLOUD_SECRET_ID")
    secret_key = environment.get("TENCENTCLOUD_SECRET_KEY")
    if not secret_id or not secret_key:
        return None
    return {secret_id: Account(secret_key, environment.get("TENCENTCLOUD_SECURITY_TOKEN") or None)}


def main() -> int:
    """Serve; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pulumi_hybrid.emulator", description=DESCRIPTION
    )
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--data", metavar="FILE.sqlite", help="keep the resources in this file")
    parser.add_argument(
        "--no-rate-limit", action="store_true", help="let more than 20 requests a second pass"
    )
    arguments = parser.parse_args()

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    given = accounts_of(os.environ)
    try:
        emulator = Emulator(
            port=arguments.port,
            accounts=given,
            data=arguments.data,
            rate_limit=None if arguments.no_rate_limit else 20,
            region=os.environ.get("TENCENTCLOUD_REGION") or REGION,
        ).start()
    except OSError as error:
        sys.stderr.write(f"cannot listen on port {arguments.port}: {error}\n")
        return 1
    lines = [
        f"export {name}={shlex.quote(value)}\n"
        for name, value in emulator.environment.items()
        # A shell that has set a key need not read it again, and a build's log should not have it.
        if os.environ.get(name) != value or name.endswith(("_ENDPOINT", "_REGION"))
    ]
    sys.stdout.write("".join(lines))
    sys.stdout.flush()
    ended.wait()
    emulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m pulumi_hybrid.emulator`: serve until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sqlite3
import sys
import threading

from .apis import VENDORS
from .emulator import Emulator

DESCRIPTION = """\
Serves the vendors' APIs on 127.0.0.1 and prints, as lines of `export NAME=value`, what a shell
needs to send its programs there. The key pairs are those of TENCENTCLOUD_SECRET_ID and
TENCENTCLOUD_SECRET_KEY (and TENCENTCLOUD_SECURITY_TOKEN), and of ALICLOUD_ACCESS_KEY and
ALICLOUD_SECRET_KEY (and ALICLOUD_SECURITY_TOKEN), where they are set, which are then not printed
again; else one is made up."""


def main() -> int:
    """Serve; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pulumi_hybrid.emulator", description=DESCRIPTION
    )
    parser.add_argument("--port", type=_port, default=0, help="default: a free one")
    parser.add_argument("--data", metavar="FILE.sqlite", help="keep the resources in this file")
    parser.add_argument(
        "--no-rate-limit", action="store_true", help="let more than 20 requests a second pass"
    )
    arguments = parser.parse_args()

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    given = {vendor.name: vendor.account_of(os.environ) for vendor in VENDORS}
    try:
        emulator = Emulator(
            port=arguments.port,
            accounts=dict(account for account in given.values() if account is not None) or None,
            data=arguments.data,
            rate_limit=None if arguments.no_rate_limit else 20,
            regions={vendor.name: vendor.region_of(os.environ) for vendor in VENDORS},
        )
    except sqlite3.Error as error:
        sys.stderr.write(
            f"cannot keep data in {arguments.data}: {error}. "
            "Name a file of the emulator's, or one that is not there yet\n"
        )
        return 1
    try:
        emulator.start()
    except OSError as error:
        sys.stderr.write(f"cannot listen on port {arguments.port}: {error}\n")
        return 1
    lines: list[str] = []
    for vendor in VENDORS:
        account = given[vendor.name]
        # A key of the shell is not printed as another vendor's either.
        secret_id = account[0] if account is not None else emulator.make_up_account()
        for name, value in emulator.environment_of(secret_id, vendor.name).items():
            # A shell that has set a key need not read it again, and a build's log should not
            # have it.
            if account is None or name.endswith(("_ENDPOINT", "_REGION")):
                lines.append(f"export {name}={shlex.quote(value)}\n")
    sys.stdout.write("".join(lines))
    sys.stdout.flush()
    ended.wait()
    emulator.stop()
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 65535, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

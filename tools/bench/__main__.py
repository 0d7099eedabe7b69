#!/usr/bin/env python3
"""`make bench`: what the package costs beside the engine and the vendors, against its goals.

Everything is measured on this machine, on the emulator, in one run, and what is compared is
measured by turns. What it is compared with:

- null: a dynamic provider that does nothing, with as many inputs and outputs: the engine's own cost
- usual: the same resource as most people write it: class in the program, SDK as it comes
- loop: the vendor's SDK called in a plain loop
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.bench.measures import Bench
from tools.bench.table import print_tables

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Measure, print, and say by the exit code whether every goal is met."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools/engine/install.py"], stdout=subprocess.PIPE, check=True
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder), Path(found.stdout.decode().strip()))
        bench.run(*sys.argv[1:])
    print_tables(bench.rows, bench.growth)
    return 0 if all(row.met for row in bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())

"""So many resources of a provider that does nothing."""

import os

from null_provider import Null

for number in range(int(os.environ["BENCH_SIZE"])):
    Null(f"code-{number}")

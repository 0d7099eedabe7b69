"""So many register codes of this package."""

import os

from pulumi_hybrid.tencentcloud import tat

for number in range(int(os.environ["BENCH_SIZE"])):
    tat.RegisterCode(f"code-{number}")

"""So many activations of this package."""

import os

from pulumi_hybrid.alicloud import ecs

for number in range(int(os.environ["BENCH_SIZE"])):
    ecs.Activation(f"code-{number}")

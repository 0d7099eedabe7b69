"""Register codes and activations of this package, half and half."""

import os

from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.tencentcloud import tat

for number in range(int(os.environ["BENCH_SIZE"]) // 2):
    tat.RegisterCode(f"code-{number}")
    ecs.Activation(f"activation-{number}")

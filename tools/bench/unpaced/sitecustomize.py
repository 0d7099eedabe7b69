"""On a provider process's path, this takes the package's pace off, to show what else takes time."""

import sys
import types
from contextlib import nullcontext

pace = types.ModuleType("pulumi_hybrid.pace")
vars(pace)["turn"] = lambda account, action: nullcontext()
sys.modules["pulumi_hybrid.pace"] = pace

"""Resources of Alibaba Cloud, one module a product, named like those of Pulumi's own provider."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi_hybrid.alicloud import ecs

__all__ = ["ecs"]

if not TYPE_CHECKING:  # it would know every name

    def __getattr__(name: str) -> Any:
        """A product is imported where it is asked for: few programs have more than one."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.{name}")

    def __dir__() -> list[str]:
        return __all__

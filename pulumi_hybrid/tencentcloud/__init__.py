"""Resources of Tencent Cloud, one module a product, named like the vendor's own SDK's."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi_hybrid.tencentcloud import billing, tat, tcr

__all__ = ["billing", "tat", "tcr"]

if not TYPE_CHECKING:  # it would know every name

    def __getattr__(name: str) -> Any:
        """A product is imported where it is asked for: few programs have more than one."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.{name}")

    def __dir__() -> list[str]:
        return __all__

"""Resources of Tencent Cloud, one module a product, named like the vendor's own SDK's."""

from pulumi_hybrid.tencentcloud import tat, tcr

__all__ = ["tat", "tcr"]

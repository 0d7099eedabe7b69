"""Resources of Tencent Cloud, one module a product, named like the vendor's own SDK's."""

from pulumi_hybrid.tencentcloud import billing, tat, tcr

__all__ = ["billing", "tat", "tcr"]

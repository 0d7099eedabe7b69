"""Resources of Alibaba Cloud, one module a product, named like those of Pulumi's own provider."""

from pulumi_hybrid.alicloud import ecs

__all__ = ["ecs"]

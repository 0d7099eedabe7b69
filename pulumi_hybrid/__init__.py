"""Tencent Cloud and Alibaba Cloud resources for Pulumi that lose no secret and buy nothing twice.

Resources:
    tencentcloud.tat.RegisterCode: a code with which machines register for TencentCloud
        Automation Tools.
    tencentcloud.tcr.Instance: a container registry of Tencent Cloud.
    tencentcloud.billing.Instance: a prepaid order of Tencent Cloud.
    alicloud.ecs.Activation: a code with which machines register as managed instances of Alibaba
        Cloud.
    Enrollment: codes for many regions, and what a machine runs to join with them.

Provider: another account, region or site than the stack's own, with TencentcloudConfig and
    AlicloudConfig.

Importing this package imports no vendor SDK: that happens in the provider process, at the first
call that needs one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pulumi_hybrid import alicloud, tencentcloud
from pulumi_hybrid.errors import Error

if TYPE_CHECKING:
    from pulumi_hybrid.enrollment import AlicloudEnrollment, Enrollment, TencentcloudEnrollment
    from pulumi_hybrid.provider import (
        AlicloudAssumeRole,
        AlicloudAssumeRoleWithOidc,
        AlicloudConfig,
        Provider,
        TencentcloudAssumeRole,
        TencentcloudAssumeRoleWithWebIdentity,
        TencentcloudConfig,
    )

__version__ = "0.1.0"

__all__ = [
    "AlicloudAssumeRole",
    "AlicloudAssumeRoleWithOidc",
    "AlicloudConfig",
    "AlicloudEnrollment",
    "Enrollment",
    "Error",
    "Provider",
    "TencentcloudAssumeRole",
    "TencentcloudAssumeRoleWithWebIdentity",
    "TencentcloudConfig",
    "TencentcloudEnrollment",
    "__version__",
    "alicloud",
    "tencentcloud",
]

if not TYPE_CHECKING:  # it would know every name

    def __getattr__(name: str) -> Any:
        """What few programs have is imported where it is asked for."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = "enrollment" if name.endswith("Enrollment") else "provider"
        return getattr(import_module(f"pulumi_hybrid.{module}"), name)

    def __dir__() -> list[str]:
        return __all__

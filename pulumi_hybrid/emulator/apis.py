"""Which APIs the emulator serves: an API more is its file and its name here."""

from __future__ import annotations

from . import alibabacloud_sts, billing, ecs, tag, tat, tcr, tencentcloud_sts
from .alibabacloud import Alibabacloud
from .api import Vendor
from .tencentcloud import Tencentcloud

VENDORS: tuple[Vendor, ...] = (
    Tencentcloud(tat.api, tcr.api, tag.api, billing.api, tencentcloud_sts.api),
    Alibabacloud(ecs.api, alibabacloud_sts.api),
)

"""One setting's way from the program to the request.

The resource's argument comes first, then the explicit Provider or the stack's configuration, then
the environment; after that the vendor's own default chain.

The explicit Provider and the stack's configuration arrive by the same door: the engine hands a
provider process one set of properties, named like the configuration keys.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pulumi_hybrid.errors import Misconfigured


@dataclass(frozen=True)
class Setting:
    """One value that a user can set.

    Attributes:
        key: the configuration key, also the explicit Provider's property.
        environment: the variables that are read where the key is not set, in this order.
        secret: whether it belongs into the configuration encrypted.
    """

    key: str
    environment: tuple[str, ...]
    secret: bool = False

    @property
    def how_to_set(self) -> str:
        """What to do about its absence, for the end of an error."""
        option = "--secret " if self.secret else ""
        return f"`pulumi config set {option}{self.key} …` or set {self.environment[0]}"


class _Config(Protocol):
    def get(self, key: str) -> object: ...


@dataclass(frozen=True)
class Cloud:
    """What is set for one vendor.

    Attributes:
        title: the vendor's name.
        key_id: the access key's id.
        key_secret: the access key's secret.
        token: the temporary key's token.
        region: where resources are that do not say where they are.
        endpoint: one URL in place of all the vendor's hosts (an emulator or a proxy).
    """

    title: str
    key_id: Setting
    key_secret: Setting
    token: Setting
    region: Setting
    endpoint: Setting


TENCENTCLOUD = Cloud(
    title="Tencent Cloud",
    key_id=Setting("tencentcloud:secretId", ("TENCENTCLOUD_SECRET_ID",)),
    key_secret=Setting("tencentcloud:secretKey", ("TENCENTCLOUD_SECRET_KEY",), secret=True),
    token=Setting("tencentcloud:securityToken", ("TENCENTCLOUD_SECURITY_TOKEN",), secret=True),
    region=Setting("tencentcloud:region", ("TENCENTCLOUD_REGION",)),
    endpoint=Setting("tencentcloud:endpoint", ("TENCENTCLOUD_ENDPOINT",)),
)

ALICLOUD = Cloud(
    title="Alibaba Cloud",
    key_id=Setting("alicloud:accessKey", ("ALICLOUD_ACCESS_KEY", "ALIBABA_CLOUD_ACCESS_KEY_ID")),
    key_secret=Setting(
        "alicloud:secretKey",
        ("ALICLOUD_SECRET_KEY", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        secret=True,
    ),
    token=Setting(
        "alicloud:securityToken",
        ("ALICLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN"),
        secret=True,
    ),
    region=Setting("alicloud:region", ("ALICLOUD_REGION", "ALIBABA_CLOUD_REGION_ID")),
    endpoint=Setting("alicloud:endpoint", ("ALICLOUD_ENDPOINT",)),
)

TENCENTCLOUD_DOMAIN = Setting("tencentcloud:domain", ("TENCENTCLOUD_DOMAIN",))
"""The site: ``tencentcloudapi.com`` (default) or ``intl.tencentcloudapi.com``."""


@dataclass(frozen=True)
class Key:
    """An access key.

    Attributes:
        id: its public half.
        secret: its secret half.
        token: the session's token, with temporary keys.
    """

    id: str
    secret: str = field(repr=False)
    token: str | None = field(repr=False)


class Settings:
    """What is set for one provider process.

    Args:
        config: what the engine handed over; anything with ``get(key)``.
        environment: the process's environment variables.
    """

    def __init__(
        self, config: _Config | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._config: _Config = {} if config is None else config
        self._environment = os.environ if environment is None else environment

    def get(self, setting: Setting) -> str | None:
        """The value in force; None where it is set nowhere. An empty text counts as not set."""
        configured = self._config.get(setting.key)
        if configured is not None and configured != "":
            if not isinstance(configured, str):
                raise Misconfigured(f"{setting.key} must be text. {setting.how_to_set}")
            return configured
        return next(filter(None, map(self._environment.get, setting.environment)), None)

    def key(self, cloud: Cloud) -> Key | None:
        """The key that is set; None where there is none, and the vendor's chain is to be asked.

        Raises:
            Misconfigured: half of it is missing, or it cannot be one.
        """
        id, secret = self.get(cloud.key_id), self.get(cloud.key_secret)
        token = self.get(cloud.token)
        if id is None and secret is None:
            return None
        for value, setting in (
            (id, cloud.key_id),
            (secret, cloud.key_secret),
            (token or "none", cloud.token),
        ):
            if value is None:
                raise Misconfigured(
                    f"half of the {cloud.title} key is missing: {setting.key} is not set. "
                    f"{setting.how_to_set}"
                )
            if not (value.isascii() and value.isprintable()) or " " in value:
                raise Misconfigured(
                    f"{setting.key} holds a space, or another character that no key has. "
                    f"{setting.how_to_set}"
                )
        return Key(str(id), str(secret), token)

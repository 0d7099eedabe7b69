"""Whose requests these are: keys that are set, else the vendor's own default chain."""

from __future__ import annotations

import threading
from typing import Any

from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.settings import TENCENTCLOUD, Settings

_LONGEST_LOOK_UP = 5.0
"""Seconds for the whole chain: the SDK asks the instance metadata without a time limit, and off
Tencent Cloud that host may swallow packets."""


def credential(settings: Settings) -> Any:
    """The SDK's credential object: static keys, or one that renews itself.

    Raises:
        Misconfigured: half a key, one that cannot be a key, or none anywhere.
    """
    from tencentcloud.common.credential import Credential

    key = settings.key(TENCENTCLOUD)
    return Credential(key.id, key.secret, key.token) if key else _default_chain()


def _default_chain() -> Any:
    """What the SDK finds: profile file, role of the CVM instance, OIDC in TKE."""
    found: list[Any] = []

    def look() -> None:
        from tencentcloud.common.credential import DefaultCredentialProvider

        try:
            found.append(DefaultCredentialProvider().get_credential())
        except Exception:  # noqa: BLE001 - the chain ends in an OSError, an AttributeError, …
            return

    thread = threading.Thread(target=look, name="tencentcloud-credentials", daemon=True)
    thread.start()
    thread.join(_LONGEST_LOOK_UP)
    if not found:
        raise Misconfigured(
            "no Tencent Cloud key found. Set tencentcloud:secretId and tencentcloud:secretKey "
            "(`pulumi config set --secret`), or TENCENTCLOUD_SECRET_ID and "
            "TENCENTCLOUD_SECRET_KEY; looked there, in ~/.tencentcloud/credentials, for a CVM "
            "instance's role and for TKE's OIDC variables"
        )
    return found[0]

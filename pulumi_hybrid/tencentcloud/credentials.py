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
        Misconfigured: half a key, a key with spaces around it, or none anywhere.
    """
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.exception import TencentCloudSDKException

    key_id = settings.get(TENCENTCLOUD.key_id)
    key_secret = settings.get(TENCENTCLOUD.key_secret)
    if key_id is None and key_secret is None:
        return _default_chain()
    for value, setting in ((key_id, TENCENTCLOUD.key_id), (key_secret, TENCENTCLOUD.key_secret)):
        if value is None:
            raise Misconfigured(
                f"half of the Tencent Cloud key is missing: {setting.key} is not set. "
                f"{setting.how_to_set}"
            )
    try:
        return Credential(key_id, key_secret, settings.get(TENCENTCLOUD.token))
    except TencentCloudSDKException as error:
        raise Misconfigured(
            f"the Tencent Cloud key cannot be used: {error.get_message()}. "
            f"Check {TENCENTCLOUD.key_id.key} and {TENCENTCLOUD.key_secret.key}"
        ) from None


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

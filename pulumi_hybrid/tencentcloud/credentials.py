"""Whose requests these are: what the user says, else the vendor's own default chain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.keys import FoundKeys, GivenKey, Keys, Lender, Sts
from pulumi_hybrid.settings import TENCENTCLOUD, Key, Settings

_LONGEST_LOOK_UP = 5.0
"""Seconds for the whole chain: the SDK asks the instance metadata without a time limit, and off
Tencent Cloud that host may swallow packets."""


def keys(settings: Settings, sts: Sts) -> Keys:
    """The keys in force, a role's where one is to be taken on.

    Args:
        settings: what the user says.
        sts: the vendor's Security Token Service, 2018-08-13.

    Raises:
        Misconfigured: half a key, one that cannot be a key, or none anywhere.
    """
    lender = Lender(
        TENCENTCLOUD,
        sts,
        seconds=7200,
        action="AssumeRoleWithWebIdentity",
        names=("ProviderId", "WebIdentityToken"),
        key=("TmpSecretId", "TmpSecretKey", "Token"),
        # The vendor decodes it once more.
        policy=partial(quote, safe=""),
    )
    return lender.role(settings, _base(settings, lender))


def _base(settings: Settings, lender: Lender) -> Keys:
    source = settings.source(TENCENTCLOUD)
    if source in (TENCENTCLOUD.key_id, TENCENTCLOUD.key_secret):
        key = settings.key(TENCENTCLOUD)
        assert key
        return GivenKey(key)
    if source is TENCENTCLOUD.web_identity.provider:
        return lender.web_identity(settings)
    if source is TENCENTCLOUD.instance_role:
        role = settings.required(TENCENTCLOUD.instance_role)
        found = _found(lambda: _cvm_role(role))
        if found is None:
            raise Misconfigured(
                f"the CVM instance's metadata lent no key of the role that "
                f"{TENCENTCLOUD.instance_role.key} names. It works on a CVM instance with this "
                "role alone"
            )
        return found
    found = _found(_default_chain)
    if found is None:
        raise Misconfigured(
            "no Tencent Cloud key found. Set tencentcloud:secretId and tencentcloud:secretKey "
            "(`pulumi config set --secret`), or TENCENTCLOUD_SECRET_ID and "
            "TENCENTCLOUD_SECRET_KEY; looked there, in ~/.tencentcloud/credentials, for a CVM "
            "instance's role and for TKE's OIDC variables"
        )
    return found


def _found(look: Callable[[], tuple[str, Any]]) -> Keys | None:
    """What one of the SDK's classes finds in a time that a user waits; None where it is nothing."""
    found: list[Keys] = []

    def find() -> None:
        try:
            origin, credential = look()
            found.append(
                FoundKeys(TENCENTCLOUD, origin, lambda: Key(*credential.get_credential_info()))
            )
        except Exception:  # noqa: BLE001 - the chain ends in an OSError, an AttributeError, …
            return

    thread = threading.Thread(target=find, name="tencentcloud-credentials", daemon=True)
    thread.start()
    thread.join(_LONGEST_LOOK_UP)
    return found[0] if found else None


def _cvm_role(name: str) -> tuple[str, Any]:
    from tencentcloud.common.credential import CVMRoleCredential

    return f"the CVM instance's role {name}", CVMRoleCredential(name).get_credential()


def _default_chain() -> tuple[str, Any]:
    """What the SDK finds: profile file, role of the CVM instance, OIDC in TKE."""
    from tencentcloud.common.credential import DefaultCredentialProvider

    return "the vendor's default chain", DefaultCredentialProvider().get_credential()

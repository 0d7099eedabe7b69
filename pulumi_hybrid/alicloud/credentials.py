"""Whose requests these are: what the user says, else the vendor's own default chain."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.keys import FoundKeys, GivenKey, Keys, Lender, Sts
from pulumi_hybrid.settings import ALICLOUD, Key, Settings, expanded

_PRINTING = (
    "alibabacloud-tea",
    "darabonba-core",
    "credentials",
    "apscheduler.scheduler",
    "apscheduler.executors.default",
)


def keys(settings: Settings, sts: Sts) -> Keys:
    """The keys in force, a role's where one is to be taken on.

    Args:
        settings: what the user says.
        sts: the vendor's Security Token Service, 2015-04-01.

    Raises:
        Misconfigured: half a key, one that cannot be a key, or none anywhere.
    """
    lender = Lender(
        ALICLOUD,
        sts,
        seconds=3600,
        action="AssumeRoleWithOIDC",
        names=("OIDCProviderArn", "OIDCToken"),
        key=("AccessKeyId", "AccessKeySecret", "SecurityToken"),
    )
    return lender.role(settings, _base(settings, lender))


def silence() -> None:
    """Switch off what prints.

    The SDK's own loggers print the keys and the answers, where the environment has DEBUG=sdk, and
    what came in place of a key; its scheduler's, that a laptop slept. Not by their levels, which
    their modules set when they are imported.
    """
    for name in _PRINTING:
        logging.getLogger(name).disabled = True


def _base(settings: Settings, lender: Lender) -> Keys:
    source = settings.source(ALICLOUD)
    if source in (ALICLOUD.key_id, ALICLOUD.key_secret):
        key = settings.key(ALICLOUD)
        assert key
        return GivenKey(key)
    if source is ALICLOUD.web_identity.provider:
        return lender.web_identity(settings)
    silence()
    if source is not None and source in (ALICLOUD.profile, ALICLOUD.profile_file):
        return _profile(settings)
    if source is ALICLOUD.instance_role:
        return _instance_role(settings.required(source))
    return _default_chain()


def _profile(settings: Settings) -> Keys:
    from alibabacloud_credentials.provider import CLIProfileCredentialsProvider

    assert ALICLOUD.profile
    assert ALICLOUD.profile_file
    name, file = settings.get(ALICLOUD.profile), settings.get(ALICLOUD.profile_file)
    provider = CLIProfileCredentialsProvider(
        profile_name=name, profile_file=expanded(file) if file else None
    )
    origin = f"the profile {name or 'in use'} in {file or '~/.aliyun/config.json'}"
    return FoundKeys(ALICLOUD, origin, _asking(provider.get_credentials))


def _instance_role(name: str) -> Keys:
    from alibabacloud_credentials.provider import EcsRamRoleCredentialsProvider

    # Renewed when a request needs it: no thread beside.
    try:
        provider = EcsRamRoleCredentialsProvider(role_name=name, async_update_enabled=False)
    except ValueError:
        raise Misconfigured(
            f"{ALICLOUD.instance_role.key} asks the ECS instance's metadata for a key, and "
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED forbids it. Unset one of them"
        ) from None
    return FoundKeys(ALICLOUD, f"the ECS instance's role {name}", _asking(provider.get_credentials))


def _default_chain() -> Keys:
    """What the SDK finds: OIDC, profiles of the CLI and the SDKs, the instance's role, a URI."""
    from alibabacloud_credentials.provider import DefaultCredentialsProvider

    try:
        chain = DefaultCredentialsProvider()
        return FoundKeys(ALICLOUD, "the vendor's default chain", _asking(chain.get_credentials))
    except Exception:  # noqa: BLE001 - each link of the chain fails in a way of its own
        raise Misconfigured(
            "no Alibaba Cloud key found. Set alicloud:accessKey and alicloud:secretKey "
            "(`pulumi config set --secret`), or ALICLOUD_ACCESS_KEY and ALICLOUD_SECRET_KEY; "
            "looked there, for OIDC variables, in the profiles of the aliyun CLI and of the SDKs, "
            "for an ECS instance's role and at ALIBABA_CLOUD_CREDENTIALS_URI"
        ) from None


def _asking(get_credentials: Callable[[], Any]) -> Callable[[], Key]:
    """How one of the SDK's classes is asked for a key."""

    def ask() -> Key:
        found = get_credentials()
        return Key(
            found.get_access_key_id(),
            found.get_access_key_secret(),
            found.get_security_token() or None,
        )

    return ask

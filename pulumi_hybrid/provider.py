"""Explicit providers: another account, region, site or endpoint than the stack's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import pulumi
from pulumi.runtime import config as stack_config

from pulumi_hybrid.errors import ensure
from pulumi_hybrid.settings import CLOUDS, Cloud, settings_of


@dataclass(frozen=True)
class TencentcloudAssumeRole:
    """A role of Tencent Cloud to take on with the key in force.

    Attributes:
        role_arn: such as ``qcs::cam::uin/100000000001:roleName/deploy``.
        session_name: what the audit log calls the session; 2 to 128 of ``[A-Za-z0-9_=,.@-]``;
            default ``pulumi_hybrid``.
        session_duration: seconds that each set of temporary keys is good for, at most 43200;
            default 7200. They are renewed before that.
        external_id: what the role's trust policy asks for.
        policy: JSON that narrows down what the role may do.

    Source: STS AssumeRole, 2018-08-13.
    """

    role_arn: pulumi.Input[str]
    session_name: pulumi.Input[str] | None = None
    session_duration: pulumi.Input[int] | None = None
    external_id: pulumi.Input[str] | None = None
    policy: pulumi.Input[str] | None = None


@dataclass(frozen=True)
class TencentcloudAssumeRoleWithWebIdentity:
    """A role of Tencent Cloud to take on with an OIDC token in place of a key.

    Attributes:
        provider_id: the identity provider's name in CAM.
        role_arn: which role.
        web_identity_token: what the identity provider issued.
        web_identity_token_file: a file that holds it, read anew for each set of temporary keys.
        session_name: what the audit log calls the session; default ``pulumi_hybrid``.
        session_duration: seconds, at most 43200; default 7200.

    Source: STS AssumeRoleWithWebIdentity, 2018-08-13.
    """

    provider_id: pulumi.Input[str]
    role_arn: pulumi.Input[str]
    web_identity_token: pulumi.Input[str] | None = field(default=None, repr=False)
    web_identity_token_file: pulumi.Input[str] | None = None
    session_name: pulumi.Input[str] | None = None
    session_duration: pulumi.Input[int] | None = None


@dataclass(frozen=True)
class TencentcloudConfig:
    """What is set for Tencent Cloud; what is left out comes from the stack, then the environment.

    Attributes:
        secret_id: the key's id.
        secret_key: the key.
        security_token: with temporary keys.
        region: the default region.
        domain: ``intl.tencentcloudapi.com`` for accounts of the international site.
        endpoint: one URL in place of the vendor's hosts; plain http on loopback alone.
        assume_role: a role to take on with the key.
        assume_role_with_web_identity: a role to take on with an OIDC token in place of a key.
        cam_role_name: the role of the CVM instance that the program runs on, in place of a key.

    Raises:
        WrongKind: a role is no object of its class.
    """

    secret_id: pulumi.Input[str] | None = None
    secret_key: pulumi.Input[str] | None = field(default=None, repr=False)
    security_token: pulumi.Input[str] | None = field(default=None, repr=False)
    region: pulumi.Input[str] | None = None
    domain: pulumi.Input[str] | None = None
    endpoint: pulumi.Input[str] | None = None
    assume_role: TencentcloudAssumeRole | None = None
    assume_role_with_web_identity: TencentcloudAssumeRoleWithWebIdentity | None = None
    cam_role_name: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        ensure(self.assume_role, TencentcloudAssumeRole)
        ensure(self.assume_role_with_web_identity, TencentcloudAssumeRoleWithWebIdentity)


@dataclass(frozen=True)
class AlicloudAssumeRole:
    """A role of Alibaba Cloud to take on with the key in force.

    Attributes:
        role_arn: such as ``acs:ram::1234567890123456:role/deploy``.
        session_name: what the audit log calls the session; 2 to 64 of ``[A-Za-z0-9.@_-]``; default
            ``pulumi_hybrid``.
        session_expiration: seconds that each set of temporary keys is good for, 900 to what the
            role allows; default 3600. They are renewed before that.
        external_id: what the role's trust policy asks for.
        policy: JSON that narrows down what the role may do.

    Source: STS AssumeRole, 2015-04-01.
    """

    role_arn: pulumi.Input[str]
    session_name: pulumi.Input[str] | None = None
    session_expiration: pulumi.Input[int] | None = None
    external_id: pulumi.Input[str] | None = None
    policy: pulumi.Input[str] | None = None


@dataclass(frozen=True)
class AlicloudAssumeRoleWithOidc:
    """A role of Alibaba Cloud to take on with an OIDC token in place of a key.

    Attributes:
        oidc_provider_arn: the identity provider.
        role_arn: which role.
        oidc_token: what the identity provider issued.
        oidc_token_file: a file that holds it, read anew for each set of temporary keys.
        role_session_name: what the audit log calls the session; default ``pulumi_hybrid``.
        session_expiration: seconds, 900 to what the role allows; default 3600.

    Source: STS AssumeRoleWithOIDC, 2015-04-01.
    """

    oidc_provider_arn: pulumi.Input[str]
    role_arn: pulumi.Input[str]
    oidc_token: pulumi.Input[str] | None = field(default=None, repr=False)
    oidc_token_file: pulumi.Input[str] | None = None
    role_session_name: pulumi.Input[str] | None = None
    session_expiration: pulumi.Input[int] | None = None


@dataclass(frozen=True)
class AlicloudConfig:
    """What is set for Alibaba Cloud; what is left out comes from the stack, then the environment.

    Attributes:
        access_key: the key's id.
        secret_key: the key.
        security_token: with temporary keys.
        region: the default region.
        endpoint: one URL in place of the vendor's hosts; plain http on loopback alone.
        assume_role: a role to take on with the key.
        assume_role_with_oidc: a role to take on with an OIDC token in place of a key.
        ecs_role_name: the role of the ECS instance that the program runs on, in place of a key.
        profile: a profile of the ``aliyun`` command line, in place of a key.
        shared_credentials_file: the file that it is in; default ``~/.aliyun/config.json``.

    Raises:
        WrongKind: a role is no object of its class.
    """

    access_key: pulumi.Input[str] | None = None
    secret_key: pulumi.Input[str] | None = field(default=None, repr=False)
    security_token: pulumi.Input[str] | None = field(default=None, repr=False)
    region: pulumi.Input[str] | None = None
    endpoint: pulumi.Input[str] | None = None
    assume_role: AlicloudAssumeRole | None = None
    assume_role_with_oidc: AlicloudAssumeRoleWithOidc | None = None
    ecs_role_name: pulumi.Input[str] | None = None
    profile: pulumi.Input[str] | None = None
    shared_credentials_file: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        ensure(self.assume_role, AlicloudAssumeRole)
        ensure(self.assume_role_with_oidc, AlicloudAssumeRoleWithOidc)


class Provider(pulumi.ProviderResource):
    """A provider for resources and components that are not in the stack's own account.

    Hand it on by ``pulumi.ResourceOptions(provider=…)`` to a resource, and by ``providers=[…]`` to
    a component. Other settings update it in place and touch no resource: a resource stays in the
    region that it was made in. It runs in a process of its own, with these settings alone, filled
    up from the stack's configuration as it is at each ``pulumi up``; what neither has comes from
    the environment. Where it says who signs (a key, an OIDC provider, a profile, an instance's
    role), the stack's token, role and profile, which belong to somebody else, are left out.

    Args:
        resource_name: its name in the program.
        opts: the engine's options.
        tencentcloud: for Tencent Cloud's resources.
        alicloud: for Alibaba Cloud's resources.

    Attributes:
        configuration: what its process is given, and lookups go by.

    Raises:
        WrongKind: a configuration is no object of its class.
    """

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        tencentcloud: TencentcloudConfig | None = None,
        alicloud: AlicloudConfig | None = None,
    ) -> None:
        for value, kind in ((tencentcloud, TencentcloudConfig), (alicloud, AlicloudConfig)):
            ensure(value, kind)
        given = {**_given("tencentcloud", tencentcloud), **_given("alicloud", alicloud)}
        inherited = {key: value for cloud in CLOUDS for key, value in _inherited(cloud, given)}
        self.configuration: Mapping[str, Any] = {**inherited, **given}
        super().__init__("pulumi-python", resource_name, {**self.configuration}, opts)


def _given(namespace: str, config: object) -> dict[str, Any]:
    """A configuration by the stack configuration's keys, as a provider process is given it."""
    if config is None:
        return {}
    return {f"{namespace}:{name}": value for name, value in _properties(config).items()}


def _properties(config: Any) -> dict[str, Any]:
    """The fields that are given, their names as the vendors' Pulumi providers write them."""
    properties = {}
    for each in fields(config):
        value = getattr(config, each.name)
        if value is None:
            continue
        if not each.repr:
            # What nobody is to see in a repr is to be seen in no state either.
            value = pulumi.Output.secret(value)
        elif is_dataclass(value):
            value = _properties(value)
        properties[_camel_case(each.name)] = value
    return properties


def _camel_case(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def _inherited(cloud: Cloud, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the stack's configuration has for a vendor and the program does not give.

    Where the program says who signs, what else the stack says of that stays behind: its token, its
    role and its profile belong to another identity.
    """
    signs = {cloud.key_id.top, cloud.web_identity.provider.top, cloud.instance_role.top}
    signs |= {way.top for way in (cloud.profile, cloud.profile_file) if way}
    left_behind: set[str] = set()
    if not signs.isdisjoint(given):
        left_behind = signs | {cloud.key_secret.top, cloud.token.top, cloud.role.arn.top}
    if cloud.key_id.top in given:
        # Parts of one key may stand in two places; with an id of its own it is another key.
        left_behind.remove(cloud.key_secret.top)
        if stack_config.get_config(cloud.key_id.top) is None:
            left_behind.remove(cloud.token.top)
    secrets = {setting.top for setting in settings_of(cloud) if setting.secret}
    for top in dict.fromkeys(setting.top for setting in settings_of(cloud)):
        value = stack_config.get_config(top)
        if value is None or top in given or top in left_behind:
            continue
        secret = top in secrets or stack_config.is_config_secret(top)
        yield top, pulumi.Output.secret(value) if secret else value

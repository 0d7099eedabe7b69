"""One setting's way from the program to the request.

The resource's argument comes first, then the explicit Provider, then the stack's configuration,
then the environment; after that the vendor's own default chain.

The explicit Provider and the stack's configuration arrive by the same door: the engine hands a
provider process one set of properties, named like the configuration keys, and ``provider.py`` has
filled an explicit one up from the stack's configuration.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Protocol

from pulumi_hybrid.errors import Misconfigured

_TELLTALE = "secret|token"
"""Names under which `pulumi config set` wants to be told whether a long value is a secret."""


@dataclass(eq=False, repr=False)
class Setting:
    """One value that a user can set.

    Attributes:
        key: the configuration key, also the explicit Provider's property; what follows a dot is a
            key of the object there.
        environment: the variables that are read where the key is not set, in this order.
        secret: whether it belongs into the configuration encrypted.
    """

    key: str
    environment: tuple[str, ...] = ()
    secret: bool = False

    @property
    def top(self) -> str:
        """The configuration key without what follows a dot."""
        return self.key.partition(".")[0]

    @property
    def how_to_set(self) -> str:
        """What to do about its absence, for the end of an error."""
        option = ""
        if self.secret:
            option = "--secret "
        elif re.search(_TELLTALE, self.key, re.IGNORECASE):
            option = "--plaintext "
        path = "--path " if "." in self.key else ""
        variable = f" or set {self.environment[0]}" if self.environment else ""
        return f"Run `pulumi config set {option}{path}{self.key} …`{variable}"


class _Config(Protocol):
    def get(self, key: str) -> object: ...


@dataclass(eq=False, repr=False)
class Role:
    """The settings of a role that another identity takes on.

    Attributes:
        arn: which role; without it there is none.
        session_name: what the vendor's audit log calls the session.
        seconds: how long each set of temporary keys is good for; they are renewed before that.
        external_id: what the role's trust policy asks for, where it does.
        policy: narrows down what the role may do.
    """

    arn: Setting
    session_name: Setting
    seconds: Setting
    external_id: Setting
    policy: Setting


@dataclass(eq=False, repr=False)
class WebIdentity:
    """The settings of a role that a token of an OIDC identity provider takes on.

    Attributes:
        provider: the identity provider as the vendor knows it.
        token: what the identity provider issued.
        token_file: a file that holds it, read anew for each set of temporary keys.
        arn: which role.
        session_name: what the vendor's audit log calls the session.
        seconds: how long each set of temporary keys is good for; they are renewed before that.
    """

    provider: Setting
    token: Setting
    token_file: Setting
    arn: Setting
    session_name: Setting
    seconds: Setting


@dataclass(eq=False, repr=False)
class Cloud:
    """What is set for one vendor.

    Attributes:
        title: the vendor's name.
        key_id: the access key's id.
        key_secret: the access key's secret.
        token: the temporary key's token.
        region: where resources are that do not say where they are.
        endpoint: one URL in place of all the vendor's hosts (an emulator or a proxy).
        role: a role to take on with whatever key there is.
        web_identity: a role to take on with an OIDC token in place of a key.
        instance_role: the role of the vendor's own machine that this runs on, in place of a key.
        profile: a profile of the vendor's command line, in place of a key; None where the vendor's
            SDK reads none by name.
        profile_file: the file that it is in.
    """

    title: str
    key_id: Setting
    key_secret: Setting
    token: Setting
    region: Setting
    endpoint: Setting
    role: Role
    web_identity: WebIdentity
    instance_role: Setting
    profile: Setting | None = None
    profile_file: Setting | None = None


TENCENTCLOUD = Cloud(
    title="Tencent Cloud",
    key_id=Setting("tencentcloud:secretId", ("TENCENTCLOUD_SECRET_ID",)),
    key_secret=Setting("tencentcloud:secretKey", ("TENCENTCLOUD_SECRET_KEY",), secret=True),
    token=Setting("tencentcloud:securityToken", ("TENCENTCLOUD_SECURITY_TOKEN",), secret=True),
    region=Setting("tencentcloud:region", ("TENCENTCLOUD_REGION",)),
    endpoint=Setting("tencentcloud:endpoint", ("TENCENTCLOUD_ENDPOINT",)),
    role=Role(
        arn=Setting("tencentcloud:assumeRole.roleArn", ("TENCENTCLOUD_ASSUME_ROLE_ARN",)),
        session_name=Setting(
            "tencentcloud:assumeRole.sessionName", ("TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME",)
        ),
        seconds=Setting(
            "tencentcloud:assumeRole.sessionDuration",
            ("TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION",),
        ),
        external_id=Setting(
            "tencentcloud:assumeRole.externalId", ("TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID",)
        ),
        policy=Setting("tencentcloud:assumeRole.policy"),
    ),
    web_identity=WebIdentity(
        provider=Setting("tencentcloud:assumeRoleWithWebIdentity.providerId", ("TKE_PROVIDER_ID",)),
        token=Setting("tencentcloud:assumeRoleWithWebIdentity.webIdentityToken", secret=True),
        token_file=Setting(
            "tencentcloud:assumeRoleWithWebIdentity.webIdentityTokenFile",
            ("TKE_WEB_IDENTITY_TOKEN_FILE",),
        ),
        arn=Setting("tencentcloud:assumeRoleWithWebIdentity.roleArn", ("TKE_ROLE_ARN",)),
        session_name=Setting("tencentcloud:assumeRoleWithWebIdentity.sessionName"),
        seconds=Setting("tencentcloud:assumeRoleWithWebIdentity.sessionDuration"),
    ),
    instance_role=Setting("tencentcloud:camRoleName", ("TENCENTCLOUD_CAM_ROLE_NAME",)),
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
    role=Role(
        arn=Setting("alicloud:assumeRole.roleArn", ("ALICLOUD_ASSUME_ROLE_ARN",)),
        session_name=Setting(
            "alicloud:assumeRole.sessionName", ("ALICLOUD_ASSUME_ROLE_SESSION_NAME",)
        ),
        seconds=Setting(
            "alicloud:assumeRole.sessionExpiration", ("ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION",)
        ),
        external_id=Setting(
            "alicloud:assumeRole.externalId", ("ALICLOUD_ASSUME_ROLE_EXTERNAL_ID",)
        ),
        policy=Setting("alicloud:assumeRole.policy"),
    ),
    web_identity=WebIdentity(
        provider=Setting(
            "alicloud:assumeRoleWithOidc.oidcProviderArn", ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN",)
        ),
        token=Setting("alicloud:assumeRoleWithOidc.oidcToken", secret=True),
        token_file=Setting(
            "alicloud:assumeRoleWithOidc.oidcTokenFile", ("ALIBABA_CLOUD_OIDC_TOKEN_FILE",)
        ),
        arn=Setting("alicloud:assumeRoleWithOidc.roleArn", ("ALIBABA_CLOUD_ROLE_ARN",)),
        session_name=Setting(
            "alicloud:assumeRoleWithOidc.roleSessionName", ("ALIBABA_CLOUD_ROLE_SESSION_NAME",)
        ),
        seconds=Setting("alicloud:assumeRoleWithOidc.sessionExpiration"),
    ),
    instance_role=Setting("alicloud:ecsRoleName", ("ALICLOUD_ECS_ROLE_NAME",)),
    profile=Setting("alicloud:profile", ("ALICLOUD_PROFILE", "ALIBABA_CLOUD_PROFILE")),
    profile_file=Setting("alicloud:sharedCredentialsFile", ("ALICLOUD_SHARED_CREDENTIALS_FILE",)),
)

CLOUDS = (TENCENTCLOUD, ALICLOUD)

TENCENTCLOUD_DOMAIN = Setting("tencentcloud:domain", ("TENCENTCLOUD_DOMAIN",))
"""The site: ``tencentcloudapi.com`` (default) or ``intl.tencentcloudapi.com``."""


def settings_of(cloud: Cloud) -> Iterator[Setting]:
    """All that can be set for a vendor."""
    for part in (cloud, cloud.role, cloud.web_identity):
        for each in fields(part):
            value = getattr(part, each.name)
            if isinstance(value, Setting):
                yield value
    if cloud is TENCENTCLOUD:
        yield TENCENTCLOUD_DOMAIN


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


@dataclass(frozen=True)
class Found:
    """A setting's value in force.

    Attributes:
        value: it.
        place: the configuration key or the variable that it stands in.
        rank: 0 for the configuration, then the variables in their order.
    """

    value: str = field(repr=False)
    place: str
    rank: int


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
        found = self.find(setting)
        return found.value if found else None

    def find(self, setting: Setting) -> Found | None:
        """The value in force, and where it stands; None where it is set nowhere.

        Raises:
            Misconfigured: it is no text, or something else stands where an object is wanted.
        """
        return next(self._all(setting), None)

    def _all(self, setting: Setting) -> Iterator[Found]:
        """The setting's values, the one in force first."""
        configured = self._configured(setting)
        if configured:
            yield Found(configured, setting.key, 0)
        for rank, variable in enumerate(setting.environment, 1):
            if value := self._environment.get(variable):
                yield Found(value, variable, rank)

    def _configured(self, setting: Setting) -> str:
        value = self._config.get(setting.top)
        _, dot, name = setting.key.partition(".")
        if dot:
            value = _object(value, setting).get(name)
            if isinstance(value, float) and value.is_integer():
                # The engine hands whole numbers over as floats.
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Misconfigured(f"{setting.key} must be text. {setting.how_to_set}")
        return value

    def key(self, cloud: Cloud) -> Key | None:
        """The key that is set; None where there is none, and the vendor's chain is to be asked.

        Raises:
            Misconfigured: half of it is missing, or it cannot be one.
        """
        id, secret = self.find(cloud.key_id), self.find(cloud.key_secret)
        token = self.session_token(cloud)
        if id is None and secret is None:
            return None
        for found, setting in ((id, cloud.key_id), (secret, cloud.key_secret)):
            if found is None:
                raise Misconfigured(
                    f"half of the {cloud.title} key is missing: {setting.key} is not set. "
                    f"{setting.how_to_set}"
                )
        assert id
        assert secret
        for found, setting in (
            (id, cloud.key_id),
            (secret, cloud.key_secret),
            (token, cloud.token),
        ):
            value = found.value if found else ""
            if not (value.isascii() and value.isprintable()) or " " in value:
                raise Misconfigured(
                    f"{setting.key} holds a space, or another character that no key has. "
                    f"{setting.how_to_set}"
                )
        return Key(id.value, secret.value, token.value if token else None)

    def session_token(self, cloud: Cloud) -> Found | None:
        """The key's token; None where there is none.

        It is left out where the key that stands beside it is overridden by one from an earlier
        place: it belongs to that key alone.
        """
        id, token = self.find(cloud.key_id), self.find(cloud.token)
        if id and token and token.rank > id.rank:
            others = (other.rank for other in self._all(cloud.key_id))
            return None if token.rank in others else token
        return token

    def source(self, cloud: Cloud) -> Setting | None:
        """What the user says is to sign the requests: the setting that says so.

        The key, the OIDC provider, the profile or the instance's role, in this order; but any of
        them in the configuration comes before all in the environment. None: nothing is said, and
        the vendor's chain is to be asked.
        """
        said = self._ways(cloud)
        configured = [way for way, ranks in said if 0 in ranks]
        return next(iter(configured or [way for way, _ in said]), None)

    def role(self, cloud: Cloud) -> Found | None:
        """The role to take on; None where there is none.

        One that stands in the environment is left out where the configuration says who signs, and
        the environment names somebody else: then it belongs to that one.

        Raises:
            Misconfigured: the configuration has parts of a role, but not which one it is. The key
                that was to take it on, which may do more, is not to sign in its place.
        """
        arn = self.find(cloud.role.arn)
        if arn is not None and arn.rank > 0:
            ranks = set[int]().union(*(ranks for _, ranks in self._ways(cloud)))
            if 0 in ranks and len(ranks) > 1:
                arn = None
        if arn is None and self._parts(cloud.role.arn):
            top = cloud.role.arn.top
            raise Misconfigured(f"{self._lacks(cloud.role.arn)}. Set it, or take {top} out")
        return arn

    def _parts(self, setting: Setting) -> list[str]:
        """The names that have a value in the object that a setting is part of."""
        given = _object(self._config.get(setting.top), setting)
        return [name for name, value in given.items() if value not in (None, "")]

    def _lacks(self, setting: Setting) -> str:
        """That an object lacks a part, and what it has that is none, as a misspelt one is."""
        known = {one.key for cloud in CLOUDS for one in settings_of(cloud)}
        strange = [name for name in self._parts(setting) if f"{setting.top}.{name}" not in known]
        but = f", but {' and '.join(strange)}" if strange else ""
        return f"{setting.top} has no {setting.key.partition('.')[2]}{but}"

    def _ways(self, cloud: Cloud) -> list[tuple[Setting, set[int]]]:
        """Every way to sign that is set, and the ranks of the places where it is."""
        ways = (
            cloud.key_id,
            cloud.key_secret,
            cloud.web_identity.provider,
            cloud.profile,
            cloud.profile_file,
            cloud.instance_role,
        )
        said = []
        for way in ways:
            ranks = {found.rank for found in self._all(way)} if way else set()
            if way is cloud.web_identity.provider and self._parts(way):
                # Any part of it is meant: what it lacks is to be told, and no other key to sign.
                # In the environment the rest may be another program's, and the vendors' own chains
                # pass it by.
                ranks.add(0)
            if way and ranks:
                said.append((way, ranks))
        return said

    def seconds(self, setting: Setting, default: int) -> int:
        """A setting that is a number of seconds.

        Raises:
            Misconfigured: it is no whole number.
        """
        text = self.get(setting) or str(default)
        if not (text.isascii() and text.isdigit()):
            raise Misconfigured(
                f"{setting.key} must be a whole number of seconds. {setting.how_to_set}"
            )
        return int(text)

    def token(self, identity: WebIdentity) -> str:
        """What the identity provider issued.

        Raises:
            Misconfigured: there is none, or its file cannot be read.
        """
        token, file = self.get(identity.token), self.get(identity.token_file)
        if token is None and file is not None:
            try:
                token = Path(expanded(file)).read_text().strip()
            except (OSError, ValueError):
                raise Misconfigured(
                    f"the file that {identity.token_file.key} names cannot be read. "
                    f"{identity.token_file.how_to_set}"
                ) from None
        if not token:
            raise Misconfigured(
                f"{identity.token_file.key} is not set, or its file is empty. "
                f"{identity.token_file.how_to_set}"
            )
        return token

    def required(self, setting: Setting) -> str:
        """The value of what cannot be left out.

        Raises:
            Misconfigured: it is not set.
        """
        value = self.get(setting)
        if value is None:
            lacks = f"{setting.key} is not set"
            if self._parts(setting):
                lacks = self._lacks(setting)
            raise Misconfigured(f"{lacks}. {setting.how_to_set}")
        return value

    def values(self, cloud: Cloud) -> tuple[Found | None, ...]:
        """All that is in force for a vendor: the same for two providers that are alike.

        With its places, which decide who signs where several do.
        """
        return tuple(self.find(setting) for setting in settings_of(cloud))


def expanded(path: str) -> str:
    """A path that may begin with ``~``, which no shell sees in a configuration."""
    return os.path.expanduser(path)  # noqa: PTH111 - pathlib's raises where there is no such home


def _object(value: object, setting: Setting) -> Mapping[str, object]:
    """The object that a setting is part of: the stack's configuration hands it over as JSON."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.loads(value)
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        raise Misconfigured(f"{setting.top} must be an object. {setting.how_to_set}")
    return value

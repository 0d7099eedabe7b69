from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, rpc

from pulumi_hybrid import (
    AlicloudAssumeRole,
    AlicloudAssumeRoleWithOidc,
    AlicloudConfig,
    Provider,
    TencentcloudAssumeRole,
    TencentcloudAssumeRoleWithWebIdentity,
    TencentcloudConfig,
)
from pulumi_hybrid.settings import ALICLOUD, TENCENTCLOUD, Cloud, settings_of

CONFIGS: dict[type[Any], tuple[Cloud, str]] = {
    TencentcloudConfig: (TENCENTCLOUD, ""),
    TencentcloudAssumeRole: (TENCENTCLOUD, "assumeRole."),
    TencentcloudAssumeRoleWithWebIdentity: (TENCENTCLOUD, "assumeRoleWithWebIdentity."),
    AlicloudConfig: (ALICLOUD, ""),
    AlicloudAssumeRole: (ALICLOUD, "assumeRole."),
    AlicloudAssumeRoleWithOidc: (ALICLOUD, "assumeRoleWithOidc."),
}


class Registered(mocks.Mocks):
    """Keeps what the program registers."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self.inputs: dict[str, Any] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.types.append(args.typ)
        self.inputs = dict(args.inputs)
        return "id", {}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(args)


class Program:
    """A program in a stack with a configuration."""

    def __init__(self) -> None:
        self.registered = Registered()
        mocks.set_mocks(self.registered, preview=False)
        self.configure({})

    def configure(self, config: dict[str, str], *secrets: str) -> None:
        """What the engine hands over of the stack's configuration."""
        pulumi.runtime.set_all_config(config, list(secrets))

    def run(self, **configs: Any) -> dict[str, Any]:
        """What an explicit provider registers; a secret is a pair of "secret" and its value."""

        pulumi.runtime.test(partial(Provider, "other", **configs))()  # type: ignore[no-untyped-call]
        assert self.registered.types == ["pulumi:providers:pulumi-python"]
        return {name: _shown(value) for name, value in self.registered.inputs.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, dict) and value.get(rpc._special_sig_key) == rpc._special_secret_sig:
        return ("secret", _shown(value["value"]))
    return value


@pytest.fixture
def program() -> Iterator[Program]:
    yield Program()
    pulumi.runtime.set_all_config({}, [])


def test_nothing_given_and_nothing_set_registers_nothing(program: Program) -> None:
    assert program.run() == {}


def test_all_of_tencent_cloud_is_registered_by_the_configurations_keys(program: Program) -> None:
    config = TencentcloudConfig(
        secret_id="AKID",
        secret_key="5e1f-key",
        security_token="5e1f-token",
        region="ap-guangzhou",
        domain="intl.tencentcloudapi.com",
        endpoint="http://127.0.0.1:1",
        assume_role=TencentcloudAssumeRole("arn", "session", 900, "external", "{}"),
        assume_role_with_web_identity=TencentcloudAssumeRoleWithWebIdentity(
            "provider", "arn", "5e1f-oidc", "/token", "session", 900
        ),
        cam_role_name="machine",
    )
    assert program.run(tencentcloud=config) == {
        "tencentcloud:secretId": "AKID",
        "tencentcloud:secretKey": ("secret", "5e1f-key"),
        "tencentcloud:securityToken": ("secret", "5e1f-token"),
        "tencentcloud:region": "ap-guangzhou",
        "tencentcloud:domain": "intl.tencentcloudapi.com",
        "tencentcloud:endpoint": "http://127.0.0.1:1",
        "tencentcloud:assumeRole": {
            "roleArn": "arn",
            "sessionName": "session",
            "sessionDuration": 900,
            "externalId": "external",
            "policy": "{}",
        },
        "tencentcloud:assumeRoleWithWebIdentity": (
            "secret",
            {
                "providerId": "provider",
                "roleArn": "arn",
                "webIdentityToken": "5e1f-oidc",
                "webIdentityTokenFile": "/token",
                "sessionName": "session",
                "sessionDuration": 900,
            },
        ),
        "tencentcloud:camRoleName": "machine",
    }


def test_all_of_alibaba_cloud_is_registered_by_the_configurations_keys(program: Program) -> None:
    config = AlicloudConfig(
        access_key="LTAI",
        secret_key="5e1f-key",
        security_token="5e1f-token",
        region="cn-hangzhou",
        endpoint="http://127.0.0.1:1",
        assume_role=AlicloudAssumeRole("arn", "session", 900, "external", "{}"),
        assume_role_with_oidc=AlicloudAssumeRoleWithOidc(
            "provider", "arn", "5e1f-oidc", "/token", "session", 900
        ),
        ecs_role_name="machine",
        profile="work",
        shared_credentials_file="/file",
    )
    assert program.run(alicloud=config) == {
        "alicloud:accessKey": "LTAI",
        "alicloud:secretKey": ("secret", "5e1f-key"),
        "alicloud:securityToken": ("secret", "5e1f-token"),
        "alicloud:region": "cn-hangzhou",
        "alicloud:endpoint": "http://127.0.0.1:1",
        "alicloud:assumeRole": {
            "roleArn": "arn",
            "sessionName": "session",
            "sessionExpiration": 900,
            "externalId": "external",
            "policy": "{}",
        },
        "alicloud:assumeRoleWithOidc": (
            "secret",
            {
                "oidcProviderArn": "provider",
                "roleArn": "arn",
                "oidcToken": "5e1f-oidc",
                "oidcTokenFile": "/token",
                "roleSessionName": "session",
                "sessionExpiration": 900,
            },
        ),
        "alicloud:ecsRoleName": "machine",
        "alicloud:profile": "work",
        "alicloud:sharedCredentialsFile": "/file",
    }


def test_values_may_be_outputs_and_stay_secret(program: Program) -> None:
    role = AlicloudAssumeRole(
        pulumi.Output.from_input("arn"), external_id=pulumi.Output.secret("x")
    )
    config = AlicloudConfig(access_key=pulumi.Output.from_input("LTAI"), assume_role=role)
    assert program.run(alicloud=config) == {
        "alicloud:accessKey": "LTAI",
        "alicloud:assumeRole": ("secret", {"roleArn": "arn", "externalId": "x"}),
    }


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_every_field_has_a_setting_and_every_setting_a_field(config: type[Any]) -> None:
    """A field whose name comes out otherwise would be registered, and never be read."""
    cloud, prefix = CONFIGS[config]
    keys = {one.key.partition(":")[2] for one in settings_of(cloud)}
    if prefix:
        names = {key.removeprefix(prefix) for key in keys if key.startswith(prefix)}
    else:
        names = {key.partition(".")[0] for key in keys}
    spelled = {each.name.replace("_", "").lower() for each in dataclasses.fields(config)}
    assert spelled == {name.lower() for name in names}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_every_secret_setting_is_a_field_that_no_repr_shows(config: type[Any]) -> None:
    cloud, prefix = CONFIGS[config]
    secrets = {one.key.partition(":")[2].lower() for one in settings_of(cloud) if one.secret}
    for each in dataclasses.fields(config):
        key = f"{prefix}{each.name.replace('_', '')}".lower()
        assert each.repr == (key not in secrets), each.name


@pytest.mark.parametrize(
    "make",
    [
        lambda: Provider("p", tencentcloud={"secret_id": "5e1f"}),  # type: ignore[arg-type]
        lambda: Provider("p", tencentcloud=AlicloudConfig()),  # type: ignore[arg-type]
        lambda: Provider("p", alicloud=AlicloudAssumeRole("5e1f")),  # type: ignore[arg-type]
        lambda: TencentcloudConfig(assume_role={"role_arn": "5e1f"}),  # type: ignore[arg-type]
        lambda: TencentcloudConfig(assume_role=AlicloudAssumeRole("5e1f")),  # type: ignore[arg-type]
        lambda: TencentcloudConfig(assume_role_with_web_identity="5e1f"),  # type: ignore[arg-type]
        lambda: AlicloudConfig(assume_role={"roleArn": "5e1f"}),  # type: ignore[arg-type]
        lambda: AlicloudConfig(assume_role_with_oidc={"role_arn": "5e1f"}),  # type: ignore[arg-type]
    ],
)
def test_another_object_is_refused_and_not_shown(make: Callable[[], object]) -> None:
    """Its words would go unseen: a role that is not taken on is somebody else's request."""
    with pytest.raises(TypeError, match=r"^\w+ wanted, not \w+$") as caught:
        make()
    assert "5e1f" not in str(caught.value)


# What comes from the stack

STACK = {
    "tencentcloud:secretId": "stack-id",
    "tencentcloud:secretKey": "stack-key",
    "tencentcloud:securityToken": "stack-token",
    "tencentcloud:region": "stack-region",
    "tencentcloud:domain": "stack-domain",
    "tencentcloud:endpoint": "stack-endpoint",
    "tencentcloud:assumeRole": '{"roleArn":"stack-role"}',
    "tencentcloud:assumeRoleWithWebIdentity": '{"providerId":"stack-provider"}',
    "tencentcloud:camRoleName": "stack-machine",
    "alicloud:accessKey": "stack-id",
    "alicloud:secretKey": "stack-key",
    "alicloud:securityToken": "stack-token",
    "alicloud:region": "stack-region",
    "alicloud:endpoint": "stack-endpoint",
    "alicloud:assumeRole": '{"roleArn":"stack-role"}',
    "alicloud:assumeRoleWithOidc": '{"oidcProviderArn":"stack-provider"}',
    "alicloud:ecsRoleName": "stack-machine",
    "alicloud:profile": "stack-profile",
    "alicloud:sharedCredentialsFile": "stack-file",
    "other:key": "x",
}
PLAIN = {"region", "endpoint", "domain"}


def inherited(program: Program, vendor: str, config: Any) -> set[str]:
    """The names of what came from the stack."""
    program.configure(STACK)
    registered = program.run(**{vendor: config})
    return {
        name.removeprefix(f"{vendor}:")
        for name, value in registered.items()
        if name.startswith(vendor) and "stack-" in str(value)
    }


def test_all_that_the_stack_has_is_inherited_with_its_secrecy(program: Program) -> None:
    """A provider process is handed its provider's properties, and nothing of the stack's."""
    program.configure(STACK, "tencentcloud:secretId")
    registered = program.run()
    assert set(registered) == set(STACK) - {"other:key"}
    secret = {name for name, value in registered.items() if isinstance(value, tuple)}
    assert secret == {
        "tencentcloud:secretId",
        "tencentcloud:secretKey",
        "tencentcloud:securityToken",
        "tencentcloud:assumeRoleWithWebIdentity",
        "alicloud:secretKey",
        "alicloud:securityToken",
        "alicloud:assumeRoleWithOidc",
    }
    assert registered["tencentcloud:secretId"] == ("secret", "stack-id")
    assert registered["alicloud:assumeRole"] == '{"roleArn":"stack-role"}'


@pytest.mark.parametrize(
    ("vendor", "config", "kept"),
    [
        ("tencentcloud", TencentcloudConfig(secret_id="i", secret_key="k"), PLAIN),
        ("tencentcloud", TencentcloudConfig(secret_id="i"), {*PLAIN, "secretKey"}),
        ("tencentcloud", TencentcloudConfig(cam_role_name="r"), PLAIN),
        (
            "tencentcloud",
            TencentcloudConfig(
                assume_role_with_web_identity=TencentcloudAssumeRoleWithWebIdentity("p", "r")
            ),
            PLAIN,
        ),
        ("alicloud", AlicloudConfig(access_key="i", secret_key="k"), PLAIN - {"domain"}),
        ("alicloud", AlicloudConfig(profile="p"), PLAIN - {"domain"}),
        ("alicloud", AlicloudConfig(shared_credentials_file="f"), PLAIN - {"domain"}),
        ("alicloud", AlicloudConfig(ecs_role_name="r"), PLAIN - {"domain"}),
        (
            "alicloud",
            AlicloudConfig(assume_role_with_oidc=AlicloudAssumeRoleWithOidc("p", "r")),
            PLAIN - {"domain"},
        ),
    ],
)
def test_another_identity_leaves_the_stacks_behind(
    program: Program, vendor: str, config: Any, kept: set[str]
) -> None:
    assert inherited(program, vendor, config) == kept


@pytest.mark.parametrize(
    ("vendor", "config", "replaced"),
    [
        ("tencentcloud", TencentcloudConfig(region="r"), "region"),
        ("tencentcloud", TencentcloudConfig(secret_key="k"), "secretKey"),
        ("tencentcloud", TencentcloudConfig(security_token="t"), "securityToken"),
        ("tencentcloud", TencentcloudConfig(assume_role=TencentcloudAssumeRole("r")), "assumeRole"),
        ("alicloud", AlicloudConfig(assume_role=AlicloudAssumeRole("r")), "assumeRole"),
    ],
)
def test_what_says_nothing_of_who_signs_replaces_itself_alone(
    program: Program, vendor: str, config: Any, replaced: str
) -> None:
    """A role is taken on with the stack's key."""
    all_of_it = {name.partition(":")[2] for name in STACK if name.startswith(vendor)}
    assert inherited(program, vendor, config) == all_of_it - {replaced}


def test_other_vendors_identity_stays(program: Program) -> None:
    program.configure(STACK)
    registered = program.run(tencentcloud=TencentcloudConfig(secret_id="i", secret_key="k"))
    alicloud = {name for name in STACK if name.startswith("alicloud:")}
    assert alicloud < set(registered)

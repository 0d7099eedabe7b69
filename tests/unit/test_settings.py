from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.settings import (
    ALICLOUD,
    CLOUDS,
    TENCENTCLOUD,
    Cloud,
    Found,
    Key,
    Setting,
    Settings,
    settings_of,
)

from .conftest import assert_one_line, everything_said

BOTH = Setting("vendor:region", ("VENDOR_REGION", "VENDOR_REGION_ID"))
VALUES = st.text(min_size=1)


# Each setting: the configuration key, then the variables in their order.
EVERY = {
    TENCENTCLOUD: {
        "tencentcloud:secretId": ["TENCENTCLOUD_SECRET_ID"],
        "tencentcloud:secretKey": ["TENCENTCLOUD_SECRET_KEY"],
        "tencentcloud:securityToken": ["TENCENTCLOUD_SECURITY_TOKEN"],
        "tencentcloud:region": ["TENCENTCLOUD_REGION"],
        "tencentcloud:domain": ["TENCENTCLOUD_DOMAIN"],
        "tencentcloud:endpoint": ["TENCENTCLOUD_ENDPOINT"],
        "tencentcloud:assumeRole.roleArn": ["TENCENTCLOUD_ASSUME_ROLE_ARN"],
        "tencentcloud:assumeRole.sessionName": ["TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME"],
        "tencentcloud:assumeRole.sessionDuration": ["TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION"],
        "tencentcloud:assumeRole.externalId": ["TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID"],
        "tencentcloud:assumeRole.policy": [],
        "tencentcloud:assumeRoleWithWebIdentity.providerId": ["TKE_PROVIDER_ID"],
        "tencentcloud:assumeRoleWithWebIdentity.webIdentityToken": [],
        "tencentcloud:assumeRoleWithWebIdentity.webIdentityTokenFile": [
            "TKE_WEB_IDENTITY_TOKEN_FILE"
        ],
        "tencentcloud:assumeRoleWithWebIdentity.roleArn": ["TKE_ROLE_ARN"],
        "tencentcloud:assumeRoleWithWebIdentity.sessionName": [],
        "tencentcloud:assumeRoleWithWebIdentity.sessionDuration": [],
        "tencentcloud:camRoleName": ["TENCENTCLOUD_CAM_ROLE_NAME"],
    },
    ALICLOUD: {
        "alicloud:accessKey": ["ALICLOUD_ACCESS_KEY", "ALIBABA_CLOUD_ACCESS_KEY_ID"],
        "alicloud:secretKey": ["ALICLOUD_SECRET_KEY", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        "alicloud:securityToken": ["ALICLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN"],
        "alicloud:region": ["ALICLOUD_REGION", "ALIBABA_CLOUD_REGION_ID"],
        "alicloud:endpoint": ["ALICLOUD_ENDPOINT"],
        "alicloud:assumeRole.roleArn": ["ALICLOUD_ASSUME_ROLE_ARN"],
        "alicloud:assumeRole.sessionName": ["ALICLOUD_ASSUME_ROLE_SESSION_NAME"],
        "alicloud:assumeRole.sessionExpiration": ["ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION"],
        "alicloud:assumeRole.externalId": ["ALICLOUD_ASSUME_ROLE_EXTERNAL_ID"],
        "alicloud:assumeRole.policy": [],
        "alicloud:assumeRoleWithOidc.oidcProviderArn": ["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"],
        "alicloud:assumeRoleWithOidc.oidcToken": [],
        "alicloud:assumeRoleWithOidc.oidcTokenFile": ["ALIBABA_CLOUD_OIDC_TOKEN_FILE"],
        "alicloud:assumeRoleWithOidc.roleArn": ["ALIBABA_CLOUD_ROLE_ARN"],
        "alicloud:assumeRoleWithOidc.roleSessionName": ["ALIBABA_CLOUD_ROLE_SESSION_NAME"],
        "alicloud:assumeRoleWithOidc.sessionExpiration": [],
        "alicloud:ecsRoleName": ["ALICLOUD_ECS_ROLE_NAME"],
        "alicloud:profile": ["ALICLOUD_PROFILE", "ALIBABA_CLOUD_PROFILE"],
        "alicloud:sharedCredentialsFile": ["ALICLOUD_SHARED_CREDENTIALS_FILE"],
    },
}
SETTINGS = {setting.key: setting for cloud in EVERY for setting in settings_of(cloud)}
OBJECTS = [key for key in SETTINGS if "." in key]


def configured(key: str, value: object, *, as_text: bool = False) -> dict[str, object]:
    """A configuration that holds one setting, an object's as the stack's or the Provider's."""
    top, dot, name = key.partition(".")
    if not dot:
        return {key: value}
    return {top: json.dumps({name: value}) if as_text else {name: value}}


def test_there_are_no_other_settings() -> None:
    assert list(EVERY) == list(CLOUDS)
    assert {cloud: {one.key for one in settings_of(cloud)} for cloud in EVERY} == {
        cloud: set(keys) for cloud, keys in EVERY.items()
    }


@pytest.mark.parametrize("as_text", [True, False], ids=["stack", "provider"])
@pytest.mark.parametrize(
    ("key", "variables"), [item for keys in EVERY.values() for item in keys.items()]
)
def test_setting_is_read_from_its_key_and_then_its_variables_in_their_order(
    key: str, variables: list[str], as_text: bool
) -> None:
    setting = SETTINGS[key]
    environment = {name: f"variable {rank}" for rank, name in enumerate(variables, 1)}
    settings = Settings(configured(key, "value", as_text=as_text), environment)
    assert settings.find(setting) == Found("value", key, 0)
    for rank, variable in enumerate(variables, 1):
        left = {name: environment[name] for name in variables[rank - 1 :]}
        assert Settings({}, left).find(setting) == Found(f"variable {rank}", variable, rank)
    assert Settings({}, {}).find(setting) is None
    assert f"{key} …`" in setting.how_to_set
    assert all(variable in setting.how_to_set for variable in variables[:1])
    assert ("--path" in setting.how_to_set) == ("." in key)


@given(VALUES, VALUES)
def test_config_comes_before_the_environment(configured: str, variable: str) -> None:
    settings = Settings({BOTH.key: configured}, {"VENDOR_REGION": variable})
    assert settings.get(BOTH) == configured


@given(VALUES, VALUES)
def test_variables_are_read_in_their_order(first: str, second: str) -> None:
    environment = {"VENDOR_REGION": first, "VENDOR_REGION_ID": second}
    assert Settings({}, environment).get(BOTH) == first
    assert Settings({}, {"VENDOR_REGION_ID": second}).get(BOTH) == second


def test_nothing_set_is_none() -> None:
    assert Settings({}, {}).get(BOTH) is None
    assert Settings(None, {}).get(BOTH) is None


def test_empty_text_counts_as_not_set() -> None:
    environment = {"VENDOR_REGION": "", "VENDOR_REGION_ID": "b"}
    assert Settings({BOTH.key: ""}, environment).get(BOTH) == "b"
    assert Settings({BOTH.key: ""}, {"VENDOR_REGION": ""}).get(BOTH) is None


def test_fields_are_looked_up_one_by_one() -> None:
    settings = Settings(
        {"tencentcloud:secretId": "configured"},
        {"TENCENTCLOUD_SECRET_ID": "variable", "TENCENTCLOUD_SECRET_KEY": "variable"},
    )
    assert settings.get(TENCENTCLOUD.key_id) == "configured"
    assert settings.get(TENCENTCLOUD.key_secret) == "variable"


def test_what_cannot_be_left_out_is_the_value_or_says_how_to_set_it() -> None:
    setting = TENCENTCLOUD.web_identity.arn
    environment = {"TKE_ROLE_ARN": "arn"}
    assert Settings({}, environment).required(setting) == "arn"
    with pytest.raises(Misconfigured) as caught:
        Settings({}, {}).required(setting)
    key = "tencentcloud:assumeRoleWithWebIdentity.roleArn"
    assert str(caught.value) == (
        f"{key} is not set. Run `pulumi config set --path {key} …` or set TKE_ROLE_ARN"
    )


def test_providers_are_alike_where_all_is_set_alike_and_in_the_same_place() -> None:
    config: dict[str, object] = {"tencentcloud:secretId": "id"}
    values = Settings(config, {}).values(TENCENTCLOUD)
    assert values.count(Found("id", "tencentcloud:secretId", 0)) == 1
    assert Settings(dict(config), {}).values(TENCENTCLOUD) == values
    for key in EVERY[TENCENTCLOUD]:
        other = {**config, **configured(key, "other")}
        assert Settings(other, {}).values(TENCENTCLOUD) != values
    environment = {"TENCENTCLOUD_SECRET_ID": "id"}
    assert Settings({}, environment).values(TENCENTCLOUD) != values


def test_process_environment_is_read_when_asked_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings({})
    assert settings.get(TENCENTCLOUD.region) is None
    monkeypatch.setenv("TENCENTCLOUD_REGION", "ap-guangzhou")
    assert settings.get(TENCENTCLOUD.region) == "ap-guangzhou"


@pytest.mark.parametrize("value", [815, 815.0, True, ["815"], {"a": "815"}])
def test_config_that_is_no_text_is_refused_by_its_key_without_its_value(value: object) -> None:
    with pytest.raises(Misconfigured, match="tencentcloud:secretKey must be text") as caught:
        Settings({"tencentcloud:secretKey": value}, {}).get(TENCENTCLOUD.key_secret)
    assert "815" not in str(caught.value)


SECRETS = [
    part for cloud in EVERY for part in (cloud.key_secret, cloud.token, cloud.web_identity.token)
]


def test_these_and_no_others_are_secret() -> None:
    assert [one for one in SETTINGS.values() if one.secret] == sorted(
        SECRETS, key=list(SETTINGS.values()).index
    )


@pytest.mark.parametrize("setting", SECRETS)
def test_how_to_set_a_secret_stores_it_encrypted(setting: Setting) -> None:
    """Without --secret the key would lie in Pulumi.<stack>.yaml in plain text."""
    assert "pulumi config set --secret " in setting.how_to_set


@pytest.mark.parametrize(
    "setting",
    [TENCENTCLOUD.key_id, TENCENTCLOUD.web_identity.token_file, ALICLOUD.web_identity.token_file],
)
def test_how_to_set_what_pulumi_takes_for_a_secret_says_that_it_is_none(setting: Setting) -> None:
    """Without --plaintext `pulumi config set` refuses a real key id, and a file's long name."""
    assert "pulumi config set --plaintext " in setting.how_to_set


@pytest.mark.parametrize("setting", [TENCENTCLOUD.region, ALICLOUD.key_id, ALICLOUD.profile_file])
def test_how_to_set_what_is_no_secret_is_plain(setting: Setting) -> None:
    assert "--secret" not in setting.how_to_set
    assert "--plaintext" not in setting.how_to_set


# Objects


@pytest.mark.parametrize("as_text", [True, False], ids=["stack", "provider"])
@pytest.mark.parametrize("number", [3600, 3600.0])
@pytest.mark.parametrize("key", OBJECTS)
def test_whole_number_in_an_object_is_its_digits(key: str, number: object, as_text: bool) -> None:
    config = configured(key, number, as_text=as_text)
    assert Settings(config, {}).get(SETTINGS[key]) == "3600"


@pytest.mark.parametrize("digits", ["12345678901234567", "9" * 400])
def test_long_number_in_the_stacks_configuration_keeps_its_digits(digits: str) -> None:
    """An external id may be one, and `pulumi config set --path` writes it as a number."""
    settings = Settings({"alicloud:assumeRole": f'{{"externalId": {digits}}}'}, {})
    assert settings.get(ALICLOUD.role.external_id) == digits


@pytest.mark.parametrize("as_text", [True, False], ids=["stack", "provider"])
@pytest.mark.parametrize(
    "value", [True, False, 1.5, float("nan"), float("inf"), ["5e1f"], {"5e1f": "5e1f"}]
)
@pytest.mark.parametrize("key", OBJECTS)
def test_junk_in_an_object_is_one_line_with_its_key_and_not_its_value(
    key: str, value: object, as_text: bool
) -> None:
    settings = Settings(configured(key, value, as_text=as_text), {})
    with pytest.raises(Misconfigured, match=f"{re.escape(key)} must be text") as caught:
        settings.get(SETTINGS[key])
    assert_one_line(str(caught.value))
    assert "5e1f" not in everything_said(caught.value)


@pytest.mark.parametrize("value", ["5e1f", "{5e1f", '["5e1f"]', "5", '"5e1f"', ["5e1f"], 5.0, True])
@pytest.mark.parametrize("key", OBJECTS)
def test_junk_in_place_of_an_object_is_one_line_with_its_key_and_not_its_value(
    key: str, value: object
) -> None:
    top = SETTINGS[key].top
    with pytest.raises(Misconfigured, match=f"{top} must be an object") as caught:
        Settings({top: value}, {}).get(SETTINGS[key])
    assert_one_line(str(caught.value))
    assert "5e1f" not in str(caught.value)


@pytest.mark.parametrize("value", [None, "", "null", "{}", {}, {"roleArn": None}, {"roleArn": ""}])
def test_empty_object_is_not_set(value: object) -> None:
    settings = Settings({"alicloud:assumeRole": value}, {"ALICLOUD_ASSUME_ROLE_ARN": "arn"})
    assert settings.get(ALICLOUD.role.arn) == "arn"


@pytest.mark.parametrize("text", ["1h", "-1", "1.5", "٣٦٠٠", "3600 "])
def test_seconds_that_are_none_are_said_without_their_value(text: str) -> None:
    settings = Settings({"alicloud:assumeRole": {"sessionExpiration": text}}, {})
    with pytest.raises(Misconfigured, match="must be a whole number of seconds") as caught:
        settings.seconds(ALICLOUD.role.seconds, 3600)
    assert_one_line(str(caught.value))
    assert text not in str(caught.value).replace("-", "")


def test_seconds_are_the_setting_or_the_default() -> None:
    settings = Settings({"alicloud:assumeRole": {"sessionExpiration": 900.0}}, {})
    assert settings.seconds(ALICLOUD.role.seconds, 3600) == 900
    assert Settings({}, {}).seconds(ALICLOUD.role.seconds, 3600) == 3600


# Tokens of identity providers


@pytest.mark.parametrize("cloud", EVERY, ids=lambda cloud: cloud.title)
def test_identity_token_is_read_anew_from_its_file_each_time(cloud: Cloud, tmp_path: Path) -> None:
    file = tmp_path / "token"
    settings = Settings(configured(cloud.web_identity.token_file.key, str(file)), {})
    for token in ("first", "second"):
        file.write_text(f"{token}\n")
        assert settings.token(cloud.web_identity) == token


def test_identity_tokens_file_may_be_in_the_users_folder(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token")
    settings = Settings({}, {"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "~/token"})
    assert settings.token(ALICLOUD.web_identity) == "token"


@pytest.mark.parametrize("cloud", EVERY, ids=lambda cloud: cloud.title)
def test_identity_token_that_is_given_comes_before_its_file(cloud: Cloud) -> None:
    top, names = (
        cloud.web_identity.token.top,
        (cloud.web_identity.token, cloud.web_identity.token_file),
    )
    token, file = (setting.key.partition(".")[2] for setting in names)
    assert Settings({top: {token: "given", file: "/none"}}, {}).token(cloud.web_identity) == "given"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "names cannot be read"),
        (b"\xff\xfe", "names cannot be read"),
        (b"", "or its file is empty"),
        (b" \n", "or its file is empty"),
    ],
)
@pytest.mark.parametrize("cloud", EVERY, ids=lambda cloud: cloud.title)
def test_identity_token_that_cannot_be_had_is_one_line(
    cloud: Cloud, content: bytes | None, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    settings = Settings(configured(cloud.web_identity.token_file.key, str(file)), {})
    for said, expected in ((settings, why), (Settings({}, {}), "is not set")):
        with pytest.raises(Misconfigured, match=cloud.web_identity.token_file.key) as caught:
            said.token(cloud.web_identity)
        assert expected in str(caught.value)
        assert_one_line(str(caught.value))


# Who signs

WAYS = {
    TENCENTCLOUD: [
        "tencentcloud:secretId",
        "tencentcloud:secretKey",
        "tencentcloud:assumeRoleWithWebIdentity.providerId",
        "tencentcloud:camRoleName",
    ],
    ALICLOUD: [
        "alicloud:accessKey",
        "alicloud:secretKey",
        "alicloud:assumeRoleWithOidc.oidcProviderArn",
        "alicloud:profile",
        "alicloud:sharedCredentialsFile",
        "alicloud:ecsRoleName",
    ],
}


@pytest.mark.parametrize("cloud", EVERY, ids=lambda cloud: cloud.title)
def test_who_signs_is_the_first_way_of_the_configuration_else_of_the_environment(
    cloud: Cloud,
) -> None:
    """Each of the ways in the configuration, in the environment, in both, or in none."""
    ways = WAYS[cloud]
    for places in itertools.product(["", "config", "environment", "both"], repeat=len(ways)):
        config: dict[str, object] = {}
        environment: dict[str, str] = {}
        for way, place in zip(ways, places, strict=True):
            if place in ("config", "both"):
                config |= configured(way, "value")
            if place in ("environment", "both"):
                environment[SETTINGS[way].environment[-1]] = "value"
        placed = list(zip(ways, places, strict=True))
        first = [way for way, place in placed if place in ("config", "both")]
        first += [way for way, place in placed if place == "environment"]
        source = Settings(config, environment).source(cloud)
        assert (source.key if source else None) == (first[0] if first else None)


@pytest.mark.parametrize("as_text", [True, False], ids=["stack", "provider"])
@pytest.mark.parametrize("cloud", EVERY, ids=lambda cloud: cloud.title)
def test_any_part_of_web_identity_in_the_configuration_says_that_it_signs(
    cloud: Cloud, as_text: bool
) -> None:
    identity = cloud.web_identity
    environment = {cloud.key_id.environment[0]: "id", cloud.key_secret.environment[0]: "secret"}
    for part in (identity.arn, identity.token, identity.token_file, identity.seconds):
        config = configured(part.key, "value", as_text=as_text)
        assert Settings(config, environment).source(cloud) is identity.provider
        # In the environment it may be another program's, and the vendor's own chain ignores it.
        if part.environment:
            assert Settings({}, {part.environment[0]: "value"}).source(cloud) is None


@pytest.mark.parametrize("cloud", EVERY, ids=lambda cloud: cloud.title)
def test_misspelt_part_of_web_identity_is_named(cloud: Cloud) -> None:
    identity = cloud.web_identity
    config = {identity.arn.top: {"roleARN": "5e1f", "Token": "5e1f"}}
    assert Settings(config, {}).source(cloud) is identity.provider
    with pytest.raises(Misconfigured) as caught:
        Settings(config, {}).required(identity.arn)
    assert str(caught.value) == (
        f"{identity.arn.top} has no roleArn, but roleARN and Token. {identity.arn.how_to_set}"
    )


@pytest.mark.parametrize("cloud", EVERY, ids=lambda cloud: cloud.title)
def test_neither_role_nor_token_nor_region_says_who_signs(cloud: Cloud) -> None:
    config = {
        cloud.token.key: "value",
        cloud.region.key: "value",
        cloud.endpoint.key: "value",
        **configured(cloud.role.arn.key, "value"),
    }
    assert Settings(config, {}).source(cloud) is None


@pytest.mark.parametrize("value", ["", None])
@pytest.mark.parametrize("cloud", EVERY, ids=lambda cloud: cloud.title)
def test_parts_without_a_value_are_none(cloud: Cloud, value: object) -> None:
    empty = {"roleArn": value, "sessionName": value}
    config = {cloud.role.arn.top: empty, cloud.web_identity.arn.top: empty}
    settings = Settings(config, {})
    assert settings.role(cloud) is None
    assert settings.source(cloud) is None


# Keys


@pytest.mark.parametrize("cloud", [TENCENTCLOUD, ALICLOUD])
def test_key_is_none_where_no_half_is_set(cloud: Cloud) -> None:
    assert Settings({}, {}).key(cloud) is None
    assert Settings({cloud.token.key: "token"}, {}).key(cloud) is None


@pytest.mark.parametrize("cloud", [TENCENTCLOUD, ALICLOUD])
def test_key_has_its_halves_and_its_token_and_shows_no_secret(cloud: Cloud) -> None:
    config = {cloud.key_id.key: "id", cloud.key_secret.key: "5e1f-secret"}
    key = Settings(config, {}).key(cloud)
    assert key == Key("id", "5e1f-secret", None)
    temporary = Settings({**config, cloud.token.key: "5e1f-token"}, {}).key(cloud)
    assert temporary == Key("id", "5e1f-secret", "5e1f-token")
    assert "5e1f" not in repr(temporary)


@pytest.mark.parametrize("cloud", [TENCENTCLOUD, ALICLOUD])
def test_half_a_key_names_the_half_that_is_missing(cloud: Cloud) -> None:
    for given_half, missing in (
        (cloud.key_id, cloud.key_secret),
        (cloud.key_secret, cloud.key_id),
    ):
        with pytest.raises(Misconfigured) as caught:
            Settings({given_half.key: "5e1f-half"}, {}).key(cloud)
        assert f"half of the {cloud.title} key is missing: {missing.key}" in str(caught.value)
        assert missing.how_to_set in str(caught.value)
        assert "5e1f-half" not in str(caught.value)


@given(st.sampled_from(["id", "secret", "token"]), st.text(min_size=1))
def test_key_that_is_taken_can_stand_in_a_header(part: str, value: str) -> None:
    parts = {"id": "id", "secret": "secret", "token": "token", part: value}
    config = {
        TENCENTCLOUD.key_id.key: parts["id"],
        TENCENTCLOUD.key_secret.key: parts["secret"],
        TENCENTCLOUD.token.key: parts["token"],
    }
    usable = all("!" <= character <= "~" for character in value)
    try:
        key = Settings(config, {}).key(TENCENTCLOUD)
    except Misconfigured:
        assert not usable
    else:
        assert usable
        assert key == Key(parts["id"], parts["secret"], parts["token"])


def test_token_goes_with_the_key_that_stands_in_its_place() -> None:
    """All placements of the three parts in Alibaba Cloud's three places."""
    parts = [list(EVERY[ALICLOUD].items())[index] for index in range(3)]
    subsets = [
        set(chosen) for size in range(4) for chosen in itertools.combinations(range(3), size)
    ]
    for placed in itertools.product(subsets, repeat=3):
        config = {key: f"{key}-0" for (key, _), own in zip(parts, placed, strict=True) if 0 in own}
        environment = {
            variables[place - 1]: f"{key}-{place}"
            for (key, variables), own in zip(parts, placed, strict=True)
            for place in own - {0}
        }
        ids, secrets, tokens = placed
        settings = Settings(config, environment)
        if not ids and not secrets:
            assert settings.key(ALICLOUD) is None
            continue
        if not ids or not secrets:
            with pytest.raises(Misconfigured, match="half of the"):
                settings.key(ALICLOUD)
            continue
        # A place with an id that is not in force lends no token.
        overruled = ids - {min(ids)}
        token = min(tokens) if tokens and min(tokens) not in overruled else None
        assert settings.key(ALICLOUD) == Key(
            f"alicloud:accessKey-{min(ids)}",
            f"alicloud:secretKey-{min(secrets)}",
            None if token is None else f"alicloud:securityToken-{token}",
        ), placed


def test_nothing_that_is_found_shows_its_value() -> None:
    assert "5e1f" not in repr(
        Settings({"alicloud:secretKey": "5e1f"}, {}).find(ALICLOUD.key_secret)
    )


# Roles


@pytest.mark.parametrize("cloud", [TENCENTCLOUD, ALICLOUD])
def test_role_in_the_environment_goes_with_who_stands_there(cloud: Cloud) -> None:
    role = {cloud.role.arn.environment[0]: "role"}
    another = {cloud.key_id.environment[0]: "another", **role}
    key = {cloud.key_id.key: "id"}

    def taken_on(config: dict[str, str], environment: dict[str, str]) -> str | None:
        found = Settings(config, environment).role(cloud)
        return found.value if found else None

    assert taken_on({}, another) == "role"
    assert taken_on(key, role) == "role"
    # With a key of its own beside it, the role is not for the configuration's key.
    assert taken_on(key, another) is None
    top, _, name = cloud.role.arn.key.partition(".")
    assert taken_on({**key, top: json.dumps({name: "configured"})}, another) == "configured"
    assert taken_on({}, {}) is None
    # Where the configuration names nobody, several names in the environment are one another's.
    every_variable = dict.fromkeys(cloud.key_id.environment, "another")
    assert taken_on({}, {**every_variable, **role}) == "role"


@pytest.mark.parametrize("as_text", [True, False], ids=["stack", "provider"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_role_without_its_arn_is_refused_and_what_it_has_no_name_for_is_told(
    cloud: Cloud, as_text: bool
) -> None:
    top = cloud.role.arn.top
    config = configured(cloud.role.external_id.key, "5e1f", as_text=as_text)
    with pytest.raises(Misconfigured) as caught:
        Settings(config, {}).role(cloud)
    assert str(caught.value) == f"{top} has no roleArn. Set it, or take {top} out"
    value: object = {"roleARN": "5e1f", "b": "5e1f", "externalId": None}
    with pytest.raises(Misconfigured) as caught:
        Settings({top: json.dumps(value) if as_text else value}, {}).role(cloud)
    assert str(caught.value) == (
        f"{top} has no roleArn, but roleARN and b. Set it, or take {top} out"
    )


@pytest.mark.parametrize("cloud", CLOUDS)
def test_role_whose_arn_stands_in_the_environment_is_whole(cloud: Cloud) -> None:
    config = configured(cloud.role.external_id.key, "external")
    role = {cloud.role.arn.environment[0]: "role"}
    found = Settings(config, role).role(cloud)
    assert found
    assert found.value == "role"
    # Not where that role is another key's.
    another = {cloud.key_id.environment[0]: "another", **role}
    with pytest.raises(Misconfigured, match=f"{cloud.role.arn.top} has no roleArn"):
        Settings({**config, cloud.key_id.key: "id"}, another).role(cloud)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_names_of_a_role_that_are_other_providers_are_let_pass(cloud: Cloud) -> None:
    """The vendors' own Pulumi providers know more of them."""
    found = Settings({cloud.role.arn.top: {"roleArn": "role", "sourceIdentity": "x"}}, {})
    role = found.role(cloud)
    assert role
    assert role.value == "role"


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("part", ["key_id", "key_secret", "token"])
@pytest.mark.parametrize("wrong", ["two words", "tab\tbed", "schlüssel"])
def test_a_key_that_cannot_be_one_is_told_by_its_setting(
    cloud: Cloud, part: str, wrong: str
) -> None:
    settings = {setting.key: "right" for setting in (cloud.key_id, cloud.key_secret, cloud.token)}
    setting = getattr(cloud, part)
    with pytest.raises(Misconfigured) as caught:
        Settings({**settings, setting.key: wrong}, {}).key(cloud)
    assert setting.key in caught.value.reason
    assert wrong not in everything_said(caught.value)

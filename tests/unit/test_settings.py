from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.settings import (
    ALICLOUD,
    TENCENTCLOUD,
    TENCENTCLOUD_DOMAIN,
    Cloud,
    Key,
    Setting,
    Settings,
)

BOTH = Setting("vendor:region", ("VENDOR_REGION", "VENDOR_REGION_ID"))
VALUES = st.text(min_size=1)


@pytest.mark.parametrize(
    ("setting", "key", "variable"),
    [
        (TENCENTCLOUD.key_id, "tencentcloud:secretId", "TENCENTCLOUD_SECRET_ID"),
        (TENCENTCLOUD.key_secret, "tencentcloud:secretKey", "TENCENTCLOUD_SECRET_KEY"),
        (TENCENTCLOUD.token, "tencentcloud:securityToken", "TENCENTCLOUD_SECURITY_TOKEN"),
        (TENCENTCLOUD.region, "tencentcloud:region", "TENCENTCLOUD_REGION"),
        (TENCENTCLOUD.endpoint, "tencentcloud:endpoint", "TENCENTCLOUD_ENDPOINT"),
        (TENCENTCLOUD_DOMAIN, "tencentcloud:domain", "TENCENTCLOUD_DOMAIN"),
        (ALICLOUD.key_id, "alicloud:accessKey", "ALICLOUD_ACCESS_KEY"),
        (ALICLOUD.key_secret, "alicloud:secretKey", "ALICLOUD_SECRET_KEY"),
        (ALICLOUD.token, "alicloud:securityToken", "ALICLOUD_SECURITY_TOKEN"),
        (ALICLOUD.region, "alicloud:region", "ALICLOUD_REGION"),
        (ALICLOUD.endpoint, "alicloud:endpoint", "ALICLOUD_ENDPOINT"),
    ],
)
def test_setting_is_read_from_its_key_and_its_variable(
    setting: Setting, key: str, variable: str
) -> None:
    assert Settings({key: "a"}, {}).get(setting) == "a"
    assert Settings({}, {variable: "b"}).get(setting) == "b"
    assert Settings({key: "a"}, {variable: "b"}).get(setting) == "a"
    assert key in setting.how_to_set
    assert variable in setting.how_to_set


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


@pytest.mark.parametrize(
    "setting", [TENCENTCLOUD.key_secret, TENCENTCLOUD.token, ALICLOUD.key_secret, ALICLOUD.token]
)
def test_how_to_set_a_secret_stores_it_encrypted(setting: Setting) -> None:
    """Without --secret the key would lie in Pulumi.<stack>.yaml in plain text."""
    assert f"pulumi config set --secret {setting.key}" in setting.how_to_set


def test_how_to_set_a_region_is_plain() -> None:
    assert "--secret" not in TENCENTCLOUD.region.how_to_set


@pytest.mark.parametrize(
    ("setting", "variable"),
    [
        (ALICLOUD.key_id, "ALIBABA_CLOUD_ACCESS_KEY_ID"),
        (ALICLOUD.region, "ALIBABA_CLOUD_REGION_ID"),
    ],
)
def test_alibabas_own_variables_are_read_after_the_pulumi_providers(
    setting: Setting, variable: str
) -> None:
    assert Settings({}, {variable: "own"}).get(setting) == "own"
    assert (
        Settings({}, {variable: "own", setting.environment[0]: "pulumi"}).get(setting) == "pulumi"
    )


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

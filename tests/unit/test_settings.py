from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid.errors import Misconfigured
from pulumi_hybrid.settings import TENCENTCLOUD, TENCENTCLOUD_DOMAIN, Setting, Settings

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


@pytest.mark.parametrize("setting", [TENCENTCLOUD.key_secret, TENCENTCLOUD.token])
def test_how_to_set_a_secret_stores_it_encrypted(setting: Setting) -> None:
    """Without --secret the key would lie in Pulumi.<stack>.yaml in plain text."""
    assert f"pulumi config set --secret {setting.key}" in setting.how_to_set


def test_how_to_set_a_region_is_plain() -> None:
    assert "--secret" not in TENCENTCLOUD.region.how_to_set

"""Tag against its page, with registries of TCR as the resources."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_hybrid.emulator import Emulator

from .vendor_client import TWO, Sdk, refused, sdk_of

TCR = {"service": "tcr", "version": "2019-09-24"}
TAG = {"service": "tag", "version": "2018-08-13"}


@pytest.fixture
def tag(emulator: Emulator) -> Sdk:
    return sdk_of(emulator, **TAG)


@pytest.fixture
def tcr(emulator: Emulator) -> Sdk:
    emulator.settings(tcr_pending_seconds=0, tcr_deploying_seconds=0)
    return sdk_of(emulator, **TCR)


@pytest.fixture
def registry(tcr: Sdk) -> str:
    """A registry with the tags a=1, b=2."""
    answer = tcr(
        "CreateInstance",
        RegistryName="tcr-test",
        RegistryType="basic",
        TagSpecification={"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]},
    )
    return str(answer["RegistryId"])


def resource(registry_id: str, region: str = "ap-guangzhou", uin: str = "") -> str:
    return f"qcs::tcr:{region}:uin/{uin}:instance/{registry_id}"


def replaced(**tags: str) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def deleted(*keys: str) -> list[dict[str, str]]:
    return [{"TagKey": key} for key in keys]


def seen(tcr: Sdk, registry_id: str) -> dict[str, str]:
    (found,) = tcr("DescribeInstances", Registryids=[registry_id])["Registries"]
    tags = found["TagSpecification"]
    if tags is None:
        return {}
    assert tags["ResourceType"] == "instance"
    return {tag["Key"]: tag["Value"] for tag in tags["Tags"]}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"ReplaceTags": replaced(a="3")}, {"a": "3", "b": "2"}),
        ({"ReplaceTags": replaced(c="3")}, {"a": "1", "b": "2", "c": "3"}),
        ({"ReplaceTags": replaced(c="")}, {"a": "1", "b": "2", "c": ""}),
        ({"DeleteTags": deleted("a")}, {"b": "2"}),
        ({"DeleteTags": deleted("a", "b")}, {}),
        ({"DeleteTags": deleted("never-there")}, {"a": "1", "b": "2"}),
        ({"ReplaceTags": replaced(c="3"), "DeleteTags": deleted("b")}, {"a": "1", "c": "3"}),
    ],
)
def test_tags_change(
    tag: Sdk, tcr: Sdk, registry: str, parameters: dict[str, Any], expected: dict[str, str]
) -> None:
    answer = tag("ModifyResourceTags", Resource=resource(registry), **parameters)
    assert set(answer) == {"RequestId"}
    assert seen(tcr, registry) == expected


def test_the_region_is_the_resources_own(emulator: Emulator, tcr: Sdk, registry: str) -> None:
    for region in ("", "ap-tokyo"):
        tag = sdk_of(emulator, region=region, **TAG)
        tag(
            "ModifyResourceTags",
            Resource=resource(registry, uin="100000000001"),
            ReplaceTags=replaced(a=f"from-{region}"),
        )
        assert seen(tcr, registry)["a"] == f"from-{region}"


def test_reads_may_lag(emulator: Emulator, tag: Sdk, tcr: Sdk, registry: str) -> None:
    emulator.settings(tag_lag_seconds=100)
    tag("ModifyResourceTags", Resource=resource(registry), ReplaceTags=replaced(c="3"))
    assert seen(tcr, registry) == {"a": "1", "b": "2"}
    emulator.clock(offset_seconds=50)
    # the second change builds on the first, seen or not
    tag("ModifyResourceTags", Resource=resource(registry), DeleteTags=deleted("a"))
    for passed, expected in (
        (90, {"a": "1", "b": "2"}),
        (110, {"a": "1", "b": "2", "c": "3"}),
        (160, {"b": "2", "c": "3"}),
    ):
        emulator.clock(offset_seconds=passed)
        assert seen(tcr, registry) == expected


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "InvalidParameter.Tag"),
        ({"ReplaceTags": []}, "InvalidParameter.Tag"),
        ({"ReplaceTags": [], "DeleteTags": deleted("a")}, "InvalidParameter.Tag"),
        ({"ReplaceTags": replaced(a="1"), "DeleteTags": []}, "InvalidParameter.Tag"),
        ({"ReplaceTags": replaced(a="1") * 2}, "InvalidParameter.Tag"),
        (
            {"ReplaceTags": replaced(**{f"k{number}": "v" for number in range(11)})},
            "InvalidParameter.Tag",
        ),
        ({"DeleteTags": deleted(*(f"k{number}" for number in range(11)))}, "InvalidParameter.Tag"),
        (
            {"ReplaceTags": replaced(a="3"), "DeleteTags": deleted("a")},
            "InvalidParameterValue.DeleteTagsParamError",
        ),
        ({"ReplaceTags": [{"TagKey": "a"}]}, "MissingParameter"),
        ({"ReplaceTags": [{"Key": "a", "Value": "1"}]}, "UnknownParameter"),
        ({"ReplaceTags": [{"TagKey": "a", "TagValue": 1}]}, "InvalidParameter"),
        (
            {"ReplaceTags": [{"TagKey": "", "TagValue": "1"}]},
            "InvalidParameterValue.TagKeyEmpty",
        ),
        ({"ReplaceTags": replaced(project="1")}, "InvalidParameter.ReservedTagKey"),
        (
            {"ReplaceTags": [{"TagKey": "qcs:a", "TagValue": "1"}]},
            "InvalidParameter.ReservedTagKey",
        ),
        (
            {"ReplaceTags": replaced(**{"k" * 128: "v"})},
            "InvalidParameterValue.TagKeyLengthExceeded",
        ),
        ({"ReplaceTags": replaced(k="v" * 256)}, "InvalidParameterValue.TagValueLengthExceeded"),
        (
            {"ReplaceTags": [{"TagKey": "a*b", "TagValue": "1"}]},
            "InvalidParameterValue.TagKeyCharacterIllegal",
        ),
        ({"ReplaceTags": replaced(k="a|b")}, "InvalidParameterValue.TagValueCharacterIllegal"),
        (
            {"ReplaceTags": replaced(**{f"k{number}": "v" for number in range(9)})},
            "LimitExceeded.ResourceAttachedTags",
        ),
        ({"Resource": "tcr-1"}, "InvalidParameterValue.ResourceDescriptionError"),
        (
            {"Resource": "qcs::tcr:ap-guangzhou:uin/:instance"},
            "InvalidParameterValue.ResourceDescriptionError",
        ),
        (
            {"Resource": "qcs::cvm:ap-guangzhou:uin/:instance/ins-1"},
            "InvalidParameter.UnsupportedService",
        ),
        ({"Resource": resource("tcr-00000000")}, "FailedOperation"),
    ],
)
def test_refused(tag: Sdk, tcr: Sdk, registry: str, parameters: dict[str, Any], code: str) -> None:
    sent = {"Resource": resource(registry), **parameters}
    if "Resource" in parameters:
        sent["ReplaceTags"] = replaced(c="3")
    with refused(code):
        tag("ModifyResourceTags", **sent)
    assert seen(tcr, registry) == {"a": "1", "b": "2"}


def test_the_resource_must_be_named(tag: Sdk) -> None:
    with refused("MissingParameter"):
        tag("ModifyResourceTags", ReplaceTags=replaced(a="1"))


def test_at_the_limits(tag: Sdk, tcr: Sdk, registry: str) -> None:
    tags = {"k" * 127: "v" * 255, "键 .:/=+-@_()": "值"}
    tags |= {f"k{number}": "v" for number in range(6)}
    tag("ModifyResourceTags", Resource=resource(registry), ReplaceTags=replaced(**tags))
    assert seen(tcr, registry) == {"a": "1", "b": "2", **tags}
    ten = [f"k{number}" for number in range(10)]
    tag("ModifyResourceTags", Resource=resource(registry), DeleteTags=deleted(*ten))
    assert len(seen(tcr, registry)) == 4


def test_only_ones_own(emulator: Emulator, tcr: Sdk, registry: str) -> None:
    for other, where in (
        (sdk_of(emulator, TWO, **TAG), resource(registry)),
        (sdk_of(emulator, **TAG), resource(registry, "ap-tokyo")),
    ):
        with refused("FailedOperation"):
            other("ModifyResourceTags", Resource=where, ReplaceTags=replaced(c="3"))
    assert seen(tcr, registry) == {"a": "1", "b": "2"}

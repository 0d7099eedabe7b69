from __future__ import annotations

import importlib.metadata
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import responses
from responses.matchers import header_matcher

from pulumi_hybrid import clock, doctor

from .conftest import assert_one_line

TENCENTCLOUD = {
    "TENCENTCLOUD_SECRET_ID": "AKIDz8krbsJ5yKBZQpn7EXAMPLE",
    "TENCENTCLOUD_SECRET_KEY": "5e1f-tencentcloud",
    "TENCENTCLOUD_REGION": "ap-guangzhou",
}
ALICLOUD = {
    "ALICLOUD_ACCESS_KEY": "LTAI5tEXAMPLEid",
    "ALICLOUD_SECRET_KEY": "5e1f-alicloud",
    "ALICLOUD_REGION": "cn-hangzhou",
}
TENCENTCLOUD_ASKED = {
    "GetCallerIdentity": "sts",
    "DescribeRegisterCodes": "tat",
    "DescribeInstances": "tcr",
    "DescribeDealsByCond": "billing",
}
ALICLOUD_ASKED = {
    "GetCallerIdentity": "sts.aliyuncs.com",
    "DescribeActivations": "ecs-cn-hangzhou.aliyuncs.com",
}


class World:
    """Both vendors, who allow everything, and a `pulumi` that answers as it is told.

    Attributes:
        answers: by vendor and action.
    """

    def __init__(self, mock: responses.RequestsMock, path: Path) -> None:
        self.mock = mock
        self._path = path
        self.answers: dict[tuple[str, str], dict[str, Any]] = {}
        for action, product in TENCENTCLOUD_ASKED.items():
            self.tencentcloud(action, AccountId="100000000001", Arn="qcs::cam::uin/1:uin/1")
            self._serve("tencentcloud", action, f"{product}.tencentcloudapi.com", "X-TC-Action")
        for action, host in ALICLOUD_ASKED.items():
            self.alicloud(action, AccountId="1234567890123456", Arn="acs:ram::1:user/u")
            self._serve("alicloud", action, host, "x-acs-action")
        for host in ("sts.tencentcloudapi.com", "sts.aliyuncs.com"):
            self.tells_time(host)

    def _serve(self, vendor: str, action: str, host: str, header: str) -> None:
        self.mock.add_callback(
            "POST",
            f"https://{host}/",
            lambda _: (200, {}, json.dumps(self.answers[vendor, action])),
            match=[header_matcher({header: action})],
            content_type="application/json",
        )

    def tencentcloud(self, action: str, **fields: Any) -> None:
        self.answers["tencentcloud", action] = {"Response": {"RequestId": "req-1", **fields}}

    def alicloud(self, action: str, **fields: Any) -> None:
        self.answers["alicloud", action] = {"RequestId": "req-1", **fields}

    def tells_time(self, host: str, **off: float) -> None:
        date = format_datetime(clock.now() + timedelta(**off), usegmt=True)
        self.mock.upsert("HEAD", f"https://{host}/", headers={"Date": date})

    def asked(self, host: str) -> bool:
        return any(host in str(call.request.url) for call in self.mock.calls)

    def pulumi(self, answers: Mapping[str, Any]) -> None:
        """Put a `pulumi` on PATH that prints, by the first words of its arguments."""
        lines = ["#!/bin/sh", 'case "$*" in']
        for words, answer in answers.items():
            text = answer if isinstance(answer, str) else json.dumps(answer)
            lines.append(f"{words!r}*) cat <<'END'\n{text}\nEND\n;;")
        lines += ["*) echo \"error: no stack named 'x' found\" >&2; exit 255;;", "esac", ""]
        program = self._path / "pulumi"
        program.write_text("\n".join(lines))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_network: None) -> Iterator[World]:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield World(mock, tmp_path)


Examine = Callable[..., tuple[int, str]]


@pytest.fixture
def examine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Examine:
    """Runs the doctor in an environment; what it returns, and what it says."""

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        status = doctor.main(list(arguments))
        said, errors = capsys.readouterr()
        assert errors == ""
        assert "5e1f" not in said
        for line in said.splitlines():
            assert "Traceback" not in line
        return status, said

    return run


def line(said: str, words: str) -> str:
    """The one line that holds some words."""
    [found] = [one.strip() for one in said.splitlines() if words in one]
    return found


def test_everything_that_is_set_up_and_works_is_status_0(world: World, examine: Examine) -> None:
    status, said = examine(**TENCENTCLOUD, **ALICLOUD)
    assert status == 0
    assert " NO " not in said
    for checked in (
        "key: account 100000000001, qcs::cam::uin/1:uin/1",
        "key: account 1234567890123456, acs:ram::1:user/u",
        "TAT DescribeRegisterCodes: allowed in ap-guangzhou",
        "TCR DescribeInstances: allowed in ap-guangzhou",
        "ECS DescribeActivations: allowed in cn-hangzhou",
    ):
        assert line(said, checked).startswith("ok")
    # Billing has no region.
    assert line(said, "Billing") == "ok    Billing DescribeDealsByCond: allowed"
    assert said.count("clock: right") == 2
    assert "AKID…MPLE" in line(said, "secretId")
    assert "(set)" in line(said, "TENCENTCLOUD_SECRET_KEY")


def test_one_cloud_is_enough(world: World, examine: Examine) -> None:
    status, said = examine(**TENCENTCLOUD)
    assert status == 0
    assert line(said, "no Alibaba Cloud key found").startswith("--")
    assert not world.asked("ecs-cn-hangzhou")


@pytest.mark.usefixtures("world")
def test_no_key_for_either_cloud_is_status_1(examine: Examine) -> None:
    status, said = examine()
    assert status == 1
    assert "No key for either cloud. Set one in a way that is named above." in said


def test_key_that_is_refused_is_status_1_and_nothing_more_is_asked(
    world: World, examine: Examine
) -> None:
    world.tencentcloud(
        "GetCallerIdentity", Error={"Code": "AuthFailure.SecretIdNotFound", "Message": "No."}
    )
    status, said = examine(**TENCENTCLOUD)
    assert status == 1
    assert line(said, "there is no such secret id").startswith("NO    key:")
    assert not world.asked("tat.")


def test_api_that_is_refused_is_status_1_and_the_others_are_asked(
    world: World, examine: Examine
) -> None:
    world.tencentcloud(
        "DescribeRegisterCodes", Error={"Code": "UnauthorizedOperation", "Message": "No."}
    )
    status, said = examine(**TENCENTCLOUD)
    assert status == 1
    assert line(said, "the key may not do this").startswith("NO    TAT DescribeRegisterCodes:")
    assert line(said, "TCR DescribeInstances").startswith("ok")


def test_clock_that_is_off_is_status_1_and_says_by_how_much(world: World, examine: Examine) -> None:
    world.tells_time("sts.aliyuncs.com", minutes=-20)
    status, said = examine(**ALICLOUD)
    assert status == 1
    assert re.search(r"clock is \+1\d{3} s off", line(said, "this machine's clock"))


def test_half_a_key_is_status_1(world: World, examine: Examine) -> None:
    status, said = examine(TENCENTCLOUD_SECRET_ID="AKIDz8krbsJ5yKBZ", **ALICLOUD)
    assert status == 1
    assert line(said, "half of the Tencent Cloud key is missing").startswith("NO")
    assert line(said, "ECS DescribeActivations").startswith("ok")


def test_without_a_region_the_apis_are_not_asked(world: World, examine: Examine) -> None:
    del (without := dict(ALICLOUD))["ALICLOUD_REGION"]
    status, said = examine(**without)
    assert status == 0
    assert line(said, "not asked without a region").startswith("--")
    assert not world.asked("ecs-")


def test_package_that_brings_the_same_files_is_status_1(
    world: World, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.metadata.distribution

    def with_monolith(name: str) -> importlib.metadata.Distribution:
        return real("pulumi" if name == "tencentcloud-sdk-python" else name)

    monkeypatch.setattr(importlib.metadata, "distribution", with_monolith)
    status, said = examine(**TENCENTCLOUD)
    assert status == 1
    assert line(said, "bring the same files").startswith("NO    packages:")


# The stack


CONFIG = {
    "alicloud:accessKey": {"value": "LTAI5tEXAMPLEid", "secret": False},
    "alicloud:secretKey": {"value": "5e1f-alicloud", "secret": True},
    "alicloud:region": {"value": "cn-hangzhou", "secret": False},
}


def test_without_pulumi_the_environment_alone_is_examined(world: World, examine: Examine) -> None:
    status, said = examine(**ALICLOUD)
    assert status == 0
    assert "the environment alone, as pulumi is not on PATH" in said


@pytest.mark.usefixtures("world")
def test_without_pulumi_a_stack_that_is_named_is_status_1(examine: Examine) -> None:
    for arguments in (["--stack", "dev"], ["--provider", "other"]):
        status, said = examine(*arguments, **ALICLOUD)
        assert status == 1
        assert line(said, "pulumi is not on PATH").startswith("NO    stack: ")


def test_pulumi_that_cannot_be_run_is_told(world: World, examine: Examine, tmp_path: Path) -> None:
    world.pulumi({})
    (tmp_path / "pulumi").write_text("#!/nowhere\n")
    status, said = examine("--stack", "dev", **ALICLOUD)
    assert status == 1
    assert line(said, "pulumi cannot be run here").startswith("NO")


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("more", [[], ["--stack", "dev"]])
def test_a_folder_that_is_none_is_status_1(
    examine: Examine, tmp_path: Path, more: list[str]
) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "nope", tmp_path / "file"):
        status, said = examine("--cwd", str(folder), *more, **ALICLOUD)
        assert status == 1
        _, told = said.splitlines()
        assert told == f"  NO    stack: {folder} is no folder. Give the project's folder to --cwd"


def test_stacks_configuration_comes_before_the_environment(world: World, examine: Examine) -> None:
    world.pulumi({"config --json": CONFIG, "stack --show-name": "dev"})
    status, said = examine(ALICLOUD_ACCESS_KEY="other", ALICLOUD_SECRET_KEY="5e1f-other")
    assert status == 0
    assert "stack dev, then the environment" in said
    assert line(said, "LTAI…LEid").endswith("alicloud:accessKey")
    assert line(said, "(set)").endswith("alicloud:secretKey")
    assert "in plain text" not in said


def test_secret_in_plain_text_is_told(world: World, examine: Examine) -> None:
    plain = {**CONFIG, "alicloud:secretKey": {"value": "5e1f-alicloud", "secret": False}}
    world.pulumi({"config --json": plain, "stack --show-name": "dev"})
    _, said = examine()
    assert "pulumi config set --secret alicloud:secretKey" in line(said, "in plain text")


def test_what_the_user_keeps_encrypted_is_not_shown(world: World, examine: Examine) -> None:
    """An external id is no secret to the vendor, but may be one to the user."""
    role = json.dumps({"roleArn": "acs:ram::1:role/deploy", "externalId": "5e1f-external"})
    secret = {
        **CONFIG,
        "alicloud:accessKey": {"value": "LTAI5tEXAMPLEid", "secret": True},
        "alicloud:assumeRole": {"value": role, "secret": True},
    }
    world.pulumi({"config --json": secret, "stack --show-name": "dev"})
    _, said = examine()
    assert "(set)" in line(said, "alicloud:assumeRole.externalId")
    assert "LTAI…LEid" in line(said, "alicloud:accessKey")
    assert "cn-hangzhou" in line(said, "alicloud:region")


def test_stack_that_is_none_is_told_in_pulumis_words(world: World, examine: Examine) -> None:
    world.pulumi({})
    status, said = examine("--stack", "x")
    assert status == 1
    assert "no stack named 'x' found" in said
    assert_one_line(line(said, "no stack named"))


@pytest.mark.parametrize("junk", ["5e1f", '["5e1f"]'])
def test_junk_in_the_configuration_is_one_line_and_the_other_cloud_is_examined(
    world: World, examine: Examine, junk: str
) -> None:
    config = {**CONFIG, "tencentcloud:assumeRoleWithWebIdentity": {"value": junk}}
    world.pulumi({"config --json": config, "stack --show-name": "dev"})
    status, said = examine()
    assert status == 1
    assert line(said, "must be an object").startswith("NO")
    assert line(said, "ECS DescribeActivations").startswith("ok")


def _state(*providers: str) -> dict[str, Any]:
    secret = {"4dabf18193072939515e22adb298388d": "x", "plaintext": '"5e1f-alicloud"'}
    inputs = {
        "alicloud:accessKey": "LTAI5tEXAMPLEid",
        "alicloud:secretKey": secret,
        "alicloud:region": "cn-hangzhou",
    }
    urn = "urn:pulumi:dev::p::pulumi:providers:pulumi-python::"
    return {
        "deployment": {"resources": [{"urn": urn + name, "inputs": inputs} for name in providers]}
    }


def test_explicit_provider_is_examined_as_of_its_last_up(world: World, examine: Examine) -> None:
    world.pulumi({"stack export": _state("first", "other")})
    status, said = examine("--provider", "other")
    assert status == 0
    assert "provider other as of its last `pulumi up`" in said
    assert line(said, "key: account 1234567890123456").startswith("ok")
    assert "cn-hangzhou" in line(said, "alicloud:region")
    assert "in plain text" not in said


def test_default_provider_without_a_configuration_is_the_environment(
    world: World, examine: Examine
) -> None:
    state = _state("default")
    del state["deployment"]["resources"][0]["inputs"]
    world.pulumi({"stack export": state})
    _, said = examine("--provider", "default")
    assert "provider default as of its last `pulumi up`, then the environment" in said


@pytest.mark.parametrize("state", [_state("first"), {"deployment": {}}, {}])
def test_provider_that_is_not_in_the_state_is_status_1(
    world: World, examine: Examine, state: dict[str, Any]
) -> None:
    world.pulumi({"stack export": state})
    status, said = examine("--provider", "other")
    assert status == 1
    assert line(said, "holds no provider other").startswith("NO")


def test_reader_that_has_enough_ends_it_quietly() -> None:
    """As `head -1` does."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "pulumi_hybrid.doctor"],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert ended.returncode == 1
    assert ended.stderr == b""

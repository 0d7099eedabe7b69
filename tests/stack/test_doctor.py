"""The doctor, asked about a real stack."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests.stack.conftest import Outcome, Stack

TENCENTCLOUD_KEY = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")
ALICLOUD_KEY = ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY")


def doctor(stack: Stack, *arguments: str) -> Outcome:
    """What it tells in the project's folder; it may neither be long nor show a secret."""
    ended = subprocess.run(
        [sys.executable, "-m", "pulumi_hybrid.doctor", *arguments],
        cwd=stack.folder / "project",
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    stack.transcript.append(ended.stdout)
    assert len(ended.stdout.splitlines()) <= 40
    assert "Traceback" not in ended.stdout
    return Outcome(ended.stdout, ended.returncode)


def findings(outcome: Outcome, mark: str) -> list[str]:
    """The lines with this mark: ``ok``, ``NO`` or ``--``."""
    lines = (line.split(maxsplit=1) for line in outcome.text.splitlines() if line.strip())
    return [line[1] for line in lines if line[0] == mark]


def test_all_is_well(stack: Stack) -> None:
    stack.configure({"alicloud:region": "cn-beijing"})
    told = doctor(stack)
    assert told.code == 0
    assert findings(told, "NO") == findings(told, "--") == []
    assert [line.partition(":")[0] for line in findings(told, "ok")] == [
        *("key", "clock"),
        *("TAT DescribeRegisterCodes", "TCR DescribeInstances", "Billing DescribeDealsByCond"),
        *("key", "clock"),
        "ECS DescribeActivations",
    ]
    lines = [line.split() for line in told.text.splitlines()]
    assert ["stack", "dev,", "then", "the", "environment"] in lines
    assert ["secretKey", "(set)", "ALICLOUD_SECRET_KEY"] in lines
    assert ["region", "cn-beijing", "alicloud:region"] in lines
    assert ["region", "ap-guangzhou", "TENCENTCLOUD_REGION"] in lines
    # It has changed nothing.
    assert {request["action"] for request in stack.cloud.requests()} == {
        "GetCallerIdentity",
        "DescribeRegisterCodes",
        "DescribeInstances",
        "DescribeDealsByCond",
        "DescribeActivations",
    }


def test_what_does_not_work_is_a_line_each(stack: Stack) -> None:
    stack.cloud.deny(stack.cloud.secret_id, "DescribeInstances", "tcr")
    stack.environment["ALICLOUD_SECRET_KEY"] = "another-key"
    told = doctor(stack)
    assert told.code == 1
    registries, key = findings(told, "NO")
    assert registries.startswith("TCR DescribeInstances: the key may not do this. Grant the action")
    assert key.startswith(
        "key: the secret key does not fit the access key. Check alicloud:secretKey or "
        "ALICLOUD_SECRET_KEY."
    )


@pytest.mark.whole
def test_a_cloud_without_a_key_is_none_that_is_ill(stack: Stack) -> None:
    for variable in ALICLOUD_KEY:
        del stack.environment[variable]
    told = doctor(stack)
    assert told.code == 0
    (line,) = findings(told, "--")
    assert line.startswith("key: no Alibaba Cloud key found. Set alicloud:accessKey and")

    for variable in TENCENTCLOUD_KEY:
        del stack.environment[variable]
    told = doctor(stack)
    assert told.code == 1
    assert told.text.endswith("\nNo key for either cloud. Set one in a way that is named above.\n")


def test_no_network(stack: Stack) -> None:
    with socket.socket() as closed:
        # Bound, so that nobody else takes the port, and not listening.
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        stack.environment |= {"TENCENTCLOUD_ENDPOINT": nowhere, "ALICLOUD_ENDPOINT": nowhere}
        told = doctor(stack)
    assert told.code == 1
    assert findings(told, "ok") == []
    assert findings(told, "--") == ["clock: not known"] * 2
    for line, cloud in zip(findings(told, "NO"), ("Tencent", "Alibaba"), strict=True):
        assert line.startswith(f"key: {cloud} Cloud could not be reached (STS GetCallerIdentity,")


@pytest.mark.whole
@pytest.mark.parametrize("seconds", [1000, -1000])
def test_a_clock_that_is_off(stack: Stack, seconds: int) -> None:
    stack.cloud.clock(skew_seconds=seconds)
    told = doctor(stack)
    assert told.code == 1
    assert findings(told, "ok") == []
    key, clock, other_key, other_clock = findings(told, "NO")
    assert key.startswith("key: this machine's clock is more than five minutes off. Set the clock.")
    assert other_key.startswith("key: this machine's clock is off. Set the clock.")
    for line in (clock, other_clock):
        sign = "-" if seconds > 0 else "+"
        assert line.startswith(f"clock: this machine's clock is {sign}")
        assert line.endswith(" s off. Set the clock")


def test_a_secret_in_plain_text_is_told(stack: Stack) -> None:
    key = stack.cloud.secret_key
    stack.pulumi("config", "set", "--plaintext", "tencentcloud:secretKey", key)
    told = doctor(stack)
    (line,) = [line.strip() for line in told.text.splitlines() if "plain text" in line]
    assert line.startswith(
        "in plain text. Run `pulumi config set --secret tencentcloud:secretKey …`"
    )
    stack.configure({"tencentcloud:secretKey": key})
    told = doctor(stack)
    assert told.code == 0
    assert "plain text" not in told.text


@pytest.mark.whole
def test_an_explicit_provider_is_looked_at_as_it_was_last_used(stack: Stack) -> None:
    stack.program(
        """
        from pulumi_hybrid import Provider, TencentcloudAssumeRole, TencentcloudConfig
        role = TencentcloudAssumeRole("qcs::cam::uin/100000000001:roleName/deploy")
        Provider(
            "explicit",
            tencentcloud=TencentcloudConfig(
                secret_id=os.environ["TENCENTCLOUD_SECRET_ID"],
                secret_key=os.environ["TENCENTCLOUD_SECRET_KEY"],
                region="ap-tokyo",
                assume_role=role,
            ),
        )
        """
    )
    stack.up()
    for variable in (*TENCENTCLOUD_KEY, *ALICLOUD_KEY):
        del stack.environment[variable]
    told = doctor(stack, "--provider", "explicit")
    assert told.code == 0
    key, *others = findings(told, "ok")
    assert key.endswith(" by the role qcs::cam::uin/100000000001:roleName/deploy")
    assert "TAT DescribeRegisterCodes: allowed in ap-tokyo" in others

    told = doctor(stack, "--provider", "another")
    assert told.code == 1
    assert findings(told, "NO") == [
        "stack: the stack's state holds no provider another. Run `pulumi up` first"
    ]


@pytest.mark.whole
def test_a_stack_that_cannot_be_read_is_none_that_is_well(stack: Stack) -> None:
    stack.configure({"tencentcloud:secretKey": stack.cloud.secret_key})
    stack.environment["PULUMI_CONFIG_PASSPHRASE"] = "another one"
    told = doctor(stack)
    assert told.code == 1
    (line,) = findings(told, "NO")
    assert "incorrect passphrase" in line

    told = doctor(stack, "--stack", "another")
    assert told.code == 1
    assert findings(told, "NO") == ["stack: no stack named 'another' found"]


@pytest.mark.whole
def test_without_a_stack_the_environment_is_looked_at(stack: Stack) -> None:
    (stack.folder / "project/Pulumi.yaml").unlink()
    told = doctor(stack)
    assert told.code == 0
    assert "the environment alone, as there is no stack here: " in told.text

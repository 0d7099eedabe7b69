"""What a user sees, and what is left in the cloud, when something goes wrong."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from tests.stack.conftest import Stack, wait_for

CREATE = "error: cannot create RegisterCode: "

REFUSALS = (
    # The table of the vendor's page.
    "InvalidParameter",
    "InvalidParameterValue.TooLarge",
    "InvalidParameterValue.TooLong",
    "InvalidParameterValue.TooSmall",
    "ResourceNotFound.RoleNotFound",
    "UnauthorizedOperation.AssumeRoleUnauthorized",
    # What every product of the vendor may answer.
    "AuthFailure.InvalidSecretId",
    "AuthFailure.MFAFailure",
    "AuthFailure.SecretIdNotFound",
    "AuthFailure.SignatureExpire",
    "AuthFailure.SignatureFailure",
    "AuthFailure.TokenFailure",
    "AuthFailure.UnauthorizedOperation",
    "UnauthorizedOperation",
    "UnsupportedRegion",
    "InvalidParameter.UnsupportedRegion",
    "NoSuchVersion",
    "InvalidAction",
    "UnknownParameter",
    "ActionOffline",
    "LimitExceeded",
    "OperationDenied",
    "MissingParameter",
    "InvalidParameterValue",
    "ResourceUnavailable.UserHasNoQuotaCode",
    "Brand.NewCode",
)


@pytest.mark.whole
def test_every_refusal_is_one_line_with_code_and_request_id(stack: Stack) -> None:
    stack.program(f"for n in range({len(REFUSALS)}): tat.RegisterCode(f'code-{{n}}')")
    # A busy machine may bunch requests that were spaced.
    stack.cloud.settings(rate_limit=None)
    for code in REFUSALS:
        stack.cloud.fault("CreateRegisterCode", "error", code=code, message="So it\nis.")
    told = stack.up("--continue-on-error", fails=True).diagnostics
    answered = {
        request["error_code"]: request["request_id"]
        for request in stack.cloud.requests("CreateRegisterCode")
    }
    assert set(answered) == set(REFUSALS)
    for code, request_id in answered.items():
        ending = f"[TAT CreateRegisterCode: {code}, “So it is”, RequestId {request_id}]"
        lines = [line for line in told if line.endswith(ending)]
        assert len(lines) == 1, code
        assert lines[0].startswith(CREATE)
    assert len(told) == len(REFUSALS) + 1


def wrong_key(stack: Stack) -> None:
    stack.environment["TENCENTCLOUD_SECRET_KEY"] = "wrong"


def wrong_id(stack: Stack) -> None:
    stack.environment["TENCENTCLOUD_SECRET_ID"] = "AKIDwrong"


def skewed_clock(stack: Stack) -> None:
    stack.cloud.clock(skew_seconds=600)


def charset(stack: Stack) -> None:
    stack.cloud.fault(
        "CreateRegisterCode", "charset", code="InvalidParameterValue.TooLong", message="Too long."
    )


def no_credentials(stack: Stack) -> None:
    for name in ("SECRET_ID", "SECRET_KEY"):
        del stack.environment[f"TENCENTCLOUD_{name}"]
    # The instance metadata is looked up through the proxy; there is none at this port.
    stack.environment |= {"http_proxy": "http://127.0.0.1:9", "no_grpc_proxy": "127.0.0.1"}


def half_a_key(stack: Stack) -> None:
    del stack.environment["TENCENTCLOUD_SECRET_KEY"]


def nobody_listens(stack: Stack) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        stack.environment["TENCENTCLOUD_ENDPOINT"] = f"http://127.0.0.1:{unused.getsockname()[1]}"


def in_the_clear(stack: Stack) -> None:
    stack.environment["TENCENTCLOUD_ENDPOINT"] = "http://tat.example.com"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (wrong_key, ["does not fit the secret id", "AuthFailure.SignatureFailure", "RequestId"]),
        (wrong_id, ["there is no such secret id", "AuthFailure.SecretIdNotFound", "RequestId"]),
        (skewed_clock, ["Set the clock", "AuthFailure.SignatureExpire", "RequestId"]),
        (charset, ["is too long", "InvalidParameterValue.TooLong", "RequestId"]),
        (no_credentials, ["no Tencent Cloud key found. Set tencentcloud:secretId and"]),
        (half_a_key, ["half of the Tencent Cloud key is missing: tencentcloud:secretKey"]),
        (nobody_listens, ["could not be reached", "Nothing was sent", "Gave up after 5 tries"]),
        (in_the_clear, ["tencentcloud:endpoint is plain http to another machine"]),
    ],
)
def test_what_is_wrong_around_it_is_one_line(
    stack: Stack, spoil: Callable[[Stack], None], said: list[str]
) -> None:
    stack.program("tat.RegisterCode('code')")
    spoil(stack)
    told = [line for line in stack.up(fails=True).diagnostics if line != "error: update failed"]
    assert len(told) == 1
    assert told[0].startswith(CREATE)
    for part in said:
        assert part in told[0]


def test_a_lost_answer_is_not_asked_for_twice_and_the_orphan_is_named(stack: Stack) -> None:
    stack.program("tat.RegisterCode('code', description='lost')")
    stack.cloud.call("tat", "2020-10-28", "CreateRegisterCode", {"Description": "another"})
    stack.cloud.fault("CreateRegisterCode", "drop_after")
    told = " ".join(stack.up(fails=True).diagnostics)
    assert len(stack.calls("CreateRegisterCode")) == 1
    answer = stack.cloud.call("tat", "2020-10-28", "DescribeRegisterCodes", {})
    orphan, other = sorted(
        answer["RegisterCodeSet"], key=lambda code: code["Description"] != "lost"
    )
    assert f"may belong to somebody else: {orphan['RegisterCodeId']}." in told
    assert other["RegisterCodeId"] not in told
    assert "it may have been done, or not" in told


@pytest.mark.whole
def test_a_throttled_create_is_nothing_but_a_success(stack: Stack) -> None:
    stack.program("code = tat.RegisterCode('code')")
    stack.cloud.fault("CreateRegisterCode", "throttle", count=3)
    assert stack.up().diagnostics == []
    assert len(stack.calls("CreateRegisterCode")) == 4


@pytest.mark.whole
def test_custom_timeouts_end_the_waiting(stack: Stack) -> None:
    stack.program(
        """
        patience = pulumi.CustomTimeouts(create="3s")
        tat.RegisterCode("code", pulumi.ResourceOptions(custom_timeouts=patience))
        """
    )
    stack.cloud.fault("CreateRegisterCode", "throttle", count=-1)
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "over its rate" in told
    assert "Gave up after" in told
    assert "RequestLimitExceeded" in told


def test_a_code_that_was_made_is_kept_whatever_follows(stack: Stack) -> None:
    stack.program("pulumi.export('value', tat.RegisterCode('code').register_code_value)")
    stack.cloud.fault("DescribeRegisterCodes", "http_503", count=-1)
    told = " ".join(stack.up(fails=True).diagnostics)
    kept = stack.export()["code"]
    assert f"{kept['id']} is made and kept, but not finished" in told
    assert "ciphertext" in kept["outputs"]["register_code_value"]

    stack.cloud.clear_faults()
    stack.up()
    assert len(stack.calls("CreateRegisterCode")) == 1
    assert stack.export()["code"]["outputs"]["enabled"] is True
    assert stack.outputs()["value"] in stack.secrets
    stack.up("--expect-no-changes")
    stack.destroy()


def test_a_code_that_nobody_will_hold_is_deleted_at_once(stack: Stack) -> None:
    """The engine is killed between the vendor's work and its answer."""
    stack.program("tat.RegisterCode('code')")
    stack.cloud.fault("CreateRegisterCode", "delay", seconds=2)
    process = stack.start("up", "--yes", "--skip-preview")
    wait_for(lambda: bool(stack.cloud.requests("CreateRegisterCode")))
    stack.kill(process)
    wait_for(lambda: bool(stack.cloud.requests("DeleteRegisterCodes")))
    wait_for(lambda: _count(stack) == 0)
    stack.finish(process)
    stack.pulumi("cancel", "--yes")
    stack.up()
    assert _count(stack) == 1


@pytest.mark.whole
def test_destroying_what_is_gone_already_succeeds(stack: Stack) -> None:
    stack.program("tat.RegisterCode('code')")
    stack.up()
    ids = [stack.export()["code"]["id"]]
    stack.cloud.call("tat", "2020-10-28", "DeleteRegisterCodes", {"RegisterCodeIds": ids})
    stack.destroy()


def _count(stack: Stack) -> int:
    answer = stack.cloud.call("tat", "2020-10-28", "DescribeRegisterCodes", {})
    return int(answer["TotalCount"])

"""What `pulumi preview` says of inputs, before anything is asked of the vendor."""

from __future__ import annotations

import pytest

from tests.stack.conftest import Stack


@pytest.mark.whole
def test_inputs_at_the_limits_of_the_vendors_page_are_accepted(stack: Stack) -> None:
    stack.program(
        """
        tat.RegisterCode("longest", description="d" * 128, instance_name_prefix="p" * 32)
        tat.RegisterCode("least", register_limit=1, effective_time=1, rotate_before_hours=0)
        tat.RegisterCode("most", register_limit=10000, effective_time=99999)
        tat.RegisterCode("for-ever", effective_time=100000)
        tat.RegisterCode("sample", ip_address_range="192.168.10.1/10")
        tat.RegisterCode("address", ip_address_range="192.168.1.1", description="日" * 128)
        tat.RegisterCode("empty", description="", instance_name_prefix="", ip_address_range="")
        """
    )
    stack.preview()
    assert stack.cloud.requests() == []
    stack.up()
    stack.refresh("--expect-no-changes")
    stack.up("--expect-no-changes")


BLOCK = "must be an IPv4 address or CIDR block, such as 192.168.1.1 or 192.168.0.0/16"


@pytest.mark.parametrize(
    ("inputs", "problems"),
    [
        pytest.param(
            """
            description=pulumi.Output.secret(os.environ["TOLD_NOBODY"]),
            instance_name_prefix="p" * 33,
            register_limit=10001,
            effective_time=0,
            ip_address_range="fe80::1",
            region="Guangzhou 1",
            rotate_before_hours=-1,
            adopt_id="",
            """,
            [
                "description: must have at most 128 characters, has 129",
                "instance_name_prefix: must have at most 32 characters, has 33",
                "register_limit: must be from 1 to 10000",
                "effective_time: must be at least 1 (hours)",
                f"ip_address_range: {BLOCK}",
                "region: must be a region's name, such as ap-guangzhou",
                "rotate_before_hours: must be a number of at least 0 (hours)",
                "adopt_id: must be the id of an existing resource",
            ],
            id="past the limits",
        ),
        pytest.param(
            """
            description=7,
            instance_name_prefix=["x"],
            register_limit="10",
            effective_time=1.5,
            ip_address_range="10.0.0.0/33",
            rotate_before_hours="soon",
            """,
            [
                "description: must be text",
                "instance_name_prefix: must be text",
                "register_limit: must be a whole number",
                "effective_time: must be a whole number (hours)",
                f"ip_address_range: {BLOCK}",
                "rotate_before_hours: must be a number of at least 0 (hours)",
            ],
            id="of another type",
        ),
    ],
)
def test_every_wrong_input_is_one_line_in_the_preview(
    stack: Stack, inputs: str, problems: list[str]
) -> None:
    secret = "hunter2" + "d" * 122
    stack.secrets.add("hunter2")
    stack.environment["TOLD_NOBODY"] = secret
    stack.program(f"tat.RegisterCode('code', {' '.join(inputs.split())})")
    assert stack.preview(fails=True).problems == problems
    assert stack.cloud.requests() == []


def test_an_input_that_is_not_known_yet_passes_the_preview_and_is_checked_in_the_update(
    stack: Stack,
) -> None:
    program = """
        first = tat.RegisterCode("first", register_limit=7)
        second = tat.RegisterCode("second", register_limit=first.register_limit,
                                  region=first.region, rotate_before_hours=first.registered_count)
        """
    stack.program(program)
    stack.preview()
    stack.up()
    assert stack.calls("CreateRegisterCode") == [{"RegisterLimit": 7}] * 2
    stack.program(
        program + "tat.RegisterCode('third', instance_name_prefix=second.register_code_value)"
    )
    assert set(stack.up(fails=True).problems) == {
        "instance_name_prefix: must have at most 32 characters, has 64"
    }


@pytest.mark.whole
def test_no_region_anywhere_is_said_in_the_preview(stack: Stack) -> None:
    del stack.environment["TENCENTCLOUD_REGION"]
    stack.program("tat.RegisterCode('lost')")
    told = stack.preview(fails=True).text
    assert "region: is not set. Run `pulumi config set tencentcloud:reg" in told
    stack.pulumi("config", "set", "tencentcloud:region", "ap-tokyo")
    stack.up()
    assert {request["region"] for request in stack.cloud.requests()} == {"ap-tokyo"}

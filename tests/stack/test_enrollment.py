"""A fleet of two clouds and four regions, from the codes to the machines that joined."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import Stack

# A fleet lives in test_hybrid_fleet.py, too.
pytestmark = pytest.mark.whole

PROGRAM = """
from pulumi_hybrid import AlicloudEnrollment, Enrollment, TencentcloudEnrollment

fleet = Enrollment(
    "hall",
    tencentcloud=TencentcloudEnrollment(regions={tencentcloud}, effective_time=24),
    alicloud=AlicloudEnrollment(regions={alicloud}, time_to_live_in_hours=24),
    rotate_before_hours={rotate_before_hours},
    on_destroy="{on_destroy}",
)
pulumi.export("cloud_init", fleet.cloud_init)
pulumi.export("powershell", fleet.powershell)
"""


def program(
    stack: Stack,
    tencentcloud: tuple[str, ...] = ("ap-guangzhou", "ap-singapore"),
    alicloud: tuple[str, ...] = ("cn-hangzhou", "cn-beijing"),
    on_destroy: str = "keep",
    rotate_before_hours: int = 2,
    more: str = "",
) -> None:
    source = PROGRAM.format(
        tencentcloud=tencentcloud,
        alicloud=alicloud,
        on_destroy=on_destroy,
        rotate_before_hours=rotate_before_hours,
    )
    stack.program(source + more)


def codes(stack: Stack) -> dict[str, str]:
    """The codes' ids by their names in the program."""
    return {name: resource["id"] for name, resource in stack.export().items() if "hall-" in name}


def machines(stack: Stack) -> list[dict[str, Any]]:
    """What is registered at the vendors."""
    return [
        machine
        for regions in stack.cloud.resources().values()
        for services in regions.values()
        for kinds in services.values()
        for kind, documents in kinds.items()
        if "instances" in kind.lower()
        for machine in documents
    ]


def join(stack: Stack) -> list[str]:
    """A machine joins in each region, with what its script says."""
    joined = []
    scripts = stack.outputs()["cloud_init"]
    for cloud, regions in scripts.items():
        names = (
            ("register_code_id", "register_code_value")
            if cloud == "tencentcloud"
            else ("activation_id", "activation_code")
        )
        for script in regions.values():
            said = [re.search(rf"^ *{name}=(.*)$", script, re.M) for name in ("id", "code")]
            values = [match[1].strip("'") for match in said if match]
            joined += stack.cloud.register(**dict(zip(names, values, strict=True)))
    return joined


LOOKUPS = """
guangzhou = fleet.register_codes["ap-guangzhou"]
pulumi.export("in_guangzhou", tat.get_register_instances_output(
    register_code_id=guangzhou.register_code_id, region=guangzhou.region))
beijing = fleet.activations["cn-beijing"]
pulumi.export("in_beijing", ecs.get_managed_instances_output(
    activation_id=beijing.activation_id, region=beijing.region).instances)
pulumi.export("now", len(tat.get_register_instances(region="ap-singapore").register_instances))
"""


def test_a_fleet_lives(stack: Stack) -> None:
    program(stack, more=LOOKUPS)
    # Of codes that are not made yet nothing is known, and nothing asked.
    stack.preview()
    assert stack.calls("DescribeManagedInstances") == []
    stack.up()
    scripts = stack.outputs()
    assert {cloud: sorted(regions) for cloud, regions in scripts["powershell"].items()} == {
        "tencentcloud": ["ap-guangzhou", "ap-singapore"],
        "alicloud": ["cn-beijing", "cn-hangzhou"],
    }
    assert stack.pulumi("stack", "output").text.count("[secret]") == 2
    before = codes(stack)
    assert len(before) == 4
    joined = join(stack)
    assert len(joined) == 4

    # Who joined is found, in a preview too.
    shown = stack.preview().text
    by_code = {
        machine.get("RegisterCodeId") or machine["ActivationId"]: str(machine["InstanceId"])
        for machine in machines(stack)
    }
    for code in ("hall-ap-guangzhou", "hall-cn-beijing"):
        assert by_code[before[code]] in shown
    stack.up()
    found = stack.outputs()
    (machine,) = found["in_guangzhou"]["register_instances"]
    assert machine["instance_id"] == by_code[before["hall-ap-guangzhou"]]
    assert machine["status"] == "Online"
    assert [machine["connected"] for machine in found["in_beijing"]] == [True]
    assert found["now"] == 1

    # Another region touches no other.
    program(stack, tencentcloud=("eu-frankfurt", "ap-guangzhou", "ap-singapore"))
    stack.up()
    after = codes(stack)
    assert after.pop("hall-eu-frankfurt")
    assert after == before

    # A rotation renews all codes and scripts, and no machine.
    stack.cloud.clock(offset_hours=0)
    stack.refresh()
    program(stack)
    stack.up()
    assert codes(stack) == before
    program(stack)
    stack.program(
        (stack.folder / "project/__main__.py")
        .read_text()
        .replace("before_hours=2", "before_hours=25")
    )
    stack.up()
    rotated = codes(stack)
    assert sorted(rotated) == sorted(before)
    assert not set(rotated.values()) & set(before.values())
    assert stack.outputs() != scripts
    assert sorted(str(machine["InstanceId"]) for machine in machines(stack)) == sorted(joined)

    # By default machines stay registered when all is gone.
    stack.destroy()
    assert len(machines(stack)) == 4


def test_a_destroy_deregisters_where_it_is_told_to(stack: Stack) -> None:
    program(stack, on_destroy="deregister")
    stack.up()
    assert len(join(stack)) == 4
    stack.destroy()
    assert machines(stack) == []


def test_a_destroy_fails_where_it_is_told_to(stack: Stack) -> None:
    program(stack, on_destroy="fail")
    stack.up()
    joined = join(stack)
    refusal = stack.destroy(fails=True)
    assert "Traceback" not in refusal.text
    assert any(machine in refusal.text for machine in joined)
    assert len(machines(stack)) == 4


def test_a_lookup_that_is_refused_is_one_line(stack: Stack) -> None:
    for form in ("get_register_codes()", "get_register_codes_output()"):
        stack.cloud.fault("DescribeRegisterCodes", "error", code="UnauthorizedOperation")
        stack.program(f"pulumi.export('codes', tat.{form})")
        text = stack.preview(fails=True).text
        assert "cannot look up register codes: the key may not do this." in text
        assert "Traceback" not in text

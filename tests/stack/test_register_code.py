"""A register code's whole life on a real engine."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.stack.conftest import ROOT, Stack

VENDORS_EXAMPLE = """
    web = tat.RegisterCode(
        "web",
        description="webserver",
        instance_name_prefix="webserver",
        register_limit=10,
        effective_time=4,
        ip_address_range="192.168.10.1/10",
    )
    plain = tat.RegisterCode("plain")
    for name in ("register_code_value", "linux_register_command", "windows_register_command"):
        pulumi.export(name, getattr(web, name))
    pulumi.export("applied", web.register_code_value.apply(lambda value: value[::-1]))
    pulumi.export("limit", plain.register_limit)
    tat.RegisterCode("handed-on", description=web.register_code_value)
"""


def test_the_requests_of_the_vendors_example_arrive_and_what_is_secret_stays_secret(
    stack: Stack,
) -> None:
    stack.program(VENDORS_EXAMPLE)
    stack.preview()
    assert stack.cloud.requests() == []

    stack.up()
    bodies = stack.calls("CreateRegisterCode")
    assert {} in bodies
    full = {
        "Description": "webserver",
        "InstanceNamePrefix": "webserver",
        "RegisterLimit": 10,
        "EffectiveTime": 4,
        "IpAddressRange": "192.168.10.1/10",
    }
    assert full in bodies
    for request in stack.cloud.requests("CreateRegisterCode"):
        assert (request["service"], request["version"]) == ("tat", "2020-10-28")
        assert (request["region"], request["language"]) == ("ap-guangzhou", "en-US")

    state = stack.export()
    for name in ("web", "plain", "handed-on"):
        assert "ciphertext" in state[name]["outputs"]["register_code_value"]
    # A secret input stays one in the other resource's inputs and outputs.
    assert "ciphertext" in state["handed-on"]["inputs"]["description"]
    assert "ciphertext" in state["handed-on"]["outputs"]["description"]

    outputs = stack.outputs()
    value = outputs["register_code_value"]
    assert value in stack.secrets
    assert outputs["applied"] == value[::-1]
    assert outputs["limit"] == 10
    id = state["web"]["id"]
    assert state["web"]["outputs"]["register_code_id"] == id
    assert outputs["linux_register_command"] == (
        f"/usr/local/qcloud/tat_agent/tat_agent register ap-guangzhou {id} {value}"
    )
    assert outputs["windows_register_command"] == (
        rf'"C:\Program Files\QCloud\tat_agent\tat_agent.exe" register ap-guangzhou {id} {value}'
    )
    stack.secrets.add(value[::-1])

    # A second run asks the vendor to make nothing, and shows no change.
    stack.up("--expect-no-changes")
    stack.preview("--expect-no-changes")
    stack.refresh("--expect-no-changes")
    stack.pulumi("stack", "output")
    stack.pulumi("stack", "history", "--json")
    assert len(stack.calls("CreateRegisterCode")) == 3
    stack.destroy("--diff")
    assert _codes(stack) == []


CHANGES = {
    "description": ("before", "after"),
    "instance_name_prefix": ("before", "after"),
    "register_limit": (10, 20),
    "effective_time": (4, 5),
    "ip_address_range": ("10.0.0.1", "10.0.0.0/8"),
    "region": ("ap-guangzhou", "ap-beijing"),
}


@pytest.mark.whole
def test_each_input_changed_alone_replaces_the_new_one_before_the_old(stack: Stack) -> None:
    def program(version: int) -> None:
        stack.program(
            "\n".join(
                f"tat.RegisterCode({name!r}, {name}={versions[version]!r})"
                for name, versions in CHANGES.items()
            )
            + f"\ntat.RegisterCode('kept', rotate_before_hours={version + 1}, adopt_id=None)"
        )

    program(0)
    stack.up()
    before = stack.export()
    program(1)
    shown = stack.preview().text
    assert "+-6 to replace" in shown
    stack.up()
    after = stack.export()
    for name in CHANGES:
        assert before[name]["id"] != after[name]["id"], name
        new = _numbers(stack, "CreateRegisterCode")[-len(CHANGES) :]
        assert max(new) < min(_numbers(stack, "DeleteRegisterCodes"))
    assert before["kept"]["id"] == after["kept"]["id"]
    assert len(_codes(stack)) == len(CHANGES) + 1


@pytest.mark.whole
def test_an_input_taken_out_again_is_a_change_and_a_written_out_default_is_none(
    stack: Stack,
) -> None:
    stack.program("tat.RegisterCode('limited', register_limit=20)\ntat.RegisterCode('plain')")
    stack.up()
    before = stack.export()
    stack.program("tat.RegisterCode('limited')\ntat.RegisterCode('plain', register_limit=10)")
    stack.up()
    after = stack.export()
    assert before["limited"]["id"] != after["limited"]["id"]
    assert before["plain"]["id"] == after["plain"]["id"]


@pytest.mark.whole
def test_what_happens_outside_is_seen_by_refresh(stack: Stack) -> None:
    stack.program(
        """
        for name in ("deleted", "disabled", "used", "disabled-rotated"):
            rotate = 1 if name == "disabled-rotated" else None
            tat.RegisterCode(name, register_limit=2, rotate_before_hours=rotate)
        """
    )
    stack.up()
    before = stack.export()
    _call(stack, "DeleteRegisterCodes", before["deleted"]["id"])
    _call(stack, "DisableRegisterCodes", before["disabled"]["id"])
    _call(stack, "DisableRegisterCodes", before["disabled-rotated"]["id"])
    stack.cloud.register(before["used"]["id"], _value(stack, before["used"]["id"]))

    stack.refresh()
    seen = stack.export()
    assert "deleted" not in seen
    assert seen["disabled"]["outputs"]["enabled"] is False
    assert seen["used"]["outputs"]["registered_count"] == 1
    assert "ciphertext" in seen["used"]["outputs"]["register_code_value"]

    shown = stack.preview().text
    assert "+ 1 to create" in shown.replace("+1", "+ 1")
    assert "enabled" in shown
    stack.up()
    after = stack.export()
    assert {name for name in before if before[name].get("id") != after[name].get("id")} == {
        "deleted",
        "disabled-rotated",
    }


def test_refresh_of_many_is_a_page_for_a_hundred(stack: Stack) -> None:
    stack.program(
        """
        for number in range(200):
            tat.RegisterCode(f"code-{number}")
        """
    )
    stack.cloud.settings(rate_limit=20)
    stack.up()
    refused = [code for request in stack.cloud.requests() if (code := request["error_code"])]
    # None, but where a busy machine bunches some of the 400 that were spread; they are sent again.
    assert set(refused) <= {"RequestLimitExceeded"}
    assert len(refused) <= 8
    gone = stack.export()["code-150"]["id"]
    stack.cloud.call("tat", "2020-10-28", "DeleteRegisterCodes", {"RegisterCodeIds": [gone]})
    before = len(stack.cloud.requests())
    stack.refresh()
    # The first one and the one that is gone by their ids.
    assert len(stack.cloud.requests()) - before <= 2 + 2
    assert set(stack.export()) >= {"code-0", "code-149", "code-151", "code-199"}
    assert "code-150" not in stack.export()


def test_rotation_replaces_a_code_near_its_end_and_a_used_up_one(stack: Stack) -> None:
    stack.program(
        """
        tat.RegisterCode("ending", effective_time=4, rotate_before_hours=1)
        tat.RegisterCode("ending-kept", effective_time=4)
        tat.RegisterCode("used-up", register_limit=1, effective_time=90, rotate_before_hours=1)
        tat.RegisterCode("fresh", effective_time=100, rotate_before_hours=1)
        tat.RegisterCode("for-ever", effective_time=100000, rotate_before_hours=1)
        """
    )
    stack.cloud.clock(offset_seconds=-3.5 * 3600)
    stack.up()
    before = stack.export()
    assert "expired_time" not in before["for-ever"]["outputs"]
    stack.cloud.clock(offset_seconds=0)
    stack.cloud.register(before["used-up"]["id"], _value(stack, before["used-up"]["id"]))
    # A code's end is known from its making; that it is used up, only a refresh can tell.
    stack.refresh()
    assert "expired_time" in stack.preview().text
    stack.up()
    after = stack.export()
    changed = {name for name in before if before[name].get("id") != after[name].get("id")}
    assert changed == {"ending", "used-up"}
    remaining = _ends(after["ending"]) - _ends(before["ending"])
    assert remaining > timedelta(hours=3)
    stack.up("--expect-no-changes")


def test_a_rotation_is_tried_as_the_page_shows(stack: Stack) -> None:
    page = (ROOT / "docs/how-to/testing.md").read_text()
    [block] = [
        code
        for code in re.findall("```python\n(.*?)```", page, re.DOTALL)
        if "offset_hours" in code
    ]
    stack.program("tat.RegisterCode('halls', effective_time=24, rotate_before_hours=2)")
    ended = subprocess.run(
        [sys.executable, "-c", block],
        cwd=stack.folder / stack.project,
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "replaced" in ended.stdout


@pytest.mark.whole
def test_get_and_adopt_take_what_exists_and_say_that_the_value_is_absent(stack: Stack) -> None:
    adopted = _call(stack, "CreateRegisterCode", Description="made elsewhere", RegisterLimit=7)
    read = _call(stack, "CreateRegisterCode", Description="read only")
    taken, looked_at = adopted["RegisterCodeId"], read["RegisterCodeId"]

    def program(more: str) -> None:
        stack.program(
            f"""
            taken = tat.RegisterCode("taken", adopt_id="{taken}"{more})
            looked_at = tat.RegisterCode.get("looked-at", "{looked_at}")
            for code in (taken, looked_at):
                pulumi.export(code._name, pulumi.Output.all(
                    code.register_limit, code.description, code.register_code_value,
                    code.linux_register_command, code.effective_time))
            """
        )

    program("")
    made = len(stack.calls("CreateRegisterCode"))
    shown = stack.up()
    assert sorted(shown.diagnostics) == sorted(
        f"warning: register_code_value of RegisterCode {id} is absent: the vendor showed it once, "
        "when it was made."
        for id in (taken, looked_at)
    )
    assert len(stack.calls("CreateRegisterCode")) == made
    assert stack.export()["taken"]["id"] == taken
    outputs = stack.outputs()
    assert outputs["taken"] == [7, "made elsewhere", None, None, 4]
    assert outputs["looked-at"] == [10, "read only", None, None, 4]
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")

    # adopt_id is for the first create: a replacement is new, and takes nothing over.
    program(', description="mine"')
    stack.up()
    assert stack.export()["taken"]["id"] != taken
    assert taken not in [code["RegisterCodeId"] for code in _codes(stack)]
    stack.destroy()
    assert [code["RegisterCodeId"] for code in _codes(stack)] == [looked_at]


@pytest.mark.whole
def test_adopting_what_is_not_there_or_is_different_is_one_line(stack: Stack) -> None:
    other = _call(stack, "CreateRegisterCode", RegisterLimit=7)["RegisterCodeId"]
    stack.program(
        f"""
        tat.RegisterCode("missing", adopt_id="00000000-0000-0000-0000-000000000000")
        tat.RegisterCode("different", adopt_id="{other}", register_limit=8, description="x")
        """
    )
    shown = stack.up("--continue-on-error", fails=True)
    assert sorted(shown.diagnostics) == [
        f"error: cannot create RegisterCode: {other}, which adopt_id names, has another "
        "description and register_limit than the program gives. Give what it has, or leave it out",
        "error: cannot create RegisterCode: there is no RegisterCode 00000000-0000-0000-0000-"
        "000000000000 in ap-guangzhou. Check adopt_id and the region, or take adopt_id out to make "
        "a new one",
        "error: update failed",
    ]
    stack.program("tat.RegisterCode.get('nowhere', '00000000-0000-0000-0000-000000000001')")
    assert (
        "cannot read RegisterCode 00000000-0000-0000-0000-000000000001: there is no RegisterCode "
        "00000000-0000-0000-0000-000000000001 in ap-guangzhou. Check the id and the region\n"
    ) in stack.preview(fails=True).text


@pytest.mark.whole
def test_an_adopted_code_that_is_replaced_by_order_is_not_deleted(stack: Stack) -> None:
    """The engine then calls a create that looks like a first one."""
    taken = _call(stack, "CreateRegisterCode")["RegisterCodeId"]
    stack.program(f"tat.RegisterCode('taken', adopt_id='{taken}')")
    stack.up()
    urn = "urn:pulumi:dev::fleet::pulumi-python:dynamic/tencentcloud/tat:RegisterCode::taken"
    for order in (("--target-replace", urn), ("--replace", urn)):
        told = " ".join(stack.up(*order).diagnostics)
        assert "was replaced by itself, since adopt_id names it, and is not deleted" in told
    stack.pulumi("state", "taint", "--yes", urn)
    stack.up()
    assert [code["RegisterCodeId"] for code in _codes(stack)] == [taken]
    assert stack.export()["taken"]["id"] == taken
    stack.program("tat.RegisterCode('taken')")
    stack.up("--target-replace", urn)
    assert stack.export()["taken"]["id"] != taken
    assert len(_codes(stack)) == 1


def test_a_moved_default_region_moves_nothing(stack: Stack) -> None:
    stack.program("tat.RegisterCode('here', description=os.environ.get('WORD', 'a'))")
    stack.up()
    stack.environment["TENCENTCLOUD_REGION"] = "ap-tokyo"
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")
    # Nor where the engine replaces it.
    stack.environment["WORD"] = "b"
    stack.up()
    assert len(stack.cloud.requests("CreateRegisterCode")) == 2
    stack.destroy()
    assert {request["region"] for request in stack.cloud.requests()} == {"ap-guangzhou"}
    stack.up()
    assert stack.cloud.requests("CreateRegisterCode")[-1]["region"] == "ap-tokyo"


@pytest.mark.whole
def test_machines_stay_where_the_engine_deletes_first_what_their_code_depends_on(
    stack: Stack,
) -> None:
    stack.program(
        """
        maz = bool(os.environ.get("MAZ"))
        registry = tcr.Instance(
            "registry", registry_name="tcr-test", registry_type="premium", enable_cos_maz=maz
        )
        tat.RegisterCode("code", description=registry.id, when_in_use="deregister")
        """
    )
    stack.up()
    before = stack.export()["code"]["id"]
    machines = stack.cloud.register(before, _value(stack, before))
    stack.environment["MAZ"] = "1"
    stack.up()
    assert stack.export()["code"]["id"] != before
    found = _call(stack, "DescribeRegisterInstances")["RegisterInstanceSet"]
    assert [machine["InstanceId"] for machine in found] == machines
    stack.destroy()


def _call(stack: Stack, action: str, *ids: str, **parameters: Any) -> Any:
    if ids:
        parameters["RegisterCodeIds"] = list(ids)
    return stack.cloud.call("tat", "2020-10-28", action, parameters)


def _codes(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for region in ("ap-guangzhou", "ap-beijing"):
        answer = stack.cloud.call("tat", "2020-10-28", "DescribeRegisterCodes", {}, region=region)
        found += answer["RegisterCodeSet"]
    return found


def _numbers(stack: Stack, action: str) -> list[int]:
    return [request["number"] for request in stack.cloud.requests(action)]


def _value(stack: Stack, id: str) -> str:
    found = re.search(
        rf"'RegisterCodeId': '{id}'.*?'RegisterCodeValue': '(\w+)'", str(stack.cloud.resources())
    ) or pytest.fail(f"no code {id}")
    return found[1]


def _ends(resource: dict[str, Any]) -> datetime:
    return datetime.strptime(resource["outputs"]["expired_time"], "%Y-%m-%dT%H:%M:%SZ")

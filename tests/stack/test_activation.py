"""An activation's whole life on a real engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stack.conftest import Stack

SIXTEEN_REGIONS = (
    *("cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote", "cn-wulanchabu"),
    *("cn-hangzhou", "cn-shanghai", "cn-shenzhen", "cn-heyuan", "cn-guangzhou", "cn-chengdu"),
    *("cn-hongkong", "ap-southeast-1", "ap-northeast-1", "us-west-1", "us-east-1"),
)


def test_the_request_of_the_vendors_example_arrives_and_what_is_secret_stays_secret(
    stack: Stack,
) -> None:
    stack.program(
        """
        web = ecs.Activation("web", instance_name="test-InstanceName", region="cn-hangzhou")
        for name in ("activation_code", "linux_register_command", "windows_register_command"):
            pulumi.export(name, getattr(web, name))
        pulumi.export("applied", web.activation_code.apply(lambda code: code[::-1]))
        ecs.Activation("handed-on", description=web.activation_code)
        tat.RegisterCode("other-cloud")
        """
    )
    stack.preview()
    assert stack.cloud.requests() == []

    stack.up()
    request = stack.cloud.requests("CreateActivation")[0]
    token = request["parameters"].pop("ClientToken")
    assert request["parameters"] == {"InstanceName": "test-InstanceName", "RegionId": "cn-hangzhou"}
    assert request["version"] == "2014-05-26"
    assert len(token) <= 64

    state = stack.export()
    assert "ciphertext" in state["web"]["outputs"]["activation_code"]
    assert "ciphertext" in state["handed-on"]["outputs"]["activation_code"]
    assert "ciphertext" in state["handed-on"]["inputs"]["description"]
    assert state["web"]["outputs"]["expired_time"] > state["web"]["outputs"]["creation_time"]

    outputs = stack.outputs()
    code, id = outputs["activation_code"], state["web"]["id"]
    assert code in stack.secrets
    stack.secrets.add(outputs["applied"])
    assert outputs["applied"] == code[::-1]
    assert outputs["linux_register_command"] == (
        "aliyun-service --register --RegionId cn-hangzhou "
        f"--ActivationCode {code} --ActivationId {id}"
    )
    assert outputs["windows_register_command"] == (
        'aliyun_agent_latest_setup.exe /S --register --RegionId="cn-hangzhou" '
        f'--ActivationCode="{code}" --ActivationId="{id}"'
    )

    stack.up("--expect-no-changes")
    stack.preview("--expect-no-changes")
    stack.refresh("--expect-no-changes")
    stack.pulumi("stack", "output")
    assert len(stack.calls("CreateActivation")) == 2
    stack.destroy("--diff")
    assert _activations(stack) == []


CHANGES = {
    "instance_name": ("before", "after"),
    "description": ("before", "after"),
    "instance_count": (10, 20),
    "time_to_live_in_hours": (4, 5),
    "ip_address_range": ("10.0.0.1", "fd00::/8"),
    "region": ("cn-hangzhou", "cn-beijing"),
}


@pytest.mark.whole
def test_each_input_changed_alone_replaces_or_updates_as_it_should(stack: Stack) -> None:
    def program(version: int) -> None:
        stack.program(
            "\n".join(
                f"ecs.Activation({name!r}, {name}={versions[version]!r})"
                for name, versions in CHANGES.items()
            )
            + f"""
tags = [{{"a": "1", "b": "2", "c": ""}}, {{"a": "1", "b": "3", "d": "4"}}][{version}]
ecs.Activation("tags", tags=tags)
ecs.Activation("group", resource_group_id="{("rg-ready", "rg-other")[version]}", when_in_use="fail")
ecs.Activation("kept", rotate_before_hours={version + 1},
               when_in_use={("disable", "fail")[version]!r})
"""
        )

    program(0)
    stack.up()
    before = stack.export()
    program(1)
    shown = stack.preview().text
    assert "+-6 to replace" in shown
    assert "~ 2 to update" in shown
    stack.up()
    after = stack.export()
    for name in CHANGES:
        assert before[name]["id"] != after[name]["id"], name
    for name in ("tags", "group", "kept"):
        assert before[name]["id"] == after[name]["id"], name
    assert after["tags"]["outputs"]["tags"] == {"a": "1", "b": "3", "d": "4"}
    assert after["group"]["outputs"]["resource_group_id"] == "rg-other"
    assert max(_numbers(stack, "CreateActivation")) < min(_numbers(stack, "DeleteActivation"))
    assert len(_activations(stack)) == len(CHANGES) + 3
    stack.up("--expect-no-changes")


@pytest.mark.whole
def test_what_happens_outside_is_seen_by_refresh_and_mended_by_up(stack: Stack) -> None:
    stack.program(
        """
        ecs.Activation("deleted")
        ecs.Activation("disabled")
        ecs.Activation("disabled-rotated", rotate_before_hours=1)
        ecs.Activation("tagged", tags={"mine": "1"}, resource_group_id="rg-ready")
        ecs.Activation("used")
        """
    )
    stack.up()
    before = stack.export()
    _call(stack, "DeleteActivation", ActivationId=before["deleted"]["id"])
    _call(stack, "DisableActivation", ActivationId=before["disabled"]["id"])
    _call(stack, "DisableActivation", ActivationId=before["disabled-rotated"]["id"])
    tagged = before["tagged"]["id"]
    _call(
        stack,
        "TagResources",
        ResourceType="activation",
        ResourceId=[tagged],
        Tag=[{"Key": "theirs", "Value": "2"}],
    )
    _call(
        stack,
        "JoinResourceGroup",
        ResourceType="activation",
        ResourceId=tagged,
        ResourceGroupId="rg-other",
    )
    _register(stack, before["used"]["id"])

    stack.refresh()
    seen = stack.export()
    assert "deleted" not in seen
    assert seen["disabled"]["outputs"]["disabled"] is True
    assert seen["used"]["outputs"]["registered_count"] == 1
    assert seen["tagged"]["outputs"]["tags"] == {"mine": "1", "theirs": "2"}
    assert "ciphertext" in seen["used"]["outputs"]["activation_code"]

    stack.up()
    after = stack.export()
    assert {name for name in before if before[name].get("id") != after[name].get("id")} == {
        "deleted",
        "disabled-rotated",
    }
    assert after["tagged"]["outputs"]["tags"] == {"mine": "1"}
    assert after["tagged"]["outputs"]["resource_group_id"] == "rg-ready"
    assert len(_activations(stack)) == 5


def test_a_used_activation_is_disabled_or_kept_or_freed_by_when_in_use(stack: Stack) -> None:
    stack.program(
        """
        ecs.Activation("default")
        ecs.Activation("kept", when_in_use="fail")
        ecs.Activation("freed", when_in_use="deregister")
        ecs.Activation("gone")
        """
    )
    stack.up()
    ids = {name: str(resource.get("id")) for name, resource in stack.export().items()}
    for name in ("default", "kept", "freed"):
        _register(stack, ids[name])
    _call(stack, "DeleteActivation", ActivationId=ids["gone"])

    told = stack.destroy("--continue-on-error", fails=True).diagnostics
    warning = (
        f"warning: Activation {ids['default']} was used by machines, so it cannot be deleted. "
        "It is disabled, its record stays in the account, and it counts against the quota of the "
        "region. The machines stay registered."
    )
    assert warning in told
    start = f"error: cannot delete Activation {ids['kept']}"
    (error,) = (line for line in told if line.startswith(start))
    assert "machines are registered with it: mi-" in error
    assert "ActivationId.InUse" in error
    left = {activation["ActivationId"]: activation for activation in _activations(stack)}
    assert set(left) == {ids["default"], ids["kept"]}
    assert left[ids["default"]]["Disabled"] is True
    assert left[ids["kept"]]["Disabled"] is False
    assert set(stack.export()) >= {"kept"}

    # The user decides otherwise.
    stack.program("ecs.Activation('kept', when_in_use='deregister')")
    stack.up()
    stack.destroy()
    assert [activation["ActivationId"] for activation in _activations(stack)] == [ids["default"]]


@pytest.mark.whole
def test_get_and_adopt_take_what_exists_and_say_that_the_code_is_absent(stack: Stack) -> None:
    taken = _call(stack, "CreateActivation", InstanceName="made-elsewhere", InstanceCount=7)
    read = _call(stack, "CreateActivation", Description="read only")
    taken_id, read_id = taken["ActivationId"], read["ActivationId"]

    def program(more: str) -> None:
        stack.program(
            f"""
            taken = ecs.Activation("taken", adopt_id="{taken_id}"{more})
            looked_at = ecs.Activation.get("looked-at", "{read_id}")
            for code in (taken, looked_at):
                pulumi.export(code._name, pulumi.Output.all(
                    code.instance_count, code.instance_name, code.activation_code,
                    code.linux_register_command))
            """
        )

    program("")
    assert sorted(stack.up().diagnostics) == sorted(
        f"warning: activation_code of Activation {id} is absent: the vendor showed it once, when "
        "it was made."
        for id in (taken_id, read_id)
    )
    assert stack.outputs() == {
        "taken": [7, "made-elsewhere", None, None],
        "looked-at": [10, None, None, None],
    }
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")
    program(', tags={"now": "mine"}')
    stack.up()
    assert stack.export()["taken"]["id"] == taken_id
    assert stack.outputs()["taken"][0] == 7
    stack.destroy()
    assert [activation["ActivationId"] for activation in _activations(stack)] == [read_id]


@pytest.mark.whole
def test_inputs_at_the_limits_of_the_vendors_page_are_accepted_in_every_region(
    stack: Stack,
) -> None:
    stack.program(
        f"""
        ecs.Activation("least", instance_name="ab", description="d", instance_count=1,
                       time_to_live_in_hours=1, ip_address_range="192.168.1.1")
        ecs.Activation("most", instance_name="a" * 50, description="日" * 100, instance_count=1000,
                       time_to_live_in_hours=876576, ip_address_range="2001:db8::/32")
        ecs.Activation("sample", ip_address_range="0.0.0.0/0", instance_name="A.b_c-d:9")
        ecs.Activation("tags", tags={{f"{{n:064}}": "v" * 128 for n in range(20)}})
        ecs.Activation("no-tags", tags={{}})
        for region in {SIXTEEN_REGIONS}:
            ecs.Activation(region, region=region)
        """
    )
    stack.preview()
    assert stack.cloud.requests() == []
    stack.up()
    assert {request["region"] for request in stack.cloud.requests()} == set(SIXTEEN_REGIONS)
    stack.refresh("--expect-no-changes")


@pytest.mark.whole
@pytest.mark.parametrize(
    ("inputs", "problems"),
    [
        (
            """instance_name="a", description="", instance_count=0, time_to_live_in_hours=0,
            ip_address_range="10.0.0.0/33", resource_group_id="", when_in_use="retain",
            tags={f"k{n}": "" for n in range(21)}""",
            [
                "instance_name: must have at least 2 characters, has 1",
                "description: must have at least 1 characters, has 0",
                "instance_count: must be from 1 to 1000",
                "time_to_live_in_hours: must be from 1 to 876576 (hours)",
                "ip_address_range: must be an IPv4 or IPv6 address or CIDR block, such as "
                "192.168.1.1 or 192.168.0.0/16",
                "resource_group_id: must have at least 1 characters, has 0",
                "tags: must have at most 20 tags, has 21",
                "when_in_use: must be one of disable, fail, deregister",
            ],
        ),
        (
            """instance_name="http://web", description="d" * 101, instance_count=1001,
            time_to_live_in_hours=876577, ip_address_range="fe80::1%eth0", tags={"acs:a": "b"}""",
            [
                "instance_name: must be a letter, then letters, digits and . _ - : only",
                "description: must have at most 100 characters, has 101",
                "instance_count: must be from 1 to 1000",
                "time_to_live_in_hours: must be from 1 to 876576 (hours)",
                "ip_address_range: must be an IPv4 or IPv6 address or CIDR block, such as "
                "192.168.1.1 or 192.168.0.0/16",
                "tags: must have no key that begins with acs: or aliyun",
            ],
        ),
    ],
)
def test_every_wrong_input_is_one_line_in_the_preview(
    stack: Stack, inputs: str, problems: list[str]
) -> None:
    stack.program(f"ecs.Activation('code', {' '.join(inputs.split())})")
    assert stack.preview(fails=True).problems == problems
    assert stack.cloud.requests() == []


REFUSALS = {
    "RegionId.ApiNotSupported": 400,
    "InstanceName.ExceedLimit": 400,
    "InstanceName.InvalidPattern": 400,
    "ActivationDesc.ExceedLimit": 400,
    "ActivationLimitation.Invalid": 400,
    "AddressRange.InvalidPattern": 400,
    "ActivationCount.ExceedLimit": 400,
    "ActivationTTL.ExceedLimit": 400,
    "InvalidTagKey.Malformed": 400,
    "InvalidTagValue.Malformed": 400,
    "NumberExceed.Tags": 400,
    "MissingParameter.TagKey": 400,
    "Duplicate.TagKey": 400,
    "Operation.Forbidden": 403,
    "InvalidResourceGroup.NotFound": 404,
    "InvalidRegionId.NotFound": 404,
    "InvalidAccessKeyId.NotFound": 404,
    "SignatureDoesNotMatch": 400,
    "InvalidTimeStamp.Expired": 400,
    "InvalidSecurityToken.Expired": 400,
    "Forbidden.RAM": 403,
    "IdempotentParameterMismatch": 400,
    "Brand.NewCode": 400,
}


def test_every_refusal_is_one_line_with_code_and_request_id(stack: Stack) -> None:
    stack.program(f"for n in range({len(REFUSALS)}): ecs.Activation(f'code-{{n}}')")
    # A busy machine may bunch requests that were spaced.
    stack.cloud.settings(rate_limit=None)
    for code, status in REFUSALS.items():
        stack.cloud.fault(
            "CreateActivation", "error", code=code, status=status, message="So it\nis."
        )
    told = stack.up("--continue-on-error", fails=True).diagnostics
    answered = {
        request["error_code"]: request["request_id"]
        for request in stack.cloud.requests("CreateActivation")
    }
    assert set(answered) == set(REFUSALS)
    for code, request_id in answered.items():
        ending = f"[ECS CreateActivation: {code}, “So it is”, RequestId {request_id}]"
        lines = [line for line in told if line.endswith(ending)]
        assert len(lines) == 1, code
        assert lines[0].startswith("error: cannot create Activation: ")
    assert len(told) == len(REFUSALS) + 1


@pytest.mark.whole
def test_the_accounts_own_lower_limit_reaches_the_user(stack: Stack) -> None:
    stack.cloud.settings(ttl_limit=4)
    stack.program("ecs.Activation('code', time_to_live_in_hours=24)")
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "exceeds the limit of 4" in told
    assert "Lower it to the limit that the vendor names" in told


PASSING_FAULTS = (
    "drop_after",
    "internal_error_after",
    "internal_error",
    "http_502_html",
    "truncate",
    "empty",
    "no_secret",
    "throttle",
    "throttle_retry_after",
    "reset_before",
)


def test_a_lost_answer_or_a_passing_fault_gives_one_activation_with_its_code(stack: Stack) -> None:
    stack.program(
        f"""
        for kind in {PASSING_FAULTS}:
            pulumi.export(kind, ecs.Activation(kind, description=kind).activation_code)
        """
    )
    stack.cloud.settings(rate_limit=None)
    for kind in PASSING_FAULTS:
        stack.cloud.fault("CreateActivation", kind, count=2, parameters={"Description": kind})
    assert stack.up().diagnostics == []
    tries: dict[str, list[str]] = {}
    for parameters in stack.calls("CreateActivation"):
        tries.setdefault(parameters["Description"], []).append(parameters["ClientToken"])
    for kind in PASSING_FAULTS:
        assert len(tries[kind]) == 3, kind
        assert len(set(tries[kind])) == 1, kind
    assert len(_activations(stack)) == len(PASSING_FAULTS)
    outputs = stack.outputs()
    assert len({outputs[kind] for kind in PASSING_FAULTS} & stack.secrets) == len(PASSING_FAULTS)


@pytest.mark.whole
def test_an_answer_with_a_code_in_it_is_a_failure_whatever_its_status(stack: Stack) -> None:
    stack.program("ecs.Activation('code')")
    stack.cloud.fault(
        "CreateActivation", "code_in_200", code="ActivationCount.ExceedLimit", message="Too many."
    )
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "the region holds as many activations as the account may have" in told


@pytest.mark.whole
def test_numbers_that_come_as_text_are_numbers(stack: Stack) -> None:
    stack.program("pulumi.export('count', ecs.Activation('code').instance_count)")
    stack.cloud.fault("DescribeActivations", "strings", count=-1)
    stack.up()
    outputs = stack.export()["code"]["outputs"]
    assert (outputs["instance_count"], outputs["disabled"]) == (10, False)
    assert stack.outputs()["count"] == 10
    stack.refresh("--expect-no-changes")


def _call(stack: Stack, action: str, **parameters: Any) -> Any:
    return stack.cloud.call("ecs", "2014-05-26", action, parameters, region="cn-hangzhou")


def _activations(stack: Stack) -> list[dict[str, Any]]:
    return [
        activation
        for account in stack.cloud.resources().values()
        for region in account.values()
        for activation in region.get("ecs", {}).get("activations", [])
    ]


def _register(stack: Stack, id: str) -> None:
    (code,) = (
        activation["ActivationCode"]
        for activation in _activations(stack)
        if activation["ActivationId"] == id
    )
    stack.cloud.register(activation_id=id, activation_code=code)


def _numbers(stack: Stack, action: str) -> list[int]:
    return [request["number"] for request in stack.cloud.requests(action)]

"""A registry's whole life on a real engine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.stack.conftest import Stack, wait_for

OWN_NAME = "registry_name='tcr-test', registry_type='standard'"


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """With a vendor that does in a second what takes minutes."""
    for name in ("pending", "deploying", "upgrade", "delete", "endpoint"):
        stack.cloud.settings(**{f"tcr_{name}_seconds": 0})
    return stack


def test_the_request_of_the_vendors_example_arrives_and_a_second_run_spends_nothing(
    stack: Stack,
) -> None:
    stack.program(
        """
        tcr.Instance("tcr", registry_name="tcr-test", registry_type="standard", sync_tag=True)
        auto = tcr.Instance("Auto Named", registry_type="basic", delete_bucket=True,
                            tag_specification={"tags": [{"key": "a", "value": "b"}]})
        pulumi.export("name", auto.registry_name)
        pulumi.export("host", auto.public_domain)
        """
    )
    stack.preview()
    assert stack.cloud.requests() == []
    stack.up()
    example, auto = sorted(stack.calls("CreateInstance"), key=lambda body: "SyncTag" not in body)
    assert example == {"RegistryName": "tcr-test", "RegistryType": "standard", "SyncTag": True}
    name = stack.outputs()["name"]
    assert name.startswith("auto-named-")
    assert len(name) == len("auto-named-") + 7
    assert auto["RegistryName"] == name
    assert auto["TagSpecification"] == {
        "ResourceType": "instance",
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    assert stack.outputs()["host"] == f"{name}.tencentcloudcr.com"
    assert stack.export()["tcr"]["outputs"]["status"] == "Running"
    spent = stack.cloud.ledger()["count"]
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")
    told = stack.destroy().diagnostics
    assert [line for line in told if "bucket of tcr-test" in line]
    assert not [line for line in told if name in line]
    assert _registries(stack) == []
    assert stack.cloud.ledger()["count"] == spent


def test_changes_in_place_and_replacements_are_what_the_preview_says(stack: Stack) -> None:
    def program(version: int) -> None:
        versions: dict[str, tuple[str, str]] = {
            "type": ("", "registry_type='premium'"),
            "protection": ("", "deletion_protection=True"),
            "versioning": ("enable_cos_versioning=False", "enable_cos_versioning=True"),
            "tags": ("tags={'a': '1', 'b': '2'}", "tags={'a': '2', 'c': '3'}"),
            "access": (
                "public_access={'enabled': True, 'security_policies': "
                "[{'cidr_block': '10.0.0.0/8', 'description': 'x'}]}",
                "public_access={'enabled': True, 'security_policies': "
                "[{'cidr_block': '10.0.0.0/8', 'description': 'y'}, "
                "{'cidr_block': '1.2.3.4', 'description': 'z'}]}",
            ),
            "prepaid": (
                "",
                "registry_charge_type=1, registry_charge_prepaid={'period': 2}",
            ),
            "named": ("registry_name='first-name'", "registry_name='second-name'"),
            "zones": (
                "registry_name='same-name'",
                "registry_name='same-name', enable_cos_maz=True",
            ),
            "moved": ("region='ap-guangzhou'", "region='ap-singapore'"),
        }
        stack.program(
            "\n".join(
                f"tcr.Instance({name!r}, **{{'registry_type': 'basic'}} | dict({inputs[version]}))"
                for name, inputs in versions.items()
            )
        )

    program(0)
    stack.up()
    before = stack.export()
    program(1)
    shown = stack.preview()
    assert "~ 6 to update" in shown.text
    assert "+-3 to replace" in shown.text
    assert "registry_charge_type 1 buys the term" in shown.text
    stack.up()
    after = stack.export()
    for name in ("named", "zones", "moved"):
        assert before[name]["id"] != after[name]["id"], name
    for name in ("type", "protection", "versioning", "tags", "access", "prepaid"):
        assert before[name]["id"] == after[name]["id"], name
    outputs = {name: resource.get("outputs", {}) for name, resource in after.items()}
    assert outputs["type"]["registry_type"] == "premium"
    assert outputs["protection"]["deletion_protection"] is True
    assert outputs["versioning"]["enable_cos_versioning"] is True
    assert outputs["tags"]["tags"] == {"a": "2", "c": "3"}
    assert len(outputs["access"]["public_access"]["security_policies"]) == 2
    assert outputs["prepaid"]["expired_at"]
    assert len(_registries(stack)) == 9
    # The name stays, so the old one had to go first; the others were made first.
    numbers = _numbers(stack, "CreateInstance", RegistryName="same-name")
    (deleted,) = _numbers(stack, "DeleteInstance", RegistryId=before["zones"]["id"])
    assert numbers[0] < deleted < numbers[1]
    assert stack.cloud.ledger()["counts"]["conversion"] == 1
    stack.up("--expect-no-changes")


@pytest.mark.whole
def test_a_term_is_renewed_for_paid_until_alone_and_once(stack: Stack) -> None:
    def program(more: str) -> None:
        stack.program(
            "tcr.Instance('prepaid', registry_type='basic', registry_charge_type=1, " + more + ")"
        )

    program("registry_charge_prepaid={'period': 1, 'renew_flag': 2}")
    stack.up()
    assert stack.bought() == {"purchase": 1}
    program("registry_charge_prepaid={'period': 12, 'renew_flag': 2}")
    told = stack.up().diagnostics
    assert [line for line in told if "changed, it buys and changes nothing" in line]
    end = stack.export()["prepaid"]["outputs"]["expired_at"]
    year = int(end[:4]) + 1
    program(
        "registry_charge_prepaid={'period': 12, 'renew_flag': 2}, "
        f"paid_until='{year}-06-30T00:00:00Z'"
    )
    assert "this buys" in stack.preview().text
    assert stack.bought() == {"purchase": 1}
    stack.up()
    assert stack.bought() == {"purchase": 1, "renewal": 1}
    assert stack.export()["prepaid"]["outputs"]["expired_at"] > f"{year}-06-30"
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")
    assert stack.bought() == {"purchase": 1, "renewal": 1}


def test_progress_shows_while_it_waits_and_a_timeout_keeps_the_registry(stack: Stack) -> None:
    stack.program(
        f"""
        patience = pulumi.CustomTimeouts(create="4s")
        tcr.Instance("slow", pulumi.ResourceOptions(custom_timeouts=patience), {OWN_NAME})
        """
    )
    stack.cloud.fault("CreateInstance", "stuck")
    told = stack.up(fails=True)
    assert "waiting for Running" in told.text
    id = stack.export()["slow"]["id"]
    assert f"{id} is made and kept, but not finished: it is still" in " ".join(told.diagnostics)
    stack.cloud.registry(registry_id=id, status="Running")
    stack.up()
    assert stack.export()["slow"]["outputs"]["status"] == "Running"
    assert len(stack.calls("CreateInstance")) == 1
    stack.destroy()
    assert _registries(stack) == []


@pytest.mark.whole
def test_a_failed_creation_is_said_with_its_reason_and_replaced(stack: Stack) -> None:
    stack.program(f"tcr.Instance('failed', {OWN_NAME})")
    stack.cloud.fault("CreateInstance", "ends_in", status="FailedCreated", message="No bucket.")
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "it is FailedCreated (No bucket.). The next `pulumi up` replaces it" in told
    failed = stack.export()["failed"]["id"]
    stack.up()
    assert [registry["RegistryId"] for registry in _registries(stack)] != [failed]
    assert len(_registries(stack)) == 1


def test_a_lost_answer_is_looked_for_by_name(stack: Stack) -> None:
    kinds = ("drop_after", "internal_error_after", "reset_before", "truncate")
    names = {f"lost-{kind.replace('_', '-')}": kind for kind in kinds}
    stack.program(
        f"for name in {tuple(names)}:\n"
        "    tcr.Instance(name, registry_name=name, registry_type='basic')"
    )
    for name, kind in names.items():
        stack.cloud.fault("CreateInstance", kind, parameters={"RegistryName": name})
    stack.up()
    held = {name: resource["id"] for name, resource in stack.export().items() if name in names}
    assert held == {
        registry["RegistryName"]: registry["RegistryId"] for registry in _registries(stack)
    }


@pytest.mark.whole
def test_a_lost_creation_that_cannot_be_looked_for_is_named(stack: Stack) -> None:
    stack.program(f"tcr.Instance('lost', {OWN_NAME})")
    # The look before the create is the first, and is answered.
    stack.cloud.fault("CreateInstance", "drop_after")
    stack.cloud.fault("DescribeInstances", "error", code="UnauthorizedOperation", after=1, count=99)
    stack.cloud.settings(taken_registry_names=["tcr-test"])
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "look for tcr-test in the console, and take it over with adopt_id" in told


@pytest.mark.whole
def test_what_a_timed_out_creation_left_is_finished_after_a_refresh(stack: Stack) -> None:
    access = {"enabled": True, "security_policies": [{"cidr_block": "1.1.1.1", "description": "x"}]}
    stack.program(
        f"""
        patience = pulumi.CustomTimeouts(create="3s")
        options = pulumi.ResourceOptions(custom_timeouts=patience)
        tcr.Instance("slow", options, {OWN_NAME}, public_access={access})
        """
    )
    stack.cloud.fault("CreateInstance", "stuck")
    stack.up(fails=True)
    id = stack.export()["slow"]["id"]
    stack.cloud.registry(registry_id=id, status="Running")
    stack.refresh()
    stack.up()
    assert stack.export()["slow"]["outputs"]["public_access"] == access
    assert len(stack.calls("CreateInstance")) == 1
    stack.up("--expect-no-changes")


def test_a_renewal_that_does_not_show_is_never_bought_again(stack: Stack) -> None:
    def program(more: str) -> None:
        stack.program(
            f"""
            patience = pulumi.CustomTimeouts(update="6s")
            tcr.Instance("prepaid", pulumi.ResourceOptions(custom_timeouts=patience),
                         registry_type="basic", registry_charge_type=1,
                         registry_charge_prepaid={{"period": 1}}, {more})
            """
        )

    program("")
    stack.up()
    year = int(stack.export()["prepaid"]["outputs"]["expired_at"][:4]) + 1
    program(f"paid_until='{year}-12-31T00:00:00Z'")
    stack.cloud.fault("RenewInstance", "internal_error")
    told = " ".join(stack.up(fails=True).diagnostics)
    assert "It is not ordered again; to order it anew change paid_until (by a second)" in told
    stack.refresh()
    noted = "a renewal may have been ordered, but does not show yet: this buys none."
    assert noted in stack.preview().text
    stack.up(fails=True)
    assert len(stack.calls("RenewInstance")) == 1
    program(f"paid_until='{year}-12-31T00:00:01Z'")
    stack.up()
    assert len(stack.calls("RenewInstance")) == 2
    assert stack.bought() == {"purchase": 1, "renewal": 1}
    stack.up("--expect-no-changes")


@pytest.mark.whole
def test_a_protected_registry_is_not_replaced(stack: Stack) -> None:
    stack.program("tcr.Instance('kept', registry_type='basic', deletion_protection=True)")
    stack.up()
    more = "deletion_protection=True, enable_cos_maz=True"
    stack.program(f"tcr.Instance('kept', registry_type='basic', {more})")
    told = stack.preview(fails=True).text
    print(told)
    assert "the change of enable_cos_maz replaces it, but deletion_protection is on" in told
    assert len(_registries(stack)) == 1


@pytest.mark.whole
def test_a_protected_registry_that_failed_for_good_is_replaced(stack: Stack) -> None:
    stack.program(f"tcr.Instance('failed', {OWN_NAME}, deletion_protection=True)")
    stack.cloud.fault("CreateInstance", "ends_in", service="tcr", status="FailedCreated")
    stack.up(fails=True)
    stack.up()
    (registry,) = _registries(stack)
    assert registry["Status"] == "Running"
    assert registry["DeletionProtection"] is True


@pytest.mark.whole
def test_a_registry_is_adopted_without_its_name_being_given(stack: Stack) -> None:
    body = {"RegistryName": "by-hand", "RegistryType": "basic"}
    id = stack.cloud.call("tcr", "2019-09-24", "CreateInstance", body)["RegistryId"]
    stack.program(f"tcr.Instance('adopted', registry_type='basic', adopt_id={id!r})")
    stack.up()
    assert stack.export()["adopted"]["outputs"]["registry_name"] == "by-hand"
    stack.refresh("--expect-no-changes")
    stack.up("--expect-no-changes")
    # What is written down later is compared with what is there.
    stack.cloud.call(
        "tcr", "2019-09-24", "ModifyInstance", {"RegistryId": id, "DeletionProtection": True}
    )
    stack.refresh()
    more = "enable_cos_maz=False, deletion_protection=False"
    stack.program(f"tcr.Instance('adopted', registry_type='basic', adopt_id={id!r}, {more})")
    stack.up()
    assert stack.export()["adopted"]["id"] == id
    stack.destroy()
    assert _registries(stack) == []


@pytest.mark.whole
def test_a_registry_of_an_interrupted_run_with_a_made_up_name_is_named(stack: Stack) -> None:
    body = {"RegistryName": "found-0123abc", "RegistryType": "basic"}
    id = stack.cloud.call("tcr", "2019-09-24", "CreateInstance", body)["RegistryId"]
    stack.program("tcr.Instance('found', registry_type='basic')")
    told = " ".join(stack.up().diagnostics)
    assert f'take it over with adopt_id="{id}", or delete it' in told


@pytest.mark.whole
def test_a_taken_name_is_one_line_that_says_whose_it_is(stack: Stack) -> None:
    own = stack.cloud.call(
        "tcr", "2019-09-24", "CreateInstance", {"RegistryName": "my-own", "RegistryType": "basic"}
    )["RegistryId"]
    stack.cloud.settings(taken_registry_names=["not-mine"])
    stack.program(
        """
        tcr.Instance("own", registry_name="my-own", registry_type="basic")
        tcr.Instance("others", registry_name="not-mine", registry_type="basic")
        """
    )
    told = stack.up("--continue-on-error", fails=True).diagnostics
    assert [line for line in told if f'take it over with adopt_id="{own}"' in line]
    assert [line for line in told if "not-mine is taken by somebody else" in line]
    stack.program(
        f"tcr.Instance('own', registry_name='my-own', registry_type='basic', adopt_id='{own}')"
    )
    stack.up()
    assert stack.export()["own"]["id"] == own


# Without InternalError.ErrConflict and .ErrorConflict, which are waited out.
REFUSALS = (
    "FailedOperation",
    "FailedOperation.TradeFailed",
    "InternalError.ErrNotExist",
    "InternalError.ErrorOverLimit",
    "InvalidParameter",
    "InvalidParameter.ErrorNameIllegal",
    "InvalidParameter.ErrorNameReserved",
    "InvalidParameter.ErrorRegistryName",
    "InvalidParameter.ErrorTagOverLimit",
    "InvalidParameter.UnsupportedRegion",
    "MissingParameter",
    "OperationDenied.QuotaOverLimit",
    "UnauthorizedOperation",
    "UnknownParameter",
    "UnsupportedOperation",
)


@pytest.mark.whole
def test_every_refusal_is_one_line_with_code_and_request_id(stack: Stack) -> None:
    stack.program(
        f"for n in range({len(REFUSALS)}): tcr.Instance(f'r-{{n}}', registry_type='basic')"
    )
    stack.cloud.settings(rate_limit=None)
    for code in REFUSALS:
        stack.cloud.fault("CreateInstance", "error", code=code, message="So it\nis.")
    told = stack.up("--continue-on-error", fails=True).diagnostics
    answered = {
        request["error_code"]: request["request_id"]
        for request in stack.cloud.requests("CreateInstance")
    }
    assert set(answered) == set(REFUSALS)
    for code, request_id in answered.items():
        ending = f"[TCR CreateInstance: {code}, “So it is”, RequestId {request_id}]"
        lines = [line for line in told if line.endswith(ending)]
        assert len(lines) == 1, code
        assert lines[0].startswith("error: cannot create Instance: ")
    assert len(told) == len(REFUSALS) + 1


@pytest.mark.whole
def test_get_reads_a_registry_without_managing_it(stack: Stack) -> None:
    body = {"RegistryName": "looked-at", "RegistryType": "standard"}
    id = stack.cloud.call("tcr", "2019-09-24", "CreateInstance", body)["RegistryId"]
    stack.program(
        f"""
        looked_at = tcr.Instance.get("looked-at", "{id}")
        pulumi.export("host", looked_at.public_domain)
        pulumi.export("type", looked_at.registry_type)
        """
    )
    assert stack.up().diagnostics == []
    assert stack.outputs() == {"host": "looked-at.tencentcloudcr.com", "type": "standard"}
    stack.destroy()
    assert len(_registries(stack)) == 1


@pytest.mark.whole
def test_a_destroy_that_the_vendor_refuses_is_one_line(stack: Stack) -> None:
    stack.program("tcr.Instance('kept', registry_type='basic', deletion_protection=True)")
    stack.up()
    id = stack.export()["kept"]["id"]
    told = " ".join(stack.destroy(fails=True).diagnostics)
    assert "is on. Set it to False and run `pulumi up` before the destroy" in told
    stack.program("tcr.Instance('kept', registry_type='basic')")
    stack.up()
    namespace = {"RegistryId": id, "NamespaceName": "team", "IsPublic": False}
    stack.cloud.call("tcr", "2019-09-24", "CreateNamespace", namespace)
    told = " ".join(stack.destroy(fails=True).diagnostics)
    assert "OperationDenied" in told
    assert "namespace" in told
    namespace.pop("IsPublic")
    stack.cloud.call("tcr", "2019-09-24", "DeleteNamespace", namespace)
    stack.cloud.fault("DeleteInstance", "ends_in", status="DeleteBucketFailed", message="Arrears.")
    told = " ".join(stack.destroy(fails=True).diagnostics)
    assert "its bucket could not be. Empty it in the COS console" in told


@pytest.mark.whole
def test_what_happens_outside_is_seen_by_refresh_and_mended_by_up(stack: Stack) -> None:
    access = {"enabled": True, "security_policies": [{"cidr_block": "1.1.1.1", "description": "x"}]}
    stack.program(
        f"""
        tcr.Instance("changed", registry_type="basic", tags={{"mine": "1"}}, public_access={access})
        tcr.Instance("deleted", registry_type="basic")
        """
    )
    stack.up()
    before = stack.export()
    id = before["changed"]["id"]
    call = stack.cloud.call
    policy = {"RegistryId": id, "CidrBlock": "9.9.9.9", "Description": "theirs"}
    call("tcr", "2019-09-24", "CreateSecurityPolicy", policy)
    call("tcr", "2019-09-24", "ModifyInstance", {"RegistryId": id, "DeletionProtection": True})
    stack.cloud.registry(registry_id=before["deleted"]["id"], status="absent")
    stack.refresh()
    seen = stack.export()
    assert "deleted" not in seen
    assert seen["changed"]["outputs"]["deletion_protection"] is True
    assert len(seen["changed"]["outputs"]["public_access"]["security_policies"]) == 2
    stack.up()
    after = stack.export()["changed"]
    assert after["id"] == id
    assert after["outputs"]["public_access"] == access
    assert after["outputs"]["deletion_protection"] is False
    assert len(_registries(stack)) == 2


def kill(stack: Stack, process: subprocess.Popen[str]) -> None:
    stack.kill(process)


def interrupt_twice(stack: Stack, process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGINT)
    assert process.stdout is not None
    for line in process.stdout:
        if "^C" in line or "ancel" in line:
            break
    os.kill(process.pid, signal.SIGINT)


@pytest.mark.parametrize("stop", [kill, interrupt_twice])
def test_a_run_that_is_stopped_while_it_waits_ends_with_one_registry(
    stack: Stack, stop: Callable[[Stack, subprocess.Popen[str]], None]
) -> None:
    stack.program(f"tcr.Instance('stopped', {OWN_NAME})")
    stack.cloud.settings(tcr_deploying_seconds=3600)
    process = stack.start("up", "--yes", "--skip-preview")
    wait_for(lambda: len(stack.cloud.requests("DescribeInstances")) > 1)
    stop(stack, process)
    stack.finish(process)
    if stop is kill:
        wait_for(lambda: bool(stack.cloud.requests("DeleteInstance")))
        stack.pulumi("cancel", "--yes")
    stack.cloud.settings(tcr_deploying_seconds=0)
    for registry in _registries(stack):
        stack.cloud.registry(registry_id=registry["RegistryId"], status="Running")
    if stop is kill:
        # The provider outlives the engine, and undoes what nobody will hold: as soon as it can.
        wait_for(lambda: not _registries(stack))
    outcome = stack.finish(stack.start("up", "--yes", "--skip-preview"))
    (registry,) = _registries(stack)
    if outcome.code:
        # It could not be undone any more, so it is named.
        assert f'adopt_id="{registry["RegistryId"]}"' in outcome.text
    else:
        assert stack.export()["stopped"]["id"] == registry["RegistryId"]


@pytest.mark.whole
def test_every_wrong_input_is_one_line_in_the_preview(stack: Stack) -> None:
    stack.program(
        """
        tcr.Instance(
            "wrong",
            registry_type="Basic",
            registry_charge_type=2,
            registry_charge_prepaid={"period": 0, "renew_flag": 3},
            tags={str(n): "" for n in range(11)},
            tag_specification={"tags": [{"value": "x"}]},
            public_access={"enabled": 1, "polices": []},
            paid_until="soon",
        )
        """
    )
    assert stack.preview(fails=True).problems == [
        "registry_type: must be one of basic, standard, premium",
        "tags: must have at most 10 tags, has 11",
        "tag_specification.tags[0].key: is not given",
        "registry_charge_type: must be from 0 to 1",
        "registry_charge_prepaid.period: must be at least 1 (months)",
        "registry_charge_prepaid.renew_flag: must be from 0 to 2",
        "public_access: has no part polices; its parts are enabled and security_policies",
        "public_access.enabled: must be true or false",
        "paid_until: must be a point in time, such as 2027-01-31T00:00:00Z",
    ]
    stack.program(
        "tcr.Instance('wrong', registry_charge_type=1, paid_until='2027-01-01T00:00:00Z')"
    )
    assert stack.preview(fails=True).problems == [
        "registry_type: is not given",
        "registry_charge_prepaid: is not given, but registry_charge_type is 1",
    ]
    assert stack.cloud.requests() == []


def _registries(stack: Stack) -> list[dict[str, Any]]:
    return [
        registry
        for account in stack.cloud.resources().values()
        for region in account.values()
        for registry in region.get("tcr", {}).get("registries", [])
    ]


def _numbers(stack: Stack, action: str, **parameters: Any) -> list[int]:
    return [
        request["number"]
        for request in stack.cloud.requests(action)
        if parameters.items() <= request["parameters"].items()
    ]

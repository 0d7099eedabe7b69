"""A run that is killed, with all its processes, at each of its requests; and the run after it."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.matrix.table import CELL, CHECKED
from tests.stack.conftest import Stack, descendants, wait_for

SERVICES = {"tat": "code", "ecs": "activation", "tcr": "registry", "billing": "order"}

FIRST = """
tat.RegisterCode("code", description="first")
ecs.Activation("activation", description="first", tags={"a": "1"})
tcr.Instance("registry", registry_name="kill-test", registry_type="basic", tags={"a": "1"},
             public_access={"enabled": True, "security_policies": [
                 {"cidr_block": "10.0.0.0/8", "description": "first"}]})
billing.Instance("order", product_code="p_cloudfirewall", parameter={"pid": 1},
                 sub_product_code="sp_cloudfirewall_svv1", region_code="ap-guangzhou",
                 zone_code="ap-guangzhou-6")
"""
_PAID_UNTIL = (datetime.now(timezone.utc) + timedelta(weeks=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
SECOND = (
    FIRST.replace('"first"', '"second"')
    .replace('{"a": "1"}', '{"a": "2", "b": "3"}')
    .replace('"basic"', '"standard"')
    .replace("parameter=", f'paid_until="{_PAID_UNTIL}", parameter=')
)
BOUGHT = {
    "create": {"purchase": 2},
    "update": {"purchase": 2, "renewal": 1},
    "destroy": {"purchase": 2, "refund": 1},
}
MOST_REQUESTS = {"create": 15, "update": 18, "destroy": 6}
"""Of one product's in each phase; none has more than the registry's."""
A_FEW = {("create", 7), ("update", 3), ("destroy", 1)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kth" in metafunc.fixturenames:
        every = [(phase, kth) for phase, most in MOST_REQUESTS.items() for kth in range(most)]
        whole = metafunc.config.getoption("--whole")
        metafunc.parametrize(("phase", "kth"), every if whole else sorted(A_FEW))


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """With vendors that do at once what takes minutes."""
    for name in ("pending", "deploying", "upgrade", "delete", "endpoint"):
        stack.cloud.settings(**{f"tcr_{name}_seconds": 0})
    for name in ("paid", "delivering", "refunding"):
        stack.cloud.settings(**{f"billing_{name}_seconds": 0})
    return stack


def test_a_killed_run_is_taken_up_by_the_next(
    stack: Stack, phase: str, kth: int, record_property: Any
) -> None:
    """The k-th request of each product does its work, and is never answered."""
    record_property(CELL, "kills on a real engine")
    stack.program(FIRST)
    if phase != "create":
        stack.up()
    if phase == "update":
        stack.program(SECOND)
    _kill_at(stack, kth, "destroy" if phase == "destroy" else "up")
    stack.cloud.clear_faults()
    stack.pulumi("cancel", "--yes")

    if phase == "destroy":
        told = stack.destroy().text
        assert stack.export() == {}
    else:
        told = _up(stack, SECOND if phase == "update" else FIRST)
        stack.up("--expect-no-changes")
    assert stack.bought() == BOUGHT[phase]
    orphans = _orphans(stack)
    for name, ids in orphans.items():
        # Nobody has seen its code; which resource it was made for, the engine says.
        assert len(ids) <= 1
        assert f"::{name}, interrupted while creating" in told
    record_property(CHECKED, {"nothing is bought twice": 1, "the next run converges": 1})
    record_property(CHECKED, {"an orphan is told of": len(orphans)})


def _kill_at(stack: Stack, kth: int, command: str) -> None:
    """Run a command until each product has had its k-th request, or all that it will have."""
    before = {service: _requests(stack, service) for service in SERVICES}
    for service in SERVICES:
        stack.cloud.fault("*", "delay", seconds=120, after=kth, service=service)
    process = stack.start(command, "--yes", "--skip-preview")

    def arrived() -> bool:
        waiting = {order["service"] for order in stack.cloud.faults()}
        pending = _pending(stack)
        return process.poll() is not None or all(
            service not in waiting
            or (_requests(stack, service) > before[service] and name not in pending)
            for service, name in SERVICES.items()
        )

    wait_for(arrived)
    for pid in [process.pid, *descendants(process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    stack.finish(process)


def _requests(stack: Stack, service: str) -> int:
    return sum(request["service"] == service for request in stack.cloud.requests())


def _pending(stack: Stack) -> set[str]:
    """The names of the resources that the engine is at work on."""
    state = json.loads((stack.folder / "state/.pulumi/stacks/fleet/dev.json").read_text())
    operations = state["checkpoint"]["latest"].get("pending_operations") or []
    return {operation["resource"]["urn"].rpartition("::")[2] for operation in operations}


def _up(stack: Stack, program: str) -> str:
    """The next run; what it tells to write into the program is written."""
    outcome = stack.finish(stack.start("up", "--yes", "--skip-preview"))
    if outcome.code:
        [made] = [r["RegistryId"] for r in _documents(stack, "tcr", "registries")]
        assert f'take it over with adopt_id="{made}"' in outcome.text
        adopting = f'tcr.Instance(adopt_id="{made}", resource_name='
        stack.program(program.replace("tcr.Instance(", adopting))
        stack.up()
    return outcome.text


def _orphans(stack: Stack) -> dict[str, set[str]]:
    """The codes that the vendors hold and state does not, by the resource's name."""
    held = {resource.get("id") for resource in stack.export().values()}
    ids = {
        "code": {c["RegisterCodeId"] for c in _documents(stack, "tat", "register_codes")},
        "activation": {a["ActivationId"] for a in _documents(stack, "ecs", "activations")},
        "registry": {r["RegistryId"] for r in _documents(stack, "tcr", "registries")},
    }
    return {name: some - held for name, some in ids.items() if some - held}


def _documents(stack: Stack, service: str, kind: str) -> list[Any]:
    return [
        document
        for regions in stack.cloud.resources().values()
        for services in regions.values()
        for document in services.get(service, {}).get(kind, ())
    ]

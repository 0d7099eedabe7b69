"""A machine joins once, says what came of it, and keeps no copy of the code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_hybrid.enrollment import cloud_init

from .conftest import Machine

ID = "9b5rb72b-418f-4a81-b32e-f8bc80eef678"
REGION = "cn-hangzhou"
JOINED = [f"{REGION} {ID}"]


@pytest.fixture(params=["alicloud", "tencentcloud"])
def cloud(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def machine(machine_of: Callable[[str], Machine], cloud: str) -> Machine:
    """A machine that has the agent."""
    machine = machine_of(cloud)
    machine.install_agent()
    return machine


def user_data(machine: Machine, install: str | None = None) -> str:
    return cloud_init(machine.cloud, REGION, ID, machine.code, install)


def assert_no_copy(machine: Machine) -> None:
    assert machine.copies() == []
    assert machine.boot().statuses == []


def test_a_machine_joins_at_its_first_boot_and_never_again(machine: Machine, cloud: str) -> None:
    boot = machine.launch(user_data(machine))
    assert boot.statuses == [0], boot.text
    assert f"this machine joined {REGION} as" in boot.text
    assert machine.observed("joined") == JOINED
    script = "/bin/sh /var/lib/cloud/scripts/per-boot/pulumi-hybrid"
    assert any(script in line for line in machine.observed("processes"))
    assert_no_copy(machine)
    assert machine.observed("joined") == JOINED
    assert machine.observed("services") == (
        ["restart tat_agent"] if cloud == "tencentcloud" else []
    )


def test_a_new_instance_of_a_machine_that_joined_registers_nothing(machine: Machine) -> None:
    machine.launch(user_data(machine))
    boot = machine.launch(user_data(machine))
    assert boot.statuses == [0]
    assert "had joined before" in boot.text
    assert machine.observed("joined") == JOINED
    assert_no_copy(machine)


def test_a_failure_is_told_whatever_the_agents_status(machine: Machine) -> None:
    machine.set("failures", 100)
    boot = machine.launch(user_data(machine))
    assert boot.statuses == [1]
    assert boot.text.count("register failed") == 3
    assert f"this machine did not join {REGION}: its agent could not register" in boot.text
    syslog = (machine.folder / "var/log/syslog").read_text()
    assert "did not join" in syslog
    assert machine.observed("joined") == []
    assert_no_copy(machine)


def test_a_failure_that_passes_is_waited_out(machine: Machine) -> None:
    machine.set("failures", 2)
    assert machine.launch(user_data(machine)).statuses == [0]
    assert machine.observed("joined") == JOINED
    assert_no_copy(machine)


def test_a_network_that_is_late_is_waited_for(machine: Machine) -> None:
    machine.set("outages", 59)
    assert machine.launch(user_data(machine)).statuses == [0]
    assert machine.observed("joined") == JOINED
    (url,) = machine.observed("urls")
    assert url.startswith(f"https://{REGION}.")
    assert_no_copy(machine)


def test_a_network_that_never_comes_is_told(machine: Machine) -> None:
    machine.set("outages", 1000)
    boot = machine.launch(user_data(machine))
    assert boot.statuses == [1]
    assert "could not be reached" in boot.text
    assert machine.observed("joined") == []
    assert_no_copy(machine)


def test_a_first_boot_that_was_cut_off_is_taken_up_by_the_next(machine: Machine) -> None:
    machine.set("outages", 1)
    machine.set("power_cuts", 1)
    assert machine.launch(user_data(machine)).statuses == [-9]
    assert machine.observed("joined") == []
    assert machine.boot().statuses == [0]
    assert machine.observed("joined") == JOINED
    assert_no_copy(machine)


def test_an_agent_that_is_not_there_is_installed(
    machine_of: Callable[[str], Machine], cloud: str
) -> None:
    machine = machine_of(cloud)
    boot = machine.launch(user_data(machine))
    assert boot.statuses == [0], boot.text
    assert machine.observed("joined") == JOINED
    _, package = machine.observed("urls")
    assert package.startswith("https://")
    assert_no_copy(machine)


def test_an_agent_is_installed_as_the_user_says(
    machine_of: Callable[[str], Machine], cloud: str
) -> None:
    machine = machine_of(cloud)
    place = {"tencentcloud": "/usr/local/qcloud/tat_agent", "alicloud": "/usr/local/bin"}[cloud]
    install = f"mkdir -p {place}\ncp /var/stand_in/packages/* {place}/\nexit 0"
    boot = machine.launch(user_data(machine, install))
    assert boot.statuses == [0], boot.text
    assert machine.observed("joined") == JOINED
    assert len(machine.observed("urls")) == 1
    assert_no_copy(machine)


@pytest.mark.parametrize("install", ["false", "true"])
def test_an_agent_that_cannot_be_installed_is_told(
    machine_of: Callable[[str], Machine], cloud: str, install: str
) -> None:
    machine = machine_of(cloud)
    boot = machine.launch(user_data(machine, install))
    assert boot.statuses == [1]
    assert "did not join" in boot.text
    assert_no_copy(machine)


def test_an_agent_that_does_not_restart_is_told(machine_of: Callable[[str], Machine]) -> None:
    machine = machine_of("tencentcloud")
    machine.install_agent()
    machine.set("failing_restarts", 1)
    boot = machine.launch(user_data(machine))
    assert boot.statuses == [1]
    assert "joined cn-hangzhou as rins-1" in boot.text
    assert "could not be restarted" in boot.text
    assert_no_copy(machine)


def test_what_an_older_agent_of_tencent_cloud_keeps_is_known_and_cleaned(
    machine_of: Callable[[str], Machine],
) -> None:
    """It writes the same, in base64, to another file."""
    machine = machine_of("tencentcloud")
    machine.install_agent()
    agent = machine.folder / "usr/local/qcloud/tat_agent/tat_agent"
    agent.write_text(agent.read_text() + "base64 -w 0 config.dat >register.dat\nrm config.dat\n")
    assert machine.launch(user_data(machine)).statuses == [0]
    assert machine.copies() == []
    assert "had joined before, as rins-1" in machine.launch(user_data(machine)).text
    assert machine.observed("joined") == JOINED
    assert_no_copy(machine)

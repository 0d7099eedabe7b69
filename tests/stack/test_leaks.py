"""All that a run can be made to leave behind, searched for codes and keys."""

from __future__ import annotations

from tests.stack.conftest import Stack


def test_no_log_and_no_event_log_holds_a_secret(stack: Stack) -> None:
    """The fixture searches the terminal and every file of the folder when the test is over."""
    # What a user sets to find out why something fails.
    stack.environment |= {"PULUMI_DEBUG_COMMANDS": "1", "DEBUG": "sdk", "PYTHONWARNINGS": "default"}
    events = stack.folder / "events.json"
    log = ("--logtostderr", "--logflow", "-v=3", "--event-log", str(events))
    stack.program(
        """
        code = tat.RegisterCode("code")
        activation = ecs.Activation("activation", tags={"a": "1"})
        pulumi.export("value", code.register_code_value)
        pulumi.export("command", activation.linux_register_command)
        tat.RegisterCode("handed-on", description=activation.activation_code.apply(lambda c: c[:9]))
        """
    )
    # Answers that SDKs put into their exceptions.
    stack.cloud.fault("CreateActivation", "truncate")
    stack.cloud.fault("DescribeRegisterCodes", "truncate", count=2)
    stack.up(*log, "--debug")
    assert len(stack.secrets) >= 3
    stack.preview(*log, "--show-config", "--show-reads", "--show-sames", "--json")
    stack.refresh(*log)
    stack.pulumi("stack", "export", "--file", str(stack.folder / "export.json"))
    stack.pulumi("stack", "history", "--json")
    stack.pulumi("stack", "output", "--json")
    stack.destroy(*log)
    assert events.stat().st_size > 0

"""The commands that pages and errors give are taken by the real command line, with real keys."""

from __future__ import annotations

import re
import secrets
import shlex
import string

import pytest

from pulumi_hybrid.settings import ALICLOUD, CLOUDS, TENCENTCLOUD, Setting, settings_of
from tests.stack.conftest import ROOT, Stack

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/README.md")]
COMMANDS = sorted(
    {
        line[1].partition(" #")[0].strip()
        for page in PAGES
        for line in re.finditer(
            r"(?:^ {4}|`)pulumi (config set [^`\n]* [^`\n]*)", page.read_text(), re.MULTILINE
        )
    }
)
# The unit tests have the others; all of them take half a minute here.
SETTINGS = [
    pytest.param(
        setting,
        id=setting.key,
        marks=()
        if setting in (TENCENTCLOUD.key_id, ALICLOUD.web_identity.token_file)
        else pytest.mark.whole,
    )
    for cloud in CLOUDS
    for setting in settings_of(cloud)
]


def _real(command: str) -> list[str]:
    """The command's words, with a key such as the vendors give out where the page has dots."""
    key = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))
    return [word.replace("…", key) for word in shlex.split(command)]


def test_the_pages_commands_are_found() -> None:
    assert sum("secretId" in command for command in COMMANDS) == 1, "one way everywhere"
    assert len(COMMANDS) > 8


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_a_page_takes_a_real_value(stack: Stack, command: str) -> None:
    stack.pulumi(*_real(command))


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_an_error_says_to_do_takes_a_real_value(stack: Stack, setting: Setting) -> None:
    (command,) = re.findall(r"`pulumi (.*)`", setting.how_to_set)
    value = "/run/secrets/oidc-token" if setting.key.endswith("File") else "…"
    stack.pulumi(*_real(command.replace("…", value)))
    shown = stack.pulumi("config").text
    assert ("[secret]" in shown) is setting.secret

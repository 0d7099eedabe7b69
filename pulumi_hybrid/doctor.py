"""`python -m pulumi_hybrid.doctor`: what is in force, where it comes from, and whether it works.

It reads the stack's configuration as the engine would hand it over, and the environment. It asks
the vendors who the keys belong to, and for lists that change nothing. It shows no secret. The exit
status is 0 where everything that is set up works, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pulumi_hybrid import clock, connection
from pulumi_hybrid.alicloud import client as alicloud
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call, as_error
from pulumi_hybrid.errors import Error, Misconfigured, one_line
from pulumi_hybrid.keys import Keys
from pulumi_hybrid.settings import ALICLOUD, TENCENTCLOUD, Cloud, Settings, settings_of
from pulumi_hybrid.tencentcloud import client as tencentcloud
from pulumi_hybrid.tencentcloud.billing import BILLING
from pulumi_hybrid.tencentcloud.tat import TAT
from pulumi_hybrid.tencentcloud.tcr import TCR

_SECONDS = 30.0
"""How long one question to a vendor may take."""
_CLOCK_SECONDS = 60
"""How far the clock may be off before it is told; the vendors take five to fifteen minutes."""

_NOT_ON_PATH = "pulumi is not on PATH"


@dataclass(frozen=True)
class _Examined:
    """How a vendor is asked.

    Attributes:
        cloud: whose settings.
        keys: the keys in force.
        sts: asks the Security Token Service.
        host: whose clock is looked at, where no endpoint is set.
        lists: by product and what is listed: calls an action that changes nothing; what to tell.
    """

    cloud: Cloud
    keys: Callable[[Settings], Keys | None]
    sts: Callable[..., Mapping[str, Any]]
    host: str
    lists: Mapping[str, Callable[[Settings, str], str]]


def _tencentcloud(
    product: tencentcloud.Product, action: str, settings: Settings, region: str
) -> str:
    api = tencentcloud.TencentcloudApi(
        product, region, settings, meanings={}, call=Call(), deadline=Deadline(_SECONDS)
    )
    api.call(action, {"Limit": 1})
    return f"allowed in {region}"


def _orders(settings: Settings, _region: str) -> str:
    api = tencentcloud.TencentcloudApi(
        BILLING, "", settings, meanings={}, call=Call(), deadline=Deadline(_SECONDS)
    )
    now, form = clock.now(), "%Y-%m-%d %H:%M:%S"
    span = {"StartTime": (now - timedelta(days=1)).strftime(form), "EndTime": now.strftime(form)}
    api.call("DescribeDealsByCond", {**span, "Limit": 1})
    return "allowed"


def _activations(settings: Settings, region: str) -> str:
    api = alicloud.AlicloudApi(
        region, settings, meanings={}, call=Call(), deadline=Deadline(_SECONDS)
    )
    api.call("DescribeActivations", {"PageSize": 1})
    return f"allowed in {region}"


_VENDORS = (
    _Examined(
        TENCENTCLOUD,
        lambda settings: tencentcloud.sessions.of(settings).keys,
        tencentcloud.ask_sts,
        "sts.tencentcloudapi.com",
        {
            "TAT DescribeRegisterCodes": partial(_tencentcloud, TAT, "DescribeRegisterCodes"),
            "TCR DescribeInstances": partial(_tencentcloud, TCR, "DescribeInstances"),
            "Billing DescribeDealsByCond": _orders,
        },
    ),
    _Examined(
        ALICLOUD,
        lambda settings: alicloud.sessions.of(settings).keys,
        alicloud.ask_sts,
        "sts.aliyuncs.com",
        {"ECS DescribeActivations": _activations},
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Examine and tell; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pulumi_hybrid.doctor",
        description=__doc__,
        epilog="ok: it works; NO: it does not; --: it is not set up, or cannot be known.",
    )
    parser.add_argument("-C", "--cwd", default=".", help="the project's folder; default: this one")
    parser.add_argument("-s", "--stack", help="default: the one that is selected")
    parser.add_argument(
        "--provider", metavar="NAME", help="an explicit provider, as of its last `pulumi up`"
    )
    given = parser.parse_args(arguments)
    _say(
        f"pulumi_hybrid {version('pulumi_hybrid')}, pulumi {version('pulumi')}, "
        f"Python {platform.python_version()}"
    )
    try:
        config, plain = _configuration(given.cwd, given.stack, given.provider)
    except Misconfigured as error:
        _say(f"  NO    stack: {error}")
        return 1
    settings = Settings(config)
    healthy = _packages()
    set_up = [_examine(vendor, settings, plain) for vendor in _VENDORS]
    if all(works is None for works in set_up):
        _say("", "No key for either cloud. Set one in a way that is named above.")
        return 1
    if any(set_up):
        _say("", "Whether a key may create cannot be asked without creating.")
    return 0 if healthy and all(works is not False for works in set_up) else 1


def _configuration(
    folder: str, stack: str | None, provider: str | None
) -> tuple[Mapping[str, Any], set[str]]:
    """What the engine would hand to the provider process, and the keys that are in plain text.

    Raises:
        Misconfigured: there is no such folder, stack or provider.
    """
    if not Path(folder).is_dir():
        raise Misconfigured(f"{folder} is no folder. Give the project's folder to --cwd")
    chosen = ["--stack", stack] if stack else []
    if provider is None:
        if stack is None and not _on_path():
            _say(f"the environment alone, as {_NOT_ON_PATH}")
            return {}, set()
        try:
            name = stack or _pulumi(folder, "stack", "--show-name").strip()
        except Misconfigured as error:
            _say(f"the environment alone, as there is no stack here: {error}")
            return {}, set()
        told = _pulumi(folder, "config", "--json", "--show-secrets", *chosen)
        _say(f"stack {name}, then the environment")
        entries = json.loads(told)
        config = {key: entry.get("value") for key, entry in entries.items()}
        return config, {key for key, entry in entries.items() if not entry.get("secret")}
    state = json.loads(_pulumi(folder, "stack", "export", "--show-secrets", *chosen))
    for resource in state.get("deployment", {}).get("resources") or []:
        kind, _, name = resource["urn"].rpartition("::")
        if name == provider and kind.endswith("pulumi:providers:pulumi-python"):
            _say(f"provider {provider} as of its last `pulumi up`, then the environment")
            # Where everything comes from the environment, the state has no inputs at all.
            inputs = resource.get("inputs") or {}
            config = {key: _plain(value) for key, value in inputs.items()}
            return config, {key for key, value in config.items() if value == inputs[key]}
    raise Misconfigured(f"the stack's state holds no provider {provider}. Run `pulumi up` first")


def _plain(value: Any) -> Any:
    """A value of a state that was exported with its secrets."""
    if isinstance(value, dict):
        if isinstance(value.get("plaintext"), str):
            return json.loads(value["plaintext"])
        return {key: _plain(item) for key, item in value.items()}
    return value


def _on_path() -> bool:
    return shutil.which("pulumi") is not None


def _pulumi(folder: str, *arguments: str) -> str:
    """What the engine's command prints.

    Raises:
        Misconfigured: it cannot be run, or fails.
    """
    if not _on_path():
        raise Misconfigured(f"{_NOT_ON_PATH}. Install it, or put its folder there")
    try:
        ended = subprocess.run(  # noqa: S603 - the user's own pulumi
            ["pulumi", *arguments, "--non-interactive"],  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        raise Misconfigured("pulumi cannot be run here") from None
    if ended.returncode:
        # On the other stream the configuration may be, with its secrets.
        raise Misconfigured(one_line(ended.stderr.removeprefix("error: ")) or "pulumi failed")
    return ended.stdout


def _packages() -> bool:
    """Whether the packages go together."""
    try:
        version("tencentcloud-sdk-python")
    except PackageNotFoundError:
        return True
    _say(
        "  NO    packages: tencentcloud-sdk-python and tencentcloud-sdk-python-common bring the "
        "same files. Uninstall both, then install pulumi_hybrid again"
    )
    return False


def _examine(vendor: _Examined, settings: Settings, plain: set[str]) -> bool | None:
    """Tell all about one vendor; whether it works, None where it is not set up."""
    cloud = vendor.cloud
    _say("", cloud.title)
    set_up = True
    try:
        for line in _in_force(cloud, settings, plain):
            _say(f"  {line}")
        set_up = settings.source(cloud) is not None
        keys = vendor.keys(settings)
    except Error as error:
        _say(f"  {'NO' if set_up else '--':<5} key: {error}")
        return False if set_up else None
    assert keys
    works = _check("key", lambda: _owner(vendor, settings, keys))
    works = _check("clock", lambda: _offset(vendor, settings)) and works
    region = settings.get(cloud.region)
    if works and region is None:
        _say(f"  {'--':<5} APIs: not asked without a region. {cloud.region.how_to_set}")
    elif works and region is not None:
        for title, ask in vendor.lists.items():
            works = _check(title, partial(ask, settings, region)) and works
    return works


def _in_force(cloud: Cloud, settings: Settings, plain: set[str]) -> Iterator[str]:
    """A line for each setting that is set: its name, its value where nobody minds, its place.

    What the user keeps encrypted is not shown, whatever it is, but for both ends of a key's id.
    """
    in_use = {cloud.token: settings.session_token, cloud.role.arn: settings.role}
    for setting in settings_of(cloud):
        found = settings.find(setting)
        if found is None:
            continue
        encrypted = found.rank == 0 and setting.top not in plain
        shown = found.value
        if setting is cloud.key_id and len(shown) > 8:
            shown = f"{shown[:4]}…{shown[-4:]}"
        elif setting.secret or encrypted:
            shown = "(set)"
        yield f"{setting.key.partition(':')[2]:<28} {shown:<28} {found.place}"
        if setting in in_use and in_use[setting](cloud) is None:
            yield f"{'':<28} left out: it belongs to another key"
        if setting.secret and found.rank == 0 and setting.top in plain:
            yield f"{'':<28} in plain text. {setting.how_to_set}"


def _check(title: str, ask: Callable[[], str]) -> bool:
    """Ask, and tell in a line what came of it; an empty answer: it cannot be known."""
    try:
        answer = ask()
    except Exception as error:  # noqa: BLE001 - whatever it is, the next check is made
        _say(f"  {'NO':<5} {title}: {as_error(error)}")
        return False
    _say(f"  {'ok' if answer else '--':<5} {title}: {answer or 'not known'}")
    return True


def _owner(vendor: _Examined, settings: Settings, keys: Keys) -> str:
    keys.key()
    caller = vendor.sts(settings, keys, "GetCallerIdentity", {}, "AccountId")
    origin = "" if keys.origin == "set" else f" by {keys.origin}"
    return f"account {caller['AccountId']}, {caller.get('Arn')}{origin}"


def _offset(vendor: _Examined, settings: Settings) -> str:
    import requests

    endpoint = connection.endpoint(vendor.cloud, settings)
    url = endpoint.geturl() if endpoint else f"https://{vendor.host}"
    certificates = connection.certificates() or True
    try:
        answer = requests.head(url, timeout=connection.CONNECT_SECONDS, verify=certificates)
        seconds = (clock.now() - parsedate_to_datetime(answer.headers["Date"])).total_seconds()
    except (requests.RequestException, KeyError, ValueError):
        # Why there was no answer is told of the key already; a proxy may take the header away.
        return ""
    if abs(seconds) > _CLOCK_SECONDS:
        raise Misconfigured(f"this machine's clock is {seconds:+.0f} s off. Set the clock")
    return "right"


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        status = main()
    except BrokenPipeError:
        # Who reads it, such as `head`, has enough; Python would write the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)

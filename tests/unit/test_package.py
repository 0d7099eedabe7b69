from __future__ import annotations

import base64
import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
from importlib import resources
from types import ModuleType

import pytest

import pulumi_hybrid

# The emulator is a program of its own with tests of its own.
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(pulumi_hybrid.__path__, "pulumi_hybrid.")
    if not name.startswith("pulumi_hybrid.emulator")
]

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"


def _python(program: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_import_brings_in_no_vendor_sdk() -> None:
    program = (
        "from pulumi_hybrid.tencentcloud import tat; import sys; print('\\n'.join(sys.modules))"
    )
    imported = _python(program).split()
    late = ("tencentcloud", "alibabacloud", "Tea", "darabonba", "requests", "tenacity")
    assert "pulumi_hybrid.tencentcloud.tat" in imported
    assert [name for name in imported if name.startswith(late)] == []


def test_import_brings_in_the_products_that_are_asked_for() -> None:
    program = (
        "import pulumi_hybrid, sys; before = set(sys.modules); pulumi_hybrid.tencentcloud.tat; "
        "print('\\n'.join(sorted(name for name in set(sys.modules) - before if 'cloud.' in name)))"
    )
    imported = _python(program).split()
    assert "pulumi_hybrid.tencentcloud.tat" in imported
    assert [name for name in imported if name.endswith((".tcr", ".billing", ".ecs"))] == []


def test_a_product_that_does_not_exist_is_no_attribute() -> None:
    for cloud in (pulumi_hybrid.tencentcloud, pulumi_hybrid.alicloud):
        with pytest.raises(AttributeError, match=r"has no attribute 'cvm'"):
            _ = cloud.cvm


def test_import_leaves_the_programs_loggers_and_warnings_alone() -> None:
    program = (
        "import pulumi, logging, warnings; before = list(warnings.filters); import pulumi_hybrid; "
        "print(warnings.filters == before, logging.root.handlers, "
        "logging.getLogger('tencentcloud_sdk_common').level)"
    )
    assert _python(program) == "True [] 0\n"


def test_package_is_marked_as_typed() -> None:
    assert resources.files(pulumi_hybrid).joinpath("py.typed").is_file()


def test_package_says_that_it_has_no_binary_plugin() -> None:
    """Else the language host would try to download one."""
    text = resources.files(pulumi_hybrid).joinpath("pulumi-plugin.json").read_text()
    assert json.loads(text) == {"resource": False, "name": "pulumi_hybrid"}


@pytest.mark.parametrize(
    "name", ["pulumi_hybrid", "pulumi_hybrid.tencentcloud", "pulumi_hybrid.alicloud"]
)
def test_every_public_name_is_there(name: str) -> None:
    module = importlib.import_module(name)
    assert sorted(module.__all__) == list(module.__all__) == dir(module)
    for public in module.__all__:
        assert getattr(module, public) is not None


def _own_members(module: ModuleType) -> dict[str, object]:
    """Public classes and functions that the module defines, and their public methods."""
    members: dict[str, object] = {}
    for name, member in vars(module).items():
        if name.startswith("_") or getattr(member, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(member):
            members[name] = member
        if inspect.isclass(member):
            members[name] = member
            for inner, method in inspect.getmembers(member):
                own = any(inner in vars(base) for base in member.__mro__ if _is_ours(base))
                if own and not inner.startswith("_") and callable(method):
                    members[f"{name}.{inner}"] = method
    return members


def _is_ours(base: type) -> bool:
    return base.__module__.startswith("pulumi_hybrid")


@pytest.mark.parametrize("name", ["pulumi_hybrid", *MODULES])
def test_every_public_name_says_what_it_is_for(name: str) -> None:
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip()
    undocumented = [
        member for member, what in _own_members(module).items() if not (inspect.getdoc(what) or "")
    ]
    assert undocumented == []


def test_members_are_found_at_all() -> None:
    members = _own_members(importlib.import_module("pulumi_hybrid.tencentcloud.tat"))
    assert {"RegisterCode", "RegisterCode.get", "RegisterCodeProvider.make"} <= set(members)


# Every resource's provider, one a line, so that a new one is held to the same.
_SERIALIZE = """
import importlib, inspect, pkgutil
import pulumi_hybrid
from pulumi.dynamic.dynamic import serialize_provider
from pulumi_hybrid.lifecycle import Lifecycle

for _, name, _ in pkgutil.walk_packages(pulumi_hybrid.__path__, "pulumi_hybrid."):
    if "emulator" in name:
        continue
    for _, found in sorted(inspect.getmembers(importlib.import_module(name), inspect.isclass)):
        if hasattr(found, "__origin__"):
            continue  # Python 3.10 takes dict[str, Any] for a class
        concrete = issubclass(found, Lifecycle) and not inspect.isabstract(found)
        if concrete and found.__module__ == name:
            assert found.serialize_as_secret_always is False
            print(found.__module__, found.__name__, serialize_provider(found()))
"""


def test_serialized_provider_is_short_the_same_in_every_process_and_holds_no_secret() -> None:
    """Else every run, and every move of code, would be a change of every resource."""
    plain = _python(_SERIALIZE, PYTHONHASHSEED="1")
    set_up = {"TENCENTCLOUD_SECRET_ID": SECRET_ID, "TENCENTCLOUD_SECRET_KEY": SECRET_KEY}
    assert _python(_SERIALIZE, PYTHONHASHSEED="2", **set_up) == plain
    lines = [line.split() for line in plain.splitlines()]
    assert "RegisterCodeProvider" in [line[1] for line in lines]
    for module, name, serialized in lines:
        assert len(serialized) < 120
        content = base64.b64decode(serialized)
        assert module.encode() in content
        assert name.encode() in content
        assert SECRET_KEY.encode() not in content
        assert SECRET_ID.encode() not in content

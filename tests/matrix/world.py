"""An engine, a provider and a vendor in one process, where waiting takes no time.

The engine is played by the rules of the real one: what it keeps after a failed hook, and which
hook it calls next. The provider is ours, the vendor is the emulator behind real HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from google.protobuf import json_format
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config

from pulumi_hybrid import clock, engine, lifecycle, listing, pace, watch
from pulumi_hybrid.alicloud import client as alicloud_client
from pulumi_hybrid.emulator import Emulator
from pulumi_hybrid.errors import InitFailed
from pulumi_hybrid.keys import Sessions
from pulumi_hybrid.lifecycle import Lifecycle
from pulumi_hybrid.settings import ALICLOUD, TENCENTCLOUD
from pulumi_hybrid.tencentcloud import client as tencentcloud_client
from pulumi_hybrid.tencentcloud import tat
from tests.unit.conftest import Engine, everything_said, struct

Json = dict[str, Any]

PATIENCE = 60.0
"""Seconds that the program gives to a create, update or delete."""
ONCE_ONLY = {"RegisterCodeValue": "register_code_value", "ActivationCode": "activation_code"}
"""What the vendors show only once: how they and we call it."""


class Time:
    """The provider's clocks and the vendor's: as on the wall, and a pause is over at once."""

    def __init__(self, cloud: Emulator) -> None:
        self.cloud = cloud
        self.passed = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.passed

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + timedelta(seconds=self.passed)

    def passes(self, seconds: float) -> None:
        self.passed += seconds
        # tenacity hands over a float of a class of its own.
        self.cloud.clock(advance_seconds=float(seconds))


@pytest.fixture(scope="session")
def cloud() -> Iterator[Emulator]:
    with Emulator(rate_limit=None) as emulator:
        yield emulator


@dataclass
class Said:
    """What the user was told by one command.

    Attributes:
        problems: what a check has found wrong with the inputs.
        errors: each failed hook's exception.
        warnings: what stays in the diagnostics.
        passing: what is shown on the resource's row for a while.
    """

    problems: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return [*self.problems, *map(str, self.errors), *self.warnings]

    @property
    def everything(self) -> str:
        """All that could be shown or logged of it."""
        texts = [*self.problems, *self.warnings, *self.passing]
        return "\n".join([*texts, *map(everything_said, self.errors)])


@dataclass
class Held:
    """A resource in the engine's state."""

    id: str
    inputs: Json
    outputs: Json
    unfinished: bool = False


class World:
    """One stack with one resource, and its vendor.

    Attributes:
        held: what state holds; None where there is nothing.
        to_delete: what a replacement has left, which the next command deletes.
        said: what each command told, in order.
        config: of the stack, beside the keys.
    """

    def __init__(self, cloud: Emulator, time: Time, provider: type[Lifecycle]) -> None:
        self.cloud = cloud
        self.time = time
        self.provider = provider()
        self.engine = Engine(f"urn:pulumi:dev::matrix::pulumi-python:dynamic:{provider.kind}::it")
        self.held: Held | None = None
        self.to_delete: list[Held] = []
        self.said: list[Said] = []
        self.config: Mapping[str, Any] = {}

    # What the user does. Each is a process of its own, and says whether all went well.

    def up(self, program: Mapping[str, Any]) -> bool:
        self._begin()
        news = self._check(program)
        if news is None:
            return False
        return self._to(news) and self._delete_leftovers()

    def refresh(self) -> bool:
        self._begin()
        held = self.held
        if held is None:
            return True
        read = self._try(
            lambda: self.engine.read(self.provider, held.id, held.outputs, held.inputs)
        )
        if read is None:
            return False
        self.held = (
            Held(held.id, self._kept(read.inputs or {}), self._kept(read.outs)) if read.id else None
        )
        return True

    def destroy(self) -> bool:
        self._begin()
        if not self._delete_leftovers():
            return False
        if self.held is None:
            return True
        if not self._delete(self.held):
            return False
        self.held = None
        return True

    def sees_no_change(self, program: Mapping[str, Any]) -> bool:
        """Whether another `pulumi up` has nothing to do."""
        self._begin()
        held, news = self.held, self._check(program)
        if held is None or news is None or held.unfinished or self.to_delete:
            return False
        diff = self._try(
            lambda: self.engine.diff(self.provider, held.id, held.outputs, held.inputs, news)
        )
        return diff is not None and not diff.replaces and not self._differs(diff, held, news)

    def problems(self, program: Mapping[str, Any]) -> list[str]:
        """What a `pulumi preview` says is wrong with a program."""
        self._begin()
        failures = self.engine.check(self.provider, program, None).failures
        return [failure.reason for failure in failures]

    # How the engine does it.

    def _begin(self) -> None:
        lifecycle._run = lifecycle._Run()
        listing._listings.clear()
        watch._watches.clear()
        tat._delivered.clear()
        tencentcloud_client.sessions = Sessions(TENCENTCLOUD, tencentcloud_client._new_session)
        alicloud_client.sessions = Sessions(ALICLOUD, alicloud_client._new_session)
        self.said.append(Said())
        config = {
            "tencentcloud:secretId": self.cloud.secret_id,
            "tencentcloud:secretKey": self.cloud.secret_key,
            "tencentcloud:region": "ap-guangzhou",
            "tencentcloud:endpoint": self.cloud.url,
            "alicloud:accessKey": self.cloud.secret_id,
            "alicloud:secretKey": self.cloud.secret_key,
            "alicloud:region": "cn-hangzhou",
            "alicloud:endpoint": self.cloud.url,
            **self.config,
        }
        self.provider.configure(ConfigureRequest(Config(config, "matrix")))

    def _check(self, program: Mapping[str, Any]) -> Json | None:
        olds = self.held.inputs if self.held else None
        checked = self._try(lambda: self.engine.check(self.provider, program, olds))
        if checked is None:
            return None
        self.said[-1].problems += [failure.reason for failure in checked.failures]
        return None if checked.failures else self._kept(checked.inputs)

    def _to(self, news: Json) -> bool:
        held = self.held
        if held is None:
            return self._create(news)
        diff = self._try(
            lambda: self.engine.diff(self.provider, held.id, held.outputs, held.inputs, news)
        )
        if diff is None:
            return False
        if diff.replaces:
            if diff.delete_before_replace:
                if not self._delete(held):
                    return False
                self.held = None
                return self._create(news)
            went_well = self._create(news)
            if self.held is not held:
                # Made, even if not finished: the old one is deleted when all else is done.
                self.to_delete.append(held)
            return went_well
        if not (held.unfinished or self._differs(diff, held, news)):
            held.inputs = news
            return True
        return self._make(
            lambda: self.engine.update(
                self.provider, held.id, held.outputs, news, held.inputs, PATIENCE
            ),
            news,
            held.id,
        )

    @staticmethod
    def _differs(diff: Any, held: Held, news: Json) -> bool:
        """Left open by the provider, the engine compares the inputs."""
        return held.inputs != news if diff.changes is None else bool(diff.changes)

    def _create(self, news: Json) -> bool:
        return self._make(lambda: self.engine.create(self.provider, news, PATIENCE), news, None)

    def _make(self, hook: Callable[[], Any], news: Json, id: str | None) -> bool:
        """A create or update; what is made and not finished is kept, with the new inputs."""
        try:
            made = hook()
        except Exception as error:  # noqa: BLE001 - what it is, the invariants look at
            self.said[-1].errors.append(error)
            if isinstance(error, InitFailed):
                self.held = Held(error.id, news, self._kept(error.outputs), unfinished=True)
            return False
        self.held = Held(id or made.id, news, self._kept(made.outs))
        return True

    def _delete_leftovers(self) -> bool:
        while self.to_delete:
            if not self._delete(self.to_delete[0]):
                return False
            del self.to_delete[0]
        return True

    def _delete(self, held: Held) -> bool:
        before = len(self.said[-1].errors)
        self._try(
            lambda: self.engine.delete(self.provider, held.id, held.outputs, held.inputs, PATIENCE)
        )
        return len(self.said[-1].errors) == before

    def _try(self, hook: Callable[[], Any]) -> Any:
        try:
            return hook()
        except Exception as error:  # noqa: BLE001 - what it is, the invariants look at
            self.said[-1].errors.append(error)
            return None

    @staticmethod
    def _kept(properties: Mapping[str, Any]) -> Json:
        """Properties as the engine keeps them: without marks of secrets, every number a float."""
        plain = {
            name: value["value"]
            if isinstance(value, dict)
            and "value" in value
            and len(value) == 2
            and engine.secret("") == {**value, "value": ""}
            else value
            for name, value in properties.items()
        }
        kept = json_format.MessageToDict(struct(plain))
        kept.pop(engine.PROVIDER_KEY)
        return kept

    # What the vendor holds.

    def documents(self, *kinds: str) -> list[Json]:
        """What the vendor holds of these kinds."""
        return [
            document
            for regions in self.cloud.resources().values()
            for services in regions.values()
            for by_kind in services.values()
            for kind in kinds
            for document in by_kind.get(kind, ())
        ]

    def secrets(self) -> set[str]:
        """What nobody is to see."""
        codes = {
            document[name]
            for document in self.documents("register_codes", "activations")
            for name in ONCE_ONLY
            if name in document
        }
        return codes | {self.cloud.secret_key}


@pytest.fixture
def new_world(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Callable[[type[Lifecycle]], World]:
    """An empty vendor, and what a provider says and waits for as the engine's process has it."""
    time = Time(cloud)
    worlds: list[World] = []

    def say(call: engine.Call, severity: Any, text: str, *, ephemeral: bool) -> None:
        said = worlds[-1].said[-1]
        (said.passing if ephemeral else said.warnings).append(text)

    monkeypatch.setattr(clock, "time", time)
    monkeypatch.setattr(clock, "now", time.now)
    monkeypatch.setattr(engine.Call, "sleep", lambda call, seconds: time.passes(seconds))
    monkeypatch.setattr(engine.Call, "_log", say)
    for module in (listing, watch):
        monkeypatch.setattr(module, "time", time)
    monkeypatch.setattr(listing, "_listings", {})
    monkeypatch.setattr(watch, "_watches", {})
    monkeypatch.setattr(pace, "_BETWEEN", 0)
    monkeypatch.setattr(pace, "_SECONDS", 0)
    monkeypatch.setattr(lifecycle, "_run", lifecycle._run)

    def world(provider: type[Lifecycle]) -> World:
        cloud.reset()
        worlds.append(World(cloud, time, provider))
        return worlds[-1]

    return world

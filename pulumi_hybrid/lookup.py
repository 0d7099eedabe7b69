"""Lookups: a program's own questions to the vendors, in a preview too.

A dynamic provider cannot be invoked, so a lookup runs in the program's own process. It goes by the
settings that a resource with the same options would go by.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import pulumi
from pulumi.runtime import config as stack_config
from pulumi.runtime.settings import get_monitor
from pulumi.runtime.sync_await import _sync_await

from pulumi_hybrid import engine
from pulumi_hybrid.api import Api
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import LookUpFailed, Misconfigured
from pulumi_hybrid.fields import REGION, Field
from pulumi_hybrid.lifecycle import Lifecycle, Properties
from pulumi_hybrid.settings import Settings

_SECONDS = 60.0

_T = TypeVar("_T")


class LookupMocks(ABC):
    """Mocks that answer lookups, too: ``testing.Mocks``, which few programs import."""

    @abstractmethod
    def look_up(self, result: type[_T], inputs: Properties) -> _T:
        """What is found.

        Args:
            result: of which class it is; each lookup has its own.
            inputs: those that are given, by name.
        """


class Lookup(Generic[_T]):
    """One kind of question.

    Args:
        function: the function that asks it ("get_register_codes").
        title: what is looked up ("register codes"), for the line of an error.
        result: the class of its answer.
        provider: whose API is asked.
        ask: asks it, with the inputs that are given.
        inputs: what the function takes beside the region.
        contradictions: what is wrong with inputs taken together.
    """

    def __init__(
        self,
        function: str,
        title: str,
        result: type[_T],
        provider: type[Lifecycle],
        ask: Callable[[Api, Properties], _T],
        *,
        inputs: Sequence[Field] = (),
        contradictions: Callable[[Properties], list[str]] = lambda _: [],
    ) -> None:
        self._function = function
        self._title = title
        self._result = result
        self._provider = provider
        self._ask = ask
        self._inputs = (*inputs, REGION)
        self._contradictions = contradictions

    def now(self, opts: pulumi.InvokeOptions | None, **inputs: Any) -> _T:
        """The answer, at once.

        Raises:
            LookUpFailed: there is none, or an input or the provider's settings are not known yet.
        """
        for name, value in inputs.items():
            if isinstance(value, pulumi.Output):
                raise LookUpFailed(
                    f"cannot look up {self._title}: {name} is an Output. "
                    f"Use {self._function}_output"
                )
        mocks = _mocks()
        if mocks:
            return mocks.look_up(self._result, self._checked(inputs))
        config = pulumi.Output.from_input(_config(opts))
        # As Pulumi's own invoke does; it has no public name.
        if not _sync_await(config.is_known()):
            raise LookUpFailed(
                f"cannot look up {self._title}: the provider's settings are not known before the "
                f"update. Use {self._function}_output"
            )
        return self._answer(_sync_await(config.future()), inputs)

    def output(
        self, opts: pulumi.InvokeOptions | None, **inputs: pulumi.Input[Any]
    ) -> pulumi.Output[_T]:
        """The answer, once inputs and settings are known; until then an unknown."""
        mocks = _mocks()
        if mocks:
            return pulumi.Output.from_input(inputs).apply(
                lambda known: mocks.look_up(self._result, self._checked(known))
            )
        # A secret key makes no secret of what it is asked for.
        config = pulumi.Output.unsecret(pulumi.Output.from_input(_config(opts)))
        # In a thread, so that nothing else waits for the vendor.
        return pulumi.Output.all(config, inputs).apply(
            lambda known: asyncio.to_thread(self._answer, *known)
        )

    def _answer(self, config: Any, inputs: Properties) -> _T:
        given = self._checked(inputs)
        provider = self._provider()
        provider.settings = Settings(config)
        try:
            region = given.pop(REGION.name, None) or _default_region(provider)
            return self._ask(provider.connect(region, Call(), Deadline(_SECONDS)), given)
        except Exception as error:  # noqa: BLE001 - as in a hook: an SDK's may hold anything
            failure = engine.as_error(error)
        raise LookUpFailed(f"cannot look up {self._title}: {failure}")

    def _checked(self, inputs: Properties) -> Properties:
        """The inputs that are given.

        Raises:
            LookUpFailed: one is wrong. A vendor may take it for none, and answer another question.
        """
        given = {name: value for name, value in inputs.items() if value is not None}
        problems = [
            problem
            for an_input in self._inputs
            if an_input.name in given
            for problem in an_input.problems(given[an_input.name])
        ]
        problems = problems or self._contradictions(given)
        if problems:
            raise LookUpFailed(f"cannot look up {self._title}: {'; '.join(problems)}")
        return given


def _mocks() -> LookupMocks | None:
    """What a program under test asks in place of the vendors; None where there is an engine."""
    # Pulumi's own monitor on mocks has them by this name, the one of an engine has none.
    mocks = getattr(get_monitor(), "mocks", None)
    return mocks if isinstance(mocks, LookupMocks) else None


class _StackConfig:
    """The stack's configuration, as a provider process without settings of its own is given it."""

    def get(self, key: str) -> object:
        return stack_config.get_config(key)


def _config(opts: pulumi.InvokeOptions | None) -> Any:
    """What a resource with these options would be given: a mapping of inputs, or the stack's."""
    # Few programs have an explicit provider.
    from pulumi_hybrid.provider import Provider

    provider = opts.provider if opts else None
    if provider is None and opts and opts.parent:
        provider = opts.parent.get_provider("pulumi-python:index:Lookup")
    if provider is None:
        return _StackConfig()
    if not isinstance(provider, Provider):
        raise LookUpFailed("the provider of a lookup must be a pulumi_hybrid.Provider")
    return dict(provider.configuration)


def _default_region(provider: Lifecycle) -> str:
    setting = provider.cloud.region
    region = provider.settings.get(setting)
    if not region:
        raise Misconfigured(f"region: is not set. {setting.how_to_set}, or give it")
    return region

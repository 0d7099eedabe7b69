"""For programs under test: mocks that answer like this package's resources.

    pulumi.runtime.set_mocks(pulumi_hybrid.testing.Mocks())

Pulumi's mocks stand where the engine and the vendors would be. A program that runs on these gets
made-up ids and codes, the inputs' defaults, and for a wrong input the line that a preview shows.
Codes and commands are secret outputs here too. Lookups ask no vendor. What only an engine does is
not there: no diff, no state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar
from zlib import crc32

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, rpc

from pulumi_hybrid import clock
from pulumi_hybrid.alicloud import ecs
from pulumi_hybrid.engine import PROVIDER_KEY, Call, secret
from pulumi_hybrid.errors import Error, Misused, WrongKind
from pulumi_hybrid.fields import MADE_UP_DIGITS, REGION
from pulumi_hybrid.lifecycle import Lifecycle, Properties
from pulumi_hybrid.lookup import LookupMocks
from pulumi_hybrid.tencentcloud import billing, tat, tcr

_T = TypeVar("_T")

_PROVIDER = "pulumi:providers:pulumi-python"
_MADE = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class _Mocked:
    """How one type of resource is answered.

    Attributes:
        provider: what checks its inputs.
        region: where it is, where nothing says so.
        id: the vendor's id, in its form, with a place for a number.
        outputs: what the vendor would show, made of the checked inputs.
    """

    provider: type[Lifecycle]
    region: str
    id: str
    outputs: Callable[[Properties], Properties]


def _end(hours: int | None) -> str:
    return clock.later(_MADE, timedelta(hours=hours or 4))


def _end_of_a_register_code(hours: int | None) -> str | None:
    is_for_ever = hours is not None and hours > tat.LONGEST_TERM
    return None if is_for_ever else _end(hours)


_MOCKED: Mapping[str, _Mocked] = {
    tat.RegisterCode.pulumi_type: _Mocked(
        tat.RegisterCodeProvider,
        "ap-guangzhou",
        "00000000-0000-4000-8000-{:012x}",
        lambda inputs: {
            "register_code_value": "made-up-register-code-value",
            "created_time": _MADE,
            "expired_time": _end_of_a_register_code(inputs.get("effective_time")),
            "enabled": True,
            "registered_count": 0,
        },
    ),
    ecs.Activation.pulumi_type: _Mocked(
        ecs.ActivationProvider,
        "cn-hangzhou",
        "00000000-0000-0000-0000-{:012x}",
        lambda inputs: {
            "activation_code": "made-up-activation-code",
            "creation_time": _MADE,
            "expired_time": _end(inputs.get("time_to_live_in_hours")),
            "disabled": False,
            "registered_count": 0,
            "deregistered_count": 0,
        },
    ),
    tcr.Instance.pulumi_type: _Mocked(
        tcr.InstanceProvider,
        "ap-guangzhou",
        "tcr-{:08x}",
        lambda inputs: {
            "status": "Running",
            "public_domain": f"{inputs['registry_name']}.tencentcloudcr.com",
            "internal_endpoint": "10.0.0.2",
            "created_at": _MADE,
        },
    ),
    billing.Instance.pulumi_type: _Mocked(
        billing.InstanceProvider,
        "",
        "20260101{:012}",
        lambda inputs: {
            "instance_id_list": [f"ins-{number}" for number in range(inputs.get("quantity") or 1)],
            "status": "NORMAL",
            "expired_time": "2026-02-01T00:00:00Z",
        },
    ),
}


def _registry(inputs: Properties) -> tcr.GetInstanceResult:
    name = inputs.get("registry_name") or "registry"
    return tcr.GetInstanceResult(
        registry_id=inputs.get("registry_id") or "tcr-00000000",
        registry_name=name,
        registry_type="basic",
        status="Running",
        public_domain=f"{name}.tencentcloudcr.com",
        internal_endpoint="10.0.0.2",
        registry_charge_type=0,
        deletion_protection=False,
        enable_cos_maz=False,
        created_at=_MADE,
        expired_at=None,
        tags={},
    )


_FOUND: Mapping[type, Callable[[Properties], Any]] = {
    tat.GetRegisterInstancesResult: lambda _: tat.GetRegisterInstancesResult([]),
    tat.GetRegisterCodesResult: lambda _: tat.GetRegisterCodesResult([]),
    tcr.GetInstanceResult: _registry,
    ecs.GetManagedInstancesResult: lambda _: ecs.GetManagedInstancesResult([]),
    ecs.GetActivationsResult: lambda _: ecs.GetActivationsResult([]),
}
"""What each lookup finds, by the class of its result."""


class Mocks(pulumi.runtime.Mocks, LookupMocks):
    """Answers for this package's resources; any other resource gets an id and its own inputs.

    Lookups find nothing, and ``tcr.get_instance`` a registry that runs.

    Args:
        outputs: by type token (``tat.RegisterCode.pulumi_type``), outputs in place of made-up ones.
        lookups: by the class of a lookup's result (``tat.GetRegisterCodesResult``), what it finds:
            a result, or a function that makes one of the inputs that are given, by name.

    Attributes:
        resources: what the program has declared, in order.

    Raises:
        Misused: no lookup has such a result.
    """

    def __init__(
        self,
        outputs: Mapping[str, Mapping[str, Any]] | None = None,
        lookups: Mapping[type, Any] | None = None,
    ) -> None:
        self.resources: list[MockResourceArgs] = []
        self._outputs = outputs or {}
        self._lookups = lookups or {}
        self._namesakes: dict[tuple[str, str], Iterator[int]] = {}
        self._providers: dict[str, Properties] = {}
        for result in self._lookups:
            if result not in _FOUND:
                name = getattr(result, "__name__", type(result).__name__)
                known = ", ".join(one.__name__ for one in _FOUND)
                raise Misused(f"lookups: {name} is the result of no lookup. There are {known}")

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """A resource's id and outputs.

        Raises:
            Error: an input is wrong; the line is that of a preview.
        """
        self.resources.append(args)
        sent = {name: value for name, value in args.inputs.items() if name != PROVIDER_KEY}
        given = {name: rpc.unwrap_rpc_secret(value) for name, value in sent.items()}
        chosen = dict(self._outputs.get(args.typ, {}))
        mocked = _MOCKED.get(args.typ)
        if mocked is None:
            if args.typ == _PROVIDER:
                self._providers[args.name] = given
            return args.resource_id or f"{args.name}-id", {**sent, **chosen}
        provider = mocked.provider()
        if REGION in provider.inputs:
            given.setdefault(REGION.name, self._region(args, provider) or mocked.region)
        if provider.unique:
            name = provider.unique.made_up(Call(urn=f"::{args.name}"), "0" * MADE_UP_DIGITS)
            given.setdefault(provider.unique.name, name)
        checked = provider.check({}, given)
        # What exists is read without a check, as an engine does.
        if checked.failures and not args.resource_id:
            raise Error("; ".join(failure.reason for failure in checked.failures))
        inputs = {name: value for name, value in checked.inputs.items() if value is not None}
        id = args.resource_id or mocked.id.format(self._number(args))
        defaults = {
            an_input.name: an_input.default
            for an_input in provider.inputs
            if an_input.default is not None
        }
        outputs = {**defaults, **inputs, provider.id_output: id, **mocked.outputs(inputs), **chosen}
        if args.resource_id:
            # What exists already does not show its code.
            outputs = {name: outputs[name] for name in outputs if name not in provider.secrets}
        # As an engine does: what a program keeps secret comes back as a secret.
        for name, value in sent.items():
            if name in outputs and rpc.is_rpc_secret(value):
                outputs[name] = secret(outputs[name])
        return id, outputs

    def _number(self, args: MockResourceArgs) -> int:
        """A number of the resource's own, of its name: in which order they come is not certain."""
        # Under two parents there may be two of a name.
        namesakes = self._namesakes.setdefault((args.typ, args.name), count())
        return (crc32(args.name.encode()) + next(namesakes)) % 2**32

    def _region(self, args: MockResourceArgs, provider: Lifecycle) -> Any:
        """The default region of the explicit provider, where there is one."""
        # It is referred to by its URN, which ends with its name, and its id.
        name = (args.provider or "").rpartition("::")[0].rpartition("::")[2]
        return self._providers.get(name, {}).get(provider.cloud.region.key)

    def look_up(self, result: type[_T], inputs: Properties) -> _T:
        """What a lookup finds.

        Raises:
            WrongKind: what was chosen is no such result.
        """
        found = self._lookups.get(result, _FOUND[result])
        if callable(found):
            found = found(inputs)
        if not isinstance(found, result):
            raise WrongKind(f"{result.__name__} wanted, not {type(found).__name__}")
        return found

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """No answer to any function: this package's lookups do not go through the engine."""
        return {}, None

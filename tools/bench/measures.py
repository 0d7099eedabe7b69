"""What is measured, and the goals."""

from __future__ import annotations

import compileall
import importlib.metadata
import itertools
import math
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config

import pulumi_hybrid
from pulumi_hybrid.alicloud.ecs import ActivationProvider
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.emulator import Emulator
from pulumi_hybrid.engine import Call
from pulumi_hybrid.lifecycle import Lifecycle
from pulumi_hybrid.tencentcloud.tat import RegisterCodeProvider
from pulumi_hybrid.tencentcloud.tcr import InstanceProvider

from .stack import HERE, Stack, kilobytes
from .table import Growth, Row
from .tls import far_vendor

_UNPACED = {"PYTHONPATH": str(HERE / "unpaced")}
_WRITTEN_ONCE = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""The engine writes the whole state at each step else: with a thousand that takes minutes, for any
provider, and hides what else takes time."""
_THREADS = 4
"""How many hooks the engine runs at once."""

_SIZES = (10, 100, 1000)
_OPERATIONS = ("create", "no-op", "refresh", "destroy")
_MOST_OVER_NULL = {
    "no-op": ("a no-op preview", 1.10),
    "refresh": ("a refresh", 1.50),
}
_MOST_CALLS = {"no-op": 0, "refresh": 12}
_CALLS_OF_A_LOOP = 200
_MOST_GROWTH = 1.20
"""Over null's. Each is made of four times, which a busy machine moves by some hundredths each."""

_TAT = ("tat", "2020-10-28", "CreateRegisterCode")
_ECS = ("ecs", "2014-05-26", "CreateActivation")


class Bench:
    """All measures, one after the other.

    Args:
        folder: where the stacks go.
        engine: the folder of the engine's programs.
    """

    def __init__(self, folder: Path, engine: Path) -> None:
        self.rows: list[Row] = []
        self.growth: list[Growth] = []
        self._folder, self._engine = folder, engine
        self._names = itertools.count()

    def run(self, *names: str) -> None:
        """Measure everything that does not take many minutes, or what is named."""
        measures: dict[str, Callable[[], None]] = {
            "imports": self._imports,
            "memory": self._memory,
            "size": self._size,
            "distance": self._distance,
            "waiting": self._waiting,
            "creates": self._creates,
            "growth": self._growth,
            "refreshes": self._refreshes,
            "ups": self._ups,
        }
        by_name = {**measures, "thousand": self._thousand}
        for name in names or measures:
            start = time.monotonic()
            by_name[name]()
            print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)

    def _row(self, measure: str, goal: str, figure: str, met: bool, others: str = "") -> None:
        self.rows.append(Row(measure, goal, figure, met, others))
        print(f"  {measure}: {figure} ({goal}; {others})", file=sys.stderr, flush=True)

    def _ratio(self, measure: str, ours: float, other: float, most: float, others: str) -> None:
        ratio = ours / other
        self._row(measure, f"≤ {most:.2f}", f"{ratio:.2f}", ratio <= most, others)

    @contextmanager
    def _cloud(self, **settings: Any) -> Iterator[Emulator]:
        with Emulator() as cloud:
            cloud.settings(**{"rate_limit": None, "register_code_quota": 1_000_000, **settings})
            yield cloud

    def _stack(self, cloud: Emulator, program: str, size: int, **environment: str) -> Stack:
        folder = self._folder / f"{next(self._names)}-{program}"
        return Stack(folder, self._engine, cloud, program, size, environment)

    # Before the first request

    def _imports(self) -> None:
        seconds: dict[str, list[float]] = {}
        sizes: dict[str, list[float]] = {}
        programs = {
            "pulumi": "import pulumi",
            "ours": "import pulumi_hybrid",
            "resource": "from pulumi_hybrid.tencentcloud import tat",
        }
        # Else the first run would compile what a user's pip has compiled.
        compileall.compile_dir(Path(pulumi_hybrid.__file__).parent, quiet=1)
        for _, (name, program) in itertools.product(range(11), programs.items()):
            show = "import time; print(time.process_time(), flush=True); input()"
            with subprocess.Popen(
                [sys.executable, "-c", f"{program}\n{show}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                # The processor's time: on a busy machine the wall's says more of the others.
                seconds.setdefault(name, []).append(float(process.stdout.readline()))
                sizes.setdefault(name, []).append(kilobytes(process.pid))
                process.stdin.write(b"\n")
        for what, taken, unit in (("time", seconds, 1000.0), ("memory", sizes, 1 / 1024)):
            least = {name: unit * min(values) for name, values in taken.items()}
            sign = "ms" if what == "time" else "MiB"
            for name, title in (("ours", "pulumi_hybrid"), ("resource", "…tencentcloud.tat")):
                self._ratio(
                    f"{what} of import {title}",
                    least[name],
                    least["pulumi"],
                    1.10,
                    f"import pulumi {least['pulumi']:.0f} {sign}",
                )

    def _memory(self) -> None:
        with self._cloud() as cloud:
            null, one, both = (
                self._stack(cloud, program, 10).megabytes() for program in ("null", "ours", "both")
            )
        others = f"null {null:.0f} MiB"
        self._ratio("provider's memory, Tencent Cloud alone", one, null, 1.35, others)
        self._ratio("provider's memory, both clouds", both, null, 2.20, others)

    def _size(self) -> None:
        known = _installed("pulumi", {})
        added = {
            name: size
            for name, size in _installed("pulumi_hybrid", {}).items()
            if name not in known
        }
        largest = sorted(added, key=lambda name: -added[name])[:3]
        total = sum(added.values()) / 1e6
        parts = ", ".join(f"{name} {added[name] / 1e6:.0f}" for name in largest)
        self._row("installed beyond pulumi", "≤ 60 MB", f"{total:.0f} MB", total <= 60, parts)

    # At a distance

    def _distance(self) -> None:
        calls = 40
        with far_vendor(self._folder) as (server, certificate):
            os.environ["REQUESTS_CA_BUNDLE"] = str(certificate)
            url = f"https://localhost:{server.server_port}"
            clouds: list[tuple[str, Lifecycle, str, dict[str, Any], Callable[[], Any]]] = [
                (
                    "Tencent Cloud",
                    RegisterCodeProvider(),
                    "DescribeRegisterCodes",
                    {"RegisterCodeIds": ["a"]},
                    lambda: _usual_tencentcloud(url, certificate),
                ),
                (
                    "Alibaba Cloud",
                    ActivationProvider(),
                    "DescribeActivations",
                    {"ActivationId": "a"},
                    lambda: _usual_alicloud(url, certificate),
                ),
            ]
            for title, provider, action, parameters, usual in clouds:

                def call(
                    provider: Lifecycle = provider,
                    action: str = action,
                    parameters: dict[str, Any] = parameters,
                ) -> None:
                    provider.connect("r", Call(), Deadline(60)).call(action, parameters)

                provider.configure(_configured(url))
                before = server.connections
                with ThreadPoolExecutor(_THREADS) as threads:
                    list(threads.map(lambda _, call=call: call(), range(calls)))
                opened = server.connections - before
                # The pace of those is over then, and what is timed is the distance.
                time.sleep(1.1)
                ours, other = (_rate(calls // 2, one) for one in (call, usual))
                others = f"SDK as it comes {other:.1f}/s"
                # Alibaba Cloud's SDK keeps its connections by itself: nothing is left to gain.
                least = 2.0 if title == "Tencent Cloud" else 0.95
                self._row(
                    f"calls/s of one thread, {title} 80 ms away, over SDK",
                    f"≥ {least:.2f}",
                    f"{ours / other:.2f}",
                    ours / other >= least,
                    others,
                )
                self._row(
                    f"connections of {_THREADS} threads to {title}",
                    f"≤ {_THREADS}",
                    str(opened),
                    opened <= _THREADS,
                )

    def _waiting(self) -> None:
        seconds = 7.0
        with self._cloud(tcr_pending_seconds=2, tcr_deploying_seconds=5) as cloud:
            provider = InstanceProvider()
            provider.configure(_configured(cloud.url, cloud))

            def wait(number: int) -> float:
                # Not all at one moment, as in a stack.
                time.sleep(0.3 * number)
                inputs = {"registry_name": f"bench-{number}", "registry_type": "basic"}
                provider.create(provider.check({}, inputs).inputs)
                done = time.monotonic()
                made = next(
                    request["monotonic"]
                    for request in cloud.requests("CreateInstance")
                    if request["parameters"]["RegistryName"] == inputs["registry_name"]
                )
                return done - float(made) - seconds

            with ThreadPoolExecutor(_THREADS) as threads:
                latest = max(threads.map(wait, range(_THREADS)))
            looks = [
                request["monotonic"]
                for request in cloud.requests("DescribeInstances")
                if "Registryids" in request["parameters"]
            ]
        apart = min(later - look for look, later in itertools.pairwise(looks))
        self._row(
            f"{_THREADS} registries, Running after {seconds:.0f} s, reported",
            "≤ 3 s later",
            f"{latest:.1f} s",
            latest <= 3,
        )
        self._row("status calls of a region", "≥ 2 s apart", f"{apart:.2f} s", apart >= 2)

    # At the vendor's pace

    def _creates(self) -> None:
        size = 200
        with self._cloud(rate_limit=20) as cloud:
            self._stack(cloud, "ours", size).up()
            creates = cloud.requests("CreateRegisterCode")
            moments = [request["monotonic"] for request in creates]
            rate = (len(moments) - 1) / (moments[-1] - moments[0])
            refused = sum(request["error_code"] is not None for request in cloud.requests())
            self._row(
                f"{size} creates at 20/s",
                "≥ 19.5/s",
                f"{rate:.2f}/s",
                rate >= 19.5 and len(creates) == size,
            )
            self._row("throttled answers among them", "0", str(refused), refused == 0)
            cloud.reset()
            cloud.settings(rate_limit=20)
            stacks = [self._stack(cloud, "ours", size // 2) for _ in range(2)]
            started = [stack.start("up", "--yes", "--skip-preview") for stack in stacks]
            for process in started:
                process.communicate()
            failed = sum(process.returncode != 0 for process in started)
        self._row(
            f"two providers at once, {size // 2} each, failures", "0", str(failed), failed == 0
        )

    # Without a limit

    def _growth(self) -> None:
        """What each step takes as a stack grows, up to a thousand, by turns with null.

        Null asks no vendor: what the SDK takes for the same calls is no growth of ours.
        """
        for size in _SIZES:
            with self._cloud() as cloud:
                self._lives(cloud, size)
                call = self._loop(cloud, _CALLS_OF_A_LOOP) / _CALLS_OF_A_LOOP
        for operation in _OPERATIONS:
            small, large = (
                next(one for one in self.growth if (one.operation, one.size) == (operation, size))
                for size in (_SIZES[0], _SIZES[-1])
            )
            self._ratio(
                f"growth of a {operation}, {small.size} to {large.size}, over null's",
                (large.ours - large.calls * call) / (small.ours - small.calls * call),
                large.null / small.null,
                _MOST_GROWTH,
                f"calls each {small.calls:.3g} to {large.calls:.3g}, of {1000 * call:.1f} ms",
            )

    def _lives(self, cloud: Emulator, size: int) -> None:
        """A stack of so many, and null's, from the first `up` to the end."""
        programs = ("null", "ours")
        stacks = {
            name: self._stack(cloud, name, size, **_UNPACED, **_WRITTEN_ONCE) for name in programs
        }
        for operation, step, rounds in (
            ("create", Stack.up, 1),
            ("no-op", Stack.no_op, 3),
            ("refresh", Stack.refresh, 2),
            ("destroy", Stack.destroy, 1),
        ):
            # A small stack's is nearly all start-up, which varies more.
            rounds += 3 if rounds > 1 and size < _SIZES[-1] else 0
            seconds, calls = self._by_turns(cloud, stacks, step, rounds)
            ours, null = seconds["ours"], seconds["null"]
            figures = (ours / size, null / size, calls["ours"] / size)
            self.growth.append(Growth(operation, size, *figures))
            if size == _SIZES[-1] and operation in _MOST_OVER_NULL:
                title, most = _MOST_OVER_NULL[operation]
                self._ratio(f"wall of {title} of {size}", ours, null, most, f"null {null:.1f} s")
                if operation in _MOST_CALLS:
                    self._calls(f"{title} of {size}", calls["ours"], _MOST_CALLS[operation])

    def _by_turns(
        self,
        cloud: Emulator,
        stacks: Mapping[str, Stack],
        step: Callable[[Stack], float],
        rounds: int,
    ) -> tuple[dict[str, float], dict[str, int]]:
        """The fewest seconds of a step in some rounds, and its calls.

        The fewest, since a busy machine only ever adds some.
        """
        seconds: dict[str, float] = {}
        calls: dict[str, int] = {}
        for _, (name, stack) in itertools.product(range(rounds), stacks.items()):
            before = len(cloud.requests())
            seconds[name] = min(step(stack), seconds.get(name, math.inf))
            calls[name] = len(cloud.requests()) - before
        return seconds, calls

    def _calls(self, what: str, asked: int, most: int, others: str = "") -> None:
        goal = f"≤ {most}" if most else "0"
        self._row(f"calls of {what}", goal, str(asked), asked <= most, others)

    def _refreshes(self) -> None:
        size = _SIZES[-1]
        with self._cloud() as cloud:
            stacks = {name: self._filled(cloud, name, size) for name in ("null", "activations")}
            seconds, calls = self._by_turns(cloud, stacks, Stack.refresh, 4)
        ours, null = seconds["activations"], seconds["null"]
        what = f"a refresh of {size} activations"
        self._calls(what, calls["activations"], 22, f"one by one {size}")
        self._ratio(f"wall of {what}", ours, null, 1.5, f"null {null:.1f} s")
        foreign, own = 50_000, 200
        with self._cloud() as cloud:
            _fill(cloud, foreign // 2)
            stack = self._filled(cloud, "ours", own)
            _fill(cloud, foreign // 2)
            _, calls = self._by_turns(cloud, {"ours": stack}, Stack.refresh, 1)
        what = f"a refresh of {own} codes among {foreign} foreign ones"
        self._calls(what, calls["ours"], own + 5, f"one by one {own}")

    def _ups(self) -> None:
        size = 200
        with self._cloud() as cloud:
            sizes = self._up(cloud, ("usual", "null", "ours"), size)
        self._ratio(
            "state of each resource",
            sizes["ours"],
            sizes["null"],
            1.5,
            f"null {sizes['null']:.0f} B, usual {sizes['usual']:.0f} B",
        )

    def _thousand(self) -> None:
        """An up of a thousand: minutes, nearly all of them the engine's."""
        with self._cloud() as cloud:
            self._up(cloud, ("null", "ours"), _SIZES[-1])

    def _up(self, cloud: Emulator, programs: Sequence[str], size: int) -> dict[str, float]:
        """An up of so many, the state written at each step; the bytes of each in it."""
        stacks = {name: self._stack(cloud, name, size, **_UNPACED) for name in programs}
        seconds, _ = self._by_turns(cloud, stacks, Stack.up, 1)
        others = [f"{name} {seconds[name]:.1f} s" for name in programs if name != "ours"]
        others.append(f"loop {self._loop(cloud, size):.1f} s")
        title = f"wall of an up of {size}, no limiter"
        self._ratio(title, seconds["ours"], seconds["null"], 1.35, ", ".join(others))
        return {name: stack.bytes_per_resource() for name, stack in stacks.items()}

    def _loop(self, cloud: Emulator, size: int) -> float:
        """Seconds that so many creates take the SDK in a plain loop."""
        from tencentcloud.tat.v20201028 import models

        client = _new_tat(cloud.url, cloud.secret_id, cloud.secret_key)
        start = time.monotonic()
        for _ in range(size):
            client.CreateRegisterCode(models.CreateRegisterCodeRequest())
        return time.monotonic() - start

    def _filled(self, cloud: Emulator, program: str, size: int) -> Stack:
        """A stack with so many resources in state and, where they are ours, at the vendor."""
        stack = self._stack(cloud, program, 1)
        stack.up()
        stack.grow(size, _made(cloud, program, size))
        return stack


def _fill(cloud: Emulator, count: int) -> None:
    """So many register codes that are none of ours, put where the emulator keeps them."""
    id = cloud.call(*_TAT)["RegisterCodeId"]
    store = cloud._store
    found = store.find("tat", "register_codes", id)
    assert found is not None
    codes, code = found
    with store.transaction():
        for _ in range(count - 1):
            id = str(uuid.uuid4())
            codes.add(id, {**code, "RegisterCodeId": id})


def _made(cloud: Emulator, program: str, size: int) -> list[dict[str, Any]]:
    """So many resources made at the vendor: id, and what each has of its own."""
    if program == "null":
        ids = [str(uuid.uuid4()) for _ in range(size)]
        return [{"id": id, "outputs": {"register_code_id": id}} for id in ids]
    if program == "ours":
        ids = [cloud.call(*_TAT)["RegisterCodeId"] for _ in range(size)]
        return [{"id": id, "outputs": {"register_code_id": id}} for id in ids]
    ids = [cloud.call(*_ECS, {"RegionId": "cn-hangzhou"})["ActivationId"] for _ in range(size)]
    return [{"id": id, "outputs": {"activation_id": id}} for id in ids]


def _configured(url: str, cloud: Emulator | None = None) -> ConfigureRequest:
    """A provider's configuration: one key and endpoint for both vendors."""
    id, secret = (cloud.secret_id, cloud.secret_key) if cloud else ("AKIDbench", "secret")
    config = {
        "tencentcloud:secretId": id,
        "tencentcloud:secretKey": secret,
        "tencentcloud:region": "ap-guangzhou",
        "tencentcloud:endpoint": url,
        "alicloud:accessKey": id,
        "alicloud:secretKey": secret,
        "alicloud:region": "cn-hangzhou",
        "alicloud:endpoint": url,
    }
    return ConfigureRequest(Config(config, "bench"))


def _rate(calls: int, call: Callable[[], Any]) -> float:
    """Calls a second of one thread."""
    start = time.monotonic()
    for _ in range(calls):
        call()
    return calls / (time.monotonic() - start)


def _new_tat(url: str, id: str, secret: str, certificate: Path | None = None) -> Any:
    """The vendor's client as its examples make it."""
    from tencentcloud.common import credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.tat.v20201028 import tat_client

    scheme, _, host = url.partition("://")
    http = HttpProfile(
        protocol=scheme, endpoint=host, certification=str(certificate) if certificate else None
    )
    key = credential.Credential(id, secret)
    return tat_client.TatClient(key, "ap-guangzhou", ClientProfile(httpProfile=http))


def _usual_tencentcloud(url: str, certificate: Path) -> None:
    from tencentcloud.tat.v20201028 import models

    request = models.DescribeRegisterCodesRequest()
    request.RegisterCodeIds = ["a"]
    _new_tat(url, "AKIDbench", "secret", certificate).DescribeRegisterCodes(request)


def _usual_alicloud(url: str, certificate: Path) -> None:
    from alibabacloud_ecs20140526.client import Client
    from alibabacloud_ecs20140526.models import DescribeActivationsRequest
    from alibabacloud_tea_openapi.models import Config as AlicloudConfig

    scheme, _, host = url.partition("://")
    client = Client(
        AlicloudConfig(
            access_key_id="AKIDbench",
            access_key_secret="secret",
            region_id="cn-hangzhou",
            protocol=scheme,
            endpoint=host,
            ca=str(certificate),
        )
    )
    request = DescribeActivationsRequest(region_id="cn-hangzhou", activation_id="a")
    client.describe_activations(request)


def _installed(name: str, found: dict[str, int]) -> dict[str, int]:
    """The bytes of a distribution and of all that it needs, by name."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    if name in found:
        return found
    distribution = importlib.metadata.distribution(name)
    files = [Path(str(file.locate())) for file in distribution.files or ()]
    found[name] = sum(file.stat().st_size for file in files if file.is_file())
    for text in distribution.requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            _installed(needed.name, found)
    return found

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from pulumi_hybrid.api import Api
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Error
from pulumi_hybrid.watch import Item, NotAnswered, Watch, watch_of

from .conftest import Context

PAUSE = 0.2


class Service(Api):
    """Only for its call."""

    def __init__(self, context: Context | None = None, seconds: float = 60) -> None:
        call = Call(_context=context) if context else Call()
        super().__init__("TCR", keys=None, meanings={}, call=call, deadline=Deadline(seconds))

    def _send(self, title: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


class Vendor:
    """Shows what there is, and remembers when it was asked for what."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)
        self.asked: list[list[str]] = []
        self.moments: list[float] = []

    def ask(self, ids: Sequence[str]) -> Mapping[str, Item]:
        self.asked.append(list(ids))
        self.moments.append(time.monotonic())
        return {id: {"Id": id} for id in ids if id in self.ids}


def test_what_is_not_shown_is_none() -> None:
    vendor, watch = Vendor("a"), Watch()
    assert watch.look(Service(), "a", vendor.ask, 0) == {"Id": "a"}
    assert watch.look(Service(), "b", vendor.ask, 0) is None
    assert vendor.asked == [["a"], ["b"]]


def test_all_who_wait_share_one_request_and_it_comes_no_sooner_than_the_pause() -> None:
    """Four at a time is how the engine calls hooks."""
    ids = ["a", "b", "c", "d"]
    vendor, watch = Vendor(*ids), Watch()
    looks = 3

    def wait(id: str) -> list[Item | None]:
        return [watch.look(Service(), id, vendor.ask, PAUSE) for _ in range(looks)]

    with ThreadPoolExecutor(len(ids)) as threads:
        shown = list(threads.map(wait, ids))
    assert shown == [[{"Id": id}] * looks for id in ids]
    apart = [later - moment for moment, later in itertools.pairwise(vendor.moments)]
    assert min(apart) >= PAUSE
    # One more where the first came before the others.
    assert len(vendor.asked) <= looks + 1
    assert ids in vendor.asked


def test_who_comes_while_a_request_is_under_way_waits_for_the_next() -> None:
    vendor, watch = Vendor("a"), Watch()
    under_way, may_go_on = threading.Event(), threading.Event()

    def slow(ids: Sequence[str]) -> Mapping[str, Item]:
        shown = vendor.ask(ids)
        under_way.set()
        assert may_go_on.wait(30)
        return shown

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(watch.look, Service(), "a", slow, PAUSE)
        assert under_way.wait(30)
        # What is made now was not seen by the request that is under way.
        vendor.ids.append("b")
        second = threads.submit(watch.look, Service(), "b", vendor.ask, PAUSE)
        may_go_on.set()
        assert first.result() == {"Id": "a"}
        assert second.result() == {"Id": "b"}
    assert vendor.asked == [["a"], ["b"]]


class Hanging:
    """Somebody asks, and the vendor does not answer until the end of the block."""

    def __init__(self, vendor: Vendor, watch: Watch) -> None:
        self._vendor, self._watch = vendor, watch
        self._under_way, self._may_go_on = threading.Event(), threading.Event()
        self._threads = ThreadPoolExecutor(1)

    def _ask(self, ids: Sequence[str]) -> Mapping[str, Item]:
        self._under_way.set()
        assert self._may_go_on.wait(30)
        return self._vendor.ask(ids)

    def __enter__(self) -> Future[Item | None]:
        asks = self._threads.submit(self._watch.look, Service(), "a", self._ask, PAUSE)
        assert self._under_way.wait(30)
        return asks

    def __exit__(self, *_: object) -> None:
        self._may_go_on.set()
        self._threads.shutdown()


def test_nobody_waits_for_anothers_answer_longer_than_its_own_time() -> None:
    vendor, watch = Vendor("a", "b"), Watch()
    with Hanging(vendor, watch) as asks:
        start = time.monotonic()
        with pytest.raises(NotAnswered, match="Run it again"):
            watch.look(Service(seconds=0.3), "b", vendor.ask, PAUSE)
        assert 0.2 < time.monotonic() - start < 5
        assert vendor.asked == []
    assert asks.result() == {"Id": "a"}
    # Who has given up is asked for no more.
    assert watch.look(Service(), "a", vendor.ask, 0) == {"Id": "a"}
    assert vendor.asked == [["a"], ["a"]]


def test_who_is_abandoned_does_not_wait_for_anothers_answer() -> None:
    vendor, watch = Vendor("a", "b"), Watch()
    context = Context(hurried=False)
    with Hanging(vendor, watch), ThreadPoolExecutor(1) as threads:
        waits = threads.submit(watch.look, Service(context), "b", vendor.ask, PAUSE)
        context.end()
        with pytest.raises(NotAnswered):
            waits.result(timeout=5)


def test_who_waits_for_anothers_failure_asks_by_itself() -> None:
    vendor, watch = Vendor("b"), Watch()
    under_way, may_go_on = threading.Event(), threading.Event()

    def fail(ids: Sequence[str]) -> Mapping[str, Item]:
        under_way.set()
        assert may_go_on.wait(30)
        raise Error("no answer.")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(watch.look, Service(), "a", fail, PAUSE)
        assert under_way.wait(30)
        second = threads.submit(watch.look, Service(), "b", vendor.ask, PAUSE)
        may_go_on.set()
        with pytest.raises(Error, match="no answer"):
            first.result(timeout=30)
        assert second.result(timeout=30) == {"Id": "b"}


def test_failure_is_told_to_who_asked_and_the_others_ask_again() -> None:
    vendor, watch = Vendor("a"), Watch()

    def fail(ids: Sequence[str]) -> Mapping[str, Item]:
        raise Error("no answer.")

    with pytest.raises(Error, match="no answer"):
        watch.look(Service(), "a", fail, 0)
    assert watch.look(Service(), "a", vendor.ask, 0) == {"Id": "a"}
    assert vendor.asked == [["a"]]


def test_who_is_abandoned_does_not_wait_for_the_pause() -> None:
    vendor, watch = Vendor("a"), Watch()
    gone = Context(active=False)
    for _ in range(2):
        assert watch.look(Service(gone), "a", vendor.ask, 3600)
    assert len(vendor.asked) == 2


def test_places_are_watched_apart() -> None:
    assert watch_of(("TCR", "AKID", "r")) is watch_of(("TCR", "AKID", "r"))
    assert watch_of(("TCR", "AKID", "r")) is not watch_of(("TCR", "AKID", "s"))

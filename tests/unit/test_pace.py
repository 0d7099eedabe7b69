from __future__ import annotations

import heapq
import threading
import time
import uuid
from contextlib import AbstractContextManager, ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid import pace
from pulumi_hybrid.pace import turn

PER_SECOND = 20
"""What the vendors take of an action."""

BACK = 0.02
"""Seconds that each answer is on its way."""


@pytest.fixture(autouse=True)
def _the_vendors_pace(monkeypatch: pytest.MonkeyPatch, _no_pace: None) -> None:
    monkeypatch.undo()


class Wire:
    """Requests on their way, in a time that goes by only where somebody waits.

    Stands for the module ``time``.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.arrived: list[float] = []
        self.oversleeps = 0.0
        """Seconds for which the next pause lasts longer than it is to."""
        self.loses_answers = False
        self._account = uuid.uuid4().hex
        self._under_way: list[tuple[float, int, AbstractContextManager[None]]] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        until = self.now + seconds + self.oversleeps
        self.oversleeps = 0.0
        while self._under_way and self._under_way[0][0] <= until:
            self._answer()
        self.now = until

    def send(self, out: float, *, threads: int = 4) -> None:
        """A request that takes so long to arrive."""
        while len(self._under_way) >= threads:
            self._answer()
        own = turn(self._account, "tat:CreateRegisterCode")
        own.__enter__()
        self.arrived.append(self.now + out)
        heapq.heappush(self._under_way, (self.now + out + BACK, len(self.arrived), own))

    def fail(self) -> None:
        """A request that finds nobody."""
        with turn(self._account, "tat:CreateRegisterCode"):
            raise ConnectionError

    def _answer(self) -> None:
        self.now, _, own = heapq.heappop(self._under_way)
        if self.loses_answers:
            with suppress(ConnectionError):
                own.__exit__(ConnectionError, ConnectionError(), None)
        else:
            own.__exit__(None, None, None)

    @property
    def shortest(self) -> float:
        """The seconds in which so many arrived as the vendor takes in one, and one more."""
        ordered = sorted(self.arrived)
        return min(last - first for first, last in zip(ordered, ordered[PER_SECOND:], strict=False))


@given(st.lists(st.floats(0.01, 0.2), min_size=PER_SECOND, max_size=80))
def test_no_second_holds_more_requests_than_the_vendor_takes(ways: list[float]) -> None:
    wire = Wire()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "time", wire)
        for out in (0.01, *ways):
            wire.send(out)
    assert wire.shortest >= 1


def test_requests_that_open_connections_are_late_and_followed_by_no_others_too_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire()
    monkeypatch.setattr(pace, "time", wire)
    for out in (*[0.2] * 4, *[0.01] * 60):
        wire.send(out)
    assert wire.shortest >= 1


def test_requests_whose_answers_are_lost_are_late_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire()
    monkeypatch.setattr(pace, "time", wire)
    wire.send(0.01, threads=1)
    wire.send(0.01, threads=1)
    wire.loses_answers = True
    for out in (*[0.2] * 4, *[0.01] * 60):
        wire.send(out)
    assert wire.shortest >= 1


def test_a_machine_that_sleeps_too_long_sends_no_others_too_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire()
    monkeypatch.setattr(pace, "time", wire)
    wire.send(0.03)
    wire.oversleeps = 0.4
    for _ in range(PER_SECOND + 1):
        wire.send(0.03)
    assert wire.shortest >= 1


def test_the_vendors_limit_is_made_use_of(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    monkeypatch.setattr(pace, "time", wire)
    for _ in range(1000):
        wire.send(0.03)
    assert 999 / (wire.arrived[-1] - wire.arrived[0]) >= 19.8


def test_a_few_requests_are_spread_and_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    monkeypatch.setattr(pace, "time", wire)
    for _ in range(PER_SECOND):
        wire.send(0.03)
    apart = [later - sooner for sooner, later in zip(wire.arrived, wire.arrived[1:], strict=False)]
    assert min(apart) >= 1 / PER_SECOND / 2 - 1e-9
    assert wire.arrived[-1] - wire.arrived[0] < 0.6


def test_a_vendor_that_takes_long_to_answer_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire()
    monkeypatch.setattr(pace, "time", wire)
    for number in range(100):
        wire.send(0.9 if number % PER_SECOND == 10 else 0.03)
    assert max(wire.arrived) < 6


def test_requests_that_are_not_sent_make_no_others_late(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    monkeypatch.setattr(pace, "time", wire)
    for _ in range(3 * PER_SECOND):
        with pytest.raises(ConnectionError):
            wire.fail()
    start = wire.now
    assert start > 2
    for _ in range(5 * PER_SECOND):
        wire.send(0.1)
    assert wire.now - start < 5.3


def test_four_threads_share_one_pace() -> None:
    """Four at a time is how the engine calls hooks."""
    account = uuid.uuid4().hex

    def take() -> None:
        for _ in range(6):
            with turn(account, "tat:CreateRegisterCode"):
                pass

    start = time.monotonic()
    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - start >= 1


def test_each_account_and_action_has_a_pace_of_its_own() -> None:
    account = uuid.uuid4().hex
    with ExitStack() as turns:
        start = time.monotonic()
        for number in range(PER_SECOND + 1):
            turns.enter_context(turn(account, f"tat:{number}"))
            turns.enter_context(turn(uuid.uuid4().hex, "tat:A"))
        passed = time.monotonic() - start
    # In one pace of the account or of the action the last would wait for more than a second.
    assert passed < 1

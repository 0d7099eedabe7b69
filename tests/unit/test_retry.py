from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.errors import (
    Ambiguous,
    Answer,
    Error,
    Gone,
    Misconfigured,
    NotFound,
    NotSent,
    Refused,
    Throttled,
    Transient,
)
from pulumi_hybrid.retry import repeat

from .conftest import Context, Hurried

ANSWER = Answer("TAT X", "Code", "Words", "req-1")
MOST_TRIES = 5


def _throttled() -> Error:
    return Throttled("too many.", ANSWER)


def _asking(seconds: float) -> Callable[[], Error]:
    def throttled() -> Error:
        error = Throttled("too many.", ANSWER)
        error.pause = seconds
        return error

    return throttled


def _transient() -> Error:
    return Transient("a fault.", ANSWER)


def _not_sent() -> Error:
    return NotSent("no connection.")


def _ambiguous() -> Error:
    return Ambiguous("lost.")


class Service:
    """Fails in turn with what it is given, then answers; the last failure stays, where endless."""

    def __init__(self, *failures: Callable[[], Error], endless: bool = False) -> None:
        self.failures = failures
        self.endless = endless
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= len(self.failures):
            raise self.failures[self.calls - 1]()
        if self.endless:
            raise self.failures[-1]()
        return "done"


@pytest.mark.parametrize("repeatable", [True, False])
def test_answer_at_the_first_try_is_handed_on(repeatable: bool) -> None:
    call, service = Hurried(), Service()
    assert repeat(service, call=call, deadline=Deadline(300), repeatable=repeatable) == "done"
    assert service.calls == 1
    assert call.pauses == []


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("failure", [_throttled, _not_sent])
def test_what_did_no_work_is_sent_again_in_any_case(
    failure: Callable[[], Error], repeatable: bool
) -> None:
    service = Service(failure, failure, failure)
    assert repeat(service, call=Hurried(), deadline=Deadline(300), repeatable=repeatable) == "done"
    assert service.calls == 4


@pytest.mark.parametrize("failure", [_transient, _ambiguous])
def test_what_may_have_done_work_is_sent_again_where_that_is_the_same(
    failure: Callable[[], Error],
) -> None:
    service = Service(failure, failure)
    assert repeat(service, call=Hurried(), deadline=Deadline(300), repeatable=True) == "done"
    assert service.calls == 3


@pytest.mark.parametrize("failure", [_transient, _ambiguous])
def test_what_may_have_done_work_is_never_sent_again_where_that_would_be_twice(
    failure: Callable[[], Error],
) -> None:
    service = Service(failure)
    with pytest.raises(type(failure())):
        repeat(service, call=Hurried(), deadline=Deadline(300), repeatable=False)
    assert service.calls == 1


def test_ambiguous_after_throttling_is_not_sent_again_either() -> None:
    service = Service(_throttled, _ambiguous)
    with pytest.raises(Ambiguous):
        repeat(service, call=Hurried(), deadline=Deadline(300), repeatable=False)
    assert service.calls == 2


@pytest.mark.parametrize(
    "failure",
    [
        lambda: Refused("no.", ANSWER),
        lambda: NotFound("gone.", ANSWER),
        lambda: Misconfigured("no key."),
        lambda: Gone("gone."),
        lambda: Error("what nobody foresaw."),
    ],
)
def test_the_users_to_know_is_said_at_once(failure: Callable[[], Error]) -> None:
    call, service = Hurried(), Service(failure)
    with pytest.raises(type(failure())) as caught:
        repeat(service, call=call, deadline=Deadline(300), repeatable=True)
    assert service.calls == 1
    assert "tries" not in str(caught.value)


@pytest.mark.parametrize("failure", [_transient, _ambiguous, _not_sent])
def test_a_fault_that_lasts_ends_after_five_tries_and_says_so(
    failure: Callable[[], Error],
) -> None:
    call, service = Hurried(), Service(failure, endless=True)
    with pytest.raises(type(failure()), match="Gave up after 5 tries"):
        repeat(service, call=call, deadline=Deadline(300), repeatable=True)
    assert service.calls == MOST_TRIES
    assert len(call.pauses) == MOST_TRIES - 1


def test_throttling_is_waited_out_beyond_five_tries() -> None:
    service = Service(*[_throttled] * 12)
    assert repeat(service, call=Hurried(), deadline=Deadline(300), repeatable=False) == "done"
    assert service.calls == 13


def test_throttling_that_lasts_ends_with_the_deadline_and_says_how_often() -> None:
    call, service = Hurried(), Service(_throttled, endless=True)
    start = time.monotonic()
    with pytest.raises(Throttled, match=r"Gave up after \d+ tries in 0 s"):
        repeat(service, call=call, deadline=Deadline(3), repeatable=True)
    assert time.monotonic() - start < 5
    assert service.calls > 1
    # No pause was begun that would have ended after the deadline.
    assert all(pause <= 3 for pause in call.pauses)


def test_a_deadline_that_has_passed_still_allows_one_try() -> None:
    service = Service()
    assert repeat(service, call=Hurried(), deadline=Deadline(-1), repeatable=True) == "done"
    failing = Service(_throttled, endless=True)
    with pytest.raises(Throttled) as caught:
        repeat(failing, call=Hurried(), deadline=Deadline(-1), repeatable=True)
    assert failing.calls == 1
    assert "tries" not in str(caught.value)


def test_pauses_are_random_and_grow_to_ten_seconds() -> None:
    pauses = []
    for _ in range(20):
        call = Hurried()
        repeat(Service(*[_throttled] * 12), call=call, deadline=Deadline(10_000), repeatable=False)
        pauses.append(call.pauses)
    for number in range(12):
        longest = min(10.0, 0.5 * 2**number)
        column = [row[number] for row in pauses]
        assert all(0 <= pause <= longest for pause in column)
        assert len(set(column)) > 1
    assert max(max(row) for row in pauses) > 2


@pytest.mark.parametrize("failure", [_throttled, _not_sent])
def test_first_pause_is_at_most_half_a_second(failure: Callable[[], Error]) -> None:
    call = Hurried()
    repeat(Service(failure), call=call, deadline=Deadline(300), repeatable=False)
    [pause] = call.pauses
    assert 0 <= pause <= 0.5


def test_every_pause_is_announced_with_the_reason() -> None:
    call = Hurried()
    repeat(Service(_throttled, _not_sent), call=call, deadline=Deadline(300), repeatable=True)
    assert [said.partition(" Trying again")[0] for said in call.said] == [
        "too many.",
        "no connection.",
    ]


def test_nothing_is_sent_again_for_an_engine_that_has_gone() -> None:
    call = Hurried(_context=Context(active=False))
    service = Service(_throttled, endless=True)
    with pytest.raises(Throttled):
        repeat(service, call=call, deadline=Deadline(3), repeatable=True)
    assert service.calls == 1
    assert call.pauses == []


def test_what_is_undone_for_an_engine_that_has_gone_is_tried_again() -> None:
    call = Hurried(_context=Context(active=False), undoes=True)
    service = Service(_throttled, _not_sent)
    assert repeat(service, call=call, deadline=Deadline(300), repeatable=True) == "done"
    assert service.calls == 3


@pytest.mark.parametrize("later", [_throttled, _not_sent])
def test_only_an_earlier_try_that_may_have_done_the_work_leaves_it_unsure(
    later: Callable[[], Error],
) -> None:
    def refused() -> Error:
        return Refused("no.", ANSWER)

    with pytest.raises(Refused) as caught:
        repeat(Service(later, refused), call=Hurried(), deadline=Deadline(300), repeatable=True)
    assert caught.value.unsure is None
    service = Service(_transient, later, refused)
    with pytest.raises(Refused) as caught:
        repeat(service, call=Hurried(), deadline=Deadline(300), repeatable=True)
    assert isinstance(caught.value.unsure, Transient)


def test_a_bug_is_not_repeated() -> None:
    calls = []

    def send() -> str:
        calls.append(1)
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        repeat(send, call=Hurried(), deadline=Deadline(300), repeatable=True)
    assert len(calls) == 1


def test_pause_is_at_least_as_long_as_the_vendor_asks() -> None:
    call = Hurried()
    repeat(Service(_asking(37), _throttled), call=call, deadline=Deadline(300), repeatable=False)
    assert call.pauses[0] == 37
    assert call.pauses[1] < 37


@pytest.mark.usefixtures("clock")
def test_pause_that_the_vendor_asks_for_may_last_until_the_deadline() -> None:
    service, call = Service(_asking(3)), Hurried()
    assert repeat(service, call=call, deadline=Deadline(3), repeatable=False) == "done"
    assert call.pauses == [3]


def test_giving_up_at_the_second_try_says_so() -> None:
    service = Service(_throttled, _asking(600))
    with pytest.raises(Throttled, match=r"Gave up after 2 tries in 0 s"):
        repeat(service, call=Hurried(), deadline=Deadline(300), repeatable=False)


def test_pause_that_the_vendor_asks_for_beyond_the_deadline_ends_it_at_once() -> None:
    service, call = Service(_asking(600), endless=True), Hurried()
    with pytest.raises(Throttled):
        repeat(service, call=call, deadline=Deadline(3), repeatable=False)
    assert (service.calls, call.pauses) == (1, [])

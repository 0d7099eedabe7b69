from __future__ import annotations

import threading
import time
import uuid
from contextlib import ExitStack

from pulumi_hybrid.pace import turn


def _seconds(turns: int, account: str, action: str) -> float:
    start = time.monotonic()
    for _ in range(turns):
        with turn(account, action):
            pass
    return time.monotonic() - start


def test_no_second_holds_more_than_twenty_turns() -> None:
    assert _seconds(21, uuid.uuid4().hex, "tat:DescribeRegisterCodes") >= 1


def test_turns_come_spread_over_the_second() -> None:
    assert _seconds(9, uuid.uuid4().hex, "tat:DescribeRegisterCodes") >= 0.3


def test_four_threads_share_one_pace() -> None:
    """Four at a time is how the engine calls hooks."""
    account = uuid.uuid4().hex
    start = time.monotonic()
    threads = [
        threading.Thread(target=_seconds, args=(6, account, "tat:CreateRegisterCode"))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - start >= 1


def test_each_account_and_action_has_a_pace_of_its_own() -> None:
    # The first of all imports the library.
    _seconds(1, uuid.uuid4().hex, "tat:A")
    account = uuid.uuid4().hex
    with ExitStack() as turns:
        start = time.monotonic()
        for number in range(20):
            turns.enter_context(turn(account, f"tat:{number}"))
            turns.enter_context(turn(uuid.uuid4().hex, "tat:A"))
        passed = time.monotonic() - start
    # In one pace they would take two seconds.
    assert passed < 39 / 20


def test_first_turn_counts_once_more_from_its_end_on() -> None:
    """The first request opens a connection, and arrives that much later than its turn was."""
    account, arrived = uuid.uuid4().hex, []
    with turn(account, "tat:A"):
        ended = threading.Event()
        ended.wait(0.2)
        arrived.append(time.monotonic())
    for _ in range(20):
        with turn(account, "tat:A"):
            arrived.append(time.monotonic())
    assert arrived[20] - arrived[0] > 1

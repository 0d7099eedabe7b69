from __future__ import annotations

import threading
import time
import uuid

from pulumi_hybrid.pace import wait_for_turn


def _seconds(turns: int, account: str, action: str) -> float:
    start = time.monotonic()
    for _ in range(turns):
        wait_for_turn(account, action)
    return time.monotonic() - start


def test_first_turn_comes_at_once() -> None:
    assert _seconds(1, uuid.uuid4().hex, "tat:DescribeRegisterCodes") < 0.5


def test_turns_are_a_twentieth_of_a_second_apart() -> None:
    assert _seconds(9, uuid.uuid4().hex, "tat:DescribeRegisterCodes") >= 8 / 20


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
    assert time.monotonic() - start >= 23 / 20


def test_another_account_or_action_does_not_wait() -> None:
    account = uuid.uuid4().hex
    turns = [(account, "tat:A"), (account, "tat:B"), (uuid.uuid4().hex, "tat:A")]
    start = time.monotonic()
    for other, action in turns * 2:
        wait_for_turn(other, action)
    # Two turns each: one wait each, side by side in the worst case one after the other.
    assert time.monotonic() - start < 5 / 20 + 0.5

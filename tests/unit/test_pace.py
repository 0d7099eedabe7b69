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


def test_first_turn_of_every_account_and_action_comes_at_once() -> None:
    # The first of all imports the library.
    wait_for_turn(uuid.uuid4().hex, "tat:A")
    account = uuid.uuid4().hex
    start = time.monotonic()
    for number in range(20):
        wait_for_turn(account, f"tat:{number}")
        wait_for_turn(uuid.uuid4().hex, "tat:A")
    # One after the other they would take two seconds.
    assert time.monotonic() - start < 39 / 20

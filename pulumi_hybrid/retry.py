"""When a request is sent again, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Ambiguous, Error, NotSent, Throttled, Transient, ended

if TYPE_CHECKING:
    from tenacity import RetryCallState

_T = TypeVar("_T")

_MOST_TRIES = 5
"""For what is not throttling: a fault that lasts is the user's to know soon."""


def repeat(send: Callable[[], _T], *, call: Call, deadline: Deadline, repeatable: bool) -> _T:
    """Send a request until it is answered for good.

    Throttled and unsent requests did no work and are sent again in any case; one whose answer was
    lost or was a passing fault only where doing the work twice is the same as doing it once. Pauses
    grow from half a second to ten, at random below that, or are as long as the vendor asks.

    Args:
        send: sends the request once.
        call: the engine's call that this is for; ends the pauses when the engine has gone.
        deadline: how long throttling is waited out. Other faults end after five tries.
        repeatable: whether the request may be done twice.

    Raises:
        Error: what the last try raised, with the number of tries where there were several, and with
            a failure before it, if any, that says not whether the work was done.
    """
    # Only a provider's process needs it.
    from tenacity import Retrying, retry_if_exception, wait_random_exponential

    backoff = wait_random_exponential(multiplier=0.5, max=10)
    unsure: Error | None = None

    def worth_another_try(error: BaseException) -> bool:
        if isinstance(error, (Throttled, NotSent)):
            return True
        return repeatable and isinstance(error, (Transient, Ambiguous))

    def pause(state: RetryCallState) -> float:
        return max(backoff(state), getattr(_error(state), "pause", 0.0))

    def enough(state: RetryCallState) -> bool:
        if (call.abandoned and not call.undoes) or deadline.left < state.upcoming_sleep:
            return True
        return state.attempt_number >= _MOST_TRIES and not isinstance(_error(state), Throttled)

    def announce(state: RetryCallState) -> None:
        nonlocal unsure
        # One that names what was made is worth more than a later one.
        if isinstance(_error(state), (Transient, Ambiguous)) and not getattr(unsure, "id", ""):
            unsure = _error(state)
        why = ended(_error(state).reason)
        call.progress(f"{why} Trying again in {state.upcoming_sleep:.0f} s.")

    def give_up(state: RetryCallState) -> _T:
        error = _error(state)
        if state.attempt_number > 1:
            error.add(f"Gave up after {state.attempt_number} tries in {deadline.passed:.0f} s.")
        raise error

    tries = Retrying(
        retry=retry_if_exception(worth_another_try),
        wait=pause,
        stop=enough,
        sleep=call.sleep,
        before_sleep=announce,
        retry_error_callback=give_up,
    )
    try:
        return tries(send)
    except Error as error:
        error.unsure = unsure
        raise


def _error(state: RetryCallState) -> Error:
    assert state.outcome
    error = state.outcome.exception()
    assert isinstance(error, Error)
    return error

"""When a code is replaced although nothing in the program changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_hybrid import clock
from pulumi_hybrid.errors import Error
from pulumi_hybrid.rotation import ROTATE_BEFORE_HOURS, rotation_reasons

WINDOWS = st.one_of(st.integers(0, 10**12), st.floats(0, 1e300))
ASKED = {"rotate_before_hours": 0}


def _reasons(inputs: dict[str, Any], **outputs: Any) -> list[str]:
    return rotation_reasons(
        inputs, outputs, closed={"disabled": True}, used="registered_count", limit="limit"
    )


def _in(hours: float) -> str:
    return (clock.now() + timedelta(hours=hours)).isoformat()


def test_nothing_is_replaced_when_rotation_was_not_asked_for() -> None:
    worn_out = {"expired_time": _in(-1), "disabled": True, "registered_count": 9, "limit": 9}
    assert _reasons({}, **worn_out) == []
    assert _reasons(ASKED, **worn_out) == ["disabled", "expired_time", "registered_count"]


def test_a_code_without_an_end_is_not_replaced_for_its_end() -> None:
    assert _reasons({"rotate_before_hours": 10**12}) == []


@given(WINDOWS)
def test_every_window_that_check_takes_can_be_reckoned_with(window: float) -> None:
    assert ROTATE_BEFORE_HOURS.problem(window) is None
    assert _reasons({"rotate_before_hours": window}, expired_time=_in(-1)) == ["expired_time"]


@given(st.floats(0, 1e6), st.floats(-1e5, 1e5))
def test_code_is_replaced_just_when_its_end_is_no_farther_than_the_window(
    window: float, hours_left: float
) -> None:
    # The vendor's times have whole seconds, and the test itself takes some.
    assume(abs(hours_left - window) > 0.01)
    reasons = _reasons({"rotate_before_hours": window}, expired_time=_in(hours_left))
    assert (reasons == ["expired_time"]) is (hours_left < window)


@pytest.mark.parametrize(
    ("outputs", "reasons"),
    [
        ({"registered_count": 1, "limit": 2}, []),
        ({"registered_count": 2, "limit": 2}, ["registered_count"]),
        ({"registered_count": "10", "limit": "2"}, ["registered_count"]),
        ({"registered_count": "2", "limit": "10"}, []),
        ({"registered_count": 2.0, "limit": 2}, ["registered_count"]),
        ({"registered_count": "zero", "limit": 2}, []),
        ({"registered_count": 2}, []),
        ({"disabled": True}, ["disabled"]),
        ({"disabled": False}, []),
        ({"disabled": None}, []),
    ],
)
def test_a_code_is_replaced_when_it_is_disabled_or_used_up(
    outputs: dict[str, Any], reasons: list[str]
) -> None:
    assert _reasons(ASKED, **outputs) == reasons


def test_an_end_that_is_no_point_in_time_is_an_error() -> None:
    with pytest.raises(Error, match=r"^expired_time in state is no point in time"):
        _reasons(ASKED, expired_time="soon")

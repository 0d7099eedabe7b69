from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_hybrid import clock
from pulumi_hybrid.fields import OnChange
from pulumi_hybrid.rotation import ROTATE_BEFORE_HOURS, rotation_reasons

WINDOWS = st.floats(min_value=0, allow_nan=False, allow_infinity=False)


def _in(hours: float) -> str:
    return (clock.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_rotate_before_hours_is_not_sent_and_its_change_does_nothing() -> None:
    assert not ROTATE_BEFORE_HOURS.sent
    assert ROTATE_BEFORE_HOURS.on_change is OnChange.NOTHING


@pytest.mark.parametrize("inputs", [{}, {"rotate_before_hours": None}])
def test_nothing_is_replaced_where_the_user_did_not_ask_for_it(inputs: dict[str, Any]) -> None:
    assert rotation_reasons(inputs, {"expired_time": _in(-1)}, enabled=True) == []


@pytest.mark.parametrize(
    ("hours_left", "window", "reasons"),
    [(2, 3, ["expired_time"]), (3, 2, []), (-1, 0, ["expired_time"]), (1, 0, [])],
)
def test_code_is_replaced_inside_its_window(
    hours_left: float, window: float, reasons: list[str]
) -> None:
    outputs = {"expired_time": _in(hours_left)}
    assert rotation_reasons({"rotate_before_hours": window}, outputs) == reasons


@pytest.mark.parametrize("outputs", [{}, {"expired_time": None}])
def test_code_without_end_is_replaced_only_when_it_serves_no_more(outputs: dict[str, Any]) -> None:
    inputs = {"rotate_before_hours": 1e9}
    assert rotation_reasons(inputs, outputs, enabled=False, registered_count=False) == []
    assert rotation_reasons(inputs, outputs, enabled=True, registered_count=False) == ["enabled"]


def test_all_reasons_are_given() -> None:
    inputs, outputs = {"rotate_before_hours": 2}, {"expired_time": _in(1)}
    reasons = rotation_reasons(inputs, outputs, enabled=True, registered_count=True)
    assert reasons == ["expired_time", "enabled", "registered_count"]


@given(WINDOWS)
def test_every_window_that_check_takes_can_be_reckoned_with(window: float) -> None:
    assert ROTATE_BEFORE_HOURS.problem(window) is None
    ended = rotation_reasons({"rotate_before_hours": window}, {"expired_time": _in(-1)})
    assert ended == ["expired_time"]


@given(st.floats(0, 1e6), st.floats(-1e5, 1e5))
def test_code_is_replaced_just_when_its_end_is_no_farther_than_the_window(
    window: float, hours_left: float
) -> None:
    # The vendor's times have whole seconds, and the test itself takes some.
    assume(abs(hours_left - window) > 0.01)
    reasons = rotation_reasons({"rotate_before_hours": window}, {"expired_time": _in(hours_left)})
    assert (reasons == ["expired_time"]) is (hours_left < window)


@given(st.dictionaries(st.sampled_from(["disabled", "registered_count", "x"]), st.booleans()))
def test_code_that_serves_no_more_is_replaced_for_just_those_reasons(
    unusable: dict[str, bool],
) -> None:
    asked = {"rotate_before_hours": 0}
    assert rotation_reasons(asked, {}, **unusable) == [name for name in unusable if unusable[name]]
    assert rotation_reasons({}, {}, **unusable) == []

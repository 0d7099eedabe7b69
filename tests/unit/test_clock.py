from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid import clock

MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),
    max_value=datetime(9000, 1, 1),
).map(lambda moment: moment.replace(microsecond=0, tzinfo=timezone.utc))


def _vendors_form(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_now_is_in_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.now().timestamp() - time.time()) < 5


def test_parse_reads_the_vendors_sample() -> None:
    expected = datetime(2024, 10, 26, 8, 50, 45, tzinfo=timezone.utc)
    assert clock.parse("2024-10-26T08:50:45Z") == expected


@given(MOMENTS)
def test_parse_reads_back_what_the_vendor_writes(moment: datetime) -> None:
    assert clock.parse(_vendors_form(moment)) == moment


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_parse_keeps_the_moment_of_another_time_zone(moment: datetime, minutes: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert clock.parse(elsewhere.isoformat()) == moment


@given(MOMENTS)
def test_parse_takes_a_time_without_zone_for_utc(moment: datetime) -> None:
    assert clock.parse(moment.replace(tzinfo=None).isoformat()) == moment


@given(st.text(max_size=40))
def test_parse_of_any_text_is_a_point_in_time_or_a_value_error(text: str) -> None:
    try:
        parsed = clock.parse(text)
    except ValueError:
        return
    assert parsed.tzinfo is not None


@pytest.mark.parametrize("text", ["", "now", "2024-13-01T00:00:00Z", "1729932645", "null"])
def test_parse_refuses_what_is_no_point_in_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.parse(text)


@given(MOMENTS, st.integers(0, 99999))
def test_hours_between_gives_back_the_hours_that_were_added(moment: datetime, hours: int) -> None:
    end = moment + timedelta(hours=hours)
    assert clock.hours_between(_vendors_form(moment), _vendors_form(end)) == hours


@pytest.mark.parametrize("seconds", [-5, 5])
def test_hours_between_overlooks_seconds(seconds: int) -> None:
    start = datetime(2024, 10, 26, 8, 50, 45, tzinfo=timezone.utc)
    end = start + timedelta(hours=4, seconds=seconds)
    assert clock.hours_between(_vendors_form(start), _vendors_form(end)) == 4


@pytest.mark.parametrize(
    ("hours_left", "window", "within"),
    [(-1, 0, True), (1, 0, False), (2, 3, True), (3.5, 3, False), (0.5, 0.25, False)],
)
def test_ends_within_when_the_end_has_passed_or_will_have(
    hours_left: float, window: float, within: bool
) -> None:
    end = _vendors_form(clock.now() + timedelta(hours=hours_left))
    assert clock.ends_within(end, window) is within


@given(st.floats(min_value=0, allow_infinity=False, allow_nan=False))
def test_ends_within_takes_any_window_that_check_accepts(hours: float) -> None:
    assert clock.ends_within("2024-10-26T08:50:45Z", hours) is True


def test_deadline_counts_down_from_its_making() -> None:
    deadline = clock.Deadline(60)
    time.sleep(0.02)
    assert 0.02 <= deadline.passed < 30
    assert 30 < deadline.left <= 60 - 0.02


def test_deadline_is_negative_after_its_end() -> None:
    deadline = clock.Deadline(0)
    time.sleep(0.01)
    assert deadline.left < 0

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


@pytest.mark.parametrize("fraction", ["5", "50", "500000", "5000000"])
def test_parse_reads_fractions_of_any_length(fraction: str) -> None:
    expected = datetime(2024, 10, 26, 8, 50, 45, 500_000, tzinfo=timezone.utc)
    assert clock.parse(f"2024-10-26T08:50:45.{fraction}Z") == expected


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


# Calendar months

NEAR = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=timezone.utc)
)
MONTHS = st.integers(0, 600)


@given(NEAR, NEAR)
def test_months_until_is_enough_and_no_month_more(start: datetime, end: datetime) -> None:
    months = clock.months_until(start, end)
    assert months >= 0
    assert clock.months_later(start, months) >= end
    assert months == 0 or clock.months_later(start, months - 1) < end


@given(NEAR, MONTHS)
def test_months_until_gives_back_the_months_that_were_added(start: datetime, months: int) -> None:
    end = clock.months_later(start, months)
    assert clock.months_until(start, end) == months
    assert clock.months_until(start, end + timedelta(seconds=1)) == months + 1


@given(NEAR, st.timedeltas(timedelta(0), timedelta(days=36500)))
def test_months_until_what_has_passed_is_none(end: datetime, since: timedelta) -> None:
    assert clock.months_until(end + since, end) == 0


@given(NEAR, MONTHS)
def test_months_later_is_the_same_day_and_time_or_the_months_last_day(
    start: datetime, months: int
) -> None:
    later = clock.months_later(start, months)
    assert (later.year * 12 + later.month) - (start.year * 12 + start.month) == months
    assert (later.time(), later.tzinfo) == (start.time(), start.tzinfo)
    is_last = (later + timedelta(days=1)).month != later.month
    assert later.day == start.day or (later.day < start.day and is_last)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2025-01-31", 0, "2025-01-31"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2025-01-31", 2, "2025-03-31"),
        ("2025-03-31", 1, "2025-04-30"),
        ("2025-12-31", 1, "2026-01-31"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2025-12-01", 12, "2026-12-01"),
    ],
)
def test_months_later_ends_in_a_shorter_month_with_its_last_day(
    start: str, months: int, end: str
) -> None:
    assert clock.months_later(clock.parse(start), months) == clock.parse(end)
    assert clock.months_until(clock.parse(start), clock.parse(end)) == months


def test_deadline_counts_down_from_its_making() -> None:
    deadline = clock.Deadline(60)
    time.sleep(0.02)
    assert 0.02 <= deadline.passed < 30
    assert 30 < deadline.left <= 60 - 0.02


def test_deadline_is_negative_after_its_end() -> None:
    deadline = clock.Deadline(0)
    time.sleep(0.01)
    assert deadline.left < 0

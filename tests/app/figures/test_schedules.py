"""When a report is due, and how long a sending that failed waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.figures.schedules import TRIES_MAX, Every, Schedule, next_due, next_try_s

TO = ("chief@example.org",)
BERLIN, TAIPEI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Taipei")


def _due(zone: ZoneInfo, after: str, **asked: Any) -> str:
    schedule = Schedule(recipients=TO, **asked)
    return next_due(schedule, datetime.fromisoformat(after), zone).astimezone(zone).isoformat()


def test_a_report_is_due_by_the_centres_clocks() -> None:
    assert _due(TAIPEI, "2026-11-25T00:00Z", at="07:30") == "2026-11-26T07:30:00+08:00"
    assert _due(TAIPEI, "2026-11-24T23:29Z", at="07:30") == "2026-11-25T07:30:00+08:00"
    assert _due(TAIPEI, "2026-11-24T23:30Z", at="07:30") == "2026-11-26T07:30:00+08:00"
    weekly = {"every": Every.WEEK, "weekday": 1, "at": "06:00"}
    assert _due(TAIPEI, "2026-11-25T00:00Z", **weekly) == "2026-11-30T06:00:00+08:00"
    monthly = {"every": Every.MONTH, "month_day": 31, "at": "06:00"}
    assert _due(TAIPEI, "2027-02-03T00:00Z", **monthly) == "2027-02-28T06:00:00+08:00"
    assert _due(TAIPEI, "2027-02-28T00:00Z", **monthly) == "2027-03-31T06:00:00+08:00"


def test_a_time_that_the_clock_skips_comes_later_and_one_shown_twice_comes_once() -> None:
    assert _due(BERLIN, "2026-03-28T12:00Z", at="02:30") == "2026-03-29T03:30:00+02:00"
    assert _due(BERLIN, "2026-10-24T12:00Z", at="02:30") == "2026-10-25T02:30:00+02:00"
    assert _due(BERLIN, "2026-10-25T00:30Z", at="02:30") == "2026-10-26T02:30:00+01:00"


@given(
    st.integers(0, 5 * 365 * 86_400).map(
        lambda past_s: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=past_s)
    ),
    st.sampled_from(Every),
    st.times(),
    st.integers(1, 7),
    st.integers(1, 31),
    st.sampled_from([BERLIN, TAIPEI, ZoneInfo("America/St_Johns")]),
)
def test_whatever_the_moment_it_is_due_again_soon_and_never_twice_at_once(
    after: datetime, every: Every, at: Any, weekday: int, month_day: int, zone: ZoneInfo
) -> None:
    schedule = Schedule(every=every, at=f"{at:%H:%M}", weekday=weekday, month_day=month_day, recipients=TO)
    first = next_due(schedule, after, zone)
    second = next_due(schedule, first, zone)
    longest = {Every.DAY: 2, Every.WEEK: 8, Every.MONTH: 32}[every]
    assert after < first <= after + timedelta(days=longest)
    assert second - first > timedelta(hours=20)


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipients": ()},
        {"recipients": ("nobody",)},
        {"recipients": ("a@b.example\nBcc: x@y.example",)},
        {"recipients": ("a@b.example, c@d.example",)},
        {"recipients": ("<a@b.example>",)},
        {"at": "24:00"},
        {"every": "week"},
        {"every": "month"},
        {"weekday": 8},
    ],
)
def test_what_makes_no_schedule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Schedule.model_validate({"recipients": TO} | wrong)


def test_a_sending_is_tried_later_and_later_and_then_no_more() -> None:
    waits = [next_try_s(count) for count in range(1, TRIES_MAX + 1)]
    assert waits[-1] is None
    lengths = [wait for wait in waits if wait is not None]
    assert lengths == sorted(lengths)
    assert len(lengths) == TRIES_MAX - 1

"""When it is open, held to a brute-force reading of the wall clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calendars.public_holidays import public_holidays, with_public_holidays
from app.calendars.rules import Calendar, DayException, Shift, day_spans, is_open, open_seconds

_SPLIT = (Shift.parse("09:00-12:00"), Shift.parse("13:30-18:00"))
_TAIPEI = Calendar(zone="Asia/Taipei", week=dict.fromkeys(range(5), _SPLIT), region="TW-TPE")


def _at(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def _taipei(text: str) -> datetime:
    return _at("Asia/Taipei", text)


def test_a_split_shift_closes_at_noon_and_says_when_it_opens_again() -> None:
    morning = is_open(_TAIPEI, _taipei("2026-11-23 10:00"))
    lunch = is_open(_TAIPEI, _taipei("2026-11-23 12:00"))
    assert (morning.open, morning.reason, morning.next_change) == (True, "shift", _taipei("2026-11-23 12:00"))
    assert (lunch.open, lunch.reason, lunch.next_change) == (
        False,
        "outside_hours",
        _taipei("2026-11-23 13:30"),
    )


def test_the_last_shift_of_friday_leads_to_monday() -> None:
    state = is_open(_TAIPEI, _taipei("2026-11-27 18:00"))
    assert state.next_change == _taipei("2026-11-30 09:00")
    assert is_open(_TAIPEI, _taipei("2026-11-28 10:00")).reason == "day_off"


def test_a_night_shift_belongs_to_the_day_it_begins_on() -> None:
    nights = Calendar(zone="Asia/Taipei", week={4: (Shift.parse("22:00-06:00"),)})
    assert is_open(nights, _taipei("2026-11-28 05:59")).open
    assert not is_open(nights, _taipei("2026-11-28 06:00")).open
    assert not is_open(nights, _taipei("2026-11-27 05:00")).open


def test_a_new_timetable_holds_from_its_day_on() -> None:
    old = replace(Shift.parse("09:00-18:00"), valid_to=date(2026, 11, 24))
    new = replace(Shift.parse("10:00-20:00"), valid_from=date(2026, 11, 24))
    calendar = Calendar(zone="Asia/Taipei", week=dict.fromkeys(range(7), (old, new)))
    assert is_open(calendar, _taipei("2026-11-23 09:30")).open
    assert is_open(calendar, _taipei("2026-11-23 18:00")).next_change == _taipei("2026-11-24 10:00")
    assert is_open(calendar, _taipei("2026-11-24 19:00")).open


def test_a_calendar_that_never_closes_names_no_change() -> None:
    always = Calendar(zone="Europe/Berlin", week=dict.fromkeys(range(7), (Shift.parse("00:00-24:00"),)))
    state = is_open(always, _at("Europe/Berlin", "2026-10-25 02:30"))
    assert (state.open, state.next_change) == (True, None)
    assert is_open(Calendar(zone="UTC"), datetime(2026, 1, 1, tzinfo=UTC)).next_change is None


def test_a_holiday_closes_and_a_make_up_workday_opens_with_mondays_shifts() -> None:
    calendar = with_public_holidays(_TAIPEI, "TW", [2025])
    assert is_open(calendar, _taipei("2025-10-10 10:00")).reason == "holiday"
    assert is_open(calendar, _taipei("2025-10-10 10:00")).detail
    assert is_open(calendar, _taipei("2025-01-27 10:00")).reason == "holiday"  # bridged, worked off below
    worked_off = is_open(calendar, _taipei("2025-02-08 10:00"))  # a Saturday
    assert (worked_off.open, worked_off.reason) == (True, "make_up_workday")


def test_mainland_make_up_workdays_come_with_the_holidays() -> None:
    days, make_up = public_holidays("CN", [2025, 2026])
    assert date(2025, 10, 1) in days
    assert {date(2025, 1, 26), date(2025, 2, 8), date(2025, 9, 28), date(2025, 10, 11)} <= set(make_up)
    assert date(2026, 2, 14) in make_up
    with pytest.raises(ValueError, match="XX"):
        public_holidays("XX", [2026])


def test_a_typhoon_day_closes_its_region_only_and_an_emergency_team_may_still_open() -> None:
    typhoon = DayException(
        name="typhoon",
        start=_taipei("2026-11-23 12:30"),
        end=_taipei("2026-11-24 00:00"),
        regions=frozenset({"TW-TPE"}),
    )
    team = DayException(
        name="claims", start=_taipei("2026-11-23 14:00"), end=_taipei("2026-11-23 20:00"), open=True
    )
    closed = replace(_TAIPEI, exceptions=(typhoon,))
    state = is_open(closed, _taipei("2026-11-23 14:00"))
    assert (state.open, state.reason, state.detail) == (False, "closure", "typhoon")
    assert state.next_change == _taipei("2026-11-24 09:00")
    assert is_open(closed, _taipei("2026-11-23 11:00")).next_change == _taipei("2026-11-23 12:00")
    assert is_open(replace(closed, region="TW-KHH"), _taipei("2026-11-23 14:00")).open
    opened = is_open(replace(closed, exceptions=(typhoon, team)), _taipei("2026-11-23 19:00"))
    assert (opened.open, opened.reason, opened.next_change) == (True, "opening", _taipei("2026-11-23 20:00"))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_of_23_or_25_hours_is_open_for_exactly_so_long(day: str, hours: int) -> None:
    always = Calendar(zone="Europe/Berlin", week=dict.fromkeys(range(7), (Shift.parse("00:00-24:00"),)))
    start = _at("Europe/Berlin", f"{day} 00:00")
    end = _at("Europe/Berlin", (date.fromisoformat(day) + timedelta(days=1)).isoformat())
    assert open_seconds(always, start, end) == hours * 3600


def test_a_boundary_that_the_clock_skips_falls_on_the_jump() -> None:
    early = Calendar(zone="America/New_York", week={6: (Shift.parse("02:30-10:00"),)})
    (span,) = day_spans(early, date(2026, 3, 8))
    assert span.start == _at("America/New_York", "2026-03-08 03:00")


def test_a_boundary_that_the_clock_shows_twice_falls_on_its_first_showing() -> None:
    early = Calendar(zone="America/New_York", week={6: (Shift.parse("01:30-10:00"),)})
    (span,) = day_spans(early, date(2026, 11, 1))
    assert span.start == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert span.end - span.start == timedelta(hours=9, minutes=30)


@pytest.mark.parametrize(
    "text", ["9-12", "09:00", "25:00-26:00", "09:60-10:00", "a:b-c:d", "09:00-24:01", "٠٩:00-10:00"]
)
def test_what_is_not_a_shift_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"HH:MM|24"):
        Shift.parse(text)


_shift = st.builds(
    lambda start, length: Shift(start, start + length), st.integers(0, 1439), st.integers(1, 1440)
)
_weeks = st.dictionaries(st.integers(0, 6), st.lists(_shift, max_size=3).map(tuple))
_zones = st.sampled_from(["Asia/Taipei", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
_near_jumps = st.sampled_from(
    [
        datetime(2026, 3, 8, tzinfo=UTC),
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 4, 4, tzinfo=UTC),
        datetime(2026, 10, 3, tzinfo=UTC),
        datetime(2026, 10, 25, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    ]
)


def _by_the_wall_clock(calendar: Calendar, at: datetime) -> bool:
    wall = at.astimezone(ZoneInfo(calendar.zone))
    minute = wall.hour * 60 + wall.minute
    today = calendar.week.get(wall.weekday(), ())
    yesterday = calendar.week.get((wall.weekday() - 1) % 7, ())
    return any(shift.start_minute <= minute < shift.end_minute for shift in today) or any(
        shift.start_minute <= minute + 1440 < shift.end_minute for shift in yesterday
    )


def _is_shown_twice(at: datetime, zone: str) -> bool:
    wall = at.astimezone(ZoneInfo(zone))
    return wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()


@given(week=_weeks, zone=_zones, base=_near_jumps, minutes=st.integers(-1440, 2880))
@settings(max_examples=150, deadline=None)
def test_it_is_open_when_the_clock_on_the_wall_says_so(
    week: dict[int, tuple[Shift, ...]], zone: str, base: datetime, minutes: int
) -> None:
    calendar, at = Calendar(zone=zone, week=week), base + timedelta(minutes=minutes)
    if not _is_shown_twice(at, zone):
        assert is_open(calendar, at).open == _by_the_wall_clock(calendar, at)


@given(week=_weeks, zone=_zones, base=_near_jumps, minutes=st.integers(-1440, 2880), probe=st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_nothing_turns_before_the_next_change_and_it_turns_there(
    week: dict[int, tuple[Shift, ...]], zone: str, base: datetime, minutes: int, probe: float
) -> None:
    calendar, at = Calendar(zone=zone, week=week), base + timedelta(minutes=minutes)
    state = is_open(calendar, at)
    if state.next_change is None:
        return
    assert state.next_change > at
    assert is_open(calendar, state.next_change).open != state.open
    between = at + (state.next_change - at) * probe
    if between < state.next_change:
        assert is_open(calendar, between).open == state.open

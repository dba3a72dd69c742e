"""The wall's cells: the local day with its 23 and 25 hours, the sliding quarter of an hour, the grades."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wall.rules import (
    BUCKET_MS,
    WINDOW_MS,
    Completeness,
    Grade,
    Tallies,
    day_bounds_ms,
    figures,
    window_start_ms,
)
from routing.events import QueueExit
from routing.ids import QueueId
from workforce.measures import Cell, cell_of_exit

TAIPEI, BERLIN = ZoneInfo("Asia/Taipei"), ZoneInfo("Europe/Berlin")
SALES, BILLING = QueueId("sales"), QueueId("billing")
HOUR_MS = 3_600_000


def _ms(year: int, month: int, day: int, hour: int, minute: int = 0, zone: ZoneInfo = TAIPEI) -> int:
    moment = datetime(year, month, day, hour, minute, tzinfo=zone)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("at_ms", "zone", "hours"),
    [
        (_ms(2026, 3, 29, 12, zone=BERLIN), BERLIN, 23),
        (_ms(2026, 10, 25, 12, zone=BERLIN), BERLIN, 25),
        (_ms(2026, 10, 25, 12), TAIPEI, 24),
        (_ms(2026, 4, 24, 12, zone=ZoneInfo("Africa/Cairo")), ZoneInfo("Africa/Cairo"), 23),  # skips midnight
    ],
)
def test_a_local_day_has_the_hours_that_it_has(at_ms: int, zone: ZoneInfo, hours: int) -> None:
    start_ms, end_ms = day_bounds_ms(at_ms, zone)
    assert start_ms <= at_ms < end_ms
    assert (end_ms - start_ms) / HOUR_MS == hours


@given(
    st.integers(_ms(2024, 1, 1, 0), _ms(2028, 1, 1, 0)),
    st.sampled_from(["Asia/Taipei", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Kathmandu"]),
)
def test_days_follow_each_other_without_gap_and_end_on_another_date(at_ms: int, name: str) -> None:
    zone = ZoneInfo(name)
    start_ms, end_ms = day_bounds_ms(at_ms, zone)
    assert start_ms <= at_ms < end_ms
    assert day_bounds_ms(end_ms, zone)[0] == end_ms
    dates = {datetime.fromtimestamp(one / 1000, zone).date() for one in (start_ms, at_ms, end_ms - 1)}
    assert len(dates) == 1
    assert start_ms % BUCKET_MS == 0


_FACTS = st.lists(
    st.tuples(
        st.sampled_from([SALES, BILLING, None]),
        st.integers(-30 * HOUR_MS, 30 * HOUR_MS),
        st.sampled_from(list(QueueExit)),
        st.integers(0, 60_000),
    ),
    max_size=60,
)


@given(_FACTS, st.sampled_from([TAIPEI, BERLIN]))
def test_the_tallies_equal_a_recount(
    facts: list[tuple[QueueId | None, int, QueueExit, int]], zone: ZoneInfo
) -> None:
    noon_ms = _ms(2026, 10, 25, 12)
    told = sorted(
        (noon_ms + offset_ms, queue_id or "", number)
        for number, (queue_id, offset_ms, *_) in enumerate(facts)
    )
    now_ms = told[-1][0] if told else noon_ms
    tallies = Tallies(zone)
    for at_ms, queue_id, number in told:
        tallies.add(QueueId(queue_id) if queue_id else None, at_ms, cell_of_exit(*facts[number][2:], 20_000))
    day_ms, window_ms = day_bounds_ms(now_ms, zone)[0], window_start_ms(now_ms)
    assert now_ms - WINDOW_MS < window_ms <= now_ms - WINDOW_MS + BUCKET_MS
    for queue_id in (SALES, BILLING, None):
        for since_ms, cell in (
            (day_ms, tallies.today(queue_id, now_ms)),
            (window_ms, tallies.recent(queue_id, now_ms)),
        ):
            mine = [
                facts[number][2:]
                for at_ms, owner, number in told
                if at_ms >= since_ms and queue_id in (None, owner)
            ]
            answered = [wait_ms for way, wait_ms in mine if way is QueueExit.ANSWERED]
            assert sum(cell.exit_counts.values()) == len(mine)
            assert (cell.answered_count, cell.wait_answered_ms) == (len(answered), sum(answered))
            assert cell.answered_within_count == sum(wait_ms <= 20_000 for wait_ms in answered)
            assert cell.wait_answered_max_ms == max(answered, default=0)


def test_a_new_day_begins_with_nothing_and_the_quarter_of_an_hour_goes_on() -> None:
    midnight_ms = _ms(2026, 11, 25, 0)
    tallies = Tallies(TAIPEI)
    tallies.add(SALES, midnight_ms - 60_000, Cell(offered_count=1))
    assert tallies.today(SALES, midnight_ms - 1).offered_count == 1
    assert tallies.today(SALES, midnight_ms).offered_count == 0
    tallies.add(SALES, midnight_ms, Cell(offered_count=1))
    tallies.add(SALES, midnight_ms - 1, Cell(offered_count=1))  # told late: still yesterday's
    assert tallies.today(SALES, midnight_ms).offered_count == 1
    assert tallies.recent(SALES, midnight_ms).offered_count == 3
    assert tallies.recent(SALES, midnight_ms + WINDOW_MS).offered_count == 0


def test_memory_stays_flat_over_many_days() -> None:
    tallies = Tallies(TAIPEI)
    for number in range(20_000):
        tallies.add(SALES, _ms(2026, 1, 1, 0) + number * 60_000, Cell(offered_count=1))
    assert len(tallies._days) == 2
    assert all(len(buckets) <= 2 * WINDOW_MS // BUCKET_MS for buckets in tallies._buckets.values())


def test_no_calls_is_blank_and_the_formula_is_named() -> None:
    nothing = figures(Cell(), Grade.LIVE)
    assert (nothing.service_level, nothing.asa_s, nothing.aht_s, nothing.wait_max_s) == (None,) * 4
    assert nothing.service_level_formula == "SL-C"
    three = figures(
        Cell(
            answered_count=3,
            answered_within_count=2,
            abandoned_count=2,
            short_abandoned_count=1,
            handled_count=2,
            talk_ms=200_000,
            hold_ms=20_000,
            wrap_up_ms=60_000,
            wait_answered_ms=45_000,
            wait_answered_max_ms=30_000,
        ),
        Grade.LIVE,
    )
    assert (three.service_level, three.asa_s, three.wait_max_s) == (0.5, 15.0, 30.0)
    assert (three.aht_s, three.talk_s, three.hold_s, three.wrap_up_s) == (140.0, 100.0, 10.0, 30.0)


def test_the_worst_grade_that_holds_is_told() -> None:
    whole = Completeness()
    assert whole.grade(SALES, 100) is Grade.LIVE
    corrected = Completeness(corrected_ms={SALES: 150})
    assert corrected.grade(SALES, 100) is corrected.grade(None, 100) is Grade.BACK_FILLED
    assert corrected.grade(BILLING, 100) is corrected.grade(SALES, 151) is Grade.LIVE
    lost = Completeness(estimated_until_ms=120, corrected_ms={SALES: 150})
    assert (lost.grade(SALES, 100), lost.grade(SALES, 130)) == (Grade.ESTIMATED, Grade.BACK_FILLED)
    assert Completeness(since_ms=101, estimated_until_ms=120).grade(SALES, 100) is Grade.UNKNOWN

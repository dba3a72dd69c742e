"""Days made quickly: one seed, one day; rows that agree with each other, and figures of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from app.db.session import DEFAULT_TENANT, Database
from app.demo.quick_columns import COLUMNS, NULL
from app.demo.quick_day import Lines
from app.demo.quick_history import BIG_QUEUES, big_day, copy_day
from app.figures.dimensions import FiguresBy
from app.figures.facts import FiguresView
from app.figures.queries import period_cells
from app.figures.rollups import due_days, roll_up
from workforce.formulas import AB, AHT, RONA, SERVICE_LEVELS
from workforce.measures import total
from workforce.periods import PeriodStep, period_bounds

MONDAY, SUNDAY = date(2026, 11, 16), date(2026, 11, 22)


def _day(day: date, seed: int = 1, *, with_segments: bool = True) -> Lines:
    return big_day(DEFAULT_TENANT, day, seed, calls_per_weekday=900, with_segments=with_segments)


@pytest.fixture(scope="module")
def monday() -> Lines:
    return _day(MONDAY)


def _named(lines: Lines, table: str) -> list[dict[str, str]]:
    return [dict(zip(COLUMNS[table], line.rstrip("\n").split("\t"), strict=True)) for line in lines[table]]


def _ms(written: str) -> int:
    return round(datetime.fromisoformat(written).timestamp() * 1_000)


def test_a_day_is_the_same_for_the_same_seed_and_another_for_another(monday: Lines) -> None:
    assert _day(MONDAY) == monday
    assert _day(MONDAY, 2) != monday
    without = _day(MONDAY, with_segments=False)
    assert (without["interaction"], without["segment"]) == (monday["interaction"], [])
    assert len(_day(SUNDAY)["interaction"]) < len(monday["interaction"]) / 2


def test_calls_come_by_a_profile_and_end_in_every_way(monday: Lines) -> None:
    calls = _named(monday, "interaction")
    hours = Counter((_ms(call["started_at"]) // 3_600_000 + 8) % 24 for call in calls)
    assert 2 * hours[10] > 3 * hours[8]
    assert max(hours) <= 20
    outcomes = Counter(call["outcome"] for call in calls)
    assert outcomes["answered"] > 20 * outcomes["short_abandon"] > 0
    assert outcomes["abandoned"] > 0
    assert {offer["outcome"] for offer in _named(monday, "offer")} == {"answered", "no_answer", "withdrawn"}
    assert any(call["visit_count"] == "2" for call in calls), "some are transferred"


def test_nobody_takes_two_calls_at_once(monday: Lines) -> None:
    busy: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for offer in _named(monday, "offer"):
        until = offer["wrap_up_ended_at"] if offer["outcome"] == "answered" else offer["ended_at"]
        busy[offer["agent_id"]].append((_ms(offer["offered_at"]), _ms(until)))
    for agent_id, spans in busy.items():
        spans.sort()
        assert all(one[1] <= two[0] for one, two in pairwise(spans)), agent_id


def test_both_tracks_tile_and_agree_with_the_call(monday: Lines) -> None:
    tracks: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for segment in _named(monday, "segment"):
        tracks[segment["interaction_id"], segment["track"]].append(segment)
    lengths: dict[tuple[str, str], int] = defaultdict(int)
    for (call_id, track), segments in tracks.items():
        segments.sort(key=lambda segment: int(segment["ordinal"]))
        assert [int(segment["ordinal"]) for segment in segments] == list(range(len(segments)))
        assert all(one["ended_at"] == two["started_at"] for one, two in pairwise(segments))
        side = "customer" if track == "customer" else "agent"
        for segment in segments:
            length_ms = _ms(segment["ended_at"]) - _ms(segment["started_at"])
            assert length_ms > 0
            lengths[call_id, f"{side} {segment['kind']}"] += length_ms
    for call in _named(monday, "interaction"):
        one = call["interaction_id"]
        whole = tracks[one, "customer"]
        assert (whole[0]["started_at"], whole[-1]["ended_at"]) == (call["started_at"], call["ended_at"])
        waited_ms = lengths[one, "customer queued"] + lengths[one, "customer ringing"]
        assert int(call["wait_ms"]) == waited_ms
        assert int(call["talk_ms"]) == lengths[one, "customer talking"] == lengths[one, "agent talk"]
        assert int(call["hold_ms"]) == lengths[one, "customer held"] == lengths[one, "agent hold"]
        assert int(call["wrap_up_ms"]) == lengths[one, "agent wrap_up"]
    exits = [segment["exit_cause"] for segment in _named(monday, "segment")]
    assert len([exit_cause for exit_cause in exits if exit_cause != NULL]) == len(monday["queue_visit"])


@pytest.mark.db
async def test_it_is_copied_whole_and_its_rollups_equal_recomputation(
    database: Database, monday: Lines
) -> None:
    day = datetime.now(UTC).date() - timedelta(days=3)
    lines = _day(day)
    await copy_day(database, DEFAULT_TENANT, day, lines)
    assert await due_days(database, DEFAULT_TENANT, limit=9, quiet_s=0) == [day]
    assert await roll_up(database, DEFAULT_TENANT, day)
    async with database.snapshot(DEFAULT_TENANT) as connection:
        for table, rows in lines.items():
            counted = await connection.scalar(text("SELECT count(*) FROM " + table))
            assert counted == len(rows)
        bounds_ms = period_bounds("Asia/Taipei", day, day, PeriodStep.HALF_HOUR)
        for view in FiguresView:
            asked = {"view": view, "by": FiguresBy.QUEUE, "zone": "Asia/Taipei"}
            rolled = await period_cells(connection, DEFAULT_TENANT, bounds_ms, **asked)  # type: ignore[arg-type]
            counted_cells = await period_cells(
                connection,
                DEFAULT_TENANT,
                bounds_ms,
                **asked,
                rollups=False,  # type: ignore[arg-type]
            )
            assert rolled == counted_cells
    whole = total(rolled[0].values())
    assert whole.offered_count == len(lines["queue_visit"])
    assert {key for _, key in rolled[0]} == set(BIG_QUEUES)
    level, abandoned = SERVICE_LEVELS["SL-C"](whole), AB(whole)
    handle_s, missed = AHT(whole), RONA(whole)
    assert level is not None
    assert abandoned is not None
    assert handle_s is not None
    assert missed is not None
    assert 0.5 < level < 0.99
    assert 0.005 < abandoned < 0.2
    assert 150 < handle_s < 300
    assert 0.005 < missed < 0.06

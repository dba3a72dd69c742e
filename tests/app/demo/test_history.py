"""The demo's past: one seed, one day; rows that agree with each other; figures that make sense."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db import tables as t
from app.db.session import DEFAULT_TENANT, Database
from app.demo.history import fill_history, rows_for
from app.demo.history_rows import COLUMNS, Rows
from app.figures.queries import queue_cells
from workforce.formulas import AB, AHT, SERVICE_LEVELS
from workforce.measures import total

FRIDAY, SUNDAY, NEW_YEAR = date(2026, 11, 20), date(2026, 11, 22), date(2026, 1, 1)


@pytest.fixture(scope="module")
def friday() -> Rows:
    return rows_for(FRIDAY, 1, with_events=True)


def _named(rows: Rows, table: str) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS[table], row, strict=True)) for row in rows[table]]


def test_a_day_is_the_same_for_the_same_seed_and_another_for_another(friday: Rows) -> None:
    assert rows_for(FRIDAY, 1, with_events=True) == friday
    assert rows_for(FRIDAY, 2, with_events=True) != friday


def test_a_working_day_brings_some_hundred_calls_and_a_quiet_one_fewer(friday: Rows) -> None:
    quiet = [len(rows_for(day, 1, with_events=False)["interaction"]) for day in (SUNDAY, NEW_YEAR)]
    assert 300 <= len(friday["interaction"]) <= 600
    assert all(50 <= number < len(friday["interaction"]) / 2 for number in quiet)


def test_every_row_lies_in_the_partition_of_its_day(friday: Rows) -> None:
    assert {row[0] for rows in friday.values() for row in rows} == {FRIDAY}


def test_both_tracks_agree_with_the_call_and_with_each_other(friday: Rows) -> None:
    tracks: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for segment in _named(friday, "segment"):
        tracks[segment["interaction_id"], segment["track"]].append(segment)
    for segments in tracks.values():
        assert all(before["ended_at"] == after["started_at"] for before, after in pairwise(segments))
    lengths: dict[tuple[str, str], int] = defaultdict(int)
    for (interaction_id, track), segments in tracks.items():
        for segment in segments:
            kind = "talking" if segment["kind"] == "talk" else segment["kind"]
            side = "customer" if track == "customer" else "agent"
            lengths[interaction_id, f"{side} {kind}"] += segment["ended_at"] - segment["started_at"]
    for call in _named(friday, "interaction"):
        one = call["interaction_id"]
        whole = tracks[one, "customer"]
        assert whole[0]["started_at"] == call["started_at"]
        assert whole[-1]["ended_at"] == call["ended_at"]
        assert call["talk_ms"] == lengths[one, "customer talking"] == lengths[one, "agent talking"]
        assert call["hold_ms"] == lengths[one, "customer held"] == lengths[one, "agent hold"]
        assert call["wrap_up_ms"] == lengths[one, "agent wrap_up"]


def test_signed_in_time_adds_up_to_the_millisecond(friday: Rows) -> None:
    spans: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for span in _named(friday, "agent_span"):
        spans[span["agent_id"]].append(span)
    assert len(spans) >= 6
    for agent_id, own in spans.items():
        own.sort(key=lambda span: span["started_at"])
        assert all(before["ended_at"] == after["started_at"] for before, after in pairwise(own)), agent_id
        signed_in_ms = own[-1]["ended_at"] - own[0]["started_at"]
        assert sum(span["ended_at"] - span["started_at"] for span in own) == signed_in_ms
        assert 7 * 3_600_000 < signed_in_ms < 10 * 3_600_000


def test_every_offer_is_explained_and_every_caller_matched(friday: Rows) -> None:
    offers = _named(friday, "offer")
    assert offers
    assert all('"chosen"' in offer["explanation"] for offer in offers)
    calls = _named(friday, "interaction")
    methods = {call["match_method"] for call in calls}
    assert {"identifier", "none", "shared_line"} <= methods
    known = sum(call["party_id"] is not None for call in calls)
    assert 0.3 < known / len(calls) < 0.8


@pytest.mark.db
async def test_filling_twice_fills_once_and_fills_the_days_since(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)

    async def fill(today: date) -> int:
        return await fill_history(database, url, DEFAULT_TENANT, today=today, days=4)

    today = datetime.now(UTC).date()
    assert await fill(today - timedelta(days=1)) == 4
    assert await fill(today - timedelta(days=1)) == 0
    assert await fill(today) == 1
    async with database.transaction(DEFAULT_TENANT) as connection:
        since = datetime.combine(today - timedelta(days=5), datetime.min.time(), UTC)
        cells = await queue_cells(connection, DEFAULT_TENANT, since, since + timedelta(days=5))
        calls = await connection.scalar(select(func.count()).select_from(t.interaction))
        misplaced = await connection.scalar(
            select(func.count()).select_from(t.interaction).where(t.interaction.c.started_at < since)
        )
    whole = total(cells.values())
    level, abandoned, handle_s = SERVICE_LEVELS["SL-C"](whole), AB(whole), AHT(whole)
    assert (set(cells), misplaced) == ({"sales", "support", "billing"}, 0)
    assert calls is not None
    assert 500 < calls <= whole.offered_count
    assert level is not None
    assert abandoned is not None
    assert handle_s is not None
    assert 0.5 < level < 0.98
    assert 0.01 < abandoned < 0.2
    assert 150 < handle_s < 400


@pytest.mark.db
async def test_days_before_the_played_ones_are_made_quickly_by_the_same_people(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    today = datetime.now(UTC).date()
    assert await fill_history(database, url, DEFAULT_TENANT, today=today, days=3, played_days=1) == 3
    assert await fill_history(database, url, DEFAULT_TENANT, today=today, days=3, played_days=1) == 0
    call = t.interaction.c
    async with database.transaction(DEFAULT_TENANT) as connection:
        query = select(call.day, call.agent_id, call.party_id, call.queue_id, call.wrap_up_code)
        calls = (await connection.execute(query)).all()
        reasons = await connection.scalar(select(func.count()).select_from(t.interaction_reason))
    quick = [one for one in calls if one.day < today - timedelta(days=1)]
    played = [one for one in calls if one.day == today - timedelta(days=1)]
    assert {one.day for one in quick} == {today - timedelta(days=back) for back in (2, 3)}
    assert {one.queue_id for one in quick} == {one.queue_id for one in played} - {None}
    assert {one.agent_id for one in quick if one.agent_id} <= {f"a{1_000 + number}" for number in range(1, 9)}
    assert 0.3 < sum(one.party_id is not None for one in quick) / len(quick) < 0.8
    assert sum(one.wrap_up_code is not None for one in quick) > len(quick) / 2
    assert reasons is not None
    assert reasons > len(quick) / 2

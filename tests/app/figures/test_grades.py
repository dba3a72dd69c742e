"""How complete an interval is: each cause built for real grades its own interval and no other."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from app.figures.dimensions import FiguresBy
from app.figures.export import figures_file
from app.figures.files import csv_text
from app.figures.reader import FiguresAsked, FiguresTable, read_figures
from app.figures.rules import FiguresGrade, GapCause
from app.figures.view_sql import SCHEMA
from app.live.drainer import Drainer
from app.live.gap_keeper import GapKeeper
from app.live.journal import Journal
from app.live.journal_writer import JournalRow
from app.live.witness import Witness
from app.wall.queries import logged_day
from app.wall.rules import Completeness
from routing import events as ev
from routing.ids import BootId, InteractionId, PbxId, QueueId
from routing.signals import Party
from tests.app.auth.people import add_account, browser, people, sign_in
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.app.live.test_witness import START_S, _cel
from workforce.periods import PeriodStep

pytestmark = pytest.mark.db

DAY = datetime.fromtimestamp(START_S, UTC).date()
MIDNIGHT_MS = START_S * 1_000 - START_S * 1_000 % 86_400_000
HOURS = range(4, 20)
LIVE, BACK_FILLED = FiguresGrade.LIVE, FiguresGrade.BACK_FILLED
ESTIMATED, UNKNOWN = FiguresGrade.ESTIMATED, FiguresGrade.UNKNOWN
_POLLS_MAX = 1_000


def _at(hour: float) -> int:
    return MIDNIGHT_MS + round(hour * 3_600_000)


def _call(hour: int) -> list[ev.Event]:
    """Somebody calls at half past, waits ten seconds and gives up."""
    ms = _at(hour + 0.5)
    one = {"interaction_id": InteractionId(f"pbx1-{ms // 1000}.{hour}")}
    visit: dict[str, Any] = {"queue_id": QueueId("sales"), "visit": 1}

    def told(after_ms: int) -> dict[str, Any]:
        return {"at_ms": ms + after_ms, "occurred_ms": ms + after_ms, **one}

    return [
        ev.ContactStarted(
            **told(0),
            medium="voice",
            direction="in",
            entry_point="8000",
            caller_number="0912",
            caller_name="",
        ),
        ev.QueueEntered(**told(0), **visit, queued_at_ms=ms, priority_ms=0),
        ev.QueueLeft(**told(10_000), **visit, exit=ev.QueueExit.ABANDONED, wait_ms=10_000),
        ev.ContactEnded(**told(10_000), ended_by=Party.CUSTOMER, hangup_cause=16),
    ]


def _link(hour: float, *, up: bool) -> ev.Event:
    return ev.PbxLinkChanged(
        at_ms=_at(hour),
        occurred_ms=_at(hour),
        pbx_id=PbxId("pbx1"),
        up=up,
        boot_id=BootId("b1"),
        adopted_count=0,
        closed_count=0,
    )


async def _drain(database: Database, *events: ev.Event, epoch: int = 1) -> None:
    rows = [row_of_events(seq, event, epoch=epoch) for seq, event in enumerate(events, 1)]
    await Drainer(ListJournal(rows), database, DEFAULT_TENANT).drain_all()


async def _calls_all_day(database: Database, *more: ev.Event) -> None:
    events = [event for hour in HOURS for event in _call(hour)]
    await _drain(database, *sorted((*events, *more), key=lambda event: event.at_ms))


async def _table(database: Database) -> FiguresTable:
    asked = FiguresAsked(first=DAY, last=DAY, step=PeriodStep.HOUR, by=FiguresBy.QUEUE, zone="UTC")
    return await read_figures(database, DEFAULT_TENANT, asked, _at(48))


async def _grades(database: Database) -> dict[int, FiguresGrade]:
    """By hour; those that are not live. The hour in which the log begins is never known to be whole."""
    table = await _table(database)
    assert len(table.rows) == len(HOURS)
    assert table.rows[0].grade is UNKNOWN
    found = {(row.start_ms - MIDNIGHT_MS) // 3_600_000: row.grade for row in table.rows[1:]}
    return {hour: grade for hour, grade in found.items() if grade is not LIVE}


async def test_a_whole_day_is_live(database: Database) -> None:
    await _calls_all_day(database)
    assert await _grades(database) == {}


async def test_while_the_pbx_was_not_heard_is_unknown(database: Database) -> None:
    await _calls_all_day(database, _link(9.2, up=False), _link(9.4, up=True))
    assert await _grades(database) == {9: UNKNOWN}


async def test_a_gap_over_a_bound_grades_both_and_one_up_to_a_bound_only_the_first(
    database: Database,
) -> None:
    await _calls_all_day(
        database, _link(9.9, up=False), _link(10.1, up=True), _link(13.5, up=False), _link(14.0, up=True)
    )
    assert await _grades(database) == {9: UNKNOWN, 10: UNKNOWN, 13: UNKNOWN}


async def test_a_link_that_is_still_down_grades_up_to_now(database: Database) -> None:
    await _calls_all_day(database, _link(17.5, up=False))
    assert await _grades(database) == {17: UNKNOWN, 18: UNKNOWN, 19: UNKNOWN}
    assert (await _table(database)).gaps[0].is_running


async def test_from_the_servers_last_sign_of_life_to_the_next_link_is_unknown(database: Database) -> None:
    await _calls_all_day(database)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            text("UPDATE drain_cursor SET moved_at = :at"),
            {"at": datetime.fromtimestamp(_at(20.5) / 1000, UTC)},
        )
    await _drain(database, _link(22.25, up=False), _link(22.5, up=True), epoch=2)
    (gap,) = (await _table(database)).gaps
    assert (gap.cause, gap.started_ms, gap.ended_ms) == (GapCause.SERVER_DOWN, _at(20.5), _at(22.5))
    assert await _grades(database) == {}, "nobody called in it"
    assert (await _table(database)).whole.grade is UNKNOWN


async def test_a_crash_is_a_gap_from_the_last_step_even_when_all_is_drained_later(
    database: Database,
) -> None:
    """The database was away: the steps of both terms come in one page."""
    first = [event for hour in HOURS[:8] for event in _call(hour)]
    second = [_link(15.1, up=False), _link(15.2, up=True)]
    second += [event for hour in HOURS[11:] for event in _call(hour)]
    middle = [event for hour in HOURS[8:11] for event in _call(hour)]
    rows = [row_of_events(seq, event) for seq, event in enumerate([*first, *middle], 1)]
    rows += [row_of_events(seq, event, epoch=2) for seq, event in enumerate(second, 1)]
    drainer = Drainer(ListJournal(rows), database, DEFAULT_TENANT)
    drainer._alive_ms = 0
    await drainer.drain_all()
    assert await _grades(database) == {14: UNKNOWN, 15: UNKNOWN}


async def test_what_the_witness_has_compared_since_is_back_filled(database: Database, tmp_path: Path) -> None:
    hour = (START_S * 1_000 - MIDNIGHT_MS) // 3_600_000
    await _calls_all_day(database, _link(hour + 0.1, up=False), _link(hour + 0.2, up=True))
    assert await _grades(database) == {hour: UNKNOWN}
    now_ms = _at(hour + 0.2) + 5_000
    witness = Witness(
        _cel(tmp_path / "holdless.csv"),
        database,
        DEFAULT_TENANT,
        pbx_id="pbx1",
        put=lambda _signal: None,
        agent_of_device=lambda _device: None,
        is_behind=lambda: False,
        now_ms=lambda: now_ms,
    )
    await witness._round(tmp_path / "holdless.csv")
    assert await _grades(database) == {hour: UNKNOWN}, "a call of the gap may still come"
    now_ms += 60_000
    await witness._round(tmp_path / "holdless.csv")
    assert await _grades(database) == {hour: BACK_FILLED}


async def test_a_witness_without_a_file_has_seen_nothing(database: Database, tmp_path: Path) -> None:
    await _calls_all_day(database, _link(9.2, up=False), _link(9.4, up=True))
    witness = Witness(
        tmp_path / "missing.csv",
        database,
        DEFAULT_TENANT,
        pbx_id="pbx1",
        put=lambda _signal: None,
        agent_of_device=lambda _device: None,
        is_behind=lambda: False,
        now_ms=lambda: _at(40),
    )
    await witness._round(tmp_path / "missing.csv")
    assert await _grades(database) == {9: UNKNOWN}


async def test_where_the_journal_lost_steps_is_estimated_and_where_it_was_only_late_is_live(
    database: Database, tmp_path: Path
) -> None:
    await _calls_all_day(database)
    journal = await Journal.open(
        tmp_path / "journal.sqlite3", bytes_max=64 * 4_096, write_timeout_ms=60, ring_rows_max=10
    )
    seq = 0

    async def append(hour: float) -> None:
        nonlocal seq
        seq += 1
        await journal.append([JournalRow(1, seq, _at(hour), b'"' + b"x" * 4_000 + b'"', b"[]", b"[]")])

    async def refuse(hour: float, row_count: int, pages: int) -> None:
        while not journal.degraded:
            await append(hour)
        for _ in range(row_count):
            await append(hour)
        journal._writer.submit(lambda c: c.execute(f"PRAGMA max_page_count={pages}"), frees_room=True)
        for _ in range(_POLLS_MAX):
            if not journal.degraded:
                break
            await asyncio.sleep(0.01)

    await refuse(11.5, 3, 128)
    await refuse(15.5, 50, 100_000)
    late, lost = await journal.degraded_spans(0)
    assert (late.lost_count, lost.lost_count > 0) == (0, True)
    keeper = GapKeeper(journal, database, DEFAULT_TENANT)
    assert (await keeper.carry_over(), await keeper.carry_over()) == (1, 0)
    assert await GapKeeper(journal, database, DEFAULT_TENANT).carry_over() == 1, "a restart tells it again"
    await journal.close()
    assert await _grades(database) == {15: ESTIMATED}
    assert len((await _table(database)).gaps) == 1


async def test_what_this_version_cannot_read_is_estimated(database: Database) -> None:
    await _calls_all_day(database)
    body = b'[{"type":"NotInventedYet","v":1,"at_ms":1,"occurred_ms":1}]'
    journal = ListJournal([JournalRow(1, 1_000, _at(12.3), b"{}", body, b"[]")])
    await Drainer(journal, database, DEFAULT_TENANT).drain_all()
    assert await _grades(database) == {12: ESTIMATED}


async def test_a_call_that_was_corrected_back_fills_its_own_interval(database: Database) -> None:
    ended_ms = _at(10.5) + 12_000
    correction = ev.FactCorrected(
        at_ms=_at(19.9),
        occurred_ms=_at(19.9),
        interaction_id=InteractionId(f"pbx1-{_at(10.5) // 1000}.10"),
        started_ms=_at(10.5),
        ended_ms=ended_ms,
        answered_ms=None,
        agent_id=None,
        entry_point="8000",
        caller_number="",
        evidence="cel",
    )
    await _calls_all_day(database, correction)
    assert await _grades(database) == {10: BACK_FILLED}


async def test_the_worst_holds_and_all_who_show_figures_say_it(database: Database) -> None:
    await _calls_all_day(database, _link(9.2, up=False), _link(9.4, up=True))
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(text("UPDATE log_gap SET witnessed_at = now()"))
    body = b'[{"type":"NotInventedYet","v":1,"at_ms":1,"occurred_ms":1}]'
    journal = ListJournal([JournalRow(1, 1_000, _at(9.3), b"{}", body, b"[]")])
    await Drainer(journal, database, DEFAULT_TENANT).drain_all()
    table = await _table(database)
    written = list(csv.DictReader(io.StringIO(csv_text(figures_file(table)).removeprefix("\ufeff"))))
    assert [row["grade"] for row in written if row["start"][11:13] == "09"] == ["estimated"]
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
    asked = {"first": str(DAY), "last": str(DAY), "zone": "UTC", "step": "hour"}
    async with browser(app, token) as client:
        shown = (await client.get("/api/v1/figures", params=asked)).json()
    assert [row["grade"] for row in shown["rows"]][4:7] == ["live", "estimated", "live"]
    assert [(gap["cause"], gap["grade"]) for gap in shown["gaps"]] == [
        ("pbx_unheard", "back_filled"),
        ("unreadable", "estimated"),
    ]
    async with database.snapshot(DEFAULT_TENANT) as connection:
        found = await connection.execute(
            text(f"SELECT grade, count(*) AS row_count FROM {SCHEMA}.queue_quarter GROUP BY 1")
        )
        assert {row.grade: row.row_count for row in found} == {"live": len(HOURS)}, (
            "nobody called in those quarters"
        )
        logged = await logged_day(
            connection,
            DEFAULT_TENANT,
            since_ms=MIDNIGHT_MS,
            window_ms=_at(19),
            bucket_ms=15_000,
            until_ms=_at(20),
            threshold_ms={},
        )
    completeness = Completeness(gaps=logged.gaps)
    assert completeness.grade(None, MIDNIGHT_MS) == ESTIMATED.value
    assert completeness.grade(None, _at(19)) == LIVE.value

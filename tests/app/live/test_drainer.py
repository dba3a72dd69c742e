"""The drainer on a real PostgreSQL: exactly once, in any cut, over failures and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import text

from app.db.session import DEFAULT_TENANT, Database, TenantId
from app.live.drainer import Drainer
from app.live.journal_writer import JournalRow
from routing import events as ev
from routing.ids import AgentId, BootId, InteractionId, PbxId
from routing.replay import encode
from tests.app.live.histories import START_MS
from tests.app.live.test_recorder import ANSWERED

pytestmark = pytest.mark.db

_LOG = ("event", "interaction", "segment", "queue_visit", "offer", "leg", "agent_span")


class ListJournal:
    """A journal that is a list."""

    def __init__(self, rows: Sequence[JournalRow]) -> None:
        self.rows = list(rows)

    async def read_after(self, epoch: int, seq: int, count_max: int = 1_000) -> list[JournalRow]:
        return [row for row in self.rows if (row.epoch, row.seq) > (epoch, seq)][:count_max]


def row_of_events(seq: int, *events: ev.Event, epoch: int = 1) -> JournalRow:
    """A step with these events."""
    body = orjson.dumps([encode(event) for event in events], default=dict)
    return JournalRow(epoch, seq, events[0].at_ms, b"{}", body, b"[]")


def _story(call: InteractionId) -> list[ev.Event]:
    """An answered call with hold and wrap-up, on legs of its own."""
    story: list[ev.Event] = []
    for event in ANSWERED:
        changes: dict[str, object] = {"interaction_id": call}
        if isinstance(event, ev.AgentRang):
            changes["leg_id"] = f"{call}1"
        story.append(replace(event, **changes))  # type: ignore[arg-type]
    return story


def _interleaved() -> list[JournalRow]:
    """Three contacts' histories, side by side, and an agent's states, one event per step."""
    rows: list[ev.Event] = [
        ev.PbxLinkChanged(
            at_ms=START_MS,
            occurred_ms=START_MS,
            pbx_id=PbxId("pbx1"),
            up=True,
            boot_id=BootId("boot7"),
            adopted_count=0,
            closed_count=0,
        )
    ]
    drawn = [_story(InteractionId(f"pbx1-1763790000.{number}")) for number in (7, 8, 9)]
    for position in range(max(map(len, drawn))):
        rows += [history[position] for history in drawn if position < len(history)]
    state = ev.AgentState
    for second, (now, before) in enumerate(
        [(state.READY, state.SIGNED_OUT), (state.RINGING, state.READY), (state.NOT_READY, state.RINGING)]
    ):
        rows.append(
            ev.AgentStateChanged(
                at_ms=START_MS + second * 1_000,
                occurred_ms=START_MS + second * 1_000,
                agent_id=AgentId("a1001"),
                state=now,
                reason="",
                interaction_id=None,
                previous=before,
                previous_reason="",
                since_ms=START_MS + (second - 1) * 1_000,
            )
        )
    return [row_of_events(seq, event) for seq, event in enumerate(rows, 1)]


async def _log(database: Database, tenant_id: TenantId = DEFAULT_TENANT) -> dict[str, list[str]]:
    async with database.transaction(tenant_id) as connection:
        return {
            name: sorted(
                str(row)
                for row in (await connection.execute(text(f"SELECT t::text FROM {name} t"))).scalars()
            )
            for name in _LOG
        }


async def test_any_cut_into_pages_and_any_restart_give_the_same_log(database: Database) -> None:
    journal = ListJournal(_interleaved())
    await Drainer(journal, database, DEFAULT_TENANT).drain_all()
    whole = await _log(database)
    assert all(whole[name] for name in ("event", "interaction", "segment", "agent_span", "leg"))
    for page_rows in (1, 3, 7):
        async with database.owner_transaction() as connection:
            for name in (*_LOG, "drain_cursor"):
                await connection.execute(text(f"DELETE FROM {name}"))
        for _ in journal.rows:  # each page by a drainer that knows nothing of the one before
            drainer = Drainer(journal, database, DEFAULT_TENANT, page_rows_max=page_rows)
            if await drainer.drain_page() == 0:
                break
        assert await _log(database) == whole, page_rows


async def test_draining_again_from_the_start_changes_nothing(database: Database) -> None:
    journal = ListJournal(_interleaved())
    await Drainer(journal, database, DEFAULT_TENANT).drain_all()
    before = await _log(database)
    again = Drainer(journal, database, DEFAULT_TENANT, journal_id="the same journal, copied")
    assert await again.drain_all() == len(journal.rows)
    assert again.lag.event_count == 0
    assert await _log(database) == before


async def test_two_drainers_of_one_journal_write_it_once(database: Database) -> None:
    journal = ListJournal(_interleaved())
    drainers = [Drainer(journal, database, DEFAULT_TENANT, page_rows_max=2) for _ in range(2)]
    await asyncio.gather(*(drainer.drain_all() for drainer in drainers))
    events = sum(len(orjson.loads(row.events)) for row in journal.rows)
    assert sum(drainer.lag.event_count for drainer in drainers) == events
    assert len((await _log(database))["event"]) == events


async def test_an_agents_leg_carries_the_boot_that_was_up(database: Database) -> None:
    await Drainer(ListJournal(_interleaved()), database, DEFAULT_TENANT).drain_all()
    async with database.transaction(DEFAULT_TENANT) as connection:
        boots = (await connection.execute(text("SELECT DISTINCT boot_id FROM leg"))).scalars().all()
    assert boots == ["boot7"]


async def test_nothing_is_lost_while_the_database_is_away(database: Database) -> None:
    journal = ListJournal(_interleaved())
    drainer = Drainer(journal, database, DEFAULT_TENANT, page_rows_max=5)
    await drainer.drain_page()
    async with database.owner_transaction() as connection:
        await connection.execute(text("ALTER TABLE event RENAME TO event_away"))
    task = asyncio.create_task(drainer.run())
    await _until(lambda: drainer.lag.failure_count >= 2)
    assert "event" in drainer.lag.failure
    async with database.owner_transaction() as connection:
        await connection.execute(text("ALTER TABLE event_away RENAME TO event"))
    last = (journal.rows[-1].epoch, journal.rows[-1].seq)
    await _until(lambda: (drainer.lag.epoch, drainer.lag.seq) == last)
    task.cancel()
    assert drainer.lag.failure == ""
    assert len((await _log(database))["event"]) == len(journal.rows)


async def test_a_cut_connection_is_made_anew(database: Database) -> None:
    journal = ListJournal(_interleaved())
    drainer = Drainer(journal, database, DEFAULT_TENANT, page_rows_max=5)
    task = asyncio.create_task(drainer.run())
    await _until(lambda: drainer.lag.seq >= 5)
    async with database.owner_transaction() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await _until(lambda: drainer.lag.seq == journal.rows[-1].seq)
    task.cancel()
    assert len((await _log(database))["event"]) == len(journal.rows)


async def test_hostile_text_reaches_the_log_as_data(database: Database) -> None:
    name = "'); DROP TABLE event; --\0\u2028<script>"
    started = ev.ContactStarted(
        at_ms=10**15,
        occurred_ms=-5,
        interaction_id=InteractionId("'; --"),
        medium="voice",
        direction="in",
        entry_point="",
        caller_number="",
        caller_name=name,
    )
    await Drainer(ListJournal([row_of_events(1, started)]), database, DEFAULT_TENANT).drain_all()
    async with database.transaction(DEFAULT_TENANT) as connection:
        row = (await connection.execute(text("SELECT caller_name, day FROM interaction"))).one()
    assert row.caller_name == name.replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert row.day.year == 1970


async def test_an_event_of_a_newer_version_is_kept_unread(database: Database) -> None:
    body = orjson.dumps([{"type": "FromTheFuture", "v": 3, "occurred_ms": START_MS}])
    drainer = Drainer(ListJournal([JournalRow(1, 1, START_MS, b"{}", body, b"[]")]), database, DEFAULT_TENANT)
    await drainer.drain_all()
    assert (drainer.lag.event_count, drainer.lag.unreadable_count) == (1, 1)


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("not within 10 s")

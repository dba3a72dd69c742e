"""The call log's queries on rows that the drainer wrote from literal events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.calls.queries import call_story, list_calls
from app.calls.reconciliation import LoggedCall, compare, reconcile
from app.calls.rules import CallFilter
from app.db.session import DEFAULT_TENANT, Database, TenantId
from app.figures.queries import queue_cells
from app.live.drainer import Drainer
from routing import events as ev
from routing.ids import AgentId, InteractionId, QueueId
from telephony.cel import CelCall, CelTalk
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.app.live.test_recorder import ANSWERED, START
from workforce.formulas import AHT, ASA, SERVICE_LEVELS

pytestmark = pytest.mark.db

SALES, ANA = QueueId("sales"), AgentId("a1001")
BEGAN = datetime.fromtimestamp(START / 1000, UTC)


def _call(number: int) -> InteractionId:
    return InteractionId(f"pbx1-{START // 1000 + number}.{number}")


def _answered(number: int) -> list[ev.Event]:
    """The same answered call, *number* seconds later."""
    story: list[ev.Event] = []
    for event in ANSWERED:
        changes: dict[str, object] = {
            "interaction_id": _call(number),
            "at_ms": event.at_ms + number * 1_000,
            "occurred_ms": event.occurred_ms + number * 1_000,
        }
        if isinstance(event, ev.AgentRang):
            changes["leg_id"] = f"pbx1-{START // 1000 + number}.9{number}"
        story.append(replace(event, **changes))  # type: ignore[arg-type]
    return story


def _abandoned(number: int) -> list[ev.Event]:
    story = _answered(number)
    left = story[4]
    assert isinstance(left, ev.QueueLeft)
    return [story[0], story[1], replace(left, exit=ev.QueueExit.ABANDONED), story[10]]


async def _log(database: Database, *stories: Sequence[ev.Event]) -> None:
    rows = [row_of_events(seq, *story) for seq, story in enumerate(stories, 1)]
    await Drainer(ListJournal(rows), database, DEFAULT_TENANT).drain_all()


async def test_calls_come_newest_first_in_pages_without_gap_or_repetition(database: Database) -> None:
    await _log(database, *(_answered(number) for number in range(5)))
    seen: list[str] = []
    cursor = None
    async with database.transaction(DEFAULT_TENANT) as connection:
        for _ in range(3):
            rows, cursor = await list_calls(connection, DEFAULT_TENANT, CallFilter(), limit=2, cursor=cursor)
            seen += [row["interaction_id"] for row in rows]
    assert seen == [_call(number) for number in (4, 3, 2, 1, 0)]
    assert cursor is None


async def test_filters_restrict_by_time_queue_agent_outcome_and_number(database: Database) -> None:
    await _log(database, _answered(0), _abandoned(60))
    async with database.transaction(DEFAULT_TENANT) as connection:

        async def found(wanted: CallFilter) -> list[str]:
            rows, _ = await list_calls(connection, DEFAULT_TENANT, wanted)
            return [row["interaction_id"] for row in rows]

        minute = BEGAN + timedelta(seconds=60)
        assert await found(CallFilter(since=minute)) == [_call(60)]
        assert await found(CallFilter(until=minute)) == [_call(0)]
        assert await found(CallFilter(queue_id=SALES)) == [_call(60), _call(0)]
        assert await found(CallFilter(queue_id=QueueId("billing"))) == []
        assert await found(CallFilter(agent_id=ANA)) == [_call(0)]
        assert await found(CallFilter(outcome="abandoned")) == [_call(60)]
        assert await found(CallFilter(number="+886912345678")) == [_call(60), _call(0)]
        assert await found(CallFilter(number="' OR true --")) == []


@pytest.mark.parametrize("cursor", ["x", "%%%", "MTIz", "a" * 200])
async def test_a_strange_cursor_is_refused(database: Database, cursor: str) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        with pytest.raises(ValueError, match="cursor"):
            await list_calls(connection, DEFAULT_TENANT, CallFilter(), cursor=cursor)


async def test_a_story_holds_everything_about_one_call_in_order(database: Database) -> None:
    await _log(database, _answered(0), _answered(1))
    async with database.transaction(DEFAULT_TENANT) as connection:
        story = await call_story(connection, DEFAULT_TENANT, _call(1))
        unknown = await call_story(connection, DEFAULT_TENANT, InteractionId("pbx1-1763790099.1"))
        nonsense = await call_story(connection, DEFAULT_TENANT, InteractionId("nonsense"))
    assert story is not None
    assert [event["type"] for event in story["events"]] == [type(event).__name__ for event in _answered(1)]
    kinds = [segment["kind"] for segment in story["segments"] if segment["track"] == "customer"]
    assert kinds == ["entry", "queued", "ringing", "talking", "held", "talking"]
    assert [offer["explanation"] for offer in story["offers"]] == [{"chosen": "a1001"}]
    assert (unknown, nonsense) == (None, None)


async def test_another_tenant_finds_nothing(database: Database) -> None:
    await _log(database, _answered(0))
    async with database.transaction(TenantId("other")) as connection:
        assert await list_calls(connection, TenantId("other"), CallFilter()) == ([], None)
        assert await list_calls(connection, DEFAULT_TENANT, CallFilter()) == ([], None)
        assert await call_story(connection, DEFAULT_TENANT, _call(0)) is None


async def test_figures_are_those_of_the_events(database: Database) -> None:
    await _log(database, _answered(0), _answered(10), _abandoned(20))
    async with database.transaction(DEFAULT_TENANT) as connection:
        cells = await queue_cells(connection, DEFAULT_TENANT, BEGAN, BEGAN + timedelta(hours=1))
        nothing = await queue_cells(connection, DEFAULT_TENANT, BEGAN - timedelta(hours=1), BEGAN)
    cell = cells[SALES]
    assert (cell.offered_count, cell.answered_count, cell.abandoned_count) == (3, 2, 1)
    assert (cell.offer_count, cell.rona_count, cell.handled_count) == (2, 0, 2)
    assert (ASA(cell), AHT(cell)) == (7.0, 67.0)
    assert SERVICE_LEVELS["SL-D"](cell) == pytest.approx(2 / 3)
    assert nothing == {}


# ---------------------------------------------------------------- the witness


def _cel(number: int, *, answered: bool = True, ended_s: float = 60) -> CelCall:
    start_ms = START + number * 1_000
    return CelCall(
        uniqueid=_call(number),
        linkedid=_call(number),
        channel="PJSIP/trunk-1",
        started_ms=start_ms,
        last_seen_ms=start_ms + 60_000,
        ended_ms=start_ms + round(ended_s * 1_000),
        talks=[CelTalk("PJSIP/a1001", start_ms + 8_000)] if answered else [],
    )


async def test_log_and_witness_are_compared_as_sets(database: Database) -> None:
    await _log(database, _answered(0), _answered(1), _abandoned(2))
    cel = [_cel(0), _cel(2), _cel(3)]
    async with database.transaction(DEFAULT_TENANT) as connection:
        found = await reconcile(connection, DEFAULT_TENANT, cel, BEGAN, BEGAN + timedelta(hours=1))
    assert (found.cel_count, found.log_count) == (3, 3)
    assert found.cel_minus_log == (_call(3),)
    assert found.log_minus_cel == (_call(1),)
    assert [(one.interaction_id, one.fact) for one in found.differing] == [(_call(2), "answered")]


def _logged(number: int, suffix: str = "") -> LoggedCall:
    start_ms = START + number * 1_000
    return LoggedCall(_call(number) + suffix, start_ms, start_ms + 8_000, start_ms + 60_000)


def test_both_sides_equal_is_clean() -> None:
    assert compare([_cel(0)], [_logged(0)], START, START + 1).is_clean


def test_a_call_at_the_border_of_the_range_is_not_missing() -> None:
    early = replace(_logged(0), started_ms=START - 5)
    assert compare([_cel(0)], [early], START, START + 1_000).is_clean


def test_a_call_logged_under_two_boots_is_named() -> None:
    assert compare([_cel(0)], [_logged(0), _logged(0, "~b2")], START, START + 1).twice == (_call(0),)


def test_ends_apart_by_more_than_a_second_are_named() -> None:
    found = compare([_cel(0, ended_s=61.5)], [_logged(0)], START, START + 1)
    assert [one.fact for one in found.differing] == ["ended_ms"]

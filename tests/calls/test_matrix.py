"""Every way through (or not) x every transfer, on a real Asterisk: tracks, ends, agents' minutes, figures."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from app.db.session import DEFAULT_TENANT, Database
from app.figures.queries import queue_cells
from routing.events import QueueExit
from telephony.cel import CelCall, read_calls
from telephony.sandbox.install import Programs
from tests.calls.centre import CallCentre, ms
from tests.calls.matrix_scene import Scene
from tests.calls.matrix_stage import Stage, opened
from tests.calls.matrix_table import MOVES, NO_SENSE, OUTCOMES, WRAP_UP_MS, Cell, cells, exits_of
from tests.calls.oracle import Story, customer, events, track
from tests.pbx.sipp import poll

pytestmark = [pytest.mark.pbx, pytest.mark.db, pytest.mark.long, pytest.mark.timeout(900)]

CELLS = cells()
APART_S = 1.5
NEAR_MS = 50
CEL_NEAR_MS = 250  # a hand-over waits 100 ms in the dialplan until the sound's way is built anew
_SETTLE_S = 60

Plain = list[tuple[str, float]]
Played = tuple[CallCentre, Stage]


@pytest.fixture(scope="module")
def played(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """All cells, played once; what each test looks at is what the log says of them."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    centre = opened(tmp_path_factory.mktemp("matrix"), programs, CELLS)
    try:
        stage = Stage(centre, CELLS)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, stage.play(APART_S)).result()
        poll(lambda: centre.reconciled(since).is_clean, _SETTLE_S, lambda: str(centre.reconciled(since)))
        yield centre, stage
    finally:
        centre.close()


def of(stage: Stage, cell: Cell) -> Scene:
    return next(scene for scene in stage.scenes if scene.cell is cell)


def told(scene: Scene, centre: CallCentre) -> Story:
    return centre.story(scene.caller_number)


def plain(stretches: list[Any]) -> Plain:
    return [(one.kind, one.started_ms) for one in stretches] + [(".", stretches[-1].ended_ms)]


def expected(scene: Scene, written: str) -> Plain:
    parts = (part.partition("@") for part in written.split())
    return [(kind, scene.moment_ms(moment)) for kind, _, moment in parts]


def assert_same(found: Plain, wanted: Plain, what: str) -> None:
    assert [kind for kind, _ in found] == [kind for kind, _ in wanted], f"{what}: {found} for {wanted}"
    apart = [round(one - other) for (_, one), (_, other) in zip(found, wanted, strict=True)]
    assert all(abs(ms) <= NEAR_MS for ms in apart), f"{what}: {apart} ms apart in {[k for k, _ in found]}"


def tracks_of(cell: Cell) -> dict[str, str]:
    """The agents' tracks that the table wants, by letter."""
    if cell.lead is None:
        return {}
    held = cell.lead.ring + cell.move.holder
    if cell.is_pbxs_own:  # the PBX's own queue knows no wrap-up
        held = held.partition(" wrap_up@")[0] + " .@" + held.rpartition(".@")[2].partition("+")[0]
    return {**cell.lead.before, cell.lead.holder: held, **cell.move.others}


def customer_of(cell: Cell) -> str:
    return f"{cell.lead.customer} {cell.move.customer}" if cell.lead is not None else cell.move.customer


# ---------------------------------------------------------------- the table


def test_each_combination_is_played_or_has_a_reason_not_to_be() -> None:
    wanted = {(outcome, transfer) for outcome in OUTCOMES for transfer in MOVES}
    made = {(cell.outcome, cell.transfer) for cell in CELLS}
    assert made | NO_SENSE.keys() == wanted
    assert not made & NO_SENSE.keys()


# ---------------------------------------------------------------- the log, cell by cell


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_the_customers_track_is_the_scripts(played: Played, cell: Cell) -> None:
    centre, stage = played
    scene = of(stage, cell)
    story = told(scene, centre)
    assert_same(plain(customer(story)), expected(scene, customer_of(cell)), cell.name)
    assert story["ended_by"] == cell.move.ended_by
    assert story["caller_number"] == scene.caller_number
    assert story["entry_point"] == f"7{scene.number:03}", "what came with the caller stays with the call"


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_each_agents_track_is_the_scripts_and_says_who_ended_it(played: Played, cell: Cell) -> None:
    centre, stage = played
    scene = of(stage, cell)
    story = told(scene, centre)
    names = {segment["track"] for segment in story["segments"]} - {"customer"}
    by_agent = {name.partition("#")[0]: name for name in names}
    assert len(by_agent) == len(names), "one participation each"
    wanted = tracks_of(cell)
    assert set(by_agent) == {scene.agent(letter) for letter in wanted}
    for letter, written in wanted.items():
        stretches = track(story, by_agent[scene.agent(letter)])
        for one, following in pairwise(stretches):
            assert one.ended_ms == following.started_ms, stretches
        assert_same(plain(stretches), expected(scene, written), f"{cell.name} {letter}")
    ended = {
        (segment["agent_id"], segment["ended_by"], segment["end_reason"])
        for segment in story["segments"]
        if segment["ended_by"] is not None
    }
    ends = cell.move.ended
    if cell.is_pbxs_own:
        ends = tuple((who, by, "hangup" if who == "H" else how) for who, by, how in ends)
    assert ended == {(scene.agent(who), by, how) for who, by, how in ends}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_visits_offers_and_the_transfer_are_the_tables(played: Played, cell: Cell) -> None:
    centre, stage = played
    scene = of(stage, cell)
    story = told(scene, centre)
    visits = [(visit["queue_id"].rstrip("0123456789"), visit["exit_cause"]) for visit in story["visits"]]
    assert visits == exits_of(cell)
    offers = [(offer["agent_id"].rstrip("0123456789"), offer["outcome"]) for offer in story["offers"]]
    led = cell.lead.offers if cell.lead is not None else ()
    assert offers == [*led, *cell.move.offers]
    places = [ms(visit["queued_at"]) for visit in story["visits"]]
    kept = cell.is_pbxs_own or all(place == pytest.approx(places[0], abs=2) for place in places)
    assert kept, "the place of the first queueing goes with the caller"
    moved = [event["body"] for event in events(story, "InteractionTransferred")]
    wanted = [cell.move.transferred] if cell.move.transferred else []
    assert [(body["kind"], target_of(body)) for body in moved] == wanted


def target_of(body: Mapping[str, Any]) -> str:
    found = [name for name in ("agent_id", "queue_id", "number") if body[f"to_{name}"]]
    assert len(found) == 1, body
    return {"agent_id": "agent", "queue_id": "queue", "number": "outside"}[found[0]]


# ---------------------------------------------------------------- agents' minutes and figures

_SPANS = text(
    "SELECT state, (extract(epoch FROM started_at) * 1000)::float AS started,"
    " (extract(epoch FROM ended_at) * 1000)::float AS ended FROM agent_span"
    " WHERE tenant_id = :tenant AND agent_id = :agent ORDER BY started_at"
)
_SHOWN = {"ring": "ringing", "talk": "talking", "conference": "talking", "wrap_up": "wrap_up"}


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.lead], ids=lambda cell: cell.name)
def test_an_agents_minutes_are_the_scripts(played: Played, cell: Cell) -> None:
    centre, stage = played
    scene = of(stage, cell)
    for letter, written in tracks_of(cell).items():
        if cell.is_pbxs_own and letter == "a":
            continue  # busy elsewhere, as the PBX's own queue has it: no state of ours
        agent = scene.agent(letter)
        spans = spans_of(centre, agent)
        for one, following in pairwise(spans):
            assert one.ended == following.started, "no gap, no two states at once"
        wanted: Counter[str] = Counter()
        for (kind, began), (_, ended) in pairwise(expected(scene, written)):
            asked = kind == "consult" and letter == "t"
            shown = _SHOWN.get(kind) or ("talking" if asked else "holding")
            wanted[shown] += round(ended - began)
        found: Counter[str] = Counter()
        for span in spans:
            if span.state in wanted and span.ended is not None:
                found[span.state] += round(span.ended - span.started)
        for state, length_ms in wanted.items():
            assert abs(found[state] - length_ms) <= 2 * NEAR_MS, (cell.name, letter, state, found, wanted)


def spans_of(centre: CallCentre, agent: str) -> list[Any]:
    async def read(database: Database) -> list[Any]:
        async with database.transaction(DEFAULT_TENANT) as connection:
            return list(await connection.execute(_SPANS, {"tenant": DEFAULT_TENANT, "agent": agent}))

    found: list[Any] = centre.in_database(read)
    return found


def test_the_figures_of_every_queue_are_those_of_the_table(played: Played) -> None:
    centre, stage = played
    until = datetime.now(UTC) + timedelta(minutes=1)

    async def read(database: Database) -> Any:
        async with database.transaction(DEFAULT_TENANT) as connection:
            return await queue_cells(connection, DEFAULT_TENANT, until - timedelta(hours=1), until)

    found = {queue_id: cell for queue_id, cell in centre.in_database(read).items() if queue_id is not None}
    exits: dict[str, Counter[QueueExit]] = {}
    for scene in stage.scenes:
        for queue, way in exits_of(scene.cell):
            exits.setdefault(f"{queue}{scene.number}", Counter())[QueueExit(way)] += 1
    assert {queue: Counter(cell.exit_counts) for queue, cell in found.items() if cell.offered_count} == exits
    for queue, ways in exits.items():
        cell = found[queue]
        assert cell.offered_count == sum(ways.values())
        assert cell.answered_count == ways[QueueExit.ANSWERED]
        gave_up = ways[QueueExit.ABANDONED] + ways[QueueExit.SHORT_ABANDON]
        assert (cell.abandoned_count, cell.short_abandoned_count) == (gave_up, ways[QueueExit.SHORT_ABANDON])
    rang_out = sum(cell.rona_count for cell in found.values())
    assert rang_out == sum(scene.cell.outcome == "rona" for scene in stage.scenes)
    handled = sum(cell.handled_count for cell in found.values())
    talks = sum(
        kind == "wrap_up"
        for scene in stage.scenes
        for written in tracks_of(scene.cell).values()
        for kind, _ in expected(scene, written)
    )
    assert handled == talks
    wrapped_up_ms = sum(cell.wrap_up_ms for cell in found.values())
    assert wrapped_up_ms == pytest.approx(talks * WRAP_UP_MS, abs=talks * NEAR_MS)


# ---------------------------------------------------------------- Asterisk's own log


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_asterisks_own_log_says_the_same(played: Played, cell: Cell) -> None:
    centre, stage = played
    scene = of(stage, cell)
    story = told(scene, centre)
    call: CelCall = read_calls(centre.sandbox.cel_path)[story["interaction_id"]]
    assert story["grade"] == "live", "nothing was corrected"
    assert call.started_ms == pytest.approx(ms(story["started_at"]), abs=NEAR_MS)
    assert call.ended_ms == pytest.approx(ms(story["ended_at"]), abs=NEAR_MS)
    answered = story["answered_at"]
    first = call.answered_ms if cell.lead is not None else None
    assert (first is None) == (answered is None)
    if answered is not None:
        assert first == pytest.approx(ms(answered), abs=NEAR_MS)
        waited_ms = sum(one.length_ms for one in customer(story)[1:3] if one.kind in ("queued", "ringing"))
        assert waited_ms >= 0
    talked: Counter[str] = Counter()
    for talk in call.talks:
        assert talk.ended_ms is not None
        talked[talk.device.removeprefix("PJSIP/")] += talk.ended_ms - talk.started_ms
    logged: Counter[str] = Counter()
    for name in {segment["track"] for segment in story["segments"]} - {"customer"}:
        for one in track(story, name):
            if one.kind in ("talk", "conference") and one.agent_id is not None:
                logged[one.agent_id] += round(one.length_ms)
    inside = {agent: length_ms for agent, length_ms in talked.items() if agent in logged}
    assert inside.keys() == logged.keys()
    for agent, length_ms in logged.items():
        assert inside[agent] == pytest.approx(length_ms, abs=CEL_NEAR_MS), (cell.name, agent)

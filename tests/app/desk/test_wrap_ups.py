"""The desk over HTTP, on the real engine and a real PostgreSQL: drafts, wrap-ups, and who the caller is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import insert, select, text

from app.centre.demo import demo_customers, seed_demo_centre
from app.db import tables as t
from app.db.session import DEFAULT_TENANT, Database
from app.desk.news import NobodyShows
from app.settings import Settings
from routing.desk_events import ContactReasonNoted
from routing.events import WrapUpCodeGiven, WrapUpDone
from routing.ids import AgentId, BootId, InteractionId, PbxId, QueueId, day_of
from routing.signals import (
    AgentLegEnded,
    AgentReady,
    AgentSignedIn,
    ConfigChanged,
    InteractionArrived,
    InteractionWaiting,
    OfferAnswered,
    OfferRang,
    PbxSnapshotTaken,
)
from tests.app.customers.serving import RoleRing
from tests.app.http.web import CENTRE, SmallServer, app_of

pytestmark = pytest.mark.db

ANA = AgentId("a1001")
CALL = InteractionId("pbx1-1795550000.7")
DRAFT = f"/agents/{ANA}/drafts/{CALL}"
WRAP_UP = f"/agents/{ANA}/wrap-ups/{CALL}"


class Desk:
    """One agent with a call in wrap-up, and a client that is this agent."""

    def __init__(self, server: SmallServer, client: httpx2.AsyncClient, database: Database) -> None:
        self.server, self.client, self.database = server, client, database

    def events(self, kind: type) -> list[Any]:
        return [event for step in self.server.steps for event in step.events if isinstance(event, kind)]

    async def call(self) -> Any:
        async with self.database.transaction(DEFAULT_TENANT) as connection:
            return (
                await connection.execute(select(t.interaction).where(t.interaction.c.interaction_id == CALL))
            ).one()

    async def notes(self) -> list[tuple[str, UUID | None]]:
        async with self.database.transaction(DEFAULT_TENANT) as connection:
            query = select(t.party_note.c.text, t.party_note.c.party_id).where(
                t.party_note.c.interaction_id == CALL
            )
            return [(row.text, row.party_id) for row in await connection.execute(query)]


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    settings = Settings(area_code="2")
    server = SmallServer(settings=settings)
    server.faces = SimpleNamespace(
        settings=settings, database=database, tenant_id=DEFAULT_TENANT, desk=NobodyShows()
    )
    app = app_of(server)
    app.state.keys = RoleRing()
    await seed_demo_centre(database, DEFAULT_TENANT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            text(
                "INSERT INTO reason_tree (tenant_id, tree_version, valid_from)"
                " VALUES (:tenant, 90, '2026-01-01')"
            ),
            {"tenant": DEFAULT_TENANT},
        )
        for reason_id, parent_id, name in (("money", None, "Money"), ("refund", "money", "Refund")):
            await connection.execute(
                insert(t.contact_reason).values(
                    tenant_id=DEFAULT_TENANT,
                    tree_version=90,
                    reason_id=reason_id,
                    parent_id=parent_id,
                    display_name=name,
                )
            )
        await connection.execute(
            text("SELECT ensure_log_partitions(ARRAY[:day]::date[])"), {"day": day_of(CALL)}
        )
        row = {"tenant_id": DEFAULT_TENANT, "day": day_of(CALL), "interaction_id": CALL}
        await connection.execute(
            insert(t.interaction).values(
                **row,
                started_at=datetime.now(UTC),
                caller_number="0912000111",
                match_method="identifier",
                match_confidence=90,
                match_candidates={"outcome": "match", "candidates": []},
            )
        )
        await connection.execute(
            insert(t.offer).values(
                **row, attempt=1, agent_id=ANA, queue_id="support", offered_at=datetime.now(UTC)
            )
        )
    async with asyncio.TaskGroup() as group:
        driving = group.create_task(server.drive())
        for signal in (
            ConfigChanged(version=1, config=CENTRE),
            PbxSnapshotTaken(pbx_id=PbxId("pbx1"), boot_id=BootId("b1")),
            AgentSignedIn(agent_id=ANA),
            AgentReady(agent_id=ANA),
            InteractionArrived(interaction_id=CALL, caller_number="0912000111"),
            InteractionWaiting(interaction_id=CALL, queue_id=QueueId("support")),
            OfferRang(interaction_id=CALL, agent_id=ANA, attempt=1),
            OfferAnswered(interaction_id=CALL, agent_id=ANA, attempt=1),
            AgentLegEnded(interaction_id=CALL, agent_id=ANA),
        ):
            await server.inbox.put(signal)
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://test/api/v1", headers={"Authorization": "Bearer agent"}
        ) as client:
            yield Desk(server, client, database)
        driving.cancel()


async def test_the_centre_gives_codes_by_queue_and_reasons_as_paths(desk: Desk) -> None:
    centre = (await desk.client.get("/centre/desk")).json()
    codes = {
        queue["queue_id"]: [code["code"] for code in queue["wrap_up_codes"]] for queue in centre["queues"]
    }
    assert codes["support"] == ["solved", "follow_up", "wrong_number"]
    assert {"reason_id": "refund", "path": ["Money", "Refund"]} in centre["contact_reasons"]
    assert "ring_no_answer" not in {each["reason"] for each in centre["not_ready_reasons"]}
    assert "a1001" in {each["agent_id"] for each in centre["agents"]}


async def test_a_wrap_up_says_code_reason_and_note_and_ends(desk: Desk) -> None:
    kept = await desk.client.put(DRAFT, json={"code": "solved", "note": "退費"})
    assert kept.status_code == 200, kept.text
    said = await desk.client.post(
        WRAP_UP, json={"code": "solved", "reason_id": "refund", "note": "退費已送出 "}
    )
    assert said.status_code == 200, said.text
    assert said.json()["is_finished"]
    assert [event.code for event in desk.events(WrapUpCodeGiven)] == ["solved"]
    assert [(event.reason_id, event.tree_version) for event in desk.events(ContactReasonNoted)] == [
        ("refund", 90)
    ]
    assert len(desk.events(WrapUpDone)) == 1
    assert await desk.notes() == [("退費已送出", None)]
    async with desk.database.transaction(DEFAULT_TENANT) as connection:
        assert (await connection.execute(select(t.wrap_up_draft))).all() == []


async def test_said_twice_it_is_the_same_note_and_no_error(desk: Desk) -> None:
    for note in ("first", "second"):
        answer = await desk.client.post(WRAP_UP, json={"code": "solved", "note": note})
        assert answer.status_code == 200, answer.text
    assert await desk.notes() == [("second", None)]


@pytest.mark.parametrize(
    ("body", "error_id"),
    [
        ({}, "wrap_up_code_needed"),
        ({"code": "refund"}, "wrap_up_code_of_another_queue"),
        ({"code": "solved", "reason_id": "weather"}, "unknown_contact_reason"),
    ],
)
async def test_what_does_not_fit_is_refused_and_changes_nothing(
    desk: Desk, body: dict[str, str], error_id: str
) -> None:
    answer = await desk.client.post(WRAP_UP, json={**body, "note": "kept?"})
    assert (answer.status_code, answer.json()["error_id"]) == (422, error_id)
    assert desk.events(WrapUpCodeGiven) == desk.events(WrapUpDone) == []
    assert await desk.notes() == []


async def test_the_agent_says_who_it_is_and_the_look_up_stays_beside_it(desk: Desk) -> None:
    customer = demo_customers()[0]
    await desk.client.post(WRAP_UP, json={"code": "solved", "note": "promised a call", "finish": False})
    body = {"party_id": str(customer.party_id), "remember_number": True}
    answer = await desk.client.put(f"/calls/{CALL}/party", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["display_name"] == customer.display_name
    call = await desk.call()
    assert (call.party_id, call.match_method, call.match_confidence) == (customer.party_id, "agent", 100)
    assert call.match_candidates["looked_up"]["method"] == "identifier"
    assert await desk.notes() == [("promised a call", customer.party_id)]
    found = (await desk.client.get("/parties", params={"q": "0912000111"})).json()
    assert [each["party_id"] for each in found["parties"]] == [str(customer.party_id)]
    again = await desk.client.put(f"/calls/{CALL}/party", json={"party_id": None})
    assert again.status_code == 200
    call = await desk.call()
    assert call.party_id is None
    assert call.match_candidates["looked_up"]["method"] == "identifier", "what was looked up is kept once"


async def test_another_agents_call_and_an_unknown_party_are_refused(desk: Desk) -> None:
    foreign = await desk.client.put("/agents/a1002/drafts/" + CALL, json={"note": "x"})
    assert foreign.status_code == 403
    unknown = await desk.client.put(f"/calls/{CALL}/party", json={"party_id": str(UUID(int=7))})
    assert (unknown.status_code, unknown.json()["error_id"]) == (404, "party_not_found")
    senseless = await desk.client.put(f"/agents/{ANA}/drafts/none", json={"note": "x"})
    assert senseless.status_code == 404

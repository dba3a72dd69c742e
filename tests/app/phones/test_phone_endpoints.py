"""Choosing a phone and registering a page, as clients do it, against a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import select

from app.auth.permissions import Role
from app.auth.principal import Principal
from app.db.session import DEFAULT_TENANT, Database
from app.db.tables import agent_phone
from app.live.clock import Clock
from app.phones import phones
from app.phones.phones import Phones
from app.phones.queries import save_phone
from app.phones.rules import inside_phone
from app.settings import PhoneSettings, Settings
from routing.commands import UsePhone
from routing.config import AgentConfig
from routing.ids import AgentId, InteractionId
from routing.phone_signals import PhoneChosen, PhoneKind
from routing.signals import ConfigChanged, InteractionWaiting, OfferAnswered
from tests.app.http.web import CENTRE, KEY, KEYS, SmallServer, serving

pytestmark = pytest.mark.db

PHONES = PhoneSettings(
    websocket_url="ws://127.0.0.1:9/ws", secret=SecretStr("master"), prefixes_allowed=("+886",)
)
CALL = InteractionId("pbx1-1763790000.7")


class OneRing:
    """Lets one agent in, whatever is sent: stands for a session."""

    def __init__(self, agent_id: str) -> None:
        self._principal = Principal(role=Role.AGENT, name=agent_id, agent_id=AgentId(agent_id))

    def principal_of(self, _key: str) -> Principal:
        return self._principal


@asynccontextmanager
async def phones_served(
    database: Database, phones: PhoneSettings = PHONES
) -> AsyncIterator[tuple[SmallServer, httpx2.AsyncClient]]:
    server = SmallServer(settings=Settings(api_keys=KEYS, phones=phones))
    server.faces.database = database
    server.faces.phones = Phones(
        phones,
        database=database,
        tenant_id=DEFAULT_TENANT,
        inbox=server.inbox,
        clock=Clock(),
        sessions=NoSessions(),  # type: ignore[arg-type]
        agents=lambda: server.fold.agents,
        registry=CollectorRegistry(),
    )
    async with serving(server, key=KEY) as client:
        yield server, client


class NoSessions:
    """Sessions that never end."""

    def watch(self, _ended: object) -> None:
        """Nobody is told."""


async def rows(database: Database) -> list[tuple[str, str, str | None]]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        columns = (agent_phone.c.agent_id, agent_phone.c.kind, agent_phone.c.number)
        return [tuple(row) for row in await connection.execute(select(*columns))]  # type: ignore[misc]


async def test_a_choice_is_kept_told_to_the_pbx_and_shown(database: Database) -> None:
    async with phones_served(database) as (server, client):
        before = (await client.get("/api/v1/agents/a1001/phone")).json()
        assert (before["kind"], before["address"], before["reachable"]) == ("desk", "PJSIP/a1001", True)
        assert before["available_kinds"] == ["desk", "browser", "external"]
        chosen = await client.put("/api/v1/agents/a1001/phone", json={"kind": "browser"})
        assert chosen.status_code == 200
        assert (chosen.json()["kind"], chosen.json()["reachable"]) == ("browser", False)
        (used,) = [c for step in server.steps for c in step.commands if isinstance(c, UsePhone)]
        assert used.device == "PJSIP/a1001-web"
        outside = await client.put(
            "/api/v1/agents/a1001/phone", json={"kind": "external", "number": "0912-345 678"}
        )
        assert (outside.json()["number"], outside.json()["address"]) == ("+886912345678", "+886912345678")
        assert await rows(database) == [("a1001", "external", "+886912345678")]


@pytest.mark.parametrize(
    ("number", "error_id"),
    [("119", "emergency_number"), ("+14155550100", "prefix_not_allowed"), ("*72", "feature_code")],
)
async def test_a_number_that_must_not_ring_is_refused_and_not_kept(
    database: Database, number: str, error_id: str
) -> None:
    async with phones_served(database) as (_server, client):
        body = {"kind": "external", "number": number}
        answer = await client.put("/api/v1/agents/a1001/phone", json=body)
        assert (answer.status_code, answer.json()["error_id"]) == (422, error_id)
        assert await rows(database) == []


async def test_what_the_engine_refuses_is_not_kept(database: Database) -> None:
    async with phones_served(database) as (server, client):
        for state in ("signed_in", "ready"):
            await client.post("/api/v1/agents/a1001/state", json={"state": state})
        await server.inbox.put(InteractionWaiting(interaction_id=CALL))
        await server.inbox.put(OfferAnswered(interaction_id=CALL, agent_id=AgentId("a1001"), attempt=1))
        answer = await client.put("/api/v1/agents/a1001/phone", json={"kind": "browser"})
        assert (answer.status_code, answer.json()["error_id"]) == (409, "on_a_call")
        assert await rows(database) == []


async def test_an_agent_that_there_is_not_has_no_phone(database: Database) -> None:
    async with phones_served(database) as (_server, client):
        assert (await client.get("/api/v1/agents/a9999/phone")).status_code == 404
        answer = await client.put("/api/v1/agents/a9999/phone", json={"kind": "desk"})
        assert (answer.status_code, await rows(database)) == (404, [])


async def test_where_the_pbx_lets_no_browser_in_none_is_offered(database: Database) -> None:
    async with phones_served(database, PhoneSettings()) as (_server, client):
        found = (await client.get("/api/v1/agents/a1001/phone")).json()
        assert found["available_kinds"] == ["desk"]
        answer = await client.put("/api/v1/agents/a1001/phone", json={"kind": "browser"})
        assert (answer.status_code, answer.json()["error_id"]) == (409, "browser_phones_off")


async def test_a_page_registers_as_its_own_agent_only(database: Database) -> None:
    async with phones_served(database) as (server, client):
        refused = await client.post("/api/v1/agents/a1001/phone/credentials")
        assert (refused.status_code, refused.json()["error_id"]) == (403, "not_your_phone")
        client._transport.app.state.keys = OneRing("a1001")  # type: ignore[attr-defined]
        told = (await client.post("/api/v1/agents/a1001/phone/credentials")).json()
        assert (told["sip_uri"], told["username"]) == ("sip:a1001-web@holdless.invalid", "a1001-web")
        assert told["password"] in server.faces.phones.passwords.of(AgentId("a1001"))
        other = await client.post("/api/v1/agents/a1002/phone/credentials")
        assert (other.status_code, other.json()["error_id"]) == (403, "not_allowed")


async def test_a_start_tells_the_engine_what_was_chosen_before(database: Database) -> None:
    async with phones_served(database) as (_server, client):
        await client.put("/api/v1/agents/a1001/phone", json={"kind": "browser"})
    async with phones_served(database) as (server, client):
        running = server.faces.phones.run()
        task = asyncio.create_task(running)
        for _ in range(200):
            if (await client.get("/api/v1/agents/a1001/phone")).json()["kind"] == "browser":
                break
            await asyncio.sleep(0.01)
        else:
            raise AssertionError("the engine was not told")
        task.cancel()


async def test_the_choice_of_an_agent_who_is_added_later_is_told_without_a_restart(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phones, "FOLLOW_EVERY_S", 0.01)
    new = AgentId("a1003")
    async with database.transaction(DEFAULT_TENANT) as connection:
        await save_phone(connection, DEFAULT_TENANT, new, inside_phone(PhoneKind.BROWSER, new), "a test")
    async with phones_served(database) as (server, client):
        task = asyncio.create_task(server.faces.phones.run())
        for _ in range(400):  # told at the start already, when the engine knows no such agent
            if any(isinstance(step.signal, PhoneChosen) for step in server.steps):
                break
            await asyncio.sleep(0.01)
        device = AgentConfig(agent_id=new, skills={}, device="PJSIP/a1003")
        config = replace(CENTRE, agents=(*CENTRE.agents, device))
        await server.inbox.put(ConfigChanged(version=2, config=config))
        for _ in range(400):
            if (await client.get("/api/v1/agents/a1003/phone")).json().get("kind") == "browser":
                break
            await asyncio.sleep(0.01)
        else:
            raise AssertionError("the engine was not told")
        told = [step.signal for step in server.steps if isinstance(step.signal, PhoneChosen)]
        assert [each.agent_id for each in told] == [new, new], "once at the start, once when added"
        task.cancel()

"""Consult, conference and numbers outside by the API: one signal each, and the number gate before it."""

from __future__ import annotations

import pytest

from app.settings import DiallingSettings, Settings
from routing import commands as cmd
from routing.commands import Command
from routing.ids import AgentId, InteractionId, LegId, QueueId
from routing.signals import (
    AgentReady,
    AgentSignedIn,
    InteractionArrived,
    InteractionWaiting,
    OfferAnswered,
    OfferRang,
)
from routing.transfer_signals import ConsultLegAnswered
from tests.app.http.web import KEYS, SmallServer, serving

CALL = InteractionId("pbx1-1763790000.7")
PATH = f"/api/v1/calls/{CALL}"
LEG, ASKED = LegId("pbx1-1763790001.9"), LegId("pbx1-1763790002.11")


def server_in_taiwan() -> SmallServer:
    dialling = DiallingSettings(prefixes_allowed=("+886",))
    return SmallServer(settings=Settings(api_keys=KEYS, dialling=dialling, region="TW", area_code="02"))


async def talking(server: SmallServer) -> str:
    """Bring an agent into a call, with another one who is signed in; return whom he may ask."""
    for agent in ("a1001", "a1002"):
        await server.inbox.put(AgentSignedIn(agent_id=AgentId(agent)))
    await server.inbox.put(AgentReady(agent_id=AgentId("a1001")))
    await server.inbox.put(InteractionArrived(interaction_id=CALL))
    step = await server.inbox.put(InteractionWaiting(interaction_id=CALL, queue_id=QueueId("support")))
    offer = next(command for command in step.commands if isinstance(command, cmd.OfferInteraction))
    rang = OfferRang(interaction_id=CALL, agent_id=offer.agent_id, attempt=offer.attempt)
    await server.inbox.put(rang)
    await server.inbox.put(
        OfferAnswered(interaction_id=CALL, agent_id=offer.agent_id, attempt=offer.attempt, leg_id=LEG)
    )
    return "a1002"


def commanded(server: SmallServer) -> list[Command]:
    return list(server.steps[-1].commands)


async def test_somebody_is_asked_and_the_customer_handed_over() -> None:
    server = server_in_taiwan()
    async with serving(server) as client:
        asked = await talking(server)
        answer = await client.post(f"{PATH}/consult", json={"to_agent_id": asked})
        assert answer.status_code == 200, answer.text
        assert "ConsultStarted" in [fact["type"] for fact in answer.json()["facts"]]
        early = await client.post(f"{PATH}/consult/complete")
        assert (early.status_code, early.json()["error_id"]) == (409, "not_answered_yet")
        await server.inbox.put(ConsultLegAnswered(interaction_id=CALL, attempt=2, leg_id=ASKED))
        answer = await client.post(f"{PATH}/consult/complete")
        assert answer.status_code == 200, answer.text
        assert {"TalkEnded", "InteractionTransferred", "InteractionTaken"} <= {
            fact["type"] for fact in answer.json()["facts"]
        }


async def test_the_agent_goes_back_or_brings_all_three_together() -> None:
    server = server_in_taiwan()
    async with serving(server) as client:
        asked = await talking(server)
        for attempt, path in ((2, "consult/cancel"), (3, "conference")):
            await client.post(f"{PATH}/consult", json={"to_agent_id": asked})
            told = ConsultLegAnswered(interaction_id=CALL, attempt=attempt, leg_id=ASKED)
            await server.inbox.put(told)
            answer = await client.post(f"{PATH}/{path}")
            assert answer.status_code == 200, (path, answer.text)
        assert commanded(server) == [cmd.StartConference(interaction_id=CALL, leg_id=LEG, to_leg_id=ASKED)]
        again = await client.post(f"{PATH}/conference")
        assert (again.status_code, again.json()["error_id"]) == (409, "in_conference")


@pytest.mark.parametrize("path", ["transfer", "consult"])
async def test_a_number_outside_passes_the_gate_or_is_refused_before_the_engine(path: str) -> None:
    server = server_in_taiwan()
    async with serving(server) as client:
        await talking(server)
        for written, error_id in (
            ("*72 0912345678", "feature_code"),
            ("+1 212 555 0100", "prefix_not_allowed"),
            ("0204-123-456", "premium_rate"),
            ("12", "extension_not_allowed"),
            ("Local/9@x", "number_pattern"),
        ):
            before = len(server.steps)
            answer = await client.post(f"{PATH}/{path}", json={"to_number": written})
            assert answer.status_code == 422, written
            assert len(server.steps) == before, "the engine was not asked"
            assert answer.json()["error_id"] == error_id, written
        answer = await client.post(f"{PATH}/{path}", json={"to_number": "02-8765-4321"})
        assert answer.status_code == 200, answer.text
        numbers = [getattr(command, "to_number", "") for command in commanded(server)]
        assert [number for number in numbers if number] == ["+886287654321"]


async def test_an_emergency_number_is_dialled_as_it_is_given_where_nothing_else_is_allowed() -> None:
    server = SmallServer(settings=Settings(api_keys=KEYS, region="TW"))
    async with serving(server) as client:
        await talking(server)
        answer = await client.post(f"{PATH}/transfer", json={"to_number": "119"})
        assert answer.status_code == 200, answer.text
        assert cmd.DialOutside(interaction_id=CALL, attempt=2, to_number="119") in commanded(server)


async def test_a_request_names_exactly_one_target() -> None:
    async with serving() as client:
        for path, body in (
            ("consult", {}),
            ("consult", {"to_agent_id": "a1002", "to_number": "119"}),
            ("consult", {"to_queue_id": "support"}),
            ("transfer", {"to_queue_id": "support", "to_number": "119"}),
        ):
            answer = await client.post(f"{PATH}/{path}", json=body)
            assert answer.status_code == 422, (path, body)

"""A request is one signal; its answer is what the engine's step made true."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from app.calls.rules import Sight
from routing.ids import InteractionId, QueueId
from routing.signals import AgentReady, InteractionArrived, InteractionWaiting, OfferAnswered, OfferRang
from tests.app.http.web import RowLog, SmallServer, serving

CALL = InteractionId("pbx1-1763790000.7")


async def _talking(server: SmallServer) -> None:
    """Bring a1001 into a call."""
    await server.inbox.put(InteractionArrived(interaction_id=CALL))
    step = await server.inbox.put(InteractionWaiting(interaction_id=CALL, queue_id=QueueId("support")))
    offer = next(command for command in step.commands if type(command).__name__ == "OfferInteraction")
    told = {"interaction_id": CALL, "agent_id": offer.agent_id, "attempt": offer.attempt}
    await server.inbox.put(OfferRang(**told))
    await server.inbox.put(OfferAnswered(**told))


async def test_an_agent_signs_in_becomes_ready_and_signs_out() -> None:
    server = SmallServer()
    async with serving(server) as client:
        states = []
        for body in (
            {"state": "signed_in"},
            {"state": "ready"},
            {"state": "not_ready", "reason": "lunch"},
            {"state": "signed_out"},
        ):
            answer = await client.post("/api/v1/agents/a1001/state", json=body)
            assert answer.status_code == 200, answer.text
            states += [fact["fields"]["state"] for fact in answer.json()["facts"]]
        assert states == ["not_ready", "ready", "not_ready", "signed_out"]
        floor = (await client.get("/api/v1/floor")).json()
        assert floor["agents"]["a1001"]["state"] == "signed_out"


async def test_what_the_engine_ignores_is_a_conflict_with_a_stable_word() -> None:
    async with serving() as client:
        for path, body, error_id in (
            ("/api/v1/agents/a1001/state", {"state": "ready"}, "signed_out"),
            ("/api/v1/agents/nobody/state", {"state": "ready"}, "unknown_agent"),
            ("/api/v1/agents/a1001/wrap-up", {"action": "end"}, "not_in_wrap_up"),
            (f"/api/v1/calls/{CALL}/hangup", None, "unknown_interaction"),
            (f"/api/v1/calls/{CALL}/transfer", {"to_agent_id": "a1002"}, "unknown_interaction"),
        ):
            answer = await client.post(path, json=body)
            assert (answer.status_code, answer.json()["error_id"]) == (409, error_id), path
            assert answer.headers["content-type"] == "application/problem+json"


async def test_asking_for_what_is_so_already_is_in_order_and_changes_nothing() -> None:
    async with serving() as client:
        for state in ("signed_in", "signed_in", "ready", "ready"):
            answer = await client.post("/api/v1/agents/a1001/state", json={"state": state})
            assert answer.status_code == 200, answer.text
        assert answer.json()["facts"] == []


async def test_the_same_idempotency_key_asks_the_engine_once() -> None:
    server = SmallServer()
    async with serving(server) as client:
        before = len(server.steps)
        answers = await asyncio.gather(
            *(
                client.post(
                    "/api/v1/agents/a1001/state",
                    json={"state": "signed_in"},
                    headers={"Idempotency-Key": "morning"},
                )
                for _ in range(5)
            )
        )
        assert {answer.text for answer in answers} == {answers[0].text}
        assert len(server.steps) == before + 1
        assert server.steps[-1].signal.request_id == "integration:crm:morning"

        other = await client.post(
            "/api/v1/agents/a1001/state", json={"state": "ready"}, headers={"Idempotency-Key": "morning"}
        )
        assert (other.status_code, other.json()["error_id"]) == (422, "idempotency_key_reused")


async def test_a_live_call_is_transferred_and_ended_by_one_signal_each() -> None:
    server = SmallServer()
    async with serving(server) as client:
        await client.post("/api/v1/agents/a1001/state", json={"state": "signed_in"})
        await client.post("/api/v1/agents/a1001/state", json={"state": "ready"})
        await _talking(server)
        floor = (await client.get("/api/v1/floor")).json()
        assert floor["interactions"][CALL]["agent_id"] == "a1001"

        before = len(server.steps)
        moved = await client.post(f"/api/v1/calls/{CALL}/transfer", json={"to_queue_id": "support"})
        assert moved.status_code == 200, moved.text
        assert "MoveToQueue" in [type(command).__name__ for command in server.steps[before].commands]

        ended = await client.post(f"/api/v1/calls/{CALL}/hangup")
        assert ended.status_code == 200, ended.text
        assert "EndInteraction" in [type(command).__name__ for command in server.steps[-1].commands]
        assert len(server.steps) == before + 2


async def test_wrong_requests_say_what_is_wrong_and_never_reach_the_engine() -> None:
    server = SmallServer()
    async with serving(server) as client:
        before = len(server.steps)
        for path, body in (
            ("/api/v1/agents/a1001/state", {"state": "asleep"}),
            ("/api/v1/agents/a1001/state", {"state": "ready", "reason": "none"}),
            ("/api/v1/agents/A 1/state", {"state": "ready"}),
            ("/api/v1/agents/a1001/state", {"state": "not_ready", "reason": "a\r\nAction: Originate"}),
            (f"/api/v1/calls/{CALL}/transfer", {}),
            (f"/api/v1/calls/{CALL}/transfer", {"to_queue_id": "support", "to_agent_id": "a1002"}),
            ("/api/v1/calls/a%0d%0ab/hangup", None),
        ):
            answer = await client.post(path, json=body)
            assert (answer.status_code, answer.json()["error_id"]) == (422, "invalid_request"), path
            assert answer.json()["params"]["problems"]
        assert len(server.steps) == before


async def test_the_call_log_is_read_page_by_page() -> None:
    server = SmallServer()
    server.calls.rows = [{"interaction_id": f"pbx1-1763790000.{n}", "queue_id": "support"} for n in range(5)]
    async with serving(server) as client:
        seen, cursor = [], None
        for _ in range(3):
            asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/api/v1/calls", params=asked)).json()
            seen += [call["interaction_id"] for call in page["calls"]]
            cursor = page["next_cursor"]
        assert seen == [row["interaction_id"] for row in server.calls.rows]
        assert cursor is None
        one = await client.get(f"/api/v1/calls/{seen[3]}")
        assert one.json()["interaction_id"] == seen[3]
        wrong = await client.get("/api/v1/calls", params={"cursor": "x"})
        assert (wrong.status_code, wrong.json()["error_id"]) == (422, "bad_cursor")


async def test_an_agent_may_ring_for_the_next_caller_while_the_answer_speaks_of_this_one() -> None:
    server = SmallServer()
    async with serving(server) as client:
        await server.inbox.put(InteractionArrived(interaction_id=CALL))
        await server.inbox.put(InteractionWaiting(interaction_id=CALL, queue_id=QueueId("support")))
        await client.post("/api/v1/agents/a1001/state", json={"state": "signed_in"})
        ready = await client.post("/api/v1/agents/a1001/state", json={"state": "ready"})
        assert isinstance(server.steps[-1].signal, AgentReady)
        assert {fact["fields"].get("agent_id") for fact in ready.json()["facts"]} == {"a1001"}


class _StoppedDatabase(Exception):
    sqlstate = "57P03"  # the database system is starting up


class _RefusedStatement(Exception):
    sqlstate = "42P01"  # there is no such table


@pytest.mark.parametrize(
    ("wrong", "status", "error_id"),
    [
        (ConnectionRefusedError("nobody listens"), 503, "database_away"),
        (FileNotFoundError("no socket"), 503, "database_away"),
        (DBAPIError("SELECT", None, _StoppedDatabase()), 503, "database_away"),
        (DBAPIError("SELECT", None, _RefusedStatement()), 500, "internal_error"),
    ],
)
async def test_a_database_that_is_away_is_not_our_fault(wrong: Exception, status: int, error_id: str) -> None:
    class AwayLog(RowLog):
        async def one(self, interaction_id: InteractionId, sight: Sight) -> Mapping[str, Any] | None:
            raise wrong

    async with serving(SmallServer(calls=AwayLog())) as client:
        answer = await client.get("/api/v1/calls/pbx1-1763790000.7")
    assert answer.status_code == status
    assert answer.json()["error_id"] == error_id

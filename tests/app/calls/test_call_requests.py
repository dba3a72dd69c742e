"""The calls over HTTP: filters from the query, sight from the role, exports that are refused in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.auth.keys import KeyRing
from app.auth.permissions import Role
from app.auth.principal import Principal
from app.calls import endpoints
from app.calls.rules import Sight
from routing.ids import AgentId, TeamId
from tests.app.http.web import SmallServer, app_of, serving

CALL = {
    "interaction_id": "pbx1-1763790000.7",
    "queue_id": "support",
    "started_at": datetime(2025, 11, 22, 5, 40, tzinfo=UTC),
    "answered_at": None,
    "ended_at": None,
    "wait_ms": 1_500,
    "talk_ms": 0,
    "hold_ms": 0,
    "wrap_up_ms": 0,
    "offer_count": 0,
}


class _Ring(KeyRing):
    """Lets one principal in, whatever is sent: stands for sign-in."""

    def __init__(self, principal: Principal) -> None:
        super().__init__(())
        self._principal = principal

    def principal_of(self, key: str) -> Principal | None:
        return self._principal


async def _ask(server: SmallServer, principal: Principal, path: str, **asked: str) -> Any:
    async with serving(server) as client:
        app = client._transport.app  # type: ignore[attr-defined]  # the application that the client asks
        app.state.keys = _Ring(principal)
        return await client.get(f"/api/v1/calls{path}", params=asked)


ADMINISTRATOR = Principal(role=Role.ADMINISTRATOR, name="root")
SUPERVISOR = Principal(role=Role.SUPERVISOR, name="sue", team_ids=frozenset({TeamId("front")}))
AGENT = Principal(role=Role.AGENT, name="ana", agent_id=AgentId("a1001"))


async def test_the_query_becomes_a_filter() -> None:
    server = SmallServer()
    asked = {
        "since": "2026-11-24T08:00:00+08:00",
        "number": "0911 000 123",
        "queue_id": "support",
        "wait_min_ms": "20000",
        "text": " 王 ",
        "direction": "in",
    }
    answer = await _ask(server, ADMINISTRATOR, "", **asked)
    assert answer.status_code == 200, answer.text
    wanted, sight = server.calls.asked[-1]
    assert wanted.since == datetime(2026, 11, 24, tzinfo=UTC)
    assert "+886911000123" in wanted.numbers
    assert (wanted.queue_id, wanted.wait_min_ms, wanted.text) == ("support", 20_000, "王")
    assert sight == Sight()


@pytest.mark.parametrize(
    ("principal", "sight"),
    [
        (SUPERVISOR, Sight(team_ids=frozenset({TeamId("front")}))),
        (AGENT, Sight(agent_id=AgentId("a1001"))),
        (ADMINISTRATOR, Sight()),
    ],
)
@pytest.mark.parametrize("path", ["", "/pbx1-1763790000.7", "/export.csv"])
async def test_everybody_asks_with_their_own_sight(principal: Principal, sight: Sight, path: str) -> None:
    server = SmallServer()
    server.calls.rows = [CALL]
    answer = await _ask(server, principal, path)
    assert answer.status_code == 200, answer.text
    assert {seen for _, seen in server.calls.asked} == {sight}


@pytest.mark.parametrize(
    ("asked", "status", "error_id"),
    [
        ({"agent_id": "a1002"}, 403, "not_allowed"),
        ({"since": "2026-11-24T08:00:00"}, 422, "no_zone"),
        ({"since": "yesterday"}, 422, "invalid_request"),
        ({"direction": "sideways"}, 422, "invalid_request"),
        ({"wait_min_ms": "-1"}, 422, "invalid_request"),
        ({"queue_id": "no queue"}, 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_asked_is_refused(asked: dict[str, str], status: int, error_id: str) -> None:
    answer = await _ask(SmallServer(), AGENT, "", **asked)
    assert (answer.status_code, answer.json()["error_id"]) == (status, error_id)


async def test_an_export_is_a_file_or_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def server() -> SmallServer:
        made = SmallServer()
        made.calls.rows = [CALL] * 3
        return made

    answer = await _ask(server(), ADMINISTRATOR, "/export.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="calls.csv"'
    assert len(answer.content.decode("utf-8-sig").strip().splitlines()) == 4
    book = await _ask(server(), ADMINISTRATOR, "/export.xlsx")
    assert book.content[:2] == b"PK"
    wrong = await _ask(server(), ADMINISTRATOR, "/export.csv", zone="Asia/Nowhere")
    assert (wrong.status_code, wrong.json()["error_id"]) == (422, "unknown_zone")
    monkeypatch.setattr(endpoints, "CALLS_MAX", 2)
    many = await _ask(server(), ADMINISTRATOR, "/export.csv")
    assert (many.status_code, many.json()["error_id"]) == (422, "too_many_calls")


def test_the_page_finds_its_types_in_the_schema() -> None:
    schemas = app_of(SmallServer()).openapi()["components"]["schemas"]
    assert {"CallList", "CallRow", "CallStory", "CallOffer", "Explanation", "CallChoices"} <= set(schemas)

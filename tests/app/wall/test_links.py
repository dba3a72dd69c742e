"""The links of TVs: a token buys the wall and nothing else, and a revoked one nothing at all."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.auth.permissions import Role
from app.auth.tickets import Tickets
from app.auth.topics import TOPICS, may_follow
from app.db.session import DEFAULT_TENANT, Database
from app.db.tables import wall_link
from app.http.errors import ApiError
from app.wall.links import LINKS_MAX, WallLinks
from tests.app.auth.people import add_account, browser, people, sign_in

pytestmark = pytest.mark.db


def _token(path: str) -> str:
    page, _, token = path.partition("#token=")
    assert page == "/wall"
    return token


async def test_a_token_buys_a_ticket_for_the_wall_and_nothing_else(database: Database) -> None:
    links = WallLinks(database, DEFAULT_TENANT)
    made = await links.make("Lobby", "sue")
    found = links.principal_of(_token(made.path))
    assert found is not None
    link_id, principal = found
    assert (link_id, principal.role, principal.display_name) == (made.link_id, Role.WALL, "Lobby")
    topics = [topic.replace("*", "a1001") for topic in TOPICS]
    assert [one for one in topics if may_follow(principal, one, lambda _agent: None)] == ["wall:all"]


async def test_only_the_tokens_hash_is_kept(database: Database) -> None:
    links = WallLinks(database, DEFAULT_TENANT)
    token = _token((await links.make("Lobby", "sue")).path)
    async with database.transaction(DEFAULT_TENANT) as connection:
        row = (await connection.execute(select(wall_link))).one()
    assert token.encode() not in repr(row).encode()
    assert len(row.token_sha256) == 32


async def test_a_revoked_link_opens_nothing_and_those_who_are_in_are_told(database: Database) -> None:
    links = WallLinks(database, DEFAULT_TENANT)
    told: list[frozenset[UUID]] = []
    links.watch(told.append)
    made = await links.make("Lobby", "sue")
    await links.revoke(made.link_id, "sue")
    assert links.principal_of(_token(made.path)) is None
    assert not links.is_live(made.link_id)
    assert told == [frozenset({made.link_id})]
    assert await links.in_force() == []
    with pytest.raises(ApiError, match="no such link"):
        await links.revoke(UUID(int=1), "sue")


async def test_a_link_that_was_made_or_revoked_elsewhere_is_followed(database: Database) -> None:
    here, elsewhere = WallLinks(database, DEFAULT_TENANT), WallLinks(database, DEFAULT_TENANT)
    told: list[frozenset[UUID]] = []
    here.watch(told.append)
    made = await elsewhere.make("Lobby", "sue")
    await here._follow()
    assert here.principal_of(_token(made.path)) is not None
    await here._follow()
    (listed,) = await here.in_force()
    assert listed.last_seen_at is not None
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(update(wall_link).values(revoked_at=func.now()))
    await here._follow()
    assert here.principal_of(_token(made.path)) is None
    assert told == [frozenset({made.link_id})]


async def test_a_ticket_dies_with_its_link(database: Database) -> None:
    links = WallLinks(database, DEFAULT_TENANT)
    tickets = Tickets(lambda: 0, links.is_live)
    made = await links.make("Lobby", "sue")
    found = links.principal_of(_token(made.path))
    assert found is not None
    before, after = tickets.issue(found[1], found[0]), tickets.issue(found[1], found[0])
    assert tickets.redeem(before) is not None
    await links.revoke(made.link_id, "sue")
    assert tickets.redeem(after) is None


async def test_there_is_a_limit_to_links(database: Database) -> None:
    links = WallLinks(database, DEFAULT_TENANT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        for number in range(LINKS_MAX):
            await connection.execute(
                wall_link.insert().values(
                    tenant_id=DEFAULT_TENANT,
                    link_id=UUID(int=number + 1),
                    token_sha256=number.to_bytes(32, "big"),
                )
            )
    with pytest.raises(ApiError) as refused:
        await links.make("One too many", "sue")
    assert refused.value.error_id == "too_many_links"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(Role.AGENT, False), (Role.SUPERVISOR, True), (Role.PLANNER, False), (Role.ADMINISTRATOR, True)],
)
async def test_who_may_make_links_makes_and_revokes_them_on_the_web(
    database: Database, role: Role, allowed: bool
) -> None:
    app, faces = people(database)
    faces.wall_links = WallLinks(database, DEFAULT_TENANT)  # type: ignore[attr-defined]
    agent_id = "a1001" if role is Role.AGENT else None
    token = await sign_in(faces, await add_account(database, "sue", role, agent_id=agent_id))
    async with browser(app, token) as client, browser(app) as screen:
        made = await client.post("/api/v1/wall/links", json={"name": "  Lobby "})
        assert made.status_code == (201 if allowed else 403)
        if not allowed:
            return
        link = made.json()
        assert (link["name"], link["made_by"]) == ("Lobby", "Sue")
        shown = (await client.get("/api/v1/wall/links")).json()["links"]
        assert [one["link_id"] for one in shown] == [link["link_id"]]
        assert "path" not in shown[0]
        body = {"token": _token(link["path"])}
        ticket = await screen.post("/api/v1/wall/ticket", json=body)
        assert faces.tickets.redeem(ticket.json()["ticket"]) is None, "this server's sessions know no links"
        assert (await client.delete(f"/api/v1/wall/links/{link['link_id']}")).status_code == 204
        over = await screen.post("/api/v1/wall/ticket", json=body)
        assert (over.status_code, over.json()["error_id"]) == (401, "link_over")
        assert (await screen.get("/api/v1/wall/links")).status_code == 401


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * 81])
async def test_a_link_has_a_name_of_one_line(database: Database, name: str) -> None:
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
    async with browser(app, token) as client:
        assert (await client.post("/api/v1/wall/links", json={"name": name})).status_code == 422

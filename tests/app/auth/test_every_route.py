"""Every route and every topic of the real server, asked by every role, against the one table of rights.

What is walked is what the application serves, so that whoever adds a route or a topic is in this test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.auth.permissions import TABLE, Reach, Role
from app.auth.topics import TOPICS, right_of_topic
from tests.app.auth.house import CALLS, FOREIGN, OWN, PEOPLE, House, opened
from tests.app.clones import Clones
from tests.app.http.route_table import Declared, route_table
from tests.app.sockets.pages import hear, last_words, say
from tests.app.topic_check import assert_as_described

pytestmark = [pytest.mark.db, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(clones: Clones, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One house for all tests here: it opens in a second, and nobody changes anything in it."""
    name = await clones.take()
    async with opened(clones.url(name), tmp_path_factory.mktemp("house")) as house:
        yield house
    await clones.give_back(name)


def _reaches(reach: Reach | None, role: Role, agent_id: str) -> bool:
    """Say what the table means: everybody, the teams one leads, oneself."""
    own = {Role.AGENT: Reach.OWN, Role.SUPERVISOR: Reach.TEAMS}.get(role)
    return reach is Reach.ALL or (reach is not None and reach is own and agent_id == OWN)


def _is_allowed(role: Role | None, right: tuple[str, str], agent_id: str) -> bool:
    permission, scope = right
    if role in (None, Role.WALL):
        return False  # a link's token is no key and no session
    reach = TABLE[permission].get(role)  # type: ignore[index, arg-type]
    match scope:
        case "mine":
            return reach is not None
        case "all":
            return reach is Reach.ALL
        case _:
            return _reaches(reach, role, agent_id)  # type: ignore[arg-type]


def _addresses(route: Declared) -> Iterator[tuple[str, str]]:
    """The route's paths: that of one's own team's agent and call, and of another's."""
    for agent_id in (OWN, FOREIGN) if {"{agent_id}", "{interaction_id}"} & set(_inside(route)) else (OWN,):
        path = route.path
        for part in _inside(route):
            known = {"{agent_id}": agent_id, "{interaction_id}": CALLS[agent_id]}
            path = path.replace(part, known.get(part, str(UUID(int=7))))
        yield path, agent_id


def _inside(route: Declared) -> list[str]:
    return ["{" + part.partition("}")[0] + "}" for part in route.path.split("{")[1:]]


async def test_every_route_lets_in_whom_the_table_lets_in_and_nobody_else(house: House) -> None:
    wrong, asked, roles = [], 0, set[Role | None]()
    for route in route_table(house.running.app):
        if route.method == "WEBSOCKET":
            continue
        if not route.rights and route.open_because is None:
            wrong.append(f"{route} declares no right")
        for path, agent_id in _addresses(route):
            for role, someone in house.someone.items():
                status, error_id, missing = await someone.ask(route.method, path)
                asked += 1
                roles.add(role)
                is_refused = status == 401 or error_id in ("not_allowed", "not_signed_in")
                if status >= 500 and (status, path) != (503, "/readyz"):
                    wrong.append(f"{role}: {route.method} {path}: {status} {error_id}")
                if not route.rights:
                    is_right = not is_refused
                else:
                    ((permission, scope),) = route.rights
                    is_right = is_refused is not _is_allowed(role, (permission, scope), agent_id)
                    is_right = is_right and missing in ("", permission)
                    if role in (None, Role.WALL):
                        is_right = is_right and (status, error_id) == (401, "not_signed_in")
                if not is_right:
                    wrong.append(f"{role}: {route.method} {path} {set(route.rights)}: {status} {error_id}")
    assert not wrong, "\n".join(wrong)
    assert roles == {None, *Role}
    assert asked > 500


def _may_follow(role: Role, topic: str) -> bool:
    pattern = topic if topic in TOPICS else f"{topic.rpartition(':')[0]}:*"
    right = TOPICS[pattern]
    reach = TABLE[right.permission].get(role)
    match right.shown:
        case "nobody" | "colleagues":
            return reach is not None
        case "all":
            return reach is Reach.ALL
        case "team":
            return reach is Reach.ALL or (reach is Reach.TEAMS and topic.endswith(":front"))
        case _:
            return _reaches(reach, role, topic.rpartition(":")[2])


def _topics(pattern: str) -> list[str]:
    ids = ("front", "care") if TOPICS[pattern].shown == "team" else (OWN, FOREIGN)
    return [pattern.replace("*", each) for each in ids] if "*" in pattern else [pattern]


async def test_every_topic_is_followed_by_whom_the_table_lets_and_by_nobody_else(house: House) -> None:
    known = house.running.server.faces.live.pump.names()
    assert len(known) > 10
    assert [name for name in known if right_of_topic(name) is None] == [], "a topic that nobody declared"
    wanted = [topic for pattern in TOPICS for topic in _topics(pattern)]
    assert set(wanted) <= set(known), "every one is there: who is refused is refused for a right"
    for role in (*PEOPLE, Role.WALL):
        async with connect(f"ws://{house.running.address}/ws", origin=house.running.origin) as page:  # type: ignore[arg-type]
            await say(page, type="ticket", ticket=await house.someone[role].ticket())
            assert (await hear(page))["type"] == "hello"
            answers = {}
            for topic in [*wanted, "floor:*", "calls:all", f"agent:{OWN}:x"]:
                await say(page, type="subscribe", topic=topic)
                while (told := await hear(page))["type"] == "delta":
                    pass
                answers[topic] = told.get("error_id", told["type"])
        allowed = {topic: topic in wanted and _may_follow(role, topic) for topic in answers}
        said = {topic: "snapshot" if is_allowed else "not_allowed" for topic, is_allowed in allowed.items()}
        assert answers == said, role


async def test_every_value_on_the_wire_is_as_the_pages_types_say(house: House) -> None:
    seen = set()
    for role, topics in (
        (Role.AGENT, [f"agent:{OWN}", "wall:all", "presence:all"]),
        (Role.SUPERVISOR, ["floor:team:front"]),
        (Role.ADMINISTRATOR, ["floor:all"]),
    ):
        async with connect(f"ws://{house.running.address}/ws", origin=house.running.origin) as page:  # type: ignore[arg-type]
            await say(page, type="ticket", ticket=await house.someone[role].ticket())
            assert (await hear(page))["type"] == "hello"
            for topic in topics:
                await say(page, type="subscribe", topic=topic)
                while (told := await hear(page))["type"] == "delta":
                    assert_as_described(told["topic"], told["changes"])
                assert_as_described(topic, told["data"])
                seen |= {f"{topic} {key.partition('/')[0]}" for key in told["data"]}
    desk = {f"agent:{OWN} {key}" for key in ("me", "call", "day", "queue", "pop")}
    boards = {f"{board} {key}" for board in ("wall:all", "floor:all") for key in ("meta", "total", "queue")}
    assert seen >= desk | boards | {"floor:all agent", "floor:team:front agent", "presence:all agent"}


async def test_the_sip_of_a_phone_is_for_agents_with_a_ticket_from_a_page_of_ours(house: House) -> None:
    url = f"ws://{house.running.address}/phone"

    async def status(origin: str, *protocols: str) -> int:
        try:
            async with connect(url, origin=origin, subprotocols=protocols):  # type: ignore[arg-type]
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    ours, forbidden = house.running.origin, 403
    for role in (*PEOPLE, Role.WALL):
        someone = house.someone[role]
        through = 101 if role is Role.AGENT else forbidden  # the others are no agents here
        foreign = await status("http://127.0.0.1:1", "sip", f"ticket.{await someone.ticket()}")
        own = await status(ours, "sip", f"ticket.{await someone.ticket()}")
        assert (foreign, own) == (forbidden, through), role
    for protocols in (("sip",), ("sip", "ticket.x"), ("sip", f"ticket.{'a' * 43}")):
        assert await status(ours, *protocols) == forbidden
    spent = await house.someone[Role.AGENT].ticket()
    shown = [await status(ours, "sip", f"ticket.{spent}") for _ in range(2)]
    assert shown == [101, forbidden], "a ticket opens one socket"


async def test_a_session_and_a_link_that_end_take_their_sockets_with_them(house: House) -> None:
    url = f"ws://{house.running.address}/ws"
    sue, screen = house.someone[Role.SUPERVISOR], house.someone[Role.WALL]
    async with connect(url) as board, connect(url) as wall:
        for page, someone, topic in ((board, sue, "floor:team:front"), (wall, screen, "wall:all")):
            await say(page, type="ticket", ticket=await someone.ticket())
            await say(page, type="subscribe", topic=topic)
            assert [(await hear(page))["type"] for _ in range(2)] == ["hello", "snapshot"]
        late = await screen.ticket()
        revoked = await sue.ask("DELETE", f"/api/v1/wall/links/{house.link_id}")
        assert revoked[0] == 204
        assert await asyncio.wait_for(last_words(wall), 1) == ("signed_out", 1008)
        async with connect(url) as again:
            await say(again, type="ticket", ticket=late)
            assert await last_words(again) == ("signed_out", 1008)
        assert (await sue.ask("DELETE", "/api/v1/session"))[0] == 204
        assert await asyncio.wait_for(last_words(board), 1) == ("signed_out", 1008)


ODD_ORIGINS = (
    "http://evil.example",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}@evil.example",
    "http://evil.example/http://127.0.0.1:{port}",
    "http://127.0.0.1:{port}, http://evil.example",
    "http://0.0.0.0:{port}",
    "http://127.0.0.1",
    "http://127.1:{port}",
    "file://",
    "null",
    "",
)


async def test_no_way_to_write_an_origin_or_a_host_lets_a_foreign_page_in(house: House) -> None:
    agent, port = house.someone[Role.AGENT], house.running.address.partition(":")[2]
    assert (await agent.ask("GET", "/api/v1/session"))[0] == 200
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    socket = f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{key}\r\n"
    own = f"127.0.0.1:{port}"

    async def status(method: str, path: str, origin: str, host: str, more: str, body: str = "") -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        session = agent.headers["Cookie"]
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nCookie: {session}\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        line = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        return int(line.split()[1])

    asked = "X-Holdless: 1\r\nContent-Type: application/json\r\nConnection: close\r\n"
    upgrade = "Connection: Upgrade\r\n" + socket
    for host in (own, "evil.example", f"evil.example:{port}"):
        for odd in ODD_ORIGINS:
            origin = odd.format(port=port)
            answers = (
                await status("GET", "/api/v1/session", origin, host, "Connection: close\r\n"),
                await status("PATCH", "/api/v1/session", origin, host, asked, "{}"),
                await status("POST", "/api/v1/session", origin, host, asked, "{}"),
                await status("GET", "/ws", origin, host, upgrade),
                await status("GET", "/phone", origin, host, upgrade + "Sec-WebSocket-Protocol: sip\r\n"),
            )
            assert answers == (403,) * 5, (host, origin)
    simple = "Content-Type: text/plain\r\nConnection: close\r\n"  # what a form can send
    assert await status("PATCH", "/api/v1/session", f"http://{own}", own, simple, "{}") == 403
    assert await status("PATCH", "/api/v1/session", f"http://{own}", own, asked, "{}") == 200
    assert await status("GET", "/ws", f"HTTP://{own}", own, upgrade) == 101


async def test_the_log_tells_of_foreign_pages_without_being_flooded(house: House) -> None:
    await asyncio.sleep(1)  # what was told before is a second ago
    with capture_logs() as logs:
        for _ in range(50):
            headers = house.someone[Role.AGENT].headers | {"Origin": "http://evil.example"}
            answer = await house.page.get("/api/v1/session", headers=headers)
            assert (answer.status_code, answer.json()["error_id"]) == (403, "insecure_origin")
            with pytest.raises(InvalidStatus):
                async with connect(f"ws://{house.running.address}/ws", origin="http://evil.example"):  # type: ignore[arg-type]
                    pass
    told = [each for each in logs if each["event"] == "a foreign page was refused"]
    assert {(each["origin"], each["path"]) for each in told} == {
        ("http://evil.example", "/api/v1/session"),
        ("http://evil.example", "/ws"),
    }
    assert len(told) <= 6

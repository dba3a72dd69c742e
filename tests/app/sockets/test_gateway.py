"""The socket as pages meet it: greeted by ticket, cut when slow, told why, ended with the session."""

from __future__ import annotations

import asyncio
import random

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.sockets import connection as limits
from app.sockets import rules
from tests.app.sockets.pages import ANA, SESSION, WITHIN_S, hear, last_words, say, served


async def test_a_page_is_greeted_follows_and_acknowledges() -> None:
    async with served() as server, connect(server.url) as page:
        await say(page, type="ticket", ticket="ana")
        hello = await hear(page)
        assert hello == {"type": "hello", "protocol": 1, "epoch": 5, "seq": 0, "server_ms": 1_763_790_000_000}
        server.show("queue/support", {"waiting_count": 0})
        await say(page, type="subscribe", topic="floor:all")
        snapshot = await hear(page)
        assert snapshot["data"] == {"queue/support": {"waiting_count": 0}}
        server.show("queue/support", {"waiting_count": 1})
        delta = await hear(page)
        assert (delta["type"], delta["epoch"]) == ("delta", 5)
        assert delta["seq"] > snapshot["seq"]
        assert delta["changes"] == {"queue/support": {"waiting_count": 1}}
        await say(page, type="ack", pop_id=5_000_000_001)
        await say(page, type="ping")
        assert await hear(page) == {"type": "pong", "server_ms": 1_763_790_000_000}
        assert server.acks == [(ANA, 5_000_000_001)]
        assert server.door.seen == [SESSION]
        await say(page, type="unsubscribe", topic="floor:all")
        server.show("queue/support", {"waiting_count": 2})
        await say(page, type="ping")
        assert (await hear(page))["type"] == "pong"


async def test_who_may_not_or_asks_for_nothing_is_refused() -> None:
    async with served() as server, server.page() as page:
        await say(page, type="subscribe", topic="floor:team:north")
        assert await hear(page) == {"type": "refused", "topic": "floor:team:north", "error_id": "not_allowed"}
        await say(page, type="subscribe", topic="unopened")
        assert (await hear(page))["error_id"] == "unknown_topic"


async def test_no_page_follows_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOPICS_MAX", 1)
    async with served() as server, server.page() as page:
        server.pump.open("agent:a1001")
        for topic in ("floor:all", "floor:all", "agent:a1001"):
            await say(page, type="subscribe", topic=topic)
        answers = [await hear(page) for _ in range(3)]
        assert [answer["type"] for answer in answers] == ["snapshot", "snapshot", "refused"]
        assert answers[2]["error_id"] == "too_many_topics"


@pytest.mark.parametrize("ticket", ["wrong", "", "x" * 10_000])
async def test_without_a_ticket_nobody_comes_in(ticket: str) -> None:
    async with served() as server, server.page(ticket=None) as page:
        await say(page, type="ticket", ticket=ticket)
        assert await last_words(page) == ("signed_out", 1008)


async def test_a_page_that_shows_no_ticket_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TICKET_WITHIN_S", 0.05)
    async with served() as server, server.page(ticket=None) as page:
        assert await last_words(page) == ("signed_out", 1008)


async def test_a_foreign_page_opens_no_socket() -> None:
    async with served() as server:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(server.url, origin="http://foreign"):  # type: ignore[arg-type]
                pass
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "bad_message"), ('{"type":"ticket","ticket":"ana"}', "bad_message")]
)
async def test_what_cannot_be_read_ends_the_socket(text: str, reason: str) -> None:
    async with served() as server, server.page() as page:
        await page.send(text)
        assert await last_words(page) == (reason, 1008)


async def test_bytes_are_no_message() -> None:
    async with served() as server, server.page() as page:
        await page.send(b"\x00")
        assert await last_words(page) == ("bad_message", 1008)


async def test_a_flood_of_messages_ends_the_socket() -> None:
    async with served() as server, server.page() as page:
        try:
            for _ in range(200):
                await say(page, type="ping")
        except ConnectionClosed:
            pass
        assert (await last_words(page))[0] == "too_many_messages"


async def test_a_page_that_says_nothing_for_long_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IDLE_S", 0.1)
    async with served() as server, server.page() as page:
        assert await last_words(page) == ("idle", 1000)


async def test_the_sockets_of_a_session_end_with_it() -> None:
    async with served() as server, server.page() as first, server.page() as second:
        server.gateway.end_sessions({SESSION})
        assert await last_words(first) == ("signed_out", 1008)
        assert await last_words(second) == ("signed_out", 1008)


async def test_a_right_that_is_taken_ends_what_was_followed_by_it() -> None:
    async with served() as server, server.page() as page:
        await say(page, type="subscribe", topic="floor:all")
        await hear(page)
        server.door.topics.clear()
        await say(page, type="ping")
        assert (await hear(page))["error_id"] == "not_allowed"
        server.show("a", 1)
        assert (await hear(page))["type"] == "pong"
        server.door.over.add(SESSION)
        await say(page, type="ping")
        assert await last_words(page) == ("signed_out", 1008)


async def test_at_the_stop_every_page_is_told() -> None:
    async with served() as server, server.page() as page, server.page(ticket=None) as unknown:
        await server.gateway.stop()
        assert await last_words(page) == ("stopping", 1012)
        assert await last_words(unknown) == ("stopping", 1012)
        with pytest.raises(InvalidStatus):
            async with connect(server.url):
                pass


async def test_a_slow_page_is_cut_and_the_others_see_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "QUEUE_BYTES_MAX", 200_000)
    monkeypatch.setattr(rules, "COALESCE_MS", 5)
    rounds = 20
    async with (
        served() as server,
        server.page(max_queue=1, close_timeout=0.1) as slow,
        server.page() as quick,
    ):
        for page in (slow, quick):
            await say(page, type="subscribe", topic="floor:all")
            await hear(page)
        filling = "x" * 50_000  # more than the sockets' own buffers take in a few rounds
        seen = []
        for number in range(rounds):
            server.show("n", [number, filling])
            seen.append((await hear(quick))["changes"]["n"][0])
        assert seen == list(range(rounds))
        registry_value = server.gateway._gone.labels("slow")._value.get()
        async with asyncio.timeout(WITHIN_S):
            while not registry_value:
                await asyncio.sleep(0.01)
                registry_value = server.gateway._gone.labels("slow")._value.get()
        server.show("n", [rounds, ""])
        assert (await hear(quick))["changes"]["n"][0] == rounds


async def _cut(page: ClientConnection) -> None:
    page.transport.abort()
    await page.wait_closed()


@pytest.mark.parametrize("seed", range(3))
async def test_a_page_that_comes_back_after_any_cut_has_missed_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "COALESCE_MS", 10)
    luck = random.Random(seed)
    async with served() as server:
        document: dict[str, int] = {}
        cursor: dict[str, int] | None = None
        resumed = 0
        truth: dict[str, int] = {}

        async def change() -> None:
            for _ in range(luck.randint(0, 3)):
                key = luck.choice("abcd")
                truth[key] = luck.randint(0, 1_000_000)
                server.show(key, truth[key])
                await asyncio.sleep(luck.choice([0, 0, 0.001, 0.012]))

        for _ in range(12):
            async with server.page() as page:
                await say(page, type="subscribe", topic="floor:all", after=cursor)
                await change()
                server.show("end", truth.setdefault("end", 0) + 1)
                truth["end"] += 1
                while document.get("end") != truth["end"]:
                    message = await hear(page)
                    if message["type"] == "snapshot":
                        document = dict(message["data"])
                    else:
                        resumed += cursor is not None
                        document.update(message["changes"])
                    cursor = {"epoch": message["epoch"], "seq": message["seq"]}
                assert document == truth
                await _cut(page)
            await change()
        assert server.pump.hub.resume_count == 11
        assert server.pump.hub.snapshot_count == 1
        assert resumed

"""AmiLink against a server that speaks real bytes: what holds under every fault of the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from telephony.ami.backoff import Backoff
from telephony.ami.codec import AmiMessage
from telephony.ami.connection import WRITE_BYTES_MAX, AmiConnection
from telephony.ami.errors import (
    AmiError,
    AmiInjectionError,
    AmiLinkLost,
    AmiLoginDenied,
    AmiOverloaded,
    AmiProtocolError,
    AmiRefused,
    AmiTimeout,
)
from telephony.ami.link import AmiLink, LinkLimits, LinkState
from telephony.ami.pending import PendingActions
from telephony.ami.ring import EventRing
from tests.telephony.ami.peer import Peer, event, message

QUICK = LinkLimits(
    connect_timeout_s=1.0,
    login_timeout_s=0.3,
    action_timeout_s=0.3,
    list_timeout_s=0.3,
    ping_every_s=0.05,
    ping_timeout_s=0.15,
    drain_timeout_s=1.0,
    denied_retry_s=0.2,
    ring_messages_max=100,
)


@dataclass
class Listener:
    """Everything the link told, in order."""

    told: list[str | AmiMessage] = field(default_factory=list)
    lost: list[AmiError] = field(default_factory=list)
    failed: list[AmiError] = field(default_factory=list)

    def on_message(self, heard: AmiMessage) -> None:
        self.told.append(heard)

    def on_connected(self) -> None:
        self.told.append("connected")

    def on_lost(self, reason: AmiError) -> None:
        self.told.append("lost")
        self.lost.append(reason)

    @property
    def names(self) -> list[str]:
        return [heard if isinstance(heard, str) else heard.name for heard in self.told]


def make_link(peer: Peer, listener: Listener, secret: str = "s3cret", limits: LinkLimits = QUICK) -> AmiLink:
    return AmiLink(
        "127.0.0.1",
        peer.port,
        "holdless",
        secret,
        events=True,
        on_message=listener.on_message,
        on_connected=listener.on_connected,
        on_lost=listener.on_lost,
        on_failed=listener.failed.append,
        limits=limits,
        backoff=Backoff(first_s=0.02, most_s=0.05),
    )


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - a bounded poll, of any condition
            await asyncio.sleep(0.002)


@asynccontextmanager
async def running(link: AmiLink) -> AsyncIterator[AmiLink]:
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert link.state is LinkState.STOPPED
        assert link.pending_count == 0


@asynccontextmanager
async def connected(peer: Peer, listener: Listener, limits: LinkLimits = QUICK) -> AsyncIterator[AmiLink]:
    async with peer, running(make_link(peer, listener, limits=limits)) as link:
        await until(lambda: link.connected and "connected" in listener.told)
        yield link


def success(action: AmiMessage, *pairs: tuple[str, str]) -> bytes:
    return message(("Response", "Success"), ("ActionID", action.get("ActionID", "")), *pairs)


def a_list(action: AmiMessage, *, between: bytes = b"") -> bytes:
    action_id = ("ActionID", action.get("ActionID", ""))
    return (
        success(action, ("EventList", "start"))
        + event("Status", action_id, ("Uniqueid", "1"))
        + between
        + event("Status", action_id, ("Uniqueid", "2"))
        + event("StatusComplete", action_id, ("EventList", "Complete"), ("ListItems", "2"))
    )


async def test_an_action_is_answered_by_its_own_id_whatever_the_order() -> None:
    held: list[AmiMessage] = []

    def answer_backwards(action: AmiMessage) -> bytes | None:
        held.append(action)
        if len(held) < 2:
            return None
        return b"".join(success(late, ("Echo", late.get("Channel", ""))) for late in reversed(held))

    async with connected(Peer(answer=answer_backwards), Listener()) as link:
        first = link.send([("Action", "Redirect"), ("Channel", "one")])
        second = link.send([("Action", "Redirect"), ("Channel", "two")])
        assert (await first).get("Echo") == "one"
        assert (await second).get("Echo") == "two"


async def test_the_secret_does_not_travel() -> None:
    peer = Peer()
    async with connected(peer, Listener()):
        assert all("s3cret" not in action.text for action in peer.received)
        assert peer.asked_for("Login")[0].get("Events") == "on"


async def test_an_error_answer_is_an_answer() -> None:
    def refuse(action: AmiMessage) -> bytes:
        return message(
            ("Response", "Error"), ("ActionID", action.get("ActionID", "")), ("Message", "No such channel")
        )

    async with connected(Peer(answer=refuse), Listener()) as link:
        answer = await link.send([("Action", "Redirect"), ("Channel", "gone")])
        assert not answer.succeeded
        assert answer.get("Message") == "No such channel"
        with pytest.raises(AmiRefused, match="No such channel"):
            await link.list_rows([("Action", "QueueStatus")])


async def test_list_rows_are_returned_without_their_frame() -> None:
    listener = Listener()
    async with connected(Peer(answer=lambda a: a_list(a, between=event("Hangup"))), listener) as link:
        rows = await link.list_rows([("Action", "Status")])
        assert [row.get("Uniqueid") for row in rows] == ["1", "2"]
        await until(lambda: "Hangup" in listener.names)
        assert "Status" not in listener.names


async def test_an_ordered_list_comes_in_stream_order_together_with_the_events_around_it() -> None:
    listener = Listener()
    peer = Peer(answer=lambda a: event("Before") + a_list(a, between=event("Hangup")) + event("After"))
    async with connected(peer, listener) as link:
        action_id = link.begin_list([("Action", "Status")])
        await until(lambda: "After" in listener.names)
        told = [heard for heard in listener.told if isinstance(heard, AmiMessage)]
        assert [heard.name for heard in told] == [
            *("Before", "", "Status", "Hangup", "Status", "StatusComplete", "After")
        ]
        assert [heard.action_id == action_id for heard in told] == [
            False,
            True,
            True,
            False,
            True,
            True,
            False,
        ]
        assert told[1].starts_list
        assert told[5].ends_list


async def test_an_ordered_list_may_be_begun_in_on_connected() -> None:
    listener = Listener()
    async with Peer(answer=a_list) as peer:
        link = make_link(peer, listener)
        link.on_connected = lambda: link.begin_list([("Action", "Status")])
        async with running(link):
            await until(lambda: "StatusComplete" in listener.names)


async def test_a_message_cut_in_the_middle_is_heard_whole() -> None:
    listener = Listener()
    peer = Peer()
    async with connected(peer, listener):
        for byte in event("Hangup", ("Cause", "16")):
            peer.say(bytes([byte]))
            await asyncio.sleep(0)
        await until(lambda: "Hangup" in listener.names)


async def test_what_a_lost_connection_brought_is_heard_before_the_loss_is_told() -> None:
    listener = Listener()
    peer = Peer()
    async with connected(peer, listener):
        peer.say(b"".join(event(f"E{number}") for number in range(90)) + b"Event: Half")
        peer.cut()
        await until(lambda: listener.lost)
        assert listener.names[:92] == ["connected", *(f"E{number}" for number in range(90)), "lost"]
        assert isinstance(listener.lost[0], AmiLinkLost)


async def test_it_comes_back_after_every_cut() -> None:
    listener = Listener()
    peer = Peer()
    async with connected(peer, listener) as link:
        for _ in range(5):
            count_before = link.connected_count
            peer.cut()
            await until(lambda: link.connected_count > count_before and link.connected)  # noqa: B023
        await until(lambda: listener.names.count("connected") == 6)
        assert listener.names == ["connected", "lost"] * 5 + ["connected"]


async def test_waiting_actions_fail_when_the_link_is_lost() -> None:
    peer = Peer()
    async with connected(peer, Listener()) as link:
        answer = link.send([("Action", "Redirect")])
        rows = asyncio.create_task(link.list_rows([("Action", "Status")]))
        await until(lambda: len(peer.asked_for("Status")) == 1)
        peer.cut()
        with pytest.raises(AmiLinkLost):
            await answer
        with pytest.raises(AmiLinkLost):
            await rows


async def test_an_action_that_nobody_answers_fails_in_time_and_a_late_answer_is_counted() -> None:
    peer = Peer()
    async with connected(peer, Listener()) as link:
        answer = link.send([("Action", "Redirect")])
        with pytest.raises(AmiTimeout):
            await answer
        peer.say(success(peer.asked_for("Redirect")[0]))
        await until(lambda: link.unmatched_count == 1)


async def test_a_half_open_connection_is_noticed_and_built_anew() -> None:
    listener = Listener()
    peer = Peer()
    async with connected(peer, listener) as link:
        peer.deaf = True
        await until(lambda: listener.lost)
        assert "no pong" in str(listener.lost[0])
        peer.deaf = False
        await until(lambda: link.connected)


async def test_a_wrong_password_is_its_own_error_and_slows_the_next_attempt() -> None:
    listener = Listener()
    async with Peer() as peer, running(make_link(peer, listener, secret="wrong")) as link:
        await until(lambda: listener.failed)
        assert isinstance(listener.failed[0], AmiLoginDenied)
        begun = asyncio.get_running_loop().time()
        await until(lambda: len(listener.failed) == 2)
        assert asyncio.get_running_loop().time() - begun >= QUICK.denied_retry_s
        assert link.connected_count == 0
        assert listener.told == []


async def test_a_server_that_says_nothing_is_left() -> None:
    listener = Listener()
    async with Peer(banner=b"", deaf=True) as peer, running(make_link(peer, listener)):
        await until(lambda: listener.failed)
        assert isinstance(listener.failed[0], AmiTimeout)


async def test_a_server_that_is_not_there_is_tried_again_until_it_is() -> None:
    listener = Listener()
    peer = Peer()
    async with peer:
        pass
    async with running(make_link(peer, listener)) as link:
        await until(lambda: len(listener.failed) >= 2)
        async with peer:
            await until(lambda: link.connected)


async def test_a_garbled_stream_cuts_the_link() -> None:
    listener = Listener()
    peer = Peer()
    async with connected(peer, listener):
        peer.say(b"\x00\xff" * 200_000)
        await until(lambda: listener.lost)
        assert isinstance(listener.lost[0], AmiProtocolError)
        await until(lambda: peer.logins == 2)


async def test_nothing_is_sent_while_there_is_no_link() -> None:
    link = AmiLink("127.0.0.1", 1, "u", "s", events=False)
    with pytest.raises(AmiLinkLost):
        await link.send([("Action", "Ping")])
    with pytest.raises(AmiLinkLost):
        await link.list_rows([("Action", "Status")])
    with pytest.raises(AmiLinkLost):
        link.begin_list([("Action", "Status")])


async def test_a_hostile_value_is_refused_and_nothing_is_written() -> None:
    peer = Peer()
    async with connected(peer, Listener()) as link:
        hostile = link.send([("Action", "Setvar"), ("Value", "x\r\nAction: Originate")])
        with pytest.raises(AmiInjectionError):
            await hostile
        assert not peer.asked_for("Setvar")
        assert link.pending_count <= 1  # a ping may be under way


async def test_actions_that_wait_are_bounded() -> None:
    limits = LinkLimits(pending_actions_max=10, ping_every_s=60.0)
    async with connected(Peer(), Listener(), limits) as link:
        answers = [link.send([("Action", "Redirect")]) for _ in range(12)]
        assert link.pending_count == 10
        for answer in answers[10:]:
            with pytest.raises(AmiOverloaded):
                await answer


async def test_a_peer_that_does_not_read_gets_no_more_than_the_limit() -> None:
    stopped = asyncio.Event()

    async def never_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()
        writer.close()

    async with await asyncio.start_server(never_read, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        pending = PendingActions(1_000_000)
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: AmiConnection(EventRing(), lambda: None, pending), "127.0.0.1", port
        )
        long_action = [("Action", "Setvar"), *(("Variable", "x" * 900) for _ in range(100))]
        while not connection.write_bytes > WRITE_BYTES_MAX:
            connection.request(long_action, 60.0)
            await asyncio.sleep(0)
        with pytest.raises(AmiOverloaded, match=str(WRITE_BYTES_MAX)):
            connection.request(long_action, 60.0)
        connection.cut(AmiLinkLost("test"))
        stopped.set()
        assert len(pending) == 0


async def test_under_overload_verbose_events_are_shed_and_counted_and_none_that_matters() -> None:
    listener = Listener()
    peer = Peer()
    gate = asyncio.Event()
    heard: list[str] = []

    async def slow(message: AmiMessage) -> None:
        await gate.wait()
        heard.append(message.name)

    async with peer:
        link = make_link(peer, listener)
        link.on_message = slow
        async with running(link):
            await until(lambda: link.connected)
            peer.say(b"".join(event("VarSet") + event("Newexten") for _ in range(200)))
            await until(lambda: sum(link.shed.values()) > 200)
            peer.say(b"".join(event(f"Hangup{number}") for number in range(95)))
            await until(lambda: link.ring_count >= 95)
            gate.set()
            await until(lambda: len([name for name in heard if name.startswith("Hangup")]) == 95)
            assert set(link.shed) == {"VarSet", "Newexten"}
            assert sum(link.shed.values()) + len(heard) == 495
            assert listener.lost == []


async def test_a_ring_full_of_events_that_matter_cuts_the_link_instead_of_losing_one() -> None:
    listener = Listener()
    peer = Peer()
    gate = asyncio.Event()

    async def slow(message: AmiMessage) -> None:
        await gate.wait()

    async with peer:
        link = make_link(peer, listener)
        link.on_message = slow
        async with running(link):
            await until(lambda: link.connected)
            peer.say(b"".join(event("Hangup") for _ in range(300)))
            await until(lambda: link.state is LinkState.DRAINING)
            gate.set()
            await until(lambda: listener.lost)
            assert isinstance(listener.lost[0], AmiOverloaded)
            await until(lambda: link.connected_count == 2)


async def test_a_failure_to_ask_in_on_connected_begins_the_link_anew() -> None:
    listener = Listener()
    async with Peer() as peer:
        link = make_link(peer, listener)

        def impatient() -> None:
            if link.connected_count == 1:
                raise AmiOverloaded("cannot ask")

        link.on_connected = impatient
        async with running(link):
            await until(lambda: link.connected_count == 2)
            assert isinstance(listener.lost[0], AmiOverloaded)


async def test_a_bug_of_the_consumer_is_seen_by_whoever_runs_the_link() -> None:
    async with Peer() as peer:
        link = make_link(peer, Listener())

        def broken(message: AmiMessage) -> None:
            raise KeyError(message.name)

        link.on_message = broken
        task = asyncio.create_task(link.run())
        await until(lambda: link.connected)
        peer.say(event("Hangup"))
        with pytest.raises(KeyError):
            await task
        assert link.state is LinkState.STOPPED


async def test_a_caller_may_ask_for_a_new_connection() -> None:
    listener = Listener()
    peer = Peer()
    async with connected(peer, listener) as link:
        link.reconnect("my picture is in doubt")
        await until(lambda: link.connected_count == 2)
        assert str(listener.lost[0]) == "my picture is in doubt"

"""AmiLink under faults and load: half-open lines, wrong passwords, floods, hostile values."""

from __future__ import annotations

import asyncio

import pytest

from telephony.ami.codec import AmiMessage
from telephony.ami.connection import WRITE_BYTES_MAX, AmiConnection
from telephony.ami.errors import (
    AmiInjectionError,
    AmiLinkLost,
    AmiLoginDenied,
    AmiOverloaded,
    AmiProtocolError,
    AmiTimeout,
)
from telephony.ami.link import AmiLink, LinkLimits, LinkState
from telephony.ami.pending import PendingActions
from telephony.ami.ring import EventRing
from tests.telephony.ami.link_harness import (
    QUICK,
    Listener,
    connected,
    make_link,
    running,
    until,
)
from tests.telephony.ami.peer import Peer, event


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

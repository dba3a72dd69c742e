"""AmiLink against a server that speaks real bytes: actions, lists, order, cuts."""

from __future__ import annotations

import asyncio

import pytest

from telephony.ami.codec import AmiMessage
from telephony.ami.errors import (
    AmiLinkLost,
    AmiRefused,
    AmiTimeout,
)
from tests.telephony.ami.link_harness import (
    Listener,
    a_list,
    connected,
    make_link,
    running,
    success,
    until,
)
from tests.telephony.ami.peer import Peer, event, message


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

"""Commands on their way out: what goes to the control connection, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import cast

import pytest

from routing.commands import EndInteraction, MarkHeard, MoveToQueue, OfferInteraction
from routing.ids import AgentId, InteractionId, PbxId, QueueId
from routing.signals import CommandRefused, Signal
from telephony.ami.codec import AmiMessage
from telephony.ami.link import AmiLink
from telephony.pbx import REDIRECT_TRIES_MAX, AsteriskPbx, PbxState
from tests.telephony.ami.link_harness import until

CALL, OTHER = InteractionId("pbx1-1763790000.1"), InteractionId("pbx1-1763790000.2")


class Wire:
    """Keeps what is sent and never answers."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.answers: list[asyncio.Future[AmiMessage]] = []

    def send(self, action: Iterable[tuple[str, str]]) -> asyncio.Future[AmiMessage]:
        fields = dict(action)
        what = fields.get("Variable") or fields.get("Context") or fields["Action"]
        self.sent.append(f"{what} {fields['Channel'][-1]}")
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    async def answer(self, index: int, message: str = "") -> None:
        """Answer what was sent at this index: with success, or with an error that says *message*."""
        said = "Error" if message else "Success"
        self.answers[index].set_result(AmiMessage.of(("Response", said), ("Message", message)))
        await asyncio.sleep(0)


NOT_UP = "Redirect failed, channel not up."


def pbx_on(wire: Wire, heard: list[Signal] | None = None) -> AsteriskPbx:
    return AsteriskPbx(
        events=cast(AmiLink, Wire()),
        control=cast(AmiLink, wire),
        put=lambda signal: None if heard is None else heard.append(signal),
        pbx_id=PbxId("pbx1"),
        lead=lambda fence: fence,
    )


def move(interaction_id: InteractionId = CALL) -> MoveToQueue:
    return MoveToQueue(
        interaction_id=interaction_id,
        queue_id=QueueId("sales"),
        queued_at_ms=1_000,
        priority_ms=0,
        ring_timeout_ms=15_000,
    )


def offer(interaction_id: InteractionId = CALL) -> OfferInteraction:
    return OfferInteraction(interaction_id=interaction_id, agent_id=AgentId("a1001"), attempt=2)


def _sent(wire: Wire, count: int) -> bool:
    return len(wire.sent) >= count


def places(wire: Wire) -> list[str]:
    """Return what was sent but for the variables."""
    return [sent for sent in wire.sent if not sent.startswith("CC_")]


async def test_an_offer_after_a_move_takes_its_place_because_the_second_redirect_would_be_refused() -> None:
    wire = Wire()
    pbx = pbx_on(wire)
    pbx.send(move(), 1)
    pbx.send(offer(), 1)
    await asyncio.sleep(0)
    assert wire.sent == ["CC_QUEUE 1", "CC_QUEUED_AT 1", "CC_PRIORITY 1", "CC_RING_S 1", "cc-go 1"]


async def test_a_move_alone_is_sent_in_the_loops_next_turn() -> None:
    wire = Wire()
    pbx = pbx_on(wire)
    pbx.send(move(), 1)
    pbx.send(MarkHeard(interaction_id=CALL, heard_at_ms=5_000), 1)
    assert places(wire) == []
    await asyncio.sleep(0)
    assert places(wire) == ["cc-wait 1"]
    pbx.send(offer(), 1)
    assert places(wire) == ["cc-wait 1", "cc-go 1"]


async def test_the_offer_of_one_caller_leaves_the_move_of_another_alone() -> None:
    wire = Wire()
    pbx = pbx_on(wire)
    pbx.send(move(OTHER), 1)
    pbx.send(move(CALL), 1)
    pbx.send(offer(CALL), 1)
    await asyncio.sleep(0)
    assert places(wire) == ["cc-go 1", "cc-wait 2"]


async def test_who_is_to_be_hung_up_is_not_moved_first() -> None:
    wire = Wire()
    pbx = pbx_on(wire)
    pbx.send(move(), 1)
    pbx.send(EndInteraction(interaction_id=CALL), 1)
    await asyncio.sleep(0)
    assert places(wire) == ["Hangup 1"]


async def test_a_redirect_refused_because_another_is_under_way_is_sent_again() -> None:
    wire, heard = Wire(), list[Signal]()
    pbx = pbx_on(wire, heard)
    pbx.send(offer(), 1)
    await wire.answer(0, NOT_UP)
    await until(lambda: len(wire.sent) == 2)
    await wire.answer(1)
    assert wire.sent == ["cc-go 1"] * 2
    assert heard == []


async def test_a_redirect_refused_because_another_is_under_way_yields_to_a_newer_one() -> None:
    wire, heard = Wire(), list[Signal]()
    pbx = pbx_on(wire, heard)
    pbx.send(move(), 1)
    await asyncio.sleep(0)
    pbx.send(offer(), 1)
    await wire.answer(4, NOT_UP)
    await wire.answer(5)
    await asyncio.sleep(0.05)
    assert places(wire) == ["cc-wait 1", "cc-go 1"]
    assert heard == []


async def test_a_redirect_that_is_refused_again_and_again_is_reported() -> None:
    wire, heard = Wire(), list[Signal]()
    pbx = pbx_on(wire, heard)
    pbx.send(offer(), 1)
    for index in range(REDIRECT_TRIES_MAX):
        await until(partial(_sent, wire, index + 1))
        await wire.answer(index, NOT_UP)
    assert [(type(signal), signal.reason) for signal in heard if isinstance(signal, CommandRefused)] == [
        (CommandRefused, "unknown_channel")
    ]


async def test_a_redirect_of_a_channel_that_is_gone_is_reported_at_once() -> None:
    wire, heard = Wire(), list[Signal]()
    pbx = pbx_on(wire, heard)
    pbx.send(offer(), 1)
    await wire.answer(0, "Channel does not exist: pbx1-1763790000.1")
    assert len(heard) == 1
    assert wire.sent == ["cc-go 1"]


class Deposed(Exception):
    """What ``lead`` raises when another server leads."""


class Link(Wire):
    """Answers everything at once, as a PBX whose fence is *fence*; ``run`` connects and stays."""

    def __init__(self, fence: int) -> None:
        super().__init__()
        self.fence = fence
        self.connected = False
        self.reconnects: list[str] = []
        self.on_connected: Callable[[], object] = lambda: None
        self.on_message: Callable[[AmiMessage], object] = lambda message: None

    async def run(self) -> None:
        self.connected = True
        self.on_connected()
        await asyncio.Event().wait()

    def send(self, action: Iterable[tuple[str, str]]) -> asyncio.Future[AmiMessage]:
        answer: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
        answer.set_result(
            AmiMessage.of(("Response", "Success"), ("SystemName", "pbx1"), ("Value", str(self.fence)))
        )
        return answer

    def begin_list(self, action: Iterable[tuple[str, str]]) -> str:
        asyncio.get_running_loop().call_soon(
            self.on_message, AmiMessage.of(("Response", "Success"), ("ActionID", dict(action)["Action"]))
        )
        return dict(action)["Action"]

    def reconnect(self, reason: str) -> None:
        self.reconnects.append(reason)


def refused_by_the_fence(epoch: int) -> AmiMessage:
    return AmiMessage.of(
        ("Event", "UserEvent"),
        ("UserEvent", "CCRefused"),
        ("CallID", CALL),
        ("Agent", "a1001"),
        ("Attempt", "1"),
        ("Epoch", str(epoch)),
        ("Reason", "fence"),
    )


async def test_an_offer_of_ours_refused_by_the_fence_makes_us_read_the_pbx_anew() -> None:
    link, heard = Link(fence=5), list[Signal]()
    pbx = AsteriskPbx(
        events=cast(AmiLink, link),
        control=cast(AmiLink, Link(fence=5)),
        put=heard.append,
        pbx_id=PbxId("pbx1"),
        lead=lambda fence: 6,
    )
    running = asyncio.create_task(pbx.run())
    await until(lambda: pbx.state is PbxState.LIVE)
    del heard[:]
    link.on_message(refused_by_the_fence(5))
    assert (heard, link.reconnects) == ([], [])
    link.on_message(refused_by_the_fence(6))
    assert (heard, link.reconnects) == ([], ["the fence refused an offer of ours"])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_server_that_another_one_has_deposed_ends_with_that_reason() -> None:
    def lead(fence: int) -> int:
        raise Deposed

    pbx = AsteriskPbx(
        events=cast(AmiLink, Link(fence=9)),
        control=cast(AmiLink, Link(fence=9)),
        put=lambda signal: None,
        pbx_id=PbxId("pbx1"),
        lead=lead,
    )
    with pytest.raises(Deposed):
        await pbx.run()

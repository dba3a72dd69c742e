"""Commands on their way out: what goes to the control connection, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

from routing.commands import EndInteraction, MarkHeard, MoveToQueue, OfferInteraction
from routing.ids import AgentId, InteractionId, PbxId, QueueId
from telephony.ami.codec import AmiMessage
from telephony.ami.link import AmiLink
from telephony.pbx import AsteriskPbx

CALL, OTHER = InteractionId("pbx1-1763790000.1"), InteractionId("pbx1-1763790000.2")


class Wire:
    """Keeps what is sent and never answers."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, action: Iterable[tuple[str, str]]) -> asyncio.Future[AmiMessage]:
        fields = dict(action)
        what = fields.get("Variable") or fields.get("Context") or fields["Action"]
        self.sent.append(f"{what} {fields['Channel'][-1]}")
        return asyncio.get_running_loop().create_future()


def pbx_on(wire: Wire) -> AsteriskPbx:
    return AsteriskPbx(
        events=cast(AmiLink, Wire()),
        control=cast(AmiLink, wire),
        put=lambda signal: None,
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

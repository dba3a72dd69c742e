from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing import commands as cmd
from routing import events as ev
from routing import signals as sig
from routing.ids import BootId
from routing.signals import PbxPhase
from tests.routing.desk import ANA, BEN, C1, C2, C3, CLO, PBX, SALES, SUPPORT, Desk, config


def snapshot(desk: Desk, at_ms: int, *seen: sig.InteractionSeen, boot: str = "b1") -> None:
    desk.say(sig.PbxSnapshotTaken(at_ms=at_ms, pbx_id=PBX, boot_id=BootId(boot), interactions=seen))


def seen(interaction_id: Any, phase: PbxPhase, **more: Any) -> sig.InteractionSeen:
    return sig.InteractionSeen(interaction_id=interaction_id, phase=phase, queue_id=SUPPORT, **more)


def test_nothing_is_offered_while_the_pbx_cannot_be_heard() -> None:
    desk = Desk()
    desk.wait(C1, 100)
    desk.say(sig.PbxLinkLost(at_ms=200, pbx_id=PBX))
    desk.say(sig.AgentSignedIn(at_ms=300, agent_id=BEN))
    desk.say(sig.AgentReady(at_ms=300, agent_id=BEN))
    assert desk.quiet(cmd.OfferInteraction)
    snapshot(desk, 400, seen(C1, PbxPhase.WAITING, queued_at_ms=100))
    assert desk.said(cmd.OfferInteraction).interaction_id == C1


def test_unknown_waiting_callers_are_adopted_in_their_order_with_their_attempts() -> None:
    desk = Desk()
    snapshot(
        desk,
        50_000,
        seen(C2, PbxPhase.WAITING, queued_at_ms=20_000, attempt=4),
        seen(C1, PbxPhase.WAITING, queued_at_ms=10_000, attempt=7),
    )
    assert [c.interaction_id for c in desk.commands if isinstance(c, cmd.MarkHeard)] == [C1, C2]
    desk.say(sig.AgentSignedIn(at_ms=60_000, agent_id=BEN))
    desk.say(sig.AgentReady(at_ms=60_000, agent_id=BEN))
    assert desk.said(cmd.OfferInteraction) == cmd.OfferInteraction(interaction_id=C1, agent_id=BEN, attempt=8)
    assert desk.said(ev.InteractionOffered).wait_ms == 50_000


def test_a_caller_gone_meanwhile_is_closed_as_lost_and_his_agent_wraps_up() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.PbxLinkLost(at_ms=2_000, pbx_id=PBX))
    snapshot(desk, 9_000)
    assert desk.said(ev.ContactEnded).reason == "lost"
    assert desk.state(BEN) == "wrap_up"


def test_a_restarted_pbx_has_lost_everybody() -> None:
    desk = Desk(BEN)
    snapshot(desk, 500)
    desk.wait(C1, 1_000)
    desk.wait(C2, 1_000)
    snapshot(desk, 9_000, boot="b2")
    exits = [event.exit for event in desk.events if isinstance(event, ev.QueueLeft)]
    assert exits == [ev.QueueExit.LOST_WITH_PBX] * 2
    assert desk.state(BEN) == "ready"


def test_a_talk_that_began_unheard_is_adopted_on_its_agent() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 1_000)
    desk.say(sig.PbxLinkLost(at_ms=2_000, pbx_id=PBX))
    snapshot(desk, 30_000, seen(C1, PbxPhase.TALKING, agent_id=BEN, attempt=1, bridged=True))
    assert desk.state(BEN) == "talking"
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.ANSWERED


def test_an_agent_who_answered_while_the_server_was_down_is_not_blamed_for_the_ring() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 1_000)
    desk.ring(C1, BEN, 1_100)
    desk.say(sig.PbxLinkLost(at_ms=60_000, pbx_id=PBX, reason="boot"))
    assert desk.quiet(ev.OfferNotAnswered)
    assert desk.quiet(cmd.MoveToQueue)
    assert desk.said(ev.PbxLinkChanged).up is False
    snapshot(desk, 60_200, seen(C1, PbxPhase.TALKING, agent_id=BEN, attempt=1, bridged=True))
    assert desk.state(BEN) == "talking"
    desk.end(C1, 90_000)
    desk.later(200_000)
    assert desk.state(BEN) == "ready"


def test_a_caller_served_by_the_fallback_is_never_pulled_back() -> None:
    desk = Desk(BEN)
    snapshot(desk, 1_000, seen(C1, PbxPhase.FALLBACK, agent_id=CLO, served_by_fallback=True))
    assert desk.quiet(cmd.OfferInteraction)
    assert desk.said(ev.InteractionHandedOver).agent_id == CLO


def test_an_offer_that_the_pbx_never_saw_goes_back_with_the_agents_place_kept() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 1_000)
    desk.say(sig.PbxLinkLost(at_ms=1_001, pbx_id=PBX))
    snapshot(desk, 30_000, seen(C1, PbxPhase.WAITING, queued_at_ms=1_000))
    assert desk.said(ev.OfferWithdrawn).reason == "link_lost"
    assert desk.said(cmd.OfferInteraction).attempt == 2
    assert desk.engine.centre.agents[BEN].ready_since_ms == 0


def test_callers_of_a_removed_queue_go_to_the_default_queue_and_keep_their_place() -> None:
    desk = Desk()
    desk.wait(C1, 1_000, SALES)
    edited = replace(config(), queues=config().queues[:1])
    desk.say(sig.ConfigChanged(at_ms=5_000, version=2, config=edited))
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.OVERFLOWED
    assert desk.said(ev.QueueEntered).queue_id == SUPPORT
    assert desk.said(cmd.MoveToQueue).queued_at_ms == 1_000


def test_a_new_skill_makes_a_ready_agent_eligible_at_once() -> None:
    desk = Desk(CLO)
    desk.wait(C1, 1_000)
    assert desk.quiet(cmd.OfferInteraction)
    clo, ben = config().agents[2], config().agents[1]
    edited = replace(config(), agents=(replace(clo, skills=ben.skills),))
    desk.say(sig.ConfigChanged(at_ms=2_000, version=2, config=edited))
    assert desk.said(cmd.OfferInteraction).agent_id == CLO
    assert desk.said(cmd.JoinFallback).queue_id == SUPPORT


def test_membership_of_the_fallback_queues_follows_the_agent() -> None:
    desk = Desk()
    desk.say(sig.AgentSignedIn(at_ms=1, agent_id=ANA))
    joined = [c.queue_id for c in desk.commands if isinstance(c, cmd.JoinFallback)]
    assert joined == [SALES, SUPPORT]
    desk.say(sig.AgentReady(at_ms=2, agent_id=ANA))
    assert desk.said(cmd.PauseFallback).paused is False
    desk.say(sig.AgentNotReady(at_ms=3, agent_id=ANA, reason="lunch"))
    assert desk.said(cmd.PauseFallback) == cmd.PauseFallback(agent_id=ANA, paused=True, reason="lunch")
    desk.say(sig.AgentSignedOut(at_ms=4, agent_id=ANA))
    assert [c.queue_id for c in desk.commands if isinstance(c, cmd.LeaveFallback)] == [SALES, SUPPORT]


def test_a_correction_creates_and_closes_what_the_events_missed() -> None:
    desk = Desk()
    desk.say(sig.CallFactCorrected(at_ms=90_000, interaction_id=C3, started_ms=10_000, ended_ms=70_000))
    assert desk.said(ev.ContactStarted).occurred_ms == 10_000
    assert desk.said(ev.ContactEnded).occurred_ms == 70_000
    desk.wait(C1, 91_000)
    desk.say(sig.CallFactCorrected(at_ms=99_000, interaction_id=C1, started_ms=91_000, ended_ms=98_000))
    assert desk.said(ev.QueueLeft).wait_ms == 7_000

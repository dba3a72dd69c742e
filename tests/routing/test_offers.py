from __future__ import annotations

from routing import commands as cmd
from routing import events as ev
from routing import signals as sig
from routing.signals import OfferFailure
from tests.routing.desk import ANA, BEN, C1, C2, CLO, SALES, Desk


def test_a_caller_goes_to_the_agent_longest_ready() -> None:
    desk = Desk(BEN, ANA)
    desk.wait(C1, 100)
    assert desk.said(cmd.OfferInteraction) == cmd.OfferInteraction(interaction_id=C1, agent_id=BEN, attempt=1)
    why = desk.said(ev.InteractionOffered).explanation
    assert why["chosen"] == BEN
    assert why["runner_up"] == ANA
    assert why["candidate_count"] == 2


def test_agents_ready_at_the_same_moment_are_chosen_by_id() -> None:
    desk = Desk(BEN)
    desk.say(sig.AgentSignedIn(at_ms=0, agent_id=ANA))
    desk.say(sig.AgentReady(at_ms=0, agent_id=ANA))
    desk.wait(C1, 100)
    assert desk.said(cmd.OfferInteraction).agent_id == ANA


def test_unanswered_offer_moves_to_the_next_longest_ready_agent_in_the_same_step() -> None:
    desk = Desk(BEN, ANA)
    desk.wait(C1, 100)
    desk.ring(C1, BEN, 150)
    desk.fail(C1, BEN, 15_150, OfferFailure.NO_ANSWER)
    assert desk.said(ev.OfferNotAnswered).rang_ms == 15_000
    assert desk.state(BEN) == "not_ready(ring_no_answer)"
    assert desk.said(cmd.OfferInteraction) == cmd.OfferInteraction(interaction_id=C1, agent_id=ANA, attempt=2)


def test_a_phone_that_never_rang_is_dead_and_its_agent_did_not_let_it_ring() -> None:
    desk = Desk(BEN, ANA)
    desk.wait(C1, 100)
    desk.fail(C1, BEN, 3_150, OfferFailure.NO_ANSWER)
    assert desk.said(ev.OfferDeclined).cause is OfferFailure.DEVICE_ERROR
    assert desk.state(BEN) == "not_ready(device_lost)"
    assert desk.said(cmd.OfferInteraction).agent_id == ANA


def test_a_phone_that_says_no_answer_without_ringing_lives() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.say(
        sig.OfferFailed(
            at_ms=200,
            interaction_id=C1,
            agent_id=BEN,
            attempt=1,
            cause=OfferFailure.NO_ANSWER,
            hangup_cause=19,
        )
    )
    assert desk.state(BEN) == "not_ready(ring_no_answer)"


def test_who_let_it_ring_gets_it_again_only_after_making_himself_ready() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.ring(C1, BEN, 150)
    desk.fail(C1, BEN, 15_150, OfferFailure.NO_ANSWER)
    desk.wait(C2, 16_000)
    assert desk.quiet(cmd.OfferInteraction)
    desk.say(sig.AgentReady(at_ms=20_000, agent_id=BEN))
    assert desk.said(cmd.OfferInteraction) == cmd.OfferInteraction(interaction_id=C1, agent_id=BEN, attempt=2)


def test_a_rejected_call_keeps_its_place_and_the_agent_stands_down() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.ring(C1, BEN, 150)
    desk.wait(C2, 200)
    desk.fail(C1, BEN, 300, OfferFailure.REJECTED)
    assert desk.said(ev.OfferDeclined).cause is OfferFailure.REJECTED
    assert desk.state(BEN) == "not_ready(rejected)"
    desk.say(sig.AgentSignedIn(at_ms=400, agent_id=ANA))
    desk.say(sig.AgentReady(at_ms=500, agent_id=ANA))
    assert desk.said(cmd.OfferInteraction).interaction_id == C1


def test_a_dead_phone_stands_down_and_when_reachable_for_three_seconds_gets_its_caller_again() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.fail(C1, BEN, 200, OfferFailure.DEVICE_ERROR)
    desk.say(sig.DeviceLost(at_ms=210, agent_id=BEN))
    assert desk.state(BEN) == "not_ready(device_lost)"
    desk.say(sig.DeviceReachable(at_ms=10_000, agent_id=BEN))
    assert desk.state(BEN) == "not_ready(device_lost)"
    desk.later(13_000)
    assert desk.state(BEN) == "reserved"  # nobody else can serve the caller, and Ben need not ask for him
    offered = desk.said(cmd.OfferInteraction)
    assert (offered.interaction_id, offered.attempt) == (C1, 2)
    assert desk.engine.centre.agents[BEN].ready_since_ms == 0


def test_a_busy_phone_is_nobodys_fault_and_is_tried_again_when_free() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.fail(C1, BEN, 200, OfferFailure.DEVICE_BUSY)
    assert desk.state(BEN) == "busy_elsewhere(device_busy)"
    desk.say(sig.AgentFreeElsewhere(at_ms=300, agent_id=BEN))
    assert desk.said(cmd.OfferInteraction).attempt == 2


def test_a_busy_phone_that_never_reports_free_is_tried_again_after_a_bounded_while() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.fail(C1, BEN, 200, OfferFailure.DEVICE_BUSY)
    desk.later(2_199)
    assert desk.quiet(cmd.OfferInteraction)
    desk.later(2_200)
    assert desk.said(cmd.OfferInteraction).attempt == 2


def test_a_stale_offer_costs_nobody_and_is_not_repeated_at_once() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.fail(C1, BEN, 200, OfferFailure.STALE)
    assert desk.state(BEN) == "ready"
    assert desk.quiet(cmd.OfferInteraction)
    desk.wait(C1, 300, attempt=5)
    desk.later(1_200)
    assert desk.said(cmd.OfferInteraction).attempt == 6


def test_an_offer_that_does_not_ring_within_five_seconds_is_taken_from_the_phone() -> None:
    desk = Desk(BEN, ANA)
    desk.wait(C1, 100)
    desk.later(5_100)
    assert desk.said(cmd.MoveToQueue).interaction_id == C1
    assert desk.state(BEN) == "not_ready(device_lost)"
    assert desk.said(cmd.OfferInteraction).agent_id == ANA


def test_an_offer_without_a_report_ends_three_seconds_after_the_ring_timeout() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.ring(C1, BEN, 200)
    desk.later(18_199)
    assert desk.quiet(cmd.MoveToQueue)
    desk.later(18_200)
    assert desk.said(cmd.MoveToQueue).queued_at_ms == 100
    assert desk.state(BEN) == "not_ready(ring_no_answer)"


def test_a_caller_who_leaves_while_it_rings_gives_the_agent_his_old_place_back() -> None:
    desk = Desk(BEN, ANA)
    desk.wait(C1, 100)
    desk.ring(C1, BEN, 200)
    desk.end(C1, 9_000)
    assert desk.said(ev.OfferWithdrawn).rang_ms == 8_800
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.ABANDONED
    desk.wait(C2, 10_000)
    assert desk.said(cmd.OfferInteraction).agent_id == BEN


def test_an_answer_after_the_hang_up_is_ignored() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.end(C1, 200)
    desk.answer(C1, BEN, 300)
    assert desk.said(ev.SignalIgnored).reason == "interaction_ended"
    assert desk.state(BEN) == "ready"


def test_a_refused_hand_over_to_an_unknown_channel_is_closed_as_lost_after_a_grace() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    desk.say(
        sig.CommandRefused(
            at_ms=150, command="OfferInteraction", reason="unknown_channel", interaction_id=C1, attempt=1
        )
    )
    assert desk.state(BEN) == "ready"
    desk.later(10_150)
    assert desk.said(ev.ContactEnded).reason == "lost"


def test_a_timeout_that_fell_due_while_the_caller_seemed_gone_is_applied_when_it_makes_its_lap() -> None:
    desk = Desk(queue_timeout_ms=30_000)
    desk.wait(C1, 100)
    desk.say(
        sig.CommandRefused(at_ms=25_000, command="MarkHeard", reason="unknown_channel", interaction_id=C1)
    )
    desk.later(30_100)
    assert desk.quiet(cmd.HandToFallback)
    desk.wait(C1, 31_000, lap=3)
    assert desk.said(cmd.HandToFallback).interaction_id == C1
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.QUEUE_TIMEOUT


def test_a_caller_beyond_max_wait_precedes_one_with_a_head_start() -> None:
    desk = Desk(max_wait_ms=60_000)
    desk.wait(C1, 1_000)
    desk.wait(C2, 50_000, SALES, priority_ms=100_000)
    desk.say(sig.AgentSignedIn(at_ms=60_900, agent_id=ANA))
    desk.say(sig.AgentReady(at_ms=61_000, agent_id=ANA))
    assert desk.said(cmd.OfferInteraction).interaction_id == C1
    why = desk.said(ev.InteractionOffered).explanation
    assert why["not_chosen"] == [{"id": C2, "why": "within_max_wait"}]


def test_a_head_start_goes_first_within_max_wait() -> None:
    desk = Desk()
    desk.wait(C1, 1_000)
    desk.wait(C2, 2_000, SALES, priority_ms=5_000)
    desk.say(sig.AgentSignedIn(at_ms=3_000, agent_id=ANA))
    desk.say(sig.AgentReady(at_ms=3_000, agent_id=ANA))
    assert desk.said(cmd.OfferInteraction).interaction_id == C2


def test_an_offer_ends_when_the_agent_goes_to_lunch_before_answering() -> None:
    desk = Desk(BEN, ANA)
    desk.wait(C1, 100)
    desk.say(sig.AgentNotReady(at_ms=200, agent_id=BEN, reason="lunch"))
    assert desk.said(ev.OfferWithdrawn).reason == "not_ready"
    assert desk.state(BEN) == "not_ready(lunch)"
    assert desk.said(cmd.OfferInteraction).agent_id == ANA


def test_a_phone_busy_with_our_own_offer_is_no_news() -> None:
    desk = Desk(BEN, CLO)
    desk.wait(C1, 100)
    desk.say(sig.AgentBusyElsewhere(at_ms=110, agent_id=BEN, evidence="ringing"))
    assert desk.state(BEN) == "reserved"
    desk.say(sig.AgentBusyElsewhere(at_ms=120, agent_id=CLO, evidence="inuse"))
    assert desk.state(CLO) == "busy_elsewhere(inuse)"

from __future__ import annotations

from dataclasses import replace

from routing import commands as cmd
from routing import events as ev
from routing import signals as sig
from routing.engine import Engine
from routing.ids import QueueId
from routing.signals import Party
from tests.routing.desk import ANA, BEN, C1, C2, CLO, SALES, SUPPORT, Desk


def test_an_engine_without_configuration_queues_nothing() -> None:
    engine = Engine()
    engine.step(sig.InteractionArrived(at_ms=1, interaction_id=C1))
    step = engine.step(sig.InteractionWaiting(at_ms=2, interaction_id=C1, queue_id=SUPPORT))
    assert [type(event) for event in step.events] == [ev.SignalIgnored]
    assert step.commands == ()


def test_an_unknown_queue_means_the_default_queue() -> None:
    desk = Desk()
    desk.wait(C1, 100, QueueId("nowhere"))
    assert desk.said(ev.QueueEntered).queue_id == SUPPORT


def test_every_lap_of_a_waiting_caller_is_heard() -> None:
    desk = Desk()
    desk.wait(C1, 100)
    assert desk.said(cmd.MarkHeard) == cmd.MarkHeard(interaction_id=C1, heard_at_ms=100)
    desk.wait(C1, 20_100, lap=2)
    assert desk.said(cmd.MarkHeard).heard_at_ms == 20_100
    assert desk.events == []


def test_a_caller_who_is_offered_at_once_needs_no_mark() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 100)
    assert desk.quiet(cmd.MarkHeard)


def test_a_caller_who_leaves_at_once_is_a_short_abandon_and_a_later_one_is_not() -> None:
    desk = Desk()
    desk.wait(C1, 100)
    desk.end(C1, 5_100)
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.SHORT_ABANDON
    desk.wait(C2, 100_000)
    desk.end(C2, 105_001)
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.ABANDONED
    assert desk.said(ev.QueueLeft).wait_ms == 5_001


def test_a_second_report_of_an_end_is_silent() -> None:
    desk = Desk()
    desk.wait(C1, 100)
    desk.end(C1, 200)
    desk.end(C1, 201)
    assert desk.events == []


def test_a_queue_timeout_hands_the_caller_to_the_fallback() -> None:
    desk = Desk(queue_timeout_ms=30_000)
    desk.wait(C1, 100)
    desk.later(30_100)
    assert desk.said(cmd.HandToFallback).interaction_id == C1
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.QUEUE_TIMEOUT


def test_a_queue_timeout_may_lead_to_another_queue_and_keeps_the_place() -> None:
    desk = Desk(queue_timeout_ms=30_000, queue_timeout_to=SALES)
    desk.wait(C1, 100)
    desk.later(30_100)
    assert desk.quiet(cmd.HandToFallback)
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.QUEUE_TIMEOUT
    entered = desk.said(ev.QueueEntered)
    assert (entered.queue_id, entered.queued_at_ms, entered.visit) == (SALES, 100, 2)
    assert desk.said(cmd.MoveToQueue).queue_id == SALES


def test_whoever_waits_too_long_overflows_to_another_queue_and_may_be_served_at_once() -> None:
    desk = Desk(CLO, overflow_after_ms=8_000, overflow_to=SALES)
    desk.wait(C1, 100)
    desk.later(8_100)
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.OVERFLOWED
    assert desk.said(cmd.OfferInteraction).agent_id == CLO


def test_an_overflow_waits_for_the_end_of_an_offer() -> None:
    desk = Desk(BEN, overflow_after_ms=8_000, overflow_to=SALES)
    desk.wait(C1, 100)
    desk.ring(C1, BEN, 200)
    desk.later(8_100)
    assert desk.quiet(ev.QueueLeft)
    desk.fail(C1, BEN, 15_000, sig.OfferFailure.NO_ANSWER)
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.OVERFLOWED


def test_a_key_that_the_queue_gives_a_meaning_leads_there_and_another_one_does_not() -> None:
    desk = Desk(key_exits={"1": SALES})
    desk.wait(C1, 100)
    desk.say(sig.KeyPressed(at_ms=2_000, interaction_id=C1, digit="2"))
    assert desk.quiet(ev.QueueLeft)
    desk.say(sig.KeyPressed(at_ms=3_000, interaction_id=C1, digit="1"))
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.KEY
    assert desk.said(ev.QueueEntered).queue_id == SALES
    assert desk.said(cmd.MoveToQueue).queue_id == SALES


def test_queues_that_send_callers_to_each_other_stop_at_the_tenth() -> None:
    desk = Desk(key_exits={"1": SALES})
    desk.engine.centre.queues[SALES] = replace(desk.engine.centre.queues[SALES], key_exits={"1": SUPPORT})
    desk.wait(C1, 100)
    for press in range(20):
        desk.say(sig.KeyPressed(at_ms=1_000 + press, interaction_id=C1, digit="1"))
    assert desk.engine.centre.interactions[C1].visit == 10


def test_a_caller_in_the_fallback_has_left_the_queue_and_its_agent_is_busy() -> None:
    desk = Desk()
    desk.wait(C1, 100)
    desk.say(sig.FallbackEntered(at_ms=900, interaction_id=C1, cause="unheard"))
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.FALLBACK
    desk.say(sig.AgentSignedIn(at_ms=910, agent_id=BEN))
    desk.say(sig.AgentReady(at_ms=920, agent_id=BEN))
    assert desk.quiet(cmd.OfferInteraction)
    desk.say(sig.FallbackServed(at_ms=950, interaction_id=C1, agent_id=BEN))
    assert desk.state(BEN) == "busy_elsewhere(fallback)"
    desk.end(C1, 2_000)
    assert desk.state(BEN) == "ready"


def test_talk_hold_and_wrap_up_are_measured_exactly() -> None:
    desk = Desk(BEN)
    desk.wait(C1, 1_000)
    desk.ring(C1, BEN, 1_200)
    desk.answer(C1, BEN, 4_200)
    answered = desk.said(ev.InteractionAnswered)
    assert (answered.wait_ms, answered.ring_ms) == (3_200, 3_000)
    desk.say(sig.InteractionHeld(at_ms=10_200, interaction_id=C1, agent_id=BEN))
    assert desk.state(BEN) == "holding"
    desk.say(sig.InteractionUnheld(at_ms=13_200, interaction_id=C1, agent_id=BEN))
    desk.end(C1, 20_200)
    talk = desk.said(ev.TalkEnded)
    assert (talk.talk_ms, talk.hold_ms, talk.ended_by) == (13_000, 3_000, Party.CUSTOMER)
    assert desk.said(ev.WrapUpStarted).until_ms == 50_200
    desk.later(50_200)
    assert desk.said(ev.WrapUpDone).wrap_up_ms == 30_000
    assert desk.state(BEN) == "ready"


def test_the_agent_who_hangs_up_first_is_named() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.AgentLegEnded(at_ms=5_000, interaction_id=C1, agent_id=BEN))
    assert desk.said(ev.TalkEnded).ended_by is Party.AGENT
    desk.end(C1, 5_100, Party.UNKNOWN)
    assert desk.said(ev.ContactEnded).ended_by is Party.AGENT


def test_what_is_asked_for_during_the_call_takes_effect_after_the_wrap_up() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.AgentNotReady(at_ms=2_000, agent_id=BEN, reason="lunch"))
    assert desk.state(BEN) == "talking"
    desk.end(C1, 3_000)
    assert desk.state(BEN) == "wrap_up"
    desk.say(sig.WrapUpEnded(at_ms=4_000, agent_id=BEN))
    assert desk.state(BEN) == "not_ready(lunch)"


def test_signing_out_during_the_call_takes_effect_after_the_wrap_up() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.AgentSignedOut(at_ms=2_000, agent_id=BEN))
    desk.end(C1, 3_000)
    desk.later(33_000)
    assert desk.state(BEN) == "signed_out"


def test_a_wrap_up_can_be_lengthened_and_a_manual_one_ends_by_hand_only() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.end(C1, 2_000)
    desk.say(sig.WrapUpExtended(at_ms=3_000, agent_id=BEN, extend_ms=10_000))
    assert desk.said(ev.WrapUpLengthened).until_ms == 42_000
    desk.later(41_999)
    assert desk.state(BEN) == "wrap_up"
    manual = Desk(BEN, wrap_up_mode="manual")
    manual.talking(C1, BEN, 1_000)
    manual.end(C1, 2_000)
    manual.later(9_999_999)
    assert manual.state(BEN) == "wrap_up"
    manual.say(sig.AgentReady(at_ms=10_000_000, agent_id=BEN))
    assert manual.state(BEN) == "ready"


def test_no_wrap_up_and_an_optional_one_that_was_not_asked_for_lead_straight_to_ready() -> None:
    for mode in ("none", "optional"):
        desk = Desk(BEN, wrap_up_mode=mode)
        desk.talking(C1, BEN, 1_000)
        desk.end(C1, 2_000)
        assert desk.state(BEN) == "ready"


def test_a_code_is_taken_during_the_call_and_after_it_from_the_agent_who_had_it() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.end(C1, 2_000)
    desk.later(60_000)
    desk.say(sig.WrapUpCoded(at_ms=61_000, agent_id=BEN, interaction_id=C1, code="sold"))
    assert desk.said(ev.WrapUpCodeGiven).code == "sold"
    desk.say(sig.WrapUpCoded(at_ms=61_000, agent_id=ANA, interaction_id=C1, code="sold"))
    assert desk.said(ev.SignalIgnored).reason == "not_your_interaction"


def test_a_transfer_to_a_queue_keeps_the_place_and_begins_a_new_visit() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.TransferRequested(at_ms=60_000, interaction_id=C1, by_agent_id=BEN, to_queue_id=SALES))
    entered = desk.said(ev.QueueEntered)
    assert (entered.visit, entered.queue_id, entered.queued_at_ms, entered.occurred_ms) == (
        2,
        SALES,
        1_000,
        60_000,
    )
    assert desk.said(cmd.MoveToQueue).queue_id == SALES
    assert desk.said(ev.TalkEnded).ended_by is Party.SYSTEM
    assert desk.state(BEN) == "wrap_up"


def test_a_transfer_to_a_ready_agent_is_offered_at_once_even_without_the_skill() -> None:
    desk = Desk(BEN, CLO)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.TransferRequested(at_ms=5_000, interaction_id=C1, by_agent_id=BEN, to_agent_id=CLO))
    assert desk.said(cmd.OfferInteraction).agent_id == CLO


def test_a_transfer_to_a_busy_agent_waits_for_him_alone_and_then_for_everyone() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.AgentSignedIn(at_ms=2_000, agent_id=CLO))
    desk.say(sig.TransferRequested(at_ms=5_000, interaction_id=C1, by_agent_id=BEN, to_agent_id=CLO))
    desk.say(sig.AgentSignedIn(at_ms=6_000, agent_id=ANA))
    desk.say(sig.AgentReady(at_ms=6_000, agent_id=ANA))
    assert desk.quiet(cmd.OfferInteraction)
    desk.later(25_000)
    assert desk.said(cmd.OfferInteraction).agent_id == ANA


def test_a_transfer_by_the_phone_needs_no_command() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.InteractionTransferred(at_ms=5_000, interaction_id=C1, agent_id=BEN, to_queue_id=SALES))
    assert desk.quiet(cmd.MoveToQueue)
    assert desk.said(ev.InteractionTransferred).to_queue_id == SALES


def test_a_stranger_cannot_transfer_or_hang_up_a_call() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 1_000)
    desk.say(sig.TransferRequested(at_ms=2_000, interaction_id=C1, by_agent_id=ANA, to_queue_id=SALES))
    assert desk.said(ev.SignalIgnored).reason == "not_your_interaction"
    desk.say(sig.HangupRequested(at_ms=2_000, interaction_id=C1, by_agent_id=ANA))
    assert desk.said(ev.SignalIgnored).reason == "not_your_interaction"
    desk.say(sig.HangupRequested(at_ms=2_000, interaction_id=C1, by_agent_id=BEN))
    assert desk.said(cmd.EndInteraction).interaction_id == C1


def test_what_happened_before_the_open_span_began_is_moved_to_its_start() -> None:
    desk = Desk(BEN)
    desk.talking(C1, BEN, 5_000)
    desk.say(sig.InteractionEnded(at_ms=6_000, occurred_ms=1_000, interaction_id=C1))
    assert desk.said(ev.TalkEnded).occurred_ms == 5_000
    assert desk.said(ev.TalkEnded).talk_ms == 0


def test_a_caller_whom_the_fallback_serves_is_not_sent_there_again_by_its_queues_timeout() -> None:
    desk = Desk(queue_timeout_ms=10_000)
    desk.wait(C1, 100)
    desk.say(sig.AgentSignedIn(at_ms=9_000, agent_id=BEN))
    desk.say(sig.AgentReady(at_ms=9_000, agent_id=BEN))
    desk.ring(C1, BEN, 9_100)
    desk.say(sig.FallbackServed(at_ms=11_000, interaction_id=C1, agent_id=ANA))
    assert desk.quiet(cmd.HandToFallback)
    assert desk.said(ev.QueueLeft).exit is ev.QueueExit.FALLBACK
    assert desk.state(BEN) == "ready"

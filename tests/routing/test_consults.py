from __future__ import annotations

import pytest

from routing import commands as cmd
from routing import events as ev
from routing import signals as sig
from routing import transfer_events as done
from routing import transfer_signals as tr
from routing.ids import BootId, LegId
from routing.signals import OfferFailure, Party, PbxPhase
from routing.transfer_events import ConsultOutcome
from routing.transfer_signals import TransferKind
from tests.routing.desk import ANA, BEN, C1, CLO, PBX, SUPPORT, Desk

NUMBER = "+886287654321"
LEG, ASKED = LegId("pbx1-1763790001.9"), LegId("pbx1-1763790002.11")


def talking(*ready: object) -> Desk:
    """Ben talks with the caller since 1 s, on a leg that the PBX named."""
    desk = Desk(BEN, *ready)  # type: ignore[arg-type]
    desk.wait(C1, 500)
    desk.ring(C1, BEN, 800)
    desk.say(sig.OfferAnswered(at_ms=1_000, interaction_id=C1, agent_id=BEN, attempt=1, leg_id=LEG))
    return desk


def consulting(*ready: object, to_number: str = "") -> Desk:
    """Ben has been asking Clo (or a number) since 5 s, answered at 7 s."""
    desk = talking(CLO, *ready)
    desk.say(
        tr.ConsultRequested(
            at_ms=5_000,
            interaction_id=C1,
            by_agent_id=BEN,
            to_agent_id=None if to_number else CLO,
            to_number=to_number,
        )
    )
    desk.say(tr.ConsultLegRang(at_ms=6_000, interaction_id=C1, attempt=2, leg_id=ASKED))
    desk.say(tr.ConsultLegAnswered(at_ms=7_000, interaction_id=C1, attempt=2, leg_id=ASKED))
    return desk


def test_a_consult_holds_the_customer_and_rings_the_asked_agent_alone() -> None:
    desk = talking(CLO)
    desk.say(tr.ConsultRequested(at_ms=5_000, interaction_id=C1, by_agent_id=BEN, to_agent_id=CLO))
    assert desk.said(cmd.StartConsult) == cmd.StartConsult(
        interaction_id=C1, leg_id=LEG, attempt=2, to_agent_id=CLO, to_number=""
    )
    assert (desk.state(BEN), desk.state(CLO)) == ("holding", "ringing")
    desk.wait(desk_call := type(C1)("pbx1-1763790000.8"), 5_500)
    assert desk.quiet(cmd.OfferInteraction), desk_call
    desk.say(tr.ConsultLegAnswered(at_ms=7_000, interaction_id=C1, attempt=2, leg_id=ASKED))
    assert (desk.state(BEN), desk.state(CLO)) == ("holding", "talking")


def test_a_completed_consult_hands_the_customer_over() -> None:
    desk = consulting()
    desk.say(tr.ConsultCompleted(at_ms=9_000, interaction_id=C1, by_agent_id=BEN))
    assert desk.said(cmd.CompleteConsult).to_agent_id == CLO
    ended = desk.said(done.ConsultEnded)
    assert (ended.outcome, ended.consult_ms) == (ConsultOutcome.COMPLETED, 4_000)
    talk = desk.said(ev.TalkEnded)
    assert (talk.agent_id, talk.talk_ms, talk.hold_ms) == (BEN, 4_000, 4_000)
    assert (talk.ended_by, talk.reason) == (Party.SYSTEM, "attended_transfer")
    moved = desk.said(ev.InteractionTransferred)
    assert (moved.kind, moved.from_agent_id, moved.to_agent_id) == (TransferKind.ATTENDED, BEN, CLO)
    assert desk.said(done.InteractionTaken).queue_id == SUPPORT
    assert (desk.state(BEN), desk.state(CLO)) == ("wrap_up", "talking")
    desk.say(sig.AgentLegEnded(at_ms=12_000, interaction_id=C1, agent_id=CLO))
    talk = desk.said(ev.TalkEnded)
    assert (talk.agent_id, talk.talk_ms, talk.ended_by) == (CLO, 3_000, Party.AGENT)
    assert desk.state(CLO) == "wrap_up"


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (None, ConsultOutcome.TARGET_LEFT),
        (OfferFailure.NO_ANSWER, ConsultOutcome.NO_ANSWER),
        (OfferFailure.REJECTED, ConsultOutcome.REJECTED),
        (OfferFailure.DEVICE_ERROR, ConsultOutcome.FAILED),
    ],
)
def test_when_whoever_is_asked_is_not_there_the_agent_has_the_customer_again(
    cause: OfferFailure | None, outcome: ConsultOutcome
) -> None:
    desk = consulting()
    desk.say(tr.ConsultLegEnded(at_ms=9_000, interaction_id=C1, attempt=2, cause=cause))
    assert desk.said(done.ConsultEnded).outcome is outcome
    assert desk.said(cmd.EndConsult).leg_id == LEG
    assert (desk.state(BEN), desk.state(CLO)) == ("talking", "ready")
    desk.end(C1, 10_000)
    talk = desk.said(ev.TalkEnded)
    assert (talk.talk_ms, talk.hold_ms) == (5_000, 4_000)


def test_a_consult_that_nobody_hears_of_is_given_up() -> None:
    desk = talking(CLO)
    desk.say(tr.ConsultRequested(at_ms=5_000, interaction_id=C1, by_agent_id=BEN, to_agent_id=CLO))
    desk.later(50_000)
    assert desk.said(done.ConsultEnded).outcome is ConsultOutcome.FAILED
    assert desk.state(BEN) == "talking"


def test_a_customer_who_hangs_up_ends_the_consult_too() -> None:
    desk = consulting()
    desk.end(C1, 9_000)
    assert desk.said(done.ConsultEnded).outcome is ConsultOutcome.CALLER_LEFT
    assert desk.said(ev.TalkEnded).ended_by is Party.CUSTOMER
    assert desk.said(ev.TalkEnded).was_held
    assert (desk.state(BEN), desk.state(CLO)) == ("wrap_up", "ready")


def test_an_agent_whose_phone_hangs_up_while_asking_leaves_the_customer_at_the_front() -> None:
    desk = consulting()
    desk.say(tr.ConsultAgentLeft(at_ms=9_000, interaction_id=C1, attempt=2, agent_id=BEN))
    entered = desk.said(ev.QueueEntered)
    assert (entered.queue_id, entered.queued_at_ms, entered.priority_ms) == (SUPPORT, 500, 3_600_000)
    assert desk.said(cmd.MoveToQueue).queue_id == SUPPORT
    assert desk.said(ev.TalkEnded).reason == "left_in_consult"


def test_in_a_conference_each_may_leave_first() -> None:
    for first in ("agent", "asked", "customer"):
        desk = consulting()
        desk.say(tr.ConferenceRequested(at_ms=8_000, interaction_id=C1, by_agent_id=BEN))
        assert desk.said(cmd.StartConference) == cmd.StartConference(
            interaction_id=C1, leg_id=LEG, to_leg_id=ASKED
        )
        assert (desk.state(BEN), desk.state(CLO)) == ("talking", "talking")
        if first == "agent":
            desk.say(tr.ConsultAgentLeft(at_ms=10_000, interaction_id=C1, attempt=2, agent_id=BEN))
            assert (desk.state(BEN), desk.state(CLO)) == ("wrap_up", "talking")
            assert desk.said(ev.InteractionTransferred).kind is TransferKind.ATTENDED
            assert desk.said(ev.TalkEnded).talk_ms == 6_000
            desk.say(tr.ConsultAgentLeft(at_ms=12_000, interaction_id=C1, attempt=2, agent_id=CLO))
            talk = desk.said(ev.TalkEnded)
            assert (talk.agent_id, talk.talk_ms, talk.ended_by) == (CLO, 4_000, Party.AGENT)
        elif first == "asked":
            desk.say(tr.ConsultAgentLeft(at_ms=10_000, interaction_id=C1, attempt=2, agent_id=CLO))
            talk = desk.said(ev.TalkEnded)
            assert (talk.agent_id, talk.talk_ms) == (CLO, 2_000)
            assert (desk.state(BEN), desk.state(CLO)) == ("talking", "wrap_up")
            desk.end(C1, 12_000)
            assert desk.said(ev.TalkEnded).talk_ms == 8_000
        else:
            desk.end(C1, 10_000)
            talks = [event for event in desk.events if isinstance(event, ev.TalkEnded)]
            assert {(talk.agent_id, talk.ended_by) for talk in talks} == {
                (BEN, Party.CUSTOMER),
                (CLO, Party.CUSTOMER),
            }
            assert (desk.state(BEN), desk.state(CLO)) == ("wrap_up", "wrap_up")


def test_the_customer_is_handed_to_a_number_outside_behind_a_consult() -> None:
    desk = consulting(to_number=NUMBER)
    desk.say(tr.ConsultCompleted(at_ms=9_000, interaction_id=C1, by_agent_id=BEN))
    moved = desk.said(ev.InteractionTransferred)
    assert (moved.kind, moved.to_number, moved.to_agent_id) == (TransferKind.ATTENDED, NUMBER, None)
    assert desk.state(BEN) == "wrap_up"
    desk.say(tr.OutsideLegEnded(at_ms=20_000, interaction_id=C1, attempt=2))
    over = desk.said(done.OutsideEnded)
    assert (over.outcome, over.talk_ms, over.ended_by) == ("talked", 11_000, Party.OUTSIDE)
    desk.end(C1, 20_010, Party.SYSTEM)
    assert desk.said(ev.ContactEnded).ended_by is Party.OUTSIDE


def test_a_blind_transfer_outside_that_is_not_answered_lets_the_customer_wait_again() -> None:
    desk = talking()
    desk.say(sig.TransferRequested(at_ms=5_000, interaction_id=C1, by_agent_id=BEN, to_number=NUMBER))
    assert desk.said(cmd.DialOutside) == cmd.DialOutside(interaction_id=C1, attempt=2, to_number=NUMBER)
    assert desk.said(ev.InteractionTransferred).kind is TransferKind.BLIND
    desk.say(tr.OutsideLegEnded(at_ms=6_000, interaction_id=C1, attempt=2, cause=OfferFailure.BUSY))
    assert desk.said(done.OutsideEnded).outcome == "busy"
    desk.wait(C1, 6_010, queued_at_ms=500)
    assert desk.said(ev.QueueEntered).queued_at_ms == 500


def test_what_does_not_fit_is_refused() -> None:
    desk = talking()
    for wish, reason in (
        (tr.ConsultRequested(interaction_id=C1, by_agent_id=ANA, to_agent_id=CLO), "not_your_interaction"),
        (tr.ConsultRequested(interaction_id=C1, by_agent_id=BEN, to_agent_id=CLO), "agent_not_available"),
        (tr.ConsultRequested(interaction_id=C1, by_agent_id=BEN, to_agent_id=BEN), "agent_not_available"),
        (tr.ConsultRequested(interaction_id=C1, by_agent_id=BEN, to_number="*72"), "bad_target"),
        (tr.ConsultRequested(interaction_id=C1, by_agent_id=BEN), "bad_target"),
        (tr.ConsultCancelled(interaction_id=C1, by_agent_id=BEN), "no_consult"),
        (tr.ConsultCompleted(interaction_id=C1, by_agent_id=BEN), "no_consult"),
        (tr.ConferenceRequested(interaction_id=C1, by_agent_id=BEN), "no_consult"),
        (sig.TransferRequested(interaction_id=C1, to_number="*72"), "bad_target"),
    ):
        desk.say(wish)
        assert desk.said(ev.SignalIgnored).reason == reason, wish
    desk = consulting()
    desk.say(sig.TransferRequested(at_ms=8_000, interaction_id=C1, by_agent_id=BEN, to_queue_id=SUPPORT))
    assert desk.said(ev.SignalIgnored).reason == "in_consult"


def seen(desk: Desk, phase: PbxPhase, **more: object) -> None:
    """A reconnect shows the caller so."""
    desk.say(sig.PbxLinkLost(at_ms=10_000, pbx_id=PBX))
    row = sig.InteractionSeen(interaction_id=C1, phase=phase, attempt=2, **more)  # type: ignore[arg-type]
    desk.say(sig.PbxSnapshotTaken(at_ms=11_000, pbx_id=PBX, boot_id=BootId("b1"), interactions=(row,)))


def test_after_a_reconnect_a_consult_goes_on_where_it_was() -> None:
    desk = consulting()
    seen(desk, PbxPhase.CONSULT, agent_id=BEN)
    assert (desk.state(BEN), desk.state(CLO)) == ("holding", "talking")
    desk.say(tr.ConsultCompleted(at_ms=12_000, interaction_id=C1, by_agent_id=BEN))
    assert desk.said(done.InteractionTaken).agent_id == CLO


def test_after_a_reconnect_whoever_the_pbx_shows_with_the_customer_has_him() -> None:
    for agent_id, states in ((BEN, ("talking", "ready")), (CLO, ("wrap_up", "talking"))):
        desk = consulting()
        seen(desk, PbxPhase.TALKING, agent_id=agent_id, bridged=True)
        assert (desk.state(BEN), desk.state(CLO)) == states


def test_after_a_reconnect_whoever_stayed_in_the_conference_still_has_the_customer() -> None:
    desk = consulting()
    desk.say(tr.ConferenceRequested(at_ms=8_000, interaction_id=C1, by_agent_id=BEN))
    desk.say(tr.ConsultAgentLeft(at_ms=9_000, interaction_id=C1, attempt=2, agent_id=BEN))
    seen(desk, PbxPhase.CONFERENCE, agent_id=BEN, bridged=True)
    assert desk.state(CLO) == "talking"
    assert desk.engine.centre.interactions[C1].agent_id == CLO


def test_a_caller_found_with_a_number_outside_is_nobodys_of_ours() -> None:
    desk = Desk(BEN)
    seen(desk, PbxPhase.EXTERNAL, bridged=True)
    assert desk.said(done.OutsideDialled).interaction_id == C1
    assert desk.said(ev.InteractionAdopted).phase == "external"
    assert desk.quiet(cmd.OfferInteraction)


def test_a_talk_on_the_pbxs_own_queue_ends_with_who_ended_it() -> None:
    for ended_by, told in ((Party.CUSTOMER, Party.CUSTOMER), (Party.SYSTEM, Party.AGENT)):
        desk = Desk()
        desk.wait(C1, 100)
        desk.say(sig.FallbackServed(at_ms=2_000, interaction_id=C1, agent_id=BEN))
        desk.end(C1, 9_000, ended_by)
        over = desk.said(done.FallbackTalkEnded)
        assert (over.agent_id, over.talk_ms, over.ended_by) == (BEN, 7_000, told)


def test_a_phones_transfer_to_somebody_who_is_away_is_told_as_it_was_meant() -> None:
    desk = talking()
    desk.say(sig.InteractionTransferred(at_ms=5_000, interaction_id=C1, agent_id=BEN, to_agent_id=CLO))
    moved = desk.said(ev.InteractionTransferred)
    assert (moved.to_agent_id, moved.to_queue_id) == (CLO, None)
    assert desk.said(ev.QueueEntered).queue_id == SUPPORT

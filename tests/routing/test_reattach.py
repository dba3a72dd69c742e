"""A browser phone lost in mid-call, at literal times: music, the same agent, or the front of the queue."""

from __future__ import annotations

from routing import phone_events as phone
from routing import signals as sig
from routing.commands import (
    HoldInteraction,
    JoinFallback,
    LeaveFallback,
    MoveToQueue,
    OfferInteraction,
    ReattachInteraction,
    UsePhone,
)
from routing.engine import Engine
from routing.events import (
    AgentStateChanged,
    HoldEnded,
    InteractionAnswered,
    OfferDeclined,
    QueueEntered,
    SignalIgnored,
    TalkEnded,
)
from routing.ids import AgentId, BootId
from routing.phone_signals import BrowserPhoneLost, BrowserPhoneRegistered, PhoneChosen, PhoneKind
from routing.reattach import CLEAR_MS, REATTACH_MS
from routing.signals import OfferFailure, PbxPhase
from tests.routing.desk import ANA, BEN, C1, C2, PBX, SUPPORT, Desk

WEB = "PJSIP/ana-web"


def browser_desk(*others: AgentId) -> Desk:
    """Ana's phone is the browser, her page is ``p1``; she is ready, and so are *others*."""
    desk = Desk(*others, wrap_up_ms=4_000)
    desk.say(PhoneChosen(at_ms=1, agent_id=ANA, kind=PhoneKind.BROWSER, device=WEB))
    desk.say(BrowserPhoneRegistered(at_ms=2, agent_id=ANA, instance="p1"))
    desk.say(sig.AgentSignedIn(at_ms=3, agent_id=ANA))
    desk.say(sig.AgentReady(at_ms=3, agent_id=ANA))
    return desk


def in_talk() -> Desk:
    desk = browser_desk()
    desk.talking(C1, ANA, 1_000)
    return desk


def lose(desk: Desk, at_ms: int, page: str = "p1") -> None:
    desk.say(BrowserPhoneLost(at_ms=at_ms, agent_id=ANA, instance=page))


def come_back(desk: Desk, at_ms: int, page: str = "p2") -> None:
    desk.say(BrowserPhoneRegistered(at_ms=at_ms, agent_id=ANA, instance=page))


def test_a_lost_phone_gives_music_and_its_return_the_same_talk() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    assert desk.said(HoldInteraction).interaction_id == C1
    assert desk.said(phone.ReattachBegan).until_ms == 11_000 + REATTACH_MS
    assert desk.state(ANA) == "re_attach"
    come_back(desk, 11_400)
    assert desk.said(ReattachInteraction).attempt == 2
    desk.ring(C1, ANA, 11_420, attempt=2)
    desk.answer(C1, ANA, 11_500, attempt=2)
    assert desk.said(phone.Reattached).gap_ms == 500
    assert desk.quiet(InteractionAnswered)
    assert desk.state(ANA) == "talking"
    desk.end(C1, 21_000)
    ended = desk.said(TalkEnded)
    assert (ended.talk_ms, ended.hold_ms) == (20_000 - 500, 0)
    assert desk.state(ANA) == "wrap_up"


def test_a_return_faster_than_the_pbx_takes_the_lost_leg_down_is_rung_a_moment_later() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    come_back(desk, 11_020)
    assert desk.quiet(ReattachInteraction)
    desk.later(11_000 + CLEAR_MS)
    assert desk.said(ReattachInteraction).agent_id == ANA


def test_a_hold_ends_with_the_phone_and_is_not_taken_up_again() -> None:
    desk = in_talk()
    desk.say(sig.InteractionHeld(at_ms=5_000, interaction_id=C1, agent_id=ANA))
    lose(desk, 8_000)
    assert desk.said(HoldEnded).hold_ms == 3_000
    come_back(desk, 9_000)
    desk.answer(C1, ANA, 9_100, attempt=2)
    assert desk.state(ANA) == "talking"


def test_after_half_a_minute_the_caller_goes_to_the_front_for_the_same_agent_first() -> None:
    desk = in_talk()
    desk.wait(C2, 2_000)
    lose(desk, 11_000)
    desk.later(41_000)
    assert desk.said(TalkEnded).reason == "phone_lost"
    assert desk.state(ANA) == "not_ready(device_lost)"
    entered = desk.said(QueueEntered)
    moved = desk.said(MoveToQueue)
    assert entered.queued_at_ms == moved.queued_at_ms == 1_000
    assert moved.queue_id == SUPPORT
    desk.say(sig.AgentSignedIn(at_ms=42_000, agent_id=BEN))
    desk.say(sig.AgentReady(at_ms=42_000, agent_id=BEN))
    assert desk.said(OfferInteraction).interaction_id == C1, "before the one who waits"


def test_the_same_agent_is_preferred_when_several_are_ready() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    desk.later(41_000)
    come_back(desk, 42_000)
    step = desk.later(45_000)  # stable for three seconds
    offer = next(command for command in step.commands if isinstance(command, OfferInteraction))
    assert (offer.agent_id, offer.interaction_id) == (ANA, C1)


def test_a_page_that_refuses_the_re_attach_is_not_asked_twice() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    come_back(desk, 11_400)
    desk.fail(C1, ANA, 12_000, OfferFailure.REJECTED, attempt=2)
    assert desk.said(TalkEnded).reason == "phone_lost"
    assert desk.said(QueueEntered).queue_id == SUPPORT


def test_a_phone_still_busy_with_the_lost_leg_is_rung_again() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    come_back(desk, 11_400)
    desk.fail(C1, ANA, 11_410, OfferFailure.DEVICE_BUSY, attempt=2)
    desk.wait(C1, 11_412, attempt=2)
    assert desk.engine.centre.interactions[C1].queue_id == SUPPORT
    assert desk.quiet(QueueEntered), "no visit of a queue, though the caller stands in its laps"
    desk.later(11_910)
    assert desk.said(ReattachInteraction).attempt == 3


def test_a_page_lost_while_it_is_rung_again_brings_the_music_back() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    come_back(desk, 11_400)
    lose(desk, 11_500, page="p2")
    assert desk.said(HoldInteraction).interaction_id == C1
    come_back(desk, 12_000, page="p3")
    assert desk.said(ReattachInteraction).attempt == 3
    desk.answer(C1, ANA, 12_100, attempt=2)
    assert desk.said(SignalIgnored).reason == "stale_attempt"
    desk.answer(C1, ANA, 12_200, attempt=3)
    assert desk.state(ANA) == "talking"


def test_another_page_in_its_place_means_that_the_former_is_gone() -> None:
    desk = in_talk()
    come_back(desk, 11_000, page="p2")
    assert desk.said(HoldInteraction).interaction_id == C1
    lose(desk, 11_010, page="p1")
    assert desk.said(SignalIgnored).reason == "stale_phone"
    desk.later(11_000 + CLEAR_MS)
    assert desk.said(ReattachInteraction).attempt == 2


def test_the_same_page_registering_again_leaves_its_talk_alone() -> None:
    desk = in_talk()
    step = desk.say(BrowserPhoneRegistered(at_ms=11_000, agent_id=ANA, instance="p1"))
    assert step.commands == ()
    assert desk.state(ANA) == "talking"


def test_a_caller_who_hangs_up_meanwhile_ends_the_contact() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    desk.end(C1, 15_000)
    assert (desk.said(TalkEnded).talk_ms, desk.state(ANA)) == (10_000, "wrap_up")
    assert desk.engine.next_deadline_ms() == 19_000, "the wait is over with the contact"


def test_a_page_closed_while_it_rings_gives_the_caller_to_the_next_at_once() -> None:
    desk = browser_desk(BEN)
    desk.say(sig.AgentNotReady(at_ms=10, agent_id=BEN, reason="lunch"))
    desk.wait(C1, 1_000)
    desk.say(sig.AgentReady(at_ms=1_100, agent_id=BEN))
    desk.ring(C1, ANA, 1_200)
    lose(desk, 2_000)
    assert desk.said(OfferDeclined).cause is OfferFailure.DEVICE_ERROR
    assert desk.said(OfferInteraction).agent_id == BEN
    assert desk.state(ANA) == "not_ready(device_lost)"


def test_nobody_is_ready_with_a_browser_phone_that_cannot_be_reached() -> None:
    desk = Desk()
    desk.say(PhoneChosen(at_ms=1, agent_id=ANA, kind=PhoneKind.BROWSER, device=WEB))
    desk.say(sig.AgentSignedIn(at_ms=2, agent_id=ANA))
    desk.say(sig.AgentReady(at_ms=3, agent_id=ANA))
    assert desk.said(SignalIgnored).reason == "phone_not_reachable"
    desk.say(BrowserPhoneRegistered(at_ms=4, agent_id=ANA, instance="p1"))
    desk.say(sig.AgentReady(at_ms=5, agent_id=ANA))
    assert desk.state(ANA) == "ready"
    lose(desk, 6)
    assert desk.state(ANA) == "not_ready(device_lost)"


def test_a_phone_is_chosen_between_calls_only_and_its_fallback_membership_goes_along() -> None:
    desk = Desk(ANA)
    desk.say(PhoneChosen(at_ms=100, agent_id=ANA, kind=PhoneKind.EXTERNAL, device="Local/1"))
    said = [type(command) for command in desk.commands]
    assert said.index(LeaveFallback) < said.index(UsePhone) < said.index(JoinFallback)
    assert desk.state(ANA) == "ready", "a phone outside cannot be watched"
    desk.talking(C1, ANA, 1_000)
    desk.say(PhoneChosen(at_ms=2_000, agent_id=ANA, kind=PhoneKind.DESK))
    assert desk.said(SignalIgnored).reason == "on_a_call"
    desk.end(C1, 3_000)
    desk.say(PhoneChosen(at_ms=3_100, agent_id=ANA, kind=PhoneKind.DESK))
    assert (desk.said(UsePhone).device, desk.state(ANA)) == ("", "wrap_up")


def test_a_desk_phone_knows_nothing_of_all_this() -> None:
    desk = Desk(ANA)
    desk.talking(C1, ANA, 1_000)
    lose(desk, 2_000)
    assert desk.said(SignalIgnored).reason == "not_a_browser_phone"
    assert desk.state(ANA) == "talking"


# ---------------------------------------------------------------- over a restart


def seen(phase: PbxPhase, attempt: int, *, bridged: bool = False) -> sig.InteractionSeen:
    return sig.InteractionSeen(
        interaction_id=C1, phase=phase, queue_id=SUPPORT, agent_id=ANA, attempt=attempt, bridged=bridged
    )


def after_a_restart(desk: Desk, at_ms: int, found: sig.InteractionSeen) -> Desk:
    """The engine of the journal, and what the PBX shows then."""
    desk.say(sig.PbxLinkLost(at_ms=at_ms - 1, pbx_id=PBX))
    again = Desk()
    again.engine = Engine.restore(desk.engine.snapshot())
    again.say(sig.PbxSnapshotTaken(at_ms=at_ms, pbx_id=PBX, boot_id=BootId("b1"), interactions=(found,)))
    return again


def test_a_wait_for_the_phone_goes_on_after_a_restart_until_its_old_deadline() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    again = after_a_restart(desk, 20_000, seen(PbxPhase.HELD, 1))
    assert again.state(ANA) == "re_attach"
    assert again.said(UsePhone).device == WEB, "the PBX is told the phones again"
    again.later(40_999)
    assert again.state(ANA) == "re_attach"
    again.later(41_000)
    assert again.said(TalkEnded).reason == "phone_lost"


def test_a_dial_that_was_answered_meanwhile_is_the_talk() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    come_back(desk, 11_400)
    again = after_a_restart(desk, 20_000, seen(PbxPhase.TALKING, 2, bridged=True))
    assert again.said(phone.Reattached).attempt == 2
    assert again.state(ANA) == "talking"


def test_a_music_that_was_commanded_and_never_came_is_commanded_again() -> None:
    desk = in_talk()
    lose(desk, 11_000)
    again = after_a_restart(desk, 12_000, seen(PbxPhase.TALKING, 1, bridged=True))
    assert again.said(HoldInteraction).interaction_id == C1
    assert again.state(ANA) == "re_attach"


def test_music_in_nobodys_memory_waits_for_the_agent_whom_the_pbx_names() -> None:
    desk = Desk()
    desk.say(sig.PbxLinkLost(at_ms=10, pbx_id=PBX))
    desk.say(
        sig.PbxSnapshotTaken(
            at_ms=100, pbx_id=PBX, boot_id=BootId("b1"), interactions=(seen(PbxPhase.HELD, 1),)
        )
    )
    assert desk.state(ANA) == "re_attach"
    assert [event.state for event in desk.events if isinstance(event, AgentStateChanged)][-1] == "re_attach"


def test_a_page_that_takes_the_place_of_the_one_that_rings_ends_the_offer() -> None:
    desk = browser_desk(BEN)
    desk.say(sig.AgentNotReady(at_ms=10, agent_id=BEN, reason="lunch"))
    desk.wait(C1, 1_000)
    desk.ring(C1, ANA, 1_200)
    come_back(desk, 2_000)
    assert desk.said(OfferDeclined).cause is OfferFailure.DEVICE_ERROR
    assert desk.said(MoveToQueue).interaction_id == C1

"""The recorder's fold: literal histories with literal rows."""

from __future__ import annotations

from app.live.record_rows import Stamped
from app.live.recorder import fold
from routing import events as ev
from routing.signals import OfferFailure, Party
from tests.app.live.recorder_facts import (
    ANA,
    ANSWERED,
    BEN,
    CALL,
    SALES,
    START,
    answered,
    at,
    ended,
    entered,
    left,
    offered,
    rang,
    record_of,
    started,
    talk_ended,
    track_of,
)


def test_an_answered_call_has_its_segments_end_to_end() -> None:
    record = record_of(*ANSWERED)
    assert track_of(record) == [
        ("entry", 0, 1, None),
        ("queued", 1, 3.5, None),
        ("ringing", 3.5, 8, "answered"),
        ("talking", 8, 20, None),
        ("held", 20, 25, None),
        ("talking", 25, 60, None),
    ]
    assert track_of(record, "a1001#1") == [
        ("ring", 3.5, 8, None),
        ("talk", 8, 20, None),
        ("hold", 20, 25, None),
        ("talk", 25, 60, None),
        ("wrap_up", 60, 75, None),
    ]


def test_an_answered_call_has_its_figures() -> None:
    row = record_of(*ANSWERED).interaction
    assert (row.outcome, row.agent_id, row.queue_id) == ("answered", ANA, SALES)
    assert (row.wait_ms, row.talk_ms, row.hold_ms, row.wrap_up_ms) == (7_000, 47_000, 5_000, 15_000)
    assert (row.answered_ms, row.ended_ms) == (START + 8_000, START + 60_000)
    assert (row.wrap_up_code, row.grade, row.hangup_cause) == ("refund", "live", 16)


def test_ring_no_answer_returns_the_caller_to_the_queue_and_makes_one_row_per_offer() -> None:
    record = record_of(
        started(),
        entered(0),
        offered(0, ANA, 1),
        rang(1, ANA, 1),
        ev.OfferNotAnswered(
            **at(16), interaction_id=CALL, agent_id=ANA, queue_id=SALES, attempt=1, rang_ms=15_000
        ),
        offered(16, BEN, 2),
        rang(16.2, BEN, 2),
        left(20, 20, ev.QueueExit.ANSWERED),
        answered(20, BEN, 2, 3.8),
        talk_ended(30, BEN),
        ended(30),
    )
    assert track_of(record) == [
        ("queued", 0, 1, None),
        ("ringing", 1, 16, None),
        ("queued", 16, 16.2, None),
        ("ringing", 16.2, 20, "answered"),
        ("talking", 20, 30, None),
    ]
    assert [(offer.agent_id, offer.outcome, offer.rang_ms) for offer in record.offers] == [
        (ANA, "no_answer", 15_000),
        (BEN, "answered", 3_800),
    ]
    assert record.offers[0].explanation == {"chosen": "a1001"}
    assert record.visits[0].offer_count == 2
    assert record.visits[0].agent_id == BEN


def test_an_abandon_while_ringing_ends_the_ringing_segment() -> None:
    record = record_of(
        started(),
        entered(0),
        offered(2, ANA, 1),
        rang(2, ANA, 1),
        ev.OfferWithdrawn(
            **at(9), interaction_id=CALL, agent_id=ANA, attempt=1, reason="caller_left", rang_ms=7_000
        ),
        left(9, 9, ev.QueueExit.ABANDONED),
        ended(9),
    )
    assert track_of(record) == [("queued", 0, 2, None), ("ringing", 2, 9, "abandoned")]
    assert record.interaction.outcome == "abandoned"
    assert record.offers[0].outcome == "withdrawn"


def test_a_rejected_offer_that_never_rang_makes_no_ringing_segment() -> None:
    record = record_of(
        started(),
        entered(0),
        offered(2, ANA, 1),
        ev.OfferDeclined(
            **at(2.5),
            interaction_id=CALL,
            agent_id=ANA,
            queue_id=SALES,
            attempt=1,
            cause=OfferFailure.DEVICE_ERROR,
            rang_ms=0,
        ),
        left(4, 4, ev.QueueExit.SHORT_ABANDON),
        ended(4),
    )
    assert track_of(record) == [("queued", 0, 4, "short_abandon")]
    assert record.offers[0].outcome == "device_error"


def test_a_visit_without_length_keeps_its_exit() -> None:
    record = record_of(started(), entered(0), left(0, 0, ev.QueueExit.NO_AGENTS_AT_ENTRY), ended(5))
    assert track_of(record) == [("queued", 0, 0, "no_agents_at_entry"), ("ivr", 0, 5, None)]
    assert record.interaction.outcome == "no_agents_at_entry"


def test_a_blind_transfer_to_a_queue_makes_a_second_visit_and_a_second_participation() -> None:
    record = record_of(
        *ANSWERED[:6],
        talk_ended(30, ANA, "transfer"),
        ev.InteractionTransferred(
            **at(30), interaction_id=CALL, from_agent_id=ANA, to_queue_id=SALES, to_agent_id=None
        ),
        entered(30.5, visit=2),
        offered(31, BEN, 2, visit=2),
        rang(31, BEN, 2),
        left(35, 4.5, ev.QueueExit.ANSWERED, visit=2),
        answered(35, BEN, 2, 4, visit=2),
        talk_ended(50, BEN),
        ended(50),
    )
    assert track_of(record)[3:] == [
        ("talking", 8, 30, None),
        ("ivr", 30, 30.5, None),
        ("queued", 30.5, 31, None),
        ("ringing", 31, 35, "answered"),
        ("talking", 35, 50, None),
    ]
    assert [visit.agent_id for visit in record.visits] == [ANA, BEN]
    assert record.interaction.agent_id == ANA


def test_the_blink_between_the_end_of_a_talk_and_the_hang_up_is_no_ivr_stay() -> None:
    talk = (*ANSWERED[:6], talk_ended(30, ANA))
    assert track_of(record_of(*talk, ended(30.05)))[3:] == [("talking", 8, 30.05, None)]
    assert track_of(record_of(*talk, ended(30.051)))[3:] == [
        ("talking", 8, 30, None),
        ("ivr", 30, 30.051, None),
    ]
    moved = record_of(*talk, entered(30.003, visit=2), left(40, 9.997, ev.QueueExit.ABANDONED, 2), ended(40))
    assert track_of(moved)[3:] == [("talking", 8, 30.003, None), ("queued", 30.003, 40, "abandoned")]


def test_a_call_served_by_the_fallback_queue_is_answered_outside() -> None:
    record = record_of(
        started(),
        entered(0),
        left(30, 30, ev.QueueExit.FALLBACK),
        ev.InteractionHandedOver(**at(30), interaction_id=CALL, agent_id=None, cause="unheard"),
        ev.InteractionHandedOver(**at(40), interaction_id=CALL, agent_id=ANA, cause="served"),
        ended(70),
    )
    assert track_of(record) == [
        ("queued", 0, 30, "fallback"),
        ("external", 30, 40, None),
        ("talking", 40, 70, None),
    ]
    assert (record.interaction.outcome, record.interaction.agent_id) == ("fallback", ANA)
    assert record.interaction.answered_ms == START + 40_000


def test_a_talk_found_on_the_fallback_queue_is_a_talk() -> None:
    record = record_of(
        started(),
        ev.InteractionHandedOver(**at(9), interaction_id=CALL, agent_id=ANA, cause="served"),
        ev.InteractionAdopted(**at(9), interaction_id=CALL, phase="fallback", queue_id=None, agent_id=ANA),
        ended(15),
    )
    assert track_of(record) == [("entry", 0, 9, None), ("talking", 9, 15, None)]
    assert record.interaction.talk_ms == 6_000


def test_a_call_thought_lost_and_found_again_is_one_contact_with_a_re_attach_segment() -> None:
    record = record_of(
        started(),
        entered(0),
        left(10, 10, ev.QueueExit.LOST_WITH_PBX),
        ev.ContactEnded(**at(10), interaction_id=CALL, ended_by=Party.UNKNOWN, hangup_cause=0, reason="lost"),
        started(12),
        entered(13, visit=2),
        left(20, 7, ev.QueueExit.ABANDONED, visit=2),
        ended(20),
    )
    assert track_of(record) == [
        ("queued", 0, 10, "lost_with_pbx"),
        ("re_attach", 10, 13, None),
        ("queued", 13, 20, "abandoned"),
    ]
    assert (record.interaction.end_reason, record.interaction.ended_ms) == ("hangup", START + 20_000)


def test_an_adopted_talk_is_recorded_as_talk() -> None:
    record = record_of(
        started(),
        ev.InteractionAdopted(**at(30), interaction_id=CALL, phase="connected", queue_id=SALES, agent_id=ANA),
        talk_ended(40, ANA),
        ended(40),
    )
    assert track_of(record) == [("re_attach", 0, 30, None), ("talking", 30, 40, None)]
    assert record.interaction.agent_id == ANA


def test_a_contact_that_leaves_before_any_queue_says_so() -> None:
    record = record_of(started(), ended(3))
    assert track_of(record) == [("entry", 0, 3, None)]
    assert record.interaction.outcome == "left_before_queue"


def test_an_open_contact_has_one_running_segment_and_no_outcome() -> None:
    record = record_of(*ANSWERED[:3])
    assert track_of(record) == [("entry", 0, 1, None), ("queued", 1, None, None)]
    assert (record.interaction.outcome, record.interaction.ended_ms) == (None, None)


def test_a_late_word_about_an_unknown_contact_makes_no_record() -> None:
    assert fold([Stamped(1, 1, 0, ANSWERED[-1])]) is None


def test_legs_carry_pbx_and_boot() -> None:
    legs = record_of(*ANSWERED).legs
    assert [(leg.pbx_id, leg.boot_id, leg.party) for leg in legs] == [
        ("pbx1", "b1", "customer"),
        ("pbx1", "b1", "agent"),
    ]
    assert [leg.ended_ms for leg in legs] == [START + 60_000, START + 60_000]

"""The recorder's fold: literal histories with literal rows."""

from __future__ import annotations

from typing import Any

from app.live.record_rows import Record, Stamped
from app.live.recorder import fold
from routing import events as ev
from routing.ids import AgentId, InteractionId, LegId, QueueId
from routing.signals import OfferFailure, Party

CALL = InteractionId("pbx1-1763790000.7")
SALES = QueueId("sales")
ANA, BEN = AgentId("a1001"), AgentId("a1002")
START = 1_763_790_000_000


def _at(seconds: float) -> dict[str, Any]:
    ms = START + round(seconds * 1000)
    return {"at_ms": ms + 40, "occurred_ms": ms}


def _started(seconds: float = 0) -> ev.ContactStarted:
    return ev.ContactStarted(
        **_at(seconds),
        interaction_id=CALL,
        medium="voice",
        direction="in",
        entry_point="8000",
        caller_number="+886912345678",
        caller_name="王小明",
    )


def _entered(seconds: float, visit: int = 1, queue_id: QueueId = SALES) -> ev.QueueEntered:
    at = _at(seconds)
    return ev.QueueEntered(
        **at,
        interaction_id=CALL,
        queue_id=queue_id,
        visit=visit,
        queued_at_ms=at["occurred_ms"],
        priority_ms=0,
    )


def _left(seconds: float, wait_s: float, queue_exit: ev.QueueExit, visit: int = 1) -> ev.QueueLeft:
    return ev.QueueLeft(
        **_at(seconds),
        interaction_id=CALL,
        queue_id=SALES,
        visit=visit,
        exit=queue_exit,
        wait_ms=round(wait_s * 1000),
    )


def _offered(seconds: float, agent_id: AgentId, attempt: int, visit: int = 1) -> ev.InteractionOffered:
    return ev.InteractionOffered(
        **_at(seconds),
        interaction_id=CALL,
        agent_id=agent_id,
        queue_id=SALES,
        visit=visit,
        attempt=attempt,
        wait_ms=0,
        explanation={"chosen": agent_id},
    )


def _rang(seconds: float, agent_id: AgentId, attempt: int) -> ev.AgentRang:
    return ev.AgentRang(
        **_at(seconds),
        interaction_id=CALL,
        agent_id=agent_id,
        attempt=attempt,
        leg_id=LegId(f"pbx1-17637900{attempt:02}.9"),
        offered_at_ms=START,
    )


def _answered(
    seconds: float, agent_id: AgentId, attempt: int, ring_s: float, visit: int = 1
) -> ev.InteractionAnswered:
    return ev.InteractionAnswered(
        **_at(seconds),
        interaction_id=CALL,
        agent_id=agent_id,
        queue_id=SALES,
        visit=visit,
        attempt=attempt,
        leg_id=None,
        wait_ms=0,
        ring_ms=round(ring_s * 1000),
    )


def _talk_ended(seconds: float, agent_id: AgentId, reason: str = "") -> ev.TalkEnded:
    return ev.TalkEnded(
        **_at(seconds),
        interaction_id=CALL,
        agent_id=agent_id,
        queue_id=SALES,
        talk_ms=0,
        hold_ms=0,
        ended_by=Party.CUSTOMER,
        reason=reason,
    )


def _ended(seconds: float) -> ev.ContactEnded:
    return ev.ContactEnded(**_at(seconds), interaction_id=CALL, ended_by=Party.CUSTOMER, hangup_cause=16)


def _fold(*events: ev.Event) -> Record:
    record = fold([Stamped(1, seq, 0, event, "b1") for seq, event in enumerate(events, 1)])
    assert record is not None
    return record


def _track(record: Record, track: str = "customer") -> list[tuple[object, ...]]:
    def second(ms: int | None) -> float | None:
        return None if ms is None else (ms - START) / 1000

    return [
        (row.kind, second(row.started_ms), second(row.ended_ms), row.exit_cause)
        for row in record.segments
        if row.track == track
    ]


ANSWERED = (
    _started(),
    _entered(1),
    _offered(3, ANA, 1),
    _rang(3.5, ANA, 1),
    _left(8, 7, ev.QueueExit.ANSWERED),
    _answered(8, ANA, 1, 4.5),
    ev.HoldStarted(**_at(20), interaction_id=CALL, agent_id=ANA),
    ev.HoldEnded(**_at(25), interaction_id=CALL, agent_id=ANA, hold_ms=5000),
    _talk_ended(60, ANA),
    ev.WrapUpStarted(**_at(60), agent_id=ANA, interaction_id=CALL, queue_id=SALES, until_ms=None),
    _ended(60),
    ev.WrapUpDone(**_at(75), agent_id=ANA, interaction_id=CALL, wrap_up_ms=15000),
    ev.WrapUpCodeGiven(**_at(70), agent_id=ANA, interaction_id=CALL, code="refund"),
)


def test_an_answered_call_has_its_segments_end_to_end() -> None:
    record = _fold(*ANSWERED)
    assert _track(record) == [
        ("entry", 0, 1, None),
        ("queued", 1, 3.5, None),
        ("ringing", 3.5, 8, "answered"),
        ("talking", 8, 20, None),
        ("held", 20, 25, None),
        ("talking", 25, 60, None),
    ]
    assert _track(record, "a1001#1") == [
        ("ring", 3.5, 8, None),
        ("talk", 8, 20, None),
        ("hold", 20, 25, None),
        ("talk", 25, 60, None),
        ("wrap_up", 60, 75, None),
    ]


def test_an_answered_call_has_its_figures() -> None:
    row = _fold(*ANSWERED).interaction
    assert (row.outcome, row.agent_id, row.queue_id) == ("answered", ANA, SALES)
    assert (row.wait_ms, row.talk_ms, row.hold_ms, row.wrap_up_ms) == (7_000, 47_000, 5_000, 15_000)
    assert (row.answered_ms, row.ended_ms) == (START + 8_000, START + 60_000)
    assert (row.wrap_up_code, row.grade, row.hangup_cause) == ("refund", "live", 16)


def test_ring_no_answer_returns_the_caller_to_the_queue_and_makes_one_row_per_offer() -> None:
    record = _fold(
        _started(),
        _entered(0),
        _offered(0, ANA, 1),
        _rang(1, ANA, 1),
        ev.OfferNotAnswered(
            **_at(16), interaction_id=CALL, agent_id=ANA, queue_id=SALES, attempt=1, rang_ms=15_000
        ),
        _offered(16, BEN, 2),
        _rang(16.2, BEN, 2),
        _left(20, 20, ev.QueueExit.ANSWERED),
        _answered(20, BEN, 2, 3.8),
        _talk_ended(30, BEN),
        _ended(30),
    )
    assert _track(record) == [
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
    record = _fold(
        _started(),
        _entered(0),
        _offered(2, ANA, 1),
        _rang(2, ANA, 1),
        ev.OfferWithdrawn(
            **_at(9), interaction_id=CALL, agent_id=ANA, attempt=1, reason="caller_left", rang_ms=7_000
        ),
        _left(9, 9, ev.QueueExit.ABANDONED),
        _ended(9),
    )
    assert _track(record) == [("queued", 0, 2, None), ("ringing", 2, 9, "abandoned")]
    assert record.interaction.outcome == "abandoned"
    assert record.offers[0].outcome == "withdrawn"


def test_a_rejected_offer_that_never_rang_makes_no_ringing_segment() -> None:
    record = _fold(
        _started(),
        _entered(0),
        _offered(2, ANA, 1),
        ev.OfferDeclined(
            **_at(2.5),
            interaction_id=CALL,
            agent_id=ANA,
            queue_id=SALES,
            attempt=1,
            cause=OfferFailure.DEVICE_ERROR,
            rang_ms=0,
        ),
        _left(4, 4, ev.QueueExit.SHORT_ABANDON),
        _ended(4),
    )
    assert _track(record) == [("queued", 0, 4, "short_abandon")]
    assert record.offers[0].outcome == "device_error"


def test_a_visit_without_length_keeps_its_exit() -> None:
    record = _fold(_started(), _entered(0), _left(0, 0, ev.QueueExit.NO_AGENTS_AT_ENTRY), _ended(5))
    assert _track(record) == [("queued", 0, 0, "no_agents_at_entry"), ("ivr", 0, 5, None)]
    assert record.interaction.outcome == "no_agents_at_entry"


def test_a_blind_transfer_to_a_queue_makes_a_second_visit_and_a_second_participation() -> None:
    record = _fold(
        *ANSWERED[:6],
        _talk_ended(30, ANA, "transfer"),
        ev.InteractionTransferred(
            **_at(30), interaction_id=CALL, from_agent_id=ANA, to_queue_id=SALES, to_agent_id=None
        ),
        _entered(30.5, visit=2),
        _offered(31, BEN, 2, visit=2),
        _rang(31, BEN, 2),
        _left(35, 4.5, ev.QueueExit.ANSWERED, visit=2),
        _answered(35, BEN, 2, 4, visit=2),
        _talk_ended(50, BEN),
        _ended(50),
    )
    assert _track(record)[3:] == [
        ("talking", 8, 30, None),
        ("ivr", 30, 30.5, None),
        ("queued", 30.5, 31, None),
        ("ringing", 31, 35, "answered"),
        ("talking", 35, 50, None),
    ]
    assert [visit.agent_id for visit in record.visits] == [ANA, BEN]
    assert record.interaction.agent_id == ANA


def test_the_blink_between_the_end_of_a_talk_and_the_hang_up_is_no_ivr_stay() -> None:
    talk = (*ANSWERED[:6], _talk_ended(30, ANA))
    assert _track(_fold(*talk, _ended(30.05)))[3:] == [("talking", 8, 30.05, None)]
    assert _track(_fold(*talk, _ended(30.051)))[3:] == [("talking", 8, 30, None), ("ivr", 30, 30.051, None)]
    moved = _fold(*talk, _entered(30.003, visit=2), _left(40, 9.997, ev.QueueExit.ABANDONED, 2), _ended(40))
    assert _track(moved)[3:] == [("talking", 8, 30.003, None), ("queued", 30.003, 40, "abandoned")]


def test_a_call_served_by_the_fallback_queue_is_answered_outside() -> None:
    record = _fold(
        _started(),
        _entered(0),
        _left(30, 30, ev.QueueExit.FALLBACK),
        ev.InteractionHandedOver(**_at(30), interaction_id=CALL, agent_id=None, cause="unheard"),
        ev.InteractionHandedOver(**_at(40), interaction_id=CALL, agent_id=ANA, cause="served"),
        _ended(70),
    )
    assert _track(record) == [
        ("queued", 0, 30, "fallback"),
        ("external", 30, 40, None),
        ("talking", 40, 70, None),
    ]
    assert (record.interaction.outcome, record.interaction.agent_id) == ("fallback", ANA)
    assert record.interaction.answered_ms == START + 40_000


def test_a_call_thought_lost_and_found_again_is_one_contact_with_a_re_attach_segment() -> None:
    record = _fold(
        _started(),
        _entered(0),
        _left(10, 10, ev.QueueExit.LOST_WITH_PBX),
        ev.ContactEnded(
            **_at(10), interaction_id=CALL, ended_by=Party.UNKNOWN, hangup_cause=0, reason="lost"
        ),
        _started(12),
        _entered(13, visit=2),
        _left(20, 7, ev.QueueExit.ABANDONED, visit=2),
        _ended(20),
    )
    assert _track(record) == [
        ("queued", 0, 10, "lost_with_pbx"),
        ("re_attach", 10, 13, None),
        ("queued", 13, 20, "abandoned"),
    ]
    assert (record.interaction.end_reason, record.interaction.ended_ms) == ("hangup", START + 20_000)


def test_an_adopted_talk_is_recorded_as_talk() -> None:
    record = _fold(
        _started(),
        ev.InteractionAdopted(
            **_at(30), interaction_id=CALL, phase="connected", queue_id=SALES, agent_id=ANA
        ),
        _talk_ended(40, ANA),
        _ended(40),
    )
    assert _track(record) == [("re_attach", 0, 30, None), ("talking", 30, 40, None)]
    assert record.interaction.agent_id == ANA


def test_a_contact_that_leaves_before_any_queue_says_so() -> None:
    record = _fold(_started(), _ended(3))
    assert _track(record) == [("entry", 0, 3, None)]
    assert record.interaction.outcome == "left_before_queue"


def _corrected(**changes: object) -> ev.FactCorrected:
    facts: dict[str, object] = {
        "interaction_id": CALL,
        "started_ms": START,
        "ended_ms": START + 50_000,
        "answered_ms": None,
        "agent_id": None,
        "entry_point": "8000",
        "caller_number": "+886912345678",
        "evidence": "cel",
    }
    return ev.FactCorrected(**_at(3600), **(facts | changes))  # type: ignore[arg-type]


def test_the_witness_alone_makes_a_back_filled_contact() -> None:
    record = _fold(_corrected(answered_ms=START + 12_000, agent_id=ANA))
    assert _track(record) == [("entry", 0, 12, None), ("talking", 12, 50, None)]
    assert _track(record, "a1001#0") == [("talk", 12, 50, None)]
    row = record.interaction
    assert (row.grade, row.outcome, row.caller_number) == ("back_filled", "answered", "+886912345678")


def test_the_witness_ends_a_contact_whose_end_was_missed() -> None:
    record = _fold(*ANSWERED[:6], _corrected())
    assert _track(record)[-1] == ("talking", 8, 50, None)
    assert _track(record, "a1001#1")[-1] == ("talk", 8, 50, None)
    assert (record.interaction.ended_ms, record.interaction.grade) == (START + 50_000, "back_filled")


def test_the_witness_closes_a_visit_whose_end_was_missed() -> None:
    record = _fold(_started(), _entered(1), _corrected())
    assert _track(record) == [("entry", 0, 1, None), ("queued", 1, 50, "lost_with_pbx")]
    assert record.visits[0].wait_ms == 49_000


def test_an_answer_noticed_late_is_moved_to_where_the_witness_has_it() -> None:
    record = _fold(*ANSWERED, _corrected(answered_ms=START + 5_000, ended_ms=START + 60_000))
    assert _track(record)[2:4] == [("ringing", 3.5, 5, "answered"), ("talking", 5, 20, None)]
    assert _track(record, "a1001#1")[:2] == [("ring", 3.5, 5, None), ("talk", 5, 20, None)]
    assert (record.interaction.answered_ms, record.interaction.talk_ms) == (START + 5_000, 50_000)
    assert (record.visits[0].left_ms, record.visits[0].wait_ms) == (START + 5_000, 4_000)
    assert (record.offers[0].ended_ms, record.offers[0].rang_ms) == (START + 5_000, 1_500)


def test_an_answer_before_the_ring_was_noticed_leaves_no_ring() -> None:
    record = _fold(*ANSWERED, _corrected(answered_ms=START + 3_200, ended_ms=START + 60_000))
    assert _track(record)[1:4] == [
        ("queued", 1, 3.2, None),
        ("ringing", 3.2, 3.2, "answered"),
        ("talking", 3.2, 20, None),
    ]
    assert _track(record, "a1001#1")[0] == ("talk", 3.2, 20, None)
    assert record.offers[0].rang_ms == 0


def test_an_end_noticed_late_ends_the_talk_where_the_witness_has_it_and_the_wrap_up_follows() -> None:
    record = _fold(*ANSWERED, _corrected(answered_ms=START + 8_050, ended_ms=START + 50_000))
    assert _track(record)[-1] == ("talking", 25, 50, None)
    assert _track(record, "a1001#1")[-2:] == [("talk", 25, 50, None), ("wrap_up", 50, 75, None)]
    assert record.interaction.answered_ms == START + 8_000, "no further away than the same fact may be"
    assert (record.interaction.ended_ms, record.interaction.talk_ms) == (START + 50_000, 37_000)


def test_a_caller_whose_leaving_was_noticed_late_waited_until_the_witness_says() -> None:
    abandoned = _left(30, 29, ev.QueueExit.ABANDONED)
    record = _fold(_started(), _entered(1), abandoned, _ended(30), _corrected(ended_ms=START + 12_000))
    assert _track(record) == [("entry", 0, 1, None), ("queued", 1, 12, "abandoned")]
    assert (record.visits[0].wait_ms, record.interaction.wait_ms) == (11_000, 11_000)


def test_an_open_contact_has_one_running_segment_and_no_outcome() -> None:
    record = _fold(*ANSWERED[:3])
    assert _track(record) == [("entry", 0, 1, None), ("queued", 1, None, None)]
    assert (record.interaction.outcome, record.interaction.ended_ms) == (None, None)


def test_a_late_word_about_an_unknown_contact_makes_no_record() -> None:
    assert fold([Stamped(1, 1, 0, ANSWERED[-1])]) is None


def test_legs_carry_pbx_and_boot() -> None:
    legs = _fold(*ANSWERED).legs
    assert [(leg.pbx_id, leg.boot_id, leg.party) for leg in legs] == [
        ("pbx1", "b1", "customer"),
        ("pbx1", "b1", "agent"),
    ]
    assert [leg.ended_ms for leg in legs] == [START + 60_000, START + 60_000]

"""What the witness corrects in a record: literal histories with literal rows."""

from __future__ import annotations

from routing import events as ev
from tests.app.live.recorder_facts import (
    ANA,
    ANSWERED,
    CALL,
    START,
    at,
    ended,
    entered,
    left,
    record_of,
    started,
    track_of,
)


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
    return ev.FactCorrected(**at(3600), **(facts | changes))  # type: ignore[arg-type]


def test_the_witness_alone_makes_a_back_filled_contact() -> None:
    record = record_of(_corrected(answered_ms=START + 12_000, agent_id=ANA))
    assert track_of(record) == [("entry", 0, 12, None), ("talking", 12, 50, None)]
    assert track_of(record, "a1001#0") == [("talk", 12, 50, None)]
    row = record.interaction
    assert (row.grade, row.outcome, row.caller_number) == ("back_filled", "answered", "+886912345678")


def test_the_witness_ends_a_contact_whose_end_was_missed() -> None:
    record = record_of(*ANSWERED[:6], _corrected())
    assert track_of(record)[-1] == ("talking", 8, 50, None)
    assert track_of(record, "a1001#1")[-1] == ("talk", 8, 50, None)
    assert (record.interaction.ended_ms, record.interaction.grade) == (START + 50_000, "back_filled")


def test_the_witness_closes_a_visit_whose_end_was_missed() -> None:
    record = record_of(started(), entered(1), _corrected())
    assert track_of(record) == [("entry", 0, 1, None), ("queued", 1, 50, "lost_with_pbx")]
    assert record.visits[0].wait_ms == 49_000


def test_an_answer_noticed_late_is_moved_to_where_the_witness_has_it() -> None:
    record = record_of(*ANSWERED, _corrected(answered_ms=START + 5_000, ended_ms=START + 60_000))
    assert track_of(record)[2:4] == [("ringing", 3.5, 5, "answered"), ("talking", 5, 20, None)]
    assert track_of(record, "a1001#1")[:2] == [("ring", 3.5, 5, None), ("talk", 5, 20, None)]
    assert (record.interaction.answered_ms, record.interaction.talk_ms) == (START + 5_000, 50_000)
    assert (record.visits[0].left_ms, record.visits[0].wait_ms) == (START + 5_000, 4_000)
    assert (record.offers[0].ended_ms, record.offers[0].rang_ms) == (START + 5_000, 1_500)


def test_an_answer_before_the_ring_was_noticed_leaves_no_ring() -> None:
    record = record_of(*ANSWERED, _corrected(answered_ms=START + 3_200, ended_ms=START + 60_000))
    assert track_of(record)[1:4] == [
        ("queued", 1, 3.2, None),
        ("ringing", 3.2, 3.2, "answered"),
        ("talking", 3.2, 20, None),
    ]
    assert track_of(record, "a1001#1")[0] == ("talk", 3.2, 20, None)
    assert record.offers[0].rang_ms == 0


def test_an_end_noticed_late_ends_the_talk_where_the_witness_has_it_and_the_wrap_up_follows() -> None:
    record = record_of(*ANSWERED, _corrected(answered_ms=START + 8_050, ended_ms=START + 50_000))
    assert track_of(record)[-1] == ("talking", 25, 50, None)
    assert track_of(record, "a1001#1")[-2:] == [("talk", 25, 50, None), ("wrap_up", 50, 75, None)]
    assert record.interaction.answered_ms == START + 8_000, "no further away than the same fact may be"
    assert (record.interaction.ended_ms, record.interaction.talk_ms) == (START + 50_000, 37_000)


def test_a_caller_whose_leaving_was_noticed_late_waited_until_the_witness_says() -> None:
    abandoned = left(30, 29, ev.QueueExit.ABANDONED)
    record = record_of(started(), entered(1), abandoned, ended(30), _corrected(ended_ms=START + 12_000))
    assert track_of(record) == [("entry", 0, 1, None), ("queued", 1, 12, "abandoned")]
    assert (record.visits[0].wait_ms, record.interaction.wait_ms) == (11_000, 11_000)

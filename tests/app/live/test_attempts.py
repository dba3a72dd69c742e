"""Every number outside that was dialled for a caller stands in the log once, with who wanted it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.db.session import DEFAULT_TENANT, Database
from app.live.drainer import Drainer
from routing import events as ev
from routing import transfer_events as tr
from routing.transfer_signals import TransferKind
from tests.app.live.recorder_facts import ANA, ANSWERED, BEN, CALL, at, record_of
from tests.app.live.test_drainer import ListJournal, row_of_events

NUMBER = "+886287654321"


def asked(seconds: float, attempt: int, to_number: str) -> tr.ConsultStarted:
    return tr.ConsultStarted(
        **at(seconds),
        interaction_id=CALL,
        agent_id=ANA,
        attempt=attempt,
        to_agent_id=None if to_number else BEN,
        to_number=to_number,
    )


def moved(seconds: float, attempt: int, to_number: str, kind: TransferKind) -> ev.InteractionTransferred:
    return ev.InteractionTransferred(
        **at(seconds),
        interaction_id=CALL,
        from_agent_id=ANA,
        to_queue_id=None,
        to_agent_id=None if to_number else BEN,
        to_number=to_number,
        kind=kind,
        attempt=attempt,
    )


EVENTS = (
    *ANSWERED[:6],
    asked(20, 2, NUMBER),
    asked(30, 3, ""),
    moved(40, 3, "", TransferKind.ATTENDED),
    moved(50, 4, "119", TransferKind.BLIND),
    moved(55, 2, NUMBER, TransferKind.ATTENDED),
)


@pytest.mark.db
async def test_numbers_dialled_are_attempts_however_often_the_record_is_written(database: Database) -> None:
    journal = ListJournal([row_of_events(seq, event) for seq, event in enumerate(EVENTS, 1)])
    for _ in range(2):
        await Drainer(journal, database, DEFAULT_TENANT).drain_all()
    query = text(
        "SELECT purpose, number_kind, number_normal, requested_by, refused_by, interaction_id"
        " FROM contact_attempt ORDER BY at"
    )
    async with database.transaction(DEFAULT_TENANT) as connection:
        found = [tuple(row) for row in await connection.execute(query)]
    assert found == [
        ("consult", "e164", NUMBER, ANA, "", CALL),
        ("transfer", "short", "119", ANA, "", CALL),
    ]


def test_an_attempt_says_when_it_was() -> None:
    record = record_of(*EVENTS)
    assert [(attempt.attempt, attempt.at_ms) for attempt in record.attempts] == [
        (2, at(20)["occurred_ms"]),
        (4, at(50)["occurred_ms"]),
    ]

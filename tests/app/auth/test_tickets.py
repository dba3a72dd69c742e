"""Socket tickets: once, within 30 s, for a session that is still one."""

from __future__ import annotations

from uuid import UUID, uuid4

from app.auth import tickets as module
from app.auth.permissions import Role
from app.auth.principal import Principal
from app.auth.tickets import TICKET_LIFE_MS, TICKETS_PER_OWNER_MAX, Tickets
from app.auth.tokens import new_token
from tests.app.auth.people import SetClock

ANN = Principal(role=Role.PLANNER, name="ann")
BOB = Principal(role=Role.PLANNER, name="bob")


def _tickets() -> tuple[Tickets, SetClock, set[UUID]]:
    clock, live = SetClock(), set[UUID]()
    return Tickets(clock.now_ms, live.__contains__), clock, live


def test_a_ticket_opens_one_socket() -> None:
    tickets, _, _ = _tickets()
    ticket = tickets.issue(ANN)
    found = tickets.redeem(ticket)
    assert found is not None
    assert found.principal == ANN
    assert tickets.redeem(ticket) is None


def test_a_ticket_is_worth_nothing_after_its_time() -> None:
    tickets, clock, _ = _tickets()
    ticket = tickets.issue(ANN)
    clock.at_ms += TICKET_LIFE_MS
    assert tickets.redeem(ticket) is None


def test_a_ticket_is_worth_nothing_when_its_session_is_over() -> None:
    tickets, _, live = _tickets()
    session = uuid4()
    live.add(session)
    kept, lost = tickets.issue(ANN, session), tickets.issue(ANN, session)
    assert tickets.redeem(kept) is not None
    live.remove(session)
    assert tickets.redeem(lost) is None


def test_what_was_never_issued_opens_nothing() -> None:
    tickets, _, _ = _tickets()
    tickets.issue(ANN)
    for wrong in ("", "x", new_token(), "a" * 43, "é" * 43, "a" * 100_000):
        assert tickets.redeem(wrong) is None


def test_one_owner_cannot_take_the_tickets_of_all() -> None:
    tickets, _, _ = _tickets()
    bobs = tickets.issue(BOB)
    anns = [tickets.issue(ANN) for _ in range(TICKETS_PER_OWNER_MAX + 3)]
    assert [tickets.redeem(ticket) is not None for ticket in anns] == [False] * 3 + [True] * 16
    assert tickets.redeem(bobs) is not None


def test_tickets_nobody_shows_are_bounded() -> None:
    tickets, clock, _ = _tickets()
    for number in range(200):
        tickets.issue(Principal(role=Role.PLANNER, name=str(number)))
    clock.at_ms += TICKET_LIFE_MS
    tickets.issue(ANN)
    assert len(tickets._open) == 1
    assert module.TICKETS_MAX <= 10_000

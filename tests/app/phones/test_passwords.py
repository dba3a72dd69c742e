"""The passwords of pages: minutes long, one agent's, gone with the session."""

from __future__ import annotations

from uuid import uuid4

from app.phones.passwords import PASSWORD_LIFE_MS, PASSWORDS_PER_AGENT_MAX, Passwords
from routing.ids import AgentId

ANA, BEN = AgentId("a1001"), AgentId("a1002")


def test_a_password_is_one_agents_and_ends_after_minutes() -> None:
    now_ms = [1_000]
    passwords = Passwords(lambda: now_ms[0])
    first, until_ms = passwords.issue(ANA, None)
    assert until_ms == 1_000 + PASSWORD_LIFE_MS
    assert (passwords.of(ANA), passwords.of(BEN)) == ((first,), ())
    now_ms[0] = until_ms - 1
    second, _ = passwords.issue(ANA, None)
    assert passwords.of(ANA) == (second, first)
    now_ms[0] = until_ms
    assert passwords.of(ANA) == (second,)


def test_a_session_that_ends_takes_its_passwords_along() -> None:
    passwords = Passwords(lambda: 0)
    mine, other = uuid4(), uuid4()
    passwords.issue(ANA, mine)
    kept, _ = passwords.issue(ANA, other)
    passwords.end(frozenset({mine}))
    assert passwords.of(ANA) == (kept,)


def test_there_are_never_many() -> None:
    passwords = Passwords(lambda: 0)
    issued = [passwords.issue(ANA, None)[0] for _ in range(PASSWORDS_PER_AGENT_MAX + 3)]
    assert passwords.of(ANA) == tuple(reversed(issued[-PASSWORDS_PER_AGENT_MAX:]))

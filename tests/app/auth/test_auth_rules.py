"""Logins, passwords, waits, and what an account may become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.permissions import Role
from app.auth.rules import (
    PASSWORD_CHARS_MAX,
    WAIT_MAX_MS,
    Standing,
    change_problem,
    folded,
    needs_new_sign_in,
    password_problem,
    wait_after,
)

ADMINISTRATOR = Standing(role=Role.ADMINISTRATOR)
PLANNER = Standing(role=Role.PLANNER)
AGENT = Standing(role=Role.AGENT, agent_id="a1001")


@pytest.mark.parametrize(
    ("given_login", "kept"),
    [
        ("Ann", "ann"),
        (" ann ", "ann"),
        ("ANN@Example.com", "ann@example.com"),
        ("Straße", "strasse"),
        ("王小明", "王小明"),
        ("ａｎｎ", "ann"),  # full width
        ("", None),
        ("ann lee", None),
        ("ann\x00", None),
        ("ann\n", "ann"),
        ("a" * 65, None),
        ("a" * 10_000, None),
        ("<script>", None),
        ("' OR 1=1", None),
    ],
)
def test_a_login_is_folded_or_is_none(given_login: str, kept: str | None) -> None:
    assert folded(given_login) == kept


@given(st.text(max_size=80))
def test_a_folded_login_stays_as_it_is(text: str) -> None:
    once = folded(text)
    assert once is None or folded(once) == once


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("rain on a tin roof", None),
        ("雨打在鐵皮屋頂上叮叮噹噹響", None),
        ("Tr0ub4dor&33x", None),
        ("short", "password_short"),
        ("elevenchars", "password_short"),
        ("x" * (PASSWORD_CHARS_MAX + 1), "password_long"),
        ("aaaaaaaaaaaaaa", "password_common"),
        ("121212121212", "password_common"),
        ("123456789012", "password_common"),
        ("210987654321", "password_common"),
        ("qwertyuiopasdf", "password_common"),
        ("Password-1234", "password_common"),
        ("HOLDLESS2026!!", "password_common"),
        ("correct horse battery staple", "password_common"),
        ("              ", "password_common"),
        ("annabelle.lee", "password_is_name"),
        ("annabelle.lee7!", "password_is_name"),
        ("annabelle.lee knits whales", None),
    ],
)
def test_a_password_is_long_and_not_what_is_tried_first(password: str, problem: str | None) -> None:
    assert password_problem(password, "annabelle.lee", "Annabelle Lee") == problem


def test_the_wait_grows_and_has_an_end() -> None:
    waits = [wait_after(count) for count in range(200)]
    assert waits == sorted(waits)
    assert waits[4] == 0
    assert waits[5] == 30_000
    assert waits[-1] == WAIT_MAX_MS


@pytest.mark.parametrize(
    ("before", "after", "oneself", "others", "problem"),
    [
        (None, PLANNER, False, 1, None),
        (None, AGENT, False, 1, None),
        (None, Standing(role=Role.AGENT), False, 1, "agent_missing"),
        (None, Standing(role=Role.PLANNER, agent_id="a1"), False, 1, "agent_not_of_role"),
        (
            None,
            Standing(role=Role.AGENT, agent_id="a1", team_ids=frozenset("x")),
            False,
            1,
            "teams_not_of_role",
        ),
        (None, Standing(role=Role.SUPERVISOR, agent_id="a1", team_ids=frozenset("x")), False, 1, None),
        (None, Standing(role=Role.INTEGRATION), False, 1, "role_needs_key"),
        (ADMINISTRATOR, Standing(role=Role.ADMINISTRATOR, is_disabled=True), True, 1, "own_account"),
        (ADMINISTRATOR, Standing(role=Role.ADMINISTRATOR, is_disabled=True), False, 0, "last_administrator"),
        (ADMINISTRATOR, Standing(role=Role.ADMINISTRATOR, is_disabled=True), False, 1, None),
        (ADMINISTRATOR, PLANNER, True, 0, "last_administrator"),
        (ADMINISTRATOR, PLANNER, True, 1, None),
        (PLANNER, Standing(role=Role.PLANNER, is_disabled=True), False, 0, None),
        (PLANNER, ADMINISTRATOR, False, 0, None),
    ],
)
def test_an_account_may_become_what_leaves_an_administrator(
    before: Standing | None, after: Standing, oneself: bool, others: int, problem: str | None
) -> None:
    found = change_problem(before, after, is_oneself=oneself, other_administrator_count=others)
    assert found == problem


def test_what_alters_rights_asks_for_a_new_sign_in() -> None:
    assert needs_new_sign_in(PLANNER, ADMINISTRATOR)
    assert needs_new_sign_in(AGENT, Standing(role=Role.AGENT, agent_id="a1002"))
    assert not needs_new_sign_in(AGENT, Standing(role=Role.AGENT, agent_id="a1001"))

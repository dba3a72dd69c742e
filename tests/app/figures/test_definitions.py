"""What a report asks for: its days as time goes by, what is refused, what an older version wrote."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.auth.permissions import Reach, Role
from app.auth.principal import Principal
from app.figures.definitions import STANDARD, ReportDefinition, ReportRange, days_of, kept
from app.figures.report_rights import Sharing, is_seen, may_change
from routing.ids import TeamId

WEDNESDAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("today", "2026-11-25", "2026-11-25"),
        ("yesterday", "2026-11-24", "2026-11-24"),
        ("this_week", "2026-11-23", "2026-11-25"),
        ("last_week", "2026-11-16", "2026-11-22"),
        ("week", "2026-11-19", "2026-11-25"),
        ("month", "2026-10-27", "2026-11-25"),
        ("quarter", "2026-08-28", "2026-11-25"),
        ("this_month", "2026-11-01", "2026-11-25"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("days", "2026-11-16", "2026-11-25"),
        ("own", "2026-02-01", "2026-02-03"),
    ],
)
def test_the_days_move_along_with_today(asked: str, first: str, last: str) -> None:
    definition = ReportDefinition.model_validate(
        {"range": asked, "days": 10, "first": "2026-02-01", "last": "2026-02-03"}
    )
    assert tuple(map(str, days_of(definition, WEDNESDAY))) == (first, last)


@given(st.dates(date(2000, 3, 1), date(2100, 1, 1)), st.sampled_from(ReportRange))
def test_whatever_the_day_the_days_are_in_order_and_none_is_ahead(today: date, asked: ReportRange) -> None:
    definition = ReportDefinition(range=asked, days=3, first=today, last=today)
    first, last = days_of(definition, today)
    assert first <= last <= today
    assert today - first < timedelta(days=100)


@pytest.mark.parametrize(
    "wrong",
    [
        {"range": "days"},
        {"range": "own", "first": "2026-01-01"},
        {"range": "own", "first": "2026-01-02", "last": "2026-01-01"},
        {"columns": ["SL-Z"]},
        {"columns": []},
        {"only": ["planet:mars"]},
        {"sort": "-nothing"},
        {"colour": "red"},
    ],
)
def test_what_makes_no_report_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ReportDefinition.model_validate(wrong)


def test_what_an_older_version_wrote_can_be_opened_without_the_figures_that_are_gone() -> None:
    definition = kept({"range": "today", "columns": ["SL-OLD"], "sort": "SL-OLD", "colour": "red"})
    assert definition == ReportDefinition(range=ReportRange.TODAY)


def test_the_standard_set_has_names_in_both_languages() -> None:
    assert len({one.name for one in STANDARD.values()}) == len(STANDARD)
    assert all(one.name_zh_hant and one.name_zh_hant != one.name for one in STANDARD.values())


SUE = Principal(role=Role.SUPERVISOR, name="sue", team_ids=frozenset({TeamId("north")}))
PAT = Principal(role=Role.PLANNER, name="pat")


@pytest.mark.parametrize(
    ("who", "reach", "sharing", "shared_with", "seen"),
    [
        (PAT, Reach.TEAMS, Sharing.PRIVATE, [], False),
        (PAT, Reach.ALL, Sharing.PRIVATE, [], True),
        (PAT, Reach.TEAMS, Sharing.ALL, [], True),
        (PAT, Reach.OWN, Sharing.ALL, [], False),
        (PAT, Reach.TEAMS, Sharing.ROLES, ["planner"], True),
        (PAT, Reach.TEAMS, Sharing.ROLES, ["supervisor"], False),
        (SUE, Reach.TEAMS, Sharing.TEAMS, ["north", "south"], True),
        (SUE, Reach.TEAMS, Sharing.TEAMS, ["south"], False),
        (PAT, Reach.TEAMS, Sharing.TEAMS, ["north"], False),
    ],
)
def test_a_report_is_seen_by_those_with_whom_it_is_shared(
    who: Principal, reach: Reach, sharing: Sharing, shared_with: list[str], seen: bool
) -> None:
    assert is_seen(who, reach, owner="account:x", sharing=sharing, shared_with=shared_with) is seen
    assert is_seen(who, reach, owner=f"key:{who.name}", sharing=Sharing.PRIVATE, shared_with=[])
    assert may_change(who, Reach.TEAMS, owner=f"key:{who.name}")
    assert not may_change(who, Reach.TEAMS, owner="account:x")
    assert not may_change(who, None, owner=f"key:{who.name}")

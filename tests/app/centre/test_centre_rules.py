"""A centre as a document: what is wrong is named, seconds become milliseconds, TOML loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calendars.rules import is_open
from app.centre.demo import SEAT_QUEUE_ID, demo_centre, demo_customers
from app.centre.document import AgentPart, CalendarPart, Centre, DayPart, QueuePart, SkillPart
from app.centre.exchange import CentreError, diff, from_plain, from_toml, to_plain, to_toml
from app.centre.rules import as_calendar, engine_config, problems
from app.customers.numbers import parse_number


def _fields(centre: Centre) -> set[tuple[str, str]]:
    return {(problem.field, problem.error_id) for problem in problems(centre)}


def test_the_demo_centre_has_no_problems_and_its_people_can_serve_its_queues() -> None:
    centre = demo_centre()
    assert problems(centre) == ()
    assert [agent.agent_id for agent in centre.agent] == [f"a100{number}" for number in range(1, 10)]
    for queue in centre.queue:
        able = [
            agent
            for agent in centre.agent
            if all(agent.skills.get(skill, 0) >= level for skill, level in queue.requires.items())
        ]
        at_least = 1 if queue.queue_id == SEAT_QUEUE_ID else 2  # the person's alone
        assert at_least <= len(able) < 8, queue.queue_id


def test_seconds_become_milliseconds_once() -> None:
    config = engine_config(demo_centre())
    sales = next(queue for queue in config.queues if queue.queue_id == "sales")
    assert (sales.threshold_ms, sales.ring_timeout_ms, sales.wrap_up_ms) == (15_000, 12_000, 15_000)
    assert sales.queue_timeout_ms is None
    assert config.default_queue_id == "support"
    assert config.agents[0].device == "PJSIP/a1001"


def test_every_problem_is_named_with_its_field_at_once() -> None:
    centre = Centre(
        skill=(SkillPart(skill_id="sales"), SkillPart(skill_id="sales")),
        queue=(
            QueuePart(queue_id="q1", requires={"magic": 3}, threshold_s=0, calendar_id="none"),
            QueuePart(queue_id="q2", max_wait_s=1),
        ),
        agent=(
            AgentPart(agent_id="a1", device="PJSIP/x", team_id="t"),
            AgentPart(agent_id="a2", device="PJSIP/x"),
        ),
        calendar=(CalendarPart(calendar_id="c", zone="Moon/Base"),),
    )
    assert _fields(centre) == {
        ("skill[sales]", "id_repeated"),
        ("queue[q1].requires[magic]", "skill_unknown"),
        ("queue[q1].threshold_s", "not_positive"),
        ("queue[q1].calendar_id[none]", "calendar_unknown"),
        ("queue[q2].max_wait_s", "below_threshold"),
        ("queue[].is_default", "default_queue"),
        ("agent[a1].team_id[t]", "team_unknown"),
        ("agent[a2].device", "device_shared"),
        ("calendar[c].zone", "zone_unknown"),
    }


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[queue.sales]\nthreshold_s = -1", "queue[sales].threshold_s"),
        ("[queue.sales]\ntreshold_s = 20", "queue[sales].treshold_s"),
        ("[queue.sales]\nthreshold_s = nan", "queue[sales].threshold_s"),
        ("[queue.Sales]", "queue[Sales].queue_id"),
        ("[agent.a1001]\nskills = {sales = 11}", "agent[a1001].skills.sales"),
        ('[agent.a1001]\ndevice = "PJSIP/a,b&c"', "agent[a1001].device"),
        ('[entry_point."0277;x"]', "entry_point[0277;x].entry_point"),
        ('[calendar.c]\nintervals = [{weekday = 0, shift = "22:00-06:00"}]', "calendar[c].intervals.0.shift"),
        ("[queu.sales]", "queu"),
        ("queue = 1", "queue"),
        ("not toml at all", ""),
    ],
)
def test_a_wrong_text_is_refused_by_field(text: str, field: str) -> None:
    with pytest.raises(CentreError) as refused:
        from_toml(text)
    assert field in [problem.field for problem in refused.value.problems]


def test_the_export_of_the_demo_reads_back_equal_and_is_stable() -> None:
    centre = demo_centre()
    text = to_toml(centre)
    assert from_toml(text) == centre
    assert to_toml(from_toml(text)) == text
    assert from_plain(to_plain(centre)) == centre
    assert "[queue.sales]" in text
    assert "max_wait_s = 600" not in text, "defaults stay out"


_names = st.text(max_size=30).filter(
    lambda name: (
        not any(letter < " " or letter == "\x7f" or "\ud800" <= letter <= "\udfff" for letter in name)
    )
)
_ids = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)


@st.composite
def _centres(draw: st.DrawFn) -> Centre:
    skills = draw(st.lists(_ids, unique=True, max_size=4))
    levels = st.dictionaries(st.sampled_from(skills), st.integers(1, 10)) if skills else st.just({})
    return Centre(
        skill=tuple(SkillPart(skill_id=skill, display_name=draw(_names)) for skill in skills),
        queue=tuple(
            QueuePart(
                queue_id=each,
                display_name=draw(_names),
                requires=draw(levels),
                threshold_s=draw(st.floats(0, 86400)),
                wrap_up_extendable=draw(st.booleans()),
            )
            for each in draw(st.lists(_ids, unique=True, max_size=4))
        ),
        agent=tuple(
            AgentPart(agent_id=each, display_name=draw(_names), skills=draw(levels))
            for each in draw(st.lists(_ids, unique=True, max_size=4))
        ),
    ).sorted()


@given(centre=_centres())
@settings(max_examples=40)
def test_any_centre_survives_its_export(centre: Centre) -> None:
    assert from_toml(to_toml(centre)) == centre


@given(before=_centres(), after=_centres())
@settings(max_examples=30)
def test_there_is_a_difference_exactly_when_two_centres_differ(before: Centre, after: Centre) -> None:
    assert diff(before, before) == ()
    assert (diff(before, after) == ()) == (before == after)


def test_a_difference_names_part_and_field() -> None:
    before = demo_centre()
    plain: dict[str, Any] = to_plain(before)
    next(queue for queue in plain["queue"] if queue["queue_id"] == "sales")["threshold_s"] = 16.0
    plain["agent"] = plain["agent"][1:]
    changes = {change.field: (change.before, change.after) for change in diff(before, from_plain(plain))}
    assert changes["queue[sales].threshold_s"] == (15.0, 16.0)
    assert changes["agent[a1001]"][1] is None
    assert len(changes) == 2


def test_a_closure_of_a_calendar_holds_in_its_region_and_an_opening_wins() -> None:
    office = next(calendar for calendar in demo_centre().calendar if calendar.calendar_id == "office")
    monday = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Taipei
    days = (
        DayPart.model_validate(
            {"day": "2026-11-23", "kind": "opening", "shift": "09:30-11:00", "display_name": "o"}
        ),
        DayPart.model_validate(
            {"day": "2026-11-23", "kind": "closure", "region": "TW-TPE", "display_name": "t"}
        ),
    )
    closed = as_calendar(office.model_copy(update={"days": days[1:]}))
    assert is_open(closed, monday).reason == "closure"
    assert is_open(as_calendar(office.model_copy(update={"days": days})), monday).reason == "opening"
    elsewhere = office.model_copy(update={"days": days[1:], "region": "TW-KHH"})
    assert is_open(as_calendar(elsewhere), monday).open


def test_the_demos_customers_are_the_same_every_time_and_share_lines_as_people_do() -> None:
    customers = demo_customers()
    assert customers == demo_customers()
    assert len(customers) == 200
    lines: dict[str, set[str]] = {}
    for customer in customers:
        for number in customer.numbers:
            found = parse_number(number, "TW", "02")
            assert found.kind == "e164", number
            lines.setdefault(found.normal, set()).add(str(customer.party_id))
    assert sum(len(people) > 1 for people in lines.values()) >= 15
    assert sum(len(customer.numbers) > 1 for customer in customers) >= 20

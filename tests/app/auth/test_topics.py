"""Every topic declares its right, and nobody follows what they may not."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.permissions import Permission, Role
from app.auth.principal import Principal
from app.auth.topics import TOPICS, may_follow, right_of_topic
from app.topics import TOPIC_VALUES
from routing.ids import AgentId, TeamId

AGENT = Principal(role=Role.AGENT, name="ann", agent_id=AgentId("a1001"))
LEADER = Principal(
    role=Role.SUPERVISOR, name="sue", agent_id=AgentId("a1009"), team_ids=frozenset({TeamId("north")})
)
PLANNER = Principal(role=Role.PLANNER, name="pia")
ADMINISTRATOR = Principal(role=Role.ADMINISTRATOR, name="ada")
KEY = Principal(role=Role.INTEGRATION, name="crm")
TEAMS = {"a1001": TeamId("north"), "a1002": TeamId("south")}

ALLOWED = {
    "floor:all": {PLANNER, ADMINISTRATOR, KEY},
    "floor:team:north": {LEADER, PLANNER, ADMINISTRATOR, KEY},
    "floor:team:south": {PLANNER, ADMINISTRATOR, KEY},
    "wall:all": {AGENT, LEADER, PLANNER, ADMINISTRATOR, KEY},
    "agent:a1001": {AGENT, LEADER, KEY},
    "agent:a1002": {KEY},
    "agent:a1009": {LEADER, KEY},
    "agent:a9999": {KEY},
    "presence:all": {AGENT, LEADER, ADMINISTRATOR, KEY},
}


@pytest.mark.parametrize("topic", ALLOWED)
@pytest.mark.parametrize("principal", [AGENT, LEADER, PLANNER, ADMINISTRATOR, KEY], ids=lambda p: p.role)
def test_a_topic_is_followed_by_those_whose_right_reaches_it(topic: str, principal: Principal) -> None:
    assert may_follow(principal, topic, TEAMS.get) is (principal in ALLOWED[topic])


def test_every_topic_says_what_it_shows() -> None:
    assert TOPIC_VALUES.keys() == TOPICS.keys()


def test_every_topic_names_a_right_of_the_table() -> None:
    for right in TOPICS.values():
        assert right.permission in get_args(Permission)


@pytest.mark.parametrize(
    "topic",
    [
        *("", ":", "floor", "floor:", "floor:team", "floor:team:", "floor:team:*", "floor:*", "agent:*"),
        *("agent:", "agent:a1001:x", "agent:A1001", "agent:a1001\n", "wall:north", "agent:" + "a" * 33),
        "agent:a" * 9_999,
    ],
)
def test_what_is_no_topic_has_no_right_and_no_follower(topic: str) -> None:
    assert right_of_topic(topic) is None
    assert not may_follow(KEY, topic, TEAMS.get)


@given(st.text())
def test_no_text_is_a_topic_by_accident(text: str) -> None:
    right = right_of_topic(text)
    assert right is None or text in TOPICS or text.endswith(f":{right.shown_id}")

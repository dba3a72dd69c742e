from __future__ import annotations

from dataclasses import replace

import pytest

from routing.config import validate
from routing.ids import QueueId
from tests.routing.desk import config


def test_a_sound_configuration_has_no_problems() -> None:
    assert validate(config()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ring_timeout_ms", 0),
        ("max_wait_ms", 0),
        ("service_level_target", 1.5),
        ("preset", "lucky"),
        ("wrap_up_mode", "maybe"),
        ("medium", "smoke"),
        ("queue_timeout_ms", 0),
        ("wrap_up_ms", -1),
    ],
)
def test_a_problem_names_its_field(name: str, value: object) -> None:
    queues = config().queues
    broken = replace(config(), queues=(replace(queues[0], **{name: value}), queues[1]))  # type: ignore[arg-type]
    assert [problem.field for problem in validate(broken)] == [f"queues[support].{name}"]


def test_where_callers_go_who_do_not_get_through_is_another_queue_by_a_key_that_there_is() -> None:
    queues = config().queues
    for broken, named in (
        ({"queue_timeout_to": QueueId("sales")}, "queue_timeout_to"),
        ({"overflow_after_ms": 5_000}, "overflow_to"),
        ({"overflow_after_ms": 0, "overflow_to": QueueId("sales")}, "overflow_after_ms"),
        ({"overflow_after_ms": 5_000, "overflow_to": QueueId("support")}, "overflow_to"),
        ({"key_exits": {"1": QueueId("nowhere")}}, "key_exits[1]"),
        ({"key_exits": {"10": QueueId("sales")}}, "key_exits[10]"),
    ):
        changed = replace(config(), queues=(replace(queues[0], **broken), queues[1]))
        assert [problem.field for problem in validate(changed)] == [f"queues[support].{named}"], broken


def test_ids_levels_and_the_default_queue_are_checked() -> None:
    agents = config().agents
    broken = replace(
        config(),
        agents=(agents[0], agents[0], replace(agents[1], skills={next(iter(agents[1].skills)): 11})),
        queues=(replace(config().queues[0], queue_id=QueueId("Not A Slug")),),
        default_queue_id=QueueId("nowhere"),
    )
    fields = [problem.field for problem in validate(broken)]
    assert fields == ["agents[ana]", "queues[Not A Slug]", "default_queue_id", "agents[ben].skills[support]"]

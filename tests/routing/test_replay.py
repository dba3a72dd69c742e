"""What was ever written stays readable. The golden file is never edited; a release adds another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from routing import replay
from routing.commands import Command
from routing.events import Event
from routing.events import InteractionTransferred as TransferDone
from routing.replay import (
    COMMAND_TYPES,
    EVENT_TYPES,
    SIGNAL_TYPES,
    ReplayError,
    decode,
    dump_lines,
    encode,
    load_lines,
)
from routing.signals import AgentNotReady, ConfigChanged, InteractionTransferred, Signal
from tests.routing.day import Day
from tests.routing.desk import ANA, C1, SALES, config

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.jsonl"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_file_is_still_read_and_written_alike(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    items = list(load_lines(lines))
    assert len(items) == len(lines)
    assert list(load_lines(dump_lines(items))) == items


def test_the_golden_files_hold_every_type_of_the_first_release() -> None:
    held = {json.loads(line)["type"] for path in GOLDEN for line in path.read_text().splitlines()}
    assert {cls.__name__ for cls in (*SIGNAL_TYPES, *COMMAND_TYPES, *EVENT_TYPES)} - held == set()


def test_what_a_day_said_survives_json() -> None:
    for step in Day(3).steps(400):
        items: list[Signal | Command | Event] = [step.signal, *step.commands, *step.events]
        for item in items:
            assert decode(json.loads(json.dumps(encode(item)))) == item


def test_a_configuration_survives_json() -> None:
    changed = ConfigChanged(at_ms=1, version=2, config=config())
    assert decode(json.loads(json.dumps(encode(changed)))) == changed


def test_a_signal_and_an_event_of_one_name_are_told_apart() -> None:
    asked = InteractionTransferred(at_ms=1, interaction_id=C1, agent_id=ANA, to_queue_id=SALES)
    done = TransferDone(
        at_ms=1, occurred_ms=1, interaction_id=C1, from_agent_id=ANA, to_queue_id=SALES, to_agent_id=None
    )
    assert decode(encode(asked)) == asked
    assert decode(encode(done)) == done


def test_an_older_form_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(replay.VERSIONS, "AgentNotReady", 2)
    monkeypatch.setitem(
        replay.UPCASTERS,
        ("AgentNotReady", 1),
        lambda plain: {**{k: v for k, v in plain.items() if k != "why"}, "reason": plain["why"]},
    )
    old = {"type": "AgentNotReady", "v": 1, "at_ms": 5, "agent_id": "ana", "why": "lunch"}
    assert decode(old) == AgentNotReady(at_ms=5, agent_id=ANA, reason="lunch")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Unheard", "v": 1},
        {"v": 1},
        {"type": "AgentReady", "v": 2, "agent_id": "ana"},
        {"type": "AgentReady", "v": 0, "agent_id": "ana"},
        {"type": "AgentReady", "v": 1},
        {"type": "AgentReady", "v": 1, "agent_id": "ana", "surprise": 1},
        {
            "type": "OfferFailed",
            "v": 1,
            "interaction_id": "x",
            "agent_id": "a",
            "attempt": 1,
            "cause": "bored",
        },
    ],
)
def test_what_cannot_be_read_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ReplayError):
        decode(body)


def test_a_bad_line_is_named() -> None:
    with pytest.raises(ReplayError, match="line 2"):
        list(load_lines(['{"type":"DeadlineReached","v":1}', "{"]))

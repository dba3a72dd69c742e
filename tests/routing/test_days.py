"""Seeded random days: the invariants after every step, replay, restore, and the floor's fold."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine import Engine, Step
from routing.events import AgentState, Event
from routing.floor import Floor
from routing.floor_of import floor_of
from routing.replay import decode, encode
from routing.signals import ConfigChanged, DeadlineReached, PbxLinkLost, PbxSnapshotTaken, Signal
from routing.state import IN_QUEUE
from tests.routing.consult_day import ConsultDay
from tests.routing.day import Day
from tests.routing.phone_day import PhoneDay
from tests.routing.recount import Witness

ROOT = Path(__file__).parents[2]


def watched(seed: int, count: int, kind: type[Day] = Day) -> Day:
    """Run a day under the witness; a failure names its seed."""
    day, witness, floor = kind(seed), Witness(), Floor()
    try:
        for step in day.steps(count):
            witness.watch(day.engine.centre, step)
            for event in step.events:
                floor.apply(event)
            same_floor(day.engine, floor)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    return day


def same_floor(engine: Engine, floor: Floor) -> None:
    """The fold of the events is the engine's own view."""
    centre = engine.centre
    assert floor.link_up == centre.link_up
    own = {a.agent_id: (a.state, a.reason, a.since_ms, a.interaction_id) for a in centre.agents.values()}
    folded = {i: (a.state, a.reason, a.since_ms, a.interaction_id) for i, a in floor.agents.items()}
    assert folded == own
    phones = {
        a.agent_id: (a.phone_kind, a.phone_device, not a.device_lost, a.phone_since_ms)
        for a in centre.agents.values()
    }
    shown = {
        i: (a.phone_kind, a.phone_device, a.phone_reachable, a.phone_since_ms)
        for i, a in floor.agents.items()
    }
    assert shown == phones
    wishes = {i: (a.wish, a.wish_reason, a.wrap_up_until_ms) for i, a in floor_of(centre).agents.items()}
    assert {i: (a.wish, a.wish_reason, a.wrap_up_until_ms) for i, a in floor.agents.items()} == wishes
    for interaction_id, own_view in floor_of(centre).interactions.items():
        folded_view = replace(floor.interactions[interaction_id], visit=own_view.visit)
        assert folded_view == own_view, interaction_id  # visits before an end are counted by the engine alone
    live = {
        i.interaction_id: (
            i.phase,
            i.offer.agent_id if i.offer else i.agent_id,
            i.hold_started_ms is not None,
        )
        for i in centre.interactions.values()
    }
    assert {i: (f.phase, f.agent_id, f.held) for i, f in floor.interactions.items()} == live
    for queue_id, queue in floor.queues.items():
        waiting = {
            i.interaction_id: i.visit_started_ms
            for i in centre.interactions.values()
            if i.phase in IN_QUEUE and i.queue_id == queue_id
        }
        assert queue.waiting == waiting
        assert queue.offered_count == sum(queue.exits.values()) + len(waiting)


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_the_invariants_hold_after_every_step_of_a_random_day(seed: int) -> None:
    watched(seed, 200)


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_the_invariants_hold_over_a_day_with_browser_phones_that_come_and_go(seed: int) -> None:
    watched(seed, 300, PhoneDay)


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_the_invariants_hold_over_a_day_of_consults_and_conferences(seed: int) -> None:
    watched(seed, 300, ConsultDay)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_invariants_hold_over_a_hundred_thousand_random_signals() -> None:
    for seed in range(100):
        watched(seed, 1_050, (Day, PhoneDay, ConsultDay)[seed % 3])


def run(engine: Engine, signals: list[Signal]) -> list[Step]:
    return [engine.step(signal) for signal in signals]


def written(steps: list[Step]) -> str:
    return json.dumps([[*map(encode, s.commands), *map(encode, s.events)] for s in steps])


@settings(max_examples=15)
@given(st.integers(0, 2**32))
def test_recorded_signals_replay_to_the_same_commands_and_events(seed: int) -> None:
    steps = list(Day(seed).steps(200))
    lines = [json.dumps(encode(step.signal)) for step in steps]
    again: list[Signal] = []
    for line in lines:
        signal = decode(json.loads(line))
        assert isinstance(signal, Signal)
        again.append(signal)
    assert written(run(Engine(), again)) == written(steps)


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(1, 199))
def test_a_restored_engine_goes_on_exactly_where_the_other_stood(seed: int, cut: int) -> None:
    steps = list(Day(seed).steps(200))
    first = Engine()
    run(first, [step.signal for step in steps[:cut]])
    second = Engine.restore(json.loads(json.dumps(first.snapshot())))
    assert second.snapshot() == first.snapshot()
    assert second.next_deadline_ms() == first.next_deadline_ms()
    assert written(run(second, [step.signal for step in steps[cut:]])) == written(steps[cut:])


@settings(max_examples=15)
@given(st.integers(0, 2**32))
def test_a_late_driver_and_an_exact_driver_agree(seed: int) -> None:
    signals = [s.signal for s in Day(seed).steps(200) if not isinstance(s.signal, DeadlineReached)]
    late, exact = Engine(), Engine()
    for signal in signals:
        expected = late.step(signal)
        got: list[Event] = []
        guessed = isinstance(signal, PbxLinkLost | PbxSnapshotTaken)  # then deadlines of calls rest
        while not guessed and (due_ms := exact.next_deadline_ms()) is not None:
            if due_ms > signal.at_ms:
                break
            got += exact.step(DeadlineReached(at_ms=due_ms)).events
        got += exact.step(signal).events
        assert tuple(got) == expected.events, f"seed {seed}"


def digest(seed: int, count: int) -> str:
    """A fingerprint of everything one day's engine said."""
    return hashlib.sha256(written(list(Day(seed).steps(count))).encode()).hexdigest()


def test_a_day_is_the_same_under_two_hash_seeds() -> None:
    code = "from tests.routing.test_days import digest; print(digest(7, 600))"
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "4242")
    }
    assert len(prints) == 1


def test_signed_in_time_is_the_sum_of_all_states_when_everybody_goes_home() -> None:
    day, witness = Day(11), Witness()
    for step in day.steps(500):
        witness.watch(day.engine.centre, step)
    home = ConfigChanged(at_ms=day.at_ms + 1, version=99, config=replace(day.config, agents=()))
    witness.watch(day.engine.centre, day.engine.step(home))
    for step in day.steps(1):
        witness.watch(day.engine.centre, step)
    gone = [a for a, (state, _) in witness.state_of.items() if state is AgentState.SIGNED_OUT]
    assert gone
    assert all(witness.spans_ms[a] == witness.signed_in_ms[a] for a in gone)

"""Agents' spans over random days of the engine against a brute-force painting of what it displayed.

The painter knows nothing of spans: it takes each agent's displayed state from the engine and paints it over
the milliseconds from then on. Whatever the days brought (restarts, ring-no-answer, wrap-up made longer or cut
short, signing out in a call, states forced by lost phones, transfers, consults), spans must be that picture.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.live.record_rows import SpanRow
from app.live.record_spans import SpanFold, SpanKey, fold_spans, mended_end_ms
from routing import events as ev
from routing.events import AgentState
from routing.ids import AgentId
from routing.step import Step
from tests.routing.consult_day import ConsultDay
from tests.routing.day import Day
from tests.routing.phone_day import PhoneDay

Shown = tuple[str, str, str | None]
"""State, reason, interaction."""

_OUT: Shown = (AgentState.SIGNED_OUT.value, "", None)


class Picture:
    """What each agent displayed at every millisecond, painted over and over."""

    def __init__(self) -> None:
        self.from_ms: dict[AgentId, dict[int, Shown]] = defaultdict(dict)

    def paint(self, agent_id: AgentId, at_ms: int, shown: Shown) -> None:
        self.from_ms[agent_id] = {at: each for at, each in self.from_ms[agent_id].items() if at < at_ms}
        self.from_ms[agent_id][at_ms] = shown

    def at(self, agent_id: AgentId, at_ms: int) -> Shown:
        moments = sorted(self.from_ms[agent_id])
        place = bisect_right(moments, at_ms)
        return self.from_ms[agent_id][moments[place - 1]] if place else _OUT

    def signed_in_ms(self, agent_id: AgentId, until_ms: int) -> int:
        moments = [*sorted(self.from_ms[agent_id]), until_ms]
        return sum(two - one for one, two in pairwise(moments) if self.from_ms[agent_id][one] != _OUT)


class Table:
    """The rows as the tables would hold them, written in batches."""

    def __init__(self) -> None:
        self.rows: dict[SpanKey, SpanRow] = {}
        self.fold = SpanFold()

    def write(self, events: Iterable[ev.Event]) -> None:
        changes = self.fold.fold(events)
        for roll in changes.rolls:
            for key, row in self.rows.items():
                is_over = row.agent_id not in roll.signed_in and row.started_ms < roll.at_ms
                if row.ended_ms is None and is_over:
                    self.rows[key] = replace(row, ended_ms=roll.at_ms)
        for torn in changes.torn:
            for key, row in list(self.rows.items()):
                if row.agent_id != torn.agent_id or row.started_ms >= torn.until_ms:
                    continue
                ends_ms = mended_end_ms(row.started_ms, row.ended_ms, torn)
                del self.rows[key]
                if ends_ms is not None:
                    self.rows[key] = replace(row, ended_ms=ends_ms)
        for key, ended in changes.ended.items():
            known = self.rows.get(key, ended)
            self.rows[key] = replace(ended, interaction_id=known.interaction_id, queue_id=known.queue_id)
        for key, opened in changes.opened.items():
            self.rows.pop(key, None)
            if opened is not None:
                self.rows[key] = opened


def _day(seed: int) -> Day:
    return (Day, PhoneDay, ConsultDay)[seed % 3](seed, explain=False)


def _steps(seed: int, count: int) -> list[Step]:
    return list(_day(seed).steps(count))


def _pictured(seed: int, count: int) -> tuple[Picture, list[ev.Event], int]:
    """A day's picture, its events, and its end."""
    day, picture, events = _day(seed), Picture(), []
    for step in day.steps(count):
        events += step.events
        for event in step.events:  # one step may pass through several states
            if isinstance(event, ev.AgentStateChanged):
                shown = (event.state.value, event.reason, event.interaction_id)
                picture.paint(event.agent_id, event.occurred_ms, shown)
        for agent in day.engine.centre.agents.values():  # … and must end in what the engine displays
            shown = (agent.state.value, agent.reason, agent.interaction_id)
            assert picture.at(agent.agent_id, day.engine.centre.at_ms) == shown, (seed, agent)
    return picture, events, day.engine.centre.at_ms


def _is_the_picture(rows: Mapping[SpanKey, SpanRow], picture: Picture, until_ms: int) -> None:
    of_agent: dict[AgentId, list[SpanRow]] = defaultdict(list)
    for row in rows.values():
        of_agent[row.agent_id].append(row)
    for agent_id in picture.from_ms:
        spans = sorted(of_agent.pop(agent_id, []), key=lambda row: row.started_ms)
        for one, two in pairwise(spans):
            assert one.ended_ms is not None
            assert one.started_ms < one.ended_ms <= two.started_ms, (one, two)
        ends = [until_ms if row.ended_ms is None else row.ended_ms for row in spans]
        length_ms = sum(end - row.started_ms for row, end in zip(spans, ends, strict=True))
        assert length_ms == picture.signed_in_ms(agent_id, until_ms)
        for row, end in zip(spans, ends, strict=True):
            shown = (row.state, row.reason, row.interaction_id)
            inside = [at for at in picture.from_ms[agent_id] if row.started_ms <= at < end]
            for at_ms in (row.started_ms, end - 1, *inside) if end > row.started_ms else ():
                assert picture.at(agent_id, at_ms) == shown, row
        assert all(picture.at(agent_id, end) == _OUT for end in ends[-1:] if end < until_ms)
    assert not of_agent


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(50, 400))
def test_an_agents_spans_are_exactly_what_he_displayed(seed: int, count: int) -> None:
    picture, events, until_ms = _pictured(seed, count)
    _is_the_picture(fold_spans(events), picture, until_ms)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 60), min_size=1), st.sets(st.integers(0, 40)))
def test_however_the_log_is_cut_and_the_recorder_restarted_the_spans_are_the_same(
    seed: int, sizes: Sequence[int], restarts: set[int]
) -> None:
    picture, events, until_ms = _pictured(seed, 300)
    table, place, number = Table(), 0, 0
    while place < len(events):
        if number in restarts:
            table.fold = SpanFold()
        size = sizes[number % len(sizes)]
        table.write(events[place : place + size])
        place, number = place + size, number + 1
    assert table.rows == fold_spans(events)
    _is_the_picture(table.rows, picture, until_ms)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sets(st.integers(0, 150)), st.integers(1, 30))
def test_where_changes_were_lost_the_spans_stay_exclusive_and_each_change_that_is_left_holds(
    seed: int, lost: set[int], size: int
) -> None:
    changes = [e for s in _steps(seed, 300) for e in s.events if isinstance(e, ev.AgentStateChanged)]
    kept = [change for number, change in enumerate(changes) if number not in lost]
    table = Table()
    for place in range(0, len(kept), size):
        table.write(kept[place : place + size])
    for agent_id in {change.agent_id for change in kept}:
        spans = sorted(
            (row for row in table.rows.values() if row.agent_id == agent_id), key=lambda row: row.started_ms
        )
        for one, two in pairwise(spans):
            assert one.ended_ms is not None, (one, two)
            assert one.ended_ms <= two.started_ms, (one, two)
    for change in kept:
        if change.previous is not AgentState.SIGNED_OUT and change.since_ms < change.occurred_ms:
            row = table.rows[change.agent_id, change.since_ms]
            assert (row.state, row.ended_ms) == (change.previous.value, change.occurred_ms)

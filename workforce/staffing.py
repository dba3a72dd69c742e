"""How many agents: from calls, handling time and goals to whole agents per interval, many intervals at once.

A row that cannot be planned (nonsense, an unreachable goal, traffic beyond every bound) gets no agents and
a ``Note`` that says why; it never stops the other rows. Agents are rounded up once, to meet the goals;
shrinkage is added to whole agents and rounded up once more, because people are scheduled whole.

Sources: see ``workforce.erlang``; the search is ``workforce.staffing_search``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workforce.erlang import TRAFFIC_ERL_MAX, TRAFFIC_ERL_MIN, QueueFigures, queue_figures
from workforce.erlang_integrals import Floats
from workforce.erlang_models import missed
from workforce.staffing_notes import Note
from workforce.staffing_search import AGENTS_MAX, Excess, Load, first_guess, smallest_agents
from workforce.uncertain_rate import RATE_CV_MAX, mixed_figures, mixed_missed, rough_mixed_missed

_MixedShare = Callable[[Floats, Floats, Floats, Floats, Floats, Floats], Floats]
_CHUNK_ROWS = 4096  # keeps the work arrays inside the processor's cache
_AHT, _PATIENCE, _RATE_CV = 2, 5, 9  # their places among the columns
_LEAST = 1e-6  # below it a length of time or a limit is nonsense
_CV_LEAST = 1e-4  # below it the rate is as good as certain
_CEIL_SLACK = 1e-9  # 9 / (1 - 0.1) is 10, whatever its last digit says


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """One element per row; nan where a row has no such figure.

    Attributes:
        traffic_erl: Calls times AHT over the interval.
        agents: The smallest whole number that meets the goals; nan where the row cannot be planned.
        scheduled: agents / (1 - shrinkage), rounded up.
        service_level: SL-D with that many agents: answered within the threshold / offered.
        figures: All that callers meet with that many agents.
        notes: What to say about each row; the sentences are ``staffing_notes.SENTENCES``.
    """

    traffic_erl: Floats
    agents: Floats
    scheduled: Floats
    service_level: Floats
    figures: QueueFigures
    notes: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The flat input, one array per column."""

    calls: Floats
    interval_s: Floats
    aht_s: Floats
    target: Floats
    threshold_s: Floats
    patience_s: Floats
    occupancy_max: Floats
    abandonment_max: Floats
    shrinkage: Floats
    rate_cv: Floats

    def traffic_erl(self) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return self.calls / self.interval_s * self.aht_s

    def pick(self, rows: NDArray[np.intp]) -> _Rows:
        return _Rows(*(getattr(self, name)[rows] for name in self.__slots__))


def staff(
    calls: ArrayLike,
    interval_s: ArrayLike,
    aht_s: ArrayLike,
    *,
    target: ArrayLike = 0.8,
    threshold_s: ArrayLike = 20.0,
    patience_s: ArrayLike = np.inf,
    occupancy_max: ArrayLike = 1.0,
    abandonment_max: ArrayLike = 1.0,
    shrinkage: ArrayLike = 0.0,
    rate_cv: ArrayLike = 0.0,
) -> Staffing:
    """Return the smallest number of agents that meets the goals, row by row.

    Args:
        calls: Expected in the interval, >= 0.
        interval_s: Length of the interval.
        aht_s: Mean handling time: talk, hold and wrap-up.
        target: Share of offered calls to be answered within the threshold, in (0, 1); nan: no such goal.
            Under Erlang B, the share taken at once: 0.99 for a blocking of 1 %.
        threshold_s: The 20 of 80/20.
        patience_s: Mean patience (Erlang A); inf or nan: nobody gives up (Erlang C); 0: nobody waits (B).
        occupancy_max: Agents shall not be busier than this.
        abandonment_max: No larger a share of callers shall give up.
        shrinkage: Share of scheduled time without calls, in [0, 1).
        rate_cv: Coefficient of variation of the rate itself; 0: the forecast is exact.

    Returns:
        One element per row. Never raises for the content of a row: see ``Staffing.notes``.

    >>> plan = staff(100, 1800, 180, shrinkage=0.3)
    >>> int(plan.agents[0]), int(plan.scheduled[0]), round(float(plan.service_level[0]), 4)
    (14, 20, 0.8884)
    >>> staff(100, 1800, 180, target=80).notes[0].value
    'target_in_percent'
    """
    goals = (target, threshold_s, patience_s, occupancy_max, abandonment_max, shrinkage, rate_cv)
    return _described(*_needed(calls, interval_s, aht_s, *goals))


def agents_needed(
    calls: ArrayLike,
    interval_s: ArrayLike,
    aht_s: ArrayLike,
    *,
    target: ArrayLike = 0.8,
    threshold_s: ArrayLike = 20.0,
    patience_s: ArrayLike = np.inf,
    occupancy_max: ArrayLike = 1.0,
    abandonment_max: ArrayLike = 1.0,
) -> Floats:
    """Return the agents of ``staff`` alone, without what callers meet with them, for a certain rate.

    >>> agents_needed(100, 1800, [180, 240]).tolist()
    [14.0, 17.0]
    """
    goals = (target, threshold_s, patience_s, occupancy_max, abandonment_max, 0.0, 0.0)
    return _needed(calls, interval_s, aht_s, *goals)[1]


def _needed(*given: ArrayLike) -> tuple[_Rows, Floats, NDArray[np.object_]]:
    """Return the rows of these columns, their agents, and what to say about each."""
    columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in given))
    flat = [column.ravel() for column in columns]
    flat[_PATIENCE] = _tame_patience(flat[_PATIENCE], flat[_AHT])
    flat[_RATE_CV] = np.where(np.abs(flat[_RATE_CV]) < _CV_LEAST, 0.0, flat[_RATE_CV])
    rows = _Rows(*flat)
    notes = _problems(rows)
    agents = np.full(len(notes), np.nan)
    agents[notes == Note.NO_CALLS] = 0.0
    able = np.flatnonzero(notes == Note.FINE)
    for first in range(0, len(able), _CHUNK_ROWS):
        part = able[first : first + _CHUNK_ROWS]
        agents[part], notes[part] = _search(rows.pick(part))
    return rows, agents, notes


def outlook(
    agents: ArrayLike,
    calls: ArrayLike,
    interval_s: ArrayLike,
    aht_s: ArrayLike,
    *,
    threshold_s: ArrayLike = 20.0,
    patience_s: ArrayLike = np.inf,
    shrinkage: ArrayLike = 0.0,
    rate_cv: ArrayLike = 0.0,
) -> Staffing:
    """Return what callers meet when so many agents are there; arguments and answer as ``staff``.

    >>> round(float(outlook(13, 100, 1800, 180).service_level[0]), 4)
    0.7956
    >>> outlook(10, 100, 1800, 180).notes[0].value
    'never_drains'
    """
    columns = np.broadcast_arrays(
        *(
            np.atleast_1d(np.asarray(v, dtype=np.float64))
            for v in (agents, calls, interval_s, aht_s, threshold_s, patience_s, shrinkage, rate_cv)
        )
    )
    there, calls_, interval, aht, threshold, patience, shrunk, cv = (column.ravel() for column in columns)
    one = np.ones_like(aht)
    patience = _tame_patience(patience, aht)
    cv = np.where(np.abs(cv) < _CV_LEAST, 0.0, cv)
    rows = _Rows(calls_, interval, aht, one * np.nan, threshold, patience, one, one, shrunk, cv)
    notes = _problems(rows)
    notes[~((there >= 0) & (there <= AGENTS_MAX)) & (notes == Note.FINE)] = Note.BAD_AGENTS
    return _described(rows, np.where(np.isin(notes, [Note.FINE, Note.NO_CALLS]), there, np.nan), notes)


def whole(required: ArrayLike) -> Floats:
    """Round a requirement up to whole agents, forgiving the last digits of a division.

    >>> float(whole(9 / (1 - 0.1)))
    10.0
    """
    exact = np.asarray(required, dtype=np.float64)
    return np.asarray(np.ceil(exact - _CEIL_SLACK * np.maximum(exact, 1.0)))


def scheduled_agents(agents: ArrayLike, shrinkage: ArrayLike) -> Floats:
    """Return how many to schedule so that *agents* are there: agents / (1 - shrinkage), rounded up.

    >>> float(scheduled_agents(12, 0.3))
    18.0
    """
    return whole(np.asarray(agents, dtype=np.float64) / (1.0 - np.asarray(shrinkage, dtype=np.float64)))


def _tame_patience(patience: Floats, aht: Floats) -> Floats:
    """None given is endless; what is a billionth of a call, or a million million calls, is cut to that."""
    real = np.isfinite(patience) & (patience > 0) & (aht > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        cut = np.clip(patience, 1e-9 * aht, 1e12 * aht)
    return np.where(np.isnan(patience), np.inf, np.where(real, cut, patience))


def _problems(rows: _Rows) -> NDArray[np.object_]:
    """Return the first thing wrong with each row."""
    notes = np.full(len(rows.calls), Note.FINE, dtype=object)

    def say(note: Note, where: NDArray[np.bool_]) -> None:
        if where.any():
            notes[where & (notes == Note.FINE)] = note

    traffic = rows.traffic_erl()
    no_goal = np.isnan(rows.target)
    say(Note.BAD_CALLS, ~((rows.calls >= 0) & np.isfinite(rows.calls)))
    say(Note.BAD_INTERVAL, ~((rows.interval_s >= _LEAST) & np.isfinite(rows.interval_s)))
    say(Note.BAD_AHT, ~((rows.aht_s >= _LEAST) & np.isfinite(rows.aht_s)))
    say(Note.TARGET_UNREACHABLE, rows.target == 1.0)
    say(Note.TARGET_IN_PERCENT, (rows.target > 1.0) & (rows.target <= 100.0))
    say(Note.BAD_TARGET, ~(no_goal | ((rows.target > 0.0) & (rows.target < 1.0))))
    say(Note.BAD_THRESHOLD, ~((rows.threshold_s >= 0) & np.isfinite(rows.threshold_s)))
    say(Note.BAD_PATIENCE, ~(rows.patience_s >= 0))
    say(Note.BAD_OCCUPANCY, ~((rows.occupancy_max >= _LEAST) & (rows.occupancy_max <= 1)))
    say(Note.BAD_ABANDONMENT, ~((rows.abandonment_max >= _LEAST) & (rows.abandonment_max <= 1)))
    say(Note.BAD_SHRINKAGE, ~((rows.shrinkage >= 0) & (rows.shrinkage < 1)))
    say(Note.BAD_RATE_CV, ~((rows.rate_cv >= 0) & (rows.rate_cv <= RATE_CV_MAX)))
    say(Note.TOO_MUCH_TRAFFIC, ~(traffic <= TRAFFIC_ERL_MAX))
    say(Note.NO_CALLS, rows.calls == 0)
    return notes


def _search(rows: _Rows) -> tuple[Floats, NDArray[np.object_]]:
    """Return agents, and notes on what decided, for rows without a fault."""
    traffic = np.maximum(rows.traffic_erl(), TRAFFIC_ERL_MIN)
    has_goal = ~np.isnan(rows.target)
    missed_max = np.where(has_goal, 1.0 - rows.target, 1.0)
    sure = rows.rate_cv == 0.0

    def by_service(agents: Floats, who: NDArray[np.intp], share_mixed: _MixedShare = mixed_missed) -> Floats:
        given = (traffic[who], rows.aht_s[who], rows.threshold_s[who], rows.patience_s[who])
        share = np.empty_like(agents)
        calm, mixed = sure[who], ~sure[who]
        if calm.any():
            load, aht, threshold, patience = (v[calm] for v in given)
            share[calm] = missed(agents[calm], load, aht, threshold, patience)
        if mixed.any():
            load, aht, threshold, patience = (v[mixed] for v in given)
            cv = rows.rate_cv[who][mixed]
            share[mixed] = share_mixed(agents[mixed], load, aht, threshold, cv, patience)
        with np.errstate(divide="ignore"):
            over = np.log(share) - np.log(missed_max[who])
        # Without a goal for the service level, Erlang C asks at least for a queue that drains.
        drains = agents > traffic[who]
        return np.where(has_goal[who], over, np.where(drains | np.isfinite(rows.patience_s[who]), -1.0, 1.0))

    offered = Load(traffic, rows.aht_s, rows.threshold_s, rows.patience_s)
    guess, slope = first_guess(offered, np.clip(missed_max, 1e-12, 1.0 - 1e-12))
    if len(unsure := np.flatnonzero(~sure)):
        guess[unsure] += 0.7 * rows.rate_cv[unsure] * traffic[unsure]
        about = smallest_agents(
            lambda agents, who: by_service(agents, unsure[who], rough_mixed_missed),
            guess[unsure],
            slope[unsure],
        )
        guess[unsure] = np.where(np.isnan(about), guess[unsure], about)
    agents = smallest_agents(by_service, guess, slope)
    notes = np.full(len(agents), Note.FINE, dtype=object)
    notes[np.isnan(agents)] = Note.TOO_MANY_AGENTS

    # Occupancy: without abandonment it is traffic / agents; with it, that is a bound from above.
    limited = (rows.occupancy_max < 1.0) | (rows.abandonment_max < 1.0)
    capped = np.flatnonzero(limited & ~np.isnan(agents))
    if len(capped):
        more, why = _capped(rows.pick(capped), traffic[capped], agents[capped])
        agents[capped] = np.where(why == Note.FINE, agents[capped], more)
        notes[capped] = np.where(why == Note.FINE, notes[capped], why)
    return agents, notes


def _capped(rows: _Rows, traffic: Floats, agents: Floats) -> tuple[Floats, NDArray[np.object_]]:
    """Raise *agents* until the caps on occupancy and abandonment hold as well; say which of them decided."""
    notes = np.full(len(agents), Note.FINE, dtype=object)
    for cap, note in (
        (rows.occupancy_max, Note.OCCUPANCY_DECIDES),
        (rows.abandonment_max, Note.ABANDONMENT_DECIDES),
    ):
        limited = np.flatnonzero((cap < 1.0) & ~np.isnan(agents))
        if not len(limited):
            continue
        excess = _share_over(note, rows.pick(limited), traffic[limited], cap[limited])
        least = traffic[limited] / cap[limited] if note is Note.OCCUPANCY_DECIDES else 1.0
        needed = smallest_agents(excess, np.maximum(agents[limited], least))
        above = ~(needed <= agents[limited])  # nan: no number of agents does
        agents = agents.copy()
        agents[limited[above]] = needed[above]
        notes[limited[above]] = np.where(np.isnan(needed[above]), Note.TOO_MANY_AGENTS, note)
    return agents, notes


def _share_over(note: Note, rows: _Rows, traffic: Floats, cap: Floats) -> Excess:
    """Return how far the occupancy, or the abandonment, exceeds its cap."""

    def excess(agents: Floats, who: NDArray[np.intp]) -> Floats:
        figures = _figures(rows.pick(who), traffic[who], agents)
        share = figures.occupancy if note is Note.OCCUPANCY_DECIDES else figures.abandonment
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(share) - np.log(cap[who]))

    return excess


def _figures(rows: _Rows, traffic: Floats, agents: Floats) -> QueueFigures:
    given = (agents, traffic, rows.aht_s, rows.threshold_s)
    if (rows.rate_cv > 0).any():
        return mixed_figures(*given, rows.rate_cv, patience_s=rows.patience_s)
    return queue_figures(*given, patience_s=rows.patience_s)


def _described(rows: _Rows, agents: Floats, notes: NDArray[np.object_]) -> Staffing:
    """Return the answer with figures for every row that has agents and calls."""
    traffic = np.where(notes == Note.BAD_CALLS, np.nan, rows.traffic_erl())
    columns = {field.name: np.full(len(agents), np.nan) for field in fields(QueueFigures)}
    shown = np.flatnonzero(~np.isnan(agents) & (rows.calls > 0))
    for first in range(0, len(shown), _CHUNK_ROWS):
        part = shown[first : first + _CHUNK_ROWS]
        figures = _figures(rows.pick(part), np.maximum(traffic[part], TRAFFIC_ERL_MIN), agents[part])
        for name, column in columns.items():
            column[part] = getattr(figures, name)
    endless = (columns["stable"] == 0.0) & (notes == Note.FINE)
    notes[endless & (rows.rate_cv > 0)] = Note.MAY_OVERFLOW
    notes[endless & (rows.rate_cv == 0)] = Note.NEVER_DRAINS
    stable = columns.pop("stable") == 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        scheduled = scheduled_agents(agents, np.where(rows.shrinkage < 1, rows.shrinkage, np.nan))
    return Staffing(
        traffic_erl=traffic,
        agents=agents,
        scheduled=scheduled,
        service_level=columns["answered_within"],
        figures=QueueFigures(stable=stable, **columns),
        notes=notes,
    )

"""What a past day brought: who called when and about what, and who was at work. Pure: one seed, one day.

The profile is that of a small service centre in Taipei: two peaks a day and a lower one in the evening,
busy Mondays, quiet weekends and holidays, invoices at the beginning of the month. Figures are not drawn;
they follow from what the people of the day do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from routing.config import AgentConfig, CentreConfig
from routing.ids import AgentId, QueueId, SkillId

ZONE: Final = ZoneInfo("Asia/Taipei")
CALLS_PER_WEEKDAY: Final = 385.0
CALLS_PER_DAY_MAX: Final = 2_000
OPENS_MINUTE, CLOSES_MINUTE = 8 * 60, 21 * 60
"""Local. The day is one day in UTC too, and so lies in one partition: nobody comes or calls before eight."""
KNOWN_RATIO: Final = 0.62
WITHHELD_RATIO: Final = 0.03
ABSENT_RATIO: Final = 0.04

_WEEKDAY: Final = (1.25, 1.08, 1.0, 0.98, 1.05, 0.42, 0.30)
_HOLIDAY: Final = 0.28
_SEASON: Final = 0.06
_SEASON_PEAK_DAY: Final = 355  # before the end of the year
_NOISE_SIGMA: Final = 0.07
_PEAKS: Final = ((10.4, 1.5, 1.0), (14.9, 1.9, 0.9), (19.3, 1.0, 0.28))  # hour, width, height
_BILLING_RISE: Final = 1.5  # on the first five days of a month
_QUIET_CREW: Final = 4  # agents at work on a quiet day, at least
# Shifts as local minutes, given to the agents in turn.
_SHIFTS: Final = ((485, 1020), (540, 1080), (510, 1050), (540, 1080), (600, 1140), (720, 1260), (540, 1080))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An entry point, the share of calls that come in there, and its queue."""

    entry_point: str
    queue_id: QueueId
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call that comes in.

    Attributes:
        at_ms: Milliseconds since the Unix epoch (UTC).
        patience_ms: So long the caller waits for an answer.
    """

    at_ms: int
    entry_point: str
    queue_id: QueueId
    number: str
    name: str
    patience_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """A stretch in which an agent takes no calls, and the reason."""

    from_ms: int
    until_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One agent's day at work."""

    agent_id: AgentId
    from_ms: int
    until_ms: int
    away: tuple[Away, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """A day as it comes, before anybody acts."""

    day: date
    arrivals: tuple[Arrival, ...]
    shifts: tuple[Shift, ...]


def plan_day(
    day: date,
    dice: Random,
    *,
    config: CentreConfig,
    sources: Sequence[Source],
    known: Sequence[tuple[str, str]],
    holidays: Mapping[date, str],
    make_up: Mapping[date, int],
) -> DayPlan:
    """Draw a local day.

    Args:
        known: Numbers and names of known customers; the first call most often.
        holidays, make_up: Public holidays, and the weekday as which a make-up workday counts.
    """
    weekday = make_up.get(day, day.weekday())
    is_quiet = weekday >= 5 or (day in holidays and day not in make_up)
    factor = day_factor(day, _HOLIDAY if is_quiet and weekday < 5 else _WEEKDAY[weekday], dice)
    arrivals: list[Arrival] = []
    for source in sources:
        rise = _BILLING_RISE if source.queue_id == "billing" and day.day <= 5 else 1.0
        mean_count = CALLS_PER_WEEKDAY * factor * source.share * rise
        for at_ms in _moments(day, _poisson(dice, mean_count), dice):
            number, name = _caller(dice, known)
            arrivals.append(
                Arrival(
                    at_ms=at_ms,
                    entry_point=source.entry_point,
                    queue_id=source.queue_id,
                    number=number,
                    name=name,
                    patience_ms=draw_patience_ms(dice),
                )
            )
    arrivals.sort(key=lambda arrival: (arrival.at_ms, arrival.entry_point))
    agents = _crew(config, dice, is_quiet=is_quiet)
    shifts = tuple(_shift(day, agent, _SHIFTS[at % len(_SHIFTS)], dice) for at, agent in agents)
    return DayPlan(day=day, arrivals=tuple(arrivals[:CALLS_PER_DAY_MAX]), shifts=shifts)


def day_factor(day: date, factor: float, dice: Random) -> float:
    """Return how busy a day is: its kind's *factor* with the season and with chance."""
    season = 1 + _SEASON * math.cos(2 * math.pi * (day.timetuple().tm_yday - _SEASON_PEAK_DAY) / 365)
    return factor * season * math.exp(dice.gauss(0.0, _NOISE_SIGMA))


def weekday_factor(day: date, dice: Random) -> float:
    """Return how busy a day is where no holidays are known; 1 is a middling working day."""
    return day_factor(day, _WEEKDAY[day.weekday()], dice)


def draw_patience_ms(dice: Random) -> int:
    """How long a caller waits: some hang up at once, most wait minutes."""
    if dice.random() < 0.02:
        return dice.randint(800, 5_000)
    return 8_000 + round(dice.expovariate(1 / 170_000))


def lognormal_ms(dice: Random, mean_ms: float, sigma: float) -> int:
    """Return a lognormal draw with this mean, in whole milliseconds, at least 1."""
    return max(1, round(dice.lognormvariate(math.log(mean_ms) - sigma**2 / 2, sigma)))


def local_ms(day: date, minute: float) -> int:
    """Return the moment *minute* of the local day, in milliseconds since the Unix epoch (UTC)."""
    midnight = datetime.combine(day, time(), ZONE)
    return round((midnight + timedelta(minutes=minute)).timestamp() * 1000)


# ---------------------------------------------------------------- inside


def _moments(day: date, count: int, dice: Random) -> list[int]:
    midnight_ms = local_ms(day, 0)
    drawn = dice.choices(_MINUTES, cum_weights=_WEIGHTS, k=count)
    return [midnight_ms + round((minute + dice.random()) * 60_000) for minute in drawn]


def density(hour: float) -> float:
    """Return how busy the local hour of a day is, beside other hours."""
    if not OPENS_MINUTE <= hour * 60 < CLOSES_MINUTE:
        return 0.01
    return 0.08 + sum(h * math.exp(-(((hour - at) / width) ** 2) / 2) for at, width, h in _PEAKS)


_MINUTES: Final = range(OPENS_MINUTE, CLOSES_MINUTE + 10)
_WEIGHTS: Final = tuple(accumulate(density(minute / 60) for minute in _MINUTES))


def _poisson(dice: Random, mean: float) -> int:
    """Return a draw of the Poisson distribution (by the normal one from 50 on, where they agree)."""
    if mean >= 50:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, dice.random()
    while product > limit:
        count, product = count + 1, product * dice.random()
    return count


def _caller(dice: Random, known: Sequence[tuple[str, str]]) -> tuple[str, str]:
    chance = dice.random()
    if chance < WITHHELD_RATIO:
        return "anonymous", ""
    if chance < WITHHELD_RATIO + KNOWN_RATIO and known:
        return known[int(len(known) * dice.random() ** 1.8)]  # a few call often
    return f"09{dice.randint(20_000_000, 89_999_999)}", ""


def _crew(config: CentreConfig, dice: Random, *, is_quiet: bool) -> list[tuple[int, AgentConfig]]:
    """Who is at work: on a quiet day a few, but somebody for every queue."""
    there = [pair for pair in enumerate(config.agents) if dice.random() >= ABSENT_RATIO]
    if not is_quiet:
        return there
    turned = sorted(there, key=lambda _pair: dice.random())
    crew: list[tuple[int, AgentConfig]] = turned[:_QUIET_CREW]
    for queue in config.queues:
        if not any(_can(agent, queue.requires) for _, agent in crew):
            crew += [pair for pair in turned if _can(pair[1], queue.requires)][:1]
    return sorted(crew, key=lambda pair: pair[0])


def _can(agent: AgentConfig, requires: Mapping[SkillId, int]) -> bool:
    return all(agent.skills.get(skill, 0) >= level for skill, level in requires.items())


def _shift(day: date, agent: AgentConfig, minutes: tuple[int, int], dice: Random) -> Shift:
    begins = max(OPENS_MINUTE + 0.5, minutes[0] + dice.gauss(0, 3))
    ends = minutes[1] + abs(dice.gauss(0, 3))
    middle = (begins + ends) / 2
    plans = [
        (begins + 110 + dice.uniform(-15, 15), 15, "break"),
        (middle + dice.uniform(-25, 25), 52, "lunch"),
        (ends - 130 + dice.uniform(-15, 15), 15, "break"),
    ]
    if day.weekday() == 2 and dice.random() < 0.5:
        plans.append((15.5 * 60 + dice.uniform(-2, 2), 30, "meeting"))
    if dice.random() < 0.05:
        plans.append((begins + 30, 45, "training"))
    away: list[Away] = []
    for minute, length, reason in sorted(plans):
        from_ms = local_ms(day, minute)
        if away and from_ms < away[-1].until_ms + 600_000:
            continue  # two of them do not follow each other
        until_ms = from_ms + lognormal_ms(dice, length * 60_000, 0.12)
        away.append(Away(from_ms=from_ms, until_ms=until_ms, reason=reason))
    return Shift(
        agent_id=agent.agent_id,
        from_ms=local_ms(day, begins),
        until_ms=local_ms(day, ends),
        away=tuple(away),
    )

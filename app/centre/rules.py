"""What a centre must be before the engine sees it, and what the engine sees. Pure.

``problems`` names the field and the remedy, all at once; ``engine_config`` converts seconds to milliseconds,
here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.calendars.rules import Calendar, DayException, Shift
from app.centre.document import ID_FIELDS, AgentPart, CalendarPart, Centre, DayPart, QueuePart
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.ids import AgentId, QueueId, SkillId, TeamId

AGENTS_MAX = 20_000
QUEUES_MAX = 2_000
SYSTEM_REASONS = ("ring_no_answer", "device_lost", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        field: For instance ``queue[sales].requires[english]``.
        error_id: Stable, for the page's catalogue.
        detail: What to do, in English.
    """

    field: str
    error_id: str
    detail: str


def problems(centre: Centre) -> tuple[Problem, ...]:
    """Return everything that keeps *centre* from being put in force; empty: it may be."""
    return tuple(_problems(centre))


def engine_config(centre: Centre) -> CentreConfig:
    """Return *centre* as the engine reads it. Expects a centre without problems."""
    default = next((queue.queue_id for queue in centre.queue if queue.is_default), None)
    return CentreConfig(
        agents=tuple(_agent(agent) for agent in centre.agent),
        queues=tuple(_queue(queue) for queue in centre.queue),
        default_queue_id=QueueId(default) if default else None,
    )


def as_calendar(part: CalendarPart) -> Calendar:
    """Return the calendar that *part* describes, as ``app.calendars.rules`` reads it."""
    week: dict[int, tuple[Shift, ...]] = {}
    for interval in part.intervals:
        plain = Shift.parse(interval.shift)
        shift = Shift(plain.start_minute, plain.end_minute, interval.valid_from, interval.valid_to)
        week[interval.weekday] = (*week.get(interval.weekday, ()), shift)
    here = [day for day in part.days if not day.region or day.region == part.region]
    return Calendar(
        zone=part.zone,
        week=week,
        region=part.region,
        holidays={day.day: day.display_name for day in here if day.kind == "holiday"},
        make_up={day.day: day.as_weekday or 0 for day in here if day.kind == "make_up_workday"},
        exceptions=tuple(
            _exception(day, part.zone)
            for day in sorted(here, key=lambda day: (day.kind == "opening", day.day))
            if day.kind in ("closure", "opening")
        ),
    )


def _exception(day: DayPart, zone: str) -> DayException:
    shift = Shift.parse(day.shift) if day.shift else Shift(0, 24 * 60)
    midnight = datetime.combine(day.day, time())
    start, end = (
        (midnight + timedelta(minutes=minute)).replace(tzinfo=ZoneInfo(zone))
        for minute in (shift.start_minute, shift.end_minute)
    )
    return DayException(name=day.display_name, start=start, end=end, open=day.kind == "opening")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _agent(agent: AgentPart) -> AgentConfig:
    return AgentConfig(
        agent_id=AgentId(agent.agent_id),
        skills={SkillId(skill): level for skill, level in sorted(agent.skills.items())},
        device=agent.device or f"PJSIP/{agent.agent_id}",
        team_id=TeamId(agent.team_id) if agent.team_id else None,
        voice_slots=agent.voice_slots,
        wrap_up_ms=None if agent.wrap_up_s is None else _ms(agent.wrap_up_s),
    )


def _queue(queue: QueuePart) -> QueueConfig:
    return QueueConfig(
        queue_id=QueueId(queue.queue_id),
        requires={SkillId(skill): level for skill, level in sorted(queue.requires.items())},
        medium=queue.medium,
        threshold_ms=_ms(queue.threshold_s),
        service_level_target=queue.service_level_target,
        weight=queue.weight,
        boost_ms=_ms(queue.boost_s),
        max_wait_ms=_ms(queue.max_wait_s),
        ring_timeout_ms=_ms(queue.ring_timeout_s),
        preset=queue.preset,
        wrap_up_mode=queue.wrap_up_mode,
        wrap_up_ms=_ms(queue.wrap_up_s),
        wrap_up_extendable=queue.wrap_up_extendable,
        short_abandon_ms=_ms(queue.short_abandon_s),
        queue_timeout_ms=None if queue.queue_timeout_s is None else _ms(queue.queue_timeout_s),
        queue_timeout_to=QueueId(queue.queue_timeout_to) if queue.queue_timeout_to else None,
        overflow_after_ms=None if queue.overflow_after_s is None else _ms(queue.overflow_after_s),
        overflow_to=QueueId(queue.overflow_to) if queue.overflow_to else None,
        key_exits={key: QueueId(target) for key, target in sorted(queue.key_exits.items())},
    )


def _problems(centre: Centre) -> Iterator[Problem]:
    for section, id_field in ID_FIELDS.items():
        yield from _repeated(section, [str(getattr(part, id_field)) for part in getattr(centre, section)])
    yield from _too_many(centre)
    yield from _calendars(centre)
    for site in centre.site:
        yield from _zone(f"site[{site.site_id}]", site.zone)
    yield from _queues(centre)
    yield from _agents(centre)
    trunks = {trunk.trunk_id for trunk in centre.trunk}
    queues = {queue.queue_id for queue in centre.queue}
    calendars = {calendar.calendar_id for calendar in centre.calendar}
    for entry in centre.entry_point:
        at = f"entry_point[{entry.entry_point}]"
        yield from _unknown(f"{at}.queue_id", [entry.queue_id], queues, "queue")
        yield from _unknown(f"{at}.calendar_id", [entry.calendar_id], calendars, "calendar")
        yield from _unknown(f"{at}.trunk_id", [entry.trunk_id], trunks, "trunk")


def _repeated(section: str, ids: list[str]) -> Iterator[Problem]:
    for each in sorted({each for each in ids if ids.count(each) > 1}) if len(set(ids)) < len(ids) else ():
        yield Problem(field=f"{section}[{each}]", error_id="id_repeated", detail="give each its own id")


def _too_many(centre: Centre) -> Iterator[Problem]:
    for section, limit in (("agent", AGENTS_MAX), ("queue", QUEUES_MAX)):
        if len(getattr(centre, section)) > limit:
            yield Problem(field=section, error_id="too_many", detail=f"at most {limit}")


def _zone(at: str, zone: str) -> Iterator[Problem]:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        detail = "write an IANA name such as Asia/Taipei"
        yield Problem(field=f"{at}.zone", error_id="zone_unknown", detail=detail)


def _calendars(centre: Centre) -> Iterator[Problem]:
    for calendar in centre.calendar:
        at = f"calendar[{calendar.calendar_id}]"
        yield from _zone(at, calendar.zone)
        began = [
            (each.valid_from, each.weekday, Shift.parse(each.shift).start_minute)
            for each in calendar.intervals
        ]
        if len(set(began)) < len(began):
            yield Problem(
                field=f"{at}.intervals", error_id="shift_repeated", detail="two shifts begin at one time"
            )
        for interval in calendar.intervals:
            if interval.valid_to is not None and interval.valid_to <= interval.valid_from:
                yield Problem(
                    field=f"{at}.intervals", error_id="range_empty", detail="valid_to lies after valid_from"
                )


def _queues(centre: Centre) -> Iterator[Problem]:
    skills = {skill.skill_id for skill in centre.skill}
    calendars = {calendar.calendar_id for calendar in centre.calendar}
    codes = {code.code for code in centre.wrap_up_code}
    defaults = [queue.queue_id for queue in centre.queue if queue.is_default]
    if centre.queue and len(defaults) != 1:
        yield Problem(
            field="queue[].is_default",
            error_id="default_queue",
            detail="mark exactly one queue as default: calls that name none go there",
        )
    for queue in centre.queue:
        at = f"queue[{queue.queue_id}]"
        yield from _unknown(f"{at}.requires", queue.requires, skills, "skill")
        yield from _unknown(f"{at}.wrap_up_codes", queue.wrap_up_codes, codes, "wrap_up_code")
        yield from _unknown(f"{at}.calendar_id", [queue.calendar_id], calendars, "calendar")
        yield from _exits(at, queue, {other.queue_id for other in centre.queue})
        if queue.threshold_s <= 0:
            yield Problem(field=f"{at}.threshold_s", error_id="not_positive", detail="more than 0 seconds")
        if queue.max_wait_s < queue.threshold_s:
            yield Problem(field=f"{at}.max_wait_s", error_id="below_threshold", detail="at least threshold_s")


def _exits(at: str, queue: QueuePart, queues: set[str]) -> Iterator[Problem]:
    """Where callers go who do not get through."""
    targets = {"queue_timeout_to": queue.queue_timeout_to, "overflow_to": queue.overflow_to}
    targets |= {f"key_exits[{key}]": target for key, target in sorted(queue.key_exits.items())}
    for name, target in targets.items():
        yield from _unknown(f"{at}.{name}", [target], queues, "queue")
        if target == queue.queue_id:
            yield Problem(field=f"{at}.{name}", error_id="queue_itself", detail="name another queue")
    if (queue.overflow_after_s is None) != (queue.overflow_to is None):
        detail = "give it with overflow_after_s, or neither"
        yield Problem(field=f"{at}.overflow_to", error_id="half_given", detail=detail)
    if queue.queue_timeout_to is not None and queue.queue_timeout_s is None:
        detail = "give it with queue_timeout_s"
        yield Problem(field=f"{at}.queue_timeout_to", error_id="half_given", detail=detail)


def _agents(centre: Centre) -> Iterator[Problem]:
    skills = {skill.skill_id for skill in centre.skill}
    teams = {team.team_id for team in centre.team}
    sites = {site.site_id for site in centre.site}
    employers = {employer.employer_id for employer in centre.employer}
    devices: dict[str, str] = {}
    for agent in centre.agent:
        at = f"agent[{agent.agent_id}]"
        yield from _unknown(f"{at}.skills", agent.skills, skills, "skill")
        yield from _unknown(f"{at}.team_id", [agent.team_id], teams, "team")
        yield from _unknown(f"{at}.site_id", [agent.site_id], sites, "site")
        yield from _unknown(f"{at}.employer_id", [agent.employer_id], employers, "employer")
        device = agent.device or f"PJSIP/{agent.agent_id}"
        if device in devices:
            yield Problem(
                field=f"{at}.device",
                error_id="device_shared",
                detail=f"{devices[device]} has this device too",
            )
        devices.setdefault(device, agent.agent_id)


def _unknown(field: str, named: Iterable[str | None], known: set[str], what: str) -> Iterator[Problem]:
    for name in named:
        if name is not None and name not in known:
            yield Problem(
                field=f"{field}[{name}]", error_id=f"{what}_unknown", detail=f"there is no such {what}"
            )

"""The centre as people write it: seconds, names, shifts. Rows, TOML and the engine's form come from it.

Ids are slugs and stand apart from display names. ``sorted`` gives the stable order, so that two equal
centres are equal documents. What is wrong is told by field (``rules.problems``); shapes are checked when a
document is made.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.calendars.rules import Shift
from routing.ids import slug

Slug = Annotated[str, StringConstraints(max_length=32), AfterValidator(slug)]
Name = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
Level = Annotated[int, Field(ge=1, le=10)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")]
EntryNumber = Annotated[str, StringConstraints(pattern=r"^\+?[0-9A-Za-z_*#]{1,32}$")]


def _shift(text: str) -> str:
    shift = Shift.parse(text)
    if shift.end_minute > 24 * 60:
        raise ValueError("a shift ends by 24:00: write one until 24:00 and one from 00:00 on the next day")
    return str(shift)


ShiftText = Annotated[str, AfterValidator(_shift)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SkillPart(_Part):
    """A skill."""

    skill_id: Slug
    display_name: Name = ""


class TeamPart(_Part):
    """A team."""

    team_id: Slug
    display_name: Name = ""


class SitePart(_Part):
    """Where agents work."""

    site_id: Slug
    display_name: Name = ""
    zone: Name = "UTC"


class EmployerPart(_Part):
    """Whose agents: the house itself, or a partner."""

    employer_id: Slug
    display_name: Name = ""


class IntervalPart(_Part):
    """One shift on one weekday (Monday 0), from *valid_from* until the day before *valid_to*."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    shift: ShiftText
    valid_from: date = date(2000, 1, 1)
    valid_to: date | None = None


class DayPart(_Part):
    """A day unlike the others; *shift* limits a closure or an opening to a part of it."""

    day: date
    kind: Literal["holiday", "make_up_workday", "closure", "opening"]
    display_name: Name = ""
    region: Name = ""
    source: Name = ""
    as_weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    shift: ShiftText | None = None


class CalendarPart(_Part):
    """A calendar; read through ``app.calendars.rules``."""

    calendar_id: Slug
    display_name: Name = ""
    zone: Name = "UTC"
    region: Name = ""
    intervals: tuple[IntervalPart, ...] = ()
    days: tuple[DayPart, ...] = ()


class QueuePart(_Part):
    """A queue; the meanings are those of ``routing.config.QueueConfig``, in seconds."""

    queue_id: Slug
    display_name: Name = ""
    medium: Literal["voice", "chat", "email"] = "voice"
    requires: dict[Slug, Level] = Field(default_factory=dict)
    threshold_s: Seconds = 20.0
    service_level_target: Annotated[float, Field(ge=0, le=1)] = 0.8
    weight: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.0
    boost_s: Seconds = 0.0
    max_wait_s: Seconds = 600.0
    ring_timeout_s: Annotated[float, Field(ge=1, le=300)] = 15.0
    preset: Literal["strict", "fair", "balanced", "max_sl"] = "strict"
    wrap_up_mode: Literal["none", "optional", "timed", "manual"] = "timed"
    wrap_up_s: Seconds = 30.0
    wrap_up_extendable: bool = True
    short_abandon_s: Seconds = 5.0
    queue_timeout_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    queue_timeout_to: Slug | None = None
    overflow_after_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    overflow_to: Slug | None = None
    key_exits: dict[Key, Slug] = Field(default_factory=dict)
    calendar_id: Slug | None = None
    is_default: bool = False
    wrap_up_codes: tuple[Slug, ...] = ()


class AgentPart(_Part):
    """An agent; team, site and employer as they are now (``app.centre.memberships`` keeps what they were)."""

    agent_id: Slug
    display_name: Name = ""
    device: Annotated[str, StringConstraints(pattern=r"^(?:[A-Za-z0-9]{2,16}/[A-Za-z0-9_.@-]{1,64})?$")] = ""
    team_id: Slug | None = None
    site_id: Slug | None = None
    employer_id: Slug | None = None
    voice_slots: Annotated[int, Field(ge=0, le=1)] = 1
    wrap_up_s: Seconds | None = None
    skills: dict[Slug, Level] = Field(default_factory=dict)


class TrunkPart(_Part):
    """A trunk: the default region and area code of the numbers it brings."""

    trunk_id: Slug
    pbx_id: Name = ""
    display_name: Name = ""
    region: Annotated[str, StringConstraints(pattern=r"^(?:[A-Z]{2})?$")] = ""
    area_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,6}$")] = ""


class EntryPointPart(_Part):
    """A number dialled, and where it leads."""

    entry_point: EntryNumber
    display_name: Name = ""
    queue_id: Slug | None = None
    calendar_id: Slug | None = None
    trunk_id: Slug | None = None
    language: Annotated[str, StringConstraints(pattern=r"^(?:[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?)?$")] = ""
    priority_s: Seconds = 0.0


class WrapUpCodePart(_Part):
    """A wrap-up code."""

    code: Slug
    display_name: Name = ""


class NotReadyReasonPart(_Part):
    """A reason for not being ready; ``is_system``: set by the engine, never by hand."""

    reason: Slug
    display_name: Name = ""
    is_paid: bool = True
    is_system: bool = False
    limit_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    ordinal: int = 0


class Centre(_Part):
    """The whole centre."""

    skill: tuple[SkillPart, ...] = ()
    team: tuple[TeamPart, ...] = ()
    site: tuple[SitePart, ...] = ()
    employer: tuple[EmployerPart, ...] = ()
    calendar: tuple[CalendarPart, ...] = ()
    wrap_up_code: tuple[WrapUpCodePart, ...] = ()
    not_ready_reason: tuple[NotReadyReasonPart, ...] = ()
    queue: tuple[QueuePart, ...] = ()
    agent: tuple[AgentPart, ...] = ()
    trunk: tuple[TrunkPart, ...] = ()
    entry_point: tuple[EntryPointPart, ...] = ()

    def sorted(self) -> Centre:
        """Return the same centre with every part in its stable order."""
        ordered = {}
        for section, id_field in ID_FIELDS.items():
            parts = [_with_sorted_insides(part) for part in getattr(self, section)]
            ordered[section] = tuple(sorted(parts, key=lambda part: str(getattr(part, id_field))))
        return self.model_copy(update=ordered)


ID_FIELDS = {
    "skill": "skill_id",
    "team": "team_id",
    "site": "site_id",
    "employer": "employer_id",
    "calendar": "calendar_id",
    "wrap_up_code": "code",
    "not_ready_reason": "reason",
    "queue": "queue_id",
    "agent": "agent_id",
    "trunk": "trunk_id",
    "entry_point": "entry_point",
}
"""The sections in the order in which they refer to each other, with the field that names a part."""


def _with_sorted_insides(part: _Part) -> _Part:
    match part:
        case CalendarPart():
            return part.model_copy(
                update={
                    "intervals": tuple(
                        sorted(part.intervals, key=lambda at: (at.valid_from, at.weekday, at.shift))
                    ),
                    "days": tuple(
                        sorted(part.days, key=lambda day: (day.day, day.kind, day.shift or "", day.region))
                    ),
                }
            )
        case QueuePart():
            return part.model_copy(
                update={
                    "requires": dict(sorted(part.requires.items())),
                    "key_exits": dict(sorted(part.key_exits.items())),
                }
            )
        case AgentPart():
            return part.model_copy(update={"skills": dict(sorted(part.skills.items()))})
        case _:
            return part

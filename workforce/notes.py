"""What a planner should know of a forecast: ids and parameters for programs, sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class NoteId(StrEnum):
    """What may be said; ``SENTENCES`` holds the English, with the names of its parameters."""

    SHORT_HISTORY = "short_history"
    LABEL_NEVER_SEEN = "label_never_seen"
    SCALE_MEASURED = "scale_measured"
    SCALE_GIVEN = "scale_given"
    MORNING_TELLS_NOTHING = "morning_tells_nothing"
    HORIZON_NOT_REACHED = "horizon_not_reached"
    NO_BACKTEST = "no_backtest"


SENTENCES: Mapping[NoteId, str] = {
    NoteId.SHORT_HISTORY: "a history of {days_count} days: the bands are assumed, weekdays hardly told apart",
    NoteId.LABEL_NEVER_SEEN: "{name} ({day}): no day of this kind seen yet, forecast as a plain day",
    NoteId.SCALE_MEASURED: "by analogy at {ratio:.3g} of the other queue ({days_count} days in common)",
    NoteId.SCALE_GIVEN: "by analogy at {ratio:.3g} of the other queue (as given)",
    NoteId.MORNING_TELLS_NOTHING: "{days_count} past days do not show that a morning tells the rest:"
    " left as it was",
    NoteId.HORIZON_NOT_REACHED: "{horizon_days} days: no origin leaves that many days in the series",
    NoteId.NO_BACKTEST: "{days_count} days with calls are too few for a backtest: it needs about four weeks"
    " and a horizon",
}


@dataclass(frozen=True, slots=True)
class MethodNote:
    """One thing to know.

    >>> str(MethodNote(NoteId.HORIZON_NOT_REACHED, {"horizon_days": 28}))
    '28 days: no origin leaves that many days in the series'
    """

    note_id: NoteId
    params: Mapping[str, str | int | float] = field(default_factory=dict)

    def __str__(self) -> str:
        return SENTENCES[self.note_id].format(**self.params)

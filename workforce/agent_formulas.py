"""The figures of agents: one table of formulas over the terms of their cells. Without time or calls: None.

*Handling* is time talking, holding, waiting for the own phone to be back (``re_attach``) and in wrap-up.
While an agent is chosen or rung (``reserved``, ``ringing``) the time is signed-in time, and in neither part
of occupancy. Sources: as usual in the field; each is stated with its terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workforce.agent_cells import CAPPED_WRAP_UP, STATE_TERMS, reason_term
from workforce.formulas import Formula, Unit

HANDLING: Final = ("state.talking_ms", "state.holding_ms", "state.re_attach_ms", "state.wrap_up_ms")
NOT_READY: Final = "TIME_NOT_READY"


def _time(formula_id: str, *over: str) -> Formula:
    return Formula(formula_id=formula_id, unit=Unit.TOTAL, over=over, under=STATE_TERMS)


def _share(
    formula_id: str, over: tuple[str, ...], under: tuple[str, ...], less: tuple[str, ...] = ()
) -> Formula:
    return Formula(formula_id=formula_id, unit=Unit.SHARE, over=over, under=under, less=less)


def _mean(formula_id: str, *over: str) -> Formula:
    return Formula(formula_id=formula_id, unit=Unit.SECONDS, over=over, under=("handled_count",))


_TABLE: Final = (
    _time("SIGNED_IN", *STATE_TERMS),
    _time("TIME_READY", "state.ready_ms"),
    _time("TIME_TALK", "state.talking_ms"),
    _time("TIME_HOLD", "state.holding_ms"),
    _time("TIME_WRAP_UP", "state.wrap_up_ms"),
    _time("TIME_WRAP_UP-CAPPED", CAPPED_WRAP_UP),
    _time(NOT_READY, "state.not_ready_ms"),
    _share("OCCUPANCY", HANDLING, (*HANDLING, "state.ready_ms")),
    _share("UTILISATION", HANDLING, STATE_TERMS),
    _mean("AHT", "talk_ms", "hold_ms", "wrap_up_ms"),
    _mean("AHT-CAPPED", "talk_ms", "hold_ms", "wrap_up_capped_ms"),
    _mean("TALK", "talk_ms"),
    _mean("HOLD", "hold_ms"),
    _mean("WRAP_UP", "wrap_up_ms"),
    _mean("WRAP_UP-CAPPED", "wrap_up_capped_ms"),
    _share("RONA", ("rona_count",), ("offer_count",)),
    _share("RONA-WAITED", ("rona_count",), ("offer_count",), ("offer_caller_left_count",)),
    Formula(formula_id="CALLS_PER_HOUR", unit=Unit.PER_HOUR, over=("handled_count",), under=STATE_TERMS),
)
AGENT_FORMULAS: Final[Mapping[str, Formula]] = {one.formula_id: one for one in _TABLE}
"""All formulas by id, in the order of a table; beside them ``not_ready_for`` gives one for each reason."""


def not_ready_for(reason: str) -> Formula:
    """Return the formula of the time not ready for one reason.

    >>> not_ready_for("lunch").formula_id, not_ready_for("lunch").over
    ('TIME_NOT_READY.lunch', ('reason.lunch_ms',))
    """
    return _time(f"{NOT_READY}.{reason}", reason_term(reason))

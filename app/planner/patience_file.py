"""Waits and outcomes from a file of single calls, in our words or in those of other systems."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.planner.csv_files import read_table
from workforce.erlang_integrals import Floats
from workforce.errors import InputError
from workforce.patience import Patience

GAVE_UP = frozenset({"abandoned", "short_abandon", "abandon", "abandoned_call", "hang", "hangup", "lost"})
CUT_SHORT = frozenset(
    {"answered", "agent", "served", "connected", "queue_timeout", "key", "no_agents_later", "overflowed"}
    | {"fallback", "lost_with_pbx"}
)
VIRTUAL = frozenset({"phantom", "virtual", "withdrawn", "callback"})
NEVER_WAITED = frozenset({"no_agents_at_entry", "queue_full", "closed"})
_NO = frozenset({"0", "false", "no"})


@dataclass(frozen=True, slots=True)
class CallWaits:
    """Columns of equal length."""

    wait_s: Floats
    abandoned: NDArray[np.bool_]
    virtual: NDArray[np.bool_]


def patience_of(path: Path) -> CallWaits:
    """Read ``wait_s`` and ``outcome``; where a column ``queued`` says 0, nobody waited.

    Raises:
        InputError: the file cannot be read, a wait is no number, or an outcome is unknown.
    """
    table = read_table(path, required=("wait_s", "outcome"))
    waits, outcomes, queued = table.column("wait_s"), table.column("outcome"), table.column("queued")
    assert waits is not None
    assert outcomes is not None
    wait_s = np.zeros(len(waits))
    words = [word.strip().lower() for word in outcomes]
    known = GAVE_UP | CUT_SHORT | VIRTUAL | NEVER_WAITED
    for row, (wait, word) in enumerate(zip(waits, words, strict=True)):
        try:
            wait_s[row] = float(wait) if wait.strip() else 0.0
        except ValueError:
            raise InputError(f"{path}, row {row + 1}: wait_s {wait[:40]!r} is not a number") from None
        if word not in known:
            expected = "answered, abandoned, withdrawn"
            raise InputError(
                f"{path}, row {row + 1}: outcome {word[:40]!r} is unknown; known are {expected} …"
            )
    excluded = np.array([word in VIRTUAL or word in NEVER_WAITED for word in words], dtype=bool)
    if queued is not None:
        excluded |= np.array([cell.strip().lower() in _NO for cell in queued], dtype=bool)
    return CallWaits(wait_s, np.array([word in GAVE_UP for word in words], dtype=bool), excluded)


def told(patience: Patience) -> dict[str, Any]:
    """Return the estimate as JSON knows it: no arrays, no nan."""
    names = (
        *("wait_count", "abandoned_count", "excluded_count", "confidence"),
        *("exponential_mean_s", "exponential_low_s", "exponential_high_s", "exponential_p", "is_exponential"),
        *("restricted_mean_s", "restricted_low_s", "restricted_high_s", "restricted_to_s", "median_s"),
    )
    said: dict[str, Any] = {name: _plain(getattr(patience, name)) for name in names}
    said["curve"] = [
        {"time_s": time, "at_risk": int(risk), "survival": share, "low": low, "high": high}
        for time, risk, share, low, high in zip(
            patience.time_s.tolist(),
            patience.at_risk.tolist(),
            patience.survival.tolist(),
            patience.low.tolist(),
            patience.high.tolist(),
            strict=True,
        )
    ]
    said["hazards"] = [
        {name: _plain(getattr(stage, name)) for name in type(stage).__slots__} for stage in patience.hazards
    ]
    return said


def _plain(value: float | int | bool) -> float | int | bool | None:
    return value if np.isfinite(value) else None

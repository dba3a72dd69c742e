"""Erlang B, C and A: what callers meet when so many agents take so much traffic. Steady state, per interval.

Arrays broadcast against each other, one element per interval; scalars give scalars. Agents may be any
non-negative real number, so that requirements can be added up before they are rounded. One model stands
behind all three: callers arrive at random, talk and patience are exponential (M/M/N+M). Endless patience
is Erlang C, none at all is Erlang B. Traffic up to ``TRAFFIC_ERL_MAX``; relative error of each figure below
1e-11, of B and C below 1e-12, as long as the figure itself is not smaller than about 1e-300.

Sources: Erlang (1917); Palm (1957); Garnett, Mandelbaum & Reiman (2002); Zeltyn & Mandelbaum (2005).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workforce.erlang_integrals import Floats
from workforce.erlang_models import (
    figures_a,
    figures_b,
    figures_c,
    figures_without,
    free_odds,
    wait_probability,
)

TRAFFIC_ERL_MAX = 1e7
TRAFFIC_ERL_MIN = 1e-9

_NAN = np.float64(np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """What callers meet; one element per interval. Shares are of all calls offered, in [0, 1].

    Attributes:
        p_wait: Share who find no agent free (Erlang B: who are turned away).
        answered_within: Share answered within the threshold (SL-D).
        missed: 1 - answered_within, to its own full precision.
        answered: Share answered at all.
        abandonment: Share who give up (Erlang B: are turned away); 1 - answered, in full precision.
        abandoned_within: Share who give up within the threshold.
        abandoned_short: Share who give up within ``short_abandon_s``.
        p_wait_beyond: Share whose wait, had they all the patience, exceeds the threshold.
        asa_s: Mean speed of answer over answered calls; inf when the queue never drains, nan without any.
        wait_s: Mean wait of all calls, answered or not; inf when the queue never drains.
        waiting_count: Mean number of callers who wait.
        occupancy: Share of the agents' time spent handling; nan without agents.
        stable: False where nobody gives up and traffic is not below the number of agents.
    """

    p_wait: Floats
    answered_within: Floats
    missed: Floats
    answered: Floats
    abandonment: Floats
    abandoned_within: Floats
    abandoned_short: Floats
    p_wait_beyond: Floats
    asa_s: Floats
    wait_s: Floats
    waiting_count: Floats
    occupancy: Floats
    stable: NDArray[np.bool_]

    def service_level(self, formula: str = "SL-D") -> Floats:
        """Return one of the service levels of ``workforce.measures``, here as expected shares.

        SL-A: answered within T / answered. SL-B: (answered + abandoned within T) / offered. SL-C: answered
        within T / (offered - short abandons). SL-D: answered within T / offered.

        >>> figures = queue_figures(11, 10.0, 180.0, 20.0, patience_s=180.0, short_abandon_s=20.0)
        >>> [round(float(figures.service_level(f)), 4) for f in ("SL-A", "SL-B", "SL-C", "SL-D")]
        [0.7696, 0.7424, 0.7325, 0.7054]
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            match formula:
                case "SL-A":
                    return self.answered_within / self.answered
                case "SL-B":
                    return self.answered_within + self.abandoned_within
                case "SL-C":
                    return self.answered_within / (1.0 - self.abandoned_short)
                case "SL-D":
                    return self.answered_within
        raise ValueError(f"{formula} is not one of SL-A, SL-B, SL-C, SL-D")


def erlang_b(agents: ArrayLike, traffic_erl: ArrayLike) -> Floats:
    """Share of calls turned away when nobody can wait (M/M/N/N).

    Args:
        agents: Agents or lines, a real number >= 0.
        traffic_erl: Offered traffic in erlangs, in [0, 1e7].

    Returns:
        A share in [0, 1]; 1.0 without agents, 0.0 without traffic.

    Raises:
        ValueError: a negative or non-finite argument.

    Source:
        Erlang (1917); real-valued agents by Jagerman (1974), ``1/B = A * integral of exp(-A*t)*(1+t)**N``.

    >>> round(float(erlang_b(10, 5.0)), 15)
    0.018384570336648
    >>> round(float(erlang_b(12.3, 10.0)), 14)
    0.10826973123974
    """
    x, traffic = _checked(agents, traffic_erl)
    return 1.0 / (1.0 + free_odds(x, traffic))


def erlang_c(agents: ArrayLike, traffic_erl: ArrayLike) -> Floats:
    """Probability that a caller waits when nobody gives up (M/M/N).

    Args:
        agents: Agents signed in, a real number >= 0.
        traffic_erl: Offered traffic in erlangs: calls per second times AHT in seconds.

    Returns:
        A probability in [0, 1]; 1.0 where traffic_erl >= agents (the queue never drains).

    Raises:
        ValueError: a negative or non-finite argument.

    Source:
        Erlang (1917): ``C = B / (1 - traffic/N * (1 - B))``, here without its cancellations.

    >>> round(float(erlang_c(14, 10.0)), 4)
    0.1741
    >>> float(erlang_c(10, 10.0))
    1.0
    """
    x, traffic = _checked(agents, traffic_erl)
    return wait_probability(x, traffic)


def queue_figures(
    agents: ArrayLike,
    traffic_erl: ArrayLike,
    aht_s: ArrayLike,
    threshold_s: ArrayLike,
    *,
    patience_s: ArrayLike = np.inf,
    short_abandon_s: ArrayLike = 0.0,
) -> QueueFigures:
    """Return everything callers meet (M/M/N+M).

    Args:
        agents: Agents signed in, a real number >= 0.
        traffic_erl: Offered traffic in erlangs, in [0, 1e7].
        aht_s: Mean handling time, above 0.
        threshold_s: The 20 of 80/20, >= 0.
        patience_s: Mean time after which a waiting caller gives up; inf: Erlang C, 0: Erlang B.
        short_abandon_s: Who gives up sooner counts as a short abandon.

    Raises:
        ValueError: an argument is out of its range.

    Source:
        Palm (1957); Garnett, Mandelbaum & Reiman (2002); service levels by Zeltyn & Mandelbaum (2005).

    >>> figures = queue_figures(50, 50.0, 60.0, 20.0, patience_s=120.0)
    >>> f"{figures.abandonment:.14f} {figures.answered_within:.14f} {figures.wait_s:.12f}"
    '0.04668458591477 0.90007572600756 5.602150309772'
    """
    x, traffic = _checked(agents, traffic_erl)
    aht, threshold, patience, short = (
        np.asarray(v, dtype=np.float64) for v in (aht_s, threshold_s, patience_s, short_abandon_s)
    )
    if not (np.all(aht > 0) and np.all(np.isfinite(aht))):
        raise ValueError("aht_s must be above 0 and finite")
    if not (np.all(threshold >= 0) and np.all(patience >= 0) and np.all(short >= 0)):
        raise ValueError("threshold_s, patience_s and short_abandon_s must not be negative")
    given = np.broadcast_arrays(x, traffic, aht, threshold, patience, short)
    shape = given[0].shape
    x, traffic, aht, threshold, patience, short = (v.ravel() for v in given)
    names = [field.name for field in fields(QueueFigures)]
    table = {name: np.full(x.shape, _NAN) for name in names}
    empty = (traffic == 0) | (x == 0)
    groups = {
        "none": empty,
        "b": ~empty & (patience == 0),
        "c": ~empty & np.isinf(patience),
        "a": ~empty & (patience > 0) & np.isfinite(patience),
    }
    for kind, mask in groups.items():
        if not mask.any():
            continue
        some = [v if mask.all() else v[mask] for v in (x, traffic, aht, threshold, patience, short)]
        match kind:
            case "a":
                part = figures_a(*some)
            case "c":
                part = figures_c(*some[:4])
            case "b":
                part = figures_b(*some[:2])
            case _:
                part = figures_without(some[0], some[1], some[2], some[3], some[4], some[5])
        for name in names:
            table[name][mask] = part[name]
    stable = table.pop("stable").astype(bool).reshape(shape)[()]
    return QueueFigures(stable=stable, **{name: column.reshape(shape)[()] for name, column in table.items()})


def _checked(agents: ArrayLike, traffic_erl: ArrayLike) -> tuple[Floats, Floats]:
    x, traffic = np.broadcast_arrays(
        np.asarray(agents, dtype=np.float64), np.asarray(traffic_erl, dtype=np.float64)
    )
    if not (np.all(x >= 0) and np.all(np.isfinite(x))):
        raise ValueError("agents must be a number, not negative")
    if not (np.all(traffic >= 0) and np.all(traffic <= TRAFFIC_ERL_MAX)):
        raise ValueError(f"traffic_erl must be within 0 and {TRAFFIC_ERL_MAX:.0e}")
    return x, np.where(traffic > 0, np.maximum(traffic, TRAFFIC_ERL_MIN), 0.0)

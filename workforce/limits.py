"""What Erlang C and A tend to in large centres, with agents = traffic + beta * sqrt(traffic).

Kept as an independent check of the exact figures, and for staffing by a rule of one number.

Sources: Halfin & Whitt (1981); Garnett, Mandelbaum & Reiman (2002).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import erfcx

from workforce.erlang_integrals import Floats

_BETA_MAX = 37.0


def halfin_whitt_wait(beta: ArrayLike) -> Floats:
    """Probability of waiting, beta above 0: 1 / (1 + beta * Phi(beta) / phi(beta)).

    >>> round(float(halfin_whitt_wait(0.5)), 12)
    0.504538640998
    """
    b = np.asarray(beta, dtype=np.float64)
    if not np.all(b > 0):
        raise ValueError("beta must be above 0")
    return np.asarray(1.0 / (1.0 + b / _hazard(-b)))


def halfin_whitt_beta(p_wait: float) -> float:
    """Return the beta at which a share *p_wait* waits.

    >>> round(halfin_whitt_beta(0.3), 11)
    0.82894463336
    """
    if not 0 < p_wait < 1:
        raise ValueError("p_wait must be above 0 and below 1")
    return float(brentq(lambda b: float(halfin_whitt_wait(b)) - p_wait, 1e-16, _BETA_MAX, xtol=1e-14))


def garnett_wait(beta: ArrayLike, patience_ratio: ArrayLike) -> Floats:
    """Probability of waiting with patience; any beta.

    Args:
        beta: (agents - traffic) / sqrt(traffic).
        patience_ratio: Mean patience / AHT, above 0.

    >>> round(float(garnett_wait(1.0, 2.0)), 12), round(float(garnett_wait(0.0, 2.0)), 12)
    (0.178957677138, 0.585786437627)
    """
    b, ratio = np.asarray(beta, dtype=np.float64), np.asarray(patience_ratio, dtype=np.float64)
    if not np.all(ratio > 0):
        raise ValueError("patience_ratio must be above 0")
    root = np.sqrt(ratio)
    return np.asarray(1.0 / (1.0 + _hazard(b * root) / root / _hazard(-b)))


def garnett_abandonment(beta: ArrayLike, patience_ratio: ArrayLike) -> Floats:
    """Share of those who wait that give up, times sqrt(agents).

    >>> round(float(garnett_abandonment(0.0, 2.0)), 11)
    0.56418958355
    """
    b, ratio = np.asarray(beta, dtype=np.float64), np.asarray(patience_ratio, dtype=np.float64)
    root = np.sqrt(ratio)
    return np.asarray(_hazard(b * root) / root - b)


def garnett_beta(p_wait: float, patience_ratio: float) -> float:
    """Return the beta at which a share *p_wait* waits, with patience.

    >>> round(garnett_beta(0.1, 1.0), 10)
    1.2815515655
    """
    if not 0 < p_wait < 1:
        raise ValueError("p_wait must be above 0 and below 1")
    lowest = -_BETA_MAX / max(1.0, float(np.sqrt(patience_ratio)))
    return float(
        brentq(lambda b: float(garnett_wait(b, patience_ratio)) - p_wait, lowest, _BETA_MAX, xtol=1e-14)
    )


def _hazard(x: Floats) -> Floats:
    """Normal density over normal tail beyond *x*."""
    return np.asarray(np.sqrt(2.0 / np.pi) / erfcx(x / np.sqrt(2.0)))

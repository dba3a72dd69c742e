"""Erlang C and A by plain recursions over states, as exact as whole numbers and fractions of 2**-200 allow.

Nothing here is shared with the code under test: no quadrature, no continuous agents, no logarithms.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import exp, isinf

SCALE = 1 << 200
_SMALL = Decimal(10) ** -35


def erlang_b_sequence(traffic_erl: float, agents_max: int) -> list[int]:
    """Return 1/B - 1 for 0, 1, … agents, times ``SCALE``: I(n) = n/A * (I(n-1) + 1)."""
    top, bottom = traffic_erl.as_integer_ratio()
    odds = [0]
    for agents in range(1, agents_max + 1):
        odds.append(agents * bottom * (odds[-1] + SCALE) // top)
    return odds


def erlang_c_missed(odds: int, agents: int, traffic_erl: float, threshold_s: float, aht_s: float) -> float:
    """Share not answered in time under Erlang C: 1/C = 1 + (n - A)/n * I(n)."""
    if agents <= traffic_erl:
        return 1.0
    spare = agents - traffic_erl
    waits = 1.0 / (1.0 + spare / agents * (odds / SCALE if odds < SCALE * 10**300 else 1e300))
    return waits * exp(-spare * threshold_s / aht_s)


def erlang_a_missed(
    odds: int, agents: int, traffic_erl: float, threshold_s: float, aht_s: float, patience_s: float
) -> float:
    """Share not answered in time under Erlang A, by the series over the number of callers who wait."""
    if isinf(patience_s):
        return erlang_c_missed(odds, agents, traffic_erl, threshold_s, aht_s)
    with localcontext() as context:
        context.prec = 45
        ratio = Decimal(patience_s) / Decimal(aht_s)
        c, eta = agents * ratio, Decimal(traffic_erl) * ratio
        fade = Decimal(threshold_s) / Decimal(patience_s)
        cut = (-fade).exp()
        # 1 + eta/(c+1) + eta^2/((c+1)(c+2)) + ...: the weight of all states in which a caller waits,
        # and the same weighted by exp(-wait/patience), the share of those callers who are still there
        mass = _kummer(c, eta)
        served = c / (c + 1) * _kummer(c + 1, eta)
        still = (-fade * (c + 1) + eta * (1 - cut)).exp() * c / (c + 1) * _kummer(c + 1, eta * cut)
        return float((mass - served + still) / (Decimal(odds) / SCALE + mass))


def _kummer(c: Decimal, eta: Decimal) -> Decimal:
    term = total = Decimal(1)
    k = 0
    while True:
        k += 1
        term *= eta / (c + k)
        total += term
        if c + k > eta and term < total * _SMALL * (1 - eta / (c + k)):
            return total

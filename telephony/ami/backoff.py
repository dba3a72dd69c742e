"""How long to wait before the next attempt: exponential, capped, with full jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Delays between attempts.

    Full jitter (uniform in [0, bound]) keeps many servers that lost one PBX from coming back at once.

    Attributes:
        first_s: Bound of the first delay, in seconds.
        most_s: Bound that no delay exceeds, in seconds.
        least_s: No delay is shorter, so that a PBX that refuses at once is not hammered.
        dice: Source of chance.
    """

    first_s: float = 0.25
    most_s: float = 10.0
    least_s: float = 0.02
    dice: random.Random = field(default_factory=random.Random)
    _failures: int = field(default=0, init=False)

    def next_s(self) -> float:
        """Return how long to wait now, in seconds; the bound doubles from one call to the next."""
        bound_s = min(self.most_s, self.first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return max(self.least_s, self.dice.uniform(0.0, bound_s))

    def reset(self) -> None:
        """An attempt succeeded and lasted."""
        self._failures = 0

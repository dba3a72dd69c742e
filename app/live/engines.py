"""Makes the engines that the live core drives."""

from __future__ import annotations

from typing import Any

from routing.engine import Engine


class Engines:
    """``ports.EngineMaker`` for the real engine.

    Args:
        explain: Whether every offer carries its explanation.
    """

    def __init__(self, *, explain: bool = True) -> None:
        self._explain = explain

    def fresh(self) -> Engine:
        """An engine that knows nothing."""
        return Engine(explain=self._explain)

    def restored(self, snapshot: dict[str, Any]) -> Engine:
        """An engine as it was when *snapshot* was taken.

        Raises:
            ValueError: it is no snapshot of this version.
        """
        return Engine.restore(snapshot, explain=self._explain)

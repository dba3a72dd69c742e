"""What the crowd saw, call by call, to be compared with the log; times are epoch milliseconds (UTC)."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class OfferSeen:
    """One INVITE that an agent's phone got.

    Attributes:
        number: Whom the phone showed as the caller.
        ended_by: ``us`` (the phone), ``peer`` (the PBX), ``nobody``; empty while it lasts.
        status: Final status of an offer that was not answered (486 refused, 487 cancelled).
        is_transfer: Whether the phone sent the caller on by REFER.
    """

    agent: str
    number: str
    invited_ms: float
    answered_ms: float | None = None
    ended_ms: float | None = None
    ended_by: str = ""
    status: int = 0
    is_transfer: bool = False


@dataclass(slots=True, kw_only=True)
class CallSeen:
    """One customer's call.

    Attributes:
        pbx_answered_ms: When the PBX answered the trunk's leg, before any agent.
        offers: Phones that rang for it, in order.
        ended_by: ``us`` (the caller), ``peer`` (the PBX), ``nobody``; empty while it lasts.
        gave_up: The caller's patience ended it.
        was_cut: The end of the scene ended it.
        status: Final status of a call that the PBX never answered.
    """

    entry: str
    number: str
    name: str
    patience_ms: int
    started_ms: float
    sip_call_id: str
    pbx_answered_ms: float | None = None
    offers: list[OfferSeen] = field(default_factory=list)
    ended_ms: float | None = None
    ended_by: str = ""
    gave_up: bool = False
    was_cut: bool = False
    status: int = 0

    @property
    def answer(self) -> OfferSeen | None:
        """The first offer that an agent answered."""
        return next((offer for offer in self.offers if offer.answered_ms is not None), None)

    @property
    def outcome(self) -> str:
        """``answered``, ``abandoned``, ``cut`` (scene over) or ``failed`` (the PBX let the caller go)."""
        if self.answer is not None:
            return "answered"
        if self.was_cut:
            return "cut"
        return "abandoned" if self.ended_by == "us" else "failed"

    @property
    def speed_of_answer_ms(self) -> float | None:
        """From the caller's INVITE to the agent's answer."""
        answer = self.answer
        return None if answer is None or answer.answered_ms is None else answer.answered_ms - self.started_ms


@dataclass(slots=True, kw_only=True)
class CrowdTally:
    """Everything that the crowd saw.

    Attributes:
        strangers: Offers whose number belongs to no caller of ours.
        retransmitted, malformed: Datagrams, over all phones and callers.
    """

    calls: list[CallSeen] = field(default_factory=list)
    strangers: list[OfferSeen] = field(default_factory=list)
    retransmitted: int = 0
    malformed: int = 0

    def outcomes(self) -> dict[str, int]:
        """Return how many calls were offered and how they ended."""
        counts = Counter(call.outcome for call in self.calls)
        return {"offered": len(self.calls)} | {
            name: counts[name] for name in ("answered", "abandoned", "failed", "cut")
        }

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, outcomes first."""
        calls = [asdict(call) | {"outcome": call.outcome} for call in self.calls]
        return {"outcomes": self.outcomes(), **asdict(self), "calls": calls}

"""What a phone is to do with a call, as data. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """What a phone does with one incoming call; all times in milliseconds.

    Attributes:
        rings: Whether it says 180 Ringing, at once.
        pick_up_ms: From the INVITE to the answer or the refusal; None: it rings until cancelled.
        refuse_status: 486 busy, 603 decline (any final status); None: it answers.
        talk_ms: From the answer to our BYE; None: until the other side hangs up.
        hold_at_ms, hold_for_ms: Puts the caller on hold so long after the answer, for so long.
        refer_at_ms, refer_to: Transfers the caller so long after the answer, to this user of the PBX.
    """

    rings: bool = True
    pick_up_ms: int | None = 200
    refuse_status: int | None = None
    talk_ms: int | None = None
    hold_at_ms: int | None = None
    hold_for_ms: int = 1_000
    refer_at_ms: int | None = None
    refer_to: str = ""

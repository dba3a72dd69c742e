"""How many agents: asked and answered, nothing kept. What-if sliders ask this several times a second."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends

from app.auth.gate import may
from app.planner.staffing_answers import answer_staffing
from app.planner.staffing_schemas import StaffingAnswer, StaffingQuestion

router = APIRouter(prefix="/plan", tags=["plan"])

ASKED_AT_ONCE_MAX = 2
_turns = asyncio.Semaphore(ASKED_AT_ONCE_MAX)  # further ones wait, so that planning never takes all cores


@router.post("/staffing", dependencies=[Depends(may("plan.read", scope="all"))])
async def staffing(question: StaffingQuestion) -> StaffingAnswer:
    """Say how many agents each interval needs. The server's loop goes on meanwhile."""
    async with _turns:
        return await asyncio.to_thread(answer_staffing, question)

"""How many agents: asked and answered, nothing kept. What-if sliders ask this several times a second."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from app.auth.gate import may
from app.planner.asked import checked, turns
from app.planner.forecast_files import MEDIA_TYPES
from app.planner.requirement_files import requirement_csv, requirement_xlsx
from app.planner.staffing_answers import answer_staffing
from app.planner.staffing_schemas import RequirementFile, StaffingAnswer, StaffingQuestion
from workforce.series import zone_of

router = APIRouter(prefix="/plan", tags=["plan"])


@router.post(
    "/staffing",
    response_model=StaffingAnswer,
    dependencies=[Depends(may("plan.read", scope="all"))],
)
async def staffing(question: StaffingQuestion) -> Response:
    """Say how many agents each interval needs. The server's loop goes on meanwhile."""
    async with turns:
        said = await asyncio.to_thread(lambda: answer_staffing(question).model_dump_json())
    return Response(said, media_type="application/json")


@router.post(
    "/staffing/file",
    response_class=Response,
    dependencies=[Depends(may("plan.read", scope="all"))],
)
async def file(asked: RequirementFile) -> Response:
    """Answer the same as a file: CSV, or a workbook with the goals, hours and cost on a second sheet."""
    checked(zone_of, asked.zone)
    async with turns:
        content = await asyncio.to_thread(_written, asked)
    headers = {"Content-Disposition": f'attachment; filename="requirement.{asked.format}"'}
    return Response(content, media_type=MEDIA_TYPES[asked.format], headers=headers)


def _written(asked: RequirementFile) -> bytes:
    write = requirement_csv if asked.format == "csv" else requirement_xlsx
    return write(asked, answer_staffing(asked))

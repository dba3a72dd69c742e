"""``/figures``: the log's figures by period, by queue or entry point, in either view; as JSON and as CSV."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.auth.gate import may
from app.figures.queries import FiguresBy, FiguresView
from app.figures.reader import FiguresAsked, FiguresTable, csv_of, read_figures
from app.figures.rules import COUNTS, FiguresGrade, FiguresRow
from app.http.errors import ApiError
from app.http.state import state_of
from routing.events import QueueExit
from workforce.errors import WorkforceError
from workforce.periods import PeriodStep

router = APIRouter(
    prefix="/figures", tags=["figures"], dependencies=[Depends(may("figures.read", scope="all"))]
)


class FiguresQuery(BaseModel):
    """Which figures: local days, both included; the zone is the centre's where none is named."""

    model_config = ConfigDict(extra="forbid")

    first: date
    last: date
    step: PeriodStep = PeriodStep.DAY
    by: FiguresBy = FiguresBy.QUEUE
    view: FiguresView = FiguresView.EVENT
    zone: str | None = Field(default=None, min_length=1, max_length=64)

    def asked(self) -> FiguresAsked:
        """Return it as the reader takes it."""
        return FiguresAsked(**self.model_dump())


class FiguresLine(BaseModel):
    """One period of one key.

    Attributes:
        counts, exits: What the figures are computed from; they add up over rows.
        figures: By formula id, shares in [0, 1] and seconds; null where there were no calls.
    """

    start: datetime
    end: datetime
    key: str
    counts: dict[str, int]
    exits: dict[QueueExit, int]
    figures: dict[str, float | None]
    grade: FiguresGrade


class FiguresShown(BaseModel):
    """A table of figures; ``names`` says what the keys are called now."""

    zone: str
    step: PeriodStep
    by: FiguresBy
    view: FiguresView
    names: dict[str, str]
    rows: list[FiguresLine]
    total: FiguresLine


@router.get("")
async def show_figures(request: Request, query: Annotated[FiguresQuery, Query()]) -> FiguresShown:
    """Show the figures of a range of days."""
    table = await _read(request, query)
    return FiguresShown(
        zone=table.zone,
        step=query.step,
        by=query.by,
        view=query.view,
        names=dict(table.names),
        rows=[_line(row) for row in table.rows],
        total=_line(table.whole),
    )


@router.get("/export", response_class=Response)
async def export_figures(request: Request, query: Annotated[FiguresQuery, Query()]) -> Response:
    """Give the same rows as CSV."""
    name = f"figures-{query.first:%Y%m%d}-{query.last:%Y%m%d}.csv"
    return Response(
        csv_of(await _read(request, query)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _read(request: Request, query: FiguresQuery) -> FiguresTable:
    faces = state_of(request).faces
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    try:
        return await read_figures(faces.database, faces.tenant_id, query.asked(), now_ms)
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None


def _line(row: FiguresRow) -> FiguresLine:
    return FiguresLine(
        start=datetime.fromtimestamp(row.start_ms / 1000, UTC),
        end=datetime.fromtimestamp(row.end_ms / 1000, UTC),
        key=row.key,
        counts={name: getattr(row.cell, name) for name in COUNTS},
        exits=dict(row.cell.exit_counts),
        figures=dict(row.figures),
        grade=row.grade,
    )

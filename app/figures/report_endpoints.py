"""``/reports``: the standard set and saved reports: open, run, take away, save, share, delete, bring back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import Row

from app.auth.gate import may
from app.auth.permissions import Reach, reach_of
from app.auth.principal import Principal
from app.figures.definitions import STANDARD, ReportDefinition, kept
from app.figures.reader import FiguresTable
from app.figures.report_reader import (
    MEDIA_TYPES,
    OpenedReport,
    file_name,
    file_of,
    open_report,
    run_report,
)
from app.figures.report_rights import Sharing, is_seen, may_change, owner_of
from app.figures.report_rows import (
    ReportChanged,
    ReportsFull,
    list_reports,
    make_report,
    report_of,
    save_report,
    set_deleted,
    share_report,
)
from app.figures.report_schemas import (
    ReportBody,
    ReportList,
    ReportRow,
    ReportRun,
    ReportShown,
    ReportVersion,
    SavedReportBody,
    SharingBody,
)
from app.figures.schedules import FileFormat
from app.figures.schemas import shown
from app.figures.words import Language
from app.http.errors import ApiError
from app.http.state import state_of
from workforce.errors import WorkforceError

router = APIRouter(prefix="/reports", tags=["reports"])

Reader = Annotated[Principal, Depends(may("report.read", scope="mine"))]
Writer = Annotated[Principal, Depends(may("report.write", scope="mine"))]
ReportId = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,36}$")]
Version = Annotated[int | None, Query(ge=1)]
_FILES: dict[int | str, dict[str, Any]] = {200: {"content": {one: {} for one in MEDIA_TYPES.values()}}}


@router.get("")
async def list_all(request: Request, reader: Reader) -> ReportList:
    """List the standard set, then the reports that one may see."""
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        rows = await list_reports(connection, faces.tenant_id)
    standard = [
        _row(
            reader, OpenedReport(report_id=one.report_id, name=one.name, version=1, definition=one.definition)
        )
        for one in STANDARD.values()
    ]
    reach: Reach = request.state.reach
    saved = [
        _row(
            reader,
            OpenedReport(
                report_id=str(row.report_id),
                name=row.display_name,
                version=row.version,
                definition=kept(row.definition),
                row=row,
            ),
        )
        for row in rows
        if _sees(reader, reach, row)
    ]
    return ReportList(reports=[*standard, *saved])


@router.post("", status_code=201)
async def make(request: Request, body: ReportBody, writer: Writer) -> ReportShown:
    """Make a report of one's own; nobody else sees it until it is shared."""
    faces = state_of(request).faces
    try:
        async with faces.database.transaction(faces.tenant_id) as connection:
            report_id = await make_report(
                connection,
                faces.tenant_id,
                name=body.name,
                definition=body.definition,
                owner=owner_of(writer),
                owner_name=_called(writer),
            )
    except ReportsFull:
        raise ApiError(409, "too_many_reports", "delete reports that nobody needs any more") from None
    return _shown(writer, await _opened(request, writer, str(report_id)))


@router.get("/{report_id}")
async def show(request: Request, report_id: ReportId, reader: Reader, version: Version = None) -> ReportShown:
    """Show a report as its newest version says, or an older one, and all its versions."""
    return _shown(reader, await _opened(request, reader, report_id, version))


@router.get("/{report_id}/run")
async def run(request: Request, report_id: ReportId, reader: Reader, version: Version = None) -> ReportRun:
    """Compute a report from the log as it is now, by its newest version or an older one."""
    opened = await _opened(request, reader, report_id, version)
    table = await _computed(request, opened.definition)
    return ReportRun(
        report_id=report_id,
        name=opened.name,
        version=opened.version,
        definition=opened.definition,
        first=table.asked.first,
        last=table.asked.last,
        table=shown(table),
    )


@router.get("/{report_id}/export.{file_format}", response_class=Response, responses=_FILES)
async def export(
    request: Request,
    report_id: ReportId,
    file_format: FileFormat,
    reader: Reader,
    version: Version = None,
    language: Language = "en",
) -> Response:
    """Give a report as CSV, Excel workbook or PDF: the columns and the order that the page shows."""
    opened = await _opened(request, reader, report_id, version)
    table = await _computed(request, opened.definition)
    body = await file_of(
        table, opened.definition.shape, file_format, title=opened.named(language), language=language
    )
    name = file_name(opened.name, table.asked.first, table.asked.last, file_format)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA_TYPES[file_format], headers=headers)


@router.put("/{report_id}")
async def save(request: Request, report_id: ReportId, body: SavedReportBody, writer: Writer) -> ReportShown:
    """Save a report as its next version; the older ones stay and can be run."""
    known_id = await _own(request, writer, report_id)
    faces = state_of(request).faces
    try:
        async with faces.database.transaction(faces.tenant_id) as connection:
            await save_report(
                connection,
                faces.tenant_id,
                known_id,
                name=body.name,
                definition=body.definition,
                base_version=body.base_version,
                made_by=_called(writer),
            )
    except ReportChanged:
        raise ApiError(409, "report_changed", "open the report again: somebody saved it meanwhile") from None
    except ReportsFull:
        raise ApiError(409, "too_many_reports", "save it as a new report") from None
    return _shown(writer, await _opened(request, writer, report_id))


@router.put("/{report_id}/sharing")
async def share(request: Request, report_id: ReportId, body: SharingBody, writer: Writer) -> ReportShown:
    """Share a report with roles, teams or all, or with nobody any more."""
    known_id = await _own(request, writer, report_id)
    faces = state_of(request).faces
    whom = sorted(set(body.shared_with)) if body.sharing in (Sharing.ROLES, Sharing.TEAMS) else []
    async with faces.database.transaction(faces.tenant_id) as connection:
        await share_report(connection, faces.tenant_id, known_id, body.sharing, whom)
    return _shown(writer, await _opened(request, writer, report_id))


@router.delete("/{report_id}", status_code=204)
async def delete(request: Request, report_id: ReportId, writer: Writer) -> None:
    """Delete a report; it can be brought back."""
    known_id = await _own(request, writer, report_id)
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        await set_deleted(connection, faces.tenant_id, known_id, deleted=True)


@router.post("/{report_id}/restore")
async def restore(request: Request, report_id: ReportId, writer: Writer) -> ReportShown:
    """Bring a deleted report back, with all its versions."""
    known_id = await _own(request, writer, report_id, deleted=True)
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        await set_deleted(connection, faces.tenant_id, known_id, deleted=False)
    return _shown(writer, await _opened(request, writer, report_id))


# ---------------------------------------------------------------- what the routes share


async def _opened(
    request: Request, principal: Principal, report_id: str, version: int | None = None
) -> OpenedReport:
    """The report, if it may be seen; what may not is not there."""
    faces = state_of(request).faces
    opened = await open_report(faces.database, faces.tenant_id, report_id, version)
    reach = reach_of(principal.role, "report.read")
    if opened is None or reach is None or not (opened.row is None or _sees(principal, reach, opened.row)):
        raise ApiError(404, "unknown_report", "there is no such report, or none that you may see")
    return opened


async def _own(request: Request, writer: Principal, report_id: str, *, deleted: bool = False) -> UUID:
    """The id of a report that may be changed."""
    if report_id in STANDARD:
        raise ApiError(409, "standard_report", "save it as a report of your own")
    faces = state_of(request).faces
    try:
        known_id = UUID(report_id)
    except ValueError:
        raise ApiError(404, "unknown_report", "there is no such report") from None
    async with faces.database.transaction(faces.tenant_id) as connection:
        row = await report_of(connection, faces.tenant_id, known_id, deleted=deleted)
    reach = reach_of(writer.role, "report.read")
    if row is None or reach is None or not _sees(writer, reach, row):
        raise ApiError(404, "unknown_report", "there is no such report, or none that you may see")
    if not may_change(writer, reach_of(writer.role, "report.write"), owner=row.owner):
        raise ApiError(403, "not_your_report", "save it as a report of your own")
    return known_id


async def _computed(request: Request, definition: ReportDefinition) -> FiguresTable:
    faces = state_of(request).faces
    try:
        return await run_report(faces.database, faces.tenant_id, definition, datetime.now(UTC))
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None


def _sees(principal: Principal, reach: Reach, row: Row[Any]) -> bool:
    return is_seen(
        principal, reach, owner=row.owner, sharing=Sharing(row.sharing), shared_with=row.shared_with
    )


def _called(principal: Principal) -> str:
    return principal.display_name or principal.name


def _row(principal: Principal, opened: OpenedReport) -> ReportRow:
    row = opened.row
    owner = "" if row is None else row.owner
    return ReportRow(
        report_id=opened.report_id,
        name=opened.name,
        version=opened.version,
        definition=opened.definition,
        is_standard=row is None,
        is_own=owner == owner_of(principal),
        may_write=row is not None
        and may_change(principal, reach_of(principal.role, "report.write"), owner=owner),
        owner_name="" if row is None else row.owner_name,
        sharing=Sharing.ALL if row is None else Sharing(row.sharing),
        shared_with=[] if row is None else row.shared_with,
        changed_at=None if row is None else row.changed_at,
    )


def _shown(principal: Principal, opened: OpenedReport) -> ReportShown:
    versions = [
        ReportVersion(
            version=one.version,
            name=one.display_name,
            made_by=one.made_by,
            made_at=one.made_at,
            definition=kept(one.definition),
        )
        for one in opened.versions
    ]
    return ReportShown(**_row(principal, opened).model_dump(), versions=versions)

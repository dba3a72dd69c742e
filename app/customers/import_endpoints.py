"""Lists of customers come in: uploaded, mapped, looked at, imported, and taken back again.

The upload is streamed to a file and read by a process of its own; looking and importing are jobs.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse

from app.auth.gate import may
from app.auth.principal import Principal
from app.customers.import_mapping import column_of, problems_of
from app.customers.import_records import (
    ImportState,
    advance,
    import_of,
    list_imports,
    make_import,
    refused_path,
    rows_path,
    set_import,
)
from app.customers.import_schemas import ImportList, ImportPage, MappingBody, import_page, import_row
from app.customers.reading import custom_fields
from app.customers.schemas import Line
from app.customers.web import number_plan, queue_job, tenants
from app.db.ids import new_id
from app.http.errors import ApiError
from app.http.state import state_of

READ_MAX_S: Final = 120.0
READERS_MAX: Final = 2
"""Lists that are read at once; a third waits."""
_readers = asyncio.Semaphore(READERS_MAX)
_CHECKOUT = Path(__file__).resolve().parents[2]

router = APIRouter(prefix="/parties/imports", tags=["customers"])

Importer = Annotated[Principal, Depends(may("party.import", scope="mine"))]
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=201, openapi_extra=_BODY)
async def upload(
    request: Request, principal: Importer, name: Annotated[Line, Query(max_length=200)] = ""
) -> ImportPage:
    """Upload a list: CSV in any usual encoding, XLSX, XLS or ODS; the body is the file, at most 64 MB."""
    import_id = new_id()
    data_dir = state_of(request).settings.data_dir
    rows_file = rows_path(data_dir, import_id)
    rows_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    upload_file = rows_file.with_suffix(".upload")
    upload_file.touch(mode=0o600)
    rows_file.touch(mode=0o600)
    is_read = False
    try:
        with upload_file.open("wb") as out:
            async for part in request.stream():
                await asyncio.to_thread(out.write, part)
        told = await _read(upload_file, rows_file)
        async with tenants(request) as (connection, tenant_id):
            await make_import(
                connection,
                tenant_id,
                import_id,
                file_name=name,
                source=told,
                row_count=told.pop("row_count"),
                made_by=principal.name,
            )
            page = await _page(connection, tenant_id, import_id)
        is_read = True
        return page
    finally:
        upload_file.unlink(missing_ok=True)
        if not is_read:
            rows_file.unlink(missing_ok=True)


@router.get("")
async def list_all(request: Request, _principal: Importer) -> ImportList:
    """List the last imports."""
    async with tenants(request) as (connection, tenant_id):
        rows = await list_imports(connection, tenant_id)
    return ImportList(imports=[import_row(row) for row in rows])


@router.get("/{import_id:uuid}")
async def show(request: Request, _principal: Importer, import_id: UUID) -> ImportPage:
    """Show an import: its columns, its preview once looked at, what it did."""
    async with tenants(request) as (connection, tenant_id):
        return await _page(connection, tenant_id, import_id)


@router.put("/{import_id:uuid}/mapping")
async def look(request: Request, principal: Importer, import_id: UUID, body: MappingBody) -> ImportPage:
    """Say what the columns mean; a job looks at every row, and the preview stands in the import after it."""
    region, area_code = number_plan(request)
    plan = body.model_dump()
    plan["region"] = body.region or region
    plan["area_code"] = area_code if body.area_code is None else body.area_code
    async with tenants(request) as (connection, tenant_id):
        allowed: tuple[ImportState, ...] = ("read", "previewed")
        row = await advance(connection, tenant_id, import_id, allowed=allowed)
        wrong = problems_of([column_of(each) for each in plan["columns"]], len(row.source["columns"]))
        if wrong:
            raise ApiError(422, wrong, "this mapping cannot be used")
        given = {"import_id": str(import_id)}
        job_id = await queue_job(
            request, connection, tenant_id, "party_import_preview", given, made_by=principal.name
        )
        await set_import(
            connection, tenant_id, import_id, state="previewing", plan=plan, preview={}, job_id=job_id
        )
        return await _page(connection, tenant_id, import_id)


@router.post("/{import_id:uuid}/start", status_code=202)
async def start(request: Request, principal: Importer, import_id: UUID) -> ImportPage:
    """Import the list as it was looked at."""
    return await _begin(request, principal, import_id, "party_import", "running", ("previewed",))


@router.post("/{import_id:uuid}/undo", status_code=202)
async def undo(request: Request, principal: Importer, import_id: UUID) -> ImportPage:
    """Take the import back, where nobody has built on it since."""
    allowed: tuple[ImportState, ...] = ("done", "cancelled", "failed")
    return await _begin(request, principal, import_id, "party_import_undo", "undoing", allowed)


@router.get("/{import_id:uuid}/refused.csv", response_class=Response)
async def refused(request: Request, _principal: Importer, import_id: UUID) -> FileResponse:
    """Fetch the rows that were refused, with the reasons, ready to be mended and sent again."""
    async with tenants(request) as (connection, tenant_id):
        row = await import_of(connection, tenant_id, import_id)
    path = refused_path(state_of(request).settings.data_dir, import_id)
    if not path.is_file():
        if (row.counts or {}).get("refused"):
            raise ApiError(404, "import_refused_gone", "the file was removed")
        raise ApiError(404, "import_nothing_refused", "there is no such file")
    return FileResponse(path, media_type="text/csv; charset=utf-8", filename="refused.csv")


# ---------------------------------------------------------------- inside


async def _begin(
    request: Request,
    principal: Principal,
    import_id: UUID,
    kind: str,
    state: ImportState,
    allowed: tuple[ImportState, ...],
) -> ImportPage:
    async with tenants(request) as (connection, tenant_id):
        await advance(connection, tenant_id, import_id, allowed=allowed)
        given = {"import_id": str(import_id)}
        job_id = await queue_job(request, connection, tenant_id, kind, given, made_by=principal.name)
        await set_import(connection, tenant_id, import_id, state=state, job_id=job_id)
        return await _page(connection, tenant_id, import_id)


async def _page(connection: Any, tenant_id: Any, import_id: UUID) -> ImportPage:
    row = await import_of(connection, tenant_id, import_id)
    fields = {each["field_id"]: each["display_name"] for each in await custom_fields(connection, tenant_id)}
    return import_page(row, fields)


async def _read(source: Path, target: Path) -> dict[str, Any]:
    """Let the reader's process read the file.

    Raises:
        ApiError: 422 with its reason.
    """
    async with _readers:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "app.customers.import_files",
            str(source),
            str(target),
            stdout=asyncio.subprocess.PIPE,
            cwd=_CHECKOUT,
        )
        try:
            async with asyncio.timeout(READ_MAX_S):
                said, _ = await process.communicate()
        except TimeoutError:
            raise ApiError(422, "import_too_large", "it takes too long to read") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode != 0 or not said:
        raise ApiError(422, "import_unreadable", "the file cannot be read")
    told: dict[str, Any] = orjson.loads(said)
    if "error_id" in told:
        raise ApiError(422, told["error_id"], "the file cannot be read")
    return told

"""The job ``party_export``: a file of customers, CSV for everything or XLSX for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from uuid import UUID

import xlsxwriter
from sqlalchemy import func, select

from app.customers.export_rows import ExportRows, csv_lines
from app.db import tables
from app.jobs.rules import JobCancelled
from app.jobs.work import Work

XLSX_ROWS_MAX: Final = 1_000_000  # what a sheet holds is little more
FORMATS: Final = ("csv", "xlsx")
_BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet reads UTF-8 as something else


def export_path(data_dir: Path, job_id: UUID, form: str) -> Path:
    """Return where the file of a job lies."""
    assert form in FORMATS
    return data_dir / "exports" / f"{job_id}.{form}"


async def run(work: Work) -> dict[str, Any]:
    """Write the file; nothing is left of it when the job is cancelled."""
    form = str(work.input["format"])
    target = export_path(work.data_dir, work.job_id, form)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = ExportRows(
        work.database,
        work.tenant_id,
        words=str(work.input.get("words", "")),
        region=work.region,
        area_code=work.area_code,
    )
    party = tables.party.c
    async with work.database.transaction(work.tenant_id) as connection:
        total = (
            await connection.execute(select(func.count()).where(party.tenant_id == work.tenant_id))
        ).scalar_one()
    partial = target.with_suffix(".partial")
    partial.touch(mode=0o600)
    try:
        count = await (_as_csv if form == "csv" else _as_xlsx)(work, rows, partial, total)
    except JobCancelled:
        partial.unlink(missing_ok=True)
        raise
    partial.rename(target)
    return {"row_count": count, "format": form, "byte_count": target.stat().st_size}


async def _as_csv(work: Work, rows: ExportRows, target: Path, total: int) -> int:
    count = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        out.write(_BYTE_ORDER_MARK + csv_lines([await rows.header()]))
        async for batch in rows.batches():
            out.write(csv_lines(batch))
            count += len(batch)
            await work.report(count, total)
    return count


async def _as_xlsx(work: Work, rows: ExportRows, target: Path, total: int) -> int:
    count = 0
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = xlsxwriter.Workbook(str(target), options)
    try:
        sheet = workbook.add_worksheet("customers")
        sheet.freeze_panes(1, 0)
        for at, name in enumerate(await rows.header()):
            sheet.write_string(0, at, name, workbook.add_format({"bold": True}))
        async for batch in rows.batches():
            for row in batch[: XLSX_ROWS_MAX - count]:
                count += 1
                for at, cell in enumerate(row):
                    sheet.write_string(count, at, cell)
            await work.report(count, total)
    finally:
        workbook.close()
    return count

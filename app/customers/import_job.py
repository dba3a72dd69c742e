"""The job ``party_import``: batch by batch, each with its count, so that a stop says what was done."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert as upsert

from app.csv_safety import neutral
from app.customers.import_batches import Plan, batches_of, decided, parts_of, write
from app.customers.import_choices import count
from app.customers.import_mapping import column_of
from app.customers.import_records import import_of, refused_path, rows_path, set_import
from app.db import tables
from app.jobs.rules import JobCancelled, JobFailed
from app.jobs.work import Work

_COUNTED = {
    "refuse": "refused",
    "skip_existing": "skipped_existing",
    "skip_in_file": "skipped_in_file",
}


def plan_of(given: Mapping[str, Any]) -> Plan:
    """Return the plan that was stored with an import."""
    return Plan(
        columns=[column_of(each) for each in given["columns"]],
        on_duplicate=given["on_duplicate"],
        has_header=given["has_header"],
        region=given["region"],
        area_code=given["area_code"],
    )


async def run(work: Work) -> dict[str, Any]:
    """Import the list.

    Raises:
        JobFailed: its rows are gone.
        JobCancelled: with the counts of what was done until then.
    """
    import_id = UUID(work.input["import_id"])
    rows_file = rows_path(work.data_dir, import_id)
    if not rows_file.is_file():
        raise JobFailed("import_rows_gone")
    async with work.database.transaction(work.tenant_id) as connection:
        row = await import_of(connection, work.tenant_id, import_id)
        plan = plan_of(row.plan)
        await _make_fields(work, connection, row.plan)
    counts = dict.fromkeys(("created", "updated", "unchanged", *_COUNTED.values(), "blank"), 0)
    refused = refused_path(work.data_dir, import_id)
    refused.touch(mode=0o600)
    header = [neutral(each["header"]) for each in row.source["columns"]]
    state, done = "cancelled", 0
    try:
        with refused.open("w", encoding="utf-8-sig", newline="") as out:
            sheet = csv.writer(out)
            sheet.writerow([*header, "row", "problems"])
            for cells, rows in batches_of(rows_file, plan):
                raw = dict(cells)
                counts["blank"] += len(cells) - len(rows)
                for part in parts_of(rows):
                    async with work.database.transaction(work.tenant_id) as connection:
                        decisions = await decided(connection, work.tenant_id, part, plan)
                        made = await write(
                            connection,
                            work.tenant_id,
                            import_id,
                            decisions,
                            region=plan.region,
                            author=work.made_by,
                        )
                        for name, number in made.items():
                            counts[name] += number
                        for action, number in count(decisions).items():
                            if action in _COUNTED:
                                counts[_COUNTED[action]] += number
                        await set_import(
                            connection,
                            work.tenant_id,
                            import_id,
                            counts=counts,
                            done_row_count=part[-1].ordinal + 1,
                        )
                    for each in decisions:
                        if each.problems:
                            words = "; ".join(problem.problem for problem in each.problems)
                            row_cells = [neutral(cell) for cell in raw[each.row.ordinal]]
                            row_cells += [""] * (len(header) - len(row_cells))
                            sheet.writerow([*row_cells, each.row.ordinal + 1, words])
                done += len(cells)
                await work.report(done, row.row_count)
        state = "done"
    except JobCancelled:
        raise JobCancelled({"counts": counts, "done_row_count": done}) from None
    finally:
        async with work.database.transaction(work.tenant_id) as connection:
            await set_import(
                connection, work.tenant_id, import_id, state=state, ended_at=func.now(), counts=counts
            )
    rows_file.unlink(missing_ok=True)
    return {"counts": counts, "done_row_count": done}


async def _make_fields(work: Work, connection: Any, given: Mapping[str, Any]) -> None:
    """Columns that became custom fields need their definition; one that is there stays."""
    made = [
        {
            "tenant_id": work.tenant_id,
            "field_id": each["field_id"],
            "display_name": each.get("field_name") or each["field_id"],
        }
        for each in given["columns"]
        if each["target"] == "custom"
    ]
    if made:
        await connection.execute(upsert(tables.custom_field).on_conflict_do_nothing(), made)

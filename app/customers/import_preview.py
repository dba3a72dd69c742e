"""The job ``party_import_preview``: what an import would do, row by row, without doing it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from app.customers.import_batches import batches_of, decided, parts_of
from app.customers.import_choices import Decision, count
from app.customers.import_job import plan_of
from app.customers.import_records import import_of, rows_path, set_import
from app.jobs.rules import JobFailed
from app.jobs.work import Work

SHOWN_ROWS: Final = 20
SHOWN_PROBLEMS: Final = 50


async def run(work: Work) -> dict[str, Any]:
    """Look at every row; keep the counts, the first rows and the first problems with the import.

    Raises:
        JobFailed: its rows are gone.
    """
    import_id = UUID(work.input["import_id"])
    async with work.database.transaction(work.tenant_id) as connection:
        row = await import_of(connection, work.tenant_id, import_id)
    if not rows_path(work.data_dir, import_id).is_file():
        raise JobFailed("import_rows_gone")
    plan = plan_of(row.plan)
    counts: dict[str, int] = {}
    shown: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    done = 0
    for cells, rows in batches_of(rows_path(work.data_dir, import_id), plan):
        counts["blank"] = counts.get("blank", 0) + len(cells) - len(rows)
        raw = dict(cells)
        async with work.database.transaction(work.tenant_id) as connection:
            for part in parts_of(rows):
                decisions = [
                    _foreseen(each, plan.on_duplicate)
                    for each in await decided(connection, work.tenant_id, part, plan)
                ]
                for action, number in count(decisions).items():
                    counts[action] = counts.get(action, 0) + number
                safe = sum(each.neutralised for each in part)
                counts["neutralised"] = counts.get("neutralised", 0) + safe
                shown += [_shown(each) for each in decisions[: SHOWN_ROWS - len(shown)]]
                refused = [each for each in decisions if each.problems]
                room = SHOWN_PROBLEMS - len(problems)
                problems += [_problem(each, raw[each.row.ordinal]) for each in refused[:room]]
        done += len(cells)
        await work.report(done, row.row_count)
    preview = {"counts": counts, "rows": shown, "problems": problems}
    async with work.database.transaction(work.tenant_id) as connection:
        await set_import(connection, work.tenant_id, import_id, state="previewed", preview=preview)
    return {"counts": counts}


def _foreseen(decision: Decision, on_duplicate: str) -> Decision:
    """By the time a second row of somebody new comes, the first has made the party."""
    if on_duplicate == "update" and decision.action == "skip_in_file" and decision.party_id is None:
        return replace(decision, action="update")
    return decision


def _shown(decision: Decision) -> dict[str, Any]:
    row = decision.row
    return {
        "row": row.ordinal,
        "action": decision.action,
        "party_id": str(decision.party_id) if decision.party_id else None,
        "display_name": row.display_name,
        "kind": row.kind,
        "language": row.language,
        "external_ref": row.external_ref,
        "custom": dict(row.custom),
        "numbers": [each.normal for each, _ in row.identifiers],
        "note": row.note,
        "problems": [{"column": each.column, "problem": each.problem} for each in decision.problems],
    }


def _problem(decision: Decision, cells: list[str]) -> dict[str, Any]:
    first = decision.problems[0]
    cell = cells[first.column] if first.column is not None and first.column < len(cells) else ""
    return {
        "row": decision.row.ordinal,
        "column": first.column,
        "problem": first.problem,
        "cell": cell[:200],
    }

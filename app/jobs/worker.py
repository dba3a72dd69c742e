"""``python -m app.jobs.worker``: does one job in a process of its own, so that no page waits for it.

What it needs comes as one line of JSON on the standard input, because a database's password stands on no
command line. The pipe stays open for as long as the server lives; its end is the end of the worker.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path
from uuid import UUID

import orjson
import structlog
from sqlalchemy import Row

from app.db.session import Database, TenantId
from app.jobs.queries import begin_job, end_job, hold_job
from app.jobs.registry import function_of
from app.jobs.rules import JobCancelled, JobFailed
from app.jobs.work import Work

log = structlog.get_logger()

NICENESS = 10
_CONNECTIONS_MAX = 4


def main() -> None:
    """Do the job that the standard input names."""
    import app.job_kinds  # noqa: F401 - registers every kind; it imports this package

    os.nice(NICENESS)
    asked = orjson.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    asyncio.run(
        do_job(
            Database(asked["database_url"], connections_max=_CONNECTIONS_MAX),
            TenantId(asked["tenant"]),
            UUID(asked["job_id"]),
            data_dir=Path(asked["data_dir"]),
            region=asked["region"],
            area_code=asked["area_code"],
        )
    )


async def do_job(
    database: Database,
    tenant_id: TenantId,
    job_id: UUID,
    *,
    data_dir: Path,
    region: str = "",
    area_code: str = "",
) -> None:
    """Take the job, do it, write down what came of it. Nothing happens when it waits no more."""
    try:
        async with database.engine.connect() as lock:
            await lock.execution_options(isolation_level="AUTOCOMMIT")
            if not await hold_job(lock, job_id):
                return
            async with database.transaction(tenant_id) as connection:
                row = await begin_job(connection, tenant_id, job_id)
            if row is not None:
                work = Work(
                    job_id=job_id,
                    database=database,
                    tenant_id=tenant_id,
                    data_dir=data_dir,
                    input=row.input,
                    made_by=row.made_by,
                    region=region,
                    area_code=area_code,
                )
                await _do(work, row)
    finally:
        await database.close()


async def _do(work: Work, row: Row[tuple[object, ...]]) -> None:
    try:
        result = await function_of(row.kind)(work)
    except JobCancelled as cancelled:
        ended = {"state": "cancelled", "result": cancelled.result}
    except JobFailed as failed:
        ended = {"state": "failed", "error_id": failed.error_id, "error_params": failed.params}
    except Exception as error:  # the guard of this one job's task
        log.exception("a job failed", kind=row.kind)
        ended = {"state": "failed", "error_id": "job_broke", "error_params": {"type": type(error).__name__}}
    else:
        ended = {"state": "done", "result": result}
    async with work.database.transaction(work.tenant_id) as connection:
        await end_job(connection, work.tenant_id, work.job_id, **ended)  # type: ignore[arg-type]


def _end_with_the_server() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)  # its transaction rolls back, and whoever looks finds the job's lock free


if __name__ == "__main__":
    main()

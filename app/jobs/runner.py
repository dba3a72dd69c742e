"""Starts workers for waiting jobs, a few at once, and fails the jobs of those that died."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import Database, TenantId
from app.jobs.queries import end_job, fail_dead_jobs, queued_jobs
from app.jobs.rules import JOBS_AT_ONCE_MAX

log = structlog.get_logger()

LOOK_EVERY_S: Final = 1.0
_LEAVE_MAX_S: Final = 5.0
_CHECKOUT = Path(__file__).resolve().parents[2]


class JobRunner:
    """The workers of one server.

    Args:
        database: Its URL is handed to each worker.
        data_dir: Where jobs keep their files.
    """

    def __init__(
        self, database: Database, tenant_id: TenantId, data_dir: Path, *, region: str, area_code: str
    ) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._asked = {
            "tenant": tenant_id,
            "data_dir": str(data_dir.resolve()),
            "region": region,
            "area_code": area_code,
        }
        self._woken = asyncio.Event()
        self._workers: dict[UUID, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look now: a job was queued."""
        self._woken.set()

    async def run(self) -> None:
        """Start workers as jobs come. Runs until cancelled, then ends the workers."""
        try:
            while True:
                try:
                    await self._look()
                except (OSError, SQLAlchemyError) as error:
                    log.warning("jobs wait for the database", error=type(error).__name__)
                try:
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._woken.wait()
                except TimeoutError:
                    pass
                self._woken.clear()
        finally:
            workers = list(self._workers.values())
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _look(self) -> None:
        async with self._database.transaction(self._tenant_id) as connection:
            if not self._workers:
                await fail_dead_jobs(connection, self._tenant_id)
            waiting = await queued_jobs(connection, self._tenant_id, JOBS_AT_ONCE_MAX)
        for job_id in waiting:
            if len(self._workers) < JOBS_AT_ONCE_MAX and job_id not in self._workers:
                worker = asyncio.create_task(self._work(job_id))
                self._workers[job_id] = worker
                worker.add_done_callback(lambda _, job_id=job_id: self._left(job_id))  # type: ignore[misc]

    def _left(self, job_id: UUID) -> None:
        self._workers.pop(job_id, None)
        self._woken.set()

    async def _work(self, job_id: UUID) -> None:
        url = self._database.engine.url.render_as_string(hide_password=False)
        asked = orjson.dumps({**self._asked, "job_id": str(job_id), "database_url": url})
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "app.jobs.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": _path()},
        )
        try:
            assert process.stdin is not None
            process.stdin.write(asked + b"\n")
            status = await process.wait()
            if status != 0:
                await self._fail(job_id)
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    async with asyncio.timeout(_LEAVE_MAX_S):
                        await process.wait()
                except TimeoutError:
                    process.kill()
                    await process.wait()

    async def _fail(self, job_id: UUID) -> None:
        try:
            async with self._database.transaction(self._tenant_id) as connection:
                await end_job(connection, self._tenant_id, job_id, "failed", error_id="job_worker_died")
        except (OSError, SQLAlchemyError) as error:
            log.warning("a job whose worker died is failed later", error=type(error).__name__)


def _path() -> str:
    """A worker finds the package where the server found it, whatever its working directory."""
    return os.pathsep.join(part for part in (str(_CHECKOUT), os.environ.get("PYTHONPATH", "")) if part)

"""Jobs: done, failed, cancelled between reports; a dead worker's job is failed at the next look."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.auth.permissions import Role, reach_of
from app.db.session import DEFAULT_TENANT, Database
from app.jobs.queries import (
    QUEUED_MAX,
    JobsFull,
    begin_job,
    cancel_job,
    hold_job,
    job_of,
    make_job,
)
from app.jobs.registry import register
from app.jobs.rules import ENDED
from app.jobs.runner import JobRunner
from app.jobs.worker import do_job
from tests.app.customers.serving import customers_served

pytestmark = pytest.mark.db

register("test_count", "tests.app.jobs.kinds:count")
register("test_refuse", "tests.app.jobs.kinds:refuse")
register("test_break", "tests.app.jobs.kinds:break_down")


async def _made(database: Database, kind: str, **given: Any) -> UUID:
    async with database.transaction(DEFAULT_TENANT) as connection:
        return await make_job(connection, DEFAULT_TENANT, kind, given, made_by="mei")


async def _seen(database: Database, job_id: UUID) -> Any:
    async with database.transaction(DEFAULT_TENANT) as connection:
        return await job_of(connection, DEFAULT_TENANT, job_id)


async def _until(database: Database, job_id: UUID, is_so: Callable[[Any], bool]) -> Any:
    for _ in range(600):
        seen = await _seen(database, job_id)
        if is_so(seen):
            return seen
        await asyncio.sleep(0.1)
    raise AssertionError(f"the job is still {seen.state}")


def _worker() -> int:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [
        int(child) for child in children if b"app.jobs.worker" in Path(f"/proc/{child}/cmdline").read_bytes()
    ][-1]  # an earlier one may be about to leave


async def _done(database: Database, job_id: UUID, data_dir: Path) -> Any:
    url = database.engine.url.render_as_string(hide_password=False)
    await do_job(Database(url, connections_max=4), DEFAULT_TENANT, job_id, data_dir=data_dir)
    return await _seen(database, job_id)


async def test_a_job_tells_what_came_of_it(database: Database, tmp_path: Path) -> None:
    done = await _done(database, await _made(database, "test_count", to=3), tmp_path)
    assert (done.state, done.result, done.done_count, done.total_count) == ("done", {"counted": 3}, 2, 3)
    refused = await _done(database, await _made(database, "test_refuse", why="x"), tmp_path)
    assert (refused.state, refused.error_id, refused.error_params) == ("failed", "no_good", {"why": "x"})
    broken = await _done(database, await _made(database, "test_break"), tmp_path)
    assert (broken.state, broken.error_id) == ("failed", "job_broke")
    assert broken.error_params == {"type": "ZeroDivisionError"}
    again = await _done(database, done.job_id, tmp_path)
    assert again.ended_at == done.ended_at


async def test_a_running_job_ends_between_two_reports(database: Database, tmp_path: Path) -> None:
    job_id = await _made(database, "test_count", to=10**6)
    working = asyncio.create_task(_done(database, job_id, tmp_path))
    async with asyncio.timeout(30):
        await _until(database, job_id, lambda seen: seen.done_count >= 3)
        async with database.transaction(DEFAULT_TENANT) as connection:
            asked = await cancel_job(connection, DEFAULT_TENANT, job_id)
        assert asked is not None
        ended = await working
    assert (asked.state, ended.state) == ("running", "cancelled")
    assert ended.result["counted"] >= 3


async def test_a_queued_job_is_cancelled_at_once(database: Database, tmp_path: Path) -> None:
    job_id = await _made(database, "test_count", to=3)
    async with database.transaction(DEFAULT_TENANT) as connection:
        cancelled = await cancel_job(connection, DEFAULT_TENANT, job_id)
    assert cancelled is not None
    assert cancelled.state == "cancelled"
    assert (await _done(database, job_id, tmp_path)).state == "cancelled"


async def test_a_job_whose_worker_died_is_failed_at_the_next_look(database: Database) -> None:
    job_id = await _made(database, "test_count", to=3)
    async with database.engine.connect() as worker:
        assert await hold_job(worker, job_id)
        async with database.transaction(DEFAULT_TENANT) as connection:
            await begin_job(connection, DEFAULT_TENANT, job_id)
        assert (await _seen(database, job_id)).state == "running"
        await worker.invalidate()
    seen = await _until(database, job_id, lambda seen: seen.state != "running")
    assert (seen.state, seen.error_id) == ("failed", "job_worker_died")


async def test_too_many_waiting_jobs_are_refused(database: Database) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        for _ in range(QUEUED_MAX):
            await make_job(connection, DEFAULT_TENANT, "test_count", {}, made_by="mei")
        with pytest.raises(JobsFull):
            await make_job(connection, DEFAULT_TENANT, "test_count", {}, made_by="mei")


async def test_the_runner_works_in_another_process_and_survives_its_death(
    database: Database, tmp_path: Path
) -> None:
    runner = JobRunner(database, DEFAULT_TENANT, tmp_path, region="TW", area_code="2")
    running = asyncio.create_task(runner.run())
    unknown = await _made(database, "test_count", to=1)  # the worker's own registry has no tests' kinds
    runner.wake()
    seen = await _until(database, unknown, lambda seen: seen.state in ENDED)
    assert (seen.error_id, seen.error_params) == ("job_broke", {"type": "KeyError"})
    export = await _made(database, "party_export", format="csv", words="")
    async with database.owner_transaction() as blocker:
        await blocker.execute(text("LOCK TABLE party IN ACCESS EXCLUSIVE MODE"))
        runner.wake()
        await _until(database, export, lambda seen: seen.state == "running")
        os.kill(_worker(), signal.SIGKILL)
        seen = await _until(database, export, lambda seen: seen.state != "running")
    assert (seen.state, seen.error_id) == ("failed", "job_worker_died")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_jobs_are_listed_and_cancelled_over_http(database: Database) -> None:
    job_ids = [str(await _made(database, "test_count", to=number)) for number in range(3)]
    async with customers_served(database) as client:
        first = (await client.get("/jobs", params={"limit": 2})).json()
        rest = (await client.get("/jobs", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert [job["job_id"] for job in first["jobs"] + rest["jobs"]] == job_ids[::-1]
        cancelled = (await client.post(f"/jobs/{job_ids[0]}/cancel")).json()
        assert (cancelled["state"], cancelled["progress"]) == ("cancelled", None)
        assert (await client.get(f"/jobs/{job_ids[1]}")).json()["state"] == "queued"
        assert (await client.get(f"/jobs/{UUID(int=1)}")).json()["error_id"] == "unknown_job"


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_reaches_jobs_as_the_table_says(database: Database, role: Role) -> None:
    async with customers_served(database, role=role) as client:
        may_read, may_write = reach_of(role, "job.read"), reach_of(role, "job.write")
        assert (await client.get("/jobs")).status_code == (200 if may_read else 403)
        cancelled = await client.post(f"/jobs/{UUID(int=1)}/cancel")
        assert cancelled.status_code == (404 if may_write else 403)

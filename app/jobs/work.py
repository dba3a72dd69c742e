"""What the function of a job works with: its input, its own database connections, and the report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.session import Database, TenantId
from app.jobs.rules import REPORT_EVERY_S, JobCancelled

_REPORT = text(
    "UPDATE job SET done_count = :done, total_count = coalesce(:total, total_count)"
    " WHERE tenant_id = :tenant_id AND job_id = :job_id RETURNING is_cancel_wanted"
)


class Work:
    """One running job.

    Attributes:
        input: As it was given with the job.
        data_dir: The server's data directory; a job keeps files in a folder of its subject there.
        region, area_code: By which numbers without them are read.
    """

    def __init__(
        self,
        *,
        job_id: UUID,
        database: Database,
        tenant_id: TenantId,
        data_dir: Path,
        input: Mapping[str, Any],
        made_by: str = "",
        region: str = "",
        area_code: str = "",
    ) -> None:
        self.job_id, self.database, self.tenant_id = job_id, database, tenant_id
        self.data_dir, self.input, self.made_by = data_dir, input, made_by
        self.region, self.area_code = region, area_code
        self._reported_s = 0.0

    async def report(self, done: int, total: int | None = None, *, at_once: bool = False) -> None:
        """Say how far the work is; call it between batches, as often as you like.

        At most two reports a second are written. Nothing of the caller's may be half done when it is
        called, because this is where a job that shall end ends.

        Args:
            at_once: Write it however recent the last one is.

        Raises:
            JobCancelled: somebody wants the job to end.
        """
        now_s = time.monotonic()
        if not at_once and now_s - self._reported_s < REPORT_EVERY_S:
            return
        self._reported_s = now_s
        values = {"done": done, "total": total, "tenant_id": self.tenant_id, "job_id": self.job_id}
        async with self.database.transaction(self.tenant_id) as connection:
            is_cancel_wanted = (await connection.execute(_REPORT, values)).scalar_one_or_none()
        if is_cancel_wanted is not False:
            raise JobCancelled

"""An import from its upload to its undoing, with the jobs done in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from app.db.session import DEFAULT_TENANT, Database
from app.jobs.worker import do_job


class Importing:
    """One list and one client."""

    def __init__(self, client: httpx2.AsyncClient, database: Database, data_dir: Path) -> None:
        self._client, self._database, self._data_dir = client, database, data_dir
        self.page: dict[str, Any] = {}

    async def upload(self, data: bytes, name: str = "list.csv") -> dict[str, Any]:
        """Upload; return the import."""
        answer = await self._client.post("/parties/imports", params={"name": name}, content=data)
        assert answer.status_code == 201, answer.text
        self.page = answer.json()
        return self.page

    async def look(self, on_duplicate: str = "skip", *targets: str) -> dict[str, Any]:
        """Map as suggested (or to *targets*), do the preview's job; return the preview."""
        columns = [column["suggested"] for column in self.page["columns"]]
        for column, target in zip(columns, targets, strict=False):
            word, _, field_id = target.partition(":")
            column.update(target=word, field_id=field_id)
        body = {"columns": columns, "on_duplicate": on_duplicate}
        answer = await self._client.put(f"{self.path}/mapping", json=body)
        assert answer.status_code == 200, answer.text
        await self.work(answer.json())
        assert self.page["state"] == "previewed"
        preview: dict[str, Any] = self.page["preview"]
        return preview

    async def start(self) -> dict[str, Any]:
        """Import; return the import."""
        return await self._step("start")

    async def undo(self) -> dict[str, Any]:
        """Undo; return the import."""
        return await self._step("undo")

    @property
    def path(self) -> str:
        """Where the import is."""
        return f"/parties/imports/{self.page['import_id']}"

    async def _step(self, word: str) -> dict[str, Any]:
        answer = await self._client.post(f"{self.path}/{word}")
        assert answer.status_code == 202, answer.text
        await self.work(answer.json())
        return self.page

    async def work(self, page: dict[str, Any]) -> None:
        """Do the import's last job, which ends well."""
        job = await self.worked(page)
        assert job["state"] in ("done", "cancelled"), job
        self.page = (await self._client.get(self.path)).json()

    async def worked(self, page: dict[str, Any]) -> dict[str, Any]:
        """Do the import's last job, as its worker would; return the job."""
        url = self._database.engine.url.render_as_string(hide_password=False)
        job_id = UUID(page["job_id"])
        await do_job(
            Database(url, connections_max=4),
            DEFAULT_TENANT,
            job_id,
            data_dir=self._data_dir,
            region="TW",
            area_code="2",
        )
        job: dict[str, Any] = (await self._client.get(f"/jobs/{job_id}")).json()
        return job

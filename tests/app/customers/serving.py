"""The customers' pages served on a real database, to one client for each role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2

import app.job_kinds  # noqa: F401 - the tests do the jobs themselves
from app.auth.keys import KeyRing
from app.auth.permissions import Role
from app.auth.principal import Principal
from app.db.session import DEFAULT_TENANT, Database
from app.settings import Settings
from routing.ids import AgentId, TeamId
from tests.app.http.web import SmallServer, app_of


class RoleRing(KeyRing):
    """The name of a role is its key: stands for sign-in."""

    def __init__(self) -> None:
        super().__init__(())

    def principal_of(self, key: str) -> Principal | None:
        """Return the principal of the role *key*."""
        if key not in set(Role):
            return None
        role = Role(key)
        return Principal(
            role=role,
            name=f"the {key}",
            agent_id=AgentId("a1001") if role is Role.AGENT else None,
            team_ids=frozenset({TeamId("day")}) if role is Role.SUPERVISOR else frozenset(),
        )


class Wakings:
    """A runner that only counts how often it was woken; the tests do the jobs themselves."""

    def __init__(self) -> None:
        self.count = 0

    def wake(self) -> None:
        """Count."""
        self.count += 1


@asynccontextmanager
async def customers_served(
    database: Database, data_dir: Path | None = None, role: str = "supervisor", **more: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve to a client that is *role* unless it says otherwise."""
    settings = Settings(area_code="2", **({"data_dir": data_dir} if data_dir else {}))
    server = SmallServer(settings=settings)
    server.faces = SimpleNamespace(settings=settings, database=database, tenant_id=DEFAULT_TENANT, **more)
    app = app_of(server)
    app.state.keys = RoleRing()
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://test/api/v1", headers={"Authorization": f"Bearer {role}"}
    ) as client:
        yield client

"""The parts behind the pages, built once for one running server: sessions, sockets, pops, phones, jobs.

They read the bus and the record and put signals into the inbox; none of them decides about a call.
Whoever adds a part builds it here and, when it has work of its own, names it in ``parts``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from app.db.session import Database, TenantId
from app.floor.live_floor import LiveFloor
from app.live.core import LiveCore
from app.settings import Settings


class Faces:
    """Everything that the web's endpoints ask besides inbox, floor and log.

    Args:
        database: The record; it may be away.
        core: The live core: its bus, clock and inbox are read, never its engine.
        floor: The live floor.
    """

    def __init__(
        self, settings: Settings, database: Database, tenant_id: TenantId, core: LiveCore, floor: LiveFloor
    ) -> None:
        self.settings = settings
        self.database, self.tenant_id = database, tenant_id
        self.core, self.floor = core, floor

    def parts(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Return what runs beside the core, by name; each begins again when it fails."""
        return {}

"""The desk as pages see it at once: drafts that were kept, and who an agent said was calling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog

from app.customers.identify_rules import late
from app.customers.numbers import parse_number
from app.db.session import Database, TenantId
from app.desk.agent_board import topic_of
from app.desk.clerk import AWAY
from app.desk.pop import chosen
from app.desk.pops import Pops
from app.desk.queries import read_drafts
from app.desk.topic_values import Draft
from app.sockets.rules import Json, Publisher
from routing.floor import Floor
from routing.ids import AgentId, InteractionId

log = structlog.get_logger()

RETRY_S: Final = 5.0


class LiveDesk:
    """``app.desk.news.DeskNews`` on the hub.

    Args:
        place_of: Region and area code of the trunk that brought a call.
    """

    def __init__(
        self,
        publisher: Publisher,
        pops: Pops,
        database: Database,
        tenant_id: TenantId,
        *,
        floor: Callable[[], Floor],
        place_of: Callable[[InteractionId], tuple[str, str]],
    ) -> None:
        self._publisher, self._pops = publisher, pops
        self._database, self._tenant_id = database, tenant_id
        self._floor, self._place_of = floor, place_of

    def draft_changed(self, agent_id: AgentId, interaction_id: InteractionId, draft: Draft | None) -> None:
        """Show a draft that was kept, on every page of the agent; None: it was said and dropped."""
        topic, key = topic_of(agent_id), f"draft/{interaction_id}"
        if draft is None:
            self._publisher.hide(topic, key)
        elif topic in self._publisher.names():
            self._publisher.show(topic, key, Json(draft.model_dump()))

    def party_linked(self, interaction_id: InteractionId, party_id: UUID | None, by: str) -> None:
        """Show who the agent said it is; what the look-up said is among the candidates still."""
        match = self._pops.match_of(interaction_id)
        if match is None:
            live = self._floor().interactions.get(interaction_id)
            number = live.caller_number if live else ""
            match = late(parse_number(number, *self._place_of(interaction_id)))
        self._pops.learn(interaction_id, chosen(match, party_id))

    async def run(self) -> None:
        """Show the drafts of an earlier life of the server. Returns never, for it is done once."""
        while True:
            try:
                async with self._database.transaction(self._tenant_id) as connection:
                    drafts = await read_drafts(connection, self._tenant_id)
            except AWAY as error:
                log.warning("drafts wait for the database", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
                continue
            for row in drafts:
                changed_ms = round(row.changed_at.timestamp() * 1000)
                draft = Draft(code=row.code, reason_id=row.reason_id, note=row.note, changed_ms=changed_ms)
                self.draft_changed(AgentId(row.agent_id), InteractionId(row.interaction_id), draft)
            await asyncio.Event().wait()

"""Agents' phones for one running server: the choices as rows, the passwords, the way to the PBX."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from app.auth.sessions import AWAY, Sessions
from app.db.session import Database, TenantId
from app.http.state import SignalInbox
from app.live.clock import Clock
from app.phones.passwords import Passwords
from app.phones.proxy import PhoneProxy
from app.phones.queries import load_phones
from app.phones.rules import ChosenPhone
from app.settings import PhoneSettings
from routing.ids import AgentId
from routing.phone_signals import PhoneChosen
from telephony.phones import web_endpoint, web_secret

RETRY_S: Final = 5.0
FOLLOW_EVERY_S: Final = 1.0

log = structlog.get_logger()


class Phones:
    """What the phones' endpoints ask.

    Args:
        agents: The agents that there are now.

    Attributes:
        passwords: What pages register with.
        proxy: None: the PBX's WebSocket is not configured, so that there are no browser phones.
    """

    def __init__(
        self,
        settings: PhoneSettings,
        *,
        database: Database,
        tenant_id: TenantId,
        inbox: SignalInbox,
        clock: Clock,
        sessions: Sessions,
        agents: Callable[[], Collection[AgentId]],
        registry: CollectorRegistry,
    ) -> None:
        self._database, self._tenant_id, self._inbox, self._clock = database, tenant_id, inbox, clock
        self._agents = agents
        self._secret = settings.secret.get_secret_value()
        self.passwords = Passwords(clock.now_ms)
        self.proxy: PhoneProxy | None = None
        if settings.websocket_url is not None and self._secret:
            self.proxy = PhoneProxy(
                settings.websocket_url,
                endpoint_of=lambda agent_id: (web_endpoint(agent_id), web_secret(self._secret, agent_id)),
                passwords_of=self.passwords.of,
                registry=registry,
            )
            sessions.watch(self.proxy.end_sessions)
        sessions.watch(self.passwords.end)

    async def run(self) -> None:
        """Tell the engine what agents chose before, at its start and of each agent who is added later.

        It may have begun without a memory of its own, and has none of who was not there. Never returns.
        """
        told = frozenset(self._agents())
        await self._tell(None)
        while True:
            now = frozenset(self._agents())
            if added := now - told:
                await self._tell(added)
            told = now
            await asyncio.sleep(FOLLOW_EVERY_S)

    async def _tell(self, agent_ids: Collection[AgentId] | None) -> None:
        """Tell the engine the choices of these agents; None: of everybody."""
        chosen = await self._load()
        for agent_id, phone in sorted(chosen.items()):
            if agent_ids is None or agent_id in agent_ids:
                await self._inbox.put(PhoneChosen(agent_id=agent_id, kind=phone.kind, device=phone.device))

    async def _load(self) -> Mapping[AgentId, ChosenPhone]:
        """Read the rows, however long the database is away."""
        while True:
            try:
                async with self._database.transaction(self._tenant_id) as connection:
                    return await load_phones(connection, self._tenant_id)
            except AWAY as error:
                log.warning("agents' phones are not known yet", problem=type(error).__name__)
                await asyncio.sleep(RETRY_S)

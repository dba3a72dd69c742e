"""Agents' phones for one running server: the choices as rows, the passwords, the way to the PBX."""

from __future__ import annotations

import asyncio
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
from app.settings import PhoneSettings
from routing.phone_signals import PhoneChosen
from telephony.phones import web_endpoint, web_secret

RETRY_S: Final = 5.0

log = structlog.get_logger()


class Phones:
    """What the phones' endpoints ask.

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
        registry: CollectorRegistry,
    ) -> None:
        self._database, self._tenant_id, self._inbox, self._clock = database, tenant_id, inbox, clock
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
        """Tell the engine once what agents chose before: it may have begun without a memory of its own."""
        while True:
            try:
                async with self._database.transaction(self._tenant_id) as connection:
                    chosen = await load_phones(connection, self._tenant_id)
                break
            except AWAY as error:
                log.warning("agents' phones are not known yet", problem=type(error).__name__)
                await asyncio.sleep(RETRY_S)
        for agent_id, phone in sorted(chosen.items()):
            await self._inbox.put(PhoneChosen(agent_id=agent_id, kind=phone.kind, device=phone.device))
        await asyncio.Event().wait()

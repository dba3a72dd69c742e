"""What the link's tests share: quick limits, a listener that notes everything, a link that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from telephony.ami.backoff import Backoff
from telephony.ami.codec import AmiMessage
from telephony.ami.errors import (
    AmiError,
)
from telephony.ami.link import AmiLink, LinkLimits, LinkState
from tests.telephony.ami.peer import Peer, event, message

QUICK = LinkLimits(
    connect_timeout_s=1.0,
    login_timeout_s=0.3,
    action_timeout_s=0.3,
    list_timeout_s=0.3,
    ping_every_s=0.05,
    ping_timeout_s=0.15,
    drain_timeout_s=1.0,
    denied_retry_s=0.2,
    ring_messages_max=100,
)


@dataclass
class Listener:
    """Everything the link told, in order."""

    told: list[str | AmiMessage] = field(default_factory=list)
    lost: list[AmiError] = field(default_factory=list)
    failed: list[AmiError] = field(default_factory=list)

    def on_message(self, heard: AmiMessage) -> None:
        self.told.append(heard)

    def on_connected(self) -> None:
        self.told.append("connected")

    def on_lost(self, reason: AmiError) -> None:
        self.told.append("lost")
        self.lost.append(reason)

    @property
    def names(self) -> list[str]:
        return [heard if isinstance(heard, str) else heard.name for heard in self.told]


def make_link(peer: Peer, listener: Listener, secret: str = "s3cret", limits: LinkLimits = QUICK) -> AmiLink:
    return AmiLink(
        "127.0.0.1",
        peer.port,
        "holdless",
        secret,
        events=True,
        on_message=listener.on_message,
        on_connected=listener.on_connected,
        on_lost=listener.on_lost,
        on_failed=listener.failed.append,
        limits=limits,
        backoff=Backoff(first_s=0.02, most_s=0.05),
    )


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - a bounded poll, of any condition
            await asyncio.sleep(0.002)


@asynccontextmanager
async def running(link: AmiLink) -> AsyncIterator[AmiLink]:
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert link.state is LinkState.STOPPED
        assert link.pending_count == 0


@asynccontextmanager
async def connected(peer: Peer, listener: Listener, limits: LinkLimits = QUICK) -> AsyncIterator[AmiLink]:
    async with peer, running(make_link(peer, listener, limits=limits)) as link:
        await until(lambda: link.connected and "connected" in listener.told)
        yield link


def success(action: AmiMessage, *pairs: tuple[str, str]) -> bytes:
    return message(("Response", "Success"), ("ActionID", action.get("ActionID", "")), *pairs)


def a_list(action: AmiMessage, *, between: bytes = b"") -> bytes:
    action_id = ("ActionID", action.get("ActionID", ""))
    return (
        success(action, ("EventList", "start"))
        + event("Status", action_id, ("Uniqueid", "1"))
        + between
        + event("Status", action_id, ("Uniqueid", "2"))
        + event("StatusComplete", action_id, ("EventList", "Complete"), ("ListItems", "2"))
    )

"""What waits on the database for the desks: who calls and what is known of them; pops' rows; calls of before.

Boxed in time and bounded: a pop goes out without it and is completed when it comes. While the database is
away the pop says so, and is tried again as long as its call goes on.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.identify_rules import Match, match
from app.customers.numbers import parse_number
from app.customers.queries import candidates
from app.db.session import Database, TenantId
from app.desk.cards import LoggedCall, logged_calls, party_cards
from app.desk.pop import Pop, party_ids_of
from app.desk.pop_rows import Key, close_others, open_pops, row_of, write_pops
from app.desk.pops import POPS_PER_EPOCH, Pops
from routing.ids import AgentId, InteractionId

CARD_BOX_S: Final = 2.0
RETRY_EVERY_S: Final = 2.0
AT_ONCE: Final = 8
UNWRITTEN_MAX: Final = 20_000
BATCH_ROWS: Final = 500
WRITE_EVERY_S: Final = 0.5
RECALL_EVERY_S: Final = 5.0
AWAY: Final = (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)

log = structlog.get_logger()


class DeskClerk:
    """``app.desk.pops.Clerk`` on PostgreSQL.

    Args:
        place_of: Region and area code of the trunk that brought a call.
        on_match: Told of a match that this had to make itself, to be kept with the call.
        on_calls: Told what the log knows of calls that were asked for with ``recall``.
    """

    def __init__(
        self,
        database: Database,
        tenant_id: TenantId,
        *,
        epoch: int,
        place_of: Callable[[InteractionId], tuple[str, str]],
        on_match: Callable[[str, Match], None],
        on_calls: Callable[[Mapping[InteractionId, LoggedCall]], None],
    ) -> None:
        self._database, self._tenant_id, self._epoch = database, tenant_id, epoch
        self._place_of, self._on_match, self._on_calls = place_of, on_match, on_calls
        self._pops: Pops | None = None
        self._unwritten: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._wanted: list[Key] = []
        self._recalled: dict[InteractionId, None] = {}
        self._incomplete: asyncio.Queue[int] = asyncio.Queue()
        self._asked = asyncio.Event()
        self._has_tidied = False
        self.dropped_count = 0

    def serve(self, pops: Pops) -> None:
        """Work for *pops* from now on."""
        self._pops = pops

    # ------------------------------------------------------------ asked

    def write(self, pop: Pop) -> None:
        """Store the pop as it is now, soon; the oldest waiting row gives way when too many wait."""
        self._unwritten.pop(pop.pop_id, None)
        self._unwritten[pop.pop_id] = row_of(pop)
        if len(self._unwritten) > UNWRITTEN_MAX:
            self._unwritten.popitem(last=False)
            self.dropped_count += 1

    def complete(self, pop: Pop) -> None:
        """Read who it is and what is known of them."""
        self._incomplete.put_nowait(pop.pop_id)

    def rebuild(self, wanted: Sequence[tuple[AgentId, InteractionId]]) -> None:
        """Look for pops of an earlier life of the server."""
        self._wanted = list(wanted)
        self._asked.set()

    def recall(self, interaction_id: InteractionId) -> None:
        """Read what the log knows of a call."""
        self._recalled[interaction_id] = None
        self._asked.set()

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Do what is asked, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_all())
            group.create_task(self._look_back())
            room = asyncio.Semaphore(AT_ONCE)
            while True:
                pop_id = await self._incomplete.get()
                await room.acquire()
                task = group.create_task(self._complete(pop_id))
                task.add_done_callback(lambda _done: room.release())

    async def flush(self) -> None:
        """Store what waits (at the stop).

        Raises:
            OSError, SQLAlchemyError: the database is away; the rows are lost with this life of the server.
        """
        while self._unwritten:
            await self._write_some()

    async def _write_all(self) -> None:
        is_away = False
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            try:
                while self._unwritten:
                    await self._write_some()
                is_away = False
            except AWAY as error:
                if not is_away:
                    log.warning("pops wait for the database", error=type(error).__name__)
                is_away = True

    async def _write_some(self) -> None:
        some = dict(list(self._unwritten.items())[:BATCH_ROWS])
        async with self._database.transaction(self._tenant_id) as connection:
            await write_pops(connection, self._tenant_id, list(some.values()))
        for pop_id, row in some.items():
            if self._unwritten.get(pop_id) is row:
                del self._unwritten[pop_id]

    async def _boxed(self, work: Callable[[AsyncConnection], Awaitable[None]]) -> bool:
        """Do *work* in one transaction within the box; False: the database is away."""
        try:
            async with (
                asyncio.timeout(CARD_BOX_S),
                self._database.transaction(self._tenant_id) as connection,
            ):
                await work(connection)
        except AWAY as error:
            log.info("the desk cannot read the record now", error=type(error).__name__)
            return False
        return True

    # ------------------------------------------------------------ who it is

    async def _complete(self, pop_id: int) -> None:
        """Complete one pop; an away database is tried again apart, so that others have their turn."""
        if not await self._completed(pop_id):
            asyncio.get_running_loop().call_later(RETRY_EVERY_S, self._try_again, pop_id)

    def _try_again(self, pop_id: int) -> None:
        pops = self._pops
        pop = pops.live(pop_id) if pops is not None else None
        if pop is not None and pop.record == "away":
            self._incomplete.put_nowait(pop_id)

    async def _completed(self, pop_id: int) -> bool:
        pops = self._pops
        assert pops is not None
        pop = pops.live(pop_id)
        if pop is None:
            return True
        found: Match | None = pop.match
        cards: dict[Any, Any] = {}

        async def read(connection: AsyncConnection) -> None:
            nonlocal found
            if found is None or found.outcome == "late":
                found = await self._identify(connection, pop)
            ids = party_ids_of(found)
            cards.update(await party_cards(connection, self._tenant_id, ids, but=pop.interaction_id))

        is_read = await self._boxed(read)
        pops.fill(pop_id, found if is_read else None, cards if is_read else None)
        return is_read

    async def _identify(self, connection: AsyncConnection, pop: Pop) -> Match:
        """Who it is when no look-up told in time: by the log, else by the number itself."""
        calls = await logged_calls(connection, self._tenant_id, [pop.interaction_id])
        logged = calls.get(pop.interaction_id)
        if logged is not None and logged.match is not None and logged.match.outcome != "late":
            return logged.match
        number = pop.number or (logged.caller_number if logged else "")
        region, area_code = self._place_of(pop.interaction_id)
        at = datetime.now(UTC)
        identifier = parse_number(number, region, area_code)
        rows = await candidates(connection, self._tenant_id, identifier, at)
        found = match(identifier, rows, at, pop.match.attestation if pop.match else "unknown")
        self._on_match(pop.interaction_id, found)
        return found

    # ------------------------------------------------------------ what was before

    async def _look_back(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            if self._wanted:
                await self._rebuild()
            if self._recalled:
                await self._recall()

    async def _rebuild(self) -> None:
        wanted, self._wanted = self._wanted, []
        found: dict[Key, Pop] = {}
        matches: dict[InteractionId, Match] = {}

        async def read(connection: AsyncConnection) -> None:
            found.update(await open_pops(connection, self._tenant_id, set(wanted)))
            calls = await logged_calls(connection, self._tenant_id, [call for _, call in wanted])
            for interaction_id, call in calls.items():
                if call.match is not None:
                    matches[interaction_id] = call.match
                for pop in found.values():
                    if pop.interaction_id == interaction_id:
                        pop.number = call.caller_number
            if not self._has_tidied:
                await close_others(
                    connection,
                    self._tenant_id,
                    before_id=self._epoch * POPS_PER_EPOCH,
                    but=[pop.pop_id for pop in found.values()],
                )
                self._has_tidied = True

        await self._boxed(read)
        assert self._pops is not None
        self._pops.rebuilt(found, matches)

    async def _recall(self) -> None:
        asked = list(self._recalled)
        calls: dict[InteractionId, LoggedCall] = {}

        async def read(connection: AsyncConnection) -> None:
            calls.update(await logged_calls(connection, self._tenant_id, asked))

        if await self._boxed(read):
            for interaction_id in asked:
                self._recalled.pop(interaction_id, None)
            self._on_calls(calls)
        else:
            asyncio.get_running_loop().call_later(RECALL_EVERY_S, self._asked.set)

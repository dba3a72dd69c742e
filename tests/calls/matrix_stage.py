"""The stage of the matrix: one centre in which each cell has queues, agents, numbers and a script of its own.

All phones and callers are synthetic ones on one loop; the API is asked from threads. So the cells of the
matrix run side by side on one Asterisk, a little apart from each other.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from app.centre.document import AgentPart, Centre, EntryPointPart, QueuePart, SkillPart, TrunkPart
from app.centre.rows import save_centre
from app.db.migrate import migrate
from app.db.session import DEFAULT_TENANT, Database
from app.demo.server_process import ServerProcess, free_port
from routing.ids import AgentId, QueueId
from telephony.sandbox.config import SandboxAgent, SandboxSettings
from telephony.sandbox.install import Programs
from telephony.sandbox.instance import Sandbox, start
from telephony.synthetic.calls import Call
from telephony.synthetic.phone import Phone
from telephony.synthetic.plans import CallPlan
from telephony.synthetic.user_agent import UserAgent
from tests.calls.centre import CallCentre
from tests.calls.matrix_scene import Scene, entry_of
from tests.calls.matrix_table import (
    OVERFLOW_MS,
    RING_TIMEOUT_S,
    SHORT_ABANDON_MS,
    TIMEOUT_MS,
    WRAP_UP_MS,
    Cell,
)

OUTSIDE = "outside"  # whose phone stands for all numbers outside


class MatrixCentre(CallCentre):
    """The centre of the matrix; callers may be connected with Taiwanese numbers."""

    def _new_server(self) -> ServerProcess:
        return ServerProcess(
            self.sandbox,
            data_dir=self.data_dir,
            agi_port=self.agi_port,
            http_port=self.http_port,
            settings={"HOLDLESS_DIALLING__PREFIXES_ALLOWED": json.dumps(["+886"])},
        )


def _queues(number: int, cell: Cell) -> list[QueuePart]:
    shared: dict[str, Any] = {
        "ring_timeout_s": RING_TIMEOUT_S,
        "wrap_up_s": WRAP_UP_MS / 1000,
        "short_abandon_s": SHORT_ABANDON_MS / 1000,
    }
    onward: dict[str, Any] = {}
    match cell.outcome:
        case "timeout":
            onward = {"queue_timeout_s": TIMEOUT_MS / 1000, "queue_timeout_to": f"n{number}"}
        case "timeout_fallback":
            onward = {"queue_timeout_s": TIMEOUT_MS / 1000}
        case "overflow":
            onward = {"overflow_after_s": OVERFLOW_MS / 1000, "overflow_to": f"n{number}"}
        case "key":
            onward = {"key_exits": {"1": f"n{number}"}}
    return [
        QueuePart(
            queue_id=f"{letter}{number}",
            requires={f"{letter}{number}": 1},
            **shared,
            **(onward if letter == "m" else {}),
        )
        for letter in "mnx"
    ]


def _agents(number: int, cell: Cell) -> list[AgentPart]:
    skills = {"a": "m", "s": "m" if cell.outcome == "rona" else "n", "t": "x"}
    return [
        AgentPart(
            agent_id=f"{letter}{number}",
            device=f"PJSIP/{letter}{number}",
            skills={f"{queue}{number}": 5},
            voice_slots=0 if cell.is_pbxs_own and letter == "a" else 1,
        )
        for letter, queue in skills.items()
    ]


def opened(data_dir: Path, programs: Programs, cells: list[Cell]) -> MatrixCentre:
    """Start all of it."""
    queues = [queue for number, cell in enumerate(cells) for queue in _queues(number, cell)]
    agents = [agent for number, cell in enumerate(cells) for agent in _agents(number, cell)]
    document = Centre(
        skill=tuple(SkillPart(skill_id=queue.queue_id) for queue in queues),
        queue=(*(queue for queue in queues), QueuePart(queue_id="nobody", is_default=True)),
        agent=tuple(agents),
        trunk=(TrunkPart(trunk_id="trunk", region="TW", area_code="02"),),
        entry_point=tuple(
            EntryPointPart(entry_point=entry_of(number), queue_id=f"m{number}", trunk_id="trunk")
            for number in range(len(cells))
        ),
    )
    agi_port = free_port()
    names = (*(agent.agent_id for agent in agents), OUTSIDE)
    settings = SandboxSettings(
        systemname="pbx1",
        agents=[SandboxAgent(agent_id=AgentId(name)) for name in names],
        queues=[QueueId(queue.queue_id) for queue in document.queue],
        default_queue_id=QueueId("nobody"),
        entry_points={entry_of(number): QueueId(f"m{number}") for number in range(len(cells))},
        agi=f"127.0.0.1:{agi_port}",
        trunk_out=OUTSIDE,
    )
    centre = MatrixCentre(start(settings, programs=programs), data_dir, agi_port)
    try:
        centre.in_database(partial(_prepare, document=document))
        centre.start_server()
    except BaseException:
        centre.close()
        raise
    return centre


async def _prepare(database: Database, document: Centre) -> None:
    await migrate(database, DEFAULT_TENANT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await save_centre(connection, DEFAULT_TENANT, document, made_by="test")


class Stage:
    """Phones, callers and the centre, on one loop."""

    def __init__(self, centre: MatrixCentre, cells: list[Cell]) -> None:
        self.centre = centre
        self.scenes = [Scene(centre, number, cell) for number, cell in enumerate(cells)]
        self._phones: list[Phone] = []

    async def play(self, apart_s: float) -> None:
        """Register all phones, then play every scene, each begun so long after the one before.

        Raises:
            ExceptionGroup: of the scenes that did not go by their scripts.
        """
        async with AsyncExitStack() as stack:
            callers = UserAgent("trunk")
            await callers.open()
            stack.callback(callers.close)
            await self._register(stack)
            tasks = []
            for scene in self.scenes:
                tasks.append(asyncio.create_task(scene.play(callers), name=scene.cell.name))
                await asyncio.sleep(apart_s)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep((WRAP_UP_MS + 500) / 1000)
        failed = [
            RuntimeError(f"{scene.cell.name}: {result!r}")
            for scene, result in zip(self.scenes, results, strict=True)
            if isinstance(result, BaseException)
        ]
        if failed:
            raise ExceptionGroup("scenes", failed)

    async def _register(self, stack: AsyncExitStack) -> None:
        sandbox = self.centre.sandbox
        for scene in self.scenes:
            for letter in "ast":
                user = f"{letter}{scene.number}"
                self._phones.append(self._phone(sandbox, user, partial(scene.take, letter)))
        self._phones.append(self._phone(sandbox, OUTSIDE, self._take_outside))
        for phone in self._phones:
            await phone.register()
            stack.callback(phone.close)

    def _phone(self, sandbox: Sandbox, user: str, behaviour: Callable[[Call], CallPlan]) -> Phone:
        return Phone(
            user,
            sandbox.agent_secrets[user],
            sandbox.host,
            sandbox.sip_port,
            behaviour=behaviour,
            calls_max=len(self.scenes) if user == OUTSIDE else 1,
        )

    def _take_outside(self, call: Call) -> CallPlan:
        """A number outside rings: whose it is, the number itself tells."""
        assert call.invite is not None
        user = call.invite.uri.partition(":")[2].partition("@")[0]
        return self.scenes[int(user[-4:])].take("o", call)

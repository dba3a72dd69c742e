"""A running private Asterisk for tests, and what talks to it. Import what you need into a conftest.

``sandbox`` is shared by a session: agents ``a1001`` to ``a1008``, queues ``sales`` (the default) and
``support``, entry points 8001 and 8002 for them, no FastAGI server (a test may set the global ``CC_AGI``).
What a test leaves behind is taken away after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from routing.ids import AgentId, QueueId
from telephony.sandbox.config import SandboxAgent, SandboxSettings
from telephony.sandbox.install import Programs, install
from telephony.sandbox.instance import Sandbox, start
from tests.pbx.ami import RawAmi, get
from tests.pbx.sipp import Sipp, poll

AGENTS = tuple(AgentId(f"a{number}") for number in range(1001, 1009))
SALES, SUPPORT = QueueId("sales"), QueueId("support")


@pytest.fixture(scope="session")
def programs() -> Programs:
    return install()


@pytest.fixture(scope="session")
def shared_sandbox(programs: Programs) -> Iterator[Sandbox]:
    settings = SandboxSettings(
        systemname="pbx1",
        agents=[SandboxAgent(agent_id=agent_id) for agent_id in AGENTS],
        queues=(SALES, SUPPORT),
        entry_points={"8001": SALES, "8002": SUPPORT},
    )
    with start(settings, programs=programs) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    yield shared_sandbox
    with RawAmi(shared_sandbox.ami_port, shared_sandbox.control_user) as ami:
        ami.act(Action="Setvar", Variable="CC_FENCE", Value="0")
        ami.act(Action="Setvar", Variable="CC_AGI", Value="")
        for row in ami.list("QueueStatusComplete", Action="QueueStatus"):
            if get(row, "Event") == "QueueMember":
                ami.act(Action="QueueRemove", Queue=get(row, "Queue"), Interface=get(row, "Location"))

        def all_gone() -> bool:
            rows = ami.list("CoreShowChannelsComplete", Action="CoreShowChannels")
            for row in rows:
                ami.act(Action="Hangup", Channel=get(row, "Channel"))
            return not rows

        poll(all_gone, 10)


@pytest.fixture
def events(sandbox: Sandbox) -> Iterator[RawAmi]:
    with RawAmi(sandbox.ami_port, sandbox.events_user) as ami:
        yield ami


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[RawAmi]:
    with RawAmi(sandbox.ami_port, sandbox.control_user) as ami:
        yield ami


@pytest.fixture
def sipp(sandbox: Sandbox, tmp_path: Path) -> Iterator[Sipp]:
    with Sipp(sandbox, tmp_path) as players:
        yield players

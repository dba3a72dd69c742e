"""The demo's agents come to work, whatever an earlier demo in the same directory left behind."""

from __future__ import annotations

from typing import Any, cast

import pytest

from app.db.session import Database
from app.demo.centre import DemoCentre
from app.demo.server_process import ServerFailed, ServerProcess
from routing.ids import AgentId
from telephony.sandbox.instance import Sandbox


class Desk:
    """A server that knows agents' states, and refuses to sign in who is signed in, as the engine does."""

    def __init__(self, **states: str) -> None:
        self.states = states

    async def require(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        if method == "GET":
            return {"agents": {name: {"state": state} for name, state in self.states.items()}}
        assert body is not None
        name, wanted = path.split("/")[-2], body["state"]
        is_signed_in = self.states.get(name, "signed_out") != "signed_out"
        if is_signed_in == (wanted == "signed_in"):
            raise ServerFailed(f"{name} is {self.states.get(name)}, not {wanted}")
        self.states[name] = "not_ready" if wanted == "signed_in" else wanted
        return {}


@pytest.mark.parametrize("before", ["signed_out", "ready", "not_ready", "wrap_up"])
async def test_an_agent_whom_an_earlier_demo_left_signed_in_becomes_ready(before: str) -> None:
    desk = Desk(a1001=before)
    names = (AgentId("a1001"), AgentId("a1002"))
    centre = DemoCentre(cast(Sandbox, None), cast(ServerProcess, desk), cast(Database, None), names)
    await centre.sign_in_all()
    assert desk.states == {"a1001": "ready", "a1002": "ready"}

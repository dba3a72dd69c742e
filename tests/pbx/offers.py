"""What the server would do, by hand: hear a waiting caller, offer it to an agent."""

from __future__ import annotations

import time

from tests.pbx.ami import Message, RawAmi, get


def waiting(events: RawAmi, since: int = 0, queue: str = "") -> str:
    """Wait for a caller's waiting lap (in that queue, if one is named); return its interaction id."""

    def is_lap(message: Message) -> bool:
        return get(message, "UserEvent") == "CCWaiting" and queue in ("", get(message, "Queue"))

    return get(events.wait(is_lap, 10, since), "CallID")


def hear(control: RawAmi, call_id: str, *, ago_s: int = 0) -> None:
    """Mark the caller as heard by a live server."""
    control.act(Action="Setvar", Channel=call_id, Variable="CC_HEARD", Value=int(time.time()) - ago_s)


def offer(control: RawAmi, call_id: str, agent_id: str, *, epoch: int = 1, attempt: int = 1) -> Message:
    """Redirect the caller to the agent, as one hand-over."""
    return control.act(
        Action="Redirect",
        Channel=call_id,
        Context="cc-go",
        Exten=f"e{epoch}-t{attempt}-a{agent_id}",
        Priority=1,
    )


def variable(control: RawAmi, call_id: str, name: str) -> str:
    return get(control.act(Action="Getvar", Channel=call_id, Variable=name), "Value")

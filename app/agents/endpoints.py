"""What can be asked of an agent: sign in and out, ready, not ready, and the wrap-up."""

from __future__ import annotations

from typing import assert_never

from fastapi import APIRouter, Depends

from app.agents.schemas import (
    AgentStateBody,
    CodeWrapUp,
    EndWrapUp,
    ExtendWrapUp,
    NotReady,
    Ready,
    SignedIn,
    SignedOut,
    WrapUpBody,
)
from app.auth.gate import may
from app.http.ask import InboxDependency, Outcome, RequestId, ask
from app.http.ids import AgentPath
from routing.ids import AgentId, InteractionId
from routing.signals import (
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    Signal,
    WrapUpCoded,
    WrapUpEnded,
    WrapUpExtended,
)

router = APIRouter(prefix="/agents/{agent_id}", tags=["agents"])


@router.post("/state", dependencies=[Depends(may("agent.state", scope="agent"))])
async def set_state(
    agent_id: AgentPath, body: AgentStateBody, request_id: RequestId, inbox: InboxDependency
) -> Outcome:
    """Sign an agent in or out, or make them ready or not ready."""
    agent = AgentId(agent_id)
    signal: Signal
    match body:
        case SignedIn():
            signal = AgentSignedIn(agent_id=agent, request_id=request_id)
        case SignedOut():
            signal = AgentSignedOut(agent_id=agent, request_id=request_id)
        case Ready():
            signal = AgentReady(agent_id=agent, request_id=request_id)
        case NotReady():
            signal = AgentNotReady(agent_id=agent, reason=body.reason, request_id=request_id)
        case _:
            assert_never(body)
    return await ask(inbox, signal)


@router.post("/wrap-up", dependencies=[Depends(may("agent.wrap_up", scope="agent"))])
async def wrap_up(
    agent_id: AgentPath, body: WrapUpBody, request_id: RequestId, inbox: InboxDependency
) -> Outcome:
    """End or extend an agent's wrap-up, or give the call its code."""
    agent = AgentId(agent_id)
    signal: Signal
    match body:
        case EndWrapUp():
            signal = WrapUpEnded(agent_id=agent, request_id=request_id)
        case ExtendWrapUp():
            signal = WrapUpExtended(agent_id=agent, extend_ms=body.extend_s * 1_000, request_id=request_id)
        case CodeWrapUp():
            interaction = InteractionId(body.interaction_id)
            signal = WrapUpCoded(
                agent_id=agent, interaction_id=interaction, code=body.code, request_id=request_id
            )
        case _:
            assert_never(body)
    return await ask(inbox, signal)

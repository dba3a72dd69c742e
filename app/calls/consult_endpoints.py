"""Ask somebody while the customer hears music; then hand over, go back, or talk in threes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from app.auth.gate import may
from app.auth.principal import Principal
from app.calls.schemas import CallPath, ConsultBody
from app.dialling.rules import DialFacts, DialPolicy, may_dial
from app.http.ask import InboxDependency, Outcome, RequestId, ask
from app.http.errors import ApiError
from app.http.state import state_of
from app.settings import Settings
from routing.ids import AgentId, InteractionId
from routing.transfer_signals import (
    ConferenceRequested,
    ConsultCancelled,
    ConsultCompleted,
    ConsultRequested,
)

router = APIRouter(prefix="/calls/{interaction_id}", tags=["calls"])

Asker = Annotated[Principal, Depends(may("call.transfer", scope="interaction"))]


def dialled(settings: Settings, written: str) -> str:
    """Return the number as it is dialled, if the number gate lets customers be connected with it.

    Raises:
        ApiError: 422 with the gate's reason.
    """
    policy = DialPolicy(prefixes_allowed=settings.dialling.prefixes_allowed, extensions_allowed=False)
    facts = DialFacts(
        number="".join(letter for letter in written if letter not in " -()."),
        region=settings.region,
        area_code=settings.area_code,
        at=datetime.now(UTC),
        policy=policy,
    )
    decision = may_dial(facts)
    if not decision.allowed:
        raise ApiError(422, decision.reason, "the number gate refuses this number")
    return decision.dial


@router.post("/consult")
async def consult(
    interaction_id: CallPath,
    body: ConsultBody,
    request: Request,
    principal: Asker,
    request_id: RequestId,
    inbox: InboxDependency,
) -> Outcome:
    """Put the customer on hold and ring an agent or a number outside."""
    signal = ConsultRequested(
        interaction_id=InteractionId(interaction_id),
        by_agent_id=principal.agent_id,
        to_agent_id=AgentId(body.to_agent_id) if body.to_agent_id else None,
        to_number=dialled(state_of(request).settings, body.to_number) if body.to_number else "",
        request_id=request_id,
    )
    return await ask(inbox, signal)


@router.post("/consult/cancel")
async def cancel_consult(
    interaction_id: CallPath, principal: Asker, request_id: RequestId, inbox: InboxDependency
) -> Outcome:
    """Go back to the customer and let go whom was asked; in a conference, let the third party go."""
    signal = ConsultCancelled(
        interaction_id=InteractionId(interaction_id), by_agent_id=principal.agent_id, request_id=request_id
    )
    return await ask(inbox, signal)


@router.post("/consult/complete")
async def complete_consult(
    interaction_id: CallPath, principal: Asker, request_id: RequestId, inbox: InboxDependency
) -> Outcome:
    """Hand the customer over to whom was asked; in a conference, leave the two others together."""
    signal = ConsultCompleted(
        interaction_id=InteractionId(interaction_id), by_agent_id=principal.agent_id, request_id=request_id
    )
    return await ask(inbox, signal)


@router.post("/conference")
async def confer(
    interaction_id: CallPath, principal: Asker, request_id: RequestId, inbox: InboxDependency
) -> Outcome:
    """Bring the customer and whom was asked together with the agent."""
    signal = ConferenceRequested(
        interaction_id=InteractionId(interaction_id), by_agent_id=principal.agent_id, request_id=request_id
    )
    return await ask(inbox, signal)

"""Calls: read the log; transfer or end a live one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from app.auth.gate import may
from app.auth.permissions import Reach
from app.auth.principal import Principal
from app.calls.reader import CallReader
from app.calls.schemas import CallList, CallPath, TransferBody
from app.http.ask import InboxDependency, Outcome, RequestId, ask
from app.http.errors import ApiError
from app.http.ids import SLUG_PATTERN
from app.http.state import state_of
from routing.ids import AgentId, InteractionId, QueueId
from routing.signals import HangupRequested, TransferRequested

PAGE_ROWS_MAX = 200

router = APIRouter(prefix="/calls", tags=["calls"])


def _log_of(request: Request) -> CallReader:
    return state_of(request).calls


CallLog = Annotated[CallReader, Depends(_log_of)]
Reader = Annotated[Principal, Depends(may("call.read", scope="mine"))]


@router.get("")
async def list_calls(
    request: Request,
    principal: Reader,
    call_log: CallLog,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 50,
    cursor: Annotated[str | None, Query(max_length=256)] = None,
    queue_id: Annotated[str | None, Query(pattern=SLUG_PATTERN)] = None,
    agent_id: Annotated[str | None, Query(pattern=SLUG_PATTERN)] = None,
) -> CallList:
    """List calls, newest first. An agent sees their own."""
    wanted = AgentId(agent_id) if agent_id else None
    match request.state.reach:
        case Reach.OWN:
            if wanted not in (None, principal.agent_id) or principal.agent_id is None:
                raise ApiError(403, "not_allowed", "an agent reads their own calls")
            wanted = principal.agent_id
        case Reach.TEAMS:
            if wanted is None or state_of(request).floor.team_of(wanted) not in principal.team_ids:
                raise ApiError(403, "not_allowed", "name an agent of your own teams")
        case _:
            pass
    try:
        page = await call_log.page(
            limit=limit, cursor=cursor, queue_id=QueueId(queue_id) if queue_id else None, agent_id=wanted
        )
    except ValueError:
        raise ApiError(422, "bad_cursor", "this cursor is not one of ours") from None
    return CallList(calls=[dict(call) for call in page.calls], next_cursor=page.next_cursor)


@router.get("/{interaction_id}", dependencies=[Depends(may("call.read", scope="interaction"))])
async def show_call(interaction_id: CallPath, call_log: CallLog) -> dict[str, Any]:
    """Show one call with its segments."""
    call = await call_log.one(InteractionId(interaction_id))
    if call is None:
        raise ApiError(
            404, "unknown_call", "the log does not have it", params={"interaction_id": interaction_id}
        )
    return dict(call)


@router.post("/{interaction_id}/transfer")
async def transfer(
    interaction_id: CallPath,
    body: TransferBody,
    principal: Annotated[Principal, Depends(may("call.transfer", scope="interaction"))],
    request_id: RequestId,
    inbox: InboxDependency,
) -> Outcome:
    """Transfer a live call to a queue or an agent, without consulting."""
    signal = TransferRequested(
        interaction_id=InteractionId(interaction_id),
        by_agent_id=principal.agent_id,
        to_queue_id=QueueId(body.to_queue_id) if body.to_queue_id else None,
        to_agent_id=AgentId(body.to_agent_id) if body.to_agent_id else None,
        request_id=request_id,
    )
    return await ask(inbox, signal)


@router.post("/{interaction_id}/hangup")
async def hang_up(
    interaction_id: CallPath,
    principal: Annotated[Principal, Depends(may("call.hangup", scope="interaction"))],
    request_id: RequestId,
    inbox: InboxDependency,
) -> Outcome:
    """End a live call."""
    signal = HangupRequested(
        interaction_id=InteractionId(interaction_id), by_agent_id=principal.agent_id, request_id=request_id
    )
    return await ask(inbox, signal)

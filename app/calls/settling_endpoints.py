"""Take a caller who gave up off the list by hand, and put them back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.auth.gate import may
from app.auth.permissions import Reach
from app.auth.principal import Principal
from app.calls.log_reader import LogReader
from app.calls.rules import Sight
from app.calls.schemas import CallPath, SettleBody
from app.calls.settling import GAVE_UP, settle, undo
from app.http.errors import ApiError
from app.http.state import state_of
from routing.ids import InteractionId

router = APIRouter(prefix="/calls/{interaction_id}/settling", tags=["calls"])

Settler = Annotated[Principal, Depends(may("call.settle", scope="mine"))]


@router.put("", status_code=204)
async def settle_call(
    interaction_id: CallPath, body: SettleBody, request: Request, principal: Settler
) -> Response:
    """Take the call off the list of those who gave up; settled twice it keeps its first reason."""
    await _check(request, principal, interaction_id)
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        call_id = InteractionId(interaction_id)
        await settle(connection, faces.tenant_id, call_id, reason=body.reason, by=principal.name)
    return Response(status_code=204)


@router.delete("", status_code=204)
async def undo_settling(interaction_id: CallPath, request: Request, principal: Settler) -> Response:
    """Put the call on the list again, until somebody reaches its caller."""
    await _check(request, principal, interaction_id)
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        done = await undo(connection, faces.tenant_id, InteractionId(interaction_id), by=principal.name)
    if not done:
        raise ApiError(409, "not_settled", "nobody took it off the list")
    return Response(status_code=204)


async def _check(request: Request, principal: Principal, interaction_id: str) -> None:
    """Refuse what the asker may not see, and what nobody gave up."""
    is_whole = request.state.reach is Reach.ALL
    sight = Sight() if is_whole else Sight(team_ids=principal.team_ids)
    faces = state_of(request).faces
    call = await LogReader(faces.database, faces.tenant_id).one(InteractionId(interaction_id), sight)
    if call is None:
        params = {"interaction_id": interaction_id}
        raise ApiError(404, "unknown_call", "the log does not have it", params=params)
    if call["outcome"] not in GAVE_UP:
        raise ApiError(409, "call_not_given_up", "its caller did not give up")

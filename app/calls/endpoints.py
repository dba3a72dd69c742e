"""Calls: read the log; transfer or end a live one."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from app.auth.gate import may
from app.auth.permissions import Reach
from app.auth.principal import Principal
from app.calls.consult_endpoints import dialled
from app.calls.export import CALLS_MAX, csv_of, write_xlsx
from app.calls.reader import CallReader
from app.calls.rules import CallFilter, Sight, number_forms
from app.calls.schemas import CallChoices, CallList, CallMatch, CallPath, CallStory, TransferBody
from app.http.ask import InboxDependency, Outcome, RequestId, ask
from app.http.errors import ApiError
from app.http.ids import SLUG_PATTERN
from app.http.state import state_of
from routing.events import QueueExit
from routing.ids import AgentId, InteractionId, QueueId, TeamId
from routing.signals import HangupRequested, TransferRequested

PAGE_ROWS_MAX = 200
_LENGTH_MS_MAX = 86_400_000
_OUTCOMES = (*(way.value for way in QueueExit), "left_before_queue")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

router = APIRouter(prefix="/calls", tags=["calls"])


def _log_of(request: Request) -> CallReader:
    return state_of(request).calls


CallLog = Annotated[CallReader, Depends(_log_of)]
Reader = Annotated[Principal, Depends(may("call.read", scope="mine"))]
_Slug = Annotated[str | None, Query(pattern=SLUG_PATTERN)]
_Length = Annotated[int | None, Query(ge=0, le=_LENGTH_MS_MAX)]


def _sight(request: Request, principal: Reader) -> Sight:
    """Whose calls the asker may see."""
    match request.state.reach:
        case Reach.OWN:
            if principal.agent_id is None:
                raise ApiError(403, "not_allowed", "this account is no agent's")
            return Sight(agent_id=principal.agent_id)
        case Reach.TEAMS:
            return Sight(team_ids=principal.team_ids)
        case _:
            return Sight()


Seen = Annotated[Sight, Depends(_sight)]


def _wanted(
    request: Request,
    sight: Seen,
    since: datetime | None = None,
    until: datetime | None = None,
    queue_id: _Slug = None,
    agent_id: _Slug = None,
    team_id: _Slug = None,
    outcome: Annotated[str | None, Query(pattern=SLUG_PATTERN)] = None,
    direction: Literal["in", "out", "internal"] | None = None,
    entry_point: Annotated[str | None, Query(max_length=32)] = None,
    number: Annotated[str | None, Query(max_length=64, description="As anybody writes it.")] = None,
    party_id: UUID | None = None,
    wrap_up_code: _Slug = None,
    wait_min_ms: _Length = None,
    wait_max_ms: _Length = None,
    talk_min_ms: _Length = None,
    talk_max_ms: _Length = None,
    unreached: Annotated[
        bool,
        Query(description="Of each person the last abandoned call, until somebody reaches them."),
    ] = False,
    text: Annotated[str, Query(max_length=64, description="Part of the caller's or the party's name.")] = "",
) -> CallFilter:
    """Which calls, from the query."""
    for moment in (since, until):
        if moment is not None and moment.tzinfo is None:
            raise ApiError(422, "no_zone", "a moment needs its zone, for instance 2026-11-24T08:00:00Z")
    if sight.agent_id is not None and agent_id not in (None, sight.agent_id):
        raise ApiError(403, "not_allowed", "an agent reads their own calls")
    settings = state_of(request).settings
    written = (number or "").strip()
    return CallFilter(
        since=since,
        until=until,
        queue_id=QueueId(queue_id) if queue_id else None,
        agent_id=AgentId(agent_id) if agent_id else None,
        team_id=TeamId(team_id) if team_id else None,
        outcome=outcome,
        direction=direction,
        entry_point=entry_point,
        numbers=number_forms(written, settings.region, settings.area_code) if written else (),
        party_id=party_id,
        wrap_up_code=wrap_up_code,
        wait_min_ms=wait_min_ms,
        wait_max_ms=wait_max_ms,
        talk_min_ms=talk_min_ms,
        talk_max_ms=talk_max_ms,
        unreached=unreached,
        text=text.strip(),
    )


Wanted = Annotated[CallFilter, Depends(_wanted)]


@router.get("")
async def list_calls(
    wanted: Wanted,
    sight: Seen,
    call_log: CallLog,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 50,
    cursor: Annotated[str | None, Query(max_length=256)] = None,
) -> CallList:
    """List calls, newest first: an agent's own, a supervisor's teams', or all."""
    try:
        page = await call_log.page(wanted, sight, limit=limit, cursor=cursor)
    except ValueError:
        raise ApiError(422, "bad_cursor", "this cursor is not one of ours") from None
    return CallList.model_validate({"calls": page.calls, "next_cursor": page.next_cursor})


@router.get("/choices", dependencies=[Depends(may("call.read", scope="mine"))])
async def show_choices(call_log: CallLog) -> CallChoices:
    """Return what calls can be asked for by, with names."""
    return CallChoices.model_validate({**await call_log.choices(), "outcomes": list(_OUTCOMES)})


@router.get("/export.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def export_csv(
    wanted: Wanted,
    sight: Seen,
    call_log: CallLog,
    zone: Annotated[str, Query(max_length=64)] = "UTC",
) -> Response:
    """Export the calls that are asked for as CSV."""
    read_in = await _checked_export(call_log, wanted, sight, zone)
    body = csv_of(call_log, wanted, sight, read_in)
    return StreamingResponse(body, media_type="text/csv; charset=utf-8", headers=_attachment("calls.csv"))


@router.get("/export.xlsx", response_class=Response, responses={200: {"content": {_XLSX: {}}}})
async def export_xlsx(
    wanted: Wanted,
    sight: Seen,
    call_log: CallLog,
    zone: Annotated[str, Query(max_length=64)] = "UTC",
) -> Response:
    """Export the calls that are asked for as an Excel workbook."""
    read_in = await _checked_export(call_log, wanted, sight, zone)
    directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="holdless-export-"))
    path = directory / "calls.xlsx"
    try:
        await write_xlsx(call_log, wanted, sight, read_in, path)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return FileResponse(
        path,
        media_type=_XLSX,
        headers=_attachment("calls.xlsx"),
        background=BackgroundTask(shutil.rmtree, directory, ignore_errors=True),
    )


@router.get("/{interaction_id}")
async def show_call(interaction_id: CallPath, sight: Seen, call_log: CallLog) -> CallStory:
    """Show one call whole: its tracks, visits, offers and why, legs, events."""
    call = await call_log.one(InteractionId(interaction_id), sight)
    if call is None:
        raise ApiError(
            404, "unknown_call", "the log does not have it", params={"interaction_id": interaction_id}
        )
    match = call.get("match_candidates")
    return CallStory.model_validate({**call, "match": CallMatch.model_validate(match) if match else None})


async def _checked_export(call_log: CallReader, wanted: CallFilter, sight: Sight, zone: str) -> ZoneInfo:
    try:
        found = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ApiError(422, "unknown_zone", "an IANA name, for instance Asia/Taipei") from None
    if await call_log.count(wanted, sight, at_most=CALLS_MAX + 1) > CALLS_MAX:
        raise ApiError(422, "too_many_calls", "narrow what is asked for", params={"calls_max": CALLS_MAX})
    return found


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@router.post("/{interaction_id}/transfer")
async def transfer(
    interaction_id: CallPath,
    body: TransferBody,
    request: Request,
    principal: Annotated[Principal, Depends(may("call.transfer", scope="interaction"))],
    request_id: RequestId,
    inbox: InboxDependency,
) -> Outcome:
    """Transfer a live call to a queue, an agent or a number outside, without consulting."""
    signal = TransferRequested(
        interaction_id=InteractionId(interaction_id),
        by_agent_id=principal.agent_id,
        to_queue_id=QueueId(body.to_queue_id) if body.to_queue_id else None,
        to_agent_id=AgentId(body.to_agent_id) if body.to_agent_id else None,
        to_number=dialled(state_of(request).settings, body.to_number) if body.to_number else "",
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

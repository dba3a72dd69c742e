"""The desk: the centre's choices, drafts of wrap-ups, the wrap-up itself, and who the caller is.

What is about the call goes to the engine as signals and into the log as its events; notes and drafts are
rows. A note is kept before the wrap-up ends, so that nothing written is lost when something is refused.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from app.auth.gate import may
from app.auth.principal import Principal
from app.customers.queries import remember_number
from app.desk import queries
from app.desk.schemas import (
    CallParty,
    CallPartyBody,
    DeskAgent,
    DeskCentre,
    DeskCode,
    DeskContactReason,
    DeskQueue,
    DeskReason,
    DeskTeam,
    DraftBody,
    WrappedUp,
    WrapUpForm,
)
from app.desk.topic_values import Draft
from app.desk.wrap_up_rules import misfit, reason_paths
from app.http.ask import InboxDependency, RequestId, ask
from app.http.errors import ApiError
from app.http.ids import INTERACTION_PATTERN, AgentPath
from app.http.state import AppState, state_of
from routing.desk_signals import ReasonGiven
from routing.ids import AgentId, InteractionId, day_of
from routing.signals import WrapUpCoded, WrapUpEnded

router = APIRouter(tags=["desk"])

LOGGED_WITHIN_S = 3.0  # a call's row comes when the journal drains, mostly within a tenth of this
_LOOK_S = 0.1

Server = Annotated[AppState, Depends(state_of)]
CallPath = Annotated[str, Path(pattern=INTERACTION_PATTERN)]


@router.get("/centre/desk", dependencies=[Depends(may("centre.read", scope="mine"))])
async def read_desk_centre(server: Server) -> DeskCentre:
    """Give the names and choices that a desk shows."""
    faces = server.faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        names = await queries.desk_names(connection, faces.tenant_id)
        codes = await queries.wrap_up_codes(connection, faces.tenant_id)
        _, nodes = await queries.reason_tree(connection, faces.tenant_id, datetime.now(UTC))
    return DeskCentre(
        queues=[
            DeskQueue(
                queue_id=row.queue_id,
                display_name=row.display_name,
                wrap_up_codes=[
                    DeskCode(code=code, display_name=name) for code, name in codes.get(row.queue_id, [])
                ],
            )
            for row in names["queues"]
        ],
        not_ready_reasons=[
            DeskReason(reason=row.reason, display_name=row.display_name, limit_s=row.limit_s)
            for row in names["reasons"]
        ],
        contact_reasons=[DeskContactReason(reason_id=each, path=path) for each, path in reason_paths(nodes)],
        agents=[
            DeskAgent(agent_id=row.agent_id, display_name=row.display_name, team_id=row.team_id)
            for row in names["agents"]
        ],
        teams=[DeskTeam(team_id=row.team_id, display_name=row.display_name) for row in names["teams"]],
    )


@router.put(
    "/agents/{agent_id}/drafts/{interaction_id}", dependencies=[Depends(may("agent.pop", scope="agent"))]
)
async def keep_draft(agent_id: AgentPath, interaction_id: CallPath, body: DraftBody, server: Server) -> Draft:
    """Keep what the agent has written so far; it is there again after a reload."""
    agent, interaction = AgentId(agent_id), InteractionId(interaction_id)
    _day(interaction)
    faces = server.faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        changed_at = await queries.keep_draft(
            connection,
            faces.tenant_id,
            agent,
            interaction,
            code=body.code,
            reason_id=body.reason_id,
            note=body.note,
        )
    changed_ms = round(changed_at.timestamp() * 1000)
    draft = Draft(code=body.code, reason_id=body.reason_id, note=body.note, changed_ms=changed_ms)
    faces.desk.draft_changed(agent, interaction, draft)
    return draft


@router.post("/agents/{agent_id}/wrap-ups/{interaction_id}")
async def say_wrap_up(
    agent_id: AgentPath,
    interaction_id: CallPath,
    body: WrapUpForm,
    principal: Annotated[Principal, Depends(may("agent.wrap_up", scope="agent"))],
    request_id: RequestId,
    server: Server,
    inbox: InboxDependency,
) -> WrappedUp:
    """Say what the call was about: code, reason, note; and end the wrap-up unless told otherwise."""
    agent, interaction = AgentId(agent_id), InteractionId(interaction_id)
    day, faces = _day(interaction), server.faces
    tree_version = await _checked(server, day, interaction, agent, body)
    if body.code is not None:
        coded = WrapUpCoded(
            agent_id=agent, interaction_id=interaction, code=body.code, request_id=f"{request_id}:code"
        )
        await ask(inbox, coded)
    if body.reason_id is not None:
        given = ReasonGiven(
            agent_id=agent,
            interaction_id=interaction,
            reason_id=body.reason_id,
            tree_version=tree_version,
            request_id=f"{request_id}:reason",
        )
        await ask(inbox, given)
    note_id: UUID | None = None
    async with faces.database.transaction(faces.tenant_id) as connection:
        if body.note.strip():
            note_id = await queries.keep_call_note(
                connection,
                faces.tenant_id,
                day,
                interaction,
                agent,
                text=body.note.strip(),
                author=principal.name,
            )
        if body.finish:
            await queries.drop_draft(connection, faces.tenant_id, agent, interaction)
    if body.finish:
        faces.desk.draft_changed(agent, interaction, None)
        await _end(inbox, agent, f"{request_id}:end")
    return WrappedUp(note_id=note_id, is_finished=body.finish)


@router.put("/calls/{interaction_id}/party")
async def say_party(
    interaction_id: CallPath,
    body: CallPartyBody,
    principal: Annotated[Principal, Depends(may("agent.pop", scope="interaction"))],
    server: Server,
) -> CallParty:
    """Say who the caller is. What the look-up had found stays in the log beside it."""
    interaction = InteractionId(interaction_id)
    day, faces = _day(interaction), server.faces
    by = f"{principal.role}:{principal.name}"
    deadline_s = asyncio.get_running_loop().time() + LOGGED_WITHIN_S
    while True:
        async with faces.database.transaction(faces.tenant_id) as connection:
            name = (
                await queries.party_name(connection, faces.tenant_id, body.party_id) if body.party_id else ""
            )
            if name is None:
                raise ApiError(404, "party_not_found", "there is no such party")
            call = await queries.link_call(
                connection, faces.tenant_id, day, interaction, body.party_id, by=by
            )
            if call is not None and body.party_id is not None and body.remember_number:
                settings = server.settings
                await remember_number(
                    connection,
                    faces.tenant_id,
                    body.party_id,
                    call[0],
                    region=settings.region,
                    area_code=settings.area_code,
                    at=datetime.now(UTC),
                    source="desk",
                )
        if call is not None:
            break
        if asyncio.get_running_loop().time() > deadline_s:
            raise ApiError(409, "call_not_logged_yet", "the log does not have this call yet; ask again")
        await asyncio.sleep(_LOOK_S)
    faces.desk.party_linked(interaction, body.party_id, by)
    return CallParty(party_id=body.party_id, display_name=name)


async def _checked(
    server: AppState, day: date, interaction: InteractionId, agent: AgentId, body: WrapUpForm
) -> int:
    """Hold code and reason against what the centre has; return the reason tree's version.

    Raises:
        ApiError: 422, one of them does not fit.
    """
    faces = server.faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        queue_id = await queries.call_queue(connection, faces.tenant_id, day, interaction, agent)
        codes = await queries.wrap_up_codes(connection, faces.tenant_id)
        tree_version, nodes = await queries.reason_tree(connection, faces.tenant_id, datetime.now(UTC))
    allowed = [code for code, _ in codes.get(queue_id, [])] if queue_id is not None else []
    if error_id := misfit(body.code, allowed, finish=body.finish):
        raise ApiError(422, error_id, "choose a code of the call's queue", params={"codes": allowed})
    if body.reason_id is not None and body.reason_id not in {node.reason_id for node in nodes}:
        raise ApiError(422, "unknown_contact_reason", "the reason tree in force has no such reason")
    return tree_version


async def _end(inbox: InboxDependency, agent: AgentId, request_id: str) -> None:
    try:
        await ask(inbox, WrapUpEnded(agent_id=agent, request_id=request_id))
    except ApiError as error:
        if error.error_id != "not_in_wrap_up":  # it has ended by itself meanwhile: what was asked for is so
            raise


def _day(interaction: InteractionId) -> date:
    try:
        return day_of(interaction)
    except ValueError:
        raise ApiError(404, "unknown_call", "this is the id of no call") from None

"""The wall: today's figures, the links that show them on a TV, and the tickets that a link's token buys."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from app.auth.gate import may, open_to_all
from app.auth.principal import Principal
from app.http.errors import ApiError
from app.http.state import AppState, state_of
from app.wall.schemas import (
    MadeWallLink,
    WallFigures,
    WallLinkBody,
    WallLinkList,
    WallTicket,
    WallTicketBody,
)

router = APIRouter(prefix="/wall", tags=["wall"])

Server = Annotated[AppState, Depends(state_of)]
Maker = Annotated[Principal, Depends(may("wall.link", scope="all"))]


# "mine": these are figures of queues, which name nobody, so that who has the right sees all of them.
@router.get("/figures", dependencies=[Depends(may("wall.read", scope="mine"))])
async def show_figures(_request: Request, server: Server) -> WallFigures:
    """Show the figures of every queue, today and in the last quarter of an hour."""
    wall = server.faces.wall
    queue_ids = sorted(queue.queue_id for queue in server.faces.core.config.queues)
    return WallFigures(
        day_start_ms=wall.day_start_ms,
        zone=wall.zone,
        total=wall.figures_of(None),
        queues={queue_id: wall.figures_of(queue_id) for queue_id in queue_ids},
    )


@router.get("/links")
async def list_links(_maker: Maker, server: Server) -> WallLinkList:
    """List the links in force."""
    return WallLinkList(links=await server.faces.wall_links.in_force())


@router.post("/links", status_code=201)
async def make_link(body: WallLinkBody, maker: Maker, server: Server) -> MadeWallLink:
    """Make a link for a TV; its path is told this once."""
    return await server.faces.wall_links.make(body.name, maker.display_name or maker.name)


@router.delete("/links/{link_id}", status_code=204)
async def revoke_link(link_id: UUID, maker: Maker, server: Server) -> None:
    """End a link; screens that show the wall by it go dark at once."""
    await server.faces.wall_links.revoke(link_id, maker.display_name or maker.name)


_OPEN: Any = Depends(open_to_all("the token of a link is the right"))


@router.post("/ticket", dependencies=[_OPEN])
async def buy_ticket(body: WallTicketBody, server: Server) -> WallTicket:
    """Give a screen a one-time ticket for the socket; it opens the wall and nothing else."""
    found = server.faces.wall_links.principal_of(body.token)
    if found is None:
        raise ApiError(401, "link_over", "this link is revoked, or was never made")
    link_id, principal = found
    return WallTicket(ticket=server.faces.tickets.issue(principal, link_id))

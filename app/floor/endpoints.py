"""The floor: who waits, who talks, who is ready, now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from app.auth.gate import may
from app.http.state import AppState, state_of

router = APIRouter(prefix="/floor", tags=["floor"])

Server = Annotated[AppState, Depends(state_of)]


@router.get("", dependencies=[Depends(may("floor.read", scope="all"))])
async def show_floor(_request: Request, server: Server) -> dict[str, Any]:
    """Show the floor as the events tell it."""
    return dict(server.floor.picture())

"""``/ws``: the one socket of every page. No foreign page opens it, and a ticket is its first message."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.websockets import WebSocket

from app.sockets.gateway import Gateway

router = APIRouter()


@router.websocket("/ws")
async def follow(websocket: WebSocket) -> None:
    """Serve one page until it leaves."""
    gateway: Gateway = websocket.app.state.server.faces.gateway
    await gateway.serve(websocket)

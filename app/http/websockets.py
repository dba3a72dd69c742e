"""How the web server speaks WebSocket: nothing compressed, and nobody keeps a closed socket.

Compressing is work per reader (nine times that of sending the same bytes to all), and whoever is let go for
not reading would otherwise hold his connection by not reading its end either.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LINGER_S = 5.0
MESSAGE_BYTES_MAX = 65_536

OPTIONS: dict[str, Any] = {
    "ws_per_message_deflate": False,
    "ws_max_size": MESSAGE_BYTES_MAX,
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
}
"""For ``uvicorn.Config``, beside ``ws=WebSocketProtocol``."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection; what is not gone so long after its end is cut."""

    async def run_asgi(self) -> None:
        """Serve the socket, then see to its end."""
        try:
            await super().run_asgi()
        finally:
            asyncio.get_running_loop().call_later(LINGER_S, self._cut)

    def _cut(self) -> None:
        if not self.disconnected:
            self.transport.abort()

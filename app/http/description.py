"""The API's description, ``openapi.json``. To make it takes a second, so that a thread makes it, once."""

from __future__ import annotations

import asyncio

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from app.auth.gate import open_to_all

router = APIRouter(include_in_schema=False)


class Description:
    """The description of *app*, made when somebody first asks for it."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._making = asyncio.Lock()
        self._made: bytes | None = None

    async def read(self) -> bytes:
        """Return it as JSON."""
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(lambda: orjson.dumps(self._app.openapi()))
            return self._made


@router.get("/openapi.json", dependencies=[Depends(open_to_all("it holds nothing of the centre"))])
async def describe(request: Request) -> Response:
    """Give the OpenAPI document."""
    description: Description = request.app.state.description
    return Response(await description.read(), media_type="application/json")

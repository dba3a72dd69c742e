"""Is it alive, is it ready, how is it doing: for load balancers and monitoring."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from app.auth.gate import may, open_to_all
from app.http.state import AppState, state_of

router = APIRouter(tags=["health"])

Server = Annotated[AppState, Depends(state_of)]


class Health(BaseModel):
    """The process runs."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether calls can be served.

    Attributes:
        waits_for: What is not ready: part to what is wrong.
    """

    ready: bool
    waits_for: dict[str, str]


@router.get("/healthz", dependencies=[Depends(open_to_all("a load balancer has no key"))])
async def healthz() -> Health:
    """Say that the process runs and its loop turns."""
    return Health()


@router.get(
    "/readyz",
    dependencies=[Depends(open_to_all("a load balancer has no key"))],
    responses={503: {"model": Readiness, "description": "Not ready; ``waits_for`` says why"}},
    response_model=Readiness,
)
async def readyz(server: Server) -> Response:
    """Say whether calls can be served, and if not, what is not ready."""
    waits_for = dict(server.not_ready())
    body = Readiness(ready=not waits_for, waits_for=waits_for)
    return JSONResponse(body.model_dump(), 503 if waits_for else 200)


async def _may_read_metrics(request: Request) -> None:
    if not state_of(request).settings.http.metrics_open:
        await _metrics_gate(request)


_metrics_gate = may("metrics.read", scope="all")
_may_read_metrics.permission = "metrics.read"  # type: ignore[attr-defined]  # as ``may`` says it
_may_read_metrics.scope = "all"  # type: ignore[attr-defined]


@router.get("/metrics", dependencies=[Depends(_may_read_metrics)], response_class=Response)
async def metrics(server: Server) -> Response:
    """Give the figures in Prometheus' text format."""
    return Response(generate_latest(server.registry), media_type=CONTENT_TYPE_LATEST)

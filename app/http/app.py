"""The web application: routes, errors and the shell around them, made for one running server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from app.agents.endpoints import router as agents
from app.auth.account_endpoints import router as accounts
from app.auth.endpoints import router as session
from app.auth.foreign_log import ForeignLog
from app.auth.gate import COOKIE
from app.auth.keys import KeyRing
from app.auth.origins import Origins
from app.calls.consult_endpoints import router as consults
from app.calls.endpoints import router as calls
from app.calls.settling_endpoints import router as settlings
from app.customers.routes import router as customers
from app.desk.endpoints import router as desk
from app.figures.agent_endpoints import router as agent_figures
from app.figures.counted_endpoints import router as counted_figures
from app.figures.endpoints import router as figures
from app.figures.report_endpoints import router as reports
from app.figures.schedule_endpoints import router as report_schedules
from app.floor.endpoints import router as floor
from app.http.description import Description
from app.http.description import router as description
from app.http.errors import PROBLEM_RESPONSES, Problem, add_error_handlers
from app.http.health import router as health
from app.http.pages import built_pages
from app.http.pages import router as pages
from app.http.shell import Shell
from app.http.state import AppState
from app.jobs.endpoints import router as jobs
from app.phones.endpoints import router as phones
from app.phones.endpoints import socket_router as phone_socket
from app.planner.endpoints import router as planner
from app.planner.log_endpoints import router as plan_log
from app.planner.overlay_endpoints import router as plan_overlays
from app.planner.staffing_endpoints import router as plan_staffing
from app.planner.today_endpoints import router as plan_today
from app.sockets.endpoints import router as socket
from app.topics import topic_schemas
from app.wall.endpoints import router as wall

API_PREFIX = "/api/v1"
# One a line, so that subjects added at the same time do not meet.
_ROUTERS = (
    accounts,
    agents,
    calls,
    consults,
    customers,
    desk,
    figures,
    agent_figures,
    counted_figures,
    floor,
    jobs,
    phones,
    plan_log,
    plan_overlays,
    plan_staffing,
    plan_today,
    planner,
    report_schedules,
    reports,
    session,
    settlings,
    wall,
)


class Lifespan(Protocol):
    """Starts and stops what the server consists of, around the serving of requests."""

    def __call__(self, app: FastAPI) -> AbstractAsyncContextManager[None]:
        """Return the context in which requests are served."""


def create_app(
    state: AppState, *, lifespan: Lifespan | None = None, routers: Sequence[APIRouter] = ()
) -> FastAPI:
    """Return the application.

    Args:
        state: The running server.
        lifespan: Context around the serving of requests.
        routers: Further routes under ``/api/v1``; each declares ``may``.
    """
    app = FastAPI(
        title="Holdless",
        version=version("holdless"),
        lifespan=lifespan,
        docs_url=None,  # both load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # app.http.description
        redirect_slashes=False,
        responses=PROBLEM_RESPONSES,
    )
    app.state.pages = built_pages()
    app.state.description = Description(app)
    add_error_handlers(app)
    app.include_router(health)
    app.include_router(phone_socket)
    app.include_router(socket)
    app.include_router(pages)
    for router in (description, *_ROUTERS, *routers):
        app.include_router(router, prefix=API_PREFIX)
    # To resolve them takes 0.2 s: now, not at somebody's first request.
    app.state.route_paths = {
        id(route.original_route): route.path or "none" for route in iter_route_contexts(app.routes)
    }
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    attach(app, state)
    return app


def attach(app: FastAPI, state: AppState) -> None:
    """Let *app*, which answers no request yet, serve *state*."""
    app.state.server = state
    app.state.keys = KeyRing(state.settings.api_keys)
    app.state.origins = Origins.of(state.settings.http.origins, state.settings.http.port)
    app.state.foreign = ForeignLog()
    app.add_middleware(Shell, registry=state.registry)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the schema, with our one error body in place of the framework's."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for name, of_topics in topic_schemas().items():
            assert schemas.setdefault(name, of_topics) == of_topics, f"two shapes are called {name}"
        schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        }
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                if path.startswith(API_PREFIX):
                    operation["security"] = [{"key": []}, {"session": []}]
        app.openapi_schema = schema
    return app.openapi_schema

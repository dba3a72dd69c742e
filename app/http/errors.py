"""Errors as ``application/problem+json`` (RFC 9457): a stable ``error_id`` and parameters, no prose to parse.

The page's catalogue makes the sentence; ``detail`` is for the developer who reads the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from app.live.errors import InboxFull, RequestIdReused, StepFailed

PROBLEMS_MAX = 20
_STATES_AWAY = ("08", "53", "57P")  # no connection, out of connections or room, stopping or starting
_ID_OF_STATUS = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


class ApiError(Exception):
    """An answer that is no success.

    Args:
        error_id: Stable word; what programs and catalogues go by.
        params: What the sentence needs, JSON-able.
    """

    def __init__(
        self,
        status: int,
        error_id: str,
        detail: str = "",
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or error_id)
        self.status = status
        self.error_id = error_id
        self.detail = detail
        self.params = dict(params or {})
        self.headers = dict(headers or {})


class Problem(BaseModel):
    """The body of every answer that is no success."""

    type: str = "about:blank"
    status: int
    error_id: str
    detail: str
    params: dict[str, Any]


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in {
        400: "The body cannot be read",
        401: "Nobody is signed in",
        403: "Not allowed",
        404: "There is no such thing",
        409: "It does not fit the present state; ``error_id`` says why",
        413: "The body is too large",
        422: "The request is wrong, or its Idempotency-Key was used for another",
        429: "Too many tries; ``retry_after_s`` says when again",
        500: "Our fault",
        503: "Too busy, or a part that this needs is away; ask again",
    }.items()
}


def problem(error: ApiError) -> JSONResponse:
    """Return the answer for *error*."""
    body = Problem(
        status=error.status, error_id=error.error_id, detail=error.detail, params=error.params
    ).model_dump()
    return JSONResponse(body, error.status, error.headers, media_type="application/problem+json")


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error as a problem."""

    @app.exception_handler(ApiError)
    async def _api_error(_request: Request, error: ApiError) -> JSONResponse:
        return problem(error)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        error_id = _ID_OF_STATUS.get(error.status_code, "http_error")
        return problem(ApiError(error.status_code, error_id, str(error.detail), headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        # What was sent is not repeated: it may be personal, and the sender has it.
        problems = [
            {"where": ".".join(str(part) for part in one["loc"]), "kind": one["type"], "message": one["msg"]}
            for one in error.errors()[:PROBLEMS_MAX]
        ]
        return problem(
            ApiError(422, "invalid_request", "the request is wrong", params={"problems": problems})
        )

    @app.exception_handler(InboxFull)
    async def _full(_request: Request, error: InboxFull) -> JSONResponse:
        return problem(
            ApiError(
                503,
                "too_busy",
                "too many requests wait for the engine",
                params={"waiting_count": error.waiting_count},
                headers={"Retry-After": "1"},
            )
        )

    @app.exception_handler(OSError)
    @app.exception_handler(SQLAlchemyError)
    async def _away(_request: Request, error: OSError | SQLAlchemyError) -> JSONResponse:
        if isinstance(error, DBAPIError):
            state = str(getattr(error.orig, "sqlstate", None) or "")
            is_away = error.connection_invalidated or state.startswith(_STATES_AWAY)
        else:
            is_away = isinstance(error, OSError | PoolTimeoutError)
        if not is_away:
            raise error  # a statement of ours that the database refuses is our fault
        return problem(
            ApiError(
                503,
                "database_away",
                "the database does not answer; calls are served meanwhile",
                headers={"Retry-After": "5"},
            )
        )

    @app.exception_handler(RequestIdReused)
    async def _reused(_request: Request, _error: RequestIdReused) -> JSONResponse:
        return problem(
            ApiError(422, "idempotency_key_reused", "this Idempotency-Key came with another request before")
        )

    @app.exception_handler(StepFailed)
    async def _failed(_request: Request, _error: StepFailed) -> JSONResponse:
        return problem(
            ApiError(500, "engine_failed", "the engine could not digest this; it was kept for repair")
        )

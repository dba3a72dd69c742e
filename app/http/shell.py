"""The shell around every request: its id, its size limit, the security headers, its figures.

Plain ASGI, so that nothing is buffered and no task is added per request.
"""

from __future__ import annotations

import re
import time
import uuid

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.errors import ApiError, problem

log = structlog.get_logger(__name__)

BODY_BYTES_MAX = 1_048_576
# Uploaded lists, which their endpoint streams to a file; nothing else may be as large.
LARGE_BODY_BYTES_MAX = 64 * 1_048_576
_LARGE_BODIES = {("POST", "/api/v1/parties/imports")}
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

# An answer of the API is no page: nothing may be loaded, framed, or sent from what it answers.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

# Svelte makes its templates through a policy of this name; no other one may be made.
_TRUSTED_TYPES_POLICY = "svelte-trusted-html"

# A page may load what lies beside it, talk to where it came from, and nothing else: no script or style
# in its text, no frame around it, no string that becomes markup but through the one policy.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        f"trusted-types {_TRUSTED_TYPES_POLICY}",
    )
)


def page_headers(*, microphone: bool = False) -> dict[str, str]:
    """Return the security headers of a page; its files are looked up anew each time, unless they say else.

    Args:
        microphone: The page may ask for the microphone: the one with the browser phone.
    """
    heard = "(self)" if microphone else "()"
    return SECURITY_HEADERS | {
        "Content-Security-Policy": PAGE_POLICY,
        "Permissions-Policy": f"camera=(), display-capture=(), geolocation=(), microphone={heard}",
        "Cache-Control": "no-cache",
    }


class Shell:
    """ASGI middleware; must stand outermost."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ("method", "route", "status")
        self._requests = Counter("holdless_http_requests", "Requests answered", labels, registry=registry)
        self._seconds = Histogram(
            "holdless_http_seconds",
            "Time to the end of an answer",
            ("route",),
            buckets=_BUCKETS_S,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex
        begun = False
        status = 500
        received = 0
        is_large = (scope["method"], scope["path"]) in _LARGE_BODIES
        bytes_max = LARGE_BODY_BYTES_MAX if is_large else BODY_BYTES_MAX
        started_s = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal begun, status
            if message["type"] == "http.response.start":
                begun, status = True, message["status"]
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    answer.setdefault(name, value)
            await send(message)

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > bytes_max:
                raise HTTPException(413)  # the one error that the framework passes on while it reads a body
            return message

        with structlog.contextvars.bound_contextvars(http_request_id=request_id):
            try:
                if _length(headers) > bytes_max:
                    answer = ApiError(413, "body_too_large", params={"bytes_max": bytes_max})
                    await problem(answer)(scope, receive, send_with_headers)
                else:
                    await self._app(scope, receive_bounded, send_with_headers)
            except Exception:  # the guard of this one request's task
                log.exception("request failed", method=scope["method"])
                if begun:
                    raise  # the server cuts the connection, so that half an answer is not taken for one
                answer = ApiError(500, "internal_error", "our fault; the log has it under this request id")
                await problem(answer)(scope, receive, send_with_headers)
            finally:
                self._count(scope, status, time.perf_counter() - started_s)

    def _count(self, scope: Scope, status: int, elapsed_s: float) -> None:
        # By the route's pattern, never by the path: what callers send must not make new series.
        route = scope["app"].state.route_paths.get(id(scope.get("route")), "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(elapsed_s)


def _length(headers: Headers) -> int:
    told = headers.get("content-length", "")
    return int(told) if told.isdecimal() and len(told) < 20 else 0

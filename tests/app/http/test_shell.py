"""What stands around every request: ids, headers, limits, health and figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Depends

from app.auth.gate import open_to_all
from app.http.app import create_app
from app.http.shell import BODY_BYTES_MAX, SECURITY_HEADERS
from app.logs import set_up_logs
from app.settings import HttpSettings, Settings
from tests.app.http.web import KEYS, SmallServer, serving
from tests.plain_logs import plain_logs


async def test_every_answer_carries_the_security_headers_and_a_request_id() -> None:
    async with serving() as client:
        for path in ("/healthz", "/api/v1/floor", "/nowhere", "/api/v1/openapi.json"):
            answer = await client.get(path)
            assert (
                SECURITY_HEADERS.items()
                <= {name: answer.headers.get(name) for name in SECURITY_HEADERS}.items()
            ), path
            assert answer.headers["x-request-id"]


@pytest.mark.parametrize(("sent", "kept"), [("trace-0001", True), ("a b", False), ("x" * 65, False)])
async def test_a_request_id_is_kept_when_it_is_harmless(sent: str, kept: bool) -> None:
    async with serving() as client:
        answer = await client.get("/healthz", headers={"X-Request-ID": sent})
        assert (answer.headers["x-request-id"] == sent) is kept


async def test_readiness_names_what_is_not_ready() -> None:
    server = SmallServer()
    async with serving(server) as client:
        assert (await client.get("/readyz")).status_code == 200
        server.waits_for = {"pbx": "pbx1 cannot be reached"}
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "waits_for": {"pbx": "pbx1 cannot be reached"}}
        assert (await client.get("/healthz")).status_code == 200


async def test_figures_are_by_route_never_by_path() -> None:
    async with serving() as client:
        for n in range(3):
            await client.get(f"/api/v1/calls/pbx1-{n}")
            await client.get(f"/nowhere/{n}")
        text = (await client.get("/metrics")).text
        assert 'route="/api/v1/calls/{interaction_id}",status="404"} 3.0' in text, "not that of a page"
        assert 'route="none",status="404"} 3.0' in text


async def test_figures_can_be_closed_to_those_without_a_key() -> None:
    closed = Settings(api_keys=KEYS, http=HttpSettings(metrics_open=False))
    async with serving(SmallServer(settings=closed), key=None) as client:
        assert (await client.get("/metrics")).status_code == 401
    async with serving(SmallServer(settings=closed)) as client:
        assert (await client.get("/metrics")).status_code == 200


async def test_a_body_that_is_too_large_is_refused_announced_or_not() -> None:
    async def drip() -> Any:
        for _ in range(BODY_BYTES_MAX // 65_536 + 1):
            yield b" " * 65_536

    async with serving() as client:
        for body in (b" " * (BODY_BYTES_MAX + 1), drip()):
            answer = await client.post("/api/v1/agents/a1001/state", content=body)
            assert (answer.status_code, answer.json()["error_id"]) == (413, "body_too_large")


@pytest.fixture
def _logs() -> Iterator[None]:
    set_up_logs("error", "text")
    yield
    plain_logs()


@pytest.mark.usefixtures("_logs")
async def test_our_own_fault_is_a_problem_without_its_inside() -> None:
    router = APIRouter()

    @router.get("/fault", dependencies=[Depends(open_to_all("a test"))])
    def fault() -> None:
        raise ZeroDivisionError("secret inside")

    app = create_app(SmallServer(), routers=[router])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
        answer = await client.get("/api/v1/fault")
    assert (answer.status_code, answer.json()["error_id"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"]

"""Requests of every operation: whatever is sent, the answer is as the OpenAPI document says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings

from app.http.app import create_app
from routing.signals import ConfigChanged
from tests.app.http.web import CENTRE, KEY, SmallServer, serving

START_MAX_S = 10.0
_AS_MANY = settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
NONSENSE = ("-1", "'; DROP TABLE x; --", "../\x00é\r\n<script>" + "9" * 400)
BODIES = (b"", b"{", b"[[[]]]", b'{"\\u0000": 1e999, "a": {"b": []}}', b"\xff" * 40)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A small server on a port of its own, in a thread of its own."""
    server = SmallServer()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        driving = asyncio.create_task(server.drive())
        server.inbox.put(ConfigChanged(version=1, config=CENTRE))
        yield
        driving.cancel()

    config = uvicorn.Config(create_app(server, lifespan=lifespan), port=0, log_level="error", ws="none")
    web = uvicorn.Server(config)
    thread = threading.Thread(target=web.run)
    thread.start()
    deadline_s = time.monotonic() + START_MAX_S
    while not web.started and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert web.started
    yield f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}"
    web.should_exit = True
    thread.join(START_MAX_S)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _is_away(status: int, told: Any) -> bool:
    return status == 503 and told["error_id"] == "database_away"  # it is, here


async def test_nonsense_is_refused_as_the_schema_says() -> None:
    async with serving() as client:
        document = (await client.get("/api/v1/openapi.json")).json()
        asked = 0
        for method, path, operation in _operations(document):
            inside = [part["name"] for part in operation.get("parameters", ()) if part["in"] == "path"]
            query = [part["name"] for part in operation.get("parameters", ()) if part["in"] == "query"]
            for number, nonsense in enumerate(NONSENSE):
                url = path
                for name in inside:
                    url = url.replace(f"{{{name}}}", quote(nonsense, safe=""))
                body = BODIES[(asked + number) % len(BODIES)] if method != "GET" else None
                answer = await client.request(
                    method,
                    url,
                    params=dict.fromkeys(query, nonsense),
                    content=body,
                    headers={"Content-Type": "application/json"},
                )
                asked += 1
                told = f"{method} {path} {nonsense[:20]!r} {body!r}: {answer.status_code} {answer.text[:200]}"
                kind = answer.headers.get("content-type", "").partition(";")[0]
                status = answer.status_code
                assert status < 500 or _is_away(status, answer.json()), told
                documented = operation["responses"]
                said = documented.get(str(status), documented.get(f"{status // 100}XX"))
                assert said is not None, told
                assert kind in said.get("content", kind), told
                assert status < 400 or answer.json()["error_id"], told
    assert asked > 3 * 60


@pytest.mark.long
@pytest.mark.timeout(900)
def test_generated_requests_are_answered_as_the_schema_says(address: str) -> None:
    import schemathesis  # a second of imports that nobody else needs

    checks = {check.__name__: check for check in schemathesis.checks.CHECKS.get_all()}
    wanted = [
        check
        for name, check in checks.items()
        if name == "not_a_server_error" or name.endswith("_conformance")
    ]
    schema = schemathesis.openapi.from_dict(create_app(SmallServer()).openapi())
    wrong: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(parent=_AS_MANY)
        def look(case: Any) -> None:
            answer = case.call(base_url=address, headers={"Authorization": f"Bearer {KEY}"})
            is_away = _is_away(answer.status_code, answer.json() if answer.status_code == 503 else None)
            left_out = [checks["not_a_server_error"]] if is_away else None
            case.validate_response(answer, checks=wanted, excluded_checks=left_out)

        try:
            look()
        except Exception as error:  # noqa: BLE001 - every operation is looked at before the test fails
            wrong.append(f"{operation.label}: {error}")
    assert not wrong, "\n\n".join(wrong)

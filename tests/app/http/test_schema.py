"""Generated requests against the served application: every answer is as the OpenAPI document says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, settings

from app.http.app import create_app
from routing.signals import ConfigChanged
from tests.app.http.web import CENTRE, KEY, SmallServer

START_MAX_S = 10.0
_ALL = {check.__name__: check for check in schemathesis.checks.CHECKS.get_all()}
CHECKS = [
    check for name, check in _ALL.items() if name == "not_a_server_error" or name.endswith("_conformance")
]


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


schema = schemathesis.openapi.from_dict(create_app(SmallServer()).openapi())


@schema.parametrize()
@settings(max_examples=3, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_an_operation_answers_as_its_schema_says(case: Any, address: str) -> None:
    answer = case.call(base_url=address, headers={"Authorization": f"Bearer {KEY}"})
    is_away = answer.status_code == 503 and answer.json()["error_id"] == "database_away"  # it is, here
    left_out = [_ALL["not_a_server_error"]] if is_away else None
    case.validate_response(answer, checks=CHECKS, excluded_checks=left_out)

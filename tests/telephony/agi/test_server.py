"""The FastAGI server: whatever a route does, the caller goes on, and CC_DONE is set last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from telephony.agi.errors import AgiCommandRefused, AgiSessionLost, AgiUndeclaredVariable
from telephony.agi.registry import AgiRegistry, AgiRequest, request_of
from telephony.agi.server import AgiOutcome, AgiResult, AgiServer
from tests.telephony.agi.peer import Channel


def a_registry(answer: Callable[[AgiRequest], Any], **more: Any) -> AgiRegistry:
    registry = AgiRegistry()
    settings: dict[str, Any] = {
        "doc": "Who is calling.",
        "returns": {"CC_PARTY": "name of the party", "CC_LANG": "language"},
        "defaults": {"CC_LANG": "en"},
        "time_limit_ms": 50,
    }
    registry.route("identify", **{**settings, **more})(answer)
    return registry


@asynccontextmanager
async def serving(registry: AgiRegistry, **more: Any) -> AsyncIterator[tuple[AgiServer, list[AgiOutcome]]]:
    outcomes: list[AgiOutcome] = []
    server = AgiServer(registry, on_outcome=outcomes.append, **more)
    await server.start()
    try:
        yield server, outcomes
    finally:
        await server.stop()
        assert server.sessions_count == 0


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - a bounded poll, of any condition
            await asyncio.sleep(0.002)


async def cut_off(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(2):
            return await reader.read() == b""
    except ConnectionError:
        return True


async def party(request: AgiRequest) -> dict[str, str]:
    return {"CC_PARTY": f"{request.caller_number} {request.query.get('since', '')}", "CC_LANG": "zh"}


async def too_slow(request: AgiRequest) -> dict[str, str]:
    await asyncio.sleep(0.1)
    return {"CC_PARTY": "late"}


async def broken(request: AgiRequest) -> dict[str, str]:
    raise LookupError(request.path)


async def undeclared(request: AgiRequest) -> dict[str, str]:
    return {"CC_QUEUE": "vip"}


async def test_a_route_is_asked_and_its_values_are_set_before_done() -> None:
    channel = Channel()
    async with serving(a_registry(party)) as (server, outcomes):
        await channel.agi(server.port, "identify?since=60", {"agi_callerid": "0912345678"})
        assert list(channel.variables.items()) == [
            ("CC_PARTY", "0912345678 60"),
            ("CC_LANG", "zh"),
            ("CC_DONE", "1"),
        ]
        assert len(channel.commands) == 1, "one round trip"
        assert [(outcome.path, outcome.result) for outcome in outcomes] == [("identify", AgiResult.OK)]
        assert server.outcomes["identify", AgiResult.OK] == 1


async def test_declared_variables_are_read_first() -> None:
    seen: list[Mapping[str, str]] = []

    async def look(request: AgiRequest) -> dict[str, str]:
        seen.append(request.variables)
        return {}

    channel = Channel({"CC_ENTRY": "8000 (night)"})
    async with serving(a_registry(look, reads=("CC_ENTRY", "CC_ABSENT"))) as (server, _):
        await channel.agi(server.port, "/identify/")
    assert seen == [{"CC_ENTRY": "8000 (night)", "CC_ABSENT": ""}]
    assert channel.variables["CC_DONE"] == "1"


@pytest.mark.parametrize(
    ("answer", "result", "error"),
    [
        (broken, AgiResult.FAILED, LookupError),
        (undeclared, AgiResult.FAILED, AgiUndeclaredVariable),
        (too_slow, AgiResult.LATE, None),
    ],
)
async def test_a_route_that_fails_sets_its_defaults_and_done(
    answer: Callable[[AgiRequest], Any], result: AgiResult, error: type[Exception] | None
) -> None:
    channel = Channel({"CC_PARTY": "before"})
    async with serving(a_registry(answer)) as (server, outcomes):
        await channel.agi(server.port, "identify")
        assert channel.variables == {"CC_PARTY": "before", "CC_LANG": "en", "CC_DONE": "1"}
        assert outcomes[0].result is result
        assert outcomes[0].error is None if error is None else isinstance(outcomes[0].error, error)


async def test_a_late_route_tells_what_it_found_afterwards() -> None:
    late: list[tuple[str, Mapping[str, str]]] = []
    registry = a_registry(too_slow)
    async with serving(registry, on_late=lambda request, values: late.append((request.path, values))) as (
        server,
        outcomes,
    ):
        await Channel().agi(server.port, "identify")
        assert outcomes[0].took_ms < 95
        assert late == []
        await until(lambda: late)
    assert late == [("identify", {"CC_PARTY": "late"})]


async def test_a_route_that_never_ends_is_given_up_and_reported() -> None:
    async def never(request: AgiRequest) -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    async with serving(a_registry(never), late_limit_s=0.05) as (server, outcomes):
        await Channel().agi(server.port, "identify")
        await until(lambda: len(outcomes) == 2)
        assert isinstance(outcomes[1].error, TimeoutError)


async def test_an_unknown_route_says_so_on_the_console_and_done_is_not_set() -> None:
    channel = Channel()
    async with serving(a_registry(party)) as (server, outcomes):
        await channel.agi(server.port, "identfy")
        await channel.agi(server.port, "")
        assert channel.variables == {}
        assert [command[0] for command in channel.commands] == ["VERBOSE", "VERBOSE"]
        assert [outcome.result for outcome in outcomes] == [AgiResult.UNKNOWN_ROUTE] * 2
        assert list(server.outcomes) == [("", AgiResult.UNKNOWN_ROUTE)], "a bounded number of names"


async def test_hostile_caller_names_cannot_leave_their_variable() -> None:
    async def echo(request: AgiRequest) -> dict[str, str]:
        return {"CC_PARTY": request.caller_name}

    channel = Channel()
    async with serving(a_registry(echo)) as (server, _):
        name = 'Bob",CC_DONE=0,CC_AGENT=a1 ${SHELL(x)} \\" &PJSIP/1'
        await channel.agi(server.port, "identify", {"agi_calleridname": name})
    assert set(channel.variables) == {"CC_PARTY", "CC_DONE"}
    assert channel.variables["CC_DONE"] == "1"
    assert not set(channel.variables["CC_PARTY"]) & set('"$\\{}&,')


async def test_a_refused_command_loses_the_session_and_done_is_not_claimed() -> None:
    async with serving(a_registry(party)) as (server, outcomes):
        await Channel(refuse="511 Command Not Permitted on a dead channel").agi(server.port, "identify")
        assert outcomes[0].result is AgiResult.LOST
        assert isinstance(outcomes[0].error, AgiCommandRefused)


async def test_sessions_too_many_are_closed_unheard() -> None:
    gate = asyncio.Event()

    async def wait(request: AgiRequest) -> dict[str, str]:
        await gate.wait()
        return {}

    channels = [Channel() for _ in range(5)]
    async with serving(a_registry(wait, time_limit_ms=5_000), sessions_max=3) as (server, outcomes):
        tasks = [asyncio.create_task(channel.agi(server.port, "identify")) for channel in channels]
        await until(lambda: len(outcomes) == 2)
        gate.set()
        await asyncio.gather(*tasks)
        assert sorted(outcome.result for outcome in outcomes) == ["ok"] * 3 + ["too_many"] * 2
    assert sum("CC_DONE" in channel.variables for channel in channels) == 3


async def test_a_peer_that_says_nothing_is_cut() -> None:
    async with serving(a_registry(party), session_limit_s=0.05) as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await cut_off(reader)
        writer.close()


async def test_a_peer_that_never_answers_is_cut_and_the_session_counts_as_lost() -> None:
    async with serving(a_registry(party), session_limit_s=0.1) as (server, outcomes):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"agi_network_script: identify\n\n")
        await until(lambda: outcomes)
        assert outcomes[0].result is AgiResult.LOST
        assert isinstance(outcomes[0].error, AgiSessionLost)
        writer.close()


async def test_a_peer_that_is_no_pbx_is_cut() -> None:
    async with serving(a_registry(party)) as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\nHost: x\n\n")
        assert await cut_off(reader)
        writer.close()


async def test_stopping_cuts_what_is_left_and_takes_no_more() -> None:
    async def never(request: AgiRequest) -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    async with serving(a_registry(never)) as (server, outcomes):
        port = server.port
        await Channel().agi(port, "identify")
        assert outcomes[0].result is AgiResult.LATE
        await server.stop()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", port)


def test_the_registry_describes_its_routes() -> None:
    assert a_registry(party, parameters={"since": "days"}).describe() == [
        {
            "path": "identify",
            "doc": "Who is calling.",
            "parameters": {"since": "days"},
            "reads": [],
            "returns": {"CC_PARTY": "name of the party", "CC_LANG": "language"},
            "defaults": {"CC_LANG": "en"},
            "time_limit_ms": 50,
        }
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"returns": {"SHELL(x)": "no variable"}, "defaults": {}},
        {"returns": {"CC_DONE": "not a route's"}, "defaults": {}},
        {"returns": {"CC_PARTY": "x"}, "defaults": {"CC_QUEUE": "not declared"}},
    ],
)
def test_a_route_that_is_declared_wrong_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        a_registry(party, **wrong)


def test_a_request_without_a_sane_url_has_no_path() -> None:
    assert request_of({}).path == ""
    assert request_of({"agi_network_script": "x?" + "&".join("a=1" for _ in range(100))}).path == ""
    assert request_of({"agi_network_script": "//[evil/identify"}).path in ("", "[evil/identify")

"""The floor board of 500 agents and 20 queues at 10 Hz in a real Chromium: what its renderer costs.

Run: ``python -m benchmarks.board_renderer [seconds | --quick]``. Prints a table, then JSON.
The built page, the real ``/ws`` with read model and hub; only sign-in and events are made up. The renderer is
a process: its processor time is Chromium's own count; the main thread's share is the page's
``TaskDuration``, which counts waiting for a core too. Beside it, in the same run, the same page while nothing
changes but its clocks. The memory is that after a forced collection, after a warm-up and at the end: take
some minutes to see that it stays flat.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import sys
import time
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from prometheus_client import CollectorRegistry

from app.floor.rules import Names
from app.http.pages import built_pages
from app.http.pages import router as pages
from app.http.websockets import OPTIONS, WebSocketProtocol
from app.live.tuning import loop_factory, tune_interpreter
from app.sockets.endpoints import router as sockets
from app.sockets.gateway import Gateway
from app.sockets.hub import Hub
from app.sockets.pump import Pump
from benchmarks.board_broadcast import AGENTS, QUEUES, TICK_S, Boards, OpenDoor
from benchmarks.journal import seconds_asked
from tests.browser.chromium import launch

AIM_OF_A_CORE = 0.20
IDLE_S_MAX = 10.0
WARM_UP_S = 5.0
HEIGHT_PX = 1_080
_FAMILIES, _NAMES = (
    "王林陳張李黃吳劉蔡楊",
    ("雅文", "志明", "美玉", "家豪", "Carol", "David", "Ella", "Frank"),
)


def names(boards: Boards) -> Names:
    """Return names as long as people's."""
    agents = sorted(boards.floor.agents)
    return Names(
        agents={agent: f"{_FAMILIES[at % 10]}{_NAMES[at // 10 % 8]} {at}" for at, agent in enumerate(agents)},
        queues={f"q{at}": f"Queue {at}" for at in range(QUEUES)},
    )


async def serve(pipe: Connection) -> None:
    """Serve the page; events flow while the other end of the pipe says so."""
    loop = asyncio.get_running_loop()
    now_ms = lambda: time.time_ns() // 1_000_000  # noqa: E731 (one clock for all)
    pump = Pump(Hub(epoch=1), now_ms)
    gateway = Gateway(
        pump,
        OpenDoor(),
        on_ack=lambda _principal, _pop: None,
        server_ms=now_ms,
        registry=CollectorRegistry(),
    )
    boards = Boards(pump, now_ms=now_ms)
    boards.rename(names(boards))
    app = FastAPI()
    app.state.pages = built_pages()
    app.state.server = SimpleNamespace(faces=SimpleNamespace(gateway=gateway))
    app.include_router(sockets)

    @app.get("/api/v1/session")
    async def who() -> dict[str, Any]:
        person = {"login": "bench", "display_name": "Bench", "role": "administrator", "agent_id": None}
        return {**person, "team_ids": [], "language": "en", "theme": "light"}

    @app.post("/api/v1/session/ticket")
    async def ticket() -> dict[str, str]:
        return {"ticket": "bench"}

    app.include_router(pages)
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen()
    web = uvicorn.Server(uvicorn.Config(app, log_config=None, ws=WebSocketProtocol, **OPTIONS))
    parts = [asyncio.create_task(web._serve(sockets=[door])), asyncio.create_task(pump.run())]
    pipe.send(door.getsockname()[1])
    asked = loop.run_in_executor(None, pipe.recv)
    flowing, tick_count = False, 0
    while True:
        if asked.done():
            if (word := asked.result()) == "end":
                break
            flowing = word == "flow"
            asked = loop.run_in_executor(None, pipe.recv)
        if flowing:
            boards.tick(now_ms())
            tick_count += 1
        await asyncio.sleep(TICK_S)
    pipe.send(tick_count)
    web.should_exit = True
    await parts[0]
    parts[1].cancel()


def server(pipe: Connection) -> None:
    """Run the server's process."""
    tune_interpreter()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(pipe))


class Watched:
    """One page and what its renderer has spent."""

    def __init__(self, browser: Browser, page: Page) -> None:
        self._page = page
        self._of_page: CDPSession = page.context.new_cdp_session(page)
        self._of_browser = browser.new_browser_cdp_session()
        self._of_page.send("Performance.enable")

    def _renderers_s(self) -> float:
        found = self._of_browser.send("SystemInfo.getProcessInfo")["processInfo"]
        return float(sum(each["cpuTime"] for each in found if each["type"] == "renderer"))

    def _metrics(self) -> dict[str, float]:
        found = self._of_page.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in found}

    def spent(self, seconds: float) -> dict[str, float]:
        """Watch for so long; return the shares of one core, process and main thread."""
        began_s, renderer_s, before = time.monotonic(), self._renderers_s(), self._metrics()
        self._page.wait_for_timeout(seconds * 1000)
        wall_s, after = time.monotonic() - began_s, self._metrics()
        main = {name: (after[name] - before[name]) / wall_s for name in before if name.endswith("Duration")}
        return {
            "renderer": round((self._renderers_s() - renderer_s) / wall_s, 4),
            "main_thread": round(main["TaskDuration"], 4),
            "script": round(main["ScriptDuration"], 4),
            "layout_and_style": round(main["LayoutDuration"] + main["RecalcStyleDuration"], 4),
        }

    def kept(self) -> dict[str, float]:
        """Collect the garbage; return the heap and what the document holds."""
        self._of_page.send("HeapProfiler.collectGarbage")
        found = self._metrics()
        return {
            "heap_mb": round(found["JSHeapUsedSize"] / 1e6, 2),
            "nodes": found["Nodes"],
            "listeners": found["JSEventListeners"],
        }


def measure(seconds: float) -> dict[str, Any]:
    """Show the page and return what it cost."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=server, args=(there,))
    process.start()
    try:
        port = here.recv()
        with sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": 1920, "height": HEIGHT_PX})
            page.goto(f"http://127.0.0.1:{port}/floor")
            page.locator("[role=grid] tr[id]").first.wait_for()
            watched = Watched(browser, page)
            page.wait_for_timeout(WARM_UP_S * 1000 / 2)
            idle = watched.spent(min(seconds, IDLE_S_MAX))
            here.send("flow")
            page.wait_for_timeout(WARM_UP_S * 1000)
            before = watched.kept()
            flowing = watched.spent(seconds)
            after = watched.kept()
            rows = page.locator("[role=grid] tr").count()
            browser.close()
        here.send("end")
        return {
            "agents": AGENTS,
            "queues": QUEUES,
            "seconds": seconds,
            "ticks": here.recv(),
            "rows_in_the_document": rows,
            "idle_of_a_core": idle,
            "flowing_of_a_core": flowing,
            "renderer_aim": AIM_OF_A_CORE,
            "kept_before": before,
            "kept_after": after,
        }
    finally:
        process.terminate()
        process.join()


def main() -> None:
    """Run, print a table and, last, the JSON object."""
    if "/floor" not in built_pages().paths():
        sys.exit("the pages are not built: make web")
    figures = measure(max(5.0, seconds_asked()))
    print(f"{'of one core':<14}" + "".join(f"{name:>18}" for name in figures["idle_of_a_core"]))
    for case in ("idle", "flowing"):
        print(f"{case:<14}" + "".join(f"{each:>18.1%}" for each in figures[f"{case}_of_a_core"].values()))
    print(
        f"aim: renderer at most {AIM_OF_A_CORE:.0%}; kept {figures['kept_before']} → {figures['kept_after']}"
    )
    print(json.dumps(figures))


if __name__ == "__main__":
    sys.exit(main())

"""The tour: a real demo centre at work, every page of it photographed in both languages.

``make tour`` writes ``docs/tour/*.png`` and ``docs/tour.md``, which shows them. Pages that are not in this
build are left out of both. ``python -m tests.browser.tour people`` renews the pictures of the stops it names.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from app.centre.demo import SEAT_AGENT_ID
from app.db.session import DEFAULT_TENANT
from app.demo.centre import DemoCentre, open_centre
from app.demo.seat import SeatCallers
from app.demo.server_process import ServerFailed
from app.demo.visitors import page_links
from app.http.pages import built_pages
from routing.ids import AgentId
from tests.browser.chromium import ROOT, context, launch

HOME: Final = ROOT / "docs" / "tour"
LANGUAGES: Final = ("en", "zh-Hant")
BYTES_MAX: Final = 175_000  # a page full of Chinese names
PAST_DAYS: Final = 90
CALLS_S: Final = 3_600.0  # the crowd calls until the tour is over
WARM_UP_S: Final = 45.0  # until the floor has something to show
POP_S: Final = 30.0
PHONE_S: Final = 20.0  # from coming to work to a phone that can ring
SETTLE_MS: Final = 2_500
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Stop:
    """A place of the tour.

    Attributes:
        path: The page, whose link of the demo opens it.
        then: Where to go from there; empty: stay.
        ready: What is waited for, as a CSS selector.
        says: What the reader sees there.
    """

    name: str
    path: str
    title: str
    says: str
    then: str = ""
    ready: str = "main h1, main h2, main table"


STOPS: Final = (
    Stop("sign-in", "/sign-in", "Sign in", "By login and password, or by a link that works once."),
    Stop(
        "desk",
        "/desk",
        "Agent desktop",
        "The pop as the phone rings: who calls and how surely, last contacts, notes, open promises.",
    ),
    Stop("floor", "/floor", "Floor", "Queues and agents as they are now, each figure with its formula."),
    Stop("wall", "/wall", "Wallboard", "A few large numbers for a screen on the wall."),
    Stop(
        "customers", "/customers", "Customers", "People and companies, found by any part of a name or number."
    ),
    Stop(
        "calls",
        "/calls",
        "Calls",
        "Every call; what is asked for stands in the address, and goes out as CSV or Excel.",
        ready="tbody tr",
    ),
    Stop(
        "call",
        "/calls",
        "One call",
        "Both sides of it to scale, and in a sentence why it reached this agent.",
        then="/calls?outcome=answered&wait_min=20&range=week",
        ready="tbody tr",
    ),
    Stop(
        "figures",
        "/figures",
        "Figures",
        "Service levels by all six formulas side by side; behind each number stand its calls.",
        then="/figures?range=month",
        ready="tfoot tr",
    ),
    Stop("plan", "/plan", "Planner", "Forecast, staff and what-if, by the engine that routes the calls."),
    Stop(
        "people",
        "/people",
        "People",
        "Accounts and what they may do; a new one gets a link that works once.",
        ready="tbody tr",
    ),
)


class CentreAtWork:
    """A demo centre in a thread of its own, with callers on the line."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tour centre")
        self._centre: DemoCentre | None = None
        self._running: Any = None
        self._is_open = threading.Event()
        self._over = asyncio.Event()

    def start(self) -> None:
        """Open the centre, with its past, and let customers call."""
        self._thread.start()
        self._running = asyncio.run_coroutine_threadsafe(self._run(), self._loop)
        while not self._is_open.wait(0.5):
            if self._running.done():
                self._running.result()

    def stop(self) -> None:
        """Take the centre down."""
        if self._running is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._running.result(120)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def centre(self) -> DemoCentre:
        """What runs."""
        assert self._centre is not None
        return self._centre

    def ask(self, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Run a coroutine beside the centre and return what it gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    async def _run(self) -> None:
        async with open_centre(self._data_dir, _say, past_days=PAST_DAYS) as centre:
            assert centre.past is not None
            await centre.past.recent(_say)
            async with centre.crowd(1, 5.0, rush=1.3) as crowd:
                await centre.sign_in_all()
                seat = SeatCallers(centre.pbx, crowd.tally, 1)
                self._centre = centre
                self._is_open.set()
                try:
                    async with asyncio.TaskGroup() as group:
                        working = [
                            group.create_task(crowd.play(CALLS_S)),
                            group.create_task(centre.bring_back()),
                            group.create_task(seat.run(centre.floor)),
                        ]
                        await self._over.wait()
                        for task in working:
                            task.cancel()
                finally:
                    await seat.stop()


def main(names: Sequence[str] = ()) -> int:
    """Make the tour, or only the stops of these *names*; 1 when a picture is too large."""
    HOME.mkdir(parents=True, exist_ok=True)
    there = [stop for stop in STOPS if stop.path in built_pages().paths()]
    asked = [stop for stop in there if stop.name in names or not names]
    with tempfile.TemporaryDirectory(prefix="holdless-tour-") as directory:
        work = CentreAtWork(Path(directory) / "demo")
        work.start()
        try:
            with sync_playwright() as playwright:
                browser = launch(playwright)
                threading.Event().wait(WARM_UP_S)
                for language in LANGUAGES:
                    _photograph(browser, work, asked, language)
                browser.close()
        finally:
            work.stop()
    (ROOT / "docs" / "tour.md").write_text(_page(there), encoding="utf-8")
    large = [path.name for path in HOME.glob("*.png") if path.stat().st_size > BYTES_MAX]
    if large:
        _say(f"over {BYTES_MAX // 1000} kB: {', '.join(sorted(large))}")
    return int(bool(large))


def _photograph(browser: Browser, work: CentreAtWork, there: list[Stop], language: str) -> None:
    server = work.centre.server
    links = {
        link.path: link.url
        for link in work.ask(page_links(work.centre.database, DEFAULT_TENANT, server.http_port))
    }
    for stop in there:
        with context(browser, server.url, language=language) as made:
            page = made.new_page()
            page.goto(links.get(stop.path, f"{server.url}{stop.path}"))
            if stop.path in links:
                page.wait_for_url(_is_at(stop.path))
            _settle(page, stop)
            if stop.then:
                page.goto(_on_this_host(page, stop.then))
                _settle(page, stop)
            if stop.name == "call":
                page.locator("tbody a").first.click()
                page.locator(".picture").wait_for()
            if stop.name == "desk":
                _take_a_call(page, work)
            page.wait_for_timeout(SETTLE_MS)
            page.screenshot(path=HOME / f"{stop.name}-{language}.png")
            _say(f"{stop.name} {language}")
        if stop.path in links:  # a link works once: another for the next stop on this page
            fresh = work.ask(page_links(work.centre.database, DEFAULT_TENANT, server.http_port))
            links = {link.path: link.url for link in fresh}


def _is_at(path: str) -> Callable[[str], bool]:
    """The address is this page's own, not the sign-in's on the way to it."""
    return lambda url: urlsplit(url).path == path


def _settle(page: Page, stop: Stop) -> None:
    with suppress(TimeoutError):
        page.locator(stop.ready).first.wait_for()


def _take_a_call(page: Page, work: CentreAtWork) -> None:
    """Become ready with the browser phone, and wait until the caller's pop is there."""
    chosen = page.evaluate(_CHOOSE_PHONE, SEAT_AGENT_ID)
    _say(f"the phone in the browser: {chosen}")
    centre, agent_id = work.centre, AgentId(SEAT_AGENT_ID)
    if _seat_state(work) == "signed_out":
        work.ask(centre.set_state(agent_id, "signed_in"))  # at work: the page makes its phone known
    for _ in range(round(PHONE_S)):
        page.wait_for_timeout(1_000)
        with suppress(ServerFailed):  # not reachable yet, or ready already
            work.ask(centre.set_state(agent_id, "ready"))
            break
    for _ in range(round(POP_S)):
        if _seat_state(work) in ("ringing", "talking"):
            return
        page.wait_for_timeout(1_000)
    _say("nobody rang at the seat")


def _seat_state(work: CentreAtWork) -> str:
    state: str = work.ask(work.centre.floor())["agents"].get(SEAT_AGENT_ID, {}).get("state", "signed_out")
    return state


_CHOOSE_PHONE: Final = """
async (agent) => (await fetch(`/api/v1/agents/${agent}/phone`, {
  method: 'PUT',
  headers: { 'Content-Type': 'application/json', 'X-Holdless': '1' },
  body: JSON.stringify({ kind: 'browser' }),
})).status
"""


def _on_this_host(page: Page, path: str) -> str:
    origin: str = page.evaluate("location.origin")
    return f"{origin}{path}"


def _page(there: list[Stop]) -> str:
    lines = [
        "# Tour",
        "",
        "What `make demo` shows, photographed by `make tour` on a real Asterisk with synthetic callers.",
        "`make demo` prints a link for each page; open the desk, choose the phone in the browser, become",
        "ready, and a caller rings within twenty seconds.",
        "",
    ]
    for stop in there:
        lines += [f"## {stop.title}", "", stop.says, ""]
        lines += [f"![{stop.title}, {language}](tour/{stop.name}-{language}.png)" for language in LANGUAGES]
        lines.append("")
    return "\n".join(lines)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

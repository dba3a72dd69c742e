"""From the offer, and from the ringing phone, to the pop painted in a real browser, on a real Asterisk.

Run: ``python -m benchmarks.pop_painted [--calls N | --quick]``. Prints a table, then JSON.
Callers whom the records know ring two agents one after the other; each agent's desk stands in a Chromium.
*Offer* is the server's stamp of the decision, *ring* the INVITE at the agent's phone (below zero: the pop was
there first), *pop* the card with the customer's name and record, painted: two frames after the document has
it. Beside it, in the same run and the same browser, the floor of all that: a bare socket message to the same
paint. One machine, one clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright
from websockets.asyncio.server import ServerConnection, serve

from app.http.pages import built_pages
from benchmarks.journal import quantile_ms
from telephony.sandbox.install import install
from tests.browser.chromium import context, launch
from tests.browser.visitors import agent_account, sign_in
from tests.calls.centre import CallCentre
from tests.pbx.sipp import Caller, Phone, Sipp

AIM_P95_MS: Final = 150
CALLS, CALLS_QUICK = 40, 6
AGENTS: Final = ("a1001", "a1002")
RING_MS, TALK_MS = 600, 200
NAME: Final = "王小明"
BOUND_MS: Final = 10_000
POLL_MS: Final = 50

# When each card, its caller named, came to be seen; in milliseconds since the epoch.
_WATCH = """
window.painted = {}
new MutationObserver(() => {
  const card = document.querySelector('[data-pop]:has([role=tabpanel])')
  const id = card?.dataset.pop
  if (id === undefined || id in painted) return
  if (!document.querySelector('[data-testid=who]')?.textContent.includes('NAME')) return
  painted[id] = null
  requestAnimationFrame(() => requestAnimationFrame(() => {
    painted[id] = performance.timeOrigin + performance.now()
  }))
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
"""
_BARE = """() => {
const list = document.body.appendChild(document.createElement('ul'))
window.bare = []
const socket = new WebSocket('ws://127.0.0.1:PORT')
socket.onmessage = ({ data }) => {
  const line = list.appendChild(document.createElement('li'))
  line.textContent = data
  requestAnimationFrame(() => requestAnimationFrame(() => {
    bare.push(performance.timeOrigin + performance.now() - Number(data))
  }))
}
}"""


def bare_ms(browser: Browser, count: int) -> list[float]:
    """Send *count* messages to a bare page; return how long each took to be painted, in milliseconds."""
    began, port = threading.Event(), [0]

    async def send(client: ServerConnection) -> None:
        for _ in range(count):
            await client.send(str(time.time() * 1000))
            await asyncio.sleep(0.1)

    async def run() -> None:
        async with serve(send, "127.0.0.1", 0) as door:
            port[0] = next(iter(door.sockets)).getsockname()[1]
            began.set()
            await asyncio.sleep(count * 0.1 + 5.0)

    sender = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    sender.start()
    began.wait()
    page = browser.new_page()
    page.evaluate(_BARE.replace("PORT", str(port[0])))
    page.wait_for_function(f"bare.length >= {count}", timeout=60_000)
    found: list[float] = page.evaluate("bare")
    page.close()
    return found


class Desk:
    """One agent at the desk: the page, what its socket said of pops, and what was painted."""

    def __init__(self, page: Page, agent_id: str) -> None:
        self.page, self.agent_id = page, agent_id
        self.offered_ms: dict[str, float] = {}
        page.add_init_script(_WATCH.replace("NAME", NAME))
        page.on("websocket", lambda socket: socket.on("framereceived", self._heard))
        page.goto("/desk")
        page.locator("[data-state]").wait_for()

    def _heard(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        for key, value in (message.get("changes") or {}).items():
            if key.startswith("pop/") and value is not None:
                self.offered_ms.setdefault(str(value["pop_id"]), value["made_ms"])

    def painted(self) -> dict[str, float]:
        """Return when each pop was painted."""
        found: dict[str, float | None] = self.page.evaluate("painted")
        return {pop_id: at_ms for pop_id, at_ms in found.items() if at_ms is not None}


@contextmanager
def desks(browser: Browser, centre: CallCentre) -> Iterator[list[Desk]]:
    """Every agent's desk, signed in; ready on a phone that takes every call."""
    with ExitStack() as stack:
        found = []
        for agent_id in AGENTS:
            made = stack.enter_context(context(browser, centre.url))
            sign_in(made, centre, agent_account(agent_id))
            found.append(Desk(made.new_page(), agent_id))
        yield found


def known_callers(centre: CallCentre, count: int) -> list[str]:
    """Make *count* customers with a note each; return their numbers."""
    numbers = [f"0955{at:06}" for at in range(count)]
    for at, number in enumerate(numbers):
        made = centre.require(
            "POST", "/parties", {"display_name": f"{NAME} {at}", "identifiers": [{"raw": number}]}
        )
        centre.require("POST", f"/parties/{made['party_id']}/notes", {"text": "calls about the invoice"})
    return numbers


def measure(count: int) -> dict[str, Any]:
    """Let *count* callers ring; return the milliseconds from offer and ring to paint."""
    with tempfile.TemporaryDirectory(prefix="holdless-bench-") as scratch, ExitStack() as stack:
        centre = CallCentre.opened(Path(scratch), install())
        stack.callback(centre.close)
        numbers = known_callers(centre, count)
        sipp = stack.enter_context(Sipp(centre.sandbox, Path(scratch)))
        playwright = stack.enter_context(sync_playwright())
        browser = launch(playwright)
        stack.callback(browser.close)
        bare = bare_ms(browser, count)
        with desks(browser, centre) as agents:
            phones = {
                agent_id: sipp.phone(agent_id, Phone(ring_ms=RING_MS, talk_ms=TALK_MS)) for agent_id in AGENTS
            }
            centre.ready(*AGENTS)
            for done, number in enumerate(numbers, 1):
                sipp.call(Caller(entry="8001", number=number))
                for _ in range(BOUND_MS // POLL_MS):
                    agents[0].page.wait_for_timeout(POLL_MS)
                    if sum(len(desk.painted()) for desk in agents) >= done:
                        break
                else:
                    raise AssertionError(f"{done - 1} of {count} pops were painted; then none")
                agents[0].page.wait_for_timeout(RING_MS + TALK_MS)
            rows = [
                row for desk in agents for row in _rows(desk, phones[desk.agent_id].all("received", "INVITE"))
            ]
    return {
        "calls": len(rows),
        "offer_to_pop": _quantiles([row["offer"] for row in rows]),
        "ring_to_pop": _quantiles([row["ring"] for row in rows]),
        "bare_message_to_paint": _quantiles(bare),
        "aim_p95_ms": AIM_P95_MS,
    }


def _rows(desk: Desk, rings: list[Any]) -> list[dict[str, float]]:
    """Return the milliseconds since offer and ring; each pop belongs to the ring that is nearest in time."""
    found = []
    for pop_id, painted_ms in desk.painted().items():
        offered_ms = desk.offered_ms[pop_id]
        rang_ms = min((ring.at_ms for ring in rings), key=lambda at_ms: abs(at_ms - offered_ms))
        found.append({"offer": painted_ms - offered_ms, "ring": painted_ms - rang_ms})
    return found


def _quantiles(values_ms: list[float]) -> dict[str, float]:
    in_s = [value / 1000 for value in values_ms]
    return {"p50": quantile_ms(in_s, 0.5), "p95": quantile_ms(in_s, 0.95), "max": quantile_ms(in_s, 1.0)}


def main() -> None:
    """Run, print a table and, last, the JSON object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--calls", type=int, default=CALLS)
    asked.add_argument("--quick", action="store_true")
    chosen = asked.parse_args()
    if "/desk" not in built_pages().paths():
        sys.exit("the pages are not built: make web")
    figures = measure(CALLS_QUICK if chosen.quick else chosen.calls)
    print(f"{'milliseconds':<24}{'p50':>10}{'p95':>10}{'max':>10}")
    for name, row in figures.items():
        if isinstance(row, dict):
            print(f"{name:<24}" + "".join(f"{row[each]:>10.1f}" for each in ("p50", "p95", "max")))
    print(f"aim: p95 of ring_to_pop at most {AIM_P95_MS}")
    print(json.dumps(figures))


if __name__ == "__main__":
    sys.exit(main())

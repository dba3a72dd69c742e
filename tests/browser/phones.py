"""Agents with a phone in a real browser: sign in, register, and what the phone says of itself.

The page under test is a bare one with nothing but the phone; its microphone is a tone made in the page, so
that what arrives at the other end can be told from everything else.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, TimeoutError

from tests.browser.chromium import ROOT, context
from tests.browser.visitors import agent_account, sign_in
from tests.calls.centre import CallCentre
from tests.closing import left_out
from tests.pbx.sipp import poll

BUILD_S = 120
POLL_MS = 20
BROWSER_HZ = 1_700  # above everything that the music on hold plays
PAGE = "/healthz"
SCRIPTS = "/phone-under-test"

_BUILD = """
const [entry, outDir] = process.argv.slice(1)
const { build } = await import('vite')
await build({
  configFile: false, root: process.cwd(), logLevel: 'error',
  build: { outDir, emptyOutDir: true, target: 'es2022', minify: false, modulePreload: false,
    rollupOptions: { input: entry, output: { entryFileNames: 'page.js', chunkFileNames: '[name].js' } } },
})
"""

# A microphone that sounds one tone: what the caller hears of it is measured.
TONE = """
if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
  const context = new AudioContext()
  const tone = new OscillatorNode(context, { frequency: HZ })
  const volume = new GainNode(context, { gain: 0.5 })
  const out = new MediaStreamAudioDestinationNode(context)
  tone.connect(volume).connect(out)
  tone.start()
  return out.stream
}
"""


def build_page(out: Path) -> Path:
    """Bundle the page with the product's own phone; returns the directory."""
    if not (ROOT / "web" / "node_modules" / "vite").is_dir():
        left_out("the pages' packages are not installed (make web)")
    node = subprocess.run([str(ROOT / ".ci/node")], capture_output=True, text=True, check=True).stdout.strip()
    entry = ROOT / "tests/browser/phone_page/page.ts"
    done = subprocess.run(
        [f"{node}/node", "--input-type=module", "-e", _BUILD, str(entry), str(out)],
        cwd=ROOT / "web",
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


def ask(page: Page, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask the API as the page would; returns status and body."""
    answer: dict[str, Any] = page.evaluate(
        """async ([method, path, body]) => {
          const headers = { 'X-Holdless': '1', 'Content-Type': 'application/json' }
          const sent = body === null ? {} : { body: JSON.stringify(body) }
          const got = await fetch('/api/v1' + path, { method, headers, ...sent })
          const text = await got.text()
          return { status: got.status, body: text === '' ? null : JSON.parse(text) }
        }""",
        [method, path, body],
    )
    return answer


@dataclass
class BrowserAgent:
    """One agent, one browser context, one page with a phone."""

    agent_id: str
    page: Page
    centre: CallCentre

    def open(self) -> float:
        """Load the page and wait until its phone is registered; returns how long that took, in seconds."""
        begun = time.monotonic()
        self.page.goto(f"{self.centre.server.url}{PAGE}?agent={self.agent_id}")
        return self.registered(begun)

    def reload(self) -> float:
        """Reload the page, as a person does in mid-call; returns how long until it is registered again."""
        begun = time.monotonic()
        self.page.reload()
        return self.registered(begun)

    def registered(self, begun_s: float) -> float:
        """Wait until the phone is registered; returns the seconds since *begun_s*."""
        self.wait("window.phone?.state.link === 'registered'")
        return time.monotonic() - begun_s

    def wait(self, condition: str, bound_s: float = 10) -> None:
        """Wait until a condition of the page holds."""
        try:
            self.page.wait_for_function(condition, timeout=bound_s * 1000, polling=20)
        except TimeoutError as error:
            states = self.page.evaluate("JSON.stringify(window.states)")
            raise AssertionError(f"{self.agent_id}: not {condition}; the phone went {states}") from error

    def wait_phase(self, phase: str | None, bound_s: float = 10) -> None:
        """Wait until the call on the device is in a phase; None: until there is none."""
        wanted = "null" if phase is None else f"'{phase}'"
        self.wait(f"(window.phone?.state.call?.phase ?? null) === {wanted}", bound_s)

    def do(self, what: str) -> None:
        """Do something with the phone, for instance ``answer()``."""
        self.page.evaluate(f"async () => {{ await window.phone.{what} }}")

    def state(self) -> dict[str, Any]:
        """What the phone says of itself."""
        found: dict[str, Any] = self.page.evaluate("window.phone.state")
        return found

    def hears(self) -> float:
        """The energy of what is heard in the page, root mean square."""
        found: float = self.page.evaluate("window.phone.levels()?.heard ?? 0")
        return found

    def until(
        self, condition: Callable[[], bool], bound_s: float = 10, why: Callable[[], str] = str
    ) -> float:
        """Wait until a condition of the test holds, the page going on meanwhile; returns the seconds."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() - begun < bound_s, why() or f"not within {bound_s} s: {self.state()}"
            self.page.wait_for_timeout(POLL_MS)
        return time.monotonic() - begun

    def wait_hearing(self, above: float, bound_s: float = 5) -> None:
        """Wait until the page hears more than *above*."""
        self.until(lambda: self.hears() > above, bound_s, lambda: f"{self.agent_id} hears {self.hears()}")


@contextmanager
def browser_agent(
    browser: Browser, centre: CallCentre, bundle: Path, agent_id: str, *, tone_hz: int | None = BROWSER_HZ
) -> Iterator[BrowserAgent]:
    """An agent whose chosen phone is the browser, signed in on a page of its own; ``open`` registers it.

    Args:
        bundle: From ``build_page``.
        tone_hz: What the microphone sounds; None: the browser's own fake device.
    """
    with context(browser, centre.server.url, bypass_csp=True) as made:
        _serve_page(made, bundle)
        if tone_hz is not None:
            made.add_init_script(TONE.replace("HZ", str(tone_hz)))
        sign_in(made, centre, agent_account(agent_id))
        centre.require("PUT", f"/agents/{agent_id}/phone", {"kind": "browser"})
        page = made.new_page()
        agent = BrowserAgent(agent_id, page, centre)
        try:
            yield agent
        finally:
            page.goto("about:blank")
            centre.hang_up_all()
            desk_again(centre, agent_id)


def desk_again(centre: CallCentre, agent_id: str) -> None:
    """Ring the agent at the desk again, once the last call is over."""

    def done() -> bool:
        return centre.ask("PUT", f"/agents/{agent_id}/phone", {"kind": "desk"})[0] == 200

    poll(done, 20)


def _serve_page(made: BrowserContext, bundle: Path) -> None:
    """Put the phone into a page that the server itself sent: from a made-up one no socket may be opened."""
    made.add_init_script(
        f"""if (location.protocol === 'http:')
          document.addEventListener('DOMContentLoaded', () => import('{SCRIPTS}/page.js'))"""
    )
    made.route(
        f"**{SCRIPTS}/*.js",
        lambda route: route.fulfill(
            path=bundle / route.request.url.split("?")[0].rpartition("/")[2], content_type="text/javascript"
        ),
    )

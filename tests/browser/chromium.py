"""A real Chromium under test: how it is started, what it must not say, and how a page is looked at.

Every page made here collects what the browser complains of (errors, refused scripts and styles, broken
policies); a test that ends with complaints fails.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.closing import left_out

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "test-results" / "screens"
_AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
# What a page may see without a fault of its own: answers that are refusals, and a server that is stopped.
_HARMLESS = re.compile(r"Failed to load resource|WebSocket connection to|net::ERR_")

_RUN_AXE = """
async () => {
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
  const { violations } = await axe.run(document, { runOnly: rules })
  const place = (node) => `${node.target.join(' ')}: ${node.failureSummary ?? ''}`
  return violations.map((each) => [each.id, each.nodes.map(place)])
}
"""

Scheme = Literal["light", "dark"]


def launch(playwright: Playwright, *more_flags: str) -> Browser:
    """Start the machine's Chromium; the test is left out where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        left_out("no Chromium on this machine (Debian: apt-get install chromium)")
    return playwright.chromium.launch(executable_path=path, args=[*_FLAGS, *more_flags])


@contextmanager
def context(
    browser: Browser,
    base_url: str,
    *,
    language: str = "en",
    scheme: Scheme = "light",
    width: int = 1280,
    height: int = 720,
    **more: Any,
) -> Iterator[BrowserContext]:
    """One person's browser: cookies of their own, the microphone allowed, complaints collected."""
    made = browser.new_context(
        base_url=base_url,
        locale="zh-TW" if language == "zh-Hant" else "en-GB",
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        permissions=["microphone"],
        **more,
    )
    made.set_default_timeout(15_000)
    complaints: list[str] = []
    made.on("weberror", lambda error: complaints.append(f"uncaught: {error.error}"))
    made.on(
        "console",
        lambda said: (
            complaints.append(f"{said.type}: {said.text}")
            if said.type == "error" and not _HARMLESS.search(said.text)
            else None
        ),
    )
    try:
        yield made
        assert not complaints, complaints
    finally:
        made.close()


def screenshot(page: Page, name: str) -> Path:
    """Keep what the page shows now; returns the file."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    path = SCREENS / f"{name}.png"
    page.screenshot(path=path)
    return path


def assert_accessible(page: Page) -> None:
    """Hold the page against axe's rules of WCAG 2.2 AA; name every place that breaks one."""
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate(_RUN_AXE)
    assert not found, found


def assert_fits(page: Page) -> None:
    """The page has no scroll bar across at this width."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, f"the page is {wide} px wider than the window"

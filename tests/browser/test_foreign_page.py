"""A page of somebody else's in the browser of one who is signed in: what it tries is refused, and told.

The browser itself keeps much of this away (it withholds the cookie from another site, and the answer from any
other origin), so the worst place is tried too: another port of this machine, which browsers take for the same
site and send the cookie to.
"""

from __future__ import annotations

import re
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.served import Served
from tests.browser.test_sign_in_page import PIA, link_for

pytestmark = pytest.mark.db

_PAGE = b"""<!doctype html><title>prize</title>
<form method="post" enctype="text/plain"><input name='{"theme":"dark","x":"' value='"}'></form>"""

_TRY = """
async (target) => {
  const tries = {}
  const attempt = async (name, ask) => {
    try { tries[name] = await ask() } catch (error) { tries[name] = 'refused' }
  }
  const ask = async (path, options) => {
    const answer = await fetch(target + path, { credentials: 'include', ...options })
    return answer.type === 'opaque' ? 'opaque' : answer.status
  }
  const plain = { 'Content-Type': 'text/plain' }
  const own = { 'Content-Type': 'application/json', 'X-Holdless': '1' }
  const dark = JSON.stringify({ theme: 'dark' })
  await attempt('read', () => ask('/api/v1/session', {}))
  await attempt('read blindly', () => ask('/api/v1/session', { mode: 'no-cors' }))
  await attempt('change', () => ask('/api/v1/session', { method: 'PATCH', headers: own, body: dark }))
  await attempt('ticket', () => ask('/api/v1/session/ticket', { method: 'POST', headers: own, body: '{}' }))
  await attempt('post blindly', () =>
    ask('/api/v1/session/ticket', { method: 'POST', mode: 'no-cors', headers: plain, body: '{}' }))
  await attempt('sign out', () => ask('/api/v1/session', { method: 'DELETE', headers: own }))
  await attempt('frame', () => new Promise((resolve) => {
    const frame = document.createElement('iframe')
    frame.src = target + '/plan'
    frame.onload = () => {
      try { resolve(frame.contentDocument === null ? 'refused' : frame.contentDocument.title) }
      catch { resolve('refused') }
    }
    document.body.append(frame)
  }))
  const socket = (path, protocols) => new Promise((resolve) => {
    const opened = new WebSocket(target.replace('http', 'ws') + path, protocols)
    opened.onopen = () => resolve('opened')
    opened.onclose = () => resolve('refused')
  })
  await attempt('socket', () => socket('/ws', []))
  await attempt('phone', () => socket('/phone', ['sip', 'ticket.' + 'a'.repeat(43)]))
  return tries
}
"""


@pytest.fixture(scope="module")
def foreign_port() -> Iterator[int]:
    """A web server of somebody else's on this machine."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(_PAGE)

        def log_message(self, *_: Any) -> None:
            return

    web = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    yield web.server_port
    web.shutdown()
    thread.join(5)
    web.server_close()


def _log(served: Served) -> str:
    return (served.data_dir / "server.log").read_text(encoding="utf-8", errors="replace")


def _answers(served: Served) -> dict[tuple[str, str, int], float]:
    """Count the server's answers so far, by method, route and status."""
    with urllib.request.urlopen(f"{served.url}/metrics") as answer:
        text = answer.read().decode()
    line = re.compile(r'holdless_http_requests_total{method="(\w+)",route="(\S+)",status="(\d+)"} (\S+)')
    return {(method, route, int(status)): float(count) for method, route, status, count in line.findall(text)}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_foreign_page_gets_nothing_with_the_cookie_of_one_who_is_signed_in(
    browser: Browser, served: Served, foreign_port: int, host: str
) -> None:
    person = browser.new_context(base_url=served.url)  # what this page meets, the browser complains of
    ours = person.new_page()
    ours.goto(link_for(served, "session", PIA))
    ours.wait_for_url("**/plan")
    theirs = person.new_page()
    theirs.goto(f"http://{host}:{foreign_port}/")
    log_length, before = len(_log(served)), _answers(served)
    tries = theirs.evaluate(_TRY, served.url)
    assert tries == dict.fromkeys(tries, "refused")
    assert len(tries) == 9
    # On another port of the same host the cookie comes along, to be of no use; another site has none to send.
    new = {key: count - before.get(key, 0) for key, count in _answers(served).items()}
    refused = 403 if host == "127.0.0.1" else 401
    assert new["POST", "/api/v1/session/ticket", refused] == 1, "asked blindly; the others were not even sent"
    assert new.get(("POST", "/api/v1/session/ticket", 200), 0) == 0
    theirs.evaluate(
        "(target) => { const form = document.forms[0]; form.action = target; form.submit() }",
        f"{served.url}/api/v1/session/password",
    )
    expect(theirs.locator("body")).to_contain_text("error_id")
    told = _log(served)[log_length:]
    assert all(part in told for part in ("a foreign page was refused", f"{host}:{foreign_port}", "/ws"))
    ours.reload()
    expect(ours).to_have_url(f"{served.url}/plan")
    session = ours.evaluate("async () => (await fetch('/api/v1/session')).json()")
    assert (session["login"], session["theme"]) == ("pia", "system"), "nothing was changed"
    person.close()

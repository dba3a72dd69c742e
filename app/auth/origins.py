"""Which pages are our own: the list of origins whose browsers may use a session. Pure.

A browser names the origin of the page that asks, and no page can name another one. A session's cookie is
``Secure``, so an origin is ``https``, or the machine itself, where browsers take plain http for secure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ORIGINS_MAX = 20
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
CSRF_HEADER = "x-holdless"

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]{0,252}))(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def origin(text: str) -> str:
    """Return *text* as browsers write an origin.

    Raises:
        ValueError: it is none, or one on which browsers would not keep the cookie of a session.

    >>> origin("HTTPS://Centre.example:443/")
    'https://centre.example'
    """
    written = _normal(text.strip().removesuffix("/"))
    if written is None:
        raise ValueError(f"{text!r} is not an origin: write https://name or https://name:port")
    if not is_secure(written):
        raise ValueError(
            f"{text!r} is plain http, over which browsers keep no session: put TLS in front of the server"
            " and write the https address"
        )
    return written


def is_secure(written: str) -> bool:
    """Say whether browsers keep a ``Secure`` cookie of this origin.

    >>> [is_secure(each) for each in ("https://a.example", "http://localhost:8080", "http://10.0.0.5")]
    [True, True, False]
    """
    found = _ORIGIN.fullmatch(written)
    return found is not None and (found["scheme"] == "https" or found["host"] in LOOPBACK_HOSTS)


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins of our own pages."""

    allowed: frozenset[str]

    @classmethod
    def of(cls, named: Iterable[str], port: int) -> Origins:
        """Return the origins that are *named*; when none is, this machine's own on *port*."""
        given = frozenset(named)
        own = (_normal(f"http://{host}:{port}") for host in LOOPBACK_HOSTS)
        return cls(given or frozenset(each for each in own if each is not None))

    def problem(self, sent: str | None) -> str | None:
        """Return the ``error_id`` of what is wrong with an ``Origin`` header; None: it is our own.

        >>> ours = Origins.of((), 8080)
        >>> [ours.problem(sent) for sent in ("http://localhost:8080", "http://10.0.0.5:8080", "null", None)]
        [None, 'insecure_origin', 'foreign_origin', 'foreign_origin']
        """
        written = _normal(sent) if sent is not None else None
        if written in self.allowed:
            return None
        return "foreign_origin" if written is None or is_secure(written) else "insecure_origin"

    def allow_handshake(self, headers: Mapping[str, str]) -> bool:
        """Say whether a WebSocket may be opened: no foreign page asks for it.

        Who sends no ``Origin`` is no browser, has no cookie that a page could misuse, and needs a ticket.
        """
        sent = headers.get("origin")
        return sent is None or self.problem(sent) is None

    @property
    def first(self) -> str:
        """The address to print where a link to a page is wanted."""
        preferred = [each for each in self.allowed if each.startswith("http://127.0.0.1")]
        return (preferred or sorted(self.allowed))[0]


def _normal(text: str) -> str | None:
    found = _ORIGIN.fullmatch(text[:300].lower())
    if found is None:
        return None
    port = found["port"]
    tail = "" if port is None or port == _DEFAULT_PORTS[found["scheme"]] else f":{int(port)}"
    return f"{found['scheme']}://{found['host']}{tail}"

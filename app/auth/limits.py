"""How often somebody may try: per login, known or not, and per client address. Bounded tables in memory.

A try counts before it is made and is forgiven when it succeeds, so that many at once are no way around it.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from app.auth.rules import wait_after

KEYS_MAX: Final = 20_000
FORGOTTEN_AFTER_MS: Final = 60 * 60_000
ADDRESS_TRIES_MAX: Final = 40  # an office behind one address that mistypes on a Monday morning
ADDRESS_TRY_BACK_MS: Final = 6_000


@dataclass(slots=True)
class _Tries:
    count: int
    last_ms: int


class LoginLimit:
    """Wrong passwords in a row, by login. The waits are those of ``rules.wait_after``."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, _Tries] = OrderedDict()  # longest untried first

    def wait_ms(self, login: str, now_ms: int) -> int:
        """Return for how long this login is not to be tried; 0: it may be."""
        tries = self._tries.get(login)
        if tries is None or now_ms - tries.last_ms >= FORGOTTEN_AFTER_MS:
            return 0
        return max(0, tries.last_ms + wait_after(tries.count) - now_ms)

    def tried(self, login: str, now_ms: int) -> int:
        """Count a try; return how many in a row these are."""
        tries = self._tries.pop(login, None)
        if tries is None or now_ms - tries.last_ms >= FORGOTTEN_AFTER_MS:
            tries = _Tries(0, now_ms)
        tries.count, tries.last_ms = tries.count + 1, now_ms
        self._tries[login] = tries
        while len(self._tries) > KEYS_MAX:
            self._tries.popitem(last=False)
        return tries.count

    def succeeded(self, login: str) -> None:
        """Forget the tries of a login that has been shown to be one's own."""
        self._tries.pop(login, None)


class AddressLimit:
    """Wrong tries of one client address: a bucket of tries that fills up again with time."""

    def __init__(self) -> None:
        self._empty_until: OrderedDict[str, int] = OrderedDict()  # least recently tried first

    def wait_ms(self, address: str, now_ms: int) -> int:
        """Return for how long this address is not to try; 0: it may."""
        until_ms = self._empty_until.get(_network(address), 0)
        room_ms = (ADDRESS_TRIES_MAX - 1) * ADDRESS_TRY_BACK_MS
        return max(0, until_ms - room_ms - now_ms)

    def tried(self, address: str, now_ms: int) -> None:
        """Count a try."""
        key = _network(address)
        self._empty_until[key] = max(self._empty_until.pop(key, 0), now_ms) + ADDRESS_TRY_BACK_MS
        while len(self._empty_until) > KEYS_MAX:
            self._empty_until.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Give a try back."""
        key = _network(address)
        if key in self._empty_until:
            self._empty_until[key] -= ADDRESS_TRY_BACK_MS


def _network(address: str) -> str:
    """Return what one client has of addresses: of IPv6 a whole network of 64 bits."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)

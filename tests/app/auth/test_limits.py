"""How often somebody may try."""

from __future__ import annotations

import pytest

from app.auth import limits as module
from app.auth.limits import (
    ADDRESS_TRIES_MAX,
    ADDRESS_TRY_BACK_MS,
    FORGOTTEN_AFTER_MS,
    AddressLimit,
    LoginLimit,
)


def test_a_login_waits_after_the_fifth_wrong_password_and_longer_each_time() -> None:
    limit = LoginLimit()
    for _ in range(4):
        limit.tried("ann", 0)
        assert limit.wait_ms("ann", 0) == 0
    limit.tried("ann", 0)
    assert limit.wait_ms("ann", 0) == 30_000
    assert limit.wait_ms("ann", 29_999) == 1
    assert limit.wait_ms("ann", 30_000) == 0
    limit.tried("ann", 30_000)
    assert limit.wait_ms("ann", 30_000) == 60_000
    assert limit.wait_ms("bob", 30_000) == 0


def test_success_and_an_hour_make_a_login_new() -> None:
    limit = LoginLimit()
    for _ in range(9):
        limit.tried("ann", 0)
    assert limit.wait_ms("ann", FORGOTTEN_AFTER_MS) == 0
    assert limit.tried("ann", FORGOTTEN_AFTER_MS) == 1
    limit.succeeded("ann")
    assert limit.tried("ann", FORGOTTEN_AFTER_MS) == 1


def test_an_address_has_a_bucket_that_fills_again() -> None:
    limit = AddressLimit()
    for _ in range(ADDRESS_TRIES_MAX):
        assert limit.wait_ms("192.0.2.1", 0) == 0
        limit.tried("192.0.2.1", 0)
    assert limit.wait_ms("192.0.2.1", 0) == ADDRESS_TRY_BACK_MS
    assert limit.wait_ms("192.0.2.2", 0) == 0
    assert limit.wait_ms("192.0.2.1", ADDRESS_TRY_BACK_MS) == 0


def test_who_succeeds_is_never_kept_waiting() -> None:
    limit = AddressLimit()
    for _ in range(10 * ADDRESS_TRIES_MAX):
        assert limit.wait_ms("192.0.2.1", 0) == 0
        limit.tried("192.0.2.1", 0)
        limit.succeeded("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("no address", "no address", True),
    ],
)
def test_one_client_is_one_network(one: str, other: str, same: bool) -> None:
    assert (module._network(one) == module._network(other)) is same


def test_the_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 100)
    logins, addresses = LoginLimit(), AddressLimit()
    for number in range(1_000):
        logins.tried(str(number), number)
        addresses.tried(f"192.0.{number // 250}.{number % 250}", number)
    assert len(logins._tries) == len(addresses._empty_until) == 100

"""Passwords become argon2id hashes in a worker thread, few at a time: 46 MiB and tens of milliseconds each.

The library lets go of the interpreter while it works, so that the loop turns on. Who comes when too many
wait is told to come again, so that a flood of sign-ins takes neither all memory nor all threads.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from app.auth.rules import PASSWORD_CHARS_MAX, normal_password
from app.http.errors import ApiError

MEMORY_KIB: Final = 47_104
PASSES: Final = 2
WAITING_MAX: Final = 200  # a whole shift that signs in at the same moment
_AT_ONCE: Final = 1 if (os.cpu_count() or 1) <= 2 else 2
_T = TypeVar("_T")


class Hasher:
    """Hashes and compares passwords, with the memory and passes that OWASP asks for or more."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._waiting_count = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash of a password that the rules allow."""
        return await self._work(lambda: self._argon2.hash(normal_password(password)))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Say whether *password* is the one that *kept* is the hash of.

        None (there is no such account, or it has no password) takes the same work and is never true.
        """
        if self._nobodys is None:
            self._nobodys = await self._work(lambda: self._argon2.hash("nobody has this password"))
        compared = kept if kept is not None else self._nobodys
        tried = normal_password(password[: PASSWORD_CHARS_MAX + 1])
        return await self._work(lambda: self._is_same(compared, tried)) and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Say whether *kept* was made with less work than is asked for now."""
        return self._argon2.check_needs_rehash(kept)

    def _is_same(self, kept: str, password: str) -> bool:
        try:
            return self._argon2.verify(kept, password)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError):
            return False  # a row written by hand lets nobody in

    async def _work(self, job: Callable[[], _T]) -> _T:
        """Do *job* in its turn. A request that is given up does not free its place before it is done."""
        if self._waiting_count >= WAITING_MAX:
            raise ApiError(503, "too_busy", "too many sign in at once", headers={"Retry-After": "2"})
        self._waiting_count += 1
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(job)))

    async def _in_turn(self, job: Callable[[], _T]) -> _T:
        try:
            async with self._at_once:
                return await asyncio.to_thread(job)
        finally:
            self._waiting_count -= 1

"""What a login and a password may be, how long wrong ones keep somebody waiting, what an account may become.

Pure. Length is what makes a password hard to guess; which kinds of characters it has is nobody's business
(NIST SP 800-63B, section 5.1.1.2). What everybody tries first is refused, and so is one's own name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from app.auth.permissions import Role

LOGIN_CHARS_MAX: Final = 64
PASSWORD_CHARS_MIN: Final = 12
PASSWORD_CHARS_MAX: Final = 256  # beyond it a text is no password, and hashing it is work for nothing
DIFFERENT_CHARS_MIN: Final = 5

FREE_FAILURES: Final = 4  # so many wrong passwords in a row are typing errors
_FIRST_WAIT_MS: Final = 30_000
WAIT_MAX_MS: Final = 15 * 60_000

_LOGIN = re.compile(r"[\w.@+-]{1,64}")
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb",
)
# Of the lists that attackers begin with, those that are long enough; digits at the end are taken off first.
_COMMON: Final = frozenset(
    {
        *("password", "passwordpassword", "passw0rd", "adminadmin", "administrator", "adminadminadmin"),
        *("letmein", "letmeinletmein", "welcome", "welcomewelcome", "changeme", "changemechangeme"),
        *("iloveyou", "iloveyouiloveyou", "qwerty", "qwertyqwerty", "asterisk", "asteriskasterisk"),
        *("holdless", "holdlessholdless", "callcenter", "callcentre", "contactcenter", "contactcentre"),
        *(
            "secret",
            "secretsecret",
            "correcthorsebatterystaple",
            "trustno",
            "superman",
            "football",
            "sunshine",
        ),
    }
)


def folded(login: str) -> str | None:
    """Return *login* as it is stored and compared; None when it cannot be one.

    >>> folded(" Ann.Lee ")
    'ann.lee'
    >>> folded("ann lee") is None
    True
    """
    if len(login) > 4 * LOGIN_CHARS_MAX:
        return None
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", login.strip()).casefold())
    return text if _LOGIN.fullmatch(text) else None


def normal_password(password: str) -> str:
    """Return *password* as it is hashed: the same whatever keyboard composed its characters."""
    return unicodedata.normalize("NFC", password)


def password_problem(password: str, *names: str) -> str | None:
    """Return the ``error_id`` of what is wrong with a new password; None: it may be used.

    Args:
        names: Login and display name, which everybody knows.

    >>> password_problem("rain on a tin roof", "ann") is None
    True
    >>> password_problem("password2026", "ann")
    'password_common'
    """
    text = normal_password(password)
    if len(text) < PASSWORD_CHARS_MIN:
        return "password_short"
    if len(text) > PASSWORD_CHARS_MAX:
        return "password_long"
    plain = text.casefold()
    if len(set(plain)) < DIFFERENT_CHARS_MIN or _is_common(plain):
        return "password_common"
    for name in names:
        known = name.casefold().strip()
        if len(known) >= 3 and known in plain and len(plain.replace(known, "")) < PASSWORD_CHARS_MIN - 4:
            return "password_is_name"
    return None


def _is_common(plain: str) -> bool:
    bare = re.sub(r"[\W_]", "", plain)
    kernel = bare.strip("0123456789")
    if bare in _COMMON or kernel in _COMMON or not bare:
        return True
    return any(bare in run or bare in run[::-1] or (bare * 2) in (run * 2) for run in _RUNS)


def wait_after(failed_count: int) -> int:
    """Return for how many milliseconds nothing is tried after so many wrong passwords in a row.

    >>> [wait_after(count) // 1000 for count in (4, 5, 6, 9, 10, 1000)]
    [0, 30, 60, 480, 900, 900]
    """
    if failed_count <= FREE_FAILURES:
        return 0
    return min(_FIRST_WAIT_MS << min(failed_count - FREE_FAILURES - 1, 10), WAIT_MAX_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """As much of an account as decides what it may become."""

    role: Role
    is_disabled: bool = False
    agent_id: str | None = None
    team_ids: frozenset[str] = frozenset()


def change_problem(
    before: Standing | None, after: Standing, *, is_oneself: bool, other_administrator_count: int
) -> str | None:
    """Return the ``error_id`` of why an account may not become *after*; None: it may.

    Args:
        before: What it is; None when it is new.
        is_oneself: Whoever asks changes their own account.
        other_administrator_count: Administrators besides this one who are not disabled.
    """
    if after.role is Role.INTEGRATION:
        return "role_needs_key"  # programs have keys, people accounts
    if after.role is Role.AGENT and after.agent_id is None:
        return "agent_missing"
    if after.agent_id is not None and after.role not in (Role.AGENT, Role.SUPERVISOR):
        return "agent_not_of_role"
    if after.team_ids and after.role is not Role.SUPERVISOR:
        return "teams_not_of_role"
    if before is None:
        return None
    if is_oneself and after.is_disabled and not before.is_disabled:
        return "own_account"
    was_administrator = before.role is Role.ADMINISTRATOR and not before.is_disabled
    is_administrator = after.role is Role.ADMINISTRATOR and not after.is_disabled
    if was_administrator and not is_administrator and other_administrator_count == 0:
        return "last_administrator"
    return None


def needs_new_sign_in(before: Standing, after: Standing) -> bool:
    """Say whether a change alters what a session may do, so that it has to begin anew."""
    return before != after

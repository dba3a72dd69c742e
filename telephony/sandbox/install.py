"""Find Asterisk 20 or newer on PATH, else fetch it from Debian's ``sid`` suite into a cache.

No root and no container: a private apt state downloads the packages, ``dpkg-deb -x`` unpacks them
into one directory, and the programs run through that directory's own loader and libraries. The
directory appears by one rename after everything in it is complete, under a lock, so that two
installs at once fetch once and a broken one leaves nothing that looks whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from telephony.sandbox.apt import PrivateApt
from telephony.sandbox.errors import SandboxError

Progress = Callable[[str, float], None]
"""Called with a stage (a few words) and its share done in [0, 1]."""

ASTERISK_MAJOR_MIN = 20
LAYOUT_VERSION = 1  # raise it when what stands in the cache changes; old caches are then left alone
PACKAGES = ("asterisk", "asterisk-core-sounds-en-gsm", "sip-tester")
_PROBE_TIMEOUT_S = 20
_VERSION = re.compile(r"Asterisk\D*(\d+)\.(\d+)[.\d]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Where the programs are and how to start them.

    Attributes:
        version: As the program tells, for instance ``22.10.1``.
        asterisk: The words in front of Asterisk's own arguments (loader, library path, program).
        sipp: The same for sipp; empty when there is none (only tests need it).
        modules_dir: Asterisk's loadable modules.
        data_dir: Asterisk's sounds and documentation.
        origin: ``path`` (found on PATH) or ``cache`` (fetched).
    """

    version: str
    asterisk: tuple[str, ...]
    sipp: tuple[str, ...]
    modules_dir: str
    data_dir: str
    origin: str

    def has_module(self, name: str) -> bool:
        """Tell whether the module (``res_srtp``) is there to be loaded."""
        return (Path(self.modules_dir) / f"{name}.so").is_file()


def cache_dir() -> Path:
    """Return where fetched programs live: ``HOLDLESS_CACHE_DIR``, else ``~/.cache/holdless``."""
    if named := os.environ.get("HOLDLESS_CACHE_DIR"):
        return Path(named).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdless"


def install(progress: Progress | None = None) -> Programs:
    """Return the programs, fetching them first when the machine has none.

    Raises:
        SandboxError: Asterisk cannot be had here; the text says what to do.
    """
    tell = progress or (lambda _stage, _share: None)
    found = installed()
    if found is not None:
        return found
    _require_debian_tools()
    home = _tree()
    home.parent.mkdir(parents=True, exist_ok=True)
    with _locked(home.parent / "asterisk.lock", lambda: tell("waiting for another install", 0.0)):
        found = installed()
        if found is not None:
            return found
        return _fetch(home, tell)


def installed() -> Programs | None:
    """Return the programs that are here already: on PATH, else in the cache; None when neither is."""
    return _on_path() or _in_cache(_tree())


def _tree() -> Path:
    return cache_dir() / f"asterisk-sid-{platform.machine()}-{LAYOUT_VERSION}"


def _fetch(home: Path, tell: Progress) -> Programs:
    """Download, unpack, try out; then let the finished directory appear by one rename."""
    work = home.with_name(home.name + ".partial")
    work.mkdir(parents=True, exist_ok=True)
    apt = PrivateApt(work / "apt")
    tell("reading the package lists", 0.0)
    apt.update()
    archives = apt.download(PACKAGES, lambda share: tell("downloading Asterisk", share))
    root = work / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for done, archive in enumerate(archives):
        tell("unpacking", done / len(archives))
        _run(["dpkg-deb", "-x", str(archive), str(root)], "unpack a package")
    _link_merged_usr(root)
    tell("trying it out", 0.0)
    shutil.rmtree(work / "apt")
    shutil.rmtree(home, ignore_errors=True)
    work.rename(home)
    programs = _programs_in(home / "root")
    (home / "complete.json").write_text(json.dumps(asdict(programs), indent=1), encoding="utf-8")
    tell("installed", 1.0)
    return programs


def _link_merged_usr(root: Path) -> None:
    """Make ``lib``, ``lib64``, ``bin`` and ``sbin`` mean ``usr/…`` where no package brought the link."""
    for name in ("lib", "lib64", "bin", "sbin"):
        if not (root / name).exists() and (root / "usr" / name).is_dir():
            (root / name).symlink_to(f"usr/{name}")


def _programs_in(root: Path) -> Programs:
    loader = _first(root, ("usr/lib64/ld-linux-*.so.*", "usr/lib/ld-linux-*.so.*"), "the loader")
    libraries = _first(root, ("usr/lib/*/libc.so.6",), "the C library").parent
    through = (str(loader), "--library-path", str(libraries))
    asterisk = (*through, str(_first(root, ("usr/sbin/asterisk",), "asterisk")))
    sipp = (*through, str(_first(root, ("usr/bin/sipp",), "sipp")))
    version = _asterisk_version(asterisk)
    if version is None:
        raise SandboxError(f"the Asterisk unpacked into {root} does not start; remove it and install again")
    modules = _first(root, ("usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules"), "Asterisk's modules")
    return Programs(
        version=version,
        asterisk=asterisk,
        sipp=sipp,
        modules_dir=str(modules),
        data_dir=str(root / "usr/share/asterisk"),
        origin="cache",
    )


def _first(root: Path, patterns: tuple[str, ...], what: str) -> Path:
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            return path
    raise SandboxError(f"{what} is missing from the unpacked packages in {root}; remove it and install again")


def _in_cache(home: Path) -> Programs | None:
    try:
        body = json.loads((home / "complete.json").read_text(encoding="utf-8"))
        programs = Programs(**{**body, "asterisk": tuple(body["asterisk"]), "sipp": tuple(body["sipp"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return programs if Path(programs.asterisk[-1]).is_file() else None


def _on_path() -> Programs | None:
    """Return the machine's own Asterisk when it is new enough and its modules are where they should be."""
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    program = shutil.which("asterisk", path=search)
    version = _asterisk_version((program,)) if program else None
    if program is None or version is None or int(version.split(".")[0]) < ASTERISK_MAJOR_MIN:
        return None
    prefix = Path(program).resolve().parent.parent
    modules = [
        path.parent
        for pattern in ("lib/*/asterisk/modules", "lib/asterisk/modules", "lib64/asterisk/modules")
        for path in sorted(prefix.glob(f"{pattern}/chan_pjsip.so"))
    ]
    data = [path for path in (prefix / "share/asterisk", Path("/var/lib/asterisk")) if path.is_dir()]
    if not modules or not data:
        return None
    sipp = shutil.which("sipp", path=search)
    return Programs(
        version=version,
        asterisk=(program,),
        sipp=(sipp,) if sipp else (),
        modules_dir=str(modules[0]),
        data_dir=str(data[0]),
        origin="path",
    )


def _asterisk_version(argv: tuple[str, ...]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            [*argv, "-V"], capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    return found.group(0).split()[-1] if found else None


def _require_debian_tools() -> None:
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise SandboxError(
            f"no Asterisk {ASTERISK_MAJOR_MIN} or newer on PATH, and {' and '.join(missing)} to fetch one "
            "with is missing: install Asterisk by the system's own means, or work on Debian"
        )


def _run(argv: list[str], what: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SandboxError(f"could not {what}: {done.stderr.strip()[-500:]}")


@contextmanager
def _locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock; it falls with the process, so that a killed install blocks nobody."""
    with path.open("w") as handle:
        if not _try_lock(handle):
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _try_lock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

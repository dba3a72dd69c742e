"""A private apt: its own state, lists and archives, Debian's ``sid`` suite from the machine's mirror.

The mirror, proxy and credentials are those of the machine's own apt configuration, so that what
works for the machine works here. Addresses may hold credentials and therefore stand in no message.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from telephony.sandbox.errors import SandboxError

SUITE = "sid"
DOWNLOAD_TRIES_MAX = 3  # the suite moves while we read it: a package may be gone between list and fetch
_SLOW_S = 1800
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
_ONE_LINE = re.compile(r"^\s*deb\s+(?:\[[^]]*\]\s+)?(\S+)\s", re.MULTILINE)
_DEB822 = re.compile(r"^URIs:\s*(\S+)", re.MULTILINE)
_ADDRESS = re.compile(r"[a-z+]+://\S+")


class PrivateApt:
    """One private apt state in a directory of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._archives = home / "cache" / "archives"
        for part in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d"):
            (home / part).mkdir(parents=True, exist_ok=True)
        (home / "state" / "status").touch()
        (home / "etc" / "sources.list").write_text(_source_line(), encoding="utf-8")

    def update(self) -> None:
        """Read the package lists.

        Raises:
            SandboxError: the mirror cannot be reached or does not carry the suite.
        """
        done = self._run(["update"])
        if done.returncode or not any((self._home / "state/lists").glob("*_Packages*")):
            raise SandboxError(
                "the machine's Debian mirror could not be read: check the network, or name a mirror that "
                f"carries the suite {SUITE} in HOLDLESS_DEBIAN_MIRROR. apt said: {_said(done.stderr)}"
            )

    def download(self, packages: Sequence[str], on_share: Callable[[float], None]) -> list[Path]:
        """Fetch the packages and all they need; return the archives in a stable order.

        Raises:
            SandboxError: they cannot be fetched.
        """
        words = ["--yes", "--no-install-recommends", "--download-only", "install", *packages]
        said = ""
        for _ in range(DOWNLOAD_TRIES_MAX):
            code, said = self._run_with_shares(words, on_share)
            if code == 0:
                return sorted(self._archives.glob("*.deb"))
            self.update()
        raise SandboxError(f"the packages could not be fetched. apt said: {_said(said)}")

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        argv = ["apt-get", *self._options(), *words]
        return subprocess.run(  # noqa: S603
            argv, capture_output=True, text=True, timeout=_SLOW_S, check=False, env=_environment()
        )

    def _run_with_shares(self, words: Sequence[str], on_share: Callable[[float], None]) -> tuple[int, str]:
        """Run apt-get and read ``dlstatus:<n>:<percent>:<text>`` lines from its status descriptor."""
        status_read, status_write = os.pipe()
        argv = ["apt-get", *self._options(), "-o", f"APT::Status-Fd={status_write}", *words]
        log = self._home / "download.log"
        with log.open("w", encoding="utf-8") as errors, os.fdopen(status_read, encoding="utf-8") as status:
            process = subprocess.Popen(  # noqa: S603
                argv, stdout=subprocess.DEVNULL, stderr=errors, pass_fds=(status_write,), env=_environment()
            )
            os.close(status_write)
            for line in status:
                fields = line.split(":", 3)
                if fields[0] == "dlstatus" and len(fields) == 4:
                    on_share(min(1.0, float(fields[2]) / 100))
            code = process.wait(timeout=_SLOW_S)
        return code, log.read_text(encoding="utf-8")

    def _options(self) -> list[str]:
        home = self._home
        settings = {
            "Dir::State": home / "state",
            "Dir::State::status": home / "state/status",
            "Dir::Cache": home / "cache",
            "Dir::Etc::sourcelist": home / "etc/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": home / "etc/preferences.d",
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "",
            "APT::Keep-Downloaded-Packages": "true",
            "APT::Update::Post-Invoke": "",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "DPkg::Post-Invoke": "",
        }
        words = ["-qq"]
        for name, value in settings.items():
            words += ["-o", f"{name}={value}"]
        return words


def _source_line() -> str:
    signed_by = f"signed-by={_KEYRING} " if _KEYRING.is_file() else ""
    return f"deb [{signed_by}check-valid-until=no] {_mirror()} {SUITE} main\n"


def _mirror() -> str:
    """Return the address of the machine's Debian mirror.

    Raises:
        SandboxError: the machine's apt configuration names none.
    """
    if named := os.environ.get("HOLDLESS_DEBIAN_MIRROR"):
        return named
    for address in [*_indexed_mirrors(), *_written_mirrors()]:
        if urlsplit(address).path.rstrip("/").endswith("/debian"):
            return address
    raise SandboxError(
        "the machine's apt configuration names no Debian mirror: name one that carries the suite "
        f"{SUITE} in HOLDLESS_DEBIAN_MIRROR, or install Asterisk 20 or newer on PATH"
    )


def _indexed_mirrors() -> list[str]:
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],  # noqa: S607
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.split()


def _written_mirrors() -> list[str]:
    """Return the addresses in the source files, for a machine that never ran ``apt-get update``."""
    found: list[str] = []
    for place in _SOURCES:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        for path in files:
            if path.suffix in {".list", ".sources"} and path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")
                found += (_DEB822 if path.suffix == ".sources" else _ONE_LINE).findall(text)
    return found


def _said(text: str) -> str:
    return _ADDRESS.sub("<address>", text).strip()[-600:] or "nothing"


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}

"""The directory of one private Asterisk: configuration, logs, spool; sounds and documentation are links."""

from __future__ import annotations

from pathlib import Path

from telephony.sandbox.config import SandboxSettings, render
from telephony.sandbox.install import Programs
from telephony.sandbox.music import write_music
from telephony.sandbox.ports import Ports

_FOLDERS = (
    "cache", "lib/agi-bin", "lib/keys", "data", "spool/monitor", "bin",
    "log/cdr-csv", "log/cdr-custom", "log/cel-custom",
)  # fmt: skip


def lay_out(settings: SandboxSettings, *, run: Path, programs: Programs, ports: Ports) -> None:
    """Make the directories and files that Asterisk wants; sounds and documentation are links."""
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in _FOLDERS:
        (run / folder).mkdir(parents=True, exist_ok=True)
    render(settings, programs=programs, ports=ports, run=run)
    write_music(run / "data/moh")
    shared = Path(programs.data_dir)
    for name in ("documentation", "static-http", "rest-api"):
        _link(run / "data" / name, shared / name)
    (run / "data/sounds").mkdir(exist_ok=True)
    spoken = sorted(path.parent for path in (shared / "sounds").glob("en*/hello-world.*"))
    if spoken:
        _link(run / "data/sounds/en", spoken[0])


def _link(link: Path, target: Path) -> None:
    if target.exists() and not link.is_symlink():
        link.symlink_to(target)

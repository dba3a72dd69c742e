"""Ports for private PBXes side by side: whole blocks, claimed by a lock that falls with the PBX.

Blocks lie below the ports that the system hands out by itself, so that nothing grabs one between
choosing and binding. The claim is a file lock whose descriptor Asterisk inherits: it holds exactly as
long as that Asterisk lives, whoever started it and however it ends.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from telephony.sandbox.errors import SandboxError

BLOCK_SIZE = 1000
FIRST_BLOCK = 10_000
BLOCKS_MAX = 22  # up to 31,999: the kernel's own range begins at 32,768
_RTP_OFFSET = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one PBX, all on the loopback address; the RTP range includes both ends."""

    sip: int
    ami: int
    http: int
    rtp_start: int
    rtp_end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A block of ports that is ours while the descriptor, or an inherited copy of it, is open."""

    ports: Ports
    descriptor: int

    def release(self) -> None:
        """Close our copy of the descriptor; a child that inherited it keeps the claim."""
        os.close(self.descriptor)


def claim_ports() -> Claim:
    """Claim the first free block.

    Raises:
        SandboxError: every block is taken.
    """
    home = _lock_dir()
    for index in range(BLOCKS_MAX):
        base = FIRST_BLOCK + index * BLOCK_SIZE
        descriptor = os.open(home / str(base), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        ports = _ports_of(base)
        if _all_free(ports):
            return Claim(ports, descriptor)
        os.close(descriptor)
    raise SandboxError(
        f"all {BLOCKS_MAX} blocks of ports are taken: stop a private PBX (holdless pbx status)"
    )


def _ports_of(base: int) -> Ports:
    return Ports(
        sip=base, ami=base + 1, http=base + 2, rtp_start=base + _RTP_OFFSET, rtp_end=base + BLOCK_SIZE - 1
    )


def _lock_dir() -> Path:
    home = Path(tempfile.gettempdir()) / f"holdless-ports-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != os.getuid():
        raise SandboxError(
            f"{home} belongs to another user: remove it, or set TMPDIR to a directory of your own"
        )
    return home


def _all_free(ports: Ports) -> bool:
    streams = ((ports.ami, socket.SOCK_STREAM), (ports.http, socket.SOCK_STREAM))
    media = range(ports.rtp_start, ports.rtp_end + 1)
    packets = ((port, socket.SOCK_DGRAM) for port in (ports.sip, *media))
    return all(_is_free(port, kind) for port, kind in (*streams, *packets))


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

"""What the live core raises. One root; the caller's fault and ours are different classes."""

from __future__ import annotations

from pathlib import Path


class LiveError(Exception):
    """Root of the live core's errors."""


class InboxFull(LiveError):
    """A request was refused because too many wait. Ask again after a moment (HTTP 503).

    Attributes:
        waiting_count: How many requests wait.
    """

    def __init__(self, waiting_count: int) -> None:
        super().__init__(f"{waiting_count} requests wait for the engine; ask again in a moment")
        self.waiting_count = waiting_count


class FactsLost(LiveError):
    """The reserve for facts is used up: this fact is lost, and the PBX must be read anew."""


class RequestIdReused(LiveError):
    """The same request id came with another content (HTTP 422)."""


class StepFailed(LiveError):
    """The engine has a fault that this signal shows. The signal was skipped and kept in a file.

    Attributes:
        replay_path: The file that reproduces it; None when even that could not be written.
    """

    def __init__(self, replay_path: Path | None) -> None:
        super().__init__("the engine could not digest this signal; it was skipped")
        self.replay_path = replay_path


class EngineStuck(LiveError):
    """The engine fails on every signal, even when it begins anew."""


class JournalError(LiveError):
    """The journal cannot be used."""


class JournalUnavailable(JournalError):
    """The journal's file cannot be opened although nothing is wrong with its content."""


class JournalWriteFailed(JournalError):
    """A snapshot, a mark or a pruning could not be written; rows are never refused this way."""


class Gone(LiveError):
    """The subscription is over; take a snapshot and subscribe again.

    Attributes:
        reason: ``slow`` (its queue was full), ``too_old`` (the cursor lies before what is kept),
            ``unknown_cursor`` (the cursor lies after anything published) or ``closed``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"subscription ended: {reason}")
        self.reason = reason


class AddressTaken(LiveError):
    """An address that the settings name cannot be listened on; the message names the setting."""

    def __init__(self, what: str, host: str, port: int, setting: str, error: OSError) -> None:
        super().__init__(
            f"{what} cannot listen on {host}:{port}: {error.strerror or error}; stop what uses that address,"
            f" or choose another ({setting})"
        )


class NoConfiguration(LiveError):
    """Neither the database nor the last copy on disk could give a configuration."""

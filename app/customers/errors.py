"""What can go wrong with parties; each has a stable id for the page's catalogue."""

from __future__ import annotations

from uuid import UUID


class CustomerError(Exception):
    """Root of this subject's errors."""

    def __init__(self, error_id: str, detail: str) -> None:
        super().__init__(detail)
        self.error_id = error_id


class PartyNotFoundError(CustomerError):
    """There is no such party (or link) in this tenant."""

    def __init__(self, party_id: UUID) -> None:
        super().__init__("party_not_found", f"there is no party {party_id}")


class MergeError(CustomerError):
    """The two parties cannot be merged, or the merge cannot be undone."""

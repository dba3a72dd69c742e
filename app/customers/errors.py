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


class NoteNotFoundError(CustomerError):
    """The party has no such note."""

    def __init__(self, note_id: UUID) -> None:
        super().__init__("note_not_found", f"there is no note {note_id}")


class PartyChangedError(CustomerError):
    """Somebody else changed the party since it was read."""

    def __init__(self, party_id: UUID) -> None:
        super().__init__("party_changed", f"the party {party_id} has changed meanwhile")


class IdentifierInUseError(CustomerError):
    """Others have this identifier now; the caller has to say whether it is shared or changed hands.

    Attributes:
        owner_ids: Who has it.
    """

    def __init__(self, owner_ids: tuple[UUID, ...]) -> None:
        super().__init__("identifier_in_use", "other parties have this identifier")
        self.owner_ids = owner_ids


class ExternalRefTakenError(CustomerError):
    """Another party has this reference already."""

    def __init__(self, owner_id: UUID) -> None:
        super().__init__("external_ref_taken", f"the party {owner_id} has this reference")
        self.owner_id = owner_id


class ImportNotFoundError(CustomerError):
    """There is no such import."""

    def __init__(self, import_id: UUID) -> None:
        super().__init__("import_not_found", f"there is no import {import_id}")


class ImportStateError(CustomerError):
    """The import is not at the point where this can be done."""

    def __init__(self, state: str) -> None:
        super().__init__("import_wrong_state", f"the import is {state}")

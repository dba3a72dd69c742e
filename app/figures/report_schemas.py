"""What ``/reports`` takes and gives. The page's types come from here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.auth.permissions import Role
from app.figures.definitions import ReportDefinition
from app.figures.report_rights import Sharing
from app.figures.schemas import FiguresShown

ReportName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
SHARED_WITH_MAX = 50
_READERS = frozenset({Role.SUPERVISOR, Role.PLANNER, Role.ADMINISTRATOR, Role.INTEGRATION})


class ReportBody(BaseModel):
    """A report to make."""

    model_config = ConfigDict(extra="forbid")

    name: ReportName
    definition: ReportDefinition


class SavedReportBody(ReportBody):
    """A report to save.

    Attributes:
        base_version: The version that was changed; another one meanwhile: 409.
    """

    base_version: int = Field(ge=1)


class SharingBody(BaseModel):
    """With whom a report is shared: roles, or teams by their ids."""

    model_config = ConfigDict(extra="forbid")

    sharing: Sharing
    shared_with: list[Annotated[str, StringConstraints(min_length=1, max_length=64)]] = Field(
        default_factory=list, max_length=SHARED_WITH_MAX
    )

    @model_validator(mode="after")
    def _names_whom(self) -> Self:
        if self.sharing in (Sharing.ROLES, Sharing.TEAMS) and not self.shared_with:
            raise ValueError("name with whom it is shared")
        if self.sharing is Sharing.ROLES and not set(self.shared_with) <= _READERS:
            raise ValueError(f"roles that read figures: {', '.join(sorted(_READERS))}")
        return self


class ReportRow(BaseModel):
    """A report of the list, with its newest definition.

    Attributes:
        is_standard: Of the set that every centre has; the page names it by its id.
        may_write: Whether who asks may change it.
    """

    report_id: str
    name: str
    version: int
    definition: ReportDefinition
    is_standard: bool
    is_own: bool
    may_write: bool
    owner_name: str
    sharing: Sharing
    shared_with: list[str]
    changed_at: datetime | None


class ReportList(BaseModel):
    """The standard set, then what who asks may see, by name."""

    reports: list[ReportRow]


class ReportVersion(BaseModel):
    """One version of a report, as it was saved."""

    version: int
    name: str
    made_by: str
    made_at: datetime
    definition: ReportDefinition


class ReportShown(ReportRow):
    """A report with all its versions, the newest first; each can be opened and run."""

    versions: list[ReportVersion]


class ReportRun(BaseModel):
    """A report computed now: its version, its days, its table."""

    report_id: str
    name: str
    version: int
    definition: ReportDefinition
    first: date
    last: date
    table: FiguresShown

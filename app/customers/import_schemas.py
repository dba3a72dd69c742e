"""What the endpoints of imports take and give. Moments are milliseconds since the Unix epoch (UTC)."""

from __future__ import annotations

from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Row

from app.customers.import_choices import Action
from app.customers.import_files import COLUMNS_MAX
from app.customers.import_mapping import OnDuplicate, Target, suggested
from app.customers.import_records import ImportState
from app.customers.schemas import FIELD_PATTERN, Line, ms


class ColumnBody(BaseModel):
    """What one column means.

    Attributes:
        field_id: With the target ``custom``; a field that is not there yet is made, named ``field_name``.
        label: Of numbers: "mobile", "work" ….
    """

    model_config = ConfigDict(extra="forbid")

    target: Target = "ignore"
    field_id: str = Field(default="", pattern=rf"{FIELD_PATTERN}|^$")
    field_name: Line = Field(default="", max_length=64)
    label: Line = Field(default="", max_length=64)

    @model_validator(mode="after")
    def _names_its_field(self) -> Self:
        if (self.target == "custom") != bool(self.field_id):
            raise ValueError("field_id stands with the target custom, and only there")
        return self


class MappingBody(BaseModel):
    """How a list becomes parties.

    Attributes:
        columns: One for each column of the list.
        on_duplicate: What to do with somebody who is known already.
        region, area_code: By which numbers without them are read; null: the server's own.
    """

    model_config = ConfigDict(extra="forbid")

    columns: list[ColumnBody] = Field(min_length=1, max_length=COLUMNS_MAX)
    has_header: bool = True
    on_duplicate: OnDuplicate = "skip"
    region: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    area_code: str | None = Field(default=None, pattern=r"^[0-9]{0,5}$")


class ImportColumn(BaseModel):
    """One column of a list, and what it probably means."""

    header: str
    samples: list[str]
    suggested: ColumnBody


class CellProblem(BaseModel):
    """Why a row is refused; ``column`` null: the row as a whole."""

    column: int | None
    problem: str


class PreviewRow(BaseModel):
    """What one row would become. ``party_id``: the party it is about, when that is known."""

    row: int
    action: Action
    party_id: UUID | None
    display_name: str
    kind: str
    language: str
    external_ref: str
    custom: dict[str, str]
    numbers: list[str]
    note: str
    problems: list[CellProblem]


class ShownProblem(CellProblem):
    """A cell that cannot be read, as it is in the list."""

    row: int
    cell: str


class ImportPreview(BaseModel):
    """What an import would do; ``counts`` by action, with ``blank`` and ``neutralised``."""

    counts: dict[str, int]
    rows: list[PreviewRow]
    problems: list[ShownProblem]


class KeptParty(BaseModel):
    """A party that an undoing left as it is, and why."""

    party_id: UUID
    reason: Literal["changed_since", "in_use"]


class ImportUndo(BaseModel):
    """What an undoing did: ``removed``, ``restored``, ``kept``."""

    counts: dict[str, int]
    kept: list[KeptParty]


class ImportRow(BaseModel):
    """One import in a list.

    Attributes:
        job_id: Its last job; ``/jobs/{job_id}`` says how far it is.
        counts: Of what was done so far.
        done_row_count: The rows of the list up to which it was done.
    """

    import_id: UUID
    file_name: str
    state: ImportState
    made_by: str
    made_ms: int
    row_count: int
    done_row_count: int
    counts: dict[str, int]
    job_id: UUID | None


class ImportPage(ImportRow):
    """One import whole."""

    format: str
    encoding: str
    delimiter: str
    columns: list[ImportColumn]
    mapping: MappingBody | None
    preview: ImportPreview | None
    undo: ImportUndo | None


class ImportList(BaseModel):
    """The last imports, newest first."""

    imports: list[ImportRow]


def import_row(row: Row[Any]) -> ImportRow:
    """Return a row of the table as a list's row."""
    return ImportRow(**_facts(row))


def import_page(row: Row[Any], fields: dict[str, str]) -> ImportPage:
    """Return an import whole; *fields* are the custom fields there are, id to name."""
    columns = row.source["columns"]
    guesses = suggested([(each["header"], each["samples"]) for each in columns], fields)
    return ImportPage(
        **_facts(row),
        format=row.source["format"],
        encoding=row.source["encoding"],
        delimiter=row.source["delimiter"],
        columns=[
            ImportColumn(
                header=each["header"],
                samples=each["samples"],
                suggested=ColumnBody(target=guess.target, field_id=guess.field_id, label=guess.label),
            )
            for each, guess in zip(columns, guesses, strict=True)
        ],
        mapping=MappingBody(**row.plan) if row.plan else None,
        preview=ImportPreview(**row.preview) if row.preview else None,
        undo=ImportUndo(**row.undo) if row.undo else None,
    )


def _facts(row: Row[Any]) -> dict[str, Any]:
    return {
        "import_id": row.import_id,
        "file_name": row.file_name,
        "state": row.state,
        "made_by": row.made_by,
        "made_ms": ms(row.made_at) or 0,
        "row_count": row.row_count,
        "done_row_count": row.done_row_count,
        "counts": row.counts,
        "job_id": row.job_id,
    }

"""The closing summary of a test run: what ran, failed or was left out and why, and what was measured."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

KINDS = ("chaos", "long", "pbx", "page", "db")  # the first that a test is marked with; otherwise it is "fast"
KIND_PROPERTY = "kind"
FIGURE_PROPERTY = "figure"  # pytest's ``record_property`` with this name: a line for the summary
_MARK = "left out: "


def left_out(reason: str) -> NoReturn:
    """Leave the running test out, because this machine lacks something; the summary names the reason.

    Not for what is broken or unfinished: such a test fails.
    """
    pytest.skip(_MARK + reason)


def shared_data(name: str) -> Path:
    """Return a file of the reference data beside the repository, or leave the test out."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data" / name
    if not path.exists():
        left_out(f"reference data ../shared/data/{name} is absent")
    return path


@dataclass
class Ledger:
    """Counts of one or more runs.

    Attributes:
        outcomes: Tests by (kind, outcome), outcome one of ``passed | failed | left out``.
        reasons: Tests by the reason for leaving them out.
        figures: What tests measured, a line each.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    figures: list[str] = field(default_factory=list)

    def add(self, report: pytest.TestReport) -> None:
        """Take one report; set-up and tear-down count only when they decide the outcome."""
        kind = str(dict(report.user_properties).get(KIND_PROPERTY, "fast"))
        if report.when == "call":
            self.figures += [str(value) for name, value in report.user_properties if name == FIGURE_PROPERTY]
        if report.skipped:
            self.outcomes[kind, "left out"] += 1
            self.reasons[_reason(report.longrepr)] += 1
        elif report.failed:
            self.outcomes[kind, "failed"] += 1
        elif report.when == "call":
            self.outcomes[kind, "passed"] += 1

    def as_json(self) -> dict[str, Any]:
        """Return a form that ``from_json`` takes."""
        outcomes = [[*key, count] for key, count in sorted(self.outcomes.items())]
        return {"outcomes": outcomes, "reasons": sorted(self.reasons.items()), "figures": self.figures}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Ledger:
        """Return the ledger that ``as_json`` described."""
        outcomes = Counter({(kind, outcome): count for kind, outcome, count in body["outcomes"]})
        return cls(outcomes, Counter(dict(body["reasons"])), list(body["figures"]))

    def lines(self) -> list[str]:
        """Return the summary, one line per kind, per reason and per figure."""
        told = []
        for kind in ("fast", *reversed(KINDS)):
            parts = [
                f"{self.outcomes[kind, outcome]} {outcome}"
                for outcome in ("passed", "failed", "left out")
                if self.outcomes[kind, outcome]
            ]
            if parts:
                told.append(f"{kind:<6} {', '.join(parts)}")
        told += [f"left out: {reason} ({count})" for reason, count in sorted(self.reasons.items())]
        return [*told, *self.figures] or ["no test ran"]


def _reason(longrepr: object) -> str:
    text = str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ").removeprefix(_MARK)


def note_kind(item: pytest.Item) -> None:
    """Write the test's kind into its reports, which may be read in another process."""
    kind = next((kind for kind in KINDS if item.get_closest_marker(kind)), "fast")
    item.user_properties.append((KIND_PROPERTY, kind))


def load(path: Path) -> Ledger:
    """Return the ledger kept at *path* by an earlier run of the same command; empty without one."""
    return Ledger.from_json(json.loads(path.read_text())) if path.exists() else Ledger()


def save(path: Path, ledger: Ledger) -> None:
    """Keep the ledger for the next run of the same command."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(ledger.as_json()))

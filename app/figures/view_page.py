"""Writes ``docs/report-views.md`` out of the views; a test holds the page to it. ``python -m`` renews it."""

from __future__ import annotations

from pathlib import Path

from app.figures.facts import TERMS
from app.figures.view_sql import SCHEMA, VIEWS, column_of, columns, formula_text
from workforce.formulas import FORMULAS, Unit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "report-views.md"

_HEAD = """# SQL views of the figures

Generated from the table of formulas (`python -m app.figures.view_page`); a test fails when it is stale.

The schema `report` holds views for tools of your own. They count the facts that pages, API and exports
count, and are made anew at the start of a version that counts otherwise. Names stay; columns are added.
Figures are not rounded here: pages and API round to 6 digits. No calls is NULL.

To read them make a login a member of the role `holdless_report` and name the tenant:

```sql
CREATE ROLE analyst LOGIN PASSWORD '...' IN ROLE holdless_report;
ALTER ROLE analyst SET holdless.tenant = 'main';
SELECT started_at, queue_id, sl_c, asa FROM report.queue_quarter;
```

The role sees what figures are counted of, under row-level security, and no caller's number or name. A view
reads the whole log; beside each stands a function of the same rows, half-open, that reads those days alone:

```sql
SELECT * FROM report.queue_quarter_between('2026-11-01 00:00+08', '2026-11-02 00:00+08');
```

Of days whose log was dropped (`log.keep_days`) the views by queue and entry point keep what they add up to.

Terms add up over rows, figures do not: for a day sum the terms and divide.

| view | rows | its third column |
|---|---|---|
"""


def page_text() -> str:
    """Return the page."""
    lines = [f"| `{SCHEMA}.{view.name}` | {view.about} | `{view.key}` |" for view in VIEWS]
    lines += ["", "All have the same other columns:", "", "| column | type | says |", "|---|---|---|"]
    formulas = {column_of(one.formula_id): one for one in FORMULAS.values()}
    terms = set(map(column_of, TERMS))
    for column in columns(VIEWS[0]):
        if column.name == VIEWS[0].key:
            continue
        about = column.about
        if (formula := formulas.get(column.name)) is not None and column.name not in terms:
            unit = "share" if formula.unit is Unit.SHARE else "seconds"
            about = f"`{formula.formula_id}`, {unit}: {formula_text(formula)}"
        lines.append(f"| `{column.name}` | {column.sql_type} | {about} |")
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page_text(), encoding="utf-8")

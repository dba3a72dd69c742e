"""Cells that spreadsheets would take for formulas, made harmless. Pure.

``=HYPERLINK(…)`` as a customer's name runs on the machine of whoever opens the exported list. A leading
apostrophe makes any spreadsheet show the cell as text. It is put on import as well, because a list may
leave the system in other ways than through our export.
"""

from __future__ import annotations

import re

# What spreadsheets skip before they look, then what they compute, in both widths.
_SKIPPED = r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*"
_FORMULA = re.compile(_SKIPPED + r"[=+\-@|%＝＋－＠\t\r\n]")
_HARMLESS = re.compile(r"\+?[0-9][0-9 ]*|-?[0-9]+(?:\.[0-9]+)?")


def neutral(text: str) -> str:
    """Return *text* such that no spreadsheet computes it; what cannot be a formula stays as it is.

    A bare number stays: computing it gives the number.

    >>> neutral("=1+1"), neutral("@SUM(A1)"), neutral("王小明"), neutral("+886912345678"), neutral("-5")
    ("'=1+1", "'@SUM(A1)", '王小明', '+886912345678', '-5')
    >>> neutral(neutral("=1+1")) == neutral("=1+1")
    True
    """
    if not _FORMULA.match(text) or _HARMLESS.fullmatch(text):
        return text
    return "'" + text


def is_formula(text: str) -> bool:
    """Say whether a spreadsheet may take *text* for a formula."""
    return neutral(text) != text

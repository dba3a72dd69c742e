"""A table of figures as PDF: every cell as the page shows it, in landscape, the head on every page.

Latin text is set in Helvetica, what holds other letters in a Chinese face that readers of PDF bring along
(those that the format itself names; nothing is embedded, so files stay small).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer

from app.figures.layout import Shape, has_key, has_period, texts
from app.figures.reader import FiguresTable
from app.figures.words import Language

_LATIN: Final = "Helvetica"
_LATIN_BOLD: Final = "Helvetica-Bold"
_CHINESE: Final = "MSung-Light"
_SIMPLIFIED: Final = "STSong-Light"  # what the first has no sign for
_MARGIN: Final = 12 * mm
_SIZE_MAX, _SIZE_MIN = 9.0, 5.0
_NAME_SHARE: Final = 2.2  # a name's column beside a number's
_LINE, _BAND = HexColor("#c8ced8"), HexColor("#eef1f6")


def pdf_of(
    table: FiguresTable, shape: Shape, *, title: str, about: str, language: Language, made_at: datetime
) -> bytes:
    """Return the table as PDF; it blocks for about a second per 1,000 rows.

    Args:
        about: What is asked for, below the title.
        made_at: With its zone.
    """
    for face in (_CHINESE, _SIMPLIFIED):
        pdfmetrics.registerFont(UnicodeCIDFont(face))
    lines = texts(table, shape, language)
    size = max(_SIZE_MIN, min(_SIZE_MAX, 110 / len(lines[0])))
    width = landscape(A4)[0] - 2 * _MARGIN
    named_count = max(1, has_period(table) + has_key(table))
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=landscape(A4),
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=title,
        author="Holdless",
        invariant=1,
    )
    said = made_at.astimezone(ZoneInfo(table.zone))
    grid = LongTable(
        [_cells(line, size, number in (0, len(lines) - 1), named_count) for number, line in enumerate(lines)],
        colWidths=_widths(len(lines[0]), named_count, width),
        repeatRows=1,
        style=[
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("BACKGROUND", (0, 0), (-1, 0), _BAND),
            ("BACKGROUND", (0, -1), (-1, -1), _BAND),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2),
        ],
    )
    document.build(
        [
            _text(title, 15, is_bold=True),
            Spacer(1, 2 * mm),
            _text(about, 9),
            _text(f"{said:%Y-%m-%d %H:%M:%S} {table.zone}", 9),
            Spacer(1, 4 * mm),
            grid,
        ],
        onFirstPage=_numbered,
        onLaterPages=_numbered,
    )
    return written.getvalue()


def _cells(line: Sequence[str], size: float, is_bold: bool, named_count: int) -> list[Any]:
    return [
        _text(cell, size, is_bold=is_bold, is_right=named_count <= place < len(line) - 1)
        for place, cell in enumerate(line)
    ]


def _widths(count: int, named_count: int, width: float) -> list[float]:
    shares = [_NAME_SHARE if place < named_count or place == count - 1 else 1.0 for place in range(count)]
    return [width * share / sum(shares) for share in shares]


def _text(text: str, size: float, *, is_bold: bool = False, is_right: bool = False) -> Any:
    is_latin = all(ord(letter) < 0x100 or letter in "–…" for letter in text)
    style = ParagraphStyle(
        "cell",
        fontName=(_LATIN_BOLD if is_bold else _LATIN) if is_latin else _chinese(text),
        fontSize=size,
        leading=size * 1.25,
        alignment=2 if is_right else 0,
        wordWrap=None if is_latin else "CJK",
    )
    return Paragraph(escape(text), style)


def _chinese(text: str) -> str:
    try:
        text.encode("big5")
    except UnicodeEncodeError:
        return _SIMPLIFIED
    return _CHINESE


def _numbered(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(_LATIN, 8)
    canvas.drawRightString(landscape(A4)[0] - _MARGIN, _MARGIN / 2, str(document.page))
    canvas.restoreState()

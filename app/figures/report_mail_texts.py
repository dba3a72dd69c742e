"""What a mail with a report says, in the language of its schedule. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.figures.words import Language

_TEXTS: Final[dict[Language, tuple[str, str, str]]] = {
    "en": (
        "The report “{name}” for {days} is attached, computed at {at}.",
        "Open it: {link}",
        "It was set up by {who}.",
    ),
    "zh-Hant": ("附件為報表「{name}」，期間 {days}，計算於 {at}。", "開啟：{link}", "由 {who} 設定寄送。"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailText:
    """Subject and body.

    Attributes:
        at: When the report was computed.
    """

    subject: str
    body: str
    at: datetime


def mail_text(
    language: Language, *, name: str, days: str, who: str, link: str, at: datetime, zone: str
) -> MailText:
    """Return what the mail says.

    Args:
        link: Where the report opens; empty: nobody said under which address the pages are seen.
        at: In the centre's zone.
    """
    attached, opened, made = _TEXTS[language]
    lines = [attached.format(name=name, days=days, at=f"{at:%Y-%m-%d %H:%M} {zone}")]
    if link:
        lines.append(opened.format(link=link))
    lines.append(made.format(who=who))
    subject = " ".join(f"{name}: {days}".split())  # a header is one line, whatever letters end one
    return MailText(subject=subject, body="\n\n".join(lines) + "\n", at=at)

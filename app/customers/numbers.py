"""Read a caller's or a dialled number as people, trunks and SIP headers really write it. Pure.

Nothing raises: what cannot be read is kept as ``external`` with its cleaned text, so that it can still be
matched, shown and searched. The order of the rules is the law of this file: what is withheld, then what is
not a number at all, then emergency and short numbers, and E.164 only for what is left. A number is E.164
when the plan knows it, or when it came with its country code in writing; a guess is never stored as E.164.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult

from app.customers import number_plans as plans

IdentifierKind = Literal[
    "e164", "short", "extension", "sip", "withheld", "email", "line", "wechat", "web", "external"
]

RAW_CHARS_MAX = 256
NORMAL_CHARS_MAX = 128
_EXTENSION_DIGITS_MAX = 6

_SCHEME = re.compile(r"(sips?|tel|mailto|line|wechat|weixin|web|external|crm|callto):(?://)?", re.IGNORECASE)
_SCHEME_KIND: dict[str, IdentifierKind] = {
    "line": "line",
    "wechat": "wechat",
    "weixin": "wechat",
    "web": "web",
    "external": "external",
    "crm": "external",
}
_NAME_ADDRESS = re.compile(r"<\s*([^<>]+)\s*>")
_PRIVACY = re.compile(r"privacy\s*[=:]\s*\"?\s*(?:full|id|uri|user|header|critical|session)", re.IGNORECASE)
_EMAIL = re.compile(r"[a-z0-9._%+'-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}", re.IGNORECASE)
_SIP_USER = re.compile(r"[a-z][a-z0-9._~+-]{0,63}", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9.\[\]:-]{1,253}", re.IGNORECASE)
_PRIVATE_TOPS = ("local", "localdomain", "lan", "internal", "invalid", "localhost", "test")
_SEVERAL = re.compile(r"\s*(?:/|、|或|\bor\b|;(?!ext)|；|\|)\s*(?=\+?\(?\d)", re.IGNORECASE)
_RANGE = re.compile(r"(?<=\d)\s*[~〜～]\s*\d{1,4}$")
_DECORATION = re.compile(r"[\s\-‐‑‒–—―−.()\[\]{}'\"/_・·⁠​‎‏]+")
_LABEL = re.compile(
    r"^(?:tel|phone|mobile|cell|fax|call|電話|电话|手機|手机|行動|傳真|传真|聯絡電話|联系电话|專線|专线)\s*[:：.]?\s*(?=[+(\d０-９])",
    re.IGNORECASE,
)
_WITHHELD_NOISE = re.compile(r"[\s_()<>\[\]\"']+|(?<=\w)-(?=\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """One way to name who is on the other end.

    Attributes:
        kind: ``e164``, ``short``, ``extension``, ``sip``, ``withheld``, ``email``, ``line``, ``wechat``,
            ``web`` or ``external`` (anything else, kept as text).
        raw: As presented, without control characters, at most 256 characters.
        normal: The form two sightings of the same thing share: ``+886227712345``, ``119``, ``1001``,
            ``user@host``; ``withheld`` for every withheld number. It is what the database matches on.
        extension: Behind the number, as dialled, "" when there is none.
    """

    kind: IdentifierKind
    raw: str
    normal: str
    extension: str = ""


def parse_number(raw: str, region: str, area_code: str = "") -> Identifier:
    """Read *raw* as seen by a trunk in *region* (ISO 3166 alpha-2) and *area_code* (with or without its 0).

    Never raises, whatever *raw* holds; needs microseconds to tens of microseconds.

    >>> parse_number("02-2771-2345轉123", "TW").normal, parse_number("02-2771-2345轉123", "TW").extension
    ('+886227712345', '123')
    >>> parse_number("119", "TW").kind, parse_number("6234 5678", "CN", "021").normal
    ('short', '+862162345678')
    """
    shown = _printable(raw)[:RAW_CHARS_MAX]
    kind, normal, extension = _read(_folded(shown), region.upper(), area_code.strip().lstrip("0"))
    return Identifier(kind=kind, raw=shown, normal=normal[:NORMAL_CHARS_MAX], extension=extension[:16])


_Reading = tuple[IdentifierKind, str, str]
_WITHHELD: _Reading = ("withheld", "withheld", "")


def _read(text: str, region: str, area: str) -> _Reading:
    if _is_withheld(text) or _PRIVACY.search(text):
        return _WITHHELD
    if found := _NAME_ADDRESS.search(text):
        text = found[1].strip()
    if scheme := _SCHEME.match(text):
        word, rest = scheme[1].lower(), text[scheme.end() :]
        if word in _SCHEME_KIND:
            return (_SCHEME_KIND[word], rest.strip(), "") if rest.strip() else _WITHHELD
        if word in ("sip", "sips"):
            return _read_sip(rest, region, area)
        text = _with_phone_context(rest) if word == "tel" else rest
    if "@" in text:
        return _read_at(text, region, area)
    return _read_telephone(_LABEL.sub("", text), region, area)


def _read_sip(rest: str, region: str, area: str) -> _Reading:
    address, _, _ = rest.partition("?")
    user, at, host = address.partition("@")
    if not at:
        user, host = "", user
    host = host.partition(";")[0].strip().lower()
    user = user.partition(":")[0].strip()
    if _is_withheld(user) or host == "anonymous.invalid":
        return _WITHHELD
    number = _with_phone_context(user)
    if re.fullmatch(r"\+?[\d\-().*#]+(?:;ext=\d+)?", number):
        return _read_telephone(number, region, area)
    if not _HOST.fullmatch(host):
        return ("external", rest.lower(), "")
    return ("sip", f"{user.partition(';')[0].lower()}@{host}", "")


def _read_at(text: str, region: str, area: str) -> _Reading:
    user, _, host = text.rpartition("@")
    if host.lower() == "anonymous.invalid" or _is_withheld(user):
        return _WITHHELD
    top = host.rpartition(".")[2].lower()
    if _EMAIL.fullmatch(text) and top not in _PRIVATE_TOPS and not re.fullmatch(r"\+?\d+", user):
        return ("email", text.lower(), "")
    if re.fullmatch(r"[^\s@<>]{1,64}", user) and _HOST.fullmatch(host.partition(";")[0]):
        return _read_sip(text, region, area)
    return ("external", text.lower(), "")


def _with_phone_context(text: str) -> str:
    """Put the country and area of a ``phone-context`` parameter in front of a local number (RFC 3966)."""
    found = re.search(r";phone-context=(\+[\d.()-]+)", text)
    number, _, parameters = text.partition(";")
    extension = re.search(r"(?:^|;)ext=(\d+)", parameters)
    if found and not number.startswith("+"):
        number = found[1] + number.lstrip("0")
    return number + (f";ext={extension[1]}" if extension else "")


def _read_telephone(text: str, region: str, area: str) -> _Reading:
    text = _first_of_several(text)
    text = plans.PRIVACY_CODE.sub("", text, count=1) if text[:1] in "*#" else text
    number, extension = _cut_extension(text)
    number = _RANGE.sub("", number)
    bare = _DECORATION.sub("", number)
    if re.fullmatch(r"\+?\d+", bare):
        kind, normal = _read_digits(bare, region, area)
        return (kind, normal, extension)
    if re.fullmatch(r"[*#][\d*#]*|\d[\d*#]*", bare):
        return ("extension" if len(bare) <= 2 * _EXTENSION_DIGITS_MAX else "external", bare, extension)
    if _SIP_USER.fullmatch(text):
        return ("sip", text.lower(), "")
    if re.match(r"\+?[\d(]", text) and re.fullmatch(r"[+\d][\dA-Za-z]{6,14}", bare):
        vanity = _parsed(bare, region)  # 1-800-FLOWERS
        if vanity and phonenumbers.is_valid_number(vanity):
            return ("e164", _e164(vanity), extension)
    return ("external", text.lower(), "") if text else _WITHHELD


def _first_of_several(text: str) -> str:
    first = _SEVERAL.split(text)[0].strip()
    return first if sum(letter.isdigit() for letter in first) >= 7 else text  # 02/2771-2345 is one number


def _cut_extension(text: str) -> tuple[str, str]:
    first, *rest = plans.EXTENSION_MARK.split(text)
    if not rest or not re.search(r"\d", first):
        return text, ""
    steps = ["".join(re.findall(r"[\d*]", step)) for step in rest]
    return first, ",".join(step for step in steps if step)


def _read_digits(bare: str, region: str, area: str) -> tuple[IdentifierKind, str]:
    digits = bare.lstrip("+")
    if (
        bare in plans.WITHHELD
        or digits in plans.WITHHELD_KEYPAD
        or (len(digits) >= 7 and not digits.strip("0"))
    ):
        return ("withheld", "withheld")
    if short := _short(bare, region):
        return ("short", short)
    if bare.startswith("+"):
        return _international(digits, region) or ("external", bare)
    if e164 := _national(digits, region, area):
        return ("e164", e164)
    for prefix in (plans.TRUNK_INTERNATIONAL, ""):  # 00886…, and 886… without any prefix
        if digits.startswith(prefix) and len(digits) - len(prefix) >= 10:
            found = _parsed("+" + digits[len(prefix) :], region)
            if found and phonenumbers.is_valid_number(found):
                return ("e164", _e164(found))
    inside = len(digits) <= _EXTENSION_DIGITS_MAX and not (digits.startswith("0") and len(digits) >= 5)
    return ("extension" if inside else "external", digits)


def _short(bare: str, region: str) -> str:
    """Return the short number that *bare* is, also behind a country code or an area code; else ""."""
    digits = bare
    if bare.startswith("+"):
        code = plans.country_code(region)
        if not code or not bare.startswith("+" + code):
            return ""
        digits = bare[1 + len(code) :]
        if len(digits) > 8 or not plans.is_short(digits, region):
            digits = "0" + digits.lstrip("0")
    if plans.is_short(digits, region):
        return digits
    pattern = {"TW": plans.TW_UNIVERSAL, "CN": plans.CN_SERVICE_BEHIND_AREA}.get(region)
    found = pattern.fullmatch(digits) if pattern else None
    return found[1] if found else ""


def _international(digits: str, region: str) -> tuple[IdentifierKind, str] | None:
    """Read digits that came with their country code in writing: possible is enough, the plan may be older."""
    found = _parsed("+" + digits, region)
    if found is None:
        return None
    if phonenumbers.is_possible_number_with_reason(found) != ValidationResult.IS_POSSIBLE:
        return None
    return ("e164", _e164(found))


def _national(digits: str, region: str, area: str) -> str:
    if region == "CN":
        digits = plans.CN_CARRIER.sub("", digits, count=1) if len(digits) > 13 else digits
        if plans.CN_MOBILE.fullmatch(digits.removeprefix("0")):
            return "+86" + digits.removeprefix("0")
    local_max = plans.LOCAL_DIGITS_MAX.get(region, 0)
    if len(digits) <= local_max and not digits.startswith("0"):
        if not area or len(digits) < 5:
            return ""
        digits = _trunk_prefix(region) + area + digits  # dialled inside the area
    found = _parsed(digits, region)
    return _e164(found) if found and phonenumbers.is_valid_number(found) else ""


def _trunk_prefix(region: str) -> str:
    return phonenumbers.ndd_prefix_for_region(region, True) or ""


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region if plans.country_code(region) else None)
    except phonenumbers.NumberParseException:
        return None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_withheld(text: str) -> bool:
    bare = _WITHHELD_NOISE.sub("", text).lower()
    return bare == "" or bare in plans.WITHHELD


def _printable(raw: str) -> str:
    """Drop what no column or log line may hold: control characters, lone surrogates, direction marks."""
    return "".join(
        letter
        for letter in raw[: 4 * RAW_CHARS_MAX]
        if unicodedata.category(letter) not in ("Cc", "Cs", "Cf", "Cn", "Co")
    ).strip()


def _folded(text: str) -> str:
    """Fold full-width and other compatible forms, and every script's digits, to ASCII."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in folded
    ).strip()

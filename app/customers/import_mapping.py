"""From the columns of somebody's list to parties: which column means what, and what a row becomes. Pure.

The mapping is suggested by the words of the header, in English and Chinese, and by what the samples look
like; a person decides. A row with a cell that cannot be read is refused whole, with the reason per cell:
half a customer is worse than one to be sent again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from app.csv_safety import is_formula, neutral
from app.customers.numbers import Identifier, parse_number
from app.customers.search import folded

Target = Literal[
    "ignore", "display_name", "family_name", "given_name", "kind", "language", "external_ref",
    "phone", "email", "line", "wechat", "note", "custom",
]  # fmt: skip
OnDuplicate = Literal["skip", "update", "create"]

NAME_CHARS_MAX: Final = 200
REF_CHARS_MAX: Final = 128
_NUMBERS_MAX = 10
_REPEATABLE: Final = ("ignore", "phone", "email", "line", "wechat", "custom", "note")

_HEADERS: Mapping[Target, tuple[str, ...]] = {
    "display_name": (
        "name", "full name", "fullname", "customer", "customer name", "client", "client name", "contact",
        "contact name", "display name", "company", "company name", "organisation", "organization",
        "姓名", "名稱", "名称", "客戶", "客户", "客戶姓名", "客户姓名", "客戶名稱", "客户名称", "聯絡人",
        "联系人", "公司", "公司名稱", "公司名称", "會員姓名", "会员姓名", "顧客姓名", "中文姓名",
    ),
    "family_name": ("last name", "lastname", "surname", "family name", "familyname", "姓", "姓氏"),
    "given_name": ("first name", "firstname", "given name", "givenname", "forename", "名", "名字"),
    "kind": ("kind", "type", "party type", "customer type", "類型", "类型", "類別", "类别", "客戶類型"),
    "language": ("language", "lang", "preferred language", "語言", "语言", "慣用語言", "語系"),
    "external_ref": (
        "id", "customer id", "customerid", "customer no", "customer number", "client id", "account",
        "account number", "account no", "member id", "external ref", "reference", "ref", "crm id",
        "客戶編號", "客户编号", "客戶代號", "客户代号", "編號", "编号", "會員編號", "会员编号", "會員卡號",
        "帳號", "账号", "客編", "代號", "統一編號", "统一编号", "統編",
    ),
    "phone": (
        "phone", "phone number", "phone no", "telephone", "tel", "mobile", "mobile phone", "cell",
        "cellphone",
        "cell phone", "home phone", "work phone", "office phone", "contact number", "number", "msisdn",
        "numbers",
        "電話", "电话", "手機", "手机", "行動電話", "聯絡電話", "联系电话", "連絡電話", "市話",
        "住家電話", "公司電話", "電話號碼", "电话号码", "手機號碼", "手机号码", "手機號", "手机号", "號碼",
    ),
    "email": ("email", "e mail", "mail", "email address", "e mail address", "電子郵件", "电子邮件", "信箱",
              "電子信箱", "郵箱", "邮箱", "電郵", "电邮"),
    "line": ("line", "line id", "lineid", "賴"),
    "wechat": ("wechat", "wechat id", "weixin", "微信", "微信號", "微信号"),
    "note": ("note", "notes", "remark", "remarks", "comment", "comments", "memo", "備註", "备注", "備注",
             "註記", "說明", "说明", "附註"),
}  # fmt: skip
_TARGET_OF = {word: target for target, words in _HEADERS.items() for word in words}
_KINDS = {
    **{kind: kind for kind in ("person", "organisation", "household", "partner", "supplier")},
    "organization": "organisation", "company": "organisation", "business": "organisation",
    "individual": "person", "customer": "person", "family": "household", "vendor": "supplier",
    "個人": "person", "个人": "person", "公司": "organisation", "企業": "organisation",
    "企业": "organisation",
    "法人": "organisation", "家庭": "household", "經銷商": "partner", "合作夥伴": "partner",
    "供應商": "supplier",
    "供应商": "supplier",
}  # fmt: skip
_LANGUAGES = {
    "english": "en", "英文": "en", "英語": "en", "英语": "en", "chinese": "zh", "中文": "zh", "華語": "zh",
    "國語": "zh-Hant", "繁體中文": "zh-Hant", "繁中": "zh-Hant", "简体中文": "zh-Hans", "簡體中文": "zh-Hans",
    "普通话": "zh-Hans", "台語": "nan", "臺語": "nan", "閩南語": "nan", "客語": "hak", "粵語": "yue",
    "廣東話": "yue", "日文": "ja", "日語": "ja", "韓文": "ko", "韓語": "ko", "越南文": "vi", "印尼文": "id",
    "泰文": "th",
}  # fmt: skip
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_SEVERAL = re.compile(r"[;；、\n]+|(?<=\d)\s*[,，]\s*(?=[+(\d])")
_PHONE_LIKE = re.compile(r"\+?[\d\s().\-#轉转]{7,24}")
_EMAIL_LIKE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column of the list means.

    Attributes:
        field_id: Of a custom field, with the target ``custom``.
        label: Of numbers: "mobile", "work" ….
    """

    target: Target = "ignore"
    field_id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A cell that cannot be read, by column (None: the row as a whole)."""

    column: int | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """What one row becomes.

    Attributes:
        ordinal: Of the row in the list, from 0.
        neutralised: A cell looked like a formula and got an apostrophe.
        problems: Not empty: the row is refused.
    """

    ordinal: int
    display_name: str = ""
    kind: str = ""
    language: str = ""
    external_ref: str = ""
    custom: Mapping[str, str] = field(default_factory=dict)
    identifiers: tuple[tuple[Identifier, str], ...] = ()
    note: str = ""
    neutralised: bool = False
    problems: tuple[Problem, ...] = ()


def suggested(columns: Sequence[tuple[str, Sequence[str]]], fields: Mapping[str, str]) -> list[Column]:
    """Suggest what each column means, by its header and its first values.

    Args:
        columns: Header and samples of each.
        fields: The custom fields there are: id to display name.

    >>> [each.target for each in suggested([("客戶姓名", []), ("手機", []), ("col3", ["a@b.tw"])], {})]
    ['display_name', 'phone', 'email']
    """
    by_name = {folded(name): field_id for field_id, name in fields.items()} | {each: each for each in fields}
    taken: set[Target] = set()
    found = []
    for header, samples in columns:
        word = folded(header)
        target = _TARGET_OF.get(word) or _TARGET_OF.get(word.replace("_", " ")) or _by_samples(samples)
        if word in by_name or word.replace(" ", "_") in by_name:
            key = by_name.get(word) or by_name[word.replace(" ", "_")]
            found.append(Column(target="custom", field_id=key))
            continue
        if target in taken and target not in ("phone", "email", "ignore"):
            target = "ignore"  # a person decides which of the two it is
        taken.add(target)
        found.append(Column(target=target, label=header[:64] if target == "phone" else ""))
    return found


def _by_samples(samples: Sequence[str]) -> Target:
    if samples and all(_EMAIL_LIKE.fullmatch(each) for each in samples):
        return "email"
    if samples and all(_PHONE_LIKE.fullmatch(each) and sum(map(str.isdigit, each)) >= 8 for each in samples):
        return "phone"
    return "ignore"


def problems_of(columns: Sequence[Column], width: int) -> str:
    """Return what is wrong with a mapping, as an ``error_id``; "" when it can be used."""
    if len(columns) != width:
        return "mapping_wrong_width"
    targets = [each.target for each in columns]
    if not {"display_name", "family_name", "given_name"} & set(targets):
        return "mapping_without_name"
    once = [
        each
        for each in targets
        if each not in ("ignore", "phone", "email", "line", "wechat", "custom", "note")
    ]
    fields = [each.field_id for each in columns if each.target == "custom"]
    if len(once) != len(set(once)) or len(fields) != len(set(fields)):
        return "mapping_twice"
    return "" if all(fields) else "mapping_without_field"


def row_of(
    ordinal: int, cells: Sequence[str], columns: Sequence[Column], *, region: str, area_code: str
) -> NewRow | None:
    """Return what a row becomes under a mapping; None: it is blank."""
    if not any(cells):
        return None
    values: dict[str, str] = {}
    custom: dict[str, str] = {}
    identifiers: list[tuple[Identifier, str]] = []
    notes: list[str] = []
    problems: list[Problem] = []
    neutralised = False
    for at, (raw, column) in enumerate(zip(cells, columns, strict=False)):
        if not raw or column.target == "ignore":
            continue
        match column.target:
            case "phone" | "email" | "line" | "wechat":
                found, problem = _identifiers(raw, column, region, area_code)
                identifiers += found
                problems += [Problem(column=at, problem=problem)] if problem else []
            case "kind" | "language":
                read = _read_word(column.target, raw)
                values[column.target] = read
                problems += [] if read else [Problem(column=at, problem=f"{column.target}_unknown")]
            case _:
                neutralised = neutralised or is_formula(raw)
                safe = neutral(raw if column.target == "note" else " ".join(raw.split()))
                if column.target == "custom":
                    custom[column.field_id] = safe
                elif column.target == "note":
                    notes.append(safe)
                else:
                    values[column.target] = safe
                limit = REF_CHARS_MAX if column.target == "external_ref" else NAME_CHARS_MAX
                if column.target not in ("custom", "note") and len(safe) > limit:
                    problems.append(Problem(column=at, problem="text_too_long"))
    name = values.get("display_name") or _joined(values.get("family_name", ""), values.get("given_name", ""))
    if not name:
        problems.append(Problem(column=None, problem="name_missing"))
    if len(identifiers) > _NUMBERS_MAX:
        problems.append(Problem(column=None, problem="too_many_numbers"))
    return NewRow(
        ordinal=ordinal,
        display_name=name,
        kind=values.get("kind", ""),
        language=values.get("language", ""),
        external_ref=values.get("external_ref", ""),
        custom=custom,
        identifiers=tuple({key.normal: (key, label) for key, label in identifiers}.values()),
        note="\n".join(notes),
        neutralised=neutralised,
        problems=tuple(problems),
    )


def _identifiers(
    raw: str, column: Column, region: str, area_code: str
) -> tuple[list[tuple[Identifier, str]], str]:
    found = []
    for part in _SEVERAL.split(raw):
        text = part.strip().lstrip("'")
        if not text:
            continue
        if column.target in ("line", "wechat"):
            text = f"{column.target}:{text}"
        identifier = parse_number(text, region, area_code)
        wanted = {"phone": ("e164", "short"), "email": ("email",)}.get(column.target, (column.target,))
        if identifier.kind not in wanted:
            return [], f"{column.target}_unreadable"
        found.append((identifier, column.label))
    return found, ""


def _read_word(target: str, raw: str) -> str:
    word = folded(raw)
    if target == "kind":
        return _KINDS.get(word, "")
    if word in _LANGUAGES:
        return _LANGUAGES[word]
    tag = raw.strip().replace("_", "-")
    return tag if _LANGUAGE_TAG.fullmatch(tag) else ""


def _joined(family: str, given: str) -> str:
    """One name of two parts: Chinese ones without a space and family first, others given first."""
    if family and given and not (family + given).isascii() and len(family) <= 2:
        return family + given
    return " ".join(part for part in (given, family) if part)


def column_of(given: Mapping[str, Any]) -> Column:
    """Return a column as it was stored with an import."""
    return Column(target=given["target"], field_id=given.get("field_id", ""), label=given.get("label", ""))

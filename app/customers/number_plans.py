"""Facts about numbering plans that phonenumbers does not hold, or holds differently (measured, see tests).

Only data and one-line predicates; the reading of a number is in ``numbers.py``.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import shortnumberinfo

# Never rewritten and never blocked wherever the trunk is: a caller abroad may dial what he knows from home,
# and every GSM network takes 112.
EMERGENCY_EVERYWHERE = frozenset({"110", "112", "119", "911"})
# Emergency numbers that phonenumbers lists as ordinary short numbers.
_EMERGENCY_BESIDE_METADATA = {
    "CN": frozenset({"120", "122"}),
    "TW": frozenset({"110", "112", "119"}),
    "HK": frozenset({"999", "112", "992"}),
    "MO": frozenset({"999", "110", "112"}),
}

# Short numbers by region, where phonenumbers is either too wide (it takes 1001 in Hong Kong and 95588 in the
# United States for services, which are extensions in an office) or too narrow (1008611, 188).
SHORT = {
    "TW": re.compile(r"10[04-9]|11[0237-9]|123|128|16[05-9]|18[0458]|19\d{2}|412\d{4}"),
    "CN": re.compile(r"1[0-2]\d|1[0-2]\d{3}|11\d{4}|100\d{2,5}|123\d{2}|95\d{3,6}|96\d{3,5}|106\d{5,17}"),
    "HK": re.compile(r"18\d{2,5}|10\d{3}|99[29]|112"),
    "MO": re.compile(r"1\d{2}|99[39]"),
    "US": re.compile(r"[2-9]11|988"),
    "CA": re.compile(r"[2-9]11|988"),
    "GB": re.compile(r"100|101|105|111|112|119|123|150|151|159|191|195|999|116\d{3}|118\d{3}"),
    "JP": re.compile(r"1\d{2}|#\d{4}"),
    "SG": re.compile(r"99[359]|1\d{3}|1800\d{7}"),
    "KR": re.compile(r"1\d{2}|1[568]\d{6}"),
    "AU": re.compile(r"000|106|112|13\d{4}|12\d{3}"),
}

# Local subscriber numbers never start with the national prefix; these are their lengths. More bare digits
# are a national number whose prefix the trunk took away.
LOCAL_DIGITS_MAX = {"TW": 8, "CN": 8, "JP": 8, "GB": 8, "KR": 8, "AU": 8, "US": 7, "CA": 7}

# Mobile numbers stand alone in mainland China: no 0, no area code; ranges open faster than metadata follow.
CN_MOBILE = re.compile(r"1[3-9]\d{9}")
# Taiwan's nationwide 412-xxxx: dialled bare from a fixed line and with any area code from a mobile.
TW_UNIVERSAL = re.compile(r"0(?:[2-8]|37|49|82|89)(412\d{4})")
# A 95xxx or 1xxxx service that a carrier shows behind an area code (010-95588, 021-10086).
CN_SERVICE_BEHIND_AREA = re.compile(r"0(?:10|2\d|[3-9]\d{2})(95\d{3,4}|96\d{3,4}|100\d{2}|12[0-3]\d{2})")
# Carrier-selection prefixes of mainland China (IP calls), in front of a complete number.
CN_CARRIER = re.compile(
    r"(?:179(?:00|01|08|09|11|12|51|61|69|90|91)|1259\d|11808|10193|10131)(?=0|1[3-9]|\d{10})"
)
# A vertical service code that hides or shows the own number, in front of the number dialled.
PRIVACY_CODE = re.compile(r"(?:[*#]31#|\*(?:67|82)(?=[\d\s().-]{7}))")
# International prefixes that phonenumbers does not accept in a region although trunks present them.
TRUNK_INTERNATIONAL = "00"

# Words that stand where a number should be; compared without spaces, case, brackets, dashes and underscores.
WITHHELD = frozenset(
    [
        "anonymous",
        "unavailable",
        "restricted",
        "private",
        "privatenumber",
        "privatecaller",
        "withheld",
        "numberwithheld",
        "unknown",
        "unknowncaller",
        "unknownnumber",
        "nocallerid",
        "nocallid",
        "callerunknown",
        "hidden",
        "hiddennumber",
        "idhidden",
        "blocked",
        "blockedid",
        "callerwithheld",
        "outofarea",
        "notavailable",
        "nonumber",
        "noname",
        "null",
        "none",
        "nil",
        "nan",
        "undefined",
        "na",
        "n/a",
        "asterisk",
        "nobody",
        "anonym",
        "anonyme",
        "anonimo",
        "anónimo",
        "inconnu",
        "unbekannt",
        "privé",
        "confidential",
        "payphone",
        "coinline",
        "invalid",
        "未知",
        "不明",
        "未知號碼",
        "未知号码",
        "不明號碼",
        "不明号码",
        "未顯示號碼",
        "未显示号码",
        "無來電顯示",
        "无来电显示",
        "隱藏號碼",
        "隐藏号码",
        "隱藏",
        "隐藏",
        "保密",
        "保密號碼",
        "保密号码",
        "私人號碼",
        "私人号码",
        "無號碼",
        "无号码",
        "無法顯示",
        "无法显示",
        "匿名",
        "匿名來電",
        "匿名来电",
        "非通知",
        "非通知設定",
        "通知不可能",
        "公衆電話",
        "表示圏外",
        "拒顯",
        "拒显",
        "不顯示號碼",
        "不显示号码",
        "無主叫",
        "无主叫",
        "發信號碼隱藏",
        "발신번호표시제한",
        "알수없음",
        "p",
        "o",
        "u",
        "s",
        "-",
        "--",
        "---",
        ".",
        "..",
        "?",
        "??",
        "???",
        "0000000",
        "00000000",
        "000000000",
        "0000000000",
        "00000000000",
        "000000000000",
    ]
)
# ANONYMOUS, UNAVAILABLE and RESTRICTED typed on a telephone keypad; gateways send them as numbers.
WITHHELD_KEYPAD = frozenset({"266696687", "86282452253", "7378742833"})

EXTENSION_MARK = re.compile(
    r"""\s*[,，;；、]?\s*(?:
        (?:轉|转)(?:分機|分机|內線|内线)|轉接|转接|轉|转|分機號?|分机号?|內線|内线|内線
      | \bext(?:ension|n)?\b\.?|(?<=\d)\s*ext\.?|(?<=[\d)\s])x(?=[\s.:]*\d)|;ext=|;extension=
      | (?<=[\d)\s])\#|,+|~~
    )\s*[:：.=]?\s*(?=[\d*])""",
    re.IGNORECASE | re.VERBOSE,
)


def is_emergency(digits: str, region: str) -> bool:
    """Return whether *digits* is an emergency number for a trunk in *region*.

    >>> is_emergency("119", "TW"), is_emergency("120", "CN"), is_emergency("120", "TW")
    (True, True, False)
    """
    if digits in EMERGENCY_EVERYWHERE or digits in _EMERGENCY_BESIDE_METADATA.get(region, ()):
        return True
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 6):
        return False
    return bool(shortnumberinfo.is_emergency_number(digits, region))


def is_short(digits: str, region: str) -> bool:
    """Return whether *digits* is a public short number (service, hotline, emergency) in *region*.

    >>> is_short("95588", "CN"), is_short("95588", "TW"), is_short("1922", "TW")
    (True, False, True)
    """
    plan = SHORT.get(region)
    return is_emergency(digits, region) or bool(plan and plan.fullmatch(digits))


def country_code(region: str) -> str:
    """Return the country calling code of *region* as digits, "" for a region that is not one.

    >>> country_code("TW"), country_code("XX")
    ('886', '')
    """
    return str(phonenumbers.country_code_for_region(region) or "")

"""What may stand in a channel variable that the dialplan will expand. Pure.

A value set literally becomes code when the dialplan writes ``${CC_PARTY}`` into an expression or into
an application's arguments: ``${…}`` is expanded, quotes end a string, a comma begins the next
argument, ``&`` adds a second phone to a Dial. So nothing of that leaves here, whatever a route returns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

VALUE_BYTES_MAX: Final = 256
PAIRS_PER_COMMAND_MAX: Final = 20  # Asterisk's MSet takes 24
PAIRS_BYTES_MAX: Final = 1_800

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_DROPPED = frozenset('"\\`${}[]')
_SEPARATORS = frozenset(",;|&()^")


def is_variable(name: str) -> bool:
    """Whether *name* is a plain channel variable (a function such as ``SHELL(...)`` is not).

    >>> is_variable("CC_PARTY"), is_variable("CDR(userfield)"), is_variable("__CC_X")
    (True, False, True)
    """
    return _VARIABLE.fullmatch(name) is not None


def clean_value(text: str) -> str:
    """Return *text* without anything that the dialplan could take for more than text.

    Dropped: control characters, quotes, backslash, ``$ { } [ ]`` and the backtick. Replaced by a blank:
    what separates arguments (``, ; | & ( ) ^``). Cut to 256 bytes of UTF-8.

    >>> clean_value('Bob ${SHELL(reboot)},PJSIP/x&"O\\'Brien"')
    "Bob SHELL reboot  PJSIP/x O'Brien"
    """
    kept = "".join(" " if letter in _SEPARATORS else letter for letter in text if _is_harmless(letter))
    return kept.strip().encode()[:VALUE_BYTES_MAX].decode("utf-8", "ignore").strip()


def assignments(values: Mapping[str, str]) -> Iterator[str]:
    """Yield arguments for ``MSet`` that set all values in order, as few as possible.

    >>> list(assignments({"CC_QUEUE": "sales", "CC_PARTY": "Wang, Li", "CC_DONE": "1"}))
    ['CC_QUEUE=sales,CC_PARTY=Wang  Li,CC_DONE=1']
    """
    group: list[str] = []
    group_bytes = 0
    for name, value in values.items():
        assert is_variable(name)
        pair = f"{name}={clean_value(value)}"
        size = len(pair.encode()) + 1
        if group and (len(group) >= PAIRS_PER_COMMAND_MAX or group_bytes + size > PAIRS_BYTES_MAX):
            yield ",".join(group)
            group, group_bytes = [], 0
        group.append(pair)
        group_bytes += size
    if group:
        yield ",".join(group)


def _is_harmless(letter: str) -> bool:
    # Cc control, Cs lone surrogate, Zl and Zp line and paragraph separators
    return letter not in _DROPPED and unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp")

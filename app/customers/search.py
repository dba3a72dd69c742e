"""Finding people by name in any script: pairs of letters. Pure.

Chinese has no spaces, built-in full text takes a sentence for one word, and trigrams need three characters
where 退費 has two. Pairs of neighbouring letters serve every script alike.
"""

from __future__ import annotations

import re
import unicodedata

BIGRAMS_MAX = 256
_WORDS = re.compile(r"\w+")


def folded(text: str) -> str:
    """Return *text* as search compares it: one width, one case, no accents.

    >>> folded("Ｊosé  王小明")
    'jose 王小明'
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", bare)))


def bigrams(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring letters of *text*'s words, at most 256; a one-letter word is itself.

    >>> sorted(bigrams("王小明"))
    ['小明', '王小']
    >>> sorted(bigrams("Al 王"))
    ['al', '王']
    """
    found: dict[str, None] = {}
    for word in folded(text).split():
        for at in range(max(1, len(word) - 1)):
            found[word[at : at + 2]] = None
            if len(found) == BIGRAMS_MAX:
                return frozenset(found)
    return frozenset(found)

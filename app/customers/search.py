"""Finding people by name in any script: short runs of letters ("grams"). Pure.

Chinese has no spaces, built-in full text takes a sentence for one word, and trigrams need three characters
where 退費 has two. So: pairs of letters where a letter is a syllable or a word (Chinese, Japanese, Korean),
threes elsewhere, because a pair of Latin letters stands in every tenth name. The first letter and the
first two letters of a word are grams too, for the beginning of a word is what people type first.
"""

from __future__ import annotations

import re
import unicodedata

GRAMS_MAX = 256
ASKED_GRAMS_MAX = 16
"""More than so many say nothing more about a name; the text itself is compared in the end."""
_WORDS = re.compile(r"\w+")
_DENSE = re.compile(
    r"[\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


def folded(text: str) -> str:
    """Return *text* as search compares it: one width, one case, no accents.

    >>> folded("Ｊosé  王小明")
    'jose 王小明'
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", bare)))


def grams(text: str) -> frozenset[str]:
    """Return what *text* is found by, at most 256 grams.

    >>> sorted(grams("王小明"))
    ['小明', '王', '王小']
    >>> sorted(grams("Wang"))
    ['ang', 'w', 'wa', 'wan']
    """
    found: dict[str, None] = {}
    for word in folded(text).split():
        for gram in (word[:1], word[:2], *_windows(word)):
            found[gram] = None
            if len(found) == GRAMS_MAX:
                return frozenset(found)
    return frozenset(found)


def asked_grams(words: str) -> frozenset[str]:
    """Return the grams that every text has in which *words* are found; at most 16.

    >>> sorted(asked_grams("小明")), sorted(asked_grams("wang")), sorted(asked_grams("wa"))
    (['小明'], ['ang', 'wan'], ['wa'])
    """
    found: dict[str, None] = {}
    for word in folded(words).split():
        for gram in _windows(word) or (word,):
            found[gram] = None
    return frozenset(list(found)[:ASKED_GRAMS_MAX])


def is_found(words: str, text: str) -> bool:
    """Say whether each of *words* stands in *text*; fewer letters than a gram: at the beginning of a word.

    >>> is_found("ming", "Wang Xiao-Ming"), is_found("in", "Ming"), is_found("明", "王小明")
    (True, False, False)
    """
    plain = folded(text)
    begun = " " + plain
    return all(word in plain if _windows(word) else f" {word}" in begun for word in folded(words).split())


def _windows(word: str) -> list[str]:
    """The whole grams inside *word*: two letters from a dense one, three from any other."""
    lengths = [2 if _DENSE.match(letter) else 3 for letter in word]
    return [word[at : at + length] for at, length in enumerate(lengths) if at + length <= len(word)]

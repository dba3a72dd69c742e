"""Whatever the server refuses, a page has a sentence for it, in every language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
# No page asks so that these would come: whoever writes an integration is told them, by their detail.
SAID_OTHERWISE: Final = {
    "bad_idempotency_key",
    "csrf_header_missing",
    "duplicate",
    "hangup_requested",
    "idempotency_key_reused",
    "no_zone",
    "offer_pending",
    "page_not_built",
    "sign_in_locked",  # the sign-in page says it with its time
    "stale_attempt",
    "workforce",
}
_RAISED: Final = {"ApiError": 1, "JobFailed": 0, "UnreadableError": 0, "ignore": 1}
_ID: Final = re.compile(r"'error\.(\w+)':")


def _ids() -> Iterator[str]:
    for folder in ("app", "routing", "workforce"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield from _ids_of(node)


def _ids_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = _RAISED.get(name)
        if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
            yield str(node.args[place].value)  # type: ignore[attr-defined]
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
        named = (target for target in node.targets if getattr(target, "id", "") == "error_id")
        yield from (str(node.value.value) for _ in named)


@pytest.mark.parametrize("catalogue", ["en", "zhHant"])
def test_every_error_id_has_a_sentence(catalogue: str) -> None:
    ids = {each for each in _ids() if not each.startswith("already_")}
    assert len(ids) > 50, "the ids are found"
    _, _, after = (
        (ROOT / "web/src/lib/i18n/errors.ts").read_text(encoding="utf-8").partition(f"const {catalogue}")
    )
    said = set(_ID.findall(after.partition("\n}")[0]))
    for words in (ROOT / "web" / "src").glob(
        "*/words/en.ts"
    ):  # its other languages have the same by their type
        said |= set(_ID.findall(words.read_text(encoding="utf-8")))
    assert ids - said - SAID_OTHERWISE == set()
    assert said & SAID_OTHERWISE == set()

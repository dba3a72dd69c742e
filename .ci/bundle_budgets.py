"""What a page loads before it can be used, compressed, against its budget; over it the build fails.

A page's own script and style with all they import statically; what is imported later (the browser phone) is
listed apart. ``python .ci/bundle_budgets.py DIRECTORY`` after a build.
"""

import gzip
import re
import sys
from pathlib import Path

BUDGET_KB = {
    "signin": 60,
    "desk": 150,
    "wall": 60,
    "customers": 110,
    "calls": 110,
    "figures": 110,
    "plan": 250,
    "people": 60,
}
_REFERENCED = re.compile(r'(?:src|href)="/assets/([^"]+)"')
_IMPORTED = re.compile(r'(?:from|import)\s*"\./([^"]+\.js)"')


def _loaded(page: str, assets: Path) -> set[str]:
    """Return the assets that a page needs at once."""
    found: set[str] = set()
    ahead = [name for name in _REFERENCED.findall(page) if name.endswith((".js", ".css"))]
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        if name.endswith(".js"):
            ahead += _IMPORTED.findall((assets / name).read_text(encoding="utf-8"))
    return found


def main(home: Path) -> int:
    """Print each page's weight beside its budget; 1 when one is over."""
    over = False
    for page in sorted(home.glob("*.html")):
        names = _loaded(page.read_text(encoding="utf-8"), home / "assets")
        weight_kb = sum(len(gzip.compress((home / "assets" / name).read_bytes(), 9)) for name in names) / 1000
        budget_kb = BUDGET_KB[page.stem]
        over |= weight_kb > budget_kb
        verdict = "over its budget" if weight_kb > budget_kb else "of"
        sys.stdout.write(f"web: {page.stem:<10} {weight_kb:6.1f} kB {verdict} {budget_kb} kB (gzip)\n")
    return int(over)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

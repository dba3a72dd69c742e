"""The page ``docs/agi-routes.md``, made from the registry: what is written there is what is registered.

Write it anew with ``python -m app.hooks.page``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.db.session import DEFAULT_TENANT, Database
from app.hooks.routes import Hooks, register
from app.hooks.rules import CentreBook
from telephony.agi.registry import AgiRegistry

PAGE = Path(__file__).parents[2] / "docs" / "agi-routes.md"

_INTRODUCTION = """\
# What a dialplan may ask

Five FastAGI routes, usable from any dialplan: they read and decorate, and never move a call. Ask with
`AGI(${CC_AGI}/<route>?<field>=<value>)`; the answer stands in channel variables. Every value is cleaned for
the dialplan: no quotes, no commas, no `${…}`, at most 256 bytes.

`CC_DONE` is set to `1` last of all. Empty it before you ask and look at nothing else: `AGISTATUS` says
SUCCESS even when the server dies in the middle.

```
same => n,Set(CC_DONE=)
same => n,Set(AGIEXITONHANGUP=yes)
same => n,Set(TIMEOUT(absolute)=2)
same => n,AGI(${CC_AGI}/inbound?entry=${CC_ENTRY})
same => n,Set(TIMEOUT(absolute)=0)
same => n,GotoIf($["${CC_DONE}" = "1"]?decorated:plain)
```

A look-up that is late answers with the defaults; what it finds later reaches the agent's screen.
"""

EXAMPLES = {
    "inbound": """\
same => n,AGI(${CC_AGI}/inbound?entry=${CC_ENTRY})
same => n,GotoIf($["${CC_OPEN}" = "0"]?closed,s,1)
same => n,Goto(cc-wait,s,1)""",
    "identify": """\
same => n,AGI(${CC_AGI}/identify)
same => n,GotoIf($["${CC_MATCH}" = "match"]?known:unknown)""",
    "hours": """\
same => n,AGI(${CC_AGI}/hours?calendar=office)
same => n,GotoIf($["${CC_OPEN}" = "0"]?closed)
same => n(closed),SayUnixTime(${CC_OPEN_NEXT},,AdbR)""",
    "attribute": """\
same => n,AGI(${CC_AGI}/attribute?name=tier&default=regular&party=${CC_PARTY})
same => n,ExecIf($["${CC_ATTRIBUTE}" = "vip"]?Set(CC_PRIORITY=60000))""",
    "ewt": """\
same => n,AGI(${CC_AGI}/ewt?queue=${CC_QUEUE})
same => n,GotoIf($["${CC_EWT_HIGH_MIN}" = ""]?quiet)
same => n,SayNumber(${CC_EWT_HIGH_MIN})""",
}


def page(registry: AgiRegistry) -> str:
    """Return the page's text for the routes of *registry*."""
    return "\n".join([_INTRODUCTION, *(_section(route) for route in registry.describe())])


def documented_registry() -> AgiRegistry:
    """Return a registry with this package's routes, for reading only: nothing is connected."""
    registry = AgiRegistry()
    register(
        registry,
        Hooks(
            database=Database("postgresql+asyncpg://nowhere/none"),
            tenant_id=DEFAULT_TENANT,
            book=CentreBook,
            now=lambda: datetime.now(UTC),
            expected_wait=lambda queue_id: None,
            on_match=lambda call, match: None,
            on_late=lambda call, match: None,
        ),
    )
    return registry


def _section(route: Mapping[str, Any]) -> str:
    lines = [f"## `{route['path']}`", "", route["doc"], ""]
    lines += [f"At most {route['time_limit_ms']} ms.", ""]
    lines += _table("field", route["parameters"])
    lines += _table("variable set", route["returns"], route["defaults"])
    lines += ["```", EXAMPLES[route["path"]], "```", ""]
    return "\n".join(lines)


def _table(first: str, meanings: Mapping[str, str], defaults: Mapping[str, str] | None = None) -> list[str]:
    if defaults is None:
        rows = [f"| `{name}` | {meaning} |" for name, meaning in meanings.items()]
        return [f"| {first} | meaning |", "|---|---|", *rows, ""]
    rows = [f"| `{name}` | {meaning} | {_default(name, defaults)} |" for name, meaning in meanings.items()]
    return [f"| {first} | meaning | when late |", "|---|---|---|", *rows, ""]


def _default(name: str, defaults: Mapping[str, str]) -> str:
    if name not in defaults:
        return "as it was"
    return f"`{defaults[name]}`" if defaults[name] else "empty"


if __name__ == "__main__":
    PAGE.write_text(page(documented_registry()), encoding="utf-8")

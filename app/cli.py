"""The command line ``holdless``. It composes; each command lives with what it commands.

Only the command that is asked for is imported, so that ``holdless --help`` answers at once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from typing import Any

import typer


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command lives: a ``typer.Typer`` (a group) or a function (one command)."""

    module: str
    name: str
    help: str


COMMANDS: dict[str, Place] = {
    "serve": Place("app.main", "serve", "Run the server."),
    "demo": Place("app.demo.cli", "demo", "Run a small contact centre with synthetic callers."),
    "accounts": Place("app.auth.cli", "accounts_cli", "List, make and disable accounts; sign-in links."),
    "calls": Place("app.calls.cli", "calls_cli", "List, show and reconcile logged calls."),
    "figures": Place(
        "app.figures.cli", "figures_cli", "Figures of the call log by period, and of agents and teams."
    ),
    "reports": Place("app.figures.report_cli", "reports_cli", "List reports; run one into a file."),
    "log": Place("app.figures.retention_cli", "log_cli", "How long the call log is kept."),
    "centre": Place("app.centre.cli", "centre_cli", "Export, check and import queues, agents and skills."),
    "plan": Place("app.planner.cli", "plan_cli", "Staffing, patience and forecasts."),
    "pbx": Place("app.pbx.cli", "pbx_cli", "Install, start and stop a private real Asterisk."),
}

_ROOT_ERRORS = {
    "app.demo.errors": "DemoError",
    "app.settings": "SettingsError",
    "app.centre.exchange": "CentreError",
    "app.db.errors": "DatabaseError",
    "app.live.errors": "LiveError",
    "telephony.errors": "TelephonyError",
    "workforce.errors": "WorkforceError",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, 1 (it failed, and said why) or 2 (wrong usage)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    asked = next((word for word in given if not word.startswith("-")), None)
    try:
        program(asked)(args=given, prog_name="holdless")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except _expected_errors() as error:  # looked up only when something was raised
        typer.echo(f"holdless: {error}", err=True)
        raise SystemExit(1) from None


def program(asked: str | None) -> typer.Typer:
    """Return the root with the asked command imported and the others named."""
    root = typer.Typer(
        help="A contact-centre and CTI server for Asterisk.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    root.callback()(_options)
    for name, place in COMMANDS.items():
        if name != asked:
            root.command(name, help=place.help)(_named_only)
            continue
        command: Any = getattr(importlib.import_module(place.module), place.name)
        if isinstance(command, typer.Typer):
            root.add_typer(command, name=name, help=place.help)
        else:
            root.command(name, help=place.help)(command)
    return root


def _expected_errors() -> tuple[type[BaseException], ...]:
    """Return the errors whose message tells a person what to do, of the modules that are loaded."""
    return tuple(
        getattr(sys.modules[module], name) for module, name in _ROOT_ERRORS.items() if module in sys.modules
    )


def _named_only() -> None:
    """Stand for a command that was not asked for."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"holdless {installed_version('holdless')}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", help="Say the version.", callback=_version, is_eager=True
    ),
) -> None:
    pass

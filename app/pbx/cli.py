"""``holdless pbx``: fetch, start, look at and stop private Asterisks of this user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from app.settings import SettingsError, load_settings
from routing.ids import AgentId, QueueId, slug
from telephony.sandbox.config import SandboxAgent, SandboxSettings, web_sections
from telephony.sandbox.errors import SandboxError
from telephony.sandbox.install import Programs, install
from telephony.sandbox.instance import Sandbox, instances, run_dir, start

pbx_cli = typer.Typer(name="pbx", help="A private real Asterisk, without root.", no_args_is_help=True)

_out = Console()
_err = Console(stderr=True)

_Name = Annotated[str, typer.Argument(help="Its systemname.")]
_Agents = Annotated[list[str], typer.Option("--agent", help="An agent's phone, by the agent's id; repeat.")]
_Queues = Annotated[list[str], typer.Option("--queue", help="A queue; the first is the default one; repeat.")]
_Entries = Annotated[list[str], typer.Option("--entry", help="NUMBER=QUEUE dialled on the trunk; repeat.")]
_Agi = Annotated[str | None, typer.Option(help="HOST:PORT of the FastAGI server; none: no look-up.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object, with passwords.")]


@pbx_cli.command("install")
def install_command() -> None:
    """Find Asterisk 20 or newer on PATH, else fetch it into the cache (about 80 MB)."""
    with _failures():
        programs = _installed()
    where = "found on PATH" if programs.origin == "path" else "in the cache"
    _out.print(f"Asterisk {programs.version}, {where}: {programs.asterisk[-1]}", soft_wrap=True)
    _out.print(f"sipp: {programs.sipp[-1] if programs.sipp else 'none'}", soft_wrap=True)


@pbx_cli.command("start")
def start_command(
    name: _Name = "pbx1",
    agent: _Agents = [],  # noqa: B006  # typer reads the default and never changes it
    queue: _Queues = [],  # noqa: B006
    entry: _Entries = [],  # noqa: B006
    agi: _Agi = None,
    as_json: _Json = False,
) -> None:
    """Start a private Asterisk and leave it running."""
    with _failures():
        programs = _installed()
        settings = SandboxSettings(
            systemname=name,
            agents=[SandboxAgent(agent_id=AgentId(agent_id)) for agent_id in agent],
            queues=[QueueId(queue_id) for queue_id in queue],
            entry_points=dict(_entry(text) for text in entry),
            agi=agi,
        )
        sandbox = start(settings, run=run_dir(name), programs=programs)
    _show(sandbox, as_json=as_json)


@pbx_cli.command("stop")
def stop_command(
    name: _Name = "pbx1",
    every: Annotated[bool, typer.Option("--all", help="Every private Asterisk of this user.")] = False,
    keep_files: Annotated[bool, typer.Option(help="Keep logs and configuration.")] = False,
) -> None:
    """Stop a private Asterisk in order and remove its directory."""
    with _failures():
        for sandbox in instances() if every else [_named(name)]:
            sandbox.stop(keep_files=keep_files)
            _out.print(f"{sandbox.systemname} is stopped")


@pbx_cli.command("status")
def status_command(as_json: _Json = False) -> None:
    """List the private Asterisks of this user."""
    with _failures():
        found = instances()
    if not found and not as_json:
        _out.print("no private Asterisk; holdless pbx start makes one")
    for sandbox in found:
        _show(sandbox, as_json=as_json)


@pbx_cli.command("cli")
def cli_command(
    command: Annotated[str, typer.Argument(help="A console command.")], name: _Name = "pbx1"
) -> None:
    """Run one command on the console of a private Asterisk."""
    with _failures():
        typer.echo(_named(name).cli(command), nl=False)


@pbx_cli.command("phones")
def phones_command(agent: _Agents) -> None:
    """Print the sections of pjsip.conf for agents' browser phones, with the secrets of phones.secret."""
    with _failures():
        secret = load_settings().phones.secret.get_secret_value()
        if not secret:
            raise SettingsError(
                "phones.secret is not set: set HOLDLESS_PHONES__SECRET, for instance to 32 letters"
            )
        for agent_id in agent:
            typer.echo(web_sections(slug(agent_id), secret), nl=False)


def _installed() -> Programs:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, share: float) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    bar.update(task, completed=1.0)
                tasks[stage] = bar.add_task(stage, total=1.0)
            bar.update(tasks[stage], completed=share)

        return install(tell)


def _named(name: str) -> Sandbox:
    for sandbox in instances():
        if sandbox.systemname == name:
            return sandbox
    raise SandboxError(f"no private Asterisk is called {name}: see holdless pbx status")


def _entry(text: str) -> tuple[str, QueueId]:
    number, _, queue_id = text.partition("=")
    return number, QueueId(queue_id)


def _show(sandbox: Sandbox, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_as_dict(sandbox)))
        return
    state = f"running, process {sandbox.pid}" if sandbox.is_running() else "not running"
    _out.print(f"{sandbox.systemname}: Asterisk {sandbox.programs.version}, {state}", highlight=False)
    _out.print(
        f"  SIP udp {sandbox.sip_port}, manager tcp {sandbox.ami_port}, WebSocket tcp {sandbox.ws_port}, "
        f"RTP udp {sandbox.ports.rtp_start}-{sandbox.ports.rtp_end}",
        highlight=False,
    )
    _out.print(f"  directory {sandbox.run}, log {sandbox.log_path}", highlight=False, soft_wrap=True)


def _as_dict(sandbox: Sandbox) -> dict[str, object]:
    return {
        "name": sandbox.systemname,
        "running": sandbox.is_running(),
        "pid": sandbox.pid,
        "host": sandbox.host,
        "sip_port": sandbox.sip_port,
        "ami_port": sandbox.ami_port,
        "ws_port": sandbox.ws_port,
        "events_user": {"name": sandbox.events_user.name, "secret": sandbox.events_user.secret},
        "control_user": {"name": sandbox.control_user.name, "secret": sandbox.control_user.secret},
        "agents": sandbox.agent_secrets,
        "websocket_url": sandbox.websocket_url,
        "phone_secret": sandbox.phone_secret,
        "cel": str(sandbox.cel_path),
        "cdr": str(sandbox.cdr_path),
        "log": str(sandbox.log_path),
    }


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what can go wrong into one line and exit code 1."""
    try:
        yield
    except (SandboxError, SettingsError, ValueError) as error:
        _err.print(f"holdless pbx: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error

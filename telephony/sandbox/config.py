"""Render ``asterisk-config/`` for one private Asterisk: ``@NAME@`` placeholders and the generated parts.

The product's own files and the sandbox's frame around them land flat in one ``etc`` directory, as on
a production PBX; what depends on the centre (agents, fallback queues, entry points) is generated.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from routing.ids import AgentId, QueueId, slug
from telephony.phones import web_endpoint, web_secret
from telephony.sandbox.errors import SandboxError
from telephony.sandbox.install import Programs
from telephony.sandbox.ports import Ports

_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")
_LOAD = re.compile(r"^load => (\w+)\.so$", re.MULTILINE)
_ENTRY = re.compile(r"[0-9+*#]{1,32}")
_SYSTEMNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_AGI = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\]):\d{1,5}")
_SECRET = re.compile(r"[A-Za-z0-9]{8,64}")


def random_secret() -> str:
    """Return a password that needs no quoting in any configuration file."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAgent:
    """An agent's phones: the desk phone registers under the agent's id with this password.

    The browser phone is an endpoint of its own, over WebSocket with encrypted media; its secret is
    made from ``SandboxSettings.phone_secret``.
    """

    agent_id: AgentId
    secret: str = field(default_factory=random_secret, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiUser:
    """A manager user's name and password."""

    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What one private Asterisk is to serve.

    Attributes:
        systemname: Makes its Uniqueids unique; the PBX's id.
        queues: Each gets a ``fallback-<queue>``; the first is the default queue unless one is named.
        entry_points: Queue by number dialled on the trunk; any other number goes to the default queue.
        agi: ``host:port`` of the FastAGI server; None: callers wait without a look-up.
        phone_secret: Of which the browser phones' secrets are made (``phones.secret`` of the server).
        trunk_out: The endpoint that outside phones are rung through; empty: none are.
    """

    systemname: str = "pbx1"
    agents: Sequence[SandboxAgent] = ()
    queues: Sequence[QueueId] = ()
    default_queue_id: QueueId | None = None
    entry_points: Mapping[str, QueueId] = field(default_factory=dict)
    agi: str | None = None
    events_user: AmiUser = field(default_factory=lambda: AmiUser(name="events", secret=random_secret()))
    control_user: AmiUser = field(default_factory=lambda: AmiUser(name="control", secret=random_secret()))
    phone_secret: str = field(default_factory=random_secret, repr=False)
    trunk_out: str = ""

    def __post_init__(self) -> None:
        _require(_SYSTEMNAME, "systemname", self.systemname)
        for name in (*(a.agent_id for a in self.agents), *self.queues, *self.entry_points.values()):
            slug(name)
        for number in self.entry_points:
            _require(_ENTRY, "entry point", number)
        for secret in (
            *(a.secret for a in self.agents),
            self.events_user.secret,
            self.control_user.secret,
            self.phone_secret,
        ):
            _require(_SECRET, "password", secret, show=False)
        if self.agi is not None:
            _require(_AGI, "agi", self.agi)

    @property
    def default_queue(self) -> str:
        """The queue of callers for whom nobody names one."""
        return self.default_queue_id or next(iter(self.queues), "default")


def render(settings: SandboxSettings, *, programs: Programs, ports: Ports, run: Path) -> None:
    """Write every configuration file into ``run/etc``.

    Raises:
        SandboxError: the templates are missing from this installation.
    """
    values = {
        "RUN": str(run),
        "MODULES": programs.modules_dir,
        "SYSTEMNAME": settings.systemname,
        "AMI_PORT": str(ports.ami),
        "HTTP_PORT": str(ports.http),
        "HTTP_BIND": "127.0.0.1",
        "SIP_PORT": str(ports.sip),
        "RTP_START": str(ports.rtp_start),
        "RTP_END": str(ports.rtp_end),
        "CC_AGI": f"agi://{settings.agi}" if settings.agi else "",
        "CC_DEFAULT_QUEUE": settings.default_queue,
        "CC_OUT": settings.trunk_out,
        "AMI_EVENTS_USER": settings.events_user.name,
        "AMI_EVENTS_SECRET": settings.events_user.secret,
        "AMI_CONTROL_USER": settings.control_user.name,
        "AMI_CONTROL_SECRET": settings.control_user.secret,
    }
    etc = run / "etc"
    etc.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = templates()
    for template in sorted((*home.glob("*.conf"), *home.glob("sandbox/*.conf"))):
        text = _fill(template.read_text(encoding="utf-8"), values, template.name)
        if template.name == "modules.conf":
            text = _LOAD.sub(
                lambda found: found.group(0) if programs.has_module(found.group(1)) else "", text
            )
        (etc / template.name).write_text(text, encoding="utf-8")
    for name, text in _generated(settings).items():
        (etc / name).write_text(text, encoding="utf-8")


def templates() -> Path:
    """Return the directory ``asterisk-config``: beside the packages, or inside this one when installed."""
    here = Path(__file__).resolve()
    for home in (here.parents[2] / "asterisk-config", here.parent / "asterisk-config"):
        if (home / "extensions_holdless.conf").is_file():
            return home
    raise SandboxError(
        "the directory asterisk-config is missing from this installation: install Holdless again"
    )


def _fill(text: str, values: Mapping[str, str], name: str) -> str:
    def value(found: re.Match[str]) -> str:
        assert found.group(1) in values, f"{name} names the unknown placeholder {found.group(0)}"
        return values[found.group(1)]

    return _PLACEHOLDER.sub(value, text)


def _generated(settings: SandboxSettings) -> dict[str, str]:
    queues = sorted({settings.default_queue, *settings.queues, *settings.entry_points.values()})
    return {
        "queues_holdless_queues.conf": "".join(
            f"[fallback-{queue}](holdless-fallback)\n" for queue in queues
        ),
        "pjsip_holdless_agents.conf": "".join(
            _agent_sections(agent, settings.phone_secret) for agent in settings.agents
        ),
        "extensions_holdless_agents.conf": "".join(
            f"exten => {agent.agent_id},hint,PJSIP/{agent.agent_id}\n" for agent in settings.agents
        ),
        "extensions_holdless_entries.conf": "".join(
            _entry_lines(number, queue_id) for number, queue_id in settings.entry_points.items()
        ),
    }


def _agent_sections(agent: SandboxAgent, phone_secret: str) -> str:
    name = agent.agent_id
    # Synthetic phones send no sound; only a browser's call is ended because it has gone silent.
    return (
        f"[{name}](holdless-agent)\nauth={name}\naors={name}\ncallerid={name} <{name}>\n"
        "rtp_timeout=0\nrtp_timeout_hold=0\n"
        f"[{name}](holdless-auth)\nusername={name}\npassword={agent.secret}\n"
        f"[{name}](holdless-aor)\n\n{web_sections(name, phone_secret)}"
    )


def web_sections(agent_id: str, phone_secret: str) -> str:
    """Return the sections of ``pjsip.conf`` for an agent's browser phone."""
    name, secret = web_endpoint(agent_id), web_secret(phone_secret, agent_id)
    return (
        f"[{name}](holdless-agent-web)\nauth={name}\naors={name}\ncallerid={agent_id} <{agent_id}>\n"
        f"[{name}](holdless-auth)\nusername={name}\npassword={secret}\n"
        f"[{name}](holdless-aor-web)\n\n"
    )


def _entry_lines(number: str, queue_id: QueueId) -> str:
    return (
        f"exten => {number},1,Set(CC_ENTRY={number})\n"
        f" same => n,Set(CC_QUEUE={queue_id})\n"
        " same => n,Goto(cc-in,s,1)\n"
    )


def _require(pattern: re.Pattern[str], what: str, text: str, *, show: bool = True) -> None:
    if not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is no {what}" if show else f"a {what} needs 8 to 64 letters and digits")

"""Deployment settings: ``holdless.toml`` and ``HOLDLESS_*`` variables (which win). Read once, at start.

What the centre is (queues, skills, flows) is not here: that is rows in the database. Nested settings
are written ``[ami] port = 5038`` in the file and ``HOLDLESS_AMI__PORT=5038`` in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from app.auth.origins import ORIGINS_MAX, origin
from routing.ids import slug

TOML_NAME = "holdless.toml"
API_KEYS_MAX = 100
PROXIES_MAX = 20
KEEP_DAYS_MIN = 7

Port = Annotated[int, Field(ge=1, le=65_535)]


class SettingsError(Exception):
    """The settings cannot be used; the message names every wrong one and what to do."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(_Section):
    """Where pages and API are served.

    Attributes:
        metrics_open: Serve ``/metrics`` without a key; for a monitoring system on a closed network.
        origins: Addresses under which browsers see our pages (``https://centre.example``); empty: this
            machine alone. Behind TLS in front of the server it is the address in front.
        proxies: Addresses of those in front of us whose ``X-Forwarded-For`` and ``-Proto`` are believed.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    metrics_open: bool = True
    origins: Annotated[tuple[str, ...], Field(max_length=ORIGINS_MAX)] = ()
    proxies: Annotated[tuple[str, ...], Field(max_length=PROXIES_MAX)] = ("127.0.0.1", "::1")

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, named: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin(each) for each in named)


class SignInSettings(_Section):
    """How long somebody stays signed in.

    Attributes:
        idle_s: A session that nothing was seen of for so long is over, in seconds.
        life_s: A session is over after so long, whatever was seen of it: longer than a shift, in seconds.
    """

    idle_s: int = Field(default=3_600, ge=60, le=86_400)
    life_s: int = Field(default=12 * 3_600, ge=300, le=7 * 86_400)


class FileSettings(_Section):
    """Files of customers in ``data_dir``: lists that were imported, rows that were refused, exports.

    Attributes:
        keep_days: A file is removed so many days after it was written.
    """

    keep_days: int = Field(default=7, ge=1, le=365)


class LogSettings(_Section):
    """The call log.

    Attributes:
        keep_days: Calls are dropped so many days after theirs; their figures stay. Unset: kept for ever.
    """

    keep_days: int | None = Field(default=None, ge=KEEP_DAYS_MIN, le=36_500)


class AmiSettings(_Section):
    """The PBX's manager interface: two users with least rights (``asterisk-config/``)."""

    host: str = "127.0.0.1"
    port: Port = 5038
    events_user: str = "holdless-events"
    events_secret: SecretStr = SecretStr("")
    control_user: str = "holdless-control"
    control_secret: SecretStr = SecretStr("")

    @field_validator("events_secret", "control_secret")
    @classmethod
    def _is_one_line(cls, secret: SecretStr) -> SecretStr:
        if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in secret.get_secret_value()):
            raise ValueError("holds a control character; write the secret on one line")
        return secret


class AgiSettings(_Section):
    """Where the dialplan finds us."""

    host: str = "127.0.0.1"
    port: Port = 4573


class PhoneSettings(_Section):
    """Browser phones and phones outside.

    Attributes:
        websocket_url: Where the PBX takes SIP over WebSocket, for instance ``ws://127.0.0.1:8088/ws``;
            unset: no browser phones. Pages reach it through our own origin alone.
        secret: Of which the digest secrets of the browser endpoints are made (``holdless pbx phones``).
        prefixes_allowed: Numbers outside that may become an agent's phone begin so, for instance
            ``+886``; none: no agent is rung outside.
    """

    websocket_url: str | None = Field(
        default=None, pattern=r"^wss?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9/_-]*)?$"
    )
    secret: SecretStr = SecretStr("")
    prefixes_allowed: tuple[Annotated[str, Field(pattern=r"^\+[0-9]{1,15}$")], ...] = ()


class DiallingSettings(_Section):
    """Numbers outside that a customer may be connected with.

    Attributes:
        prefixes_allowed: They begin so, for instance ``+886``; none: nobody is but with emergency numbers.
    """

    prefixes_allowed: tuple[Annotated[str, Field(pattern=r"^\+[0-9]{1,15}$")], ...] = ()


class MailSettings(_Section):
    """How reports leave by mail; without a host none does.

    Attributes:
        security: ``starttls`` and ``tls`` check the server's certificate; ``none`` is for a server on this
            machine or a closed network.
        user: Who signs in; empty: nobody does.
        sender: Whom the mail is from.
        domains_allowed: Recipients end in one of these (``example.org``); empty: they may be anybody.
        timeout_s: How long the mail server may take to answer, in seconds.
    """

    host: str = Field(default="", pattern=r"^[A-Za-z0-9.:-]*$")
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")
    sender: str = Field(default="holdless@localhost", pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    domains_allowed: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    timeout_s: float = Field(default=20.0, ge=1.0, le=120.0)


class ApiKeySettings(_Section):
    """One key of the ``integration`` role. The key itself is never stored.

    Attributes:
        sha256: The key's SHA-256 in hex: ``printf %s KEY | sha256sum``.
    """

    name: str = Field(min_length=1, max_length=64)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Settings(BaseSettings):
    """All deployment settings.

    Attributes:
        database_url: A PostgreSQL URL; unset: an embedded server in ``data_dir``.
        systemname: ``systemname`` of the PBX's ``asterisk.conf``; makes its call ids unique.
        cel_path: Directory of the PBX's channel event log, local or mounted; unset: no reconciliation.
        region: Country whose numbering plan reads national numbers (ISO 3166, for instance ``TW``).
        area_code: Area of numbers that are dialled without one (``2`` for Taipei, ``21`` for Shanghai).
    """

    model_config = SettingsConfigDict(
        env_prefix="HOLDLESS_", env_nested_delimiter="__", extra="forbid", frozen=True, populate_by_name=True
    )
    toml_path: ClassVar[Path | None] = None

    data_dir: Path = Path(".holdless")
    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("database_url", "HOLDLESS_DATABASE_URL", "DATABASE_URL")
    )
    tenant: str = "main"
    systemname: str = Field(default="pbx1", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    cel_path: Path | None = None
    region: str = Field(default="TW", pattern=r"^[A-Z]{2}$")
    area_code: str = Field(default="", pattern=r"^[0-9]{0,5}$")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    http: HttpSettings = HttpSettings()
    ami: AmiSettings = AmiSettings()
    agi: AgiSettings = AgiSettings()
    sign_in: SignInSettings = SignInSettings()
    files: FileSettings = FileSettings()
    log: LogSettings = LogSettings()
    phones: PhoneSettings = PhoneSettings()
    dialling: DiallingSettings = DiallingSettings()
    mail: MailSettings = MailSettings()
    api_keys: tuple[ApiKeySettings, ...] = Field(default=(), max_length=API_KEYS_MAX)

    @field_validator("tenant")
    @classmethod
    def _is_slug(cls, text: str) -> str:
        return slug(text)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit values win over the environment, the environment over the file."""
        file = TomlConfigSettingsSource(settings_cls, cls.toml_path)
        return init_settings, env_settings, file


def load_settings(toml_path: Path | None = None, **values: Any) -> Settings:
    """Read the settings.

    Args:
        toml_path: The file; None: ``HOLDLESS_CONFIG``, else ``holdless.toml`` in the working
            directory when there is one.
        values: Settings that win over everything (options of the command line).

    Raises:
        SettingsError: a setting is wrong or unknown, or a file that was named is missing.
    """
    named = toml_path or (Path(text) if (text := os.environ.get("HOLDLESS_CONFIG")) else None)
    path = named or Path(TOML_NAME)
    if named is not None and not named.is_file():
        raise SettingsError(f"the settings file {named} does not exist; make it, or leave the option out")
    reader = type("Settings", (Settings,), {"toml_path": path if path.is_file() else None})
    try:
        settings = reader(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(_told(error, path)) from None
    except ValueError as error:  # the file is no TOML, or a variable's JSON cannot be read
        raise SettingsError(f"{path}: {error}") from None
    assert isinstance(settings, Settings)
    return settings


def _told(error: ValidationError, path: Path) -> str:
    lines = ["the settings cannot be used:"]
    for problem in error.errors(include_url=False, include_input=False):
        parts = [str(part) for part in problem["loc"]]
        lines.append(f"  {'.'.join(parts)}: {_reason(problem)}; {_remedy(parts, problem['type'], path)}")
    return "\n".join(lines)


def _reason(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "there is no such setting"
    return str(problem["msg"]).removeprefix("Value error, ")


def _remedy(parts: list[str], kind: str, path: Path) -> str:
    if kind == "extra_forbidden":
        return f"remove it from {path}, or mend its spelling"
    variable = "HOLDLESS_" + "__".join(part.upper() for part in parts).removeprefix("HOLDLESS_")
    return f"set {variable} or write it in {path}"

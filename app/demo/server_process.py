"""The demo's server: ``holdless serve`` as its own process, asked over its own API."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from app.demo.errors import DemoError
from telephony.sandbox.instance import Sandbox

HOST: Final = "127.0.0.1"
READY_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 30.0
_REQUEST_S: Final = 10.0
_POLL_S: Final = 0.1
_TAIL_BYTES: Final = 3_000


class ServerFailed(DemoError):
    """The server did not come up, or refused a request; the text carries its last words."""


class ServerProcess:
    """One server on this machine, made for one private Asterisk.

    Args:
        http_port: Where it serves; 0: a free port.
        agi_port: As the private Asterisk was told.
        settings: More of the server's environment (``HOLDLESS_…``).
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        data_dir: Path,
        agi_port: int,
        http_port: int = 0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.http_port = http_port or free_port()
        self.key = secrets.token_urlsafe(24)
        data_dir = data_dir.absolute()
        self._log_path = data_dir / "server.log"
        self._environment = _without_settings() | {
            "HOLDLESS_DATA_DIR": str(data_dir),
            "HOLDLESS_SYSTEMNAME": sandbox.systemname,
            "HOLDLESS_CEL_PATH": str(sandbox.cel_path),
            "HOLDLESS_AMI__HOST": sandbox.host,
            "HOLDLESS_AMI__PORT": str(sandbox.ami_port),
            "HOLDLESS_AMI__EVENTS_USER": sandbox.events_user.name,
            "HOLDLESS_AMI__EVENTS_SECRET": sandbox.events_user.secret,
            "HOLDLESS_AMI__CONTROL_USER": sandbox.control_user.name,
            "HOLDLESS_AMI__CONTROL_SECRET": sandbox.control_user.secret,
            "HOLDLESS_AGI__HOST": HOST,
            "HOLDLESS_AGI__PORT": str(agi_port),
            "HOLDLESS_PHONES__WEBSOCKET_URL": sandbox.websocket_url,
            "HOLDLESS_PHONES__SECRET": sandbox.phone_secret,
            "HOLDLESS_HTTP__HOST": HOST,
            "HOLDLESS_HTTP__PORT": str(self.http_port),
            "HOLDLESS_API_KEYS": json.dumps(
                [{"name": "demo", "sha256": hashlib.sha256(self.key.encode()).hexdigest()}]
            ),
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its web is."""
        return f"http://{HOST}:{self.http_port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "not started"
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it hears the PBX.

        Raises:
            ServerFailed: it ended, or was not ready in time.
        """
        self._process = process = self._launch()
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise ServerFailed(f"the server ended while starting: {self._last_words()}")
            try:
                status, _ = await self.ask("GET", "/readyz")
            except OSError:
                status = 0
            if status == http.client.OK:
                return
            await asyncio.sleep(_POLL_S)
        raise ServerFailed(f"the server was not ready within {READY_TIMEOUT_S:.0f} s: {self._last_words()}")

    def _launch(self) -> subprocess.Popen[bytes]:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                env=self._environment,
                cwd=self._log_path.parent,  # no holdless.toml of somebody's own server
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours; it is stopped in order
            )

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self._process is not None, "not started"
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)

    async def stop(self) -> None:
        """Ask it to stop, and end it if it does not."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Ask its API; return status and JSON (or text).

        Raises:
            OSError: it does not answer.
        """
        return await asyncio.to_thread(self._ask, method, path, body)

    async def require(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask its API and return the answer.

        Raises:
            ServerFailed: it refused, or does not answer.
        """
        try:
            status, answer = await self.ask(method, path, body)
        except OSError as error:
            words = self._last_words()
            raise ServerFailed(f"the server does not answer ({error}); its last words: {words}") from error
        if status >= http.client.BAD_REQUEST:
            raise ServerFailed(f"{method} {path}: {status} {answer}")
        return answer

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(HOST, self.http_port, timeout=_REQUEST_S)
        try:
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def _last_words(self) -> str:
        body = self._log_path.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
        return body or "it said nothing"


def _without_settings() -> dict[str, str]:
    """Our environment without settings: a demo never touches the database or the PBX that they name."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOLDLESS_") and name != "DATABASE_URL"
    }


def free_port() -> int:
    """Return a TCP port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port

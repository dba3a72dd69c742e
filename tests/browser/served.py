"""A real server for pages that need no telephony: PostgreSQL, the migrations, a centre, and accounts.

Its PBX is away, which every page must bear; tests of calls use ``tests.calls.centre`` instead.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from app.centre.demo import seed_demo_centre
from app.db.migrate import migrate
from app.db.provider import Provider
from app.db.session import DEFAULT_TENANT, Database
from app.demo.server_process import HOST, free_port

START_S = 60.0
Answer = TypeVar("Answer")


class Served:
    """One server as its own process, with the demo's centre and customers."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.http_port = free_port()
        self.url = f"http://{HOST}:{self.http_port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.in_database(_prepare)

    def in_database(self, work: Callable[[Database], Awaitable[Answer]]) -> Answer:
        """Run a coroutine function with the server's database; the server need not run."""

        async def inside() -> Answer:
            provider = Provider(None, self.data_dir)
            database = Database(await provider.start())
            try:
                return await work(database)
            finally:
                await database.close()
                await provider.stop()

        with ThreadPoolExecutor(1) as beside:  # the browser's own loop runs in this thread
            return beside.submit(asyncio.run, inside()).result()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HOLDLESS_") and name != "DATABASE_URL"
        }
        environment |= {
            "HOLDLESS_DATA_DIR": str(self.data_dir),
            "HOLDLESS_HTTP__PORT": str(self.http_port),
            "HOLDLESS_AMI__PORT": str(free_port()),  # nobody listens there
            "HOLDLESS_AGI__PORT": str(free_port()),
        }
        with (self.data_dir / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                env=environment,
                cwd=self.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.last_words()
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the server does not answer: {self.last_words()}")

    def stop(self) -> None:
        """Ask the server to stop, and end it if it does not."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def last_words(self) -> str:
        """The end of the server's log."""
        return (self.data_dir / "server.log").read_text(errors="replace")[-3_000:]


async def _prepare(database: Database) -> None:
    await migrate(database, DEFAULT_TENANT)
    await seed_demo_centre(database, DEFAULT_TENANT)

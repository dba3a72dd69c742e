"""The demo's server is the demo's alone: settings of this machine's own server never reach it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app.demo.server_process import ServerFailed, ServerProcess
from telephony.sandbox.instance import Sandbox

_USER = SimpleNamespace(name="nobody", secret="nothing")


async def test_the_demos_server_takes_no_settings_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://real@db/real")
    monkeypatch.setenv("HOLDLESS_DATABASE_URL", "postgresql://real@db/real")
    monkeypatch.setenv("HOLDLESS_CONFIG", "real.toml")
    sandbox = SimpleNamespace(
        systemname="demo",
        cel_path=tmp_path,
        host="127.0.0.1",
        ami_port=0,  # refused, so that it ends at once and says what it was given
        events_user=_USER,
        control_user=_USER,
        websocket_url="ws://127.0.0.1:1/ws",
        phone_secret="0123456789abcdef",
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holdless.toml").write_text('tenant = "real"\n[no_such]\n', encoding="utf-8")
    server = ServerProcess(cast(Sandbox, sandbox), data_dir=tmp_path / "demo", agi_port=1)
    with pytest.raises(ServerFailed) as refused:
        await server.start()
    assert "ami.port" in str(refused.value)
    assert "real" not in str(refused.value)
    assert "no_such" not in str(refused.value)

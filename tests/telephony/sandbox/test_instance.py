"""Starting and stopping real Asterisks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from routing.ids import AgentId, QueueId
from telephony.sandbox.config import SandboxAgent, SandboxSettings
from telephony.sandbox.errors import SandboxError
from telephony.sandbox.instance import load, start
from tests.pbx.ami import RawAmi, get

pytestmark = pytest.mark.pbx
SALES = QueueId("sales")


def test_two_stand_side_by_side_and_stop_in_order() -> None:
    with (
        start(SandboxSettings(systemname="east", queues=(SALES,))) as east,
        start(SandboxSettings(systemname="west", agents=[SandboxAgent(agent_id=AgentId("a1001"))])) as west,
    ):
        assert east.is_running()
        assert west.is_running()
        assert not set(range(east.ports.sip, east.ports.rtp_end)) & set(
            range(west.ports.sip, west.ports.rtp_end)
        )
        assert "fallback-sales" in east.cli("queue show")
        assert "a1001" in west.cli("pjsip show endpoints")
        for sandbox in (east, west):
            with RawAmi(sandbox.ami_port, sandbox.events_user) as events:
                assert get(events.event("FullyBooted"), "Status") == "Fully Booted"
    assert not east.is_running()
    assert not west.is_running()
    assert not east.run.exists()


def test_it_is_found_again_from_its_directory_and_can_be_killed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    sandbox = start(SandboxSettings())
    try:
        again = load(sandbox.run)
        assert again == sandbox
        with pytest.raises(SandboxError, match="runs already"):
            start(SandboxSettings(), run=sandbox.run)
        sandbox.kill()
        assert not sandbox.is_running()
        with pytest.raises(SandboxError):
            sandbox.cli("core show uptime")
    finally:
        sandbox.stop()


def test_secrets_are_readable_by_their_owner_only() -> None:
    with start(SandboxSettings()) as sandbox:
        assert sandbox.run.stat().st_mode & 0o077 == 0
        assert (sandbox.run / "instance.json").stat().st_mode & 0o077 == 0


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="too long"):
        start(SandboxSettings(), run=tmp_path / ("x" * 100))


def test_asterisk_logs_no_error_while_starting() -> None:
    with start(SandboxSettings(queues=(SALES,))) as sandbox:
        log = (sandbox.run / "log/messages.log").read_text()
        noisy = [line for line in log.splitlines() if " ERROR" in line or " WARNING" in line]
        assert [line for line in noisy if os.getuid() != 0 or "root" not in line] == []


def test_the_control_user_can_neither_run_commands_nor_read_events() -> None:
    with start(SandboxSettings()) as sandbox, RawAmi(sandbox.ami_port, sandbox.control_user) as control:
        for action in (
            {"Action": "Command", "Command": "core show uptime"},
            {"Action": "GetConfig", "Filename": "manager.conf"},
            {"Action": "Originate", "Channel": "Local/s@cc-idle", "Application": "System", "Data": "true"},
            {"Action": "Setvar", "Variable": "SHELL(true)", "Value": "1"},
        ):
            assert get(control.act(**action), "Response") == "Error", action
        control.act(Action="UserEvent", UserEvent="Mine")
        control.act(Action="Ping")
        assert control.count("Mine") == 0

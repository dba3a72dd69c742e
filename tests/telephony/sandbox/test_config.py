"""The rendered configuration, read as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.ids import AgentId, QueueId
from telephony.sandbox.config import SandboxAgent, SandboxSettings, render, templates
from telephony.sandbox.install import Programs
from telephony.sandbox.ports import Ports

SALES, SUPPORT = QueueId("sales"), QueueId("support")
PORTS = Ports(sip=10000, ami=10001, http=10002, rtp_start=10020, rtp_end=10999)


def _rendered(settings: SandboxSettings, folder: Path) -> dict[str, str]:
    modules = folder / "modules"
    modules.mkdir()
    (modules / "chan_pjsip.so").touch()
    programs = Programs(
        version="22.0.0",
        asterisk=("asterisk",),
        sipp=(),
        modules_dir=str(modules),
        data_dir=str(folder),
        origin="path",
    )
    render(settings, programs=programs, ports=PORTS, run=folder / "run")
    return {path.name: path.read_text() for path in (folder / "run/etc").iterdir()}


def test_every_placeholder_is_filled_and_every_included_file_is_there(tmp_path: Path) -> None:
    files = _rendered(SandboxSettings(queues=(SALES,)), tmp_path)
    for name, text in files.items():
        assert not re.search(r"@[A-Z_]+@", text), name
        for included in re.findall(r"^#include (\S+)", text, re.MULTILINE):
            assert included in files, f"{name} includes {included}"


def test_a_module_that_this_asterisk_does_not_have_is_left_out(tmp_path: Path) -> None:
    files = _rendered(SandboxSettings(), tmp_path)
    assert re.findall(r"^load => (\S+)", files["modules.conf"], re.MULTILINE) == ["chan_pjsip.so"]


def test_agents_queues_and_entry_points_are_generated(tmp_path: Path) -> None:
    agent = SandboxAgent(agent_id=AgentId("a1001"))
    settings = SandboxSettings(
        agents=(agent,), queues=(SALES,), entry_points={"8002": SUPPORT}, agi="127.0.0.1:4573"
    )
    files = _rendered(settings, tmp_path)
    assert f"password={agent.secret}\n" in files["pjsip_holdless_agents.conf"]
    assert "exten => a1001,hint,PJSIP/a1001\n" in files["extensions_holdless_agents.conf"]
    assert "exten => 8002,1,Set(CC_ENTRY=8002)\n" in files["extensions_holdless_entries.conf"]
    assert files["queues_holdless_queues.conf"].splitlines() == [
        "[fallback-sales](holdless-fallback)",
        "[fallback-support](holdless-fallback)",
    ]
    assert "CC_AGI=agi://127.0.0.1:4573\n" in files["globals_holdless.conf"]
    assert "CC_DEFAULT_QUEUE=sales\n" in files["globals_holdless.conf"]


def test_no_manager_user_has_a_right_that_runs_commands(tmp_path: Path) -> None:
    rights = {
        name: set(words.split(",")) - {""}
        for name, words in re.findall(
            r"^(read|write)=(.*)$", (templates() / "manager_holdless.conf").read_text(), re.MULTILINE
        )
    }
    assert not (rights["read"] | rights["write"]) & {"all", "command", "config"}
    writes = re.findall(r"^write=(.*)$", (templates() / "manager_holdless.conf").read_text(), re.MULTILINE)
    assert all("system" not in words.split(",") for words in writes)


def test_event_filters_are_anchored_so_that_no_name_hides_its_bearer() -> None:
    filters = re.findall(
        r"^eventfilter=(.*)$", (templates() / "manager_holdless.conf").read_text(), re.MULTILINE
    )
    assert len(filters) == 5
    assert all(words.startswith("!^Event: ") for words in filters)


def test_only_our_own_contexts_are_in_the_file_for_other_pbxes() -> None:
    text = (templates() / "extensions_holdless.conf").read_text()
    assert all(name.startswith("cc-") for name in re.findall(r"^\[([^]]+)\]", text, re.MULTILINE))


def test_no_caller_chosen_text_stands_in_the_dialplan_unfiltered() -> None:
    text = (templates() / "extensions_holdless.conf").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(";")]
    assert not [line for line in lines if "CALLERID" in line]
    assert not [
        line for line in lines if "${CC_ENTRY}" in line and "FILTER" not in line and "UserEvent" not in line
    ]


@given(st.text().filter(lambda text: not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", text)))
def test_a_systemname_that_could_break_out_of_its_line_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="systemname"):
        SandboxSettings(systemname=name)


@pytest.mark.parametrize(
    "settings",
    [
        {"queues": ("Sales",)},
        {"entry_points": {"8001\n": SALES}},
        {"entry_points": {"8001": QueueId("sales]")}},
        {"agi": "host:1\nCC_FENCE=9"},
        {"agents": (SandboxAgent(agent_id=AgentId("a1001"), secret="a b\nc"),)},
        {"agents": (SandboxAgent(agent_id=AgentId("1001")),)},
    ],
)
def test_settings_that_are_no_plain_words_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"id|entry point|agi|password"):
        SandboxSettings(**settings)  # type: ignore[arg-type]


def test_passwords_are_random_and_not_shown() -> None:
    first, second = SandboxAgent(agent_id=AgentId("a1")), SandboxAgent(agent_id=AgentId("a1"))
    assert first.secret != second.secret
    assert first.secret not in repr(first)

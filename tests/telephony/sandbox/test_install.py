"""Finding and fetching, without a network: PATH, cache, and what is said when nothing helps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telephony.sandbox import install as subject
from telephony.sandbox.apt import PrivateApt
from telephony.sandbox.errors import SandboxError


def _script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def _asterisk(prefix: Path, version: str) -> None:
    _script(prefix / "sbin/asterisk", f'echo "Asterisk {version} built by nobody"')
    modules = prefix / "lib/asterisk/modules"
    modules.mkdir(parents=True)
    (modules / "chan_pjsip.so").touch()
    (prefix / "share/asterisk").mkdir(parents=True)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDLESS_CACHE_DIR", str(tmp_path / "cache"))


def test_an_asterisk_on_path_is_used_when_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _asterisk(tmp_path / "opt", "20.11.1~dfsg")
    monkeypatch.setenv("PATH", str(tmp_path / "opt/sbin"))
    found = subject.installed()
    assert found is not None
    assert (found.version, found.origin) == ("20.11.1", "path")
    assert found.has_module("chan_pjsip")
    assert not found.has_module("res_srtp")


def test_an_older_asterisk_on_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _asterisk(tmp_path / "opt", "18.10.0")
    monkeypatch.setenv("PATH", str(tmp_path / "opt/sbin"))
    assert subject.installed() is None


def test_without_apt_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="install Asterisk by the system's own means"):
        subject.install()


def test_without_a_mirror_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _script(tmp_path / "bin/apt-get", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("telephony.sandbox.apt._SOURCES", (tmp_path / "sources.list",))
    with pytest.raises(SandboxError, match="HOLDLESS_DEBIAN_MIRROR"):
        PrivateApt(tmp_path / "apt")


def test_the_mirror_is_read_from_the_source_files_when_apt_has_no_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _script(tmp_path / "bin/apt-get", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    sources = tmp_path / "sources.list.d"
    sources.mkdir()
    (sources / "a.list").write_text("deb http://one.example/debian-security stable-security main\n")
    (sources / "b.sources").write_text("Types: deb\nURIs: http://two.example/debian/\nSuites: stable\n")
    monkeypatch.setattr("telephony.sandbox.apt._SOURCES", (sources,))
    PrivateApt(tmp_path / "apt")
    line = (tmp_path / "apt/etc/sources.list").read_text()
    assert line.endswith(" http://two.example/debian/ sid main\n")


def test_what_apt_said_is_passed_on_without_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _script(tmp_path / "bin/apt-get", "echo 'E: http://user:pw@one.example/debian failed' >&2; exit 100")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    monkeypatch.setenv("HOLDLESS_DEBIAN_MIRROR", "http://user:pw@one.example/debian")
    with pytest.raises(SandboxError, match="<address> failed") as caught:
        PrivateApt(tmp_path / "apt").update()
    assert "pw" not in str(caught.value)


def test_a_cache_that_is_not_complete_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tree = subject._tree()
    (tree / "root").mkdir(parents=True)
    assert subject.installed() is None
    (tree / "complete.json").write_text(json.dumps({"version": "22.0.0"}))
    assert subject.installed() is None

"""Settings: what wins, and what is said when one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file and no variable of this machine has a say."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOLDLESS_CONFIG", "HOLDLESS_DATABASE_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_without_anything_the_defaults_serve_a_demo() -> None:
    settings = load_settings()
    assert settings.data_dir == Path(".holdless")
    assert settings.database_url is None
    assert settings.http.host == "127.0.0.1"


def test_an_option_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "holdless.toml").write_text('tenant = "file"\nsystemname = "file"\n[ami]\nport = 5039\n')
    monkeypatch.setenv("HOLDLESS_SYSTEMNAME", "variable")
    monkeypatch.setenv("HOLDLESS_AMI__HOST", "pbx.example")
    settings = load_settings(data_dir=tmp_path / "data")
    assert (settings.tenant, settings.systemname) == ("file", "variable")
    assert (settings.ami.host, settings.ami.port) == ("pbx.example", 5039)
    assert settings.data_dir == tmp_path / "data"


def test_the_usual_variable_names_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://reader@db/holdless")
    url = load_settings().database_url
    assert url is not None
    assert url.get_secret_value() == "postgresql://reader@db/holdless"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[ami]\nport = 70000\n", ("ami.port", "HOLDLESS_AMI__PORT", "65535")),
        ('colour = "red"\n', ("colour: there is no such setting", "holdless.toml")),
        ('tenant = "Big Corp"\n', ("tenant", "is not an id")),
        ('[[api_keys]]\nname = "crm"\nsha256 = "key"\n', ("api_keys.0.sha256",)),
        ('[ami]\nevents_secret = "a\\nAction: Command"\n', ("ami.events_secret", "one line")),
        ("tenant = \n", ("holdless.toml",)),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(tmp_path: Path, text: str, told: tuple[str, ...]) -> None:
    (tmp_path / "holdless.toml").write_text(text)
    with pytest.raises(SettingsError) as wrong:
        load_settings()
    for word in told:
        assert word in str(wrong.value)
    assert "Action: Command" not in str(wrong.value), "a secret is not repeated"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(tmp_path / "other.toml")

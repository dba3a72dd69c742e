"""Which pages are our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.origins import Origins, is_secure, origin
from app.settings import HttpSettings

PUBLIC = Origins.of(HttpSettings(origins=("https://Centre.example:443/",)).origins, 8080)
LOCAL = Origins.of((), 8080)


@pytest.mark.parametrize("sent", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_without_a_setting_this_machine_is_our_own(sent: str) -> None:
    assert LOCAL.problem(sent) is None
    assert PUBLIC.problem(sent) == "foreign_origin"


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "null",
        "https://evil.example",
        "https://centre.example.evil.example",
        "https://centre.example:8443",
        "https://xcentre.example",
        "https://centre.example@evil.example",
        "https://centre.example/",
        "https://centre.example\n",
        "https://centre.example https://evil.example",
        "file://",
    ],
)
def test_everything_else_is_foreign(sent: str | None) -> None:
    assert PUBLIC.problem(sent) == "foreign_origin"


def test_plain_http_is_told_apart_so_that_the_remedy_can_be_named() -> None:
    assert LOCAL.problem("http://10.0.0.5:8080") == "insecure_origin"
    assert PUBLIC.problem("http://centre.example") == "insecure_origin"
    assert PUBLIC.problem("https://centre.example") is None
    assert PUBLIC.problem("HTTPS://CENTRE.EXAMPLE") is None


def test_a_port_that_browsers_leave_out_is_left_out() -> None:
    assert Origins.of((), 80).problem("http://localhost") is None
    assert Origins.of((), 80).first == "http://127.0.0.1"


def test_a_handshake_is_refused_to_foreign_pages_alone() -> None:
    assert PUBLIC.allow_handshake({"origin": "https://centre.example"})
    assert PUBLIC.allow_handshake({})
    assert not PUBLIC.allow_handshake({"origin": "https://evil.example"})
    assert not PUBLIC.allow_handshake({"origin": "null"})


@pytest.mark.parametrize("text", ["", "centre.example", "ftp://a", "https://a/b", "https://a:b", "https://*"])
def test_what_is_no_origin_is_refused_as_a_setting(text: str) -> None:
    with pytest.raises(ValueError, match="not an origin"):
        HttpSettings(origins=(text,))


def test_plain_http_is_refused_as_a_setting_and_the_remedy_named() -> None:
    with pytest.raises(ValueError, match="put TLS in front"):
        HttpSettings(origins=("http://10.0.0.5:8080",))


@given(st.text())
def test_nothing_passes_that_is_not_on_the_list(text: str) -> None:
    assert PUBLIC.problem(text) is not None or text.lower().startswith("https://centre.example")


@given(st.from_regex(r"https?://[a-z0-9.\[\]:-]{1,40}", fullmatch=True))
def test_an_origin_is_written_in_one_way(text: str) -> None:
    if is_secure(text):
        assert origin(origin(text)) == origin(text)

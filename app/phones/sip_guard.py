"""What a page may say to the PBX, and whose name it says it in. Pure.

The page never gets the endpoint's secret. It answers the PBX's challenge with a password that lasts
minutes; here that answer is checked and replaced by the real one. What is not known to be right goes on
as it is, and the PBX refuses it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from telephony.synthetic.digest import ALGORITHMS, Challenge, Credentials, authorization, digest_response
from telephony.synthetic.digest import parse_pairs as digest_pairs
from telephony.synthetic.errors import SipFieldError, SipParseError

SIP_CHARS_MAX = 65_536
# What a phone needs for calls and its registration; nothing that subscribes, publishes or sends messages.
METHODS = frozenset(
    {"REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK", "NOTIFY"}
)
_ANSWERS = frozenset({"authorization", "proxy-authorization"})
_COUNT_CHARS = 8


class SipForbidden(Exception):
    """The page sent what no phone of ours sends; the text is a stable word."""


def guarded(text: str, *, endpoint: str, secret: str, passwords: Iterable[str]) -> str:
    """Return what goes on to the PBX.

    Args:
        text: One message of the page.
        endpoint: The agent's own; answers in another's name are not helped.
        secret: The endpoint's digest secret.
        passwords: Those that the page may answer with now.

    Raises:
        SipForbidden: ``too_long``, ``not_sip``, ``method``.
    """
    if len(text) > SIP_CHARS_MAX:
        raise SipForbidden("too_long")
    if not text.strip():
        return text  # a keep-alive
    head, gap, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    if not gap or any(line[:1] in (" ", "\t") for line in lines):
        raise SipForbidden("not_sip")
    if first.startswith("SIP/2.0 "):
        return text
    method, _, rest = first.partition(" ")
    if not rest.endswith(" SIP/2.0"):
        raise SipForbidden("not_sip")
    if method not in METHODS:
        raise SipForbidden("method")
    given = tuple(passwords)
    own = [_line(line, method, Credentials(username=endpoint, secret=secret), given) for line in lines]
    return "\r\n".join([first, *own]) + gap + body


def _line(line: str, method: str, real: Credentials, passwords: tuple[str, ...]) -> str:
    name, colon, value = line.partition(":")
    if not colon or name.strip().lower() not in _ANSWERS:
        return line
    replaced = _answer(value, method, real, passwords)
    return line if replaced is None else f"{name.strip()}: {replaced}"


def _answer(value: str, method: str, real: Credentials, passwords: tuple[str, ...]) -> str | None:
    """Return the real answer in place of one made with a password of ours; None: it was none."""
    try:
        told = digest_pairs(value)
        challenge = Challenge(
            realm=told["realm"],
            nonce=told["nonce"],
            algorithm=told.get("algorithm", "MD5").upper(),
            opaque=told.get("opaque"),
            has_qop="qop" in told,
        )
        uri, cnonce, count = told["uri"], told.get("cnonce", ""), told.get("nc", "1")
        if (
            told["username"] != real.username
            or challenge.algorithm not in ALGORITHMS
            or len(count) > _COUNT_CHARS
        ):
            return None
        uses = int(count, 16)
        for password in passwords:
            given = Credentials(username=real.username, secret=password)
            wanted = digest_response(given, challenge, method=method, uri=uri, cnonce=cnonce, count=uses)
            if hmac.compare_digest(wanted, told["response"].lower()):
                return authorization(real, challenge, method=method, uri=uri, cnonce=cnonce, count=uses)
    except (SipParseError, SipFieldError, KeyError, ValueError, TypeError):
        return None
    return None

"""Digest authentication (RFC 2617, 7616, 8760): read a challenge, answer it. Pure.

The client's nonce is an argument. MD5 is what PBXs still ask for by default; SHA-256 is taken when
the challenge names it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from telephony.synthetic.errors import SipFieldError, SipParseError

ALGORITHMS = {"SHA-256": "sha256", "MD5": "md5"}  # the stronger first
_PAIR = re.compile(r"""([A-Za-z][A-Za-z0-9_-]{0,31})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)\s*""")
_BACKSLASHED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A phone's name and password."""

    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a WWW-Authenticate or Proxy-Authenticate header asks.

    Attributes:
        algorithm: A key of ``ALGORITHMS``.
        has_qop: Whether it offers ``qop=auth``; old peers do not.
    """

    realm: str
    nonce: str
    algorithm: str = "MD5"
    opaque: str | None = None
    has_qop: bool = True


def parse_challenge(value: str) -> Challenge:
    """Read a challenge.

    Raises:
        SipParseError: it is none, or asks for what we cannot do.

    >>> parse_challenge('Digest realm="asterisk",nonce="1a/b",algorithm=MD5,qop="auth"').nonce
    '1a/b'
    """
    told = parse_pairs(value)
    algorithm = told.get("algorithm", "MD5").upper()
    if algorithm not in ALGORITHMS:
        raise SipParseError("a digest of an algorithm that we do not know")
    if "realm" not in told or "nonce" not in told:
        raise SipParseError("a challenge without realm or nonce")
    offered = {word.strip().lower() for word in told["qop"].split(",")} if "qop" in told else set()
    if offered and "auth" not in offered:
        raise SipParseError("a challenge that asks for more than we can do")
    return Challenge(
        realm=told["realm"],
        nonce=told["nonce"],
        algorithm=algorithm,
        opaque=told.get("opaque"),
        has_qop=bool(offered),
    )


def strongest(values: list[str]) -> Challenge:
    """Return the strongest challenge that we can answer, of several headers.

    Raises:
        SipParseError: there is none.
    """
    able = []
    for value in values:
        try:
            able.append(parse_challenge(value))
        except SipParseError:
            continue  # the peer may ask the same in a way that we know
    if not able:
        raise SipParseError("no challenge that we can answer")
    order = list(ALGORITHMS)
    return min(able, key=lambda challenge: order.index(challenge.algorithm))


def parse_pairs(value: str) -> dict[str, str]:
    """Read ``Digest name=value, name="value"`` into a dict by name in small letters.

    Raises:
        SipParseError: it is no digest.
    """
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise SipParseError("no digest")
    told: dict[str, str] = {}
    position, rest = 0, rest.strip()
    while position < len(rest):
        found = _PAIR.match(rest, position)
        if found is None:
            raise SipParseError("a digest with a part that is no pair")
        quoted, plain = found[2], found[3]
        told[found[1].lower()] = _BACKSLASHED.sub(r"\1", quoted) if quoted is not None else plain
        position = found.end()
    return told


def digest_response(
    credentials: Credentials, challenge: Challenge, *, method: str, uri: str, cnonce: str, count: int = 1
) -> str:
    """Return the ``response`` value in hexadecimal.

    Source:
        RFC 2617 section 3.2.2, RFC 7616 section 3.4.1; the example of RFC 2617 section 3.5:

    >>> digest_response(
    ...     Credentials(username="Mufasa", secret="Circle Of Life"),
    ...     Challenge(realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"),
    ...     method="GET", uri="/dir/index.html", cnonce="0a4f113b")
    '6629fae49393a05397450978507c4ef1'
    """

    def of(text: str) -> str:
        return hashlib.new(
            ALGORITHMS[challenge.algorithm], text.encode("utf-8", "replace"), usedforsecurity=False
        ).hexdigest()

    secret = of(f"{credentials.username}:{challenge.realm}:{credentials.secret}")
    request = of(f"{method}:{uri}")
    if not challenge.has_qop:
        return of(f"{secret}:{challenge.nonce}:{request}")
    return of(f"{secret}:{challenge.nonce}:{count:08x}:{cnonce}:auth:{request}")


def authorization(
    credentials: Credentials, challenge: Challenge, *, method: str, uri: str, cnonce: str, count: int = 1
) -> str:
    """Return the value of an Authorization header that answers the challenge.

    Args:
        cnonce: Fresh for every answer, without quotes.
        count: How often this nonce was used, this time included; at least 1.

    Raises:
        SipFieldError: a field holds what cannot stand between quotes.
    """
    response = digest_response(credentials, challenge, method=method, uri=uri, cnonce=cnonce, count=count)
    quoted = {
        "username": credentials.username,
        "realm": challenge.realm,
        "nonce": challenge.nonce,
        "uri": uri,
        "response": response,
    }
    if challenge.opaque is not None:
        quoted["opaque"] = challenge.opaque
    parts = [f'{name}="{_escaped(text)}"' for name, text in quoted.items()]
    parts.append(f"algorithm={challenge.algorithm}")
    if challenge.has_qop:
        parts += [f'cnonce="{_escaped(cnonce)}"', "qop=auth", f"nc={count:08x}"]
    return "Digest " + ", ".join(parts)


def _escaped(text: str) -> str:
    if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in text):
        raise SipFieldError("a control character in a digest")
    return text.replace("\\", "\\\\").replace('"', '\\"')

"""REGISTER with digest authentication over a plain socket, as a desk phone does it."""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import time
from dataclasses import dataclass, field

_ANSWER_S = 5.0
_CHALLENGE = re.compile(r'(\w+)="?([^",]+)"?')


@dataclass
class Registration:
    """One phone's registration: *contact_port* is where it takes calls."""

    agent_id: str
    secret: str
    server_port: int
    contact_port: int
    expires_s: int = 120
    _cseq: int = field(default=0, init=False)
    _was_asked: bool = field(default=False, init=False)

    def register(self) -> None:
        """Register from the contact's own port, answering the PBX's first OPTIONS; then leave the port."""
        contact = f"<sip:{self.agent_id}@127.0.0.1:{self.contact_port}>"
        self._exchange(self.contact_port, contact, self.expires_s, await_options=True)

    def unregister(self) -> None:
        """Take every contact away, from any port."""
        self._exchange(0, "*", 0, await_options=False)

    def _exchange(self, port: int, contact: str, expires_s: int, *, await_options: bool) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.bind(("127.0.0.1", port))
            line.connect(("127.0.0.1", self.server_port))
            line.settimeout(0.5)
            self._was_asked = False
            call_id = secrets.token_hex(8)
            answer = self._ask(line, call_id, contact, expires_s, "")
            if answer.startswith("SIP/2.0 401"):
                answer = self._ask(line, call_id, contact, expires_s, self._digest(answer))
            assert answer.startswith("SIP/2.0 200"), (
                f"REGISTER of {self.agent_id} failed: {answer.splitlines()[0]}"
            )
            if await_options:
                self._answer_options(line)

    def _ask(
        self, line: socket.socket, call_id: str, contact: str, expires_s: int, authorization: str
    ) -> str:
        self._cseq += 1
        host, port = line.getsockname()
        address = f"sip:{self.agent_id}@127.0.0.1"
        text = (
            "REGISTER sip:127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{secrets.token_hex(6)}\r\n"
            f"From: <{address}>;tag={call_id[:6]}\r\nTo: <{address}>\r\n"
            f"Call-ID: {call_id}\r\nCSeq: {self._cseq} REGISTER\r\n"
            f"Contact: {contact}\r\nExpires: {expires_s}\r\nMax-Forwards: 70\r\n"
            f"{authorization}Content-Length: 0\r\n\r\n"
        )
        deadline = time.monotonic() + _ANSWER_S
        line.send(text.encode())
        while time.monotonic() < deadline:
            try:
                answer = line.recv(65536).decode()
            except TimeoutError:
                line.send(text.encode())
                continue
            if answer.startswith("SIP/2.0") and f"CSeq: {self._cseq} REGISTER" in answer:
                return answer
            if answer.startswith("OPTIONS"):  # it may come before the answer
                self._reply(line, answer)
        raise AssertionError(f"no answer to REGISTER of {self.agent_id} within {_ANSWER_S} s")

    def _digest(self, challenge: str) -> str:
        header = next(row for row in challenge.splitlines() if row.lower().startswith("www-authenticate:"))
        told = dict(_CHALLENGE.findall(header))
        realm, nonce, uri, cnonce = told["realm"], told["nonce"], "sip:127.0.0.1", secrets.token_hex(4)

        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        first, second = md5(f"{self.agent_id}:{realm}:{self.secret}"), md5(f"REGISTER:{uri}")
        response = md5(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}")
        opaque = f', opaque="{told["opaque"]}"' if "opaque" in told else ""
        return (
            f'Authorization: Digest username="{self.agent_id}", realm="{realm}", nonce="{nonce}", '
            f'uri="{uri}", response="{response}", cnonce="{cnonce}", '
            f"qop=auth, nc=00000001, algorithm=MD5{opaque}\r\n"
        )

    def _answer_options(self, line: socket.socket) -> None:
        """The PBX asks a new contact once whether it is there, and counts it as reachable then."""
        deadline = time.monotonic() + _ANSWER_S
        while not self._was_asked and time.monotonic() < deadline:
            try:
                message = line.recv(65536).decode()
            except TimeoutError:
                continue
            if message.startswith("OPTIONS"):
                self._reply(line, message)
        if not self._was_asked:
            raise AssertionError(f"the PBX never asked whether {self.agent_id} is there")

    def _reply(self, line: socket.socket, request: str) -> None:
        kept = [
            row
            for row in request.split("\r\n")
            if row.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")
        ]
        line.send(("SIP/2.0 200 OK\r\n" + "\r\n".join(kept) + "\r\nContent-Length: 0\r\n\r\n").encode())
        self._was_asked = True

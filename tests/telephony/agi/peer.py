"""A channel that runs AGI(): like Asterisk it reads a command only when the last one is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field


def words_of(line: str) -> list[str]:
    """Split a command as Asterisk's parse_args does: blanks divide, quotes toggle, a backslash escapes."""
    words: list[str] = []
    word, quoted, escaped, begun = "", False, False, False
    for letter in line:
        if escaped:
            word, escaped = word + letter, False
        elif letter == "\\":
            escaped = begun = True
        elif letter == '"':
            quoted, begun = not quoted, True
        elif letter in " \t" and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + letter, True
    return [*words, word] if begun else words


@dataclass
class Channel:
    """One channel; ``commands`` is what the server said, ``variables`` what it set, in order."""

    variables: dict[str, str] = field(default_factory=dict)
    commands: list[list[str]] = field(default_factory=list)
    refuse: str = ""

    async def agi(self, port: int, script: str, environment: Mapping[str, str] | None = None) -> None:
        """Run AGI(agi://127.0.0.1:port/script) to its end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = {
            "agi_network": "yes",
            "agi_network_script": script,
            "agi_uniqueid": "pbx1-1763790000.7",
            **(environment or {}),
        }
        writer.write("".join(f"{name}: {value}\n" for name, value in lines.items()).encode() + b"\n")
        try:
            while line := await reader.readline():
                assert not self._waiting(reader), "a second command came before the first was answered"
                writer.write((self._act(words_of(line.decode().rstrip("\n"))) + "\n").encode())
        except ConnectionError:
            pass
        finally:
            writer.close()

    @staticmethod
    def _waiting(reader: asyncio.StreamReader) -> bool:
        return bool(getattr(reader, "_buffer", b""))

    def _act(self, words: list[str]) -> str:
        self.commands.append(words)
        if self.refuse:
            return self.refuse
        match words:
            case ["EXEC", "MSet", arguments]:
                for pair in arguments.split(","):
                    name, _, value = pair.partition("=")
                    self.variables[name] = value
                return "200 result=0"
            case ["GET", "VARIABLE", name]:
                held = self.variables.get(name)
                return "200 result=0" if held is None else f"200 result=1 ({held})"
            case ["VERBOSE", *_]:
                return "200 result=1"
        return "510 Invalid or unknown command"

"""One scene of the matrix: its players, its script, and the moments of it in milliseconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from telephony.synthetic.caller import SyntheticCaller, place_call
from telephony.synthetic.calls import Call, CallState
from telephony.synthetic.plans import CallPlan
from telephony.synthetic.user_agent import UserAgent
from tests.calls.centre import CallCentre
from tests.calls.matrix_table import PATIENCE_MS, RING_MS, SHORT_PATIENCE_MS, TALK_MS, Cell
from tests.pbx.ami import RawAmi

BOUND_S = 20.0
_API_SLACK_MS = 60


def entry_of(number: int) -> str:
    """The number that the callers of this cell dial."""
    return f"7{number:03}"


def outside_of(number: int) -> str:
    """The number outside that this cell's caller is sent to."""
    return f"+88628765{number:04}"


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition of the script, within the bound."""
    deadline = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)


class Scene:
    """One cell's players, and the moments of its script in milliseconds."""

    def __init__(self, centre: CallCentre, number: int, cell: Cell) -> None:
        self.centre, self.number, self.cell = centre, number, cell
        self.callers: UserAgent
        self.caller_number = f"09{number:08}"
        self.holder = cell.lead.holder if cell.lead is not None else ""
        self.moments: dict[str, float] = {}
        self.calls: dict[str, list[Call]] = {}
        self.caller: SyntheticCaller
        self.interaction_id = ""

    def agent(self, letter: str) -> str:
        return f"{self.holder if letter == 'H' else letter}{self.number}"

    def plan(self, letter: str) -> CallPlan:
        """How a phone of this cell takes a call: who lets it ring, and who answers."""
        rings_out = self.cell.outcome == "rona" and letter == "a"
        rings_on = letter == "o" and self.cell.gives_up
        if rings_out or rings_on:
            return CallPlan(pick_up_ms=None)
        if letter == "a" and self.cell.is_pbxs_own and self.cell.transfer.startswith("blind"):
            target = f"a-t{self.number}" if self.cell.transfer == "blind_agent" else f"q-x{self.number}"
            return CallPlan(pick_up_ms=RING_MS, refer_at_ms=TALK_MS, refer_to=target)
        return CallPlan(pick_up_ms=RING_MS)

    def take(self, letter: str, call: Call) -> CallPlan:
        self.calls.setdefault(letter, []).append(call)
        if call.invite is not None and not self.interaction_id:
            self.interaction_id = call.invite.get("X-Holdless-Interaction")
        return self.plan(letter)

    async def talking(self, letter: str) -> Call:
        """Wait until this phone talks; return its call."""
        letter = self.holder if letter == "H" else letter
        await until(
            lambda: any(call.state is CallState.TALKING for call in self.calls.get(letter, ())),
            f"{self.cell.name}: {letter} never answered",
        )
        return self.calls[letter][-1]

    async def ready(self, *letters: str) -> None:
        for letter in letters:
            await asyncio.to_thread(self.centre.ready, self.agent(letter))

    async def ask(self, moment: str, path: str, body: dict[str, Any] | None = None) -> None:
        """Ask the API about the call, and note when the engine did it."""
        before = self.callers.now_ms()
        path = f"/calls/{self.interaction_id}/{path}"
        answer = await asyncio.to_thread(self.centre.require, "POST", path, body)
        after = self.callers.now_ms()
        assert before - _API_SLACK_MS <= answer["at_ms"] <= after + _API_SLACK_MS, "the engine's word for it"
        self.moments[moment] = answer["at_ms"]

    # ------------------------------------------------------------ the script

    async def play(self, callers: UserAgent) -> None:
        """Let the call go by its script, to the end of all wrap-ups."""
        self.callers = callers
        await self._staff()
        sandbox = self.centre.sandbox
        self.caller = place_call(
            self.callers,
            (sandbox.host, sandbox.sip_port),
            entry=entry_of(self.number),
            number=self.caller_number,
        )
        await until(lambda: self.caller.call.state is CallState.TALKING, "the PBX answers the caller")
        if self.cell.outcome == "key":
            await asyncio.sleep(TALK_MS / 1000)
            await asyncio.to_thread(self._press)
        if self.cell.outcome == "fallback":
            await asyncio.to_thread(self._last_lap)
        if self.cell.lead is not None:
            await self.talking("H")
            await asyncio.sleep(TALK_MS / 1000)
        await getattr(self, f"_{self.cell.transfer}")()
        await until(lambda: self.caller.has_ended, f"{self.cell.name}: the caller is let go")
        self._note()

    async def _staff(self) -> None:
        cell = self.cell
        if cell.lead is None:
            return
        if cell.gives_up and cell.transfer in ("blind_agent", "blind_queue"):
            await self.ready("a")
            target = self.agent("t")
            await asyncio.to_thread(self.centre.state, target, "signed_in")  # there, and not ready
            return
        if cell.outcome == "rona":
            await self.ready("a", "s", "t")
        elif cell.gives_up or cell.outcome == "answer" or cell.is_pbxs_own:
            await self.ready("a", "t")
        else:
            await self.ready("s", "t")

    def _press(self) -> None:
        with RawAmi(self.centre.sandbox.ami_port, self.centre.sandbox.control_user) as ami:
            self.moments["key"] = self.callers.now_ms()
            ami.act(Action="PlayDTMF", Channel=self._channel(ami), Digit="1", Receive="true", Duration="100")

    def _last_lap(self) -> None:
        """Let the dialplan think that the caller has made all laps: the PBX's own queue follows."""
        with RawAmi(self.centre.sandbox.ami_port, self.centre.sandbox.control_user) as ami:
            ami.act(Action="Setvar", Channel=self._channel(ami), Variable="CC_LAPS", Value="9999")

    def _channel(self, ami: RawAmi) -> str:
        rows = ami.list("CoreShowChannelsComplete", Action="CoreShowChannels")
        mine = [dict(row) for row in rows if ("CallerIDNum", self.caller_number) in row]
        customers = [row for row in mine if row["Channel"].startswith("PJSIP/sandbox-trunk")]
        assert len(customers) == 1, mine
        return customers[0]["Channel"]

    async def _give_up(self) -> None:
        patience_ms = SHORT_PATIENCE_MS if self.cell.outcome == "short_abandon" else PATIENCE_MS
        await asyncio.sleep(patience_ms / 1000)
        self.caller.hang_up()

    async def _none(self) -> None:
        if self.cell.gives_up:
            await self._give_up()
        else:
            (await self.talking("H")).hang_up()

    async def _blind(self, body: dict[str, Any], to: str) -> None:
        if not self.cell.is_pbxs_own:
            await self.ask("move", "transfer", body)
        if self.cell.gives_up:
            await self._give_up()
            return
        call = await self.talking(to)
        await asyncio.sleep(TALK_MS / 1000)
        call.hang_up()

    async def _blind_agent(self) -> None:
        await self._blind({"to_agent_id": self.agent("t")}, "t")

    async def _blind_queue(self) -> None:
        await self._blind({"to_queue_id": f"x{self.number}"}, "t")

    async def _blind_outside(self) -> None:
        await self._blind({"to_number": outside_of(self.number)}, "o")

    async def _consult(self, body: dict[str, Any], to: str) -> Call:
        await self.ask("consult", "consult", body)
        call = await self.talking(to)
        await asyncio.sleep(TALK_MS / 1000)
        return call

    async def _attended(self, body: dict[str, Any], to: str) -> None:
        call = await self._consult(body, to)
        await self.ask("complete", "consult/complete")
        await asyncio.sleep(TALK_MS / 1000)
        call.hang_up()

    async def _attended_agent(self) -> None:
        await self._attended({"to_agent_id": self.agent("t")}, "t")

    async def _attended_outside(self) -> None:
        await self._attended({"to_number": outside_of(self.number)}, "o")

    async def _attended_cancelled(self) -> None:
        await self._consult({"to_agent_id": self.agent("t")}, "t")
        if self.cell.gives_up:
            self.caller.hang_up()
            return
        await self.ask("cancel", "consult/cancel")
        await asyncio.sleep(TALK_MS / 1000)
        (await self.talking("H")).hang_up()

    async def _confer(self, outside: bool = False) -> Call:
        if outside:
            call = await self._consult({"to_number": outside_of(self.number)}, "o")
        else:
            call = await self._consult({"to_agent_id": self.agent("t")}, "t")
        await self.ask("conference", "conference")
        await asyncio.sleep(TALK_MS / 1000)
        return call

    async def _conference_asked_leaves(self) -> None:
        asked = await self._confer()
        if self.cell.gives_up:
            self.caller.hang_up()
            return
        asked.hang_up()
        await asyncio.sleep(TALK_MS / 1000)
        (await self.talking("H")).hang_up()

    async def _conference_outside(self) -> None:
        (await self._confer(outside=True)).hang_up()
        await asyncio.sleep(TALK_MS / 1000)
        (await self.talking("H")).hang_up()

    async def _conference_agent_leaves(self) -> None:
        asked = await self._confer()
        (await self.talking("H")).hang_up()
        await asyncio.sleep(TALK_MS / 1000)
        asked.hang_up()

    # ------------------------------------------------------------ moments

    def _note(self) -> None:
        caller = self.caller.call
        assert caller.answered_ms is not None
        assert caller.ended_ms is not None
        self.moments |= {"start": caller.started_ms, "queued": caller.answered_ms, "gone": caller.ended_ms}
        for letter, calls in self.calls.items():
            for name, moment in (
                ("rang", calls[-1].rang_ms),
                ("answered", calls[-1].answered_ms),
                ("ended", calls[-1].ended_ms),
            ):
                if moment is not None:
                    self.moments[f"{letter}.{name}"] = moment
        if self.cell.is_pbxs_own and self.cell.transfer.startswith("blind"):
            self.moments["move"] = self.moments["a.answered"] + TALK_MS

    def moment_ms(self, text: str) -> float:
        """Return a moment of the table: a name, with ``+ms`` behind it."""
        name, _, more = text.partition("+")
        return self.moments[name.replace("H.", f"{self.holder}.")] + float(more or 0)

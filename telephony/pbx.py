"""One Asterisk behind two AMI connections: filtered events in, commands out.

The law: nothing is decided here. Events become signals through ``translate`` in the order of the
stream; after every (re)connect a snapshot is read on the *event* connection, so that one stream
orders its rows and the events around it, and nothing reaches the engine before that snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final

import structlog

from routing.commands import (
    Command,
    JoinFallback,
    LeaveFallback,
    MarkHeard,
    MoveToQueue,
    PauseFallback,
    UsePhone,
)
from routing.ids import AgentId, BootId, InteractionId, PbxId
from routing.signals import CommandRefused, PbxLinkLost, Signal
from telephony.adopt import SNAPSHOT_VARIABLES, snapshot_of
from telephony.ami.codec import AmiMessage
from telephony.ami.errors import AmiError, AmiLinkLost, AmiRefused
from telephony.ami.link import AmiLink
from telephony.errors import TelephonyError
from telephony.phones import Action, device_of, phone_answer, phone_question, web_device
from telephony.translate import actions_of, refused_by_fence, signals_of

log = structlog.get_logger()

MERGE_TIMEOUT_S: Final = 10.0
MEANWHILE_MAX: Final = 50_000  # events that may wait for a snapshot; beyond it everything is read anew
REDIRECT_TRIES_MAX: Final = 5
_RETRY_S: Final = 1.0
_REDIRECT_AGAIN_S: Final = 0.02  # Asterisk carries a Redirect out within milliseconds
_NOT_UP: Final = "not up"  # an earlier Redirect is still being carried out, or the caller hangs up just now
_FALLBACK = (JoinFallback, LeaveFallback, PauseFallback, UsePhone)


class WrongPbxError(TelephonyError):
    """The PBX at this address is not the one that is configured, or cannot tell two of its calls apart."""


class PbxState(StrEnum):
    """How far the PBX can be heard."""

    DOWN = "down"
    MERGING = "merging"  # connected; the snapshot is being read
    LIVE = "live"


@dataclass(slots=True)
class _Merge:
    """A snapshot being read: rows of our two lists, and what else came by meanwhile."""

    boot_id: BootId
    awaited: set[str]
    done: asyncio.Future[None]
    rows: list[AmiMessage] = field(default_factory=list)
    meanwhile: list[AmiMessage] = field(default_factory=list)


class AsteriskPbx:
    """The PBX as the dispatcher sees it. Belongs to the event loop's thread.

    Args:
        events: Connection with filtered events on; its callbacks are taken over.
        control: Connection with events off; its callbacks are taken over.
        put: Takes a signal (``Inbox.put``).
        pbx_id: The PBX's ``systemname``.
        lead: Gets the fence found at the PBX and returns the epoch to lead with (at least the fence).
    """

    def __init__(
        self,
        *,
        events: AmiLink,
        control: AmiLink,
        put: Callable[[Signal], object],
        pbx_id: PbxId,
        lead: Callable[[int], int],
    ) -> None:
        self._events, self._control = events, control
        self._put, self._pbx_id, self._lead = put, pbx_id, lead
        self._desks: Mapping[AgentId, str] = {}
        self._chosen: dict[AgentId, str] = {}
        self._device_by_agent: Mapping[AgentId, str] = {}
        self._agent_by_device: Mapping[str, AgentId] = {}
        self._owner_by_device: Mapping[str, AgentId] = {}
        self._merge: _Merge | None = None
        self._moves: dict[InteractionId, tuple[Command, Action]] = {}
        self._newest: dict[InteractionId, Command] = {}  # unanswered; what came before it is out of date
        self._changed = asyncio.Event()
        self._epoch = 0
        self._parted = False
        self.state = PbxState.DOWN
        self.merged_count = 0
        self.refused_count = 0
        self.last_problem = ""
        events.on_message, events.on_connected, events.on_lost = self._on_message, self._on_up, self._on_lost
        control.on_connected, control.on_lost = self._on_up, self._on_lost
        events.on_failed = control.on_failed = self._on_failed

    # ------------------------------------------------------------ what the dispatcher uses

    def send(self, command: Command, epoch: int) -> None:
        """Send a command and return at once; an error answer comes back as ``CommandRefused``.

        Until Asterisk has carried out one ``Redirect`` it refuses the next one for the same channel
        ("channel not up", measured on 22.10). So a move to the waiting laps is held until the loop's next
        turn: the offer that follows it in the same step takes its place, and brings the caller there in one.
        A command that is refused for that reason all the same is sent again, unless a newer one followed it.
        """
        if isinstance(command, UsePhone):
            self._use_phone(command)
        *before, last = actions_of(command, epoch=epoch, device_by_agent=self._device_by_agent)
        for action in before:
            self._control.send(action)
        interaction_id: InteractionId | None = getattr(command, "interaction_id", None)
        if interaction_id is not None and not isinstance(command, MarkHeard):
            self._moves.pop(interaction_id, None)
            self._newest[interaction_id] = command
        if isinstance(command, MoveToQueue):
            if not self._moves:
                asyncio.get_running_loop().call_soon(self._send_moves)
            self._moves[command.interaction_id] = (command, last)
        else:
            self._send_last(command, last)

    def _send_moves(self) -> None:
        moves, self._moves = self._moves, {}
        for command, last in moves.values():
            self._send_last(command, last)

    def _send_last(self, command: Command, last: Action, tries: int = 1) -> None:
        self._control.send(last).add_done_callback(partial(self._answered, command, last, tries))

    def _send_again(self, command: Command, last: Action, tries: int) -> None:
        if self._newest.get(getattr(command, "interaction_id", InteractionId(""))) is command:
            self._send_last(command, last, tries)

    def set_devices(self, device_by_agent: Mapping[AgentId, str]) -> None:
        """Learn each agent's desk phone (at start, and after every change of the configuration)."""
        self._desks = dict(device_by_agent)
        self._know_devices()

    def set_phones(self, chosen: Mapping[AgentId, str]) -> None:
        """Learn which phones were chosen before this start; later ones come as ``UsePhone``."""
        self._chosen = {agent_id: device for agent_id, device in chosen.items() if device}
        self._know_devices()

    def agent_of_device(self, device: str) -> AgentId | None:
        """Return whose phone a device is, rung now or not; None: nobody's."""
        return self._agent_by_device.get(device) or self._owner_by_device.get(device)

    def _know_devices(self) -> None:
        self._device_by_agent = {**self._desks, **self._chosen}
        self._agent_by_device = {device: agent_id for agent_id, device in self._device_by_agent.items()}
        desks = {device: agent_id for agent_id, device in self._desks.items()}
        self._owner_by_device = {web_device(agent_id): agent_id for agent_id in self._desks} | desks

    def _use_phone(self, command: UsePhone) -> None:
        """Watch the chosen phone from now on, and ask what it does: its next change may be far off.

        Asked on the event connection, so that no older state overtakes a newer one.
        """
        if command.device:
            self._chosen[command.agent_id] = command.device
        else:
            self._chosen.pop(command.agent_id, None)
        self._know_devices()
        question = phone_question(command, device_of(command.agent_id, self._device_by_agent))
        if question is not None:
            self._events.send(question).add_done_callback(partial(self._phone_told, command))

    def _phone_told(self, command: UsePhone, answer: asyncio.Future[AmiMessage]) -> None:
        if answer.cancelled() or answer.exception() is not None or not answer.result().succeeded:
            return  # the link is down: the next snapshot tells
        if self._chosen.get(command.agent_id, "") == command.device:
            for signal in phone_answer(command, answer.result()):
                self._put(signal)

    def part_from_pages(self) -> None:
        """Take no notice of browser phones any more: we are about to cut their way ourselves.

        Their sound goes on without us; nobody shall be put on hold because we stop.
        """
        self._parted = True

    def read_anew(self, reason: str) -> None:
        """Drop the event connection and read the PBX again, because our picture is in doubt."""
        self._events.reconnect(reason)

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Keep both connections and the merge going. Runs until cancelled, or until ``lead`` raises."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._events.run(), name="ami events")
                group.create_task(self._control.run(), name="ami control")
                group.create_task(self._keep_merged(), name="pbx merge")
        except ExceptionGroup as failed:  # the first to fail ended the others
            raise failed.exceptions[0] from failed

    async def _keep_merged(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self.state is not PbxState.DOWN or not (self._events.connected and self._control.connected):
                continue
            try:
                async with asyncio.timeout(MERGE_TIMEOUT_S):
                    await self._merge_once()
            except (AmiError, WrongPbxError, TimeoutError) as error:
                self._on_failed(error)
                self._merge = None
                self.state = PbxState.DOWN
                await asyncio.sleep(_RETRY_S)
                self._events.reconnect("the snapshot could not be read")
                self._changed.set()

    async def _merge_once(self) -> None:
        """Take the lead at the PBX, then begin the snapshot; ``_on_message`` completes it."""
        self.state = PbxState.MERGING
        boot_id = await self._identify()
        fence = await self._ask(("Action", "Getvar"), ("Variable", "CC_FENCE"))
        value = fence.get("Value", "")
        self._epoch = self._lead(int(value) if value.isdigit() else 0)
        await self._ask(("Action", "Setvar"), ("Variable", "CC_FENCE"), ("Value", str(self._epoch)))
        done = asyncio.get_running_loop().create_future()
        variables = ",".join(SNAPSHOT_VARIABLES)
        status = self._events.begin_list([("Action", "Status"), ("Variables", variables)])
        devices = self._events.begin_list([("Action", "DeviceStateList")])
        self._merge = _Merge(boot_id, {status, devices}, done)
        await done

    async def _identify(self) -> BootId:
        settings = await self._ask(("Action", "CoreSettings"))
        name = settings.get("SystemName") or settings.get("CoreSystemName", "")
        if name != self._pbx_id:
            raise WrongPbxError(
                f"the PBX calls itself {name!r}, configured is {self._pbx_id!r}: set systemname in "
                "asterisk.conf, or HOLDLESS_SYSTEMNAME here, so that both are the same"
            )
        status = await self._ask(("Action", "CoreStatus"))
        return BootId(f"{status.get('CoreStartupDate', '')}T{status.get('CoreStartupTime', '')}")

    async def _ask(self, *pairs: tuple[str, str]) -> AmiMessage:
        answer = await self._control.send(pairs)
        if not answer.succeeded:
            raise AmiRefused(f"{pairs[0][1]}: {answer.get('Message', 'no reason given')}")
        return answer

    # ------------------------------------------------------------ called by the links

    def _on_up(self) -> None:
        self._changed.set()

    def _on_lost(self, reason: AmiError) -> None:
        self._on_failed(reason)
        if self._merge is not None and not self._merge.done.done():
            self._merge.done.set_exception(AmiLinkLost(str(reason)))
        self._merge = None
        if self.state is PbxState.LIVE:
            self._put(PbxLinkLost(pbx_id=self._pbx_id, reason=type(reason).__name__))
            self.state = PbxState.DOWN
        self._changed.set()

    def _on_failed(self, reason: Exception) -> None:
        problem = f"{type(reason).__name__}: {reason}"
        if problem != self.last_problem:
            log.warning("the PBX cannot be heard", problem=problem)
        self.last_problem = problem

    def _on_message(self, message: AmiMessage) -> None:
        if self._parted and message.name == "ContactStatus":
            return
        if self.state is PbxState.LIVE:
            if (refused_epoch := refused_by_fence(message)) is not None:
                if refused_epoch == self._epoch:  # somebody leads with a higher one: look, before doing more
                    self.read_anew("the fence refused an offer of ours")
                return  # another server's offer, however it is numbered, is none of ours
            for signal in signals_of(message, self._agent_by_device):
                self._put(signal)
        elif (merge := self._merge) is not None:
            self._gather(merge, message)

    def _gather(self, merge: _Merge, message: AmiMessage) -> None:
        if message.action_id not in merge.awaited:
            merge.meanwhile.append(message)
            if len(merge.meanwhile) > MEANWHILE_MAX:
                raise AmiLinkLost(f"more than {MEANWHILE_MAX} events during a snapshot")
            return
        if message.is_response and not message.succeeded:
            raise AmiRefused(f"snapshot: {message.get('Message', 'no reason given')}")
        if message.is_event and not message.ends_list:
            merge.rows.append(message)
        elif message.ends_list or not message.starts_list:
            merge.awaited.discard(message.action_id or "")
            if not merge.awaited:
                self._complete(merge)

    def _complete(self, merge: _Merge) -> None:
        snapshot = snapshot_of(
            merge.rows, pbx_id=self._pbx_id, boot_id=merge.boot_id, agent_by_device=self._agent_by_device
        )
        self._merge = None
        self.state = PbxState.LIVE
        self.last_problem = ""
        self.merged_count += 1
        self._put(snapshot)
        for message in merge.meanwhile:
            self._on_message(message)
        if not merge.done.done():
            merge.done.set_result(None)

    def _answered(
        self, command: Command, last: Action, tries: int, answer: asyncio.Future[AmiMessage]
    ) -> None:
        interaction_id: InteractionId | None = getattr(command, "interaction_id", None)
        newest = interaction_id is not None and self._newest.get(interaction_id) is command
        error = None if answer.cancelled() else answer.exception()
        refused = not answer.cancelled() and error is None and not answer.result().succeeded
        reason = str(error) if error else answer.result().get("Message", "") if refused else ""
        if refused and _NOT_UP in reason and not isinstance(command, MarkHeard):
            if not newest:
                return  # a newer command says where the caller goes
            if tries < REDIRECT_TRIES_MAX:
                again = partial(self._send_again, command, last, tries + 1)
                asyncio.get_running_loop().call_later(_REDIRECT_AGAIN_S, again)
                return
        if newest and interaction_id is not None:
            del self._newest[interaction_id]
        if error is None and not refused:
            return
        self.refused_count += 1
        if isinstance(command, _FALLBACK):
            log.info("the PBX kept what it had", command=type(command).__name__, reason=reason)
            return
        self._put(
            CommandRefused(
                command=type(command).__name__,
                reason="unknown_channel" if error is None else type(error).__name__,
                interaction_id=getattr(command, "interaction_id", None),
                agent_id=getattr(command, "agent_id", None),
                attempt=getattr(command, "attempt", 0),
            )
        )

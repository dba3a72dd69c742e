"""Actions that wait for their answer, by ActionID. Answers are never matched by order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from telephony.ami.codec import AmiMessage
from telephony.ami.errors import AmiError, AmiOverloaded, AmiProtocolError, AmiRefused, AmiTimeout

PENDING_ACTIONS_MAX: Final = 2_000
LIST_ROWS_MAX: Final = 100_000


@dataclass(slots=True)
class _List:
    future: asyncio.Future[list[AmiMessage]]
    rows: list[AmiMessage] = field(default_factory=list)


class PendingActions:
    """Futures of answers, each with a time limit. A list's rows gather here until it is complete."""

    def __init__(self, actions_max: int = PENDING_ACTIONS_MAX) -> None:
        self._actions_max = actions_max
        self._answers: dict[str, asyncio.Future[AmiMessage]] = {}
        self._lists: dict[str, _List] = {}
        self.unmatched_count = 0

    def __len__(self) -> int:
        return len(self._answers) + len(self._lists)

    def expect(self, action_id: str, timeout_s: float) -> asyncio.Future[AmiMessage]:
        """Return the future of the answer to *action_id*.

        Raises:
            AmiOverloaded: too many wait already.
        """
        self._check_room()
        future: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
        self._answers[action_id] = future
        _limit(future, timeout_s)
        future.add_done_callback(lambda _: self._answers.pop(action_id, None))
        return future

    def expect_list(self, action_id: str, timeout_s: float) -> asyncio.Future[list[AmiMessage]]:
        """Return the future of the rows that answer *action_id*.

        Raises:
            AmiOverloaded: too many wait already.
        """
        self._check_room()
        future: asyncio.Future[list[AmiMessage]] = asyncio.get_running_loop().create_future()
        self._lists[action_id] = _List(future)
        _limit(future, timeout_s)
        future.add_done_callback(lambda _: self._lists.pop(action_id, None))
        return future

    def take_response(self, message: AmiMessage) -> None:
        """Give a response to whoever waits for it; count it when nobody does."""
        action_id = message.action_id or ""
        if answer := self._answers.pop(action_id, None):
            if not answer.done():
                answer.set_result(message)
        elif pending := self._lists.get(action_id):
            if not message.succeeded:
                _fail(pending.future, AmiRefused(message.get("Message", "no reason given")))
            elif not message.starts_list and not pending.future.done():
                pending.future.set_result(pending.rows)
        else:
            self.unmatched_count += 1

    def take_row(self, message: AmiMessage) -> bool:
        """Take an event that is a row of an expected list; False when it is not."""
        if not self._lists or (pending := self._lists.get(message.action_id or "")) is None:
            return False
        if message.ends_list:
            if not pending.future.done():
                pending.future.set_result(pending.rows)
        elif len(pending.rows) < LIST_ROWS_MAX:
            pending.rows.append(message)
        else:
            _fail(pending.future, AmiProtocolError(f"a list of more than {LIST_ROWS_MAX} rows"))
        return True

    def fail_all(self, error: AmiError) -> None:
        """Nobody will be answered any more."""
        for answer in list(self._answers.values()):
            _fail(answer, error)
        for pending in list(self._lists.values()):
            _fail(pending.future, error)
        self._answers.clear()
        self._lists.clear()

    def _check_room(self) -> None:
        if len(self) >= self._actions_max:
            raise AmiOverloaded(f"{len(self)} actions wait for an answer")


def _limit(future: asyncio.Future[Any], timeout_s: float) -> None:
    timer = future.get_loop().call_later(timeout_s, _fail, future, AmiTimeout(f"no answer in {timeout_s} s"))

    def settled(settled_future: asyncio.Future[Any]) -> None:
        timer.cancel()
        if not settled_future.cancelled():
            settled_future.exception()  # seen: a caller may send and not wait

    future.add_done_callback(settled)


def _fail(future: asyncio.Future[Any], error: AmiError) -> None:
    if not future.done():
        future.set_exception(error)

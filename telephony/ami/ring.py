"""The bounded ring between the reader of a link and its consumer. Pure.

An AMI reader that stops reading is cut off by Asterisk without a word, so the reader never waits:
under overload events that only tell details are shed first, and counted. An event that matters is
never dropped in silence: when nothing can be shed, the ring is full and the link must be cut and
resynchronised.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from telephony.ami.codec import AmiMessage

RING_MESSAGES_MAX: Final = 20_000

# What nobody steers by: losing these costs a detail, never a call.
VERBOSE_EVENTS: Final = frozenset(
    {
        "AGIExecEnd",
        "AGIExecStart",
        "CEL",
        "Cdr",
        "ChallengeSent",
        "ChannelTalkingStart",
        "ChannelTalkingStop",
        "DTMFBegin",
        "HangupHandlerPop",
        "HangupHandlerPush",
        "HangupHandlerRun",
        "LocalBridge",
        "MusicOnHoldStart",
        "MusicOnHoldStop",
        "NewAccountCode",
        "NewCallerid",
        "NewConnectedLine",
        "Newexten",
        "QueueMemberStatus",
        "RTCPReceived",
        "RTCPSent",
        "SuccessfulAuth",
        "TestEvent",
        "VarSet",
    }
)


class EventRing:
    """Messages in the order of arrival, at most ``messages_max``.

    From half full on, verbose events are shed as they come; when it is full, those already inside.
    """

    def __init__(
        self,
        messages_max: int = RING_MESSAGES_MAX,
        is_verbose: Callable[[str], bool] = VERBOSE_EVENTS.__contains__,
    ) -> None:
        assert messages_max >= 2
        self._messages: deque[AmiMessage] = deque()
        self._messages_max = messages_max
        self._is_verbose = is_verbose
        self.shed: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: AmiMessage, *, keep: bool = False) -> bool:
        """Take the message in.

        Args:
            message: What arrived.
            keep: The message matters whatever its name is (a row of a list).

        Returns:
            False when the ring is full of messages that matter and this one found no place.
        """
        if 2 * len(self._messages) >= self._messages_max:
            if not keep and self._is_verbose(message.name):
                self.shed[message.name] += 1
                return True
            if len(self._messages) >= self._messages_max and not self._shed():
                return False
        self._messages.append(message)
        return True

    def take(self, count_max: int) -> list[AmiMessage]:
        """Take out the oldest messages, at most *count_max*."""
        messages = self._messages
        return [messages.popleft() for _ in range(min(count_max, len(messages)))]

    def clear(self) -> int:
        """Throw everything away and return how many messages that were."""
        count = len(self._messages)
        self._messages.clear()
        return count

    def _shed(self) -> bool:
        kept: deque[AmiMessage] = deque()
        for message in self._messages:
            if self._is_verbose(message.name) and message.action_id is None:
                self.shed[message.name] += 1
            else:
                kept.append(message)
        self._messages = kept
        return len(kept) < self._messages_max

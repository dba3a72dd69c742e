"""Where the queues of a random day send callers who do not get through."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from routing.config import QueueConfig


def with_ways_on(queues: Sequence[QueueConfig]) -> list[QueueConfig]:
    """Let some queues name the next one for a timeout, an overflow or a key; by what they are."""
    rng = random.Random(repr(queues))
    ids = [queue.queue_id for queue in queues]
    onward = dict(zip(ids, (*ids[1:], ids[0]), strict=True))
    found = []
    for queue in queues:
        target = onward[queue.queue_id]
        overflows = rng.random() < 0.5
        found.append(
            replace(
                queue,
                queue_timeout_to=target if queue.queue_timeout_ms and rng.random() < 0.5 else None,
                key_exits={"1": target} if rng.random() < 0.3 else {},
                overflow_after_ms=45_000 if overflows else None,
                overflow_to=target if overflows else None,
            )
        )
    return found

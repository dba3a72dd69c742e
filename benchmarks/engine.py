"""Signals per second through the engine, beside a bare heap + OrderedDict doing the same choices.

Run: ``python -m benchmarks.engine``. The bare loop has no events, no deadlines, no states: it is
what the data structures alone would cost, measured in the same run on the same arrivals.
"""

from __future__ import annotations

import heapq
import json
import random
import time
from collections import OrderedDict
from typing import Any

from routing import signals as sig
from routing.commands import OfferInteraction
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.engine import Engine
from routing.ids import AgentId, InteractionId, QueueId, SkillId

QUEUE_COUNT = 10
HANDLE_MS = 180_000
RUN_COUNT = 3  # the best of; other work on the machine only slows a run down


def centre(agent_count: int, skill_share: float) -> CentreConfig:
    """Ten queues of one skill each; every agent has about *skill_share* of the skills."""
    rng = random.Random(1)
    skills = [SkillId(f"s{n}") for n in range(QUEUE_COUNT)]
    agents = tuple(
        AgentConfig(
            agent_id=AgentId(f"a{n}"),
            skills={s: rng.randint(1, 10) for s in skills if rng.random() < skill_share}
            or {rng.choice(skills): 5},
        )
        for n in range(agent_count)
    )
    queues = tuple(
        QueueConfig(queue_id=QueueId(f"q{n}"), requires={skills[n]: 1}, wrap_up_mode="none")
        for n in range(QUEUE_COUNT)
    )
    return CentreConfig(agents=agents, queues=queues, default_queue_id=queues[0].queue_id)


def lives(config: CentreConfig, call_count: int) -> list[sig.Signal]:
    """Return the signals of full lives at 95 % load: arrive, wait, ring, answer, end."""
    rng = random.Random(2)
    engine = Engine(config, explain=False)
    signals: list[sig.Signal] = []
    for agent in config.agents:
        signals.append(sig.AgentSignedIn(at_ms=1, agent_id=agent.agent_id))
        signals.append(sig.AgentReady(at_ms=1, agent_id=agent.agent_id))
    for signal in signals:
        engine.step(signal)
    gap_ms = HANDLE_MS / (0.95 * len(config.agents))
    world: list[tuple[int, int, sig.Signal]] = []
    at, order = 2.0, 0
    for number in range(call_count):
        at += rng.expovariate(1 / gap_ms)
        interaction_id = InteractionId(f"pbx1-1763790000.{number}")
        queue_id = QueueId(f"q{rng.randrange(QUEUE_COUNT)}")
        arrived = sig.InteractionArrived(at_ms=int(at), interaction_id=interaction_id)
        waiting = sig.InteractionWaiting(at_ms=int(at), interaction_id=interaction_id, queue_id=queue_id)
        world += [(int(at), order + 1, arrived), (int(at), order + 2, waiting)]
        order += 2
    heapq.heapify(world)
    while world:
        _, _, signal = heapq.heappop(world)
        signals.append(signal)
        for command in engine.step(signal).commands:
            if isinstance(command, OfferInteraction):
                for follow in _life(command, signal.at_ms, rng):
                    order += 1
                    heapq.heappush(world, (follow.at_ms, order, follow))
    return signals


def engine_rate(config: CentreConfig, signals: list[sig.Signal], *, explain: bool) -> float:
    """Return signals per second of CPU time through a fresh engine."""
    engine = Engine(config, explain=explain)
    began_s = time.process_time()
    for signal in signals:
        engine.step(signal)
    return len(signals) / (time.process_time() - began_s)


def _life(command: OfferInteraction, at_ms: int, rng: random.Random) -> tuple[sig.Signal, ...]:
    named: dict[str, Any] = {
        "interaction_id": command.interaction_id,
        "agent_id": command.agent_id,
        "attempt": command.attempt,
    }
    answer_ms = at_ms + rng.randint(1_000, 4_000)
    end_ms = answer_ms + int(rng.expovariate(1 / HANDLE_MS))
    return (
        sig.OfferRang(at_ms=at_ms + 5, **named),
        sig.OfferAnswered(at_ms=answer_ms, **named),
        sig.InteractionEnded(at_ms=end_ms, interaction_id=command.interaction_id),
    )


def bare_rate(config: CentreConfig, call_count: int) -> float:
    """Return arrivals and ends per second of a bare heap per queue + OrderedDict of ready agents."""
    rng = random.Random(2)
    skills = {a.agent_id: frozenset(int(s[1:]) for s in a.skills) for a in config.agents}
    ready = OrderedDict((a.agent_id, 0) for a in config.agents)
    waiting: list[list[tuple[int, int]]] = [[] for _ in range(QUEUE_COUNT)]
    ends: list[tuple[int, AgentId]] = []
    gap_ms = HANDLE_MS / (0.95 * len(config.agents))
    at, done = 2.0, 0
    began_s = time.process_time()
    for number in range(call_count):
        at += rng.expovariate(1 / gap_ms)
        now = int(at)
        while ends and ends[0][0] <= now:
            end_ms, agent_id = heapq.heappop(ends)
            done += 1
            heads = [waiting[q][0] + (q,) for q in skills[agent_id] if waiting[q]]
            if heads:
                heapq.heappop(waiting[min(heads)[2]])
                heapq.heappush(ends, (end_ms + int(rng.expovariate(1 / HANDLE_MS)), agent_id))
            else:
                ready[agent_id] = end_ms
        queue = rng.randrange(QUEUE_COUNT)
        done += 1
        chosen = next((agent_id for agent_id in ready if queue in skills[agent_id]), None)
        if chosen is None:
            heapq.heappush(waiting[queue], (now, number))
        else:
            del ready[chosen]
            heapq.heappush(ends, (now + int(rng.expovariate(1 / HANDLE_MS)), chosen))
    return done / (time.process_time() - began_s)


def main() -> None:
    """Print one JSON object."""
    figures: dict[str, float | int] = {}
    for agent_count, skill_share, call_count in ((100, 0.3, 20_000), (1_000, 0.5, 10_000)):
        config = centre(agent_count, skill_share)
        bare = max(bare_rate(config, call_count) for _ in range(RUN_COUNT))
        signals = lives(config, call_count)
        plain = max(engine_rate(config, signals, explain=False) for _ in range(RUN_COUNT))
        explained = max(engine_rate(config, signals, explain=True) for _ in range(RUN_COUNT))
        name = f"agents_{agent_count}"
        profiles = len({tuple(sorted(a.skills.items())) for a in config.agents})
        figures |= {
            f"{name}_profile_count": profiles,
            f"{name}_signals_per_s": round(plain),
            f"{name}_signals_per_s_explained": round(explained),
            f"{name}_bare_choices_per_s": round(bare),
            f"{name}_bare_to_engine_ratio": round(bare / plain, 1),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

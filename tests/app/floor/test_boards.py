"""Boards over random days: what pages put together from deltas is what a board begun now would show."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from app.desk.agent_board import AgentBoard
from app.desk.presence_board import PresenceBoard
from app.floor.board import FloorBoard
from app.floor.rules import NO_FIGURES, Names
from app.sockets.hub import Hub
from app.sockets.rules import Frame, Json
from routing.config import CentreConfig
from routing.floor import Floor
from routing.floor_of import floor_of
from tests.app.topic_check import assert_as_described
from tests.routing.consult_day import ConsultDay
from tests.routing.day import Day
from workforce.formulas import FORMULAS

FIGURES = {"today": NO_FIGURES, "last_15_min": NO_FIGURES}


class Shown:
    """A publisher on a real hub whose time the test gives; a page reads every topic from the start."""

    def __init__(self) -> None:
        self.hub = Hub(epoch=1)
        self.now_ms = 0
        self.pages: dict[str, Reader] = {}

    def open(self, name: str) -> None:
        self.hub.open(name)
        if name not in self.pages:
            self.pages[name] = Reader()
            self.hub.follow(name, self.pages[name])

    def close(self, name: str) -> None:
        self.hub.close(name)
        self.pages.pop(name, None)

    def names(self) -> list[str]:
        return self.hub.names()

    def keys(self, name: str) -> list[str]:
        return self.hub.keys(name)

    def show(self, name: str, key: str, value: Json, *, urgent: bool = False) -> None:
        self.hub.set(name, key, value, self.now_ms, urgent=urgent)

    def hide(self, name: str, key: str, *, urgent: bool = False) -> None:
        self.hub.remove(name, key, self.now_ms, urgent=urgent)

    def documents(self) -> dict[str, dict[str, Any]]:
        self.now_ms += 1_000
        self.hub.flush(self.now_ms)
        return {name: page.document for name, page in self.pages.items()}


class Reader:
    def __init__(self) -> None:
        self.document: dict[str, Any] = {}

    def offer(self, frame: Frame) -> None:
        message = orjson.loads(frame.text)
        assert_as_described(message["topic"], message.get("data", message.get("changes", {})))
        if message["type"] == "snapshot":
            self.document = dict(message["data"])
        elif message["type"] == "delta":
            for key, value in message["changes"].items():
                if value is None:
                    del self.document[key]
                else:
                    self.document[key] = value


class Boards:
    """Both boards on one publisher."""

    def __init__(self, config: CentreConfig) -> None:
        self.config = config
        self.shown = Shown()
        self.floor_board = FloorBoard(
            self.shown,
            config=lambda: self.config,
            names=Names,
            figures_of=lambda _queue: FIGURES,
            as_plain=dict,
            facts=lambda: {"day_start_ms": 0, "not_ready": {}},
            now_ms=lambda: 0,
        )
        self.agent_board = AgentBoard(self.shown, config=lambda: self.config, names=Names)
        self.presence_board = PresenceBoard(self.shown)

    def seed(self, floor: Floor) -> None:
        self.floor_board.seeded(floor)
        self.agent_board.seeded(floor)
        self.presence_board.seeded(floor)


@pytest.mark.parametrize("kind", [Day, ConsultDay])
@pytest.mark.parametrize("seed", range(6))
def test_what_pages_hold_is_what_a_board_begun_now_shows(seed: int, kind: type[Day]) -> None:
    day, luck = kind(seed), random.Random(seed)
    boards, floor = Boards(day.engine.centre.config), Floor()
    boards.seed(floor)
    batch = []
    compared = calls = wrap_ups = 0
    for step in day.steps(600):
        for event in step.events:
            floor.apply(event)
            batch.append(event)
        if luck.random() < 0.7:
            continue
        boards.config = day.engine.centre.config
        boards.floor_board.changed(floor, batch)
        boards.agent_board.changed(floor, batch)
        boards.presence_board.changed(floor, batch)
        batch = []
        if luck.random() < 0.5:
            continue
        fresh = Boards(boards.config)
        fresh.seed(floor_of(day.engine.centre))
        held, expected = boards.shown.documents(), fresh.shown.documents()
        assert held.keys() == expected.keys()
        for topic, found in held.items():
            document = dict(found)
            me = document.get("me")
            if me is not None and me["state"] == "wrap_up":
                wrap_ups += 1  # of it a board begun now knows only what the log will tell
                kept = document.pop("call", None)
                assert kept is None or kept["phase"] == "wrap_up"
                for one in (document, expected[topic]):
                    one["me"] = one["me"] | {"wrap_up": None}
            calls += "call" in document
            assert document == expected[topic], topic
        compared += 1
    assert compared > 20
    assert calls
    assert wrap_ups


def test_colleagues_see_whether_somebody_is_there_and_no_more() -> None:
    day = Day(2)
    boards = Boards(day.engine.centre.config)
    assert list(day.steps(200))
    boards.seed(floor_of(day.engine.centre))
    shown = boards.shown.documents()["presence:all"]
    assert shown.keys() == {f"agent/{agent.agent_id}" for agent in day.engine.centre.config.agents}
    assert {frozenset(each) for each in shown.values()} == {frozenset({"agent_id", "presence"})}


def test_a_supervisor_of_one_team_sees_no_other_teams_agents() -> None:
    day = Day(1)
    config = day.engine.centre.config
    boards = Boards(config)
    boards.seed(floor_of(day.engine.centre))
    documents = boards.shown.documents()
    for agent in config.agents:
        for topic, document in documents.items():
            if topic.startswith("floor:team:"):
                assert (f"agent/{agent.agent_id}" in document) == (topic == f"floor:team:{agent.team_id}")
    assert not [key for key in documents["wall:all"] if key.startswith("agent/")]
    assert {"meta", "total", "formulas"} <= documents["wall:all"].keys()


def test_a_board_says_by_which_formulas_its_figures_are_made() -> None:
    day = Day(1)
    boards = Boards(day.engine.centre.config)
    boards.seed(floor_of(day.engine.centre))
    documents = boards.shown.documents()
    for topic in ("wall:all", "floor:all"):
        shown = documents[topic]["formulas"]
        formula_id = documents[topic]["total"]["today"]["service_level_formula"]
        assert formula_id in shown
        for one, parts in shown.items():
            assert {name: tuple(terms) for name, terms in parts.items()} == {
                "over": FORMULAS[one].over,
                "under": FORMULAS[one].under,
                "less": FORMULAS[one].less,
            }

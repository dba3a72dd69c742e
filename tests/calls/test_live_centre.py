"""A change of the centre is in force in the running server about a second after it was committed."""

from __future__ import annotations

import pytest

from app.centre.document import QueuePart, SkillPart
from app.centre.rows import save_centre
from app.db.session import DEFAULT_TENANT, Database
from tests.calls.centre import CallCentre, centre_document, until

pytestmark = [pytest.mark.pbx, pytest.mark.db]


def test_a_new_queue_is_on_the_floor_without_a_restart(centre: CallCentre) -> None:
    usual = centre_document()
    more = usual.model_copy(
        update={
            "skill": (*usual.skill, SkillPart(skill_id="returns")),
            "queue": (*usual.queue, QueuePart(queue_id="returns", requires={"returns": 1})),
        }
    )

    async def save_more(database: Database) -> None:
        async with database.transaction(DEFAULT_TENANT) as connection:
            await save_centre(connection, DEFAULT_TENANT, more, made_by="test")

    async def save_usual(database: Database) -> None:
        async with database.transaction(DEFAULT_TENANT) as connection:
            await save_centre(connection, DEFAULT_TENANT, usual, made_by="test")

    assert "returns" not in centre.floor()["queues"]
    centre.in_database(save_more)
    try:
        until(lambda: "returns" in centre.floor()["queues"], 5)
    finally:
        centre.in_database(save_usual)

"""The customers' API on a real PostgreSQL: what a page does, and what each role may."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import insert, text

from app.auth.permissions import Role, reach_of
from app.db import tables
from app.db.session import DEFAULT_TENANT, Database
from tests.app.customers.serving import customers_served

pytestmark = pytest.mark.db

_HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE party; --",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://evil")',
    "‮gnp.exe",
    "a\x00b\x07c",
    "王小明\r\nAction: Originate",
]


async def _made(client: httpx2.AsyncClient, name: str, *numbers: str, **more: Any) -> dict[str, Any]:
    identifiers = [{"raw": number} for number in numbers]
    answer = await client.post("/parties", json={"display_name": name, "identifiers": identifiers, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _found(client: httpx2.AsyncClient, words: str) -> list[str]:
    answer = await client.get("/parties", params={"q": words})
    assert answer.status_code == 200, answer.text
    return [row["display_name"] for row in answer.json()["parties"]]


async def test_a_customer_is_found_by_what_anybody_types(database: Database) -> None:
    async with customers_served(database) as client:
        await _made(client, "王小明", "0912-345-678", external_ref="C-1002")
        await _made(client, "王小明明", "02-2771-2345")
        await _made(client, "José García", "jose@example.org")
        for words in ("0912345678", "+886 912", "0912 3", "345678", "C-1002", "c-10"):
            assert await _found(client, words) == ["王小明"], words
        assert await _found(client, "王小明") == ["王小明", "王小明明"]
        assert await _found(client, "小明") == ["王小明", "王小明明"]
        assert await _found(client, "2771") == ["王小明明"]
        for words in ("jose", "GARCÍA", "jo", "garcia jose", "jose@ex", "jose@example.org"):
            assert await _found(client, words) == ["José García"], words
        for words in ("", "x", "999999", "王大"):
            assert words == "" or await _found(client, words) == [], words


async def test_the_list_pages_through_everybody_once(database: Database) -> None:
    async with customers_served(database) as client:
        names = [(await _made(client, f"Person {number}"))["display_name"] for number in range(7)]
        seen: list[str] = []
        cursor = None
        for _ in range(9):
            page = (
                await client.get("/parties", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
            ).json()
            seen += [row["display_name"] for row in page["parties"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(seen) == names
        assert (await client.get("/parties", params={"cursor": "x"})).json()["error_id"] == "bad_cursor"


async def test_who_edits_an_old_version_is_shown_both(database: Database) -> None:
    async with customers_served(database) as client:
        made = await _made(client, "Wang", custom={"tier": "gold", "since": 2020})
        path = f"/parties/{made['party_id']}"
        first = await client.patch(
            path, json={"version": made["version"], "display_name": "王", "custom": {"since": None}}
        )
        assert first.status_code == 200
        assert (first.json()["display_name"], first.json()["custom"]) == ("王", {"tier": "gold"})
        second = await client.patch(path, json={"version": made["version"], "display_name": "Wong"})
        assert (second.status_code, second.json()["error_id"]) == (409, "party_changed")
        assert second.json()["params"]["yours"] == {"display_name": "Wong"}
        assert second.json()["params"]["theirs"] == {"display_name": "王"}
        version = second.json()["params"]["version"]
        third = await client.patch(path, json={"version": version, "display_name": "Wong"})
        assert third.json()["display_name"] == "Wong"
        assert await _found(client, "Wong") == ["Wong"]
        nothing = await client.patch(path, json={"version": third.json()["version"], "display_name": None})
        assert nothing.status_code == 422


async def test_a_recycled_number_changes_hands_and_a_shared_one_does_not(database: Database) -> None:
    async with customers_served(database) as client:
        old = await _made(client, "Old owner", "0912000111")
        new = await _made(client, "New owner")
        path = f"/parties/{new['party_id']}/identifiers"
        asked = await client.post(path, json={"raw": "0912 000 111"})
        assert (asked.status_code, asked.json()["error_id"]) == (409, "identifier_in_use")
        assert asked.json()["params"]["owner_ids"] == [old["party_id"]]
        taken = (await client.post(path, json={"raw": "0912 000 111", "takes_over": True})).json()
        assert [row["is_current"] for row in taken["identifiers"]] == [True]
        before = (await client.get(f"/parties/{old['party_id']}")).json()
        assert [row["is_current"] for row in before["identifiers"]] == [False]
        assert before["version"] != old["version"]
        shared = (await client.post(path, json={"raw": "02-2771-2345", "is_shared": True})).json()
        landline = next(row for row in shared["identifiers"] if row["normal"] == "+886227712345")
        ended = await client.delete(f"{path}/{landline['identifier_id']}")
        assert [row["normal"] for row in ended.json()["identifiers"] if row["is_current"]] == [
            "+886912000111"
        ]
        assert (await client.post(path, json={"raw": "anonymous"})).json()[
            "error_id"
        ] == "identifier_withheld"
        assert (await client.delete(f"{path}/{UUID(int=5)}")).status_code == 404


async def test_a_merge_is_looked_at_made_and_undone(database: Database) -> None:
    async with customers_served(database) as client:
        one = await _made(client, "Wang Xiaoming", "0912000333")
        answer = await client.post(
            "/parties",
            json={
                "display_name": "Wang Xiaoming",
                "external_ref": "C9",
                "identifiers": [{"raw": "0912000333", "is_shared": True}],
            },
        )
        two = answer.json()
        await client.post(f"/parties/{two['party_id']}/notes", json={"text": "<b>calls at night</b>"})
        likely = (await client.get(f"/parties/{one['party_id']}/duplicates")).json()["parties"]
        assert [(row["party_id"], row["reasons"]) for row in likely] == [
            (two["party_id"], ["same_identifier", "same_name"])
        ]
        asked = {"merged_party_id": two["party_id"], "into_party_id": one["party_id"]}
        preview = (await client.get("/parties/merges/preview", params=asked)).json()
        assert (preview["identifier_count"], preview["note_count"], preview["differing"]) == (
            1,
            1,
            ["external_ref"],
        )
        merged = (await client.post("/parties/merges", json=asked)).json()
        assert (await client.post("/parties/merges", json=asked)).status_code == 409
        page = (await client.get(f"/parties/{two['party_id']}")).json()
        assert (page["party_id"], page["asked_party_id"]) == (one["party_id"], two["party_id"])
        assert [row["alias_id"] for row in page["merges"]] == [merged["alias_id"]]
        assert page["notes"][0]["text"] == "<b>calls at night</b>"
        listed = (await client.get("/parties")).json()["parties"]
        assert [row["party_id"] for row in listed] == [one["party_id"]]
        assert len(await _found(client, "xiaoming")) == 1
        assert (await client.delete(f"/parties/merges/{merged['alias_id']}")).status_code == 204
        assert (await client.delete(f"/parties/merges/{merged['alias_id']}")).status_code == 409
        assert (await client.get(f"/parties/{two['party_id']}")).json()["party_id"] == two["party_id"]


async def _call(database: Database, number: int, party_id: str, agent_id: str = "a1001") -> None:
    started = datetime.now(UTC) - timedelta(hours=number)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            insert(tables.interaction).values(
                tenant_id=DEFAULT_TENANT,
                day=started.date(),
                interaction_id=f"pbx1-{int(started.timestamp())}.{number}",
                party_id=UUID(party_id),
                started_at=started,
                agent_id=agent_id,
                outcome="answered",
            )
        )


async def test_the_timeline_holds_the_calls_of_whoever_was_merged(database: Database) -> None:
    async with customers_served(database) as client:
        one, two = await _made(client, "One"), await _made(client, "Two")
        for number in range(1, 6):
            await _call(database, number, (one if number % 2 else two)["party_id"])
        merge = {"merged_party_id": two["party_id"], "into_party_id": one["party_id"]}
        await client.post("/parties/merges", json=merge)
        first = (await client.get(f"/parties/{one['party_id']}/timeline", params={"limit": 3})).json()
        rest = await client.get(
            f"/parties/{two['party_id']}/timeline", params={"limit": 3, "cursor": first["next_cursor"]}
        )
        entries = first["entries"] + rest.json()["entries"]
        assert [entry["interaction_id"].rpartition(".")[2] for entry in entries] == list("12345")
        assert rest.json()["next_cursor"] is None
        bad = await client.get(f"/parties/{one['party_id']}/timeline", params={"cursor": "!"})
        assert (bad.status_code, bad.json()["error_id"]) == (422, "bad_cursor")


async def test_an_agents_list_is_of_those_they_spoke_to_but_their_search_is_not(database: Database) -> None:
    async with customers_served(database, role="agent") as client:
        mine, other = await _made(client, "Mine"), await _made(client, "Other")
        await _call(database, 1, mine["party_id"])
        await _call(database, 2, other["party_id"], "a1002")
        listed = (await client.get("/parties")).json()["parties"]
        assert [row["display_name"] for row in listed] == ["Mine"]
        assert await _found(client, "Other") == ["Other"]


async def test_an_agent_removes_their_own_note_alone(database: Database) -> None:
    async with customers_served(database, role="agent") as client:
        made = await _made(client, "Wang")
        path = f"/parties/{made['party_id']}/notes"
        own = (await client.post(path, json={"text": "mine"})).json()["notes"][0]["note_id"]
        boss = {"Authorization": "Bearer supervisor"}
        notes = (await client.post(path, json={"text": "the boss's"}, headers=boss)).json()["notes"]
        other = next(note["note_id"] for note in notes if note["author"] == "the supervisor")
        assert (await client.delete(f"{path}/{other}")).status_code == 404
        assert (await client.delete(f"{path}/{own}")).status_code == 200
        assert (await client.delete(f"{path}/{other}", headers=boss)).json()["notes"] == []


async def test_erased_people_are_nowhere(database: Database) -> None:
    async with customers_served(database) as client:
        made = await _made(client, "Gone Girl", "0912000999", external_ref="G1")
        async with database.transaction(DEFAULT_TENANT) as connection:
            await connection.execute(text("UPDATE party SET erased_at = now()"))
        for words in ("Gone", "0912000999", "0912", "G1"):
            assert await _found(client, words) == [], words
        assert (await client.get("/parties")).json()["parties"] == []
        path = f"/parties/{made['party_id']}"
        for method, to, body in (
            ("GET", path, None),
            ("GET", f"{path}/timeline", None),
            ("PATCH", path, {"version": made["version"], "display_name": "x"}),
            ("POST", f"{path}/notes", {"text": "x"}),
            ("POST", f"{path}/identifiers", {"raw": "0911"}),
        ):
            assert (await client.request(method, to, json=body)).status_code == 404, to


@pytest.mark.parametrize("name", _HOSTILE)
async def test_hostile_names_are_only_text(database: Database, name: str) -> None:
    async with customers_served(database) as client:
        body = json.dumps({"display_name": name, "identifiers": [{"raw": "0912000111"}]})
        answer = await client.post("/parties", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 201, answer.text
        kept = answer.json()["display_name"]
        assert not any(letter in kept for letter in "\x00\r\n\x07")
        assert await _found(client, "0912000111") == [kept]
        assert await _found(client, name) in ([kept], [])


_NOBODY = UUID(int=1)
_OPERATIONS = [
    ("GET", "/parties", "party.read", None),
    ("GET", f"/parties/{_NOBODY}", "party.read", None),
    ("GET", f"/parties/{_NOBODY}/timeline", "party.read", None),
    ("POST", "/parties", "party.write", {}),
    ("PATCH", f"/parties/{_NOBODY}", "party.write", {}),
    ("POST", f"/parties/{_NOBODY}/identifiers", "party.write", {}),
    ("DELETE", f"/parties/{_NOBODY}/identifiers/{_NOBODY}", "party.write", None),
    ("POST", f"/parties/{_NOBODY}/notes", "party.write", {}),
    ("DELETE", f"/parties/{_NOBODY}/notes/{_NOBODY}", "party.write", None),
    ("GET", f"/parties/{_NOBODY}/duplicates", "party.merge", None),
    ("GET", "/parties/merges/preview", "party.merge", None),
    ("POST", "/parties/merges", "party.merge", {}),
    ("DELETE", f"/parties/merges/{_NOBODY}", "party.merge", None),
]


@pytest.mark.parametrize("role", [*Role, None])
async def test_each_role_passes_where_the_table_says_so(database: Database, role: Role | None) -> None:
    async with customers_served(database, role=role or "nobody") as client:
        for method, path, permission, body in _OPERATIONS:
            answer = await client.request(method, path, json=body)
            if role is None:
                assert answer.status_code == 401, path
            elif reach_of(role, permission) is None:  # type: ignore[arg-type]
                assert answer.status_code == 403, path
            else:
                assert answer.status_code in (200, 404, 409, 422), path

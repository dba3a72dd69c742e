"""Lists that come in: every encoding and format, duplicates, refusals, and taken back again."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import text

from app.db.session import DEFAULT_TENANT, Database
from app.jobs.file_keeper import FileKeeper
from tests.app.customers.importing import Importing
from tests.app.customers.serving import Wakings, customers_served

pytestmark = pytest.mark.db

_LIST = [
    ["客戶姓名", "手機", "電子郵件", "客戶編號", "備註", "VIP等級"],
    ["王小明", "0912-345-678", "ming@example.org", "C1", "喜歡早上接電話", "gold"],
    ["陳美玲", "02-2771-2345轉123", "", "C2", "", ""],
    ["José García", "+34 612 345 678", "jose@example.org", "", "", ""],
    ["=HYPERLINK(\"http://evil\")", "0987654321", "", "", "@SUM(A1)", ""],
    ["", "0911111111", "", "", "", ""],
    ["壞掉的電話", "abc", "", "", "", ""],
    [],
    ["王小明 again", "0912345678", "", "C1", "", ""],
]  # fmt: skip


def _csv(rows: Sequence[Sequence[str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


async def _counts(database: Database) -> dict[str, int]:
    tables = ("party", "party_gram", "identifier", "party_identifier", "party_note", "party_import_row")
    async with database.transaction(DEFAULT_TENANT) as connection:
        return {
            name: (await connection.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one()
            for name in tables
        }


async def _rows(database: Database, sql: str) -> list[Any]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        return [tuple(row) for row in await connection.execute(text(sql))]


async def test_a_list_comes_in_and_goes_again(database: Database, tmp_path: Path) -> None:
    before = await _counts(database)
    async with customers_served(database, tmp_path, jobs=Wakings()) as client:
        importing = Importing(client, database, tmp_path)
        page = await importing.upload(_csv(_LIST), "客戶.csv")
        assert (page["row_count"], page["encoding"], page["delimiter"]) == (8, "utf-8", ",")
        targets = [column["suggested"]["target"] for column in page["columns"]]
        assert targets == ["display_name", "phone", "email", "external_ref", "note", "ignore"]
        preview = await importing.look("skip", *targets[:5], "custom:vip")
        assert preview["counts"] == {
            "blank": 1, "create": 4, "refuse": 2, "skip_in_file": 1, "neutralised": 1,
        }  # fmt: skip
        assert [(each["row"], each["problem"]) for each in preview["problems"]] == [
            (4, "name_missing"),
            (5, "phone_unreadable"),
        ]
        assert await _counts(database) == before, "a preview changes nothing"
        done = await importing.start()
        assert done["state"] == "done"
        assert done["counts"] | {"blank": 1} == {
            "created": 4, "updated": 0, "unchanged": 0, "refused": 2,
            "skipped_existing": 0, "skipped_in_file": 1, "blank": 1,
        }  # fmt: skip
        ming = (await client.get("/parties", params={"q": "0912345678"})).json()["parties"][0]
        whole = (await client.get(f"/parties/{ming['party_id']}")).json()
        assert (whole["external_ref"], whole["custom"]) == ("C1", {"vip": "gold"})
        assert whole["notes"][0]["text"] == "喜歡早上接電話"
        evil = (await client.get("/parties", params={"q": "0987654321"})).json()["parties"][0]
        assert evil["display_name"].startswith("'=HYPERLINK")
        refused = (await client.get(f"{importing.path}/refused.csv")).text.removeprefix("\ufeff")
        rows = list(csv.DictReader(io.StringIO(refused, newline="")))
        assert [(row["手機"], row["problems"]) for row in rows] == [
            ("0911111111", "name_missing"),
            ("abc", "phone_unreadable"),
        ]
        assert (await client.post(f"{importing.path}/start")).json()["error_id"] == "import_wrong_state"
        undone = await importing.undo()
        assert (undone["state"], undone["undo"]["counts"]) == (
            "undone",
            {"removed": 4, "restored": 0, "kept": 0},
        )
        assert await _counts(database) == before
        assert (await client.get("/parties/imports")).json()["imports"][0]["state"] == "undone"


async def test_known_people_are_updated_and_get_back_what_they_had(
    database: Database, tmp_path: Path
) -> None:
    async with customers_served(database, tmp_path, jobs=Wakings()) as client:
        body = {"display_name": "Wang", "external_ref": "C1", "identifiers": [{"raw": "0912345678"}]}
        wang = (await client.post("/parties", json=body)).json()
        await client.post("/parties", json={"display_name": "Lin", "identifiers": [{"raw": "0922000000"}]})
        before = await _counts(database)
        rows = [
            ["name", "phone", "id"],
            ["王小明", "0933444555", "C1"],
            ["林大華", "0922-000-000", ""],
            ["新客戶", "0944000111", "C3"],
            ["新客戶二世", "0944000111", "C3"],
        ]
        importing = Importing(client, database, tmp_path)
        await importing.upload(_csv(rows))
        assert (await importing.look("skip"))["counts"]["skip_existing"] == 2
        counts = (await importing.look("update"))["counts"]
        assert (counts["update"], counts["create"]) == (3, 1)
        done = await importing.start()
        assert (done["counts"]["created"], done["counts"]["updated"]) == (1, 3)
        page = (await client.get(f"/parties/{wang['party_id']}")).json()
        assert page["display_name"] == "王小明"
        assert {row["normal"] for row in page["identifiers"]} == {"+886912345678", "+886933444555"}
        undone = await importing.undo()
        assert undone["undo"]["counts"] == {"removed": 1, "restored": 3, "kept": 0}
        page = (await client.get(f"/parties/{wang['party_id']}")).json()
        assert (page["display_name"], page["version"]) == ("Wang", wang["version"])
        assert await _counts(database) == before


async def test_what_somebody_built_on_is_kept_and_told(database: Database, tmp_path: Path) -> None:
    async with customers_served(database, tmp_path, jobs=Wakings()) as client:
        importing = Importing(client, database, tmp_path)
        await importing.upload(_csv([["name", "phone"], *([f"P{n}", f"09120001{n:02}"] for n in range(5))]))
        await importing.look()
        await importing.start()
        ids = []
        for n in range(3):
            found = (await client.get("/parties", params={"q": f"09120001{n:02}"})).json()
            ids.append(found["parties"][0]["party_id"])
        version = (await client.get(f"/parties/{ids[0]}")).json()["version"]
        await client.patch(f"/parties/{ids[0]}", json={"version": version, "display_name": "Edited"})
        await client.post(f"/parties/{ids[1]}/notes", json={"text": "spoke with her"})
        merge = {"merged_party_id": ids[2], "into_party_id": ids[0]}
        assert (await client.post("/parties/merges", json=merge)).status_code == 201
        undone = await importing.undo()
        assert undone["undo"]["counts"] == {"removed": 2, "restored": 0, "kept": 3}
        reasons = {row["party_id"]: row["reason"] for row in undone["undo"]["kept"]}
        assert reasons == {ids[0]: "changed_since", ids[1]: "in_use", ids[2]: "in_use"}


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8-sig", "utf-8"), ("big5", "big5"), ("gb18030", "gb18030"), ("utf-16", "utf-16")],
)
async def test_a_list_is_read_in_its_encoding(
    database: Database, tmp_path: Path, encoding: str, name: str
) -> None:
    is_simplified = encoding == "gb18030"
    word, ming = ("电话", "陈小明") if is_simplified else ("電話", "陳小明")
    simple = [["姓名", word], [ming, "0912345678"]]
    async with customers_served(database, tmp_path, jobs=Wakings()) as client:
        page = await Importing(client, database, tmp_path).upload(_csv(simple, encoding, "\t"))
        assert (page["encoding"], page["delimiter"]) == (name, "\t")
        assert [column["header"] for column in page["columns"]] == simple[0]
        assert page["columns"][0]["samples"] == [simple[1][0]]


async def test_a_workbook_is_read_with_its_numbers_as_numbers(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Name", "Mobile"])
    sheet.write_row(1, 0, ["Wang", 912345678])
    book.close()
    async with customers_served(database, tmp_path, jobs=Wakings()) as client:
        importing = Importing(client, database, tmp_path)
        page = await importing.upload(path.read_bytes(), "list.xlsx")
        assert page["format"] == "workbook"
        preview = await importing.look()
        assert preview["rows"][0]["numbers"] == ["+886912345678"]


@pytest.mark.parametrize(
    ("data", "error_id"),
    [
        (b"", "import_empty"),
        (b"PK\x03\x04 no workbook", "import_bad_workbook"),
        (b"\x00\x01\x02\x03" * 500, "import_no_text"),
        (b",".join(b"c%d" % n for n in range(300)), "import_too_many_columns"),
    ],
    ids=["empty", "workbook", "binary", "wide"],
)
async def test_what_is_no_list_is_refused_and_leaves_nothing(
    database: Database, tmp_path: Path, data: bytes, error_id: str
) -> None:
    async with customers_served(database, tmp_path) as client:
        answer = await client.post("/parties/imports", content=data)
        assert (answer.status_code, answer.json()["error_id"]) == (422, error_id)
        assert list((tmp_path / "imports").iterdir()) == []
        planner = {"Authorization": "Bearer planner"}
        assert (await client.post("/parties/imports", content=b"a", headers=planner)).status_code == 403
        agent = {"Authorization": "Bearer agent"}
        assert (await client.get("/parties/imports", headers=agent)).status_code == 403


async def test_files_that_are_removed_after_their_time_are_told_so(
    database: Database, tmp_path: Path
) -> None:
    async with customers_served(database, tmp_path, jobs=Wakings()) as client:
        importing = Importing(client, database, tmp_path)
        await importing.upload(_csv([["name", "phone"], ["王小明", "0912345678"], ["", "0911111111"]]))
        await importing.look()
        assert (await importing.start())["counts"]["refused"] == 1
        assert (await client.get(f"{importing.path}/refused.csv")).status_code == 200
        later = Importing(client, database, tmp_path)
        await later.upload(_csv([["name", "phone"], ["李大華", "0987654321"]]))
        in_a_week_s = time.time() + 7 * 86_400 + 60
        assert FileKeeper(tmp_path, 7, lambda: in_a_week_s).remove_old() == 2
        assert list((tmp_path / "imports").iterdir()) == []
        gone = await client.get(f"{importing.path}/refused.csv")
        assert (gone.status_code, gone.json()["error_id"]) == (404, "import_refused_gone")
        columns = [column["suggested"] for column in later.page["columns"]]
        looked = await client.put(f"{later.path}/mapping", json={"columns": columns, "on_duplicate": "skip"})
        job = await later.worked(looked.json())
        assert (job["state"], job["error"]["error_id"]) == ("failed", "import_rows_gone")
        assert (await client.get(later.path)).json()["state"] == "read"
        assert (await importing.undo())["undo"]["counts"]["removed"] == 1


async def test_two_thousand_rows_come_in_and_a_cancelled_import_is_whole(
    database: Database, tmp_path: Path
) -> None:
    await many_rows(database, tmp_path, 2_000)


async def many_rows(database: Database, tmp_path: Path, count: int) -> None:
    """Import *count* rows, undo; import again, cancel in the middle, undo what was done."""
    rows = [["name", "phone"], *([f"客戶{n:06}", f"09{n + 10_000_000:08}"] for n in range(count))]
    async with customers_served(database, tmp_path, jobs=Wakings()) as client:
        importing = Importing(client, database, tmp_path)
        await importing.upload(_csv(rows))
        assert (await importing.look())["counts"]["create"] == count
        done = await importing.start()
        assert done["counts"]["created"] == count
        assert (await _counts(database))["party"] == count
        assert (await importing.undo())["undo"]["counts"]["removed"] == count
        assert (await _counts(database))["party"] == (await _counts(database))["party_gram"] == 0
        again = Importing(client, database, tmp_path)
        await again.upload(_csv(rows))
        await again.look()
        page = (await client.post(f"{again.path}/start")).json()
        await _rows(database, "SELECT 1")
        async with database.transaction(DEFAULT_TENANT) as connection:
            await connection.execute(text("UPDATE job SET is_cancel_wanted = true WHERE state = 'queued'"))
        await again.work(page)
        assert again.page["state"] == "cancelled"
        made = again.page["counts"]["created"]
        assert 0 < made < count or count <= 1_000
        assert (await _counts(database))["party"] == made == again.page["done_row_count"]
        assert (await again.undo())["undo"]["counts"]["removed"] == made
        assert (await _counts(database))["party"] == 0


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_a_hundred_thousand_rows_come_in_and_go(database: Database, tmp_path: Path) -> None:
    await many_rows(database, tmp_path, 100_000)

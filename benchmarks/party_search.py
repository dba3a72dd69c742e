"""How long a search among a million customers takes, beside ``ILIKE`` on the same rows in the same run.

    .venv/bin/python -m benchmarks.party_search [PARTIES | --quick]

Names are drawn by how common they are (a tenth of everybody is called 陳), half of them with a Latin form.
The limit is 100 ms for the 95th percentile of every query. Makes a PostgreSQL of its own and leaves nothing.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import numpy as np
from sqlalchemy import text

from app.customers.finding import find_parties
from app.customers.search import grams
from app.db.embedded import DATABASE, USER, EmbeddedPostgres
from app.db.ids import id_at
from app.db.migrate import migrate
from app.db.provider import make_database
from app.db.session import DEFAULT_TENANT, Database

LIMIT_MS = 100.0
QUICK = 20_000
ROUNDS = 20
PEER_ROUNDS = 3
QUERIES = (
    "王小明", "小明", "退費", "王", "陳", "陳美", "wang", "chen", "wang xiaoming", "zhang wei", "mei", "xi",
    "0912", "0912345678", "678901", "+886 912 3", "C-0012", "不存在的名字", "zzzzyx",
)  # fmt: skip
_FAMILY = "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾彭游詹胡施沈余盧梁趙顏柯翁魏"
_GIVEN = "美小淑志明家怡俊雅文玲華英秀麗建宏婷君偉芳惠敏靜玉珍國強龍豪宗翰欣佳穎心宜廷安和平春花月"
# ruff: noqa: SIM905 - two lists of words read better as words
_LATIN = (
    "chen lin huang zhang li wang wu liu cai yang xu zheng xie hong guo qiu zeng liao lai xu zhou ye su "
    "zhuang lu jiang he xiao luo gao pan jian zhu zhong peng you zhan hu shi shen yu lu liang zhao yan"
).split()
_SYLLABLES = (
    "mei xiao shu zhi ming jia yi jun ya wen ling hua ying xiu li jian hong ting jun wei fang hui min jing "
    "yu zhen guo qiang long hao zong han xin jia ying xin yi ting an he ping chun hua yue"
).split()


def names(count: int, dice: np.random.Generator) -> list[str]:
    """Draw names; the n-th family name comes with a weight of 1/(n+4)."""
    weights = 1 / (np.arange(len(_FAMILY)) + 4)
    family = dice.choice(len(_FAMILY), count, p=weights / weights.sum())
    given = dice.integers(0, len(_GIVEN), (count, 2))
    latin = dice.random(count) < 0.5
    made = []
    for f, (a, b), has_latin in zip(family, given, latin, strict=True):
        name = _FAMILY[f] + _GIVEN[a] + _GIVEN[b]
        if has_latin:
            first = _SYLLABLES[a % len(_SYLLABLES)] + _SYLLABLES[b % len(_SYLLABLES)]
            name += f" {_LATIN[f % len(_LATIN)]} {first}"
        made.append(name)
    return made


async def fill(server: EmbeddedPostgres, count: int) -> None:
    """Copy *count* parties, their grams and one number each, past the checks of foreign keys."""
    dice = np.random.default_rng(20261124)
    drawn = names(count, dice)
    now_ms = time.time_ns() // 1_000_000
    ids = [id_at(now_ms - count + number) for number in range(count)]
    connection = await asyncpg.connect(host=str(server.socket_directory), user=USER, database=DATABASE)
    await connection.execute("SET session_replication_role = replica")

    async def copy(table: str, columns: str, lines: list[str]) -> None:
        data = io.BytesIO("".join(lines).encode())
        await connection.copy_to_table(table, source=data, columns=columns.split())

    for at in range(0, count, 50_000):
        part = range(at, min(at + 50_000, count))
        await copy(
            "party",
            "tenant_id party_id display_name external_ref",
            [f"main\t{ids[n]}\t{drawn[n]}\tC-{n:07}\n" for n in part],
        )
        await copy(
            "party_gram",
            "tenant_id party_id gram",
            [f"main\t{ids[n]}\t{gram}\n" for n in part for gram in grams(drawn[n])],
        )
        await copy(
            "identifier",
            "tenant_id identifier_id kind raw normal",
            [f"main\t{ids[n]}\te164\t0\t+8869{n % 100_000_000:08}\n" for n in part],
        )
        await copy(
            "party_identifier",
            "tenant_id party_id identifier_id",
            [f"main\t{ids[n]}\t{ids[n]}\n" for n in part],
        )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def measured(work: Callable[[], Awaitable[Any]], rounds: int) -> tuple[float, float, Any]:
    """Return the median and the 95th percentile in milliseconds, and the last answer."""
    answer = await work()
    took: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = await work()
        took.append((time.perf_counter() - began) * 1000)
    return float(np.percentile(took, 50)), float(np.percentile(took, 95)), answer


async def run(count: int, server: EmbeddedPostgres) -> bool:
    """Fill, measure, print; return whether every query held the limit."""
    await make_database(server, DATABASE)
    database = Database(server.url())
    await migrate(database, DEFAULT_TENANT)
    began = time.perf_counter()
    await fill(server, count)
    print(f"{count:,} parties in {time.perf_counter() - began:.0f} s; limit p95 {LIMIT_MS:.0f} ms")
    print(f"{'query':<18}{'found':>6}{'p50 ms':>9}{'p95 ms':>9}{'ILIKE p50 ms':>14}")
    holds = True
    peer = text("SELECT party_id FROM party WHERE tenant_id = 'main' AND display_name ILIKE :words LIMIT 50")
    for words in QUERIES:

        async def ours(words: str = words) -> Any:
            async with database.transaction(DEFAULT_TENANT) as connection:
                return await find_parties(
                    connection, DEFAULT_TENANT, words, region="TW", area_code="2", at=datetime.now(UTC)
                )

        async def theirs(words: str = words) -> Any:
            async with database.transaction(DEFAULT_TENANT) as connection:
                return (await connection.execute(peer, {"words": f"%{words}%"})).all()

        p50, p95, finding = await measured(ours, ROUNDS)
        peer_p50, _, _ = await measured(theirs, PEER_ROUNDS)
        more = "" if finding.is_complete else "+"
        holds = holds and p95 <= LIMIT_MS
        print(
            f"{words:<18}{len(finding.found):>5}{more:<1}{p50:>9.1f}{p95:>9.1f}{peer_p50:>14.1f}", flush=True
        )
    await database.close()
    return holds


def main() -> None:
    """Run; the exit status says whether the limit was held."""
    asked = sys.argv[1] if len(sys.argv) > 1 else "1_000_000"
    count = QUICK if asked == "--quick" else int(asked)
    directory = Path(tempfile.mkdtemp(prefix="holdless-bench-"))
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    try:
        holds = asyncio.run(run(count, server))
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    print("the limit was held" if holds else "the limit was NOT held")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()

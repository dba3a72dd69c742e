"""The customers' page in a real Chromium: found, edited, merged, imported; by keyboard, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.auth.account_rows import NewAccount
from app.auth.permissions import Role
from tests.browser.chromium import assert_accessible, assert_fits, context, screenshot
from tests.browser.served import Served
from tests.browser.visitors import sign_in

pytestmark = [pytest.mark.db, pytest.mark.timeout(300)]

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "{{constructor.constructor('document.title=1')()}}",
    '=HYPERLINK("http://127.0.0.1")',
    "\u202egnp.exe",
    "javascript:document.title='owned'",
)


def _account(role: Role) -> NewAccount:
    return NewAccount(
        login=str(role),
        display_name=f"The {role}",
        role=role,
        agent_id="a1005" if role is Role.AGENT else None,
        team_ids=frozenset({"care"}) if role is Role.SUPERVISOR else frozenset(),
    )


def _ask(page: Page, method: str, path: str, body: Any = None) -> Any:
    return page.evaluate(
        """async ([method, path, body]) => {
          const headers = { 'X-Holdless': '1', 'Content-Type': 'application/json' }
          const sent = body === null ? {} : { body: JSON.stringify(body) }
          const got = await fetch('/api/v1' + path, { method, headers, ...sent })
          const text = await got.text()
          return text === '' ? null : JSON.parse(text)
        }""",
        [method, path, body],
    )


def _signed_in(page: Page, served: Served, role: Role = Role.SUPERVISOR) -> None:
    sign_in(page.context, served, _account(role))
    page.goto("/customers")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with context(browser, served.url) as person:
        page = person.new_page()
        _signed_in(page, served)
        yield page


def _make(page: Page, name: str, *numbers: str, **more: Any) -> str:
    identifiers = [{"raw": number, "is_shared": True} for number in numbers]
    made = _ask(page, "POST", "/parties", {"display_name": name, "identifiers": identifiers, **more})
    return str(made["party_id"])


def test_somebody_is_found_by_keyboard_alone_and_edited(page: Page) -> None:
    party_id = _make(page, "鍵盤王小明", "0911222333")
    page.locator("body").press("/")
    search = page.get_by_role("searchbox", name="Search customers")
    expect(search).to_be_focused()
    page.keyboard.type("鍵盤王")
    row = page.get_by_role("link", name="鍵盤王小明")
    expect(row).to_be_visible()
    expect(page.get_by_text("1 customer", exact=True)).to_be_visible()
    screenshot(page, "customers-search")
    assert_accessible(page)
    page.keyboard.press("ArrowDown")
    expect(row).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="鍵盤王小明")).to_be_visible()
    assert page.url.endswith(f"#/{party_id}")
    edit = page.get_by_role("button", name="Edit")
    edit.focus()
    page.keyboard.press("Enter")
    name = page.get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("鍵盤林小華")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="鍵盤林小華")).to_be_visible()
    note = page.get_by_label("New note")
    note.focus()
    page.keyboard.type("calls in the morning")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("calls in the morning")).to_be_visible()
    screenshot(page, "customers-party")
    assert_accessible(page)
    page.reload()
    expect(page.get_by_text("calls in the morning")).to_be_visible()


def test_a_conflict_shows_both_versions(page: Page) -> None:
    party_id = _make(page, "Conflict Chen")
    page.goto(f"/customers#/{party_id}")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("Mine")
    version = _ask(page, "GET", f"/parties/{party_id}")["version"]
    _ask(page, "PATCH", f"/parties/{party_id}", {"version": version, "display_name": "Theirs"})
    page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Somebody else changed this meanwhile")
    expect(dialog.get_by_role("cell", name="Theirs")).to_be_visible()
    expect(dialog.get_by_role("cell", name="Mine")).to_be_visible()
    screenshot(page, "customers-conflict")
    assert_accessible(page)
    dialog.get_by_role("button", name="Save mine").click()
    expect(page.get_by_role("heading", level=1, name="Mine")).to_be_visible()


def test_two_records_are_merged_after_a_look_and_parted_again(page: Page) -> None:
    one = _make(page, "Merge Wang", "0955000111")
    _make(page, "Merge Wang", "0955000111", external_ref="M-2")
    page.goto(f"/customers#/{one}")
    page.get_by_role("button", name="Merge with …").click()
    dialog = page.get_by_role("dialog", name="Merge")
    dialog.get_by_role("button", name=re.compile("Merge Wang")).click()
    expect(dialog.get_by_text("Nothing is rewritten")).to_be_visible()
    screenshot(page, "customers-merge")
    assert_accessible(page)
    dialog.get_by_role("button", name="Merge", exact=True).click()
    merged = page.get_by_role("heading", name="Merged into this one")
    expect(merged).to_be_visible()
    page.get_by_role("button", name="Undo the merge").click()
    expect(merged).to_be_hidden()


def test_a_number_of_somebody_else_changes_hands(page: Page) -> None:
    _make(page, "Old Owner", "0966000222")
    new = _make(page, "New Owner")
    page.goto(f"/customers#/{new}")
    page.get_by_role("textbox", name="Number or address").fill("0966-000-222")
    page.get_by_role("button", name="Add a number or address").click()
    dialog = page.get_by_role("dialog", name="Somebody else has this number")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    dialog.get_by_role("button", name="It changed hands").click()
    expect(page.get_by_text("+886966000222").first).to_be_visible()


def test_a_list_comes_in_and_goes_again(page: Page, tmp_path: Path) -> None:
    rows = "\n".join(f"匯入客戶{n:04},09770{n:05},{'x' if n == 3 else ''}" for n in range(1_500))
    path = tmp_path / "名單.csv"
    path.write_bytes(f"姓名,手機,電子信箱\n{rows}\n".encode("big5"))
    page.get_by_role("link", name="Import …").click()
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("heading", name="What the columns mean")).to_be_visible()
    expect(page.get_by_text("big5")).to_be_visible()
    screenshot(page, "customers-import-mapping")
    assert_accessible(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("no e-mail address").first).to_be_visible()
    screenshot(page, "customers-import-preview")
    assert_accessible(page)
    page.get_by_role("button", name="Import 1,499 rows").click()
    expect(page.get_by_role("heading", name="What was done")).to_be_visible(timeout=90_000)
    screenshot(page, "customers-import-done")
    assert_accessible(page)
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Fetch the refused rows").click()
    refused = Path(fetched.value.path()).read_text("utf-8-sig").splitlines()
    assert len(refused) == 2
    assert "email_unreadable" in refused[1]
    page.get_by_role("button", name="Undo the whole import").click()
    expect(page.get_by_text("1,499").nth(1)).to_be_visible(timeout=90_000)
    expect(page.get_by_role("heading", name="taken back")).to_be_visible()
    page.goto("/customers#/")
    page.get_by_role("searchbox").fill("匯入客戶")
    expect(page.get_by_text("No customer matches")).to_be_visible()


def test_an_export_is_fetched(page: Page) -> None:
    _make(page, '=HYPERLINK("http://127.0.0.1")', "0988000333")
    page.get_by_role("searchbox").fill("0988000333")
    expect(page.get_by_role("link", name="=HYPERLINK")).to_be_visible()
    with page.expect_download(timeout=60_000) as fetched:
        page.get_by_role("button", name="Export CSV").click()
    rows = Path(fetched.value.path()).read_text("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert "'=HYPERLINK" in rows[1]


def test_hostile_names_and_notes_are_text(page: Page) -> None:
    for at, name in enumerate(HOSTILE):
        party_id = _make(page, name, f"09330000{at:02}", custom={"about": name})
        _ask(page, "POST", f"/parties/{party_id}/notes", {"text": name})
        page.goto(f"/customers#/{party_id}")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.get_by_text(name, exact=True).nth(2)).to_be_visible()
        page.goto("/customers#/")
        page.get_by_role("searchbox").fill(f"09330000{at:02}")
        expect(page.get_by_role("link", name=name)).to_be_visible()
        assert "owned" not in page.title()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_in_chinese_fits_at_twice_the_size_and_keeps_out_what_a_role_may_not(
    browser: Browser, served: Served, scheme: Any
) -> None:
    with context(browser, served.url, language="zh-Hant", scheme=scheme, width=640, height=720) as person:
        page = person.new_page()  # 1280 px at 200 % are 640
        _signed_in(page, served, Role.AGENT)
        expect(page.get_by_role("heading", level=1, name="客戶")).to_be_visible()
        expect(page.get_by_role("link", name="匯入…")).to_have_count(0)
        page.get_by_role("searchbox").fill("王")
        expect(page.locator("a[data-row]").first).to_be_visible()
        assert_fits(page)
        assert_accessible(page)
        screenshot(page, f"customers-list-zh-{scheme}")
        page.locator("a[data-row]").first.click()
        expect(page.get_by_role("heading", name="往來紀錄")).to_be_visible()
        expect(page.get_by_role("button", name="合併…")).to_have_count(0)
        assert_fits(page)
        assert_accessible(page)
        screenshot(page, f"customers-party-zh-{scheme}")

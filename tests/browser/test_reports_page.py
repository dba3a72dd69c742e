"""Reports in a real browser: saved, changed, shared, taken back, deleted; files that say what is shown."""

from __future__ import annotations

import csv
import re

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from app.auth.account_rows import NewAccount
from app.auth.permissions import Role
from tests.browser.chromium import Scheme, assert_accessible, assert_fits, context, screenshot
from tests.browser.served import Served
from tests.browser.visitors import sign_in

pytestmark = pytest.mark.db

CHIEF = NewAccount(login="pat.reports", display_name="Pat", role=Role.PLANNER)


def _ready(page: Page) -> None:
    page.locator("section[aria-busy=false] tfoot tr").wait_for()


def _report(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Report", exact=True).select_option(label=name)
    _ready(page)


def _undo(page: Page, said: str) -> None:
    toast = page.locator(".toast, [role=status], [role=log]").filter(has_text=said).last
    toast.get_by_role("button", name="Undo").click()


def test_a_report_is_saved_changed_taken_back_shared_and_deleted(browser: Browser, past: Served) -> None:
    with context(browser, past.url) as made:
        sign_in(made, past, CHIEF)
        page = made.new_page()
        page.goto("/figures?range=month&by=agent&columns=handled_count,AHT")
        _ready(page)
        page.get_by_role("button", name="Save as …").click()
        page.get_by_role("textbox", name="Name").fill("Agents of the month")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"report=[0-9a-f-]{36}"))
        bar = page.get_by_role("region", name="Report", exact=True)
        expect(bar).to_contain_text("Version 1")
        address = page.url

        page.get_by_role("combobox", name="Time", exact=True).select_option("week")
        expect(bar).to_contain_text("Changed, not saved")
        bar.get_by_role("button", name="Save", exact=True).click()
        expect(bar).to_contain_text("Version 2")
        expect(bar).not_to_contain_text("Changed")
        _undo(page, "is saved as version 2")
        expect(bar).to_contain_text("Version 3")
        expect(page.get_by_role("combobox", name="Time", exact=True)).to_have_value("month")

        bar.get_by_role("button", name="Versions …").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.locator("tbody tr")).to_have_count(3)
        assert_accessible(page)
        dialog.get_by_role("button", name="Open version 2").click()
        expect(bar).to_contain_text("Version 2, an older one")
        expect(page.get_by_role("combobox", name="Time", exact=True)).to_have_value("week")

        bar.get_by_role("button", name="Share …").click()
        page.get_by_role("radio", name="Everybody with a role").check()
        expect(page.get_by_role("button", name="Save", exact=True).last).to_be_disabled()
        page.get_by_role("checkbox", name="Supervisors").check()
        assert_accessible(page)
        page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Who sees Agents of the month is saved.")).to_be_visible()

        bar.get_by_role("button", name="Delete").click()
        expect(page).not_to_have_url(re.compile("report="))
        _undo(page, "is deleted")
        page.wait_for_url(re.compile("report="))
        page.goto(address)
        _ready(page)
        expect(page.get_by_role("combobox", name="Report", exact=True)).to_contain_text("Agents of the month")


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [
        pytest.param("en", "light", 1280, marks=pytest.mark.long),
        pytest.param("zh-Hant", "dark", 390, marks=pytest.mark.long),
        pytest.param("zh-Hant", "light", 1280, marks=pytest.mark.long),
        pytest.param("en", "dark", 390, marks=pytest.mark.long),
    ],
)
def test_reports_and_their_mail_are_shown_in_both_languages_and_appearances(
    browser: Browser, past: Served, language: str, scheme: Scheme, width: int
) -> None:
    with context(browser, past.url, language=language, scheme=scheme, width=width) as made:
        sign_in(made, past, CHIEF)
        page = made.new_page()
        page.goto("/figures?report=queue_day")
        page.wait_for_url(re.compile("step=day"))  # what the report asks for
        _ready(page)
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"report-{language}-{scheme}")
        page.get_by_role("button", name=re.compile("By mail|郵寄")).click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("mail.host")
        dialog.get_by_role("button", name=re.compile("Send it by mail|設定郵寄")).click()
        dialog.get_by_role("textbox").last.fill("chief@example.org\nvice@example.org")
        dialog.get_by_role("combobox").first.select_option("week")
        assert_accessible(page)
        assert_fits(page)
        dialog.get_by_role("button", name=re.compile("Save|儲存")).click()
        expect(dialog).to_contain_text("chief@example.org, vice@example.org")
        expect(dialog).to_contain_text(re.compile("next|下次"))
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"report-mail-{language}-{scheme}")
        dialog.get_by_role("button", name=re.compile("^Delete|^刪除")).first.click()
        expect(dialog.get_by_role("button", name=re.compile("^Delete|^刪除"))).to_have_count(0)


def test_files_of_a_report_say_what_the_page_shows(browser: Browser, past: Served) -> None:
    with context(browser, past.url) as made:
        sign_in(made, past, CHIEF)
        page = made.new_page()
        page.goto("/figures")
        _ready(page)
        _report(page, "Service levels side by side")
        page.wait_for_url(re.compile("report=service_levels"))
        expect(page.get_by_role("link", name="PDF")).to_have_attribute("href", re.compile("service_levels"))
        shown = [
            [cell.inner_text() for cell in row.locator("td.number").all()]
            for row in page.locator("tbody tr, tfoot tr").all()
        ]
        assert len(shown) > 2
        with page.expect_download() as taken:
            page.get_by_role("link", name="PDF").click()
        assert taken.value.suggested_filename.startswith("service-levels-side-by-side-")
        said = pypdfium2.PdfDocument(taken.value.path())[0].get_textpage().get_text_bounded()
        lines = [line.split() for line in said.splitlines()]
        for row in shown:
            cells = [cell for cell in row if cell]
            assert any([word for word in line if word in cells] == cells for line in lines), row
        with page.expect_download() as taken:
            page.get_by_role("link", name="CSV").click()
        rows = list(csv.reader(taken.value.path().open(encoding="utf-8-sig")))[1:]
        assert [row[4] for row in rows] == [row[0].replace(",", "") for row in shown]

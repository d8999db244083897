"""The whole story in a real browser: an engineer, two approvers, an admin and compliance."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from auditlog import chain
from jitportal.demo import organisation as company

Seat = Callable[..., Page]
ADA, CHIARA, FARID = company.ADA.name, company.CHIARA.name, company.FARID.name


def ask(page: Page, account: str, reason: str) -> str:
    """Asks for Production Support as an engineer would, from the catalog on; the address of the request."""
    page.goto("/catalog/")
    card = page.locator("section, li, article").filter(has_text="Production Support").last
    card.get_by_role("link", name="Ask").click()
    page.get_by_label(account).check()
    page.get_by_label("Why").fill(reason)
    page.get_by_label("Ticket").fill("INC-4711")
    page.get_by_role("button", name="Ask for access").click()
    page.wait_for_url("**/requests/*-*/")
    return page.url


def decide(page: Page, reason: str, button: str = "Approve") -> None:
    """Decides on the request with this reason in the queue."""
    page.goto("/approvals/")
    card = (
        page.locator("article, section, li")
        .filter(has_text=reason)
        .filter(has=page.get_by_role("button", name=button))
        .last
    )
    card.get_by_role("button", name=button).click()
    expect(page.get_by_role("status").or_(page.get_by_role("alert")).first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_asked_agreed_twice_granted_given_back_and_proved(seat: Seat, scripts: bool, tmp_path: Path) -> None:
    account = "Payments Production" if scripts else "Ledger Production"
    reason = f"Settlement is stuck since noon, {'with' if scripts else 'without'} scripts."
    engineer, lead, officer = (seat(name, java_script_enabled=scripts) for name in (ADA, CHIARA, FARID))
    address = ask(engineer, account, reason)
    expect(engineer.locator("main")).to_contain_text("Waiting for a decision")

    officer.goto("/approvals/")
    expect(officer.locator("main")).not_to_contain_text(reason)
    decide(lead, reason)
    decide(officer, reason)

    # With scripts the page follows by itself; without, the reader loads it again.
    for _ in range(60):
        if scripts:
            break
        engineer.goto(address)
        if "Access ends" in engineer.locator("main").inner_text():
            break
        engineer.wait_for_timeout(250)
    expect(engineer.locator("main")).to_contain_text("Access ends", timeout=15_000)
    expect(engineer.locator("main")).to_contain_text("Sessions already open may live until")

    engineer.locator("summary", has_text="I’m done").click()
    engineer.get_by_role("button", name="Give it back (Production Support in Production)").click()
    for _ in range(60):
        engineer.goto(address)
        if "Given back" in engineer.locator("main").inner_text() and "Ended" in engineer.locator("main").inner_text():
            break
        engineer.wait_for_timeout(250)
    expect(engineer.locator("main")).to_contain_text("Ended")

    auditor = seat(company.JONAS.name)
    auditor.goto("/audit/")
    expect(auditor.locator("main")).to_contain_text("Ada Lindqvist")
    with auditor.expect_download() as download:
        auditor.get_by_role("button", name="Export as CSV").click()
    copy = tmp_path / "export.csv"
    download.value.save_as(copy)
    rows = list(csv.DictReader(io.StringIO(copy.read_text("utf-8-sig"))))
    assert any(reason in value for row in rows for value in row.values())
    assert chain.main([str(copy)]) == 0


def test_a_no_is_told_with_its_reason(seat: Seat) -> None:
    engineer, lead = seat(ADA), seat(CHIARA, viewport={"width": 360, "height": 740})
    reason = "Curious what production looks like."
    address = ask(engineer, "Website Production", reason)
    decide(lead, reason, "Deny")
    expect(lead.locator("main")).to_contain_text("Say why")
    card = lead.locator("article, section, form").filter(has_text="Comment").first
    card.get_by_label("Comment").fill("Curiosity is for the sandbox.")
    card.get_by_role("button", name="Deny").click()
    engineer.goto(address)
    expect(engineer.locator("main")).to_contain_text("Curiosity is for the sandbox.")
    expect(engineer.locator("main")).to_contain_text("Denied")


def test_what_a_form_refuses_is_said_at_the_field_and_nothing_typed_is_lost(seat: Seat) -> None:
    page = seat(ADA)
    page.goto("/requests/new/?role=production-support&environment=production")
    page.get_by_label("Why").fill("Look into the payment queue.")
    page.get_by_label("Ticket").fill("because")
    page.get_by_role("button", name="Ask for access").click()
    expect(page.locator("main")).to_contain_text("Choose at least one account")
    expect(page.locator("main")).to_contain_text("asks for")
    expect(page.get_by_label("Why")).to_have_value("Look into the payment queue.")
    expect(page.get_by_label("Ticket")).to_have_value("because")


def test_an_admin_edits_a_policy_and_the_catalog_shows_it(seat: Seat) -> None:
    admin = seat(company.INES.name)
    admin.goto("/admin/catalog/accesspolicy/?q=Developer+in+Staging")
    admin.get_by_role("link", name="Developer in Staging", exact=True).click()
    admin.get_by_label("Longest duration").fill("3h")
    admin.get_by_label("Why").fill("Four hours was never needed.")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator("body")).to_contain_text("the longest duration is 3 hours instead of 4 hours")
    admin.get_by_role("button", name="Save the access policy", exact=True).click()
    expect(admin.locator("body")).to_contain_text("was changed successfully")
    engineer = seat(company.BEN.name)
    engineer.goto("/catalog/?q=staging")
    expect(engineer.locator("main")).to_contain_text("at most 3 hours")


@pytest.mark.parametrize("person", [ADA, company.JONAS.name])
def test_only_admins_see_the_admin(seat: Seat, person: str) -> None:
    page = seat(person)
    answer = page.goto("/admin/")
    assert answer is not None
    assert answer.status == 403
    assert page.get_by_label("Password").count() == 0


def test_somebody_elses_request_does_not_exist(seat: Seat) -> None:
    engineer, other = seat(ADA), seat(company.HUGO.name)
    address = ask(engineer, "Onboarding Production", "Documents cannot be uploaded.")
    for at in (address, address.replace(address.rsplit("/", 2)[1], "00000000-0000-4000-8000-000000000000")):
        answer = other.goto(at)
        assert answer is not None
        assert answer.status == 404


@pytest.mark.parametrize("path", ["/", "/catalog/", "/approvals/", "/audit/", "/requests/new/"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways_on_a_phone(seat: Seat, path: str, scheme: str) -> None:
    page = seat(
        company.JONAS.name if path == "/audit/" else ADA, viewport={"width": 360, "height": 740}, color_scheme=scheme
    )
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

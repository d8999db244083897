"""The steps that the demo and the README say to try, from the revocation to the copy that is verified elsewhere."""

import re
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from auditlog import chain
from jitportal.demo import organisation as company
from jitportal.demo.tour import STEPS
from tests.e2e.test_story import ADA, CHIARA, FARID, ask, decide
from tests.screenshots import PROJECT

Seat = Callable[..., Page]
INES, JONAS, BEN = company.INES.name, company.JONAS.name, company.BEN.name


def test_the_readme_says_the_same_steps_as_the_demo() -> None:
    readme = " ".join((PROJECT / "README.md").read_text().replace("`", "").split())
    for number, step in enumerate(STEPS, start=1):
        assert f"{number}. {step}" in readme


def test_an_admin_revokes_from_the_list_and_the_holder_reads_who_and_why(seat: Seat) -> None:
    engineer, admin = seat(ADA), seat(INES)
    reason = "The data platform drops messages."
    address = ask(engineer, "Data Platform Production", reason)
    for person in (CHIARA, FARID):
        decide(seat(person), reason)
    expect(engineer.locator("main")).to_contain_text("Access ends", timeout=30_000)

    admin.goto("/")
    admin.get_by_role("link", name="Admin", exact=True).click()
    admin.locator("#content").get_by_role("link", name="Access requests", exact=True).last.click()
    row = admin.locator("#result_list tbody tr").filter(has_text=address.rstrip("/").rsplit("/", 1)[1][:8])
    row.get_by_role("link", name="See or revoke").click()
    admin.get_by_label("Why").fill("The laptop was stolen.")
    admin.get_by_role("button", name="Revoke access to 1 account").click()
    expect(engineer.locator("main")).to_contain_text(f"Revoked by {INES}: The laptop was stolen.", timeout=30_000)
    expect(engineer.locator("main")).to_contain_text("AWS confirmed that it is gone", timeout=30_000)


@pytest.mark.parametrize("width", [360, 1440])
def test_the_findings_begin_with_something_to_settle(seat: Seat, width: int) -> None:
    admin = seat(INES, viewport={"width": width, "height": 740})
    admin.goto("/findings/")
    card = admin.locator("li.card").filter(has_text=BEN)
    expect(card).to_contain_text("DatabaseAdministrator")
    card.locator("summary", has_text="Settle it").click()
    card.locator("summary", has_text="Remove").click()
    for verb in ("Adopt until then", "Remove it (DatabaseAdministrator from", "Accept until then"):
        expect(card.get_by_role("button", name=verb)).to_be_visible()
    assert admin.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1440:
        card.locator("form").filter(has_text="Remove.").get_by_label("Why").fill("Left over from a migration.")
        card.get_by_role("button", name="Remove it (DatabaseAdministrator").click()
        expect(admin.locator("main")).to_contain_text("Left over from a migration.")


def test_the_record_is_verified_on_the_page_and_a_copy_of_it_away_from_the_portal(seat: Seat, tmp_path: Path) -> None:
    auditor = seat(JONAS)
    auditor.goto("/audit/")
    auditor.get_by_role("button", name="Verify the whole record").click()
    expect(auditor.locator("main")).to_contain_text("Whole to event")
    kept = {}
    for name, control in (
        ("ledger-*.csv", auditor.get_by_role("button", name="Export as CSV")),
        ("checkpoints.json", auditor.get_by_role("link", name="Download the checkpoints")),
    ):
        with auditor.expect_download() as download:
            control.click()
        # The command beside it finds the file under the name that it is kept by.
        assert fnmatch(download.value.suggested_filename, name)
        kept[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(kept[name])
    auditor.get_by_text("Verify a copy away from the portal").click()
    command = auditor.locator("pre").filter(has_text="chain.py").inner_text()
    shown = re.fullmatch(
        r"python chain\.py ledger-\*\.csv --checkpoint checkpoints\.json --public-key (\w{64})", command
    )
    assert shown
    arguments = [str(kept["ledger-*.csv"]), "--checkpoint", str(kept["checkpoints.json"]), "--public-key", shown[1]]
    assert chain.main(arguments) == 0


def test_who_asks_and_who_agrees_confirm_who_they_are_and_it_stands_with_what_they_did(seat: Seat) -> None:
    engineer, lead = seat(company.DANIEL.name), seat(company.EMMA.name)
    engineer.goto("/requests/new/?role=devops-engineer&environment=production")
    engineer.get_by_label("Data Platform Production").check()
    engineer.get_by_label("Why").fill("Roll out the fixed load balancer.")
    engineer.get_by_label("Ticket").fill("CHG-1234")
    engineer.get_by_role("button", name="Ask").last.click()
    confirm(engineer, company.DANIEL.name)
    expect(engineer.get_by_label("Why")).to_have_value("Roll out the fixed load balancer.")
    engineer.get_by_role("button", name="Ask").last.click()
    expect(engineer.locator("main")).to_contain_text("Confirmed afresh")
    lead.goto("/approvals/")
    card = lead.locator("li.card").filter(has_text="Roll out the fixed load balancer.")
    expect(card).to_contain_text("To approve, you confirm with Entra ID that it is you")
    card.get_by_label("Comment").fill("Go ahead.")
    card.get_by_role("button", name="Approve").click()
    confirm(lead, company.EMMA.name)
    expect(lead.get_by_label("Comment")).to_have_value("Go ahead.")
    lead.get_by_role("button", name="Approve").click()
    lead.goto(engineer.url)
    expect(lead.locator("main")).to_contain_text("Confirmed afresh", timeout=10_000)
    assert lead.locator("main").inner_text().count("Confirmed afresh") == 2


def confirm(page: Page, name: str) -> None:
    """From the page that asks for proof through the directory's two pages, and back to the form."""
    page.get_by_role("button", name="Confirm with Entra ID").click()
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Confirm as").click()
    page.wait_for_url("**kept=**")

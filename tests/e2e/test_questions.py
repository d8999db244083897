"""What cannot be undone asks once, in a place of its own, and is left by a button that says so."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from jitportal.demo import organisation as company

Seat = Callable[..., Page]


def test_whoever_is_asked_whether_they_are_done_can_keep_it(seat: Seat) -> None:
    engineer = seat(company.ADA.name)
    done = engineer.locator("summary", has_text="I’m done").first
    done.click()
    back = engineer.get_by_role("button", name="Give it back").first
    expect(back).to_be_visible()
    engineer.get_by_role("link", name="Keep it").first.click()
    expect(back).to_be_hidden()
    expect(done).to_be_focused()


def test_without_a_script_keeping_it_leads_to_the_page_as_it_was(seat: Seat) -> None:
    admin = seat(company.INES.name, java_script_enabled=False)
    admin.goto("/findings/")
    admin.locator("summary", has_text="Settle it").first.click()
    admin.locator("summary", has_text="Remove").first.click()
    remove = admin.get_by_role("button", name="Remove it").first
    expect(remove).to_be_visible()
    admin.get_by_role("link", name="Keep it").first.click()
    expect(remove).to_be_hidden()
    assert admin.url.endswith("/findings/")


def test_the_ways_to_settle_a_finding_stand_side_by_side_on_a_desk(seat: Seat) -> None:
    admin = seat(company.INES.name, viewport={"width": 1440, "height": 900})
    admin.goto("/findings/")
    admin.locator("summary", has_text="Settle it").first.click()
    ways = admin.locator("strong", has_text="Adopt."), admin.locator("strong", has_text="Remove.")
    tops = {round(box["y"]) for way in ways if (box := way.first.bounding_box())}
    assert len(tops) == 1

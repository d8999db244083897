"""The admin's lists show every column, on a desk and on a phone, and every time with its zone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from jitportal.demo import organisation as company

Seat = Callable[..., Page]
LISTS = (
    "accessrequests/accessrequest",
    "accessrequests/assignment",
    "accessrequests/decision",
    "accessrequests/finding",
    "accessrequests/grant",
    "accessrequests/notification",
    "accessrequests/scancursor",
    "auditlog/checkpoint",
    "auditlog/event",
    "catalog/accesspolicy",
    "catalog/account",
    "catalog/approvergroup",
    "catalog/directorygroup",
    "catalog/environment",
    "catalog/permissionset",
    "catalog/principal",
    "catalog/role",
    "jitportal/user",
)
# What reaches beyond the window, or is cut by something that scrolls sideways.
CUT = """() => [...document.querySelectorAll("#content, .results, #result_list *")]
  .filter(each => each.getClientRects().length && !each.closest("thead"))
  .filter(each => each.getBoundingClientRect().right > innerWidth + 1 || each.scrollWidth > each.clientWidth + 1
    && getComputedStyle(each).overflowX !== "visible")
  .map(each => each.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("width", [360, 1280])
def test_no_list_of_the_admin_is_cut(seat: Seat, width: int) -> None:
    admin = seat(company.INES.name, viewport={"width": width, "height": 740})
    for address in LISTS:
        admin.goto(f"/admin/{address}/")
        assert admin.evaluate(CUT) == [], address
        assert admin.evaluate("document.documentElement.scrollWidth") <= width, address


def test_on_a_phone_each_value_stands_beside_its_heading(seat: Seat) -> None:
    admin = seat(company.INES.name, viewport={"width": 360, "height": 740})
    admin.goto("/admin/accessrequests/grant/")
    row = admin.locator("#result_list tbody tr").first
    for heading in ("Account", "Requester", "Status", "Ends at"):
        expect(row.locator("td.heading", has_text=heading).first).to_be_visible()


def test_times_in_the_admin_say_their_zone(seat: Seat) -> None:
    admin = seat(company.INES.name)
    for address, column in (("accessrequests/grant", "ends_at"), ("auditlog/event", "at")):
        admin.goto(f"/admin/{address}/")
        said = admin.locator(f"#result_list tbody .field-{column}").first.inner_text()
        assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC", said), said


def test_a_filter_above_the_list_opens_and_says_what_is_chosen(seat: Seat) -> None:
    admin = seat(company.INES.name, viewport={"width": 360, "height": 740})
    admin.goto("/admin/accessrequests/accessrequest/")
    admin.get_by_text("Status", exact=True).first.click()
    admin.locator("#changelist-filter").get_by_role("link", name="Ended", exact=True).click()
    expect(admin.locator("#changelist-filter summary", has_text="Status: Ended")).to_be_visible()
    admin.get_by_role("link", name="Clear all filters").click()
    expect(admin.locator("#changelist-filter summary", has_text="Status:")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_banner_in_the_admin_is_not_cut(seat: Seat, width: int) -> None:
    admin = seat(company.INES.name, viewport={"width": width, "height": 740})
    admin.goto("/admin/")
    # As the page would have it were something overdue: the words are the server's, the room for them is the style's.
    right = admin.evaluate(
        """() => {
          const banner = document.createElement("aside");
          banner.className = "banner";
          const inner = banner.appendChild(document.createElement("p"));
          inner.className = "banner-inner";
          inner.textContent = "Access that should have been gone by now is not known to be. ".repeat(4);
          document.querySelector("#main").prepend(banner);
          return inner.getBoundingClientRect().right;
        }"""
    )
    assert right <= width


def test_the_versions_of_an_object_are_readable_on_a_phone(seat: Seat) -> None:
    admin = seat(company.INES.name, viewport={"width": 360, "height": 740})
    admin.goto("/admin/catalog/accesspolicy/1/history/")
    change = admin.locator("#change-history li", has_text="Longest duration").first
    box = change.bounding_box()
    assert box is not None
    assert box["width"] > 200
    assert admin.evaluate("document.documentElement.scrollWidth") <= 360

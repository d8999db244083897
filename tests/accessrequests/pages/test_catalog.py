"""The catalog page: what I may ask for, who decides, and what would open it if there is nothing."""

import pytest
from django.test import Client

from catalog.models import AccessPolicy
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text


def test_an_offer_says_who_decides_and_for_how_long(asker: Client) -> None:
    page = text(asker.get("/catalog/"))
    assert "1 of Engineering Leads decide, then 1 of Security Duty Officers decide" in page
    assert "At once, by policy “Sandbox developers”" in page
    assert "1 hour, at most 2 hours" in page
    assert "by “Production developers”" in page
    assert 'href="/requests/new/?role=developer&amp;environment=production"' in page
    assert page.index("Sandbox") < page.index("Production")


@pytest.mark.parametrize(
    ("search", "found"),
    [("PROD", 1), ("developer", 2), ("developer sandbox", 1), ("nothing like it", 0), ("", 2), ("\x00", 0)],
)
def test_the_filter_goes_by_the_names_of_role_environment_and_account(asker: Client, search: str, found: int) -> None:
    page = text(asker.get("/catalog/", {"q": search}))
    assert page.count("/requests/new/?role=") == found


def test_the_filter_knows_account_ids(office: Office, asker: Client) -> None:
    page = text(asker.get("/catalog/", {"q": office.catalog.sandbox_accounts[1].account_id}))
    assert page.count("/requests/new/?role=") == 1


def test_an_empty_catalog_says_which_groups_would_open_it(browse: Browse) -> None:
    page = text(browse(company.HUGO).get("/catalog/"))
    assert "Nothing is open to you yet" in page
    assert "Payments Engineering" in page


def test_an_empty_portal_tells_an_admin_to_make_the_first_policy(browse: Browse) -> None:
    AccessPolicy.objects.update(is_in_force=False)
    assert "Make the first one in the admin." in text(browse(company.INES).get("/catalog/"))
    assert "The people who administer this portal make them." in text(browse(company.HUGO).get("/catalog/"))

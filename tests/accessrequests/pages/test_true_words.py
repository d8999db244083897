"""What stands around and between things on a page is true of this page, and said in as few marks as it needs."""

import pytest
from django.test import Client

from accessrequests.templatetags.phrases import phrase
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text

NOTE = "All times are in"


def test_the_footer_says_a_zone_where_times_are_in_one(office: Office, asker: Client, browse: Browse) -> None:
    assert "<p data-zone-note>All times are in UTC.</p>" in text(asker.get("/"))
    # The audit page is in UTC, whatever the reader's zone, so no script may say otherwise.
    audit = text(browse(company.JONAS).get("/audit/"))
    assert "<p>All times are in UTC.</p>" in audit
    assert "data-zone-note" not in audit


def test_the_footer_of_a_page_without_times_says_none(office: Office) -> None:
    assert NOTE not in text(Client().get("/sign-in/"))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Given back.", "Given back"),
        ("The time was up", "The time was up"),
        ("Given back. One assignment stays.", "Given back. One assignment stays."),
        ("AWS said no...", "AWS said no..."),
        ("", ""),
    ],
)
def test_a_single_sentence_in_a_cell_has_no_full_stop(said: str, shown: str) -> None:
    assert phrase(said) == shown


def test_access_that_was_given_back_is_so_called_in_the_list(office: Office, asker: Client) -> None:
    made = office.submit()
    office.work()
    asker.post(f"/requests/{made.pk}/give-back/")
    office.work()
    assert '<span class="said small">Given back</span>' in text(asker.get("/"))


def test_a_section_of_my_access_that_is_empty_says_what_would_be_there(office: Office, asker: Client) -> None:
    assert "You have no access now" in text(asker.get("/"))
    office.submit_production()
    page = text(asker.get("/"))
    assert "You hold no access now." in page
    assert "None of your requests is over yet." in page
    office.submit()
    office.work()
    assert "You hold no access now." not in text(asker.get("/"))

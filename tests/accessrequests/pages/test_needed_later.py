"""Who is needed at a later stage reads that before they decide, in the queue and on the page of the request."""

from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse
from tests.accessrequests.test_needed_later import ONLY_CHIARA, leads_then_manager


def test_the_queue_and_the_page_say_so_before(office: Office, browse: Browse) -> None:
    leads_then_manager(office)
    made = office.submit_production()
    chiara = browse(company.CHIARA)
    for page in ("/approvals/", f"/requests/{made.pk}/"):
        assert ONLY_CHIARA in chiara.get(page).content.decode()
    assert ONLY_CHIARA not in browse(company.EMMA).get(f"/requests/{made.pk}/").content.decode()

"""The pages say that a ticket is checked, why one was not accepted, and by whom one was."""

import pytest
from django.test import Client

from accessrequests.models import AccessRequest
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text, typed
from tests.jitportal.tickets.desk import Desk

NEW = "/requests/new/"


pytestmark = pytest.mark.usefixtures("desk")


def test_the_form_says_beforehand_that_the_ticket_is_checked(asker: Client, desk: Desk) -> None:
    page = text(asker.get(f"{NEW}?role=developer&environment=production"))
    assert "It is checked when you send this, by “Production developers”." in page
    assert desk.asked == []


def test_a_ticket_that_is_not_accepted_is_said_at_its_field_as_plain_text(
    office: Office, asker: Client, desk: Desk
) -> None:
    desk.says({"valid": False, "reason": "<script>closed</script>"})
    answer = asker.post(NEW, typed(office))
    page = text(answer)
    assert answer.status_code == 422
    assert "does not accept the ticket INC-4711 for this: “&lt;script&gt;closed&lt;/script&gt;”" in page
    assert page.count("&lt;script&gt;closed") == 1
    assert '<a class="error" href="#field-ticket">The ticket INC-4711 was not accepted.</a>' in page
    assert "127.0.0.1" not in page
    assert 'id="error-ticket"' in page
    assert 'value="INC-4711"' in page
    assert not AccessRequest.objects.exists()


def test_a_form_with_another_mistake_is_not_asked_about(office: Office, asker: Client, desk: Desk) -> None:
    assert asker.post(NEW, typed(office, duration="")).status_code == 422
    assert asker.post(NEW, typed(office, reason="why")).status_code == 422
    assert desk.asked == []


def test_whoever_decides_reads_by_whom_it_was_accepted(office: Office, browse: Browse) -> None:
    made = office.submit_production()
    page = text(browse(company.CHIARA).get(f"/requests/{made.pk}/"))
    assert (
        '<code>INC-4711</code><br><span class="small muted">accepted by the ticket system at 127.0.0.1, <time' in page
    )
    assert "The ticket is checked when it is asked" in page

"""What people type is what its readers see: invisible and direction-turning characters are refused at their field."""

import pytest
from django.test import Client

from accessrequests.models import AccessRequest
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text, typed

UNSEEN = ["\u202e", "\u2066", "\u200f", "\u200b", "\u200d", "\u00ad", "\ufeff", "\u3164", "\x07", "\x1b", "\U000e0041"]


@pytest.mark.parametrize("field", ["reason", "ticket"])
def test_an_ask_with_what_cannot_be_seen_is_refused_at_its_field(office: Office, asker: Client, field: str) -> None:
    good = typed(office)
    for character in UNSEEN:
        answer = asker.post("/requests/new/", {**good, field: good[field][:3] + character + good[field][3:]})
        assert answer.status_code == 422
        page = text(answer)
        assert f'id="error-{field}"' in page
        assert f"(U+{ord(character):04X})" in page
    assert not AccessRequest.objects.exists()


def test_a_decision_and_a_revocation_with_what_cannot_be_seen_are_refused(office: Office, browse: Browse) -> None:
    made = office.submit_production()
    sent = {"answer": "deny", "comment": "not \u202eyadot", "digest": made.digest}
    answer = browse(company.CHIARA).post(f"/requests/{made.pk}/decide/", sent)
    assert (answer.status_code, office.again(made).status) == (422, "pending")
    assert "control character (U+202E)" in text(answer)
    office.approve(made)
    office.work()
    answer = browse(company.INES).post(f"/requests/{made.pk}/revoke/", {"reason": "no \u200b\u200b\u200b reason"})
    assert (answer.status_code, office.again(made).status) == (422, "active")
    assert "invisible character (U+200B)" in text(answer)


@pytest.mark.parametrize(
    "reason",
    [
        "One line,\nand another.\r\n\tIndented.",
        "בדיקה של התשלומים שנתקעו אתמול",
        "می\u200cخواهم صف پرداخت را ببینم",
        "क्\u200dष की कतार फिर से अटक गई है",
        "Deploy \u2764\ufe0f\u200d\U0001f525 and 1\ufe0f\u20e3 rollback of payments",
    ],
)
def test_a_reason_in_any_script_is_taken(office: Office, asker: Client, reason: str) -> None:
    assert asker.post("/requests/new/", typed(office, reason=reason)).status_code == 302

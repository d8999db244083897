"""An approver who may not decide is told so in the queue, and by which rule, instead of finding it empty."""

from dataclasses import replace
from datetime import timedelta

from accessrequests.models import AccessRequest
from accessrequests.states import RequestStatus
from catalog.models import DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.signin.people import take_in
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text
from tests.directory import claims_of


def test_an_own_request_stands_below_the_queue_with_the_reason(office: Office, browse: Browse) -> None:
    made = office.submit_production(company.CHIARA)
    page = text(browse(company.CHIARA).get("/approvals/"))
    assert "Waits for others of your groups" in page
    assert "Nobody decides on their own request." in page
    assert f"/requests/{made.pk}/" in page
    assert f"/requests/{made.pk}/decide/" not in page
    assert f"/requests/{made.pk}/decide/" in text(browse(company.EMMA).get("/approvals/"))


def test_a_request_for_the_same_identity_center_user_likewise(office: Office, browse: Browse) -> None:
    for person in (company.ADA, company.CHIARA):
        row = office.user(person)
        row.principal_id = "9067-1"
        row.save()
    office.submit_production(company.ADA)
    assert "for the same Identity Center user as you" in text(browse(company.CHIARA).get("/approvals/"))


def approves(made: AccessRequest, page: str) -> bool:
    """Whether the button for it can be pressed on this page."""
    form = page.split(f"/requests/{made.pk}/decide/")[1].split("</form>", maxsplit=1)[0]
    assert 'value="deny">' in form
    return 'value="approve">' in form


def test_who_joined_since_reads_the_rule_and_may_deny(office: Office, browse: Browse) -> None:
    made = office.submit_production()
    office.moment.forward(timedelta(minutes=1))
    ben = replace(company.BEN, groups=(company.PAYMENTS, company.LEADS))
    take_in(claims_of(ben, "t"))
    client = browse(company.BEN)
    for address in ("/approvals/", f"/requests/{made.pk}/"):
        page = text(client.get(address))
        assert "Not yours to approve." in page
        assert "You joined Engineering Leads decide after this was asked for" in page
        assert "You may still deny it." in page
        assert not approves(made, page)
    office.moment.forward(timedelta(minutes=1))
    later = office.submit_production()
    assert approves(later, text(client.get("/approvals/")))
    no = {"answer": "deny", "comment": "Not today.", "digest": made.digest}
    assert client.post(f"/requests/{made.pk}/decide/", no).status_code == 302
    assert office.again(made).status == RequestStatus.DENIED


def test_who_is_needed_at_a_later_stage_reads_that_and_may_deny(office: Office, browse: Browse) -> None:
    DirectoryGroup.objects.get(object_id=company.SECURITY.object_id).people.set([office.user(company.CHIARA)])
    made = office.submit_production()
    for address in ("/approvals/", f"/requests/{made.pk}/"):
        page = text(browse(company.CHIARA).get(address))
        assert "Only you can decide at stage 2" in page
        assert not approves(made, page)
    assert approves(made, text(browse(company.EMMA).get("/approvals/")))


def test_who_has_nothing_of_the_kind_reads_nothing_of_it(office: Office, browse: Browse) -> None:
    office.submit_production()
    assert "Waits for others" not in text(browse(company.CHIARA).get("/approvals/"))

"""An approver who may not decide is told so in the queue, and by which rule, instead of finding it empty."""

from dataclasses import replace
from datetime import timedelta

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


def test_who_joined_since_reads_the_rule_in_place_of_the_buttons(office: Office, browse: Browse) -> None:
    made = office.submit_production()
    office.moment.forward(timedelta(minutes=1))
    ben = replace(company.BEN, groups=(company.PAYMENTS, company.LEADS))
    take_in(claims_of(ben, "t"))
    page = text(browse(company.BEN).get("/approvals/"))
    assert "Not yours to decide." in page
    assert "You joined Engineering Leads decide after this was asked for" in page
    assert f"/requests/{made.pk}/decide/" not in page
    office.moment.forward(timedelta(minutes=1))
    later = office.submit_production()
    assert f"/requests/{later.pk}/decide/" in text(browse(company.BEN).get("/approvals/"))


def test_who_has_nothing_of_the_kind_reads_nothing_of_it(office: Office, browse: Browse) -> None:
    office.submit_production()
    assert "Waits for others" not in text(browse(company.CHIARA).get("/approvals/"))

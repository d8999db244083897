"""The pages name the requester's manager to whoever asks and whoever decides, and say when there is none."""

from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from django.test import Client

from accessrequests.notifications import outbox
from auditlog.actions import Action
from auditlog.ledger import record
from jitportal.demo import organisation as company
from jitportal.entra.hold import SYNC
from jitportal.models import User
from jitportal.people import replace_manager, subject_of
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text, typed

NEW = "/requests/new/"
FORM = f"{NEW}?role=developer&environment=production"


@pytest.fixture(autouse=True)
def manager_first(office: Office) -> None:
    office.asks_manager_at(1)
    named(company.CHIARA.object_id)


def named(object_id: str) -> None:
    User.objects.filter(object_id=company.ADA.object_id).update(manager_object_id=object_id)


def test_whoever_asks_reads_who_their_manager_is_before_and_after(asker: Client, office: Office) -> None:
    page = text(asker.get(FORM))
    assert "your manager, then 1 of Security Duty Officers decide" in page
    assert '<dt>Your manager</dt><dd><bdi>Chiara Rossi</bdi> <span class="rule">by Entra ID</span></dd>' in page
    made = text(asker.post(NEW, typed(office), follow=True))
    told = "each is told when it is their turn."
    assert f"Asked. It waits for your manager, then 1 of Security Duty Officers decide; {told}" in made
    assert "</strong> your manager: Chiara Rossi<br>" in made
    assert "Now Chiara Rossi may decide." in made
    assert "the requester’s manager" not in made


def test_the_form_says_beforehand_that_nobody_could_approve_it(asker: Client) -> None:
    named("")
    page = text(asker.get(FORM))
    assert "Nobody could approve this: the directory names no manager." in page


def test_the_manager_finds_it_in_their_queue_with_whom_it_asks(office: Office, browse: Browse) -> None:
    office.submit_production()
    page = text(browse(company.CHIARA).get("/approvals/"))
    assert "<dd>the requester’s manager: Chiara Rossi, <span" in page
    assert "Approve" in page


def test_a_request_whose_manager_is_gone_says_that_nobody_could_approve_it(office: Office, asker: Client) -> None:
    made = office.submit_production()
    User.objects.filter(object_id=company.CHIARA.object_id).update(is_active=False)
    page = text(asker.get(f"/requests/{made.pk}/"))
    assert "At present nobody could approve it." in page
    assert "your manager: Chiara Rossi, who is disabled or locked out" in page
    named("")
    assert "your manager, and the directory names nobody whom the portal knows" in text(
        asker.get(f"/requests/{made.pk}/")
    )


def test_the_manager_of_somebody_else_does_not_see_it(office: Office, browse: Browse) -> None:
    made = office.submit_production()
    User.objects.filter(object_id=company.BEN.object_id).update(manager_object_id=company.HUGO.object_id)
    assert browse(company.HUGO).get(f"/requests/{made.pk}/").status_code == 404
    page = text(browse(company.HUGO).get("/approvals/"))
    assert "Ada Lindqvist" not in page


def test_a_new_manager_reads_in_their_queue_why_it_is_not_theirs_to_approve(office: Office, browse: Browse) -> None:
    office.submit_production()
    office.moment.forward(timedelta(minutes=1))
    ada = User.objects.get(object_id=company.ADA.object_id)
    with transaction.atomic():
        changed = replace_manager(ada, company.EMMA.object_id)
        record(SYNC, Action.PERSON_CHANGED, subject_of(ada), {"person": ada.name, "changes": changed})
    page = text(browse(company.EMMA).get("/approvals/"))
    assert "Not yours to approve." in page
    assert "You became the manager of Ada Lindqvist after this was asked for" in page


def test_the_mail_says_as_what_the_manager_is_asked(office: Office, mailoutbox: list[EmailMessage]) -> None:
    office.submit_production()
    outbox.send_due(office.moment.time)
    (mail,) = mailoutbox
    assert mail.to == [company.CHIARA.email]
    assert "You are asked as the manager of Ada Lindqvist, whom the directory names as that." in mail.body

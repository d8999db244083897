"""Admins get mail of what waits for a second one, and of what is in force without; proposers, of what came of it."""

import pytest
from django.conf import settings as configured
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accessrequests.models import Notification
from accessrequests.notifications import outbox
from catalog.models import Account, Proposal
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, carried, person, shows_preview, signed_in, text
from tests.catalog.proposing import WHY

pytestmark = pytest.mark.usefixtures("production_is_sensitive", "enough_people")


@pytest.fixture(autouse=True)
def _addresses(admin_person: User, second: User) -> None:
    for user in (second, admin_person):
        user.email = f"{user.name.split()[0].lower()}@example.com"
        user.save()
    left = person("Len Left", configured.ENTRA_ADMIN_GROUP_ID)
    User.objects.filter(pk=left.pk).update(is_active=False, email="len@example.com")


def sent(browser: Client, catalog: Catalog, fill: Fill, verb: str) -> Proposal:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    shown = browser.post(page, fill(page, longest_duration="12h"))
    assert shows_preview(shown)
    assert browser.post(page, {**carried(shown), verb: "1", "reason": WHY}).status_code == 302
    return Proposal.objects.get()


def mailed() -> list[tuple[list[str], str, str]]:
    """What has been sent since: to whom, the subject, and the text."""
    mail.outbox.clear()
    outbox.send_due(timezone.now())
    return [(each.to, str(each.subject), str(each.body)) for each in mail.outbox]


def test_other_admins_are_told_of_a_proposal_and_its_proposer_that_it_is_rejected(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    proposal = sent(browser, catalog, fill, "_propose")
    ((to, subject, body),) = mailed()
    assert (to, subject) == (["sol@example.com"], "Ada Admin proposes to change the access policy Payments support")
    assert WHY in body
    assert "the longest duration is 12 hours instead of 8 hours" in body
    assert f"/catalog/proposals/{proposal.pk}/" in body
    why_not = "Twelve hours are a whole night."
    signed_in(second).post(f"/catalog/proposals/{proposal.pk}/reject/", {"comment": why_not})
    ((to, subject, body),) = mailed()
    assert (to, subject) == (["ada@example.com"], "Rejected: to change the access policy Payments support")
    assert "rejected by Sol Second" in body
    assert why_not in body


def test_a_proposer_is_told_that_it_is_in_force(browser: Client, catalog: Catalog, fill: Fill, second: User) -> None:
    proposal = sent(browser, catalog, fill, "_propose")
    mailed()
    other = signed_in(second)
    digest = other.get(f"/catalog/proposals/{proposal.pk}/").context["preview"].digest
    other.post(f"/catalog/proposals/{proposal.pk}/accept/", {"shown": digest})
    assert [(to, subject.partition(":")[0]) for to, subject, _ in mailed()] == [(["ada@example.com"], "Accepted")]


def test_word_of_an_override_is_kept_with_the_change_itself(browser: Client, catalog: Catalog, fill: Fill) -> None:
    proposal = sent(browser, catalog, fill, "_override")
    kept = Notification.objects.get()
    assert (kept.proposal, kept.kind, kept.sent_at) == (proposal, "change_overridden", None)
    ((to, subject, body),) = mailed()
    assert to == ["sol@example.com"]
    assert subject == "Without a second admin: Ada Admin put in force to change the access policy Payments support"
    assert WHY in body
    assert mailed() == []


def test_an_override_that_is_not_made_tells_nobody(browser: Client, catalog: Catalog, fill: Fill) -> None:
    with transaction.atomic():
        sent(browser, catalog, fill, "_override")
        transaction.set_rollback(True)
    assert mailed() == []


def test_an_override_is_not_told_in_the_words_of_a_proposal(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    proposal = sent(browser, catalog, fill, "_override")
    other = signed_in(second)
    assert "is in force without a second admin: look at it." in text(other.get("/"))
    page = text(other.get(f"/catalog/proposals/{proposal.pk}/"))
    assert "<h1>Without a second admin: change the access policy Payments support</h1>" in page
    assert "<dt>Put in force by</dt>" in page
    assert not any(words in page for words in ("Proposal:", "Proposed by", "its proposer", "Its proposer"))


def test_what_is_outdated_waits_for_nobody(browser: Client, catalog: Catalog, fill: Fill, second: User) -> None:
    page = f"/admin/catalog/account/{catalog.account.pk}/change/"
    shown = browser.post(page, fill(page, name="Payments of all"))
    browser.post(page, {**carried(shown), "_propose": "1", "reason": WHY})
    proposal, other = Proposal.objects.get(), signed_in(second)
    link = f"/catalog/proposals/{proposal.pk}/"
    assert link in text(other.get("/admin/"))
    assert "proposes to change the account" in text(browser.get(page))
    for row in Account.objects.all():
        row.email = "root@example.com"
        row.save()
    assert link not in text(other.get("/admin/"))
    assert link not in text(other.get("/"))
    assert "proposes to change the account" not in text(browser.get(page))
    listed = other.get("/catalog/proposals/")
    assert "Nothing waits" in text(listed)
    assert "Waiting for another admin" not in text(listed)
    assert link in text(listed), "its proposer finds it there to withdraw it"

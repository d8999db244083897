"""In an emergency an admin puts in force by themselves what needs a second one; all see that until one has looked."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from structlog.testing import capture_logs

from auditlog.actor import Actor
from auditlog.models import Event
from catalog.models import AccessPolicy, Account, Proposal
from jitportal.models import User
from jitportal.signin import local_admins
from tests.catalog.conftest import Catalog, Fill, carried, signed_in, text
from tests.catalog.proposing import WHY, accept, actions, hours, longer, of_policy
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("production_is_sensitive", "enough_people")


def test_an_override_is_in_force_at_once_recorded_and_shown_to_all(
    browser: Client, catalog: Catalog, fill: Fill, second: User, django_capture_on_commit_callbacks: Any
) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="12h"))
    answer = browser.post(page, {**carried(shown), "_override": "1", "reason": "Short"})
    assert "Say why in 10 to 500 characters" in text(answer)
    assert hours(catalog) == 8
    with capture_logs() as logs, django_capture_on_commit_callbacks(execute=True):
        answer = browser.post(page, {**carried(shown), "_override": "1", "reason": WHY})
    assert answer.status_code == 302
    assert hours(catalog) == 12
    (alarm,) = [line for line in logs if line["event"] == "catalog_overridden"]
    assert (alarm["log_level"], alarm["why"]) == ("error", WHY)
    assert actions() == ["catalog.changed", "catalog.overridden"]
    event = Event.objects.get(action="catalog.overridden")
    assert event.data["why"] == WHY
    assert Event.objects.get(action="catalog.changed").data["why"] == WHY
    proposal = Proposal.objects.get()
    assert "In force without a second admin" in text(signed_in(second).get("/admin/"))
    signed_in(second).post(f"/catalog/proposals/{proposal.pk}/look-at/", {"comment": "It was needed."})
    assert "In force without a second admin" not in text(signed_in(second).get("/admin/"))
    assert actions()[-1] == "catalog.looked_at"


def test_an_override_that_nobody_looks_at_is_shown_to_all_admins_for_a_week(
    browser: Client, catalog: Catalog, fill: Fill, second: User, moment: Clock
) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="12h"))
    browser.post(page, {**carried(shown), "_override": "1", "reason": WHY})
    link = f"/catalog/proposals/{Proposal.objects.get().pk}/"
    moment.forward(timedelta(days=7, minutes=-1))
    assert link in text(signed_in(second).get("/admin/"))
    moment.forward(timedelta(minutes=1))
    assert link not in text(signed_in(second).get("/admin/"))
    assert link in text(signed_in(second).get("/catalog/proposals/")), "it is settled by whoever looks at it"


def test_a_deletion_in_an_emergency_is_kept_with_what_it_was(browser: Client, catalog: Catalog) -> None:
    page, pk = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/delete/", str(catalog.policy.pk)
    shown = browser.post(page, {"post": "yes"})
    assert browser.post(page, {**carried(shown), "_override": "1", "reason": WHY}).status_code == 302
    assert not AccessPolicy.objects.exists()
    kept = Proposal.objects.get()
    assert (kept.status, kept.object_pk, kept.object_name) == ("overridden", pk, "Payments support")
    assert Event.objects.get(action="catalog.overridden").data["why"] == WHY


def test_an_override_leads_to_its_page_which_says_what_it_did_and_leads_to_the_object(
    browser: Client, catalog: Catalog, fill: Fill
) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="12h", _continue="1"))
    answer = browser.post(page, {**carried(shown), "_override": "1", "reason": WHY}, follow=True)
    proposal = Proposal.objects.get()
    assert answer.redirect_chain == [(f"/catalog/proposals/{proposal.pk}/", 302)]
    assert [str(message) for message in answer.context["messages"]] == [
        "It is in force without a second admin. All admins are shown that, and why."
    ]
    assert "Without a second admin: change the access policy Payments support" in text(answer)
    assert f'href="{page}"' in text(answer)


def test_what_is_amiss_with_a_policy_is_told_once_and_after_that_it_is_saved(
    browser: Client, catalog: Catalog, fill: Fill, settings: Any
) -> None:
    page = of_policy(catalog)
    type(catalog.permission_set).objects.update(session_duration=timedelta(hours=12))
    shown = browser.post(page, fill(page, longest_duration="4h", default_duration="1h"))
    answer = browser.post(page, {**carried(shown), "_override": "1", "reason": WHY}, follow=True)
    assert len(answer.context["messages"]) == 1
    assert text(answer).count("Sessions of Support last 12 hours") == 1
    settings.SENSITIVE_FROM = None
    shown = browser.post(page, fill(page, longest_duration="5h"))
    answer = browser.post(page, {**carried(shown), "_confirm": "1"}, follow=True)
    saved, *amiss = [str(message) for message in answer.context["messages"]]
    assert "was changed successfully" in saved
    assert [each.startswith("Sessions of Support last 12 hours") for each in amiss] == [True]


def test_the_page_of_a_deletion_in_an_emergency_leads_to_nothing_that_is_gone(
    browser: Client, catalog: Catalog
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/delete/"
    shown = browser.post(page, {"post": "yes"})
    answer = browser.post(page, {**carried(shown), "_override": "1", "reason": WHY}, follow=True)
    assert answer.redirect_chain == [(f"/catalog/proposals/{Proposal.objects.get().pk}/", 302)]
    assert of_policy(catalog) not in text(answer)


def test_what_is_new_in_an_emergency_is_kept_by_its_key(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = "/admin/catalog/account/add/"
    sent = {"account_id": "222222222222", "name": "Ledger", "environment": catalog.environment.pk}
    shown = browser.post(page, {**fill(page), **sent})
    assert browser.post(page, {**carried(shown), "_override": "1", "reason": WHY}).status_code == 302
    account = Account.objects.get(account_id="222222222222")
    assert Proposal.objects.get().object_pk == str(account.pk)


def test_a_local_administrator_proposes_and_overrides_and_accepts_nothing(
    browser: Client, catalog: Catalog, fill: Fill, admin_person: User
) -> None:
    _, made = local_admins.open_for(timedelta(hours=1), "Entra ID is away since eight.", Actor.system("test"))
    local, theirs = made.person, signed_in(made.person)
    proposal = longer(theirs, catalog, fill, 10)
    assert proposal.proposed_by == f"person:{local.object_id}"
    mine = longer(browser, catalog, fill, 12)
    for verb in ("accept", "reject"):
        sent = {"shown": "0" * 64, "comment": "I look after the portal."}
        answer = theirs.post(f"/catalog/proposals/{mine.pk}/{verb}/", sent, follow=True)
        assert "A local administrator may propose, and decides on no proposal." in text(answer)
    assert hours(catalog) == 8
    accept(admin_person, proposal)
    assert hours(catalog) == 10
    local_admins.end_all(Actor.system("test"), "It is over.")


def test_nobody_looks_at_their_own_override(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="12h"))
    browser.post(page, {**carried(shown), "_override": "1", "reason": WHY})
    proposal = Proposal.objects.get()
    browser.post(f"/catalog/proposals/{proposal.pk}/look-at/", {"comment": "All is well."})
    proposal.refresh_from_db()
    assert proposal.status == "overridden"

"""A change in the admin is shown before it is made, and only what was shown is made."""

from typing import Any

import pytest
from django.test import Client

from auditlog.models import ChainHead, Event
from catalog.models import AccessPolicy, Account, DirectoryGroup, Proposal, Role, Sensitivity
from tests.catalog.conftest import Catalog, Fill, carried, errors, person, shows_preview, text
from tests.catalog.proposing import of_policy

pytestmark = pytest.mark.usefixtures("enough_people")


def test_what_a_change_does_is_shown_and_nothing_is_saved(browser: Client, catalog: Catalog, fill: Fill) -> None:
    before = (Event.objects.count(), catalog.policy.history.count(), ChainHead.objects.get().number)
    answer = browser.post(of_policy(catalog), fill(of_policy(catalog), longest_duration="4h", why="Shorter."))
    assert shows_preview(answer), errors(answer)
    said = "the longest duration is 4 hours instead of 8 hours, by “Payments support”"
    assert said in text(answer)
    assert '<th scope="row">Longest duration</th><td data-label="From">8h</td><td data-label="To">4h</td>' in text(
        answer
    )
    assert (Event.objects.count(), catalog.policy.history.count(), ChainHead.objects.get().number) == before
    catalog.policy.refresh_from_db()
    assert catalog.policy.longest_duration.total_seconds() == 8 * 3600


def test_what_was_shown_is_saved_once_it_is_confirmed(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="4h", why="Shorter."))
    assert browser.post(page, {**carried(shown), "_confirm": "1"}).status_code == 302
    event = Event.objects.order_by("number").last()
    assert event is not None
    assert (event.action, event.data["why"]) == ("catalog.changed", "Shorter.")
    assert event.data["changes"] == {"longest_duration": ["8h", "4h"]}


def test_a_confirmation_of_something_else_saves_nothing_and_shows_it_anew(
    browser: Client, catalog: Catalog, fill: Fill
) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="4h"))
    forged = {**carried(shown), "_confirm": "1", "longest_duration": "12h"}
    answer = browser.post(page, forged)
    assert shows_preview(answer)
    assert "has changed since this was shown to you" in text(answer)
    assert "12 hours instead of 8 hours" in text(answer)
    catalog.policy.refresh_from_db()
    assert catalog.policy.longest_duration.total_seconds() == 8 * 3600


def test_whoever_joins_meanwhile_is_shown_before_it_is_saved(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, is_in_force=None))
    assert "3 people (Ben, Chiara and Daniel) lose the right" in text(shown)
    person("Emma", catalog.group.object_id)
    answer = browser.post(page, {**carried(shown), "_confirm": "1"})
    assert "4 people (Ben, Chiara, Daniel and 1 more) lose the right" in text(answer)
    assert AccessPolicy.objects.filter(is_in_force=True).exists()
    assert browser.post(page, {**carried(answer), "_confirm": "1"}).status_code == 302
    assert not AccessPolicy.objects.filter(is_in_force=True).exists()


def test_without_the_digest_of_what_was_shown_nothing_is_saved(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    for added in ({"_confirm": "1"}, {"_confirm": "1", "shown": ""}, {"_confirm": "1", "shown": "0" * 64}):
        assert shows_preview(browser.post(page, {**fill(page, longest_duration="4h"), **added}))
    assert not Event.objects.filter(action="catalog.changed").exists()


def test_a_change_that_nobody_notices_is_saved_at_once_and_says_so(
    browser: Client, catalog: Catalog, fill: Fill
) -> None:
    page = f"/admin/catalog/role/{catalog.role.pk}/change/"
    answer = browser.post(page, fill(page, description="Looks into what broke."), follow=True)
    assert "Nobody gains or loses anything by it" in text(answer)
    catalog.role.refresh_from_db()
    assert catalog.role.description == "Looks into what broke."


def test_a_new_policy_is_shown_with_whom_it_lets_ask(browser: Client, catalog: Catalog, fill: Fill) -> None:
    data = DirectoryGroup.objects.create(object_id="b0000000-0000-4000-8000-000000000009", name="Data")
    person("Olga", data.object_id)
    page = "/admin/catalog/accesspolicy/add/"
    sent = fill(page, name="For Data", role=catalog.role.pk, environment=catalog.environment.pk) | {
        "permission_set": catalog.permission_set.pk,
        "requestable_by": [data.pk],
        "stages-TOTAL_FORMS": "1",
        "stages-0-position": "1",
        "stages-0-approver_group": catalog.approver_group.pk,
        "stages-0-approvals_needed": "1",
    }
    answer = browser.post(page, sent)
    assert shows_preview(answer), errors(answer)
    assert "Olga gains the right to ask for Production Support in Production, decided by 1 of Payments leads." in text(
        answer
    )
    assert browser.post(page, {**carried(answer), "_confirm": "1"}).status_code == 302
    policy = AccessPolicy.objects.get(name="For Data")
    assert [stage.approver_group for stage in policy.stages.all()] == [catalog.approver_group]


def test_a_deletion_is_shown_before_it_is_made(browser: Client, catalog: Catalog) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/delete/"
    answer = browser.post(page, {"post": "yes", "why": "Replaced"})
    assert "3 people (Ben, Chiara and Daniel) lose the right" in text(answer)
    assert AccessPolicy.objects.exists()
    assert browser.post(page, {**carried(answer), "_confirm": "1"}).status_code == 302
    assert not AccessPolicy.objects.exists()


def test_what_would_be_amiss_is_shown(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    answer = browser.post(page, fill(page, requestable_by=[]))
    assert "Nobody may ask by “Payments support”: name a group or a department." in text(answer)


def test_the_form_comes_back_as_it_was_typed_to_go_on_editing(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="4h", why="Because."))
    answer = browser.post(page, {**carried(shown), "_edit": "1"})
    form = answer.context["adminform"].form
    assert (form["longest_duration"].value(), form["why"].value()) == ("4h", "Because.")
    assert not form.errors
    assert not Event.objects.filter(action="catalog.changed").exists()


def test_a_popup_is_previewed_in_its_window_and_closes_once_confirmed(
    browser: Client, catalog: Catalog, fill: Fill
) -> None:
    account = {"account_id": "222222222222", "name": "Ledger", "environment": catalog.environment.pk, "_popup": "1"}
    page = "/admin/catalog/account/add/?_popup=1"
    answer = browser.post(page, {**fill(page), **account})
    assert shows_preview(answer), errors(answer)
    assert "breadcrumbs" not in text(answer)
    answer = browser.post(page, {**carried(answer), "_confirm": "1"})
    assert "popup_response" in text(answer)
    assert Account.objects.filter(account_id="222222222222").exists()


def test_a_popup_that_ends_in_a_proposal_says_so_in_its_window(
    browser: Client, catalog: Catalog, fill: Fill, settings: Any
) -> None:
    settings.SENSITIVE_FROM = Sensitivity.PRODUCTION
    account = {"account_id": "222222222222", "name": "Ledger", "environment": catalog.environment.pk, "_popup": "1"}
    page = "/admin/catalog/account/add/?_popup=1"
    shown = browser.post(page, {**fill(page), **account})
    answer = browser.post(page, {**carried(shown), "_propose": "1", "reason": "The ledger moves there next week."})
    assert answer.status_code == 200
    said = text(answer)
    assert "Nothing is changed until another admin accepts it; until then it cannot be chosen." in said
    assert f'href="/catalog/proposals/{Proposal.objects.get().pk}/" target="_blank"' in said
    assert "user-tools" not in said


def test_saving_as_new_is_previewed_too(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/account/{catalog.account.pk}/change/"
    other = {"account_id": "222222222222", "name": "Ledger", "environment": catalog.environment.pk, "_saveasnew": "1"}
    answer = browser.post(page, {**fill(page), **other})
    assert shows_preview(answer), errors(answer)
    assert not Account.objects.filter(account_id="222222222222").exists()


def test_what_is_carried_along_is_only_ever_text(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    answer = browser.post(page, fill(page, longest_duration="4h", why='"><script>alert(1)</script>'))
    assert shows_preview(answer)
    assert "<script>alert" not in answer.content.decode()


def test_nothing_is_written_by_a_view_that_was_not_previewed(browser: Client, catalog: Catalog, fill: Fill) -> None:
    """A role by the list's own form, which none of the lists has; and by a run that nobody began."""
    sent = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": catalog.role.pk, "form-0-name": "Forged"}
    browser.post("/admin/catalog/role/", {**sent, "_save": "Save"})
    assert Role.objects.get().name == "Production Support"

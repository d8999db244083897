"""What touches a sensitive environment is in force only once another admin has accepted it."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks
from django.test import Client
from django.utils import timezone

from auditlog import integrity
from auditlog.models import Event
from catalog import proposal_rules, proposals
from catalog.models import AccessPolicy, Proposal, Sensitivity
from catalog.proposals import Refused
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, carried, person, shows_preview, signed_in, text
from tests.catalog.proposing import WHY, accept, actions, hours, longer, of_policy, proposed

pytestmark = pytest.mark.usefixtures("production_is_sensitive", "enough_people")


def test_a_sensitive_change_can_be_proposed_and_not_simply_saved(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="12h"))
    assert "Propose it" in text(shown)
    assert 'name="_confirm"' not in text(shown)
    assert shows_preview(browser.post(page, {**carried(shown), "_confirm": "1", "reason": WHY}))
    assert hours(catalog) == 8


def test_what_is_proposed_waits_with_why_and_what_it_does(browser: Client, catalog: Catalog, fill: Fill) -> None:
    proposal = longer(browser, catalog, fill)
    assert hours(catalog) == 8
    assert (proposal.status, proposal.why, proposal.environments) == ("waiting", WHY, ["Production"])
    event = Event.objects.get(action="proposal.made")
    assert event.data["payload_sha256"] == proposal.payload_sha256
    assert "proposed to change the access policy Payments support" in event.sentence
    assert not Event.objects.filter(action="catalog.changed").exists()


def test_what_would_be_amiss_stays_with_what_its_proposer_was_shown(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    type(catalog.permission_set).objects.update(session_duration=timedelta(hours=12))
    proposal = longer(browser, catalog, fill, hours=4)
    assert accept(second, proposal).status_code == 200
    page = text(signed_in(second).get(f"/catalog/proposals/{proposal.pk}/"))
    assert "What its proposer was shown" in page
    assert "What would be amiss" in page
    assert "12 hours" in page


def test_another_admin_accepts_it_and_it_is_in_force(
    browser: Client, catalog: Catalog, fill: Fill, second: User, admin_person: User
) -> None:
    proposal = longer(browser, catalog, fill)
    assert "It is in force." in text(accept(second, proposal))
    assert hours(catalog) == 12
    changed = Event.objects.get(action="catalog.changed")
    assert changed.actor == f"person:{second.object_id}"
    assert (changed.data["proposed_by"], changed.data["why"]) == ("Ada Admin", WHY)
    assert changed.data["proposer"] == f"person:{admin_person.object_id}"
    assert actions() == ["proposal.made", "catalog.changed", "proposal.accepted"]
    proposal.refresh_from_db()
    assert (proposal.status, proposal.decided_by) == ("accepted", f"person:{second.object_id}")
    whole = integrity.verify([])
    assert whole.whole, whole.problem


def test_nobody_accepts_their_own(browser: Client, catalog: Catalog, fill: Fill, admin_person: User) -> None:
    proposal = longer(browser, catalog, fill)
    assert "It is your own: another admin must decide." in text(accept(admin_person, proposal))
    assert hours(catalog) == 8
    assert Event.objects.get(action="proposal.refused").data["rule"] == "self-approval"


@pytest.mark.parametrize("same", ["user_name", "principal_id"])
def test_nobody_accepts_their_own_by_another_account_of_theirs(
    browser: Client, catalog: Catalog, fill: Fill, second: User, admin_person: User, same: str
) -> None:
    User.objects.filter(pk=admin_person.pk).update(user_name="Ada@Example.com", principal_id="p-1")
    User.objects.filter(pk=second.pk).update(**{same: {"user_name": "ada@example.com", "principal_id": "p-1"}[same]})
    proposal = longer(browser, catalog, fill)
    assert "It is your own" in text(accept(second, proposal))
    assert hours(catalog) == 8


def test_who_is_no_admin_at_that_moment_decides_nothing(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    proposal = longer(browser, catalog, fill)
    second.directory_groups.clear()
    for verb in ("accept", "reject", "withdraw", "look-at"):
        sent = {"shown": "0" * 64, "comment": "Because I may."}
        assert signed_in(second).post(f"/catalog/proposals/{proposal.pk}/{verb}/", sent).status_code == 403
    assert hours(catalog) == 8


def test_who_ceases_to_be_one_while_it_is_looked_at_puts_nothing_in_force(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    proposal = longer(browser, catalog, fill)
    _, shown = proposals.try_out(proposal, second)
    assert second.is_staff, "as this process has read it"
    User.objects.get(pk=second.pk).directory_groups.clear()
    with pytest.raises(Refused, match="Only admins decide"):
        proposals.accept(proposal.pk, second, shown.digest)
    assert hours(catalog) == 8


def test_what_an_admin_proposed_who_is_none_any_more_cannot_be_accepted(
    browser: Client, catalog: Catalog, fill: Fill, second: User, admin_person: User
) -> None:
    proposal = longer(browser, catalog, fill)
    admin_person.directory_groups.clear()
    assert "Ada Admin is no admin any more" in text(accept(second, proposal))
    assert hours(catalog) == 8


def test_it_is_accepted_once(browser: Client, catalog: Catalog, fill: Fill, second: User) -> None:
    proposal = longer(browser, catalog, fill)
    accept(second, proposal)
    assert "It is settled already: accepted." in text(accept(second, proposal))
    assert actions().count("catalog.changed") == 1


def test_it_cannot_be_accepted_once_it_is_withdrawn(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    proposal = longer(browser, catalog, fill)
    digest = signed_in(second).get(f"/catalog/proposals/{proposal.pk}/").context["preview"].digest
    assert "It is withdrawn." in text(browser.post(f"/catalog/proposals/{proposal.pk}/withdraw/", follow=True))
    assert "settled already: withdrawn" in text(accept(second, proposal, shown=digest))
    assert hours(catalog) == 8


def test_only_its_proposer_withdraws_it(browser: Client, catalog: Catalog, fill: Fill, second: User) -> None:
    proposal = longer(browser, catalog, fill)
    answer = signed_in(second).post(f"/catalog/proposals/{proposal.pk}/withdraw/", follow=True)
    assert "Only the admin who proposed it may withdraw it." in text(answer)
    proposal.refresh_from_db()
    assert proposal.status == "waiting"


def test_a_rejection_needs_a_comment_and_changes_nothing(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    proposal = longer(browser, catalog, fill)
    other, page = signed_in(second), f"/catalog/proposals/{proposal.pk}/reject/"
    assert "Say why" in text(other.post(page, {"comment": "No."}, follow=True))
    proposal.refresh_from_db()
    assert proposal.status == "waiting"
    other.post(page, {"comment": "Eight hours are enough for anybody."})
    proposal.refresh_from_db()
    assert (proposal.status, proposal.comment) == ("rejected", "Eight hours are enough for anybody.")
    assert hours(catalog) == 8


def test_nobody_rejects_their_own(browser: Client, catalog: Catalog, fill: Fill) -> None:
    proposal = longer(browser, catalog, fill)
    browser.post(f"/catalog/proposals/{proposal.pk}/reject/", {"comment": "I have changed my mind."})
    proposal.refresh_from_db()
    assert proposal.status == "waiting"


def test_what_somebody_changed_meanwhile_makes_it_outdated(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    one, other = longer(browser, catalog, fill, 12), longer(browser, catalog, fill, 10)
    accept(second, other)
    page = text(signed_in(second).get(f"/catalog/proposals/{one.pk}/"))
    assert "It can no longer be accepted. Somebody has changed it since this was proposed." in page
    accept(second, one)
    one.refresh_from_db()
    assert (one.status, hours(catalog)) == ("outdated", 10)
    assert actions()[-1] == "proposal.outdated"


def test_what_the_form_no_longer_takes_makes_it_outdated(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    proposal = longer(browser, catalog, fill)
    type(catalog.permission_set).objects.update(vanished_at=timezone.now())
    page = text(signed_in(second).get(f"/catalog/proposals/{proposal.pk}/"))
    assert "AWS no longer has this permission set; choose another." in page
    accept(second, proposal)
    proposal.refresh_from_db()
    assert (proposal.status, hours(catalog)) == ("outdated", 8)


def test_only_what_was_shown_is_accepted(browser: Client, catalog: Catalog, fill: Fill, second: User) -> None:
    proposal = longer(browser, catalog, fill)
    digest = signed_in(second).get(f"/catalog/proposals/{proposal.pk}/").context["preview"].digest
    person("Emma", catalog.group.object_id)
    for shown in (digest, "", "0" * 64):
        answer = accept(second, proposal, shown=shown)
        assert "It does something else by now than you were shown." in text(answer)
    assert hours(catalog) == 8
    assert "This is not what its proposer was shown" in text(
        signed_in(second).get(f"/catalog/proposals/{proposal.pk}/")
    )
    accept(second, proposal)
    assert hours(catalog) == 12


def test_whoever_writes_another_proposer_into_it_accepts_nothing_of_their_own(
    browser: Client, catalog: Catalog, fill: Fill, admin_person: User
) -> None:
    third = person("Tia Third", configured.ENTRA_ADMIN_GROUP_ID)
    proposal = longer(browser, catalog, fill)
    Proposal.objects.update(proposed_by=f"person:{third.object_id}", proposed_by_name=third.name)
    said = text(accept(admin_person, proposal))
    assert "The record names somebody else than Tia Third as who proposed it: it was altered past the portal." in said
    assert hours(catalog) == 8
    assert Event.objects.get(action="proposal.refused").data["rule"] == "record"


def test_what_was_rejected_is_not_accepted_for_being_set_back_past_the_portal(
    browser: Client, second: User, catalog: Catalog, fill: Fill
) -> None:
    proposal = longer(browser, catalog, fill)
    signed_in(second).post(f"/catalog/proposals/{proposal.pk}/reject/", {"comment": "Too long for the night shift."})
    assert Proposal.objects.get().status == "rejected"
    Proposal.objects.update(status="waiting", decided_by="", decided_by_name="", decided_at=None)
    assert "The record says that it was settled already" in text(accept(second, proposal))
    assert hours(catalog) == 8


@pytest.mark.parametrize("with_its_digest", [False, True])
def test_what_was_altered_past_the_portal_cannot_be_accepted(
    browser: Client, catalog: Catalog, fill: Fill, second: User, with_its_digest: bool
) -> None:
    proposal = longer(browser, catalog, fill)
    proposal.payload = [[n, "24h" if n == "longest_duration" else t] for n, t in proposal.payload]
    altered: dict[str, Any] = {"payload": proposal.payload}
    if with_its_digest:
        altered["payload_sha256"] = proposal_rules.sha256_of(proposal)
    Proposal.objects.filter(pk=proposal.pk).update(**altered)
    assert "it was altered past the portal" in text(accept(second, proposal))
    assert hours(catalog) == 8


def test_a_token_is_needed(browser: Client, catalog: Catalog, fill: Fill, second: User) -> None:
    proposal = longer(browser, catalog, fill)
    strict = signed_in(second, Client(enforce_csrf_checks=True))
    digest = strict.get(f"/catalog/proposals/{proposal.pk}/").context["preview"].digest
    for verb in ("accept", "reject", "withdraw", "look-at"):
        answer = strict.post(f"/catalog/proposals/{proposal.pk}/{verb}/", {"shown": digest, "comment": "x" * 20})
        assert answer.status_code == 403
    assert hours(catalog) == 8


def test_why_is_asked_for_and_nothing_is_kept_without(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = of_policy(catalog)
    shown = browser.post(page, fill(page, longest_duration="12h"))
    answer = browser.post(page, {**carried(shown), "_propose": "1", "reason": "More."})
    assert "Say why in 10 to 500 characters" in text(answer)
    assert not Proposal.objects.exists()


def test_a_deletion_and_a_creation_are_proposed_and_accepted_too(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    gone = proposed(browser, f"/admin/catalog/accesspolicy/{catalog.policy.pk}/delete/", {"post": "yes"})
    assert AccessPolicy.objects.exists()
    accept(second, gone)
    assert not AccessPolicy.objects.exists()
    assert Event.objects.get(action="catalog.deleted").data["proposed_by"] == "Ada Admin"
    page = "/admin/catalog/accesspolicy/add/"
    sent = fill(page, name="Anew", role=catalog.role.pk, environment=catalog.environment.pk) | {
        "permission_set": catalog.permission_set.pk,
        "requestable_by": [catalog.group.pk],
        "stages-TOTAL_FORMS": "1",
        "stages-0-position": "1",
        "stages-0-approver_group": catalog.approver_group.pk,
        "stages-0-approvals_needed": "1",
    }
    made = proposed(browser, page, sent)
    assert not AccessPolicy.objects.exists()
    accept(second, made)
    policy = AccessPolicy.objects.get()
    assert [stage.approver_group for stage in policy.stages.all()] == [catalog.approver_group]
    assert [group.pk for group in policy.requestable_by.all()] == [catalog.group.pk]


def test_other_admins_are_told_and_its_proposer_is_not(
    browser: Client, catalog: Catalog, fill: Fill, second: User
) -> None:
    proposal = longer(browser, catalog, fill)
    for page in ("/admin/", "/"):
        assert f"/catalog/proposals/{proposal.pk}/" in text(signed_in(second).get(page))
        assert f"/catalog/proposals/{proposal.pk}/" not in text(browser.get(page))
    assert "Ada Admin proposes to change the access policy" in text(browser.get(of_policy(catalog)))


def test_compliance_reads_and_decides_nothing(browser: Client, catalog: Catalog, fill: Fill) -> None:
    proposal = longer(browser, catalog, fill)
    reader = signed_in(person("Cora", configured.ENTRA_COMPLIANCE_GROUP_ID))
    assert WHY in text(reader.get(f"/catalog/proposals/{proposal.pk}/"))
    assert reader.post(f"/catalog/proposals/{proposal.pk}/accept/", {"shown": "x"}).status_code == 403


@pytest.mark.parametrize(("sensitive_from", "ids"), [(None, ["catalog.W040"]), (Sensitivity.STAGING, [])])
def test_a_portal_that_asks_no_second_admin_is_told_to(
    settings: Any, sensitive_from: int | None, ids: list[str]
) -> None:
    settings.SENSITIVE_FROM = sensitive_from
    found = run_checks(include_deployment_checks=True, tags=["security"])
    assert [each.id for each in found if str(each.id).startswith("catalog")] == ids

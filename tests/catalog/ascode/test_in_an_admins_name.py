"""What the command line proposes for an admin waits until they say that it is theirs, and then for another admin."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from auditlog.models import Event
from catalog.ascode import writer
from catalog.models import Proposal
from jitportal.models import User
from tests.catalog.ascode.conftest import Run, agreed, hours
from tests.catalog.conftest import Catalog, person, signed_in

WHY = "Shorter, as agreed with the team"
UNCONFIRMED = "It was put forward by the command line: Ada Admin must confirm first that it is theirs."


@pytest.fixture
def proposal(catalog: Catalog, tmp_path: Path, run: Run, admin_person: User, production_is_sensitive: None) -> Proposal:
    """A file that shortens access to Production, proposed for Ada by whoever has the shell."""
    person("Ben", catalog.group.object_id)
    path = tmp_path / "catalog.yaml"
    path.write_text(writer.export().replace("longest_duration: 8h", "longest_duration: 2h"), encoding="utf-8")
    code, said = run("apply", str(path), "--proposer", admin_person.user_name, "--why", WHY, "--yes")
    assert (code, "until Ada Admin has confirmed it and another admin accepts it" in said) == (0, True), said
    return Proposal.objects.get()


def test_the_record_says_that_the_command_line_did_it_and_for_whom(proposal: Proposal, admin_person: User) -> None:
    made = Event.objects.get(action="proposal.made")
    assert made.actor == "system:command line"
    assert made.data["proposed_for"] == f"person:{admin_person.object_id}"
    assert made.sentence.startswith("command line proposed for Ada Admin to apply the catalog file catalog.yaml")
    assert not Event.objects.filter(actor=f"person:{admin_person.object_id}", subject_kind="proposal").exists()


def test_the_pages_say_that_it_is_not_their_own_word_yet(proposal: Proposal, second: User) -> None:
    for page in (reverse("proposals"), reverse("proposal", args=[proposal.pk])):
        said = signed_in(second).get(page).content.decode()
        assert "the command line for Ada Admin" in said
        assert "Waiting for its proposer to confirm it" in said
        assert "Waiting for another admin" not in said


def test_nobody_accepts_what_its_proposer_has_not_confirmed(catalog: Catalog, proposal: Proposal, second: User) -> None:
    assert UNCONFIRMED in agreed(signed_in(second), proposal, "accept")
    assert (proposal.status, hours(catalog)) == ("waiting", 8)
    assert Event.objects.get(action="proposal.refused").data["rule"] == "confirmation"


def test_confirmed_it_needs_another_admin_all_the_same(
    catalog: Catalog, proposal: Proposal, second: User, admin_person: User
) -> None:
    assert "It is yours now, and waits for another admin." in agreed(signed_in(admin_person), proposal, "confirm")
    assert "It is your own: another admin must decide." in agreed(signed_in(admin_person), proposal, "accept")
    assert (proposal.status, hours(catalog)) == ("waiting", 8)
    agreed(signed_in(second), proposal, "accept")
    assert (proposal.status, hours(catalog)) == ("accepted", 2)
    events = Event.objects.filter(subject_kind="proposal").order_by("number").values_list("action", "actor_name")
    assert list(events) == [
        ("proposal.made", "command line"),
        ("proposal.confirmed", "Ada Admin"),
        ("proposal.refused", "Ada Admin"),
        ("proposal.accepted", "Sol Second"),
    ]


def test_only_the_one_it_was_proposed_for_confirms_it_and_once(
    proposal: Proposal, second: User, admin_person: User
) -> None:
    assert "Only Ada Admin may confirm it." in agreed(signed_in(second), proposal, "confirm")
    assert proposal.confirmed_at is None
    agreed(signed_in(admin_person), proposal, "confirm")
    assert "There is nothing to confirm." in agreed(signed_in(admin_person), proposal, "confirm")
    assert Event.objects.filter(action="proposal.confirmed").count() == 1


def test_it_is_confirmed_as_it_was_shown(proposal: Proposal, admin_person: User) -> None:
    assert "It does something else by now" in agreed(signed_in(admin_person), proposal, "confirm", shown="0" * 64)
    assert proposal.confirmed_at is None


def test_what_was_altered_past_the_portal_is_not_confirmed(proposal: Proposal, admin_person: User) -> None:
    Proposal.objects.update(why="Something that nobody has said")
    assert "it was altered past the portal" in agreed(signed_in(admin_person), proposal, "confirm")
    assert proposal.confirmed_at is None


def test_that_it_was_put_forward_cannot_be_struck_out_past_the_portal(proposal: Proposal, second: User) -> None:
    Proposal.objects.update(put_forward_by=None)
    assert "it was altered past the portal" in agreed(signed_in(second), proposal, "accept")
    assert proposal.status == "waiting"


def test_a_confirmation_that_was_written_past_the_portal_is_none(
    catalog: Catalog, proposal: Proposal, second: User
) -> None:
    Proposal.objects.update(confirmed_at=timezone.now())
    said = "The record knows nothing of Ada Admin having confirmed it: it was altered past the portal."
    assert said in agreed(signed_in(second), proposal, "accept")
    assert (proposal.status, hours(catalog)) == ("waiting", 8)
    assert Event.objects.get(action="proposal.refused").data["rule"] == "record"


def test_who_is_no_admin_any_more_confirms_nothing(proposal: Proposal, admin_person: User) -> None:
    admin_person.directory_groups.clear()
    page = reverse("proposal-confirm", args=[proposal.pk])
    assert signed_in(admin_person).post(page, {"shown": "0" * 64}).status_code == 403
    proposal.refresh_from_db()
    assert proposal.confirmed_at is None


def test_the_one_it_was_proposed_for_can_withdraw_it(proposal: Proposal, admin_person: User) -> None:
    assert "It is withdrawn." in agreed(signed_in(admin_person), proposal, "withdraw")
    assert proposal.status == "withdrawn"


def test_the_one_it_was_proposed_for_is_told_of_it_on_every_page_until_they_confirm_it(
    proposal: Proposal, admin_person: User, second: User
) -> None:
    told = "proposed in your name"
    assert told in signed_in(admin_person).get("/").content.decode()
    assert "needs a second admin" not in signed_in(second).get("/").content.decode()
    agreed(signed_in(admin_person), proposal, "confirm")
    assert told not in signed_in(admin_person).get("/").content.decode()
    assert "needs a second admin" in signed_in(second).get("/").content.decode()


def test_the_database_holds_nothing_for_accepted_that_was_not_confirmed(proposal: Proposal, second: User) -> None:
    decided = {"decided_by": f"person:{second.object_id}", "decided_at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.update(status="accepted", **decided)


def test_what_an_admin_proposes_themselves_needs_no_confirmation(proposal: Proposal, admin_client: Client) -> None:
    Proposal.objects.update(put_forward_by=None)
    page = admin_client.get(reverse("proposal", args=[proposal.pk])).content.decode()
    assert reverse("proposal-confirm", args=[proposal.pk]) not in page

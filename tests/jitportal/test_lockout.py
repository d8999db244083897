"""An admin locks a person out in one step, and nothing but an admin lets them in again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accessrequests import offboarding, workflow
from accessrequests.models import Decision
from accessrequests.refusals import Refused
from auditlog.actor import Actor
from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import User
from jitportal.signin import local_admins
from jitportal.signin.people import take_in
from jitportal.signin.refusals import Refused as TurnedAway
from tests.accessrequests.conftest import Office, catalog, groups, office, user  # noqa: F401
from tests.directory import claims_of

pytestmark = pytest.mark.django_db
WHY = "The laptop was stolen."


@pytest.fixture
def admin(office: Office) -> Client:  # noqa: F811
    browser = Client()
    browser.force_login(office.user(company.INES))
    return browser


def send(browser: Client, verb: str, person: Person, reason: str = WHY) -> str:
    """The page that follows, which says what came of it."""
    answer = browser.post(f"/people/{person.object_id}/{verb}/", {"reason": reason}, follow=True)
    return str(answer.content.decode())


def row(person: Person) -> User:
    return User.objects.get(object_id=person.object_id)


def test_everything_of_theirs_ends_at_once_and_says_why(office: Office, admin: Client) -> None:  # noqa: F811
    held = office.submit(company.CHIARA)
    office.work()
    pending = office.submit_production(company.CHIARA)
    undecided = office.submit_production(company.ADA)
    office.decide(undecided, company.CHIARA)
    theirs = Client()
    theirs.force_login(office.user(company.CHIARA))
    assert theirs.get("/").status_code == 200
    assert "Chiara Rossi is locked out." in send(admin, "lock", company.CHIARA)
    office.work()
    assert theirs.get("/").status_code == 302
    ended = office.again(held)
    assert (ended.status, ended.end_reason) == ("ended", "locked")
    assert office.in_aws() == []
    assert office.again(pending).status == "withdrawn"
    assert Decision.objects.get(request=undecided).set_aside_at == office.moment.time
    event = Event.objects.get(action="person.locked")
    assert event.sentence == f"Ines Moreau locked Chiara Rossi out: {WHY}"
    assert event.data["grants_ended"] == 1
    with pytest.raises(Refused):
        workflow.submit(office.user(company.CHIARA).pk, office.form())


def test_no_sign_in_and_no_sync_lets_them_in_and_an_admin_does(office: Office, admin: Client) -> None:  # noqa: F811
    send(admin, "lock", company.BEN)
    with pytest.raises(TurnedAway, match="locked out"):
        take_in(claims_of(company.BEN, "t"))
    assert not offboarding.take_back(row(company.BEN).pk, "They are enabled", actor=Actor.system("test"))
    assert "Ben Okafor may sign in again." in send(admin, "unlock", company.BEN, "It was found.")
    assert row(company.BEN).is_active
    # Whether the directory still knows them is looked at by the next sync.
    assert row(company.BEN).to_check
    assert Event.objects.latest("number").sentence == "Ines Moreau let Ben Okafor in again: It was found."
    office.submit(company.BEN)


def test_who_had_left_can_be_kept_from_returning(office: Office, admin: Client) -> None:  # noqa: F811
    offboarding.leave(office.user(company.BEN).pk, "disabled", "The account is disabled", actor=Actor.system("test"))
    send(admin, "lock", company.BEN)
    with pytest.raises(TurnedAway, match="locked out"):
        take_in(claims_of(company.BEN, "t"))


@pytest.mark.parametrize("reason", ["", "  ", "turned \u202eround"])
def test_without_a_reason_nothing_happens(office: Office, admin: Client, reason: str) -> None:  # noqa: F811
    said = send(admin, "lock", company.BEN, reason)
    assert "Say why" in said or "type the text afresh" in said
    assert row(company.BEN).is_active


def test_nobody_locks_themselves_out(admin: Client) -> None:
    assert "Nobody locks themselves out" in send(admin, "lock", company.INES)
    assert row(company.INES).is_active


def test_to_do_it_twice_changes_nothing(admin: Client) -> None:
    for verb in ("lock", "unlock"):
        send(admin, verb, company.BEN)
        assert "it is so already" in send(admin, verb, company.BEN)
    assert Event.objects.filter(action__in=("person.locked", "person.unlocked")).count() == 2


def test_a_local_administrator_unlocks_and_is_not_unlocked(office: Office, admin: Client) -> None:  # noqa: F811
    send(admin, "lock", company.BEN)
    _, made = local_admins.open_for(timedelta(hours=1), "Nobody can sign in.", Actor.system("test"))
    local = Client()
    local.force_login(made.person)
    assert "may sign in again" in send(local, "unlock", company.BEN)
    local_admins.end_all(Actor.system("test"), "over")
    answer = admin.post(f"/people/{made.person.object_id}/unlock/", {"reason": WHY}, follow=True)
    assert "ended at the server" in answer.content.decode()
    made.person.refresh_from_db()
    assert not made.person.is_active


def test_the_page_of_a_person_offers_the_one_that_can_be_done(admin: Client) -> None:
    address = f"/admin/jitportal/user/{row(company.BEN).pk}/change/"
    assert f"/people/{company.BEN.object_id}/lock/" in admin.get(address).content.decode()
    send(admin, "lock", company.BEN)
    assert f"/people/{company.BEN.object_id}/unlock/" in admin.get(address).content.decode()
    own = admin.get(f"/admin/jitportal/user/{row(company.INES).pk}/change/").content.decode()
    assert "/lock/" not in own


# Another account of Chiara's: made anew in the directory, or of one Identity Center user.
ANEW = replace(company.CHIARA, object_id="b0000000-0000-4000-8000-0000000000aa")
PRINCIPAL = company.ORGANISATION.user_id(company.CHIARA.user_name)
LINKS: dict[str, dict[str, Any]] = {
    "user_name": {"user_name": company.CHIARA.user_name.upper()},
    "principal_id": {"user_name": "c.rossi@northwind.example", "principal_id": PRINCIPAL},
}
SAME = pytest.mark.parametrize("by", LINKS)


def another(office: Office, by: str = "user_name") -> User:  # noqa: F811
    """Another account of Chiara's, in the same groups."""
    first = office.user(company.CHIARA)
    User.objects.filter(pk=first.pk).update(principal_id=PRINCIPAL)
    other = User.objects.create(tenant_id="t", object_id=ANEW.object_id, name="Chiara again", **LINKS[by])
    other.directory_groups.set(first.directory_groups.all())
    return other


def test_an_account_made_anew_does_not_sign_in_for_who_is_locked_out(office: Office, admin: Client) -> None:  # noqa: F811
    office.user(company.CHIARA)
    send(admin, "lock", company.CHIARA)
    with pytest.raises(TurnedAway) as refused:
        take_in(claims_of(ANEW, "t"))
    assert f"{company.CHIARA.user_name}, {company.CHIARA.object_id}) is locked out" in refused.value.reason
    assert "somebody else who was given its user name" in refused.value.remedy
    assert not User.objects.filter(object_id=ANEW.object_id).exists()
    send(admin, "unlock", company.CHIARA)
    assert take_in(claims_of(ANEW, "t")).is_active


def test_whose_old_account_has_merely_left_signs_in_by_the_new_one(office: Office) -> None:  # noqa: F811
    left = office.user(company.CHIARA)
    offboarding.leave(left.pk, "deleted", "The account is deleted", actor=Actor.system("test"))
    assert office.submit(ANEW if take_in(claims_of(ANEW, "t")) else company.CHIARA)


@SAME
def test_all_accounts_of_the_person_are_put_out_and_what_they_hold_ends(
    office: Office,  # noqa: F811
    admin: Client,
    by: str,
) -> None:
    other = another(office, by)
    User.objects.filter(pk=other.pk).update(principal_id="", user_name=company.CHIARA.user_name)
    held = workflow.submit(other.pk, office.form())
    office.work()
    User.objects.filter(pk=other.pk).update(**{"principal_id": "", **LINKS[by]})
    theirs = Client()
    theirs.force_login(other)
    assert "The same goes for their other accounts: Chiara again (" in send(admin, "lock", company.CHIARA)
    office.work()
    ended = office.again(held)
    assert (ended.status, ended.end_reason, office.in_aws()) == ("ended", "locked", [])
    assert theirs.get("/").status_code == 302
    told = Event.objects.filter(action="person.locked").order_by("number")
    assert {event.subject_id for event in told} == {company.CHIARA.object_id, other.object_id}
    send(admin, "unlock", company.CHIARA)
    assert User.objects.get(pk=other.pk).is_active
    assert row(company.CHIARA).is_active


@SAME
def test_who_turns_out_to_be_locked_out_by_another_account_neither_asks_nor_starts(
    office: Office,  # noqa: F811
    admin: Client,
    by: str,
) -> None:
    other = another(office)
    User.objects.filter(pk=other.pk).update(user_name="nobody@northwind.example")
    send(admin, "lock", company.CHIARA)
    waiting = workflow.submit(other.pk, office.form())
    User.objects.filter(pk=other.pk).update(**LINKS[by])
    office.work()
    waiting = office.again(waiting)
    assert (waiting.status, office.in_aws()) == ("failed", [])
    with pytest.raises(Refused) as refused:
        workflow.submit(other.pk, office.form())
    for said in (waiting.outcome, str(refused.value)):
        assert "Chiara Rossi" in said
        assert "locked out" in said
    page = admin.get(f"/admin/jitportal/user/{other.pk}/change/").content.decode()
    assert "is refused here as well" in page
    assert f"/admin/jitportal/user/{row(company.CHIARA).pk}/change/" in page


def test_nobody_unlocks_themselves_by_another_account(office: Office) -> None:  # noqa: F811
    ines = office.user(company.INES)
    offboarding.lock_out(ines.pk, WHY, actor=Actor.system("test"))
    other = User.objects.create(tenant_id="t", object_id=ANEW.object_id, name="Ines again", user_name="i@x.example")
    other.directory_groups.set(ines.directory_groups.all())
    browser = Client()
    browser.force_login(other)
    User.objects.filter(pk=other.pk).update(user_name=ines.user_name.upper())
    assert "Nobody locks themselves out, or in" in send(browser, "unlock", company.INES)
    assert not row(company.INES).is_active
    assert "/unlock/" not in browser.get(f"/admin/jitportal/user/{ines.pk}/change/").content.decode()


def test_accounts_that_a_third_one_links_are_one_person(office: Office, admin: Client) -> None:  # noqa: F811
    """One shares the user name with the second, the second the Identity Center user with the third."""
    another(office, "principal_id")
    third = User.objects.create(
        tenant_id="t",
        object_id="b0000000-0000-4000-8000-0000000000ab",
        name="Chiara once more",
        user_name=LINKS["principal_id"]["user_name"],
    )
    send(admin, "lock", company.CHIARA)
    assert not User.objects.get(pk=third.pk).is_active

"""Taking people in: by object id, with whatever names they have, whoever else signs in at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection
from pytest_django import Settings

from auditlog.models import Event
from catalog.models import DirectoryGroup
from jitportal.demo.directory import Directory, Group
from jitportal.models import User
from jitportal.signin.people import take_in
from tests.browser import Browser
from tests.directory import APPROVER, ENGINEER, PAYMENTS, claims_of, known, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_people_with_the_same_address_stay_two_people(browser: Browser, directory: Directory) -> None:
    directory.add(replace(APPROVER, email=ENGINEER.email, user_name=ENGINEER.user_name, name=ENGINEER.name))
    sign_in(browser, ENGINEER)
    sign_in(Browser(browser.home), directory.people[APPROVER.object_id])
    assert set(User.objects.values_list("object_id", flat=True)) == {ENGINEER.object_id, APPROVER.object_id}


def test_a_person_without_an_address_is_let_in(browser: Browser, directory: Directory) -> None:
    directory.add(replace(ENGINEER, email="", department=""))
    assert sign_in(browser, ENGINEER).status_code == 200
    assert (User.objects.get().email, User.objects.get().department) == ("", "")


def test_what_a_token_does_not_tell_stays_as_it_is(settings: Settings) -> None:
    known(ENGINEER, settings.ENTRA_TENANT_ID)
    User.objects.update(to_check=False)
    person = take_in(replace(claims_of(ENGINEER, settings.ENTRA_TENANT_ID), email=None, department=None))
    assert (person.email, person.department) == (ENGINEER.email, ENGINEER.department)
    assert not person.to_check
    assert Event.objects.latest("number").data == {}


def test_the_sync_is_asked_at_the_first_sign_in_for_what_no_token_tells(settings: Settings) -> None:
    known(ENGINEER, settings.ENTRA_TENANT_ID)
    assert User.objects.get().to_check


def test_what_the_first_token_does_not_tell_is_asked_for_by_the_next_sync(settings: Settings) -> None:
    person = take_in(replace(claims_of(ENGINEER, settings.ENTRA_TENANT_ID), department=None))
    assert person.department == ""
    assert User.objects.get().to_check


@pytest.mark.parametrize(
    "name",
    [
        "x" * 500,
        "מרים לוי",
        "فاطمة الزهراء",
        "<script>alert(1)</script>",
        "Zoë 🧑\u200d🚒",
        'O\'Neil & "Co"',
    ],
)
def test_a_person_of_any_name_is_let_in_under_it(browser: Browser, directory: Directory, name: str) -> None:
    directory.add(replace(ENGINEER, name=name))
    page = sign_in(browser, ENGINEER)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert User.objects.get().name == name
    assert Event.objects.latest("number").actor_name == name


def test_a_name_that_turns_its_text_round_is_taken_in_without_that(browser: Browser, directory: Directory) -> None:
    directory.add(replace(ENGINEER, name="\u202etxt.exe"))
    assert sign_in(browser, ENGINEER).status_code == 200
    assert User.objects.get().name == "txt.exe"
    assert Event.objects.latest("number").actor_name == "txt.exe"


def test_a_person_without_a_name_goes_by_their_user_name(browser: Browser, directory: Directory) -> None:
    directory.alter_claims = lambda claims: {key: value for key, value in claims.items() if key != "name"}
    sign_in(browser, ENGINEER)
    assert User.objects.get().name == "erin@example.com"


def test_a_group_keeps_the_name_it_was_given(settings: Settings) -> None:
    DirectoryGroup.objects.create(object_id=PAYMENTS.object_id, name="Payments engineers")
    known(ENGINEER, settings.ENTRA_TENANT_ID)
    assert DirectoryGroup.objects.get().name == "Payments engineers"


def test_a_group_that_nobody_mentioned_before_is_vouched_for_in_the_event(settings: Settings) -> None:
    known(ENGINEER, settings.ENTRA_TENANT_ID)
    event = Event.objects.get(action="person.groups_changed")
    (digest,) = event.data["history"]
    assert digest["model"] == "catalog.HistoricalDirectoryGroup"


def test_ids_in_capitals_are_the_same_person_and_group(browser: Browser, directory: Directory) -> None:
    sign_in(browser, ENGINEER)
    directory.alter_claims = lambda claims: {
        **claims,
        "oid": claims["oid"].upper(),
        "groups": [group.upper() for group in claims["groups"]],
    }
    sign_in(Browser(browser.home), ENGINEER)
    assert User.objects.get().group_ids == {PAYMENTS.object_id}


def test_first_sign_ins_at_the_same_moment_make_one_person_and_lose_no_event(settings: Settings) -> None:
    groups = tuple(Group(f"d0000000-0000-4000-8000-{number:012}", f"Group {number}") for number in range(20))
    described = claims_of(replace(ENGINEER, groups=groups), settings.ENTRA_TENANT_ID)
    other = claims_of(replace(APPROVER, groups=tuple(reversed(groups))), settings.ENTRA_TENANT_ID)

    def arrive(number: int) -> int:
        try:
            return take_in(described if number % 2 else other).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        people = set(threads.map(arrive, range(16)))
    assert people == set(User.objects.values_list("pk", flat=True))
    assert User.objects.count() == 2
    assert {len(person.group_ids) for person in User.objects.all()} == {20}
    counts = {action: Event.objects.filter(action=action).count() for action in ("person.created", "person.signed_in")}
    assert counts == {"person.created": 2, "person.signed_in": 16}
    assert DirectoryGroup.objects.count() == 20


def test_a_person_and_their_events_come_together_or_not_at_all(settings: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auditlog_chainhead RENAME TO auditlog_gone")
    try:
        with pytest.raises(Exception, match="auditlog_chainhead"):
            known(ENGINEER, settings.ENTRA_TENANT_ID)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE auditlog_gone RENAME TO auditlog_chainhead")
    assert not User.objects.exists()
    assert not DirectoryGroup.objects.exists()

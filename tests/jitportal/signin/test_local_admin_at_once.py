"""Local administrators who are ended from two sides at the same moment, and one who cannot be."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import Subject, record
from auditlog.models import Event
from jitportal.models import LocalAdministrator, User
from jitportal.signin import local_admins, people
from tests.accessrequests.test_at_once import at_once, waiting
from tests.processes.started import until

pytestmark = pytest.mark.django_db(transaction=True)
BENCH = Actor.system("test")
WHY = "Nobody can sign in at present."


def opened() -> User:
    _, made = local_admins.open_for(timedelta(hours=1), WHY, BENCH)
    return made.person


def sign_out(person: User) -> None:
    people.record_sign_out(person, "asked for it")


VERBS = (sign_out, people.end_every_session, lambda person: local_admins.end_all(BENCH, "ended at the server"))


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time, and no circle")
@pytest.mark.parametrize("verb", VERBS, ids=["sign-out", "everywhere", "at the server"])
def test_whoever_ends_one_waits_for_their_row_with_nothing_of_others_in_hand(verb: Callable[[User], object]) -> None:
    person = opened()

    def apart() -> object:
        try:
            return verb(person)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            LocalAdministrator.objects.select_for_update().get(person=person)
            ending = pool.submit(copy_context().run, apart)
            until("the other to wait", lambda: waiting() == 1, within=30)
            # Both would be taken from under them in a circle, and the database would end one of the two.
            User.objects.select_for_update(nowait=True).get(pk=person.pk)
            record(BENCH, Action.LOCAL_ADMIN_USED, Subject("person", person.object_id), {"until": "now"})
        ending.result()
    assert local_admins.standing() == []


def test_signing_out_while_all_are_ended_ends_all_without_an_error() -> None:
    for _ in range(5):
        some = [opened() for _ in range(3)]
        outcomes = at_once(
            partial(sign_out, some[0]),
            partial(people.end_every_session, some[1]),
            partial(local_admins.end_all, BENCH, "ended at the server"),
            local_admins.look_after,
        )
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert local_admins.standing() == []
    assert Event.objects.filter(action="local_admin.ended").count() == 15


@contextmanager
def refused(person: User) -> Iterator[None]:
    """The database takes no change of this person."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER refuse BEFORE UPDATE ON jitportal_user WHEN NEW.id = {person.pk} "
                "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            )
        else:
            cursor.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'not this one'; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER refuse BEFORE UPDATE ON jitportal_user FOR EACH ROW WHEN (NEW.id = {person.pk}) "
                "EXECUTE FUNCTION refuse()"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("DROP TRIGGER refuse")
            else:
                cursor.execute("DROP TRIGGER refuse ON jitportal_user")
                cursor.execute("DROP FUNCTION refuse()")


def test_one_who_cannot_be_ended_keeps_no_other_open_and_is_named() -> None:
    first, second = opened(), opened()
    with refused(first), pytest.raises(CommandError, match=r"Ended: 1\. Could not be ended: Local administrator"):
        call_command("local_admin", end=True, reason="Entra ID is back again.", stdout=StringIO())
    assert [each.user_id for each in local_admins.standing()] == [first.pk]
    assert not User.objects.get(pk=second.pk).is_active
    call_command("local_admin", end=True, stdout=StringIO())
    assert local_admins.standing() == []

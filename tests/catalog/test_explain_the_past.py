"""A past date is answered by what the catalog said then, and by what the ledger tells of people."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from accessrequests import offboarding
from auditlog.actor import Actor
from auditlog.history import attribute
from catalog import answers, changes, past
from catalog.models import AccessPolicy, ApprovalStage, ApproverGroup, DirectoryGroup, OnCallPerson, OnCallSchedule
from catalog.offers import policies_in_force
from jitportal.demo import organisation as company
from jitportal.demo.directory import Group, Person
from jitportal.models import User
from jitportal.signin.people import take_in
from tests.accessrequests.conftest import Catalog, catalog, groups  # noqa: F401
from tests.conftest import Clock
from tests.directory import claims_of

BENCH = Actor.system("test")


@pytest.fixture(autouse=True)
def _clock(moment: Clock, catalog: Catalog) -> None:  # noqa: F811
    """History and ledger are dated by a clock that the test moves; the catalog's first versions are older."""
    moment.forward(timezone.now() + timedelta(days=1) - moment.time)


def signs_in(person: Person, *groups: Group, department: str = "") -> User:  # noqa: F811
    return take_in(claims_of(replace(person, groups=groups, department=department), "t"))


def change(row: AccessPolicy, **values: object) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    with changes.recorded(row, actor=BENCH):
        row.save()


def next_day(moment: Clock) -> datetime:
    """Lets a day pass, and gives a moment between before and after."""
    between = moment.forward(timedelta(hours=12))
    moment.forward(timedelta(hours=12))
    return between


def names(catalog: Catalog, at: datetime | None) -> list[str]:  # noqa: F811
    found = answers.who_can_ask(catalog.developer, catalog.sandbox, at)
    return [each.person.name for each in found.listed]


@pytest.fixture
def recorded(catalog: Catalog) -> Catalog:  # noqa: F811
    """The catalog as if it had been made through the admin: with history of what belongs to each policy."""
    for policy in (catalog.automatic, catalog.two_stages):
        change(policy)
    return catalog


def test_who_joined_since_could_not_ask_then(recorded: Catalog, moment: Clock) -> None:
    signs_in(company.BEN)
    then = next_day(moment)
    signs_in(company.BEN, company.PAYMENTS)
    assert names(recorded, None) == ["Ben Okafor"]
    assert names(recorded, then) == []


def test_who_left_the_group_since_could(recorded: Catalog, moment: Clock) -> None:
    ben = signs_in(company.BEN, company.PAYMENTS)
    then = next_day(moment)
    signs_in(company.BEN)
    assert names(recorded, None) == []
    assert names(recorded, then) == ["Ben Okafor"]
    (found,) = answers.why(ben.pk, then, role=recorded.developer, environment=recorded.sandbox).reached
    assert found.may_ask
    assert [each.group_ids for each in found.standing.because] == [(company.PAYMENTS.object_id,)]


def test_who_had_an_app_role_then_could_ask_and_who_was_given_it_since_could_not(
    recorded: Catalog, moment: Clock
) -> None:
    role = DirectoryGroup.objects.create(object_id="role:Portal.Dev", name="Developers by role")
    recorded.automatic.requestable_by.set([role])
    change(recorded.automatic)
    described = claims_of(replace(company.BEN, groups=()), "t")
    take_in(described)
    before = next_day(moment)
    take_in(replace(described, groups=frozenset({"role:Portal.Dev"})))
    between = next_day(moment)
    take_in(described)
    moment.forward(timedelta(days=1))
    assert (names(recorded, before), names(recorded, between), names(recorded, None)) == ([], ["Ben Okafor"], [])


def test_who_was_not_known_then_is_said_to_be_unknown(recorded: Catalog, moment: Clock) -> None:
    then = next_day(moment)
    ben = signs_in(company.BEN, company.PAYMENTS)
    assert names(recorded, then) == []
    assert not answers.why(ben.pk, then).is_known


def test_who_has_left_the_company_could_ask_while_they_were_there(recorded: Catalog, moment: Clock) -> None:
    ben = signs_in(company.BEN, company.PAYMENTS)
    then = next_day(moment)
    offboarding.leave(ben.pk, "deleted", "They left", actor=BENCH)
    assert (names(recorded, None), names(recorded, then)) == ([], ["Ben Okafor"])


def test_the_department_of_then_counts(recorded: Catalog, moment: Clock) -> None:
    change(recorded.automatic, departments=["Research"])
    signs_in(company.BEN, department="Research")
    then = next_day(moment)
    signs_in(company.BEN, department="Sales")
    assert (names(recorded, None), names(recorded, then)) == ([], ["Ben Okafor"])


def test_the_policy_of_then_counts(recorded: Catalog, moment: Clock) -> None:
    signs_in(company.BEN, company.PAYMENTS)
    then = next_day(moment)
    change(recorded.automatic, longest_duration=timedelta(hours=2))
    with changes.recorded(recorded.automatic, actor=BENCH):
        recorded.automatic.requestable_by.set(DirectoryGroup.objects.filter(object_id=company.DATA.object_id))
        recorded.automatic.save()
    assert (names(recorded, None), names(recorded, then)) == ([], ["Ben Okafor"])
    before = next(each for each in past.policies_at(then) if each.id == recorded.automatic.pk)
    assert before.longest_duration == timedelta(hours=8)


def test_what_was_out_of_force_or_did_not_exist_then_offered_nothing(recorded: Catalog, moment: Clock) -> None:
    signs_in(company.BEN, company.PAYMENTS)
    before = moment.time - timedelta(days=2)
    assert past.policies_at(before) == ()
    change(recorded.automatic, is_in_force=False)
    then = next_day(moment)
    change(recorded.automatic, is_in_force=True)
    assert (names(recorded, None), names(recorded, then)) == (["Ben Okafor"], [])


def test_a_policy_that_was_deleted_since_is_told_as_it_was(recorded: Catalog, moment: Clock) -> None:
    signs_in(company.BEN, company.PAYMENTS)
    then = next_day(moment)
    changes.delete(instance=recorded.automatic, actor=BENCH)
    assert (names(recorded, None), names(recorded, then)) == ([], ["Ben Okafor"])


def test_those_who_would_have_decided_are_those_of_then(recorded: Catalog, moment: Clock) -> None:
    ada = signs_in(company.ADA, company.PAYMENTS)
    signs_in(company.CHIARA, company.LEADS)
    signs_in(company.FARID, company.SECURITY)
    then = next_day(moment)
    signs_in(company.CHIARA)
    asked = partial(answers.why, ada.pk, role=recorded.developer, environment=recorded.production)
    assert [step.count for step in asked(then).reached[0].deciding] == [1, 1]
    now = asked(None).reached[0]
    assert [step.count for step in now.deciding] == [0, 1]
    assert not now.may_ask


def test_whoever_was_on_call_then_is_told_with_the_schedule_of_then(recorded: Catalog, moment: Clock) -> None:
    ada, ben = signs_in(company.ADA, company.PAYMENTS), signs_in(company.BEN, company.PAYMENTS)
    rota = OnCallSchedule(name="Rota", zone="UTC", first_handover=moment.time)
    with changes.recorded(rota, actor=BENCH):
        rota.save()
        turn = OnCallPerson(schedule=rota, position=1, person=ada)
        attribute(turn, BENCH)
        turn.save()
    change(recorded.two_stages, automatic_approval="on_call", on_call_schedule=rota)
    then = next_day(moment)
    with changes.recorded(rota, actor=BENCH):
        rota.name = "Renamed"
        rota.save()
        turn.person = ben
        attribute(turn, BENCH)
        turn.save()
    for who, at, by, is_theirs in (
        (ada, then, "Rota", True),
        (ben, then, "Rota", False),
        (ada, None, "Renamed", False),
        (ben, None, "Renamed", True),
    ):
        found = answers.why(who.pk, at, role=recorded.developer, environment=recorded.production)
        (duty,) = found.reached[0].duties
        told = (company.ADA if at else company.BEN).name
        assert (duty.by, duty.told, duty.is_theirs) == (f"by the schedule {by}", told, is_theirs)


def test_the_present_read_from_history_is_the_present(recorded: Catalog, moment: Clock) -> None:
    others = ApproverGroup.objects.create(name="Others")
    others.directory_groups.set(DirectoryGroup.objects.filter(object_id=company.DATABASES.object_id))
    ApprovalStage.objects.filter(policy=recorded.two_stages, position=2).update(approver_group=others)
    stage = ApprovalStage.objects.get(policy=recorded.two_stages, position=2)
    stage.save()
    assert past.policies_at(moment.time) == policies_in_force()

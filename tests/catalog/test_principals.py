"""Users and groups of IAM Identity Center are mirrored page by page, and gone on with where the last walk stopped."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accessrequests.provisioner import Unclear
from auditlog.models import Event
from catalog import mirror
from catalog.inventory import PositionLost, PrincipalPage
from catalog.models import InventorySync, Principal
from catalog.principals import ROUND_EVERY
from jitportal.aws.inventory import AwsInventory
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Group, Simulator, User
from tests.conftest import Clock

pytestmark = pytest.mark.django_db
ADA = company.ORGANISATION.user_id(company.ADA.user_name)


@pytest.fixture(autouse=True)
def _aws(aws: Any, moment: Clock, simulator: Simulator) -> None:
    """AWS over HTTP with 250 users in three pages and two groups, and a clock that is moved."""
    count = 250 - len(simulator.organisation.users)
    more = tuple(User(f"user{n}@harbour.example", f"User {n}", f"u{n}@harbour.example") for n in range(count))
    groups = (Group("Operators"), Group("Auditors"))
    simulator.reorganise(replace(simulator.organisation, users=(*simulator.organisation.users, *more), groups=groups))


def read_events() -> list[str]:
    return [event.canonical for event in Event.objects.filter(action="inventory.read").order_by("number")]


def test_users_and_groups_are_read_with_their_names_and_whether_they_are_enabled(simulator: Simulator) -> None:
    simulator.change_user(company.BEN.user_name, enabled=False)
    mirror.sync(AwsInventory())
    assert Principal.objects.filter(kind="USER").count() == 250
    assert [group.name for group in Principal.objects.filter(kind="GROUP")] == ["Auditors", "Operators"]
    assert str(Principal.objects.get(pk=ADA)) == company.ADA.user_name
    assert [user.name for user in Principal.objects.filter(is_enabled=False)] == [company.BEN.user_name]
    assert '"changed":0,"listed":252,"new":252,"vanished":0' in read_events()[0]


def test_a_round_begins_a_day_after_the_last_and_tells_only_what_is_different(
    simulator: Simulator, moment: Clock
) -> None:
    mirror.sync(AwsInventory())
    simulator.calls.reset()
    mirror.sync(AwsInventory())
    assert simulator.calls.calls["ListUsers"] == 0
    moment.forward(ROUND_EVERY)
    mirror.sync(AwsInventory())
    assert (simulator.calls.calls["ListUsers"], len(read_events())) == (3, 1)
    whole = simulator.organisation
    others = tuple(user for user in whole.users if user.user_name != "user7@harbour.example")
    simulator.reorganise(replace(whole, users=others))
    simulator.change_user(company.ADA.user_name, enabled=False)
    moment.forward(ROUND_EVERY)
    mirror.sync(AwsInventory())
    assert '"changed":1,"listed":251,"new":0,"vanished":1' in read_events()[1]
    assert [user.name for user in Principal.objects.exclude(vanished_at=None)] == ["user7@harbour.example"]
    simulator.reorganise(whole)
    moment.forward(ROUND_EVERY)
    mirror.sync(AwsInventory())
    assert not Principal.objects.exclude(vanished_at=None).exists()


class BreaksOff(AwsInventory):
    """AWS fails after the first page."""

    def principals(self, kind: str, position: str) -> PrincipalPage:
        if position:
            raise Unclear("AWS did not answer.")
        return super().principals(kind, position)


def test_a_walk_that_breaks_off_goes_on_with_the_same_page_and_marks_nothing(simulator: Simulator) -> None:
    with pytest.raises(Unclear):
        mirror.sync(BreaksOff())
    assert Principal.objects.count() == 100
    simulator.calls.reset()
    mirror.sync(AwsInventory())
    assert simulator.calls.calls["ListUsers"] == 2
    assert Principal.objects.filter(kind="USER", vanished_at=None).count() == 250
    assert InventorySync.objects.get().reading == ""


def test_a_position_that_aws_no_longer_knows_begins_that_list_again() -> None:
    with pytest.raises(Unclear):
        mirror.sync(BreaksOff())
    InventorySync.objects.update(position="stale")
    mirror.sync(AwsInventory())
    assert Principal.objects.filter(kind="USER", vanished_at=None).count() == 250


class NeverKnows(AwsInventory):
    """AWS knows no position at all."""

    def principals(self, kind: str, position: str) -> PrincipalPage:
        raise PositionLost


def test_a_list_that_cannot_be_begun_is_not_begun_for_ever() -> None:
    with pytest.raises(PositionLost):
        mirror.sync(NeverKnows())


class Sparse(AwsInventory):
    """AWS filters after it pages: the first page of users is empty, and more follow."""

    def principals(self, kind: str, position: str) -> PrincipalPage:
        if kind == "USER" and not position:
            return PrincipalPage((), "begin")
        return super().principals(kind, "" if position == "begin" else position)


def test_an_empty_page_in_the_middle_is_no_end() -> None:
    mirror.sync(Sparse())
    assert Principal.objects.filter(kind="USER").count() == 250


def test_a_slice_ends_between_two_pages() -> None:
    mirror.sync(AwsInventory())
    InventorySync.objects.update(principals_at=None)
    mirror.sync(AwsInventory(), timedelta(microseconds=1))
    assert InventorySync.objects.get().reading == "USER"

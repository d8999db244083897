"""The catalog has what AWS has: new rows, changes, details; what vanished is marked, and what fails loses nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accessrequests.provisioner import ProvisionerError, Refused
from auditlog import live_rows
from auditlog.models import Event
from catalog import mirror
from catalog.inventory import PermissionSetRow
from catalog.models import AccessPolicy, Account, Environment, InventorySync, PermissionSet, Role
from jitportal.aws.inventory import AwsInventory
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind, Simulator
from tests.conftest import Clock

pytestmark = pytest.mark.django_db
LEDGER = company.ACCOUNTS["Production"][1]


@pytest.fixture(autouse=True)
def _aws(aws: Any, moment: Clock) -> None:
    """AWS over HTTP, and a clock that is moved."""


def sync() -> mirror.Result:
    result = mirror.sync(AwsInventory())
    assert result is not None
    return result


def calls(simulator: Simulator) -> int:
    return simulator.calls.calls.total()


def test_accounts_come_with_their_place_their_tags_and_which_of_them_is_the_management_account() -> None:
    assert sync() == mirror.Result(new=31, changed=25, looked_at=31)
    ledger = Account.objects.get(account_id=LEDGER.id)
    assert (ledger.name, ledger.ou_path) == ("Ledger Production", "Workloads/Production")
    assert ledger.tags == {"workload": "ledger", "environment": "production"}
    assert [str(row) for row in Account.objects.filter(is_management=True)] == ["Harbour Management (410000000001)"]
    assert Account.objects.get(is_management=True).ou_path == ""


def test_permission_sets_come_with_what_they_allow() -> None:
    sync()
    support = PermissionSet.objects.get(name="ProductionSupport")
    assert support.managed_policies == ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess", "/restart-services"]
    assert support.session_duration == timedelta(hours=1)
    assert "ec2:*Vpc*" in str(PermissionSet.objects.get(name="DeveloperAccess").inline_policy)


def test_a_second_sync_changes_nothing_and_asks_for_the_lists_alone(simulator: Simulator) -> None:
    sync()
    events, asked = Event.objects.count(), calls(simulator)
    assert sync() == mirror.Result()
    assert Event.objects.count() == events
    lists = 1 + 1 + 2 * 6 + 1  # the organisation, its root, two for each unit and the root, the permission sets
    assert calls(simulator) - asked == lists


def test_details_are_read_again_after_a_day(simulator: Simulator, moment: Clock) -> None:
    sync()
    simulator.change_account(LEDGER.id, tags={"workload": "books"})
    assert sync().looked_at == 0
    moment.forward(mirror.DETAILS_HOLD)
    assert sync() == mirror.Result(changed=1, looked_at=31)
    assert Account.objects.get(account_id=LEDGER.id).tags == {"workload": "books"}


def test_where_a_policy_goes_by_tags_they_are_read_again_after_an_hour(simulator: Simulator, moment: Clock) -> None:
    sync()
    ledger = Account.objects.get(account_id=LEDGER.id)
    ledger.environment = Environment.objects.create(name="Production", slug="production", sensitivity=4)
    ledger.save()
    AccessPolicy.objects.create(
        name="Personal data",
        role=Role.objects.create(name="Developer", slug="developer"),
        environment=ledger.environment,
        permission_set=PermissionSet.objects.get(name="DeveloperAccess"),
        account_tags={"data": "personal"},
    )
    simulator.change_account(LEDGER.id, tags={"data": "personal"})
    moment.forward(mirror.TAGS_HOLD)
    sync()
    assert Account.objects.get(account_id=LEDGER.id).tags == {"data": "personal"}


def test_what_vanished_is_marked_and_what_comes_back_is_there_again(simulator: Simulator) -> None:
    sync()
    whole = simulator.organisation
    gone = tuple(row for row in whole.permission_sets if row.name != "DevOpsAccess")
    simulator.reorganise(replace(whole, permission_sets=gone).with_account(LEDGER.id, status="SUSPENDED"))
    assert sync().vanished == 2
    assert Account.objects.get(account_id=LEDGER.id).vanished_at
    assert PermissionSet.objects.get(name="DevOpsAccess").vanished_at
    simulator.reorganise(whole)
    assert sync() == mirror.Result(changed=2, looked_at=2)
    assert not Account.objects.exclude(vanished_at=None).exists()
    assert not PermissionSet.objects.exclude(vanished_at=None).exists()


def test_a_sync_that_is_cut_short_goes_on_where_it_was(simulator: Simulator) -> None:
    number = simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="DescribePermissionSet", rate=0.4))
    with pytest.raises(Refused):
        sync()
    read = PermissionSet.objects.count()
    assert 0 < read < 6
    assert "AccessDenied" in InventorySync.objects.get().trouble
    simulator.faults.remove(number)
    assert sync().looked_at == 31 - read
    row = InventorySync.objects.get()
    assert (row.trouble, row.claim) == ("", None)
    assert row.finished_at


def test_a_list_that_breaks_off_marks_nothing_as_vanished(simulator: Simulator) -> None:
    sync()
    simulator.faults.add(Fault(FaultKind.INTERNAL, operation="ListAccountsForParent", rate=0.4))
    with pytest.raises(ProvisionerError):
        sync()
    assert not Account.objects.exclude(vanished_at=None).exists()


def test_an_organisation_without_anything_is_not_believed(simulator: Simulator) -> None:
    sync()
    simulator.reorganise(replace(simulator.organisation, permission_sets=()))
    with pytest.raises(mirror.ListsNothing, match="no permission set"):
        sync()
    assert not PermissionSet.objects.exclude(vanished_at=None).exists()
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("sync_inventory")


def test_a_slice_ends_after_its_time_and_the_next_goes_on() -> None:
    first = mirror.sync(AwsInventory(), timedelta(microseconds=1))
    assert first is not None
    assert (first.looked_at, first.left) == (0, 31)
    assert InventorySync.objects.get().finished_at is None
    assert sync().looked_at == 31


def test_admins_read_on_their_front_page_why_it_has_not_been_read_for_an_hour(
    simulator: Simulator, admin_client: Client, moment: Clock
) -> None:
    sync()
    simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="ListRoots"))
    with pytest.raises(Refused):
        sync()
    assert 'id="inventory"' not in admin_client.get("/admin/").content.decode()
    InventorySync.objects.update(finished_at=moment.time - timedelta(hours=2))
    body = admin_client.get("/admin/").content.decode()
    assert "Mon 16 Nov 2026, 07:00 UTC</time>:</strong> AWS said AccessDenied" in body


class Deleted(AwsInventory):
    """Permission sets are deleted between the list and the look."""

    def permission_set(self, arn: str) -> PermissionSetRow | None:
        return None


def test_a_permission_set_that_is_deleted_meanwhile_is_passed_over() -> None:
    assert mirror.sync(Deleted()) is not None
    assert not PermissionSet.objects.exists()


class Nested(AwsInventory):
    """Another sync begins while this one is at work."""

    def permission_set_arns(self) -> Iterator[str]:
        assert mirror.sync(AwsInventory()) is None
        return super().permission_set_arns()


def test_two_never_work_at_once_and_a_dead_one_is_not_waited_for_for_ever(moment: Clock) -> None:
    assert mirror.sync(Nested()) is not None
    InventorySync.objects.update(claim="00000000-0000-4000-8000-000000000000", claimed_until=moment.time)
    moment.forward(timedelta(seconds=1))
    assert sync() == mirror.Result()


def test_every_row_that_it_writes_has_its_version() -> None:
    sync()
    assert live_rows.first_difference()[1] == ""

"""What AWS holds and what the portal knows are brought together: put back what is ours, show what is not."""

from datetime import timedelta
from typing import Any

from accessrequests import drift
from accessrequests.models import Assignment, Finding
from accessrequests.shown import timeline
from accessrequests.states import FindingStatus, GrantStatus, Presence, RequestStatus
from jitportal.demo import organisation as company
from jitportal.demo.simulator import AssignmentKey
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import by_hand, events, found, key_of


def test_a_scan_of_what_is_as_it_should_be_changes_nothing(office: Office) -> None:
    office.submit(accounts=office.catalog.sandbox_accounts)
    office.work()
    before = list(Assignment.objects.order_by("pk").values())
    drift.scan(office.aws)
    assert list(Assignment.objects.order_by("pk").values()) == before
    assert not Finding.objects.exists()


def test_access_that_was_taken_away_by_hand_is_put_back_while_its_grant_lives(office: Office) -> None:
    request = office.submit()
    office.work()
    ends_at = office.grant(request).ends_at
    by_hand(office, key_of(office), present=False)
    office.moment.forward(timedelta(minutes=10))
    drift.scan(office.aws)
    assert office.in_aws() == [], "the scan itself creates nothing"
    office.work()
    assert office.in_aws() == [key_of(office)]
    assert (office.grant(request).status, office.grant(request).ends_at) == (GrantStatus.ACTIVE, ends_at)
    office.pass_time(hours=1)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_a_drift_stands_on_the_timeline_with_account_permission_set_and_person(office: Office) -> None:
    request = office.submit()
    office.work()
    by_hand(office, key_of(office), present=False)
    drift.scan(office.aws)
    office.work()
    drift.scan(office.aws)
    said = {event.action: event.sentence for event in timeline(request)}
    account = office.catalog.sandbox_accounts[0]
    for action in ("assignment.drift_found", "assignment.drift_repaired"):
        assert len(events(action)) == 1
        for part in (str(account), "DeveloperAccess", company.ADA.name):
            assert part in said[action]


def test_every_request_that_leaned_on_it_is_told_once(office: Office) -> None:
    requests = [office.submit(), office.submit(duration=timedelta(hours=4))]
    office.work()
    by_hand(office, key_of(office), present=False)
    drift.scan(office.aws)
    office.work()
    for action in ("assignment.drift_found", "assignment.drift_repaired"):
        assert {event.subject_id for event in events(action)} == {str(request.pk) for request in requests}
        assert len(events(action)) == 2
    office.pass_time(hours=1)
    assert office.in_aws() == [key_of(office)]
    office.pass_time(hours=3)
    assert office.in_aws() == []


def test_access_without_a_live_grant_that_is_gone_is_only_noted(office: Office) -> None:
    request = office.submit()
    office.work()
    by_hand(office, key_of(office), present=False)
    Assignment.objects.update(due_at=None)
    request.grants.update(status=GrantStatus.ENDED, end_reason="expired")
    drift.scan(office.aws)
    row = Assignment.objects.get()
    assert (row.presence, row.was_begun, row.due_at) == (Presence.ABSENT, False, None)
    office.work()
    assert (office.in_aws(), events("assignment.drift_found")) == ([], [])


def test_standing_access_that_goes_while_a_grant_leans_on_it_is_put_back_as_ours(office: Office) -> None:
    by_hand(office, key_of(office))
    request = office.submit()
    office.work()
    assert Assignment.objects.get().is_standing
    by_hand(office, key_of(office), present=False)
    drift.scan(office.aws)
    office.work()
    assert office.in_aws() == [key_of(office)]
    office.pass_time(hours=1)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_standing_access_becomes_one_finding_with_who_what_where_and_since_when(office: Office) -> None:
    finding = found(office)
    since = office.moment.time
    office.moment.forward(timedelta(hours=1))
    drift.scan(office.aws)
    finding = Finding.objects.get()
    assert (finding.status, finding.principal_name) == (FindingStatus.OPEN, company.ADA.user_name)
    assert (finding.account, finding.permission_set) == (
        office.catalog.sandbox_accounts[0],
        office.catalog.permission_set,
    )
    assert (finding.first_seen_at, finding.last_seen_at) == (since, office.moment.time)
    assert [event.subject_id for event in events("finding.opened")] == [str(finding.pk)]
    assert office.in_aws() == [key_of(office)]


def test_what_a_group_holds_is_found_too(office: Office) -> None:
    group = AssignmentKey(*key_of(office)[:2], "GROUP", "90676f0e-1111-4222-8333-444455556666")
    by_hand(office, group)
    drift.scan(office.aws)
    finding = Finding.objects.get()
    assert (finding.principal_type, finding.principal_id) == ("GROUP", group.principal_id)
    assert (finding.principal_name, str(finding)[:36]) == ("", group.principal_id)


def test_a_finding_whose_access_vanishes_closes_by_itself_and_opens_anew_if_it_comes_back(office: Office) -> None:
    first = found(office)
    by_hand(office, key_of(office), present=False)
    drift.scan(office.aws)
    first.refresh_from_db()
    assert (first.status, first.closed_at) == (FindingStatus.GONE, office.moment.time)
    assert len(events("finding.resolved")) == 1
    assert found(office).pk != first.pk
    assert Finding.objects.count() == 2


def test_access_that_was_ours_and_is_made_again_by_somebody_else_is_a_finding_and_not_deleted(office: Office) -> None:
    office.submit()
    office.work()
    office.pass_time(hours=1)
    assert office.in_aws() == []
    finding = found(office)
    assert finding.status == FindingStatus.OPEN
    request = office.submit()
    office.work()
    office.pass_time(hours=1)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [key_of(office)])


def test_standing_access_that_a_grant_leans_on_stays_a_finding(office: Office) -> None:
    finding = found(office)
    office.submit()
    drift.scan(office.aws)
    office.work()
    drift.scan(office.aws)
    assert Finding.objects.get(status=FindingStatus.OPEN) == finding


def test_a_finding_on_what_aws_no_longer_lists_closes(office: Office) -> None:
    finding = found(office)
    account = office.catalog.sandbox_accounts[0]
    type(account).objects.filter(pk=account.pk).update(vanished_at=office.moment.time)
    drift.scan(office.aws)
    finding.refresh_from_db()
    assert finding.status == FindingStatus.GONE


def test_a_creation_that_may_yet_come_true_is_nobody_elses_until_the_doubt_is_over(office: Office) -> None:
    office.submit()
    office.work()
    office.pass_time(hours=1)
    doubt_until = office.moment.time + timedelta(minutes=3)
    Assignment.objects.update(presence=Presence.ABSENT, was_begun=True, doubt_until=doubt_until)
    by_hand(office, key_of(office))
    drift.scan(office.aws)
    assert (Finding.objects.count(), Assignment.objects.get().was_begun) == (0, True)
    office.moment.forward(timedelta(minutes=4))
    drift.scan(office.aws)
    assert Finding.objects.get().status == FindingStatus.OPEN


def test_a_name_from_aws_hides_nothing(office: Office) -> None:
    class Turned:
        def __getattr__(self, name: str) -> Any:
            return getattr(office.aws, name)

        def principal_name(self, principal_type: str, principal_id: str) -> str:
            return "\u202emoc.elpmaxe@ada\u0000"

    by_hand(office, key_of(office))
    drift.scan(Turned())
    assert Finding.objects.get().principal_name == "moc.elpmaxe@ada"

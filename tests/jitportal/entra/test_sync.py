"""Leaving counts without a sign-in: what the sync takes over from the directory, and what it makes of errors."""

import copy
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from werkzeug.wrappers import Request, Response

from auditlog import checkpoints, integrity
from auditlog.actor import Actor
from auditlog.models import Event
from catalog.models import DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo import simulator
from jitportal.demo.directory import Fault, FaultKind, Group
from jitportal.entra.sync import Result
from jitportal.models import DirectorySync, LeftBecause, User
from jitportal.signin import local_admins
from jitportal.signin.people import take_in
from jitportal.signin.refusals import Refused
from tests.conftest import Clock
from tests.directory import claims_of
from tests.jitportal.entra.conftest import Portal

pytestmark = pytest.mark.django_db


def events(action: str) -> list[Event]:
    return list(Event.objects.filter(action=action).order_by("number"))


def test_who_leaves_a_group_is_out_of_it_without_a_sign_in(portal: Portal) -> None:
    portal.directory.set_member(company.PAYMENTS.object_id, company.ADA.object_id, is_member=False)
    assert portal.sync().asked == 1
    assert portal.row(company.ADA).group_ids == {company.ON_CALL.object_id}
    (event,) = events("person.groups_changed")
    assert event.sentence == f"The directory groups of Ada Lindqvist changed, left {left_group()}"
    assert event.actor == "system:directory sync"


def left_group() -> str:
    return f"{company.PAYMENTS.name} ({company.PAYMENTS.object_id})"


def test_who_joins_a_group_may_ask_as_one_of_it_without_a_sign_in(portal: Portal) -> None:
    portal.directory.set_member(company.PAYMENTS.object_id, company.HUGO.object_id, is_member=True)
    portal.sync()
    portal.office.submit(company.HUGO)


def test_groups_that_the_portal_does_not_know_are_not_kept(portal: Portal) -> None:
    chess = Group("d0000000-0000-4000-8000-000000000001", "Chess club")
    portal.directory.change(company.ADA.object_id, groups=(*company.ADA.groups, chess))
    portal.sync()
    assert not DirectoryGroup.objects.filter(object_id=chess.object_id).exists()


def test_a_group_within_a_group_counts_and_leaving_it_counts_too(portal: Portal) -> None:
    inner = Group("d0000000-0000-4000-8000-000000000001", "Juniors", within=(company.PAYMENTS,))
    portal.directory.change(company.HUGO.object_id, groups=(inner,))
    portal.sync()
    assert portal.row(company.HUGO).group_ids == {company.PAYMENTS.object_id}
    portal.directory.change(company.HUGO.object_id, groups=())
    portal.sync()
    assert portal.row(company.HUGO).group_ids == frozenset()


def test_a_group_that_comes_into_use_brings_its_people(portal: Portal) -> None:
    chess = Group("d0000000-0000-4000-8000-000000000001", "Chess club")
    portal.directory.change(company.GRACE.object_id, groups=(*company.GRACE.groups, chess))
    portal.sync()
    group = DirectoryGroup.objects.create(object_id=chess.object_id, name="Chess club")
    portal.office.catalog.automatic.requestable_by.add(group)
    portal.sync()
    assert chess.object_id in portal.row(company.GRACE).group_ids


@pytest.mark.parametrize(
    ("changes", "because"),
    [({"enabled": False}, LeftBecause.DISABLED), ({"guest": True}, LeftBecause.GUEST), ({}, LeftBecause.DELETED)],
)
def test_who_left_is_offboarded(portal: Portal, changes: dict[str, bool], because: LeftBecause) -> None:
    if changes:
        portal.directory.change(company.ADA.object_id, **changes)
    else:
        portal.directory.remove(company.ADA.object_id)
    assert portal.sync().left == 1
    ada = portal.row(company.ADA)
    assert (ada.is_active, ada.left_because, ada.to_check) == (False, because, False)
    assert events("person.left")[0].data["because"] == because
    assert portal.sync().left == 0


def test_who_is_disabled_in_identity_center_is_offboarded_and_returns_when_enabled_there(portal: Portal) -> None:
    request = portal.office.submit()
    portal.office.work()
    aws = portal.office.simulator
    aws.reorganise(aws.organisation.with_user(company.ADA.user_name, enabled=False))
    portal.sync()
    portal.office.work()
    assert portal.row(company.ADA).left_because == LeftBecause.IDENTITY_CENTER
    assert portal.office.again(request).status == "ended"
    portal.directory.change(company.ADA.object_id, job_title="Engineer")
    assert portal.sync().returned == 0
    aws.reorganise(aws.organisation.with_user(company.ADA.user_name, enabled=True))
    assert portal.sync().returned == 1
    assert portal.row(company.ADA).is_active


def test_who_left_for_identity_center_does_not_return_by_signing_in(portal: Portal, settings: Settings) -> None:
    User.objects.filter(object_id=company.ADA.object_id).update(
        is_active=False, left_at=timezone.now(), left_because=LeftBecause.IDENTITY_CENTER
    )
    with pytest.raises(Refused) as refused:
        take_in(claims_of(company.ADA, settings.ENTRA_TENANT_ID))
    assert "IAM Identity Center" in refused.value.reason


def test_who_left_the_directory_returns_by_signing_in(portal: Portal, settings: Settings) -> None:
    portal.directory.change(company.ADA.object_id, enabled=False)
    portal.sync()
    assert take_in(claims_of(company.ADA, settings.ENTRA_TENANT_ID)).is_active
    assert [event.actor for event in events("person.returned")] == [f"person:{company.ADA.object_id}"]


def test_an_error_of_identity_center_offboards_nobody(portal: Portal) -> None:
    portal.office.submit()
    portal.office.work()
    portal.office.simulator.faults.add(simulator.Fault(simulator.FaultKind.ACCESS_DENIED, operation="DescribeUser"))
    portal.sync()
    assert portal.inactive() == set()


def test_who_returns_is_taken_back_and_gets_nothing_back(portal: Portal) -> None:
    request = portal.office.submit()
    portal.office.work()
    portal.directory.change(company.ADA.object_id, enabled=False)
    portal.sync()
    portal.directory.change(company.ADA.object_id, enabled=True)
    assert portal.sync().returned == 1
    portal.office.work()
    assert portal.row(company.ADA).is_active
    assert portal.office.again(request).status == "ended"
    assert portal.office.in_aws() == []
    assert len(events("person.returned")) == 1


def test_who_is_locked_out_stays_so(portal: Portal) -> None:
    User.objects.filter(object_id=company.ADA.object_id).update(is_active=False)
    portal.directory.change(company.ADA.object_id, department="Ledger")
    assert portal.sync().returned == 0
    assert not portal.row(company.ADA).is_active


def test_whoever_leaves_is_signed_out_at_their_next_click(portal: Portal) -> None:
    browser = Client()
    browser.force_login(portal.row(company.ADA))
    assert browser.get("/").status_code == 200
    portal.directory.change(company.ADA.object_id, enabled=False)
    portal.sync()
    assert browser.get("/").status_code == 302
    portal.directory.change(company.ADA.object_id, enabled=True)
    portal.sync()
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize(
    "name", ["x" * 500, "מרים לוי", "فاطمة الزهراء", "Zoe\u0308 A\u030angstro\u0308m", "<script>alert(1)</script>"]
)
def test_a_new_name_is_taken_over_and_recorded(portal: Portal, name: str) -> None:
    portal.directory.change(company.ADA.object_id, name=name, email="", department="")
    portal.sync()
    ada = portal.row(company.ADA)
    assert (ada.name, ada.email, ada.department) == (name, "", "")
    event = events("person.changed")[-1]
    assert event.subject_id == company.ADA.object_id
    assert event.data["changes"]["name"] == ["Ada Lindqvist", name]


def test_a_name_that_cannot_be_kept_leaves_the_old_one(portal: Portal) -> None:
    portal.directory.change(company.ADA.object_id, name="x" * 501, user_name="ada\u200b@harbour.example")
    portal.sync()
    ada = portal.row(company.ADA)
    assert (ada.name, ada.user_name) == (company.ADA.name, company.ADA.user_name)


def test_a_group_that_goes_by_its_id_gets_its_name_and_others_keep_theirs(portal: Portal) -> None:
    DirectoryGroup.objects.filter(object_id=company.DATA.object_id).update(name=company.DATA.object_id)
    portal.directory.rename_group(company.PAYMENTS.object_id, "Money")
    portal.sync()
    names = dict(DirectoryGroup.objects.values_list("object_id", "name"))
    assert (names[company.DATA.object_id], names[company.PAYMENTS.object_id]) == (
        "Data Analysts",
        company.PAYMENTS.name,
    )


def test_names_that_cannot_be_had_keep_nobody_from_leaving(portal: Portal) -> None:
    DirectoryGroup.objects.filter(object_id=company.DATA.object_id).update(name=company.DATA.object_id)
    portal.directory.change(company.ADA.object_id, enabled=False)
    portal.server.graph.faults.add(Fault(FaultKind.REFUSED, path="/v1.0/groups", spare=1))
    result = portal.sync()
    assert (result.left, result.trouble) == (1, "")


def test_a_second_look_that_fails_keeps_the_person_and_not_the_others(portal: Portal) -> None:
    for person in (company.ADA, company.BEN):
        portal.directory.change(person.object_id, enabled=False)
    portal.server.graph.faults.add(Fault(FaultKind.REFUSED, path=f"/users/{company.ADA.object_id}", spare=1))
    assert portal.sync().left == 1
    assert portal.inactive() == {"Ben Okafor"}
    assert portal.sync().left == 1


def test_strangers_of_the_directory_are_not_kept(portal: Portal) -> None:
    portal.directory.add(replace(company.ADA, object_id="b0000000-0000-4000-8000-000000000099", name="Nobody"))
    assert portal.sync().asked == 0
    assert User.objects.count() == 11


def test_monitors_read_of_a_directory_that_has_not_told_for_three_intervals(portal: Portal, moment: Clock) -> None:
    def said() -> str:
        found: str = Client().get("/readyz").json()["directory"]
        return found

    portal.server.graph.permissions.discard("User.Read.All")
    portal.directory.change(company.ADA.object_id, enabled=False)
    moment.forward(timedelta(minutes=15))
    assert portal.sync().trouble
    before = Client().get("/readyz")
    assert before.json()["directory"] == "ok"
    moment.forward(timedelta(minutes=1))
    assert said() == "not read in full for 16 minutes"
    # Who revokes access needs the pages now.
    assert Client().get("/readyz").status_code == before.status_code
    portal.server.graph.permissions.add("User.Read.All")
    portal.sync()
    assert said() == "ok"


def test_who_is_gone_at_the_first_look_and_there_at_the_second_stays(portal: Portal) -> None:
    portal.directory.change(company.ADA.object_id, enabled=False)
    asked = portal.server.graph.answer

    def enabled_after_the_first_look(request: Request, path: str) -> Response:
        answer = asked(request, path)
        if path.endswith(company.ADA.object_id):
            portal.directory.people[company.ADA.object_id] = company.ADA
        return answer

    portal.server.graph.answer = enabled_after_the_first_look  # type: ignore[method-assign]
    assert portal.sync().left == 0
    assert portal.inactive() == set()


def test_a_sign_in_whose_token_tells_no_department_takes_nobodys_right_to_ask(
    portal: Portal, settings: Settings
) -> None:
    automatic = portal.office.catalog.automatic
    automatic.requestable_by.clear()
    automatic.departments = ["Ledgers"]
    automatic.save()
    portal.directory.change(company.ADA.object_id, department="Ledgers")
    portal.sync()
    take_in(replace(claims_of(company.ADA, settings.ENTRA_TENANT_ID), email=None, department=None))
    portal.office.submit()


def test_what_a_sign_in_told_meanwhile_is_newer(portal: Portal, moment: Clock) -> None:
    portal.directory.set_member(company.PAYMENTS.object_id, company.ADA.object_id, is_member=False)
    User.objects.filter(object_id=company.ADA.object_id).update(described_at=moment.time)
    portal.sync()
    assert company.PAYMENTS.object_id in portal.row(company.ADA).group_ids
    moment.forward(timedelta(minutes=5))
    portal.sync()
    assert company.PAYMENTS.object_id not in portal.row(company.ADA).group_ids


def test_the_record_is_whole_after_all_of_it(portal: Portal) -> None:
    request = portal.office.submit_production()
    portal.office.decide(request, company.CHIARA)
    portal.directory.set_member(company.PAYMENTS.object_id, company.BEN.object_id, is_member=False)
    portal.directory.change(company.CHIARA.object_id, enabled=False)
    portal.sync()
    portal.directory.change(company.CHIARA.object_id, name="Chiara", enabled=True)
    portal.sync()
    found = integrity.verify([checkpoints.public_key()])
    assert found.whole, found.problem


def test_a_local_administrator_is_nobody_whom_the_directory_is_asked_about(portal: Portal) -> None:
    _, made = local_admins.open_for(timedelta(hours=1), "The directory comes and goes.", Actor.system("test"))
    portal.server.graph.deltas.forget()
    assert portal.sync() == Result(asked=11)
    made.person.refresh_from_db()
    assert made.person.is_staff
    assert not made.person.to_check


def test_beside_no_demo_the_command_says_in_a_sentence_what_to_give_it(portal: Portal, settings: Settings) -> None:
    settings.GRAPH_URL = "http://127.0.0.1:9/directory/graph"
    settings.ENTRA_ISSUER = f"http://127.0.0.1:9/directory/{settings.ENTRA_TENANT_ID}/v2.0"
    with pytest.raises(CommandError) as said:
        call_command("sync_people")
    assert str(said.value) == (
        f"No demo answers at {settings.PORTAL_URL}. Start one with make demo, or give this command the PORT and the "
        "DATA_DIR of the one that runs. Nobody was changed."
    )


def test_beside_another_demo_the_command_says_that_it_is_another(portal: Portal, settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["client_id"], app["secret"] = portal.directory.client.client_id, "of another DATA_DIR"
    portal.server.graph.forget_tokens()
    with pytest.raises(CommandError, match="is not the one of this DATA_DIR"):
        call_command("sync_people")


def test_a_demo_that_comes_back_on_another_port_is_followed_again(portal: Portal) -> None:
    DirectorySync.objects.update(users_link="http://127.0.0.1:9/directory/graph/v1.0/users/delta?$deltatoken=x")
    portal.directory.change(company.ADA.object_id, enabled=False)
    assert portal.sync() == Result(asked=11, left=1)


def test_guests_leave_and_return_as_the_settings_have_it(portal: Portal, settings: Settings) -> None:
    settings.ENTRA_GUESTS_ALLOWED = True
    portal.directory.change(company.ADA.object_id, guest=True)
    assert portal.sync().left == 0
    settings.ENTRA_GUESTS_ALLOWED = False
    assert portal.sync().left == 1
    assert portal.row(company.ADA).left_because == LeftBecause.GUEST
    settings.ENTRA_GUESTS_ALLOWED = True
    assert portal.sync().returned == 1

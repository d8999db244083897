"""The doctor finds what is missing in a tenant, one thing at a time, and says in the words of the guide what to do."""

import copy
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from catalog.models import ApproverGroup, DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Directory, DirectoryServer, Fault, FaultKind
from jitportal.entra import doctor
from jitportal.entra.doctor import State
from jitportal.entra.remedies import Remedy
from jitportal.environment import PROJECT
from jitportal.models import User
from tests.accessrequests.conftest import Catalog

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def here(settings: Settings, directory_server: DirectoryServer) -> DirectoryServer:
    """A tenant that an administrator has set up with care, and a portal whose address is registered."""
    settings.PORTAL_URL = "http://127.0.0.1:8000"
    directory_server.graph.permissions |= {"Application.Read.All", "Policy.Read.ConditionalAccess"}
    for group in company.GROUPS:
        directory_server.directory.add_group(group)
    return directory_server


def found(state: State) -> dict[str, tuple[str, str]]:
    return {check.what: (check.said, check.remedy) for check in doctor.examine(patience=0) if check.state is state}


def missing() -> dict[str, tuple[str, str]]:
    return found(State.MISSING)


def app(settings: Settings) -> dict[str, str]:
    settings.SOCIALACCOUNT_PROVIDERS = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    made: dict[str, str] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    return made


def test_nothing_is_missing_in_a_tenant_that_is_set_up() -> None:
    said = StringIO()
    call_command("doctor", "entra", stdout=said)
    lines = said.getvalue().splitlines()
    assert lines[-1] == f"{len(lines) - 1} ok, 0 missing, 0 could not ask"
    assert all(line.startswith("ok  ") for line in lines[:-1])


def test_the_command_fails_and_says_what_to_do_when_something_is_missing(here: DirectoryServer) -> None:
    here.graph.permissions.discard("User.Read.All")
    said = StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", "entra", stdout=said)
    assert "missing        Permission User.Read.All: The application's token" in said.getvalue()
    assert f"→ {Remedy.PERMISSION}" in said.getvalue()


def test_a_wrong_secret_is_found_in_the_directorys_words(settings: Settings) -> None:
    app(settings)["secret"] = "guessed"
    # Beside a demo it is not Entra's secret that is wrong.
    settings.EMBEDDED = False
    said, remedy = missing()["Client secret"]
    assert "AADSTS7000215" in said
    assert remedy == Remedy.RENEW


def test_another_tenant_is_found(settings: Settings) -> None:
    settings.ENTRA_ISSUER = settings.ENTRA_ISSUER.replace(settings.ENTRA_TENANT_ID, company.ADA.object_id)
    assert found(State.UNASKED).keys() | missing().keys() >= {"Discovery document", "Client secret"}


def test_another_client_id_is_found_by_the_directory(settings: Settings) -> None:
    app(settings)["client_id"] = company.ADA.object_id
    assert missing()["Redirect address http://127.0.0.1:8000/sign-in/"][1] == Remedy.CLIENT


def test_an_address_that_is_not_registered_is_found(settings: Settings) -> None:
    settings.PORTAL_URL = "https://elsewhere.example.com"
    addresses = {what.rpartition(" ")[2] for what, (_, remedy) in missing().items() if remedy == Remedy.REDIRECT}
    home = "https://elsewhere.example.com/sign-in"
    assert addresses == {f"{home}/", f"{home}/entra/callback/"}


@pytest.mark.parametrize("permission", ["User.Read.All", "GroupMember.Read.All"])
def test_each_permission_is_asked_for(here: DirectoryServer, permission: str) -> None:
    here.graph.permissions.discard(permission)
    assert missing()[f"Permission {permission}"][1] == Remedy.PERMISSION


def test_groups_that_do_not_exist_are_named_with_where_they_come_from(settings: Settings) -> None:
    settings.ENTRA_ADMIN_GROUP_ID = "d0000000-0000-4000-8000-000000000009"
    assert "ENTRA_ADMIN_GROUP_ID" in missing()["Groups"][0]
    settings.ENTRA_ADMIN_GROUP_ID = company.ADMINS.object_id
    DirectoryGroup.objects.create(object_id="d0000000-0000-4000-8000-000000000008", name="Chess club")
    assert "“Chess club” of the catalog" in missing()["Groups"][0]


def test_a_department_that_nobody_in_the_directory_is_in_is_found_and_one_that_is_written_otherwise(
    catalog: Catalog, directory: Directory
) -> None:
    def named(*departments: str) -> None:
        catalog.two_stages.departments = list(departments)
        catalog.two_stages.save()

    assert "Departments" not in found(State.OK)
    named("Payments", "Risk")
    assert found(State.OK)["Departments"][0] == "all 2 that policies name are there, and told by the sync"
    named("payments")
    said, remedy = missing()["Departments"]
    assert said == (
        "The directory has nobody in the department “payments”, which “Production developers” names; "
        "it writes “Payments”."
    )
    assert remedy == Remedy.DEPARTMENT
    named("Bob's")
    assert missing()["Departments"][0].endswith("“Bob's”, which “Production developers” names.")
    directory.change(company.ADA.object_id, department="Bob's")
    assert "Departments" not in missing()


def test_a_context_that_a_policy_demands_and_nobody_published_is_found(catalog: Catalog, directory: Directory) -> None:
    catalog.two_stages.step_up_context = "c3"
    catalog.two_stages.step_up_for = "both"
    catalog.two_stages.step_up_longest_age = timedelta(minutes=15)
    catalog.two_stages.save()
    said, remedy = missing()["Authentication contexts"]
    assert said == "C3, which “Production developers” demands, is not published to apps."
    assert remedy == Remedy.CONTEXT
    directory.contexts |= {"c3"}
    assert missing() == {}


def test_what_the_tokens_lack_is_found_in_the_registration(here: DirectoryServer) -> None:
    here.graph.registration.group_membership_claims = None
    here.graph.registration.optional_claims = ("acct",)
    here.graph.registration.secret_lasts = timedelta(days=7)
    assert {what: remedy for what, (_, remedy) in missing().items()} == {
        "Groups claim": Remedy.GROUPS_CLAIM,
        "Optional claim auth_time": Remedy.CLAIMS,
        "Optional claim login_hint": Remedy.CLAIMS,
        "Secret’s end": Remedy.RENEW,
    }


def test_what_the_portal_may_not_ask_is_said_to_be_unasked_and_not_missing(
    here: DirectoryServer, catalog: Catalog
) -> None:
    catalog.two_stages.step_up_context = "c1"
    catalog.two_stages.step_up_for = "both"
    catalog.two_stages.step_up_longest_age = timedelta(minutes=15)
    catalog.two_stages.save()
    here.graph.permissions -= {"Application.Read.All", "Policy.Read.ConditionalAccess"}
    assert {what: remedy for what, (_, remedy) in found(State.UNASKED).items()} == {
        "Authentication contexts": Remedy.CONTEXTS_UNASKED,
        "App registration": Remedy.REGISTRATION_UNASKED,
    }
    assert missing() == {}


def test_a_directory_that_cannot_be_reached_is_said_to_be_unasked(settings: Settings) -> None:
    settings.ENTRA_ISSUER = f"http://127.0.0.1:9/{settings.ENTRA_TENANT_ID}/v2.0"
    settings.GRAPH_URL = "http://127.0.0.1:9/graph"
    assert missing() == {}
    assert {what: remedy for what, (_, remedy) in found(State.UNASKED).items()} == {
        "Discovery document": Remedy.UNREACHABLE,
        "Client secret": Remedy.UNREACHABLE,
    }


def test_the_command_fails_too_when_the_directory_does_not_answer(settings: Settings) -> None:
    settings.ENTRA_ISSUER = f"http://127.0.0.1:9/{settings.ENTRA_TENANT_ID}/v2.0"
    settings.GRAPH_URL = "http://127.0.0.1:9/graph"
    with pytest.raises(CommandError, match="did not answer everything"):
        call_command("doctor", "entra", stdout=StringIO())


def test_one_answer_that_fails_keeps_the_others_from_nothing(here: DirectoryServer) -> None:
    here.graph.faults.add(Fault(FaultKind.UNAVAILABLE, "/users/delta", times=9))
    assert list(found(State.UNASKED)) == ["Permission User.Read.All"]
    assert missing() == {}


def test_the_guide_says_what_the_doctor_says() -> None:
    guide = re.sub(r"\s+", " ", (PROJECT / "docs" / "entra.md").read_text())
    assert [remedy.name for remedy in Remedy if remedy.value not in guide] == []


def test_managers_are_looked_for_where_a_policy_asks_them(catalog: Catalog, settings: Settings) -> None:
    assert "Managers" not in found(State.OK)
    stage = catalog.two_stages.stages.get(position=1)
    stage.approver_group = ApproverGroup.objects.create(name="Line manager", is_requesters_manager=True)
    stage.save()
    ada = User.objects.create(
        tenant_id=settings.ENTRA_TENANT_ID, object_id=company.ADA.object_id, user_name="ada@x", name="Ada"
    )
    assert missing() == {"Managers": ("The directory has told no manager of anybody here.", Remedy.MANAGER)}
    User.objects.filter(pk=ada.pk).update(manager_object_id=company.CHIARA.object_id)
    assert found(State.OK)["Managers"][0] == "of 1 of the 1 people known here the directory has told one"

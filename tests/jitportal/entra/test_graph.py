"""The client of Microsoft Graph: patient within a budget, and sure of what it was told."""

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
from pytest_django import Settings

from jitportal.demo.directory import DirectoryServer, Fault, FaultKind, Group
from jitportal.demo.organisation import ADA as ENGINEER
from jitportal.demo.organisation import CHIARA, PLATFORM
from jitportal.entra.errors import Failed, Forbidden, GraphError, LinkTooOld, NotThere, Throttled, Unreachable
from jitportal.entra.graph import Graph

Client = Callable[[], Graph]


def test_a_person_is_told_as_they_are(client: Client) -> None:
    told = client().person(ENGINEER.object_id)
    assert (told.is_enabled, told.is_guest, told.name, told.user_name, told.email, told.department) == (
        True,
        False,
        "Ada Lindqvist",
        "ada.lindqvist@harbour.example",
        "ada.lindqvist@harbour.example",
        "Payments",
    )


def test_a_manager_is_told_and_so_is_that_there_is_none(client: Client, directory_server: DirectoryServer) -> None:
    directory_server.directory.change(ENGINEER.object_id, manager=CHIARA.object_id)
    assert client().person(ENGINEER.object_id).manager == CHIARA.object_id
    directory_server.directory.change(ENGINEER.object_id, manager="")
    assert client().person(ENGINEER.object_id).manager == ""


@pytest.mark.parametrize("said", ["b0000000-0000-4000-8000-000000000003", {}, {"id": 3}, {"id": "chiara"}, []])
def test_a_manager_who_cannot_be_read_is_not_taken_for_none(
    client: Client, directory_server: DirectoryServer, monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    answer = {"id": ENGINEER.object_id, "accountEnabled": True, "manager": said}
    monkeypatch.setattr(directory_server.graph, "_user", lambda *_, **__: answer)
    assert client().person(ENGINEER.object_id).manager is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("x" * 500, "x" * 500),
        ("x" * 501, None),
        ("מרים לוי", "מרים לוי"),
        ("Zoe\u0308", "Zoe\u0308"),
        ("\u202etxt", "txt"),
    ],
)
def test_a_name_is_taken_as_at_sign_in(
    client: Client, directory_server: DirectoryServer, given: str, kept: str
) -> None:
    directory_server.directory.change(ENGINEER.object_id, name=given)
    assert client().person(ENGINEER.object_id).name == kept


def test_an_address_with_something_unseen_in_it_is_not_taken(client: Client, directory_server: DirectoryServer) -> None:
    directory_server.directory.change(ENGINEER.object_id, email="erin\u200b@example.com", user_name="er­@x")
    told = client().person(ENGINEER.object_id)
    assert (told.email, told.user_name) == (None, None)


def test_a_department_with_something_unseen_in_it_is_taken_for_none(
    client: Client, directory_server: DirectoryServer
) -> None:
    directory_server.directory.change(ENGINEER.object_id, department="Pay\u200bments")
    assert client().person(ENGINEER.object_id).department == ""


def test_whoever_has_no_address_is_told_without(client: Client, directory_server: DirectoryServer) -> None:
    directory_server.directory.change(ENGINEER.object_id, email="")
    assert client().person(ENGINEER.object_id).email == ""


def test_groups_reach_through_groups(client: Client, directory_server: DirectoryServer) -> None:
    inner = Group("d0000000-0000-4000-8000-000000000001", "Inner", within=(PLATFORM,))
    directory_server.directory.change(ENGINEER.object_id, groups=(inner,))
    assert client().groups_of(ENGINEER.object_id) == {inner.object_id, PLATFORM.object_id}


def test_names_of_groups_are_asked_for_in_portions(client: Client, directory_server: DirectoryServer) -> None:
    groups = tuple(Group(f"d0000000-0000-4000-8000-{number:012}", f"Group {number}") for number in range(32))
    directory_server.directory.change(ENGINEER.object_id, groups=groups)
    assert client().group_names([group.object_id for group in groups]) == {g.object_id: g.name for g in groups}


def test_what_it_is_asked_to_wait_is_waited(
    client: Client, directory_server: DirectoryServer, waits: list[float]
) -> None:
    directory_server.graph.faults.add(Fault(FaultKind.THROTTLED, times=2, retry_after=11))
    assert client().person(ENGINEER.object_id).is_enabled
    assert waits == [11, 11]


def test_patience_ends(client: Client, directory_server: DirectoryServer, waits: list[float]) -> None:
    directory_server.graph.faults.add(Fault(FaultKind.THROTTLED, times=5, retry_after=40))
    with pytest.raises(Throttled):
        client().person(ENGINEER.object_id)
    assert waits == [40]


def test_a_fault_that_passes_is_not_seen_and_one_that_stays_is_told(
    client: Client, directory_server: DirectoryServer, waits: list[float]
) -> None:
    directory_server.graph.faults.add(Fault(FaultKind.UNAVAILABLE, times=4))
    assert client().person(ENGINEER.object_id).is_enabled
    assert waits == [0.5, 1, 2, 4]
    directory_server.graph.faults.add(Fault(FaultKind.UNAVAILABLE, times=5))
    with pytest.raises(Failed):
        client().person(ENGINEER.object_id)


def test_only_graph_itself_says_that_somebody_is_not_there(client: Client, directory_server: DirectoryServer) -> None:
    with pytest.raises(NotThere):
        client().person("e0000000-0000-4000-8000-00000000000f")
    directory_server.graph.faults.add(Fault(FaultKind.NOT_FOUND))
    with pytest.raises(Failed):
        client().person(ENGINEER.object_id)


def test_a_missing_permission_is_named(client: Client, directory_server: DirectoryServer) -> None:
    directory_server.graph.permissions.clear()
    with pytest.raises(Forbidden, match=r"User\.Read\.All"):
        client().person(ENGINEER.object_id)


def test_a_token_that_is_no_longer_taken_is_replaced(client: Client, directory_server: DirectoryServer) -> None:
    asking = client()
    asking.person(ENGINEER.object_id)
    directory_server.graph.forget_tokens()
    assert asking.person(ENGINEER.object_id).is_enabled


def test_a_wrong_secret_is_told_with_what_to_do(client: Client, settings: Settings) -> None:
    providers = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    providers["openid_connect"]["APPS"][0]["secret"] = "guessed"
    settings.SOCIALACCOUNT_PROVIDERS = providers
    # Beside a demo it is not Entra's secret that is wrong.
    settings.EMBEDDED = False
    with pytest.raises(Forbidden, match="ENTRA_CLIENT_SECRET"):
        client().person(ENGINEER.object_id)


def test_a_directory_that_is_not_there_is_unreachable(
    client: Client, settings: Settings, directory_server: DirectoryServer
) -> None:
    asking = client()
    asking.person(ENGINEER.object_id)
    directory_server.stop()
    with pytest.raises(Unreachable):
        asking.person(ENGINEER.object_id)


def test_the_token_goes_nowhere_but_to_graph(client: Client, settings: Settings) -> None:
    settings.EMBEDDED = False
    with pytest.raises(Failed, match="another place"):
        client().changes("users", "https://graph.example.com/v1.0/users/delta?$skiptoken=x")


def test_changes_come_page_by_page(client: Client, directory_server: DirectoryServer) -> None:
    asking = client()
    link = asking.from_now("users")
    directory_server.graph.page_size = 1
    directory_server.directory.change(ENGINEER.object_id, enabled=False)
    directory_server.directory.add(replace(ENGINEER, object_id="e0000000-0000-4000-8000-000000000007"))
    first = asking.changes("users", link)
    assert (set(first.people), first.is_last) == ({ENGINEER.object_id}, False)
    second = asking.changes("users", first.link)
    assert (len(second.people), second.is_last, second.anybody) == (1, True, False)


def test_a_change_of_a_group_within_a_group_may_concern_anybody(
    client: Client, directory_server: DirectoryServer
) -> None:
    asking = client()
    link = asking.from_now("groups")
    inner = Group("d0000000-0000-4000-8000-000000000001", "Inner", within=(PLATFORM,))
    directory_server.directory.change(ENGINEER.object_id, groups=(inner,))
    page = asking.changes("groups", link)
    assert page.anybody
    assert ENGINEER.object_id in page.people


def test_a_page_that_breaks_off_is_no_page(client: Client, directory_server: DirectoryServer) -> None:
    asking = client()
    link = asking.from_now("users")
    directory_server.graph.faults.add(Fault(FaultKind.CUT))
    with pytest.raises(GraphError):
        asking.changes("users", link)


@pytest.mark.parametrize("kind", [FaultKind.TOO_OLD, FaultKind.REFUSED])
def test_a_link_that_is_not_taken_any_more_is_too_old(
    client: Client, directory_server: DirectoryServer, kind: FaultKind
) -> None:
    asking = client()
    link = asking.from_now("users")
    directory_server.graph.faults.add(Fault(kind))
    with pytest.raises(LinkTooOld):
        asking.changes("users", link)

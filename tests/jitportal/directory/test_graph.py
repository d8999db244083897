"""What the directory tells an application of its people and groups, in the shapes and the errors of Microsoft Graph."""

from dataclasses import replace
from typing import Any

import pytest
import requests

from jitportal.demo.directory import DirectoryServer, Fault, FaultKind, Group
from tests.jitportal.directory.application import CLIENT, DEB, ERIN, GUS, PAYMENTS, Application, Clock

SELECT = "id,displayName,accountEnabled,userType"


class Reader:
    """An application that reads the directory with a token of its own."""

    def __init__(self, server: DirectoryServer, application: Application) -> None:
        self.server, self.application = server, application
        self.token = self.ask_token().json()["access_token"]

    def ask_token(self, **changes: str) -> requests.Response:
        form = {"client_id": CLIENT, "client_secret": "secret", "grant_type": "client_credentials"}
        form |= {"scope": f"{self.server.directory.graph_url}/.default", **changes}
        return self.application.http.post(self.application.endpoint("token_endpoint"), data=form, timeout=20)

    def get(self, path: str, **parameters: str) -> requests.Response:
        address = path if path.startswith("http") else f"{self.server.directory.graph_url}/v1.0{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.application.http.get(address, params=parameters, headers=headers, timeout=20)

    def member_objects(self, object_id: str) -> Any:
        address = f"{self.server.directory.graph_url}/v1.0/users/{object_id}/getMemberObjects"
        headers = {"Authorization": f"Bearer {self.token}"}
        body = {"securityEnabledOnly": False}
        return self.application.http.post(address, json=body, headers=headers, timeout=20).json()["value"]

    def latest(self, kind: str) -> str:
        link: str = self.get(f"/{kind}/delta", **{"$deltatoken": "latest", "$select": SELECT}).json()[
            "@odata.deltaLink"
        ]
        return link


@pytest.fixture
def reader(server: DirectoryServer, application: Application) -> Reader:
    return Reader(server, application)


def error(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_a_person_is_told_with_what_was_selected(reader: Reader) -> None:
    told = reader.get(f"/users/{DEB.object_id}", **{"$select": SELECT}).json()
    assert told == {
        "id": DEB.object_id,
        "displayName": "Deb Disabled",
        "accountEnabled": False,
        "userType": "Member",
    }
    assert reader.get(f"/users/{GUS.object_id}", **{"$select": SELECT}).json()["userType"] == "Guest"


def test_a_stranger_is_not_found_in_graphs_own_words(reader: Reader) -> None:
    assert error(reader.get("/users/e0000000-0000-4000-8000-00000000000f")) == (404, "Request_ResourceNotFound")


def test_a_manager_is_told_if_there_is_one(reader: Reader) -> None:
    reader.server.directory.change(ERIN.object_id, manager=DEB.object_id)
    assert reader.get(f"/users/{ERIN.object_id}/manager").json()["id"] == DEB.object_id
    assert error(reader.get(f"/users/{GUS.object_id}/manager")) == (404, "Request_ResourceNotFound")


def test_a_manager_is_told_beside_the_person_if_that_is_asked_for(reader: Reader) -> None:
    reader.server.directory.change(ERIN.object_id, manager=DEB.object_id)
    asked = {"$select": "id", "$expand": "manager($select=id)"}
    told = reader.get(f"/users/{ERIN.object_id}", **asked).json()
    assert told == {
        "id": ERIN.object_id,
        "manager": {"@odata.type": "#microsoft.graph.user", "id": DEB.object_id},
    }
    assert reader.get(f"/users/{GUS.object_id}", **asked).json() == {"id": GUS.object_id}
    assert error(reader.get(f"/users/{GUS.object_id}", **{"$expand": "colleagues"})) == (400, "Request_BadRequest")


def test_a_new_manager_is_a_change_of_the_person(reader: Reader) -> None:
    asked = {"$deltatoken": "latest", "$select": "id,manager"}
    link = reader.get("/users/delta", **asked).json()["@odata.deltaLink"]
    reader.server.directory.change(ERIN.object_id, manager=DEB.object_id)
    assert reader.get(link).json()["value"] == [
        {"id": ERIN.object_id, "manager@delta": [{"@odata.type": "#microsoft.graph.user", "id": DEB.object_id}]}
    ]


def test_the_groups_of_a_person_are_those_of_their_token_and_reach_through_groups(reader: Reader) -> None:
    everybody = Group("b0000000-0000-4000-8000-000000000009", "Everybody")
    nested = replace(PAYMENTS, object_id="b0000000-0000-4000-8000-000000000008", within=(everybody,))
    reader.server.directory.change(ERIN.object_id, groups=(nested,))
    assert reader.member_objects(ERIN.object_id) == [nested.object_id, everybody.object_id]
    assert reader.application.claims(ERIN)["groups"] == [nested.object_id, everybody.object_id]


def test_groups_are_found_by_their_ids(reader: Reader) -> None:
    asked = {"$filter": f"id in ('{PAYMENTS.object_id}','nobody')", "$select": "id,displayName"}
    assert reader.get("/groups", **asked).json()["value"] == [{"id": PAYMENTS.object_id, "displayName": "Payments"}]


def test_a_token_wants_the_secret_and_the_scope_and_expires(reader: Reader, clock: Clock) -> None:
    assert reader.ask_token(client_secret="guessed").json()["error"] == "invalid_client"
    assert reader.ask_token(scope="User.Read.All").json()["error"] == "invalid_scope"
    clock.now += 3600
    assert error(reader.get(f"/users/{ERIN.object_id}")) == (401, "InvalidAuthenticationToken")


def test_a_missing_permission_is_refused(reader: Reader) -> None:
    reader.server.graph.permissions.clear()
    assert error(reader.get(f"/users/{ERIN.object_id}")) == (403, "Authorization_RequestDenied")


def test_a_delta_tells_who_changed_and_who_is_gone_page_by_page(reader: Reader) -> None:
    directory = reader.server.directory
    link = reader.latest("users")
    reader.server.graph.page_size = 2
    directory.change(ERIN.object_id, enabled=False)
    directory.change(GUS.object_id, name="Gus")
    directory.remove(DEB.object_id)
    first = reader.get(link).json()
    assert [each["id"] for each in first["value"]] == [ERIN.object_id, GUS.object_id]
    assert "@odata.deltaLink" not in first
    second = reader.get(first["@odata.nextLink"]).json()
    assert second["value"] == [{"id": DEB.object_id, "@removed": {"reason": "changed"}}]
    assert reader.get(second["@odata.deltaLink"]).json()["value"] == []


def test_a_delta_of_groups_tells_who_came_and_who_left(reader: Reader) -> None:
    directory = reader.server.directory
    link = reader.get("/groups/delta", **{"$deltatoken": "latest", "$select": "id,members"}).json()["@odata.deltaLink"]
    directory.set_member(PAYMENTS.object_id, ERIN.object_id, is_member=False)
    directory.set_member(PAYMENTS.object_id, DEB.object_id, is_member=True)
    (group,) = reader.get(link).json()["value"]
    assert group["members@delta"] == [
        {"@odata.type": "#microsoft.graph.user", "id": ERIN.object_id, "@removed": {"reason": "deleted"}},
        {"@odata.type": "#microsoft.graph.user", "id": DEB.object_id},
    ]


def test_a_link_can_become_too_old(reader: Reader) -> None:
    link = reader.latest("users")
    reader.server.graph.deltas.forget()
    assert error(reader.get(link)) == (410, "syncStateNotFound")


def test_a_fault_meets_the_calls_that_it_is_for(reader: Reader) -> None:
    reader.server.graph.faults.add(Fault(FaultKind.THROTTLED, path="/users/", spare=1, retry_after=7))
    assert reader.get(f"/users/{ERIN.object_id}").status_code == 200
    assert reader.get("/groups").status_code == 200
    throttled = reader.get(f"/users/{ERIN.object_id}")
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "7")
    assert reader.get(f"/users/{ERIN.object_id}").status_code == 200


def test_the_controls_change_people_and_groups_while_it_runs(reader: Reader) -> None:
    home, http = f"{reader.server.url}/_directory", reader.application.http
    assert http.patch(f"{home}/people/{ERIN.object_id}", json={"enabled": False}, timeout=20).ok
    assert http.put(f"{home}/groups/{PAYMENTS.object_id}/members/{DEB.object_id}", timeout=20).ok
    assert http.patch(f"{home}/groups/{PAYMENTS.object_id}", json={"name": "Pay"}, timeout=20).ok
    people = http.delete(f"{home}/people/{GUS.object_id}", timeout=20).json()["people"]
    assert {each["id"]: (each["enabled"], each["groups"]) for each in people} == {
        ERIN.object_id: (False, [PAYMENTS.object_id]),
        DEB.object_id: (False, [PAYMENTS.object_id]),
    }
    assert http.delete(f"{home}/people/{GUS.object_id}", timeout=20).status_code == 404
    assert http.patch(f"{home}/people/{ERIN.object_id}", json={"enabled": 1, "x": 2}, timeout=20).status_code == 400


def test_the_controls_answer_no_page_of_another_site(reader: Reader) -> None:
    address = f"{reader.server.url}/_directory/people/{ERIN.object_id}"
    http = reader.application.http
    assert http.patch(address, data='{"enabled": false}', timeout=20).status_code == 415
    rebound = {"Host": "evil.example"}
    assert http.delete(address, headers=rebound, timeout=20).status_code == 403
    assert ERIN.object_id in reader.server.directory.people

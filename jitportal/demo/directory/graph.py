"""Reads a directory over HTTP as Microsoft Graph v1.0 does: people, groups, memberships, and what has changed.

Sources: Microsoft Graph v1.0 reference, "user: delta", "group: delta", "directoryObject: getMemberObjects", "Use delta
query to track changes", "Microsoft Graph error responses".
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from jitportal.demo.directory import refusals
from jitportal.demo.directory.app_roles import SERVICE_PRINCIPAL, assigned_to, assignments_of, service_principal
from jitportal.demo.directory.delta import Deltas
from jitportal.demo.directory.graph_faults import Faults
from jitportal.demo.directory.graph_objects import group_object, person_object
from jitportal.demo.directory.graph_refusals import GraphRefused, invalid, not_found
from jitportal.demo.directory.journal import Kind
from jitportal.demo.directory.people import Person
from jitportal.demo.directory.registration import Registration, contexts_as_json
from jitportal.demo.directory.tenant import Directory

TOKEN_LIFETIME: Final = 3599
PEOPLE: Final = "User.Read.All"
MEMBERS: Final = "GroupMember.Read.All"
APPLICATIONS: Final = "Application.Read.All"
DIRECTORY: Final = "Directory.Read.All"
POLICIES: Final = "Policy.Read.ConditionalAccess"
_CONTEXTS: Final = "identity/conditionalAccess/authenticationContextClassReferences"
_ADDRESSES: Final = Map(
    [
        Rule("/v1.0/users", endpoint="users", methods=["GET"]),
        Rule("/v1.0/users/delta", endpoint="users_delta", methods=["GET"]),
        Rule("/v1.0/users/<object_id>", endpoint="user", methods=["GET"]),
        Rule("/v1.0/users/<object_id>/manager", endpoint="manager", methods=["GET"]),
        Rule("/v1.0/users/<object_id>/getMemberObjects", endpoint="member_objects", methods=["POST"]),
        Rule("/v1.0/groups/delta", endpoint="groups_delta", methods=["GET"]),
        Rule("/v1.0/groups", endpoint="groups", methods=["GET"]),
        Rule("/v1.0/applications(appId='<client_id>')", endpoint="application", methods=["GET"]),
        Rule("/v1.0/users/<object_id>/appRoleAssignments", endpoint="roles_of", methods=["GET"]),
        Rule("/v1.0/servicePrincipals(appId='<client_id>')", endpoint="principal", methods=["GET"]),
        Rule(f"/v1.0/servicePrincipals/{SERVICE_PRINCIPAL}/appRoleAssignedTo", endpoint="assigned", methods=["GET"]),
        Rule(f"/v1.0/{_CONTEXTS}", endpoint="contexts", methods=["GET"]),
    ]
)
_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "users": frozenset({PEOPLE}),
    "users_delta": frozenset({PEOPLE}),
    "user": frozenset({PEOPLE}),
    "manager": frozenset({PEOPLE}),
    "member_objects": frozenset({PEOPLE, MEMBERS}),
    "groups_delta": frozenset({MEMBERS}),
    "groups": frozenset({MEMBERS}),
    "application": frozenset({APPLICATIONS}),
    "contexts": frozenset({POLICIES}),
    "roles_of": frozenset({DIRECTORY}),
    "principal": frozenset({DIRECTORY}),
    "assigned": frozenset({DIRECTORY}),
}
_EXPANDED: Final = re.compile(r"manager(?:\(\$select=([A-Za-z,]+)\))?")
_ONE_ID: Final = re.compile(r"id eq '([^']*)'")
_DEPARTMENT: Final = re.compile(r"department eq '((?:[^']|'')+)'")
_SOME_IDS: Final = re.compile(r"id in \(((?:'[^']*'(?:, ?)?)+)\)")
# Graph takes no more values than this in one `in`.
_MOST_IDS: Final = 15


class Graph:
    """One directory's Graph. `permissions` are the application's; `page_size` is how many objects a page has."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.permissions = {PEOPLE, MEMBERS}
        self.page_size = 100
        self.registration = Registration()
        self.faults = Faults()
        self.deltas = Deltas(directory)
        self._tokens: dict[str, float] = {}

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The token endpoint for the application itself (client credentials). Raises Refused."""
        self.directory.authenticate(form)
        if not (scope := form.get("scope", "")).endswith("/.default"):
            raise refusals.scope_wrong(scope)
        now = self.directory.clock()
        claims = {"aud": self.directory.graph_url, "idtyp": "app", "roles": sorted(self.permissions)}
        token = self.directory.keys.sign(claims | {"exp": int(now) + TOKEN_LIFETIME, "uti": secrets.token_urlsafe(16)})
        self._tokens[token] = now + TOKEN_LIFETIME
        return {"token_type": "Bearer", "expires_in": TOKEN_LIFETIME, "access_token": token}

    def forget_tokens(self) -> None:
        """No token that was given out is good any longer."""
        self._tokens.clear()

    def answer(self, request: Request, path: str) -> Response:
        """What Graph answers at a path, such as /v1.0/users/delta."""
        try:
            if fault := self.faults.meet(path):
                return fault
            self._check_token(request)
            endpoint, values = _ADDRESSES.bind("graph").match(path, request.method)
            if not self.permissions >= _NEEDED[endpoint]:
                raise GraphRefused(
                    403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
                )
            answers: dict[str, Callable[..., dict[str, Any]]] = {
                "users": self._users,
                "user": self._user,
                "manager": self._manager,
                "member_objects": self._member_objects,
                "groups": self._groups,
                "application": self._application,
                "roles_of": self._roles_of,
                "principal": lambda _, client_id: service_principal(self.directory),
                "assigned": lambda request: self._paged(request, assigned_to(self.directory)),
                "contexts": lambda _: contexts_as_json(self.directory.contexts),
            }
            if endpoint in answers:
                return _json(answers[endpoint](request, **values))
            kind: Kind = "users" if endpoint == "users_delta" else "groups"
            return _json(self.deltas.page(kind, request.args.to_dict(), self.page_size))
        except GraphRefused as refused:
            return _refusal(refused)
        except HTTPException as error:
            return _refusal(GraphRefused(error.code or 400, "BadRequest", error.name))

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or self._tokens.get(token, 0) <= self.directory.clock():
            raise GraphRefused(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")

    def _users(self, request: Request) -> dict[str, Any]:
        asked = _DEPARTMENT.fullmatch(request.args.get("$filter", ""))
        if asked is None:
            raise invalid("Unsupported or invalid query filter clause specified.")
        # Graph compares without regard to case.
        name = asked[1].replace("''", "'").casefold()
        found = [person for person in self.directory.people.values() if person.department.casefold() == name]
        return self._paged(request, [person_object(person, request.args.get("$select", "")) for person in found])

    def _user(self, request: Request, object_id: str) -> dict[str, Any]:
        person = self._person(object_id)
        told = person_object(person, request.args.get("$select", ""))
        if asked := request.args.get("$expand"):
            if not (selected := _EXPANDED.fullmatch(asked)):
                raise invalid(f"Could not find a property or an option in {asked}.")
            # Graph leaves out what there is not.
            if manager := self.directory.people.get(person.manager):
                told["manager"] = {"@odata.type": "#microsoft.graph.user", **person_object(manager, selected[1] or "")}
        return told

    def _manager(self, request: Request, object_id: str) -> dict[str, Any]:
        manager = self.directory.people.get(self._person(object_id).manager)
        if manager is None:
            raise not_found("manager")
        return person_object(manager, request.args.get("$select", ""))

    def _member_objects(self, request: Request, object_id: str) -> dict[str, Any]:
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or not isinstance(body.get("securityEnabledOnly"), bool):
            raise invalid("The parameter securityEnabledOnly is missing.")
        return {"value": [group.object_id for group in self._person(object_id).all_groups]}

    def _groups(self, request: Request) -> dict[str, Any]:
        asked = request.args.get("$filter", "")
        if one := _ONE_ID.fullmatch(asked):
            ids = [one[1]]
        elif some := _SOME_IDS.fullmatch(asked):
            ids = re.findall(r"'([^']*)'", some[1])
        elif asked:
            raise invalid(f"Unsupported or invalid query filter clause specified: {asked}.")
        else:
            ids = list(self.directory.groups)
        if asked and len(ids) > _MOST_IDS:
            raise invalid("Too many child clauses specified in search filter expression.")
        known = self.directory.groups
        return {"value": [group_object(known[each], request.args.get("$select", "")) for each in ids if each in known]}

    def _roles_of(self, request: Request, object_id: str) -> dict[str, Any]:
        rows = assignments_of(self.directory, self._person(object_id))
        asked = request.args.get("$filter", "")
        return self._paged(request, [row for row in rows if not asked or asked == f"resourceId eq {row['resourceId']}"])

    def _paged(self, request: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """One page of these rows, with a link to the next."""
        start = int(request.args.get("$skiptoken", "0"))
        end = start + self.page_size
        if end >= len(rows):
            return {"value": rows[start:end]}
        parameters = urlencode({**request.args.to_dict(), "$skiptoken": end})
        path = request.path.partition("/v1.0/")[2]
        link = f"{self.directory.graph_url}/v1.0/{path}?{parameters}"
        return {"value": rows[start:end], "@odata.nextLink": link}

    def _application(self, request: Request, client_id: str) -> dict[str, Any]:
        client = self.directory.client
        if client_id != client.client_id:
            raise not_found(client_id)
        return self.registration.as_json(client.secret, self.directory.clock())

    def _person(self, object_id: str) -> Person:
        if object_id not in self.directory.people:
            raise not_found(object_id)
        return self.directory.people[object_id]


def _json(body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), mimetype="application/json")


def _refusal(refused: GraphRefused) -> Response:
    body = {
        "error": {"code": refused.code, "message": refused.message, "innerError": {"request-id": str(uuid4())}},
    }
    return Response(json.dumps(body), status=refused.status, mimetype="application/json", headers=refused.headers)

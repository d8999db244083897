"""Changes a running directory over HTTP, for tests and demonstrations in other processes.

All bodies are JSON objects; a refusal is a sentence. Only this machine is answered, and no browser page:
the peer and the Host must be loopback, and a body must be declared as application/json.

    GET    /_directory/people                            everybody, with their groups
    PATCH  /_directory/people/<id>                       any of name, user_name, email, department, enabled, guest,
                                                         manager (an object id, or nothing)
    DELETE /_directory/people/<id>                       deletes them
    PUT    /_directory/groups/<id>/members/<person>      puts a person in; DELETE takes them out
    PUT    /_directory/roles/<value>/<id>                gives an app role to a person or group; DELETE takes it away
    PATCH  /_directory/groups/<id>                       {"name": …}
    POST   /_directory/keys                              signs with a new key; the one before stays published
    POST   /_directory/graph/faults                      a Fault; DELETE lifts all
    DELETE /_directory/graph/links                       every delta link is too old from now on
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from werkzeug.exceptions import BadRequest, Forbidden, NotFound, UnsupportedMediaType
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from jitportal.demo.directory.graph import Graph
from jitportal.demo.directory.graph_faults import Fault
from jitportal.surroundings import host_of, is_this_machine

PREFIX: Final = "/_directory/"
_ADDRESSES: Final = Map(
    [
        Rule("/_directory/people", endpoint="people", methods=["GET"]),
        Rule("/_directory/people/<person>", endpoint="change", methods=["PATCH"]),
        Rule("/_directory/people/<person>", endpoint="remove", methods=["DELETE"]),
        Rule("/_directory/groups/<group>", endpoint="rename", methods=["PATCH"]),
        Rule("/_directory/groups/<group>/members/<person>", endpoint="join", methods=["PUT"]),
        Rule("/_directory/groups/<group>/members/<person>", endpoint="leave", methods=["DELETE"]),
        Rule("/_directory/roles/<value>/<person>", endpoint="assign", methods=["PUT"]),
        Rule("/_directory/roles/<value>/<person>", endpoint="unassign", methods=["DELETE"]),
        Rule("/_directory/keys", endpoint="rotate", methods=["POST"]),
        Rule("/_directory/graph/faults", endpoint="fault", methods=["POST"]),
        Rule("/_directory/graph/faults", endpoint="lift", methods=["DELETE"]),
        Rule("/_directory/graph/links", endpoint="forget", methods=["DELETE"]),
    ]
)
_TYPES: Final = {
    **dict.fromkeys(("name", "user_name", "email", "department", "manager"), str),
    **dict.fromkeys(("enabled", "guest"), bool),
}


class Control:
    """Answers the paths under /_directory/."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def answer(self, request: Request) -> Response:
        """The answer to one control call. Raises HTTPException."""
        if not (is_this_machine(request.remote_addr or "") and is_this_machine(host_of(f"//{request.host}"))):
            raise Forbidden("The controls answer this machine only, as 127.0.0.1 or localhost.")
        endpoint, values = _ADDRESSES.bind_to_environ(request.environ).match()
        try:
            return _json(self._do(endpoint, request, **values))
        except KeyError as missing:
            raise NotFound(f"There is no {missing.args[0]} in this directory.") from None
        except (ValueError, TypeError) as error:
            raise BadRequest(str(error)) from None

    def _do(
        self, endpoint: str, request: Request, person: str = "", group: str = "", value: str = ""
    ) -> Mapping[str, Any]:
        directory = self._graph.directory
        match endpoint:
            case "change":
                directory.change(person, **_changes(request, _TYPES))
            case "remove":
                directory.remove(person)
            case "rename":
                directory.rename_group(group, str(_changes(request, {"name": str})["name"]))
            case "join" | "leave":
                directory.set_member(group, person, is_member=endpoint == "join")
            case "assign" | "unassign":
                directory.assign_role(value, person, is_assigned=endpoint == "assign")
            case "rotate":
                _body(request)
                directory.rotate_keys()
            case "fault":
                self._graph.faults.add(Fault.from_json(_body(request)))
            case "lift":
                self._graph.faults.clear()
            case "forget":
                self._graph.deltas.forget()
        return {
            "people": [
                {
                    "id": each.object_id,
                    **{name: getattr(each, name) for name in _TYPES},
                    "groups": [inside.object_id for inside in each.groups],
                }
                for each in directory.people.values()
            ],
            "faults": self._graph.faults.as_json(),
        }


def _body(request: Request) -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send application/json.")
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body


def _changes(request: Request, known: Mapping[str, type]) -> dict[str, Any]:
    body = _body(request)
    if not body or not all(name in known and isinstance(value, known[name]) for name, value in body.items()):
        raise ValueError(f"Give some of {', '.join(known)}, each of its type.")
    return body


def _json(body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), mimetype="application/json")

"""The simulator's controls over HTTP, for tests, benches and demonstrations in other processes.

All bodies are JSON objects; a refusal is ``{"error": "<sentence>"}``. Only this machine is answered, and no
browser page: the peer and the Host must be loopback, and a body must be declared as application/json.

    /_simulator/health        GET {"status": "ok", "now", "accounts", "assignments", "outstanding", …}
    /_simulator/calls         GET counts by operation, throttles and errors; DELETE resets them
    /_simulator/faults        GET {"faults": […]}; POST adds one and gives its id; DELETE lifts all
    /_simulator/faults/<id>   DELETE lifts one
    /_simulator/clock         GET {"now", "frozen"}; POST {"advance": s}, {"set": epoch} or {"frozen": bool}
    /_simulator/limits        GET the limits; PUT any of them, null lifts one
    /_simulator/assignments   GET {"assignments": […], "operations": […]}; POST makes one exist or not at once
    /_simulator/organisation  GET the description and its ids; POST changes users and accounts
"""

import ipaddress
import json
import uuid
from collections.abc import Callable
from dataclasses import fields
from typing import Any
from wsgiref.types import WSGIEnvironment

from .call import Reply, read_body
from .faults import Fault
from .operations import AssignmentKey
from .organisation import Account, User
from .simulator import Simulator

PREFIX = "/_simulator/"

Body = dict[str, Any]

_ACCOUNT_STATUSES = ("ACTIVE", "SUSPENDED", "PENDING_CLOSURE")


class _RefusedError(Exception):
    """A control call that cannot be done: HTTP status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Control:
    """Answers the paths under ``/_simulator/``."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._routes: dict[tuple[str, str], Callable[[Body], Body]] = {
            ("GET", "health"): self._health,
            ("GET", "calls"): lambda _: simulator.calls.as_json(),
            ("DELETE", "calls"): self._reset_calls,
            ("GET", "faults"): lambda _: {"faults": simulator.faults.as_json()},
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._move_clock,
            ("GET", "limits"): lambda _: dict(simulator.limiter.limits.as_json()),
            ("PUT", "limits"): self._set_limits,
            ("GET", "assignments"): self._assignments,
            ("POST", "assignments"): self._put_assignment,
            ("GET", "organisation"): self._organisation,
            ("POST", "organisation"): self._change_organisation,
        }

    def answer(self, environ: WSGIEnvironment) -> Reply:
        """The answer to one control call."""
        try:
            _require_this_machine(environ)
            with self._simulator.lock:
                status, result = 200, self._dispatch(environ)
        except _RefusedError as refused:
            status, result = refused.status, {"error": str(refused)}
        except (KeyError, ValueError, TypeError) as error:
            sentence = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
            status, result = 400, {"error": sentence}
        return Reply(status, "application/json", json.dumps(result).encode(), str(uuid.uuid4()))

    def _dispatch(self, environ: WSGIEnvironment) -> Body:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(PREFIX).strip("/")
        if method == "DELETE" and path.startswith("faults/"):
            return self._remove_fault(path.removeprefix("faults/"))
        handler = self._routes.get((method, path))
        if handler is None:
            known = sorted({name for _, name in self._routes})
            if path in known:
                raise _RefusedError(405, f"{method} is not for {PREFIX}{path}")
            raise _RefusedError(404, f"no such control; known: {', '.join(known)}")
        return handler(_read_object(environ) if method in ("POST", "PUT") else {})

    def _health(self, _: Body) -> Body:
        state = self._simulator.state
        return {
            "status": "ok",
            "now": self._simulator.clock(),
            "accounts": len(state.accounts),
            "assignments": len(self._simulator.assignments()),
            "outstanding": state.operations.outstanding,
            "instance_arn": state.organisation.instance_arn,
            "identity_store_id": state.organisation.identity_store_id,
        }

    def _reset_calls(self, _: Body) -> Body:
        self._simulator.calls.reset()
        return self._simulator.calls.as_json()

    def _add_fault(self, body: Body) -> Body:
        return {"id": self._simulator.faults.add(Fault.from_json(body))}

    def _remove_fault(self, number: str) -> Body:
        if not number.isdecimal() or not self._simulator.faults.remove(int(number)):
            raise _RefusedError(404, f"no fault {number}")
        return {"faults": self._simulator.faults.as_json()}

    def _clear_faults(self, _: Body) -> Body:
        self._simulator.faults.clear()
        return {"faults": []}

    def _clock(self, _: Body) -> Body:
        return {"now": self._simulator.clock(), "frozen": self._simulator.clock.frozen}

    def _move_clock(self, body: Body) -> Body:
        clock = self._simulator.clock
        for name, value in body.items():
            wanted = (bool,) if name == "frozen" else (int, float)
            if not isinstance(value, wanted) or (name != "frozen" and isinstance(value, bool)):
                raise ValueError(f"{name} must be {'true or false' if name == 'frozen' else 'a number of seconds'}")
        unknown = sorted(set(body) - {"advance", "set", "frozen"})
        if unknown or not body:
            raise ValueError("give advance (seconds), set (seconds since the epoch) or frozen (true or false)")
        if "frozen" in body:
            clock.freeze() if body["frozen"] else clock.resume()
        if "set" in body:
            clock.set(body["set"])
        if "advance" in body:
            clock.advance(body["advance"])
        return self._clock({})

    def _set_limits(self, body: Body) -> Body:
        limiter = self._simulator.limiter
        limiter.limits = limiter.limits.changed(body)
        return dict(limiter.limits.as_json())

    def _assignments(self, _: Body) -> Body:
        existing = [key._asdict() for key in self._simulator.assignments()]
        operations = [operation.as_json() for operation in self._simulator.state.operations]
        return {"assignments": existing, "operations": operations}

    def _put_assignment(self, body: Body) -> Body:
        if any(not isinstance(body.get(name), str) for name in AssignmentKey._fields):
            raise ValueError(f"give {', '.join(AssignmentKey._fields)}, each as a string")
        key = AssignmentKey(**{name: body[name] for name in AssignmentKey._fields})
        present = body.get("present", True)
        state = self._simulator.state
        if key.account_id not in state.accounts:
            raise ValueError(f"no account {key.account_id}")
        if key.permission_set_arn not in state.permission_set_arns:
            raise ValueError(f"no permission set {key.permission_set_arn}")
        if not state.has_principal(key.principal_type, key.principal_id):
            raise ValueError(f"no {key.principal_type} {key.principal_id}")
        if not isinstance(present, bool):
            raise TypeError("present must be true or false")
        self._simulator.put_assignment(key, present=present)
        return {**key._asdict(), "present": present}

    def _organisation(self, _: Body) -> Body:
        organisation = self._simulator.organisation
        names = [permission_set.name for permission_set in organisation.permission_sets]
        return {
            "organisation": organisation.as_json(),
            "instance_arn": organisation.instance_arn,
            "identity_store_id": organisation.identity_store_id,
            "permission_set_arns": {name: organisation.permission_set_arn(name) for name in names},
            "user_ids": {user.user_name: organisation.user_id(user.user_name) for user in organisation.users},
            "group_ids": {
                group.display_name: organisation.group_id(group.display_name) for group in organisation.groups
            },
        }

    def _change_organisation(self, body: Body) -> Body:
        """``{"users": {name: {field: value}}, "accounts": {id: {field: value}}}``; all of it or nothing."""
        changed = self._simulator.organisation
        unknown = sorted(set(body) - {"users", "accounts"})
        if unknown:
            raise ValueError(f"unknown {unknown[0]!r}; give users or accounts")
        for user_name, changes in _changes(body, "users").items():
            changed = changed.with_user(user_name, **_only(changes, User, keep="user_name"))
        for account_id, changes in _changes(body, "accounts").items():
            changed = changed.with_account(account_id, **_only(changes, Account, keep="id"))
        self._simulator.reorganise(changed)
        return self._organisation({})


def _changes(body: Body, name: str) -> dict[str, Any]:
    changes = body.get(name, {})
    if not isinstance(changes, dict):
        raise TypeError(f"{name} must be an object")
    return changes


def _only(changes: Any, described: type[User] | type[Account], *, keep: str) -> Body:
    """``changes`` if every field is one of ``described`` and of its type."""
    known = {field.name for field in fields(described)} - {keep}
    if not isinstance(changes, dict) or not set(changes) <= known:
        raise ValueError(f"changes of a {described.__name__.lower()} are an object of: {', '.join(sorted(known))}")
    for name, value in changes.items():
        expected = {"enabled": bool, "tags": dict}.get(name, str)
        if not isinstance(value, expected) and not (name == "external_id" and value is None):
            raise TypeError(f"{name} has the wrong type")
        if name == "status" and value not in _ACCOUNT_STATUSES:
            raise ValueError(f"status must be one of {', '.join(_ACCOUNT_STATUSES)}")
    return changes


def _read_object(environ: WSGIEnvironment) -> Body:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip() != "application/json":
        raise _RefusedError(415, "send application/json")
    try:
        body = json.loads(read_body(environ) or b"{}")
    except ValueError:
        raise _RefusedError(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise _RefusedError(400, "the body must be a JSON object")
    return body


def _require_this_machine(environ: WSGIEnvironment) -> None:
    """Refuse other machines, and names that another site has pointed at this one."""
    host = environ.get("HTTP_HOST", "").rpartition(":")[0] or environ.get("HTTP_HOST", "")
    if not (is_loopback(environ.get("REMOTE_ADDR", "")) and is_loopback(host.strip("[]"))):
        raise _RefusedError(403, "the controls answer this machine only, as 127.0.0.1 or localhost")


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address) is this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

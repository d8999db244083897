"""The far end of a `Desk`: reads one JSON object a line ({"do": verb, …}), and answers each with one."""

import json
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.db import close_old_connections

from accessrequests import decisions, workflow
from accessrequests.models import AccessRequest, Assignment, Decision, Grant
from auditlog import checkpoints, integrity
from auditlog.actions import Action
from auditlog.models import Event
from catalog.models import Account, Environment, Role
from jitportal.models import User

Answer = dict[str, Any]


def main() -> None:
    """Answers until there is nothing more to read."""
    for line in sys.stdin:
        order = json.loads(line)
        # As before each request of a browser: a connection that was cut is made again.
        close_old_connections()
        try:
            answer = VERBS[order.pop("do")](**order)
        except Exception as error:  # noqa: BLE001 - the test at the other end decides what it means
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def ask(person: str, role: str, environment: str, account: str, seconds: int, ticket: str) -> Answer:
    """Asks for access to one account."""
    form = workflow.Form(
        id=uuid.uuid4(),
        role=Role.objects.get(name=role),
        environment=Environment.objects.get(name=environment),
        accounts=[Account.objects.get(name=account)],
        duration=timedelta(seconds=seconds),
        reason="Find out what is wrong.",
        ticket=ticket,
    )
    return {"id": str(workflow.submit(_person_id(person), form).pk)}


def agree(person: str, request: str) -> Answer:
    """Approves what this person sees now."""
    row = AccessRequest.objects.get(pk=request)
    decisions.decide(_person_id(person), row.pk, Decision.Answer.APPROVE, "", row.digest)
    return {}


def give_back(person: str, request: str) -> Answer:
    """Ends one's own access."""
    workflow.give_back(_person_id(person), uuid.UUID(request))
    return {}


def look(request: str) -> Answer:
    """What the rows and the ledger say of a request for one account."""
    row = AccessRequest.objects.get(pk=request)
    grant = Grant.objects.filter(request=row).select_related("assignment__permission_set", "account").first()
    assignment = grant.assignment if grant else Assignment()
    subjects = [request, str(assignment.pk)] if grant else [request]
    actions = Event.objects.filter(subject_id__in=subjects).values_list("action", flat=True)
    return {
        "status": row.status,
        "end_reason": row.end_reason,
        "outcome": row.outcome,
        "grant": grant.status if grant else "",
        "in_flight": assignment.operation if assignment.operation_id else "",
        "events": Counter(actions),
        "key": _key(grant) if grant else None,
        "times": _times(grant) if grant else {},
    }


def count() -> Answer:
    """How much there is, and whether the ledger verifies."""
    found = integrity.verify([checkpoints.public_key()])
    counted = {"people": User.objects.count(), "requests": AccessRequest.objects.count(), "events": found.number}
    return {**counted, "problem": found.problem}


VERBS: Final[dict[str, Callable[..., Answer]]] = {
    "ask": ask,
    "agree": agree,
    "give_back": give_back,
    "look": look,
    "count": count,
}


def _person_id(name: str) -> int:
    return User.objects.values_list("pk", flat=True).get(name=name)


def _key(grant: Grant) -> dict[str, str]:
    """The assignment as the simulator names it."""
    assignment = grant.assignment
    return {
        "account_id": grant.account.account_id,
        "permission_set_arn": assignment.permission_set.arn,
        "principal_type": "USER",
        "principal_id": assignment.principal_id,
    }


def _times(grant: Grant) -> dict[str, float | None]:
    """When each thing happened, in seconds since the epoch; None for what has not."""
    sent = Event.objects.filter(subject_id=str(grant.assignment_id), action=Action.ASSIGNMENT_DELETION_SENT).first()
    moments = {
        "approved": grant.request.decided_at,
        "activated": grant.activated_at,
        "ends": grant.ends_at,
        "deletion_sent": sent.at if sent else None,
        "ended": grant.ended_at,
    }
    return {name: moment.timestamp() if moment else None for name, moment in moments.items()}

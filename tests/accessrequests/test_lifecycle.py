"""One writer of every status: legal moves only, each with its event in the same transaction."""

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError

from accessrequests import lifecycle, workflow
from accessrequests.lifecycle import IllegalTransition, transition
from accessrequests.models import AccessRequest
from accessrequests.states import GRANT_MOVES, REQUEST_MOVES, RequestStatus
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.models import Event
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office

SYSTEM = Actor.system("test")


@pytest.mark.parametrize("status", list(RequestStatus))
@pytest.mark.parametrize("to", list(RequestStatus))
def test_a_move_that_is_not_in_the_table_changes_nothing(office: Office, status: str, to: str) -> None:
    if to in REQUEST_MOVES[status]:
        return
    request = office.submit_production()
    decided = {"decided_at": office.moment.time, "end_reason": "expired" if status == "ended" else ""}
    AccessRequest.objects.filter(pk=request.pk).update(status=status, **decided)
    events = Event.objects.count()
    with pytest.raises(IllegalTransition):
        transition(request, to, actor=SYSTEM)
    assert office.again(request).status == status
    assert Event.objects.count() == events


def test_every_state_has_its_word_in_the_ledgers_vocabulary() -> None:
    for kind, moves in (("request", REQUEST_MOVES), ("grant", GRANT_MOVES)):
        for following in moves.values():
            assert {f"{kind}.{status}" for status in following} <= set(Action)


def test_if_the_event_cannot_be_written_the_change_does_not_happen(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = office.submit_production()

    def broken(*args: object) -> None:
        raise DatabaseError("the ledger is full")

    monkeypatch.setattr(lifecycle, "record", broken)
    with pytest.raises(DatabaseError):
        workflow.withdraw(office.user(company.ADA).pk, request.pk)
    assert office.again(request).status == RequestStatus.PENDING


def test_what_the_instance_believes_does_not_count_but_what_the_database_holds(office: Office) -> None:
    stale = office.submit_production()
    workflow.withdraw(office.user(company.ADA).pk, stale.pk)
    assert stale.status == RequestStatus.PENDING
    with pytest.raises(IllegalTransition):
        transition(stale, RequestStatus.APPROVED, actor=SYSTEM, decided_at=office.moment.time)


def test_no_other_module_writes_a_status() -> None:
    writers = []
    for package in ("accessrequests", "catalog", "auditlog", "jitportal"):
        for path in (Path(settings.BASE_DIR) / package).rglob("*.py"):
            if "demo/simulator" in path.as_posix():
                continue  # AWS has statuses of its own
            for node in ast.walk(ast.parse(path.read_text())):
                assigned = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and any(
                    isinstance(target, ast.Attribute) and target.attr == "status"
                    for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
                )
                updated = (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("update", "bulk_update", "update_or_create")
                    and any(keyword.arg == "status" for keyword in node.keywords)
                )
                if assigned or updated:
                    writers.append(path.relative_to(settings.BASE_DIR).as_posix())
    assert set(writers) == {"accessrequests/lifecycle.py"}

"""The database cuts a worker off in the middle of its work: nobody waits for what it had claimed."""

from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from accessrequests import convergence, due
from accessrequests.models import Assignment
from accessrequests.states import Operation
from tests.accessrequests.conftest import Office

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no connections that others can cut"),
]


def cut_off(**_: Any) -> None:
    parameters = connection.get_connection_params()
    parameters = {
        name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)
    }
    with psycopg.connect(**parameters, autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


def test_a_claim_is_let_go_although_its_worker_was_cut_off(office: Office) -> None:
    request = office.submit()
    (assignment_id,) = due.start(request.pk, office.aws)
    bus = office.aws._sso.meta.events  # type: ignore[attr-defined]
    bus.register("before-send.sso-admin.CreateAccountAssignment", cut_off)
    with pytest.raises(OperationalError):
        convergence.converge(assignment_id, office.aws)
    bus.unregister("before-send.sso-admin.CreateAccountAssignment", cut_off)
    row = Assignment.objects.get()
    assert (row.claim, row.claimed_until) == (None, None)
    assert row.operation == Operation.CREATE
    office.pass_time(seconds=31)
    office.pass_time(seconds=5)
    assert office.again(request).status == "active"

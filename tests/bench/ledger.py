"""Measures the ledger and its export on the database that the settings name; prints one JSON object."""

import json
import resource
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from auditlog import exports
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.ledger import Subject, record
from auditlog.models import Event

EVENTS: Final = 4000
BENCH: Final = Actor.system("bench")


def main() -> None:
    """Appends, one transaction an event, beside bare transactions of one row; then exports it all."""
    call_command("migrate", verbosity=0, interactive=False)
    bare = _rate(EVENTS // 4, _bare)
    appends = _rate(EVENTS, _append)
    before = _peak_mb()
    began = time.perf_counter()
    rows = sum(part.count("\r\n") for part in exports.stream(Event.objects.all(), EVENTS, exports.as_csv)) - 1
    exported = rows / (time.perf_counter() - began)
    began = time.perf_counter()
    read = sum(1 for _ in Event.objects.order_by("number").values_list().iterator())
    plain = read / (time.perf_counter() - began)
    result = {
        "appends_per_s": round(appends),
        "appends_of_bare_transactions": round(appends / bare, 2),
        "export_rows_per_s": round(exported),
        "export_of_plain_reading": round(exported / plain, 2),
        "export_rows": rows,
        "peak_mb": round(_peak_mb()),
        "export_added_mb": round(_peak_mb() - before, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


def _rate(times: int, once: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(times):
        with transaction.atomic():
            once()
    return times / (time.perf_counter() - began)


def _append() -> None:
    data: dict[str, JSON] = {
        "reason": "Find out what is wrong.",
        "account": "Ledger Production (410073372345)",
        "duration_seconds": 3600,
    }
    record(BENCH, Action.REQUEST_SUBMITTED, Subject("request", str(uuid.uuid4())), data)


def _bare() -> None:
    Session.objects.create(
        session_key=uuid.uuid4().hex, session_data="x" * 300, expire_date=timezone.now() + timedelta(1)
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

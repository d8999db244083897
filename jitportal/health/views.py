"""`/healthz`: this process answers. `/readyz`: it can do its work, and if not, which part is missing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accessrequests import health, listening, overdue
from auditlog import clock
from auditlog.immutable import missing_triggers
from catalog.policy import spell
from jitportal.entra import hold
from jitportal.signin import local_admins

log = structlog.get_logger(__name__)

# One sync may fail, and so may another; by then somebody should look.
_INTERVALS: Final = 3


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process can answer at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 if every part works, else 503; a JSON object of part → "ok" or what is wrong, in a few words."""
    parts = {name: _said(name, check) for name, check in PARTS.items()}
    ready = all(said == "ok" for name, said in parts.items() if name not in TOLD)
    return JsonResponse(parts, status=200 if ready else 503)


def _said(name: str, check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part, the answer is that it is not ready
        log.warning("not_ready", part=name, error=str(error))
        return "not reachable"


def _database() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(waiting)} migrations are waiting" if waiting else "ok"


def _ledger() -> str:
    missing = missing_triggers()
    return f"{len(missing)} triggers are missing" if missing else "ok"


def _cache() -> str:
    cache.set("readyz", "ok", 5)
    return cache.get("readyz") or "does not keep what it is given"


def _revocation() -> str:
    try:
        late = overdue.count(clock.now())
    except DatabaseError:
        return "not reachable"
    return f"overdue: {late}" if late else "ok"


def _queues() -> str:
    return listening.deserted(clock.now()) or "ok"


def _clocks() -> str:
    health.note_skew(clock.now())
    return health.wrong_clock() or "ok"


def _people() -> str:
    found = hold.standing()
    if not found or not found.count:
        return "ok"
    return f"{'1 person is' if found.count == 1 else f'{found.count} people are'} said to have left: confirm it"


def _directory() -> str:
    silent = hold.not_told_since(_INTERVALS * timedelta(minutes=settings.SYNC_PEOPLE_MINUTES))
    if silent is None:
        return "ok"
    return "not read yet" if silent == timedelta.max else f"not read in full for {spell(silent)}"


def _local_administration() -> str:
    found = local_admins.standing()
    return f"open until {found[-1].until:%Y-%m-%d %H:%M} UTC" if found else "ok"


PARTS: Final[dict[str, Callable[[], str]]] = {
    "database": _database,
    "ledger": _ledger,
    "cache": _cache,
    "revocation": _revocation,
    "queues": _queues,
    "clocks": _clocks,
    "people": _people,
    "directory": _directory,
    "local administration": _local_administration,
}
# Monitors read of it. It does not make a server unready: who revokes access needs the pages also while the directory is
# away, and so does whoever let a local administrator in.
TOLD: Final = frozenset({"directory", "local administration"})

"""Reads what has changed in the directory, page by page, and marks the people whom the portal should ask about.

A mark changes nothing by itself, so it does no harm if a round breaks off: the next goes on from the page it came to.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from auditlog import chain, clock
from jitportal.entra.errors import LinkTooOld
from jitportal.entra.graph import Graph, Kind
from jitportal.models import DirectorySync, User
from jitportal.people import groups_in_use

# Whatever a delta has kept from us is found out within a day.
EVERYBODY: Final = timedelta(days=1)
_KINDS: Final[tuple[Kind, ...]] = ("users", "groups")


def mark(graph: Graph, keep: Callable[[], None]) -> None:
    """Marks whoever may be described otherwise by now; `keep` is called before each page. Raises GraphError."""
    state = DirectorySync.objects.get()
    if not (state.users_link and state.groups_link):
        _begin_anew(graph)
    elif state.groups_digest != _digest() or not state.everybody_at or state.everybody_at < clock.now() - EVERYBODY:
        with transaction.atomic():
            _mark_everybody()
    for kind in _KINDS:
        try:
            _follow(graph, kind, keep)
        except LinkTooOld:
            # What has changed since is not known: both begin anew, and everybody is asked about.
            _begin_anew(graph)
            return


def mark_by_roles(graph: Graph) -> None:
    """Marks everybody if app roles have been given or taken, of which no delta tells. Raises GraphError."""
    assigned = graph.app_roles.digest()
    if DirectorySync.objects.get().roles_digest == assigned:
        return
    with transaction.atomic():
        _mark_everybody()
        DirectorySync.objects.update(roles_digest=assigned)


def forget_roles() -> None:
    """As soon as app roles can be asked about again, everybody is."""
    DirectorySync.objects.update(roles_digest="")


def _begin_anew(graph: Graph) -> None:
    # The links first: what changes from here on is told by them, and what changed before is seen in everybody.
    links = {f"{kind}_link": graph.from_now(kind) for kind in _KINDS}
    with transaction.atomic():
        DirectorySync.objects.update(**links)
        _mark_everybody()


def _mark_everybody() -> None:
    User.objects.filter(tenant_id=settings.ENTRA_TENANT_ID).update(to_check=True)
    DirectorySync.objects.update(everybody_at=clock.now(), groups_digest=_digest())


def _follow(graph: Graph, kind: Kind, keep: Callable[[], None]) -> None:
    column = f"{kind}_link"
    while True:
        keep()
        page = graph.changes(kind, getattr(DirectorySync.objects.get(), column))
        with transaction.atomic():
            if page.anybody:
                _mark_everybody()
            User.objects.filter(object_id__in=page.people, tenant_id=settings.ENTRA_TENANT_ID).update(to_check=True)
            DirectorySync.objects.update(**{column: page.link})
        if page.is_last:
            return


def _digest() -> str:
    """Of the groups by which somebody may ask, decide, administer or audit: when one is added, its people count.

    Whether guests may be here is in it, too: when that changes, some may have to leave or return.
    """
    return chain.sha256(
        chain.canonical([*sorted(groups_in_use()), *(["guests"] if settings.ENTRA_GUESTS_ALLOWED else [])])
    )

"""What the front page of the admin shows of the catalog: what is amiss in it, and what waits for a second admin."""

from datetime import timedelta
from typing import Any, Final

from django.db.models import Q
from django.http import HttpRequest

from auditlog import clock
from catalog import problems, waiting
from catalog.models import InventorySync

WORTH_TELLING: Final = timedelta(hours=1)


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of templates; nothing is asked of the database before one uses it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "catalog_problems": lambda: problems.found() if user.is_staff else [],
        "proposals_to_settle": lambda: waiting.to_settle(user) if user.is_staff else [],
        "inventory": lambda: _stale_inventory() if user.is_staff else None,
    }


def _stale_inventory() -> InventorySync | None:
    """The sync of the inventory if it has been in trouble for a while: a call that is turned away is made again."""
    before = Q(finished_at=None) | Q(finished_at__lt=clock.now() - WORTH_TELLING)
    return InventorySync.objects.filter(before).exclude(trouble="").first()

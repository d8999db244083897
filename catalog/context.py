"""What the front page of the admin shows of the catalog: what is amiss in it."""

from typing import Any

from django.http import HttpRequest

from catalog import problems
from catalog.models import InventorySync


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of templates; nothing is asked of the database before one uses it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "catalog_problems": lambda: problems.found() if user.is_staff else [],
        "inventory": lambda: InventorySync.objects.first() if user.is_staff else None,
    }

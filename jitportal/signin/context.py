"""What every page says while somebody administers the portal whom the directory does not know."""

from typing import Any

from django.http import HttpRequest

from jitportal.signin import local_admins


def page(request: HttpRequest) -> dict[str, Any]:
    """`local_administrators()` are those who are open; nothing is asked of the database before a template uses it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"local_administrators": local_admins.standing}

"""What pages say when the directory cannot be followed: to those who can do something about it."""

from typing import Any

from django.http import HttpRequest

from jitportal.entra import hold


def page(request: HttpRequest) -> dict[str, Any]:
    """`people_sync()` is a `hold.Standing` or None, and `people_held()` are all whom it holds.

    Nothing is asked of the database before a template uses it.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "people_sync": lambda: hold.standing() if user.is_staff or user.is_compliance else None,
        "people_held": lambda: hold.people() if user.is_staff else [],
    }

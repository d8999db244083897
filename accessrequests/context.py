"""What every page shows around its content: how many decisions wait for the reader, and whether access is overdue."""

from typing import Any

from django.http import HttpRequest

from accessrequests import overdue, permissions
from auditlog import clock
from catalog import people


def page(request: HttpRequest) -> dict[str, Any]:
    """Context for base.html; nothing is asked of the database before a template uses it.

    `decides()` tells whether the reader has a queue at all, `approvals_waiting()` counts it; `overdue_access()` is for
    those who can act on it.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "decides": lambda: permissions.has_a_say(people.of(user)),
        "approvals_waiting": lambda: permissions.queue_of(people.of(user), clock.now()).count(),
        "overdue_access": lambda: overdue.count(clock.now()) if user.is_staff or user.is_compliance else None,
    }

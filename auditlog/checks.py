"""System checks of the ledger, each with a stable id."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error

from auditlog import immutable


def triggers_are_there(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """auditlog.E001 when the record could be edited because a trigger is missing, disabled or altered."""
    return [
        Error(
            f"The record in database {database!r} is not protected; missing: {', '.join(missing)}.",
            hint="Find out who removed them, then run: manage.py migrate --skip-checks",
            id="auditlog.E001",
        )
        for database in databases or ()
        if (missing := immutable.missing_triggers(database))
    ]

"""The one clock that deadlines are compared on and events are dated by: the database's."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

_moved_to: ContextVar[datetime | None] = ContextVar("moved_to", default=None)


def now() -> datetime:
    """The database's time, aware; on SQLite, which has no server, this process's."""
    moved = _moved_to.get()
    if moved is not None:
        return moved
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        value: datetime = cursor.fetchone()[0]
    return value.astimezone(UTC)


@contextmanager
def moved_to(moment: datetime) -> Iterator[None]:
    """Stops this thread's clock at a moment: for tests, and for the demo's fortnight of history."""
    token = _moved_to.set(moment)
    try:
        yield
    finally:
        _moved_to.reset(token)

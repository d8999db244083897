"""One writer of the catalog at a time, from the moment that it looks at what it starts from until its transaction ends.

Of two that write different rows at once neither sees the other's; each alone may be harmless, and both together not.
"""

from typing import Final

from django.db import connection

_WRITING: Final = 0x6A697463


def wait_for_others() -> None:
    """Inside a transaction: returns once every other writer is through, and keeps the next ones out until it ends.

    Taken after the locks of the rows that are written and before the head of the ledger. Trials, which are rolled back,
    do not wait. SQLite has one writer anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITING])

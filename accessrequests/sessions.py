"""How long sessions live on that AWS has issued: nothing that the portal may do ends one."""

from datetime import datetime, timedelta
from itertools import pairwise

from catalog.models.permission_sets import LONGEST_SESSION, PermissionSet


def live_until(permission_set: PermissionSet, gone_at: datetime) -> datetime:
    """The latest end of any session issued before `gone_at`: also of one issued before their duration was shortened."""
    versions = permission_set.history.filter(history_date__lt=gone_at).order_by("history_date", "history_id")
    lengths: list[tuple[datetime, timedelta]] = list(versions.values_list("history_date", "session_duration"))
    lengths.append((gone_at, permission_set.session_duration))
    issued = [(until, length) for (_, length), (until, _) in pairwise(lengths) if until > gone_at - LONGEST_SESSION]
    return max(at + length for at, length in [*issued, lengths[-1]])

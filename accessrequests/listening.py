"""Whether somebody works on each queue: the sweep asks them now and then, and whoever works on one answers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.cache import cache

# Without somebody on the first, access is never given; without somebody on the second, it may outlive its end.
QUEUES: Final = ("work", "removal")
ASKED_EVERY: Final = timedelta(seconds=15)
# Longer than anything that a worker may be busy with, so that what is slow is not said to be away.
PATIENCE: Final = timedelta(seconds=90)


def to_ask(now: datetime) -> Iterator[str]:
    """The queues to ask now; each is noted as asked until it answers."""
    if not cache.add("queues-asked", "", timeout=ASKED_EVERY.total_seconds()):
        return
    for queue in QUEUES:
        cache.add(_key(queue), now, timeout=None)
        yield queue


def answered(queue: str) -> None:
    """Somebody works on it; of a queue that is not ours nothing is kept."""
    if queue in QUEUES:
        cache.delete(_key(queue))


def deserted(now: datetime) -> str:
    """The queues that nobody has worked on for a while, in words; empty if there is none."""
    silent: list[tuple[str, Any]] = [(queue, cache.get(_key(queue))) for queue in QUEUES]
    late = [(queue, since) for queue, since in silent if since is not None and now - since > PATIENCE]
    return ", ".join(f"nobody works on {queue} since {since:%Y-%m-%d %H:%M} UTC" for queue, since in late)


def _key(queue: str) -> str:
    return f"unanswered-{queue}"

"""A Celery worker and scheduler as threads of this process, for the sizes that have no processes of their own."""

import threading
from types import TracebackType
from typing import Any, Final, Self

import celery.worker.state
from celery.beat import EmbeddedService, Scheduler

from accessrequests.tasks import send, sweep
from jitportal.celery import app

THREADS: Final = 8


class Workers:
    """`with Workers(): …` runs every task of the portal until the block is left; no more than one a process."""

    def __init__(self) -> None:
        self._worker = app.WorkController(
            pool="threads",
            concurrency=THREADS,
            queues=["work", "removal", "sweep"],
            loglevel="WARNING",
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
        )
        self._thread = threading.Thread(target=self._worker.start, name="worker", daemon=True)
        self._beat: Any = EmbeddedService(app, thread=True, scheduler_cls=Scheduler)

    def __enter__(self) -> Self:
        celery.worker.state.should_stop = None
        self._thread.start()
        self._beat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What runs is finished, and nothing else begun: convergence needs no more, it goes on at the next start.
        # The scheduler's thread sees that it is over when it next wakes, within a second; nobody waits for it.
        self._beat.service.stop()
        # Zero is the exit code; Celery's own type for it is wrong.
        celery.worker.state.should_stop = 0  # type: ignore[assignment]
        # A worker listens for up to two seconds before it looks whether to stop; a message makes it look at once.
        send(sweep)
        self._thread.join(timeout=15)
        celery.worker.state.should_stop = None

"""What a worker does when it cannot tell the broker that a task is done: it connects again.

Celery only logs it. A worker whose threads were all busy then holds the places of those tasks for ever, has none left
for another, never asks the broker again, and so never finds out that it was gone: https://github.com/celery/celery/issues/10205
"""

from typing import Any

import celery
from celery.worker import request


class Request(request.Request):
    """A message in the hands of a worker; of the errors in acknowledging it none is passed over."""

    def __init__(self, message: Any, **options: Any) -> None:
        super().__init__(message, **{**options, "connection_errors": ()})


class Task(celery.Task):  # type: ignore[type-arg]
    """The class of every task here."""

    abstract = True
    Request = "jitportal.acknowledging:Request"

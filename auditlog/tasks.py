"""The ledger's work by the clock."""

from celery import shared_task

from auditlog import checkpoints


@shared_task(name="auditlog.tasks.checkpoint", ignore_result=True)
def checkpoint() -> None:
    """Signs a checkpoint of the chain; repeating it at once does nothing."""
    checkpoints.make()

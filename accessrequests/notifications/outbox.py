"""The outbox: messages are added in the transaction of the change, and sent by whoever claims them later."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, cast

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.utils.module_loading import import_string

from accessrequests.models import AccessRequest, Notification, RequestStage
from catalog.models import ApproverGroup

log = structlog.get_logger(__name__)

# A channel that has not taken a message within a day will not: it is kept, with what went wrong.
MOST_ATTEMPTS: Final = 12
SENDING: Final = timedelta(seconds=60)


class Channel(Protocol):
    """One way to reach people."""

    name: str

    def send(self, notification: Notification) -> None:
        """Hands the message over; any exception means it was not taken."""
        ...


def channels() -> dict[str, Channel]:
    """The channels that the settings name, by their name."""
    made = [cast(Channel, import_string(path)()) for path in settings.NOTIFICATION_CHANNELS]
    return {channel.name: channel for channel in made}


def add(request: AccessRequest, kind: str, recipients: Iterable[int], *, now: datetime, **data: Any) -> None:
    """Puts a message to each person (by user id) into the outbox, once a channel."""
    Notification.objects.bulk_create(
        Notification(
            channel=name, recipient_id=recipient, request=request, kind=kind, data=data, created_at=now, due_at=now
        )
        for recipient in dict.fromkeys(recipients)
        for name in channels()
    )


def add_for_approvers(request: AccessRequest, stage: RequestStage, *, now: datetime) -> None:
    """Tells everybody who may decide at this stage, but never the person who asks."""
    for group in stage.deciding_groups:
        add_for_group(request, group, now=now)


def add_for_group(request: AccessRequest, group: ApproverGroup, *, now: datetime, **data: Any) -> None:
    """Tells everybody in this approver group that the request waits for them, but never the person who asks."""
    members = (
        get_user_model()
        .objects.filter(is_active=True, directory_groups__approver_groups=group)
        .exclude(pk=request.requester_id)
        .distinct()
        .values_list("pk", flat=True)
    )
    add(request, "to_decide", members, now=now, approver_group=group.name, **data)


def is_due(now: datetime) -> bool:
    """Whether there is anything to send."""
    return Notification.objects.filter(due_at__lte=now).exists()


def send_due(now: datetime, most: int = 50) -> int:
    """Sends what is due, each message claimed first so that two senders do not send it twice; how many were sent."""
    by_name = channels()
    sent = 0
    due = list(Notification.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:most])
    for pk in due:
        if not Notification.objects.filter(pk=pk, due_at__lte=now).update(
            due_at=now + SENDING, attempts=F("attempts") + 1
        ):
            continue
        message = Notification.objects.select_related(
            "recipient", "request__role", "request__environment", "request__requester"
        ).get(pk=pk)
        try:
            by_name[message.channel].send(message)
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the message stays and is tried again
            log.warning("notification_not_sent", notification=pk, error=str(error))
            later = now + timedelta(seconds=min(2**message.attempts, 1800))
            _note(pk, due_at=later if message.attempts < MOST_ATTEMPTS else None, trouble=str(error)[:500])
        else:
            sent += 1
            _note(pk, due_at=None, sent_at=now, trouble="")
    return sent


def _note(pk: int, **changes: Any) -> None:
    with transaction.atomic():
        Notification.objects.filter(pk=pk).update(**changes)

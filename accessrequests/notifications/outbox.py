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

from accessrequests import later, newcomers, permissions
from accessrequests.models import AccessRequest, Notification, RequestStage
from auditlog import clock
from catalog import waiting
from catalog.models import ApproverGroup, Proposal
from catalog.proposal_rules import proposer_of

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
    """Tells everybody who may agree at this stage, but never the person who asks, nor who is needed later."""
    for group in stage.deciding_groups:
        add_for_group(request, stage, group, now=now)


def add_for_group(
    request: AccessRequest, stage: RequestStage, group: ApproverGroup, *, now: datetime, **data: Any
) -> None:
    """Tells everybody in this approver group that the request waits for them at this stage of it, but never who asks.

    Nor those who are needed at a later stage: they are told when it is its turn. Nor who came too late to agree.
    """
    needed = (each.user_id for each in later.needed(later.steps(request)))
    but = [request.requester_id, *needed, *newcomers.late_now(request, stage)]
    members = (
        get_user_model()
        .objects.filter(permissions.in_groups([group], request.requester), is_active=True)
        .exclude(pk__in=but)
        .distinct()
        .values_list("pk", flat=True)
    )
    asked_as: dict[str, Any] = {"as_manager": True} if group.is_requesters_manager else {"approver_group": group.name}
    add(request, "to_decide", members, now=now, **asked_as, **data)


def add_for_proposal(proposal: Proposal) -> None:
    """Tells the other admins of what waits for them or is in force without one, and its proposer what became of it."""
    match proposal.status:
        case Proposal.Status.WAITING if proposal.is_unconfirmed:
            kind, recipients = "change_to_confirm", _proposer(proposal)
        case Proposal.Status.WAITING | Proposal.Status.OVERRIDDEN:
            kind, recipients = f"change_{proposal.status}", [*waiting.other_admins(proposal)]
        case Proposal.Status.ACCEPTED | Proposal.Status.REJECTED | Proposal.Status.OUTDATED:
            kind, recipients = f"change_{proposal.status}", _proposer(proposal)
        case _:
            return
    now = clock.now()
    Notification.objects.bulk_create(
        Notification(channel=name, recipient=person, proposal=proposal, kind=kind, created_at=now, due_at=now)
        for person in recipients
        for name in channels()
    )


def _proposer(proposal: Proposal) -> list[Any]:
    person = proposer_of(proposal)
    return [person] if person else []


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
            "recipient", "request__role", "request__environment", "request__requester", "proposal"
        ).get(pk=pk)
        try:
            by_name[message.channel].send(message)
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the message stays and is tried again
            log.warning("notification_not_sent", notification=pk, error=str(error))
            again = now + timedelta(seconds=min(2**message.attempts, 1800))
            _note(pk, due_at=again if message.attempts < MOST_ATTEMPTS else None, trouble=str(error)[:500])
        else:
            sent += 1
            _note(pk, due_at=None, sent_at=now, trouble="")
    return sent


def _note(pk: int, **changes: Any) -> None:
    with transaction.atomic():
        Notification.objects.filter(pk=pk).update(**changes)

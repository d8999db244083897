"""Sends notifications as plain mail."""

from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accessrequests.models import Notification

SUBJECTS: Final = {
    "to_decide": "{requester} asks for {what}",
    "approved": "Approved: {what}",
    "denied": "Denied: {what}",
    "lapsed": "Lapsed, nobody decided: {what}",
    "active": "You have access: {what}",
    "failed": "Could not be granted: {what}",
    "revoked": "Revoked: {what}",
    "ended": "Access has ended: {what}",
    "change_to_confirm": "Proposed in your name: to {what}",
    "change_waiting": "{requester} proposes to {what}",
    "change_overridden": "Without a second admin: {requester} put in force to {what}",
    "change_accepted": "Accepted: to {what}",
    "change_rejected": "Rejected: to {what}",
    "change_outdated": "Outdated: to {what}",
}


class Email:
    """The mail channel; people without an address are passed over, the pages still tell them."""

    name = "email"

    def send(self, notification: Notification) -> None:
        """Hands the message to the mail server.

        Raises:
            smtplib.SMTPException, OSError: the server did not take it.
        """
        address = notification.recipient.email
        if not address:
            return
        proposal, request = notification.proposal, notification.request
        if proposal is not None:
            words = {"requester": proposal.proposed_by_name, "what": str(proposal)}
            context = {"proposal": proposal, "kind": notification.kind, "portal": settings.PORTAL_URL}
            _send(address, notification.kind, words, render_to_string("catalog/mail.txt", context))
            return
        if request is None:
            raise ValueError("A message is about a request or a proposal.")
        words = {"requester": request.requester.name, "what": str(request)}
        about = {
            "request": request,
            "kind": notification.kind,
            "data": notification.data,
            "portal": settings.PORTAL_URL,
            "access_portal": settings.AWS_ACCESS_PORTAL_URL,
            "ends_at": max((grant.ends_at for grant in request.grants.all() if grant.ends_at), default=None),
        }
        _send(address, notification.kind, words, render_to_string("accessrequests/mail.txt", about))


def _send(address: str, kind: str, words: dict[str, str], body: str) -> None:
    subject = " ".join(SUBJECTS[kind].format_map(words).split())
    EmailMessage(subject[:200], body, to=[address]).send()

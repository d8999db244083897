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
        request = notification.request
        words = {"requester": request.requester.name, "what": str(request)}
        subject = " ".join(SUBJECTS[notification.kind].format_map(words).split())
        context = {
            "request": request,
            "kind": notification.kind,
            "data": notification.data,
            "portal": settings.PORTAL_URL,
        }
        body = render_to_string("accessrequests/mail.txt", context)
        EmailMessage(subject[:200], body, to=[address]).send()

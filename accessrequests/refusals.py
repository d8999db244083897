"""What a refused verb leaves: an exception with the verdicts, and an event of its own in the ledger."""

import uuid
from collections.abc import Sequence

from django.db import transaction

from accessrequests.models import AccessRequest
from auditlog.actions import Action
from auditlog.ledger import Subject, record
from catalog.people import Person
from catalog.policy import Unproven, Verdict


class Refused(Exception):
    """The verb was not carried out, and why; nothing was changed but the ledger, which keeps the refusal."""

    def __init__(self, *refusals: Verdict) -> None:
        super().__init__(" ".join(refusal.reason for refusal in refusals))
        self.refusals = refusals


def demand(verdict: Verdict) -> None:
    """Refuses unless the verdict allows.

    Raises:
        Refused: it does not.
    """
    if not verdict:
        raise Refused(verdict)


def record_refusal(
    person: Person, action: Action, request_id: uuid.UUID, refusals: Sequence[Verdict], **data: str
) -> None:
    """Writes a refused attempt into the history, for which the block that was refused must have rolled back.

    If all that it lacks is fresh proof, the history says that this was asked for.
    """
    if (
        AccessRequest.objects.filter(pk=request_id).exclude(requester_id=person.user_id).exists()
        and action == Action.REQUEST_REFUSED
    ):
        # The id of somebody else's request: nobody writes into the history of that.
        request_id = uuid.uuid4()
    reasons = {
        "reason": " ".join(r.reason for r in refusals),
        "rule": ", ".join(dict.fromkeys(r.rule for r in refusals)),
    }
    demanded = [refusal.context.upper() for refusal in refusals if isinstance(refusal, Unproven)]
    if len(demanded) == len(refusals):
        # To be asked for proof is a step on the way, and nothing that was tried in vain.
        action, reasons["contexts"] = Action.PROOF_DEMANDED, ", ".join(demanded)
    with transaction.atomic():
        record(person.actor, action, Subject("request", str(request_id)), {**data, **reasons})

"""The verbs of people but for the decision: submit, extend, withdraw, give back, revoke; one transaction each."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accessrequests import asked, beside, escalation, extensions, grants, judging, permissions, tasks, ticket_checks
from accessrequests.decisions import approve
from accessrequests.lifecycle import begin, transition
from accessrequests.models import AccessRequest, RequestStage
from accessrequests.notifications import outbox
from accessrequests.refusals import Refused, demand, record_refusal
from accessrequests.states import OPEN_REQUEST, EndReason, RequestStatus
from accessrequests.ticket_checks import Checked
from accessrequests.ticketing import Question
from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from catalog import people
from catalog.deciders import can_be_decided, deciding
from catalog.membership import Now
from catalog.models import Account, Environment, Role
from catalog.offers import choices_of
from catalog.people import Person
from catalog.policy import Ask, Judgement, Verdict
from catalog.step_up import Proof
from catalog.terms import Terms

# Of one person at a time: the ends of one person's access must never keep everybody else's waiting.
MOST_OPEN: Final = 25


@dataclass(frozen=True)
class Form:
    """What a person filled in. `id` makes sending the form twice harmless: the same id is the same request."""

    id: uuid.UUID
    role: Role
    environment: Environment
    accounts: Sequence[Account]
    duration: timedelta
    reason: str
    ticket: str = ""
    start: datetime | None = None
    extends: AccessRequest | None = None
    proofs: tuple[Proof, ...] = ()

    @property
    def ask(self) -> Ask:
        """The ask that the policies judge."""
        return Ask(
            role_id=self.role.pk,
            environment_id=self.environment.pk,
            accounts=choices_of(self.accounts),
            duration=self.duration,
            reason=self.reason,
            ticket=self.ticket,
            start=self.start,
            already=extensions.taken(self.extends),
            proofs=self.proofs,
        )


@dataclass(frozen=True)
class MoreTime:
    """What a person filled in to extend a request; `id` as in Form, `duration` is the time to add."""

    id: uuid.UUID
    duration: timedelta
    reason: str
    ticket: str = ""
    proofs: tuple[Proof, ...] = ()


def submit(user_id: int, form: Form) -> AccessRequest:
    """Makes an access request, approved at once where the policy says so.

    Raises:
        Refused: the policies do not allow it; the refusal is recorded.
    """
    person = people.load(user_id)
    now = clock.now()
    try:
        checked = _check_ticket(person, form, now)
        now = clock.now() if checked else now
        with transaction.atomic():
            # Whoever leaves at this moment leaves before, and asks for nothing, or afterwards, and it is withdrawn.
            person = _held(user_id)
            known = AccessRequest.objects.filter(pk=form.id, requester_id=user_id).first()
            if known is not None:
                return known
            form, judgement, terms = _allowed(person, form, now, AccessRequest.objects.select_for_update(of=("self",)))
            demand(ticket_checks.settled(checked, _question(person, form), terms))
            request = _make(person, form, judgement, terms, now, checked)
            if judgement.outcome and judgement.outcome.at_once:
                approve(request, Actor.system("policy"), now, judging.approved_by(judgement.outcome))
            else:
                escalation.open_stage(request, request.stages.get(position=1), now)
    except Refused as refused:
        record_refusal(
            person,
            Action.REQUEST_REFUSED,
            form.id,
            refused.refusals,
            role=form.role.name,
            environment=form.environment.name,
        )
        raise
    except IntegrityError:
        # The same form, sent twice at the same moment: one of the two made the request.
        twin = AccessRequest.objects.filter(pk=form.id, requester_id=user_id).first()
        if twin is None:
            raise Refused(Verdict(False, "This form cannot be sent again; begin a new one.", "form")) from None
        return twin
    return request


def _held(user_id: int) -> Person:
    """The person, locked by all of their accounts: what they ask for by two at once is counted together."""
    people.hold_accounts(people.load(user_id))
    return people.load(user_id)


def _allowed(
    person: Person, form: Form, now: datetime, requests: QuerySet[AccessRequest]
) -> tuple[Form, Judgement, Terms]:
    """The form with what it extends as it is now, found among these requests, and what it is judged by.

    Raises:
        Refused: by the policies, or because nobody could decide, or it is asked for already.
    """
    if form.extends:
        form = _extending(person, form, requests.get(pk=form.extends.pk), now)
    others = beside.spans(person, form.role, form.environment, form.accounts, form.extends)
    ask = replace(form.ask, beside=others, since=beside.since(form.extends))
    judgement = judging.judge(person, ask, now)
    if not judgement.verdict or judgement.terms is None:
        raise Refused(*(judgement.refusals or (judgement.verdict,)))
    demand(can_be_decided(deciding(judgement.stages, Now(), person)))
    if form.extends and judgement.terms.permission_set_id != form.extends.permission_set_id:
        raise Refused(judging.other_permission_set(judgement.terms, "the access that you have"))
    demand(_is_not_asked_for_already(person, form))
    return form, judgement, judgement.terms


def _check_ticket(person: Person, form: Form, now: datetime) -> Checked | None:
    """Has the ticket checked where a policy demands it and nothing else refuses the ask; nothing is locked meanwhile.

    Raises:
        Refused: the ticket is not good, or nobody could say.
    """
    if not judging.may_check_tickets(form.role, form.environment):
        return None
    if AccessRequest.objects.filter(pk=form.id).exists():
        return None
    try:
        form, _, terms = _allowed(person, form, now, AccessRequest.objects.all())
    except Refused:
        # It is judged again under lock, and that is what is said and recorded.
        return None
    if not terms.ticket_checks:
        return None
    return ticket_checks.check(_question(person, form), terms)


def _question(person: Person, form: Form) -> Question:
    return Question(
        request_id=form.id,
        ticket=form.ticket,
        requester=person,
        role=form.role.name,
        environment=form.environment.name,
        accounts=form.ask.accounts,
        duration=form.duration,
        reason=form.reason,
        more=form.extends is not None,
    )


def objections(user_id: int, form: Form) -> tuple[Verdict, ...]:
    """What the policies have against an ask that is not complete yet; nothing is made of it, and nothing recorded."""
    return judging.judge(people.load(user_id), form.ask, clock.now()).refusals


def _is_not_asked_for_already(person: Person, form: Form) -> Verdict:
    """The same ask is not made twice while it is undecided, and not very many are."""
    pending = AccessRequest.objects.filter(requester_id=person.user_id, status=RequestStatus.PENDING)
    same = {"role": form.role, "environment": form.environment, "start": form.start, "reason": form.reason}
    # More time on some access is not the same ask as the access itself.
    twin = pending.filter(**same, extends=form.extends, accounts__in=form.accounts).first()
    if twin is not None:
        reason = f"You have asked for this already, and it is not decided yet (request {twin.short_id})."
        return Verdict(False, reason, "one ask at a time")
    if AccessRequest.objects.filter(requester_id=person.user_id, status__in=OPEN_REQUEST).count() >= MOST_OPEN:
        reason = f"{MOST_OPEN} of your requests are open; withdraw or give back what you no longer need."
        return Verdict(False, reason, "open requests")
    return permissions.YES


def extend(user_id: int, request_id: uuid.UUID, more: MoreTime) -> AccessRequest:
    """Asks for more time on an active request of one's own: a request in its own right, for the accounts still held.

    It goes through the policies as any other, and its time together with what it extends stays within the longest.

    Raises:
        Refused: it is somebody else's, not active, being extended already, or the policies do not allow it; the
            refusal is recorded.
    """
    return submit(user_id, _more_of(request_id, more))


def objections_to_more(user_id: int, request_id: uuid.UUID, more: MoreTime) -> tuple[Verdict, ...]:
    """As `objections`, to more time on a request."""
    form = _more_of(request_id, more)
    held = permissions.to_extend(AccessRequest.objects.get(pk=request_id), clock.now())
    return objections(user_id, replace(form, accounts=[grant.account for grant in held])) if held else ()


def _more_of(request_id: uuid.UUID, more: MoreTime) -> Form:
    extended = AccessRequest.objects.select_related("role", "environment").get(pk=request_id)
    return Form(
        id=more.id,
        role=extended.role,
        environment=extended.environment,
        accounts=(),
        duration=more.duration,
        reason=more.reason,
        ticket=more.ticket,
        extends=extended,
        proofs=more.proofs,
    )


def _extending(person: Person, form: Form, extended: AccessRequest, now: datetime) -> Form:
    """The form with what it extends as it is now; if locked, against another extension, an end, the start of either."""
    if not (verdict := permissions.may_extend(person, extended, now)):
        raise Refused(verdict)
    accounts = [grant.account for grant in permissions.to_extend(extended, now)]
    return replace(form, extends=extended, accounts=accounts)


def _make(
    person: Person, form: Form, judgement: Judgement, terms: Terms, now: datetime, checked: Checked | None
) -> AccessRequest:
    stages = [
        (
            stage.position,
            stage.approver_group_id,
            stage.approvals_needed,
            stage.escalation.approver_group_id if stage.escalation else None,
            stage.escalation.after if stage.escalation else None,
        )
        for stage in judgement.stages
    ]
    request = AccessRequest(
        id=form.id,
        requester=get_user_model().objects.get(pk=person.user_id),
        role=form.role,
        environment=form.environment,
        permission_set_id=terms.permission_set_id,
        duration=form.duration,
        start=form.start if form.start and form.start > now else None,
        reason=form.reason,
        ticket=form.ticket,
        extends=form.extends,
        terms={
            **judging.described(judgement),
            "already_seconds": extensions.taken(form.extends).total_seconds(),
            **({"ticket_check": checked.described()} if checked and terms.ticket_checks else {}),
        },
        proof=judging.used(terms.step_up_to_ask, form.proofs),
        submitted_at=now,
        lapses_at=now + settings.REQUEST_LAPSES_AFTER,
    )
    request.digest = asked.digest(request, [account.account_id for account in form.accounts], stages)
    data: dict[str, Any] = {
        "accounts": [str(account) for account in form.accounts],
        "permission_set": request.permission_set.arn,
        "duration_seconds": int(form.duration.total_seconds()),
        "start": request.start.isoformat() if request.start else None,
        "reason": form.reason,
        "ticket": form.ticket,
        "terms": request.terms,
        "digest": request.digest,
    }
    if request.proof:
        data["proof"] = request.proof
    if form.extends:
        data |= {"extends": str(form.extends.pk), "extended": f"request {form.extends.short_id}"}
    begin(request, actor=person.actor, action=Action.REQUEST_SUBMITTED, data=data)
    request.accounts.set(form.accounts)
    RequestStage.objects.bulk_create(
        RequestStage(
            request=request,
            position=stage.position,
            approver_group_id=stage.approver_group_id,
            approvals_needed=stage.approvals_needed,
            rule=stage.rule,
            escalation_group_id=stage.escalation.approver_group_id if stage.escalation else None,
            escalates_after=stage.escalation.after if stage.escalation else None,
        )
        for stage in judgement.stages
    )
    return request


def withdraw(user_id: int, request_id: uuid.UUID) -> AccessRequest:
    """Takes a request back before it has started.

    Raises:
        Refused: it is somebody else's, or too late.
    """
    with transaction.atomic():
        request = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        person = people.load(user_id)
        demand(permissions.may_withdraw(person, request))
        now = clock.now()
        transition(
            request,
            RequestStatus.WITHDRAWN,
            actor=person.actor,
            closed_at=now,
            start_due_at=None,
            outcome="Withdrawn by the person who asked.",
        )
    return request


def give_back(user_id: int, request_id: uuid.UUID) -> AccessRequest:
    """Ends one's own access now, also while it is still being granted: the request with all of its chain.

    Whoever says that they are done holds nothing afterwards; an extension not yet started has nothing left to extend.

    Raises:
        Refused: it is somebody else's, or there is nothing to end.
    """
    with transaction.atomic():
        request, held = grants.lock(request_id)
        person = people.load(user_id)
        demand(permissions.may_give_back(person, request))
        _end(held, EndReason.GIVEN_BACK, person, "Given back.", "Given back.")
    return request


def revoke(user_id: int, request_id: uuid.UUID, reason: str) -> AccessRequest:
    """Ends somebody's access now, also while it is still being granted: the request with all of its chain.

    Raises:
        Refused: the person may not, there is nothing to end, or no reason is given.
    """
    with transaction.atomic():
        request, held = grants.lock(request_id)
        person = people.load(user_id)
        demand(permissions.may_revoke(person, request))
        if not reason.strip():
            raise Refused(Verdict(False, "Say why; it is recorded.", "reason", "reason"))
        why, outcome = reason.strip(), f"Revoked by {person.name}: {reason.strip()}"
        if permissions.has_not_begun(request):
            transition(
                request,
                RequestStatus.ENDED,
                actor=person.actor,
                reason=outcome,
                end_reason=EndReason.REVOKED,
                outcome=outcome,
                closed_at=clock.now(),
                start_due_at=None,
            )
        _end(held, EndReason.REVOKED, person, why, outcome)
        outbox.add(request, "revoked", [request.requester_id], now=clock.now(), reason=why, by=person.name)
    return request


def _end(held: list[Any], end_reason: EndReason, person: Person, reason: str, outcome: str) -> None:
    now = clock.now()
    ended = grants.begin_revoking(held, end_reason, actor=person.actor, now=now, reason=reason, outcome=outcome)
    for grant in ended:
        tasks.send_after_commit(tasks.remove, str(grant.assignment_id))

"""Puts an access request before the access policies: when it is asked for, and again when it is to start."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects

from accessrequests import beside, extensions, permissions
from accessrequests.models import AccessRequest
from accessrequests.states import RequestStatus
from catalog import people, wording
from catalog.automatic import Outcome, Span
from catalog.models import AccessPolicy, Account, Environment, Role
from catalog.offers import choices_of, policies_among, policies_in_force, tags_of
from catalog.people import Person
from catalog.policy import AccountChoice, Ask, Judgement, Verdict, evaluate
from catalog.stages import Escalation
from catalog.step_up import ASKING, DECIDING, Demand, Proof, read_proofs, unmet
from catalog.terms import Limit, Policy, Terms, applying, matching, terms_of


def judge(person: Person, ask: Ask, now: datetime) -> Judgement:
    """The judgement of the policies in force on what a person asks now."""
    return evaluate(policies_in_force(ask.role_id, ask.environment_id), person, ask, now, settings.LONGEST_LEAD)


def may_check_tickets(role: Role, environment: Environment) -> bool:
    """Whether any policy in force for this role and environment has tickets checked."""
    rows = AccessPolicy.objects.filter(role=role, environment=environment, is_in_force=True)
    return rows.filter(tickets_checked=True).exists()


def judge_again(person: Person, request: AccessRequest, now: datetime) -> Verdict:
    """Whether an approved request may still start: the person, the role, the policy, the accounts, as they are now.

    What was approved is what starts: if the policies now name another permission set, the answer is no.
    """
    if request.extends_id and not extensions.held(request.extends_id, now).exists():
        return permissions.NOTHING_TO_EXTEND
    policies = policies_in_force(request.role_id, request.environment_id)
    accounts = choices_of(Account.objects.filter(pk__in=request.accounts.all()))
    # What people decided on is not counted again: today's stages are asked about it, however short it is.
    short = any(policy.automatic and policy.automatic.up_to is not None for policy in policies)
    others = beside.spans_at_start(request, person) if short and not request.stages.exists() else ()
    return judge_by(policies, accounts, person, request, now, others=others)


def refused_if_now(requests: Sequence[AccessRequest], now: datetime) -> dict[Any, str]:
    """Why those of these (by id) could not start by what holds now that wait for a decision or their start.

    Of what is undecided it is supposed that all agree whom it waits for. However many there are, it costs the same
    few queries.
    """
    approved = (each for each in requests if each.status == RequestStatus.APPROVED and not each.grants.all())
    waiting = [*(each for each in requests if each.status == RequestStatus.PENDING), *approved]
    if not waiting:
        return {}
    prefetch_related_objects(waiting, "accounts", "stages", "decisions__decided_by", "requester__directory_groups")
    extending = waiting
    while extending:
        prefetch_related_objects(extending, "extends")
        extending = [each.extends for each in extending if each.extends]
    policies = policies_among({each.role_id for each in waiting}, {each.environment_id for each in waiting})
    verdicts = {each.pk: _if_now(each, policies, now) for each in waiting}
    return {pk: verdict.in_full for pk, verdict in verdicts.items() if not verdict}


def _if_now(request: AccessRequest, policies: Iterable[Policy], now: datetime) -> Verdict:
    person, accounts = people.of(request.requester), choices_of(request.accounts.all())
    undecided = request.status == RequestStatus.PENDING
    return judge_by(policies, accounts, person, request, now, all_agree=undecided)


def judge_by(
    policies: Iterable[Policy],
    accounts: tuple[AccountChoice, ...],
    person: Person,
    request: AccessRequest,
    now: datetime,
    *,
    all_agree: bool = False,
    others: tuple[Span, ...] = (),
) -> Verdict:
    """Whether a request could start by these policies and accounts; with `all_agree`, if all do whom it waits for.

    `others` are those that count together with what was approved at once.
    """
    ask = Ask(
        role_id=request.role_id,
        environment_id=request.environment_id,
        accounts=accounts,
        duration=request.duration,
        reason=request.reason,
        ticket=request.ticket,
        start=None,
        already=extensions.taken(request.extends),
        proofs=read_proofs(request.proof),
        made_at=request.submitted_at,
        begins=request.start,
        on_call_by=frozenset(request.terms.get("approves_automatically", {}).get("on_call_by", ())),
        beside=others,
        since=beside.since(request.extends) if others else None,
    )
    judgement = evaluate(policies, person, ask, now, settings.LONGEST_LEAD)
    if others and judgement.outcome and judgement.outcome.together:
        return _too_much_together(judgement.outcome)
    if judgement.terms and _takes_people(request, judgement):
        is_decided = _would_be_decided if all_agree else _is_decided
        if not (decided := is_decided(request, judgement.terms)):
            return decided
    if judgement.terms and not (checked := _was_checked(request, judgement.terms)):
        return checked
    if judgement.verdict and judgement.terms and judgement.terms.permission_set_id != request.permission_set_id:
        return other_permission_set(judgement.terms, "the one that was approved")
    return judgement.verdict


def demanded_to_decide(request: AccessRequest) -> tuple[Demand, ...]:
    """What those must prove who agree to a request, by the policies that hold for it today."""
    requester = people.load(request.requester_id)
    matched = matching(policies_in_force(request.role_id, request.environment_id), requester)
    policies = applying(matched, (tags_of(account) for account in request.accounts.all()))
    return terms_of(policies).step_up_to_decide if policies else ()


def used(demands: tuple[Demand, ...], proofs: tuple[Proof, ...]) -> list[dict[str, str]] | None:
    """The newest proof for each demand, as rows keep them; none where none was asked for."""
    contexts = {demand.context for demand in demands}
    newest = {proof.context: proof for proof in sorted(proofs, key=lambda each: each.at) if proof.context in contexts}
    return [proof.described() for proof in newest.values()] or None


def _takes_people(request: AccessRequest, judgement: Judgement) -> bool:
    """Whether today's terms ask people about it; about what people decide they ask again, unless they ask nobody ever.

    By itself it may be short enough to be approved at once, and have been too much only together with other asks.
    """
    if not judgement.at_once:
        return True
    always = judgement.terms is not None and judgement.terms.automatic.is_always
    return not always and bool(request.stages.all())


def _too_much_together(outcome: Outcome) -> Verdict:
    """The refusal of what was approved at once and has come too near to other access since."""
    limit = f"the {wording.spelled(outcome.up_to or 0)} that “{outcome.rule}” approves at once"
    why = "With your other requests for the same access it would now come to more than"
    return Verdict(False, f"{why} {limit}. Ask again.", outcome.rule)


def _is_decided(request: AccessRequest, terms: Terms) -> Verdict:
    """Whether those have agreed whom today's terms ask: a policy that became stricter since counts."""
    agreements = permissions.agreements(request)
    if not (different := permissions.by_different_people(request)):
        return different
    proved = [
        decision
        for decision in agreements
        if not any(
            unmet(
                terms.step_up_to_decide,
                read_proofs(decision.proof),
                decision.decided_by.object_id,
                decision.decided_at,
            )
        )
    ]
    if len(proved) < len(agreements):
        rule = terms.step_up_to_decide[0].rule
        return Verdict(False, f"“{rule}” now asks for fresh proof of those who agree. Ask again.", rule)
    return _are_enough(Counter(decision.approver_group_id for decision in proved), terms)


def _was_checked(request: AccessRequest, terms: Terms) -> Verdict:
    """Whether the ticket was checked where today's terms want that; a check for whichever policy is one of the ticket.

    The ticket system is asked when something is asked for, and not again.
    """
    if not terms.ticket_checks or "ticket_check" in request.terms:
        return permissions.YES
    rule = terms.ticket_checks[0].rule
    return Verdict(False, f"“{rule}” now has tickets checked, and this one was not. Ask again.", rule)


def _would_be_decided(request: AccessRequest, terms: Terms) -> Verdict:
    """Whether the stages that it was given when it was asked are enough for these terms, and nobody agreed twice."""
    if not (different := permissions.by_different_people(request)):
        return different
    given: Counter[int] = Counter()
    for stage in request.stages.all():
        given[stage.approver_group_id] += stage.approvals_needed
    return _are_enough(given, terms)


def _are_enough(agreed: Counter[int], terms: Terms) -> Verdict:
    """Whether so many of each approver group are as many as these terms ask for."""
    needed: Counter[int] = Counter()
    for stage in terms.stages:
        needed[stage.approver_group_id] += stage.approvals_needed
        if agreed[stage.approver_group_id] < needed[stage.approver_group_id]:
            asked = f"{needed[stage.approver_group_id]} of {stage.approver_group}"
            return Verdict(False, f"“{stage.rule}” now asks for {asked} to agree. Ask again.", stage.rule)
    return Verdict(True, "", terms.automatic.rule)


def approved_by(outcome: Outcome) -> str:
    """Why an ask was approved at once, with the rule and its version, as the record says it."""
    why = wording.why(outcome)
    return (
        f"“{outcome.rule}” (version {outcome.version} of that policy) approves it at once{f': {why}' if why else ''}."
    )


def other_permission_set(terms: Terms, than: str) -> Verdict:
    """The refusal where the policies have come to name another permission set."""
    names = ", ".join(policy.name for policy in terms.policies)
    return Verdict(False, f"The access policy names another permission set than {than}.", names)


def described(judgement: Judgement) -> dict[str, Any]:
    """What an ask was judged by, as the request keeps it: every limit with its rule, the version of each policy.

    Of those who decide it tells those of this ask: none, if it was approved at once.
    """
    terms, outcome = judgement.terms, judgement.outcome
    if terms is None or outcome is None:
        return {}

    def limit(term: Limit[Any]) -> dict[str, Any]:
        value = term.value.total_seconds() if hasattr(term.value, "total_seconds") else term.value
        return {"value": value, "rule": term.rule}

    return {
        "policies": [{"id": policy.id, "name": policy.name, "version": policy.version} for policy in terms.policies],
        "permission_set": terms.permission_set,
        "longest_duration_seconds": limit(terms.longest_duration),
        "accounts_per_request": limit(terms.accounts_per_request),
        "ticket_patterns": [limit(pattern) for pattern in terms.ticket_patterns],
        "approves_automatically": {
            "value": outcome.at_once,
            "rule": outcome.rule,
            "version": outcome.version,
            "why": wording.why(outcome),
            # By what the person was on call, only of what was approved by it.
            **({"on_call_by": [each.key for each in outcome.on_call]} if outcome.at_once and outcome.on_call else {}),
        },
        "stages": [
            {
                "position": stage.position,
                "approver_group": stage.approver_group,
                "approvals_needed": stage.approvals_needed,
                "rule": stage.rule,
                **({"escalation": _described_escalation(stage.escalation)} if stage.escalation else {}),
            }
            for stage in judgement.stages
        ],
        # Only where there is one, as in requests that were made before.
        **({"step_up": step_up} if (step_up := _described_step_up(terms)) else {}),
        **({"ticket_checks": [check.rule for check in terms.ticket_checks]} if terms.ticket_checks else {}),
        **({"least_reason": limit(terms.least_reason)} if terms.least_reason.rule else {}),
    }


def _described_escalation(escalation: Escalation) -> dict[str, Any]:
    return {
        "approver_group": escalation.approver_group,
        "after_seconds": escalation.after.total_seconds(),
        "rule": escalation.rule,
    }


def _described_step_up(terms: Terms) -> list[dict[str, Any]]:
    return [
        {
            "when": when,
            "context": demand.context,
            "rule": demand.rule,
            "longest_age_seconds": demand.longest_age.total_seconds(),
            "age_rule": demand.age_rule,
        }
        for when, demands in ((ASKING, terms.step_up_to_ask), (DECIDING, terms.step_up_to_decide))
        for demand in demands
    ]

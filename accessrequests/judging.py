"""Puts an access request before the access policies: when it is asked for, and again when it is to start."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.conf import settings

from accessrequests import extensions, permissions
from accessrequests.models import AccessRequest, Decision
from catalog.models import Account
from catalog.offers import choices_of, policies_in_force
from catalog.people import Person
from catalog.policy import Ask, Judgement, Limit, Terms, Verdict, evaluate


def judge(person: Person, ask: Ask, now: datetime) -> Judgement:
    """The judgement of the policies in force on what a person asks now."""
    return evaluate(policies_in_force(ask.role_id, ask.environment_id), person, ask, now, settings.LONGEST_LEAD)


def judge_again(person: Person, request: AccessRequest, now: datetime) -> Verdict:
    """Whether an approved request may still start: the person, the role, the policy, the accounts, as they are now.

    What was approved is what starts: if the policies now name another permission set, the answer is no.
    """
    if request.extends_id and not extensions.held(request.extends_id, now).exists():
        return permissions.NOTHING_TO_EXTEND
    ask = Ask(
        role_id=request.role_id,
        environment_id=request.environment_id,
        accounts=choices_of(Account.objects.filter(pk__in=request.accounts.all())),
        duration=request.duration,
        reason=request.reason,
        ticket=request.ticket,
        start=None,
        already=extensions.taken(request.extends),
    )
    judgement = judge(person, ask, now)
    if judgement.terms and not (decided := _is_decided(request, judgement.terms)):
        return decided
    if judgement.verdict and judgement.terms and judgement.terms.permission_set_id != request.permission_set_id:
        return other_permission_set(judgement.terms, "the one that was approved")
    return judgement.verdict


def _is_decided(request: AccessRequest, terms: Terms) -> Verdict:
    """Whether those have agreed whom today's terms ask: a policy that became stricter since counts."""
    if terms.approves_automatically.value:
        return Verdict(True, "", terms.approves_automatically.rule)
    agreements = request.decisions.filter(answer=Decision.Answer.APPROVE)
    agreed = Counter(agreements.values_list("approver_group_id", flat=True))
    needed: Counter[int] = Counter()
    for stage in terms.stages:
        needed[stage.approver_group_id] += stage.approvals_needed
        if agreed[stage.approver_group_id] < needed[stage.approver_group_id]:
            asked = f"{needed[stage.approver_group_id]} of {stage.approver_group}"
            return Verdict(False, f"“{stage.rule}” now asks for {asked} to agree. Ask again.", stage.rule)
    return Verdict(True, "", terms.approves_automatically.rule)


def other_permission_set(terms: Terms, than: str) -> Verdict:
    """The refusal where the policies have come to name another permission set."""
    names = ", ".join(policy.name for policy in terms.policies)
    return Verdict(False, f"The access policy names another permission set than {than}.", names)


def described(terms: Terms) -> dict[str, Any]:
    """The terms as the request keeps them: every limit with its rule, and the version of each policy."""

    def limit(term: Limit[Any]) -> dict[str, Any]:
        value = term.value.total_seconds() if hasattr(term.value, "total_seconds") else term.value
        return {"value": value, "rule": term.rule}

    return {
        "policies": [{"id": policy.id, "name": policy.name, "version": policy.version} for policy in terms.policies],
        "permission_set": terms.permission_set,
        "longest_duration_seconds": limit(terms.longest_duration),
        "accounts_per_request": limit(terms.accounts_per_request),
        "ticket_patterns": [limit(pattern) for pattern in terms.ticket_patterns],
        "approves_automatically": limit(terms.approves_automatically),
        "stages": [
            {
                "position": stage.position,
                "approver_group": stage.approver_group,
                "approvals_needed": stage.approvals_needed,
                "rule": stage.rule,
            }
            for stage in terms.stages
        ],
    }

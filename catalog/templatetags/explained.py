"""Parts of an explanation in words: what lets somebody ask, whom a policy is open to, who could decide."""

from collections.abc import Mapping
from typing import Final

from django import template

from catalog.answers import Crowd
from catalog.deciders import Deciding
from catalog.explain import Because
from catalog.step_up import Demand
from catalog.terms import Policy
from catalog.wording import spelled

register = template.Library()

MOST_NAMED: Final = 3


@register.filter
def by(because: Because, groups: Mapping[str, str]) -> str:
    """What lets somebody ask: "“Payments support”, as a member of Payments engineers"."""
    reasons = []
    if because.group_ids:
        reasons.append(f"as a member of {_named(because.group_ids, groups)}")
    if because.department:
        reasons.append(f"as one of the department {because.department}")
    return ", ".join([f"“{because.policy.name}”", *reasons])


@register.filter
def open_to(policy: Policy, groups: Mapping[str, str]) -> str:
    """Whom a policy lets ask: "members of Payments engineers; people of Data", or nobody."""
    whom = []
    if policy.group_ids:
        whom.append(f"members of {_named(policy.group_ids, groups)}")
    if policy.departments:
        whom.append(f"people of {', '.join(sorted(policy.departments))}")
    kept = policy.closed_ids
    but = f", but to no member of {_named(kept, groups)}" if kept else ""
    return ("; ".join(whom) or "nobody") + but


@register.filter
def demanded(demand: Demand) -> str:
    """What somebody must prove: "authentication context C1, at most 15 minutes ago, by “Payments support”"."""
    age = spelled(demand.longest_age)
    return f"authentication context {demand.context.upper()}, at most {age} ago, by “{demand.rule}”"


@register.filter
def could(step: Deciding) -> str:
    """How many could decide at a stage: "3 people could decide"; or who is the manager of the one who asks."""
    if step.is_open:
        return "whom the directory names as that, once they have signed in here"
    if step.manager and step.manager.why_not:
        return step.manager.why_not
    if step.manager:
        return (
            f"{step.manager.name} could decide" if step.count == 1 else f"{step.manager.name} and others could decide"
        )
    if step.count == 0:
        return "nobody could decide"
    return f"{step.count} {'person' if step.count == 1 else 'people'} could decide"


@register.filter
def without_manager(crowd: Crowd) -> str:
    """How many of a crowd are refused for want of a manager: "3 of them are refused: …"; empty if nobody is."""
    if not (count := crowd.without_manager):
        return ""
    refused = "1 of them is refused" if count == 1 else f"{count} of them are refused"
    return f"{refused}: the directory names no manager of theirs that could decide."


@register.filter
def first_names(step: Deciding) -> str:
    """The first few of those who could decide."""
    if step.manager:
        return ""
    first = list(step.names.values())[:MOST_NAMED]
    return ", ".join(first) + (" and others" if step.count > len(first) else "")


def _named(object_ids: tuple[str, ...] | frozenset[str], groups: Mapping[str, str]) -> str:
    return ", ".join(sorted(groups.get(object_id, object_id) for object_id in object_ids))

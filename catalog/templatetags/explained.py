"""Parts of an explanation in words: what lets somebody ask, whom a policy is open to, who could decide."""

from collections.abc import Mapping
from typing import Final

from django import template

from catalog.deciders import Deciding
from catalog.explain import Because
from catalog.policy import Policy

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
    return "; ".join(whom) or "nobody"


@register.filter
def could(step: Deciding) -> str:
    """How many could decide at a stage: "3 people could decide"."""
    if step.count == 0:
        return "nobody could decide"
    return f"{step.count} {'person' if step.count == 1 else 'people'} could decide"


@register.filter
def first_names(step: Deciding) -> str:
    """The first few of those who could decide."""
    first = list(step.names.values())[:MOST_NAMED]
    return ", ".join(first) + (" and others" if step.count > len(first) else "")


def _named(object_ids: tuple[str, ...] | frozenset[str], groups: Mapping[str, str]) -> str:
    return ", ".join(sorted(groups.get(object_id, object_id) for object_id in object_ids))

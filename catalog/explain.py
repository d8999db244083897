"""Where somebody stands with a role in an environment, and what makes it so: purely, over policies read before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.people import Person
from catalog.policy import Policy, Terms, Verdict, matching, unmatched, whatever_is_asked


@dataclass(frozen=True)
class Because:
    """A policy that lets somebody ask, and what of theirs it names: directory groups by object id, a department."""

    policy: Policy
    group_ids: tuple[str, ...]
    department: str


@dataclass(frozen=True)
class Standing:
    """Whether somebody may ask for a role in an environment.

    `because` are the policies that let them, `closed` those that would let others; `refusals` is what is in the way
    whatever they ask for, and `terms` what holds if nothing is.
    """

    role_id: int
    environment_id: int
    role: str
    environment: str
    because: tuple[Because, ...]
    closed: tuple[Policy, ...]
    refusals: tuple[Verdict, ...]
    terms: Terms | None

    @property
    def may_ask(self) -> bool:
        """Whether any ask could be allowed."""
        return self.terms is not None and not self.refusals

    @property
    def rules(self) -> tuple[Policy, ...]:
        """The policies that hold, by name."""
        return tuple(each.policy for each in self.because)


def standing(
    policies: Sequence[Policy], person: Person, role: str, environment: str, *, open_in: frozenset[int], who: str
) -> Standing:
    """Where the person stands.

    Args:
        policies: all in force for one role and environment.
        person: who would ask.
        role: how the role is called, for policies may be none.
        environment: the same.
        open_in: ids of the environments that have an account to ask for.
        who: the person and a verb, as a refusal calls them: "You are", "Ben Okafor is".
    """
    matched = matching(policies, person)
    refusals: tuple[Verdict, ...] = ()
    terms: Terms | None = None
    if not person.is_active:
        refusals = (Verdict(False, f"{who} disabled in the directory.", "people"),)
    if not matched:
        refusals = (*refusals, unmatched(policies, who))
    else:
        judgement = whatever_is_asked(matched)
        terms, refusals = judgement.terms, (*refusals, *judgement.refusals)
        if matched[0].environment_id not in open_in:
            reason = f"There is no account to ask for in {environment}."
            refusals = (*refusals, Verdict(False, reason, f"environment {environment}", "accounts"))
    return Standing(
        role_id=policies[0].role_id if policies else 0,
        environment_id=policies[0].environment_id if policies else 0,
        role=role,
        environment=environment,
        because=tuple(because(policy, person) for policy in matched),
        closed=tuple(policy for policy in policies if policy not in matched),
        refusals=refusals,
        terms=terms,
    )


def because(policy: Policy, person: Person) -> Because:
    """What of this person's the policy names."""
    department = person.department if person.department in policy.departments else ""
    return Because(policy, tuple(sorted(policy.group_ids & person.groups)), department)


def reach(policies: Iterable[Policy], person: Person, *, open_in: frozenset[int], who: str) -> tuple[Standing, ...]:
    """Every role in every environment that a policy lets the person ask for, also where something is in the way."""
    by_pair: dict[tuple[str, str], list[Policy]] = {}
    for policy in policies:
        by_pair.setdefault((policy.environment, policy.role), []).append(policy)
    found = (
        standing(rows, person, role, environment, open_in=open_in, who=who)
        for (environment, role), rows in sorted(by_pair.items())
    )
    return tuple(each for each in found if each.because)

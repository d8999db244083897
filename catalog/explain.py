"""Where somebody stands with a role in an environment, and what makes it so: purely, over policies read before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog.account_tags import Tags, written
from catalog.people import Person
from catalog.policy import Verdict, unmatched, whatever_is_asked
from catalog.terms import Policy, Terms, covering, matching

# The tags of the accounts that there are to ask for, by environment.
There = Mapping[int, Sequence[Tags | None]]


@dataclass(frozen=True)
class Part:
    """The policies for some of an environment's accounts, which accounts (empty: all), and whether there are any."""

    policies: tuple[Policy, ...]
    accounts: str
    is_open: bool


def parts(policies: Sequence[Policy], tags: Sequence[Tags | None]) -> tuple[Part, ...]:
    """The accounts with these tags, by the policies that are for them; one part unless policies go by tags.

    Accounts that no policy is for are in none, nor are those whose tags AWS has not told.
    """
    if not any(policy.account_tags for policy in policies):
        return (Part(tuple(policies), "", bool(tags)),)
    found = {held for each in tags if each is not None and (held := covering(policies, each))}
    named = [(held, written(frozenset(tag for policy in held for tag in policy.account_tags))) for held in found]
    return tuple(
        Part(held, f"accounts tagged {words}" if words else "other accounts", True)
        for held, words in sorted(named, key=lambda each: each[1])
    ) or (Part(tuple(policies), "", False),)


@dataclass(frozen=True)
class Because:
    """A policy that lets somebody ask, and what of theirs it names: directory groups by object id, a department."""

    policy: Policy
    group_ids: tuple[str, ...]
    department: str


@dataclass(frozen=True)
class Standing:
    """Whether somebody may ask for a role in an environment, or in those of its accounts that `accounts` says.

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
    accounts: str = ""

    @property
    def may_ask(self) -> bool:
        """Whether any ask could be allowed."""
        return self.terms is not None and not self.refusals

    @property
    def rules(self) -> tuple[Policy, ...]:
        """The policies that hold, by name."""
        return tuple(each.policy for each in self.because)


def standing(
    policies: Sequence[Policy], person: Person, role: str, environment: str, *, is_open: bool, who: str
) -> Standing:
    """Where the person stands.

    Args:
        policies: all in force for one role and environment.
        person: who would ask.
        role: how the role is called, for policies may be none.
        environment: the same.
        is_open: whether there is an account to ask for.
        who: the person and a verb, as a refusal calls them: "You are", "Ben Okafor is".
    """
    matched = matching(policies, person)
    refusals: tuple[Verdict, ...] = ()
    terms: Terms | None = None
    if not person.is_active:
        refusals = (Verdict(False, person.why_inactive(who), "people"),)
    if not matched:
        refusals = (*refusals, unmatched(policies, person, who))
    else:
        judgement = whatever_is_asked(matched)
        terms, refusals = judgement.terms, (*refusals, *judgement.refusals)
        if not is_open:
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


def standings(
    policies: Sequence[Policy], person: Person, role: str, environment: str, *, there: There, who: str
) -> tuple[Standing, ...]:
    """Where the person stands, as `standing`, with each part of the accounts."""
    tags = there.get(policies[0].environment_id, ()) if policies else ()
    return tuple(
        replace(
            standing(part.policies, person, role, environment, is_open=part.is_open, who=who), accounts=part.accounts
        )
        for part in parts(policies, tags)
    )


def reach(policies: Iterable[Policy], person: Person, *, there: There, who: str) -> tuple[Standing, ...]:
    """Every role in every environment that a policy lets the person ask for, also where something is in the way."""
    by_pair: dict[tuple[str, str], list[Policy]] = {}
    for policy in policies:
        by_pair.setdefault((policy.environment, policy.role), []).append(policy)
    found = (
        each
        for (environment, role), rows in sorted(by_pair.items())
        for each in standings(rows, person, role, environment, there=there, who=who)
    )
    return tuple(each for each in found if each.because)

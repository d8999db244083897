"""Reads the standing access that scans have found as roles, environments and policies that could take its place.

What comes of it is a file to edit; nothing is changed by making it. Every assignment stands in it, or among what could
not be placed, with the reason.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from accessrequests.findings_shown import read
from accessrequests.guessing import environment_word, human, told_apart
from accessrequests.models import Finding
from accessrequests.states import STANDING_FINDING
from catalog import people
from catalog.answers import member_of, with_account
from catalog.membership import Membership, Now
from catalog.models import Account, DirectoryGroup, Environment, PermissionSet, Principal
from catalog.offers import policies_in_force, tags_of
from catalog.people import Person
from catalog.terms import Policy, covering
from catalog.wording import counted

UNSORTED: Final = "Unsorted"


class Groups(Protocol):
    """What AWS knows of groups, beside their names."""

    def object_id(self, principal_id: str) -> str:
        """The object id in Entra of a group that was provisioned from there; empty if it was not, or is gone."""
        ...


@dataclass(frozen=True)
class Held:
    """One standing assignment: who holds what where. `group` is the directory's, if a group holds it and is known."""

    account: Account
    permission_set: PermissionSet
    holder: str
    is_group: bool
    person: Any = None
    object_id: str = ""
    group: str = ""

    def __str__(self) -> str:
        return f"{self.holder}: {self.permission_set} in {self.account}"


@dataclass
class Proposed:
    """One policy to be: who held a permission set in accounts of one environment may ask for it in all of these."""

    role: str
    environment: str
    permission_set: PermissionSet
    accounts: list[Account]
    held: list[Held] = field(default_factory=list)

    @property
    def by_holder(self) -> list[tuple[str, list[str]]]:
        """Each who holds it, with the names of the accounts where they do."""
        found: dict[tuple[str, Any], list[str]] = {}
        for held in self.held:
            # Two may have one name.
            who = f"{'group ' if held.is_group else ''}{held.holder}", held.object_id or held.person
            found.setdefault(who, []).append(held.account.name)
        return [(name, there) for (name, _), there in found.items()]

    @property
    def is_wider(self) -> bool:
        """Whether somebody could ask for it in accounts where they hold nothing now."""
        return any(len(there) < len(self.accounts) for _, there in self.by_holder)


@dataclass
class Adoption:
    """What was read: policies to be, new environments with their accounts, and what has no place, with the reason."""

    policies: list[Proposed] = field(default_factory=list)
    environments: dict[str, list[Account]] = field(default_factory=dict)
    covered: list["Candidate"] = field(default_factory=list)
    unplaced: list[tuple[str, str]] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """What it comes to, in a sentence: "These 214 assignments are 6 roles in 4 environments."."""
        count = sum(len(policy.held) for policy in self.policies)
        roles = len({policy.role for policy in self.policies})
        environments = len({policy.environment for policy in self.policies})
        said = [f"{_these(count)} {counted(roles, 'role')} in {counted(environments, 'environment')}."] if count else []
        if wider := sum(policy.is_wider for policy in self.policies):
            reach = "One of the policies reaches" if wider == 1 else f"{wider} of the policies reach"
            said.append(f"{reach} further than what is held.")
        if self.covered:
            said.append(f"{len(self.covered)} more could be asked for by policies that are in force: see --candidates.")
        if self.unplaced:
            said.append(f"{len(self.unplaced)} could not be placed.")
        return " ".join(said) or "No scan has found standing access."


@dataclass(frozen=True)
class Candidate:
    """Standing access that need not stand: all who would lose it may ask for it instead, by these policies."""

    held: Held
    policies: tuple[str, ...]
    losing: tuple[str, ...]


def adoption(groups: Groups) -> Adoption:
    """What the standing access comes to that scans have found and nobody has settled for good."""
    found = Adoption()
    standing = _held(groups, found)
    in_force, membership = policies_in_force(), Now()
    words = _environments(standing, found)
    named: dict[tuple[str, str], set[int]] = {}
    taken = {(each.role, each.environment): each.permission_set_id for each in in_force}
    roles = {(each.environment, each.permission_set_id): each.role for each in in_force}
    policies: dict[tuple[str, str, int], Proposed] = {}
    waiting: list[tuple[Held, str]] = []
    for held in standing:
        if candidate := _covered(held, in_force, membership):
            found.covered.append(candidate)
        elif environment := words.get(held.account.pk):
            waiting.append((held, environment))
            named.setdefault((human(held.permission_set.name), environment), set()).add(held.permission_set.pk)
    for held, environment in waiting:
        own = held.permission_set
        role = roles.get((environment, own.pk)) or human(own.name)
        if len(named[human(own.name), environment]) > 1:
            # A role is one permission set in an environment, so these are two roles.
            role = told_apart(own.name)
        if taken.get((role, environment), own.pk) != own.pk:
            role = f"{told_apart(own.name)} ({own.name})"
        key = (role, environment, own.pk)
        if key not in policies:
            there = Account.objects.filter(environment__name=environment, vanished_at=None)
            accounts = found.environments.get(environment) or list(there)
            policies[key] = Proposed(role, environment, own, accounts)
        policies[key].held.append(held)
    found.policies = sorted(policies.values(), key=lambda each: (each.environment, each.role, each.permission_set.name))
    return found


def candidates(groups: Groups) -> list[Candidate]:
    """The standing access that policies in force cover: everybody who would lose it may ask for it."""
    in_force, membership = policies_in_force(), Now()
    found = (_covered(held, in_force, membership) for held in _held(groups, Adoption()))
    return [candidate for candidate in found if candidate]


def _held(groups: Groups, found: Adoption) -> list[Held]:
    """Everything that stands, without what has gone since; that is among what could not be placed."""
    rows = Finding.objects.filter(status__in=STANDING_FINDING).order_by(
        "account__account_id", "permission_set__name", "principal_type", "principal_name", "principal_id"
    )
    vanished = set(Principal.objects.exclude(vanished_at=None).values_list("principal_id", flat=True))
    known = {group.object_id: group.name for group in DirectoryGroup.objects.all()}
    named = Counter(known.values())
    object_ids: dict[str, str] = {}
    held = []
    for shown in read(rows):
        row = shown.row
        if reason := _gone(row, vanished):
            found.unplaced.append((str(row), reason))
            continue
        if not shown.is_group:
            held.append(Held(row.account, row.permission_set, shown.who, is_group=False, person=shown.person))
            continue
        if row.principal_id not in object_ids:
            object_ids[row.principal_id] = groups.object_id(row.principal_id) or next(
                (key for key, name in known.items() if name == row.principal_name and named[name] == 1), ""
            )
        object_id = object_ids[row.principal_id]
        name = known.get(object_id, row.principal_name or object_id)
        held.append(Held(row.account, row.permission_set, shown.who, is_group=True, object_id=object_id, group=name))
    return held


def _gone(row: Finding, vanished: set[str]) -> str:
    if row.account.vanished_at:
        return "AWS no longer lists the account, or it is suspended."
    if row.permission_set.vanished_at:
        return "AWS no longer has the permission set."
    if row.principal_id in vanished:
        return f"The {'group' if row.principal_type == 'GROUP' else 'person'} is gone from IAM Identity Center."
    if row.account.is_management:
        return "It is in the organisation’s management account, which belongs in no environment."
    return ""


def _environments(standing: list[Held], found: Adoption) -> dict[int, str]:
    """The name of the environment of each account, by key; new ones are put into `found`."""
    there = set(Environment.objects.values_list("name", flat=True))
    names: dict[int, str] = {}
    for account in {held.account.pk: held.account for held in standing}.values():
        if account.environment is not None:
            names[account.pk] = account.environment.name
            continue
        word = environment_word(account) or UNSORTED
        if word in there:
            reason = f"{account} is in no environment. If it belongs into {word}, put it there, and adopt again."
            found.unplaced += [(str(held), reason) for held in standing if held.account.pk == account.pk]
            continue
        names[account.pk] = word
        found.environments.setdefault(word, []).append(account)
    return names


def _covered(held: Held, in_force: tuple[Policy, ...], membership: Membership) -> Candidate | None:
    """Whether all who would lose this could have the same in the same place by asking, and by which policies."""
    here = [policy for policy in in_force if policy.environment_id == held.account.environment_id]
    here = [*covering(here, tags_of(held.account))]
    person = _who_asks(held)
    if person is None:
        return None
    by: list[str] = []
    for role in dict.fromkeys(policy.role_id for policy in here if policy.role_is_offered):
        of_role = [policy for policy in here if policy.role_id == role]
        reached = with_account(of_role, person, membership, asker=None if held.is_group else person)
        terms = reached.standing.terms
        if reached.may_ask and terms and terms.permission_set_id == held.permission_set.pk:
            by += [policy.name for policy in reached.standing.rules if not _keeps_out_members(policy, held)]
    if not by:
        return None
    members = _members(held).order_by("name").values_list("name", flat=True)
    return Candidate(held, tuple(by), tuple(members) if held.is_group else (person.name,))


def _who_asks(held: Held) -> Person | None:
    """Who would ask for what they lose; of a group, somebody who is in no other. None if nobody is known."""
    if held.is_group:
        return member_of(held.object_id, held.group) if held.object_id else None
    return people.load(held.person.pk) if held.person else None


def _members(held: Held) -> QuerySet[Any]:
    rows: QuerySet[Any] = get_user_model().objects.filter(
        is_active=True, directory_groups__object_id=held.object_id or None
    )
    return rows


def _keeps_out_members(policy: Policy, held: Held) -> bool:
    """Whether one member of the group that holds it is kept from asking, and would lose it for good."""
    return held.is_group and _members(held).filter(pk__in=_kept_out(policy)).exists()


def _kept_out(policy: Policy) -> Any:
    """The people whom a policy, or another for the same role and environment, keeps from asking."""
    rows = get_user_model().objects.filter(directory_groups__object_id__in=sorted(policy.closed_ids))
    return rows.values("pk")


def _these(count: int) -> str:
    return "This assignment is" if count == 1 else f"These {count} assignments are"

"""Writes what standing access comes to as a catalog file to edit: each object with the assignments it came from."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.text import slugify

from accessrequests.adoption import UNSORTED, Adoption, Held, Proposed
from accessrequests.guessing import sensitivity_of
from catalog import names
from catalog.ascode.references import References
from catalog.ascode.writer import Written, written
from catalog.models import AccessPolicy, Account, DirectoryGroup, Environment, Role, Sensitivity
from catalog.wording import counted

TO_NAME: Final = "Approvers to name"
_MOST_NAMED: Final = 10
_LONGEST: Final = {
    Sensitivity.SANDBOX: "8h",
    Sensitivity.DEVELOPMENT: "8h",
    Sensitivity.STAGING: "4h",
    Sensitivity.PRODUCTION: "2h",
}


def text_of(adoption: Adoption) -> str:
    """The file, which `manage.py catalog plan` reads; what nobody but people can know is marked with TODO."""
    return _File(adoption).text()


class _File:
    """One file being written, with the groups and approvers that its policies turn out to need."""

    def __init__(self, adoption: Adoption) -> None:
        self._adoption = adoption
        self._references = References()
        self._known = {group.object_id: self._references.name_of(group) for group in DirectoryGroup.objects.all()}
        self._groups: dict[str, str] = {}
        self._names = {names.likeness(name) for name in AccessPolicy.objects.values_list("name", flat=True)}
        self._sensitivity = dict(Environment.objects.values_list("name", "sensitivity"))
        self._is_approver_missing = False

    def text(self) -> str:
        policies = [self._policy(policy) for policy in self._adoption.policies]
        sections = {
            "directory_groups": [Written(name, object_id) for object_id, name in sorted(self._groups.items())],
            "roles": list(self._roles()),
            "environments": list(self._environments()),
            "approver_groups": list(self._approvers()),
            "policies": policies,
        }
        heading = (
            self._adoption.summary,
            "Edit this: names, terms, who decides, every TODO. Then manage.py catalog plan says what is still amiss,",
            "and who would gain what; manage.py catalog apply imports it. Nothing is taken from anybody by that.",
        )
        unplaced = [f"{what}: {why}" for what, why in self._adoption.unplaced]
        ending = ["Not placed:", *unplaced] if unplaced else []
        return written(sections, heading=heading, ending=ending)

    def _policy(self, policy: Proposed) -> Written:
        groups, todo = self._who(policy)
        sensitivity = Sensitivity(self._sensitivity.get(policy.environment) or sensitivity_of(policy.environment))
        body: dict[str, Any] = {} if groups else {"in_force": False}
        body |= {
            "role": policy.role,
            "environment": policy.environment,
            "permission_set": self._references.name_of(policy.permission_set),
        }
        if groups:
            body["requestable_by"] = groups
        body |= {"default_duration": "1h", "longest_duration": _LONGEST[sensitivity]}
        if sensitivity is Sensitivity.SANDBOX:
            body["automatic_approval"] = "always"
        else:
            body |= {"automatic_approval": "never", "stages": self._stages(policy.role, policy.environment)}
        return Written(self._name(policy), body, (*_came_from(policy), *todo))

    def _who(self, policy: Proposed) -> tuple[list[str], list[str]]:
        """The directory groups that may ask, and what is left to say of who may."""
        groups: set[str] = set()
        todo: list[str] = []
        for held in {each.object_id or each.holder: each for each in policy.held if each.is_group}.values():
            if held.object_id:
                groups.add(self._group(held))
            else:
                todo.append(f"TODO: what is the group {held.holder} in Entra? Add its object id to directory_groups.")
        alone = {each.holder: each.person for each in policy.held if not each.is_group}
        inside = get_user_model().objects.filter(directory_groups__object_id__in=self._ids(groups))
        left = {name: person for name, person in alone.items() if person is None or not inside.filter(pk=person.pk)}
        if left:
            first = ", ".join(sorted(left)[:_MOST_NAMED])
            more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
            todo.append(f"TODO: held by people themselves: {first}{more}. Name a group for those who still need it.")
            if fitting := _fitting(left.values()):
                todo.append(f"The smallest group that has them all is {self._references.name_of(fitting)}.")
        return sorted(groups), todo

    def _group(self, held: Held) -> str:
        """What the file calls a group; one that the catalog does not know is added to it."""
        if held.object_id in self._known:
            return self._known[held.object_id]
        if held.object_id not in self._groups:
            name = names.showable(held.group) or held.object_id
            is_taken = name in {*self._known.values(), *self._groups.values()}
            self._groups[held.object_id] = f"{name} ({held.object_id})" if is_taken else name
        return self._groups[held.object_id]

    def _ids(self, groups: Iterable[str]) -> list[str]:
        return [object_id for object_id, name in {**self._known, **self._groups}.items() if name in groups]

    def _name(self, policy: Proposed) -> str:
        name, number = f"{policy.role} in {policy.environment}", 1
        while names.likeness(name) in self._names:
            number += 1
            name = f"{policy.role} in {policy.environment}, adopted{'' if number == 2 else f' {number - 1}'}"
        self._names.add(names.likeness(name))
        return name

    def _stages(self, role: str, environment: str) -> list[dict[str, Any]]:
        """As most policies of the role there have them, or of the environment; else a group that somebody must name."""
        there = AccessPolicy.objects.filter(environment__name=environment, is_in_force=True).exclude(stages=None)
        for policies in (there.filter(role__name=role), there):
            rows = [
                tuple(policy.stages.order_by("position").values_list("approver_group__name", "approvals_needed"))
                for policy in policies.distinct()
            ]
            if rows:
                usual = Counter(rows).most_common(1)[0][0]
                return [{"approver_group": name, "approvals_needed": needed} for name, needed in usual]
        self._is_approver_missing = True
        return [{"approver_group": TO_NAME, "approvals_needed": 1}]

    def _roles(self) -> Iterable[Written]:
        there = {names.likeness(name) for name in Role.objects.values_list("name", flat=True)}
        for name in sorted({policy.role for policy in self._adoption.policies}):
            if names.likeness(name) in there:
                continue
            mine = [policy.permission_set for policy in self._adoption.policies if policy.role == name]
            sets = {each.name: each for each in mine}
            described = " ".join(filter(None, (each.description for each in sets.values())))
            body = {"slug": slugify(name), "description": described or f"TODO: what does a {name} do?"}
            yield Written(name, body, (f"From {counted(len(sets), 'permission set')} {', '.join(sorted(sets))}.",))

    def _environments(self) -> Iterable[Written]:
        for name, accounts in sorted(self._adoption.environments.items()):
            listed = sorted(accounts, key=lambda account: account.account_id)
            comments = [f"{account}, in {account.ou_path or 'no unit'}" for account in listed]
            if name == UNSORTED:
                comments.insert(0, "TODO: nothing says what these accounts are. Move each where it belongs.")
            rules, rest = _rules(listed)
            body: dict[str, Any] = {"slug": slugify(name), "sensitivity": sensitivity_of(name).label.lower()}
            if rules:
                body["account_rules"] = [{"organisational_unit": path} for path in rules]
            if rest:
                body["accounts"] = [account.account_id for account in rest]
            yield Written(name, body, tuple(comments))

    def _approvers(self) -> Iterable[Written]:
        if self._is_approver_missing:
            body = {"directory_groups": ["TODO: who decides?"]}
            todo = "TODO: name the directory group whose members decide, and this group as people know it."
            yield Written(TO_NAME, body, (todo,))


def _came_from(policy: Proposed) -> Iterable[str]:
    """Which assignments a policy came from, holder by holder."""
    holders, count = policy.by_holder, len(policy.accounts)
    yield f"From {counted(len(policy.held), 'assignment')} of {policy.permission_set.name}:"
    for holder, there in holders[:_MOST_NAMED]:
        part = f"{len(there)} of " if len(there) < count else ""
        yield f"- {holder} in {part}{counted(count, 'account')}: {', '.join(sorted(there)[:_MOST_NAMED])}"
    if len(holders) > _MOST_NAMED:
        yield f"- and {len(holders) - _MOST_NAMED} more"
    if policy.is_wider:
        yield f"TODO: by this policy it can be asked for in all {count} accounts of {policy.environment},"
        yield "also by those who hold it in fewer. If that is too wide, add account_tags, or move accounts."


def _fitting(people: Iterable[Any]) -> DirectoryGroup | None:
    """The smallest directory group that all of these people are in."""
    keys = [person.pk if person else None for person in people]
    if None in keys:
        return None
    groups = DirectoryGroup.objects.all()
    for key in keys:
        groups = groups.filter(people=key)
    return min(groups, key=lambda group: (group.people.count(), group.name), default=None)


def _rules(accounts: list[Account]) -> tuple[list[str], list[Account]]:
    """Units all of whose accounts are among these, and the accounts that no such unit has."""
    ours = {account.pk for account in accounts}
    paths = {account.ou_path for account in accounts if account.ou_path}
    whole = []
    for path in sorted(paths):
        below = Account.objects.filter(vanished_at=None).filter(Q(ou_path=path) | Q(ou_path__startswith=f"{path}/"))
        if not below.exclude(pk__in=ours).exists():
            whole.append(path)
    top = [path for path in whole if not any(path.startswith(f"{other}/") for other in whole)]
    rest = [a for a in accounts if not any(f"{a.ou_path}/".startswith(f"{path}/") for path in top)]
    return top, rest

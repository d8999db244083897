"""Those who may ask for what their manager decides on, and have no manager who could: read once for all policies."""

from collections.abc import Iterable
from typing import Final

from django.contrib.auth import get_user_model

from catalog import managers
from catalog.models import AccessPolicy
from catalog.offers import departments_of

WORTH_NAMING: Final = 5


class WithoutManager:
    """For the policies of these whose stages ask the requester's manager; three queries, none if there is no such."""

    def __init__(self, policies: Iterable[AccessPolicy], using: str) -> None:
        self._inside: dict[int | str, set[int]] = {}
        self._names: dict[int, str] = {}
        concerned = [policy for policy in policies if asks_manager(policy)]
        if not concerned:
            return
        groups = {group.pk for policy in concerned for group in policy.requestable_by.all()}
        departments = {name for policy in concerned for name in departments_of(policy)}
        rows = managers.without_one(using).order_by()
        by_group = rows.filter(directory_groups__in=groups).values_list("directory_groups", "pk")
        by_department = rows.filter(department__in=departments).values_list("department", "pk")
        for door, pk in [*by_group.iterator(), *by_department.iterator()]:
            self._inside.setdefault(door, set()).add(pk)
        few = {pk for policy in concerned for pk in sorted(self._of(policy))[:WORTH_NAMING]}
        people = get_user_model().objects.using(using).filter(pk__in=few)
        self._names = dict(people.values_list("pk", "name"))

    def named(self, policy: AccessPolicy) -> str:
        """The first of those whom a policy lets ask in vain, and how many more; empty if there is nobody."""
        found = sorted(self._of(policy))
        names = ", ".join(sorted(self._names[pk] for pk in found[:WORTH_NAMING]))
        more = len(found) - WORTH_NAMING
        return f"{names} and {more} more" if more > 0 else names

    def _of(self, policy: AccessPolicy) -> set[int]:
        doors: list[int | str] = [*(group.pk for group in policy.requestable_by.all()), *departments_of(policy)]
        return set[int]().union(*(self._inside.get(door, set()) for door in doors))


def asks_manager(policy: AccessPolicy) -> bool:
    """Whether a stage of the policy asks the requester's manager."""
    return any(stage.approver_group.is_requesters_manager for stage in policy.stages.all())

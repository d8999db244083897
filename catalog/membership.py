"""Who is in which groups and departments at present, asked so that any number of people costs about the same."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from django.contrib.auth import get_user_model
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet

from catalog import people
from catalog.people import Person
from catalog.policy import Policy

Crowds = Mapping[frozenset[int], int]
NOBODY: Final = Q(pk__in=())


class Membership(Protocol):
    """What explanations ask of the directory, as it is or as it was; `at` None is now."""

    at: datetime | None

    def person(self, user_id: int) -> Person | None:
        """The person; None if the portal did not know them then."""
        ...

    def crowds(self, policies: tuple[Policy, ...]) -> Crowds:
        """How many active people exactly these policies (by id) let ask, for each such combination that there is."""
        ...

    def some(self, policies: tuple[Policy, ...], crowds: Iterable[frozenset[int]], most: int) -> list[Person]:
        """The first, by name, of the people of these crowds."""
        ...

    def members(self, group_ids: frozenset[str], most: int, but: Person | None = None) -> tuple[int, dict[int, str]]:
        """How many active people are in any of the groups, and the names of up to `most` by user id.

        Without `but`, whoever has their Identity Center user or user name: it counts as the same person.
        """
        ...


class Now:
    """The directory as it was last told."""

    at: datetime | None = None

    def __init__(self) -> None:
        self._members: dict[Any, tuple[int, dict[int, str]]] = {}

    def person(self, user_id: int) -> Person | None:
        return people.load(user_id)

    def crowds(self, policies: tuple[Policy, ...]) -> Crowds:
        if not policies:
            return {}
        if len(policies) == 1:
            count = _active().filter(_lets_ask(policies[0])).count()
            return {frozenset({policies[0].id}): count} if count else {}
        columns = [_column(policy) for policy in policies]
        counted = _matched(policies).values_list(*columns).annotate(count=Count("pk")).order_by()
        return {
            frozenset(policy.id for policy, lets in zip(policies, row, strict=False) if lets): row[-1]
            for row in counted
        }

    def some(self, policies: tuple[Policy, ...], crowds: Iterable[frozenset[int]], most: int) -> list[Person]:
        chosen = NOBODY
        for crowd in crowds:
            # Said without columns, for the database then looks for members and not through everybody.
            exactly = Q()
            for policy in policies:
                exactly &= _lets_ask(policy) if policy.id in crowd else ~_lets_ask(policy)
            chosen |= exactly
        rows = _active().filter(chosen).order_by("name", "pk")
        return [people.of(row) for row in rows.prefetch_related("directory_groups")[:most]]

    def members(self, group_ids: frozenset[str], most: int, but: Person | None = None) -> tuple[int, dict[int, str]]:
        # Several answers of one question speak of the same groups.
        key = (group_ids, most, but and but.user_id)
        if key not in self._members:
            self._members[key] = _members(group_ids, most, but)
        return self._members[key]


def _members(group_ids: frozenset[str], most: int, but: Person | None) -> tuple[int, dict[int, str]]:
    rows = _active().filter(pk__in=_in_any(group_ids))
    if but is not None:
        rows = rows.exclude(same_person(but))
    names = dict(rows.order_by("name", "pk").values_list("pk", "name")[: most + 1])
    return (len(names) if len(names) <= most else rows.count()), dict(list(names.items())[:most])


def same_person(person: Person) -> Q:
    """The rows that stand for this person: nobody decides on what they ask for themselves, by any of them."""
    same = Q(pk=person.user_id) | Q(object_id=person.object_id)
    if person.user_name:
        same |= Q(user_name__iexact=person.user_name)
    if person.principal_id:
        same |= Q(principal_id=person.principal_id)
    return same


def _active() -> QuerySet[Any]:
    rows: QuerySet[Any] = get_user_model().objects.filter(is_active=True)
    return rows


def _in_any(group_ids: Iterable[str]) -> QuerySet[Any]:
    """The user ids of the members of these groups."""
    links: Any = get_user_model()._meta.get_field("directory_groups")
    rows: QuerySet[Any] = links.remote_field.through.objects.filter(directorygroup__object_id__in=sorted(group_ids))
    return rows.values("user_id")


def _matched(policies: tuple[Policy, ...]) -> QuerySet[Any]:
    """The active people whom any of the policies lets ask, with a column for each policy that says whether it does."""
    by = {policy: _lets_ask(policy) for policy in policies}
    anybody = NOBODY
    for lets in by.values():
        anybody |= lets
    columns = {_column(policy): ExpressionWrapper(lets, BooleanField()) for policy, lets in by.items()}
    rows: QuerySet[Any] = _active().filter(anybody).annotate(**columns)
    return rows


def _lets_ask(policy: Policy) -> Q:
    by_group = Q(pk__in=_in_any(policy.group_ids))
    return by_group | Q(department__in=sorted(policy.departments)) if policy.departments else by_group


def _column(policy: Policy) -> str:
    return f"by_{policy.id}"

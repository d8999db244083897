"""Who is in which groups and departments at present, asked so that any number of people costs about the same."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final, Protocol

from django.contrib.auth import get_user_model
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet

from catalog import managers, people
from catalog.managers import Manager
from catalog.people import Identity, Person, same_person
from catalog.terms import Policy

Crowds = Mapping[frozenset[int], int]
Members = tuple[int, tuple[Identity, ...]]
NOBODY: Final = Q(pk__in=())
NO_ROWS: Final[frozenset[int]] = frozenset()


class Membership(Protocol):
    """What explanations ask of the directory, as it is or as it was; `at` None is now."""

    at: datetime | None

    def person(self, user_id: int) -> Person | None:
        """The person; None if the portal did not know them then."""
        ...

    def crowds(self, policies: tuple[Policy, ...], *, without_manager: bool = False) -> Crowds:
        """How many active people exactly these policies (by id) let ask, for each such combination that there is.

        Or only how many of them have no manager that could decide.
        """
        ...

    def some(
        self,
        policies: tuple[Policy, ...],
        crowds: Iterable[frozenset[int]],
        managed: Iterable[frozenset[int]],
        most: int,
    ) -> list[Person]:
        """The first, by name, of the people of these crowds, and of those who have a manager that could decide."""
        ...

    def members(
        self, group_ids: frozenset[str], most: int, but: Iterable[Identity] = (), late: AbstractSet[int] = NO_ROWS
    ) -> Members:
        """How many active people are in any of the groups, and the first by name: all rows of up to `most` people.

        Without those of `but`, and whoever has their Identity Center user or user name: it counts as the same person.
        Without the rows (by user id) of `late`, too, whose other accounts count.
        """
        ...

    def manager(self, asker: Person) -> Manager:
        """Whom the directory names as this person's manager, and whether they could decide."""
        ...


class Now:
    """The directory as it was last told."""

    at: datetime | None = None

    def __init__(self) -> None:
        self._members: dict[Any, Members] = {}

    def person(self, user_id: int) -> Person | None:
        return people.load(user_id)

    def crowds(self, policies: tuple[Policy, ...], *, without_manager: bool = False) -> Crowds:
        if not policies:
            return {}
        who = _without_manager() if without_manager else Q()
        if len(policies) == 1:
            count = _active().filter(who, _lets_ask(policies[0])).count()
            return {frozenset({policies[0].id}): count} if count else {}
        columns = [_column(policy) for policy in policies]
        counted = _matched(policies).filter(who).values_list(*columns).annotate(count=Count("pk")).order_by()
        return {
            frozenset(policy.id for policy, lets in zip(policies, row, strict=False) if lets): row[-1]
            for row in counted
        }

    def some(
        self,
        policies: tuple[Policy, ...],
        crowds: Iterable[frozenset[int]],
        managed: Iterable[frozenset[int]],
        most: int,
    ) -> list[Person]:
        chosen = NOBODY
        for crowd, who in [*((each, Q()) for each in crowds), *((each, ~_without_manager()) for each in managed)]:
            # Said without columns, for the database then looks for members and not through everybody.
            exactly = who
            for policy in policies:
                exactly &= _lets_ask(policy) if policy.id in crowd else ~_lets_ask(policy)
            chosen |= exactly
        rows = _active().filter(chosen).order_by("name", "pk")
        return [people.of(row) for row in rows.prefetch_related("directory_groups")[:most]]

    def manager(self, asker: Person) -> Manager:
        named = get_user_model().objects.filter(object_id=asker.manager_object_id or None).first()
        return managers.judged(asker, people.of(named) if named else None)

    def members(
        self, group_ids: frozenset[str], most: int, but: Iterable[Identity] = (), late: AbstractSet[int] = NO_ROWS
    ) -> Members:
        # Several answers of one question speak of the same groups.
        key = (group_ids, most, frozenset(each.user_id for each in but), frozenset(late))
        if key not in self._members:
            self._members[key] = _members(group_ids, most, but, late)
        return self._members[key]


def _members(group_ids: frozenset[str], most: int, but: Iterable[Identity], late: AbstractSet[int]) -> Members:
    rows = _active().filter(pk__in=_in_any(group_ids)).exclude(pk__in=late)
    for each in but:
        rows = rows.exclude(same_person(each))
    found = [Identity(*row) for row in rows.order_by("name", "pk").values_list(*people.IDENTITY)[: 2 * most + 1]]
    count, first = first_people(found, most)
    return (count if len(found) <= 2 * most else rows.count()), first


def first_people(rows: Sequence[Identity], most: int | None = None) -> Members:
    """How many people these rows stand for, and the rows of the first so many of them."""
    numbers = people.told_apart(rows)
    chosen = set(list(dict.fromkeys(numbers.values()))[:most])
    return len({*numbers.values()}), tuple(row for row in rows if numbers[row.user_id] in chosen)


def _without_manager() -> Q:
    return Q(pk__in=managers.without_one().order_by().values("pk"))


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
    lets = Q(pk__in=_in_any(policy.group_ids))
    if policy.departments:
        lets |= Q(department__in=sorted(policy.departments))
    return lets & ~Q(pk__in=_in_any(policy.closed_ids)) if policy.closed_by else lets


def _column(policy: Policy) -> str:
    return f"by_{policy.id}"

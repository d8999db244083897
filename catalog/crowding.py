"""The active people whom some policies concern, by group and department: read once, split as often as needed."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth import get_user_model

from catalog.effect import first_names
from catalog.terms import Policy

Door = tuple[frozenset[str], frozenset[str], frozenset[str]]
_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Part:
    """People (by user id) whom exactly these policies (by id) let ask, before and after."""

    people: Set[int]
    before: frozenset[int]
    after: frozenset[int]


class Crowding:
    """Who is in the groups and departments that these policies name; local administrators ask for nothing."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._names: dict[int, str] = {}
        self._by_group: dict[str, set[int]] = {}
        self._by_department: dict[str, set[int]] = {}
        named = list(policies)
        self._read_groups({group for policy in named for group in policy.group_ids | policy.closed_ids})
        self._read_departments({department for policy in named for department in policy.departments})

    def parts(self, before: Iterable[Policy], after: Iterable[Policy]) -> Iterator[Part]:
        """Everybody whom any of these lets ask, in parts that the same policies let ask."""
        earlier, later = list(before), list(after)
        doors: list[Door] = list(dict.fromkeys(_door(policy) for policy in (*earlier, *later)))
        split: list[tuple[Set[int], frozenset[Door]]] = []
        for door in doors:
            inside = self._inside(door)
            apart = [
                each
                for people, opened in split
                for each in ((people & inside, opened | {door}), (people - inside, opened))
                if each[0]
            ]
            fresh = inside.difference(*(people for people, _ in split))
            split = [*apart, (fresh, frozenset({door}))] if fresh else apart
        for people, opened in split:
            yield Part(
                people,
                frozenset(policy.id for policy in earlier if _door(policy) in opened),
                frozenset(policy.id for policy in later if _door(policy) in opened),
            )

    def members(self, group_ids: frozenset[str]) -> set[int]:
        """The user ids of those who are in any of these groups."""
        self._read_groups(group_ids - self._by_group.keys())
        return set().union(*(self._by_group[group] for group in group_ids))

    def named(self, people: Set[int]) -> str:
        """How many they are with the first names: "14 people (Ada, Ben, Chiara and 11 more)", "Ada Lindqvist"."""
        names = sorted((self._names[pk] for pk in people), key=str.casefold)
        return names[0] if len(names) == 1 else f"{len(names)} people ({first_names(names)})"

    def _inside(self, door: Door) -> set[int]:
        groups, departments, closed = door
        by_group = (self._by_group.get(group, set()) for group in groups)
        let = set().union(*by_group, *(self._by_department.get(each, set()) for each in departments))
        return let.difference(*(self._by_group.get(group, set()) for group in closed))

    def _read_groups(self, group_ids: Iterable[str]) -> None:
        wanted = sorted(group_ids)
        links: Any = get_user_model()._meta.get_field("directory_groups")
        through = links.remote_field.through.objects
        self._by_group |= {group: set() for group in wanted}
        for start in range(0, len(wanted), _AT_ONCE):
            rows = through.filter(
                directorygroup__object_id__in=wanted[start : start + _AT_ONCE],
                user__is_active=True,
                user__local_until=None,
            )
            for pk, name, group in rows.values_list("user_id", "user__name", "directorygroup__object_id").iterator():
                self._names[pk] = name
                self._by_group[group].add(pk)

    def _read_departments(self, departments: Iterable[str]) -> None:
        wanted = sorted(departments)
        self._by_department |= {department: set() for department in wanted}
        people = get_user_model().objects.filter(is_active=True, local_until=None)
        for start in range(0, len(wanted), _AT_ONCE):
            rows = people.filter(department__in=wanted[start : start + _AT_ONCE]).order_by()
            for pk, name, department in rows.values_list("pk", "name", "department").iterator():
                self._names[pk] = name
                self._by_department[department].add(pk)


def _door(policy: Policy) -> Door:
    return policy.group_ids, policy.departments, policy.closed_ids

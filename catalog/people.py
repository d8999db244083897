"""A person as policies and permissions see one: frozen, and read from the database at the moment of asking."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q

from auditlog.actor import Actor

# The columns of a row in the order of an Identity.
IDENTITY: Final = ("pk", "object_id", "name", "user_name", "principal_id")


@dataclass(frozen=True)
class Identity:
    """Who a row of the directory stands for: one person may have several.

    `user_id` is the row's key, `principal_id` is the Identity Center user id as last found, empty if never looked up.
    """

    user_id: int
    object_id: str
    name: str
    user_name: str
    principal_id: str

    @property
    def marks(self) -> frozenset[tuple[str, object]]:
        """By what rows are known to stand for one person: they share any of these."""
        marks = {("row", self.user_id), ("object id", self.object_id), ("user name", self.user_name.casefold())}
        return frozenset(mark for mark in {*marks, ("Identity Center", self.principal_id)} if mark[1] != "")


@dataclass(frozen=True)
class Person(Identity):
    """Who asks or decides.

    `groups` are object ids of directory groups. A local administrator (`is_local`) is nobody of the directory, and
    neither asks nor decides. `manager_object_id` is whom the directory names as their manager, empty for nobody.
    `locked_as` is another account of theirs that is locked out, and with which they are, as `told` names it.
    """

    department: str
    groups: frozenset[str]
    is_active: bool
    is_admin: bool
    is_compliance: bool
    is_local: bool = False
    manager_object_id: str = ""
    locked_as: str = ""

    def why_inactive(self, who: str = "You are") -> str:
        """Why whoever is not active may nothing; `who` is how a refusal calls them, with the verb."""
        if self.locked_as:
            return f"{who} locked out, for {self.locked_as} is, which counts as an account of the same person."
        return f"{who} disabled in the directory."

    @property
    def actor(self) -> Actor:
        """This person as the ledger names them."""
        return Actor.person(self.object_id, self.name)


def actor_of(user: Any) -> Actor:
    """Whoever this row is, as the ledger names them; nothing is read for it."""
    return Actor.person(user.object_id, user.name)


def identity(user: Any) -> Identity:
    """Who this row stands for; nothing is read for it."""
    return Identity(user.pk, user.object_id, user.name, user.user_name, user.principal_id)


def load(user_id: int) -> Person:
    """The person as the database has them now; whoever is locked out by one account is so by all of them.

    Raises:
        User.DoesNotExist: there is no such person.
    """
    person = of(get_user_model().objects.get(pk=user_id))
    if (locked := locked_account(person)) is None:
        return person
    return replace(person, is_active=False, is_admin=False, is_compliance=False, locked_as=told(locked))


def of(user: Any) -> Person:
    """The person of this row; their groups are read with it, or by one query."""
    prefetched = getattr(user, "_prefetched_objects_cache", {}).get("directory_groups")
    groups = user.group_ids if prefetched is None else frozenset(group.object_id for group in prefetched)
    is_active = user.is_active and not user.is_over
    return Person(
        user_id=user.pk,
        object_id=user.object_id,
        name=user.name,
        user_name=user.user_name,
        principal_id=user.principal_id,
        department=user.department,
        groups=groups,
        is_active=is_active,
        is_admin=is_active and (user.is_local or settings.ENTRA_ADMIN_GROUP_ID in groups),
        is_compliance=is_active and not user.is_local and settings.ENTRA_COMPLIANCE_GROUP_ID in groups,
        is_local=user.is_local,
        manager_object_id=user.manager_object_id,
    )


def is_same(one: Identity, other: Identity) -> bool:
    """Whether two rows stand for one person: by object id, Identity Center user, or user name."""
    return bool(one.marks & other.marks)


def same_person(person: Identity) -> Q:
    """The rows that share a mark with this one, as `is_same` has it."""
    same = Q(pk=person.user_id) | Q(object_id=person.object_id)
    if person.user_name:
        same |= Q(user_name__iexact=person.user_name)
    if person.principal_id:
        same |= Q(principal_id=person.principal_id)
    return same


def accounts_of(person: Identity) -> list[Any]:
    """All rows that stand for this person, by key: what shares a mark with one of them is one of them."""
    rows: list[Any] = []
    known: list[Identity] = [person]
    while known:
        found = get_user_model().objects.filter(reduce(or_, map(same_person, known))).order_by("pk")
        rows, before = list(found), {each.user_id for each in known}
        known = [identity(row) for row in rows] if {row.pk for row in rows} != before else []
    return rows


def locked_account(person: Identity) -> Any:
    """Another account of this person that is locked out; None if there is none.

    Whoever had left is another matter: their account may have been made anew.
    """
    others = (row for row in accounts_of(person) if row.pk != person.user_id)
    return next((row for row in others if row.is_locked_out), None)


def told(user: Any) -> str:
    """Which account this is, where the name alone does not tell it from another: the ids tell that."""
    return f"{user.name} ({user.user_name}, {user.object_id})"


def told_apart(rows: Iterable[Identity]) -> dict[int, int]:
    """A number for each row (by user id), the same for all rows that stand for one person: they count once."""
    numbers: dict[int, int] = {}
    marked: dict[tuple[str, object], int] = {}
    for row in rows:
        known = {marked[mark] for mark in row.marks if mark in marked}
        number = min(known, default=row.user_id)
        if len(known) > 1:
            marked = {mark: number if each in known else each for mark, each in marked.items()}
            numbers = {pk: number if each in known else each for pk, each in numbers.items()}
        marked |= dict.fromkeys(row.marks, number)
        numbers[row.user_id] = number
    return numbers


def hold(user_id: int) -> Person:
    """As `load`, and until the end of the transaction the person neither leaves nor is described anew.

    People are locked before all else. Without the key: rows that refer to them can be written meanwhile.
    """
    get_user_model().objects.select_for_update(no_key=True).get(pk=user_id)
    return load(user_id)


def hold_accounts(person: Identity) -> list[Any]:
    """All accounts of the person, held as `hold` does, in one order, so that nobody waits in a circle."""
    keys = [row.pk for row in accounts_of(person)]
    held = get_user_model().objects.select_for_update(no_key=True).filter(pk__in=keys)
    return list(held.order_by("pk"))

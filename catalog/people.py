"""A person as policies and permissions see one: frozen, and read from the database at the moment of asking."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model

from auditlog.actor import Actor


@dataclass(frozen=True)
class Person:
    """Who asks or decides.

    `groups` are object ids of directory groups, `user_id` is the row's key, `principal_id` is the Identity Center user
    id as last found, empty if never looked up. A local administrator (`is_local`) is nobody of the directory, and
    neither asks nor decides.
    """

    user_id: int
    object_id: str
    name: str
    user_name: str
    principal_id: str
    department: str
    groups: frozenset[str]
    is_active: bool
    is_admin: bool
    is_compliance: bool
    is_local: bool = False

    @property
    def actor(self) -> Actor:
        """This person as the ledger names them."""
        return Actor.person(self.object_id, self.name)


def load(user_id: int) -> Person:
    """The person as the database has them now.

    Raises:
        User.DoesNotExist: there is no such person.
    """
    return of(get_user_model().objects.get(pk=user_id))


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
    )


def hold(user_id: int) -> Person:
    """As `load`, and until the end of the transaction the person neither leaves nor is described anew.

    People are locked before all else. Without the key: rows that refer to them can be written meanwhile.
    """
    get_user_model().objects.select_for_update(no_key=True).get(pk=user_id)
    return load(user_id)

"""A person as policies and permissions see one: frozen, and read from the database at the moment of asking."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model

from auditlog.actor import Actor


@dataclass(frozen=True)
class Person:
    """Who asks or decides.

    `groups` are object ids of directory groups, `user_id` is the row's key, `principal_id` is the Identity Center user
    id as last found, empty if never looked up.
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

    @property
    def actor(self) -> Actor:
        """This person as the ledger names them."""
        return Actor.person(self.object_id, self.name)


def load(user_id: int) -> Person:
    """The person as the database has them now.

    Raises:
        User.DoesNotExist: there is no such person.
    """
    user = get_user_model().objects.get(pk=user_id)
    return Person(
        user_id=user.pk,
        object_id=user.object_id,
        name=user.name,
        user_name=user.user_name,
        principal_id=user.principal_id,
        department=user.department,
        groups=user.group_ids,
        is_active=user.is_active,
        is_admin=user.is_staff,
        is_compliance=user.is_compliance,
    )


def hold(user_id: int) -> Person:
    """As `load`, and until the end of the transaction the person neither leaves nor is described anew.

    People are locked before all else. Without the key: rows that refer to them can be written meanwhile.
    """
    get_user_model().objects.select_for_update(no_key=True).get(pk=user_id)
    return load(user_id)

"""Who is in a local directory: people and their groups, described by whoever makes the directory."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A directory group; `object_id` is a lower-case GUID."""

    object_id: str
    name: str


@dataclass(frozen=True)
class Person:
    """Somebody who can pick their account here.

    `object_id` is a lower-case GUID. An empty `email` or `department` is left out of tokens, as Entra does.
    A person who is not `enabled` is turned away at the directory. A `guest` has their home in another tenant.
    `part` is a sentence for the picker that says what this person is for.
    """

    object_id: str
    name: str
    user_name: str
    email: str = ""
    department: str = ""
    job_title: str = ""
    groups: tuple[Group, ...] = ()
    enabled: bool = True
    guest: bool = False
    part: str = ""
    roles: tuple[str, ...] = ()

"""Who is in a local directory: people and their groups, described by whoever makes the directory."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A directory group; `object_id` is a lower-case GUID. Whoever is in it is also in those that it is `within`."""

    object_id: str
    name: str
    within: tuple["Group", ...] = ()


@dataclass(frozen=True)
class Person:
    """Somebody who can pick their account here.

    `object_id` is a lower-case GUID. An empty `email` or `department` is left out of tokens, as Entra does.
    A person who is not `enabled` is turned away at the directory. A `guest` has their home in another tenant.
    `part` is a sentence for the picker that says what this person is for; `manager` is another's object id.
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
    manager: str = ""

    @property
    def all_groups(self) -> tuple[Group, ...]:
        """The groups this person is in, by themselves or through another group; each once."""
        found: dict[str, Group] = {}
        waiting = list(self.groups)
        while waiting:
            group = waiting.pop(0)
            if found.setdefault(group.object_id, group) is group:
                waiting += group.within
        return tuple(found.values())

"""What has changed in a directory, in order, so that a delta query can tell what is new since any moment."""

from dataclasses import dataclass
from itertools import islice
from typing import Literal

Kind = Literal["users", "groups"]


@dataclass(frozen=True)
class _Entry:
    kind: Kind
    object_id: str
    member: str = ""


class Journal:
    """Says that something changed, never how: whoever asks reads it as it is then."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    @property
    def end(self) -> int:
        """The place after the newest change."""
        return len(self._entries)

    def person_changed(self, object_id: str) -> None:
        self._entries.append(_Entry("users", object_id))

    def group_changed(self, object_id: str) -> None:
        self._entries.append(_Entry("groups", object_id))

    def member_changed(self, group_id: str, member: str) -> None:
        """A person or a group has come into the group or has left it."""
        self._entries.append(_Entry("groups", group_id, member))

    def between(self, kind: Kind, begin: int, end: int) -> dict[str, list[str]]:
        """The object ids of this kind that changed, in order, each with the members that changed (of groups)."""
        found: dict[str, list[str]] = {}
        for entry in islice(self._entries, begin, end):
            if entry.kind == kind:
                members = found.setdefault(entry.object_id, [])
                if entry.member and entry.member not in members:
                    members.append(entry.member)
        return found

"""Who did something: a person of the directory, or a part of the portal itself."""

from dataclasses import dataclass
from typing import Literal, Self


@dataclass(frozen=True)
class Actor:
    """The one who acts, by text alone, so that a record outlives the person it speaks of.

    `id` is a person's directory object id or the name of a part of the portal; `name` is what pages show.
    """

    kind: Literal["person", "system"]
    id: str
    name: str

    @classmethod
    def person(cls, object_id: str, name: str) -> Self:
        """The person with this directory object id."""
        return cls("person", object_id, name)

    @classmethod
    def system(cls, name: str) -> Self:
        """A part of the portal that acts by itself, such as the sweep."""
        return cls("system", name, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

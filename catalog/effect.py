"""One thing that a change of the catalog does, and which way it goes."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Which way an effect goes, for people and for those who answer for the environment."""

    GAIN = "gain"
    LOSE = "lose"
    LOOSER = "looser"
    STRICTER = "stricter"
    CHANGE = "change"


@dataclass(frozen=True)
class Effect:
    """One thing that a change does, as a sentence with counts and first names; `people` whom it concerns."""

    kind: Kind
    text: str
    people: int = 0

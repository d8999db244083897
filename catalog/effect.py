"""One thing that a change of the catalog does, and which way it goes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# So many are named in a sentence; of more, the first, and how many there are besides.
WORTH_NAMING: Final = 3


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


def first_names(names: Iterable[str], besides: str = "") -> str:
    """Names in their order, as a sentence has them: "Ada, Ben, Chiara and 11 more", "Ledger and Web".

    `besides` is what the others are, after "1 more", in the singular.
    """
    given = list(names)
    if (left := len(given) - WORTH_NAMING) > 0:
        what = f" {besides}{'' if left == 1 else 's'}" if besides else ""
        given = [*given[:WORTH_NAMING], f"{left} more{what}"]
    return " and ".join(filter(None, (", ".join(given[:-1]), *given[-1:])))

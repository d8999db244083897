"""App roles of Entra, which stand beside directory groups: `role:` and its value stands for an object id. Pure."""

import re
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "role:"
# Entra takes 120 characters, and some marks more than these.
PATTERN: Final = r"role:[A-Za-z0-9][A-Za-z0-9._:/+-]{0,119}"
LONGEST: Final = len(PREFIX) + 120
_ONE: Final = re.compile(PATTERN)


def among(object_ids: Iterable[str]) -> frozenset[str]:
    """Those of these object ids that stand for app roles."""
    return frozenset(each for each in object_ids if each.startswith(PREFIX))


def named(values: Iterable[str]) -> frozenset[str]:
    """The object ids of app roles with these values; a value that no group here can have is left out."""
    return frozenset(each for each in (f"{PREFIX}{value}" for value in values) if _ONE.fullmatch(each))

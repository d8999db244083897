"""Which accounts an access policy is for, where it names tags: those that have all of them in AWS."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Tags = frozenset[tuple[str, str]]
ANY: Final[Tags] = frozenset()

# AWS's own limits (Organizations API Reference, Tag); an account has at most 50.
LONGEST_KEY: Final = 128
LONGEST_VALUE: Final = 256
MOST: Final = 50


def read(kept: Any) -> Tags:
    """The tags of a column, {key: value}; whatever else it holds names none."""
    if not isinstance(kept, Mapping):
        return ANY
    return frozenset((key, value) for key, value in kept.items() if isinstance(key, str) and isinstance(value, str))


def parse(lines: Iterable[str]) -> dict[str, str]:
    """Tags as an admin writes them, `key=value`, one a line.

    Raises:
        ValueError: a line is no tag, or two are of one key; the text says which.
    """
    tags: dict[str, str] = {}
    for line in lines:
        key, sign, value = (part.strip() for part in line.partition("="))
        if not sign or not key:
            raise ValueError(f"“{line[:40]}” is not a tag: write key=value, such as data=personal.")
        if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise ValueError(f"“{line[:40]}…” is longer than a tag can be in AWS.")
        if key in tags:
            raise ValueError(f"The tag {key} is named twice, and an account has one value of it.")
        tags[key] = value
    if len(tags) > MOST:
        raise ValueError(f"An account has at most {MOST} tags in AWS.")
    return tags


def written(tags: Tags) -> str:
    """As people read it: "data=personal and team=payments"."""
    return " and ".join(f"{key}={value}" for key, value in sorted(tags))

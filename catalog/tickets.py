"""Judges a ticket pattern before it is kept: whether it is one, and whether matching it can take too long.

Python's matcher tries every way in which a pattern can fall on a text before it gives up. The ways are counted here on
the pattern itself, for the longest ticket that may be given, so that no ticket can hold up a worker.
"""

import re
import string
from dataclasses import dataclass
from typing import Final

from catalog.ticket_examples import LONGEST_TICKET

MOST_WAYS: Final = 100_000
_SIMPLE_ESCAPES: Final = frozenset("dDwWsSbBAZ") | frozenset(string.punctuation) | {" "}
_ZERO_WIDTH: Final = frozenset("bBAZ")
_BOUNDS: Final = re.compile(r"\{(\d*)(,?)(\d*)\}")


@dataclass(frozen=True)
class _Shape:
    """How many ways a part can match, and the fewest characters that it takes."""

    ways: int
    shortest: int


def refusal(pattern: str) -> str:
    """Why this pattern is not taken, in a sentence for the person who wrote it; empty if it is."""
    try:
        re.compile(pattern)
    except re.error as error:
        where = f" at character {error.pos + 1}" if error.pos is not None else ""
        return f"This is not a regular expression: {error.msg}{where}."
    except (OverflowError, RecursionError):
        return "This is not a regular expression that can be worked out."
    reader = _Reader(pattern)
    try:
        shape = reader.alternatives()
    except _NotTaken as reason:
        return str(reason)
    if shape.shortest > LONGEST_TICKET:
        return f"No ticket matches: it would have {shape.shortest} characters, and may have at most {LONGEST_TICKET}."
    if shape.ways > MOST_WAYS:
        return (
            "This pattern can match a ticket in too many ways, so that checking one could take minutes. "
            r"Do not repeat what already repeats, as in (\d+)+, and write \d{1,6} rather than \d+."
        )
    return ""


class _NotTaken(Exception):
    """The pattern uses something that tickets do not need and whose cost is not counted here."""


class _Reader:
    """Reads a pattern that `re` has accepted, from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def alternatives(self) -> _Shape:
        branches = [self._sequence()]
        while self._next("|"):
            branches.append(self._sequence())
        return _Shape(_most(sum(branch.ways for branch in branches)), min(branch.shortest for branch in branches))

    def _sequence(self) -> _Shape:
        ways, shortest = 1, 0
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            part = self._repeated(self._atom())
            ways, shortest = _most(ways * part.ways), shortest + part.shortest
        return _Shape(ways, shortest)

    def _atom(self) -> _Shape:
        character = self.pattern[self.at]
        self.at += 1
        if character == "(":
            if self._next("?") and not self._next(":"):
                raise _NotTaken("Groups that begin with (? are not taken, except (?:…).")
            inner = self.alternatives()
            self.at += 1
            return inner
        if character == "[":
            self._character_class()
        elif character == "{":
            raise _NotTaken(r"Write \{ for a brace that does not count repetitions.")
        elif character == "\\":
            return self._escape()
        return _Shape(1, 0 if character in "^$" else 1)

    def _escape(self) -> _Shape:
        character = self.pattern[self.at]
        self.at += 1
        if character not in _SIMPLE_ESCAPES:
            raise _NotTaken(f"\\{character} is not taken; use \\d, \\w, \\s or the character itself.")
        return _Shape(1, 0 if character in _ZERO_WIDTH else 1)

    def _character_class(self) -> None:
        self._next("^")
        self._next("]")
        while self.pattern[self.at] != "]":
            self.at += 2 if self.pattern[self.at] == "\\" else 1
        self.at += 1

    def _repeated(self, part: _Shape) -> _Shape:
        bounds = self._bounds()
        if bounds is None:
            return part
        if self.at < len(self.pattern) and self.pattern[self.at] in "?+":
            raise _NotTaken("Write *, +, ? and {…} without another ? or + behind them.")
        least, most = bounds
        # No repetition can be tried more often than a ticket has room for it.
        room = LONGEST_TICKET // max(part.shortest, 1)
        ways = 0
        for count in range(min(least, room), max(min(most, room), min(least, room)) + 1):
            ways = _most(ways + _most(part.ways) ** min(count, LONGEST_TICKET))
        return _Shape(ways, part.shortest * least)

    def _bounds(self) -> tuple[int, int] | None:
        if self._next("*"):
            return 0, LONGEST_TICKET
        if self._next("+"):
            return 1, LONGEST_TICKET
        if self._next("?"):
            return 0, 1
        found = _BOUNDS.match(self.pattern, self.at)
        if found is None or not (found[1] or found[3]):
            return None
        self.at = found.end()
        least = int(found[1] or 0)
        return least, (int(found[3]) if found[3] else LONGEST_TICKET if found[2] else least)

    def _next(self, character: str) -> bool:
        if self.pattern.startswith(character, self.at):
            self.at += 1
            return True
        return False


def _most(ways: int) -> int:
    return min(ways, MOST_WAYS + 1)

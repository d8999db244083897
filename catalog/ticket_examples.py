"""An example of a ticket, made from the pattern it must match, for readers who do not read regular expressions."""

import re
from typing import Final

LONGEST_TICKET: Final = 40
_DIGITS: Final = "4711"
_LETTERS: Final = "ABCD"
_USUAL: Final = 4
_MOST: Final = 12
_ATOM: Final = re.compile(
    r"(?P<digits>\\d|\[0-9\])|(?P<upper>\[A-Z\])|(?P<lower>\[a-z\])|(?P<both>\[A-Z0-9\]|\[A-Za-z\]|\[a-zA-Z\])"
    r"|\((?:\?:)?(?P<choice>[A-Za-z0-9_-]+(?:\|[A-Za-z0-9_-]+)*)\)|\\(?P<mark>[-./#_ ])|(?P<plain>[A-Za-z0-9#/_: -])"
)
_COUNT: Final = re.compile(r"\+|\*|\?|\{(\d{1,4})(,?)(\d{0,4})\}")


def example(pattern: str) -> str:
    """A ticket that matches, such as "INC-4711" for INC-[0-9]+; empty if the pattern is not of the simple kind."""
    text, at, pattern_ = "", 0, pattern.removeprefix("^").removesuffix("$")
    while at < len(pattern_):
        atom = _ATOM.match(pattern_, at)
        if atom is None:
            return ""
        at = atom.end()
        count = _COUNT.match(pattern_, at)
        at = count.end() if count else at
        text += _written(atom, _times(count))
    return text if text and len(text) <= LONGEST_TICKET and re.fullmatch(pattern, text) else ""


def _times(count: re.Match[str] | None) -> int:
    """How often a part is written: four times where that may be, as tickets have about so many digits."""
    if count is None or count[0] == "?":
        return 1
    if not count[1]:
        return _USUAL
    least = int(count[1])
    most = int(count[3]) if count[3] else (_USUAL if count[2] else least)
    return min(max(least, min(most, _USUAL)), _MOST)


def _written(atom: re.Match[str], times: int) -> str:
    kind, found = str(atom.lastgroup), atom[0]
    if kind == "digits":
        return (_DIGITS * times)[:times]
    if kind in ("upper", "lower", "both"):
        letters = (_LETTERS * times)[:times]
        return letters.lower() if kind == "lower" else letters
    return {"choice": str(atom["choice"]).partition("|")[0], "mark": str(atom["mark"])}.get(kind, found) * times

"""Names and texts as people may give them: tidied, and without what the eye cannot see."""

import difflib
import unicodedata
from collections.abc import Iterable
from typing import Final

# Characters without a glyph that Unicode counts as letters, marks or symbols; the rest is caught by category.
_BLANK: Final = frozenset(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    ]
)
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# They turn round the text that follows, so that a page shows something else than what was stored.
_TURNING: Final = frozenset([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])


# They join the letters of some scripts and the parts of some emoji, and choose how an emoji looks.
_JOINING: Final = frozenset([0x200C, 0x200D, 0xFE0E, 0xFE0F])
_LINES: Final = "\n\r\t"


def tidy(text: str) -> str:
    """The name in Unicode's NFKC form, with single spaces.

    Raises:
        ValueError: it holds a character that cannot be seen, or neither letter nor digit; the text says so.
    """
    name = refuse_unseen(" ".join(unicodedata.normalize("NFKC", text).split()))
    if name and not any(character.isalnum() for character in name):
        raise ValueError("A name needs a letter or a digit.")
    return name


def refuse_unseen(text: str) -> str:
    """A text of one line, as given.

    Raises:
        ValueError: it holds a character that cannot be seen.
    """
    for character in text:
        if _is_unseen(character):
            raise ValueError(f"There is an invisible character ({_code(character)}) in it; type it afresh.")
    return text


def likeness(name: str) -> str:
    """What two names share that a reader would take for the same: case, form, spaces and the unseen do not count."""
    seen = "".join(character for character in " ".join(name.split()) if not _is_unseen(character))
    folded = unicodedata.normalize("NFKC", seen).casefold()
    # Folding the case may leave a text that is not in Unicode's normal form any more.
    return unicodedata.normalize("NFKC", folded)


def refuse_control(text: str) -> str:
    """A longer text, as given.

    Raises:
        ValueError: it holds a control character, one that turns the direction of the text that follows, or one that
            cannot be seen and joins nothing.
    """
    for place, character in enumerate(text):
        if ord(character) in _TURNING or (unicodedata.category(character) == "Cc" and character not in _LINES):
            raise ValueError(f"There is a control character ({_code(character)}) in it; type the text afresh.")
        if character not in _LINES and _is_unseen(character) and not _joins(text[:place], character):
            raise ValueError(f"There is an invisible character ({_code(character)}) in it; type the text afresh.")
    return text


def showable(name: str) -> str:
    """A name that another system gave, without what cannot be seen or turns the text around it; maybe empty.

    Letters that are written from right to left stay, and so does what joins them.
    """
    return " ".join(_seen(" ".join(name.split())).split())


def printable(text: str) -> str:
    """A text of lines for a terminal, which acts on some characters: its lines without what cannot be seen."""
    return "\n".join(_seen(line.expandtabs()) for line in text.split("\n"))


def comparable(text: str) -> str:
    """A text that another system gave and by which something is decided, with single spaces.

    Empty if it holds a character that cannot be seen: without that it could be another's.
    """
    try:
        return refuse_unseen(" ".join(text.split()))
    except ValueError:
        return ""


def _seen(text: str) -> str:
    kept = ""
    for character in text:
        if not _is_unseen(character) or _joins(kept, character):
            kept += character
    return kept


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or ord(character) in _BLANK


def _joins(text: str, character: str) -> bool:
    """Whether the character belongs to a letter or emoji at the text's end, of a script that needs such."""
    before = text[-1:]
    if ord(character) not in _JOINING or before in ("", character) or before.isspace():
        return False
    # A number sign, an asterisk and digits become keycaps.
    return before > "\x7f" or before in "#*0123456789"


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def alike(given: str, known: Iterable[str]) -> str:
    """A sentence that suggests the likest of what there is, or nothing."""
    likest = difflib.get_close_matches(given, list(known), 1, 0.6)
    return f" Did you mean “{likest[0]}”?" if likest else ""

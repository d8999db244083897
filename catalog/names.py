"""Names as people may give them: tidied, and without what the eye cannot see."""

import unicodedata
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


def tidy(text: str) -> str:
    """The name in Unicode's NFKC form, with single spaces.

    Raises:
        ValueError: it holds a character that cannot be seen, or neither letter nor digit; the text says so.
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    for character in name:
        if unicodedata.category(character) in _UNSEEN or ord(character) in _BLANK:
            raise ValueError(f"There is an invisible character (U+{ord(character):04X}) in it; type the name afresh.")
    if name and not any(character.isalnum() for character in name):
        raise ValueError("A name needs a letter or a digit.")
    return name


def likeness(name: str) -> str:
    """What two names share that a reader would take for the same."""
    return unicodedata.normalize("NFKC", name.strip()).casefold()


def refuse_control(text: str) -> str:
    """A longer text, as given.

    Raises:
        ValueError: it holds a control character, or one that turns the direction of the text that follows.
    """
    for character in text:
        if ord(character) in _TURNING or (unicodedata.category(character) == "Cc" and character not in "\n\r\t"):
            raise ValueError(f"There is a control character (U+{ord(character):04X}) in it; type the text afresh.")
    return text

"""Reasons: how long that of an ask must be at least, and those of what is done past the usual way."""

from typing import Final

from catalog.names import refuse_control

# Characters that the portal asks for of everybody, and the most that a policy may ask for instead.
LEAST: Final = 10
MOST: Final = 500


def length(reason: str) -> int:
    """How many characters a reason has; spaces and line breaks in a row count as one, at the ends as none."""
    return len(" ".join(reason.split()))


def on_one_line(text: str) -> str:
    """A text with single spaces. Raises ValueError, with a sentence, if it hides something."""
    return " ".join(refuse_control(text).split())


def clean(reason: str) -> str:
    """A reason on one line. Raises ValueError, with a sentence, if it says nothing or hides something."""
    reason = on_one_line(reason)
    if not LEAST <= len(reason) <= MOST:
        raise ValueError(f"Say why in {LEAST} to {MOST} characters; it is recorded.")
    return reason

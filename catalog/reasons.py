"""How long the reason of an ask must be at least."""

from typing import Final

# Characters that the portal asks for of everybody, and the most that a policy may ask for instead.
LEAST: Final = 10
MOST: Final = 500


def length(reason: str) -> int:
    """How many characters a reason has; spaces and line breaks in a row count as one, at the ends as none."""
    return len(" ".join(reason.split()))

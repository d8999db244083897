"""Files that somebody names on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.core.management.base import CommandError

from catalog import names

WORTH_SAYING: Final = 200


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Says in a sentence why a file cannot be read or written, be it for its name.

    Raises:
        CommandError: it cannot.
    """
    try:
        yield
    except OSError as error:
        raise CommandError(f"{brief(path)}: {error.strerror}.") from None
    except ValueError:
        # Such as one with a NUL, or with a character that this machine's file names cannot have.
        raise CommandError(f"{brief(path)}: No file can have that name.") from None


def brief(name: object) -> str:
    """A path or a name for a terminal, and no longer than somebody reads."""
    text = names.printable(str(name))
    return text if len(text) <= WORTH_SAYING else f"{text[:WORTH_SAYING]}…"

"""Which tests have to do with a database, so that what takes long is run on the one that production has."""

from collections.abc import Callable, Iterable
from typing import Final

import pytest

FIXTURES: Final = frozenset({"db", "transactional_db", "live_server"})
# Where the many tests of rows are. On the embedded defaults the model, the tour in a browser, the record's tests and
# the demo's own processes drive the same code.
MANY: Final = ("tests/accessrequests/", "tests/catalog/", "tests/jitportal/access/")


def has_rows(item: pytest.Item) -> bool:
    """Whether a test asks for rows, by itself or in a process that it starts."""
    names: Iterable[str] = getattr(item, "fixturenames", ())
    by_itself = item.nodeid.startswith("tests/processes/")
    return by_itself or item.get_closest_marker("django_db") is not None or not FIXTURES.isdisjoint(names)


def is_one_of_many(item: pytest.Item) -> bool:
    """Whether a test of rows is among those that are run on one database only, where there is a choice."""
    return item.nodeid.startswith(MANY) and has_rows(item)


def keep(config: pytest.Config, items: list[pytest.Item], is_kept: Callable[[pytest.Item], bool]) -> None:
    """Deselects all others."""
    config.hook.pytest_deselected(items=[item for item in items if not is_kept(item)])
    items[:] = [item for item in items if is_kept(item)]

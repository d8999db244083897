"""A plugin of pytest that leaves out what has nothing to do with a database: the same on any, it is run on one."""

from collections.abc import Iterable
from typing import Final

import pytest

ROWS: Final = frozenset({"db", "transactional_db", "live_server"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects each test that asks for no row, by itself or in a process that it starts."""
    without = [item for item in items if not _has_rows(item)]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if _has_rows(item)]


def _has_rows(item: pytest.Item) -> bool:
    names: Iterable[str] = getattr(item, "fixturenames", ())
    by_itself = item.nodeid.startswith("tests/processes/")
    return by_itself or item.get_closest_marker("django_db") is not None or not ROWS.isdisjoint(names)

"""A plugin of pytest that leaves out what has nothing to do with a database: the same on any, it is run on one."""

import pytest

from tests import rows


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps the tests of rows."""
    rows.keep(config, items, rows.has_rows)

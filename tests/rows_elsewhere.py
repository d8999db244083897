"""A plugin of pytest for the embedded defaults while another run has PostgreSQL: it leaves out what that one does."""

import pytest

from tests import rows


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps what has no rows, and of the tests that have some those that are not among the many."""
    rows.keep(config, items, lambda item: not rows.is_one_of_many(item))

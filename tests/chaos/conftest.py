"""A server that stays, and portals that come and go over it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Catalog, catalog, groups, user
from tests.chaos.portal import Portal, serving
from tests.conftest import forget

__all__ = ["catalog", "groups", "user"]

Opening = Callable[[], Portal]


@pytest.fixture
def opening(catalog: Catalog, user: Callable[[Any], Any], settings: Any) -> Iterator[Opening]:
    """Opens a portal with the company's people in it, as often as it is called; closing them is no duty."""
    for person in company.PEOPLE:
        user(person)
    opened: list[Portal] = []

    def opening() -> Portal:
        opened.append(Portal(catalog, server))
        return opened[-1]

    with serving(settings) as server:
        forget()
        yield opening
        for portal in opened:
            portal.close()
    forget()

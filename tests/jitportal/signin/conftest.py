"""What every test of sign-in starts with: a portal over HTTP, a directory beside it, a browser."""

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from jitportal.demo.directory import Directory
from tests.browser import Browser
from tests.directory import directory, directory_people, directory_server  # noqa: F401


@pytest.fixture
def browser(live_server: LiveServer, directory: Directory) -> Iterator[Browser]:  # noqa: F811
    opened = Browser(live_server.url)
    yield opened
    opened.close()

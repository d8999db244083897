"""Where a person may be sent on to after signing in: a page of this portal, and nowhere else."""

import re
from typing import Final

from django.utils.http import url_has_allowed_host_and_scheme

# Browsers read a backslash as a slash and drop tabs and line ends, so either can hide another host.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_LONGEST: Final = 2000


def is_page_of_portal(address: str) -> bool:
    """Whether this is a path such as /requests/new/?role=3, which no browser takes for another host."""
    return (
        address.startswith("/")
        and not address.startswith("//")
        and len(address) <= _LONGEST
        and not _UNSAFE.search(address)
        and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    )


def page_of_portal(address: str | None) -> str:
    """The address if it is one of the portal's pages, else the front page."""
    return address if address and is_page_of_portal(address) else "/"

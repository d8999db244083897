"""Pages of a list, with opaque tokens that stay right while rows come and go."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from .errors import invalid

LARGEST_PAGE = 100


def token(operation: str, after: Any) -> str:
    """A NextToken that continues ``operation`` after the row ``after`` (plain data)."""
    return base64.urlsafe_b64encode(json.dumps([operation, after]).encode()).decode()


def after(operation: str, params: dict[str, Any]) -> Any:
    """The row after which a call continues, None for a first page; AwsError for another call's token."""
    given = params.get("NextToken")
    if not given:
        return None
    try:
        of, row = json.loads(base64.urlsafe_b64decode(given))
    except (binascii.Error, ValueError, TypeError):
        of, row = None, None
    if of != operation:
        raise invalid("The NextToken is not valid")
    return row


def page_size(params: dict[str, Any]) -> int:
    """How many rows a call wants."""
    return int(params.get("MaxResults") or LARGEST_PAGE)


def page(operation: str, params: dict[str, Any], rows: Mapping[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """One page of ``rows`` in the order of their keys, and ``{"NextToken": …}`` if more follow."""
    last = after(operation, params)
    if last is not None and not isinstance(last, str):
        raise invalid("The NextToken is not valid")
    rest = sorted(key for key in rows if last is None or key > last)
    shown = rest[: page_size(params)]
    more = {"NextToken": token(operation, shown[-1])} if len(rest) > len(shown) else {}
    return [rows[key] for key in shown], more

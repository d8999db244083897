"""The rows of the admin's lists, as a phone shows them: each cell under the heading of its column."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import template

register = template.Library()


@register.filter
def beside(cells: Iterable[Any], headings: Sequence[Mapping[str, Any]]) -> list[tuple[Any, Any]]:
    """Each cell of a row with the heading of its column."""
    return [(heading["text"], cell) for heading, cell in zip(headings, cells, strict=True)]

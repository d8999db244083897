"""Filters for durations, for who decides, and for tickets."""

from datetime import timedelta
from typing import Any

from django import template

from catalog import ticket_examples, wording
from catalog.terms import Terms

register = template.Library()


@register.filter
def deciders(terms: Terms, already: timedelta = timedelta()) -> str:
    """Who decides on these terms, in words; `already` is what somebody has had of what they ask more of."""
    return wording.deciders(terms, already)


@register.filter
def at_once(terms: Terms) -> str:
    """When these terms approve without people, in words; empty if never."""
    return wording.at_once(terms.automatic)


@register.filter
def yours(words: str, mine: bool = True) -> str:
    """Words about who decides, as the one who asks reads them; `mine` says whether that is the reader."""
    return wording.yours(words) if mine else words


@register.filter
def spelled(value: Any) -> str:
    """A duration or a number of seconds in words; anything else is not said."""
    return wording.spelled(value) if isinstance(value, timedelta | int | float) else ""


@register.filter
def ticket_example(pattern: str) -> str:
    """A ticket that matches the pattern; empty if the pattern is not of a simple kind."""
    return ticket_examples.example(pattern)

"""Sentences where there is no room for sentences."""

from django import template

register = template.Library()


@register.filter
def phrase(text: str) -> str:
    """A single sentence without its full stop, as table cells have it; several sentences keep theirs."""
    whole = text.strip()
    return whole[:-1] if whole.endswith(".") and not whole.endswith("..") and ". " not in whole else whole

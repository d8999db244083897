"""Tags that show a moment as a `time` element; the view's `now` counts, so that a page is of one moment."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from auditlog import moments

register = template.Library()


def _now(context: Context) -> datetime:
    now: Any = context.get("now")
    return now if isinstance(now, datetime) else timezone.now()


def _element(kind: str, moment: datetime, text: str, title: str) -> SafeString:
    stamp = moment.astimezone(UTC).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" data-time="{}" title="{}">{}</time>', stamp, kind, title, text)


@register.filter
def moment(kept: object) -> datetime | None:
    """The moment that a row keeps as text; None of anything else."""
    try:
        return datetime.fromisoformat(str(kept))
    except ValueError:
        return None


@register.simple_tag(takes_context=True)
def ago(context: Context, moment: datetime | None) -> str:
    """How far away, with the exact time on hover."""
    if moment is None:
        return ""
    return _element("relative", moment, moments.relative(moment, _now(context)), moments.exact_to_the_second(moment))


@register.simple_tag(takes_context=True)
def left(context: Context, moment: datetime | None) -> str:
    """How long is left until then; scripts let it run."""
    if moment is None:
        return ""
    return _element("left", moment, moments.remaining(moment, _now(context)), moments.exact_to_the_second(moment))


@register.simple_tag(takes_context=True)
def exactly(context: Context, moment: datetime | None, seconds: bool = False) -> str:
    """The moment itself, with how far away it is on hover."""
    if moment is None:
        return ""
    text = moments.exact_to_the_second(moment) if seconds else moments.exact(moment)
    return _element("seconds" if seconds else "exact", moment, text, moments.relative(moment, _now(context)))

"""Shows what is wrong with a form: each message at its field, with the rule that made it."""

from dataclasses import dataclass
from typing import Any

from django import forms, template

from catalog.policy import Verdict

register = template.Library()


@dataclass(frozen=True)
class Shown:
    """One message; `field` is the element to go to, where it stands `in_full`; `text` leads there from above the form.

    In full it names the rule too, unless the form found the fault.
    """

    field: str
    text: str
    in_full: str


def messages_of(form: forms.BaseForm, name: str | None = None) -> list[Shown]:
    """The messages of one field, of the form as a whole ("__all__"), or (None) all of them."""
    return [
        _shown(field, str(next(iter(error.messages))), error.params or {})
        for field, errors in form.errors.as_data().items()
        for error in errors
        if name in (None, field)
    ]


def _shown(field: str, text: str, beside: dict[str, Any]) -> Shown:
    in_full = Verdict(False, text, str(beside.get("rule", ""))).in_full
    return Shown(field, str(beside.get("brief") or text), in_full)


@register.inclusion_tag("accessrequests/_errors.html")
def errors_of(form: forms.BaseForm, name: str) -> dict[str, Any]:
    """The messages at a field, under the id that the field's aria-describedby names."""
    return {"name": name, "errors": messages_of(form, name)}


@register.inclusion_tag("accessrequests/_summary.html")
def errors_summary(form: forms.BaseForm) -> dict[str, Any]:
    """All messages above a form, each leading to its field."""
    return {"form": form, "errors": messages_of(form)}


@register.filter
def flawed(form: forms.BaseForm | None, name: str) -> bool:
    """Whether there is a message at this field."""
    return form is not None and name in form.errors

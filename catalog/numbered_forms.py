"""Rows that follow one another inside a form: numbered 1, 2, 3, and those left without a number come last."""

from typing import Any

from django import forms


class NumberedFormset(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows with a `position`; a new one has none until somebody gives it, so it cannot collide with those above."""

    rows_are_called = "rows"

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        position = form.fields["position"]
        position.required = False
        position.help_text = f"{position.help_text} Empty: after the others."
        if form.instance.pk is None:
            position.initial = None

    def kept(self) -> list[Any]:
        """The forms of the rows that stay."""
        return [form for form in self.forms if form.cleaned_data and form.cleaned_data.get("DELETE") is not True]

    def number(self) -> None:
        """Gives the rows without a position theirs, and complains where the others leave a gap or collide."""
        # A form whose position is wrong has none in what was cleaned.
        numbered = [form for form in self.kept() if "position" in form.cleaned_data]
        given = sorted((form for form in numbered if form.cleaned_data["position"]), key=_position)
        for wanted, form in enumerate(given, start=1):
            if _position(form) != wanted:
                form.add_error(
                    "position", f"Number the {self.rows_are_called} 1, 2, 3, each once: this would be {wanted}."
                )
                return
        unnumbered = [form for form in numbered if not form.cleaned_data["position"]]
        for position, form in enumerate(unnumbered, start=len(given) + 1):
            form.cleaned_data["position"] = form.instance.position = position


def _position(form: Any) -> int:
    position: int = form.cleaned_data["position"]
    return position

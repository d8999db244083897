"""A column that keeps two rows from having names that a reader would take for the same."""

from typing import Any, Final

from django.db import models

from catalog import names

# Folding the case makes a character up to three of them.
_LONGEST: Final = 3 * 120


class Likeness(models.CharField):  # type: ignore[type-arg]
    """What `names.likeness` makes of the row's name at each save; unique, so that the database refuses a twin."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_length": _LONGEST, "unique": True, "editable": False, **options})

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """The likeness of the name as it is about to be written."""
        likeness = names.likeness(getattr(model_instance, "name", ""))
        setattr(model_instance, self.attname, likeness)
        return likeness

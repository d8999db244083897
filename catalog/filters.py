"""Filters of admin lists, in words instead of "empty" and "not empty"."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.admin.filters import EmptyFieldListFilter


class _WordedFilter(EmptyFieldListFilter):
    """`words` are what stands for a field that is empty, and for one that is not."""

    words: ClassVar[tuple[str, str]]
    heading: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = self.heading

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice, word in zip(super().choices(changelist), ("All", *self.words), strict=True):
            yield {**choice, "display": word}


class VanishedFilter(_WordedFilter):
    """Whether AWS still has it."""

    heading = "presence in AWS"
    words = ("In AWS", "Vanished from AWS")


class HasEnvironmentFilter(_WordedFilter):
    """Accounts that nobody can ask for, and the others."""

    heading = "whether it is in an environment"
    words = ("In none", "In one")


class TroubleFilter(_WordedFilter):
    """What something keeps from going on."""

    heading = "trouble"
    words = ("None", "In trouble")


class SentFilter(_WordedFilter):
    """Messages that went out, and the others."""

    heading = "sending"
    words = ("Not sent", "Sent")

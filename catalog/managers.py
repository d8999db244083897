"""The requester's manager: who that is as the directory has it, and why they could not decide where they could not."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from catalog.people import Person, is_same


@dataclass(frozen=True)
class Manager:
    """Whom the directory names as somebody's manager; `why_not` says why they could not decide, if they could not.

    `person` is None of nobody, and of somebody whom the portal does not know.
    """

    person: Person | None
    why_not: str = ""

    @property
    def name(self) -> str:
        """Theirs; empty if it is nobody known."""
        return self.person.name if self.person else ""


def judged(asker: Person, manager: Person | None) -> Manager:
    """Whether this person, whom the directory names as the asker's manager, could decide; None is nobody known."""
    if not asker.manager_object_id:
        return Manager(None, "the directory names no manager")
    if asker.manager_object_id == asker.object_id:
        return Manager(None, "the directory names whoever asks as their own manager")
    if manager is None:
        return Manager(None, "the manager whom the directory names has never signed in here")
    if is_same(asker, manager):
        why = f"{manager.name}, the manager in the directory, counts as the same person as whoever asks"
        return Manager(manager, why)
    if not manager.is_active:
        return Manager(manager, f"{manager.name}, the manager, is disabled or locked out")
    return Manager(manager)


def without_one(using: str = "default") -> QuerySet[Any]:
    """The active people of the directory who have no manager that could decide; one subquery, whatever their number."""
    people = get_user_model().objects.using(using)
    manager = people.filter(is_active=True, object_id=OuterRef("manager_object_id")).exclude(pk=OuterRef("pk"))
    manager = manager.annotate(folded=Lower("user_name"))
    manager = manager.exclude(~Q(user_name=""), folded=Lower(OuterRef("user_name")))
    manager = manager.exclude(~Q(principal_id=""), principal_id=OuterRef("principal_id"))
    rows: QuerySet[Any] = people.filter(is_active=True, local_until=None).filter(
        Q(manager_object_id="") | Q(manager_object_id=F("object_id")) | ~Exists(manager)
    )
    return rows

"""Writes what the directory says of a person into their row: who they are, and which groups they are in."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.history import latest_digest
from auditlog.ledger import Subject
from catalog.models import DirectoryGroup
from jitportal.models import User

# The directory groups that mean something in the catalog.
IN_USE: Final = (
    Q(access_policies__isnull=False)
    | Q(closing_policies__isnull=False)
    | Q(approver_groups__isnull=False)
    | Q(on_call_policies__isnull=False)
)


def subject_of(person: User) -> Subject:
    """The person as what an event speaks of."""
    return Subject("person", person.object_id)


def known_groups() -> frozenset[str]:
    """Object ids of the groups that can mean anything here: those of the catalog and of the settings."""
    kept = DirectoryGroup.objects.values_list("object_id", flat=True)
    return frozenset({*kept, settings.ENTRA_ADMIN_GROUP_ID, settings.ENTRA_COMPLIANCE_GROUP_ID})


def groups_in_use() -> frozenset[str]:
    """Object ids of the groups by which somebody may ask or not, decide, be on call, administer or audit."""
    ids = set(DirectoryGroup.objects.filter(IN_USE).values_list("object_id", flat=True))
    return frozenset({*ids, settings.ENTRA_ADMIN_GROUP_ID, settings.ENTRA_COMPLIANCE_GROUP_ID})


def refresh(person: User, described: Mapping[str, str]) -> dict[str, JSON]:
    """Brings the row up to what is described; what changed, as {field: [old, new]}."""
    changes: dict[str, JSON] = {}
    for field, new in described.items():
        if (old := getattr(person, field)) != new:
            changes[field] = [old, new]
            setattr(person, field, new)
    if changes:
        person.save(update_fields=list(changes))
    return changes


def replace_manager(person: User, object_id: str) -> dict[str, JSON]:
    """Notes whom the directory names as their manager, by object id, empty for none; what changed, as `refresh` does.

    A manager is named as groups are: by name and object id, or by the object id alone of whom nobody knows here.
    """
    if person.manager_object_id == object_id:
        return {}
    ids = (person.manager_object_id, object_id)
    names = dict(User.objects.filter(object_id__in=filter(None, ids)).values_list("object_id", "name"))
    person.manager_object_id = object_id
    person.save(update_fields=["manager_object_id"])
    return {"manager": [f"{names[each]} ({each})" if each in names else each for each in ids]}


def replace_groups(person: User, object_ids: frozenset[str], by: Actor) -> dict[str, JSON]:
    """Puts the person into these groups and no others; the data of the event to record, empty if nothing changed.

    `by` is who made the rows of groups that nobody had mentioned before, whose digests are in the data.
    """
    before = {group.object_id: group for group in person.directory_groups.all()}
    history: list[JSON] = []
    added: list[DirectoryGroup] = []
    # In order, so that two first sign-ins with the same new groups never wait for each other in a circle.
    for object_id in sorted(object_ids - before.keys()):
        group, is_new = _group(object_id, by)
        added.append(group)
        if is_new:
            history.append(latest_digest(group))
    removed = [before[object_id] for object_id in sorted(before.keys() - object_ids)]
    if not (added or removed):
        return {}
    person.directory_groups.add(*added)
    person.directory_groups.remove(*removed)
    person.refresh_groups()
    moved: dict[str, JSON] = {"person": person.name, "joined": [*_shown(added)], "left": [*_shown(removed)]}
    return moved | ({"history": history} if history else {})


def _group(object_id: str, by: Actor) -> tuple[DirectoryGroup, bool]:
    """The group's row, and whether it is new; tokens do not tell names, so its id stands in for one."""
    if known := DirectoryGroup.objects.filter(object_id=object_id).first():
        return known, False
    group = DirectoryGroup(object_id=object_id, name=object_id)
    setattr(group, "_history_user", by)  # noqa: B010 - simple-history's way, unknown to the type
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError:
        return DirectoryGroup.objects.get(object_id=object_id), False
    return group, True


def _shown(groups: Iterable[DirectoryGroup]) -> Iterable[str]:
    return (
        group.object_id if group.name == group.object_id else f"{group.name} ({group.object_id})" for group in groups
    )

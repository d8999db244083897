"""People and events for the ledger's tests."""

from collections.abc import Callable, Mapping
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction

from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.ledger import Subject, record
from auditlog.models import Event
from catalog.models import DirectoryGroup
from jitportal.models import User

Append = Callable[..., Event]

ADA = Actor.person("0a5c2f3e-7b1d-4a86-9a53-0d2f64f1c001", "Ada Okafor")


@pytest.fixture
def append(db: None) -> Append:
    """Appends one event; every part of it can be chosen."""

    def append(
        action: Action = Action.GRANT_ACTIVE,
        data: Mapping[str, JSON] | None = None,
        actor: Actor = ADA,
        subject: Subject | None = None,
    ) -> Event:
        with transaction.atomic():
            return record(actor, action, subject or Subject("request", str(uuid4())), data or {})

    return append


def person(name: str, *groups: str, active: bool = True) -> User:
    """A person who is in the directory groups with these object ids."""
    user = User.objects.create(
        tenant_id=settings.ENTRA_TENANT_ID,
        object_id=str(uuid4()),
        user_name=f"{uuid4()}@example.com",
        name=name,
    )
    user.is_active = active
    user.save()
    for object_id in groups:
        group, _ = DirectoryGroup.objects.get_or_create(object_id=object_id, defaults={"name": object_id})
        user.directory_groups.add(group)
    return user


@pytest.fixture
def engineer(db: None) -> User:
    return person("Emil Engineer")


@pytest.fixture
def compliance(db: None) -> User:
    return person("Cora Compliance", settings.ENTRA_COMPLIANCE_GROUP_ID)


@pytest.fixture
def admin(db: None) -> User:
    return person("Adam Admin", settings.ENTRA_ADMIN_GROUP_ID)

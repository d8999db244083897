"""People at the admin pages, a small catalog to work on, and forms filled in as the pages fill them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from catalog.models import (
    AccessPolicy,
    Account,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Role,
    Sensitivity,
)
from jitportal.models import User

INSTANCE = settings.IDENTITY_CENTER_INSTANCE_ARN.rpartition("/")[2]


def person(name: str, *group_ids: str, department: str = "") -> User:
    """A person in the directory groups with these object ids."""
    user = User.objects.create(
        tenant_id=settings.ENTRA_TENANT_ID,
        object_id=str(uuid4()),
        user_name=f"{uuid4()}@example.com",
        name=name,
        department=department,
    )
    for object_id in group_ids:
        group, _ = DirectoryGroup.objects.get_or_create(object_id=object_id, defaults={"name": object_id[:8]})
        user.directory_groups.add(group)
    return user


def arn(number: int) -> str:
    """A permission set's ARN in our instance."""
    return f"arn:aws:sso:::permissionSet/{INSTANCE}/ps-{number:016x}"


@dataclass
class Catalog:
    """Support in Production, asked for by Payments, decided by Leads."""

    group: DirectoryGroup
    role: Role
    environment: Environment
    account: Account
    permission_set: PermissionSet
    approver_group: ApproverGroup
    policy: AccessPolicy
    stage: ApprovalStage


@pytest.fixture
def catalog(db: None) -> Catalog:
    group = DirectoryGroup.objects.create(object_id=str(uuid4()), name="Payments engineers")
    role = Role.objects.create(
        name="Production Support", slug="production-support", description="Looks into incidents."
    )
    environment = Environment.objects.create(name="Production", slug="production", sensitivity=Sensitivity.PRODUCTION)
    account = Account.objects.create(account_id="123456789012", name="Payments", environment=environment)
    permission_set = PermissionSet.objects.create(arn=arn(1), name="Support")
    approver_group = ApproverGroup.objects.create(name="Payments leads")
    approver_group.directory_groups.add(group)
    policy = AccessPolicy.objects.create(
        name="Payments support",
        role=role,
        environment=environment,
        permission_set=permission_set,
        default_duration=timedelta(hours=1),
        longest_duration=timedelta(hours=8),
    )
    policy.requestable_by.add(group)
    stage = ApprovalStage.objects.create(policy=policy, approver_group=approver_group)
    return Catalog(group, role, environment, account, permission_set, approver_group, policy, stage)


@pytest.fixture
def admin_person(db: None) -> User:
    return person("Ada Admin", settings.ENTRA_ADMIN_GROUP_ID)


@pytest.fixture(autouse=True)
def no_second_admin(settings: Any) -> None:
    """Nothing waits for a second admin, but in the tests that are about that."""
    settings.SENSITIVE_FROM = None


@pytest.fixture
def production_is_sensitive(no_second_admin: None, settings: Any) -> None:
    """What concerns Production waits for a second admin."""
    settings.SENSITIVE_FROM = Sensitivity.PRODUCTION


@pytest.fixture
def enough_people(catalog: Catalog) -> None:
    """Three who may ask and decide, so that somebody is always left to decide."""
    for name in ("Ben", "Chiara", "Daniel"):
        person(name, catalog.group.object_id)


@pytest.fixture
def second(db: None) -> User:
    """Another admin than the one who proposes."""
    return person("Sol Second", settings.ENTRA_ADMIN_GROUP_ID)


class Confirming(Client):
    """A browser whose reader agrees to whatever a preview shows, by the form that it shows."""

    def post(self, path: Any, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        answer = super().post(path, data, *args, **kwargs)
        if not shows_preview(answer):
            return answer
        return super().post(path, {**carried(answer), "_confirm": "1"}, *args, **kwargs)


def shows_preview(answer: Any) -> bool:
    """Whether this is the page that says what a change would do."""
    return answer.status_code == 200 and bool(answer.context) and "carried" in answer.context


def text(answer: Any) -> str:
    """The words of a page, with one space between them."""
    return " ".join(answer.content.decode().split())


def carried(answer: Any) -> dict[str, Any]:
    """What the form of a preview sends back, but for its buttons."""
    sent: dict[str, Any] = {"shown": answer.context["preview"].digest}
    for name, value in answer.context["carried"]:
        sent.setdefault(name, []).append(value)
    return sent


@pytest.fixture
def admin_client(admin_person: User) -> Client:
    """An admin's browser; they agree to what previews show."""
    return signed_in(admin_person, Confirming())


@pytest.fixture
def browser(admin_person: User) -> Client:
    """The browser of an admin who reads what previews show, and says by themselves what they make of it."""
    return signed_in(admin_person)


def signed_in(user: User, client: Client | None = None) -> Client:
    """This person's browser."""
    client = client or Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


Fill = Callable[..., dict[str, Any]]


@pytest.fixture
def fill(admin_client: Client) -> Fill:
    """Opens an admin form and gives what a browser would send back, with these fields changed."""

    def fill(page: str, **changed: Any) -> dict[str, Any]:
        response = admin_client.get(page)
        assert response.status_code == 200, (page, response.status_code)
        sent: dict[str, Any] = {}
        forms = [response.context["adminform"].form]
        for inline in response.context["inline_admin_formsets"]:
            forms += [inline.formset.management_form, *inline.formset.forms]
        for form in forms:
            for field in form:
                value = field.value()
                if value is None or value is False:
                    continue
                sent[field.html_name] = "on" if value is True else value
        sent.update(changed)
        return {name: value for name, value in sent.items() if value is not None}

    return fill


def errors(response: Any) -> dict[str, list[str]]:
    """What a form that was refused says, field by field."""
    assert response.status_code == 200, response
    found: dict[str, list[str]] = dict(response.context["adminform"].form.errors)
    for inline in response.context["inline_admin_formsets"]:
        for number, form_errors in enumerate(inline.formset.errors):
            found |= {f"{inline.formset.prefix}-{number}-{name}": said for name, said in form_errors.items()}
        if inline.formset.non_form_errors():
            found[inline.formset.prefix] = list(inline.formset.non_form_errors())
    return found

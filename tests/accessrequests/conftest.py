"""A catalog of one role in two environments, the people around it, and an office that carries requests through."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from pytest_django import Settings

from accessrequests import decisions, workflow
from accessrequests.models import AccessRequest, Decision, Grant, Notification
from accessrequests.provisioner import Provisioner
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
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.drain import drain
from jitportal.demo.simulator import AssignmentKey, Simulator
from jitportal.models import User
from tests.conftest import Clock
from tests.jitportal.tickets.desk import Desk, Served


@pytest.fixture
def groups(db: None) -> dict[str, DirectoryGroup]:
    """The company's directory groups, by name."""
    rows = [DirectoryGroup.objects.create(object_id=group.object_id, name=group.name) for group in company.GROUPS]
    return {row.name: row for row in rows}


@pytest.fixture
def user(groups: dict[str, DirectoryGroup]) -> Callable[[Person], User]:
    """Makes the row of one of the company's people, in their groups; the same row when asked again."""

    def make(person: Person) -> User:
        row, is_new = User.objects.get_or_create(
            object_id=person.object_id,
            defaults={"tenant_id": "t", "user_name": person.user_name, "name": person.name, "email": person.email},
        )
        if is_new:
            row.directory_groups.set(groups[group.name] for group in person.groups)
        return row

    return make


@dataclass
class Catalog:
    """Developer: at once in the sandbox; in production after a lead and a security officer, with a ticket."""

    developer: Role
    sandbox: Environment
    production: Environment
    automatic: AccessPolicy
    two_stages: AccessPolicy
    sandbox_accounts: list[Account]
    production_accounts: list[Account]
    permission_set: PermissionSet


@pytest.fixture
def catalog(groups: dict[str, DirectoryGroup]) -> Catalog:
    environments = {
        name: Environment.objects.create(name=name, slug=name.lower(), sensitivity=Sensitivity[name.upper()])
        for name in ("Sandbox", "Production")
    }
    accounts = {
        name: [
            Account.objects.create(account_id=a.id, name=a.name, environment=environment)
            for a in company.ACCOUNTS[name][:3]
        ]
        for name, environment in environments.items()
    }
    permission_set = PermissionSet.objects.create(
        name="DeveloperAccess",
        arn=company.ORGANISATION.permission_set_arn("DeveloperAccess"),
        session_duration=timedelta(hours=4),
    )
    developer = Role.objects.create(name="Developer", slug="developer", description="Builds services.")
    terms: dict[str, Any] = {
        "role": developer,
        "permission_set": permission_set,
        "default_duration": timedelta(hours=1),
    }
    automatic = AccessPolicy.objects.create(
        **terms,
        name="Sandbox developers",
        environment=environments["Sandbox"],
        accounts_per_request=3,
        longest_duration=timedelta(hours=8),
        automatic_approval="always",
    )
    two_stages = AccessPolicy.objects.create(
        **terms,
        name="Production developers",
        environment=environments["Production"],
        accounts_per_request=2,
        longest_duration=timedelta(hours=2),
        ticket_pattern="INC-[0-9]+",
    )
    for policy in (automatic, two_stages):
        policy.requestable_by.set([groups["Payments Engineering"]])
    for position, name in enumerate(("Engineering Leads", "Security Duty Officers"), start=1):
        approvers = ApproverGroup.objects.create(name=f"{name} decide")
        approvers.directory_groups.set([groups[name]])
        ApprovalStage.objects.create(policy=two_stages, position=position, approver_group=approvers)
    return Catalog(
        developer,
        environments["Sandbox"],
        environments["Production"],
        automatic,
        two_stages,
        accounts["Sandbox"],
        accounts["Production"],
        permission_set,
    )


@dataclass
class Office:
    """Carries requests through their life, with a clock that moves and an AWS to look at."""

    catalog: Catalog
    user: Callable[[Person], User]
    aws: Provisioner
    simulator: Simulator
    moment: Clock
    _incidents: Iterator[int] = field(default_factory=lambda: count(1))

    def form(self, **changes: Any) -> workflow.Form:
        """A good ask for one sandbox account for an hour, but for the changes."""
        good: dict[str, Any] = {
            "id": uuid.uuid4(),
            "role": self.catalog.developer,
            "environment": self.catalog.sandbox,
            "accounts": self.catalog.sandbox_accounts[:1],
            "duration": timedelta(hours=1),
            "reason": f"Look into the stuck settlement queue, incident {next(self._incidents)}.",
        }
        return workflow.Form(**{**good, **changes})

    def production_form(self, **changes: Any) -> workflow.Form:
        accounts = self.catalog.production_accounts[:1]
        return self.form(
            **{"environment": self.catalog.production, "accounts": accounts, "ticket": "INC-4711", **changes}
        )

    def submit(self, person: Person = company.ADA, **changes: Any) -> AccessRequest:
        return workflow.submit(self.user(person).pk, self.form(**changes))

    def submit_production(self, person: Person = company.ADA, **changes: Any) -> AccessRequest:
        return workflow.submit(self.user(person).pk, self.production_form(**changes))

    def decide(
        self, request: AccessRequest, person: Person, answer: str = "approve", comment: str = ""
    ) -> AccessRequest:
        return decisions.decide(self.user(person).pk, request.pk, Decision.Answer(answer), comment, request.digest)

    def approve(
        self, request: AccessRequest, people: Sequence[Person] = (company.CHIARA, company.FARID)
    ) -> AccessRequest:
        for person in people:
            self.decide(request, person)
        return self.again(request)

    def asks_manager_at(self, position: int) -> ApproverGroup:
        """From now on the requester's manager decides at this stage in production."""
        group = ApproverGroup.objects.create(name="Requester's manager", is_requesters_manager=True)
        stage = self.catalog.two_stages.stages.get(position=position)
        stage.approver_group = group
        stage.save()
        return group

    def work(self) -> None:
        """Does all that is due now."""
        drain(self.aws)

    def pass_time(self, **by: float) -> None:
        """Lets time go by, and does what has fallen due."""
        self.moment.forward(timedelta(**by))
        self.work()

    def again(self, request: AccessRequest) -> AccessRequest:
        return AccessRequest.objects.get(pk=request.pk)

    def told_to_decide(self, request: AccessRequest) -> list[str]:
        """The names of those who have been sent word that the request waits for them."""
        told = Notification.objects.filter(request=request, kind="to_decide")
        return sorted(told.values_list("recipient__name", flat=True))

    def grant(self, request: AccessRequest) -> Grant:
        return Grant.objects.get(request=request)

    def in_aws(self) -> list[AssignmentKey]:
        """What AWS holds, asked past the portal."""
        return self.simulator.assignments()


@pytest.fixture
def office(
    catalog: Catalog, user: Callable[[Person], User], aws: Provisioner, simulator: Simulator, moment: Clock
) -> Office:
    for person in company.PEOPLE:
        user(person)
    return Office(catalog, user, aws, simulator, moment)


@pytest.fixture
def desk(office: Office, settings: Settings) -> Iterator[Desk]:
    """A ticket system that says yes, and production's policy wants it asked."""
    policy = office.catalog.two_stages
    policy.tickets_checked = True
    policy.save()
    with Served() as made:
        settings.TICKET_WEBHOOK_URL, settings.TICKET_WEBHOOK_SECRET = made.url, "s" * 32
        made.says({"valid": True})
        yield made

"""`manage.py walkthrough`: the whole life of one request against whatever the settings point at, with no page open."""

import time
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from accessrequests import decisions, permissions, provisioner, workflow
from accessrequests.models import AccessRequest, Decision, Grant
from accessrequests.provisioner import AssignmentKey, ProvisionerError
from accessrequests.refusals import Refused
from accessrequests.states import RequestStatus
from auditlog import checkpoints, clock, integrity
from auditlog.models import Event
from catalog import people
from catalog.models import Environment, Role
from catalog.offers import Offer, offers_for
from jitportal.models import User

PATIENCE: Final = 120.0
GLANCE: Final = 0.1


class Command(BaseCommand):
    """Exits 0 only if every step was seen to happen."""

    help = "Ask, approve, wait for AWS, show the assignment, let it end, show that it is gone, verify the ledger."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=int, default=5, help="length of the grant (default %(default)s)")
        parser.add_argument("--requester", help="user principal name of who asks (embedded: Ada)")
        parser.add_argument("--role", help="slug of the role (embedded: production-support)")
        parser.add_argument("--environment", help="slug of the environment (embedded: production)")
        parser.add_argument(
            "--ticket", default="INC-1000", help="given where a policy asks for one (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Walks through.

        Raises:
            CommandError: a step did not happen, and which.
        """
        if not 1 <= options["seconds"] <= 3600:
            raise CommandError("--seconds: give a whole number from 1 to 3600.")
        with self._surroundings(), _Timeline(self.stdout.write) as timeline:
            self._walk(timeline, options)

    def _surroundings(self) -> AbstractContextManager[Any]:
        """Embedded, the simulator and the workers, unless a running demo has them already; else nothing."""
        if not settings.EMBEDDED:
            return nullcontext()
        surroundings: AbstractContextManager[Any] = import_string("jitportal.demo.walking.surroundings")()
        return surroundings

    def _walk(self, timeline: "_Timeline", options: dict[str, Any]) -> None:
        user, role, environment = self._chosen(options)
        offer = self._offer(user, role, environment)
        aws = provisioner.current()
        request = workflow.submit(
            user.pk,
            workflow.Form(
                id=uuid.uuid4(),
                role=role,
                environment=environment,
                accounts=offer.accounts[:1],
                duration=timedelta(seconds=options["seconds"]),
                reason="A walkthrough: does every step still work?",
                ticket=options["ticket"] if offer.terms.ticket_patterns else "",
            ),
        )
        timeline.say(f"{user.name} asked for {request} on {offer.accounts[0]}, for {options['seconds']} s")
        while (pending := AccessRequest.objects.get(pk=request.pk)).status == RequestStatus.PENDING:
            timeline.say(self._agree(pending))
        timeline.say("approved" if pending.stages.exists() else "approved automatically, by policy")

        self._await("AWS to confirm the assignment", lambda: _status(request) != RequestStatus.APPROVED)
        if (now := AccessRequest.objects.get(pk=request.pk)).status != RequestStatus.ACTIVE:
            raise CommandError(f"The request did not become active; it is {now.status}: {now.outcome}")
        grant = Grant.objects.select_related("assignment__permission_set", "account").get(request=request)
        timeline.say(f"active: AWS confirmed it, and it ends at {grant.ends_at:%H:%M:%S} UTC")
        key = AssignmentKey(
            grant.assignment.principal_id, grant.assignment.permission_set.arn, grant.account.account_id
        )
        if not aws.is_assigned(key):
            raise CommandError("AWS does not list the assignment that it confirmed.")
        timeline.say(f"AWS lists {grant.assignment.permission_set} in {grant.account} for {key.principal_id}")

        self._await("the access to end", lambda: _status(request) == RequestStatus.ENDED, options["seconds"])
        timeline.say("ended: the time was up, and AWS confirmed the deletion")
        if aws.is_assigned(key):
            raise CommandError("AWS still lists the assignment.")
        timeline.say("AWS no longer lists it")

        found = integrity.verify([checkpoints.public_key()])
        if not found.whole:
            raise CommandError(f"The ledger does not verify: {found.problem}")
        events = Event.objects.filter(subject_kind="request", subject_id=str(request.pk)).count()
        timeline.say(f"the ledger verifies: {found.number} events, {events} of them of this request")

    def _chosen(self, options: dict[str, Any]) -> tuple[User, Role, Environment]:
        defaults = {
            "requester": "ada.lindqvist@harbour.example",
            "role": "production-support",
            "environment": "production",
        }
        chosen = {name: options[name] or (default if settings.EMBEDDED else None) for name, default in defaults.items()}
        if missing := [f"--{name}" for name, value in chosen.items() if not value]:
            raise CommandError(f"Say who asks for what: {', '.join(missing)}.")
        try:
            return (
                get_user_model().objects.get(user_name=chosen["requester"]),
                Role.objects.get(slug=chosen["role"]),
                Environment.objects.get(slug=chosen["environment"]),
            )
        except (User.DoesNotExist, Role.DoesNotExist, Environment.DoesNotExist) as error:
            raise CommandError(
                f"{error} Known people have signed in at least once; roles and environments are in the admin."
            ) from None

    def _offer(self, user: User, role: Role, environment: Environment) -> Offer:
        for offer in offers_for(people.load(user.pk)):
            if (offer.role, offer.environment) == (role, environment) and offer.accounts:
                return offer
        raise CommandError(f"No access policy lets {user.name} ask for {role} in {environment}, or it has no accounts.")

    def _agree(self, request: AccessRequest) -> str:
        """Somebody who may agree at the present stage does; says who."""
        now = clock.now()
        for user in get_user_model().objects.filter(is_active=True).order_by("pk"):
            if permissions.may_agree(people.load(user.pk), request, now):
                decisions.decide(user.pk, request.pk, Decision.Answer.APPROVE, "Walkthrough.", request.digest)
                stage = request.stages.get(position=request.stage)
                return f"{user.name} agreed, for {stage.approver_group} (stage {stage.position})"
        raise CommandError(f"Nobody who has signed in may agree at stage {request.stage}.")

    def _await(self, what: str, happened: Callable[[], bool], seconds: float = 0) -> None:
        until = time.monotonic() + PATIENCE + seconds
        while not happened():
            if time.monotonic() > until:
                raise CommandError(
                    f"Waited {PATIENCE + seconds:.0f} s for {what}. Do the workers and the scheduler run?"
                )
            time.sleep(GLANCE)


class _Timeline:
    """Prints each step with its time since the first, and turns what goes wrong into a sentence."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        self._write = write
        self._began = time.monotonic()

    def say(self, what: str) -> None:
        self._write(f"{time.monotonic() - self._began:8.2f} s  {what}")

    def __enter__(self) -> "_Timeline":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Refused | ProvisionerError):
            raise CommandError(str(error)) from error


def _status(request: AccessRequest) -> str:
    return AccessRequest.objects.values_list("status", flat=True).get(pk=request.pk)

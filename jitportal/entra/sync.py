"""Holds the people whom the portal knows against the directory, so that leaving counts without a sign-in.

What has changed is only a sign to look: each person concerned is then asked about directly, and all of them have been
before anybody is changed.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import Q

from accessrequests import offboarding
from accessrequests.provisioner import Provisioner
from auditlog import clock
from auditlog.actions import Action
from auditlog.ledger import record
from catalog import changes, people
from catalog.models import DirectoryGroup
from catalog.names import showable
from jitportal.entra import hold, marks, readings
from jitportal.entra.errors import Failed, GraphError
from jitportal.entra.graph import Graph
from jitportal.entra.hold import SYNC
from jitportal.entra.readings import REASONS, Reading
from jitportal.models import DirectorySync, LeftBecause, User
from jitportal.people import known_groups, refresh, replace_groups, subject_of

log = structlog.get_logger(__name__)

# Longer than any one question may take with all its waiting.
LEASE: Final = timedelta(minutes=5)
PATIENCE: Final = 60.0
# One person of whom the directory will not tell must not keep the others; of so many, it is the directory.
MOST_PASSED_OVER: Final = 3


class _Lost(Exception):
    """Another sync has taken over."""


@dataclass(frozen=True)
class Result:
    """What a sync did: how many people were asked about, left, returned, and were passed over for an error.

    `held` is how many would have left and are too many; `trouble` is why it did not come to its end.
    """

    asked: int = 0
    left: int = 0
    returned: int = 0
    passed_over: int = 0
    held: int = 0
    trouble: str = ""


def sync(graph: Graph, provisioner: Provisioner) -> Result | None:
    """One sync; None if another is at work. It can be run at any time, and goes on where the last was stopped."""
    DirectorySync.objects.get_or_create(pk=1)
    now, claim = clock.now(), uuid.uuid4()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    if not DirectorySync.objects.filter(free).update(claim=claim, claimed_until=now + LEASE):
        return None
    try:
        result = _Sync(graph, provisioner, claim).run()
        DirectorySync.objects.filter(claim=claim).update(finished_at=clock.now(), trouble="")
    except GraphError as error:
        log.warning("directory_not_read", error=str(error))
        DirectorySync.objects.filter(claim=claim).update(trouble=str(error))
        return Result(trouble=str(error))
    except _Lost:
        log.warning("sync_taken_over")
        return None
    finally:
        DirectorySync.objects.filter(claim=claim).update(claim=None, claimed_until=None)
    return result


class _Sync:
    """One run under one claim."""

    def __init__(self, graph: Graph, provisioner: Provisioner, claim: uuid.UUID) -> None:
        self._graph = graph
        self._provisioner = provisioner
        self._claim = claim
        self._result = Result()

    def run(self) -> Result:
        marks.mark(self._graph, self._keep)
        found = self._read()
        active = set(User.objects.filter(is_active=True).values_list("pk", flat=True))
        leaving = [reading for reading in found if reading.because and reading.user_id in active]
        if hold.holds([reading.object_id for reading in leaving]):
            return replace(self._result, held=len(leaving))
        # Those first who should hold nothing.
        for reading in leaving:
            self._let_go(reading)
        for reading in found:
            if not reading.because:
                self._bring_up(reading)
            elif reading.user_id not in active:
                _checked(reading)
        DirectorySync.objects.filter(claim=self._claim).update(confirmed=[])
        self._name_groups()
        return self._result

    def _read(self) -> list[Reading]:
        """Everybody who is marked, and whom IAM Identity Center has disabled, as they are now."""
        in_aws = readings.disabled_in_aws(self._provisioner)
        concerned = Q(to_check=True) | Q(pk__in=[pk for pk, disabled in in_aws.items() if disabled], is_active=True)
        enabled_again = [pk for pk, disabled in in_aws.items() if not disabled]
        concerned |= Q(pk__in=enabled_again, left_because=LeftBecause.IDENTITY_CENTER)
        found: list[Reading] = []
        passed_over = 0
        for person in User.objects.filter(concerned).order_by("pk"):
            self._keep()
            try:
                found.append(readings.read(self._graph, person, is_disabled_in_aws=in_aws.get(person.pk)))
            except Failed as error:
                log.warning("person_not_read", person=person.object_id, error=str(error))
                passed_over += 1
                if passed_over == MOST_PASSED_OVER:
                    raise
        self._result = replace(self._result, asked=len(found), passed_over=passed_over)
        return found

    def _let_go(self, reading: Reading) -> None:
        """Offboards a person of whom the directory says a second time that they have left."""
        self._keep()
        person = User.objects.get(pk=reading.user_id)
        if reading.because != LeftBecause.IDENTITY_CENTER:
            try:
                reading = readings.read(self._graph, person, is_disabled_in_aws=None)
            except Failed as error:
                # The others should not wait for this one, who is asked about again by the next sync.
                log.warning("person_not_read", person=person.object_id, error=str(error))
                return
        because = reading.because
        if because is None:
            log.warning("person_is_back", person=person.object_id)
            return
        with transaction.atomic():
            if _is_outdated(reading):
                return
            left = offboarding.leave(reading.user_id, because, REASONS[because], actor=SYNC)
            _checked(reading)
        self._result = replace(self._result, left=self._result.left + left)

    def _bring_up(self, reading: Reading) -> None:
        """Writes what the directory says of a person who is there, and takes them back if they had left."""
        self._keep()
        if reading.told is None or reading.groups is None:
            return
        with transaction.atomic():
            if _is_outdated(reading):
                return
            reason = "The account is enabled in the directory"
            returned = offboarding.take_back(reading.user_id, reason, actor=SYNC)
            person = User.objects.get(pk=reading.user_id)
            described = {name: getattr(reading.told, name) for name in ("user_name", "name", "email", "department")}
            said = {name: value for name, value in described.items() if value is not None}
            if changed := refresh(person, said):
                record(SYNC, Action.PERSON_CHANGED, subject_of(person), {"person": person.name, "changes": changed})
            if moved := replace_groups(person, reading.groups & known_groups(), SYNC):
                record(SYNC, Action.PERSON_GROUPS_CHANGED, subject_of(person), moved)
            _checked(reading)
        self._result = replace(self._result, returned=self._result.returned + returned)

    def _name_groups(self) -> None:
        """Gives groups that go by their id the name that the directory shows; names that were given stay."""
        nameless = {row.object_id: row for row in DirectoryGroup.objects.all() if row.name == row.object_id}
        if not nameless:
            return
        try:
            names = self._graph.group_names(nameless)
        except GraphError as error:
            # They are for show.
            log.warning("groups_not_named", error=str(error))
            return
        for object_id, name in names.items():
            row = nameless[object_id]
            row.name = showable(name)[: DirectoryGroup.name.field.max_length] or object_id
            if row.name != object_id:
                with changes.recorded(row, actor=SYNC, why="As the directory shows it."):
                    row.save()

    def _keep(self) -> None:
        """Keeps the claim for another while. Raises _Lost if it ran out and somebody else has it."""
        mine = DirectorySync.objects.filter(claim=self._claim)
        if not mine.update(claimed_until=clock.now() + LEASE):
            raise _Lost


def _is_outdated(reading: Reading) -> bool:
    """Whether a sign-in has told something newer; the person stays marked, and is asked about again. Locks them."""
    people.hold(reading.user_id)
    described_at = User.objects.values_list("described_at", flat=True).get(pk=reading.user_id)
    return described_at is not None and described_at >= reading.at


def _checked(reading: Reading) -> None:
    User.objects.filter(pk=reading.user_id).update(to_check=False)

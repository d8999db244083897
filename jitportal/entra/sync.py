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

from accessrequests import new_manager, offboarding
from accessrequests.provisioner import Provisioner
from auditlog import claims, clock
from auditlog.actions import Action
from auditlog.ledger import record
from catalog import app_roles, changes, people
from catalog.models import DirectoryGroup
from catalog.names import showable
from jitportal.entra import hold, marks, readings
from jitportal.entra.errors import Failed, Forbidden, GraphError
from jitportal.entra.graph import Graph
from jitportal.entra.hold import SYNC
from jitportal.entra.readings import REASONS, Reading
from jitportal.models import DirectorySync, LeftBecause, User
from jitportal.people import groups_in_use, known_groups, refresh, replace_groups, replace_manager, subject_of

log = structlog.get_logger(__name__)

# Longer than any one question may take with all its waiting.
LEASE: Final = timedelta(minutes=5)
PATIENCE: Final = 60.0
# Those of whom the directory will not tell must not keep the others. If they are so many, and so large a share of those
# asked about, it is the directory; and nobody goes on asking in vain for ever.
MANY_PASSED_OVER: Final = 3
NEARLY_ALL: Final = 0.9
MOST_IN_A_ROW: Final = 100


class _Lost(Exception):
    """Another sync has taken over."""


@dataclass(frozen=True)
class Result:
    """What a sync did: how many people were asked about, left, returned, and were passed over for an error.

    `held` is how many would have left and are too many; `trouble` is what the directory did not tell, and if it is
    `stopped`, the sync did not come to its end for it.
    """

    asked: int = 0
    left: int = 0
    returned: int = 0
    passed_over: int = 0
    held: int = 0
    trouble: str = ""
    stopped: bool = False


def sync(graph: Graph, provisioner: Provisioner) -> Result | None:
    """One sync; None if another is at work. It can be run at any time, and goes on where the last was stopped."""
    DirectorySync.objects.get_or_create(pk=1)
    claim = claims.take(DirectorySync.objects.all(), LEASE)
    if not claim:
        return None
    one = _Sync(graph, provisioner, claim)
    mine = DirectorySync.objects.filter(claim=claim)
    try:
        one.run()
        if one.result.trouble:
            mine.update(trouble=one.result.trouble)
        else:
            mine.update(finished_at=clock.now(), trouble="")
    except GraphError as error:
        log.warning("directory_not_read", error=str(error))
        mine.update(trouble=str(error))
        return replace(one.result, trouble=str(error), stopped=True)
    except _Lost:
        log.warning("sync_taken_over")
        return None
    finally:
        claims.release(mine, claim)
    return one.result


class _Sync:
    """One run under one claim."""

    def __init__(self, graph: Graph, provisioner: Provisioner, claim: uuid.UUID) -> None:
        self._graph = graph
        self._provisioner = provisioner
        self._claim = claim
        self._asks_roles = False
        self.result = Result()

    def run(self) -> None:
        """Brings everybody concerned up to what the directory says; `result` tells how far it came."""
        marks.mark(self._graph, self._keep)
        if app_roles.among(groups_in_use()):
            self._begin_roles()
        found, untold = self._read()
        active = set(User.objects.filter(is_active=True).values_list("pk", flat=True))
        leaving = [reading for reading in found if reading.because and reading.user_id in active]
        if hold.holds([reading.object_id for reading in leaving]):
            self.result = replace(self.result, held=len(leaving))
            return
        # Those first who should hold nothing.
        for reading in leaving:
            self._let_go(reading)
        if untold:
            raise untold
        for reading in found:
            if not reading.because:
                self._bring_up(reading)
            elif reading.user_id not in active:
                _checked(reading)
        DirectorySync.objects.filter(claim=self._claim).update(confirmed=[])
        self._name_groups()

    def _begin_roles(self) -> None:
        """App roles are asked about where they are in use; if they cannot be, nobody is kept from leaving for that."""
        try:
            marks.mark_by_roles(self._graph)
        except GraphError as error:
            self._do_without_roles(error)
        else:
            self._asks_roles = True

    def _do_without_roles(self, error: GraphError) -> None:
        log.error("app_roles_not_read", error=str(error))
        self._asks_roles = False
        marks.forget_roles()
        self.result = replace(self.result, trouble=f"{error} App roles stay as they were until then.")

    def _roles_of(self, object_id: str) -> frozenset[str] | None:
        """The person's app roles; None where they are not in use or cannot be asked about. Raises GraphError."""
        if not self._asks_roles:
            return None
        try:
            return self._graph.app_roles.of(object_id)
        except Forbidden as error:
            self._do_without_roles(error)
            return None

    def _read(self) -> tuple[list[Reading], Failed | None]:
        """Everybody who is marked, and whom IAM Identity Center has disabled, as they are now.

        Beside them the error, if it is the directory itself that does not tell: of nearly all there is none.
        """
        in_aws = readings.disabled_in_aws(self._provisioner)
        concerned = Q(to_check=True) | Q(pk__in=[pk for pk, disabled in in_aws.items() if disabled], is_active=True)
        enabled_again = [pk for pk, disabled in in_aws.items() if not disabled]
        concerned |= Q(pk__in=enabled_again, left_because=LeftBecause.IDENTITY_CENTER)
        found: list[Reading] = []
        passed_over = in_a_row = 0
        last: Failed | None = None
        for person in User.objects.filter(concerned).order_by("pk"):
            self._keep()
            try:
                reading = readings.read(
                    self._graph, person, is_disabled_in_aws=in_aws.get(person.pk), roles_of=self._roles_of
                )
            except Failed as error:
                log.warning("person_not_read", person=person.object_id, error=str(error))
                last, passed_over, in_a_row = error, passed_over + 1, in_a_row + 1
                if in_a_row == MOST_IN_A_ROW:
                    break
            else:
                found.append(reading)
                in_a_row = 0
        self.result = replace(self.result, asked=len(found), passed_over=passed_over)
        nearly_all = passed_over >= NEARLY_ALL * (passed_over + len(found)) or in_a_row == MOST_IN_A_ROW
        return found, last if passed_over >= MANY_PASSED_OVER and nearly_all else None

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
        self.result = replace(self.result, left=self.result.left + left)

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
            changed = refresh(person, said)
            other = {} if reading.told.manager is None else replace_manager(person, reading.told.manager)
            changed |= other
            if changed:
                record(SYNC, Action.PERSON_CHANGED, subject_of(person), {"person": person.name, "changes": changed})
            roles = app_roles.among(person.group_ids) if reading.roles is None else reading.roles
            if moved := replace_groups(person, (reading.groups | roles) & known_groups(), SYNC):
                record(SYNC, Action.PERSON_GROUPS_CHANGED, subject_of(person), moved)
            if other:
                # By the record it is known since when they are that: whoever may not agree as a newcomer is not told.
                new_manager.tell(person.pk, clock.now())
            _checked(reading)
        self.result = replace(self.result, returned=self.result.returned + returned)

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
        if not claims.keep(DirectorySync.objects.all(), self._claim, LEASE):
            raise _Lost


def _is_outdated(reading: Reading) -> bool:
    """Whether a sign-in has told something newer; the person stays marked, and is asked about again. Locks them."""
    people.hold(reading.user_id)
    described_at = User.objects.values_list("described_at", flat=True).get(pk=reading.user_id)
    return described_at is not None and described_at >= reading.at


def _checked(reading: Reading) -> None:
    User.objects.filter(pk=reading.user_id).update(to_check=False)

"""What the directory and IAM Identity Center say of a person at a moment, and whether they have left by that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from accessrequests.provisioner import Disabled, Provisioner, ProvisionerError, Refused
from accessrequests.states import OPEN_REQUEST
from auditlog import clock
from jitportal.entra.errors import NotThere
from jitportal.entra.graph import Graph, Told
from jitportal.models import LeftBecause, User

REASONS: Final[Mapping[LeftBecause, str]] = {
    LeftBecause.DISABLED: "The account is disabled in the directory",
    LeftBecause.DELETED: "The account is deleted from the directory",
    LeftBecause.GUEST: "The account has become a guest's in the directory",
    LeftBecause.IDENTITY_CENTER: "The person is disabled in IAM Identity Center",
}


@dataclass(frozen=True)
class Reading:
    """A person as they were found at `at`; `because` says that, and how, they have left. `groups` of those who have
    not; None if only IAM Identity Center was asked. `roles` are app roles, None if nobody told."""

    user_id: int
    object_id: str
    at: datetime
    because: LeftBecause | None
    told: Told | None = None
    groups: frozenset[str] | None = None
    roles: frozenset[str] | None = None


def read(
    graph: Graph,
    person: User,
    *,
    is_disabled_in_aws: bool | None,
    roles_of: Callable[[str], frozenset[str] | None] = lambda object_id: None,
) -> Reading:
    """Asks the directory, now. Raises GraphError if it does not tell all.

    `is_disabled_in_aws` is what IAM Identity Center said, None if it said nothing; `roles_of` tells app roles, as
    `Reading` has them, of those who have not left.
    """
    at = clock.now()
    try:
        told = graph.person(person.object_id)
    except NotThere:
        return Reading(person.pk, person.object_id, at, LeftBecause.DELETED)
    if not told.is_enabled:
        return Reading(person.pk, person.object_id, at, LeftBecause.DISABLED, told)
    if told.is_guest and not settings.ENTRA_GUESTS_ALLOWED:
        return Reading(person.pk, person.object_id, at, LeftBecause.GUEST, told)
    # Whoever left for that reason has not returned as long as it is not known to be over.
    still = person.left_because == LeftBecause.IDENTITY_CENTER and is_disabled_in_aws is not False
    because = LeftBecause.IDENTITY_CENTER if is_disabled_in_aws or still else None
    groups = graph.groups_of(person.object_id)
    return Reading(person.pk, person.object_id, at, because, told, groups, roles_of(person.object_id))


def disabled_in_aws(provisioner: Provisioner) -> dict[int, bool]:
    """Whether IAM Identity Center has them disabled: of people with something to lose, and of those who left for it.

    Whom it does not tell of is left out: nothing follows from an error.
    """
    known = User.objects.exclude(principal_id="")
    asked = known.filter(access_requests__status__in=OPEN_REQUEST, is_active=True)
    found: dict[int, bool] = {}
    for pk, principal in (
        (asked | known.filter(left_because=LeftBecause.IDENTITY_CENTER)).distinct().values_list("pk", "principal_id")
    ):
        try:
            provisioner.check_principal(principal)
        except Disabled:
            found[pk] = True
        except Refused:
            continue
        except ProvisionerError:
            # AWS cannot be asked at present, and each question would wait for that anew.
            break
        else:
            found[pk] = False
    return found

"""What the access policies of the tests' catalog allow, in words of the tests' own."""

import itertools
import uuid
from datetime import timedelta

from accessrequests.models import AccessRequest
from accessrequests.states import NOT_IN_VAIN
from catalog.models import AccessPolicy
from jitportal.models import User


def policy_of(request: AccessRequest) -> AccessPolicy:
    """The one policy that a request comes under, as it is now."""
    return AccessPolicy.objects.get(role=request.role_id, environment=request.environment_id)


def is_offered(policy: AccessPolicy, user: User, in_all: timedelta) -> bool:
    """Whether this person may have so much time under this policy, now."""
    groups = set(policy.requestable_by.values_list("object_id", flat=True))
    return (
        user.is_active
        and bool(groups & set(user.directory_groups.values_list("object_id", flat=True)))
        and policy.is_in_force
        and in_all <= policy.longest_duration
    )


def is_approved_at_once(policy: AccessPolicy, in_all: timedelta) -> bool:
    """Whether this policy approves so much time without people."""
    up_to = policy.automatic_up_to
    return policy.automatic_approval == "always" or (up_to is not None and in_all <= up_to)


def could_be_approved(policy: AccessPolicy, user: User, in_all: timedelta) -> bool:
    """Whether so much time is approved at once, or enough different people, other than this one, are there to agree."""
    if is_approved_at_once(policy, in_all):
        return True
    seats: list[set[int]] = []
    for stage in policy.stages.all():
        deciding = User.objects.filter(directory_groups__approver_groups=stage.approver_group_id, is_active=True)
        seats += [set(deciding.exclude(pk=user.pk).values_list("pk", flat=True))] * stage.approvals_needed
    return any(len(set(seated)) == len(seats) for seated in itertools.product(*seats))


def time_in_all(request: AccessRequest | None) -> timedelta:
    """The time of a request with all that it extends, but for what came to nothing."""
    in_all = timedelta(0)
    while request is not None:
        if request.status in NOT_IN_VAIN:
            in_all += request.duration
        request = request.extends
    return in_all


def chain_of(request: AccessRequest) -> set[uuid.UUID]:
    """The keys of all requests that extend one another, whichever of them is given."""
    pairs = AccessRequest.objects.filter(requester=request.requester_id).values_list("pk", "extends_id")
    links = [(pk, extends) for pk, extends in pairs if extends]
    found: set[uuid.UUID] = {request.pk}
    while more := {pk for link in links if found & set(link) for pk in link} - found:
        found |= more
    return found

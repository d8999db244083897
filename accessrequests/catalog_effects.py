"""What a change of the catalog does to requests that have not begun, and to access that runs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from accessrequests import judging, newcomers
from accessrequests.models import AccessRequest, RequestStage
from accessrequests.states import RequestStatus
from auditlog import clock
from catalog import people
from catalog.effect import WORTH_NAMING, Effect, Kind
from catalog.offers import choices_of
from catalog.policy import AccountChoice, Verdict
from catalog.snapshots import Pair, Snapshot

# More than this many need not be judged one by one to see that the change does harm.
MOST_JUDGED: Final = 300
_WORDS: Final = {RequestStatus.PENDING: "pending", RequestStatus.APPROVED: "approved"}


def still_asked() -> Iterator[tuple[int, int]]:
    """The environment and the approver group, by id, of each stage of what is undecided, and of its escalation."""
    waiting = RequestStage.objects.filter(request__status=RequestStatus.PENDING).order_by().distinct()
    for place, *groups in waiting.values_list("request__environment_id", "approver_group_id", "escalation_group_id"):
        yield from ((place, group) for group in groups if group)


def on_requests(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    """The requests that could start by the catalog as it was and will be refused at their start, with the reason.

    Of access that runs nothing is taken; that is said where somebody would fear it.
    """
    pairs = _changed(before, after)
    if not pairs:
        return
    refused: dict[tuple[str, str], list[str]] = {}
    for request in _not_begun(pairs)[:MOST_JUDGED]:
        if _verdict(request, before) and not (verdict := _verdict(request, after)):
            key = (_WORDS[RequestStatus(request.status)], verdict.in_full)
            refused.setdefault(key, []).append(request.requester.name)
    for (status, reason), names in refused.items():
        people_there = sorted({*names})
        whose = ", ".join(people_there[:WORTH_NAMING])
        more = f" and {len(people_there) - WORTH_NAMING} more" if len(people_there) > WORTH_NAMING else ""
        one = len(names) == 1
        what = f"{len(names)} {status} request{'' if one else 's'}, of {whose}{more},"
        yield Effect(
            Kind.LOSE, f"{what} will be refused at {'its' if one else 'their'} start: {reason}", len(people_there)
        )
    if running := _running(pairs, before, after):
        what = f"{running} {'person has' if running == 1 else 'people have'} access that runs there"
        yield Effect(Kind.CHANGE, f"{what}: it is not touched, and ends as agreed.", running)


def on_newcomers(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    """The policies by which newcomers may agree, or no longer, because their environment is of another sensitivity."""
    told: dict[tuple[int, bool], list[str]] = {}
    for pk, policy in after.policies.items():
        place, was = policy.environment_id, before.policies.get(pk)
        if was is None or was.environment_id != place or before.columns[pk] != after.columns[pk]:
            continue
        said = after.columns[pk]["newcomers_agree"]
        then, now = (newcomers.keeps_out(said, at.places[place].sensitivity) for at in (before, after))
        if then != now:
            told.setdefault((place, now), []).append(policy.name)
    for (place, now), names in told.items():
        rules = " and ".join(f"“{name}”" for name in sorted(names))
        who = f"newcomers {'may no longer' if now else 'may'} agree in {after.places[place].name}"
        why = "who comes to the approver group, or to be the manager, only after the ask"
        yield Effect(Kind.STRICTER if now else Kind.LOOSER, f"By {rules} {who}: {why}.")


def _changed(before: Snapshot, after: Snapshot) -> set[Pair]:
    earlier, later = before.by_pair, after.by_pair
    return {
        pair
        for pair in {**earlier, **later}
        if {*earlier.get(pair, ())} != {*later.get(pair, ())}
        or _accounts(before, pair).keys() != _accounts(after, pair).keys()
    }


def _not_begun(pairs: set[Pair]) -> list[AccessRequest]:
    rows = AccessRequest.objects.filter(status__in=_WORDS, grants=None, **_of(pairs)).order_by("submitted_at")
    found = rows.select_related("requester", "role", "environment", "extends").prefetch_related("accounts", "stages")
    return [row for row in found if (row.role_id, row.environment_id) in pairs]


def _verdict(request: AccessRequest, at: Snapshot) -> Verdict:
    pair = (request.role_id, request.environment_id)
    accounts = tuple(_where(account, at, pair) for account in choices_of(request.accounts.all()))
    person, waits = people.of(request.requester), request.status == RequestStatus.PENDING
    policies = at.by_pair.get(pair, ())
    return judging.judge_by(policies, accounts, person, request, clock.now(), all_agree=waits)


def _where(account: AccountChoice, at: Snapshot, pair: Pair) -> AccountChoice:
    """The account as it is placed in this snapshot: in the environment that is asked for, or elsewhere."""
    is_there = account.account_id in _accounts(at, pair)
    return replace(account, environment_id=pair[1] if is_there else None)


def _accounts(at: Snapshot, pair: Pair) -> dict[str, object]:
    place = at.places.get(pair[1])
    return {**place.accounts} if place else {}


def _running(pairs: set[Pair], before: Snapshot, after: Snapshot) -> int:
    """How many people have access that runs by what can no longer be asked for."""
    later = after.by_pair
    closed = {
        pair
        for pair in pairs
        if pair in before.by_pair
        and (
            not any(policy.role_is_offered for policy in later.get(pair, ()))
            or _accounts(before, pair).keys() - _accounts(after, pair).keys()
        )
    }
    rows = AccessRequest.objects.filter(status=RequestStatus.ACTIVE, **_of(closed))
    held = rows.values_list("role_id", "environment_id", "requester_id")
    return len({person for role, environment, person in held if (role, environment) in closed})


def _of(pairs: set[Pair]) -> dict[str, set[int]]:
    """A coarse filter for these pairs: rows of others are passed over later."""
    return {"role_id__in": {role for role, _ in pairs}, "environment_id__in": {place for _, place in pairs}}

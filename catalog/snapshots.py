"""The catalog as it stands inside a transaction, as far as it decides what somebody can have; two can be compared."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from auditlog import chain
from auditlog.chain import JSON
from catalog import account_tags, joining
from catalog.account_tags import Tags
from catalog.models import (
    AccessPolicy,
    Account,
    AccountRule,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Role,
    Sensitivity,
)
from catalog.offers import policies_in_force
from catalog.terms import Policy

Pair = tuple[int, int]
# Approver groups by id: the name of each, and the object ids of the directory groups that it is drawn from.
Deciding = Mapping[int, tuple[str, frozenset[str]]]
# Tells, as pairs of an environment and an approver group by id, who decides on what has been asked already.
StillAsked = Callable[[], Iterable[tuple[int, int]]]
_STILL_ASKED: list[StillAsked] = []
# Columns of a policy that `Policy` has read already, or that say nothing of what somebody can have.
_READ: Final = frozenset(
    {"id", "name", "role", "environment", "permission_set", "default_duration", "longest_duration", "is_in_force"}
    | {"accounts_per_request", "ticket_pattern", "departments", "least_reason", "managed_by_file", "tickets_checked"}
)
_READ_TOGETHER: Final = ("automatic_", "on_call_", "step_up_")
# Of what a trial adds these are drawn anew each time; what bears them is told by all else that it says.
_DRAWN: Final = frozenset({"id", "version", "role_id", "environment_id", "permission_set_id", "approver_group_id"})


@dataclass(frozen=True)
class AccountThere:
    """An account of an environment, as approvers are shown it, who moves it, and its tags if AWS has told them.

    One that AWS lists no longer cannot be asked for. It is there nevertheless: it may come back.
    """

    account_id: str
    name: str
    put_by: str
    tags: Tags | None
    has_vanished: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id}{', vanished' if self.has_vanished else ''})"


@dataclass(frozen=True)
class Place:
    """An environment: its accounts by account id, and the rules by which others join; links go by the slug."""

    name: str
    slug: str
    sensitivity: int
    accounts: Mapping[str, AccountThere]
    rules: frozenset[str]

    @property
    def open_accounts(self) -> dict[str, AccountThere]:
        """Those that can be asked for, by account id."""
        return {pk: account for pk, account in self.accounts.items() if not account.has_vanished}

    @property
    def is_sensitive(self) -> bool:
        """Whether a second admin must agree to what changes here."""
        return settings.SENSITIVE_FROM is not None and self.sensitivity >= settings.SENSITIVE_FROM


@dataclass(frozen=True)
class Snapshot:
    """What decides who can have what.

    `policies` in force and `places` are by id, `columns` hold what a policy's row says beside its `Policy`, `moves` are
    the accounts that rules will move, without their tags, and the environment (by id) that each joins; by permission
    set, `sessions` last so long, and `arns` tell which it is to AWS; links go by the `slugs` of roles, by id.
    `group_names` are those of the directory groups, by object id, from which approver groups are drawn. `still_asked`
    are the approver groups, by environment, that decide on what was asked before and that no policy names
    there any more.
    """

    policies: Mapping[int, Policy]
    columns: Mapping[int, Mapping[str, Any]]
    places: Mapping[int, Place]
    moves: Mapping[AccountThere, int | None]
    sessions: Mapping[int, timedelta]
    arns: Mapping[int, str]
    slugs: Mapping[int, str]
    group_names: Mapping[str, str]
    still_asked: Mapping[int, Deciding]

    @property
    def by_pair(self) -> dict[Pair, tuple[Policy, ...]]:
        """The policies of each role and environment, without their versions, which change nothing."""
        found: dict[Pair, tuple[Policy, ...]] = {}
        for policy in self.policies.values():
            pair = (policy.role_id, policy.environment_id)
            found[pair] = (*found.get(pair, ()), replace(policy, version=0))
        return found


def also_decided_by(found: StillAsked) -> None:
    """Has another package tell which groups decide on what it keeps; called when the app is ready."""
    if found not in _STILL_ASKED:
        _STILL_ASKED.append(found)


def snapshot() -> Snapshot:
    """The catalog as this transaction has it now; a fixed number of queries."""
    other = [
        field.attname
        for field in AccessPolicy._meta.concrete_fields
        if field.name not in _READ | {read.name for read in fields(Policy)}
        and not field.name.startswith(_READ_TOGETHER)
    ]
    rows = AccessPolicy.objects.filter(is_in_force=True).order_by().values("pk", *other)
    accounts: dict[int, dict[str, AccountThere]] = {}
    there = Account.objects.filter(environment_id__isnull=False).order_by()
    columns = ("environment_id", "vanished_at", "account_id", "name", "put_by", "tags")
    # Plain values: making objects of a thousand accounts, twice a trial, took longer than reading them.
    for place, vanished_at, account_id, name, put_by, tags in there.values_list(*columns):
        told = None if tags is None else account_tags.read(tags)
        account = AccountThere(account_id, name, put_by or "", told, vanished_at is not None)
        accounts.setdefault(place or 0, {})[account_id] = account
    rules: dict[int, set[str]] = {}
    for rule in AccountRule.objects.all():
        rules.setdefault(rule.environment_id, set()).add(str(rule))
    environments = Environment.objects.order_by().values_list("pk", "name", "slug", "sensitivity")
    # Nothing moves without a rule but what a rule has put where it is.
    can_move = bool(rules) or Account.objects.filter(put_by=Account.PutBy.RULE).exists()
    moving = joining.moves(with_vanished=True) if can_move else []
    sets = list(PermissionSet.objects.order_by().values_list("pk", "session_duration", "arn"))
    policies = policies_in_force()
    return Snapshot(
        policies={policy.id: policy for policy in policies},
        columns={row.pop("pk"): row for row in rows},
        places={
            pk: Place(name, slug, sensitivity, accounts.get(pk, {}), frozenset(rules.get(pk, ())))
            for pk, name, slug, sensitivity in environments
        },
        moves={_there(account): environment.pk if environment else None for account, environment in moving},
        sessions={pk: session for pk, session, _ in sets},
        arns={pk: arn for pk, _, arn in sets},
        group_names=dict(DirectoryGroup.objects.exclude(approver_groups=None).values_list("object_id", "name")),
        slugs=dict(Role.objects.order_by().values_list("pk", "slug")),
        still_asked=_still_asked(policies),
    )


def _there(row: Account) -> AccountThere:
    return AccountThere(row.account_id, row.name, "", None, row.vanished_at is not None)


def _still_asked(policies: Iterable[Policy]) -> dict[int, Deciding]:
    named = {
        (policy.environment_id, group)
        for policy in policies
        for stage in policy.stages
        for group in (stage.approver_group_id, stage.escalation.approver_group_id if stage.escalation else 0)
    }
    left = {pair for found in _STILL_ASKED for pair in found()} - named
    if not left:
        return {}
    rows = ApproverGroup.objects.filter(pk__in={group for _, group in left}).prefetch_related("directory_groups")
    drawn = {row.pk: (row.name, frozenset(each.object_id for each in row.directory_groups.all())) for row in rows}
    return {place: {group: drawn[group] for where, group in left if where == place} for place, _ in left}


def touches_sensitive(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """The names of the sensitive environments, in either, for which anything differs that counts or is shown.

    And of those that an account joins which has been in a sensitive one: what it holds is as sensitive as it was.
    """
    return tuple(sorted((before.places.get(pk) or after.places[pk]).name for pk in _touched(before, after)))


def become_sensitive(before: Snapshot, after: Snapshot) -> frozenset[int]:
    """The environments (by id) about which one admin alone decided so far, and no longer."""
    return frozenset(
        pk
        for pk, place in after.places.items()
        if place.is_sensitive and not (pk in before.places and before.places[pk].is_sensitive)
    )


def come_down(before: Snapshot, after: Snapshot) -> dict[int, dict[int, list[AccountThere]]]:
    """The accounts that join an environment about which one admin alone decides, and that have been in a sensitive one.

    By the id of the environment that they join, and of that in which they have been, which may be no more.
    """
    if settings.SENSITIVE_FROM is None:
        return {}
    joining_it = {
        (account_id, pk): account
        for pk, place in after.places.items()
        if not place.is_sensitive
        for account_id, account in place.accounts.items()
        if pk not in before.places or account_id not in before.places[pk].accounts
    }
    been_in = joining.been_in([account_id for account_id, _ in joining_it]) if joining_it else {}
    found: dict[int, dict[int, list[AccountThere]]] = {}
    for (account_id, pk), account in joining_it.items():
        for elsewhere, most in been_in.get(account_id, {}).items():
            # Inside the transaction of the change the one that it joins is among them.
            if elsewhere != pk and most >= settings.SENSITIVE_FROM:
                found.setdefault(pk, {}).setdefault(elsewhere, []).append(account)
    return found


def digest_of(before: Snapshot, after: Snapshot) -> str:
    """SHA-256 of all that counts, in both, for the sensitive environments that `touches_sensitive` names.

    Sentences name things; this is also of what is behind the names. It is the same each time that the same is tried.
    """
    said = [[_said(at, pk) for at in (before, after)] for pk in _touched(before, after)]
    return chain.sha256(chain.canonical(sorted(said, key=chain.canonical)))


def sensitivity_of(place: Place) -> str:
    """How sensitive it is, as pages say it."""
    return str(Sensitivity(place.sensitivity).label)


def _touched(before: Snapshot, after: Snapshot) -> list[int]:
    opened = come_down(before, after)
    return [
        pk
        for pk in {**before.places, **after.places}
        if pk in opened or (_is_sensitive(before, after, pk) and _differs(_of(before, pk), _of(after, pk)))
    ]


def _is_sensitive(before: Snapshot, after: Snapshot, pk: int) -> bool:
    return any(place.is_sensitive for place in (before.places.get(pk), after.places.get(pk)) if place)


def _differs(before: tuple[object, ...], after: tuple[object, ...]) -> bool:
    """An environment with nothing in it that comes or goes changes nothing for anybody."""
    return before != after and len(before) + len(after) > 1


def _of(snapshot: Snapshot, pk: int) -> tuple[object, ...]:
    """All that counts for an environment; how sensitive it is and no more of one with nothing in it."""
    place = snapshot.places.get(pk)
    if place is None:
        return ()
    policies = {each.id: replace(each, version=0) for each in snapshot.policies.values() if each.environment_id == pk}
    moves = _moves(snapshot, pk, place)
    still_asked = snapshot.still_asked.get(pk)
    if not (place.accounts or place.rules or policies or moves or still_asked):
        return (place.sensitivity,)
    columns = {each: snapshot.columns[each] for each in policies}
    sessions = {each.permission_set_id: snapshot.sessions[each.permission_set_id] for each in policies.values()}
    slugs = {each.role_id: snapshot.slugs[each.role_id] for each in policies.values()}
    return (place, policies, columns, moves, sessions, slugs, still_asked)


def _moves(snapshot: Snapshot, pk: int, place: Place) -> dict[AccountThere, int | None]:
    """Those that rules will move into this environment, or out of it."""
    return {account: to for account, to in snapshot.moves.items() if to == pk or account.account_id in place.accounts}


def _said(snapshot: Snapshot, pk: int) -> JSON:
    """What `_of` compares, by what identifies it outside the database."""
    place = snapshot.places.get(pk)
    if place is None:
        return None
    policies: list[JSON] = [
        {
            "policy": _plain(policy),
            "columns": _plain(snapshot.columns[policy.id]),
            "permission_set": snapshot.arns[policy.permission_set_id],
            "session": _plain(snapshot.sessions[policy.permission_set_id]),
            "role": snapshot.slugs[policy.role_id],
        }
        for policy in snapshot.policies.values()
        if policy.environment_id == pk
    ]
    return {
        "place": _plain(place),
        "policies": sorted(policies, key=chain.canonical),
        "moves": {
            str(account): snapshot.places[to].name if to else None
            for account, to in _moves(snapshot, pk, place).items()
        },
        "still_asked": {name: _plain(drawn) for name, drawn in snapshot.still_asked.get(pk, {}).values()},
    }


def _plain(value: Any) -> JSON:
    match value:
        case timedelta():
            return value.total_seconds()
        case datetime():
            return chain.stamp(value)
        case frozenset():
            return sorted((_plain(each) for each in value), key=chain.canonical)
        case tuple() | list():
            return [_plain(each) for each in value]
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case _ if is_dataclass(value):
            named = (field.name for field in fields(value) if field.name not in _DRAWN)
            return {name: _plain(getattr(value, name)) for name in named}
        case None | bool() | int() | str():
            return value
        case _:
            raise TypeError(f"A snapshot has a {type(value).__name__}, which no digest can say.")

"""What a change of the catalog does to people: who gains and loses what, on what terms, decided by whom."""

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any

from catalog import compared_terms, on_call_effects
from catalog.account_tags import Tags, written
from catalog.crowding import Crowding
from catalog.decider_effects import of_deciders
from catalog.deciders import can_be_decided, deciding
from catalog.effect import Effect, Kind
from catalog.managers import without_one
from catalog.membership import Membership
from catalog.place_effects import listed, of_columns, of_places, of_roles
from catalog.policy import whatever_is_asked
from catalog.snapshots import Pair, Snapshot
from catalog.terms import Policy, Terms, covering

Also = Callable[[Snapshot, Snapshot], Iterable[Effect]]
_ALSO: list[Also] = []


def also(found: Also) -> None:
    """Has another package tell of effects on what it keeps, such as requests; called when the app is ready."""
    if found not in _ALSO:
        _ALSO.append(found)


def effects(before: Snapshot, after: Snapshot, membership: Membership) -> tuple[Effect, ...]:
    """What differs for people between two snapshots; empty if nobody would notice.

    Only pairs of role and environment whose part of the snapshots differs are looked at, and each person counts once
    in a sentence. The order is: who gains, who loses, terms, who decides, accounts, all else.
    """
    earlier, later = before.by_pair, after.by_pair
    pairs = [pair for pair in {**earlier, **later} if _differs(pair, before, after, earlier, later)]
    everybody = Crowding(policy for pair in pairs for policy in (*earlier.get(pair, ()), *later.get(pair, ())))
    found = [
        *(
            each
            for pair in sorted(pairs, key=lambda pair: _called(pair, earlier, later))
            for each in _of_pair(
                _Compared(pair, earlier.get(pair, ()), later.get(pair, ()), before, after, everybody, membership)
            )
        ),
        *of_deciders(before, after, everybody),
        *of_roles(before, after),
        *of_places(before, after),
        *of_columns(before, after),
        *(Effect(Kind.CHANGE, told) for told in on_call_effects.changes(before, after, membership)),
        *(each for more in _ALSO for each in more(before, after)),
    ]
    order = list(Kind)
    return tuple(sorted(found, key=lambda each: order.index(each.kind)))


@dataclass(frozen=True)
class _Compared:
    """One role in one environment, before and after."""

    pair: Pair
    earlier: tuple[Policy, ...]
    later: tuple[Policy, ...]
    before: Snapshot
    after: Snapshot
    everybody: Crowding
    membership: Membership

    @property
    def what(self) -> str:
        return _called(self.pair, {self.pair: self.earlier}, {self.pair: self.later})


def _differs(pair: Pair, before: Snapshot, after: Snapshot, earlier: dict[Pair, Any], later: dict[Pair, Any]) -> bool:
    was, now = earlier.get(pair, ()), later.get(pair, ())
    return {*was} != {*now} or _is_open(before, pair) != _is_open(after, pair)


def _called(pair: Pair, earlier: dict[Pair, tuple[Policy, ...]], later: dict[Pair, tuple[Policy, ...]]) -> str:
    policy = (later.get(pair) or earlier[pair])[0]
    return f"{policy.role} in {policy.environment}"


@dataclass(frozen=True)
class _Accounts:
    """Accounts that the same policies (by id) are for, before and after; `label` tells them from the others."""

    label: str
    before: frozenset[int]
    after: frozenset[int]


def _of_pair(compared: _Compared) -> Iterator[Effect]:
    for accounts in _by_tags(compared):
        what = f"{compared.what}, in {accounts.label}" if accounts.label else compared.what
        yield from _of_accounts(compared, accounts, what)


def _by_tags(compared: _Compared) -> list[_Accounts]:
    """The environment's accounts by the policies that are for them: all are alike unless policies go by tags.

    What no tag of a policy tells is told by the names of the accounts.
    """
    named = (*compared.earlier, *compared.later)
    if not any(policy.account_tags for policy in named):
        return [_Accounts("", _ids(compared.earlier), _ids(compared.later))]
    was, now = (_tags(at, compared.pair) for at in (compared.before, compared.after))
    words: dict[tuple[frozenset[int], frozenset[int]], str] = {}
    alike: dict[tuple[frozenset[int], frozenset[int]], list[str]] = {}
    for account in {**was, **now}:
        earlier, later = (
            _for_account(policies, there[account]) if account in there else ()
            for policies, there in ((compared.earlier, was), (compared.later, now))
        )
        held = _ids(earlier), _ids(later)
        words[held] = written(frozenset(tag for policy in (*earlier, *later) for tag in policy.account_tags))
        alike.setdefault(held, []).append(account)
    if len(alike) == 1:
        return [_Accounts("", *held) for held in alike]
    found = [
        _Accounts(f"accounts tagged {words[held]}" if words[held] else _named(accounts, compared), *held)
        for held, accounts in alike.items()
    ]
    return sorted(found, key=lambda each: each.label)


def _named(account_ids: Iterable[str], compared: _Compared) -> str:
    places = [place for at in (compared.before, compared.after) if (place := at.places.get(compared.pair[1]))]
    there = {pk: account for place in places for pk, account in place.accounts.items()}
    return listed(there[pk] for pk in account_ids)


def _for_account(policies: tuple[Policy, ...], tags: Tags | None) -> tuple[Policy, ...]:
    """The policies that are for an account with these tags; for one whose tags AWS has not told, none if any asks."""
    if tags is None and any(policy.account_tags for policy in policies):
        return ()
    return covering(policies, tags)


def _tags(at: Snapshot, pair: Pair) -> dict[str, Tags | None]:
    place = at.places.get(pair[1])
    return {pk: account.tags for pk, account in place.open_accounts.items()} if place else {}


def _ids(policies: Iterable[Policy]) -> frozenset[int]:
    return frozenset(policy.id for policy in policies)


def _of_accounts(compared: _Compared, accounts: _Accounts, what: str) -> Iterator[Effect]:
    """Who gains, who loses, and for those who may ask before and after, which terms become others."""
    gaining: dict[str, set[int]] = {}
    losing: set[int] = set()
    differing: dict[compared_terms.Difference, set[int]] = {}
    for part in compared.everybody.parts(compared.earlier, compared.later):
        was = _standing(part.before & accounts.before, compared.before, compared)
        now = _standing(part.after & accounts.after, compared.after, compared)
        able = _able(part.people, was, compared)
        able_then = _able(part.people, now, compared)
        if now and (gained := able_then - able):
            gaining.setdefault(compared_terms.decided(now), set()).update(gained)
        losing |= able - able_then
        if was and now and (staying := able & able_then):
            for difference in compared_terms.differences(was, now):
                differing.setdefault(difference, set()).update(staying)
    for decided, people in gaining.items():
        verb = "gains" if len(people) == 1 else "gain"
        named = compared.everybody.named(people)
        yield Effect(Kind.GAIN, f"{named} {verb} the right to ask for {what}, decided {decided}.", len(people))
    if losing:
        verb = "loses" if len(losing) == 1 else "lose"
        named = compared.everybody.named(losing)
        yield Effect(Kind.LOSE, f"{named} {verb} the right to ask for {what}.", len(losing))
    for difference, people in differing.items():
        yield _of_terms(difference, what, len(people))


def _of_terms(difference: compared_terms.Difference, what: str, people: int) -> Effect:
    whom = f"{people} {'person' if people == 1 else 'people'}"
    by = f", by “{difference.rule}”" if difference.rule else ""
    text = f"{what}, for {whom}: {difference.term} is {difference.new} instead of {difference.old}{by}."
    return Effect(difference.direction, text, people)


def _standing(policies: frozenset[int], at: Snapshot, compared: _Compared) -> Terms | None:
    """The terms on which whoever matches these policies could ask; None if every ask would be refused."""
    matched = tuple(at.policies[pk] for pk in sorted(policies, key=lambda pk: at.policies[pk].name))
    if not matched or not _is_open(at, compared.pair):
        return None
    judgement = whatever_is_asked(matched)
    return None if judgement.refusals else judgement.terms


def _able(people: Set[int], terms: Terms | None, compared: _Compared) -> set[int]:
    """Those of the people whom these terms let ask, and whose ask is approved at once or could be decided by others."""
    if terms is None:
        return set()
    if terms.automatic.is_for_anybody:
        return {*people}
    on_call = on_call_effects.on_call_now(terms.automatic.on_call, compared.everybody)
    return {*people} & on_call | _decidable(people, terms, compared)


def _decidable(people: Set[int], terms: Terms, compared: _Compared) -> set[int]:
    """Those of the people on whose ask others could decide."""
    steps = deciding(terms.stages, compared.membership, None)
    if not can_be_decided(steps):
        return set()
    total = sum(step.stage.approvals_needed for step in steps)
    # Only where a group is so small that one person more or less counts can it matter who of it asks.
    near = {pk for step in steps if step.count <= total for pk in step.names} & people
    if any(step.is_open for step in steps):
        people = {*people}.difference(without_one().values_list("pk", flat=True))
    return {*people} - {pk for pk in near if not _has_others(pk, terms, compared.membership)}


def _has_others(user_id: int, terms: Terms, membership: Membership) -> bool:
    asker = membership.person(user_id)
    return bool(can_be_decided(deciding(terms.stages, membership, asker)))


def _is_open(at: Snapshot, pair: Pair) -> bool:
    place = at.places.get(pair[1])
    return bool(place and place.open_accounts)

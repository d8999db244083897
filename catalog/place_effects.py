"""What a change does to roles and environments: accounts that come and go, and what else is true of them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from catalog import compared_terms
from catalog.effect import Effect, Kind, first_names
from catalog.models import AccessPolicy
from catalog.policy import spell
from catalog.snapshots import AccountThere, Place, Snapshot, come_down, sensitivity_of


def of_roles(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    """Roles that are no longer offered, or offered again, or that other links lead to."""
    was = {policy.role_id: policy.role_is_offered for policy in before.policies.values()}
    now = {policy.role_id: (policy.role, policy.role_is_offered) for policy in after.policies.values()}
    for role, (name, is_offered) in now.items():
        if role in was and was[role] != is_offered:
            again = "is offered again" if is_offered else "is no longer offered anywhere"
            yield Effect(Kind.CHANGE, f"{name} {again}.")
        yield from _links(name, before.slugs.get(role), after.slugs[role])


def _links(name: str, old: str | None, new: str) -> Iterator[Effect]:
    if old is not None and old != new:
        text = f"Links to {name} go by “{new}” instead of “{old}”: those that people kept do not lead there."
        yield Effect(Kind.CHANGE, text)


def of_places(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    """Accounts that come and go where policies hold, and what else is true of environments and permission sets."""
    asked = {pair[1] for pair in (*before.by_pair, *after.by_pair)}
    for pk, place in after.places.items():
        was = before.places.get(pk, _empty(place))
        if pk in asked:
            yield from _accounts(was, place)
            yield from _links(place.name, was.slug, place.slug)
        if was.sensitivity != place.sensitivity:
            yield from _sensitivity(was, place)
    for pk, place in before.places.items():
        if pk not in after.places and pk in asked:
            yield from _accounts(place, _empty(place))
    yield from _come_down(before, after)
    for account, to in sorted({*after.moves.items()} - {*before.moves.items()}, key=str):
        yield _move(account, to, after)
    for permission_set, last in after.sessions.items():
        earlier = before.sessions.get(permission_set, last)
        names = {each.permission_set for each in after.policies.values() if each.permission_set_id == permission_set}
        for name in names if last != earlier else ():
            text = f"Sessions of {name} live on for up to {spell(last)} after access has ended, not {spell(earlier)}."
            yield Effect(Kind.LOOSER if last > earlier else Kind.STRICTER, text)


def _sensitivity(was: Place, now: Place) -> Iterator[Effect]:
    kind = Kind.LOOSER if now.sensitivity < was.sensitivity else Kind.STRICTER
    old, new = sensitivity_of(was), sensitivity_of(now)
    shown = "and so it is marked for those who ask and who decide"
    yield Effect(kind, f"{now.name} is of the sensitivity {new} instead of {old}, {shown}.")
    if was.is_sensitive and not now.is_sensitive:
        yield Effect(kind, f"From then on one admin alone changes what concerns {now.name}: no second one is asked.")
    if now.is_sensitive and not was.is_sensitive:
        yield Effect(kind, f"From then on a second admin must accept what concerns {now.name}.")


def _empty(place: Place) -> Place:
    return replace(place, accounts={}, rules=frozenset())


def _accounts(was: Place, now: Place) -> Iterator[Effect]:
    come = [account for pk, account in now.accounts.items() if pk not in was.accounts]
    gone = [account for pk, account in was.accounts.items() if pk not in now.accounts]
    if there := [account for account in come if not account.has_vanished]:
        yield Effect(Kind.GAIN, f"{listed(there)} can be asked for in {now.name}.")
    for account in _vanished(come):
        yield Effect(Kind.GAIN, f"{account} joins {now.name}: it can be asked for there once AWS lists it again.")
    if there := [account for account in gone if not account.has_vanished]:
        yield Effect(Kind.LOSE, f"{listed(there)} can no longer be asked for in {now.name}.")
    for account in _vanished(gone):
        yield Effect(Kind.LOSE, f"{account} leaves {now.name}: nobody could ask for it there if AWS lists it again.")


def _come_down(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    for pk, been_in in come_down(before, after).items():
        for elsewhere, accounts in been_in.items():
            there = after.places.get(elsewhere) or before.places.get(elsewhere)
            where = there.name if there else "an environment that is no more"
            has = "has" if len(accounts) == 1 else "have"
            text = f"{listed(accounts)} {has} been in {where}, and in {after.places[pk].name} one admin alone decides"
            yield Effect(Kind.LOOSER, f"{text} who may ask, and on what terms.")


def _vanished(accounts: list[AccountThere]) -> list[AccountThere]:
    return sorted((account for account in accounts if account.has_vanished), key=str)


def _move(account: AccountThere, to: int | None, at: Snapshot) -> Effect:
    where = "leaves its environment" if to is None else f"joins {at.places[to].name}"
    read = "once AWS lists it again" if account.has_vanished else "when the inventory is next read, within ten minutes"
    return Effect(Kind.CHANGE, f"{account} {where} by a rule {read}.")


def of_columns(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    """What policies say beside what judgements read of them, in the words of their columns."""
    for pk, row in after.columns.items():
        for column, new in row.items() if pk in before.columns else ():
            if new != (old := before.columns[pk].get(column)):
                field = AccessPolicy._meta.get_field(column)
                told = f"{compared_terms.in_words(new)} instead of {compared_terms.in_words(old)}"
                label = getattr(field, "verbose_name", column)
                yield Effect(Kind.CHANGE, f"By “{after.policies[pk].name}”: {label} is {told}.")


def listed(rows: Iterable[object]) -> str:
    """The names of accounts, in words: "Ledger (222222222222) and Web (333333333333)"; of many the first ones."""
    return first_names(sorted(str(row) for row in rows), "account")

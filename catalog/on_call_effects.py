"""What a change does to who is on call by the schedules that policies name, as sentences."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditlog import clock
from catalog.crowding import Crowding
from catalog.membership import Membership
from catalog.on_call import OnCall, Schedule, on_call
from catalog.schedules import covers_told, told, turns_told
from catalog.snapshots import Snapshot, become_sensitive
from catalog.terms import Policy


def changes(before: Snapshot, after: Snapshot, membership: Membership) -> Iterator[str]:
    """A sentence for each schedule that counts where none said so before, or that has become another."""
    earlier, later = (_schedules(at.policies.values()) for at in (before, after))
    fresh = _fresh(before, after)
    for pk, now in later.items():
        was, at = earlier.get(pk), clock.now()
        if pk in fresh:
            turns = "; ".join(filter(None, (turns_told(now, membership), covers_told(now, at, membership))))
            yield f"On call by the schedule {now.name}: {told(now, at, membership)}. {turns}."
        if was is None:
            continue
        if was.name != now.name:
            yield f"The schedule {was.name} is called {now.name} from then on."
        if replace(was, name=now.name) == now:
            continue
        old, new = told(was, at, membership), told(now, at, membership)
        if old != new:
            yield f"On call by the schedule {now.name}: {new}, instead of {old}."
        else:
            yield f"The turns or covers of the schedule {now.name} change later on; on call stays {new}."


def on_call_now(sources: Iterable[OnCall], everybody: Crowding) -> set[int]:
    """The user ids of those who are on call now by all of these; nobody if there is none of them."""
    at = clock.now()
    by: list[set[int]] = []
    for source in sources:
        if source.schedule:
            present = on_call(source.schedule, at)
            by.append(set() if present is None else {present})
        else:
            by.append(everybody.members(frozenset({source.group_id})))
    return set[int].intersection(*by) if by else set()


def _fresh(before: Snapshot, after: Snapshot) -> set[int]:
    """The schedules (by id) that count for a role in an environment for which they did not count before.

    What they say elsewhere does not count: one admin alone may have decided there who takes turns.
    """
    earlier, raised = before.by_pair, become_sensitive(before, after)
    return {
        pk
        for pair, policies in after.by_pair.items()
        for pk in _schedules(policies)
        if pair[1] in raised or pk not in _schedules(earlier.get(pair, ()))
    }


def _schedules(policies: Iterable[Policy]) -> dict[int, Schedule]:
    """The schedules that these policies name, by id."""
    sources = (policy.automatic.on_call for policy in policies if policy.automatic and policy.automatic.on_call)
    return {source.schedule.id: source.schedule for source in sources if source.schedule}

"""What a change does to who is on call by the schedules that policies name, as sentences."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditlog import clock
from catalog.crowding import Crowding
from catalog.membership import Membership
from catalog.on_call import OnCall, Schedule, on_call
from catalog.schedules import told
from catalog.terms import Policy


def changes(before: Iterable[Policy], after: Iterable[Policy], membership: Membership) -> Iterator[str]:
    """A sentence for each schedule that policies name before and after, and that has become another."""
    earlier, later = _schedules(before), _schedules(after)
    for pk, now in later.items():
        was = earlier.get(pk)
        if was is None:
            continue
        if was.name != now.name:
            yield f"The schedule {was.name} is called {now.name} from then on."
        if replace(was, name=now.name) == now:
            continue
        at = clock.now()
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


def _schedules(policies: Iterable[Policy]) -> dict[int, Schedule]:
    """The schedules that these policies name, by id."""
    sources = (policy.automatic.on_call for policy in policies if policy.automatic and policy.automatic.on_call)
    return {source.schedule.id: source.schedule for source in sources if source.schedule}

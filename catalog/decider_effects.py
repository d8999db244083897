"""What a change does to who decides: the people behind the names of approver groups."""

from collections.abc import Iterable, Iterator, Mapping

from catalog.crowding import Crowding
from catalog.effect import Effect, Kind
from catalog.snapshots import Deciding, Pair, Snapshot, become_sensitive
from catalog.stages import Stage


def of_deciders(before: Snapshot, after: Snapshot, everybody: Crowding) -> Iterator[Effect]:
    """Who is behind the groups that decide on something new, and who comes and goes in those that decided before."""
    fresh, earlier, later = _fresh(before, after), _groups(before), _groups(after)
    changed = [group for group in later if group in earlier and earlier[group][1] != later[group][1]]
    drawn_from = [*fresh.values(), *(at[group] for group in changed for at in (earlier, later))]
    # All at once: each group by itself would cost a query.
    everybody.members(frozenset[str]().union(*(ids for _, ids in drawn_from)))
    yield from _deciding(fresh, after, everybody)
    for group in sorted(changed, key=lambda group: later[group][0]):
        (_, was), (name, now) = earlier[group], later[group]
        # Also where nobody of a group has signed in yet, so that nobody could be named.
        drawn, drawn_before = (_written_groups(ids, at) for ids, at in ((now, after), (was, before)))
        yield Effect(Kind.CHANGE, f"Those who decide as {name} are the members of {drawn}, instead of {drawn_before}.")
        held, holding = everybody.members(was), everybody.members(now)
        for people, kind, verbs in (
            (holding - held, Kind.GAIN, ("gains", "gain")),
            (held - holding, Kind.LOSE, ("loses", "lose")),
        ):
            if people:
                named, verb = everybody.named(people), verbs[len(people) > 1]
                yield Effect(kind, f"{named} {verb} the right to decide as {name}.", len(people))


def _deciding(groups: Deciding, at: Snapshot, everybody: Crowding) -> Iterator[Effect]:
    for name, ids in sorted(groups.values(), key=lambda drawn: drawn[0]):
        people = everybody.members(ids)
        who = everybody.named(people) if people else "nobody whom the portal knows"
        drawn = _written_groups(ids, at)
        yield Effect(Kind.CHANGE, f"Those who decide as {name} are the members of {drawn}: {who}.", len(people))


def _fresh(before: Snapshot, after: Snapshot) -> dict[int, tuple[str, frozenset[str]]]:
    """The groups that decide on a role in an environment on which they did not decide before.

    What they decide on elsewhere does not count: one admin alone may have said there who is behind their names.
    """
    earlier, later, raised = _by_pair(before), _by_pair(after), become_sensitive(before, after)
    return {
        group: drawn
        for pair, groups in later.items()
        for group, drawn in groups.items()
        if pair[1] in raised or group not in earlier.get(pair, {})
    }


def _by_pair(at: Snapshot) -> Mapping[Pair, Deciding]:
    return {
        pair: _named(stage for policy in policies for stage in policy.stages) for pair, policies in at.by_pair.items()
    }


def _groups(at: Snapshot) -> dict[int, tuple[str, frozenset[str]]]:
    found: dict[int, tuple[str, frozenset[str]]] = {}
    for deciding_still in at.still_asked.values():
        found.update(deciding_still)
    return found | _named(stage for policy in at.policies.values() for stage in policy.stages)


def _named(stages: Iterable[Stage]) -> dict[int, tuple[str, frozenset[str]]]:
    """The approver groups of these stages, also those to which they escalate; a manager is drawn from no group."""
    found: dict[int, tuple[str, frozenset[str]]] = {}
    for stage in stages:
        if not stage.by_manager:
            found[stage.approver_group_id] = (stage.approver_group, stage.group_ids)
        if stage.escalation:
            escalation = stage.escalation
            found[escalation.approver_group_id] = (escalation.approver_group, escalation.group_ids)
    return found


def _written_groups(ids: frozenset[str], at: Snapshot) -> str:
    """All of them, and with their ids: another may have the same name."""
    names = sorted(f"{at.group_names[each]} ({each})" if each in at.group_names else each for each in ids)
    return (
        f"the directory group{'' if len(names) == 1 else 's'} {' and '.join(names)}" if names else "no directory group"
    )

"""Tries a change out: writes it for real, looks at what came of it, and takes it back before anybody can see it.

Nothing is worked out twice, once for the preview and once for the change; and no event is recorded, so that nobody who
records something waits. Locks are held for as long as it takes to write and to read the catalog; whom it all concerns
is found afterwards.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.db import models, transaction

from auditlog.chain import JSON
from catalog import problems
from catalog.differences import state_of, to_agree_to
from catalog.one_writer import wait_for_others
from catalog.snapshots import Snapshot, digest_of, snapshot, touches_sensitive

_MOST_ONE_BY_ONE: Final = 5


class Overtaken(Exception):
    """The catalog has changed since the trial: what was found then may no longer be what the change does."""


@dataclass(frozen=True)
class Trial:
    """What came of a change: the catalog before and after, {field: [old, new]}, and problems that there were not."""

    before: Snapshot
    after: Snapshot
    changes: Mapping[str, JSON]
    problems: tuple[str, ...]

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The names of the sensitive environments that it touches: a second admin must accept it."""
        return touches_sensitive(self.before, self.after)

    @property
    def digest(self) -> str:
        """Of all that counts of the sensitive environments, before and after, also behind the names of things."""
        return digest_of(self.before, self.after)

    @contextmanager
    def still_holds(self) -> Iterator[None]:
        """A guard around the writing of the same change for good.

        Raises:
            Overtaken: it starts from another catalog than the trial, touches other sensitive environments, or makes
                something else of them: what a form only names may have become another meanwhile.
        """
        wait_for_others()
        before = snapshot()
        if before != self.before:
            raise Overtaken
        yield
        after = snapshot()
        if touches_sensitive(before, after) != self.sensitive or digest_of(before, after) != self.digest:
            raise Overtaken


def tried(write: Callable[[], object], instance: models.Model | None = None) -> Trial:
    """What `write` does to the catalog, and to the one object that it writes, if it is one; it is rolled back."""
    with transaction.atomic():
        key = None if instance is None or instance._state.adding else instance.pk
        was, before = _state(instance, key), snapshot()
        write()
        after = snapshot()
        concerned = _concerned(before, after)
        key = key or (instance and instance.pk)
        changes, amiss = to_agree_to(was, _state(instance, key)), _amiss(concerned)
        transaction.set_rollback(True)
    # What was amiss before is looked for when no lock is held any more.
    known = {*_amiss(concerned)} if amiss else set()
    return Trial(before, after, changes, tuple(text for text in dict.fromkeys(amiss) if text not in known))


def _state(instance: models.Model | None, key: Any) -> Mapping[str, JSON]:
    row = None if instance is None or key is None else type(instance)._default_manager.filter(pk=key).first()
    return state_of(row) if row else {}


def _concerned(before: Snapshot, after: Snapshot) -> list[int]:
    """The policies in force (by id) that say something else than before, or whose environment does."""
    places = {pk for pk, place in after.places.items() if place != before.places.get(pk)}
    earlier = {policy for policies in before.by_pair.values() for policy in policies}
    return [
        policy.id
        for policies in after.by_pair.values()
        for policy in policies
        if policy not in earlier or policy.environment_id in places
    ]


def _amiss(policies: Sequence[int]) -> list[str]:
    """What is amiss with these policies; if they are many, with the whole catalog, which then costs less."""
    if len(policies) > _MOST_ONE_BY_ONE:
        return [problem.text for problem in problems.found()]
    return [problem.text for pk in policies for problem in problems.found(pk)]

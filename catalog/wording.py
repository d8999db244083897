"""Terms of access in the words of a page."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from catalog.policy import Terms, spell


def deciders(terms: Terms) -> str:
    """Who decides: "1 of Payments leads, then 2 of Security", or which policy approves at once."""
    if terms.approves_automatically.value:
        return f"At once, by policy “{terms.approves_automatically.rule}”"
    if not terms.stages:
        return f"Nobody: “{terms.approves_automatically.rule}” names nobody who decides"
    return steps((stage.approvals_needed, stage.approver_group) for stage in terms.stages)


def steps(stages: Iterable[tuple[int, str]]) -> str:
    """Stages in their order, each as (approvals needed, approver group): "1 of Payments leads, then 2 of Security"."""
    return ", then ".join(f"{needed} of {group}" for needed, group in stages)


def spelled(value: timedelta | int | float) -> str:
    """A duration, or a number of seconds, in words."""
    return spell(value if isinstance(value, timedelta) else timedelta(seconds=value))


def some_of(names: Sequence[str], most: int = 5) -> str:
    """Any one of these, in words: "Chiara or Emma", "Ada, Ben, Chiara, Daniel, Emma or one of 3 others"."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"one of {len(names) - most} others")
    return " or ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))

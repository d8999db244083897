"""What a policy's form refuses of its automatic approval: what would approve nothing at once, or everything."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from catalog.models import AccessPolicy
from catalog.policy import LEAST_DURATION, spell


def refusals(cleaned: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong, as (field, reason); `cleaned` is the data of the form, without the fields that are amiss."""
    chosen = cleaned.get("automatic_approval")
    if chosen is None:
        return
    up_to: timedelta | None = cleaned.get("automatic_up_to")
    yield from _on_call(chosen == AccessPolicy.AutomaticApproval.ON_CALL, cleaned)
    if chosen == AccessPolicy.AutomaticApproval.UP_TO:
        if "automatic_up_to" in cleaned and up_to is None:
            yield "automatic_up_to", "Say up to which duration, such as 1h."
    elif up_to is not None and chosen != AccessPolicy.AutomaticApproval.ON_CALL:
        yield "automatic_up_to", "Choose “Up to a duration” above, or leave this empty."
        return
    if up_to is not None:
        yield from _limit(up_to, cleaned.get("longest_duration"), chosen)


def _on_call(is_chosen: bool, cleaned: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    group, schedule = cleaned.get("on_call_group"), cleaned.get("on_call_schedule")
    if is_chosen and group is None and schedule is None:
        yield "on_call_schedule", "Say by which schedule somebody is on call, or by which group."
    elif is_chosen and group is not None and schedule is not None:
        yield "on_call_group", "The schedule says already who is on call; keep one of the two."
    elif not is_chosen:
        for field, given in (("on_call_group", group), ("on_call_schedule", schedule)):
            if given is not None:
                yield field, "Choose “While the person is on call” above, or leave this empty."


def _limit(up_to: timedelta, longest: timedelta | None, chosen: str) -> Iterator[tuple[str, str]]:
    if up_to < LEAST_DURATION:
        yield "automatic_up_to", "Give a time longer than none."
    elif longest is not None and up_to >= longest:
        everything = f"The longest duration is {spell(longest)}"
        if chosen == AccessPolicy.AutomaticApproval.ON_CALL:
            yield "automatic_up_to", f"{everything}: this limits nothing. Give less, or leave it empty."
        else:
            yield "automatic_up_to", f"{everything}: nothing would come to the stages. Give less, or choose “Always”."

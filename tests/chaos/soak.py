"""A portal that is killed at random, piece by piece, while requests come in; then it rests, and every promise is held.

Runs in the environment of a `World`: CHAOS_MINUTES says for how long (0: one short round in which one of each kind dies
once, and then two at once), CHAOS_SEED repeats a run's choices.
"""

import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Final

from django.core.management import call_command
from django.db import connection

from catalog.models import Account
from jitportal.demo import organisation as company
from jitportal.demo import seed as demo
from tests.chaos.crowd import ACCOUNTS, Crowd
from tests.chaos.reaper import LONG, SHORT, Reaper
from tests.chaos.rest import AtRest, lateness
from tests.chaos.world import CONNECTIONS, MORTAL, REDIS, World
from tests.processes.started import until

# One answer of AWS in ten is wrong, late or lost; and some of what it has accepted fails.
FAULTS: Final = (
    {"kind": "throttle", "rate": 0.025},
    {"kind": "internal", "rate": 0.025},
    {"kind": "unreachable", "rate": 0.02},
    {"kind": "lost_reply", "rate": 0.02},
    {"kind": "internal_after", "rate": 0.02},
    {"kind": "failure", "rate": 0.1, "operation": "DeleteAccountAssignment"},
    {"kind": "failure", "rate": 0.05, "operation": "CreateAccountAssignment"},
)
A_ROUND: Final = 12
# Longer than a claim, a message's second dispatch and the longest wait between two tries one after the other.
PATIENCE: Final = 300.0


def main() -> None:
    """Soaks; exits 1 with what was broken, and the last words of every process."""
    minutes, chosen = float(os.environ.get("CHAOS_MINUTES", "10")), os.environ.get("CHAOS_SEED", secrets.token_hex(4))
    _say(f"CHAOS_SEED={chosen} CHAOS_MINUTES={minutes:g}")
    signal.signal(signal.SIGTERM, _interrupt)
    with World(os.environ) as world:
        try:
            soak(world, chosen, minutes)
        except BaseException:
            _say(world.said())
            raise


def soak(world: World, seed: str, minutes: float) -> None:
    """Rounds of deaths, each followed by a rest, until the time is up; then everything is ended."""
    call_command("migrate", verbosity=0, interactive=False)
    demo.found_company()
    _put_standing_access(world)
    crowd, reaper = Crowd(seed), Reaper(world, seed, LONG if minutes else SHORT)
    promises = AtRest(world, crowd)
    for number, fault in enumerate(FAULTS):
        world.aws.fail(**fault, seed=number)
    world.work()
    until_then = time.monotonic() + minutes * 60
    while True:
        with crowd.acting():
            for names in _deaths(reaper, short=not minutes):
                reaper.reap(names)
        _rest(promises)
        promises.the_ledger_is_whole()
        late = lateness()
        _say(
            f"{world.recorded()} events; died: {dict(reaper.died)}; "
            f"people: {dict(crowd.counted)}, the slowest answer {crowd.slowest:.1f} s; "
            f"{len(late)} ended within {late[len(late) // 2]:.1f} s of their end, the last {late[-1]:.1f} s after it"
        )
        if time.monotonic() >= until_then:
            break
    crowd.end_all()
    _rest(promises)
    promises.check_when_all_is_over()
    _say("All is over, and every promise was kept.")


def _deaths(reaper: Reaper, *, short: bool) -> Iterator[Sequence[str]]:
    if short:
        yield from ([name] for name in MORTAL if name != "worker 2")
        yield (REDIS, CONNECTIONS)
    else:
        yield from (reaper.choose() for _ in range(A_ROUND))


def _rest(promises: AtRest) -> None:
    # Ours was cut with all others.
    connection.close()
    try:
        until("rest", promises.hold, PATIENCE)
    except TimeoutError as error:
        raise AssertionError("\n".join(["It does not come to rest:", *promises.open()])) from error


def _put_standing_access(world: World) -> None:
    """Somebody holds already what they will ask for; it is never ours to take."""
    account = Account.objects.get(name=company.ACCOUNTS["Sandbox"][ACCOUNTS - 1].name)
    world.aws.put(
        {
            "account_id": account.account_id,
            "permission_set_arn": company.ORGANISATION.permission_set_arn("DeveloperAccess"),
            "principal_type": "USER",
            "principal_id": company.ORGANISATION.user_id(company.BEN.user_name),
        }
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()

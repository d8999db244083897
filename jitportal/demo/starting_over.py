"""Throws half a demo away, so that a first start which was cut short begins again by itself."""

from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from auditlog.actions import Action
from auditlog.models import Event
from jitportal.demo.simulator import Simulator

DATABASE: Final = "jitportal.sqlite3"


class SeedCutShort(Exception):
    """The database holds half a demo, or something else, that is not ours to throw away."""


def start_over(simulator: Simulator) -> None:
    """Empties the demo's own database and its AWS, if nobody but the seed has been there; else changes nothing.

    Raises:
        SeedCutShort: why it may not be emptied, and what to do.
    """
    database = settings.DATABASES["default"]
    own = settings.ENVIRONMENT.data_dir / DATABASE
    if not database["ENGINE"].endswith("sqlite3") or Path(database["NAME"]) != own:
        raise SeedCutShort(
            "The database that DATABASE_URL names is not empty, and nothing in DATA_DIR says that it holds a whole "
            "demo. Name an empty database."
        )
    if _somebody_came():
        raise SeedCutShort(
            "An earlier first start was cut short, and somebody has signed in since. `make demo-reset` starts over."
        )
    connections.close_all()
    # The record refuses to be emptied row by row, as it should; the file is the demo's own.
    for ending in ("", "-wal", "-shm", "-journal"):
        own.with_name(DATABASE + ending).unlink(missing_ok=True)
    for key in simulator.assignments():
        simulator.put_assignment(key, present=False)
    call_command("migrate", verbosity=0, interactive=False)


def _somebody_came() -> bool:
    """The seed signs everybody in at one moment, that of its first event; who came at another came by themselves."""
    first = Event.objects.order_by("number").first()
    came = Event.objects.filter(action=Action.PERSON_SIGNED_IN)
    return first is not None and came.exclude(at=first.at).exists()

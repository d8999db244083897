"""Files as texts, and what comes of planning and applying them."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from auditlog.actor import Actor
from catalog.ascode import document, plan
from catalog.ascode.plan import Plan
from catalog.ascode.tree import Unreadable
from catalog.models import Proposal
from jitportal.demo import seed
from tests.catalog.conftest import Catalog

OPERATOR = Actor.system("command line")
HEAD = "version: 1\n"


def planned(text: str, name: str = "catalog.yaml", *, prune: bool = False) -> Plan:
    """The plan of a file with this text."""
    return plan.plan(document.read(dedent(text).encode(), name), OPERATOR, prune=prune)


def applied(text: str, name: str = "catalog.yaml", *, prune: bool = False, why: str = "") -> Plan:
    """Plans and applies a file with this text."""
    file = document.read(dedent(text).encode(), name)
    shown = plan.plan(file, OPERATOR, why=why, prune=prune)
    plan.apply(file, shown, OPERATOR, why=why, prune=prune)
    return shown


def complaints(text: str | bytes, name: str = "catalog.yaml") -> list[str]:
    """What is wrong with a file with this text, each beginning with its line and column."""
    raw = text if isinstance(text, bytes) else dedent(text).encode()
    with pytest.raises(Unreadable) as refused:
        plan.plan(document.read(raw, name), OPERATOR)
    return [str(complaint) for complaint in refused.value.complaints]


def hours(catalog: Catalog) -> float:
    """The longest duration of the policy that there is, as it is now."""
    catalog.policy.refresh_from_db()
    return catalog.policy.longest_duration.total_seconds() / 3600


def agreed(browser: Client, proposal: Proposal, verb: str, **forged: str) -> str:
    """What somebody reads who accepts or confirms a proposal as its page shows it to them."""
    page = reverse("proposal", args=[proposal.pk])
    preview = browser.get(page).context["preview"]
    answer = browser.post(f"{page}{verb}/", {"shown": preview.digest if preview else ""} | forged, follow=True)
    proposal.refresh_from_db()
    return " ".join(answer.content.decode().split())


@pytest.fixture
def company(db: None, aws: object) -> None:
    """The demo's company: its catalog, its people, and AWS."""
    seed.found_company()


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `manage.py catalog` with these arguments; its exit code, and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = 0
        try:
            call_command("catalog", *arguments)
        except SystemExit as left:
            code = int(left.code or 0)
        return code, capsys.readouterr().out

    return run

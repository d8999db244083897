"""Two admins and what one proposes to the other, by the pages."""

from typing import Any, Final

from django.test import Client

from auditlog.models import Event
from catalog.models import AccessPolicy, Proposal
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, carried, errors, shows_preview, signed_in, text

WHY: Final = "The four hours were never enough."


def of_policy(catalog: Catalog) -> str:
    """The page on which the policy is changed."""
    return f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"


def proposed(browser: Client, page: str, sent: dict[str, Any], why: str = WHY) -> Proposal:
    """What came of sending a form and of proposing it."""
    shown = browser.post(page, sent)
    assert shows_preview(shown), errors(shown)
    answer = browser.post(page, {**carried(shown), "_propose": "1", "reason": why})
    assert answer.status_code == (200 if "_popup" in sent else 302), text(answer)
    return Proposal.objects.latest("pk")


def longer(browser: Client, catalog: Catalog, fill: Fill, hours: int = 12) -> Proposal:
    """A proposal that the policy grants for so long."""
    return proposed(browser, of_policy(catalog), fill(of_policy(catalog), longest_duration=f"{hours}h"))


def accept(user: User, proposal: Proposal, **forged: str) -> Any:
    """This person opens the proposal, and accepts what it shows."""
    browser = signed_in(user)
    page = browser.get(f"/catalog/proposals/{proposal.pk}/")
    preview = page.context["preview"]
    sent = {"shown": preview.digest if preview else ""} | forged
    return browser.post(f"/catalog/proposals/{proposal.pk}/accept/", sent, follow=True)


def hours(catalog: Catalog) -> int:
    """For how long the policy grants now."""
    return int(AccessPolicy.objects.get(pk=catalog.policy.pk).longest_duration.total_seconds() // 3600)


def actions() -> list[str]:
    """What was recorded of proposals and access policies, in its order."""
    kinds = Event.objects.filter(subject_kind__in=("proposal", "access policy")).order_by("number")
    return list(kinds.values_list("action", flat=True))

"""The catalog page, what a person may ask for; and what is amiss in the catalog."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog import people
from catalog import problems as amiss
from catalog.models import AccessPolicy, Environment
from catalog.offers import Offer, offers_for

LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Section:
    """An environment with what is offered in it."""

    environment: Environment
    offers: list[Offer]


@login_required
@never_cache
@require_safe
def catalog(request: HttpRequest) -> HttpResponse:
    """What I may ask for, the least sensitive environment first; `q` keeps what has these words in its names."""
    person = people.of(request.user)
    offers = offers_for(person)
    search = request.GET.get("q", "")[:LONGEST_SEARCH].strip()
    context = {
        "search": search,
        "offered": len(offers),
        "sections": _sections(offer for offer in offers if _has(offer, search.casefold().split())),
        "closed": [] if offers else _closed(),
    }
    return render(request, "catalog/catalog.html", context)


@login_required
@never_cache
@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """What is amiss in the catalog, what blocks first; for admins, who mend it, and for compliance."""
    reader: Any = request.user
    if not (reader.is_staff or reader.is_compliance):
        raise PermissionDenied("What is amiss in the catalog is for admins and for compliance.")
    return render(request, "catalog/problems.html", {"problems": amiss.found()})


def _has(offer: Offer, words: list[str]) -> bool:
    names = [offer.role.name, offer.environment.name, *(str(account) for account in offer.accounts)]
    text = "\n".join(names).casefold()
    return all(word in text for word in words)


def _sections(offers: Iterable[Offer]) -> list[Section]:
    by_environment: dict[int, Section] = {}
    for offer in offers:
        section = by_environment.setdefault(offer.environment.pk, Section(offer.environment, []))
        section.offers.append(offer)
    return list(by_environment.values())


def _closed() -> list[AccessPolicy]:
    """The policies that would let somebody ask who were in their groups; for a page that is empty."""
    rows = AccessPolicy.objects.filter(is_in_force=True, role__is_offered=True)
    return list(rows.select_related("role", "environment").prefetch_related("requestable_by")[:50])

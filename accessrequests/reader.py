"""Who reads a page, and which request they may see on it."""

import uuid
from typing import cast

from django.http import Http404, HttpRequest

from accessrequests import permissions
from accessrequests.models import AccessRequest
from catalog import people
from catalog.people import Person


def reader(request: HttpRequest) -> Person:
    """The person as the database has them now."""
    return people.load(cast(int, request.user.pk))


def visible(person: Person, request_id: uuid.UUID) -> AccessRequest:
    """A request that the person may see. Raises Http404 for all others, as if they did not exist."""
    found = permissions.visible_to(person).filter(pk=request_id).first()
    if found is None:
        raise Http404
    return found

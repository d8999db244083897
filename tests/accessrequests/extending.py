"""Active access, and asking for more of it."""

import uuid
from datetime import timedelta
from typing import Any, Final

from accessrequests import workflow
from accessrequests.models import AccessRequest
from accessrequests.workflow import MoreTime
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from tests.accessrequests.conftest import Office

HOUR: Final = timedelta(hours=1)


def extend(office: Office, request: AccessRequest, person: Person = company.ADA, **changes: Any) -> AccessRequest:
    """Asks for another hour, or as `changes` say."""
    more: dict[str, Any] = {"id": uuid.uuid4(), "duration": HOUR, "reason": "The replay takes longer."}
    return workflow.extend(office.user(person).pk, request.pk, MoreTime(**{**more, **changes}))


def held(office: Office, **changes: Any) -> AccessRequest:
    """Active access to the sandbox, an hour long."""
    request = office.submit(**changes)
    office.work()
    return office.again(request)


def held_production(office: Office, **changes: Any) -> AccessRequest:
    """Active access to production, an hour of the two that are allowed, after two stages."""
    request = office.approve(office.submit_production(**changes))
    office.work()
    return office.again(request)

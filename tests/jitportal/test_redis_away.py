"""While Redis is away nothing is remembered between calls, and nothing that was done is thrown away."""

from typing import Any

import pytest
from django.core.cache import cache

from accessrequests import tasks
from accessrequests.models import Assignment, Grant
from auditlog.models import Event
from tests.accessrequests.conftest import Office, catalog, groups, office, user
from tests.services import free_port

__all__ = ["catalog", "groups", "office", "user"]


@pytest.fixture
def away(settings: Any) -> None:
    """A cache on a port where nobody listens."""
    ours = {"BACKEND": "jitportal.forgetful.ForgetfulRedisCache", "LOCATION": f"redis://127.0.0.1:{free_port()}/0"}
    settings.CACHES = {"default": ours}


def test_a_cache_that_is_away_knows_nothing_and_keeps_nobody_waiting(away: None) -> None:
    cache.set("key", "value")
    assert cache.get("key", "otherwise") == "otherwise"
    assert cache.add("turn", "")
    assert not cache.delete("turn")


def test_what_aws_has_answered_is_recorded_although_the_cache_is_away(office: Office, away: None) -> None:
    request = office.submit()
    office.work()
    assert office.again(request).status == "active"
    row = Assignment.objects.get()
    assert row.doubt_until is None
    events = Event.objects.filter(subject_id=str(row.pk)).order_by("number")
    assert list(events.values_list("action", flat=True)) == [
        "assignment.creation_sent",
        "assignment.creation_confirmed",
    ]


def test_the_sweep_ends_what_is_due_although_the_cache_is_away(office: Office, away: None) -> None:
    office.submit()
    office.work()
    office.moment.forward(office.catalog.automatic.longest_duration)
    tasks.sweep.run()
    assert not Grant.objects.filter(status="active").exists()

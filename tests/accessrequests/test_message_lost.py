"""A message wakes a worker sooner, and never decides anything: whatever happens to it, a verb is done and answered."""

from typing import Any

import pytest
from kombu import Producer

from accessrequests import workflow
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office

pytestmark = pytest.mark.django_db(transaction=True)


def break_off(*_: Any, **__: Any) -> None:
    # As kombu says it when another thread has closed the connection under it: none of the errors that it names.
    raise AttributeError("'NoneType' object has no attribute 'client'")


def test_whoever_gives_access_back_is_told_so_although_the_brokers_client_broke(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = office.submit()
    office.pass_time(seconds=5)
    monkeypatch.setattr(Producer, "publish", break_off)
    workflow.give_back(office.user(company.ADA).pk, request.pk)
    monkeypatch.undo()
    office.pass_time(seconds=5)
    assert not office.in_aws()

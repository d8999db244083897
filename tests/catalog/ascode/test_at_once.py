"""Two who change the catalog at once never undo each other: one of them is told to look again."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import OperationalError, connections

from auditlog.models import Event
from catalog.ascode import document, plan
from catalog.ascode.tree import Unreadable
from catalog.models import AccessPolicy, Role
from tests.catalog.ascode.conftest import HEAD, OPERATOR
from tests.catalog.conftest import Catalog

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*files: tuple[str, str]) -> list[str]:
    """Applies each of these files, (text, name), to what was planned before, all at one moment; how each went."""
    read = [document.read(text.encode(), name) for text, name in files]
    planned = [plan.plan(file, OPERATOR) for file in read]
    together = Barrier(len(files))
    went: list[str] = []

    def run(file: document.Document, shown: plan.Plan) -> None:
        try:
            together.wait(20)
            plan.apply(file, shown, OPERATOR)
            went.append("applied")
        except (plan.Changed, Unreadable) as refused:
            went.append(type(refused).__name__)
        except OperationalError as error:
            went.append(str(error))
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=each) for each in zip(read, planned, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(went)


def test_two_files_that_add_the_same_are_applied_once(catalog: Catalog) -> None:
    text = f"{HEAD}roles:\n  New: {{description: x}}\n"
    assert at_once((text, "one.yaml"), (text, "two.yaml"))[1:] == ["applied"]
    assert Role.objects.filter(name="New").count() == 1
    assert Event.objects.filter(action="catalog.applied").count() == 1


def test_two_files_that_change_one_policy_do_not_undo_each_other(catalog: Catalog) -> None:
    text = (
        f"{HEAD}policies:\n  Payments support:\n    role: Production Support\n    environment: Production\n"
        "    permission_set: Support\n    longest_duration: {}h\n    stages: [{{approver_group: Payments leads}}]\n"
    )
    went = at_once((text.format(2), "one.yaml"), (text.format(3), "two.yaml"))
    assert went.count("applied") == 1
    policy = AccessPolicy.objects.get()
    (event,) = Event.objects.filter(action="catalog.applied")
    hours = {"one.yaml": 2, "two.yaml": 3}[event.data["file"]]
    assert (policy.managed_by_file, policy.longest_duration) == (event.data["file"], timedelta(hours=hours))


def test_files_about_different_things_are_both_applied_or_one_is_told_to_look_again(catalog: Catalog) -> None:
    one, two = (f"{HEAD}roles:\n  {name}: {{description: x}}\n" for name in ("One", "Two"))
    went = at_once((one, "one.yaml"), (two, "two.yaml"))
    assert set(went) <= {"applied", "Changed"}
    assert Role.objects.filter(name__in=["One", "Two"]).count() == went.count("applied") >= 1

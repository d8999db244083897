"""Two writers of the catalog at once, each harmless by what it sees, are not harmful together."""

from threading import Event as Flag
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as configured
from django.db import connection, connections

from catalog import changes, proposals
from catalog.models import ApproverGroup, DirectoryGroup, Proposal, Sensitivity
from catalog.trial import Overtaken
from tests.catalog.conftest import Catalog, Fill, carried, errors, person, shows_preview, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_group_that_somebody_is_changing_is_not_put_in_force_unseen(
    catalog: Catalog, settings: Any, monkeypatch: pytest.MonkeyPatch, fill: Fill
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    settings.SENSITIVE_FROM = Sensitivity.PRODUCTION
    duty, friends = (DirectoryGroup.objects.create(object_id=str(uuid4()), name=f"Group {uuid4()}") for _ in range(2))
    for group in (duty, friends):
        for number in range(3):
            person(f"{group} {number}", group.object_id)
    leads = ApproverGroup.objects.create(name=f"New leads {uuid4()}")
    leads.directory_groups.set([duty])
    ada, sol = (person(name, configured.ENTRA_ADMIN_GROUP_ID) for name in ("Ada", "Sol"))
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    browser = signed_in(ada)
    shown = browser.post(page, fill(page) | {"stages-0-approver_group": leads.pk})
    assert shows_preview(shown), errors(shown)
    browser.post(page, {**carried(shown), "_propose": "1", "reason": "New leads decide from now on."})
    proposal = Proposal.objects.get()
    digest = signed_in(sol).get(f"/catalog/proposals/{proposal.pk}/").context["preview"].digest
    group_page = f"/admin/catalog/approvergroup/{leads.pk}/change/"
    edit = fill(group_page, directory_groups=[friends.pk])
    written, go_on, done = Flag(), Flag(), Flag()
    outcomes: list[str] = []
    record = changes._record

    def waiting(action: Any, instance: Any, *rest: Any) -> None:
        if isinstance(instance, ApproverGroup):
            written.set()
            go_on.wait(20)
        record(action, instance, *rest)

    monkeypatch.setattr(changes, "_record", waiting)

    def edits() -> None:
        try:
            outcomes.append(f"edited: {signed_in(ada).post(group_page, edit).status_code}")
        finally:
            connections.close_all()

    def accepts() -> None:
        try:
            proposals.accept(proposal.pk, sol, digest)
            outcomes.append("accepted")
        except Overtaken:
            outcomes.append("overtaken")
        finally:
            connections.close_all()
            done.set()

    threads = [Thread(target=edits), Thread(target=accepts)]
    threads[0].start()
    assert written.wait(20)
    threads[1].start()
    # It waits for the edit; were it not to, it would be through long before.
    done.wait(3)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["edited: 302", "overtaken"]
    assert catalog.policy.stages.get().approver_group == catalog.approver_group

"""Two admins at the same proposal at the same moment: one of them is heard."""

from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as configured
from django.db import connections

from auditlog.models import Event
from catalog import proposals
from catalog.models import AccessPolicy, Proposal
from catalog.people import actor_of
from catalog.proposals import Refused
from catalog.trial import Overtaken
from tests.catalog.conftest import Catalog, person

pytestmark = pytest.mark.django_db(transaction=True)


def deletion(catalog: Catalog, proposer: Any) -> Proposal:
    """A proposal to delete the policy."""
    return Proposal(
        kind=Proposal.Kind.DELETE,
        model="catalog.accesspolicy",
        object_pk=str(catalog.policy.pk),
        object_kind="access policy",
        object_name=str(catalog.policy),
        payload=[["post", "yes"]],
        seen=catalog.policy.history.latest("history_id").pk,
        why=f"It is not needed any more, says {proposer.name}.",
    )


@pytest.mark.parametrize("other", ["accept", "withdraw"])
def test_two_at_once_settle_it_once(catalog: Catalog, other: str) -> None:
    person(f"Ben {uuid4()}", catalog.group.object_id)
    admins = [person(name, configured.ENTRA_ADMIN_GROUP_ID) for name in ("Ada", "Sol", "Tove")]
    proposal = deletion(catalog, admins[0])
    shown = proposals.try_out(proposal, admins[1])[1]
    proposals.propose(proposal, shown, actor_of(admins[0]))
    start, outcomes = Barrier(2), []

    def run(verb: Any) -> None:
        try:
            start.wait(20)
            verb()
            outcomes.append("done")
        except (Refused, Overtaken, proposals.Outdated):
            outcomes.append("refused")
        finally:
            connections.close_all()

    verbs = {
        "accept": lambda: proposals.accept(proposal.pk, admins[2], shown.digest),
        "withdraw": lambda: proposals.withdraw(proposal.pk, admins[0]),
    }
    threads = [
        Thread(target=run, args=(verb,))
        for verb in (lambda: proposals.accept(proposal.pk, admins[1], shown.digest), verbs[other])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["done", "refused"]
    proposal.refresh_from_db()
    is_accepted = proposal.status == "accepted"
    assert AccessPolicy.objects.exists() is not is_accepted
    assert Event.objects.filter(action="catalog.deleted").count() == is_accepted

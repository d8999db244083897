"""Does everything that is due, here and now, in this thread: what workers do in the background, for seeds and tests."""

import uuid

from django.db.models import Q

from accessrequests import convergence, due, escalation, queue
from accessrequests.models import Assignment
from accessrequests.provisioner import Provisioner
from accessrequests.states import Operation
from auditlog import clock


def drain(provisioner: Provisioner, most_rounds: int = 50) -> None:
    """Starts, grants, ends and revokes until nothing is due by the clock.

    Raises:
        RuntimeError: it does not come to rest.
    """
    before: list[uuid.UUID] = []
    for _ in range(most_rounds):
        now = clock.now()
        due.lapse_requests(now)
        escalation.escalate(now)
        for request_id in due.starting(now):
            due.start(request_id, provisioner)
        for _ in due.end_grants(now):
            pass
        due.end_grants_of_inactive(now)
        # Operations in flight are asked about without waiting for their moment, for no time passes here; but what AWS
        # has put off waits for its time.
        in_flight = Assignment.objects.exclude(operation=Operation.NONE)
        asked = list(in_flight.filter(Q(attempts=0) | Q(due_at__lte=now)).values_list("pk", flat=True))
        waiting = [*queue.unwanted(now), *queue.wanted(now)]
        # Where AWS is not done with what it was asked, no time will make it so here.
        if not waiting and asked == before:
            return
        before = asked
        heard = convergence.ask(asked, provisioner)
        for assignment_id in [*heard.assignments, *waiting]:
            convergence.converge(assignment_id, provisioner, heard.reports)
    raise RuntimeError("what is due does not come to rest")

"""Fills the bench's world: the demo's company, requests on any number of assignments, and crowds of grants."""

import itertools
import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.core.management import call_command
from django.db import connection

from accessrequests import due, queue, workflow
from accessrequests.models import AccessRequest, Grant
from auditlog import clock
from catalog.models import AccessPolicy, Account, DirectoryGroup, Environment, PermissionSet, Role
from jitportal.demo import organisation as company
from jitportal.models import User

Key = tuple[str, str, str]
EVERYBODY: Final = "c0000000-0000-4000-8000-000000000001"
CROWD: Final = "crowd"


def catalog() -> None:
    """Everybody may have every permission set in every account, at once."""
    call_command("migrate", verbosity=0, interactive=False)
    group = DirectoryGroup.objects.create(object_id=EVERYBODY, name="Everybody")
    environment = Environment.objects.create(name="Everything", slug="everything", sensitivity=1)
    for accounts in company.ACCOUNTS.values():
        for account in accounts:
            Account.objects.create(account_id=account.id, name=account.name, environment=environment)
    for described in company.PERMISSION_SETS:
        permission_set = PermissionSet.objects.create(
            arn=company.ORGANISATION.permission_set_arn(described.name), name=described.name
        )
        role = Role.objects.create(name=described.name, slug=described.name.lower())
        policy = AccessPolicy.objects.create(
            name=described.name,
            role=role,
            environment=environment,
            permission_set=permission_set,
            longest_duration=timedelta(hours=8),
            accounts_per_request=24,
            automatic_approval="always",
        )
        policy.requestable_by.add(group)
    for person in company.PEOPLE:
        row = User.objects.create(
            tenant_id="bench", object_id=person.object_id, user_name=person.user_name, name=person.name, email=""
        )
        row.directory_groups.add(group)


def keys(many: int, skip: int = 0) -> list[Key]:
    """So many assignments, as (user name, permission set, account id); 1,440 there are."""
    accounts = [account.id for row in company.ACCOUNTS.values() for account in row]
    everything = itertools.product(
        [person.user_name for person in company.PEOPLE], [row.name for row in company.PERMISSION_SETS], accounts
    )
    return list(itertools.islice(everything, skip, skip + many))


def submit(wanted: Sequence[Key], duration: timedelta) -> list[uuid.UUID]:
    """Asks for these assignments, those of one person and permission set in one request."""
    made = []
    environment = Environment.objects.get()
    for (user_name, permission_set), chosen in itertools.groupby(wanted, key=lambda key: key[:2]):
        form = workflow.Form(
            id=uuid.uuid4(),
            role=Role.objects.get(name=permission_set),
            environment=environment,
            accounts=list(Account.objects.filter(account_id__in=[key[2] for key in chosen])),
            duration=duration,
            reason="Measuring how fast and how late.",
        )
        made.append(workflow.submit(User.objects.get(user_name=user_name).pk, form).pk)
    return made


def crowd(many: int, due: int) -> None:
    """Active grants, of which `due` end now; written past the verbs, for they only have to be passed over."""
    # The oldest, so that a crowd which is there already is not given a second permission set.
    template = AccessRequest.objects.order_by("submitted_at").first() or AccessRequest.objects.get(
        pk=submit(keys(1, skip=1439), timedelta(hours=1))[0]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO catalog_account (account_id, name, email)
              SELECT lpad((900000000000 + n)::text, 12, '0'), 'Crowd', ''
              FROM generate_series(1, %(many)s) n ON CONFLICT DO NOTHING;
            INSERT INTO accessrequests_assignment (id, principal_id, permission_set_id, account_id, presence,
                is_standing, was_begun, operation, operation_id, attempts, trouble)
              SELECT gen_random_uuid(), %(crowd)s, %(set)s, id, 'present', false, true, '', '', 0, ''
              FROM catalog_account WHERE name = 'Crowd' ON CONFLICT DO NOTHING;
            INSERT INTO accessrequests_grant (id, request_id, account_id, assignment_id, status, starts_at, ends_at,
                activated_at, end_reason, outcome)
              SELECT gen_random_uuid(), %(request)s, account_id, id, 'active', now() - interval '1 hour',
                now() + interval '7 days', now(), '', ''
              FROM accessrequests_assignment WHERE principal_id = %(crowd)s ON CONFLICT DO NOTHING;
            UPDATE accessrequests_grant SET ends_at = now() - interval '1 second'
              WHERE id IN (SELECT id FROM accessrequests_grant WHERE status = 'active' LIMIT %(due)s);
            ANALYZE accessrequests_grant; ANALYZE accessrequests_assignment;
            """,
            {"many": many, "crowd": CROWD, "set": template.permission_set_id, "request": template.pk, "due": due},
        )


def time_a_look() -> float:
    """Seconds that one look takes at what ends, starts, is to be asked or converged; the median of nine."""
    taken = []
    for _ in range(9):
        began = time.perf_counter()
        now = clock.now()
        found = due.over(now, 100)
        due.next_moment(now, now + timedelta(seconds=1))
        queue.room("", now)
        list(AccessRequest.objects.filter(status="approved", start_due_at__lte=now)[:100])
        taken.append(time.perf_counter() - began)
    assert len(found) == min(100, Grant.objects.filter(ends_at__lte=clock.now(), status="active").count())
    return sorted(taken)[4]

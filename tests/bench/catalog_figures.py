"""Measures the catalog in the database that the settings name.

1,000 accounts, 300 policies, 100,000 people and 20,000 groups; prints its figures as one JSON list.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment

from auditlog import clock
from catalog import answers, people, problems
from catalog.models import (
    AccessPolicy,
    Account,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Role,
)
from catalog.offers import choices_of, policies_in_force
from catalog.policy import Ask, evaluate
from jitportal.loaded import load_for_good
from jitportal.models import User
from tests.bench.world import percentile

PEOPLE: Final = 100_000
GROUPS: Final = 20_000
ACCOUNTS: Final = 1_000
ROLES: Final = 30
ENVIRONMENTS: Final = 9
POLICIES: Final = 300
APPROVER_GROUPS: Final = 50
# Of fewer pages than this the slowest alone would be their 95th percentile, and tell of the machine.
OFTEN: Final = 60
# The first directory group has half of the company in it, and the first policy is open to it.
Row = tuple[str, str, str, bool | None]


def main() -> None:
    """Fills the database, measures, and prints the rows as JSON."""
    call_command("migrate", verbosity=0, interactive=False)
    engineer, admin = fill()
    settings.SECURE_SSL_REDIRECT = False
    # As in a process that serves pages.
    load_for_good()
    figures = [*_ask(engineer), *_pages(engineer, admin), *_answers(), *_previews(admin)]
    sys.stdout.write(json.dumps(figures) + "\n")


def fill() -> tuple[User, User]:
    """The company: an engineer of many groups, and an admin."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO catalog_directorygroup (object_id, name)
              SELECT 'c0000000-0000-4000-8000-' || lpad(n::text, 12, '0'), 'Group ' || n
              FROM generate_series(1, %(groups)s) n;
            INSERT INTO jitportal_user (tenant_id, object_id, user_name, name, email, department, is_active,
                principal_id, session_key, first_seen_at, left_because, to_check, manager_object_id)
              SELECT 'bench', 'b0000000-0000-4000-8000-' || lpad(n::text, 12, '0'), 'person' || n || '@example.com',
                'Person ' || n, '', 'Department ' || n %% 200, true, '', md5(n::text), now(), '', false, ''
              FROM generate_series(1, %(people)s) n;
            INSERT INTO jitportal_user_directory_groups (user_id, directorygroup_id)
              SELECT u.id, g.id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM jitportal_user) u
              CROSS JOIN generate_series(0, 9) k
              JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM catalog_directorygroup) g
                ON g.n = 2 + (u.n * 7 + k * 1999) %% (%(groups)s - 1)
              ON CONFLICT DO NOTHING;
            INSERT INTO jitportal_user_directory_groups (user_id, directorygroup_id)
              SELECT u.id, (SELECT min(id) FROM catalog_directorygroup) FROM jitportal_user u WHERE u.id %% 2 = 0;
            """,
            {"groups": GROUPS, "people": PEOPLE},
        )
    groups = list(DirectoryGroup.objects.order_by("pk")[: POLICIES * 3 + 100])
    _catalog(groups)
    engineer, admin = User.objects.order_by("pk")[:2]
    engineer.directory_groups.add(*groups[:POLICIES:5])
    own = DirectoryGroup.objects.create(object_id=settings.ENTRA_ADMIN_GROUP_ID, name="Admins")
    admin.directory_groups.add(own)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return engineer, admin


def _catalog(groups: list[DirectoryGroup]) -> None:
    roles = [Role(name=f"Role {n}", slug=f"role-{n}", description="Does something.") for n in range(ROLES)]
    environments = [
        Environment(name=f"Environment {n}", slug=f"environment-{n}", sensitivity=1 + n % 4)
        for n in range(ENVIRONMENTS)
    ]
    sets = [
        PermissionSet(arn=f"arn:aws:sso:::permissionSet/ssoins-{1:016x}/ps-{n:016x}", name=f"Set {n}")
        for n in range(ROLES)
    ]
    approvers = [ApproverGroup(name=f"Approvers {n}") for n in range(APPROVER_GROUPS)]
    for row in (*roles, *environments, *sets, *approvers):
        row.save()
    for number, approver_group in enumerate(approvers):
        approver_group.directory_groups.set(groups[-2 * number - 2 :][:2])
    for number in range(ACCOUNTS):
        place = environments[number % ENVIRONMENTS]
        Account.objects.create(account_id=f"{number:012d}", name=f"Account {number}", environment=place)
    for number in range(POLICIES):
        pair = number % (ROLES * ENVIRONMENTS)
        policy = AccessPolicy(
            name=f"Policy {number}",
            role=roles[pair % ROLES],
            environment=environments[pair // ROLES],
            permission_set=sets[pair % ROLES],
            longest_duration=timedelta(hours=8),
            departments=[f"Department {number % 200}"] if number % 10 == 0 else [],
        )
        policy.save()
        policy.requestable_by.set([groups[number], groups[number + POLICIES], groups[number + 2 * POLICIES]])
        for position in (1, 2):
            ApprovalStage.objects.create(
                policy=policy, position=position, approver_group=approvers[(number + position) % APPROVER_GROUPS]
            )


def _ask(engineer: User) -> Iterator[Row]:
    """One ask, judged over all policies; and with reading those for its role and environment."""
    asker, now, policies = people.load(engineer.pk), clock.now(), policies_in_force()
    policy = AccessPolicy.objects.get(name="Policy 0")
    accounts = choices_of(Account.objects.filter(environment=policy.environment)[:1])
    ask = Ask(policy.role_id, policy.environment_id, accounts, timedelta(hours=1), "To measure it.", "", None)
    judged = _milliseconds(lambda: evaluate(policies, asker, ask, now, timedelta(days=30)), 500)
    read = _milliseconds(
        lambda: evaluate(policies_in_force(policy.role_id, policy.environment_id), asker, ask, now, timedelta(days=30)),
        50,
    )
    assert evaluate(policies, asker, ask, now, timedelta(days=30)).verdict
    yield _row("evaluating one ask, over all policies: p95", judged, 2)
    yield "the same with reading its policies: p95", f"{percentile(read, 0.95):.1f} ms", "", None


def _pages(engineer: User, admin: User) -> Iterator[Row]:
    mine, theirs = _client(engineer), _client(admin)
    yield _row("catalog page at the server: p95", _milliseconds(partial(_get, mine, "/catalog/"), OFTEN), 100)
    with CaptureQueriesContext(connection) as captured:
        _get(mine, "/catalog/")
    yield "catalog page: queries", str(len(captured)), "≤ 12", len(captured) <= 12
    for name in ("accesspolicy", "account", "directorygroup", "approvergroup"):
        page = f"/admin/catalog/{name}/"
        yield _row(f"admin change list, {name}: p95", _milliseconds(partial(_get, theirs, page), OFTEN), 200)
    people_page = partial(_get, theirs, "/admin/jitportal/user/")
    yield _row("admin change list, people: p95", _milliseconds(people_page, OFTEN), 200)
    yield "what is amiss: p95", f"{percentile(_milliseconds(problems.found, 10), 0.95):.0f} ms", "", None


def _answers() -> Iterator[Row]:
    for what, name in (("half of the company", "Policy 0"), ("a few hundred people", "Policy 100")):
        policy = AccessPolicy.objects.select_related("role", "environment").get(name=name)
        found = answers.who_can_ask(policy.role, policy.environment, None)
        taken = _milliseconds(partial(answers.who_can_ask, policy.role, policy.environment, None), OFTEN)
        yield _row(f"who can ask for X, {what} ({found.count}): p95", taken, 300)
    then = clock.now() - timedelta(hours=1)
    policy = AccessPolicy.objects.select_related("role", "environment").get(name="Policy 100")
    past = _milliseconds(lambda: answers.who_can_ask(policy.role, policy.environment, then), 5)
    yield "the same for a past time: p95", f"{percentile(past, 0.95):.0f} ms", "", None


def _previews(admin: User) -> Iterator[Row]:
    """What a change does, shown before it is made, for the server; nothing is saved."""
    # Only so are answers given with the form that they show.
    setup_test_environment()
    browser = _client(admin)
    for what, name in (("half of the company", "Policy 0"), ("a few hundred people", "Policy 100")):
        page = f"/admin/catalog/accesspolicy/{AccessPolicy.objects.get(name=name).pk}/change/"
        sent = _filled(browser, page) | {"longest_duration": "4h"}
        taken = _milliseconds(partial(_preview, browser, page, sent), 10)
        yield _row(f"preview of one policy, {what}: p95", taken, 1000)
    page = f"/admin/catalog/approvergroup/{ApproverGroup.objects.get(name='Approvers 0').pk}/change/"
    sent = _filled(browser, page)
    sent["directory_groups"] = sent["directory_groups"][:1]
    taken = _milliseconds(partial(_preview, browser, page, sent), 10)
    yield _row("preview of an approver group of many policies: p95", taken, 1000)


def _filled(client: Client, page: str) -> dict[str, Any]:
    """What a browser would send back of a form of the admin."""
    answer: Any = client.get(page)
    forms = [answer.context["adminform"].form]
    for inline in answer.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values = {field.html_name: field.value() for form in forms for field in form}
    return {name: "on" if value is True else value for name, value in values.items() if value not in (None, False)}


def _preview(client: Client, page: str, sent: dict[str, Any]) -> None:
    answer: Any = client.post(page, sent)
    assert answer.status_code == 200, (page, answer.status_code)
    assert answer.context["preview"].effects, page


def _client(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def _get(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200, (page, answer.status_code)


def _milliseconds(once: Callable[[], object], times: int) -> list[float]:
    once()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        once()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def _row(what: str, taken: list[float], target: float) -> Row:
    worst = percentile(taken, 0.95)
    return what, f"{worst:.1f} ms (median {percentile(taken, 0.5):.1f} ms)", f"≤ {target:g} ms", worst <= target

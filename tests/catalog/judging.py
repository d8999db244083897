"""Policies, people and asks for judging, made as plain values; each is good until a test changes it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.people import Person
from catalog.policy import AccountChoice, Ask, Judgement, evaluate
from catalog.stages import Stage
from catalog.terms import Policy

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
LEAD = timedelta(days=30)

PAYMENTS = "b0000000-0000-4000-8000-000000000001"

LEADS = Stage(1, 1, "Leads", frozenset({"leads"}), 1, "Payments support")
SECURITY = Stage(2, 2, "Security", frozenset({"security"}), 1, "Payments support")

POLICY = Policy(
    id=1,
    version=7,
    name="Payments support",
    role_id=1,
    role="Production Support",
    role_is_offered=True,
    environment_id=1,
    environment="Production",
    group_ids=frozenset({PAYMENTS}),
    departments=frozenset({"Payments"}),
    permission_set_id=1,
    permission_set="Support",
    permission_set_vanished=False,
    default_duration=timedelta(hours=1),
    longest_duration=timedelta(hours=8),
    accounts_per_request=2,
    ticket_pattern=r"PAY-\d+",
    automatic=None,
    stages=(LEADS, SECURITY),
)

PERSON = Person(
    user_id=1,
    object_id="e0000000-0000-4000-8000-000000000001",
    name="Erin",
    user_name="erin@example.com",
    department="",
    groups=frozenset({PAYMENTS}),
    is_active=True,
    is_admin=False,
    is_compliance=False,
    principal_id="",
)

ACCOUNT = AccountChoice("123456789012", "Payments", 1, vanished=False)

ASK = Ask(
    role_id=1,
    environment_id=1,
    accounts=(ACCOUNT,),
    duration=timedelta(hours=2),
    reason="Payments are stuck.",
    ticket="PAY-1",
    start=None,
)


def policy(**changes: Any) -> Policy:
    """A good policy but for these changes; its stages name it as their rule."""
    changed = replace(POLICY, **changes)
    return replace(changed, stages=tuple(replace(stage, rule=changed.name) for stage in changed.stages))


def person(**changes: Any) -> Person:
    """A person who may ask, but for these changes."""
    return replace(PERSON, **changes)


def ask(**changes: Any) -> Ask:
    """A good ask but for these changes."""
    return replace(ASK, **changes)


def judge(
    *policies: Policy, by: Person = PERSON, of: Ask = ASK, now: datetime = NOW, longest_lead: timedelta = LEAD
) -> Judgement:
    """The judgement, by the one good policy if none is given."""
    return evaluate(policies or (POLICY,), by, of, now, longest_lead)

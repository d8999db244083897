"""What a change of the catalog does to people is said in sentences with counts and names."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from catalog.effect import Effect, Kind
from catalog.effects import effects
from catalog.membership import Now
from catalog.models import (
    AccessPolicy,
    Account,
    AccountRule,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    OnCallPerson,
    OnCallSchedule,
    Sensitivity,
)
from catalog.snapshots import snapshot, touches_sensitive
from tests.catalog.conftest import Catalog, person

WHAT = "Production Support in Production"


pytestmark = pytest.mark.usefixtures("production_is_sensitive")


def of(change: Callable[[], object]) -> tuple[list[str], tuple[str, ...]]:
    """The effects of this change as sentences, and the sensitive environments that it touches."""
    before = snapshot()
    change()
    after = snapshot()
    return [effect.text for effect in effects(before, after, Now())], touches_sensitive(before, after)


def directory_group(name: str, *members: str) -> DirectoryGroup:
    """A directory group with these people in it."""
    group = DirectoryGroup.objects.create(object_id=f"c0000000-0000-4000-8000-{len(name):012d}", name=name)
    for member in members:
        person(member, group.object_id)
    return group


def drawn(*groups: DirectoryGroup) -> str:
    """Directory groups as sentences tell what approver groups are drawn from."""
    names = " and ".join(f"{group.name} ({group.object_id})" for group in groups)
    return f"the directory group{'s' if len(groups) > 1 else ''} {names}"


def test_who_gains_the_right_to_ask_is_counted_and_named(catalog: Catalog, enough_people: None) -> None:
    data = directory_group("Data", "Olga", "Nils", "Mia", "Pia")
    said, touched = of(lambda: catalog.policy.requestable_by.add(data))
    assert said == [
        f"4 people (Mia, Nils, Olga and 1 more) gain the right to ask for {WHAT}, decided by 1 of Payments leads."
    ]
    assert touched == ("Production",)


def test_who_loses_it_is_counted_and_named(catalog: Catalog, enough_people: None) -> None:
    said, _ = of(lambda: AccessPolicy.objects.update(is_in_force=False))
    assert said == [f"3 people (Ben, Chiara and Daniel) lose the right to ask for {WHAT}."]


def test_whoever_may_ask_already_gains_nothing_by_another_policy(catalog: Catalog, enough_people: None) -> None:
    def second() -> None:
        policy = AccessPolicy.objects.create(
            name="Again",
            role=catalog.role,
            environment=catalog.environment,
            permission_set=catalog.permission_set,
            longest_duration=timedelta(hours=2),
        )
        policy.requestable_by.add(catalog.group)
        ApprovalStage.objects.create(policy=policy, approver_group=catalog.approver_group)

    said, _ = of(second)
    assert said == [f"{WHAT}, for 3 people: the longest duration is 2 hours instead of 8 hours, by “Again”."]


def test_those_on_whose_ask_nobody_could_decide_gain_nothing(catalog: Catalog) -> None:
    person("Ben", catalog.group.object_id)
    nobody_else = AccessPolicy.objects.filter(pk=catalog.policy.pk)
    nobody_else.update(is_in_force=False)
    said, _ = of(lambda: nobody_else.update(is_in_force=True))
    assert not [text for text in said if "gain" in text]
    nobody_else.update(is_in_force=False)
    person("Chiara", catalog.group.object_id)
    assert of(lambda: nobody_else.update(is_in_force=True))[0] == [
        f"2 people (Ben and Chiara) gain the right to ask for {WHAT}, decided by 1 of Payments leads.",
        f"Those who decide as Payments leads are the members of {drawn(catalog.group)}: 2 people (Ben and Chiara).",
    ]


@pytest.mark.parametrize(("hours", "kind"), [(4, Kind.STRICTER), (12, Kind.LOOSER)])
def test_terms_say_which_way_they_go_and_by_which_policy(
    catalog: Catalog, enough_people: None, hours: int, kind: Kind
) -> None:
    before = snapshot()
    AccessPolicy.objects.update(longest_duration=timedelta(hours=hours))
    text = f"{WHAT}, for 3 people: the longest duration is {hours} hours instead of 8 hours, by “Payments support”."
    assert effects(before, snapshot(), Now()) == (Effect(kind, text, 3),)


def test_a_longer_reason_is_stricter(catalog: Catalog, enough_people: None) -> None:
    before = snapshot()
    AccessPolicy.objects.update(least_reason=40)
    text = f"{WHAT}, for 3 people: the least length of the reason is 40 instead of 10, by “Payments support”."
    assert effects(before, snapshot(), Now()) == (Effect(Kind.STRICTER, text, 3),)


@pytest.mark.parametrize(
    ("before", "after", "told", "kind"),
    [
        (None, 1, "at once up to 1 hour instead of never", Kind.LOOSER),
        (1, 2, "at once up to 2 hours instead of at once up to 1 hour", Kind.LOOSER),
        (2, 1, "at once up to 1 hour instead of at once up to 2 hours", Kind.STRICTER),
        (2, None, "never instead of at once up to 2 hours", Kind.STRICTER),
    ],
)
def test_how_much_is_approved_at_once_says_which_way_it_goes(
    catalog: Catalog, enough_people: None, before: int | None, after: int | None, told: str, kind: Kind
) -> None:
    _approve_up_to(before)
    then = snapshot()
    _approve_up_to(after)
    text = f"{WHAT}, for 3 people: automatic approval is {told}, by “Payments support”."
    assert effects(then, snapshot(), Now()) == (Effect(kind, text, 3),)


def _approve_up_to(hours: int | None) -> None:
    choice, up_to = ("up_to", timedelta(hours=hours)) if hours else ("never", None)
    AccessPolicy.objects.update(automatic_approval=choice, automatic_up_to=up_to)


def test_who_is_on_call_from_now_on_is_said(catalog: Catalog, enough_people: None) -> None:
    now = timezone.now()
    rota = OnCallSchedule.objects.create(name="Rota", zone="UTC", first_handover=now - timedelta(days=1))
    turn = OnCallPerson.objects.create(schedule=rota, person=person("Olga"))
    then = snapshot()
    AccessPolicy.objects.update(automatic_approval="on_call", on_call_schedule=rota)
    effect, turns = effects(then, snapshot(), Now())
    assert effect.kind == Kind.LOOSER
    assert "automatic approval is at once while on call by the schedule Rota instead of never" in effect.text
    begin = f"{rota.first_handover:%Y-%m-%d %H:%M} on (UTC)"
    said = f"On call by the schedule Rota: Olga. Turns of 7 days from {begin}: Olga ({turn.person.user_name})."
    assert turns == Effect(Kind.CHANGE, said)
    then = snapshot()
    OnCallPerson.objects.filter(pk=turn.pk).update(person=person("Oskar"))
    text = "On call by the schedule Rota: Oskar, instead of Olga."
    assert effects(then, snapshot(), Now()) == (Effect(Kind.CHANGE, text),)


@pytest.mark.parametrize("by_schedule", [True, False])
def test_who_is_approved_at_once_while_on_call_gains_though_nobody_could_decide(
    catalog: Catalog, by_schedule: bool
) -> None:
    erin = person("Erin", catalog.group.object_id)
    person("Max", catalog.group.object_id)
    catalog.approver_group.directory_groups.set([directory_group("Leads")])
    rota = OnCallSchedule.objects.create(name="Rota", zone="UTC", first_handover=timezone.now() - timedelta(days=1))
    OnCallPerson.objects.create(schedule=rota, person=erin)
    on_duty = directory_group("On duty")
    erin.directory_groups.add(on_duty)
    source: dict[str, object] = {"on_call_schedule": rota} if by_schedule else {"on_call_group": on_duty}
    said, _ = of(lambda: AccessPolicy.objects.update(automatic_approval="on_call", **source))
    (gain,) = [text for text in said if "gain" in text]
    assert gain.startswith(f"Erin gains the right to ask for {WHAT}, decided at once while on call ")


def test_a_schedule_that_a_sensitive_environment_leans_on_touches_it(catalog: Catalog, enough_people: None) -> None:
    rota = OnCallSchedule.objects.create(name="Rota", zone="UTC", first_handover=timezone.now())
    then = snapshot()
    OnCallPerson.objects.create(schedule=rota, position=1, person=person("Olga"))
    assert touches_sensitive(then, snapshot()) == ()
    AccessPolicy.objects.update(automatic_approval="on_call", on_call_schedule=rota)
    then = snapshot()
    OnCallPerson.objects.create(schedule=rota, position=2, person=person("Oskar"))
    assert touches_sensitive(then, snapshot()) == (str(catalog.environment),)


def test_another_stage_is_stricter(catalog: Catalog, enough_people: None) -> None:
    security = ApproverGroup.objects.create(name="Security")
    people = directory_group("Security people", "Sara", "Sven")
    security.directory_groups.add(people)
    said, _ = of(lambda: ApprovalStage.objects.create(policy=catalog.policy, position=2, approver_group=security))
    stages = "1 of Payments leads, then 1 of Security instead of 1 of Payments leads"
    assert said == [
        f"{WHAT}, for 3 people: who decides is {stages}, by “Payments support”.",
        f"Those who decide as Security are the members of {drawn(people)}: 2 people (Sara and Sven).",
    ]


def test_who_may_decide_from_now_on_is_said(catalog: Catalog, enough_people: None) -> None:
    extra = directory_group("Duty", "Sara")
    said, touched = of(lambda: catalog.approver_group.directory_groups.add(extra))
    groups = f"{drawn(extra, catalog.group)}, instead of {drawn(catalog.group)}"
    assert said == [
        "Sara gains the right to decide as Payments leads.",
        f"Those who decide as Payments leads are the members of {groups}.",
    ]
    assert touched == ("Production",)


def test_a_role_that_is_taken_off_offer_is_lost_to_everybody(catalog: Catalog, enough_people: None) -> None:
    def off() -> None:
        catalog.role.is_offered = False
        catalog.role.save()

    said, touched = of(off)
    assert said == [
        f"3 people (Ben, Chiara and Daniel) lose the right to ask for {WHAT}.",
        "Production Support is no longer offered anywhere.",
    ]
    assert touched == ("Production",)


def test_accounts_that_come_and_go_are_named(catalog: Catalog, enough_people: None) -> None:
    account = Account.objects.create(account_id="222222222222", name="Ledger")
    said, touched = of(lambda: Account.objects.filter(pk=account.pk).update(environment=catalog.environment))
    assert (said, touched) == (["Ledger (222222222222) can be asked for in Production."], ("Production",))
    said, touched = of(lambda: Account.objects.filter(pk=account.pk).update(environment=None))
    assert (said, touched) == (["Ledger (222222222222) can no longer be asked for in Production."], ("Production",))


def test_the_last_account_takes_the_right_to_ask_with_it(catalog: Catalog, enough_people: None) -> None:
    said, _ = of(lambda: Account.objects.update(environment=None))
    assert f"3 people (Ben, Chiara and Daniel) lose the right to ask for {WHAT}." in said


def test_a_rule_that_will_bring_an_account_says_so(catalog: Catalog) -> None:
    Account.objects.create(account_id="222222222222", name="Ledger", ou_path="Workloads/Production")
    said, touched = of(
        lambda: AccountRule.objects.create(environment=catalog.environment, ou_path="Workloads/Production")
    )
    assert said == [
        "Ledger (222222222222) joins Production by a rule when the inventory is next read, within ten minutes."
    ]
    assert touched == ("Production",)


def test_a_policy_that_is_only_for_some_accounts_tells_which(catalog: Catalog, enough_people: None) -> None:
    Account.objects.update(tags={"data": "personal"})
    Account.objects.create(
        account_id="222222222222", name="Ledger", environment=catalog.environment, tags={"data": "open"}
    )
    said, touched = of(lambda: AccessPolicy.objects.update(account_tags={"data": "personal"}))
    assert said == [f"3 people (Ben, Chiara and Daniel) lose the right to ask for {WHAT}, in Ledger (222222222222)."]
    assert touched == ("Production",)


def test_sessions_that_live_longer_are_said(catalog: Catalog) -> None:
    def longer() -> None:
        catalog.permission_set.session_duration = timedelta(hours=4)
        catalog.permission_set.save()

    said, touched = of(longer)
    assert said == ["Sessions of Support live on for up to 4 hours after access has ended, not 1 hour."]
    assert touched == ("Production",)


def test_what_no_judgement_reads_is_said_by_its_column(catalog: Catalog) -> None:
    said, touched = of(lambda: AccessPolicy.objects.update(newcomers_agree=True))
    assert said == ["By “Payments support”: newcomers may agree is yes instead of none."]
    assert touched == ("Production",)


def test_lowering_how_sensitive_an_environment_is_touches_it(catalog: Catalog) -> None:
    said, touched = of(lambda: Environment.objects.update(sensitivity=Sensitivity.SANDBOX))
    newcomers = "who comes to the approver group, or to be the manager, only after the ask"
    shown = "and so it is marked for those who ask and who decide"
    assert said == [
        f"Production is of the sensitivity Sandbox instead of Production, {shown}.",
        "From then on one admin alone changes what concerns Production: no second one is asked.",
        f"By “Payments support” newcomers may agree in Production: {newcomers}.",
    ]
    assert touched == ("Production",)


def test_a_name_that_approvers_read_touches_but_changes_nothing_for_anybody(catalog: Catalog) -> None:
    assert of(lambda: Environment.objects.update(name="Playground")) == ([], ("Production",))


def test_another_environment_is_not_touched(catalog: Catalog, enough_people: None) -> None:
    sandbox = Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)
    Account.objects.create(account_id="333333333333", name="Play", environment=sandbox)
    policy = AccessPolicy.objects.create(
        name="Play",
        role=catalog.role,
        environment=sandbox,
        permission_set=catalog.permission_set,
        automatic_approval="always",
    )
    said, touched = of(lambda: policy.requestable_by.add(catalog.group))
    assert said == [
        "3 people (Ben, Chiara and Daniel) gain the right to ask for Production Support in Sandbox, decided at once."
    ]
    assert touched == ()


def test_an_empty_environment_touches_nothing_when_it_comes(catalog: Catalog) -> None:
    create = Environment.objects.create
    assert of(lambda: create(name="Bank", slug="bank", sensitivity=Sensitivity.PRODUCTION)) == ([], ())


def test_nothing_is_sensitive_where_the_setting_says_never(catalog: Catalog, settings: Settings) -> None:
    settings.SENSITIVE_FROM = None
    assert of(lambda: AccessPolicy.objects.update(newcomers_agree=True))[1] == ()


def test_a_new_version_alone_is_no_effect(catalog: Catalog, enough_people: None) -> None:
    assert of(catalog.policy.save) == ([], ())


def test_a_snapshot_costs_as_many_queries_for_many_policies(catalog: Catalog) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            snapshot()
        return len(seen)

    one = queries()
    for number in range(5):
        AccessPolicy.objects.create(
            name=f"Policy {number}",
            role=catalog.role,
            environment=catalog.environment,
            permission_set=catalog.permission_set,
        )
    assert queries() == one

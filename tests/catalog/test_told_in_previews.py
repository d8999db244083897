"""What previews say is true of every change that looks like another: which way it goes, of whom, where and when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.ascode import writer
from catalog.ascode.proposing import preview_of
from catalog.effect import Kind
from catalog.effects import effects
from catalog.membership import Now
from catalog.models import (
    AccessPolicy,
    Account,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    OnCallCover,
    OnCallPerson,
    OnCallSchedule,
    Sensitivity,
)
from catalog.snapshots import snapshot
from tests.catalog.ascode.conftest import planned
from tests.catalog.conftest import Catalog, Fill, person, shows_preview, text

WHAT = "Production Support in Production"


pytestmark = pytest.mark.usefixtures("enough_people")


@pytest.fixture
def rota(db: None) -> OnCallSchedule:
    began = timezone.now() - timedelta(days=1)
    row = OnCallSchedule.objects.create(name="Rota", zone="Europe/Berlin", first_handover=began)
    OnCallPerson.objects.create(schedule=row, person=person("Olga"))
    return row


def of(change: Callable[[], object]) -> list[tuple[Kind, str]]:
    before = snapshot()
    change()
    return [(effect.kind, effect.text) for effect in effects(before, snapshot(), Now())]


def approved(choice: str, up_to: int | None = None, rota: OnCallSchedule | None = None) -> None:
    AccessPolicy.objects.update(
        automatic_approval=choice, automatic_up_to=up_to and timedelta(hours=up_to), on_call_schedule=rota
    )


def test_on_call_and_up_to_a_duration_are_neither_stricter_nor_looser_than_each_other(
    catalog: Catalog, rota: OnCallSchedule
) -> None:
    approved("up_to", 1)
    told, _ = of(lambda: approved("on_call", rota=rota))
    assert told[0] == Kind.CHANGE
    on_call = "at once while on call by the schedule Rota"
    assert f"automatic approval is {on_call} instead of at once up to 1 hour" in told[1]
    assert [kind for kind, _ in of(lambda: approved("up_to", 1))] == [Kind.CHANGE]


@pytest.mark.parametrize(("then", "now", "kind"), [(None, 1, "stricter"), (1, 2, "looser"), (2, None, "looser")])
def test_on_call_is_the_stricter_the_shorter_it_is_for(
    catalog: Catalog, rota: OnCallSchedule, then: int | None, now: int | None, kind: str
) -> None:
    approved("on_call", then, rota)
    assert [told for told, _ in of(lambda: approved("on_call", now, rota))] == [kind]


def test_other_deciders_are_neither_stricter_nor_looser_than_those_before(catalog: Catalog) -> None:
    security = ApproverGroup.objects.create(name="Security")
    security.directory_groups.add(catalog.group)
    told, _ = of(lambda: ApprovalStage.objects.update(approver_group=security, approvals_needed=2))
    assert told[0] == Kind.CHANGE
    assert "who decides is 2 of Security instead of 1 of Payments leads" in told[1]


def test_older_proof_is_looser_and_another_context_is_different(catalog: Catalog) -> None:
    hour = timedelta(hours=1)
    AccessPolicy.objects.update(step_up_context="c1", step_up_for="asking", step_up_longest_age=hour)
    assert [kind for kind, _ in of(lambda: AccessPolicy.objects.update(step_up_longest_age=2 * hour))] == [Kind.LOOSER]
    assert [kind for kind, _ in of(lambda: AccessPolicy.objects.update(step_up_context="c2"))] == [Kind.CHANGE]


def test_a_lower_sensitivity_says_what_no_longer_holds(catalog: Catalog, settings: Any) -> None:
    settings.SENSITIVE_FROM = Sensitivity.STAGING
    told = of(lambda: Environment.objects.update(sensitivity=Sensitivity.STAGING))
    assert {kind for kind, _ in told} == {Kind.LOOSER}
    assert any("newcomers may agree in Production" in text for _, text in told)
    assert not any("no second one is asked" in text for _, text in told), "it is as sensitive as changes ask for"
    told = of(lambda: Environment.objects.update(sensitivity=Sensitivity.DEVELOPMENT))
    assert any("one admin alone changes what concerns Production" in text for _, text in told)
    assert not any("newcomers" in text for _, text in told), "they might before"


def test_a_higher_sensitivity_says_what_holds_from_then_on(catalog: Catalog, settings: Any) -> None:
    settings.SENSITIVE_FROM = Sensitivity.PRODUCTION
    Environment.objects.update(sensitivity=Sensitivity.SANDBOX)
    told = of(lambda: Environment.objects.update(sensitivity=Sensitivity.PRODUCTION))
    assert {kind for kind, text in told if "Those who decide as" not in text} == {Kind.STRICTER}
    assert any("a second admin must accept what concerns Production" in text for _, text in told)
    assert any("newcomers may no longer agree in Production" in text for _, text in told)


def test_what_a_policy_says_of_newcomers_holds_whatever_the_sensitivity(catalog: Catalog) -> None:
    AccessPolicy.objects.update(newcomers_agree=True)
    told = of(lambda: Environment.objects.update(sensitivity=Sensitivity.SANDBOX))
    assert not any("newcomers" in text for _, text in told)


def test_a_schedule_that_is_renamed_has_the_same_turns(catalog: Catalog, rota: OnCallSchedule) -> None:
    approved("on_call", rota=rota)
    told = of(lambda: OnCallSchedule.objects.update(name="Turns"))
    assert told == [(Kind.CHANGE, "The schedule Rota is called Turns from then on.")]


def test_other_directory_groups_of_those_who_decide_are_told_though_nobody_of_them_is_known(catalog: Catalog) -> None:
    night = DirectoryGroup.objects.create(object_id="role:night", name="Night")
    told = of(lambda: catalog.approver_group.directory_groups.add(night))
    before = f"Payments engineers ({catalog.group.object_id})"
    groups = f"the directory groups Night (role:night) and {before}, instead of the directory group {before}"
    assert told == [(Kind.CHANGE, f"Those who decide as Payments leads are the members of {groups}.")]


@pytest.mark.parametrize("tags", [{}, None])
def test_what_holds_for_all_accounts_is_not_said_of_others(catalog: Catalog, tags: dict[str, str] | None) -> None:
    Account.objects.update(tags=tags)
    (told,) = of(lambda: AccessPolicy.objects.update(account_tags={"data": "personal"}))
    assert told[1] == f"3 people (Ben, Chiara and Daniel) lose the right to ask for {WHAT}."


def test_one_account_more_than_is_named_is_one_account(catalog: Catalog) -> None:
    def four() -> None:
        for number in range(4):
            Account.objects.create(account_id=f"{number:012d}", name=f"A{number}", environment=catalog.environment)

    (told,) = of(four)
    assert told[1].endswith("A2 (000000000002) and 1 more account can be asked for in Production.")


def test_tags_are_shown_as_they_are_given(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    shown = browser.post(page, fill(page, account_tags="data=personal\nteam=web"))
    assert shows_preview(shown)
    assert '<td data-label="To">data=personal and team=web</td>' in text(shown)


def test_turns_and_covers_are_shown_by_the_clocks_of_their_schedule(
    browser: Client, catalog: Catalog, rota: OnCallSchedule, fill: Fill
) -> None:
    approved("on_call", rota=rota)
    OnCallSchedule.objects.update(first_handover=datetime(2026, 11, 16, 8, tzinfo=UTC))
    begins, hour = datetime(2027, 7, 1, 16, tzinfo=UTC), timedelta(hours=1)
    OnCallCover.objects.create(schedule=rota, person=person("Pia"), starts_at=begins, ends_at=begins + hour)
    page = f"/admin/catalog/oncallschedule/{rota.pk}/change/"
    sent = fill(page, first_handover="2026-11-16T10:00", **{"covers-0-ends_at": "2027-07-01T20:00"})
    shown = browser.post(page, sent)
    assert shows_preview(shown), text(shown)
    assert "2027-07-01 18:00 to 2027-07-01 20:00 (Europe/Berlin) Pia" in text(shown)
    assert "2026-11-16T10:00:00+01:00" in text(shown)


def test_a_file_that_switches_a_policy_into_force_shows_all_that_it_says(catalog: Catalog) -> None:
    AccessPolicy.objects.update(is_in_force=False)
    switched = planned(writer.export().replace("in_force: false", "in_force: true"))
    fields = {line["field"]: line["new"] for line in preview_of(switched).fields}
    assert fields["access policy “Payments support”: Longest duration"] == "8h"
    assert fields["access policy “Payments support”: In force"] == "yes"
    (event,) = [change for change in switched.changes if change.data["kind"] == "access policy"]
    recorded: Any = event.data["changes"]
    assert {*recorded} == {"is_in_force", "managed_by_file"}, "the record says what changed"

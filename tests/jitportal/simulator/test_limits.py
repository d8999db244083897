"""The rates and caps that AWS publishes hold, and can be lifted."""

from typing import Any

import pytest

from jitportal.demo.simulator import Limits

from .conftest import Aws, Start
from .small_organisation import PAYMENTS, SMALL


def list_instances(aws: Aws) -> Any:
    return aws.sso.list_instances()


def many_people(aws: Aws, wanted: int) -> list[str]:
    """Principal ids, all unknown: acceptance does not ask."""
    return [f"00000000-0000-4000-8000-{number:012d}" for number in range(wanted)]


def test_the_twenty_first_call_in_a_second_is_throttled(start: Start) -> None:
    aws = start(Limits())
    for _ in range(20):
        list_instances(aws)
    with pytest.raises(aws.sso.exceptions.ThrottlingException, match="Rate exceeded"):
        list_instances(aws)


def test_tokens_come_back_twenty_a_second(start: Start) -> None:
    aws = start(Limits())
    for _ in range(20):
        list_instances(aws)
    aws.clock.now += 0.125
    list_instances(aws)
    list_instances(aws)
    with pytest.raises(aws.sso.exceptions.ThrottlingException):
        list_instances(aws)


def test_all_sso_calls_share_one_rate(start: Start) -> None:
    aws = start(Limits(outstanding=None))
    for principal in many_people(aws, 10):
        aws.create(principal_id=principal)
    for _ in range(10):
        list_instances(aws)
    with pytest.raises(aws.sso.exceptions.ThrottlingException):
        aws.holders()


def test_the_identity_store_has_a_rate_of_its_own(start: Start) -> None:
    aws = start(Limits())
    for _ in range(20):
        list_instances(aws)
    for _ in range(20):
        aws.people.list_groups(IdentityStoreId=SMALL.identity_store_id)
    with pytest.raises(aws.people.exceptions.ThrottlingException, match="Rate exceeded"):
        aws.people.list_groups(IdentityStoreId=SMALL.identity_store_id)


def test_organizations_throttles_under_its_own_name(start: Start) -> None:
    aws = start(Limits(organizations_tps=1))
    aws.organisation.describe_account(AccountId=PAYMENTS)
    with pytest.raises(aws.organisation.exceptions.TooManyRequestsException):
        aws.organisation.describe_account(AccountId=PAYMENTS)


@pytest.mark.parametrize("cap", [10, 15])
def test_no_more_operations_are_in_flight_than_the_cap(start: Start, cap: int) -> None:
    aws = start(Limits(sso_tps=None, outstanding=cap))
    for principal in many_people(aws, cap):
        aws.create(principal_id=principal)
    with pytest.raises(aws.sso.exceptions.ThrottlingException, match="too many requests processing"):
        aws.create()

    aws.wait_for_aws()
    aws.create()
    aws.wait_for_aws()
    assert aws.holders() != []


def test_creations_and_deletions_share_the_cap(start: Start) -> None:
    aws = start(Limits(sso_tps=None))
    for number, principal in enumerate(many_people(aws, 10)):
        aws.create(principal_id=principal) if number % 2 else aws.delete(principal_id=principal)
    with pytest.raises(aws.sso.exceptions.ThrottlingException):
        aws.delete()


def test_lifted_limits_throttle_nothing(start: Start) -> None:
    aws = start(Limits.lifted())
    for principal in many_people(aws, 40):
        aws.create(principal_id=principal)
    assert aws.simulator.calls.as_json()["throttled_total"] == 0


def test_a_clock_moved_back_does_not_drain_the_bucket(start: Start) -> None:
    aws = start(Limits())
    list_instances(aws)
    aws.clock.now -= 3600
    for _ in range(19):
        list_instances(aws)


@pytest.mark.parametrize(
    "wrong",
    [{"speed": 1}, {"sso_tps": 0}, {"sso_tps": "20"}, {"outstanding": 1.5}, {"delay": None}, {"delay": -1}],
)
def test_a_limit_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Limits().changed(wrong)

"""Two operations on one key do not run at once."""

import pytest

from .conftest import Aws
from .small_organisation import GRACE, OPERATOR, SEARCH


def test_a_revocation_that_races_a_creation_conflicts_until_it_has_settled(aws: Aws) -> None:
    aws.create()
    with pytest.raises(aws.sso.exceptions.ConflictException, match="conflicting operation in process"):
        aws.delete()

    aws.wait_for_aws()
    aws.delete()
    aws.wait_for_aws()
    assert aws.holders() == []


def test_a_second_creation_conflicts_while_the_first_is_in_flight(aws: Aws) -> None:
    aws.create()
    with pytest.raises(aws.sso.exceptions.ConflictException):
        aws.create()


def test_operations_that_differ_in_any_part_of_the_key_do_not_conflict(aws: Aws) -> None:
    aws.create()
    aws.create(principal_id=GRACE)
    aws.create(account=SEARCH)
    aws.create(permission_set=OPERATOR)
    assert aws.simulator.state.operations.outstanding == 4

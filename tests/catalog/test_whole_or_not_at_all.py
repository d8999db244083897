"""The database takes terms that belong together only together, whatever has written them."""

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from catalog.models import AccessPolicy, ApprovalStage, ApproverGroup
from tests.catalog.conftest import Catalog

PROOF = {"step_up_context": "c1", "step_up_for": "both", "step_up_longest_age": timedelta(minutes=15)}


def is_taken(model: type[models.Model], values: dict[str, Any]) -> bool:
    """Whether the database lets every row of a model have these values."""
    try:
        with transaction.atomic():
            model._default_manager.update(**values)
    except IntegrityError:
        return False
    return True


@pytest.mark.parametrize("given", [some for size in (1, 2) for some in combinations(PROOF, size)])
def test_a_part_of_the_proof_alone_is_not_taken(catalog: Catalog, given: tuple[str, ...]) -> None:
    assert not is_taken(AccessPolicy, {name: PROOF[name] for name in given})


def test_the_whole_of_it_is(catalog: Catalog) -> None:
    assert is_taken(AccessPolicy, PROOF)
    assert not is_taken(AccessPolicy, {**PROOF, "step_up_longest_age": timedelta(0)})


def test_an_escalation_is_a_group_and_a_time(catalog: Catalog) -> None:
    group = ApproverGroup.objects.create(name="Those who are asked then")
    assert not is_taken(ApprovalStage, {"escalation_group": group})
    assert not is_taken(ApprovalStage, {"escalates_after": timedelta(hours=4)})
    assert not is_taken(ApprovalStage, {"escalation_group": group, "escalates_after": timedelta(0)})
    assert is_taken(ApprovalStage, {"escalation_group": group, "escalates_after": timedelta(hours=4)})

"""What was tried out is what is written: a change is taken back if the catalog is another, or makes something else."""

from datetime import timedelta

import pytest
from django.db import transaction

from catalog.models import AccessPolicy
from catalog.trial import Overtaken, Trial, tried
from tests.catalog.conftest import Catalog

pytestmark = pytest.mark.usefixtures("production_is_sensitive")


def grants_for(hours: int) -> None:
    AccessPolicy.objects.update(longest_duration=timedelta(hours=hours))


def longest(catalog: Catalog) -> timedelta:
    return AccessPolicy.objects.get(pk=catalog.policy.pk).longest_duration


@pytest.fixture
def trial(catalog: Catalog) -> Trial:
    """Six hours instead of eight, tried out; nothing of it stays."""
    made = tried(lambda: grants_for(6), catalog.policy)
    assert longest(catalog) == timedelta(hours=8)
    return made


def test_the_same_change_of_the_same_catalog_is_written(catalog: Catalog, trial: Trial) -> None:
    with transaction.atomic(), trial.still_holds():
        grants_for(6)
    assert longest(catalog) == timedelta(hours=6)


def test_nothing_is_written_where_the_catalog_has_changed_since(catalog: Catalog, trial: Trial) -> None:
    AccessPolicy.objects.update(accounts_per_request=5)
    with pytest.raises(Overtaken), transaction.atomic(), trial.still_holds():
        pytest.fail("the change was begun")
    assert longest(catalog) == timedelta(hours=8)


def test_what_turns_out_to_change_something_else_is_taken_back(catalog: Catalog, trial: Trial) -> None:
    with pytest.raises(Overtaken), transaction.atomic(), trial.still_holds():
        grants_for(7)
    assert longest(catalog) == timedelta(hours=8)

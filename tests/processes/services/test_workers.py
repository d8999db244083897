"""Workers, the scheduler and Redis as processes that die: no request, no decision and no end is lost."""

from tests.processes.services.conftest import House
from tests.processes.started import until
from tests.processes.test_killed import WHOLE_LIFE
from tests.processes.test_walkthrough import assert_walked

BEN = "Ben Okafor"


def ask(house: House, account: str, seconds: int) -> str:
    return house.desk.ask(BEN, "Developer", "Sandbox", f"{account} Sandbox", seconds)


def assert_whole(house: House, request: str) -> None:
    """It has ended, AWS holds nothing of it, and each thing was recorded once."""
    seen = house.desk.wait(request, "ended")
    assert not house.aws.holds(seen["key"])
    assert sorted(name for name, times in seen["events"].items() for _ in range(times)) == sorted(WHOLE_LIFE)


def test_a_walkthrough_makes_its_own_surroundings_on_postgresql_and_redis(house: House) -> None:
    assert_walked(house.first_walk.said())


def test_a_walkthrough_is_carried_by_workers_in_processes_of_their_own(house: House) -> None:
    walk = house.demos.command(["manage.py", "walkthrough", "--seconds", "1"], house.chosen)
    assert walk.end() == 0, walk.said()
    assert_walked(walk.said())


def test_when_a_worker_is_killed_in_mid_creation_another_finishes(house: House) -> None:
    house.aws.set_delay(3)
    request = ask(house, "Payments", 2)
    house.desk.wait_in_flight(request, "create")
    house.workers[0].kill()
    assert_whole(house, request)
    house.start_worker()


def test_when_every_worker_is_killed_a_new_one_finishes(house: House) -> None:
    house.aws.set_delay(3)
    request = ask(house, "Ledger", 1)
    house.desk.wait_in_flight(request, "create")
    for worker in house.workers:
        worker.kill()
    house.start_worker()
    assert_whole(house, request)


def test_when_redis_loses_all_it_held_nothing_is_lost(house: House) -> None:
    house.aws.set_delay(0)
    ending = ask(house, "Onboarding", 600)
    house.desk.wait(ending, "active")
    house.aws.set_delay(3)
    creating = ask(house, "Website", 2)
    house.desk.wait_in_flight(creating, "create")
    house.desk.give_back(BEN, ending)
    house.broker.flushdb()
    just_asked = ask(house, "Data Platform", 1)
    house.broker.flushdb()
    for request in (ending, creating, just_asked):
        assert_whole(house, request)


def test_when_the_database_cuts_every_connection_all_go_on_with_new_ones(house: House) -> None:
    house.aws.set_delay(3)
    request = ask(house, "Shared Services", 2)
    house.desk.wait_in_flight(request, "create")
    house.cut_connections()
    assert_whole(house, request)


def test_at_the_end_the_record_is_whole_and_nothing_waits(house: House) -> None:
    assert house.desk.count()["problem"] == ""
    until("the queue to be empty", lambda: house.broker.llen("work") == 0)

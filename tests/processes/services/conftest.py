"""A house like production's: PostgreSQL, Redis, the simulator, workers and the scheduler, each a process of its own."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
import redis

from tests.processes.conftest import Demos
from tests.processes.desk import Desk
from tests.processes.started import Aws, Started, environment, until
from tests.services import free_port, own_database, own_index

WORKER = [
    "-m",
    "celery",
    "-A",
    "jitportal",
    "worker",
    "-Q",
    "work,removal,sweep",
    "--concurrency",
    "2",
    "-l",
    "WARNING",
]
BEAT = ["-m", "celery", "-A", "jitportal", "beat", "-l", "WARNING"]


@dataclass
class House:
    """What runs, and how to reach it."""

    chosen: dict[str, str]
    demos: Demos
    desk: Desk
    aws: Aws
    workers: list[Started]
    first_walk: Started
    broker: "redis.Redis"

    def start_worker(self) -> Started:
        """One more worker, listening."""
        name = f"worker-{len(self.workers)}@test"
        worker = self.demos.command([*WORKER, "-n", name], self.chosen)
        self.workers.append(worker)
        return worker

    def cut_connections(self) -> None:
        """Ends every connection to the database, as its restart does."""
        with psycopg.connect(self.chosen["DATABASE_URL"], autocommit=True) as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            connection.execute(f"{cut} WHERE datname = current_database() AND pid <> pg_backend_pid()")


@pytest.fixture(scope="session")
def services() -> Iterator[tuple[str, str]]:
    """An empty database and an empty Redis index of our own, beside those that the variables name."""
    database, broker = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if not (database.startswith("postgres") and broker):
        pytest.skip("needs PostgreSQL and Redis: DATABASE_URL and REDIS_URL (`make test` finds or starts them)")
    with own_database(database) as own, own_index(broker) as index:
        yield own, index


@pytest.fixture(scope="session")
def house(services: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    chosen = environment(
        DATA_DIR=folder / "data", PORT=free_port(), DATABASE_URL=services[0], REDIS_URL=services[1], LOG_LEVEL="WARNING"
    )
    demos = Demos(folder)
    try:
        # The first walk makes the company, with an AWS and workers of its own.
        walk = demos.command(["manage.py", "walkthrough", "--seconds", "1"], chosen)
        assert walk.end() == 0, walk.said()
        simulator = demos.command(["manage.py", "simulator", "--state", str(folder / "data" / "aws.state")], chosen)
        aws = Aws(int(chosen["PORT"]) + 1)
        until("the simulator", aws.is_there)
        assert simulator.process.poll() is None
        with Desk(chosen) as desk, redis.Redis.from_url(services[1]) as broker:
            made = House(chosen, demos, desk, aws, [], walk, broker)
            made.start_worker()
            made.start_worker()
            demos.command([*BEAT, "-s", str(folder / "beat")], chosen)
            yield made
    finally:
        demos.close()

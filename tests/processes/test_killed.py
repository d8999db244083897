"""Kill -9 of the demo with a request in every phase at once; started again, each goes where it should."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes.conftest import Demo, Demos
from tests.processes.desk import Desk, Seen
from tests.processes.started import Aws

# What is recorded of a request for one account from its ask to its end, each once.
WHOLE_LIFE = (
    "request.submitted",
    "request.approved",
    "request.started",
    "grant.waiting",
    "grant.granting",
    "assignment.creation_sent",
    "assignment.creation_confirmed",
    "grant.active",
    "request.active",
    "grant.revoking",
    "assignment.deletion_sent",
    "assignment.deletion_confirmed",
    "grant.ended",
    "request.ended",
)
SLOW = 4.0


@dataclass
class Killed:
    """A demo that was killed and started again, and the requests that were in each phase when it happened."""

    demo: Demo
    desk: Desk
    aws: Aws
    requests: dict[str, str]
    before: dict[str, Seen]
    standing: list[dict[str, str]]

    def after(self, phase: str, status: str) -> Seen:
        """The request of this phase once it has come to this status."""
        return self.desk.wait(self.requests[phase], status)


@pytest.fixture(scope="module")
def killed(shared_data: Path, shared_demos: Demos) -> Iterator[Killed]:
    demo = shared_demos.start(shared_data)
    demo.wait_until_ready()
    aws = Aws(demo.port + 1)
    with Desk(demo.chosen) as desk:
        standing = aws.assignments()
        aws.set_delay(0)
        requests = {
            "pending": desk.ask(
                "Ada Lindqvist", "Production Support", "Production", "Ledger Production", 1, "INC-1000"
            ),
            "deletion": desk.ask("Ben Okafor", "Developer", "Sandbox", "Payments Sandbox", 600),
        }
        desk.wait(requests["deletion"], "active")
        requests["active"] = desk.ask("Ben Okafor", "Developer", "Sandbox", "Ledger Sandbox", 9)
        desk.wait(requests["active"], "active")
        aws.set_delay(SLOW)
        desk.give_back("Ben Okafor", requests["deletion"])
        requests["creation"] = desk.ask("Ben Okafor", "Developer", "Sandbox", "Onboarding Sandbox", 3)
        desk.wait_in_flight(requests["deletion"], "delete")
        desk.wait_in_flight(requests["creation"], "create")
        demo.process.kill()
        before = {phase: desk.look(request) for phase, request in requests.items()}
        again = shared_demos.start(shared_data, PORT=demo.port)
        again.wait_until_ready()
        # What was in flight goes on as slowly as it began; what begins now need not.
        aws.set_delay(0)
        yield Killed(again, desk, aws, requests, before, standing)


def test_every_phase_was_hit(killed: Killed) -> None:
    phases = {phase: (seen["status"], seen["grant"], seen["in_flight"]) for phase, seen in killed.before.items()}
    assert phases == {
        "pending": ("pending", "", ""),
        "creation": ("approved", "granting", "create"),
        "active": ("active", "active", ""),
        "deletion": ("active", "revoking", "delete"),
    }


def test_a_request_that_was_pending_can_be_decided_and_lives_on(killed: Killed) -> None:
    request = killed.requests["pending"]
    assert killed.desk.look(request)["status"] == "pending"
    killed.desk.agree("Chiara Rossi", request)
    killed.desk.agree("Farid Haddad", request)
    assert_whole(killed, "pending", more=("decision.made",) * 2)


def test_a_creation_in_flight_is_confirmed_and_ends_on_time(killed: Killed) -> None:
    assert_whole(killed, "creation")


def test_an_active_grant_ends_although_nobody_was_there_to_remember(killed: Killed) -> None:
    assert_whole(killed, "active")


def test_a_deletion_in_flight_is_confirmed(killed: Killed) -> None:
    assert_whole(killed, "deletion", end_reason="given_back")


def test_nothing_is_left_in_aws_but_what_was_there_before(killed: Killed) -> None:
    for phase in killed.requests:
        killed.after(phase, "ended")
    assert sorted(map(str, killed.aws.assignments())) == sorted(map(str, killed.standing))
    assert killed.desk.count()["problem"] == ""


def test_the_second_demo_stops_cleanly(killed: Killed) -> None:
    assert killed.demo.process.stop() == 0
    assert "Traceback" not in killed.demo.process.said()


def assert_whole(killed: Killed, phase: str, end_reason: str = "expired", more: tuple[str, ...] = ()) -> None:
    """The request of this phase has ended, AWS holds nothing of it, and each thing was recorded once."""
    seen = killed.after(phase, "ended")
    assert seen["end_reason"] == end_reason
    assert not killed.aws.holds(seen["key"])
    assert sorted(name for name, times in seen["events"].items() for _ in range(times)) == sorted((*WHOLE_LIFE, *more))

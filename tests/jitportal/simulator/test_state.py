"""A restarted simulator finds its organisation, its assignments and what was in flight."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jitportal.demo.simulator import Account, Limits, PermissionSet, Simulator, User

from .conftest import DELAY, Aws, HandClock, Start
from .small_organisation import ADA, GRACE, PAYMENTS, SEARCH, SMALL


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "aws.jsonl"


def restart(start: Start, before: Aws, state_path: Path) -> Aws:
    """Another simulator of the same file, at the same moment."""
    before.server.stop()
    before.simulator.close()
    return start(state_path=state_path, organisation=None, clock=before.clock)


def test_assignments_survive_a_restart(start: Start, state_path: Path) -> None:
    first = start(state_path=state_path)
    first.create()
    first.create(account=SEARCH)
    first.wait_for_aws()
    first.delete(account=SEARCH)
    first.wait_for_aws()

    second = restart(start, first, state_path)
    assert second.holders() == [ADA]
    assert second.holders(account=SEARCH) == []


def test_an_operation_in_flight_survives_and_settles_afterwards(start: Start, state_path: Path) -> None:
    first = start(state_path=state_path)
    request_id = first.create()

    second = restart(start, first, state_path)
    assert second.created(request_id)["Status"] == "IN_PROGRESS"
    second.wait_for_aws()
    assert second.created(request_id)["Status"] == "SUCCEEDED"
    assert second.holders() == [ADA]


def test_an_outcome_survives_with_its_reason(start: Start, state_path: Path) -> None:
    first = start(state_path=state_path)
    request_id = first.delete()
    first.wait_for_aws()
    reason = first.deleted(request_id)["FailureReason"]

    second = restart(start, first, state_path)
    third = restart(start, second, state_path)
    assert third.deleted(request_id)["FailureReason"] == reason


def test_a_call_cut_short_while_it_was_written_is_dropped(start: Start, state_path: Path) -> None:
    first = start(state_path=state_path)
    first.create()
    first.wait_for_aws()
    assert first.holders() == [ADA]
    with state_path.open("ab") as file:
        file.write(b'{"accepted": {"request_id": "c0f')

    second = restart(start, first, state_path)
    assert second.holders() == [ADA]


def test_a_damaged_line_is_named(state_path: Path) -> None:
    Simulator(SMALL, state_path).close()
    state_path.write_bytes(b"not json\n" + state_path.read_bytes())
    with pytest.raises(ValueError, match="line 1, is damaged; remove the file"):
        Simulator(SMALL, state_path)


def test_a_clock_moved_forward_before_the_restart_keeps_nothing_in_flight_for_long(
    start: Start, state_path: Path
) -> None:
    first = start(state_path=state_path)
    first.simulator.clock.advance(24 * 3600)
    request_id = first.create()

    second = restart(start, first, state_path)
    second.wait_for_aws()
    assert second.created(request_id)["Status"] == "SUCCEEDED"


def test_the_organisation_is_found_as_it_was_left(start: Start, state_path: Path) -> None:
    first = start(state_path=state_path)
    first.simulator.change_user("ada@example.com", enabled=False)
    first.simulator.change_account(PAYMENTS, status="SUSPENDED")
    first.server.stop()
    first.simulator.close()

    second = start(state_path=state_path, organisation=SMALL)
    described = second.people.describe_user(IdentityStoreId=SMALL.identity_store_id, UserId=ADA)
    assert described["UserStatus"] == "DISABLED"
    assert second.organisation.describe_account(AccountId=PAYMENTS)["Account"]["Status"] == "SUSPENDED"


def test_seeding_again_changes_nothing_and_seeding_more_adds_it(start: Start, state_path: Path) -> None:
    aws = start(state_path=state_path)
    written = state_path.read_bytes()
    aws.simulator.seed(SMALL)
    assert state_path.read_bytes() == written

    more = replace(
        SMALL,
        accounts=(*SMALL.accounts, Account("444444444444", "New", "new@example.com", "Sandbox")),
        permission_sets=(PermissionSet("Auditor"),),
        users=(User("new@example.com", "New Person", "new@example.com"),),
    )
    aws.simulator.seed(more)
    assert len(aws.organisation.list_accounts()["Accounts"]) == 4
    assert len(aws.sso.list_permission_sets(InstanceArn=SMALL.instance_arn)["PermissionSets"]) == 3
    assert aws.simulator.organisation.user_id("ada@example.com") == ADA


def test_what_fell_due_before_a_change_is_judged_as_it_was_then(aws: Aws) -> None:
    request_id = aws.create()
    aws.wait_for_aws()
    aws.simulator.change_account(PAYMENTS, status="SUSPENDED")
    assert aws.created(request_id)["Status"] == "SUCCEEDED"


def test_the_state_of_another_organisation_is_refused(state_path: Path) -> None:
    Simulator(SMALL, state_path).close()
    other = replace(SMALL, management_account=Account("555555555555", "Other", "other@example.com"))
    elsewhere = replace(SMALL, identity_store_id="d-0123456789")
    for stranger in (other, elsewhere):
        with pytest.raises(ValueError, match="remove the state file to start over"):
            Simulator(stranger, state_path)


def test_without_any_organisation_there_is_nothing_to_simulate(state_path: Path) -> None:
    with pytest.raises(ValueError, match="needs an organisation"):
        Simulator(None, state_path)


def test_two_simulators_do_not_share_a_file(state_path: Path) -> None:
    first = Simulator(SMALL, state_path)
    with pytest.raises(OSError, match="in use by another simulator"):
        Simulator(SMALL, state_path)
    first.close()
    Simulator(SMALL, state_path).close()


def test_two_simulators_in_one_process_keep_apart(start: Start) -> None:
    other = replace(SMALL, accounts=SMALL.accounts[:1])
    one, two = start(), start(organisation=other)
    assert len(one.organisation.list_accounts()["Accounts"]) == 3
    assert len(two.organisation.list_accounts()["Accounts"]) == 2


def test_an_accepted_creation_survives_kill_9(state_path: Path) -> None:
    script = (
        "import signal, sys; from pathlib import Path\n"
        "from jitportal.demo.simulator import Limits, Simulator, SimulatorServer\n"
        "from tests.jitportal.simulator.small_organisation import SMALL\n"
        "server = SimulatorServer(Simulator(SMALL, Path(sys.argv[1]), limits=Limits.lifted(delay=3600)))\n"
        "server.start(); print(server.url, flush=True); signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(state_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            aws = Aws(None, type("At", (), {"url": url})(), HandClock())  # type: ignore[arg-type]
            request_ids = [aws.create(), aws.create(principal_id=GRACE)]
        finally:
            process.send_signal(signal.SIGKILL)

    clock = HandClock()
    found = Simulator(None, state_path, clock, Limits.lifted(delay=DELAY))
    assert [operation.request_id for operation in found.state.operations] == request_ids
    clock.now += DELAY
    assert {key.principal_id for key in found.assignments()} == {ADA, GRACE}
    found.close()


def test_the_file_is_made_small_again_at_every_start(start: Start, state_path: Path) -> None:
    first = start(state_path=state_path)
    for _ in range(5):
        first.create()
        first.wait_for_aws()
        first.delete()
        first.wait_for_aws()
    assert first.holders() == []

    second = restart(start, first, state_path)
    entries = [json.loads(line) for line in state_path.read_text().splitlines()]
    assert [next(iter(entry)) for entry in entries] == ["organisation"] + ["accepted"] * 10
    assert second.holders() == []


def test_long_settled_operations_are_forgotten_at_a_start(start: Start, state_path: Path) -> None:
    first = start(state_path=state_path)
    first.create()
    first.wait_for_aws()
    assert first.holders() == [ADA]
    first.clock.now += 91 * 24 * 3600

    second = restart(start, restart(start, first, state_path), state_path)
    assert second.holders() == [ADA]
    answer = second.sso.list_account_assignment_creation_status(InstanceArn=SMALL.instance_arn)
    assert answer["AccountAssignmentsCreationStatus"] == []

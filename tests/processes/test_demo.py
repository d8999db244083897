"""`manage.py demo` as a newcomer types it: a process, an address, Ctrl-C."""

import signal
import socket
from pathlib import Path

import pytest

from jitportal.demo.organisation import PEOPLE
from tests.browser import Browser
from tests.directory import sign_in
from tests.processes.conftest import Demo, Demos, FirstStart
from tests.processes.desk import Desk
from tests.processes.started import Aws, environment, until
from tests.services import free_port

MAKING = "Making the company"


def test_a_first_start_lets_nobody_in_before_it_is_complete(first_start: FirstStart) -> None:
    assert first_start.before == (503, "The demo is being made. Try again in a few seconds.\n")


def test_a_first_start_becomes_ready_and_says_who_can_sign_in(first_start: FirstStart) -> None:
    assert first_start.ready[0] == 200, first_start.ready
    assert MAKING in first_start.said
    for person in PEOPLE:
        assert person.name in first_start.said
    assert "Try this" in first_start.said


def test_ctrl_c_stops_it_with_exit_code_0_and_not_a_word_too_many(first_start: FirstStart) -> None:
    assert first_start.exit_code == 0
    assert "Your data is kept" in first_start.said_in_all
    assert "Traceback" not in first_start.said_in_all


def test_a_second_start_keeps_the_data_and_sigterm_stops_it_as_well(demos: Demos, seeded: Path) -> None:
    with Desk(environment(DATA_DIR=seeded)) as desk:
        before = desk.count()
        demo = demos.start(seeded)
        said = demo.wait_until_ready()
        assert MAKING not in said
        assert demo.process.stop(signal.SIGTERM) == 0
        after = desk.count()
    assert "Traceback" not in demo.process.said()
    assert (after["people"], after["requests"]) == (before["people"], before["requests"])
    assert after["events"] >= before["events"] > 400
    assert after["problem"] == ""


def test_somebody_can_sign_in_and_see_what_they_have(demos: Demos, seeded: Path) -> None:
    demo = demos.start(seeded)
    demo.wait_until_ready()
    browser = Browser(demo.url)
    page = sign_in(browser, PEOPLE[0])
    browser.close()
    assert page.status_code == 200
    assert PEOPLE[0].name in page.text


@pytest.mark.parametrize("variable", ["PORT", "SIMULATOR_PORT"])
def test_a_port_in_use_gets_a_sentence_and_exit_code_1(demos: Demos, seeded: Path, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = demos.start(seeded, **{variable: port})
        assert demo.process.end() == 1
    said = demo.process.said()
    assert f"Port {port} is in use" in said
    assert f"{variable}=" in said
    assert "Traceback" not in said


def test_a_second_demo_on_the_same_data_gets_a_sentence(demos: Demos, seeded: Path) -> None:
    demos.start(seeded).wait_until_ready()
    second = demos.start(seeded)
    assert second.process.end() == 1
    assert "in use by another" in second.process.said()
    assert "Traceback" not in second.process.said()


def test_demo_reset_starts_over_but_not_under_a_running_demo(demos: Demos, seeded: Path) -> None:
    demo = demos.start(seeded)
    demo.wait_until_ready()
    refused = demos.command(["manage.py", "demo_reset"], demo.chosen)
    assert refused.end() == 1
    assert "A demo is running" in refused.said()
    demo.process.stop()
    done = demos.command(["manage.py", "demo_reset"], demo.chosen)
    assert done.end() == 0, done.said()
    assert list(seeded.iterdir()) == []


def test_a_first_start_that_was_killed_begins_again_by_itself(demos: Demos, tmp_path: Path) -> None:
    data = tmp_path / "data"
    cut = demos.start(data)
    cut.process.wait_for(MAKING)
    until("AWS to hold something", lambda: aws_of(cut).is_there() and aws_of(cut).assignments())
    cut.process.kill()
    healed = demos.start(data)
    assert MAKING in healed.wait_until_ready()
    with Desk(healed.chosen) as desk:
        counted = desk.count()
    assert counted["people"] == len(PEOPLE)
    assert counted["problem"] == ""


def test_ctrl_c_during_a_first_start_stops_it_at_once_and_cleanly(demos: Demos, tmp_path: Path) -> None:
    demo = demos.start(tmp_path / "data")
    demo.process.wait_for(MAKING)
    assert demo.process.stop() == 0
    assert "begins again" in demo.process.said()
    assert "Traceback" not in demo.process.said()


def test_data_that_somebody_has_used_is_never_thrown_away(demos: Demos, seeded: Path) -> None:
    demo = demos.start(seeded)
    demo.wait_until_ready()
    browser = Browser(demo.url)
    sign_in(browser, PEOPLE[0])
    browser.close()
    demo.process.stop()
    (seeded / "seeded").unlink()
    with Desk(demo.chosen) as desk:
        before = desk.count()
        again = demos.start(seeded)
        assert again.process.end() == 1
        assert "demo-reset" in again.process.said()
        assert "Traceback" not in again.process.said()
        assert desk.count() == before


def test_a_folder_that_cannot_be_used_gets_a_sentence(demos: Demos, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    demo = demos.start(tmp_path / "file" / "data", SIMULATOR_PORT=free_port())
    assert demo.process.end() == 1
    assert "DATA_DIR" in demo.process.said()


def aws_of(demo: Demo) -> Aws:
    return Aws(demo.port + 1)

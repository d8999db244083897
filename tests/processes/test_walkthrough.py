"""`manage.py walkthrough` with nothing around it, and beside a running demo."""

from pathlib import Path

from tests.processes.conftest import Demos
from tests.processes.started import environment
from tests.services import free_port

STEPS = ("asked for", "agreed", "approved", "active: AWS confirmed it", "AWS lists", "ended", "AWS no longer lists it")


def assert_walked(said: str) -> None:
    """Every step is in the timeline, in its order, each with its time."""
    timeline = [line for line in said.splitlines() if " s  " in line]
    positions = [next(n for n, line in enumerate(timeline) if step in line) for step in STEPS]
    assert positions == sorted(positions)
    times = [float(line.split()[0]) for line in timeline]
    assert times == sorted(times)
    assert "the ledger verifies" in timeline[-1]


def test_on_an_empty_folder_it_makes_what_it_needs_and_walks_through(demos: Demos, tmp_path: Path) -> None:
    chosen = environment(DATA_DIR=tmp_path / "data", PORT=free_port())
    walk = demos.command(["manage.py", "walkthrough", "--seconds", "2"], chosen)
    assert walk.end() == 0, walk.said()
    assert_walked(walk.said())
    assert "Traceback" not in walk.said()


def test_beside_a_running_demo_it_uses_the_demos_aws_and_workers(demos: Demos, seeded: Path) -> None:
    demo = demos.start(seeded)
    demo.wait_until_ready()
    walk = demos.command(["manage.py", "walkthrough", "--seconds", "1"], demo.chosen)
    assert walk.end() == 0, walk.said()
    assert_walked(walk.said())
    assert demo.process.stop() == 0


def test_a_port_in_use_gets_a_sentence_where_there_is_no_company_yet(
    demos: Demos, seeded: Path, tmp_path: Path
) -> None:
    demo = demos.start(seeded)
    demo.wait_until_ready()
    elsewhere = environment(DATA_DIR=tmp_path / "other", PORT=demo.port)
    walk = demos.command(["manage.py", "walkthrough"], elsewhere)
    assert walk.end() == 1
    assert f"Port {demo.port + 1} is in use" in walk.said()
    assert "Traceback" not in walk.said()


def test_a_length_that_is_none_is_refused(demos: Demos, seeded: Path) -> None:
    walk = demos.command(["manage.py", "walkthrough", "--seconds", "0"], environment(DATA_DIR=seeded))
    assert walk.end() == 1
    assert "--seconds" in walk.said()

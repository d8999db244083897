"""Processes that tests start: the portal's own commands, as a shell would start them, with their output in a file."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

PROJECT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 150.0
GLANCE: Final = 0.05
# Nothing of the machine's own set-up, nor of the suite's, reaches a process unless a test says so.
OURS: Final = (
    "ENTRA_",
    "JITPORTAL_",
    "IDENTITY_",
    "AUDIT_",
    "AWS_",
    "DJANGO_",
    "DATABASE_URL",
    "REDIS_URL",
    "DATA_DIR",
)
OURS_TOO: Final = ("PORT", "SIMULATOR_PORT", "PORTAL_URL", "SECRET_KEY", "ALLOWED_HOSTS", "LOG_LEVEL")

Found = TypeVar("Found")


def environment(**chosen: object) -> dict[str, str]:
    """The environment of a process: what the machine needs, and what the test chooses."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS) and name not in OURS_TOO}
    return kept | {name: str(value) for name, value in chosen.items()}


def until(what: str, look: Callable[[], Found | None], within: float = PATIENCE) -> Found:
    """Looks again and again until it finds something true, and gives it; TimeoutError names what did not come."""
    end = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"Waited {within:.0f} s for {what}.")
        time.sleep(GLANCE)
    return found


class Started:
    """A running process of a command such as `manage.py demo`; the block is left with it ended, killed if need be."""

    def __init__(
        self, command: Sequence[str], chosen: dict[str, str], log: Path, program: str = sys.executable
    ) -> None:
        self._log = log
        with log.open("w") as file:
            # A session of its own: killing it takes its children along, as a machine's death would.
            self.process = subprocess.Popen(
                [program, *command], cwd=PROJECT, env=chosen, stdout=file, stderr=file, start_new_session=True
            )

    def said(self) -> str:
        """All that it has written so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, words: str, within: float = PATIENCE) -> str:
        """Waits until it has written these words; gives all that it has written."""
        until(f"“{words}”", lambda: words in self.said() or self.process.poll() is not None, within)
        assert words in self.said(), f"it ended with {self.process.returncode}: {self.said()[-2000:]}"
        return self.said()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Asks it to stop; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)

    def end(self) -> int:
        """Waits for it to end by itself; its exit code."""
        return self.process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        """Kills it and its children, without a word."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def fetch(url: str, method: str = "GET", body: dict[str, Any] | None = None, **headers: str) -> tuple[int, str]:
    """Status and text of an answer, redirects not followed; (0, reason) while nobody listens."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=data, method=method, headers=sent)
    try:
        with _opener.open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follows nothing."""


_opener: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


class Aws:
    """The simulator's controls, over HTTP."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def set_delay(self, seconds: float) -> None:
        """How long an operation that begins from now on takes."""
        status, said = fetch(f"{self.url}/_simulator/limits", "PUT", {"delay": seconds})
        assert status == 200, said

    def holds(self, key: dict[str, str]) -> bool:
        """Whether the assignment exists."""
        return key in self.assignments()

    def assignments(self) -> list[dict[str, str]]:
        """Every assignment that exists."""
        status, said = fetch(f"{self.url}/_simulator/assignments")
        assert status == 200, said
        listed: list[dict[str, str]] = json.loads(said)["assignments"]
        return listed

    def is_there(self) -> bool:
        return fetch(f"{self.url}/_simulator/health")[0] == 200

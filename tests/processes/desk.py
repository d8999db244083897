"""People at their desks: a process beside the portal (`acting`) that asks, agrees and looks, come what may."""

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from tests.processes.started import PATIENCE, PROJECT, until

Seen = dict[str, Any]


class Desk:
    """Where people of the demo's company act on the data that the environment names."""

    def __init__(self, chosen: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "manage.py",
                "shell",
                "--no-imports",
                "-c",
                "from tests.processes import acting; acting.main()",
            ],
            cwd=PROJECT,
            env=chosen,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, person: str, role: str, environment: str, account: str, seconds: int, ticket: str = "") -> str:
        """Asks for one account for so long; the request's id."""
        form = {"person": person, "role": role, "environment": environment, "account": account}
        request: str = self._do("ask", **form, seconds=seconds, ticket=ticket)["id"]
        return request

    def agree(self, person: str, request: str) -> None:
        """Approves at the present stage."""
        self._do("agree", person=person, request=request)

    def give_back(self, person: str, request: str) -> None:
        """Ends one's own access."""
        self._do("give_back", person=person, request=request)

    def look(self, request: str) -> Seen:
        """The request's status, its grant's and its assignment's, how often each action was recorded, and AWS's key."""
        return self._do("look", request=request)

    def wait(self, request: str, status: str, within: float = PATIENCE) -> Seen:
        """Looks until the request has this status."""
        return until(
            f"{status}; last seen: {self.look(request)}", lambda: self._with(request, "status", status), within
        )

    def wait_in_flight(self, request: str, operation: str) -> Seen:
        """Looks until AWS has taken on this operation ("create" or "delete") and the portal knows it by AWS's id."""
        return until(f"{operation} in flight", lambda: self._with(request, "in_flight", operation))

    def count(self) -> Seen:
        """How many people, requests and events there are, and what is wrong with the ledger ("" if it verifies)."""
        return self._do("count")

    def _with(self, request: str, name: str, value: str) -> Seen | None:
        seen = self.look(request)
        return seen if seen[name] == value else None

    def _do(self, verb: str, **arguments: Any) -> Seen:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": verb, **arguments}) + "\n")
        self._process.stdin.flush()
        answer: Seen = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

"""A process that stops at a chosen boundary: around each commit, each message and each call to AWS."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection

from jitportal.aws.identity_center import IdentityCenter

WRITES: Final = ("INSERT", "UPDATE", "DELETE")
# After these something is there that was not before; after all else a death leaves what an earlier one did, for
# messages go with the process.
LEFT_BEHIND: Final = (
    "after a commit",
    "after a write",
    "after CreateAccountAssignment",
    "after DeleteAccountAssignment",
)


class Died(BaseException):
    """The process is gone: nothing that catches exceptions sees this."""


class Process:
    """Counts the boundaries that work passes, and dies at one of them.

    A commit is the end of the outermost transaction inside `running`, or a write outside of any. What the dead still
    attempt (a `finally` that releases a claim, say) does not happen: their writes and calls raise again, and an open
    transaction is rolled back, as the database does when a connection is gone.
    """

    def __init__(self, dies_at: int | None = None) -> None:
        """`dies_at` counts from 0; None: it lives, and `passed` tells what it passed."""
        self.dies_at = dies_at
        self.passed: list[str] = []
        self.dead = False

    def boundary(self, name: str) -> None:
        """Passes a boundary, or dies there."""
        if self.dead:
            raise Died(name)
        self.passed.append(name)
        if self.dies_at is not None and len(self.passed) > self.dies_at:
            self.dead = True
            raise Died(name)

    @property
    def deaths(self) -> dict[int, str]:
        """Of the boundaries that were passed one for each state that a death could leave behind, by number."""
        return {number: name for number, name in enumerate(self.passed) if number == 0 or name.startswith(LEFT_BEHIND)}

    @contextmanager
    def running(self, aws: IdentityCenter) -> Iterator[None]:
        """What happens inside is done by this process; to be used inside the test's own transaction."""
        base = len(connection.savepoint_ids)
        commit = connection.savepoint_commit

        def committing(sid: str) -> None:
            if len(connection.savepoint_ids) > base:
                return commit(sid)
            try:
                self.boundary("before a commit")
            except Died:
                connection.savepoint_rollback(sid)
                commit(sid)
                raise
            commit(sid)
            messages, connection.run_on_commit = connection.run_on_commit, []
            self.boundary("after a commit")
            for message in messages:
                message[1]()
                self.boundary("after a message")
            return None

        def executing(execute: Any, sql: str, *rest: Any) -> Any:
            if not sql.startswith(WRITES):
                return execute(sql, *rest)
            if self.dead:
                raise Died(sql)
            if any(connection.savepoint_ids[base:]):
                return execute(sql, *rest)
            self.boundary("before a write")
            result = execute(sql, *rest)
            self.boundary("after a write")
            return result

        connection.run_on_commit = []
        connection.savepoint_commit = committing  # type: ignore[method-assign]
        try:
            with self._at_aws(aws), connection.execute_wrapper(executing):
                yield
        finally:
            del connection.savepoint_commit
            connection.run_on_commit = []
            # Django notes it on the test's own transaction when a block without a savepoint is left by an exception.
            connection.needs_rollback = False

    @contextmanager
    def _at_aws(self, aws: IdentityCenter) -> Iterator[None]:
        def asking(request: Any, event_name: str, **_: Any) -> None:
            self.boundary(f"before {event_name.rpartition('.')[2]}")

        def answered(event_name: str, **_: Any) -> None:
            # AWS has done it; its reply is on the way.
            self.boundary(f"after {event_name.rpartition('.')[2]}")

        buses = [client.meta.events for client in (aws._sso, aws._store)]
        for bus in buses:
            bus.register("before-send", asking)
            bus.register("response-received", answered)
        try:
            yield
        finally:
            for bus in buses:
                bus.unregister("before-send", asking)
                bus.unregister("response-received", answered)

"""What the simulated AWS holds; every change is in the journal before anybody is told of it."""

from pathlib import Path

from .journal import Entry, Journal
from .operations import AssignmentKey, Assignments, Kind, Operation, Operations, Status
from .organisation import Account, Group, Organisation, User

GONE = "Received a 404 status error: EntitlementItem doesn't exist for this principal, permission set, account"
SUSPENDED = "Received a 403 status error: account {account_id} is suspended"
PRINCIPAL_NOT_FOUND = (
    "Received a 404 status error: the {principal_type} assignee {principal_id} was not found in directory {directory}"
)
"""AWS's words, as quoted in hashicorp/terraform-provider-aws issue 19341 (there for a deletion)."""

RETENTION = 90 * 24 * 3600.0
"""Seconds for which settled operations are remembered over a restart; AWS's own retention is unsure."""


class State:
    """Not thread-safe: the simulator holds its one lock around every use."""

    def __init__(self, organisation: Organisation | None, path: Path | None, now: float, delay: float) -> None:
        """Open ``path`` (None: memory only) and join ``organisation`` to what it holds.

        ``now`` and ``delay`` (seconds) bound how long a remembered operation may stay in flight, should the
        clock have been moved forward before the restart. ValueError without any organisation.
        """
        self.assignments = Assignments()
        self.operations = Operations()
        self._journal = Journal(path) if path is not None else None
        remembered: Organisation | None = None
        try:
            entries = self._journal.read() if self._journal is not None else []
            for entry in entries:
                if "organisation" in entry:
                    remembered = Organisation.from_json(entry["organisation"])
                else:
                    self._replay(entry, now, delay)
            if remembered is not None:
                organisation = remembered.joined_by(organisation) if organisation is not None else remembered
            if organisation is None:
                raise ValueError("a simulator needs an organisation, given or remembered in its state file")
        except BaseException:
            self.close()
            raise
        self._adopt(organisation)
        if self._journal is not None:
            self._journal.rewrite(self._snapshot(now))

    @property
    def organisation(self) -> Organisation:
        """The organisation as it stands; assigning another one journals it."""
        return self._organisation

    @organisation.setter
    def organisation(self, organisation: Organisation) -> None:
        self._write({"organisation": organisation.as_json()})
        self._adopt(organisation)

    def accept(self, operation: Operation) -> None:
        """Remember an operation as accepted."""
        self._write({"accepted": operation.as_json()})
        self.operations.add(operation)

    def settle(self, now: float) -> None:
        """Carry out every operation that is due."""
        for operation in self.operations.due(now):
            reason = self._obstacle(operation)
            self._write({"settled": operation.request_id, "failure_reason": reason})
            self._settle(operation.request_id, reason)

    def put_assignment(self, key: AssignmentKey, *, present: bool) -> None:
        """Make an assignment exist or not at once, as if somebody had done it outside the portal."""
        self._write({"assignment": list(key), "present": present})
        self.assignments.put(key, present=present)

    def has_principal(self, principal_type: str, principal_id: str) -> bool:
        """Whether the identity store knows this user or group."""
        return principal_id in (self.users if principal_type == "USER" else self.groups)

    def close(self) -> None:
        """Release the state file."""
        if self._journal is not None:
            self._journal.close()

    def _obstacle(self, operation: Operation) -> str | None:
        """Why ``operation`` fails, None if it does not."""
        key = operation.key
        if operation.planned_failure is not None:
            return operation.planned_failure
        if not self.has_principal(key.principal_type, key.principal_id):
            return PRINCIPAL_NOT_FOUND.format(
                principal_type=key.principal_type,
                principal_id=key.principal_id,
                directory=self.organisation.identity_store_id,
            )
        if operation.kind is Kind.DELETION:
            return None if key in self.assignments else GONE
        if self.accounts[key.account_id].status != "ACTIVE":
            return SUSPENDED.format(account_id=key.account_id)
        return None

    def _settle(self, request_id: str, reason: str | None) -> None:
        operation = self.operations.settle(request_id, reason)
        if reason is None:
            self.assignments.put(operation.key, present=operation.kind is Kind.CREATION)

    def _adopt(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self.accounts: dict[str, Account] = {account.id: account for account in organisation.all_accounts}
        self.users: dict[str, User] = {organisation.user_id(user.user_name): user for user in organisation.users}
        self.groups: dict[str, Group] = {
            organisation.group_id(group.display_name): group for group in organisation.groups
        }
        self.permission_set_arns = frozenset(
            organisation.permission_set_arn(permission_set.name) for permission_set in organisation.permission_sets
        )

    def _write(self, entry: Entry) -> None:
        if self._journal is not None:
            self._journal.append(entry)

    def _replay(self, entry: Entry, now: float, delay: float) -> None:
        if "accepted" in entry:
            operation = Operation.from_json(entry["accepted"])
            operation.due = min(operation.due, now + delay)
            self.operations.add(operation)
        elif "settled" in entry:
            self._settle(entry["settled"], entry["failure_reason"])
        elif "assignment" in entry:
            self.assignments.put(AssignmentKey(*entry["assignment"]), present=entry["present"])

    def _snapshot(self, now: float) -> list[Entry]:
        return [
            {"organisation": self.organisation.as_json()},
            *({"assignment": list(key), "present": True} for key in self.assignments),
            *(
                {"accepted": operation.as_json()}
                for operation in self.operations
                if operation.status is Status.IN_PROGRESS or operation.created > now - RETENTION
            ),
        ]

"""The sso-admin calls about account assignments, which moto gets wrong or lacks."""

import uuid
from collections.abc import Callable
from typing import Any

from . import paging
from .call import Call, Params
from .clock import Clock
from .errors import TOO_MANY_PROCESSING, invalid, not_found, throttled
from .faults import FaultKind, Faults
from .limits import Limiter
from .operations import AssignmentKey, Kind, Operation, Status
from .state import State

Answer = dict[str, Any]


class IdentityCenter:
    """Answers one call at a time; every answer has the shape of botocore's service model."""

    def __init__(self, state: State, limiter: Limiter, faults: Faults, clock: Clock) -> None:
        self._state = state
        self._limiter = limiter
        self._faults = faults
        self._clock = clock
        self.handlers: dict[str, Callable[[Call], Answer]] = {
            "CreateAccountAssignment": self._create,
            "DeleteAccountAssignment": self._delete,
            "DescribeAccountAssignmentCreationStatus": self._describe_creation,
            "DescribeAccountAssignmentDeletionStatus": self._describe_deletion,
            "ListAccountAssignmentCreationStatus": self._list_creations,
            "ListAccountAssignmentDeletionStatus": self._list_deletions,
            "ListAccountAssignments": self._list_assignments,
            "ListAccountAssignmentsForPrincipal": self._list_assignments_for_principal,
            "ListAccountsForProvisionedPermissionSet": self._list_accounts_for_permission_set,
            "ListPermissionSetsProvisionedToAccount": self._list_permission_sets_in_account,
        }

    def check_instance(self, params: Params) -> None:
        """AwsError unless the instance and permission set named exist (AWS's own code: unsure)."""
        instance = params.get("InstanceArn")
        if instance is not None and instance != self._state.organisation.instance_arn:
            raise not_found(f"Instance {instance} not found")
        permission_set = params.get("PermissionSetArn")
        if permission_set is not None and permission_set not in self._state.permission_set_arns:
            raise not_found(f"Could not find PermissionSet with id {permission_set.rpartition('/')[2]}")

    def _create(self, call: Call) -> Answer:
        return {"AccountAssignmentCreationStatus": self._begin(call, Kind.CREATION)}

    def _delete(self, call: Call) -> Answer:
        return {"AccountAssignmentDeletionStatus": self._begin(call, Kind.DELETION)}

    def _begin(self, call: Call, kind: Kind) -> Answer:
        params = call.params
        key = AssignmentKey(
            params["TargetId"], params["PermissionSetArn"], params["PrincipalType"], params["PrincipalId"]
        )
        self._check_account(key.account_id)
        self._state.operations.refuse_conflict(key)
        limits = self._limiter.limits
        if limits.outstanding is not None and self._state.operations.outstanding >= limits.outstanding:
            raise throttled(call.service, TOO_MANY_PROCESSING)
        # Unknown principals are accepted here and fail later: that is where AWS's own 404 for them was seen
        # (hashicorp/terraform-provider-aws issue 19341, a deletion). Unsure for creations.
        fault = self._faults.strike(call, frozenset({FaultKind.FAILURE}))
        now = self._clock()
        operation = Operation(
            request_id=str(uuid.uuid4()),
            kind=kind,
            key=key,
            created=now,
            due=now + limits.delay,
            planned_failure=(fault.reason or "An injected failure") if fault is not None else None,
        )
        self._state.accept(operation)
        return _described(operation)

    def _describe_creation(self, call: Call) -> Answer:
        request_id = call.params["AccountAssignmentCreationRequestId"]
        return {"AccountAssignmentCreationStatus": self._described(Kind.CREATION, request_id)}

    def _describe_deletion(self, call: Call) -> Answer:
        request_id = call.params["AccountAssignmentDeletionRequestId"]
        return {"AccountAssignmentDeletionStatus": self._described(Kind.DELETION, request_id)}

    def _described(self, kind: Kind, request_id: str) -> Answer:
        operation = self._state.operations.get(kind, request_id)
        if operation is None:
            raise not_found(f"Could not find the {kind} request {request_id}")
        return _described(operation)

    def _list_creations(self, call: Call) -> Answer:
        rows, more = self._statuses(call, Kind.CREATION)
        return {"AccountAssignmentsCreationStatus": rows, **more}

    def _list_deletions(self, call: Call) -> Answer:
        rows, more = self._statuses(call, Kind.DELETION)
        return {"AccountAssignmentsDeletionStatus": rows, **more}

    def _statuses(self, call: Call, kind: Kind) -> tuple[list[Answer], dict[str, str]]:
        before = paging.after(call.operation, call.params)
        if before is not None and not isinstance(before, int):
            raise invalid("The NextToken is not valid")
        wanted = (call.params.get("Filter") or {}).get("Status")
        size = paging.page_size(call.params)
        rows: list[Operation] = []
        for operation in self._state.operations.newest_first(kind, Status(wanted) if wanted else None, before):
            if len(rows) == size:
                return [_summarised(row) for row in rows], {"NextToken": paging.token(call.operation, rows[-1].number)}
            rows.append(operation)
        return [_summarised(row) for row in rows], {}

    def _list_assignments(self, call: Call) -> Answer:
        self._check_account(call.params["AccountId"])
        keys = self._state.assignments.on(call.params["AccountId"], call.params["PermissionSetArn"])
        return _assignments_page(call, keys)

    def _list_assignments_for_principal(self, call: Call) -> Answer:
        """Direct assignments only: AWS adds those through groups, whose members are not simulated."""
        account = (call.params.get("Filter") or {}).get("AccountId")
        keys = self._state.assignments.of(call.params["PrincipalType"], call.params["PrincipalId"])
        return _assignments_page(call, [key for key in keys if account in (None, key.account_id)])

    def _list_accounts_for_permission_set(self, call: Call) -> Answer:
        arn = call.params["PermissionSetArn"]
        found = {key.account_id: key.account_id for key in self._state.assignments if key.permission_set_arn == arn}
        rows, more = paging.page(call.operation, call.params, found)
        return {"AccountIds": rows, **more}

    def _list_permission_sets_in_account(self, call: Call) -> Answer:
        account = call.params["AccountId"]
        self._check_account(account)
        found = {
            key.permission_set_arn: key.permission_set_arn
            for key in self._state.assignments
            if key.account_id == account
        }
        rows, more = paging.page(call.operation, call.params, found)
        return {"PermissionSets": rows, **more}

    def _check_account(self, account_id: str) -> None:
        if account_id not in self._state.accounts:
            raise not_found(f"Account {account_id} was not found in the organization")


def _described(operation: Operation) -> Answer:
    reason = {} if operation.failure_reason is None else {"FailureReason": operation.failure_reason}
    return {
        **_summarised(operation),
        **reason,
        "TargetId": operation.key.account_id,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": operation.key.permission_set_arn,
        "PrincipalType": operation.key.principal_type,
        "PrincipalId": operation.key.principal_id,
    }


def _summarised(operation: Operation) -> Answer:
    return {
        "Status": operation.status.value,
        "RequestId": operation.request_id,
        "CreatedDate": operation.created,
    }


def _assignments_page(call: Call, keys: list[AssignmentKey]) -> Answer:
    found = {
        "/".join(key): {
            "AccountId": key.account_id,
            "PermissionSetArn": key.permission_set_arn,
            "PrincipalType": key.principal_type,
            "PrincipalId": key.principal_id,
        }
        for key in keys
    }
    rows, more = paging.page(call.operation, call.params, found)
    return {"AccountAssignments": rows, **more}

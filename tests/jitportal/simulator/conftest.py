"""Simulated AWS on a loopback port, with a clock in the test's hand and boto3 that never retries."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_identitystore import IdentityStoreClient
from mypy_boto3_organizations import OrganizationsClient
from mypy_boto3_sso_admin import SSOAdminClient
from mypy_boto3_sso_admin.literals import PrincipalTypeType

from jitportal.demo.simulator import Limits, Organisation, Simulator, SimulatorServer

from .small_organisation import ADA, PAYMENTS, READ_ONLY, SMALL

DELAY = 2.0
TARGETS = {
    "sso-admin": "SWBExternalService",
    "identitystore": "AWSIdentityStore",
    "organizations": "AWSOrganizationsV20161128",
}


class HandClock:
    """A clock that moves only by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Aws:
    """One running simulator and the clients of it."""

    def __init__(self, simulator: Simulator, server: SimulatorServer, clock: HandClock) -> None:
        self.simulator = simulator
        self.server = server
        self.clock = clock

    def client(self, service: Any, **overrides: Any) -> Any:
        given: dict[str, Any] = {
            "endpoint_url": self.server.url,
            "region_name": "eu-west-1",
            "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "aws_secret_access_key": "anything",
            "config": Config(retries={"total_max_attempts": 1}, read_timeout=10),
        }
        connect: Any = boto3.client
        return connect(service, **(given | overrides))

    @cached_property
    def sso(self) -> SSOAdminClient:
        client: SSOAdminClient = self.client("sso-admin")
        return client

    @cached_property
    def people(self) -> IdentityStoreClient:
        client: IdentityStoreClient = self.client("identitystore")
        return client

    @cached_property
    def organisation(self) -> OrganizationsClient:
        client: OrganizationsClient = self.client("organizations")
        return client

    def create(
        self,
        principal_id: str = ADA,
        account: str = PAYMENTS,
        permission_set: str = READ_ONLY,
        principal_type: PrincipalTypeType = "USER",
    ) -> str:
        """Begin a creation; gives its request id."""
        answer = self.sso.create_account_assignment(
            InstanceArn=SMALL.instance_arn,
            TargetId=account,
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=permission_set,
            PrincipalType=principal_type,
            PrincipalId=principal_id,
        )
        return answer["AccountAssignmentCreationStatus"]["RequestId"]

    def delete(self, principal_id: str = ADA, account: str = PAYMENTS, permission_set: str = READ_ONLY) -> str:
        """Begin a deletion; gives its request id."""
        answer = self.sso.delete_account_assignment(
            InstanceArn=SMALL.instance_arn,
            TargetId=account,
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=permission_set,
            PrincipalType="USER",
            PrincipalId=principal_id,
        )
        return answer["AccountAssignmentDeletionStatus"]["RequestId"]

    def created(self, request_id: str) -> Any:
        """How a creation stands."""
        answer = self.sso.describe_account_assignment_creation_status(
            InstanceArn=SMALL.instance_arn, AccountAssignmentCreationRequestId=request_id
        )
        return answer["AccountAssignmentCreationStatus"]

    def deleted(self, request_id: str) -> Any:
        """How a deletion stands."""
        answer = self.sso.describe_account_assignment_deletion_status(
            InstanceArn=SMALL.instance_arn, AccountAssignmentDeletionRequestId=request_id
        )
        return answer["AccountAssignmentDeletionStatus"]

    def holders(self, account: str = PAYMENTS, permission_set: str = READ_ONLY) -> list[str]:
        """The principals assigned, as AWS lists them."""
        answer = self.sso.list_account_assignments(
            InstanceArn=SMALL.instance_arn, AccountId=account, PermissionSetArn=permission_set
        )
        return [row["PrincipalId"] for row in answer["AccountAssignments"]]

    def wait_for_aws(self) -> None:
        """Let the delay of every operation pass."""
        self.clock.now += DELAY

    def raw(self, service: str, operation: str, params: dict[str, Any]) -> "RawAnswer":
        """The answer as it goes over the wire, before boto3 drops what it does not know."""
        headers = {
            "X-Amz-Target": f"{TARGETS[service]}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20300101/us-west-2/"
            f"{'sso' if service == 'sso-admin' else service}/aws4_request, SignedHeaders=host, Signature=0",
        }
        return send(Request(self.server.url + "/", json.dumps(params).encode(), headers, method="POST"))

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> "RawAnswer":
        """A call of ``/_simulator/<path>``."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return send(Request(f"{self.server.url}/_simulator/{path}", data, headers, method=method))


@dataclass(frozen=True)
class RawAnswer:
    """HTTP status and decoded JSON."""

    status: int
    body: dict[str, Any]


def send(request: Request) -> RawAnswer:
    """Send one HTTP request to the simulator."""
    try:
        with urlopen(request, timeout=10) as response:
            return RawAnswer(response.status, json.loads(response.read()))
    except HTTPError as refused:
        with refused:
            return RawAnswer(refused.code, json.loads(refused.read()))


Start = Callable[..., Aws]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts simulators of the small organisation, and stops them after the test."""
    running: list[Aws] = []

    def begin(
        limits: Limits | None = None,
        state_path: Path | None = None,
        organisation: Organisation | None = SMALL,
        clock: HandClock | None = None,
    ) -> Aws:
        clock = clock or HandClock()
        simulator = Simulator(organisation, state_path, clock, limits or Limits.lifted(delay=DELAY))
        server = SimulatorServer(simulator)
        server.start()
        running.append(Aws(simulator, server, clock))
        return running[-1]

    yield begin
    for each in running:
        each.server.stop()
        each.simulator.close()


@pytest.fixture
def aws(start: Start) -> Aws:
    """The small organisation without limits, two seconds an operation, and a clock that stands."""
    return start()

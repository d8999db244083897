"""moto behind the simulator: what it answers well, filled with our organisation.

moto keeps Organizations, STS, and the sso-admin reads of instances and permission sets. Its state is global
in a process and keyed by account, so each simulator fills an account of its own; what moto shows are our ids.
Writes are not passed on: moto's state is made afresh from the organisation and forgets them at a restart.
"""

import io
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from wsgiref.types import WSGIEnvironment

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.organizations.models import (
    FakeAccount,
    FakeOrganization,
    FakeOrganizationalUnit,
    FakeRoot,
    OrganizationsBackend,
    organizations_backends,
)
from moto.ssoadmin.models import (
    CustomerManagedPolicy,
    ManagedPolicy,
    PermissionSet,
    SSOAdminBackend,
    ssoadmin_backends,
)

from .call import Call, Reply
from .organisation import Organisation

ANSWERED = frozenset(
    {
        ("sso-admin", "ListInstances"),
        ("sso-admin", "ListPermissionSets"),
        ("sso-admin", "DescribePermissionSet"),
        ("sso-admin", "GetInlinePolicyForPermissionSet"),
        ("sso-admin", "ListManagedPoliciesInPermissionSet"),
        ("sso-admin", "ListCustomerManagedPolicyReferencesInPermissionSet"),
        ("organizations", "DescribeOrganization"),
        ("organizations", "ListRoots"),
        ("organizations", "ListAccounts"),
        ("organizations", "ListAccountsForParent"),
        ("organizations", "ListOrganizationalUnitsForParent"),
        ("organizations", "DescribeOrganizationalUnit"),
        ("organizations", "DescribeAccount"),
        ("organizations", "ListParents"),
        ("organizations", "ListTagsForResource"),
        ("sts", "GetCallerIdentity"),
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithWebIdentity"),
    }
)
"""The calls that moto answers."""

_NEVER_EMPTY = frozenset({"RelayState", "Description", "InlinePolicy"})
_FOUNDED = datetime(2024, 1, 1, tzinfo=UTC)
_INTERNAL_ACCOUNTS = itertools.count(900_000_000_000)


class MotoBackend:
    """moto's WSGI application, reached as one owner account and one region whatever the caller signed for."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._account = str(next(_INTERNAL_ACCOUNTS))
        self._owner = ""
        self._region = ""

    def fill(self, organisation: Organisation) -> None:
        """Make moto hold ``organisation`` and nothing else."""
        self._owner = organisation.management_account.id
        self._region = organisation.region
        _fill_organizations(organizations_backends[self._account]["aws"], organisation)
        _fill_sso(ssoadmin_backends[self._account][organisation.region], organisation)

    def answer(self, call: Call, environ: WSGIEnvironment) -> Reply:
        """moto's answer to ``call``, with the fields that AWS leaves out left out."""
        status, content_type, body = self._forward(call, environ)
        if "json" in content_type or call.service != "sts":
            document = _without_nulls(json.loads(body or b"{}"))
            if status == 400 and call.operation == "ListParents":
                # moto says AccountNotFoundException, which is not an error of this call.
                document["__type"] = "ChildNotFoundException"
            body, content_type = json.dumps(document).encode(), "application/x-amz-json-1.1"
        return Reply(status, content_type, body, call.request_id)

    def _forward(self, call: Call, environ: WSGIEnvironment) -> tuple[int, str, bytes]:
        inner = {**environ, "wsgi.input": io.BytesIO(call.body), "CONTENT_LENGTH": str(len(call.body))}
        if call.service != "sts":
            inner["HTTP_X_MOTO_ACCOUNT_ID"] = self._account
            inner["HTTP_AUTHORIZATION"] = _signed_for(environ.get("HTTP_AUTHORIZATION", ""), self._region)
        elif "HTTP_X_AMZ_SECURITY_TOKEN" not in environ:
            # Assumed roles carry a token, and moto then finds their account by their key.
            inner["HTTP_X_MOTO_ACCOUNT_ID"] = self._owner
        told: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
            told["status"] = int(status.partition(" ")[0])
            told["content_type"] = {name.lower(): value for name, value in headers}.get("content-type", "")

        answer = self._app(inner, start_response)
        try:
            body = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return told["status"], told["content_type"], body


def _fill_organizations(backend: OrganizationsBackend, organisation: Organisation) -> None:
    backend._reset()  # noqa: SLF001 (moto's own way to empty one account)
    org = FakeOrganization(organisation.management_account.id, region_name=organisation.region, feature_set="ALL")
    org.id = organisation.organization_id
    org.root_id = organisation.root_id
    org.master_account_email = organisation.management_account.email
    backend.org = org
    backend.ou.append(FakeRoot(org))
    for path in sorted(_paths(organisation)):
        parent, _, name = path.rpartition("/")
        unit = FakeOrganizationalUnit(org, Name=name, ParentId=organisation.ou_id(parent))
        unit.id = organisation.ou_id(path)
        backend.ou.append(unit)
    for number, account in enumerate(organisation.all_accounts):
        tags = [{"Key": key, "Value": value} for key, value in account.tags.items()]
        row = FakeAccount(org, AccountName=account.name, Email=account.email, Tags=tags)
        row.id = account.id
        row.parent_id = organisation.ou_id(account.ou)
        row.status = row.state = account.status
        row.joined_method = "INVITED" if number == 0 else "CREATED"
        # moto pages by this moment, so no two may be the same.
        row.create_time = (_FOUNDED + timedelta(hours=number)).replace(tzinfo=None)
        backend.accounts.append(row)


def _fill_sso(backend: SSOAdminBackend, organisation: Organisation) -> None:
    instance = backend.instances[0]
    instance.instance_arn = organisation.instance_arn
    instance.identity_store_id = organisation.identity_store_id
    instance.account_id = organisation.management_account.id
    instance.created_date = _FOUNDED.timestamp()
    backend.permission_sets = []
    for described in organisation.permission_sets:
        row = PermissionSet(
            name=described.name,
            description=described.description,
            instance_arn=organisation.instance_arn,
            session_duration=described.session_duration,
            relay_state="",
            tags=[],
        )
        row.permission_set_arn = organisation.permission_set_arn(described.name)
        row.created_date = _FOUNDED.timestamp()
        row.inline_policy = described.inline_policy
        for policy in described.managed_policies:
            if policy.startswith("arn:"):
                row.managed_policies.append(ManagedPolicy(policy, policy.rpartition("/")[2]))
            else:
                row.customer_managed_policies.append(CustomerManagedPolicy(policy))
        backend.permission_sets.append(row)


def _paths(organisation: Organisation) -> set[str]:
    """The paths of all organisational units, each parent's among them."""
    paths: set[str] = set()
    for account in organisation.all_accounts:
        parts = account.ou.split("/") if account.ou else []
        paths.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return paths


def _signed_for(authorization: str, region: str) -> str:
    """The header with its credential scope's region replaced."""
    head, mark, rest = authorization.partition("Credential=")
    scope, comma, tail = rest.partition(",")
    parts = scope.split("/")
    if len(parts) == 5:
        parts[2] = region
    return f"{head}{mark}{'/'.join(parts)}{comma}{tail}"


def _without_nulls(value: Any) -> Any:
    """AWS omits what it does not know; moto writes null, or an empty string where that is no value."""
    if isinstance(value, dict):
        return {
            key: _without_nulls(item)
            for key, item in value.items()
            if item is not None and not (item == "" and key in _NEVER_EMPTY)
        }
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value

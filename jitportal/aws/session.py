"""Makes AWS clients: whose credentials, which region, how long to wait, and that nothing is retried behind our back."""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.loaders import create_loader
from botocore.session import Session, get_session
from django.conf import settings

if TYPE_CHECKING:
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_sso_admin import SSOAdminClient

# Convergence repeats calls itself, with what it knows of the assignment; a retry inside boto3 would hide a lost reply
# and could outlast the claim (accessrequests.convergence.LEASE).
CONFIG: Final = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=32,
    user_agent_extra="jitportal",
)

# It keeps what it reads of botocore's descriptions of AWS: they are large, and every client asks for the same ones.
LOADER: Final = create_loader()

# Reading the inventory claims nothing and may wait: botocore slows down by itself when AWS throttles.
PATIENT: Final = CONFIG.merge(Config(retries={"mode": "adaptive", "total_max_attempts": 10}))


def sso_admin(*, patient: bool = False) -> "SSOAdminClient":
    """A client of IAM Identity Center's assignments and permission sets."""
    config = PATIENT if patient else CONFIG
    return _session().client("sso-admin", endpoint_url=settings.AWS_ENDPOINT_URL or None, config=config)


def identity_store() -> "IdentityStoreClient":
    """A client of Identity Center's people and groups."""
    return _session().client("identitystore", endpoint_url=settings.AWS_ENDPOINT_URL or None, config=CONFIG)


def organizations() -> "OrganizationsClient":
    """A client of the organisation's accounts."""
    return _session().client("organizations", endpoint_url=settings.AWS_ENDPOINT_URL or None, config=CONFIG)


def _session() -> boto3.Session:
    """Our own credentials, or those of the role that the settings name, renewed as they run out."""
    base = _plain_session()
    if settings.AWS_ENDPOINT_URL:
        # The simulator asks for a signature, not for a secret; nothing of this machine's AWS configuration goes there.
        base.set_credentials("simulator", "simulator")
    elif settings.AWS_ROLE_ARN:
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=base.create_client,
            source_credentials=base.get_credentials(),
            role_arn=settings.AWS_ROLE_ARN,
            extra_args={"RoleSessionName": "jitportal"},
        )
        assumed = _plain_session()
        # botocore has no public way to hand a session credentials that renew themselves.
        renewed = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        assumed._credentials = renewed  # type: ignore[attr-defined]  # noqa: SLF001
        base = assumed
    return boto3.Session(botocore_session=base, region_name=settings.AWS_REGION)


def _plain_session() -> Session:
    plain: Session = get_session()
    plain.register_component("data_loader", LOADER)
    return plain

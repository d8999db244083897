"""Sorts what botocore raises into the domain's four kinds of trouble, keeping AWS's words and adding a remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
)

from accessrequests.provisioner import Gone, NotDone, ProvisionerError, Refused, Unclear

# AWS turned the call away before doing anything. Sources: the service model's exceptions, and Throttling as documented.
TURNED_AWAY: Final = frozenset(
    {
        "ThrottlingException",
        "TooManyRequestsException",
        "ConflictException",
        "Throttling",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
# Our own credentials are at fault, not what was asked: it goes on when an admin has renewed them.
CREDENTIALS: Final = frozenset(
    {"UnrecognizedClientException", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException"}
)
GONE: Final = frozenset({"ResourceNotFoundException", "TargetNotFoundException"})
REMEDIES: Final = {
    "AccessDeniedException": "An admin must give the portal's role this permission; see the README's least policy.",
    "ServiceQuotaExceededException": "An admin must free or raise this quota in AWS.",
    "ValidationException": "An admin must compare the catalog with AWS.",
    "ResourceNotFoundException": "An admin must compare the catalog with AWS: it is no longer there.",
}


@contextmanager
def translated() -> Iterator[None]:
    """Runs one AWS call.

    Raises:
        NotDone, Unclear, Refused, Gone: whatever the call raised, sorted.
    """
    try:
        yield
    except ClientError as error:
        raise _sorted(error) from error
    except (EndpointConnectionError, ConnectTimeoutError) as error:
        raise NotDone("AWS cannot be reached.", "It is tried again by itself.") from error
    except NoCredentialsError as error:
        raise NotDone("The portal has no AWS credentials.", "An admin must give the workers a role.") from error
    except BotoCoreError as error:
        raise Unclear(f"AWS did not answer ({type(error).__name__}).", "It is tried again by itself.") from error


def _sorted(error: ClientError) -> ProvisionerError:
    code = error.response.get("Error", {}).get("Code", "Unknown")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    words = f"AWS said {code}: {error.response.get('Error', {}).get('Message') or 'no more'}"
    if code in TURNED_AWAY:
        return NotDone(words, "It is tried again by itself.")
    if code in CREDENTIALS:
        return NotDone(words, "An admin must renew the portal's AWS credentials.")
    if code in GONE:
        return Gone(words, REMEDIES["ResourceNotFoundException"])
    if status >= 500:
        return Unclear(words, "It is tried again by itself.")
    return Refused(words, REMEDIES.get(code, "An admin must look into it."))

"""The errors the simulator answers with, as AWS names and words them."""

from collections.abc import Mapping

RATE_EXCEEDED = "Rate exceeded"
TOO_MANY_PROCESSING = "There are too many requests processing. Please try again later."
CONFLICTING_OPERATION = "There is a conflicting operation in process."
INTERNAL_FAILURE = "An unexpected internal service exception was encountered"


class AwsError(Exception):
    """One error answer: ``code`` is the exception's name in AWS's service model, ``status`` the HTTP status.

    ``members`` are further fields of the error's shape (``ResourceType`` of the identity store, say).
    """

    def __init__(self, code: str, message: str, *, status: int = 400, members: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})


class ReplyLostError(Exception):
    """The connection is to be closed without an answer, whether or not the change was made."""


def throttled(service: str, message: str = RATE_EXCEEDED) -> AwsError:
    """The throttling error of ``service``; Organizations has a name of its own for it."""
    if service == "organizations":
        return AwsError("TooManyRequestsException", message)
    if service == "sts":
        return AwsError("Throttling", message)
    return AwsError("ThrottlingException", message)


def internal(service: str, message: str = INTERNAL_FAILURE) -> AwsError:
    """The 500 of ``service``."""
    codes = {"organizations": "ServiceException", "sts": "InternalFailure"}
    return AwsError(codes.get(service, "InternalServerException"), message, status=500)


def conflict(message: str = CONFLICTING_OPERATION) -> AwsError:
    """Two operations met on one key."""
    return AwsError("ConflictException", message)


def access_denied(service: str, operation: str, message: str | None = None) -> AwsError:
    """The caller's role lacks the permission for ``operation``."""
    action = f"{'sso' if service == 'sso-admin' else service}:{operation}"
    said = message or f"User is not authorized to perform: {action}"
    if service == "sts":
        return AwsError("AccessDenied", said, status=403)
    return AwsError("AccessDeniedException", said)


def not_found(message: str, **members: str) -> AwsError:
    """Something named in the call does not exist."""
    return AwsError("ResourceNotFoundException", message, members=members)


def invalid(message: str) -> AwsError:
    """The call breaks a constraint of the service model."""
    return AwsError("ValidationException", message)


def not_simulated(service: str, operation: str) -> AwsError:
    """The call exists in AWS but not here: a 400, which no client retries, where moto would answer 500."""
    return AwsError(
        "NotImplementedException",
        f"The simulator does not implement {service}:{operation}. Add it to jitportal/demo/simulator "
        "or use a call that is implemented.",
    )

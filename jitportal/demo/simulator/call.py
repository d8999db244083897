"""One call of an AWS API as it came over HTTP, and the answer to it in the protocol of its service."""

import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import WSGIEnvironment
from xml.sax.saxutils import escape

from .errors import AwsError, invalid

Params = dict[str, Any]

_SERVICES = {
    "SWBExternalService": "sso-admin",
    "AWSIdentityStore": "identitystore",
    "AWSOrganizationsV20161128": "organizations",
}


@dataclass(frozen=True)
class Call:
    """``service`` as boto3 names it, ``operation`` as AWS does; ``params`` are empty for STS."""

    service: str
    operation: str
    params: Params
    body: bytes
    request_id: str

    @property
    def accounts(self) -> tuple[object, ...]:
        """The account ids that the call names."""
        return self.params.get("TargetId"), self.params.get("AccountId")

    @property
    def principals(self) -> tuple[object, ...]:
        """The identity store ids that the call names."""
        return self.params.get("PrincipalId"), self.params.get("UserId"), self.params.get("GroupId")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    request_id: str


def read_body(environ: WSGIEnvironment) -> bytes:
    """The body of a request."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def read_call(environ: WSGIEnvironment) -> Call:
    """The call that a request makes; a service that is not simulated comes out under its own name."""
    body = read_body(environ)
    request_id = str(uuid.uuid4())
    prefix, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    if operation:
        return Call(_SERVICES.get(prefix, prefix), operation, {}, body, request_id)
    action = parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    signed_for = _signing_name(environ.get("HTTP_AUTHORIZATION", ""))
    service = signed_for or ("sts" if action.startswith("AssumeRoleWith") else "unknown")
    operation = action or f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '/')}"
    return Call(service, operation, {}, body, request_id)


def json_params(call: Call) -> Params:
    """The parameters of a JSON call; AwsError if the body is not a JSON object."""
    try:
        params = json.loads(call.body or b"{}")
    except ValueError:
        raise AwsError("SerializationException", "The body is not JSON") from None
    if not isinstance(params, dict):
        raise invalid("The body must be a JSON object")
    return params


def success(call: Call, result: dict[str, Any]) -> Reply:
    """``result`` as AWS's JSON protocol has it."""
    return Reply(200, "application/x-amz-json-1.1", json.dumps(result).encode(), call.request_id)


def failure(call: Call, error: AwsError, *, query_protocol: bool) -> Reply:
    """``error`` in the JSON protocol, or in the XML of the query protocol."""
    if query_protocol:
        body = (
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
            f"<Type>{'Sender' if error.status < 500 else 'Receiver'}</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message></Error>"
            f"<RequestId>{call.request_id}</RequestId></ErrorResponse>"
        )
        return Reply(error.status, "text/xml", body.encode(), call.request_id)
    document = {"__type": error.code, "Message": error.message, **error.members}
    return Reply(error.status, "application/x-amz-json-1.1", json.dumps(document).encode(), call.request_id)


def _signing_name(authorization: str) -> str:
    """The service in the credential scope of a SigV4 header, empty if there is none."""
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return scope[3] if len(scope) == 5 else ""

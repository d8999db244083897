"""An application that asks a directory to sign people in, as the portal would or in some wrong way."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
from jwt.types import Options

from jitportal.demo.directory import Directory, Group, Person

TENANT = "7d3c9a52-0b61-4e1f-9d0e-5b1f2c3d4e5f"
CLIENT = "c1b2a3d4-5e6f-4a1b-8c2d-9e0f1a2b3c4d"
CALLBACK = "http://127.0.0.1:8000/sign-in/entra/callback/"
LANDING = "http://127.0.0.1:8000/sign-in/"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

PAYMENTS = Group("b0000000-0000-4000-8000-000000000001", "Payments")
ERIN = Person(
    "e0000000-0000-4000-8000-000000000001",
    "Erin <Engineer>",
    "erin@example.com",
    "erin@example.com",
    "Payments",
    "Engineer",
    (PAYMENTS,),
    part="Asks for access.",
    roles=("Reader",),
)
GUS = Person("e0000000-0000-4000-8000-000000000002", "Gus Guest", "gus@partner.example", guest=True)
DEB = Person("e0000000-0000-4000-8000-000000000003", "Deb Disabled", "deb@example.com", enabled=False)


@dataclass
class Clock:
    """Epoch seconds that move when told to."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Application:
    """A client that asks as an application would, with any parameter changed or left out (None)."""

    directory: Directory
    clock: Clock
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.http.trust_env = False

    def get(self, address: str, **parameters: str) -> requests.Response:
        return self.http.get(address, params=parameters, allow_redirects=False, timeout=20)

    def endpoint(self, name: str) -> str:
        address: str = self.get(f"{self.directory.issuer}/.well-known/openid-configuration").json()[name]
        return address

    def ask(self, **changes: str | None) -> requests.Response:
        return self.get(self.endpoint("authorization_endpoint"), **asked(changes))

    def pick(self, person: Person = ERIN, /, **changes: str | None) -> requests.Response:
        return self.http.post(
            self.endpoint("authorization_endpoint"),
            params=asked(changes),
            data={"person": person.object_id, "confirmed": "1"},
            allow_redirects=False,
            timeout=20,
        )

    def code(self, person: Person = ERIN, /, **changes: str | None) -> str:
        return answer(self.pick(person, **changes))["code"]

    def exchange(self, code: str, /, **changes: str | None) -> requests.Response:
        form: dict[str, str | None] = {
            "client_id": CLIENT,
            "client_secret": "secret",
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.http.post(self.endpoint("token_endpoint"), data=form, timeout=20)

    def claims(self, person: Person = ERIN, /, **changes: str | None) -> dict[str, Any]:
        """The verified claims of a whole sign-in, at the directory's time."""
        token = self.exchange(self.code(person, **changes)).json()["id_token"]
        keys = jwt.PyJWKSet.from_dict(self.get(self.endpoint("jwks_uri")).json())
        key = keys[jwt.get_unverified_header(token)["kid"]]
        # The directory's clock stands wherever the test put it, so times are compared by the test.
        any_time = Options(verify_exp=False, verify_iat=False, verify_nbf=False)
        return jwt.decode(token, key, ["RS256"], any_time, audience=CLIENT)


def asked(changes: dict[str, str | None]) -> dict[str, str]:
    parameters: dict[str, str | None] = {
        "client_id": CLIENT,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile email",
        "state": "st&te",
        "nonce": "n-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def answer(response: requests.Response) -> dict[str, str]:
    """What the directory sent back to the application, which must have been at its own address."""
    assert response.status_code == 303
    location = response.headers["Location"]
    assert location.startswith(f"{CALLBACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

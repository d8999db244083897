"""The directory's signing keys, published as a JWK set and rotated on demand."""

import secrets
import threading
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm


class SigningKeys:
    """RSA keys: the newest signs; the one before stays published for tokens that are on their way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: list[tuple[str, RSAPrivateKey]] = []
        self.rotate()

    def rotate(self) -> None:
        """Signs with a new key from now on."""
        key = (secrets.token_urlsafe(20), generate_private_key(public_exponent=65537, key_size=2048))
        with self._lock:
            self._keys = [key, *self._keys[:1]]

    def forget_earlier(self) -> None:
        """Publishes nothing but the key that signs now."""
        with self._lock:
            self._keys = self._keys[:1]

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact JWS, RS256, with the key's id in its header."""
        key_id, key = self._keys[0]
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": key_id})

    def published(self) -> dict[str, Any]:
        """The JWK set, public halves only."""
        with self._lock:
            keys = list(self._keys)
        return {
            "keys": [
                {
                    **RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
                    "use": "sig",
                    "kid": key_id,
                    "alg": "RS256",
                }
                for key_id, key in keys
            ]
        }

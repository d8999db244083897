"""The offline verifier's Ed25519 against the cryptography library's."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlog import chain

keys = st.binary(min_size=32, max_size=32).map(Ed25519PrivateKey.from_private_bytes)


@settings(max_examples=30)
@given(keys, st.binary(max_size=200))
def test_what_the_library_signed_is_accepted(key: Ed25519PrivateKey, message: bytes) -> None:
    assert chain.signed(key.public_key().public_bytes_raw(), message, key.sign(message))


@settings(max_examples=30)
@given(keys, st.binary(min_size=1, max_size=50), st.integers(0, 511))
def test_one_wrong_bit_of_a_signature_is_refused(key: Ed25519PrivateKey, message: bytes, bit: int) -> None:
    signature = bytearray(key.sign(message))
    signature[bit // 8] ^= 1 << bit % 8
    assert not chain.signed(key.public_key().public_bytes_raw(), message, bytes(signature))


@settings(max_examples=30)
@given(keys, keys, st.binary(max_size=50))
def test_another_key_or_message_is_refused(key: Ed25519PrivateKey, other: Ed25519PrivateKey, message: bytes) -> None:
    public, stranger = key.public_key().public_bytes_raw(), other.public_key().public_bytes_raw()
    assert not chain.signed(public, message + b"!", key.sign(message))
    assert (stranger == public) == chain.signed(stranger, message, key.sign(message))


def test_a_vector_of_rfc_8032_is_accepted() -> None:
    # https://www.rfc-editor.org/rfc/rfc8032#section-7.1, test 2
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert chain.signed(public, bytes([0x72]), signature)


def test_a_second_form_of_a_signature_is_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    signature = key.sign(b"message")
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(signature[32:], "little") + order
    again = signature[:32] + scalar.to_bytes(32, "little")
    assert not chain.signed(key.public_key().public_bytes_raw(), b"message", again)


def test_wrong_lengths_are_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw()
    assert not chain.signed(public, b"", b"")
    assert not chain.signed(public[:31], b"", key.sign(b""))
    assert not chain.signed(b"\xff" * 32, b"", key.sign(b""))

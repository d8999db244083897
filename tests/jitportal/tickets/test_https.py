"""Over https the server must be who it says it is, and agreeing on that counts within the deadline."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings

from accessrequests.ticketing import Answer, NoAnswer
from jitportal.tickets import webhook
from jitportal.tickets.webhook import Webhook
from tests.jitportal.tickets.test_webhook import QUESTION, SECRET

YES = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"valid": true}'


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tickets")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "tickets.pem"
    unencrypted = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(pem, form, unencrypted) + made.public_bytes(pem))
    return path


@pytest.fixture
def listening(settings: Settings) -> Iterator[socket.socket]:
    """A port that is open, where nothing answers by itself."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        settings.TICKET_WEBHOOK_URL = f"https://127.0.0.1:{made.getsockname()[1]}/check"
        settings.TICKET_WEBHOOK_SECRET = SECRET
        yield made


def served(listening: socket.socket, certificate: Path) -> threading.Thread:
    """Answers one question with a yes, if whoever asks goes on after it has seen the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def answer() -> None:
        connection, _ = listening.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                asked = secured.makefile("rb")
                length = 0
                while line := asked.readline().strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                # Whoever hangs up on what they have not read takes the answer back.
                asked.read(length)
                secured.sendall(YES)
        except OSError:
            connection.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread


def test_a_server_that_the_machine_trusts_is_asked(
    listening: socket.socket, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    thread = served(listening, certificate)
    assert Webhook().check(QUESTION) == Answer(True)
    thread.join(20)


def test_a_server_that_nobody_vouches_for_is_told_nothing(listening: socket.socket, certificate: Path) -> None:
    thread = served(listening, certificate)
    with pytest.raises(NoAnswer, match=r"could not be reached \(SSLCertVerificationError\)"):
        Webhook().check(QUESTION)
    thread.join(20)


def test_a_server_that_never_agrees_on_anything_is_given_up(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "DEADLINE", 0.2)
    with pytest.raises(NoAnswer, match="did not answer within"):
        Webhook().check(QUESTION)

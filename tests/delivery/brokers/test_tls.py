"""TLS to every kind of broker: a server that cannot prove who it is gets nothing, one that can is talked to.

The servers are a listener that only shakes hands. NATS begins in the clear, with a word that asks for TLS.
"""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from brokers import claim, sender
from statekeeper.core.retry import Outcome

INFO = b'INFO {"tls_required": true, "auth_required": true, "headers": true}\r\n'
schemes = pytest.mark.parametrize("scheme", ["tls", "amqps", "kafka+ssl", "rediss"])


@pytest.fixture
def certificate(tmp_path):
    """A file with a certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = tmp_path / "broker.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
async def listen(certificate):
    """Listen as a broker of this scheme would; returns the port, and what was heard over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    servers = []

    async def listen(scheme):
        heard = bytearray()

        async def converse(reader, writer):
            try:
                if scheme == "tls":
                    writer.write(INFO)
                    await writer.start_tls(context)
                heard.extend(await reader.read(1024))
            except OSError:
                pass
            writer.transport.abort()

        tls = {} if scheme == "tls" else {"ssl": context}
        servers.append(await asyncio.start_server(converse, "127.0.0.1", 0, **tls))
        return servers[-1].sockets[0].getsockname()[1], heard

    yield listen
    for server in servers:
        server.close()
        await server.wait_closed()


async def attempt(scheme, port):
    bus = sender(f"{scheme}://user:hunter2@127.0.0.1:{port}", "ended")
    try:
        async with asyncio.timeout(20):
            return await bus.send(claim())
    finally:
        await bus.close()


@schemes
async def test_a_server_that_cannot_prove_who_it_is_hears_nothing(listen, scheme):
    port, heard = await listen(scheme)
    answer = await attempt(scheme, port)
    assert answer.outcome is Outcome.FAILED
    assert heard == b""
    assert ("certificate verify failed" in answer.detail) == (scheme != "kafka+ssl"), "it logs what it does not tell"


@schemes
async def test_a_server_that_an_authority_of_the_operators_vouches_for_is_talked_to(
    listen, certificate, monkeypatch, scheme
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    port, heard = await listen(scheme)
    answer = await attempt(scheme, port)
    assert answer.outcome is Outcome.FAILED
    assert heard
    assert "hunter2" not in answer.detail
    assert (b"hunter2" in heard) == (scheme in {"tls", "rediss"})

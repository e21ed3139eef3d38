"""The way out, to receivers that really listen: only the look-up of names is made up."""

import asyncio
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from types import SimpleNamespace
from uuid import UUID

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from receiver import Answer, Receiver
from statekeeper.core.addresses import Reach
from statekeeper.core.retry import Outcome
from statekeeper.delivery import guard
from statekeeper.delivery.clients import open_client
from statekeeper.delivery.endpoints import Endpoint, HttpSender
from statekeeper.store.attempts import Claim

SECRET = "whsec_bmV3IHNlY3JldCBvZiBhdCBsZWFzdCAyNCBieXRlcw=="
CLAIM = Claim(UUID(int=1), UUID(int=2), 2, "crm", "{}", number=1, tries=0)
LOCAL = Reach(loopback=True)
ONE_ADDRESS = Reach((ip_network("127.0.0.1/32"),))


class Names:
    """What names lead to: with each look-up to the next of these lists of addresses, and to the last for ever."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def __call__(self, host, port):
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Dialer(httpcore.AnyIOBackend):
    """Dials, and remembers what; the addresses that are `silent` do not answer in time."""

    def __init__(self, *silent):
        self.silent = silent
        self.dialled = []

    async def connect_tcp(self, host, port, timeout=None, *others):  # noqa: ASYNC109 -- httpcore's own
        self.dialled.append((host, timeout))
        if host in self.silent:
            raise httpcore.ConnectTimeout
        return await super().connect_tcp(host, port, timeout, *others)


@pytest.fixture
async def open_way():
    """A client for this reach and these names, with a dialer that remembers."""
    clients = []

    def open_way(reach, names=guard.resolve, context=None, dialer=None):
        client = open_client(reach, context, names)
        client.dialer = client._transport._guard._dialer = dialer or Dialer()
        clients.append(client)
        return client

    yield open_way
    for client in clients:
        await client.aclose()


async def post(client, url):
    return await HttpSender(Endpoint("crm", url, (SECRET,)), client).send(CLAIM)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.5", "127.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "::ffff:127.0.0.1", "2002:7f00:1::", "fd00::1"],
)
async def test_a_name_that_leads_to_an_address_which_is_not_public_is_a_failed_attempt_without_a_connection(
    open_way, address
):
    client = open_way(Reach(), Names([address]))
    answer = await post(client, "https://crm.test/hook?key=hidden")
    assert answer.outcome is Outcome.FAILED
    assert answer.detail.startswith(f"refused: {guard.ip_address(address)} is ")
    assert answer.detail.endswith("; delivery.allowed_networks could allow it")
    assert client.dialer.dialled == []
    assert client._transport.connections == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_not_reached_however_its_address_is_written(open_way, host):
    async with Receiver() as receiver:
        client = open_way(Reach())
        answer = await post(client, f"http://{host}:{receiver.port}/")
        assert "is loopback; delivery.allowed_networks could allow it" in answer.detail
        assert (client.dialer.dialled, receiver.requests) == ([], [])


@pytest.mark.parametrize("reach", [LOCAL, ONE_ADDRESS])
async def test_what_is_within_reach_is_dialled(open_way, reach):
    async with Receiver() as receiver:
        assert (await post(open_way(reach), receiver.url)).outcome is Outcome.DELIVERED


async def test_of_a_name_that_leads_to_both_only_the_address_within_reach_is_dialled(open_way):
    async with Receiver() as receiver:
        client = open_way(ONE_ADDRESS, Names(["10.0.0.5", "127.0.0.1", "::1"]))
        assert (await post(client, f"http://crm.test:{receiver.port}/")).outcome is Outcome.DELIVERED
        assert client.dialer.dialled == [("127.0.0.1", None)]


async def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_dialled(open_way):
    async with Receiver() as receiver:
        names = Names(["127.0.0.1"], ["127.0.0.2"])
        client = open_way(ONE_ADDRESS, names)
        assert (await post(client, f"http://crm.test:{receiver.port}/")).outcome is Outcome.DELIVERED
        assert names.asked == [("crm.test", receiver.port)]
        assert receiver.requests[0].headers["host"] == f"crm.test:{receiver.port}"


async def test_a_name_that_leads_elsewhere_later_is_refused_with_the_next_connection(open_way):
    async with Receiver(Answer(drop=True)) as receiver:
        client = open_way(ONE_ADDRESS, Names(["127.0.0.1"], ["127.0.0.2"]))
        url = f"http://crm.test:{receiver.port}/"
        assert (await post(client, url)).detail.startswith("RemoteProtocolError")
        assert (await post(client, url)).detail.startswith("refused: 127.0.0.2 is loopback")
        assert len(receiver.requests) == 1


async def test_an_address_that_does_not_connect_gives_way_to_the_next(open_way):
    async with Receiver() as receiver:
        client = open_way(LOCAL, Names(["127.0.0.3", "127.0.0.2", "127.0.0.1"]), dialer=Dialer("127.0.0.3"))
        assert (await post(client, f"http://crm.test:{receiver.port}/")).outcome is Outcome.DELIVERED
        patience = guard.CONNECT_SECONDS
        assert client.dialer.dialled == [("127.0.0.3", patience), ("127.0.0.2", patience), ("127.0.0.1", None)]


async def test_if_no_address_connects_the_last_one_says_why(open_way):
    async with Receiver() as receiver:
        port = receiver.port
    client = open_way(LOCAL, Names(["127.0.0.2", "127.0.0.1"]))
    assert (await post(client, f"http://crm.test:{port}/")).detail.startswith("ConnectError")
    assert [host for host, _ in client.dialer.dialled] == ["127.0.0.2", "127.0.0.1"]


@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("label too long")])
async def test_a_name_that_cannot_be_looked_up_is_a_failed_attempt(open_way, error):
    async def fail(host, port):
        raise error

    answer = await post(open_way(Reach(), fail), "https://crm.test/")
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, f"ConnectError: {error}")


async def test_a_name_without_an_address_is_a_failed_attempt(open_way):
    answer = await post(open_way(Reach(), Names([])), "https://crm.test/")
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, "refused: the name has no address")


async def test_a_host_that_is_slow_to_be_found_is_looked_up_once_for_all_who_wait(open_way):
    asked, found, names = asyncio.Event(), asyncio.Event(), Names(["127.0.0.1"])

    async def slowly(host, port):
        answer = await names(host, port)
        asked.set()
        await found.wait()
        return answer

    async with Receiver() as receiver:
        client = open_way(LOCAL, slowly)
        posts = [asyncio.create_task(client.post(f"http://crm.test:{receiver.port}/")) for _ in range(3)]
        await asked.wait()
        posts[0].cancel()
        found.set()
        await asyncio.gather(*posts, return_exceptions=True)
    assert [post.result().status_code for post in posts[1:]] == [200, 200]
    assert len(names.asked) == 1


async def test_the_system_looks_names_up():
    assert set(await guard.resolve("localhost", 80)) <= {"127.0.0.1", "::1"}


STUCK = """
import asyncio, socket, threading
from statekeeper.delivery import guard

async def give_up():
    begun, stuck = threading.Event(), threading.Event()
    socket.getaddrinfo = lambda *_, **__: begun.set() or stuck.wait()
    asking = asyncio.create_task(guard.resolve("crm.test", 443))
    await asyncio.to_thread(begun.wait)
    asking.cancel()

asyncio.run(give_up())
"""


def test_a_name_server_that_does_not_answer_keeps_no_process_from_ending():
    assert subprocess.run([sys.executable, "-c", STUCK], timeout=20, check=True).returncode == 0


async def test_an_idle_connection_is_used_again_without_a_look_up(open_way):
    async with Receiver() as receiver:
        names = Names(["127.0.0.1"])
        client = open_way(LOCAL, names)
        for _ in range(3):
            await post(client, f"http://crm.test:{receiver.port}/")
        assert len(names.asked) == 1


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, directory):
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("authority.test", self.key, ca=True)

    @property
    def trusting(self):
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=self.certificate.public_bytes(serialization.Encoding.PEM).decode())
        return context

    def serving(self, name):
        """A server's context, with a certificate for this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        file = self.directory / f"{name}.pem"
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, *form)
            + self._sign(name, key).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(self, name, key, *, ca=False):
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if ca else self.certificate.subject
        signer = self.key.public_key()
        return (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
            .add_extension(_usage(ca), critical=True)
            .sign(self.key, hashes.SHA256())
        )


def _usage(ca):
    others = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    return x509.KeyUsage(digital_signature=True, key_cert_sign=ca, crl_sign=ca, decipher_only=False, **others)


@asynccontextmanager
async def tls_receiver(context):
    """A receiver behind TLS; the names that were asked for are in `asked`, and requests in `got`."""

    async def converse(reader, writer):
        server.got.append(await reader.readuntil(b"\r\n\r\n{}"))
        writer.write(b"HTTP/1.1 204 Answer\r\n\r\n")
        await writer.drain()
        writer.close()

    def note(_socket, name, _context):
        server.asked.append(name)

    context.sni_callback = note
    async with await asyncio.start_server(converse, "127.0.0.1", 0, ssl=context) as listening:
        server = SimpleNamespace(port=listening.sockets[0].getsockname()[1], asked=[], got=[])
        yield server


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


async def test_a_certificate_for_the_name_is_believed_and_the_name_is_what_is_asked_for(open_way, authority):
    async with tls_receiver(authority.serving("crm.test")) as server:
        client = open_way(LOCAL, Names(["127.0.0.1"]), authority.trusting)
        answer = await post(client, f"https://crm.test:{server.port}/")
    assert (answer.outcome, server.asked) == (Outcome.DELIVERED, ["crm.test"])


@pytest.mark.parametrize("name", ["other.test", "127.0.0.1"])
async def test_a_certificate_for_another_name_is_not_believed_and_gets_nothing(open_way, authority, name):
    async with tls_receiver(authority.serving(name)) as server:
        client = open_way(LOCAL, Names(["127.0.0.1"]), authority.trusting)
        answer = await post(client, f"https://crm.test:{server.port}/")
    assert answer.outcome is Outcome.FAILED
    assert "certificate verify failed: Hostname mismatch" in answer.detail
    assert server.got == []


async def test_an_authority_that_nobody_knows_is_not_believed(open_way, authority):
    async with tls_receiver(authority.serving("crm.test")) as server:
        answer = await post(open_way(LOCAL, Names(["127.0.0.1"])), f"https://crm.test:{server.port}/")
    assert answer.outcome is Outcome.FAILED
    assert "certificate verify failed" in answer.detail

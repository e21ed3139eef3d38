"""Which endpoint goes out by which client."""

from uuid import UUID

import pytest

from receiver import Receiver
from statekeeper.core.addresses import literal_refusal
from statekeeper.core.retry import Outcome
from statekeeper.delivery.clients import Clients
from statekeeper.delivery.endpoints import Endpoint, HttpSender
from statekeeper.store.attempts import Claim

SECRET = "whsec_bmV3IHNlY3JldCBvZiBhdCBsZWFzdCAyNCBieXRlcw=="
CLAIM = Claim(UUID(int=1), UUID(int=2), 2, "crm", "{}", number=1, tries=0)


@pytest.fixture
async def clients():
    clients = Clients()
    yield clients
    await clients.aclose()


async def post(clients, url, *, trusted):
    endpoint = Endpoint("crm", url, (SECRET,), trusted=trusted)
    return await HttpSender(endpoint, clients.client_for(endpoint)).send(CLAIM)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_endpoint_of_the_settings_that_names_this_machine_goes_there(clients, host):
    async with Receiver() as receiver:
        answer = await post(clients, f"http://{host}:{receiver.port}/", trusted=True)
    assert answer.outcome is Outcome.DELIVERED


async def test_any_other_endpoint_does_not_not_even_by_a_connection_that_is_open(clients):
    async with Receiver() as receiver:
        assert (await post(clients, receiver.url, trusted=True)).outcome is Outcome.DELIVERED
        assert len(clients._local._transport.connections) == 1
        answer = await post(clients, receiver.url, trusted=False)
        assert (answer.outcome, answer.detail.split(";")[0]) == (Outcome.FAILED, "refused: 127.0.0.1 is loopback")
        assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "url", ["https://crm.example/", "https://localhost.example/", "https://10.0.0.5/", "https://localhost@crm.example/"]
)
async def test_an_endpoint_of_the_settings_that_names_another_host_is_guarded(clients, url):
    assert clients.client_for(Endpoint("crm", url, (SECRET,), trusted=True)) is clients._guarded


async def test_whoever_makes_an_endpoint_can_ask_first_whether_its_address_is_within_reach(clients):
    assert literal_refusal("https://10.0.0.5/", clients.reach) is not None
    assert literal_refusal("http://localhost:9000/", clients.reach) is not None
    assert literal_refusal("https://crm.example/", clients.reach) is None


async def test_a_network_that_the_settings_allow_is_open_to_all_endpoints():
    clients = Clients(["127.0.0.0/8"])
    async with Receiver() as receiver:
        assert (await post(clients, receiver.url, trusted=False)).outcome is Outcome.DELIVERED
    await clients.aclose()

"""What is known of a provider, for how long, and how often it is asked: by a clock that is moved and not waited for."""

import json

import pytest

import forge
from provider import SIGNER, Provider, rs256
from statekeeper.console.entrance.discovery import GOOD_FOR, PAUSE, Discovery, Metadata
from statekeeper.core.errors import NotVerified, Unavailable
from statekeeper.trust.compact import read_token

DISCOVERY = "/.well-known/openid-configuration"


class Watch:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def provider():
    with Provider() as provider:
        yield provider


@pytest.fixture
async def discovery(provider, watch):
    discovery = Discovery(provider.issuer, clock=watch)
    yield discovery
    await discovery.client.aclose()


TOKEN = read_token(rs256({"sub": "1"}).encode())


@pytest.mark.parametrize("methods", [None, "client_secret_post", {}, 7])
def test_a_description_whose_list_of_methods_is_none_is_taken_as_one_without(provider, methods):
    said = provider.discovery() | {"token_endpoint_auth_methods_supported": methods}
    assert not Metadata.read(json.dumps(said), provider.issuer).secret_in_body


async def test_the_provider_is_asked_once_in_a_while(discovery, provider, watch):
    for _ in range(2):
        await discovery.metadata()
        await discovery.key_for(TOKEN)
    assert provider.asked == [DISCOVERY, "/jwks"]
    watch.now += GOOD_FOR
    await discovery.metadata()
    assert provider.asked == [DISCOVERY, "/jwks", DISCOVERY]


async def test_what_was_known_is_good_while_the_provider_is_away_which_is_asked_again_after_a_pause(
    discovery, provider, watch
):
    known = await discovery.metadata()
    provider.status = 500
    watch.now += GOOD_FOR
    for _ in range(2):
        assert await discovery.metadata() == known
    assert len(provider.asked) == 2
    watch.now += PAUSE
    provider.status, provider.metadata = 200, {"end_session_endpoint": None}
    assert (await discovery.metadata()).end_session_endpoint is None


async def test_a_provider_that_never_answered_is_not_asked_by_everybody_at_once(discovery, provider, watch):
    provider.status = 500
    for _ in range(3):
        with pytest.raises(Unavailable):
            await discovery.metadata()
    assert len(provider.asked) == 1
    watch.now += PAUSE
    provider.status = 200
    await discovery.metadata()


async def test_a_new_key_is_found_at_once_and_an_invented_one_asked_for_once_in_a_while(discovery, provider, watch):
    provider.keys = [forge.signer("old").jwk()]
    with pytest.raises(NotVerified):
        await discovery.key_for(TOKEN)
    with pytest.raises(NotVerified):
        await discovery.key_for(TOKEN)
    assert provider.asked.count("/jwks") == 1
    provider.keys.append(forge.signer(SIGNER).jwk())
    watch.now += PAUSE
    assert (await discovery.key_for(TOKEN)).kid == SIGNER


async def test_a_key_that_was_withdrawn_is_not_good_for_long(discovery, provider, watch):
    await discovery.key_for(TOKEN)
    provider.keys = [forge.signer("new").jwk()]
    watch.now += GOOD_FOR
    with pytest.raises(NotVerified):
        await discovery.key_for(TOKEN)

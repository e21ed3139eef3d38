import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import jwt
import pytest

from statekeeper.simulator.issuer import DISCOVERY, JWKS, Issuer, serve_issuer

AUDIENCE = "https://statekeeper.test/webhooks/idnow"
DATA = {"eventId": "e1", "eventName": "session.created"}


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with serve_issuer() as listening:
        yield listening


async def key_set(url: str) -> jwt.PyJWKSet:
    """The keys as a relying party finds them: by discovery, knowing nothing but the issuer's URL."""
    async with httpx.AsyncClient() as client:
        discovery = (await client.get(url + DISCOVERY)).json()
        assert discovery["issuer"] == url
        return jwt.PyJWKSet.from_dict((await client.get(discovery["jwks_uri"])).json())


async def verify(token: str, issuer: Issuer) -> dict:
    kid = jwt.get_unverified_header(token)["kid"]
    key = (await key_set(issuer.url))[kid]
    return jwt.decode(token, key, algorithms=["RS256"], issuer=issuer.url, audience=AUDIENCE)


async def test_a_token_verifies_by_what_discovery_leads_to(issuer: Issuer):
    claims = issuer.claims(DATA, AUDIENCE, time.time())
    assert await verify(issuer.sign(claims), issuer) == claims


def test_claims_are_those_of_the_providers_example():
    claims = Issuer("https://issuer.test").claims(DATA, AUDIENCE, 1767861339.9)
    assert claims == {
        "data": DATA,
        "iss": "https://issuer.test",
        "iat": 1767861339,
        "exp": 1767864939,
        "sub": "e1",
        "aud": AUDIENCE,
    }


async def test_a_rotation_leaves_earlier_tokens_good_until_the_old_key_is_withdrawn(issuer: Issuer):
    claims = issuer.claims(DATA, AUDIENCE, time.time())
    before = issuer.sign(claims)
    issuer.rotate()
    after = issuer.sign(claims)
    assert jwt.get_unverified_header(before) != jwt.get_unverified_header(after)
    assert await verify(before, issuer) == await verify(after, issuer) == claims
    issuer.withdraw()
    assert await verify(after, issuer)
    with pytest.raises(KeyError):
        await verify(before, issuer)


async def test_no_private_member_is_published(issuer: Issuer):
    [key] = issuer.jwks()["keys"]
    assert set(key) == {"kty", "kid", "use", "alg", "n", "e"}


async def test_keys_are_cached_for_a_while_and_counted(issuer: Issuer):
    async with httpx.AsyncClient() as client:
        answer = await client.get(issuer.url + JWKS)
    assert answer.headers["cache-control"] == "max-age=300"
    assert answer.headers["content-type"] == "application/json"
    assert issuer.fetches == 1


async def test_anything_else_is_not_there(issuer: Issuer):
    async with httpx.AsyncClient() as client:
        assert (await client.get(issuer.url + "/other")).status_code == 404
        assert (await client.post(issuer.url + JWKS)).status_code == 405
    assert issuer.fetches == 0


@pytest.mark.parametrize("noise", [b"", b"hello", b"x" * 100_000])
async def test_a_client_that_speaks_no_http_is_hung_up_on(issuer: Issuer, noise: bytes):
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(issuer.url).port)
    writer.write(noise)
    writer.write_eof()
    with suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()


async def test_its_key_set_is_a_file_as_well(tmp_path):
    path = tmp_path / "jwks.json"
    async with serve_issuer(path=path) as issuer:
        issuer.rotate()
        assert json.loads(path.read_text()) == issuer.jwks()
    assert list(tmp_path.iterdir()) == [path]


async def test_it_can_call_itself_something_else_than_where_it_listens():
    async with serve_issuer(name="https://auth.issuer.test/oidc") as issuer:
        async with httpx.AsyncClient() as client:
            discovery = (await client.get(issuer.address + DISCOVERY)).json()
        assert discovery["issuer"] == issuer.url == "https://auth.issuer.test/oidc"
        assert discovery["jwks_uri"] == issuer.address + JWKS


async def test_a_port_that_is_taken_is_refused_and_one_that_was_left_is_free():
    async with serve_issuer() as issuer:
        port = httpx.URL(issuer.url).port
        with pytest.raises(OSError, match="in use"):
            async with serve_issuer(port):
                pass
    async with serve_issuer(port) as again:
        assert again.url == issuer.url
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()

"""Where key sets come from: what is asked, what is taken, and what is a failed fetch."""

import gzip
import json

import httpx
import pytest

from forge import ISSUER, jwks
from statekeeper.trust import sources
from statekeeper.trust.sources import FileSource, KeysNotHad, RemoteSource, key_source, lifetime

KEYS = "https://auth.issuer.test/keys"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"


async def failed(source):
    with pytest.raises(KeysNotHad) as fault:
        await source.fetch()
    return str(fault.value)


async def test_a_fixed_address_is_asked_and_nothing_else(open_source, issuer):
    fetched = await open_source().fetch()
    assert json.loads(fetched.document) == jwks()
    assert fetched.lifetime == 300
    assert issuer.asked == [KEYS]


async def test_without_an_address_the_discovery_document_says_where_the_keys_are(open_source, issuer):
    issuer.discover({"issuer": ISSUER, "jwks_uri": KEYS})
    assert json.loads((await open_source(None).fetch()).document) == jwks()
    assert issuer.asked == [DISCOVERY, KEYS]


async def test_an_issuer_that_ends_in_a_slash_is_discovered_without_a_second_one(open_source, issuer):
    issuer.discover({"issuer": f"{ISSUER}/", "jwks_uri": KEYS})
    await open_source(None, f"{ISSUER}/").fetch()
    assert issuer.asked == [DISCOVERY, KEYS]


@pytest.mark.parametrize("other", [f"{ISSUER}/", ISSUER.upper(), "https://evil.test", None, [ISSUER]])
async def test_another_issuers_discovery_document_is_refused(open_source, issuer, other):
    issuer.discover({"issuer": other, "jwks_uri": KEYS})
    assert "another issuer" in await failed(open_source(None))
    assert issuer.asked == [DISCOVERY]


@pytest.mark.parametrize("document", [b"", b"[]", b"<html>", b'{"issuer":"a","issuer":"b"}', b"\xff"])
async def test_a_discovery_document_that_is_no_object_is_refused(open_source, issuer, document):
    issuer.discover(document)
    await failed(open_source(None))


@pytest.mark.parametrize("address", [None, 5, "", "keys", "/keys", "ftp://auth.issuer.test/keys", "file:///etc/passwd"])
async def test_a_discovered_address_that_is_none_is_refused(open_source, issuer, address):
    issuer.discover({"issuer": ISSUER, "jwks_uri": address})
    await failed(open_source(None))
    assert issuer.asked == [DISCOVERY]


async def test_a_discovery_document_without_an_address_is_refused(open_source, issuer):
    issuer.discover({"issuer": ISSUER})
    assert "no jwks_uri" in await failed(open_source(None))


@pytest.mark.parametrize(
    "host", ["auth.issuer.test", "10.0.0.1", "127.0.0.1.evil.test", "localhost.evil.test", "[::2]"]
)
async def test_plain_http_is_refused_a_discovered_address_included(open_source, issuer, host):
    issuer.discover({"issuer": ISSUER, "jwks_uri": f"http://{host}/keys"})
    assert "loopback" in await failed(open_source(None))
    assert "loopback" in await failed(open_source(f"http://{host}/keys"))
    assert issuer.asked == [DISCOVERY]


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
async def test_plain_http_is_taken_from_loopback(open_source, issuer, host):
    issuer.discover({"issuer": ISSUER, "jwks_uri": f"http://{host}/keys"})
    await open_source(None).fetch()
    await open_source(f"http://{host}/keys").fetch()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(open_source, issuer, status):
    issuer.pages["/keys"] = httpx.Response(status, headers={"location": f"{KEYS}/moved"})
    issuer.pages["/keys/moved"] = httpx.Response(200, json=jwks())
    assert str(status) in await failed(open_source())
    assert issuer.asked == [KEYS]


@pytest.mark.parametrize("status", [204, 400, 404, 429, 500, 503])
async def test_any_answer_but_200_is_a_failure(open_source, issuer, status):
    issuer.pages["/keys"] = httpx.Response(status, json=jwks())
    assert str(status) in await failed(open_source())


async def test_an_issuer_that_is_away_is_a_failure(open_source, issuer):
    issuer.away = True
    assert "ConnectError" in await failed(open_source())


async def test_an_address_that_cannot_be_asked_is_a_failure(open_source):
    await failed(open_source("https://[::1/keys"))
    await failed(open_source("https://auth.issuer.test:99999/keys"))
    await failed(open_source(f"https://{'a' * 80}ü.test/keys"))


async def test_an_issuer_that_takes_too_long_is_a_failure(open_source, issuer, monkeypatch):
    monkeypatch.setattr(sources, "DEADLINE", 0)
    issuer.gate.clear()
    assert "too long" in await failed(open_source())


async def test_a_document_is_bounded(open_source, issuer):
    issuer.publish(b" " * sources.MAX_BYTES)
    assert len((await open_source().fetch()).document) == sources.MAX_BYTES
    issuer.publish(b" " * (sources.MAX_BYTES + 1))
    assert "larger" in await failed(open_source())


async def test_reading_stops_where_the_bound_is_passed(issuer):
    sent = []

    async def endless():
        while True:
            sent.append(1)
            yield b" " * 65_536

    def answer(_request):
        return httpx.Response(200, content=endless())

    source = RemoteSource(ISSUER, KEYS, httpx.MockTransport(answer))
    assert "larger" in await failed(source)
    assert len(sent) == 17
    await source.close()


async def test_a_compressed_answer_is_a_failure(open_source, issuer):
    issuer.publish(gzip.compress(b" " * 10_000_000), content_encoding="gzip")
    assert "compressed" in await failed(open_source())
    issuer.publish(jwks(), content_encoding="Identity")
    await open_source().fetch()


async def test_a_document_that_is_not_utf8_is_a_failure(open_source, issuer):
    issuer.publish(b"\xff")
    assert "UTF-8" in await failed(open_source())


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", 300),
        ("public", 300),
        ("max-age=600", 600),
        ("public, max-age=600, must-revalidate", 600),
        ("Max-Age=600", 600),
        ('max-age="600"', 600),
        ("max-age=60", 60),
        ("max-age=59", 60),
        ("max-age=0", 60),
        ("max-age=3600", 3600),
        ("max-age=3601", 3600),
        ("max-age=" + "9" * 400, 3600),
        ("s-maxage=600", 300),
        ("max-age=-1", 300),
        ("max-age=ten", 300),
        ("max-age", 300),
        ("no-store", 60),
        ("no-cache, max-age=600", 60),
        ("max-age=600, No-Store", 60),
        ('no-cache="set-cookie", max-age=600', 600),
    ],
)
async def test_cache_control_sets_the_lifetime_within_bounds(open_source, issuer, cache_control, seconds):
    assert lifetime(cache_control) == seconds
    issuer.publish(jwks(), cache_control=cache_control)
    assert (await open_source().fetch()).lifetime == seconds


async def test_a_file_is_read_anew_each_time(tmp_path):
    file = tmp_path / "keys.json"
    source = FileSource(file)
    file.write_text("one")
    assert (await source.fetch()).document == "one"
    file.write_text("two")
    assert (await source.fetch()).document == "two"
    await source.close()


async def test_a_file_that_cannot_be_read_is_a_failure(tmp_path):
    assert "No such file" in await failed(FileSource(tmp_path / "missing"))
    assert "directory" in await failed(FileSource(tmp_path))


async def test_a_file_is_bounded(tmp_path):
    (tmp_path / "keys.json").write_bytes(b" " * (sources.MAX_BYTES + 1))
    assert "larger" in await failed(FileSource(tmp_path / "keys.json"))


async def test_the_file_wins_over_the_address_and_the_address_over_discovery(tmp_path):
    file, fixed, discovered = (
        key_source(ISSUER, KEYS, tmp_path / "keys.json"),
        key_source(ISSUER, KEYS),
        key_source(ISSUER),
    )
    assert [source.name for source in (file, fixed, discovered)] == [str(tmp_path / "keys.json"), KEYS, DISCOVERY]
    assert [source.local for source in (file, fixed, discovered)] == [True, False, False]
    for source in (file, fixed, discovered):
        await source.close()


async def test_loopback_is_not_reached_through_a_proxy(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://proxy.test:3128")
    source = key_source(ISSUER)
    through = source._client._transport_for_url(httpx.URL("https://auth.issuer.test"))
    assert "HTTPProxy" in type(through._pool).__name__
    for host in ("localhost", "127.0.0.1", "[::1]"):
        direct = source._client._transport_for_url(httpx.URL(f"http://{host}:8080/keys"))
        assert "HTTPProxy" not in type(direct._pool).__name__
    await source.close()

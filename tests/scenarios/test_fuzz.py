"""10,000 webhooks that nobody would send: none is answered 5xx, and none that is refused changes a session.

The service runs whole, in this process, and is asked through its ASGI app; Hypothesis invents what it is asked.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

import forge
from apps import Reply, asking, knock, settings_in
from statekeeper.app import Service
from statekeeper.resources import default_chart

SIGNER, STRANGER = forge.signer("curve", "ES256"), forge.signer("stranger", "ES256")
TOKENS = [forge.token(data, signer=SIGNER) for seed in range(4) for data in forge.story(seed)]
JWT = [(b"content-type", b"application/jwt")]
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
REFUSED = {400, 401, 413, 415, 422}
MOST_REFUSALS = 60
"""How many different refusals there may be: what comes in must leave no trace in them."""

texts = st.text(st.characters(exclude_categories=()), max_size=300)
numbers = st.integers() | st.integers(-(10**400), 10**400) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4))


class Fuzzed:
    """A service that is asked anything, and its books: every arrival in the store was answered 200."""

    def __init__(self, service: Service, runner: asyncio.Runner, store: sqlite3.Connection, logged: list) -> None:
        self._service, self._runner, self._store, self._logged = service, runner, store, logged
        self.cases, self.accepted = 0, 0
        self.refusals: set[bytes] = set()

    def ask(self, body: bytes, headers: list[tuple[bytes, bytes]] = JWT, method: str = "POST") -> Reply:
        self.cases += 1
        reply = self._runner.run(knock(self._service.app, headers, body, method=method))
        if reply.status == 200:
            self.accepted += 1
        else:
            self._check_refusal(reply)
        assert self.arrivals() == (self.accepted, self.accepted)
        return reply

    def arrivals(self) -> tuple[int, int]:
        (by_session,) = self._store.execute("SELECT coalesce(sum(arrivals), 0) FROM sessions").fetchone()
        queries = ("SELECT count(*) FROM events", "SELECT count(*) FROM deliveries")
        return by_session, sum(self._store.execute(query).fetchone()[0] for query in queries)

    def read(self, path: str) -> Any:
        async def get() -> Any:
            async with asking(self._service) as http:
                return (await http.get(path)).raise_for_status().json()

        return self._runner.run(get())

    def _check_refusal(self, reply: Reply) -> None:
        assert reply.status < 500
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["status"] == reply.status
        self.refusals.add(reply.body)
        assert len(self.refusals) <= MOST_REFUSALS


pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    directory = tmp_path_factory.mktemp("fuzzed")
    given_ = {"ordering": {"gap_timeout": 0}, "idnow": {"algorithms": ["RS256", "ES256"]}}
    with capture_logs() as logged, asyncio.Runner() as runner:
        service = Service(settings_in(directory, SIGNER, forge.signer(), **given_))
        running = service.running()
        runner.run(running.__aenter__())
        with closing(sqlite3.connect(directory / "store.db")) as store:
            yield Fuzzed(service, runner, store, logged)
        runner.run(running.__aexit__(None, None, None))


def fuzz(fuzzed: Fuzzed, cases: int, strategy: st.SearchStrategy, ask: Callable[[Any], Reply], may: set[int]) -> None:
    """Ask so many cases, no fewer; each is answered by one of these statuses."""

    @settings(max_examples=cases)
    @given(strategy)
    def asked(case: Any) -> None:
        assert ask(case).status in may

    before = fuzzed.cases
    asked()
    assert fuzzed.cases - before >= cases


def part(raw: bytes) -> bytes:
    return forge.b64(raw).encode()


json_parts = st.dictionaries(texts, values, max_size=4).map(lambda value: part(json.dumps(value).encode()))
parts = st.binary(max_size=60).map(part) | json_parts | st.binary(max_size=60)
three = st.tuples(json_parts, json_parts, st.binary(max_size=60).map(part)).map(b".".join)
bodies = st.binary(max_size=500) | st.lists(parts, max_size=5).map(b".".join) | three | three


def test_anything_that_is_no_token_is_refused(fuzzed):
    fuzz(fuzzed, 1500, bodies, fuzzed.ask, {400, 401})


@st.composite
def damages(draw):
    """A good token, damaged in one place or several; some damage does no harm."""
    body = bytearray(draw(st.sampled_from(TOKENS)).encode())
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.integers(0, len(body) - 1))
        match draw(st.sampled_from(["change", "change", "flip", "insert", "delete", "repeat", "cut", "swap", "graft"])):
            case "change":
                body[where] = draw(st.sampled_from(ALPHABET))
            case "flip":
                body[where] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                body[where:where] = draw(st.binary(min_size=1, max_size=4))
            case "delete":
                del body[where : where + draw(st.integers(1, 50))]
            case "repeat":
                body[where:where] = body[where : where + draw(st.integers(1, 50))]
            case "cut":
                del body[max(where, 1) :]
            case "swap":
                body = bytearray(b".".join(draw(st.permutations(body.split(b".")))))
            case "graft":
                body = bytearray(b".".join([*body.split(b".")[:-1], draw(st.sampled_from(TOKENS)).encode()]))
        body = body or bytearray(b".")
    return bytes(body)


def test_a_damaged_token_is_refused(fuzzed):
    fuzz(fuzzed, 3500, damages(), fuzzed.ask, {200, 400, 401})


@st.composite
def bent_tokens(draw):
    """Well signed by one who may or may not, with any members of header and claims replaced by anything."""
    data = draw(st.sampled_from([*forge.story(1), *forge.story(2)]) | values)
    odd = st.just(forge.ABSENT) | values
    header = draw(
        st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "jwk", "jku", "x5c", "b64"]), odd, max_size=1)
    )
    claims = draw(
        st.dictionaries(st.sampled_from(["iss", "aud", "sub", "exp", "iat", "nbf", "jti", "data"]), odd, max_size=2)
    )
    return forge.token(
        claims.pop("data", data), signer=draw(st.sampled_from([SIGNER] * 3 + [STRANGER])), header=header, **claims
    )


def test_a_token_with_members_bent_is_refused_or_is_what_it_says(fuzzed):
    fuzz(fuzzed, 2500, bent_tokens(), lambda token: fuzzed.ask(token.encode()), {200, 400, 401, 413, 422})


spelled = st.integers(1, 12).flatmap(
    lambda n: st.sampled_from([n, str(n), f"0{n}"] * 8 + [-n, f"{n}.0", float(n), [n], True])
)
maybe = st.sampled_from([forge.ABSENT, None, "one", "two", "", "x" * 256, "\x00", "\ud800", 5])
SESSIONS = [str(UUID(int=number, version=4)) for number in range(60)]


def odd(*usual: Any) -> st.SearchStrategy:
    """Mostly what is usual."""
    ordinary = [st.just(value) for value in usual] * 8
    return st.sampled_from([*ordinary, *map(st.just, ("", None, 7, "\x00", "y" * 255)), texts]).flatmap(
        lambda each: each
    )


@st.composite
def events(draw):
    """Verified, and an event more often than not: of few sessions, so that they get into each other's way."""
    payload = {
        "sessionId": draw(odd(*SESSIONS)),
        "flowId": draw(maybe),
        "sessionStatus": draw(odd("CREATED", "COMPLETED")),
        "lastStepId": draw(maybe),
    }
    data = {
        "eventId": draw(odd(*"abcdefghijkl")),
        "eventName": draw(odd("session.created", "session.completed", "session.expired", "session.step")),
        "eventSequence": draw(spelled),
        "environment": draw(maybe),
        "eventDeliverId": draw(maybe),
        "createdAt": draw(odd("2026-01-08T08:35:37.581Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")),
        "payload": draw(st.sampled_from([bare(payload)] * 8 + [[], "payload", None])),
    }
    return forge.token(bare(data), signer=SIGNER, **draw(st.sampled_from([{}] * 8 + [{"sub": "other"}])))


def bare(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not forge.ABSENT}


def test_verified_events_of_any_kind_leave_legal_sessions_that_can_be_read(fuzzed):
    fuzz(fuzzed, 1500, events(), lambda token: fuzzed.ask(token.encode()), {200, 401, 422})
    chart, seen = default_chart(), fuzzed.read("/v1/sessions?limit=200")["items"]
    assert len({session["sessionId"] for session in seen} & set(SESSIONS)) > len(SESSIONS) / 2
    for session in seen:
        state = chart.initial
        for step in fuzzed.read(f"/v1/sessions/{session['sessionId']}/history")["transitions"]:
            assert (step["source"], chart.target(state, step["trigger"])) == (state, step["target"])
            state = step["target"]
        assert session["state"] == state


media = st.sampled_from(
    [b"application/jwt", b"Application/JWT; charset=utf-8", b"text/plain", b"", b"application/json"]
)
names = st.sampled_from(
    [b"content-type", b"content-encoding", b"content-length", b"transfer-encoding", b"host", b"accept"]
)
header_values = media | st.sampled_from([b"identity", b"gzip", b"9" * 5000, b"-1", b"\xb2"]) | st.binary(max_size=40)
requests = st.tuples(
    st.lists(st.tuples(names, header_values), max_size=4),
    st.sampled_from([token.encode() for token in TOKENS] + [b"", b"." * 65_536, b"." * 65_537]),
    st.sampled_from(["POST"] * 12 + ["GET", "PUT", "OPTIONS", "post", ""]),
)


def test_odd_headers_and_methods_are_refused_or_do_no_harm(fuzzed):
    fuzz(fuzzed, 1000, requests, lambda case: fuzzed.ask(case[1], case[0], case[2]), {200, *REFUSED, 405})

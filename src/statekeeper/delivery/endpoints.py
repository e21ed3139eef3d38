"""HTTP endpoints as subscribers: one POST an attempt, signed as Standard Webhooks asks.

The body is the same bytes on every attempt, with the callbackId as `webhook-id`, for the receiver to deduplicate by;
timestamp and signature are new each time. 2xx is delivered and 410 (Gone) ends it; all else, a redirect included, is a
failed attempt, and `Retry-After` on one is heard. The relay bounds the time of an attempt as a whole. Of an answer's
body only a little is read, and for no longer than a moment: it is kept with the attempt, and read to its end the
connection can be used again. Compression is not asked for, since a little of it may be a lot; what comes encoded all
the same is not kept. A delivery whose body is a JSON object with a `receipt` is known by that from then on.

Sources: Standard Webhooks 1.0, "Webhook headers"; RFC 9110, section 10.2.3 "Retry-After".
"""

import asyncio
import codecs
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Final

import httpx

from statekeeper.core.retry import LONGEST_PAUSE, Outcome
from statekeeper.core.subscribers import Scope, Subscriber
from statekeeper.delivery.answers import DELIVERED, Answer, describe, find_receipt, storable
from statekeeper.delivery.guard import Refused
from statekeeper.store.attempts import Claim
from statekeeper.trust.signing import sign

CONCURRENCY: Final = 8
BODY_BYTES: Final = 4096
BODY_SECONDS: Final = 0.5
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_HEADERS: Final = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "user-agent": f"statekeeper/{version('statekeeper')}",
}
_Utf8: Final = codecs.getincrementaldecoder("utf-8")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where callbacks go, what it wants to be told, and how fast.

    `secrets` are newest first, and beside them those that are `retiring` sign until their time; an URL may hold secrets
    as well. `concurrency` is how many attempts at once, `rate` how many a second it takes from one node. One that is
    `trusted` stands in the settings: its URL is the operator's word.
    """

    name: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    states: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    flows: frozenset[str] = frozenset()
    scope: Scope = Scope.TERMINAL
    notices: frozenset[str] = frozenset()
    concurrency: int = CONCURRENCY
    rate: float | None = None
    trusted: bool = False
    retiring: tuple[tuple[str, datetime], ...] = field(default=(), repr=False)

    @property
    def subscriber(self) -> Subscriber:
        return Subscriber(self.name, self.states, self.environments, self.flows, self.scope, self.notices)

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign at this moment, the newest first."""
        return (*self.secrets, *(secret for secret, until in self.retiring if now < until))


def _utc_now() -> datetime:
    return datetime.now(UTC)


class HttpSender:
    """Posts the callbacks of one endpoint; `clock` is the node's."""

    guarded = True

    def __init__(self, endpoint: Endpoint, client: httpx.AsyncClient, clock: Callable[[], datetime] = _utc_now) -> None:
        self.slots: Final = endpoint.concurrency
        self.rate: Final = endpoint.rate
        self.ordered: Final = endpoint.subscriber.ordered
        self._endpoint = endpoint
        self._client = client
        self._clock = clock

    async def send(self, claim: Claim) -> Answer:
        body, now = claim.body.encode(), self._clock()
        signed = sign(self._endpoint.secrets_at(now), str(claim.callback_id), int(now.timestamp()), body)
        request = self._client.build_request("POST", self._endpoint.url, content=body, headers=_HEADERS | signed)
        try:
            response = await self._client.send(request, stream=True)
        except Refused as refusal:
            return Answer(Outcome.FAILED, str(refusal))
        except httpx.HTTPError as error:
            return Answer(Outcome.FAILED, describe(error))
        answer = read_answer(response, self._clock())
        try:
            body = await _read_body(response)
        finally:
            await response.aclose()
        return _with_body(answer, body) if body else answer


def read_answer(response: httpx.Response, now: datetime) -> Answer:
    """What the endpoint made of it, by the status and nothing else."""
    if response.is_success:
        return DELIVERED
    detail = f"HTTP {response.status_code}"
    if response.status_code == HTTPStatus.GONE:
        return Answer(Outcome.GAVE_UP, detail)
    return Answer(Outcome.FAILED, detail, not_before=read_retry_after(response.headers.get("retry-after", ""), now))


def read_retry_after(text: str, now: datetime) -> timedelta | None:
    """The pause that a `Retry-After` asks for, a day at most: in seconds, or until a date; None if it asks for none."""
    if _DIGITS.fullmatch(text.strip()):
        return min(timedelta(seconds=int(text.strip()[:9])), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(aware - now, timedelta()), LONGEST_PAUSE)


def _with_body(answer: Answer, body: bytes) -> Answer:
    """The answer with what it said; a character that the end of reading cut in two is left out."""
    text = storable(_Utf8("replace").decode(body), BODY_BYTES)
    receipt = find_receipt(body) if answer.outcome is Outcome.DELIVERED else None
    return replace(answer, response=text or None, receipt=receipt)


async def _read_body(response: httpx.Response) -> bytes:
    """The beginning of a body, or all of a short one, so that the connection can be used again.

    The status stands whatever this meets, and so does what has been read.
    """
    body = bytearray()
    with suppress(httpx.HTTPError, TimeoutError, asyncio.CancelledError):  # also if the attempt's time ends in here
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > BODY_BYTES:
                    break
    return b"" if "content-encoding" in response.headers else bytes(body[:BODY_BYTES])

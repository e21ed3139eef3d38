"""The issuer's keys at hand, and the rules by which the issuer is asked for them.

A key that is at hand costs no I/O and no wait. The set is fetched again on a schedule, and what is in it is all that
verifies: a withdrawn key stops at the next fetch. While the issuer is away the last set stays good, and a set that
was kept from before a restart is good until it is 24 h old.

A name that is not in the set is worth one fetch, if the token's `iss`, `aud` and `exp` fit: anybody can invent names.
Fetches are at least 10 s apart; who comes a little earlier waits for the next one, who comes much earlier is told when
to come again. All that wait share one flight, which none of them can cancel. Nothing is remembered by name, so that
invented ones leave no trace.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from statekeeper.core.errors import Fault, SettingsError, Unavailable
from statekeeper.metrics import KEY_FETCHES
from statekeeper.trust.compact import Token
from statekeeper.trust.keys import VerificationKey
from statekeeper.trust.keyset import KeySet, parse_key_set
from statekeeper.trust.sources import Fetched, KeysNotHad, KeySource
from statekeeper.trust.verification import Doubt, WebhookPolicy, doubt_header, doubt_origin

COOL_DOWN: Final = 10.0
"""Seconds between two fetches from the issuer."""
LONGEST_WAIT: Final = 6.0
"""Seconds that a token waits for the next fetch; the sender's patience is 10."""
PATIENCE: Final = 9.0
"""Seconds after which a token that waits is answered, whatever the fetch does."""
KEPT_FOR: Final = timedelta(hours=24)
_UNKNOWN: Final = Doubt("unknown_key", "The key that `kid` names is not one of the issuer's.")

log = structlog.get_logger()


class KeySetStore(Protocol):
    """Keeps the last document of each source over a restart."""

    async def load(self, source: str) -> tuple[str, datetime] | None: ...

    async def save(self, source: str, document: str, fetched_at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of day for what is dated, the monotonic one for what is waited for, and the waiting itself."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Keyring:
    """Finds the key that a token asks for. `start`, then `run` as a task until `close`."""

    def __init__(
        self,
        source: KeySource,
        policy: WebhookPolicy,
        store: KeySetStore | None = None,
        clock: Clock | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._source: Final = source
        self._policy: Final = policy
        self._store: Final = None if source.local else store
        self._clock: Final = clock or Clock()
        self._patience: Final = patience
        self._cool_down: Final = 0.0 if source.local else COOL_DOWN
        self._set: KeySet | None = None
        self._good_until = math.inf
        self._asked_at = self._due_at = -math.inf
        self._fault: str | None = None
        self._flight: asyncio.Task[bool] | None = None
        self._saves: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """Whether keys have been had, and are still good."""
        known = self._known()
        return known is not None and bool(known.keys)

    async def start(self) -> None:
        """Read the file, or the set kept from before; raises `SettingsError` if the file gives no set."""
        if self._store:
            await self._recall(self._store)
        elif self._source.local and not await self._land(self._fly(0)):
            detail = f'got "{self._source.name}": {self._fault}; takes the path of a JWK Set'
            raise SettingsError((Fault("idnow.jwks_file", detail),))

    async def run(self) -> None:
        """Fetch the set whenever it is due, for ever."""
        while True:
            await self._clock.sleep(max(0.0, self._due_at - self._clock.monotonic()))
            if self._clock.monotonic() >= self._due_at:
                await self._land(self._fly(0))

    async def close(self) -> None:
        """Drop what is in flight, and the connections."""
        tasks = [*self._saves, self._flight] if self._flight else [*self._saves]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._source.close()

    async def key_for(self, token: Token) -> VerificationKey:
        """The key to verify the token by; raises `NotVerified` or `Unavailable`. A key at hand is given at once."""
        if doubt := doubt_header(token.header, self._policy):
            raise doubt.refusal()
        return self._find(token) or await self._ask_for(token)

    def _known(self) -> KeySet | None:
        return self._set if self._clock.now() < self._good_until else None

    def _find(self, token: Token) -> VerificationKey | None:
        known = self._known()
        return known.find(token) if known else None

    async def _ask_for(self, token: Token) -> VerificationKey:
        if doubt := doubt_origin(token.claims, self._policy, self._clock.now()):
            raise doubt.refusal()
        if self._flight is None and self._pause() > LONGEST_WAIT:
            raise self._unavailable("The issuer was asked for its keys a moment ago.")
        if not await self._land(self._fly(self._pause())):
            raise self._unavailable("The issuer's keys cannot be had.")
        key = self._find(token)
        if key is None:
            raise _UNKNOWN.refusal()
        return key

    def _pause(self) -> float:
        """Seconds until the issuer may be asked again."""
        return max(0.0, self._asked_at + self._cool_down - self._clock.monotonic())

    def _unavailable(self, message: str) -> Unavailable:
        return Unavailable(message, reason="keys", retry_after=max(1, math.ceil(self._pause())))

    def _fly(self, delay: float) -> asyncio.Task[bool]:
        """The fetch under way, or a new one after a delay."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetch(delay), name="fetch keys")
            self._flight.add_done_callback(self._landed)
        return self._flight

    def _landed(self, _flight: asyncio.Task[bool]) -> None:
        self._flight = None

    async def _land(self, flight: asyncio.Task[bool]) -> bool:
        """Whether the fetch gave a set. Waiting this way, a waiter that goes away takes nothing with it."""
        await asyncio.wait({flight}, timeout=self._patience)
        return flight.done() and not flight.cancelled() and flight.result()

    async def _fetch(self, delay: float) -> bool:
        if delay:
            await self._clock.sleep(delay)
        self._asked_at = self._clock.monotonic()
        try:
            fetched = await self._source.fetch()
            known = self._parse(fetched.document)
        except (KeysNotHad, ValueError) as error:
            self._note_failure(error)
            return False
        self._note_success(known, fetched)
        return True

    def _parse(self, document: str) -> KeySet:
        """The document's keys; the same ones while the document is the same."""
        return self._set if self._set and self._set.document == document else parse_key_set(document)

    def _note_success(self, known: KeySet, fetched: Fetched) -> None:
        if known is not self._set or self._fault:
            log.info("keys_fetched", source=self._source.name, keys=len(known.keys), refused=dict(known.refused))
        self._set, self._good_until, self._fault = known, math.inf, None
        self._due_at = self._clock.monotonic() + fetched.lifetime
        KEY_FETCHES.labels("ok").inc()
        if self._store:
            save = asyncio.create_task(self._remember(self._store, fetched.document), name="keep keys")
            self._saves.add(save)
            save.add_done_callback(self._saves.discard)

    def _note_failure(self, error: Exception) -> None:
        if self._fault is None:
            log.warning("keys_not_fetched", source=self._source.name, error=str(error), ready=self.ready)
        self._fault = str(error)
        self._due_at = self._clock.monotonic() + COOL_DOWN
        KEY_FETCHES.labels("failed").inc()

    async def _remember(self, store: KeySetStore, document: str) -> None:
        try:
            await store.save(self._source.name, document, datetime.fromtimestamp(self._clock.now(), UTC))
        except Exception as error:  # noqa: BLE001 -- whatever ails the store, the keys in memory are good
            log.warning("keys_not_kept", source=self._source.name, error=type(error).__name__)

    async def _recall(self, store: KeySetStore) -> None:
        kept = await store.load(self._source.name)
        if kept is None:
            return
        document, fetched_at = kept
        try:
            self._set = parse_key_set(document)
        except ValueError:
            log.warning("keys_kept_are_no_set", source=self._source.name)
            return
        self._good_until = (fetched_at + KEPT_FOR).timestamp()
        log.info("keys_recalled", source=self._source.name, keys=len(self._set.keys), good=self.ready)

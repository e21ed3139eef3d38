"""One run of the demo: everything up, a day played, everything settled, everything checked, everything down.

What is checked is what a newcomer would want to know: every session is where its sender's story says, no forgery
counted, every history is a legal path, and every callback due has come, to functions and over HTTP, and no other.
One endpoint takes nothing all day, so that there is something to find for those who look.
"""

import asyncio
import json
import secrets
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from statekeeper.demo import business
from statekeeper.demo.expectations import Expectations
from statekeeper.demo.keepsake import STORE, Keepsake
from statekeeper.demo.queries import list_sessions, read_histories
from statekeeper.demo.report import Report
from statekeeper.demo.service import NotServing, ServiceProcess, serve
from statekeeper.demo.subscribers import BROKEN, BROKEN_PATH, ENDPOINT, Inbox, Notices, read_ledger
from statekeeper.demo.verdict import forged, history_faults, inferred, notice_faults, session_faults
from statekeeper.resources import default_chart
from statekeeper.simulator.issuer import Issuer, serve_issuer
from statekeeper.simulator.listener import bind, listen
from statekeeper.simulator.player import Pace, Target, play
from statekeeper.simulator.stories import DAY, Day
from statekeeper.simulator.tally import Tally

SECONDS: Final = 15.0
"""How long the day takes."""

_AUDIENCE: Final = "https://statekeeper.demo/webhooks/idnow"
_SETTLED_WITHIN: Final = 20.0
_STALLED: Final = 30.0
_TICK: Final = 0.1

Watch = Callable[[str, int, int], None]
"""Told of progress: what is being done, how much of it is done, and of how much."""


async def run(day: Day, watch: Watch, seconds: float = SECONDS, keep: Path | None = None) -> Report:
    """Play the day in so many seconds and check everything; raises `NotServing` where there is nothing to check.

    What is to be looked at afterwards is left in the directory `keep`.
    """
    began = time.monotonic()
    with TemporaryDirectory(prefix="statekeeper-demo-") as directory:
        async with AsyncExitStack() as everything:
            demo = _Demo(Path(directory), day, watch)
            issuer, service = await demo.rise(everything)
            await demo.play(issuer, service, seconds)
            try:
                await demo.settle(service)
                await demo.examine(service)
            except* httpx.HTTPError as errors:
                demo.report.faults += [f"the service does not answer: {error!r}" for error in errors.exceptions]
        demo.close(service)
        if keep:
            keepsake = Keepsake(issuer.url, _AUDIENCE, issuer.jwks(), demo.secret)
            demo.report.config = keepsake.put(Path(directory) / STORE, keep)
    demo.report.seconds = time.monotonic() - began
    return demo.report


class _Demo:
    """What one run knows, and what it does in turn."""

    def __init__(self, directory: Path, day: Day, watch: Watch) -> None:
        self._directory, self._day, self._watch = directory, day, watch
        self._chart: Final = default_chart()
        self._inbox: Final = Inbox("whsec_" + b64encode(secrets.token_bytes(32)).decode())
        self._expected = Expectations.of(Day(()), (), self._chart)
        self.report: Final = Report()

    @property
    def secret(self) -> str:
        """What callbacks are signed with."""
        return self._inbox.secret

    @property
    def notices(self) -> Notices:
        """What every subscriber has been told so far."""
        return self._inbox.notices | read_ledger(self._directory / business.LEDGER)

    async def rise(self, everything: AsyncExitStack) -> tuple[Issuer, ServiceProcess]:
        """Start the issuer, the receiver and the service, whose end is the stack's."""
        issuer = await everything.enter_async_context(serve_issuer())
        bound, receiver = everything.enter_context(bind())
        await everything.enter_async_context(listen(bound, self._inbox.answer))
        config = self._directory / "statekeeper.toml"
        config.write_text(_config(self._directory, issuer.url, receiver, self._inbox.secret), encoding="utf-8")
        return issuer, await everything.enter_async_context(serve(self._directory, config))

    async def play(self, issuer: Issuer, service: ServiceProcess, seconds: float) -> None:
        """Play the day; raises `NotServing` if for a long while no webhook comes to its end."""
        target, pace, patience = (
            Target(f"{service.url}/webhooks/idnow", _AUDIENCE),
            Pace(DAY / seconds),
            seconds + _STALLED,
        )
        try:
            async with asyncio.timeout(patience) as stalled:

                def progress(tally: Tally) -> None:
                    stalled.reschedule(asyncio.get_running_loop().time() + patience)
                    self._watch("Webhooks", tally.done, tally.planned)

                tally = await play(self._day, issuer, target, pace, on_progress=progress)
        except TimeoutError as error:
            raise NotServing(f"The service has stopped taking webhooks.\n{service.tail()}") from error
        self._expected = Expectations.of(self._day, tally.taken, self._chart)
        self.report.tally = tally
        self.report.faults += map(str, tally.failures)
        self.report.due = Counter(notice.subscriber for notice in self._expected.notices)

    async def settle(self, service: ServiceProcess) -> None:
        """Wait, a while at most, until no gap is open and every callback due has come."""
        due = self._expected.notices
        deadline = time.monotonic() + _SETTLED_WITHIN
        async with _client(service) as client:
            while time.monotonic() < deadline:
                arrived = len(due & self.notices.keys())
                self._watch("Callbacks", arrived, len(due))
                unended = await list_sessions(client, terminal="false")
                if arrived == len(due) and not any(session["held"] for session in unended.values()):
                    return
                await asyncio.sleep(_TICK)

    async def examine(self, service: ServiceProcess) -> None:
        """Ask for every session and its history, and hold them against the stories."""
        async with _client(service) as client:
            sessions = await list_sessions(client)
            self.report.states = Counter(session["state"] for session in sessions.values())
            self.report.faults += session_faults(self._expected, sessions, self._chart)
            async for session_id, history in read_histories(client, sessions):
                self.report.inferred += inferred(history)
                self.report.forged += forged(self._expected, history)
                self.report.examined += 1
                self.report.faults += history_faults(self._expected, sessions[session_id], history, self._chart)
                self._watch("Histories", self.report.examined, len(sessions))

    def close(self, service: ServiceProcess) -> None:
        """When everything is down, nothing can arrive any more: count what did."""
        notices = self.notices
        self.report.told = Counter(notice.subscriber for notice in notices)
        self.report.refused_once = len(self._inbox.refused)
        self.report.faults += notice_faults(self._expected.notices, notices)
        if self._inbox.unsigned:
            self.report.faults.append(f"{self._inbox.unsigned} callbacks came without a right signature")
        if service.exit_code:
            self.report.faults.append(f"the service ended with exit code {service.exit_code}")


def _client(service: ServiceProcess) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=service.url, timeout=10, trust_env=False)


def _config(directory: Path, issuer: str, receiver: str, secret: str) -> str:
    """The service's settings, in TOML; its basic strings are JSON's."""
    return f"""\
database_url = {json.dumps(f"sqlite:///{directory / STORE}")}
port = 0
callbacks = [{json.dumps(business.__file__)}]

[idnow]
issuer = {json.dumps(issuer)}
audience = [{json.dumps(_AUDIENCE)}]

[ordering]
gap_timeout = 1

[delivery]
schedule = [0, 0.3, 1, 2, 4]
breaker_failures = 10000

[[endpoints]]
name = {json.dumps(ENDPOINT)}
url = {json.dumps(receiver)}
secrets = [{json.dumps(secret)}]

[[endpoints]]
name = {json.dumps(BROKEN)}
url = {json.dumps(receiver.rstrip("/") + BROKEN_PATH)}
secrets = [{json.dumps(secret)}]
states = ["error"]
"""

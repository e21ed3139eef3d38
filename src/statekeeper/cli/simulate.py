"""`statekeeper simulate`: plays a day of IDnow webhooks to any URL, and says whether they were answered as they should.

What it sends to is this machine, unless it is told twice (https and `--yes`), and then it sends little and slowly: a
simulator must not become a cannon by a slip of the hand.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import rich_click as click

from statekeeper.cli.screen import progress, show_json, show_line, show_table
from statekeeper.core.errors import CannotBegin
from statekeeper.core.loopback import is_loopback, is_trustworthy
from statekeeper.simulator.issuer import JWKS, serve_issuer
from statekeeper.simulator.player import Pace, Target, play
from statekeeper.simulator.plots import Faults, tell
from statekeeper.simulator.stories import Fault
from statekeeper.simulator.tally import Tally, in_words

ABROAD: Final = {"sessions": 1000, "rate": 20.0, "connections": 4}
"""The most that is sent to another machine."""

_SHOWN: Final = 10
_WORDS: Final = {
    Fault.REORDERED: "overtaken by the next event",
    Fault.DELAYED: "minutes to hours late",
    Fault.REPEATED: "sent again although taken",
    Fault.DROPPED: "attempts lost on the way",
    Fault.LOST: "events lost for good",
    Fault.FORGED: "forged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as asked for."""

    url: str
    audience: str | None
    sessions: int
    seed: int
    faults: float
    speed: float
    rate: float
    connections: int
    issuer: str | None
    issuer_port: int
    jwks_file: Path | None
    as_json: bool
    yes: bool

    def check(self) -> None:
        """Refuse what would harm somebody or cannot work."""
        if not is_trustworthy(self.url):
            raise click.BadParameter("must be https, or http to a loopback host", param_hint="--url")
        if self.jwks_file and not self.jwks_file.absolute().parent.is_dir():
            raise click.BadParameter("its directory does not exist", param_hint="--jwks-file")
        if is_loopback(urlsplit(self.url).hostname or ""):
            return
        if not self.yes:
            raise click.UsageError(f"{self.url} is not this machine; --yes if it is yours to send to.")
        for name, most in ABROAD.items():
            if getattr(self, name) > most:
                raise click.BadParameter(f"at most {most:g} to another machine", param_hint=f"--{name}")


@click.command()
@click.option("--url", default="http://127.0.0.1:8000/webhooks/idnow", show_default=True, help="Where to send to.")
@click.option("--audience", help="The `aud` of the tokens.  [default: the URL]")
@click.option("--sessions", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed is the same day.")
@click.option(
    "--faults",
    type=click.FloatRange(0, 5),
    default=1.0,
    show_default=True,
    help="How many faults: 0 for none, 2 for twice as many.",
)
@click.option(
    "--speed",
    type=click.FloatRange(1, 1e6),
    default=4320.0,
    show_default=True,
    help="How many seconds of the day pass in one; 4320 makes it 20 seconds.",
)
@click.option("--rate", type=click.FloatRange(0.1, 5000), default=500.0, show_default=True, help="Requests a second.")
@click.option("--connections", type=click.IntRange(1, 64), default=32, show_default=True)
@click.option("--issuer-port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 for any.")
@click.option("--issuer", help="The `iss` of the tokens.  [default: http://127.0.0.1:PORT]")
@click.option("--jwks-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the key set here as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.option("--yes", is_flag=True, help="Send to another machine than this one.")
def simulate(**options: Any) -> None:  # noqa: ANN401 -- click's
    """Play a day of IDnow webhooks to a service: late, reordered, repeated, lost and forged ones included.

    The simulator is its own issuer. Point the service at it before, by its URL:

        STATEKEEPER_IDNOW__ISSUER=http://127.0.0.1:8765
        STATEKEEPER_IDNOW__AUDIENCE=http://127.0.0.1:8000/webhooks/idnow

    or, where it cannot be reached, by the file of its keys (`--jwks-file`, `idnow.jwks_file`). Then:

        statekeeper simulate --sessions 1000 --seed 7

    Exit 0 if every event was taken (2xx) and every forgery refused (401), else 1; 130 after Ctrl-C.
    """
    run = Run(**options)
    run.check()
    tally = _simulate(run)
    if run.as_json:
        show_json(tally.to_json())
    else:
        _tell(tally)
    raise SystemExit(0 if tally.as_expected else 1)


def _simulate(run: Run) -> Tally:
    try:
        return asyncio.run(_play(run))
    except OSError as error:
        raise CannotBegin(f"The issuer cannot be: {error}") from error


async def _play(run: Run) -> Tally:
    day = tell(run.sessions, run.seed, Faults().times(run.faults))
    async with serve_issuer(run.issuer_port, name=run.issuer, path=run.jwks_file) as issuer:
        await _greet(run.url)
        click.echo(f"Issuer {issuer.url}, its keys at {issuer.address}{JWKS}", err=True)
        with progress() as bars:
            bar = bars.add_task("Webhooks", total=day.deliveries)
            target = Target(run.url, run.audience or run.url, run.connections)
            pace = Pace(run.speed, run.rate)
            return await play(
                day, issuer, target, pace, on_progress=lambda tally: bars.update(bar, completed=tally.done)
            )


async def _greet(url: str) -> None:
    """Ask once before sending thousands: whatever is answered, somebody is there."""
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            await client.get(url)
        except httpx.RequestError as error:
            raise CannotBegin(f"Nothing answers at {url}: {str(error) or type(error).__name__}") from error


def counts(tally: Tally) -> Iterator[tuple[str, int]]:
    """What was sent and how it was answered, in words."""
    yield "events sent", tally.sent
    yield "  of them taken (2xx)", len(tally.taken)
    yield from ((words, tally.faults[fault]) for fault, words in _WORDS.items())
    yield "  of them refused (401)", tally.refused.total()
    yield "sent again for want of a good answer", tally.retried
    yield "requests", tally.requests
    yield from ((f"  {in_words(outcome)}", count) for outcome, count in sorted(tally.answers.items()))
    yield from ((f"  became {name}", count) for name, count in sorted(tally.dispositions.items()))


def show_faults(faults: Sequence[object]) -> None:
    """The first of what is wrong, and how many more there are."""
    for fault in faults[:_SHOWN]:
        show_line(f"✗ {fault}")
    if len(faults) > _SHOWN:
        show_line(f"  and {len(faults) - _SHOWN} more")


def _tell(tally: Tally) -> None:
    show_table("What the sender saw", ("what", "how many"), counts(tally))
    show_faults(tally.failures)
    if tally.as_expected:
        show_line("✓ Every event was taken, every forgery refused.")

"""`statekeeper listen`: a subscriber's endpoint on this machine, to see what callbacks say and how trouble is met.

It listens on loopback unless a host is named. Callbacks go to stdout as they come; where it listens, and a secret that
it has made, go to stderr. Ctrl-C and SIGTERM end it well, whoever still waits for an answer.
"""

import asyncio
import errno
import json
import secrets
import signal
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random
from typing import Any, Final

import rich_click as click

from statekeeper.cli.kinds import Kind
from statekeeper.cli.screen import show_line, show_table
from statekeeper.core.errors import CannotBegin
from statekeeper.core.instants import rfc3339
from statekeeper.core.notices import CALLBACK_DEAD
from statekeeper.core.subscribers import NOTICES
from statekeeper.receiver import Delivery
from statekeeper.simulator.endpoint import Habits, Heard, PracticeEndpoint
from statekeeper.simulator.listener import Reply, Request, bind
from statekeeper.simulator.listener import listen as answer_requests
from statekeeper.trust.signing import PREFIX, parse_secret

_SECRET_BYTES: Final = 32
_SHARE: Final = click.FloatRange(0, 1)


def _status(text: str) -> HTTPStatus | None:
    status = HTTPStatus(int(text))
    return status if status >= HTTPStatus.OK else None


def _host(text: str) -> str | None:
    text.encode("idna")
    return text or None  # an empty one would be every address of this machine


def _secrets(_ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for secret in given:
        try:
            parse_secret(secret)
        except ValueError as fault:
            raise click.BadParameter(str(fault)) from None
    return given


@click.command()
@click.option(
    "--host",
    type=Kind("host", "a host name or an address", _host),
    default="127.0.0.1",
    show_default=True,
    help="Another than a loopback host is for you to guard.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=9000, show_default=True, help="0 for any.")
@click.option(
    "--secret", "given", multiple=True, metavar="SECRET", callback=_secrets, help="`whsec_…`; repeatable, any may fit."
)
@click.option("--receipt", metavar="TEXT", help='Answer `{"receipt": TEXT}`.')
@click.option("--status", type=Kind("status", "an HTTP status like 503", _status), default="200", show_default=True)
@click.option("--gone", is_flag=True, help="Answer 410: want nothing any more.")
@click.option("--fail", type=_SHARE, default=0.0, metavar="SHARE", help="Answer 500 to this share: 0.33 for a third.")
@click.option("--hang", type=_SHARE, default=0.0, metavar="SHARE", help="Never answer this share.")
@click.option("--delay", type=click.FloatRange(0, 3600), default=0.0, metavar="SECONDS", help="Take so long to answer.")
@click.option("--retry-after", type=click.IntRange(0), metavar="SECONDS", help="Say so with every failure.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed fails and hangs the same.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print each callback, and in the end the counts, as a line of JSON."
)
def listen(*, host: str, port: int, given: tuple[str, ...], as_json: bool, **habits: Any) -> None:  # noqa: ANN401 -- switches
    """Listen for callbacks as a subscriber's endpoint would: verify them, print them, acknowledge them.

    Without `--secret` it makes one, and prints what to paste into `statekeeper.toml`. A callback that came before is
    marked as a repeat; one that cannot be believed is answered 401, and says why. The switches make it a difficult
    endpoint. In the end it prints counts.

    ```
    statekeeper listen
    statekeeper listen --secret whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= --fail 0.33 --retry-after 10
    ```

    Exit 0 after Ctrl-C or SIGTERM, 1 if the port is taken.
    """
    known = given or (PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode(),)
    endpoint = PracticeEndpoint(known, _habits(**habits), Random(habits["seed"]))  # noqa: S311 -- to be repeated
    try:
        asyncio.run(_listen(endpoint, host, port, made="" if given else known[0], as_json=as_json))
    except OSError as error:
        raise _unheard(f"{host}:{port}", error) from error
    _show_counts(endpoint, as_json=as_json)


def _unheard(address: str, error: OSError) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return CannotBegin(f"{address} is taken by another process; choose another with --port.")
    return click.BadParameter(f"{address} cannot be listened on: {error.strerror}", param_hint="--host")


def _habits(*, status: HTTPStatus, gone: bool, seed: int, **more: Any) -> Habits:  # noqa: ANN401, ARG001 -- switches
    if gone and status is not HTTPStatus.OK:
        raise click.UsageError("--gone is --status 410: give one of them.")
    return Habits(status=HTTPStatus.GONE if gone else status, **more)


async def _listen(endpoint: PracticeEndpoint, host: str, port: int, *, made: str, as_json: bool) -> None:
    """Answer and print until told to stop."""
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)

    def answer(request: Request) -> Reply:
        heard = endpoint.hear(request)
        _show(heard, datetime.now(UTC), as_json=as_json)
        return heard.reply

    with bind(port, host) as (bound, url):
        async with answer_requests(bound, answer):
            click.echo(_greeting(url, made), err=True)
            await stop.wait()


def _greeting(url: str, made: str) -> str:
    """Where it listens, and how to have callbacks sent there if the secret is new."""
    if not made:
        return f"Listening at {url}"
    return (
        f"Listening at {url}. In statekeeper.toml:\n\n"
        f'[[endpoints]]\nname = "listen"\nurl = "{url}"\nsecrets = ["{made}"]\n'
    )


def _show(heard: Heard, at: datetime, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"at": rfc3339(at), **heard.to_json()}))
        return
    delivery = heard.delivery
    what = f"{delivery.type} {_subject(delivery)}".rstrip() if delivery else str(heard.reason)
    repeat = "  repeat" if heard.repeat else ""
    show_line(f"{rfc3339(at)}  {heard.status or 'no answer'}  {what}{repeat}")
    if delivery:
        kind = "notice" if delivery.type in NOTICES else "callback"
        show_line(f"    {kind} {delivery.callback_id}, {', '.join(_details(delivery))}")


def _subject(delivery: Delivery) -> str:
    """What it is about: a session, an endpoint, or a callback that somebody else was owed."""
    said = delivery.data.get
    if delivery.type == CALLBACK_DEAD:
        return f"{said('callbackId')} of {said('subscriber')}, session {said('sessionId')}"
    return str(said("sessionId") or said("endpoint") or "")


def _details(delivery: Delivery) -> Iterator[str]:
    """What a person wants to see first; the rest is in the JSON."""
    ended = delivery.ended
    if not ended:
        yield f"at {rfc3339(delivery.timestamp)}"
        return
    yield f"ended {rfc3339(ended.ended_at)}"
    yield from (
        f"{name} {value}" for name, value in (("environment", ended.environment), ("flow", ended.flow_id)) if value
    )
    if ended.last_step:
        yield "last step " + _words((ended.last_step.id, ended.last_step.type, ended.last_step.status))
    yield f"events {_words(ended.sequences)}"
    if ended.inferred:
        yield f"inferred {_words(ended.inferred)}"
    if ended.given_up:
        yield f"given up on {_words(ended.given_up)}"


def _words(values: Iterable[object]) -> str:
    return " ".join(str(value) for value in values if value is not None) or "none"


def _show_counts(endpoint: PracticeEndpoint, *, as_json: bool) -> None:
    counts = endpoint.counts()
    if as_json:
        click.echo(json.dumps({"counts": counts}))
        return
    answers = counts.pop("answers").items()
    rows = [*counts.items(), *((f"  answered {status}", count) for status, count in answers)]
    show_table("What came", ("what", "how many"), rows)

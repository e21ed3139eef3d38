"""The command line: one file a command group, each thin, each imported only when it is asked for.

What this package raises ends here, as clear lines on stderr without a traceback. Exit codes: 0 well; 1 what was asked
about is wrong or not there, or the port is taken; 2 bad usage, settings or schema; 130 interrupted, as a shell says it.
"""

import gc
import logging
import signal
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

import rich_click as click

from statekeeper.core.errors import OperatorError, QueryRefused, StatekeeperError, Unavailable
from statekeeper.logs import configure_logging, redact

_COMMANDS: Final = {
    "serve": "Take webhooks, keep sessions, send callbacks, until told to stop.",
    "demo": "Play a day of sessions to a service of its own, and check every one.",
    "simulate": "Play a day of IDnow webhooks to a service.",
    "listen": "Listen for callbacks as a subscriber's endpoint would.",
    "tail": "Show steps as they are taken, and the last few before.",
    "top": "Show the service at a glance: sessions, the last hour, what waits.",
    "show": "Show how a session came to be what it is.",
    "why": "Say why a session stands as it does.",
    "sessions": "List sessions, the newest change first.",
    "close-gap": "Give up now on the numbers that a session waits for.",
    "note": "Say something about a session, for whoever reads its story.",
    "audit": "List what people did, the newest first.",
    "callbacks": "List callbacks, the newest first, or send one again.",
    "endpoints": "List endpoints and brokers, or change an endpoint.",
    "feed": "List steps of all sessions in their one order, or see to the feed's consumers.",
    "refusals": "List the verified webhooks that were no events.",
    "chart": "Check, draw or prove a statechart.",
    "db": "Upgrade or check the store's schema.",
    "config": "Show the settings, and where each comes from.",
}
INTERRUPTED: Final = 128 + signal.SIGINT
_FILES: Final = {"close-gap": "acts", "note": "acts"}


class Deferred(click.RichCommand):
    """A command known by its name and its line of help; its file is imported when it is called."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:  # noqa: ANN401 -- click's
        module = import_module(f"statekeeper.cli.{_FILES.get(str(self.name), self.name)}")
        _collect_garbage_again()
        command: click.Command = getattr(module, str(self.name).replace("-", "_"))
        return command.make_context(info_name, args, *more, **extra)


class CommandLine(click.RichGroup):
    """The commands, with one place where what they raise is told."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's
        """In the order of `_COMMANDS`."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- click's
        try:
            return super().invoke(ctx)
        except StatekeeperError as error:
            complain(error)
            ctx.exit(2 if isinstance(error, OperatorError | QueryRefused) else 1)
        except KeyboardInterrupt:
            click.echo("\nAborted.", err=True)
            ctx.exit(INTERRUPTED)


def complain(error: StatekeeperError) -> None:
    """Say on stderr what is wrong, a line a fault, and in the store's own words why it does not answer."""
    lines = [line if line.startswith(" ") else f"Error: {line}" for line in str(error).splitlines()]
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        lines.append(f"  {getattr(error.__cause__, 'orig', error.__cause__)}")
    click.echo(redact("\n".join(lines)), err=True)


@click.command(
    cls=CommandLine,
    commands=[Deferred(name=name, short_help=text) for name, text in _COMMANDS.items()],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.rich_config(help_config={"text_markup": "markdown", "show_arguments": True})
@click.version_option(version("statekeeper"), prog_name="statekeeper")
def commands() -> None:
    """Keep the state of IDnow sessions: verified webhooks in, ordered legal states and durable callbacks out.

    Settings come from flags, `STATEKEEPER_…` variables and `statekeeper.toml`; `statekeeper config` shows them.
    """
    configure_logging(logging.WARNING)


def main() -> None:
    """The entry point. What a command imports is there to stay: to look for garbage in it is a quarter of its start."""
    gc.disable()
    sys.exit(commands())


def _collect_garbage_again() -> None:
    if not gc.isenabled():
        gc.freeze()
        gc.enable()

"""`statekeeper serve`: the service around uvicorn, with an exit code that says how it ended.

The port is bound before anything else is opened, so that a second `serve` changes nothing. SIGTERM and SIGINT end it
well: no new connections, long waits answered at once, what is in hand finished, exit 0. If a task that must live has
died, the exit code is 1, for a supervisor of processes to start it anew.
"""

import asyncio
import errno
import gc
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

import rich_click as click
import structlog
import uvicorn
import uvloop

from statekeeper.app import Service
from statekeeper.cli.flags import serve_flags, settings
from statekeeper.cli.store import probe, store_faults
from statekeeper.core.errors import CannotBegin, Fault, SettingsError
from statekeeper.logs import configure_logging
from statekeeper.settings import Settings, require_serving, unknown_variables

GRACE_SECONDS: Final = 10
BACKLOG: Final = 2048
log = structlog.get_logger()


@click.command()
@serve_flags
def serve() -> None:
    """Take webhooks, keep sessions, send callbacks, until told to stop.

    Logs are JSON on stderr, or pretty on a terminal. Exit 0 after Ctrl-C or SIGTERM, 1 if the port is taken, 2 if the
    settings or the schema are not right.

    ```
    statekeeper serve --callbacks bank/callbacks.py
    ```
    """
    configure_logging()
    found = settings()
    require_serving(found)
    for name in unknown_variables():
        log.warning("unknown_variable", name=name)
    with _listen(found) as listening:
        service = Service(found)
        probe(service.database)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(service, listening))
    sys.exit(1 if service.supervisor.died else 0)


class Server(uvicorn.Server):
    """uvicorn, that tells when it begins to stop: a long wait must not sit out the grace."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or ():
            host, port, *_ = each.getsockname()
            log.info("serving", host=host, port=port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("stopping")
        self._on_stop()
        await super().shutdown(sockets)


def _server(service: Service) -> Server:
    """What stops uvicorn is raised again when it has stopped; its own handler, left in place, takes that in silence."""
    config = uvicorn.Config(
        service.app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config, service.stop_waiting)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, server.handle_exit)
    return server


async def _run(service: Service, listening: socket.socket) -> None:
    server = _server(service)
    async with AsyncExitStack() as stack:
        with store_faults():
            await stack.enter_async_context(service.running())
        _spare_the_collector()
        await server.serve(sockets=[listening])
    log.info("stopped")


def _spare_the_collector() -> None:
    """Look for cycles among what webhooks make, and seldom: what the program itself consists of has none to give back.

    With thresholds of its own Python spends some 7 % of a loaded service's time on looking.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _listen(found: Settings) -> socket.socket:
    """Listen on the first address of the host, an IPv4 one if there is one; raises `SettingsError` or `CannotBegin`."""
    address = f"{found.host}:{found.port}"
    try:
        options = socket.getaddrinfo(found.host, found.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, where = min(options, key=lambda option: option[0] != socket.AF_INET)
        return socket.create_server(where[:2], family=family, backlog=BACKLOG)
    except UnicodeError:
        reason: str | None = "it is no host name"
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotBegin(f"{address} is taken by another process; choose another with --port.") from None
        reason = error.strerror
    raise SettingsError((Fault("host", f"{address} cannot be listened on: {reason}"),))

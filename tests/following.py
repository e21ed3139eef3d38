"""Commands that follow the feed until they are told to stop, and somebody who feeds it meanwhile."""

import asyncio
import signal
import subprocess
import sys
from contextlib import contextmanager

from databases import Clock
from statekeeper.store.database import Database
from stores import Store, number


class Following:
    """A command that follows the feed, as a process; `said` is where it begins."""

    def __init__(self, process):
        self._process = process
        self.said = process.stderr.readline()

    def line(self):
        """The next line, once it has been printed."""
        return self._process.stdout.readline()

    def end(self, by=signal.SIGTERM):
        """Its exit code, and what it has printed since."""
        self._process.send_signal(by)
        out, err = self._process.communicate(timeout=30)
        assert err == ""
        return self._process.returncode, out


@contextmanager
def following(*arguments):
    command = [sys.executable, "-m", "statekeeper", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Following(process)
        finally:
            process.kill()


def take(directory, session, name="completed", **members):
    """Let a session be told of from its creation to its end, as another process would."""

    async def write():
        clock = Clock()
        database = Database.open(f"sqlite:///{directory / 'statekeeper.db'}", clock=clock)
        await Store(database, clock).end(number(session), name, **members)
        await database.close()

    asyncio.run(write())

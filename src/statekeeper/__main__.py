"""`statekeeper`, and `python -m statekeeper`: the command line, which a signal ends quietly from the first moment on.

To import the command line takes half a second, in which Ctrl-C would be a traceback: so that it is imported in here. To
stop `serve` is no failure, however early: there is nothing to finish until uvicorn has handlers of its own.
"""

import signal
import sys


def main() -> None:
    """The entry point."""
    if sys.argv[1:2] == ["serve"]:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: sys.exit(0))
    try:
        from statekeeper.cli import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        sys.stderr.write("\nAborted.\n")
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()

"""Logs: one line an event, JSON on stderr, or pretty where a person reads it on a terminal.

What is logged through the standard library (uvicorn, alembic, asyncio, warnings) takes the same way as what is logged
through structlog. Access logs are off: a line a webhook would cost more than the webhook, and metrics count them. The
last processor blots out whatever looks like a token, a signing secret or a password in a URL: nothing is meant to log
one, and should something do so, it must not stand in a file for years.

Lines of one kind are at most so many a minute: whoever can send a request can cause one, and must not fill a disk. What
is an error is ours and is always written.
"""

import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

BLOT: Final = "***"
HIDDEN: Final = "(not shown)"
LINES_A_MINUTE: Final = 60
_ALWAYS: Final = frozenset({"error", "exception", "critical"})
_QUIET: Final = ("alembic.runtime", "httpx", "httpcore", "aiokafka")
_MUTE: Final = ("aio_pika", "aiormq", "nats")  # what they say is said of the attempt that met it
_SECRET_NAMES: Final = frozenset({"authorization", "password", "secret", "secrets", "sha256", "token"})
_SECRETS: Final = (
    (re.compile(r"\b[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}", re.ASCII), BLOT),  # whatever its header begins with
    (re.compile(r"\be[wy][\w-]{8,}\.[\w-]*(?:\.[\w-]*)?", re.ASCII), BLOT),  # a JOSE header in base64url begins so
    (re.compile(r"\bwhsec_[\w+/=-]+", re.ASCII), BLOT),
    (re.compile(r"\b(bearer\s+)[^\s'\"]+", re.IGNORECASE), rf"\1{BLOT}"),
    (re.compile(r"(://[^\s:@/]*:)\S+@"), rf"\1{BLOT}@"),
)
_PASSWORD: Final = re.compile("://([^:@/]*):.*@", re.DOTALL)
_TOKEN: Final = re.compile(r"^(?!https?:|postgres)([^@]*?://)(?![^:@/]*:\*\*\*@).*@", re.IGNORECASE | re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PARAMETER: Final = re.compile("([?&][^=&]*=)[^&]*")


def configure_logging(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Set up the process's logs, once or again; `stream` is stderr, and pretty if it is a terminal."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(pretty=stream.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _MUTE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, Quota(), *_STAMPS, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


@contextmanager
def silence(event: str) -> Iterator[None]:
    """Write no line of this event within."""

    def wanted(record: logging.LogRecord) -> bool:
        return not (isinstance(record.msg, dict) and record.msg.get("event") == event)

    handlers = logging.getLogger().handlers[:]
    for each in handlers:
        each.addFilter(wanted)
    try:
        yield
    finally:
        for each in handlers:
            each.removeFilter(wanted)


class Quota:
    """Drops what exceeds the lines of one kind and minute; the next line of that kind says how many: `left_out`.

    A kind is an event and its `reason`: both are words of ours, so that there are few.
    """

    def __init__(self, lines: int = LINES_A_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines = lines
        self._clock = clock
        self._minute = 0
        self._seen: Counter[tuple[str, str]] = Counter()
        self._left_out: Counter[tuple[str, str]] = Counter()

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if method in _ALWAYS:
            return event
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute = minute
            self._seen.clear()
        kind = (str(event["event"]), str(event.get("reason")))
        self._seen[kind] += 1
        if self._seen[kind] > self._lines:
            self._left_out[kind] += 1
            raise structlog.DropEvent
        if missing := self._left_out.pop(kind, 0):
            event["left_out"] = missing
        return event


def redact(value: Any) -> Any:  # noqa: ANN401 -- whatever an event carries
    """`value` with everything blotted out that looks like a secret, in mappings and lists as well."""
    match value:
        case str():
            return _blot(value)
        case bytes():
            return _blot(value.decode(errors="replace"))
        case Mapping():
            return {key: BLOT if str(key).lower() in _SECRET_NAMES else redact(part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(part) for part in value]
        case None | bool() | int() | float():
            return value
        case _:
            return _blot(str(value))


def _blot(text: str) -> str:
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What tells most comes first, for whoever reads the line as it is."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    redacted: EventDict = redact(first | dict(event))
    return redacted


def _spare_the_terminal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A terminal obeys control characters: what somebody is called must not paint over other lines."""
    return {
        name: _CONTROL.sub(lambda found: ascii(found[0])[1:-1], value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _formatter(*, pretty: bool) -> ProcessorFormatter:
    """Tracebacks become text before they are redacted, also for a person: a pretty one would show local variables."""
    render: list[Processor] = (
        [_spare_the_terminal, structlog.dev.ConsoleRenderer()] if pretty else [structlog.processors.JSONRenderer()]
    )
    return ProcessorFormatter(
        foreign_pre_chain=_STAMPS,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact_event,
            *render,
        ],
    )


_STAMPS: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
    structlog.processors.StackInfoRenderer(),
]


def show_url(url: str) -> str:
    """A URL without its password and the values of its parameters; nothing of one that hides where they are.

    A user without a password is shown where it is known to be one: to NATS it is a token.
    """
    if "@" in url and "://" not in url:
        return HIDDEN
    return _PARAMETER.sub(r"\1***", _TOKEN.sub(r"\1***@", _PASSWORD.sub(r"://\1:***@", url)))

"""Times as the contract writes them: RFC 3339, UTC, milliseconds, `Z`."""

from datetime import UTC, datetime


def rfc3339(instant: datetime) -> str:
    """`2026-01-08T08:35:37.581Z`; `instant` must be aware."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """The aware time in UTC; raises `ValueError` where there is no offset, or no time."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        message = "a time needs its offset from UTC"
        raise ValueError(message)
    return instant.astimezone(UTC)


def to_milliseconds(instant: datetime) -> datetime:
    """Cut to whole milliseconds, so that what is stored is what is shown."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)

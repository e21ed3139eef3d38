"""Which sessions somebody wants listed, read from an address, and written into one again.

An address tells a list completely, so that it can be sent to a colleague; an empty field of a form is as good as none.
What is wrong is kept beside what was given, so that the page can show both; a name that is unknown is refused, since
a misspelt filter that is ignored would list everything and look like an answer.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from statekeeper.api.parameters import Parameters
from statekeeper.core.errors import QueryRefused
from statekeeper.core.search import read_search
from statekeeper.explanation.sentences import N_
from statekeeper.store.queries.listing import ListingFilter

ROOT: Final = "/console/sessions"
LONGEST: Final = 4096
MARKS: Final = ("held", "gap", "dead", "contradicted")
_NAMES: Final = ("q", "environment", "flow", "since", "until", *MARKS, "cursor", "after")
_NO_FILTERS: Final = ("cursor", "after")
NO_MOMENT: Final = N_("This is no day, and no day with a time, as in 2026-01-31T08:00.")
_TAKES: Final = {
    "q": N_("There is no session id in this, and no part of one: at least four of the digits 0 to 9 and a to f."),
    "state": N_("There is no such state."),
    "environment": N_("An environment has 1 to 255 characters."),
    "flow": N_("A flow has 1 to 255 characters."),
    "since": NO_MOMENT,
    "until": NO_MOMENT,
    **dict.fromkeys(MARKS, N_("This is either true, or not there.")),
}
_BEFORE_ITS_BEGINNING: Final = N_("The end must be later than the beginning.")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is wanted, and what was given for it.

    `exact` is the id that `q` holds, if it holds a whole one. `faults` says what is wrong with a field, by its name.
    `cursor` is where a page begins, `after` the place of the newest session that somebody has seen.
    """

    given: dict[str, list[str]]
    wanted: ListingFilter = field(default_factory=ListingFilter)
    exact: UUID | None = None
    faults: dict[str, str] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """What was given for a field, as it was written; empty if nothing was."""
        return self.given.get(name, [""])[0]

    @property
    def cursor(self) -> str | None:
        return self.one("cursor") or None

    @property
    def after(self) -> str | None:
        return self.one("after") or None

    @property
    def any(self) -> bool:
        """Whether fewer than all sessions are wanted."""
        return any(name not in _NO_FILTERS for name in self.given)

    @property
    def further(self) -> bool:
        """Whether something is asked for that a form keeps folded."""
        return any(name in self.given for name in ("flow", "since", "until"))

    def address(self, path: str = ROOT, **more: str) -> str:
        """The list's own address; `more` are a cursor and the like."""
        kept = [(name, value) for name, values in self.given.items() if name not in _NO_FILTERS for value in values]
        query = urlencode([*kept, *more.items()])
        return f"{path}?{query}" if query else path


def read_filters(query: bytes, states: Collection[str]) -> Filters:
    """What an address asks for; raises `QueryRefused` for an unknown name, or one that is given too often."""
    values = Parameters.read(query, _NAMES, ("state",)).values
    filled = {
        name: kept for name, each in values.items() if (kept := [value.strip() for value in each if value.strip()])
    }
    given, faults = Parameters(filled), dict[str, str]()
    sought = take(faults, _TAKES, "q", lambda name: _read_sought(given, name))
    wanted = ListingFilter(
        part=sought if isinstance(sought, str) else None,
        states=take(faults, _TAKES, "state", lambda name: given.choices(name, states)) or (),
        environment=take(faults, _TAKES, "environment", given.text),
        flow_id=take(faults, _TAKES, "flow", given.text),
        since=take(faults, _TAKES, "since", lambda name: read_moment(given, name)),
        until=take(faults, _TAKES, "until", lambda name: read_moment(given, name)),
        held=bool(take(faults, _TAKES, "held", given.truth)),
        gap=bool(take(faults, _TAKES, "gap", given.truth)),
        dead=bool(take(faults, _TAKES, "dead", given.truth)),
        contradicted=bool(take(faults, _TAKES, "contradicted", given.truth)),
    )
    if wanted.since and wanted.until and wanted.until <= wanted.since:
        faults["until"] = _BEFORE_ITS_BEGINNING
    return Filters(filled, wanted, sought if isinstance(sought, UUID) else None, faults)


def take(faults: dict[str, str], takes: Mapping[str, str], name: str, read: Callable[[str], T]) -> T | None:
    """What a field holds; None where that is wrong: what it takes is then among the faults."""
    try:
        return read(name)
    except QueryRefused:
        faults[name] = takes[name]
        return None


def _read_sought(given: Parameters, name: str) -> UUID | str | None:
    text = given.verbatim(name)
    if text is None:
        return None
    if len(text) > LONGEST or (sought := read_search(text)) is None:
        raise QueryRefused(name, "holds no id")
    return sought


def read_moment(given: Parameters, name: str) -> datetime | None:
    """A field with a day, or a day and a time; raises `QueryRefused`."""
    text = given.verbatim(name)
    return None if text is None else _parse_moment(name, text)


def _parse_moment(name: str, text: str) -> datetime:
    """A day, or a day and a time, in UTC unless it says otherwise."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise QueryRefused(name, "is no time") from error

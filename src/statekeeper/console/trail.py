"""The page *Audit trail*: who did what, when, from where, why, and what it changed; the newest first.

Entries never change, and each has its number, so that a page that is appended repeats nothing. An address tells the
list completely. What is wrong with a field is shown beside what was given.
"""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get

from statekeeper.api.parameters import Parameters
from statekeeper.api.wiring import wiring
from statekeeper.console.actors import require_support
from statekeeper.console.filters import NO_MOMENT, read_moment, take
from statekeeper.console.pages import page
from statekeeper.console.visitor import Asked
from statekeeper.core.acts import Deed
from statekeeper.core.errors import QueryRefused
from statekeeper.core.search import read_search
from statekeeper.explanation.sentences import N_
from statekeeper.store.pages import DEFAULT_LIMIT
from statekeeper.store.queries.audit import AuditFilter
from statekeeper.store.views import AuditPage

ROOT: Final = "/console/audit"
ACTS: Final = {
    Deed.RETRY.value: N_("tried a callback again"),
    Deed.RESEND.value: N_("sent a callback once more"),
    Deed.CLOSE_GAP.value: N_("closed a gap"),
    Deed.NOTE.value: N_("added a note"),
    Deed.ENDPOINT_CREATE.value: N_("made an endpoint"),
    Deed.ENDPOINT_CHANGE.value: N_("changed an endpoint"),
    Deed.ENDPOINT_DELETE.value: N_("deleted an endpoint"),
    Deed.ENDPOINT_ROTATE.value: N_("gave an endpoint another secret"),
    Deed.ENDPOINT_ENABLE.value: N_("enabled an endpoint"),
    Deed.ENDPOINT_DISABLE.value: N_("disabled an endpoint"),
    Deed.ENDPOINT_PING.value: N_("sent an endpoint a test message"),
    Deed.ENDPOINT_RESEAL.value: N_("sealed the endpoints anew"),
    Deed.RECOVER.value: N_("had an endpoint's callbacks sent again"),
    Deed.BACKFILL.value: N_("had an endpoint told of earlier sessions"),
    Deed.CONSUMER_PLACE.value: N_("placed a consumer of the feed"),
    Deed.CONSUMER_REMOVE.value: N_("removed a consumer of the feed"),
}
EFFECTS: Final = {
    "url": N_("URL"),
    "transitions": N_("It is told of"),
    "states": N_("Only these states"),
    "environments": N_("Only these environments"),
    "flows": N_("Only these flows"),
    "notices": N_("Notices"),
    "concurrency": N_("Attempts at once"),
    "rate": N_("Attempts a second"),
    "health": N_("State"),
    "overlap": N_("The old secret signs on for"),
    "messageId": N_("Message"),
    "resealed": N_("Sealed anew"),
    "closed": N_("Cannot be opened"),
    "recoveryId": N_("Recovery"),
    "since": N_("From"),
    "until": N_("Until"),
    "total": N_("Callbacks"),
    "was": N_("Position before"),
    "position": N_("Position now"),
}
"""What the members of an effect are called; those of a gap and its callbacks are told in words of their own."""

_TAKES: Final = {
    "actor": N_("A name has 1 to 255 characters."),
    "act": N_("There is no such act."),
    "session": N_("There is no session id in this."),
    "subject": N_("A name has 1 to 255 characters."),
    "since": NO_MOMENT,
    "until": NO_MOMENT,
}


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries somebody wants listed, and as it was written; `faults` says what is wrong with a field."""

    given: dict[str, str]
    wanted: AuditFilter = field(default_factory=AuditFilter)
    faults: dict[str, str] = field(default_factory=dict)
    cursor: str | None = None

    def address(self, **other: str) -> str:
        """Where the list is, with something in it other than here."""
        query = urlencode(self.given | other)
        return f"{ROOT}?{query}" if query else ROOT


@get(ROOT, guards=[require_support])
async def list_trail(request: Asked) -> Response[Any]:
    """The whole page; or the next rows, where a script asks for them."""
    sought = read_sought(request.scope["query_string"])
    listed = AuditPage([], None)
    if not sought.faults:
        listed = await wiring(request.scope).queries.audit.page(sought.wanted, DEFAULT_LIMIT, sought.cursor)
    onward = request.headers.get("hx-request") == "true" and sought.cursor
    status = 400 if sought.faults else 200
    template = "audit/rows.html" if onward else "audit/page.html"
    answer = page(request, template, status=status, sought=sought, listed=listed, acts=ACTS, effects=EFFECTS)
    answer.headers["Vary"] = "HX-Request"
    return answer


def read_sought(query: bytes) -> Sought:
    """What an address asks for; an empty field is as good as none. Raises `QueryRefused` for an unknown name."""
    values = Parameters.read(query, (*_TAKES, "cursor")).values
    given = {name: each[0].strip() for name, each in values.items() if each[0].strip()}
    cursor = given.pop("cursor", None)
    parameters, faults = Parameters({name: [value] for name, value in given.items()}), dict[str, str]()
    acts = take(faults, _TAKES, "act", lambda name: parameters.choices(name, tuple(ACTS)))
    wanted = AuditFilter(
        actor=take(faults, _TAKES, "actor", parameters.text),
        act=acts[0] if acts else None,
        session_id=take(faults, _TAKES, "session", lambda name: _read_session(parameters, name)),
        subject=take(faults, _TAKES, "subject", parameters.text),
        since=take(faults, _TAKES, "since", lambda name: read_moment(parameters, name)),
        until=take(faults, _TAKES, "until", lambda name: read_moment(parameters, name)),
    )
    return Sought(given, wanted, faults, cursor)


def _read_session(given: Parameters, name: str) -> UUID | None:
    """An id, wherever in a text it stands."""
    text = given.verbatim(name)
    if text is None:
        return None
    if not isinstance(found := read_search(text[:4096]), UUID):
        raise QueryRefused(name, "holds no id")
    return found

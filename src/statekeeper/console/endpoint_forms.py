"""What a form says of an endpoint, as the values that the API takes, and the other way round.

Lists are typed one a line. An empty field is its default; of an endpoint that is there, an empty URL is the one it has,
since what is secret of a URL is not shown and so cannot be typed again. The form of one says which of its states it was
filled with: every field is sent, and none may take back what somebody else has changed since.
"""

from collections.abc import Mapping
from typing import Any, Final

from statekeeper.core.errors import BodyRefused, Fault
from statekeeper.core.events import storable
from statekeeper.store.views import EndpointView

LONGEST_REASON: Final = 200
LISTS: Final = ("states", "environments", "flows", "notices")
_REASON: Final = Fault("reason", f"must be a text of 1 to {LONGEST_REASON} characters")
_WHOLE: Final = Fault("concurrency", "must be a whole number")
_NUMBER: Final = Fault("rate", "must be a number")
Form = Mapping[str, str]


def read_reason(form: Form) -> str:
    """Why somebody acts; raises `BodyRefused` where nobody could read it, or it is longer than an endpoint keeps."""
    reason = form.get("reason", "").replace("\r\n", "\n").strip()
    if not reason or storable(reason, LONGEST_REASON) is None:
        raise BodyRefused((_REASON,))
    return reason


def read_fields(form: Form, *, new: bool) -> dict[str, Any]:
    """The values of a form; raises `BodyRefused` for what is no number."""
    said: dict[str, Any] = {name: _lines(form.get(name, "")) for name in LISTS}
    said["transitions"] = form.get("transitions") or None
    said["concurrency"] = _read(form, "concurrency", int, _WHOLE)
    said["rate"] = _read(form, "rate", float, _NUMBER)
    if url := form.get("url", "").strip():
        said["url"] = url
    if not new:
        return said
    named = {"name": form.get("name", "").strip(), "url": url}
    return named | {name: value for name, value in said.items() if value not in (None, [])}


def fields_of(endpoint: EndpointView) -> dict[str, str]:
    """An endpoint as its form shows it; `seen` is when it was last changed."""
    shown = {name: "\n".join(getattr(endpoint, name)) for name in LISTS}
    rate = "" if endpoint.rate is None else str(endpoint.rate).removesuffix(".0")
    shown |= {"transitions": endpoint.transitions, "concurrency": str(endpoint.concurrency), "rate": rate}
    return shown | {"seen": endpoint.updated_at or ""}


def said_otherwise(form: Form, endpoint: EndpointView) -> dict[str, str]:
    """What a form says otherwise than the endpoint is, in a line each, for whoever has to say it again."""
    now = fields_of(endpoint)
    said = {name: _lines(form.get(name, "")) for name in ("url", *now) if name != "seen"}
    return {name: ", ".join(lines) for name, lines in said.items() if lines != _lines(now.get(name, ""))}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read(form: Form, name: str, kind: type[int] | type[float], fault: Fault) -> float | None:
    text = form.get(name, "").strip()
    try:
        return kind(text) if text else None
    except ValueError:
        raise BodyRefused((fault,)) from None

"""The acts of support as pages: what it would do, a reason, and then the act by the one function that performs it.

Each is asked for by a link and done by a form, so that it works without a script. Whoever has acted is led to the entry
that the act has left on the session's timeline; whoever cannot act any more is told what is so by now.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from statekeeper.api.wiring import Wiring, wiring
from statekeeper.console.actors import actor_of, require_support
from statekeeper.console.forms import read_form
from statekeeper.console.pages import page
from statekeeper.console.session import address
from statekeeper.console.telling import circumstances
from statekeeper.console.visitor import Asked
from statekeeper.core.acts import MAX_REASON, Act, CloseGap, Note, Resend, Retry, Seen
from statekeeper.core.errors import AlreadyDelivered, BodyRefused, CallbackMoved, GapMoved, NotDelivered, NothingHeld
from statekeeper.core.events import parse_uuid
from statekeeper.explanation.numbers import read_spans
from statekeeper.explanation.obstacles import tell_obstacle
from statekeeper.explanation.sentences import Sentence
from statekeeper.explanation.why import explain
from statekeeper.store.views import ActPlanView

CALLBACKS: Final = "/console/callbacks"
_PATHS: Final = [
    f"{CALLBACKS}/{{key:str}}/retry",
    f"{CALLBACKS}/{{key:str}}/resend",
    "/console/sessions/{key:str}/close-gap",
    "/console/sessions/{key:str}/note",
]
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_OVERTAKEN: Final = (AlreadyDelivered, NotDelivered, NothingHeld)
Form = Mapping[str, str]


@get(_PATHS, guards=[require_support])
async def show_act(request: Asked, key: FromPath[str]) -> Response[str]:
    """What an act would do, and a form to do it."""
    return await _ask(request, _act(request, key, None, {}))


@post(_PATHS, guards=[require_support], status_code=303)
async def do_act(request: Asked, key: FromPath[str]) -> Response[Any]:
    """Do it, and go to where it is told."""
    form = await read_form(request)
    reason = form.get("reason", "").replace("\r\n", "\n").strip()
    try:
        act = _act(request, key, reason, form)
    except BodyRefused:
        return await _ask(request, _act(request, key, None, form), status=422, reason=reason, refused="reason")
    try:
        done = await wiring(request.scope).acts.perform(act, actor_of(request))
    except (GapMoved, CallbackMoved):
        return await _ask(request, _act(request, key, None, {}), status=409, reason=reason, refused="moved")
    except _OVERTAKEN:
        return await _tell_what_is_so(request, act)
    return Redirect(f"{_way_back(done.session_id)}#act-{done.entry_id}", status_code=303)


def _act(request: Asked, key: str, reason: str | None, form: Form) -> Act:
    """The act that a path names; raises `NotFoundException` for what is no id, and `BodyRefused` for a bad reason."""
    if (parsed := parse_uuid(key)) is None:
        raise NotFoundException
    return _MAKERS[request.url.path.rpartition("/")[2]](parsed, reason, form)


def _close_gap(key: UUID, reason: str | None, form: Form) -> CloseGap:
    """Whoever sends no numbers has seen none, and so expects none; only to look, none need be expected."""
    return CloseGap(key, reason, None if reason is None else read_spans(form.get("expected", "")))


def _seen(reason: str | None, form: Form) -> Seen | None:
    """The same of a callback: whoever says nothing of it has seen none that there is."""
    status, _, attempts = form.get("expected", "").partition(" ")
    return None if reason is None else Seen(status, int(attempts) if _COUNT.fullmatch(attempts) else -1)


_MAKERS: Final[Mapping[str, Callable[[UUID, str | None, Form], Act]]] = {
    "retry": lambda key, reason, form: Retry(key, reason, _seen(reason, form)),
    "resend": lambda key, reason, form: Resend(key, reason, _seen(reason, form)),
    "close-gap": _close_gap,
    "note": lambda key, reason, _form: Note(key, reason),
}


async def _ask(
    request: Asked, act: Act, *, status: int = 200, reason: str = "", refused: str | None = None
) -> Response[str]:
    """The page with what the act would do as things are; `refused` says what was wrong with the last try."""
    try:
        plan = await wiring(request.scope).acts.plan(act)
    except _OVERTAKEN:
        return await _tell_what_is_so(request, act)
    shown = {"plan": plan, "reason": reason, "refused": refused, "longest": MAX_REASON}
    shown["obstacle"] = await _find_obstacle(wiring(request.scope), plan)
    return page(request, "act/page.html", status=status, back=_way_back(plan.session_id), **shown)


async def _find_obstacle(parts: Wiring, plan: ActPlanView) -> Sentence | None:
    """What a callback that is due would wait for all the same: whoever has it sent is to know before."""
    case = await parts.queries.cases.find(plan.session_id) if plan.session_id and plan.callback_id else None
    return tell_obstacle(case, plan.callback_id, circumstances(parts)) if case and plan.callback_id else None


async def _tell_what_is_so(request: Asked, act: Act) -> Response[str]:
    """The act has been overtaken: by a delivery, by an event that came, or by somebody else."""
    parts = wiring(request.scope)
    other = await _other(parts, act)
    session_id = act.session_id if isinstance(act, CloseGap | Note) else other.session_id if other else None
    case = await parts.queries.cases.find(session_id) if session_id else None
    why = explain(case, circumstances(parts)) if case else None
    shown = {"act": act.deed.value, "other": other, "why": why, "back": _way_back(session_id)}
    return page(request, "act/overtaken.html", status=409, **shown)


async def _other(parts: Wiring, act: Act) -> ActPlanView | None:
    """What can be done with a callback instead: what is not to be retried was delivered, and the other way round."""
    match act:
        case Retry(callback_id=key):
            return await parts.acts.plan(Resend(key))
        case Resend(callback_id=key):
            return await parts.acts.plan(Retry(key))
    return None


def _way_back(session_id: UUID | None) -> str:
    """A notice is of no session."""
    return address(session_id) if session_id else CALLBACKS

"""What an admin does about an endpoint, as pages: what it would do, a reason, and then the act of the API.

Each is asked for by a link and done by a form, so that it works without a script. A new secret stands on the page that
answers the act, and on no other; every page here is kept by no cache.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NoReturn
from urllib.parse import quote

import structlog
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from statekeeper.api.wiring import wiring
from statekeeper.console.actors import actor_of, require_admin
from statekeeper.console.callbacks import ROOT as CALLBACKS
from statekeeper.console.endpoint_forms import fields_of, read_fields, read_reason, said_otherwise
from statekeeper.console.forms import read_form
from statekeeper.console.pages import page, told
from statekeeper.console.visitor import Asked, visitor
from statekeeper.core.acts import Actor
from statekeeper.core.errors import BodyRefused, EndpointChanged, Fault, NameTaken, NoEncryptionKey, TooManyEndpoints
from statekeeper.delivery.administration import Administration
from statekeeper.store.views import EndpointView

ROOT: Final = "/console/endpoints"
NEW: Final = "/console/new-endpoint"
OVERLAPS: Final = {"0": 0, "1h": 3_600, "1d": 86_400, "7d": 7 * 86_400}
"""For how many seconds the old secret may sign on."""
_ACT: Final = f"{ROOT}/{{name:str}}/{{act:str}}"
_PLAIN: Final = ("enable", "disable", "delete")
_ACTS: Final = (*_PLAIN, "ping", "rotate", "change")
_NEEDLESS: Final = {"enable": "closed", "disable": "disabled"}
"""The health that an act would not change."""
log = structlog.get_logger()
Form = Mapping[str, str]


@get(NEW, guards=[require_admin])
async def show_new(request: Asked) -> Response[str]:
    """A form for another endpoint."""
    return _form(request, None, {})


@post(NEW, guards=[require_admin])
async def make_endpoint(request: Asked) -> Response[str]:
    """Make it, and show its secret this once."""
    form = await read_form(request)
    try:
        reason, values = read_reason(form), read_fields(form, new=True)
        view = await wiring(request.scope).endpoints.create(values, actor_of(request), reason)
    except BodyRefused as refused:
        return _form(request, None, form, refused.faults, 422)
    except (NameTaken, NoEncryptionKey, TooManyEndpoints) as refused:
        field = "name" if isinstance(refused, NameTaken) else ""
        return _form(request, None, form, (Fault(field, str(refused)),), 409)
    _note(request, "create", view.name)
    return page(request, "endpoint/secret.html", endpoint=view, secret=view.secret, act="create")


@get(_ACT, guards=[require_admin])
async def show_endpoint_act(request: Asked, name: FromPath[str], act: FromPath[str]) -> Response[str]:
    """What the act would do, and a form to do it."""
    return _ask(request, act, await _find(request, name, act), {})


@post(_ACT, guards=[require_admin])
async def do_endpoint_act(request: Asked, name: FromPath[str], act: FromPath[str]) -> Response[Any]:
    """Do it, and show what came of it."""
    endpoint, form = await _find(request, name, act), await read_form(request)
    if _is_needless(act, endpoint):
        return _ask(request, act, endpoint, form, status=409)
    try:
        return await _done(request, act, endpoint, form)
    except BodyRefused as refused:
        return _ask(request, act, endpoint, form, refused.faults)
    except EndpointChanged:
        return _ask_anew(request, await _find(request, name, act), form)


async def _done(request: Asked, act: str, endpoint: EndpointView, form: Form) -> Response[Any]:
    acts, actor, reason = wiring(request.scope).endpoints, actor_of(request), read_reason(form)
    if act == "ping":
        came = await acts.ping(endpoint.name, actor, reason)
        answer: Response[Any] = page(request, "endpoint/ping.html", endpoint=endpoint, came=came)
    elif act == "rotate":
        seconds = OVERLAPS.get(form.get("overlap", ""), OVERLAPS["1d"])
        view = await acts.rotate(endpoint.name, None, timedelta(seconds=seconds), actor, reason)
        answer = page(request, "endpoint/secret.html", endpoint=view, secret=view.secret, act="rotate")
    elif act == "change":
        await acts.change(endpoint.name, read_fields(form, new=False), actor, reason, seen=form.get("seen", ""))
        answer = _back(endpoint.name)
    else:
        await _do_plain(acts, act, endpoint.name, actor, reason)
        answer = _back("" if act == "delete" else endpoint.name)
    _note(request, act, endpoint.name)
    return answer


async def _do_plain(acts: Administration, act: str, name: str, actor: Actor, reason: str) -> None:
    match act:
        case "enable":
            await acts.enable(name, actor, reason)
        case "disable":
            await acts.disable(name, reason, actor)
        case _:
            await acts.delete(name, actor, reason)


async def _find(request: Asked, name: str, act: str) -> EndpointView:
    """The endpoint; raises `NotFound` for one that there is none of, and for an act that is none."""
    if act not in _ACTS:
        _refuse()
    return await wiring(request.scope).endpoints.show(name)


def _refuse() -> NoReturn:
    raise NotFoundException


def _is_needless(act: str, endpoint: EndpointView) -> bool:
    """Whether somebody was faster, so that nothing is left to do, and nothing is to be recorded."""
    return endpoint.health.state == _NEEDLESS.get(act)


def _ask(
    request: Asked, act: str, endpoint: EndpointView, form: Form, faults: tuple[Fault, ...] = (), status: int = 200
) -> Response[str]:
    status = 422 if faults else status
    if act == "change":
        return _form(request, endpoint, form or fields_of(endpoint), faults, status)
    shown = {"act": act, "endpoint": endpoint, "form": form, "faults": faults, "overlaps": OVERLAPS}
    return page(request, "endpoint/act.html", status=status, needless=_is_needless(act, endpoint), **shown)


def _ask_anew(request: Asked, endpoint: EndpointView, form: Form) -> Response[str]:
    """Somebody was faster: the form with the endpoint as it is now, and with what was typed beside each field."""
    filled = fields_of(endpoint) | {"reason": form.get("reason", "")}
    return _form(request, endpoint, filled, status=409, typed=said_otherwise(form, endpoint))


def _form(
    request: Asked,
    endpoint: EndpointView | None,
    form: Form,
    faults: tuple[Fault, ...] = (),
    status: int = 200,
    typed: Form | None = None,
) -> Response[str]:
    """The form with what was typed into it, and beside each field what is wrong with it."""
    wrong = {fault.field.split(".")[0]: told(request, fault.detail) for fault in reversed(faults)}
    states = wiring(request.scope).states
    shown = {"endpoint": endpoint, "form": form, "wrong": wrong, "states": states, "typed": typed}
    return page(request, "endpoint/form.html", status=status, **shown)


def _back(name: str) -> Redirect:
    """To how it fares now."""
    return Redirect(f"{CALLBACKS}#to-{quote(name)}" if name else CALLBACKS, status_code=303)


def _note(request: Asked, act: str, name: str) -> None:
    """It is done: no page that whoever did it sees next may show what was so before."""
    wiring(request.scope).shared.forget()
    log.info("endpoint_act", act=act, endpoint=name, by=visitor(request).name)


ENDPOINT_PAGES: Final = (show_new, make_endpoint, show_endpoint_act, do_endpoint_act)

"""The pages by which people come in and go out: open to everybody, and nothing on them but the way in.

To the provider leads a link and no form, since `form-action` holds for where a form is redirected to as well; out of it
again leads a page that goes on by itself, for the same reason.
"""

import math
from typing import Any, Final

import structlog
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from statekeeper.console.entrance import cookies
from statekeeper.console.entrance.claims import Claims, Naming, account_of
from statekeeper.console.entrance.journey import Journey
from statekeeper.console.entrance.provider import SignInRefused
from statekeeper.console.entrance.reception import Entrance, Reception, reception
from statekeeper.console.entrance.refusals import SIGN_IN
from statekeeper.console.entrance.sign_ins import Identity, Method, bearer
from statekeeper.console.forms import HOME, local_path, read_form
from statekeeper.console.pages import page
from statekeeper.console.visitor import SCOPE_KEY, Asked, visitor_or_none
from statekeeper.core.errors import NotFound, Unavailable
from statekeeper.explanation.sentences import N_, Sentence

UNKNOWN_TOKEN: Final = Sentence(N_("This token is not known here. Paste the whole of it, or ask the operator for one."))
TOO_OFTEN: Final = Sentence(N_("Too many tokens were wrong. Try again in {seconds} seconds."))
NOT_BEGUN: Final = Sentence(
    N_("This sign-in was not begun in this browser, or more than ten minutes ago. Begin again.")
)
NOT_TAKEN: Final = Sentence(N_("The provider has not let you in, or its answer cannot be taken. Begin again."))
AWAY: Final = Sentence(N_("The provider that people sign in by does not answer. Try again in a few seconds."))
NO_ROLE: Final = N_(
    "You are known as {name}, but have no role here: {claim} has none of {values}. Ask who gives roles."
)
log = structlog.get_logger()


@get(SIGN_IN)
async def get_sign_in(request: Asked) -> Response[Any]:
    """The ways in; whoever is in already goes on."""
    goal = local_path(request.query_params.get("next"))
    if visitor_or_none(request):
        return Redirect(goal, status_code=303)
    return _show(request, goal)


@post(SIGN_IN, status_code=303)
async def sign_in_with_token(request: Asked) -> Response[Any]:
    """Sign in with a token, pasted once; it is compared, and neither kept nor repeated."""
    form, desk = await read_form(request), reception(request.scope)
    goal, address = local_path(form.get("next")), request.client.host if request.client else ""
    if wait := desk.patience.wait_of(address):
        fault = Sentence(TOO_OFTEN.text, {"seconds": math.ceil(wait)})
        return _show(request, goal, fault, status=429, headers={"Retry-After": str(math.ceil(wait))})
    token = desk.access.find(form.get("token", "").strip().encode())
    if token is None:
        desk.patience.note_failure(address)
        log.info("sign_in_refused", reason="token")
        return _show(request, goal, UNKNOWN_TOKEN, status=401)
    return await _let_in(request, desk, bearer(token), goal)


@get(f"{SIGN_IN}/provider")
async def go_to_provider(request: Asked) -> Response[Any]:
    """Send the browser to the provider, with a secret of its own to come back by."""
    journey = Journey.begin(request.query_params.get("next"))
    try:
        there = await _entrance(request).provider.way_there(journey)
    except Unavailable:
        return _show(request, journey.goal, AWAY, status=503)
    return _go(there, cookies.on_the_way(journey.cookie))


@get(f"{SIGN_IN}/answer")
async def take_answer(request: Asked) -> Response[Any]:
    """Whoever comes back from the provider is signed in, if all of it holds; a journey is made once."""
    desk, entrance = reception(request.scope), _entrance(request)
    journey = Journey.read(request.cookies.get(cookies.ON_THE_WAY))
    if journey is None or not journey.answers(request.query_params.get("state")):
        return _refuse(request, HOME, "state", NOT_BEGUN, 400)
    try:
        claims = await entrance.provider.claims(dict(request.query_params), journey)
    except SignInRefused as error:
        answer = _refuse(request, journey.goal, error.reason, NOT_TAKEN, 403)
    except Unavailable:
        answer = _show(request, journey.goal, AWAY, status=503)
    else:
        answer = await _welcome(request, desk, entrance.naming, claims, journey.goal)
    answer.set_cookie(cookies.forget(cookies.ON_THE_WAY))
    return answer


async def _welcome(request: Asked, desk: Reception, naming: Naming, claims: Claims, goal: str) -> Response[Any]:
    """Let in whom the provider's claims give a role; tell the others which would have."""
    name, role = naming.name_of(claims), naming.role_of(claims)
    if role is None:
        said = {"name": name, "claim": naming.roles_claim, "values": naming.accepted}
        return _refuse(request, goal, "role", Sentence(NO_ROLE, said), 403)
    identity = Identity(name, role, Method.OIDC, desk.access.provider or "", account_of(claims))
    return await _let_in(request, desk, identity, goal)


@post("/console/sign-out", status_code=200)
async def sign_out(request: Asked) -> Response[Any]:
    """End the sign-in on every node, and go on to the provider, to end it there as well."""
    desk = reception(request.scope)
    was = visitor_or_none(request)
    await desk.sign_ins.end(request.cookies[cookies.SIGNED_IN])
    log.info("signed_out", name=was and was.name)
    further = await _way_out(desk) if was and was.method == Method.OIDC else None
    request.scope[SCOPE_KEY] = None  # type: ignore[typeddict-unknown-key]  # what follows is shown to nobody
    answer = page(request, "signed-out.html", further=further)
    if further:
        answer.headers["Refresh"] = f"0; url={further}"
    answer.set_cookie(cookies.forget(cookies.SIGNED_IN))
    return answer


async def _way_out(desk: Reception) -> str | None:
    """The provider's place to sign out; None where it has none, or is away."""
    if desk.entrance is None:
        return None
    try:
        return await desk.entrance.provider.way_out(f"{desk.entrance.url}{SIGN_IN}")
    except Unavailable:
        return None


async def _let_in(request: Asked, desk: Reception, identity: Identity, goal: str) -> Response[Any]:
    """A new sign-in, whatever cookie came along: one that was planted is worth nothing."""
    value, _ = await desk.sign_ins.begin(identity, before=request.cookies.get(cookies.SIGNED_IN))
    log.info("signed_in", name=identity.name, role=identity.role.name.lower(), method=identity.method)
    return _go(goal, cookies.signed_in(value))


def _go(where: str, given: Cookie) -> Response[Any]:
    return Response(None, status_code=303, headers={"Location": where}, cookies=[given])


def _refuse(request: Asked, goal: str, reason: str, fault: Sentence, status: int) -> Response[str]:
    log.info("sign_in_refused", reason=reason)
    return _show(request, goal, fault, status=status)


def _show(
    request: Asked,
    goal: str,
    fault: Sentence | None = None,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response[str]:
    """The ways in, with what went wrong on top."""
    desk = reception(request.scope)
    ways = {"provider": desk.entrance is not None, "tokens": bool(desk.access.tokens)}
    answer = page(request, "sign-in.html", status=status, goal=goal, fault=fault, **ways)
    answer.headers.update(headers or {})
    return answer


def _entrance(request: Asked) -> Entrance:
    """The provider's door; where there is none, there is no such page."""
    entrance = reception(request.scope).entrance
    if entrance is None:
        raise NotFound("page", SIGN_IN)
    return entrance


ENTRANCES: Final = (get_sign_in, sign_in_with_token, go_to_provider, take_answer)
EXITS: Final = (sign_out,)
